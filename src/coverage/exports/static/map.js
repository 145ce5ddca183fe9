/* Dresses the layers that folium laid out: styles per operator, popups, names. `phusong.start` is
   the last statement of folium's script. */
'use strict';

phusong.view = 0;
phusong.online = null;
phusong.changes = null;
phusong.POWER = { national_grid: '#f2c230', off_grid: '#8f7fc0', none: '#3f3a4d' };

phusong.start = async function (layers) {
  phusong.layers = layers;
  phusong.startLanguage();
  try {
    await phusong.fetched();
  } catch (fault) {
    phusong.say(fault, () => location.reload());
    return;
  }
  phusong.indexRows();
  phusong.dressMap();
  phusong.startPanel();
  phusong.startLayers();
  phusong.frameMap();
  phusong.startSearch();
  phusong.writeProvenance();
  phusong.startTwin();
  phusong.startPrint();
  document.getElementById('credit').textContent = phusong.attribution();
  if (phusong.online) { phusong.startTimes(); phusong.watchNewer(); }
  phusong.takeState();
  phusong.waiting(false);
  document.documentElement.dataset.ready = 'true';
};

phusong.indexRows = function () {
  phusong.rows = new Map();
  const verdicts = phusong.data.verdicts;
  verdicts.village.forEach((village, row) => phusong.rows.set(village + '/' + verdicts.view[row], row));
  phusong.villageLayers = [];
  phusong.digits = [];
  phusong.layers.villages.eachLayer((layer) => {
    phusong.villageLayers[layer.feature.properties.i] = layer;
    phusong.digits[layer.feature.properties.i] = layer.feature.properties.s;
  });
  phusong.deadFeatures = [];
  phusong.layers.dead.eachLayer((layer) => phusong.deadFeatures.push(layer.feature.properties));
  phusong.gridOf = new Map();
  verdicts.village.forEach((village, row) => phusong.gridOf.set(village, phusong.cell(verdicts, 'grid_status', row)));
  phusong.changed = new Map((phusong.changes ? phusong.changes.villages : []).map((one) => [one.i + '/' + one.view, one.change]));
};

phusong.verdictRow = (village, view) => phusong.rows.get(village + '/' + view);

phusong.statusOf = function (village, view) {
  const digits = phusong.digits[village];
  return phusong.data.statuses[digits === undefined ? phusong.data.statuses.length - 1 : Number(digits[view])];
};

phusong.point = (feature, latlng, pane) => L.circleMarker(latlng, { radius: 6, pane: pane || 'villages' });
phusong.sitePoint = (feature, latlng) => L.circleMarker(latlng, { radius: 4, pane: 'sites', weight: 1.5, color: '#1a1020' });

/* Of the chosen network only; those that are planned are hollow. */
phusong.siteStyle = function (feature) {
  const own = phusong.view === 0 || feature.properties.operator === phusong.data.views[phusong.view].code;
  return { stroke: own, fill: own, fillColor: feature.properties.planned ? '#ffffff' : '#1a1020', fillOpacity: 1 };
};

phusong.dressMap = function () {
  const { map, communes, villages, roads, sites, lines } = phusong.layers;
  communes.setStyle({ color: '#5f6974', weight: 1, opacity: 0.75, fillColor: '#fdfdfb', fillOpacity: phusong.online ? 0 : 1 });
  communes.bindTooltip((layer) => phusong.element('span', '', phusong.data.communes.name[layer.feature.properties.i]), { sticky: true });
  villages.bindTooltip(phusong.villageTip, { sticky: true, className: 'tip' });
  villages.on('click', (event) => {
    L.DomEvent.stopPropagation(event);
    phusong.openPopup(event.layer.feature.properties.i, event.latlng);
  });
  villages.on('mouseover', (event) => phusong.highlight(event, true)).on('mouseout', (event) => phusong.highlight(event, false));
  map.on('click', (event) => phusong.openSpot(event.latlng));
  if (roads) { roads.options.style = { color: '#6b4b1f', weight: 2.5, opacity: 0.9 }; }
  if (lines) { lines.options.style = { color: '#a3742a', weight: 1.4, dashArray: '5 3' }; }
  if (sites) { sites.options.style = phusong.siteStyle; sites.bindTooltip((layer) => phusong.siteTip(layer.feature.properties), { className: 'tip' }); }
  L.control.scale({ imperial: false }).addTo(map);
  phusong.labelCommunes();
};

phusong.siteTip = function (site) {
  const parts = [site.operator_name, site.technology, site.name].filter((part) => part);
  return phusong.element('span', '', phusong.element('strong', '', parts.join(' · ')),
    site.planned ? phusong.both('dự kiến', 'planned') : null);
};

phusong.frameMap = function () {
  const { map, bounds } = phusong.layers;
  map.setMinZoom(3).setMaxZoom(17);
  if (!phusong.fitted) { phusong.fitProvince(map, bounds); }
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(map.getContainer());
  const reading = (on) => document.getElementById('frame').classList.toggle('reading', on);
  map.on('popupopen', () => reading(true)).on('popupclose', () => { reading(false); phusong.keepSpot({}); });
  map.on('moveend', () => phusong.keepState());
  let bold = null;
  map.on('zoomend', () => {
    if (bold !== phusong.boldness()) { bold = phusong.boldness(); phusong.layers.dead.setStyle(phusong.deadStyle); }
  });
};

/* The whole province beside the box of layers. */
phusong.fitProvince = function (map, bounds) {
  const box = document.getElementById('layers');
  const isNarrow = window.matchMedia('(max-width: 760px)').matches;
  if (isNarrow) { box.open = false; }
  const aside = isNarrow ? 0 : box.offsetWidth;
  map.invalidateSize({ animate: false }).fitBounds(bounds, { paddingTopLeft: [10, 10], paddingBottomRight: [10 + aside, 10], animate: false });
  phusong.fitted = true;
};

