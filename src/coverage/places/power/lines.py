"""Power lines and transformers of a utility or a map: where they run, and at what voltage."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from coverage.errors import PlacesRefused
from coverage.hexes import valid_points
from coverage.names import fold
from coverage.places.vector_files import read_layer, refuse_values, rename_layer, texts

_SYNONYMS = {
    "voltage": (
        *("voltage_kV", "Điện áp", "Điện áp (kV)", "Cấp điện áp", "Cấp điện áp (kV)"),
        *("cap_dien_ap_kv", "U (kV)", "kV"),
    ),
    "source": ("nguồn",),
    "power": (),
    "status": ("Trạng thái", "Tình trạng", "Hiện trạng"),
}
_KINDS = {
    "LineString": "line",
    "MultiLineString": "line",
    "Point": "transformer",
    "MultiPoint": "transformer",
}
# What OpenStreetMap calls its points; poles, towers, switches and generators are left to the lines between them.
_OSM_POINTS = {"transformer", "substation", "substation;transformer", "transformer;substation"}
_OSM_LINES = {"line", "minor_line", "cable", "minor_cable"}
_NOT_THERE = (
    *("quyhoach", "dukien", "kehoach", "dangxay", "dangthicong", "chuadongdien", "thaodo", "khongsudung"),
    *("planned", "proposed", "construction", "abandoned", "disused", "removed", "dismantled"),
)
# Words instead of a number: cao thế begins at 110 kV in Viet Nam, and such a line feeds no village.
_HIGH = re.compile(r"^(sieu)?cao(the|ap)|^high|^transmission|^truyentai")
_LEAST_HIGH_KV = 110.0
_MOST_KV = 1500.0  # the highest in service is 1,100 kV: larger numbers are volts
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_ONE = r"\d+(?:[.,]\d+)*"
_MORE = rf"(?:{_ONE}\s*(?:k?v)?\s*[/;()+]+\s*)*{_ONE}"
_WITH_UNIT = re.compile(rf"{_MORE}\s*\)?\s*(?P<unit>k?v)\b", re.IGNORECASE)
_BARE = re.compile(rf"\s*{_MORE}\s*\)?\s*")
_THOUSANDS = re.compile(r"(?<=\d)[.,](?=\d{3}\b)")


def read_lines(path: Path, crs: str | None = None) -> gpd.GeoDataFrame:
    """Power lines and transformers in any OGR file, as the contract LINES with geometry in EPSG:4326.

    A line is a `line`, a point a `transformer`; polygons are refused. The voltage is read from a number in
    kilovolts or volts, or a text ("22kV", "0,4 kV", OpenStreetMap's "22000;35000"); of several the lowest
    counts, because that is what may feed a village. Plain numbers are volts where one of the column is larger
    than any kilovolts in use, else kilovolts. Missing = not given, or a word without a number; "cao thế" is
    taken as 110 kV, the least that it can be. Left out: what is planned, under construction or gone by its
    status, and points of an OpenStreetMap extract that are no transformer. Raises `PlacesRefused`.
    """
    layer = read_layer(path, crs)
    frame = rename_layer(layer, _SYNONYMS)
    _refuse_shapes(frame, path)
    kinds = frame.geometry.geom_type.map(_KINDS)
    lines = gpd.GeoDataFrame(
        {
            "kind": kinds,
            "voltage_kv": _kilovolts(texts(frame, "voltage"), path),
            "source": texts(frame, "source").fillna(path.name),
        },
        geometry=shapely.force_2d(frame.geometry.to_numpy()),
        crs=frame.crs,
    )
    there = _stands(texts(frame, "status")) & _feeds(texts(frame, "power"), kinds)
    if not there.any():
        raise PlacesRefused(
            f"{path.name}: không có đường dây hay trạm biến áp nào đang vận hành.",
            f"{path.name}: holds no power line or transformer in service.",
        )
    return lines[there].reset_index(drop=True)


def _refuse_shapes(frame: gpd.GeoDataFrame, path: Path) -> None:
    wrong = ~frame.geometry.geom_type.isin(_KINDS) | frame.geometry.is_empty
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        kind = frame.geometry.geom_type.iloc[row] or "rỗng/empty"
        raise PlacesRefused(
            f"{path.name}, đối tượng {row + 1}: cần đường hoặc điểm, nhưng là {kind}. Hãy thay vùng trạm bằng điểm giữa.",
            f"{path.name}, feature {row + 1}: a line or point is needed, but it is {kind}. Give a substation's area "
            "as the point in its middle.",
            code="lines_not_lines",
        )
    points, whose = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
    off = ~valid_points(points[:, 1], points[:, 0])
    if off.any():
        row = int(whose[off.argmax()])
        raise PlacesRefused(
            f"{path.name}, đối tượng {row + 1}: toạ độ ngoài Trái Đất; có thể kinh độ và vĩ độ bị đảo.",
            f"{path.name}, feature {row + 1}: coordinates off the globe; longitude and latitude may be swapped.",
        )


def _kilovolts(values: pd.Series[str], path: Path) -> pd.Series[float]:
    found = values.map(_numbers_of)
    unread = values.str.contains(r"\d", na=False) & found.map(lambda one: not one[0])
    refuse_values(path, values.rename("voltage"), unread, "không phải là điện áp", "is no voltage")
    bare = [max(numbers) for numbers, unit in found if numbers and not unit]
    bare_unit = "v" if max(bare, default=0.0) > _MOST_KV else "kv"
    lowest = found.map(lambda one: min(one[0], default=np.nan)).astype(float)
    volts = found.map(lambda one: (one[1] or bare_unit) == "v")
    kilovolts = lowest.where(~volts, lowest / 1000)
    bad = (kilovolts > _MOST_KV) | (kilovolts <= 0)
    refuse_values(path, values.rename("voltage"), bad, "không thể là điện áp", "cannot be a voltage")
    high = values.map(lambda text: bool(text and _HIGH.match(fold(text))))
    return kilovolts.mask(high & kilovolts.isna(), _LEAST_HIGH_KV)


def _numbers_of(text: str | None) -> tuple[list[float], str]:
    # The numbers of "35(22)/0,4 kV" and their unit; of "mạch 1 - 110kV" only what stands with the unit.
    group = _WITH_UNIT.search(text or "") or _BARE.fullmatch(text or "")
    if group is None:
        return [], ""
    unit = (group.groupdict().get("unit") or "").lower()
    whole = _THOUSANDS.sub("", group[0]) if unit == "v" else group[0]
    return [float(number.replace(",", ".")) for number in _NUMBER.findall(whole)], unit


def _stands(status: pd.Series[str]) -> pd.Series[bool]:
    keys = status.map(lambda text: fold(text) if text else "")
    return ~keys.map(lambda key: any(word in key for word in _NOT_THERE)).astype(bool)


def _feeds(power: pd.Series[str], kinds: pd.Series[str]) -> pd.Series[bool]:
    known = kinds.map({"line": _OSM_LINES, "transformer": _OSM_POINTS})
    found = [word is None or word.lower() in words for word, words in zip(power, known, strict=True)]
    return pd.Series(found, index=power.index)
