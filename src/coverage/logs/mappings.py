"""Saved mappings: a team's own table described once in TOML, then read like any format.

name = "doi_1"                      # for --format, and in receipts
title = "Bảng đo của Đội 1"
team = "Đội 1"                      # optional: used by itself only for this team's uploads
technology = "LTE"                  # optional: of every row
no_service_technologies = ["--"]    # optional: what stands for the technology when there is none
records_no_service = false          # optional: the table never says where there is no service

[columns]                           # our field = the table's own header, or several, best first
time = "Thời điểm"
lat = "Toạ độ Y"
lon = "Toạ độ X"
operator = "Mạng đo"
rsrp_dbm = ["Mức thu", "RSRP chính"]
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coverage.errors import MappingRefused
from coverage.logs.formats import FORMATS
from coverage.logs.formats.profile import FIELDS, LEVELS, Format
from coverage.names import fold

_Words = Annotated[list[str], Field(max_length=50)]


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9_]{1,40}$")
    title: str = Field(min_length=1, max_length=200)
    team: str | None = None
    technology: Literal["GSM", "UMTS", "LTE", "NR"] | None = None
    no_service_operators: _Words = []
    no_service_technologies: _Words = []
    records_no_service: bool = True
    columns: dict[str, str | list[str]]


@dataclass(frozen=True)
class Mapping:
    """A team's own format; team: whose uploads it reads by itself, None = anybody's; digest: of its text."""

    format: Format
    team: str | None
    digest: str


def parse_mapping(text: str, origin: str) -> Mapping:
    """The mapping that a TOML text describes; raises `MappingRefused` naming the key at fault and the cure."""
    try:
        said = _Described.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as fault:
        raise _refused(origin, f"không phải TOML hợp lệ ({fault})", f"not valid TOML ({fault})") from fault
    except ValidationError as fault:
        first = fault.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        shown = f"{first['msg']}: {first['input']!r:.80}"
        raise _refused(origin, f"khoá {key}: {shown}", f"key {key}: {shown}") from fault
    return Mapping(_format(said, origin), said.team, hashlib.sha256(text.encode()).hexdigest()[:16])


def of_team(mappings: tuple[Mapping, ...], team: str | None, wanted: str | None) -> tuple[Format, ...]:
    """The formats of the mappings that may read an upload of this team, or that it asks for by name."""
    return tuple(
        one.format
        for one in mappings
        if one.team is None or one.format.name == wanted or fold(one.team) == fold(team or "")
    )


def _format(said: _Described, origin: str) -> Format:
    if said.name in {fmt.name for fmt in FORMATS}:
        raise _refused(origin, f"tên {said.name} đã là định dạng có sẵn", f"{said.name} is a built-in format")
    unknown = sorted(set(said.columns) - set(FIELDS))
    if unknown:
        fields = ", ".join(FIELDS)
        raise _refused(
            origin,
            f"không có đại lượng {unknown[0]} (có: {fields})",
            f"there is no field {unknown[0]} (there are: {fields})",
        )
    missing = {"lat", "lon"} - set(said.columns)
    if missing or not set(said.columns) & {*LEVELS, "service_state"}:
        needed = "lat, lon, và một mức thu hoặc service_state", "lat, lon, and a level or service_state"
        raise _refused(origin, f"columns cần có {needed[0]}", f"columns must have {needed[1]}")
    return Format(
        name=said.name,
        title_vi=said.title,
        title_en=said.title,
        columns={
            field: (one,) if isinstance(one, str) else tuple(one) for field, one in said.columns.items()
        },
        needs=tuple((field,) for field in said.columns),
        technology=said.technology,
        no_service_operators=frozenset(word.casefold() for word in said.no_service_operators),
        no_service_technologies=frozenset(said.no_service_technologies),
        records_no_service=said.records_no_service,
    )


def _refused(origin: str, vi: str, en: str) -> MappingRefused:
    return MappingRefused(f"{origin}: {vi}.", f"{origin}: {en}.")
