"""What a format is: which of the file's columns holds which of our fields, and the app's ways of speaking."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# Our fields, each with its unit in the name. `level_dbm` means what the row's technology says it means;
# `level_or_asu` is dBm where negative, else Android's signal unit (0…97) of the row's technology.
FIELDS = (
    "time", "time_utc", "date", "clock", "lat", "lon", "operator_code", "mcc", "mnc", "operator", "technology",
    "service_state", "device", "serving", "neighbour", "kind", "stale", "level_dbm", "level_or_asu", "level_asu", "level_index", "rsrp_dbm", "ss_rsrp_dbm", "rscp_dbm", "rxlev_dbm", "rsrq_db", "sinr_db", "accuracy_m",
    "speed_mps", "speed_kmh", "in_vehicle", "serving_cell", "area_number", "node_number", "cell_number",
    "download_mbps", "upload_mbps", "download_kbps", "upload_kbps",
)  # fmt: skip
# Fields that a table of unknown origin must hold once at most: two could be the serving cell and its neighbour.
NEEDED_ONCE = frozenset({
    "time", "lat", "lon", "operator", "technology", "service_state", "level_dbm", "rsrp_dbm", "ss_rsrp_dbm",
    "rscp_dbm", "rxlev_dbm",
})  # fmt: skip
DBM_LEVELS = ("level_dbm", "rsrp_dbm", "ss_rsrp_dbm", "rscp_dbm", "rxlev_dbm")
# Numbers that become dBm by the row's technology: ASU of phones, 3GPP's reported index.
LEVELS = (*DBM_LEVELS, "level_or_asu", "level_asu", "level_index")


@dataclass(frozen=True)
class Headerless:
    """A file without a header: its delimiter, the names of its columns in order, and its first line's shape."""

    delimiter: str
    names: tuple[str, ...]
    first_line: re.Pattern[str]


@dataclass(frozen=True)
class OtherRows:
    """Rows of a file that are no reading of the serving cell: those whose `field` says one of `words` (folded).

    code: the reason under which they are rejected.
    """

    field: str
    words: frozenset[str]
    code: str


@dataclass(frozen=True)
class Format:
    """One format as data.

    columns: our field → the file's names for it, best first; letter case, tones, spaces and signs do not
        count. Columns that are not listed are never read.
    needs: groups of fields; a file is of this format if each group is met by at least one column.
    no_service_operators, no_service_technologies: what the app writes in place of an operator, or of a
        technology while it names no operator, when there is no service.
    camped_by_technology: a row that names a technology is in service even if its level cell is empty.
    file_name: the app's own pattern for file names, with groups `operator` and `date`.
    preamble: what lines above the header look like, where the app writes any.
    headerless: the names of the columns of a file without a header, and what its first line looks like.
    technology: of every row, where the app writes one file per technology.
    technology_words: what only this app calls a technology (folded) → one of ours.
    state_of, technology_of: what a text of the service-state or technology column means, where no word does.
    other_rows: rows that are not the serving cell's.
    only_rows: the only rows that can be read: the others are rejected under the reason's code.
    records_no_service: the file says where there is no service; False where the app writes a row only while it
        hears a cell or has a connection, or nothing that is read could say so: such a file shows where service is,
        never where it is not.
    one_phone: all rows of a file are one phone's, one after another, so that its trace can be checked.
    generic: its names are common words that any table may use, so that its columns are held against their values.
    """

    name: str
    title_vi: str
    title_en: str
    columns: Mapping[str, tuple[str, ...]]
    needs: tuple[tuple[str, ...], ...]
    no_service_operators: frozenset[str] = frozenset()
    no_service_technologies: frozenset[str] = frozenset()
    camped_by_technology: bool = False
    file_name: re.Pattern[str] | None = None
    preamble: re.Pattern[str] | None = None
    headerless: Headerless | None = None
    technology: str | None = None
    technology_words: Mapping[str, str] = field(default_factory=dict)
    state_of: Callable[[str], str | None] | None = None
    technology_of: Callable[[str], str | None] | None = None
    other_rows: tuple[OtherRows, ...] = ()
    only_rows: tuple[OtherRows, ...] = ()
    records_no_service: bool = True
    one_phone: bool = False
    generic: bool = False


@dataclass(frozen=True)
class Foreign:
    """A table that is known and cannot be read as measurements: recognised by column names.

    has: all of these names are there; lacks: none of these is. `vi` and `en` say what it is and the cure.
    """

    has: tuple[str, ...]
    lacks: tuple[str, ...]
    vi: str
    en: str
