"""A field file → measurements and outcomes, every row accounted for."""

from coverage.logs.context import Context
from coverage.logs.read import Log, Reading, Refused, open_logs, read_file
from coverage.logs.reasons import CODES, reason

__all__ = ["CODES", "Context", "Log", "Reading", "Refused", "open_logs", "read_file", "reason"]
