#!/usr/bin/env python3
"""Writes the tables of docs/performance.md from bench/results. usage: bench/table.py"""
import glob
import json
import os

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
BEGIN, END = '<!-- table -->', '<!-- end of table -->'
PEERS = {'export corpus': '`tar \\| zstd -1`, synced', 'import corpus': '`zstd -d \\| tar x` into a fresh folder, synced',
         'points there and back': '`ogr2ogr` GeoPackage to indexed GeoPackage, synced'}
ASKED = {'export corpus': 1.0, 'import corpus': 0.7, 'points there and back': 0.5}
DOORS = {'GET item, public': ('cpu_us', 'the same bytes from disk', '≥ 0.35'), 'GET item, private, by token': ('cpu_us', 'the same bytes from disk', '≥ 0.35'),
         '1 GiB upload': ('wall', '`PUT`, synced', '≥ 0.7'), '1 GiB download': ('wall', 'the same bytes', '≥ 0.7')}


def median(values):
    return sorted(values)[len(values) // 2]


def spread(ratios):
    return f'{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})'


def of(side, what, form='{:.2f} s'):
    return form.format(median([x[what] for x in side]))


def memory(runs):
    return f"{max(r['peak_kb'] for r in runs) / 1024:.0f} MiB"


def transfer(run):
    yield '| work | beside | wall: ours, peer | ratio of pairs (median, from, to) | asked | CPU: ours, peer | bare loop: wall, CPU | peak memory of the portal |'
    yield '|---|---|---|---|---|---|---|---|'
    for r in run['results']:
        ratios = [o['wall'] / p['wall'] for o, p in zip(r['ours'], r['peer'])]
        bare = f"{of(r['limit'], 'wall')}, {of(r['limit'], 'cpu')}" if r.get('limit') else '-'
        yield (f"| {r['name']} | {PEERS[r['name']]} | {of(r['ours'], 'wall')}, {of(r['peer'], 'wall')} | {spread(ratios)} | {ASKED[r['name']]:.1f} | "
               f"{of(r['ours'], 'cpu')}, {of(r['peer'], 'cpu')} | {bare} | {memory(r['ours'])} |")


def portal(run):
    yield '| work | nginx beside it | ours, nginx | nginx by ours (median, from, to) | asked | peak memory of the portal |'
    yield '|---|---|---|---|---|---|'
    for r in run['results']:
        if 'peer' not in r:
            yield f"| {r['name']} | - | {of(r['ours'], 'per_second', '{:.0f}/s')}, {of(r['ours'], 'cpu_us', '{:.0f} µs of CPU')} each | - | ≥ 1,500/s | {memory(r['ours'])} |"
            continue
        what, beside, asked = DOORS[r['name']]
        form = {'cpu_us': '{:.0f} µs of CPU', 'wall': '{:.2f} s'}[what]
        ratios = [p[what] / o[what] for o, p in zip(r['ours'], r['peer'])]
        yield f"| {r['name']} | {beside} | {of(r['ours'], what, form)}, {of(r['peer'], what, form)} | {spread(ratios)} | {asked} | {memory(r['ours'])} |"


def queries(run):
    yield '| query of 1,000,000 points | ours, peer (a bare loop unless it is named) | speed by the peer\'s (median, from, to) | asked | peak memory of the portal |'
    yield '|---|---|---|---|---|'
    for r in run['results']:
        what = 'cpu_us' if 'cpu_us' in r['peer'][0] else 'wall'
        form = {'cpu_us': '{:.0f} µs of CPU', 'wall': '{:.2f} s'}[what]
        ratios = [p[what] / o[what] for o, p in zip(r['ours'], r['peer'])]
        yield f"| {r['name']} | {of(r['ours'], what, form)}, {of(r['peer'], what, form)} | {spread(ratios)} | ≥ {r['asked']:.2g} | {memory(r['ours'])} |"


def newest(bench):
    """The runs of a bench whose results no newer run has measured again, each with only these results: measurements may be taken one by one."""
    runs, seen = [], set()
    for path in sorted(glob.glob(os.path.join(ROOT, 'bench', 'results', bench + '-*.json')), reverse=True):
        with open(path, encoding='utf-8') as f:
            run = json.load(f)
        run['results'] = [r for r in run['results'] if r['name'] not in seen]
        seen |= {r['name'] for r in run['results']}
        if run['results']:
            runs.append((path, run))
    return runs


def main():
    lines = []
    for bench, rows in (('transfer', transfer), ('portal', portal), ('query', queries)):
        for path, run in newest(bench):
            lines += ['', f"From `bench/results/{os.path.basename(path)}`: {run['machine']['cpus']} processors, Linux {run['machine']['kernel']}, {run['pairs']} pairs after a warm-up.", '']
            lines += rows(run)
    path = os.path.join(ROOT, 'docs', 'performance.md')
    with open(path, encoding='utf-8') as f:
        text = f.read()
    head, rest = text.split(BEGIN)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(head + BEGIN + '\n'.join(lines) + '\n' + END + rest.split(END)[1])


if __name__ == '__main__':
    main()
