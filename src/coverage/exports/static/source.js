/* Where the page's data come from: inside it (one file), or by addresses of the service that sent it. */
'use strict';

/* Asks the service for JSON about the page's snapshot. */
phusong.ask = async function (path, words) {
  const query = new URLSearchParams({ ...words, snapshot: (words && words.snapshot) || phusong.online.snapshot });
  const answer = await fetch(path + '?' + query, { headers: { Accept: 'application/json' } });
  if (answer.status === 401) { throw new phusong.Fault('Phiên đăng nhập đã hết. Hãy tải lại trang.', 'The session has ended. Reload the page.'); }
  if (answer.status === 404) { return null; }
  if (!answer.ok) { throw new phusong.Fault(`Máy chủ trả lời ${answer.status}.`, `The server answered ${answer.status}.`); }
  return answer.json();
};

phusong.Fault = class extends Error {
  constructor(vi, en) { super(en); this.vi = vi; this.en = en; }
};

phusong.faultText = (fault) => fault instanceof phusong.Fault
  ? phusong.both(fault.vi, fault.en)
  : phusong.both('Không nối được tới máy chủ.', 'The server cannot be reached.');

/* Everything the page shows from the start; resolves when all of it is there. */
phusong.fetched = async function () {
  const online = JSON.parse(document.getElementById('phusong-data').textContent);
  if (!online.online) { phusong.data = online; return; }
  phusong.online = online.online;
  // Drawn on canvas what nobody clicks on, and asked for at once what most see first.
  phusong.layers.dead.options.renderer = phusong.calm(L.Canvas, 'dead');
  phusong.layers.villages.options.renderer = phusong.calm(L.SVG, 'villages');
  phusong.layers.communes.options.renderer = phusong.calm(L.SVG, 'communes');
  phusong.startTiles();
  const shapes = ['communes', 'villages', 'dead'];
  const [data, ...found] = await Promise.all([
    phusong.ask('/map/data.json'), ...shapes.map((name) => phusong.ask(`/map/${name}.json`))]);
  phusong.data = data;
  shapes.forEach((name, place) => phusong.layers[name].addData(found[place]));
  phusong.changes = phusong.online.before === null ? null
    : await phusong.ask('/map/changes.json', { since: phusong.online.before });
};

/* A renderer that draws somewhat more than is seen, and draws again only where that does not reach: Leaflet's own draw
   every shape anew after every move. */
phusong.calm = function (kind, pane) {
  const Calm = kind.extend({
    _update() {
      const map = this._map;
      const corner = map.containerPointToLayerPoint([0, 0]);
      const seen = L.bounds(corner, corner.add(map.getSize()));
      if (this._drawnAt === map.getZoom() && this._bounds && this._bounds.contains(seen)) { return; }
      this._drawnAt = map.getZoom();
      kind.prototype._update.call(this);
    },
    _reset() { this._drawnAt = null; kind.prototype._reset.call(this); }
  });
  return new Calm({ pane, padding: 0.5 });
};

/* Where the address asks for nothing else, tiles need not wait for what is told of them. */
phusong.startTiles = function () {
  const { map, bounds, hexes } = phusong.layers;
  if (location.hash || phusong.online.before !== null || phusong.online.alone) { return; }
  phusong.fitProvince(map, bounds);
  phusong.showTiles(hexes, 'hexes', phusong.online.snapshot);
};

/* Layers that few look at come when they are asked for, once. */
phusong.fetchLayer = async function (name) {
  const layer = phusong.layers[name];
  if (!layer.asked) {
    layer.asked = true;
    try { layer.addData(await phusong.ask(`/map/${name}.json`)); } catch (fault) { layer.asked = false; phusong.say(fault); }
  }
};

phusong.waiting = function (on) { document.getElementById('waiting').hidden = !on; };

phusong.say = function (fault, again) {
  const line = document.getElementById('waiting');
  line.replaceChildren(phusong.faultText(fault), ' ');
  if (again) { line.append(phusong.button('Thử lại', 'Try again', again)); }
  line.hidden = false;
};

/* Tells when a newer assessment is there; the page itself stays what it is. */
phusong.watchNewer = function () {
  const every = phusong.online.look_s * 1000;
  const look = async () => {
    if (document.hidden) { return; }
    const latest = await phusong.ask('/map/snapshots.json').catch(() => null);
    if (latest && latest.snapshots.length && latest.snapshots[0].snapshot_id !== phusong.online.newest) {
      document.getElementById('newer').hidden = false;
    }
  };
  setInterval(look, every);
};
