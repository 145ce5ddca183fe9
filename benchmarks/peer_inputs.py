"""What the jobs of benchmarks/peers.py are given: the log, the villages, the workspaces, and files for PostGIS."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

AS_OF = date(2026, 11, 1)


@dataclass(frozen=True)
class Given:
    """Files and workspaces: with the villages added, with what is kept of them as well, with the log archived too.

    scratch: a folder of this run's own. socket: where PostgreSQL listens.
    """

    file: Path
    villages: Path
    added: Path
    kept: Path
    archived: Path
    postgis: dict[str, Path]
    scratch: Path = Path()
    socket: Path = Path()


def laid_out(folder: Path, rows: int) -> Given:
    """Everything that the jobs are given, in the folder, for that number of rows."""
    from drives import write_canonical
    from ground import world, write_places

    from coverage import ground, inputs, intake
    from coverage.archive.workspace import open_workspace
    from coverage.intake_places import add_places
    from coverage.logs import Context

    file, here = write_canonical(folder, rows), folder / f"peers-{rows}"
    shutil.rmtree(here, ignore_errors=True)
    layers = write_places(here / "places", world(3))
    added, kept, archived = (here / name for name in ("added", "kept", "archived"))
    for kind, path in layers.items():
        add_places(open_workspace(added), kind, path)
    shutil.copytree(added, kept)
    ground.lie_of_the_land(inputs.fetch(open_workspace(kept), AS_OF))
    shutil.copytree(kept, archived)
    for receipt in intake.ingest(open_workspace(archived), file, Context()):
        assert receipt.accepted + receipt.duplicates == rows, receipt
    return Given(
        file, layers["villages"], added, kept, archived, _for_postgis(here, file, layers["villages"])
    )


def _for_postgis(here: Path, file: Path, villages: Path) -> dict[str, Path]:
    """As CSV: the log with its cells, the outlines of these and of those around the centres, and the villages."""
    import geopandas as gpd
    import h3
    import numpy as np

    from coverage import hexes

    log = pd.read_csv(file, dtype=str)
    log["hex10"] = hexes.of_points(log["lat"].to_numpy(np.float64), log["lon"].to_numpy(np.float64), 10)
    log["hex9"] = hexes.parents(log["hex10"].to_numpy(), 9)
    shapes = gpd.read_file(villages)[["village_id", "centre_lat", "centre_lon", "geometry"]]
    centres = [h3.latlng_to_cell(lat, lon, 9) for lat, lon in shapes[["centre_lat", "centre_lon"]].to_numpy()]
    cells = {h3.int_to_str(cell) for cell in log["hex9"].unique()}
    cells.update(cell for centre in centres for cell in h3.grid_disk(centre, 1))
    outlines = pd.DataFrame({"hex": [h3.str_to_int(cell) for cell in cells], "outline": map(_outline, cells)})
    tables = {
        "log": log,
        "hexes": outlines,
        "villages": pd.DataFrame(shapes).assign(geometry=shapes.to_wkt()["geometry"]),
    }
    for name, table in tables.items():
        table.to_csv(here / f"{name}.csv", index=False)
    return {name: here / f"{name}.csv" for name in tables}


def _outline(cell: str) -> str:
    import h3
    from shapely import Polygon

    return str(Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]).wkt)
