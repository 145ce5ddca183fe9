/* The first rows of rejects.csv; the download is stopped once they are there. */

const ENOUGH_CHARACTERS = 65536;

/* At most `count` rows, each an object by column name. Throws where the list cannot be had now. */
export async function firstRejects(uploadId, count) {
  const stop = new AbortController();
  const answer = await fetch(`/v1/uploads/${encodeURIComponent(uploadId)}/rejects.csv`, { signal: stop.signal });
  if (!answer.ok) { throw new Error(`HTTP ${answer.status}`); }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let whole = false;
  while (!whole && text.length < ENOUGH_CHARACTERS) {
    const { value, done } = await reader.read();
    text += value || '';
    whole = done;
  }
  if (!whole) { stop.abort(); reader.cancel().catch(() => {}); }
  const rows = parse(text.replace(/^\ufeff/, ''));
  if (!whole) { rows.pop(); } // it may be cut
  const [names, ...found] = rows;
  return found.slice(0, count).map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] || ''])));
}

/* Rows of fields of a CSV text; quoted fields may hold commas, quotes and line breaks. */
export function parse(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '') { break; }
    if (end !== ',') { rows.push([]); }
  }
  return rows.filter((row) => row.length > 1 || row[0]);
}
