"""Zips: one reading per member, noise left out, bombs and damage refused."""

from __future__ import annotations

import io
import zipfile

import pytest
from test_logs_read import HEADER, KEY, NAMES, NOW, ROW

from coverage.errors import FileRefused
from coverage.logs import Context, Reading, Refused, containers, read_file


def box(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def read_all(path):
    return list(read_file(path, Context(), device_key=KEY, operator_names=NAMES, now=NOW))


def test_members_are_files_of_their_own(tmp_path):
    members = {
        "day/": "", "day/a.csv": HEADER + ROW, "__MACOSX/day/._a.csv": b"\x00\x05", "day/.DS_Store": b"\x00",
        "._b.csv": "x", "day/events.txt": "EventType\tEventDetails\n1\t2\n", "b.csv": HEADER + ROW + "\n" + ROW,
    }  # fmt: skip
    first, second, third = read_all(box(tmp_path / "box.zip", members))
    assert isinstance(first, Reading)
    assert isinstance(second, Refused)
    assert isinstance(third, Reading)
    assert [one.file for one in (first, second, third)] == [
        "box.zip/day/a.csv",
        "box.zip/day/events.txt",
        "box.zip/b.csv",
    ]
    assert (first.accepted, third.accepted, third.duplicates) == (1, 1, 1)
    assert "event table" in second.error.en
    (alone,) = read_all(_written(tmp_path / "a.csv", (HEADER + ROW).encode()))
    assert alone.upload_id == first.upload_id


def _written(path, data):
    path.write_bytes(data)
    return path


def test_a_member_name_is_never_a_path(tmp_path):
    found = read_all(
        box(tmp_path / "box.zip", {"../../etc/x.csv": HEADER + ROW, "/abs.csv": HEADER + ROW + "\n"})
    )
    assert [one.accepted for one in found] == [1, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["box.zip"]


def test_the_name_of_a_member_speaks(tmp_path):
    text = "lat,lon,rsrp,technology\n11.94,108.43,-97,4G\n"
    (found,) = read_all(box(tmp_path / "box.zip", {"x/crowdsourced__p__45201__2026-10-01.csv": text}))
    assert found.measurements["operator"].to_pylist() == ["45201"]


def test_a_bomb_is_refused_and_the_others_are_read(tmp_path):
    bomb = b"\n" * (containers.RATIO_FREE_BYTES + 1)
    first, second = read_all(box(tmp_path / "box.zip", {"bomb.csv": bomb, "a.csv": HEADER + ROW}))
    assert isinstance(first, Refused)
    assert isinstance(second, Reading)
    assert "too big" in first.error.en


def test_the_unpacked_size_of_all_members_is_capped(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "MAX_UNPACKED_BYTES", 100)
    path = box(tmp_path / "box.zip", {"a.csv": HEADER + ROW, "b.csv": HEADER + ROW})
    with pytest.raises(FileRefused, match="too big"):
        read_all(path)


def test_a_header_that_lies_about_its_size_does_not_get_more(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "RATIO_FREE_BYTES", 10)
    monkeypatch.setattr(containers, "MAX_RATIO", 0)
    (found,) = read_all(box(tmp_path / "box.zip", {"a.csv": HEADER + ROW}))
    assert isinstance(found, Refused)


def test_damaged_members_and_zips(tmp_path):
    whole = box(tmp_path / "box.zip", {"a.csv": HEADER + ROW * 50, "b.csv": HEADER + ROW}).read_bytes()
    torn = bytearray(whole)
    torn[50:60] = b"\xff" * 10
    first, second = read_all(_written(tmp_path / "torn.zip", bytes(torn)))
    assert isinstance(first, Refused)
    assert isinstance(second, Reading)
    with pytest.raises(FileRefused, match="damaged"):
        read_all(_written(tmp_path / "cut.zip", whole[: len(whole) // 2]))


def test_zips_without_measurement_files(tmp_path):
    with pytest.raises(FileRefused, match="no file"):
        read_all(box(tmp_path / "empty.zip", {}))
    with pytest.raises(FileRefused, match="Excel"):
        read_all(box(tmp_path / "book.xlsx", {"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"}))
    inner = io.BytesIO()
    zipfile.ZipFile(inner, "w").writestr("a.csv", HEADER)
    (found,) = read_all(box(tmp_path / "nested.zip", {"inner.zip": inner.getvalue()}))
    assert isinstance(found, Refused)


def test_paths_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(FileRefused):
            read_all(path)


def test_a_refused_file_is_raised(tmp_path):
    with pytest.raises(FileRefused):
        read_all(_written(tmp_path / "a.csv", b"a,b\n1,2\n"))
