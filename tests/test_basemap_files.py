"""Base maps by configuration: files and addresses that can be used, and those that are refused by name with their cure."""

from __future__ import annotations

import io
import random
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import mapfiles
import pytest
from mapfiles import PLACES, colour, mbtiles, picture, pmtiles
from PIL import Image
from pmtiles.tile import Compression, TileType

from coverage.errors import InputError
from coverage.exports.basemap_choice import Basemap, basemap_source, opened, require_usable
from coverage.exports.basemap_files import image, kind_of, open_file, plain_text
from coverage.settings import get_settings

PLAIN = "© Những người vẽ bản đồ & bạn"
MAKERS: dict[str, Callable[[Path], Path]] = {"mbtiles": mbtiles, "pmtiles": pmtiles}


@pytest.mark.parametrize("ending", MAKERS)
def test_every_tile_is_the_one_of_its_place(tmp_path, ending):
    file = open_file(MAKERS[ending](tmp_path / f"nền thử #1?.{ending}"))
    for place in PLACES:
        found = image(file, *place)
        assert found is not None
        content, kind = found
        assert kind == "image/png"
        assert Image.open(io.BytesIO(content)).getpixel((0, 0)) == colour(*place)
    for missing in ((1, 1, 1), (5, 0, 0), (6, 1, 1), (22, 5, 5)):
        assert image(file, *missing) is None
    assert (file.min_zoom, file.max_zoom) == (0, 5)
    assert file.attribution == PLAIN
    file.close()


def test_rows_of_mbtiles_are_counted_from_the_south(tmp_path):
    path = mbtiles(tmp_path / "a.mbtiles", places=[(1, 0, 0)])
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT tile_row FROM tiles").fetchone() == (1,)
    file = open_file(path)
    assert image(file, 1, 0, 0) is not None
    assert image(file, 1, 0, 1) is None
    file.close()


