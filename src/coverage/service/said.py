"""What a client says of a file, in whatever door: the words of the form, checked before any byte is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, TypeVar

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from coverage.archive.mappings import load_mappings
from coverage.archive.workspace import Workspace
from coverage.errors import InputError
from coverage.logs.containers import shown
from coverage.logs.context import Context, require_possible, to_json
from coverage.logs.formats import FORMATS
from coverage.names import meant
from coverage.service.problems import BadField

CONTEXT = tuple(one.name for one in fields(Context))
WORDS = (*CONTEXT, "hold", "by", "sha256")
LONGEST = 200  # letters of one word: a name, a team
_LONGEST_FILE_NAME = 255
_CONTEXT: TypeAdapter[Context] = TypeAdapter(Context)
_Value = TypeVar("_Value")
_EARLIEST = date(2000, 1, 1)  # no log of a phone is older; a year before it is a number taken for a date
_SWITCHES = ("in_vehicle", "calibrated", "positive_only", "hold")
_MAY_BE = {
    "source": "drive_test, crowdsourced",
    "date": "YYYY-MM-DD, ≥ 2000-01-01",
    "antenna": "inside, roof, hand",
    "date_order": "dmy, mdy",
    "sha256": "64 × 0…9 a…f",
} | dict.fromkeys(_SWITCHES, "true, false")


@dataclass(frozen=True)
class Said:
    """What a client says of a file: context, whether it waits for the preview, who sends, what its sha256 must be."""

    context: Context
    hold: bool = False
    by: str | None = None
    sha256: str | None = None


def said(values: Mapping[str, object], workspace: Workspace) -> Said:
    """What the words say; an empty one says nothing.

    values: texts, in JSON also true and false. Raises `InputError` for a word that nobody reads (a mistyped one:
    without it the rows would be read wrongly, in silence), `BadField` for a value that cannot be and for a format that
    neither we nor the workspace's saved mappings know, `FileRefused` for an unknown technology or timezone.
    """
    unknown = sorted(set(values) - set(WORDS))
    if unknown:
        raise unknown_field(unknown[0], WORDS)
    texts = {name: _text(name, value) for name, value in values.items()}
    given = {name: text for name, text in texts.items() if text}
    sha256 = given.pop("sha256", "").lower() or None
    if sha256 is not None and not re.fullmatch("[0-9a-f]{64}", sha256):
        raise _bad("sha256", sha256, _MAY_BE["sha256"])
    hold, by = _yes_no("hold", given.pop("hold", "false")), given.pop("by", None)
    context = _context(given)
    if context.format is not None:
        _require_format(context.format, workspace)
    return Said(context, hold, by, sha256)


def unknown_field(name: str, known: Sequence[str]) -> InputError:
    """The refusal of a word that nobody reads, with those that there are."""
    vi, en = meant(name, known)
    return InputError(
        f"Không có trường {name!r:.60}{vi or ';'} các trường: {', '.join(known)}.",
        f"There is no field {name!r:.60}{en or ';'} the fields are: {', '.join(known)}.",
    )


def once(pairs: Iterable[tuple[str, _Value]]) -> dict[str, _Value]:
    """The words by name. Raises `InputError` for one that is said twice: nobody knows which was meant."""
    found: dict[str, _Value] = {}
    for name, value in pairs:
        if name in found:
            raise said_twice(name)
        found[name] = value
    return found


def said_twice(name: str) -> InputError:
    """The refusal of a word that came before."""
    return InputError(
        f"Trường {name!r:.60} có hai lần; mỗi trường chỉ ghi một lần.",
        f"Field {name!r:.60} is there twice; each may be said once.",
    )


async def words_once(request: Request) -> None:
    """Raise `InputError` where the query says a word twice; for routes that read their words from it."""
    once(request.query_params.multi_items())


def _text(name: str, value: object) -> str:
    if isinstance(value, bool) and name in _SWITCHES:
        return str(value).lower()
    if not isinstance(value, str):
        raise _bad(name, value, _MAY_BE.get(name, "text"))
    text = value.strip()
    if len(text) > LONGEST or not text.isprintable():
        raise _bad(name, text, f"≤ {LONGEST}")
    return text


def _context(given: Mapping[str, str]) -> Context:
    values: dict[str, Any] = dict(given)
    values |= {name: _yes_no(name, given[name]) for name in _SWITCHES if name in given}
    if "date" in given:
        values["date"] = _date(given["date"])
    try:
        context = _CONTEXT.validate_python(values)
    except ValidationError as fault:
        name = str(fault.errors()[0]["loc"][0])
        raise _bad(name, given[name], _MAY_BE.get(name, "")) from fault
    require_possible(context)
    return context


def _yes_no(name: str, text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise _bad(name, text, _MAY_BE[name])
    return text.lower() == "true"


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text) if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        found = None
    if found is None or found < _EARLIEST:
        raise _bad("date", text, _MAY_BE["date"])
    return found


def _require_format(name: str, workspace: Workspace) -> None:
    built_in = [one.name for one in FORMATS]
    if name in built_in:
        return
    own = [one.format.name for one in load_mappings(workspace)]
    if name not in own:
        raise _bad("format", name, ", ".join([*own, *built_in]))


def _bad(name: str, value: object, may_be: str) -> BadField:
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
