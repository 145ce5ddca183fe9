"""What the process holds of the snapshots that it shows: their tables, their features, and what was written of them.

All of it belongs to a snapshot, which never changes, or to the globe: nothing is ever out of date, and what was not
asked for longest goes first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any

import numpy as np
from cachetools import LRUCache
from fastapi import Depends, Request

from coverage.archive import history, snapshots
from coverage.archive.committed import committed
from coverage.archive.disk import MB
from coverage.archive.snapshots import Snapshot
from coverage.archive.workspace import Workspace
from coverage.exports import hex_classes, hex_layers, tiles
from coverage.exports.hex_classes import Layer
from coverage.exports.tiles import Grid, Tile
from coverage.features.collections import Features, Positions, features
from coverage.features.pages import encoded
from coverage.features.systems import System
from coverage.hexes import Hexes
from coverage.traces import devices_away_from_ends

_TABLES = 20  # tables of the latest snapshot, as everybody and as each operator sees them, and some of an earlier one
_PAGES_BYTES = 32 * MB
_TEXTS_BYTES = 96 * MB
_LAYERS_BYTES = 96 * MB  # a layer of a province's 230,000 hexes takes 2 MB
_GRIDS_BYTES = 64 * MB  # two screens full of tiles of high density
_BLOCK = 500  # features that are written in one go
_SPARSE = 4  # where fewer than one in so many features of a block are wanted, they are written by themselves


@dataclass(frozen=True)
class View:
    """A snapshot as one caller may see it. operator: the only network shown, None = all. public: nobody's trace in it."""

    snapshot_id: str
    operator: str | None = None
    public: bool = False

    @property
    def tag(self) -> str:
        """What tells this view from every other: the snapshot's id, and what part of it is shown."""
        parts = (self.snapshot_id, self.operator, "public" if self.public else None)
        return ".".join(part for part in parts if part)


class Published:
    """Snapshots, features and pages by what they were made of; safe for threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._tables: LRUCache[Hashable, Any] = LRUCache(_TABLES)
        self._pages: LRUCache[Hashable, bytes] = LRUCache(_PAGES_BYTES, len)
        self._texts: LRUCache[Hashable, list[bytes]] = LRUCache(
            _TEXTS_BYTES, lambda texts: sum(map(len, texts))
        )
        self._lock = threading.RLock()
        # What is longer than the whole shelf is kept all the same, alone: every tile would make it anew.
        self._layers: LRUCache[Hashable, Any] = LRUCache(
            _LAYERS_BYTES, lambda made: min(made.nbytes, _LAYERS_BYTES)
        )
        self._making = threading.RLock()
        self._grids: LRUCache[Hashable, Grid] = LRUCache(_GRIDS_BYTES, lambda made: made.nbytes)

    def latest_id(self) -> str:
        """The id of the latest snapshot; raises `NotFound` where there is none."""
        return history.latest_id(self._workspace)

    def snapshot(self, view: View) -> Snapshot:
        """The snapshot as the view shows it; raises `NotFound` for an id that was never published."""
        found: Snapshot = self._once(view, lambda: self._loaded(view))
        return found

    def _loaded(self, view: View) -> Snapshot:
        if view.public:
            return self._public(self.snapshot(replace(view, public=False)))
        if view.operator is not None:
            return snapshots.of_operator(self.snapshot(View(view.snapshot_id)), view.operator)
        return snapshots.load(self._workspace.snapshots, view.snapshot_id)

    def _public(self, snapshot: Snapshot) -> Snapshot:
        info = snapshot.info
        parts, criteria = committed(self._workspace).parts, self._workspace.criteria
        as_of = date.fromisoformat(info.as_of)
        away = devices_away_from_ends(parts, info.hex_resolution, criteria, as_of)
        return snapshots.of_public(snapshot, away)

    def features(self, view: View, name: str) -> Features:
        """One collection of it; raises `NotFound` for a collection that there is not."""
        found: Features = self._once((view, name), lambda: features(self.snapshot(view), name))
        return found

    def texts(self, view: View, found: Features, positions: Positions, to: System) -> list[bytes]:
        """The features at those positions, each as the text of a GeoJSON feature in that coordinate system."""
        blocks = np.unique(positions // _BLOCK)
        if len(positions) * _SPARSE < len(blocks) * _BLOCK:
            return encoded(found, positions, to)
        written = {block: self._block(view, found, int(block), to) for block in blocks.tolist()}
        return [written[place // _BLOCK][place % _BLOCK] for place in positions.tolist()]

    def _block(self, view: View, found: Features, block: int, to: System) -> list[bytes]:
        here = np.arange(block * _BLOCK, min((block + 1) * _BLOCK, len(found.table)))
        key = (view, found.name, to.uri, block)
        texts: list[bytes] = self._kept(self._texts, key, lambda: encoded(found, here, to))
        return texts

    def layer(self, view: View, name: str, zoom: int, earlier: View | None = None) -> Layer:
        """A layer of the map as fine as that zoom shows it; earlier: what a layer of changes is compared with.

        Raises `NotFound` for a name that the view does not have, `InputError` where the two cannot be compared.
        """
        resolution = hex_classes.shown_resolution(zoom, self.snapshot(view).info.hex_resolution)

        def make() -> Layer:
            finest = self._finest(view, name, earlier)
            return finest if finest.resolution == resolution else hex_classes.coarser(finest, resolution)

        found: Layer = self._laid((view, name, earlier, resolution), make)
        return found

    def _finest(self, view: View, name: str, earlier: View | None) -> Layer:
        def make() -> Layer:
            before = None if earlier is None else self.snapshot(earlier)
            return hex_layers.layer(self.snapshot(view), name, lambda: self._ground(view), before)

        found: Layer = self._laid((view, name, earlier), make)
        return found

    def _ground(self, view: View) -> Hexes:
        # Whoever looks: the communes are the same.
        found: Hexes = self._laid(
            ("ground", view.snapshot_id), lambda: hex_layers.ground(self.snapshot(view))
        )
        return found

    def _laid(self, key: Hashable, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - layers and their hexes
        # A screen asks for all its tiles at once: the first makes the layer, the others wait for it.
        with self._making:
            if key not in self._layers:
                self._layers[key] = make()
            return self._layers[key]

    def grid(self, tile: Tile, resolution: int) -> Grid:
        """The hexes of that resolution at the tile's pixels, whatever is shown of them."""
        made: Grid = self._kept(self._grids, (tile, resolution), lambda: tiles.grid(tile, resolution))
        return made

    def page(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The page of that key, made where nobody asked for it of late."""
        made: bytes = self._kept(self._pages, key, make)
        return made

    def _kept(self, shelf: LRUCache[Hashable, Any], key: Hashable, make: Callable[[], Any]) -> Any:  # noqa: ANN401
        with self._lock:
            if key in shelf:
                return shelf[key]
        made = make()
        with self._lock:
            if shelf.getsizeof(made) <= shelf.maxsize // 4:
                shelf[key] = made
        return made

    def _once(self, key: Hashable, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is made
        # One lock for all: two who ask for the same table at once wait, instead of making it twice in twice the room.
        with self._lock:
            if key not in self._tables:
                self._tables[key] = make()
            return self._tables[key]


def _published(request: Request) -> Published:
    published: Published = request.app.state.published
    return published


Shown = Annotated[Published, Depends(_published)]
