"""Group export, sentence by sentence of the export document and of the rules for jobs and packages, against the program over HTTP."""
import hashlib
import json
import os
import re
import time
import unittest
import urllib.parse

from moving import PDF, Package, Person, Server, ids_of, is_key, layer, main, png, rich_service

NOWHERE = 'f' * 32


def setUpModule():
    global server, admin, olive, mia, max_, otto, uma, nobody
    server = Server()
    admin = server.sign_in()
    olive, mia, max_, otto = (server.add_user(n) for n in ('olive', 'mia', 'max', 'otto'))
    uma = server.add_user('uma', 'org_user')
    nobody = Person(server.url)


def tearDownModule():
    server.close()


def group_with(person, *items, **fields):
    group = person.group(**fields)
    for i in items:
        person.share(i, group)
    return group


def export_path(group):
    return f'/sharing/rest/community/groups/{group}/export'


class Synchronous(unittest.TestCase):
    def test_html_streams_the_package_and_leaves_no_item(self):
        item = olive.add('Web Map', 'Map', {'operationalLayers': []})
        group = group_with(olive, item, title='Straight out')
        before = olive.own_items().keys()
        for fields in ({'f': 'html'}, {}):
            status, headers, data = olive.raw(export_path(group), fields)
            self.assertEqual((status, headers['Content-Type']), (200, 'application/octet-stream'))
            self.assertRegex(headers['Content-Disposition'], r'filename="Straight out_\d{4}\d{3,4}_\d{6}\.epk"')
            self.assertEqual(int(headers['Content-Length']), len(data))
            package = Package(data)
            self.assertEqual(package.items(), [item])
            self.assertEqual(package.about()['group'], {'id': group, 'title': 'Straight out'})
        self.assertEqual(olive.own_items().keys(), before)

    def test_json_with_something_to_export_is_status_400(self):
        group = group_with(olive, olive.add('Web Map', 'Map', {}))
        before = olive.own_items().keys()
        for f in ('json', 'pjson'):
            status, headers, data = olive.raw(export_path(group), {'f': f})
            self.assertEqual(status, 400)
            self.assertIn('application/json', headers['Content-Type'])
            self.assertEqual(json.loads(data)['error']['code'], 400)
        self.assertEqual(olive.own_items().keys(), before)

    def test_nothing_to_export_is_three_empty_lists_in_every_format(self):
        group = olive.group()
        for f in ('html', 'json', 'pjson'):
            status, headers, data = olive.raw(export_path(group), {'f': f})
            self.assertEqual(status, 200)
            self.assertIn('application/json', headers['Content-Type'])
            self.assertEqual(json.loads(data), {'itemsExported': [], 'itemsSkipped': [], 'itemsFailedExport': []})

    def test_only_skipped_items_is_nothing_to_export(self):
        item = olive.add('Notebook', 'No', file=('a.ipynb', b'{}'))
        answer = olive.call(export_path(group_with(olive, item)))
        self.assertEqual(answer['itemsExported'], [])
        self.assertEqual(ids_of(answer['itemsSkipped']), [item])

    def test_export_is_post_only(self):
        self.assertEqual(olive.raw(export_path(olive.group()), {'f': 'json'}, method='GET')[0], 405)

    def test_the_same_content_gives_the_same_content_hash(self):
        rich, _ = rich_service(olive, 'twice')
        group = group_with(olive, rich, olive.add('PDF', file=('a.pdf', PDF)))
        a, b = (Package(olive.export(group)) for _ in range(2))
        self.assertEqual(a.hash, b.hash)
        a, b = a.all(), b.all()
        a.pop('package.json'), b.pop('package.json')
        self.assertEqual(a, b)


