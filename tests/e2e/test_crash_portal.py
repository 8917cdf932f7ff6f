#!/usr/bin/env python3
"""What people change in a portal (users, groups, membership, sharing, folders, items, tokens) under kill -9, EIO and ENOSPC at the n-th
changing call (MAPFERRY_FAULT): after a restart every change that was acknowledged is there, the one that was under way is there whole or
not at all, and store and database agree. The same for the migration of a database of an older schema. An ordinary run takes a sample of
the places; --all takes every one."""
import contextlib
import http.client
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import PASSWORD, ROOT, Person, RestError, Server, read  # noqa: E402

ALL = '--all' in sys.argv
if ALL:
    sys.argv.remove('--all')
CAUSE = {'eio': re.compile(r'input/output|i/o error', re.I), 'enospc': re.compile(r'no space|full', re.I)}
MIGRATIONS = os.path.join(ROOT, 'src', 'store', 'migrations')


# ---------------------------------------------------------------- what is changed, and what is seen

class Admin(Person):
    """The administrator with a token of this machine's address, which holds whatever the port."""

    def __init__(self, url, token):
        super().__init__(url)
        self.user, self.token = 'admin', token

    def group_id(self, title):
        return next(g['id'] for g in self.call('/sharing/rest/community/users/admin')['groups'] if g['title'] == title)

    def item_id(self, title):
        return next(i['id'] for i in self.own_items().values() if i['title'] == title)

    def on_group(self, title, operation, **fields):
        return self.call(f'/sharing/rest/community/groups/{self.group_id(title)}/{operation}', **fields)

    def on_item(self, title, operation, **fields):
        return self.call(self.content(f'items/{self.item_id(title)}/{operation}'), **fields)


class Scene:
    """What is changed and how it is seen: one for each kind of changes."""

    def prepare(self, server, person):
        """Makes what is changed."""
        raise NotImplementedError

    def changes(self, spare):
        """(name, change(admin)) one after the other; each changes the state. spare: a token that may be revoked."""
        raise NotImplementedError

    def state(self, p, spare):
        """Everything that the changes change, without ids and times."""
        raise NotImplementedError


class Portal(Scene):
    def prepare(self, server, person):
        for name in ('bob', 'carol'):
            server.add_user(name)
        old = person.group('Old')
        person.on_group('Old', 'addUsers', users='bob')
        person.add('Web Map', 'Map', text={'version': '2.30'}, group=old)
        person.add('PDF', 'Gift', file=('gift.pdf', b'%PDF-1.4 gift'))
        doomed = person.add('PDF', 'Doomed', file=('doomed.pdf', b'%PDF-1.4\n' + bytes(50_000)), group=old)
        person.resource(doomed, 'a.png', moving.png(5))
        going = person.call(person.content('createFolder'), title='Going')['folder']['id']
        person.add('Web Map', 'Gone', text={'version': '2.30'}, folder=going)

    def changes(self, spare):
        return [
            ('createUser', lambda p: p.call('/portaladmin/security/users/createUser', username='dave', password=PASSWORD, fullname='Dave', email='d@example.com', role='org_user')),
            ('createGroup', lambda p: p.group('Harbour', snippet='first')),
            ('addUsers', lambda p: p.on_group('Harbour', 'addUsers', users='bob,carol')),
            ('updateUsers', lambda p: p.on_group('Harbour', 'updateUsers', admins='bob')),
            ('share', lambda p: p.share(p.item_id('Map'), p.group_id('Harbour'))),
            ('update the group', lambda p: p.on_group('Harbour', 'update', snippet='second', tags='u,v')),
            ('createFolder', lambda p: p.call(p.content('createFolder'), title='Things')),
            ('move', lambda p: p.on_item('Map', 'move', folder=p.folders()['Things'])),
            ('update the item', lambda p: p.on_item('Map', 'update', snippet='a map', tags='x,y,z', text='{"version":"2.31"}')),
            ('protect the item', lambda p: p.on_item('Map', 'protect')),
            ('protect the group', lambda p: p.on_group('Harbour', 'protect')),
            ('removeUsers', lambda p: p.on_group('Harbour', 'removeUsers', users='carol')),
            ('unprotect the group', lambda p: p.on_group('Harbour', 'unprotect')),
            ('revokeToken', lambda p: p.call('/sharing/rest/oauth2/revokeToken', auth_token=spare)),
            ('delete a group', lambda p: p.on_group('Old', 'delete')),
            ('delete an item', lambda p: p.on_item('Doomed', 'delete')),
            ('updateFolder', lambda p: p.call(p.content(p.folders()['Things'] + '/updateFolder'), newTitle='Matters')),
            ('reassign', lambda p: p.on_item('Gift', 'reassign', targetUsername='bob', targetFolderName='/')),
            ('delete a folder', lambda p: p.call(p.content(p.folders()['Going'] + '/delete'))),
        ]

    def state(self, p, spare):
        users = sorted((u['username'], u['fullName'], u['role']) for u in p.call('/sharing/rest/portals/self/users', num='100')['users'])
        groups = []
        for g in p.call('/sharing/rest/community/users/admin')['groups']:
            people = p.call(f"/sharing/rest/community/groups/{g['id']}/users")
            about = p.call(f"/sharing/rest/community/groups/{g['id']}")
            items = sorted(i['title'] for i in p.call(f"/sharing/rest/content/groups/{g['id']}", num='100')['items'])
            groups.append((about['title'], about.get('snippet'), about['access'], about['protected'], people['owner'], sorted(people['admins']), sorted(people['users']), items))
        folders = p.folders()
        items = []
        for i in map(p.item, p.own_items()):
            folder = next((t for t, f in folders.items() if f == i.get('ownerFolder')), None)
            items.append((i['title'], i.get('snippet'), sorted(i['tags']), i['protected'], i['access'], folder, p.item_data(i['id'])))
        theirs = sorted(i['title'] for i in p.call('/sharing/rest/content/users/bob', num='100')['items'])
        with_spare = Admin(p.url, spare)
        try:
            spare_holds = with_spare.call('/sharing/rest/community/self')['username'] == 'admin'
        except RestError as e:
            spare_holds = e.error['code'] != 498
        return users, sorted(groups), sorted(folders), sorted(items), theirs, spare_holds


