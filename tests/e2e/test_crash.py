#!/usr/bin/env python3
"""Group export and import under kill -9, EIO and ENOSPC at the n-th changing call (MAPFERRY_FAULT). A job that was cut goes on by itself
after a restart and ends as if nothing had happened; a job that failed names the cause, changes nothing by halves, and can be run again.
An ordinary run takes a sample of the places; --all takes every one."""
import hashlib
import http.client
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import ENDED, Package, Person, RestError, Server, poll, read  # noqa: E402

ALL = '--all' in sys.argv
if ALL:
    sys.argv.remove('--all')
URLS = {'source': 'http://one.example', 'target': 'http://two.example'}
RESIDENT_MAX_KIB = 64 * 1024
CAUSE = {'eio': re.compile(r'input/output|i/o error', re.I), 'enospc': re.compile(r'no space|full', re.I)}
OPERATIONS = {'export': 'source', 'import': 'target'}


def noise(seed, size):
    return random.Random(seed).randbytes(size)


# ---------------------------------------------------------------- what is carried

def load_source(person):
    """A small but complete group: files on both sides of every limit, a map, a hosted service with a related table and attachments."""
    group = person.group('Harbour')
    service, url = moving.rich_service(person, 'Berths', group)
    person.add_features(url + '/0', [{'attributes': {'name': f'berth {i}', 'n': i, 'd': i / 7}, 'geometry': {'x': i % 180, 'y': i % 80}} for i in range(120)])
    person.call(f'{url}/0/2/addAttachment', files=[('attachment', ('large.bin', noise(1, 60_000)))])
    person.call(person.content(f'items/{service}/update'), files=[('thumbnail', ('service.png', moving.png(9)))], snippet='Where ships lie')
    document = person.add('Microsoft Word', 'Rules', file=('rules.docx', noise(2, 10_000)), group=group)
    plan = person.add('PDF', 'Plan', file=('plan.pdf', b'%PDF-1.4\n' + noise(3, 200_000)), group=group, files=[('thumbnail', ('plan.png', moving.png(3)))])
    at = URLS['source'] + url
    chart = person.add('Web Map', 'Chart', text={'version': '2.30', 'baseMap': {'title': 'Base', 'baseMapLayers': []}, 'operationalLayers': [
        {'id': 'a', 'title': 'Berths', 'url': f'{at}/0', 'itemId': service, 'layerType': 'ArcGISFeatureLayer'}]}, group=group)
    person.resource(chart, 'images/small.png', moving.png(5))
    person.resource(chart, 'images/large.bin', noise(4, 50_000))
    person.resource(plan, 'again.bin', noise(4, 50_000))
    person.add('Pro Map', 'Not for packages', file=('m.mapx', b'{}'), group=group)
    person.add('Web Map', 'Credentials', text={'version': '2.30', 'baseMap': {'baseMapLayers': []}, 'operationalLayers': [
        {'id': 'b', 'url': 'https://gis.example.com/rest/services/A/FeatureServer/0?token=abcdefgh12345678', 'itemId': 'f' * 32}]}, group=group)
    person.call(person.content('addRelationship'), originItemId=chart, destinationItemId=service, relationshipType='Map2Service')
    return group, [i['itemId'] for i in person.call(f'/sharing/rest/community/groups/{group}/export', previewOnly='true')['results'] if i['canExport']]


def item_state(person, item):
    """Everything of an item that a client can see, but times and owner's numbers; None when it is not there."""
    try:
        about = person.item(item)
    except RestError as e:
        if e.error.get('messageCode') != 'CONT_0001':
            raise
        return None
    base = f'/sharing/rest/content/items/{item}'
    out = {k: about.get(k) for k in ('id', 'title', 'type', 'name', 'tags', 'typeKeywords', 'snippet', 'thumbnail', 'owner', 'access', 'url')}
    out['data'] = hashlib.sha256(person.item_data(item)).hexdigest()
    if about.get('thumbnail'):
        out['image'] = person.data(f"{base}/info/{about['thumbnail']}")[1]
    out['resources'] = {r['resource']: hashlib.sha256(person.data(f"{base}/resources/{r['resource']}")[1]).hexdigest()
                        for r in person.call(base + '/resources', num='100')['resources']}
    if about['type'] == 'Feature Service':
        out['service'] = moving.service_state(person, moving.path_of(about['url']))
    return out


def relations(person, item):
    return sorted(i['id'] for i in person.call(f'/sharing/rest/content/items/{item}/relatedItems', relationshipType='Map2Service', direction='forward')['relatedItems'])


def members_of(package):
    """The bytes of every member, but of the one that says when the package was made."""
    return {n: b for n, b in Package(package).all().items() if n != 'package.json'}


