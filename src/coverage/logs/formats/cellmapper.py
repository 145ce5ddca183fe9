"""CellMapper's CSV: no header and no time; date and operator stand in the name of the file only.

The app writes a row only while it hears a cell.
"""

import re

from coverage.logs.formats.profile import Format, Headerless

FORMAT = Format(
    name="cellmapper",
    title_vi="tệp CSV của CellMapper",
    title_en="CellMapper CSV",
    records_no_service=False,
    columns={
        "lat": ("latitude",),
        "lon": ("longitude",),
        "mcc": ("MCC",),
        "mnc": ("MNC",),
        "area_number": ("LAC",),
        "cell_number": ("CID",),
        "level_dbm": ("signal",),
        "technology": ("type",),
    },
    needs=(("lat",), ("lon",), ("mcc",), ("mnc",), ("level_dbm",), ("technology",)),
    file_name=re.compile(r"^(?P<operator>[^_]+)_signal-(?P<date>\d{4}-\d\d-\d\d)"),
    headerless=Headerless(
        ",",
        (
            "latitude",
            "longitude",
            "altitude",
            "MCC",
            "MNC",
            "LAC",
            "CID",
            "signal",
            "type",
            "subtype",
            "ARFCN",
            "PSC",
        ),
        re.compile(
            r"^-?\d{1,2}\.\d+,-?\d{1,3}\.\d+,-?\d+(?:\.\d+)?,\d{3},\d{1,3},\d*,\d*,-?\d+,[A-Z]+,[\w+-]*,-?\d*,-?\d*$"
        ),
    ),
)
