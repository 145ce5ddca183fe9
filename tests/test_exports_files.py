"""Files of any length, in every format: the same rows however many batches they take; other programs open them."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from snapshots import HOSTILE, snapshot

from coverage.exports import files, geojson, lists
from coverage.exports.headings import SHORT_NAMES, heading
from coverage.exports.plain import BATCH_ROWS

FORMATS = tuple(files.FORMATS)
COLUMNS = (
    *("village_id", "village_name", "operator", "status", "electrified", "power_as_of", "households"),
    *("tests", "last_test_utc", "median_rsrp_dbm", "especially_difficult", "reason", "geometry"),
)
VILLAGES = lists.select(snapshot(40), "villages")
NAMES = ('=HYPERLINK("x")', "<img onerror=alert(1)>", *HOSTILE, "Đắk Rơ Măng", "Thôn 4 Đạ K'Nàng")
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
# What its dialogs ask, answered: comma, double quotes and UTF-8 of a CSV; UTF-8 of a .dbf, beside whose .cpg it does not look.
OFFICE_WAYS = {"xlsx": [], "csv": ["--infilter=CSV:44,34,76,1"], "shp": ["--infilter=dBase:76"]}
OGR2OGR = shutil.which("ogr2ogr")


def long(rows: int) -> gpd.GeoDataFrame:
    """So many rows of few columns, each with its own id and name; simulated."""
    some = VILLAGES.iloc[np.arange(rows) % len(VILLAGES)][list(COLUMNS)].reset_index(drop=True)
    named = [f"{name} {at}" for at, name in enumerate(some["village_name"])]
    return told(some.assign(village_id=[f"V{at:06}" for at in range(rows)], village_name=named))


def told(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    frame.attrs = VILLAGES.attrs
    return frame


def saved(frame: gpd.GeoDataFrame, folder: Path, fmt: str) -> Path:
    return files.write(frame, folder / f"villages.{files.suffix(fmt)}", fmt)


def opened(path: Path, fmt: str) -> gpd.GeoDataFrame:
    """The rows of a file, as geopandas reads them."""
    if fmt == "parquet":
        return gpd.read_parquet(path)
    if fmt == "xlsx":
        rows = pd.read_excel(path, engine="calamine")
        return gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(rows["Kinh độ"], rows["Vĩ độ"]), crs=4326)
    places = {"X_POSSIBLE_NAMES": "lon", "Y_POSSIBLE_NAMES": "lat"} if fmt == "csv" else {}
    return gpd.read_file(path, use_arrow=False, **places)


def known(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """The rows without what is missing, shapes as WKB."""
    shapes = shapely.to_wkb(frame.geometry.to_numpy())
    rows = pd.DataFrame(frame.drop(columns=frame.geometry.name)).astype(object).assign(shape=shapes)
    return [
        {name: value for name, value in row.items() if pd.notna(value)} for row in rows.to_dict("records")
    ]


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("rows", [BATCH_ROWS - 1, BATCH_ROWS, 2 * BATCH_ROWS + 1])
def test_a_long_file_holds_what_short_ones_hold(fmt: str, rows: int, tmp_path: Path) -> None:
    frame, short = long(rows), BATCH_ROWS - 300
    whole = known(opened(saved(frame, tmp_path, fmt), fmt))
    expected: list[dict[str, Any]] = []
    for start in range(0, rows, short):
        part = told(frame.iloc[start : start + short].reset_index(drop=True))
        expected += known(opened(saved(part, tmp_path, fmt), fmt))
    # FlatGeobuf puts rows in the order of its index.
    in_order: Callable[[list[Any]], list[Any]] = (
        partial(sorted, key=lambda row: row["village_id"]) if fmt == "fgb" else list
    )
    assert len(whole) == rows
    assert in_order(whole) == in_order(expected)


@pytest.mark.parametrize("rows", [0, 1, BATCH_ROWS, BATCH_ROWS + 1])
def test_text_is_that_of_the_whole_list_at_once(rows: int) -> None:
    frame = long(rows)
    stamp = {name: frame.attrs[name] for name in ("criteria", "snapshot_id", "as_of")}
    document = json.loads(files.to_bytes(frame, "geojson"))
    shapes = geojson.geometries(frame.geometry.to_numpy(), geojson.DECIMALS)
    assert {name: document[name] for name in stamp} == stamp
    assert [one["id"] for one in document["features"]] == geojson.feature_ids(frame)
    assert [one["geometry"] for one in document["features"]] == json.loads(json.dumps(shapes))
    lines = files.to_bytes(frame, "csv").decode("utf-8-sig").split("\r\n")
    assert (len(lines), lines[-1]) == (rows + 2, "")
    assert lines.count(lines[0]) == 1


def test_row_groups_of_parquet_join_to_the_whole(tmp_path: Path) -> None:
    frame = long(10_001)
    path, at_once = saved(frame, tmp_path, "parquet"), tmp_path / "at-once.parquet"
    frame.to_parquet(at_once)
    back, expected = gpd.read_parquet(path), gpd.read_parquet(at_once)
    assert back.attrs == frame.attrs
    assert back.geometry.geom_equals(expected.geometry).all()
    for name in ("village_id", "village_name", "households", "tests", "electrified"):
        assert back[name].equals(expected[name].astype(back[name].dtype)), name


def peak(frame: gpd.GeoDataFrame, folder: Path, fmt: str) -> int:
    tracemalloc.start()
    try:
        saved(frame, folder, fmt)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("fmt", [fmt for fmt in FORMATS if fmt != "parquet"])  # whose row groups are longer
def test_a_longer_list_takes_no_more_memory_beside_it(fmt: str, tmp_path: Path) -> None:
    saved(long(10), tmp_path, fmt)
    assert peak(long(3 * BATCH_ROWS), tmp_path, fmt) < 1.5 * peak(long(BATCH_ROWS), tmp_path, fmt)


def test_a_failure_halfway_leaves_the_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(long(10), tmp_path, "geojson")
    before = path.read_bytes()
    wrong = long(2 * BATCH_ROWS).astype({"reason": object})
    wrong.loc[2 * BATCH_ROWS - 1, "reason"] = {1, 2}
    with pytest.raises(TypeError):
        saved(told(wrong), tmp_path, "geojson")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture(scope="module")
def hostile() -> gpd.GeoDataFrame:
    """Rows of every column, the hostile names first and the Vietnamese ones last."""
    return told(VILLAGES.iloc[: len(NAMES)].assign(village_name=list(NAMES)))


def name_column(fmt: str) -> str:
    return {"shp": SHORT_NAMES["village_name"], "xlsx": heading("village_name", "villages").vi}.get(
        fmt, "village_name"
    )


def expected_names(fmt: str) -> list[str]:
    return sorted(files.formula_safe(name) if fmt == "csv" else name for name in NAMES)


def check(rows: gpd.GeoDataFrame, hostile: gpd.GeoDataFrame, fmt: str) -> None:
    assert sorted(rows[name_column(fmt)]) == expected_names(fmt)
    middles = fmt in {"csv", "xlsx"}
    west, south, east, north = hostile.centroid.total_bounds if middles else hostile.total_bounds
    assert rows.total_bounds == pytest.approx((west, south, east, north), abs=1e-6)
    assert 107 < west < east < 109 and 11 < south < north < 13


@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
@pytest.mark.parametrize("fmt", FORMATS)
def test_geopandas_opens_every_format(hostile: gpd.GeoDataFrame, fmt: str, tmp_path: Path) -> None:
    check(opened(saved(hostile, tmp_path, fmt), fmt), hostile, fmt)


@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
@pytest.mark.skipif(
    OGR2OGR is None, reason="GDAL's programs (apt-get install gdal-bin) are not installed here"
)
@pytest.mark.parametrize("fmt", [fmt for fmt in FORMATS if fmt != "parquet"])  # which Debian's GDAL lacks
def test_debian_s_gdal_opens_every_format(hostile: gpd.GeoDataFrame, fmt: str, tmp_path: Path) -> None:
    path, copy = saved(hostile, tmp_path, fmt), tmp_path / "copy.geojson"
    places = ["-oo", "X_POSSIBLE_NAMES=lon", "-oo", "Y_POSSIBLE_NAMES=lat"] if fmt == "csv" else []
    layer = ["Thôn"] if fmt == "xlsx" else []
    command = [str(OGR2OGR), "-f", "GeoJSON", *places, str(copy), str(path), *layer]
    subprocess.run(command, check=True, timeout=60)
    rows = gpd.read_file(copy, use_arrow=False)
    if fmt == "xlsx":
        rows = gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(rows["Kinh độ"], rows["Vĩ độ"]))
    check(rows, hostile, fmt)


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice (soffice) is not installed here")
@pytest.mark.parametrize(("fmt", "way"), OFFICE_WAYS.items())
def test_libreoffice_opens_tables_and_runs_nothing(
    hostile: gpd.GeoDataFrame, fmt: str, way: list[str], tmp_path: Path, home: str
) -> None:
    path = saved(hostile, tmp_path, fmt)
    if fmt == "shp":
        if not Path(str(OFFICE)).resolve().with_name("libdbaselo.so").exists():
            pytest.skip(
                "LibreOffice's driver for dBase (apt-get install libreoffice-base-drivers) is not here"
            )
        path = Path(zipfile.ZipFile(path).extract("villages.dbf", tmp_path))
    to_csv = [
        "--headless",
        "--convert-to",
        "csv:Text - txt - csv (StarCalc):44,34,76",
        "--outdir",
        str(tmp_path / "out"),
    ]
    subprocess.run([str(OFFICE), home, *way, *to_csv, str(path)], check=True, timeout=120)
    with (tmp_path / "out" / "villages.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # A field of dBase is headed by its name, kind and length.
    column = next(name for name in rows[0] if name.split(",")[0] == name_column(fmt))
    assert [row[column] for row in rows] == [
        files.formula_safe(one) if fmt == "csv" else one for one in NAMES
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"-env:UserInstallation=file://{tmp_path_factory.mktemp('office')}"
