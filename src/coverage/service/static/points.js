/* A small map without tiles: outlines of communes, points coloured by level, crosses where there was no signal. */

import { el, number, say } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 320;
const HEIGHT = 220;
const MARGIN = 0.12; // of the points' box, around it
const LEAST_DEGREES = 0.004; // some 400 m: a single point is not blown up to fill the map
const MANY = 120; // points, beyond which they are drawn smaller
// Bounds in dBm of the classes, best first: about the steps at which indoor use, data and calls are lost.
const CLASSES = [[-95, 'strong'], [-105, 'fair'], [-115, 'weak'], [-Infinity, 'edge']];

/* The map as a figure with its legend; null where there is no point. `outlines`: GeoJSON of communes. */
export function pointMap(points, bounds, outlines) {
  if (!bounds || points.length === 0) { return null; }
  const place = projection(bounds);
  const silent = points.filter(([, , , state]) => isSilent(state)).length;
  const plan = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', class: 'points',
    'aria-label': say('map_description', { n: points.length, silent }) });
  (outlines.features || []).forEach((feature) => plan.append(outline(feature, place)));
  const radius = points.length > MANY ? 2.2 : 3.2;
  points.forEach((point) => plan.append(mark(point, place, radius)));
  return el('figure', {}, el('figcaption', {}, say('map_title')), plan, legend());
}

/* lat, lon → x, y: degrees of longitude shrink with the cosine of the latitude, north is up. */
function projection([south, west, north, east]) {
  const shrink = Math.cos((south + north) / 2 * Math.PI / 180);
  const high = Math.max(north - south, LEAST_DEGREES) * (1 + 2 * MARGIN);
  const wide = Math.max((east - west) * shrink, LEAST_DEGREES) * (1 + 2 * MARGIN);
  const scale = Math.min(WIDTH / wide, HEIGHT / high);
  const [lat, lon] = [(south + north) / 2, (west + east) / 2];
  return (at, along) => [WIDTH / 2 + (along - lon) * shrink * scale, HEIGHT / 2 - (at - lat) * scale];
}

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
}

function outline(feature, place) {
  const { type, coordinates } = feature.geometry;
  const polygons = type === 'MultiPolygon' ? coordinates : type === 'Polygon' ? [coordinates] : [];
  const rings = polygons.flat().map((ring) => ring.map(([lon, lat]) => place(lat, lon).map((at) => at.toFixed(1)).join(',')));
  const path = shape('path', { class: 'commune', d: rings.map((ring) => `M${ring.join('L')}Z`).join('') });
  const title = shape('title', {});
  title.textContent = feature.properties.commune_name || '';
  path.append(title);
  return path;
}

const isSilent = (state) => state === 'no_service' || state === 'emergency_only';

function mark([lat, lon, level, state], place, radius) {
  const [x, y] = place(lat, lon);
  if (isSilent(state)) { return shape('path', { class: 'silent', d: crossAt(x, y) }); }
  return shape('circle', { class: classOf(level), cx: x.toFixed(1), cy: y.toFixed(1), r: radius });
}

const crossAt = (x, y) => `M${(x - 3.5).toFixed(1)},${(y - 3.5).toFixed(1)}l7,7m0,-7l-7,7`;

function classOf(level) {
  return level === null ? 'unknown' : CLASSES.find(([bound]) => level >= bound)[1];
}

function legend() {
  const entry = (mark, text) => {
    const plan = shape('svg', { viewBox: '0 0 12 12', class: 'points', 'aria-hidden': 'true' });
    plan.append(mark);
    return el('li', {}, plan, text);
  };
  const circle = (name) => shape('circle', { class: name, cx: 6, cy: 6, r: 4.5 });
  const minus = (value) => number(value).replace('-', '−');
  return el('ul', { class: 'legend' },
    el('li', {}, say('map_legend')),
    ...CLASSES.map(([bound, name], at) => entry(circle(name), bound === -Infinity ? `< ${minus(CLASSES[at - 1][0])}` : `≥ ${minus(bound)}`)),
    entry(circle('unknown'), say('map_unknown')),
    entry(shape('path', { class: 'silent', d: crossAt(6, 6) }), say('map_none')));
}
