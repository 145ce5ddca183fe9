/* The panel beside the map: counts for the chosen operator, search, what to fix first, provenance. */
'use strict';

phusong.updatePanel = function () {
  const data = phusong.data;
  const statuses = phusong.count(data.villages.village_id.at.map((_, village) => phusong.statusOf(village, phusong.view)));
  document.querySelectorAll('[data-status]').forEach((row) => phusong.putCount(row, statuses.get(row.dataset.status)));
  phusong.putPeople();
  phusong.legend = phusong.putKind();
  document.querySelectorAll('[data-predicted]').forEach((row) => phusong.putCount(row, data.predicted[phusong.view][row.dataset.predicted]));
  document.querySelectorAll('[data-predicted] b').forEach((count) => { count.hidden = phusong.view === 0; });
  document.querySelectorAll('[data-choose]').forEach((hint) => { hint.hidden = phusong.view !== 0; });
  const dead = phusong.deadVillages();
  document.querySelectorAll('[data-area]').forEach((row) => phusong.putCount(row, dead[row.dataset.area].size));
  document.querySelector('[data-area="partial"]').hidden = phusong.view !== 0;
  document.getElementById('headline-count').replaceChildren(phusong.number(dead.gaps.size));
  document.getElementById('headline-more').replaceChildren(...phusong.moreGaps(dead.partial.size));
  document.getElementById('view-name').replaceChildren(phusong.viewName(phusong.view));
  phusong.listFirst();
  phusong.listChanges();
  if (!document.getElementById('twin').hidden) { phusong.drawTwin(); }
};

/* Beside the count of villages of a status: how many people live in them, as far as that is known. */
phusong.putPeople = function () {
  const people = new Map();
  phusong.data.villages.village_id.at.forEach((_, village) => {
    const status = phusong.statusOf(village, phusong.view);
    people.set(status, (people.get(status) || 0) + (phusong.cell(phusong.data.villages, 'population', village) || 0));
  });
  document.querySelectorAll('[data-status] small').forEach((place) => {
    place.replaceChildren(phusong.numbers(people.get(place.parentElement.dataset.status) || 0, 'người', 'people'));
  });
};

/* The classes of what the hexes tell, with how many there are of each. */
phusong.putKind = async function () {
  const kind = phusong.KINDS[phusong.chosen.kind];
  const box = document.getElementById('legend-kind');
  box.hidden = phusong.chosen.kind === 'none';
  document.getElementById('legend-hexes').replaceChildren(phusong.both('Ô lục giác: ', 'Hexes: '), phusong.both(kind.vi, kind.en));
  document.getElementById('kind-hint').replaceChildren();
  const layer = phusong.online ? phusong.hexLayer() : null;
  if (!phusong.online) { phusong.listClasses(phusong.fileClasses()); return; }
  if (layer === null) { return; }
  try {
    const answer = await phusong.ask('/map/classes.json', { layer, ...(layer.startsWith('change') ? { since: phusong.online.before } : {}) });
    if (layer === phusong.hexLayer()) { phusong.listClasses(answer ? answer.classes : []); }
  } catch (fault) { document.getElementById('kind-hint').replaceChildren(phusong.faultText(fault)); }
};

phusong.fileClasses = () => ['dead_zone', 'below_standard', 'covered', 'not_enough_evidence'].map((name) => {
  const [vi, en] = phusong.data.words[name];
  return { name, vi, en, colour: phusong.data.colours[name], hexes: phusong.data.hexes[phusong.view][name] || 0 };
});

phusong.listClasses = function (classes) {
  const rows = classes.map((one) => {
    const mark = phusong.element('i', 'swatch hex ' + one.name);
    mark.setAttribute('aria-hidden', 'true');
    if (one.pattern === 'plain' || !one.pattern) { mark.style.background = one.colour; }
    const row = phusong.element('li', '', mark, phusong.both(one.vi, one.en), phusong.element('b', '', phusong.number(one.hexes)));
    row.dataset.verdict = one.name;
    return row;
  });
  document.getElementById('kind-classes').replaceChildren(...rows);
  if (!rows.length) { document.getElementById('kind-hint').replaceChildren(phusong.both('Không có số đo nào thuộc loại này.', 'Nothing of this kind was measured.')); }
};

