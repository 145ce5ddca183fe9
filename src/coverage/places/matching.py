"""Rows that name a village and its commune without an id → the village's id, where exactly one is meant."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import groupby
from pathlib import Path

import pandas as pd

from coverage.errors import PlacesRefused
from coverage.names import fold, place_key
from coverage.places.notes import Doubts, Note
from coverage.places.vector_files import need, texts

# The columns of a table by which `rows_of_villages` finds a village that has no id there.
NAME_SYNONYMS = {
    "village_name": ("Tên thôn", "ten_thon", "Thôn", "Tên thôn, buôn", "Thôn, buôn"),
    "commune_code": ("Mã xã", "ma_xa", "MAXA"),
    "commune_name": ("Xã", "Tên xã", "ten_xa", "Xã, phường"),
}


def match_villages(
    names: pd.Series, communes: pd.Series, villages: pd.DataFrame, file: str
) -> tuple[pd.Series, list[Note]]:
    """The village id of each row (None where none or several fit), and a note for each that is not settled.

    `names` and `communes` share an index named `row` or `feature`; a commune is a code (present, or as the
    villages' own file had it) or a name, None where not given. `villages` is of the contract VILLAGES. Names are
    compared by `place_key`; where several villages fit, the one whose name is the same to the letter, tones
    aside. Between two that still fit nothing is chosen.
    """
    doubts = Doubts(file, names.index)
    by_key = _by_key(villages)
    ids, notes = [], []
    for label, name, commune in zip(names.index, names, communes, strict=True):
        found = _candidates(name, commune, by_key) if isinstance(name, str) else []
        ids.append(found[0] if len(found) == 1 else None)
        if isinstance(name, str) and len(found) != 1:
            notes.append(_unsettled(doubts, label, name, commune, found))
    return pd.Series(ids, index=names.index, dtype=object), notes


_Village = tuple[str, str, set[str]]  # id, name, what its commune is known by


def _by_key(villages: pd.DataFrame) -> dict[str, list[_Village]]:
    columns = villages[["village_id", "village_name", "commune_code", "commune_code_given", "commune_name"]]
    known: list[tuple[str, _Village]] = []
    for village_id, name, *communes in columns.astype(object).itertuples(index=False):
        keys = {_commune_key(text) for text in communes if isinstance(text, str)}
        known.append((place_key(name), (village_id, name, keys)))
    known.sort(key=lambda one: (one[0], one[1][0]))
    return {key: [village for _, village in group] for key, group in groupby(known, key=lambda one: one[0])}


def _commune_key(text: str) -> str:
    return text.zfill(5) if text.isdecimal() and len(text) > 2 else place_key(text)


def _candidates(name: str, commune: object, by_key: dict[str, list[_Village]]) -> list[str]:
    fitting = by_key.get(place_key(name), [])
    if isinstance(commune, str):
        fitting = [village for village in fitting if _commune_key(commune) in village[2]]
    same = [village for village in fitting if fold(village[1]) == fold(name)]
    return [village_id for village_id, _, _ in (same if len(same) == 1 else fitting)]


def _unsettled(doubts: Doubts, label: Hashable, name: str, commune: object, found: list[str]) -> Note:
    place_vi, place_en = (f", xã {commune}", f", commune {commune}") if isinstance(commune, str) else ("", "")
    if not found:
        return doubts.note(
            "unknown_village",
            label,
            f"không có thôn nào tên “{name}”{place_vi}",
            f"no village is called “{name}”{place_en}",
        )
    listed = ", ".join(found[:5])
    return doubts.note(
        "ambiguous_village",
        label,
        f"“{name}”{place_vi} có thể là nhiều thôn ({listed}); hãy ghi mã thôn",
        f"“{name}”{place_en} may be several villages ({listed}); give its id",
    )


def rows_of_villages(
    frame: pd.DataFrame, villages: pd.DataFrame | None, path: Path, id_synonyms: Sequence[str]
) -> tuple[pd.DataFrame, list[Note]]:
    """The rows of a table of which the village is known, `village_id` filled; and a note for each that is left out.

    `frame` has our column names; without an id a row may name its village and commune (`NAME_SYNONYMS`), where
    `villages` (contract VILLAGES) says which there are. A row with neither id nor name stays, for its reader to
    refuse. Raises `PlacesRefused` where the table has no column to know a village by.
    """
    if villages is None and "village_id" not in frame and "village_name" in frame:
        raise PlacesRefused(
            f"{path.name}: không có mã thôn, và chưa có lớp thôn để tìm theo tên: hãy thêm lớp thôn trước.",
            f"{path.name}: has no village ids, and there are no villages yet to find by name: add the villages first.",
        )
    if villages is None or "village_name" not in frame:
        need(frame, "village_id", path, id_synonyms)
        return frame, []
    rows = pd.DataFrame({name: texts(frame, name) for name in ("village_id", *NAME_SYNONYMS)})
    bare = rows["village_id"].isna()
    communes = rows["commune_code"].where(rows["commune_code"].notna(), rows["commune_name"])
    found, notes = match_villages(rows.loc[bare, "village_name"], communes[bare], villages, path.name)
    ids = rows["village_id"].where(~bare, found.reindex(rows.index))
    known = ids.notna() | rows["village_name"].isna()
    return frame.assign(village_id=ids)[known], notes


def unknown_villages(frame: pd.DataFrame, villages: pd.DataFrame) -> list[Note]:
    """A note for each village_id of a table that no village has."""
    unknown = set(frame["village_id"].dropna()) - set(villages["village_id"])
    return [
        Note(
            "unknown_village",
            village_id,
            f"Không có thôn nào mang mã {village_id}.",
            f"No village has the id {village_id}.",
        )
        for village_id in sorted(unknown)
    ]


def unknown_communes(frame: pd.DataFrame, villages: pd.DataFrame) -> list[Note]:
    """A note for each commune_code of a table that no village has."""
    unknown = set(frame["commune_code"].dropna()) - set(villages["commune_code"].dropna())
    return [
        Note(
            "unknown_commune",
            code,
            f"Không có thôn nào thuộc xã mang mã {code}.",
            f"No village belongs to a commune with code {code}.",
        )
        for code in sorted(unknown)
    ]
