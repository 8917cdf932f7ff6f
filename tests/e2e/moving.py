"""What the tests of group export and import share: portals with any settings, people of every role, and small items of every kind, made over
REST as a client would make them."""
import argparse
import base64
import io
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import uuid
import zipfile
import zlib

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
sys.path.insert(0, os.path.join(ROOT, 'tools'))
from rest import Portal, RestError, path_of, read  # noqa: E402, F401

FIXTURES = os.path.join(ROOT, 'tests', 'fixtures', 'items')
PASSWORD = 'a-good-password'
PROGRAM = os.environ.get('MAPFERRY_PROGRAM', os.path.join(ROOT, 'build', 'mapferry'))
ENDED = ('succeeded', 'completed', 'failed', 'cancelled')


def main():
    """unittest.main with --program PATH."""
    global PROGRAM
    parser = argparse.ArgumentParser()
    parser.add_argument('--program', default=PROGRAM)
    args, rest = parser.parse_known_args()
    PROGRAM = os.path.abspath(args.program)
    import moving  # the tests import this file under its name
    moving.PROGRAM = PROGRAM
    unittest.main(module='__main__', argv=sys.argv[:1] + rest)


def poll(what, seconds=60):
    """The first true answer of what(); fails after a deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = what()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError('it did not happen in time')


class Server:
    """One `mapferry serve` with a folder of its own (or data: one that the caller removes); settings as {'export.maxItemBytes': '100K'}."""

    def __init__(self, data=None, **settings):
        self.data, self.own = data or tempfile.mkdtemp(prefix='mapferry-e2e-'), data is None
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}'
        self.settings = {'store.minFreeBytes': '16M'}
        self.log = os.path.join(tempfile.gettempdir(), f'mapferry-e2e-{uuid.uuid4().hex}.log')
        self.start(**settings)

    def start(self, env=None, **settings):
        self.settings.update(settings)
        options = [x for k, v in self.settings.items() for x in ('--' + k, v) if x is not None]  # a flag has no value
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen([PROGRAM, 'serve', '--data', self.data, '--listen', f'127.0.0.1:{self.port}', *options], stderr=log,
                                            env=dict(os.environ, MAPFERRY_ADMIN_PASSWORD=PASSWORD, **(env or {})))

        def listening():
            if self.process.poll() is not None:
                raise AssertionError('the portal did not start: ' + read(self.log).decode(errors='replace'))
            return b'listening on' in read(self.log)
        poll(listening)

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        code, log = self.process.wait(60), read(self.log)
        assert code == 0 and b'Sanitizer' not in log and b'runtime error' not in log, (code, log[-5000:])

    def restart(self, **settings):
        self.end()
        self.start(**settings)

    def close(self):
        """Ends the portal; whatever was done to it, its database and its stores have to agree."""
        self.end()
        check = subprocess.run([PROGRAM, 'check', self.data, '--read-data'], capture_output=True, text=True, check=False)
        os.unlink(self.log)
        if self.own:
            shutil.rmtree(self.data, ignore_errors=True)
        assert check.returncode == 0, check

    def sign_in(self, user='admin'):
        return Person(self.url, user, PASSWORD)

    def add_user(self, name, role='org_publisher'):
        self.sign_in().call('/portaladmin/security/users/createUser', username=name, password=PASSWORD, fullname=name, email=name + '@example.com', role=role)
        return self.sign_in(name)


class Person(Portal):
    """A signed-in client (user None: anonymous) with the operations that the tests are made of."""

    def error(self, path, **fields):
        """The error object that an operation answers with."""
        try:
            answer = self.call(path, **fields)
        except RestError as e:
            return e.error
        raise AssertionError(f'{path} was allowed: {answer}')

    def group(self, title=None, **fields):
        return self.call('/sharing/rest/community/createGroup', title=title or 'Group ' + uuid.uuid4().hex[:8], tags='t', access=fields.pop('access', 'private'), **fields)['group']['id']

    def add(self, item_type, title='An item', text=None, file=None, group=None, folder=None, files=(), **fields):
        """An item by text (dict or str) or file (name, bytes); its id."""
        files = list(files) + ([('file', file)] if file else [])
        if text is not None:
            fields['text'] = text if isinstance(text, str) else json.dumps(text)
        item = self.call(self.content((folder + '/' if folder else '') + 'addItem'), files=files, title=title, type=item_type, tags=fields.pop('tags', 'one,two'), **fields)['id']
        if group:
            self.share(item, group)
        return item

    def share(self, item, group):
        answer = self.call(f'/sharing/rest/content/items/{item}/share', groups=group)
        assert answer['notSharedWith'] == [], answer

    def item(self, item):
        return self.call(f'/sharing/rest/content/items/{item}')

    def has(self, item):
        return self.raw(f'/sharing/rest/content/items/{item}', {'f': 'json'}, method='GET')[2].find(b'"error"') < 0

    def item_data(self, item):
        return self.data(f'/sharing/rest/content/items/{item}/data')[1]

    def item_json(self, item):
        return json.loads(self.item_data(item))

    def resource(self, item, name, data):
        folder, _, base = name.rpartition('/')
        self.call(self.content(f'items/{item}/addResources'), files=[('file', (base, data))], fileName=base, resourcesPrefix=folder)

    def items_of_group(self, group):
        return sorted(i['id'] for i in self.call(f'/sharing/rest/content/groups/{group}', num='100')['items'])

    def own_items(self):
        """Ids of all items, in every folder."""
        root = self.call(self.content('').rstrip('/'), num='100')
        items = list(root['items'])
        for f in root['folders']:
            items += self.call(self.content(f['id']), num='100')['items']
        return {i['id']: i for i in items}

    def folders(self):
        return {f['title']: f['id'] for f in self.call(self.content('').rstrip('/'))['folders']}

    # ---- moving

    def started(self, group, operation, **fields):
        return self.call(f'/sharing/rest/community/groups/{group}/{operation}', **{'async': 'true'}, **fields)

    def job(self, started, portal='self', method='POST', **fields):
        return self.call(f"/sharing/rest/portals/{portal}/jobs/{started['jobId']}", method=method, **dict({'key': started.get('key')}, **fields))

    def ended(self, started):
        return poll(lambda: (lambda j: j if j['status'] in ENDED else None)(self.job(started)))

    def export_job(self, group, **fields):
        return self.ended(self.started(group, 'export', **fields))

    def export(self, group, **fields):
        """The bytes of the package of a synchronous export."""
        status, headers, data = self.raw(f'/sharing/rest/community/groups/{group}/export', dict(fields, f='html'))
        assert status == 200 and headers['Content-Type'] == 'application/octet-stream', (status, headers['Content-Type'], data[:2000])
        return data

    def upload(self, package, title='A package'):
        return self.add('Export Package', title, file=(uuid.uuid4().hex + '.epk', package), typeKeywords='Export Package,epk')

    def import_job(self, group, package, **fields):
        return self.ended(self.started(group, 'import', itemId=package if isinstance(package, str) else self.upload(package), **fields))

    def imported(self, group, package, **fields):
        """Result of a synchronous import of package bytes or of a package item."""
        item = package if isinstance(package, str) else self.upload(package)
        return self.call(f'/sharing/rest/community/groups/{group}/import', itemId=item, **fields)['result']

    def preview(self, group, package, **fields):
        return self.call(f'/sharing/rest/community/groups/{group}/import', itemId=package, previewOnly='true', **fields)

    # ---- layers

    def service(self, name, group=None, definition=None, **fields):
        """An empty hosted service with the layers of a definition; (item id, path of its URL)."""
        made = self.call(self.content('createService'), createParameters={'name': name, 'capabilities': 'Query,Editing,Create,Update,Delete', 'spatialReference': {'wkid': 4326}}, outputType='featureService', **fields)
        url = path_of(made['serviceurl'])
        if definition:
            self.call(url.replace('/rest/services', '/rest/admin/services') + '/addToDefinition', addToDefinition=definition)
        if group:
            self.share(made['serviceItemId'], group)
        return made['serviceItemId'], url

    def add_features(self, url, features):
        answer = self.call(url + '/addFeatures', features=features)
        assert all(r['success'] for r in answer['addResults']), answer
        return [r['objectId'] for r in answer['addResults']]

    def features(self, url, **fields):
        return self.call(url + '/query', where='1=1', outFields='*', **fields)['features']


def ids_of(entries):
    return sorted(e['itemId'] for e in entries)


def layer(layer_id, name, geometry=None, fields=(), **members):
    d = {'id': layer_id, 'name': name, 'type': 'Feature Layer' if geometry else 'Table', 'objectIdField': 'OBJECTID', 'globalIdField': 'GlobalID',
         'fields': [{'name': 'OBJECTID', 'type': 'esriFieldTypeOID', 'alias': 'OBJECTID', 'nullable': False, 'editable': False},
                    {'name': 'GlobalID', 'type': 'esriFieldTypeGlobalID', 'alias': 'GlobalID', 'length': 38, 'nullable': False, 'editable': False}]
         + [{'name': n, 'type': 'esriFieldType' + t, 'alias': n.title(), 'nullable': True, 'editable': True, **({'length': 100} if t == 'String' else {})} for n, t in fields]}
    if geometry:
        d.update(geometryType='esriGeometry' + geometry, extent={'xmin': -180, 'ymin': -90, 'xmax': 180, 'ymax': 90, 'spatialReference': {'wkid': 4326}})
    return dict(d, **members)


def related(relationship, other, role, key, cardinality='OneToMany'):
    return {'id': relationship, 'name': f'rel {relationship}', 'relatedTableId': other, 'cardinality': 'esriRelCardinality' + cardinality, 'role': 'esriRelRole' + role, 'keyField': key, 'composite': False}


def rich_service(person, name, group=None):
    """Points with attachments, lines, polygons under the layer id 156 and a related table under 200."""
    fields = (('name', 'String'), ('n', 'Integer'), ('d', 'Double'), ('t', 'Date'))
    item, url = person.service(name, group, {
        'layers': [layer(0, 'Points', 'Point', fields, hasAttachments=True, relationships=[related(0, 200, 'Origin', 'n')]), layer(7, 'Lines', 'Polyline', fields), layer(156, 'Areas', 'Polygon', fields)],
        'tables': [layer(200, 'Notes', None, (('note', 'String'), ('n', 'Integer')), relationships=[related(0, 0, 'Destination', 'n')])]})
    sr = {'spatialReference': {'wkid': 4326}}
    oids = person.add_features(url + '/0', [
        {'attributes': {'name': 'Köln 東京 🗺', 'n': 1, 'd': 0.1, 't': -86400000}, 'geometry': {'x': 6.96, 'y': 50.94, **sr}},
        {'attributes': {'name': '', 'n': 2, 'd': -1e300, 't': 1586901221029}, 'geometry': {'x': -179.999999, 'y': 1e-9, **sr}},
        {'attributes': {'name': None, 'n': None, 'd': None, 't': None}}])
    person.add_features(url + '/7', [{'attributes': {'name': 'l', 'n': 5}, 'geometry': {'paths': [[[0, 0], [1, 1]], [[2, 2], [3, 3.5]]], **sr}}])
    person.add_features(url + '/156', [{'attributes': {'name': 'a', 'n': 6}, 'geometry': {'rings': [[[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]], [[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]]], **sr}}])
    person.add_features(url + '/200', [{'attributes': {'note': f'note {i}', 'n': 1 + i % 2}} for i in range(5)])
    for oid, (file, data) in zip((oids[0], oids[0], oids[1]), (('a b ä.txt', b'hello'), ('p.png', png(2)), ('same.txt', b'hello'))):
        answer = person.call(f'{url}/0/{oid}/addAttachment', files=[('attachment', (file, data))])
        assert answer['addAttachmentResult']['success'], answer
    return item, url


def service_state(person, url):
    """All that a hosted service holds, comparable between portals."""
    out = {}
    about = person.call(url)
    for entry in about['layers'] + about['tables']:
        at = f"{url}/{entry['id']}"
        definition = person.call(at)
        state = {'definition': {k: v for k, v in definition.items() if k not in ('editingInfo', 'serviceItemId')},
                 'rows': person.features(at, orderByFields=definition['objectIdField'], returnZ='true', returnM='true')}
        if definition.get('hasAttachments'):
            ids = person.call(at + '/query', where='1=1', returnIdsOnly='true')['objectIds']
            state['attachments'] = [(g['parentObjectId'], a['id'], a['name'], a['contentType'], person.data(f"{at}/{g['parentObjectId']}/attachments/{a['id']}")[1])
                                    for g in person.call(at + '/queryAttachments', objectIds=','.join(map(str, ids)))['attachmentGroups'] for a in g['attachmentInfos']]
        out[entry['id']] = state
    return out


# ---- small files of every kind

def png(seed=1):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 1, 1, 8, 2, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(bytes([0, seed, 0, 0]))) + chunk(b'IEND', b'')


def zipped(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        for name, data in members.items():
            z.writestr(name.replace('__', '/').replace('_', '.'), data)
    return out.getvalue()


PDF = b'%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n'


def fixture(name, **replace):
    """The data of a fixture, with texts replaced: placeholders by ids and URLs of the test."""
    whole = json.loads(read(os.path.join(FIXTURES, name + '.json')))
    text = json.dumps(whole.get('data', whole))
    for a, b in replace.items():
        text = text.replace(a, b)
    return json.loads(text)


class Package:
    """A package seen with nothing but zipfile."""

    def __init__(self, data):
        self.bytes = data
        self.zip = zipfile.ZipFile(io.BytesIO(data))
        assert self.zip.testzip() is None
        self.manifest = json.loads(self.zip.read('manifest.json'))
        self.hash = self.manifest['contentHash']
        self.names = {m['name']: m.get('sameAs', m['name']) for m in self.manifest['members']}

    def read(self, name):
        return self.zip.read(self.names[name])

    def all(self):
        return {n: self.read(n) for n in self.names}

    def items(self):
        return sorted({m.group(1) for m in (re.match(r'items/([0-9a-f]{32})/', n) for n in self.names) if m})

    def of_item(self, item):
        return {n[len(item) + 7:]: self.read(n) for n in self.names if n.startswith(f'items/{item}/')}

    def relationships(self):
        return [(r['origin'], r['destination'], r['type']) for r in json.loads(self.read('relationships.json'))['relationships']]

    def about(self):
        return json.loads(self.read('package.json'))


def is_key(key):
    return len(key) == 44 and len(base64.b64decode(key, validate=True)) == 32
