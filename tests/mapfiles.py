"""Small base maps in files, for tests: MBTiles and PMTiles whose tiles say by their colour where they belong."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from PIL import Image
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

PLACES = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 0, 1), (5, 25, 14), (5, 25, 15))
LINK = '© <a href="https://example.org/" onclick="x()">Những người vẽ bản đồ</a> &amp; <script>alert(1)</script>bạn'


def colour(z: int, x: int, y: int) -> tuple[int, int, int]:
    return 40 + z, 60 + x, 80 + y


def picture(z: int, x: int, y: int, kind: str = "PNG") -> bytes:
    """A tile of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour(z, x, y)).save(
        out, kind, **({"lossless": True} if kind == "WEBP" else {})
    )
    return out.getvalue()


def mbtiles(
    path: Path,
    about: dict[str, str] | None = None,
    places: Iterable[tuple[int, int, int]] = PLACES,
    kind: str = "PNG",
    content: bytes | None = None,
) -> Path:
    """An MBTiles file; rows are counted from the south, as the format has them."""
    said = {"name": "thử", "format": kind.lower(), "attribution": LINK} if about is None else about
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE metadata (name text, value text)")
        file.execute(
            "CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)"
        )
        file.execute("CREATE UNIQUE INDEX at ON tiles (zoom_level, tile_column, tile_row)")
        file.executemany("INSERT INTO metadata VALUES (?, ?)", said.items())
        rows = [(z, x, 2**z - 1 - y, content or picture(z, x, y, kind)) for z, x, y in places]
        file.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", rows)
        file.commit()
    return path


def pmtiles(
    path: Path,
    places: Iterable[tuple[int, int, int]] = PLACES,
    kind: TileType = TileType.PNG,
    content: bytes | None = None,
    **header: Any,
) -> Path:
    """A PMTiles file, as the format's own library writes it."""
    with path.open("wb") as file:
        writer = Writer(file)
        for number, place in sorted((zxy_to_tileid(*place), place) for place in places):
            writer.write_tile(number, content or picture(*place))
        about = {"tile_type": kind, "tile_compression": Compression.NONE, "center_zoom": 0} | header
        writer.finalize(about, {"attribution": LINK, "name": "thử"})
    return path
