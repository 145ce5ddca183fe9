"""What a file's name says: our pattern `source__device__operator__date.ext`, or an app's own."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Literal

SOURCES: dict[str, Literal["drive_test", "crowdsourced"]] = {
    "drive_test": "drive_test",
    "crowdsourced": "crowdsourced",
}
OUR_PARTS = 4
# G-NetTrack Pro names a log after the operator and the moment it was started.
GNETTRACK = re.compile(r"^(?P<operator>[^_]+)_(?P<date>\d{4}\.\d{2}\.\d{2})_\d{2}\.\d{2}\.\d{2}")
_DATE = re.compile(r"^(\d{4})[-.](\d{2})[-.](\d{2})")


@dataclass(frozen=True)
class NameSays:
    """What a name tells of its file; None = it does not say."""

    source: Literal["drive_test", "crowdsourced"] | None = None
    device: str | None = None
    operator: str | None = None
    date: datetime.date | None = None


def read(name: str, own: re.Pattern[str] | None = None) -> NameSays:
    """What the file name (no folders) says: our pattern first, else the app's `own`, else nothing."""
    stem = name.rsplit(".", 1)[0] if "." in name else name
    parts = stem.split("__")
    source = SOURCES.get(parts[0].casefold())
    if len(parts) == OUR_PARTS and source is not None:
        return NameSays(source, parts[1] or None, parts[2] or None, _date(parts[3]))
    match = own.match(name) if own is not None else None
    if match is None:
        return NameSays()
    return NameSays(operator=match["operator"], date=_date(match["date"]))


def _date(text: str) -> datetime.date | None:
    match = _DATE.match(text)
    if match is None:
        return None
    try:
        return datetime.date(*(int(part) for part in match.groups()))
    except ValueError:
        return None
