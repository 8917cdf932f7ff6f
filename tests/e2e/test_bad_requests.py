#!/usr/bin/env python3
"""Requests that no client should make: each is answered with an error in the API's form (or its connection is cut), nothing is changed and
nothing is left, and the portal goes on with little memory."""
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import RestError, Server, poll  # noqa: E402
from routes import routes  # noqa: E402

RESIDENT_MAX_KIB = 64 * 1024
MISSING = 'f' * 32
DEEP = '[' * 10_000 + ']' * 10_000
DEEP_OBJECT = '{"a":' * 10_000 + '1' + '}' * 10_000
RUBBISH = {
    'int': ['abc', '1.5', '1e3', '9223372036854775808', '0x10', '1 2', '--1', '٣'],
    'double': ['abc', '1.2.3', 'nan(', '1e999999x'],
    'bool': ['maybe', '2', 'truefalse', '[]'],
    'id': ['abc', '../../etc/passwd', 'g' * 32, 'a' * 31, 'a' * 33, MISSING + ' or 1=1'],
    'json': ['{', '{"a":}', 'nul', '[1,]', "{'a':1}", '"\\ud800', DEEP, DEEP_OBJECT, '[1]]', '\x01'],
}
PLAUSIBLE = {'int': '1', 'double': '1', 'bool': 'true', 'id': MISSING, 'csv': MISSING, 'json': '{}', 'text': 'x'}
WRONG_JSON = ['5', 'null', 'true', '"text"', '[]', '[5]', '[null]', '[[]]', '[{"attributes":5}]', '[{"attributes":[],"geometry":{"x":{}}}]', '{"layers":5}', '{"layers":[5]}',
              '{"layers":[{"id":"x","fields":7}]}', '{"tables":[{}]}', '{"name":5}', '{"name":"","layers":{}}', '{"fields":[{"name":[],"type":{}}]}', '{"spatialReference":[]}',
              '{"layers":[{"id":99999999999999999999}]}', '{"layers":[{"id":-1,"name":"n","type":"Table"}]}']
HARMLESS_JSON = {'{"name":5}', '{"spatialReference":[]}', '{"fields":[{"name":[],"type":{}}]}'}  # members that an update of a definition does not look at


class Answer:
    def __init__(self, status, data):
        self.status, self.data = status, data
        try:
            self.json = json.loads(data)
        except ValueError:
            self.json = None
        self.error = self.json.get('error') if isinstance(self.json, dict) else None

    def __repr__(self):
        return f'{self.status} {self.data[:300]!r}'


def no_success(answer):
    """An answer with a result for each of several things, none of which was done."""
    results = [r for k, v in answer.items() if k in ('results', 'addResults') for r in v]
    return answer.keys() & {'results', 'addResults'} and not any(r['success'] for r in results)


