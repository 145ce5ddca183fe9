"""The formats that can be read, one small profile each; a new one is a file here, a line below and a sample."""

from coverage.logs.formats import canonical, gnettrack_csv, gnettrack_text
from coverage.logs.formats.profile import Format

# Asked in this order: apps with names of their own before the format that takes any common name.
FORMATS: tuple[Format, ...] = (gnettrack_text.FORMAT, gnettrack_csv.FORMAT, canonical.FORMAT)

__all__ = ["FORMATS", "Format"]
