"""A list → KML 2.2 for phones and Google Earth: one placemark per row, coloured as on the map."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from coverage.exports.colours import STATUS_COLOURS, VERDICT_COLOURS
from coverage.exports.geojson import DECIMALS, oriented
from coverage.exports.headings import Heading, headings, name_of, word
from coverage.exports.plain import batches, plain_columns
from coverage.exports.words import WORDS

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
_TYPES = {"int": "int", "real": "double", "bool": "bool"}  # the others are text: KML has no times here
# What XML cannot hold at all, not even as an entity.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Viewers take names and descriptions for HTML, and $[x] for the property x: without these signs neither is there.
_NO_TAGS = str.maketrans({"<": "‹", ">": "›"})
_OTHER = "other"
_COLOURS = {**STATUS_COLOURS, **VERDICT_COLOURS, _OTHER: VERDICT_COLOURS["dead_zone"]}
_VILLAGE_FACTS = (
    *("status", "commune_name", "grid_status", "households", "population", "population_affected"),
    *("tests", "fails", "median_rsrp_dbm", "last_test_utc", "who_must_act", "sub_reason"),
)
_FACTS: Mapping[str, tuple[str, ...]] = {
    "hexes": ("verdict", "tests", "fails", "devices", "median_rsrp_dbm", "last_test_utc", "sub_reason"),
    "roads": ("kind", "length_km", "dead_km", "longest_dead_km", "tests", "fails"),
    "reliability": ("declared_km2", "tested_km2", "tests", "passes", "pass_share", "low_share", "high_share"),
}
_SIMULATED = ("Số liệu mô phỏng, không phải số đo thật.", "Simulated data, not real measurements.")


def write_kml(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write the list as KML: lon,lat in WGS 84; a folder named after it, whose placemarks hold every known property.

    frame: as in `files.to_bytes`. A missing value has no element; a row without a shape is a placemark without one.
    In names and descriptions < and > stand as ‹ and ›, $[ as $ [; the properties hold every letter that XML can.
    """
    what = name_of(frame)
    columns = headings(frame.columns.drop(frame.geometry.name), what)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines((_HEAD, _document(frame, what), *map(_style, _COLOURS.items())))
        file.writelines((_schema(what, columns), f"<Folder>{_element('name', what)}\n"))
        for batch in batches(frame):
            file.writelines(_placemarks(what, columns, batch))
        file.write("</Folder>\n</Document>\n</kml>\n")


def _placemarks(what: str, columns: Sequence[Heading], batch: gpd.GeoDataFrame) -> Iterator[str]:
    rows = zip(*plain_columns(batch).values(), strict=True)
    for row, shape in zip(rows, oriented(batch.geometry.to_numpy()), strict=True):
        yield _placemark(what, columns, row, shape)


def _document(frame: gpd.GeoDataFrame, what: str) -> str:
    vi, en = WORDS.get(what, (what, what))
    told = {name: str(frame.attrs.get(name, "")) for name in ("criteria", "snapshot_id", "as_of")}
    lines = [
        f"Tiêu chí / criteria: {told['criteria']}",
        f"Bản đánh giá / snapshot: {told['snapshot_id']}",
        f"Ngày đánh giá / as of: {told['as_of']}",
        *(_SIMULATED if frame.attrs.get("simulated") else ()),
    ]
    name = _element("name", f"Phủ Sóng: {vi} / {en}")
    return f"{name}{_element('description', _untagged(chr(10).join(lines)))}\n"


def _style(coloured: tuple[str, str]) -> str:
    name, colour = coloured
    red, green, blue = colour[1:3], colour[3:5], colour[5:7]
    line = f"<LineStyle><color>ff{blue}{green}{red}</color><width>2</width></LineStyle>"
    return f'<Style id="{name}">{line}<PolyStyle><color>99{blue}{green}{red}</color></PolyStyle></Style>\n'


