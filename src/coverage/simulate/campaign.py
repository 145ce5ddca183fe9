"""The simulated measuring campaign: who measures what, into which file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from coverage.simulate import crews, logfiles
from coverage.simulate.crews import Trips
from coverage.simulate.network import OPERATORS
from coverage.simulate.noise import Ints
from coverage.simulate.phones import TEAMS
from coverage.simulate.readings import (
    Readings,
    in_the_air,
    log,
    of_tower_app,
    tests,
    with_emergency,
    with_repeats,
)
from coverage.simulate.world import World, stream

_PLAN, _DRIVES, _TEAM, _CROWD, _REPEATS, _MISSED = range(11, 17)
_WALK_SHARE, _DRIVE_SHARE = 0.80, 0.11
_TEXT_TEAMS, _ZIP_TEAMS, _ENGLISH_TEAMS = range(4), range(4, 6), range(6, 8)
# Share of rows written twice, by app: 10-22 % in real text logs.
_TWICE = {"text": (0.10, 0.20), "zip": (0.02, 0.08), "plain": (0.0, 0.02)}
_WRITTEN_PER_READING = 1.085  # over all teams, with flapping
_CROWD_WRITTEN = 0.955  # some apps of the crowd drop the silent seconds
_MANY = 400_000  # rows from which files hold two months instead of six


def measure(world: World, measurements: int, folder: Path) -> Iterator[tuple[float, pd.DataFrame]]:
    """Write all logs into `folder`; yields the share done and the tests of each team as it finishes."""
    per_phone = measurements / _WRITTEN_PER_READING / len(OPERATORS)
    walks = crews.plan_walks(
        stream(world.seed, _PLAN), world.villages, world.places, int(per_phone * _WALK_SHARE)
    )
    drives = crews.drive(stream(world.seed, _DRIVES), walks, world.places, int(per_phone * _DRIVE_SHARE))
    trips = crews.joined([crews.walk(stream(world.seed, _DRIVES, 1), walks, world.places), drives])
    written = 0
    for team in np.unique(trips.who).tolist():  # in a small campaign not every team goes out
        logs = _team_logs(world, team, trips.of(team))
        _write_team(world, team, logs, folder, months=2 if measurements >= _MANY else 6)
        written += sum(one.second.size for one in logs)
        told = _app(team) != "text"
        yield (team + 1) / (TEAMS + 1), _tests(logs, accuracy_told=told)
    _write_crowd(world, int((measurements - written) / _CROWD_WRITTEN), folder)


def _app(team: int) -> str:
    if team in _TEXT_TEAMS:
        return "text"
    return "zip" if team in _ZIP_TEAMS else "plain"


def _team_logs(world: World, team: int, trips: Trips) -> list[Readings]:
    trips = crews.take(trips, np.argsort(trips.second, kind="stable"))
    logs = [
        log(
            stream(world.seed, _TEAM, phone.operator + 10 * team),
            phone,
            trips,
            in_the_air(world.radio, world.networks[phone.operator], trips),
        )
        for phone in world.teams[team]
    ]
    if _app(team) == "plain":
        logs = [with_emergency(one, [other for other in logs if other is not one]) for one in logs]
    return [_repeated(world, team, one) for one in logs]


def _repeated(world: World, team: int, readings: Readings) -> Readings:
    rng = stream(world.seed, _REPEATS, team * 10 + readings.phone.operator)
    return with_repeats(rng, readings, float(rng.uniform(*_TWICE[_app(team)])))


def _tests(logs: list[Readings], *, accuracy_told: bool) -> pd.DataFrame:
    return pd.concat([tests(one, accuracy_told=accuracy_told) for one in logs], ignore_index=True)


def _write_team(world: World, team: int, logs: list[Readings], folder: Path, *, months: int) -> None:
    for period in zip(*(_by_month(one, months) for one in logs), strict=True):
        if not period[0].second.size:
            continue
        if team in _ZIP_TEAMS:
            first = str(logfiles.EPOCH + period[0].second[0])[:10]
            logfiles.write_zip(list(period), folder / f"simdrives_team-{team + 1:02d}_{first}.zip")
            continue
        for one in period:
            _write_one(world, team, one, folder)


def _write_one(world: World, team: int, readings: Readings, folder: Path) -> None:
    if team in _TEXT_TEAMS:
        # The app writes the height of its fix; what it measures there is of no use to anybody.
        altitude = 800.0 + (readings.second % 7).astype(np.float64)
        logfiles.write_text_log(readings, altitude, folder / logfiles.file_name(readings, "txt"))
        return
    path = folder / logfiles.file_name(readings, "csv")
    logfiles.write_plain([readings], path, vietnamese=team not in _ENGLISH_TEAMS)


def _months(second: Ints) -> Ints:
    dates = (logfiles.EPOCH + second.astype("timedelta64[s]")).astype("datetime64[M]")
    return dates.astype(np.int64) - 55 * 12  # since 2025-01


def _by_month(readings: Readings, months: int) -> list[Readings]:
    number = _months(readings.second) // months
    return [readings.at(number == period) for period in range(22 // months + 1)]


def _write_crowd(world: World, readings: int, folder: Path) -> None:
    rng = stream(world.seed, _CROWD)
    homes = rng.integers(0, world.places.x.size, len(world.crowd))
    trips = crews.wander(rng, world.places, homes, max(readings, 0))
    order = np.lexsort((trips.second, trips.who))
    trips = crews.take(trips, order)
    for operator in range(len(OPERATORS)):
        _write_crowd_of(world, operator, trips, folder)


def _write_crowd_of(world: World, operator: int, trips: Trips, folder: Path) -> None:
    whose = [index for index, phone in enumerate(world.crowd) if phone.operator == operator]
    mine = crews.take(trips, np.flatnonzero(np.isin(trips.who, whose)))
    if not mine.x.size:
        return
    offered = in_the_air(world.radio, world.networks[operator], mine)
    logs = []
    for index in whose:
        rows = np.flatnonzero(mine.who == index)
        part = type(offered)(offered.level_dbm[rows], offered.site[rows])
        logs.append(
            log(stream(world.seed, _CROWD, index + 1), world.crowd[index], crews.take(mine, rows), part)
        )
        if world.crowd[index].tower_app:
            _write_tower_export(of_tower_app(stream(world.seed, _MISSED, index), logs.pop()), folder)
    _write_shared(logs, operator, folder)


def _write_tower_export(readings: Readings, folder: Path) -> None:
    if readings.second.size:
        name = logfiles.file_name(readings, "csv", source="crowdsourced")
        logfiles.write_tower_export(readings, folder / name)


def _write_shared(logs: list[Readings], operator: int, folder: Path) -> None:
    for month in range(22):
        parts = [one.at(_months(one.second) == month) for one in logs]
        parts = [part for part in parts if part.second.size]
        if parts:
            last = np.datetime64("2025-02") + month - np.timedelta64(1, "D")
            name = f"crowdsourced__various__{OPERATORS[operator]}__{last}.csv"
            logfiles.write_plain(parts, folder / name, vietnamese=month % 2 == 1)
