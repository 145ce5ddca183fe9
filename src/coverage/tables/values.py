"""The words that columns may hold, and the Arrow types of columns."""

from __future__ import annotations

import pyarrow as pa

SERVICE_STATES = ("in_service", "no_service", "emergency_only", "unknown")
TECHNOLOGIES = ("GSM", "UMTS", "LTE", "NR")
VERDICTS = ("covered", "below_standard", "dead_zone", "not_enough_evidence", "no_data")
STATUSES = ("trang_song", "lom_song", "phu_song", "chua_du_bang_chung", "chua_co_du_lieu")
DEAD_STATUSES = ("trang_song", "lom_song")
SUB_REASONS = (
    *("thin", "mixed", "single_device", "single_occasion", "single_spot"),
    *(
        "suspected_outage",
        "weak_service",
        "positive_only_source",
        "vehicle",
        "pre_change",
        "stale",
        "near_threshold",
        "unmeasured_part",
    ),
)
NOT_SPOTS = ("total", "partial", "undetermined")
GRID_STATUSES = ("national_grid", "off_grid", "none", "unknown")
LISTS = ("gaps", "no_power", "verify_power", "need_measurement")
PLACE_KINDS = ("centre", "cluster", "settled", "polygon")
BOUNDARIES = ("given", "derived", "none")
PEOPLE_METHODS = ("clusters", "raster", "equal", "whole")
POPULATION_SOURCES = ("list", "raster")
GRADES = ("A", "B", "C", "D")
PREDICTED_CLASSES = ("predicted_dead", "predicted_open", "predicted_served")
PREDICTION_METHODS = ("kriging", "kriging_terrain", "kriging_sites", "kriging_terrain_sites")
POWER_EVIDENCE = ("official_list", "utility", "field", "inferred")
UNKNOWN_DEVICE = "unknown"

# The RSRP-family column that holds the level of each technology (3GPP TS 36.133, 38.133, 25.133, 45.008).
LEVEL_COLUMNS = {"LTE": "rsrp_dbm", "NR": "ss_rsrp_dbm", "UMTS": "rscp_dbm", "GSM": "rxlev_dbm"}

TEXT, INT, REAL, BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()
TIME, DATE, LEVEL = pa.timestamp("us"), pa.date32(), pa.float32()
