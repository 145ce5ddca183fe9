"""Which base map lies under the map: our own, one in a file, or one that the readers' browsers fetch elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from coverage.exports.basemap_files import TileFile, open_file
from coverage.settings import Settings

OURS = "/tiles/base/{z}/{x}/{y}"
_OWN_DEEPEST, _ELSEWHERE_DEEPEST = 20, 19  # what servers of tiles usually go down to


@dataclass(frozen=True)
class Basemap:
    """What a page needs to show a base map.

    url_template: the address of a tile, with {z}, {x}, {y} (from the north) and, where tiles of twice as many pixels can be
    had, {r} (empty or @2x). attribution: plain text, never HTML; empty = nobody to name. host: the one other origin that
    pictures come from (https://HOST[:PORT]), for the page's content policy; None = nothing leaves this service.
    """

    url_template: str
    attribution: str
    host: str | None
    max_zoom: int
    min_zoom: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether it is drawn of the workspace's own layers: nothing is known beyond the province."""
        return self.url_template.startswith(OURS) and "{r}" in self.url_template


def opened(settings: Settings) -> TileFile | None:
    """The file that is configured as base map; None where none is. Raises `InputError` for one that cannot be used."""
    said = settings.basemap
    return open_file(Path(said)) if said and "://" not in said else None


def require_usable(settings: Settings) -> None:
    """Raise `InputError` for a base map that cannot be used."""
    file = opened(settings)
    if file is not None:
        file.close()


def basemap_source(settings: Settings, file: TileFile | None = None) -> Basemap:
    """The base map that is configured; file: what `opened` gave, else it is opened once more. Raises `InputError`."""
    if "://" in settings.basemap:
        return _elsewhere(settings)
    found = file or opened(settings)
    if found is None:
        return Basemap(f"{OURS}{{r}}.png", settings.basemap_attribution, None, _OWN_DEEPEST)
    attribution = settings.basemap_attribution or found.attribution
    return Basemap(f"{OURS}.png", attribution, None, found.max_zoom, found.min_zoom)


def _elsewhere(settings: Settings) -> Basemap:
    parts = urlsplit(settings.basemap)
    # Whose map it is has to stand beside it: where nobody says so, its host does.
    attribution = settings.basemap_attribution or parts.netloc
    return Basemap(settings.basemap, attribution, f"{parts.scheme}://{parts.netloc}", _ELSEWHERE_DEEPEST)
