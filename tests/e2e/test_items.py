#!/usr/bin/env python3
"""Items from outside: uploads in parts, and what a client sees of them before, between and after."""
import io
import os
import sys
import unittest
import urllib.parse
import xml.etree.ElementTree
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import RestError, Server, read  # noqa: E402

ITEM = '/sharing/rest/content/items/'


class Items(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.admin = cls.server.sign_in()
        cls.person = cls.server.add_user('ferry')
        cls.other = cls.server.add_user('other')

    def of(self, item, operation):
        return self.person.content(f'items/{item}/{operation}')


class Parts(Items):
    def begin(self, name, **fields):
        return self.person.call(self.person.content('addItem'), multipart='true', filename=name, **fields)['id']

    def part(self, item, number, data):
        answer = self.person.call(self.of(item, 'addPart') + f'?partNum={number}', files=[('file', ('part', data))])
        self.assertEqual(answer, {'success': True, 'id': item})

    def status(self, item):
        return self.person.call(self.of(item, 'status'))['status']

    def test_a_large_file_in_any_order(self):
        chunks = [os.urandom(300_000) for _ in range(5)]
        item = self.begin('Große Daten 東京.zip', type='Shapefile', title='not yet')
        for n in (3, 1, 5, 2):
            self.part(item, n, chunks[n - 1])
        self.assertEqual(self.person.call(self.of(item, 'parts'), method='GET'), {'parts': [1, 2, 3, 5]})
        self.assertEqual(self.status(item), 'partial')
        self.assertEqual(self.person.error(ITEM + item)['messageCode'], 'CONT_0001')
        self.assertEqual(self.person.error(self.of(item, 'commit'), type='Shapefile', title='t')['details'], ['Part 4 is missing.'])
        self.part(item, 4, b'replaced')
        self.part(item, 4, chunks[3])
        self.server.process.kill()  # what was answered is durable
        self.server.process.wait()
        self.server.start()
        self.assertEqual(self.person.call(self.of(item, 'commit'), type='Shapefile', title='A title', tags='a,b'), {'success': True, 'id': item, 'folder': None})
        self.assertEqual(self.status(item), 'completed')
        about = self.person.item(item)
        self.assertEqual((about['name'], about['title'], about['size'], about['tags']), ('Große Daten 東京.zip', 'A title', 1_500_000, ['a', 'b']))
        self.assertEqual(self.person.item_data(item), b''.join(chunks))
        self.assertEqual(self.person.error(self.of(item, 'commit'), type='Shapefile', title='t')['code'], 400)

    def test_new_data_in_parts(self):
        item = self.person.add('CSV', 'A file', file=('in parts.csv', b'a\n1\n'))
        self.assertEqual(self.person.call(self.of(item, 'update'), multipart='true', fileName='other.csv'), {'success': True, 'id': item})
        self.part(item, 1, b'b\n')
        self.part(item, 2, b'2\n')
        self.assertEqual((self.status(item), self.person.item_data(item)), ('partial', b'a\n1\n'))
        self.person.call(self.of(item, 'commit'), snippet='new')
        self.assertEqual(self.person.item_data(item), b'b\n2\n')
        about = self.person.item(item)
        self.assertEqual((about['title'], about['snippet'], about['name']), ('A file', 'new', 'other.csv'))

    def test_what_was_said_at_the_beginning(self):
        """Fields of the first step hold unless the commit says otherwise, also after a restart."""
        item = self.begin('said.csv', type='CSV', title='Said at first', tags='a, b', extent='1,2,3,4', snippet='first')
        self.part(item, 1, b'x')
        self.server.process.kill()
        self.server.process.wait()
        self.server.start()
        self.person.call(self.of(item, 'commit'), snippet='then')
        about = self.person.item(item)
        self.assertEqual((about['title'], about['type'], about['tags'], about['snippet'], about['extent']), ('Said at first', 'CSV', ['a', 'b'], 'then', [[1, 2], [3, 4]]))
        self.person.call(self.of(item, 'update'), multipart='true', filename='said.csv', title='Said again')
        self.part(item, 1, b'y')
        self.assertEqual(self.person.item(item)['title'], 'Said at first')
        self.person.call(self.of(item, 'commit'))
        self.assertEqual((self.person.item(item)['title'], self.person.item_data(item)), ('Said again', b'y'))
        for fields in ({'extent': 'here'}, {'title': 'x' * 300}, {'properties': '{'}):
            error = self.person.error(self.person.content('addItem'), multipart='true', filename='bad.csv', **fields)
            self.assertIn(next(iter(fields)), error['details'][0])
        self.begin('bad.csv')

    def test_cancel_and_wrong_calls(self):
        item = self.begin('cancelled.csv')
        self.part(item, 1, b'x')
        for number in ('0', '10001', '-1', 'x', ''):
            with self.assertRaises(RestError):
                self.part(item, number, b'x')
        self.assertEqual(self.person.error(self.of(item, 'addPart') + '?partNum=2')['details'], ["'file' is missing."])
        self.assertEqual(self.person.error(self.of(item, 'commit'), title='t')['message'], "'type' and 'title' property required.")
        self.assertEqual(self.person.call(self.of(item, 'cancel')), {'success': True, 'id': item})
        for operation in ('parts', 'commit', 'cancel', 'status'):
            self.assertEqual(self.person.error(self.of(item, operation))['messageCode'], 'CONT_0001', operation)
        self.assertEqual(self.person.error(self.person.content('addItem'), multipart='true', type='CSV')['code'], 400)

    def test_a_name_that_is_taken(self):
        there = self.person.add('CSV', 'A file', file=('taken.csv', b'1'))
        error = self.person.error(self.person.content('addItem'), multipart='true', filename='taken.csv')
        self.assertEqual((error['code'], error['messageCode'], error['details']), (409, 'CONT_0027', [f'[itemId={there}]']))
        item = self.begin('taken.csv', overwrite='true')
        self.assertEqual(item, there)
        self.part(item, 1, b'2')
        self.person.call(self.of(item, 'commit'), title='Again')
        self.assertEqual(self.person.item_data(there), b'2')

    def test_uploads_of_others(self):
        item = self.begin('mine.csv')
        for operation in ('parts', 'commit', 'cancel', 'status'):
            self.assertEqual(self.other.error(self.of(item, operation), title='t', type='CSV')['code'], 403, operation)
        with self.assertRaises(RestError):
            self.other.call(self.of(item, 'addPart') + '?partNum=1', files=[('file', ('part', b'x'))])
        self.assertEqual(self.person.call(self.of(item, 'parts'))['parts'], [])


class Files(Items):
    def test_an_archive_of_resources(self):
        item = self.person.add('Web Map', text={})
        names = {'config/config.json': b'{"a":1}', 'images/東京.png': moving.png(3), 'large.bin': os.urandom(90_000)}
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as z:
            z.writestr('images/', b'')
            for name, data in names.items():
                z.writestr(name, data)
        self.person.call(self.of(item, 'addResources'), files=[('file', ('all.zip', packed.getvalue()))], archive='true', resourcesPrefix='app', access='private')
        listed = {r['resource']: (r['size'], r['access']) for r in self.person.call(f'{ITEM}{item}/resources')['resources']}
        self.assertEqual(listed, {'app/' + n: (len(d), 'private') for n, d in names.items()})
        for name, data in names.items():
            self.assertEqual(self.person.data(f'{ITEM}{item}/resources/app/{urllib.parse.quote(name)}')[1], data)
        for sort, order in (('size', 'asc'), ('size', 'desc')):
            sizes = [r['size'] for r in self.person.call(f'{ITEM}{item}/resources', sortField=sort, sortOrder=order)['resources']]
            self.assertEqual(sizes, sorted(sizes, reverse=order == 'desc'))
        self.assertEqual(self.person.error(self.of(item, 'addResources'), archive='true', text='x', fileName='a')['code'], 400)

    def test_archives_that_are_none(self):
        item = self.person.add('Web Map', text={})
        def packed(name, data, count=1):
            out = io.BytesIO()
            with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
                for i in range(count):
                    z.writestr(name if count == 1 else f'{i}', data)
            return out.getvalue()
        for archive in (b'', b'PK', b'no archive', packed('../../x', b'x'), packed('/x', b'x'), packed('a', b'x')[:-5], packed('a', b'\0' * 100)[:20] + packed('a', b'\0' * 100)[30:], packed('a', b'', 1001), packed('d/', b'')):
            with self.assertRaises(RestError):
                self.person.call(self.of(item, 'addResources'), files=[('file', ('a.zip', archive))], archive='true')
        self.assertEqual(self.person.call(f'{ITEM}{item}/resources')['total'], 0)
        with self.assertRaises(RestError) as refused:
            self.other.call(self.of(item, 'addResources'), files=[('file', ('a.zip', packed('a', b'x')))], archive='true')
        self.assertEqual(refused.exception.error['code'], 403)

    def test_iteminfo(self):
        item = self.person.add('Web Map', 'A <map> & "more"', text={}, extent='-10,35,5,45', snippet='東京')
        root = xml.etree.ElementTree.fromstring(self.person.data(f'{ITEM}{item}/info/iteminfo.xml')[1])
        self.assertEqual((root.tag, root.get('Culture')), ('ESRI_ItemInformation', 'en-us'))
        self.assertEqual((root.findtext('title'), root.findtext('snippet'), root.findtext('type'), root.findtext('guid')), ('A <map> & "more"', '東京', 'Web Map', item))
        self.assertEqual([t.text for t in root.find('tags')], ['one', 'two'])
        self.assertEqual([e.text for e in root.find('extent')], ['-10', '35', '5', '45'])
        self.person.call(self.of(item, 'updateinfo'), files=[('file', ('iteminfo.xml', b'<own/>'))])
        self.assertEqual(self.person.data(f'{ITEM}{item}/info/iteminfo.xml')[1], b'<own/>')
        self.assertEqual(self.person.error(f'{ITEM}{item}/info/other.xml')['messageCode'], 'CONT_0036')

    def test_code_of_an_application(self):
        app = self.person.add('Web Mapping Application', text={})
        self.assertEqual(self.person.error(f'{ITEM}{app}/package')['messageCode'], 'CONT_0036')
        code = self.person.add('Code Attachment', file=('code.zip', moving.zipped(index_html=b'<p>')))
        self.person.call(self.person.content('addRelationship'), originItemId=app, destinationItemId=code, relationshipType='WMA2Code')
        for item in (app, code):
            self.assertEqual(self.person.data(f'{ITEM}{item}/package')[1], self.person.item_data(code))
        self.person.call(self.of(app, 'share'), everyone='true')
        self.assertEqual(self.other.error(f'{ITEM}{app}/package')['messageCode'], 'CONT_0036')  # the code is not shared

    def test_thumbnails(self):
        item = self.person.add('Web Map', text={}, files=[('thumbnail', ('a ü.png', moving.png(1)))])
        self.assertEqual(self.person.item(item)['thumbnail'], 'thumbnail/a ü.png')
        self.person.call(self.of(item, 'update'), files=[('thumbnail', ('b.png', moving.png(2)))])
        self.assertEqual(self.person.data(f'{ITEM}{item}/info/thumbnail/b.png?w=400')[1], moving.png(2))
        self.assertEqual(self.person.error(f'{ITEM}{item}/info/thumbnail/{urllib.parse.quote("a ü.png")}')['messageCode'], 'CONT_0036')
        self.person.call(self.of(item, 'deleteThumbnail'))
        self.assertIsNone(self.person.item(item)['thumbnail'])

    def test_large_thumbnails(self):
        """Beside the small one, in a folder of their own; the field names the file and is set by it alone."""
        item = self.person.add('Web Map', text={}, files=[('thumbnail', ('a.png', moving.png(1))), ('largeThumbnail', ('b.png', moving.png(2)))])
        self.assertEqual([self.person.item(item)[k] for k in ('thumbnail', 'largeThumbnail')], ['thumbnail/a.png', 'largeThumbnail/b.png'])
        self.assertEqual(self.person.data(f'{ITEM}{item}/info/largeThumbnail/b.png')[1], moving.png(2))
        self.person.call(self.of(item, 'update'), largeThumbnail='elsewhere.png', clearEmptyFields='true')
        self.person.call(self.of(item, 'update'), files=[('largeThumbnail', ('c.png', moving.png(3)))])
        self.assertEqual(self.person.item(item)['largeThumbnail'], 'largeThumbnail/c.png')
        self.assertEqual(self.person.error(f'{ITEM}{item}/info/largeThumbnail/b.png')['messageCode'], 'CONT_0036')
        self.person.call(self.of(item, 'deleteThumbnail'))
        self.assertEqual([self.person.item(item)[k] for k in ('thumbnail', 'largeThumbnail')], [None, 'largeThumbnail/c.png'])
        self.person.call(self.of(item, 'deleteInfo'), infoFile='largeThumbnail/c.png')
        self.assertIsNone(self.person.item(item)['largeThumbnail'])

    def test_many_change_hands(self):
        items = [self.person.add('Web Map', text={}) for _ in range(2)]
        path = '/sharing/rest/content/users/ferry/reassignItems'
        answer = self.admin.call(path, items=','.join(items + ['f' * 32]), targetUsername='other', targetFolderName='From ferry')
        self.assertEqual([r['success'] for r in answer['results']], [True, True, False])
        self.assertEqual({self.admin.item(i)['owner'] for i in items}, {'other'})
        self.assertEqual({self.other.item(i)['ownerFolder'] for i in items}, {self.other.folders()['From ferry']})


class Dependencies(Items):
    def test_what_the_data_name(self):
        base = self.person.add('Web Map', 'Base', text={'version': '2.30'})
        missing, url = 'ab' * 16, self.server.url + self.person.service('named')[1]
        layers = [{'id': 'a', 'itemId': missing, 'layerType': 'ArcGISFeatureLayer', 'url': url + '/3'}, {'id': 'b', 'itemId': missing, 'url': url + '/4'}, {'id': 'c', 'itemId': 'no id', 'url': 7}, {'id': 'd', 'url': 'https://example.org/arcgis/rest/services/Roads/MapServer'}]
        web_map = self.person.add('Web Map', text={'version': '2.30', 'operationalLayers': layers})
        app = self.person.add('Dashboard', text={'version': 24, 'widgets': [{'type': 'mapWidget', 'itemId': web_map}, {'type': 'mapWidget', 'itemId': base}]})
        seen = self.person.call(f'{ITEM}{web_map}/dependencies')
        self.assertEqual(seen, {'total': 3, 'start': 1, 'num': 100, 'nextStart': -1,
                                'list': [{'dependencyType': 'id', 'id': missing}, {'dependencyType': 'url', 'url': url + '/3'}, {'dependencyType': 'url', 'url': url + '/4'}]})
        self.assertEqual([d['id'] for d in self.person.call(f'{ITEM}{app}/dependencies')['list']], [web_map, base])
        page = self.person.call(f'{ITEM}{app}/dependencies', start='2', num='1')
        self.assertEqual((page['total'], page['nextStart'], page['list']), (2, -1, [{'dependencyType': 'id', 'id': base}]))
        for item in (base, self.person.add('PDF', file=('none.pdf', moving.PDF)), self.person.add('Web Map', text='no JSON ' + missing), self.person.add('Web Mapping Application', url='https://example.org/x')):
            self.assertEqual(self.person.call(f'{ITEM}{item}/dependencies')['list'], [])
        self.assertEqual(self.other.error(f'{ITEM}{app}/dependencies')['messageCode'], 'GWM_0003')


class Credentials(Items):
    def test_they_are_nowhere(self):
        secret = dict(serviceUsername='reader-77', servicePassword='pa55word-77', serviceCredentialsType='basic', serviceProxyParams='{"hitsPerInterval":77}')
        url = 'https://gis.example.com/rest/services/A/MapServer'
        item = self.person.call(self.person.content('addItem'), title='With a sign-in', type='Map Service', url=url, **secret)['id']
        self.person.call(self.of(item, 'update'), title='Again', url=url, clearEmptyFields='true', snippet='')
        group = self.person.group()
        self.person.share(item, group)
        paths = (ITEM + item, ITEM + item + '/data', self.of(item, '').rstrip('/'), '/sharing/rest/search?q=id:' + item)
        answers = b''.join(p.raw(at, {'f': f}, method='GET')[2] for p in (self.person, self.admin) for at in paths for f in ('json', 'html'))
        key = os.path.join(self.server.data, 'secret.key')
        self.assertEqual((os.stat(key).st_mode & 0o777, os.path.getsize(key)), (0o600, 32))
        stored = b''.join(read(os.path.join(self.server.data, n)) for n in os.listdir(self.server.data) if n.startswith('portal.db'))
        for word in (b'reader-77', b'pa55word-77', b'hitsPerInterval'):
            self.assertNotIn(word, answers + stored + read(self.server.log))


class Readers(Items):
    def test_comments(self):
        item = self.person.add('Web Map', 'Talked about', text={})
        self.person.call(self.of(item, 'share'), everyone='true')
        at = ITEM + item
        first = self.other.call(at + '/addComment', comment='<b>Schön</b> 東京')['commentId']
        reply = self.person.call(at + '/addComment', comment='thanks', parentId=first)['commentId']
        page = self.person.call(at + '/comments', num='1')
        self.assertEqual((page['total'], page['start'], page['num'], page['nextStart']), (2, 1, 1, 2))
        self.assertEqual({k: page['comments'][0][k] for k in ('id', 'owner', 'comment', 'parentId', 'numReplies')},
                         {'id': first, 'owner': 'other', 'comment': '<b>Schön</b> 東京', 'parentId': None, 'numReplies': 1})
        self.assertEqual(self.person.call(f'{at}/comments/{reply}', method='GET')['parentId'], first)
        self.assertNotIn(b'<b>Sch', self.person.raw(at + '/comments', {'f': 'html'}, method='GET')[2])
        self.other.call(f'{at}/comments/{first}/update', comment='changed')
        self.assertEqual(self.person.error(f'{at}/comments/{first}/update', comment='forged')['code'], 403)
        self.assertEqual(self.person.call(f'{at}/comments/{first}')['comment'], 'changed')
        self.assertEqual(self.person.item(item)['numComments'], 2)
        self.assertEqual(self.person.error(at + '/addComment')['code'], 400)
        self.assertEqual(self.person.error(at + '/addComment', comment='x', parentId=reply)['code'], 400)
        self.person.call(f'{at}/comments/{first}/delete')
        self.assertEqual(self.person.call(at + '/comments')['comments'], [])
        self.person.call(self.of(item, 'update'), commentsEnabled='false')
        self.assertFalse(self.person.item(item)['commentsEnabled'])
        self.assertEqual(self.other.error(at + '/addComment', comment='x')['message'], 'Unable to add the comment.')

    def test_ratings(self):
        item = self.person.add('Web Map', 'Rated', text={})
        self.person.call(self.of(item, 'share'), org='true')
        at = ITEM + item
        self.assertEqual(self.other.error(at + '/rating')['code'], 400)
        for rating in ('2', '4.5'):
            self.assertEqual(self.other.call(at + '/addRating', rating=rating), {'success': True})
        self.admin.call(at + '/addRating', rating='3')
        self.assertEqual(self.other.call(at + '/rating')['rating'], 4.5)
        self.assertEqual(self.person.error(at + '/addRating', rating='5')['code'], 403)
        for rating in ('0', '6', 'x', 'nan', '1e9', ''):
            self.assertEqual(self.other.error(at + '/addRating', rating=rating)['code'], 400, rating)
        about = self.person.item(item)
        self.assertEqual((about['numRatings'], about['avgRating']), (2, 3.75))
        self.other.call(at + '/deleteRating')
        self.assertEqual(self.person.item(item)['avgRating'], 3)
        self.assertEqual([i['avgRating'] for i in self.person.call('/sharing/rest/search', q=f'id:{item}')['results']], [3])

    def test_views(self):
        item = self.person.add('Web Map', 'Looked at', text={})
        for n in range(1, 4):
            self.assertEqual(self.person.item(item)['numViews'], n - 1)
        before = self.person.item(item)
        self.server.restart()  # an orderly end keeps what was counted
        about = self.person.item(item)
        self.assertEqual((about['numViews'], about['modified']), (4, before['modified']))
        self.assertGreaterEqual(about['lastViewed'], before['lastViewed'])

    def test_listing(self):
        person = self.server.add_user('lister')
        folder = person.call(person.content('createFolder'), title='F')['folder']['id']
        items = [person.add('Web Map', t, text={}) for t in ('b', 'a', 'c')]
        root = person.content('').rstrip('/')
        self.assertEqual([f['id'] for f in person.call(root, num='1')['folders']], [folder])
        self.assertEqual([i['id'] for i in person.call(root, folders='false', sortField='created')['items']], items)
        self.assertEqual(person.call(root, folders='false')['folders'], [])
        only = person.call(root, foldersOnly='true')
        self.assertEqual((only['items'], len(only['folders']), only['total']), ([], 1, 3))
        self.assertEqual([i['title'] for i in person.call(root, sortField='title', sortOrder='desc')['items']], ['c', 'b', 'a'])


if __name__ == '__main__':
    moving.main()
