/* The map on paper: title, scale, north, legend, dates and rules beside what the screen shows. */
'use strict';

/* The map's own size on a landscape sheet within margins of 8 mm, beside a column of 62 mm. */
phusong.PAPERS = { A4: { width: 219, height: 168 }, A3: { width: 342, height: 255 } };

phusong.startPrint = function () {
  const dialog = document.getElementById('paper');
  document.getElementById('show-print').addEventListener('click', () => {
    document.getElementById('sheet-name').value = phusong.sheetTitle();
    dialog.returnValue = '';
    dialog.showModal();
  });
  dialog.addEventListener('close', async () => {
    if (dialog.returnValue !== 'print') { return; }
    await phusong.layOut(dialog.querySelector('[name=paper]:checked').value);
    window.print();
    phusong.layBack();
  });
};

phusong.sheetTitle = function () {
  const lang = document.documentElement.lang;
  const kind = phusong.KINDS[phusong.chosen.kind][lang];
  const name = phusong.view === 0 ? phusong.data.words.all_operators[lang === 'vi' ? 0 : 1] : phusong.data.views[phusong.view].name;
  return (lang === 'vi' ? 'Bản đồ phủ sóng di động' : 'Map of mobile coverage') + ` – ${name} – ${kind}`;
};

/* Gives the map the size that it has on the sheet, and waits until its tiles are there. */
phusong.layOut = async function (paper) {
  const { map } = phusong.layers;
  const box = map.getBounds();
  const size = phusong.PAPERS[paper];
  const root = document.documentElement;
  document.getElementById('page-size').textContent = `@page { size: ${paper} landscape; margin: 8mm; }`;
  root.style.setProperty('--sheet-width', size.width + 'mm');
  root.style.setProperty('--sheet-height', size.height + 'mm');
  root.classList.add('sheet');
  await phusong.legend;
  phusong.fillSheet();
  map.closePopup();
  map.invalidateSize({ animate: false }).fitBounds(box, { animate: false });
  await phusong.settled();
};

phusong.layBack = function () {
  document.documentElement.classList.remove('sheet');
  phusong.layers.map.invalidateSize({ animate: false });
};

/* Resolves once no tile is awaited any more, or after ten seconds: a sheet with a hole is better than none. */
phusong.settled = function () {
  const loading = () => [phusong.layers.hexes, phusong.layers.ground, phusong.layers.forecast, phusong.earlier]
    .some((layer) => layer && layer.isLoading && phusong.layers.map.hasLayer(layer) && layer.isLoading());
  const end = Date.now() + 10000;
  return new Promise((resolve) => {
    const look = () => { if (!loading() || Date.now() > end) { resolve(); } else { setTimeout(look, 100); } };
    setTimeout(look, 400);
  });
};

phusong.fillSheet = function () {
  const info = phusong.data.info;
  const number = document.getElementById('sheet-number').value.trim();
  const line = (vi, en, value) => phusong.element('p', '', phusong.both(vi + ': ', en + ': '), value);
  const legends = [...document.querySelectorAll('#panel section')].filter((part) => part.querySelector('.legend')).map((part) => part.cloneNode(true));
  legends.forEach((part) => { part.removeAttribute('id'); part.querySelectorAll('[id]').forEach((one) => one.removeAttribute('id')); });
  document.getElementById('sheet').replaceChildren(
    phusong.element('h1', '', document.getElementById('sheet-name').value || phusong.sheetTitle()),
    phusong.element('aside', '', phusong.north(), ...legends,
      phusong.element('footer', '', number ? line('Số', 'No.', number) : null, line('Đánh giá đến', 'As of', phusong.date(info.as_of)), line('Quy tắc', 'Criteria', info.criteria),
        line('Bản đánh giá', 'Assessment', info.snapshot_id), phusong.online && phusong.online.before ? line('So với bản', 'Compared with', phusong.online.before) : null,
        line('In ngày', 'Printed on', phusong.date(new Date().toISOString().slice(0, 10))), phusong.attribution() ? line('Nền bản đồ', 'Base map', phusong.attribution()) : null,
        phusong.banner())));
};

/* What says on every screen that the data are simulated says it on paper too. */
phusong.banner = function () {
  const said = document.getElementById('simulated');
  return said && phusong.element('p', 'simulated', said.textContent);
};

phusong.attribution = () => (phusong.online && phusong.online.attribution) || '';

phusong.north = function () {
  const mark = phusong.element('p', 'north', '▲', phusong.element('b', '', phusong.both('B', 'N')));
  mark.setAttribute('aria-hidden', 'true');
  return mark;
};