/* Outlines grow with the zoom, so that a province does not drown in them. */
phusong.boldness = function () {
  const zoom = phusong.layers.map.getZoom();
  return zoom < 10 ? 0.45 : zoom < 12 ? 0.7 : 1.15;
};

phusong.highlight = function (event, on) {
  const layer = event.layer;
  layer.setStyle(on ? { weight: 2.5, color: '#12435c' } : phusong.villageStyle(layer.feature));
};

phusong.villageTip = function (layer) {
  const village = layer.feature.properties.i;
  const of = (field) => phusong.cell(phusong.data.villages, field, village);
  const status = phusong.statusOf(village, phusong.view);
  return phusong.element('span', '', phusong.element('strong', '', of('village_name') || of('village_id')),
    phusong.element('span', 'where', of('commune_name') || ''),
    phusong.element('span', '', phusong.swatch(status), phusong.word(status)));
};

/* Patterns mean "we do not know"; colours mean a finding. */
phusong.villageStyle = function (feature) {
  const outline = { color: '#5a6570', weight: 0.6, opacity: 0.6, lineJoin: 'round' };
  return { ...outline, ...phusong.fills[phusong.chosen.paint](feature) };
};

phusong.fills = {
  status(feature) { return phusong.statusFill(feature.properties.s[phusong.view]); },
  power(feature) {
    const power = phusong.gridOf.get(feature.properties.i);
    return phusong.POWER[power] ? { fillColor: phusong.POWER[power], fillOpacity: 0.6 } : { fillColor: 'url(#hatch)', fillOpacity: 1 };
  },
  change(feature) {
    const change = phusong.changed.get(feature.properties.i + '/' + phusong.view);
    return change ? { fillColor: phusong.data.colours[change], fillOpacity: 0.75 } : { fillColor: '#ffffff', fillOpacity: 0.35 };
  }
};

phusong.statusFill = function (digit) {
  const status = phusong.data.statuses[Number(digit)];
  const patterns = { chua_co_du_lieu: 'url(#hatch)', chua_du_bang_chung: 'url(#dots)' };
  const opacity = { trang_song: 0.8, lom_song: 0.7, phu_song: 0.34 };
  return { fillColor: patterns[status] || phusong.data.colours[status], fillOpacity: opacity[status] || 1 };
};

/* What a dead area is in the chosen view. Seen for all operators: `gaps` where nobody serves the
   village, `partial` where only some operator leaves it out; null where it is not shown. */
phusong.deadKind = function (area) {
  const gap = area.l === 0;
  if (phusong.view !== 0) { return area.v !== phusong.view ? null : gap ? 'gaps' : 'other'; }
  if (area.n) { return gap ? 'gaps' : 'other'; }
  return gap ? 'partial' : 'other';
};

phusong.deadStyle = function (feature) {
  const area = feature.properties;
  const kind = phusong.deadKind(area);
  if (kind === null) { return { stroke: false, fill: false }; }
  const weight = { gaps: 2.8, partial: 1.3, other: 1.6 }[kind] * phusong.boldness();
  const claimed = area.c && phusong.chosen.on.has('claimed');
  const line = { stroke: true, color: kind === 'other' ? '#4a4f57' : '#1a1020', weight, opacity: 1, dashArray: kind === 'other' ? '4 4' : null };
  return claimed ? { ...line, color: '#6d1fb3', weight: weight + 1.5, fill: true, fillColor: '#6d1fb3', fillOpacity: 0.45 } : { ...line, fill: false };
};

phusong.show = function (village, view) {
  const layer = phusong.villageLayers[village];
  if (!layer) { return; }
  phusong.closePanelIfNarrow();
  phusong.showTwin(false);
  const target = layer.getBounds ? layer.getBounds() : L.latLngBounds([layer.getLatLng()]);
  phusong.layers.map.invalidateSize({ animate: false }).fitBounds(target, { padding: [80, 80], maxZoom: 14, animate: false });
  phusong.openPopup(village, target.getCenter(), view);
};

/* Commune names lie on the map where there is room for them. */
phusong.labelCommunes = function () {
  const { communes, map } = phusong.layers;
  const places = phusong.data.communes;
  const labels = [];
  communes.eachLayer((layer) => {
    const place = layer.feature.properties.i;
    const text = phusong.element('span', '', places.name[place]);
    const icon = L.divIcon({ html: text, className: 'commune', iconSize: null });
    labels.push([layer, L.marker([places.lat[place], places.lon[place]], { icon, interactive: false, keyboard: false, pane: 'labels' })]);
  });
  phusong.borders = L.geoJSON(communes.toGeoJSON(), { renderer: phusong.calm(L.SVG, 'borders'), pane: 'borders', interactive: false, fill: false, color: '#333e49', weight: 1, opacity: 0.6 });
  phusong.labels = labels;
  map.on('zoomend moveend', phusong.placeLabels);
};

phusong.placeLabels = function () {
  const { communes, map } = phusong.layers;
  const on = phusong.chosen.on.has('communes');
  const view = map.getBounds().pad(0.1);
  if (on) { phusong.borders.addTo(map); } else { phusong.borders.remove(); }
  phusong.labels.forEach(([layer, label]) => {
    const box = layer.getBounds();
    const width = map.latLngToLayerPoint(box.getNorthEast()).x - map.latLngToLayerPoint(box.getSouthWest()).x;
    if (on && width > 110 && view.intersects(box)) { label.addTo(map); } else { label.remove(); }
  });
};
