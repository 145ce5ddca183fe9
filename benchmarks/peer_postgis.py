"""A peer of benchmarks/peers.py: PostgreSQL with PostGIS, in a cluster of its own that is thrown away.

It does less than ours: no archive, no account of rows, no level, one threshold; but for villages it finds the dead centres
by the same rule, and the tests and fails of the hexes that share ground with them. Cells and outlines of H3 are made
for it outside of its time.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psycopg

# fsync and WAL are off: nothing here must outlast a crash. Everything else as a careful owner of 8 GB would set it.
SETTINGS = (
    *("shared_buffers=512MB", "work_mem=256MB", "maintenance_work_mem=256MB", "effective_cache_size=4GB"),
    *(
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "wal_level=minimal",
        "max_wal_senders=0",
    ),
    *("max_wal_size=4GB", "autovacuum=off", "max_parallel_workers_per_gather=2", "listen_addresses="),
)
_USER = "phusong"
_READY_S = 60

TABLES = """
CREATE UNLOGGED TABLE log (time timestamp, lat float8, lon float8, operator text, technology text, rsrp_dbm int2,
    ss_rsrp_dbm int2, service_state text, device text, accuracy_m int2, speed_mps int2, hex10 int8, hex9 int8);
CREATE UNLOGGED TABLE hexes (hex int8, outline text);
CREATE UNLOGGED TABLE villages (village_id text, lat float8, lon float8, outline text)"""

# An expression by itself is copied wherever it is named; a lateral one is worked out once a row.
TESTS = """
CREATE UNLOGGED TABLE tests AS
WITH seconds AS (
    SELECT operator, device, hex10, hex9, time, max(said) AS said
    FROM log, LATERAL (SELECT coalesce(rsrp_dbm, ss_rsrp_dbm) - CASE technology WHEN 'LTE' THEN -115 WHEN 'NR' THEN -110 END
            AS above OFFSET 0) AS a,
        LATERAL (SELECT CASE WHEN service_state IN ('no_service', 'emergency_only') THEN 0 WHEN above IS NULL THEN 1
            WHEN above >= 0 THEN 2 WHEN speed_mps >= 7 AND above >= -10 THEN 1 ELSE 0 END AS said) AS s
    GROUP BY operator, device, hex10, hex9, time),
votes AS (
    SELECT operator, device, hex10, hex9, floor(extract(epoch FROM time) / 1800)::int8 AS half_hour, count(*) AS seconds,
        min(time)::date AS day, count(*) FILTER (WHERE said = 0) AS bad, count(*) FILTER (WHERE said = 2) AS good
    FROM seconds GROUP BY 1, 2, 3, 4, 5)
SELECT operator, device, hex10, hex9 AS hex, half_hour, day, 2 * bad > seconds AS failed
FROM votes WHERE 2 * bad > seconds OR good > 0 AND good >= bad"""

PLACES = """
CREATE UNLOGGED TABLE hex_shapes AS SELECT hex, ST_GeomFromText(outline, 4326) AS shape FROM hexes;
CREATE UNLOGGED TABLE village_shapes AS SELECT village_id, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS centre,
    ST_GeomFromText(outline, 4326) AS shape FROM villages;
CREATE INDEX ON hex_shapes USING gist (shape);
CREATE INDEX ON village_shapes USING gist (shape);
ANALYZE hex_shapes; ANALYZE village_shapes; ANALYZE tests;
CREATE UNLOGGED TABLE hex_tests AS
    SELECT hex, operator, count(*) AS tests, count(*) FILTER (WHERE failed) AS fails FROM tests GROUP BY hex, operator;
CREATE UNLOGGED TABLE village_tests AS
    SELECT v.village_id, t.operator, sum(t.tests) AS tests, sum(t.fails) AS fails
    FROM village_shapes v JOIN hex_shapes h ON ST_Intersects(v.shape, h.shape) JOIN hex_tests t USING (hex)
    GROUP BY v.village_id, t.operator"""

# A centre pools the hex of its point and those that touch it. P(p > 0.5) of a Beta with halves added is an integral of
# sin^2k cos^2(n-k) over angles: smooth, so that a hundred steps give ten digits.
DEAD = """
CREATE UNLOGGED TABLE dead AS
WITH pooled AS MATERIALIZED (
    SELECT v.village_id, around.hex FROM village_shapes v JOIN hex_shapes own ON ST_Contains(own.shape, v.centre)
        JOIN hex_shapes around ON ST_DWithin(own.shape, around.shape, 1e-9)),
devices AS (
    SELECT village_id, operator, device, count(*) AS m, count(*) FILTER (WHERE failed) AS fails
    FROM pooled JOIN tests USING (hex) GROUP BY village_id, operator, device),