def prepare(folder, scene):
    """A data folder with what is changed, and the tokens."""
    server = Server(data=os.path.join(folder, 'data'))
    try:
        tokens = [Person(server.url).call('/sharing/rest/generateToken', username='admin', password=PASSWORD, client='requestip', expiration='600')['token'] for _ in range(2)]
        scene.prepare(server, Admin(server.url, tokens[0]))
    finally:
        server.close()
    return server.data, tokens


# ---------------------------------------------------------------- one try

class Fragile(Server):
    """A portal on a copy of a prepared folder, which may die."""

    def __init__(self, prepared, fault=None):
        self.home = tempfile.mkdtemp(prefix='mapferry-crash-')
        self.fault, self.process = fault, None
        shutil.copytree(prepared, os.path.join(self.home, 'data'))
        super().__init__(os.path.join(self.home, 'data'))

    def start(self, env=None, **settings):
        """As it was made: with the fault, which may strike at once."""
        try:
            super().start({'MAPFERRY_FAULT': self.fault} if self.fault else env, **settings)
        except AssertionError:
            if not self.fault:
                raise

    def again(self):
        """Ends it if it lives, and starts it without a fault."""
        self.stop()
        self.fault = None
        self.start()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        assert b'Sanitizer' not in read(self.log) and b'runtime error' not in read(self.log), read(self.log)[-5000:]

    def check(self):
        self.stop()
        run = subprocess.run([moving.PROGRAM, 'check', self.data, '--read-data'], capture_output=True, text=True, check=False)
        assert run.returncode == 0 and 'database and stores agree' in run.stdout, f'mapferry check: {run.returncode} {run.stdout} {run.stderr}'

    def close(self):
        self.process.kill()
        self.process.wait()
        os.unlink(self.log)
        shutil.rmtree(self.home)


