"""`phusong export`: the format by the file's name or as said, all lists in one workbook, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyogrio
import pytest
from snapshots import folder_with, snapshot
from test_cli import run

from coverage.exports import lists
from coverage.exports.workbook import ALL_LISTS, SHEETS

SHOWN = snapshot(40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_with(SHOWN, tmp_path_factory.mktemp("export"))


@pytest.mark.parametrize("name", ["gaps.kml", "gaps.shp.zip", "gaps.zip"])
def test_the_name_of_the_file_says_the_format(folder: Path, name: str) -> None:
    done = run("export", "gaps", "-o", name, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    expected = len(lists.select(SHOWN, "gaps"))
    assert json.loads(done.stdout)["features"] == expected
    assert pyogrio.read_info(folder / name)["features"] == expected


def test_the_format_can_be_said(folder: Path) -> None:
    done = run("export", "gaps", "-o", "a.dat", "--format", "kml", "--operator", "Viettel", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "a.dat").read_bytes().startswith(b"<?xml")


def test_all_lists_come_as_one_workbook(folder: Path) -> None:
    done = run("export", "all", "-o", "all.xlsx", "--operator", "Viettel", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    book = pd.read_excel(folder / "all.xlsx", sheet_name=None, engine="openpyxl")
    counts = {SHEETS[what]: len(lists.select(SHOWN, what, operator="Viettel")) for what in ALL_LISTS}
    assert {name: len(book[name]) for name in counts} == counts
    assert json.loads(done.stdout)["features"] == sum(counts.values())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("gaps", "-o", "gaps.shp"), "gaps.shp.zip"),
        (("gaps", "-o", "gaps.dxf"), "kml, shp"),
        (("all", "-o", "all.csv"), "xlsx"),
        (("measurements", "-o", "m.kml"), "parquet"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_cure(folder: Path, arguments: tuple, says: str) -> None:
    done = run("export", *arguments, cwd=folder)
    assert done.returncode == 2
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not (folder / arguments[-1]).exists()
