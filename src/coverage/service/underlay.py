"""The base map that the process serves: which one it is, and the tiles of it that were asked for of late."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import orjson
from cachetools import LRUCache
from PIL import Image

from coverage.archive import layers
from coverage.archive.disk import MB
from coverage.archive.workspace import Workspace
from coverage.exports.basemap import Ground
from coverage.exports.basemap_choice import basemap_source, opened
from coverage.exports.basemap_files import image
from coverage.service.representations import State
from coverage.service.versions import VERSION
from coverage.settings import Settings

_TILES_BYTES = 32 * MB  # some 1,500 of our own
_PNG = "image/png"
_OF = ("communes", "roads", "dem")
# A tile is all work and no waiting: more of them at once than there are cores would only take longer, each of them.
_LINE = threading.BoundedSemaphore(os.cpu_count() or 1)


@dataclass(frozen=True)
class Place:
    """A tile's place: zoom, column from the west, row from the north; scale 2 = twice as many pixels each way."""

    z: int
    x: int
    y: int
    scale: int = 1


@dataclass(frozen=True)
class Drawn(State):
    """The state of the layers that our own base map is drawn of; parts: by layer the file that holds it."""

    parts: tuple[tuple[str, str], ...] = ()


class Underlay:
    """The base map of a workspace; safe for threads. Raises `InputError` for a configured file that cannot be used."""

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self._workspace = workspace
        self._file = opened(settings)
        self.source = basemap_source(settings, self._file)
        self._tiles: LRUCache[Hashable, bytes] = LRUCache(_TILES_BYTES, len)
        self._grounds: LRUCache[Drawn, Ground] = LRUCache(2)
        self._lock, self._making = threading.Lock(), threading.Lock()

    def state(self) -> Drawn:
        """What tiles are made of now: as long as it is the same, so is every tile."""
        if self._file is not None:
            return Drawn(f"base-{self._file.tag}")
        known = layers.origins(self._workspace)
        parts = tuple((name, str(known[name]["part"])) for name in _OF if name in known)
        # Another version may draw otherwise.
        digest = hashlib.sha256(orjson.dumps([VERSION, parts])).hexdigest()
        return Drawn(f"base-{digest[:16]}", parts)

    def tile(self, state: Drawn, place: Place) -> tuple[bytes, str]:
        """The bytes of a tile and their media type; a tile that a file does not have is one see-through pixel."""
        if self._file is not None:
            return image(self._file, place.z, place.x, place.y) or (_NOTHING, _PNG)
        key = (state, place)
        with self._lock:
            if key in self._tiles:
                return self._tiles[key], _PNG
        ground = self._ground(state)
        with _LINE:
            made = ground.tile(place.z, place.x, place.y, place.scale)
        with self._lock:
            self._tiles[key] = made
        return made, _PNG

    def _ground(self, state: Drawn) -> Ground:
        # A screen asks for all its tiles at once: the first reads the layers, the others wait for it.
        with self._making:
            if state not in self._grounds:
                self._grounds[state] = self._read(state)
            return self._grounds[state]

    def _read(self, state: Drawn) -> Ground:
        record: dict[str, dict[str, Any]] = {name: {"part": part} for name, part in state.parts}
        shapes = {
            name: layers.load_layer(self._workspace, name, record)
            for name in ("communes", "roads")
            if name in record
        }
        communes = shapes["communes"].geometry if "communes" in shapes else None
        dem = layers.raster(self._workspace, "dem", record) if "dem" in record else None
        return Ground(communes, shapes.get("roads"), dem)


def _see_through() -> bytes:
    out = io.BytesIO()
    Image.new("LA", (1, 1), (0, 0)).save(out, "PNG")
    return out.getvalue()


_NOTHING = _see_through()
