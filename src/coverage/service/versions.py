"""Which Phủ Sóng this is."""

from __future__ import annotations

from importlib.metadata import version

from coverage.settings import get_settings

VERSION = version("phusong")


def about() -> dict[str, str | None]:
    """Version, and the Git commit that was built; None where whoever built it did not say."""
    return {"version": VERSION, "commit": get_settings().commit}
