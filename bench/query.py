#!/usr/bin/env python3
"""Queries of hosted layers of 1,000,000 points and 100,000 polygons beside bare loops over the same files (bench/limits/query.c), Koop, MapServer and ogr2ogr
(bench/peers.py), in one run. Ours is the whole way over HTTP with eight connections, the bare loops are without; CPU seconds are compared, of which a loop has what a core
gives. Koop and ours beside it have the first 100,000 points. usage: bench/query.py [--data DIR] [--pairs N] [bare] [peers] [stream]. DIR is made by bench/gen.sh when it is
missing."""
import json
import os
import subprocess
import time
import urllib.request

import peers
from hosted import Hosted, head, load, parameters, source
from measure import ROOT, build, cpu_of, cpu_of_tree, median, peak_kb, reset_peak, run, shell

SOURCES, INDEXED = {'points': 'points_1m', 'polygons': 'polygons_100k'}, 'population'
BOX = {'points': (5, 40, 15, 50), 'polygons': (-60, -40, 60, 40)}
RANGE = 'population >= 2500000 AND population < 2505000'
STATISTICS = json.dumps([{'statisticType': s, 'onStatisticField': f, 'outStatisticFieldName': f'{s}_{f}'}
                         for s, f in (('count', 'population'), ('sum', 'population'), ('avg', 'value'), ('max', 'score'))])
PAGE = {'where': '1=1', 'outFields': '*', 'resultRecordCount': 1000}
PAGES = {**PAGE, 'resultOffset': '########000'}


def box_of(name, turned=False):
    xmin, ymin, xmax, ymax = BOX[name]
    return ','.join(map(str, (ymin, xmin, ymax, xmax) if turned else (xmin, ymin, xmax, ymax)))


# name, layer, parameters, requests, mode of the bare loop, its condition, what is asked: ours has so large a part of the loop's speed at least
WORK = [
    ('page of 1,000, json', 'points', PAGES, 400, 'json', '', 0.6),
    ('page of 1,000, pbf', 'points', {**PAGES, 'f': 'pbf'}, 400, 'pbf', '', 0.5),
    ('page of 1,000 polygons', 'polygons', {**PAGES, 'resultOffset': '########000'}, 80, 'json', '', 0.5),
    ('page by box', 'points', {**PAGE, 'geometry': box_of('points')}, 200, 'box', box_of('points'), 0.5),
    ('page by indexed attribute', 'points', {**PAGE, 'where': RANGE}, 400, 'field', RANGE, 0.5),
    ('count by attribute', 'points', {'where': 'rank = 7', 'returnCountOnly': 'true'}, 10, 'count', 'rank = 7', 0.5),
    ('statistics', 'points', {'where': '1=1', 'outStatistics': STATISTICS}, 10, 'statistics', 'count(population), sum(population), avg(value), max(score)', 0.5),
]
GML = 'application/gml+xml; version=3.2'  # it dies of counts as GeoJSON
WFS = {'map': 'BENCH', 'SERVICE': 'WFS', 'VERSION': '2.0.0', 'REQUEST': 'GetFeature', 'OUTPUTFORMAT': 'geojson', 'COUNT': 1000}
BETWEEN = ('<fes:Filter xmlns:fes="http://www.opengis.net/fes/2.0"><fes:And><fes:PropertyIsGreaterThanOrEqualTo><fes:ValueReference>population</fes:ValueReference>'
           '<fes:Literal>2500000</fes:Literal></fes:PropertyIsGreaterThanOrEqualTo><fes:PropertyIsLessThan><fes:ValueReference>population</fes:ValueReference>'
           '<fes:Literal>2505000</fes:Literal></fes:PropertyIsLessThan></fes:And></fes:Filter>')
RANKED = ('<fes:Filter xmlns:fes="http://www.opengis.net/fes/2.0"><fes:PropertyIsEqualTo><fes:ValueReference>rank</fes:ValueReference><fes:Literal>7</fes:Literal>'
          '</fes:PropertyIsEqualTo></fes:Filter>')
