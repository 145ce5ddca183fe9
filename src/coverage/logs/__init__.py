"""A field file → measurements and outcomes, every row accounted for."""

from coverage.logs.context import Context
from coverage.logs.read import open_logs, read_file
from coverage.logs.readings import Log, Reading, Refused
from coverage.logs.reasons import CODES, FIXES, fix, reason

__all__ = [
    "CODES",
    "FIXES",
    "Context",
    "Log",
    "Reading",
    "Refused",
    "fix",
    "open_logs",
    "read_file",
    "reason",
]
