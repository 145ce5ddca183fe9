/* Hears how a delivery goes on: told by the server where it can, asked for where it cannot. */

import { askJson, pause } from './link.js';
import { FINAL } from './phases.js';

const TOLD_AT_ONCE = 2; // a browser opens six connections to a host; the sending needs some
const ASK_MS = 2000;
const SILENT_MS = 40000; // the server says it is alive every 15 s

let told = 0;

/* Resolves once the delivery has ended; `onDelivery` hears every change. Throws as `ask` does. */
export async function watch(url, onDelivery, waiting) {
  while (!await listened(url, onDelivery, waiting.signal)) {
    await pause(ASK_MS, waiting.signal);
    const delivery = await askJson(url, {}, waiting);
    await onDelivery(delivery);
    if (FINAL.has(delivery.state)) { return; }
  }
}

/* True once the end was told; false where the link broke, said nothing, or too many listen already. */
async function listened(url, onDelivery, signal) {
  if (told >= TOLD_AT_ONCE) { return false; }
  told += 1;
  const source = new EventSource(`${url}/events`);
  try {
    return await new Promise((resolve) => {
      let silence = setTimeout(() => resolve(false), SILENT_MS);
      source.onerror = () => resolve(false);
      signal.addEventListener('abort', () => resolve(false));
      source.addEventListener('delivery', async (event) => {
        clearTimeout(silence);
        silence = setTimeout(() => resolve(false), SILENT_MS);
        const delivery = JSON.parse(event.data);
        await onDelivery(delivery);
        if (FINAL.has(delivery.state)) { resolve(true); }
      });
    });
  } finally {
    source.close();
    told -= 1;
  }
}
