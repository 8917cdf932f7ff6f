#!/usr/bin/env python3
"""dataUrl and thumbnailUrl: what the portal fetches by itself, and from where it does not."""
import http.server
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import RestError, Server, poll, read  # noqa: E402

ITEM = '/sharing/rest/content/items/'


class Source(http.server.BaseHTTPRequestHandler):
    """Another server, of the world outside. What it was asked, with which headers, is in `asked`."""
    protocol_version = 'HTTP/1.1'
    asked = []
    gate = threading.Event()

    def do_GET(self):
        path, _, query = self.path.partition('?')
        self.asked.append((self.path, dict(self.headers)))
        if path == '/to':
            return self.answer(302, b'', Location=query)
        if path == '/slow':
            self.gate.wait(60)
            return self.answer(200, b'slow')
        if path == '/named':
            return self.answer(200, b'a,b\n', **{'Content-Disposition': "attachment; filename*=UTF-8''Gro%C3%9F%20%E6%9D%B1.csv", 'Content-Type': 'text/csv'})
        if path == '/large':
            return self.answer(200, b'x' * 300_000)
        if path == '/endless':
            return self.endless()
        if path == '/pic.png':
            return self.answer(200, moving.png(4), **{'Content-Type': 'image/png'})
        if path.startswith('/data/'):
            return self.answer(200, b'name,lat,lon\na,1,2\n', **{'Content-Type': 'text/csv'})
        return self.answer(404, b'secret page')

    def answer(self, status, body, **headers):
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        for k, v in headers.items():
            self.send_header(k, v)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # who asked has gone
            pass

    def endless(self):
        self.send_response(200)
        self.send_header('Connection', 'close')
        self.end_headers()
        try:
            while True:
                self.wfile.write(b'x' * 65536)
        except OSError:
            pass

    def log_message(self, *args):
        pass


