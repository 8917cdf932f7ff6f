#!/usr/bin/env python3
"""Random geometries of every type and dimension, in degrees and in metres, go in as Esri JSON and are compared in the blobs of the stored GeoPackage and as Esri JSON, GeoJSON
and protocol buffers come out: equal bit for bit, but for the grid that answers in protocol buffers state. An ordinary run takes 20,000; --all takes a million."""
import contextlib
import glob
import json
import math
import os
import random
import sqlite3
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import Server, layer  # noqa: E402

ALL = '--all' in sys.argv
if ALL:
    sys.argv.remove('--all')
GEOMETRIES, PAGE = 1_000_000 if ALL else 20_000, 500
STEP_ZM = 1e-4  # of the grid of protocol buffers
KINDS = [(name, z, m) for name in ('Point', 'Multipoint', 'Polyline', 'Polygon') for z in (False, True) for m in (False, True)]
LISTS = {'Multipoint': 'points', 'Polyline': 'paths', 'Polygon': 'rings'}
SYSTEMS = {4326: (180, 90, 1e-5, 1), 3857: (2e7, 2e7, 1, 1e5)}  # how far x and y go, and the least and the largest extent of a part


# ---- what goes in ----

class Maker:
    def __init__(self, seed, wkid, z, m):
        self.r, self.z, self.m = random.Random(seed), z, m
        self.far_x, self.far_y, self.least, self.most = SYSTEMS[wkid]

    def number(self, far):
        """With every digit, with few of them, whole, small or at the edge."""
        r, kind = self.r, self.r.randrange(8)
        if kind == 0:
            return float(r.randint(-int(far), int(far)))
        if kind == 1:
            return r.choice((far, -far, 0.0, -0.5, 5e-324, 1e-17, -1e-9))
        return r.uniform(-far, far) if kind < 6 else round(r.uniform(-far, far), r.randrange(8))

    def vertex(self, x, y):
        further = [self.r.choice((round(self.r.uniform(-500, 9000), 3), self.r.uniform(-1e6, 1e6), 0.0)) for _ in range(self.z + self.m)]
        return [x, y, *further]

    def anywhere(self):
        return self.vertex(self.number(self.far_x), self.number(self.far_y))

    def ring(self, x, y, inner, outer, clockwise):
        """Between two circles around a centre, with the corners so close that rings one within the other do not touch."""
        r, corners = self.r, self.r.randint(8 if clockwise else 3, 30)
        ring = [self.vertex(x + d * math.cos(t), y + d * math.sin(t))
                for t, d in ((2 * math.pi * (i + r.uniform(0, 0.4)) / corners, r.uniform(inner, outer)) for i in range(corners))]
        return [*ring, ring[0]] if not clockwise else [*ring, ring[0]][::-1]

    def rings(self):
        """One to four polygons beside each other, some with a hole or with another polygon in it, largest first."""
        size, out = math.exp(self.r.uniform(math.log(self.least), math.log(self.most))), []
        x, y = self.r.uniform(-self.far_x / 2, self.far_x / 2), self.r.uniform(-self.far_y / 2, self.far_y / 2)
        for k in range(self.r.choice((1, 1, 1, 2, 4))):
            centre = x + 3 * k * size
            out.append(self.ring(centre, y, size * 0.9, size, True))
            if self.r.random() < 0.4:
                out.append(self.ring(centre, y, size * 0.1, size * 0.3, False))
        return out

    def geometry(self, kind):
        if kind == 'Point':
            return dict(zip(['x', 'y'] + ['z'] * self.z + ['m'] * self.m, self.anywhere()))
        if kind == 'Multipoint':
            parts = [self.anywhere() for _ in range(self.r.randint(1, 40))]
        elif kind == 'Polyline':
            parts = [[self.anywhere() for _ in range(self.r.randint(2, 25))] for _ in range(self.r.choice((1, 1, 1, 2, 5)))]
        else:
            parts = self.rings()
        return {LISTS[kind]: parts, **({'hasZ': True} if self.z else {}), **({'hasM': True} if self.m else {})}


