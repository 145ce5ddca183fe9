"""What is told of hexes, places, villages, roads and claims."""

from __future__ import annotations

from collections.abc import Sequence

from coverage.contracts import Column, Table
from coverage.tables.ground import VILLAGES
from coverage.tables.values import (
    BOOL,
    BOUNDARIES,
    DATE,
    GRADES,
    GRID_STATUSES,
    INT,
    LISTS,
    NOT_SPOTS,
    PEOPLE_METHODS,
    PLACE_KINDS,
    POPULATION_SOURCES,
    POWER_EVIDENCE,
    PREDICTED_CLASSES,
    PREDICTION_METHODS,
    REAL,
    STATUSES,
    SUB_REASONS,
    TECHNOLOGIES,
    TEXT,
    TIME,
    VERDICTS,
)


# fmt: off
def _evidence_columns() -> Sequence[Column]:
    return (
        Column("operator", TEXT, "MCC+MNC or the file's own name"),
        Column("tests", INT, "observations that pass or fail at the headline thresholds", low=0),
        Column("fails", INT, "observations that fail there", low=0),
        Column("effective_tests", REAL, "tests of sources that also write silence, after allowing for one device repeating itself", low=0),
        Column("effective_fails", REAL, "fails, scaled alike", low=0),
        Column("devices", INT, "known devices that tested", low=0),
        Column("occasions", INT, "distinct four-hour blocks of the clock with tests, whoever made them", low=0),
        Column("dates", INT, "distinct local dates with tests", low=0),
        Column("fail_devices", INT, "known devices with a fail", low=0),
        Column("fail_dates", INT, "distinct local dates with a fail", low=0),
        Column("fail_hexes", INT, "distinct res-10 hexes with a fail", low=0),
        Column("outage_tests", INT, "observations left undecided during a known outage: fails that were set aside, or nothing known", low=0),
        Column("vehicle_tests", INT, "observations left undecided because they were weak inside a vehicle", low=0),
        Column("pre_change_tests", INT, "observations left undecided before a site of the operator went on air nearby: fails that were set aside, or nothing known", low=0),
        Column("positive_only_tests", INT, "tests, among those counted, of sources that never write no service", low=0),
        Column("expired_tests", INT, "observations older than the validity: they count for nothing", low=0),
        Column("first_test_utc", TIME, "first test; missing = none", nullable=True),
        Column("last_test_utc", TIME, "last test; missing = none", nullable=True),
        Column("median_rsrp_dbm", REAL, "median of the tests' RSRP; missing = none known", nullable=True),
        Column("no_service_share", REAL, "share of tests whose seconds were mostly without service; missing = no test", nullable=True, low=0, high=1),
        Column("evidence_grade", TEXT, "best grade among the tests; missing = no test", nullable=True, values=GRADES),
        Column("evidence_mix", TEXT, "how many tests of each grade, like 'B 4, C 2'; missing = no test", nullable=True),
        Column("fcc_grade", BOOL, "its fails would also meet the thresholds of place and number of the FCC's challenge process"),
        Column("level_margin_db", REAL, "weighted mean of the tests' margins over the headline threshold; missing = no level known", nullable=True),
        Column("p_dead", REAL, "probability that more than half of tests here fail; missing = no test of a source that also writes silence", nullable=True, low=0, high=1),
        Column("p_covered", REAL, "probability that fewer than a fifth fail, by count or by level, whichever says more; missing as p_dead", nullable=True, low=0, high=1),
        Column("verdict", TEXT, "what the evidence allows us to say", values=VERDICTS),
        Column("verdict_at_105", TEXT, "the same rule at the strict thresholds", values=VERDICTS),
        Column("verdict_at_121", TEXT, "the same rule at the lenient thresholds", values=VERDICTS),
        Column("verdict_voice", TEXT, "the same rule at the thresholds of voice", values=VERDICTS),
        Column("verdict_data_good", TEXT, "the same rule at the thresholds of good data", values=VERDICTS),
        Column("fails_to_dead", INT, "least number of further fails, each of another phone at another spot on another day, that make it a dead zone; missing = it is one, or more than 30", nullable=True, low=1),
        Column("passes_to_covered", INT, "least number of further tests, each of another phone and 10 dB above the threshold, that make it covered; missing = it is, or more than 30", nullable=True, low=1),
        Column("tests_to_overturn", INT, "of a dead zone the least number of such passes, of a covered place of such fails, after which it is that no more; missing = neither, or more than 30", nullable=True, low=1),
        Column("sub_reason", TEXT, "why there is not enough evidence; missing otherwise", nullable=True, values=SUB_REASONS),
    )


