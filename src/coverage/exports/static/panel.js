/* The panel beside the map: counts for the chosen operator, search, what to fix first, provenance. */
'use strict';

phusong.updatePanel = function () {
  const data = phusong.data;
  const statuses = phusong.count(data.villages.village_id.at.map((_, village) => phusong.statusOf(village, phusong.view)));
  document.querySelectorAll('[data-status]').forEach((row) => phusong.putCount(row, statuses.get(row.dataset.status)));
  document.querySelectorAll('[data-verdict]').forEach((row) => phusong.putCount(row, data.hexes[phusong.view][row.dataset.verdict]));
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
  const villages = phusong.data.villages;
  const texts = villages.village_id.at.map((_, village) => phusong.plain(
    ['village_name', 'commune_name', 'village_id'].map((field) => phusong.cell(villages, field, village) || '').join(' ')));
  const query = document.getElementById('query');
  query.addEventListener('input', () => {
    const words = phusong.plain(query.value).split(/\s+/).filter((word) => word);
    const hits = words.length ? texts.map((_, village) => village).filter((v) => words.every((word) => texts[v].includes(word))) : [];
    const items = hits.slice(0, 8).map((village) => phusong.element('li', '', phusong.villageButton(village, phusong.view)));
    if (words.length && !hits.length) { items.push(phusong.element('li', 'hint', phusong.both('Không tìm thấy', 'Nothing found'))); }
    document.getElementById('found').replaceChildren(...items);
  });
};

phusong.writeProvenance = function () {
  const info = phusong.data.info;
  const asOf = phusong.element('strong', '', phusong.date(info.as_of));
  const whole = (...parts) => phusong.element('span', 'whole', ...parts);
  document.getElementById('stamp').replaceChildren(
    whole(phusong.both('Đánh giá đến ', 'As of '), asOf), whole(info.criteria), whole(info.snapshot_id));
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
  const language = document.getElementById('language');
  language.addEventListener('click', () => {
    document.documentElement.lang = document.documentElement.lang === 'vi' ? 'en' : 'vi';
  });
};
