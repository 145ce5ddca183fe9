"""The simulated villages: where people live, what the outlines are, who has grid power."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from coverage.simulate.ground import Commune, Terrain, voronoi
from coverage.simulate.noise import Floats

HOUSES_PER_PLACE = 30  # settled points that stand for the houses of one place
HOUSES_WITHIN_M = 300.0
_PEOPLE_PER_HOUSEHOLD = 4.2  # our guess for highland villages
_SMALL_RADIUS_M = 120.0  # 0.045 km², less than half a res-9 hex
_PART_RADIUS_M = 350.0
_KINDS = ("Thôn", "Buôn", "Bon", "Tổ dân phố")
_WORDS = ("Đạ Nhim", "Ka Ming", "K'Rèn", "Srê Pông", "Liêng Bông", "Tân Hợp", "Đắk Sơr", "Păng Tiêng")
_TAG = " (mô phỏng)"


@dataclass(frozen=True)
class Place:
    """Where people of a village live: the centre or a further cluster, on the plane in metres."""

    x: float
    y: float
    households: int
    on_grid: bool
    houses: Floats


@dataclass(frozen=True)
class Village:
    """One simulated village; `places[0]` is its centre.

    power: what the power table will say, `list`, `none`, `partial`, `missing` or `inferred`.
    clusters_listed, grid_listed: whether the clusters file holds them and their grid column.
    """

    village_id: str
    name: str
    commune_code: str
    outline: shapely.Geometry
    places: tuple[Place, ...]
    especially_difficult: bool
    power: str
    grid_households: int
    clusters_listed: bool
    grid_listed: bool

    @property
    def households(self) -> int:
        """Households of all places."""
        return sum(place.households for place in self.places)

    @property
    def population(self) -> int:
        """People of all places."""
        return round(self.households * _PEOPLE_PER_HOUSEHOLD)

    @property
    def grid_share(self) -> float:
        """The true share of households on the national grid."""
        return self.grid_households / self.households


@dataclass(frozen=True)
class Places:
    """All places of all villages as arrays: `village` is the index of its village, `houses` (P, 30, 2)."""

    village: np.ndarray[tuple[int], np.dtype[np.int64]]
    x: Floats
    y: Floats
    houses: Floats


def as_arrays(villages: list[Village]) -> Places:
    """The places of all villages in village order."""
    flat = [(index, place) for index, village in enumerate(villages) for place in village.places]
    return Places(
        np.array([index for index, _ in flat], dtype=np.int64),
        np.array([place.x for _, place in flat]),
        np.array([place.y for _, place in flat]),
        np.stack([place.houses for _, place in flat]),
    )


def build(rng: np.random.Generator, area: list[Commune], terrain: Terrain, wanted: int) -> list[Village]:
    """The villages of the communes, tiling each commune that has any; some of them awkward on purpose."""
    counts = _counts(rng, len(area), wanted)
    found: list[Village] = []
    for commune, count in zip(area, counts, strict=True):
        if count:
            found += _of_commune(rng, commune, terrain, int(count))
    return _with_hostile_name(found)


def _counts(rng: np.random.Generator, communes: int, wanted: int) -> Floats:
    # Communes differ: ±20 % around the mean, summing to what is wanted.
    weights = rng.uniform(0.8, 1.2, communes)
    bounds = np.rint(np.cumsum(weights) / weights.sum() * wanted)
    return np.diff(bounds, prepend=0.0)


def _of_commune(rng: np.random.Generator, commune: Commune, terrain: Terrain, count: int) -> list[Village]:
    small = count >= 6
    centres = _centres(rng, commune.outline, terrain, count - small)
    outlines = voronoi([shapely.Point(x, y) for x, y in centres], commune.outline)
    if small:
        centres, outlines = _with_small(rng, centres, outlines)
    if count >= 8:
        outlines = _with_two_parts(rng, centres, outlines)
    rows = zip(centres, outlines, strict=True)
    return [_village(rng, commune, number, x, y, cell) for number, ((x, y), cell) in enumerate(rows, start=1)]


def _centres(
    rng: np.random.Generator, outline: shapely.Geometry, terrain: Terrain, count: int
) -> list[tuple[float, float]]:
    # People settle in valleys, at a distance from the next village.
    left, bottom, right, top = outline.bounds
    tries = 60 * count + 200
    x, y = rng.uniform(left, right, tries), rng.uniform(bottom, top, tries)
    inside = shapely.contains_xy(outline.buffer(-250), x, y)
    x, y = x[inside], y[inside]
    order = np.argsort(terrain.height(x, y) + rng.normal(0, 120, x.size))
    return _spread_out(x[order], y[order], count, 0.6 * np.sqrt(outline.area / count))


def _spread_out(x: Floats, y: Floats, count: int, distance_m: float) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    while len(kept) < count:
        for east, north in zip(x.tolist(), y.tolist(), strict=True):
            far = all(np.hypot(east - a, north - b) >= distance_m for a, b in kept)
            if far and len(kept) < count:
                kept.append((east, north))
        distance_m *= 0.7
    return kept


def _with_small(
    rng: np.random.Generator, centres: list[tuple[float, float]], outlines: list[shapely.Geometry]
) -> tuple[list[tuple[float, float]], list[shapely.Geometry]]:
    # One village smaller than a res-9 hex, cut out of its neighbour like a hole.
    host = int(rng.integers(len(centres)))
    spot = _point_in(rng, outlines[host].buffer(-3 * _SMALL_RADIUS_M), centres[host], (800.0, 1_500.0))
    if spot is None:
        spot = (outlines[host].representative_point().x, outlines[host].representative_point().y)
    cell = shapely.intersection(shapely.Point(spot).buffer(_SMALL_RADIUS_M, quad_segs=4), outlines[host])
    cut = [*outlines]
    cut[host] = shapely.difference(outlines[host], cell)
    return [*centres, spot], [*cut, cell]


def _with_two_parts(
    rng: np.random.Generator, centres: list[tuple[float, float]], outlines: list[shapely.Geometry]
) -> list[shapely.Geometry]:
    # The first village owns a piece well inside another one, as merged villages do.
    for host in range(1, len(outlines)):
        spot = _point_in(rng, outlines[host].buffer(-_PART_RADIUS_M - 50), centres[host], (600.0, 2_500.0))
        if spot is not None:
            piece = shapely.Point(spot).buffer(_PART_RADIUS_M, quad_segs=4)
            cut = [*outlines]
            cut[host] = shapely.difference(outlines[host], piece)
            cut[0] = shapely.union(outlines[0], piece)
            return cut
    return outlines


def _point_in(
    rng: np.random.Generator, area: shapely.Geometry, origin: tuple[float, float], ring_m: tuple[float, float]
) -> tuple[float, float] | None:
    angle, reach = rng.uniform(0, 2 * np.pi, 60), rng.uniform(*ring_m, 60)
    x, y = origin[0] + reach * np.cos(angle), origin[1] + reach * np.sin(angle)
    inside = np.flatnonzero(shapely.contains_xy(area, x, y))
    return (float(x[inside[0]]), float(y[inside[0]])) if inside.size else None


def _village(
    rng: np.random.Generator, commune: Commune, number: int, x: float, y: float, cell: shapely.Geometry
) -> Village:
    power = str(
        rng.choice(["list", "none", "partial", "missing", "inferred"], p=[0.91, 0.04, 0.02, 0.02, 0.01])
    )
    places = _places(rng, cell, (x, y), power)
    village = Village(
        village_id=f"{commune.code}-{number:02d}",
        name=_name(rng, number),
        commune_code=commune.code,
        outline=cell,
        places=places,
        especially_difficult=bool(rng.random() < 0.15 or power == "none"),
        power=power,
        grid_households=0,
        clusters_listed=bool(rng.random() >= 0.05),
        grid_listed=bool(rng.random() < 0.7),
    )
    return replace(village, grid_households=_grid_households(rng, village))


def _places(
    rng: np.random.Generator, cell: shapely.Geometry, centre: tuple[float, float], power: str
) -> tuple[Place, ...]:
    households = int(np.clip(rng.lognormal(np.log(110), 0.5), 18, 450))
    spots: list[tuple[float, float]] = [centre]
    for _ in range(int(rng.choice(4, p=[0.35, 0.35, 0.2, 0.1]))):
        spot = _point_in(rng, cell.buffer(-100), centre, (800.0, 3_000.0))
        if spot is not None and all(np.hypot(spot[0] - a, spot[1] - b) > 600 for a, b in spots):
            spots.append(spot)
    shares = np.array([1.0, *rng.uniform(0.1, 0.35, len(spots) - 1)])
    counts = np.maximum(3, np.rint(households * shares / shares.sum())).astype(int)
    return tuple(
        Place(*spot, int(count), _on_grid(rng, power, index), _houses(rng, cell, spot))
        for index, (spot, count) in enumerate(zip(spots, counts, strict=True))
    )


def _on_grid(rng: np.random.Generator, power: str, index: int) -> bool:
    if power == "none":
        return False
    if power == "partial":
        return index == 0 and bool(rng.random() < 0.5)
    return index == 0 or bool(rng.random() >= 0.08)


def _houses(rng: np.random.Generator, cell: shapely.Geometry, spot: tuple[float, float]) -> Floats:
    # Houses lie within 300 m of the place; in the small village, inside its own ground.
    reach = 0.9 * _SMALL_RADIUS_M if cell.area < 1e5 else HOUSES_WITHIN_M
    radius = reach * np.sqrt(rng.uniform(0.0, 1.0, HOUSES_PER_PLACE))
    angle = rng.uniform(0, 2 * np.pi, HOUSES_PER_PLACE)
    return np.column_stack([spot[0] + radius * np.cos(angle), spot[1] + radius * np.sin(angle)])


def _grid_households(rng: np.random.Generator, village: Village) -> int:
    on_grid = sum(place.households for place in village.places if place.on_grid)
    if village.power == "none":
        return 0
    if village.power == "partial":
        return int(village.households * rng.uniform(0.3, 0.65))
    return int(np.ceil(on_grid * rng.uniform(0.97, 1.0)))


def _name(rng: np.random.Generator, number: int) -> str:
    kind = str(rng.choice(_KINDS, p=[0.55, 0.2, 0.1, 0.15]))
    if kind in ("Thôn", "Tổ dân phố"):
        return f"{kind} {number}{_TAG}"
    return f"{kind} {_WORDS[int(rng.integers(len(_WORDS)))]} {number}{_TAG}"


def _with_hostile_name(villages: list[Village]) -> list[Village]:
    # Names that break careless code: an apostrophe, quotes and angle brackets.
    names = {0: f"Thôn B'Lao Srê{_TAG}", 1: f'Buôn <b>"Đạ Lây"</b> & Cộng{_TAG}'}
    return [
        replace(village, name=names[index]) if index in names else village
        for index, village in enumerate(villages)
    ]
