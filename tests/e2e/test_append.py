#!/usr/bin/env python3
"""append: rows of a file into a layer that is there, with upsert, field mappings, all or none, and who may."""
import json
import unittest

import moving
from moving import Person, Server, layer, poll
from publishing import add_file

FIELDS = (('code', 'String'), ('n', 'Integer'), ('day', 'Date'))


class Append(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.admin, cls.other = cls.server.sign_in(), cls.server.add_user('other')

    def made(self, name, unique='code'):
        definition = layer(0, 'places', 'Point', FIELDS)
        definition['indexes'] = [{'name': 'u', 'fields': unique, 'isUnique': True, 'isAscending': True}]
        return self.admin.service(name, definition={'layers': [definition]})

    def append(self, url, data, person=None, file_type='csv', **fields):
        """The last status of an append."""
        person = person or self.admin
        item = fields.pop('item', None) or add_file(person, file_type, data)
        started = person.call(url + '/0/append', appendItemId=item, appendUploadFormat=file_type, **fields)

        def ask():
            status = person.call(moving.path_of(started['statusUrl']))
            return status if status['status'] not in ('Pending', 'InProgress') else None
        return poll(ask, 300)

    def rows(self, url):
        return {f['attributes']['code']: (f['attributes']['n'], round(f['geometry']['x'], 6) if f.get('geometry') else None) for f in self.admin.features(url + '/0')}

    def test_rows_are_added(self):
        _, url = self.made('append_added')
        status = self.append(url, b'lat,lon,CODE,n,day,more\n1,2,a,1,2024-02-29,x\n3,4,b,2,,\n')
        self.assertEqual((status['status'], status['recordCount'], status['inserted'], status['updated'], status['layerName']), ('Completed', 2, 2, 0, 'places'))
        self.assertTrue(any('Field more' in m for m in status['messages']))
        self.assertEqual(self.rows(url), {'a': (1, 2), 'b': (2, 4)})
        self.assertEqual(self.admin.features(url + '/0')[0]['attributes']['day'], 1709164800000)
        self.assertTrue(self.admin.call(url + '/0')['supportsAppend'])

    def test_upsert(self):
        _, url = self.made('append_upsert')
        self.append(url, b'lat,lon,code,n\n1,2,a,1\n3,4,b,2\n')
        status = self.append(url, b'lat,lon,code,n\n9,9,b,20\n5,6,c,3\n', upsert='true', upsertMatchingField='code')
        self.assertEqual((status['status'], status['inserted'], status['updated']), ('Completed', 1, 1))
        self.assertEqual(self.rows(url), {'a': (1, 2), 'b': (20, 9), 'c': (3, 6)})
        status = self.append(url, b'lat,lon,code,n\n0,0,a,10\n0,0,d,4\n', upsert='true', upsertMatchingField='code', skipInserts='true', updateGeometry='false')
        self.assertEqual((status['inserted'], status['updated'], status['skipped']), (0, 1, 1))
        status = self.append(url, b'lat,lon,code,n\n0,0,a,11\n0,7,d,4\n', upsert='true', upsertMatchingField='code', skipUpdates='true', rollbackOnFailure='false')
        self.assertEqual((status['inserted'], status['updated'], status['skipped']), (1, 0, 1))
        self.assertEqual(self.rows(url), {'a': (10, 2), 'b': (20, 9), 'c': (3, 6), 'd': (4, 7)})
        status = self.append(url, b'code,n\nx,1\nx,2\n', upsert='true', upsertMatchingField='code')
        self.assertEqual(status['status'], 'Failed')
        self.assertIn("Rows 1 and 2 of the file have the same 'code'", status['messages'][-1])
        status = self.append(url, b'code,n\nx,1\n', upsert='true', upsertMatchingField='n')
        self.assertIn('unique index', status['messages'][-1])

    def test_global_ids(self):
        _, url = self.made('append_guids')
        guid = '{0F8FAD5B-D9CB-469F-A165-70867728950E}'
        self.append(url, f'GlobalID,code,n\n{guid},a,1\n'.encode(), useGlobalIds='true')
        self.assertEqual(self.admin.features(url + '/0')[0]['attributes']['GlobalID'], guid)
        status = self.append(url, f'GlobalID,code,n\n{guid.lower()},a,5\n'.encode(), useGlobalIds='true', upsert='true', upsertMatchingField='GlobalID')
        self.assertEqual((status['updated'], self.rows(url)), (1, {'a': (5, None)}))

    def test_field_mappings(self):
        _, url = self.made('append_mapped')
        status = self.append(url, b'Key,Count\na,1\n', fieldMappings=json.dumps([{'name': 'code', 'source': 'Key'}, {'name': 'n', 'source': 'Count'}]))
        self.assertEqual((status['status'], self.rows(url)), ('Completed', {'a': (1, None)}))
        for mappings, message in (([{'name': 'nope', 'source': 'Key'}], "no field 'nope'"), ([{'name': 'code', 'source': 'nope'}], "no field 'nope'")):
            self.assertIn(message, self.append(url, b'Key\nz\n', fieldMappings=json.dumps(mappings))['messages'][-1])
        self.append(url, b'code,n\nb,7\n', appendFields='code')
        self.assertEqual(self.rows(url)['b'], (None, None))
        self.append(url, b'code;n\nc;8\n', appendSourceInfo='{"columnDelimiter":";"}')
        self.assertEqual(self.rows(url)['c'], (8, None))

    def test_all_or_none(self):
        _, url = self.made('append_none')
        status = self.append(url, b'code,n\na,1\nb,99999999999\n')
        self.assertEqual((status['status'], self.rows(url)), ('Failed', {}))
        self.assertIn('row 2 of the file', status['messages'][-1])
        status = self.append(url, b'code,n\na,1\nb,99999999999\n', rollbackOnFailure='false')
        self.assertEqual((status['status'], status['inserted'], status['skipped'], self.rows(url)), ('Completed', 1, 1, {'a': (1, None)}))
        self.assertTrue(any('Row 2 was left out' in m for m in status['messages']))
        many = b'code,n\n' + b''.join(b'k%d,%d\n' % (i, i) for i in range(5000))
        self.assertEqual(self.append(url, many, rollbackOnFailure='false')['inserted'], 5000)

    def test_what_is_refused(self):
        _, url = self.made('append_refused')
        item = add_file(self.admin, 'csv', b'code\na\n')
        for fields, message in (({}, "'appendItemId'"), ({'appendItemId': item, 'appendUploadFormat': 'pbf'}, "'pbf'"), ({'appendItemId': item, 'appendUploadId': 'x'}, "'appendUploadId'"),
                                ({'appendItemId': item, 'edits': '[]'}, "'edits'"), ({'appendItemId': item, 'upsert': 'true'}, "'upsertMatchingField'"),
                                ({'appendItemId': item, 'fieldMappings': '{}'}, "'fieldMappings'")):
            error = self.admin.error(url + '/0/append', **dict({'appendUploadFormat': 'csv'}, **fields))
            self.assertIn(message, ' '.join(error['details']), fields)
        self.assertEqual(self.admin.error(url + '/7/append', appendItemId=item, appendUploadFormat='csv')['message'], 'Invalid URL')
        status = self.append(url, b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"l"},"geometry":{"type":"LineString","coordinates":[[0,0],[1,1]]}}]}', file_type='geojson')
        self.assertIn('esriGeometryPolyline', status['messages'][-1])

    def test_who_may(self):
        service, url = self.made('append_access')
        self.admin.call(f'/sharing/rest/content/items/{service}/share', everyone='true')
        mine = add_file(self.other, 'csv', b'code\na\n')
        self.assertEqual(self.other.error(url + '/0/append', appendItemId=mine, appendUploadFormat='csv')['code'], 403)
        self.admin.call(url.replace('/rest/services', '/rest/admin/services') + '/updateDefinition', updateDefinition={'capabilities': 'Query,Editing,Append'})
        self.assertEqual(self.append(url, None, self.other, item=mine)['status'], 'Completed')
        theirs = add_file(self.admin, 'csv', b'code\nb\n')
        self.assertEqual(self.other.error(url + '/0/append', appendItemId=theirs, appendUploadFormat='csv')['code'], 403)
        started = self.admin.call(url + '/0/append', appendItemId=theirs, appendUploadFormat='csv')
        self.assertIn('Job', self.other.error(moving.path_of(started['statusUrl']))['message'])
        self.assertEqual(Person(self.server.url).error(url + '/0/append', appendItemId=mine, appendUploadFormat='csv')['code'], 499)


if __name__ == '__main__':
    moving.main()
