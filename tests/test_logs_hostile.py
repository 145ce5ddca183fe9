"""Hostile files: every one ends as it must, every row is accounted for, and nothing but our own errors comes out."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from hostile import Case, Counts, Refusal
from hostile_corpus import CORPUS, LONG
from typer.testing import CliRunner

from coverage.cli import app
from coverage.errors import FileRefused
from coverage.logs import Context, Reading, Refused, read_file
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
    context = Context(**dict(case.said))
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
    rows = {row["line"]: row for row in found.measurements.to_pylist()}
    for line, held in expect.held.items():
        assert {name: rows[line][name] for name in held} == dict(held), line
    assert set(expect.dropped) <= set(found.dropped)


def accounted(found: Reading) -> None:
    """Every row is in one place, and each that was not accepted has its reason in both languages."""
    assert found.rows == found.accepted + found.duplicates + found.rejected + found.quarantined
    assert found.measurements.num_rows == found.accepted
    for row in found.outcomes.to_pylist():
        assert all(reason(row["code"], row["column"], row["value"]))


@pytest.mark.parametrize("case", CORPUS, ids=by_name)
def test_every_file_ends_as_it_must(case: Case, tmp_path: Path) -> None:
    found = outcomes(case, tmp_path)
    assert list(found) == list(expected(case))
    for file, expect in expected(case).items():
        hold(found[file], expect, file)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "workspace"


@pytest.mark.parametrize("case", CORPUS, ids=by_name)
def test_the_command_line_says_so(case: Case, tmp_path: Path, workspace: Path) -> None:
    options = [text for name, value in case.said.items() for text in (f"--{name.replace('_', '-')}", value)]
    done = CliRunner().invoke(
        app, ["ingest", str(written(case, tmp_path)), "-w", str(workspace), "--json", *options]
    )
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
