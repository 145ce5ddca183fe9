"""The names that communes had before they were merged, for those who search by them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from coverage.places.communes.links import packaged_links


def former_names(codes: Iterable[str | None]) -> list[list[str]]:
    """For each present commune code the old names that are not its own name, sorted; empty where none is known."""
    known = _names()
    return [known.get(code or "", []) for code in codes]


@cache
def _names() -> dict[str, list[str]]:
    links = packaged_links()
    others = links[links["old_name"] != links["new_name"]]
    names = others.groupby("new_code")["old_name"].agg(lambda found: sorted(set(found)))
    return {str(code): found for code, found in names.items()}
