#!/usr/bin/env python3
"""The doors of the portal, over bare sockets: many connections that say nothing or too slowly keep nobody else out and cost little, one
client cannot take all places, and HTTP is read in one way only."""
import contextlib
import gzip
import http.client
import json
import os
import re
import resource
import socket
import sys
import time
import unittest
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import Server, poll  # noqa: E402

RESIDENT_MAX_KIB = 64 * 1024
CROWD = '127.0.0.2'  # where the crowd comes from: of this machine, but no proxy that would be trusted
SELF = '/sharing/rest/portals/self?f=json'
GET = b'GET ' + SELF.encode() + b' HTTP/1.1\r\nHost: h\r\n\r\n'
SLOW_UPLOAD = b'POST /sharing/rest/generateToken HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n'


def answer_of(s):
    """Head and body of one answer with a Content-Length, and not a byte more."""
    head, body = b'', b''
    while not head.endswith(b'\r\n\r\n') and (more := s.recv(1)):
        head += more
    length = int((re.search(rb'(?i)content-length: (\d+)', head) or [0, 0])[1])
    while len(body) < length and (more := s.recv(length - len(body))):
        body += more
    return head, body


class Doors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(**{'http.maxConnections': '400', 'http.maxPerAddress': '200'})
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.crowd = contextlib.ExitStack()
        self.addCleanup(self.crowd.close)

    def dial(self, address='127.0.0.1', say=b''):
        s = self.crowd.enter_context(socket.socket())
        s.settimeout(30)
        s.bind((address, 0))
        s.connect(('127.0.0.1', self.server.port))
        s.sendall(say)
        return s

    def ask(self, path=SELF, method='GET', body=None, **headers):
        connection = http.client.HTTPConnection('127.0.0.1', self.server.port, timeout=30)
        try:
            connection.request(method, path, body, {k.replace('_', '-'): v for k, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def others_are_served(self):
        times = []
        for _ in range(20):
            started = time.monotonic()
            self.assertEqual(self.ask()[0], 200)
            times.append(time.monotonic() - started)
        self.assertLess(sorted(times)[len(times) // 2], 1, times)
        with open(f'/proc/{self.server.process.pid}/status') as f:
            peak = int(re.search(r'VmHWM:\s+(\d+)', f.read()).group(1))
        self.assertLess(peak, RESIDENT_MAX_KIB, 'resident memory')

    # ---- crowds

    def test_ten_thousand_connections_that_say_nothing(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = min(10_000, hard // 2 - 200)  # the portal has the same limit, and keeps half of it for this
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 500) if hard >= count + 500 else hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for n in range(count):
            self.dial(CROWD, say=b'GET / HTTP/1.1\r\nHost: h\r\n' if n % 2 else b'')
        self.others_are_served()
        waiting = int(re.search(rb'mapferry_http_connections_waiting (\d+)', self.ask('/metrics')[2]).group(1))
        self.assertGreater(waiting, count // 2)

    def test_connections_that_are_kept(self):
        """Those that wait for their next request make room for those that have one."""
        first = self.dial(CROWD, GET)
        self.assertIn(b' 200 ', answer_of(first)[0])
        for _ in range(300):
            self.assertIn(b' 200 ', answer_of(self.dial(CROWD, GET))[0])
        self.others_are_served()
        self.assertEqual(first.recv(1), b'')

    def test_bodies_that_do_not_come(self):
        for _ in range(500):
            self.dial(CROWD, SLOW_UPLOAD + b'\r\nx')
        self.others_are_served()

    def test_answers_that_nobody_takes(self):
        """Whoever takes an answer a few bytes at a time is cut, and what he asked for is given back; others are not kept waiting."""
        with Server_(**{'http.slowSeconds': '1'}) as server:
            person = server.sign_in()
            item = person.add('CAD Drawing', 'Large', file=('large.dwg', bytes(16 << 20)))
            path = f'/sharing/rest/content/items/{item}/data?token={person.token}'
            crowd = []
            for _ in range(20):
                s = self.crowd.enter_context(socket.socket())
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                s.connect(('127.0.0.1', server.port))
                s.sendall(f'GET {path} HTTP/1.1\r\nHost: h\r\nReferer: {server.url}\r\n\r\n'.encode())
                self.assertEqual(s.recv(12), b'HTTP/1.1 200')
                crowd.append(s)
            counter = re.compile(rb'mapferry_http_cut_total (\d+)')

            def all_cut():
                for s in crowd:
                    with contextlib.suppress(OSError):
                        s.recv(1)
                return int(counter.search(urllib.request.urlopen(server.url + '/metrics').read()).group(1)) >= len(crowd)
            poll(all_cut)
            self.assertEqual(person.call(f'/sharing/rest/content/items/{item}')['size'], 16 << 20)

    def test_clients_behind_a_proxy_have_a_limit_each(self):
        with Server_(**{'http.maxPerAddress': '2'}) as server:
            self.server, mine = server, self.server
            self.addCleanup(setattr, self, 'server', mine)

            def refused():
                """One that comes before the others are seen takes a place from them, so more of them are sent."""
                self.dial(say=SLOW_UPLOAD + b'X-Forwarded-For: 192.0.2.1\r\n\r\nx')
                answer = self.ask(X_Forwarded_For='192.0.2.1')
                return answer if answer[0] == 503 else None
            _, headers, body = poll(refused)
            self.assertEqual(json.loads(body)['error']['code'], 503)
            self.assertTrue(headers['Retry-After'])
            self.assertEqual(self.ask(X_Forwarded_For='192.0.2.2')[0], 200)
            self.assertEqual(self.ask()[0], 200)
            self.crowd.close()
            poll(lambda: self.ask(X_Forwarded_For='192.0.2.1')[0] == 200)

    # ---- HTTP

    def test_requests_behind_each_other(self):
        """Pipelining: answers come in order, one each."""
        s = self.dial(say=GET + b'POST /sharing/rest/info HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nf=json' + b'HEAD /sharing/rest?f=json HTTP/1.1\r\nHost: h\r\n\r\n'
                      + b'GET /nothing/here?f=json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
        data = b''
        while more := s.recv(65536):
            data += more
        self.assertEqual(data.count(b'HTTP/1.1 '), 4)
        first, second, third, fourth = data.split(b'HTTP/1.1 ')[1:]
        self.assertIn(b'"isPortal"', first)
        self.assertIn(b'"authInfo"', second)
        self.assertTrue(third.startswith(b'200 ') and third.endswith(b'\r\n\r\n'), third)
        self.assertEqual(json.loads(fourth.partition(b'\r\n\r\n')[2])['error']['code'], 404)

    def test_bodies_in_chunks(self):
        chunks = b''.join(b'%x;note=x\r\n%s\r\n' % (len(piece), piece) for piece in (b'f=', b'pj', b'son&q=*')) + b'0\r\nTrailer: x\r\n\r\n'
        s = self.dial(say=b'POST /sharing/rest/search HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n' + chunks + GET)
        self.assertIn(b'"results": []', answer_of(s)[1])
        self.assertIn(b'"isPortal"', answer_of(s)[1])

    def test_a_body_is_asked_for_before_it_is_sent(self):
        head = b'POST %s HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n'
        s = self.dial(say=head % (b'/sharing/rest/info', 6))
        self.assertTrue(s.recv(100).startswith(b'HTTP/1.1 100 Continue'))
        s.sendall(b'f=json')
        self.assertIn(b'"authInfo"', answer_of(s)[1])
        for path, length, code in ((b'/nothing/here', 6, 404), (b'/sharing/rest/info', 50_000_000, 413)):  # refused before a byte of it
            s = self.dial(say=head % (path, length))
            if length < 1000:
                self.assertIn(b' 100 ', s.recv(100))
                s.sendall(b'f=json')
            head_, body = answer_of(s)
            self.assertIn(b' %d ' % code, head_)
            self.assertEqual(json.loads(body)['error']['code'], code)

    def test_a_length_that_is_wrong(self):
        short = self.dial(say=b'POST /sharing/rest/info HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nf=json')
        short.shutdown(socket.SHUT_WR)
        self.assertNotIn(b' 200 ', answer_of(short)[0])
        long = self.dial(say=b'POST /sharing/rest/info HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nf=jsonGET /x HTTP/1.1\r\nHost: h\r\n\r\n')
        self.assertIn(b' 200 ', answer_of(long)[0])
        self.assertIn(b' 404 ', answer_of(long)[0])  # what is behind the body is the next request

    def test_heads_that_can_be_read_in_two_ways(self):
        """A space before the colon, a folded line, a bare CR: refused, or read as what RFC 9112 says, and never as a body that hides a request."""
        shapes = [b'Content-Length : 3', b'Content-Length: 3\r\n 4', b'Transfer-Encoding : chunked', b'X: y\rContent-Length: 3', b'Content-Length:\x0b3', b'Transfer-Encoding:\x0bchunked',
                  b'Content-Length: 3\r\nTransfer-Encoding:', b'Content-Length: 0x3', b'Content-Length: -0', b'\x00Content-Length: 3', b'Transfer-Encoding: chunked\r\nTransfer-encoding: chunked']
        for shape in shapes:
            with self.subTest(shape=shape):
                s = self.dial(say=b'POST /sharing/rest/info?f=json HTTP/1.1\r\nHost: h\r\n' + shape + b'\r\n\r\nabcGET /smuggled?f=json HTTP/1.1\r\nHost: h\r\n\r\n')
                s.shutdown(socket.SHUT_WR)
                data = b''
                with contextlib.suppress(ConnectionResetError):
                    while more := s.recv(65536):
                        data += more
                self.assertNotIn(b'There is nothing at this path', data)  # the answer to /smuggled


    # ---- what answers say

    def test_addresses_in_answers_are_those_that_the_client_uses(self):
        """Behind a proxy that ends TLS, by its headers; and only by those of a proxy that is trusted."""
        def owning(**headers):
            return json.loads(self.ask('/server/rest/info?f=json', **headers)[2])['owningSystemUrl']
        host = f'127.0.0.1:{self.server.port}'
        self.assertEqual(owning(), f'http://{host}')
        self.assertEqual(owning(X_Forwarded_Proto='https', X_Forwarded_Host='gis.example.com'), 'https://gis.example.com')
        self.assertEqual(owning(X_Forwarded_Proto='https', X_Forwarded_Host='gis.example.com', X_Forwarded_Port='7443'), 'https://gis.example.com:7443')
        self.assertEqual(owning(Forwarded='for=192.0.2.1;proto=https;host="gis.example.com:8443"'), 'https://gis.example.com:8443')
        self.assertEqual(owning(X_Forwarded_Host='evil.example/"><script>'), f'http://{host}')
        s = self.dial(CROWD, b'GET /server/rest/info?f=json HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\n\r\n')
        self.assertIn(b'"http://h"', answer_of(s)[1])
        with Server_(url='https://public.example/portal', context='/portal') as fixed:
            self.server, mine = fixed, self.server
            self.addCleanup(setattr, self, 'server', mine)
            self.assertEqual(owning(X_Forwarded_Host='other.example'), 'https://public.example/portal')
            self.assertEqual(json.loads(self.ask('/PORTAL//sharing/REST/info/?f=json')[2])['authInfo']['tokenServicesUrl'], 'https://public.example/portal/sharing/rest/generateToken')

    def test_pages_of_other_origins(self):
        app = 'https://app.example'
        for path, method, body in ((SELF, 'GET', None), ('/sharing/rest/community/self?f=json', 'GET', None), ('/nothing?f=json', 'GET', None), ('/sharing/rest/content/users/x/addItem', 'POST', 'f=json'),
                                   ('/sharing/rest/search', 'POST', 'f=json&num=x'), ('/sharing/rest/community/createGroup', 'POST', 'x' * 2_000_000)):
            with self.subTest(path=path):
                headers = self.ask(path, method, body, Origin=app, Content_Type='application/x-www-form-urlencoded')[1]
                self.assertEqual((headers['Access-Control-Allow-Origin'], headers['Access-Control-Allow-Credentials']), (app, 'true'))
                self.assertIn('Origin', headers['Vary'])
        status, headers, _ = self.ask('/sharing/rest/search', 'OPTIONS', Origin=app, Access_Control_Request_Method='POST', Access_Control_Request_Headers='x-esri-authorization,range')
        self.assertEqual(status, 204)
        self.assertIn('POST', headers['Access-Control-Allow-Methods'])
        for name in ('X-Esri-Authorization', 'Authorization', 'Range', 'Content-Type'):
            self.assertIn(name, headers['Access-Control-Allow-Headers'])

    def test_a_page_of_another_origin_cannot_use_the_cookie(self):
        sign_in = urllib.parse.urlencode({'username': 'admin', 'password': moving.PASSWORD, 'f': 'html'})
        form = {'Content_Type': 'application/x-www-form-urlencoded'}
        headers = self.ask('/sharing/rest/generateToken', 'POST', sign_in, **form)[1]
        self.assertRegex(headers['Set-Cookie'], 'HttpOnly; SameSite=Strict')
        self.assertEqual(headers['Cache-Control'], 'no-store')
        cookie = {'Cookie': headers['Set-Cookie'].partition(';')[0], **form}
        make = '/sharing/rest/community/createGroup'
        own = f'http://127.0.0.1:{self.server.port}'
        for page in ({}, {'Origin': 'https://evil.example'}, {'Origin': 'null'}, {'Origin': f'http://127.0.0.1:{self.server.port + 1}'}, {'Sec_Fetch_Site': 'cross-site'}, {'Sec_Fetch_Site': 'same-site'}):
            self.assertIn(b'Token Required', self.ask(make, 'POST', 'title=Forged&f=html', **cookie, **page)[2], page)
            self.assertIn(b'Token Required', self.ask(make, 'POST', 'title=Forged&f=json', **cookie, **page)[2], page)
        self.assertIn(b'&quot;success&quot;: true', self.ask(make, 'POST', 'title=Own&tags=t&f=html', Origin=own, **cookie)[2])
        self.assertIn(b'Token Required', self.ask(make, 'POST', 'title=Forged&f=json', Origin=own, **cookie)[2])  # programs send tokens

    def test_answers_are_packed_for_those_who_read_it(self):
        plain = self.ask()[2]
        _, headers, packed = self.ask(Accept_Encoding='br, gzip;q=0.8')
        self.assertEqual((headers['Content-Encoding'], gzip.decompress(packed)), ('gzip', plain))
        self.assertLess(len(packed), len(plain))
        head = self.ask(method='HEAD', Accept_Encoding='gzip')
        self.assertEqual((head[1]['Content-Encoding'], int(head[1]['Content-Length']), head[2]), ('gzip', len(packed), b''))
        self.assertIsNone(self.ask(Accept_Encoding='gzip;q=0')[1]['Content-Encoding'])

    def test_metrics_are_openmetrics(self):
        """Each sample belongs to the family that was declared before it, counters end in _total, and the text ends with EOF."""
        _, headers, body = self.ask('/metrics')
        self.assertEqual(headers['Content-Type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8')
        *lines, end, empty = body.decode().split('\n')
        self.assertEqual((end, empty), ('# EOF', ''))
        families, current = {}, None
        for line in lines:
            if line.startswith('# TYPE '):
                current, kind = line.split(' ')[2:]
                self.assertNotIn(current, families)
                self.assertFalse(current.endswith('_total'), line)
                families[current] = kind
            elif line.startswith('# HELP '):
                self.assertEqual(line.split(' ')[2], current)
            else:
                name, _, value = re.fullmatch(r'([a-z_]+)(\{[a-z]+="[^"]*"\})? (\d+)', line).groups()
                self.assertEqual(name, current + ('_total' if families[current] == 'counter' else ''), line)
                self.assertGreaterEqual(int(value), 0)
        self.assertGreater(len(families), 10)


class Server_(Server):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


if __name__ == '__main__':
    moving.main()
