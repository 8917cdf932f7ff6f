"""What the tests of the command line share: runs of the program with credentials in the environment and profiles of their own."""
import json
import os
import subprocess
import tempfile
import unittest

import moving
from moving import PASSWORD


class CommandLineTest(unittest.TestCase):
    """A portal (settings: of it), a folder, and the program against them."""
    SETTINGS = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='mapferry-cli-')
        cls.server = moving.Server(**cls.SETTINGS)
        cls.url = cls.server.url
        cls.portal = cls.server.sign_in()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.folder.cleanup()

    def environment(self, user='admin', password=PASSWORD, **extra):
        env = {k: v for k, v in os.environ.items() if not k.startswith('MAPFERRY_')}
        env.update(XDG_CONFIG_HOME=os.path.join(self.folder.name, 'config'), **extra)
        if user:
            env.update(MAPFERRY_USER=user, MAPFERRY_PASSWORD=password)
        return env

    def run_program(self, *args, input=None, **env):
        return subprocess.run([moving.PROGRAM, *args], env=self.environment(**env), capture_output=True, text=True, timeout=120, input=input, stdin=None if input else subprocess.DEVNULL,
                              start_new_session=True)  # no terminal to ask

    def ok(self, *args, code=0, **env):
        """What it printed; the exit code has to be that."""
        done = self.run_program(*args, **env)
        self.assertEqual(done.returncode, code, (args, done.stdout, done.stderr))
        return done.stdout

    def refused(self, *args, code=2, says, **env):
        done = self.run_program(*args, **env)
        self.assertEqual((done.returncode, done.stdout), (code, ''), (args, done.stderr))
        self.assertIn(says, done.stderr)

    def result(self, *args, **env):
        """The result of a run with --json."""
        last = json.loads(self.ok(*args, '--json', **env).splitlines()[-1])
        self.assertEqual(last['event'], 'result')
        return last['result']

    def file(self, name, data=b''):
        path = os.path.join(self.folder.name, name)
        with open(path, 'wb') as f:
            f.write(data)
        return path
