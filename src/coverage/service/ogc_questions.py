"""The query string of a page of features → what is asked; anything that is not known is refused, never passed over."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from fastapi import Request
from starlette.datastructures import QueryParams

from coverage.errors import InputError
from coverage.features.cql import LANGUAGES, Language
from coverage.features.queries import Query
from coverage.features.systems import CRS84, System, system
from coverage.names import meant

LIMIT, MOST = 1000, 5000
_FORMATS = ("json", "geojson")
_NUMBERS = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
WORDS = (
    *(
        "limit",
        "offset",
        "bbox",
        "bbox-crs",
        "crs",
        "datetime",
        "filter",
        "filter-lang",
        "filter-crs",
        "f",
        "snapshot",
    ),
)


@dataclass(frozen=True)
class Question:
    """A page of a collection: which features, from which on, how many, in which coordinate system."""

    query: Query
    limit: int
    offset: int
    crs: System


def words_of(request: Request, known: Collection[str]) -> dict[str, str]:
    """The query's words, each said once and each known. Raises `InputError`."""
    params: QueryParams = request.query_params
    words = dict(params)
    for name, value in words.items():
        if name not in known:
            named = ", ".join(known)
            vi, en = meant(name, known)
            _refuse(
                name,
                value,
                f"không có tham số này{vi or ';'} có: {named}",
                f"not known{en or ';'} there are: {named}",
            )
        if len(params.getlist(name)) > 1:
            _refuse(name, value, "nói hai lần", "said twice")
    return words


def question(words: Mapping[str, str], properties: Iterable[str]) -> Question:
    """What the words ask of a collection with those properties. Raises `InputError` naming the word and its value."""
    _one_of(words, "f", "json", _FORMATS)
    language: Language = _one_of(words, "filter-lang", "cql2-text", LANGUAGES)
    query = Query(
        bbox=_box(words.get("bbox")),
        bbox_crs=words.get("bbox-crs", CRS84),
        time=words.get("datetime"),
        equal={name: words[name] for name in properties if name in words},
        filter=words.get("filter"),
        filter_lang=language,
        filter_crs=words.get("filter-crs", CRS84),
    )
    return Question(
        query,
        min(_whole(words, "limit", LIMIT, 1), MOST),
        _whole(words, "offset", 0, 0),
        system(words.get("crs", CRS84)),
    )


def _box(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in {4, 6} or not all(_NUMBERS.fullmatch(part) for part in parts):
        _refuse(
            "bbox",
            text,
            "cần 4 hoặc 6 số, cách nhau bằng dấu phẩy",
            "wants 4 or 6 numbers with commas between",
        )
    return tuple(float(part) for part in parts)


def _whole(words: Mapping[str, str], name: str, otherwise: int, least: int) -> int:
    text = words.get(name, str(otherwise))
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
        _refuse(name, text, f"phải là số nguyên từ {least}", f"must be a whole number from {least} on")
    return int(text)


def _one_of(words: Mapping[str, str], name: str, otherwise: str, known: tuple[Any, ...]) -> Any:  # noqa: ANN401
    value = words.get(name, otherwise)
    if value not in known:
        _refuse(name, value, f"chỉ nhận {', '.join(known)}", f"may be {', '.join(known)}")
    return value


def _refuse(name: str, value: str, vi: str, en: str) -> NoReturn:
    raise InputError(f"{name}={value!r:.80}: {vi}.", f"{name}={value!r:.80}: {en}.", code="bad_parameter")
