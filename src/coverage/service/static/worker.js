/* Lets the page open where there is no link at all: files are chosen in the field and go once there is signal.
   Only the page and its own files are kept; what is asked of the server goes past this worker. */

const CACHE = 'phusong-DIGEST'; // as the server has it; another one is another version of the page
const FILES = ['FILES'];
const PAGE = '/upload';
const PATIENCE_MS = 6000; // longer than any link that is worth waiting for

self.addEventListener('install', (event) => event.waitUntil(keep().then(() => self.skipWaiting())));

self.addEventListener('activate', (event) => event.waitUntil(
  caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
    .then(() => self.clients.claim())));

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) { return; }
  if (url.pathname === PAGE) { event.respondWith(page(event.request, url)); }
  else if (url.pathname.startsWith('/static-upload/')) {
    event.respondWith(caches.match(event.request).then((found) => found || fetch(event.request)));
  }
});

/* A login in place of the page is not kept: without the page there is nothing to open. */
async function keep() {
  const cache = await caches.open(CACHE);
  const pages = ['?lang=vi', '?lang=en'].map((query) => new Request(PAGE + query, { redirect: 'error' }));
  await cache.addAll([...FILES, ...pages]);
  await cache.put(PAGE, await cache.match(`${PAGE}?lang=vi`));
}

/* The page as the server has it now, which may be the way to the login; where it does not answer, as it was last seen
   in that language. */
async function page(request, url) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await within(PATIENCE_MS, (signal) => fetch(request, { signal }));
    if (answer.status >= 500) { throw new Error(`HTTP ${answer.status}`); }
    if (answer.ok) { await cache.put(PAGE, answer.clone()); }
    return answer;
  } catch (fault) {
    const found = await cache.match(url.pathname + (url.searchParams.has('lang') ? `?lang=${url.searchParams.get('lang')}` : ''));
    if (!found) { throw fault; }
    return found;
  }
}

async function within(milliseconds, act) {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), milliseconds);
  try { return await act(over.signal); } finally { clearTimeout(timer); }
}
