"""A peer of benchmarks/peers.py: the stage from measurements to the evidence of hexes and places, in DuckDB's SQL by hand.

Written for what is there and nothing else: no half-life (every test weighs 1), no outages, no new sites.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
from h3ronpy import change_resolution
from h3ronpy.vector import coordinates_to_cells

from coverage.criteria import THRESHOLD_NAMES, Criteria, ThresholdName
from coverage.hex_sums import suffix

KEY = "operator, device, hex_res10, half_hour, calibrated, positive_only"
_PLACE = "place_id, operator"


def connect(scratch: Path) -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect()
    engine.execute("SET enable_progress_bar = false")
    # Ours has 1000 MB and goes stretch by stretch; in one piece ten million rows need more.
    engine.execute("SET memory_limit = '4000MB'")
    engine.execute("SET temp_directory = ?", [str(scratch)])
    return engine


def evidence(
    engine: duckdb.DuckDBPyConnection, parts: list[str], pooled: pd.DataFrame, criteria: Criteria, days: tuple
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Evidence of hexes and of places, and expired tests; `days` = the first that has expired, and the last that counts."""
    source = f"read_parquet({parts})"
    engine.execute(f"CREATE TEMP TABLE tests AS {tests(_seconds(engine, source, criteria, days), criteria)}")
    engine.register("place_hexes", pooled)
    engine.execute(
        "CREATE TEMP TABLE pooled AS SELECT *, count(*) OVER (PARTITION BY place_id) AS hexes FROM place_hexes"
    )
    expired = engine.execute(f"""
        SELECT hex_res9 AS hex, operator, count(*) AS expired_tests FROM (
            SELECT DISTINCT hex_res9, operator, device, hex_res10, epoch_ms(time_utc) // 1800000, calibrated,
                positive_only
            FROM {source} WHERE time_utc < DATE '{days[0]}' + INTERVAL 2 DAY AND {_local_date(criteria)} <= '{days[0]}'
        ) GROUP BY hex, operator""").df()  # fmt: skip
    _bundles(engine)
    found = engine.execute(_evidence(criteria)).df()
    alone = found.pop("alone")
    hexes, places = found[alone], found[~alone]
    return *(
        rows.sort_values(["place_id", "operator"], ignore_index=True) for rows in (hexes, places)
    ), expired


def _local_date(criteria: Criteria) -> str:
    shifted = f"(time_utc + INTERVAL {round(criteria.utc_offset_hours * 60)} MINUTE)::DATE"
    return f"CASE WHEN time_precision = 'date' THEN local_date ELSE {shifted} END"


def limit(criteria: Criteria, name: ThresholdName) -> str:
    cases = " ".join(
        f"WHEN '{technology}' THEN {value}::DOUBLE"
        for technology, value in criteria.thresholds_dbm.at(name).items()
    )
    return f"CASE technology {cases} END"


