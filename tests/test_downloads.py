"""Lists as files and figures as JSON, over a real socket: complete, filtered as asked, and kept by those who hold them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import httpx
import jsonschema_rs
import orjson
import pandas as pd
import pyogrio
import pytest
import shapely
from serving import problem, running
from snapshots import snapshot, workspace_with

from coverage.archive import history, snapshots
from coverage.archive.workspace import Workspace, open_workspace
from coverage.exports import files, lists
from coverage.exports.files import FORMATS
from coverage.exports.headings import SHORT_NAMES
from coverage.exports.kpi import kpi, schema
from coverage.exports.workbook import ALL_LISTS, LEGEND, LEGEND_HEADER, SHEETS
from coverage.tables import DEAD_STATUSES, STATUSES

SHOWN = snapshot(60)
GAPS = lists.select(SHOWN, "gaps")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace_with(tmp_path_factory.mktemp("downloads"), SHOWN)


@pytest.fixture(scope="module")
def server(workspace: Workspace) -> Iterator[str]:
    with running(workspace.root, workers=0) as service:
        yield service.address


def get(url: str, headers: dict[str, str] | None = None, **params: object) -> httpx.Response:
    said = {name: str(value) for name, value in params.items()} or None
    return httpx.get(url, params=said, headers=headers, timeout=60)


def opened(content: bytes, fmt: str, folder: Path) -> pd.DataFrame:
    """The file as its own reader opens it."""
    if fmt == "csv":
        assert content.startswith(b"\xef\xbb\xbf")
        return pd.read_csv(io.BytesIO(content), dtype={"operator": str, "commune_code": str})
    if fmt == "xlsx":
        return by_machine_names(content)
    if fmt == "parquet":
        return gpd.read_parquet(io.BytesIO(content))
    path = folder / f"file.{files.suffix(fmt)}"
    path.write_bytes(content)
    frame = pyogrio.read_dataframe(path, use_arrow=False)
    return frame.rename(columns={SHORT_NAMES[name]: name for name in SHORT_NAMES}) if fmt == "shp" else frame


def by_machine_names(content: bytes, sheet: str | int = 0) -> pd.DataFrame:
    """A sheet of a workbook, its Vietnamese headings read back as the names on its legend."""
    with pd.ExcelFile(io.BytesIO(content), engine="openpyxl") as book:
        legend = pd.read_excel(book, sheet_name=LEGEND, header=LEGEND_HEADER, index_col=0)
        rows = pd.read_excel(book, sheet_name=sheet, dtype={"Mã nhà mạng": str})
    return rows.rename(columns=legend["Tên máy / Name"])


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_holds_every_gap(server: str, fmt: str, tmp_path: Path) -> None:
    answer = get(f"{server}/gaps.{fmt}")
    assert answer.status_code == 200
    assert (
        answer.headers["content-disposition"]
        == f'attachment; filename="phu-song-gaps-{SHOWN.info.snapshot_id}.{files.suffix(fmt)}"'
    )
    frame = opened(answer.content, fmt, tmp_path)
    order = frame.set_index("gap_id").loc[GAPS["gap_id"]]
    assert len(frame) == len(GAPS)
    harmless = [
        f"'{name}" if fmt == "csv" and name.startswith("=") else name for name in GAPS["village_name"]
    ]
    assert order["village_name"].tolist() == harmless
    assert order["operator"].tolist() == GAPS["operator"].tolist()
    assert order["dead_share"].tolist() == pytest.approx(GAPS["dead_share"].tolist(), nan_ok=True)
    if isinstance(frame, gpd.GeoDataFrame):
        assert frame.crs.to_epsg() == 4326
        shapes = order.geometry.to_numpy()
        assert (shapely.area(shapely.symmetric_difference(shapes, GAPS.geometry.to_numpy())) < 1e-9).all()


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("what", lists.LISTS)
def test_every_list_has_every_format_also_where_rows_have_no_shape(
    what: str, fmt: str, tmp_path: Path
) -> None:
    frame = lists.select(SHOWN, what)
    for rows in (frame, frame.iloc[:0]):
        rows.attrs = frame.attrs
        if len(rows) or fmt != "csv":
            assert len(opened(files.to_bytes(rows, fmt), fmt, tmp_path)) == len(rows)
        else:
            assert files.to_bytes(rows, fmt)


@pytest.mark.parametrize("what", lists.LISTS)
def test_every_list_comes_as_a_file(server: str, what: str) -> None:
    told = get(f"{server}/{what}.geojson").json()
    assert len(told["features"]) == len(lists.select(SHOWN, what))
    assert len({one["id"] for one in told["features"]}) == len(told["features"])


def test_words_choose_the_rows(server: str) -> None:
    def ids(**words: str) -> list[str]:
        return [one["id"] for one in get(f"{server}/gaps.geojson", **words).json()["features"]]

    assert ids(operator="viettel") == GAPS.loc[GAPS["operator"] == "45204", "gap_id"].tolist()
    assert ids(commune="24877") == GAPS.loc[GAPS["commune_code"] == "24877", "gap_id"].tolist()
    assert ids(status="trang_song") == GAPS.loc[GAPS["status"] == "trang_song", "gap_id"].tolist()
    assert ids(electrified="true") == GAPS["gap_id"].tolist()
    assert ids(electrified="false") == []
    assert ids(date="2026-09-20/..") == GAPS["gap_id"].tolist()
    assert ids(date="2026-09-21/..") == []
    villages = lists.select(SHOWN, "villages")
    told = get(f"{server}/villages.csv", electrified="false").content
    rows = list(csv.DictReader(io.StringIO(told.decode("utf-8-sig"))))
    assert len(rows) == villages["electrified"].eq(False).sum()  # not those of which nobody knows
    assert {row["electrified"] for row in rows} == {"false"}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("gaps.csv?oprator=1", 400, "bad_parameter"),
        ("gaps.csv?operator=45204&operator=45201", 400, "bad_parameter"),
        ("gaps.csv?operator=Vietel", 400, "bad_input"),
        ("gaps.csv?commune=1", 404, "not_found"),
        ("gaps.csv?status=dead", 400, "bad_input"),
        ("gaps.csv?electrified=perhaps", 400, "bad_input"),
        ("gaps.csv?date=soon", 400, "bad_input"),
        ("gaps.csv?snapshot=s-000000000000", 404, "not_found"),
        ("gaps.csv?snapshot=..%2F..", 404, "not_found"),
        ("gaps.dxf", 422, "bad_request"),
        ("lists.csv", 404, "http_404"),
        ("lists.xlsx?operator=Vietel", 400, "bad_input"),
        ("lists.xlsx?oprator=1", 400, "bad_parameter"),
        ("measurements.csv", 404, "http_404"),
        ("kpi.json?x=1", 400, "bad_parameter"),
    ],
)
def test_what_cannot_be_asked_is_refused(server: str, path: str, status: int, code: str) -> None:
    problem(httpx.get(f"{server}/{path}"), status, code)


def test_a_format_that_there_is_not_is_told_those_that_there_are(server: str) -> None:
    told = problem(get(f"{server}/gaps.dxf"), 422, "bad_request")
    for text in (told["detail"], told["detail_en"]):
        assert "format: " in text and "'gpkg'" in text and "'dxf'" in text
    told = problem(get(f"{server}/gaps.csv?oprator=1"), 400, "bad_parameter")
    assert "did you mean operator?" in told["detail_en"]


def test_a_file_is_sent_once_in_ranges_and_packed(server: str) -> None:
    url = f"{server}/gaps.geojson"
    plain = get(url, {"Accept-Encoding": "identity"})
    assert plain.headers["etag"] == f'"{SHOWN.info.snapshot_id}"'
    packed = get(url, {"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    for tag in (plain.headers["etag"], packed.headers["etag"]):
        assert get(url, {"If-None-Match": tag}).status_code == 304
    part = get(url, {"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, plain.content[10:20])
    rest = get(url, {"Range": "bytes=100-", "If-Range": plain.headers["etag"]})
    assert plain.content == plain.content[:100] + rest.content
    stale = get(url, {"Range": "bytes=100-", "If-Range": '"s-000000000000"'})
    assert (stale.status_code, stale.content) == (200, plain.content)
    assert get(url, {"Range": f"bytes={len(plain.content)}-"}).status_code == 416


def test_files_of_old_snapshots_do_not_fill_the_disk(tmp_path: Path) -> None:
    workspace = workspace_with(tmp_path, SHOWN)
    with running(tmp_path, workers=0) as service:
        for number in range(5):
            info = replace(SHOWN.info, snapshot_id=f"s-{number:012d}")
            snapshots.save(workspace.snapshots, replace(SHOWN, info=info))
            history.publish(workspace, info, number)
            answer = get(f"{service.address}/gaps.csv")
            assert f"s-{number:012d}" in answer.headers["content-disposition"]
        assert sorted(one.name for one in workspace.downloads.iterdir()) == [f"s-{n:012d}" for n in (2, 3, 4)]
        # An earlier snapshot is still there for who asks, and its file is made again.
        assert get(f"{service.address}/gaps.csv", snapshot="s-000000000000").status_code == 200
        full = {"PHUSONG_FREE_DISK_FLOOR_MB": "1000000000"}
    with running(tmp_path, workers=0, free_disk_floor_mb=1_000_000_000) as service:
        problem(get(f"{service.address}/no_power.csv"), 507, "disk_full")
    assert full


def test_the_figures_keep_their_schema_and_add_up(server: str) -> None:
    told = get(f"{server}/kpi.json").json()
    told_schema = get(f"{server}/kpi.schema.json").json()
    assert told_schema == orjson.loads(orjson.dumps(schema()))
    jsonschema_rs.validator_for(told_schema).validate(told)
    province, verdicts = told["province"], SHOWN.village_verdicts
    assert province["villages"] == sum(one["villages"] for one in told["communes"]) == 60
    assert sum(province["by_status_of_all_operators"].values()) == 60
    assert province["villages_with_gap"] == GAPS["village_id"].nunique()
    assert sum(one["gaps"] for one in told["operators"]) == len(GAPS)
    for one in told["operators"]:
        rows = verdicts[verdicts["operator"] == one["operator"]]
        assert one["by_status"] == {status: int((rows["status"] == status).sum()) for status in STATUSES}
        measured = rows["status"].isin((*DEAD_STATUSES, "phu_song")).sum()
        assert one["villages_measured"] == measured
        assert one["measured_share"] == pytest.approx(measured / 60, abs=1e-4)
    shares = [name for name in _names(told) if name.endswith("_share")]
    assert "measured_share" in shares


def test_every_share_is_made_of_two_counts_beside_it(server: str) -> None:
    told = get(f"{server}/kpi.json").json()
    province = told["province"]
    for one in (province, *told["operators"], *told["communes"]):
        assert one["measured_share"] == pytest.approx(one["villages_measured"] / one["villages"], abs=1e-4)
    assert 0 < province["villages_measured_with_gap"] <= province["villages_with_gap"]
    assert province["villages_with_gap_share_of_measured"] == pytest.approx(
        province["villages_measured_with_gap"] / province["villages_measured"], abs=1e-4
    )
    for one in told["operators"]:
        covered, measured = one["by_status"]["phu_song"], one["villages_measured"]
        assert one["covered_share_of_measured"] == pytest.approx(covered / measured, abs=1e-4)
        assert one["gaps_share_of_measured"] == pytest.approx(one["gaps"] / measured, abs=1e-4)


def _names(told: object) -> set[str]:
    if isinstance(told, dict):
        return {*told, *(name for value in told.values() for name in _names(value))}
    return {name for one in told for name in _names(one)} if isinstance(told, list) else set()


def test_no_share_stands_without_the_share_that_was_measured() -> None:
    def look(told: object) -> None:
        if isinstance(told, dict):
            shares = [name for name in told if "share" in name]
            assert not shares or "measured_share" in told, told
            for value in told.values():
                look(value)
        if isinstance(told, list):
            for one in told:
                look(one)

    look(kpi(SHOWN))


def test_nothing_measured_is_no_share_of_nothing() -> None:
    bare = replace(SHOWN, village_verdicts=SHOWN.village_verdicts.iloc[:0], villages=SHOWN.villages.iloc[:0])
    told = orjson.loads(orjson.dumps(kpi(bare)))
    jsonschema_rs.validator_for(schema()).validate(told)
    assert told["province"]["measured_share"] is None
    assert told["operators"][0]["population_affected"] is None


def test_the_history_has_one_point_a_day(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path)
    days = ("2026-10-01", "2026-10-01", "2026-10-02", "2026-11-01", "2026-11-01")
    for number, day in enumerate(days):
        info = replace(SHOWN.info, snapshot_id=f"s-{number:012d}", as_of=day)
        fewer = SHOWN.village_verdicts[
            SHOWN.village_verdicts["list"].ne("gaps") | (SHOWN.village_verdicts.index % 5 >= number)
        ]
        snapshots.save(workspace.snapshots, replace(SHOWN, info=info, village_verdicts=fewer))
        history.publish(workspace, info, number)
    with running(tmp_path, workers=0) as service:
        told = get(f"{service.address}/kpi.json").json()
    assert [one["snapshot_id"] for one in told["history"]] == ["s-000000000001", "s-000000000002"]
    assert told["history"][0]["villages_with_gap"] >= told["history"][1]["villages_with_gap"] >= 1
    jsonschema_rs.validator_for(schema()).validate(told)


def test_a_shapefile_comes_under_either_name_and_kml_is_packed(server: str) -> None:
    short, whole = get(f"{server}/gaps.shp"), get(f"{server}/gaps.shp.zip")
    assert short.content == whole.content and short.content.startswith(b"PK")
    assert short.headers["content-type"] == whole.headers["content-type"] == "application/zip"
    assert whole.headers["content-disposition"].endswith('.shp.zip"')
    plain = get(f"{server}/gaps.kml", {"Accept-Encoding": "identity"})
    packed = get(f"{server}/gaps.kml", {"Accept-Encoding": "gzip"})
    assert plain.headers["content-type"] == "application/vnd.google-earth.kml+xml"
    assert packed.headers["content-encoding"] == "gzip" and packed.content == plain.content


def test_one_workbook_holds_every_list_of_what_is_to_be_done(server: str) -> None:
    answer = get(f"{server}/lists.xlsx")
    assert answer.headers["content-type"] == files.MEDIA_TYPES["xlsx"]
    assert "phu-song-lists-" in answer.headers["content-disposition"]
    assert get(f"{server}/lists.xlsx", {"If-None-Match": answer.headers["etag"]}).status_code == 304
    for what in ALL_LISTS:
        listed = lists.select(SHOWN, what)
        rows = by_machine_names(answer.content, SHEETS[what])
        assert rows["village_id"].tolist() == listed["village_id"].tolist()
        assert rows["operator"].tolist() == listed["operator"].tolist()
    own = get(f"{server}/lists.xlsx", operator="Viettel")
    assert set(by_machine_names(own.content, SHEETS["gaps"])["operator"]) == {"45204"}
