#!/usr/bin/env python3
"""Work on items under kill -9, EIO and ENOSPC at the n-th changing call (MAPFERRY_FAULT): uploads, parts, commits, updates, resources, comments,
deletes. What was answered is there after the restart; what was not is there whole or not at all; what was refused changed nothing and names the
cause; the work goes on from there to the same end; the stores agree. An ordinary run takes a sample of the places; --all takes every one."""
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import Person, RestError, Server, read  # noqa: E402

ALL = '--all' in sys.argv
if ALL:
    sys.argv.remove('--all')
SAMPLE = 24
URL = 'http://one.example'
CAUSE = {'eio': re.compile(r'input/output|i/o error', re.I), 'enospc': re.compile(r'no space|full', re.I)}
ITEM = '/sharing/rest/content/items/'
SMALL, LARGE, PARTS, MAP = ('%032x' % n for n in (0xa1, 0xa2, 0xa3, 0xa4))


def noise(seed, size):
    return random.Random(seed).randbytes(size)


def of(item, operation):
    return f'/sharing/rest/content/users/admin/items/{item}/{operation}'


def add(person, item, file, **fields):
    person.call(person.content('addItem'), files=[('file', file)], type='CSV', tags='t', itemIdToCreate=item, **fields)


def part(person, item, number, data):
    person.call(of(item, 'addPart') + f'?partNum={number}', files=[('file', ('part', data))])


def delete_items(person, *items):
    for result in person.call(person.content('deleteItems'), items=','.join(items))['results']:
        if not result['success']:
            raise RestError('deleteItems', result['error'])


# each of them one call
STEPS = [
    lambda p: add(p, SMALL, ('small.csv', b'a\n1\n'), title='Small'),
    lambda p: add(p, LARGE, ('large.csv', noise(1, 100_000)), title='Large'),
    lambda p: p.call(p.content('addItem'), multipart='true', filename='parts.csv', itemIdToCreate=PARTS),
    lambda p: part(p, PARTS, 2, noise(2, 50_000)),
    lambda p: part(p, PARTS, 1, b'replaced later'),
    lambda p: part(p, PARTS, 1, noise(3, 70_000)),
    lambda p: p.call(of(PARTS, 'commit'), type='CSV', title='From parts', tags='t'),
    lambda p: p.call(of(SMALL, 'update'), files=[('file', ('small.csv', noise(4, 80_000))), ('thumbnail', ('t.png', moving.png(3)))], snippet='changed', serviceUsername='u', servicePassword='p'),
    lambda p: p.call(of(LARGE, 'update'), text='{"now":"text"}', title='Now text'),
    lambda p: p.call(p.content('addItem'), type='Web Map', title='Map', text='{"version":"2.30"}', itemIdToCreate=MAP, originItemId=SMALL, relationshipType='Map2Service'),
    lambda p: p.call(of(MAP, 'addResources'), files=[('file1', ('a.bin', noise(5, 60_000))), ('file2', ('b.bin', b'b')), ('file3', ('c.bin', noise(5, 60_000)))], resourcesPrefix='x'),
    lambda p: p.call(ITEM + MAP + '/addComment', comment='crash'),
    lambda p: p.call(of(PARTS, 'update'), multipart='true', fileName='parts2.csv'),
    lambda p: part(p, PARTS, 1, noise(6, 40_000)),
    lambda p: p.call(of(PARTS, 'commit'), snippet='second'),
    lambda p: p.call(of(MAP, 'removeResources'), resource='x/b.bin'),
    lambda p: p.call(of(MAP, 'share'), everyone='true'),
    lambda p: p.call(of(LARGE, 'delete')),
    lambda p: delete_items(p, SMALL),
]


def state(person):
    """All that a client sees of the items and uploads, but times."""
    out = {}
    for item in (SMALL, LARGE, PARTS, MAP):
        try:
            about = person.item(item)
        except RestError as e:
            if e.error.get('messageCode') != 'CONT_0001':
                raise
            about = None
        upload = person.call(of(item, 'status'))['status'] == 'partial' if about else None
        try:
            parts = person.call(of(item, 'parts'))['parts']
        except RestError as e:
            if e.error['code'] != 400:
                raise
            parts = None
        seen = {'upload': upload, 'parts': parts}
        if about:
            seen.update({k: about[k] for k in ('title', 'type', 'name', 'size', 'snippet', 'thumbnail', 'access', 'numComments', 'tags')})
            seen['data'] = hashlib.sha256(person.item_data(item)).hexdigest()
            seen['image'] = person.data(f"{ITEM}{item}/info/{about['thumbnail']}")[1] if about['thumbnail'] else None
            seen['resources'] = {r['resource']: hashlib.sha256(person.data(f"{ITEM}{item}/resources/{r['resource']}")[1]).hexdigest()
                                 for r in person.call(f'{ITEM}{item}/resources', num='100')['resources']}
            seen['related'] = [i['id'] for i in person.call(f'{ITEM}{item}/relatedItems', relationshipType='Map2Service', direction='reverse')['relatedItems']]
            seen['comments'] = [c['comment'] for c in person.call(f'{ITEM}{item}/comments')['comments']]
        out[item] = seen
    return out


