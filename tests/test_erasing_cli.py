"""The command that erases: asks first, says how much went, and never writes down which phone."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from erasures import DAYS, PHONES, REASON, add, assert_gone, erased
from test_cli import run

from coverage.archive import audit, erasing, uploads
from coverage.archive.workspace import Workspace, open_workspace

PHONE = PHONES[0]
ROWS = 2 * len(DAYS)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    add(opened(tmp_path), tmp_path, 1, 2)
    return tmp_path


def opened(here: Path) -> Workspace:
    return open_workspace(here / "workspace")


def said(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Somebody sits before a terminal and types that."""
    typed = io.StringIO(answer)
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", typed)


def test_a_device_is_erased_by_the_name_that_logs_give_it(here: Path) -> None:
    done = run("erase", "--device", " máy ba", "--reason", REASON, "--yes", "--by", "An", "--json", cwd=here)
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"uploads": 2, "rows": 2 * ROWS, "parts": 2, "unread": 0}
    assert "phusong backup" in done.stderr
    assert_gone(opened(here), PHONE)
    (upload_id, _) = erased(opened(here))
    event = uploads.show(opened(here), upload_id)["events"][-1]
    assert (event["by"], event["reason"]) == ("An", f"{ROWS} dòng / rows: {REASON}")
    entry = audit.entries(opened(here))[-1]
    assert (entry.caller, entry.about) == ("An", {"rows": 2 * ROWS, "uploads": 2})


def test_or_by_its_hash(here: Path) -> None:
    digest = erasing.hash_of(opened(here), PHONE)
    assert run("erase", "--device", digest, "--reason", REASON, "--yes", cwd=here).returncode == 0
    assert_gone(opened(here), PHONE)


def test_a_name_that_looks_like_a_hash_is_a_name_too(here: Path) -> None:
    android = "a1b2c3d4e5f60718"
    log = here / "log.csv"
    log.write_text(
        "time,lat,lon,operator,technology,rsrp_dbm,device\n"
        f"2026-05-01 08:00:00,11.9,108.4,45204,LTE,-90,{android}\n"
    )
    assert run("ingest", log, cwd=here).returncode == 0
    done = run("erase", "--device", android, "--reason", REASON, "--yes", "--json", cwd=here)
    assert json.loads(done.stdout)["rows"] == 1


def test_all_before_a_day_is_erased(here: Path) -> None:
    done = run("erase", "--before", "2026-05-03", "--reason", REASON, "--yes", cwd=here)
    assert done.returncode == 0
    assert "24 dòng của 2 lần tải lên" in done.stdout
    assert "erased 24 rows of 2 uploads" in done.stdout
    listed = run("uploads", "list", cwd=here).stdout.splitlines()
    assert {line.split()[2] for line in listed} == {"6"}


def test_what_is_not_there_is_said_and_is_no_failure(here: Path) -> None:
    done = run("erase", "--device", "nobody's", "--reason", REASON, "--yes", cwd=here)
    assert done.returncode == 0
    assert "there are no such rows" in done.stdout
    assert erased(opened(here)) == {}


@pytest.mark.parametrize(
    ("answer", "code", "uploads"), [("y\n", 0, 2), ("n\n", 1, 0), ("\n", 1, 0), ("", 1, 0)]
)
def test_a_person_is_asked_and_told_how_much_would_go(
    here: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, uploads: int
) -> None:
    said(monkeypatch, answer)
    done = run("erase", "--device", PHONE, "--reason", REASON, "--json", cwd=here)
    assert done.returncode == code
    assert f"Sẽ xoá hẳn {2 * ROWS} dòng của 2 lần tải lên" in done.stderr
    assert f"{2 * ROWS} rows of 2 uploads will be erased" in done.stderr
    assert len(erased(opened(here))) == uploads


def test_nobody_is_asked_about_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said(monkeypatch, "")
    assert run("erase", "--device", "nobody's", "--reason", REASON, cwd=here).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--device", PHONE, "--reason", REASON], "--yes"),  # nobody is there to be asked
        (["--device", PHONE, "--yes"], "--reason"),
        (["--device", PHONE, "--reason", "", "--yes"], "why"),
        (["--reason", REASON, "--yes"], "--before"),
        (["--device", PHONE, "--before", "2026-05-03", "--reason", REASON, "--yes"], "--before"),
        (["--before", "3/5/2026", "--reason", REASON, "--yes"], "2026-10-31"),
        (["--device", "unknown", "--reason", REASON, "--yes"], "names no device"),
        (["--device", "", "--reason", REASON, "--yes"], "names no device"),
        (["--device", PHONE, "--reason", REASON, "--yes", "-w", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_meant_is_refused(here: Path, arguments: list[str], told: str) -> None:
    done = run("erase", *arguments, cwd=here)
    assert done.returncode == 2
    assert told in done.stderr
    assert erased(opened(here)) == {}
    assert not (here / "nowhere").exists()
