"""A field file → measurements and outcomes, every row accounted for."""

from coverage.logs.context import Context
from coverage.logs.read import Reading, Refused, read_file
from coverage.logs.reasons import CODES, reason

__all__ = ["CODES", "Context", "Reading", "Refused", "read_file", "reason"]
