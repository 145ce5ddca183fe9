/* A click anywhere: the village with its operators and homes, and the hex with its tests. */
'use strict';

phusong.openPopup = function (village, latlng, view) {
  phusong.layers.villages.closeTooltip();
  const content = phusong.popup(village, view || phusong.view);
  phusong.openAt(latlng, content);
  if (phusong.online) { content.append(phusong.homes(village), phusong.hexSection(latlng)); }
  phusong.keepSpot({ village: phusong.cell(phusong.data.villages, 'village_id', village) });
};

phusong.openSpot = function (latlng) {
  if (!phusong.online) { return; }
  const at = latlng.wrap();
  phusong.openAt(at, phusong.element('article', 'village', phusong.hexSection(at)));
  phusong.keepSpot({ spot: at.lat.toFixed(5) + ',' + at.lng.toFixed(5) });
};

phusong.openAt = function (latlng, content) {
  const map = phusong.layers.map;
  const room = map.invalidateSize({ animate: false }).getSize();
  const width = Math.min(360, room.x - 64);
  const popup = L.popup({ maxWidth: width, minWidth: Math.min(320, width), maxHeight: Math.min(460, room.y - 90), autoPanPadding: [12, 12] })
    .setLatLng(latlng).setContent(content).openOn(map);
  phusong.opened = popup;
  popup.getElement().setAttribute('role', 'dialog');
  popup.getElement().setAttribute('aria-label', 'Chi tiết / Details');
};

/* Fills in once the service has answered; says so while it has not. */
phusong.later = function (box, asked, fill) {
  box.append(phusong.element('p', 'where', phusong.both('Đang tải…', 'Loading…')));
  asked.then((answer) => box.replaceChildren(...(answer ? fill(answer) : [])))
    .catch((fault) => box.replaceChildren(phusong.element('p', 'reason', phusong.faultText(fault))))
    .finally(() => { if (phusong.opened && phusong.opened.isOpen() && phusong.opened.getElement().contains(box)) { phusong.opened.update(); } });
  return box;
};

phusong.hexSection = function (latlng) {
  const box = phusong.element('section', 'hex-evidence');
  return phusong.later(box, phusong.ask('/v1/hexes', { lat: latlng.lat.toFixed(6), lon: latlng.lng.toFixed(6) }), phusong.hexStory);
};

phusong.hexStory = function (hex) {
  phusong.outline(hex.outline);
  const rows = hex.operators.map((one, place) => ({ ...one, view: place + 1 }));
  rows.sort((a, b) => (b.view === phusong.view) - (a.view === phusong.view));
  return [
    phusong.element('h4', '', phusong.both('Ô lục giác ', 'Hex '), phusong.element('code', '', hex.hex)),
    phusong.joined(hex.villages.slice(0, 3).map((one) => phusong.element('span', '', one.village_name || one.village_id)), 'where'),
    ...rows.map((one, place) => phusong.hexOperator(one, place === 0))];
};

/* The hex that is told of, drawn until the popup closes. */
phusong.outline = function (ring) {
  const map = phusong.layers.map;
  if (phusong.outlined) { phusong.outlined.remove(); }
  phusong.outlined = L.polygon(ring, { pane: 'borders', interactive: false, fill: false, color: '#005fcc', weight: 3 }).addTo(map);
  map.once('popupclose', () => phusong.outlined.remove());
};

phusong.hexOperator = function (one, open) {
  const summary = phusong.element('summary', '', phusong.swatch('hex ' + one.verdict), phusong.element('span', 'name', one.name), phusong.word(one.verdict));
  const details = phusong.element('details', 'operator', summary, phusong.element('p', 'reason', phusong.both(one.reason, one.reason_en)), phusong.hexFacts(one));
  details.open = open;
  return details;
};

