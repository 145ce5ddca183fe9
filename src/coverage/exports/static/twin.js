/* The map as a table: the same villages, for keyboards, screen readers and whoever prefers rows. */
'use strict';

phusong.COLUMNS = [
  { field: 'village_name', vi: 'Thôn', en: 'Village' }, { field: 'commune_name', vi: 'Xã', en: 'Commune' },
  { field: 'status', vi: 'Trạng thái', en: 'Status' }, { field: 'operator', vi: 'Nhà mạng kém nhất', en: 'Worst operator', all: true }, { field: 'grid_status', vi: 'Điện', en: 'Power' },
  { field: 'who_must_act', vi: 'Ai phải làm', en: 'Who must act' }, { field: 'population', vi: 'Số dân', en: 'People', number: true },
  { field: 'tests', vi: 'Lần thử', en: 'Tests', number: true }, { field: 'fails', vi: 'Không đạt', en: 'Failed', number: true },
  { field: 'last_test_utc', vi: 'Mới nhất', en: 'Newest', date: true }, { field: 'priority', vi: 'Ưu tiên', en: 'Priority', number: true }
];
phusong.twin = { commune: '', status: '', list: '', change: '', by: 'priority', down: false };

phusong.startTwin = function () {
  const control = document.getElementById('show-table');
  control.addEventListener('click', () => phusong.showTwin(document.getElementById('twin').hidden));
  document.getElementById('twin').addEventListener('keydown', (event) => { if (event.key === 'Escape') { phusong.showTwin(false); control.focus(); } });
};

phusong.showTwin = function (on) {
  const box = document.getElementById('twin');
  if (box.hidden !== on) { return; }
  box.hidden = !on;
  document.getElementById('show-table').setAttribute('aria-pressed', String(on));
  document.getElementById('plan-frame').inert = on;
  if (on) { phusong.drawTwin(); box.focus(); }
  phusong.keepState();
};

phusong.columns = () => phusong.COLUMNS.filter((column) => !column.all || phusong.view === 0);

/* One row per village: for all operators together the facts of the network that is worst off there. */
phusong.twinRows = function () {
  const { villages, verdicts } = phusong.data;
  return villages.village_id.at.map((_, village) => {
    const row = phusong.view === 0 ? phusong.worstRow(village) : phusong.verdictRow(village, phusong.view);
    const of = (field) => row === undefined ? null : phusong.cell(verdicts, field, row);
    const own = (field) => phusong.cell(villages, field, village);
    return { village, row, status: phusong.statusOf(village, phusong.view), village_name: own('village_name') || own('village_id'), commune_name: own('commune_name'),
      population: own('population'), operator: row === undefined ? null : phusong.data.views[verdicts.view[row]].name, grid_status: of('grid_status'), who_must_act: of('who_must_act'), tests: of('tests'), fails: of('fails'),
      last_test_utc: of('last_test_utc'), priority: of('priority'), list: of('list'), change: phusong.changed.get(village + '/' + phusong.view) || null };
  });
};

phusong.worstRow = function (village) {
  const rows = phusong.data.views.map((_, view) => phusong.verdictRow(village, view)).filter((row) => row !== undefined);
  const rank = (row) => phusong.cell(phusong.data.verdicts, 'priority', row) ?? Infinity;
  return rows.sort((a, b) => rank(a) - rank(b))[0];
};

phusong.drawTwin = function () {
  const all = phusong.twinRows();
  const box = document.getElementById('twin');
  const title = phusong.element('h2', '', phusong.both('Bảng thôn: ', 'Table of villages: '), phusong.viewName(phusong.view));
  title.id = 'twin-title';
  const close = phusong.button('Đóng bảng', 'Close the table', () => phusong.showTwin(false));
  const table = phusong.element('table', '', phusong.twinHead(), phusong.element('tbody', ''));
  const count = phusong.element('p', 'hint');
  count.setAttribute('role', 'status');
  const rolls = phusong.element('div', 'rolls', table);
  rolls.tabIndex = 0;
  rolls.setAttribute('role', 'region');
  rolls.setAttribute('aria-labelledby', 'twin-title');
  box.replaceChildren(phusong.element('header', '', title, close), phusong.twinFilters(all), count, rolls);
  phusong.fillTwin(all);
  phusong.relabel();
};

phusong.twinHead = function () {
  const cells = phusong.columns().map((column) => {
    const control = phusong.button(column.vi, column.en, () => phusong.sortTwin(column.field));
    const cell = phusong.element('th', column.number || column.date ? 'number' : '', control);
    cell.scope = 'col';
    cell.dataset.field = column.field;
    return cell;
  });
  return phusong.element('thead', '', phusong.element('tr', '', ...cells));
};

phusong.sortTwin = function (field) {
  const twin = phusong.twin;
  twin.down = twin.by === field ? !twin.down : false;
  twin.by = field;
  phusong.fillTwin(phusong.twinRows());
};

