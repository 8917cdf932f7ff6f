// Esri's arcgis-rest-js and items: uploads in parts, new data, resources, info files, content by address, what readers say.
// PORTAL_URL=http://127.0.0.1:7080 ADMIN_USER=admin ADMIN_PASSWORD=... node --test
import assert from "node:assert/strict";
import { File } from "node:buffer"; // not a global in Debian 12's Node
import { randomBytes } from "node:crypto";
import { before, test } from "node:test";
import { ArcGISIdentityManager, request } from "@esri/arcgis-rest-request";
import * as portal from "@esri/arcgis-rest-portal";

const base = (process.env.PORTAL_URL ?? "http://127.0.0.1:7080").replace(/\/$/, "");
const rest = `${base}/sharing/rest`;
const tag = `i${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
const file = (bytes, name, type) => new File([bytes], name, { type });
let authentication, content;

before(async () => {
  authentication = await ArcGISIdentityManager.signIn({ username: process.env.ADMIN_USER ?? "admin", password: process.env.ADMIN_PASSWORD ?? "adminpw1", portal: rest });
  content = `${rest}/content/users/${authentication.username}`;
});

async function dataOf(id) {
  const blob = await portal.getItemData(id, { authentication, file: true });
  return Buffer.from(await blob.arrayBuffer());
}

async function settled(id) {
  for (;;) {
    const status = await portal.getItemStatus({ id, authentication });
    if (status.status !== "processing") return status;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("an upload in parts, in any order, committed later", async () => {
  const whole = randomBytes(700_000);
  const parts = [whole.subarray(0, 280_000), whole.subarray(280_000, 560_000), whole.subarray(560_000)];
  const item = { title: `parts ${tag}`, type: "CSV", tags: [tag] };
  const { id } = await portal.createItem({ item, multipart: true, async: true, filename: `parts ünï ${tag}.csv`, authentication });
  for (const partNum of [2, 3, 1]) {
    const added = await portal.addItemPart({ id, file: file(parts[partNum - 1], "parts.csv", "text/csv"), partNum, authentication });
    assert.equal(added.id, id);
  }
  assert.equal((await portal.getItemStatus({ id, authentication })).status, "partial");
  assert.deepEqual((await portal.getItemParts({ id, authentication })).parts, [1, 2, 3]);
  const committed = await portal.commitItemUpload({ id, item: { ...item, async: true }, authentication });
  assert.equal(committed.success, true);
  assert.equal((await settled(id)).status, "completed");
  const got = await portal.getItem(id, { authentication });
  assert.equal(got.size, whole.length);
  assert.equal(got.name, `parts ünï ${tag}.csv`);
  assert.deepEqual(got.typeKeywords, ["CSV", "Data", "Text"]);
  assert.ok(whole.equals(await dataOf(id)));
});

test("an upload that is cancelled leaves nothing", async () => {
  const { id } = await portal.createItem({ item: { title: "no", type: "CSV" }, multipart: true, filename: `cancelled ${tag}.csv`, authentication });
  await portal.addItemPart({ id, file: file("a", "x.csv", "text/csv"), partNum: 1, authentication });
  assert.equal((await portal.cancelItemUpload({ id, authentication })).success, true);
  await assert.rejects(portal.getItem(id, { authentication }), (e) => e.response.error.messageCode === "CONT_0001");
  await assert.rejects(portal.createItem({ item: { title: "no", type: "CSV" }, multipart: true, authentication }), /filename/); // rest-js itself asks for it
});

test("new data in parts", async () => {
  const { id } = await portal.createItem({ item: { title: `again ${tag}`, type: "CSV", file: file("a\n1\n", `again ${tag}.csv`, "text/csv") }, authentication });
  await request(`${content}/items/${id}/update`, { authentication, params: { multipart: true, filename: `again ${tag}.csv` } });
  await portal.addItemPart({ id, file: file("b\n", "p", "text/csv"), partNum: 1, authentication });
  await portal.addItemPart({ id, file: file("2\n", "p", "text/csv"), partNum: 2, authentication });
  assert.equal((await dataOf(id)).toString(), "a\n1\n");
  await portal.commitItemUpload({ id, item: { title: `again ${tag}`, type: "CSV" }, authentication });
  assert.equal((await dataOf(id)).toString(), "b\n2\n");
});

test("the same file name twice", async () => {
  const make = () => portal.createItem({ item: { title: "t", type: "CSV", file: file("a", `twice ${tag}.csv`, "text/csv") }, authentication });
  const { id } = await make();
  await assert.rejects(make(), (e) => {
    assert.equal(e.response.error.code, 409);
    assert.deepEqual(e.response.error.details, [`[itemId=${id}]`]);
    return e.response.error.messageCode === "CONT_0027";
  });
});

test("addresses of this machine are not fetched", async () => {
  for (const dataUrl of [`${base}/healthz`, "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd"]) {
    await assert.rejects(portal.createItem({ item: { title: "t", type: "CSV" }, params: { dataUrl }, authentication }), (e) => e.response.error.code === 400, dataUrl);
  }
});

test("resources of one name and of many", async () => {
  const { id, owner } = await portal.createItem({ item: { title: `resources ${tag}`, type: "Web Map", text: {} }, authentication });
  await portal.addItemResource({ id, owner, resource: file("bytes", "a.bin", "application/octet-stream"), name: "a.bin", prefix: "p/q", authentication });
  await portal.addItemResource({ id, owner, content: '{"k":"é"}', name: "b.json", private: true, authentication });
  // as the ArcGIS Maps SDK sends them
  await request(`${content}/items/${id}/addResources`, { authentication, params: { file1: file("1", "one.txt", "text/plain"), file2: file("22", "東京.txt", "text/plain"), resourcesPrefix: "many" } });
  const { resources, total } = await portal.getItemResources(id, { authentication });
  assert.deepEqual(Object.fromEntries(resources.map((r) => [r.resource, [r.size, r.access]])),
    { "b.json": [10, "private"], "many/one.txt": [1, "inherit"], "many/東京.txt": [2, "inherit"], "p/q/a.bin": [5, "inherit"] });
  assert.equal(total, 4);
  assert.deepEqual(await portal.getItemResource(id, { fileName: "b.json", readAs: "json", authentication }), { k: "é" });
  await portal.updateItemResource({ id, owner, content: '{"k":2}', name: "b.json", authentication });
  assert.equal((await portal.getItemResources(id, { authentication })).resources.find((r) => r.resource === "b.json").access, "private");
  await portal.removeItemResource({ id, owner, resource: "p/q/a.bin", authentication });
  assert.equal((await portal.getItemResources(id, { authentication })).total, 3);
});

test("info files", async () => {
  const { id, owner } = await portal.createItem({ item: { title: `info ${tag}`, type: "Form" }, authentication });
  await portal.updateItemInfo({ id, owner, folderName: "metadata", file: file("<metadata/>", "metadata.xml", "text/xml"), authentication });
  assert.equal(await portal.getItemMetadata(id, { authentication }), "<metadata/>");
  await request(`${content}/items/${id}/updateinfo`, { authentication, params: { file: file('{"form":1}', "form.json", "application/json") } });
  assert.deepEqual(await portal.getItemInfo(id, { fileName: "form.json", readAs: "json", authentication }), { form: 1 });
  await assert.rejects(portal.getItemInfo(id, { fileName: "webapp.json", readAs: "json", authentication }), (e) => /CONT_0036/.test(JSON.stringify(e.response ?? e.message)) || e.response.error.messageCode === "CONT_0036");
});

test("what readers say of an item", async () => {
  const { id } = await portal.createItem({ item: { title: `talk ${tag}`, type: "Web Map", text: {} }, authentication });
  const { commentId } = await request(`${rest}/content/items/${id}/addComment`, { authentication, params: { comment: "schön" } });
  const { comments } = await request(`${rest}/content/items/${id}/comments`, { authentication, httpMethod: "GET" });
  assert.deepEqual(comments.map((c) => [c.id, c.comment]), [[commentId, "schön"]]);
  const got = await portal.getItem(id, { authentication });
  assert.equal(got.numComments, 1);
  assert.equal(got.commentsEnabled, true);
});
