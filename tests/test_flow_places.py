"""Places end to end: whatever shape a province's villages come in, none is lost and nobody is counted twice."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from coverage import inputs, intake, pipeline, tables
from coverage.archive import history
from coverage.archive.workspace import Workspace, open_workspace
from coverage.demo import SAMPLE_PLACES, add_sample
from coverage.errors import InputError, PlacesRefused
from coverage.exports import lists, summary
from coverage.exports.command import export_to_file
from coverage.exports.notes import write_notes
from coverage.ground import Lie, lie_of_the_land
from coverage.intake_places import Given, PlacesReport, add_places
from coverage.logs.context import Context
from coverage.places import rasters
from coverage.projections import equal_area
from coverage.simulate import simulate

AS_OF = date(2026, 11, 1)
WEST, SOUTH, STEP = 108.0, 11.0, 0.002


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


def add_communes(workspace: Workspace, folder: Path) -> None:
    """Two communes side by side, 108.0–108.1 and 108.1–108.2 east, with codes that no register knows."""
    shapes = [shapely.box(108.0, 11.0, 108.1, 11.1), shapely.box(108.1, 11.0, 108.2, 11.1)]
    rows = [
        {"commune_code": "00001", "commune_name": "Xã Tây"},
        {"commune_code": "00002", "commune_name": "Xã Đông"},
    ]
    gpd.GeoDataFrame(rows, geometry=shapes, crs=4326).to_file(folder / "communes.geojson")
    add_places(workspace, "communes", folder / "communes.geojson")


def add_people(workspace: Workspace, folder: Path, counts: np.ndarray) -> None:
    """A raster of 100 × 50 cells over both communes, people per cell."""
    transform = rasterio.Affine(STEP, 0, WEST, 0, -STEP, 11.1)
    profile = {
        "driver": "GTiff",
        "height": 50,
        "width": 100,
        "count": 1,
        "dtype": "float32",
        "nodata": -9999.0,
    }
    with rasterio.open(folder / "people.tif", "w", crs="EPSG:4326", transform=transform, **profile) as file:
        file.write(counts.astype(np.float32), 1)
    add_places(workspace, "population", folder / "people.tif")


def add_villages(workspace: Workspace, folder: Path, **shapes: Any) -> list[str]:
    """The codes of what is noted of villages of those names: polygons, points or None."""
    rows = [{"village_id": name, "name": f"Thôn {name}", "geometry": shape} for name, shape in shapes.items()]
    path = folder / "villages.gpkg"
    gpd.GeoDataFrame(rows, geometry="geometry", crs=4326).to_file(path)
    return [note.code for note in add_places(workspace, "villages", path).notes]


def laid_out(workspace: Workspace) -> Lie:
    lie = lie_of_the_land(inputs.fetch(workspace, AS_OF))
    tables.check_frame(tables.CROSSWALK, lie.pairs)
    tables.check_frame(tables.PLACES, lie.places)
    placed = lie.villages[lie.villages["boundary"] != "none"]
    shares = lie.pairs.groupby("village_id")["village_share"].sum()
    assert set(shares.index) == set(placed["village_id"])
    assert shares.to_numpy() == pytest.approx(1.0, abs=1e-9)
    areas = placed.set_index("village_id").geometry.to_crs(equal_area(placed)).area / 1e6
    measured = lie.pairs.groupby("village_id")["area_km2"].sum()
    pd.testing.assert_series_equal(measured, areas, check_names=False, check_like=True, rtol=1e-6)
    homes = lie.places.groupby("village_id")["share"].sum()
    assert set(homes.index) == set(lie.villages["village_id"])
    assert homes.to_numpy() == pytest.approx(1.0)
    return lie


def test_polygons_of_every_kind_keep_their_ground_and_their_people(
    workspace: Workspace, tmp_path: Path
) -> None:
    rng = np.random.default_rng(4)
    counts = rng.gamma(0.4, 5.0, (50, 100))
    add_communes(workspace, tmp_path)
    add_people(workspace, tmp_path, counts)
    ring = shapely.box(108.0, 11.0, 108.05, 11.1)
    small = shapely.Point(108.02, 11.02).buffer(0.0008)  # 0.025 km², a fifth of a hex
    two_parts = shapely.union(
        shapely.box(108.06, 11.0, 108.08, 11.1), shapely.box(108.16, 11.0, 108.18, 11.1)
    )
    bow_tie = shapely.Polygon([(108.18, 11.0), (108.2, 11.1), (108.2, 11.0), (108.18, 11.1)])
    shapes = {
        "with_hole": ring - small,
        "smaller_than_a_hex": small,
        "in_two_parts": two_parts,
        "across_the_border": shapely.box(108.08, 11.0, 108.16, 11.1),
        "bow_tie": bow_tie,
        "strip": shapely.box(108.05, 11.0, 108.06, 11.1),
    }
    add_villages(workspace, tmp_path, **shapes)
    lie = laid_out(workspace)
    assert set(lie.villages["boundary"]) == {"given"}
    mended = shapely.make_valid(np.array(list(shapes.values())))
    missing = shapely.box(108.0, 11.0, 108.2, 11.1) - shapely.union_all(mended)
    elsewhere = people_under(missing, counts)
    assert lie.pairs["population"].sum() == pytest.approx(counts.sum() - elsewhere, rel=1e-3)
    for name, shape in zip(shapes, mended, strict=True):
        own = lie.villages.set_index("village_id").loc[name]
        assert own["population"] == pytest.approx(people_under(shape, counts), rel=1e-3, abs=0.01)
        assert own["population_source"] == "raster"


def people_under(shape: shapely.Geometry, counts: np.ndarray) -> float:
    """Counted in another way: every cell cut with the shape."""
    west, north = np.meshgrid(WEST + STEP * np.arange(100), 11.1 - STEP * np.arange(50))
    cells = shapely.box(west.ravel(), north.ravel() - STEP, west.ravel() + STEP, north.ravel())
    return float((shapely.area(shapely.intersection(cells, shape)) / STEP**2 * counts.ravel()).sum())


def test_points_of_every_kind_get_ground_of_their_own_commune(workspace: Workspace, tmp_path: Path) -> None:
    counts = np.zeros((50, 100))
    counts[20:30, 10:14] = 30.0  # a settlement around 108.024, 11.05 in the west
    counts[20:30, 60:64] = 20.0  # one around 108.124, 11.05 in the east
    add_communes(workspace, tmp_path)
    add_people(workspace, tmp_path, counts)
    add_villages(
        workspace, tmp_path,
        west=shapely.Point(108.024, 11.045), beside=shapely.Point(108.024, 11.055),
        east=shapely.Point(108.124, 11.05), lonely=shapely.Point(108.18, 11.09), nowhere=None,
    )  # fmt: skip
    (tmp_path / "clusters.csv").write_text(
        "village_id,cluster_id,lat,lon,households\nlonely,a,11.09,108.18,10\nlonely,b,11.07,108.18,\n"
    )
    add_places(workspace, "clusters", tmp_path / "clusters.csv")
    lie = laid_out(workspace)
    villages = lie.villages.set_index("village_id")
    assert villages["boundary"].to_dict() == {
        "beside": "derived", "east": "derived", "lonely": "derived", "nowhere": "none", "west": "derived",
    }  # fmt: skip
    assert villages.loc["nowhere"].geometry is None
    # Half of the western settlement is nearer to each of its villages; nobody is counted twice or left out.
    assert villages.loc["west", "population"] == pytest.approx(600.0, rel=0.01)
    assert villages.loc[["west", "beside"], "population"].sum() == pytest.approx(1200.0, rel=1e-3)
    assert villages.loc["east", "population"] == pytest.approx(800.0, rel=1e-3)
    kinds = lie.places.groupby("village_id")["kind"].agg(set)
    assert kinds["west"] == {"centre", "settled"}
    assert kinds["lonely"] == {"centre", "cluster"}
    assert kinds["nowhere"] == {"polygon"}


def test_a_village_nobody_can_place_is_measured_by_nobody_and_stays_on_the_list(
    workspace: Workspace, tmp_path: Path
) -> None:
    add_communes(workspace, tmp_path)
    add_villages(workspace, tmp_path, here=shapely.Point(108.05, 11.05), nowhere=None)
    pipeline.assess(workspace, AS_OF)
    snapshot = history.latest(workspace)
    verdicts = snapshot.village_verdicts.set_index("village_id")
    assert set(verdicts.loc["nowhere", "status"]) == {"chua_co_du_lieu"}
    listed = lists.select(snapshot, "need_measurement")
    assert set(listed["village_id"]) == {"here", "nowhere"}
    for fmt in lists.FORMATS:
        assert lists.write(listed, tmp_path / f"list.{fmt}", fmt).stat().st_size > 0


def test_two_operators_maps_and_two_lists_of_power_stand_side_by_side(
    workspace: Workspace, tmp_path: Path
) -> None:
    add_communes(workspace, tmp_path)
    area = {
        "type": "Polygon",
        "coordinates": [[[108, 11], [108.1, 11], [108.1, 11.1], [108, 11.1], [108, 11]]],
    }
    path = tmp_path / "map.geojson"
    shape = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.geometry.shape(area)], crs=4326)
    shape.to_file(path)
    with pytest.raises(PlacesRefused, match="operator"):
        add_places(workspace, "declared", path)
    assert add_places(workspace, "declared", path, Given(operator="Viettel")).total == 1
    assert add_places(workspace, "declared", path, Given(operator="MobiFone")).total == 2
    assert add_places(workspace, "declared", path, Given(operator="45204")).total == 2  # Viettel's, once more
    assert add_places(workspace, "declared", path, Given(operator="VinaPhone", replace=True)).total == 1
    for name in ("one.csv", "two.csv", "one.csv"):
        (tmp_path / name).write_text(f"village_id,households,households_grid,source\nv,10,9,{name}\n")
        report = add_places(workspace, "power", tmp_path / name)
    assert report.total == 2


def test_notes_are_written_for_a_spreadsheet(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "thôn.csv"
    path.write_text(
        "Tên thôn;Vĩ độ;Kinh độ\nThôn 1;11,05;108,05\n=1+1;;\nThôn 1;11,06;108,06\n", encoding="utf-8"
    )
    report = add_places(workspace, "villages", path)
    text = write_notes(report.notes, tmp_path / "notes.csv").read_text(encoding="utf-8-sig")
    table = pd.read_csv(io.StringIO(text))
    assert table["Dòng"].dropna().tolist() == sorted(note.row for note in report.notes if note.row)
    assert {3, 4} <= set(table["Dòng"].dropna())
    assert len(table) == len(report.notes)
    assert not any(line.startswith("=") for line in text.splitlines())


def test_communes_of_another_country_are_noted_and_taken(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "communes.geojson"
    row = {"commune_code": "BI-01", "commune_name": "Bujumbura"}
    gpd.GeoDataFrame([row], geometry=[shapely.box(29.3, -3.4, 29.5, -3.2)], crs=4326).to_file(path)
    assert [note.code for note in add_places(workspace, "communes", path).notes] == ["elsewhere"]
    report = add_villages(workspace, tmp_path, v=shapely.box(29.31, -3.39, 29.35, -3.35))
    assert report == []


def codes(report: PlacesReport) -> list[str]:
    return [note.code for note in report.notes]


def village_points(folder: Path, crs: str, count: int = 30) -> Path:
    """Villages as points with their commune's code, spread over both communes, their file in that system."""
    lon = 108.005 + 0.19 * np.arange(count) / (count - 1)
    rows = {
        "village_id": [f"v{i}" for i in range(count)],
        "commune_code": np.where(lon < 108.1, "00001", "00002"),
    }
    points = gpd.GeoSeries(gpd.points_from_xy(lon, np.full(count, 11.05)), crs=4326).to_crs(crs)
    path = folder / "points.gpkg"
    gpd.GeoDataFrame(rows, geometry=points).to_file(path)
    return path


