"""Measured levels → what to expect of hexes nearby that nobody measured: prediction, never conviction.

A prediction helps to choose where to measure next. It has the evidence grade E, counts in no gap and changes no
verdict: a hex without a measurement stays `no_data`, whatever is predicted there.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree
from scipy.special import ndtr, ndtri
from threadpoolctl import threadpool_limits

from coverage import covariates, hexes, kriging
from coverage.criteria import Criteria, Prediction
from coverage.kriging import Reals, Variogram
from coverage.projections import ecef
from coverage.tables import PREDICTIONS, check_frame, schema

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_FOLDS = 5
_COARSER = 2  # blocks left out are parents two resolutions up, 5 km² at res 9: predictions reach about as far
_CALIBRATED_SHARE = 0.8  # the interval that is to hold so often ends where p_below is 0.1 and 0.9


def predict(
    hex_levels: pd.DataFrame,
    targets: hexes.Hexes,
    sites: pd.DataFrame,
    dem: Path | None,
    criteria: Criteria,
    as_of: date,
) -> pd.DataFrame:
    """What to expect of each target hex for each operator: the contract PREDICTIONS, sorted by hex and operator.

    hex_levels: one row per hex and operator that was tested, with hex, operator, margin_db = median of its tests'
    margins over the headline threshold (missing = no level known); other columns are ignored. targets: H3 indexes,
    in any order. sites: SITES with operators resolved, may be empty. dem: a cleaned terrain model in metres or None.
    No row: the operator was tested there, or has fewer measured hexes than `criteria.prediction` asks for, or none
    within its reach. The order of rows and of targets changes nothing, and no operator's levels touch another's.

    The model of an operator is ordinary kriging, or kriging of what a linear trend on terrain and sites leaves over
    where those are known and that errs less on blocks of hexes left out. Where the same blocks show that 80 %
    intervals hold less often, the standard deviation is raised until they hold.
    """
    levels = hex_levels[["hex", "operator", "margin_db"]].sort_values(["operator", "hex"])
    known = levels.dropna(subset="margin_db")
    wanted = _near(np.unique(targets.astype(np.int64)), known["hex"].unique(), criteria.prediction.reach_m)
    cells = np.union1d(known["hex"].to_numpy(np.int64), wanted)
    terrain = pd.DataFrame(index=cells) if dem is None else covariates.terrain(cells, dem)

    def predicted(own: pd.DataFrame) -> pd.DataFrame | None:
        return _of_operator(own, wanted, terrain, sites, dem, criteria, as_of)

    # Many small matrices: one core each is faster than all cores for each. One core is left to what is judged meanwhile.
    with threadpool_limits(1), ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1)) as pool:
        found_by_operator = list(pool.map(predicted, [own for _, own in levels.groupby("operator")]))
    parts = [part for part in found_by_operator if part is not None]
    none: pd.DataFrame = schema(PREDICTIONS).empty_table().to_pandas()
    found = pd.concat(parts, ignore_index=True) if parts else none
    return check_frame(PREDICTIONS, found.sort_values(["hex", "operator"], ignore_index=True))


def _near(cells: hexes.Hexes, measured: hexes.Hexes, reach_m: float) -> hexes.Hexes:
    if len(measured) == 0 or len(cells) == 0:
        return cells[:0]
    return cells[_nearest_m(_points(cells), _points(measured)) <= reach_m]


def _points(cells: hexes.Hexes) -> Reals:
    return ecef(*hexes.middles(cells))


def _nearest_m(wanted_m: Reals, known_m: Reals) -> Reals:
    return np.asarray(cKDTree(known_m).query(wanted_m)[0], dtype=np.float64)


def _of_operator(  # noqa: PLR0913, PLR0917 - as `predict`
    own: pd.DataFrame,
    wanted: hexes.Hexes,
    terrain: pd.DataFrame,
    sites: pd.DataFrame,
    dem: Path | None,
    criteria: Criteria,
    as_of: date,
) -> pd.DataFrame | None:
    operator, rules = str(own["operator"].iloc[0]), criteria.prediction
    measured = own.dropna(subset="margin_db")
    cells = measured["hex"].to_numpy(np.int64)
    open_ = _near(np.setdiff1d(wanted, own["hex"]), cells, rules.reach_m)
    if len(cells) < rules.least_measured_hexes or len(open_) == 0:
        return None
    asked = np.concatenate([cells, open_])
    way = covariates.way_to_site(asked, operator, sites, as_of, dem, criteria.ground)
    about = pd.concat([way, terrain.loc[asked]], axis="columns")
    # What is known of no measured hex, or the same of all, explains nothing.
    about = about.loc[:, about.loc[cells].nunique() > 1]
    found = _expected(cells, measured["margin_db"].to_numpy(np.float64), open_, about, criteria)
    return found.assign(operator=operator, evidence_grade="E")


def _expected(
    cells: hexes.Hexes, margin_db: Reals, open_: hexes.Hexes, about: pd.DataFrame, criteria: Criteria
) -> pd.DataFrame:
    known = _Known(_points(cells), margin_db, about.loc[cells].to_numpy(np.float64))
    model = _best_model(known, hexes.parents(cells, criteria.hex_resolution - _COARSER))
    open_m = _points(open_)
    level_db, sd_db = _asked(
        known, model.variogram, open_m, about.loc[open_].to_numpy(np.float64), trend=model.trend
    )
    # Margins have these bounds by contract, and a trend knows nothing of them.
    level_db = level_db.clip(criteria.levels.silent_margin_db, criteria.levels.cap_margin_db)
    sd_db = sd_db * model.inflation
    p_below = ndtr(-level_db / sd_db)
    return pd.DataFrame(
        {
            "hex": open_,
            "predicted_margin_db": level_db,
            "sd_db": sd_db,
            "p_below": p_below,
            "predicted_class": _classes(p_below, criteria.prediction),
            "nearest_measured_km": _nearest_m(open_m, known.points_m) / 1000,
            "method": _method(list(about.columns)) if model.trend else "kriging",
        }
    )


def _classes(p_below: Reals, rules: Prediction) -> npt.NDArray[np.str_]:
    return np.select(
        [p_below >= rules.dead_p_below, p_below <= rules.served_p_below],
        ["predicted_dead", "predicted_served"],
        "predicted_open",
    )


def _method(traits: list[str]) -> str:
    on_sites = "site_loss_db" in traits
    on_terrain = any(not trait.startswith("site_loss") for trait in traits)
    return "kriging" + "_terrain" * on_terrain + "_sites" * on_sites


@dataclass(frozen=True)
class _Known:
    """Measured hexes: points, shape (N, 3); margins; traits of ground and sites, shape (N, T), NaN = not known."""

    points_m: Reals
    margin_db: Reals
    traits: Reals

    def only(self, rows: npt.NDArray[np.bool_]) -> _Known:
        """Some of them."""
        return _Known(self.points_m[rows], self.margin_db[rows], self.traits[rows])


@dataclass(frozen=True)
class _Model:
    """A variogram, whether it is of what a trend leaves over, and what its standard deviations are raised by."""

    trend: bool
    variogram: Variogram
    rmse_db: float
    inflation: float


def _best_model(known: _Known, blocks: hexes.Hexes) -> _Model:
    plain = _validated(known, blocks, trend=False)
    if known.traits.shape[1] == 0:
        return plain
    return min(plain, _validated(known, blocks, trend=True), key=lambda model: model.rmse_db)


def _validated(known: _Known, blocks: hexes.Hexes, *, trend: bool) -> _Model:
    # Fitted on everything, then asked of blocks left out: hexes beside a held-out one would give it away.
    expected_db = _trend(known).predict(known.traits) if trend else known.margin_db.mean()
    variogram = kriging.fit(known.points_m, known.margin_db - expected_db)
    level_db, sd_db = np.empty((2, len(blocks)))
    fold = _folds(blocks)
    for number in np.unique(fold):
        out = fold == number
        asked = known.only(out)
        level_db[out], sd_db[out] = _asked(
            known.only(~out), variogram, asked.points_m, asked.traits, trend=trend
        )
    error_db = known.margin_db - level_db
    held = np.quantile(np.abs(error_db / sd_db), _CALIBRATED_SHARE) / ndtri((1 + _CALIBRATED_SHARE) / 2)
    return _Model(trend, variogram, float(np.sqrt(np.mean(error_db**2))), max(1.0, float(held)))


def _folds(blocks: hexes.Hexes) -> npt.NDArray[np.int64]:
    # A block has 49 hexes and the criteria ask for more of them: there are two folds at least.
    names, block = np.unique(blocks, return_inverse=True)
    fold: npt.NDArray[np.int64] = np.random.default_rng(0).permutation(len(names))[block] % _FOLDS
    return fold


def _asked(
    known: _Known, variogram: Variogram, wanted_m: Reals, traits: Reals, *, trend: bool
) -> tuple[Reals, Reals]:
    if not trend:
        return kriging.krige(known.points_m, known.margin_db, wanted_m, variogram, mean_is_zero=False)
    line = _trend(known)
    left_over = known.margin_db - line.predict(known.traits)
    level_db, sd_db = kriging.krige(known.points_m, left_over, wanted_m, variogram, mean_is_zero=True)
    return level_db + line.predict(traits), sd_db


def _trend(known: _Known) -> Pipeline:
    # Takes a second to load, see `kriging.fit`.
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.linear_model import Ridge  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    # A trait that is missing counts as the mean one. The penalty, worth one hex, keeps a few hexes from drawing
    # a steep line.
    line = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), Ridge(alpha=1.0))
    return line.fit(known.traits, known.margin_db)
