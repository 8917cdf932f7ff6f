#!/usr/bin/env python3
"""Edits of features from outside: what clients send, what of it is refused and why, all or nothing, GlobalIDs, who did it and when, and what
queries see at once."""
import json
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import Person, Server, layer  # noqa: E402

SR = {'spatialReference': {'wkid': 4326}}
CODES = {'type': 'codedValue', 'name': 'kinds', 'codedValues': [{'name': 'One', 'code': 1}, {'name': 'Two', 'code': 2}]}
RANGE = {'type': 'range', 'name': 'share', 'range': [0, 100]}
POINT = {'x': 1, 'y': 2, **SR}


def a_layer():
    d = layer(0, 'Points', 'Point', (('name', 'String'), ('n', 'Integer'), ('kind', 'SmallInteger'), ('share', 'Double'), ('day', 'DateOnly'), ('creator', 'String'), ('created', 'Date'),
                                     ('editor', 'String'), ('edited', 'Date')))
    for f in d['fields']:
        f.update({'name': {'length': 5, 'defaultValue': 'none'}, 'n': {'nullable': False, 'defaultValue': 7}, 'kind': {'domain': CODES}, 'share': {'domain': RANGE}}.get(f['name'], {}))
    d['editFieldsInfo'] = {'creatorField': 'creator', 'creationDateField': 'created', 'editorField': 'editor', 'editDateField': 'edited'}
    d.update(typeIdField='kind', types=[{'id': 2, 'name': 'Two', 'domains': {'share': {'type': 'range', 'name': 'narrow', 'range': [10, 20]}}, 'templates': []}])
    return d


