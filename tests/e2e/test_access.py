#!/usr/bin/env python3
"""Who may: every operation asked for by every kind of caller. What is refused changes nothing; what is answered tells nobody of things that
are not theirs to see."""
import hashlib
import http.client
import io
import json
import os
import re
import sqlite3
import struct
import sys
import time
import unittest
import zipfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
import people_rows  # noqa: E402
from moving import PASSWORD, Package, Person, RestError, Server, poll, read  # noqa: E402
from routes import routes  # noqa: E402

CONTENT, ITEM, GROUP = '/sharing/rest/content/users/{owner}/', '/sharing/rest/content/items/{item}', '/sharing/rest/community/groups/{group}'
OWNED, SERVER = CONTENT + 'items/{item}', '/server/rest/services/Hosted/{name}/FeatureServer'
ADMIN_SERVER = '/server/rest/admin/services/Hosted/{name}/FeatureServer'
ROLES = {'owner': 'org_publisher', 'manager': 'org_publisher', 'member': 'org_publisher', 'publisher': 'org_publisher', 'user': 'org_user', 'viewer': 'iAAAAAAAAAAAAAAA'}
OWN = {'owner', 'admin'}
MANAGE = OWN | {'manager'}
READ = MANAGE | {'member'}
SIGNED_IN = READ | {'publisher', 'user', 'viewer'}
EVERYBODY = SIGNED_IN | {'anonymous'}
CSV = b'name,lat,lon\na,1,2\n'
TABLE = {'layers': [moving.layer(0, 'Points', 'Point', (('name', 'String'), ('n', 'Integer')), hasAttachments=True, relationships=[moving.related(0, 1, 'Origin', 'n')])],
         'tables': [moving.layer(1, 'Notes', None, (('n', 'Integer'),), relationships=[moving.related(0, 0, 'Destination', 'n')]), moving.layer(5, 'Spare', None)]}
FEATURE = [{'attributes': {'name': 'x', 'n': 1}, 'geometry': {'x': 1, 'y': 2, 'spatialReference': {'wkid': 4326}}}]