def _schema(what: str, columns: Sequence[Heading]) -> str:
    fields = "".join(
        f'<SimpleField type="{_TYPES.get(one.kind, "string")}" name="{one.name}">'
        f"{_element('displayName', one.vi)}</SimpleField>"
        for one in columns
    )
    return f'<Schema name="{what}" id="{what}">{fields}</Schema>\n'


def _placemark(what: str, columns: Sequence[Heading], row: Sequence[Any], shape: Any) -> str:  # noqa: ANN401
    known = {one.name: one for one, value in zip(columns, row, strict=True) if value is not None}
    values = {one.name: value for one, value in zip(columns, row, strict=True) if value is not None}
    facts = [known[one] for one in _FACTS.get(what, _VILLAGE_FACTS) if one in known]
    parts = (
        _element("name", _untagged(_title(values))),
        _element("description", _untagged(_description(facts, values))),
        f"<styleUrl>#{_style_of(values)}</styleUrl>",
        f'<ExtendedData><SchemaData schemaUrl="#{what}">{_data(values)}</SchemaData></ExtendedData>',
        _geometry(shape),
    )
    return f"<Placemark>{''.join(parts)}</Placemark>\n"


def _title(values: Mapping[str, Any]) -> str:
    place = next((values[one] for one in ("village_name", "road_name", "hex") if one in values), None)
    place = place or values.get("commune_name", "Mọi xã / all communes")
    operator = values.get("operator_name", values.get("operator"))
    return f"{place} ({operator})" if operator else str(place)


def _description(facts: Sequence[Heading], values: Mapping[str, Any]) -> str:
    vi, en = _SIMULATED if values.get("simulated") else ("", "")
    told = (
        *(f"{one.vi}: {_word(one.name, values[one.name], 0)}." for one in facts),
        *(str(values.get("reason", "")), vi),
    )
    told_en = (
        *(f"{_english(one.name)}: {_word(one.name, values[one.name], 1)}." for one in facts),
        *(str(values.get("reason_en", "")), en),
    )
    return "\n\n".join("\n".join(filter(None, lines)) for lines in (told, told_en))


def _english(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _word(name: str, value: Any, language: int) -> str:  # noqa: ANN401 - a value of any column
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(round(value, 3))
    return word(name, str(value))[language]


def _style_of(values: Mapping[str, Any]) -> str:
    name = str(values.get("verdict", values.get("status", _OTHER)))
    return name if name in _COLOURS else _OTHER


def _data(values: Mapping[str, Any]) -> str:
    return "".join(f'<SimpleData name="{name}">{_text(value)}</SimpleData>' for name, value in values.items())


def _text(value: Any) -> str:  # noqa: ANN401 - a value of any column
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return escape(_NO_XML.sub("\ufffd", str(value)))


def _element(name: str, text: str) -> str:
    return f"<{name}>{_text(text)}</{name}>"


def _untagged(text: str) -> str:
    return text.translate(_NO_TAGS).replace("$[", "$ [")


def _geometry(shape: Any) -> str:  # noqa: ANN401 - any shape or None
    if shape is None or shape.is_empty:
        return ""
    if hasattr(shape, "geoms"):
        return f"<MultiGeometry>{''.join(map(_geometry, shape.geoms))}</MultiGeometry>"
    if shape.geom_type == "Polygon":
        holes = "".join(
            f"<innerBoundaryIs>{_line('LinearRing', one)}</innerBoundaryIs>" for one in shape.interiors
        )
        return f"<Polygon><outerBoundaryIs>{_line('LinearRing', shape.exterior)}</outerBoundaryIs>{holes}</Polygon>"
    return _line(shape.geom_type, shape)


def _line(kind: str, shape: Any) -> str:  # noqa: ANN401 - a ring, a line or a point
    places = np.round(shapely.get_coordinates(shape), DECIMALS).tolist()
    along = "<tessellate>1</tessellate>" if kind == "LineString" else ""
    return f"<{kind}>{along}<coordinates>{' '.join(f'{lon},{lat}' for lon, lat in places)}</coordinates></{kind}>"
