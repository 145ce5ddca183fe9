"""The planner's map in a browser beside a bare Leaflet map and beside Folium's GeoJson: weight, first tile, idle, panning.

    python benchmarks/map.py [--villages 1700] [--hexes 200000] [--geojson 50000] [--rounds 3]

A service shows a simulated whole province (see `province.py`) on loopback; nothing else can be reached. In the same run
headless Chromium opens, each time with an empty cache: (a) a bare Leaflet map with nothing but our base map's tiles;
(b) the planner's map; (c) the map in one file, from the disk; (d) a page of Folium's GeoJson with so many hexes and a
Python style function, as people write it. Of each is told: bytes over the line, milliseconds from the start until the
first tile is drawn and until nothing is done any more (no request, no task over 50 ms, for a second), and the longest
frame while the map is dragged across the screen. Medians over the rounds; (d) is opened once.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import folium
import shapely
from playwright.sync_api import Page, sync_playwright
from xstatic.pkg import jquery, leaflet

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from field_phones import CHROMIUM, FLAGS
from province import publish
from serving import running

from coverage import hexes
from coverage.archive import history, snapshots
from coverage.archive.workspace import existing_workspace
from coverage.exports.maps import map_html

SIZE = {"width": 1600, "height": 900}
# Long tasks and requests as the page had them, from its very start.
WATCH = """
window.ends = [0];
new PerformanceObserver((list) => list.getEntries().forEach((one) => window.ends.push(one.startTime + one.duration)))
    .observe({ type: 'longtask', buffered: true });
