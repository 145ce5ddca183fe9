"""Ids of villages: the file's where unique, else made of commune and name, never of the row."""

from __future__ import annotations

import pandas as pd

from coverage.names import fold, place_key
from coverage.places.notes import Doubts, Note


def village_ids(rows: pd.DataFrame, content: pd.Series, doubts: Doubts) -> tuple[pd.Series, list[Note]]:
    """An id per row, and a note for each that was made.

    `rows` has village_id, village_name, commune_code and commune_name as text (missing = None). A made id is the
    commune's code (without one the key of its name) and the key of the village's name, so that a list in
    another order, or written with other tones, gives the same ids. Villages of one commune whose names meet in
    their key are told apart by the whole name; where that is the same too, by `content`, a text that holds all
    the file says of each.
    """
    given = rows["village_id"]
    kept = given.notna() & ~given.duplicated(keep=False)
    taken = set(given[kept])
    ids = given.where(kept, None)
    wanted = _made(rows[~kept], content)
    for label in sorted(wanted.index, key=lambda label: (wanted[label], content[label])):
        ids[label] = _free(wanted[label], taken)
        taken.add(ids[label])
    return ids, _notes(given, ids, kept, doubts)


def commune_keys(rows: pd.DataFrame) -> pd.Series:
    """What tells the communes of rows apart: the code, without one the key of the name, without both empty."""
    known = rows["commune_code"].where(rows["commune_code"].notna(), rows["commune_name"].map(_key))
    return known.fillna("").astype(object)


def _made(rows: pd.DataFrame, content: pd.Series) -> pd.Series:
    base = (
        commune_keys(rows).where(commune_keys(rows) != "", "x")
        + "-"
        + rows["village_name"].map(_key).fillna("0")
    )
    whole = base + "-" + rows["village_name"].map(fold, na_action="ignore").fillna("0")
    names = base.where(~base.duplicated(keep=False), whole)
    order = content.reindex(names.index).groupby(names).rank(method="first").astype(int).astype(str)
    return names.where(~names.duplicated(keep=False), names + "-" + order)


def _key(name: str | None) -> str | None:
    return (place_key(name) or None) if isinstance(name, str) else None


def _free(wanted: str, taken: set[str]) -> str:
    while wanted in taken:
        wanted += "x"
    return wanted


def _notes(given: pd.Series, ids: pd.Series, kept: pd.Series, doubts: Doubts) -> list[Note]:
    if given.isna().all() and len(given):
        vi, en = (
            "không có mã thôn, mã được đặt theo xã và tên",
            "has no village ids; they were made of commune and name",
        )
        return [Note("ids_made", "", f"{doubts.file}: {vi}.", f"{doubts.file}: {en}.")]
    notes = []
    for label in given.index[~kept]:
        code = "id_missing" if pd.isna(given[label]) else "id_repeated"
        vi, en = (
            ("thiếu mã thôn", "no village id")
            if code == "id_missing"
            else (f"mã thôn {given[label]} bị lặp", f"village id {given[label]} is repeated")
        )
        notes.append(
            doubts.note(code, label, f"{vi}, đặt mã {ids[label]}", f"{en}, made {ids[label]}", ids[label])
        )
    return notes
