/* What the sender says of all files: once, remembered on this phone for the next time. */

import { say } from './words.js';

const KEY = 'phusong.about';
const OF_THE_FILE = new Set(['technology', 'date', 'date_order']); // another file has another answer: not remembered
const OF_THE_CREW = ['by', 'team', 'campaign', 'source']; // true of every file of this crew, looked at or not

const form = document.getElementById('about-form');
const box = document.getElementById('about');

/* Every word that is filled in. */
export function said() {
  return Object.fromEntries([...new FormData(form)].map(([name, text]) => [name, text.trim()]).filter(([, text]) => text));
}

/* What a file is sent with before anybody has looked at it: nothing that could be wrong for this one file. */
export function saidOfCrew() {
  return Object.fromEntries(Object.entries(said()).filter(([name]) => OF_THE_CREW.includes(name)));
}

/* Fills in what was said last time; `onChange` hears of changes, half a second after the last one. */
export function start(onChange) {
  let timer = 0;
  const remembered = recall();
  Object.entries(remembered).forEach(([name, text]) => {
    const field = form.elements.namedItem(name);
    if (field) { field.value = text; }
  });
  box.open = !said().source || (!remembered.team && !remembered.by);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', () => {
    remember();
    summarise();
    clearTimeout(timer);
    timer = setTimeout(onChange, 500);
  });
  summarise();
}

/* Opens the form at a field. */
export function show(name) {
  const field = form.querySelector(`[name="${name}"]`);
  box.open = true;
  const inner = field.closest('details');
  if (inner) { inner.open = true; }
  field.scrollIntoView({ block: 'center' });
  field.focus();
}

export function fields() {
  return [...form.elements].map((field) => field.name).filter(Boolean);
}

function recall() {
  try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch { return {}; }
}

function remember() {
  const kept = Object.entries(said()).filter(([name]) => !OF_THE_FILE.has(name));
  try { localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(kept))); } catch { /* private mode: not remembered */ }
}

/* One line of what is filled in, so that the folded form shows what it will say. */
function summarise() {
  const shown = [...form.elements].filter((field) => field.name && field.value.trim() && (field.type !== 'radio' || field.checked))
    .map(shownValue);
  document.getElementById('about-summary').textContent = shown.join(' · ') || say('about_empty');
}

function shownValue(field) {
  if (field.type === 'radio') { return field.labels[0].textContent.trim(); }
  return field.tagName === 'SELECT' ? field.selectedOptions[0].textContent : field.value.trim();
}
