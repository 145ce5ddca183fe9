"""The shapefile: a zip that GIS programs open, whose dictionary tells every field."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from functools import partial
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshots import HOSTILE, snapshot

from coverage.errors import InputError
from coverage.exports import files, lists, shapefile
from coverage.exports.headings import SHORT_NAMES
from coverage.exports.shapefile import cut

to_shapefile = partial(files.to_bytes, fmt="shp")
SHOWN = snapshot(40)
GAPS = lists.select(SHOWN, "gaps")


def like_gaps(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    frame.attrs = GAPS.attrs
    return frame


def opened(content: bytes, folder: Path) -> gpd.GeoDataFrame:
    path = folder / "list.shp.zip"
    path.write_bytes(content)
    return pyogrio.read_dataframe(path, use_arrow=False)


def dictionary(content: bytes) -> list[dict[str, str]]:
    text = zipfile.ZipFile(io.BytesIO(content)).read("dictionary.csv")
    assert text.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("what", lists.LISTS)
def test_gdal_and_geopandas_read_every_row_and_value(what: str, tmp_path: Path) -> None:
    frame = lists.select(SHOWN, what)
    back = opened(to_shapefile(frame), tmp_path)
    assert len(back) == len(gpd.read_file(tmp_path / "list.shp.zip")) == len(frame)
    assert back.crs.to_epsg() == 4326
    for name in (
        "operator",
        "operator_name",
        "village_name",
        "commune_name",
        "reason_en",
        "tests",
        "dead_share",
    ):
        if name in frame:
            known, values = frame[name].notna(), back[SHORT_NAMES[name]]
            expected = [round(one, 6) if isinstance(one, float) else one for one in frame.loc[known, name]]
            assert values[known].tolist() == pytest.approx(expected)
            assert values[~known].isna().all()
    assert (back.geometry.notna() == frame.geometry.notna()).all()
    kept = frame.geometry.notna()
    mine, theirs = frame.geometry[kept].to_numpy(), back.geometry[kept].to_numpy()
    assert (shapely.hausdorff_distance(mine, theirs) < 1e-9).all()


@pytest.mark.parametrize("what", lists.LISTS)
def test_the_dictionary_tells_every_field_and_no_other(what: str, tmp_path: Path) -> None:
    frame = lists.select(SHOWN, what)
    content = to_shapefile(frame)
    told = dictionary(content)
    assert [one["short_name"] for one in told] == list(opened(content, tmp_path).columns.drop("geometry"))
    assert [one["full_name"] for one in told] == list(frame.columns.drop("geometry"))
    assert all(one["meaning"] and one["meaning_vi"] and one["type"] for one in told)


def test_the_zip_holds_plain_names_a_system_and_what_it_is() -> None:
    archive = zipfile.ZipFile(io.BytesIO(to_shapefile(GAPS)))
    assert sorted(archive.namelist()) == [
        "README.txt",
        "dictionary.csv",
        *(f"gaps.{one}" for one in ("cpg", "dbf", "prj", "shp", "shx")),
    ]
    assert archive.read("gaps.cpg") == b"UTF-8"
    assert b"GCS_WGS_1984" in archive.read("gaps.prj")
    readme = archive.read("README.txt").decode("utf-8-sig")
    for said in (
        SHOWN.info.criteria,
        SHOWN.info.snapshot_id,
        SHOWN.info.as_of,
        "có / yes",
        f"rows: {len(GAPS)}",
    ):
        assert said in readme
    assert to_shapefile(GAPS) == to_shapefile(GAPS)


def test_dates_truths_and_what_is_missing_are_as_the_readme_says(tmp_path: Path) -> None:
    frame = lists.select(SHOWN, "villages")
    back = opened(to_shapefile(frame), tmp_path)
    assert set(back["electrif"].dropna()) == {"true", "false"}
    assert (back["electrif"].isna() == frame["electrified"].isna()).all()
    assert (back["as_of"].dt.date == date(2026, 11, 1)).all()
    assert (back["pow_as_of"].isna() == frame["power_as_of"].isna()).all()
    tested = frame["last_test_utc"].notna()
    assert set(back.loc[tested, "last_utc"]) == {"2026-09-20T08:15:30Z"}
    assert back.loc[~tested, "last_utc"].isna().all()
    assert (back["households"].isna() == frame["households"].isna()).all()


def test_longitude_comes_first_and_letters_and_hostile_names_stay(tmp_path: Path) -> None:
    frame = lists.select(SHOWN, "villages")
    back = opened(to_shapefile(frame), tmp_path)
    one = back[back["village_id"] == "V0012"].iloc[0]
    shape = SHOWN.villages.set_index("village_id").geometry["V0012"]
    assert one.geometry.bounds == pytest.approx(shape.bounds)
    assert one["vill_name"] == "Đắk Rơ Măng 12"
    assert any("Đạ K'Nàng" in name for name in back["vill_name"])
    assert set(HOSTILE) <= set(back["vill_name"])


def test_a_row_without_a_shape_is_kept(tmp_path: Path) -> None:
    frame = GAPS.iloc[:3].copy().set_geometry([None, GAPS.geometry.iloc[1], shapely.Polygon()], crs=4326)
    back = opened(to_shapefile(like_gaps(frame)), tmp_path)
    assert back.geometry.isna().tolist() == [True, False, True]
    nowhere = GAPS.iloc[:2].copy().set_geometry([None, None], crs=4326)
    path = tmp_path / "list.shp.zip"
    path.write_bytes(to_shapefile(like_gaps(nowhere)))
    assert pyogrio.read_info(path)["features"] == 2


def test_a_long_text_is_cut_between_letters_and_told(tmp_path: Path) -> None:
    content = to_shapefile(like_gaps(GAPS.iloc[:3].assign(reason=["ạ" * 200, "Đ" * 127, "x"])))
    back = opened(content, tmp_path)
    assert back["reason"].tolist() == ["ạ" * 84, "Đ" * 127, "x"]
    notes = {one["short_name"]: one["note"] for one in dictionary(content) if one["note"]}
    assert notes["reason"].startswith("1 ô")


@given(st.text())
def test_a_cut_text_is_whole_letters_of_the_text(text: str) -> None:
    short = cut(text)
    assert len(short.encode()) <= 254
    assert text.replace("\0", "\ufffd").startswith(short)
    assert len(text.encode()) > 254 or "\0" in text or short == text


@settings(max_examples=25, deadline=None)
@given(
    names=st.lists(st.sampled_from([name for name in GAPS if name != "geometry"]), min_size=1, unique=True)
)
def test_any_choice_of_columns_keeps_its_short_names(names: list[str]) -> None:
    content = to_shapefile(like_gaps(GAPS.iloc[:2][[*names, "geometry"]]))
    fields = pyogrio.read_info(io.BytesIO(content))["fields"].tolist()
    assert fields == [one["short_name"] for one in dictionary(content)] == [SHORT_NAMES[one] for one in names]
    assert all(one.isascii() and len(one) <= 10 for one in fields)


def test_what_a_shapefile_cannot_hold_is_refused_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = GAPS.iloc[:2].copy().set_geometry([shapely.Point(108, 11), GAPS.geometry.iloc[1]], crs=4326)
    with pytest.raises(InputError, match="gpkg"):
        to_shapefile(like_gaps(mixed))
    monkeypatch.setattr(shapefile, "MOST_FILE_BYTES", 1000)
    with pytest.raises(InputError, match="2 GB"):
        to_shapefile(GAPS)


def test_it_is_written_by_the_name_of_the_file(tmp_path: Path) -> None:
    assert {files.format_of(tmp_path / name) for name in ("a.shp.zip", "a.zip", "A.SHP.ZIP")} == {"shp"}
    with pytest.raises(InputError, match=r"gaps\.shp\.zip"):
        files.format_of(tmp_path / "gaps.shp")
