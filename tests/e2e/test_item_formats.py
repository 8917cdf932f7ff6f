#!/usr/bin/env python3
"""Files out keep what they can keep: every type of geometry and of field in every format, read back by programs that are not ours and compared feature by
feature without regard to order. What a format cannot carry (docs/formats/export.md) is all that may differ."""
import csv
import datetime
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from moving import PASSWORD, Server, layer, read  # noqa: E402
from test_item_export import Exporter  # noqa: E402

FIELDS = (('k', 'Integer'), ('text', 'String'), ('i32', 'Integer'), ('i16', 'SmallInteger'), ('i64', 'BigInteger'), ('f64', 'Double'), ('f32', 'Single'), ('moment', 'Date'), ('day', 'DateOnly'),
          ('clock', 'TimeOnly'), ('zoned', 'TimestampOffset'), ('guid', 'GUID'), ('xml', 'XML'))
TYPES = dict(FIELDS)
WORDS = ['', 'plain', 'Ünïcödé', 'Ελληνικά', 'Русский', 'עברית', 'العربية', 'हिन्दी', 'ไทย', '中文', '日本語', '한국어', 'ქართული', 'Հայերեն', 'አማርኛ', '🗺️🏔', 'a,b;"c"\t\'d\'', 'two\nlines', ' spaces ', 'x' * 100,
         '<a href="b">&amp;</a>', '=1+2', '_x0041_', 'é', 'null', '0012']
MOMENTS = [0, 1586901221029, 951782400000, 4102444799999, -2208988800000 + 86400000 * 400]


def attributes(k):
    """Values of a row: some at the ends of their ranges, some missing."""
    a = {'k': k, 'text': WORDS[k % len(WORDS)], 'i32': (-2 ** 31, 2 ** 31 - 1, 0, -1)[k % 4], 'i16': (-2 ** 15, 2 ** 15 - 1, 7)[k % 3], 'i64': (-2 ** 53, 2 ** 53, 2 ** 63 - 1, 12)[k % 4],
         'f64': (0.1, -1e300, 1e-9, 12345.678901, -0.5)[k % 5], 'f32': (0.5, -1.25, 3e38)[k % 3], 'moment': MOMENTS[k % len(MOMENTS)], 'day': ('2024-02-29', '1999-12-31', '1901-01-01')[k % 3],
         'clock': ('00:00:00', '23:59:59', '12:30:00')[k % 3], 'zoned': '2024-01-31T23:59:59.123+05:30', 'guid': '{%08X-0000-4000-8000-000000000000}' % k, 'xml': '<r>%d</r>' % k}
    return {n: None for n in a if n != 'k'} | {'k': k} if k % 9 == 8 else a


GEOMETRIES = {
    'Point': lambda k: {'x': k * 1.5 - 20, 'y': 0.123456 * k},
    'Multipoint': lambda k: {'points': [[k, 1], [k + 0.25, 2], [k, -3]][:1 + k % 3]},
    'Polyline': lambda k: {'paths': [[[k, 0], [k + 1, 1], [k + 2, 0.5]], [[-k, 5], [-k - 1, 6]]][:1 + k % 2]},
    'Polygon': lambda k: {'rings': [[[k, 0], [k, 10], [k + 10, 10], [k + 10, 0], [k, 0]], [[k + 2, 2], [k + 4, 2], [k + 4, 4], [k + 2, 4], [k + 2, 2]], [[k + 20, 0], [k + 20, 5], [k + 25, 5], [k + 20, 0]]][:1 + k % 3]},
    None: lambda k: None}


def with_dims(geometry, k, z, m):
    extra = [100.5 + k] * z + [7.25 + k] * m
    if 'x' in geometry:
        return dict(geometry, **({'z': extra[0]} if z else {}), **({'m': extra[-1]} if m else {}))
    return {name: [p + extra for p in parts] if name == 'points' else [[p + extra for p in part] for part in parts] for name, parts in geometry.items()}


def sequences(geometry):
    """The parts of an Esri or GeoJSON geometry as lists of vertices."""
    if geometry is None:
        return []
    if 'coordinates' in geometry:
        c, t = geometry['coordinates'], geometry['type']
        return {'Point': lambda: [[c]], 'MultiPoint': lambda: [[p] for p in c], 'LineString': lambda: [c], 'MultiLineString': lambda: c, 'Polygon': lambda: c, 'MultiPolygon': lambda: [r for p in c for r in p]}[t]()
    if 'geometries' in geometry:
        return [s for g in geometry['geometries'] for s in sequences(g)]
    if 'x' in geometry:
        return [[[geometry[d] for d in ('x', 'y', 'z', 'm') if d in geometry]]] if geometry['x'] is not None else []
    return [[p] for p in geometry['points']] if 'points' in geometry else geometry.get('paths', geometry.get('rings'))


