"""KML: valid, with every row, value and shape of a list; hostile names stay text."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from functools import partial
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshots import snapshot

from coverage.exports import files, lists
from coverage.exports.colours import STATUS_COLOURS

to_kml = partial(files.to_bytes, fmt="kml")
SHOWN = snapshot(40)
GAPS = lists.select(SHOWN, "gaps")
KML = "{http://www.opengis.net/kml/2.2}"
# The order in which OGC KML 2.2 (07-147r2) has the children of these elements.
ORDER = {
    "Document": ["name", "description", "Style", "Schema", "Folder"],
    "Folder": ["name", "Placemark"],
    "Placemark": ["name", "description", "styleUrl", "ExtendedData", "shape"],
    "Polygon": ["outerBoundaryIs", "innerBoundaryIs"],
    "LineString": ["tessellate", "coordinates"],
}
SHAPES = {"Polygon", "LineString", "Point", "MultiGeometry"}


def renamed(frame: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    other = frame.assign(village_name=name)
    other.attrs = frame.attrs
    return other


def opened(content: bytes, folder: Path) -> gpd.GeoDataFrame:
    path = folder / "list.kml"
    path.write_bytes(content)
    return pyogrio.read_dataframe(path, use_arrow=False)


@pytest.mark.parametrize("what", lists.LISTS)
def test_gdal_and_geopandas_read_every_row_and_value(what: str, tmp_path: Path) -> None:
    frame = lists.select(SHOWN, what)
    back = opened(to_kml(frame), tmp_path)
    assert pyogrio.list_layers(tmp_path / "list.kml")[0][0] == what
    assert len(back) == len(gpd.read_file(tmp_path / "list.kml")) == len(frame)
    assert back.crs.to_epsg() == 4326
    for name in (
        "operator",
        "operator_name",
        "village_name",
        "commune_name",
        "reason",
        "tests",
        "dead_share",
    ):
        if name in frame:
            known = frame[name].notna()
            expected = [round(one, 6) if isinstance(one, float) else one for one in frame.loc[known, name]]
            # LIBKML takes the white space around a value away.
            assert back.loc[known, name].tolist() == expected
            assert back.loc[~known, name].isna().all()
    kept = frame.geometry.notna()
    assert (back.geometry.notna() == kept).all()
    mine, theirs = frame.geometry[kept].to_numpy(), back.geometry[kept].to_numpy()
    assert (shapely.hausdorff_distance(mine, theirs) < 1e-6).all()


def test_longitude_comes_first(tmp_path: Path) -> None:
    west, south, east, north = opened(to_kml(GAPS), tmp_path).geometry.iloc[0].bounds
    assert (west, south, east, north) == pytest.approx(GAPS.geometry.iloc[0].bounds, abs=1e-7)
    assert 107 < west < east < 109 and 11 < south < north < 13


@pytest.mark.parametrize("what", lists.LISTS)
def test_elements_stand_in_the_order_of_the_standard(what: str) -> None:
    root = ET.fromstring(to_kml(lists.select(SHOWN, what)))  # noqa: S314 - our own
    assert root.tag == f"{KML}kml"
    for parent in root.iter():
        order = ORDER.get(parent.tag.removeprefix(KML))
        if order:
            children = [one.tag.removeprefix(KML) for one in parent]
            places = [order.index("shape" if one in SHAPES else one) for one in children]
            assert places == sorted(places), children
    fields = {one.get("name") for one in root.iter(f"{KML}SimpleField")}
    assert {one.get("name") for one in root.iter(f"{KML}SimpleData")} <= fields
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    assert {one.text.removeprefix("#") for one in root.iter(f"{KML}styleUrl")} <= set(ids)


def test_a_placemark_is_told_in_both_languages_and_coloured_as_on_the_map() -> None:
    root = ET.fromstring(to_kml(GAPS))  # noqa: S314 - our own
    first, row = next(root.iter(f"{KML}Placemark")), GAPS.iloc[0]
    text = first.findtext(f"{KML}description")
    assert f"Trạng thái: {'Trắng sóng' if row['status'] == 'trang_song' else 'Lõm sóng'}." in text
    assert "Status: Dead" in text
    assert row["reason"] in text and row["reason_en"] in text
    assert "Số liệu mô phỏng" in text and "Simulated data" in text
    assert first.findtext(f"{KML}styleUrl") == f"#{row['status']}"
    colour = STATUS_COLOURS["trang_song"]
    style = next(one for one in root.iter(f"{KML}Style") if one.get("id") == "trang_song")
    assert style.findtext(f"{KML}LineStyle/{KML}color") == f"ff{colour[5:7]}{colour[3:5]}{colour[1:3]}"
    about = root.findtext(f"{KML}Document/{KML}description")
    for said in (SHOWN.info.criteria, SHOWN.info.snapshot_id, SHOWN.info.as_of, "Simulated data"):
        assert said in about


def test_what_was_measured_is_not_called_simulated() -> None:
    real = dataclasses.replace(SHOWN, info=dataclasses.replace(SHOWN.info, simulated=False))
    assert b"Simulated data" not in to_kml(lists.select(real, "gaps"))


@pytest.mark.parametrize(
    "name",
    [
        "<img src=x onerror=alert(1)>",
        "]]>",
        "<![CDATA[x]]>",
        "&lt;b&gt;",
        "</name></Placemark>",
        "A & B",
        "$[commune_name]",
        'Đạ K\'Nàng "x"',
        "a\x00b\x0bc\ufffe",
    ],
)
def test_a_hostile_name_is_text_and_opens_no_tag(name: str, tmp_path: Path) -> None:
    content = to_kml(renamed(GAPS.iloc[:2], name))
    marks = list(ET.fromstring(content).iter(f"{KML}Placemark"))  # noqa: S314 - our own
    assert len(marks) == 2
    for mark in marks:
        for part in ("name", "description"):
            text = mark.findtext(f"{KML}{part}")
            assert not {"<", ">"} & set(text) and "$[" not in text
    assert b"<![CDATA[" not in content
    assert len(opened(content, tmp_path)) == 2


@settings(max_examples=40)
@given(st.text(max_size=30))
def test_any_name_comes_back_as_far_as_xml_can_hold_it(name: str) -> None:
    root = ET.fromstring(to_kml(renamed(GAPS.iloc[:1], name)))  # noqa: S314 - our own
    data = {one.get("name"): one.text for one in root.iter(f"{KML}SimpleData")}
    held = "".join(
        one
        if one in "\t\n\r" or (one >= " " and one not in "\ufffe\uffff" and not "\ud800" <= one <= "\udfff")
        else "\ufffd"
        for one in name
    )
    assert (data["village_name"] or "") == held.replace("\r\n", "\n").replace("\r", "\n")


def test_a_row_without_a_shape_keeps_its_place_and_a_hole_stays_a_hole(tmp_path: Path) -> None:
    ring = shapely.box(108, 11, 108.1, 11.1).difference(shapely.box(108.04, 11.04, 108.06, 11.06))
    frame = GAPS.iloc[:3].copy()
    frame = frame.set_geometry([ring, None, shapely.MultiPolygon()], crs=4326)
    frame.attrs = GAPS.attrs
    back = opened(to_kml(frame), tmp_path)
    assert back.geometry.isna().tolist() == [False, True, True]
    assert back.geometry.iloc[0].area == pytest.approx(ring.area)
    assert back["gap_id"].tolist() == frame["gap_id"].tolist()


def test_it_is_written_by_the_name_of_the_file(tmp_path: Path) -> None:
    assert files.format_of(tmp_path / "a.KML") == "kml"
    assert files.write(GAPS, tmp_path / "a.kml", "kml").read_bytes() == to_kml(GAPS)