# (path, fields, files, who may); the same for reading and changing
READS = [
    (ITEM, {}, READ), (ITEM + '/data', {}, READ), (ITEM + '/groups', {}, READ), (ITEM + '/relatedItems', {}, READ), (ITEM + '/dependencies', {}, READ), ('/sharing/rest/content/items/{secret}/dependencies', {}, OWN), (ITEM + '/resources', {}, READ),
    (ITEM + '/resources/images/a.png', {}, READ), (ITEM + '/resources/hidden.png', {}, OWN), (ITEM + '/info/metadata/metadata.xml', {}, READ),
    ('/sharing/rest/content/items/{secret}', {}, OWN), ('/sharing/rest/content/items/{secret}/data', {}, OWN), ('/sharing/rest/content/items/{secret}/groups', {}, OWN),
    ('/sharing/rest/content/items/{secret}/relatedItems', {}, OWN), ('/sharing/rest/content/items/{secret}/resources', {}, OWN), (OWNED, {}, READ), (OWNED + '/status', {}, READ), (CONTENT + 'items/{upload}/parts', {}, OWN), (ITEM + '/comments', {}, READ), (ITEM + '/info/iteminfo.xml', {}, READ), ('/sharing/rest/content/items/{secret}/info/iteminfo.xml', {}, OWN),
    ('/sharing/rest/content/items/{secret}/package', {}, OWN), (ITEM + '/comments/{comment}', {}, READ),
    ('/sharing/rest/content/items/{secret}/comments', {}, OWN), (CONTENT + 'items/{upload}/status', {}, OWN),
    (CONTENT + 'items/{secret}', {}, OWN), (CONTENT + 'items/{secret}/status', {}, OWN), (CONTENT + 'items/{secret}/status', {'jobType': 'publish'}, OWN),
    ('/sharing/rest/content/users/{owner}', {}, OWN), (CONTENT + '{folder}', {}, OWN), (CONTENT + '{folder}/items/{secret}', {}, OWN), (CONTENT + '{folder}/items/{secret}/status', {}, OWN),
    (GROUP, {}, READ), (GROUP + '/users', {}, READ), (GROUP + '/userlist', {}, READ), (GROUP + '/categorySchema', {}, READ),
    ('/sharing/rest/content/groups/{group}', {}, READ), ('/sharing/rest/content/groups/{group}/search', {'q': '*'}, READ), (GROUP + '/importPreview/{package}', {}, OWN),
    ('/sharing/rest/community/self', {}, SIGNED_IN), ('/sharing/rest/community/users/{owner}', {}, SIGNED_IN), ('/sharing/rest/community/users/{owner}/tags', {}, OWN),
    ('/sharing/rest/community/users/{owner}/notifications', {}, OWN), ('/sharing/rest/community/users/{owner}/invitations', {}, OWN),
    ('/sharing/rest/community/users/{owner}/properties', {}, OWN), ('/sharing/rest/portals/self/users', {}, SIGNED_IN), ('/sharing/rest/portals/self/users/search', {'q': 'x'}, SIGNED_IN),
    ('/sharing/rest/portals/self/roles', {}, SIGNED_IN), ('/sharing/rest/portals/self/subscriptionInfo', {}, SIGNED_IN), ('/sharing/rest/portals/self/isServiceNameAvailable', {'name': 'x'}, SIGNED_IN),
    ('/sharing/rest/portals/self/jobs', {}, SIGNED_IN), ('/sharing/rest/portals/self/jobs/{job}', {}, {'admin'}), ('/sharing/rest/portals/self/jobs/{job}', {'key': '{key}'}, OWN),
    ('/sharing/rest/community/users', {'q': 'x'}, EVERYBODY), ('/sharing/rest/community/groups', {'q': 'x'}, EVERYBODY), ('/sharing/rest/search', {'q': 'x'}, EVERYBODY),
    ('/server/rest/services/Hosted', {}, EVERYBODY),
    (SERVER, {}, READ), (SERVER + '/layers', {}, READ), (SERVER + '/sources', {}, READ), (SERVER + '/extractChanges', {}, OWN), (SERVER + '/0', {}, READ), (SERVER + '/0/append/jobs/{job}', {}, set()), (SERVER + '/0/query', {'where': '1=1'}, READ), (SERVER + '/0/query', {'where': '1=1', 'returnCountOnly': 'true'}, READ),
    (SERVER + '/0/queryRelatedRecords', {'objectIds': '1', 'relationshipId': '0'}, READ), (SERVER + '/0/queryAttachments', {'objectIds': '1'}, READ), (SERVER + '/0/1', {}, READ),
    (SERVER + '/query', {'layerDefs': '0:1=1'}, READ), (SERVER + '/queryDomains', {}, READ), (SERVER + '/0/validateSQL', {'sql': 'n = 1'}, READ),
    (SERVER + '/0/query', {'outStatistics': '[{"statisticType":"count","onStatisticField":"n"}]', 'where': '1=1'}, READ), (SERVER + '/0/query', {'where': '1=1', 'f': 'pbf'}, READ),
    (SERVER + '/0/1/attachments', {}, READ), (SERVER + '/0/1/attachments/1', {}, READ), (ADMIN_SERVER, {}, OWN), (ADMIN_SERVER + '/0', {}, OWN),
    (SERVER + '/uploads/info', {}, OWN), (SERVER + '/uploads/{sent}', {}, {'owner'}),
]
PART = [('file', ('b.png', moving.png()))]
CHANGES = [
    (CONTENT + 'addItem', {'multipart': 'true', 'filename': '{fresh}.csv'}, OWN, None), (OWNED + '/update', {'multipart': 'true', 'filename': '{fresh}.csv'}, OWN, None),
    (CONTENT + 'items/{upload}/addPart?partNum=2', {}, OWN, [('file', ('part', b'x'))]), (CONTENT + 'items/{upload}/commit', {'type': 'CSV', 'title': 't'}, OWN, None),
    (CONTENT + 'items/{upload}/commit', {'type': 'CSV', 'title': 't', 'async': 'true'}, OWN, None), (CONTENT + 'items/{upload}/cancel', {}, OWN, None),
    (CONTENT + 'reassignItems', {'items': '{secret}', 'targetUsername': 'publisher'}, {'admin'}, None),
    (ITEM + '/addComment', {'comment': 'c'}, READ, None), (ITEM + '/comments/{comment}/update', {'comment': 'd'}, {'owner'}, None), (ITEM + '/comments/{comment}/delete', {}, OWN, None),
    (ITEM + '/addRating', {'rating': '3'}, READ - {'owner'}, None),
    (OWNED + '/update', {'title': 'Changed'}, OWN, None), (OWNED + '/delete', {}, OWN, None), (OWNED + '/move', {'folder': '/'}, OWN, None), (OWNED + '/protect', {}, OWN, None),
    (OWNED + '/unprotect', {}, OWN, None), (CONTENT + 'items/{secret}/reassign', {'targetUsername': 'publisher'}, {'admin'}, None), (OWNED + '/share', {'org': 'true'}, OWN, None),
    (ITEM + '/share', {'everyone': 'true'}, OWN, None), (OWNED + '/unshare', {'groups': '{group}'}, MANAGE, None), (ITEM + '/unshare', {'groups': '{group}'}, MANAGE, None),
    (OWNED + '/addResources', {}, OWN, PART), (OWNED + '/updateResources', {'resourcesPrefix': 'images', 'fileName': 'a.png'}, OWN, PART),
    (OWNED + '/removeResources', {'deleteAll': 'true'}, OWN, None), (OWNED + '/updateinfo', {'folderName': 'x'}, OWN, PART), (OWNED + '/deleteInfo', {'infoFile': 'metadata/metadata.xml'}, OWN, None),
    (OWNED + '/deleteThumbnail', {}, OWN, None),
    (CONTENT + 'addItem', {'title': 't', 'type': 'Web Map', 'text': '{}'}, OWN, None), (CONTENT + '{folder}/addItem', {'title': 't', 'type': 'Web Map', 'text': '{}'}, OWN, None),
    (CONTENT + 'addItem', {'title': 't', 'type': 'Web Map', 'text': '{}', 'itemIdToCreate': '0123456789abcdef' * 2}, {'admin'}, None),
    (CONTENT + 'deleteItems', {'items': '{secret}'}, OWN, None), (CONTENT + 'moveItems', {'items': '{secret}', 'folder': '/'}, OWN, None),
    (CONTENT + 'shareItems', {'items': '{secret}', 'everyone': 'true'}, OWN, None), (CONTENT + 'unshareItems', {'items': '{item}', 'groups': '{group}'}, MANAGE, None),
    (CONTENT + 'addRelationship', {'originItemId': '{item}', 'destinationItemId': '{secret}', 'relationshipType': 'Map2Service'}, OWN, None),
    (CONTENT + 'deleteRelationship', {'originItemId': '{item}', 'destinationItemId': '{service}', 'relationshipType': 'Map2Service'}, OWN, None),
    (CONTENT + 'createFolder', {'title': '{fresh}'}, OWN, None), (CONTENT + '{folder}/delete', {}, OWN, None), (CONTENT + '{folder}/updateFolder', {'newTitle': '{fresh}'}, OWN, None),
    (CONTENT + 'publish', {'itemId': '{csv}', 'fileType': 'csv', 'publishParameters': '{"name":"{fresh}","latitudeFieldName":"lat","longitudeFieldName":"lon"}'}, OWN, None),
    (CONTENT + 'export', {'itemId': '{service}', 'exportFormat': 'CSV', 'title': '{fresh}'}, OWN, None),
    ('/sharing/rest/content/features/analyze', {'itemId': '{csv}', 'fileType': 'csv'}, OWN, None), ('/sharing/rest/content/features/analyze', {'text': 'a', 'fileType': 'csv'}, SIGNED_IN - {'viewer'}, None),
    ('/sharing/rest/content/features/generate', {'itemId': '{csv}', 'fileType': 'csv'}, OWN, None), ('/sharing/rest/content/features/generate', {'text': 'a', 'fileType': 'csv'}, SIGNED_IN - {'viewer'}, None),
    (CONTENT + 'createService', {'createParameters': '{"name":"{fresh}"}'}, OWN, None), (CONTENT + '{folder}/createService', {'createParameters': '{"name":"{fresh}"}'}, OWN, None),
    (GROUP + '/update', {'title': '{fresh}'}, MANAGE, None), (GROUP + '/delete', {}, OWN, None), (GROUP + '/protect', {}, OWN, None), (GROUP + '/unprotect', {}, OWN, None),
    (GROUP + '/addUsers', {'users': 'publisher'}, MANAGE, None), (GROUP + '/removeUsers', {'users': 'member'}, MANAGE, None), (GROUP + '/updateUsers', {'admins': 'member'}, MANAGE, None),
    (GROUP + '/leave', {}, {'manager', 'member'}, None), (GROUP + '/export', {'async': 'true'}, OWN, None), (GROUP + '/export', {'previewOnly': 'true'}, OWN, None),
    (GROUP + '/import', {'itemId': '{package}', 'async': 'true'}, OWN, None), (GROUP + '/import', {'itemId': '{package}', 'previewOnly': 'true'}, OWN, None),
    ('/sharing/rest/portals/self/jobs/{job}/cancel', {}, {'admin'}, None),
    (SERVER + '/0/updateFeatures', {'features': '[{"attributes":{"OBJECTID":1,"n":2}}]'}, READ, None), (SERVER + '/0/deleteFeatures', {'objectIds': '1'}, READ, None),
    (SERVER + '/0/append', {'appendItemId': '{csv}', 'appendUploadFormat': 'csv'}, OWN, None),
    (SERVER + '/0/calculate', {'where': '1=1', 'calcExpression': '[{"field":"n","value":7}]'}, READ, None),
    (SERVER + '/0/applyEdits', {'adds': json.dumps(FEATURE), 'deletes': '1'}, READ, None), (SERVER + '/applyEdits', {'edits': '[{"id":0,"deletes":[1]}]'}, READ, None),
    (SERVER + '/0/addFeatures', {'features': json.dumps(FEATURE)}, READ, None), (SERVER + '/0/1/addAttachment', {}, READ, [('attachment', ('b.txt', b'b'))]),
    (SERVER + '/0/1/updateAttachment', {'attachmentId': '1'}, READ, [('attachment', ('c.txt', b'c'))]), (SERVER + '/0/1/deleteAttachments', {'attachmentIds': '1'}, READ, None),
    (SERVER + '/uploads/upload', {}, OWN, PART), (SERVER + '/uploads/register', {'itemName': 'x'}, OWN, None), (SERVER + '/uploads/{begun}/uploadPart', {'partId': '1'}, {'owner'}, PART),
    (SERVER + '/uploads/{sent}/commit', {}, {'owner'}, None), (SERVER + '/uploads/{sent}/delete', {}, {'owner'}, None),
    (ADMIN_SERVER + '/addToDefinition', {'addToDefinition': json.dumps({'tables': [moving.layer(9, 'More')]})}, OWN, None),
    (ADMIN_SERVER + '/0/addToDefinition', {'addToDefinition': '{"templates":[]}'}, OWN, None), (ADMIN_SERVER + '/updateDefinition', {'updateDefinition': '{"capabilities":"Query"}'}, OWN, None),
    (ADMIN_SERVER + '/0/updateDefinition', {'updateDefinition': '{"description":"x"}'}, OWN, None), (ADMIN_SERVER + '/refresh', {}, OWN, None),
    (ADMIN_SERVER + '/0/deleteFromDefinition', {'deleteFromDefinition': '{"fields":[{"name":"name"}]}'}, OWN, None),
    (ADMIN_SERVER + '/deleteFromDefinition', {'deleteFromDefinition': '{"tables":[{"id":5}]}'}, OWN, None),
    (ADMIN_SERVER + '/0/truncate', {}, OWN, None), (SERVER + '/0/truncate', {'attachmentOnly': 'true'}, OWN, None),
    (ADMIN_SERVER + '/0/deleteFromDefinition', {'deleteFromDefinition': '{"relationships":[{"id":0}]}'}, OWN, None),
    ('/sharing/rest/community/createGroup', {'title': '{fresh}'}, SIGNED_IN - {'viewer'}, None),
    ('/portaladmin/security/users/createUser', {'username': '{fresh}', 'password': 'a-long-password'}, {'admin'}, None),
]
READS += people_rows.READS
CHANGES += people_rows.CHANGES
# the same for everybody who is asked, or about the caller's own token
OPEN = {'discovery_root', 'discovery_info', 'tokens_generate', 'tokens_revoke', 'portals_self', 'organization_list_resources', 'organization_resource', 'organization_regions', 'organization_languages', 'portals_servers', 'portals_urls', 'portals_settings', 'groups_join', 'features_root', 'features_info',
        'features_services', 'system_root', 'system_healthz', 'system_readyz', 'system_metrics'}
