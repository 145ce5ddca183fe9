/* What this phone has to send and has sent, kept in IndexedDB so that closing the browser loses nothing. */

const NAME = 'phusong';
const STORE = 'files';
const KEPT = 200; // finished files that are remembered; the newest

let opened = null;
const unstored = new Map(); // files that the browser has no room for: they last as long as the page

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function within(mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode, { durability: 'strict' });
    const request = act(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

/* Every file, oldest first. */
export async function all() {
  let stored = [];
  try { stored = await within('readonly', (store) => store.getAll()); } catch { /* private mode: none is stored */ }
  const known = new Map(stored.map((item) => [item.id, item]));
  unstored.forEach((item, id) => known.set(id, item));
  return [...known.values()].sort((a, b) => a.added - b.added);
}

/* Whether the file is kept even if the page is closed now; false where the browser has no room for it. */
export async function put(item) {
  try {
    await within('readwrite', (store) => store.put(item));
    unstored.delete(item.id);
    return true;
  } catch {
    unstored.set(item.id, item);
    return await putWithout(item);
  }
}

/* The file's name and address at least: chosen again after a reload, it goes on where it stopped. */
async function putWithout(item) {
  try { await within('readwrite', (store) => store.put({ ...item, blob: null })); } catch { /* not even that */ }
  return false;
}

export async function remove(id) {
  unstored.delete(id);
  try { await within('readwrite', (store) => store.delete(id)); } catch { /* it was never stored */ }
}

/* Forgets the oldest finished files beyond what is kept. */
export async function tidy(isFinished) {
  const finished = (await all()).filter(isFinished);
  await Promise.all(finished.slice(0, Math.max(0, finished.length - KEPT)).map((item) => remove(item.id)));
}