def canonical_shape(parts, dims, digits=9):
    out = []
    for part in parts:
        part = [tuple(round(float(v), digits) + 0.0 for v in p[:dims]) for p in part]
        if len(part) > 3 and part[0] == part[-1]:  # a ring: any start, either way round
            part = part[:-1]
            turns = [way[i:] + way[:i] for way in (part, part[::-1]) for i in range(len(part))]
            part = min(turns)
        out.append(part)
    return sorted(out)


def number(v):
    return None if v is None else '%.14g' % float(v)


def canonical(kind, v):
    if v is None:
        return None
    return number(v) if kind in ('Integer', 'SmallInteger', 'BigInteger', 'Double', 'Single') else v


def iso(ms):
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)).strftime('%Y-%m-%dT%H:%M:%S.') + '%03dZ' % (ms % 1000)


def digest(rows):
    return hashlib.sha256(json.dumps(sorted(rows), sort_keys=True, default=list).encode()).hexdigest()


NO_OGR = shutil.which('ogr2ogr') is None


class Formats(unittest.TestCase):
    LAYERS = [(geometry, z, m) for geometry in ('Point', 'Multipoint', 'Polyline', 'Polygon') for z, m in ((0, 0), (1, 0), (0, 1), (1, 1))] + [(None, 0, 0)]
    ROWS = 30

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.admin = Exporter(cls.server.url, 'admin', PASSWORD)
        definition = {'layers': [], 'tables': []}
        for i, (geometry, z, m) in enumerate(cls.LAYERS):
            domain = {'type': 'codedValue', 'name': 'Sizes', 'codedValues': [{'name': 'small', 'code': 7}, {'name': 'least', 'code': -32768}, {'name': 'most', 'code': 32767}]}
            made = layer(i, cls.name_of(i), geometry, FIELDS, hasZ=bool(z), hasM=bool(m))
            next(f for f in made['fields'] if f['name'] == 'i16')['domain'] = domain
            definition['layers' if geometry else 'tables'].append(made)
        cls.item, url = cls.admin.service('matrix', definition=definition)
        cls.expected = {}
        for i, (geometry, z, m) in enumerate(cls.LAYERS):
            features = [{'attributes': attributes(k)} for k in range(cls.ROWS)]
            for k, f in enumerate(features):
                if geometry and k % 10 != 9:
                    f['geometry'] = with_dims(GEOMETRIES[geometry](k), k, z, m)
            cls.admin.add_features(f'{url}/{i}', features)
            cls.expected[cls.name_of(i)] = features
        cls.folder = tempfile.TemporaryDirectory(prefix='mapferry-formats-')

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        cls.server.close()

    @classmethod
    def name_of(cls, i):
        geometry, z, m = cls.LAYERS[i]
        return (geometry or 'Rows') + 'Z' * z + 'M' * m

    def fetched(self, export_format, extension):
        path = os.path.join(self.folder.name, 'x.' + extension)
        with open(path, 'wb') as f:
            f.write(self.admin.exported(self.item, export_format, title='x'))
        return path

    maxDiff = None

    def compare(self, read, value=lambda kind, v: v, dims=4, digits=9, fields=tuple(TYPES)):
        """read(name) gives (attributes, parts of the geometry) of a layer; value(kind, v): what is left of a value by the format's rule."""
        for i, (geometry, z, m) in enumerate(self.LAYERS):
            name = self.name_of(i)
            has = min(2 + z + m, dims) if not (dims == 3 and m and not z) else 2

            def row(a, shape):
                return [[canonical(TYPES[f], a[f]) for f in fields], canonical_shape(shape, has, digits)]
            wanted = [row({f: value(TYPES[f], v) for f, v in f_['attributes'].items()}, sequences(f_.get('geometry'))) for f_ in self.expected[name]]
            got = [row(a, shape if geometry else []) for a, shape in read(name)]
            with self.subTest(layer=name):
                if digest(wanted) != digest(got):
                    self.assertEqual(sorted(map(str, got)), sorted(map(str, wanted)))

    # ---- our own readers are Python's: csv, json, zipfile, sqlite3, xml

    def wkt(self, text):
        body = re.sub(r'^[A-Z]+ (ZM|Z|M)? ?', '', text)
        return [[[float(v) for v in p.split()] for p in part.split(',')] for part in re.findall(r'\(([^()]+)\)', body)]

    def column_shape(self, r):
        if 'WKT' in r:
            return self.wkt(r['WKT']) if r['WKT'] else []
        return [[[float(r[c]) for c in ('x', 'y', 'z') if c in r]]] if r.get('x') not in (None, '') else []

    def dims_of_columns(self, name):
        return 3 if name.startswith('Point') else 4

    def test_csv(self):
        with zipfile.ZipFile(self.fetched('CSV', 'csv.zip')) as z:
            def read(name):
                for r in csv.DictReader(io.StringIO(z.read(name + '.csv').decode('utf-8-sig'), newline='')):
                    shape = self.column_shape(r)
                    if name.startswith('Point'):  # no M beside x, y and z
                        shape = [[p + [7.25 + int(r['k'])] * name.endswith('M') for p in s] for s in shape]
                    yield {f: None if r[f] == '' else r[f] for f in TYPES}, shape
            self.compare(read, lambda kind, v: None if v in (None, '') else iso(v) if kind == 'Date' else v)

    def test_geojson(self):
        with zipfile.ZipFile(self.fetched('GeoJson', 'geojson.zip')) as z:
            def read(name):
                for f in json.loads(z.read(name + '.geojson'))['features']:
                    yield f['properties'], sequences(f['geometry'])
            self.compare(read, lambda kind, v: iso(v) if kind == 'Date' and v is not None else v, dims=3)

    def test_feature_collection(self):
        layers = {lr['layerDefinition']['name']: lr for lr in json.loads(read(self.fetched('Feature Collection', 'json')))['layers']}
        self.compare(lambda name: ((f['attributes'], sequences(f.get('geometry'))) for f in layers[name]['featureSet']['features']))
        domain = next(f for f in layers['Point']['layerDefinition']['fields'] if f['name'] == 'i16')['domain']
        self.assertEqual(domain['name'], 'Sizes')

    def wkb(self, b):
        """Parts of ISO WKB, little endian."""
        at = 0

        def take(fmt):
            nonlocal at
            v = struct.unpack_from('<' + fmt, b, at)
            at += struct.calcsize('<' + fmt)
            return v

        def one():
            _, code = take('BI')
            base, dims = code % 1000, 2 + (code // 1000 in (1, 3)) + (code // 1000 in (2, 3))
            vertices = lambda n: [list(take('d' * dims)) for _ in range(n)]  # noqa: E731
            if base == 1:
                return [vertices(1)]
            if base == 2:
                return [vertices(take('I')[0])]
            if base == 3:
                return [vertices(take('I')[0]) for _ in range(take('I')[0])]
            return [s for _ in range(take('I')[0]) for s in one()]
        return one()

    def test_geopackage(self):
        path = self.fetched('GeoPackage', 'gpkg')
        db = sqlite3.connect(path)
        db.row_factory = sqlite3.Row
        self.assertEqual([r[0] for r in db.execute('PRAGMA integrity_check')], ['ok'])
        self.assertEqual([tuple(r) for r in db.execute('PRAGMA foreign_key_check')], [])
        self.assertEqual((db.execute('PRAGMA application_id').fetchone()[0], db.execute('PRAGMA user_version').fetchone()[0]), (0x47504B47, 10300))
        tables = {r[0] for r in db.execute("SELECT name FROM sqlite_schema WHERE type='table'")}
        self.assertTrue({'gpkg_contents', 'gpkg_spatial_ref_sys', 'gpkg_geometry_columns', 'gpkg_extensions'} <= tables)
        self.assertEqual({r[0] for r in db.execute('SELECT table_name FROM gpkg_contents')}, set(self.expected))
        # nothing that is ours alone
        self.assertEqual({t for t in tables if not t.startswith(('gpkg_', 'rtree_', 'sqlite_'))}, set(self.expected))

        def read(name):
            for r in db.execute(f'SELECT * FROM "{name}"'):
                blob = r['geom'] if 'geom' in r.keys() else None
                yield r, self.wkb(blob[8 + (0, 32, 48, 48, 64)[blob[3] >> 1 & 7]:]) if blob else []
        self.compare(read, lambda kind, v: iso(v) if kind == 'Date' and v is not None else v)
        # the index finds what a scan finds, and triggers keep it true once somebody else edits
        count = db.execute('SELECT count(*) FROM rtree_Point_geom').fetchone()[0]
        self.assertEqual(count, self.ROWS - self.ROWS // 10)
        self.assertEqual(db.execute("SELECT rtreecheck('rtree_Polygon_geom')").fetchone()[0], 'ok')
        db.create_function('ST_IsEmpty', 1, lambda g: 0)
        db.execute('DELETE FROM Point WHERE k=0')
        self.assertEqual(db.execute('SELECT count(*) FROM rtree_Point_geom').fetchone()[0], count - 1)
        db.close()

    def sheets(self, path):
        """Sheets of a workbook as lists of {column: value}; dates are told by their cell's style."""
        ns = {'m': 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'}
        with zipfile.ZipFile(path) as z:
            self.assertIsNone(z.testzip())
            names = [s.get('name') for s in ET.fromstring(z.read('xl/workbook.xml')).find('m:sheets', ns)]
            for n, name in enumerate(names, 1):
                rows = []
                for row in ET.fromstring(z.read(f'xl/worksheets/sheet{n}.xml')).find('m:sheetData', ns):
                    cells = {}
                    for c in row:
                        column = re.match('[A-Z]+', c.get('r')).group()
                        if c.get('t') == 'inlineStr':
                            text = c.find('m:is/m:t', ns).text or ''
                            cells[column] = re.sub('_x([0-9A-Fa-f]{4})_', lambda m: chr(int(m.group(1), 16)), text)
                        else:
                            v = float(c.find('m:v', ns).text)
                            days = datetime.datetime(1899, 12, 30) + datetime.timedelta(milliseconds=round(v * 86400000)) if c.get('s') else None
                            cells[column] = {None: lambda: v, '1': lambda: iso(round(v * 86400000) - 25569 * 86400000), '2': lambda: days.strftime('%Y-%m-%d'), '3': lambda: days.strftime('%H:%M:%S')}[c.get('s')]()
                    rows.append(cells)
                yield name, [{head: r.get(c) for c, head in rows[0].items()} for r in rows[1:]]

    def test_excel(self):
        sheets = dict(self.sheets(self.fetched('Excel', 'xlsx')))

        def read(name):
            for r in sheets[name]:
                shape = self.column_shape(r)
                if name.startswith('Point'):
                    shape = [[p + [7.25 + int(r['k'])] * name.endswith('M') for p in s] for s in shape]
                yield r, shape
        self.compare(read, lambda kind, v: iso(v) if kind == 'Date' and v is not None else v)

    # ---- and GDAL's

    def ogr(self, path, name, *options):
        done = subprocess.run(['ogr2ogr', '-f', 'GeoJSON', '/vsistdout/', path, name, '-lco', 'COORDINATE_PRECISION=15', *options], capture_output=True, check=True)
        for f in json.loads(done.stdout)['features']:
            yield f['properties'], sequences(f['geometry'])

    @unittest.skipIf(NO_OGR, 'gdal-bin is not installed')
    def test_shapefile(self):
        path = '/vsizip/' + self.fetched('Shapefile', 'zip')

        def left(kind, v):
            if v is None:
                return None
            if kind in ('String', 'XML'):
                return v.strip(' ') or None
            if kind == 'Date':
                return iso(v)[:10]
            return v
        # GDAL leaves out what is blank
        self.compare(lambda name: (({f: a.get(f) for f in TYPES}, shape) for a, shape in self.ogr(path, name)), left, dims=3)

    @unittest.skipIf(NO_OGR, 'gdal-bin is not installed')
    def test_file_geodatabase(self):
        path = self.fetched('File Geodatabase', 'gdb.zip')

        def left(kind, v):
            if v is None or kind not in ('Date', 'DateOnly'):
                return v
            text = iso(round(v / 1000) * 1000)[:19] if kind == 'Date' else v + 'T00:00:00'
            return text if text >= '1970' else None  # before, GDAL 3.6 reads a second more

        def moment(text):
            return None if text is None or text < '1970' else text[:19].replace('/', '-').replace(' ', 'T') if len(text) > 10 else text.replace('/', '-') + 'T00:00:00'

        def read(name):
            for a, shape in self.ogr(path, name):
                yield dict(a, moment=moment(a['moment']), day=moment(a['day'])), shape
        self.compare(read, left, dims=3, digits=6)
        info = subprocess.run(['ogrinfo', '-ro', path, 'Point', '-so'], capture_output=True, text=True, check=True).stdout
        self.assertIn('Sizes', info)
        self.assertIn('FID Column = OBJECTID', info)

    @unittest.skipIf(NO_OGR, 'gdal-bin is not installed')
    def test_kml(self):
        path = self.fetched('KML', 'kml')

        def read(name):
            for a, shape in self.ogr(path, name):
                yield {f: a.get(f) for f in TYPES}, shape

        self.compare(read, lambda kind, v: v.strip() if kind == 'String' and v else v, dims=3, digits=6, fields=('k', 'text', 'i32', 'i16', 'f64', 'guid', 'xml', 'clock', 'zoned'))


if __name__ == '__main__':
    unittest.main()