OPEN |= {'comments_rating', 'comments_unrate'}  # one's own


def refused(data, status):
    """Was nothing done, and nothing shown?"""
    try:
        answer = json.loads(data)
    except ValueError:
        return status >= 400
    if not isinstance(answer, dict):
        return False
    results = [r for k in ('results', 'addResults') for r in answer.get(k, []) if isinstance(r, dict) and 'success' in r]
    return 'error' in answer or any(answer.get(k) for k in ('notSharedWith', 'notUnsharedFrom', 'notAdded', 'notRemoved')) or (bool(results) and not all(
        r['success'] and not r.get('notUnsharedFrom') and not r.get('notSharedWith') for r in results))


class Scene:
    """What the operations are about: things of one owner, some of them shared with a private group."""
    count = 0

    def __init__(self, owner, admin):
        Scene.count += 1
        n = Scene.count
        self.owner, self.admin = owner, admin
        group = owner.group(f'A group {n}')
        owner.call(f'/sharing/rest/community/groups/{group}/addUsers', users='member', admins='manager')
        folder = owner.call(owner.content('createFolder'), title=f'A folder {n}')['folder']['id']
        item = owner.add('Web Map', 'A map', text={'version': '2.30'}, group=group, folder=folder, files=[('thumbnail', ('t.png', moving.png(3))), ('metadata', ('m.xml', b'<metadata/>'))])
        owner.resource(item, 'images/a.png', moving.png())
        owner.call(owner.content(f'items/{item}/addResources'), files=[('file', ('hidden.png', moving.png(2)))], access='private')
        secret = owner.add('PDF', 'A secret', file=(f'secret{n}.pdf', moving.PDF), folder=folder)
        service, url = owner.service(f'scene_{n}', group, TABLE)
        owner.add_features(url + '/0', FEATURE)
        owner.call(url + '/0/1/addAttachment', files=[('attachment', ('a.txt', b'a'))])
        sent = owner.call(url + '/uploads/upload', files=[('file', ('secret.txt', b'secret'))])['item']['itemID']
        begun = owner.call(url + '/uploads/register', itemName='secret.bin')['item']['itemID']
        owner.call(owner.content('addRelationship'), originItemId=item, destinationItemId=service, relationshipType='Map2Service')
        csv = owner.add('CSV', 'A file', file=(f'file{n}.csv', CSV))
        comment = owner.call(f'/sharing/rest/content/items/{item}/addComment', comment='A secret remark')['commentId']
        upload = owner.call(owner.content('addItem'), multipart='true', filename=f'secret upload {n}.csv')['id']
        owner.call(owner.content(f'items/{upload}/addPart?partNum=1'), files=[('file', ('part', CSV))])
        package = owner.add('Export Package', 'A package', file=(f'p{n}.epk', package_of(owner)))
        job = owner.started(group, 'export', itemIdList=secret)
        owner.ended(job)
        self.names = {'owner': 'owner', 'group': group, 'folder': folder, 'item': item, 'secret': secret, 'service': service, 'name': f'scene_{n}', 'csv': csv, 'package': package, 'job': job['jobId'], 'key': job['key'],
                      **people_rows.prepare(owner, admin, group, n)}
        self.names.update(upload=upload, comment=comment, sent=sent, begun=begun)
        self.fresh = 0

    def filled(self, text):
        self.fresh += 1
        names = dict(self.names, fresh=f"fresh_{self.names['name']}_{self.fresh}")
        return re.sub(r'\{(' + '|'.join(names) + r')\}', lambda m: names[m.group(1)], text)

    def state(self):
        o, n = self.owner, self.names
        return (sorted((i['id'], i['modified'], i['access']) for i in o.own_items().values()), sorted(o.folders().items()), o.call(self.filled(GROUP)), o.call(self.filled(GROUP + '/users')),
                o.items_of_group(n['group']), o.call(self.filled(ITEM + '/resources')), o.call(self.filled(ITEM + '/relatedItems'), relationshipType='Map2Service')['total'],
                o.call(self.filled(SERVER + '/0/query'), where='1=1', returnCountOnly='true'), o.call(self.filled(ADMIN_SERVER)), o.call(self.filled(SERVER + '/0/1/attachments')), o.call(self.filled(CONTENT + 'items/{upload}/parts')),
                sorted(s['name'] for s in o.call('/server/rest/services/Hosted')['services']), people_rows.state(self.admin, n))


