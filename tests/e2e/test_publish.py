#!/usr/bin/env python3
"""Files published as hosted layers: every format, publishParameters, encodings, overwriting."""
import contextlib
import json
import os
import shutil
import sqlite3
import unittest

import moving
from moving import Server, path_of
from publishing import SAMPLES, add_file, archive, ogr2ogr, publish_item, published, refused, status_of

CITIES = os.path.join(SAMPLES, 'cities.gpkg')
LINES = os.path.join(SAMPLES, 'rivers.zip')


def types(layer):
    return {f['name']: f['type'][len('esriFieldType'):] for f in layer['fields']}


class Publishing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.admin = cls.server.sign_in()

    def layer(self, url, index=0):
        return self.admin.call(f'{url}/{index}')

    def rows(self, url, index=0, **fields):
        return [f['attributes'] for f in self.admin.features(f'{url}/{index}', **fields)]


class Csv(Publishing):
    def csv(self, text, parameters=None, encoding='utf-8'):
        return published(self.admin, 'csv', text if isinstance(text, bytes) else text.encode(encoding), parameters)

    def test_points_types_and_nulls(self):
        url = self.csv('Name,Latitude,Longitude,n,big,d,day,at,code\n"A, ""b""",10.5,-20,1,9007199254740993,0.1,2024-02-29,2024-02-29 01:02:03,007\n,,,,,,,,\n"two\nlines",1,2,-3,1,1e3,2023-12-31,2023-01-01T00:00:00Z,1\n')
        layer = self.layer(url)
        self.assertEqual(types(layer), {'OBJECTID': 'OID', 'Name': 'String', 'Latitude': 'Double', 'Longitude': 'Double', 'n': 'Integer', 'big': 'BigInteger', 'd': 'Double',
                                        'day': 'DateOnly', 'at': 'Date', 'code': 'String'})
        self.assertEqual((layer['geometryType'], layer['extent']['spatialReference']['latestWkid']), ('esriGeometryPoint', 3857))
        rows = self.rows(url)
        self.assertEqual(rows[0], {'OBJECTID': 1, 'Name': 'A, "b"', 'Latitude': 10.5, 'Longitude': -20, 'n': 1, 'big': 9007199254740993, 'd': 0.1, 'day': '2024-02-29',
                                   'at': 1709168523000, 'code': '007'})
        self.assertEqual(set(rows[1].values()), {2, None})
        self.assertEqual((rows[2]['Name'], rows[2]['d'], rows[2]['code']), ('two\nlines', 1000, '1'))
        point = self.admin.features(url + '/0', outSR='4326')[0]['geometry']
        self.assertAlmostEqual(point['x'], -20, 9)
        self.assertAlmostEqual(point['y'], 10.5, 9)

    def test_encodings(self):
        text = 'Straße,lat,lon\nGrüße €,1,2\n'
        for encoding in ('utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'cp1252'):
            url = self.csv(text.encode(encoding))
            self.assertEqual(self.rows(url)[0]['Straße'], 'Grüße €', encoding)
        latin = 'a\ncaf\xe9 \x80\n'.encode('latin-1')
        self.assertEqual(self.rows(self.csv(latin, {'encoding': 'ISO-8859-1'}))[0]['a'], 'café \x80')
        self.assertIn("encoding 'EBCDIC'", refused(self.admin, 'csv', b'a\n1\n', {'encoding': 'EBCDIC'}))
        self.assertIn('line 2 is no text in the encoding UTF-8', refused(self.admin, 'csv', b'a\n\xff\n', {'encoding': 'utf-8'}))

    def test_separators_quotes_and_decimal_commas(self):
        for separator in ';\t|':
            rows = self.rows(self.csv(separator.join(['breite', 'länge', 'text']) + '\n' + separator.join(['47,5', '8,25', '"a;b|c\td"']) + '\n'))
            self.assertEqual((rows[0]['breite'], rows[0]['länge'], rows[0]['text']), (47.5, 8.25, 'a;b|c\td'))
        rows = self.rows(self.csv("a^b\n'x^y'^2\n", {'columnDelimiter': '^', 'qualifier': "'"}))
        self.assertEqual((rows[0]['a'], rows[0]['b']), ('x^y', 2))
        self.assertEqual(self.rows(self.csv('a,b\r\n1,2\r\n\r\n3,4'))[1]['b'], 4)
        self.assertEqual(self.rows(self.csv('a,b\r1,2\r3,4\r'))[1]['b'], 4)
        self.assertIn('columnDelimiter has to be one character', refused(self.admin, 'csv', b'a\n1\n', {'columnDelimiter': 'ab'}))

    def test_dates_by_the_whole_column(self):
        rows = self.csv('us,eu,dot,iso,time,mixed\n12/31/2024,31/12/2024,1.2.2024,2024/3/4,9:05 PM,2024-01-01\n1/2/2024 3:04 AM,1/2/2024,31.12.2023 23:59:58,2024/12/31,07:08:09,x\n')
        layer, rows = self.layer(rows), self.rows(rows)
        self.assertEqual(types(layer), {'OBJECTID': 'OID', 'us': 'Date', 'eu': 'DateOnly', 'dot': 'Date', 'iso': 'DateOnly', 'F_time': 'TimeOnly', 'mixed': 'String'})
        self.assertEqual((rows[0]['us'], rows[0]['eu'], rows[0]['iso'], rows[0]['F_time']), (1735603200000, '2024-12-31', '2024-03-04', '21:05:00'))
        self.assertEqual((rows[1]['us'], rows[1]['eu'], rows[1]['dot']), (1704164640000, '2024-02-01', 1704067198000))

    def test_location_types(self):
        data = 'lat,lon,north,east\n1,2,10,20\n'
        self.assertEqual(self.layer(self.csv(data, {'locationType': 'none'}))['type'], 'Table')
        url = self.csv(data, {'locationType': 'coordinates', 'latitudeFieldName': 'north', 'longitudeFieldName': 'east', 'targetSR': {'wkid': 4326}})
        self.assertEqual(self.admin.features(url + '/0')[0]['geometry'], {'x': 20, 'y': 10})
        url = self.csv('x,y\n600000,200000\n', {'locationType': 'coordinates', 'latitudeFieldName': 'y', 'longitudeFieldName': 'x', 'sourceSR': {'wkid': 21781}, 'targetSR': {'wkid': 21781}})
        self.assertEqual(self.admin.features(url + '/0')[0]['geometry'], {'x': 600000, 'y': 200000})
        self.assertEqual(self.layer(self.csv('x,y\n600000,200000\n'))['type'], 'Table')
        for parameters, message in (({'locationType': 'address'}, 'geocoder'), ({'locationType': 'moon'}, "locationType 'moon'"),
                                    ({'latitudeFieldName': 'lat'}, 'given together'), ({'latitudeFieldName': 'nope', 'longitudeFieldName': 'lon'}, "no column 'nope'"),
                                    ({'sourceSR': 'moon'}, 'sourceSR'), ({'coordinateFieldType': 'MGRS'}, "'MGRS'")):
            self.assertIn(message, refused(self.admin, 'csv', data.encode(), parameters), parameters)
        self.assertIn('no columns of latitude and longitude', refused(self.admin, 'csv', b'a,b\n1,2\n', {'locationType': 'coordinates'}))

    def test_rows_without_a_place_have_no_geometry(self):
        url = self.csv('lat,lon\n95,1\n90,0\nx,y\n10,20\n', {'latitudeFieldName': 'lat', 'longitudeFieldName': 'lon'})
        self.assertEqual([f.get('geometry') is not None for f in self.admin.features(url + '/0')], [False, False, False, True])

    def test_fields_are_chosen_and_typed(self):
        data = b'id,keep,drop,day\n1,5,x,20240102\n2,6,y,20240103\n'
        info = {'name': 'Chosen', 'fields': [{'name': 'OBJECTID', 'type': 'esriFieldTypeOID'}, {'name': 'id', 'type': 'esriFieldTypeString', 'length': 10, 'alias': 'The id'},
                                             {'name': 'keep', 'type': 'esriFieldTypeDouble'}]}
        url = self.csv(data, {'layerInfo': info, 'description': 'Words', 'copyrightText': '© us', 'maxRecordCount': 7, 'hasStaticData': True, 'capabilities': 'Query,Extract'})
        layer, service = self.layer(url), self.admin.call(url)
        self.assertEqual(types(layer), {'OBJECTID': 'OID', 'id': 'String', 'keep': 'Double'})
        self.assertEqual((layer['name'], layer['fields'][1]['alias'], layer['fields'][1]['length'], layer['maxRecordCount']), ('Chosen', 'The id', 10, 7))
        self.assertEqual((service['description'], service['copyrightText'], service['maxRecordCount'], service['hasStaticData'], service['capabilities']),
                         ('Words', '© us', 7, True, 'Query,Extract'))
        self.assertEqual(self.rows(url)[1], {'OBJECTID': 2, 'id': '2', 'keep': 6})
        for fields, message in (([{'name': 'nope', 'type': 'esriFieldTypeString'}], 'no field nope'), ([{'name': 'id', 'type': 'esriFieldTypeMoon'}], "'esriFieldTypeMoon'"),
                                ([{'name': 'drop', 'type': 'esriFieldTypeInteger'}], "line 2, field drop: 'x' is no esriFieldTypeInteger"),
                                ([{'name': 'drop', 'type': 'esriFieldTypeGlobalID'}], 'cannot become'), ([{}], 'without a name'),
                                ([{'name': 'day', 'type': 'esriFieldTypeString', 'length': 3}], 'too long')):
            self.assertIn(message, refused(self.admin, 'csv', data, {'layerInfo': {'fields': fields}}), fields)

    def test_what_is_no_csv_is_named(self):
        for data, message in ((b'', 'empty'), (b'a,b\n1,2,3\n', 'line 2 has 3 values, but the first line names 2 columns'), (b'a\n"open\n', 'line 2: a quote that is never closed'),
                              (b'a\n"x"y\n', 'line 2: text behind a closing quote'), (b'a\n\0\n', 'line 2 holds a NUL byte'),
                              (b'a\n' + b'x' * (17 << 20), 'line 2: a record of more than 16777216 bytes'), (b','.join(b'c%d' % i for i in range(10001)) + b'\n', 'more than 10000 values')):
            self.assertIn(message, refused(self.admin, 'csv', data), data[:50])
        wide = b','.join(b'c%d' % i for i in range(600)) + b'\n' + b','.join(b'%d' % i for i in range(600)) + b'\n'
        self.assertEqual(len(self.layer(published(self.admin, 'csv', wide))['fields']), 500)


class Formats(Publishing):
    def content(self, url, names):
        """Every attribute of those names with the place, whatever the order is."""
        features = self.admin.features(url + '/0', outSR='4326', resultRecordCount='2000')
        return sorted((tuple(f['attributes'][n] for n in names) + (round(f['geometry']['x'], 6), round(f['geometry']['y'], 6)) for f in features), key=str)

    def test_one_source_in_every_format_is_the_same(self):
        """The fields whose names and types every one of the formats can carry."""
        names = ('geonameid', 'name', 'country_zh', 'pop_max', 'latitude', 'longitude')
        with open(CITIES, 'rb') as f:
            wanted = self.content(published(self.admin, 'geoPackage', f.read()), names)
        self.assertEqual(len(wanted), 243)
        place = {'latitudeFieldName': 'Y', 'longitudeFieldName': 'X'}
        for file_type, driver, suffix, options, parameters in (
                ('geojson', 'GeoJSON', 'geojson', ['-lco', 'COORDINATE_PRECISION=15'], None), ('csv', 'CSV', 'csv', ['-lco', 'GEOMETRY=AS_XY'], place),
                ('fileGeodatabase', 'OpenFileGDB', 'gdb', [], None), ('shapefile', 'ESRI Shapefile', 'shp', ['-lco', 'ENCODING=UTF-8'], None),
                ('kml', 'LIBKML', 'kml', [], None), ('kml', 'LIBKML', 'kmz', [], None)):
            with self.subTest(suffix):
                url = published(self.admin, file_type, ogr2ogr(driver, CITIES, 'cities', suffix, *options), parameters)
                called = [n.replace('name', 'Name') if file_type == 'kml' and n == 'name' else n for n in names]  # an element of its own there
                self.assertEqual(self.content(url, called), wanted)
        sheet = published(self.admin, 'excel', ogr2ogr('XLSX', CITIES, 'cities', 'xlsx'))
        self.assertEqual([c[:-2] for c in self.content(sheet, names)], [c[:-2] for c in wanted])
        for f in self.admin.features(sheet + '/0', outSR='4326', resultRecordCount='2000'):  # a sheet has no geometry but in its columns
            self.assertAlmostEqual(f['geometry']['x'], f['attributes']['longitude'], 5)

    def test_gpx(self):
        data = ogr2ogr('GPX', CITIES, 'cities', 'gpx', '-dsco', 'GPX_USE_EXTENSIONS=YES')
        features = self.admin.features(published(self.admin, 'gpx', data) + '/0', resultRecordCount='2000', outSR='4326')
        self.assertEqual(len(features), 243)
        track = b'<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><name>T</name><trkseg><trkpt lat="1" lon="2"/><trkpt lat="2" lon="3"/></trkseg></trk></gpx>'
        service = self.admin.call(published(self.admin, 'gpx', track))
        self.assertEqual([(l['name'], l['geometryType']) for l in service['layers']], [('tracks', 'esriGeometryPolyline'), ('track_points', 'esriGeometryPoint')])

    def test_a_feature_collection(self):
        """What generate answers is one, and a bare feature set of a query is taken too."""
        with open(CITIES, 'rb') as f:
            url = published(self.admin, 'geoPackage', f.read())
        names = ('geonameid', 'name', 'country_zh', 'pop_max', 'offset_since')
        wanted = self.content(url, names)
        answer = self.admin.call(url + '/0/query', where='1=1', outFields='*', resultRecordCount='2000')
        layers = {'layers': [{'layerDefinition': self.layer(url), 'featureSet': answer}]}
        for collection in (layers, {'featureCollection': layers}, answer):
            item = self.admin.add('Feature Collection', 'A collection', text=collection)
            made, status = publish_item(self.admin, item, 'featureCollection')
            self.assertEqual(status['status'], 'completed', status)
            self.assertEqual(self.content(path_of(made['serviceurl']), names), wanted)
        for collection, message in (({}, 'it has no layers'), ({'layers': [{}]}, 'has no features'), ({'layers': []}, 'holds no layer'),
                                    ({'features': [], 'geometryType': 'esriGeometryMoon', 'fields': []}, 'esriGeometryMoon'),
                                    ({'features': [{'attributes': {'a': 'x'}}], 'fields': [{'name': 'a', 'type': 'esriFieldTypeInteger'}]}, "is no esriFieldTypeInteger"),
                                    ({'features': [{'attributes': {}, 'geometry': {'x': 'y'}}], 'geometryType': 'esriGeometryPoint', 'fields': []}, 'feature 1')):
            item = self.admin.add('Feature Collection', 'A collection', text=collection)
            _, status = publish_item(self.admin, item, 'featureCollection')
            self.assertEqual(status['status'], 'failed')
            self.assertIn(message, status['statusMessage'])

    def test_domains_of_a_geodatabase(self):
        """GDAL makes one of the field domains of a GeoPackage."""
        path = os.path.join(self.server.data, 'domains.gpkg')
        shutil.copy(CITIES, path)
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            db.executescript("""
                CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT, constraint_name TEXT,
                                                CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name));
                CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC,
                                                           max_is_inclusive BOOLEAN, description TEXT);
                INSERT INTO gpkg_extensions VALUES ('gpkg_data_columns', NULL, 'gpkg_schema', 'http://www.geopackage.org/spec121/#extension_schema', 'read-write'),
                                                   ('gpkg_data_column_constraints', NULL, 'gpkg_schema', 'http://www.geopackage.org/spec121/#extension_schema', 'read-write');
                INSERT INTO gpkg_data_columns (table_name, column_name, constraint_name) VALUES ('cities', 'is_capital', 'yes_no'), ('cities', 'rank_max', 'ranks');
                INSERT INTO gpkg_data_column_constraints VALUES ('yes_no', 'enum', '0', NULL, NULL, NULL, NULL, 'No'), ('yes_no', 'enum', '1', NULL, NULL, NULL, NULL, 'Yes'),
                                                                ('ranks', 'range', NULL, 0, 1, 20, 1, NULL);""")
        with open(path, 'rb') as f:
            data = f.read()
        gdb = ogr2ogr('OpenFileGDB', path, 'cities', 'gdb')
        os.unlink(path)
        for file_type, data in (('geoPackage', data), ('fileGeodatabase', gdb)):
            domains = {f['name']: f['domain'] for f in self.layer(published(self.admin, file_type, data))['fields'] if f.get('domain')}
            self.assertEqual(domains['is_capital']['codedValues'], [{'name': 'No', 'code': 0}, {'name': 'Yes', 'code': 1}], file_type)
            self.assertEqual((domains['rank_max']['type'], domains['rank_max']['range']), ('range', [0, 20]), file_type)

    def test_shapefiles_in_code_pages(self):
        for option, text in (('CP1251', 'Москва'), ('CP1252', 'Zürich'), ('ISO-8859-1', 'Málaga'), ('UTF-8', '東京')):
            folder = json.dumps({'type': 'FeatureCollection', 'features': [{'type': 'Feature', 'properties': {'name': text}, 'geometry': {'type': 'Point', 'coordinates': [1, 2]}}]})
            path = os.path.join(self.server.data, 'made.geojson')
            with open(path, 'w', encoding='utf-8') as f:
                f.write(folder)
            data = ogr2ogr('ESRI Shapefile', path, None, 'shp', '-lco', 'ENCODING=' + option)
            os.unlink(path)
            self.assertEqual(self.rows(published(self.admin, 'shapefile', data))[0]['name'], text, option)

    def test_the_wrong_magic_is_named(self):
        for file_type in ('excel', 'kml', 'gpx', 'fileGeodatabase', 'shapefile', 'geoPackage', 'geojson'):
            for data in (b'\0' * 1000, b'GIF89a' + b'x' * 500, b'PK\3\4' + b'\0' * 200, archive({'readme.txt': b'hello'})):
                with self.subTest(file_type, data=data[:8]):
                    self.assertIn('the file could not be read: ', refused(self.admin, file_type, data))


class Overwriting(Publishing):
    def test_url_and_id_stay(self):
        item = add_file(self.admin, 'csv', b'lat,lon,a\n1,2,x\n', 'kept.csv')
        made, status = publish_item(self.admin, item, 'csv', {'name': 'kept'})
        self.assertEqual(status['status'], 'completed')
        url = path_of(made['serviceurl'])
        self.admin.call(self.admin.content(f'items/{item}/update'), files=[('file', ('kept.csv', b'lat,lon,b\n1,2,y\n3,4,z\n'))])
        again, status = publish_item(self.admin, item, 'csv', {'name': 'kept'}, overwrite='true')
        self.assertEqual((status['status'], again['serviceItemId'], again['serviceurl']), ('completed', made['serviceItemId'], made['serviceurl']))
        self.assertEqual([r['b'] for r in self.rows(url)], ['y', 'z'])
        related = self.admin.call(f"/sharing/rest/content/items/{made['serviceItemId']}/relatedItems", relationshipType='Service2Data', direction='forward')
        self.assertEqual([r['id'] for r in related['relatedItems']], [item])
        self.admin.call(self.admin.content(f'items/{item}/update'), files=[('file', ('kept.csv', b'a\n"open\n'))])
        _, status = publish_item(self.admin, item, 'csv', {'name': 'kept'}, overwrite='true')
        self.assertEqual(status['status'], 'failed')
        self.assertEqual([r['b'] for r in self.rows(url)], ['y', 'z'])  # what was there stays

    def test_two_of_one_name(self):
        item = add_file(self.admin, 'csv', b'lat,lon\n1,2\n')
        started = []
        for _ in range(2):
            try:
                started.append(self.admin.call(self.admin.content('publish'), itemId=item, fileType='csv', publishParameters='{"name":"twice"}')['services'][0])
            except moving.RestError as e:
                self.assertIn("'twice' is taken", e.error['details'][0])
        states = [(status_of(self.admin, s), s) for s in started]
        done = [s for state, s in states if state['status'] == 'completed']
        self.assertEqual(len(done), 1, states)
        for state, s in states:
            if s not in done:
                self.assertIn("'twice'", state['statusMessage'])


if __name__ == '__main__':
    moving.main()