class Edits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.owner, cls.other, cls.nobody = cls.server.add_user('owner'), cls.server.add_user('other'), Person(cls.server.url)
        cls.count = 0

    def setUp(self):
        Edits.count += 1
        self.item, self.url = self.owner.service(f'edits_{Edits.count}', None, {'layers': [a_layer(), layer(3, 'Lines', 'Polyline', (('n', 'Integer'),), hasZ=True, hasM=True), layer(
            4, 'Areas', 'Polygon', (('n', 'Integer'),)), layer(5, 'Clouds', 'Multipoint', (('n', 'Integer'),))], 'tables': [layer(9, 'Notes', None, (('note', 'String'),))]})
        self.layer = self.url + '/0'

    def edit(self, operation, person=None, layer_url=None, **fields):
        return (person or self.owner).call(f'{layer_url or self.layer}/{operation}', **fields)

    def add(self, *attributes, layer_url=None, geometry=POINT):
        return self.owner.add_features(layer_url or self.layer, [{'attributes': a, **({'geometry': geometry} if geometry else {})} for a in attributes])

    def rows(self, layer_url=None, **fields):
        return {f['attributes']['OBJECTID']: f for f in self.owner.call((layer_url or self.layer) + '/query', **dict({'where': '1=1', 'outFields': '*', 'returnZ': 'true', 'returnM': 'true'}, **fields))['features']}

    def result(self, results):
        return [(r['success'], r.get('error', {}).get('code')) for r in results]

    def test_updates_set_what_is_given(self):
        a, b = self.add({'name': 'a', 'n': 1}, {'name': 'b', 'n': 2})
        r = self.edit('updateFeatures', features=[{'attributes': {'OBJECTID': a, 'n': 9}}, {'attributes': {'objectid': b}, 'geometry': {'x': 50, 'y': 60, **SR}}])['updateResults']
        self.assertEqual(self.result(r), [(True, None)] * 2)
        rows = self.rows()
        self.assertEqual((rows[a]['attributes']['name'], rows[a]['attributes']['n'], rows[a]['geometry']), ('a', 9, {'x': 1, 'y': 2}))
        self.assertEqual((rows[b]['attributes']['name'], rows[b]['attributes']['n'], rows[b]['geometry']), ('b', 2, {'x': 50, 'y': 60}))
        self.assertEqual(list(self.rows(geometry='45,55,55,65')), [b])  # a box finds it at once,
        self.assertEqual(list(self.rows(geometry='0,1,2,3')), [a])  # and not where it was
        extent = self.owner.call(self.layer)['extent']
        self.assertEqual([extent[k] for k in ('xmin', 'ymin', 'xmax', 'ymax')], [1, 2, 50, 60])
        self.edit('updateFeatures', features=[{'attributes': {'OBJECTID': b, 'name': None}, 'geometry': None}])
        self.assertEqual((self.rows()[b]['attributes']['name'], 'geometry' in self.rows()[b] and self.rows()[b]['geometry'] is not None), (None, False))

    def test_defaults_and_what_is_enforced(self):
        self.add({})
        first = next(iter(self.rows().values()))['attributes']
        self.assertEqual((first['name'], first['n'], first['kind']), ('none', 7, None))
        bad = [({'name': 'longer'}, 'name'), ({'n': None}, 'n'), ({'n': 'x'}, 'n'), ({'n': 1.5}, 'n'), ({'n': 2**31}, 'n'), ({'kind': 3}, 'kinds'), ({'kind': 40000}, 'kind'), ({'share': -0.5}, 'share'),
               ({'share': 100.5}, 'share'), ({'kind': 2, 'share': 50}, '10 to 20'), ({'day': '2024-02-30T'}, 'day'), ({'day': 5}, 'day'), ({'share': 'NaN'}, 'share'), ({'name': ['x']}, 'name')]
        answer = self.edit('addFeatures', features=[{'attributes': a} for a, _ in bad], rollbackOnFailure='false')['addResults']
        for r, (attributes, word) in zip(answer, bad):
            with self.subTest(attributes=attributes):
                self.assertEqual((r['success'], r['error']['code'], word in r['error']['description']), (False, 1000, True), r)
        self.assertEqual(len(self.rows()), 1)
        oid = first['OBJECTID']
        for attributes, word in bad:
            with self.subTest(update=attributes):
                r = self.edit('updateFeatures', features=[{'attributes': dict(attributes, OBJECTID=oid)}])['updateResults'][0]
                self.assertEqual((r['success'], r['objectId'], word in r['error']['description']), (False, oid, True), r)
        self.edit('updateFeatures', features=[{'attributes': {'OBJECTID': oid, 'kind': 2, 'share': 15}}])
        r = self.edit('updateFeatures', features=[{'attributes': {'OBJECTID': oid, 'share': 50}}])['updateResults'][0]
        self.assertIn('10 to 20', r['error']['description'])  # the type that the row has decides
        self.assertEqual(self.rows()[oid]['attributes']['share'], 15)
        self.add({'name': 'ünïcö', 'kind': '1', 'n': '12', 'day': '2024-02-29', 'unknown': 1})

    def test_all_or_nothing(self):
        a, b = self.add({'n': 1}, {'n': 2})
        before = self.rows()
        for rollback in ('true', None):
            answer = self.edit('applyEdits', adds=[{'attributes': {'n': 3}}, {'attributes': {'n': 'x'}}], updates=[{'attributes': {'OBJECTID': a, 'n': 9}}, {'attributes': {'OBJECTID': 987654321, 'n': 1}}],
                               deletes=f'{b},77', **({'rollbackOnFailure': rollback} if rollback else {}))
            self.assertEqual([self.result(answer[k]) for k in ('addResults', 'updateResults', 'deleteResults')],
                             [[(False, 1003), (False, 1000)], [(False, 1003)] * 2, [(False, 1003)] * 2])
            self.assertEqual(self.rows(), before)
        answer = self.edit('applyEdits', updates=[{'attributes': {'OBJECTID': a, 'n': 9}}, {'attributes': {'OBJECTID': 987654321, 'n': 1}}, {'attributes': {'n': 1}}], rollbackOnFailure='true')
        self.assertEqual(self.result(answer['updateResults']), [(False, 1003), (False, 1003), (False, 1018)])
        self.assertEqual(self.rows(), before)
        answer = self.edit('applyEdits', adds=[{'attributes': {'n': 3}}, {'attributes': {'n': 'x'}}], updates=[{'attributes': {'OBJECTID': a, 'n': 9}}, {'attributes': {'OBJECTID': 987654321, 'n': 1}}],
                           deletes=[b, 77], rollbackOnFailure='false', returnEditMoment='true')
        self.assertEqual([self.result(answer[k]) for k in ('addResults', 'updateResults', 'deleteResults')],
                         [[(True, None), (False, 1000)], [(True, None), (False, 1019)], [(True, None), (False, 1019)]])
        self.assertEqual(sorted(r['attributes']['n'] for r in self.rows().values()), [3, 9])
        self.assertEqual(answer['editMoment'], self.owner.call(self.layer)['editingInfo']['dataLastEditDate'])

    def test_deleting(self):
        oids = self.add(*({'n': i} for i in range(6)))
        r = self.edit('deleteFeatures', objectIds=f'{oids[0]}, {oids[1]}')['deleteResults']
        self.assertEqual([(x['objectId'], x['success']) for x in r], [(oids[0], True), (oids[1], True)])
        self.assertEqual(self.edit('deleteFeatures', where='n = 2', returnDeleteResults='false'), {'success': True})
        self.edit('updateFeatures', features=[{'attributes': {'OBJECTID': oids[3]}, 'geometry': {'x': 90, 'y': 0, **SR}}])
        self.assertEqual([x['objectId'] for x in self.edit('deleteFeatures', geometry='80,-10,100,10')['deleteResults']], [oids[3]])
        self.assertEqual(list(self.rows()), oids[4:])
        for fields in ({}, {'objectIds': 'x'}, {'where': 'nonsense'}, {'where': 'no_field=1'}, {'geometry': 'x'}):
            self.assertEqual(self.owner.error(self.layer + '/deleteFeatures', **fields)['code'], 400)
        self.assertEqual(list(self.rows()), oids[4:])
        self.assertEqual(self.edit('deleteFeatures', where='1=0'), {'deleteResults': []})

    def test_global_ids(self):
        guid = '{0123ABCD-89AB-CDEF-0123-456789ABCDEF}'
        r = self.edit('applyEdits', adds=[{'attributes': {'GlobalID': guid.lower().strip('{}'), 'n': 1}}], useGlobalIds='true')['addResults'][0]
        self.assertEqual((r['success'], r['globalId']), (True, guid))
        r = self.edit('applyEdits', adds=[{'attributes': {'GlobalID': guid, 'n': 1}}, {'attributes': {'n': 2}}], useGlobalIds='true')['addResults']
        self.assertEqual(self.result(r), [(False, 1000), (False, 1003)])  # it is there
        twice = '{00000000-89AB-CDEF-0123-456789ABCDEF}'
        r = self.edit('applyEdits', adds=[{'attributes': {'GlobalID': twice, 'n': 1}}] * 2, useGlobalIds='true', rollbackOnFailure='false')['addResults']
        self.assertEqual(self.result(r), [(False, 1000)] * 2)
        made = self.edit('applyEdits', adds=[{'attributes': {'GlobalID': guid, 'n': 2}}])['addResults'][0]
        self.assertTrue(made['success'] and made['globalId'] != guid)  # without the option the server makes it
        r = self.edit('applyEdits', updates=[{'attributes': {'globalid': guid, 'n': 5}}, {'attributes': {'n': 5}}], deletes=[made['globalId'], twice], useGlobalIds='true', rollbackOnFailure='false')
        self.assertEqual([self.result(r[k]) for k in ('updateResults', 'deleteResults')], [[(True, None), (False, 1018)], [(True, None), (False, 1019)]])
        self.assertEqual([(f['attributes']['GlobalID'], f['attributes']['n']) for f in self.rows().values()], [(guid, 5)])
        self.assertEqual(self.owner.error(self.layer + '/applyEdits', deletes='1', useGlobalIds='true')['code'], 400)
        self.assertEqual(self.edit('applyEdits', deletes=guid, useGlobalIds='true')['deleteResults'][0]['globalId'], guid)
        self.assertEqual(self.rows(), {})

    def test_several_layers(self):
        a, = self.add({'n': 1})
        edits = [{'id': 0, 'adds': [{'attributes': {'n': 2}, 'geometry': POINT}], 'updates': [{'attributes': {'OBJECTID': a, 'n': 5}}]}, {'id': 9, 'adds': [{'attributes': {'note': 'x'}}]}]
        answer = self.edit('applyEdits', layer_url=self.url, edits=edits)
        self.assertEqual([(e['id'], self.result(e['addResults']), self.result(e['updateResults']), e['deleteResults']) for e in answer], [(0, [(True, None)], [(True, None)], []), (9, [(True, None)], [], [])])
        before = self.rows()
        edits = [{'id': 9, 'adds': [{'attributes': {'note': 'y'}}]}, {'id': 0, 'deletes': [a, 555]}]
        answer = self.edit('applyEdits', layer_url=self.url, edits=edits)
        self.assertEqual((self.result(answer[0]['addResults']), self.result(answer[1]['deleteResults'])), ([(False, 1003)], [(False, 1003), (False, 1019)]))
        self.assertEqual((self.rows(), len(self.rows(self.url + '/9'))), (before, 1))
        for bad in ('{}', '[{}]', '[{"id":77}]', '[{"id":0,"adds":{}}]', '[{"id":0,"deletes":5}]', 'x'):
            self.assertEqual(self.owner.error(self.url + '/applyEdits', edits=bad)['code'], 400, bad)

    def test_who_and_when(self):
        self.owner.call(f'/sharing/rest/content/items/{self.item}/share', everyone='true')
        self.assertTrue(self.edit('addFeatures', self.other, features=[{'attributes': {'n': 1, 'creator': 'me', 'edited': 5}}])['addResults'][0]['success'])
        first = next(iter(self.rows().values()))['attributes']
        self.assertEqual((first['creator'], first['editor'], first['created'] == first['edited']), ('other', 'other', True))
        self.edit('updateFeatures', features=[{'attributes': dict(first, n=2, creator='x')}])
        now = self.rows()[first['OBJECTID']]['attributes']
        self.assertEqual((now['creator'], now['created'], now['editor'], now['n'], now['edited'] >= first['edited']), ('other', first['created'], 'owner', 2, True))
        admin = self.layer.replace('/rest/', '/rest/admin/')
        self.owner.call(admin + '/updateDefinition', updateDefinition={'ownershipBasedAccessControlForFeatures': {'allowOthersToQuery': False, 'allowAnonymousToQuery': False}})
        hidden, = self.add({'n': 70})
        self.assertEqual((list(self.rows()), [f['attributes']['OBJECTID'] for f in self.other.call(self.layer + '/query', where='1=1')['features']]), ([first['OBJECTID'], hidden], [first['OBJECTID']]))
        self.assertEqual([p.call(self.layer + '/query', where='1=1', returnCountOnly='true')['count'] for p in (self.owner, self.other, self.nobody)], [2, 1, 0])
        self.assertIn(b'"error"', self.other.raw(f'{self.layer}/{hidden}', {'f': 'json'})[2])
        self.edit('deleteFeatures', objectIds=hidden)
        rules = {'allowOthersToUpdate': False, 'allowOthersToDelete': False, 'allowOthersToQuery': True, 'allowAnonymousToUpdate': False, 'allowAnonymousToDelete': True}
        self.owner.call(admin + '/updateDefinition', updateDefinition={'ownershipBasedAccessControlForFeatures': rules})
        mine, theirs = first['OBJECTID'], self.add({'n': 3})[0]
        answer = self.edit('applyEdits', self.other, updates=[{'attributes': {'OBJECTID': mine, 'n': 4}}, {'attributes': {'OBJECTID': theirs, 'n': 4}}], deletes=[theirs], rollbackOnFailure='false')
        self.assertEqual((self.result(answer['updateResults']), self.result(answer['deleteResults'])), ([(True, None), (False, 1020)], [(False, 1020)]))
        answer = self.edit('applyEdits', self.nobody, updates=[{'attributes': {'OBJECTID': mine, 'n': 5}}], deletes=[mine], rollbackOnFailure='false')
        self.assertEqual((self.result(answer['updateResults']), self.result(answer['deleteResults'])), ([(False, 1020)], [(True, None)]))
        self.assertEqual(self.result(self.edit('updateFeatures', features=[{'attributes': {'OBJECTID': theirs, 'n': 8}}])['updateResults']), [(True, None)])

    def test_capabilities(self):
        self.owner.call(f'/sharing/rest/content/items/{self.item}/share', everyone='true')
        oid, = self.add({'n': 1})
        calls = {'Create': {'adds': [{'attributes': {'n': 1}}]}, 'Update': {'updates': [{'attributes': {'OBJECTID': oid, 'n': 1}}]}, 'Delete': {'deletes': '555'}}
        for capability in calls:
            self.owner.call(self.url.replace('/rest/', '/rest/admin/') + '/updateDefinition', updateDefinition={'capabilities': 'Query,' + capability})
            for needed, fields in calls.items():
                answer = json.loads(self.nobody.raw(self.layer + '/applyEdits', {**{k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}, 'f': 'json'})[2])
                self.assertEqual('error' in answer, needed != capability, (capability, needed, answer))

    def test_geometries(self):
        lines, areas, clouds, table = (f'{self.url}/{i}' for i in (3, 4, 5, 9))
        line = {'paths': [[[0, 0, 5, 1], [1, 1, 6, 2]], [[2, 2, 7, None], [3, 3.5, 8, 4]]], 'hasZ': True, 'hasM': True}
        area = {'rings': [[[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]], [[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]]]}
        cloud = {'points': [[179.5, 1], [-179.5, -1]]}
        for url, shape in ((lines, line), (areas, area), (clouds, cloud), (clouds, {'points': []}), (areas, {'rings': []})):
            oid, = self.add({'n': 1}, layer_url=url, geometry=dict(shape, **SR))
            self.assertEqual(self.rows(url)[oid].get('geometry'), {k: v for k, v in shape.items() if not k.startswith('has')})
        bad = [(self.layer, {'x': 'a', 'y': 1}), (self.layer, {'x': 1}), (self.layer, {'rings': []}), (self.layer, {'x': 1, 'y': 2, 'spatialReference': {'wkid': 999999}}), (self.layer, 5),
               (lines, {'curvePaths': [[[0, 0], {'c': [[3, 3], [1, 4]]}]]}), (areas, {'rings': [[[0, 0], [1]]]}), (areas, {'rings': [[[0, 0], [1, 1]]]}), (table, POINT), (self.layer, {'x': 1, 'y': 1e400})]
        for url, shape in bad:
            with self.subTest(url=url, shape=shape):
                text = json.dumps([{'attributes': {'n': 1}, 'geometry': shape}]).replace('Infinity', '1e400')
                r = self.edit('addFeatures', layer_url=url, features=text)['addResults'][0]
                self.assertEqual((r['success'], bool(r['error']['description'])), (False, True))
        oid, = self.add({'n': 1}, geometry={'x': 111319.49079327358, 'y': 0, 'spatialReference': {'wkid': 102100}})
        self.assertAlmostEqual(self.rows()[oid]['geometry']['x'], 1, 9)

    def test_attachments_among_edits(self):
        self.owner.call(self.layer.replace('/rest/', '/rest/admin/') + '/updateDefinition', updateDefinition={'hasAttachments': True})
        feature, one, two = ('{' + f'{i:08d}-89AB-CDEF-0123-456789ABCDEF' + '}' for i in range(3))

        def apply(files, **fields):
            return self.edit('applyEdits', attachments=files, useGlobalIds='true', **fields)
        adds = [{'globalId': one, 'parentGlobalId': feature.lower(), 'name': 'a.txt', 'contentType': 'text/plain', 'data': 'aGVsbG8='}]
        answer = apply({'adds': adds + [{'globalId': two, 'parentGlobalId': two, 'name': 'b.txt', 'data': ''}]}, adds=[{'attributes': {'GlobalID': feature, 'n': 1}}])
        self.assertEqual((self.result(answer['addResults']), self.result(answer['attachments']['addResults']), self.rows()), ([(False, 1003)], [(False, 1003), (False, 1019)], {}))
        answer = apply({'adds': adds}, adds=[{'attributes': {'GlobalID': feature, 'n': 1}}])
        self.assertEqual([(r['success'], r['globalId']) for r in answer['attachments']['addResults']], [(True, one)])
        oid = answer['addResults'][0]['objectId']
        info, = self.owner.call(f'{self.layer}/{oid}/attachments')['attachmentInfos']
        self.assertEqual((info['globalId'], info['parentGlobalId'], info['name'], info['size'], info['contentType']), (one, feature, 'a.txt', 5, 'text/plain'))
        answer = apply({'adds': adds, 'updates': [{'globalId': one, 'name': 'c.txt', 'data': 'b3RoZXI='}, {'globalId': two, 'name': 'x'}], 'deletes': [two]}, rollbackOnFailure='false')['attachments']
        self.assertEqual([self.result(answer[k]) for k in ('addResults', 'updateResults', 'deleteResults')], [[(False, 1000)], [(True, None), (False, 1019)], [(False, 1019)]])
        self.assertEqual(self.owner.raw(f"{self.layer}/{oid}/attachments/{info['id']}", method='GET')[2], b'other')
        self.assertEqual(self.result(apply({'deletes': [one]})['attachments']['deleteResults']), [(True, None)])
        self.assertEqual(self.owner.call(f'{self.layer}/{oid}/attachments')['attachmentInfos'], [])
        for files in ([], {'adds': {}}, {'adds': [{'parentGlobalId': feature, 'name': 'x', 'data': '%%'}]}, {'adds': [{'parentGlobalId': feature, 'name': 'x', 'uploadId': 'x'}]}, {'adds': [{'parentGlobalId': feature, 'uploadId': '0' * 32}]}):
            self.assertEqual(self.owner.error(self.layer + '/applyEdits', attachments=files, useGlobalIds='true')['code'], 400, files)
        self.assertEqual(self.owner.error(self.layer + '/applyEdits', attachments={'deletes': [one]})['code'], 400)

    def test_calculate(self):
        self.add({'n': 1, 'share': 10, 'name': 'a'}, {'n': 2, 'share': 20, 'name': 'b'}, {'n': 3, 'share': 30, 'name': 'c'})

        def calculate(where, *expressions, **fields):
            return self.owner.call(self.layer + '/calculate', where=where, calcExpression=list(expressions), **fields)

        def values(*names):
            return [tuple(r['attributes'][n] for n in names) for r in self.rows().values()]
        self.assertEqual(calculate('n >= 2', {'field': 'name', 'value': 'é'}), {'success': True, 'updatedFeatureCount': 2})
        self.assertEqual(values('name', 'n'), [('a', 1), ('é', 2), ('é', 3)])
        calculate('1=1', {'field': 'share', 'sqlExpression': 'share / 2 + n'}, {'field': 'N', 'sqlExpression': 'n * 10'}, {'field': 'day', 'value': '2024-02-29'})
        self.assertEqual(values('share', 'n', 'day'), [(6, 10, '2024-02-29'), (12, 20, '2024-02-29'), (18, 30, '2024-02-29')])
        calculate('n = 10', {'field': 'name', 'sqlExpression': "UPPER(name) || 'x'"}, {'field': 'share', 'value': None})
        self.assertEqual(values('name', 'share')[0], ('Ax', None))
        before = self.rows()
        for expression, word in (({'field': 'share', 'sqlExpression': 'n * 10'}, 'range'), ({'field': 'kind', 'value': 5}, 'kinds'), ({'field': 'n', 'value': None}, 'value is needed'), ({'field': 'name', 'value': 'too long'}, 'longer'),
                                 ({'field': 'n', 'sqlExpression': 'missing + 1'}, 'missing'), ({'field': 'n', 'sqlExpression': '1; DROP TABLE l0'}, 'expected an operator'), ({'field': 'n', 'sqlExpression': 'n / 3.0'}, 'integer'),
                                 ({'field': 'OBJECTID', 'value': 1}, 'edited'), ({'field': 'creator', 'value': 'x'}, 'edited'), ({'field': 'nothing', 'value': 1}, 'no such'), ({'field': 'n'}, 'either')):
            error = self.owner.error(self.layer + '/calculate', where='1=1', calcExpression=[expression])
            self.assertTrue(error['code'] == 400 and word in str(error), (expression, error))
        for fields in ({'where': '1=1'}, {'calcExpression': '[]', 'where': '1=1'}, {'calcExpression': '[{"field":"n","value":1}]'}, {'calcExpression': '[{"field":"n","value":1}]', 'where': 'x ='}):
            self.assertEqual(self.owner.error(self.layer + '/calculate', **fields)['code'], 400)
        self.assertEqual(self.rows(), before)

    def test_changes(self):
        self.owner.call(self.url.replace('/rest/', '/rest/admin/') + '/updateDefinition', updateDefinition={'capabilities': 'Query,Editing,ChangeTracking'})
        gens = {g['id']: g for g in self.owner.call(self.url)['changeTrackingInfo']['layerServerGens']}
        self.assertEqual(set(gens), {0, 3, 4, 5, 9})
        a, b, c = self.add({'name': 'a', 'n': 1}, {'name': 'b', 'n': 2}, {'name': 'c', 'n': 3})
        guids = {o: f['attributes']['GlobalID'] for o, f in self.rows().items()}

        def extract(since, person=None, **fields):
            return (person or self.owner).call(self.url + '/extractChanges', layers='[0]', layerServerGens=[{'id': 0, 'serverGen': since}], transportType='esriTransportTypeEmbedded', dataFormat='json', **fields)
        first = extract(gens[0]['serverGen'])
        self.assertEqual([f['attributes']['OBJECTID'] for f in first['edits'][0]['features']['adds']], [a, b, c])
        self.assertEqual(first['edits'][0]['features']['adds'][0]['geometry'], {'x': 1, 'y': 2})
        self.edit('applyEdits', updates=[{'attributes': {'OBJECTID': a, 'n': 9}}], deletes=[b])
        d, = self.add({'name': 'd'})
        e, = self.add({'name': 'e'})
        self.edit('deleteFeatures', objectIds=e)
        second = extract(first['layerServerGens'][0]['serverGen'])
        changes = second['edits'][0]['features']
        self.assertEqual(([f['attributes']['OBJECTID'] for f in changes['adds']], [f['attributes']['n'] for f in changes['updates']], changes['deleteIds']), ([d], [9], [guids[b]]))
        ids = extract(gens[0]['serverGen'], returnIdsOnly='true', returnUpdates='false')['edits'][0]['objectIds']
        self.assertEqual(ids, {'adds': [a, c, d], 'updates': [], 'deletes': []})
        self.assertEqual(second['layerServerGens'][0]['serverGen'], self.owner.call(self.layer)['editingInfo']['dataLastEditDate'])
        nothing = extract(second['layerServerGens'][0]['serverGen'])
        self.assertEqual((nothing['edits'][0]['features'], nothing['layerServerGens']), ({'adds': [], 'updates': [], 'deleteIds': []}, second['layerServerGens']))
        self.owner.call(self.layer + '/truncate')
        self.assertEqual(sorted(extract(second['layerServerGens'][0]['serverGen'])['edits'][0]['features']['deleteIds']), sorted(
            [guids[a], guids[c]] + [f['attributes']['GlobalID'] for f in changes['adds']]))
        self.assertEqual([x['id'] for x in self.owner.call(self.url + '/extractChanges', serverGens='0')['edits']], [0, 3, 4, 5, 9])
        for fields in ({'layers': '77'}, {'layers': 'x'}, {'serverGens': 'x'}, {'layerServerGens': '[{}]'}, {'transportType': 'esriTransportTypeUrl'}, {'async': 'true'}, {'returnExtentOnly': 'true'},
                       {'returnDeletedFeatures': 'true'}, {'fieldsToCompare': 'n'}, {'layerQueries': '[]'}, {'layerQueries': '{"no":{}}'}, {'layerQueries': '{"0":{"where":"x ="}}'}, {'layerQueries': '{"0":{"queryOption":"some"}}'}, {'geometry': 'x'}):
            self.assertEqual(self.owner.error(self.url + '/extractChanges', **fields)['code'], 400, fields)

    def test_uploads(self):
        admin, uploads = self.url.replace('/rest/', '/rest/admin/'), self.url + '/uploads'
        self.owner.call(admin + '/0/updateDefinition', updateDefinition={'hasAttachments': True})
        self.assertTrue(self.owner.call(self.layer)['supportsAttachmentsByUploadId'])
        feature, = self.add({'n': 1})
        guid = self.rows()[feature]['attributes']['GlobalID']
        whole = self.owner.call(uploads + '/upload', files=[('file', ('é.txt', b'whole'))], description='d')
        self.assertEqual((whole['success'], whole['item']['itemName'], whole['item']['description'], whole['item']['committed']), (True, 'é.txt', 'd', True))
        whole = whole['item']['itemID']
        added = self.owner.call(f'{self.layer}/{feature}/addAttachment', uploadId=whole, keywords='k')['addAttachmentResult']
        info, = self.owner.call(f'{self.layer}/{feature}/attachments')['attachmentInfos']
        self.assertEqual((info['id'], info['name'], info['size'], info['keywords']), (added['objectId'], 'é.txt', 5, 'k'))
        parts = self.owner.call(uploads + '/register', itemName='big.bin')['item']
        self.assertEqual((parts['committed'], self.owner.error(f'{self.layer}/{feature}/addAttachment', uploadId=parts['itemID'])['code']), (False, 400))
        big = uploads + '/' + parts['itemID']
        self.assertEqual(self.owner.error(big + '/commit')['code'], 400)  # there is none
        self.owner.call(big + '/uploadPart', partId=2, files=[('file', ('b', b'B' * 70000))])
        self.assertIn('Part 1 is missing', str(self.owner.error(big + '/commit')))
        self.owner.call(big + '/uploadPart', partId=1, files=[('file', ('a', b'A' * 70000))])
        self.owner.call(big + '/uploadPart', partId=1, files=[('file', ('a', b'a' * 70000))])  # again
        self.assertEqual((self.owner.call(big + '/commit', parts='1,2')['item']['committed'], self.owner.call(big)['size']), (True, 140000))
        self.assertEqual(self.owner.error(big + '/uploadPart', partId=3, files=[('file', ('c', b'c'))])['code'], 400)
        self.owner.call(f'{self.layer}/{feature}/updateAttachment', attachmentId=added['objectId'], uploadId=parts['itemID'])
        self.assertEqual(self.owner.raw(f"{self.layer}/{feature}/attachments/{added['objectId']}", method='GET')[2], b'a' * 70000 + b'B' * 70000)
        answer = self.edit('applyEdits', attachments={'adds': [{'parentGlobalId': guid, 'uploadId': whole}, {'parentGlobalId': guid, 'name': 'other.txt', 'uploadId': whole}]}, useGlobalIds='true')
        self.assertEqual(self.result(answer['attachments']['addResults']), [(True, None)] * 2)
        self.owner.call(f'{uploads}/{whole}/delete')
        self.assertEqual(self.owner.error(f'{uploads}/{whole}')['code'], 400)
        infos = self.owner.call(f'{self.layer}/{feature}/attachments')['attachmentInfos']  # what was made of it stays
        self.assertEqual(sorted((i['name'], i['size']) for i in infos), [('big.bin', 140000), ('other.txt', 5), ('é.txt', 5)])
        self.owner.call(self.owner.content(f'items/{self.item}/share'), everyone='true')
        self.assertEqual(self.other.error(uploads + '/upload', files=[('file', ('x', b'x'))])['code'], 403)  # the service takes none of others
        self.owner.call(admin + '/updateDefinition', updateDefinition={'capabilities': 'Query,Editing,Uploads'})
        theirs = self.other.call(uploads + '/upload', files=[('file', ('x', b'x'))])['item']['itemID']
        self.assertEqual([p.error(f'{uploads}/{t}')['code'] for p, t in ((self.owner, theirs), (self.other, parts['itemID']), (self.nobody, theirs))], [400, 400, 499])
        self.assertEqual(self.owner.error(f'{self.layer}/{feature}/addAttachment', uploadId=theirs)['code'], 400)
        for path, fields in (('/register', {}), ('/register', {'itemName': 'a/b'}), ('/x', {}), ('/x/commit', {}), (f"/{parts['itemID']}/uploadPart", {'partId': 1})):
            self.assertEqual(self.owner.error(uploads + path, **fields)['code'], 400, path)

    def test_changes_of_attachments_and_filters(self):
        admin = self.url.replace('/rest/', '/rest/admin/')
        self.owner.call(admin + '/updateDefinition', updateDefinition={'capabilities': 'Query,Editing,ChangeTracking'})
        self.owner.call(admin + '/0/updateDefinition', updateDefinition={'hasAttachments': True})
        can = self.owner.call(self.url)['extractChangesCapabilities']
        self.assertTrue(can['supportsReturnAttachments'] and can['supportsLayerQueries'] and can['supportsSpatialFilter'])
        a, b = self.add({'name': 'a', 'n': 1}, {'name': 'b', 'n': 2})

        def extract(since, **fields):
            answer = self.owner.call(self.url + '/extractChanges', layerServerGens=[{'id': 0, 'serverGen': since}], **fields)
            return answer['layerServerGens'][0]['serverGen'], answer['edits'][0]
        start, edits = extract(0, returnAttachments='true')
        self.assertEqual(edits['attachments'], {'adds': [], 'updates': [], 'deleteIds': []})

        def attach(oid, text):
            return self.owner.call(f'{self.layer}/{oid}/addAttachment', files=[('attachment', ('x.txt', text))], keywords='k')['addAttachmentResult']
        one, two, three = attach(a, b'one'), attach(a, b'two'), attach(b, b'three')
        gone = attach(b, b'gone')
        self.owner.call(f'{self.layer}/{b}/deleteAttachments', attachmentIds=gone['objectId'])
        middle, edits = extract(start, returnAttachments='true')
        self.assertGreater(middle, start)
        self.assertEqual([(f['attachmentId'], f['globalId'], f['parentObjectId'], f['size'], f['keywords']) for f in edits['attachments']['adds']],
                         [(r['objectId'], r['globalId'], o, n, 'k') for r, o, n in ((one, a, 3), (two, a, 3), (three, b, 5))])
        self.assertEqual(self.owner.raw(edits['attachments']['adds'][2]['url'], method='GET')[2], b'three')
        self.assertEqual((edits['attachments']['updates'], edits['attachments']['deleteIds'], edits['features']), ([], [], {'adds': [], 'updates': [], 'deleteIds': []}))
        self.assertNotIn('attachments', extract(start)[1])
        _, edits = extract(start, returnAttachments='true', returnAttachmentsDataByUrl='false')
        self.assertEqual([f['data'] for f in edits['attachments']['adds']], ['b25l', 'dHdv', 'dGhyZWU='])
        self.owner.call(f'{self.layer}/{a}/updateAttachment', files=[('attachment', ('y.txt', b'other'))], attachmentId=two['objectId'])
        self.owner.call(f'{self.layer}/{a}/deleteAttachments', attachmentIds=one['objectId'])
        self.edit('deleteFeatures', objectIds=b)  # its attachment goes with it
        last, edits = extract(middle, returnAttachments='true')
        self.assertEqual(([(f['globalId'], f['name']) for f in edits['attachments']['updates']], sorted(edits['attachments']['deleteIds'])), ([(two['globalId'], 'y.txt')], sorted([one['globalId'], three['globalId']])))
        self.owner.call(self.layer + '/truncate', attachmentOnly='true')
        self.assertEqual(extract(last, returnAttachments='true')[1]['attachments']['deleteIds'], [two['globalId']])
        c, d = self.add({'n': 3}), self.add({'n': 4}, geometry={'x': 50, 'y': 60})
        for fields, ids in (({'layerQueries': {'0': {'where': 'n = 3'}}}, c), ({'geometry': '45,55,55,65'}, d), ({'geometry': '45,55,55,65', 'layerQueries': {'0': {'useGeometry': False}}}, c + d),
                            ({'layerQueries': {'0': {'queryOption': 'none'}}}, []), ({'layerQueries': {'3': {'where': 'n = 3'}}}, c + d)):
            self.assertEqual(extract(last, returnIdsOnly='true', **fields)[1]['objectIds']['adds'], ids, fields)
            self.assertEqual([f['attributes']['OBJECTID'] for f in extract(last, **fields)[1]['features']['adds']], ids, fields)

    def test_composite_relationships(self):
        parts = {'layers': [layer(0, 'Parks', 'Point', (('name', 'String'),), hasAttachments=True, relationships=[moving.related(0, 1, 'Origin', 'GlobalID') | {'composite': True}])],
                 'tables': [layer(1, 'Trees', None, (('park', 'GUID'), ('code', 'Integer')), hasAttachments=True, relationships=[
                     moving.related(0, 0, 'Destination', 'park') | {'composite': True}, moving.related(1, 2, 'Origin', 'code') | {'composite': True}, moving.related(2, 3, 'Origin', 'code')]),
                            layer(2, 'Leaves', None, (('tree', 'Integer'),), relationships=[moving.related(1, 1, 'Destination', 'tree') | {'composite': True}]),
                            layer(3, 'Notes', None, (('tree', 'Integer'),), relationships=[moving.related(2, 1, 'Destination', 'tree')])]}
        _, url = self.owner.service(f'composite_{Edits.count}', None, parts)
        self.owner.call(url.replace('/rest/', '/rest/admin/') + '/updateDefinition', updateDefinition={'capabilities': 'Query,Editing,ChangeTracking'})

        def ids(layer_id):
            return self.owner.call(f'{url}/{layer_id}/query', where='1=1', returnIdsOnly='true')['objectIds']

        def fill():
            parks = self.owner.call(url + '/0/addFeatures', features=[{'attributes': {'name': n}} for n in 'ab'])['addResults']
            trees = self.add(*({'park': parks[i // 2]['globalId'], 'code': 10 * parks[0]['objectId'] + i} for i in range(4)), layer_url=url + '/1', geometry=None)
            self.add(*({'tree': 10 * parks[0]['objectId'] + i // 2} for i in range(8)), layer_url=url + '/2', geometry=None)
            self.add({'tree': 10 * parks[0]['objectId']}, layer_url=url + '/3', geometry=None)
            self.owner.call(f'{url}/1/{trees[0]}/addAttachment', files=[('attachment', ('x.txt', b'x'))])
            return [p['objectId'] for p in parks], trees
        parks, trees = fill()
        gen = {g['id']: g['serverGen'] for g in self.owner.call(url)['changeTrackingInfo']['layerServerGens']}
        answer = self.owner.call(url + '/0/applyEdits', deletes=f'{parks[0]},999')  # one is not there: nothing is done
        self.assertEqual((self.result(answer['deleteResults']), len(ids(1)), len(ids(2))), ([(False, 1003), (False, 1019)], 4, 8))
        self.owner.call(url + '/0/deleteFeatures', objectIds=parks[0])
        self.assertEqual((ids(0), ids(1), len(ids(2)), len(ids(3))), ([parks[1]], trees[2:], 4, 1))  # a simple relationship takes nothing along
        self.assertEqual(self.owner.call(url + '/1/queryAttachments', definitionExpression='1=1')['attachmentGroups'], [])
        changes = self.owner.call(url + '/extractChanges', layerServerGens=[{'id': i, 'serverGen': gen[i]} for i in range(3)], returnIdsOnly='true')['edits']
        self.assertEqual([(len(e['objectIds']['deletes']), e['objectIds']['adds']) for e in changes], [(1, []), (2, []), (4, [])])
        self.assertIn('composite', self.owner.error(url + '/0/truncate')['details'][0])
        more, more_trees = fill()
        answer = self.owner.call(url + '/applyEdits', edits=[{'id': 0, 'deletes': [more[0]]}, {'id': 1, 'deletes': [more_trees[0], more_trees[3]]}])
        self.assertEqual([self.result(a['deleteResults']) for a in answer], [[(True, None)], [(True, None)] * 2])  # what went along is deleted, whoever asks
        self.owner.call(url + '/0/deleteFeatures', where='1=1')
        self.assertEqual([ids(i) for i in range(3)], [[], [], []])
        self.assertEqual(len(ids(3)), 2)

    def test_attachments(self):
        admin = self.layer.replace('/rest/', '/rest/admin/')
        a, b = self.add({'n': 1}, {'n': 2})
        self.assertEqual(self.owner.error(f'{self.layer}/{a}/addAttachment', files=[('attachment', ('x.txt', b'x'))])['code'], 400)  # the layer takes none yet
        self.owner.call(admin + '/updateDefinition', updateDefinition={'hasAttachments': True})
        first = self.owner.call(f'{self.layer}/{a}/addAttachment', files=[('attachment', ('é ü.txt', b'first'))], keywords='k1')['addAttachmentResult']
        self.assertEqual((first['success'], first['objectId']), (True, 1))
        second = self.owner.call(f'{self.layer}/{a}/addAttachment', files=[('attachment', ('p.png', moving.png()))])['addAttachmentResult']['objectId']
        r = self.owner.call(f'{self.layer}/{a}/updateAttachment', files=[('attachment', ('t.txt', b'other'))], attachmentId=1)['updateAttachmentResult']
        self.assertEqual((r['success'], r['objectId'], r['globalId']), (True, 1, first['globalId']))
        infos = self.owner.call(f'{self.layer}/{a}/attachments')['attachmentInfos']
        self.assertEqual([(i['id'], i['name'], i['size'], i['keywords']) for i in sorted(infos, key=lambda i: i['id'])], [(1, 't.txt', 5, 'k1'), (second, 'p.png', len(moving.png()), '')])
        status, headers, data = self.owner.raw(f'{self.layer}/{a}/attachments/1', method='GET', headers={'Range': 'bytes=1-2'})
        self.assertEqual((status, data), (206, b'th'))
        for path, fields in ((f'{b}/updateAttachment', {'attachmentId': 1}), (f'{a}/updateAttachment', {'attachmentId': 99}), ('777/updateAttachment', {'attachmentId': 1})):
            self.assertEqual(self.owner.error(f'{self.layer}/{path}', files=[('attachment', ('t.txt', b'x'))], **fields)['code'], 400)
        r = self.owner.call(f'{self.layer}/{a}/deleteAttachments', attachmentIds='1,99')['deleteAttachmentResults']
        self.assertEqual(self.result(r), [(False, 1003), (False, 1019)])
        r = self.owner.call(f'{self.layer}/{a}/deleteAttachments', attachmentIds='1,99', rollbackOnFailure='false')['deleteAttachmentResults']
        self.assertEqual(self.result(r), [(True, None), (False, 1019)])
        self.assertEqual([i['id'] for i in self.owner.call(f'{self.layer}/{a}/attachments')['attachmentInfos']], [second])
        self.edit('deleteFeatures', objectIds=a)
        self.assertEqual(self.owner.call(self.layer + '/queryAttachments', definitionExpression='1=1')['attachmentGroups'], [])
        self.assertEqual(self.owner.error(f'{self.layer}/{a}/attachments')['code'], 400)

    def test_bad_input(self):
        for operation, fields in (('addFeatures', {'features': 'x'}), ('addFeatures', {'features': '{}'}), ('addFeatures', {}), ('updateFeatures', {'features': '5'}), ('applyEdits', {'adds': '{}'}),
                                  ('applyEdits', {'deletes': '1,x'}), ('applyEdits', {'deletes': '[{}]'}), ('applyEdits', {'adds': '[', 'deletes': '1'}), ('applyEdits', {'async': 'true'}),
                                  ('addFeatures', {'features': '[]', 'useGlobalIds': 'perhaps'})):
            with self.subTest(operation=operation, fields=fields):
                self.assertEqual(self.owner.error(f'{self.layer}/{operation}', **fields)['code'], 400)
        r = self.edit('addFeatures', features=[5, {}, {'attributes': 5}, None], rollbackOnFailure='false')['addResults']
        self.assertEqual(self.result(r), [(False, 1000), (True, None), (False, 1000), (False, 1000)])

    def test_many_writers_and_readers(self):
        """Pages of 200 from several clients: each is seen whole or not at all, and a box finds each row at once."""
        failures, pages = [], 6

        def write(k):
            person = self.server.sign_in('owner')
            for p in range(pages):
                x = k * 10 + p
                features = [{'attributes': {'n': x}, 'geometry': {'x': x, 'y': i / 100, **SR}} for i in range(200)]
                oids = person.add_features(self.layer, features)
                found = person.call(self.layer + '/query', geometry=f'{x - 0.5},-1,{x + 0.5},3', returnIdsOnly='true')['objectIds']
                if sorted(found) != sorted(oids):
                    failures.append((k, p, len(found)))

        def look():
            person = self.server.sign_in('owner')
            while any(t.is_alive() for t in writers):
                n = person.call(self.layer + '/query', where='1=1', returnCountOnly='true')['count']
                if n % 200:
                    failures.append(n)
        writers = [threading.Thread(target=write, args=(k,)) for k in range(4)]
        readers = [threading.Thread(target=look) for _ in range(2)]
        for t in writers + readers:
            t.start()
        for t in writers + readers:
            t.join()
        self.assertEqual(failures, [])
        self.assertEqual(len({f['attributes']['GlobalID'] for f in self.owner.call(self.layer + '/query', where='1=1', outFields='GlobalID', resultRecordCount=2000)['features']}), 2000)


if __name__ == '__main__':
    moving.main()
