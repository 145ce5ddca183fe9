"""Whether a layer's coordinates mean what they were taken for, and if not, which mistake explains them.

The numbers of the file are read again in every system that a province may have used (`systems.candidates`).
A mistake is named only where another reading fits clearly better; a user's word overrules it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from coverage.errors import PlacesRefused
from coverage.places.coordinates.misfits import (
    REACH_M,
    Ground,
    Rows,
    Sample,
    away_m,
    ground_of,
    misfits_m,
    sample_of,
)
from coverage.places.coordinates.mistakes import Suspicion, mistake
from coverage.places.coordinates.systems import (
    WGS84,
    Numbers,
    Reading,
    are_metres,
    candidates,
    in_vietnam,
    meridian_and_scale,
    reading_of,
    swapped,
)
from coverage.places.coordinates.votes import CENTRES, NAMED, PART, UNNAMED, Rule, beaten, clearly_better
from coverage.places.notes import Note

_Tried = tuple[Reading, Numbers]  # a reading, and each feature's misfit under it in metres
# Farther than this from everything known is elsewhere: no village of a commune stretches farther.
FAR_M = 20_000.0
# A reading that takes more than this share of the features away does not explain the whole file.
_LOST_SHARE = 0.1
_SHOWN = 5  # features named in a message


def check(
    features: gpd.GeoDataFrame,
    taken_as: pyproj.CRS | str,
    areas: gpd.GeoSeries,
    codes: pd.Series[Any] | None,
    file: str,
    *,
    trusted: bool = False,
) -> list[Note]:
    """Nothing where the coordinates make sense; raises `PlacesRefused` with the mistake's code where they do not.

    `features` as `vector_files.read_layer` gave them (EPSG:4326; numbers that cannot be degrees as the file has
    them) and `taken_as` the system it used. `areas` in EPSG:4326, indexed by code; `codes` the area of
    each feature, missing where not known; without areas nothing can be said. With `trusted` the refusal is a note instead.
    """
    known = _one_shape_each(areas)
    if known.empty:
        return []
    ground = ground_of(known)
    rows = _rows(codes, known.index, len(features))
    return _answer(_suspect(features.geometry, reading_of(taken_as), ground, rows), file, trusted)


def check_communes(
    communes: gpd.GeoDataFrame, taken_as: pyproj.CRS | str, file: str, *, trusted: bool = False
) -> list[Note]:
    """The same for a layer of communes (`commune_code`), held against the centre known for each code.

    Centres come from the package vietnamadminunits. Where it knows none of the codes, only what a mistake has put
    outside Viet Nam is refused; what no mistake explains lies in another country, and is noted.
    """
    centres = _centres()
    known = centres[centres.index.isin(communes["commune_code"])]
    middles = gpd.GeoSeries(shapely.centroid(communes.geometry.to_numpy()))
    taken = reading_of(taken_as)
    if known.empty:
        country = ground_of(gpd.GeoSeries([shapely.box(*centres.total_bounds)]))
        found = _suspect(middles, taken, country, np.full(len(communes), -1))
        # Codes of another country in another country are no mistake, but worth a look.
        abroad = found is not None and found.code == "elsewhere"
        return _answer(found, file, trusted or abroad)
    rows = _rows(communes["commune_code"], known.index, len(communes))
    return _answer(_suspect(middles, taken, ground_of(known), rows, CENTRES), file, trusted)


@lru_cache(maxsize=1)
def _centres() -> gpd.GeoSeries:
    # Half a second to import, which only those who read places need.
    from vietnamadminunits.database import get_data  # noqa: PLC0415

    units = pd.DataFrame(get_data(fields="*", table="admin_units")).dropna(subset=["wardLat", "wardLon"])
    return gpd.GeoSeries(gpd.points_from_xy(units["wardLon"], units["wardLat"]), index=units["wardCode"])


def _one_shape_each(areas: gpd.GeoSeries) -> gpd.GeoSeries:
    known = areas[~(areas.is_empty | areas.isna()) & areas.index.notna()]
    return known if known.index.is_unique else known.groupby(level=0).agg(shapely.union_all)


def _rows(codes: pd.Series[Any] | None, known: pd.Index[Any], features: int) -> Rows:
    return np.full(features, -1) if codes is None else np.asarray(known.get_indexer(pd.Index(codes)))


def _suspect(
    features: gpd.GeoSeries, taken: Reading, ground: Ground, rows: Rows, rule: Rule = NAMED
) -> Suspicion | None:
    sample = sample_of(features, taken, rows)
    if sample is None:
        return None
    rule = rule if sample.named else UNNAMED
    before = misfits_m(taken, sample, ground)
    if (before <= rule.margin_m).all():
        return None
    fitting = _fitting(sample, ground, rule)
    if np.median(away_m(taken, sample, ground)) > FAR_M:
        # No other reading explains it that brings no more of the features home than the file's own does.
        home = (before < REACH_M).sum()
        return _suspicion(taken, before, [one for one in fitting if (one[1] < REACH_M).sum() > home], rule)
    better = [one for one in fitting if clearly_better(before, one[1], rule) and not _loses(before, one[1])]
    if better:
        return _suspicion(taken, before, better, rule)
    off = sample.features[before >= REACH_M]
    part = sample_of(features.iloc[off], taken, rows[off]) if rule is NAMED else None
    return None if part is None else _part(taken, part, ground, off, len(before))


def _part(taken: Reading, sample: Sample, ground: Ground, off: Rows, looked_at: int) -> Suspicion | None:
    # Where some features are out of reach while the others fit: the reading that brings most of those home.
    before = np.full(len(sample.first), REACH_M)
    better = [one for one in _fitting(sample, ground, PART) if clearly_better(before, one[1], PART)]
    if not better:
        return None
    best, misfits = _best(better, PART)[0]
    home = tuple(int(row) for row in off[misfits < REACH_M][:_SHOWN])
    return Suspicion("mixed_systems", taken, (best,), PART.outside, (looked_at, len(off), 0), home)


def _loses(before: Numbers, after: Numbers) -> bool:
    # What takes as many features away as it brings is right for a part of the file at most.
    return bool(((before < REACH_M) & (after >= REACH_M)).mean() > _LOST_SHARE)


def _fitting(sample: Sample, ground: Ground, rule: Rule) -> list[_Tried]:
    # Each reading that brings enough of the features within reach of their areas, with its misfits.
    near = [one for one in candidates() if (away_m(one, sample, ground) < REACH_M).mean() >= rule.fit_share]
    tried = [(one, misfits_m(one, sample, ground)) for one in near]
    return [(one, off) for one, off in tried if (off < REACH_M).mean() >= rule.fit_share]


def _suspicion(taken: Reading, before: Numbers, better: list[_Tried], rule: Rule) -> Suspicion:
    off = int((before > rule.margin_m).sum())
    if not better:
        return Suspicion("elsewhere", taken, (), rule.outside, (len(before), off, off))
    best = sorted(_best(better, rule), key=lambda one: one[0].crs != taken.crs)
    readings, misfits = tuple(one for one, _ in best), best[0][1]
    counts = (len(before), off, int((misfits > rule.margin_m).sum()))
    return Suspicion(mistake(taken, readings[0]), taken, readings, rule.outside, counts)


def _best(fitting: list[_Tried], rule: Rule) -> list[_Tried]:
    # Those that the best one does not beat, likelier ones first; made-up forms only where nothing else fits.
    _, least = min(fitting, key=lambda one: float(one[1].mean()))
    equal = [one for one in fitting if not beaten(one[1], least, rule)]
    return [one for one in equal if one[0].crs.to_authority()] or equal


def _answer(suspicion: Suspicion | None, file: str, trusted: bool) -> list[Note]:
    if suspicion is None:
        return []
    vi, en = suspicion.message(file)
    if trusted:
        return [Note(suspicion.code, "", vi, en)]
    raise PlacesRefused(vi, en, code=suspicion.code)


def no_system(features: gpd.GeoDataFrame, areas: gpd.GeoSeries | None, file: str) -> PlacesRefused:
    """The refusal (`crs_missing`) of a layer that names no system, with the readings that fit, best first.

    `features` with the numbers of the file; `areas` as in `check`, missing where none are known.
    """
    options = [] if areas is None or areas.empty else _options(features.geometry, areas)
    shown = ", ".join(f'--crs "{one.option}"' for one in options)
    fits_vi = f" Khớp với các khu vực đã biết: {shown}." if options else " Ví dụ: --crs EPSG:5899."
    fits_en = f" These fit the areas that are known: {shown}." if options else " For example --crs EPSG:5899."
    return PlacesRefused(
        f"{file}: không ghi hệ toạ độ; đoán sai sẽ lệch từ 226 m. Hãy nạp lại với --crs.{fits_vi}",
        f"{file}: names no coordinate system; a wrong guess is 226 m off or more. Send it again with --crs.{fits_en}",
        code="crs_missing",
    )


def _options(features: gpd.GeoSeries, areas: gpd.GeoSeries) -> list[Reading]:
    ground = ground_of(_one_shape_each(areas))
    sample = sample_of(features, reading_of(WGS84), np.full(len(features), -1))
    fitting = [] if sample is None else _fitting(sample, ground, UNNAMED)
    return [one for one, _ in _best(fitting, UNNAMED)] if fitting else []


def to_wgs84(x: Numbers, y: Numbers, crs: pyproj.CRS | str, file: str = "") -> tuple[Numbers, Numbers]:
    """WGS 84 latitude and longitude in degrees of a table's columns X and Y; missing where either is.

    Which of the two is the one to the north is decided by the numbers, for the whole table: in one order most
    rows lie in Viet Nam, in the other they do not; where both do (only far from the zone's meridian), the order
    nearer to the meridian counts. A row that does not fit comes back where that order puts it, out of the country or
    infinite. Raises `PlacesRefused` where neither order can be meant: `metres_as_degrees`, else `elsewhere`.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    reading, given = reading_of(crs), np.isfinite(x) & np.isfinite(y)
    if not given.any():
        return np.full(len(x), np.nan), np.full(len(x), np.nan)
    ways = [one.lat_lon(x, y) for one in (reading, swapped(reading))]
    meridian, _ = meridian_and_scale(reading.crs)
    lat, lon = max(
        ways, key=lambda way: (in_vietnam(*way).sum(), -abs(float(np.median(way[1][given])) - meridian))
    )
    strange = given & ~in_vietnam(lat, lon)
    if 2 * strange.sum() > given.sum():
        raise _neither_order(x, y, int(strange.argmax()), reading, file)
    return np.where(given, lat, np.nan), np.where(given, lon, np.nan)


def _neither_order(x: Numbers, y: Numbers, row: int, reading: Reading, file: str) -> PlacesRefused:
    where = f"{file}, " if file else ""
    metres = reading.geographic and bool(are_metres(x, y)[row])
    return PlacesRefused(
        f"{where}dòng dữ liệu {row + 1}, X = {x[row]:.12g}, Y = {y[row]:.12g}: đọc theo {reading.label} thì không"
        " nằm trong Việt Nam, dù đổi chỗ X và Y. Hãy ghi đúng hệ toạ độ, ví dụ --crs EPSG:5899.",
        f"{where}data row {row + 1}, X = {x[row]:.12g}, Y = {y[row]:.12g}: read as {reading.label} this is not in"
        " Viet Nam, in either order of X and Y. Name the right system, for example --crs EPSG:5899.",
        code="metres_as_degrees" if metres else "elsewhere",
    )
