#!/usr/bin/env python3
"""HTTPS from outside: a certificate made by the portal itself, given ones that are replaced while it runs, and the command line as a client."""
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
import urllib.request
import warnings

import moving
from moving import PASSWORD, Server, read


def shown(port):
    """The certificate that the server shows now."""
    return ssl.get_server_certificate(('127.0.0.1', port))


def fetch(url, authority):
    context = ssl.create_default_context(cafile=authority)
    with urllib.request.urlopen(url, context=context, timeout=30) as answer:
        return json.load(answer)


def program(*args, **env):
    clean = {k: v for k, v in os.environ.items() if not k.startswith('MAPFERRY_')}
    return subprocess.run([moving.PROGRAM, *args], env=dict(clean, **env), capture_output=True, text=True, timeout=60)


class SelfSigned(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(**{'tls-self-signed': None})
        cls.tls = os.path.join(cls.server.data, 'tls')
        cls.authority = os.path.join(cls.tls, 'authority.pem')
        cls.folder = tempfile.TemporaryDirectory(prefix='mapferry-tls-')
        with open(os.path.join(cls.folder.name, 'password'), 'w') as f:
            f.write(PASSWORD)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.folder.cleanup()

    def profile(self, *options):
        """whoami by a profile with these options."""
        env = {'XDG_CONFIG_HOME': self.folder.name}
        added = program('portal', 'add', 'here', f'https://localhost:{self.server.port}', '--user', 'admin', '--password-file',
                        os.path.join(self.folder.name, 'password'), *options, **env)
        self.assertEqual(added.returncode, 0, added.stderr)
        return program('whoami', 'here', **env)

    def test_who_trusts_the_authority_is_served(self):
        for host in ('localhost', '127.0.0.1'):
            info = fetch(f'https://{host}:{self.server.port}/sharing/rest/info?f=json', self.authority)
            self.assertEqual(info['owningSystemUrl'], f'https://{host}:{self.server.port}')
        with self.assertRaises(urllib.error.URLError):
            fetch(f'https://localhost:{self.server.port}/sharing/rest?f=json', None)

    def test_old_versions_are_refused(self):
        context = ssl.create_default_context(cafile=self.authority)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(('127.0.0.1', self.server.port), timeout=30) as s, context.wrap_socket(s, server_hostname='localhost') as w:
            self.assertEqual(w.version(), 'TLSv1.2')
        warnings.simplefilter('ignore', DeprecationWarning)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers('ALL:@SECLEVEL=0')
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(('127.0.0.1', self.server.port), timeout=30) as s, self.assertRaises((ssl.SSLError, OSError)):
            old.wrap_socket(s)

    def test_keys_are_for_the_owner_only(self):
        self.assertEqual(os.stat(self.server.data).st_mode & 0o077, 0)
        for name in ('authority-key.pem', 'server.pem'):
            self.assertEqual(os.stat(os.path.join(self.tls, name)).st_mode & 0o777, 0o600, name)
        self.assertNotIn(b'PRIVATE', read(self.authority))
        self.assertNotIn(b'PRIVATE', read(self.server.log))

    def test_the_command_line_as_a_client(self):
        refused = self.profile()
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn('certificate', refused.stderr)
        self.assertIn('--ca', refused.stderr)
        for options in (['--ca', self.authority], ['--insecure']):
            done = self.profile(*options)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('admin', done.stdout)


class Restarts(unittest.TestCase):
    def test_how_to_trust_is_told_once_and_the_authority_kept(self):
        server = Server(**{'tls-self-signed': None})
        try:
            authority = read(os.path.join(server.data, 'tls', 'authority.pem'))
            told = read(server.log).decode()
            for word in ('update-ca-certificates', '--cacert', 'NODE_EXTRA_CA_CERTS', 'mapferry portal add', 'browsers'):
                self.assertIn(word, told)
            certificate = shown(server.port)
            server.restart()
            self.assertNotIn('update-ca-certificates', read(server.log).decode())
            self.assertEqual((read(os.path.join(server.data, 'tls', 'authority.pem')), shown(server.port)), (authority, certificate))
            server.restart(url='https://maps.example.org/')
            self.assertEqual(read(os.path.join(server.data, 'tls', 'authority.pem')), authority)
            self.assertNotEqual(shown(server.port), certificate)
            context = ssl.create_default_context(cafile=os.path.join(server.data, 'tls', 'authority.pem'))
            with socket.create_connection(('127.0.0.1', server.port), timeout=30) as s, context.wrap_socket(s, server_hostname='maps.example.org') as w:
                names = [v for _, v in w.getpeercert()['subjectAltName']]
            self.assertTrue({'maps.example.org', 'localhost', '127.0.0.1'} <= set(names), names)
        finally:
            server.close()

    def test_given_certificates_are_replaced_while_it_runs(self):
        other = Server(**{'tls-self-signed': None})
        other.end()
        first = read(os.path.join(other.data, 'tls', 'server.pem'))
        shutil.rmtree(os.path.join(other.data, 'tls'))
        other.start()
        other.end()
        second = read(os.path.join(other.data, 'tls', 'server.pem'))
        path = os.path.join(other.data, 'given.pem')

        def put(data):
            with open(path + '.new', 'wb') as f:
                f.write(data)
            os.rename(path + '.new', path)
        put(first)
        server = Server(**{'tls-cert': path, 'tls-key': path})
        try:
            before = shown(server.port)
            put(b'nonsense')
            server.process.send_signal(signal.SIGHUP)
            moving.poll(lambda: b'the certificate stays' in read(server.log))
            self.assertEqual(shown(server.port), before)
            put(second)
            server.process.send_signal(signal.SIGHUP)
            moving.poll(lambda: shown(server.port) != before)
        finally:
            server.close()
            shutil.rmtree(other.data)
            os.unlink(other.log)

    def test_what_does_not_go_together(self):
        with tempfile.TemporaryDirectory() as data:
            for options, says in ((['--tls-cert', '/x'], 'go together'), (['--tls-key', '/x'], 'go together'),
                                  (['--tls-self-signed', '--tls-cert', '/x', '--tls-key', '/y'], '--tls-self-signed')):
                done = program('serve', '--data', data, *options)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(says, done.stderr)
            done = program('serve', '--data', data, '--tls-cert', '/nowhere/c.pem', '--tls-key', '/nowhere/k.pem')
            self.assertEqual(done.returncode, 1)
            self.assertIn('/nowhere/c.pem', done.stderr)


@unittest.skipUnless(shutil.which('openssl'), 'openssl is not there')
class ClientCertificate(unittest.TestCase):
    """A server that wants one: as a portal behind a proxy with PKI does."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='mapferry-pki-')
        self.addCleanup(self.folder.cleanup)
        for name in ('server', 'client'):
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', f'/CN={name}',
                            '-addext', 'subjectAltName=DNS:localhost', '-keyout', self.path(name + '.key'), '-out', self.path(name + '.pem')],
                           check=True, capture_output=True)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                who = dict(x[0] for x in self.connection.getpeercert()['subject'])['commonName']
                body = json.dumps({'username': who, 'role': 'org_user', 'name': 'pki', 'id': '1', 'currentVersion': '11.4', 'servers': []}).encode()
                self.send_response(200)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path('server.pem'), self.path('server.key'))
        context.load_verify_locations(self.path('client.pem'))
        context.verify_mode = ssl.CERT_REQUIRED
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(lambda: (self.server.shutdown(), thread.join(), self.server.server_close()))

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def whoami(self, *options):
        url = f'https://localhost:{self.server.server_port}'
        added = program('portal', 'add', 'pki', url, '--ca', self.path('server.pem'), *options, XDG_CONFIG_HOME=self.folder.name)
        self.assertEqual(added.returncode, 0, added.stderr)
        return program('whoami', 'pki', XDG_CONFIG_HOME=self.folder.name)

    def test_it_is_shown(self):
        done = self.whoami('--cert', self.path('client.pem'), '--key', self.path('client.key'))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('client', done.stdout)

    def test_without_one_there_is_no_connection(self):
        done = self.whoami()
        self.assertEqual(done.returncode, 1)
        self.assertIn(f'localhost:{self.server.server_port}', done.stderr)

    def test_both_files_are_needed(self):
        done = program('portal', 'add', 'pki', 'https://localhost', '--cert', self.path('client.pem'), XDG_CONFIG_HOME=self.folder.name)
        self.assertEqual(done.returncode, 2)
        self.assertIn('--key', done.stderr)


if __name__ == '__main__':
    moving.main()