class BadRequests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(**{'http.maxTextBytes': '4M'})
        cls.addClassCleanup(cls.server.close)
        cls.admin = cls.server.sign_in()
        cls.other = cls.server.add_user('other')
        cls.viewer = cls.server.add_user('viewer', 'iAAAAAAAAAAAAAAA')
        cls.group = cls.admin.group('Mine')
        cls.folder = cls.admin.call(cls.admin.content('createFolder'), title='Things')['folder']['id']
        cls.item = cls.admin.add('Web Map', 'Map', text={'version': '2.30'}, group=cls.group)
        cls.file = cls.admin.add('PDF', 'File', file=('a.pdf', moving.PDF))
        cls.admin.resource(cls.item, 'images/a.png', moving.png())
        cls.service, cls.url = moving.rich_service(cls.admin, 'Rich', cls.group)

    def setUp(self):
        self.before = self.state()

    def state(self):
        """What must not change."""
        cls, a = type(self), self.admin
        items = {i: (a.item(i)['modified'], a.item(i)['title'], a.item(i).get('size')) for i in a.own_items()}
        groups = sorted((g['id'], g['title'], g['modified']) for g in a.call('/sharing/rest/community/groups', q='*', num='100')['results'])
        users = sorted(u['username'] for u in a.call('/sharing/rest/community/users', q='*', num='100')['results'])
        theirs = [p.own_items() for p in (cls.other, cls.viewer)]
        resources = [r['resource'] for r in a.call(f'/sharing/rest/content/items/{cls.item}/resources')['resources']]
        return items, groups, users, a.folders(), theirs, resources, a.items_of_group(cls.group), moving.service_state(a, cls.url)

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), 'the portal is gone')
        self.nothing_left()
        names = ('items', 'groups', 'users', 'folders', 'the items of others', 'resources', 'the items of the group', 'the service')
        for name, before, after in zip(names, self.before, self.state()):
            self.assertEqual(after, before, name)
        with open(f'/proc/{self.server.process.pid}/status') as f:
            peak = int(re.search(r'VmHWM:\s+(\d+)', f.read()).group(1))
        self.assertLess(peak, RESIDENT_MAX_KIB, 'resident memory')

    def nothing_left(self):
        for place in ('content/tmp', 'work'):
            poll(lambda: not os.listdir(os.path.join(self.server.data, place)), 10)

    # ---- asking

    def ask(self, path, body=None, content_type='application/x-www-form-urlencoded', method='POST', person='admin', headers=()):
        headers = dict(headers, Referer=self.server.url)
        who = getattr(self, person) if person else None
        if who:
            headers['X-Esri-Authorization'] = 'Bearer ' + who.token
        if body is not None:
            headers['Content-Type'] = content_type
        connection = http.client.HTTPConnection('127.0.0.1', self.server.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        finally:
            connection.close()

    def form(self, path, person='admin', **fields):
        return self.ask(path, urllib.parse.urlencode(dict({'f': 'json'}, **fields)), person=person)

    def multipart(self, path, body, boundary='b', person='admin'):
        return self.ask(path + '?f=json', body, f'multipart/form-data; boundary={boundary}', person=person)

    def refused(self, answer, what, codes=(400,)):
        self.assertIsNotNone(answer.error, f'{what}: {answer}')
        self.assertIn(answer.error['code'], codes, f'{what}: {answer}')
        self.assertLess(answer.status, 500, f'{what}: {answer}')
        self.assertTrue(answer.error['message'], what)

    def content(self, operation, user='admin'):
        return f'/sharing/rest/content/users/{user}/{operation}'

    # ---- every declared parameter of every route

    def path_of(self, route, **wrong):
        values = {'portalId': 'self', 'user': 'admin', 'username': 'admin', 'folderId': self.folder, 'itemId': self.item, 'groupId': self.group, 'jobId': MISSING, 'commentId': MISSING,
                  'name': 'Rich', 'roleId': 'org_user', 'invitationId': MISSING, 'notificationId': MISSING, 'layerId': '0', 'objectId': '1', 'attachmentId': '1', 'uploadId': MISSING, 'path...': 'images/a.png', **wrong}
        return re.sub(r'\{([^}]*)\}', lambda m: urllib.parse.quote(values[m.group(1)], safe='/'), route.pattern)

    def test_wrong_types_of_every_parameter(self):
        tried = 0
        for route in routes():
            for name, kind, _ in route.params:
                if kind not in RUBBISH:
                    continue
                fields = {n: PLAUSIBLE[k] for n, k, required in route.params if required and k != 'file'}
                for value in RUBBISH[kind]:
                    what = f'{route.handler} {name}={value[:40]!r}'
                    tried += 1
                    answer = self.form(self.path_of(route), **dict(fields, **{name: value}))
                    self.refused(answer, what)
                    self.assertIn(f"'{name}'", ' '.join(answer.error['details']), what)
        self.assertGreater(tried, 300)

    def test_json_of_the_wrong_shape(self):
        for route in routes():
            for name, kind, _ in route.params:
                if kind != 'json' or route.handler == 'groups_create':
                    continue
                fields = {n: PLAUSIBLE[k] for n, k, required in route.params if required and k != 'file'}
                if route.handler == 'publish_item':
                    fields.update(itemId=self.file, fileType='csv')
                if route.handler == 'features_create_service':
                    fields['outputType'] = 'featureService'
                for value in WRONG_JSON:
                    if route.handler == 'organization_change' and value[0] in '[{':
                        continue  # basemaps and the like are kept as they are
                    if route.handler in ('groups_update', 'publish_item', 'people_set_properties') and value.startswith('{'):
                        continue  # any object will do
                    if route.handler == 'groups_assign_schema' and value == '[]':
                        continue  # a group without categories
                    if route.handler in ('features_update_definition', 'features_add_definition') and value in HARMLESS_JSON:
                        continue
                    answer = self.form(self.path_of(route), **dict(fields, **{name: value}))
                    what = f'{route.handler} {name}={value!r}'
                    self.assertLess(answer.status, 500, f'{what}: {answer}')
                    if answer.error is None:
                        self.assertTrue(no_success(answer.json), f'{what}: {answer}')

    def test_ids_in_paths(self):
        for route in routes():
            for capture in route.captures:
                if capture in ('path...', 'user', 'username', 'portalId') or (capture == 'folderId' and (route.handler == 'folders_content' or '/items/' in route.pattern)):
                    continue
                for value in ('x', '..', "' OR 1=1 --", '9' * 40, 'ü', 'a%00b', '-1'):
                    fields = {n: PLAUSIBLE[k] for n, k, required in route.params if required and k != 'file'}
                    answer = self.form(self.path_of(route, **{capture: value}), **fields)
                    self.assertLess(answer.status, 500, f'{route.handler} {capture}={value!r}: {answer}')
                    if route.methods == 'METHOD_POST':
                        self.assertTrue(answer.error or no_success(answer.json), f'{route.handler} {capture}={value!r}: {answer}')

    def test_missing_parameters(self):
        for route in routes():
            if any(required for _, _, required in route.params):
                self.refused(self.form(self.path_of(route)), route.handler)

    def test_methods(self):
        for path in ('/sharing/rest/portals/self', self.content('addItem'), self.url + '/0/query', '/', '/nothing'):
            for method in ('PUT', 'DELETE', 'PATCH', 'TRACE', 'CONNECT', 'BREW'):
                answer = self.ask(path + '?f=json', method=method)
                self.assertIn(answer.status, (400, 405, 501), f'{method} {path}: {answer}')
        for route in routes():
            if route.methods == 'METHOD_POST':
                answer = self.ask(self.path_of(route) + '?f=json', method='GET')
                self.assertEqual((answer.status, answer.error['code']), (405, 405), f'GET {route.pattern}: {answer}')
        self.assertEqual(self.ask('/healthz', '', method='POST').status, 405)

    # ---- bodies

    def test_broken_multipart(self):
        field = b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nT\r\n'
        file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n' + b'x' * 100_000 + b'\r\n'
        kind = b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\nPDF\r\n'
        whole = field + kind + file + b'--b--\r\n'
        bodies = {'empty': b'', 'no part': b'--b--\r\n', 'no end': field + kind + file, 'preamble': b'hello\r\n' + whole, 'epilogue': whole + b'more',
                  'no name': whole.replace(b'name="title"', b'nam="title"'), 'no disposition': whole.replace(b'Content-Disposition: form-data; name="title"', b'X: y'),
                  'no colon': whole.replace(b'Content-Type: application/pdf', b'nonsense'), 'encoding': whole.replace(b'Content-Type', b'Content-Transfer-Encoding: base64\r\nContent-Type'),
                  'other boundary': whole.replace(b'--b', b'--c'), 'long header': whole.replace(b'Content-Type', b'X: ' + b'y' * 20_000 + b'\r\nContent-Type'),
                  'NUL in a name': whole.replace(b'"title"', b'"ti\0tle"'), 'name is no UTF-8': whole.replace(b'a.pdf', b'\xff\xfe.pdf'), 'value is no UTF-8': whole.replace(b'\r\nT\r\n', b'\r\n\xc0\xaf\r\n'),
                  'NUL in a value': whole.replace(b'\r\nT\r\n', b'\r\nT\0\r\n'), 'too many parts': field * 5000 + b'--b--\r\n',
                  'too many files': file.replace(b'x' * 100_000, b'x') * 200 + b'--b--\r\n'}
        bodies.update({f'cut at {n}': whole[:n] for n in (1, 4, 20, len(field), len(field) + 30, 5000, len(whole) - 30, len(whole) - 5)})
        for name, body in bodies.items():
            with self.subTest(name):
                answer = self.multipart(self.content('addItem'), body)
                self.refused(answer, name, (400, 413))
                self.nothing_left()
        for content_type in ('multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary=' + 'x' * 71, 'multipart/form-data; boundary="b'):
            self.refused(self.ask(self.content('addItem') + '?f=json', whole, content_type), content_type)
        self.refused(self.multipart('/sharing/rest/community/createGroup', file + b'--b--\r\n'), 'a file where none is taken')

    def test_deep_json(self):
        for deep in (DEEP, DEEP_OBJECT):
            self.refused(self.form(self.content('addItem'), title='Deep', type='Web Map', text=deep), 'addItem')
            self.refused(self.form(self.content(f'items/{self.item}/update'), text=deep), 'update')
            self.refused(self.form(self.content('createService'), createParameters=f'{{"name":"deep","x":{deep}}}', outputType='featureService'), 'createParameters')
            self.refused(self.form(self.url + '/0/addFeatures', features=f'[{{"attributes":{{"name":{deep}}}}}]'), 'features')
            self.refused(self.form(self.url.replace('/rest/', '/rest/admin/') + '/addToDefinition', addToDefinition=f'{{"layers":[{deep}]}}'), 'addToDefinition')
            self.refused(self.form(self.url + '/0/query', geometry=deep, geometryType='esriGeometryEnvelope'), 'geometry')
        for where in ('(' * 10_000 + '1=1' + ')' * 10_000, 'NOT ' * 10_000 + '1=1', '1=1' + ' AND 1=1' * 100_000, "name LIKE '" + '%_' * 10_000 + "'"):
            answer = self.form(self.url + '/0/query', where=where, returnCountOnly='true')
            self.assertLess(answer.status, 500, answer)
        self.refused(self.form('/sharing/rest/search', q='(' * 10_000), 'q')

    def large(self, path, head, tail, content_type, size=100_000_000):
        """A field of 100 MB, sent piece by piece; the answer, or None when the portal cut the connection."""
        with socket.create_connection(('127.0.0.1', self.server.port), timeout=60) as s:
            s.sendall(f'POST {path}?f=json HTTP/1.1\r\nHost: x\r\nReferer: {self.server.url}\r\nX-Esri-Authorization: Bearer {self.admin.token}\r\nContent-Type: {content_type}\r\n'
                      f'Content-Length: {len(head) + size + len(tail)}\r\nConnection: close\r\n\r\n'.encode() + head)
            piece, sent = b'a' * 65536, 0
            try:
                while sent < size:
                    s.sendall(piece[:size - sent])
                    sent += len(piece)
                s.sendall(tail)
            except OSError:
                pass
            data = b''
            try:
                while more := s.recv(65536):
                    data += more
            except OSError:
                pass
        if not data:
            return None
        head, _, body = data.partition(b'\r\n\r\n')
        return Answer(int(head.split()[1]), body)

    def test_a_field_of_100_mb(self):
        for path in (self.content('addItem'), self.content('createService'), '/sharing/rest/community/createGroup', self.url + '/0/addFeatures', '/sharing/rest/generateToken'):
            for field in ('title', 'text', 'features', 'unknown'):
                for answer in (self.large(path, f'{field}='.encode(), b'', 'application/x-www-form-urlencoded'),
                               self.large(path, f'--b\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n'.encode(), b'\r\n--b--\r\n', 'multipart/form-data; boundary=b')):
                    self.assertIsNotNone(answer, f'{path} {field}: no answer')
                    self.assertIsNotNone(answer.error, f'{path} {field}: {answer}')
                    self.assertIn(answer.error['code'], (400, 413), f'{path} {field}: {answer}')
        answer = self.large(self.content('addItem'), b'a&' * 100, b'', 'application/x-www-form-urlencoded', 0)
        self.refused(answer, 'names alone')
        self.refused(self.ask(self.content('addItem') + '?f=json', 'x=1&' * 50_000), 'many fields', (400, 413))

    def test_nul_and_invalid_utf8(self):
        for value in ('%00', 'a%00b', '%ff', '%c0%af', '%ed%a0%80', '%f4%90%80%80', 'a%c3'):
            for body in (f'title={value}&type=PDF&text=x', f'title=x&type={value}&text=x', f'title=x&type=Web+Map&text={{"a":"{value}"}}', f'title=x&type=Web+Map&text={{}}&{value}=1',
                         f'title=x&type=Web+Map&text={{}}&tags=a,{value}'):
                self.refused(self.ask(self.content('addItem') + '?f=json', body), body)
            self.refused(self.ask(f'/sharing/rest/search?f=json&q={value}', method='GET'), 'q=' + value)
            self.refused(self.ask(self.url + f'/0/query?f=json&where=name%3D%27{value}%27', method='GET'), 'where')
            for path in (f'/sharing/rest/content/items/{value}', f'/sharing/rest/content/items/{self.item}/resources/{value}', self.content(f'items/{value}/delete'),
                         f'/sharing/rest/community/users/{value}', f'/server/rest/services/Hosted/{value}/FeatureServer', f'/{value}'):
                answer = self.ask(path + '?f=json', '')
                self.assertIsNotNone(answer.error, f'{path}: {answer}')
                self.assertLess(answer.status, 500, f'{path}: {answer}')

    def test_paths_that_lead_out(self):
        ups = ('../../../../portal.db', '..%2f..%2f..%2fportal.db', '%2e%2e/%2e%2e/portal.db', '%2e%2e%2f%2e%2e%2fportal.db', '%252e%252e%252fportal.db', '/etc/passwd', '%2fetc%2fpasswd',
               '..%5c..%5cportal.db', 'a/../../portal.db', './a.png', '.%00./x')
        for up in ups:
            for base in (f'/sharing/rest/content/items/{self.item}/resources/', f'/sharing/rest/content/items/{self.item}/info/', '/', '/sharing/rest/content/items/', '/server/rest/services/Hosted/'):
                answer = self.ask(base + up, method='GET')
                self.assertGreaterEqual(answer.status, 400, f'{base}{up}: {answer}')
                self.assertLess(answer.status, 500, f'{base}{up}: {answer}')
                self.assertNotIn(b'SQLite format', answer.data)
                self.assertNotIn(b'root:', answer.data)
        for name in ('../x.png', '..', '.', '/x.png', 'a/../../x.png', 'x\nx.png', ''):
            for fields in ({'fileName': name}, {'fileName': 'x.png', 'resourcesPrefix': '../' + name}):
                if fields == {'fileName': ''}:
                    continue
                try:
                    self.admin.call(self.admin.content(f'items/{self.item}/addResources'), text='{}', **fields)
                except RestError as e:
                    self.assertEqual(e.error['code'], 400, e)
                else:
                    self.fail(f'addResources {fields} was taken')
            for field in ('fileName', 'folderName'):
                self.refused(self.form(self.content(f'items/{self.item}/updateinfo'), text='x', **{'fileName': 'x.txt', field: '../' + name}), f'updateinfo {field} {name!r}')

    def test_a_file_name_with_a_path(self):
        for name in ('../../../../evil/a.pdf', '/tmp/evil.pdf', '..', '.'):
            with self.assertRaises(RestError) as caught:
                self.admin.add('PDF', 'Named', file=(name, moving.PDF))
            self.assertEqual(caught.exception.error['code'], 400)
            self.assertFalse(os.path.exists(os.path.join(self.server.data, '..', 'evil')))

    def raw(self, data, wait=10):
        """What comes back for raw bytes."""
        with socket.create_connection(('127.0.0.1', self.server.port), timeout=wait) as s:
            out = b''
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while more := s.recv(65536):
                    out += more
            except OSError:
                pass
            return out

    def test_requests_that_are_no_http(self):
        cases = {'long header': b'GET / HTTP/1.1\r\nHost: x\r\nX: ' + b'y' * 1_000_000 + b'\r\n\r\n', 'many headers': b'GET / HTTP/1.1\r\nHost: x\r\n' + b'X: y\r\n' * 50_000 + b'\r\n',
                 'long path': b'GET /' + b'a' * 1_000_000 + b' HTTP/1.1\r\nHost: x\r\n\r\n', 'long query': b'GET /sharing/rest?' + b'a=b&' * 100_000 + b' HTTP/1.1\r\nHost: x\r\n\r\n',
                 'not HTTP': b'\x16\x03\x01\x02\x00\x01\x00', 'no version': b'GET /\r\n\r\n', 'negative length': b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
                 'two lengths': b'POST /sharing/rest/info HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nf=json', 'length and chunks': b'POST /sharing/rest/info HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
                 'huge length': b'POST /sharing/rest/info HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n', 'bad chunk': b'POST /sharing/rest/info HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
                 'NUL in a header': b'GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n', 'empty': b'\r\n\r\n\r\n'}
        for name, data in cases.items():
            answer = self.raw(data)
            self.assertFalse(answer.startswith((b'HTTP/1.1 5', b'HTTP/1.0 5')) and not answer.startswith((b'HTTP/1.1 505', b'HTTP/1.1 501')), f'{name}: {answer[:200]!r}')
            self.assertIsNone(self.server.process.poll(), name)
            self.assertEqual(self.ask('/healthz', method='GET').status, 200, name)

    # ---- uploads

    def upload_head(self, size):
        head = b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nCut\r\n--b\r\nContent-Disposition: form-data; name="type"\r\n\r\nPDF\r\n' \
               b'--b\r\nContent-Disposition: form-data; name="file"; filename="cut.pdf"\r\n\r\n'
        tail = b'\r\n--b--\r\n'
        request = (f"POST {self.content('addItem')}?f=json HTTP/1.1\r\nHost: x\r\nReferer: {self.server.url}\r\nX-Esri-Authorization: Bearer {self.admin.token}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                   f'Content-Length: {len(head) + size + len(tail)}\r\nConnection: close\r\n\r\n').encode()
        return request + head, tail

    def test_uploads_that_are_cut_off(self):
        head, tail = self.upload_head(2_000_000)
        for sent in (0, 100, 40_000, 1_999_999, 2_000_000):
            s = socket.create_connection(('127.0.0.1', self.server.port), timeout=30)
            s.sendall(head + b'x' * sent)
            if sent > 100_000:
                poll(lambda: os.listdir(os.path.join(self.server.data, 'content', 'tmp')), 10)  # it is really on its way
            s.close()
            self.nothing_left()
        for sent in (0, 500_000):  # cut by a reset
            s = socket.create_connection(('127.0.0.1', self.server.port), timeout=30)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
            s.sendall(head + b'x' * sent)
            s.close()
            self.nothing_left()

    def test_slow_uploads(self):
        """Twenty that dribble do not keep others from being served; half of them give up, half end well."""
        head, tail = self.upload_head(50_000)
        sockets = []
        for _ in range(20):
            s = socket.create_connection(('127.0.0.1', self.server.port), timeout=30)
            s.sendall(head)
            sockets.append(s)
        for n in range(50):
            for s in sockets:
                s.sendall(b'x' * 1000)
            if n == 25:
                started = time.monotonic()
                self.assertEqual(self.ask('/sharing/rest/portals/self?f=json', method='GET').status, 200)
                self.assertLess(time.monotonic() - started, 2)
                for s in sockets[10:]:
                    s.close()
                del sockets[10:]
        made = []
        for s in sockets:
            s.sendall(tail)
        for s in sockets:
            data = b''
            while more := s.recv(65536):
                data += more
            made.append(json.loads(data.partition(b'\r\n\r\n')[2]))
            s.close()
        good = [m['id'] for m in made if m.get('success')]
        self.assertTrue(good)
        for m in made:  # the file's name is unique in a folder: all but one are refused, or none
            self.assertTrue(m.get('success') or m['error']['code'] == 409, m)
        for item in good:
            self.admin.call(self.admin.content(f'items/{item}/delete'))

    # ---- other people

    def test_other_peoples_things(self):
        jobs = self.admin.started(self.group, 'export', previewOnly='false', itemIdList=MISSING)
        self.admin.ended(jobs)
        about = {'title': 'Mine now'}
        cases = [(self.content(f'items/{self.item}/{op}'), about) for op in ('update', 'delete', 'move', 'protect', 'share', 'reassign', 'addResources', 'removeResources', 'updateinfo', 'deleteThumbnail')]
        cases += [(self.content(f'items/{self.item}/{op}', 'other'), about) for op in ('update', 'delete', 'protect', 'addResources')]
        cases += [(self.content(op), {'title': 'x', 'type': 'PDF', 'text': 'x', 'items': self.item}) for op in ('addItem', 'createFolder', f'{self.folder}/delete', f'{self.folder}/addItem')]
        cases += [(f'/sharing/rest/community/groups/{self.group}/{op}', {'users': 'other', 'title': 'x', 'itemId': self.item}) for op in ('update', 'delete', 'addUsers', 'removeUsers', 'protect', 'export', 'import', 'join')]
        cases += [(f'/sharing/rest/content/items/{i}{rest}', {}) for i in (self.item, self.file, self.service) for rest in ('', '/data', '/resources', '/groups', '/relatedItems')]
        cases += [(f"/sharing/rest/portals/self/jobs/{jobs['jobId']}{rest}", {'key': key}) for rest in ('', '/cancel') for key in ('', 'A' * 43 + '=', jobs['key'])]
        cases += [('/portaladmin/security/users/createUser', {'username': 'mallory', 'password': moving.PASSWORD, 'role': 'org_admin'})]
        cases += [(self.content('createService'), {'createParameters': '{"name":"theirs"}', 'outputType': 'featureService'})]
        cases += [(self.url + rest, {'where': '1=1', 'features': '[{"attributes":{"name":"x"}}]'}) for rest in ('', '/0', '/0/query', '/0/addFeatures', '/layers', '/0/1/attachments/1')]
        cases += [(self.url.replace('/rest/', '/rest/admin/') + rest, {'updateDefinition': '{"description":"x"}', 'addToDefinition': '{"tables":[]}'}) for rest in ('', '/0', '/updateDefinition', '/addToDefinition')]
        for path, fields in cases:
            for person in ('other', 'viewer', None):
                fields = dict(fields, groups=self.group, folder=self.folder, targetUsername='other', resource='images/a.png', fileName='x.txt', deleteAll='false')
                answer = self.form(path, person, **fields)
                self.assertIsNotNone(answer.error, f'{person} {path}: {answer}')
                self.assertIn(answer.error['code'], (400, 403, 404, 499), f'{person} {path}: {answer}')
                self.assertLess(answer.status, 500, path)
        for person in ('other', None):
            answer = self.form('/sharing/rest/search', person, q=f'id:{self.item} OR id:{self.service}')
            self.assertEqual(answer.json['results'], [])
        answer = self.form(self.content('shareItems', 'other'), 'other', items=self.item, groups=self.group, everyone='true')
        self.assertNotIn('"success":true', answer.data.decode().replace(' ', ''))

    def test_tokens(self):
        for token in ('x', '', 'A' * 43, 'ü', 'a' * 10_000):
            answer = self.ask('/sharing/rest/community/self?f=json&token=' + urllib.parse.quote(token), method='GET', person=None)
            self.refused(answer, token[:20], (498, 499))
        self.refused(self.form('/sharing/rest/generateToken', None, username='admin', password='wrong', client='referer', referer='x'), 'password')


def mounted(size):
    """A folder on a file system of its own; None where that is not allowed."""
    folder = tempfile.mkdtemp(prefix='mapferry-disk-')
    if os.geteuid() == 0 and subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', folder], capture_output=True).returncode == 0:
        return folder
    os.rmdir(folder)
    return None


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.disk = mounted('24m')
        if not self.disk:
            self.skipTest('needs the right to mount a small tmpfs')
        self.addCleanup(os.rmdir, self.disk)
        self.addCleanup(subprocess.run, ['umount', self.disk])
        self.server = Server(data=os.path.join(self.disk, 'data'), **{'store.minFreeBytes': '1'})
        self.addCleanup(self.server.close)
        self.person = self.server.sign_in()
        self.group = self.person.group('G')
        self.items = [self.person.add('PDF', 'Here', file=('here.pdf', moving.PDF + bytes(100_000)), group=self.group)]

    def fill(self):
        with open(os.path.join(self.disk, 'filler'), 'wb') as f:
            try:
                for size in (65536, 4096, 1):
                    try:
                        while True:
                            f.write(b'\1' * size)
                            f.flush()
                    except OSError:
                        pass
            finally:
                try:
                    f.close()
                except OSError:
                    pass

    def free(self):
        os.unlink(os.path.join(self.disk, 'filler'))

    def refused(self, **fields):
        with self.assertRaises(RestError) as caught:
            self.person.add('PDF', 'Too much', **fields)
        self.assertRegex(str(caught.exception.error), r'(?i)no space left|disk is full|bytes free')
        return caught.exception.error

    def unchanged(self):
        self.assertEqual(sorted(self.person.own_items()), self.items)
        self.assertEqual(os.listdir(os.path.join(self.server.data, 'content', 'tmp')), [])

    def checked(self):
        self.server.end()
        run = subprocess.run([moving.PROGRAM, 'check', self.server.data, '--read-data'], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run)
        self.assertIn('database and stores agree', run.stdout)
        self.server.start()

    def test_a_file_larger_than_the_disk(self):
        self.refused(file=('large.pdf', bytes(30_000_000)))
        self.unchanged()
        self.checked()
        self.items.append(self.person.add('PDF', 'Fits', file=('large.pdf', bytes(1_000_000))))
        self.items.sort()
        self.unchanged()

    def test_a_disk_that_is_full(self):
        self.fill()
        self.refused(file=('small.pdf', b'%PDF' + os.urandom(500_000)))
        try:  # a small one lives in the database, whose log may have room yet
            for n in range(400):
                self.items.append(self.person.add('PDF', f'Small {n}', file=(f'{n}.pdf', os.urandom(30_000))))
            self.fail('the disk did not become full')
        except RestError as e:
            self.assertRegex(str(e.error), r'(?i)no space left|full|bytes free')
        self.items.sort()
        self.unchanged()
        for operation in ('export', 'import'):
            with self.assertRaises(RestError) as caught:
                job = self.person.ended(self.person.started(self.group, operation, itemId=self.items[0]))
                raise RestError(operation, job['messages'] if job['status'] == 'failed' else 'it went through')
            self.assertRegex(str(caught.exception), r'(?i)no space left|full|bytes free|Export Package is needed')
        self.free()
        self.checked()
        self.items.append(self.person.add('PDF', 'Again', file=('again.pdf', os.urandom(500_000))))
        self.items.sort()
        self.unchanged()
        job = self.person.export_job(self.group)
        self.assertEqual(job['status'], 'succeeded', job['messages'])


if __name__ == '__main__':
    moving.main()
