"""Every sample of every format becomes what tests/samples/outcomes.toml says; all that are not real are synthetic."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path
from typing import Any

import pytest
from test_logs_read import KEY, NAMES, NOW
from test_logs_real import LOGS

from coverage.errors import FileRefused
from coverage.logs import Context, Reading, read_file, tally
from coverage.logs.formats import FORMATS

FOLDER = Path(__file__).parent / "samples"
SAMPLES = tomllib.loads((FOLDER / "outcomes.toml").read_text(encoding="utf-8"))["sample"]


REAL = [sample for sample in SAMPLES if "real" in sample]
SYNTHETIC = [sample for sample in SAMPLES if "real" not in sample]


def name(sample: dict[str, Any]) -> str:
    return sample.get("real", sample["file"])


def readings(sample: dict[str, Any]) -> list[Reading]:
    path = (LOGS if "real" in sample else FOLDER / "synthetic") / sample["file"]
    said = dict(sample.get("said", {}))
    if "date" in said:
        said["date"] = datetime.date.fromisoformat(said["date"])
    found = list(read_file(path, Context(**said), device_key=KEY, operator_names=NAMES, now=NOW))
    assert all(isinstance(one, Reading) for one in found)
    return found


@pytest.mark.realdata
@pytest.mark.usefixtures("real_data")
@pytest.mark.parametrize("sample", REAL, ids=name)
def test_each_real_file_becomes_what_is_told(sample: dict[str, Any]) -> None:
    hold(sample)


@pytest.mark.parametrize("sample", SYNTHETIC, ids=name)
def test_each_synthetic_sample_becomes_what_is_told(sample: dict[str, Any]) -> None:
    hold(sample)


def hold(sample: dict[str, Any]) -> None:
    if "refused" in sample:
        with pytest.raises(FileRefused) as refusal:
            readings(sample)
        assert sample["refused"] in refusal.value.en
        return
    found = readings(sample)
    assert {one.format for one in found} == {sample["format"]}
    counts = [(one.accepted, one.duplicates, one.rejected, one.quarantined) for one in found]
    assert [sum(column) for column in zip(*counts, strict=True)] == sample["counts"]
    assert sum(one.rows for one in found) == sum(sample["counts"])
    assert sum(one.no_service for one in found) == sample.get("no_service", 0)
    assert sum(one.unknown_level for one in found) == sample.get("unknown_level", 0)
    reasons = tally.together(reason for one in found for reason in tally.by_reason(one.outcomes))
    assert {reason.code: reason.rows for reason in reasons} == sample.get("reasons", {})
    assert [name for one in found for name in one.dropped] == sample.get("dropped", [])


def test_every_format_has_a_sample_and_every_sample_is_told() -> None:
    assert {fmt.name for fmt in FORMATS} == {sample["format"] for sample in SAMPLES if "format" in sample}
    kept = {str(path.relative_to(FOLDER / "synthetic")) for path in FOLDER.glob("synthetic/*/*")}
    assert kept == {sample["file"] for sample in SYNTHETIC}