def test_villages_in_the_wrong_zone_are_told_whichever_layer_comes_first(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = village_points(tmp_path, "EPSG:5899")
    wrong = gpd.read_file(path).set_crs(9218, allow_override=True)
    wrong.to_file(tmp_path / "wrong.gpkg")
    assert codes(add_places(workspace, "villages", tmp_path / "wrong.gpkg")) == []
    add_communes(workspace, tmp_path)
    notes = add_places(workspace, "communes", tmp_path / "communes.geojson").notes
    assert "EPSG:5899" in next(note.en for note in notes if note.code == "wrong_zone")
    with pytest.raises(PlacesRefused) as refusal:
        add_places(workspace, "villages", tmp_path / "wrong.gpkg")
    assert refusal.value.code == "wrong_zone"


def test_a_wrong_layer_of_communes_leaves_no_trace(workspace: Workspace, tmp_path: Path) -> None:
    add_villages(workspace, tmp_path, a=shapely.Point(108.05, 11.05), b=shapely.Point(108.15, 11.05))
    add_communes(workspace, tmp_path)
    frame = gpd.read_file(tmp_path / "communes.geojson")
    frame.assign(commune_code=["00002", "00001"]).to_file(tmp_path / "crossed.geojson")
    add_places(workspace, "communes", tmp_path / "crossed.geojson")
    assert codes(add_places(workspace, "communes", tmp_path / "communes.geojson")) == []
    villages = inputs.fetch(workspace, AS_OF).villages.set_index("village_id")
    assert villages["commune_code"].to_dict() == {"a": "00001", "b": "00002"}


def test_numbers_as_codes_of_communes_keep_their_zeros(workspace: Workspace, tmp_path: Path) -> None:
    row = {"commune_code": 12, "commune_name": "Xã Số Không"}
    layer = gpd.GeoDataFrame([row], geometry=[shapely.box(108.0, 11.0, 108.1, 11.1)], crs=4326)
    layer.to_file(tmp_path / "communes.gpkg")
    add_places(workspace, "communes", tmp_path / "communes.gpkg")
    path = tmp_path / "thon.csv"
    path.write_text("Mã thôn;Tên thôn;Mã xã;Vĩ độ;Kinh độ\na;Thôn 1;00012;11,05;108,05\n", encoding="utf-8")
    assert codes(add_places(workspace, "villages", path)) == []


def cluster_file(folder: Path, lat: float) -> Path:
    path = folder / "clusters.csv"
    path.write_text(f"village_id,cluster_id,lat,lon,households\nv,a,11.05,108.05,10\nv,b,{lat},108.05,10\n")
    return path


def test_a_cluster_of_another_place_is_told_whichever_comes_first(
    workspace: Workspace, tmp_path: Path
) -> None:
    home = shapely.box(108.04, 11.04, 108.06, 11.06)
    assert codes(add_places(workspace, "clusters", cluster_file(tmp_path, 11.5))) == []
    assert "places_refused" in add_villages(workspace, tmp_path, v=home)
    with pytest.raises(PlacesRefused, match="km from village v"):
        add_places(workspace, "clusters", cluster_file(tmp_path, 11.5))
    listed = tmp_path / "thon.csv"
    listed.write_text(
        "Mã thôn;Tên thôn;Mã cụm;Vĩ độ;Kinh độ\nv;Thôn 1;;11,05;108,05\nv;Thôn 1;a;11,05;108,05\nv;Thôn 1;b;11,5;108,05\n",
        encoding="utf-8",
    )
    with pytest.raises(PlacesRefused, match="km from village v"):
        add_places(workspace, "villages", listed)


def test_new_ids_of_villages_tell_which_layers_no_longer_fit(workspace: Workspace, tmp_path: Path) -> None:
    home = shapely.box(108.04, 11.04, 108.06, 11.06)
    add_villages(workspace, tmp_path, v=home)
    add_places(workspace, "clusters", cluster_file(tmp_path, 11.05))
    assert add_villages(workspace, tmp_path, other=home) == ["unknown_village"]


def test_a_raster_that_came_before_the_villages_is_held_against_them(
    workspace: Workspace, tmp_path: Path
) -> None:
    add_people(workspace, tmp_path, np.full((50, 100), 2.0))
    assert add_villages(workspace, tmp_path, v=shapely.box(108.04, 11.04, 108.06, 11.06)) == []
    assert add_villages(workspace, tmp_path, v=shapely.box(104.04, 21.04, 104.06, 21.06)) == [
        "raster_elsewhere"
    ]


def test_a_centre_in_another_place_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    row = {"village_id": "v", "centre_lat": 11.6, "centre_lon": 108.05}
    layer = gpd.GeoDataFrame([row], geometry=[shapely.box(108.04, 11.04, 108.06, 11.06)], crs=4326)
    layer.to_file(tmp_path / "v.gpkg")
    with pytest.raises(PlacesRefused, match=r"centre of village v lies \d+\.\d km"):
        add_places(workspace, "villages", tmp_path / "v.gpkg")


def test_one_point_for_many_villages_is_the_place_of_none(workspace: Workspace, tmp_path: Path) -> None:
    rows = [f"Thôn {i};11,05;108,05" for i in range(3)] + ["Thôn 9;11,08;108,05"]
    path = tmp_path / "thon.csv"
    path.write_text("\n".join(["Tên thôn;Vĩ độ;Kinh độ", *rows, ""]), encoding="utf-8")
    assert codes(add_places(workspace, "villages", path)).count("coordinates_shared") == 3
    villages = inputs.fetch(workspace, AS_OF).villages
    assert villages.geometry.notna().sum() == 1


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("villages", "Mã thôn;Tên thôn;Vĩ độ;Kinh độ"), ("clusters", "village_id,cluster_id,lat,lon"),
        ("power", "village_id,households,households_grid"), ("outages", "village_id,from,until"),
        ("sites", "site_id,operator,lat,lon"), ("commune_links", "new_code,new_name,old_code,old_name,type"),
    ],
)  # fmt: skip
def test_a_file_without_rows_empties_no_layer(
    workspace: Workspace, tmp_path: Path, kind: Any, header: str
) -> None:
    path = tmp_path / "empty.csv"
    path.write_text(header + "\n", encoding="utf-8")
    before = sorted(workspace.places.iterdir())
    with pytest.raises(PlacesRefused):
        add_places(workspace, kind, path)
    assert sorted(workspace.places.iterdir()) == before


