"""What each row says of the network: operator, technology, service state and level."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coverage.logs import headings, operators, quantities, values
from coverage.logs.cells import Cells
from coverage.logs.context import Context
from coverage.logs.formats.profile import LEVELS, Format
from coverage.logs.service_words import WITHOUT_SERVICE, silence, state_of
from coverage.logs.sheet import Sheet
from coverage.logs.values import Codes
from coverage.names import fold
from coverage.tables import SERVICE_STATES, TECHNOLOGIES

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
_IN_SERVICE, _NO_SERVICE, _UNKNOWN = (
    np.int8(SERVICE_STATES.index(one)) for one in ("in_service", "no_service", "unknown")
)
_WITHOUT = [SERVICE_STATES.index(one) for one in WITHOUT_SERVICE]
# Level fields in the order in which they are asked, and the technologies whose level each holds (None = any).
_HOLDERS: tuple[tuple[str, tuple[str, ...] | None], ...] = (
    ("ss_rsrp_dbm", ("NR",)),
    ("rscp_dbm", ("UMTS",)),
    ("rxlev_dbm", ("GSM",)),
    ("rsrp_dbm", None),
    ("level_dbm", None),
)
# Fields whose numbers become dBm by the row's technology; asked where no field gave dBm itself.
_CONVERTED: tuple[tuple[str, str, Callable[[str, Floats], Floats]], ...] = (
    ("level_or_asu", "asu_to_dbm", quantities.level_or_asu),
    ("level_asu", "asu_to_dbm", quantities.level_of_asu),
    ("level_index", "index_to_dbm", quantities.level_of_index),
)


@dataclass(frozen=True)
class Network:
    """The network side of every whole row.

    operator: missing where unknown; inferred: the row itself named no operator; technology, state: places among
    `TECHNOLOGIES`, -1 where unknown, and `SERVICE_STATES`; silent: no service, or emergency calls only; level: dBm, NaN where unknown or silent;
    has_level: a plausible level even if its technology is not known; bad_level, bad_state: the field whose text
    cannot be read, or none; converted: levels that were given in another way than dBm: code of the fix, rows, field.
    """

    operator: pa.Array
    inferred: Bools
    technology: Codes
    state: Codes
    silent: Bools
    level: Floats
    has_level: Bools
    bad_level: Mapping[str, Bools]
    bad_state: Bools
    converted: list[tuple[str, Bools, str]]


def read(sheet: Sheet, fmt: Format, context: Context, names: Mapping[str, str], heir: str | None) -> Network:
    """The network side of every whole row of the sheet; `context` fills what rows do not say.

    heir: the operator of rows that name none; None = nobody knows.
    """
    named = named_operator(sheet, fmt, names)
    own = _technology(sheet, fmt)
    stated = values.coded(sheet.get("service_state"), fmt.state_of or state_of, SERVICE_STATES)
    bad_state = (stated < 0) & ~values.missing(sheet.get("service_state"))
    stated, worded = _without_service(sheet, fmt, named, stated)
    technology = _filled(own, sheet, stated, context)
    level, bad_level, converted = _levels(sheet, technology)
    plausible = _plausible(level, technology)
    state = _state(stated, plausible, _camped(sheet, fmt, technology))
    silent = np.isin(state, _WITHOUT)
    has_level = plausible & ~silent
    return Network(
        operator=named if heir is None else pc.fill_null(named, heir),
        inferred=pc.is_null(named).to_numpy(zero_copy_only=False),
        technology=technology,
        state=state,
        silent=silent,
        level=np.where(has_level & (technology >= 0), level, np.nan),
        has_level=has_level,
        bad_level=bad_level,
        bad_state=bad_state,
        converted=converted + worded,
    )


def _technology(sheet: Sheet, fmt: Format) -> Codes:
    if fmt.technology is not None:
        return np.full(len(sheet.line), TECHNOLOGIES.index(fmt.technology), np.int8)

    def meaning(text: str) -> str | None:
        return fmt.technology_words.get(fold(text)) or quantities.technology(text)

    return values.coded(sheet.get("technology"), fmt.technology_of or meaning, TECHNOLOGIES)


def _null(array: pa.Array) -> Bools:
    found: Bools = pc.is_null(array).to_numpy(zero_copy_only=False)
    return found


def named_operator(sheet: Sheet, fmt: Format, names: Mapping[str, str]) -> pa.Array:
    """The operator that each row itself names: its digits before its name; missing where it names none."""

    def named(cells: Cells) -> pa.Array:
        # The header may stand in the file again: its word is no operator's name.
        nobody = fmt.no_service_operators | {(cells.name or "").casefold()}

        def name(text: str) -> str | None:
            is_none = text.casefold() in nobody or silence(text) is not None
            return None if is_none else operators.resolve(text, names)

        return values.words(cells, name)

    if "operator_code" not in sheet.cells:
        return named(sheet.get("operator"))
    return pc.coalesce(named(sheet.get("operator_code")), named(sheet.get("operator")))


def heir(in_file: frozenset[str], said: str | None, context: Context) -> str | None:
    """Whose the rows are that name no operator: the only one that other rows name, else the upload's or the file name's.

    Where the upload states (`said`) another one than the other rows, nobody knows whose silence it is: None.
    """
    found = next(iter(in_file)) if len(in_file) == 1 else context.operator
    return None if said is not None and found != said else found


def _without_service(
    sheet: Sheet, fmt: Format, named: pa.Array, stated: Codes
) -> tuple[Codes, list[tuple[str, Bools, str]]]:
    """The stated service states, with those told in place of operator, technology or level; and where by plain words."""
    by_operator = values.marked(
        sheet.get("operator"), lambda text: text.casefold() in fmt.no_service_operators
    )
    by_technology = values.marked(sheet.get("technology"), lambda text: text in fmt.no_service_technologies)
    silent = by_operator | (by_technology & _null(named))
    state = np.where(silent, _NO_SERVICE, stated)
    worded: list[tuple[str, Bools, str]] = []
    for field in ("operator", "technology", *LEVELS):
        if field in sheet.cells and any(map(silence, sheet.cells[field].texts.to_pylist())):
            said = values.coded(sheet.cells[field], silence, SERVICE_STATES)
            told = (said >= 0) & _untold(state)
            worded.append(("no_service_word", told, field))
            state = np.where(told, said, state)
    return state, worded


def _untold(state: Codes) -> Bools:
    """Rows whose service state is not told yet."""
    untold: Bools = (state < 0) | (state == _UNKNOWN)
    return untold


def _filled(own: Codes, sheet: Sheet, stated: Codes, context: Context) -> Codes:
    """The row's technology, else the upload's where the row is silent; never invented without service."""
    if context.technology is None:
        return own
    silent = values.missing(sheet.get("technology")) & ~np.isin(stated, _WITHOUT)
    return np.where(silent, np.int8(TECHNOLOGIES.index(context.technology)), own)


def _levels(sheet: Sheet, technology: Codes) -> tuple[Floats, dict[str, Bools], list[tuple[str, Bools, str]]]:
    """The level in dBm for each row's technology, NaN where its cell is empty; the unreadable cells; what was converted.

    The technology's own column comes first, then the columns that may hold the level of any technology:
    apps write RSCP and RxLev under the heading RSRP. Numbers that are no dBm come last.
    """
    level = np.full(len(sheet.line), np.nan)
    open_ = np.ones(len(sheet.line), bool)
    bad: dict[str, Bools] = {}
    converted: list[tuple[str, Bools, str]] = []
    for field, holders in _HOLDERS:
        if field not in sheet.cells:
            continue
        read_as = values.numbers(sheet.cells[field])
        bad[field] = read_as.wrong
        mine = open_ & ~values.missing(sheet.cells[field])
        if holders is not None:
            mine &= (technology < 0) | _is(technology, holders)
        elif field == "rsrp_dbm":
            mine &= ~_is(technology, _told_apart(sheet))
        level[mine] = read_as.values[mine]
        open_ &= ~mine
    for field, code, convert in _CONVERTED:
        if field in sheet.cells:
            read_as = values.numbers(sheet.cells[field])
            bad[field] = read_as.wrong
            mine = open_ & ~values.missing(sheet.cells[field])
            if sheet.format.generic and headings.of_lte(sheet.cells[field].name or ""):
                mine &= _is(technology, ("LTE",))
            made = _by_technology(technology, read_as.values, convert)
            level[mine] = made[mine]
            converted.append((code, mine & ~np.isnan(made) & (made != read_as.values), field))
            open_ &= ~mine
    return level, bad, converted


def _told_apart(sheet: Sheet) -> tuple[str, ...]:
    """The technologies whose level is not under RSRP: those with a column of their own, all others where it is LTE's.

    On a row of 5G beside LTE it is the anchor's.
    """
    name = sheet.get("rsrp_dbm").name or ""
    if sheet.format.generic and headings.of_lte(name):
        return tuple(one for one in TECHNOLOGIES if one != "LTE")
    return tuple(one for field, held in _HOLDERS if held and field in sheet.cells for one in held)


def _is(technology: Codes, wanted: tuple[str, ...]) -> Bools:
    return np.isin(technology, [TECHNOLOGIES.index(one) for one in wanted])


def _by_technology(technology: Codes, given: Floats, convert: Callable[[str, Floats], Floats]) -> Floats:
    made = np.full(len(given), np.nan)
    for name in TECHNOLOGIES:
        mine = _is(technology, (name,))
        made[mine] = convert(name, given[mine])
    return made


def _plausible(level: Floats, technology: Codes) -> Bools:
    """Which levels are plausible for their technology; where that is unknown, for any technology."""
    found = np.zeros(len(level), bool)
    for place, name in enumerate(TECHNOLOGIES):
        mine = (technology == place) | (technology < 0)
        if mine.any():
            found |= mine & quantities.plausible_level(name, level)
    return found


def _camped(sheet: Sheet, fmt: Format, technology: Codes) -> Bools:
    """Which rows were attached to a network: a valid technology and, but for some apps, a filled level cell."""
    known = technology >= 0
    if fmt.camped_by_technology:
        return known
    filled = np.zeros(len(known), bool)
    for field in LEVELS:
        if field in sheet.cells:
            filled |= ~values.missing(sheet.cells[field])
    return known & filled


def _state(stated: Codes, has_level: Bools, camped: Bools) -> Codes:
    default = np.where(has_level | camped, _IN_SERVICE, _UNKNOWN)
    return np.where(_untold(stated), default, stated)
