"""Saved mappings: a team's own table is described once, read from then on, and read anew when the words change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coverage import intake, intake_places
from coverage.archive.mappings import load_mappings, remove_mapping, save_mapping
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import FileRefused, MappingRefused, NotFound
from coverage.logs.context import Context
from coverage.logs.mappings import parse_mapping

MAPPING = """
name = "doi_1"
title = "Bảng đo của Đội 1"
no_service_technologies = ["mù"]

[columns]
time = "Lúc"
lat = "Y84"
lon = "X84"
operator = "Hãng"
technology = "Đời"
rsrp_dbm = ["Chính", "Đo được"]
"""
TABLE = """Lúc;Y84;X84;Hãng;Đời;Đo được;Phụ
2026-10-30 08:00:00;11.94;108.44;Viettel;4G;-97;-60
2026-10-30 08:00:01;11.94;108.44;;mù;;
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "bang.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path / "bang.csv"


def ingest(workspace: Workspace, path: Path, **said: str) -> Receipt:
    (receipt,) = intake.ingest(workspace, path, Context(**said))
    assert isinstance(receipt, Receipt)
    return receipt


def test_a_table_of_unknown_names_is_refused_until_it_is_described(workspace: Workspace, table: Path) -> None:
    with pytest.raises(FileRefused, match="phusong mappings add"):
        ingest(workspace, table)
    save_mapping(workspace, MAPPING, "doi_1.toml")
    receipt = ingest(workspace, table)
    assert (receipt.format, receipt.rows, receipt.accepted, receipt.no_service) == ("doi_1", 2, 2, 1)
    assert receipt.operator == "45204"


def test_a_mapping_of_a_team_is_for_its_uploads_or_by_name(workspace: Workspace, table: Path) -> None:
    save_mapping(workspace, 'team = "Đội 1"\n' + MAPPING, "doi_1.toml")
    with pytest.raises(FileRefused):
        ingest(workspace, table)
    assert ingest(workspace, table, team="doi 1").format == "doi_1"
    assert ingest(workspace, table, format="doi_1").format == "doi_1"


def test_what_was_read_with_other_words_is_read_anew(workspace: Workspace, table: Path) -> None:
    save_mapping(workspace, MAPPING, "doi_1.toml")
    first, again = ingest(workspace, table), ingest(workspace, table)
    assert (first.effect, again.effect) == ("added", "already_received")
    save_mapping(workspace, MAPPING.replace('["mù"]', "[]"), "doi_1.toml")
    changed = ingest(workspace, table)
    assert (changed.upload_id, changed.effect, changed.no_service) == (first.upload_id, "replaced", 0)


def test_mappings_are_listed_and_forgotten(workspace: Workspace) -> None:
    save_mapping(workspace, MAPPING, "doi_1.toml")
    assert [one.format.name for one in load_mappings(workspace)] == ["doi_1"]
    remove_mapping(workspace, "doi_1")
    assert load_mappings(workspace) == ()
    with pytest.raises(NotFound, match="doi_1"):
        remove_mapping(workspace, "doi_1")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("name = ", "name ="), None),
        (('"doi_1"', '"Đội 1"'), "name"),
        (('"doi_1"', '"../doi_1"'), "name"),
        (('"doi_1"', '"canonical"'), "canonical"),
        (("title", "tilte"), "title"),
        (('lat = "Y84"', ""), "lat"),
        (('rsrp_dbm = ["Chính", "Đo được"]', ""), "service_state"),
        (("rsrp_dbm", "rsrp"), "rsrp_dbm"),
        (('"Y84"', "84"), "lat"),
        (("[columns]", "[columns"), "TOML"),
        (("[columns]", 'technology = "6G"\n[columns]'), "technology"),
    ],
)
def test_a_mapping_that_says_something_else_is_refused_by_its_key(
    workspace: Workspace, change: tuple[str, str], named: str | None
) -> None:
    text = MAPPING.replace(*change)
    if named is None:
        assert parse_mapping(text, "doi_1.toml").format.name == "doi_1"
        return
    with pytest.raises(MappingRefused) as refusal:
        save_mapping(workspace, text, "doi_1.toml")
    for words in (refusal.value.vi, refusal.value.en):
        assert words.startswith("doi_1.toml: ")
        assert named in words
    assert load_mappings(workspace) == ()


ROWS = ["2026-10-30T08:00:00,11.94,108.44,45204,LTE,-97", "2026-10-30T08:00:01,48.0,2.0,45204,LTE,-97"]


def know_communes(workspace: Workspace, folder: Path, west: float, north: float) -> None:
    box = [[[west, 11.9], [108.5, 11.9], [108.5, north], [west, north], [west, 11.9]]]
    commune = {"type": "Feature", "properties": {"Mã xã": "1"}}
    commune["geometry"] = {"type": "Polygon", "coordinates": box}
    layer = {"type": "FeatureCollection", "features": [commune]}
    (folder / "communes.geojson").write_text(json.dumps(layer), encoding="utf-8")
    given = intake_places.Given(trusted=True)  # one of these communes reaches to Paris
    intake_places.add_places(workspace, "communes", folder / "communes.geojson", given)


def test_rows_set_aside_for_the_area_come_back_when_the_area_is_wider(
    workspace: Workspace, tmp_path: Path
) -> None:
    log = tmp_path / "log.csv"
    log.write_text("\n".join(["time,lat,lon,operator,technology,rsrp_dbm", *ROWS, ""]), encoding="utf-8")
    know_communes(workspace, tmp_path, west=108.4, north=12.0)
    assert (ingest(workspace, log).quarantined, ingest(workspace, log).effect) == (1, "already_received")
    know_communes(workspace, tmp_path, west=2.0, north=48.0)
    assert ingest(workspace, log).effect == "replaced"
    again = ingest(workspace, log)
    assert (again.effect, again.accepted, again.quarantined) == ("already_received", 2, 0)
    know_communes(workspace, tmp_path, west=108.4, north=12.0)  # what was accepted once stays
    assert ingest(workspace, log).effect == "already_received"
