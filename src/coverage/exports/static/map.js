/* Dresses the layers that folium laid out: styles per operator, popups, names. `phusong.start` is
   the last statement of folium's script. */
'use strict';

phusong.view = 0;

phusong.start = function (layers) {
  phusong.data = JSON.parse(document.getElementById('phusong-data').textContent);
  phusong.layers = layers;
  phusong.indexRows();
  phusong.dressMap();
  phusong.dressControl();
  phusong.startPanel();
  phusong.frameMap();
  phusong.startSearch();
  phusong.writeProvenance();
  phusong.choose(0);
};

phusong.indexRows = function () {
  phusong.rows = new Map();
  const verdicts = phusong.data.verdicts;
  verdicts.village.forEach((village, row) => phusong.rows.set(village + '/' + verdicts.view[row], row));
  phusong.villageLayers = [];
  phusong.layers.villages.eachLayer((layer) => { phusong.villageLayers[layer.feature.properties.i] = layer; });
  phusong.digits = [];
  phusong.layers.villages.eachLayer((layer) => { phusong.digits[layer.feature.properties.i] = layer.feature.properties.s; });
  phusong.deadFeatures = [];
  phusong.layers.dead.eachLayer((layer) => phusong.deadFeatures.push(layer.feature.properties));
};

phusong.verdictRow = (village, view) => phusong.rows.get(village + '/' + view);

phusong.statusOf = function (village, view) {
  const digits = phusong.digits[village];
  return phusong.data.statuses[digits === undefined ? phusong.data.statuses.length - 1 : Number(digits[view])];
};

phusong.point = (feature, latlng) => L.circleMarker(latlng, { radius: 6, pane: 'villages' });

phusong.dressMap = function () {
  const { map, communes, villages } = phusong.layers;
  communes.setStyle({ color: '#7d8794', weight: 1, fillColor: '#fdfdfb', fillOpacity: 1 });
  communes.bindTooltip((layer) => phusong.element('span', '', phusong.data.communes.name[layer.feature.properties.i]), { sticky: true });
  villages.bindTooltip(phusong.villageTip, { sticky: true, className: 'tip' });
  villages.on('click', (event) => phusong.openPopup(event.layer.feature.properties.i, event.latlng));
  villages.on('mouseover', (event) => phusong.highlight(event, true)).on('mouseout', (event) => phusong.highlight(event, false));
  map.on('baselayerchange', (event) => phusong.choose(phusong.layers.views.indexOf(event.layer)));
  L.control.scale({ imperial: false }).addTo(map);
  phusong.labelCommunes();
};

phusong.frameMap = function () {
  const { map, bounds } = phusong.layers;
  const fit = () => map.invalidateSize({ animate: false }).fitBounds(bounds, { padding: [20, 20], animate: false });
  map.setMinZoom(3).setMaxZoom(17);
  fit();
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(map.getContainer());
  const reading = (on) => document.getElementById('frame').classList.toggle('reading', on);
  map.on('popupopen', () => reading(true)).on('popupclose', () => reading(false));
  let bold = null;
  map.on('zoomend', () => {
    if (bold !== phusong.boldness()) { bold = phusong.boldness(); phusong.layers.dead.setStyle(phusong.deadStyle); }
  });
};

/* Outlines grow with the zoom, so that a province does not drown in them. */
phusong.boldness = function () {
  const zoom = phusong.layers.map.getZoom();
  return zoom < 10 ? 0.45 : zoom < 12 ? 0.7 : 1.15;
};

phusong.openPopup = function (village, latlng, view) {
  phusong.layers.villages.closeTooltip();
  const map = phusong.layers.map;
  const room = map.invalidateSize({ animate: false }).getSize();
  L.popup({ maxWidth: Math.min(340, room.x - 64), minWidth: 230, maxHeight: Math.min(430, room.y - 90), autoPanPadding: [12, 12] })
    .setLatLng(latlng).setContent(phusong.popup(village, view || phusong.view)).openOn(map);
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
  const status = phusong.data.statuses[Number(feature.properties.s[phusong.view])];
  const patterns = { chua_co_du_lieu: 'url(#hatch)', chua_du_bang_chung: 'url(#dots)' };
  const opacity = { trang_song: 0.8, lom_song: 0.7, phu_song: 0.34 };
  return {
    color: '#5a6570', weight: 0.6, opacity: 0.6, lineJoin: 'round',
    fillColor: patterns[status] || phusong.data.colours[status], fillOpacity: opacity[status] || 1
  };
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
  const kind = phusong.deadKind(feature.properties);
  if (kind === null) { return { stroke: false, fill: false }; }
  const weight = { gaps: 2.8, partial: 1.3, other: 1.6 }[kind] * phusong.boldness();
  return { stroke: true, color: kind === 'other' ? '#4a4f57' : '#1a1020', weight, opacity: 1, dashArray: kind === 'other' ? '4 4' : null, fill: false };
};

