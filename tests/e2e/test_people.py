#!/usr/bin/env python3
"""People from outside: passwords and sessions, pictures, roles, invitations and applications, favourites, and what each of them must not open."""
import http.client
import os
import sys
import threading
import unittest
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import PASSWORD, Person, Server  # noqa: E402

USERS, GROUPS, SELF, CREATE = '/sharing/rest/community/users/', '/sharing/rest/community/groups/', '/sharing/rest/portals/self', '/portaladmin/security/users/createUser'


class People(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.admin, cls.nobody = cls.server.sign_in(), Person(cls.server.url)
        cls.ann, cls.bob = cls.server.add_user('ann'), cls.server.add_user('bob')

    def person(self, name, role='org_publisher'):
        return self.server.add_user(name, role)

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection('127.0.0.1', self.server.port, timeout=60)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    # ---- users

    def test_every_form_is_a_page(self):
        for path in (USERS + 'ann/update', USERS + 'ann/reset', GROUPS + 'f' * 32 + '/invite', SELF + '/update', SELF + '/createRole', SELF + '/addresource', CREATE):
            status, page = self.ask('GET', path)
            self.assertEqual((status, b'method="post"' in page), (200, True), path)
        self.assertNotIn(b'type="text" name="newPassword"', self.ask('GET', USERS + 'ann/reset')[1])

    def test_ids_stand_for_names(self):
        user = self.ann.call('/sharing/rest/community/self')
        for path in ('', '/tags', '/properties', '/notifications', '/invitations'):
            self.assertTrue(self.ann.call(USERS + user['id'] + path), path)
        self.assertEqual(self.ann.call(USERS + user['id'].upper() + '/update', description='by id')['username'], 'ann')
        group = self.bob.group()
        self.assertEqual(self.bob.call(GROUPS + group + '/addUsers', users=user['id'])['notAdded'], [])
        self.assertEqual(self.bob.call(GROUPS + group + '/users')['users'], ['ann'])

    def test_pictures_are_pictures(self):
        at = USERS + 'bob/update'
        for name, data in (('x.svg', b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'), ('x.png', b'<script>'), ('x.png', b''), ('x.png', moving.png() + b'\0' * (1 << 20))):
            with self.assertRaises(moving.RestError):
                self.bob.call(at, files=[('thumbnail', (name, data))])
            self.assertIsNone(self.bob.call(USERS + 'bob')['thumbnail'])
        self.bob.call(at, files=[('thumbnail', ('../é/p.html', moving.png()))])
        name = self.bob.call(USERS + 'bob')['thumbnail']
        self.assertRegex(name, r'^[\w-]+\.png$')
        _, headers, data = self.ann.raw(USERS + 'bob/info/' + name, {}, method='GET')
        self.assertEqual((headers['Content-Type'], headers['X-Content-Type-Options'], data), ('image/png', 'nosniff', moving.png()))
        self.assertEqual(self.nobody.error(USERS + 'bob/info/' + name)['code'], 400)

    def test_sessions_end(self):
        name = 'carla'
        for operation, fields, by in (('disable', {}, 'admin'), ('invalidateSessions', {}, 'self'), ('reset', {'password': PASSWORD, 'newPassword': PASSWORD + '2'}, 'nobody')):
            person = self.person(name)
            by = {'admin': self.admin, 'self': person, 'nobody': self.nobody}[by]
            self.assertTrue(by.call(USERS + name + '/' + operation, **fields)['success'])
            self.assertEqual(person.error('/sharing/rest/community/self')['code'], 498, operation)
            self.admin.call(USERS + name + '/delete')
        self.assertEqual(self.admin.error(USERS + name)['code'], 400)

    def test_guessing_is_slow_whatever_the_door(self):
        self.person('guessed')
        for i in range(10):
            door = (USERS + 'guessed/reset', {'password': f'guess {i}', 'newPassword': 'a-new-password'}) if i % 2 else ('/sharing/rest/generateToken', {'username': 'guessed', 'password': f'guess {i}'})
            self.assertIn('Invalid username or password.', self.nobody.error(door[0], **door[1])['details'])
        for door in ((USERS + 'guessed/reset', {'password': PASSWORD, 'newPassword': 'a-new-password'}), ('/sharing/rest/generateToken', {'username': 'guessed', 'password': PASSWORD})):
            self.assertIn('Too many', self.nobody.error(door[0], **door[1])['details'][0])

    def test_no_secret_in_answers_and_log(self):
        secret = 'a-secret-password-of-its-own'
        self.admin.call(CREATE, username='silent', password=secret)
        body = urllib.parse.urlencode({'f': 'json', 'username': 'silent', 'password': secret})
        self.ask('POST', '/sharing/rest/generateToken?' + body, '', **{'Content-Type': 'application/x-www-form-urlencoded'})
        self.ask('GET', '/sharing/rest/generateToken?' + body)
        for answer in (self.ask('POST', USERS + 'silent/update', body, **{'Content-Type': 'application/x-www-form-urlencoded'})[1], moving.read(self.server.log)):
            self.assertNotIn(secret.encode(), answer)

    def test_one_of_many_last_administrators_stays(self):
        """Two administrators take each other's role away at the same moment: one of them remains."""
        for i in range(5):
            names = [f'chief{i}{j}' for j in range(2)]
            chiefs = [self.person(n, 'org_admin') for n in names]
            chiefs[0].call(USERS + 'admin/disable')
            done = []

            def take(j):
                try:
                    done.append(chiefs[j].call(SELF + '/updateUserRole', user=names[1 - j], role='org_user')['success'])
                except moving.RestError:
                    done.append(False)
            threads = [threading.Thread(target=take, args=(j,)) for j in range(2)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual(sorted(done), [False, True])
            left = next(c for c in chiefs if c.call('/sharing/rest/community/self')['role'] == 'org_admin')
            left.call(USERS + 'admin/enable')
            type(self).admin = self.server.sign_in()
            for n in names:
                self.admin.call(USERS + n + '/delete')

    def test_a_list_of_users(self):
        group = self.ann.group('For a list')
        people = [{'username': f'listed{i}', 'password': PASSWORD, 'role': 'org_user', 'groups': groups} for i, groups in enumerate(([], [group], group, ['zz'], 'f' * 32))]
        answer = self.admin.call(SELF + '/invite', invitationList={'invitations': people + [5, None, {}]})
        self.assertEqual([r['success'] for r in answer['results']], [True, True, True] + [False] * 5)
        self.assertEqual(answer['notInvited'], ['listed3', 'listed4', '', '', ''])
        self.assertEqual(self.ann.call(GROUPS + group + '/users')['users'], ['listed1', 'listed2'])
        for gone in ('listed3', 'listed4'):  # with its groups, or not at all
            self.assertEqual(self.admin.error(USERS + gone)['code'], 400)

    # ---- roles

    def test_a_role_opens_what_it_says(self):
        role = self.admin.call(SELF + '/createRole', name='Look', privileges=['portal:user:viewOrgItems', 'portal:admin:viewItems'])['id']
        looker = self.person('looker')
        self.admin.call(SELF + '/updateUserRole', user='looker', role=role)
        secret = self.bob.add('Web Map', 'Quite secret', text={}, tags='quite')
        self.assertTrue(looker.has(secret))
        self.assertEqual(looker.call('/sharing/rest/search', q='tags:quite')['total'], 1)
        for path, fields in ((f'/sharing/rest/content/users/bob/items/{secret}/update', {'title': 'x'}), (f'/sharing/rest/content/users/bob/items/{secret}/delete', {}),
                             (f'/sharing/rest/content/items/{secret}/share', {'everyone': 'true'}), (looker.content('addItem'), {'title': 't', 'type': 'Web Map', 'text': '{}'}),
                             (looker.content('createFolder'), {'title': 't'}), ('/sharing/rest/community/createGroup', {'title': 'g'}), (CREATE, {'username': 'x', 'password': PASSWORD}),
                             (SELF + '/updateUserRole', {'user': 'looker', 'role': 'org_admin'}), (looker.content('createService'), {'createParameters': '{"name":"s"}'})):
            self.assertEqual(looker.error(path, **fields)['code'], 403, path)
        self.admin.call(SELF + f'/roles/{role}/setPrivileges', privileges='[]')
        self.assertFalse(looker.has(secret))
        self.assertEqual(looker.call('/sharing/rest/search', q='tags:quite')['total'], 0)
        self.bob.call(f'/sharing/rest/content/items/{secret}/share', org='true')
        self.assertFalse(looker.has(secret))  # not even what the organization sees

    # ---- groups

    def test_an_invitation_opens_nothing_before_it_is_accepted(self):
        group = self.ann.group('By invitation', isInvitationOnly='true')
        item = self.ann.add('Web Map', 'In the group', text={}, group=group)
        dan = self.person('dan')
        self.ann.call(GROUPS + group + '/invite', users='dan', role='group_admin')
        self.assertFalse(dan.has(item))
        self.assertEqual(dan.error(GROUPS + group)['messageCode'], 'COM_0003')
        invitation = dan.call(USERS + 'dan/invitations')['userInvitations'][0]['id']
        for person in (self.ann, self.bob, self.admin):
            self.assertEqual(person.error(USERS + f'dan/invitations/{invitation}/accept')['code'], 403)
        dan.call(USERS + f'dan/invitations/{invitation}/accept')
        self.assertTrue(dan.has(item))
        self.assertEqual(dan.call(GROUPS + group)['userMembership']['memberType'], 'admin')
        self.ann.call(GROUPS + group + '/removeUsers', users='dan')
        self.assertEqual(dan.error(USERS + f'dan/invitations/{invitation}/accept')['code'], 400)  # was used
        self.assertFalse(dan.has(item))

    def test_favourites_open_nothing(self):
        item = self.ann.add('Web Map', 'Liked for a while', text={'secret': 'text'})
        self.ann.call(f'/sharing/rest/content/items/{item}/share', org='true')
        marks = self.bob.call(USERS + 'bob')['favGroupId']
        self.assertEqual(self.bob.call(f'/sharing/rest/content/items/{item}/share', groups=marks)['notSharedWith'], [])
        self.assertEqual(self.bob.items_of_group(marks), [item])
        self.assertEqual(self.ann.item(item)['access'], 'org')
        groups = self.ann.call(f'/sharing/rest/content/items/{item}/groups')
        self.assertEqual([groups[k] for k in ('admin', 'member', 'other')], [[], [], []])
        self.ann.call(f'/sharing/rest/content/items/{item}/share', org='false', everyone='false')
        self.assertFalse(self.bob.has(item))
        self.assertEqual(self.bob.items_of_group(marks), [])
        self.assertEqual(self.bob.error(GROUPS + marks + '/export', **{'async': 'true'})['code'], 403)
        self.assertEqual(self.bob.error(GROUPS + marks + '/addUsers', users='ann')['code'], 403)
        self.assertEqual(self.bob.error(GROUPS + marks + '/update', access='public')['code'], 400)
        self.assertEqual(self.bob.error(GROUPS + marks + '/delete')['code'], 400)
        self.assertEqual(self.admin.error(GROUPS + marks)['code'], 400)
        self.assertEqual(self.admin.call('/sharing/rest/community/groups', q=f'id:{marks}')['total'], 0)

    def test_a_private_organization(self):
        self.admin.call(SELF + '/update', access='private')
        self.assertEqual(self.nobody.error(SELF)['code'], 499)
        self.assertEqual(self.ann.call(SELF)['access'], 'private')
        self.admin.call(SELF + '/update', access='public')
        self.assertNotIn('user', self.nobody.call(SELF))


if __name__ == '__main__':
    moving.main()
