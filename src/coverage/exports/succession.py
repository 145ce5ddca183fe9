"""The villages of two snapshots → which ids of the earlier one went on under which of the later one.

Asked are only ids that stand in one of the two alone. Where nothing proves a kinship none is told: a village that
was left out of a list and another that was put in are not kin because they are neighbours.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from coverage.names import place_key
from coverage.places.communes.links import packaged_links
from coverage.places.villages.where import anchor_points
from coverage.projections import ecef, equal_area

KINDS = ("recoded", "merged", "split", "redrawn")
COLUMNS = ("village_id_before", "village_id", "kind", "family", "proof", "share")
# Judgement: of less than half the larger part went elsewhere. Borders drawn by different hands differ by a twentieth,
# so that neighbours stay far below it, and villages whose border was moved stay far above.
LEAST_SHARE = 0.5
# Judgement: twice the ground around a village's point that is taken for its own where nobody drew it; the next
# village of the same name and commune (before communes were merged) lies farther.
SAME_NAME_M = 2000.0
# Judgement: the yard of a nhà văn hoá and the error of two readings there.
SAME_PLACE_M = 50.0
_IDS = ["village_id_before", "village_id"]

Shapes = npt.NDArray[np.object_]


def succession(before: gpd.GeoDataFrame, now: gpd.GeoDataFrame) -> pd.DataFrame:
    """One row per village of the earlier list and village of the later one that took over all or part of it.

    `before`, `now`: VILLAGES with geometry, EPSG:4326. Columns: village_id_before, village_id; family (from 0: those
    that hang together); kind of the family: recoded = one became one, merged = several became one, split = one became
    several, redrawn = several became several; proof, and for shapes `share`, 0 to 1, missing for other proofs. Sorted
    by both ids; empty where both lists have the same ids.

    proof: shape = of two given boundaries at least `LEAST_SHARE` of the smaller village lies in the other; name = one
    of them has no given boundary, and they alone of all villages have that name in the commune, at most `SAME_NAME_M`
    apart where both have a point; point = the village without a boundary has its centre in the other's alone; place =
    two centres, nobody else's, at most `SAME_PLACE_M` apart. An id of both lists stays itself: it is kin of another
    only by ground (shape: at least `LEAST_SHARE` of that other; or point) that it won or lost between the lists. Then
    it has a row with itself too, proof id. Villages derived from points are asked as points: ground falls to the next
    point when a village is left out of a list.
    """
    if set(before["village_id"]) == set(now["village_id"]):
        return pd.DataFrame({name: [] for name in COLUMNS})
    left, came = _alone(before, now), _alone(now, before)
    by_shape = _by_shape(before, now)
    named = _by_name(before, now)
    known = pd.concat([by_shape, named])
    inside = [
        _inside(left[~left["village_id"].isin(named["village_id_before"])], before, now, _IDS),
        _inside(came[~came["village_id"].isin(named["village_id"])], now, before, _IDS[::-1]),
    ]
    known = pd.concat([known, *inside])
    known = pd.concat([known, _by_place(before, now, known)]).drop_duplicates(_IDS)
    return _families(_with_themselves(known, before, now))


def _alone(villages: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    found: gpd.GeoDataFrame = villages[~villages["village_id"].isin(others["village_id"])]
    return found


def _given(villages: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    found: gpd.GeoDataFrame = villages[villages["boundary"] == "given"]
    return found


def _pairs(before: Any, now: Any, proof: str, share: Any = np.nan) -> pd.DataFrame:  # noqa: ANN401 - columns
    columns = {"village_id_before": np.asarray(before, object), "village_id": np.asarray(now, object)}
    return pd.DataFrame({**columns, "proof": proof, "share": share}).astype({"share": float})


# --- given boundaries ----------------------------------------------------------------------------


def _by_shape(before: gpd.GeoDataFrame, now: gpd.GeoDataFrame) -> pd.DataFrame:
    placed = pd.concat([before.geometry, now.geometry]).dropna()
    if placed.empty:
        return _pairs([], [], "shape")
    plane = equal_area(gpd.GeoSeries(placed, crs=before.crs))
    later = _shared(_given(_alone(before, now)), before, now, plane)
    # The other way round only with ids that stay: pairs of two that stand alone are told already.
    staying = before[before["village_id"].isin(now["village_id"])]
    earlier = _shared(_given(_alone(now, before)), now, staying, plane).set_axis(
        ["village_id", "village_id_before", "proof", "share"], axis=1
    )
    return pd.concat([later, earlier])


def _shared(
    alone: gpd.GeoDataFrame, own_list: gpd.GeoDataFrame, others: gpd.GeoDataFrame, plane: str
) -> pd.DataFrame:
    """The villages that stand alone in `own_list` with those `others` of the other list that share enough ground."""
    drawn = _given(others)
    one, other = shapely.STRtree(drawn.geometry.to_numpy()).query(alone.geometry.to_numpy(), "intersects")
    ids, partners = alone["village_id"].to_numpy()[one], drawn["village_id"].to_numpy()[other]
    former = _given(own_list).set_index("village_id").geometry.reindex(partners)
    own, theirs, had = (
        gpd.GeoSeries(np.asarray(shapes, object), crs=alone.crs).to_crs(plane).to_numpy()
        for shapes in (alone.geometry.to_numpy()[one], drawn.geometry.to_numpy()[other], former)
    )
    stays = pd.Index(partners).isin(own_list["village_id"])
    won = shapely.intersection(own, theirs)
    drawn_before = ~shapely.is_missing(had)
    won[drawn_before] = shapely.difference(won[drawn_before], had[drawn_before])
    smaller = np.minimum(shapely.area(own), np.where(stays, np.inf, shapely.area(theirs)))
    share = shapely.area(won) / smaller
    enough = share.round(9) >= LEAST_SHARE
    return _pairs(ids[enough], partners[enough], "shape", share[enough])


# --- names ---------------------------------------------------------------------------------------


def _by_name(before: gpd.GeoDataFrame, now: gpd.GeoDataFrame) -> pd.DataFrame:
    """The pairs of villages, not both with a given boundary, that alone have their name in a commune or nearby."""
    left, came = _named(before, now), _named(now, before)
    # Asked are only names that stand alone in both lists; those that stay are there to contest them.
    asked = set(left.loc[left["alone"], "key"]) & set(came.loc[came["alone"], "key"])
    fitting = _of_one_name(*(side[side["key"].isin(asked)] for side in (left, came)))
    only = ~fitting.duplicated("village_id_before", keep=False)
    only &= ~fitting.duplicated("village_id", keep=False)
    alone = fitting["alone_before"] & fitting["alone"] & ~(fitting["given_before"] & fitting["given"])
    found = fitting[only & alone]
    return _pairs(found["village_id_before"], found["village_id"], "name")


def _of_one_name(left: pd.DataFrame, came: pd.DataFrame) -> pd.DataFrame:
    """The pairs of one name that are in one commune and not far apart, or of which one names no commune, and near."""
    there = left.dropna(subset="commune").merge(came, on=["key", "commune"], suffixes=("_before", ""))
    xyz_before, xyz = (there[[f"{axis}{side}" for axis in "xyz"]].to_numpy() for side in ("_before", ""))
    far = np.linalg.norm(xyz_before - xyz, axis=1).round(3) > SAME_NAME_M
    one, other = _nearby(left[list("xyz")].to_numpy(), came[list("xyz")].to_numpy(), SAME_NAME_M)
    beside, near = (
        left.iloc[one].add_suffix("_before").reset_index(drop=True),
        came.iloc[other].reset_index(drop=True),
    )
    pairs = pd.concat([beside, near], axis=1)
    unsaid = pairs["commune_before"].isna() | pairs["commune"].isna()
    nearby = pairs[unsaid & (pairs["key_before"] == pairs["key"])]
    columns = ["village_id_before", "village_id", "alone_before", "alone", "given_before", "given"]
    found: pd.DataFrame = pd.concat([there.loc[~far, columns], nearby[columns]])
    return found


def _named(villages: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> pd.DataFrame:
    """village_id, key of the name, commune (the present code), x, y, z in metres, whether alone and given."""
    commune = villages["commune_code"].map(_became().get).fillna(villages["commune_code"])
    found = pd.DataFrame(
        {
            "village_id": villages["village_id"],
            "key": villages["village_name"].map(place_key),
            "commune": commune.astype(object),
            "alone": ~villages["village_id"].isin(others["village_id"]),
            "given": villages["boundary"] == "given",
        }
    )
    found[["x", "y", "z"]] = _places(villages)
    return found[found["key"] != ""]


@cache
def _became() -> dict[str, str]:
    """Old commune code → the present commune that took over all of it, where the number means nothing else now."""
    links = packaged_links()
    sure = links[~links["partial"] & ~links["old_code"].isin(links["new_code"])]
    return dict(zip(sure["old_code"], sure["new_code"], strict=True))


# --- points --------------------------------------------------------------------------------------


def _points(villages: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Where each village is known to be: its centre, else a point in its given boundary, else None."""
    drawn = villages.geometry.where(villages["boundary"] == "given", None)
    return anchor_points(villages.set_geometry(drawn))


