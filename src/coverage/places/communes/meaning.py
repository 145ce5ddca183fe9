"""What a list means by the commune code and name it gives: an old commune, a present one, or several."""

from __future__ import annotations

import re
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from coverage.names import place_key
from coverage.places.notes import Note
from coverage.places.vector_files import or_none
from coverage.places.villages.where import commune_at

_NUMBERED = re.compile(r"^(?:phuong|xa|thitran)(?=\d+$)")


def resolve(
    villages: gpd.GeoDataFrame, links: pd.DataFrame, communes: gpd.GeoDataFrame | None = None
) -> tuple[gpd.GeoDataFrame, list[Note]]:
    """The villages (contract VILLAGES, EPSG:4326) under present commune codes, and what could not be settled.

    A code is taken together with the name beside it, for a number may have passed from one commune to another.
    Where several present communes may be meant (a commune that was split, a number with two meanings), the village's
    place in `communes` decides between them; where that is not known either, `commune_code` stays missing and the
    note names them. `commune_code_given` holds the file's code where it is not the present one. With `communes`
    only links to them count. An unknown code stays as it is.
    """
    known = _known(links, communes)
    places = (
        pd.Series(None, index=villages.index, dtype=object)
        if communes is None
        else commune_at(villages, communes)
    )
    rows = zip(
        villages["village_id"],
        *map(or_none, (villages["commune_code"], villages["commune_name"], places)),
        strict=True,
    )
    found = [_settled(known, *row) for row in rows]
    present = pd.Series([code for code, _ in found], index=villages.index, dtype=object)
    given = villages["commune_code"].where(
        villages["commune_code"].notna() & (villages["commune_code"] != present), None
    )
    before = villages["commune_code_given"]
    resolved = villages.assign(commune_code=present, commune_code_given=before.where(before.notna(), given))
    return resolved, [note for _, note in found if note is not None]


@dataclass(frozen=True)
class _Communes:
    """What codes and names meant before and mean now.

    present, former: code → name; became: old code → present codes; by_key: key of a name, old or present → present codes.
    """

    present: dict[str, str]
    former: dict[str, str]
    became: dict[str, set[str]]
    by_key: dict[str, set[str]]

    def by_name(self, name: str | None) -> set[str]:
        return self.by_key.get(place_key(name), set()) if name else set()

    def by_code(self, code: str, name: str | None) -> set[str]:
        """The present communes meant by a code, now or before; with a name only in the sense that the name fits."""
        now = {code} if code in self.present and _fits(self.present[code], name) else set()
        before = (
            self.became.get(code, set()) if code in self.former and _fits(self.former[code], name) else set()
        )
        return now | before

    def listed(self, codes: set[str]) -> str:
        return ", ".join(f"{code} {self.present[code]}".strip() for code in sorted(codes))


def _fits(known: str, name: str | None) -> bool:
    if name is None:
        return True
    ours, theirs = place_key(known), place_key(name)
    # “7” beside the code of Phường 7.
    return ours == theirs or (theirs.isdecimal() and _NUMBERED.sub("", ours) == theirs)


def _known(links: pd.DataFrame, communes: pd.DataFrame | None) -> _Communes:
    used = links if communes is None else links[links["new_code"].isin(communes["commune_code"])]
    present = dict(zip(used["new_code"], used["new_name"], strict=True))
    if communes is not None:
        names = communes["commune_name"].where(communes["commune_name"].notna(), "")
        layer = zip(communes["commune_code"], names, strict=True)
        present |= {code: name or present.get(code, "") for code, name in layer}
    former = dict(zip(used["old_code"], used["old_name"], strict=True))
    became: dict[str, set[str]] = {}
    by_key: dict[str, set[str]] = {}
    for old, new in zip(used["old_code"], used["new_code"], strict=True):
        became.setdefault(old, set()).add(new)
        by_key.setdefault(place_key(former[old]), set()).add(new)
    for code, name in present.items():
        by_key.setdefault(place_key(name), set()).add(code)
    by_key.pop("", None)
    return _Communes(present, former, became, by_key)


def _settled(
    known: _Communes, village_id: str, code: str | None, name: str | None, lies_in: str | None
) -> tuple[str | None, Note | None]:
    """The present code of one village, and what a person should know of how it was found."""
    if code is None and name is None:
        return None, None
    if code is None:
        return _chosen(known, _Given(village_id, None, name), known.by_name(name), lies_in)
    given = _Given(village_id, code, name)
    if not known.by_code(code, None):
        return _of_unknown_code(known, given, lies_in)
    meant = known.by_code(code, name)
    return _chosen(known, given, meant, lies_in) if meant else _of_contradiction(known, given, lies_in)


@dataclass(frozen=True)
class _Given:
    village_id: str
    code: str | None
    name: str | None

    @property
    def words(self) -> str:
        return "“" + " ".join(text for text in (self.code, self.name) if text) + "”"

    def note(self, code: str, vi: str, en: str) -> Note:
        return Note(
            code,
            self.village_id,
            f"Thôn {self.village_id}: xã ghi là {self.words} {vi}.",
            f"Village {self.village_id}: commune {self.words} {en}.",
        )


def _chosen(
    known: _Communes, given: _Given, meant: set[str], lies_in: str | None
) -> tuple[str | None, Note | None]:
    if not meant:
        return None, given.note("unknown_commune", "không có trong danh mục xã", "is in no list of communes")
    there = meant & {lies_in} if len(meant) > 1 else meant
    if len(there) != 1:
        listed = known.listed(meant)
        return None, given.note(
            "commune_open",
            f"có thể là nhiều xã hiện nay ({listed}); cần vị trí hoặc mã mới",
            f"may be several present communes ({listed}); its place or the present code is needed",
        )
    (present,) = there
    if given.code == present or (given.code is None and _fits(known.present[present], given.name)):
        return present, None
    code = "commune_by_place" if len(meant) > 1 else "old_commune"
    listed = known.listed(there)
    return present, given.note(code, f"nay là {listed}", f"is now {listed}")


def _of_unknown_code(known: _Communes, given: _Given, lies_in: str | None) -> tuple[str | None, Note]:
    # Names come back: the old commune of an unknown code may be another of the same name, so the name alone
    # settles nothing.
    named = known.by_name(given.name)
    if lies_in in named:
        listed = known.listed({lies_in})
        vi, en = (
            f"mang mã lạ, tên và vị trí là của {listed}",
            f"has an unknown code; name and place are those of {listed}",
        )
        return lies_in, given.note("commune_by_place", vi, en)
    vi, en = "mang mã không có trong danh mục xã", "has a code that is in no list of communes"
    if named:
        vi, en = f"{vi}; tên giống {known.listed(named)}", f"{en}; its name is like {known.listed(named)}"
    return given.code, given.note("unknown_commune", vi, en)


def _of_contradiction(known: _Communes, given: _Given, lies_in: str | None) -> tuple[str | None, Note]:
    """Code and name are of different communes, or nobody knows the name."""
    coded, named = known.by_code(given.code or "", None), known.by_name(given.name)
    there = (coded | named) & {lies_in} or (coded if len(coded) == 1 and not named else set())
    listed = known.listed(coded | named)
    note = given.note(
        "commune_contradiction",
        f"có mã và tên không khớp nhau ({listed})",
        f"has a code and a name that do not agree ({listed})",
    )
    return next(iter(there), None), note
