// People by Esri's arcgis-rest-js: users, roles, groups, invitations, applications, notifications, tokens for the server.
// PORTAL_URL=http://127.0.0.1:7080 ADMIN_USER=admin ADMIN_PASSWORD=... node --test
import assert from "node:assert/strict";
import { File } from "node:buffer"; // not a global in Debian 12's Node
import { before, describe, test } from "node:test";
import { ArcGISIdentityManager, request } from "@esri/arcgis-rest-request";
import * as portal from "@esri/arcgis-rest-portal";

const base = (process.env.PORTAL_URL ?? "http://127.0.0.1:7080").replace(/\/$/, "");
const rest = `${base}/sharing/rest`;
const adminName = process.env.ADMIN_USER ?? "admin";
const adminPassword = process.env.ADMIN_PASSWORD ?? "adminpw1";
const tag = `p${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
const password = "a long password 1";
const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

const signIn = (username, pass = password) => ArcGISIdentityManager.signIn({ username, password: pass, portal: rest });
const call = (path, authentication, params = {}) => request(`${rest}/${path}`, { authentication, params });
const names = { ann: `ann_${tag}`, bob: `bob_${tag}`, carl: `carl_${tag}` };

// The error of a call: its code, its message code when one is expected, and a word of its details.
async function refused(promise, code, word, messageCode) {
  await assert.rejects(promise, (e) => {
    const error = e.response?.error ?? e;
    assert.equal(error.code, code, `${e.message} ${JSON.stringify(e.response)}`);
    if (word) assert.match(JSON.stringify(error.details ?? e.message), word);
    if (messageCode) assert.equal(error.messageCode, messageCode);
    return true;
  });
}

let admin, ann, bob, carl;

before(async () => {
  admin = await signIn(adminName, adminPassword);
  const invitations = Object.values(names).map((username) => ({ username, password, firstname: "F", lastname: username, email: "x@example.invalid", role: "org_publisher", userType: "arcgisonly" }));
  const invited = await call("portals/self/invite", admin, { invitationList: { invitations: [...invitations, { username: names.ann, password }] } });
  assert.deepEqual(invited.notInvited, [names.ann]); // is there by then
  [ann, bob, carl] = await Promise.all(Object.values(names).map((name) => signIn(name)));
});

describe("users", () => {
  test("the profile: read, changed, with a picture; by name and by id", async () => {
    const done = await portal.updateUser({ user: { username: names.ann, description: "über", tags: ["a", "b c"], access: "org", units: "metric" }, authentication: ann });
    assert.deepEqual(done, { success: true, username: names.ann });
    await call(`community/users/${names.ann}/update`, ann, { thumbnail: new File([png], "me.png", { type: "image/png" }) });
    const full = await portal.getUser({ username: names.ann, authentication: ann });
    assert.deepEqual(full.tags, ["a", "b c"]);
    assert.ok(full.privileges.includes("portal:publisher:publishFeatures"));
    assert.equal(full.userLicenseTypeId, "creatorUT");
    assert.equal(full.storageUsage, 0);
    assert.match(full.favGroupId, /^[0-9a-f]{32}$/);
    const picture = await request(`${rest}/community/users/${full.id}/info/${full.thumbnail}`, { httpMethod: "GET", rawResponse: true, authentication: bob });
    assert.deepEqual(Buffer.from(await picture.arrayBuffer()), png);
    const short = await portal.getUser({ username: full.id, authentication: bob });
    assert.equal(short.description, "über");
    for (const hidden of ["email", "privileges", "role", "storageUsage", "favGroupId"]) assert.equal(short[hidden], undefined, hidden);
    await refused(portal.updateUser({ user: { username: names.ann, description: "hack" }, authentication: bob }), 403, undefined, "GWM_0003");
    await refused(portal.updateUser({ user: { username: names.ann, email: "nonsense" }, authentication: ann }), 400, /email/);
  });

  test("properties", async () => {
    await portal.setUserProperties(names.ann, { landingPage: { url: "ä" } }, { authentication: ann });
    assert.deepEqual((await portal.getUserProperties(names.ann, { authentication: ann })).landingPage, { url: "ä" });
    await assert.rejects(portal.getUserProperties(names.ann, { authentication: bob }));
  });

  test("found in the organization", async () => {
    assert.deepEqual((await portal.searchUsers({ q: `username:${names.bob}`, authentication: ann })).results.map((u) => u.username), [names.bob]);
    assert.deepEqual((await portal.searchCommunityUsers({ q: names.bob, authentication: ann })).results.map((u) => u.username), [names.bob]);
    const page = await request(`${rest}/portals/self/users`, { httpMethod: "GET", authentication: ann, params: { fullText: tag, num: 2, sortField: "username" } });
    assert.deepEqual([page.total, page.num, page.nextStart, page.users[0].username], [3, 2, 3, names.ann]);
    const suggested = await call("community/checkUsernames", admin, { usernames: `${names.ann},free_${tag}` });
    assert.deepEqual(suggested.usernames.map((u) => u.suggested), [`${names.ann}1`, `free_${tag}`]);
  });

  test("a password changed, expired, reset; sessions ended; somebody disabled and deleted", async () => {
    const name = `dora_${tag}`, user = `community/users/${name}`;
    await request(`${base}/portaladmin/security/users/createUser`, { params: { token: admin.token, username: name, password, role: "org_user", provider: "arcgis" } });
    let dora = await signIn(name);
    await refused(call(`${user}/reset`, dora, { password: "wrong wrong", newPassword: `${password}2` }), 400, /Invalid username or password/);
    await call(`${user}/reset`, dora, { password, newPassword: `${password}2` });
    await refused(call("community/self", undefined, { token: dora.token }), 498);
    dora = await signIn(name, `${password}2`);
    await call(`${user}/expirePassword`, admin, { now: true });
    await refused(signIn(name, `${password}2`), 400);
    await call(`${user}/reset`, undefined, { password: `${password}2`, newPassword: password });
    dora = await signIn(name);
    await call(`${user}/invalidateSessions`, dora);
    await refused(call("community/self", undefined, { token: dora.token }), 498);
    dora = await signIn(name);
    await call(`${user}/disable`, admin);
    await refused(call("community/self", undefined, { token: dora.token }), 498);
    await refused(signIn(name), 400);
    await call(`${user}/enable`, admin);
    dora = await signIn(name);
    const item = await portal.createItem({ item: { title: `kept ${tag}`, type: "Web Map", text: {} }, authentication: dora });
    await refused(call(`${user}/delete`, admin), 400, /owns 1 items/);
    await portal.removeItem({ id: item.id, authentication: dora });
    assert.deepEqual((await call("portals/self/removeUsers", admin, { users: `${name},nobody_${tag}` })).notRemoved, [`nobody_${tag}`]);
    await refused(portal.getUser({ username: name, authentication: admin }), 400);
    await refused(call(`community/users/${adminName}/delete`, admin), 400, /last administrator/);
  });
});

describe("roles", () => {
  test("a role of the organization decides what its holders may", async () => {
    const name = `Readers ${tag}`;
    await refused(call("portals/self/createRole", admin, { name, privileges: ["portal:everything"] }), 400, /portal:everything/);
    await refused(call("portals/self/createRole", ann, { name, privileges: [] }), 403);
    const role = (await call("portals/self/createRole", admin, { name, description: "d", privileges: ["portal:user:viewOrgItems", "portal:user:viewOrgUsers"] })).id;
    assert.equal(role.length, 16);
    const listed = await request(`${rest}/portals/self/roles`, { httpMethod: "GET", authentication: ann, params: { num: 100 } });
    assert.equal(listed.roles.find((r) => r.id === role).name, name);
    await call("portals/self/updateUserRole", admin, { user: names.carl, role });
    let me = await portal.getUser({ username: names.carl, authentication: carl });
    assert.equal(me.roleId, role);
    assert.deepEqual(me.privileges.sort(), ["portal:user:viewOrgItems", "portal:user:viewOrgUsers"]);
    await refused(portal.createItem({ item: { title: "no", type: "Web Map", text: {} }, authentication: carl }), 403);
    await refused(portal.createGroup({ group: { title: `no ${tag}`, tags: [] }, authentication: carl }), 403);
    await call(`portals/self/roles/${role}/setPrivileges`, admin, { privileges: ["portal:user:createItem", "portal:user:viewOrgItems"] });
    const item = (await portal.createItem({ item: { title: `by role ${tag}`, type: "Web Map", text: {} }, authentication: carl })).id;
    await refused(portal.setItemAccess({ id: item, access: "public", authentication: carl }), 403);
    await portal.removeItem({ id: item, authentication: carl });
    await refused(call(`portals/self/roles/${role}/delete`, admin), 400, /1 users have the role/);
    await call("portals/self/updateUserRole", admin, { user: names.carl, role: "org_publisher" });
    await call(`portals/self/roles/${role}/delete`, admin);
    me = await portal.getUser({ username: names.carl, authentication: carl });
    assert.deepEqual([me.role, me.roleId], ["org_publisher", undefined]);
  });
});

describe("groups", () => {
  let group;
  before(async () => {
    const made = await portal.createGroup({ group: { title: `Invited ${tag}`, tags: [tag], access: "private", isInvitationOnly: true, capabilities: "updateitemcontrol" }, authentication: ann });
    group = made.group.id;
    assert.deepEqual(made.group.capabilities, ["updateitemcontrol"]);
  });

  test("invitations accepted and declined", async () => {
    assert.equal((await portal.inviteGroupUsers({ id: group, users: [names.bob, names.carl], role: "group_member", expiration: 1440, authentication: ann })).success, true);
    const [invitation] = (await portal.getUserInvitations({ authentication: bob })).userInvitations;
    assert.deepEqual([invitation.groupId, invitation.fromUsername.username, invitation.role, invitation.group.title], [group, names.ann, "group_member", `Invited ${tag}`]);
    assert.equal((await portal.getUserInvitation({ invitationId: invitation.id, authentication: bob })).id, invitation.id);
    await refused(portal.getGroup(group, { authentication: bob }), 400, undefined, "COM_0003");
    await refused(call(`community/users/${names.carl}/invitations/${invitation.id}/accept`, carl), 400);
    const accepted = await portal.acceptInvitation({ invitationId: invitation.id, authentication: bob });
    assert.deepEqual(accepted, { success: true, username: names.bob, groupId: group, id: invitation.id });
    assert.equal((await portal.getGroup(group, { authentication: bob })).userMembership.memberType, "member");
    const [other] = (await portal.getUserInvitations({ authentication: carl })).userInvitations;
    assert.equal((await portal.declineInvitation({ invitationId: other.id, authentication: carl })).success, true);
    assert.deepEqual((await portal.getUserInvitations({ authentication: carl })).userInvitations, []);
    await refused(portal.getGroup(group, { authentication: carl }), 400);
    await refused(portal.joinGroup({ id: group, authentication: carl }), 400);
  });

  test("places, lists, a picture, categories, another owner", async () => {
    assert.deepEqual((await portal.updateUserMemberships({ id: group, users: [names.bob], newMemberType: "admin", authentication: ann })).results, [{ username: names.bob, success: true }]);
    const list = await portal.searchGroupUsers(group, { memberType: "admin", sortField: "username", authentication: bob });
    assert.deepEqual([list.total, list.users[0].username, list.owner.username], [1, names.bob, names.ann]);
    await call(`community/groups/${group}/update`, bob, { thumbnail: new File([png], "group.png", { type: "image/png" }) });
    const { thumbnail } = await portal.getGroup(group, { authentication: bob });
    const picture = await request(`${rest}/community/groups/${group}/info/${thumbnail}`, { httpMethod: "GET", rawResponse: true, authentication: ann });
    assert.deepEqual(Buffer.from(await picture.arrayBuffer()), png);
    const schema = [{ title: "Categories", categories: [{ title: "Flüsse", categories: [] }] }];
    await call(`community/groups/${group}/assignCategorySchema`, bob, { categorySchema: { categorySchema: schema } });
    assert.deepEqual((await portal.getGroupCategorySchema(group, { authentication: bob })).categorySchema, schema);
    await refused(call(`community/groups/${group}/reassign`, bob, { targetUsername: names.bob }), 403);
    await call(`community/groups/${group}/reassign`, ann, { targetUsername: names.bob });
    assert.deepEqual(await portal.getGroupUsers(group, { authentication: bob }), { owner: names.bob, admins: [names.ann], users: [] });
  });

  test("notifications are kept until they are deleted", async () => {
    const told = await portal.createGroupNotification({ id: group, subject: "s", message: "é <b>m</b>", users: [names.ann], notificationChannelType: "builtin", authentication: bob });
    assert.equal(told.success, true);
    await refused(portal.createGroupNotification({ id: group, subject: "s", message: "m", authentication: bob }), 400, /builtin/, "ORG_9001"); // rest-js asks for mail
    const { notifications } = await portal.getUserNotifications({ authentication: ann });
    assert.deepEqual([notifications[0].type, notifications[0].target, notifications[0].data.message], ["message_received", group, "é <b>m</b>"]);
    assert.equal((await portal.removeNotification({ id: notifications[0].id, authentication: ann })).success, true);
    assert.ok(!(await portal.getUserNotifications({ authentication: ann })).notifications.some((n) => n.id === notifications[0].id));
  });

  test("open groups: joined, or asked", async () => {
    const make = async (title, autoJoin) => (await portal.createGroup({ group: { title: `${title} ${tag}`, tags: [tag], access: "org", isInvitationOnly: false, autoJoin }, authentication: ann })).group.id;
    const [open, asked] = [await make("Open", true), await make("Asked", false)];
    for (const id of [open, asked]) assert.equal((await portal.joinGroup({ id, authentication: carl })).success, true);
    assert.equal((await portal.getGroup(open, { authentication: carl })).userMembership.memberType, "member");
    assert.equal((await portal.getGroup(asked, { authentication: carl })).userMembership.memberType, "none");
    assert.equal((await portal.getGroup(asked, { authentication: ann })).userMembership.applications, 1);
    const { applications } = await call(`community/groups/${asked}/applications`, ann);
    assert.deepEqual(applications.map((a) => a.username), [names.carl]);
    await refused(call(`community/groups/${asked}/applications/${names.carl}/accept`, carl), 403);
    await call(`community/groups/${asked}/applications/${names.carl}/accept`, ann);
    assert.equal((await portal.getGroup(asked, { authentication: carl })).userMembership.memberType, "member");
  });

  test("favourites", async () => {
    const { favGroupId } = await portal.getUser({ username: names.carl, authentication: carl });
    const item = (await portal.createItem({ item: { title: `liked ${tag}`, type: "Web Map", text: {} }, authentication: ann })).id;
    await portal.setItemAccess({ id: item, access: "org", authentication: ann });
    await call(`content/items/${item}/share`, carl, { groups: favGroupId });
    assert.deepEqual((await portal.getGroupContent(favGroupId, { authentication: carl })).items.map((i) => i.id), [item]);
    await refused(portal.getGroup(favGroupId, { authentication: admin }), 400);
    await portal.setItemAccess({ id: item, access: "private", authentication: ann });
    await refused(portal.getItem(item, { authentication: carl }), 403);
  });
});

describe("the organization", () => {
  test("its properties and resources", async () => {
    const self = await portal.getSelf({ authentication: admin });
    await refused(call("portals/self/update", ann, { description: "hack" }), 403);
    await call("portals/self/update", admin, { description: `Ämter ${tag}`, defaultExtent: { xmin: 1, ymin: 2, xmax: 3, ymax: 4, spatialReference: { wkid: 4326 } } });
    const changed = await portal.getSelf({ authentication: ann });
    assert.equal(changed.description, `Ämter ${tag}`);
    assert.equal(changed.defaultExtent.xmax, 3);
    assert.ok(changed.modified >= changed.created && changed.created > 0);
    await refused(call("portals/self/update", admin, { defaultExtent: "[1]" }), 400, /defaultExtent/);
    await call("portals/self/update", admin, { description: "", defaultExtent: "", clearEmptyFields: true });
    assert.deepEqual((await portal.getSelf({ authentication: ann })).defaultExtent, self.defaultExtent);
    const key = `r_${tag}.json`;
    await call("portals/self/addresource", admin, { key, text: '{"a":"é"}' });
    assert.deepEqual(await request(`${rest}/portals/self/resources/${key}`, { httpMethod: "GET" }), { a: "é" });
    assert.ok((await call("portals/self/resources", ann, { num: 100 })).resources.some((r) => r.key === key && r.size === 10));
    await call("portals/self/removeresource", admin, { key });
    assert.ok((await request(`${rest}/portals/regions`, { httpMethod: "GET" })).some((r) => r.id === "DE"));
    const federation = await request(`${base}/portaladmin/federation/servers`, { params: { token: admin.token } });
    assert.equal(federation.servers[0].serverRole, "HOSTING_SERVER");
  });
});

describe("tokens", () => {
  const generate = (params, init = {}) => fetch(`${rest}/generateToken`, { method: "POST", body: new URLSearchParams({ f: "json", ...params }), ...init }).then((r) => r.json());

  test("a token for the server, as each client asks for it", async () => {
    for (const serverUrl of [`${base}/server`, `${base}/server/rest/services/Hosted/x/FeatureServer`, `${base}/server/rest/admin/services/Hosted/x/FeatureServer/addToDefinition`]) {
      const made = await generate({ request: "getToken", token: ann.token, serverUrl, referer: "@esri/arcgis-rest-js", expiration: "20160" }, { headers: { Referer: "@esri/arcgis-rest-js" } });
      assert.ok(made.token && made.token !== ann.token && made.expires, JSON.stringify(made));
    }
    const elsewhere = await generate({ token: ann.token, serverUrl: "https://example.org/server" }, { headers: { Referer: "@esri/arcgis-rest-js" } });
    assert.match(JSON.stringify(elsewhere.error.details), /serverUrl/);
  });

  test("a password in the address is refused", async () => {
    const query = new URLSearchParams({ f: "json", username: names.ann, password });
    const inAddress = await fetch(`${rest}/generateToken?${query}`, { method: "POST" }).then((r) => r.json());
    assert.match(JSON.stringify(inAddress.error.details), /body/);
    assert.equal((await fetch(`${rest}/generateToken?${query}`)).status, 405);
  });

  test("bound to a page: its origin counts, not its path", async () => {
    const { token } = await generate({ username: names.ann, password, client: "referer", referer: "http://127.0.0.1:9" });
    const self = (referer) => fetch(`${rest}/community/self?f=json&token=${token}`, { headers: referer ? { Referer: referer } : {} }).then((r) => r.json());
    assert.equal((await self("http://127.0.0.1:9/a/page?x=1")).username, names.ann);
    for (const other of ["http://127.0.0.1:90/", "https://127.0.0.1:9/", ""]) assert.equal((await self(other)).error.code, 498);
  });
});