def _seconds(engine: duckdb.DuckDBPyConnection, source: str, criteria: Criteria, days: tuple) -> str:
    # What each phone says each second at each threshold: 0 = fail, 1 = unknown, 2 = pass, and its margin.
    low, high = criteria.levels.silent_margin_db, criteria.levels.cap_margin_db
    loss = criteria.evidence.vehicle_loss_db
    rows = f"""
        SELECT operator, device, hex_res10, epoch_ms(time_utc) // 1800000 AS half_hour, calibrated, positive_only,
            date_trunc('second', time_utc) AS second, hex_res9 AS hex, {_local_date(criteria)} AS local_day,
            CASE WHEN positive_only THEN 4 ELSE CASE WHEN calibrated THEN 1 WHEN source = 'drive_test' THEN 2
                ELSE 3 END + CASE WHEN accuracy_m IS NULL THEN 1 ELSE 0 END END AS grade,
            service_state IN ('no_service', 'emergency_only') AS mute, technology,
            coalesce(rsrp_dbm, ss_rsrp_dbm)::DOUBLE AS rsrp,
            coalesce(rsrp_dbm, ss_rsrp_dbm, rscp_dbm, rxlev_dbm)::DOUBLE AS level,
            mute OR (coalesce(technology, '') = 'GSM' AND (service_state = 'in_service' OR level IS NOT NULL)) AS silent,
            coalesce(in_vehicle, speed_mps >= {criteria.evidence.vehicle_speed_mps}, false) AS moving,
            {", ".join(f"level - {limit(criteria, name)} AS above_{name}" for name in THRESHOLD_NAMES)}
        FROM {source} WHERE local_day > '{days[0]}' AND local_day <= '{days[1]}'"""

    def said(name: ThresholdName) -> str:
        above = f"above_{name}"
        return f"""CASE WHEN silent THEN CASE WHEN positive_only THEN 1 ELSE 0 END WHEN {above} >= 0 THEN 2
            WHEN {above} IS NULL OR positive_only OR (moving AND {above} >= -{loss}) THEN 1 ELSE 0 END AS said_{name},
            CASE WHEN NOT silent AND {above} IS NOT NULL
                THEN least({high}::DOUBLE, greatest({low}::DOUBLE, {above})) END AS margin_{name}"""

    weak = f"coalesce(NOT silent AND moving AND above_headline < 0 AND above_headline >= -{loss}, false)"
    scored = f"""SELECT {KEY}, second, hex, local_day, grade, mute, rsrp, silent AND NOT positive_only AS quiet,
        {weak} AS weak, {", ".join(map(said, THRESHOLD_NAMES))} FROM ({rows})"""
    # Nobody groups by seconds what comes once a second: only the tests in which one comes twice.
    engine.execute(f"""CREATE TEMP TABLE crowded AS
        SELECT DISTINCT {KEY} FROM (SELECT {KEY} FROM ({rows}) GROUP BY {KEY}, epoch(second)::BIGINT // 30
        HAVING sum(1 << (epoch(second)::BIGINT % 30)) <> bit_or(1 << (epoch(second)::BIGINT % 30)))""")
    if engine.execute("SELECT count(*) FROM crowded").fetchone() == (0,):
        return scored
    best = f"""SELECT {KEY}, second, min(hex) AS hex, min(local_day) AS local_day, min(grade) AS grade,
        bool_and(mute) AS mute, max(rsrp) AS rsrp, bool_and(quiet) AS quiet, bool_or(weak) AS weak,
        {", ".join(f"max(said_{name}) AS said_{name}, max(margin_{name}) AS margin_{name}" for name in THRESHOLD_NAMES)}
        FROM ({scored}) SEMI JOIN crowded USING ({KEY}) GROUP BY {KEY}, second"""
    return f"SELECT * FROM ({scored}) ANTI JOIN crowded USING ({KEY}) UNION ALL BY NAME ({best})"


def tests(seconds: str, criteria: Criteria) -> str:
    low = criteria.levels.silent_margin_db

    # Fails in the low bits of one sum, passes in the high ones.
    def votes(name: ThresholdName) -> str:
        return f"""sum(CASE said_{name} WHEN 0 THEN 1 WHEN 2 THEN 4294967296 ELSE 0 END)::BIGINT AS votes_{name},
            votes_{name} >> 32 AS good_{name}, votes_{name} & 4294967295 AS bad_{name},
            median(CASE WHEN quiet THEN {low}::DOUBLE ELSE margin_{name} END) AS margin_{name}"""

    def fails(name: ThresholdName) -> str:
        good, bad = f"good_{name}", f"bad_{name}"
        return f"""CASE WHEN {good} + {bad} = 0 THEN NULL WHEN 2 * {bad} > seconds THEN true
            WHEN {good} >= {bad} THEN false END AS fails_{name}, margin_{name}"""

    return f"""
        SELECT {KEY}, hex, local_day, first, last, grade, seconds, silences, rsrp_dbm,
            epoch(first)::BIGINT // 14400 AS block, {", ".join(map(fails, THRESHOLD_NAMES))},
            fails_headline IS NULL AND weak AS weak_in_vehicle
        FROM (SELECT {KEY}, min(hex) AS hex, min(local_day) AS local_day, min(second) AS first, max(second) AS last,
            min(grade) AS grade, count(*) AS seconds, count_if(mute) AS silences, median(rsrp) AS rsrp_dbm,
            bool_or(weak) AS weak, {", ".join(map(votes, THRESHOLD_NAMES))}
        FROM ({seconds}) GROUP BY {KEY})"""


