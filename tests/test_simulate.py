"""What is simulated must be reproducible, true to its own truth, and no kinder than real drives."""

import csv
import hashlib
import io
import itertools
import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from coverage import hexes, intake
from coverage.archive import uploads
from coverage.archive.committed import committed
from coverage.archive.workspace import open_workspace
from coverage.errors import InputError
from coverage.logs import Context
from coverage.places.sites import read_sites
from coverage.simulate import campaign, placefiles, simulate, world, write_sample
from coverage.simulate.world import crew_phones

VILLAGES, ROWS, SEED = 60, 150_000, 9
SAMPLE = Path(__file__).parent.parent / "data" / "boundaries"
PLAIN_NAMES = {
    "thời gian": "time",
    "vĩ độ": "lat",
    "kinh độ": "lon",
    "nhà mạng": "operator",
    "công nghệ": "technology",
}


@pytest.fixture(scope="module")
def province(tmp_path_factory):
    folder = tmp_path_factory.mktemp("province")
    simulate(folder, villages=VILLAGES, measurements=ROWS, seed=SEED)
    return folder


@pytest.fixture(scope="module")
def rows(province):
    """Every LTE row with a level: file, device, operator, time, position, level, speed."""
    return read_logs(province / "logs")


def read_logs(logs):
    found = []
    for path in sorted(logs.iterdir()):
        if path.suffix == ".txt":
            found.append(read_text(path))
        elif path.suffix == ".zip":
            found += read_zip(path)
        elif is_export(path):
            found.append(read_export(path))
        else:
            found.append(read_plain(path))
    return pd.concat(found, ignore_index=True)


def named(path):
    return dict(zip(("source", "device", "operator"), Path(path).stem.split("__")[:3], strict=True))


def read_text(path):
    names = path.read_text(encoding="utf-8").splitlines()[0].split("\t")
    table = pd.read_csv(
        path, sep="\t", names=[*names, "nothing"], skiprows=1, dtype=str, keep_default_na=False
    )
    return frame(table, path, level="Level", mode="NetworkTech", lte="4G")


def read_zip(path):
    found = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.startswith("__MACOSX"):
                table = pd.read_csv(io.BytesIO(archive.read(name)), dtype=str, keep_default_na=False)
                found.append(frame(table, name, level="RSRP", mode="NetworkMode", lte="LTE"))
    return found


def frame(table, name, *, level, mode, lte):
    values = table[level].astype(float)
    speed = table["Speed"].astype(float) / 3.6 if "Speed" in table else 0.0
    return pd.DataFrame(
        {
            **named(name),
            "app": "zip" if "Speed" in table else "text",
            "time": pd.to_datetime(table["Timestamp"], format="%Y.%m.%d_%H.%M.%S"),
            "lat": table["Latitude"].astype(float),
            "lon": table["Longitude"].astype(float),
            "rsrp": values.where((table[mode] == lte) & (values > -141) & (values < -43)),
            "silent": table[mode] == "--",
            "speed": speed,
            "technology": table[mode],
        }
    )


def is_export(path):
    """Whether a file is one of a collector of radio cells, which has no way to write silence."""
    return path.read_bytes().startswith(b"mcc,mnc,")


def read_export(path):
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    utc = pd.to_datetime(table["measured_at"], format="%Y-%m-%dT%H:%M:%SZ")
    return pd.DataFrame(
        {
            **named(path),
            "app": "export",
            "time": utc + pd.Timedelta(hours=7),
            "lat": table["lat"].astype(float),
            "lon": table["lon"].astype(float),
            "rsrp": pd.to_numeric(table["rsrp"]),
            "silent": table["net_type"] == "",
            "speed": table["speed"].astype(float),
            "technology": table["net_type"],
        }
    )


