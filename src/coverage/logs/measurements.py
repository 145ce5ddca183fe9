"""The accepted rows of a file → the measurements table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coverage import hexes
from coverage.logs import quantities, values
from coverage.logs.context import Context, device_hash
from coverage.logs.judge import Rows
from coverage.logs.quantities import KBPS_PER_MBPS, KMH_PER_MPS, RSRQ_RANGE_DB, SINR_RANGE_DB, not_negative
from coverage.logs.sheet import Ints, Sheet
from coverage.names import fold
from coverage.tables import LEVEL_COLUMNS, MEASUREMENTS, SERVICE_STATES, TECHNOLOGIES, check

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Kept = Ints | slice  # positions among the whole rows; a slice is all of them
# Serving-cell numbers that name no cell: none, and the largest of 16, 28, 31, 32 and 36 bits.
_NO_CELL = quantities.MISSING | {"0", "65535", "268435455", "2147483647", "4294967295", "68719476735"}


@dataclass(frozen=True)
class Origin:
    """Where rows come from: upload, resolved context, the key under which devices are stored, fields in tenths."""

    upload_id: str
    context: Context
    device_key: bytes
    tenths: frozenset[str] = frozenset()


def measurements(rows: Rows, accepted: Ints, origin: Origin) -> pa.Table:
    """The measurements of the given rows (positions among the whole rows), checked against the contract."""
    # Mostly all rows are: then nothing need be copied.
    kept: Kept = slice(None) if len(accepted) == len(rows.sheet.line) else accepted
    columns = (
        _place_and_time(rows, kept) | _network(rows, kept, origin.tenths) | _context(rows.sheet, kept, origin)
    )
    return check(MEASUREMENTS, pa.table(columns))


def _place_and_time(rows: Rows, kept: Kept) -> dict[str, pa.Array]:
    lat, lon = rows.lat.values[kept], rows.lon.values[kept]
    res10 = hexes.of_points(lat, lon, 10)
    precision = pc.if_else(pa.array(rows.moments.date_only[kept]), "date", "second")
    return {
        "line": pa.array(rows.sheet.line[kept]),
        "time_utc": pa.array(rows.moments.utc[kept]),
        "time_precision": precision,
        "local_date": pa.array(rows.moments.local_date[kept]),
        "lat": pa.array(lat),
        "lon": pa.array(lon),
        "accuracy_m": _optional(not_negative(rows.accuracy.values)[kept]),
        "hex_res10": pa.array(res10),
        "hex_res9": pa.array(hexes.parents(res10, 9)),
        "hex_res8": pa.array(hexes.parents(res10, 8)),
    }


def _network(rows: Rows, kept: Kept, tenths: frozenset[str]) -> dict[str, pa.Array]:
    network, sheet = rows.network, rows.sheet
    technology = network.technology[kept]
    level = network.level[kept]
    columns = {
        "operator": _taken(network.operator, kept),
        "operator_inferred": pa.array(network.inferred[kept]),
        "technology": values.named(technology, TECHNOLOGIES),
        "service_state": values.named(network.state[kept], SERVICE_STATES),
    }
    for name, column in LEVEL_COLUMNS.items():
        columns[column] = _where(technology == TECHNOLOGIES.index(name), level)
    # Qual and SNR of UMTS and GSM are Ec/No and the like, on other scales.
    modern = np.isin(technology, [TECHNOLOGIES.index(one) for one in ("LTE", "NR")])
    for field, bounds in (("rsrq_db", RSRQ_RANGE_DB), ("sinr_db", SINR_RANGE_DB)):
        found = _numbers(sheet, field)
        if found is None:
            columns[field] = _none(len(modern))
        else:
            read = quantities.within(found[kept] / (10.0 if field in tenths else 1.0), bounds)
            columns[field] = _where(modern, read)
    return columns


def _context(sheet: Sheet, kept: Kept, origin: Origin) -> dict[str, pa.Array]:
    count, context = len(sheet.line[kept]), origin.context
    vehicle = _taken(values.truths(sheet.get("in_vehicle")), kept)
    said = pa.scalar(context.in_vehicle, pa.bool_())
    return {
        "upload_id": pa.repeat(pa.scalar(origin.upload_id, pa.string()), count),
        "speed_mps": _either_of(sheet, ("speed_mps", "speed_kmh"), KMH_PER_MPS, kept, count),
        "in_vehicle": pc.coalesce(vehicle, said, _taken(_odd_speed(sheet), kept)),
        "device": _taken(_devices(sheet, origin), kept),
        "calibrated": pa.repeat(bool(context.calibrated), count),
        "positive_only": pa.repeat(_positive_only(sheet, context), count),
        "source": pa.repeat(pa.scalar(context.source, pa.string()), count),
        "serving_cell": _taken(_serving_cell(sheet), kept),
        "download_mbps": _either_of(sheet, ("download_mbps", "download_kbps"), KBPS_PER_MBPS, kept, count),
        "upload_mbps": _either_of(sheet, ("upload_mbps", "upload_kbps"), KBPS_PER_MBPS, kept, count),
    }


def _positive_only(sheet: Sheet, context: Context) -> bool:
    """Whether the source never writes that there is no service: what was said of it, else what its format can.

    A crew that drives to measure logs all the way: its weak levels are no choice of the app, whatever the format.
    """
    if context.positive_only is not None:
        return context.positive_only
    return context.source != "drive_test" and not sheet.format.records_no_service


def _taken(array: pa.Array, kept: Kept) -> pa.Array:
    return array if isinstance(kept, slice) else array.take(pa.array(kept))


def speed_mps(sheet: Sheet) -> Floats:
    """The speed of each whole row in metres per second; NaN where not given."""
    given = _either(sheet, "speed_mps", "speed_kmh", KMH_PER_MPS)
    return np.full(len(sheet.line), np.nan) if given is None else given


def _odd_speed(sheet: Sheet) -> pa.Array:
    """True where a speed is given that cannot be read: it may be a car's, and a car's weak level accuses nobody."""
    odd = np.zeros(len(sheet.line), bool)
    for field in ("speed_mps", "speed_kmh"):
        if field in sheet.cells:
            odd |= values.numbers(sheet.cells[field]).wrong
    return pc.if_else(pa.array(odd), pa.scalar(True), pa.scalar(None, pa.bool_()))


def _devices(sheet: Sheet, origin: Origin) -> pa.Array:
    """The hash of each row's device, else of the upload's, else "unknown"."""

    def hashed(text: str) -> str | None:
        named = values.given(text)
        nobody = named is None or fold(text) in {"unknown", ""}
        return None if nobody else device_hash(origin.device_key, text)

    return pc.fill_null(values.words(sheet.get("device"), hashed), origin.context.device or "unknown")


def _serving_cell(sheet: Sheet) -> pa.Array:
    """The serving cell as the file names it, else area-node-cell as far as known; missing without a cell number."""

    def number(text: str) -> str | None:
        return None if text.casefold() in _NO_CELL else text

    def prefix(text: str) -> str:
        return "" if number(text) is None else f"{text}-"

    whole = values.words(sheet.get("serving_cell"), number)
    if "cell_number" not in sheet.cells:  # without it there is nothing to join
        return whole
    return pc.coalesce(whole, _joined(sheet, prefix, number))


def _joined(sheet: Sheet, prefix: Callable[[str], str], number: Callable[[str], str | None]) -> pa.Array:
    area = values.words(sheet.get("area_number"), prefix)
    node = values.words(sheet.get("node_number"), prefix)
    return pc.binary_join_element_wise(area, node, values.words(sheet.get("cell_number"), number), "")


def _either(sheet: Sheet, field: str, other: str, per_unit: float) -> Floats | None:
    """A field in our unit, else another in a unit of which `per_unit` make one of ours; NaN where neither.

    None where the file has neither column.
    """
    ours, theirs = _numbers(sheet, field), _numbers(sheet, other)
    ours = None if ours is None else not_negative(ours)
    if theirs is None:
        return ours
    turned = not_negative(theirs) / per_unit
    return turned if ours is None else np.where(np.isnan(ours), turned, ours)


def _numbers(sheet: Sheet, field: str) -> Floats | None:
    return values.numbers(sheet.cells[field]).values if field in sheet.cells else None


def _optional(numbers: Floats) -> pa.Array:
    """Arrow 32-bit numbers, missing where NaN."""
    return pa.array(numbers.astype(np.float32), from_pandas=True)


def _where(here: Bools, numbers: Floats) -> pa.Array:
    """The numbers of those rows, missing elsewhere and where NaN."""
    return _optional(np.where(here, numbers, np.nan)) if here.any() else _none(len(here))


def _none(count: int) -> pa.Array:
    return pa.nulls(count, pa.float32())


def _either_of(sheet: Sheet, fields: tuple[str, str], per_unit: float, kept: Kept, count: int) -> pa.Array:
    found = _either(sheet, *fields, per_unit)
    return _none(count) if found is None else _optional(found[kept])