# ---------------------------------------------------------------- a portal that may die

class Fragile(Server):
    """A portal on a copy of prepared folders."""

    def __init__(self, scene):
        self.scene, self.peak = scene, 0
        data = os.path.join(tempfile.mkdtemp(prefix='mapferry-crash-'), 'data')
        shutil.copytree(scene.data, data)
        super().__init__(data, url=URLS[scene.side], workers='1')

    def start(self, env=None, **settings):
        super().start(env, **settings)
        self.person = Person(self.url)
        self.person.user, self.person.url, self.person.token = 'admin', *self.scene.pass_

    def again(self, fault=None, **settings):
        """Ends it if it lives and starts it; False when the fault struck at the start."""
        self.stop()
        try:
            self.start({'MAPFERRY_FAULT': fault} if fault else None, **settings)
        except AssertionError:
            if not fault:
                raise
            return False
        return True

    def lives(self):
        return self.process.poll() is None

    def stop(self):
        """However it ended: the fault may have struck at the end as well."""
        if self.lives():
            with open(f'/proc/{self.process.pid}/status') as f:
                peak = re.search(r'VmHWM:\s+(\d+)', f.read())  # a process that is just dying has none
            self.peak = max(self.peak, int(peak.group(1)) if peak else 0)
            self.process.terminate()
        self.process.wait(60)
        assert b'Sanitizer' not in read(self.log) and b'runtime error' not in read(self.log), read(self.log)[-5000:]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.unlink(self.log)
        shutil.rmtree(os.path.dirname(self.data))


class Scene:
    """A prepared data folder, the call that is tried on it, and what an undisturbed run of that call gives."""

    def __init__(self, operation, data, person, group, items, package=None):
        self.operation, self.side, self.data = operation, OPERATIONS[operation], data
        self.pass_ = person.url, person.token  # a token holds for the referer that it was asked for with
        self.group, self.items, self.package = group, items, package

    def call(self, person, **fields):
        """Starts the job; its id and key."""
        if self.operation == 'export':
            return person.started(self.group, 'export', exportContentFolder='Packages', outputFileName='harbour', **fields)
        return person.started(self.group, 'import', itemId=self.package, **fields)

    def undisturbed(self):
        """Runs it with counting: the result, the number of fault points, the numbers at the job's checkpoints."""
        portal = Fragile(self)
        try:
            portal.again('count')
            job = portal.person.ended(self.call(portal.person))
            self.done_word, self.result, self.messages = job['status'], job['result'], job['messages']
            if job['status'] not in ('succeeded', 'completed'):
                raise AssertionError(job)
            self.expected = {i: item_state(portal.person, i) for i in self.items}
            self.expected_relations = {i: relations(portal.person, i) for i in self.items}
            self.services = sorted(s['name'] for s in portal.person.call('/server/rest/services/Hosted')['services'])
            self.count_items = len(portal.person.own_items())
            if self.operation == 'export':
                self.bytes = portal.person.item_data(job['result']['itemId'])
                self.members = members_of(self.bytes)
            portal.stop()
            log = read(portal.log).decode()
            self.points = int(re.search(r'fault points: (\d+)', log).group(1))
            self.checkpoints = [int(n) for n in re.findall(r'checkpoint after fault point (\d+)', log)]
        finally:
            portal.close()


def prepare(folder):
    """Both scenes. The source's package is what the target imports."""
    scenes = {}
    server = Server(data=os.path.join(folder, 'source'), url=URLS['source'])
    try:
        person = server.sign_in()
        group, items = load_source(person)
    finally:
        server.close()
    scenes['export'] = Scene('export', server.data, person, group, items)
    scenes['export'].undisturbed()
    server = Server(data=os.path.join(folder, 'target'), url=URLS['target'])
    try:
        person = server.sign_in()
        group = person.group('Arrivals')
        item = person.upload(scenes['export'].bytes)
    finally:
        server.close()
    scenes['import'] = Scene('import', server.data, person, group, items, item)
    scenes['import'].undisturbed()
    return scenes


# ---------------------------------------------------------------- one try

def without_ids(messages):
    return sorted(re.sub(r"Added Export Package item with id '[0-9a-f]{32}'", 'Added', m) for m in messages)


