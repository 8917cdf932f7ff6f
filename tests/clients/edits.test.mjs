// Esri's arcgis-rest-feature-service against a running portal: a hosted service made, defined, filled, edited, looked at through a view.
// PORTAL_URL=http://127.0.0.1:7080 ADMIN_USER=admin ADMIN_PASSWORD=... node --test
import assert from "node:assert/strict";
import { File } from "node:buffer"; // not a global in Debian 12's Node
import { before, describe, test } from "node:test";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { removeItem } from "@esri/arcgis-rest-portal";
import * as features from "@esri/arcgis-rest-feature-service";

const base = (process.env.PORTAL_URL ?? "http://127.0.0.1:7080").replace(/\/$/, "");
const tag = `t${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
const field = (name, type, more = {}) => ({ name, type: `esriFieldType${type}`, alias: name, nullable: true, editable: true, ...more });
const pointLayer = {
  id: 0, name: "Trees", type: "Feature Layer", geometryType: "esriGeometryPoint", hasAttachments: true,
  fields: [field("OBJECTID", "OID"), field("GlobalID", "GlobalID"), field("name", "String", { length: 40 }), field("n", "Integer"), field("hidden", "String", { length: 40 })],
};

let authentication, service, url, layer;

before(async () => {
  authentication = await ArcGISIdentityManager.signIn({ username: process.env.ADMIN_USER ?? "admin", password: process.env.ADMIN_PASSWORD ?? "adminpw1", portal: `${base}/sharing/rest` });
  service = await features.createFeatureService({ item: { name: `trees_${tag}`, capabilities: "Create,Delete,Query,Update,Editing", spatialReference: { wkid: 4326 } }, authentication });
  assert.equal(service.success, true);
  const added = await features.addToServiceDefinition(service.serviceurl, { layers: [pointLayer], tables: [{ id: 1, name: "Notes", type: "Table", fields: [field("OBJECTID", "OID"), field("n", "Integer")] }], authentication });
  assert.deepEqual(added.layers.map((l) => l.id), [0]);
  url = service.serviceurl;
  layer = `${url}/0`;
});

describe("definitions", () => {
  test("service and layer", async () => {
    const about = await features.getService({ url, authentication });
    assert.deepEqual(about.layers.map((l) => [l.id, l.name, l.geometryType]), [[0, "Trees", "esriGeometryPoint"]]);
    const one = await features.getLayer({ url: layer, authentication });
    assert.equal(one.objectIdField, "OBJECTID");
    assert.equal(one.globalIdField, "GlobalID");
    assert.equal(one.drawingInfo.renderer.type, "simple");
    assert.ok(one.templates.length && one.indexes.length && one.extent.spatialReference.wkid === 4326);
    const all = await features.getAllLayersAndTables({ url, authentication });
    assert.deepEqual([all.layers.length, all.tables.length], [1, 1]);
    assert.equal((await features.getServiceAdminInfo(url, authentication)).adminServiceInfo.name, `trees_${tag}`);
  });

  test("changes", async () => {
    const answer = await features.updateServiceDefinition(url, { authentication, updateDefinition: { description: "é 東京", capabilities: "Create,Delete,Query,Update,Editing,ChangeTracking" } });
    assert.equal(answer.success, true);
    const about = await features.getService({ url, authentication });
    assert.equal(about.description, "é 東京");
    assert.ok(about.changeTrackingInfo.layerServerGens.length === 2);
  });
});

describe("edits", () => {
  let ids;

  test("add, update, delete", async () => {
    const added = await features.addFeatures({ url: layer, authentication, features: [1, 2, 3].map((n) => ({ geometry: { x: n, y: n, spatialReference: { wkid: 4326 } }, attributes: { name: `tree ${n} "é"`, n } })) });
    assert.deepEqual(added.addResults.map((r) => r.success), [true, true, true]);
    ids = added.addResults.map((r) => r.objectId);
    const updated = await features.updateFeatures({ url: layer, authentication, features: [{ attributes: { OBJECTID: ids[0], n: 10 } }, { attributes: { OBJECTID: 999999, n: 1 } }], rollbackOnFailure: false });
    assert.deepEqual(updated.updateResults.map((r) => [r.success, r.error?.code]), [[true, undefined], [false, 1019]]);
    const deleted = await features.deleteFeatures({ url: layer, authentication, objectIds: [ids[2]] });
    assert.deepEqual(deleted.deleteResults.map((r) => [r.objectId, r.success]), [[ids[2], true]]);
    const found = await features.queryFeatures({ url: layer, authentication, where: "n >= 2", orderByFields: "n" });
    assert.deepEqual(found.features.map((f) => [f.attributes.n, f.attributes.name]), [[2, 'tree 2 "é"'], [10, 'tree 1 "é"']]);
    assert.equal((await features.getFeature({ url: layer, authentication, id: ids[0] })).attributes.n, 10);
  });

  test("applyEdits, all or nothing", async () => {
    const answer = await features.applyEdits({ url: layer, authentication, adds: [{ geometry: { x: 0, y: 0, spatialReference: { wkid: 102100 } }, attributes: { name: "zero", n: 0 } }], updates: [{ attributes: { OBJECTID: ids[1], n: 20 } }], deletes: [ids[0]], rollbackOnFailure: true });
    assert.deepEqual([answer.addResults, answer.updateResults, answer.deleteResults].map((l) => l.map((r) => r.success)), [[true], [true], [true]]);
    const refused = await features.applyEdits({ url: layer, authentication, adds: [{ attributes: { name: "rb", n: 9100 } }], updates: [{ attributes: { OBJECTID: 987654321, n: 1 } }], rollbackOnFailure: true });
    assert.equal(refused.updateResults[0].success, false);
    assert.equal(refused.addResults[0].success, false);
    assert.equal((await features.queryFeatures({ url: layer, authentication, where: "n = 9100", returnCountOnly: true })).count, 0);
  });

  test("GlobalIDs of the client's", async () => {
    const globalId = "{01234567-89AB-4DEF-8123-456789ABCDEF}";
    const answer = await features.applyEdits({ url: layer, authentication, adds: [{ geometry: { x: 5, y: 5 }, attributes: { GlobalID: globalId, n: 5 } }], useGlobalIds: true, rollbackOnFailure: true });
    assert.deepEqual(answer.addResults.map((r) => [r.success, r.globalId]), [[true, globalId]]);
    const gone = await features.applyEdits({ url: layer, authentication, deletes: [globalId], useGlobalIds: true, rollbackOnFailure: true });
    assert.equal(gone.deleteResults[0].success, true);
  });

  test("attachments", async () => {
    const featureId = ids[1];
    const attachment = new File(["hello"], "one é.txt", { type: "text/plain" });
    const { addAttachmentResult: added } = await features.addAttachment({ url: layer, featureId, attachment, authentication });
    assert.equal(added.success, true);
    const { updateAttachmentResult: updated } = await features.updateAttachment({ url: layer, featureId, attachmentId: added.objectId, attachment: new File(["other"], "two.txt", { type: "text/plain" }), authentication });
    assert.equal(updated.success, true);
    const { attachmentInfos } = await features.getAttachments({ url: layer, featureId, authentication });
    assert.deepEqual(attachmentInfos.map((a) => [a.id, a.name, a.size]), [[added.objectId, "two.txt", 5]]);
    const deleted = await features.deleteAttachments({ url: layer, featureId, attachmentIds: [added.objectId], authentication });
    assert.equal(deleted.deleteAttachmentResults[0].success, true);
    assert.deepEqual((await features.getAttachments({ url: layer, featureId, authentication })).attachmentInfos, []);
  });
});

describe("views", () => {
  test("made, looked through, and gone before its source", async () => {
    const view = await features.createFeatureService({ item: { name: `view_${tag}`, isView: true, capabilities: "Query" }, params: { isView: true }, authentication });
    assert.equal(view.isView, true);
    const definition = { adminLayerInfo: { viewLayerDefinition: { sourceServiceName: `trees_${tag}`, sourceLayerId: 0, sourceLayerFields: ["name", "n"] } }, name: "Few trees", viewDefinitionQuery: "n = 20" };
    await features.addToServiceDefinition(view.serviceurl, { layers: [definition], authentication });
    const sources = await features.getViewSources(view.serviceurl, authentication);
    assert.deepEqual(sources.services.map((s) => s.serviceItemId), [service.itemId ?? service.serviceItemId]);
    const seen = await features.queryAllFeatures({ url: `${view.serviceurl}/0`, authentication, outFields: "*" });
    assert.deepEqual(seen.features.map((f) => f.attributes.n), [20]);
    assert.ok(!("hidden" in seen.features[0].attributes));
    await assert.rejects(removeItem({ id: service.serviceItemId, authentication }), (e) => /view/i.test(JSON.stringify(e.response ?? e.message)));
    assert.equal((await removeItem({ id: view.serviceItemId, authentication })).success, true);
    assert.equal((await removeItem({ id: service.serviceItemId, authentication })).success, true);
  });
});
