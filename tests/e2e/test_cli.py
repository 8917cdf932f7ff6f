#!/usr/bin/env python3
"""The command line from outside: words, exit codes, what goes where. usage: test_cli.py [--program PATH]"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import moving
from moving import PASSWORD, Server


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='mapferry-cli-')
        cls.server = Server()
        cls.portal = moving.Person(cls.server.url, 'admin', PASSWORD)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.folder.cleanup()

    def run_program(self, *args, password=PASSWORD, user='admin', **extra):
        env = {k: v for k, v in os.environ.items() if not k.startswith('MAPFERRY_')}
        env.update(XDG_CONFIG_HOME=os.path.join(self.folder.name, 'config'), **extra)
        if user:
            env.update(MAPFERRY_USER=user, MAPFERRY_PASSWORD=password)
        return subprocess.run([moving.PROGRAM, *args], env=env, capture_output=True, text=True, timeout=60)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def group(self, named, **item):
        """A group with one text item in it."""
        p = self.portal
        group = p.call('/sharing/rest/community/createGroup', title=named, tags='t')['group']['id']
        fields = dict({'title': 'one', 'type': 'Web Map', 'text': '{"operationalLayers":[]}'}, **item)
        added = p.call(p.content('addItem'), **fields)['id']
        p.call(p.content(f'items/{added}/share'), groups=group)
        return group, added

    def test_usage(self):
        for args in ([], ['help'], ['help', 'group'], ['--version']):
            self.assertEqual(self.run_program(*args).returncode, 0, args)
        for args in (['nonsense'], ['group'], ['group', 'export', self.server.url], ['group', 'export', self.server.url, 'x', '--what'],
                     ['inspect'], ['check', '/nowhere'], ['portal', 'add', 'x'], ['portal', 'add', 'x', 'no url'], ['serve', '--no-such-option'],
                     ['serve', '--workers', 'many'], ['group', 'import', self.server.url, 'x', '/no/file.epk']):
            done = self.run_program(*args)
            self.assertEqual(done.returncode, 2, (args, done.stderr))
            self.assertTrue(done.stderr.strip(), args)

    def test_every_command_has_help(self):
        for line in self.run_program('help').stdout.splitlines():
            if line.startswith('  ') and line[2].isalpha():
                name = line.split()[0]
                self.assertIn(f'usage: mapferry {name}', self.run_program('help', name).stdout)

    def test_profiles_and_whoami(self):
        password = self.path('password')
        with open(password, 'w', encoding='utf-8') as f:
            f.write(PASSWORD + '\n')
        self.assertEqual(self.run_program('portal', 'add', 'here', self.server.url, '--user', 'admin', '--password-file', password, user=None).returncode, 0)
        self.assertEqual(os.stat(self.path('config/mapferry/here.json')).st_mode & 0o777, 0o600)
        listed = self.run_program('portal', 'list', user=None)
        self.assertIn(self.server.url, listed.stdout)
        who = self.run_program('whoami', 'here', user=None)
        self.assertEqual(who.returncode, 0, who.stderr)
        self.assertIn('admin', who.stdout)
        answer = json.loads(self.run_program('whoami', 'here', '--json', user=None).stdout.splitlines()[-1])
        self.assertEqual((answer['event'], answer['result']['username']), ('result', 'admin'))
        self.assertEqual(self.run_program('portal', 'remove', 'here', user=None).returncode, 0)
        self.assertEqual(self.run_program('portal', 'remove', 'here', user=None).returncode, 2)

    def test_sign_in_and_permission_are_4(self):
        wrong = self.run_program('whoami', self.server.url, password='not the password')
        self.assertEqual(wrong.returncode, 4, wrong.stderr)
        self.assertNotIn('not the password', wrong.stderr + wrong.stdout)
        self.assertEqual(self.run_program('whoami', self.server.url, user=None).returncode, 4)

    def test_no_portal_there_is_1(self):
        done = self.run_program('whoami', 'http://127.0.0.1:1')
        self.assertEqual(done.returncode, 1)
        self.assertIn('127.0.0.1', done.stderr)

    def test_export_preview_inspect_import(self):
        group, item = self.group('Command line', tags='a')
        package = self.path('a.epk')
        preview = self.run_program('group', 'export', self.server.url, 'Command line', '--preview')
        self.assertEqual(preview.returncode, 0, preview.stderr)
        self.assertIn(item, preview.stdout)
        done = self.run_program('group', 'export', self.server.url, group, '-o', package)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, '1 items exported'), done.stderr)
        self.assertFalse(os.path.exists(package + '.part'))
        inspected = self.run_program('inspect', package, '--verify')
        self.assertEqual(inspected.returncode, 0, inspected.stderr)
        self.assertIn(item, inspected.stdout)
        self.assertIn(f' from {self.server.url}, version ', inspected.stdout)
        for line in self.run_program('inspect', package, '--json').stdout.splitlines():
            json.loads(line)
        again = self.run_program('group', 'import', self.server.url, group, package)
        self.assertEqual(again.returncode, 3, again.stderr)  # the item is there, and overwriting was not asked for
        self.assertIn('skipped ' + item, again.stdout)
        over = self.run_program('group', 'import', self.server.url, group, package, '--overwrite', '--json')
        self.assertEqual(over.returncode, 0, over.stderr)
        result = [json.loads(x) for x in over.stdout.splitlines()][-1]
        self.assertEqual(result['result']['itemsImported'], [{'itemId': item}])
        left = self.portal.call('/sharing/rest/search', q='type:"Export Package"')
        self.assertEqual(left['total'], 0, 'no package is left on the portal')

    def test_a_damaged_package(self):
        group, _ = self.group('Damage', title='damage')
        package = self.path('b.epk')
        self.assertEqual(self.run_program('group', 'export', self.server.url, group, '-o', package).returncode, 0)
        with open(package, 'r+b') as f:
            f.seek(60)
            byte = f.read(1)
            f.seek(60)
            f.write(bytes([byte[0] ^ 1]))
        self.assertEqual(self.run_program('inspect', package, '--verify').returncode, 1)
        refused = self.run_program('group', 'import', self.server.url, group, package)
        self.assertEqual(refused.returncode, 1, refused.stdout)
        left = self.portal.call('/sharing/rest/search', q='type:"Export Package"')
        self.assertEqual(left['total'], 0)

    def test_skipped_items_make_3(self):
        group, _ = self.group('Skips', title='x', type='Service Definition')
        done = self.run_program('group', 'export', self.server.url, group, '-o', self.path('c.epk'))
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertFalse(os.path.exists(self.path('c.epk')))

    def test_publish(self):
        sample = os.path.join(moving.ROOT, 'samples', 'cities.gpkg')
        done = self.run_program('publish', self.server.url, sample, '--name', 'cli_cities')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('/server/rest/services/Hosted/cli_cities/FeatureServer', done.stdout)

    def test_check_of_a_running_portal(self):
        done = self.run_program('check', self.server.data, '--read-data')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == '__main__':
    moving.main()
