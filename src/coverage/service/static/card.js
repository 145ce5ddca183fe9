/* The card of one file: built once, its parts written anew only where they changed, so that focus stays put. */

import * as form from './form.js';
import { isOpen, isUnused, liveOf, phaseOf, rateOf } from './phases.js';
import * as preview from './preview.js';
import { receipt } from './receipt.js';
import * as result from './result.js';
import * as sender from './sender.js';
import { button, bytes, clock, duration, el, percent, say, sentence } from './words.js';

const UNDER_WAY = new Set(['queued', 'sending', 'waiting']);
const ENDED = new Set(['done', 'unheeded', 'same', 'unused', 'refused']);
const TAKEN_IN_AFTER_MS = 3600000; // as the server does it where nobody confirms
const PARTS = ['progress', 'notice', 'look', 'result', 'judged', 'receipt', 'actions'];

export function build(item) {
  const card = el('article', { class: 'card', 'data-id': item.id, 'aria-labelledby': `name-${item.id}` },
    el('header', {}, el('h3', { id: `name-${item.id}` }, item.name), el('span', { class: 'size' }, bytes(item.size)), el('span', { class: 'chip' })),
    ...PARTS.map((name) => el('div', { class: `part part-${name}` })));
  update(item, card);
  return card;
}

export function update(item, card) {
  const phase = phaseOf(item);
  card.dataset.phase = phase;
  card.dataset.shown = shownPhase(item);
  card.querySelector('.chip').textContent = say(`phase_${card.dataset.shown}`);
  progress(card, item, phase);
  put(card, 'notice', [phase, liveOf(item), item.lost, item.refusal, item.wanted, item.unheeded, isOpen(item), Boolean(item.blob), liveOf(item).said, item.reread, item.delivery?.stage, item.delivery?.share, item.delivery?.fault], () => notices(item, phase));
  look(card, item, phase);
  const { delivery } = item;
  put(card, 'result', ENDED.has(phase) && [delivery.files, delivery.refused, delivery.already_received_utc, item.unheeded, isOpen(item)], () => result.view(delivery, { resend: resendOf(item), onChange: () => sender.refresh(item) }));
  put(card, 'judged', ENDED.has(phase) && delivery.files.length > 0 && [delivery.judged, delivery.snapshot_id === null, isUnused(delivery), delivery.files.map((file) => file.reasons)], () => [result.judged(delivery)]);
  const told = delivery?.receipt && phase !== 'look' && phase !== 'confirming' && phase !== 'cancelled';
  put(card, 'receipt', told && [delivery.receipt, result.rowsOf(delivery)], () => [receipt(delivery, result.rowsOf(delivery))]);
  put(card, 'actions', [phase, Boolean(item.blob)], () => actions(item, phase));
}

/* What the card says: not every wait is for the network, and an unreadable file waits for nobody's look. */
export function shownPhase(item) {
  const { preview: found, waiting } = liveOf(item);
  const phase = phaseOf(item);
  if (phase === 'waiting' && waiting !== 'network') { return 'waiting_server'; }
  if (phase !== 'look' || !found) { return phase; }
  return !preview.isReadable(found) ? 'refused' : preview.hasRows(found) ? 'look' : 'unused';
}

/* Writes a part where what it hangs on has changed; `key` false leaves it empty. */
function put(card, name, key, children) {
  const part = card.querySelector(`:scope > .part-${name}`);
  const now = JSON.stringify(key);
  if (part.dataset.key === now) { return; }
  part.dataset.key = now;
  part.replaceChildren(...(key ? children().filter(Boolean) : []));
}

function progress(card, item, phase) {
  const shown = UNDER_WAY.has(phase);
  put(card, 'progress', shown && [shown], () => [
    el('progress', { max: Math.max(item.size, 1), 'aria-labelledby': `name-${item.id}` }), el('p', { class: 'speed' })]);
  if (!shown) { return; }
  const { offset } = liveOf(item);
  card.querySelector('progress').value = item.size === 0 ? 1 : offset;
  card.querySelector('.speed').textContent = speed(item, phase);
}

function speed(item, phase) {
  const rate = rateOf(item);
  const { offset } = liveOf(item);
  const parts = [`${percent(item.size ? offset / item.size : 0)}`, say('progress_of', { sent: bytes(offset), size: bytes(item.size) })];
  if (phase === 'sending' && rate) {
    parts.push(say('rate', { rate: bytes(rate) }), say('left', { time: duration((item.size - offset) / rate) }));
  }
  return parts.join(' · ');
}

