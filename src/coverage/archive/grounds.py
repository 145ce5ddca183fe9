"""The lie of the land as an assessment found it, kept for the next one: Parquet tables in a folder of its own.

It can always be made again, so no backup holds it, and what is damaged is as good as absent.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import pandas as pd

from coverage.archive import folders

log = logging.getLogger(__name__)
_TABLES = ("villages", "pairs", "places", "pooled")
_TYPES = "types.json"  # Parquet does not say of a text or a flag what pandas held it in
_EXPECTED = (_TYPES, *(f"{name}.parquet" for name in _TABLES))


@dataclass(frozen=True)
class Kept:
    """VILLAGES with geometry (territories included, EPSG:4326), CROSSWALK, PLACES and PLACE_HEXES."""

    villages: gpd.GeoDataFrame
    pairs: pd.DataFrame
    places: pd.DataFrame
    pooled: pd.DataFrame


def save(folder: Path, kept: Kept) -> None:
    """Keep it under that name; a whole one that is there is left as it is, a damaged one gives way. Raises `DiskFull`."""
    if folder.exists() and folders.changed(folder, _EXPECTED):
        folders.remove(folder)
    folders.put(folder, lambda draft: _write(draft, kept))


def _write(draft: Path, kept: Kept) -> None:
    types: dict[str, dict[str, str]] = {}
    for name in _TABLES:
        frame: pd.DataFrame = getattr(kept, name)
        frame.to_parquet(draft / f"{name}.parquet", index=False)
        types[name] = {str(column): str(kind) for column, kind in frame.dtypes.items() if kind != "geometry"}
    (draft / _TYPES).write_bytes(orjson.dumps(types))


def load(folder: Path) -> Kept | None:
    """What was kept under that name, as it was; None where nothing is, or where the log says that it is damaged."""
    if not folder.exists():
        return None
    try:
        broken = folders.changed(folder, _EXPECTED)
        kept = None if broken else _read(folder)
    except Exception as fault:  # whatever the libraries raise, it does not load
        broken, kept = [str(fault)], None
    if broken:
        log.warning("%s is damaged (%s): made again", folder, ", ".join(broken))
        return None
    with suppress(OSError):
        os.utime(folder)  # used today: tidying leaves it
    return kept


def _read(folder: Path) -> Kept:
    types = orjson.loads((folder / _TYPES).read_bytes())
    villages = gpd.read_parquet(folder / "villages.parquet")
    plain: dict[str, Any] = {name: pd.read_parquet(folder / f"{name}.parquet") for name in _TABLES[1:]}
    for name, frame in {"villages": villages, **plain}.items():
        for column, kind in types[name].items():
            frame[column] = _as(frame[column], kind)
    return Kept(villages, **plain)


def _as(values: pd.Series, kind: str) -> pd.Series:
    typed: pd.Series = values.astype(pd.api.types.pandas_dtype(kind))
    return typed.where(values.notna(), None) if kind == "object" else typed


def changed(folder: Path) -> list[str]:
    """The names of the files that are missing or not what they were."""
    return folders.changed(folder, _EXPECTED)
