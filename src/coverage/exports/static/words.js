/* The words people read for the codes of the tables, and the few ways to write text safely.
   Every text reaches the page through textContent, in both languages; style shows one of them. */
'use strict';
var phusong = {};

phusong.words = {
  trang_song: ['Trắng sóng', 'Dead at the centre'],
  lom_song: ['Lõm sóng', 'Dead in a settled part'],
  phu_song: ['Phủ sóng', 'Served'],
  chua_du_bang_chung: ['Chưa đủ bằng chứng', 'Not enough evidence'],
  chua_co_du_lieu: ['Chưa đo', 'Not measured'],
  gaps: ['Danh sách vùng lõm phải xử lý', 'Gap list'],
  no_power: ['Danh sách chưa có điện lưới', 'List of villages without grid power'],
  verify_power: ['Danh sách cần xác minh điện', 'List of villages whose power must be verified'],
  need_measurement: ['Danh sách cần đo thêm', 'List of villages to measure'],
  operator: ['Nhà mạng', 'The operator'],
  operator_with_public_fund: ['Nhà mạng, với Quỹ dịch vụ viễn thông công ích', 'The operator, with the public telecom fund'],
  power_utility: ['Ngành điện trước', 'The power utility first'],
  verify_power_action: ['Xã xác minh tình trạng điện', 'The commune verifies the power supply'],
  measure: ['Đội đo kiểm', 'The survey team'],
  national_grid: ['Có điện lưới quốc gia', 'On the national grid'],
  off_grid: ['Điện tại chỗ, ngoài lưới', 'Off-grid power'],
  none: ['Chưa có điện', 'No electricity'],
  unknown: ['Chưa rõ', 'Not known'],
  total: ['Mọi nhà mạng đều không có sóng', 'No operator serves it'],
  partial: ['Có nhà mạng khác phủ sóng', 'Another operator serves it'],
  undetermined: ['Chưa đo đủ các nhà mạng', 'Not every operator was measured'],
  thin: ['còn ít lần đo', 'too few tests'],
  mixed: ['kết quả lẫn lộn', 'mixed results'],
  single_device: ['mới một máy đo', 'one device only'],
  single_occasion: ['mới một dịp đo', 'one occasion only'],
  suspected_outage: ['nghi mất sóng tạm thời', 'a temporary outage is suspected'],
  weak_service: ['sóng yếu', 'weak service'],
  all_operators: ['Tất cả nhà mạng', 'All operators'],
  villages: ['Thôn', 'Villages'],
  dead: ['Vùng mất sóng', 'Dead areas'],
  communes: ['Ranh giới xã', 'Commune borders'],
  hexes: ['Ô lục giác đã đo', 'Measured hexes']
};

/* An element with a class and children: elements, or texts that become text nodes. */
phusong.element = function (tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) { made.className = className; }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};

/* Two spans, Vietnamese and English, of which the page shows one. */
phusong.both = function (vi, en) {
  return phusong.element('span', '', ...[['vi', vi], ['en', en]].map(([lang, text]) => {
    const span = phusong.element('span', lang, text);
    span.lang = lang;
    return span;
  }));
};

phusong.word = function (code) {
  const found = Object.hasOwn(phusong.words, code) ? phusong.words[code] : [String(code), String(code)];
  return phusong.both(found[0], found[1]);
};

phusong.number = function (value, digits) {
  const format = (locale) => value.toLocaleString(locale, { maximumFractionDigits: digits || 0 });
  return phusong.both(format('vi-VN'), format('en-GB'));
};

phusong.numberText = function (value, locale, digits) {
  return value.toLocaleString(locale, { maximumFractionDigits: digits || 0 });
};

/* 2026-09-20 as people here write it: 20/09/2026; ISO in English. */
phusong.date = function (iso) {
  return phusong.both(iso.split('-').reverse().join('/'), iso);
};

phusong.swatch = function (code) {
  const mark = phusong.element('i', 'swatch ' + code);
  mark.setAttribute('aria-hidden', 'true');
  return mark;
};

/* Lower case without accents, for searching: "Đắk" becomes "dak". */
phusong.plain = function (text) {
  return text.toLowerCase().normalize('NFD').replace(/[\u0300-\u036f]/g, '').replace(/đ/g, 'd');
};

/* One cell of a column: a number, true, false, a text, or null where missing. */
phusong.cell = function (table, field, row) {
  const column = table[field];
  if (Array.isArray(column)) { return column[row]; }
  const place = column.at[row];
  return place < 0 ? null : column.words[place];
};