def _places(villages: gpd.GeoDataFrame) -> npt.NDArray[np.float64]:
    points = _points(villages)
    lat, lon = points.y.to_numpy(np.float64), points.x.to_numpy(np.float64)
    known = ~np.isnan(lat)
    found = np.full((len(villages), 3), np.nan)
    found[known] = ecef(lat[known], lon[known])
    return found


def _inside(
    alone: gpd.GeoDataFrame, own_list: gpd.GeoDataFrame, others: gpd.GeoDataFrame, ids: list[str]
) -> pd.DataFrame:
    """The villages without a given boundary whose centre lies in the boundary of one village of the other list."""
    pointed = alone[alone["boundary"] != "given"]
    drawn = _given(others)
    points: Shapes = _points(pointed).to_numpy()
    one, other = shapely.STRtree(drawn.geometry.to_numpy()).query(points, "within")
    partners = drawn["village_id"].to_numpy()[other]
    had = _given(own_list).set_index("village_id").geometry.reindex(partners).to_numpy()
    single = np.bincount(one, minlength=len(pointed))[one] == 1
    new = single & ~shapely.covers(had, points[one])
    found = _pairs(pointed["village_id"].to_numpy()[one][new], partners[new], "point")
    return found.set_axis([*ids, "proof", "share"], axis=1)


