#!/usr/bin/env python3
"""Items on the command line: add, get, update, delete, share, search."""
import json
import os
import unittest

import moving
from cli import CommandLineTest
from moving import png
from routes import routes


class Items(CommandLineTest):
    def item(self, item):
        return self.portal.call(f'/sharing/rest/content/items/{item}')

    def add(self, *args, **env):
        return self.ok('item', 'add', self.url, *args, **env).strip()

    # ---- add

    def test_add_a_file(self):
        path = self.file('Käse 東京.pdf', moving.PDF)
        item = self.add(path, '--tags', 'one,two words', '--snippet', 'Ä "quoted" & more', '--thumbnail', self.file('t.png', png()), '--description', '<b>d</b>', '--keywords', 'kw1')
        got = self.item(item)
        self.assertEqual((got['title'], got['type'], got['name'], got['tags']), ('Käse 東京', 'PDF', 'Käse 東京.pdf', ['one', 'two words']))
        self.assertEqual((got['snippet'], got['description']), ('Ä "quoted" & more', '<b>d</b>'))
        self.assertIn('kw1', got['typeKeywords'])
        self.assertTrue(got['thumbnail'])
        self.assertEqual(self.portal.data(f'/sharing/rest/content/items/{item}/data')[1], moving.PDF)

    def test_types_by_ending(self):
        for name, kind in (('a.csv', 'CSV'), ('a.GeoJSON', 'GeoJson'), ('a.b.docx', 'Microsoft Word'), ('a.xlsx', 'Microsoft Excel'), ('a.gpkg', 'GeoPackage')):
            item = self.add(self.file(name, b'a,b\n1,2\n'))
            self.assertEqual((self.item(item)['type'], self.item(item)['title']), (kind, name.rpartition('.')[0]))

    def test_add_by_text_and_url(self):
        text = self.file('map.json', b'{"operationalLayers":[],"x":"\xc3\xa4"}')
        item = self.result('item', 'add', self.url, '--title', 'A map', '--type', 'Web Map', '--text', text)['itemId']
        self.assertEqual(self.portal.call(f'/sharing/rest/content/items/{item}/data')['x'], 'ä')
        item = self.add('--title', 'From a pipe', '--type', 'Web Map', '--text', '-', input='{"y":1}')
        self.assertEqual(self.portal.call(f'/sharing/rest/content/items/{item}/data'), {'y': 1})
        item = self.add('--title', 'An app', '--type', 'Web Mapping Application', '--url', 'https://example.com/a?b=1&c=2')
        self.assertEqual(self.item(item)['url'], 'https://example.com/a?b=1&c=2')

    def test_add_to_a_folder(self):
        folder = self.portal.call(self.portal.content('createFolder'), title='Maps & more')['folder']['id']
        for named in ('Maps & more', folder):
            item = self.add('--title', 'in it', '--type', 'Web Map', '--folder', named)
            self.assertEqual(self.item(item)['ownerFolder'], folder)
        self.refused('item', 'add', self.url, '--title', 't', '--type', 'Web Map', '--folder', 'Nowhere', code=1, says="no folder 'Nowhere'")

    def test_what_add_refuses(self):
        pdf = self.file('x.pdf', moving.PDF)
        for args, says in (([], 'needs --title'), (['--title', 't'], 'needs --type'), ([self.file('x.zip', moving.zipped(a='b'))], 'several types, name one with --type: '),
                           ([self.file('x.unknown', b'x')], 'is not known'), ([self.file('noending', b'x')], 'is not known'), (['/no/such.pdf'], "no file '/no/such.pdf'"), ([self.folder.name, '--title', 't', '--type', 'PDF'], 'is a folder'),
                           ([pdf, '--url', 'https://example.com'], 'one of them'), ([pdf, '--text', pdf], 'one of them'),
                           ([pdf, '--thumbnail', '/no/t.png'], "no file '/no/t.png'")):
            self.refused('item', 'add', self.url, *args, says=says)
        before = self.portal.call('/sharing/rest/search', q='owner:admin')['total']
        self.refused('item', 'add', self.url, pdf, code=4, user=None, says='')
        self.assertEqual(self.portal.call('/sharing/rest/search', q='owner:admin')['total'], before)

    @unittest.skipUnless(any(r.pattern.endswith('/addPart') for r in routes()), 'this portal takes no uploads in parts')
    def test_big_files_go_in_parts_and_come_back_the_same(self):
        out = os.path.join(self.folder.name, 'back.gpkg')
        words = ['add', self.url]
        for data in (os.urandom(1 << 20) * 65, os.urandom(1 << 20) * 70 + b'the end'):
            events = [json.loads(line) for line in self.ok('item', *words, self.file('big.gpkg', data), '--json').splitlines()]
            item = events[-1]['result']['itemId']
            self.assertEqual((events[-2]['what'], events[-2]['done'], events[-2]['total']), ('upload', len(data), len(data)))
            self.ok('item', 'get', self.url, item, '--data', '-o', out)
            self.assertTrue(moving.read(out) == data)
            self.assertEqual(self.item(item)['size'], len(data))
            words = ['update', self.url, item]  # then its data are replaced

    # ---- get

    def test_get(self):
        item = self.add('--title', 'Shown', '--type', 'Web Map', '--text', '-', '--tags', 'a,b', input='{"z":3}')
        text = self.ok('item', 'get', self.url, item)
        for line in ('title         Shown', 'type          Web Map', 'owner         admin', 'access        private', 'tags          a, b'):
            self.assertIn(line, text)
        self.assertEqual(self.result('item', 'get', self.url, item)['title'], 'Shown')
        out = os.path.join(self.folder.name, 'data.json')
        self.ok('item', 'get', self.url, item, '--data', '-o', out)
        self.assertEqual(json.loads(moving.read(out)), {'z': 3})
        self.assertEqual(json.loads(self.ok('item', 'get', self.url, item, '--data', '-o', '-')), {'z': 3})

    def test_what_get_refuses(self):
        item = self.add('--title', 'Private', '--type', 'Web Map', '--text', '-', input='{}')
        self.refused('item', 'get', self.url, item, '--data', says='-o')
        self.refused('item', 'get', self.url, item, '-o', 'x', says='--data')
        self.refused('item', 'get', self.url, 'a title', says="'a title' is no item id")
        self.refused('item', 'get', self.url, '0' * 32, code=1, says='does not exist')
        self.refused('item', 'get', self.url, item, code=4, user=None, says='')
        out = os.path.join(self.folder.name, 'kept.json')
        with open(out, 'w') as f:
            f.write('mine')
        self.assertEqual(self.run_program('item', 'get', self.url, item, '--data', '-o', out, user=None).returncode, 4)
        self.assertEqual((moving.read(out), os.path.exists(out + '.part')), (b'mine', False))

    def test_titles_cannot_move_the_cursor(self):
        item = self.portal.add('Web Map', 'evil \x1b[2J\u009b title', text={})
        for args in (('item', 'get', self.url, item), ('search', self.url, f'id:{item}')):
            text = self.ok(*args)
            self.assertIn('evil', text)
            self.assertNotIn('\x1b', text)
            self.assertNotIn('\u009b', text)

    # ---- update

    def test_update(self):
        item = self.add(self.file('first.pdf', moving.PDF), '--snippet', 'old', '--tags', 'a')
        self.assertEqual(self.ok('item', 'update', self.url, item, '--title', 'New', '--snippet', '').strip(), item)
        got = self.item(item)
        self.assertEqual((got['title'], got['tags']), ('New', ['a']))
        self.assertFalse(got.get('snippet'))
        self.ok('item', 'update', self.url, item, self.file('second.pdf', moving.PDF + b'%'))
        self.assertEqual(self.portal.data(f'/sharing/rest/content/items/{item}/data')[1], moving.PDF + b'%')
        folder = self.portal.call(self.portal.content('createFolder'), title='Moved')['folder']['id']
        self.ok('item', 'update', self.url, item, '--folder', 'Moved')
        self.assertEqual(self.item(item)['ownerFolder'], folder)
        self.ok('item', 'update', self.url, item, '--folder', '/', '--title', 'Newer')
        self.assertEqual((self.item(item).get('ownerFolder'), self.item(item)['title']), (None, 'Newer'))
        self.refused('item', 'update', self.url, item, says='nothing to change')

    def test_an_administrator_updates_items_of_others(self):
        publisher = self.server.add_user('pub_update')
        item = publisher.add('Web Map', 'theirs', text={})
        self.ok('item', 'update', self.url, item, '--title', 'by admin')
        self.assertEqual((self.item(item)['title'], self.item(item)['owner']), ('by admin', 'pub_update'))
        mine = self.add('--title', 'mine', '--type', 'Web Map')
        self.refused('item', 'update', self.url, mine, '--title', 'no', code=4, user='pub_update', says='')

    # ---- delete

    def test_delete(self):
        one, two, kept = (self.add('--title', t, '--type', 'Web Map') for t in ('one', 'two', 'kept'))
        self.portal.call(self.portal.content(f'items/{kept}/protect'))
        self.assertEqual(self.ok('item', 'delete', self.url, one).strip(), f'deleted {one}')
        done = self.run_program('item', 'delete', self.url, two, kept, '0' * 32)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual([line.split()[:2] for line in done.stdout.splitlines()], [['deleted', two], ['failed', kept + ':'], ['failed', '0' * 32 + ':']])
        done = self.run_program('item', 'delete', self.url, kept, one, '--json')
        self.assertEqual(done.returncode, 3)
        self.assertEqual([(r['itemId'], r['success'], 'error' in r) for r in json.loads(done.stdout)['result']['results']], [(kept, False, True), (one, False, True)])
        self.refused('item', 'delete', self.url, kept, code=1, says='')
        self.assertEqual(self.item(kept)['id'], kept)
        self.portal.call(self.portal.content(f'items/{kept}/unprotect'))

    # ---- share

    def test_share(self):
        item = self.add('--title', 'shared', '--type', 'Web Map')
        group = self.portal.group('Share here')
        for option, access in (('--org', 'org'), ('--everyone', 'public'), ('--private', 'private')):
            self.assertEqual(self.ok('item', 'share', self.url, item, option).strip(), f"{'private' if option == '--private' else 'shared'} {item}")
            self.assertEqual(self.item(item)['access'], access)
        self.ok('item', 'share', self.url, item, '--group', 'Share here')
        groups = self.portal.call(f'/sharing/rest/content/items/{item}/groups')
        self.assertEqual([g['id'] for g in groups['admin']], [group])
        self.ok('item', 'share', self.url, item, '--org', '--group', group)
        self.assertEqual(self.item(item)['access'], 'org')
        self.ok('item', 'share', self.url, item, '--private')
        self.assertEqual(self.portal.call(f'/sharing/rest/content/items/{item}/groups')['admin'], [])

    def test_what_share_refuses(self):
        item = self.add('--title', 'x', '--type', 'Web Map')
        for args in ([], ['--org', '--everyone'], ['--private', '--group', 'x'], ['--private', '--org']):
            self.refused('item', 'share', self.url, item, *args, says='Say with whom')
        self.refused('item', 'share', self.url, item, '--group', 'No such group', code=1, says='no group with the title')
        self.assertEqual(self.item(item)['access'], 'private')


