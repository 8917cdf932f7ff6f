#!/usr/bin/env python3
"""Who may: every operation asked for by every kind of caller. What is refused changes nothing; what is answered tells nobody of things that
are not theirs to see."""
import json
import os
import re
import sqlite3
import sys
import unittest
import urllib.parse
import zipfile
import hashlib
import io

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import PASSWORD, Person, Portal, RestError, Server, poll, read  # noqa: E402
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
         'tables': [moving.layer(1, 'Notes', None, (('n', 'Integer'),), relationships=[moving.related(0, 0, 'Destination', 'n')])]}
FEATURE = [{'attributes': {'name': 'x', 'n': 1}, 'geometry': {'x': 1, 'y': 2, 'spatialReference': {'wkid': 4326}}}]

# (path, fields, files, who may); the same for reading and changing
READS = [
    (ITEM, {}, READ), (ITEM + '/data', {}, READ), (ITEM + '/groups', {}, READ), (ITEM + '/relatedItems', {}, READ), (ITEM + '/resources', {}, READ),
    (ITEM + '/resources/images/a.png', {}, READ), (ITEM + '/resources/hidden.png', {}, OWN), (ITEM + '/info/metadata/metadata.xml', {}, READ),
    ('/sharing/rest/content/items/{secret}', {}, OWN), ('/sharing/rest/content/items/{secret}/data', {}, OWN), ('/sharing/rest/content/items/{secret}/groups', {}, OWN),
    ('/sharing/rest/content/items/{secret}/relatedItems', {}, OWN), ('/sharing/rest/content/items/{secret}/resources', {}, OWN), (OWNED, {}, READ), (OWNED + '/status', {}, READ),
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
    (SERVER, {}, READ), (SERVER + '/layers', {}, READ), (SERVER + '/0', {}, READ), (SERVER + '/0/query', {'where': '1=1'}, READ), (SERVER + '/0/query', {'where': '1=1', 'returnCountOnly': 'true'}, READ),
    (SERVER + '/0/queryRelatedRecords', {'objectIds': '1', 'relationshipId': '0'}, READ), (SERVER + '/0/queryAttachments', {'objectIds': '1'}, READ), (SERVER + '/0/1', {}, READ),
    (SERVER + '/0/1/attachments', {}, READ), (SERVER + '/0/1/attachments/1', {}, READ), (ADMIN_SERVER, {}, OWN), (ADMIN_SERVER + '/0', {}, OWN),
]
PART = [('file', ('b.png', moving.png()))]
CHANGES = [
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
    (CONTENT + 'createService', {'createParameters': '{"name":"{fresh}"}'}, OWN, None), (CONTENT + '{folder}/createService', {'createParameters': '{"name":"{fresh}"}'}, OWN, None),
    (GROUP + '/update', {'title': '{fresh}'}, MANAGE, None), (GROUP + '/delete', {}, OWN, None), (GROUP + '/protect', {}, OWN, None), (GROUP + '/unprotect', {}, OWN, None),
    (GROUP + '/addUsers', {'users': 'publisher'}, MANAGE, None), (GROUP + '/removeUsers', {'users': 'member'}, MANAGE, None), (GROUP + '/updateUsers', {'admins': 'member'}, MANAGE, None),
    (GROUP + '/leave', {}, {'manager', 'member'}, None), (GROUP + '/export', {'async': 'true'}, OWN, None), (GROUP + '/export', {'previewOnly': 'true'}, OWN, None),
    (GROUP + '/import', {'itemId': '{package}', 'async': 'true'}, OWN, None), (GROUP + '/import', {'itemId': '{package}', 'previewOnly': 'true'}, OWN, None),
    ('/sharing/rest/portals/self/jobs/{job}/cancel', {}, {'admin'}, None),
    (SERVER + '/0/addFeatures', {'features': json.dumps(FEATURE)}, READ, None), (SERVER + '/0/1/addAttachment', {}, READ, [('attachment', ('b.txt', b'b'))]),
    (ADMIN_SERVER + '/addToDefinition', {'addToDefinition': json.dumps({'tables': [moving.layer(9, 'More')]})}, OWN, None),
    (ADMIN_SERVER + '/0/addToDefinition', {'addToDefinition': '{"templates":[]}'}, OWN, None), (ADMIN_SERVER + '/updateDefinition', {'updateDefinition': '{"capabilities":"Query"}'}, OWN, None),
    (ADMIN_SERVER + '/0/updateDefinition', {'updateDefinition': '{"description":"x"}'}, OWN, None), (ADMIN_SERVER + '/refresh', {}, OWN, None),
    ('/sharing/rest/community/createGroup', {'title': '{fresh}'}, SIGNED_IN - {'viewer'}, None),
    ('/portaladmin/security/users/createUser', {'username': '{fresh}', 'password': 'a-long-password'}, {'admin'}, None),
]
# the same for everybody who is asked, or about the caller's own token
OPEN = {'discovery_root', 'discovery_info', 'tokens_generate', 'tokens_revoke', 'portals_self', 'portals_servers', 'portals_urls', 'portals_settings', 'groups_join', 'features_root', 'features_info',
        'features_services', 'system_root', 'system_healthz', 'system_readyz', 'system_metrics'}


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

    def __init__(self, owner):
        Scene.count += 1
        n = Scene.count
        self.owner = owner
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
        owner.call(owner.content('addRelationship'), originItemId=item, destinationItemId=service, relationshipType='Map2Service')
        csv = owner.add('CSV', 'A file', file=(f'file{n}.csv', CSV))
        package = owner.add('Export Package', 'A package', file=(f'p{n}.epk', package_of(owner)))
        job = owner.started(group, 'export', itemIdList=secret)
        owner.ended(job)
        self.names = {'owner': 'owner', 'group': group, 'folder': folder, 'item': item, 'secret': secret, 'service': service, 'name': f'scene_{n}', 'csv': csv, 'package': package, 'job': job['jobId'], 'key': job['key']}
        self.fresh = 0

    def filled(self, text, quote=False):
        self.fresh += 1
        names = dict(self.names, fresh=f"fresh_{self.names['name']}_{self.fresh}")
        return re.sub(r'\{(' + '|'.join(names) + r')\}', lambda m: names[m.group(1)], text)

    def state(self):
        o, n = self.owner, self.names
        return (sorted((i['id'], i['modified'], i['access']) for i in o.own_items().values()), sorted(o.folders().items()), o.call(self.filled(GROUP)), o.call(self.filled(GROUP + '/users')),
                o.items_of_group(n['group']), o.call(self.filled(ITEM + '/resources')), o.call(self.filled(ITEM + '/relatedItems'), relationshipType='Map2Service')['total'],
                o.call(self.filled(SERVER + '/0/query'), where='1=1', returnCountOnly='true'), o.call(self.filled(ADMIN_SERVER)), o.call(self.filled(SERVER + '/0/1/attachments')),
                sorted(s['name'] for s in o.call('/server/rest/services/Hosted')['services']))


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
        cls.scene = Scene(cls.people['owner'])

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
        patterns = [re.compile('^' + re.sub(r'\\{[^}]*\\}', '[^/]+', re.escape(r.pattern)).replace(r'\{path\.\.\.\}', '.+') + '$', re.I) for r in routes() if r.handler not in OPEN]
        paths = [p for p, *_ in READS + CHANGES]
        paths += [p.replace(CONTENT, CONTENT + '{folder}/') for p in paths]
        for pattern in patterns:
            self.assertTrue(any(pattern.match(p) for p in paths), f'no caller asks for {pattern.pattern}')

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
                    scene = Scene(self.people['owner'])
                    status, data = self.ask(who, scene, path, fields, files)
                    self.assertFalse(refused(data, status), (status, data[:500]))


if __name__ == '__main__':
    moving.main()
