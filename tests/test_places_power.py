"""Who is believed on a village's power: what a list says outright, progress, conflicts, and hints that never prove."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coverage import tables
from coverage.errors import PlacesRefused
from coverage.places.power import grid_status, read_power

HOUSEHOLDS = pd.Series([100.0, 50.0], index=pd.Index(["v1", "v2"], name="village_id"))
STATEMENTS = st.fixed_dictionaries(
    {
        "village_id": st.sampled_from(["v1", "v2", "elsewhere"]),
        "households": st.sampled_from([np.nan, 0.0, 10.0]),
        "households_grid": st.sampled_from([np.nan, 0.0, 6.0, 7.0, 10.0]),
        "grid_status": st.sampled_from([None, *tables.GRID_STATUSES]),
        "source": st.sampled_from(["EVN", "xã", "đội"]),
        "evidence": st.sampled_from(tables.POWER_EVIDENCE),
        "as_of": st.sampled_from([None, date(2024, 1, 1), date(2025, 1, 1), date(2026, 1, 1)]),
    }
)


def says(
    status: str | None, evidence: str = "official_list", as_of: date | None = None, **more: object
) -> dict:
    row = {"village_id": "v1", "households": np.nan, "households_grid": np.nan, "grid_status": status}
    return row | {"source": f"nguồn {evidence}", "evidence": evidence, "as_of": as_of} | more


def judged(*rows: dict) -> pd.Series:
    power = tables.check_frame(tables.POWER, pd.DataFrame(rows, columns=tables.POWER.names))
    return grid_status(power, HOUSEHOLDS, 0.7).loc["v1"]


OLD, NEW = date(2025, 1, 1), date(2026, 1, 1)


@pytest.mark.parametrize(
    ("status", "electrified"),
    [("national_grid", True), ("off_grid", False), ("none", False), ("unknown", None)],
)
def test_what_a_source_says_outright_counts(status: str, electrified: bool | None) -> None:
    found = judged(says(status, "utility", NEW))
    assert (found.grid_status, found.electrified) == (status, electrified)
    assert (found.power_source, found.power_evidence, found.power_as_of) == ("nguồn utility", "utility", NEW)
    assert found.power_conflict is None


def test_outright_comes_before_the_households_of_the_same_row() -> None:
    found = judged(says("off_grid", households=100.0, households_grid=100.0))
    assert (found.grid_status, found.electrified) == ("off_grid", False)


@pytest.mark.parametrize(
    ("rows", "status", "electrified", "conflict"),
    [
        # Progress: what is older is superseded, whoever said it.
        ([says("none", as_of=OLD), says("national_grid", as_of=NEW)], "national_grid", True, False),
        ([says("none", as_of=OLD), says("national_grid", "utility", NEW)], "national_grid", True, False),
        ([says("national_grid", "utility", NEW), says("none", "field", OLD)], "national_grid", True, False),
        # Conflict: the lower class is not older.
        ([says("national_grid", "utility", OLD), says("none", as_of=NEW)], "unknown", None, True),
        ([says("none", "utility", OLD), says("national_grid", "field", OLD)], "unknown", None, True),
        ([says("national_grid", as_of=NEW), says("none", as_of=NEW)], "unknown", None, True),
        # Or undated.
        ([says("national_grid", "utility", NEW), says("none")], "unknown", None, True),
        ([says("national_grid", "utility"), says("none", as_of=OLD)], "unknown", None, True),
        # Without the grid and off the grid are no conflict on the grid.
        ([says("none", "utility", OLD), says("off_grid", as_of=NEW)], "none", False, False),
        # What says nothing contradicts nobody and hides nobody.
        ([says("unknown", "utility", NEW), says("national_grid", as_of=OLD)], "national_grid", True, False),
        ([says(None, "utility", NEW), says("none", "field")], "none", False, False),
        # Counts speak as words do.
        (
            [says(None, "utility", OLD, households_grid=70.0), says("none", as_of=NEW)],
            "unknown",
            None,
            True,
        ),
        ([says(None, "utility", households_grid=69.0), says("none", as_of=NEW)], "none", False, False),
    ],
)
def test_progress_and_conflict(rows: list[dict], status: str, electrified: object, conflict: bool) -> None:
    found = judged(*rows)
    assert (found.grid_status, found.electrified) == (status, electrified)
    assert (found.power_conflict is not None) == conflict


def test_a_conflict_names_both_with_their_dates() -> None:
    found = judged(
        says("national_grid", "utility", OLD, source="Điện lực Đam Rông"),
        says("none", as_of=NEW, source="UBND xã"),
        says("off_grid", "field", source="đội đo"),
    )
    assert found.power_conflict == (
        "Điện lực Đam Rông (2025-01-01): có điện lưới ≠ UBND xã (2026-01-01): chưa có điện lưới; "
        "đội đo (không rõ ngày): chỉ có điện tại chỗ"
    )
    assert (found.power_source, found.power_as_of) == ("Điện lực Đam Rông", OLD)


@pytest.mark.parametrize("as_of", [None, OLD, NEW])
def test_a_hint_that_says_otherwise_is_shown_and_changes_nothing(as_of: date | None) -> None:
    found = judged(says("none", as_of=OLD), says("national_grid", "inferred", as_of, source="VIIRS"))
    assert (found.grid_status, found.electrified, found.power_evidence) == ("none", False, "official_list")
    assert "VIIRS" in found.power_conflict
    assert "suy luận" in found.power_conflict
    agreeing = judged(says("none", as_of=OLD), says("off_grid", "inferred", as_of))
    assert agreeing.power_conflict is None


def test_hints_alone_leave_it_open() -> None:
    found = judged(says("national_grid", "inferred", NEW))
    assert (found.grid_status, found.electrified, found.power_evidence) == ("national_grid", None, "inferred")
    nothing = grid_status(pd.DataFrame([], columns=tables.POWER.names), HOUSEHOLDS, 0.7)
    assert nothing["grid_status"].tolist() == ["unknown", "unknown"]
    rest = ["electrified", "power_source", "power_as_of", "power_evidence", "power_conflict"]
    assert nothing[rest].isna().all(axis=None)


def test_a_table_from_before_outright_statements_is_still_read() -> None:
    rows = [says(None, "utility", NEW, households_grid=80.0)]
    power = pd.DataFrame(rows).drop(columns="grid_status")
    assert grid_status(power, HOUSEHOLDS, 0.7).loc["v1", "electrified"] is True


def test_a_table_as_the_archive_loads_it_is_judged_alike() -> None:
    rows = [says("national_grid", "utility", OLD), says("none", as_of=NEW)]
    for chosen in (rows, rows[:1], []):
        power = pd.DataFrame(chosen, columns=tables.POWER.names)
        stored = pa.Table.from_pandas(power, schema=tables.schema(tables.POWER), preserve_index=False)
        loaded = grid_status(stored.to_pandas(), HOUSEHOLDS, 0.7)
        expected = grid_status(power, HOUSEHOLDS, 0.7)
        assert loaded.fillna("").to_numpy().tolist() == expected.fillna("").to_numpy().tolist()


def table(rows: list[dict]) -> pd.DataFrame:
    return grid_status(pd.DataFrame(rows, columns=tables.POWER.names), HOUSEHOLDS, 0.7)


@settings(max_examples=60, deadline=None)
@given(st.lists(STATEMENTS, max_size=6), STATEMENTS)
def test_an_inferred_row_never_changes_electrified(rows: list[dict], hint: dict) -> None:
    with_hint = table([*rows, hint | {"evidence": "inferred"}])
    assert with_hint["electrified"].equals(table(rows)["electrified"])


@settings(max_examples=60, deadline=None)
@given(st.lists(STATEMENTS, max_size=6), st.randoms())
def test_the_order_of_rows_does_not_matter(rows: list[dict], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    pd.testing.assert_frame_equal(table(rows), table(shuffled))


@settings(max_examples=60, deadline=None)
@given(st.lists(STATEMENTS, max_size=6))
def test_nobody_is_electrified_or_without_power_unless_a_proof_says_so_and_none_contradicts(
    rows: list[dict],
) -> None:
    found = table(rows)
    for village in HOUSEHOLDS.index:
        proofs = [r for r in rows if r["village_id"] == village and r["evidence"] != "inferred"]
        electrified = found.loc[village, "electrified"]
        assert electrified in (True, False, None)
        if electrified is not None:
            assert proofs
            assert found.loc[village, "power_evidence"] != "inferred"
        one_by_one = {
            table([r]).loc[village, "electrified"] for r in proofs if r["as_of"] in (None, date(2026, 1, 1))
        }
        if {True, False} <= one_by_one:
            assert electrified is None
            assert found.loc[village, "power_conflict"]


def power_file(folder: Path, *lines: str, header: str) -> Path:
    path = folder / "power.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *(("có", "national_grid"), ("x", "national_grid"), ("yes", "national_grid"), ("1", "national_grid")),
        *(("điện lưới quốc gia", "national_grid"), ("Điện mặt trời nối lưới", "national_grid")),
        *(("không", "none"), ("No", "none"), ("0", "none"), ("chưa có điện lưới", "none"), ("Chưa", "none")),
        *(("năng lượng mặt trời", "off_grid"), ("Máy phát", "off_grid"), ("thuỷ điện nhỏ", "off_grid")),
        *(("thủy điện nhỏ", "off_grid"), ("off-grid", "off_grid"), ("ngoài lưới", "off_grid")),
        *(("nối lưới", "national_grid"), ("không nối lưới", "none"), ("not connected", "none")),
        *(("không có điện lưới, dùng pin mặt trời", "off_grid"), ("không rõ", "unknown"), ("", None)),
        *(("Đã được cấp điện lưới", "national_grid"), ("Sử dụng điện lưới EVN", "national_grid")),
        *(("national_grid", "national_grid"), ("có điện lưới, điện mặt trời", "national_grid")),
        *(("có điện lưới, không có điện mặt trời", "national_grid"), ("lưới điện quốc gia", "national_grid")),
        *(("điện mặt trời, không có điện lưới", "off_grid"), ("điện mặt trời không nối lưới", "off_grid")),
        *(("chưa có điện lưới, dự kiến 2027", "none"), ("chưa có điện lưới dự kiến 2027", "none")),
        *(("không có điện", "none"), ("máy phát điện chạy dầu", "off_grid"), ("chưa được dùng lưới", "none")),
    ],
)
def test_yes_no_and_power_of_ones_own(tmp_path: Path, word: str, status: str | None) -> None:
    path = power_file(tmp_path, f'v1,"{word}",xã', header="Mã thôn,Có điện lưới,nguồn")
    power = tables.check_frame(tables.POWER, read_power(path)[0])
    assert power["grid_status"].tolist() == [status]
    assert power["evidence"].tolist() == ["official_list"]


@pytest.mark.parametrize(
    ("word", "on_grid", "status"),
    [
        ("có", "10", None),
        ("không", "80", None),
        ("máy phát", "10", None),
        ("máy phát", "0", "off_grid"),
        ("có", "", "national_grid"),
    ],
)
def test_where_households_are_counted_the_count_decides(
    tmp_path: Path, word: str, on_grid: str, status: str | None
) -> None:
    header = "Mã thôn,Số hộ,Số hộ có điện lưới,Có điện lưới"
    power, _ = read_power(power_file(tmp_path, f"v1,100,{on_grid},{word}", header=header))
    assert power["grid_status"].tolist() == [status]


@pytest.mark.parametrize(
    "word",
    [
        *("sắp có điện lưới", "dự kiến có lưới 2027", "cần kéo điện lưới", "đề nghị đầu tư lưới điện"),
        *("điện lưới đang xây dựng", "mất điện lưới", "sẽ có điện lưới", "có điện lưới, dự kiến 2027"),
        *(
            "có điện lưới (tạm dừng)",
            "dừng điện lưới",
            "có/không",
            "gần lưới",
            "điện lưới, chưa có điện lưới",
        ),
    ],
)
def test_a_wish_a_plan_a_cut_or_a_contradiction_is_no_supply(tmp_path: Path, word: str) -> None:
    path = power_file(tmp_path, "v1,có", f'v2,"{word}"', header="Mã thôn,Có điện lưới")
    with pytest.raises(PlacesRefused, match="row 3") as refusal:
        read_power(path)
    assert word in refusal.value.vi


def test_a_word_that_is_not_understood_is_refused_with_its_row(tmp_path: Path) -> None:
    path = power_file(tmp_path, "v1,có", "v2,bình thường", header="Mã thôn,Có điện lưới")
    with pytest.raises(PlacesRefused) as refusal:
        read_power(path)
    for text in ("row 3", "bình thường", "grid_status"):
        assert text in refusal.value.en
    assert "máy phát" in refusal.value.vi
