#!/usr/bin/env python3
"""Group export and import beside their peers, in one run (docs/performance.md): the portal corpus as items against tar and zstd, and a layer of a million
points against ogr2ogr. usage: bench/transfer.py [--data DIR] [--pairs N] [corpus] [points]. DIR is made by bench/gen.sh when it is missing."""
import concurrent.futures
import json
import os
import subprocess
import tempfile
import time

from measure import PASSWORD, ROOT, build, cpu_of, median, peak_kb, reset_peak, run, server, shell
from rest import path_of, read  # measure knows where it is


def job(one, portal, path, **fields):
    """Wall, CPU and peak memory of the portal over one job, from the call to the finished status."""
    reset_peak(one.process.pid)
    cpu, start = cpu_of(one.process.pid), time.monotonic()
    started = portal.call(path, **fields, **{'async': 'true'})
    done = portal.wait_job(started, lambda: time.sleep(0.1))
    wall = time.monotonic() - start
    if done['status'] not in ('succeeded', 'completed'):
        raise SystemExit(f"bench: {path}: {done['status']}: {done['messages'][-3:]}")
    return {'wall': wall, 'cpu': cpu_of(one.process.pid) - cpu, 'peak_kb': peak_kb(one.process.pid)}, done['result']


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
        if not os.path.isdir(os.path.join(data, 'portal_corpus')):
            subprocess.run([os.path.join(ROOT, 'bench', 'gen.sh'), data], check=True)

    def close(self):
        pass  # each work ends its own servers

    def server(self, name):
        return server(self.program, self.work, name)

    def corpus(self):
        corpus, archive = os.path.join(self.data, 'portal_corpus'), os.path.join(self.work, 'corpus.tar.zst')
        one, portal = self.server('one')
        try:
            group = add_corpus(portal, corpus)
            exports, tars, packs, item, limit = [], [], [], None, build('limits/corpus.c', self.work, '-lisal', '-lnettle')
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


if __name__ == '__main__':
    run('transfer', Bench, ['corpus', 'points'])