counted AS (
    SELECT village_id, operator, sum(m / (1 + (m - 1) * 0.3))::float8 AS n, sum(fails / (1 + (m - 1) * 0.3))::float8 AS k,
        count(*) FILTER (WHERE fails > 0) AS phones
    FROM devices GROUP BY village_id, operator),
floors AS (
    SELECT village_id, operator, count(DISTINCT day) AS days, count(DISTINCT hex10) AS spots,
        max(half_hour) - min(half_hour) AS half_hours
    FROM pooled JOIN tests USING (hex) WHERE failed GROUP BY village_id, operator)
SELECT village_id, operator FROM counted JOIN floors USING (village_id, operator), LATERAL (
    SELECT sum(f) FILTER (WHERE step >= 100) / sum(f) AS p_dead FROM (
        SELECT step, sin((step + 0.5) * pi() / 400) ^ (2 * k) * cos((step + 0.5) * pi() / 400) ^ (2 * (n - k)) AS f
        FROM generate_series(0, 199) AS step) AS steps) AS jeffreys
WHERE round(k::numeric, 9) >= 3 AND phones >= 2 AND days >= 2 AND spots >= 2 AND half_hours >= 24 AND p_dead >= 0.95"""


def villages_with_dead_centre(folder: Path, given: dict[str, Path]) -> tuple[pd.DataFrame, int]:
    """Tests and fails of each hex and operator, and how many villages have a centre dead for some operator."""
    with psycopg.connect(host=str(folder), user=_USER, dbname="postgres", autocommit=True) as connection:
        connection.execute(
            "DROP SCHEMA IF EXISTS job CASCADE; CREATE SCHEMA job; SET search_path = job, public"
        )
        with connection.transaction():
            connection.execute(TABLES)
            for table, file in given.items():
                _copy(connection, table, file)
        for statement in (TESTS, PLACES, DEAD):
            connection.execute(statement)
        found = connection.execute("SELECT hex, operator, tests, fails FROM hex_tests").fetchall()
        dead = connection.execute("SELECT count(*) FROM dead").fetchone()
    return pd.DataFrame(found, columns=["hex", "operator", "tests", "fails"]), int(dead[0] if dead else 0)


def _copy(connection: psycopg.Connection, table: str, file: Path) -> None:
    order = f"COPY {table} FROM STDIN WITH (FORMAT csv, HEADER true)"
    with connection.cursor().copy(order.encode()) as copy, file.open("rb") as stream:
        while block := stream.read(1 << 20):
            copy.write(block)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    own = shutil.which("initdb")
    places = [Path(own).resolve()] if own else []
    for program in (*found, *places):
        if program.with_name("postgres").exists():
            return program.parent
    raise SystemExit("No PostgreSQL: apt-get install postgresql postgresql-15-postgis-3")


@dataclass(frozen=True)
class Server:
    """Where the server's socket lies, and its first process."""

    folder: Path
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """User and system time of the server and of all its processes, those that are gone included."""
        first, *others = map(_stat, self._processes())
        ticks = sum(first[11:15]) + sum(sum(one[11:13]) for one in others)
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """Memory of the server and all its processes now, what they share counted once."""
        return sum(map(_pss_kb, self._processes())) / 1000

    def _processes(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(
            encoding="ascii"
        )
        return [self.process.pid, *map(int, children.split())]


def _stat(pid: int) -> list[int]:
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:  # it ended meanwhile, and its time is now the server's
        return [0] * 20
    return [0, *map(int, told[1:20])]


def _pss_kb(pid: int) -> int:
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(told.partition("Pss:")[2].split()[0]) if "Pss:" in told else 0


@contextmanager
def server() -> Iterator[Server]:
    """A running server with PostGIS, in a temporary folder."""
    programs = _programs()
    # PostgreSQL refuses to run as root: then it runs as the user that its package made.
    whose = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pg") as short:  # a socket's path must fit in 107 bytes
        folder = Path(short)
        if whose:
            shutil.chown(folder, "postgres", "postgres")
        layout = ("--auth=trust", f"--username={_USER}", "--encoding=UTF8", "--locale=C", "--no-sync")
        command = [programs / "initdb", "-D", folder / "data", *layout]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, **whose)
        settings = [part for one in (*SETTINGS, f"unix_socket_directories={folder}") for part in ("-c", one)]
        command = [programs / "postgres", "-D", folder / "data", *settings]
        with (folder / "log").open("ab") as told:
            process = subprocess.Popen(command, cwd=folder, stdout=told, stderr=told, **whose)
        try:
            _until_ready(folder, process)
            yield Server(folder, process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_READY_S)


def _until_ready(folder: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with psycopg.connect(
                host=str(folder), user=_USER, dbname="postgres", autocommit=True
            ) as connection:
                connection.execute("CREATE EXTENSION postgis")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError((folder / "log").read_text(encoding="utf-8")[-2000:])
