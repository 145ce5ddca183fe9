"""Hostile files: every one ends as it must, every row is accounted for, and nothing but our own errors comes out."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hostile import Case, Counts, Refusal
from hostile_corpus import CORPUS, LONG
from hostile_singles import HEADER, SECRETS, row
from typer.testing import CliRunner

from coverage import text
from coverage.cli import app
from coverage.errors import FileRefused
from coverage.logs import Context, Reading, Refused, containers, read_file
from coverage.logs.reasons import reason

NAMES = {"45201": "MobiFone", "45204": "Viettel"}
NOW = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)


def by_name(case: Case) -> str:
    return case.name


def written(case: Case, folder: Path) -> Path:
    path = folder / case.file
    path.write_bytes(case.data)
    return path


def outcomes(case: Case, folder: Path) -> dict[str, Reading | FileRefused]:
    path = written(case, folder)
    said: dict[str, Any] = dict(case.said)
    if "date" in said:
        said["date"] = datetime.date.fromisoformat(said["date"])
    context = Context(**said)
    try:
        found = list(read_file(path, context, device_key=b"key", operator_names=NAMES, now=NOW))
    except FileRefused as refusal:
        return {case.file: refusal}
    return {one.file: one.error if isinstance(one, Refused) else one for one in found}


def expected(case: Case) -> dict[str, Counts | Refusal]:
    return dict(case.expect) if not isinstance(case.expect, (Counts, Refusal)) else {case.file: case.expect}


def hold(found: Reading | FileRefused, expect: Counts | Refusal, file: str) -> None:
    if isinstance(expect, Refusal):
        assert isinstance(found, FileRefused), found
        assert expect.says in found.en
        assert file in found.en
        assert file in found.vi
        return
    assert isinstance(found, Reading), found
    counts = ("rows", "accepted", "duplicates", "rejected", "quarantined", "no_service")
    assert {name: getattr(found, name) for name in counts} == {name: getattr(expect, name) for name in counts}
    accounted(found)
    codes = found.outcomes["code"].to_pylist()
    assert {code: codes.count(code) for code in expect.codes} == dict(expect.codes)
    assert bool(codes) == bool(expect.codes)
    fixes = {fix.code: fix.rows for fix in found.fixes}
    assert {code: fixes.get(code) for code in expect.fixes} == dict(expect.fixes)
    rows = {one["line"]: one for one in found.measurements.to_pylist()}
    for line, held in expect.held.items():
        assert {name: rows[line][name] for name in held} == dict(held), line
    assert set(expect.dropped) <= set(found.dropped)


def accounted(found: Reading) -> None:
    """Every row is in one place, and each that was not accepted has its reason in both languages."""
    assert found.rows == found.accepted + found.duplicates + found.rejected + found.quarantined
    assert found.measurements.num_rows == found.accepted
    for one in found.outcomes.to_pylist():
        assert all(reason(one["code"], one["column"], one["value"]))


@pytest.mark.parametrize("case", CORPUS, ids=by_name)
def test_every_file_ends_as_it_must(case: Case, tmp_path: Path) -> None:
    found = outcomes(case, tmp_path)
    assert list(found) == list(expected(case))
    for file, expect in expected(case).items():
        hold(found[file], expect, file)


TORN = [
    case for case in CORPUS if case.name.startswith(("canonical/", "single/quoted")) and len(case.data) < 5000
]


@pytest.mark.parametrize("case", TORN[::6], ids=by_name)
def test_where_the_blocks_are_cut_does_not_matter(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "CHUNK_BYTES", 13)
    monkeypatch.setattr(text, "BLOCK_BYTES", 400)
    test_every_file_ends_as_it_must(case, tmp_path)


def command(case: Case, folder: Path) -> list[str]:
    options = [text for name, value in case.said.items() for text in (f"--{name.replace('_', '-')}", value)]
    return ["ingest", str(written(case, folder)), "-w", str(folder / "workspace"), "--json", *options]


# Every sixth: what the file is was read above, here it is the words and the codes that count.
@pytest.mark.parametrize("case", CORPUS[::6], ids=by_name)
def test_the_command_line_says_so(case: Case, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, command(case, tmp_path))
    assert done.exit_code == case.exit_code, done.output
    assert "Traceback" not in done.output
    receipts = {one["file"]: one for one in json.loads(done.stdout)}
    for file, expect in expected(case).items():
        if isinstance(expect, Refusal):
            assert f"Error: {file}: " in done.stderr
            assert file not in receipts
        else:
            got = receipts[file]
            assert (got["rows"], got["accepted"], got["no_service"]) == (
                expect.rows,
                expect.accepted,
                expect.no_service,
            )


def test_no_two_cases_are_one() -> None:
    assert len({case.name for case in LONG}) == len(LONG)
    assert len(CORPUS) >= 200


@pytest.mark.soak
@pytest.mark.parametrize("case", LONG, ids=by_name)
def test_every_quirk_in_every_format(case: Case, tmp_path: Path) -> None:
    test_every_file_ends_as_it_must(case, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("case", LONG, ids=by_name)
def test_the_command_line_says_so_of_all(case: Case, tmp_path: Path) -> None:
    test_the_command_line_says_so(case, tmp_path)


# One that is read, one with a name that steers a terminal, one that is refused; and more of the same by `make soak`.
REAL = ["gnettrack_text/utf16-le-mark", "zip/steering-name", "rubbish/mark16.csv"]
MORE_REAL = ["canonical/twice", "single/silent-and-nobody-named", "zip/good-and-bad"]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[pytest.mark.soak] * (case.name in MORE_REAL))
        for case in LONG
        if case.name in REAL + MORE_REAL
    ],
    ids=by_name,
)
def test_a_process_of_its_own_ends_with_the_same_code(case: Case, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coverage", *command(case, tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    words = done.stderr.decode() + done.stdout.decode()
    assert done.returncode == case.exit_code, words
    assert "Traceback" not in words
    assert "panicked" not in words
    assert "\x1b[2J" not in words
    assert case.file in words


def test_a_name_that_is_no_text_is_told_and_kept(tmp_path: Path) -> None:
    case = next(case for case in CORPUS if case.name == "canonical/utf8")
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/th\xf4n.csv"))
    path.write_bytes(case.data)
    done = CliRunner().invoke(app, ["ingest", str(path), "-w", str(tmp_path / "workspace"), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[0]["file"] == "th\ufffdn.csv"


def test_secrets_and_formulas_go_nowhere(tmp_path: Path) -> None:
    """Personal columns are in no file of the workspace; a formula in the list of refused rows is text."""
    lines = (
        f"{HEADER},IMEI,Họ tên\n{row()},{SECRETS[0]},{SECRETS[2]}\n{row('=1+1')},{SECRETS[0]},{SECRETS[2]}\n"
    )
    case = Case("secrets", "log.csv", lines.encode(), Counts(2, 1, rejected=1))
    receipt = json.loads(CliRunner().invoke(app, command(case, tmp_path)).stdout)[0]
    assert receipt["dropped"] == ["IMEI", "Họ tên"]
    folder = tmp_path / "workspace"
    for path in folder.rglob("*"):
        kept = (
            pq.read_table(path).to_pylist()
            if path.suffix == ".parquet"
            else path.is_file() and path.read_bytes()
        )
        assert not any(secret in str(kept) for secret in SECRETS), path
    done = CliRunner().invoke(
        app, ["uploads", "rejects", receipt["upload_id"], "-o", str(tmp_path / "r.csv"), "-w", str(folder)]
    )
    assert done.exit_code == 0, done.output
    assert ",'=1+1," in (tmp_path / "r.csv").read_text(encoding="utf-8-sig")