HEX_VERDICTS = Table(
    "hex_verdicts",
    "one measured hex for one operator; a hex without a row was not measured and has the verdict no_data",
    (
        Column("hex", INT, "H3 index at the resolution of the criteria"),
        *_evidence_columns(),
    ),
)

HEX_LEVELS = Table(
    "hex_levels",
    "one hex for one operator that was tested there, also where the tests decide nothing",
    (
        Column("hex", INT, "H3 index at the resolution of the criteria"),
        Column("operator", TEXT, "MCC+MNC or the file's own name"),
        Column("heard", BOOL, "a source tested there that also writes silence"),
        Column("margin_db", REAL, "median of the margins over the headline threshold of the tests of such sources; missing = no level known", nullable=True),
    ),
)

HEX_SIGNALS = Table(
    "hex_signals",
    "one hex for one operator and one technology: what was read there within validity. Rows count, not tests: a row that two uploads hold counts twice. It decides nothing",
    (
        Column("hex", INT, "H3 index at the resolution of the criteria"),
        Column("operator", TEXT, "MCC+MNC or the file's own name"),
        Column("technology", TEXT, "radio technology; missing = readings without service or of an unknown state, which name none", nullable=True, values=TECHNOLOGIES),
        Column("measurements", INT, "rows", low=1),
        Column("devices", INT, "known devices among them", low=0),
        Column("dates", INT, "distinct local dates", low=1),
        Column("drive_test_measurements", INT, "rows of drive tests", low=0),
        Column("median_dbm", REAL, "median of the technology's own level in dBm (rsrp_dbm, ss_rsrp_dbm, rscp_dbm or rxlev_dbm); missing = no level known", nullable=True, low=-156, high=-25),
        Column("p10_dbm", REAL, "the level in dBm that a tenth of them lie below; missing = no level known", nullable=True, low=-156, high=-25),
        Column("first_utc", TIME, "first reading"),
        Column("last_utc", TIME, "last reading"),
    ),
)

PREDICTIONS = Table(
    "predictions",
    "one hex that nobody measured for that operator, near measured ones: what to expect there. It ranks where to measure next, is never a gap and changes no verdict; a hex without a row is not predicted",
    (
        Column("hex", INT, "H3 index at the resolution of the criteria"),
        Column("operator", TEXT, "MCC+MNC or the file's own name"),
        Column("predicted_margin_db", REAL, "expected level above the headline threshold, within the bounds of the criteria"),
        Column("sd_db", REAL, "standard deviation of what a measured hex would show, calibrated on blocks of hexes left out", low=0),
        Column("p_below", REAL, "probability that the level is below the headline threshold", low=0, high=1),
        Column("predicted_class", TEXT, "what p_below amounts to by the criteria", values=PREDICTED_CLASSES),
        Column("nearest_measured_km", REAL, "distance to the nearest hex that was measured for the operator", low=0),
        Column("evidence_grade", TEXT, "always E: predicted, not measured", values=("E",)),
        Column("method", TEXT, "kriging of the neighbours' levels, of what a trend on terrain, sites or both leaves over where that is named", values=PREDICTION_METHODS),
    ),
)

PLACE_VERDICTS = Table(
    "place_verdicts",
    "one place for one operator, judged on the pooled observations of its hexes",
    (
        Column("place_id", TEXT, "the place"),
        Column("village_id", TEXT, "the village"),
        Column("kind", TEXT, "centre, cluster, settled or polygon", values=PLACE_KINDS),
        *_evidence_columns(),
    ),
)

