"""Levels between measured places: a Gaussian process with an exponential variogram, from the nearest measurements.

The spreads are fitted on a subset and used everywhere; each place is then asked of its nearest measurements only,
so that time and memory grow with the places and not with their square.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.spatial import cKDTree

Reals = npt.NDArray[np.float64]

_NEIGHBOURS = 24  # twice as many changed the error on held-out blocks by 0.01 dB
_FITTED_ON = 500  # measurements; the fit costs their cube
_FITTED_TOGETHER = 20  # neighbours taken with each: the short range is seen only where places lie close
_AT_A_TIME = 4096  # places; 24 x 24 numbers each make 19 MB
# A mean that nobody knows: its spread is far beyond that of any level, 1000 dB.
_VAGUE_MEAN_DB2 = 1e6
_SILL_DB2, _RANGE_M, _NUGGET_DB2 = (0.1, 1e3), (50.0, 30_000.0), (1.0, 400.0)


@dataclass(frozen=True)
class Variogram:
    """How levels of two places differ: sill · (1 − exp(−distance / range)) + nugget, in dB² and metres."""

    sill_db2: float
    range_m: float
    nugget_db2: float


def fit(points_m: Reals, levels_db: Reals) -> Variogram:
    """The likeliest variogram of levels around zero, from at most some 500 of them; the same on every call.

    points_m: x, y, z in metres, shape (N, 3); another order of the rows may choose another subset.
    """
    # Takes a second to load: an area with too few levels to predict from does without.
    from sklearn.gaussian_process import GaussianProcessRegressor  # noqa: PLC0415
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel  # noqa: PLC0415

    chosen = _subset(points_m)
    spread_db2 = float(np.var(levels_db)) + 1.0
    kernel = ConstantKernel(0.7 * spread_db2, _SILL_DB2) * Matern(1000.0, _RANGE_M, nu=0.5)
    kernel += WhiteKernel(0.3 * spread_db2, _NUGGET_DB2)
    # Searched for here, since the regressor itself warns of a spread at its bound. To us that is an answer (levels that
    # are all alike, or unlike at any distance), and warnings cannot be silenced in one thread alone.
    regressor = GaussianProcessRegressor(kernel, optimizer=None).fit(points_m[chosen], levels_db[chosen])

    def unlikely(theta: Reals) -> tuple[float, Reals]:
        likelihood, gradient = regressor.log_marginal_likelihood(
            theta, eval_gradient=True, clone_kernel=False
        )
        return -likelihood, -gradient

    start = regressor.kernel_
    found = minimize(unlikely, start.theta, method="L-BFGS-B", jac=True, bounds=start.bounds)
    fitted = start.clone_with_theta(found.x)
    return Variogram(fitted.k1.k1.constant_value, fitted.k1.k2.length_scale, fitted.k2.noise_level)


def _subset(points_m: Reals) -> npt.NDArray[np.int64]:
    if len(points_m) <= _FITTED_ON:
        return np.arange(len(points_m))
    centres = np.random.default_rng(0).permutation(len(points_m))[: _FITTED_ON // _FITTED_TOGETHER]
    _, found = cKDTree(points_m).query(points_m[centres], _FITTED_TOGETHER)
    return np.unique(found).astype(np.int64)


def krige(
    known_m: Reals, known_db: Reals, wanted_m: Reals, variogram: Variogram, *, mean_is_zero: bool
) -> tuple[Reals, Reals]:
    """The expected level of each wanted place and its standard deviation, nugget included, both in dB.

    known_m, wanted_m: x, y, z in metres, shape (N, 3) and (M, 3), N at least 1. mean_is_zero: the levels are what
    a trend leaves over (simple kriging); else their mean is unknown around each place (ordinary kriging).
    """
    count = min(_NEIGHBOURS, len(known_m))
    found = cKDTree(known_m).query(wanted_m, np.arange(1, count + 1))
    distance_m, nearest = np.asarray(found[0]), np.asarray(found[1])
    level_db, variance_db2 = np.empty(len(wanted_m)), np.empty(len(wanted_m))
    mean_db2 = 0.0 if mean_is_zero else _VAGUE_MEAN_DB2
    for start in range(0, len(wanted_m), _AT_A_TIME):
        batch = slice(start, start + _AT_A_TIME)
        around = known_m[nearest[batch]]
        among = _covariance(_apart(around), variogram) + mean_db2 + variogram.nugget_db2 * np.eye(count)
        towards = _covariance(distance_m[batch], variogram) + mean_db2
        weights = np.linalg.solve(among, towards[..., None])[..., 0]
        level_db[batch] = (weights * known_db[nearest[batch]]).sum(axis=1)
        variance_db2[batch] = variogram.sill_db2 + mean_db2 - (weights * towards).sum(axis=1)
    return level_db, np.sqrt(np.maximum(variance_db2, 0.0) + variogram.nugget_db2)


def _apart(points_m: Reals) -> Reals:
    """The distances between the points of each place, shape (M, N, N), of x, y, z in shape (M, N, 3)."""
    # One axis after another: numbers that lie together in memory are added five times as fast.
    squares = np.zeros((*points_m.shape[:2], points_m.shape[1]))
    for along in np.moveaxis(points_m, 2, 0):
        apart = along[:, :, None] - along[:, None]
        squares += apart * apart
    return np.sqrt(squares)


def _covariance(distance_m: Reals, variogram: Variogram) -> Reals:
    found: Reals = variogram.sill_db2 * np.exp(-distance_m / variogram.range_m)
    return found
