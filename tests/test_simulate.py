"""What is simulated must be reproducible, true to its own truth, and no kinder than real drives."""

import csv
import hashlib
import io
import json
import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from coverage import hexes
from coverage.errors import InputError
from coverage.simulate import simulate, write_sample
from coverage.simulate.phones import of_crews

VILLAGES, ROWS, SEED = 60, 150_000, 7
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
    trace_number = (gap | (driven.device != driven.device.shift())).cumsum()
    keys = ["device", trace_number]
    found = {lag: [] for lag in lags_s}
    for _, trace in driven.groupby(keys):
        level = trace.drop_duplicates("time").set_index("time").rsrp.sort_index()
        if len(level) < 200 or level.std() == 0:
            continue
        centred = level - level.mean()
        for lag in lags_s:
            later = centred.reindex(centred.index + pd.Timedelta(seconds=lag)).to_numpy()
            both = ~np.isnan(later)
            if both.sum() > 20:
                found[lag].append(
                    float((centred.to_numpy()[both] * later[both]).mean() / centred.var(ddof=0))
                )
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
    pairs = zip(edges[:-1], edges[1:], strict=True)
    return {high: float(half_square[(distance >= low) & (distance < high)].mean()) for low, high in pairs}