def _each(sql: str, names: tuple[ThresholdName, ...] = THRESHOLD_NAMES) -> str:
    # A piece of SQL for each threshold; $N is the threshold, $E what its columns end in.
    return ", ".join(sql.replace("$N", name).replace("$E", suffix(name)) for name in names)


def _bundles(engine: duckdb.DuckDBPyConnection) -> None:
    # All that can be added up is added up by hex, once for the hexes as places and for the places that pool them.
    counted = "fails_$N IS NOT NULL AND NOT positive_only"
    failed = "fails_$N AND NOT positive_only"
    others = " OR ".join(f"fails_{name} IS NOT NULL" for name in THRESHOLD_NAMES)
    made = {
        "bundles": f"""SELECT hex, operator, device, calibrated, block, count(fails_headline) AS decided,
            {_each(f"count(*) FILTER ({counted}) AS recorded_$N, count(*) FILTER ({failed}) AS fails_$N, count(margin_$N) AS levels_$N,"
                   " coalesce(sum(margin_$N), 0) AS margins_$N")} FROM tests GROUP BY ALL""",
        "dates": f"""SELECT hex, operator, local_day, count(fails_headline) AS decided,
            {_each(f"coalesce(bool_or({failed}), false) AS failed_$N")} FROM tests GROUP BY ALL""",
        "spots": f"""SELECT hex, operator, hex_res10, {_each(f"coalesce(bool_or({failed}), false) AS failed_$N")}
            FROM tests GROUP BY ALL""",
        "sums": f"""SELECT hex, operator, count(fails_headline) AS tests,
            min(first) FILTER (fails_headline IS NOT NULL) AS first,
            max(last) FILTER (fails_headline IS NOT NULL) AS last,
            count_if(fails_headline IS NOT NULL AND 2 * silences > seconds) AS silences,
            min(grade) FILTER (fails_headline IS NOT NULL) AS best_grade,
            count_if(positive_only AND fails_headline IS NOT NULL) AS positive_only_tests,
            count_if(weak_in_vehicle) AS vehicle_tests,
            {", ".join(f"count_if(grade = {at} AND fails_headline IS NOT NULL) AS grade_{grade}"
                       for at, grade in enumerate("ABCD", 1))},
            {_each(f"min(half_hour) FILTER ({failed}) AS from_$N, max(half_hour) FILTER ({failed}) AS to_$N")}
            FROM tests WHERE weak_in_vehicle OR {others} GROUP BY ALL""",
    }  # fmt: skip
    for name, sql in made.items():
        engine.execute(f"CREATE TEMP TABLE {name} AS {sql}")


def _pooled(table: str) -> str:
    return f"""(SELECT hex::VARCHAR AS place_id, true AS alone, 1 AS hexes, t.* FROM {table} AS t
        UNION ALL SELECT p.place_id, false, p.hexes, t.* FROM {table} AS t JOIN pooled AS p USING (hex))"""


