"""The operations about users, roles and the organization, for test_access.py: (path, fields, who may) for reading, (path, fields, who may, files) for changing. Who
"owner", "manager", "member" and the others are stands there."""
import moving

OWN, ADMIN = {'owner', 'admin'}, {'admin'}
SIGNED_IN = OWN | {'manager', 'member', 'publisher', 'user', 'viewer'}
USER, OWNER, SELF = '/sharing/rest/community/users/{person}', '/sharing/rest/community/users/{owner}', '/sharing/rest/portals/self'
ROLE = SELF + '/roles/{role}'
GROUP, OPEN_GROUP, INVITED = '/sharing/rest/community/groups/{group}', '/sharing/rest/community/groups/{open}', '/sharing/rest/community/users/publisher'
MANAGE, ASKED = OWN | {'manager'}, {'publisher'}
SCHEMA = '[{"title":"Categories","categories":[{"title":"Rivers"}]}]'

READS = [
    (OWNER + '/info/t.png', {}, SIGNED_IN), ('/sharing/rest/community/checkUsernames', {'usernames': 'owner,x'}, ADMIN), (ROLE, {}, SIGNED_IN), (ROLE + '/privileges', {}, SIGNED_IN),
    ('/portaladmin/federation/servers', {}, ADMIN), (GROUP + '/info/t.png', {}, MANAGE | {'member'}), (OPEN_GROUP + '/applications', {}, OWN), (INVITED + '/invitations/{invitation}', {}, ASKED | ADMIN),
]
CHANGES = [
    (USER + '/update', {'description': 'x'}, ADMIN, None), (OWNER + '/update', {'description': 'x'}, OWN, None), (OWNER + '/update', {}, OWN, [('thumbnail', ('t.png', moving.png(4)))]),
    (OWNER + '/setProperties', {'properties': '{}'}, OWN, None), (USER + '/delete', {}, ADMIN, None), (USER + '/enable', {}, ADMIN, None), (USER + '/disable', {}, ADMIN, None),
    (USER + '/expirePassword', {'now': 'true'}, ADMIN, None), (USER + '/reset', {'newPassword': 'another-password'}, ADMIN, None), (USER + '/invalidateSessions', {}, ADMIN, None),
    (SELF + '/updateUserRole', {'user': '{person}', 'role': 'org_publisher'}, ADMIN, None), (SELF + '/updateUserLicenseType', {'users': '{person}', 'userLicenseType': 'editorUT'}, ADMIN, None),
    (SELF + '/removeUsers', {'users': '{person}'}, ADMIN, None), (SELF + '/enableUsers', {'users': '{person}'}, ADMIN, None), (SELF + '/disableUsers', {'users': '{person}'}, ADMIN, None),
    (SELF + '/invite', {'invitationList': '{"invitations":[{"username":"{fresh}","password":"a-long-password","role":"org_user"}]}'}, ADMIN, None),
    (SELF + '/createRole', {'name': '{fresh}', 'privileges': '[]'}, ADMIN, None), (ROLE + '/update', {'name': '{fresh}'}, ADMIN, None),
    (ROLE + '/setPrivileges', {'privileges': '["portal:user:createItem"]'}, ADMIN, None), (ROLE + '/delete', {}, ADMIN, None),
    (SELF + '/update', {'description': 'x'}, ADMIN, None), (SELF + '/addresource', {'key': '{fresh}', 'text': 'x'}, ADMIN, None), (SELF + '/addresource', {'key': '{fresh}'}, ADMIN, [('file', ('x.txt', b'x'))]),
    (SELF + '/removeresource', {'key': '{resource}'}, ADMIN, None),
    (GROUP + '/reassign', {'targetUsername': 'publisher'}, OWN, None), (GROUP + '/invite', {'users': 'user'}, MANAGE, None), (GROUP + '/update', {}, MANAGE, [('thumbnail', ('t.png', moving.png(5)))]),
    (OPEN_GROUP + '/applications/admin/accept', {}, OWN, None), (OPEN_GROUP + '/applications/admin/decline', {}, OWN, None),
    (GROUP + '/createNotification', {'subject': 's', 'notifyAll': 'true'}, MANAGE, None), (SELF + '/createNotification', {'subject': 's', 'users': 'user'}, ADMIN, None),
    (GROUP + '/assignCategorySchema', {'categorySchema': SCHEMA}, MANAGE, None), (GROUP + '/deleteCategorySchema', {}, MANAGE, None),
    (INVITED + '/invitations/{invitation}/accept', {}, ASKED, None), (INVITED + '/invitations/{invitation}/decline', {}, ASKED, None),
    (INVITED + '/notifications/{notification}/delete', {}, ASKED | ADMIN, None),
]


def prepare(owner, admin, group, n):
    """What the rows need besides the things of the owner: names for the paths."""
    person = f'person{n}'
    admin.call('/portaladmin/security/users/createUser', username=person, password=moving.PASSWORD, fullname=person, role='org_user')
    role = admin.call(SELF + '/createRole', name=f'role{n}', privileges=['portal:user:viewOrgItems'])['id']
    owner.call('/sharing/rest/community/users/owner/update', files=[('thumbnail', ('t.png', moving.png()))])
    owner.call(f'/sharing/rest/community/groups/{group}/update', files=[('thumbnail', ('t.png', moving.png()))])
    open_group = owner.group(f'Open {n}', access='org')
    admin.call(f'/sharing/rest/community/groups/{open_group}/join')
    owner.call(f'/sharing/rest/community/groups/{group}/invite', users='publisher')
    invitation = next(i['id'] for i in admin.call(INVITED + '/invitations')['userInvitations'] if i['groupId'] == group)
    notification = next(i['id'] for i in admin.call(INVITED + '/notifications')['notifications'] if i['target'] == group)
    admin.call(SELF + '/addresource', key=f'resource{n}', text='x')
    return {'resource': f'resource{n}', 'person': person, 'role': role, 'open': open_group, 'invitation': invitation, 'notification': notification}


def state(admin, names):
    """What refused changes must not have changed."""
    group, opened = (f'/sharing/rest/community/groups/{names[k]}' for k in ('group', 'open'))
    return [admin.call(path) for path in (f"/sharing/rest/community/users/{names['person']}", f"/sharing/rest/portals/self/roles/{names['role']}/privileges", '/sharing/rest/portals/self/roles',
                                          group + '/categorySchema', opened + '/applications', INVITED + '/invitations', INVITED + '/notifications', SELF + '/resources')] + [admin.call(SELF)['description']]