class Fetch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.source = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Source)
        threading.Thread(target=cls.source.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.source.server_close)
        cls.addClassCleanup(cls.source.shutdown)
        cls.at = f'http://127.0.0.1:{cls.source.server_port}'
        cls.server = Server(**{'fetch.networks': '127.0.0.1', 'http.maxUploadBytes': '200K', 'fetch.maxSeconds': '60'})
        cls.addClassCleanup(cls.server.close)
        cls.person, cls.viewer = cls.server.add_user('ferry'), cls.server.add_user('viewer', 'iAAAAAAAAAAAAAAA')

    def add(self, url, **fields):
        return self.person.call(self.person.content('addItem'), **dict({'type': 'CSV', 'title': 'fetched', 'dataUrl': url}, **fields))['id']

    def error(self, url, **fields):
        return self.person.error(self.person.content('addItem'), **dict({'type': 'CSV', 'title': 'fetched', 'dataUrl': url}, **fields))

    def test_data_and_thumbnail(self):
        item = self.add(self.at + '/data/points%20%C3%BC.csv?token=abc', thumbnailUrl=self.at + '/pic.png', tags='a')
        about = self.person.item(item)
        self.assertEqual((about['name'], about['size'], about['thumbnail']), ('points ü.csv', 19, 'thumbnail/pic.png'))
        self.assertEqual(self.person.item_data(item), b'name,lat,lon\na,1,2\n')
        self.assertEqual(self.person.data(f'{ITEM}{item}/info/thumbnail/pic.png')[1], moving.png(4))
        self.person.call(self.person.content(f'items/{item}/update'), dataUrl=self.at + '/named')
        self.assertEqual((self.person.item(item)['name'], self.person.item_data(item)), ('Groß 東.csv', b'a,b\n'))
        for _, headers in Source.asked:
            self.assertFalse({'authorization', 'cookie', 'x-esri-authorization', 'referer'} & {h.lower() for h in headers}, headers)

    def test_later(self):
        Source.gate.clear()
        item = self.add(self.at + '/slow', **{'async': 'true', 'fileName': 'later.csv', 'tags': 'x,y'})
        status = self.person.content(f'items/{item}/status')
        self.assertEqual(self.person.call(status)['status'], 'processing')
        Source.gate.set()
        self.assertEqual(poll(lambda: (lambda s: s if s['status'] != 'processing' else None)(self.person.call(status))), {'status': 'completed', 'statusMessage': 'completed', 'itemId': item})
        self.assertEqual((self.person.item(item)['name'], self.person.item(item)['tags'], self.person.item_data(item)), ('later.csv', ['x', 'y'], b'slow'))
        self.person.call(self.person.content(f'items/{item}/update'), dataUrl=self.at + '/nothing', **{'async': 'true'})
        failed = poll(lambda: (lambda s: s if s['status'] != 'processing' else None)(self.person.call(status)))
        self.assertEqual(failed['status'], 'failed')
        self.assertIn('404', failed['statusMessage'])
        self.assertEqual(self.person.item_data(item), b'slow')

    def test_redirects(self):
        self.assertTrue(self.add(f'{self.at}/to?{self.at}/data/r1.csv', fileName='r1.csv'))
        loop = f'{self.at}/to?{self.at}/to?' * 8 + f'{self.at}/data/r2.csv'
        self.assertEqual(self.error(loop)['code'], 400)
        for target in ('http://127.0.0.2:1/', 'http://[::1]:1/', 'http://169.254.169.254/latest/', 'http://[::ffff:127.0.0.2]:1/', 'http://0.0.0.0:1/', 'http://localtest.invalid/', 'file:///etc/passwd',
                       'gopher://127.0.0.1/', 'ftp://127.0.0.1/x', f'http://user:pw@127.0.0.1:{self.source.server_port}/data/x'):
            error = self.error(f'{self.at}/to?{target}')
            self.assertEqual((error['code'], error['message']), (400, 'Unable to get the content from that address.'), target)
        self.assertIn('the address 169.254.169.254 is not public', self.error(f'{self.at}/to?http://169.254.169.254/')['details'][0])

    def test_what_is_refused(self):
        for url in ('file:///etc/passwd', 'ftp://127.0.0.1/', '/etc/passwd', 'x', 'http://', 'http://user:secret@127.0.0.1/', 'http://a b/', 'javascript:alert(1)'):
            error = self.error(url)
            self.assertEqual((error['code'], error['details']), (400, ["'dataUrl' has to be an http or https URL without a user name."]), url)
        for url in ('http://127.0.0.2/', 'http://localhost.invalid/', 'http://10.0.0.1/', 'http://[fe80::1]/', 'http://[fd00::1]/', 'http://2130706434/', 'http://0x7f.2/', 'http://0177.0.0.2/'):
            self.assertEqual(self.error(url)['message'], 'Unable to get the content from that address.', url)
        self.assertEqual(self.error(self.at + '/data/x', text='x')['details'], ["'dataUrl' cannot be given together with 'file' or 'text'."])
        self.assertIn('answered 404', self.error(self.at + '/nothing?token=abc123')['details'][0])
        self.assertNotIn('abc123', str(self.error(self.at + '/nothing?token=abc123')))
        self.assertNotIn(b'abc123', read(self.server.log))
        for path in ('/large', '/endless'):
            self.assertEqual(self.error(self.at + path)['code'], 400, path)
        before = len(Source.asked)
        for person, path in ((self.viewer, self.viewer.content('addItem')), (self.viewer, self.person.content('addItem')), (self.person, self.viewer.content('addItem'))):
            self.assertEqual(person.error(path, type='CSV', title='t', dataUrl=self.at + '/data/x')['code'], 403)
        self.assertEqual(len(Source.asked), before)  # who may not add does not make us ask anybody
        self.assertEqual(self.person.call('/sharing/rest/search', q='title:fetched AND name:x')['total'], 0)

    def test_time_is_limited(self):
        self.server.restart(**{'fetch.maxSeconds': '1'})
        try:
            Source.gate.clear()
            self.assertEqual(self.error(self.at + '/slow')['details'], ["'dataUrl': it took longer than 1 seconds."])
        finally:
            Source.gate.set()
            self.server.restart(**{'fetch.maxSeconds': '60'})

    def test_a_slow_source_holds_nothing_but_its_call(self):
        Source.gate.clear()
        calls = [threading.Thread(target=lambda i=i: self.add(self.at + '/slow', fileName=f'held{i}.csv')) for i in range(4)]
        for c in calls:
            c.start()
        poll(lambda: sum(p == '/slow' for p, _ in Source.asked[-4:]) == 4)
        with self.assertRaises(RestError) as refused:
            self.add(self.at + '/data/x.csv')
        self.assertEqual(refused.exception.error['code'], 503)
        self.assertTrue(self.person.call('/sharing/rest/community/self'))
        Source.gate.set()
        for c in calls:
            c.join()

    def test_without_the_setting_this_machine_is_out_of_reach(self):
        server = Server()
        try:
            person, before = server.add_user('ferry'), len(Source.asked)
            for url in (self.at + '/data/x.csv', self.at.replace('127.0.0.1', 'localhost') + '/data/x.csv', self.at.replace('127.0.0.1', '[::ffff:127.0.0.1]') + '/data/x.csv'):
                error = person.error(person.content('addItem'), type='CSV', title='t', dataUrl=url)
                self.assertRegex(error['details'][0], r"^'dataUrl': GET http://\S+: the address \S+ is not public$")
            self.assertEqual(len(Source.asked), before)
        finally:
            server.close()


if __name__ == '__main__':
    moving.main()
