"""A real service whose log goes to a file, and what a test may ask of the log and of the metrics."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from serving import Service, free_port, get, serving, wait_for


@dataclass
class Heard(Service):
    """A service that can be listened to."""

    log: Path = field(default_factory=Path)

    def start(self) -> None:
        command = serving(self.workspace, self.port, self.workers, self.processes)
        with self.log.open("ab") as told:
            self.process = subprocess.Popen(command, env=os.environ | dict(self.settings), stderr=told)
        wait_for(self.address, self.process)

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """The lines of the log, each of which must be JSON; those of one event."""
        told = [json.loads(line) for line in self.text().splitlines()]
        return [one for one in told if event in {None, one["event"]}]


@contextmanager
def heard(folder: Path, workers: int = 1, processes: int = 1, **settings: object) -> Iterator[Heard]:
    """A service over `folder/workspace` while the block runs, its log in `folder/log`."""
    said = tuple((f"PHUSONG_{name.upper()}", str(value)) for name, value in settings.items())
    service = Heard(folder / "workspace", free_port(), workers, said, processes, log=folder / "log")
    service.start()
    try:
        yield service
    finally:
        service.stop()


def samples(address: str) -> dict[tuple[str, ...], float]:
    """Every sample of /metrics by its name and the values of its labels, sorted by the labels' names."""
    answer = get(f"{address}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(answer.text))
    assert families
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in families
        for one in family.samples
    }
