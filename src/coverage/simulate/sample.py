"""The small sample of boundaries that travels with the project, and its README."""

from __future__ import annotations

import hashlib
from pathlib import Path

from coverage.simulate import ground, placefiles, world

_SEED = 1
_VILLAGES = 60
_FILES = ("lamdong_communes_derived.geojson", "sample_villages.geojson", "sample_clusters.geojson")
_README = """# Sample boundaries

| file | what | sha256 |
|---|---|---|
{rows}

- **Source**: commune names, codes and centres come from the Python package `vietnamadminunits`, read
  from the installed package on 2026-11-23. Commune outlines are Voronoi cells of those centres, made by
  this project: they are not official boundaries, neighbours differ from the real ones, and a point near
  a border can lie in another commune than in reality. Villages and clusters are simulated (seed {seed}).
- **Licence**: `vietnamadminunits` is MIT-licensed; what is derived and simulated here is this project's
  work under its own licence (Apache-2.0).
- **Date**: 2026-11-23.
- **CRS**: EPSG:4326 (WGS 84), longitude first, six decimals.
- **Made again with**:
  `.venv/bin/python -c "from pathlib import Path; from coverage.simulate import write_sample;
  write_sample(Path('data/boundaries'))"` (one line)
"""
_WHAT = (
    "124 communes of Lâm Đồng since 2025-07-01, derived outlines, `commune_code`, `commune_name`",
    f"{_VILLAGES} simulated villages in five communes",
    "settled clusters of those villages; `grid` says whether they are on the national grid, null = not known",
)


def write_sample(folder: Path) -> None:
    """Write the bundled sample (GeoJSON, EPSG:4326) and its README with the sha256 of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    _, _, villages = world.settle(_SEED, _VILLAGES)
    placefiles.write_communes(ground.communes(), folder / _FILES[0])
    placefiles.write_villages(villages, folder / _FILES[1])
    placefiles.write_clusters(villages, folder / _FILES[2])
    rows = [
        f"| {name} | {what} | `{hashlib.sha256((folder / name).read_bytes()).hexdigest()}` |"
        for name, what in zip(_FILES, _WHAT, strict=True)
    ]
    text = _README.format(rows="\n".join(rows), seed=_SEED)
    (folder / "README.md").write_text(text, encoding="utf-8")
