// Draws the pictures of the samples as SVG: thumbnails, locator maps, the overview image and the pages of the PDF.
// Usage: node draw.mjs <folder with the GeoJSON and CSV of data.mjs> <output folder>
import fs from 'node:fs';
import path from 'node:path';

const [src, out] = process.argv.slice(2);
const load = (n) => JSON.parse(fs.readFileSync(path.join(src, n + '.geojson'), 'utf8')).features;
const countries = load('countries'), rivers = load('rivers'), cities = load('cities'), capitals = load('capitals');
const rows = fs.readFileSync(path.join(src, 'continents.csv'), 'utf8').trim().split('\r\n').slice(1).map((l) => l.split(','));
const clock = fs.readFileSync(path.join(src, 'clock_changes.csv'), 'utf8').trim().split('\r\n').map((l) => l.split(','));
const COLOURS = { 'Africa': '#e9c46a', 'Antarctica': '#f1f5f9', 'Asia': '#f4a261', 'Europe': '#8ab17d', 'North America': '#7fb3d5',
  'Oceania': '#c39bd3', 'South America': '#e76f51', 'Seven seas (open ocean)': '#94a3b8' };
const esc = (s) => String(s).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const text = (x, y, size, s, more = '') => `<text x="${x}" y="${y}" font-size="${size}" ${more}>${esc(s)}</text>`;
const svg = (w, h, body) => `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" font-family="DejaVu Sans" fill="#1f2937">${body}</svg>\n`;
const save = (name, w, h, body) => fs.writeFileSync(path.join(out, name + '.svg'), svg(w, h, body));

// A map is a function from degrees to pixels; lines and rings are thinned to one vertex a pixel.
function frame(x0, y0, w, h, west, south, east, north) {
  const k = Math.cos(((south + north) / 2) * Math.PI / 180), kx = w / (east - west), ky = kx / (k > 0.7 && east - west > 300 ? 0.85 : k);
  const cy = (south + north) / 2;
  return { box: [x0, y0, w, h], at: ([x, y]) => [x0 + (x - west) * kx, y0 + h / 2 - (y - cy) * ky] };
}
const world = (x, y, w, h) => frame(x, y, w, h, -180, -58, 180, 84);
function trace(m, line, close) {
  const [bx, by, bw, bh] = m.box, at = line.map(m.at);
  if (at.every((p) => p[0] < bx) || at.every((p) => p[0] > bx + bw) || at.every((p) => p[1] < by) || at.every((p) => p[1] > by + bh)) return '';
  let last = null, d = '', n = 0;
  for (const p of at) {
    const [x, y] = p.map((v) => Math.round(v * 2) / 2);
    if (last && Math.abs(x - last[0]) + Math.abs(y - last[1]) < 1) continue;
    d += (last ? 'L' : 'M') + x + ' ' + y; last = [x, y]; n++;
  }
  return n < (close ? 3 : 2) ? '' : d + (close ? 'Z' : '');
}
let clips = 0;
function map(m, body) {
  const [x, y, w, h] = m.box, id = 'c' + ++clips;
  return `<clipPath id="${id}"><rect x="${x}" y="${y}" width="${w}" height="${h}"/></clipPath><g clip-path="url(#${id})"><rect x="${x}" y="${y}" width="${w}" height="${h}" fill="#dbeafe"/>${body}</g>`;
}
const land = (m, fill) => countries.map((c) => { const d = c.geometry.coordinates.flat().map((r) => trace(m, r, true)).join('');
  return d && `<path d="${d}" fill="${fill(c.properties)}" stroke="#ffffff" stroke-width=".6" fill-rule="evenodd"/>`; }).join('');
