#!/usr/bin/env python3
"""Whether the portal stays responsive: the 99th percentile of a query of one feature by its id, at rest and while queries that would run away keep it busy, in turn.
usage: bench/busy.py [--data DIR] [--pairs N]"""
import json
import math
import threading

from hosted import Hosted, source
from measure import cpu_of, median, run

SMALL, REQUESTS, CONNECTIONS, MOST = {'objectIds': '########'}, 2000, 2, 10
RING = [[60 * math.cos(t / 500 * math.pi) * (1 + t % 2 / 50), 60 * math.sin(t / 500 * math.pi) * (1 + t % 2 / 50)] for t in range(1001)]
POLYGON = {'geometry': json.dumps({'rings': [RING]}), 'geometryType': 'esriGeometryPolygon', 'returnCountOnly': 'true'}
# name, layer, parameters, how many of them at once
RUNAWAYS = [
    ('a spatial relation against everything', 'polygons', {**POLYGON, 'spatialRel': 'esriSpatialRelRelation', 'relationParam': 'T*T***T**'}, 1),
    ('a list of 9,000 values', 'points', {'where': f"code IN ({','.join(repr(f'C{i:07}') for i in range(9000))})", 'returnCountOnly': 'true'}, 1),
    ('nested conditions on texts', 'points', {'where': 'NOT (' * 40 + "UPPER(comment) LIKE '%A%B%C%D%E%'" + ')' * 40, 'returnCountOnly': 'true'}, 1),
    ('groups of everything', 'points', {'where': '1=1', 'groupByFieldsForStatistics': 'globalid', 'outStatistics': '[{"statisticType":"max","onStatisticField":"value","outStatisticFieldName":"m"}]',
                                        'orderByFields': 'm DESC'}, 1),
    ('a spatial relation against everything', 'polygons', {**POLYGON, 'spatialRel': 'esriSpatialRelRelation', 'relationParam': 'T*T***T**'}, 8),
]


class Bench:
    def __init__(self, program, data, pairs, work):
        self.pairs, self.results = pairs, []
        self.hosted = Hosted(program, work)
        for name, file in (('points', 'points_1m'), ('polygons', 'polygons_100k')):
            self.hosted.publish(name, source(data, file))

    def close(self):
        self.hosted.close()

    def small(self):
        return self.hosted.ask(self.hosted.layers['points'], SMALL, REQUESTS, CONNECTIONS)

    def meanwhile(self, layer, fields, count):
        """The small queries while so many others are under way, one after the other on each of their connections."""
        ended, started = threading.Event(), threading.Semaphore(0)

        def again():
            while not ended.is_set():
                started.release()
                self.hosted.portal.raw(f'{self.hosted.layers[layer].url}/query', {'f': 'json', **fields})
        threads = [threading.Thread(target=again) for _ in range(count)]
        before = cpu_of(self.hosted.pid)
        for t in threads:
            t.start()
        for _ in threads:
            started.acquire()
        while cpu_of(self.hosted.pid) - before < 0.1:  # they work
            pass
        try:
            return self.small()
        finally:
            ended.set()
            for t in threads:
                t.join()

    def responsive(self):
        for name, layer, fields, count in RUNAWAYS:
            idle, busy = [], []
            for k in range(self.pairs + 1):
                a, b = self.small(), self.meanwhile(layer, fields, count)
                if k:
                    idle.append(a)
                    busy.append(b)
            ratios = [b['p99_us'] / a['p99_us'] for a, b in zip(idle, busy)]
            print(f"{name + ' x ' + str(count):44} idle p99 {median([a['p99_us'] for a in idle]):8.0f} us, meanwhile {median([b['p99_us'] for b in busy]):8.0f} us: "
                  f'{median(ratios):6.2f} ({min(ratios):.2f} to {max(ratios):.2f}) times, asked below {MOST}', flush=True)
            self.results.append({'name': name, 'count': count, 'idle': idle, 'busy': busy, 'asked': MOST})


if __name__ == '__main__':
    run('busy', Bench, ['responsive'])