PACKAGES = {}


def package_of(person):
    """The bytes of a small package of this portal, made once a portal."""
    if person.url not in PACKAGES:
        group = person.group('For a package')
        person.add('Web Map', 'Packed', text={'version': '2.30'}, group=group)
        PACKAGES[person.url] = person.export(group)
    return PACKAGES[person.url]


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.people = {'admin': cls.server.sign_in(), 'anonymous': Person(cls.server.url)}
        for name, role in ROLES.items():
            cls.people[name] = cls.server.add_user(name, role)
        cls.people['expired'] = cls.with_token('owner', 'UPDATE token SET expires = 1 WHERE hash = ?')
        cls.scene = Scene(cls.people['owner'], cls.people['admin'])

    @classmethod
    def with_token(cls, user, statement):
        """A client whose token had something done to it in the database, by its hash."""
        person = cls.server.sign_in(user)
        database = sqlite3.connect(os.path.join(cls.server.data, 'portal.db'), timeout=30)
        with database:
            cls.changed = database.execute(statement, (hashlib.sha256(person.token.encode()).digest(),)).rowcount
        database.close()
        assert cls.changed == 1
        return person

    def ask(self, who, scene, path, fields, files=None):
        status, _, data = self.people[who].raw(scene.filled(path), dict({k: scene.filled(v) for k, v in fields.items()}, f='json'), files)
        return status, data

    def test_every_route_is_here(self):
        patterns = [re.compile(re.sub(r'\{path\.\.\.\}', '.+', re.sub(r'\{\w+\}', '[^/]+', r.pattern)), re.I) for r in routes() if r.handler not in OPEN]
        paths = [p.partition('?')[0] for p, *_ in READS + CHANGES]
        paths += [p.replace(CONTENT, CONTENT + '{folder}/') for p in paths]
        for pattern in patterns:
            self.assertTrue(any(pattern.fullmatch(p) for p in paths), f'no caller asks for {pattern.pattern}')

    def test_reading(self):
        for path, fields, may in READS:
            for who in self.people:
                with self.subTest(path=path, fields=fields, who=who):
                    status, data = self.ask(who, self.scene, path, fields)
                    self.assertEqual(not refused(data, status), who in may, (status, data[:500]))
                    if who not in may:
                        for word in (b'A secret', b'A map', b'A group', b'A folder', b'secret', self.scene.names['folder'].encode()):
                            self.assertNotIn(word, data.replace(self.scene.filled(path).encode(), b''))

    def test_changing_is_refused(self):
        before = self.scene.state()
        for path, fields, may, files in CHANGES:
            for who in self.people:
                if who not in may:
                    with self.subTest(path=path, who=who):
                        status, data = self.ask(who, self.scene, path, fields, files)
                        self.assertTrue(refused(data, status), (status, data[:500]))
        self.assertEqual(self.scene.state(), before)

    def test_changing_is_allowed(self):
        for path, fields, may, files in CHANGES:
            for who in sorted(may):
                with self.subTest(path=path, who=who):
                    scene = Scene(self.people['owner'], self.people['admin'])
                    status, data = self.ask(who, scene, path, fields, files)
                    self.assertFalse(refused(data, status), (status, data[:500]))

    def test_a_role_without_privileges_opens_nothing(self):
        """Somebody who is signed in, and whose role holds nothing: what is left is what is about himself, and searches that find nothing."""
        own = {'/sharing/rest/community/self', '/sharing/rest/portals/self/users/search', '/sharing/rest/portals/self/subscriptionInfo', '/sharing/rest/portals/self/isServiceNameAvailable', '/sharing/rest/portals/self/jobs'}
        admin, guest = self.people['admin'], self.server.add_user('guest')
        role = admin.call('/sharing/rest/portals/self/createRole', name='Nothing', privileges='[]')['id']
        admin.call('/sharing/rest/portals/self/updateUserRole', user='guest', role=role)
        before, tried = self.scene.state(), 0
        for path, fields, may, *files in READS + CHANGES:
            if may >= EVERYBODY or path in own:
                continue
            with self.subTest(path=path, fields=fields):
                status, _, data = guest.raw(self.scene.filled(path), dict({k: self.scene.filled(v) for k, v in fields.items()}, f='json'), files[0] if files else None)
                self.assertTrue(refused(data, status), (status, data[:500]))
                tried += 1
        self.assertGreater(tried, 100)
        self.assertEqual(self.scene.state(), before)