phusong.hexFacts = function (one) {
  const facts = phusong.element('dl', '');
  const add = (vi, en, value) => {
    if (value) { facts.append(phusong.element('dt', '', phusong.both(vi, en)), phusong.element('dd', '', value)); }
  };
  add('Lần thử', 'Tests', one.tests ? phusong.hexCounts(one) : null);
  add('Mức sóng', 'Level', one.signals.length ? phusong.element('ul', '', ...one.signals.map(phusong.signalLine)) : null);
  add('Ngưỡng khác', 'Other thresholds', one.tests ? phusong.joined([
    phusong.element('span', '', '−105 dBm: ', phusong.word(one.verdict_at_105)), phusong.element('span', '', '−121 dBm: ', phusong.word(one.verdict_at_121))], '') : null);
  add('Số đo mới nhất', 'Newest test', one.last_test_utc && phusong.date(one.last_test_utc.slice(0, 10)));
  add('Điều gì làm thay đổi', 'What would change it', phusong.both(one.what_would_change, one.what_would_change_en));
  add('Dự đoán (không phải kết quả đo)', 'Predicted (not a finding)', one.prediction && phusong.word(one.prediction.predicted_class));
  return facts;
};

phusong.hexCounts = function (one) {
  const parts = [phusong.numbers(one.tests, 'lần thử', 'tests'), phusong.numbers(one.fails, 'không đạt', 'failed'),
    phusong.numbers(one.devices, 'máy', 'devices'), phusong.numbers(one.dates, 'ngày', 'days')];
  if (one.evidence_mix) { parts.push(phusong.both('hạng ' + one.evidence_mix, 'grades ' + one.evidence_mix)); }
  if (one.sub_reason) { parts.push(phusong.word(one.sub_reason)); }
  return phusong.joined(parts, '');
};

/* "4G: trung vị −103, P10 −111 dBm · 45 số đo (12 của đội đo)". */
phusong.signalLine = function (signal) {
  const names = { LTE: '4G', NR: '5G', UMTS: '3G', GSM: '2G' };
  const level = (value) => phusong.numberText(value, 'vi-VN', 0).replace('-', '−');
  const parts = [phusong.element('strong', '', signal.technology ? names[signal.technology] : phusong.both('mất sóng', 'no service'))];
  if (signal.median_dbm !== null) {
    parts.push(phusong.both(`trung vị ${level(signal.median_dbm)}, P10 ${level(signal.p10_dbm)} dBm`, `median ${level(signal.median_dbm)}, P10 ${level(signal.p10_dbm)} dBm`));
  }
  parts.push(phusong.numbers(signal.measurements, 'số đo', 'readings'));
  if (signal.drive_test_measurements) { parts.push(phusong.numbers(signal.drive_test_measurements, 'của đội đo', 'by drive test')); }
  return phusong.joined(parts, '', 'li');
};

/* Where people of the village live, each place for each operator. */
phusong.homes = function (village) {
  const box = phusong.element('section', 'homes');
  const id = phusong.cell(phusong.data.villages, 'village_id', village);
  return phusong.later(box, phusong.ask('/v1/villages/' + encodeURIComponent(id) + '/places'), (answer) => answer.places.length ? [phusong.homesTable(answer)] : []);
};

phusong.homesTable = function (answer) {
  const head = phusong.element('tr', '', phusong.element('th', '', phusong.both('Nơi ở', 'Homes')), ...answer.operators.map((name) => phusong.element('th', '', name)));
  const rows = answer.places.map((place) => phusong.element('tr', '',
    phusong.element('th', '', phusong.word('place_' + place.kind), place.cluster ? ' ' + place.cluster : ''),
    ...place.operators.map((one) => phusong.element('td', '', phusong.swatch('hex ' + one.verdict), phusong.word(one.verdict),
      phusong.element('small', '', one.tests ? phusong.both(`${one.fails}/${one.tests} không đạt`, `${one.fails}/${one.tests} failed`) : null)))));
  const table = phusong.element('table', 'homes', phusong.element('thead', '', head), phusong.element('tbody', '', ...rows));
  return phusong.element('details', 'operator', phusong.element('summary', '', phusong.element('span', 'name', phusong.both('Từng cụm dân cư', 'Each settled part'))), table);
};