const water = (m, width = 0.9, min = 0) => `<path d="${rivers.filter((r) => r.properties.length_km >= min).flatMap((r) => r.geometry.coordinates).map((l) => trace(m, l)).join('')}" fill="none" stroke="#2563eb" stroke-width="${width}"/>`;
const dots = (m, list, r, fill) => list.map((f) => { const [x, y] = m.at(f.geometry.coordinates); return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${r(f.properties)}" fill="${fill}" fill-opacity=".8" stroke="#fff" stroke-width=".5"/>`; }).join('');
const grey = () => '#e5e7eb', byContinent = (p) => COLOURS[p.continent] ?? '#cbd5e1';
const byPeople = (p) => { const n = p.pop_est ?? -1; return n < 0 ? '#e5e7eb' : n < 1e6 ? '#eff6ff' : n < 1e7 ? '#bfdbfe' : n < 5e7 ? '#60a5fa' : n < 2e8 ? '#2563eb' : '#1e3a8a'; };
const size = (p) => Math.max(1.2, Math.sqrt((p.pop_max ?? p.population ?? 0) / 1e6) * 1.3);
const bars = (x, y, w, h) => { const top = Math.max(...rows.map((r) => +r[2]));
  return rows.filter((r) => +r[2] > 1e7).map((r, i, l) => { const bh = h / l.length - 12, by = y + i * (h / l.length);
    return `<rect x="${x}" y="${by}" width="${Math.max(1, (w * r[2]) / top)}" height="${bh}" fill="${COLOURS[r[0]]}"/>` + text(x, by - 3, 10, `${r[0]} ${(r[2] / 1e6).toFixed(0)} M`); }).join(''); };
const strip = (title, sub) => `<rect y="320" width="600" height="80" fill="#0f172a"/>` + text(20, 354, 22, title, 'fill="#fff" font-weight="bold"') + text(20, 382, 14, sub, 'fill="#cbd5e1"');
const card = (name, title, sub, body) => save('thumb-' + name, 600, 400, body + strip(title, sub));
const whole = world(0, 0, 600, 320);

card('countries', 'Countries', '241 polygons, names in many scripts', map(whole, land(whole, byContinent)));
card('rivers', 'Rivers', '461 lines at 1:50,000,000', map(whole, land(whole, grey) + water(whole)));
card('cities', 'Cities', '243 populated places, sized by population', map(whole, land(whole, grey) + dots(whole, cities, size, '#be123c')));
card('capitals', 'Capitals', '194 points with two related tables and attachments', map(whole, land(whole, grey) + dots(whole, capitals, () => 2.6, '#7c3aed')));
card('web-map', 'World reference map', 'Countries, rivers, cities and capitals', map(whole, land(whole, byPeople) + water(whole, 0.6, 1000) + dots(whole, cities, size, '#be123c')));
const side = world(0, 40, 380, 280);
card('dashboard', 'World figures', 'Dashboard: map, indicator, chart, list', `<rect width="600" height="320" fill="#f8fafc"/><rect width="600" height="40" fill="#334155"/>` + text(14, 26, 16, 'World figures', 'fill="#fff"') + map(side, land(side, byPeople)) + bars(395, 60, 190, 240));
const right = world(220, 30, 380, 290);
card('web-experience', 'World explorer', 'Experience: map with legend, text and picture', `<rect width="600" height="320" fill="#f1f5f9"/><rect width="600" height="30" fill="#0e7490"/>` + map(right, land(right, byContinent) + water(right, 0.6, 1500)) + Object.entries(COLOURS).map(([k, c], i) => `<rect x="16" y="${50 + i * 30}" width="18" height="18" fill="${c}" stroke="#64748b"/>` + text(42, 64 + i * 30, 13, k)).join(''));
const nile = frame(0, 0, 600, 320, 8, -6, 52, 32);
card('story-map', 'Rivers without borders', 'A story with maps and pictures', map(nile, land(nile, byContinent) + water(nile, 2) + dots(nile, capitals, () => 4, '#7c3aed')));
card('web-mapping-app', 'Capitals and their clocks', 'Configurable app on the reference map', map(whole, land(whole, () => '#475569') + dots(whole, capitals, () => 3, '#facc15')));

// The overview image, and the pictures that the apps carry as resources.
const big = world(0, 0, 1200, 600);
save('world-overview', 1200, 600, map(big, land(big, byContinent) + water(big, 1, 700) + dots(big, capitals, () => 2.5, '#7c3aed')));
const banner = frame(0, 0, 800, 260, -20, 20, 60, 46);
save('experience-banner', 800, 260, map(banner, land(banner, byContinent) + water(banner, 1.4) + dots(banner, cities, () => 3, '#be123c')));
const longest = [...rivers].sort((a, b) => b.properties.length_km - a.properties.length_km)[0];
const xs = longest.geometry.coordinates.flat().map((p) => p[0]), ys = longest.geometry.coordinates.flat().map((p) => p[1]);
const mid = [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2];
const around = frame(0, 0, 640, 420, mid[0] - 30, mid[1] - 18, mid[0] + 30, mid[1] + 18);
save('story-longest-river', 640, 420, map(around, land(around, byContinent) + water(around, 1) + `<path d="${longest.geometry.coordinates.map((l) => trace(around, l)).join('')}" fill="none" stroke="#be123c" stroke-width="3"/>`));

// Locator maps and a fact sheet, attached to capitals.
const CODES = ['BR', 'EG', 'FR', 'GE', 'IN', 'JP'];
const capital = (code) => capitals.find((c) => c.properties.iso_a2 === code);
function locator(code, x, y, w, h) {
  const c = capital(code), [lo, la] = c.geometry.coordinates, m = frame(x, y, w, h, lo - 14, la - 10, lo + 14, la + 10);
  const [px, py] = m.at([lo, la]);
  return map(m, land(m, (p) => (p.iso_a2 === code ? '#fde68a' : '#e5e7eb')) + water(m, 1) + `<circle cx="${px}" cy="${py}" r="6" fill="#be123c" stroke="#fff" stroke-width="2"/>` + text(px + 10, py + 5, 16, c.properties.capital, 'font-weight="bold" stroke="#fff" stroke-width="3" paint-order="stroke"'));
}
for (const code of CODES) save('locator-' + code.toLowerCase(), 320, 240, locator(code, 0, 0, 320, 240));
const fr = capital('FR').properties;
save('sheet-fr', 420, 595, `<rect width="420" height="595" fill="#fff"/>` + text(30, 50, 22, `${fr.capital}, ${fr.country}`, 'font-weight="bold"') + locator('FR', 30, 70, 360, 270) +
  [['Population of the city', fr.population.toLocaleString('en')], ['Population of the country', fr.country_population.toLocaleString('en')], ['Time zone', fr.time_zone], ['Offset since', fr.offset_since]].map(([k, v], i) => text(30, 380 + i * 26, 13, k) + text(230, 380 + i * 26, 13, v)).join('') +
  text(30, 560, 9, 'Source: Natural Earth (public domain), IANA time zone database (public domain)'));
const cairo = clock.filter((r) => r[0] === 'Africa/Cairo');
fs.writeFileSync(path.join(out, 'clock-eg.txt'), `Changes of the clocks in Cairo (القاهرة), 2015 to 2025\nSource: IANA time zone database, public domain\n\n` +
  cairo.map((r) => `${r[1]}  UTC${r[3] >= 0 ? '+' : ''}${r[3] / 60} -> UTC${r[4] >= 0 ? '+' : ''}${r[4] / 60}`).join('\n') + '\n');

// The pages of the PDF.
const A = world(40, 110, 515, 270);
save('atlas-1', 595, 842, `<rect width="595" height="842" fill="#fff"/>` + text(40, 60, 24, 'The sample data', 'font-weight="bold"') + text(40, 86, 12, 'Countries by continent, rivers longer than 700 km, capitals') + map(A, land(A, byContinent) + water(A, 0.6, 700) + dots(A, capitals, () => 1.5, '#7c3aed')) +
  text(40, 420, 11, 'Continent', 'font-weight="bold"') + ['Countries', 'Population', 'Area km²', 'Most people in'].map((h, i) => text([220, 300, 385, 440][i], 420, 11, h, `font-weight="bold" ${i < 3 ? 'text-anchor="middle"' : ''}`)).join('') +
  rows.map((r, i) => text(40, 444 + i * 22, 11, r[0]) + [r[1], (+r[2]).toLocaleString('en'), (+r[4]).toLocaleString('en')].map((v, k) => text([220, 300, 385][k], 444 + i * 22, 11, v, 'text-anchor="middle"')).join('') + text(440, 444 + i * 22, 11, +r[2] ? r[5] : '-')).join('') +
  text(40, 800, 9, 'Source: Natural Earth, public domain. Areas measured on a sphere from the 1:50,000,000 outlines.'));
save('atlas-2', 595, 842, `<rect width="595" height="842" fill="#fff"/>` + text(40, 60, 24, 'Country names in their own script', 'font-weight="bold"') +
  countries.filter((c) => c.properties.name_native && /[^\u0000-\u024f]/.test(c.properties.name_native) && /[\u0370-\u058f\u0590-\u06ff\u10a0-\u10ff]/.test(c.properties.name_native)).slice(0, 58).map((c, i) => text(40 + (i > 28 ? 270 : 0), 100 + (i % 29) * 23, 11, c.properties.name) + text(180 + (i > 28 ? 270 : 0), 100 + (i % 29) * 23, 11, c.properties.name_native)).join('') +
  text(40, 800, 9, 'Names: Unicode CLDR. Shown: Greek, Cyrillic, Armenian, Hebrew, Arabic and Georgian script.'));
