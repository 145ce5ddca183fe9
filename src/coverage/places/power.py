"""Grid power per village, with its source: who says that a village has electricity, and since when."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from coverage.names import fold
from coverage.places.sheets import read_table
from coverage.places.vector_files import counts, need, refuse_rows, refuse_values, rename, texts

_SYNONYMS = {
    "village_id": ("Mã thôn", "ma_thon"),
    "households": ("Số hộ", "households_total"),
    "households_grid": ("Số hộ có điện lưới", "so_ho_co_dien_luoi"),
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


def read_power(path: Path) -> pd.DataFrame:
    """What a table says of villages' electricity, as the contract POWER; raises `PlacesRefused`.

    `evidence` is taken from its own column or, without one, from the source: its first word where that is
    a class, `inferred` where it names night lights or map lines (a hint never proves), else official_list.
    Households with electricity are not households on the grid: statistics count generators and family
    hydropower too, so such a column is not taken for one.
    """
    frame = rename(read_table(path, _SYNONYMS)[0], _SYNONYMS)
    need(frame, "village_id", path, _SYNONYMS["village_id"])
    need(frame, "households_grid", path, _SYNONYMS["households_grid"])
    source = texts(frame, "source").fillna(path.name)
    power = pd.DataFrame(
        {
            "village_id": texts(frame, "village_id"),
            "households": counts(frame, "households", path),
            "households_grid": counts(frame, "households_grid", path),
            "source": source,
            "evidence": texts(frame, "evidence").fillna(source.map(evidence_of)),
            "as_of": _dates(texts(frame, "as_of"), path),
        }
    )
    _refuse_bad_rows(power, path)
    return power.sort_values(["village_id", "source"], ignore_index=True)


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
    power_as_of. The best class of evidence speaks (utility, official list, field, then inferred),
    the newest within it. Inferred power leaves `electrified` open, whatever it says.
    """
    ranked = power.assign(rank=power["evidence"].map(_RANK), when=pd.to_datetime(power["as_of"]))
    ranked = ranked.sort_values(["rank", "when"], ascending=[True, False], na_position="last")
    best = ranked.drop_duplicates("village_id").set_index("village_id").reindex(households.index)
    counted = best["households"].where(best["households"] > 0, households)
    share = (best["households_grid"] / counted).where(counted > 0)
    has_grid = share >= electrified_share
    proven = best["evidence"].notna() & (best["evidence"] != "inferred") & share.notna()
    status = has_grid.map({True: "national_grid", False: "none"}).where(share.notna(), "unknown")
    return pd.DataFrame(
        {
            "grid_status": status,
            "electrified": has_grid.astype(object).where(proven, None),
            "power_source": best["source"].astype(object).where(best["source"].notna(), None),
            "power_as_of": best["as_of"].astype(object).where(best["as_of"].notna(), None),
        },
        index=households.index,
    )
