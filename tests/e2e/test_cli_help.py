#!/usr/bin/env python3
"""What the table of commands becomes: help, man page and completions, and how the command line answers to what it does not know."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import moving


def program(*args, **env):
    clean = {k: v for k, v in os.environ.items() if not k.startswith('MAPFERRY_')}
    return subprocess.run([moving.PROGRAM, *args], env=dict(clean, **env), capture_output=True, text=True, timeout=60)


def commands():
    """Names of all commands, as `mapferry help` lists them."""
    return [m.group(1) for m in re.finditer(r'^  ([a-z]+(?: [a-z]+)?)  ', program('help').stdout, re.M)]


class Help(unittest.TestCase):
    def test_names_are_listed(self):
        names = commands()
        for name in ('serve', 'portal add', 'whoami', 'group export', 'group import', 'inspect', 'publish', 'check', 'user password', 'help'):
            self.assertIn(name, names)

    def test_each_command_tells_its_words_and_options(self):
        for name in commands():
            by_help, by_option = program('help', *name.split()), program(*name.split(), '--help')
            self.assertEqual((by_help.returncode, by_option.returncode), (0, 0), name)
            self.assertEqual(by_help.stdout, by_option.stdout)
            self.assertTrue(by_help.stdout.startswith(f'usage: mapferry {name}'), by_help.stdout)
            if name != 'serve':
                self.assertIn('--json', by_help.stdout)

    def test_a_family_is_told_whole(self):
        told = program('help', 'group').stdout
        self.assertIn('usage: mapferry group export PORTAL GROUP', told)
        self.assertIn('usage: mapferry group import PORTAL GROUP FILE.epk', told)

    def test_what_is_not_understood(self):
        for args, says in ((['group'], "'group' wants one of: export, import."),
                           (['group', 'nonsense'], "There is no command 'group nonsense'"),
                           (['nonsense', 'x'], "There is no command 'nonsense'"),
                           (['help', 'nonsense'], "There is no command 'nonsense'"),
                           (['whoami'], 'usage: mapferry whoami PORTAL'),
                           (['whoami', 'a', 'b'], 'usage: mapferry whoami PORTAL'),
                           (['portal', 'list', 'x'], 'usage: mapferry portal list'),
                           (['whoami', 'a', '--colour'], "There is no option '--colour' here."),
                           (['help', '--completion', 'tcsh'], "not of 'tcsh'")):
            done = program(*args)
            self.assertEqual((done.returncode, done.stdout), (2, ''), args)
            self.assertIn(says, done.stderr)

    def test_an_error_as_json(self):
        done = program('whoami', 'no-profile-and-no-url', '--json')
        self.assertEqual(done.returncode, 1)
        told = json.loads(done.stdout)
        self.assertEqual((told['event'], told['exit'], told['details']), ('error', 1, []))
        self.assertIn('no-profile-and-no-url', told['text'])


class ManPage(unittest.TestCase):
    def setUp(self):
        self.page = program('help', '--man').stdout

    def test_it_has_every_command_and_option(self):
        text = self.page.replace('\\-', '-')
        for name in commands():
            self.assertIn(f'.SS "mapferry {name}"', text)
            for option in re.findall(r'^  (--?[\w.-]+)', program('help', *name.split()).stdout, re.M):
                self.assertIn(f'\\fB{option}\\fR', text, name)

    @unittest.skipUnless(shutil.which('groff'), 'groff is not there')
    def test_it_renders_without_a_warning(self):
        done = subprocess.run(['groff', '-ww', '-man', '-Tutf8'], input=self.page, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertIn('mapferry', done.stdout)

    @unittest.skipUnless(shutil.which('man'), 'man is not there')
    def test_man_shows_it(self):
        with tempfile.NamedTemporaryFile('w', suffix='.1') as f:
            f.write(self.page)
            f.flush()
            done = subprocess.run(['man', '--warnings', '-l', f.name], capture_output=True, text=True, timeout=60, env=dict(os.environ, MANWIDTH='100', MAN_KEEP_FORMATTING=''))
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertIn('EXIT STATUS', done.stdout)


class Completion(unittest.TestCase):
    """The script for bash in a real bash: a function is asked as readline asks it."""

    ASK = '''
        source /dev/stdin <<<"$SCRIPT"
        compopt() { :; }  # known only while a completion runs
        COMP_LINE=$LINE COMP_POINT=${#LINE}
        read -ra COMP_WORDS <<<"$LINE"
        [[ $LINE == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _mapferry
        printf '%s\\n' "${COMPREPLY[@]}"
    '''

    @classmethod
    def setUpClass(cls):
        cls.script = program('help', '--completion', 'bash').stdout
        cls.folder = tempfile.TemporaryDirectory(prefix='mapferry-complete-')
        os.makedirs(os.path.join(cls.folder.name, 'mapferry'))
        os.makedirs(os.path.join(cls.folder.name, 'in here'))
        for name in ('mapferry/prod.json', 'mapferry/test.json', 'a.epk'):
            open(os.path.join(cls.folder.name, name), 'w').close()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def ask(self, line):
        done = subprocess.run(['bash', '--norc', '-c', self.ASK], env=dict(os.environ, SCRIPT=self.script, LINE=line, XDG_CONFIG_HOME=self.folder.name), capture_output=True,
                              text=True, cwd=self.folder.name, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ''), line)
        return sorted(done.stdout.split('\n')[:-1])

    def test_commands_and_verbs(self):
        self.assertEqual(self.ask('mapferry '), sorted({n.split()[0] for n in commands()}))
        self.assertEqual(self.ask('mapferry gr'), ['group'])
        self.assertEqual(self.ask('mapferry group '), ['export', 'import'])
        self.assertEqual(self.ask('mapferry group e'), ['export'])

    def test_options(self):
        self.assertEqual(self.ask('mapferry group export p g --'), ['--help', '--item', '--json', '--preview'])
        self.assertEqual(self.ask('mapferry group import --over'), ['--overwrite'])

    def test_words_and_values(self):
        self.assertEqual(self.ask('mapferry whoami '), ['prod', 'test'])
        self.assertEqual(self.ask('mapferry group import --item x pr'), ['prod'])
        self.assertEqual(self.ask('mapferry group import prod g a'), ['a.epk'])
        self.assertEqual(self.ask('mapferry group export prod g -o a'), ['a.epk'])
        self.assertEqual(self.ask('mapferry check '), ['in here', 'mapferry'])
        self.assertEqual(self.ask('mapferry group export prod g --item '), [''])
        self.assertEqual(self.ask('mapferry nonsense '), [''])

    def test_other_shells_accept_theirs(self):
        for shell in ('zsh', 'fish'):
            script = program('help', '--completion', shell)
            self.assertEqual(script.returncode, 0)
            self.assertIn('group export', script.stdout)
            if shutil.which(shell):
                done = subprocess.run([shell, '-n', '/dev/stdin'], input=script.stdout, capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ''), shell)


class Install(unittest.TestCase):
    def test_program_helper_page_and_completions_are_installed(self):
        build = os.path.dirname(moving.PROGRAM)
        if not shutil.which('meson') or not os.path.exists(os.path.join(build, 'build.ninja')):
            self.skipTest('the program is not in its build folder')
        with tempfile.TemporaryDirectory(prefix='mapferry-install-') as root:
            subprocess.run(['meson', 'install', '-C', build, '--no-rebuild', '--quiet', '--destdir', root], capture_output=True, check=True, timeout=120)
            there = {os.path.join(folder, f)[len(root):]: os.path.join(folder, f) for folder, _, files in os.walk(root) for f in files}
            prefix = next(name for name in there if name.endswith('/bin/mapferry'))[:-len('bin/mapferry')]
            for name in ('bin/mapferry', 'libexec/mapferry-convert', 'share/man/man1/mapferry.1', 'share/bash-completion/completions/mapferry',
                         'share/zsh/site-functions/_mapferry', 'share/fish/vendor_completions.d/mapferry.fish'):
                self.assertGreater(os.path.getsize(there[prefix + name]), 1000, name)
            version = subprocess.run([there[prefix + 'bin/mapferry'], '--version'], capture_output=True, text=True, check=True, timeout=60).stdout
            self.assertTrue(version.startswith('mapferry '))


if __name__ == '__main__':
    moving.main()
