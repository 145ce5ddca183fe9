"""Known radio sites: masts and cells, as operators, apps and public databases list them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import shapely

from coverage import cell_lists
from coverage.errors import PlacesRefused
from coverage.names import fold
from coverage.places.notes import Note, of_counts
from coverage.places.sheets import TABLE_SUFFIXES, is_book, read_table, read_text
from coverage.places.sites import plans
from coverage.places.sites.lists import lines_of, list_rows
from coverage.places.vector_files import (
    first_text,
    need,
    numbers,
    read_layer,
    refuse_values,
    rename,
    texts,
)

_SYNONYMS = {
    "site_id": ("Mã trạm", "ma_tram", "id"),
    "operator": ("Nhà mạng", "plmn", "mccmnc"),
    "mcc": (),
    "mnc": ("net",),
    "technology": ("Công nghệ", "radio", "tech", "rat"),
    "area": ("lac", "tac"),
    "node": ("enb", "gnb", "rnc"),
    "cell": ("Mã cell", "cell_id", "cid", "ECellID", "nci"),
    "lat": ("Vĩ độ", "latitude"),
    "lon": ("Kinh độ", "longitude", "lng"),
    "name": ("Tên trạm", "ten_tram", "site_name", "Cellname"),
    "range_m": ("range", "Bán kính"),
    "azimuth_deg": ("azimuth", "Góc phương vị"),
    "height_m": (
        *("height", "Chiều cao", "Độ cao anten", "Chiều cao anten", "Chiều cao cột", "antenna_height"),
        *("antenna_height_m",),
    ),
    **plans.SYNONYMS,
    "source": ("nguồn",),
}
_TEXT_SUFFIXES = TABLE_SUFFIXES | {".ntm", ".clf"}
_SIMULATED = "simulated"
_LIMITS = {
    "lat": (-90.0, 90.0),
    "lon": (-180.0, 180.0),
    "azimuth_deg": (0.0, 360.0),
    "range_m": (0.0, 1e6),
    "height_m": (0.0, 1000.0),
}
_FAULTS = {
    "lat": ("ngoài quả đất (độ WGS 84; có thể bị đảo)", "is off the globe (WGS 84 degrees; may be swapped)"),
    "lon": ("ngoài quả đất (độ WGS 84; có thể bị đảo)", "is off the globe (WGS 84 degrees; may be swapped)"),
    "azimuth_deg": ("ngoài 0…360 độ (-1 hoặc trống = không rõ)", "is not in 0…360 degrees (-1 or empty = unknown)"),
    "range_m": ("không phải bán kính tính bằng mét", "is no range in metres"),
    "height_m": ("không phải chiều cao anten tính bằng mét (0…1000)", "is no antenna height in metres (0…1000)"),
}  # fmt: skip


def read_sites(path: Path, crs: str | None = None) -> tuple[pd.DataFrame, list[Note]]:
    """The radio sites in a file, as the contract SITES, and what a person should look at.

    Read are point layers, tables with a header, and the lists of `cell_lists`; text may be packed with gzip.
    Coordinates are WGS 84 degrees. Operators, and the technologies of a table, stay as the file writes them.
    Rows without a position (empty, or 0, 0) are left out, switched-off sites, sites of a state that is not
    understood and rows that repeat another; the notes count each. A height of 0 is not known. Planned or on air: see `plans`.
    Raises `PlacesRefused`.
    """
    rows, kind, notes = _rows(path, crs)
    sites = _sites(rows, kind, path)
    _refuse_bad_rows(sites, path)
    placed = sites[_has_position(sites)]
    if placed.empty:
        raise PlacesRefused(
            f"{path.name}: không dòng nào có vị trí. Hãy điền vĩ độ và kinh độ (WGS 84).",
            f"{path.name}: no row has a position. Fill in latitude and longitude (WGS 84).",
        )
    clear = placed[placed["strange"].isna()]
    strange = _strange_notes(placed["strange"].dropna(), path, nothing_else=clear.empty)
    standing = clear[~clear["switched_off"]].drop(columns=["switched_off", "strange"])
    kept = standing.drop_duplicates().sort_values(
        ["site_id", "technology", "cell", "lat", "lon", "azimuth_deg"], ignore_index=True
    )
    left_out = _notes(len(sites) - len(placed), len(clear) - len(standing), len(standing) - len(kept))
    return kept, notes + left_out + strange


def _rows(path: Path, crs: str | None) -> tuple[pd.DataFrame, str, list[Note]]:
    # The file's cells under our names, what kind of list it is, and what was left out of it.
    if path.suffix.lower() not in _TEXT_SUFFIXES:
        return _layer_rows(path, crs), "map layer", []
    text = "" if is_book(path) else read_text(path)
    known = cell_lists.list_of(next(iter(lines_of(text)), ""))
    if known is not None:
        return _with_mark(list_rows(known, text, path), text), known.name, []
    table, notes = read_table(path, _SYNONYMS)
    kind = _kind(table)
    rows = rename(table, _SYNONYMS)
    for column in ("lat", "lon"):
        need(rows, column, path, _SYNONYMS[column])
    if kind == cell_lists.NSG and "technology" not in rows:
        rows["technology"] = "LTE"  # ECellID is the 28-bit number of an LTE cell
    return _with_mark(rows, text or table.to_csv()), kind, notes


def _with_mark(rows: pd.DataFrame, text: str) -> pd.DataFrame:
    # What is invented must stay known as such, whichever column says so.
    return rows.assign(mark=_SIMULATED if _SIMULATED in text.casefold() else None)


def _layer_rows(path: Path, crs: str | None) -> pd.DataFrame:
    layer = read_layer(path, crs)
    refuse_values(
        path,
        layer.geometry.geom_type.rename("geometry"),
        pd.Series(shapely.get_num_coordinates(layer.geometry.to_numpy()) > 1),
        "không phải điểm: mỗi trạm là một điểm",
        "is no point: a site is one point",
    )
    words = layer.drop(columns=layer.geometry.name).to_csv(index=False)
    points = layer.geometry.representative_point()
    rows = rename(layer, _SYNONYMS).assign(lat=points.y, lon=points.x)
    return _with_mark(rows, words)


def _kind(table: pd.DataFrame) -> str:
    there = {fold(str(name)) for name in table.columns}
    known = (name for name, has in cell_lists.HEADERS.items() if there.issuperset(map(fold, has)))
    return next(known, "table")


def _sites(rows: pd.DataFrame, kind: str, path: Path) -> pd.DataFrame:
    measures = {column: numbers(rows, column, path) for column in _LIMITS}
    operator, technology, cell = _operators(rows), texts(rows, "technology"), _cells(rows)
    place = pd.Series(_spots(measures["lat"], measures["lon"]), index=rows.index, dtype=object)
    made = _joined([operator, technology, cell.fillna(place)])
    return pd.DataFrame(
        {
            "site_id": texts(rows, "site_id").fillna(made),
            "operator": operator,
            "technology": technology,
            "cell": cell,
            "lat": measures["lat"],
            "lon": measures["lon"],
            "name": texts(rows, "name"),
            "range_m": measures["range_m"],
            "azimuth_deg": measures["azimuth_deg"].where(measures["azimuth_deg"] != -1),
            # No antenna stands at 0 m: lists write it where they do not know.
            "height_m": measures["height_m"].where(measures["height_m"] != 0),
            **plans.read_plans(rows, path),
            "source": _sources(rows, kind, path),
        }
    )


def _operators(rows: pd.DataFrame) -> pd.Series:
    pairs = zip(texts(rows, "mcc"), texts(rows, "mnc"), strict=True)
    digits = [f"{mcc}{mnc.zfill(2)}" if mcc and mnc else None for mcc, mnc in pairs]
    return first_text(texts(rows, "operator"), pd.Series(digits, index=rows.index, dtype=object))


def _cells(rows: pd.DataFrame) -> pd.Series:
    # The numbers joined as the logs join those of a serving cell: area, node, cell.
    numbered = [texts(rows, column).map(_digits) for column in ("area", "node")]
    cell = texts(rows, "cell")
    joined = _joined([*numbered, cell])
    return joined.where(cell.notna(), None)


def _digits(text: str | None) -> str | None:
    # An "area" may also be a district: only a number is part of a cell's name.
    return text if text is not None and text.isdigit() else None


def _joined(columns: Sequence[pd.Series]) -> pd.Series:
    rows = zip(*columns, strict=True)
    joined = ["-".join(text for text in row if isinstance(text, str)) or None for row in rows]
    return pd.Series(joined, index=columns[0].index, dtype=object)


def _spots(lat: pd.Series, lon: pd.Series) -> list[str]:
    return [f"{north:.5f},{east:.5f}" for north, east in zip(lat, lon, strict=True)]


def _sources(rows: pd.DataFrame, kind: str, path: Path) -> pd.Series:
    from_file = f"{path.name} ({kind})"
    given = zip(texts(rows, "source"), rows["mark"], strict=True)
    told = [", ".join(text for text in (own, from_file) if text) + _left(own, mark) for own, mark in given]
    return pd.Series(told, index=rows.index, dtype=object)


def _left(own: str | None, mark: str | None) -> str:
    return f", {mark}" if mark and mark not in (own or "").casefold() else ""


def _refuse_bad_rows(sites: pd.DataFrame, path: Path) -> None:
    for column, (low, high) in _LIMITS.items():
        values = sites[column]
        refuse_values(path, values, values.notna() & ~values.between(low, high), *_FAULTS[column])


def _has_position(sites: pd.DataFrame) -> pd.Series[bool]:
    nowhere = (sites["lat"] == 0) & (sites["lon"] == 0)
    return sites["lat"].notna() & sites["lon"].notna() & ~nowhere


def _strange_notes(states: pd.Series, path: Path, *, nothing_else: bool) -> list[Note]:
    notes = [
        Note(
            "site_state_strange",
            "",
            f"Bỏ {count} trạm có trạng thái “{state}” không rõ nghĩa; hãy ghi: đang phát sóng, dự kiến hoặc đã ngừng.",
            f"Left out {count} sites of state “{state}”, which is not understood; write: on air, planned or switched off.",
        )
        for state, count in states.value_counts().sort_index().items()
    ]
    if nothing_else:
        raise PlacesRefused(
            f"{path.name}: {' '.join(note.vi for note in notes)}",
            f"{path.name}: {' '.join(note.en for note in notes)}",
        )
    return notes


def _notes(unplaced: int, switched_off: int, repeated: int) -> list[Note]:
    return of_counts(
        [
            (
                unplaced,
                "site_without_position",
                "Bỏ {} dòng không rõ vị trí.",
                "Left out {} rows of unknown position.",
            ),
            (
                switched_off,
                "site_switched_off",
                "Bỏ {} trạm đã ngừng.",
                "Left out {} sites that are switched off.",
            ),
            (
                repeated,
                "site_repeated",
                "Bỏ {} dòng lặp lại dòng khác.",
                "Left out {} rows that repeat another.",
            ),
        ]
    )
