#!/usr/bin/env python3
"""Group export and import beside their peers, in one run (docs/performance.md): the portal corpus as items against tar and zstd, and a layer of a million
points against ogr2ogr. usage: bench/transfer.py [--data DIR] [--pairs N] [corpus] [points]. DIR is made by bench/gen.sh when it is missing."""
import argparse
import concurrent.futures
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
sys.path.insert(0, os.path.join(ROOT, 'tools'))
from demo import PASSWORD, Server, free_port  # noqa: E402
from rest import Portal, path_of, read  # noqa: E402


def peak_kb(pid):
    with open(f'/proc/{pid}/status') as f:
        for line in f:
            if line.startswith('VmHWM:'):
                return int(line.split()[1])
    return 0


def cpu_of(pid):
    with open(f'/proc/{pid}/stat') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) / os.sysconf('SC_CLK_TCK')


def reset_peak(pid):
    with open(f'/proc/{pid}/clear_refs', 'w') as f:
        f.write('5')


def shell(command):
    """Wall and CPU seconds of a peer, as a whole process tree."""
    before, start = os.times(), time.monotonic()
    subprocess.run(['bash', '-o', 'pipefail', '-c', command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.monotonic() - start, os.times()
    return {'wall': wall, 'cpu': after.children_user + after.children_system - before.children_user - before.children_system}


def job(server, portal, path, **fields):
    """Wall, CPU and peak memory of the portal over one job, from the call to the finished status."""
    reset_peak(server.process.pid)
    cpu, start = cpu_of(server.process.pid), time.monotonic()
    started = portal.call(path, **fields, **{'async': 'true'})
    done = portal.wait_job(started, lambda: time.sleep(0.1))
    wall = time.monotonic() - start
    if done['status'] not in ('succeeded', 'completed'):
        raise SystemExit(f"bench: {path}: {done['status']}: {done['messages'][-3:]}")
    return {'wall': wall, 'cpu': cpu_of(server.process.pid) - cpu, 'peak_kb': peak_kb(server.process.pid)}, done['result']


def add_corpus(portal, corpus):
    """Each folder of the corpus as an item with data and thumbnail, eight clients at a time."""
    group = portal.call('/sharing/rest/community/createGroup', title='corpus', tags='bench')['group']['id']
    folders = sorted(os.path.join(d, n) for d, names, _ in os.walk(corpus) for n in names if len(n) == 32)

    def add(folder):
        meta = json.loads(read(os.path.join(folder, 'item.json')))
        fields = {'title': meta['title'], 'type': 'Web Map' if meta['type'] == 'Web Map' else 'CAD Drawing', 'tags': ','.join(meta['tags']), 'snippet': meta['snippet'],
                  'description': meta['description'], 'typeKeywords': ','.join(meta['typeKeywords'])}
        files = [('thumbnail', ('thumbnail.png', read(os.path.join(folder, 'thumbnail.png'))))]
        data = os.path.join(folder, 'data.bin')
        if os.path.exists(data):
            files.append(('file', (os.path.basename(folder) + '.dwg', read(data))))
        else:
            fields['text'] = read(os.path.join(folder, 'data.json')).decode()
        item = portal.call(portal.content('addItem'), files=files, **fields)['id']
        portal.call(portal.content(f'items/{item}/share'), groups=group)

    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in pool.map(add, folders):
            pass
    print(f'{len(folders)} items added in {time.monotonic() - start:.1f} s', flush=True)
    return group


def new_group(portal, title):
    return portal.call('/sharing/rest/community/createGroup', title=title, tags='bench')['group']['id']


def upload(portal, source, item):
    """The package from one portal to the other, outside of the measured time."""
    with tempfile.NamedTemporaryFile() as f:
        env = dict(os.environ)
        subprocess.run(['curl', '-sf', '-o', f.name, '-H', f'X-Esri-Authorization: Bearer {source.token}', '-H', f'Referer: {source.url}',
                        f'{source.url}/sharing/rest/content/items/{item}/data'], check=True, env=env)
        answer = subprocess.run(['curl', '-sf', '-F', 'title=package', '-F', 'type=Export Package', '-F', 'typeKeywords=Export Package,epk', '-F', 'tags=epk', '-F', 'f=json',
                                 '-F', f'file=@{f.name};filename=package-{item}.epk', '-H', f'X-Esri-Authorization: Bearer {portal.token}', '-H', f'Referer: {portal.url}',
                                 portal.url + portal.content('addItem')], check=True, capture_output=True)
    return json.loads(answer.stdout)['id']


def median(values):
    values = sorted(values)
    return values[len(values) // 2]


def limit_program(work):
    """The bare loop of bench/limits, built for this machine."""
    program = os.path.join(work, 'limit')
    subprocess.run(['cc', '-O2', '-D_GNU_SOURCE', '-o', program, os.path.join(ROOT, 'bench', 'limits', 'corpus.c'), '-lisal', '-lnettle'], check=True)
    return program


def report(name, ours, peer, results, limit=None):
    for what in ('wall', 'cpu'):
        ratios = [o[what] / p[what] for o, p in zip(ours, peer)]
        print(f"{name:22} {what:5} ours {median([o[what] for o in ours]):7.2f} s   peer {median([p[what] for p in peer]):7.2f} s   "
              f"ratio {median(ratios):5.2f} ({min(ratios):.2f} to {max(ratios):.2f})", flush=True)
    print(f"{name:22} peak memory of the portal {max(o['peak_kb'] for o in ours) / 1024:.1f} MiB", flush=True)
    if limit:
        print(f"{name:22} bare loop {median([x['wall'] for x in limit]):.2f} s wall, {median([x['cpu'] for x in limit]):.2f} s cpu")
    results.append({'name': name, 'ours': ours, 'peer': peer, 'limit': limit})


class Bench:
    def __init__(self, program, data, pairs, work):
        self.program, self.data, self.pairs, self.work, self.results = program, data, pairs, work, []

    def server(self, name):
        os.makedirs(self.work, exist_ok=True)
        server = Server(self.program, self.work, name, free_port())
        return server, Portal(server.url, 'admin', PASSWORD)

    def corpus(self):
        corpus, archive = os.path.join(self.data, 'portal_corpus'), os.path.join(self.work, 'corpus.tar.zst')
        one, portal = self.server('one')
        try:
            group = add_corpus(portal, corpus)
            exports, tars, packs, item, limit = [], [], [], None, limit_program(self.work)
            for k in range(self.pairs + 1):
                ours, result = job(one, portal, f'/sharing/rest/community/groups/{group}/export')
                peer = shell(f"tar -C '{corpus}' -cf - . | zstd -1 -q -f -o '{archive}' && sync '{archive}'")
                bare = shell(f"'{limit}' pack '{corpus}' '{self.work}/bare'")
                if item:
                    portal.call(portal.content(f'items/{item}/delete'))
                item = result['itemId']
                if k:
                    exports.append(ours)
                    tars.append(peer)
                    packs.append(bare)
            report('export corpus', exports, tars, self.results, packs)
            imports, untars, unpacks = [], [], []
            for k in range(self.pairs + 1):
                two, target = self.server(f'two-{k}')
                try:
                    package, target_group = upload(target, portal, item), new_group(target, 'arrived')
                    os.sync()
                    ours, _ = job(two, target, f'/sharing/rest/community/groups/{target_group}/import', itemId=package)
                finally:
                    two.stop()
                fresh = os.path.join(self.work, f'untar-{k}')
                os.makedirs(fresh)
                os.sync()
                peer = shell(f"zstd -d -q -c '{archive}' | tar -C '{fresh}' -xf - && sync -f '{fresh}'")
                bare = shell(f"'{limit}' unpack '{self.work}/bare' '{self.work}/bare-{k}'")
                if k:
                    imports.append(ours)
                    untars.append(peer)
                    unpacks.append(bare)
            report('import corpus', imports, untars, self.results, unpacks)
        finally:
            one.stop()

    def points(self):
        source = next(p for p in (os.path.join(self.data, n) for n in ('points_1m_raw.gpkg', 'points_1m.gpkg')) if os.path.exists(p))
        one, portal = self.server('points-one')
        try:
            env = dict(os.environ, MAPFERRY_USER='admin', MAPFERRY_PASSWORD=PASSWORD)
            start = time.monotonic()
            subprocess.run([self.program, 'publish', one.url, source, '--name', 'points'], env=env, check=True)
            print(f'published in {time.monotonic() - start:.1f} s', flush=True)
            group = new_group(portal, 'points')
            found = portal.call('/sharing/rest/search', q='type:"Feature Service"')['results'][0]
            portal.call(portal.content(f"items/{found['id']}/share"), groups=group)
            both, peers = [], []
            for k in range(self.pairs + 1):
                ours, result = job(one, portal, f'/sharing/rest/community/groups/{group}/export')
                two, target = self.server(f'points-two-{k}')
                try:
                    package, target_group = upload(target, portal, result['itemId']), new_group(target, 'arrived')
                    second, _ = job(two, target, f'/sharing/rest/community/groups/{target_group}/import', itemId=package)
                    item = target.call('/sharing/rest/search', q='type:"Feature Service"')['results'][0]
                    count = target.call(path_of(item['url']) + '/0/query', where='1=1', returnCountOnly='true')['count']
                    assert count == 1000000, count
                finally:
                    two.stop()
                out = os.path.join(self.work, f'copy-{k}.gpkg')
                peer = shell(f"ogr2ogr -f GPKG '{out}' '{source}' -gt 65536 && sync '{out}'")
                print(f"  export {ours['wall']:.2f} s, import {second['wall']:.2f} s, ogr2ogr {peer['wall']:.2f} s", flush=True)
                if k:
                    both.append({'wall': ours['wall'] + second['wall'], 'cpu': ours['cpu'] + second['cpu'], 'peak_kb': max(ours['peak_kb'], second['peak_kb'])})
                    peers.append(peer)
            report('points there and back', both, peers, self.results)
        finally:
            one.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', default=os.path.join(ROOT, 'build', 'bench-data'))
    parser.add_argument('--pairs', type=int, default=3)
    parser.add_argument('--program', default=os.path.join(ROOT, 'build', 'mapferry'))
    parser.add_argument('what', nargs='*', default=['corpus', 'points'])
    args = parser.parse_args()
    if not os.path.isdir(os.path.join(args.data, 'portal_corpus')):
        subprocess.run([os.path.join(ROOT, 'bench', 'gen.sh'), args.data], check=True)
    work = tempfile.mkdtemp(prefix='mapferry-bench-', dir=args.data)
    bench = Bench(os.path.abspath(args.program), args.data, args.pairs, work)
    try:
        for what in args.what:
            getattr(bench, what)()
        machine = {'cpus': os.cpu_count(), 'kernel': platform.release(), 'machine': platform.machine()}
        path = os.path.join(ROOT, 'bench', 'results', time.strftime('transfer-%Y%m%d-%H%M%S.json'))
        with open(path, 'w') as f:
            json.dump({'bench': 'transfer', 'machine': machine, 'pairs': args.pairs, 'results': bench.results}, f, indent=1)
        print('kept in', os.path.relpath(path, ROOT))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == '__main__':
    main()
