"""The lie of the land: everything about places that no measurement changes, found once and kept for the next assessment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import pandas as pd

from coverage import hexes, people, tables
from coverage.archive import grounds
from coverage.archive.durable import is_sound
from coverage.archive.grounds import Kept
from coverage.crosswalk import crosswalk, place_hexes
from coverage.inputs import Inputs
from coverage.places import rasters
from coverage.places.power import grid_status, hints
from coverage.places.settlements import places_of
from coverage.places.territories import communes_around, with_territories


@dataclass(frozen=True)
class Lie(Kept):
    """The lie of the land on the day of judgement: what is kept of it, and power by village_id."""

    power: pd.DataFrame


def lie_of_the_land(given: Inputs) -> Lie:
    """Everything about places that no measurement changes; what no day changes either is kept in `given.ground`."""
    kept = grounds.load(given.ground)
    if kept is None:
        kept = _laid_out(given)
        # The name speaks for the layers as they were added: what a damaged file gave must not stand under it.
        if all(is_sound(part) for part in given.ground_parts):
            grounds.save(given.ground, kept)
    return Lie(**vars(kept), power=_power(given, kept.villages, kept.places))


def _laid_out(given: Inputs) -> Kept:
    criteria = given.criteria
    villages = _placed(given)
    pairs = people.on_ground(crosswalk(villages, criteria.hex_resolution), given.population, criteria.ground)
    villages = people.counted(villages, pairs)
    parts = people.settled_parts(pairs, criteria.ground.settled_part_people)
    places = places_of(villages, given.clusters, parts)
    rings = criteria.village.neighbour_rings
    pooled = place_hexes(places, pairs, parts, criteria.hex_resolution, rings)
    places = people.shared_out(places, parts, pairs, pooled)
    return Kept(
        villages=villages,
        pairs=tables.check_frame(tables.CROSSWALK, pairs),
        places=tables.check_frame(tables.PLACES, places),
        pooled=pooled,
    )


def _placed(given: Inputs) -> gpd.GeoDataFrame:
    ground, resolution = given.criteria.ground, given.criteria.hex_resolution
    settled = None
    if given.population is not None and (given.villages["boundary"] != "given").any() and len(given.communes):
        area = communes_around(given.villages, given.clusters, given.communes).union_all()
        lived_in = rasters.settled_hexes(given.population, area, resolution, ground.settled_people_per_km2)
        # The edge of a settlement is settled too: a hex of few people beside one of many.
        settled = hexes.around(lived_in["hex"].to_numpy(), given.criteria.village.neighbour_rings)
    return with_territories(given.villages, given.clusters, given.communes, settled, resolution, ground)


def _power(given: Inputs, villages: gpd.GeoDataFrame, places: pd.DataFrame) -> pd.DataFrame:
    ground = given.criteria.ground
    points = places.dropna(subset=["lat", "lon"])[["village_id", "lat", "lon"]]
    # What will be said later is not known yet on the day of judgement.
    spoken = ~(pd.to_datetime(given.power["as_of"]) > pd.Timestamp(given.as_of))
    said = [
        given.power[spoken],
        hints.from_outages(given.outages, given.criteria.utc_offset_hours),
        hints.from_lines(given.lines, points, ground),
    ]
    if given.nightlights is not None:
        shapes = villages[["village_id", "geometry"]].dropna(subset="geometry")
        day = given.nightlights_as_of
        taken = None if day is None else date.fromisoformat(day)
        said.append(hints.from_lights(given.nightlights, shapes, ground, given.nightlights_file, taken))
    households = villages.set_index("village_id")["households"]
    every = pd.concat([frame for frame in said if len(frame)] or said[:1], ignore_index=True)
    return grid_status(every, households, given.criteria.village.electrified_share)
