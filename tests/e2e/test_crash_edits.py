#!/usr/bin/env python3
"""applyEdits under kill -9 at the n-th changing call (MAPFERRY_FAULT): every edit that was acknowledged is there, the one that was under way is
there whole or not at all, readers never see half of one, and rows, boxes and stores agree afterwards. An ordinary run takes a sample of the
places; --all takes every one."""
import http.client
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import Person, RestError, Server, layer, read  # noqa: E402

ALL = '--all' in sys.argv
if ALL:
    sys.argv.remove('--all')
PAGE, CALLS, SAMPLE = 40, 8, 12
SOAK = {'people': 64, 'seconds': 600, 'kill_every': 60} if ALL else {'people': 6, 'seconds': 9, 'kill_every': 3}
BROKEN = (OSError, http.client.HTTPException, RestError, AssertionError)


def expected(calls):
    """What is there after so many calls: the last page as it was added, the one before changed by the last call, others deleted."""
    state = {}
    if calls > 0:
        state[(calls - 1, 0)] = PAGE
    if calls > 1:
        state[(calls - 2, calls - 1)] = PAGE
    return state


class Mortal(Server):
    """A portal that may have died when it is ended."""

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        assert b'Sanitizer' not in read(self.log) and b'runtime error' not in read(self.log), read(self.log)[-5000:]

    def again(self, fault=None):
        self.stop()
        try:
            self.start({'MAPFERRY_FAULT': fault} if fault else None)
        except AssertionError:
            if not fault:
                raise
            return False
        return True