def test_a_file_sent_again_takes_back_what_it_no_longer_says(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "sites.csv"
    path.write_text("site_id,operator,lat,lon\na,45204,11.05,108.05\nb,45201,11.06,108.06\n")
    add_places(workspace, "sites", path)
    path.write_text("site_id,operator,lat,lon\na,45204,11.05,108.05\n")
    assert add_places(workspace, "sites", path).total == 1


@pytest.mark.parametrize(("until", "refused"), [("2026-02-01 00:00", False), ("2026-02-01 00:01", True)])
def test_an_outage_ends_within_a_month(
    workspace: Workspace, tmp_path: Path, until: str, refused: bool
) -> None:
    path = tmp_path / "outages.csv"
    path.write_text(f"village_id,operator,from,until\nv,Vietel,2026-01-01 00:00,{until}\n")
    if refused:
        with pytest.raises(PlacesRefused, match="longer than 31 days"):
            add_places(workspace, "outages", path)
    else:
        assert codes(add_places(workspace, "outages", path)) == ["unknown_operator"]


def test_power_of_a_day_to_come_is_not_believed_yet(workspace: Workspace, tmp_path: Path) -> None:
    add_villages(workspace, tmp_path, v=shapely.box(108.04, 11.04, 108.06, 11.06))
    rows = ["v,10,10,official_list,2026-03-31", "v,10,0,official_list,2026-11-02"]
    (tmp_path / "power.csv").write_text(
        "\n".join(["village_id,households,households_grid,source,as_of", *rows, ""])
    )
    add_places(workspace, "power", tmp_path / "power.csv")
    assert laid_out(workspace).power.loc["v", "electrified"] is True
    later = lie_of_the_land(inputs.fetch(workspace, date(2026, 11, 2)))
    assert later.power.loc["v", "electrified"] is False


REFUSED: list[tuple[str, str, Callable[[Path], Path]]] = [
    ("population", "raster_elsewhere", lambda data: data / "power" / "pop.tif"),
    ("population", "raster_is_mask", lambda data: data / "power" / "targets.tif"),
    ("population", "population_is_heights", lambda data: data / "rasters" / "pysheds_dem.tif"),
    ("dem", "raster_elsewhere", lambda data: data / "rasters" / "osmnx_elevation1.tif"),
]


@pytest.mark.realdata
@pytest.mark.parametrize(("kind", "code", "file"), REFUSED)
def test_a_raster_that_cannot_be_meant_changes_nothing(
    workspace: Workspace, tmp_path: Path, real_data: Path, kind: Any, code: str, file: Callable[[Path], Path]
) -> None:
    add_communes(workspace, tmp_path)
    before = sorted(workspace.places.iterdir())
    with pytest.raises(PlacesRefused) as refusal:
        add_places(workspace, kind, file(real_data))
    assert refusal.value.code in {code, "raster_elsewhere"}
    assert sorted(workspace.places.iterdir()) == before


@pytest.mark.realdata
def test_real_people_lights_and_lines_make_villages_of_burundi(
    workspace: Workspace, tmp_path: Path, real_data: Path
) -> None:
    # Hand-made villages of about 5 km around Bujumbura, where the samples of people, lights and lines overlap.
    corners = [(29.3 + 0.05 * i, -3.4 + 0.05 * j) for i in range(4) for j in range(4)]
    shapes = {f"v{n}": shapely.box(x, y, x + 0.05, y + 0.05) for n, (x, y) in enumerate(corners)}
    add_villages(workspace, tmp_path, **shapes)
    for kind, name in (("population", "pop.tif"), ("nightlights", "ntl.tif"), ("lines", "grid.geojson")):
        add_places(workspace, kind, real_data / "power" / name)  # type: ignore[arg-type]
    lie = laid_out(workspace)
    path = inputs.fetch(workspace, AS_OF).population
    assert path is not None
    whole = rasters.sums(path, gpd.GeoSeries([shapely.box(29.3, -3.4, 29.5, -3.2)], crs=4326))[0]
    assert whole > 100_000
    assert lie.pairs["population"].sum() == pytest.approx(whole, rel=1e-3)
    assert (lie.places["kind"] == "settled").any()
    hinted = lie.power[lie.power["power_evidence"] == "inferred"]
    assert len(hinted)
    assert hinted["electrified"].isna().all()  # a line or a light proves nothing


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Workspace]:
    folder = tmp_path_factory.mktemp("province")
    simulate(folder / "sample", villages=24, measurements=20_000, seed=5)
    workspace = open_workspace(folder / "workspace")
    add_sample(workspace, folder / "sample")
    pipeline.assess(workspace, AS_OF)
    return folder / "sample", workspace


