#!/usr/bin/env python3
"""analyze and generate: what a file holds, parameters that publish accepts unchanged, features as a collection."""
import json
import os
import unittest

import moving
from moving import Server
from publishing import SAMPLES, add_file, ogr2ogr, publish_item

CSV = 'Name;Breite;Länge;n\nBern;46,95;7,45;1\n"Genève";46,2;6,15;\n'.encode('cp1252')
FEATURES = '/sharing/rest/content/features/'
CITIES = os.path.join(SAMPLES, 'cities.gpkg')


class Intake(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.admin, cls.other = cls.server.sign_in(), cls.server.add_user('other')

    def analyze(self, data=None, name='a.csv', file_type='csv', **fields):
        return self.admin.call(FEATURES + 'analyze', files=[('file', (name, data))] if data is not None else (), fileType=file_type, **fields)

    def generate(self, data, name='a.csv', file_type='csv', **parameters):
        return self.admin.call(FEATURES + 'generate', files=[('file', (name, data))], fileType=file_type, publishParameters=json.dumps(parameters))['featureCollection']['layers']

    def refused(self, operation, **fields):
        error = self.admin.error(FEATURES + operation, **fields)
        return ' '.join(error['details']) or error['message']

    def test_analyze_finds_out_how_a_table_is_written(self):
        answer = self.analyze(CSV)
        parameters = answer['publishParameters']
        self.assertEqual({k: parameters[k] for k in ('type', 'name', 'columnDelimiter', 'qualifier', 'encoding', 'locationType', 'latitudeFieldName', 'longitudeFieldName')},
                         {'type': 'csv', 'name': 'a', 'columnDelimiter': ';', 'qualifier': '"', 'encoding': 'windows-1252', 'locationType': 'coordinates', 'latitudeFieldName': 'Breite',
                          'longitudeFieldName': 'Länge'})
        self.assertEqual((answer['fileSize'], answer['fileUrl'], parameters['targetSR']['latestWkid']), (len(CSV), None, 3857))
        self.assertEqual([r['attributes'] for r in answer['records']], [{'Name': 'Bern', 'Breite': 46.95, 'Länge': 7.45, 'n': 1}, {'Name': 'Genève', 'Breite': 46.2, 'Länge': 6.15, 'n': None}])
        self.assertEqual([f['type'] for f in parameters['layerInfo']['fields']], ['esriFieldType' + t for t in ('OID', 'String', 'Double', 'Double', 'Integer')])

    def test_what_analyze_answers_is_published_unchanged(self):
        for file_type, data, name in (('csv', CSV, 'plain.csv'), ('excel', ogr2ogr('XLSX', CITIES, 'cities', 'xlsx'), 'sheet.xlsx'), ('shapefile', ogr2ogr('ESRI Shapefile', CITIES, 'cities', 'shp'), 's.zip'),
                                      ('geojson', ogr2ogr('GeoJSON', CITIES, 'cities', 'geojson'), 'g.geojson'), ('fileGeodatabase', ogr2ogr('OpenFileGDB', CITIES, 'cities', 'gdb'), 'g.zip'),
                                      ('kml', ogr2ogr('LIBKML', CITIES, 'cities', 'kml'), 'k.kml')):
            with self.subTest(file_type):
                item = add_file(self.admin, file_type, data, name)
                parameters = self.analyze(file_type=file_type, itemid=item)['publishParameters']
                made, status = publish_item(self.admin, item, file_type, dict(parameters, name='from_' + file_type))
                self.assertEqual(status['status'], 'completed', status)
                layer = self.admin.call(moving.path_of(made['serviceurl']) + '/0')
                self.assertEqual([(f['name'], f['type'], f.get('length')) for f in layer['fields']], [(f['name'], f['type'], f.get('length')) for f in parameters['layerInfo']['fields']])
                self.assertEqual(layer['type'], 'Feature Layer')

    def test_analyze_a_text(self):
        answer = self.analyze(text='a,b\n1,x\n')
        self.assertEqual((answer['publishParameters']['locationType'], answer['records'][0]['attributes']), ('none', {'a': 1, 'b': 'x'}))
        self.assertEqual(self.analyze(text='a,b\n1,x\n', analyzeParameters='{"columnDelimiter":";"}')['records'][0]['attributes'], {'a_b': '1,x'})

    def test_generate(self):
        layer, = self.generate(CSV, targetSR={'wkid': 4326})
        self.assertEqual(layer['featureSet']['geometryType'], 'esriGeometryPoint')
        self.assertEqual(layer['featureSet']['features'][0], {'attributes': {'OBJECTID': 1, 'Name': 'Bern', 'Breite': 46.95, 'Länge': 7.45, 'n': 1}, 'geometry': {'x': 7.45, 'y': 46.95}})
        self.assertEqual(len(layer['layerDefinition']['fields']), 5)
        layer, = self.generate(CSV, targetSR={'wkid': 4326}, reducePrecision=True, numberOfDigitsAfterDecimal=0)
        self.assertEqual(layer['featureSet']['features'][0]['geometry'], {'x': 7, 'y': 47})
        layer, = self.generate(CSV, locationType='none')
        self.assertNotIn('geometryType', layer['featureSet'])
        with open(os.path.join(SAMPLES, 'rivers.zip'), 'rb') as f:
            rivers = f.read()
        sizes = [sum(len(p) for x in self.generate(rivers, 'r.zip', 'shapefile', **p)[0]['featureSet']['features'] for p in x['geometry']['paths'])
                 for p in ({}, {'generalize': True, 'maxAllowableOffset': 1})]
        self.assertLess(sizes[1], sizes[0] / 2)

    def test_limits_of_generate(self):
        many = 'a\n' + '1\n' * 1001
        self.assertIn('more than the 1000 features', self.refused('generate', fileType='csv', text=many))
        self.assertIn('more than the 2 features', self.refused('generate', fileType='csv', text='a\n1\n2\n3\n', publishParameters='{"maxRecordCount":2}'))
        for parameters, message in (('{"maxRecordCount":0}', "'maxRecordCount'"), ('{"maxRecordCount":1001}', "'maxRecordCount'"), ('{"reducePrecision":true}', "'numberOfDigitsAfterDecimal'"),
                                    ('{"generalize":true,"maxAllowableOffset":-1}', "'maxAllowableOffset'"), ('{"targetSR":{"wkid":-1}}', "'targetSR'"), ('{"targetSR":{"wkid":99999999}}', '99999999')):
            self.assertIn(message, self.refused('generate', fileType='csv', text='lat,lon\n1,2\n', publishParameters=parameters), parameters)
        big = 'a\n' + ('x' * 20000 + '\n') * 800
        self.assertIn('larger than 10485760 bytes', self.refused('generate', fileType='csv', text=big))

    def test_what_is_missing_or_not_allowed(self):
        item = add_file(self.admin, 'csv', CSV)
        for operation in ('analyze', 'generate'):
            self.assertIn('One of', self.refused(operation, fileType='csv'))
            self.assertIn('One of', self.refused(operation, fileType='csv', text='a\n1\n', itemId=item))
            self.assertIn("'tilePackage'", self.refused(operation, fileType='tilePackage', text='x'))
            self.assertIn('could not be read', self.refused(operation, fileType='geojson', text='{'))
            self.assertIn('has no file', self.refused(operation, fileType='csv', itemId=self.admin.add('Web Mapping Application', 'No file', url='https://example.com/')))
            self.assertEqual(self.other.error(FEATURES + operation, fileType='csv', itemId=item)['code'], 403)
            self.assertEqual(self.other.error(FEATURES + operation, fileType='csv', itemId='0' * 32)['code'], 400)


if __name__ == '__main__':
    moving.main()