/* What is new since the assessment that this one is compared with, as far as the chosen network goes. */
phusong.listChanges = function () {
  const box = document.getElementById('changes');
  box.hidden = phusong.changes === null;
  if (phusong.changes === null) { return; }
  const mine = phusong.changes.villages.filter((one) => one.view === phusong.view);
  const parts = ['newly_lost', 'newly_covered', 'newly_measured', 'no_longer_known'].map((change) => {
    const rows = mine.filter((one) => one.change === change);
    const items = rows.slice(0, 30).map((one) => phusong.element('li', '', phusong.villageButton(one.i, phusong.view)));
    return rows.length ? phusong.element('div', '', phusong.element('h3', '', phusong.swatch(change), phusong.word(change), ' ', phusong.element('b', '', phusong.number(rows.length))), phusong.element('ol', '', ...items)) : null;
  }).filter((part) => part);
  document.getElementById('changes-found').replaceChildren(...(parts.length ? parts : [phusong.element('p', 'hint', phusong.both('Không thôn nào đổi trạng thái.', 'No village changed its status.'))]));
};

/* Beside villages that nobody serves: those that some operator leaves out. */
phusong.moreGaps = function (villages) {
  if (phusong.view !== 0 || villages === 0) { return []; }
  return [phusong.both(
    phusong.numberText(villages, 'vi-VN') + ' thôn có điện khác còn thiếu sóng của ít nhất một nhà mạng.',
    phusong.numberText(villages, 'en-GB') + ' more electrified villages lack the signal of at least one operator.')];
};

phusong.viewName = function (view) {
  return view === 0 ? phusong.word('all_operators') : phusong.element('span', '', phusong.data.views[view].name);
};

phusong.count = function (values) {
  const counts = new Map();
  values.forEach((value) => counts.set(value, (counts.get(value) || 0) + 1));
  return counts;
};

phusong.putCount = function (row, count) {
  row.querySelector('b').replaceChildren(phusong.number(count || 0));
};

/* Villages with a dead area in the chosen view, each once, in the first kind that fits. */
phusong.deadVillages = function () {
  const found = { gaps: new Set(), partial: new Set(), other: new Set() };
  phusong.deadFeatures.forEach((area) => {
    const kind = phusong.deadKind(area);
    if (kind !== null) { found[kind].add(area.i); }
  });
  found.gaps.forEach((village) => { found.partial.delete(village); found.other.delete(village); });
  found.partial.forEach((village) => found.other.delete(village));
  return found;
};

phusong.listFirst = function () {
  const verdicts = phusong.data.verdicts;
  const rows = verdicts.village.map((_, row) => row).filter((row) =>
    phusong.cell(verdicts, 'priority', row) !== null && (phusong.view === 0 || verdicts.view[row] === phusong.view));
  rows.sort((a, b) => phusong.cell(verdicts, 'priority', a) - phusong.cell(verdicts, 'priority', b));
  const items = rows.slice(0, 30).map((row) =>
    phusong.element('li', '', phusong.villageButton(verdicts.village[row], verdicts.view[row])));
  document.getElementById('first').replaceChildren(...items);
  document.getElementById('priorities').hidden = items.length === 0;
  document.getElementById('first-more').replaceChildren(...(rows.length > items.length ? [phusong.both(
    `${items.length} trong ${rows.length}: xem đủ trong bảng.`, `${items.length} of ${rows.length}: all of them are in the table.`)] : []));
  phusong.linkFiles();
};

/* The lists as files, of the assessment and the network that are shown. */
phusong.linkFiles = function () {
  if (!phusong.online) { return; }
  const words = new URLSearchParams({ snapshot: phusong.online.snapshot });
  if (phusong.view !== 0) { words.set('operator', phusong.data.views[phusong.view].code); }
  document.querySelectorAll('[data-list]').forEach((link) => { link.href = `/${link.dataset.list}?${words}`; });
};

/* A button that shows a village on the map: the way in for keyboards and screen readers. */
phusong.villageButton = function (village, view) {
  const of = (field) => phusong.cell(phusong.data.villages, field, village);
  const status = phusong.statusOf(village, view);
  const where = [of('commune_name'), view === 0 ? null : phusong.data.views[view].name].filter((part) => part);
  const button = phusong.element('button', 'go', phusong.swatch(status),
    phusong.element('span', '', phusong.element('span', 'name', of('village_name') || of('village_id')),
      phusong.element('small', '', where.join(' · '))));
  button.type = 'button';
  button.addEventListener('click', () => phusong.show(village, view));
  return button;
};

