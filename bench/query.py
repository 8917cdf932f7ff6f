#!/usr/bin/env python3
"""Queries of a hosted layer of 1,000,000 points beside bare loops over the same file (bench/limits/query.c) and Koop, in one run. Ours is the whole way over
HTTP with eight connections, the bare loops are without; CPU seconds are compared, of which a loop has what a core gives. Koop reads GeoJSON, which it cannot of a million
features: it has the first 100,000. usage: bench/query.py [--data DIR] [--pairs N] [bare] [peers] [stream]. DIR is made by bench/gen.sh when it is missing."""
import contextlib
import glob
import json
import os
import shutil
import subprocess
import time
import urllib.parse

from measure import PASSWORD, ROOT, build, cpu_of, free_port, median, peak_kb, reset_peak, run, server
from rest import path_of  # measure knows where it is

CONNECTIONS = 8
BOX = (5, 40, 15, 50)
STATISTICS = json.dumps([{'statisticType': s, 'onStatisticField': f, 'outStatisticFieldName': f + s} for s, f in (('count', 'population'), ('sum', 'population'), ('avg', 'value'), ('max', 'score'))])
# name, parameters, requests, mode of the bare loop, its condition, what is asked: ours has so large a part of the loop's speed at least
WORK = [
    ('page of 1,000, json', {'where': '1=1', 'outFields': '*', 'resultOffset': '########000'}, 400, 'json', '', 0.6),
    ('page of 1,000, pbf', {'where': '1=1', 'outFields': '*', 'resultOffset': '########000', 'f': 'pbf'}, 400, 'pbf', '', 0.5),
    ('page by box', {'geometry': ','.join(map(str, BOX)), 'outFields': '*'}, 200, 'box', ','.join(map(str, BOX)), 0.5),
    ('page by indexed attribute', {'where': 'OBJECTID > 500000 AND OBJECTID <= 501000', 'outFields': '*'}, 400, 'field', 'OBJECTID > 500000 AND OBJECTID <= 501000', 0.5),
    ('count by attribute', {'where': 'rank = 7', 'returnCountOnly': 'true'}, 10, 'count', 'rank = 7', 0.5),
    ('statistics', {'where': '1=1', 'outStatistics': STATISTICS}, 10, 'statistics', 'count(population), sum(population), avg(value), max(score)', 0.5),
]


def head(path, **headers):
    return '\r\n'.join([f'GET {path} HTTP/1.1', 'Host: 127.0.0.1'] + [f'{k}: {v}' for k, v in headers.items()]).encode() + b'\r\n\r\n'


def command(*words):
    return subprocess.run(words, check=True, capture_output=True).stdout