def _by_place(before: gpd.GeoDataFrame, now: gpd.GeoDataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The pairs of villages of which nothing else is known that have one centre, and no other village with them."""
    sides = []
    for villages, others, side in ((before, now, _IDS[0]), (now, before, _IDS[1])):
        open_ = ~villages["village_id"].isin([*others["village_id"], *known[side]])
        sides.append((_places(villages), (open_ & (villages["boundary"] != "given")).to_numpy()))
    (xyz_before, open_before), (xyz, open_now) = sides
    one, other = _nearby(xyz_before[open_before], xyz, SAME_PLACE_M)
    left, came = np.flatnonzero(open_before)[one], other
    # The pair alone: nobody else of either list is there.
    single = _lonely(xyz_before, xyz_before[left]) & _lonely(xyz, xyz[came])
    single &= _lonely(xyz, xyz_before[left]) & _lonely(xyz_before, xyz[came]) & open_now[came]
    ids = before["village_id"].to_numpy()[left[single]], now["village_id"].to_numpy()[came[single]]
    return _pairs(*ids, "place")


def _nearby(
    some: npt.NDArray[np.float64], every: npt.NDArray[np.float64], reach_m: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    first, second = (np.flatnonzero(~np.isnan(xyz[:, 0])) for xyz in (some, every))
    if not len(first) or not len(second):
        return np.array([], np.intp), np.array([], np.intp)
    close = cKDTree(some[first]).sparse_distance_matrix(
        cKDTree(every[second]), reach_m + 1e-3, output_type="coo_matrix"
    )
    return first[close.row], second[close.col]


def _lonely(every: npt.NDArray[np.float64], at: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    one, _ = _nearby(at, every, SAME_PLACE_M)
    lonely: npt.NDArray[np.bool_] = np.bincount(one, minlength=len(at)) == 1
    return lonely


# --- families ------------------------------------------------------------------------------------


def _with_themselves(known: pd.DataFrame, before: gpd.GeoDataFrame, now: gpd.GeoDataFrame) -> pd.DataFrame:
    """The pairs, and each id of both lists that is in one of them as its own successor."""
    staying = set(before["village_id"]) & set(now["village_id"])
    kin = sorted(staying & {*known["village_id_before"], *known["village_id"]})
    return pd.concat([known, _pairs(kin, kin, "id")])


def _families(known: pd.DataFrame) -> pd.DataFrame:
    found = known.sort_values(_IDS, ignore_index=True)
    one, ones = pd.factorize(found["village_id_before"])
    other, others = pd.factorize(found["village_id"])
    shape = (len(ones) + len(others),) * 2
    linked = coo_array((np.ones(len(found)), (one, len(ones) + other)), shape=shape)
    family = connected_components(linked, directed=False)[1][one] if len(found) else np.array([], np.int64)
    many = found.groupby(family)[_IDS].transform("nunique") > 1
    kind = np.array(KINDS)[many["village_id_before"] + 2 * many["village_id"]]
    first_seen = pd.factorize(family)[0]
    return found.assign(kind=kind, family=first_seen)[list(COLUMNS)]