function notices(item, phase) {
  const { waiting, fragile, said } = liveOf(item);
  const { delivery } = item;
  return [
    waiting && el('p', { class: 'waiting' }, say(`wait_${waiting}`)),
    fragile && UNDER_WAY.has(phase) && el('p', { class: 'warn' }, say('fragile', { file: item.name })),
    UNDER_WAY.has(phase) && item.wanted && el('p', { class: 'note' }, say('early_set')),
    phase === 'blobless' && el('p', { class: 'warn' }, say(item.lost || 'blobless')),
    phase === 'stopped' && el('div', { class: 'bad', role: 'alert' }, el('strong', {}, say('stopped_title')), el('p', {}, sentence(item.refusal) || `HTTP ${item.refusal.status}`)),
    phase !== 'confirming' && isOpen(item) && delivery.state === 'done' && el('p', { class: 'warn', role: 'alert' }, say('read_unasked')),
    ENDED.has(phase) && item.unheeded && el('div', { class: 'warn', role: 'alert' }, el('p', {}, say('unheeded')), result.completion(resendOf(item))),
    said && el('p', { class: 'bad', role: 'alert' }, sentence(said)),
    (phase === 'line' || phase === 'reading') && item.reread && el('p', { class: 'note' }, say('reading_again')),
    phase === 'line' && el('p', { class: 'note' }, say('in_line')),
    phase === 'reading' && el('p', { class: 'note' }, say('reading', { percent: percent(delivery.share || 0) })),
    phase === 'reading' && el('progress', { max: 1, value: delivery.share || 0, 'aria-labelledby': `name-${item.id}` }),
    (phase === 'line' || phase === 'reading') && delivery.fault && el('p', { class: 'note' }, say('try_again_later')),
    phase === 'failed' && el('div', { class: 'bad', role: 'alert' }, el('strong', {}, say('failed_title')), el('p', {}, sentence(delivery.fault || {}))),
  ];
}

/* The preview with what the form says now, and the button that takes the file in. */
function look(card, item, phase) {
  if (!isOpen(item)) { put(card, 'look', false); return; }
  const state = liveOf(item);
  const words = form.said();
  const asked = JSON.stringify(words);
  put(card, 'look', [phase, state.previewed || null, asked === state.asking], () => lookView(item, state, phase));
  if (state.asking === asked) { return; }
  state.asking = asked;
  loadPreview(item, words, asked);
}

async function loadPreview(item, words, asked) {
  const state = liveOf(item);
  const waiting = { signal: state.stop.signal, onWait: (why) => { state.waiting = why; sender.changed(item); } };
  try {
    const found = await preview.load(item, words, waiting);
    if (state.asking !== asked) { return; } // the form has changed since: another one is under way
    state.preview = found;
    state.previewed = (state.previewed || 0) + 1;
    sender.changed(item);
  } catch (fault) {
    if (!state.stop.signal.aborted) { throw fault; }
  }
}

function lookView(item, state, phase) {
  const code = phase === 'look' && el('p', { class: 'note' }, say('receipt_code_line'), ' ', el('b', { class: 'short-code' }, item.delivery.receipt));
  if (!state.previewed) { return [code, el('p', { class: 'note', role: 'status' }, say('preview_loading'))]; }
  return [
    code,
    el('h4', {}, say('preview_title')),
    ...(state.preview ? preview.view(state.preview) : [el('p', { class: 'note' }, say('preview_none'))]),
    ...(!state.preview || isWorthTaking(state.preview)
      ? [button(phase === 'look' ? 'confirm' : 'confirm_again', () => sender.confirm(item, form.said()), { class: 'main' }), confirmHint(item, phase)]
      : []),
  ];
}

function confirmHint(item, phase) {
  const until = new Date(Date.parse(item.delivery.received_utc) + TAKEN_IN_AFTER_MS);
  return el('p', { class: 'note' }, phase === 'look' ? say('confirm_hint', { time: clock(until) }) : say('confirm_again_hint'));
}

/* Nothing to accept stands in a file that is no measurements, or in a table that nobody has filled in. */
function isWorthTaking(found) {
  return preview.isReadable(found) && preview.hasRows(found);
}

/* Whether "accept all" may take this file along: looked at, and with rows that can be read. */
export function isLookedAt(item) {
  const { preview: found } = liveOf(item);
  return isOpen(item) && Boolean(found) && isWorthTaking(found);
}

/* What completes a file with what the form says now; where the server still has the bytes they are not sent again. */
function resendOf(item) {
  if (isOpen(item)) { return () => sender.confirm(item, form.said()); }
  return item.blob ? () => sender.resend(item, form.said()) : null;
}

function actions(item, phase) {
  const drop = () => { if (window.confirm(say('cancel_sure', { file: item.name }))) { return sender.cancel(item); } return null; };
  const early = UNDER_WAY.has(phase) && !item.wanted;
  return [
    early && button('early', () => sender.confirm(item, form.said()), { class: 'second' }),
    (phase === 'refused' || phase === 'failed') && button('retry', () => sender.retry(item, form.said()), { class: 'second' }),
    phase === 'stopped' && item.blob && button('again', () => sender.again(item), { class: 'second' }),
    (UNDER_WAY.has(phase) || phase === 'look' || phase === 'blobless') && button('cancel', drop, { class: 'quiet' }),
    (ENDED.has(phase) || phase === 'stopped' || phase === 'cancelled') && button('forget', () => sender.forget(item), { class: 'quiet' }),
  ];
}