def repacked(package, change):
    """A package of this program's form with other members: change(name, bytes)."""
    with zipfile.ZipFile(io.BytesIO(package)) as z:
        members = [(n, change(n, z.read(n))) for n in z.namelist() if n != 'manifest.json']
    table = {n: (len(d), hashlib.sha256(d).hexdigest()) for n, d in members}
    order = sorted(table, key=str.encode)
    content = hashlib.sha256(''.join(f'{table[n][1]}  {n}\n' for n in order if n != 'package.json').encode()).hexdigest()
    lines = ',\n'.join(json.dumps({'name': n, 'size': table[n][0], 'sha256': table[n][1]}, separators=(',', ':')) for n in order)
    members.append(('manifest.json', f'{{"format":"mapferry-manifest","version":1,"contentHash":"{content}","members":[\n{lines}\n]}}\n'.encode()))
    flags, date, body, directory = 1 << 3 | 1 << 11, 0x21, b'', b''
    for name, data in ((n.encode(), d) for n, d in members):
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = deflate.compress(data) + deflate.flush()
        directory += struct.pack('<IHHHHHHIIIHHHHHII', 0x02014b50, 3 << 8 | 45, 20, flags, 8, 0, date, zlib.crc32(data), len(packed), len(data), len(name), 8, 0, 0, 0, 0o100644 << 16,
                                 len(body)) + name + b'mf\4\0' + struct.pack('<I', zlib.crc32(packed))
        body += struct.pack('<IHHHHHIIIHH', 0x04034b50, 20, flags, 8, 0, date, 0, 0, 0, len(name), 4) + name + b'mf\0\0' + packed + struct.pack('<IIII', 0x08074b50, zlib.crc32(data), len(packed), len(data))
    return body + directory + struct.pack('<IHHHHIIH', 0x06054b50, 0, 0, len(members), len(members), len(directory), len(body), 0)