def test_the_ministrys_table_counts_the_villages_of_the_lists(province: tuple[Path, Workspace]) -> None:
    snapshot = history.latest(province[1])
    table = summary.province_table(snapshot).set_index("status")
    counted: dict[tuple[str, str], set[str]] = {}
    seen: set[str] = set()
    for name, column in (
        ("gaps", "electrified"),
        ("verify_power", "power_unknown"),
        ("no_power", "not_electrified"),
    ):
        rows = lists.select(snapshot, name)
        for village, group in rows[~rows["village_id"].isin(seen)].groupby("village_id"):
            status = group["status_all_operators"].iloc[0]
            counted.setdefault((status, column), set()).add(village)
            if group["especially_difficult"].eq(True).any():
                counted.setdefault((status, f"{column}_difficult"), set()).add(village)
        seen |= set(rows["village_id"])
    assert counted
    for status in tables.DEAD_STATUSES:
        for column in table.columns.drop("villages"):
            assert table.loc[status, column] == len(counted.get((status, column), ())), (status, column)
    assert table["villages"].sum() == len(snapshot.villages) == 24


def test_a_folder_that_is_not_there_is_named(province: tuple[Path, Workspace], tmp_path: Path) -> None:
    wanted = tmp_path / "nowhere" / "gaps.csv"
    with pytest.raises(InputError, match=r"There is no folder .*nowhere\.$"):
        export_to_file(province[1], "gaps", wanted, None, {"operator": None, "commune": None, "status": None})