class Rights(unittest.TestCase):
    def test_only_the_owner_of_the_group_and_administrators(self):
        item = olive.add('Web Map', 'Secret map', {})
        group = group_with(olive, item, access='org')
        olive.call(f'/sharing/rest/community/groups/{group}/addUsers', users='max', admins='mia')
        for fields in ({}, {'async': 'true'}, {'previewOnly': 'true'}, {'itemIdList': item}):
            for who in (mia, max_, otto, uma):
                self.assertEqual(who.error(export_path(group), **fields)['code'], 403, (who.user, fields))
            self.assertEqual(nobody.error(export_path(group), **fields)['code'], 499)
        self.assertEqual(Package(olive.export(group)).items(), [item])
        self.assertEqual(Package(admin.export(group)).items(), [item])

    def test_a_private_group_does_not_show(self):
        group = olive.group()
        for path in (export_path(group), export_path(NOWHERE), export_path('nonsense')):
            self.assertEqual(otto.error(path)['messageCode'], 'COM_0003')
        bad = Person(server.url)
        bad.token = 'x' * 40
        self.assertEqual(bad.error(export_path(group))['code'], 498)

    def test_content_of_others_is_exported_too(self):
        group = olive.group(access='org')
        olive.call(f'/sharing/rest/community/groups/{group}/addUsers', users='max')
        theirs = max_.add('Web Map', 'Of max', {}, group=group)
        self.assertEqual(Package(olive.export(group)).items(), [theirs])

    def test_shared_update_groups(self):
        group = admin.group(access='org', capabilities='updateitemcontrol')
        item = admin.add('Web Map', 'Shared', {})
        self.assertEqual(admin.call(f'/sharing/rest/content/items/{item}/share', groups=group, confirmItemControl='true')['notSharedWith'], [])
        self.assertEqual(Package(admin.export(group)).items(), [item])


class Jobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.item = olive.add('Web Map', 'Map', {'operationalLayers': []})
        cls.group = group_with(olive, cls.item, title='Jöbs')
        cls.started = olive.started(cls.group, 'export')
        cls.done = olive.ended(cls.started)

    def test_job_id_and_key(self):
        self.assertEqual(set(self.started), {'jobId', 'key'})
        self.assertRegex(self.started['jobId'], '^[0-9a-f]{32}$')
        self.assertTrue(is_key(self.started['key']), self.started['key'])

    def test_fields_of_the_job(self):
        job = self.done
        self.assertEqual(job['id'], self.started['jobId'])
        self.assertEqual(set(job['definition']), {'type', 'operationId', 'groupId', 'groupTitle'})
        self.assertEqual((job['definition']['type'], job['definition']['groupId'], job['definition']['groupTitle']), ('export', self.group, 'Jöbs'))
        self.assertRegex(job['definition']['operationId'], '^cm[0-9a-f]{32}$')
        self.assertEqual(job['status'], 'succeeded')
        self.assertLessEqual(job['created'], job['modified'])
        self.assertLess(abs(job['created'] / 1000 - time.time()), 600)
        self.assertEqual(job['messages'], [f"Starting export of items in group 'Jöbs' with id '{self.group}'.",
                                           f"Added Export Package item with id '{job['result']['itemId']}' for group with id '{self.group}'."])
        self.assertEqual(ids_of(job['result']['itemsExported']), [self.item])
        self.assertEqual((job['result']['itemsSkipped'], job['result']['itemsFailedExport']), ([], []))
        self.assertLessEqual(job['created'], job['result']['created'])
        self.assertEqual(job['progress']['itemsDone'], 1)
        self.assertEqual(job['progress']['itemsTotal'], 1)

    def test_the_package_item(self):
        item = olive.item(self.done['result']['itemId'])
        self.assertEqual((item['type'], item['owner'], item['access']), ('Export Package', 'olive', 'private'))
        self.assertTrue({'Export Package', 'epk'} <= set(item['typeKeywords']))
        data = olive.item_data(item['id'])
        self.assertEqual(len(data), item['size'])
        self.assertEqual(Package(data).items(), [self.item])
        self.assertTrue(item['name'].endswith('.epk'))
        self.assertEqual(otto.error(f"/sharing/rest/content/items/{item['id']}")['code'], 403)

    def test_key_in_get_and_post_by_self_and_org_id(self):
        org = olive.call('/sharing/rest/portals/self')['id']
        for portal in ('self', org):
            for method in ('GET', 'POST'):
                self.assertEqual(olive.job(self.started, portal, method), self.done)
        self.assertIn('error', json.loads(olive.raw(f"/sharing/rest/portals/other/jobs/{self.started['jobId']}", {'f': 'json', 'key': self.started['key']})[2]))

    def test_the_owner_needs_the_key(self):
        path = f"/sharing/rest/portals/self/jobs/{self.started['jobId']}"
        wrong = ('', 'x', self.started['key'][:-1], self.started['key'] + '=', self.started['key'].swapcase())
        for key in wrong:
            for method in ('GET', 'POST'):
                self.assertEqual(olive.error(path, key=key or None, method=method)['code'], 400, key)
                self.assertEqual(otto.error(path, key=key or None, method=method)['code'], 400, key)
        self.assertEqual(otto.error(path, key=self.started['key'])['code'], 400)
        self.assertEqual(nobody.error(path, key=self.started['key'])['code'], 499)
        self.assertEqual(otto.error(path, key=self.started['key']), otto.error(f'/sharing/rest/portals/self/jobs/{NOWHERE}'))

    def test_administrators_need_no_key(self):
        for method in ('GET', 'POST'):
            self.assertEqual(admin.job({'jobId': self.started['jobId']}, method=method), self.done)
        self.assertEqual(admin.job({'jobId': self.started['jobId'], 'key': 'wrong'}), self.done)

    def test_the_list_of_jobs(self):
        def listed(who, **fields):
            return who.call('/sharing/rest/portals/self/jobs', **fields)
        mine = listed(olive, num='100')
        self.assertIn(self.started['jobId'], [j['id'] for j in mine['jobs']])
        self.assertTrue(all('result' not in j and 'messages' not in j for j in mine['jobs']), 'results need the key')
        self.assertEqual(mine['total'], len(mine['jobs']))
        self.assertEqual(listed(uma), {'total': 0, 'start': 1, 'num': 0, 'nextStart': -1, 'jobs': []} | {'num': listed(uma)['num']})
        self.assertIn(self.started['jobId'], [j['id'] for j in listed(admin, num='100')['jobs']])
        page = listed(admin, num='1')
        self.assertEqual((len(page['jobs']), page['nextStart']), (1, 2 if page['total'] > 1 else -1))
        self.assertEqual(nobody.error('/sharing/rest/portals/self/jobs')['code'], 499)
        self.assertEqual(olive.error('/sharing/rest/portals/self/jobs', start='0')['code'], 400)

    def test_more_messages_than_there_is_room_for(self):
        ids = [f'{i:032x}' for i in range(1, 14001)]
        job = olive.export_job(self.group, itemIdList=','.join([self.item] + ids))
        self.assertEqual(job['status'], 'succeeded')
        self.assertEqual(ids_of(job['result']['itemsSkipped']), ids)
        self.assertLess(len(json.dumps(job['messages'])), 1 << 20)
        self.assertIn('too many messages', job['messages'][-1])

    def test_html_page_of_a_job(self):
        status, headers, data = olive.raw(f"/sharing/rest/portals/self/jobs/{self.started['jobId']}", {'key': self.started['key']}, method='GET')
        self.assertEqual((status, 'text/html' in headers['Content-Type']), (200, True))
        self.assertIn(b'succeeded', data)

    def test_nothing_to_export_as_a_job(self):
        job = olive.export_job(olive.group())
        self.assertEqual(job['status'], 'succeeded')
        self.assertNotIn('itemId', job['result'])
        for name in ('itemsExported', 'itemsSkipped', 'itemsFailedExport'):
            self.assertEqual(job['result'][name], [])

    def test_a_finished_job_cannot_be_cancelled(self):
        olive.call(f"/sharing/rest/portals/self/jobs/{self.started['jobId']}/cancel", key=self.started['key'])
        self.assertEqual(olive.job(self.started), self.done)
        self.assertTrue(olive.has(self.done['result']['itemId']))


