// Esri's arcgis-rest-feature-service and another decoder of protocol buffers against hosted layers: the same features by every way.
// PORTAL_URL=http://127.0.0.1:7080 ADMIN_USER=admin ADMIN_PASSWORD=... node --test
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ArcGISIdentityManager, request } from "@esri/arcgis-rest-request";
import * as features from "@esri/arcgis-rest-feature-service";
import decodePbf from "arcgis-pbf-parser";

const base = (process.env.PORTAL_URL ?? "http://127.0.0.1:7080").replace(/\/$/, "");
const name = `Q_${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
let user, url;

const field = (name, type, more = {}) => ({ name, type: `esriFieldType${type}`, alias: name.toUpperCase(), nullable: true, editable: true, ...more });
const layer = (id, title, geometryType, more = {}) => ({
  id, name: title, type: geometryType ? "Feature Layer" : "Table", ...(geometryType && { geometryType: `esriGeometry${geometryType}` }), objectIdField: "OBJECTID",
  fields: [{ name: "OBJECTID", type: "esriFieldTypeOID", alias: "OBJECTID", nullable: false, editable: false }, field("name", "String", { length: 80 }), field("n", "Integer"),
    field("small", "SmallInteger"), field("big", "BigInteger"), field("d", "Double"), field("f", "Single"), field("t", "Date"), field("day", "DateOnly"), field("hour", "TimeOnly"), field("g", "GUID")],
  extent: { xmin: -180, ymin: -90, xmax: 180, ymax: 90, spatialReference: { wkid: 4326 } }, ...more });
const full = {
  name: "Köln 東京 🗺 \"q\" \\", n: -2147483648, small: 32767, big: 9007199254740991, d: 0.1, f: 0.5, t: 1586901221029, day: "2024-02-29", hour: "23:59:59", g: "{0A0B0C0D-0000-0000-0000-000000000001}" };
const nothing = Object.fromEntries(Object.keys(full).map((k) => [k, null]));
const shapes = {
  0: [{ x: 6.9603, y: 50.9375 }, { x: -179.999999, y: -89.5 }],
  1: [{ paths: [[[0, 0], [1.5, 2.25], [-3, 4]], [[10, 10], [11, 11]]] }, { paths: [[[100, -30], [100.000001, -30.000001]]] }],
  2: [{ rings: [[[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]], [[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]]] }, { rings: [[[20, 20], [20, 21], [21, 20], [20, 20]]] }],
};

before(async () => {
  user = await ArcGISIdentityManager.signIn({ username: process.env.ADMIN_USER ?? "admin", password: process.env.ADMIN_PASSWORD ?? "adminpw1", portal: `${base}/sharing/rest` });
  const made = await features.createFeatureService({ item: { name, capabilities: "Query,Editing,Create,Update,Delete", spatialReference: { wkid: 4326 } }, authentication: user, folderId: "" });
  url = made.serviceurl;
  const added = await features.addToServiceDefinition(url, { layers: [layer(0, "points", "Point"), layer(1, "lines", "Polyline"), layer(2, "areas", "Polygon"), layer(3, "pointsz", "Point", { hasZ: true })], tables: [layer(4, "notes")], authentication: user });
  assert.equal(added.success, true);
  for (const id of [0, 1, 2]) {
    const result = await features.addFeatures({ url: `${url}/${id}`, features: [{ attributes: full, geometry: shapes[id][0] }, { attributes: nothing, geometry: shapes[id][1] }, { attributes: { n: 3 } }], authentication: user });
    assert.ok(result.addResults.every((r) => r.success), JSON.stringify(result));
  }
  await features.addFeatures({ url: `${url}/3`, features: [{ attributes: { n: 1 }, geometry: { x: 1, y: 2, z: 34.5 } }], authentication: user });
  await features.addFeatures({ url: `${url}/4`, features: [1, 2, 3, 4, 5].map((n) => ({ attributes: { n, name: n % 2 ? "odd" : "even" } })), authentication: user });
});

const query = (id, options = {}) => features.queryFeatures({ url: `${url}/${id}`, where: "1=1", outFields: "*", authentication: user, ...options });
const near = (a, b) => Math.abs(a - b) < 1e-8;
function sameGeometry(a, b) {
  if (typeof b === "number") assert.ok(near(a, b), `${a} is not ${b}`);
  else if (Array.isArray(b)) { assert.equal(a.length, b.length); b.forEach((v, i) => sameGeometry(a[i], v)); }
  else for (const k of Object.keys(b)) sameGeometry(a[k], b[k]);
}
async function raw(id, params) {
  const response = await request(`${url}/${id}/query`, { httpMethod: "GET", authentication: user, rawResponse: true, params: { where: "1=1", outFields: "*", ...params, f: "pbf" } });
  assert.equal(response.headers.get("content-type"), "application/x-protobuf");
  return new Uint8Array(await response.arrayBuffer());
}

describe("features as JSON", () => {
  test("all kinds of values and shapes come back as they were sent", async () => {
    for (const id of [0, 1, 2]) {
      const answer = await query(id);
      const { OBJECTID, ...attributes } = answer.features[0].attributes;
      assert.equal(OBJECTID, 1);
      assert.deepEqual(attributes, full);
      assert.deepEqual(answer.features[0].geometry, shapes[id][0]);
      assert.equal(answer.features[1].attributes.name, null);
      assert.equal(answer.features[2].geometry, undefined);
    }
  });
  test("all pages, counts, ids, extents", async () => {
    const all = await features.queryAllFeatures({ url: `${url}/4`, where: "1=1", authentication: user, params: { resultRecordCount: 2 } });
    assert.deepEqual(all.features.map((f) => f.attributes.OBJECTID), [1, 2, 3, 4, 5]);
    assert.deepEqual(await query(0, { returnCountOnly: true }), { count: 3 });
    assert.deepEqual((await query(0, { returnIdsOnly: true })).objectIds, [1, 2, 3]);
    const box = await query(2, { returnExtentOnly: true, returnCountOnly: true });
    assert.deepEqual([box.count, box.extent.xmax, box.extent.ymax], [3, 21, 21]);
  });
  test("statistics", async () => {
    const answer = await query(4, { groupByFieldsForStatistics: "name", orderByFields: "total DESC", having: "COUNT(*) > 1", outStatistics: [
      { statisticType: "sum", onStatisticField: "n", outStatisticFieldName: "total" }, { statisticType: "count", onStatisticField: "n", outStatisticFieldName: "c" }] });
    assert.deepEqual(answer.features.map((f) => f.attributes), [{ name: "odd", total: 9, c: 3 }, { name: "even", total: 6, c: 2 }]);
  });
  test("errors name what is wrong", async () => {
    await assert.rejects(query(0, { where: "nothing = 1" }), (e) => e.response.error.details[0].includes("no field of that name"));
  });
});

describe("features as protocol buffers", () => {
  test("Esri's decoder finds what JSON has", async () => {
    for (const id of [0, 1, 2]) {
      const json = await query(id), pbf = await query(id, { params: { f: "pbf-as-arcgis" } });
      assert.equal(pbf.objectIdFieldName, "OBJECTID");
      assert.equal(pbf.spatialReference.wkid, 4326);
      assert.deepEqual(pbf.fields.map((f) => [f.name, f.type, f.alias]), json.fields.map((f) => [f.name, f.type, f.alias]));
      assert.deepEqual(pbf.features.map((f) => f.attributes), json.features.map((f) => f.attributes));
      assert.equal(pbf.features[2].geometry, null);
      for (const i of [0, 1]) sameGeometry(id === 2 && i === 0 ? { rings: pbf.features[0].geometry.rings[0] } : pbf.features[i].geometry, json.features[i].geometry);
    }
    assert.equal((await query(0, { resultRecordCount: 1, params: { f: "pbf-as-arcgis" } })).exceededTransferLimit, true);
    const metres = await query(0, { outSR: "3857", params: { f: "pbf-as-arcgis" } });
    assert.ok(Math.abs(metres.features[0].geometry.x - 774817.05) < 0.01);
  });
  test("the other decoder finds it too", async () => {
    for (const id of [0, 1, 2]) {
      const json = await query(id), { featureCollection } = decodePbf(await raw(id));
      assert.deepEqual(featureCollection.features.map((f) => f.properties), json.features.map((f) => f.attributes));
    }
    const { featureCollection } = decodePbf(await raw(0, { returnGeometry: false, outFields: "n" }));
    assert.deepEqual(featureCollection.features.map((f) => f.properties), [{ n: -2147483648 }, { n: null }, { n: 3 }]);
    const z = decodePbf(await raw(3, { returnZ: true }));
    sameGeometry(z.featureCollection.features[0].geometry.coordinates, [1, 2, 34.5]);
    assert.equal(decodePbf(await raw(0, { resultRecordCount: 1 })).exceededTransferLimit, true);
  });
  test("a grid of the client's own", async () => {
    const quantizationParameters = JSON.stringify({ mode: "view", originPosition: "upperLeft", tolerance: 0.5, extent: { xmin: -180, ymin: -90, xmax: 180, ymax: 90 } });
    const { featureCollection } = decodePbf(await raw(2, { quantizationParameters }));
    sameGeometry(featureCollection.features[0].geometry.coordinates[0][0], shapes[2][0].rings[0]);
  });
  test("an error is JSON", async () => {
    const response = await request(`${url}/0/query`, { httpMethod: "GET", authentication: user, rawResponse: true, params: { where: "nothing = 1", f: "pbf" } });
    assert.ok(response.headers.get("content-type").startsWith("application/json"));
    assert.equal((await response.json()).error.code, 400);
  });
});

describe("related records", () => {
  test("none without a relationship", async () => {
    await assert.rejects(features.queryRelated({ url: `${url}/0`, objectIds: [1], relationshipId: 9, authentication: user }), (e) => e.response.error.code === 400);
  });
});
