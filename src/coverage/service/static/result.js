/* What became of a file: its rows in words, the rows to look at, and the way back. */

import { ask, askJson, Refused } from './link.js';
import { isUnused } from './phases.js';
import { refusal } from './preview.js';
import { firstRejects } from './rejects.js';
import * as form from './form.js';
import { button, el, has, number, say, sentence, when } from './words.js';

const LOOKED_AT = 300; // rows of rejects.csv: enough to name the first lines of each kind
const SHOWN = 10;

export function rowsOf(delivery) {
  const ended = delivery.state === 'done' || delivery.state === 'refused';
  return ended ? delivery.files.reduce((sum, file) => sum + file.rows, 0) : null;
}

/* `resend`: what the button does that completes a file with what the form says, null where the bytes are gone. */
export function view(delivery, { resend, onChange }) {
  return [
    el('h4', {}, say('result_title')),
    delivery.same_as && el('p', { class: 'good' }, say('result_same', { time: when(delivery.already_received_utc) })),
    ...delivery.files.map((file) => fileView(file, { resend, onChange, named: delivery.files.length > 1 })),
    ...delivery.refused.map(refusal),
  ].filter(Boolean);
}

/* Whether the map counts it yet; of what brought no row it is told that nothing counts, and why. */
export function judged(delivery) {
  if (isUnused(delivery)) { return el('p', { class: 'warn judged' }, say('uncounted'), ' ', whyNone(delivery)); }
  if (delivery.judged) {
    return el('p', { class: 'good judged' }, say('judged'), ' ', el('a', { href: '/' }, say('judged_link')));
  }
  return el('p', { class: 'note judged' }, say(delivery.snapshot_id ? 'not_judged' : 'not_judged_no_places'));
}

/* The reason that costs most rows. */
function whyNone(delivery) {
  const kinds = delivery.files.flatMap((file) => file.reasons).sort((one, other) => other.rows - one.rows);
  return kinds.length > 0 ? cure(kinds[0].code, kinds[0]) : `${say('no_rows')} ${say('no_rows_hint')}`;
}

/* The cure of this page where it has one, else the sentence of the server. */
function cure(code, told) {
  return has(`cure_${code}`) ? say(`cure_${code}`) : sentence(told);
}

function fileView(file, { resend, onChange, named }) {
  const short = file.rejected + file.quarantined + file.duplicates === 0;
  const box = el('section', { class: 'inside', 'data-upload': file.upload_id },
    named && el('h4', {}, file.file),
    el('p', { class: 'words' }, say(file.rows === 0 ? 'no_rows' : short ? 'result_all' : 'result_words', file)),
    has(`result_effect_${file.effect}`) && el('p', { class: 'note' }, say(`result_effect_${file.effect}`)),
    fixes(file),
    badRows(file, resend),
    el('div', { class: 'standing' }));
  stand(box.querySelector('.standing'), file, onChange);
  return box;
}

function fixes(file) {
  if (!file.fixed) { return null; }
  const lines = file.fixes.map((one) => el('li', {}, `${number(one.rows)} × ${sentence(one)}${one.column ? ` (${one.column})` : ''}`));
  return el('details', {}, el('summary', {}, say('fixed', { n: file.fixed })), el('ul', {}, ...lines));
}

function badRows(file, resend) {
  const all = file.rejected + file.quarantined + file.duplicates;
  if (all === 0) { return null; }
  const list = el('ol', { class: 'bad-rows' });
  const show = (rows) => list.replaceChildren(...file.reasons.map((kind) => badKind(kind, rows.filter((row) => row.code === kind.code))));
  show([]); // the first row of each kind, until the list itself is here
  firstRejects(file.upload_id, LOOKED_AT).then(show).catch(() => {});
  const curable = file.reasons.some((kind) => has(`cure_${kind.code}`));
  return el('details', { class: 'bad-list', open: file.rejected + file.quarantined > 0 }, el('summary', {}, say('bad_title')), list,
    el('p', {}, el('a', { href: `/v1/uploads/${file.upload_id}/rejects.csv`, download: '' }, say('rejects'))),
    curable && completion(resend));
}

/* One kind of fault: in which lines, what stands there, and the cure of this page, else the sentence of the server. */
function badKind(kind, rows) {
  const first = rows[0] || kind;
  const lines = [...new Set((rows.length ? rows : [kind]).map((row) => String(row.line)))].slice(0, SHOWN);
  const more = kind.rows > lines.length ? say('bad_of', { n: kind.rows }) : '';
  const where = first.column ? say('bad_cell', { column: first.column, value: first.value || say('bad_empty') }) : say('bad_whole_row');
  return el('li', { class: kind.outcome }, el('b', {}, say('bad_line', { line: lines.join(', ') }), more), ` · ${where} · ${say(`outcome_${kind.outcome}`)}`,
    el('p', {}, cure(kind.code, first)));
}

/* The way to complete a file: a button, or choosing it again where the phone has its bytes no more. */
export function completion(resend) {
  if (resend === null) { return el('p', { class: 'note' }, say('resend_choose')); }
  return el('div', {}, el('p', { class: 'note' }, say('resend_hint')), button('resend', resend, { class: 'second' }));
}

/* Whether the upload counts as it stands now, with the button that changes that. */
async function stand(box, file, onChange, words = null) {
  let upload;
  try {
    upload = await askJson(`/v1/uploads/${encodeURIComponent(file.upload_id)}`);
  } catch (fault) {
    box.replaceChildren(el('p', { class: 'note' }, say('act_refused', { why: whyNot(fault) })));
    return;
  }
  const act = async (method, path, values) => {
    try {
      await ask(`/v1/uploads/${encodeURIComponent(file.upload_id)}${path}?${new URLSearchParams({ ...values, by: form.said().by || '' })}`, { method });
      await stand(box, file, onChange, path === '' ? null : say('restored'));
      onChange();
    } catch (fault) {
      box.append(el('p', { class: 'bad', role: 'alert' }, say('act_refused', { why: whyNot(fault) })));
    }
  };
  box.dataset.state = upload.state;
  const card = box.closest('.card');
  card?.classList.toggle('withdrawn', [...card.querySelectorAll('.standing')].every((one) => one.dataset.state === 'withdrawn'));
  if (upload.state === 'withdrawn') {
    const reason = upload.events.findLast((event) => event.action === 'withdrawn')?.reason || '';
    box.replaceChildren(el('p', { class: 'bad', role: 'status' }, say('withdrawn', { reason })),
      button('restore', () => act('POST', '/restore', {}), { class: 'second' }));
    return;
  }
  const withdraw = button('withdraw', async () => {
    const reason = await askReason(file.file);
    if (reason) { await act('DELETE', '', { reason }); }
  }, { class: 'quiet' });
  box.replaceChildren(...(words ? [el('p', { class: 'good', role: 'status' }, words)] : []), withdraw);
}

function whyNot(fault) {
  if (!(fault instanceof Refused)) { throw fault; }
  return sentence(fault.problem) || `HTTP ${fault.status}`;
}

/* The reason that was given in the dialog; null where it was closed without one. */
function askReason(file) {
  const dialog = document.getElementById('withdraw');
  const text = dialog.querySelector('textarea');
  dialog.querySelector('h2').textContent = say('withdraw_title', { file });
  text.value = '';
  text.oninput = () => text.setCustomValidity(text.value.trim() ? '' : say('withdraw_needs_reason'));
  text.oninput();
  dialog.returnValue = '';
  dialog.showModal();
  text.focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'go' && text.value.trim() ? text.value.trim() : null);
    }, { once: true });
  });
}