class Bench:
    def __init__(self, program, data, pairs, work):
        self.pairs, self.work, self.data, self.results = pairs, work, data, []
        if not glob.glob(os.path.join(data, 'points_1m*.gpkg')):
            subprocess.run([os.path.join(ROOT, 'bench', 'gen.sh'), data], check=True)
        self.source = min(glob.glob(os.path.join(data, 'points_1m*.gpkg')), key=len)
        self.server, self.portal = server(program, work, 'portal')
        self.pid, self.port = self.server.process.pid, urllib.parse.urlsplit(self.server.url).port
        subprocess.run([program, 'publish', self.server.url, self.source, '--name', 'points'], check=True, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, MAPFERRY_USER='admin', MAPFERRY_PASSWORD=PASSWORD))
        item = self.portal.call('/sharing/rest/search', q='type:"Feature Service"')['results'][0]
        self.url = path_of(item['url']) + '/0/query?'
        self.token = {'X-Esri-Authorization': 'Bearer ' + self.portal.token, 'Referer': self.portal.url}
        self.file = glob.glob(os.path.join(work, 'portal', '**', '*.gpkg'), recursive=True)[0]
        self.base = [os.path.join(ROOT, 'src', 'base', f) for f in ('num.c', 'str.c', 'mem.c')]

    def close(self):
        self.server.stop()

    def load(self, port, count, request, pid):
        """Many requests by bench/load.c; CPU time is that of the server's processes."""
        program = build('load.c', self.work, '-lpthread')
        cpu = cpu_of(pid)
        told = json.loads(subprocess.run([program, str(port), str(CONNECTIONS), str(count)], input=request, check=True, capture_output=True).stdout)
        if told['failed']:
            raise SystemExit(f"bench: {told['failed']} of {count} requests failed")
        return {'wall': told['seconds'], 'per_second': count / told['seconds'], 'cpu_us': 1e6 * (cpu_of(pid) - cpu) / count, 'p99_us': told['p99']}

    def ours(self, parameters, count):
        query = urllib.parse.urlencode({'f': 'json', 'resultRecordCount': 1000, **parameters}, safe='#')
        return self.load(self.port, count, head(self.url + query, **self.token), self.pid)

    def loop(self, count, mode, condition):
        program = build('limits/query.c', self.work, f'-I{ROOT}/src', *self.base, '-lsqlite3', '-lm')
        told = json.loads(command(program, self.file, 'l0', 'OBJECTID', 'geom', str(count), mode, condition))
        return {'wall': told['wall'], 'cpu_us': 1e6 * told['cpu'] / count, 'bytes': told['bytes']}

    def pair(self, name, what, ours, peer, asked):
        """A B A B ..., the first pair not counted. The ratio: so large a part of the peer's speed."""
        mine, others = [], []
        reset_peak(self.pid)
        for k in range(self.pairs + 1):
            a, b = ours(), peer()
            if k:
                mine.append(dict(a, peak_kb=peak_kb(self.pid)))
                others.append(b)
        ratios = [b[what] / a[what] for a, b in zip(mine, others)]
        print(f'{name:36} {what:7} ours {median([a[what] for a in mine]):12.2f}   peer {median([b[what] for b in others]):12.2f}   speed by the peer\'s {median(ratios):7.2f} '
              f'({min(ratios):.2f} to {max(ratios):.2f}), asked {asked}', flush=True)
        self.results.append({'name': name, 'ours': mine, 'peer': others, 'asked': asked})

    def bare(self):
        for name, parameters, count, mode, condition, asked in WORK:
            self.pair(name, 'cpu_us', lambda: self.ours(parameters, count), lambda: self.loop(count, mode, condition), asked)

    def stream(self):
        """The whole layer in one request, beside a bare loop and ogr2ogr to GeoJSON."""
        limited = self.url.replace('/query?', '').replace('/rest/services', '/rest/admin/services')
        self.portal.call(limited + '/updateDefinition', updateDefinition='{"maxRecordCount":2000000}')

        def whole(form):
            cpu, start = cpu_of(self.pid), time.monotonic()
            subprocess.run(['curl', '-sf', '-o', os.devnull, *(x for k, v in self.token.items() for x in ('-H', f'{k}: {v}')),
                            f'{self.server.url}{self.url}f={form}&where=1%3D1&outFields=*'], check=True)
            return {'wall': time.monotonic() - start, 'cpu_us': 1e6 * (cpu_of(self.pid) - cpu)}

        def ogr():
            out, start = os.path.join(self.work, 'out.geojson'), time.monotonic()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(out)
            command('ogr2ogr', '-f', 'GeoJSON', out, self.source)
            return {'wall': time.monotonic() - start}
        self.pair('whole layer, json, bare loop', 'cpu_us', lambda: whole('json'), lambda: self.loop(1, 'stream', ''), 1 / 1.6)
        self.pair('whole layer, geojson, ogr2ogr', 'wall', lambda: whole('geojson'), ogr, 4)

    def peers(self):
        """Koop over the first 100,000 points; ours has all of them."""
        folder, koop = os.path.join(self.work, 'koop'), os.path.join(ROOT, 'bench', 'koop')
        if not shutil.which('node') or not os.path.isdir(os.path.join(koop, 'node_modules')):
            print('Koop is not there: script/bootstrap bench installs it')
            return
        os.makedirs(folder)
        command('ogr2ogr', '-f', 'GeoJSON', '-limit', '100000', os.path.join(folder, 'points.geojson'), self.source)
        port = free_port()
        process = subprocess.Popen(['node', '--max-old-space-size=4096', 'server.mjs', str(port), os.path.relpath(folder, koop)], cwd=koop, stdout=subprocess.PIPE)
        try:
            process.stdout.readline()
            path = '/file-geojson/rest/services/points/FeatureServer/0/query?'
            for name, parameters, count, few, asked in (('page of 1,000 beside Koop', WORK[0][1], 400, 8, 100), ('page by box beside Koop', {**WORK[2][1], 'where': '1=1'}, 200, 8, 1),
                                                        ('count beside Koop', {'where': 'rank = 7', 'returnCountOnly': 'true'}, 10, 8, 1)):
                query = urllib.parse.urlencode({'f': 'json', 'resultRecordCount': 1000, 'inSR': 4326, **parameters, 'resultOffset': 0})
                self.pair(name, 'cpu_us', lambda: self.ours(parameters, count), lambda: self.load(port, few, head(path + query), process.pid), asked)
        finally:
            process.terminate()
            process.wait(30)


if __name__ == '__main__':
    run('query', Bench, ['bare', 'peers', 'stream'])
