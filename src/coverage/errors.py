"""The tree of our errors. Each says what, where, the value and the cure, in Vietnamese and English.

PhusongError
├── InputError            what the user gave cannot be used (command line: exit 2)
│   ├── FileRefused       a file that cannot be measurements: what it is, what is missing
│   ├── MappingRefused    a saved mapping of columns that cannot be read with
│   ├── PlacesRefused     a places file that cannot mean what it is given for
│   └── CriteriaRefused   rules that are incomplete or contradict themselves
├── NotFound              an upload, snapshot or place that does not exist (exit 2)
├── Conflict              what is asked contradicts what stands (exit 2)
├── TooLarge              a file beyond what is taken (exit 2)
├── AccessRefused         who asks is not known, or not any more (exit 1)
├── TooMany               too many tries in too short a time; it says how long to wait (exit 1)
├── DiskFull              too little free disk to take anything in safely (exit 1)
├── ArchiveUnavailable    the manifest cannot be reached or written now; trying again may help (exit 1)
├── EngineUnavailable     the cluster that shall judge cannot be used now (exit 1)
├── ContractBroken        a table of ours left its contract: a fault of ours (exit 1)
└── ArchiveDamaged        the archive does not hold what its manifest says (exit 1)

No HTTP here: the service has one table from these classes to status codes.
"""

from __future__ import annotations


class PhusongError(Exception):
    """An error for people: a stable code, and the message in Vietnamese (`vi`) and English (`en`)."""

    code = "error"

    def __init__(self, vi: str, en: str, *, code: str | None = None) -> None:
        super().__init__(f"{vi}\n{en}")
        self.vi = vi
        self.en = en
        if code is not None:
            self.code = code


class InputError(PhusongError):
    """What the user gave cannot be used; nothing was changed."""

    code = "bad_input"


class FileRefused(InputError):
    """A file that cannot be measurements: the message says what it is and what is missing."""

    code = "file_refused"


class MappingRefused(InputError):
    """A saved mapping that cannot be read with: the message names the key at fault."""

    code = "mapping_refused"


class PlacesRefused(InputError):
    """A places file that cannot mean what it is given for."""

    code = "places_refused"


class CriteriaRefused(InputError):
    """Criteria that are incomplete, unknown or contradict themselves."""

    code = "criteria_refused"


class NotFound(PhusongError):
    """An upload, snapshot or place that does not exist in this workspace."""

    code = "not_found"


class Conflict(PhusongError):
    """What is asked contradicts what stands: a key used for another file, a delivery that has ended."""

    code = "conflict"


class TooLarge(PhusongError):
    """A file beyond what is taken; the message says how much is."""

    code = "too_large"


class AccessRefused(PhusongError):
    """Who asks is not known, or not any more; the message never says which of the two."""

    code = "unauthenticated"


class TooMany(PhusongError):
    """Too many tries in too short a time; wait_s: the seconds until the next one is looked at."""

    code = "too_many"

    def __init__(self, vi: str, en: str, *, wait_s: int, code: str | None = None) -> None:
        super().__init__(vi, en, code=code)
        self.wait_s = wait_s


class DiskFull(PhusongError):
    """Too little free disk to take anything in safely; nothing was changed."""

    code = "disk_full"


class ArchiveUnavailable(PhusongError):
    """The manifest cannot be reached or written now; nothing was changed, trying again may help."""

    code = "archive_unavailable"


class EngineUnavailable(PhusongError):
    """The cluster that shall run the table expressions cannot be used, or gave up; nothing was changed."""

    code = "engine_unavailable"


class ContractBroken(PhusongError):
    """A table left its contract (see `tables`): a fault of ours, never of the user's file."""

    code = "contract_broken"


class ArchiveDamaged(PhusongError):
    """The archive does not hold what its manifest says."""

    code = "archive_damaged"