@pytest.mark.parametrize(("kind", "media"), [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp")])
def test_the_kind_of_a_tile_is_what_its_bytes_are(tmp_path, kind, media):
    # Whatever the file says of it: many say nothing.
    file = open_file(mbtiles(tmp_path / "a.mbtiles", {}, [(0, 0, 0)], kind))
    assert image(file, 0, 0, 0) == (picture(0, 0, 0, kind), f"image/{media}")
    file.close()
    assert kind_of(b"<svg onload=alert(1)>") is None
    assert kind_of(b"RIFF....WAVE") is None
    assert kind_of(b"") is None


def test_a_file_of_many_directories_is_read_through_all_of_them(tmp_path):
    rng = random.Random(5)
    places = {(9, rng.randrange(512), rng.randrange(512)) for _ in range(9000)}
    path = tmp_path / "a.pmtiles"
    with path.open("wb") as file:
        writer = mapfiles.Writer(file)
        for number, place in sorted((mapfiles.zxy_to_tileid(*place), place) for place in places):
            writer.write_tile(number, b"\x89PNG\r\n\x1a\n" + str(place).encode())
        writer.finalize({"tile_type": TileType.PNG, "tile_compression": Compression.NONE}, {})
    found = open_file(path)
    for place in list(places)[:300]:
        assert image(found, *place) == (b"\x89PNG\r\n\x1a\n" + str(place).encode(), "image/png")
    found.close()


@pytest.mark.parametrize("ending", MAKERS)
def test_many_ask_at_once(tmp_path, ending):
    file = open_file(MAKERS[ending](tmp_path / f"a.{ending}"))
    with ThreadPoolExecutor(8) as pool:
        asked = list(PLACES) * 50
        for place, found in zip(asked, pool.map(lambda place: image(file, *place), asked), strict=True):
            assert found == (picture(*place), "image/png")
    file.close()


def _cut(path: Path, share: float) -> Path:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def _with_noise(path: Path, start: int, end: int) -> Path:
    content = bytearray(path.read_bytes())
    content[start:end] = random.Random(1).randbytes(len(content[start:end]))
    path.write_bytes(content)
    return path


def _bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _large(path: Path) -> Path:
    return mbtiles(path, content=picture(0, 0, 0) + bytes(20_000))


def _other_database(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE notes (text text)")
        file.commit()
    return path


BROKEN: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "missing": ("mbtiles", lambda path: path),
    "missing too": ("pmtiles", lambda path: path),
    "a folder": ("mbtiles", lambda path: path.mkdir() or path),
    "empty": ("mbtiles", lambda path: _bytes(path, b"")),
    "empty too": ("pmtiles", lambda path: _bytes(path, b"")),
    "no database": ("mbtiles", lambda path: _bytes(path, b"<html>404</html>" * 40)),
    "no archive": ("pmtiles", lambda path: _bytes(path, b"<html>404</html>" * 40)),
    "each other's name": ("pmtiles", mbtiles),
    "each other's name too": ("mbtiles", pmtiles),
    "cut": ("mbtiles", lambda path: _cut(_large(path), 0.5)),
    "cut early": ("mbtiles", lambda path: _cut(_large(path), 0.01)),
    "cut by one byte": ("pmtiles", lambda path: _bytes(path, pmtiles(path).read_bytes()[:-1])),
    "cut in the header": ("pmtiles", lambda path: _cut(pmtiles(path), 0.05)),
    "noise in the directory": ("pmtiles", lambda path: _with_noise(pmtiles(path), 127, 160)),
    "noise in the header": ("pmtiles", lambda path: _with_noise(pmtiles(path), 8, 96)),
    "noise": ("mbtiles", lambda path: _with_noise(mbtiles(path), 100, 4096)),
    "another version": ("pmtiles", lambda path: _bytes(path, b"PMTiles\x02" + pmtiles(path).read_bytes()[8:])),
    "no tiles": ("mbtiles", lambda path: mbtiles(path, places=())),
    "vector": ("mbtiles", lambda path: mbtiles(path, {"format": "pbf"}, content=b"\x1f\x8b\x08\x00tile")),
    "vector, unsaid": ("mbtiles", lambda path: mbtiles(path, {}, content=b"\x1a\x20\x78\x02")),
    "vector too": ("pmtiles", lambda path: pmtiles(path, kind=TileType.MVT, content=b"\x1f\x8b\x08\x00")),
    "a page": ("mbtiles", lambda path: mbtiles(path, content=b"<svg xmlns='http://www.w3.org/2000/svg'/>")),
    "packed": ("pmtiles", lambda path: pmtiles(path, tile_compression=Compression.GZIP)),
    "no table": ("mbtiles", _other_database),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_used_is_refused_with_its_cure(tmp_path, name):
    ending, make = BROKEN[name]
    path = make(tmp_path / f"nền.{ending}")
    with pytest.raises(InputError) as refused:
        open_file(path)
    for text in (refused.value.vi, refused.value.en):
        assert "PHUSONG_BASEMAP" in text
        assert str(path) in text
    assert refused.value.code == "basemap_refused"
    vector = name.startswith("vector")
    assert ("raster" in refused.value.vi) == (vector or name in {"a page", "packed"})


def test_damage_that_shows_later_gives_no_tile_and_no_fault(tmp_path):
    path = mbtiles(tmp_path / "a.mbtiles", content=picture(0, 0, 0) + bytes(60_000))
    file = open_file(path)
    path.write_bytes(path.read_bytes()[:8192] + bytes(path.stat().st_size - 8192))
    for place in PLACES:
        image(file, *place)
    file.close()
    path = pmtiles(tmp_path / "a.pmtiles")
    found = open_file(path)
    _cut(path, 0.7)  # a file mapped into memory would end the process here
    assert None in {image(found, *place) for place in PLACES}
    found.close()


def test_what_a_file_says_of_its_makers_is_text():
    assert plain_text(mapfiles.LINK) == PLAIN
    assert plain_text("a &lt;b&gt; c") == "a <b> c"  # as text it is written, not as a tag
    assert plain_text("  một\n\tdòng ") == "một dòng"
    assert plain_text("<style>x{}</style><b>ba</b> <br/>bốn") == "ba bốn"
    assert plain_text("x" * 9000) == "x" * 400
    assert plain_text("< 3 & <") == "< 3 & <"


# --- settings


@pytest.mark.parametrize(
    "value",
    [
        *("nen.tif", "nen", ".mbtiles", "/a/b.geojson", "http://tiles.example.vn/{z}/{x}/{y}.png"),
        *("https://tiles.example.vn/{z}/{x}.png", "https://tiles.example.vn/{z}/{x}/{y}/{y}.png"),
        *("https://{x}.example.vn/{z}/{y}.png", "https://{s}.example.vn/{z}/{x}/{y}.png"),
        *("https://tiles.example.vn/{z}/{x}/{-y}.png", "https://tiles.example.vn/{{z}}/{x}/{y}.png"),
        *("https://tiles.example.vn/{z}/{x}/{y}.png; script-src *", "https://a.vn/{z}/{x}/{y}.png' *"),
        *("https://ten:mat@tiles.example.vn/{z}/{x}/{y}.png", "ftp://tiles.example.vn/{z}/{x}/{y}.png"),
        *('https://a.vn/{z}/{x}/{y}.png"><script>', "file:///a/b.mbtiles", "https://a.vn/${1}{z}{x}{y}"),
    ],
)
def test_a_wrong_base_map_is_told_by_the_name_of_its_setting(monkeypatch, value):
    monkeypatch.setenv("PHUSONG_BASEMAP", value)
    with pytest.raises(InputError) as refused:
        get_settings()
    for text in (refused.value.vi, refused.value.en):
        assert "PHUSONG_BASEMAP" in text
        assert value[:40] in text
        assert "{z}" in text


@pytest.mark.parametrize("value", ["a\nb", "x" * 401, "a\u202eb"])
def test_a_wrong_attribution_is_told_by_the_name_of_its_setting(monkeypatch, value):
    monkeypatch.setenv("PHUSONG_BASEMAP_ATTRIBUTION", value)
    with pytest.raises(InputError) as refused:
        get_settings()
    assert "PHUSONG_BASEMAP_ATTRIBUTION" in refused.value.vi
    assert "PHUSONG_BASEMAP_ATTRIBUTION" in refused.value.en


def source(monkeypatch, basemap: str, attribution: str = "") -> Basemap:
    monkeypatch.setenv("PHUSONG_BASEMAP", basemap)
    monkeypatch.setenv("PHUSONG_BASEMAP_ATTRIBUTION", attribution)
    settings = get_settings()
    file = opened(settings)
    found = basemap_source(settings, file)
    if file is not None:
        file.close()
    return found


def test_without_a_word_the_base_map_is_our_own(monkeypatch):
    own = source(monkeypatch, "")
    assert own == Basemap("/tiles/base/{z}/{x}/{y}{r}.png", "", None, 20, 0)
    assert source(monkeypatch, " ", "Đường: OSM").attribution == "Đường: OSM"


@pytest.mark.parametrize("ending", MAKERS)
def test_a_file_is_served_by_us_and_names_its_makers(monkeypatch, tmp_path, ending):
    path = MAKERS[ending](tmp_path / f"a.{ending.upper()}")
    assert source(monkeypatch, str(path)) == Basemap("/tiles/base/{z}/{x}/{y}.png", PLAIN, None, 5, 0)
    assert source(monkeypatch, str(path), "<b>Sở</b>").attribution == "<b>Sở</b>"
    require_usable(get_settings())


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://tiles.example.vn/map/{z}/{x}/{y}.png", "https://tiles.example.vn"),
        ("https://tiles.example.vn:8443/?z={z}&x={x}&y={y}&key=a-1", "https://tiles.example.vn:8443"),
        ("http://127.0.0.1:8080/{z}/{y}/{x}.jpg", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/{z}/{x}/{y}.png", "http://[::1]:8080"),
    ],
)
def test_a_map_elsewhere_is_the_readers_to_fetch_and_names_its_one_origin(monkeypatch, address, host):
    found = source(monkeypatch, address, "© Cục Đo đạc")
    assert (found.url_template, found.host, found.attribution) == (address, host, "© Cục Đo đạc")
    assert source(monkeypatch, address).attribution == host.partition("://")[2]
    require_usable(get_settings())  # nothing is asked of it: it may be down
