"""What a client says of a file, in whatever door: the words of the form, checked before any byte is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from coverage.errors import InputError
from coverage.logs.containers import shown
from coverage.logs.context import Context, require_possible, to_json
from coverage.service.problems import BadField

CONTEXT = tuple(one.name for one in fields(Context))
WORDS = (*CONTEXT, "hold", "by", "sha256")
LONGEST = 200  # letters of one word: a name, a team
_LONGEST_FILE_NAME = 255
_CONTEXT: TypeAdapter[Context] = TypeAdapter(Context)
_YES_NO: TypeAdapter[bool] = TypeAdapter(bool)
_MAY_BE = {
    "source": "drive_test, crowdsourced",
    "date": "2026-10-31",
    "antenna": "inside, roof, hand",
    "date_order": "dmy, mdy",
    "sha256": "64 × 0…9 a…f",
} | dict.fromkeys(("in_vehicle", "calibrated", "positive_only", "hold"), "true, false")


@dataclass(frozen=True)
class Said:
    """What a client says of a file: context, whether it waits for the preview, who sends, what its sha256 must be."""

    context: Context
    hold: bool = False
    by: str | None = None
    sha256: str | None = None


def said(values: Mapping[str, str]) -> Said:
    """What the words say; an empty one says nothing.

    Raises `InputError` for a word that nobody reads (a mistyped one: without it the rows would be read wrongly, in
    silence), `BadField` for a value that cannot be, `FileRefused` for an unknown technology or timezone.
    """
    unknown = sorted(set(values) - set(WORDS))
    if unknown:
        raise InputError(
            f"Không có trường {unknown[0]!r:.60}; các trường: {', '.join(WORDS)}.",
            f"There is no field {unknown[0]!r:.60}; the fields are: {', '.join(WORDS)}.",
        )
    given = {name: value.strip() for name, value in values.items() if value.strip()}
    for name, value in given.items():
        if len(value) > LONGEST or not value.isprintable():
            raise _bad(name, value, f"≤ {LONGEST}")
    sha256 = given.pop("sha256", "").lower() or None
    if sha256 is not None and not re.fullmatch("[0-9a-f]{64}", sha256):
        raise _bad("sha256", sha256, _MAY_BE["sha256"])
    hold, by = _yes_no("hold", given.pop("hold", "false")), given.pop("by", None)
    return Said(_context(given), hold, by, sha256)


def _context(given: Mapping[str, Any]) -> Context:
    try:
        context = _CONTEXT.validate_python(dict(given))
    except ValidationError as fault:
        name = str(fault.errors()[0]["loc"][0])
        raise _bad(name, str(given[name]), _MAY_BE.get(name, "")) from fault
    require_possible(context)
    return context


def _yes_no(name: str, value: str) -> bool:
    try:
        return _YES_NO.validate_python(value)
    except ValidationError as fault:
        raise _bad(name, value, _MAY_BE[name]) from fault


def _bad(name: str, value: str, may_be: str) -> BadField:
    return BadField(
        f"Trường {name}: không dùng được giá trị {value!r:.80}; có thể là: {may_be}.",
        f"Field {name}: the value {value!r:.80} cannot be used; it may be: {may_be}.",
    )


def words(said: Said) -> dict[str, str]:
    """The words that say it: what `said` was made of."""
    values = to_json(said.context) | {"by": said.by, "sha256": said.sha256, "hold": said.hold or None}
    return {name: _word(value) for name, value in values.items() if value is not None}


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def file_name(given: str) -> str:
    """The name of a file as its client calls it, without folders, its end where it is very long.

    Raises `InputError` where there is none.
    """
    name = shown(given.replace("\\", "/").rsplit("/", 1)[-1].strip())[-_LONGEST_FILE_NAME:]
    if not re.search(r"\w", name):
        raise InputError("Tệp tải lên không có tên.", "The uploaded file has no name.")
    return name
