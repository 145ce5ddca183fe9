"""Old and present communes: which became which."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from coverage.places.notes import Note
from coverage.places.sheets import read_table
from coverage.places.vector_files import need, refuse_rows, rename, texts

_SYNONYMS = {
    "old_code": ("Mã xã cũ", "ma_xa_cu"),
    "old_name": ("Tên xã cũ", "Xã cũ", "ten_xa_cu"),
    "new_code": ("Mã xã mới", "ma_xa_moi"),
    "new_name": ("Tên xã mới", "Xã mới", "ten_xa_moi"),
    "type": ("Loại", "partial"),
    "source": ("nguồn",),
}
# Resolution 202/2025/QH15: the communes of the merger work from this day on.
_FROM = date(2025, 7, 1)
_TO = date(2025, 6, 30)
_WHOLE, _PART = {"full", "toan bo", "toàn bộ"}, {"partial", "mot phan", "một phần"}


def packaged_links() -> pd.DataFrame:
    """The links of the merger of 2025-07-01 for the whole country, as the contract COMMUNE_LINKS.

    Read at run time from the package vietnamadminunits (MIT). Five island districts that had no communes have no
    old code and so no link.
    """
    # Half a second to import, which only those who read places or search by old names need.
    from vietnamadminunits.database import get_data  # noqa: PLC0415

    present = {
        (unit["provinceKey"], unit["wardKey"]): (unit["wardCode"], unit["ward"])
        for unit in get_data(fields=["provinceKey", "wardKey", "wardCode", "ward"], table="admin_units")
    }
    before = {
        f"{unit['provinceKey']}_{unit['districtKey']}_{unit['wardKey']}": (unit["wardCode"], unit["ward"])
        for unit in get_data(
            fields=["provinceKey", "districtKey", "wardKey", "wardCode", "ward"], table="admin_units_legacy"
        )
        if unit["wardCode"]
    }
    pairs = _packaged_pairs()
    rows = [(*before[old], *present[new], partial) for old, new, partial in pairs if old in before]
    return _links(
        pd.DataFrame(rows, columns=["old_code", "old_name", "new_code", "new_name", "partial"]),
        "vietnamadminunits",
    )


def _packaged_pairs() -> list[tuple[str, tuple[str, str], bool]]:
    """Old key, (province, present key), whether only a part went there."""
    text = files("vietnamadminunits").joinpath("data", "converter_2025.json").read_bytes()
    known: dict[str, Any] = orjson.loads(text)
    whole = [
        (old, (province, ward), False)
        for province, wards in known["DICT_PROVINCE_WARD_NO_DIVIDED"].items()
        for ward, olds in wards.items()
        for old in olds
    ]
    split = [
        (old, (province, part["newWardKey"]), True)
        for province, olds in known["DICT_PROVINCE_WARD_DIVIDED"].items()
        for old, parts in olds.items()
        for part in parts
    ]
    return whole + split


def read_links(path: Path) -> tuple[pd.DataFrame, list[Note]]:
    """The links in a table of old and present codes and names (contract COMMUNE_LINKS), and what was left out.

    `type` is full or partial; an old code with several present ones is partial whatever it says. All are taken to
    be of the merger of 2025-07-01. Raises `PlacesRefused`.
    """
    table, notes = read_table(path, _SYNONYMS)
    frame = rename(table, _SYNONYMS)
    for column in ("old_code", "old_name", "new_code", "new_name"):
        need(frame, column, path, _SYNONYMS[column])
    kind = texts(frame, "type").map(str.casefold, na_action="ignore")
    links = pd.DataFrame(
        {
            "old_code": codes(texts(frame, "old_code")),
            "old_name": texts(frame, "old_name"),
            "new_code": codes(texts(frame, "new_code")),
            "new_name": texts(frame, "new_name"),
            "partial": kind.isin(_PART),
        }
    )
    refuse_rows(
        path,
        [
            (links.isna().any(axis=1), "thiếu mã hoặc tên", "a code or a name is missing"),
            (
                kind.notna() & ~kind.isin(_WHOLE | _PART),
                "loại phải là full hoặc partial",
                "type is full or partial",
            ),
        ],
    )
    return _links(links, path.name), notes


def codes(values: pd.Series) -> pd.Series:
    """Commune codes as five digits: spreadsheets drop the zeros at the start. Other texts stay; missing = None."""
    padded = values.map(lambda text: text.zfill(5) if text.isdecimal() else text, na_action="ignore")
    return padded.astype(object).where(padded.notna(), None)


def _links(pairs: pd.DataFrame, source: str) -> pd.DataFrame:
    several = pairs.groupby("old_code")["new_code"].transform("nunique") > 1
    links = pairs.assign(partial=pairs["partial"] | several, valid_to=_TO, valid_from=_FROM, source=source)
    return links.drop_duplicates(["old_code", "new_code"]).sort_values(
        ["old_code", "new_code"], ignore_index=True
    )
