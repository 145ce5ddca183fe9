/* Where a file stands, from what the server said last and from what this page is doing about it. */

export const FINAL = new Set(['done', 'refused', 'failed', 'cancelled']);
const live = new Map();

/* What is known of a file's sending that need not be kept: offset, waiting, samples, fault of storage. */
export function liveOf(item) {
  if (!live.has(item.id)) {
    live.set(item.id, { offset: item.offset || 0, waiting: null, samples: [], stop: new AbortController(), wake: () => {} });
  }
  return live.get(item.id);
}

/* One word for where a file stands; the words are `phase_…` of the language files. */
export function phaseOf(item) {
  const { delivery } = item;
  if (item.dropped) { return 'cancelled'; }
  if (item.refusal) { return 'stopped'; }
  if (item.lost || (!delivery && !item.blob)) { return 'blobless'; }
  if (!delivery) { return liveOf(item).waiting ? 'waiting' : liveOf(item).started ? 'sending' : 'queued'; }
  if (item.wanted) { return 'confirming'; }
  if (isUnheeded(item)) { return isUnused(delivery) ? 'unused' : 'unheeded'; }
  if (delivery.same_as && delivery.state !== 'cancelled') { return FINAL.has(delivery.state) ? 'same' : 'line'; }
  if (delivery.state !== 'received') { return isUnused(delivery) ? 'unused' : delivery.state; }
  if (delivery.held) { return 'look'; }
  return delivery.stage ? 'reading' : 'line';
}

/* Received, and yet no row of it can be used: not to be told like a success. */
export function isUnused(delivery) {
  return delivery.state === 'done' && delivery.files.every((file) => file.accepted === 0);
}

/* Whether the sender may still say what the file is: nobody has, even where it was read by itself meanwhile. */
export function isOpen(item) {
  const { delivery } = item;
  const decided = item.wanted || item.unheeded || item.dropped || item.refusal || item.lost;
  return Boolean(delivery?.held) && !decided && (delivery.state === 'received' || delivery.state === 'done');
}

/* Read in without the sender's words: not to be told like a success. */
function isUnheeded(item) {
  return item.delivery.state === 'done' && Boolean(item.delivery.held || item.unheeded);
}

/* Whether the server has done with a file, well or not, and nothing is left to say of it. */
export function isFinished(item) {
  return Boolean(item.delivery) && FINAL.has(item.delivery.state) && !item.wanted && !isOpen(item);
}

/* Begins anew for a file whose sending was stopped. */
export function renew(item) {
  live.delete(item.id);
}

/* Whether there is nothing more to hear of a file. */
export function settled(item) {
  return isFinished(item) && (item.delivery.judged || item.delivery.state !== 'done');
}

/* Bytes per second over the last seconds; null before there is anything to go by. */
export function rateOf(item) {
  const { samples } = liveOf(item);
  if (samples.length < 2) { return null; }
  const [[from, first], [to, last]] = [samples[0], samples.at(-1)];
  return to - from < 500 || last <= first ? null : 1000 * (last - first) / (to - from);
}
