"""Grid power per village, with its source: who says that a village has electricity, and since when."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from coverage.names import fold
from coverage.places.matching import NAME_SYNONYMS, rows_of_villages
from coverage.places.notes import Doubts, Note
from coverage.places.power.words import status_of
from coverage.places.sheets import read_table
from coverage.places.vector_files import (
    counts,
    flags,
    need,
    or_none,
    refuse_rows,
    refuse_values,
    rename,
    texts,
)

_SYNONYMS = {
    "village_id": ("Mã thôn", "ma_thon"),
    **NAME_SYNONYMS,
    "households": ("Số hộ", "households_total"),
    "households_grid": ("Số hộ có điện lưới", "so_ho_co_dien_luoi"),
    "grid_status": ("Có điện lưới", "Điện lưới", "Tình trạng điện", "Nguồn điện", "co_dien_luoi"),
    "source": ("nguồn",),
    "evidence": ("Loại bằng chứng",),
    "as_of": ("Ngày", "Ngày số liệu", "date"),
}
# Words in a source that make it a hint, whatever class its author had in mind: night lights and map lines.
_HINTS = (
    "inferred",
    "viirs",
    "nightlight",
    "ntl",
    "anhsangdem",
    "suyluan",
    "uocluong",
    "openstreetmap",
    "osm",
)
_CLASSES = {"official_list", "utility", "field", "inferred"}
_RANK = {"utility": 0, "official_list": 1, "field": 2, "inferred": 3}
_ON_GRID = {"national_grid": True, "off_grid": False, "none": False}
OPPOSED = (
    "cột có điện lưới và số hộ có điện lưới trái nhau; lấy theo số hộ",
    "the column of the grid and the households on it contradict each other; the households are taken",
)
_WORDS = {
    "national_grid": "có điện lưới",
    "off_grid": "chỉ có điện tại chỗ",
    "none": "chưa có điện lưới",
}


def read_power(path: Path, villages: pd.DataFrame | None = None) -> tuple[pd.DataFrame, list[Note]]:
    """What a table says of villages' electricity, as the contract POWER, and notes; raises `PlacesRefused`.

    With `villages` (contract VILLAGES) a row without an id may name its village and commune instead; one that
    fits none or several is noted and left out.

    `evidence` is taken from its own column or, without one, from the source: its first word where that is
    a class, `inferred` where it names night lights or map lines (a hint never proves), else official_list.
    Households with electricity are not households on the grid: statistics count generators and family
    hydropower too, so such a column is not taken for one. Instead of households, or beside them,
    `grid_status` says yes, no, or words for power of one's own (solar, generator, small hydropower:
    off_grid), every word of which must be known (see `words`); where households on the grid are counted, the
    count decides, and a contradiction is noted.
    """
    table, notes = read_table(path, _SYNONYMS)
    frame = rename(table, _SYNONYMS)
    frame, unsettled = rows_of_villages(frame, villages, path, _SYNONYMS["village_id"])
    if "grid_status" not in frame:
        need(frame, "households_grid", path, _SYNONYMS["households_grid"] + _SYNONYMS["grid_status"])
    source = texts(frame, "source").fillna(path.name)
    households, on_grid = counts(frame, "households", path), counts(frame, "households_grid", path)
    said = _said(frame, path)
    share = (on_grid / households).where(households > 0, on_grid)
    opposed = opposes(said.map(_ON_GRID), share)
    power = pd.DataFrame(
        {
            "village_id": texts(frame, "village_id"),
            "households": households,
            "households_grid": on_grid,
            "grid_status": said.where(on_grid.isna() | (said.eq("off_grid") & on_grid.eq(0)), None),
            "source": source,
            "evidence": texts(frame, "evidence").fillna(source.map(evidence_of)),
            "as_of": _dates(texts(frame, "as_of"), path),
        }
    )
    _refuse_bad_rows(power, path)
    notes += [*unsettled, *Doubts(path.name, frame.index).notes("power_contradiction", opposed, *OPPOSED)]
    return power.sort_values(["village_id", "source"], ignore_index=True), notes


def opposes(on_grid: pd.Series, share: pd.Series[float]) -> pd.Series[bool]:
    """Where a yes goes with less than half of the households on the grid, or a no with any; missing never does."""
    return (on_grid.eq(False) & share.gt(0)) | (on_grid.eq(True) & share.lt(0.5))


def _said(frame: pd.DataFrame, path: Path) -> pd.Series[str]:
    plain = flags(frame, "grid_status").map({True: "national_grid", False: "none"})
    words = texts(frame, "grid_status")
    said = plain.where(plain.notna(), words.map(lambda text: status_of(text) if text else None))
    strange = words.notna() & said.isna()
    refuse_values(
        path,
        words,
        strange,
        "không rõ nghĩa (cần: có, không, điện lưới, mặt trời, máy phát, thuỷ điện nhỏ, không rõ)",
        "is not understood (needed: yes, no, national grid, solar, generator, off-grid, unknown)",
    )
    return said.astype(object).where(said.notna(), None)


def evidence_of(source: str) -> str:
    """The class of evidence that a source's words tell: see `read_power`."""
    key = fold(source)
    for name in _CLASSES:
        if key.startswith(fold(name)):
            return name
    return "inferred" if any(hint in key for hint in _HINTS) else "official_list"


