// Searches by Esri's arcgis-rest-js over a portal with content: items, groups, users, the query builder, pages, orders, counts.
// PORTAL_URL=http://127.0.0.1:7080 ADMIN_USER=admin ADMIN_PASSWORD=... node --test
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ArcGISIdentityManager, request } from "@esri/arcgis-rest-request";
import * as portal from "@esri/arcgis-rest-portal";

const base = (process.env.PORTAL_URL ?? "http://127.0.0.1:7080").replace(/\/$/, "");
const rest = `${base}/sharing/rest`;
const adminName = process.env.ADMIN_USER ?? "admin";
const adminPassword = process.env.ADMIN_PASSWORD ?? "adminpw1";
const tag = `q${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
const password = "a long password 1";
const COUNT = 25;
const types = ["Web Map", "CSV", "Dashboard"];
const colours = ["red", "green", "blue", "grün"];

const signIn = (username, pass = password) => ArcGISIdentityManager.signIn({ username, password: pass, portal: rest });
const titles = (answer) => answer.results.map((r) => r.title);
const two = (n) => String(n).padStart(2, "0");
const made = Array.from({ length: COUNT }, (_, n) => ({
  title: `Sheet ${two(n)} ${colours[n % 4]} roads ${tag}`, type: types[n % 3], tags: [tag, `part ${n % 5}`, colours[n % 4]],
  snippet: n % 2 ? "wild fire maps" : "maps of fire", extent: [[n, 10], [n + 0.5, 10.5]],
}));
let admin, ann;

before(async () => {
  admin = await signIn(adminName, adminPassword);
  await request(`${rest}/portals/self/invite`, { authentication: admin, params: { invitationList: { invitations: [{ username: `ann_${tag}`, password, firstname: "Ann", lastname: tag, email: "x@example.invalid", role: "org_publisher", userType: "arcgisonly" }] } } });
  ann = await signIn(`ann_${tag}`);
  for (const item of made) {
    const { id } = await portal.createItem({ item: { ...item, extent: item.extent.flat().join(",") }, authentication: ann });
    item.id = id;
    if (made.indexOf(item) < 20) await portal.setItemAccess({ id, access: "public", authentication: ann });
  }
});

const ours = (q = "") => `tags:${tag}${q && ` AND ${q}`}`;
const search = (q, more = {}, authentication = ann) => portal.searchItems({ q, num: 100, authentication, ...more });

describe("items", () => {
  test("pages until the end, each item once, in order", async () => {
    const all = [];
    let page = await portal.searchItems({ q: ours(), num: 7, sortField: "title", sortOrder: "asc", authentication: ann });
    assert.deepEqual([page.total, page.start, page.num, page.nextStart], [COUNT, 1, 7, 8]);
    for (; page; page = page.nextPage && (await page.nextPage())) all.push(...titles(page));
    assert.deepEqual(all, made.map((m) => m.title));
    const last = await search(ours(), { start: 22, num: 7, sortField: "title" });
    assert.deepEqual([last.results.length, last.nextStart], [4, -1]);
    const down = await search(ours(), { num: 3, sortField: "title", sortOrder: "desc" });
    assert.deepEqual(titles(down), made.slice(-3).reverse().map((m) => m.title));
    const beyond = await search(ours(), { start: 1000 });
    assert.deepEqual([beyond.total, beyond.results, beyond.nextStart], [COUNT, [], -1]);
  });

  test("what is not shared is found by its owner alone", async () => {
    const open = made.slice(0, 20).map((m) => m.title);
    const nobody = await portal.searchItems({ q: ours(), num: 100, sortField: "title", portal: rest, countFields: "access" });
    assert.deepEqual([nobody.total, titles(nobody)], [20, open]);
    assert.deepEqual(nobody.aggregations.counts[0].fieldValues, [{ value: "public", count: 20 }]);
    assert.equal((await portal.searchItems({ q: `"sheet 24 ${colours[0]}" ${tag}`, portal: rest })).total, 0);
    assert.equal((await search(`"sheet 24 ${colours[0]}" ${tag}`)).total, 1);
  });

  test("the query builder's words, phrases, fields, ranges", async () => {
    const count = async (build) => (await portal.searchItems({ q: build(new portal.SearchQueryBuilder()), num: 100, authentication: ann })).total;
    assert.equal(await count((q) => q.match(tag).in("tags")), COUNT);
    assert.equal(await count((q) => q.match(tag).in("tags").and().match("Web Map").in("type")), made.filter((m) => m.type === "Web Map").length);
    assert.equal(await count((q) => q.match(tag).in("tags").not().match("Web Map").in("type")), made.filter((m) => m.type !== "Web Map").length);
    assert.equal(await count((q) => q.match(tag).in("tags").and().startGroup().match("Dashboard").in("type").or().match("CSV").in("type").endGroup()), made.filter((m) => m.type !== "Web Map").length);
    assert.equal(await count((q) => q.match("wild fire maps").in("snippet").and().match(tag).in("tags")), made.filter((m) => m.snippet.startsWith("wild")).length);
    assert.equal(await count((q) => q.match(tag).in("tags").and().from(1).to(Date.now() + 60000).in("created")), COUNT);
    assert.equal(await count((q) => q.match("grün").in("title").boost(3).and().match(tag).in("tags")), made.filter((m) => m.title.includes("grün")).length);
    const both = new portal.SearchQueryBuilder().match(tag).in("tags");
    const narrowed = both.clone().and().match("red").in("tags");
    assert.deepEqual([both.toParam(), (await portal.searchItems({ q: narrowed, authentication: ann })).total], [`tags:${tag}`, made.filter((m) => m.tags.includes("red")).length]);
  });

  test("patterns, near words, boxes, filters, categories of nothing", async () => {
    assert.equal((await search(`title:shee* ${tag}`)).total, COUNT);
    assert.equal((await search(`"roads ${tag}"`)).total, COUNT);
    assert.equal((await search(`"maps wild" ${tag}`)).total, 0);
    assert.equal((await search(ours("tags:part*"))).total, COUNT);
    assert.equal((await search(ours('tags:"PART 3"'))).total, 5);
    assert.equal((await search(`raods~2 ${tag}`)).total, COUNT);
    assert.equal((await search(ours(), { params: { bbox: "2.9,9,5.1,11" } })).total, 3);
    assert.equal((await search(ours(), { params: { bbox: "" } })).total, COUNT);
    assert.equal((await search(ours(), { filter: 'type:"Web Map"' })).total, made.filter((m) => m.type === "Web Map").length);
    assert.equal((await search("", { filter: `title:"${made[3].title}"` })).total, 1);
    assert.equal((await search(ours(), { filter: 'title:"sheet"' })).total, 0);
    await assert.rejects(search('tags:"open'), /400|q is not understood/);
    await assert.rejects(search(ours(), { sortField: "title,nonsense" }), (e) => /title,nonsense/.test(JSON.stringify(e.response.error)));
  });

  test("counts of values", async () => {
    const { aggregations } = await search(ours(), { num: 1, countFields: "type,tags", countSize: 3 });
    const [type, tags] = aggregations.counts;
    const by = (values) => Object.fromEntries(values.map((v) => [v.value.toLowerCase(), v.count]));
    assert.equal(type.fieldName, "type");
    assert.deepEqual(by(type.fieldValues), { "web map": 9, csv: 8, dashboard: 8 });
    assert.deepEqual([tags.fieldValues.length, tags.fieldValues[0]], [3, { value: tag, count: COUNT }]);
  });

  test("several sort fields, one after the other", async () => {
    const found = await search(ours(), { sortField: "type,title", sortOrder: "asc" });
    const expected = [...made].sort((a, b) => (a.type === b.type ? (a.title < b.title ? -1 : 1) : a.type < b.type ? -1 : 1));
    assert.deepEqual(titles(found), expected.map((m) => m.title));
  });

  test("an item is found as soon as it is there, as it is now, and no more when it is gone", async () => {
    const { id } = await portal.createItem({ item: { title: `fresh one ${tag}`, type: "CSV" }, authentication: ann });
    assert.deepEqual((await search(`"fresh one" ${tag}`)).results.map((r) => r.id), [id]);
    await portal.updateItem({ item: { id, title: `stale one ${tag}` }, authentication: ann });
    assert.deepEqual([(await search(`"fresh one" ${tag}`)).total, (await search(`"stale one" ${tag}`)).total], [0, 1]);
    await portal.removeItem({ id, authentication: ann });
    assert.equal((await search(`"stale one" ${tag}`)).total, 0);
  });
});

describe("groups and users", () => {
  test("groups by title, tag and owner; their content", async () => {
    const group = async (name, access) => (await portal.createGroup({ group: { title: `${name} ${tag}`, tags: [tag], access, isInvitationOnly: true }, authentication: ann })).group;
    const [open, closed] = [await group("Open", "public"), await group("Closed", "private")];
    const seen = async (authentication) => titles(await portal.searchGroups({ q: ours(), sortField: "title", authentication, ...(authentication ? {} : { portal: rest }) }));
    assert.deepEqual(await seen(ann), [`Closed ${tag}`, `Open ${tag}`]);
    assert.deepEqual(await seen(undefined), [`Open ${tag}`]);
    const query = new portal.SearchQueryBuilder().match(`ann_${tag}`).in("owner").and().match("Closed").in("title");
    assert.deepEqual(titles(await portal.searchGroups({ q: query, authentication: ann })), [`Closed ${tag}`]);
    await portal.shareItemWithGroup({ id: made[4].id, groupId: closed.id, authentication: ann });
    const content = await portal.searchGroupContent({ groupId: closed.id, q: "sheet", authentication: ann });
    assert.deepEqual(content.results.map((r) => r.id), [made[4].id]);
    assert.equal((await portal.searchGroupContent({ groupId: open.id, q: "sheet", authentication: ann })).total, 0);
    for (const g of [open, closed]) await portal.removeGroup({ id: g.id, authentication: ann });
  });

  test("users", async () => {
    const names = async (q, authentication = admin) => (await portal.searchUsers({ q, authentication })).results.map((u) => u.username);
    assert.deepEqual(await names(`username:ann_${tag}`), [`ann_${tag}`]);
    assert.deepEqual(await names(`lastname:${tag}`), [`ann_${tag}`]);
    assert.deepEqual(await names(`fullname:"Ann ${tag}"`), [`ann_${tag}`]);
    assert.deepEqual(await names(`username:ann_${tag.slice(0, -2)}*`), [`ann_${tag}`]);
    assert.deepEqual(await names(`email:x@example.invalid ${tag}`, ann), []); // addresses are for administrators
    assert.deepEqual((await portal.searchCommunityUsers({ q: `ann_${tag}`, authentication: admin })).results.map((u) => u.username), [`ann_${tag}`]);
  });
});
