"""Roads and mountain passes to report on, as road agencies and open maps draw them."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from coverage.errors import PlacesRefused
from coverage.names import fold, nfc
from coverage.places.coordinates.systems import WGS84
from coverage.places.notes import Note, of_counts
from coverage.places.vector_files import first_text, flags, lines, need, read_layer, rename_layer, texts

_SYNONYMS = {
    "road_id": ("Mã đường", "ma_duong", "id", "osm_id"),
    "road_name": ("name", "Tên đường", "ten_duong", "Tên", "Tuyến", "Tuyến đường"),
    "ref": ("Số hiệu", "Số hiệu đường"),
    "pass": ("Đèo", "Tên đèo", "ten_deo", "mountain_pass"),
    "kind": ("Loại", "type"),
    "source": ("nguồn",),
}
_NOT_WORD = re.compile(r"[\W_]+")
_PASS_WORDS = {"deo", "pass"}


def read_roads(path: Path, crs: str | None = None) -> tuple[gpd.GeoDataFrame, list[Note]]:
    """The roads in an OGR line file, as the contract ROADS with lines, EPSG:4326, and what to look at.

    A road's name is its own, else its number (`ref`), else its id; the pieces of one name are one road, and
    ground that two of them draw counts once. Features without any of these, and lines without a length, are left
    out, with notes that count them. A pass is what a column says is one, and what has the word đèo (deo, pass) in its name or
    kind; the column of passes may also give the pass's own name. Raises `PlacesRefused`: no lines, no names.
    """
    layer = rename_layer(read_layer(path, crs), _SYNONYMS)
    frame = lines(layer, path)
    pieces = _pieces(frame, path)
    named = pieces[pieces["road_name"].notna()]
    if named.empty:
        need(frame, "road_name", path, _SYNONYMS["road_name"])
        raise PlacesRefused(
            f"{path.name}: không đường nào có tên, số hiệu hoặc mã.",
            f"{path.name}: no road has a name, a number or an id.",
        )
    roads = gpd.GeoDataFrame([_road(group) for _, group in named.groupby(["key", "kind"])], crs=WGS84)
    return roads.assign(road_id=_ids(roads)).sort_values("road_id", ignore_index=True), _notes(
        len(layer) - len(frame), pieces
    )


def _pieces(frame: gpd.GeoDataFrame, path: Path) -> gpd.GeoDataFrame:
    own_pass, is_pass = texts(frame, "pass"), flags(frame, "pass")
    pass_name = own_pass.where(is_pass.isna(), None).map(_pass_name)
    name = first_text(pass_name, texts(frame, "road_name"), texts(frame, "ref"), texts(frame, "road_id"))
    by_word = name.map(_has_pass_word) | texts(frame, "kind").map(_has_pass_word)
    return gpd.GeoDataFrame(
        {
            "road_name": name,
            # Tones tell names apart: only case and the way a letter is stored may differ.
            "key": name.map(lambda text: text and nfc(text).casefold()),
            "given_id": texts(frame, "road_id"),
            "kind": np.where(by_word | is_pass.eq(True) | pass_name.notna(), "pass", "road"),
            "source": texts(frame, "source").fillna(path.name),
        },
        geometry=frame.geometry,
        crs=frame.crs,
    )


def _pass_name(text: str | None) -> str | None:
    if text is None or _has_pass_word(text):
        return text
    return f"Đèo {text}"


def _has_pass_word(text: str | None) -> bool:
    return text is not None and any(fold(word) in _PASS_WORDS for word in _NOT_WORD.split(text))


def _road(pieces: gpd.GeoDataFrame) -> dict[str, object]:
    ids = pieces["given_id"].dropna().unique()
    return {
        "road_id": ids[0] if len(ids) == 1 else None,
        "road_name": pieces["road_name"].iloc[0],
        "kind": pieces["kind"].iloc[0],
        "source": ", ".join(sorted(set(pieces["source"]))),
        "geometry": _joined(pieces.geometry),
    }


def _joined(pieces: gpd.GeoSeries) -> shapely.Geometry:
    whole = shapely.union_all(pieces.to_numpy())
    return shapely.line_merge(whole) if whole.geom_type == "MultiLineString" else whole


def _ids(roads: gpd.GeoDataFrame) -> pd.Series:
    # The file's id where no other road has it, else made of the name, numbered where two names look alike.
    given = roads["road_id"].where(~roads["road_id"].duplicated(keep=False) & roads["road_id"].notna())
    taken = set(given.dropna())
    made: list[str] = []
    for own, name in zip(given, roads["road_name"], strict=True):
        choices = (
            f"{fold(name)}{'' if number == 1 else f'-{number}'}" for number in range(1, len(roads) + 2)
        )
        chosen = own if isinstance(own, str) else next(one for one in choices if one not in taken)
        taken.add(chosen)
        made.append(chosen)
    return pd.Series(made, index=roads.index, dtype=object)


def _notes(dots: int, pieces: gpd.GeoDataFrame) -> list[Note]:
    nameless = int(pieces["road_name"].isna().sum())
    return of_counts(
        [
            (
                dots,
                "road_without_length",
                "Bỏ {} đoạn không có chiều dài.",
                "Left out {} pieces without a length.",
            ),
            (nameless, "road_without_name", "Bỏ {} đoạn không có tên.", "Left out {} pieces without a name."),
        ]
    )