class Cancel(unittest.TestCase):
    def test_cancel(self):
        """No job runs until the portal starts again with a thread for them; the one that was cancelled meanwhile does nothing."""
        own = Server(**{'jobs.threads': '0'})
        self.addCleanup(own.close)
        mine, other = own.add_user('mine'), own.add_user('other')
        group = group_with(mine, mine.add('PDF', 'P', file=('p.pdf', PDF)))
        before = mine.own_items().keys()
        first, second = (mine.started(group, 'export') for _ in range(2))
        path = f"/sharing/rest/portals/self/jobs/{second['jobId']}/cancel"
        for who, key in ((mine, None), (mine, first['key']), (other, second['key'])):
            self.assertEqual(who.error(path, key=key)['code'], 400)
        self.assertEqual(mine.raw(path, {'f': 'json', 'key': second['key']}, method='GET')[0], 405)
        self.assertTrue(mine.call(path, key=second['key'])['success'])
        self.assertEqual(mine.job(first)['status'], 'submitted')
        own.restart(**{'jobs.threads': '1'})
        mine = own.sign_in('mine')
        done, cancelled = mine.ended(first), mine.ended(second)
        self.assertEqual((done['status'], cancelled['status']), ('succeeded', 'cancelled'))
        self.assertNotIn('result', cancelled)
        self.assertEqual(mine.own_items().keys() - before, {done['result']['itemId']})

    def test_cancel_of_a_job_that_waits_behind_others(self):
        items = [olive.add('PDF', f'P{i}', file=(f'{i}.pdf', PDF + bytes(400000))) for i in range(6)]
        group = group_with(olive, *items)
        started = [olive.started(group, 'export') for _ in range(4)]
        olive.call(f"/sharing/rest/portals/self/jobs/{started[-1]['jobId']}/cancel", key=started[-1]['key'])
        ended = [olive.ended(s)['status'] for s in started]
        self.assertEqual(ended[:3], ['succeeded'] * 3)
        self.assertIn(ended[3], ('cancelled', 'succeeded'))


