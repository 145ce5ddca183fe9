"""Where people live and what stands there: villages, places, power, sites, roads, and which hexes they hold."""

from __future__ import annotations

from coverage.contracts import Column, Table
from coverage.tables.values import (
    BOOL,
    BOUNDARIES,
    DATE,
    GRID_STATUSES,
    INT,
    PEOPLE_METHODS,
    PLACE_KINDS,
    POWER_EVIDENCE,
    REAL,
    TEXT,
    TIME,
)

# fmt: off
PLACES = Table(
    "places",
    "one place of a village where people live and service is judged",
    (
        Column("place_id", TEXT, "village_id/centre, village_id/c/CLUSTER, village_id/s/NUMBER or village_id/polygon"),
        Column("village_id", TEXT, "the village"),
        Column("kind", TEXT, "centre = nhà văn hoá; cluster = listed; settled = a settled part found in the population raster, where no cluster is listed; polygon = the whole village, where neither is known", values=PLACE_KINDS),
        Column("lat", REAL, "latitude in degrees; missing for a polygon", nullable=True, low=-90, high=90),
        Column("lon", REAL, "longitude in degrees; missing for a polygon", nullable=True, low=-180, high=180 ),
        Column("households", REAL, "households living there; missing = not known", nullable=True, low=0),
        Column("grid", BOOL, "on the national grid; missing = not known at this place", nullable=True),
        Column("share", REAL, "share of the village's people who live there; sums to 1 over its places other than the centre, which has 0", low=0, high=1),
        Column("share_around", REAL, "of a centre: share of the village's people on the hexes that speak for it; missing = not a centre, or no raster", nullable=True, low=0, high=1),
        Column("people_method", TEXT, "how the share was found: household counts of the clusters, people of the raster nearest to the place, all clusters alike, or one place that holds everybody", values=PEOPLE_METHODS),
    ),
)

PLACE_HEXES = Table(
    "place_hexes",
    "one hex whose observations are pooled for one place",
    (
        Column("place_id", TEXT, "the place"),
        Column("hex", INT, "H3 index at the resolution of the criteria"),
    ),
)

CROSSWALK = Table(
    "crosswalk",
    "one village × one hex that share ground",
    (
        Column("village_id", TEXT, "the village"),
        Column("hex", INT, "H3 index at the resolution of the criteria"),
        Column("area_km2", REAL, "area they share, in an equal-area projection", low=0),
        Column("village_share", REAL, "area_km2 as a share of the village's area; sums to 1 per village", low=0, high=1),
        Column("population", REAL, "people of the population raster on that ground; missing = no raster, or it does not cover the ground", nullable=True, low=0),
        Column("settled", BOOL, "whether at least the criteria's density of people lives there; missing = no raster", nullable=True),
    ),
)

VILLAGES = Table(
    "villages",
    "one village (thôn, buôn, bản, tổ dân phố); its polygon travels beside it as geometry, EPSG:4326",
    (
        Column("village_id", TEXT, "our stable id: the file's where unique, else made"),
        Column("village_name", TEXT, "name, Unicode NFC"),
        Column("commune_code", TEXT, "five-digit commune code; missing = not given and in no commune", nullable=True),
        Column("commune_name", TEXT, "commune name; missing = not known", nullable=True),
        Column("centre_lat", REAL, "latitude of the centre (nhà văn hoá); missing = not known", nullable=True, low=-90, high=90),
        Column("centre_lon", REAL, "longitude of the centre; missing = not known", nullable=True, low=-180, high=180),
        Column("households", REAL, "households; missing = not known", nullable=True, low=0),
        Column("population", REAL, "people; missing = not known", nullable=True, low=0),
        Column("especially_difficult", BOOL, "thôn đặc biệt khó khăn; missing = not known", nullable=True),
        Column("source", TEXT, "where the village comes from, e.g. the file's own source column"),
        Column("boundary", TEXT, "given = the file's polygon; derived = the ground nearer to this village than to any other, limited to its commune and to settled land; none = no shape: nobody knows where it is, or no ground is left for it", values=BOUNDARIES),
        Column("commune_code_given", TEXT, "the code in the file, where it was an old one and the present code took its place; missing = as commune_code", nullable=True),
    ),
)