class Crash(unittest.TestCase):
    PREPARED = {'layers': [layer(0, 'Points', 'Point', (('n', 'Integer'), ('v', 'Integer')))]}

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='mapferry-crash-edits-')
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        server = Server(os.path.join(cls.folder, 'prepared'))
        owner = server.sign_in()
        cls.url = owner.service('edits', None, cls.PREPARED)[1] + '/0'
        cls.token, cls.host = owner.token, owner.url
        server.close()

    def person(self, server):
        person = Person(server.url)
        person.user, person.token = 'admin', self.token
        if server.url != self.host:
            person = server.sign_in()
        return person

    def state(self, person):
        state, features = {}, person.call(self.url + '/query', where='1=1', outFields='n,v')['features']
        for f in features:
            key = (f['attributes']['n'], f['attributes']['v'])
            state[key] = state.get(key, 0) + 1
        return state

    def edit(self, person, k, pages):
        """Adds page k, changes page k-1, deletes page k-2: one call."""
        adds = [{'attributes': {'n': k, 'v': 0}, 'geometry': {'x': k, 'y': i / 10}} for i in range(PAGE)]
        updates = [{'attributes': {'OBJECTID': o, 'v': k}, 'geometry': {'x': k - 1, 'y': -1}} for o in pages.get(k - 1, [])]
        answer = person.call(self.url + '/applyEdits', adds=adds, updates=updates, deletes=','.join(map(str, pages.get(k - 2, []))), rollbackOnFailure='true')
        pages[k] = [r['objectId'] for r in answer['addResults']]

    def run_calls(self, server):
        """How many calls were acknowledged before the portal died or all were made; what readers saw meanwhile that cannot be."""
        done, strange, pages, ended = 0, [], {}, threading.Event()

        def look():
            valid = [self.expected(k) for k in range(CALLS + 1)]
            try:
                reader = self.person(server)
                while not ended.is_set():
                    state = self.state(reader)
                    if state not in valid:
                        strange.append(state)
            except BROKEN:
                pass
        thread = threading.Thread(target=look)
        thread.start()
        try:
            person = self.person(server)
            for k in range(CALLS):
                self.edit(person, k, pages)
                done += 1
        except BROKEN:
            pass
        ended.set()
        thread.join()
        return done, strange

    @staticmethod
    def expected(calls):
        return expected(calls)

    def check_reading(self, strange):
        self.assertEqual(strange, [])

    def after(self, server, done):
        """The state after the restart is that of the acknowledged calls, or of one more; every row is found by its box."""
        person = self.person(server)
        state = self.state(person)
        self.assertIn(state, (self.expected(done), self.expected(done + 1)), done)
        for n, v in state:
            box = f'{n - 0.5},-2,{n + 0.5},50'
            self.assertEqual(person.call(self.url + '/query', geometry=box, returnCountOnly='true')['count'], PAGE, (n, v))
        self.assertEqual(person.call(self.url + '/query', where='1=1', returnCountOnly='true')['count'], sum(state.values()))

    def test_killed(self):
        def fresh(k):
            data = os.path.join(self.folder, f'run_{k}')
            shutil.copytree(os.path.join(self.folder, 'prepared'), data)
            server = Mortal(data)
            server.again('count')
            return server
        server = fresh('count')
        done, strange = self.run_calls(server)
        self.assertEqual(done, CALLS)
        self.check_reading(strange)
        server.stop()
        points = int(re.findall(rb'(\d+)', [line for line in read(server.log).splitlines() if b'fault' in line or b'point' in line][-1])[-1])
        self.assertGreater(points, CALLS)
        server.start()
        server.close()
        places = range(1, points + 1) if ALL else sorted(random.Random(points).sample(range(1, points + 1), min(SAMPLE, points)))
        struck = 0
        for place in places:
            with self.subTest(place=place, of=points):
                server = fresh(place)
                if server.again(f'kill:{place}'):
                    done, strange = self.run_calls(server)
                    self.check_reading(strange)
                else:
                    done = 0
                struck += server.process.poll() is not None
                server.again()
                self.after(server, done)
                server.close()
        self.assertGreater(struck, len(places) // 4)  # how many calls a start and an end make differs


class Files(Crash):
    """The same of features with attachments, which are in another store: both or none."""
    PREPARED = {'layers': [layer(0, 'Points', 'Point', (('n', 'Integer'),), hasAttachments=True)]}

    @staticmethod
    def expected(calls):
        return {n: [f'{n}.txt'] for n in range(max(0, calls - 2), calls)}

    def state(self, person):
        rows = person.call(self.url + '/query', where='1=1', outFields='n,OBJECTID')['features']
        files = {g['parentObjectId']: [i['name'] for i in g['attachmentInfos']] for g in person.call(self.url + '/queryAttachments', definitionExpression='1=1')['attachmentGroups']}
        return {r['attributes']['n']: files.get(r['attributes']['OBJECTID'], []) for r in rows}

    def edit(self, person, k, pages):
        """Adds a feature with an attachment and deletes the one before the last with its own: one call."""
        pages[k] = '{%08d-89AB-4DEF-8123-456789ABCDEF}' % k
        person.call(self.url + '/applyEdits', adds=[{'attributes': {'n': k, 'GlobalID': pages[k]}, 'geometry': {'x': k, 'y': 0}}], deletes=[pages[k - 2]] if k > 1 else [], useGlobalIds='true',
                    attachments={'adds': [{'parentGlobalId': pages[k], 'name': f'{k}.txt', 'data': 'aGVsbG8h' * (6000 * (k % 2) + 1)}]})

    def check_reading(self, strange):
        """Attachments follow their features a moment later, so readers may see the features alone."""

    def after(self, server, done):
        person = self.person(server)
        self.assertIn(self.state(person), (self.expected(done), self.expected(done + 1)), done)
        for g in person.call(self.url + '/queryAttachments', definitionExpression='1=1')['attachmentGroups']:
            for i in g['attachmentInfos']:
                self.assertEqual(len(person.raw(f"{self.url}/{g['parentObjectId']}/attachments/{i['id']}", method='GET')[2]), i['size'])


class Soak(unittest.TestCase):
    """Many writers and readers of one layer while the portal is killed again and again. A writer replaces its page by the next one in each
    call, so that its rows are one whole page at any moment."""

    def setUp(self):
        self.server = Mortal(os.path.join(tempfile.mkdtemp(prefix='mapferry-soak-edits-'), 'data'))
        self.addCleanup(shutil.rmtree, os.path.dirname(self.server.data), ignore_errors=True)
        owner = self.server.sign_in()
        self.url = owner.service('soak', None, {'layers': [layer(0, 'Points', 'Point', (('n', 'Integer'), ('v', 'Integer')))]})[1] + '/0'
        self.token, self.ended, self.strange, self.calls = owner.token, threading.Event(), [], [0] * SOAK['people']

    def person(self):
        person = Person(self.server.url)
        person.user, person.token = 'admin', self.token
        return person

    def page(self, person, n):
        """Version and object ids of a writer's page; (None, []) before the first."""
        rows = [f['attributes'] for f in person.call(self.url + '/query', where=f'n = {n}', outFields='v,OBJECTID')['features']]
        versions = {r['v'] for r in rows}
        if len(rows) not in (0, PAGE) or len(versions) > 1:
            self.strange.append((n, sorted(versions), len(rows)))
        return max(versions, default=None), [r['OBJECTID'] for r in rows]

    def until_it_answers(self, what):
        while True:
            try:
                return what()
            except BROKEN:
                time.sleep(0.05)

    def write(self, n):
        person, version, oids = self.person(), -1, []
        while not self.ended.is_set():
            adds = [{'attributes': {'n': n, 'v': version + 1}, 'geometry': {'x': n, 'y': i / 10}} for i in range(PAGE)]
            try:
                answer = person.call(self.url + '/applyEdits', adds=adds, deletes=','.join(map(str, oids)), rollbackOnFailure='true')
                version, oids = version + 1, [r['objectId'] for r in answer['addResults']]
                self.calls[n] += 1
            except BROKEN:
                found, oids = self.until_it_answers(lambda: self.page(person, n))
                if (-1 if found is None else found) not in (version, version + 1):
                    self.strange.append((n, 'acknowledged', version, 'found', found))
                version = -1 if found is None else found

    def look(self, n):
        person = self.person()
        while not self.ended.is_set():
            try:
                self.page(person, random.randrange(SOAK['people']))
            except BROKEN:
                time.sleep(0.05)

    def test_many_and_kills(self):
        threads = [threading.Thread(target=work, args=(n,)) for n in range(SOAK['people']) for work in (self.write, self.look)]
        for t in threads:
            t.start()
        for _ in range(SOAK['seconds'] // SOAK['kill_every']):
            self.ended.wait(SOAK['kill_every'])
            self.server.process.kill()
            self.server.process.wait()
            self.server.start()
        self.ended.set()
        for t in threads:
            t.join()
        self.assertEqual(self.strange, [])
        self.assertTrue(all(self.calls), self.calls)
        person = self.person()
        self.assertEqual(person.call(self.url + '/query', where='1=1', returnCountOnly='true')['count'], PAGE * SOAK['people'])
        self.assertEqual(person.call(self.url + '/query', geometry=f"-1,-1,{SOAK['people']},90", returnCountOnly='true')['count'], PAGE * SOAK['people'])
        self.server.close()


if __name__ == '__main__':
    moving.main()
