"""The table that `documents.geosubmit` makes: cells heard by Tower Collector, NeoStumbler and others.

Only the serving cell counts. A cell heard long before or after its position was fixed says nothing of the place.
The format has no report without something heard.
"""

from coverage.logs.formats.profile import Format, OtherRows

FORMAT = Format(
    name="geosubmit",
    title_vi="tệp JSON geosubmit (ichnaea, BeaconDB, Tower Collector)",
    title_en="geosubmit JSON (ichnaea, BeaconDB, Tower Collector)",
    records_no_service=False,
    columns={
        "time": ("timestamp_ms",),
        "lat": ("latitude",),
        "lon": ("longitude",),
        "accuracy_m": ("accuracy",),
        "speed_mps": ("speed",),
        "stale": ("stale",),
        "technology": ("radioType",),
        "kind": ("radioType",),
        "mcc": ("mcc",),
        "mnc": ("mnc",),
        "serving": ("serving",),
        "level_dbm": ("signalStrength",),
        "area_number": ("lac",),
        "cell_number": ("cellId",),
    },
    needs=(("time",), ("lat",), ("lon",), ("stale",), ("kind",), ("serving",), ("level_dbm",)),
    other_rows=(
        OtherRows("kind", frozenset({"wifi", "bluetooth"}), "not_mobile"),
        OtherRows("serving", frozenset({"0", "false"}), "neighbour_cell"),
        OtherRows("stale", frozenset({"true"}), "stale_position"),
    ),
)
