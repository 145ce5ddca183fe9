/* What is shown, in the address: whoever opens the address sees the same. */
'use strict';

phusong.spot = {};

phusong.keepSpot = function (spot) { phusong.spot = spot; phusong.keepState(); };

phusong.keepState = function () {
  if (!phusong.isKept) { return; }
  const { view, kind, paint, on } = phusong.chosen;
  const at = phusong.layers.map.getCenter();
  const words = new URLSearchParams({
    at: [phusong.layers.map.getZoom(), at.lat.toFixed(5), at.lng.toFixed(5)].join('/'),
    view: phusong.data.views[view].code || 'all', kind, paint, on: [...on].sort().join(','), lang: document.documentElement.lang, ...phusong.spot
  });
  if (!document.getElementById('twin').hidden) { words.set('table', '1'); }
  history.replaceState(null, '', '#' + words);
};

/* Draws what the address says; what it does not say is as at the start. */
phusong.takeState = function () {
  const words = new URLSearchParams(location.hash.slice(1));
  const [zoom, lat, lon] = (words.get('at') || '').split('/').map(Number);
  if (words.has('at') && [zoom, lat, lon].every(Number.isFinite)) { phusong.layers.map.setView([lat, lon], zoom, { animate: false }); }
  if (words.get('lang') === 'en') { phusong.setLanguage('en'); }
  const view = phusong.data.views.findIndex((one) => one.code !== null && one.code === words.get('view'));
  const choice = { view: view < 0 ? phusong.chosen.view : view, kind: words.get('kind') || phusong.chosen.kind, paint: words.get('paint') || phusong.chosen.paint };
  if (words.has('on')) { choice.on = new Set(words.get('on').split(',').filter((name) => Object.hasOwn(phusong.OVERLAYS, name))); }
  phusong.choose(choice);
  phusong.openKept(words);
  phusong.isKept = true;
};

phusong.openKept = function (words) {
  const [lat, lon] = (words.get('spot') || '').split(',').map(Number);
  const village = phusong.data.villages.village_id.words.indexOf(words.get('village'));
  const row = village < 0 ? -1 : phusong.data.villages.village_id.at.indexOf(village);
  if (row >= 0 && phusong.villageLayers[row]) {
    const layer = phusong.villageLayers[row];
    phusong.openPopup(row, layer.getBounds ? layer.getBounds().getCenter() : layer.getLatLng());
  } else if (words.has('spot') && Number.isFinite(lat) && Number.isFinite(lon)) {
    phusong.openSpot(L.latLng(lat, lon));
  }
  if (words.get('table') === '1') { phusong.showTwin(true); }
};