COMMUNE_LINKS = Table(
    "commune_links",
    "one old commune and one present commune that took over all or part of it",
    (
        Column("old_code", TEXT, "code before the merger"),
        Column("old_name", TEXT, "name before the merger"),
        Column("new_code", TEXT, "present code; a number may be in use before and after for different communes"),
        Column("new_name", TEXT, "present name"),
        Column("partial", BOOL, "only a part of the old commune went there: its code alone does not tell where a village is"),
        Column("valid_to", DATE, "last day of the old code"),
        Column("valid_from", DATE, "first day of the present code"),
        Column("source", TEXT, "who says so"),
    ),
)

POWER = Table(
    "power",
    "what one source says of one village's electricity",
    (
        Column("village_id", TEXT, "the village"),
        Column("households", REAL, "households counted by that source; missing = not given", nullable=True, low=0),
        Column("households_grid", REAL, "of them on the national grid; missing = not given", nullable=True, low=0),
        Column("grid_status", TEXT, "what the source says outright; missing = its households decide", nullable=True, values=GRID_STATUSES),
        Column("source", TEXT, "who says so"),
        Column("evidence", TEXT, "class of the evidence; inferred never proves", values=POWER_EVIDENCE),
        Column("as_of", DATE, "date of the statement; missing = not given", nullable=True),
    ),
)

OUTAGES = Table(
    "outages",
    "one known outage of one village or commune, e.g. from the power utility's notices or an operator's log",
    (
        Column("village_id", TEXT, "the village; missing = the whole commune", nullable=True),
        Column("commune_code", TEXT, "the commune; missing = the village only", nullable=True),
        Column("operator", TEXT, "MCC+MNC, or the name as given; missing = every operator, as in a power cut", nullable=True),
        Column("from_utc", TIME, "when it began, UTC without zone"),
        Column("until_utc", TIME, "when it ended, UTC without zone"),
        Column("source", TEXT, "who says so"),
    ),
)

SITES = Table(
    "sites",
    "one radio cell or mast as a list names it; judges nothing",
    (
        Column("site_id", TEXT, "the file's own id of the mast, else operator-technology-cell (without a cell: its position); the cells of one mast may share it"),
        Column("operator", TEXT, "MCC+MNC, or the name as given; missing = not given", nullable=True),
        Column("technology", TEXT, "GSM, UMTS, LTE, NR, joined by + where a mast has several; else the file's own word (CDMA); missing = not given", nullable=True),
        Column("cell", TEXT, "the cell's numbers as the file names them: area-node-cell, those it gives; missing = not given", nullable=True),
        Column("lat", REAL, "WGS 84 latitude in degrees", low=-90, high=90),
        Column("lon", REAL, "WGS 84 longitude in degrees", low=-180, high=180),
        Column("name", TEXT, "what the list calls it; missing = not given", nullable=True),
        Column("range_m", REAL, "how far the list believes that the cell reaches, in metres; missing = not given", nullable=True, low=0),
        Column("azimuth_deg", REAL, "direction of the antenna, degrees clockwise from north; missing = not given", nullable=True, low=0, high=360),
        Column("height_m", REAL, "height of the antenna above the ground in metres; missing = not given", nullable=True, low=0, high=1000),
        Column("planned", BOOL, "the list calls it planned: not on air yet, whatever day it was to be"),
        Column("on_air", DATE, "day from which it is or is to be on air; missing = not given (on air unless planned)", nullable=True),
        Column("source", TEXT, "the file's own source where it has one, its name and kind; `simulated` where the file says so anywhere"),
    ),
)

LINES = Table(
    "lines",
    "one power line or transformer of a utility or a map; its line or point travels beside it, EPSG:4326",
    (
        Column("kind", TEXT, "what it is", values=("line", "transformer")),
        Column("voltage_kv", REAL, "nominal voltage in kilovolts; missing = not given", nullable=True, low=0, high=1500),
        Column("source", TEXT, "who says so"),
    ),
)

DECLARED = Table(
    "declared",
    "one area where an operator declares service; its polygon travels beside it, EPSG:4326. A claim, never evidence",
    (
        Column("operator", TEXT, "MCC+MNC, or the name as given"),
        Column("technology", TEXT, "technologies declared there, joined by +; missing = not said", nullable=True),
        Column("as_of", DATE, "date of the map; missing = not given", nullable=True),
        Column("source", TEXT, "the file's own source where it has one, else its name"),
    ),
)

ROADS = Table(
    "roads",
    "one road or mountain pass to report on; its line travels beside it, EPSG:4326",
    (
        Column("road_id", TEXT, "the file's id where unique, else made of the name"),
        Column("road_name", TEXT, "name, Unicode NFC"),
        Column("kind", TEXT, "pass (đèo) or road", values=("pass", "road")),
        Column("source", TEXT, "who says so"),
    ),
)
