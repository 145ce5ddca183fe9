"""Snapshot → what the map page knows, as plain data: texts travel here and nowhere else.

The browser reads it from a JSON element and writes every text with `textContent`. Views are what
the reader can choose: number 0 is all operators together, the others follow `info.operators`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely

from coverage.archive.snapshots import Snapshot
from coverage.exports import hex_layers as layers
from coverage.exports.colours import CHANGE_INKS, PREDICTED_COLOURS, STATUS_COLOURS, VERDICT_COLOURS
from coverage.exports.former_names import former_names
from coverage.exports.hex_classes import Layer
from coverage.exports.words import WORDS
from coverage.hexes import Hexes
from coverage.tables import DEAD_STATUSES, LISTS, STATUSES

_VILLAGE_FIELDS = (
    "village_id",
    "village_name",
    "commune_name",
    "households",
    "population",
    "especially_difficult",
)
_VERDICT_FIELDS = (
    *(
        "status_at_105",
        "status_at_121",
        "status_voice",
        "status_data_good",
        "not_spot",
        "sub_reason",
        "grid_status",
        "electrified",
    ),
    *("power_source", "power_as_of", "power_conflict", "population_affected", "households_affected"),
    *("dead_share", "people_method", "claimed", "site_id", "site_distance_km", "site_terrain_blocks"),
    *("planned_site_id", "planned_site_distance_km", "planned_on_air", "tests", "fails", "devices"),
    *(
        "occasions",
        "first_test_utc",
        "last_test_utc",
        "median_rsrp_dbm",
        "no_service_share",
        "evidence_grade",
    ),
    *("evidence_mix", "fcc_grade", "who_must_act", "list", "priority", "reason", "reason_en"),
    *("what_would_change", "what_would_change_en"),
)
COLOURS = {
    **STATUS_COLOURS,
    **VERDICT_COLOURS,
    **PREDICTED_COLOURS,
    **{name: ink.colour for name, ink in CHANGE_INKS.items()},
    "no_longer_known": "#a9afb8",
}
# json.dumps cannot end a script element with these; U+2028 and U+2029 end a line in old script engines.
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&'\u2028\u2029"}


def page_data(snapshot: Snapshot) -> dict[str, Any]:
    """Everything the page shows except shapes: info, views, villages, verdicts, communes, counts, colours.

    Tables are columns: a list of numbers, or {"words": distinct texts, "at": place of each row's text,
    -1 = missing}. verdicts.village and verdicts.view are places in villages and views.
    """
    info = snapshot.info
    shown = verdicts_by_view(snapshot)
    return {
        "info": {
            "as_of": info.as_of,
            "criteria": info.criteria,
            "snapshot_id": info.snapshot_id,
            "measurements": info.measurements,
            "uploads": len(info.uploads),
            "simulated": info.simulated,
        },
        "views": [{"code": None, "name": None}, *_named_operators(snapshot)],
        "in_scope": [info.operators.get(code, code) for code in info.in_scope],
        "statuses": STATUSES,
        "words": WORDS,
        "colours": COLOURS,
        "villages": {name: _column(snapshot.villages[name]) for name in _VILLAGE_FIELDS},
        "verdicts": {name: _column(shown[name]) for name in ("village", "view", *_VERDICT_FIELDS)},
        "communes": _communes(snapshot.communes),
        "hexes": [_counts(layer) for layer in hex_layers(snapshot)],
        "predicted": [
            {},
            *([_counts(layer) for layer in predicted_layers(snapshot)] or [{}] * len(info.operators)),
        ],
    }


def script_json(data: Mapping[str, Any]) -> str:
    """The data as JSON that no text in it can break out of a script element with."""
    return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY).decode("utf-8").translate(_ESCAPES)


def _named_operators(snapshot: Snapshot) -> list[dict[str, str]]:
    return [{"code": code, "name": name} for code, name in snapshot.info.operators.items()]


def verdicts_by_view(snapshot: Snapshot) -> pd.DataFrame:
    """village_verdicts of mapped villages and operators, with their places as columns village and view."""
    verdicts = snapshot.village_verdicts
    villages = pd.Series(range(len(snapshot.villages)), index=snapshot.villages["village_id"])
    views = {code: place for place, code in enumerate(snapshot.info.operators, start=1)}
    placed = verdicts.assign(
        village=verdicts["village_id"].map(villages), view=verdicts["operator"].map(views)
    ).dropna(subset=["village", "view"])
    return placed.astype({"village": int, "view": int})


def status_digits(snapshot: Snapshot) -> list[str]:
    """For each village one digit per view: the place of its status in `tables.STATUSES`."""
    shown = verdicts_by_view(snapshot)
    shape = len(snapshot.villages), len(snapshot.info.operators) + 1
    digits = np.full(shape, STATUSES.index("chua_co_du_lieu"))
    place = {status: index for index, status in enumerate(STATUSES)}
    digits[shown["village"], 0] = shown["status_all_operators"].map(place)
    digits[shown["village"], shown["view"]] = shown["status"].map(place)
    return ["".join(map(str, row)) for row in digits]


def dead_areas(snapshot: Snapshot) -> gpd.GeoDataFrame:
    """The dead areas with village, view, list (place in `tables.LISTS`) and whether nobody serves it."""
    shown = verdicts_by_view(snapshot)
    columns = ["village_id", "operator", "village", "view", "list", "status_all_operators"]
    areas = snapshot.dead_areas.merge(
        shown.loc[shown["list"].notna(), columns], on=["village_id", "operator"]
    )
    return areas.assign(
        list=areas["list"].map({name: index for index, name in enumerate(LISTS)}),
        nobody=areas["status_all_operators"].isin(DEAD_STATUSES),
    )


def hex_layers(snapshot: Snapshot) -> list[Layer]:
    """For each view the verdicts of its hexes, as fine as judged. All operators: the best of those in scope.

    A hex is dead for all only where every operator in scope was tested and is dead there.
    """
    names = ["hexes", *(f"hexes-{code}" for code in snapshot.info.operators)]
    return [layers.layer(snapshot, name, _nothing, None) for name in names]


def predicted_layers(snapshot: Snapshot) -> list[Layer]:
    """For each operator what is predicted of its hexes; none at all where nothing is."""
    names = [f"predicted-{code}" for code in snapshot.info.operators]
    return (
        [] if snapshot.predictions.empty else [layers.layer(snapshot, name, _nothing, None) for name in names]
    )


def _nothing() -> Hexes:
    # What nobody measured is counted and drawn by villages.
    return np.empty(0, dtype=np.int64)


def _counts(layer: Layer) -> dict[str, int]:
    counted = np.bincount(layer.classes, minlength=len(layer.kind.inks) + 1)[1:]
    return dict(zip(layer.kind.inks, counted.tolist(), strict=True))


def _column(values: pd.Series[Any]) -> Any:  # noqa: ANN401 - JSON
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        values = values.dt.strftime("%Y-%m-%d")
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        plain = values.round(4) if pd.api.types.is_float_dtype(values.dtype) else values
        return plain.astype("object").where(plain.notna(), None).tolist()
    known = values.map(_word, na_action="ignore")
    places, words = pd.factorize(known)
    return {"words": list(words), "at": places}


def _word(value: object) -> str:
    # Booleans that may be missing arrive as objects: they become the words true and false.
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def _communes(communes: gpd.GeoDataFrame) -> dict[str, Any]:
    points = shapely.point_on_surface(communes.geometry.to_numpy())
    sources = communes["source"].dropna().unique() if "source" in communes.columns else []
    return {
        "name": communes["commune_name"].fillna("").tolist(),
        "former": former_names(communes["commune_code"].fillna("")),
        "lat": np.round(shapely.get_y(points), 5).tolist(),
        "lon": np.round(shapely.get_x(points), 5).tolist(),
        "sources": [str(source) for source in sources],
    }
