"""Where to measure next: which hexes to predict for that, and in which order to visit the villages."""

from __future__ import annotations

import numpy as np
import pandas as pd

from coverage import hexes

_KEY = ["village_id", "operator"]
_OPEN = ("no_data", "not_enough_evidence")
_PEOPLE_PER_HOUSEHOLD = 3.6  # census of 2019, the whole country (recalled); where no village of the list says


def hexes_to_predict(pairs: pd.DataFrame, place_rows: pd.DataFrame, pooled: pd.DataFrame) -> hexes.Hexes:
    """The hexes worth a prediction, sorted, once each: where people live.

    `pairs` is CROSSWALK, `place_rows` any table that tells place_id and village_id apart (PLACES), `pooled`
    PLACE_HEXES. Of each village its settled hexes; of a village without any, because there is no population raster
    or nobody dense enough on it, the hexes that speak for its places.
    """
    settled = pairs[pairs["settled"].eq(True)]
    owner = place_rows.drop_duplicates("place_id").set_index("place_id")["village_id"]
    spoken = pooled[~pooled["place_id"].map(owner).isin(settled["village_id"])]
    return np.union1d(settled["hex"].to_numpy(np.int64), spoken["hex"].to_numpy(np.int64))


def survey_ranking(
    village_rows: pd.DataFrame, place_rows: pd.DataFrame, pooled: pd.DataFrame, predictions: pd.DataFrame
) -> pd.DataFrame:
    """The order in which to measure: village_id, operator, predicted_p_below, survey_rank of VILLAGE_VERDICTS.

    One row per row of `village_rows` (VILLAGE_VERDICTS) in the list need_measurement, sorted by survey_rank, which
    runs 1, 2, 3 … without ties. `place_rows` is PLACE_VERDICTS, `pooled` PLACE_HEXES, `predictions` PREDICTIONS.

    First come villages on the grid, by proof, that nobody tested at the centre (at any place, where the centre is not
    known): there an operator may have to act and nobody knows. Then, as within the first: households × the chance
    that tests change what anybody has to do. Nobody acts on a village that is undecided, and nobody will on
    one found served; only one found dead changes anything, so the chance is that of a fail and not of surprise.
    A village that is likely dead counts nearly in full, since a prediction accuses nobody and tests must; one at
    0.5 counts half; one predicted to be served comes last. Large villages of open outcome thus come before small ones
    that are likely dead. A village is dead where one of its places is: its worst undecided place speaks for it.

    The chance is (effective fails + p) / (effective tests + 1): the prediction counts as one test beside those made,
    and where nothing is predicted p = 0.5, as in the Jeffreys prior of the verdicts. Villages of unknown size count
    as the median one. Equal scores stand by village_id, then operator.
    """
    rows = village_rows[village_rows["list"].eq("need_measurement")].reset_index(drop=True)
    rows = rows.drop(columns=["predicted_p_below", "survey_rank"], errors="ignore")
    rows = rows.merge(_worst_place(place_rows, pooled, predictions), on=_KEY, how="left")
    first = rows["electrified"].eq(True) & _untested_centre(rows, place_rows)
    order = pd.DataFrame({"later": ~first, "score": -_households(rows) * _chance(rows)})
    ranked = rows.assign(**order).sort_values(["later", "score", *_KEY], ignore_index=True)
    ranked["survey_rank"] = np.arange(1, len(ranked) + 1)
    return ranked[[*_KEY, "predicted_p_below", "survey_rank"]]


def _worst_place(place_rows: pd.DataFrame, pooled: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    # Tests of a place are pooled over its hexes: the mean is the share of them that would fail.
    open_ = place_rows.loc[place_rows["verdict"].isin(_OPEN), ["place_id", *_KEY]]
    spread = open_.merge(pooled, on="place_id").merge(
        predictions[["hex", "operator", "p_below"]], on=["hex", "operator"]
    )
    by_place = spread.groupby(["place_id", *_KEY], as_index=False)["p_below"].mean()
    worst: pd.DataFrame = by_place.groupby(_KEY, as_index=False)["p_below"].max()
    return worst.rename(columns={"p_below": "predicted_p_below"})


def _untested_centre(rows: pd.DataFrame, place_rows: pd.DataFrame) -> pd.Series[bool]:
    with_centre = place_rows.loc[place_rows["kind"].eq("centre"), "village_id"]
    at_centre = rows["centre_verdict"].eq("no_data")
    anywhere = rows["status"].eq("chua_co_du_lieu")
    return at_centre.where(rows["village_id"].isin(with_centre), anywhere)


def _households(rows: pd.DataFrame) -> pd.Series[float]:
    both = rows[["households", "population"]].astype(float).dropna()
    counted = both["households"].sum()
    size = both["population"].sum() / counted if counted > 0 else _PEOPLE_PER_HOUSEHOLD
    found = rows["households"].astype(float).fillna(rows["population"].astype(float) / size)
    return found.fillna(found.median()).fillna(1.0)


def _chance(rows: pd.DataFrame) -> pd.Series[float]:
    tests = rows["effective_tests"].astype(float)
    fails = tests * (rows["fails"] / rows["tests"].clip(lower=1))
    return (fails + rows["predicted_p_below"].astype(float).fillna(0.5)) / (tests + 1)
