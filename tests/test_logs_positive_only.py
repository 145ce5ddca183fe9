"""Sources that never write "no service": known by their format, or said with the upload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from test_logs_read import HEADER, ROW, only, read
from test_logs_samples import SYNTHETIC, name, readings

from coverage import intake
from coverage.archive import uploads
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace, open_workspace
from coverage.logs import Context
from coverage.logs.formats import FORMATS
from coverage.logs.mappings import parse_mapping

RECORDING = {"canonical", "gmon", "gnettrack_csv", "gnettrack_text", "networksurvey_phonestate", "tems_text"}
READABLE = [sample for sample in SYNTHETIC if "refused" not in sample]
EXPORT = """mcc,mnc,lac,cell_id,dbm,lat,lon,measured_at,net_type,neighboring
452,4,7000,123,-97,11.94,108.43,"2026-10-01T01:02:03Z",LTE,false
"""


def kept(workspace: Workspace, path: Path, **said: Any) -> tuple[str, list[bool]]:
    """What taking the file in changed, and the marks of its rows in the archive."""
    (receipt,) = intake.ingest(workspace, path, Context(**said))
    assert isinstance(receipt, Receipt)
    part = pq.read_table(workspace.parts / uploads.show(workspace, receipt.upload_id)["measurements_part"])
    return receipt.effect, part["positive_only"].to_pylist()


def test_these_formats_and_no_others_can_say_that_there_is_no_service() -> None:
    assert {one.name for one in FORMATS if one.records_no_service} == RECORDING


@pytest.mark.parametrize("sample", READABLE, ids=name)
def test_every_row_carries_what_its_format_can_say(sample: dict[str, Any]) -> None:
    for one in readings(sample):
        marks = set(one.measurements["positive_only"].to_pylist())
        assert marks == {sample["format"] not in RECORDING}
        # A row without service in such a sample would show that the format can say so after all.
        assert not (one.no_service and sample["format"] not in RECORDING)


def test_what_is_said_of_a_file_is_believed(tmp_path: Path) -> None:
    export = {"text": EXPORT, "name": "export.csv"}
    assert only(read(tmp_path, **export))["positive_only"] is True
    assert only(read(tmp_path, **export, positive_only=False))["positive_only"] is False
    assert only(read(tmp_path, HEADER + ROW))["positive_only"] is False
    assert only(read(tmp_path, HEADER + ROW, positive_only=True))["positive_only"] is True


def test_rows_without_service_of_a_source_marked_positive_only_are_kept(tmp_path: Path) -> None:
    text = "time,lat,lon,operator,technology,rsrp_dbm,service_state\n"
    text += "2026-10-01 08:00:00,11.94,108.43,45204,LTE,-97,\n2026-10-01 08:00:05,11.94,108.43,45204,,,no_service\n"
    found = read(tmp_path, text, positive_only=True)
    assert (found.accepted, found.no_service) == (2, 1)
    assert found.measurements["service_state"].to_pylist() == ["in_service", "no_service"]
    assert found.measurements["positive_only"].to_pylist() == [True, True]


def test_what_was_said_holds_until_another_value_is_given_and_a_format_says_nothing(tmp_path: Path) -> None:
    workspace, file = open_workspace(tmp_path / "workspace"), tmp_path / "export.csv"
    file.write_text(EXPORT, encoding="utf-8")
    assert kept(workspace, file) == ("added", [True])
    # Read as another format the default follows: it was never stated.
    assert kept(workspace, file, format="canonical") == ("replaced", [False])
    assert kept(workspace, file, format="towercollector") == ("replaced", [True])
    assert kept(workspace, file, positive_only=False) == ("replaced", [False])
    assert kept(workspace, file) == ("already_received", [False])
    assert kept(workspace, file, positive_only=True) == ("replaced", [True])


@pytest.mark.parametrize(("line", "records"), [("", True), ("records_no_service = false\n", False)])
def test_a_mapping_may_say_that_its_table_never_tells_silence(line: str, records: bool) -> None:
    text = f'name = "doi_1"\ntitle = "Bảng"\n{line}[columns]\nlat = "Y"\nlon = "X"\nrsrp_dbm = "Chính"\n'
    assert parse_mapping(text, "doi_1.toml").format.records_no_service is records
