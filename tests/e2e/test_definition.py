#!/usr/bin/env python3
"""Definitions of hosted services changed from outside while there are features: fields and indexes that come and go, layers and relationships
that are deleted, truncation, and two who change one at the same time."""
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import RestError, Server, layer, related  # noqa: E402


def field(name, kind='String', **members):
    return {'name': name, 'type': 'esriFieldType' + kind, **members}


class Definitions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.owner = cls.server.add_user('owner')
        cls.count = 0

    def setUp(self):
        Definitions.count += 1
        plain = layer(0, 'Points', 'Point', (('name', 'String'), ('n', 'Integer')))
        plain['fields'] = [f for f in plain['fields'] if f['name'] != 'GlobalID']
        del plain['globalIdField']
        self.item, self.url = self.owner.service(f'definition_{Definitions.count}', None, {'layers': [
            plain, layer(1, 'Lines', 'Polyline', (('n', 'Integer'),), hasAttachments=True, relationships=[related(0, 2, 'Origin', 'n')])],
            'tables': [layer(2, 'Notes', None, (('n', 'Integer'),), relationships=[related(0, 1, 'Destination', 'n')])]})
        self.oids = self.owner.add_features(self.url + '/0', [{'attributes': {'name': f'p{i}', 'n': i}, 'geometry': {'x': i, 'y': i, 'spatialReference': {'wkid': 4326}}} for i in range(10)])

    def admin(self, operation, body, at='/0'):
        return self.owner.call(f"{self.url.replace('/rest/', '/rest/admin/')}{at}/{operation}", **{operation: body})

    def refused(self, operation, body, at='/0', word=''):
        before = self.owner.call(self.url + '/layers')
        error = self.owner.error(f"{self.url.replace('/rest/', '/rest/admin/')}{at}/{operation}", **{operation: body})
        self.assertEqual((error['code'], word in str(error)), (400, True), error)
        self.assertEqual(self.owner.call(self.url + '/layers'), before)

    def rows(self, **fields):
        return [f['attributes'] for f in self.owner.call(self.url + '/0/query', **dict({'where': '1=1', 'outFields': '*'}, **fields))['features']]

    def names(self, at='/0'):
        return [f['name'] for f in self.owner.call(self.url + at)['fields']]

    def test_fields_come_and_go(self):
        self.admin('addToDefinition', {'fields': [field('added', 'Double'), field('must', 'Integer', nullable=False, defaultValue=5), field('GlobalID', 'GlobalID')]})
        rows = self.rows()
        self.assertEqual([(r['name'], r['added'], r['must']) for r in rows], [(f'p{i}', None, 5) for i in range(10)])
        self.assertEqual(len({r['GlobalID'] for r in rows}), 10)
        self.owner.call(self.url + '/0/updateFeatures', features=[{'attributes': {'OBJECTID': self.oids[0], 'added': 2.5}}])
        self.owner.add_features(self.url + '/0', [{'attributes': {'name': 'new', 'added': 1}, 'geometry': {'x': 3, 'y': 3}}])
        self.assertEqual([(r['added'], r['must']) for r in self.rows(where='added > 0', orderByFields='added')], [(1, 5), (2.5, 5)])
        self.assertEqual(len(self.rows(geometry='2.5,2.5,3.5,3.5')), 2)  # the geometry is still one
        self.refused('addToDefinition', {'fields': [field('strict', 'Integer', nullable=False)]}, word='strict')
        self.refused('addToDefinition', {'fields': [field('geom')]}, word='geom')
        self.refused('addToDefinition', {'fields': [field('NAME')]})
        self.admin('deleteFromDefinition', {'fields': [{'name': 'added'}, {'name': 'NAME'}]})
        self.assertEqual(self.names(), ['OBJECTID', 'n', 'must', 'GlobalID'])
        self.assertEqual(self.owner.call(self.url + '/0')['displayField'], 'OBJECTID')
        self.assertEqual([r['n'] for r in self.rows()], [*range(10), None])
        self.admin('addToDefinition', {'fields': [field('added', 'String')]})
        self.assertEqual({r['added'] for r in self.rows()}, {None})  # nothing of the old one
        for name, word in (('OBJECTID', 'object id'), ('GlobalID', 'GlobalID'), ('missing', 'missing')):
            self.refused('deleteFromDefinition', {'fields': [{'name': name}]}, word=word)
        self.refused('deleteFromDefinition', {'fields': [{'name': 'n'}]}, at='/1', word='relationship')
        self.refused('deleteFromDefinition', {})
        self.refused('deleteFromDefinition', {'fields': []})

    def test_indexes(self):
        self.admin('addToDefinition', {'indexes': [{'name': 'by_n', 'fields': 'n', 'isUnique': True}, {'name': 'by_name', 'fields': 'name,n', 'isAscending': False}]})
        self.assertTrue({'by_n', 'by_name'} <= {i['name'] for i in self.owner.call(self.url + '/0')['indexes']})
        r = self.owner.call(self.url + '/0/addFeatures', features=[{'attributes': {'n': 100}}, {'attributes': {'n': 3}}], rollbackOnFailure='false')['addResults']
        self.assertEqual([x['success'] for x in r], [True, False])
        self.assertIn("'n'", r[1]['error']['description'])
        self.assertEqual(len(self.rows()), 11)
        self.admin('deleteFromDefinition', {'indexes': [{'name': 'by_n'}]})
        self.owner.add_features(self.url + '/0', [{'attributes': {'n': 3}}])
        self.refused('addToDefinition', {'indexes': [{'name': 'by_n', 'fields': 'n', 'isUnique': True}]}, word="'n'")
        self.refused('addToDefinition', {'indexes': [{'name': 'x', 'fields': 'missing'}]}, word='missing')
        self.admin('deleteFromDefinition', {'fields': [{'name': 'name'}]})
        self.assertNotIn('by_name', {i['name'] for i in self.owner.call(self.url + '/0')['indexes']})

    def test_relationships_and_layers(self):
        self.refused('deleteFromDefinition', {'tables': [{'id': 2}]}, at='', word='relationship')
        self.admin('deleteFromDefinition', {'relationships': [{'id': 0}]}, at='/1')
        self.assertEqual([self.owner.call(f'{self.url}/{i}')['relationships'] for i in (1, 2)], [[], []])
        self.owner.add_features(self.url + '/2', [{'attributes': {'n': 1}}])
        line, = self.owner.add_features(self.url + '/1', [{'attributes': {'n': 1}, 'geometry': {'paths': [[[0, 0], [1, 1]]]}}])
        self.owner.call(f'{self.url}/1/{line}/addAttachment', files=[('attachment', ('a.txt', b'a'))])
        self.admin('deleteFromDefinition', {'tables': [{'id': 2}], 'layers': [{'id': 1}]}, at='')
        self.assertEqual([e['id'] for e in self.owner.call(self.url + '/layers')['layers'] + self.owner.call(self.url + '/layers')['tables']], [0])
        self.assertEqual(self.owner.error(self.url + '/2/query', where='1=1')['code'], 400)
        self.admin('addToDefinition', {'layers': [layer(1, 'Again', 'Point', hasAttachments=True)], 'tables': [layer(2, 'Notes again', None, (('other', 'String'),))]}, at='')
        self.assertEqual([self.owner.call(f'{self.url}/{i}/query', where='1=1', returnCountOnly='true')['count'] for i in (0, 1, 2)], [10, 0, 0])
        self.assertEqual(self.owner.call(self.url + '/1/queryAttachments', definitionExpression='1=1')['attachmentGroups'], [])
        self.refused('deleteFromDefinition', {'layers': [{'id': 77}]}, at='', word='77')

    def test_truncate(self):
        line, = self.owner.add_features(self.url + '/1', [{'attributes': {'n': 1}, 'geometry': {'paths': [[[0, 0], [1, 1]]]}}])
        self.owner.call(f'{self.url}/1/{line}/addAttachment', files=[('attachment', ('a.txt', b'a'))])
        admin = self.url.replace('/rest/', '/rest/admin/')
        self.assertEqual(self.owner.call(admin + '/1/truncate', attachmentOnly='true'), {'success': True})
        self.assertEqual(self.owner.call(f'{self.url}/1/{line}/attachments')['attachmentInfos'], [])
        self.assertEqual(self.owner.call(admin + '/0/truncate'), {'success': True})
        self.assertEqual(self.rows(), [])
        self.assertEqual(self.rows(geometry='-180,-90,180,90'), [])
        new, = self.owner.add_features(self.url + '/0', [{'attributes': {'n': 1}, 'geometry': {'x': 1, 'y': 1}}])
        self.assertGreater(new, max(self.oids))
        self.assertEqual(self.owner.error(admin + '/5/truncate')['code'], 400)

    def test_geometry_stays(self):
        self.refused('updateDefinition', {'geometryType': 'esriGeometryPolyline'}, word='geometry')
        self.refused('updateDefinition', {'hasZ': True}, word='geometry')

    def test_two_who_change(self):
        """Each change is there, or its author was told that somebody else was faster."""
        told, made = [], []

        def change(k):
            person = self.server.sign_in('owner')
            for i in range(5):
                try:
                    person.call(f"{self.url.replace('/rest/', '/rest/admin/')}/0/addToDefinition", addToDefinition={'fields': [field(f'f_{k}_{i}', 'Integer')]})
                    made.append(f'f_{k}_{i}')
                except RestError as e:
                    told.append(str(e))
        threads = [threading.Thread(target=change, args=(k,)) for k in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(n for n in self.names() if n.startswith('f_')), sorted(made))
        self.assertTrue(all('someone else' in t for t in told), told)
        self.assertEqual(len(self.rows()), 10)


if __name__ == '__main__':
    moving.main()
