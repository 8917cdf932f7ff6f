#!/usr/bin/env python3
"""Item export: the document's operation sentence by sentence, what exportParameters say, who may, and that what is refused leaves nothing."""
import csv
import io
import json
import os
import sys
import unittest
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from moving import PASSWORD, Person, Server, layer, poll, rich_service  # noqa: E402


class Exporter(Person):
    def export(self, item, export_format, parameters=None, **fields):
        """The answer of the operation."""
        if parameters is not None:
            fields['exportParameters'] = parameters
        return self.call(self.content(fields.pop('into', '') + 'export'), itemId=item, exportFormat=export_format, **fields)

    def export_ended(self, started):
        def asked():
            status = self.call(self.content(f"items/{started['exportItemId']}/status"), jobId=started['jobId'], jobType='export')
            return status if status['status'] in ('completed', 'failed') else None
        return poll(asked)

    def exported(self, item, export_format, parameters=None, **fields):
        """The bytes of the result."""
        started = self.export(item, export_format, parameters, **fields)
        status = self.export_ended(started)
        assert status['status'] == 'completed', status
        return self.item_data(started['exportItemId'])

    def messages(self, started):
        return self.export_ended(started)['messages']

    def rows(self, item, parameters=None, **fields):
        data = self.exported(item, 'CSV', parameters, **fields)
        return list(csv.DictReader(io.StringIO(data.decode('utf-8-sig'), newline='')))


