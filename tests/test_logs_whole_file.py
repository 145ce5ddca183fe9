"""What only a file as a whole settles: repeats across blocks, whose silence it is, the order of dates, joined lines."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_logs_read import HEADER, KEY, NAMES, NOW, ROW, columns, outcome, read

from coverage import text
from coverage.errors import FileRefused
from coverage.logs import Context, Reading, read_file, repeats
from coverage.logs.lines import below
from coverage.logs.repeats import Seen, keys


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block holds a few rows, so that a small file has many."""
    monkeypatch.setattr(text, "BLOCK_BYTES", 200)
    monkeypatch.setattr(text, "CHUNK_BYTES", 64, raising=False)


ROWS = st.lists(st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), max_size=9), max_size=9)


@settings(deadline=None)
@given(blocks=ROWS, run_rows=st.integers(1, 12), on_disk=st.booleans())
def test_repeats_are_those_of_a_plain_look_back(
    blocks: list[list[str]], run_rows: int, on_disk: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Runs of a few rows, held in memory or on disk."""
    scratch = tmp_path_factory.mktemp("scratch") if on_disk else None
    seen, line, first = Seen(scratch), 1, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "RUN_ROWS", run_rows)
        for rows in blocks:
            lines = np.arange(line, line + len(rows))
            block = repeats.block(keys(pa.array(rows, pa.large_string())))
            found = dict(zip(block.row.tolist(), seen.repeats(block, lines).tolist(), strict=True))
            assert found == {row: first.get(rows[row], 0) for row in set(map(rows.index, rows))}
            assert block.first.tolist() == [rows.index(rows[row]) for row in block.again]
            assert sorted([*block.row, *block.again]) == list(range(len(rows)))
            first |= {row: line + rows.index(row) for row in rows if row not in first}
            line += len(rows)


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.sampled_from([1, 16, 1000]))
def test_no_row_that_was_seen_is_missed_however_many_there_are(seed: int, share: int) -> None:
    """Filters of sixteen words and one key a word, so that many are filled."""
    rng = np.random.default_rng(seed)
    known = [rng.integers(0, 2**64, 300, np.uint64) // np.uint64(share) for _ in range(6)]
    seen = Seen()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"FIRST_WORDS": 16, "MOST_WORDS": 256, "KEYS_A_WORD": 1, "RUN_ROWS": 700}.items():
            patch.setattr(repeats, name, value)
        for number, found in enumerate(known):
            block = repeats.block(found)
            assert not seen.repeats(block, np.arange(300) + 1 + 300 * number).any()
        for number, found in enumerate(known):
            block = repeats.block(found)
            assert (seen.repeats(block, np.zeros(300)) == block.row + 1 + 300 * number).all()


def test_what_was_seen_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "RUN_ROWS", 2)
    seen = Seen(tmp_path)
    assert not seen.repeats(repeats.block(np.arange(5, dtype=np.uint64)), np.arange(1, 6)).any()
    assert list(tmp_path.iterdir()) == []
    assert seen.repeats(repeats.block(np.arange(5, dtype=np.uint64)), np.arange(6, 11)).tolist() == [
        1,
        2,
        3,
        4,
        5,
    ]


@given(st.lists(st.text("ab\u1ea1", max_size=20) | st.just("a" * 4096) | st.just("a" * 4097), max_size=9))
def test_equal_lines_have_equal_numbers_wherever_they_stand(lines: list[str]) -> None:
    found = keys(pa.array(["other\n", *lines], pa.large_string()).slice(1))
    assert len(set(found.tolist())) == len(set(lines))
    again = keys(pa.array(lines[::-1], pa.large_string()))
    assert found.tolist() == again.tolist()[::-1]


@given(st.lists(st.lists(st.sampled_from([b"\n", b"a\n", b"b c\n"]), min_size=1)), st.integers(0, 12))
def test_lines_above_are_cut_off_wherever_the_blocks_end(blocks: list[list[bytes]], count: int) -> None:
    found = list(below([b"".join(block) for block in blocks], count))
    assert b"".join(found) == b"".join([line for block in blocks for line in block][count:])
    assert all(found)


def test_rows_that_differ_in_two_digits_are_not_taken_for_one() -> None:
    """Two such rows of a real log have the same number in DuckDB's hash."""
    row = "2020.01.06_11.{}.10,-8.394627999999999,51.886188,0,B,11,5G,-97,-11,-7.0,14,-,0,{},D,-,-,-,-,-,B,A4DF,9CBA,10805003,-,-"
    pair = pa.array([row.format(35, 3) + "\n", row.format(36, 0) + "\n"], pa.large_string())
    assert len(set(keys(pair).tolist())) == 2


@pytest.mark.usefixtures("small_blocks")
def test_a_row_is_known_again_many_blocks_later(tmp_path: Path) -> None:
    rows = [ROW.replace(":00:00", f":{at // 60:02}:{at % 60:02}") for at in range(100)]
    found = read(tmp_path, HEADER + "\n".join([*rows, rows[3]]) + "\n")
    assert (found.rows, found.accepted, outcome(found)) == (
        101,
        100,
        ("duplicate", "duplicate_row", None, "5"),
    )


SILENT = "2026-10-30T08:{:02}:00,11.94,108.43,,,no_service\n"
NAMED = "2026-10-30T09:00:00,11.94,108.43,{},,no_service\n"
STATES = "time,lat,lon,operator,technology,service_state\n"


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("named", "said", "whose"),
    [
        (["45204"], None, "45204"),
        (["45204", "45201"], None, None),
        (["45204", "45201"], "45204", "45204"),
        (["45201"], "45204", None),
        ([], "45204", "45204"),
        ([], None, None),
    ],
)
def test_silence_belongs_to_the_only_operator_of_the_whole_file(
    tmp_path: Path, named: list[str], said: str | None, whose: str | None
) -> None:
    silent = "".join(SILENT.format(at) for at in range(30))
    found = read(tmp_path, STATES + silent + "".join(map(NAMED.format, named)), operator=said)
    of_silent = [row["operator"] for row in found.measurements.to_pylist() if row["line"] <= 31]
    assert of_silent == ([whose] * 30 if whose else [])
    assert found.no_service == 30 + len(named)
    assert set(found.outcomes["code"].to_pylist()) <= {"operator_unknown"}


