"""How often the check of coordinates finds a mistake in so many village points, and how often it cries wolf.

    python benchmarks/coordinates.py COMMUNES.geojson [--runs 100]

Villages are points spread evenly within communes, each commune as likely as another. Two sorts: exact ones, and
ones blurred by 30 m with three wrong codes in a hundred. Printed for 50, 200 and 1,000 points: the share of runs in
which each mistake is found by its name, the share of right files that are refused, and the median time of a check.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from coverage.places.communes import read_communes
from coverage.places.coordinates import check
from coverage.places.coordinates.systems import reading_of

TUTORIAL = "+proj=tmerc +lon_0=107.75 +k=0.9996 +x_0=500000 +ellps=WGS84 +towgs84=0,0,0,0,0,0,0 +type=crs"
# What the numbers are, what they are taken for, the name it should be given (none: they are right).
FILES = [
    ("EPSG:4756", "EPSG:4326", "datum_shift_not_applied"),
    ("EPSG:5899", TUTORIAL, "wrong_ellipsoid"),
    ("EPSG:5899", "EPSG:9218", "wrong_zone"),
    ("EPSG:5899 yx", "EPSG:5899", "axes_swapped"),
    ("EPSG:4326", "EPSG:4326", None),
    ("EPSG:5899", "EPSG:5899", None),
    ("EPSG:9218", "EPSG:9218", None),
]


def points(communes: gpd.GeoDataFrame, count: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """So many points in communes drawn at random, with the code of each."""
    drawn = communes.iloc[rng.integers(0, len(communes), count)]
    shapes = drawn.geometry.to_numpy()
    places = np.full((count, 2), np.nan)
    west, south, east, north = shapely.bounds(shapes).T
    while (missing := np.isnan(places[:, 0])).any():
        tried = np.column_stack([rng.uniform(west, east), rng.uniform(south, north)])
        hit = missing & shapely.contains_xy(shapes, *tried.T)
        places[hit] = tried[hit]
    return gpd.GeoDataFrame(
        {"code": drawn["commune_code"].to_numpy()}, geometry=gpd.points_from_xy(*places.T)
    )


def blurred(frame: gpd.GeoDataFrame, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """The points moved by 30 m (standard deviation) each way, 3 % with the code of another row."""
    places = frame.get_coordinates().to_numpy() + rng.normal(0, 30 / 111_195, (len(frame), 2))
    wrong = rng.random(len(frame)) < 0.03
    codes = np.where(wrong, rng.permutation(frame["code"].to_numpy()), frame["code"].to_numpy())
    return gpd.GeoDataFrame({"code": codes}, geometry=gpd.points_from_xy(*places.T))


def taken(frame: gpd.GeoDataFrame, numbers: str, said: str) -> gpd.GeoDataFrame:
    """The points as they come out when numbers of the one system are read as the other."""
    x, y = reading_of(numbers).numbers(frame.geometry.y.to_numpy(), frame.geometry.x.to_numpy())
    lat, lon = reading_of(said).lat_lon(x, y)
    return frame.set_geometry(gpd.points_from_xy(lon, lat)).set_crs(4326)


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("communes", type=Path)
    parser.add_argument("--runs", type=int, default=100)
    given = parser.parse_args()
    communes, rng, times = read_communes(given.communes), np.random.default_rng(1), []
    areas = communes.set_index("commune_code").geometry
    print("numbers | taken for | points | exact | blurred: share named (right files: share refused)")
    for numbers, said, name in FILES:
        for count in (50, 200, 1000):
            shares = []
            for spoil in (False, True):
                found = 0
                for _ in range(given.runs):
                    frame = points(communes, count, rng)
                    frame = taken(blurred(frame, rng) if spoil else frame, numbers, said)
                    start = time.perf_counter()
                    notes = check(frame, said, areas, frame["code"], "benchmark", trusted=True)
                    times.append(time.perf_counter() - start)
                    found += bool(notes) if name is None else [note.code for note in notes] == [name]
                shares.append(found / given.runs)
            print(numbers, "|", said[:24], "|", count, "|", *(f"{share:.2f}" for share in shares), flush=True)
    print(f"median time of a check: {np.median(times):.2f} s")


if __name__ == "__main__":
    main()
