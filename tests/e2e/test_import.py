"""Group import, sentence by sentence of the import document and of the rules for jobs and packages, against the program over HTTP; and whole
cycles of import, export, import for every kind of item."""
import json
import random
import re
import unittest

from moving import (PDF, PASSWORD, Package, Person, Server, fixture, ids_of, is_key, layer, main, path_of, png, poll, rich_service, service_state, zipped)

NOWHERE = 'f' * 32


def setUpModule():
    """`one` is where packages come from; `two` where they go."""
    global one, two, boss, admin, ivy, otto, uma, nobody
    one, two = Server(), Server()
    boss = one.sign_in()
    admin = two.sign_in()
    ivy, otto = two.add_user('ivy'), two.add_user('otto')
    uma = two.add_user('uma', 'org_user')
    nobody = Person(two.url)


def tearDownModule():
    one.close()
    two.close()


def import_path(group):
    return f'/sharing/rest/community/groups/{group}/import'


def packed(*items, **fields):
    """The bytes of a package of items of portal one."""
    group = boss.group()
    for i in items:
        boss.share(i, group)
    return boss.export(group, **fields)


def maps(count, **fields):
    return sorted(boss.add('Web Map', f'Map {i}', {'version': str(i)}, **fields) for i in range(count))


def wipe(person):
    """Deletes everything of a person, items first."""
    for i in person.own_items():
        person.call(person.content(f'items/{i}/delete'))