def read_plain(path):
    vietnamese = path.read_bytes().startswith(b"\xef\xbb\xbf")
    options = {"sep": ";", "encoding": "utf-8-sig"} if vietnamese else {}
    table = pd.read_csv(path, dtype=str, keep_default_na=False, **options).rename(columns=PLAIN_NAMES)
    decimals = ["lat", "lon", "speed_mps"]
    table[decimals] = table[decimals].apply(lambda column: column.str.replace(",", ".").astype(float))
    pattern = "%d/%m/%Y %H:%M:%S" if vietnamese else "%Y-%m-%dT%H:%M:%S"
    return pd.DataFrame(
        {
            **named(path),
            "device": table["device"],
            "app": "vietnamese" if vietnamese else "english",
            "time": pd.to_datetime(table["time"], format=pattern),
            "lat": table["lat"],
            "lon": table["lon"],
            "rsrp": pd.to_numeric(table["rsrp_dbm"]),
            "silent": table["service_state"].isin(["no_service", "emergency_only"]),
            "speed": table["speed_mps"],
            "technology": table["technology"],
        }
    )


def spreads(rows):
    """The spreads of methodology §6 in dB, measured on LTE rows as the files give them."""
    lte = rows.dropna(subset=["rsrp"])
    lte = lte[lte.lat.abs() > 1].copy()
    lte["hex"] = hexes.of_points(lte.lat.to_numpy(), lte.lon.to_numpy(), 9)
    lte["day"] = lte.time.dt.date
    return {
        "all": lte.rsrp.std(),
        "hex and day": _within(lte),
        "days of a hex": _between_days(lte),
        "hex means": lte.groupby(["operator", "hex"]).rsrp.mean().groupby("operator").std().mean(),
    }


def _within(lte):
    groups = lte.groupby(["operator", "device", "hex", "day"]).rsrp.agg(["var", "size"])
    return float(np.sqrt(groups[groups["size"] >= 5]["var"].mean()))


def _between_days(lte):
    days = lte.groupby(["operator", "hex", "day"]).rsrp.agg(["mean", "size"])
    days = days[days["size"] >= 5].groupby(["operator", "hex"])["mean"].agg(["var", "size"])
    return float(np.sqrt(days[days["size"] >= 2]["var"].mean()))


def autocorrelation(rows, lags_s):
    """The correlation of levels along drives, by lag in seconds."""
    driven = rows[(rows.speed > 1.5) & rows.rsrp.notna() & (rows.source == "drive_test")]
    driven = driven.sort_values(["device", "time"])
    gap = driven.time.diff().dt.total_seconds().abs() > 60
    driven = driven.assign(trace=(gap | (driven.device != driven.device.shift())).cumsum())
    driven = driven.drop_duplicates(["trace", "time"])
    starts = np.flatnonzero(np.diff(driven.trace.to_numpy())) + 1
    levels = np.split(driven.rsrp.to_numpy(), starts)
    times_s = np.split(driven.time.to_numpy("datetime64[s]").astype(np.int64), starts)
    found = {lag: [] for lag in lags_s}
    for level, at_s in zip(levels, times_s, strict=True):
        if len(level) < 200 or level.std() == 0:
            continue
        centred = level - level.mean()
        for lag in lags_s:
            _, now, later = np.intersect1d(at_s + lag, at_s, assume_unique=True, return_indices=True)
            if len(now) > 20:
                found[lag].append(float((centred[now] * centred[later]).mean() / level.var()))
    return {lag: float(np.mean(values)) for lag, values in found.items() if values}


def semivariance(rows):
    """The semivariance in dB² of hex means by distance class in metres."""
    lte = rows.dropna(subset=["rsrp"])
    lte = lte[(lte.lat.abs() > 1) & (lte.operator == "45204")]
    cells = hexes.of_points(lte.lat.to_numpy(), lte.lon.to_numpy(), 9)
    means = lte.assign(hex=cells).groupby("hex")[["lat", "lon", "rsrp"]].mean()
    x, y = means.lon.to_numpy() * 109_000, means.lat.to_numpy() * 110_600
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    half_square = (means.rsrp.to_numpy()[:, None] - means.rsrp.to_numpy()) ** 2 / 2
    edges = [1, 400, 800, 1_500, 3_000, 10_000]
    return {
        high: float(half_square[(distance >= low) & (distance < high)].mean())
        for low, high in itertools.pairwise(edges)
    }


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def table(path):
    return pd.read_csv(path, keep_default_na=False, dtype={"operator": str})


