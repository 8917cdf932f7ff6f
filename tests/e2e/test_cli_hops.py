#!/usr/bin/env python3
"""The way to a portal, hop by hop, against servers that do not behave: what the command line says, tries again, and puts right after an
interrupt."""
import http.server
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

import moving
from moving import PASSWORD, Server

SELF = {'username': 'fake', 'role': 'org_user', 'name': 'a portal', 'id': '1', 'currentVersion': '11.4', 'servers': []}


class FakePortal:
    """Answers by a function of (number of the call to that path, path, fields); what it returns is JSON, (status, headers, bytes), or None for
    no answer until the test ends."""

    def __init__(self, answer):
        self.calls, self.lock, self.over, self.reached = [], threading.Lock(), threading.Event(), threading.Event()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
                path, _, query = self.path.partition('?')
                fields = dict(urllib.parse.parse_qsl(query + ('&' + body.decode() if 'urlencoded' in self.headers.get('Content-Type', '') else '')))
                with fake.lock:
                    number = sum(p == path for p, _ in fake.calls) + 1
                    fake.calls.append((path, fields))
                found = answer(number, path, fields)
                if found is None:
                    fake.reached.set()
                    fake.over.wait(120)
                    return
                status, headers, data = found if isinstance(found, tuple) else (200, {}, json.dumps(found).encode())
                self.send_response(status)
                for k, v in dict(headers, **{'Content-Length': str(len(data))}).items():
                    self.send_header(k, v)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = handle_any

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def paths(self):
        with self.lock:
            return [p.removeprefix('/sharing/rest') for p, _ in self.calls]

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Hops(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='mapferry-hops-')
        self.addCleanup(self.folder.cleanup)

    def fake(self, answer):
        portal = FakePortal(answer)
        self.addCleanup(portal.close)
        return portal

    def environment(self, **env):
        clean = {k: v for k, v in os.environ.items() if not k.startswith('MAPFERRY_')}
        return dict(clean, XDG_CONFIG_HOME=self.folder.name, **env)

    def run_program(self, *args, **env):
        return subprocess.run([moving.PROGRAM, *args], env=self.environment(**env), capture_output=True, text=True, timeout=120)

    def fails(self, *args, says, code=1, **env):
        done = self.run_program(*args, **env)
        self.assertEqual((done.returncode, done.stdout), (code, ''), done.stderr)
        for s in says:
            self.assertIn(s, done.stderr)
        return done

    # ---- where it ends

    def test_the_hop_is_named(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            dead = f'127.0.0.1:{s.getsockname()[1]}'  # bound, and nobody listens
            env = {'MAPFERRY_USER': 'u', 'MAPFERRY_PASSWORD': 'p'}
            self.fails('whoami', 'http://no-such-host.invalid', says=['no-such-host.invalid', 'the name of the host is not known', 'spelled'], **env)
            self.fails('whoami', f'http://{dead}', says=[dead, 'no connection', 'Is the portal running'], **env)
            self.run_program('portal', 'add', 'proxied', 'http://127.0.0.1:1', '--proxy', 'http://no-such-proxy.invalid:1')
            self.fails('search', 'proxied', 'x', says=['the name of the proxy is not known', '--proxy'])
        plain = self.fake(lambda n, path, fields: SELF)
        self.fails('whoami', plain.url.replace('http:', 'https:'), says=['no TLS with it', 'Does this port speak HTTPS?'], **env)

    def test_what_does_not_speak_http(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            s.listen()

            def greet():
                c, _ = s.accept()
                c.sendall(b'220 mail.example.com ESMTP\r\n')
                c.recv(10000)
                c.close()
            thread = threading.Thread(target=greet)
            thread.start()
            self.fails('whoami', f'http://127.0.0.1:{s.getsockname()[1]}', says=['does not speak HTTP'], MAPFERRY_USER='u', MAPFERRY_PASSWORD='p')
            thread.join()

    def test_what_is_no_portal(self):
        for found in ((200, {'Content-Type': 'text/html'}, b'<html>A shop</html>'), (404, {}, b'not here'), (200, {}, b'')):
            portal = self.fake(lambda n, path, fields, found=found: found)
            self.fails('whoami', portal.url, says=[portal.url, f'HTTP {found[0]}', 'Is this the address of a portal?'], MAPFERRY_USER='u', MAPFERRY_PASSWORD='p')

    def test_a_portal_below_a_path_is_suggested(self):
        portal = self.fake(lambda n, path, fields: SELF if path == '/portal/sharing/rest' else (404, {}, b'not here'))
        done = self.fails('whoami', portal.url, says=[f'There is a portal at {portal.url}/portal: use that address.'], MAPFERRY_USER='u', MAPFERRY_PASSWORD='secret word')
        self.assertNotIn('secret word', done.stderr)

    def test_a_portal_below_a_path(self):
        server = Server(context='/portal')
        try:
            for base in ('/portal', '/portal/', '/portal/sharing/rest/', '/portal/home'):
                done = self.run_program('whoami', server.url + base, MAPFERRY_USER='admin', MAPFERRY_PASSWORD=PASSWORD)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f'server {server.url}/server: answers, federated with this portal', done.stderr)
        finally:
            server.close()

    def test_servers_that_do_not_answer_or_belong_to_others(self):
        other = self.fake(lambda n, path, fields: {'owningSystemUrl': 'https://other.example.com/portal'})
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            dead = f'http://127.0.0.1:{s.getsockname()[1]}'
            portal = self.fake(lambda n, path, fields: dict(SELF, servers=[{'url': other.url}, {'url': dead}]))
            done = self.run_program('whoami', portal.url, MAPFERRY_TOKEN='t')
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f'server {other.url}: answers, and says that it belongs to https://other.example.com/portal', done.stderr)
        self.assertIn(f'server {dead}: ', done.stderr)
        self.assertIn('no connection', done.stderr)

    # ---- tried again

    def test_busy_portals_are_asked_again_and_told_when(self):
        for status in (429, 503):
            portal = self.fake(lambda n, path, fields, status=status: (status, {'Retry-After': '1'}, b'{}') if n == 1 else SELF)
            done = self.run_program('whoami', portal.url, MAPFERRY_TOKEN='t')
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(portal.paths().count('/community/self'), 2)

    def test_what_changes_something_is_asked_once(self):
        portal = self.fake(lambda n, path, fields: (503, {}, b'{}') if path.endswith('/delete') else dict(SELF, owner='fake'))
        self.fails('item', 'delete', portal.url, 'a' * 32, says=['503'], MAPFERRY_TOKEN='t')
        self.assertEqual(sum(p.endswith('/delete') for p in portal.paths()), 1)

    def test_an_expired_token_is_renewed_once(self):
        expired = {'error': {'code': 498, 'message': 'Invalid Token', 'details': []}}

        def answer(n, path, fields):
            if path.endswith('/generateToken'):
                return {'token': f'token-{n}', 'expires': 1}
            return expired if path.endswith('/search') and n == 1 else {'total': 0, 'results': [], 'nextStart': -1}
        portal = self.fake(answer)
        done = self.run_program('search', portal.url, 'x', MAPFERRY_USER='u', MAPFERRY_PASSWORD='p')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(portal.paths(), ['/generateToken', '/search', '/generateToken', '/search'])
        always = self.fake(lambda n, path, fields: {'token': 't'} if path.endswith('/generateToken') else expired)
        self.fails('search', always.url, 'x', code=4, says=['Invalid Token'], MAPFERRY_USER='u', MAPFERRY_PASSWORD='p')
        self.assertEqual(len(always.paths()), 4)

    # ---- what is not shown

    def test_secrets_and_control_characters_stay_out(self):
        portal = self.fake(lambda n, path, fields: {'error': {'code': 400, 'message': 'bad \x1b[31m\r\nline', 'details': ['more \x07']}})
        done = self.fails('search', portal.url, 'x', says=['bad  [31m', 'more'], MAPFERRY_TOKEN='very-secret-token')
        for secret in ('very-secret-token', '\x1b', '\x07'):
            self.assertNotIn(secret, done.stderr)
        for path, fields in portal.calls:
            self.assertNotIn('very-secret-token', path + str(fields))

    def test_json_is_one_line_however_the_portal_writes_it(self):
        portal = self.fake(lambda n, path, fields: (200, {}, json.dumps(dict(SELF, results=[{'id': 'x', 'title': 'a\nb'}], total=1, nextStart=-1), indent=2).encode()))
        done = self.run_program('search', portal.url, 'x', '--json')
        self.assertEqual(json.loads(done.stdout), {'event': 'result', 'result': {'total': 1, 'results': [{'id': 'x', 'title': 'a\nb'}]}})
        self.assertEqual(done.stdout.count('\n'), 1)

    def test_a_url_with_a_password_is_refused_and_not_repeated(self):
        for args in (['whoami', 'http://admin:very-secret@127.0.0.1:1/'], ['portal', 'add', 'x', 'http://admin:very-secret@127.0.0.1:1/']):
            done = self.fails(*args, code=2, says=['do not belong into'])
            self.assertNotIn('very-secret', done.stderr)

    # ---- interrupts

    def interrupted(self, portal, *args):
        """Runs until the portal holds an answer back, interrupts, and gives what was said."""
        child = subprocess.Popen([moving.PROGRAM, *args], env=self.environment(MAPFERRY_TOKEN='t'), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertTrue(portal.reached.wait(60))
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130, err)
        self.assertIn('interrupted', err)
        return err

    def big_file(self):
        path = os.path.join(self.folder.name, 'big.gpkg')
        with open(path, 'wb') as f:
            f.truncate(65 << 20)
        return path

    def test_an_upload_that_is_interrupted_is_taken_back(self):
        portal = self.fake(lambda n, path, fields: None if path.endswith('/addPart') and n == 2 else {**SELF, 'success': True, 'id': 'b' * 32})
        self.interrupted(portal, 'item', 'add', portal.url, self.big_file())
        self.assertEqual(portal.paths()[1:], ['/content/users/fake/addItem'] + [f'/content/users/fake/items/{"b" * 32}/addPart'] * 2 + [f'/content/users/fake/items/{"b" * 32}/cancel'])

    def test_an_export_that_is_interrupted_is_cancelled(self):
        def answer(n, path, fields):
            if '/jobs/' in path and not path.endswith('/cancel'):
                return None if n == 2 else {'status': 'processing', 'messages': []}
            return dict(SELF, jobId='j1', key='the key')
        portal = self.fake(answer)
        out = os.path.join(self.folder.name, 'x.epk')
        self.interrupted(portal, 'group', 'export', portal.url, 'c' * 32, '-o', out)
        self.assertEqual(portal.calls[-1], ('/sharing/rest/portals/self/jobs/j1/cancel', {'key': 'the key', 'f': 'json'}))
        self.assertEqual(os.listdir(self.folder.name), [])

    # ---- parts

    def test_a_part_that_fails_is_sent_again_and_the_rest_goes_on(self):
        def answer(n, path, fields):
            if path.endswith('/addPart') and n == 3:
                return 503, {}, b'{}'
            if path.endswith('/status'):
                return {'status': 'processing' if n == 1 else 'completed'}
            return {**SELF, 'success': True, 'id': 'd' * 32}
        portal = self.fake(answer)
        done = self.run_program('item', 'add', portal.url, self.big_file(), '--title', 'in parts', MAPFERRY_TOKEN='t')
        self.assertEqual((done.returncode, done.stdout), (0, 'd' * 32 + '\n'), done.stderr)
        parts = [int(f['partNum']) for p, f in portal.calls if p.endswith('/addPart')]
        self.assertEqual(parts, [1, 2, 3, 3, 4, 5])
        self.assertEqual([p.rpartition('/')[2] for p in portal.paths()[-3:]], ['commit', 'status', 'status'])

    def test_parts_that_cannot_be_put_together_are_taken_back(self):
        portal = self.fake(lambda n, path, fields: {'status': 'failed', 'statusMessage': 'no room'} if path.endswith('/status') else {**SELF, 'success': True, 'id': 'e' * 32})
        self.fails('item', 'add', portal.url, self.big_file(), says=['no room'], MAPFERRY_TOKEN='t')
        self.assertTrue(portal.paths()[-1].endswith('/cancel'))


if __name__ == '__main__':
    moving.main()
