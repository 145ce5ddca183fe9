"""Reproducible randomness: hashed normal numbers and a correlated random texture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Texture:
    """A periodic field of mean 0 and standard deviation 1, on a square grid of `step_m` metres."""

    values: npt.NDArray[np.float32]
    step_m: float

    def smooth(self, x: Floats, y: Floats) -> Floats:
        """The field at points in metres, interpolated between the four nearest nodes."""
        column, row = x / self.step_m, y / self.step_m
        left, below = np.floor(column).astype(np.int64), np.floor(row).astype(np.int64)
        across, up = column - left, row - below
        size = self.values.shape[0]
        left, right, below, above = left % size, (left + 1) % size, below % size, (below + 1) % size
        low = self.values[below, left] * (1 - across) + self.values[below, right] * across
        high = self.values[above, left] * (1 - across) + self.values[above, right] * across
        field: Floats = low * (1 - up) + high * up
        return field

    def nearest(self, x: Floats, y: Floats) -> Floats:
        """The field at the nodes below points in metres: quicker, for slowly changing fields."""
        size = self.values.shape[0]
        row, column = (y // self.step_m).astype(np.int64) % size, (x // self.step_m).astype(np.int64) % size
        field: Floats = self.values[row, column].astype(np.float64)
        return field


def texture(rng: np.random.Generator, size: int, step_m: float, range_m: float) -> Texture:
    """A texture whose correlation falls as exp(-distance / range_m)."""
    steps = np.minimum(np.arange(size), size - np.arange(size)) * step_m
    covariance = np.exp(-np.hypot(steps[:, None], steps[None, :]) / range_m)
    power = np.maximum(np.fft.rfft2(covariance).real, 0.0)
    white = np.fft.rfft2(rng.standard_normal((size, size)))
    field = np.fft.irfft2(white * np.sqrt(power), s=(size, size))
    return Texture(((field - field.mean()) / field.std()).astype(np.float32), step_m)


def hashed(seed: int, *keys: Ints) -> npt.NDArray[np.uint64]:
    """64 well mixed bits for each combination of integer keys (splitmix64 finaliser)."""
    mixed = np.full(np.broadcast_shapes(*(np.shape(key) for key in keys), (1,)), seed, dtype=np.uint64)
    for key in keys:
        mixed = (mixed + np.asarray(key).astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return mixed


def hashed_uniform(seed: int, *keys: Ints) -> Floats:
    """A number in (0, 1) for each combination of keys: the same keys always give the same number."""
    bits = (hashed(seed, *keys) >> np.uint64(11)).astype(np.float64)
    return (bits + 0.5) * 2.0**-53


def hashed_normal(seed: int, *keys: Ints) -> Floats:
    """A standard normal number for each combination of keys."""
    numbers: Floats = ndtri(hashed_uniform(seed, *keys))
    return numbers