ROAD_VERDICTS = Table(
    "road_verdicts",
    "one road or pass for one operator: how much of it each verdict covers; the shape beside it is its dead stretches",
    (
        Column("road_id", TEXT, "the road"),
        Column("road_name", TEXT, "its name"),
        Column("kind", TEXT, "pass (đèo) or road", values=("pass", "road")),
        Column("operator", TEXT, "MCC+MNC or the file's own name"),
        Column("operator_name", TEXT, "the operator's name for people"),
        Column("length_km", REAL, "length of the whole road", low=0),
        Column("dead_km", REAL, "length in hexes of verdict dead_zone", low=0),
        Column("below_standard_km", REAL, "length in hexes of verdict below_standard", low=0),
        Column("covered_km", REAL, "length in hexes of verdict covered", low=0),
        Column("undecided_km", REAL, "length in hexes of verdict not_enough_evidence", low=0),
        Column("unmeasured_km", REAL, "length in hexes that nobody measured; the five lengths sum to length_km", low=0),
        Column("longest_dead_km", REAL, "length of the longest dead stretch", low=0),
        Column("tests", INT, "tests in the road's hexes", low=0),
        Column("fails", INT, "of them failed", low=0),
    ),
)

RELIABILITY = Table(
    "reliability",
    "how far one operator's declared coverage holds in one commune: the share of tests passed inside the declared area",
    (
        Column("operator", TEXT, "MCC+MNC or the name as given"),
        Column("operator_name", TEXT, "the operator's name for people"),
        Column("commune_code", TEXT, "the commune; missing = all communes of the operator together", nullable=True),
        Column("commune_name", TEXT, "its name; missing = all communes together", nullable=True),
        Column("declared_km2", REAL, "declared area in hexes whose middle lies in it", low=0),
        Column("tested_km2", REAL, "of it, in hexes with a test", low=0),
        Column("tests", INT, "tests there that pass or fail at the headline thresholds", low=0),
        Column("passes", INT, "of them passed", low=0),
        Column("effective_tests", REAL, "tests after allowing for one device repeating itself", low=0),
        Column("devices", INT, "known devices that tested", low=0),
        Column("dates", INT, "distinct local dates with tests", low=0),
        Column("pass_share", REAL, "passes / tests; missing = no test", nullable=True, low=0, high=1),
        Column("low_share", REAL, "lower end of the 95 % interval on effective tests; missing = no test", nullable=True, low=0, high=1),
        Column("high_share", REAL, "its upper end", nullable=True, low=0, high=1),
    ),
)

