/* Each file's way: sent as held, looked at, confirmed, read, counted. What must survive a reload is written to
   the queue before it is acted on. */

import { ask, askJson, pause, Refused } from './link.js';
import { FINAL, isFinished, isOpen, liveOf, phaseOf, renew, settled } from './phases.js';
import * as queue from './queue.js';
import * as tus from './tus.js';
import { watch } from './watch.js';

const AT_ONCE = 2; // two, so that one big file does not keep a small one waiting
const HELD_LOOK_MS = 60000; // how often a file that nobody confirms is asked about: it is taken in after an hour
const RATE_WINDOW_MS = 8000;

export const items = new Map();
let sending = 0;
let tell = () => {};

/* Draws a file anew. */
export function changed(item) {
  tell(item);
}

/* Asks what became of a file now. */
export async function refresh(item) {
  try {
    await heard(item, await askJson(deliveryUrl(item)));
    follow(item);
  } catch (fault) {
    if (!(fault instanceof Refused)) { throw fault; }
    item.lost = 'gone';
    tell(item);
  }
}

/* Takes up what the queue holds. `onChange` hears each file that changed. */
export async function start(onChange) {
  tell = onChange;
  await queue.tidy(isFinished);
  (await queue.all()).forEach((item) => items.set(item.id, item));
  items.forEach((item) => {
    tell(item);
    if (item.dropped) { drop(item); } else if (item.delivery && !settled(item)) { follow(item); }
  });
  pump();
}

/* A file that was chosen: a new item, or the bytes of one that the browser could not keep; null where it is being sent. */
export async function add(file, said) {
  const alike = [...items.values()].find((item) => item.name === file.name && item.size === file.size
    && item.modified === file.lastModified && !isFinished(item) && !item.refusal && !item.dropped);
  if (alike && phaseOf(alike) !== 'blobless') { return null; }
  const item = alike || {
    id: randomId(), name: file.name, size: file.size, modified: file.lastModified, added: Date.now(),
    key: randomId(), url: null, offset: 0, said, wanted: null, agreed: null, delivery: null, refusal: null,
  };
  Object.assign(item, { blob: file, lost: null });
  items.set(item.id, item);
  liveOf(item).fragile = !(await queue.put(item));
  tell(item);
  pump();
  return item;
}

/* Bytes of chance as hexadecimal digits; unlike randomUUID it is there without https too. */
function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/* Starts files that wait for their turn, oldest first, as long as fewer than two are under way. */
function pump() {
  const next = [...items.values()].find((item) => phaseOf(item) === 'queued');
  if (!next || sending >= AT_ONCE) { return; }
  sending += 1;
  liveOf(next).started = true;
  sendOne(next).catch((fault) => stopped(next, fault)).finally(() => {
    sending -= 1;
    liveOf(next).started = false;
    tell(next);
    pump();
  });
  pump();
}

async function sendOne(item) {
  const state = liveOf(item);
  const waiting = { signal: state.stop.signal, onWait: (why) => { state.waiting = why; tell(item); } };
  tell(item);
  for (;;) {
    if (item.url === null) {
      const metadata = { filename: item.name, hold: 'true', ...item.said };
      item.url = await tus.create('/v1/tus', item.size, metadata, item.key, waiting);
      await queue.put(item);
    }
    if (await tus.send(item.url, item.blob, { ...waiting, onSent: (offset) => sent(item, offset) })) { break; }
    await anew(item);
  }
  await heard(item, await askJson(deliveryUrl(item), {}, waiting));
  state.fresh = true;
  follow(item);
}

function deliveryUrl(item) {
  return `/v1/deliveries/${new URL(item.url, location.href).pathname.split('/').pop()}`;
}

/* The server has forgotten the sending: the same bytes are sent once more, under another key. */
async function anew(item) {
  Object.assign(item, { url: null, key: randomId(), offset: 0, delivery: null, refusal: null, unheeded: false, reread: false });
  await queue.put(item);
}

function sent(item, offset) {
  const state = liveOf(item);
  const now = performance.now();
  state.offset = offset;
  state.waiting = null;
  state.samples = [...state.samples.filter(([at]) => now - at < RATE_WINDOW_MS), [now, offset]];
  tell(item);
}

async function stopped(item, fault) {
  if (liveOf(item).stop.signal.aborted) { return; }
  if (fault instanceof tus.Unreadable) { item.lost = 'unreadable'; }
  else if (fault instanceof Refused) { item.refusal = { status: fault.status, ...fault.problem }; }
  else { throw fault; }
  await queue.put(item);
  tell(item);
}

/* Follows a whole file until it is read in and counted on the map. */
async function follow(item) {
  const state = liveOf(item);
  if (state.followed) { return; }
  state.followed = true;
  try {
    await followed(item, { signal: state.stop.signal, onWait: (why) => { state.waiting = why; tell(item); } });
  } catch (fault) {
    if (fault instanceof Refused && [404, 410].includes(fault.status)) { await forgotten(item); }
    else { await stopped(item, fault); }
  } finally {
    Object.assign(state, { followed: false, fresh: false });
  }
}

