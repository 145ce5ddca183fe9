"""A Spark cluster of the tests' own: a master and two workers on loopback, ended by their pids, logs in a temporary folder."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_READY_S = 60
_MASTER = "org.apache.spark.deploy.master.Master"
_WORKER = "org.apache.spark.deploy.worker.Worker"
_DEFAULTS = """
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.driver.memory 1g
spark.executor.memory 768m
spark.ui.enabled false
spark.sql.shuffle.partitions 2
spark.default.parallelism 2
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1
spark.sql.sources.parallelPartitionDiscovery.threshold 1000
"""
# Java's own word on what it does would drown ours.
_QUIET = """
rootLogger.level = error
rootLogger.appenderRef.file.ref = file
appender.file.type = Console
appender.file.name = file
appender.file.target = SYSTEM_ERR
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %p %c: %m%n
"""


@dataclass(frozen=True)
class Running:
    """A cluster that runs: its folder (logs, settings, scratch), its URL, its processes."""

    folder: Path
    url: str
    master: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a driver finds it."""
        return {"PHUSONG_ENGINE": self.url} | _variables(self.folder)


def require_spark() -> None:
    """Skips where PySpark or Java is absent, fails where CI lacks them."""
    missing = [
        what
        for what, there in (
            ("PySpark (pip install -r .ci/requirements-spark.lock)", importlib.util.find_spec("pyspark")),
            ("Java (apt-get install openjdk-17-jre-headless)", shutil.which("java")),
        )
        if not there
    ]
    if missing:
        told = f"absent: {', '.join(missing)}"
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)


def _variables(folder: Path) -> dict[str, str]:
    return {
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_LOCAL_DIRS": str(folder / "scratch"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_NO_DAEMONIZE": "1",
        "PYSPARK_PYTHON": sys.executable,
    }


def _start(folder: Path, name: str, told: str, *command: str) -> tuple[subprocess.Popen[bytes], str]:
    # The process, and what `told` finds in its log once it is ready.
    import pyspark  # noqa: PLC0415 - absent on most machines

    program = Path(pyspark.__file__).parent / "bin" / "spark-class"
    log = folder / f"{name}.log"
    with log.open("wb") as to:
        environment = os.environ | _variables(folder)
        process = subprocess.Popen([program, *command], cwd=folder, stdout=to, stderr=to, env=environment)
    until = time.monotonic() + _READY_S
    while time.monotonic() < until and process.poll() is None:
        if found := re.search(told, log.read_text(encoding="utf-8", errors="replace")):
            return process, found.group(0)
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(log.read_text(encoding="utf-8", errors="replace")[-2000:])


def _start_worker(folder: Path, name: str, url: str, memory: str) -> subprocess.Popen[bytes]:
    place = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0", "--work-dir", str(folder / "work"))
    room = ("--cores", "1", "--memory", memory)
    return _start(folder, name, "Successfully registered with master", _WORKER, *place, *room, url)[0]


@contextmanager
def cluster(folder: Path, workers: int = 2, defaults: str = "", memory: str = "1g") -> Iterator[Running]:
    """A standalone cluster of so many workers with one core and so much memory each; `defaults`: more lines of settings."""
    (folder / "conf").mkdir()
    (folder / "conf" / "spark-defaults.conf").write_text(_DEFAULTS + defaults, encoding="utf-8")
    place = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    started: list[subprocess.Popen[bytes]] = []
    try:
        master, url = _start(folder, "master", r"spark://127\.0\.0\.1:[1-9]\d*", _MASTER, *place)
        started.append(master)
        started += [_start_worker(folder, f"worker-{number}", url, memory) for number in range(workers)]
        # Only now: master and workers say in their logs when they are ready.
        (folder / "conf" / "log4j2.properties").write_text(_QUIET, encoding="utf-8")
        yield Running(folder, url, master, started[1:])
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(_READY_S)