def _dates(values: pd.Series, path: Path) -> pd.Series:
    parsed = pd.to_datetime(values, format="%Y-%m-%d", errors="coerce")
    bad = values.notna() & parsed.isna()
    refuse_values(path, values.rename("as_of"), bad, "không có dạng 2026-10-31", "is not like 2026-10-31")
    return parsed.dt.date.astype(object).where(parsed.notna(), None)


def _refuse_bad_rows(power: pd.DataFrame, path: Path) -> None:
    refuse_rows(
        path,
        (
            (power["village_id"].isna(), "thiếu mã thôn", "village id missing"),
            (~power["evidence"].isin(_CLASSES), "loại bằng chứng lạ", "unknown class of evidence"),
            (
                power["households_grid"] > power["households"],
                "số hộ có điện lớn hơn số hộ",
                "more households on the grid than households",
            ),
            ((power["households_grid"] < 0) | (power["households"] < 0), "số hộ âm", "negative households"),
        ),
    )


def grid_status(power: pd.DataFrame, households: pd.Series, electrified_share: float) -> pd.DataFrame:
    """Each village's electricity: one row per village_id of `households` (indexed by village_id).

    Columns: grid_status, electrified (true, false, or None where nobody proves it), power_source,
    power_as_of, power_evidence, power_conflict. A source says what its `grid_status` says outright, else
    whether at least `electrified_share` of its households (or the village's) are on the grid.

    The best class of evidence speaks (utility, official list, field, then inferred), the newest within it.
    A proof that says otherwise and is not older, or where one of the two is undated, is a conflict: then
    grid_status is unknown and electrified None, because nobody is accused on disputed power. An older one is
    superseded. Inferred power leaves `electrified` open and never changes it: where it says otherwise it is
    named in `power_conflict`, as the proofs are. The order of the rows does not matter.
    """
    said = _statements(power, households, electrified_share)
    best = said.drop_duplicates("village_id").set_index("village_id").reindex(households.index)
    others = _contradictions(said, best)
    is_hint = others["evidence"].eq("inferred")
    disputed = pd.Series(best.index.isin(others.loc[~is_hint, "village_id"]), index=best.index)
    proven = best["evidence"].ne("inferred") & best["on_grid"].notna() & ~disputed
    return pd.DataFrame(
        {
            "grid_status": best["says"].fillna("unknown").mask(disputed, "unknown"),
            "electrified": best["on_grid"].where(proven, None),
            "power_source": or_none(best["source"]),
            "power_as_of": or_none(best["as_of"]),
            "power_evidence": or_none(best["evidence"]),
            "power_conflict": or_none(_in_one_line(best, others).reindex(best.index)),
        },
        index=households.index,
    )


def _statements(power: pd.DataFrame, households: pd.Series, electrified_share: float) -> pd.DataFrame:
    # Every row with what it says, the one to be believed first of each village.
    counted = power["households"].where(power["households"] > 0, power["village_id"].map(households))
    share = (power["households_grid"] / counted).where(counted > 0)
    by_count = (share >= electrified_share).map({True: "national_grid", False: "none"}).where(share.notna())
    # Workspaces from before `grid_status` have tables of power without it.
    outright = power.get("grid_status", pd.Series(None, index=power.index, dtype=object))
    said = power.assign(
        says=outright.astype(object).where(outright.notna(), by_count),
        rank=power["evidence"].map(_RANK),
        when=pd.to_datetime(power["as_of"]),
    )
    said["on_grid"] = said["says"].map(_ON_GRID).astype(object)
    said["silent"] = said["on_grid"].isna()
    said = said.sort_values(["says", "source"], na_position="last")
    said = said.sort_values("when", ascending=False, na_position="last", kind="stable")
    return said.sort_values(["silent", "rank"], kind="stable", ignore_index=True)


def _contradictions(said: pd.DataFrame, best: pd.DataFrame) -> pd.DataFrame:
    # What says otherwise than the best: hints of any age, and proofs that are not older than it.
    chosen = best[["on_grid", "when"]].add_prefix("best_")
    both = said.merge(chosen, left_on="village_id", right_index=True)
    both = both[both["on_grid"].notna() & both["on_grid"].ne(both["best_on_grid"])]
    return both[both["evidence"].eq("inferred") | ~(both["when"] < both["best_when"])]


def _in_one_line(best: pd.DataFrame, others: pd.DataFrame) -> pd.Series[str]:
    theirs = _in_words(others).groupby(others["village_id"]).agg("; ".join)
    ours = _in_words(best.loc[theirs.index])
    lines = [f"{one} ≠ {other}" for one, other in zip(ours, theirs, strict=True)]
    return pd.Series(lines, index=theirs.index, dtype=object)


def _in_words(said: pd.DataFrame) -> pd.Series[str]:
    columns = (said[name] for name in ("source", "as_of", "evidence", "says"))
    words = [
        f"{source} ({'không rõ ngày' if pd.isna(day) else f'{day:%Y-%m-%d}'}"
        f"{', suy luận' if evidence == 'inferred' else ''}): {_WORDS[says]}"
        for source, day, evidence, says in zip(*columns, strict=True)
    ]
    return pd.Series(words, index=said.index, dtype=object)