async function followed(item, waiting) {
  for (let asked = item.delivery !== null && liveOf(item).fresh; ; asked = false) {
    if (!asked) { await heard(item, await askJson(deliveryUrl(item), {}, waiting)); }
    const { delivery } = item;
    if (item.wanted) {
      await confirmNow(item, waiting); // whatever became of the file meanwhile
    } else if (isOpen(item)) {
      await woken(item, FINAL.has(delivery.state) && !delivery.judged ? judgedPause(item) : HELD_LOOK_MS);
    } else if (!FINAL.has(delivery.state)) {
      await watch(deliveryUrl(item), (found) => heard(item, found), waiting);
    } else if (settled(item)) {
      return;
    } else {
      await pause(judgedPause(item), waiting.signal);
    }
  }
}

/* Counting on the map takes from seconds to minutes, and a withdrawn file never counts: asked often at first only. */
function judgedPause(item) {
  const state = liveOf(item);
  state.asked = (state.asked || 0) + 1;
  return Math.min(120000, 1500 * 1.3 ** state.asked);
}

async function heard(item, delivery) {
  item.delivery = delivery;
  if (delivery.state === 'cancelled') { Object.assign(item, { blob: null, wanted: null }); }
  if (delivery.state === 'done' && isFinished(item) && !mayBeResent(item)) { item.blob = null; }
  await queue.put(item);
  tell(item);
}

/* Whether something was left out that the sender may want to complete: the bytes stay on the phone for that. */
function mayBeResent({ delivery, unheeded }) {
  return unheeded || !delivery.files || delivery.files.some((file) => file.quarantined > 0) || delivery.refused.length > 0;
}

function woken(item, milliseconds) {
  const state = liveOf(item);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    state.wake = () => { clearTimeout(timer); resolve(); };
  });
}

/* Tells the server that the sender agrees. A file that it has read by itself meanwhile is read anew with these words. */
async function confirmNow(item, waiting) {
  const words = item.wanted;
  try {
    item.delivery = await askJson(`${deliveryUrl(item)}/confirm`, json(words), { ...waiting, conflictIsFinal: true });
    Object.assign(item, { wanted: null, agreed: words, reread: item.delivery.files.length > 0 });
  } catch (fault) {
    if (!(fault instanceof Refused) || [404, 410].includes(fault.status)) { throw fault; }
    item.wanted = null;
    if (fault.status === 409) { item.unheeded = true; } // read with other words: the sender must hear of it
    else { liveOf(item).said = fault.problem; } // what was said cannot be: the form is mended and sent once more
  }
  await queue.put(item);
  tell(item);
}

function json(words) {
  return { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(words) };
}

/* The server lost the delivery: sent again from what the phone still holds. */
async function forgotten(item) {
  if (!item.blob) { item.lost = 'gone'; }
  item.wanted ||= item.agreed;
  await anew(item);
  tell(item);
  pump();
}

/* The sender agrees, with what the form says; kept first, so that it holds through a reload and a dead link. */
export async function confirm(item, words) {
  item.wanted = words;
  liveOf(item).said = null;
  await queue.put(item);
  tell(item);
  liveOf(item).wake();
  if (item.delivery) { follow(item); }
}

/* Reads a refused or failed file once more, with what the form says now. */
export async function retry(item, words) {
  if (item.delivery.held) { await confirm(item, words); return; } // read by itself: these are its sender's first words
  try {
    await heard(item, await askJson(`${deliveryUrl(item)}/retry`, json(words), { conflictIsFinal: true }));
  } catch (fault) {
    if (!(fault instanceof Refused) || fault.status !== 409 || !item.blob) { throw fault; }
    item.wanted = words;
    await anew(item); // the server has dropped its bytes by now
    pump();
    return;
  }
  follow(item);
}

/* Sends the bytes of a read file once more, with what it lacked: it replaces the former reading. */
export async function resend(item, words) {
  item.wanted = words;
  await again(item);
}

/* Sends a refused-at-the-door file again, from the beginning. */
export async function again(item) {
  await anew(item);
  tell(item);
  pump();
}

/* Drops a file that has not been read in, here and on the server; kept in mind until the server knows. */
export async function cancel(item) {
  const state = liveOf(item);
  state.stop.abort(new DOMException('dropped', 'AbortError'));
  Object.assign(item, { dropped: true, blob: null });
  await queue.put(item);
  tell(item);
  await drop(item);
}

async function drop(item) {
  if (item.url === null) { await forget(item); return; }
  try {
    await ask(deliveryUrl(item), { method: 'DELETE' }, { conflictIsFinal: true });
  } catch (fault) {
    if (!(fault instanceof Refused)) { throw fault; }
    if (fault.status === 409) { await undropped(item); return; }
  }
  await forget(item);
}

/* Too late to drop: it has been read in, and stands in the list so that it can be withdrawn. */
async function undropped(item) {
  item.dropped = false;
  renew(item);
  await heard(item, await askJson(deliveryUrl(item)));
  follow(item);
}

export async function forget(item) {
  liveOf(item).stop.abort(new DOMException('forgotten', 'AbortError'));
  items.delete(item.id);
  await queue.remove(item.id);
  tell(item);
}
