/* What the map shows: which operator, what the hexes tell, how villages are coloured, what lies above. */
'use strict';

/* What hexes can tell: its name, whether one operator must be chosen, whether two assessments are compared. */
phusong.KINDS = {
  verdict: { vi: 'Kết luận', en: 'Verdict' },
  notspots: { vi: 'Mọi mạng chết / có mạng chết', en: 'Total / partial not-spots', all: true },
  'signal-LTE': { vi: 'Mức sóng 4G (LTE)', en: 'Signal level, 4G (LTE)', own: true },
  'signal-NR': { vi: 'Mức sóng 5G (NR)', en: 'Signal level, 5G (NR)', own: true },
  'signal-UMTS': { vi: 'Mức sóng 3G (UMTS)', en: 'Signal level, 3G (UMTS)', own: true },
  'signal-GSM': { vi: 'Mức sóng 2G (GSM)', en: 'Signal level, 2G (GSM)', own: true },
  age: { vi: 'Tuổi của số đo', en: 'Age of the evidence' },
  change: { vi: 'Thay đổi giữa hai bản', en: 'Change between assessments', two: true },
  none: { vi: 'Không hiện ô', en: 'No hexes' }
};
phusong.PAINTS = {
  status: { vi: 'Trạng thái sóng', en: 'Service status' },
  power: { vi: 'Điện', en: 'Power' },
  change: { vi: 'Thay đổi giữa hai bản', en: 'Change between assessments', two: true }
};
phusong.OVERLAYS = {
  villages: ['Thôn', 'Villages'], dead: ['Vùng mất sóng', 'Dead areas'],
  claimed: ['Công bố có sóng nhưng chết', 'Claimed but dead'], predicted: ['Dự đoán, chưa đo (sọc)', 'Predicted, not measured (striped)'],
  communes: ['Ranh giới xã', 'Commune borders'], roads: ['Đường, đèo', 'Roads and passes'], sites: ['Trạm', 'Sites'], lines: ['Đường điện', 'Power lines'],
  ground: ['Nền bản đồ', 'Base map']
};
phusong.FETCHED = ['roads', 'sites', 'lines'];
phusong.chosen = { view: 0, kind: 'verdict', paint: 'status', on: new Set(['villages', 'dead', 'communes', 'ground']) };

phusong.startLayers = function () {
  // Whoever sees one network of several knows nothing of all of them together.
  phusong.isAlone = phusong.data.views.length === 2 && phusong.data.in_scope.length > 1;
  if (phusong.isAlone) { phusong.chosen.view = 1; }
  phusong.listViews();
  phusong.listOverlays();
  document.getElementById('kind').addEventListener('change', (event) => phusong.choose({ kind: event.target.value }));
  document.getElementById('paint').addEventListener('change', (event) => phusong.choose({ paint: event.target.value }));
  L.DomEvent.disableClickPropagation(document.getElementById('layers'));
  L.DomEvent.disableScrollPropagation(document.getElementById('layers'));
};

phusong.radio = function (name, value, label, act) {
  const input = phusong.element('input', '');
  Object.assign(input, { type: 'radio', name, value });
  input.addEventListener('change', act);
  return phusong.element('label', '', input, phusong.element('span', '', label));
};

phusong.listViews = function () {
  const choices = phusong.data.views.map((_, view) =>
    phusong.radio('view', view, phusong.viewName(view), () => phusong.choose({ view })));
  document.getElementById('views').replaceChildren(...choices.slice(phusong.isAlone ? 1 : 0));
};

phusong.hasOverlay = function (name) {
  if (name === 'claimed') { return phusong.deadFeatures.some((area) => area.c); }
  if (name === 'predicted') { return phusong.data.predicted.some((view) => Object.values(view).some((count) => count)); }
  return Boolean(phusong.layers[name]);
};

phusong.listOverlays = function () {
  const rows = Object.entries(phusong.OVERLAYS).filter(([name]) => phusong.hasOverlay(name)).map(([name, [vi, en]]) => {
    const input = phusong.element('input', '');
    Object.assign(input, { type: 'checkbox', name: 'overlay', value: name });
    input.addEventListener('change', () => phusong.switchOverlay(name, input.checked));
    return phusong.element('label', '', input, phusong.element('span', '', phusong.both(vi, en)));
  });
  document.getElementById('overlays').append(...rows);
};

phusong.switchOverlay = function (name, on) {
  phusong.chosen.on[on ? 'add' : 'delete'](name);
  phusong.choose({});
};

phusong.fits = (kind) => Boolean(kind) && (!kind.own || phusong.chosen.view !== 0) && (!kind.all || phusong.chosen.view === 0)
  && (!kind.two || Boolean(phusong.changes)) && (phusong.online || !(kind.own || kind.all));