class Try:
    def __init__(self, scene, fault):
        self.scene, self.fault, self.problems, self.repeated = scene, fault, [], False

    def run(self):
        self.portal = Fragile(self.scene)
        try:
            self.kind = self.fault.partition(':')[0]
            (self.killed if self.kind.startswith('kill') else self.failed)()
            self.stopped()
        except Exception as e:  # one try that goes wrong must not hide the others
            log = read(self.portal.log).decode(errors='replace')
            self.problems.append(f'{type(e).__name__}: {e}; log: {log[-600:]}')
        finally:
            self.portal.close()
        return [f'{self.scene.operation} {self.fault}: {p}' for p in self.problems]

    def check(self, holds, text):
        if not holds:
            self.problems.append(text)

    def job_under_fault(self):
        """Starts the job and lets it run until it ends or the portal dies. The job's id and key when the client got them, and the job when it ended."""
        started = None
        try:
            started = self.scene.call(self.portal.person)
            return started, poll(lambda: self.ended_or_dead(started))
        except (OSError, http.client.HTTPException):
            return started, None

    def ended_or_dead(self, started):
        if not self.portal.lives():
            raise ConnectionError
        job = self.portal.person.job(started)
        return job if job['status'] in ENDED else None

    def jobs(self):
        return self.portal.person.call('/sharing/rest/portals/self/jobs', num='100')['jobs']

    def killed(self):
        started = None
        if self.portal.again(self.fault):
            started, _ = self.job_under_fault()
        self.portal.stop()
        self.portal.again(**{'jobs.threads': '0'})  # nothing goes on yet: what does a client see?
        jobs = self.jobs()
        self.check(len(jobs) <= 1, f'{len(jobs)} jobs after the crash')
        self.check(not started or jobs, 'the job that was answered is not there')
        self.nothing_half()
        self.portal.again(**{'jobs.threads': '1'})
        self.nothing_half()
        if jobs:
            started = {'jobId': jobs[0]['id']}
        else:
            started = self.scene.call(self.portal.person)
        job = poll(lambda: self.ended_or_dead(started))
        self.check(job['status'] == self.scene.done_word, f"the job ended as {job['status']}: {job['messages']}")
        self.check(without_ids(job['messages']) == without_ids(self.scene.messages), f"messages: {job['messages']} instead of {self.scene.messages}")
        if job['status'] == self.scene.done_word:
            self.complete(job)

    def failed(self):
        if not self.portal.again(self.fault):
            log = read(self.portal.log).decode()
            self.check(CAUSE[self.kind].search(log), f'the start failed without a cause: {log}')
            self.portal.again()
        job = self.first_call()
        self.nothing_half()
        if job['status'] != self.scene.done_word:
            self.check(job['status'] == 'failed', f"the job ended as {job['status']}")
            self.check(CAUSE[self.kind].search(' '.join(job['messages'])), f"no cause: {job['messages']}")
            self.no_leftovers('after the failure')
            self.repeated = True
            job = self.portal.person.ended(self.scene.call(self.portal.person, **({'overwriteExistingItems': 'true'} if self.scene.operation == 'import' else {})))
        self.check(job['status'] == self.scene.done_word, f"the repeated job ended as {job['status']}: {job['messages']}")
        if job['status'] == self.scene.done_word:
            self.complete(job)

    def first_call(self):
        """The call may be refused itself, with the cause; then it is simply made again."""
        try:
            return self.portal.person.ended(self.scene.call(self.portal.person))
        except RestError as e:
            self.check(CAUSE[self.kind].search(str(e.error)), f'the call was refused without a cause: {e.error}')
            return self.portal.person.ended(self.scene.call(self.portal.person))

    # ---- what has to hold

    def nothing_half(self):
        for item in self.scene.items:
            state = item_state(self.portal.person, item)
            self.check(state is None or state == self.scene.expected[item], f'item {item} is half visible')
        packages = [i for i in self.portal.person.own_items().values() if i['type'] == 'Export Package']
        if self.scene.operation == 'export':
            for p in packages:
                self.check(members_of(self.portal.person.item_data(p['id'])) == self.scene.members, 'the package item is half visible')

    def members_of(self, item):
        return {n: b for n, b in Package(self.portal.person.item_data(item)).all().items()}

    def complete(self, job):
        person, scene, result = self.portal.person, self.scene, job['result']
        for item in scene.items:
            self.check(item_state(person, item) == scene.expected[item], f'item {item} is not as in an undisturbed run')
            self.check(relations(person, item) == scene.expected_relations[item], f'relationships of {item}')
        for name in scene.result:
            if name not in ('itemId', 'created', 'sha256', 'size') and not (self.repeated and name == 'references'):
                self.check(result[name] == scene.result[name], f'{name}: {result[name]} instead of {scene.result[name]}')
        owned = person.own_items()
        kept = [m for m in job['messages'] if 'was not deleted' in m]  # the import is whole, only the package could not go
        self.check(len(owned) == scene.count_items + len(kept) and all(CAUSE[self.kind].search(m) for m in kept), f'{len(owned)} items instead of {scene.count_items}: {kept}')
        folders = [f['title'] for f in person.call(person.content('').rstrip('/'))['folders']]
        self.check(len(folders) == 1, f'folders: {folders}')
        services = sorted(s['name'] for s in person.call('/server/rest/services/Hosted')['services'])
        self.check(services == scene.services, f'services: {services}')
        if scene.operation == 'export':
            self.check(result['contentHash'] == scene.result['contentHash'], 'the content hash differs')
            packages = [i for i in owned.values() if i['type'] == 'Export Package']
            self.check([p['id'] for p in packages] == [result['itemId']], f'export packages: {packages}')
            data = person.item_data(result['itemId'])
            self.check(hashlib.sha256(data).hexdigest() == result['sha256'] and len(data) == result['size'], 'the package is not what the result says')
            self.check(members_of(data) == scene.members, 'members of the package differ')
        else:
            self.check(person.items_of_group(scene.group) == scene.items, 'the items of the group')
        if self.kind in CAUSE:  # what could not be removed goes at the next start
            self.portal.again()
        self.no_leftovers('at the end')

    def no_leftovers(self, when):
        """Nothing lies about below the data folder that no row names."""
        def left():
            db = sqlite3.connect(os.path.join(self.portal.data, 'portal.db'))
            try:
                named = {r[0] for r in db.execute('SELECT store FROM hosted UNION SELECT store FROM store_drop')}
                attached = {r[0] for r in db.execute('SELECT DISTINCT store FROM attachment')}
            finally:
                db.close()
            stores = {re.sub(r'\.gpkg.*', '', n) for _, _, files in os.walk(os.path.join(self.portal.data, 'features')) for n in files}
            found = [f'work/{n}' for n in os.listdir(os.path.join(self.portal.data, 'work'))]
            found += [f'tmp/{n}' for n in os.listdir(os.path.join(self.portal.data, 'content', 'tmp'))]
            found += [f'data set {n}' for n in stores - named] + [f'attachments of {n}' for n in attached - named]
            return found
        deadline = time.monotonic() + 2  # the job's word is out before its folder is removed
        while (found := left()) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.check(not found, f'left {when}: {found}')

    def stopped(self):
        self.portal.stop()
        self.check(self.portal.peak < RESIDENT_MAX_KIB, f'resident {self.portal.peak} KiB')
        run = subprocess.run([moving.PROGRAM, 'check', self.portal.data, '--read-data'], capture_output=True, text=True)
        self.check(run.returncode == 0 and 'database and stores agree' in run.stdout and 'finding' not in run.stdout + run.stderr and 'content ' not in run.stdout + run.stderr,
                   f'mapferry check: {run.returncode} {run.stdout} {run.stderr}')


