/* A receipt code → what became of its file, from any phone. */

import { askJson, Refused } from './link.js';
import { isUnused } from './phases.js';
import { receipt } from './receipt.js';
import * as result from './result.js';
import { el, say, sentence } from './words.js';

const place = document.getElementById('lookup-found');

export async function lookUp(text) {
  const code = text.trim();
  if (!code) { return; }
  const waiting = { onWait: (why) => tell(why ? say(`wait_${why}`) : say('lookup_looking', { code })) };
  tell(say('lookup_looking', { code }));
  try {
    const { deliveries } = await askJson(`/v1/receipts/${encodeURIComponent(code)}`, {}, waiting);
    tell(say('lookup_found', { code: deliveries[0].receipt }), deliveries.map((delivery) => found(delivery, () => lookUp(text))));
  } catch (fault) {
    if (!(fault instanceof Refused)) { throw fault; }
    tell(fault.status === 404 ? say('lookup_none', { code }) : sentence(fault.problem));
  }
}

function tell(words, cards = []) {
  place.replaceChildren(el('p', { role: 'status' }, words), ...cards);
}

function found(delivery, onChange) {
  return el('article', { class: 'card found' },
    el('header', {}, el('h3', {}, delivery.file), el('span', { class: 'chip' }, say(`phase_${phaseOf(delivery)}`))),
    ...result.view(delivery, { resend: null, onChange }),
    delivery.files.length > 0 && result.judged(delivery),
    delivery.receipt && delivery.received_utc && receipt(delivery, result.rowsOf(delivery)));
}

function phaseOf(delivery) {
  if (delivery.state === 'receiving') { return 'sending'; }
  if (delivery.state !== 'received') { return isUnused(delivery) ? 'unused' : delivery.state; }
  if (delivery.held) { return 'look'; }
  return delivery.stage ? 'reading' : 'line';
}