phusong.twinFilters = function (all) {
  const pick = (name, vi, en, values, word) => {
    const select = phusong.element('select', '');
    select.name = name;
    select.replaceChildren(phusong.option('', '– tất cả –', '– all –', true), ...values.map((value) => {
      const found = word && phusong.data.words[value];
      return phusong.option(value, found ? found[0] : value, found ? found[1] : value, value === phusong.twin[name]);
    }));
    select.addEventListener('change', () => { phusong.twin[name] = select.value; phusong.fillTwin(phusong.twinRows()); });
    return phusong.element('label', '', phusong.both(vi, en), select);
  };
  const distinct = (field) => [...new Set(all.map((row) => row[field]).filter((value) => value))].sort((a, b) => a.localeCompare(b, 'vi'));
  const filters = [pick('commune', 'Xã', 'Commune', distinct('commune_name')), pick('status', 'Trạng thái', 'Status', phusong.data.statuses, true), pick('list', 'Danh sách', 'List', distinct('list'), true)];
  if (phusong.changes) { filters.push(pick('change', 'Thay đổi', 'Change', distinct('change'), true)); }
  return phusong.element('div', 'filters', ...filters);
};

phusong.fillTwin = function (all) {
  const twin = phusong.twin;
  const rows = all.filter((row) => (!twin.commune || row.commune_name === twin.commune) && (!twin.status || row.status === twin.status)
    && (!twin.list || row.list === twin.list) && (!twin.change || row.change === twin.change));
  rows.sort((a, b) => phusong.compared(a[twin.by], b[twin.by], twin.down));
  document.querySelectorAll('#twin th[data-field]').forEach((cell) => {
    if (cell.dataset.field === twin.by) { cell.setAttribute('aria-sort', twin.down ? 'descending' : 'ascending'); } else { cell.removeAttribute('aria-sort'); }
  });
  document.querySelector('#twin tbody').replaceChildren(...rows.map(phusong.twinRow));
  document.querySelector('#twin > .hint').replaceChildren(phusong.numbers(rows.length, 'thôn', 'villages'));
};

/* What is not known stands last, whichever way the rows go. */
phusong.compared = function (a, b, down) {
  if (a === null || b === null) { return (a === null) - (b === null); }
  const order = typeof a === 'number' ? a - b : String(a).localeCompare(String(b), 'vi', { numeric: true });
  return down ? -order : order;
};

phusong.twinRow = function (row) {
  const name = phusong.element('button', 'go', row.village_name);
  name.type = 'button';
  name.setAttribute('aria-expanded', 'false');
  const line = phusong.element('tr', '', ...phusong.columns().map((column, place) => place === 0
    ? phusong.element('th', '', name) : phusong.element('td', column.number || column.date ? 'number' : '', phusong.twinCell(row, column))));
  line.firstChild.scope = 'row';
  name.addEventListener('click', () => phusong.unfold(row, line, name));
  return line;
};

phusong.twinCell = function (row, column) {
  const value = row[column.field];
  if (value === null || value === undefined) { return '–'; }
  if (column.field === 'status') { return phusong.element('span', 'mark', phusong.swatch(value), phusong.word(value)); }
  if (column.date) { return phusong.date(value); }
  if (column.number) { return phusong.number(value); }
  return ['commune_name', 'operator'].includes(column.field) ? value : phusong.word(value === 'verify_power' ? 'verify_power_action' : value);
};

/* The same story that a click on the map tells, under the row. */
phusong.unfold = function (row, line, control) {
  const open = control.getAttribute('aria-expanded') === 'true';
  control.setAttribute('aria-expanded', String(!open));
  if (open) { line.nextSibling.remove(); return; }
  const story = phusong.popup(row.village, phusong.view);
  const cell = phusong.element('td', 'story', story, phusong.button('Xem trên bản đồ', 'Show on the map', () => phusong.show(row.village, phusong.view)));
  cell.colSpan = phusong.columns().length;
  if (phusong.online) { story.append(phusong.homes(row.village), phusong.hexTable(row.village)); }
  line.after(phusong.element('tr', 'unfolded', cell));
};

/* Every measured hex of a village as rows: what clicks on them would tell. */
phusong.hexTable = function (village) {
  const box = phusong.element('section', '');
  const id = phusong.cell(phusong.data.villages, 'village_id', village);
  return phusong.later(box, phusong.ask('/v1/villages/' + encodeURIComponent(id) + '/hexes'), (answer) => {
    const head = phusong.element('tr', '', ...[['Ô', 'Hex'], ['Nhà mạng', 'Operator'], ['Kết luận', 'Verdict'], ['Lần thử', 'Tests'], ['Không đạt', 'Failed'], ['Máy', 'Devices'], ['Mới nhất', 'Newest']]
      .map(([vi, en]) => phusong.element('th', '', phusong.both(vi, en))));
    const names = new Map(phusong.data.views.map((view) => [view.code, view.name]));
    const rows = answer.hexes.flatMap((hex) => hex.operators.map((one) => phusong.element('tr', '', phusong.element('td', '', phusong.element('code', '', hex.hex)),
      phusong.element('td', '', names.get(one.operator) || one.operator), phusong.element('td', '', phusong.word(one.verdict)), ...[one.tests, one.fails, one.devices].map((count) => phusong.element('td', 'number', phusong.number(count))),
      phusong.element('td', '', one.last_test_utc ? phusong.date(one.last_test_utc.slice(0, 10)) : '–'))));
    const table = phusong.element('table', 'homes', phusong.element('thead', '', head), phusong.element('tbody', '', ...rows));
    return [phusong.element('details', 'operator', phusong.element('summary', '', phusong.element('span', 'name', phusong.both('Từng ô đã đo', 'Each measured hex')), phusong.number(answer.hexes.length)), table)];
  });
};
