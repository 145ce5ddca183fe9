"""Made drives: what a phone truly measured on a road of Lâm Đồng, row by row, before anybody writes it down."""

from __future__ import annotations

import datetime
import math
import random
from dataclasses import dataclass

OPERATORS = {"45201": "MobiFone", "45202": "VinaPhone", "45204": "Viettel", "45205": "Vietnamobile"}
TECHNOLOGIES = ("GSM", "UMTS", "LTE", "NR")
# Levels that every way of writing can say: within ASU's and the index's range, and GSM's on a step of two.
_LEVELS = {"GSM": (-107, -61), "UMTS": (-112, -60), "LTE": (-126, -62), "NR": (-128, -64)}
_METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True)
class Moment:
    """One true reading: time in UTC; technology and level None without service."""

    time_utc: datetime.datetime
    lat: float
    lon: float
    operator: str
    technology: str | None
    level: int | None
    state: str
    speed_mps: float
    device: str
    cell: int


@dataclass(frozen=True)
class Drive:
    """The readings of a file in its order; silent: whether some have no service; days: how its dates can be written."""

    moments: tuple[Moment, ...]
    silent: bool

    @property
    def technologies(self) -> list[str]:
        """Those of the rows with service."""
        return sorted({one.technology for one in self.moments if one.technology is not None})

    @property
    def operators(self) -> list[str]:
        """Those of all rows."""
        return sorted({one.operator for one in self.moments})


def drive(rng: random.Random) -> Drive:
    """A drive of 30 to 200 rows: one phone per operator, taking turns."""
    operators = rng.sample(sorted(OPERATORS), rng.choice((1, 1, 1, 2, 3)))
    technologies = rng.choice(
        (["LTE"], ["LTE"], ["LTE", "NR"], ["UMTS", "LTE"], list(TECHNOLOGIES), ["GSM"], ["UMTS"], ["NR"])
    )
    silent_share = rng.choice((0.0, 0.1, 0.3, 0.6))
    # Days past the twelfth: an order of day and month that nothing settles is another matter than names.
    time = datetime.datetime(2026, 10, rng.randint(13, 28), 1, rng.randint(0, 59), tzinfo=None)
    step = 60 if rng.random() < 0.3 else rng.choice((1, 2, 5))
    lat, lon, heading = rng.uniform(11.3, 12.2), rng.uniform(107.4, 108.6), rng.uniform(0, 6.28)
    made = []
    for index in range(rng.randint(30, 200)):
        speed = round(rng.uniform(1, 14), 1)
        time += datetime.timedelta(seconds=step)
        heading += rng.uniform(-0.3, 0.3)
        lat += speed * step * math.cos(heading) / _METRES_PER_DEGREE
        lon += speed * step * math.sin(heading) / _METRES_PER_DEGREE
        operator = operators[index % len(operators)]
        heard = None if rng.random() < silent_share else rng.choice(technologies)
        state = rng.choice(("no_service",) * 5 + ("emergency_only",)) if heard is None else "in_service"
        place = round(lat, 6), round(lon, 6)
        phone = f"phone {operators.index(operator) + 1}"
        made.append(
            Moment(time, *place, operator, heard, _level(rng, heard), state, speed, phone, 4000 + index // 7)
        )
    return Drive(tuple(made), silent=any(one.level is None for one in made))


def _level(rng: random.Random, technology: str | None) -> int | None:
    if technology is None:
        return None
    low, high = _LEVELS[technology]
    return rng.randrange(low, high, 2)
