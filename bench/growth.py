#!/usr/bin/env python3
"""Whether queries grow with their answers and not with the table: by id, box and indexed field, each with about 100 features as its answer, of layers of 10^4, 10^5 and 10^6
points, and of 10^7 with --most (7 GB of disk and some minutes). CPU time of the portal a request. usage: bench/growth.py [--data DIR] [--most N]"""
import argparse
import contextlib
import math
import os
import random
import shutil
import sqlite3
import struct
import tempfile

from hosted import Hosted, source
from measure import ROOT, cpu_of, keep

SIZES, INDEXED, ANSWER, PLACES = (10_000, 100_000, 1_000_000, 10_000_000), 'population', 100, 20
POINT = struct.Struct('<8sBIdd')


def copy(points, path, size):
    """The first rows of a file, or each of them several times at places of its own."""
    r, rows = random.Random(size), 1_000_000

    def moved(blob):
        head, order, kind, x, y = POINT.unpack(blob)
        return POINT.pack(head, order, kind, r.random() * 360 - 180, r.random() * 170 - 85)
    shutil.copyfile(points, path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for pragma in ('journal_mode=OFF', 'synchronous=OFF', 'cache_size=-200000'):
            db.execute('PRAGMA ' + pragma)
        table, geometry = db.execute('SELECT table_name, column_name FROM gpkg_geometry_columns').fetchone()
        for trigger, in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{trigger}"')
        columns = [c[1] for c in db.execute(f'PRAGMA table_info({table})') if not c[5] and c[1] != geometry]
        db.create_function('moved', 1, moved)
        db.execute('BEGIN')
        if size < rows:
            db.execute(f'DELETE FROM {table} WHERE fid > ?', (size,))
        for k in range(1, size // rows):
            db.execute(f"INSERT INTO {table}(fid, {geometry}, {', '.join(columns)}) SELECT fid + ?, moved({geometry}), {', '.join(columns)} FROM {table} WHERE fid <= ?", (k * rows, rows))
        db.execute('COMMIT')


def questions(size):
    """Name: the parameters of some requests, which have the same number of features at every size, about."""
    r, all_fields = random.Random(7), {'outFields': '*', 'resultRecordCount': 2000}
    side = math.sqrt(ANSWER * 360 * 170 / size)  # degrees of a square
    width = ANSWER * 5_500_000 // size  # values: one of eleven is null, others are up to 5,000,000
    corners = [(r.uniform(-180, 180 - min(side, 100)), r.uniform(-85, 85 - min(side, 100))) for _ in range(PLACES)]
    lows = [r.randrange(5_000_000 - width) for _ in range(PLACES)]
    return {'by 100 ids': [{**all_fields, 'objectIds': ','.join(str(r.randrange(1, size + 1)) for _ in range(ANSWER))} for _ in range(PLACES)],
            'by box': [{**all_fields, 'geometry': f'{x},{y},{x + side},{y + side}'} for x, y in corners],
            'by indexed field': [{**all_fields, 'where': f'population >= {low} AND population < {low + width}'} for low in lows]}


def measure(hosted, layer, size, rounds, requests):
    for name, asked in questions(size).items():
        features = [hosted.answer(layer, fields).count(b'"attributes"') for fields in asked]  # warms up as well
        for _ in range(rounds):
            cpu, told = cpu_of(hosted.pid), [hosted.ask(layer, fields, requests, 4) for fields in asked]
            result = {'name': name, 'size': size, 'cpu_us': 1e6 * (cpu_of(hosted.pid) - cpu) / requests / len(asked), 'features': sum(features) / len(features),
                      'p50_us': sorted(t['p50_us'] for t in told)[len(told) // 2]}
            print(f"{size:10} rows, {name:20} {result['features']:6.0f} features, {result['cpu_us']:8.0f} us CPU", flush=True)
            yield result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', default=os.path.join(ROOT, 'build', 'bench-data'))
    parser.add_argument('--program', default=os.path.join(ROOT, 'build', 'mapferry'))
    parser.add_argument('--most', type=int, default=1_000_000)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--requests', type=int, default=100)
    args = parser.parse_args()
    os.makedirs(args.data, exist_ok=True)
    points, results = source(args.data, 'points_1m'), []
    for size in (s for s in SIZES if s <= args.most):
        with tempfile.TemporaryDirectory(prefix='mapferry-bench-', dir=args.data) as work, contextlib.closing(Hosted(os.path.abspath(args.program), work)) as hosted:
            path = os.path.join(work, 'points.gpkg')
            copy(points, path, size)
            layer = hosted.publish('points', path, INDEXED)
            results += measure(hosted, layer, size, args.rounds, args.requests)
    keep('growth', args.rounds, results)


if __name__ == '__main__':
    main()
