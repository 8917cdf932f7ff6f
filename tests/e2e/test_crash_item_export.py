#!/usr/bin/env python3
"""Item exports under kill -9, EIO and ENOSPC at the n-th changing call (MAPFERRY_FAULT): after the restart the whole result is there or nothing, the job says
which and why, no file is left on the way, and the stores agree. An ordinary run takes a sample of the places; --all takes every one."""
import http.client
import os
import re
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from moving import PASSWORD, RestError, Server, layer, poll, read  # noqa: E402
from test_item_export import Exporter  # noqa: E402

ALL = '--all' in sys.argv
if ALL:
    sys.argv.remove('--all')
SAMPLE = 3
CAUSE = {'eio': re.compile(r'input/output|i/o error', re.I), 'enospc': re.compile(r'no space|full', re.I)}
ROWS = 2000


class Portal(Server):
    def again(self, fault=None):
        """Started anew; False when the fault struck at the start."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        try:
            self.start({'MAPFERRY_FAULT': fault} if fault else None)
            return True
        except AssertionError:
            return False

    def person(self):
        return Exporter(self.url, 'admin', PASSWORD)


class CrashExport(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='mapferry-crash-export-')
        cls.template = os.path.join(cls.folder, 'template')
        portal = Portal(cls.template)
        admin = portal.person()
        cls.item, url = admin.service('points', definition={'layers': [layer(0, 'Points', 'Point', (('n', 'Integer'), ('name', 'String')))]})
        admin.add_features(url + '/0', [{'attributes': {'n': i, 'name': f'name {i}'}, 'geometry': {'x': i / 100, 'y': i / 200}} for i in range(ROWS)])
        portal.close()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def copy(self):
        data = tempfile.mkdtemp(dir=self.folder)
        shutil.rmtree(data)
        shutil.copytree(self.template, data)
        return Portal(data)

    def size(self, export_format, parameters={'layers': [{'id': 0}]}):
        """Fault points of a run with an export, from which on they are the export's, and how many bytes it has."""
        portal = self.copy()
        points = []
        for exports in (False, True):
            self.assertTrue(portal.again('count'))
            person = portal.person()
            if exports:
                size = len(person.exported(self.item, export_format, title='whole'))
            portal.process.terminate()
            portal.process.wait(60)
            points.append(int(re.search(rb'fault points: (\d+)', read(portal.log)).group(1)))
        portal.again()
        portal.close()
        shutil.rmtree(portal.data)
        return points[0], points[1], size

    def tried(self, export_format, fault, size):
        kind, portal, started = fault.partition(':')[0], self.copy(), None
        if portal.again(fault):
            try:
                person = portal.person()
                started = person.export(self.item, export_format, title='tried')
                poll(lambda: portal.process.poll() is not None or person.call(person.content(f"items/{started['exportItemId']}/status"), jobId=started['jobId'], jobType='export')['status'] != 'processing')
            except (OSError, http.client.HTTPException, RestError, ValueError):
                pass  # the portal was killed, or said that it could not
        self.assertTrue(portal.again())
        person = portal.person()
        if started:
            status = person.export_ended(started)
            whole = status['status'] == 'completed'
            self.assertTrue(whole or kind in CAUSE, status)
            self.assertEqual(person.has(started['exportItemId']), whole)
            if whole:
                self.assertEqual(len(person.item_data(started['exportItemId'])), size)
            else:
                self.assertRegex(' '.join(status['messages']), CAUSE[kind])
        poll(lambda: os.listdir(os.path.join(portal.data, 'work')) == [])
        self.assertEqual(len(person.exported(self.item, export_format, title='after')), size)
        portal.close()
        shutil.rmtree(portal.data)

    def sweep(self, export_format):
        first, last, size = self.size(export_format)
        places = range(first // 2, last + 1) if ALL else sorted({first // 2 + (last - first // 2) * i // SAMPLE for i in range(1, SAMPLE + 1)})
        for n in places:
            for kind in ('kill', 'eio', 'enospc'):
                with self.subTest(format=export_format, fault=f'{kind}:{n}'):
                    self.tried(export_format, f'{kind}:{n}', size)

    def test_csv(self):
        self.sweep('CSV')

    def test_shapefile(self):
        self.sweep('Shapefile')


if __name__ == '__main__':
    unittest.main()
