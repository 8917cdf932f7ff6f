#!/usr/bin/env python3
"""The main job on real data, watched from outside: two portals, the samples published on the first, its group exported as a package, imported
into the second, and everything compared through the public REST interface. `script/demo` starts this; --once ends after the verification."""
import argparse
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rest import Portal, RestError, name_of, path_of, read  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
SAMPLES = os.path.join(ROOT, 'samples')
PASSWORD = 'demo-password'
TTY = sys.stdout.isatty()
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(text=''):
    print(text, flush=True)


def step(text):
    say(f'\n\033[1m{text}\033[0m' if TTY else f'\n== {text}')


def table(header, rows):
    rows = [[str(c) for c in r] for r in rows]
    widths = [max(len(h), *(len(r[i]) for r in rows)) if rows else len(h) for i, h in enumerate(header)]
    for r in [header, ['-' * w for w in widths]] + rows:
        say('  ' + '  '.join(c.ljust(w) for c, w in zip(r, widths)).rstrip())


# ---------------------------------------------------------------- portals

def free_port(wanted=0):
    """The wanted port when nobody listens there, else any."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(('127.0.0.1', wanted))
        except OSError as e:
            if not wanted or e.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            say(f'  port {wanted} is not free, another is taken')
            return free_port()
        return s.getsockname()[1]


class Server:
    """One `mapferry serve`, with its log in a file; with tls on HTTPS, by an authority in the file `authority`."""

    def __init__(self, program, folder, name, port, tls=False):
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        self.authority = os.path.join(folder, name, 'tls', 'authority.pem')
        self.log = os.path.join(folder, name + '.log')
        env = dict(os.environ, MAPFERRY_ADMIN_PASSWORD=PASSWORD)
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen([program, 'serve', '--data', os.path.join(folder, name), '--listen', f'127.0.0.1:{port}',
                                             '--store.minFreeBytes', '64M', *(['--tls-self-signed'] if tls else [])], stderr=log, env=env)
        deadline = time.monotonic() + 30
        try:
            while b'listening on' not in read(self.log):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f'demo: {name} did not start:\n' + read(self.log).decode(errors='replace'))
                time.sleep(0.02)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


# ---------------------------------------------------------------- loading the samples

class Loader:
    """Puts the samples on a portal by their manifest. Texts name each other, so all items are added first and get their texts after."""

    def __init__(self, portal):
        self.portal = portal
        self.manifest = json.loads(read(os.path.join(SAMPLES, 'manifest.json')))
        self.values = {'portal': portal.url, 'enc:portal': urllib.parse.quote(portal.url, safe='')}
        self.items = {}

    def filled(self, text):
        return re.sub(r'\{\{([^{}]+)\}\}', lambda m: self.values.get(m.group(1), m.group(0)), text)

    def sample(self, name):
        data = read(os.path.join(SAMPLES, name))
        return self.filled(data.decode()).encode() if name.endswith(('.json', '.xml')) else data

    def knows(self, key, item_id, url=None):
        self.items[key] = item_id
        self.values['item:' + key] = item_id
        if url:
            self.values['url:' + key] = url
            self.values['enc:url:' + key] = urllib.parse.quote(url, safe='')

    def add(self, item):
        p = self.portal
        fields = {'title': item['title'], 'type': item['type'], 'typeKeywords': ','.join(item['typeKeywords']), 'tags': ','.join(item['tags']),
                  'snippet': item['snippet'], 'accessInformation': item['accessInformation'], 'licenseInfo': item['licenseInfo'], 'culture': item['culture']}
        if item['extent']:
            fields['extent'] = ','.join(str(v) for corner in item['extent'] for v in corner)
        files = []
        if item['file']:
            files.append(('file', (name_of(item['file']), self.sample(item['file']))))
        if item['thumbnail']:
            files.append(('thumbnail', (name_of(item['thumbnail']), self.sample(item['thumbnail']))))
        if not item['file']:
            fields['text'] = '{}'
        answer = p.call(p.content(self.folder + '/addItem'), files=files, **fields)
        self.knows(item['key'], answer['id'])

    def publish(self, item):
        p, spec = self.portal, item['publish']
        answer = p.call(p.content(self.folder + '/publish'), itemId=self.items[item['key']], fileType=spec['fileType'],
                        publishParameters=json.dumps(dict(spec['parameters'])))['services'][0]
        if 'error' in answer:
            raise RestError('publish', answer['error'])
        while True:
            status = p.call(p.content(f"items/{answer['serviceItemId']}/status"), jobId=answer['jobId'], jobType='publish')
            if status['status'] == 'completed':
                break
            if status['status'] == 'failed':
                raise RestError('publish', status)
            time.sleep(0.05)
        self.knows(spec['key'], answer['serviceItemId'], answer['serviceurl'])
        self.relate(spec, answer['serviceurl'])
        self.attach(spec, answer['serviceurl'])

    def relate(self, spec, url):
        """Relationships and attachments are switched on through the admin interface, as any publishing client does."""
        admin = path_of(url).replace('/rest/services', '/rest/admin/services')
        layers = {}
        for r in spec['relationships']:
            for role, side, other in (('esriRelRoleOrigin', 'origin', 'destination'), ('esriRelRoleDestination', 'destination', 'origin')):
                layers.setdefault(r[side]['layer'], []).append(
                    {'id': r['id'], 'name': r['name'], 'relatedTableId': r[other]['layer'], 'cardinality': 'esriRelCardinality' + r['cardinality'][0].upper() + r['cardinality'][1:], 'role': role,
                     'keyField': r[side]['key'], 'composite': False})
        if layers:
            self.portal.call(admin + '/addToDefinition', addToDefinition=json.dumps({'layers': [{'id': i, 'relationships': rs} for i, rs in layers.items()]}))
        for layer in {a['layer'] for a in spec['attachments']}:
            self.portal.call(f'{admin}/{layer}/updateDefinition', updateDefinition=json.dumps({'hasAttachments': True}))

    def attach(self, spec, url):
        for a in spec['attachments']:
            layer = f"{path_of(url)}/{a['layer']}"
            where = ' AND '.join(f"{k} = '{v}'" if isinstance(v, str) else f'{k} = {v}' for k, v in a['where'].items())
            oids = self.portal.call(layer + '/query', where=where, returnIdsOnly='true')['objectIds']
            if len(oids) != 1:
                raise SystemExit(f"demo: {where} finds {len(oids)} rows of layer {a['layer']}")
            answer = self.portal.call(f'{layer}/{oids[0]}/addAttachment', files=[('attachment', (a['name'], self.sample(a['file'])))])
            if not answer['addAttachmentResult']['success']:
                raise RestError('addAttachment', answer)

    def texts(self, item):
        """The second pass: texts, descriptions, URLs, metadata and resources, with ids and URLs filled in."""
        p = self.portal
        fields, files = {'description': self.filled(item['description'])}, []
        if item['url']:
            fields['url'] = self.filled(item['url'])
        if item['text']:
            fields['text'] = self.sample(item['text']).decode()
        if item['metadata']:
            files.append(('metadata', ('metadata.xml', self.sample(item['metadata']))))
        p.call(p.content(f"items/{self.items[item['key']]}/update"), files=files, **fields)
        for r in item['resources']:
            folder, _, name = r['path'].rpartition('/')
            p.call(p.content(f"items/{self.items[item['key']]}/addResources"), files=[('file', (name, self.sample(r['file'])))], fileName=name,
                   resourcesPrefix=folder)

    def service_texts(self, item):
        spec, p = item['publish'], self.portal
        files = [('thumbnail', (name_of(spec['thumbnail']), self.sample(spec['thumbnail'])))] if spec['thumbnail'] else []
        p.call(p.content(f"items/{self.items[spec['key']]}/update"), files=files, title=spec['title'], tags=','.join(spec['tags']), snippet=spec['snippet'],
               description=self.filled(spec['description']))

    def load(self):
        p, m = self.portal, self.manifest
        self.folder = p.call(p.content('createFolder'), title=m['folder'])['folder']['id']
        g = m['group']
        self.group = p.call('/sharing/rest/community/createGroup', title=g['title'], tags=','.join(g['tags']), snippet=g['snippet'],
                            description=g['description'], access=g['access'])['group']['id']
        for item in m['items']:
            self.add(item)
        for item in m['items']:
            if item['publish']:
                self.publish(item)
                say(f"  published {item['publish']['title']}: {', '.join(str(la['rows']) + ' ' + la['name'] for la in item['publish']['layers'])}")
        for item in m['items']:
            self.texts(item)
            if item['publish']:
                self.service_texts(item)
        for r in m['relationships']:
            if r['madeBy'] != 'publish':
                p.call(p.content('addRelationship'), originItemId=self.items[r['origin']], destinationItemId=self.items[r['destination']],
                       relationshipType=r['type'])
        for item_id in self.items.values():
            p.call(p.content(f'items/{item_id}/share'), groups=self.group)
        return self.group


# ---------------------------------------------------------------- verification, from outside

def digest(data):
    return hashlib.sha256(data).hexdigest()


def layer_digest(portal, url, layer):
    """Count and an order-independent hash over attributes and geometry of every row, and the same over attachments."""
    total, n = 0, 0
    for f in portal.rows(f'{url}/{layer}'):
        row = json.dumps([f['attributes'], f.get('geometry')], sort_keys=True, ensure_ascii=False)
        total = (total + int.from_bytes(hashlib.sha256(row.encode()).digest(), 'big')) % (1 << 256)
        n += 1
    definition = portal.call(f'{url}/{layer}')
    attachments = 0
    if definition.get('hasAttachments'):
        ids = portal.call(f'{url}/{layer}/query', where='1=1', returnIdsOnly='true')['objectIds'] or []
        for group in portal.call(f'{url}/{layer}/queryAttachments', objectIds=','.join(map(str, ids)))['attachmentGroups']:
            for a in group['attachmentInfos']:
                _, data = portal.data(f"{url}/{layer}/{group['parentObjectId']}/attachments/{a['id']}")
                row = json.dumps([group['parentObjectId'], a['id'], a['name'], a['contentType'], a['size'], digest(data)])
                total = (total + int.from_bytes(hashlib.sha256(row.encode()).digest(), 'big')) % (1 << 256)
                attachments += 1
    relationships = sorted(json.dumps(r, sort_keys=True) for r in definition.get('relationships', []))
    fields = json.dumps([definition['fields'], definition.get('geometryType'), relationships], sort_keys=True)
    return n, attachments, hashlib.sha256(f'{total:x} {fields}'.encode()).hexdigest()


def names_of(url):
    """Every way in which a text may name a portal: host and port, plain, percent-coded once and twice, with escaped slashes, as HTML entities."""
    host = urllib.parse.urlsplit(url).netloc
    once = urllib.parse.quote(host, safe='')
    twice = urllib.parse.quote(once, safe='')
    return {host, once, once.lower(), twice, twice.lower(), host.replace(':', '&#58;'), host.replace(':', '&#x3a;'), host.replace(':', '&#x3A;'),
            host.replace(':', '\\u003a'), host.replace(':', '\\u003A')}


TEXTUAL = ('.json', '.xml', '.html', '.htm', '.svg', '.txt', '.js', '.css', '.csv')


class Verifier:
    def __init__(self, one, two):
        self.one, self.two = one, two
        self.forbidden = names_of(one.url)
        self.problems, self.files, self.texts = [], 0, 0

    def leak(self, where, data):
        text = data.decode('utf-8', 'replace')
        self.texts += 1
        for name in self.forbidden:
            at = text.find(name)
            if at >= 0:
                self.problems.append(f'{where} still names portal one: …{text[max(0, at - 60):at + 80]}…')
                return

    def parts(self, portal, item_id):
        """Every stored file of an item: {name: bytes}."""
        base = f'/sharing/rest/content/items/{item_id}'
        item = portal.call(base)
        _, data = portal.data(base + '/data')
        out = {'data': data}
        if item.get('thumbnail'):
            out['info/' + item['thumbnail']] = portal.data(f"{base}/info/{item['thumbnail']}")[1]
        _, headers, metadata = portal.raw(base + '/info/metadata/metadata.xml', {'f': 'json'}, method='GET')
        if 'json' not in headers.get('Content-Type', ''):
            out['info/metadata/metadata.xml'] = metadata
        for r in portal.call(base + '/resources', num='1000')['resources']:
            out['resources/' + r['resource']] = portal.data(f"{base}/resources/{urllib.parse.quote(r['resource'])}")[1]
        return item, out

    def text_equal(self, a, b):
        """A text on portal two is that of portal one with one thing changed: which portal it names."""
        one, two = a.decode('utf-8', 'replace'), b.decode('utf-8', 'replace')
        h1, h2 = urllib.parse.urlsplit(self.one.url).netloc, urllib.parse.urlsplit(self.two.url).netloc
        for f in (lambda s: s, lambda s: urllib.parse.quote(s, safe=''), lambda s: urllib.parse.quote(urllib.parse.quote(s, safe=''), safe='')):
            one = one.replace(f(h1), f(h2))
        return one == two

    def item(self, item_id):
        a, parts_a = self.parts(self.one, item_id)
        b, parts_b = self.parts(self.two, item_id)
        before = len(self.problems)
        self.leak(f"item JSON of '{b['title']}'", json.dumps(b, ensure_ascii=False).encode())
        for field in ('title', 'type', 'tags', 'snippet', 'extent', 'culture', 'accessInformation'):
            if a.get(field) != b.get(field):
                self.problems.append(f"'{a['title']}': {field} differs: {a.get(field)!r} / {b.get(field)!r}")
        if set(a['typeKeywords']) != set(b['typeKeywords']):
            self.problems.append(f"'{a['title']}': typeKeywords differ")
        if parts_a.keys() != parts_b.keys():
            self.problems.append(f"'{a['title']}': files differ: {sorted(parts_a.keys() ^ parts_b.keys())}")
        for name in parts_a.keys() & parts_b.keys():
            x, y = parts_a[name], parts_b[name]
            text = name.lower().endswith(TEXTUAL) or (name == 'data' and not a.get('name') and a['type'] != 'Feature Service')
            self.files += 1
            if text:
                self.leak(f"{name} of '{b['title']}'", y)
            if digest(x) != digest(y) and not (text and self.text_equal(x, y)):
                self.problems.append(f"'{a['title']}': {name} differs ({len(x)} / {len(y)} bytes)")
        size = sum(map(len, parts_b.values()))
        return [b['title'], b['type'], item_id[:8] + '…', len(parts_b), f'{size:,}', 'equal' if len(self.problems) == before else 'DIFFERENT']

    def layers(self, item_id):
        rows = []
        a, b = (p.call(f'/sharing/rest/content/items/{item_id}') for p in (self.one, self.two))
        ua, ub = path_of(a['url']), path_of(b['url'])
        sa, sb = self.one.call(ua), self.two.call(ub)
        if urllib.parse.urlsplit(b['url']).netloc != urllib.parse.urlsplit(self.two.url).netloc:
            self.problems.append(f"'{b['title']}': its service URL is {b['url']}")
        for la in sa['layers'] + sa['tables']:
            match = [lb for lb in sb['layers'] + sb['tables'] if lb['id'] == la['id']]
            if not match:
                self.problems.append(f"'{a['title']}': layer {la['id']} is missing")
                continue
            x, y = layer_digest(self.one, ua, la['id']), layer_digest(self.two, ub, la['id'])
            if x != y:
                self.problems.append(f"'{a['title']}' layer {la['id']}: {x} / {y}")
            rows.append([f"{a['title']} / {la['name']}", la.get('geometryType', 'table').replace('esriGeometry', ''), f'{y[0]:,}', y[1],
                         y[2][:16], 'equal' if x == y else 'DIFFERENT'])
        self.leak(f"definition of '{b['title']}'", json.dumps(self.two.call(ub + '/layers')).encode())
        return rows

    def related(self, item_id):
        for kind in ('Service2Data', 'Map2Service', 'WMA2Code'):
            ids = [sorted(i['id'] for i in p.call(f'/sharing/rest/content/items/{item_id}/relatedItems', relationshipType=kind, direction='forward')['relatedItems'])
                   for p in (self.one, self.two)]
            if ids[0] != ids[1]:
                self.problems.append(f'{item_id}: {kind} relationships differ')


# ---------------------------------------------------------------- the run

def run_program(program, *args, user='admin'):
    env = dict(os.environ, MAPFERRY_USER=user, MAPFERRY_PASSWORD=PASSWORD)
    subprocess.run([program, *args], env=env, check=True)


def run(program, folder, ports, servers):
    """Whether everything held, and {name: (portal, id of its group)}. The portals that it starts go into `servers`; the caller ends them."""
    step('1. Two portals')
    for name, port in zip(('portal-one', 'portal-two'), ports):
        servers.append(Server(program, folder, name, free_port(port)))
    for name, s in zip(('one', 'two'), servers):
        say(f'  portal {name}: {s.url}   (administrator admin, password {PASSWORD})')
    one, two = (Portal(s.url, 'admin', PASSWORD) for s in servers)
    step('2. Real data onto portal one: layers, a map, apps, files')
    loader = Loader(one)
    group = loader.load()
    step('3. The group leaves portal one as a package')
    package = os.path.join(folder, 'natural-earth.epk')
    run_program(program, 'group', 'export', one.url, group, '-o', package)
    run_program(program, 'inspect', package, '--verify')
    step('4. The package arrives in portal two')
    target = two.call('/sharing/rest/community/createGroup', title='Arrived', tags='samples', access='private')['group']['id']
    run_program(program, 'group', 'import', two.url, target, package, '--preview')
    run_program(program, 'group', 'import', two.url, target, package)
    step('5. Verified from outside, through the public REST interface')
    v = Verifier(one, two)
    ids = [i['id'] for i in one.call(f'/sharing/rest/content/groups/{group}', num='100')['items']]
    arrived = [i['id'] for i in two.call(f'/sharing/rest/content/groups/{target}', num='100')['items']]
    if not sorted(ids) == sorted(arrived) == sorted(loader.items.values()):
        v.problems.append(f'{len(loader.items)} items went onto portal one, {len(ids)} are in its group, {len(arrived)} arrived')
    carried = [loader.items[k] for k in loader.items if loader.items[k] in arrived]
    table(['item', 'type', 'id', 'files', 'bytes', ''], [v.item(i) for i in carried])
    say()
    services = [i['id'] for i in one.call(f'/sharing/rest/content/groups/{group}', num='100')['items'] if i['type'] == 'Feature Service']
    table(['layer', 'geometry', 'rows', 'attachments', 'hash of rows', ''], [r for i in services for r in v.layers(i)])
    for i in carried:
        v.related(i)
    say(f'\n  {len(carried)} items, {v.files} files compared; {v.texts} texts searched for {urllib.parse.urlsplit(one.url).netloc} in every encoding')
    for p in v.problems:
        say('  PROBLEM: ' + p)
    say('  everything arrived whole' if not v.problems else f'  {len(v.problems)} problems')
    return not v.problems, {'one': (one, group), 'two': (two, target)}


def look_around(portals):
    step(f'Look around: sign in as admin with {PASSWORD}, then open the pages')
    for name, (portal, group) in portals.items():
        say(f'  portal {name}: {portal.url}/sharing/rest/generateToken')
        say(f'              {portal.url}/sharing/rest/content/groups/{group}')
        say(f'              {portal.url}/server/rest/services/Hosted')
    say('\nCtrl-C ends both portals.')
    signal.pause()


def main():
    parser = argparse.ArgumentParser(prog='script/demo')
    parser.add_argument('--once', action='store_true', help='end after the verification')
    parser.add_argument('--program', default=os.path.join(ROOT, 'build', 'mapferry'), help=argparse.SUPPRESS)
    parser.add_argument('--ports', default='7080,7081', help='ports of the two portals; 0: any')
    args = parser.parse_args()
    once = args.once or not sys.stdin.isatty() or not TTY
    sys.stdout.reconfigure(encoding='utf-8')
    for number in ENDING:
        signal.signal(number, signal.default_int_handler)
    folder = tempfile.mkdtemp(prefix='mapferry-demo-')
    servers, held = [], False
    try:
        held, portals = run(os.path.abspath(args.program), folder, [int(p) if not once else 0 for p in args.ports.split(',')], servers)
        if not once:
            look_around(portals)
        return 0 if held else 1
    except KeyboardInterrupt:
        return 0 if held else 130
    except RestError as e:
        say(f'demo: {e}')
        return 1
    except subprocess.CalledProcessError as e:
        say(f'demo: {" ".join(e.cmd[:3])} ended with code {e.returncode}')
        return 1
    finally:
        for number in ENDING:  # nothing may keep the portals from ending
            signal.signal(number, signal.SIG_IGN)
        for s in servers:
            s.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main())
