#!/usr/bin/env python3
"""`mapferry item export`: a service's features as a file on this machine."""
import csv
import io
import json
import os
import unittest

from cli import CommandLineTest
from moving import rich_service


class Export(CommandLineTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.item, _ = rich_service(cls.portal, 'rich')

    def export(self, *args, name='out', **env):
        path = os.path.join(self.folder.name, name)
        self.ok('item', 'export', self.url, self.item, '-o', path, *args, **env)
        with open(path, 'rb') as f:
            return f.read()

    def items(self):
        return self.portal.call('/sharing/rest/search', q='owner:admin')['total']

    def test_layers_and_what_is_said_of_them(self):
        before = self.items()
        data = self.export('--format', 'CSV', '--layer', '0:n > 1', '--fields', 'n, name', '--x-field', 'lon', '--y-field', 'lat')
        self.assertEqual(list(csv.DictReader(io.StringIO(data.decode('utf-8-sig')))), [{'n': '2', 'name': '', 'lon': '-179.999999', 'lat': '1e-9'}])
        data = self.export('--format', 'csv', '--layer', '200', '--no-geometry')
        self.assertEqual(len(data.splitlines()), 6)
        collection = json.loads(self.export('--format', 'GeoJson', '--layer', '0:n=1', '--sr', '3857'))
        self.assertAlmostEqual(collection['features'][0]['geometry']['coordinates'][0], 774783.66, 2)
        self.assertEqual(self.items(), before)  # results without a title are gone

    def test_parameters_and_title(self):
        parameters = self.file('p.json', json.dumps({'layers': [{'id': 7}]}).encode())
        data = self.export('--format', 'CSV', '--parameters', parameters, '--title', 'kept')
        self.assertIn(b'MULTILINESTRING', data)
        self.assertEqual(self.portal.call('/sharing/rest/search', q='title:kept')['total'], 1)
        out = self.ok('item', 'export', self.url, self.item, '--format', 'CSV', '--layer', '7', '-o', '-')
        self.assertIn('MULTILINESTRING', out)
        result = self.result('item', 'export', self.url, self.item, '--format', 'Excel', '-o', os.path.join(self.folder.name, 'x.xlsx'))
        self.assertEqual((result['type'], result['serviceItemId']), ('Microsoft Excel', self.item))

    def test_what_it_refuses(self):
        to = ['-o', os.path.join(self.folder.name, 'none')]
        for args, says in ((['--format', 'CSV'], '-o FILE'), (to, '--format FORMAT'), (['--format', 'CSV', *to, '--fields', 'n'], 'name them with --layer'), (['--format', 'CSV', *to, '--layer', 'x'], "a layer's id"),
                           (['--format', 'CSV', *to, '--sr', 'x'], 'no wkid'), (['--format', 'CSV', *to, '--layer', '0', '--parameters', '/dev/null'], 'goes without')):
            self.refused('item', 'export', self.url, self.item, *args, says=says)
        self.refused('item', 'export', self.url, self.item, '--format', 'Scene Package', *to, code=1, says='GeoPackage')
        self.refused('item', 'export', self.url, self.item, '--format', 'CSV', '--layer', '99', *to, code=1, says='there is no layer 99')
        self.assertFalse(os.path.exists(to[1]))


if __name__ == '__main__':
    unittest.main()