class ItemExport(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.admin = Exporter(cls.server.url, 'admin', PASSWORD)
        for name in ('ann', 'bob'):
            cls.server.add_user(name)
        cls.ann, cls.bob = (Exporter(cls.server.url, name, PASSWORD) for name in ('ann', 'bob'))
        cls.item, cls.url = rich_service(cls.ann, 'rich')

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def test_the_answer_and_the_item(self):
        folder = self.ann.call(self.ann.content('createFolder'), title='exports')['folder']['id']
        started = self.ann.export(self.item, 'csv', {'layers': [{'id': 0}]}, title='My exported features', tags='a,b', snippet='What it is', into=folder + '/')
        self.assertEqual(sorted(started), ['exportFormat', 'exportItemId', 'jobId', 'serviceItemId', 'size', 'type'])
        self.assertEqual((started['type'], started['exportFormat'], started['serviceItemId']), ('CSV', 'CSV', self.item))
        self.assertEqual(self.ann.export_ended(started)['itemId'], started['exportItemId'])
        item = self.ann.item(started['exportItemId'])
        self.assertEqual((item['type'], item['title'], item['owner'], item['ownerFolder'], item['name'], item['tags'], item['snippet'], item['access']),
                         ('CSV', 'My exported features', 'ann', folder, 'My exported features.csv', ['a', 'b'], 'What it is', 'private'))
        self.assertEqual(item['size'], len(self.ann.item_data(item['id'])))
        related = self.ann.call(f'/sharing/rest/content/items/{self.item}/relatedItems', relationshipType='Service2Data', direction='forward')['relatedItems']
        self.assertEqual(related, [])  # it is not the file that the service was made of
        # without jobId the newest export of the item is meant; a job's id may have dashes; the name of a file is free again and again
        self.assertEqual(self.ann.call(self.ann.content(f"items/{item['id']}/status"), jobType='export')['status'], 'completed')
        job = started['jobId']
        dashed = '-'.join((job[:8], job[8:12], job[12:16], job[16:20], job[20:]))
        self.assertEqual(self.ann.call(self.ann.content(f"items/{item['id']}/status"), jobType='export', jobId=dashed)['status'], 'completed')
        again = self.ann.export(self.item, 'CSV', {'layers': [{'id': 0}]}, title='My exported features', folderId=folder)
        self.ann.export_ended(again)
        self.assertEqual(self.ann.item(again['exportItemId'])['name'], 'My exported features_2.csv')
        self.assertEqual(self.ann.messages(started), ["Layer 'Points': 4 aliases of fields were left out.", "Layer 'Points': 3 attachments were left out.",
                                                      "Layer 'Points': 1 relationships were left out.", f"Added CSV item with id '{item['id']}': 3 features of 1 layers."])

    def test_parameters(self):
        rows = self.ann.rows(self.item, {'layers': [{'id': 0}]})
        self.assertEqual(list(rows[0]), ['OBJECTID', 'GlobalID', 'name', 'n', 'd', 't', 'x', 'y'])
        self.assertEqual([(r['name'], r['n'], r['d'], r['t'], r['x'], r['y']) for r in rows],
                         [('Köln 東京 🗺', '1', '0.1', '1969-12-31T00:00:00.000Z', '6.96', '50.94'), ('', '2', '-1e+300', '2020-04-14T21:53:41.029Z', '-179.999999', '1e-9'), ('', '', '', '', '', '')])
        rows = self.ann.rows(self.item, {'layers': [{'id': 0, 'where': "n > 1 AND d < 0", 'xColumnName': 'lon', 'yColumnName': 'lat', 'outFields': ['n', 'name']}]})
        self.assertEqual(rows, [{'n': '2', 'name': '', 'lon': '-179.999999', 'lat': '1e-9'}])
        rows = self.ann.rows(self.item, {'layers': [{'id': 0, 'includeGeometry': False, 'outFields': 'n'}]})
        self.assertEqual([list(r) for r in rows], [['n']] * 3)
        rows = self.ann.rows(self.item, {'layers': [{'id': 0, 'outFields': 'n', 'where': 'n = 1'}], 'targetSR': {'wkid': 102100}})
        self.assertAlmostEqual(float(rows[0]['x']), 774783.66, 2)
        rows = self.ann.rows(self.item, {'layers': [{'id': 156}]})
        self.assertEqual([r['WKT'] for r in rows], ['MULTIPOLYGON (((0 0,10 0,10 10,0 10,0 0),(2 2,2 4,4 4,4 2,2 2)))'])
        rows = self.ann.rows(self.item, {'layers': [{'id': 7}]})
        self.assertEqual([r['WKT'] for r in rows], ['MULTILINESTRING ((0 0,1 1),(2 2,3 3.5))'])

    def test_several_layers(self):
        started = self.ann.export(self.item, 'CSV', title='all of it')
        self.assertEqual(started['type'], 'CSV Collection')
        self.assertEqual(self.ann.export_ended(started)['status'], 'completed')
        with zipfile.ZipFile(io.BytesIO(self.ann.item_data(started['exportItemId']))) as z:
            self.assertIsNone(z.testzip())
            self.assertEqual(z.namelist(), ['Points.csv', 'Lines.csv', 'Areas.csv', 'Notes.csv'])
            self.assertEqual(len(z.read('Notes.csv').decode('utf-8-sig').splitlines()), 6)

    def test_geojson(self):
        features = json.loads(self.ann.exported(self.item, 'GeoJson', {'layers': [{'id': 0}]}))['features']
        self.assertEqual([f['geometry'] for f in features], [{'type': 'Point', 'coordinates': [6.96, 50.94]}, {'type': 'Point', 'coordinates': [-179.999999, 1e-9]}, None])
        self.assertEqual({k: v for k, v in features[0]['properties'].items() if k != 'GlobalID'}, {'OBJECTID': 1, 'name': 'Köln 東京 🗺', 'n': 1, 'd': 0.1, 't': '1969-12-31T00:00:00.000Z'})
        mercator = json.loads(self.ann.exported(self.item, 'geojson', {'layers': [{'id': 0, 'where': 'n=1'}], 'targetSR': {'wkid': 3857}}))
        self.assertEqual(mercator['crs']['properties']['name'], 'urn:ogc:def:crs:EPSG::3857')
        self.assertAlmostEqual(mercator['features'][0]['geometry']['coordinates'][0], 774783.66, 2)
        table = json.loads(self.ann.exported(self.item, 'GeoJSON', {'layers': [{'id': 200}]}))['features']
        self.assertEqual([f['geometry'] for f in table], [None] * 5)

    def test_feature_collection(self):
        started = self.ann.export(self.item, 'Feature Collection')
        self.assertEqual(started['type'], 'Feature Collection')
        self.ann.export_ended(started)
        layers = self.ann.item_json(started['exportItemId'])['layers']
        self.assertEqual([lr['layerDefinition']['name'] for lr in layers], ['Points', 'Lines', 'Areas', 'Notes'])
        self.assertEqual([len(lr['featureSet']['features']) for lr in layers], [3, 1, 1, 5])
        self.assertEqual(layers[0]['featureSet']['features'][0]['geometry'], {'x': 6.96, 'y': 50.94})
        self.assertEqual(layers[0]['featureSet']['features'][0]['attributes']['t'], -86400000)
        self.assertEqual(layers[0]['layerDefinition']['spatialReference'], {'wkid': 4326, 'latestWkid': 4326})

    def test_what_is_wrong_is_named(self):
        before = set(self.ann.own_items())
        for export_format, parameters, words in (
                ('Scene Package', None, 'GeoPackage'), ('Vector Tile Package', None, 'GeoPackage'), ('SQLite Geodatabase', None, 'GeoPackage'), ('sqlite', None, 'GeoPackage'),
                ('Paper', None, "'Paper' is none of: CSV"),
                ('CSV', {'layers': [{'id': 3}]}, 'there is no layer 3'), ('CSV', {'layers': [{}]}, 'the id of a layer'), ('CSV', {'layers': [7]}, 'the id of a layer'), ('CSV', {'layers': []}, 'there is no layer to export'),
                ('CSV', {'layers': {'id': 0}}, 'layers is a list'), ('CSV', [], 'no object'), ('CSV', {'layers': [{'id': 0}, {'id': 0}]}, 'twice'), ('CSV', {'layers': [{'id': 2 ** 40}]}, 'the id of a layer'),
                ('CSV', {'layers': [{'id': 0, 'where': 'nope = 1'}]}, 'nope'), ('CSV', {'layers': [{'id': 0, 'where': 'n = '}]}, 'where'), ('CSV', {'layers': [{'id': 0, 'where': 7}]}, 'where is a text'),
                ('CSV', {'layers': [{'id': 0, 'outFields': 'n,nope'}]}, "there is no field 'nope'"), ('CSV', {'layers': [{'id': 0, 'outFields': 5}]}, 'outFields is a list'),
                ('CSV', {'layers': [{'id': 0, 'includeGeometry': 'perhaps'}]}, 'true or false'), ('CSV', {'layers': [{'id': 0, 'xColumnName': 'n'}]}, "there is a field 'n'"),
                ('CSV', {'layers': [{'id': 0, 'xColumnName': 'a', 'yColumnName': 'A'}]}, 'are the same'), ('CSV', {'layers': [{'id': 0, 'xColumnName': ''}]}, '1 to 128'),
                ('CSV', {'targetSR': {'wkid': 999999}}, '999999'), ('CSV', {'targetSR': 'mercator'}, 'no spatial reference')):
            with self.subTest(export_format=export_format, parameters=parameters):
                fields = {} if parameters is None else {'exportParameters': parameters}
                error = self.ann.error(self.ann.content('export'), itemId=self.item, exportFormat=export_format, **fields)
                self.assertEqual(error['code'], 400)
                self.assertIn(words, ' '.join(error['details']))
        web_map = self.ann.add('Web Map', 'm', text={})
        self.assertIn('hosted', ' '.join(self.ann.error(self.ann.content('export'), itemId=web_map, exportFormat='CSV')['details']))
        self.assertEqual(set(self.ann.own_items()), before | {web_map})
        self.assertEqual(self.ann.error(self.ann.content('export'), itemId='0' * 32, exportFormat='CSV')['messageCode'], 'CONT_0001')

    def test_who_may(self):
        item, url = self.ann.service('shared_one', definition={'layers': [layer(0, 'P', 'Point', (('n', 'Integer'),))]})
        self.ann.add_features(url + '/0', [{'attributes': {'n': 1}, 'geometry': {'x': 1, 'y': 2}}])
        private = self.bob.error(self.bob.content('export'), itemId=item, exportFormat='CSV')
        self.assertEqual(private['messageCode'], 'GWM_0003')
        self.ann.call(self.ann.content(f'items/{item}/share'), org='true')
        self.assertEqual(self.bob.error(self.bob.content('export'), itemId=item, exportFormat='CSV')['messageCode'], 'GWM_0003')
        self.assertEqual(self.bob.error(self.ann.content('export'), itemId=item, exportFormat='CSV')['messageCode'], 'GWM_0003')
        self.ann.call(url.replace('/rest/services', '/rest/admin/services') + '/updateDefinition', updateDefinition={'capabilities': 'Query,Extract'})
        started = self.bob.export(item, 'CSV', title='mine')
        self.assertEqual(self.bob.export_ended(started)['status'], 'completed')
        self.assertEqual(self.bob.item(started['exportItemId'])['owner'], 'bob')
        into_anns = self.admin.call(self.ann.content('export'), itemId=item, exportFormat='CSV', title='for ann')
        self.admin.export_ended(into_anns)
        self.assertEqual(self.admin.item(into_anns['exportItemId'])['owner'], 'ann')
        self.assertEqual(self.ann.error(self.ann.content(f"items/{started['exportItemId']}/status"), jobId=started['jobId'], jobType='export')['code'], 400)

    def test_what_is_left_of_failures(self):
        """A layer whose coordinates the target system has no place for: the job says which feature, and there is no item."""
        item, url = self.ann.service('far', definition={'layers': [layer(0, 'P', 'Point')]})
        self.ann.add_features(url + '/0', [{'attributes': {}, 'geometry': {'x': 0, 'y': 0}}, {'attributes': {}, 'geometry': {'x': 1e300, 'y': 0}}])
        started = self.ann.export(item, 'CSV', {'targetSR': {'wkid': 32633}})
        status = self.ann.export_ended(started)
        self.assertEqual(status['status'], 'failed')
        self.assertIn('feature 2', ' '.join(self.ann.messages(started)))
        self.assertFalse(self.ann.has(started['exportItemId']))
        self.assertEqual(os.listdir(os.path.join(self.server.data, 'work')), [])


if __name__ == '__main__':
    unittest.main()
