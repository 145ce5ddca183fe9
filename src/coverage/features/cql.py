"""CQL2 (OGC 21-065) → which rows of a collection it chooses: its properties and nothing else can be named.

A comparison with a missing value is not known, as in SQL: neither it nor its negation chooses the row.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import reduce
from typing import Any, Literal

import cql2
import numpy as np
import numpy.typing as npt
import pandas as pd

from coverage.errors import InputError
from coverage.features.collections import Features
from coverage.features.columns import KIND_WORDS, Values, constant, values_of
from coverage.features.shapes import SPATIAL, spatial
from coverage.features.systems import System
from coverage.names import meant

Language = Literal["cql2-text", "cql2-json"]
LANGUAGES: tuple[Language, ...] = ("cql2-text", "cql2-json")
# The parser goes as deep as it is told to, and some two thousand levels down it takes the process with it.
MOST_CHARACTERS = 2000
_MOST_NESTED = 50
_EXAMPLES: Mapping[Language, str] = {
    "cql2-text": "tests > 10 AND operator = '45204'",
    "cql2-json": '{"op": "=", "args": [{"property": "operator"}, "45204"]}',
}
# Where the parser says that it stopped: line and column, both from 1 on.
_PLACE = re.compile(r"(?:--> |line )(\d+)(?::| column )(\d+)")
_SIGNS = re.compile(r"(?:not[\s(]+|[-+]\s*){10}", re.IGNORECASE)

_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "t_after": operator.gt,
    "t_before": operator.lt,
    "t_equals": operator.eq,
}
_OPERANDS = {"not": 1, "isNull": 1, "casei": 1, "accenti": 1, "between": 3}
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def choose(text: str, language: Language, features: Features, given_in: System) -> npt.NDArray[np.bool_]:
    """Per row, whether a filter chooses it; its shapes are in the system `given_in`.

    Raises `InputError` for what is no CQL2, names what the collection has not, compares unlike things, or is longer
    or deeper than anybody needs.
    """
    chosen = _Filter(features, given_in).condition(_parsed(text, language))
    return chosen.fillna(value=False).to_numpy(bool)


def _parsed(text: str, language: Language) -> Any:  # noqa: ANN401 - JSON
    if len(text) > MOST_CHARACTERS or _depth(text) > _MOST_NESTED or _SIGNS.search(text):
        raise _wrong(
            f"dài quá {MOST_CHARACTERS} chữ hoặc lồng quá {_MOST_NESTED} lớp",
            f"longer than {MOST_CHARACTERS} characters or nested deeper than {_MOST_NESTED}",
        )
    try:
        parsed = cql2.parse_text(text) if language == "cql2-text" else cql2.parse_json(text)
        return parsed.to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError) as fault:
        raise _unread(text, language, str(fault)) from fault


def _unread(text: str, language: Language, said: str) -> InputError:
    """The refusal of what is no CQL2: where the parser stopped, and a filter as it should be."""
    place = _PLACE.search(said)
    example = _EXAMPLES[language]
    if place is None:
        return _wrong(
            f"không phải {language}; ví dụ đúng: {example}", f"not {language}; write for example {example}"
        )
    line, column = (int(number) for number in place.groups())
    at = len("".join(text.splitlines(keepends=True)[: line - 1])) + column
    rest = text[at - 1 :].strip()[:20]
    vi, en = (f"trước “{rest}”", f"before “{rest}”") if rest else ("ở cuối", "at the end")
    return _wrong(
        f"không phải {language}: sai ở ký tự thứ {at}, {vi}; ví dụ đúng: {example}",
        f"not {language}: wrong at character {at}, {en}; write for example {example}",
    )


def _depth(text: str) -> int:
    steps = [1 if sign in "([{" else -1 for sign in text if sign in "()[]{}"]
    return max(np.cumsum(steps, dtype=int), default=0)


def _wrong(vi: str, en: str) -> InputError:
    return InputError(f"filter: {vi}.", f"filter: {en}.")


class _Filter:
    """One filter on one collection."""

    def __init__(self, features: Features, given_in: System) -> None:
        self._features = features
        self._index = features.table.index
        self._given_in = given_in

    def condition(self, node: Any) -> pd.Series[Any]:  # noqa: ANN401 - JSON
        """Per row true, false or, where a value is missing, not known."""
        if not isinstance(node, dict) or "op" not in node:
            return self._flag(node)
        op, args = _operation(node)
        if op in {"and", "or"}:
            return reduce(operator.and_ if op == "and" else operator.or_, map(self.condition, args))
        if op == "not":
            return ~self.condition(args[0])
        if op in SPATIAL:
            chosen = spatial(op, args, self._features, self._given_in)
            return pd.Series(chosen, self._index, dtype="boolean")
        return self._compared(op, args)

    def _flag(self, node: Any) -> pd.Series[Any]:  # noqa: ANN401 - JSON
        value = self._value(node)
        if value.kind != "boolean":
            raise _wrong(f"{_shown(node)} không phải là điều kiện", f"{_shown(node)} is no condition")
        return value.data

    def _compared(self, op: str, args: list[Any]) -> pd.Series[Any]:
        if op == "isNull":
            return self._value(args[0]).data.isna().astype("boolean")
        if op == "between":
            return self._pair(">=", args[0], args[1]) & self._pair("<=", args[0], args[2])
        if op == "in":
            return reduce(operator.or_, (self._pair("=", args[0], one) for one in args[1]))
        if op == "like":
            return self._like(*args)
        if op in {"t_intersects", "t_during", "t_disjoint"}:
            within = self._within(*args)
            return ~within if op == "t_disjoint" else within
        if op not in _COMPARISONS:
            raise _wrong(f"{op} không phải là điều kiện", f"{op} is no condition")
        return self._pair(op, *args)

    def _pair(self, op: str, left_node: Any, right_node: Any) -> pd.Series[Any]:  # noqa: ANN401 - JSON
        left, right = self._value(left_node), self._value(right_node)
        missing = left.data.isna() | right.data.isna()
        if missing.all():
            return pd.Series(pd.NA, self._index, dtype="boolean")
        if left.kind != right.kind:
            (vi, en), (other_vi, other_en) = KIND_WORDS[left.kind], KIND_WORDS[right.kind]
            raise _wrong(
                f"{_shown(left_node)} là {vi}, {_shown(right_node)} là {other_vi}: không so sánh được",
                f"{_shown(left_node)} is {en}, {_shown(right_node)} is {other_en}: they do not compare",
            )
        # Times that are missing compare as false.
        compared: pd.Series[Any] = _COMPARISONS[op](left.data, right.data).astype("boolean")
        return compared.mask(missing)

    def _like(self, node: Any, pattern: Any) -> pd.Series[Any]:  # noqa: ANN401 - JSON
        text, wanted = self._value(node), self._value(pattern)
        if text.kind == "empty":
            return pd.Series(pd.NA, self._index, dtype="boolean")
        if text.kind != "text" or wanted.kind != "text" or not _is_constant(pattern):
            raise _wrong(
                f"LIKE cần chữ và một mẫu chữ: {_shown(node)}",
                f"LIKE wants text and a pattern: {_shown(node)}",
            )
        found = text.data.str.fullmatch(_regex(str(wanted.data.iloc[0])), flags=re.DOTALL)
        return found.astype("boolean")

    def _within(self, node: Any, when: Any) -> pd.Series[Any]:  # noqa: ANN401 - JSON
        ends = when["interval"] if isinstance(when, dict) and "interval" in when else [when, when]
        start, end = ((one if isinstance(one, dict) else _time_node(one)) for one in ends)
        after = self._pair(">=", node, node if start is None else start)
        return after & self._pair("<=", node, node if end is None else end)

    def _value(self, node: Any) -> Values:  # noqa: ANN401 - JSON
        if isinstance(node, str | int | float):
            return constant(
                unicodedata.normalize("NFC", node) if isinstance(node, str) else node, self._index
            )
        if isinstance(node, dict) and "property" in node:
            return self._property(node["property"])
        if isinstance(node, dict) and ("date" in node or "timestamp" in node):
            return constant(_time(node), self._index)
        if isinstance(node, dict) and "op" in node:
            return self._worked_out(node)
        raise _wrong(f"không dùng được {_shown(node)} ở đây", f"{_shown(node)} cannot stand here")

    def _worked_out(self, node: Mapping[str, Any]) -> Values:
        op, args = _operation(node)
        values = [self._value(arg) for arg in args] if op in {*_FOLDS, *_ARITHMETIC} else []
        kinds = {value.kind for value in values}
        if op in _FOLDS and kinds <= {"text", "empty"}:
            return Values("text", values[0].data.map(_FOLDS[op], na_action="ignore").astype("string"))
        if op in _ARITHMETIC and kinds <= {"number", "empty"}:
            found = _ARITHMETIC[op](*(value.data.astype("Float64") for value in values))
            # A number divided by nothing is no number.
            return Values("number", found.mask(~np.isfinite(found.to_numpy(float, na_value=np.nan))))
        raise _wrong(f"{op} không dùng được cho {_shown(args[0])}", f"{op} cannot take {_shown(args[0])}")

    def _property(self, name: str) -> Values:
        if name not in self._features.table:
            known = [str(one) for one in self._features.table.columns]
            vi, en = meant(name, known)
            raise _wrong(
                f"{self._features.name} không có thuộc tính {name!r:.60}{vi or '.'} Chữ đặt trong dấu nháy đơn; có các thuộc tính: "
                f"{', '.join(known)}",
                f"{self._features.name} has no property {name!r:.60}{en or '.'} Text stands between single quotes; there are the "
                f"properties: {', '.join(known)}",
            )
        return values_of(self._features.table[name])


def _operation(node: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The operation's name and its operands, as many as it takes."""
    op, args = str(node["op"]), node.get("args")
    if op not in _KNOWN:
        raise _wrong(f"không biết phép {op!r:.40}", f"the operation {op!r:.40} is not known")
    enough = isinstance(args, list) and (
        len(args) >= 2 if op in {"and", "or"} else len(args) == _OPERANDS.get(op, 2)
    )
    if op == "in" and enough:
        enough = isinstance(args[1], list) and len(args[1]) > 0  # type: ignore[index]
    if not enough or not isinstance(args, list):
        raise _wrong(f"phép {op} thiếu hoặc thừa vế", f"{op} has too few or too many operands")
    return op, args


