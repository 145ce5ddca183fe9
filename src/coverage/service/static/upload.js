/* The page of a field team: files in, cards out. */

import * as card from './card.js';
import * as form from './form.js';
import { lookUp } from './lookup.js';
import { isFinished, liveOf, phaseOf, rateOf } from './phases.js';
import * as sender from './sender.js';
import { button, bytes, duration, el, percent, say, when } from './words.js';

const cards = new Map(); // id of a file → its card
const changed = new Set();
const phases = new Map(); // as they were announced
const by = (id) => document.getElementById(id);

/* Draws once per frame what has changed since; a file that is gone leaves the page. */
function onChange(item) {
  if (changed.size === 0) { requestAnimationFrame(draw); }
  changed.add(item);
}

function draw() {
  const now = [...changed];
  changed.clear();
  now.forEach((item) => (sender.items.has(item.id) && !item.dropped ? show(item) : hide(item)));
  by('files-none').hidden = by('cards').childElementCount > 0;
  by('sent').hidden = by('sent-list').childElementCount === 0;
  by('sent-title').textContent = say('sent_title', { n: by('sent-list').childElementCount });
  by('choose-word').textContent = say(by('cards').childElementCount > 0 ? 'choose_more' : 'choose');
  confirmAll();
  bar();
}

function show(item) {
  const known = cards.get(item.id);
  if (known) { card.update(item, known); announce(item); return; }
  const made = card.build(item);
  cards.set(item.id, made);
  phases.set(item.id, card.shownPhase(item));
  if (isFinished(item) && !item.unheeded) { by('sent-list').prepend(sentEntry(item, made)); } else { by('cards').prepend(el('li', {}, made)); }
}

/* What was finished before the page was opened: one line, the card inside, asked for anew when it is opened. */
function sentEntry(item, made) {
  const line = [item.name, when(item.delivery.received_utc || item.delivery.created_utc), item.delivery.receipt].filter(Boolean).join(' · ');
  const entry = el('details', { ontoggle: () => { if (entry.open && sender.items.has(item.id)) { sender.refresh(item); } } },
    el('summary', {}, el('span', {}, line)), made);
  return el('li', {}, entry);
}

function hide(item) {
  cards.get(item.id)?.closest('li').remove();
  cards.delete(item.id);
}

/* Screen readers hear each step of a file, not each byte. */
function announce(item) {
  const phase = card.shownPhase(item);
  if (phases.get(item.id) === phase) { return; }
  phases.set(item.id, phase);
  by('spoken').textContent = say('announce', { file: item.name, phase: say(`phase_${phase}`) });
}

function confirmAll() {
  const ready = [...sender.items.values()].filter(card.isLookedAt);
  const place = by('confirm-all');
  if (place.dataset.n === String(ready.length)) { return; }
  place.dataset.n = String(ready.length);
  place.replaceChildren();
  if (ready.length < 2) { return; }
  const all = button('confirm_all', () => Promise.all(
    [...sender.items.values()].filter(card.isLookedAt).map((item) => sender.confirm(item, form.said()))), { class: 'main' });
  all.textContent = say('confirm_all', { n: ready.length });
  place.append(all);
}

/* The line at the bottom: everything that is being sent, together. */
function bar() {
  const under = [...sender.items.values()].filter((item) => ['queued', 'sending', 'waiting'].includes(phaseOf(item)));
  const looks = [...sender.items.values()].filter((item) => card.shownPhase(item) === 'look').length;
  by('bar').hidden = under.length === 0 && looks === 0;
  by('bar-progress').hidden = under.length === 0;
  if (under.length === 0) { by('bar-text').textContent = looks ? say('bar_look', { n: looks }) : ''; return; }
  const size = under.reduce((sum, item) => sum + item.size, 0);
  const sent = under.reduce((sum, item) => sum + liveOf(item).offset, 0);
  const rate = under.reduce((sum, item) => sum + (rateOf(item) || 0), 0);
  const waiting = under.map((item) => liveOf(item).waiting).find(Boolean);
  by('bar-progress').max = Math.max(size, 1);
  by('bar-progress').value = sent;
  const whole = say('bar_percent', { percent: percent(size ? sent / size : 1), n: under.length });
  const pace = waiting ? say(waiting === 'network' ? 'phase_waiting' : 'phase_waiting_server')
    : rate ? `${say('rate', { rate: bytes(rate) })} · ${say('left', { time: duration((size - sent) / rate) })}` : '';
  by('bar-text').textContent = [whole, pace].filter(Boolean).join(' · ');
}

async function take(files) {
  for (const file of files) {
    if (await sender.add(file, form.saidOfCrew()) === null) { by('spoken').textContent = say('chosen_again', { file: file.name }); }
  }
  navigator.storage?.persist?.();
}

function listen() {
  const chooser = by('chooser');
  chooser.addEventListener('change', async () => {
    const files = [...chooser.files];
    await take(files);
    chooser.value = ''; // the same file may be chosen again
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  by('withdraw-not').addEventListener('click', () => by('withdraw').close());
  by('lookup-form').addEventListener('submit', (event) => { event.preventDefault(); lookUp(by('code').value); });
}

/* A fault of ours is told, never swallowed: the files are in the queue. */
function tellFaults() {
  const told = (what) => { by('fault').textContent = say('fault', { what }); by('fault').hidden = false; };
  window.addEventListener('error', (event) => told(event.message));
  window.addEventListener('unhandledrejection', (event) => told(String(event.reason?.message || event.reason)));
}

/* Two pages that send the same queue would cut each other off: one sends, the next waits for its end. */
async function alone() {
  if (!navigator.locks) { return; }
  await new Promise((taken) => {
    navigator.locks.request('phusong-send', { ifAvailable: true }, (lock) => {
      if (lock) { taken(); return new Promise(() => {}); }
      by('elsewhere').hidden = false;
      by('starting').hidden = true;
      by('page').inert = true;
      navigator.locks.request('phusong-send', () => { taken(); return new Promise(() => {}); });
      return null;
    });
  });
  by('elsewhere').hidden = true;
  by('page').inert = false;
}

/* So that the page opens without a link the next time; browsers that cannot keep it open it with one. */
function keepPage() {
  navigator.serviceWorker?.register('/upload-worker.js', { scope: '/upload' }).catch(() => {});
}

tellFaults();
form.start(() => sender.items.forEach(onChange));
await alone();
listen();
await sender.start(onChange);
keepPage();
by('starting').hidden = true;
document.documentElement.dataset.ready = 'true';