class Selection(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.items = sorted(olive.add('Web Map', f'M{i}', {}) for i in range(3))
        cls.group = group_with(olive, *cls.items)

    def test_a_subset(self):
        self.assertEqual(Package(olive.export(self.group, itemIdList=self.items[1])).items(), [self.items[1]])
        self.assertEqual(Package(olive.export(self.group, itemIdList=f' {self.items[2]} , {self.items[0]},{self.items[2]},')).items(), [self.items[0], self.items[2]])
        self.assertEqual(Package(olive.export(self.group, itemIdList='')).items(), self.items)

    def test_foreign_ids_are_skipped_and_tell_nothing(self):
        foreign = otto.add('Web Map', 'Top secret title', {})
        job = olive.export_job(self.group, itemIdList=','.join([self.items[0], foreign, NOWHERE]))
        self.assertEqual(ids_of(job['result']['itemsExported']), [self.items[0]])
        self.assertEqual(ids_of(job['result']['itemsSkipped']), sorted([foreign, NOWHERE]))
        for entry in job['result']['itemsSkipped']:
            self.assertEqual(set(entry), {'itemId', 'title', 'type', 'reason'})
            self.assertTrue(entry['reason'])
        self.assertNotIn('Top secret', json.dumps(job))
        preview = olive.call(export_path(self.group), itemIdList=foreign, previewOnly='true')
        self.assertNotIn('Top secret', json.dumps(preview))
        self.assertFalse(preview['results'][0]['canExport'])
        self.assertEqual({k: v for k, v in preview['results'][0].items() if 'd' != k[-1]},
                         {k: v for k, v in olive.call(export_path(self.group), itemIdList=NOWHERE, previewOnly='true')['results'][0].items() if 'd' != k[-1]})

    def test_an_own_item_outside_of_the_group(self):
        own = olive.add('Web Map', 'Not shared', {})
        answer = olive.call(export_path(self.group), itemIdList=own)
        self.assertEqual(answer['itemsExported'], [])
        self.assertEqual(ids_of(answer['itemsSkipped']), [own])
        self.assertIn('not shared', answer['itemsSkipped'][0]['reason'])

    def test_garbage(self):
        for garbage in ('x', self.items[0][:-1], self.items[0] + ';' + self.items[1], '../../etc/passwd', "' OR 1=1"):
            self.assertEqual(olive.error(export_path(self.group), itemIdList=garbage)['code'], 400, garbage)

    def test_preview_lists_everything_and_makes_nothing(self):
        before = olive.own_items().keys()
        preview = olive.call(export_path(self.group), previewOnly='true')
        self.assertEqual([r['id'] for r in preview['results']], self.items)
        self.assertEqual((preview['total'], preview['nextStart']), (3, -1))
        for r in preview['results']:
            self.assertEqual((r['type'], r['canExport'], r['size']), ('Web Map', True, 2))
        self.assertEqual(olive.own_items().keys(), before)
        self.assertEqual(olive.call(export_path(self.group), previewOnly='true', **{'async': 'true'})['total'], 3)

    def test_output_file_name(self):
        job = olive.export_job(self.group, outputFileName='my päckage')
        item = olive.item(job['result']['itemId'])
        self.assertEqual((item['title'], item['name']), ('my päckage', 'my päckage.epk'))
        headers = olive.raw(export_path(self.group), {'outputFileName': 'my päckage', 'f': 'html'})[1]
        self.assertIn(urllib.parse.quote('my päckage.epk'), headers['Content-Disposition'])
        for bad in ('../up', '..', 'a\nb', 'x' * 201):
            self.assertEqual(olive.error(export_path(self.group), outputFileName=bad)['code'], 400)
        self.assertEqual(olive.error(export_path(self.group), outputFileName='x' * 300)['code'], 400)

    def test_a_name_that_ends_in_epk_is_not_doubled(self):
        job = olive.export_job(self.group, outputFileName='given.epk')
        self.assertEqual(olive.item(job['result']['itemId'])['name'], 'given.epk')

    def test_the_same_name_twice(self):
        names = [olive.item(olive.export_job(self.group, outputFileName='again')['result']['itemId'])['title'] for _ in range(2)]
        self.assertEqual(names, ['again', 'again'])

    def test_folders(self):
        def folder_of(job):
            self.assertEqual(job['status'], 'succeeded', job)
            return olive.item(job['result']['itemId'])['ownerFolder']
        self.assertIsNone(folder_of(olive.export_job(self.group)))
        folder = olive.call(olive.content('createFolder'), title='Packages')['folder']['id']
        self.assertEqual(folder_of(olive.export_job(self.group, exportContentFolderId=folder)), folder)
        self.assertEqual(folder_of(olive.export_job(self.group, exportContentFolder='Packages')), folder)
        made = folder_of(olive.export_job(self.group, exportContentFolder='New one'))
        self.assertEqual(olive.folders()['New one'], made)
        foreign = otto.call(otto.content('createFolder'), title='Of otto')['folder']['id']
        for bad in (NOWHERE, foreign, 'x'):
            self.assertEqual(olive.error(export_path(self.group), exportContentFolderId=bad, **{'async': 'true'})['code'], 400)
        olive.call(export_path(self.group), exportContentFolder='Never made', previewOnly='true')
        self.assertNotIn('Never made', olive.folders())


class Titles(unittest.TestCase):
    def test_titles_that_are_no_file_names(self):
        for title in ('Roads/Rivers "x" <b> \\ é', '..', 'a\tb', '🗺' * 250):
            group = olive.group(title)
            olive.share(olive.add('Web Map', title, {}), group)
            job = olive.export_job(group)
            self.assertEqual(job['status'], 'succeeded', job['messages'])
            item = olive.item(job['result']['itemId'])
            self.assertNotIn('/', item['name'])
            self.assertTrue(item['name'].endswith('.epk'))
            self.assertEqual(Package(olive.export(group)).about()['group']['title'], olive.call(f'/sharing/rest/community/groups/{group}')['title'])

    def test_messages_are_cut_between_characters(self):
        group = olive.group('🗺' * 60)
        for n in range(8):
            olive.share(olive.add('Notebook', 'x' * n + '🗺' * 240, file=(f'{n}-cut.ipynb', b'{}')), group)
        job = olive.export_job(group)
        self.assertEqual(job['status'], 'succeeded')
        self.assertEqual(len(job['result']['itemsSkipped']), 8)
        self.assertFalse([m for m in job['messages'] if '\ufffd' in m])


class Types(unittest.TestCase):
    def skipped(self, group):
        answer = olive.call(export_path(group), previewOnly='true')
        job = olive.export_job(group)
        for entry in job['result']['itemsSkipped']:
            self.assertEqual(set(entry), {'itemId', 'title', 'type', 'reason'})
            self.assertTrue(any(entry['itemId'] in m and entry['reason'] in m for m in job['messages']), 'skips are told')
            self.assertEqual([r['reason'] for r in answer['results'] if r['id'] == entry['itemId']], [entry['reason']])
        return {e['itemId']: e for e in job['result']['itemsSkipped']}, ids_of(job['result']['itemsExported'])

    def test_types_outside_of_the_table(self):
        items = {'Notebook': olive.add('Notebook', 'n', file=('n.ipynb', b'{}')), 'Map Service': olive.add('Map Service', 'm', url='https://example.com/arcgis/rest/services/X/MapServer'),
                 'Hub Page': olive.add('Hub Page', 'h', {}), 'Something New': olive.add('Something New', 's', {})}
        good = olive.add('Web Map', 'g', {})
        group = group_with(olive, good, *items.values())
        skipped, exported = self.skipped(group)
        self.assertEqual(exported, [good])
        self.assertEqual(skipped.keys(), set(items.values()))
        for t, i in items.items():
            self.assertEqual(skipped[i]['type'], t)
            self.assertIn(t, skipped[i]['reason'])

    def test_feature_services_that_are_not_plain_hosted(self):
        plain, _ = olive.service('plain_one')
        rows = {'View Service': 'view', 'Spatiotemporal': 'spatiotemporal', 'Service Proxy': 'proxied'}
        items = {}
        for keyword, word in rows.items():
            item, _ = olive.service('kind_' + word)
            keywords = olive.item(item)['typeKeywords']
            olive.call(olive.content(f'items/{item}/update'), typeKeywords=','.join(keywords + [keyword]))
            items[item] = word
        items[olive.add('Feature Service', 'far', url='https://example.com/arcgis/rest/services/X/FeatureServer')] = 'not a hosted'
        skipped, exported = self.skipped(group_with(olive, plain, *items))
        self.assertEqual(exported, [plain])
        for item, word in items.items():
            self.assertIn(word, skipped[item]['reason'])

    def test_group_based_templates(self):
        other = olive.group()
        based = olive.add('Web Mapping Application', 'gallery', {'source': NOWHERE, 'values': {'group': other, 'title': 'x'}})
        plain = olive.add('Web Mapping Application', 'viewer', {'source': NOWHERE, 'values': {'group': '', 'webmap': NOWHERE}})
        skipped, exported = self.skipped(group_with(olive, based, plain))
        self.assertEqual((list(skipped), exported), ([based], [plain]))
        self.assertIn('group', skipped[based]['reason'])

    def test_an_export_package_is_not_packed(self):
        group = group_with(olive, olive.add('Web Map', 'm', {}))
        package = olive.export_job(group)['result']['itemId']
        olive.share(package, group)
        skipped, _ = self.skipped(group)
        self.assertEqual(list(skipped), [package])


class Whole(unittest.TestCase):
    """Each item whole."""

    def test_everything_of_an_item(self):
        item = olive.add('Web Map', 'Whole', {'a': 1}, files=[('thumbnail', ('t.png', png(3))), ('metadata', ('metadata.xml', b'<metadata/>'))], description='<b>d</b>', snippet='s',
                         accessInformation='ai', licenseInfo='li', extent='1,2,3,4', categories='/Categories/Water')
        olive.resource(item, 'images/deep/a b.png', png(4))
        parts = Package(olive.export(group_with(olive, item))).of_item(item)
        self.assertEqual(json.loads(parts['data/data.json']), {'a': 1})
        self.assertEqual(parts['resources/images/deep/a b.png'], png(4))
        self.assertEqual(parts['info/metadata/metadata.xml'], b'<metadata/>')
        self.assertEqual([d for n, d in parts.items() if n.startswith('info/thumbnail/')], [png(3)])
        told = json.loads(parts['item.json'])
        for k, v in (('title', 'Whole'), ('type', 'Web Map'), ('description', '<b>d</b>'), ('snippet', 's'), ('accessInformation', 'ai'), ('licenseInfo', 'li'), ('owner', 'olive')):
            self.assertEqual(told[k], v)

    def test_hosted_layers(self):
        item, _ = rich_service(olive, 'whole_service')
        parts = Package(olive.export(group_with(olive, item))).of_item(item)
        definition = json.loads(parts['service.json'])
        self.assertEqual([x['id'] for x in definition['layers'] + definition.get('tables', [])], [0, 7, 156, 200])
        self.assertEqual(parts['layers.gpkg'][:15], b'SQLite format 3')
        attachments = [json.loads(x) for x in parts['attachments.ndjson'].splitlines()]
        self.assertEqual([(a['layer'], a['name'], parts[f"attachments/{a['layer']}/{a['id']}"]) for a in attachments],
                         [(0, 'a b ä.txt', b'hello'), (0, 'p.png', png(2)), (0, 'same.txt', b'hello')])

    def test_relationships_with_both_ends_only(self):
        service, _ = olive.service('related_one')
        inside, outside = olive.add('Web Map', 'in', {}), olive.add('Web Map', 'out', {})
        app = olive.add('Web Mapping Application', 'app', {})
        for origin, destination, kind in ((inside, service, 'Map2Service'), (outside, service, 'Map2Service'), (inside, outside, 'Map2AppConfig')):
            olive.call(olive.content('addRelationship'), originItemId=origin, destinationItemId=destination, relationshipType=kind)
        package = Package(olive.export(group_with(olive, service, inside, app)))
        self.assertEqual(package.relationships(), [(inside, service, 'Map2Service')])


class References(unittest.TestCase):
    def test_references_that_leave_the_package(self):
        inside, not_shared, hidden = olive.add('Web Map', 'in', {}), olive.add('Web Map', 'Left at home', {}), otto.add('Web Map', 'Top secret title', {})
        item = olive.add('Web Mapping Application', 'app', {'values': {'webmap': not_shared, 'a': {'webmap': inside}, 'b': {'webmap': NOWHERE}, 'c': {'webmap': hidden}}})
        group = group_with(olive, inside, item)
        job, preview = olive.export_job(group), olive.call(export_path(group), previewOnly='true')
        for answer in (job['result'], preview):
            found = {r['value']: r for r in answer['references']}
            self.assertEqual(answer['referencesTotal'], 3)
            self.assertEqual(found.keys(), {not_shared, NOWHERE, hidden})
            self.assertEqual((found[not_shared]['itemId'], found[not_shared]['pointer'], found[not_shared]['place']), (item, '/values/webmap', 'data'))
            self.assertIn('Left at home', found[not_shared]['note'])
            self.assertIn('not found', found[NOWHERE]['note'])
            self.assertEqual(found[hidden]['note'], found[NOWHERE]['note'], 'what the caller may not see is as if it were not there')
        for value in (not_shared, NOWHERE):
            self.assertTrue(any(value in m and item in m for m in job['messages']), job['messages'])
        self.assertFalse(any(inside in m for m in job['messages']))

    def test_references_by_the_url_of_a_service(self):
        left, url = olive.service('left_by_url')
        inside, inside_url = olive.service('inside_by_url')
        item = olive.add('Web Map', 'm', {'operationalLayers': [{'id': 'a', 'url': server.url + url + '/0'}, {'id': 'b', 'url': server.url + inside_url + '/0'},
                                                                {'id': 'c', 'url': 'https://example.com/arcgis/rest/services/X/FeatureServer/0'}]})
        preview = olive.call(export_path(group_with(olive, item, inside)), previewOnly='true')
        self.assertEqual([(r['itemId'], r['pointer']) for r in preview['references']], [(item, '/operationalLayers/0/url')])
        self.assertIn('left_by_url', json.dumps(preview['references']))

    def test_stored_credentials_stay_at_home(self):
        secret = 'hunter2-do-not-tell'
        data = {'operationalLayers': [{'id': 'a', 'url': f'https://example.com/arcgis/rest/services/X/FeatureServer/0?token={secret}', 'serviceUsername': 'root' + secret, 'servicePassword': secret},
                                      {'id': 'b', 'serviceProxyParams': {'password': secret}}]}
        item = olive.add('Web Map', 'm', data, url=f'https://example.com/?token={secret}&x=1')
        olive.resource(item, 'config.json', json.dumps({'url': 'https://example.com', 'token': secret, 'x': {'servicePassword': secret}}).encode())
        group = group_with(olive, item)
        job = olive.export_job(group)
        raw = olive.item_data(job['result']['itemId'])
        package = Package(raw)
        for name, data in package.all().items():
            self.assertNotIn(secret.encode(), data, name)
        told = [m for m in job['messages'] if 'edacted' in m]
        self.assertTrue(all(item in m for m in told))
        for place in ('/operationalLayers/0/url', '/operationalLayers/0/servicePassword', '/operationalLayers/0/serviceUsername', '/operationalLayers/1/serviceProxyParams', 'config.json'):
            self.assertTrue(any(place in m for m in told), (place, told))
        self.assertNotIn(secret, json.dumps(job))
        self.assertEqual([olive.item_json(item)['operationalLayers'][0]['servicePassword']], [secret], 'the item itself keeps it')


class Limits(unittest.TestCase):
    """Settings that refuse, on a portal of their own."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.admin = self.server.sign_in()

    def restarted(self, **settings):
        self.server.restart(**settings)
        self.admin = self.server.sign_in()

    def test_one_item_too_large(self):
        small, large = self.admin.add('PDF', 'small', file=('s.pdf', PDF)), self.admin.add('PDF', 'large', file=('l.pdf', PDF + bytes(200000)))
        service, url = self.admin.service('too_large', definition={'layers': [layer(0, 'P', 'Point', (('name', 'String'),))]})
        for i in range(4):
            self.admin.add_features(url + '/0', [{'attributes': {'name': f'{i}-{k}' * 10}, 'geometry': {'x': k % 90, 'y': 1}} for k in range(500)])
        group = group_with(self.admin, small, large)
        both = group_with(self.admin, small, service)
        self.restarted(**{'export.maxItemBytes': '150K'})
        for g, failed in ((group, large), (both, service)):
            job = self.admin.export_job(g)
            self.assertEqual(job['status'], 'succeeded', job['messages'])
            self.assertEqual(ids_of(job['result']['itemsExported']), [small])
            self.assertEqual(ids_of(job['result']['itemsFailedExport']), [failed])
            entry = job['result']['itemsFailedExport'][0]
            self.assertEqual(set(entry), {'itemId', 'title', 'type', 'reason'})
            self.assertIn('export.maxItemBytes', entry['reason'])
            self.assertEqual(Package(self.admin.item_data(job['result']['itemId'])).items(), [small])
            self.assertTrue(any(failed in m and 'export.maxItemBytes' in m for m in job['messages']), job['messages'])

    def test_lost_content_of_one_item(self):
        """A file of the store that is gone is the trouble of its item alone."""
        whole, lost = (self.admin.add('PDF', n, file=(n + '.pdf', PDF + n.encode() * 20000)) for n in ('whole', 'lost'))
        group = group_with(self.admin, whole, lost)
        name = hashlib.sha256(PDF + b'lost' * 20000).hexdigest()
        path = os.path.join(self.server.data, 'content', name[:2], name)
        os.rename(path, path + '.aside')
        try:
            job = self.admin.export_job(group)
        finally:
            os.rename(path + '.aside', path)
        self.assertEqual(job['status'], 'succeeded', job['messages'])
        self.assertEqual(ids_of(job['result']['itemsExported']), [whole])
        self.assertEqual(ids_of(job['result']['itemsFailedExport']), [lost])
        self.assertIn('missing', job['result']['itemsFailedExport'][0]['reason'])
        self.assertEqual(Package(self.admin.item_data(job['result']['itemId'])).items(), [whole])

    def test_the_package_too_large(self):
        import random
        rng = random.Random(1)
        items = [self.admin.add('PDF', f'{i}', file=(f'{i}.pdf', PDF + rng.randbytes(60000))) for i in range(4)]
        group = group_with(self.admin, *items)
        self.restarted(**{'export.maxPackageBytes': '150K'})
        job = self.admin.export_job(group)
        self.assertEqual(job['status'], 'failed')
        self.assertIn('export.maxPackageBytes', ' '.join(job['messages']))
        self.assertNotIn('result', job)
        self.assertEqual(len(self.admin.own_items()), 4)
        self.assertIn('export.maxPackageBytes', json.dumps(self.admin.error(export_path(group))))
        self.assertEqual(Package(self.admin.export(group, itemIdList=items[0])).items(), [items[0]])

    def test_free_space(self):
        item = self.admin.add('PDF', 'small', file=('s.pdf', PDF))
        group = group_with(self.admin, item)
        package = self.admin.upload(self.admin.export(group))
        self.restarted(**{'store.minFreeBytes': '900000G'})
        before = self.admin.own_items()
        errors = [self.admin.error(export_path(group)), self.admin.error(export_path(group), **{'async': 'true'}),
                  self.admin.error(f'/sharing/rest/community/groups/{group}/import', itemId=package),
                  self.admin.error(f'/sharing/rest/community/groups/{group}/import', itemId=package, **{'async': 'true'})]
        for e in errors:
            text = json.dumps(e)
            self.assertIn('store.minFreeBytes', text)
            self.assertGreaterEqual(len(re.findall(r'\d{6,}', text)), 2, 'free and needed are named: ' + text)
        self.assertEqual(self.admin.own_items().keys(), before.keys())

    def test_strict_types_done_word_and_api_level(self):
        documented, assumed = self.admin.add('Web Map', 'd', {}), self.admin.add('PDF', 'a', file=('a.pdf', PDF))
        experience = self.admin.add('Web Experience', 'e', {})
        group = group_with(self.admin, documented, assumed, experience)
        self.restarted(**{'strict-types': None, 'jobs.exportDoneWord': 'completed', 'api-level': '11.0'})
        self.assertEqual(self.admin.call('/sharing/rest/portals/self/jobs')['total'], 0)
        started = self.admin.started(group, 'export')
        job = self.admin.ended(started)
        self.assertEqual(job['status'], 'completed')
        self.assertEqual(ids_of(job['result']['itemsExported']), [documented])
        reasons = {e['itemId']: e['reason'] for e in job['result']['itemsSkipped']}
        self.assertIn('strict', reasons[assumed])
        self.assertIn('11.1', reasons[experience])


class Restart(unittest.TestCase):
    def test_a_job_goes_on_after_a_restart(self):
        own = Server()
        self.addCleanup(own.close)
        person = own.sign_in()
        items = [person.add('PDF', f'P{i}', file=(f'{i}.pdf', PDF + bytes(10000))) for i in range(5)]
        group = group_with(person, *items)
        expected = Package(person.export(group)).hash
        started = [person.started(group, 'export') for _ in range(3)]
        own.restart()
        person = own.sign_in()
        jobs = [person.ended(s) for s in started]
        self.assertEqual([j['status'] for j in jobs], ['succeeded'] * 3, jobs)
        self.assertEqual({Package(person.item_data(j['result']['itemId'])).hash for j in jobs}, {expected})
        for j in jobs:
            self.assertEqual(len([m for m in j['messages'] if m.startswith('Starting export')]), 1)


if __name__ == '__main__':
    main()