# name, layer, parameters, requests, what is asked beside Koop (ours is so many times as fast at least), what MapServer is asked for, and beside it
BESIDE = [
    ('page of 1,000 points', 'points', PAGES, 200, 100, {'TYPENAMES': 'points', 'STARTINDEX': '########000'}, 10),
    ('page of 1,000 polygons', 'polygons', PAGES, 80, 15, {'TYPENAMES': 'polygons', 'STARTINDEX': '########000'}, 10),
    ('page as pbf', 'points', {**PAGES, 'f': 'pbf'}, 200, 1, None, None),
    ('page by box', 'points', {**PAGE, 'geometry': box_of('points'), 'inSR': 4326}, 100, 1, {'TYPENAMES': 'points_boxes', 'BBOX': box_of('points', True)}, 1),
    ('page by indexed attribute', 'points', {**PAGE, 'where': RANGE}, 200, 1, {'TYPENAMES': 'points', 'FILTER': BETWEEN}, 1),
    ('count by attribute', 'points', {'where': 'rank = 7', 'returnCountOnly': 'true'}, 10, 1, {'TYPENAMES': 'points', 'RESULTTYPE': 'hits', 'FILTER': RANKED, 'OUTPUTFORMAT': GML}, 1),
    ('statistics', 'points', {'where': '1=1', 'outStatistics': STATISTICS}, 10, 1, None, None),
]
FEW = {'Koop': 4, 'MapServer': 16}  # requests of a peer in a pair