phusong.listChoices = function (id, all, chosen) {
  const fitting = Object.entries(all).filter(([name, kind]) => phusong.fits(kind) && (phusong.online || ['verdict', 'none', 'status', 'power'].includes(name)));
  document.getElementById(id).replaceChildren(...fitting.map(([name, kind]) => phusong.option(name, kind.vi, kind.en, name === chosen)));
};

/* Takes a choice, as far as it fits, and draws it. */
phusong.choose = function (choice) {
  Object.assign(phusong.chosen, choice);
  const chosen = phusong.chosen;
  if (!(chosen.view in phusong.data.views) || (phusong.isAlone && chosen.view === 0)) { chosen.view = phusong.isAlone ? 1 : 0; }
  if (!phusong.fits(phusong.KINDS[chosen.kind])) { chosen.kind = 'verdict'; }
  if (!phusong.fits(phusong.PAINTS[chosen.paint])) { chosen.paint = 'status'; }
  phusong.view = chosen.view;
  phusong.showChoice();
  phusong.drawHexes();
  phusong.drawOverlays();
  phusong.layers.villages.setStyle(phusong.villageStyle);
  phusong.layers.dead.setStyle(phusong.deadStyle);
  if ('view' in choice) { phusong.layers.map.closePopup(); }
  phusong.updatePanel();
  phusong.relabel();
  phusong.keepState();
};

phusong.showChoice = function () {
  const { view, kind, paint, on } = phusong.chosen;
  document.querySelectorAll('#views input').forEach((input) => { input.checked = Number(input.value) === view; });
  document.querySelectorAll('#overlays input').forEach((input) => { input.checked = on.has(input.value); });
  phusong.listChoices('kind', phusong.KINDS, kind);
  phusong.listChoices('paint', phusong.PAINTS, paint);
};

/* The name of the service's layer of hexes for the choice; null = no hexes. */
phusong.hexLayer = function () {
  const { view, kind } = phusong.chosen;
  const code = view === 0 ? '' : '-' + phusong.data.views[view].code;
  if (kind === 'none') { return null; }
  if (kind === 'verdict') { return 'hexes' + code; }
  const [family, technology] = kind.split('-');
  return family + code + (technology ? '-' + technology : '');
};

phusong.tileAddress = function (layer, snapshot, since) {
  const more = '&drawn=' + phusong.online.drawn + (since ? '&since=' + encodeURIComponent(since) : '');
  return '/tiles/' + encodeURIComponent(layer) + '/{z}/{x}/{y}{r}.png?snapshot=' + encodeURIComponent(snapshot) + more;
};

phusong.drawHexes = function () {
  const { map, views, hexes } = phusong.layers;
  if (phusong.online) {
    phusong.showTiles(hexes, phusong.hexLayer(), phusong.online.snapshot);
    phusong.drawBefore();
    return;
  }
  views.forEach((image, view) => {
    const wanted = phusong.chosen.kind === 'verdict' && view === phusong.view;
    if (wanted !== map.hasLayer(image)) { if (wanted) { image.addTo(map); } else { image.remove(); } }
  });
};

/* Asks for tiles anew only where something else is to be shown. */
phusong.showTiles = function (tiles, layer, snapshot) {
  const map = phusong.layers.map;
  if (layer === null) { tiles.remove(); return; }
  const change = layer.startsWith('change');
  const address = phusong.tileAddress(layer, snapshot, change ? phusong.online.before : null);
  if (tiles._url !== address) { tiles.setUrl(address, !map.hasLayer(tiles)); }
  if (!map.hasLayer(tiles)) { tiles.addTo(map); }
};

phusong.drawOverlays = function () {
  const { map } = phusong.layers;
  const on = phusong.chosen.on;
  ['villages', 'dead', 'communes', 'ground', ...phusong.FETCHED].forEach((name) => {
    const layer = phusong.layers[name];
    if (!layer) { return; }
    if (on.has(name) && phusong.FETCHED.includes(name)) { phusong.fetchLayer(name); }
    if (on.has(name) !== map.hasLayer(layer)) { if (on.has(name)) { layer.addTo(map); } else { layer.remove(); } }
  });
  if (phusong.layers.sites) { phusong.layers.sites.setStyle(phusong.siteStyle); }
  phusong.drawPredicted(on.has('predicted'));
  phusong.placeLabels();
};

/* Each operator is predicted alone: for all operators together there is nothing to show. */
phusong.drawPredicted = function (on) {
  const { map, predicted, forecast } = phusong.layers;
  const code = phusong.view === 0 ? null : phusong.data.views[phusong.view].code;
  if (phusong.online) {
    if (forecast) { phusong.showTiles(forecast, on && code !== null ? 'predicted-' + code : null, phusong.online.snapshot); }
    return;
  }
  predicted.forEach((image, place) => {
    const wanted = on && place === phusong.view - 1;
    if (wanted !== map.hasLayer(image)) { if (wanted) { image.addTo(map); } else { image.remove(); } }
  });
};