def _evidence(criteria: Criteria) -> str:
    levels, rho = criteria.levels, criteria.evidence.rho
    by = f"1 + {rho} * greatest(sum($M) OVER w - 1, 0)"
    weighed = f"""SELECT place_id, alone, operator, hexes, device, calibrated, block, hex, decided,
        {_each("recorded_$N, fails_$N, levels_$N")},
        {
        _each(
            f"recorded_$N / ({by.replace('$M', 'recorded_$N')}) AS tests_$N, "
            f"fails_$N / ({by.replace('$M', 'recorded_$N')}) AS bad_$N, {by.replace('$M', 'levels_$N')} AS by_$N, "
            "levels_$N / by_$N AS w_$N, margins_$N / by_$N AS m_$N"
        )
    }
        FROM {_pooled("bundles")}
        WINDOW w AS (PARTITION BY place_id, operator, device, CASE WHEN calibrated THEN block ELSE -1 END)"""
    sums = _each("sum(w_$N) AS w_$N")
    return f"""
    WITH weighed AS MATERIALIZED ({weighed}),
    totals AS (SELECT {_PLACE}, any_value(alone) AS alone, {_each(
        "round(sum(tests_$N), 9) AS effective_tests$E, round(sum(bad_$N), 9) AS effective_fails$E, "
        "sum(recorded_$N)::BIGINT AS recorded_tests$E, sum(fails_$N)::BIGINT AS fails$E, sum(w_$N) AS w_$N, "
        f"sum(m_$N) AS m_$N, max(hexes) FILTER (levels_$N > 0) AS level_hexes$E, "
        f"sum(w_$N / by_$N) * {levels.test_db**2} AS of_tests_$N")}
        FROM weighed GROUP BY {_PLACE}),
    phones AS (SELECT {_PLACE}, {_each(
        f"sum(w_$N * free_$N) * {levels.device_db**2} AS of_phones_$N")},
        {_each("count_if(device <> 'unknown' AND recorded_$N > 0) AS heard_devices$E, "
               "count_if(device <> 'unknown' AND heard_$N > 0) AS heard_calibrated$E, "
               "count_if(device <> 'unknown' AND fails_$N > 0) AS fail_devices$E, "
               "count_if(device <> 'unknown' AND failed_$N > 0) AS fail_calibrated$E")},
        count_if(device <> 'unknown' AND decided > 0) AS devices
        FROM (SELECT {_PLACE}, device, sum(decided) AS decided, {_each(
            "sum(w_$N) AS w_$N, sum(CASE WHEN calibrated THEN 0 ELSE w_$N END) AS free_$N, "
            "sum(recorded_$N) AS recorded_$N, sum(fails_$N) AS fails_$N, "
            "sum(CASE WHEN calibrated THEN recorded_$N ELSE 0 END) AS heard_$N, "
            "sum(CASE WHEN calibrated THEN fails_$N ELSE 0 END) AS failed_$N")}
            FROM weighed GROUP BY {_PLACE}, device) GROUP BY {_PLACE}),
    visits AS (SELECT {_PLACE}, {_each(f"sum(w_$N * w_$N) * {levels.occasion_db**2} AS of_visits_$N")}
        FROM (SELECT {_PLACE}, device, block, {sums} FROM weighed GROUP BY {_PLACE}, device, block) GROUP BY {_PLACE}),
    blocks AS (SELECT {_PLACE}, count_if(decided > 0) AS occasions
        FROM (SELECT {_PLACE}, block, sum(decided) AS decided FROM weighed GROUP BY {_PLACE}, block) GROUP BY {_PLACE}),
    spread AS (SELECT {_PLACE}, {_each(f"sum(w_$N * w_$N) * {levels.hex_db**2} AS of_hexes_$N")}
        FROM (SELECT {_PLACE}, hex, {sums} FROM weighed WHERE hexes > 1 GROUP BY {_PLACE}, hex) GROUP BY {_PLACE}),
    days AS (SELECT {_PLACE}, count_if(decided > 0) AS dates, {_each("count_if(failed_$N) AS fail_dates$E")}
        FROM (SELECT {_PLACE}, local_day, sum(decided) AS decided, {_each("bool_or(failed_$N) AS failed_$N")}
            FROM {_pooled("dates")} GROUP BY {_PLACE}, local_day) GROUP BY {_PLACE}),
    corners AS (SELECT {_PLACE}, {_each("count_if(failed_$N) AS fail_hexes$E")} FROM {_pooled("spots")}
        GROUP BY {_PLACE}),
    summary AS (SELECT {_PLACE}, sum(tests)::BIGINT AS tests, min(first) AS first_test_utc, max(last) AS last_test_utc,
        sum(silences) / nullif(sum(tests), 0) AS no_service_share, min(best_grade) AS best_grade,
        sum(positive_only_tests)::BIGINT AS positive_only_tests, 0 AS outage_tests, 0 AS pre_change_tests,
        sum(vehicle_tests)::BIGINT AS vehicle_tests,
        {", ".join(f"sum(grade_{grade})::BIGINT AS grade_{grade}" for grade in "ABCD")},
        {_each("coalesce(max(to_$N) - min(from_$N), 0) * 1800 AS fail_span_s$E, 0 AS unanswered_tests$E")}
        FROM {_pooled("sums")} GROUP BY {_PLACE}),
    medians AS (SELECT {_PLACE}, median(rsrp_dbm) AS median_rsrp_dbm FROM {_pooled(
        "(SELECT hex, operator, rsrp_dbm FROM tests WHERE fails_headline IS NOT NULL)")} GROUP BY {_PLACE})
    SELECT totals.* EXCLUDE ({", ".join(f"w_{n}, m_{n}, of_tests_{n}" for n in THRESHOLD_NAMES)}),
        {_each("round(totals.w_$N, 9) AS level_tests$E, "
               "round(m_$N / nullif(totals.w_$N, 0), 9) AS level_margin_db$E, "
               "round((of_phones_$N + of_visits_$N + coalesce(of_hexes_$N, 0) + of_tests_$N) "
               "/ (nullif(round(totals.w_$N, 9), 0) * round(totals.w_$N, 9)), 9) AS level_variance_db2$E")},
        phones.* EXCLUDE ({_PLACE}, {_each("of_phones_$N")}), occasions, days.* EXCLUDE ({_PLACE}),
        corners.* EXCLUDE ({_PLACE}), summary.* EXCLUDE ({_PLACE}), median_rsrp_dbm
    FROM summary JOIN totals USING ({_PLACE}) JOIN phones USING ({_PLACE}) JOIN visits USING ({_PLACE})
        JOIN blocks USING ({_PLACE}) LEFT JOIN spread USING ({_PLACE}) JOIN days USING ({_PLACE})
        JOIN corners USING ({_PLACE}) LEFT JOIN medians USING ({_PLACE})"""  # fmt: skip


