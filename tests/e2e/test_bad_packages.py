#!/usr/bin/env python3
"""Packages that are broken, hostile or another program's, uploaded as Export Package and imported: refused with a sentence that says why, and
nothing is changed. The zoo (tests/fixtures/packages/zoo) with its verdicts, and a good package of this program with one thing wrong."""
import io
import json
import os
import random
import re
import struct
import sys
import unittest
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import RestError, Server, read  # noqa: E402

PACKAGES = os.path.join(moving.ROOT, 'tests', 'fixtures', 'packages')
RESIDENT_MAX_KIB = 64 * 1024
SENTENCE = re.compile(r'^.{15,}\S$', re.S)


def made(person):
    """A good package of this program, with every kind of member."""
    group = person.group('Source')
    service, _ = moving.rich_service(person, 'Rich', group)
    chart = person.add('Web Map', 'Chart', text={'version': '2.30', 'operationalLayers': [{'itemId': service}]}, group=group, files=[('thumbnail', ('t.png', moving.png(7)))])
    person.resource(chart, 'images/a.png', moving.png(8))
    person.add('PDF', 'Large', file=('large.pdf', random.Random(1).randbytes(150_000)), group=group)
    person.add('Microsoft Word', 'Text', file=('text.docx', b'many words ' * 5000), group=group)
    person.call(person.content('addRelationship'), originItemId=chart, destinationItemId=service, relationshipType='Map2Service')
    return person.export(group)


def flipped(data, at, bit=0):
    out = bytearray(data)
    out[at] ^= 1 << bit
    return bytes(out)


def places(data):
    """(name, first byte of the packed bytes, their number) of every member."""
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        for m in z.infolist():
            name, extra = struct.unpack('<HH', data[m.header_offset + 26:m.header_offset + 30])
            yield m.filename, m.header_offset + 30 + name + extra, m.compress_size