class Search(CommandLineTest):
    def test_words_types_and_pages(self):
        for i in range(120):
            self.portal.add('Web Map' if i % 2 else 'Web Scene', f'needle {i}', text={})
        everything = self.ok('search', self.url, 'needle')
        self.assertEqual(len(everything.splitlines()), 2 + 100)
        done = self.run_program('search', self.url, 'needle', '--limit', '7')
        self.assertEqual(len(done.stdout.splitlines()), 2 + 7)
        self.assertIn('7 of 120 items', done.stderr)
        found = self.result('search', self.url, 'needle', '--limit', '110')
        self.assertEqual((found['total'], len(found['results']), len({r['id'] for r in found['results']})), (120, 110, 110))
        found = self.result('search', self.url, 'needle', '--type', 'Web Scene', '--limit', '1000')
        self.assertEqual((found['total'], {r['type'] for r in found['results']}), (60, {'Web Scene'}))
        self.assertEqual(self.result('search', self.url, '--type', 'Web Scene')['total'], 60)
        self.assertEqual(self.result('search', self.url, 'nothing has this word'), {'total': 0, 'results': []})
        self.assertEqual(self.result('search', self.url, 'needle', user=None)['total'], 0)

    def test_what_is_refused(self):
        self.refused('search', self.url, says='QUERY or --type')
        for limit in ('0', '-1', 'many', '10001', ''):
            self.refused('search', self.url, 'x', '--limit', limit, says='--limit is a number')
        self.refused('search', self.url, 'x', '--type', 'a"b', says='quotation mark')


if __name__ == '__main__':
    moving.main()
