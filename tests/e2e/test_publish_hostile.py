#!/usr/bin/env python3
"""A zoo of broken and hostile files, a few of every format: each fails with a sentence, the portal stays, and nothing is left of it."""
import io
import os
import random
import unittest
import zipfile

import moving
from moving import Server
from publishing import SAMPLES, archive, ogr2ogr, published, refused

CITIES = os.path.join(SAMPLES, 'cities.gpkg')
XML = b'<?xml version="1.0"?>'
LOL = b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">' + b''.join(b'<!ENTITY %c "%s">' % (c, b'&%c;' % (c - 1) * 10) for c in range(98, 112)) + b']>'
OUTSIDE = b'<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def workbook(sheet, more=None):
    """A workbook of one sheet."""
    head = XML.decode()
    files = {'[Content_Types].xml': head + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
             'xl/workbook.xml': head + '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
                                       '<sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>',
             'xl/_rels/workbook.xml.rels': head + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
                                                  'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
             'xl/worksheets/sheet1.xml': sheet}
    files.update(more or {})
    return archive(files)


def bomb(name, size):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z, z.open(name, 'w', force_zip64=True) as f:
        for _ in range(size >> 20):
            f.write(b'\0' * (1 << 20))
    return out.getvalue()


class Zoo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.admin = cls.server.sign_in()

    def all_refused(self, file_type, files):
        for name, data in files.items():
            with self.subTest(file_type, file=name):
                message = refused(self.admin, file_type, data)
                self.assertGreater(len(message), 20)
                self.assertNotIn('root:', message)
                self.assertNotIn('/tmp/', message)
        self.assertIn('id', self.admin.call('/sharing/rest/portals/self'))

    def test_csv(self):
        self.all_refused('csv', {'open quote': b'a,b\n"1,2\n3,4\n', 'nul': b'a\n1\0\n', 'one line': b'x' * (100 << 20), 'ten thousand columns and one': b','.join([b'c'] * 10001) + b'\n',
                                 'ragged': b'a,b\n1,2\n1,2,3\n', 'nothing': b'', 'blank lines': b'\n\n\r\n', 'a mark alone': b'\xef\xbb\xbf'})

    def test_kml(self):
        self.all_refused('kml', {'cut off': ogr2ogr('LIBKML', CITIES, 'cities', 'kml')[:5000], 'not closed': XML + b'<kml><Document><Placemark>', 'no kml': XML + b'<html/>', 'nothing': b'',
                                 'entities': XML + LOL + b'<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>&o;</name><Point><coordinates>1,2</coordinates></Point></Placemark></Document></kml>',
                                 'an empty archive': archive({'doc.txt': b''})})

    def test_an_entity_of_another_file_is_not_followed(self):
        data = XML + OUTSIDE + b'<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>p&x;q</name><Point><coordinates>1,2</coordinates></Point></Placemark></Document></kml>'
        try:
            features = self.admin.features(published(self.admin, 'kml', data) + '/0')
        except AssertionError as e:  # refused: as well
            self.assertNotIn('root:', str(e))
        else:
            self.assertNotIn('root:', str(features))

    def test_gpx(self):
        self.all_refused('gpx', {'cut off': ogr2ogr('GPX', CITIES, 'cities', 'gpx', '-dsco', 'GPX_USE_EXTENSIONS=YES')[:9000], 'nothing in it': XML + b'<gpx version="1.1"></gpx>', 'nothing': b'',
                                 'entities': XML + LOL + b'<gpx version="1.1"><wpt lat="1" lon="2"><name>&o;</name></wpt></gpx>'})

    def test_excel(self):
        sheet = XML + LOL + b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&o;</t></is></c></row></sheetData></worksheet>'
        self.all_refused('excel', {'cut off': ogr2ogr('XLSX', CITIES, 'cities', 'xlsx')[:20000], 'no workbook': archive({'a.xml': b'<a/>'}), 'an old one': b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + b'\0' * 2000,
                                   'entities': workbook(sheet), 'nothing': b''})

    def test_shapefiles(self):
        whole = zipfile.ZipFile(io.BytesIO(ogr2ogr('ESRI Shapefile', CITIES, 'cities', 'shp')))
        parts = {n: whole.read(n) for n in whole.namelist()}
        self.all_refused('shapefile', {'no table of shapes': archive({n: d for n, d in parts.items() if not n.endswith('.shp')}), 'a bomb': bomb('points.shp', 300 << 20),
                                       'cut off': archive({n: d[:len(d) // 2] if n.endswith('.shp') else d for n, d in parts.items()})[:4000],
                                       'a name that leads elsewhere': archive({'../../etc/points.txt': b'x'})})

    def test_geodatabases(self):
        whole = zipfile.ZipFile(io.BytesIO(ogr2ogr('OpenFileGDB', CITIES, 'cities', 'gdb')))
        parts = {n: whole.read(n) for n in whole.namelist()}
        self.all_refused('fileGeodatabase', {'no catalog': archive({n: d for n, d in parts.items() if 'a00000001' not in n}), 'a folder alone': archive({'a.gdb/gdb': b'\5\0\0\0'}),
                                             'a bomb': bomb('a.gdb/a00000001.gdbtable', 300 << 20), 'zeros': archive({n: b'\0' * len(d) for n, d in parts.items()})})

    def test_json(self):
        self.all_refused('geojson', {'cut off': b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":1},"geometry":{"type":"Point","coor', 'deep': b'[' * 100000, 'nothing': b'',
                                     'two kinds': b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1,2]}},{"type":"Feature","properties":{},'
                                                  b'"geometry":{"type":"LineString","coordinates":[[1,2],[3,4]]}}]}'})

    def test_damage_anywhere_is_survived(self):
        """Bytes changed at random: refused or read, never a fall of the portal."""
        made = {'shapefile': ogr2ogr('ESRI Shapefile', CITIES, 'cities', 'shp'), 'geoPackage': moving.read(CITIES), 'excel': ogr2ogr('XLSX', CITIES, 'cities', 'xlsx'),
                'fileGeodatabase': ogr2ogr('OpenFileGDB', CITIES, 'cities', 'gdb')}
        random.seed(5)
        for file_type, data in made.items():
            for _ in range(3):
                damaged = bytearray(data)
                for _ in range(20):
                    damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
                try:
                    published(self.admin, file_type, bytes(damaged))
                except AssertionError as e:
                    self.assertIn('statusMessage', str(e))
        self.assertIn('id', self.admin.call('/sharing/rest/portals/self'))


if __name__ == '__main__':
    moving.main()
