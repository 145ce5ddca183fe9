/* Words in the page's language, and the only ways in which text and elements are made: no text is ever HTML. */

export const lang = document.documentElement.lang === 'en' ? 'en' : 'vi';
const WORDS = (await import(`./${lang}.js`)).default;
const LOCALE = { vi: 'vi-VN', en: 'en-GB' }[lang];

export function has(key) {
  return Object.hasOwn(WORDS, key);
}

/* The text of a key, {name} replaced by the value of that name; numbers as people here write them. */
export function say(key, values = {}) {
  return WORDS[key].replace(/\{(\w+)\}/g, (_, name) =>
    typeof values[name] === 'number' ? number(values[name]) : String(values[name]));
}

export function number(value, digits = 0) {
  return value.toLocaleString(LOCALE, { maximumFractionDigits: digits });
}

export function percent(share) {
  return share.toLocaleString(LOCALE, { style: 'percent', maximumFractionDigits: 0 });
}

export function bytes(count) {
  if (count < 1000) { return `${number(count)} B`; }
  if (count < 1e6) { return `${number(count / 1e3)} kB`; }
  return `${number(count / 1e6, 1)} MB`;
}

export function duration(seconds) {
  if (seconds < 60) { return say('seconds', { n: Math.max(1, Math.round(seconds)) }); }
  if (seconds < 3600) { return say('minutes', { n: Math.round(seconds / 60) }); }
  return say('hours', { n: Math.floor(seconds / 3600), m: Math.round(seconds % 3600 / 60) });
}

/* A time of the server, in the phone's own time zone. */
export function when(iso) {
  const two = '2-digit';
  return new Date(iso).toLocaleString(LOCALE, { day: two, month: two, year: 'numeric', hour: two, minute: two });
}

export function clock(date) {
  return date.toLocaleTimeString(LOCALE, { timeStyle: 'short' });
}

/* Fields of the form that sentences name as a program would say them. */
const FIELDS = new Set(['operator', 'technology', 'device', 'date', 'date_order', 'source', 'team', 'campaign', 'antenna']);

/* A sentence as a reader of this page can follow it: the form's own word in place of `operator=Viettel`, and of
   `--operator` in results of earlier versions that the phone has kept. */
function withFields(text) {
  const own = (option, name, after = '') => {
    const field = name.replaceAll('-', '_');
    return FIELDS.has(field) ? `“${say(field)}”${after}` : option;
  };
  return text
    .replace(/(?:trường|the field) ([a-z_]+)/g, (option, name) => own(option, name))
    .replace(/(^|[\s(])([a-z_]+)=(?=[^\s=])/g, (option, before, name) => before + own(option.slice(before.length), name, ' '))
    .replace(/--([a-z]+(?:-[a-z]+)*)/g, (option, name) => own(option, name));
}

/* The sentence of something that comes in both languages: a problem, a reason, what is missing. */
export function sentence(both) {
  const vi = both.detail || both.ly_do || both.vi || both.title || both.code;
  const en = both.detail_en || both.reason || both.en;
  return withFields(String((lang === 'en' && en) || vi || en || ''));
}

/* An element; `attributes` may hold class, on…-handlers, and anything setAttribute takes. Null children are left out. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => {
    if (name.startsWith('on')) { made.addEventListener(name.slice(2), value); }
    else if (value !== null && value !== false) { made.setAttribute(name, value === true ? '' : value); }
  });
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/* A button that cannot be pressed twice while it acts. */
export function button(key, act, attributes = {}) {
  return el('button', { type: 'button', ...attributes, onclick: async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    try { await act(pressed); } finally { pressed.disabled = false; }
  } }, say(key));
}