# ---------------------------------------------------------------- the tests

def spread(points, count):
    """count places from the first to the last, evenly."""
    return sorted({1 + round(i * (points - 1) / (count - 1)) for i in range(count)})


class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='mapferry-crash-scenes-')
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.scenes = prepare(cls.folder)

    def tried(self, operation, faults):
        """All tries, two at a time; every problem is told."""
        queue, problems, lock = list(faults), [], threading.Lock()

        def work():
            while True:
                with lock:
                    if not queue:
                        return
                    fault = queue.pop(0)
                try:
                    found = Try(self.scenes[operation], fault).run()
                except Exception as e:
                    found = [f'{operation} {fault}: {type(e).__name__}: {e}']
                with lock:
                    problems.extend(found)
        workers = [threading.Thread(target=work) for _ in range(2)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        self.assertEqual(problems, [], f'{len(problems)} problems:\n' + '\n'.join(problems))

    def places(self, operation, count, neighbours):
        scene = self.scenes[operation]
        if ALL:
            return list(range(1, scene.points + 1))
        beside = {c + d for c in scene.checkpoints for d in neighbours}
        return sorted({1, scene.points} | set(spread(scene.points, count)) | {n for n in beside if 0 < n <= scene.points})

    def killed(self, operation):
        scene = self.scenes[operation]
        self.assertGreaterEqual(len(scene.checkpoints), 3)
        self.tried(operation, [f'kill-checkpoint:{n + 1}' for n in range(len(scene.checkpoints))] + [f'kill:{n}' for n in self.places(operation, 20, (0, 1))])

    def test_export_killed(self):
        self.killed('export')

    def test_import_killed(self):
        self.killed('import')

    def test_export_errors(self):
        self.tried('export', [f'{kind}:{n}' for n in self.places('export', 24, ()) for kind in CAUSE])

    def test_import_errors(self):
        self.tried('import', [f'{kind}:{n}' for n in self.places('import', 24, ()) for kind in CAUSE])


if __name__ == '__main__':
    moving.main()
