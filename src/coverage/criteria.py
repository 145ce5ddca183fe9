"""Decision rules as data: the model of the criteria file, its defaults and its hash."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coverage.errors import CriteriaRefused

DEFAULT_RULES = "vietnam.toml"
Share = Annotated[float, Field(gt=0, lt=1)]
ThresholdName = Literal["headline", "at_105", "at_121", "voice", "data_good"]
THRESHOLD_NAMES: tuple[ThresholdName, ...] = ("headline", "at_105", "at_121", "voice", "data_good")


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Thresholds(_Rules):
    """The weakest usable level in dBm of each technology; None = it says nothing of that service."""

    LTE: float | None = None
    NR: float | None = None
    UMTS: float | None = None
    GSM: float | None = None


class ThresholdSet(_Rules):
    """The headline thresholds, the two that show how much hangs on them, and those of two services.

    The headline stands for data_basic: any mobile data at all.
    """

    headline: Thresholds
    at_105: Thresholds
    at_121: Thresholds
    voice: Thresholds
    data_good: Thresholds

    def at(self, name: ThresholdName) -> dict[str, float]:
        """The thresholds in dBm by technology, for one of `THRESHOLD_NAMES`; without what says nothing there."""
        thresholds: Thresholds = getattr(self, name)
        return thresholds.model_dump(exclude_none=True)


class Operators(_Rules):
    """Which operators are in scope per mobile country code, and what people call them."""

    in_scope: dict[str, list[str]]
    names: dict[str, str]


class Evidence(_Rules):
    """How tests are weighed."""

    validity_months: int = Field(ge=1)
    rho: float = Field(ge=0, le=1)
    vehicle_loss_db: float = Field(ge=0)
    vehicle_speed_mps: float = Field(gt=0)
    dead_probability: Share
    dead_share: Share
    below_standard_probability: Share
    below_standard_share: Share
    covered_probability: Share
    covered_share: Share
    half_life_days: float = Field(ge=0)


class Levels(_Rules):
    """How far the level of one test lies from the mean level of its place, in dB, and what that allows."""

    device_db: float = Field(ge=0)
    occasion_db: float = Field(ge=0)
    test_db: float = Field(gt=0)
    hex_db: float = Field(ge=0)
    silent_margin_db: float = Field(lt=0)
    cap_margin_db: float = Field(gt=0)
    covered_probability: Share


class Calibration(_Rules):
    """The least evidence before a number is fitted anew, and the bounds of what is believed."""

    test_hexes: int = Field(ge=2)
    occasion_hexes: int = Field(ge=2)
    device_hexes: int = Field(ge=2)
    devices: int = Field(ge=2)
    neighbour_hexes: int = Field(ge=2)
    rho_hexes: int = Field(ge=2)
    rho_devices: int = Field(ge=2)
    least_db: float = Field(gt=0)
    most_db: float = Field(gt=0)


class Floors(_Rules):
    """The least evidence, counted on fails, before any accusation."""

    effective_fails: float = Field(ge=1)
    devices: int = Field(ge=1)
    calibrated_devices: int = Field(ge=1)
    dates: int = Field(ge=1)
    hours_apart: float = Field(ge=0)
    hexes_res10: int = Field(ge=1)


class Clearing(_Rules):
    """The least evidence before a place is called covered, of sources that also write silence."""

    effective_tests: float = Field(ge=1)
    devices: int = Field(ge=1)
    calibrated_devices: int = Field(ge=1)


class FccBadge(_Rules):
    """What evidence must hold to meet the geographic and testing thresholds of the FCC's challenge process."""

    point_hexes: int = Field(ge=1)
    tests_per_hex: int = Field(ge=1)
    fails: int = Field(ge=1)


class Village(_Rules):
    """When a village is electrified and served."""

    electrified_share: Share
    served_households_share: Share
    neighbour_rings: int = Field(ge=0, le=3)


