/* Asking the server over a link that comes and goes. A dead link, a busy or restarted server is waited out
   for as long as it takes; only a refusal is a failure. */

const SILENCE_MS = 30000; // no answer for so long: the link is dead, whatever the phone believes
const LONGEST_WAIT_MS = 20000; // so that a link that is back for a minute is used
const WAITED_OUT = new Set([408, 409, 423, 425, 429]);

/* The server understood and says no. `problem` has its words in both languages, where it found any. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail_en || `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

/* Whether an answer means "later": what cannot be decided now is not refused. */
export function isLater(status) {
  return status >= 500 || WAITED_OUT.has(status);
}

/* The problem document of an answer's text; a proxy's page of HTML is none. */
export function problemIn(text) {
  try {
    const found = JSON.parse(text);
    return found !== null && typeof found === 'object' ? found : {};
  } catch {
    return {};
  }
}

/* Waits after one failure after another: 1, 2, 4 … s with some chance in it, cut short when the link comes back. */
export class Patience {
  constructor(onWait, signal) {
    this.onWait = onWait || (() => {});
    this.signal = signal;
    this.failures = 0;
  }

  /* The link works: the next failure waits a second again. */
  relax() {
    if (this.failures > 0) { this.onWait(null); }
    this.failures = 0;
  }

  /* `why`: "network", "busy" or "full"; `seconds`: what the server asks for, if it does. */
  async wait(why, seconds = 0) {
    this.failures += 1;
    this.onWait(why);
    const usual = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** Math.min(this.failures - 1, 5)) * (0.75 + Math.random() / 2);
    await pause(Math.max(usual, 1000 * seconds), this.signal);
  }
}

/* Resolves after so long, or as soon as the phone says it is online or the page is looked at again. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const end = (settle) => { clearTimeout(timer); over.abort(); settle(); };
    const timer = setTimeout(() => end(resolve), milliseconds);
    const options = { signal: over.signal };
    window.addEventListener('online', () => end(resolve), options);
    document.addEventListener('visibilitychange', () => { if (!document.hidden) { end(resolve); } }, options);
    if (signal) { signal.addEventListener('abort', () => end(() => reject(signal.reason)), options); }
  });
}

/* The answer, once there is one that is neither silence nor "later". Throws `Refused`, and what aborts `signal`. */
export async function ask(url, options = {}, { signal, onWait, conflictIsFinal = false } = {}) {
  const patience = new Patience(onWait, signal);
  for (;;) {
    const answer = await once(url, options, signal);
    if (answer !== null && (!isLater(answer.status) || (conflictIsFinal && answer.status === 409))) {
      patience.relax();
      if (answer.ok) { return answer; }
      throw new Refused(answer.status, problemIn(await textOf(answer)));
    }
    await patience.wait(whyLater(answer), retryAfter(answer));
  }
}

async function textOf(answer) {
  try { return await answer.text(); } catch { return ''; }
}

/* JSON of an answer; a body that is cut on the way is asked for again. */
export async function askJson(url, options, waiting = {}) {
  for (;;) {
    const answer = await ask(url, options, waiting);
    try {
      return await answer.json();
    } catch {
      await new Patience(waiting.onWait, waiting.signal).wait('network');
    }
  }
}

async function once(url, options, signal) {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const stop = () => silence.abort();
  if (signal) { signal.throwIfAborted(); signal.addEventListener('abort', stop); }
  try {
    return await fetch(url, { cache: 'no-store', ...options, signal: silence.signal });
  } catch {
    if (signal) { signal.throwIfAborted(); }
    return null;
  } finally {
    clearTimeout(timer);
    if (signal) { signal.removeEventListener('abort', stop); }
  }
}

/* Why nothing came of it: no answer at all, no room on the server, or a server with other work. */
export function whyLater(answer) {
  if (answer === null || answer.status === 0) { return 'network'; }
  return answer.status === 507 ? 'full' : 'busy';
}

function retryAfter(answer) {
  const seconds = answer === null ? NaN : Number(answer.headers.get('Retry-After'));
  return Number.isFinite(seconds) ? Math.min(seconds, 60) : 0;
}
