/* A small client of tus 1.0: create, ask how far it is, send on from there until all is there. */

import { ask, isLater, Patience, problemIn, Refused, whyLater } from './link.js';

const CHUNK_BYTES = 1 << 20; // about ten seconds at 100 kB/s
const SMALLEST_BYTES = 1 << 15;
const STALLED_MS = 20000; // no byte moved for so long: the link is dead
const GONE = new Set([404, 410]);
const VERSION = { 'Tus-Resumable': '1.0.0' };

/* The phone cannot read the chosen file any more: it was moved, changed or never stored. */
export class Unreadable extends Error {}

/* Address of a new upload of `size` bytes. `key`: repeated until it is answered, it begins one upload only. */
export async function create(endpoint, size, metadata, key, waiting) {
  const answer = await ask(endpoint, {
    method: 'POST',
    headers: { ...VERSION, 'Upload-Length': String(size), 'Upload-Metadata': encoded(metadata), 'Idempotency-Key': key },
  }, waiting);
  return new URL(answer.headers.get('Location'), new URL(endpoint, location.href)).href;
}

/* Upload-Metadata: names, each with its text as base64 of UTF-8. */
export function encoded(metadata) {
  return Object.entries(metadata).map(([name, text]) => {
    const bytes = new TextEncoder().encode(String(text));
    return `${name} ${btoa(String.fromCharCode(...bytes))}`;
  }).join(',');
}

/* How many bytes the server holds, null where it knows no such upload any more. */
export async function offsetOf(url, waiting) {
  try {
    const answer = await ask(url, { method: 'HEAD', headers: VERSION }, waiting);
    return Number(answer.headers.get('Upload-Offset'));
  } catch (fault) {
    if (fault instanceof Refused && GONE.has(fault.status)) { return null; }
    throw fault;
  }
}

/* Sends until the server holds everything: true; false where the upload is gone and must be created anew.

   Chunks shrink while they do not come through and grow again afterwards. `onSent` hears the bytes that are
   there, `onWait` why nothing moves, null once it does. Throws `Refused`, `Unreadable`, what aborts `signal`. */
export async function send(url, blob, { signal, onWait, onSent }) {
  const patience = new Patience(onWait, signal);
  let chunkBytes = CHUNK_BYTES;
  let offset = await offsetOf(url, { signal, onWait });
  while (offset !== null && offset < blob.size) {
    onSent(offset);
    const answer = await patch(url, offset, await read(blob, offset, chunkBytes), { signal, onSent });
    if (answer.status === 204 || answer.status === 200) {
      patience.relax();
      chunkBytes = Math.min(CHUNK_BYTES, 2 * chunkBytes);
      offset = answer.offset;
      continue;
    }
    if (answer.status !== 0 && !isLater(answer.status) && answer.status !== 460 && !GONE.has(answer.status)) {
      throw new Refused(answer.status, problemIn(answer.text));
    }
    onSent(offset); // what the server has not confirmed does not count
    if (answer.status === 0) { chunkBytes = Math.max(SMALLEST_BYTES, chunkBytes / 2); }
    await patience.wait(whyLater(answer), answer.retryAfter);
    offset = await offsetOf(url, { signal, onWait });
  }
  if (offset !== null) { onSent(offset); }
  return offset !== null;
}

async function read(blob, offset, bytes) {
  try {
    return await blob.slice(offset, offset + bytes).arrayBuffer();
  } catch (fault) {
    throw new Unreadable(fault.message);
  }
}

/* One chunk; status 0 where the link died. XMLHttpRequest, because fetch does not say how much is sent. */
function patch(url, offset, bytes, { signal, onSent }) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    let stalled = 0;
    const moved = () => { clearTimeout(stalled); stalled = setTimeout(() => request.abort(), STALLED_MS); };
    const stop = () => request.abort();
    request.open('PATCH', url);
    Object.entries({ ...VERSION, 'Upload-Offset': offset, 'Content-Type': 'application/offset+octet-stream' })
      .forEach(([name, value]) => request.setRequestHeader(name, value));
    request.upload.onprogress = (event) => { moved(); onSent(offset + event.loaded); };
    request.onloadend = () => {
      clearTimeout(stalled);
      signal.removeEventListener('abort', stop);
      if (signal.aborted) { reject(signal.reason); return; }
      resolve({
        status: request.status,
        text: request.responseText,
        offset: Number(request.getResponseHeader('Upload-Offset')),
        retryAfter: Number(request.getResponseHeader('Retry-After')) || 0,
      });
    };
    signal.addEventListener('abort', stop);
    moved();
    request.send(bytes);
  });
}
