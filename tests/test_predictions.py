"""Predictions: near measurements only, never of a measured hex, honest about their spread, deaf to order."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from coverage import covariates, hexes, kriging, predictions, tables
from coverage.criteria import default_text, parse
from coverage.projections import ecef

CRITERIA = parse(default_text(), "the rules")
AS_OF = date(2026, 11, 1)
MIDDLE = hexes.of_point(11.9, 108.2, 9)
AREA = np.array(hexes.disk(MIDDLE, 12), dtype=np.int64)
LAT, LON = hexes.middles(AREA)
NO_SITES: pd.DataFrame = tables.schema(tables.SITES).empty_table().to_pandas()
HALF = np.random.default_rng(3).random(len(AREA)) < 0.5


def levels_of(cells: np.ndarray, margin_db: np.ndarray, operator: str = "45204") -> pd.DataFrame:
    return pd.DataFrame({"hex": cells, "operator": operator, "margin_db": margin_db, "tests": 4})


def field(cells: np.ndarray) -> np.ndarray:
    """Strong in the west, dead in the east, 2.5 dB of noise."""
    _, lon = hexes.middles(cells)
    noise = np.random.default_rng(5).normal(0, 2.5, len(cells))
    return (-14 * np.tanh((lon - 108.2) / 0.02) + noise).clip(-15, 20)


def predict(levels, targets=AREA, sites=NO_SITES, dem=None, criteria=CRITERIA):
    return predictions.predict(levels, targets, sites, dem, criteria, AS_OF)


@pytest.fixture(scope="module")
def measured() -> pd.DataFrame:
    return levels_of(AREA[HALF], field(AREA)[HALF])


@pytest.fixture(scope="module")
def found(measured) -> pd.DataFrame:
    return predict(measured)


def test_exactly_the_unmeasured_hexes_are_predicted(found):
    assert sorted(found["hex"]) == sorted(AREA[~HALF])
    assert set(found["evidence_grade"]) == {"E"}
    assert set(found["method"]) == {"kriging"}


def test_a_hex_whose_tests_tell_no_level_is_measured_all_the_same(measured):
    silent = levels_of(AREA[~HALF][:5], np.full(5, np.nan))
    told = predict(pd.concat([measured, silent]))
    assert set(told["hex"]) == set(AREA[~HALF][5:])


def test_p_below_is_that_of_the_normal_distribution(found):
    expected = norm.cdf(-found["predicted_margin_db"] / found["sd_db"])
    assert found["p_below"].to_numpy() == pytest.approx(expected)
    rules = CRITERIA.prediction
    assert (found["p_below"] >= rules.dead_p_below).equals(found["predicted_class"].eq("predicted_dead"))
    assert (found["p_below"] <= rules.served_p_below).equals(found["predicted_class"].eq("predicted_served"))


def test_near_strong_levels_little_is_feared_and_near_dead_ones_much(found):
    _, lon = hexes.middles(found["hex"].to_numpy())
    assert found.loc[lon < 108.18, "p_below"].max() < 0.05
    assert found.loc[lon > 108.22, "p_below"].min() > 0.95


def test_the_error_is_what_the_spread_says(measured, found):
    error_db = field(AREA)[~HALF] - found.set_index("hex").loc[AREA[~HALF], "predicted_margin_db"]
    z = error_db / found.set_index("hex").loc[AREA[~HALF], "sd_db"]
    assert 0.7 < np.mean(np.abs(z) < norm.ppf(0.9)) < 0.95


def test_the_spread_grows_with_the_distance_and_ends_at_the_reach(measured):
    ring = np.setdiff1d(hexes.around(AREA, 12), AREA)
    told = predict(measured, ring)
    reach_km = CRITERIA.prediction.reach_m / 1000
    known_m = ecef(*hexes.middles(measured["hex"].to_numpy()))
    away_km = (
        np.array([np.linalg.norm(known_m - place, axis=1).min() for place in ecef(*hexes.middles(ring))])
        / 1000
    )
    assert away_km.max() > reach_km + 1
    assert set(told["hex"]) == set(ring[away_km <= reach_km])
    assert told["nearest_measured_km"].to_numpy() == pytest.approx(away_km[away_km <= reach_km])
    order = told.sort_values("nearest_measured_km")
    by_distance = order.groupby(pd.cut(order["nearest_measured_km"], [0, 0.5, 1, 2, 3]), observed=True)[
        "sd_db"
    ]
    assert by_distance.mean().is_monotonic_increasing


@pytest.mark.parametrize(("count", "said"), [(49, False), (50, True)])
def test_too_few_measured_hexes_say_nothing(count, said):
    cells = AREA[:: len(AREA) // 50][:count]
    assert (len(predict(levels_of(cells, field(cells)))) > 0) == said


def test_nothing_measured_and_nothing_asked_give_an_empty_table(measured):
    for told in (predict(measured.iloc[:0]), predict(measured, AREA[:0])):
        assert list(told.columns) == tables.PREDICTIONS.names
        assert told.empty


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_changes_nothing(random):
    levels = levels_of(AREA[HALF], field(AREA)[HALF])
    rows, cells = list(range(len(levels))), AREA.tolist()
    random.shuffle(rows)
    random.shuffle(cells)
    shuffled = predict(levels.iloc[rows], np.array(cells + cells[:9], dtype=np.int64))
    pd.testing.assert_frame_equal(shuffled, predict(levels))


def test_a_prediction_does_not_hang_on_what_else_is_asked(measured, found):
    few = predict(measured, AREA[~HALF][::7])
    both = found.merge(few, on="hex", suffixes=("", "_few"))
    assert len(both) == len(few)
    assert both["predicted_margin_db"].to_numpy() == pytest.approx(both["predicted_margin_db_few"].to_numpy())
    assert both["sd_db"].to_numpy() == pytest.approx(both["sd_db_few"].to_numpy())


def test_operators_do_not_touch_each_other(measured, found):
    other = levels_of(AREA[~HALF], -field(AREA)[~HALF], "45201")
    both = predict(pd.concat([other, measured]))
    alone = both[both["operator"] == "45204"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, found)
    # Measured for one operator is no measurement of another.
    assert set(both.loc[both["operator"] == "45201", "hex"]) == set(AREA[HALF])


def test_levels_that_are_all_alike_keep_a_spread():
    told = predict(levels_of(AREA[HALF], np.full(HALF.sum(), 20.0)))
    assert told["predicted_margin_db"].to_numpy() == pytest.approx(20.0)
    assert told["sd_db"].min() >= 1.0
    assert set(told["predicted_class"]) == {"predicted_served"}


def test_margins_stay_within_their_bounds(found):
    levels = CRITERIA.levels
    assert found["predicted_margin_db"].between(levels.silent_margin_db, levels.cap_margin_db).all()


def test_intervals_that_hold_too_seldom_are_widened():
    # Levels spread evenly and without any order: 1.28 standard deviations hold 74 % of them, 1.39 hold 80 %.
    cells = np.array(hexes.disk(MIDDLE, 30), dtype=np.int64)
    margin_db = pd.Series(np.random.default_rng(0).uniform(-15, 20, len(cells)), index=cells)
    told = predict(levels_of(cells[::2], margin_db.to_numpy()[::2]), cells)
    error_db = margin_db.loc[told["hex"]].to_numpy() - told["predicted_margin_db"]
    assert np.mean(np.abs(error_db) < norm.ppf(0.9) * told["sd_db"]) == pytest.approx(0.8, abs=0.03)
    assert told["sd_db"].min() > 1.05 * margin_db.std()


def with_sites(lat: list[float], lon: list[float], operator: str = "45204") -> pd.DataFrame:
    blank = dict.fromkeys(tables.SITES.names)
    rows = [
        blank
        | {"site_id": f"s{i}", "operator": operator, "lat": y, "lon": x, "planned": False, "source": "test"}
        for i, (y, x) in enumerate(zip(lat, lon, strict=True))
    ]
    return pd.DataFrame(rows).astype({"height_m": float})


def scattered() -> np.ndarray:
    """One hex in nine: too far apart for neighbours to tell much, so that the trend has to."""
    return np.random.default_rng(8).random(len(AREA)) < 0.17


def test_sites_are_used_where_they_tell_more():
    sites = with_sites([11.9, 11.93], [108.17, 108.23])
    away_db = covariates.way_to_site(AREA, "45204", sites, AS_OF, None, CRITERIA.ground)["site_loss_db"]
    margin_db = 8 - 2.5 * away_db.to_numpy() + np.random.default_rng(2).normal(0, 2, len(AREA))
    some = scattered()
    levels = levels_of(AREA[some], margin_db[some])
    told, plain = predict(levels, sites=sites), predict(levels)
    assert set(told["method"]) == {"kriging_sites"}
    assert rmse(told, margin_db) < rmse(plain, margin_db)
    # A site of another operator, and one that is not on air yet, are none.
    waiting = sites.assign(on_air=date(2027, 1, 1))
    for useless in (with_sites([11.9], [108.17], "45201"), waiting):
        pd.testing.assert_frame_equal(predict(levels, sites=useless), plain)


def rmse(told: pd.DataFrame, margin_db: np.ndarray) -> float:
    truth = pd.Series(margin_db, index=AREA).loc[told["hex"]].to_numpy()
    return float(np.sqrt(np.mean((told["predicted_margin_db"] - truth) ** 2)))


def write_dem(path: Path) -> Path:
    """Ridges and valleys that run north and south, 900 m from crest to crest."""
    columns = np.arange(600)
    row = 800 + 150 * np.sin(columns * 30.9 / 900 * 2 * np.pi)
    grid = rasterio.Affine(1 / 3600, 0, 108.2 - 300 / 3600, 0, -1 / 3600, 11.9 + 300 / 3600)
    about = {
        "width": 600,
        "height": 600,
        "count": 1,
        "dtype": "float32",
        "crs": "EPSG:4326",
        "nodata": np.nan,
    }
    with rasterio.open(path, "w", driver="GTiff", transform=grid, **about) as raster:
        raster.write(np.tile(row, (600, 1)).astype(np.float32), 1)
    return path


def test_terrain_is_used_where_it_tells_more(tmp_path):
    dem = write_dem(tmp_path / "dem.tif")
    height_m = covariates.terrain(AREA, dem)["height_m"].to_numpy()
    margin_db = (height_m - 800) / 12 + np.random.default_rng(2).normal(0, 2, len(AREA))
    some = scattered()
    levels = levels_of(AREA[some], margin_db[some])
    told = predict(levels, dem=dem)
    assert set(told["method"]) == {"kriging_terrain"}
    assert rmse(told, margin_db) < 0.7 * rmse(predict(levels), margin_db)


def test_a_terrain_model_of_elsewhere_changes_nothing(tmp_path, measured, found):
    grid = rasterio.Affine(0.001, 0, 100.0, 0, -0.001, 20.0)
    about = {"width": 50, "height": 50, "count": 1, "dtype": "float32", "crs": "EPSG:4326", "nodata": np.nan}
    with rasterio.open(tmp_path / "far.tif", "w", driver="GTiff", transform=grid, **about) as raster:
        raster.write(np.ones((50, 50), np.float32), 1)
    pd.testing.assert_frame_equal(predict(measured, dem=tmp_path / "far.tif"), found)


def test_a_trend_that_tells_nothing_is_left_out(measured):
    rng = np.random.default_rng(4)
    sites = with_sites(list(rng.uniform(11.85, 11.95, 40)), list(rng.uniform(108.15, 108.25, 40)))
    told = predict(measured, sites=sites)
    truth = field(AREA)
    assert rmse(told, truth) < rmse(predict(measured), truth) + 0.3


def test_kriging_agrees_with_the_textbook():
    rng = np.random.default_rng(1)
    known_m, asked_m = rng.uniform(0, 5000, (15, 3)), rng.uniform(0, 5000, (4, 3))
    levels_db = rng.normal(3, 6, 15)
    variogram = kriging.Variogram(sill_db2=40.0, range_m=1500.0, nugget_db2=9.0)
    level_db, sd_db = kriging.krige(known_m, levels_db, asked_m, variogram, mean_is_zero=False)
    distance = np.linalg.norm(known_m[:, None] - known_m[None], axis=2)
    system = np.ones((16, 16))
    system[:15, :15] = 40 * np.exp(-distance / 1500) + 9 * np.eye(15)
    system[15, 15] = 0
    for place, level, sd in zip(asked_m, level_db, sd_db, strict=True):
        towards = np.append(40 * np.exp(-np.linalg.norm(known_m - place, axis=1) / 1500), 1)
        weights = np.linalg.solve(system, towards)
        assert level == pytest.approx(weights[:15] @ levels_db, abs=1e-3)
        assert sd == pytest.approx(np.sqrt(49 - weights @ towards), rel=1e-3)


def test_the_variogram_of_a_made_field_is_found_again():
    points_m = ecef(LAT, LON)
    distance = np.linalg.norm(points_m[:, None] - points_m[None], axis=2)
    covariance = 60 * np.exp(-distance / 900) + 9 * np.eye(len(points_m))
    rng = np.random.default_rng(0)
    levels_db = np.linalg.cholesky(covariance) @ rng.normal(size=len(points_m))
    found = kriging.fit(points_m, levels_db)
    # Nugget and range are hard to tell apart on a lattice of 370 m; what neighbours say of each other is not.
    for apart_m in (370.0, 1000.0, 2500.0):
        differ_db2 = found.nugget_db2 + found.sill_db2 * (1 - np.exp(-apart_m / found.range_m))
        assert differ_db2 == pytest.approx(9 + 60 * (1 - np.exp(-apart_m / 900)), rel=0.25)