class Changes(unittest.TestCase):
    scene = Portal()
    sample = 30  # places of an ordinary run

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='mapferry-crash-scene-')
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.data, (cls.token, cls.spare) = prepare(cls.folder, cls.scene)
        portal = Fragile(cls.data, 'count')
        try:
            person = Admin(portal.url, cls.token)
            cls.states = [cls.scene.state(person, cls.spare)]
            for name, change in cls.scene.changes(cls.spare):
                change(person)
                cls.states.append(cls.scene.state(person, cls.spare))
                assert cls.states[-1] != cls.states[-2], f'{name} changes nothing that is seen'
            portal.check()
            cls.points = int(re.search(r'fault points: (\d+)', read(portal.log).decode()).group(1))
        finally:
            portal.close()

    def run_until_fault(self, portal, person, done):
        """Changes from the one numbered `done` on; how many were acknowledged, and the error of the next one, None when the portal died."""
        for name, change in self.scene.changes(self.spare)[done:]:
            try:
                change(person)
            except RestError as e:
                return done, f'{name}: {e.error}'
            except (OSError, http.client.HTTPException):
                return done, None
            done += 1
        return done, ''

    def tried(self, fault):
        kind = fault.partition(':')[0]
        portal = Fragile(self.data, fault)
        try:
            done, error = 0, None
            person = Admin(portal.url, self.token)
            if portal.process.poll() is None:
                done, error = self.run_until_fault(portal, person, 0)
            elif kind in CAUSE:
                assert CAUSE[kind].search(read(portal.log).decode()), f'the start failed without a cause: {read(portal.log)}'
            if error:
                assert CAUSE[kind].search(error), f'no cause: {error}'
                assert self.scene.state(person, self.spare) == self.states[done], f'{error}, and yet something was changed'
                done, error = self.run_until_fault(portal, person, done)  # the fault is over
                assert error == '', error
            portal.again()
            seen = self.scene.state(person, self.spare)
            possible = self.states[done:done + 2] if error is None else [self.states[done]]
            assert seen in possible, f'after {done} changes: {seen} instead of {possible}'
            done, error = self.run_until_fault(portal, person, self.states.index(seen))
            assert error == '', f'{error} after the restart'
            assert self.scene.state(person, self.spare) == self.states[-1], 'the end is not as in an undisturbed run'
            portal.check()
        finally:
            portal.close()

    def all_tried(self, faults):
        """Two at a time; every problem is told."""
        queue, problems, lock = list(faults), [], threading.Lock()

        def work():
            while True:
                with lock:
                    if not queue:
                        return
                    fault = queue.pop(0)
                try:
                    self.tried(fault)
                except Exception as e:  # one try that goes wrong must not hide the others
                    with lock:
                        problems.append(f'{fault}: {type(e).__name__}: {e}')
        workers = [threading.Thread(target=work) for _ in range(2)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        self.assertEqual(problems, [], f'{len(problems)} problems:\n' + '\n'.join(problems))

    def places(self, count):
        return range(1, self.points + 1) if ALL else sorted({1 + i * (self.points - 1) // (count - 1) for i in range(count)})

    def test_killed(self):
        self.all_tried(f'kill:{n}' for n in self.places(self.sample))

    def test_errors(self):
        self.all_tried(f'{kind}:{n}' for n in self.places(self.sample * 2 // 5) for kind in CAUSE)


# ---------------------------------------------------------------- migrations

def statements(path):
    """The text of a migration: its C strings, joined."""
    text = re.sub(r'/\*.*?\*/', lambda m: m.group(0) if 'clustered' in m.group(0) and '"' not in m.group(0) else '', read(path).decode(), flags=re.S)
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', text[text.index('[] ='):])
    return ''.join(strings).replace('\\n', '\n').replace('\\"', '"').replace('/* clustered */', 'WITHOUT ROWID')


def as_first_schema(path):
    """Makes the database at path one of schema 1 with the same rows, as far as schema 1 has a place for them."""
    new = path + '.first'
    db = sqlite3.connect(new)
    db.executescript('CREATE TABLE schema_migration (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied BIGINT NOT NULL);' + statements(os.path.join(MIGRATIONS, '0001.c')))
    db.execute('PRAGMA foreign_keys = OFF')
    db.execute('ATTACH ? AS old', (path,))
    # the index of searches has another form since; it is made anew from the rows when the newer schema comes
    for (table,) in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name <> 'schema_migration' AND name NOT LIKE 'search%'").fetchall():
        columns = [{c[1] for c in db.execute(f'PRAGMA {side}.table_info({table})')} for side in ('main', 'old')]
        names = ', '.join(sorted(columns[0] & columns[1]))
        if names:
            db.execute(f'INSERT INTO main.{table} ({names}) SELECT {names} FROM old.{table}')
    db.execute("INSERT INTO schema_migration VALUES (1, 'first tables', 0)")
    db.commit()
    db.execute('PRAGMA journal_mode = WAL')
    db.close()
    for end in ('-wal', '-shm', ''):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path + end)
    os.rename(new, path)


class Migration(unittest.TestCase):
    scene = Portal()

    @classmethod
    def setUpClass(cls):
        cls.newest = max(int(n[:4]) for n in os.listdir(MIGRATIONS) if re.fullmatch(r'\d{4}\.c', n))
        if cls.newest < 2:
            raise unittest.SkipTest('there is one schema only')
        cls.folder = tempfile.mkdtemp(prefix='mapferry-crash-scene-')
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.data, (cls.token, cls.spare) = prepare(cls.folder, cls.scene)
        portal = Fragile(cls.data)
        cls.state = cls.scene.state(Admin(portal.url, cls.token), cls.spare)
        portal.stop()
        portal.close()
        as_first_schema(os.path.join(cls.data, 'portal.db'))
        portal = Fragile(cls.data, 'count')
        portal.stop()
        cls.points = int(re.search(r'fault points: (\d+)', read(portal.log).decode()).group(1))
        portal.close()

    def versions(self, path):
        with contextlib.closing(sqlite3.connect(path)) as db:
            self.assertEqual(db.execute('PRAGMA integrity_check').fetchone(), ('ok',))
            return [r[0] for r in db.execute('SELECT number FROM schema_migration ORDER BY number')]

    def tried(self, fault):
        portal = Fragile(self.data, fault)
        try:
            portal.again()
            self.assertEqual(self.scene.state(Admin(portal.url, self.token), self.spare), self.state, fault)
            portal.check()
            database = os.path.join(portal.data, 'portal.db')
            self.assertEqual(self.versions(database), list(range(1, self.newest + 1)), fault)
            self.assertEqual(self.versions(database + '.before-2'), [1], fault)  # as it was, for whoever wants to go back
            self.assertEqual([n for n in os.listdir(portal.data) if n.endswith('.part')], [], fault)
        finally:
            portal.close()

    def test_killed_and_failed(self):
        places = range(1, self.points + 1) if ALL else sorted({1 + i * (self.points - 1) // 9 for i in range(10)})
        for n in places:
            for kind in ('kill', 'eio', 'enospc'):
                self.tried(f'{kind}:{n}')


if __name__ == '__main__':
    moving.main()