def ordinates(kind, geometry):
    """Parts of vertices, whatever the geometry."""
    if kind == 'Point':
        return [[[geometry[k] for k in ('x', 'y', 'z', 'm') if k in geometry]]]
    return [geometry['points']] if kind == 'Multipoint' else geometry[LISTS[kind]]


# ---- what comes out: each as parts of vertices ----

def of_wkb(blob):
    """A GeoPackage geometry; rings the other way round, as GeoPackage and Esri JSON differ in them."""
    assert blob[:2] == b'GP' and blob[3] & 1, blob[:8]
    box = (blob[3] >> 1) & 7
    at, parts = 8 + (0, 32, 48, 48, 64)[box], []

    def walk(at):
        assert blob[at] == 1
        kind, = struct.unpack_from('<I', blob, at + 1)
        dims = 2 + (kind // 1000 in (1, 3)) + (kind // 1000 in (2, 3))
        kind, at = kind % 1000, at + 5

        def vertices(at, count):
            numbers = struct.unpack_from(f'<{count * dims}d', blob, at)
            return [list(numbers[i:i + dims]) for i in range(0, len(numbers), dims)], at + 8 * count * dims
        if kind == 1:
            part, at = vertices(at, 1)
            parts.append(part)
            return at
        count, = struct.unpack_from('<I', blob, at)
        at += 4
        if kind == 2:
            part, at = vertices(at, count)
            parts.append(part)
            return at
        for _ in range(count):
            if kind == 3:
                length, = struct.unpack_from('<I', blob, at)
                part, at = vertices(at + 4, length)
                parts.append(part[::-1])
            else:
                at = walk(at)
        return at
    assert walk(at) == len(blob)
    if box:
        numbers = struct.unpack_from('<4d', blob, 8)
        xs, ys = ([v[k] for part in parts for v in part] for k in (0, 1))
        assert numbers == (min(xs), max(xs), min(ys), max(ys)), numbers
    return parts


def of_geojson(kind, geometry):
    c, name = geometry['coordinates'], geometry['type']
    if kind == 'Point':
        return [[c]]
    if kind == 'Multipoint':
        return [c] if name == 'MultiPoint' else [[c]]
    if kind == 'Polyline':
        return c if name == 'MultiLineString' else [c]
    return [ring[::-1] for polygon in (c if name == 'MultiPolygon' else [c]) for ring in polygon]


def fields_of(data):
    """(number, value) of a protocol buffers message; bytes for what has a length."""
    at, n = 0, len(data)
    while at < n:
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            size = {1: 8, 5: 4}[kind]
            value, at = struct.unpack_from('<d' if size == 8 else '<f', data, at)[0], at + size
        yield key >> 3, value
    assert at == n


def varint(data, at):
    value = shift = 0
    while True:
        b = data[at]
        at += 1
        value |= (b & 127) << shift
        if b < 128:
            return value, at
        shift += 7


def varints(data):
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


def of_pbf(kind, dims, z, data):
    """(scales in the order of a vertex, features)."""
    result = dict(fields_of(dict(fields_of(data))[2]))
    assert set(result) == {1}, set(result)
    scale = translate = None
    features = []
    for number, value in fields_of(result[1]):
        if number == 12:
            transform = dict(fields_of(value))
            scale, translate = dict(fields_of(transform[2])), dict(fields_of(transform[3]))
            assert not transform.get(1), 'upper left'
        elif number == 15:
            features.append(dict(fields_of(value)).get(2, b''))
    # scale and translation have x, y, m, z; vertices have z before m
    steps = [scale[1], -scale[2], scale[4] if z else scale[3], scale[3]][:dims]
    starts = [translate.get(1, 0.0), translate.get(2, 0.0), 0.0, 0.0][:dims]

    def parts_of(geometry):
        message = dict(fields_of(geometry))
        lengths = list(varints(message[2])) if kind != 'Point' else [1]
        numbers, parts = [(v >> 1) ^ -(v & 1) for v in varints(message[3])], []
        assert len(numbers) == sum(lengths) * dims
        at = 0
        for length in lengths:
            now, part = [0] * dims, []
            for _ in range(length):
                now = [a + b for a, b in zip(now, numbers[at:at + dims])]
                at += dims
                part.append([start + step * v for start, step, v in zip(starts, steps, now)])
            parts.append(part)
        return parts
    return [abs(s) for s in steps], [parts_of(g) for g in features]


def near(parts, others, steps):
    """Whether vertices are those of a grid with these steps, but for what a double loses."""
    return [len(p) for p in parts] == [len(p) for p in others] and all(
        abs(a - b) <= step * 0.5000001 + abs(a) * 1e-15 for p, q in zip(parts, others) for v, w in zip(p, q) for a, b, step in zip(v, w, steps))


class Geometries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.owner = cls.server.sign_in()

    def compare(self, what, kind, made, found):
        self.assertEqual(len(made), len(found), what)
        for geometry, parts in zip(made, found):
            if ordinates(kind, geometry) != parts:
                self.fail(f'{what}: {geometry} became {parts}')

    def page(self, url, stored, table, kind, made):
        z, m = ('z' in made[0] or 'hasZ' in made[0]), ('m' in made[0] or 'hasM' in made[0])
        oids = self.owner.add_features(url, [{'attributes': {}, 'geometry': g} for g in made])
        asked = dict(where=f'OBJECTID BETWEEN {oids[0]} AND {oids[-1]}', returnZ='true', returnM='true', outFields='OBJECTID', orderByFields='OBJECTID')
        answer = self.owner.call(url + '/query', **asked)
        self.compare('Esri JSON', kind, made, [ordinates(kind, f['geometry']) for f in answer['features']])
        wkid = answer['spatialReference']['latestWkid']
        geojson = json.loads(self.owner.raw(url + '/query', dict(asked, f='geojson', outSR=str(wkid)))[2])
        flat = [ordinates(kind, g) for g in made]
        with_z = [[[v[:2 + z] for v in part] for part in parts] for parts in flat]
        self.assertEqual([of_geojson(kind, f['geometry']) for f in geojson['features']], with_z)
        steps, features = of_pbf(kind, 2 + z + m, z, self.owner.raw(url + '/query', dict(asked, f='pbf'))[2])
        self.assertEqual(steps[2:], [STEP_ZM] * (z + m))
        self.assertEqual(len(features), len(flat))
        for parts, others in zip(flat, features):
            if not near(parts, others, steps):
                self.fail(f'protocol buffers: {parts} became {others}')
        blobs = stored.execute(f'SELECT geom FROM {table} WHERE OBJECTID BETWEEN ? AND ? ORDER BY OBJECTID', (oids[0], oids[-1]))
        self.compare('GeoPackage', kind, made, [of_multipoint(kind, of_wkb(b)) for b, in blobs])

    def test_there_and_back(self):
        for wkid in SYSTEMS:
            definition = {'layers': [layer(i, f'{kind} {z:d}{m:d}', kind, hasZ=z, hasM=m, extent={'xmin': -1, 'ymin': -1, 'xmax': 1, 'ymax': 1, 'spatialReference': {'wkid': wkid}})
                                     for i, (kind, z, m) in enumerate(KINDS)]}
            before = self.files()
            url = self.owner.service(f'geometries_{wkid}', None, definition)[1]
            with contextlib.closing(sqlite3.connect((self.files() - before).pop())) as stored:
                for i, (kind, z, m) in enumerate(KINDS):
                    with self.subTest(f'{kind}{" z" * z}{" m" * m}, {wkid}'):
                        maker, left = Maker(f'{wkid} {i}', wkid, z, m), GEOMETRIES // len(KINDS) // len(SYSTEMS)
                        while left > 0:
                            self.page(f'{url}/{i}', stored, f'l{i}', kind, [maker.geometry(kind) for _ in range(min(PAGE, left))])
                            left -= PAGE

    def files(self):
        return set(glob.glob(os.path.join(self.server.data, '**', '*.gpkg'), recursive=True))


def of_multipoint(kind, parts):
    """Points are parts of their own in WKB."""
    return [[v for part in parts for v in part]] if kind == 'Multipoint' else parts


if __name__ == '__main__':
    moving.main()
