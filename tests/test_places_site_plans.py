"""Heights of antennas, and what lists say of being on air. All samples are synthetic."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from coverage import tables
from coverage.errors import PlacesRefused
from coverage.places.sites import read_sites

NEW_YEAR = date(2026, 12, 31)


def plans_of(folder: Path, header: str, *cells: str) -> list[tuple[bool, date | None]]:
    """planned and on_air of sites T0, T1, … whose further columns are `header` and `cells`."""
    lines = [f"T{number},{11.9 + number / 100:.2f},108.44,{cell}" for number, cell in enumerate(cells)]
    path = folder / "synthetic.csv"
    path.write_text("\n".join([f"Mã trạm,lat,lon,{header}", *lines]), encoding="utf-8")
    sites = tables.check_frame(tables.SITES, read_sites(path)[0])
    on_air = sites["on_air"].astype(object)
    return list(zip(sites["planned"].tolist(), on_air.where(on_air.notna(), None).tolist(), strict=True))


def test_without_such_columns_a_site_is_on_air_since_nobody_knows_when(tmp_path: Path) -> None:
    assert plans_of(tmp_path, "name", "x") == [(False, None)]


@pytest.mark.parametrize("header", ["on_air", "on_air_date", "Ngày phát sóng", "Ngày hoạt động"])
def test_a_day_on_air_is_no_plan(tmp_path: Path, header: str) -> None:
    found = plans_of(tmp_path, header, "31/12/2026", "2026-12-31", "Q4/2026", "quý IV/2026", "")
    assert found == [(False, NEW_YEAR)] * 4 + [(False, None)]


@pytest.mark.parametrize("header", ["planned", "Dự kiến", "Ngày dự kiến phát sóng"])
def test_a_day_in_the_column_of_plans_is_a_plan(tmp_path: Path, header: str) -> None:
    found = plans_of(tmp_path, header, "31/12/2026", "Quý IV/2026", "")
    assert found == [(True, NEW_YEAR)] * 2 + [(False, None)]


def test_a_day_of_its_own_tells_that_the_plan_has_been_carried_out(tmp_path: Path) -> None:
    found = plans_of(tmp_path, "Dự kiến,Ngày phát sóng", "Q1/2026,15/04/2026", "Q1/2026,")
    assert found == [(False, date(2026, 4, 15)), (True, date(2026, 3, 31))]


def test_a_plan_without_a_day_is_a_plan_and_no_far_day_is_made_up(tmp_path: Path) -> None:
    words = ["kế hoạch", "Dự kiến", "planned", "Chưa phát sóng", "đang xây dựng"]
    assert plans_of(tmp_path, "Trạng thái", *words) == [(True, None)] * 5
    assert plans_of(tmp_path, "Ngày phát sóng", *words) == [(True, None)] * 5
    assert plans_of(tmp_path, "planned", "yes", "có", "no", "x") == [
        *[(True, None)] * 2,
        (False, None),
        (True, None),
    ]


def test_a_word_beside_the_day_makes_it_a_plan(tmp_path: Path) -> None:
    found = plans_of(tmp_path, "Ngày phát sóng", "Dự kiến quý IV/2026", "31/12/2026 (kế hoạch)", "31/12/2026")
    assert found == [(True, NEW_YEAR), (True, NEW_YEAR), (False, NEW_YEAR)]


def test_the_word_of_the_list_outweighs_its_days(tmp_path: Path) -> None:
    found = plans_of(
        tmp_path,
        "status,on_air,planned",
        *("planned,01/02/2020,", "đang hoạt động,,Q1/2026", "đang hoạt động,,", ",không,"),
    )
    assert found == [(True, date(2020, 2, 1)), (False, None), (False, None), (True, None)]


@pytest.mark.parametrize(
    "word", ["chờ phát sóng", "sẽ phát sóng 2028", "đề nghị", "chuẩn bị", "cho phat song", "sắp lắp"]
)
def test_what_waits_or_is_asked_for_is_not_on_air(tmp_path: Path, word: str) -> None:
    assert plans_of(tmp_path, "Trạng thái", word) == [(True, None)]


@pytest.mark.parametrize(
    "word", ["có", "Đang phát sóng", "Tốt", "bình thường", "on", "hệ thống vận hành", "series active"]
)
def test_known_words_for_on_air_are_no_plan(tmp_path: Path, word: str) -> None:
    assert plans_of(tmp_path, "Trạng thái", word) == [(False, None)]
    assert read_sites(tmp_path / "synthetic.csv")[1] == []


def test_a_state_that_is_not_understood_is_named_and_not_taken_for_on_air(tmp_path: Path) -> None:
    header = "Trạng thái,Ngày phát sóng"
    found = plans_of(tmp_path, header, "hoạt động,", "lạ,", "lạ,", "không rõ,", "lạ,01/02/2020")
    assert found == [(False, None), (False, date(2020, 2, 1))]
    notes = read_sites(tmp_path / "synthetic.csv")[1]
    assert [note.code for note in notes] == ["site_state_strange"] * 2
    assert {"2 trạm có trạng thái “lạ”", "1 trạm có trạng thái “không rõ”"} == {
        note.vi.removeprefix("Bỏ ").split(" không rõ nghĩa")[0] for note in notes
    }
    with pytest.raises(PlacesRefused, match="“kiên cố”, which is not understood"):
        plans_of(tmp_path, "Trạng thái", "kiên cố")


@pytest.mark.parametrize(
    "word", ["ngừng hoạt động", "không hoạt động", "Đã thanh lý", "inactive", "off air", "hỏng", "Hư hỏng"]
)
def test_a_site_that_is_switched_off_is_left_out_and_counted(tmp_path: Path, word: str) -> None:
    assert plans_of(tmp_path, "Tình trạng", "hoạt động", word) == [(False, None)]
    (note,) = read_sites(tmp_path / "synthetic.csv")[1]
    assert (note.code, note.en) == ("site_switched_off", "Left out 1 sites that are switched off.")
    assert "Bỏ 1 trạm" in note.vi


def test_heights_are_metres_and_zero_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "synthetic.csv"
    path.write_text(
        "lat;lon;Chiều cao\n11,91;108,44;42,5\n11,92;108,44;0\n11,93;108,44;\n11,94;108,44;1000\n"
    )
    heights = tables.check_frame(tables.SITES, read_sites(path)[0])["height_m"]
    np.testing.assert_array_equal(heights, [42.5, np.nan, np.nan, 1000.0])


def test_a_point_layer_has_them_too(tmp_path: Path) -> None:
    path = tmp_path / "synthetic.gpkg"
    columns = {"Mã trạm": ["T1"], "height": [35.0], "on_air": pd.to_datetime(["2026-03-31"])}
    gpd.GeoDataFrame(columns, geometry=[shapely.Point(108.44, 11.94)], crs=4326).to_file(path)
    (site,) = read_sites(path)[0].itertuples()
    assert (site.height_m, site.planned, site.on_air) == (35.0, False, date(2026, 3, 31))