phusong.startSearch = function () {
  const found = [...phusong.searchableCommunes(), ...phusong.searchableVillages()];
  const query = document.getElementById('query');
  query.addEventListener('input', () => {
    const words = phusong.plain(query.value).split(/\s+/).filter((word) => word);
    const hits = words.length ? found.filter((one) => words.every((word) => one.text.includes(word))) : [];
    const items = hits.slice(0, 12).map((one) => phusong.element('li', '', one.button()));
    if (words.length && !hits.length) { items.push(phusong.element('li', 'hint', phusong.both('Không tìm thấy', 'Nothing found'))); }
    document.getElementById('found').replaceChildren(...items);
  });
};

phusong.searchableVillages = function () {
  const { villages } = phusong.data;
  return villages.village_id.at.map((_, village) => ({
    text: phusong.plain(['village_name', 'commune_name', 'village_id'].map((field) => phusong.cell(villages, field, village) || '').join(' ')),
    button: () => phusong.villageButton(village, phusong.view)
  }));
};

/* Communes by their present names and by those that they had before they were merged. */
phusong.searchableCommunes = function () {
  const { communes } = phusong.data;
  return communes.name.map((name, place) => ({
    text: phusong.plain([name, ...communes.former[place]].join(' ')), button: () => phusong.communeButton(place)
  }));
};

phusong.communeButton = function (place) {
  const { name, former } = phusong.data.communes;
  const before = former[place].length ? phusong.element('small', '', phusong.both('trước là ', 'formerly '), former[place].join(', ')) : null;
  const button = phusong.element('button', 'go', phusong.element('span', '', phusong.element('span', 'name', name[place]), before));
  button.type = 'button';
  button.addEventListener('click', () => phusong.showCommune(place));
  return button;
};

phusong.showCommune = function (place) {
  phusong.closePanelIfNarrow();
  phusong.showTwin(false);
  phusong.twin.commune = phusong.data.communes.name[place];
  phusong.layers.communes.eachLayer((layer) => {
    if (layer.feature.properties.i === place) { phusong.layers.map.fitBounds(layer.getBounds(), { padding: [20, 20], animate: false }); }
  });
};

phusong.writeProvenance = function () {
  const info = phusong.data.info;
  const asOf = phusong.element('strong', '', phusong.date(info.as_of));
  const whole = (...parts) => phusong.element('span', 'whole', ...parts);
  document.getElementById('stamp').replaceChildren(
    whole(phusong.both('Đánh giá đến ', 'As of '), asOf), whole(phusong.both('quy tắc ', 'criteria '), info.criteria), whole(phusong.both('bản ', 'assessment '), info.snapshot_id));
  const line = (vi, en, value) => phusong.element('p', '', phusong.both(vi + ': ', en + ': '), value);
  document.getElementById('provenance').replaceChildren(
    line('Số lần đo', 'Measurements', phusong.number(info.measurements)),
    line('“Tất cả nhà mạng” gồm', '“All operators” means', phusong.data.in_scope.join(', ') || '–'),
    line('Nguồn ranh giới xã', 'Source of commune borders', phusong.data.communes.sources.join('; ') || '–'));
};

phusong.startPanel = function () {
  const control = document.getElementById('panel-switch');
  const narrow = window.matchMedia('(max-width: 760px)');
  const set = (open) => {
    control.setAttribute('aria-expanded', String(open));
    document.getElementById('panel').classList.toggle('closed', !open);
  };
  control.addEventListener('click', () => set(control.getAttribute('aria-expanded') !== 'true'));
  phusong.closePanelIfNarrow = () => { if (narrow.matches) { set(false); } };
  phusong.closePanelIfNarrow();
};

phusong.startLanguage = function () {
  document.getElementById('language').addEventListener('click', () => phusong.setLanguage(document.documentElement.lang === 'vi' ? 'en' : 'vi'));
  document.getElementById('paper').addEventListener('toggle', phusong.relabel);
};

phusong.setLanguage = function (lang) {
  document.documentElement.lang = lang;
  phusong.relabel();
  phusong.keepState();
};
