/* The few ways to write text safely; the words for the codes come with the data (`words.py`).
   Every text reaches the page through textContent, in both languages; style shows one of them. */
'use strict';
var phusong = {};

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
  const found = Object.hasOwn(phusong.data.words, code) ? phusong.data.words[code] : [String(code), String(code)];
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

/* A choice of a list: it holds one text, so the language switch writes it anew (`relabel`). */
phusong.option = function (value, vi, en, chosen) {
  const made = new Option('', value, false, chosen);
  Object.assign(made.dataset, { vi, en });
  return made;
};

phusong.relabel = function () {
  const lang = document.documentElement.lang;
  document.querySelectorAll('option[data-vi]').forEach((option) => { option.textContent = option.dataset[lang]; });
  document.title = lang === 'vi' ? 'Phủ Sóng – bản đồ vùng lõm sóng' : 'Phủ Sóng – map of mobile coverage gaps';
};

/* A button with a text in both languages. */
phusong.button = function (vi, en, act) {
  const made = phusong.element('button', '', phusong.both(vi, en));
  made.type = 'button';
  made.addEventListener('click', act);
  return made;
};

phusong.numbers = (value, vi, en) => phusong.both(
  phusong.numberText(value, 'vi-VN') + ' ' + vi, phusong.numberText(value, 'en-GB') + ' ' + en);
