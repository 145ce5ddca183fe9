/* A village's popup: who serves it, on what evidence, who must act. Built from elements only.
   `first`: the view whose operator stands first. */
'use strict';

phusong.popup = function (village, first) {
  const data = phusong.data;
  const of = (field) => phusong.cell(data.villages, field, village);
  const box = phusong.element('article', 'village');
  box.append(phusong.element('h3', '', of('village_name') || of('village_id')), phusong.villageLine(of));
  const rows = data.views.map((view, index) => index).filter((index) => index > 0);
  rows.sort((a, b) => (b === first) - (a === first));
  rows.forEach((view, place) => box.append(phusong.operatorDetails(village, view, place === 0)));
  return box;
};

phusong.villageLine = function (of) {
  const parts = [of('commune_name')];
  const counts = [['households', 'hộ', 'households'], ['population', 'người', 'people']];
  counts.forEach(([field, vi, en]) => {
    if (of(field) !== null) {
      parts.push(phusong.both(phusong.numberText(of(field), 'vi-VN') + ' ' + vi, phusong.numberText(of(field), 'en-GB') + ' ' + en));
    }
  });
  if (String(of('especially_difficult')) === 'true') {
    parts.push(phusong.both('thôn đặc biệt khó khăn', 'especially difficult village'));
  }
  return phusong.joined(parts, 'where');
};

/* The parts that are known, with a dot between them. */
phusong.joined = function (parts, className, tag) {
  const line = phusong.element(tag || 'p', className);
  parts.filter((part) => part !== null).forEach((part, place) => {
    if (place) { line.append(' · '); }
    line.append(part);
  });
  return line;
};

phusong.operatorDetails = function (village, view, open) {
  const status = phusong.statusOf(village, view);
  const summary = phusong.element('summary', '', phusong.swatch(status),
    phusong.element('span', 'name', phusong.data.views[view].name), phusong.statusWord(village, view, status));
  const details = phusong.element('details', 'operator', summary);
  details.open = open;
  const row = phusong.verdictRow(village, view);
  if (row !== undefined) { details.append(...phusong.facts(row)); }
  return details;
};

/* Weak service was measured enough: its word is not "not enough evidence". */
phusong.statusWord = function (village, view, status) {
  const row = phusong.verdictRow(village, view);
  const weak = row !== undefined && phusong.cell(phusong.data.verdicts, 'sub_reason', row) === 'weak_service';
  return phusong.word(weak ? 'weak_service' : status);
};

phusong.facts = function (row) {
  const of = (field) => phusong.cell(phusong.data.verdicts, field, row);
  const facts = phusong.element('dl', '');
  const add = (vi, en, value) => {
    if (value) { facts.append(phusong.element('dt', '', phusong.both(vi, en)), phusong.element('dd', '', value)); }
  };
  add('Ai phải làm', 'Who must act', of('who_must_act') && phusong.action(of));
  add('Người chịu ảnh hưởng', 'People affected', of('not_spot') && phusong.affected(of));
  add('Điện', 'Power', phusong.power(of));
  add('Bằng chứng', 'Evidence', phusong.evidence(of));
  add('Điều gì làm thay đổi', 'What would change it', phusong.both(of('what_would_change'), of('what_would_change_en')));
  add('Ngưỡng khác', 'Other thresholds', of('tests') ? phusong.thresholds(of) : null);
  add('Dịch vụ', 'Services', of('tests') ? phusong.services(of) : null);
  add('Các mạng khác', 'Other networks', of('not_spot') && phusong.word(of('not_spot')));
  add('Trạm gần nhất', 'Nearest site', of('site_id') && phusong.site(of));
  add('Trạm dự kiến', 'Planned site', of('planned_site_id') && phusong.plannedSite(of));
  add('Bản đồ công bố', 'Declared coverage', of('claimed') !== null && phusong.claim(of));
  return [phusong.element('p', 'reason', phusong.both(of('reason') || '', of('reason_en') || '')), facts];
};

phusong.action = function (of) {
  const code = of('who_must_act') === 'verify_power' ? 'verify_power_action' : of('who_must_act');
  const parts = [phusong.word(code), of('list') && phusong.word(of('list'))];
  if (of('priority') !== null) {
    parts.push(phusong.both('ưu tiên ' + of('priority'), 'priority ' + of('priority')));
  }
  return phusong.joined(parts, '');
};

