/* The receipt that a crew photographs, prints or sends on: the server holds this file. */

import { button, el, number, say, when } from './words.js';

/* `delivery` as the server tells it; `rows` null while they are being read. */
export function receipt(delivery, rows) {
  const text = say('receipt_text', { code: delivery.receipt, file: delivery.file, time: when(delivery.received_utc) });
  const facts = [
    ['receipt_file', delivery.file], ['receipt_rows', rows === null ? say('receipt_rows_reading') : number(rows)],
    ['receipt_time', when(delivery.received_utc)], ['receipt_team', delivery.context.team], ['receipt_by', delivery.by],
  ].filter(([, value]) => value);
  const card = el('section', { class: 'receipt' },
    el('h4', {}, say('receipt_title')),
    el('p', { class: 'code' }, delivery.receipt),
    el('dl', {}, ...facts.map(([key, value]) => [el('dt', {}, say(key)), el('dd', {}, value)])),
    el('p', { class: 'photo' }, say('receipt_photo')),
    el('p', { class: 'actions' }, button('print', () => print(card)), shareButton(text)));
  return card;
}

/* Only the receipt is printed: style hides the rest while it is marked. */
function print(card) {
  card.classList.add('printing');
  document.body.classList.add('printing');
  window.addEventListener('afterprint', () => {
    card.classList.remove('printing');
    document.body.classList.remove('printing');
  }, { once: true });
  window.print();
}

/* Shares by the phone's own means; copies where there are none; nothing on pages without https. */
function shareButton(text) {
  if (navigator.share) {
    return button('share', () => navigator.share({ title: 'Phủ Sóng', text }).catch((fault) => {
      if (fault.name !== 'AbortError') { throw fault; }
    }));
  }
  if (!navigator.clipboard) { return null; }
  return button('copy', async (pressed) => {
    await navigator.clipboard.writeText(text);
    pressed.textContent = say('copied');
  });
}
