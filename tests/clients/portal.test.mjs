// Esri's arcgis-rest-js against a running portal, over a working day: what it sends has to be answered the way it expects.
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
const tag = `t${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
const file = (bytes, name, type) => new File([bytes], name, { type });

function signIn(username, password) {
  return ArcGISIdentityManager.signIn({ username, password, portal: rest });
}

// The error of a call: its code, and its message code when one is expected.
async function refused(promise, code, messageCode) {
  await assert.rejects(promise, (e) => {
    assert.equal(e.response?.error?.code ?? e.code, code, `${e.message} ${JSON.stringify(e.response)}`);
    if (messageCode) assert.equal(e.response.error.messageCode, messageCode);
    return true;
  });
}

let admin, bob, folder;
const bobName = `bob_${tag}`;

before(async () => {
  admin = await signIn(adminName, adminPassword);
  const params = { token: admin.token, username: bobName, password: "bobs password 1", firstname: "Bob", lastname: "É", email: "bob@example.invalid", role: "org_publisher" };
  const made = await request(`${base}/portaladmin/security/users/createUser`, { params });
  assert.deepEqual(made, { status: "success" });
  bob = await signIn(bobName, "bobs password 1");
  folder = (await portal.createFolder({ title: `F ${tag}`, authentication: admin })).folder;
  assert.equal(folder.username, admin.username);
});

describe("sign in and discovery", () => {
  test("who I am, the portal, its parts", async () => {
    const user = await admin.getUser();
    assert.equal(user.username, adminName);
    assert.ok(user.privileges.includes("portal:admin:viewItems"));
    const self = await portal.getSelf({ authentication: admin });
    assert.equal(self.isPortal, true);
    assert.equal(self.portalMode, "singletenant");
    assert.equal(self.supportsHostedServices, true);
    assert.equal(self.user.username, adminName);
    assert.equal((await portal.getPortal(self.id, { authentication: admin })).id, self.id);
    assert.equal((await portal.getPortal(null, { portal: rest })).user, undefined);
    assert.equal((await portal.getPortalSettings(null, { authentication: admin })).id, self.id);
    await request(`${rest}/portals/self/subscriptioninfo`, { authentication: admin });
    const servers = await request(`${rest}/portals/self/servers`, { authentication: admin });
    assert.equal(servers.servers[0].serverRole, "HOSTING_SERVER");
    const info = await request(`${rest}/info`, { httpMethod: "GET" });
    assert.equal(info.owningSystemUrl, base);
    assert.equal(info.authInfo.tokenServicesUrl, `${rest}/generateToken`);
  });

  test("a wrong password, no token, a wrong token", async () => {
    await refused(signIn(adminName, "not the password"), 400);
    await refused(request(`${rest}/community/self`), 499);
    await refused(request(`${rest}/community/self`, { params: { token: "nonsense" } }), 498);
  });

  test("a token in a header, a revoked token", async () => {
    const session = await signIn(adminName, adminPassword);
    const self = await request(`${rest}/community/self`, { httpMethod: "GET", authentication: session, hideToken: true });
    assert.equal(self.username, adminName);
    const answer = await request(`${rest}/oauth2/revokeToken/`, { params: { auth_token: session.token } });
    assert.equal(answer.success, true);
    await refused(request(`${rest}/community/self`, { params: { token: session.token }, headers: { Referer: "@esri/arcgis-rest-js" } }), 498);
  });

  test("users by name, in any case, and by id", async () => {
    const user = await portal.getUser({ username: bobName, authentication: admin });
    assert.equal(user.fullName, "Bob É");
    assert.equal((await portal.getUser({ username: bobName.toUpperCase(), authentication: admin })).username, bobName);
    assert.equal((await portal.getUser({ username: user.id, authentication: admin })).username, bobName);
    await refused(portal.getUser({ username: `nobody_${tag}`, authentication: admin }), 400, "COM_0018");
    const found = await portal.searchUsers({ q: `username:${bobName}`, authentication: admin });
    assert.deepEqual(found.results.map((u) => u.username), [bobName]);
    const among = await portal.searchCommunityUsers({ q: `username:${bobName}`, authentication: admin });
    assert.equal(among.total, 1);
    await refused(request(`${base}/portaladmin/security/users/createUser`, { params: { token: bob.token, username: "x", password: "password1" } }), 403);
    for (const [part, member] of [["notifications", "notifications"], ["invitations", "userInvitations"], ["properties", "properties"], ["tags", "tags"]]) {
      assert.ok(member in (await request(`${rest}/community/users/${adminName}/${part}`, { authentication: admin })), part);
    }
    await refused(request(`${rest}/community/users/${adminName}/properties`, { authentication: bob }), 403);
  });
});

describe("items", () => {
  const csv = "name,n\nünï,1\n東京,2\n😀 \"q\" \\,3\n";

  test("by file, in a folder, replaced and read in parts", async () => {
    const item = { title: `csv ${tag}`, type: "CSV", tags: [tag, "two words"], snippet: "s", description: "<b>d</b> é", file: file(csv, "points ünï.csv", "text/csv") };
    const made = await portal.createItemInFolder({ folderId: folder.id, item, authentication: admin });
    assert.equal(made.folder, folder.id);
    const got = await portal.getItem(made.id, { authentication: admin });
    assert.equal(got.name, "points ünï.csv");
    assert.equal(got.ownerFolder, folder.id);
    assert.deepEqual(got.tags, [tag, "two words"]);
    assert.equal(got.description, "<b>d</b> é");
    assert.equal(got.size, Buffer.byteLength(csv));
    const data = await portal.getItemData(made.id, { authentication: admin, file: true });
    assert.equal(await data.text(), csv);
    const auth = { headers: { "X-Esri-Authorization": `Bearer ${admin.token}`, Referer: "@esri/arcgis-rest-js", Range: "bytes=5-6" } };
    const part = await fetch(`${rest}/content/items/${made.id}/data`, auth);
    assert.equal(part.status, 206);
    assert.equal(await part.text(), csv.slice(5, 7));
    await refused(portal.createItemInFolder({ folderId: folder.id, item: { ...item, file: file(csv, "points ünï.csv") }, authentication: admin }), 409, "CONT_0027");
    await portal.updateItem({ item: { id: made.id, file: file(csv + "x,4\n", "p2.csv", "text/csv") }, folderId: folder.id, authentication: admin });
    assert.equal((await portal.getItem(made.id, { authentication: admin })).name, "p2.csv");
    assert.equal(await (await portal.getItemData(made.id, { authentication: admin, file: true })).text(), csv + "x,4\n");
  });

  test("by text, with extent, keywords and properties", async () => {
    const text = { operationalLayers: [], baseMap: { title: "none", baseMapLayers: [] }, é: "東京 \\ \" 😀" };
    const item = { title: `map ${tag}`, type: "Web Map", text, tags: tag, extent: "-10,35,5,45", typeKeywords: ["Web Map", "Map", `kw${tag}`], properties: { a: { b: 1 } } };
    const made = await portal.createItem({ item, authentication: admin });
    assert.equal(made.folder ?? null, null);
    const got = await portal.getItem(made.id, { authentication: admin });
    assert.deepEqual(got.extent, [[-10, 35], [5, 45]]);
    assert.deepEqual(got.properties, { a: { b: 1 } });
    assert.deepEqual(await portal.getItemData(made.id, { authentication: admin }), text);
    await portal.updateItem({ item: { id: made.id, snippet: "new snippet", text: { k: 2 } }, authentication: admin });
    assert.deepEqual(await portal.getItemData(made.id, { authentication: admin }), { k: 2 });
    const after = await portal.getItem(made.id, { authentication: admin });
    assert.equal(after.snippet, "new snippet");
    assert.equal(after.title, `map ${tag}`);
    await portal.updateItem({ item: { id: made.id, title: "", snippet: "" }, params: { clearEmptyFields: true }, authentication: admin });
    const cleared = await portal.getItem(made.id, { authentication: admin });
    assert.equal(cleared.snippet ?? null, null);
    assert.equal(cleared.title, `map ${tag}`);
  });

  test("by url, and without data", async () => {
    const url = "https://example.invalid/app?x=1&y=2";
    const made = await portal.createItem({ item: { title: `url ${tag}`, type: "Web Mapping Application", url, tags: tag }, authentication: admin });
    assert.equal((await portal.getItem(made.id, { authentication: admin })).url, url);
    assert.equal(await portal.getItemData(made.id, { authentication: admin }), undefined);
  });

  test("what is refused", async () => {
    await refused(portal.createItem({ item: { title: "only a title" }, authentication: admin }), 400);
    await refused(portal.getItem("0".repeat(32), { authentication: admin }), 400, "CONT_0001");
    const made = await portal.createItem({ item: { title: `private ${tag}`, type: "Code Attachment", text: "{}" }, authentication: admin });
    await refused(portal.getItem(made.id, { authentication: bob }), 403, "GWM_0003");
    await refused(request(`${rest}/content/items/${made.id}`), 499);
    await refused(portal.updateItem({ item: { id: made.id, title: "hack" }, owner: adminName, authentication: bob }), 403);
    await refused(portal.removeItem({ id: made.id, owner: bobName, authentication: bob }), 403);
    await refused(portal.createItem({ item: { title: "x", type: "CSV" }, owner: adminName, authentication: bob }), 403);
    await refused(portal.moveItem({ itemId: made.id, folderId: "f".repeat(32), authentication: admin }), 400, "CONT_0013");
  });

  test("thumbnail, metadata and resources", async () => {
    const { id } = await portal.createItem({ item: { title: `parts ${tag}`, type: "Web Map", text: {} }, authentication: admin });
    await portal.updateItemInfo({ id, folderName: "metadata", file: file("<metadata/>", "metadata.xml", "text/xml"), authentication: admin });
    assert.equal(await portal.getItemMetadata(id, { authentication: admin }), "<metadata/>");
    await refused(request(`${rest}/content/items/${id}/info/form.json`, { authentication: admin }), 400, "CONT_0036");
    await refused(portal.getItemInfo(id, { fileName: "form.json", authentication: admin }), 400, "CONT_0036");
    await portal.updateItem({ item: { id, thumbnail: file("PNG", "é.png", "image/png") }, authentication: admin });
    const { thumbnail } = await portal.getItem(id, { authentication: admin });
    assert.equal(thumbnail, "thumbnail/é.png");
    const picture = await fetch(`${rest}/content/items/${id}/info/${encodeURI(thumbnail)}?w=400&token=${admin.token}`, { headers: { Referer: "@esri/arcgis-rest-js" } });
    assert.equal(await picture.text(), "PNG");
    await portal.addItemResource({ id, name: "cfg.json", prefix: "folder1", content: '{"k":"é"}', authentication: admin });
    await portal.addItemResource({ id, name: "pic.png", resource: file("0123456789", "other.png", "image/png"), private: true, authentication: admin });
    const list = await portal.getItemResources(id, { authentication: admin });
    assert.deepEqual(list.resources.map((r) => [r.resource, r.size, r.access]), [["folder1/cfg.json", 10, "inherit"], ["pic.png", 10, "private"]]);
    assert.deepEqual(await portal.getItemResource(id, { fileName: "folder1/cfg.json", readAs: "json", authentication: admin }), { k: "é" });
    await portal.updateItemResource({ id, name: "cfg.json", prefix: "folder1", content: '{"k":2}', authentication: admin });
    assert.equal(await portal.getItemResource(id, { fileName: "folder1/cfg.json", readAs: "text", authentication: admin }), '{"k":2}');
    await portal.removeItemResource({ id, resource: "pic.png", authentication: admin });
    assert.equal((await portal.getItemResources(id, { authentication: admin })).total, 1);
    await refused(portal.removeItemResource({ id, resource: "pic.png", authentication: admin }), 400, "CONT_0093");
    assert.equal((await portal.getItemStatus({ id, authentication: admin })).status, "completed");
  });

  test("move, protect, delete", async () => {
    const { id } = await portal.createItem({ item: { title: `moves ${tag}`, type: "Code Attachment", text: "{}" }, authentication: admin });
    const moved = await portal.moveItem({ itemId: id, folderId: folder.id, authentication: admin });
    assert.equal(moved.folder, folder.id);
    assert.equal((await portal.getItem(id, { authentication: admin })).ownerFolder, folder.id);
    const inFolder = await request(`${rest}/content/users/${adminName}/${folder.id}/items/${id}`, { authentication: admin });
    assert.deepEqual(inFolder.sharing, { access: "private", groups: [] });
    await portal.moveItem({ itemId: id, folderId: "/", authentication: admin });
    await portal.protectItem({ id, authentication: admin });
    await refused(portal.removeItem({ id, authentication: admin }), 400, "CONT_0048");
    const batch = await request(`${rest}/content/users/${adminName}/deleteItems`, { authentication: admin, params: { items: [id, "0".repeat(32)] } });
    assert.deepEqual(batch.results.map((r) => [r.success, r.error?.messageCode]), [[false, "CONT_0048"], [false, "CONT_0001"]]);
    await portal.unprotectItem({ id, authentication: admin });
    assert.equal((await portal.removeItem({ id, authentication: admin })).itemId, id);
    await refused(portal.getItem(id, { authentication: admin }), 400, "CONT_0001");
  });

  test("relationships", async () => {
    const make = async (title, type) => (await portal.createItem({ item: { title: `${title} ${tag}`, type, text: {} }, authentication: admin })).id;
    const [origin, destination] = [await make("o", "Web Map"), await make("d", "Web Mapping Application")];
    const relation = { originItemId: origin, destinationItemId: destination, relationshipType: "Map2AppConfig", authentication: admin };
    await portal.addItemRelationship(relation);
    const ask = (id, direction) => portal.getRelatedItems({ id, direction, relationshipType: "Map2AppConfig", authentication: admin });
    assert.deepEqual((await ask(origin, "forward")).relatedItems.map((i) => i.id), [destination]);
    assert.deepEqual((await ask(destination, "reverse")).relatedItems.map((i) => i.id), [origin]);
    assert.equal((await ask(destination, "forward")).total, 0);
    await refused(portal.addItemRelationship({ ...relation, relationshipType: "Nothing2Nowhere" }), 400);
    await portal.removeItemRelationship(relation);
    assert.equal((await ask(origin, "forward")).total, 0);
    const third = await request(`${rest}/content/users/${adminName}/addItem`, {
      authentication: admin,
      params: { title: `third ${tag}`, type: "Web Mapping Application", text: "{}", originItemId: origin, relationshipType: "Map2AppConfig" },
    });
    assert.deepEqual((await ask(origin, "forward")).relatedItems.map((i) => i.id), [third.id]);
  });

  test("content of a user and its folders, page by page", async () => {
    const own = await portal.createFolder({ title: `Pages ${tag}`, authentication: admin });
    await refused(portal.createFolder({ title: `Pages ${tag}`, authentication: admin }), 400);
    for (let i = 0; i < 5; i++)
      await portal.createItemInFolder({ folderId: own.folder.id, item: { title: `p${i}`, type: "Code Attachment", text: { i } }, authentication: admin });
    const list = (start, num) => request(`${rest}/content/users/${adminName}/${own.folder.id}`, { authentication: admin, params: { start, num, sortField: "title", sortOrder: "asc" } });
    const first = await list(1, 2);
    assert.deepEqual([first.total, first.start, first.num, first.nextStart], [5, 1, 2, 3]);
    assert.deepEqual(first.items.map((i) => i.title), ["p0", "p1"]);
    assert.equal(first.currentFolder.title, `Pages ${tag}`);
    assert.deepEqual(first.folders, []);
    const last = await list(5, 2);
    assert.equal(last.nextStart, -1);
    assert.deepEqual(last.items.map((i) => i.title), ["p4"]);
    const root = await portal.getUserContent({ authentication: admin });
    assert.equal(root.currentFolder, null);
    assert.ok(root.folders.some((f) => f.id === own.folder.id));
    const byId = await request(`${rest}/content/users/${(await admin.getUser()).id}`, { authentication: admin });
    assert.equal(byId.username, adminName);
    await refused(portal.getUserContent({ owner: adminName, authentication: bob }), 403);
    const gone = await request(`${rest}/content/users/${adminName}/${own.folder.id}/delete`, { authentication: admin });
    assert.equal(gone.success, true);
    assert.equal((await portal.searchItems({ q: `ownerfolder:${own.folder.id}`, authentication: admin })).total, 0);
  });
});

describe("search", () => {
  const pages = `pg${tag}`;
  let ids;
  before(async () => {
    ids = [];
    for (let i = 0; i < 24; i++)
      ids.push((await portal.createItem({
        item: { title: `page ${String(i).padStart(2, "0")} ${tag}`, type: i % 3 ? "Code Attachment" : "Web Map", tags: pages, text: { i } }, authentication: admin })).id);
  });
  const ask = (q, more = {}) => portal.searchItems({ q, num: 100, authentication: admin, ...more });

  test("paging", async () => {
    const page = (start) => ask(`tags:${pages}`, { num: 10, start, sortField: "title", sortOrder: "asc" });
    const [a, b, c] = [await page(1), await page(11), await page(21)];
    assert.deepEqual([a, b, c].map((p) => [p.total, p.start, p.results.length, p.nextStart]), [[24, 1, 10, 11], [24, 11, 10, 21], [24, 21, 4, -1]]);
    assert.deepEqual([...a.results, ...b.results, ...c.results].map((i) => i.id), ids);
    const next = await a.nextPage();
    assert.equal(next.results[0].title, `page 10 ${tag}`);
    assert.equal((await page(101)).results.length, 0);
    const down = await ask(`tags:${pages}`, { num: 3, sortField: "title", sortOrder: "desc" });
    assert.equal(down.results[0].title, `page 23 ${tag}`);
  });

  test("the grammar that clients use", async () => {
    const day = 24 * 3600 * 1000, pad = (t) => String(t).padStart(19, "0");
    const expected = [
      [`tags:${pages} AND type:"Web Map" AND owner:${adminName}`, 8],
      [`tags:${pages} AND NOT type:"Web Map"`, 16],
      [`tags:${pages} -type:"Web Map"`, 16],
      [`(title:"page 01 ${tag}" OR title:"page 02 ${tag}") AND tags:${pages}`, 2],
      [`id:${ids[0]} OR id:${ids[1]}`, 2],
      [`title:page* AND tags:${pages}`, 24],
      [`tags:${pages} AND created:[${pad(Date.now() - day)} TO ${pad(Date.now() + day)}]`, 24],
      [`tags:${pages} AND created:[${pad(0)} TO ${pad(Date.now() - day)}]`, 0],
      [`owner:${adminName} AND (type:"Web Map" OR type:"Code Attachment") AND tags:${pages}`, 24],
      [`owner:${bobName} AND tags:${pages}`, 0],
      [`typekeywords:kw${tag}`, 1],
    ];
    for (const [q, total] of expected) assert.equal((await ask(q)).total, total, q);
    assert.equal((await ask(`tags:${pages}`, { filter: 'type:"Web Map"' })).total, 8);
    assert.equal((await request(`${rest}/search`, { params: { q: `tags:${pages}`, bbox: "" }, authentication: admin })).total, 24);
  });

  test("counts, and what others see", async () => {
    const counted = await ask(`tags:${pages}`, { num: 1, countFields: "type,access", countSize: 10 });
    assert.deepEqual(counted.aggregations.counts, [
      { fieldName: "type", fieldValues: [{ value: "Code Attachment", count: 16 }, { value: "Web Map", count: 8 }] },
      { fieldName: "access", fieldValues: [{ value: "private", count: 24 }] },
    ]);
    assert.equal((await portal.searchItems({ q: `tags:${pages}`, portal: rest })).total, 0);
    assert.equal((await portal.searchItems({ q: `tags:${pages}`, authentication: bob })).total, 0);
    const tags = await portal.getUserTags({ authentication: admin });
    assert.equal(tags.tags.find((t) => t.tag === pages).count, 24);
    const gone = await request(`${rest}/content/users/${adminName}/deleteItems`, { authentication: admin, params: { items: ids } });
    assert.ok(gone.results.every((r) => r.success));
    assert.equal((await ask(`tags:${pages}`)).total, 0);
  });
});

describe("groups and sharing", () => {
  let group, item;
  before(async () => {
    const made = await portal.createGroup({
      group: { title: `G ${tag}`, tags: [tag], access: "private", snippet: "sn", description: "dé", isInvitationOnly: true, sortField: "modified" }, authentication: admin });
    assert.equal(made.success, true);
    group = made.group.id;
    item = (await portal.createItem({ item: { title: `shared ${tag}`, type: "Web Map", text: { s: 1 } }, authentication: admin })).id;
  });

  test("create, read, change, find", async () => {
    const got = await portal.getGroup(group, { authentication: admin });
    assert.equal(got.userMembership.memberType, "owner");
    assert.equal(got.description, "dé");
    await refused(portal.createGroup({ group: { title: `G ${tag}`, tags: [] }, authentication: admin }), 400);
    await portal.updateGroup({ group: { id: group, snippet: "snippet2" }, authentication: admin });
    assert.equal((await portal.getGroup(group, { authentication: admin })).snippet, "snippet2");
    assert.deepEqual((await portal.searchGroups({ q: `title:"G ${tag}"`, authentication: admin })).results.map((g) => g.id), [group]);
    assert.equal((await portal.searchGroups({ q: `owner:${adminName} AND tags:${tag}`, authentication: admin })).total, 1);
    assert.equal((await portal.searchGroups({ q: `title:"G ${tag}"`, authentication: bob })).total, 0);
    await refused(portal.getGroup(group, { authentication: bob }), 400, "COM_0003");
    assert.deepEqual((await portal.getGroupCategorySchema(group, { authentication: admin })).categorySchema, []);
  });

  test("public, organization, private", async () => {
    const set = (access) => portal.setItemAccess({ id: item, access, authentication: admin });
    await set("public");
    assert.deepEqual(await portal.getItemData(item, { portal: rest }), { s: 1 });
    await set("org");
    await refused(portal.getItem(item, { portal: rest }), 499);
    assert.equal((await portal.getItem(item, { authentication: bob })).itemControl, "view");
    await set("private");
    await refused(portal.getItem(item, { authentication: bob }), 403);
  });

  test("shared with a group, members come and go", async () => {
    const share = { id: item, groupId: group, authentication: admin };
    assert.deepEqual((await portal.shareItemWithGroup(share)).notSharedWith, []);
    assert.equal((await portal.shareItemWithGroup(share)).shortcut, true);
    assert.equal((await portal.getItem(item, { authentication: admin })).access, "shared");
    assert.deepEqual((await portal.getGroupContent(group, { authentication: admin })).items.map((i) => i.id), [item]);
    assert.equal((await portal.searchGroupContent({ groupId: group, q: 'type:"Web Map"', authentication: admin })).total, 1);
    assert.equal((await portal.searchItems({ q: `group:${group}`, authentication: admin })).total, 1);
    assert.deepEqual((await portal.getItemGroups(item, { authentication: admin })).admin.map((g) => g.id), [group]);
    await refused(portal.getItem(item, { authentication: bob }), 403);
    const added = await portal.addGroupUsers({ id: group, users: [bobName, `nobody_${tag}`], authentication: admin });
    assert.deepEqual(added.notAdded, [`nobody_${tag}`]);
    assert.deepEqual(await portal.getItemData(item, { authentication: bob }), { s: 1 });
    await refused(portal.updateItem({ item: { id: item, title: "hack" }, owner: adminName, authentication: bob }), 403);
    assert.deepEqual(await portal.getGroupUsers(group, { authentication: admin }), { owner: adminName, admins: [], users: [bobName] });
    const changed = await request(`${rest}/community/groups/${group}/updateUsers`, { authentication: admin, params: { admins: [bobName, `nobody_${tag}`] } });
    assert.deepEqual(changed.results.map((r) => r.success), [true, false]);
    const list = await portal.searchGroupUsers(group, { authentication: admin });
    assert.deepEqual(list.users.map((u) => [u.username, u.memberType]), [[bobName, "admin"]]);
    assert.equal(list.owner.username, adminName);
    await portal.leaveGroup({ id: group, authentication: bob });
    await refused(portal.getItem(item, { authentication: bob }), 403);
    await portal.addGroupUsers({ id: group, users: [bobName], authentication: admin });
    assert.deepEqual((await portal.removeGroupUsers({ id: group, users: [bobName], authentication: admin })).notRemoved, []);
    assert.deepEqual((await portal.unshareItemWithGroup(share)).notUnsharedFrom, []);
    assert.equal((await portal.getItem(item, { authentication: admin })).access, "private");
  });

  test("several items at once, and out of all groups by a blank", async () => {
    const other = (await portal.createItem({ item: { title: `other ${tag}`, type: "Web Map", text: {} }, authentication: admin })).id;
    const call = (operation, params) => request(`${rest}/content/users/${adminName}/${operation}`, { authentication: admin, params });
    const shared = await call("shareItems", { items: [item, other], groups: group });
    assert.deepEqual(shared.results.map((r) => [r.itemId, r.success]), [[item, true], [other, true]]);
    const undone = await call("unshareItems", { items: other, groups: group });
    assert.deepEqual(undone.results[0].notUnsharedFrom, []);
    const moved = await call("moveItems", { items: [other], folder: folder.id });
    assert.equal(moved.results[0].success, true);
    await call(`items/${item}/share`, { org: false, everyone: false, groups: " " });
    assert.equal((await portal.getGroupContent(group, { authentication: admin })).total, 0);
    assert.deepEqual((await call(`items/${item}/share`, { groups: "0".repeat(32) })).notSharedWith, ["0".repeat(32)]);
  });

  test("open groups, reassigning, protection", async () => {
    const open = await portal.createGroup({ group: { title: `open ${tag}`, tags: [tag], access: "org", autoJoin: true, isInvitationOnly: false }, authentication: admin });
    await portal.joinGroup({ id: open.group.id, authentication: bob });
    assert.equal((await portal.getGroup(open.group.id, { authentication: bob })).userMembership.memberType, "member");
    await refused(portal.joinGroup({ id: group, authentication: bob }), 400);
    await portal.protectGroup({ id: open.group.id, authentication: admin });
    await refused(portal.removeGroup({ id: open.group.id, authentication: admin }), 400, "COM_0034");
    await portal.unprotectGroup({ id: open.group.id, authentication: admin });
    await refused(portal.removeGroup({ id: open.group.id, authentication: bob }), 403);
    await portal.removeGroup({ id: open.group.id, authentication: admin });
    await portal.reassignItem({ id: item, currentOwner: adminName, targetUsername: bobName, authentication: admin });
    assert.equal((await portal.getItem(item, { authentication: bob })).owner, bobName);
    const back = request(`${rest}/content/users/${bobName}/items/${item}/reassign`, { authentication: bob, params: { targetUsername: adminName } });
    await refused(back, 403);
    await portal.removeItem({ id: item, owner: bobName, authentication: bob });
    await portal.removeGroup({ id: group, authentication: admin });
    await refused(portal.getGroup(group, { authentication: admin }), 400, "COM_0003");
  });
});

describe("publishing", () => {
  const points = { type: "FeatureCollection", features: [["東京", 139.7, 35.7], ["Zürich", 8.5, 47.4]].map(([name, x, y]) => ({ type: "Feature", properties: { name }, geometry: { type: "Point", coordinates: [x, y] } })) };
  const name = `svc_${tag}`;
  let source;
  const call = (operation, params) => request(`${rest}/content/users/${adminName}/${operation}`, { authentication: admin, params });
  const publish = (more) => call("publish", { itemID: source, filetype: "geojson", publishParameters: { name }, ...more });
  const done = async (service) => {
    for (;;) {
      const { status, statusMessage } = await call(`items/${service.serviceItemId}/status`, { jobId: service.jobId, jobType: "publish" });
      if (status !== "processing") return [status, statusMessage];
      await new Promise((r) => setTimeout(r, 100));
    }
  };

  before(async () => {
    const item = { title: `points ${tag}`, type: "GeoJson", file: file(JSON.stringify(points), `points ${tag}.geojson`, "application/geo+json") };
    source = (await portal.createItem({ item, authentication: admin })).id;
  });

  test("a file becomes a service, once and again", async () => {
    assert.equal((await portal.isServiceNameAvailable(name, "Feature Service", admin)).available, true);
    const service = (await publish()).services[0];
    assert.equal((await done(service))[0], "completed");
    assert.equal((await portal.isServiceNameAvailable(name, "Feature Service", admin)).available, false);
    const item = await portal.getItem(service.serviceItemId, { authentication: admin });
    assert.equal(item.type, "Feature Service");
    assert.equal(item.url, service.serviceurl);
    const related = await portal.getRelatedItems({ id: source, direction: "reverse", relationshipType: "Service2Data", authentication: admin });
    assert.deepEqual(related.relatedItems.map((i) => i.id), [service.serviceItemId]);
    await refused(publish(), 400);
    const again = (await publish({ overwrite: true })).services[0];
    assert.equal(again.serviceItemId, service.serviceItemId);
    const dashed = again.jobId.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    assert.equal((await done({ ...again, jobId: dashed }))[0], "completed");
  });

  test("what is refused", async () => {
    const failed = (await call("publish", { itemId: source, fileType: "geoPackage", publishParameters: { name: `${name}_bad` } })).services[0];
    await assert.rejects(done(failed)); // rest-js takes the status "failed" for an error
    await refused(publish({ publishParameters: { name: "no name" } }), 400);
    await refused(request(`${rest}/content/users/${adminName}/publish`, { authentication: bob, params: { itemId: source, fileType: "geojson" } }), 403);
    await refused(call(`items/${source}/status`, { jobId: "0".repeat(32), jobType: "publish" }), 400);
  });
});

describe("requests that go wrong", () => {
  const post = (path, body, headers = {}) => fetch(`${rest}${path}`, { method: "POST", body, headers });

  test("an error is JSON for programs, wherever it happens", async () => {
    const cut = '--b\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\ncut off';
    const broken = await post(`/content/users/${adminName}/addItem?f=json`, cut, { "Content-Type": "multipart/form-data; boundary=b" });
    assert.equal((await broken.json()).error.code, 400);
    const noFiles = new FormData();
    noFiles.append("f", "json");
    noFiles.append("file", file("x", "x.csv"));
    assert.equal((await (await post("/search", noFiles)).json()).error.code, 400);
    const bad = await fetch(`${rest}/search?f=json&q=%ff`);
    assert.equal((await bad.json()).error.code, 400);
    const big = await post("/search", new URLSearchParams({ q: "a".repeat(3 << 20), f: "json" }));
    assert.equal(big.status, 413);
    assert.equal((await big.json()).error.code, 413);
  });

  test("without f the status tells", async () => {
    const missing = await fetch(`${rest}/content/items/${"0".repeat(32)}/data`);
    assert.equal(missing.status, 400);
    assert.equal((await missing.json()).error.messageCode, "CONT_0001");
    assert.equal((await fetch(`${rest}/community/self`)).status, 401);
    assert.equal((await fetch(`${rest}/community/self?f=json`)).status, 200);
    assert.equal((await fetch(`${rest}/nothing/here?f=json`)).status, 404);
  });

  test("a POST operation asked for by GET is its form", async () => {
    const page = await fetch(`${rest}/content/users/${adminName}/addItem`);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /enctype="multipart\/form-data"/);
    assert.equal((await fetch(`${rest}/content/users/${adminName}/addItem?f=json`)).status, 405);
  });
});
