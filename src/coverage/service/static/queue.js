/* What this phone has to send and has sent, kept in IndexedDB so that closing the browser loses nothing.
   Bytes lie apart from what is known of their file: they are written once, the rest at every step. */

const NAME = 'phusong';
const FILES = 'files';
const BYTES = 'bytes';
const KEPT = 200; // finished files that are remembered; the newest

let opened = null;
const stored = new Map(); // id of a file → its bytes as they are in the database
const unstored = new Map(); // files that the browser has no room for: they last as long as the page

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => [FILES, BYTES].forEach((store) => request.result.createObjectStore(store));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/* The result of the last request that `act` makes, once all of them are safe. */
async function within(mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction([FILES, BYTES], mode, { durability: 'strict' });
    const request = act(transaction.objectStore(FILES), transaction.objectStore(BYTES));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

/* Every file, oldest first. */
export async function all() {
  const found = new Map();
  try {
    const items = await within('readonly', (files) => files.getAll());
    const ids = await within('readonly', (files, bytes) => bytes.getAllKeys());
    const blobs = await within('readonly', (files, bytes) => bytes.getAll());
    ids.forEach((id, at) => stored.set(id, blobs[at]));
    items.forEach((item) => found.set(item.id, { ...item, blob: stored.get(item.id) || null }));
  } catch { /* private mode: nothing is stored */ }
  unstored.forEach((item, id) => found.set(id, item));
  return [...found.values()].sort((a, b) => a.added - b.added);
}

/* Whether the file is kept even if the page is closed now; false where the browser has no room for it. */
export async function put(item) {
  const { blob, ...about } = item;
  const news = stored.get(item.id) !== blob;
  try {
    await within('readwrite', (files, bytes) => {
      if (blob === null) { bytes.delete(item.id); } else if (news) { bytes.put(blob, item.id); }
      return files.put(about, item.id);
    });
    if (blob === null) { stored.delete(item.id); } else { stored.set(item.id, blob); }
    unstored.delete(item.id);
    return true;
  } catch {
    unstored.set(item.id, item);
    await putWithout(about);
    return false;
  }
}

/* The file's name and address at least: chosen again after a reload, it goes on where it stopped. */
async function putWithout(about) {
  try { await within('readwrite', (files) => files.put(about, about.id)); } catch { /* not even that */ }
}

export async function remove(id) {
  unstored.delete(id);
  stored.delete(id);
  try {
    await within('readwrite', (files, bytes) => { bytes.delete(id); return files.delete(id); });
  } catch { /* it was never stored */ }
}

/* Forgets the oldest finished files beyond what is kept. */
export async function tidy(isFinished) {
  const finished = (await all()).filter(isFinished);
  await Promise.all(finished.slice(0, Math.max(0, finished.length - KEPT)).map((item) => remove(item.id)));
}