phusong.choose = function (view) {
  phusong.view = Math.max(view, 0);
  phusong.layers.villages.setStyle(phusong.villageStyle);
  phusong.layers.dead.setStyle(phusong.deadStyle);
  phusong.showPredicted();
  phusong.layers.map.closePopup();
  phusong.updatePanel();
};

/* Each operator is predicted alone: for all operators together the layer is empty. */
phusong.showPredicted = function () {
  phusong.predicted.clearLayers();
  const image = phusong.layers.predicted[phusong.view - 1];
  if (image) { phusong.predicted.addLayer(image); }
};

phusong.show = function (village, view) {
  const layer = phusong.villageLayers[village];
  if (!layer) { return; }
  phusong.closePanelIfNarrow();
  const target = layer.getBounds ? layer.getBounds() : L.latLngBounds([layer.getLatLng()]);
  phusong.layers.map.invalidateSize({ animate: false }).fitBounds(target, { padding: [80, 80], maxZoom: 14, animate: false });
  phusong.openPopup(village, target.getCenter(), view);
};

/* folium knows the layers by code; people read names, which may hold anything: text nodes only. */
phusong.dressControl = function () {
  const { control, map } = phusong.layers;
  const switchable = L.layerGroup().addTo(map);
  control.addOverlay(switchable, 'hexes');
  phusong.predicted = L.layerGroup();
  if (phusong.layers.predicted.length) { control.addOverlay(phusong.predicted, 'predicted'); }
  const pane = map.getPane('hexes');
  switchable.on('add', () => { pane.style.display = ''; }).on('remove', () => { pane.style.display = 'none'; });
  const update = control._update;
  control._update = function () { update.call(control); phusong.nameLayers(switchable); return control; };
  control._update();
  if (window.matchMedia('(max-width: 760px)').matches) {
    control.options.collapsed = true;
    map.removeControl(control).addControl(control);
  }
};

phusong.nameLayers = function (switchable) {
  const names = new Map(phusong.layers.views.map((layer, view) => [L.stamp(layer), () => phusong.viewName(view)]));
  ['villages', 'dead', 'communes'].forEach((key) => names.set(L.stamp(phusong.layers[key]), () => phusong.word(key)));
  names.set(L.stamp(switchable), () => phusong.word('hexes'));
  names.set(L.stamp(phusong.predicted), () => phusong.word('predicted'));
  phusong.layers.control.getContainer().querySelectorAll('input').forEach((input) => {
    const name = names.get(input.layerId);
    if (name) { input.nextElementSibling.replaceChildren(name()); }
  });
};

/* Commune names lie on the map where there is room for them. */
phusong.labelCommunes = function () {
  const { map, communes } = phusong.layers;
  const places = phusong.data.communes;
  const labels = [];
  communes.eachLayer((layer) => {
    const place = layer.feature.properties.i;
    const text = phusong.element('span', '', places.name[place]);
    const icon = L.divIcon({ html: text, className: 'commune', iconSize: null });
    labels.push([layer, L.marker([places.lat[place], places.lon[place]], { icon, interactive: false, keyboard: false, pane: 'labels' })]);
  });
  const place = () => labels.forEach(([layer, label]) => {
    const box = layer.getBounds();
    const width = map.latLngToLayerPoint(box.getNorthEast()).x - map.latLngToLayerPoint(box.getSouthWest()).x;
    if (width > 110 && map.hasLayer(communes)) { label.addTo(map); } else { label.remove(); }
  });
  L.geoJSON(communes.toGeoJSON(), { pane: 'borders', interactive: false, fill: false, color: '#333e49', weight: 1, opacity: 0.6 }).addTo(map);
  map.on('zoomend overlayadd overlayremove', place);
  place();
};
