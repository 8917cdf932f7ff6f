#!/usr/bin/env python3
"""Users on the command line: over the wire, and in the data folder of a portal that runs or does not."""
import os
import pty
import select
import subprocess
import tempfile
import unittest

import moving
from cli import CommandLineTest
from moving import PASSWORD, RestError


class Users(CommandLineTest):
    def password(self, text):
        return self.file('password', text.encode())

    def signs_in(self, user, password):
        try:
            moving.Person(self.url, user, password)
            return True
        except RestError:
            return False

    def test_add_over_the_wire(self):
        self.assertEqual(self.ok('user', 'add', self.url, 'wire', '--password-file', self.password('a password of wire\n'), '--role', 'org_publisher', '--email', 'w@example.com',
                                 '--full-name', 'Wire Ä').strip(), 'added wire')
        user = self.portal.call('/sharing/rest/community/users/wire')
        self.assertEqual((user['fullName'], user['email'], user['role']), ('Wire Ä', 'w@example.com', 'org_publisher'))
        self.assertTrue(self.signs_in('wire', 'a password of wire'))
        self.refused('user', 'add', self.url, 'WIRE', '--password-file', self.password('another password'), code=1, says='')
        self.refused('user', 'add', self.url, 'other', '--password-file', self.password('another password'), code=4, user='wire', password='a password of wire', says='')

    def test_passwords_over_the_wire(self):
        self.ok('user', 'add', self.url, 'changing', '--password-file', self.password('the first password'))
        person = moving.Person(self.url, 'changing', 'the first password')
        self.ok('user', 'password', self.url, 'changing', '--password-file', self.password('by admin, second'))
        self.assertEqual(person.error('/sharing/rest/community/self')['code'], 498)
        self.assertTrue(self.signs_in('changing', 'by admin, second'))
        self.ok('user', 'password', self.url, 'Changing', '--password-file', self.password('by oneself, third'), user='changing', password='by admin, second')
        self.assertTrue(self.signs_in('changing', 'by oneself, third'))
        self.refused('user', 'password', self.url, 'admin', '--password-file', self.password('let me be admin'), code=4, user='changing', password='by oneself, third', says='')
        self.refused('user', 'password', self.url, 'nobody_here', '--password-file', self.password('some good password'), code=1, says='nobody_here')
        self.assertTrue(self.signs_in('admin', PASSWORD))

    def test_add_and_password_in_the_folder_of_a_running_portal(self):
        here = 'self:' + self.server.data
        self.ok('user', 'add', here, 'local', '--password-file', '-', input='a password of local\n', user=None)
        person = moving.Person(self.url, 'local', 'a password of local')
        self.assertEqual(person.call('/sharing/rest/community/self')['username'], 'local')
        self.assertEqual(self.result('user', 'password', here, 'local', '--password-file', self.password('another password'), user=None), {'username': 'local', 'did': 'changed'})
        self.assertEqual(person.error('/sharing/rest/community/self')['code'], 498)  # tokens of the old password have ended
        self.assertFalse(self.signs_in('local', 'a password of local'))
        self.assertTrue(self.signs_in('local', 'another password'))

    def test_what_the_folder_refuses(self):
        here, good = 'self:' + self.server.data, self.password('a good password')
        self.refused('user', 'password', here, 'nobody', '--password-file', good, code=1, says="no user 'nobody'")
        self.refused('user', 'password', here, 'admin', '--password-file', self.password('short'), code=1, says='8')
        good = self.password('a good password')
        self.refused('user', 'password', 'self:/nowhere', 'admin', '--password-file', good, says='no portal.db')
        self.refused('user', 'password', here, 'admin', '--password-file', '/nowhere', code=1, says='/nowhere')
        self.refused('user', 'password', here, 'admin', says='no terminal')
        self.refused('user', 'add', here, 'a b', '--password-file', good, code=1, says='username')
        self.refused('user', 'add', here, 'x', '--role', 'king', '--password-file', good, code=1, says='role')
        self.assertTrue(self.signs_in('admin', PASSWORD))

    def test_a_terminal_is_asked_and_shows_nothing(self):
        def asked(*answers):
            leader, follower = pty.openpty()
            child = subprocess.Popen([moving.PROGRAM, 'user', 'password', 'self:' + self.server.data, 'typed'], env=self.environment(user=None), stdin=follower, stdout=follower,
                                     stderr=follower, start_new_session=True, preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)))  # makes it the terminal
            os.close(follower)
            shown = b''
            for prompt, answer in zip((b'New password: ', b'Once more: '), answers):
                while prompt not in shown:
                    self.assertTrue(select.select([leader], [], [], 60)[0], shown)
                    shown += os.read(leader, 1000)
                os.write(leader, answer.encode() + b'\n')
            code = child.wait(60)
            try:
                while more := os.read(leader, 1000):
                    shown += more
            except OSError:  # the other end is closed
                pass
            os.close(leader)
            return code, shown.decode()
        self.ok('user', 'add', 'self:' + self.server.data, 'typed', '--password-file', self.password('a first password'), user=None)
        code, shown = asked('typed password', 'typed password')
        self.assertEqual((code, shown.count('typed password')), (0, 0), shown)
        self.assertTrue(self.signs_in('typed', 'typed password'))
        code, shown = asked('one password', 'two password')
        self.assertEqual(code, 2)
        self.assertIn('differ', shown)
        self.assertTrue(self.signs_in('typed', 'typed password'))


class Stopped(unittest.TestCase):
    def test_a_lost_password_while_the_portal_is_stopped(self):
        server = moving.Server()
        try:
            server.end()
            with tempfile.NamedTemporaryFile('w') as f:
                f.write('the new password')
                f.flush()
                done = subprocess.run([moving.PROGRAM, 'user', 'password', 'self:' + server.data, 'admin', '--password-file', f.name], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (0, 'changed admin\n'), done.stderr)
            server.start()
            self.assertTrue(moving.Person(server.url, 'admin', 'the new password').token)
        finally:
            server.close()


if __name__ == '__main__':
    moving.main()
