#!/usr/bin/env python3
"""What test_crash_portal.py does to the operations on people and on what hangs on items: roles, profiles, invitations and applications, the
organization; uploads in parts, archives, comments, ratings and the batch forms."""
import io
import os
import sys
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
import test_crash_portal as portal  # noqa: E402
from moving import PASSWORD, RestError  # noqa: E402

SELF, USERS, GROUPS = '/sharing/rest/portals/self/', '/sharing/rest/community/users/', '/sharing/rest/community/groups/'
ARCHIVE = io.BytesIO()
with zipfile.ZipFile(ARCHIVE, 'w') as z:
    for member in ('a.txt', 'deep/b.txt'):
        z.writestr(member, member)
SCHEMA = [{'title': 'Categories', 'categories': [{'title': 'Rivers'}]}]


def only(answer, members):
    return {m: answer.get(m) for m in members}


def done(answer):
    """An operation on several things answers for each: here for the one that was named."""
    for result in answer.get('results', []):
        if not result['success']:
            raise RestError('', result['error'])


class People(portal.Scene):
    def prepare(self, server, admin):
        for name in ('bob', 'carol', 'erin'):
            server.add_user(name)
        admin.call(SELF + 'createRole', name='Readers', privileges=['portal:user:viewOrgItems'])
        group = admin.group('Harbour', access='org')
        server.sign_in('carol').call(f'{GROUPS}{group}/join')
        admin.call(f'{GROUPS}{group}/invite', users='bob')
        for title in ('Map', 'First', 'Second', 'Third'):
            admin.add('Web Map', title, text={'version': '2.30'})
        server.sign_in('erin').call(f'{GROUPS}{group}/join')
        admin.call(SELF + 'addresource', key='old', text='old')

    def role(self, p):
        return next(r['id'] for r in p.call(SELF + 'roles')['roles'])

    def changes(self, spare):
        del spare
        upload = 'items/' + 'f' * 32 + '/'
        return [
            ('createRole', lambda p: p.call(SELF + 'createRole', name='Writers', privileges=['portal:user:createItem'])),
            ('setPrivileges', lambda p: p.call(SELF + f'roles/{self.role(p)}/setPrivileges', privileges=['portal:user:viewOrgItems', 'portal:user:viewOrgGroups'])),
            ('update the role', lambda p: p.call(SELF + f'roles/{self.role(p)}/update', name='Lookers')),
            ('updateUserRole', lambda p: done(p.call(SELF + 'updateUserRole', user='erin', role=self.role(p)))),
            ('updateUserLicenseType', lambda p: done(p.call(SELF + 'updateUserLicenseType', users='bob', userLicenseType='editorUT'))),
            ('update the user', lambda p: p.call(USERS + 'bob/update', description='a pilot', tags='x,y', files=[('thumbnail', ('t.png', moving.png(2)))])),
            ('setProperties', lambda p: p.call(USERS + 'admin/setProperties', properties={'a': 1})),
            ('disable', lambda p: done(p.call(SELF + 'disableUsers', users='erin'))),
            ('enable', lambda p: done(p.call(SELF + 'enableUsers', users='erin'))),
            ('let in', lambda p: p.on_group('Harbour', 'applications/carol/accept')),
            ('keep out', lambda p: p.on_group('Harbour', 'applications/erin/decline')),
            ('invite', lambda p: p.on_group('Harbour', 'invite', users='erin', role='group_admin')),
            ('createNotification', lambda p: p.on_group('Harbour', 'createNotification', subject='Tide', message='High', users='carol')),
            ('categories', lambda p: p.on_group('Harbour', 'assignCategorySchema', categorySchema={'categorySchema': SCHEMA})),
            ('update the organization', lambda p: p.call(SELF + 'update', description='Of the harbour')),
            ('addresource', lambda p: p.call(SELF + 'addresource', key='new', text='new')),
            ('removeresource', lambda p: p.call(SELF + 'removeresource', key='old')),
            ('invite a new user', lambda p: done(p.call(SELF + 'invite', invitationList={'invitations': [{'username': n, 'password': PASSWORD, 'role': 'org_user'} for n in ('gina',)]}))),
            ('removeUsers', lambda p: done(p.call(SELF + 'removeUsers', users='gina'))),
            ('reassign the group', lambda p: p.on_group('Harbour', 'reassign', targetUsername='bob')),
            ('begin an upload', lambda p: p.call(p.content('addItem'), multipart='true', filename='parts.csv', itemIdToCreate='f' * 32, title='In parts', type='CSV', tags='a')),
            ('addPart 2', lambda p: p.call(p.content(upload + 'addPart?partNum=2'), files=[('file', ('part', b'2' * 40_000))])),
            ('addPart 1', lambda p: p.call(p.content(upload + 'addPart?partNum=1'), files=[('file', ('part', b'1' * 40_000))])),
            ('commit', lambda p: p.call(p.content(upload + 'commit'), snippet='whole')),
            ('resources of an archive', lambda p: p.on_item('Map', 'addResources', archive='true', files=[('file', ('r.zip', ARCHIVE.getvalue()))])),
            ('updateinfo', lambda p: p.on_item('Map', 'updateinfo', folderName='metadata', files=[('file', ('metadata.xml', b'<metadata/>'))])),
            ('pictures', lambda p: p.on_item('Map', 'update', files=[('thumbnail', ('a.png', moving.png(3))), ('largeThumbnail', ('b.png', moving.png(4)))])),
            ('removeResources', lambda p: p.on_item('Map', 'removeResources', resourcesPrefix='deep')),
            ('addComment', lambda p: p.call(f"/sharing/rest/content/items/{p.item_id('Map')}/addComment", comment='Deep enough')),
            ('addRelationship', lambda p: p.call(p.content('addRelationship'), originItemId=p.item_id('Map'), destinationItemId=p.item_id('First'), relationshipType='Map2Area')),
            ('shareItems', lambda p: done(p.call(p.content('shareItems'), items=p.item_id('First'), everyone='true'))),
            ('createFolder', lambda p: p.call(p.content('createFolder'), title='Things')),
            ('moveItems', lambda p: done(p.call(p.content('moveItems'), items=p.item_id('Second'), folder=p.folders()['Things']))),
            ('reassignItems', lambda p: done(p.call(p.content('reassignItems'), items=p.item_id('Third'), targetUsername='bob'))),
            ('deleteItems', lambda p: done(p.call(p.content('deleteItems'), items=p.item_id('First')))),
        ]

    def item_state(self, p, item):
        about = p.item(item['id'])
        path = f"/sharing/rest/content/items/{item['id']}/"
        related = [i['title'] for i in p.call(path + 'relatedItems', relationshipType='Map2Area')['relatedItems']]
        resources = [(r['resource'], p.data(path + 'resources/' + r['resource'])[1]) for r in p.call(path + 'resources')['resources']]
        pictures = [p.data(path + 'info/' + about[k])[1] if about[k] else None for k in ('thumbnail', 'largeThumbnail')]
        metadata = p.raw(path + 'info/metadata/metadata.xml')[2] if p.raw(path + 'info/metadata/metadata.xml')[0] == 200 else None
        return (about['title'], about['snippet'], about['access'], about['ownerFolder'] is not None, about['numComments'], [c['comment'] for c in p.call(path + 'comments')['comments']], related, resources, pictures,
                metadata, p.item_data(item['id']))

    def state(self, p, spare):
        del spare
        users = [only(p.call(USERS + u['username']), ('username', 'description', 'tags', 'disabled', 'userLicenseTypeId', 'thumbnail')) for u in p.call(SELF + 'users', num='100', sortField='username')['users']]
        roles = {r['id']: (r['name'], sorted(p.call(SELF + f"roles/{r['id']}/privileges")['privileges'])) for r in p.call(SELF + 'roles')['roles']}
        held = {u['username']: roles.get(u['role'], u['role']) for u in p.call(SELF + 'users', num='100')['users']}
        asked = {u: len(p.call(USERS + u + '/invitations')['userInvitations']) for u in ('bob', 'erin')}
        told = {u: sorted(n['type'] for n in p.call(USERS + u + '/notifications')['notifications']) for u in ('bob', 'carol', 'erin')}
        group = next(g['id'] for g in p.call('/sharing/rest/community/groups', q='title:Harbour')['results'])
        people = p.call(f'{GROUPS}{group}/users')
        try:
            parts = p.call(p.content('items/' + 'f' * 32 + '/parts'))['parts']
        except RestError:
            parts = None
        org = p.call(SELF.rstrip('/'))['description'], sorted(r['key'] for r in p.call(SELF + 'resources')['resources'])
        items = sorted((self.item_state(p, i) for i in p.own_items().values()), key=str)
        return (users, sorted(roles.values()), held, asked, told, people['owner'], sorted(people['users']), sorted(a['username'] for a in p.call(f'{GROUPS}{group}/applications')['applications']),
                p.call(f'{GROUPS}{group}/categorySchema'), p.call(USERS + 'admin/properties'), parts, org, items, sorted(p.folders()), len(p.call('/sharing/rest/content/users/bob')['items']))


class PeopleChanges(portal.Changes):
    scene = People()
    sample = 12


if __name__ == '__main__':
    moving.main()