def test_dead_villages_are_told_with_their_sites_and_the_claims_there(
    province: tuple[Path, Workspace],
) -> None:
    _, workspace = province
    snapshot = history.latest(workspace)
    dead = snapshot.village_verdicts[snapshot.village_verdicts["status"].isin(tables.DEAD_STATUSES)]
    assert dead["claimed"].notna().all()
    assert dead["site_id"].notna().all()
    assert dead["site_distance_km"].between(0.1, 60).all()
    assert dead["site_terrain_blocks"].notna().all()
    alive = snapshot.village_verdicts.drop(dead.index)
    assert alive[["claimed", "site_id"]].isna().all().all()
    claimed = lists.select(snapshot, "claimed_dead")
    assert set(claimed["village_id"]) <= set(dead["village_id"])
    whole = snapshot.reliability[snapshot.reliability["commune_code"].isna()]
    assert set(whole["operator"]) == set(snapshot.info.in_scope)
    assert whole["pass_share"].between(0.5, 1).all()
    assert (whole["low_share"] <= whole["pass_share"]).all()
    assert (whole["high_share"] >= whole["pass_share"]).all()


def test_places_of_the_sample_are_what_it_writes(province: tuple[Path, Workspace]) -> None:
    sample, _ = province
    assert all((sample / name).is_file() for name in SAMPLE_PLACES.values())
    text = (sample / "declared.geojson").read_text(encoding="utf-8")
    assert "simulated" in text
    with rasterio.open(sample / "dem.tif") as dem:
        assert "simulated" in dem.tags()["source"]


def test_measurements_come_before_places_or_after(tmp_path: Path, province: tuple[Path, Workspace]) -> None:
    # The same files in another order are the same assessment.
    sample, first = province
    again = open_workspace(tmp_path / "again")
    for log in sorted((sample / "logs").iterdir()):
        for _ in intake.ingest(again, log, Context()):
            pass
    for kind, name in reversed(list(SAMPLE_PLACES.items())):
        add_places(again, kind, sample / name)
    pipeline.assess(again, AS_OF)
    columns = ["village_id", "operator", "status", "list", "population_affected", "site_id", "claimed"]
    one, other = history.latest(first).village_verdicts, history.latest(again).village_verdicts
    pd.testing.assert_frame_equal(one[columns], other[columns])
