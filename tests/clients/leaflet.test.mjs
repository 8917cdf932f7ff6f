// esri-leaflet in Chromium showing a hosted layer, as a web page would: the features are drawn, and a popup tells of one. The screenshot is kept
// in SCREENSHOT when that is set. PORTAL_URL=http://127.0.0.1:7080 ADMIN_USER=admin ADMIN_PASSWORD=... node --test
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { ArcGISIdentityManager, request } from "@esri/arcgis-rest-request";
import { removeItem } from "@esri/arcgis-rest-portal";
import * as features from "@esri/arcgis-rest-feature-service";
import { chromium } from "playwright-core";

const base = (process.env.PORTAL_URL ?? "http://127.0.0.1:7080").replace(/\/$/, "");
const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((p) => existsSync(p));
const require = createRequire(import.meta.url);
const SIZE = { width: 640, height: 480 };
// a grid of points around 0,0 and one circle for each, in a colour that nothing else has
const grid = [-2, -1, 0, 1, 2].flatMap((x) => [-1, 0, 1].map((y) => ({ geometry: { x: x * 10, y: y * 10, spatialReference: { wkid: 4326 } }, attributes: { name: `point ${x}/${y} <b>é</b>` } })));

const page = (layer) => `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/leaflet.css"><script src="/leaflet.js"></script><script src="/esri-leaflet.js"></script>
<style>html,body,#map{margin:0;width:${SIZE.width}px;height:${SIZE.height}px;background:#fff}</style><div id="map"></div><script>
const map = L.map("map", { preferCanvas: false, zoomControl: false, attributionControl: false, zoomAnimation: false, fadeAnimation: false }).setView([0, 0], 3);
const layer = L.esri.featureLayer({ url: ${JSON.stringify(layer)}, pointToLayer: (f, at) => L.circleMarker(at, { radius: 8, stroke: false, fillColor: "#ff00aa", fillOpacity: 1 }) }).addTo(map);
layer.bindPopup((l) => { const p = document.createElement("p"); p.className = "told"; p.textContent = l.feature.properties.name; return p; });
layer.on("load", () => { window.drawn = document.querySelectorAll("path.leaflet-interactive").length; });
layer.on("requesterror", (e) => { window.failed = e.message; });
</script>`;

// Pixels of that colour, counted in the page from the screenshot itself.
async function pixelsOf(tab, shot) {
  return tab.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data: rgba } = context.getImageData(0, 0, image.width, image.height);
    let n = 0;
    for (let i = 0; i < rgba.length; i += 4) if (rgba[i] === 255 && rgba[i + 1] === 0 && rgba[i + 2] === 170) n++;
    return n;
  }, shot.toString("base64"));
}

async function publicLayer(authentication) {
  const service = await features.createFeatureService({ item: { name: `drawn_${Date.now()}`, capabilities: "Query", spatialReference: { wkid: 4326 } }, authentication });
  const fields = [{ name: "OBJECTID", type: "esriFieldTypeOID" }, { name: "name", type: "esriFieldTypeString", length: 100 }];
  await features.addToServiceDefinition(service.serviceurl, { layers: [{ id: 0, name: "Points", geometryType: "esriGeometryPoint", fields }], authentication });
  const added = await features.addFeatures({ url: `${service.serviceurl}/0`, features: grid, authentication });
  assert.ok(added.addResults.every((r) => r.success));
  await request(`${base}/sharing/rest/content/items/${service.serviceItemId}/share`, { params: { everyone: true }, authentication });
  return service;
}

function serve(layer) {
  const files = { "/leaflet.js": ["leaflet", "dist/leaflet.js"], "/leaflet.css": ["leaflet", "dist/leaflet.css"], "/esri-leaflet.js": ["esri-leaflet", "dist/esri-leaflet.js"] };
  const root = (name) => { let at = dirname(require.resolve(name)); while (!existsSync(join(at, "package.json"))) at = dirname(at); return at; };
  return new Promise((resolve) => {
    const server = createServer((rq, rs) => {
      const file = files[rq.url];
      rs.setHeader("Content-Type", rq.url.endsWith(".css") ? "text/css" : rq.url.endsWith(".js") ? "text/javascript" : "text/html");
      rs.end(file ? readFileSync(join(root(file[0]), file[1])) : page(layer));
    }).listen(0, "127.0.0.1", () => resolve(server));
  });
}

test("a layer with popups in a browser", { skip: browserPath ? false : "chromium is not installed", timeout: 120_000 }, async () => {
  const authentication = await ArcGISIdentityManager.signIn({ username: process.env.ADMIN_USER ?? "admin", password: process.env.ADMIN_PASSWORD ?? "adminpw1", portal: `${base}/sharing/rest` });
  const service = await publicLayer(authentication);
  const server = await serve(`${service.serviceurl}/0`);
  const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--ignore-certificate-errors"] });
  try {
    const tab = await browser.newPage({ viewport: SIZE, ignoreHTTPSErrors: true });
    await tab.goto(`http://127.0.0.1:${server.address().port}/`);
    await tab.waitForFunction((n) => window.drawn === n || window.failed, grid.length, { timeout: 60_000 });
    assert.equal(await tab.evaluate(() => window.failed), undefined);
    const shot = await tab.screenshot(process.env.SCREENSHOT ? { path: process.env.SCREENSHOT } : {});
    const pixels = await pixelsOf(tab, shot); // 15 discs of radius 8, their edges smoothed
    assert.ok(pixels > 15 * 150 && pixels < 15 * 210, `${pixels} pixels are drawn`);
    await tab.mouse.click(SIZE.width / 2, SIZE.height / 2); // the map's middle is 0,0
    assert.equal(await tab.textContent(".leaflet-popup .told"), "point 0/0 <b>é</b>");
  } finally {
    await browser.close();
    server.close();
    await removeItem({ id: service.serviceItemId, authentication });
  }
});
