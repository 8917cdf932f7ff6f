#!/usr/bin/env python3
"""Views from outside: a subset of fields and rows of another service, shared and edited on their own, and what nobody learns through them."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import Person, Server, layer, path_of, related  # noqa: E402

SR = {'spatialReference': {'wkid': 4326}}


class Views(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.owner, cls.other, cls.nobody = cls.server.add_user('owner'), cls.server.add_user('other'), Person(cls.server.url)
        cls.count = 0

    def setUp(self):
        Views.count += 1
        self.item, self.url = self.owner.service(f'source_{Views.count}', None, {
            'layers': [layer(3, 'Points', 'Point', (('name', 'String'), ('secret', 'String'), ('n', 'Integer')), hasAttachments=True, relationships=[related(0, 9, 'Origin', 'n')])],
            'tables': [layer(9, 'Notes', None, (('n', 'Integer'),), relationships=[related(0, 3, 'Destination', 'n')])]})
        self.source = self.url + '/3'
        self.oids = self.owner.add_features(self.source, [{'attributes': {'name': f'p{i}', 'secret': f's{i}', 'n': i}, 'geometry': {'x': i, 'y': i, **SR}} for i in range(10)])
        for oid in (self.oids[1], self.oids[8]):
            self.owner.call(f'{self.source}/{oid}/addAttachment', files=[('attachment', (f'{oid}.txt', b'bytes'))])
        self.view_item, self.view = self.make('view', 'n >= 5', ['name', 'n', 'GlobalID'], name='Half')
        self.layer = self.view + '/0'

    def make(self, service, where=None, fields='*', person=None, source=None, **members):
        person = person or self.owner
        made = person.call(person.content('createService'), createParameters={'name': f'{service}_{Views.count}', 'isView': True, 'capabilities': 'Query,Editing', 'spatialReference': {'wkid': 4326}}, isView='true', outputType='featureService')
        self.assertTrue(made['isView'])
        url = path_of(made['serviceurl'])
        definition = {'sourceServiceName': source or f'source_{Views.count}', 'sourceLayerId': 3, 'sourceLayerFields': fields}
        entry = dict({'adminLayerInfo': {'viewLayerDefinition': definition}, 'id': 0, 'name': 'View'}, **members, **({'viewDefinitionQuery': where} if where else {}))
        person.call(url.replace('/rest/', '/rest/admin/') + '/addToDefinition', addToDefinition={'layers': [entry]})
        return made['serviceItemId'], url

    def admin(self, operation, body, at='/0', url=None):
        return self.owner.call(f"{(url or self.view).replace('/rest/', '/rest/admin/')}{at}/{operation}", **{operation: body})

    def rows(self, url=None, person=None, **fields):
        return [f['attributes'] for f in (person or self.owner).call((url or self.layer) + '/query', **dict({'where': '1=1', 'outFields': '*'}, **fields))['features']]

    def count_of(self, **fields):
        return self.owner.call(self.layer + '/query', **dict({'where': '1=1', 'returnCountOnly': 'true'}, **fields))['count']

    def test_what_is_seen(self):
        rows = self.rows()
        self.assertEqual([r['n'] for r in rows], [5, 6, 7, 8, 9])
        self.assertEqual(set(rows[0]), {'OBJECTID', 'GlobalID', 'name', 'n'})
        self.assertEqual((self.count_of(), self.count_of(where='n < 7'), self.count_of(geometry='-1,-1,6.5,6.5')), (5, 2, 2))
        self.assertEqual(self.owner.call(self.layer + '/query', objectIds=','.join(map(str, self.oids)), returnIdsOnly='true')['objectIds'], self.oids[5:])
        extent = self.owner.call(self.layer + '/query', where='1=1', returnExtentOnly='true')['extent']
        self.assertEqual((extent['xmin'], extent['xmax'], self.owner.call(self.layer)['extent']['xmin']), (5, 9, 5))
        self.assertEqual(len(self.rows(resultOffset=3, resultRecordCount=5)), 2)
        self.assertEqual(self.owner.error(self.layer + '/query', where="secret = 's7'")['code'], 400)
        for outside in (f'{self.layer}/{self.oids[0]}', f'{self.layer}/{self.oids[1]}/attachments', f'{self.layer}/{self.oids[1]}/attachments/1'):
            self.assertIn(b'"error"', self.owner.raw(outside, {'f': 'json'})[2])
        self.assertEqual(self.owner.raw(f'{self.layer}/{self.oids[8]}/attachments/2', method='GET')[2], b'bytes')
        self.assertEqual([g['parentObjectId'] for g in self.owner.call(self.layer + '/queryAttachments', definitionExpression='1=1')['attachmentGroups']], [self.oids[8]])
        self.assertEqual([g['parentObjectId'] for g in self.owner.call(self.layer + '/queryAttachments')['attachmentGroups']], [self.oids[8]])

    def test_nothing_of_the_source_is_told(self):
        self.owner.call(f'/sharing/rest/content/items/{self.view_item}/share', everyone='true')
        for path in ('', '/layers', '/0', '/0/query?where=1=1&outFields=*&f=json'):
            status, _, data = self.nobody.raw(self.view + path, {} if '?' in path else {'f': 'json'}, method='GET')
            self.assertEqual(status, 200)
            for word in (b'secret', b'source_', b'n >= 5', b's7'):
                self.assertNotIn(word, data, path)
        self.assertEqual(self.nobody.error(self.source + '/query', where='1=1')['code'], 499)
        self.assertEqual(len(self.rows(person=self.nobody)), 5)
        admin = self.owner.call(self.view.replace('/rest/', '/rest/admin/'))
        self.assertEqual(admin['layers'][0]['adminLayerInfo']['viewLayerDefinition']['sourceLayerId'], 3)
        self.assertTrue(admin['isView'])

    def test_it_is_known_as_a_view(self):
        item = self.owner.item(self.view_item)
        self.assertIn('View Service', item['typeKeywords'])
        self.assertTrue(self.owner.call(self.view)['isView'])
        sources = self.owner.call(self.view + '/sources')['services']
        self.assertEqual([(s['serviceItemId'], path_of(s['url'])) for s in sources], [(self.item, self.url)])
        self.assertEqual(self.owner.call(self.url + '/sources')['services'], [])
        related_items = self.owner.call(f'/sharing/rest/content/items/{self.view_item}/relatedItems', relationshipType='Service2Data', direction='forward')
        self.assertEqual([i['id'] for i in related_items['relatedItems']], [self.item])
        group = self.owner.group()
        self.owner.share(self.view_item, group)
        answer = self.owner.call(f'/sharing/rest/community/groups/{group}/export', previewOnly='true')
        self.assertIn('view', json.dumps(answer))

    def test_edits_go_to_the_source(self):
        oid, = self.owner.add_features(self.layer, [{'attributes': {'name': 'new', 'n': 50, 'secret': 'ignored'}, 'geometry': {'x': 1, 'y': 1, **SR}}])
        new = [r for r in self.rows(self.source) if r['OBJECTID'] == oid][0]
        self.assertEqual((new['name'], new['secret'], bool(new['GlobalID'])), ('new', None, True))
        answer = self.owner.call(self.layer + '/applyEdits', updates=[{'attributes': {'OBJECTID': oid, 'n': 51, 'secret': 'x'}}, {'attributes': {'OBJECTID': self.oids[0], 'n': 51}}], deletes=[self.oids[1], self.oids[9]], rollbackOnFailure='false')
        self.assertEqual([[r['success'] for r in answer[k]] for k in ('updateResults', 'deleteResults')], [[True, False], [False, True]])
        self.assertEqual([(r['n'], r['secret']) for r in self.rows(self.source)], [(i, f's{i}') for i in range(9)] + [(51, None)])
        self.assertEqual([r['objectId'] for r in self.owner.call(self.layer + '/deleteFeatures', where='1=1')['deleteResults']], [*self.oids[5:9], oid])
        self.assertEqual(len(self.rows(self.source)), 5)  # those that it does not show
        self.assertEqual(self.owner.error(self.layer.replace('/rest/', '/rest/admin/') + '/truncate')['code'], 400)

    def test_its_own_capabilities(self):
        self.owner.call(f'/sharing/rest/content/items/{self.view_item}/share', everyone='true')
        features = [{'attributes': {'n': 60}, 'geometry': {'x': 1, 'y': 1, **SR}}]
        self.assertTrue(self.nobody.call(self.layer + '/addFeatures', features=features)['addResults'][0]['success'])
        self.admin('updateDefinition', {'capabilities': 'Query'}, at='')
        self.assertEqual(self.nobody.error(self.layer + '/addFeatures', features=features)['code'], 499)
        self.assertEqual(self.nobody.error(self.source + '/addFeatures', features=features)['code'], 499)

    def test_it_follows_changes(self):
        self.admin('updateDefinition', {'viewDefinitionQuery': "secret = 's2'"})
        self.assertEqual([r['n'] for r in self.rows()], [2])
        self.admin('updateDefinition', {'viewDefinitionQuery': ''})
        self.assertEqual(self.count_of(), 10)
        self.admin('updateDefinition', {'fields': [{'name': 'name', 'visible': False}]})
        self.assertEqual(set(self.rows()[0]), {'OBJECTID', 'GlobalID', 'n'})
        self.assertNotIn('name', [f['name'] for f in self.owner.call(self.layer)['fields']])
        self.admin('addToDefinition', {'fields': [{'name': 'later', 'type': 'esriFieldTypeString'}]}, at='/3', url=self.url)
        self.assertNotIn('later', self.rows()[0])
        self.owner.add_features(self.source, [{'attributes': {'n': 77}}])
        self.assertEqual(self.count_of(), 11)

    def test_refused(self):
        admin = self.view.replace('/rest/', '/rest/admin/')
        for body in ({'viewDefinitionQuery': 'no_field = 1'}, {'viewDefinitionQuery': 'n >'}, {'viewLayerDefinition': {'sourceLayerId': 3, 'filter': {'operator': 'esriSpatialRelIntersects', 'value': {}}}}):
            self.assertEqual(self.owner.error(admin + '/0/updateDefinition', updateDefinition=body)['code'], 400, body)
        self.assertEqual(self.count_of(), 5)
        for definition in ({}, {'sourceServiceName': 'nothing', 'sourceLayerId': 0}, {'sourceServiceName': f'source_{Views.count}', 'sourceLayerId': 77}, {'sourceServiceName': f'view_{Views.count}', 'sourceLayerId': 0},
                           {'sourceServiceName': f'source_{Views.count}', 'sourceLayerId': 3, 'sourceLayerFields': ['missing']},
                           {'sourceServiceName': f'source_{Views.count}', 'sourceLayerId': 3, 'sourceLayerFields': [{'name': 'a', 'source': 'name'}]}):
            error = self.owner.error(admin + '/addToDefinition', addToDefinition={'layers': [{'name': 'x', 'adminLayerInfo': {'viewLayerDefinition': definition}}]})
            self.assertIn(error['code'], (400, 404), definition)
        with self.assertRaises(moving.RestError):
            self.make('stolen', person=self.other)  # the source is not theirs
        for path in (f'items/{self.item}/delete',):
            self.assertIn('view', json.dumps(self.owner.error(self.owner.content(path))))
        self.assertEqual(self.owner.error(self.url.replace('/rest/', '/rest/admin/') + '/3/deleteFromDefinition', deleteFromDefinition={'fields': [{'name': 'name'}]})['code'], 400)
        self.owner.call(self.owner.content(f'items/{self.view_item}/delete'))
        self.assertEqual(len(self.rows(self.source)), 10)
        self.owner.call(self.owner.content(f'items/{self.item}/delete'))


if __name__ == '__main__':
    moving.main()