VILLAGE_VERDICTS = Table(
    "village_verdicts",
    "one village for one operator, with power and the list it belongs to; the evidence from tests on is that of the place which decided",
    (
        *VILLAGES.columns[:4],
        Column("operator", TEXT, "MCC+MNC or the file's own name"),
        Column("operator_name", TEXT, "the operator's name for people"),
        Column("status", TEXT, "the village's status for this operator", values=STATUSES),
        Column("status_at_105", TEXT, "the same rule at the strict thresholds", values=STATUSES),
        Column("status_at_121", TEXT, "the same rule at the lenient thresholds", values=STATUSES),
        Column("status_voice", TEXT, "the same rule at the thresholds of voice", values=STATUSES),
        Column("status_data_good", TEXT, "the same rule at the thresholds of good data", values=STATUSES),
        Column("status_all_operators", TEXT, "status for the best of the operators in scope", values=STATUSES ),
        Column("not_spot", TEXT, "missing = the village is not dead for this operator", nullable=True, values=NOT_SPOTS),
        Column("sub_reason", TEXT, "why the status is not decided; missing = decided", nullable=True, values=SUB_REASONS),
        Column("centre_verdict", TEXT, "verdict at the centre", values=VERDICTS),
        Column("basis", TEXT, "what stands for where people live", values=("clusters", "settled", "polygon")),
        Column("dead_places", TEXT, "place ids judged dead, joined by ';'; empty = none"),
        Column("dead_share", REAL, "share of the village's people living at dead places, around the centre where only that is dead; missing = not known", nullable=True, low=0, high=1),
        Column("people_method", TEXT, "how that share was found, see places", values=PEOPLE_METHODS),
        Column("grid_status", TEXT, "national_grid, off_grid, none or unknown", values=GRID_STATUSES),
        Column("electrified", BOOL, "on the grid by proof, at the dead place where known; missing = not proven either way", nullable=True),
        Column("power_source", TEXT, "who says so; missing = nobody", nullable=True),
        Column("power_as_of", DATE, "date of the statement; missing = not given", nullable=True),
        Column("power_evidence", TEXT, "class of its evidence; missing = nobody says anything", nullable=True, values=POWER_EVIDENCE),
        Column("power_conflict", TEXT, "who says otherwise, in one line; missing = nobody", nullable=True),
        Column("households", REAL, "households; missing = not known", nullable=True, low=0),
        Column("population", REAL, "people; missing = not known", nullable=True, low=0),
        Column("population_source", TEXT, "where the number of people comes from: the villages file, or the population raster; missing = not known", nullable=True, values=POPULATION_SOURCES),
        Column("population_affected", REAL, "people at dead places; missing = not known", nullable=True, low=0),
        Column("population_undecided", REAL, "people at places that are unmeasured or lack evidence: how many more it may be; missing = not known", nullable=True, low=0),
        Column("households_affected", REAL, "households at dead places; missing = not known", nullable=True, low=0),
        Column("boundary", TEXT, "what the village's polygon is, see villages", values=BOUNDARIES),
        Column("especially_difficult", BOOL, "thôn đặc biệt khó khăn; missing = not known", nullable=True),
        *[
            c
            for c in _evidence_columns()
            if c.name
            in (
                "tests",
                "fails",
                "effective_tests",
                "devices",
                "occasions",
                "first_test_utc",
                "last_test_utc",
                "median_rsrp_dbm",
                "no_service_share",
                "evidence_grade",
                "evidence_mix",
                "fcc_grade",
                "level_margin_db",
                "p_dead",
                "p_covered",
                "outage_tests",
                "vehicle_tests",
                "pre_change_tests",
                "positive_only_tests",
                "expired_tests",
            )
        ],
        Column("claimed", BOOL, "the operator declares service where the village is dead; missing = not dead, or no map of that operator", nullable=True),
        Column("site_id", TEXT, "the operator's nearest known site on air; missing = none known, or the village is not dead", nullable=True),
        Column("site_distance_km", REAL, "how far it is from the place that decides", nullable=True, low=0),
        Column("site_terrain_blocks", BOOL, "whether the ground stands in the path from that site; missing = no terrain model there", nullable=True),
        Column("planned_site_id", TEXT, "the operator's nearest site that is planned and not yet on air; missing = none known", nullable=True),
        Column("planned_site_distance_km", REAL, "how far it will be", nullable=True, low=0),
        Column("planned_on_air", DATE, "when it is to go on air; missing = not said", nullable=True),
        Column("predicted_p_below", REAL, "largest mean p_below of the predictions at one of its undecided places; missing = not in need_measurement, or nothing predicted there", nullable=True, low=0, high=1),
        Column("survey_rank", INT, "1 = measure first; missing = not in need_measurement", nullable=True, low=1),
        Column("who_must_act", TEXT, "missing = nobody yet", nullable=True, values=("operator", "operator_with_public_fund", "power_utility", "verify_power", "measure")),
        Column("list", TEXT, "the list it is printed in; missing = none", nullable=True, values=LISTS),
        Column("priority", INT, "1 = first; missing = not a gap", nullable=True, low=1),
        Column("reason", TEXT, "the reason in one Vietnamese sentence"),
        Column("reason_en", TEXT, "the reason in one English sentence"),
        Column("what_would_change", TEXT, "what evidence would change the status, in one Vietnamese sentence"),
        Column("what_would_change_en", TEXT, "the same in English"),
    ),
)