class Ground(_Rules):
    """What maps and rasters say of places: where people live, where power and sites are."""

    settled_people_per_km2: float = Field(gt=0)
    settled_part_people: float = Field(gt=0)
    territory_radius_m: float = Field(gt=0)
    territory_reach_m: float = Field(gt=0)
    power_line_reach_m: float = Field(gt=0)
    power_line_kv: float = Field(gt=0)
    lit_nw_cm2_sr: float = Field(gt=0)
    antenna_height_m: float = Field(gt=0)
    phone_height_m: float = Field(gt=0)
    site_reach_m: float = Field(ge=0)
    earth_radius_factor: float = Field(gt=0)


class Prediction(_Rules):
    """How far from measurements something is predicted, and what a prediction is called; it decides nothing."""

    reach_m: float = Field(gt=0)
    least_measured_hexes: int = Field(ge=50)
    dead_p_below: Share
    served_p_below: Share


class Priority(_Rules):
    """Weights of the priority order."""

    severity: dict[Literal["trang_song", "lom_song"], float]
    not_spot: dict[Literal["total", "partial", "undetermined"], float]


class Criteria(_Rules):
    """One complete decision rule. `name` and `hash` are printed on every export."""

    name: str
    utc_offset_hours: float = Field(ge=-12, le=14)
    hex_resolution: Literal[8, 9]
    gsm_is_coverage_until: date
    operators: Operators
    thresholds_dbm: ThresholdSet
    evidence: Evidence
    levels: Levels
    calibration: Calibration
    floors: Floors
    clearing: Clearing
    fcc_badge: FccBadge
    village: Village
    ground: Ground
    prediction: Prediction
    priority: Priority

    @property
    def hash(self) -> str:
        """Twelve hex digits of the sha256 of the rules' values; layout and comments do not count."""
        canonical = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(canonical).hexdigest()[:12]

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def label(self) -> str:
        """What exports print: name and hash."""
        return f"{self.name}@{self.hash}"

    def operators_in_scope(self, measured: set[str]) -> list[str]:
        """The operators that must all be dead for a total not-spot, sorted.

        The listed operators of each country that was measured (of every country where nothing was). Where
        no listed country was measured, whoever was: a stray reading from across the border, or a name
        that is no PLMN, never widens a scope that the criteria set.
        """
        listed = self.operators.in_scope
        countries = {operator[:3] for operator in measured} & set(listed) if measured else set(listed)
        scope = {operator for country in countries for operator in listed[country]}
        return sorted(scope or measured)

    def operator_name(self, operator: str) -> str:
        """What people call the operator; its own code where no name is listed."""
        return self.operators.names.get(operator, operator)


def default_text() -> str:
    """The text of the rules that ship with the package."""
    return files("coverage").joinpath("rules", DEFAULT_RULES).read_text(encoding="utf-8")


def parse(text: str, origin: str) -> Criteria:
    """The criteria that a TOML text holds; raises `CriteriaRefused` naming the key at fault."""
    try:
        return Criteria.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as fault:
        raise CriteriaRefused(
            f"{origin}: không phải TOML hợp lệ ({fault}).", f"{origin}: not valid TOML ({fault})."
        ) from fault
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            usual = _usual(first["loc"])
            raise CriteriaRefused(
                f"{origin}: thiếu khoá {where}. Hãy thêm vào; giá trị thường dùng: {usual}.",
                f"{origin}: key {where} is missing. Add it; it usually is {usual}.",
            ) from fault
        raise CriteriaRefused(
            f"{origin}, khoá {where}: {first['msg']} (giá trị: {first['input']!r:.80}).",
            f"{origin}, key {where}: {first['msg']} (value: {first['input']!r:.80}).",
        ) from fault


def _usual(keys: Sequence[int | str]) -> object:
    """What the rules that ship with the package hold under those keys."""
    found: Any = tomllib.loads(default_text())
    for key in keys:
        found = found[key]
    return found


def load(path: Path) -> Criteria:
    """The criteria in a TOML file; raises `CriteriaRefused`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise CriteriaRefused(
            f"Không đọc được tệp tiêu chí {path}: {fault}.", f"Cannot read criteria file {path}: {fault}."
        ) from fault
    return parse(text, str(path))