def dated(*dates: str, header: str = HEADER) -> str:
    rows = "".join(f"{one} 08:{at:02}:00,11.94,108.43,45204,LTE,-97\n" for at, one in enumerate(dates))
    return header + rows


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(("last", "day"), [("25/10/2026", (2026, 10, 9)), ("10/25/2026", (2026, 9, 10))])
def test_one_clear_date_settles_all_the_others(tmp_path: Path, last: str, day: tuple[int, int, int]) -> None:
    found = read(tmp_path, dated(*["09/10/2026"] * 30, last))
    assert found.accepted == 31
    assert found.measurements["local_date"][0].as_py() == datetime.date(*day)


def test_dates_that_nothing_settles_are_asked_for(tmp_path: Path) -> None:
    found = read(tmp_path, dated("09/10/2026"))
    assert outcome(found) == ("quarantined", "date_ambiguous", "time", "09/10/2026 08:00:00")
    for order, day in (("dmy", datetime.date(2026, 10, 9)), ("mdy", datetime.date(2026, 9, 10))):
        assert (
            read(tmp_path, dated("09/10/2026"), date_order=order).measurements["local_date"][0].as_py() == day
        )


def test_a_vietnamese_header_puts_the_day_first(tmp_path: Path) -> None:
    header = "thời gian,vĩ độ,kinh độ,nhà mạng,công nghệ,rsrp\n"
    found = read(tmp_path, dated("09/10/2026", header=header))
    assert found.measurements["local_date"][0].as_py() == datetime.date(2026, 10, 9)


@pytest.mark.usefixtures("small_blocks")
def test_cells_with_line_breaks_are_one_row_and_lines_stay_an_editor_s(tmp_path: Path) -> None:
    header = "time,lat,lon,operator,technology,rsrp_dbm,note\n"
    rows = "".join(f'{ROW.replace(":00:00", f":00:{at:02}")},"one\ntwo, ""three"""\n' for at in range(20))
    found = read_lines(tmp_path, header + rows + ROW.replace("11.94", "91") + ",x\n")
    assert (found.rows, found.accepted, outcome(found)[1]) == (21, 20, "coordinate_out_of_range")
    assert found.measurements["line"].to_pylist() == list(range(2, 42, 2))
    assert found.outcomes["line"].to_pylist() == [42]
    assert [(fix.code, fix.rows, fix.line) for fix in found.fixes] == [("joined_lines", 20, 2)]


def read_lines(folder: Path, content: str, **rules: object) -> Reading:
    path = folder / "log.csv"
    path.write_text(content, encoding="utf-8", newline="")
    (found,) = read_file(path, Context(), device_key=KEY, operator_names=NAMES, now=NOW, **rules)
    assert isinstance(found, Reading)
    return found


AREA = (107.0, 11.0, 109.0, 13.0)  # west, south, east, north


@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [
        ("11.0", "109.0", None),
        ("10.999", "108.43", "outside_area"),
        ("11.94", "109.001", "outside_area"),
        ("108.43", "11.94", "swapped_coordinates"),
        ("0", "0", "null_island"),
        ("91", "10", "swapped_coordinates"),
    ],
)
def test_positions_are_held_against_the_area(tmp_path: Path, lat: str, lon: str, code: str | None) -> None:
    found = read_lines(tmp_path, columns(lat=lat, lon=lon), area=AREA)
    assert found.outcomes["code"].to_pylist() == ([code] if code else [])
    assert found.quarantined == (1 if code else 0)


def test_anywhere_is_allowed_where_no_area_is_known(tmp_path: Path) -> None:
    assert read_lines(tmp_path, HEADER + ROW.replace("11.94", "-33.9") + "\n").accepted == 1


def test_a_guess_that_its_values_contradict_is_refused_with_the_cure(tmp_path: Path) -> None:
    rows = "".join(f"2026-10-30T08:00:{at:02},11.94,108.43,45204,LTE,97\n" for at in range(10))
    with pytest.raises(FileRefused, match="rsrp_dbm") as refusal:
        read_lines(tmp_path, HEADER + rows)
    assert "rsrp_index" in refusal.value.en


def test_half_of_the_values_must_make_sense_and_how_many_do_is_told(tmp_path: Path) -> None:
    def table(bad: int) -> str:
        texts = ["xx" if at < bad else "-97" for at in range(10)]
        return HEADER + "".join(
            f"2026-10-30T08:00:{at:02},11.94,108.43,45204,LTE,{one}\n" for at, one in enumerate(texts)
        )

    assert [read_lines(tmp_path, table(bad)).confidence for bad in (0, 5)] == pytest.approx(
        [0.95, 0.475], abs=0.01
    )
    with pytest.raises(FileRefused, match="--format canonical") as refusal:
        read_lines(tmp_path, table(6))
    assert "phusong mappings add" in refusal.value.vi
