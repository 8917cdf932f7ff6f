#!/usr/bin/env python3
"""What services and layers say of themselves is true: each capability that a resource names is tried, those that are there and those that are
not, and a capability without a row here is one that nobody looked at."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import Server, layer  # noqa: E402

ALL = {'where': '1=1'}
SUM = [{'statisticType': 'sum', 'onStatisticField': 'n', 'outStatisticFieldName': 'total'}]


def stat(kind, **more):
    return dict(ALL, outStatistics=[{'statisticType': kind, 'onStatisticField': 'n', 'outStatisticFieldName': 'it', **more}])


# (operation, fields, what the answer has to say); for what is not there the last is None: the call is refused
QUERY = {
    'supportsPagination': ('query', dict(ALL, resultOffset=1, resultRecordCount=1), lambda a: len(a['features']) == 1 and a['exceededTransferLimit']),
    'supportsPaginationOnAggregatedQueries': ('query', dict(ALL, outStatistics=SUM, groupByFieldsForStatistics='name', resultOffset=1, resultRecordCount=1), lambda a: len(a['features']) == 1),
    'supportsQueryRelatedPagination': ('queryRelatedRecords', {'objectIds': '1', 'relationshipId': 0, 'resultOffset': 1, 'resultRecordCount': 1}, lambda a: len(a['relatedRecordGroups'][0]['relatedRecords']) == 1),
    'supportsAdvancedQueryRelated': ('queryRelatedRecords', {'objectIds': '1', 'relationshipId': 0, 'orderByFields': 'code DESC', 'definitionExpression': 'code > 10', 'outFields': 'code', 'returnCountOnly': 'false'},
                                     lambda a: [r['attributes']['code'] for r in a['relatedRecordGroups'][0]['relatedRecords']] == [12, 11]),
    'supportsQueryWithDistance': ('query', {'geometry': '1,2', 'geometryType': 'esriGeometryPoint', 'distance': 200000, 'units': 'esriSRUnit_Meter', 'inSR': 4326, 'returnCountOnly': 'true'}, lambda a: a['count'] == 2),
    'supportsReturningQueryExtent': ('query', dict(ALL, returnExtentOnly='true', returnCountOnly='true'), lambda a: a['count'] == 3 and a['extent']['xmax'] == 50),
    'supportsStatistics': ('query', stat('sum'), lambda a: a['features'][0]['attributes']['it'] == 6),
    'supportsOrderBy': ('query', dict(ALL, orderByFields='n DESC', outFields='n'), lambda a: [f['attributes']['n'] for f in a['features']] == [3, 2, 1]),
    'supportsDistinct': ('query', dict(ALL, returnDistinctValues='true', outFields='name', returnGeometry='false'), lambda a: len(a['features']) == 2),
    'supportsQueryWithResultType': ('query', dict(ALL, resultType='tile'), lambda a: len(a['features']) == 3),
    'supportsSqlExpression': ('query', stat('sum') | {'outStatistics': [{'statisticType': 'sum', 'onStatisticField': 'n * 2', 'outStatisticFieldName': 'it'}]}, lambda a: a['features'][0]['attributes']['it'] == 12),
    'supportsHavingClause': ('query', dict(ALL, outStatistics=SUM, groupByFieldsForStatistics='name', having='SUM(n) > 3'), lambda a: len(a['features']) == 1 or a),
    'supportsCountDistinct': ('query', dict(ALL, returnDistinctValues='true', returnCountOnly='true', outFields='name'), lambda a: a['count'] == 2),
    'supportsPercentileStatistics': ('query', stat('percentile_cont', statisticParameters={'value': 0.5}), lambda a: a['features'][0]['attributes']['it'] == 2),
    'supportsSpatialAggregationStatistics': ('query', dict(ALL, outStatistics=[{'statisticType': 'EnvelopeAggregate', 'onStatisticField': 'shape', 'outStatisticFieldName': 'it'}]), lambda a: 'features' in a),
    'supportsMaxRecordCountFactor': ('query', dict(ALL, maxRecordCountFactor=2), lambda a: len(a['features']) == 3),
    'supportsReturningGeometryCentroid': ('query', dict(ALL, returnCentroid='true'), lambda a: 'features' in a),
    'supportsReturningGeometryProperties': None,  # changes no answer
    'supportsQueryWithDatumTransformation': ('query', dict(ALL, outSR=3857, datumTransformation=108190), lambda a: len(a['features']) == 3),
    'supportsTopFeaturesQuery': ('queryTopFeatures', {'topFilter': {'groupByFields': 'name', 'topCount': 1, 'orderByFields': 'n'}}, None),
    'supportsQueryAttachments': ('queryAttachments', {'objectIds': '1'}, lambda a: a['attachmentGroups'][0]['parentObjectId'] == 1),
    'supportsQueryAttachmentsWithReturnUrl': ('queryAttachments', {'objectIds': '1', 'returnUrl': 'true'}, lambda a: a['attachmentGroups'][0]['attachmentInfos'][0]['url'].endswith('/attachments/1')),
    'supportsQueryAttachmentsCountOnly': ('queryAttachments', {'objectIds': '1', 'returnCountOnly': 'true'}, lambda a: a['attachmentGroups'][0]['count'] >= 2),
    'supportsDisjointSpatialRel': ('query', {'geometry': '0,1,2,3', 'spatialRel': 'esriSpatialRelDisjoint', 'returnCountOnly': 'true'}, lambda a: a['count'] == 1),
    'supportsQueryWithCacheHint': ('query', dict(ALL, cacheHint='true'), lambda a: len(a['features']) == 3),
    'supportsTimeRelation': None,
    'supportsFullTextSearch': ('query', dict(ALL, fullText=[{'onFields': ['name'], 'searchTerm': 'a', 'searchType': 'simple'}]), None),
    'supportsOutFieldSQLExpression': ('query', dict(ALL, outFields='n * 2 AS twice'), None),
    'supportsReturningUniqueIdsOnly': ('query', dict(ALL, returnUniqueIdsOnly='true'), lambda a: len(a.get('uniqueIds', a.get('objectIds', []))) == 3),
    'supportsReturningEnvelope': ('query', dict(ALL, returnEnvelope='true'), lambda a: 'features' in a),
}
LAYER = {
    'supportsStatistics': QUERY['supportsStatistics'], 'supportsAdvancedQueries': QUERY['supportsOrderBy'],
    'supportsValidateSql': ('validateSQL', {'sql': 'n > 1'}, lambda a: a['isValidSQL']),
    'supportsCalculate': ('calculate', {'where': 'n = 3', 'calcExpression': [{'field': 'n', 'value': 3}]}, lambda a: a['updatedFeatureCount'] == 1),
    'supportsASyncCalculate': ('calculate', {'where': 'n = 3', 'calcExpression': [{'field': 'n', 'value': 3}], 'async': 'true'}, None),
    'supportsTruncate': ('/1/truncate', {'attachmentOnly': 'true'}, lambda a: a['success']),
    'supportsCoordinatesQuantization': ('query', dict(ALL, quantizationParameters={'mode': 'view', 'originPosition': 'upperLeft', 'tolerance': 1, 'extent': {'xmin': 0, 'ymin': 0, 'xmax': 60, 'ymax': 60, 'spatialReference': {'wkid': 4326}}}), lambda a: 'transform' in a),
    'supportsRollbackOnFailureParameter': ('deleteFeatures', {'objectIds': '999', 'rollbackOnFailure': 'false'}, lambda a: not a['deleteResults'][0]['success']),
    'supportsAttachmentsByUploadId': ('1/addAttachment', {'uploadId': '{upload}'}, lambda a: a['addAttachmentResult']['success']),
    'supportsReturningQueryGeometry': None, 'supportsExceedsLimitStatistics': ('query', stat('exceedslimit'), None), 'supportsFieldDescriptionProperty': None, 'supportsMultiScaleGeometry': None,
    'supportsAttachmentsResizing': None, 'supportsApplyEditsWithGlobalIds': ('applyEdits', {'adds': [], 'useGlobalIds': 'true'}, lambda a: a['addResults'] == []),
}
LATER = {'supportsAppend'}  # another test's


class Flags(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.owner = cls.server.add_user('owner')
        parts = {'layers': [layer(0, 'Points', 'Point', (('name', 'String'), ('n', 'Integer')), hasAttachments=True, relationships=[moving.related(0, 1, 'Origin', 'n')])],
                 'tables': [layer(1, 'Notes', None, (('n', 'Integer'), ('code', 'Integer')), relationships=[moving.related(0, 0, 'Destination', 'n')])]}
        _, cls.service = cls.owner.service('flags', None, parts)
        cls.url = cls.service + '/0'
        cls.owner.add_features(cls.url, [{'attributes': {'name': name, 'n': n}, 'geometry': {'x': x, 'y': 2, 'spatialReference': {'wkid': 4326}}} for name, n, x in (('a', 1, 1), ('a', 2, 1.5), ('b', 3, 50))])
        cls.owner.add_features(cls.service + '/1', [{'attributes': {'n': 1, 'code': code}} for code in (10, 11, 12)])
        for text in (b'one', b'two'):
            cls.owner.call(f'{cls.url}/1/addAttachment', files=[('attachment', ('x.txt', text))])
        cls.upload = cls.owner.call(cls.service + '/uploads/upload', files=[('file', ('u.txt', b'u'))])['item']['itemID']

    def try_all(self, flags, table):
        self.assertEqual({k for k, v in flags.items() if k.startswith('supports') and isinstance(v, bool)} - LATER - set(table), set())
        for name, row in table.items():
            if row is None:
                self.assertFalse(flags[name] and name != 'supportsFieldDescriptionProperty', name)
                continue
            operation, fields, check = row
            base = self.service if operation.startswith('/') else self.url + '/'
            fields = json.loads(json.dumps(fields).replace('{upload}', self.upload))
            with self.subTest(flag=name):
                self.assertEqual(flags[name], check is not None)
                if check:
                    answer = self.owner.call(base + operation, **fields)
                    self.assertTrue(check(answer), answer)
                else:
                    status, _, data = self.owner.raw(base + operation, dict(fields, f='json'))
                    self.assertTrue(status >= 400 or 'error' in json.loads(data), data[:300])

    def test_of_queries(self):
        self.try_all(self.owner.call(self.url)['advancedQueryCapabilities'], QUERY)

    def test_of_layers(self):
        self.try_all(self.owner.call(self.url), LAYER)

    def test_spatial_relations(self):
        for relation in self.owner.call(self.url)['supportedSpatialRelationships']:
            fields = {'relationParam': 'FFFTTT***'} if relation.endswith('RelRelation') else {}
            self.assertIn('count', self.owner.call(self.url + '/query', geometry='0,1,2,3', spatialRel=relation, returnCountOnly='true', **fields), relation)

    def test_what_is_not_there_is_refused(self):
        for operation, fields in (('query', dict(ALL, historicMoment=1)), ('query', dict(ALL, gdbVersion='x')), ('query', dict(ALL, sqlFormat='native')), ('queryRelatedRecords', {'objectIds': '1', 'relationshipId': 0, 'historicMoment': 1}),
                                  ('queryAttachments', {'objectIds': '1', 'orderByFields': 'name'}), ('queryAttachments', {'objectIds': '1', 'attachmentsDefinitionExpression': '1=1'}), ('queryAttachments', {'objectIds': '1', 'returnMetadata': 'true'})):
            self.assertIn('not supported' if 'sqlFormat' not in fields else 'standard', str(self.owner.error(f'{self.url}/{operation}', **fields)), fields)
        self.assertFalse(self.owner.call(self.url)['archivingInfo']['supportsQueryWithHistoricMoment'])

    def test_attachments_by_parent_and_size(self):
        guids = {f['attributes']['OBJECTID']: f['attributes']['GlobalID'] for f in self.owner.call(self.url + '/query', outFields='*', **ALL)['features']}
        self.owner.call(f'{self.url}/2/addAttachment', files=[('attachment', ('y.txt', b'longer'))], keywords='a, B')

        def found(**fields):
            return {g['parentObjectId']: len(g['attachmentInfos']) for g in self.owner.call(self.url + '/queryAttachments', **fields)['attachmentGroups']}
        self.assertEqual(found(globalIds=guids[2]), {2: 1})
        self.assertEqual(found(globalIds=f'{guids[2]},{guids[3]}', definitionExpression='n = 3'), {})
        self.assertEqual((found(size='6,10'), found(keywords='b'), found(globalIds=guids[2], size='5')), ({2: 1}, {2: 1}, {}))
        for fields in ({'globalIds': 'x'}, {'size': '1,2,3'}, {'size': 'x'}):
            self.assertEqual(self.owner.error(self.url + '/queryAttachments', **fields)['code'], 400, fields)


if __name__ == '__main__':
    moving.main()
