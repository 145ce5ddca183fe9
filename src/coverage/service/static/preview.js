/* What the server makes of a file before it counts: format, columns, first rows, places, and what is missing. */

import { askJson, Refused } from './link.js';
import * as form from './form.js';
import { pointMap } from './points.js';
import { button, el, has, number, percent, say, sentence, when } from './words.js';

const COUNTS = ['accepted', 'duplicates', 'rejected', 'quarantined'];

/* The preview with what the form says now; null where the file is not waiting to be looked at any more. */
export async function load(item, words, waiting) {
  const query = new URLSearchParams(words);
  query.delete('by');
  try {
    return await askJson(`${item.delivery.url}/preview?${query}`, {}, { ...waiting, conflictIsFinal: true });
  } catch (fault) {
    if (fault instanceof Refused && [404, 409, 410].includes(fault.status)) { return null; }
    if (fault instanceof Refused) { return { files: [], refused: [fault.problem], more: false }; }
    throw fault;
  }
}

/* Whether there is anything in the file that can be taken in. */
export function isReadable(preview) {
  return preview.files.length > 0;
}

/* Whether any row stands in it, well or not: a table that nobody has filled in has none. */
export function hasRows(preview) {
  return preview.more || preview.files.some((file) => !isEmpty(file));
}

function isEmpty(file) {
  return file.whole && file.looked_at_rows === 0;
}

export function view(preview) {
  return [
    ...preview.refused.map(refusal),
    ...(isReadable(preview) ? [] : [el('p', {}, el('strong', {}, say('preview_what_to_do')), ': ', say('preview_refused_hint'))]),
    ...preview.files.map((file) => fileView(file, preview, preview.files.length > 1)),
    preview.more && el('p', { class: 'note' }, say('preview_more')),
  ].filter(Boolean);
}

export function refusal(problem) {
  return el('div', { class: 'bad', role: 'note' },
    el('strong', {}, say('preview_refused')), ...shortened(sentence(problem)));
}

/* What matters first; a long list of what could be read is folded away. */
function shortened(text) {
  const parts = text.replace(/\.\s+/g, '.\n').split('\n');
  const rest = parts.slice(2).join(' ');
  return [el('p', {}, parts.slice(0, 2).join(' ')), rest && el('details', {}, el('summary', {}, say('in_full')), el('p', {}, rest))].filter(Boolean);
}

/* Of several files inside only the first is unfolded: a phone is small. */
function fileView(file, preview, named) {
  if (!named) { return el('section', { class: 'inside' }, ...facts(file, preview)); }
  const line = el('summary', {}, el('span', {}, file.file.split('/').at(-1), ' · ', el('b', {}, number(file.counts.accepted)), ` ${say('count_accepted')}`));
  return el('details', { class: 'inside', open: file === preview.files[0] }, line, ...facts(file, preview));
}

function facts(file, preview) {
  if (isEmpty(file)) {
    const told = el('p', { class: 'warn', role: 'note' }, el('strong', {}, say('no_rows')), ' ', say('no_rows_hint'));
    return [el('p', {}, `${say('format')}: `, el('strong', {}, formatText(file.format))), told, columns(file)];
  }
  return [
    file.known && el('p', { class: 'note' }, knownText(file.known)),
    el('p', {}, `${say('format')}: `, el('strong', {}, formatText(file.format))),
    counts(file),
    missing(file),
    pointMap(file.points, file.bounds, preview.outlines || {}),
    rowsTable(file),
    columns(file),
  ].filter(Boolean);
}

function knownText(known) {
  const key = known.state === 'withdrawn' ? 'known_withdrawn' : 'known';
  return say(key, { time: when(known.received_utc), accepted: known.accepted });
}

function formatText(format) {
  const title = document.documentElement.lang === 'en' ? format.title_en : format.title_vi;
  return say('format_sure', { title, percent: percent(format.confidence) });
}

function counts(file) {
  const rows = COUNTS.filter((name) => name === 'accepted' || file.counts[name] > 0);
  const boxes = [...rows, ...(file.counts.no_service > 0 ? ['no_service'] : [])].map((name) =>
    el('li', { class: `count ${name}` }, el('b', {}, number(file.counts[name])), ' ', say(`count_${name}`)));
  return el('div', {}, el('p', {}, say(file.whole ? 'looked_whole' : 'looked_part', { rows: file.looked_at_rows })), el('ul', { class: 'counts' }, ...boxes));
}

/* What the file does not say, what comes of leaving it open, and the way to the field that cures it. */
function missing(file) {
  const lacking = [...(isSourceSaid(file) ? [] : [{ field: 'source' }]), ...file.missing];
  if (lacking.length === 0) { return null; }
  const items = lacking.map((one) => {
    const name = fieldName(one.field);
    const text = missingText(one, name);
    const fill = form.fields().includes(one.field)
      && button('missing_fill', () => form.show(one.field), { class: 'small' });
    if (fill) { fill.textContent = say('missing_fill', { field: name }); }
    return el('li', {}, text, ' ', fill);
  });
  return el('div', { class: 'warn' }, el('strong', {}, say('missing_title')), el('ul', {}, ...items));
}

/* A drive test is never assumed: unsaid, the rows weigh as those of residents. */
function isSourceSaid(file) {
  return file.context.source === 'drive_test' || Boolean(form.said().source);
}

function missingText({ field, rows }, name) {
  if (field === 'source') { return say('missing_source'); }
  return field === 'device' ? say('missing_device') : say('missing_rows', { what: capital(name), n: rows });
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/* Our fields in words; those without a word keep their name, which says its unit. */
export function fieldName(field) {
  return has(`field_${field}`) ? say(`field_${field}`) : field;
}

function rowsTable(file) {
  const heads = ['line', 'time', 'operator', 'technology', 'level', 'service', 'lat', 'lon', 'outcome'];
  const head = el('tr', {}, ...heads.map((name) => el('th', { scope: 'col' }, say(`row_${name}`))));
  const title = say('rows_title', { n: file.rows.length });
  return el('details', { class: 'rows' }, el('summary', {}, title),
    el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': title },
      el('table', {}, el('thead', {}, head), el('tbody', {}, ...file.rows.map(rowView)))));
}

function rowView(row) {
  const taken = row.outcome === 'accepted';
  const cells = taken
    ? [when(row.time_utc), row.operator_name || row.operator, row.technology || '',
      row.level_dbm === null ? '' : number(row.level_dbm, 1).replace('-', '−'), say(`service_${row.service_state}`),
      row.lat.toFixed(5), row.lon.toFixed(5), say('outcome_accepted')]
    : [];
  if (taken) { return el('tr', {}, ...[row.line, ...cells].map((text) => el('td', {}, String(text)))); }
  return el('tr', { class: row.outcome }, el('td', {}, String(row.line)),
    el('td', { colspan: 7 }, el('span', {}, sentence(row))), el('td', {}, say(`outcome_${row.outcome}`)));
}

function columns(file) {
  const lines = file.columns.map(({ field, theirs }) => el('li', {}, say('columns_line', { theirs, field: fieldName(field) })));
  return el('details', {}, el('summary', {}, `${say('columns')} (${number(file.columns.length)})`),
    el('ul', { class: 'columns' }, ...lines),
    file.dropped.length > 0 && el('p', { class: 'note' }, say('dropped', { columns: file.dropped.join(', ') })));
}