def geojson(path):
    return json.loads(path.read_bytes())["features"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A province of few villages and seed 3."""
    folder = tmp_path_factory.mktemp("small")
    simulate(folder, villages=9, measurements=4_000, seed=3)
    return folder


@pytest.fixture(scope="module")
def another(tmp_path_factory):
    """The same with seed 4."""
    folder = tmp_path_factory.mktemp("another")
    simulate(folder, villages=9, measurements=4_000, seed=4)
    return folder


def test_same_arguments_give_the_same_bytes(tmp_path, small, another):
    simulate(tmp_path, villages=9, measurements=4_000, seed=3)
    assert digests(small) == digests(tmp_path)
    assert digests(small) != digests(another)


def test_running_again_leaves_no_old_logs_and_spares_foreign_ones(tmp_path, small, another):
    assert set(digests(another)) - set(digests(small)), "no log of the one would be left beside the other's"
    shutil.copytree(another, tmp_path, dirs_exist_ok=True)
    simulate(tmp_path, villages=9, measurements=4_000, seed=3)
    assert digests(tmp_path) == digests(small)
    foreign = tmp_path / "other"
    (foreign / "logs").mkdir(parents=True)
    (foreign / "logs" / "real.csv").write_text("real")
    with pytest.raises(InputError, match="not simulated"):
        simulate(foreign, villages=9, measurements=4_000, seed=3)
    assert digests(foreign) == {"logs/real.csv": hashlib.sha256(b"real").hexdigest()}


@pytest.mark.parametrize(
    ("villages", "measurements", "seed"), [(0, 1_000, 1), (10, 999, 1), (10, 5_000, -1), (20_001, 10**8, 1)]
)
def test_numbers_that_cannot_be_simulated_are_refused(tmp_path, villages, measurements, seed):
    with pytest.raises(InputError):
        simulate(tmp_path / "no", villages=villages, measurements=measurements, seed=seed)
    assert not (tmp_path / "no").exists()


def test_one_village_is_enough(tmp_path):
    simulate(tmp_path, villages=1, measurements=1_000, seed=2)
    assert len(geojson(tmp_path / "villages.geojson")) == 1
    assert len(table(tmp_path / "truth.csv")) == 4


def test_progress_is_told(tmp_path):
    told = []
    simulate(
        tmp_path,
        villages=2,
        measurements=800,
        seed=2,
        progress=lambda stage, share: told.append((stage, share)),
    )
    assert told[0] == ("world", 0.0)
    assert told[-1] == ("done", 1.0)
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_rows_are_as_many_as_asked_for(rows):
    assert len(rows) == pytest.approx(ROWS, rel=0.02)


def test_dates_do_not_follow_the_clock(rows):
    assert str(rows.time.max())[:10] == "2026-10-31"
    assert str(rows.time.min()) < "2025-11-01"
    fresh = rows[rows.time > "2025-11-02"]
    assert 0.85 < len(fresh) / len(rows) < 0.99
    assert not (fresh.technology.isin(["GSM", "2G", "EDGE"]) & (fresh.time >= "2026-09-16")).any()


def test_spreads_are_no_kinder_than_real_drives(rows):
    found = spreads(rows)
    print(found)
    assert found["all"] >= 11.8
    assert found["hex and day"] >= 5.2
    assert found["days of a hex"] >= 3.6
    assert found["hex means"] >= 11.6


def test_days_of_a_hex_differ_even_for_an_unbiased_phone(rows):
    bias = {phone.name: phone.bias_db for team in crew_phones(SEED) for phone in team}
    crews = rows[(rows.source == "drive_test") & (rows.speed < 5)]
    found = spreads(crews.assign(rsrp=crews.rsrp - crews.device.map(bias)))
    print(found)
    assert found["days of a hex"] >= 3.6


def test_phones_differ():
    biases = [phone.bias_db for team in crew_phones(SEED) for phone in team]
    assert np.std(biases, ddof=1) >= 4.5
    assert abs(np.mean(biases)) < 0.1
    limits = [phone.sensitivity_dbm for team in crew_phones(SEED) for phone in team]
    assert np.mean(limits) == pytest.approx(-122, abs=1)
    assert 0.8 < np.std(limits) < 2.2


def test_levels_along_a_drive_and_over_the_ground_are_correlated_like_real_ones(rows):
    # Cork: 0.87 at 5 s, 0.80 at 10 s, 0.57 at 30 s, 0.36 at 60 s, 0.21 at 120 s.
    found = autocorrelation(rows, [6, 9, 30, 60, 120])
    print(found)
    for lag, real in {6: 0.86, 9: 0.82, 30: 0.57, 60: 0.36, 120: 0.21}.items():
        assert found[lag] == pytest.approx(real, abs=0.1 + lag / 1_000), lag
    # Semivariance of hex means in Cork: 49, 90, 112, 127, 141 dB²; the mountains are wider.
    by_distance = semivariance(rows)
    print(by_distance)
    near, *_, far = by_distance.values()
    assert near >= 49
    assert far >= 141
    assert near < 0.5 * far


def test_truth_agrees_with_itself(province):
    truth = table(province / "truth.csv")
    assert list(truth.columns) == [
        "village_id", "operator", "status", "electrified", "gap", "floors_met", "p_fail_centre",
        "p_fail_worst", "population_affected",
    ]  # fmt: skip
    assert len(truth) == VILLAGES * 4
    assert not truth.duplicated(["village_id", "operator"]).any()
    dead = truth.status.isin(["trang_song", "lom_song"])
    assert (truth.gap == (dead & truth.electrified)).all()
    assert (truth.p_fail_centre[truth.status == "trang_song"] > 0.5).all()
    assert (truth.p_fail_centre[truth.status == "lom_song"] <= 0.5).all()
    assert (truth.p_fail_centre[truth.status == "phu_song"] < 0.2).all()
    assert ((truth.population_affected > 0) == (truth.p_fail_worst > 0.5)).all()
    assert set(truth.status) == {"trang_song", "lom_song", "phu_song", "weak"}


def test_shares_are_worth_judging(province):
    truth = table(province / "truth.csv")
    dead = truth.status.isin(["trang_song", "lom_song"]).groupby(truth.operator).mean()
    print(dead, truth.floors_met.mean())
    assert 0.05 < dead.mean() < 0.22
    assert dead["45204"] < dead["45205"]
    assert 0.5 < truth.floors_met.mean() < 0.9
    assert truth.floors_met[truth.gap].any()
    marginal = truth.p_fail_centre.between(0.2, 0.8).mean()
    assert 0.05 < marginal < 0.4


def test_villages_tile_their_communes(province):
    communes = {
        feature["properties"]["commune_code"]: shapely.geometry.shape(feature["geometry"])
        for feature in geojson(province / "communes.geojson")
    }
    tiled = dict.fromkeys(communes, 0.0)
    for feature in geojson(province / "villages.geojson"):
        shape = shapely.geometry.shape(feature["geometry"])
        values = feature["properties"]
        assert shape.is_valid
        assert shape.buffer(1e-5).contains(shapely.Point(values["centre_lon"], values["centre_lat"]))
        tiled[values["commune_code"]] += shape.area
    for code, area in tiled.items():
        assert area == pytest.approx(communes[code].area, rel=1e-3)


def test_some_places_are_awkward(province):
    villages = geojson(province / "villages.geojson")
    names = [feature["properties"]["name"] for feature in villages]
    assert any("'" in name for name in names)
    assert any("<b>" in name and '"' in name for name in names)
    assert all("(mô phỏng)" in name for name in names)
    kinds = {feature["geometry"]["type"] for feature in villages}
    assert kinds == {"Polygon", "MultiPolygon"}
    # 0.1 km² is about a res-9 hex; 1 degree² is about 12 060 km² here.
    areas = [shapely.geometry.shape(feature["geometry"]).area * 12_060 for feature in villages]
    assert min(areas) < 0.1
    listed = {feature["properties"]["village_id"] for feature in geojson(province / "clusters.geojson")}
    assert 0 < VILLAGES - len(listed) < 10


def test_clusters_add_up_and_start_at_the_centre(province):
    villages = {
        f["properties"]["village_id"]: f["properties"] for f in geojson(province / "villages.geojson")
    }
    clusters = pd.DataFrame(f["properties"] for f in geojson(province / "clusters.geojson"))
    assert set(clusters.grid.map(str)) == {"True", "False", "None"}
    for village, part in clusters.groupby("village_id"):
        values = villages[village]
        assert part.households.sum() == values["households"]
        first = part.iloc[0]
        assert (first.lat, first.lon) == (values["centre_lat"], values["centre_lon"])


def test_population_is_that_of_the_villages(province):
    people = sum(f["properties"]["population"] for f in geojson(province / "villages.geojson"))
    with rasterio.open(province / "population.tif") as file:
        raster = file.read(1, masked=True)
        assert file.crs.to_epsg() == 4326
        assert "simulated" in file.tags()["source"]
    assert float(raster.sum()) == pytest.approx(people, rel=1e-3)
    assert raster.mask.any()


def test_power_has_its_exceptions(tmp_path):
    placefiles.write_power(world.build(SEED, 250).villages, tmp_path / "power.csv")
    power = table(tmp_path / "power.csv")
    share = power.households_grid / power.households
    assert 0 < 250 - len(power) < 15
    assert 0.01 < (share == 0).mean() < 0.08
    assert ((share > 0) & (share < 0.7)).any()
    assert power.source.str.contains("inferred").any()
    assert power.source.str.contains("simulated").all()


def test_sites_are_listed(province):
    sites = table(province / "sites.csv")
    count = sites.groupby("operator").size()
    assert set(count.index) == {"45201", "45202", "45204", "45205"}
    assert count["45204"] > count["45205"]
    read, notes = read_sites(province / "sites.csv")
    assert (len(read), notes) == (len(sites), [])
    assert set(read["site_id"]) == set(sites["site_id"])
    assert read["source"].str.startswith("simulated").all()


def test_text_logs_have_the_faults_of_the_app(province):
    whole = [path.read_bytes() for path in sorted((province / "logs").glob("*.txt"))]
    lines = [line for text in whole for line in text.decode().split("\r\n")[1:-1]]
    assert all(text.count(b"\n") == text.count(b"\r\n") for text in whole)
    assert whole[0].split(b"\r\n")[0].count(b"\t") == 20
    assert {line.count("\t") for line in lines} == {21}
    assert re.match(r"\d{4}\.\d\d\.\d\d_\d\d\.\d\d\.\d\d\t108\.", lines[0])
    cells = [line.split("\t") for line in lines]
    assert all(row[5] == "SIMULATED" for row in cells if row[9] != "--")
    silent = [row for row in cells if row[9] == "--"]
    assert {(row[3], row[4], row[10]) for row in silent} == {("NO_COVERAGE", "", "-200")}
    levels = {row[10] for row in cells if row[9] in ("3G", "4G") and row[7]}
    assert {"-24", "-164", "-340"} <= levels
    repeated = sum(a == b for a, b in itertools.pairwise(lines)) / len(lines)
    assert 0.08 < repeated < 0.22


def test_some_phones_flap(rows):
    text = rows[rows.app == "text"]
    both = text.groupby(["device", "time"]).silent.agg(["any", "all"])
    assert (both["any"] & ~both["all"]).sum() > 50


def test_zips_carry_what_a_mac_leaves(province):
    for path in sorted((province / "logs").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        assert sum(name.startswith("__MACOSX/") for name in names) == len(names) / 2
        own = [Path(name).name for name in names if not name.startswith("__MACOSX/")]
        assert all(
            re.fullmatch(r"drive_test__simphone-\d\d__4520\d__202\d-\d\d-\d\d\.csv", name) for name in own
        )


def test_canonical_files_speak_both_languages(province):
    paths = sorted((province / "logs").glob("*.csv"))
    texts = [path.read_bytes() for path in paths if not is_export(path)]
    excel = [text for text in texts if text.startswith(b"\xef\xbb\xbf")]
    assert 0 < len(excel) < len(texts)
    for text in texts:
        head, first = text.decode("utf-8-sig").splitlines()[:2]
        assert first.endswith("simulated")
        if text in excel:
            assert head.startswith("thời gian;vĩ độ;kinh độ;nhà mạng;công nghệ;rsrp_dbm;")
            assert re.match(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d;1[12],\d+;108,\d+;4520\d;", first)
        else:
            assert head.startswith("time,lat,lon,operator,technology,rsrp_dbm,")


def test_positions_have_the_faults_of_receivers(province, rows):
    assert (rows.lat == 0).any()
    frozen = rows[rows.source == "drive_test"].groupby(["device", "lat", "lon"]).size()
    assert frozen.drop(0.0, level="lat").max() > 10
    accuracies = []
    for path in (province / "logs").glob("*simphone-25__*.csv"):
        with path.open(encoding="utf-8") as file:
            accuracies += [float(row["accuracy_m"]) for row in csv.DictReader(file)]
    assert max(accuracies) > 50
    assert 4 < np.median(accuracies) < 15


def test_drives_are_faster_than_walks_and_only_where_speed_is_logged(rows):
    fast = rows[rows.speed > 7]
    assert 0.04 < len(fast) / len(rows) < 0.15
    assert not fast.app.isin(["text"]).any()


def test_the_crowd_is_mixed_and_partly_silent_about_silence(rows):
    crowd = rows[rows.source == "crowdsourced"]
    assert crowd.device.nunique() > 40
    assert 0.05 < len(crowd) / len(rows) < 0.15
    assert crowd.silent.any()


def test_a_fifth_of_the_crowd_writes_files_that_cannot_tell_of_silence(province, rows):
    crowd = rows[rows.source == "crowdsourced"]
    exports = crowd[crowd.app == "export"]
    assert 0.1 < len(exports) / len(crowd) < 0.3
    assert not exports.silent.any()
    assert not set(exports.device) & set(crowd.device[crowd.app != "export"])
    for path in filter(is_export, (province / "logs").iterdir()):
        head, *lines = path.read_bytes().decode().removesuffix("\r\n").split("\r\n")
        names = head.split(",")
        cells = [dict(zip(names, line.split(","), strict=True)) for line in lines]
        assert lines
        assert all("SIMULATED" in one["device"] for one in cells)
        assert {one["net_type"] for one in cells} <= {"GSM", "UMTS", "LTE", "NR"}
        assert all(int(one["dbm"]) < 0 for one in cells)


def campaign_of(made, folder):
    folder.mkdir()
    tests = [part for _, part in campaign.measure(made, 24_000, folder)]
    return read_logs(folder), pd.concat(tests)


def test_a_feed_without_silence_changes_nothing_but_its_own_rows(tmp_path):
    made = world.build(SEED, 12)
    owners = {phone.name: phone for phone in made.crowd if phone.tower_app}
    assert owners
    without = replace(made, crowd=[replace(phone, tower_app=False) for phone in made.crowd])
    feed, tests = campaign_of(made, tmp_path / "with")
    plain, same_tests = campaign_of(without, tmp_path / "without")
    pd.testing.assert_frame_equal(tests, same_tests)  # what floors_met in truth.csv is made of
    theirs, others = (frame[frame.device.isin(owners)] for frame in (feed, plain))
    keys = ["device", "time", "lat", "lon"]
    rest = [frame.drop(frame.index[frame.device.isin(owners)]) for frame in (feed, plain)]
    pd.testing.assert_frame_equal(*(frame.reset_index(drop=True) for frame in rest))
    both = others.merge(theirs[keys], on=keys, how="left", indicator=True)
    assert len(theirs) == (both["_merge"] == "both").sum()
    limit = both.device.map({name: phone.sensitivity_dbm + 10 for name, phone in owners.items()})
    lte = both[both.rsrp.notna()]
    hardly = lte.rsrp < limit[lte.index]
    assert hardly.sum() > 20
    assert (lte["_merge"] == "both")[~hardly].all()
    assert 0.25 < (lte["_merge"] == "both")[hardly].mean() < 0.75


def test_drives_are_marked_or_can_be_told_by_their_speed(province, rows):
    said = pd.concat(
        pd.read_csv(path, dtype=str, sep=";" if path.read_bytes()[:1] != b"t" else ",", encoding="utf-8-sig")
        for path in (province / "logs").glob("drive_test__*.csv")
    )
    speed = said.speed_mps.str.replace(",", ".").astype(float)
    assert set(said.in_vehicle) == {"true", "false"}
    assert speed[said.in_vehicle == "true"].median() > 6
    assert speed[said.in_vehicle == "false"].median() < 2
    assert (rows.speed[rows.app == "zip"] >= 7).any()  # this app has no word for it: the speed tells


def test_the_whole_folder_is_read_and_only_these_files_are_positive_only(tmp_path):
    simulate(tmp_path / "sample", villages=2, measurements=1_500, seed=3)
    workspace = open_workspace(tmp_path / "workspace")
    for path in sorted((tmp_path / "sample" / "logs").iterdir()):
        assert all(isinstance(one, uploads.Receipt) for one in intake.ingest(workspace, path, Context()))
    received = {row["upload_id"]: row for row in uploads.list_uploads(workspace)}
    marked = pd.concat(pd.read_parquet(part.path) for part in committed(workspace).parts)
    marked["format"] = marked.upload_id.map({key: row["format"] for key, row in received.items()})
    exports = marked[marked.positive_only]
    assert set(exports.format) == {"towercollector"}
    assert (exports.service_state == "in_service").all()
    assert "towercollector" not in set(marked.format[~marked.positive_only])
    assert {"gnettrack_text", "canonical"} <= set(marked.format[~marked.positive_only])
    assert all(row["simulated"] for row in received.values())
    # People are out from 6 to 22 h local: their UTC was read as such.
    assert not exports.time_utc.dt.hour.between(16, 22).any()


def test_everything_says_that_it_is_simulated(province):
    readme = (province / "README.txt").read_text(encoding="utf-8")
    assert "SIMULATED" in readme
    assert f"--villages {VILLAGES} --measurements {ROWS} --seed {SEED}" in readme
    for name in ("villages.geojson", "clusters.geojson", "communes.geojson"):
        assert all("simulated" in f["properties"]["source"] for f in geojson(province / name))


def test_the_bundled_sample_is_what_its_readme_says_and_can_be_made_again(tmp_path):
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"\| (\S+\.geojson) \|.*\| `([0-9a-f]{64})` \|", readme))
    files = {path.name: path for path in SAMPLE.glob("*.geojson")}
    assert set(listed) == set(files)
    assert sum(path.stat().st_size for path in files.values()) < 3_000_000
    write_sample(tmp_path)
    for name, path in files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == listed[name]
        assert (tmp_path / name).read_bytes() == path.read_bytes()
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == readme
    assert len(geojson(SAMPLE / "lamdong_communes_derived.geojson")) == 124
    assert len(geojson(SAMPLE / "sample_villages.geojson")) == 60