window.firstTile = null;
new MutationObserver(() => {
    if (window.firstTile === null && document.querySelector('img.leaflet-tile-loaded, img.leaflet-image-layer, .leaflet-overlay-pane path')) {
        window.firstTile = performance.now();
    }
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['class'] });
"""
FRAMES = """() => { window.frames_ms = []; let last = performance.now();
    const look = (now) => { window.frames_ms.push(now - last); last = now; requestAnimationFrame(look); };
    requestAnimationFrame(look); }"""
# Sent as from the service itself, whose tiles are for pages of its own.
BARE = """<!DOCTYPE html><meta charset="utf-8"><style>html, body, #m { height: 100%; margin: 0 }</style>
<link rel="stylesheet" href="/bare/leaflet.css"><script src="/bare/leaflet.js"></script><div id="m"></div>
<script>const map = L.map('m').setView([11.6, 108.1], 9); L.tileLayer('/tiles/base/{z}/{x}/{y}.png').addTo(map);</script>"""


class Plain(folium.Map):
    """Folium's map with its libraries from the disk."""

    default_js: ClassVar = [
        ("leaflet", (Path(leaflet.BASE_DIR) / "leaflet.js").as_uri()),
        ("jquery", (Path(jquery.BASE_DIR) / "jquery.min.js").as_uri()),
    ]
    default_css: ClassVar = [("leaflet_css", (Path(leaflet.BASE_DIR) / "leaflet.css").as_uri())]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--villages", type=int, default=1700)
    parser.add_argument("--hexes", type=int, default=200_000)
    parser.add_argument("--geojson", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        root = Path(folder)
        publish(root / "workspace", given.villages, given.hexes)
        with running(root / "workspace", workers=0, log="off") as service:
            pages = pages_of(root, service.address, given.geojson)
            compare(browser, pages, given.rounds)


def pages_of(root: Path, address: str, count: int) -> dict[str, str]:
    """Name → address of each page, the files written."""
    workspace = existing_workspace(root / "workspace")
    shown = snapshots.load(workspace.snapshots, history.latest_id(workspace))
    began = time.process_time()
    one_file = map_html(shown)
    print(f"one file: {len(one_file.encode()) / 1e6:.2f} MB, made in {time.process_time() - began:.1f} CPU-s")
    files = {"file": one_file, "geojson": geojson_page(shown, count)}
    for name, text in files.items():
        (root / f"{name}.html").write_text(text)
    return {
        "bare Leaflet": f"{address}/bare/",
        "planner's map": f"{address}/",
        "one file": (root / "file.html").as_uri(),
        f"GeoJson {count}": (root / "geojson.html").as_uri(),
    }


def geojson_page(shown: snapshots.Snapshot, count: int) -> str:
    rows = shown.hex_verdicts[shown.hex_verdicts["operator"] == "45204"].head(count)
    colours = {"dead_zone": "#560720", "below_standard": "#ffc53d", "covered": "#126c96"}
    features = [
        {"type": "Feature", "properties": {"verdict": verdict}, "geometry": shapely.geometry.mapping(outline)}
        for verdict, outline in zip(rows["verdict"], hexes.polygons(rows["hex"].to_numpy()), strict=True)
    ]
    made = Plain([11.6, 108.1], zoom_start=9, tiles=None)

    def style(feature: dict[str, Any]) -> dict[str, Any]:
        return {"fillColor": colours.get(feature["properties"]["verdict"], "#a9afb8"), "weight": 0.5}

    folium.GeoJson({"type": "FeatureCollection", "features": features}, style_function=style).add_to(made)
    html: str = made.get_root().render()
    return html


def compare(browser: Any, pages: dict[str, str], rounds: int) -> None:
    print(f"\n{'':<16}{'kB':>9}{'first ms':>10}{'idle ms':>10}{'worst frame ms':>16}")
    found = {}
    for name, address in pages.items():
        seen = [look(browser, address) for _ in range(1 if name.startswith("GeoJson") else rounds)]
        found[name] = [statistics.median(column) for column in zip(*seen, strict=True)]
        kilobytes, first, idle, frame = found[name]
        print(f"{name:<16}{kilobytes:>9.0f}{first:>10.0f}{idle:>10.0f}{frame:>16.0f}", flush=True)
    bare, ours, _, geojson = found.values()
    print(
        f"\nplanner's map / bare Leaflet: idle {ours[2] / bare[2]:.2f}, worst frame {ours[3] / bare[3]:.2f}"
    )
    print(f"GeoJson / planner's map: idle {geojson[2] / ours[2]:.1f}, worst frame {geojson[3] / ours[3]:.1f}")


@contextmanager
def chromium() -> Iterator[Any]:
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield opened
        opened.close()


def look(browser: Any, address: str) -> tuple[float, float, float, float]:
    """Kilobytes, milliseconds to the first thing drawn and to rest, the longest frame of a drag in milliseconds."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    page.set_default_timeout(300_000)
    page.add_init_script(WATCH)
    tools = context.new_cdp_session(page)
    tools.send("Network.enable")
    sizes: list[float] = []
    faults: list[str] = []
    tools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.route("**/bare/*", _bare)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    idle = at_rest(page)
    first = page.evaluate("() => window.firstTile")
    kilobytes = sum(sizes) / 1000
    frame = dragged(page)
    context.close()
    assert not faults, faults
    return kilobytes or Path(address.removeprefix("file://")).stat().st_size / 1000, first, idle, frame


def _bare(route: Any) -> None:
    name = route.request.url.rsplit("/", 1)[1]
    if name:
        route.fulfill(path=Path(leaflet.BASE_DIR) / name)
    else:
        route.fulfill(body=BARE, content_type="text/html")


def at_rest(page: Page) -> float:
    """Milliseconds from the start to the end of the last task or request, once a second has passed without any."""
    while True:
        page.wait_for_timeout(1000)
        now, last = page.evaluate(
            """() => [performance.now(), Math.max(...window.ends, ...performance.getEntriesByType('resource').map((one) => one.responseEnd),
                performance.getEntriesByType('navigation')[0].loadEventEnd)]"""
        )
        if now - last > 1000:
            return float(last)


def dragged(page: Page) -> float:
    """The longest frame in milliseconds while the map is dragged to and fro."""
    page.evaluate(FRAMES)
    page.mouse.move(1000, 500)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(1000 - 8 * step, 500 + 3 * step)
        page.wait_for_timeout(12)
    page.mouse.up()
    page.wait_for_timeout(600)
    return float(page.evaluate("() => Math.max(...window.frames_ms.slice(1))"))


if __name__ == "__main__":
    main()