class Fragile(Server):
    """A portal on a copy of the prepared folder, which may die."""

    def __init__(self, scene, fault=None):
        self.scene = scene
        data = os.path.join(tempfile.mkdtemp(prefix='mapferry-crash-'), 'data')
        shutil.copytree(scene.data, data)
        super().__init__(data, url=URL)
        self.again(fault)

    def person(self):
        person = Person(self.url)
        person.user, person.url, person.token = 'admin', *self.scene.pass_
        return person

    def again(self, fault=None):
        """Ends it if it lives and starts it; False when the fault struck at the start."""
        self.stop()
        try:
            self.start({'MAPFERRY_FAULT': fault} if fault else None)
        except AssertionError:
            if not fault:
                raise
            return False
        return True

    def lives(self):
        return self.process.poll() is None

    def stop(self):
        if self.lives():
            self.process.terminate()
        self.process.wait(60)
        log = read(self.log)
        assert b'Sanitizer' not in log and b'runtime error' not in log, log[-5000:]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.unlink(self.log)
        shutil.rmtree(os.path.dirname(self.data))


class Scene:
    """A prepared data folder, and the states that an undisturbed run goes through."""

    def __init__(self, folder):
        self.data = os.path.join(folder, 'data')
        server = Server(data=self.data, url=URL)
        try:
            person = server.sign_in()
            self.pass_ = person.url, person.token  # a token holds for the referer that it was asked for with
        finally:
            server.close()
        portal = Fragile(self, 'count')
        try:
            person = portal.person()
            self.states = [state(person)]
            for step in STEPS:
                step(person)
                self.states.append(state(person))
            portal.stop()
            self.points = int(re.search(r'fault points: (\d+)', read(portal.log).decode()).group(1))
        finally:
            portal.close()


class Try:
    def __init__(self, scene, fault):
        self.scene, self.fault, self.problems = scene, fault, []
        self.kind = fault.partition(':')[0]

    def run(self):
        self.portal = Fragile(self.scene, self.fault)
        try:
            done = self.work(0) if self.portal.lives() else self.at_start()
            if not self.portal.lives():
                done = self.after_death(done)
            self.checked(done)
            if done < len(STEPS):
                self.work(done)
                self.checked(len(STEPS))
            self.stores_agree()
        except Exception as e:  # one try that goes wrong must not hide the others
            self.problems.append(f'{type(e).__name__}: {e}; log: {read(self.portal.log).decode(errors="replace")[-600:]}')
        finally:
            self.portal.close()
        return [f'{self.fault}: {p}' for p in self.problems]

    def at_start(self):
        log = read(self.portal.log).decode()
        if self.kind != 'kill' and not CAUSE[self.kind].search(log):
            self.problems.append(f'the start failed without a cause: {log}')
        self.portal.again()
        return self.work(0)

    def work(self, first):
        """The steps from there; how many are done when the portal dies. A step that is refused names the cause, changed nothing and is done again."""
        person = self.portal.person()
        for n in range(first, len(STEPS)):
            try:
                STEPS[n](person)
            except (OSError, http.client.HTTPException):
                self.portal.process.wait(60)
                return n
            except RestError as e:
                if self.kind not in CAUSE or not CAUSE[self.kind].search(json.dumps(e.error) if isinstance(e.error, dict) else e.error):
                    raise
                self.checked(n)
                STEPS[n](person)
        return len(STEPS)

    def after_death(self, done):
        """How far it really came: the step that was not answered is done, or not."""
        self.portal.again()
        seen = state(self.portal.person())
        for n in (done, done + 1):
            if n < len(self.scene.states) and seen == self.scene.states[n]:
                return n
        self.problems.append(f'after step {done}: {self.differences(seen, done)}')
        return done

    def checked(self, done):
        seen = state(self.portal.person())
        if seen != self.scene.states[done]:
            self.problems.append(f'step {done}: {self.differences(seen, done)}')

    def differences(self, seen, n):
        return {i: {k: (v, self.scene.states[n][i].get(k)) for k, v in seen[i].items() if v != self.scene.states[n][i].get(k)} for i in seen if seen[i] != self.scene.states[n][i]}

    def stores_agree(self):
        self.portal.stop()
        check = subprocess.run([moving.PROGRAM, 'check', self.portal.data, '--read-data'], capture_output=True, text=True, check=False)
        if check.returncode or 'finding' in check.stdout:
            self.problems.append(f'check: {check.stdout}{check.stderr}')


class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix='mapferry-crash-items-')
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.scene = Scene(folder)

    def tried(self, kind):
        points = self.scene.points
        places = range(1, points + 1) if ALL else sorted({1, points} | {1 + (points - 1) * i // SAMPLE for i in range(SAMPLE)})
        waiting, problems, lock = list(places), [], threading.Lock()

        def worker():
            while True:
                with lock:
                    if not waiting:
                        return
                    n = waiting.pop()
                found = Try(self.scene, f'{kind}:{n}').run()
                with lock:
                    problems.extend(found)
        workers = [threading.Thread(target=worker) for _ in range(2)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        self.assertEqual(problems, [], f'{len(problems)} problems of {len(places)} tries:\n' + '\n'.join(problems))

    def test_killed(self):
        self.tried('kill')

    def test_input_output_errors(self):
        self.tried('eio')

    def test_full_disk(self):
        self.tried('enospc')


if __name__ == '__main__':
    moving.main()
