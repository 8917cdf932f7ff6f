#!/usr/bin/env python3
"""Writes the table of docs/performance.md from the newest file of bench/results. usage: bench/table.py"""
import glob
import json
import os

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
BEGIN, END = '<!-- table -->', '<!-- end of table -->'
PEERS = {'export corpus': '`tar \\| zstd -1`, synced', 'import corpus': '`zstd -d \\| tar x` into a fresh folder, synced',
         'points there and back': '`ogr2ogr` GeoPackage to indexed GeoPackage, synced'}
ASKED = {'export corpus': 1.0, 'import corpus': 0.7, 'points there and back': 0.5}


def median(values):
    return sorted(values)[len(values) // 2]


def main():
    newest = max(glob.glob(os.path.join(ROOT, 'bench', 'results', 'transfer-*.json')))
    with open(newest, encoding='utf-8') as f:
        run = json.load(f)
    lines = [f"From `bench/results/{os.path.basename(newest)}`: {run['machine']['cpus']} processors, Linux {run['machine']['kernel']}, {run['pairs']} pairs after a warm-up.", '',
             '| work | beside | wall: ours, peer | ratio of pairs (median, from, to) | asked | CPU: ours, peer | bare loop: wall, CPU | peak memory of the portal |',
             '|---|---|---|---|---|---|---|---|']
    for r in run['results']:
        ratios = [o['wall'] / p['wall'] for o, p in zip(r['ours'], r['peer'])]
        of = lambda side, what: f"{median([x[what] for x in side]):.2f} s"  # noqa: E731
        bare = f"{of(r['limit'], 'wall')}, {of(r['limit'], 'cpu')}" if r.get('limit') else '-'
        lines.append(f"| {r['name']} | {PEERS[r['name']]} | {of(r['ours'], 'wall')}, {of(r['peer'], 'wall')} | {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | "
                     f"{ASKED[r['name']]:.1f} | {of(r['ours'], 'cpu')}, {of(r['peer'], 'cpu')} | {bare} | {max(o['peak_kb'] for o in r['ours']) / 1024:.0f} MiB |")
    path = os.path.join(ROOT, 'docs', 'performance.md')
    with open(path, encoding='utf-8') as f:
        text = f.read()
    head, rest = text.split(BEGIN)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(head + BEGIN + '\n' + '\n'.join(lines) + '\n' + END + rest.split(END)[1])


if __name__ == '__main__':
    main()
