#!/usr/bin/env python3
"""Callers who have not shown a token yet: what they send is taken in within limits, because clients send the token last, and nothing of it
stays; whoever shows a token first has no such limit, or is refused before a file is spooled."""
import http.client
import json
import os
import re
import socket
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import Server, poll  # noqa: E402

MIB = 1 << 20
ADD = '/sharing/rest/content/users/admin/addItem'


def part(name, value, filename=None):
    file = f'; filename="{filename}"' if filename else ''
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b'\r\n'


class Strangers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(**{'http.maxUnsignedBytes': '8M', 'http.maxTextBytes': '16M'})
        cls.addClassCleanup(cls.server.close)
        cls.admin = cls.server.sign_in()

    def tearDown(self):
        poll(lambda: not os.listdir(os.path.join(self.server.data, 'content', 'tmp')), 10)

    def send(self, body, path=ADD + '?f=json', **headers):
        connection = http.client.HTTPConnection('127.0.0.1', self.server.port, timeout=60)
        headers = dict({'Content-Type': 'multipart/form-data; boundary=b', 'Referer': self.server.url}, **{k.replace('_', '-'): v for k, v in headers.items()})
        try:
            connection.request('POST', path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def upload(self, name, size, first=(), last=()):
        fields = [('title', name.encode()), ('type', b'PDF')]
        return b''.join([part(*f) for f in list(first) + fields] + [part('file', b'x' * size, name)] + [part(*f) for f in last] + [b'--b--\r\n'])

    def token(self):
        return ('token', self.admin.token.encode())

    def taken(self, kind):
        return int(re.search(rf'mapferry_unsigned_{kind}_bytes (\d+)', self.admin.raw('/metrics', {}, method='GET')[2].decode()).group(1))

    def spooled(self):
        folder = os.path.join(self.server.data, 'content', 'tmp')
        return sum(os.stat(os.path.join(folder, n)).st_size for n in os.listdir(folder))

    def refused(self, answer, code):
        self.assertEqual(answer[1].get('error', {}).get('code'), code, answer)

    # ---- files

    def test_the_token_may_come_last(self):
        self.assertTrue(self.send(self.upload('last.pdf', 3 * MIB, last=[self.token()]))[1].get('success'))

    def test_too_much_before_a_token(self):
        answer = self.send(self.upload('large.pdf', 5 * MIB, last=[self.token()]))  # one address has half of the 8 MiB
        self.refused(answer, 503)
        self.assertEqual(answer[0], 503)
        self.assertIn('have not shown a token', answer[1]['error']['details'][0])
        self.assertTrue(self.send(self.upload('again.pdf', 3 * MIB, last=[self.token()]))[1].get('success'))  # what was refused counts no longer

    def test_a_token_that_comes_first_has_no_such_limit(self):
        ways = {'field': dict(body=self.upload('field.pdf', 12 * MIB, first=[self.token()])),
                'query': dict(body=self.upload('query.pdf', 12 * MIB), path=f'{ADD}?f=json&token={self.admin.token}'),
                'header': dict(body=self.upload('header.pdf', 12 * MIB), X_Esri_Authorization='Bearer ' + self.admin.token)}
        for way, request in ways.items():
            with self.subTest(way=way):
                self.assertTrue(self.send(**request)[1].get('success'))

    def test_a_token_that_is_none_is_refused_before_more_of_the_file_is_written(self):
        head = part('token', b'nonsense') + part('title', b'x') + b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        for request in (f'POST {ADD}?f=json HTTP/1.1', f'POST {ADD}?f=json&token=nonsense HTTP/1.1', f'POST {ADD}?f=json HTTP/1.1\r\nAuthorization: Bearer nonsense'):
            with socket.create_connection(('127.0.0.1', self.server.port), timeout=30) as s:
                s.sendall(f'{request}\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 10000000\r\n\r\n'.encode() + head + b'x' * 400_000)
                poll(lambda: self.spooled() > 0, 10)
                s.sendall(b'x' * 8_000_000)
                self.assertLess(self.spooled(), MIB)  # the rest is thrown away
                s.sendall(b'x' * (10_000_000 - len(head) - 8_400_000))  # the answer comes when the body is over
                data = b''
                while not data.endswith(b'}') and (more := s.recv(65536)):
                    data += more
            self.assertIn(b'"code":498', data)

    def test_others_have_a_share_of_their_own(self):
        """Two addresses, each with nearly its half; a third finds no room until one of them is gone."""
        crowd = []
        for address in ('192.0.2.1', '192.0.2.2'):
            s = socket.create_connection(('127.0.0.1', self.server.port), timeout=30)
            self.addCleanup(s.close)
            body = self.upload('share.pdf', 4 * MIB - 1000)
            s.sendall(f'POST {ADD}?f=json HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: {address}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body[:-20])
            crowd.append(s)
        poll(lambda: self.taken('disk') > 7 * MIB, 10)
        later = self.upload('third.pdf', 2 * MIB, last=[self.token()])
        self.refused(self.send(later, X_Forwarded_For='192.0.2.3'), 503)
        crowd[0].close()
        poll(lambda: self.taken('disk') < 5 * MIB, 10)
        self.assertTrue(self.send(later, X_Forwarded_For='192.0.2.3')[1].get('success'))
        crowd[1].close()

    # ---- text

    def test_text_without_a_token(self):
        """A text of the largest size may come before its token; a crowd of them has the limit of all together."""
        text = part('title', b'Large') + part('type', b'Web Map') + part('text', b'{"a":"' + b'x' * (15 * MIB) + b'"}')
        self.assertTrue(self.send(text + part(*self.token()) + b'--b--\r\n')[1].get('success'))
        crowd = []
        for _ in range(2):
            s = socket.create_connection(('127.0.0.1', self.server.port), timeout=30)
            self.addCleanup(s.close)
            s.sendall(f'POST {ADD}?f=json HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(text) + 10}\r\n\r\n'.encode() + text)
            crowd.append(s)
        poll(lambda: self.taken('memory') > 29 * MIB, 20)
        self.refused(self.send(text + b'--b--\r\n'), 503)
        self.assertTrue(self.admin.add('Web Map', 'Small', text={'version': '2.30'}))
        for s in crowd:
            s.close()
        poll(lambda: self.taken('memory') == 0, 20)
        self.assertTrue(self.send(text + part(*self.token()) + b'--b--\r\n')[1].get('success'))


if __name__ == '__main__':
    moving.main()