class BadPackages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        source = Server(workers='1')
        try:
            cls.good = made(source.sign_in())
        finally:
            source.close()
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.person = cls.server.sign_in()
        cls.group = cls.person.group('Target')
        cls.person.add('PDF', 'Was here', file=('a.pdf', moving.PDF), group=cls.group)
        cls.person.call(cls.person.content('createFolder'), title='Was here')

    def state(self):
        p = self.person
        return (sorted((i['id'], i['modified']) for i in p.own_items().values()), p.items_of_group(self.group), p.folders(), sorted(g['id'] for g in p.call('/sharing/rest/community/groups', q='*', num='100')['results']),
                [s['name'] for s in p.call('/server/rest/services/Hosted')['services']], sorted(os.listdir(os.path.join(self.server.data, 'features'))))

    def setUp(self):
        self.before = self.state()

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), 'the portal is gone')
        self.assertEqual(self.state(), self.before)
        for place in ('content/tmp', 'work'):
            moving.poll(lambda: not os.listdir(os.path.join(self.server.data, place)), 10)
        with open(f'/proc/{self.server.process.pid}/status') as f:
            peak = int(re.search(r'VmHWM:\s+(\d+)', f.read()).group(1))
        self.assertLess(peak, RESIDENT_MAX_KIB, 'resident memory')

    def error(self, item, **fields):
        with self.assertRaises(RestError) as caught:
            self.person.call(f'/sharing/rest/community/groups/{self.group}/import', itemId=item, **fields)
        error = caught.exception.error
        self.assertIsInstance(error, dict, error)
        self.assertEqual(error['code'], 400, error)
        self.assertTrue(error['details'], error)
        self.assertRegex(error['details'][0], SENTENCE)
        return ' '.join(error['details'])

    def refused(self, package, previews=True):
        """What import says. The preview says the same, or, when only a member's bytes are wrong, plans and leaves them to the import."""
        item = self.person.upload(package)
        try:
            said = self.error(item)
            if previews:
                self.assertEqual(self.error(item, previewOnly='true').partition('.')[0][:40], said.partition('.')[0][:40])
                preview = self.person.raw(f'/sharing/rest/community/groups/{self.group}/importPreview/{item}', {'f': 'json'})[2]
                self.assertIn(b'"error"', preview)
            return said
        finally:
            self.person.call(self.person.content(f'items/{item}/delete'))

    def test_zoo(self):
        """Every animal: what the sentence has to say stands in verdicts.txt."""
        verdicts = [line.split('\t') for line in read(os.path.join(PACKAGES, 'zoo', 'verdicts.txt')).decode().splitlines() if line and not line.startswith('#')]
        self.assertEqual(sorted(v[0] for v in verdicts), sorted(n for n in os.listdir(os.path.join(PACKAGES, 'zoo')) if n.endswith('.epk')))
        for name, kind, text in verdicts:
            with self.subTest(name):
                item = self.person.upload(read(os.path.join(PACKAGES, 'zoo', name)))
                try:
                    said = self.error(item)
                    self.assertTrue(text in said or (kind == 'corrupt' and 'is damaged' in said), f'{said} instead of {text}')
                    self.looked_at(item)
                finally:
                    self.person.call(self.person.content(f'items/{item}/delete'))
                self.assertEqual(self.state(), self.before)

    def looked_at(self, item):
        """The preview reads no member's bytes: it answers a plan or an error, in time, and changes nothing."""
        for path, fields in ((f'/sharing/rest/community/groups/{self.group}/import', {'itemId': item, 'previewOnly': 'true'}), (f'/sharing/rest/community/groups/{self.group}/importPreview/{item}', {})):
            try:
                self.assertIn('results', self.person.call(path, **fields))
            except RestError as e:
                self.assertTrue(e.error['details'], e)

    def test_a_bit_in_each_member(self):
        chance = random.Random(7)
        for name, start, size in places(self.good):
            for at in sorted({0, size // 2, size - 1, chance.randrange(size)}):
                with self.subTest(name, at=at):
                    said = self.refused(flipped(self.good, start + at, chance.randrange(8)), previews=False)
                    self.assertIn(name, said)

    def test_a_bit_anywhere(self):
        """Headers, directory and end as well."""
        chance = random.Random(11)
        for at in [*range(8), *(len(self.good) - n for n in range(1, 23)), *(chance.randrange(len(self.good)) for _ in range(60))]:
            with self.subTest(at=at):
                self.refused(flipped(self.good, at, chance.randrange(8)), previews=False)

    def test_cut_off(self):
        for size in (1, 3, 4, 30, 100, 1000, len(self.good) // 2, len(self.good) - 23, len(self.good) - 22, len(self.good) - 1):
            with self.subTest(size=size):
                self.refused(self.good[:size])

    def test_bytes_around_it(self):
        for name, package in {'one byte': self.good + b'x', 'a line': self.good + b'\r\n', 'zeros': self.good + bytes(100_000), 'twice': self.good + self.good, 'before': b'x' + self.good, 'within': self.good[:1000] + b'x' + self.good[1000:]}.items():
            with self.subTest(name):
                self.refused(package)

    def rebuilt(self, change):
        """The members in a zip of Python's making, one of them changed."""
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(self.good)) as old, zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as new:
            for m in old.infolist():
                change(new, m.filename, old.read(m.filename))
        return out.getvalue()

    def test_members_that_lie(self):
        members = [name for name, _, _ in places(self.good)]
        for wrong in members:
            with self.subTest(wrong):
                self.refused(self.rebuilt(lambda z, n, b: z.writestr(n, b + b' ' if n == wrong else b)), previews=False)
                self.refused(self.rebuilt(lambda z, n, b: None if n == wrong else z.writestr(n, b)), previews=False)

    def test_another_vendors(self):
        """Foreign archives: the sentence says what to do instead."""
        for name, members in {'zip': {'esriinfo/iteminfo.xml': b'<a/>'}, 'epk': {'manifest.xml': b'<a/>', 'items/1.json': b'{}'}, 'docx': {'[Content_Types].xml': b'<a/>', 'word/document.xml': b'<a/>'}}.items():
            out = io.BytesIO()
            with zipfile.ZipFile(out, 'w') as z:
                for n, b in members.items():
                    z.writestr(n, b)
            with self.subTest(name):
                self.assertIn('mapferry save', self.refused(out.getvalue()))

    def test_no_archive(self):
        for package in (b'x', bytes(100_000), b'PK\3\4', b'PK\5\6' + bytes(18), b'%PDF-1.4', json.dumps({'items': []}).encode(), b'SQLite format 3\0' + bytes(100)):
            with self.subTest(package[:10]):
                self.refused(package)

    def test_items_that_are_no_packages(self):
        other = self.person.items_of_group(self.group)[0]
        for item in (other, 'f' * 32):
            with self.assertRaises(RestError) as caught:
                self.person.call(f'/sharing/rest/community/groups/{self.group}/import', itemId=item)
            self.assertEqual(caught.exception.error['code'], 400)
        text = self.person.add('Export Package', 'A text', text={'a': 1})
        try:
            self.error(text)
        finally:
            self.person.call(self.person.content(f'items/{text}/delete'))

    def test_an_asynchronous_call_tells_it_in_the_job(self):
        name, start, size = max(places(self.good), key=lambda p: p[2])
        item = self.person.upload(flipped(self.good, start + size // 3))
        try:
            job = self.person.import_job(self.group, item)
            self.assertEqual(job['status'], 'failed')
            self.assertIn(name, ' '.join(job['messages']))
        finally:
            self.person.call(self.person.content(f'items/{item}/delete'))


class GoodPackage(unittest.TestCase):
    def test_it_was_good(self):
        """What the others break is taken as it is, or they would show nothing."""
        source = Server()
        self.addCleanup(source.close)
        package = made(source.sign_in())
        target = Server()
        self.addCleanup(target.close)
        person = target.sign_in()
        result = person.imported(person.group('T'), package)
        self.assertEqual((len(result['itemsImported']), result['itemsFailedImport'], result['itemsSkipped']), (4, [], []))


if __name__ == '__main__':
    moving.main()