class Results(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.items = maps(3)
        cls.package = packed(*cls.items)

    def setUp(self):
        self.addCleanup(wipe, ivy)

    def test_synchronous(self):
        group = ivy.group('Where it goes')
        package = ivy.upload(self.package)
        answer = ivy.call(import_path(group), itemId=package)
        self.assertEqual(set(answer), {'result'})
        self.assertEqual(ids_of(answer['result']['itemsImported']), self.items)
        self.assertEqual((answer['result']['itemsSkipped'], answer['result']['itemsFailedImport']), ([], []))
        self.assertEqual(ivy.items_of_group(group), self.items)
        self.assertFalse(ivy.has(package), 'the package is deleted')
        folder = ivy.folders()['Where it goes']
        for i in self.items:
            item = ivy.call(ivy.content(f'items/{i}'))
            self.assertEqual((item['item']['owner'], item['item']['ownerFolder'], item['item']['access']), ('ivy', folder, 'shared' if item['item']['access'] == 'shared' else 'private'))
            self.assertEqual(item['sharing']['groups'], [group])
            source = boss.item(i)
            for member in ('title', 'type', 'tags', 'typeKeywords', 'created', 'modified', 'size'):
                self.assertEqual(item['item'][member], source[member], member)
            self.assertEqual(otto.error(f'/sharing/rest/content/items/{i}')['code'], 403)

    def test_asynchronous(self):
        group = ivy.group('Ein Ziel')
        package = ivy.upload(self.package)
        started = ivy.started(group, 'import', itemId=package, overwriteExistingItems='true')
        self.assertEqual(set(started), {'jobId', 'key'})
        self.assertTrue(is_key(started['key']))
        job = ivy.ended(started)
        self.assertEqual(job['status'], 'completed')
        self.assertEqual(job['definition'], {'type': 'import', 'itemId': package, 'groupId': group, 'groupTitle': 'Ein Ziel'})
        self.assertEqual(job['messages'], [f"Starting import of items from EPK item '{package}' to group 'Ein Ziel'.",
                                           f"Starting the import of exported package item '{package}' containing 3 items.",
                                           "Import option to overwrite items if they exist is set to 'true'."])
        self.assertEqual(ids_of(job['result']['itemsImported']), self.items)
        self.assertEqual(job['progress']['itemsDone'], 3)
        self.assertEqual(admin.job({'jobId': started['jobId']}, method='GET'), job)
        path = f"/sharing/rest/portals/self/jobs/{started['jobId']}"
        for who, key in ((ivy, None), (ivy, 'x' * 44), (otto, started['key']), (otto, None)):
            self.assertEqual(who.error(path, key=key)['code'], 400)

    def test_a_done_word_of_export_is_not_that_of_import(self):
        own = Server(**{'jobs.exportDoneWord': 'finished'})
        self.addCleanup(own.close)
        person = own.sign_in()
        group = person.group()
        self.assertEqual(person.import_job(group, self.package)['status'], 'completed')

    def test_a_subset(self):
        group = ivy.group()
        package = ivy.upload(self.package)
        result = ivy.imported(group, package, itemIdList=f'{self.items[2]}, {self.items[0]},', keepPackageItemAfterImport='true')
        self.assertEqual(ids_of(result['itemsImported']), [self.items[0], self.items[2]])
        self.assertEqual((result['itemsSkipped'], result['itemsFailedImport']), ([], []))
        self.assertFalse(ivy.has(self.items[1]))
        result = ivy.imported(group, package, itemIdList=f'{self.items[1]},{NOWHERE}')
        self.assertEqual(ids_of(result['itemsImported']), [self.items[1]])
        self.assertEqual(ids_of(result['itemsSkipped']), [NOWHERE])
        self.assertEqual(set(result['itemsSkipped'][0]), {'itemId', 'title', 'type', 'reason'})
        self.assertEqual(ivy.items_of_group(group), self.items)

    def test_bad_parameters_change_nothing(self):
        group = ivy.group()
        package, other = ivy.upload(self.package), ivy.add('Web Map', 'no package', {})
        before = ivy.own_items().keys()
        for fields in ({}, {'itemId': 'x'}, {'itemId': NOWHERE}, {'itemId': other}, {'itemId': package, 'itemIdList': 'x'}, {'itemId': package, 'folderId': NOWHERE},
                       {'itemId': package, 'folderId': 'x'}, {'itemId': package, 'folderOwnerUsername': 'nobody'}, {'itemId': package, 'async': 'perhaps'},
                       {'itemId': package, 'importContentFolder': 'x' * 5000}):
            code = ivy.error(import_path(group), **fields)['code']
            self.assertIn(code, (400, 403), fields)
        self.assertEqual(ivy.own_items().keys(), before)
        self.assertEqual(ivy.items_of_group(group), [])
        self.assertEqual(ivy.raw(import_path(group), {'f': 'json', 'itemId': package}, method='GET')[0], 405)

    def test_something_that_is_no_package(self):
        group = ivy.group()
        for data in (b'', b'hello', zipped(a_txt=b'x'), self.package[:-1], self.package[:len(self.package) // 2], self.package + b'x'):
            package = ivy.add('Export Package', 'broken', file=('x.epk', data or b'\n'))
            self.assertEqual(ivy.error(import_path(group), itemId=package)['code'] // 100, 4)
            self.assertEqual(ivy.error(import_path(group), itemId=package, previewOnly='true')['code'] // 100, 4)
            job = ivy.import_job(group, package)
            self.assertEqual(job['status'], 'failed')
            self.assertTrue(ivy.has(package), 'it is kept')
            ivy.call(ivy.content(f'items/{package}/delete'))
        self.assertEqual(ivy.items_of_group(group), [])
        self.assertNotIn('error', ivy.call('/sharing/rest/portals/self'))

    def test_one_flipped_bit_changes_nothing(self):
        noise = random.Random(1).randbytes(5000)
        item = boss.add('PDF', 'p', file=('p.pdf', noise))
        data = bytearray(packed(*self.items, item))
        data[data.index(noise) + 3] ^= 1
        group = ivy.group()
        job = ivy.import_job(group, bytes(data))
        self.assertEqual(job['status'], 'failed')
        self.assertIn(item, ' '.join(job['messages']), 'the damaged member is named')
        self.assertEqual(ivy.items_of_group(group), [])
        self.assertFalse(any(ivy.has(i) for i in self.items))


class Rights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.item, = maps(1)
        cls.service, _ = boss.service('rights_service')
        cls.package = packed(cls.item, cls.service)

    def tearDown(self):
        for p in (ivy, otto, uma, admin):
            wipe(p)

    def test_only_the_owner_of_the_group_and_administrators(self):
        group = ivy.group(access='org')
        ivy.call(f'/sharing/rest/community/groups/{group}/addUsers', users='uma', admins='otto')
        for who in (otto, uma):
            package = who.upload(self.package)
            for fields in ({}, {'previewOnly': 'true'}, {'async': 'true'}):
                self.assertEqual(who.error(import_path(group), itemId=package, **fields)['code'], 403)
            self.assertEqual(who.error(f'/sharing/rest/community/groups/{group}/importPreview/{package}')['code'], 403)
        self.assertEqual(nobody.error(import_path(group), itemId=package)['code'], 499)
        self.assertEqual(nobody.error(f'/sharing/rest/community/groups/{group}/importPreview/{package}')['code'], 499)
        private = ivy.group()
        self.assertEqual(otto.error(import_path(private), itemId=package)['messageCode'], 'COM_0003')
        result = admin.imported(group, self.package)
        self.assertEqual(ids_of(result['itemsImported']), sorted([self.item, self.service]))
        self.assertEqual({admin.item(i)['owner'] for i in (self.item, self.service)}, {'admin'})

    def test_somebody_elses_package(self):
        package = otto.upload(self.package)
        group = ivy.group()
        for fields in ({}, {'previewOnly': 'true'}):
            self.assertIn(ivy.error(import_path(group), itemId=package, **fields)['code'], (400, 403))
        self.assertIn(ivy.error(f'/sharing/rest/community/groups/{group}/importPreview/{package}')['code'], (400, 403))

    def test_without_the_right_to_publish_services_fail(self):
        group = uma.group()
        package = uma.upload(self.package)
        preview = {r['id']: r for r in uma.preview(group, package)['results']}
        self.assertEqual((preview[self.item]['canImport'], preview[self.service]['canImport']), (True, False))
        result = uma.imported(group, package)
        self.assertEqual(ids_of(result['itemsImported']), [self.item])
        self.assertEqual(ids_of(result['itemsFailedImport']), [self.service])
        self.assertEqual(set(result['itemsFailedImport'][0]), {'itemId', 'title', 'type', 'reason'})
        self.assertIn('publish', result['itemsFailedImport'][0]['reason'])
        self.assertEqual(preview[self.service]['reason'], result['itemsFailedImport'][0]['reason'])
        self.assertTrue(uma.has(package), 'kept, since something failed')
        self.assertFalse(uma.has(self.service))

    def test_folder_owner(self):
        group = ivy.group(access='org')
        package = ivy.upload(self.package)
        self.assertEqual(ivy.error(import_path(group), itemId=package, folderOwnerUsername='otto')['code'], 403)
        self.assertNotIn('error', ivy.imported(group, package, folderOwnerUsername='ivy', itemIdList=self.item, keepPackageItemAfterImport='true'))
        wipe(ivy)
        result = admin.imported(group, self.package, folderOwnerUsername='otto', importContentFolder='From afar')
        self.assertEqual(ids_of(result['itemsImported']), sorted([self.item, self.service]))
        folder = otto.folders()['From afar']
        for i in (self.item, self.service):
            item = otto.item(i)
            self.assertEqual((item['owner'], item['ownerFolder']), ('otto', folder))
        wipe(otto)
        self.assertEqual(admin.imported(group, self.package, folderOwnerUsername='otto', folderId=folder)['itemsFailedImport'], [])
        self.assertEqual(otto.item(self.item)['ownerFolder'], folder)
        wipe(otto)
        self.assertEqual(admin.error(import_path(group), itemId=admin.upload(self.package), folderId=folder)['code'], 400, "otto's folder, but not otto's content")


class Folders(unittest.TestCase):
    def setUp(self):
        self.items = maps(2)
        self.package = ivy.upload(packed(*self.items))
        self.addCleanup(wipe, ivy)

    def where(self, item):
        return ivy.item(item)['ownerFolder']

    def test_named_after_the_group_and_reused(self):
        group = ivy.group('Named 名')
        ivy.imported(group, self.package, itemIdList=self.items[0], keepPackageItemAfterImport='true')
        folder = ivy.folders()['Named 名']
        ivy.imported(group, self.package, itemIdList=self.items[1])
        self.assertEqual([self.where(i) for i in self.items], [folder, folder])
        self.assertEqual(list(ivy.folders()).count('Named 名'), 1)

    def test_chosen_by_id_or_title(self):
        group = ivy.group('Not used as a folder')
        folder = ivy.call(ivy.content('createFolder'), title='Chosen')['folder']['id']
        ivy.imported(group, self.package, itemIdList=self.items[0], folderId=folder, keepPackageItemAfterImport='true')
        ivy.imported(group, self.package, itemIdList=self.items[1], importContentFolder='Fresh')
        self.assertEqual([self.where(i) for i in self.items], [folder, ivy.folders()['Fresh']])
        self.assertNotIn('Not used as a folder', ivy.folders())


class Preview(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.items = maps(30)
        cls.data = packed(*cls.items, outputFileName='Thirty')
        cls.group = ivy.group()
        cls.package = ivy.upload(cls.data)

    @classmethod
    def tearDownClass(cls):
        wipe(ivy)

    def page(self, method, **fields):
        return ivy.call(f'/sharing/rest/community/groups/{self.group}/importPreview/{self.package}', method=method, **fields)

    def test_the_first_page(self):
        before = ivy.own_items().keys()
        p = ivy.preview(self.group, self.package)
        self.assertEqual(list(p), ['packageSummary', 'total', 'start', 'num', 'nextStart', 'results'])
        self.assertEqual((p['total'], p['start'], p['num'], p['nextStart'], len(p['results'])), (30, 1, 25, 26, 25))
        s = p['packageSummary']
        self.assertEqual((s['id'], s['fileName'], s['packageVersion']), (self.package, 'Thirty', '1.0'))
        self.assertIsInstance(s['packageCreated'], int)
        self.assertEqual(set(s['sourcePortalInfo']), {'httpsUrl', 'httpUrl', 'version', 'portalId', 'isPortal'})
        self.assertIn(one.url, (s['sourcePortalInfo']['httpUrl'], s['sourcePortalInfo']['httpsUrl']))
        self.assertTrue(s['sourcePortalInfo']['isPortal'])
        r = p['results'][0]
        source = boss.item(r['id'])
        self.assertEqual((r['type'], r['title'], r['exists'], r['canImport'], r['created'], r['modified'], r['size']), ('Web Map', source['title'], False, True, source['created'], source['modified'], source['size']))
        self.assertNotIn('reason', r)
        self.assertEqual(ivy.own_items().keys(), before)
        self.assertFalse(any(ivy.has(i) for i in self.items))
        self.assertEqual(ivy.items_of_group(self.group), [])

    def test_pages(self):
        for method in ('GET', 'POST'):
            self.assertEqual(self.page(method), ivy.preview(self.group, self.package))
            seen, start = [], 1
            while start != -1:
                p = self.page(method, start=str(start), num='7')
                seen += [r['id'] for r in p['results']]
                self.assertEqual((p['total'], p['start'], p['num']), (30, start, len(p['results'])))
                start = p['nextStart']
            self.assertEqual(seen, self.items)
            self.assertEqual(self.page(method, start='31')['results'], [])
            for bad in ({'start': '0'}, {'num': '0'}, {'start': '-5'}, {'num': '99999999999999999999'}, {'start': 'x'}):
                self.assertEqual(ivy.error(f'/sharing/rest/community/groups/{self.group}/importPreview/{self.package}', method=method, **bad)['code'], 400, bad)
            self.assertEqual(self.page(method, start='9223372036854775807')['results'], [])

    def test_a_subset(self):
        p = ivy.preview(self.group, self.package, itemIdList=f'{self.items[3]},{NOWHERE}')
        self.assertEqual([(r['id'], r['canImport']) for r in p['results']], [(self.items[3], True), (NOWHERE, False)])

    def test_existing_items(self):
        taken = self.items[4]
        admin.add('Web Map', 'mine', {}, itemIdToCreate=taken)
        self.addCleanup(wipe, admin)
        for fields in ({}, {'overwriteExistingItems': 'true'}):
            r = ivy.preview(self.group, self.package, itemIdList=taken, **fields)['results'][0]
            self.assertEqual((r['exists'], r['canImport']), (True, False))
            self.assertTrue(r['reason'])
        mine = admin.group()
        package = admin.upload(self.data)
        r = admin.preview(mine, package, itemIdList=taken)['results'][0]
        self.assertEqual((r['exists'], r['canImport']), (True, False))
        r = admin.preview(mine, package, itemIdList=taken, overwriteExistingItems='true')['results'][0]
        self.assertEqual((r['exists'], r['canImport']), (True, True))

    def test_previews_say_what_imports_do(self):
        self.assertEqual(ivy.error(f'/sharing/rest/community/groups/{self.group}/importPreview/{NOWHERE}')['code'], 400)
        self.assertEqual(ivy.error(f'/sharing/rest/community/groups/{self.group}/importPreview/nonsense')['code'], 400)
        self.assertEqual(ivy.error(f'/sharing/rest/community/groups/{NOWHERE}/importPreview/{self.package}')['messageCode'], 'COM_0003')


class Overwrite(unittest.TestCase):
    def setUp(self):
        self.item = boss.add('Web Map', 'New title', {'new': True}, snippet='new', files=[('thumbnail', ('t.png', png(9)))])
        boss.resource(self.item, 'new.json', b'{}')
        self.data = packed(self.item)
        self.addCleanup(lambda: [wipe(p) for p in (ivy, admin, otto)])

    def there(self, person, item_type='Web Map', **fields):
        """The same id on portal two, older and different."""
        admin.add(item_type, 'Old title', {'old': True}, itemIdToCreate=self.item, description='old words')
        if person is not admin:
            admin.call(admin.content(f'items/{self.item}/reassign'), targetUsername=person.user, targetFolderName='/')
        person.resource(self.item, 'old.json', b'{}')
        return person.item(self.item)

    def state(self, person):
        item = person.item(self.item)
        return item, person.item_json(self.item), person.call(f'/sharing/rest/content/items/{self.item}/resources')['resources']

    def test_not_asked_for(self):
        self.there(ivy)
        before = self.state(ivy)
        group = ivy.group()
        package = ivy.upload(self.data)
        result = ivy.imported(group, package)
        self.assertEqual((result['itemsImported'], result['itemsFailedImport']), ([], []))
        entry, = result['itemsSkipped']
        self.assertEqual((entry['itemId'], entry['title'], entry['type']), (self.item, 'New title', 'Web Map'))
        self.assertIn('overwriteExistingItems', entry['reason'])
        after = self.state(ivy)
        self.assertEqual(before[0] | {'numViews': 0, 'lastViewed': 0}, after[0] | {'numViews': 0, 'lastViewed': 0})
        self.assertEqual(before[1:], after[1:])
        self.assertFalse(ivy.has(package), 'nothing failed')

    def test_keeps_owner_folder_sharing_and_created(self):
        self.there(ivy)
        folder = ivy.call(ivy.content('createFolder'), title='Kept')['folder']['id']
        ivy.call(ivy.content(f'items/{self.item}/move'), folder=folder)
        other, group = ivy.group(), ivy.group()
        ivy.share(self.item, other)
        ivy.call(ivy.content(f'items/{self.item}/share'), org='true')
        old = ivy.call(ivy.content(f'items/{self.item}'))
        result = ivy.imported(group, self.data, overwriteExistingItems='true')
        self.assertEqual(ids_of(result['itemsImported']), [self.item])
        new = ivy.call(ivy.content(f'items/{self.item}'))
        for member in ('owner', 'ownerFolder', 'created', 'access', 'protected'):
            self.assertEqual(new['item'][member], old['item'][member], member)
        self.assertEqual(new['sharing'], old['sharing'])
        self.assertEqual((new['item']['title'], new['item']['snippet'], new['item']['description']), ('New title', 'new', None))
        self.assertEqual(ivy.item_json(self.item), {'new': True})
        self.assertEqual([r['resource'] for r in ivy.call(f'/sharing/rest/content/items/{self.item}/resources')['resources']], ['new.json'])
        self.assertEqual(ivy.data(f"/sharing/rest/content/items/{self.item}/info/{new['item']['thumbnail']}")[1], png(9))

    def test_overwrite_by_an_administrator(self):
        self.there(ivy)
        group = admin.group()
        self.assertEqual(ids_of(admin.imported(group, self.data, overwriteExistingItems='true')['itemsImported']), [self.item])
        self.assertEqual(admin.item(self.item)['owner'], 'ivy')

    def test_another_type(self):
        self.there(ivy, 'Web Scene')
        before = self.state(ivy)[1:]
        package = ivy.upload(self.data)
        result = ivy.imported(ivy.group(), package, overwriteExistingItems='true')
        self.assertEqual(ids_of(result['itemsFailedImport']), [self.item])
        self.assertIn('Web Scene', result['itemsFailedImport'][0]['reason'])
        self.assertEqual(self.state(ivy)[1:], before)
        self.assertTrue(ivy.has(package), 'kept, since an item failed')

    def test_not_permitted(self):
        self.there(otto, 'Web Scene')
        before = self.state(otto)[1:]
        result = ivy.imported(ivy.group(), self.data, overwriteExistingItems='true')
        self.assertEqual(ids_of(result['itemsFailedImport']), [self.item])
        self.assertIn('may not', result['itemsFailedImport'][0]['reason'])
        self.assertNotIn('Web Scene', result['itemsFailedImport'][0]['reason'], 'nothing of an item that may not be seen')
        self.assertEqual(self.state(otto)[1:], before)

    def test_into_the_portal_of_origin(self):
        """Backup and restore: the package comes back where it came from."""
        group = boss.group()
        boss.call(boss.content(f'items/{self.item}/update'), title='Changed', text='{"changed":1}')
        boss.imported(group, self.data, overwriteExistingItems='true')
        self.assertEqual((boss.item(self.item)['title'], boss.item_json(self.item)), ('New title', {'new': True}))

    def test_the_package_item(self):
        group = ivy.group()
        for fields, kept in (({'keepPackageItemAfterImport': 'true'}, True), ({'keepPackageItemAfterImport': 'false', 'overwriteExistingItems': 'true'}, False), ({}, False)):
            package = ivy.upload(self.data)
            job = ivy.import_job(group, package, **fields)
            self.assertEqual(job['status'], 'completed')
            self.assertEqual(ivy.has(package), kept, fields)

    def test_a_protected_package_item_is_no_failure(self):
        package = ivy.upload(self.data)
        ivy.call(ivy.content(f'items/{package}/protect'))
        job = ivy.import_job(ivy.group(), package)
        self.assertEqual((job['status'], ids_of(job['result']['itemsImported'])), ('completed', [self.item]))
        self.assertTrue(ivy.has(package))
        self.assertTrue(any('not deleted' in m for m in job['messages']))
        ivy.call(ivy.content(f'items/{package}/unprotect'))


class Versions(unittest.TestCase):
    def test_an_older_portal_refuses_and_says_why(self):
        item, = maps(1)
        data = packed(item)
        old = Server(**{'api-level': '11.3'})
        self.addCleanup(old.close)
        person = old.sign_in()
        group, package = person.group(), person.upload(data)
        r, = person.preview(group, package)['results']
        self.assertEqual((r['exists'], r['canImport']), (False, False))
        for word in ('11.4', '11.3'):
            self.assertIn(word, r['reason'])
            self.assertIn(word, json.dumps(person.error(import_path(group), itemId=package)))
            job = person.import_job(group, package)
            self.assertEqual(job['status'], 'failed')
            self.assertIn(word, ' '.join(job['messages']))
        self.assertTrue(person.has(package))
        self.assertFalse(person.has(item))
        self.assertEqual(person.folders(), {})
        for later in ('11.4', '11.10', '12'):
            old.restart(**{'api-level': later})
            person = old.sign_in()
            self.assertTrue(person.preview(group, package)['results'][0]['canImport'], later)


class Services(unittest.TestCase):
    def setUp(self):
        self.addCleanup(lambda: [wipe(p) for p in (ivy, admin)])

    def test_a_taken_name_gets_a_suffix_and_references_follow(self):
        service, url = rich_service(boss, 'taken_name')
        url = one.url + url
        layers = [{'id': 'a', 'url': url + '/156', 'itemId': service}, {'id': 'b', 'url': url + '/0'}, {'id': 'c', 'url': url}]
        web_map = boss.add('Web Map', 'm', {'operationalLayers': layers, 'note': f'see {url}/7?f=json&x=%2F', 'baseMap': {'baseMapLayers': [{'url': 'https://example.com/arcgis/rest/services/X/MapServer'}]}})
        app = boss.add('Web Experience', 'e', {'dataSources': {'d': {'itemId': service, 'url': url + '/0', 'portalUrl': one.url}}})
        boss.resource(app, 'config/config.json', json.dumps({'dataSources': {'d': {'itemId': service, 'url': url + '/0', 'portalUrl': one.url}}, 'coded': url.replace(':', '%3A').replace('/', '%2F')}).encode())
        other, _ = admin.service('taken_name')
        admin.service('TAKEN_NAME_1')
        result = ivy.imported(ivy.group(), packed(service, web_map, app))
        self.assertEqual(ids_of(result['itemsImported']), sorted([service, web_map, app]))
        new = ivy.item(service)['url']
        self.assertEqual(new, two.url + '/server/rest/services/Hosted/taken_name_2/FeatureServer')
        data = ivy.item_json(web_map)
        self.assertEqual([x['url'] for x in data['operationalLayers']], [new + '/156', new + '/0', new])
        self.assertEqual(data['note'], f'see {new}/7?f=json&x=%2F')
        self.assertEqual(data['baseMap']['baseMapLayers'][0]['url'], 'https://example.com/arcgis/rest/services/X/MapServer')
        for text in (ivy.item_data(app), ivy.data(f'/sharing/rest/content/items/{app}/resources/config/config.json')[1]):
            self.assertEqual(json.loads(text)['dataSources']['d'], {'itemId': service, 'url': new + '/0', 'portalUrl': two.url})
            self.assertNotIn(str(one.port).encode(), text)
        self.assertEqual(json.loads(text)['coded'], new.replace(':', '%3A').replace('/', '%2F'))
        self.assertEqual(service_state(ivy, path_of(new)), service_state(boss, path_of(url)))
        self.assertEqual(admin.item(other)['url'], two.url + '/server/rest/services/Hosted/taken_name/FeatureServer')

    def test_two_services_of_one_package_do_not_take_the_same_name(self):
        a, _ = boss.service('pair')
        b, _ = boss.service('pair_1')
        admin.service('pair')
        ivy.imported(ivy.group(), packed(a, b))
        urls = {ivy.item(i)['url'] for i in (a, b)}
        self.assertEqual(len(urls), 2)
        for u in urls:
            self.assertNotIn('error', ivy.call(path_of(u)))

    def test_overwriting_keeps_the_url(self):
        service, url = rich_service(boss, 'overwritten')
        data = packed(service)
        admin.service('overwritten')
        group = ivy.group()
        ivy.imported(group, data)
        before = ivy.item(service)
        self.assertIn('overwritten_1', before['url'])
        here = path_of(before['url'])
        boss.add_features(url + '/0', [{'attributes': {'name': 'later', 'n': 9}, 'geometry': {'x': 1, 'y': 1}}])
        boss.call(url.replace('/rest/services', '/rest/admin/services') + '/addToDefinition', addToDefinition={'layers': [layer(300, 'Fresh', 'Point', (('x', 'Integer'),))]})
        self.assertEqual(ids_of(ivy.imported(group, packed(service), overwriteExistingItems='true')['itemsImported']), [service])
        self.assertEqual(ivy.item(service)['url'], before['url'])
        self.assertEqual(service_state(ivy, here), service_state(boss, url))
        self.assertEqual(ids_of(ivy.imported(group, data, overwriteExistingItems='true')['itemsImported']), [service])
        self.assertEqual(sorted(service_state(ivy, here)), [0, 7, 156, 200])
        self.assertEqual(len(ivy.features(here + '/0')), 3)

    def test_the_old_data_answers_until_the_new_is_whole(self):
        """A damaged layer file inside of a sound package is found only when its rows are read: the service stays as it was."""
        service, url = boss.service('unharmed', definition={'layers': [layer(0, 'P', 'Point', (('name', 'String'),))]})
        boss.add_features(url + '/0', [{'attributes': {'name': f'row {i}'}, 'geometry': {'x': i % 90, 'y': 1}} for i in range(1500)])
        group = ivy.group()
        ivy.imported(group, packed(service))
        here = path_of(ivy.item(service)['url'])
        boss.add_features(url + '/0', [{'attributes': {'name': f'more {i}'}, 'geometry': {'x': i % 90, 'y': 2}} for i in range(1500)])
        started = ivy.started(group, 'import', itemId=ivy.upload(packed(service)), overwriteExistingItems='true')
        seen = set()

        def count():
            seen.add(ivy.call(here + '/0/query', where='1=1', returnCountOnly='true')['count'])
            return ivy.job(started)['status'] == 'completed'
        poll(count)
        count()
        self.assertLessEqual(seen, {1500, 3000})
        self.assertIn(3000, seen)

    def test_type_of_the_service_there(self):
        service, _ = boss.service('now_hosted')
        admin.add('Feature Service', 'registered', url='https://example.com/arcgis/rest/services/Q/FeatureServer', itemIdToCreate=service)
        result = admin.imported(admin.group(), packed(service), overwriteExistingItems='true')
        self.assertEqual(ids_of(result['itemsFailedImport']), [service])
        self.assertEqual(admin.item(service)['url'], 'https://example.com/arcgis/rest/services/Q/FeatureServer')


class References(unittest.TestCase):
    def setUp(self):
        self.addCleanup(lambda: [wipe(p) for p in (ivy, admin)])

    def test_an_item_that_exists_only_here(self):
        """Its id stays, its URL is taken."""
        service, url = boss.service('stays_home')
        web_map = boss.add('Web Map', 'm', {'operationalLayers': [{'id': 'x', 'url': one.url + url + '/3', 'itemId': service}]})
        ivy.imported(ivy.group(), packed(service))
        renamed = ivy.item(service)['url']
        wipe(ivy)
        admin.service('stays_home')
        ivy.imported(ivy.group(), packed(service))
        here = ivy.item(service)['url']
        self.assertNotEqual(here, renamed)
        result = ivy.imported(ivy.group(), packed(web_map))
        self.assertEqual(ivy.item_json(web_map)['operationalLayers'][0], {'id': 'x', 'url': here + '/3', 'itemId': service})
        self.assertEqual([r for r in result['references'] if 'nresolved' in r['note']], [])

    def test_a_registered_service_that_exists_here(self):
        far = boss.add('Feature Service', 'far', url='https://source.example.com/arcgis/rest/services/X/FeatureServer')
        web_map = boss.add('Web Map', 'm', {'operationalLayers': [{'id': 'x', 'url': 'https://source.example.com/arcgis/rest/services/X/FeatureServer/3', 'itemId': far}]})
        admin.add('Feature Service', 'near', url='https://target.example.com/arcgis/rest/services/Y/FeatureServer', itemIdToCreate=far)
        admin.call(f'/sharing/rest/content/items/{far}/share', org='true')  # what the importer may not read tells him nothing
        ivy.imported(ivy.group(), packed(web_map))
        self.assertEqual(ivy.item_json(web_map)['operationalLayers'][0]['url'], 'https://target.example.com/arcgis/rest/services/Y/FeatureServer/3')

    def test_unresolved_with_its_pointer(self):
        service, url = boss.service('never_here')
        data = {'operationalLayers': [{'id': 'x', 'itemId': service, 'url': one.url + url + '/0'}], 'tables': [{'itemId': NOWHERE}]}
        web_map = boss.add('Web Map', 'm', data)
        job = ivy.import_job(ivy.group(), packed(web_map))
        self.assertEqual(job['status'], 'completed')
        found = {(r['pointer'], r['value']): r for r in job['result']['references']}
        for pointer, value in (('/operationalLayers/0/itemId', service), ('/tables/0/itemId', NOWHERE)):
            r = found[pointer, value]
            self.assertEqual((r['itemId'], r['place']), (web_map, 'data'))
            self.assertIn('nresolved', r['note'])
            self.assertTrue(any(pointer in m and value in m for m in job['messages']), job['messages'])
        self.assertIn(('/operationalLayers/0/url', one.url + url + '/0'), found)
        self.assertEqual(ivy.item_json(web_map), data, 'unchanged')

    def test_bytes_that_no_rule_names_stay(self):
        text = '{ "b" : 1e400, "a":1.0,"a" : "\\u00e9\\/", "operationalLayers":[ ],\n\t"x": 12345678901234567890 }\n'
        web_map = boss.add('Web Map', 'm', text)
        story = boss.add('StoryMap', 's', {'nodes': {}})
        raw = bytes(range(256)) * 3
        boss.resource(story, 'b.bin', raw)
        ivy.imported(ivy.group(), packed(web_map, story))
        self.assertEqual(ivy.item_data(web_map).decode(), boss.item_data(web_map).decode())
        self.assertEqual(ivy.data(f'/sharing/rest/content/items/{story}/resources/b.bin')[1], raw)

    def test_relationships(self):
        service, _ = boss.service('rel_target')
        a, b = maps(2)
        for origin in (a, b):
            boss.call(boss.content('addRelationship'), originItemId=origin, destinationItemId=service, relationshipType='Map2Service')
        ivy.imported(ivy.group(), packed(a, service))
        found = ivy.call(f'/sharing/rest/content/items/{a}/relatedItems', relationshipType='Map2Service', direction='forward')['relatedItems']
        self.assertEqual([i['id'] for i in found], [service])
        back = ivy.call(f'/sharing/rest/content/items/{service}/relatedItems', relationshipType='Map2Service', direction='reverse')['relatedItems']
        self.assertEqual([i['id'] for i in back], [a])


    def test_a_service_that_was_skipped_since_it_exists(self):
        service, url = boss.service('skipped_service')
        web_map = boss.add('Web Map', 'm', {'operationalLayers': [{'url': one.url + url + '/0', 'itemId': service}, {'url': one.url + url + '/1'}]})
        admin.service('skipped_service')
        ivy.imported(ivy.group(), packed(service))
        result = ivy.imported(ivy.group(), packed(service, web_map))
        self.assertEqual((ids_of(result['itemsImported']), ids_of(result['itemsSkipped'])), ([web_map], [service]))
        here = ivy.item(service)['url']
        self.assertIn('skipped_service_1', here)
        self.assertEqual([x['url'] for x in ivy.item_json(web_map)['operationalLayers']], [here + '/0', here + '/1'])

    def test_an_item_of_the_package_that_is_not_imported(self):
        inner, = maps(1)
        app = boss.add('Web Mapping Application', 'a', {'values': {'webmap': inner}})
        result = ivy.imported(ivy.group(), packed(inner, app), itemIdList=app)
        self.assertEqual([(r['value'], r['pointer']) for r in result['references'] if 'nresolved' in r['note']], [(inner, '/values/webmap')])

    def test_a_service_that_failed_is_unresolved(self):
        service, url = boss.service('not_published')
        web_map = boss.add('Web Map', 'm', {'operationalLayers': [{'url': one.url + url + '/0', 'itemId': service}]})
        self.addCleanup(wipe, uma)
        result = uma.imported(uma.group(), packed(service, web_map))
        self.assertEqual((ids_of(result['itemsImported']), ids_of(result['itemsFailedImport'])), ([web_map], [service]))
        self.assertIn('/operationalLayers/0/itemId', [r['pointer'] for r in result['references'] if 'nresolved' in r['note']])

    def test_imported_items_are_found_and_have_their_size(self):
        service, url = boss.service('found_again')
        web_map = boss.add('Web Map', 'Zzyzx road', {'operationalLayers': [{'url': one.url + url + '/0', 'itemId': service}]})
        admin.service('found_again')
        ivy.imported(ivy.group(), packed(service, web_map))
        self.assertEqual([i['id'] for i in ivy.call('/sharing/rest/search', q='title:Zzyzx')['results']], [web_map])
        self.assertEqual(ivy.item(web_map)['size'], len(ivy.item_data(web_map)))

    def test_imported_layers_are_alive(self):
        service, _ = rich_service(boss, 'alive')
        ivy.imported(ivy.group(), packed(service))
        url = path_of(ivy.item(service)['url'])
        oid, = ivy.add_features(url + '/0', [{'attributes': {'name': 'new'}, 'geometry': {'x': 1, 'y': 1}}])
        self.assertEqual(oid, 4)
        self.assertTrue(ivy.call(f'{url}/0/{oid}/addAttachment', files=[('attachment', ('n.txt', b'new'))])['addAttachmentResult']['success'])
        self.assertEqual(len(ivy.features(url + '/0', geometry='0.5,0.5,1.5,1.5', geometryType='esriGeometryEnvelope', inSR='4326')), 1)
        groups = ivy.call(url + '/0/queryRelatedRecords', objectIds='1,2', relationshipId='0', outFields='note')['relatedRecordGroups']
        self.assertEqual({g['objectId']: len(g['relatedRecords']) for g in groups}, {1: 3, 2: 2})


class Meanwhile(unittest.TestCase):
    """Things that happen between the call and the job."""

    def setUp(self):
        self.server = Server(**{'jobs.threads': '4'})
        self.addCleanup(self.server.close)
        self.person = self.server.sign_in()

    def test_the_same_package_four_times_at_once(self):
        service, _ = rich_service(boss, 'at_once')
        items = sorted(maps(20) + [service])
        data = packed(*items)
        groups = [self.person.group() for _ in range(4)]
        started = [self.person.started(g, 'import', itemId=self.person.upload(data)) for g in groups]
        jobs = [self.person.ended(s) for s in started]
        self.assertEqual([j['status'] for j in jobs], ['completed'] * 4, jobs)
        imported = [i for j in jobs for i in ids_of(j['result']['itemsImported'])]
        self.assertEqual(sorted(imported), items, 'each once')
        for j in jobs:
            self.assertEqual(sum(len(j['result'][k]) for k in ('itemsImported', 'itemsSkipped', 'itemsFailedImport')), 21)
        url = path_of(self.person.item(service)['url'])
        self.assertEqual(len(self.person.features(url + '/0')), 3)

    def test_four_exports_at_once(self):
        items = [self.person.add('PDF', f'{i}', file=(f'{i}.pdf', PDF + bytes([i]) * 1000)) for i in range(20)]
        group = self.person.group()
        for i in items:
            self.person.share(i, group)
        jobs = [self.person.ended(s) for s in [self.person.started(group, 'export', outputFileName='x') for _ in range(8)]]
        self.assertEqual({j['status'] for j in jobs}, {'succeeded'}, jobs)
        self.assertEqual(len({Package(self.person.item_data(j['result']['itemId'])).hash for j in jobs}), 1)
        self.assertEqual(len({self.person.item(j['result']['itemId'])['name'] for j in jobs}), 8)

    def test_an_import_goes_on_after_a_restart(self):
        service, url = rich_service(boss, 'restarted')
        items = sorted(maps(50) + [service])
        group = self.person.group()
        started = self.person.started(group, 'import', itemId=self.person.upload(packed(*items)))
        self.server.restart()
        self.person = self.server.sign_in()
        job = self.person.ended(started)
        self.assertEqual(job['status'], 'completed', job['messages'])
        self.assertEqual(ids_of(job['result']['itemsImported']), items)
        self.assertEqual(self.person.items_of_group(group), items)
        self.assertEqual(service_state(self.person, path_of(self.person.item(service)['url'])), service_state(boss, url))
        self.assertEqual(len([m for m in job['messages'] if m.startswith('Starting import')]), 1)

    def test_the_group_goes_before_the_job_runs(self):
        items = maps(2)
        data = packed(*items)
        self.server.restart(**{'jobs.threads': '0'})
        self.person = self.server.sign_in()
        kept, gone = self.person.group(), self.person.group()
        self.person.share(self.person.add('Web Map', 'm', {}), gone)
        jobs = [self.person.started(gone, 'export'), self.person.started(gone, 'import', itemId=self.person.upload(data)), self.person.started(kept, 'import', itemId=self.person.upload(data))]
        self.assertEqual([self.person.job(j)['status'] for j in jobs], ['submitted'] * 3)
        self.person.call(f"/sharing/rest/portals/self/jobs/{jobs[2]['jobId']}/cancel", key=jobs[2]['key'])
        self.person.call(f'/sharing/rest/community/groups/{gone}/delete')
        self.server.restart(**{'jobs.threads': '1'})
        self.person = self.server.sign_in()
        ended = [self.person.ended(j) for j in jobs]
        self.assertEqual([j['status'] for j in ended], ['failed', 'failed', 'cancelled'], ended)
        self.assertFalse(any(self.person.has(i) for i in items))
        self.assertNotIn('result', ended[1])

    def test_too_many_synchronous_calls(self):
        self.server.restart(**{'jobs.maxSyncCalls': '0'})
        self.person = self.server.sign_in()
        group = self.person.group()
        package = self.person.upload(packed(*maps(1)))
        for operation, fields in (('export', {}), ('import', {'itemId': package})):
            status, headers, data = self.person.raw(f'/sharing/rest/community/groups/{group}/{operation}', dict(fields, f='json'))
            self.assertEqual((status, json.loads(data)['error']['code']), (503, 503))
            self.assertGreater(int(headers['Retry-After']), 0)
        self.assertEqual(self.person.call('/sharing/rest/portals/self/jobs')['total'], 0, 'nothing was started')
        self.assertEqual(self.person.import_job(group, package)['status'], 'completed')


    def test_cancel_while_it_runs(self):
        service, url = rich_service(boss, 'half')
        items = sorted(maps(30) + [service])
        group = self.person.group()
        started = self.person.started(group, 'import', itemId=self.person.upload(packed(*items)))
        poll(lambda: self.person.job(started)['status'] != 'submitted')
        self.person.call(f"/sharing/rest/portals/self/jobs/{started['jobId']}/cancel", key=started['key'])
        job = self.person.ended(started)
        self.assertIn(job['status'], ('cancelled', 'completed'))
        there = self.person.items_of_group(group)
        if service in there:
            self.assertEqual(service_state(self.person, path_of(self.person.item(service)['url'])), service_state(boss, url))
        for i in set(there) - {service}:
            self.assertEqual(self.person.item_data(i), boss.item_data(i))
        again = self.person.import_job(group, packed(*items), overwriteExistingItems='true')
        self.assertEqual(ids_of(again['result']['itemsImported']), items)
        self.assertEqual(service_state(self.person, path_of(self.person.item(service)['url'])), service_state(boss, url))


class Addresses(unittest.TestCase):
    def test_a_public_address_with_a_context(self):
        source = Server(url='https://gis.example.com/portal', context='/portal')
        self.addCleanup(source.close)
        person = Person(source.url + '/portal', 'admin', PASSWORD)
        group = person.group()
        service, url = rich_service(person, 'behind_a_proxy', group)
        root = '//gis.example.com/server/rest/services/Hosted/behind_a_proxy/FeatureServer'
        data = {'operationalLayers': [{'itemId': service, 'url': f'https:{root}/0'}, {'url': f'http:{root.upper()}/156'.replace('/SERVER/REST/SERVICES/HOSTED', '/server/rest/services/Hosted')}],
                'a': 'https://gis.example.com/portal/home/item.html?id=x', 'b': 'https://gis.example.com.evil.org/portal/'}
        web_map = person.add('Web Map', 'm', data, group=group)
        self.assertEqual(person.item(service)['url'], 'https:' + root)
        self.addCleanup(wipe, ivy)
        ivy.imported(ivy.group(), person.export(group))
        here = ivy.item(service)['url']
        self.assertEqual(here, two.url + '/server/rest/services/Hosted/behind_a_proxy/FeatureServer')
        self.assertEqual(service_state(ivy, path_of(here)), service_state(person, url))
        text = ivy.item_json(web_map)
        self.assertEqual([x['url'] for x in text['operationalLayers']], [here + '/0', here + '/156'])
        self.assertEqual((text['a'], text['b']), (two.url + '/home/item.html?id=x', 'https://gis.example.com.evil.org/portal/'))


class SharedUpdate(unittest.TestCase):
    def test_members_may_overwrite(self):
        """Who may update an item through its group may also overwrite it; it stays its owner's."""
        item, = maps(1)
        group = admin.group(access='org', capabilities='updateitemcontrol')
        self.addCleanup(lambda: [wipe(p) for p in (admin, ivy)])
        admin.call(f'/sharing/rest/community/groups/{group}/addUsers', users='ivy')
        admin.add('Web Map', 'Before', {}, itemIdToCreate=item)
        admin.call(f'/sharing/rest/content/items/{item}/share', groups=group, confirmItemControl='true')
        self.assertEqual(ids_of(ivy.imported(ivy.group(), packed(item), overwriteExistingItems='true')['itemsImported']), [item])
        self.assertEqual((ivy.item(item)['owner'], ivy.item(item)['title']), ('admin', boss.item(item)['title']))

    def test_import_into_a_shared_update_group(self):
        item, = maps(1)
        group = admin.group(access='org', capabilities='updateitemcontrol')
        self.addCleanup(wipe, admin)
        self.assertEqual(ids_of(admin.imported(group, packed(item))['itemsImported']), [item])
        self.assertEqual(admin.items_of_group(group), [item])


class Cycle(unittest.TestCase):
    """Import, export, import, three generations, per item type: what is in the package is the same, but for where it was."""

    @classmethod
    def setUpClass(cls):
        cls.portals = [Server(), Server()]
        cls.people = [s.sign_in() for s in cls.portals]

    @classmethod
    def tearDownClass(cls):
        for s in cls.portals:
            s.close()

    def tearDown(self):
        for p in self.people:
            wipe(p)

    def comparable(self, package, portal):
        """The members of a package with the portal's address taken out."""
        out = {}
        for name, data in package.all().items():
            if name != 'package.json':
                for host in (f'127.0.0.1:{portal.port}', f'127.0.0.1%3A{portal.port}', f'127.0.0.1%253A{portal.port}'):
                    data = data.replace(host.encode(), b'HOST')
                if name.endswith('/item.json'):
                    data = re.sub(rb'"size":\d+,"sha256":"[0-9a-f]{64}"', b'', re.sub(rb'"size":-?\d+', b'"size":0', data))
                out[name] = data
        return out

    def cycle(self, *items):
        """The items are on portal one, as administrator's content."""
        packages = []
        for generation in range(4):
            here, portal = self.people[generation % 2], self.portals[generation % 2]
            if generation:
                wipe(here)
                group = here.group()
                result = here.imported(group, packages[-1].bytes)
                self.assertEqual((result['itemsSkipped'], result['itemsFailedImport']), ([], []))
            else:
                group = here.group()
                for i in items:
                    here.share(i, group)
            packages.append(Package(here.export(group)))
            self.assertEqual(packages[-1].items(), sorted(items))
            if generation > 1:
                self.assertEqual(packages[-1].hash, packages[-3].hash, f'generation {generation}')
        first, second = (self.comparable(packages[i], self.portals[i]) for i in (0, 1))
        self.assertEqual(first.keys(), second.keys())
        for name in first:
            self.assertEqual(first[name], second[name], name)
        return packages

    def add(self, *args, **fields):
        return self.people[0].add(*args, **fields)

    def hosted(self, name):
        item, url = rich_service(self.people[0], name)
        return item, self.portals[0].url + url

    def replaced(self, name, **ids):
        return fixture(name, **ids)

    def test_web_map(self):
        service, url = self.hosted('cycle_map')
        self.cycle(service, self.add('Web Map', 'm', self.replaced('web-map', svc1234567890=service, **{'https://services123.arcgis.com/org1234567890/arcgis/rest/services/ROWPermits_publiccomment/FeatureServer': url}),
                                     extent='-10,-10,10,10', files=[('thumbnail', ('t.png', png()))]))

    def test_web_scene(self):
        service, url = self.hosted('cycle_scene')
        self.cycle(service, self.add('Web Scene', 's', {'operationalLayers': [{'url': url + '/156', 'itemId': service, 'layers': [{'url': url + '/0'}]}],
                                                        'ground': {'layers': [{'url': 'https://elevation3d.arcgis.com/arcgis/rest/services/WorldElevation3D/Terrain3D/ImageServer'}]}, 'viewingMode': 'global'}))

    def test_dashboard(self):
        service, url = self.hosted('cycle_dashboard')
        web_map = self.add('Web Map', 'm', {'operationalLayers': [{'url': url + '/0', 'itemId': service}]})
        self.cycle(service, web_map, self.add('Dashboard', 'd1', self.replaced('dashboard', map1234567890=web_map)), self.add('Dashboard', 'd2', self.replaced('dashboard-widgets', map1234567890=web_map)))

    def test_web_mapping_applications(self):
        service, url = self.hosted('cycle_wma')
        host = self.portals[0].url
        web_map = self.add('Web Map', 'm', {'operationalLayers': [{'url': url + '/0', 'itemId': service}]})
        configurable = self.add('Web Mapping Application', 'c', self.replaced('web-mapping-application', map1234567890=web_map), url=f'{host}/apps/View/index.html?appid={web_map}')
        builder = self.add('Web Mapping Application', 'wab', {'map': {'itemId': web_map, 'portalUrl': host}, 'portalUrl': host + '/', 'httpProxy': {'url': host + '/sharing/proxy'},
                                                              'dataSource': {'dataSources': {'e~1': {'itemId': service, 'url': url + '/156', 'portalUrl': host}}},
                                                              'widgetPool': {'widgets': [{'config': {'layer': {'url': url + '/7'}, 'html': f'<a href="{host}/home/item.html?id={web_map}">x</a>'}}]}})
        story = self.add('Web Mapping Application', 'classic', {'values': {'webmap': web_map, 'story': {'entries': [{'media': {'webmap': {'id': web_map}}}]}}})
        self.cycle(service, web_map, configurable, builder, story)

    def test_web_experience_with_a_draft(self):
        service, url = self.hosted('cycle_experience')
        app = self.add('Web Experience', 'e', self.replaced('web-experience', **{'dd1fe4c8772f477fb2b3d9bf0a15689f': service}))
        me = self.people[0]
        me.resource(app, 'config/config.json', json.dumps({'dataSources': {'a': {'itemId': service, 'url': url + '/0', 'portalUrl': self.portals[0].url}}}).encode())
        me.resource(app, 'images/widget_1/a.png', png(7))
        me.call(me.content(f'items/{app}/update'), url=f'{self.portals[0].url}/apps/experiencebuilder/experience/?id={app}')
        self.cycle(service, app)

    def test_story_map_with_all_its_files(self):
        service, url = self.hosted('cycle_story')
        web_map = self.add('Web Map', 'm', {'operationalLayers': [{'url': url + '/0', 'itemId': service}]})
        data = {'root': 'n', 'nodes': {'n': {'type': 'webmap', 'data': {'map': 'r-1'}}, 'l': {'data': {'url': f'{self.portals[0].url}/home/item.html?id={web_map}'}}}, 'resources': {'r-1': {'type': 'webmap', 'data': {'itemId': web_map}}}}
        story = self.add('StoryMap', 's', data)
        me = self.people[0]
        for name in ('draft_1526947200000.json', 'published_data.json'):
            me.resource(story, name, json.dumps(data).encode())
        me.resource(story, 'oembed.json', json.dumps({'url': f'{self.portals[0].url}/stories/{story}', 'provider_url': self.portals[0].url}).encode())
        me.resource(story, 'oembed.xml', f'<oembed><url>{self.portals[0].url}/stories/{story}</url></oembed>'.encode())
        me.resource(story, 'photo.png', png(5))
        self.cycle(service, web_map, story)

    def test_feature_service(self):
        service, url = self.hosted('cycle_service')
        state = service_state(self.people[0], path_of(url))
        self.cycle(service)
        for p in self.people:
            self.assertEqual(service_state(p, path_of(p.item(service)['url'])), state)

    def test_files(self):
        rows = [('Microsoft Word', 'w ö.docx', zipped(word__document_xml=b'<w/>')), ('PDF', 'p.pdf', PDF), ('CSV', 'c.csv', 'x,y\nä,1\n'.encode()), ('Shapefile', 's.zip', zipped(s_shp=b'0' * 100, s_dbf=b'1', s_shx=b'2')),
                ('GeoPackage', 'g.gpkg', b'SQLite format 3\0' + bytes(1000)), ('Image', 'i.png', png(6)), ('GeoJson', 'j.geojson', b'{"type":"FeatureCollection","features":[]}'), ('KML', 'k.kml', b'<kml/>'),
                ('Microsoft Excel', 'e.xlsx', zipped(x_xml=b'<x/>')), ('Code Sample', 'c.zip', zipped(a_js=b'1')), ('Layer Package', 'l.lpkx', bytes(100))]
        items = [self.add(t, n, file=(n, d), files=[('metadata', ('metadata.xml', b'<m/>'))]) for t, n, d in rows]
        self.cycle(*items)
        for item, (_, name, data) in zip(items, rows):
            self.assertEqual(self.people[1].item_data(item), data)
            self.assertEqual(self.people[1].item(item)['name'], name)

    def test_types_without_rules(self):
        """Rows of the registry that are assumed and have no rules: Mission, Form, Style; ids and hosts in them are found by the scan."""
        service, url = self.hosted('cycle_other')
        mission = self.add('Mission', 'x', {'any': {'where': [{'theService': service, 'u': url + '/156', 'esc': (url + '/0').replace('/', '\\/')}]}, 'html': f'&lt;a href=&quot;{url}&quot;&gt;'})
        form = self.add('Form', 'f', file=('f.zip', zipped(form_json=b'{}')))
        style = self.add('Style', 's', file=('s.stylx', bytes(50)))
        me = self.people[0]
        me.resource(mission, 'a/b.json', json.dumps(json.dumps({'nested': url + '/7'})).encode())
        me.call(me.content(f'items/{form}/updateinfo'), files=[('file', ('form.json', json.dumps({'serviceUrl': url}).encode()))], fileName='form.json')
        self.cycle(service, mission, form, style)

    def test_texts_of_an_item(self):
        """Fields: Unicode, HTML with links, properties, categories, extents."""
        host = self.portals[0].url
        item = self.add('Web Map', 'Tïtle 🗺 "q" <b>', {}, description=f'<a href="{host}/home/">x</a> &amp; ä', snippet='日本', extent='-180,-90,180,90', categories='/Categories/A,/Categories/B', accessInformation='©',
                        licenseInfo=f'{host}/terms', properties='{"a":{"b":[1,2.50,null]}}', culture='de-de', spatialReference='102100', tags='a,b c,ü', documentation='doc')
        self.cycle(item)


if __name__ == '__main__':
    main()