def _is_constant(node: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether it is a text, or a text folded."""
    if isinstance(node, dict) and node.get("op") in _FOLDS:
        return _is_constant(node["args"][0])
    return isinstance(node, str)


def _without_marks(text: str) -> str:
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _regex(pattern: str) -> str:
    """A pattern of LIKE as a regular expression: % is any text, _ one character, a backslash takes the next as it is."""
    pieces = re.findall(r"\\.|[^\\]|\\$", pattern, flags=re.DOTALL)
    signs = {"%": ".*", "_": "."}
    return "".join(signs.get(piece, re.escape(piece[-1])) for piece in pieces)


def _time_node(text: Any) -> dict[str, str] | None:  # noqa: ANN401 - JSON
    if text in ("..", "", None):
        return None
    return {"timestamp" if "T" in str(text) else "date": str(text)}


def _time(node: Mapping[str, Any]) -> date:
    kind, text = next(iter(node.items()))
    try:
        return datetime.fromisoformat(text) if kind == "timestamp" else date.fromisoformat(text)
    except (TypeError, ValueError) as fault:
        raise _wrong(f"không hiểu thời gian {text!r:.40}", f"{text!r:.40} is no time") from fault


def _shown(node: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(node, dict) and "property" in node:
        return f"{node['property']:.60}"
    return f"{node!r:.60}"


_FOLDS: Mapping[str, Callable[[str], str]] = {"casei": str.casefold, "accenti": _without_marks}
_KNOWN = {"and", "or", "in", "like", "t_intersects", "t_during", "t_disjoint"}
_KNOWN |= {*_OPERANDS, *_COMPARISONS, *_ARITHMETIC, *SPATIAL}