class Bench:
    def __init__(self, program, data, pairs, work):
        self.pairs, self.work, self.results = pairs, work, []
        self.sources = {name: source(data, file) for name, file in SOURCES.items()}
        self.hosted = Hosted(program, work)
        self.pid = self.hosted.pid
        for name, path in self.sources.items():
            self.hosted.publish(name, path, INDEXED)
        self.base = [os.path.join(ROOT, 'src', 'base', f) for f in ('num.c', 'str.c', 'mem.c')]

    def close(self):
        self.hosted.close()

    def ours(self, name, fields, count):
        return self.hosted.ask(self.hosted.layers[name], fields, count)

    def loop(self, name, count, mode, condition):
        program = build('limits/query.c', self.work, f'-I{ROOT}/src', *self.base, '-lsqlite3', '-lm')
        told = json.loads(subprocess.run([program, self.hosted.layers[name].file, 'l0', 'OBJECTID', 'geom', str(count), mode, condition], check=True, capture_output=True).stdout)
        return {'wall': told['wall'], 'cpu_us': 1e6 * told['cpu'] / count, 'bytes': told['bytes'] / count}

    def pair(self, name, beside, what, ours, peer, asked):
        """A B A B ..., the first pair not counted. The ratio: so many times the peer's speed."""
        mine, others = [], []
        for k in range(self.pairs + 1):
            reset_peak(self.pid)
            a = dict(ours(), peak_kb=peak_kb(self.pid))
            b = peer()
            if k:
                mine.append(a)
                others.append(b)
        ratios = [b[what] / a[what] for a, b in zip(mine, others)]
        unit = {'cpu_us': 'us CPU', 'wall': 's'}[what]
        print(f'{name + ", " + beside:42} ours {median([a[what] for a in mine]):12.2f} {unit:6} peer {median([b[what] for b in others]):12.2f}   speed by the peer\'s '
              f'{median(ratios):7.2f} ({min(ratios):.2f} to {max(ratios):.2f}), asked {asked:.3g}', flush=True)
        self.results.append({'name': name, 'beside': beside, 'what': what, 'ours': mine, 'peer': others, 'asked': asked})

    def bare(self):
        for name, layer, fields, count, mode, condition, asked in WORK:
            self.pair(name, 'bare loop', 'cpu_us', lambda: self.ours(layer, fields, count), lambda: self.loop(layer, count, mode, condition), asked)

    def stream(self):
        """The whole layer in one request, beside a bare loop and ogr2ogr to GeoJSON."""
        layer = self.hosted.layers['points']
        self.hosted.portal.call(layer.admin + '/updateDefinition', updateDefinition='{"maxRecordCount":2000000}')

        def whole(form):
            cpu, start = cpu_of(self.pid), time.monotonic()
            request = urllib.request.Request(f'{self.hosted.server.url}{layer.url}/query?f={form}&where=1%3D1&outFields=*', headers=self.hosted.headers)
            subprocess.run(['curl', '-sf', '-o', os.devnull, *(x for k, v in request.header_items() for x in ('-H', f'{k}: {v}')), request.full_url], check=True)
            return {'wall': time.monotonic() - start, 'cpu_us': 1e6 * (cpu_of(self.pid) - cpu)}

        def ogr():
            told = shell(f"rm -f '{self.work}/out.geojson' && ogr2ogr -f GeoJSON '{self.work}/out.geojson' '{self.sources['points']}'")
            return {'wall': told['wall'], 'cpu_us': 1e6 * told['cpu']}
        for form in ('json', 'geojson'):
            self.pair(f'whole layer, {form}', 'bare loop', 'cpu_us', lambda: whole(form), lambda: self.loop('points', 1, 'stream', ''), 1 / 1.6)
            self.pair(f'whole layer, {form}', '`ogr2ogr` to GeoJSON', 'wall', lambda: whole(form), ogr, 4)
        self.hosted.portal.call(layer.admin + '/updateDefinition', updateDefinition='{"maxRecordCount":2000}')

    def same(self, name, ours, url):
        """A page has as many features on both sides, or the comparison says nothing."""
        theirs = urllib.request.urlopen(url).read()
        mine, other = (answer.count(b'"geometry"') for answer in (ours, theirs))
        if mine != other:
            raise SystemExit(f'bench: {name}: {mine} features, the peer has {other}: {theirs[:300]}')

    def beside(self, name, peer, layer, fields, count, path, asked):
        title, port, process = peer
        request, few = head(path), FEW[title]
        self.pair(name, title, 'cpu_us', lambda: self.ours(layer, fields, count),
                  lambda: load(self.work, port, min(few, 8), few, request, lambda: cpu_of_tree(process.pid)), asked)

    @staticmethod
    def for_koop(fields):
        """It takes no number with zeros before it, and is faster without a condition that is always true."""
        return {k: 0 if k == 'resultOffset' else v for k, v in fields.items() if (k, v) != ('where', '1=1')}

    def peers(self):
        few = os.path.join(self.work, 'few.gpkg')
        subprocess.run(['ogr2ogr', '-f', 'GPKG', '-limit', str(peers.KOOP_MOST), few, self.sources['points']], check=True)
        self.hosted.publish('few', few, INDEXED)
        with peers.koop(os.path.join(self.work, 'koop'), {'few': few, 'polygons': self.sources['polygons']}) as started:
            for name, layer, fields, count, asked, _, _ in BESIDE if started else ():
                layer, count = 'few' if layer == 'points' else layer, min(count, peers.KOOP_MOST // 1000)
                path = f'/file-geojson/rest/services/{layer}/FeatureServer/0/query?' + parameters({'f': 'json', **self.for_koop(fields)})
                if name.startswith('page of'):
                    self.same(name, self.hosted.answer(self.hosted.layers[layer], {**fields, 'resultOffset': 0}), f'http://127.0.0.1:{started[0]}{path}')
                self.beside(name, ('Koop', *started), layer, fields, count, path, asked)
        with peers.mapserver(os.path.join(self.work, 'mapserver'), self.sources, INDEXED) as started:
            for name, layer, fields, count, _, wanted, asked in BESIDE if started else ():
                if not wanted:
                    continue  # it has no such answers
                path = '/mapserv?' + parameters({**WFS, **wanted})
                if 'RESULTTYPE' not in wanted:
                    self.same(name, self.hosted.answer(self.hosted.layers[layer], {**fields, 'resultOffset': 0}), f'http://127.0.0.1:{started[0]}' + path.replace('########', '00000000'))
                self.beside(name, ('MapServer', *started), layer, fields, count, path, asked)


if __name__ == '__main__':
    run('query', Bench, ['bare', 'peers', 'stream'])
