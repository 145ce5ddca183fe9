"""The clients of the province's office and of an operator's script: QGIS and GDAL as Debian has them read everything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import shapely
from serving import running
from snapshots import snapshot, workspace_with

from coverage.exports import lists
from coverage.exports.colours import VERDICT_INKS, rgb
from coverage.features.collections import COLLECTIONS

SHOWN = snapshot(60)
BOX = shapely.box(108.02, 11.81, 108.1, 11.9)
SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    workspace = workspace_with(tmp_path_factory.mktemp("clients"), SHOWN)
    with running(workspace.root, workers=0) as service:
        yield service.address


def require(there: bool, what: str) -> None:
    if not there:
        told = f"absent: {what}"
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)


@pytest.fixture(scope="module")
def by_qgis(address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What QGIS reads of every collection, of the gaps as a GeoPackage and a FlatGeobuf, and draws of the tiles."""
    has_qgis = (
        shutil.which(SYSTEM_PYTHON)
        and not subprocess.run(
            [SYSTEM_PYTHON, "-c", "import qgis.core"], capture_output=True, check=False
        ).returncode
    )
    require(bool(has_qgis), "QGIS (apt-get install python3-qgis qgis-providers)")
    folder = tmp_path_factory.mktemp("qgis")
    for fmt in ("gpkg", "fgb"):
        (folder / f"gaps.{fmt}").write_bytes(httpx.get(f"{address}/gaps.{fmt}", timeout=60).content)
    reader = Path(__file__).with_name("qgis_reader.py")
    tiles = f"type=xyz&url={address}/tiles/hexes/{{z}}/{{x}}/{{y}}.png&zmin=0&zmax=18"
    files = [str(folder / "gaps.gpkg"), str(folder / "gaps.fgb"), tiles]
    run = subprocess.run(
        [SYSTEM_PYTHON, str(reader), f"{address}/ogc", *files],
        input="\n".join(COLLECTIONS),
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "QT_QPA_PLATFORM": "offscreen",
            "XDG_RUNTIME_DIR": str(folder),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "Warning" not in run.stderr, run.stderr
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return {Path(name).name: told for name, told in found.items()}


@pytest.mark.parametrize("name", COLLECTIONS)
def test_qgis_reads_every_feature_by_box_and_by_property(by_qgis: dict[str, Any], name: str) -> None:
    told = by_qgis[name]
    assert told["valid"]
    exported = SHOWN.communes if name == "communes" else lists.select(SHOWN, name)
    assert told["count"] == len(exported)
    assert told["crs"] in {"OGC:CRS84", "EPSG:4326"}
    assert told["near"] == exported.geometry.intersects(BOX).sum() > 0
    if name != "communes":
        assert told["own"] == (exported["operator"] == "45204").sum()
    if "village_name" in exported:
        assert told["names"] == sorted(exported["village_name"])


@pytest.mark.parametrize("file", ["gaps.gpkg", "gaps.fgb"])
def test_qgis_opens_the_files(by_qgis: dict[str, Any], file: str) -> None:
    gaps = lists.select(SHOWN, "gaps")
    told = by_qgis[file]
    assert (told["valid"], told["count"], told["crs"]) == (True, len(gaps), "EPSG:4326")
    assert told["names"] == sorted(gaps["village_name"])
    assert told["box"] == pytest.approx(shapely.total_bounds(gaps.geometry), abs=1e-3)


def test_qgis_draws_the_tiles(by_qgis: dict[str, Any]) -> None:
    told = by_qgis["tiles"]
    assert (told["valid"], told["crs"], told["faults"]) == (True, "EPSG:3857", [])
    seen = Counter[str](told["colours"])
    for verdict in ("dead_zone", "below_standard", "covered"):
        # On white paper, and a little see-through.
        ink = VERDICT_INKS[verdict]
        parts = [255 + (part - 255) * ink.opacity / 255 for part in rgb(ink.colour)]
        near = [name for name in seen if np.abs(np.subtract(rgb(name), parts)).max() <= 2]
        assert sum(seen[name] for name in near) > 200, verdict
    assert seen["#ffffff"] > 100_000


@pytest.mark.parametrize("name", COLLECTIONS)
def test_debian_s_gdal_reads_every_feature_by_box_and_by_property(address: str, name: str) -> None:
    require(shutil.which("ogrinfo") is not None, "GDAL's programs (apt-get install gdal-bin)")
    exported = SHOWN.communes if name == "communes" else lists.select(SHOWN, name)
    assert count(address, name) == len(exported)
    west, south, east, north = map(str, BOX.bounds)
    assert count(address, name, "-spat", west, south, east, north) == exported.geometry.intersects(BOX).sum()
    if name != "communes":
        assert count(address, name, "-where", "operator = '45204'") == (exported["operator"] == "45204").sum()


def count(address: str, name: str, *options: str) -> int:
    """How many features ogrinfo counts, by reading them; its own pages are of ten features."""
    command = [
        "ogrinfo",
        "-ro",
        "-al",
        "-q",
        "-geom=NO",
        "-oo",
        "PAGE_SIZE=500",
        *options,
        f"OAPIF:{address}/ogc",
        name,
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.count("OGRFeature(")
