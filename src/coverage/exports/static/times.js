/* Assessments in time: which one is shown, which it is compared with, and both side by side. */
'use strict';

phusong.startTimes = async function () {
  const shown = document.getElementById('snapshot');
  const before = document.getElementById('before');
  const leave = () => {
    const words = new URLSearchParams();
    if (shown.value) { words.set('snapshot', shown.value); }
    if (before.value) { words.set('before', before.value); }
    location.assign('/?' + words + location.hash);
  };
  try {
    const answer = await phusong.ask('/map/snapshots.json');
    shown.replaceChildren(...answer.snapshots.map((one) => phusong.snapshotOption(one, phusong.online.snapshot)));
    before.replaceChildren(phusong.option('', '– không so –', '– nothing –', phusong.online.before === null),
      ...answer.snapshots.filter((one) => one.snapshot_id !== phusong.online.snapshot).map((one) => phusong.snapshotOption(one, phusong.online.before)));
    phusong.relabel();
  } catch (fault) { phusong.say(fault); }
  shown.addEventListener('change', leave);
  before.addEventListener('change', leave);
  if (phusong.online.before !== null) { phusong.startSwipe(); }
};

phusong.snapshotOption = function (one, chosen) {
  const day = one.as_of.split('-').reverse().join('/');
  const made = one.made_utc.slice(0, 16).replace('T', ' ');
  return phusong.option(one.snapshot_id, `${day} (lập ${made} UTC)`, `${one.as_of} (made ${made} UTC)`, one.snapshot_id === chosen);
};

phusong.startSwipe = async function () {
  const { map, villages } = phusong.layers;
  phusong.earlier = L.tileLayer('', { ...phusong.layers.hexes.options, pane: 'hexes_before' });
  phusong.earlierVillages = L.geoJSON(null, { renderer: phusong.calm(L.SVG, 'villages_before'), pane: 'villages_before', interactive: false, pointToLayer: (feature, at) => phusong.point(feature, at, 'villages_before') });
  document.getElementById('swipe').hidden = false;
  document.getElementById('swipe-before').replaceChildren(phusong.date(phusong.online.before_as_of));
  document.getElementById('swipe-after').replaceChildren(phusong.date(phusong.data.info.as_of));
  const clip = () => phusong.clipSides(Number(document.getElementById('swipe-at').value) / 100);
  document.getElementById('swipe-at').addEventListener('input', clip);
  map.on('move zoomend resize', clip);
  clip();
  phusong.drawBefore();
  try {
    phusong.earlierVillages.addData(await phusong.ask('/map/villages.json', { snapshot: phusong.online.before }));
    phusong.earlierVillages.addTo(map);
    phusong.drawBefore();
  } catch (fault) { phusong.say(fault); }
  return villages;
};

/* What was known before is to the left of the handle, what is known now to the right of it. */
phusong.clipSides = function (share) {
  const map = phusong.layers.map;
  const corner = map.containerPointToLayerPoint([0, 0]);
  const size = map.getSize();
  const x = corner.x + size.x * share;
  const box = (west, east) => `polygon(${[[west, corner.y], [east, corner.y], [east, corner.y + size.y], [west, corner.y + size.y]].map(([a, b]) => `${a}px ${b}px`).join(', ')})`;
  const left = box(corner.x, x);
  const right = box(x, corner.x + size.x);
  ['hexes_before', 'villages_before'].forEach((name) => { map.getPane(name).style.clipPath = left; });
  ['hexes', 'villages', 'dead', 'predicted'].forEach((name) => { map.getPane(name).style.clipPath = right; });
  document.getElementById('swipe').style.setProperty('--at', share * 100 + '%');
};

/* The earlier side shows the same kind as the other; a change is of both, and covers the whole map. */
phusong.drawBefore = function () {
  if (!phusong.earlier) { return; }
  const both = phusong.chosen.kind === 'change' || phusong.chosen.paint === 'change';
  document.getElementById('swipe').hidden = both;
  document.getElementById('frame').classList.toggle('swiping', !both);
  const share = both ? 0 : Number(document.getElementById('swipe-at').value) / 100;
  phusong.clipSides(share);
  phusong.showTiles(phusong.earlier, both ? null : phusong.hexLayer(), phusong.online.before);
  phusong.earlierVillages.setStyle((feature) => ({ color: '#5a6570', weight: 0.6, opacity: 0.6, ...phusong.statusFill(feature.properties.s[phusong.view]) }));
};
