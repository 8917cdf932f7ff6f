#!/usr/bin/env python3
"""Queries of hosted layers from outside: what they find, what they refuse, and the forms in which answers come."""
import json
import math
import shutil
import subprocess
import threading
import time
import unittest
import urllib.parse

from moving import Server, layer, main

POLYGON = 'esriGeometryPolygon'


PLACES = [  # name, n, x, y: on a line through the middle of the earth, and one far away
    ('Ärger', 1, 0, 0), ('bee', 2, 1, 1), ("c'est", 3, 2, 2), ('d%_\\', 4, 10, 10), (None, None, 179.99, 0)]
AREAS = [  # name, ring
    ('unit', [[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]]),
    ('beside', [[1, 0], [1, 1], [2, 1], [2, 0], [1, 0]]),
    ('around', [[-5, -5], [-5, 5], [5, 5], [5, -5], [-5, -5]]),
    ('apart', [[50, 50], [50, 51], [51, 51], [51, 50], [50, 50]]),
]
LINES = [('across', [[-1, 0.5], [3, 0.5]]), ('inside', [[0.2, 0.2], [0.8, 0.8]]), ('edge', [[0, 0], [0, 1]])]


class Queries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.person = cls.server.sign_in()
        fields = (('name', 'String'), ('n', 'Integer'), ('day', 'Date'))
        cls.url = cls.person.service('Asked', definition={'layers': [
            layer(0, 'Places', 'Point', fields),
            layer(1, 'Areas', 'Polygon', fields),
            layer(2, 'Lines', 'Polyline', fields)],
            'tables': [layer(3, 'Notes', None, (('note', 'String'),))]})[1]
        day = 86400000
        cls.person.add_features(cls.url + '/0', [
            {'attributes': {'name': name, 'n': n, 'day': None if n is None else n * day}, 'geometry': {'x': x, 'y': y}} for name, n, x, y in PLACES])
        cls.person.add_features(cls.url + '/1', [{'attributes': {'name': name}, 'geometry': {'rings': [ring]}} for name, ring in AREAS])
        cls.person.add_features(cls.url + '/2', [{'attributes': {'name': name}, 'geometry': {'paths': [path]}} for name, path in LINES])
        cls.person.add_features(cls.url + '/3', [{'attributes': {'note': 'one'}}, {'attributes': {'note': 'two'}}])

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def query(self, number, **fields):
        return self.person.call(f'{self.url}/{number}/query', **fields)

    def names(self, number, **fields):
        answer = self.query(number, outFields='name', returnGeometry='false', **fields)
        return [f['attributes']['name'] for f in answer['features']]

    def refused(self, number, **fields):
        error = self.person.error(f'{self.url}/{number}/query', **fields)
        self.assertEqual(error['code'], 400, error)
        return error

    # ---- where ----

    def test_where_finds(self):
        for where, found in {
                "UPPER(name) = 'ÄRGER'": ['Ärger'],
                "name = 'c''est'": ["c'est"],
                "name LIKE 'd!%!_%' ESCAPE '!'": ['d%_\\'],
                "name = N'bee' OR n IN (1, 4)": ['Ärger', 'bee', 'd%_\\'],
                "EXTRACT(DAY FROM day) = 3": ['bee'],
                "day BETWEEN DATE '1970-01-02' AND TIMESTAMP '1970-01-03 00:00:00'": ['Ärger', 'bee'],
                "day < CURRENT_TIMESTAMP - INTERVAL '1' DAY AND MOD(n, 2) = 0": ['bee', 'd%_\\'],
                "CASE WHEN n > 2 THEN 'many' ELSE 'few' END = 'many'": ["c'est", 'd%_\\'],
                "CAST(n AS VARCHAR(5)) = '4' AND POSITION('%' IN name) = 2": ['d%_\\'],
                "COALESCE(name, 'none') = 'none'": [None]}.items():
            with self.subTest(where):
                self.assertEqual(self.names(0, where=where), found)

    def test_injections_reach_nothing(self):
        before = self.query(0, where='1=1', returnCountOnly='true')['count']
        for where in (
                "1=1; DROP TABLE l0_", "1=1 --", "1=1 /* */", "n = 1 UNION SELECT 1", "n = (SELECT 1)", "EXISTS (SELECT 1)", "'; DROP TABLE l0_; --",
                "n IN (SELECT rowid FROM sqlite_master)", "load_extension('x') = 1", "randomblob(1000000000) IS NULL", "zeroblob(1) = 1", "n = 1 OR 1=1 --",
                "n = 1; ATTACH DATABASE 'x' AS y", "readfile('/etc/passwd') = ''", "writefile('x', 'y') = 1", "pg_sleep(10) IS NULL", "SLEEP(10) = 0",
                "name = '' OR ''='' OR name = \"", "name = 'a' COLLATE nocase", "1 = 1 LIMIT 1", "1=1 ORDER BY 1", "n = @@version", "n = ?1", "n = :n", "n = $n",
                "n GLOB '*'", "n MATCH 'x'", "n REGEXP 'x'", "name = x'41'", "n = 0x1F", "CAST(name AS BLOB) = 'x'", "rowid = 1", "sqlite_version() = '3'",
                "n = 1 AND (SELECT COUNT(*) FROM gpkg_contents) > 0", "WAITFOR DELAY '0:0:5'", "xp_cmdshell('dir') = 1", "n = CHAR(49)", "n;n = 1",
                "name = '\\' OR 1=1 --'", "name LIKE '%' ESCAPE '' OR 1=1", "date_shift(day, 1, 1) = day", "geometry_relates(Shape, 1) = 1", "n = ALL (1)",
                "[name] = 'x'", "`name` = 'x'", "\"sqlite_master\".\"name\" = 'x'", "l0_.n = 1", "n = 1\x00 OR 1=1"):
            with self.subTest(where):
                self.refused(0, where=where)
        self.assertEqual(self.names(0, where="name = '' OR ''=''"), [p[0] for p in PLACES])  # a condition like any other
        count = {'where': '1=1', 'outStatistics': '[{"statisticType":"count","onStatisticField":"n","outStatisticFieldName":"c"}]'}
        for fields in ({'orderByFields': 'n; DROP TABLE l0_'}, {'outFields': '(SELECT 1)'}, {'objectIds': '(SELECT 1)'}, {**count, 'groupByFieldsForStatistics': '(SELECT 1)'},
                       {**count, 'having': 'COUNT(*) > (SELECT 1)'}, {**count, 'having': 'n = 1'}, {**count, 'orderByFields': 'c; SELECT 1'},
                       {'outStatistics': '[{"statisticType":"count(*) FROM sqlite_master --","onStatisticField":"n"}]'},
                       {'outStatistics': '[{"statisticType":"sum","onStatisticField":"(SELECT 1)"}]'}):
            with self.subTest(fields):
                self.refused(0, **{'where': '1=1', **fields})
        odd = 'c" FROM sqlite_master; --'  # a name is a name
        answer = self.query(0, where='1=1', outStatistics=json.dumps([{'statisticType': 'count', 'onStatisticField': 'n', 'outStatisticFieldName': odd}]))
        self.assertEqual(answer['features'], [{'attributes': {odd: 4}}])
        self.assertEqual(self.query(0, where='1=1', returnCountOnly='true')['count'], before)

    def test_limits_of_clauses(self):
        for where in (' OR '.join(['n = 1'] * 6000), '(' * 200 + 'n = 1' + ')' * 200, 'n IN (' + ','.join(['1'] * 20000) + ')', 'n = 1' + ' ' * 70000):
            self.assertIn('where', self.refused(0, where=where)['details'][0])

    # ---- geometry ----

    def spatial(self, number, geometry, kind, **fields):
        return self.names(number, geometry=json.dumps(geometry) if not isinstance(geometry, str) else geometry, geometryType=kind, **fields)

    def test_every_relation(self):
        unit = {'rings': [[[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]]]}
        half = {'rings': [[[0.5, 0.25], [0.5, 0.75], [1.5, 0.75], [1.5, 0.25], [0.5, 0.25]]]}
        for number, geometry, relation, found in (
                (1, unit, 'Intersects', ['unit', 'beside', 'around']),
                (1, unit, 'EnvelopeIntersects', ['unit', 'beside', 'around']),
                (1, unit, 'IndexIntersects', ['unit', 'beside', 'around']),
                (1, unit, 'Touches', ['beside']),
                (1, unit, 'Contains', ['unit']),
                (1, unit, 'Within', ['unit', 'around']),
                (1, unit, 'Disjoint', ['apart']),
                (1, half, 'Overlaps', ['unit', 'beside']),
                (1, half, 'Contains', []),
                (2, unit, 'Crosses', ['across']),
                (2, unit, 'Contains', ['inside']),
                (2, unit, 'Touches', ['edge']),
                (0, unit, 'Intersects', ['Ärger', 'bee']),
                (0, {'rings': [[[-1, -1], [-1, 3], [3, 3], [3, -1], [-1, -1]], [[0.5, 0.5], [1.5, 0.5], [1.5, 1.5], [0.5, 1.5], [0.5, 0.5]]]},
                 'Intersects', ['Ärger', "c'est"])):
            with self.subTest(f'{number} {relation}'):
                self.assertEqual(self.spatial(number, geometry, POLYGON, spatialRel='esriSpatialRel' + relation), found)
        for number, geometry, kind, found in (
                (1, {'x': 0.5, 'y': 0.5}, 'esriGeometryPoint', ['unit', 'around']),
                (1, '0.5,0.5', 'esriGeometryPoint', ['unit', 'around']),
                (1, {'points': [[0.5, 0.5], [50.5, 50.5]]}, 'esriGeometryMultipoint', ['unit', 'around', 'apart']),
                (1, {'paths': [[[-3, 0.5], [0.5, 0.5]]]}, 'esriGeometryPolyline', ['unit', 'around']),
                (1, '1.5,0.5,60,60', 'esriGeometryEnvelope', ['beside', 'around', 'apart']),
                (2, '0.5,0.5,0.5,0.5', 'esriGeometryEnvelope', ['across', 'inside'])):
            with self.subTest(kind):
                self.assertEqual(self.spatial(number, geometry, kind), found)

    def test_relations_of_envelopes(self):
        self.assertEqual(self.spatial(1, '-1,-1,3,3', 'esriGeometryEnvelope', spatialRel='esriSpatialRelContains'), ['unit', 'beside'])
        self.assertEqual(self.spatial(1, '0.25,0.25,0.75,0.75', 'esriGeometryEnvelope', spatialRel='esriSpatialRelWithin'), ['unit', 'around'])

    def test_relation_by_matrix(self):
        unit = {'rings': [[[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]]]}
        for matrix, found in {'T********': ['unit', 'around'], 'FF*FF****': ['apart'], 'T*F**FFF*': ['unit'], 'F***1****': ['beside']}.items():
            with self.subTest(matrix):
                self.assertEqual(self.spatial(1, unit, POLYGON, spatialRel='esriSpatialRelRelation', relationParam=matrix), found)
        for matrix in ('', 'T', 'TTTTTTTTX', "RELATE"):
            self.refused(1, geometry=json.dumps(unit), geometryType=POLYGON, spatialRel='esriSpatialRelRelation', relationParam=matrix)

    def test_distance_is_along_the_earth(self):
        degree = math.radians(1) * 6378137  # along the equator
        for distance, units, found in (
                (1.1 * degree, 'esriSRUnit_Meter', ['unit', 'around']),
                (0.9, 'esriSRUnit_Kilometer', ['around']),
                (150, 'esriSRUnit_NauticalMile', ['unit', 'beside', 'around'])):
            self.assertEqual(self.spatial(1, {'x': -1, 'y': 0.5}, 'esriGeometryPoint', distance=distance, units=units), found)
        sixty_one_miles = {'distance': 61 * 1.15, 'units': 'esriSRUnit_StatuteMile'}
        self.assertEqual(self.spatial(0, {'x': -1, 'y': 0}, 'esriGeometryPoint', **sixty_one_miles), ['Ärger'])
        self.assertEqual(self.spatial(0, {'x': -111319.49, 'y': 0}, 'esriGeometryPoint', inSR=3857, **sixty_one_miles), ['Ärger'])
        for x in (-179.9, 179.5):  # over the antimeridian
            self.assertEqual(self.spatial(0, {'x': x, 'y': 0}, 'esriGeometryPoint', distance=60000), [None])
        self.assertEqual(self.spatial(0, {'x': 30, 'y': 89}, 'esriGeometryPoint', distance=8900000, where='n = 4'), ['d%_\\'])  # around the pole
        self.refused(0, geometry='0,0', geometryType='esriGeometryPoint', distance='-1')
        self.refused(0, geometry='0,0', geometryType='esriGeometryPoint', distance='1', units='parsec')
        self.refused(0, geometry='0,0', geometryType='esriGeometryPoint', distance='1e9')
        line = json.dumps({'paths': [[[i / 1000, i % 2] for i in range(501)]]})
        self.assertIn('too many for a distance', self.refused(0, geometry=line, geometryType='esriGeometryPolyline', distance='100000')['details'][0])

    def test_spatial_references(self):
        one = 111319.49079327358
        self.assertEqual(self.spatial(1, f'{1.5 * one},{0.5 * one}', 'esriGeometryPoint', inSR=102100), ['beside', 'around'])
        world = {'rings': [[[-180, -90], [-180, 90], [180, 90], [180, -90], [-180, -90]]], 'spatialReference': {'wkid': 4326}}
        self.assertEqual(len(self.spatial(1, world, POLYGON)), len(AREAS))

    def test_bad_geometry_is_refused(self):
        for geometry, kind in (('1,2,3', ''), ('x', ''), ('{"rings":[]}', POLYGON), ('{"rings":[[[0,0],[1,1]]]}', 'esriGeometryHexagon'), ('{"x":"a"}', 'esriGeometryPoint'),
                               ('{"rings":[[[0,0],["NaN",1],[1,1]]]}', POLYGON), ('1,2', 'esriGeometryEnvelope'), ('{"xmin":1}', '')):
            with self.subTest(geometry):
                self.refused(1, geometry=geometry, geometryType=kind)
        self.refused(1, geometry='0,0,1,1', spatialRel='esriSpatialRelNear')
        self.refused(1, geometry='0,0,1,1', inSR='999999')

    def test_self_crossing_rings_are_understood(self):
        bow = {'rings': [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
        self.assertEqual(self.spatial(1, bow, POLYGON), ['unit', 'beside', 'around'])

    # ---- statistics ----

    def statistics(self, number, *wanted, **fields):
        """wanted: (type, field, name[, parameters])"""
        out = [{'statisticType': w[0], 'onStatisticField': w[1], 'outStatisticFieldName': w[2], **({'statisticParameters': w[3]} if len(w) > 3 else {})} for w in wanted]
        return self.query(number, **{'where': '1=1', **fields}, outStatistics=json.dumps(out))

    def test_every_statistic(self):
        answer = self.statistics(0, ('count', 'n', 'count'), ('sum', 'n', 'sum'), ('min', 'n', 'min'), ('max', 'n', 'max'), ('avg', 'n', 'avg'), ('stddev', 'n', 'stddev'),
                                 ('var', 'n', 'var'), ('percentile_cont', 'n', 'cont', {'value': 0.25}), ('percentile_disc', 'n', 'disc', {'value': 0.9, 'orderBy': 'DESC'}),
                                 ('max', 'day', 'day'), ('min', 'name', 'name'), ('sum', 'n * 10', 'ten'), ('count', '*', 'rows'))
        found = answer['features'][0]['attributes']
        self.assertAlmostEqual(found.pop('stddev'), math.sqrt(5 / 3))
        self.assertAlmostEqual(found.pop('var'), 5 / 3)
        self.assertEqual(found, {'count': 4, 'sum': 10, 'min': 1, 'max': 4, 'avg': 2.5, 'cont': 1.75, 'disc': 1, 'day': 4 * 86400000, 'name': 'bee', 'ten': 100, 'rows': 5})
        self.assertEqual({f['name']: f['type'][13:] for f in answer['fields']}, {
            'count': 'Integer', 'sum': 'Double', 'min': 'Integer', 'max': 'Integer', 'avg': 'Double', 'stddev': 'Double', 'var': 'Double', 'cont': 'Double', 'disc': 'Double',
            'day': 'Date', 'name': 'String', 'ten': 'Double', 'rows': 'Integer'})
        nothing = self.statistics(0, ('count', 'n', 'c'), ('sum', 'n', 's'), ('stddev', 'n', 'd'), ('percentile_cont', 'n', 'p', {'value': 0.5}), where='1=0')
        self.assertEqual(nothing['features'], [{'attributes': {'c': 0, 's': None, 'd': None, 'p': None}}])

    def test_groups(self):
        count = ('count', '*', 'c')
        groups = self.statistics(0, count, groupByFieldsForStatistics="CASE WHEN MOD(n, 2) = 0 THEN 'even' WHEN n IS NULL THEN NULL ELSE 'odd' END")
        self.assertEqual([list(f['attributes'].values()) for f in groups['features']], [['even', 2], ['odd', 2], [None, 1]])
        groups = self.statistics(1, count, groupByFieldsForStatistics='name', orderByFields='c DESC, name DESC', resultRecordCount=2)
        self.assertEqual([f['attributes']['name'] for f in groups['features']], ['unit', 'beside'])
        self.assertTrue(groups['exceededTransferLimit'])
        groups = self.statistics(1, count, groupByFieldsForStatistics='name', resultRecordCount=2, resultOffset=2)
        self.assertEqual([f['attributes']['name'] for f in groups['features']], ['beside', 'unit'])
        self.assertNotIn('exceededTransferLimit', groups)
        self.assertEqual(self.statistics(1, count, groupByFieldsForStatistics='name', returnCountOnly='true'), {'count': 4})
        groups = self.statistics(0, ('sum', 'n', 'total'), groupByFieldsForStatistics='MOD(n, 2)', having="SUM(n) > 4 AND total < 100 AND COUNT(*) = 2")
        self.assertEqual([f['attributes']['total'] for f in groups['features']], [6])

    def test_geometry_of_groups(self):
        answer = self.statistics(1, ('EnvelopeAggregate', 'OBJECTID', 'box'), ('CentroidAggregate', 'OBJECTID', 'middle'), ('ConvexHullAggregate', 'OBJECTID', 'hull'), where="name <> 'apart'")
        shapes = answer['features'][0]['aggregateGeometries']
        self.assertEqual([shapes['box'][k] for k in ('xmin', 'ymin', 'xmax', 'ymax')], [-5, -5, 5, 5])
        self.assertAlmostEqual(shapes['middle']['x'], 2 / 3)
        self.assertEqual(shapes['hull']['rings'], [[[-5, -5], [-5, 5], [5, 5], [5, -5], [-5, -5]]])
        self.assertEqual(shapes['hull']['spatialReference'], {'wkid': 4326, 'latestWkid': 4326})

    def test_bad_statistics_are_refused(self):
        for wanted in ('', '[]', '{}', '[{"statisticType":"mode","onStatisticField":"n"}]', '[{"statisticType":"sum","onStatisticField":"name"}]',
                       '[{"statisticType":"sum","onStatisticField":"nope"}]', '[{"statisticType":"percentile_cont","onStatisticField":"n"}]',
                       '[{"statisticType":"percentile_cont","onStatisticField":"n","statisticParameters":{"value":2}}]',
                       '[{"statisticType":"sum","onStatisticField":"n","outStatisticFieldName":"a"},{"statisticType":"avg","onStatisticField":"n","outStatisticFieldName":"A"}]'):
            with self.subTest(wanted):
                self.refused(0, where='1=1', outStatistics=wanted, groupByFieldsForStatistics='n')
        self.refused(3, where='1=1', outStatistics='[{"statisticType":"EnvelopeAggregate","onStatisticField":"note"}]')

    # ---- forms of answers ----

    def test_quantized(self):
        extent = {'xmin': -5, 'ymin': -5, 'xmax': 5, 'ymax': 5, 'spatialReference': {'wkid': 4326}}
        grid = {'mode': 'view', 'originPosition': 'upperLeft', 'tolerance': 0.5, 'extent': extent}
        answer = self.query(1, where="name = 'unit'", quantizationParameters=json.dumps(grid), returnCentroid='true')
        self.assertEqual(answer['transform'], {'originPosition': 'upperLeft', 'scale': [0.5, 0.5], 'translate': [-5, 5]})
        self.assertEqual(answer['features'][0]['geometry'], {'rings': [[[10, 10], [0, -2], [2, 0], [0, 2], [-2, 0]]]})
        self.assertEqual(answer['features'][0]['centroid'], {'x': 11, 'y': 9})
        grid.update(originPosition='lowerLeft', tolerance=20)
        self.assertEqual(self.query(1, where="name = 'unit'", quantizationParameters=json.dumps(grid))['features'][0]['geometry'], {'rings': []})  # all in one place
        grid['mode'] = 'edit'
        self.assertEqual(self.query(1, where="name = 'unit'", quantizationParameters=json.dumps(grid))['features'][0]['geometry'], {'rings': [[[0, 0]] * 5]})
        for bad in ('x', '[]', {**grid, 'tolerance': 0}, {**grid, 'mode': 'x'}, {**grid, 'originPosition': 'x'}, {**grid, 'extent': {'xmin': 1}}, {**grid, 'tolerance': 1e-300}):
            with self.subTest(bad):
                self.refused(1, where='1=1', quantizationParameters=bad if isinstance(bad, str) else json.dumps(bad))

    def test_generalized(self):
        self.assertEqual(self.query(1, where="name = 'unit'", maxAllowableOffset=0.1)['features'][0]['geometry']['rings'], [AREAS[0][1]])
        self.assertEqual(len(self.query(1, where="name = 'unit'", maxAllowableOffset=5)['features'][0]['geometry']['rings'][0]), 4)
        self.refused(1, where='1=1', maxAllowableOffset=-1)

    def test_distinct_ids_and_extents(self):
        self.assertEqual(self.query(0, where='n < 3', returnUniqueIdsOnly='true')['uniqueIds'], [1, 2])
        self.assertEqual(self.query(0, uniqueIds='1,3', returnIdsOnly='true')['objectIds'], [1, 3])
        distinct = self.query(0, where='1=1', outFields='name', returnDistinctValues='true', orderByFields='name DESC', resultRecordCount=2)
        self.assertEqual([f['attributes']['name'] for f in distinct['features']], [None, 'Ärger'])
        self.assertTrue(distinct['exceededTransferLimit'])
        box = self.query(1, where='1=1', returnEnvelope='true', returnGeometry='false')['features'][1]
        self.assertEqual(box['envelope'], {'xmin': 1, 'ymin': 0, 'xmax': 2, 'ymax': 1})
        self.assertNotIn('geometry', box)
        tile = {'where': '1=1', 'resultType': 'tile', 'returnExceededLimitFeatures': 'false'}
        self.assertEqual(self.query(0, **tile, resultRecordCount=2)['features'], [])
        self.assertEqual(len(self.query(0, **tile)['features']), len(PLACES))
        self.refused(0, where='1=1', resultType='mosaic')
        self.refused(0, where='1=1', sqlFormat='native')
        self.refused(0, where='1=1', outFields='n * 2 AS m')

    def test_layers_without_time_refuse_it(self):
        self.refused(0, time='0,86400000')

    # ---- services ----

    def test_queries_of_a_service(self):
        path = self.url + '/query'
        for definitions in ({'0': 'n = 1', '3': "note = 'two'"}, "0:n = 1;3:note = 'two'", [{'layerId': 0, 'where': 'n = 1', 'outFields': 'name'}, {'layerId': 3, 'where': "note = 'two'"}]):
            text = definitions if isinstance(definitions, str) else json.dumps(definitions)
            layers = self.person.call(path, layerDefs=text)['layers']
            self.assertEqual([(one['id'], len(one['features'])) for one in layers], [(0, 1), (3, 1)])
            self.assertEqual(layers[0]['features'][0]['attributes']['name'], 'Ärger')
        self.assertEqual(self.person.call(path, layerDefs='{"0":"","1":"1=1"}', returnCountOnly='true')['layers'], [{'id': 0, 'count': 5}, {'id': 1, 'count': 4}])
        self.assertEqual(self.person.call(path, layerDefs='{"0":"n < 3"}', returnIdsOnly='true')['layers'][0]['objectIds'], [1, 2])
        for bad in ('', '0', 'x:1=1', '{"9":"1=1"}', '{"0":"nope = 1"}', '[{"where":"1=1"}]', '7', '{"x":""}'):
            with self.subTest(bad):
                self.assertEqual(self.person.error(path, layerDefs=bad)['code'], 400)

    def test_validate_sql(self):
        path = self.url + '/0/validateSQL'
        self.assertEqual(self.person.call(path, sql='n = 1'), {'isValidSQL': True, 'validationErrors': []})
        self.assertTrue(self.person.call(path, sql='n * 2', sqlType='expression')['isValidSQL'])
        answer = self.person.call(path, sql='n = 1; DROP TABLE x')
        self.assertFalse(answer['isValidSQL'])
        self.assertIn('expected AND, OR or the end', answer['validationErrors'][0]['description'])
        self.assertEqual(self.person.error(path, sql='SELECT 1', sqlType='statement')['code'], 400)

    # ---- other people's programs ----

    @unittest.skipUnless(shutil.which('ogrinfo'), 'needs gdal-bin')
    def test_gdal_reads_all_pages(self):
        item, url = self.person.service('Paged', definition={'layers': [layer(0, 'Many', 'Point', (('n', 'Integer'), ('name', 'String')), maxRecordCount=100)]})
        self.person.add_features(url + '/0', [{'attributes': {'n': i, 'name': f'ä{i}'}, 'geometry': {'x': i / 10, 'y': -i / 10}} for i in range(250)])
        self.person.call(f'/sharing/rest/content/items/{item}/share', everyone='true')
        for where, count in (('1=1', 250), ("name LIKE 'ä1%' AND MOD(n, 2) = 0", 55)):
            query = urllib.parse.urlencode({'where': where, 'outFields': '*', 'f': 'json', 'orderByFields': 'OBJECTID'})
            done = subprocess.run(['ogrinfo', '-al', '-so', f'ESRIJSON:{self.server.url}{url}/0/query?{query}'], capture_output=True, text=True, timeout=120, check=True)
            self.assertIn(f'Feature Count: {count}', done.stdout)
            self.assertIn('n: Integer', done.stdout)


class Time(unittest.TestCase):
    """Layers that know when their features are, and queries that take too long."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(**{'features.maxQuerySeconds': '1'})
        cls.person = cls.server.sign_in()
        fields = (('a', 'Date'), ('b', 'Date'), ('n', 'Integer'))
        cls.url = cls.person.service('Timed', definition={'layers': [
            layer(0, 'Spans', 'Point', fields, timeInfo={'startTimeField': 'a', 'endTimeField': 'b'}), layer(1, 'Moments', 'Point', fields, timeInfo={'startTimeField': 'a', 'endTimeField': None}),
            layer(2, 'Areas', 'Polygon', fields)]})[1]
        cls.person.add_features(cls.url + '/0', [{'attributes': {'a': a, 'b': b}} for a, b in ((0, 100), (100, 200), (300, 400), (None, None))])
        cls.person.add_features(cls.url + '/1', [{'attributes': {'a': a}} for a in (0, 100, 200)])

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def test_time(self):
        for number, text, found in ((0, '150', [2]), (0, '100', [1, 2]), (0, '150,350', [2, 3]), (0, 'null,50', [1]), (0, '250,null', [3]), (0, 'null,null', [1, 2, 3, 4]),
                                    (1, '100', [2]), (1, '50,150', [2]), (1, '50, null', [2, 3])):
            with self.subTest(f'{number} {text}'):
                self.assertEqual(self.person.call(f'{self.url}/{number}/query', time=text, returnIdsOnly='true')['objectIds'], found)
        self.assertEqual(self.person.call(self.url + '/1/query', time='50,150', where='n IS NULL', returnCountOnly='true')['count'], 1)
        for text in ('x', '1,2,3', '1,x', ','):
            self.assertEqual(self.person.error(self.url + '/1/query', time=text)['code'], 400)

    def test_a_runaway_query_meets_its_end_while_others_are_answered(self):
        ring = [[math.cos(t / 300 * math.pi) * (1 + t % 2 / 10), math.sin(t / 300 * math.pi) * (1 + t % 2 / 10)] for t in range(600)]
        filter_ring = [[x * 1.001 + 0.001, y * 1.001] for x, y in ring]
        runaway = dict(geometry=json.dumps({'rings': [filter_ring]}), geometryType=POLYGON, spatialRel='esriSpatialRelRelation', relationParam='T*T***T**', returnCountOnly='true')
        def add(pages):
            for _ in range(pages):
                self.person.add_features(self.url + '/2', [{'attributes': {'n': i}, 'geometry': {'rings': [ring]}} for i in range(150)])

        pages, ends = 1, False
        while not ends and pages < 128:  # how many features take longer than the limit is a matter of the machine
            add(pages)
            ends = b'"error"' in self.person.raw(self.url + '/2/query', dict(runaway, f='json'))[2]
            pages *= 2
        add(pages)  # so that no luck brings it to an end in time
        answers, slow = [], threading.Thread(target=lambda: answers.append(self.person.error(self.url + '/2/query', **runaway)))
        start = time.monotonic()
        slow.start()
        quick = [self.person.call(self.url + '/1/query', where='1=1', returnCountOnly='true')['count'] for _ in range(20)]
        slow.join(60)
        self.assertLess(time.monotonic() - start, 30)
        self.assertEqual(quick, [3] * 20)
        self.assertEqual(answers[0]['code'], 400)
        self.assertIn('longer than 1 seconds', answers[0]['details'][0])


if __name__ == '__main__':
    main()