class Leaks(unittest.TestCase):
    """Ways around the rules."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.admin, cls.nobody = cls.server.sign_in(), Person(cls.server.url)
        cls.victim, cls.other = cls.server.add_user('victim'), cls.server.add_user('other')
        cls.viewer = cls.server.add_user('viewer', 'iAAAAAAAAAAAAAAA')

    def published(self, person, item, **fields):
        parameters = dict({'latitudeFieldName': 'lat', 'longitudeFieldName': 'lon'}, **fields.pop('parameters', {}))
        made = person.call(person.content(fields.pop('folder', '') + 'publish'), itemId=item, fileType='csv', publishParameters=parameters, **fields)['services'][0]
        status = poll(lambda: (lambda s: s if s['status'] != 'processing' else None)(person.call(person.content(f"items/{made['serviceItemId']}/status"), jobId=made['jobId'])))
        self.assertEqual(status['status'], 'completed', status)
        return made['serviceItemId'], moving.path_of(made['serviceurl'])

    def test_publishing_overwrites_services_of_the_owner_only(self):
        csv = self.victim.add('CSV', 'Points', file=('overwritten.csv', CSV))
        service, url = self.published(self.victim, csv, parameters={'name': 'overwritten'})
        self.victim.call(f'/sharing/rest/content/items/{service}/share', everyone='true')
        self.admin.call(f'/sharing/rest/content/users/victim/items/{csv}/reassign', targetUsername='other')
        self.other.call(self.other.content(f'items/{csv}/update'), files=[('file', ('overwritten.csv', CSV.replace(b'\na,', b'\nothers,')))])
        self.assertEqual(self.other.error(self.other.content('publish'), itemId=csv, fileType='csv', publishParameters={'name': 'overwritten'}, overwrite='true')['code'], 400)
        made, _ = self.published(self.other, csv, overwrite='true')
        self.assertNotEqual(made, service)
        self.assertEqual([f['attributes']['name'] for f in self.victim.features(url + '/0')], ['a'])
        again, _ = self.published(self.other, csv, overwrite='true')  # one's own is
        self.assertEqual(again, made)

    def test_publishing_keeps_to_folders_and_ids(self):
        folder = self.victim.call(self.victim.content('createFolder'), title='Of the victim')['folder']['id']
        csv, there = self.other.add('CSV', 'Points', file=('foreign.csv', CSV)), self.victim.add('Web Map', text={})
        self.assertEqual(self.other.error(self.other.content(folder + '/publish'), itemId=csv, fileType='csv')['messageCode'], 'CONT_0013')
        mine = self.admin.add('CSV', 'Points', file=('chosen.csv', CSV))
        for item in (there, self.victim.service('chosen')[0]):
            self.assertEqual(self.admin.error(self.admin.content('publish'), itemId=mine, fileType='csv', itemIdToCreate=item)['messageCode'], 'CONT_0098')

    def test_a_package_learns_nothing_about_items_of_others(self):
        secret, _ = self.victim.service('hidden_service')
        group = self.other.group()
        text = {'version': '2.30', 'operationalLayers': [{'id': '1', 'itemId': 'a' * 32, 'url': 'https://example.org/server/rest/services/Hosted/A/FeatureServer/0', 'layerType': 'ArcGISFeatureLayer'}]}
        item = self.other.add('Web Map', 'A map', text=text, group=group)
        package = self.other.export(group)
        for reader, told in ((self.other, False), (self.victim, True)):
            for person in (self.other, self.admin):
                if person.has(item):
                    person.call(f"/sharing/rest/content/users/{person.item(item)['owner']}/items/{item}/delete")
            new = json.dumps(text).replace('a' * 32, secret).encode()

            def change(name, data):
                if name.endswith('item.json'):
                    about = json.loads(data)
                    about['parts'][0].update(size=len(new), sha256=hashlib.sha256(new).hexdigest())
                    return json.dumps(about).encode()
                return new if name.endswith('data.json') else data
            result = reader.imported(reader.group(), repacked(package, change))
            self.assertEqual(len(result['itemsImported']), 1, result)
            self.assertEqual(b'hidden_service' in reader.item_data(item), told)

    def test_names_of_services_in_packages_are_made_valid(self):
        group = self.other.group()
        item, _ = self.other.service('to_be_renamed', group)
        package = self.other.export(group)
        self.other.call(self.other.content(f'items/{item}/delete'))

        def change(name, data):
            return data.replace(b'"to_be_renamed"', b'"a/../b\\"<x>\\r\\nq"') if name.endswith('item.json') else data
        self.assertEqual(len(self.other.imported(self.other.group(), repacked(package, change))['itemsImported']), 1)
        self.assertRegex(self.other.item(item)['url'], r'/Hosted/\w+/FeatureServer$')
        self.assertTrue(self.other.call(moving.path_of(self.other.item(item)['url'])))

    def test_searches(self):
        item = self.victim.add('Web Map', 'For everybody', text={}, folder=self.victim.call(self.victim.content('createFolder'), title='Mine')['folder']['id'])
        self.victim.call(f'/sharing/rest/content/items/{item}/share', everyone='true')
        secret = self.victim.add('Web Map', 'Quite zebra', text={}, tags='unheard')
        group = self.victim.group('Closed zebra')
        for i in (item, secret):
            self.victim.share(i, group)
        for person in (self.nobody, self.other):
            for q in (f'group:{group}', f'group:{group[:4]}*', 'zebra', 'zeb*', 'tags:unheard', f'id:{secret}', secret, f'owner:victim AND access:shared AND id:{secret}'):
                self.assertEqual(person.call('/sharing/rest/search', q=q, countFields='tags,type')['total'], 0, q)
            self.assertNotIn('unheard', json.dumps(person.call('/sharing/rest/search', q='*', countFields='tags', countSize='200')))
            self.assertEqual(person.call('/sharing/rest/community/groups', q='zebra')['total'], 0)
            self.assertIsNone(person.item(item)['ownerFolder'])
            self.assertEqual(person.error(f'/sharing/rest/content/groups/{group}')['code'], self.nobody.error('/sharing/rest/content/groups/' + 'f' * 32)['code'])
        self.assertEqual(self.victim.call('/sharing/rest/search', q=f'group:{group}')['total'], 2)
        self.assertTrue(self.victim.item(item)['ownerFolder'])
        self.assertEqual(self.admin.call('/sharing/rest/community/users', q='email:victim*')['total'], 1)
        for q in ('email:victim*', 'example.com', 'lastlogin:[0 TO 99999999999999]', 'disabled:false', 'role:org_admin'):
            self.assertEqual(self.viewer.call('/sharing/rest/community/users', q=q)['total'], 0, q)
        self.assertEqual(self.viewer.call('/sharing/rest/community/users', q='victim')['total'], 1)

    def test_hidden_members(self):
        group = self.victim.group('With hidden members', access='org', hiddenMembers='true')
        self.victim.call(f'/sharing/rest/community/groups/{group}/addUsers', users='other,viewer')
        shown = {p.user: 'With hidden members' in [g['title'] for g in p.call('/sharing/rest/community/users/other')['groups']] for p in (self.victim, self.other, self.viewer, self.admin)}
        self.assertEqual(shown, {'victim': True, 'other': True, 'viewer': False, 'admin': True})

    def test_a_viewer_manages_nothing(self):
        group = self.victim.group()
        self.victim.call(f'/sharing/rest/community/groups/{group}/addUsers', admins='viewer')
        for operation, fields in (('update', {'title': 'x'}), ('addUsers', {'users': 'other'}), ('removeUsers', {'users': 'viewer'})):
            self.assertEqual(self.viewer.error(f'/sharing/rest/community/groups/{group}/{operation}', **fields)['code'], 403)

    def test_uploads_are_no_pages(self):
        boundary, item = 'zz', self.victim.add('Web Map', text={})
        for kind in ('text/html', 'multipart/x-mixed-replace; boundary=b', 'image/svg+xml', 'x'):
            body = f'--{boundary}\r\nContent-Disposition: form-data; name="f"\r\n\r\njson\r\n--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x{len(kind)}"\r\nContent-Type: {kind}\r\n\r\n<script>\r\n--{boundary}--\r\n'
            answer = self.victim.raw(self.victim.content(f'items/{item}/addResources') + '?token=' + self.victim.token, method='PUT')[2]
            self.assertIn(b'error', answer)  # no other method
            connection = http.client.HTTPConnection(self.victim.host, timeout=60)
            connection.request('POST', self.victim.content(f'items/{item}/addResources'), body, {'Content-Type': 'multipart/form-data; boundary=' + boundary, 'Referer': self.victim.url, 'X-Esri-Authorization': 'Bearer ' + self.victim.token})
            self.assertIn(b'"success":true', connection.getresponse().read())
            connection.close()
            _, headers, _ = self.victim.raw(f'/sharing/rest/content/items/{item}/resources/x{len(kind)}', method='GET')
            self.assertEqual((headers['Content-Security-Policy'], headers['X-Content-Type-Options']), ('sandbox', 'nosniff'))

    def test_pages_lead_to_this_host_and_hold_no_markup(self):
        item = self.victim.add('Web Map', '"><script>x</script>', text={})
        for path in ('//example.org/x', '/sharing/rest/<script>', f'/sharing/rest/content/items/{item}'):
            _, headers, page = self.victim.raw(path, {'f': 'html'} if item in path else None, method='GET')
            self.assertIn('text/html', headers['Content-Type'])
            self.assertNotIn(b'href="//', page)
            self.assertNotIn(b'<script', page)

    def test_the_cookie_is_for_the_pages_of_this_origin(self):
        form = {'Content-Type': 'application/x-www-form-urlencoded'}
        headers = self.nobody.raw('/sharing/rest/generateToken', {'username': 'victim', 'password': PASSWORD, 'f': 'html'})[1]
        self.assertRegex(headers['Set-Cookie'], r'; HttpOnly; SameSite=Strict')
        cookie = {'Cookie': headers['Set-Cookie'].split(';')[0]}
        self.assertIn(b'victim', self.nobody.raw('/sharing/rest/community/self', method='GET', headers=cookie)[2])
        self.assertIn(b'499', self.nobody.raw('/sharing/rest/community/self', {'f': 'json'}, method='GET', headers=cookie)[2])
        for origin in ('http://127.0.0.1:1', 'null', 'https://example.org'):
            page = self.nobody.raw('/sharing/rest/community/createGroup', {'title': 'forged', 'f': 'html'}, headers=dict(form, Origin=origin, **cookie))[2]
            self.assertIn(b'499', page)
        self.assertEqual(self.victim.call('/sharing/rest/community/groups', q='forged')['total'], 0)

    def test_tokens(self):
        def asked(statement):
            return Access.with_token.__func__(type(self), 'other', statement) if statement else self.server.sign_in('other')

        self.assertEqual(asked('UPDATE token SET expires = 1 WHERE hash = ?').error('/sharing/rest/portals/self')['code'], 498)
        self.assertEqual(asked("UPDATE token SET referer = 'https://example.org:443' WHERE hash = ?").error('/sharing/rest/portals/self')['code'], 498)
        self.assertEqual(asked("UPDATE token SET ip = '10.0.0.1' WHERE hash = ?").error('/sharing/rest/portals/self')['code'], 498)
        self.assertEqual(asked("UPDATE token SET username = 'nobody' WHERE hash = ?").error('/sharing/rest/portals/self')['code'], 498)
        self.server.add_user('gone')
        gone = Access.with_token.__func__(type(self), 'gone', 'UPDATE portal_user SET disabled = 1 WHERE username = (SELECT username FROM token WHERE hash = ?)')
        self.assertEqual(gone.error('/sharing/rest/portals/self')['code'], 498)
        with self.assertRaises(RestError):
            self.server.sign_in('gone')
        person = asked(None)
        swapped = person.call('/sharing/rest/generateToken', token=person.token, serverUrl=self.server.url, expiration='20000', client='requestip')['token']
        stranger = Person(self.server.url)
        self.assertIn(b'498', http_get(stranger, '/sharing/rest/community/self?f=json', swapped))  # as bound as the one it was made from
        person.call('/sharing/rest/oauth2/revokeToken', auth_token=person.token)
        self.assertEqual(person.error('/sharing/rest/portals/self')['code'], 498)

    def test_definitions_of_any_size_are_answered(self):
        _, url = self.victim.service('too_large')
        fields = [{'name': f'OBJECTID_{i}' if i else 'OBJECTID', 'type': 'esriFieldTypeString'} for i in range(60_000)]
        began = time.monotonic()
        for layers in ([{'id': 0, 'name': 't', 'type': 'Table', 'fields': fields}], [{'id': i, 'name': f't{i}', 'type': 'Table', 'fields': fields[:1]} for i in range(3000)]):
            self.assertEqual(self.victim.error(url.replace('/rest/', '/rest/admin/') + '/addToDefinition', addToDefinition={'tables': layers})['code'], 400)
        self.assertLess(time.monotonic() - began, 20)

    def test_the_log_has_no_secrets(self):
        key = self.victim.started(self.victim.group(), 'export')['key']
        self.nobody.raw('/sharing/rest/community/self', {'token': self.victim.token, 'f': 'json'}, method='GET')
        self.nobody.raw('/sharing/rest/generateToken', {'username': 'victim', 'password': 'a-wrong-password', 'f': 'json'})
        log = read(self.server.log)
        for secret in (self.victim.token, self.admin.token, PASSWORD, 'a-wrong-password', key):
            self.assertNotIn(secret.encode(), log)


def http_get(person, path, token):
    connection = http.client.HTTPConnection(person.host, timeout=60)
    connection.request('GET', path, headers={'X-Esri-Authorization': 'Bearer ' + token})
    data = connection.getresponse().read()
    connection.close()
    return data


if __name__ == '__main__':
    moving.main()