def headline(engine: duckdb.DuckDBPyConnection, file: Path, criteria: Criteria) -> pd.DataFrame:
    """Tests and fails of each hex and operator at the headline, from the file itself: columns hex, operator, tests, fails."""
    rules = criteria.evidence
    rows = engine.sql(f"""
        SELECT operator, device, time, lat, lon, coalesce(rsrp_dbm, ss_rsrp_dbm) - {limit(criteria, "headline")} AS above,
            CASE WHEN service_state IN ('no_service', 'emergency_only') THEN 0 WHEN above IS NULL THEN 1
            WHEN above >= 0 THEN 2
            WHEN speed_mps >= {rules.vehicle_speed_mps} AND above >= -{rules.vehicle_loss_db} THEN 1 ELSE 0 END AS said
        FROM read_csv('{file}', types = {{'operator': 'VARCHAR', 'rsrp_dbm': 'SMALLINT', 'ss_rsrp_dbm': 'SMALLINT'}})""").to_arrow_table()
    spots = coordinates_to_cells(rows["lat"].to_numpy(), rows["lon"].to_numpy(), 10)
    located = rows.drop_columns(["lat", "lon", "above"]).append_column(
        "spot", pa.array(spots).cast(pa.int64())
    )
    engine.register("located", located)
    votes = """
        SELECT operator, spot, count(*) AS seconds, count_if(said = 0) AS bad, count_if(said = 2) AS good
        FROM (SELECT operator, device, spot, time, max(said) AS said FROM located GROUP BY ALL)
        GROUP BY operator, device, spot, epoch_ms(time) // 1800000"""
    by_spot = engine.sql(f"""
        SELECT spot, operator, count(*) AS tests, count_if(2 * bad > seconds) AS fails
        FROM ({votes}) WHERE 2 * bad > seconds OR (good > 0 AND good >= bad) GROUP BY spot, operator""").to_arrow_table()
    engine.register("by_spot", by_spot.append_column("hex", pa.array(change_resolution(by_spot["spot"], 9))))
    return engine.execute("""
        SELECT hex::BIGINT AS hex, operator, sum(tests)::BIGINT AS tests, sum(fails)::BIGINT AS fails
        FROM by_spot GROUP BY ALL""").df()  # fmt: skip
