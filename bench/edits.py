#!/usr/bin/env python3
"""applyEdits under load, on an empty layer and on one of a million rows: points with GlobalIDs and a spatial index, in pages of 1,000 by several clients,
durable at each answer; and how long a box query takes right after. usage: bench/edits.py [--rows N] [--clients N] [--pairs N] [--program PATH]"""
import argparse
import http.client
import json
import multiprocessing
import os
import random
import shutil
import tempfile
import time
import urllib.parse

from measure import ROOT, cpu_of, keep, median, peak_kb, reset_peak, server
from rest import path_of  # measure knows where it is

PAGE, FULL, ASKED = 1000, 1_000_000, 30_000
LAYER = {'id': 0, 'name': 'Points', 'geometryType': 'esriGeometryPoint', 'fields': [
    {'name': 'OBJECTID', 'type': 'esriFieldTypeOID'}, {'name': 'GlobalID', 'type': 'esriFieldTypeGlobalID'}, {'name': 'name', 'type': 'esriFieldTypeString', 'length': 60},
    {'name': 'n', 'type': 'esriFieldTypeInteger'}, {'name': 'height', 'type': 'esriFieldTypeDouble'}, {'name': 'seen', 'type': 'esriFieldTypeDate'}]}


def page(seed):
    """The body of one call, as a browser sends it."""
    r = random.Random(seed)
    adds = [{'attributes': {'name': f'place {seed}-{i}', 'n': i, 'height': round(r.uniform(0, 3000), 2), 'seen': 1700000000000 + i},
             'geometry': {'x': round(r.uniform(-180, 180), 7), 'y': round(r.uniform(-85, 85), 7)}} for i in range(PAGE)]
    return urllib.parse.urlencode({'adds': json.dumps(adds, separators=(',', ':')), 'rollbackOnFailure': 'true', 'f': 'json'}).encode()


def client(host, path, token, bodies, ready, go, out):
    """Sends its pages one after the other on one connection; the seconds of each answer."""
    connection, times = http.client.HTTPConnection(host, timeout=600), []
    headers = {'Content-Type': 'application/x-www-form-urlencoded', 'X-Esri-Authorization': 'Bearer ' + token, 'Referer': 'http://' + host}
    ready.release()
    go.wait()
    for body in bodies:
        start = time.monotonic()
        connection.request('POST', path + '/applyEdits', body, headers)
        answer = connection.getresponse().read()
        times.append(time.monotonic() - start)
        if answer.count(b'"success":true') != PAGE:
            raise SystemExit(f'bench: {answer[:300]}')
    out.put(times)


def run(started, portal, path, clients, rows, seed):
    """Wall seconds from the first page to the last answer, CPU of the portal, seconds of the answers."""
    pages = rows // PAGE
    context = multiprocessing.get_context('fork')
    ready, go, out = context.Semaphore(0), context.Event(), context.Queue()
    processes = [context.Process(target=client, args=(portal.host, path, portal.token, [page(f'{seed}-{p}') for p in range(k, pages, clients)], ready, go, out)) for k in range(clients)]
    for p in processes:
        p.start()
    for _ in processes:
        ready.acquire()
    reset_peak(started.process.pid)
    cpu, start = cpu_of(started.process.pid), time.monotonic()
    go.set()
    times = sorted(t for _ in processes for t in out.get())
    wall = time.monotonic() - start
    for p in processes:
        p.join()
    return {'wall': wall, 'cpu': cpu_of(started.process.pid) - cpu, 'rows': rows, 'rate': rows / wall, 'answers': times, 'peak_kb': peak_kb(started.process.pid)}


def box(portal, path):
    """Median seconds of a query by a box of one degree."""
    times = []
    for k in range(20):
        start = time.monotonic()
        portal.call(path + '/query', geometry=f'{k},{k},{k + 1},{k + 1}', outFields='*', resultRecordCount='2000')
        times.append(time.monotonic() - start)
    return median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rows', type=int, default=100_000)
    parser.add_argument('--clients', type=int, default=4)
    parser.add_argument('--pairs', type=int, default=5)
    parser.add_argument('--program', default=os.path.join(ROOT, 'build', 'mapferry'))
    args = parser.parse_args()
    work, results = tempfile.mkdtemp(prefix='mapferry-bench-'), []
    started, portal = server(os.path.abspath(args.program), work, 'edits')
    try:
        def layer(name):
            made = portal.call(portal.content('createService'), createParameters={'name': name, 'spatialReference': {'wkid': 4326}}, outputType='featureService')
            portal.call(path_of(made['serviceurl']).replace('/rest/', '/rest/admin/') + '/addToDefinition', addToDefinition={'layers': [LAYER]})
            return path_of(made['serviceurl']) + '/0'
        full = layer('full')
        run(started, portal, full, args.clients, FULL, 'load')
        for k in range(args.pairs):
            for name, path in (('empty layer', layer(f'empty_{k}')), ('layer of 1,000,000 rows', full)):
                r = run(started, portal, path, args.clients, args.rows, f'{name} {k}')
                r.update(name=name, box=box(portal, path))
                results.append(r)
                print(f"{name:24} {r['rate']:8.0f} features/s, {r['cpu'] / r['rows'] * 1e6:5.1f} us CPU a feature, answers {median(r['answers']) * 1000:.0f} ms (99%: "
                      f"{r['answers'][int(len(r['answers']) * 0.99)] * 1000:.0f}), box right after {r['box'] * 1000:.1f} ms, peak {r['peak_kb'] / 1024:.0f} MiB", flush=True)
        for name in ('empty layer', 'layer of 1,000,000 rows'):
            print(f"{name:24} median {median([r['rate'] for r in results if r['name'] == name]):.0f} features/s (asked: {ASKED})")
        keep('edits', args.pairs, results)
    finally:
        started.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == '__main__':
    main()