phusong.power = function (of) {
  const date = of('power_as_of') && phusong.date(of('power_as_of'));
  const says = of('power_conflict') && phusong.both('nguồn khác: ' + of('power_conflict'), 'others say: ' + of('power_conflict'));
  return phusong.joined([phusong.word(of('grid_status')), of('power_source') && phusong.word(of('power_source')), date, says], '');
};

phusong.affected = function (of) {
  if (of('dead_share') === null) { return phusong.both('chưa rõ', 'not known'); }
  const count = (locale, vi, en) => phusong.numberText(of(vi), locale) + ' ' + en;
  const parts = [['population_affected', 'người', 'people'], ['households_affected', 'hộ', 'households']]
    .filter(([field]) => of(field) !== null)
    .map(([field, vi, en]) => phusong.both(count('vi-VN', field, vi), count('en-GB', field, en)));
  return phusong.joined([...parts, phusong.word('people_' + of('people_method'))], '');
};

phusong.kilometres = function (value) {
  const text = (locale) => phusong.numberText(value, locale, 1) + ' km';
  return phusong.both(text('vi-VN'), text('en-GB'));
};

phusong.site = function (of) {
  const blocked = of('site_terrain_blocks');
  const path = blocked === null ? null : blocked === 'true' || blocked === true
    ? phusong.both('bị địa hình chắn', 'terrain blocks the path') : phusong.both('tầm nhìn thoáng', 'clear path');
  return phusong.joined([of('site_id'), phusong.kilometres(of('site_distance_km')), path], '');
};

phusong.plannedSite = function (of) {
  const date = of('planned_on_air') && phusong.date(of('planned_on_air'));
  return phusong.joined([of('planned_site_id'), phusong.kilometres(of('planned_site_distance_km')), date], '');
};

phusong.claim = function (of) {
  return String(of('claimed')) === 'true'
    ? phusong.both('nhà mạng công bố có phủ sóng ở đây', 'the operator declares service here')
    : phusong.both('nhà mạng không công bố phủ sóng ở đây', 'the operator declares no service here');
};

phusong.evidence = function (of) {
  if (!of('tests')) { return phusong.both('Chưa có lần thử nào', 'No tests yet'); }
  const vi = [of('tests') + ' lần thử', of('fails') + ' không đạt', of('devices') + ' máy', of('occasions') + ' dịp'];
  const en = [of('tests') + ' tests', of('fails') + ' failed', of('devices') + ' devices', of('occasions') + ' occasions'];
  const parts = [phusong.both(vi.join(' · '), en.join(' · '))];
  if (of('median_rsrp_dbm') !== null) {
    const level = (locale) => phusong.numberText(of('median_rsrp_dbm'), locale, 1).replace('-', '−') + ' dBm';
    parts.push(phusong.both('trung vị ' + level('vi-VN'), 'median ' + level('en-GB')));
  }
  if (of('evidence_mix')) { parts.push(phusong.both('hạng ' + of('evidence_mix'), 'grades ' + of('evidence_mix'))); }
  if (of('fcc_grade') === true) { parts.push(phusong.both('đạt ngưỡng khiếu nại của FCC', 'meets the FCC\'s thresholds')); }
  if (of('last_test_utc')) {
    parts.push(phusong.element('span', '', phusong.both('đo từ ', 'tested from '), phusong.date(of('first_test_utc')), phusong.both(' đến ', ' to '), phusong.date(of('last_test_utc'))));
  }
  if (of('sub_reason')) { parts.push(phusong.word(of('sub_reason'))); }
  return phusong.joined(parts, '');
};

phusong.services = function (of) {
  const at = (vi, en, field) => phusong.element('span', '', phusong.both(vi, en), ': ', phusong.word(of(field)));
  return phusong.joined([at('gọi thoại', 'voice', 'status_voice'), at('dữ liệu tốt', 'good data', 'status_data_good')], '');
};

phusong.thresholds = function (of) {
  const at = (label, field) => phusong.element('span', '', label + ' dBm: ', phusong.word(of(field)));
  return phusong.joined([at('−105', 'status_at_105'), at('−121', 'status_at_121')], '');
};
