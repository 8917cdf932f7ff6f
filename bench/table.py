#!/usr/bin/env python3
"""Writes the tables of docs/performance.md from bench/results. usage: bench/table.py"""
import glob
import json
import os

from plot import plot

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
    yield '| query of 1,000,000 points or 100,000 polygons | beside | ours, peer | speed by the peer\'s (median, from, to) | asked | requests a second: ours, peer | peak memory of the portal |'
    yield '|---|---|---|---|---|---|---|'
    for r in run['results']:
        form = {'cpu_us': '{:.0f} µs of CPU', 'wall': '{:.2f} s'}[r['what']]
        ratios = [p[r['what']] / o[r['what']] for o, p in zip(r['ours'], r['peer'])]
        a_second = f"{of(r['ours'], 'per_second', '{:.0f}')}, {of(r['peer'], 'per_second', '{:.1f}')}" if 'per_second' in r['peer'][0] else '-'
        yield (f"| {r['name']} | {r['beside']} | {of(r['ours'], r['what'], form)}, {of(r['peer'], r['what'], form)} | {spread(ratios)} | ≥ {r['asked']:.3g} | {a_second} | "
               f"{memory(r['ours'])} |")


def files(run):
    yield '| files of 1,000,000 points with 12 attributes, of 100,000 polygons | wall: ours, `ogr2ogr` | ratio of pairs (median, from, to) | asked | CPU: ours, peer | peak memory of the portal |'
    yield '|---|---|---|---|---|---|'
    for r in run['results']:
        ratios = [o['wall'] / p['wall'] for o, p in zip(r['ours'], r['peer'])]
        yield (f"| {r['name']} | {of(r['ours'], 'wall')}, {of(r['peer'], 'wall')} | {spread(ratios)} | ≤ {r['asked']} | {of(r['ours'], 'cpu')}, {of(r['peer'], 'cpu')} | "
               f"{memory(r['ours'])} |")


def edits(run):
    yield '| 100,000 points added in pages of 1,000 by 4 clients | features a second (median, from, to) | asked | CPU a feature | answers: median, 99 % | box query right after | peak memory |'
    yield '|---|---|---|---|---|---|---|'
    for name in dict.fromkeys(r['name'] for r in run['results']):
        runs = [r for r in run['results'] if r['name'] == name]
        rates, answers = [r['rate'] for r in runs], sorted(a for r in runs for a in r['answers'])
        yield (f"| {name} | {median(rates):.0f} ({min(rates):.0f} to {max(rates):.0f}) | ≥ 30,000 | {median([r['cpu'] / r['rows'] * 1e6 for r in runs]):.1f} µs | "
               f"{median(answers) * 1000:.0f} ms, {answers[len(answers) * 99 // 100] * 1000:.0f} ms | {median([r['box'] for r in runs]) * 1000:.1f} ms | {memory(runs)} |")


def growth(run):
    lines = {}
    for r in run['results']:
        lines.setdefault(r['name'], {}).setdefault(r['size'], []).append(r)
    sizes = sorted({r['size'] for r in run['results']})
    yield '| about 100 features of a layer of | ' + ' | '.join(f'{size:,} rows' for size in sizes) + ' |'
    yield '|---' * (len(sizes) + 1) + '|'
    for name, by_size in lines.items():
        yield f'| {name} | ' + ' | '.join(f"{of(by_size[s], 'cpu_us', '{:.0f} µs')}" if s in by_size else '-' for s in sizes) + ' |'
    with open(os.path.join(ROOT, 'docs', 'growth.svg'), 'w', encoding='utf-8') as f:
        f.write(plot({name: {s: median([r['cpu_us'] for r in runs]) for s, runs in by_size.items()} for name, by_size in lines.items()}, 'rows of the layer', 'µs of CPU a query'))
    yield ''
    yield '![CPU time of queries over the size of the layer](growth.svg)'


def busy(run):
    yield '| a query of one feature while … | at once | p99 idle, meanwhile | times (median, from, to) | asked |'
    yield '|---|---|---|---|---|'
    for r in run['results']:
        ratios = [b['p99_us'] / i['p99_us'] for i, b in zip(r['idle'], r['busy'])]
        yield f"| {r['name']} | {r['count']} | {of(r['idle'], 'p99_us', '{:.0f} µs')}, {of(r['busy'], 'p99_us', '{:.0f} µs')} | {spread(ratios)} | < {r['asked']} |"


def search(run):
    items = {r['size']: r for r in run['results'] if r['name'] == 'item'}
    sizes, largest = sorted(items), max(items)
    yield (f'| search over {largest:,} items | found | p50, p99 | p99 by that of an item, over ' + ', '.join(f'{s:,}' for s in sizes) + ' | asked | CPU by that of an item |')
    yield '|---|---|---|---|---|---|'
    item = items[largest]
    yield f"| GET of an item, same connection | - | {item['p50'] * 1e6:.0f} µs, {item['p99'] * 1e6:.0f} µs | - | - | {item['cpu'] * 1e6:.0f} µs |"
    for r in (r for r in run['results'] if r['size'] == largest and r is not item):
        ratios = [next(x['ratio'] for x in run['results'] if x['size'] == s and x['name'] == r['name']) for s in sizes]
        yield (f"| {r['name']} | {r['total']} | {r['p50'] * 1e3:.1f} ms, {r['p99'] * 1e3:.1f} ms | " + ', '.join(f'{x:.1f}' for x in ratios) + f" | < {r['most']} | "
               f"{r['cpu'] / item['cpu']:.1f} |")
    yield ''
    yield f"Peak memory of the portal: {item['peak_kb'] / 1024:.0f} MiB."


def newest(bench):
    """The runs of a bench whose results no newer run has measured again, each with only these results: measurements may be taken one by one."""
    runs, seen = [], set()
    for path in sorted(glob.glob(os.path.join(ROOT, 'bench', 'results', bench + '-*.json')), reverse=True):
        with open(path, encoding='utf-8') as f:
            run = json.load(f)
        run['results'] = [r for r in run['results'] if (r['name'], r.get('beside')) not in seen]
        seen |= {(r['name'], r.get('beside')) for r in run['results']}
        if run['results']:
            runs.append((path, run))
    return runs


def main():
    lines = []
    for bench, rows in (('transfer', transfer), ('portal', portal), ('query', queries), ('edits', edits), ('growth', growth), ('busy', busy), ('search', search), ('files', files)):
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
