"""What an upload says about its file, and how it is completed from the file's name."""

from __future__ import annotations

import datetime
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo

from coverage.errors import FileRefused
from coverage.logs import operators, quantities
from coverage.logs.filename import NameSays
from coverage.names import fold
from coverage.tables import UNKNOWN_DEVICE

Source = Literal["drive_test", "crowdsourced"]
Antenna = Literal["inside", "roof", "hand"]
DateOrder = Literal["dmy", "mdy"]
DEVICE_HASH_DIGITS = 16  # 64 bits: no two of a country's phones meet by chance
DEFAULT_TIMEZONE = "Asia/Ho_Chi_Minh"
# What a context resolves to where nobody says anything: no statement that a later upload could keep.
_UNSAID = {"source": "crowdsourced", "timezone": DEFAULT_TIMEZONE, "calibrated": False}


@dataclass(frozen=True)
class Context:
    """What the upload says of a file; used only where the file's rows say nothing. None = not said.

    operator: PLMN digits or a name; technology: 4G, LTE, …; device: as the team names it, or its hash
    once resolved; date: for files without times; timezone: IANA name of times without a zone; date_order:
    of dates like 8/7/2026, day or month first; team, campaign: the crew's own words; positive_only: whether the
    source never writes that there is no service, None = as its format does (`Format.records_no_service`), never
    for a drive test.
    """

    source: Source | None = None
    operator: str | None = None
    technology: str | None = None
    device: str | None = None
    date: datetime.date | None = None
    timezone: str | None = None
    format: str | None = None
    team: str | None = None
    campaign: str | None = None
    in_vehicle: bool | None = None
    antenna: Antenna | None = None
    calibrated: bool | None = None
    positive_only: bool | None = None
    date_order: DateOrder | None = None


def to_json(context: Context) -> dict[str, Any]:
    """The context as plain JSON values, as the manifest keeps it."""
    return asdict(context) | {"date": context.date and context.date.isoformat()}


def from_json(values: Mapping[str, Any]) -> Context:
    """The context that `to_json` gave."""
    day = values["date"]
    return Context(**{**values, "date": day and datetime.date.fromisoformat(day)})


def with_earlier(context: Context, earlier: Context | None) -> Context:
    """The context with what was said when the same bytes came before, wherever it says nothing itself.

    So sending a folder again without its options never takes them back; another value replaces the former
    one. `earlier` is as resolved then; its device is a hash, which `resolve` cannot take: see `read`.
    """
    if earlier is None:
        return context
    said = {
        name: value
        for name, value in vars(earlier).items()
        if name != "device" and getattr(context, name) is None and value != _UNSAID.get(name)
    }
    return replace(context, **said)


def resolve(context: Context, name: NameSays, device_key: bytes, names: Mapping[str, str]) -> Context:
    """The context with gaps filled from the file's name: options win over the name.

    Operator as digits where its name is known, technology as one of ours, device as its keyed hash or
    "unknown", source crowdsourced where nobody says otherwise. Raises `FileRefused` for an unknown
    technology or timezone.
    """
    zone(context)
    operator = operators.resolve(context.operator, names) or operators.resolve(name.operator, names)
    device = _said(context.device) or _said(name.device)
    return replace(
        context,
        source=context.source or name.source or "crowdsourced",
        operator=operator,
        technology=_technology(context.technology),
        device=device_hash(device_key, device) if device else UNKNOWN_DEVICE,
        date=context.date or name.date,
        in_vehicle=_in_vehicle(context),
        timezone=context.timezone or DEFAULT_TIMEZONE,
        calibrated=bool(context.calibrated),
    )


def require_possible(context: Context) -> None:
    """Raise `FileRefused` where no file could be read with it: an unknown technology or timezone."""
    zone(context)
    _technology(context.technology)


def zone(context: Context) -> ZoneInfo:
    """The upload's timezone; raises `FileRefused` where no such zone exists."""
    try:
        return ZoneInfo(context.timezone or DEFAULT_TIMEZONE)
    except (KeyError, ValueError, OSError) as fault:
        raise FileRefused(
            f"Không có múi giờ {context.timezone!r}. Hãy dùng tên IANA, ví dụ --timezone Asia/Ho_Chi_Minh.",
            f"No timezone is called {context.timezone!r}. Give an IANA name, e.g. --timezone Asia/Ho_Chi_Minh.",
        ) from fault


def device_hash(device_key: bytes, device: str) -> str:
    """The keyed hash under which a phone or scanner is stored: 16 hex digits of HMAC-SHA256.

    Letter case, tone marks' encoding, spaces and signs do not count: one phone spelt twice is one witness.
    """
    digest = hmac.new(device_key, fold(device).encode("utf-8", "replace"), hashlib.sha256).hexdigest()
    return digest[:DEVICE_HASH_DIGITS]


def _said(text: str | None) -> str | None:
    stripped = (text or "").strip()
    nobody = stripped.casefold() in quantities.MISSING or fold(stripped) in {UNKNOWN_DEVICE, ""}
    return None if nobody else stripped


def _technology(text: str | None) -> str | None:
    if text is None:
        return None
    found = quantities.technology(text)
    if found is None:
        raise FileRefused(
            f"Không có công nghệ {text!r}. Hãy dùng --technology 2G, 3G, 4G hoặc 5G.",
            f"No technology is called {text!r}. Give --technology 2G, 3G, 4G or 5G.",
        )
    return found


def _in_vehicle(context: Context) -> bool | None:
    """What was said; else what the antenna tells: inside suffers the body's loss, on the roof does not."""
    if context.in_vehicle is not None:
        return context.in_vehicle
    return {"inside": True, "roof": False}.get(context.antenna or "")
