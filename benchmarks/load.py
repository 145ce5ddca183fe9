"""What the service bears: pages of features beside a plain file and beside pygeoapi, and readers with uploaders together.

    python benchmarks/load.py [--villages 2000] [--requests 200] [--seconds 20] [--pygeoapi PYTHON]

PYTHON is the interpreter of an environment with pygeoapi and uvicorn (`pip install pygeoapi uvicorn`), which is not
installed beside us. Everything runs on loopback, is bounded, and stops by itself. Four clients with a connection each
ask, in turn: (a) for a file with the very bytes of a page of 1,000 features, which the same process serves;
(b) for that page again and again, as clients of one snapshot do; (c) for pages of which no two are alike, so that each
is made; (d) pygeoapi for pages of the same features, held in its memory. The rates are printed as ratios. Then (e) four
readers (80 % of the requests: pages, boxes, filters, lists, figures) and four uploaders (20 %: small logs that a worker
reads in and judges) for so many seconds: every answer must be right, every file that was acknowledged must be in the archive.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from serving import free_port, running
from snapshots import snapshot

from coverage.archive import history, snapshots
from coverage.archive.workspace import open_workspace

CLIENTS, PAGE = 4, 1000
ITEMS = "/ogc/collections/villages/items?limit=1000&offset={}"
# A process of the service with one more route: the file.
LAUNCHER = """
import sys
import uvicorn
from pathlib import Path
from starlette.staticfiles import StaticFiles
from coverage.archive.workspace import existing_workspace
from coverage.service.app import create_app
app = create_app(existing_workspace(Path(sys.argv[1])))
app.mount("/plain", StaticFiles(directory=sys.argv[2]))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[3]), log_level="warning")
"""


def asked(port: int, paths: Iterator[str], count: int) -> float:
    """Answers per second of so many requests by four clients; each must be a whole page."""

    def client(mine: list[str]) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for path in mine:
            line.request("GET", path)
            answer = line.getresponse()
            body = answer.read()
            assert answer.status == 200, body[:200]
            assert body.count(b'"Feature"') == PAGE, (path, body.count(b'"Feature"'))

    shares = [list(itertools.islice(paths, count // CLIENTS)) for _ in range(CLIENTS)]
    begun = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(client, shares))
    return count / (time.perf_counter() - begun)


@contextmanager
def process(*command: str, port: int, path: str) -> Iterator[None]:
    started = subprocess.Popen(command)
    try:
        _answers(port, path, started)
        yield
    finally:
        started.terminate()
        started.wait(30)


def _answers(port: int, path: str, started: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert started.poll() is None, "the server ended"
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with suppress(OSError):
            line.request("GET", path)
            assert line.getresponse().status == 200
            return
        time.sleep(0.1)
    raise SystemExit("the server did not answer")


def ours(root: Path, requests: int, folder: Path) -> dict[str, float]:
    port = free_port()
    with process(
        sys.executable, "-c", LAUNCHER, str(root), str(folder), str(port), port=port, path="/healthz"
    ):
        line = http.client.HTTPConnection("127.0.0.1", port)
        line.request("GET", ITEMS.format(0))
        (folder / "page.json").write_bytes(line.getresponse().read())
        same, plain = itertools.repeat(ITEMS.format(0)), itertools.repeat("/plain/page.json")
        fresh = (ITEMS.format(number) for number in itertools.count(1))
        asked(port, plain, CLIENTS)
        return {
            "a plain file": asked(port, plain, requests),
            "the same page": asked(port, same, requests),
            "new pages": asked(port, fresh, requests),
        }


def theirs(python: str, features: Path, requests: int) -> float:
    port = free_port()
    program = str(Path(__file__).with_name("peer_pygeoapi.py"))
    paths = (
        f"/collections/villages/items?f=json&limit={PAGE}&offset={number}" for number in itertools.count()
    )
    with process(python, program, str(features), str(port), port=port, path="/conformance?f=json"):
        asked(port, paths, CLIENTS)
        return asked(port, paths, requests)


def pages(root: Path, requests: int, python: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rates = ours(root, requests, Path(folder))
        if python is not None:
            features = Path(folder) / "villages.geojson"
            shown = snapshots.load(open_workspace(root).snapshots, history.latest_id(open_workspace(root)))
            from coverage.exports import lists

            features.write_bytes(lists.to_bytes(lists.select(shown, "villages"), "geojson"))
            rates["pygeoapi, new pages"] = theirs(python, features, requests)
    size = "1,000 features of 72 properties"
    print(f"\nPages of {size}, answers per second ({CLIENTS} clients, {requests} requests):")
    for name, rate in rates.items():
        print(f"  {name:22} {rate:8.1f}   {rate / rates['a plain file']:6.2f} of a plain file")
    if python is not None:
        peer = rates["pygeoapi, new pages"]
        print(
            f"  the same page {rates['the same page'] / peer:.1f} times, new pages {rates['new pages'] / peer:.1f} times pygeoapi"
        )


# --- readers and uploaders together


def read(address: str, until: float, seed: int, seen: Counter[str]) -> None:
    chance = random.Random(seed)  # noqa: S311 - which page to read
    line = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    while time.monotonic() < until:
        line.request("GET", _question(chance))
        answer = line.getresponse()
        answer.read()
        seen[f"GET {answer.status}"] += 1


def _question(chance: random.Random) -> str:
    west, south = 108 + chance.random() / 5, 11.8 + chance.random() / 5
    return chance.choice(
        [
            ITEMS.format(chance.randrange(4000)),
            f"/ogc/collections/gaps/items?bbox={west:.3f},{south:.3f},{west + 0.05:.3f},{south + 0.05:.3f}",
            f"/ogc/collections/hexes/items?limit=200&operator=45204&offset={chance.randrange(1000)}",
            "/ogc/collections/gaps/items?filter=dead_share%3E0.5",
            "/gaps.csv?operator=45204",
            "/kpi.json",
            "/ogc/collections",
        ]
    )


def upload(address: str, until: float, seen: Counter[str], crew: int) -> list[str]:
    """The deliveries that were acknowledged; one file is sent for four questions that the readers ask."""
    line = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    told: list[str] = []
    while time.monotonic() < until:
        sent = sum(count for kind, count in seen.items() if kind.startswith("PUT"))
        if sent * 5 > seen.total():
            time.sleep(0.005)
            continue
        times = (
            f"2026-10-09T08:{row:02}:00Z,{11.8 + len(told) / 1e5:.5f},{108 + crew / 10},45204,LTE,-97"
            for row in range(50)
        )
        body = "\n".join(["time,lat,lon,operator,technology,rsrp_dbm", *times]).encode()
        line.request("PUT", f"/v1/deliveries/{uuid.uuid4()}?name=crew-{crew}-{len(told)}.csv", body)
        answer = line.getresponse()
        content = answer.read()
        seen[f"PUT {answer.status}"] += 1
        if answer.status == 202:
            told.append(orjson.loads(content)["delivery_id"])
    return told


def together(root: Path, seconds: float) -> None:
    with running(root, workers=1) as service, ThreadPoolExecutor(2 * CLIENTS) as clients:
        until, seen = time.monotonic() + seconds, Counter[str]()
        readers = [clients.submit(read, service.address, until, seed, seen) for seed in range(CLIENTS)]
        crews = [clients.submit(upload, service.address, until, seen, crew) for crew in range(CLIENTS)]
        told = [delivery for crew in crews for delivery in crew.result()]
        for one in readers:
            one.result()
        print(f"\nReaders and uploaders for {seconds:g} s: {dict(seen)}")
        assert not [kind for kind in seen if kind.split()[1] not in {"200", "202"}], seen
        ended = Counter(_ended(service.address, delivery) for delivery in told)
        print(f"Of {len(told)} files that were acknowledged: {dict(ended)}")
        assert set(ended) == {"done"}, ended


def _ended(address: str, delivery: str) -> str:
    line = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    for _ in range(1200):
        line.request("GET", f"/v1/deliveries/{delivery}")
        state: str = orjson.loads(line.getresponse().read())["state"]
        if state in {"done", "refused", "failed"}:
            return state
        time.sleep(0.1)
    return "waiting"


def main() -> None:
    given = argparse.ArgumentParser()
    given.add_argument("--villages", type=int, default=2000)
    given.add_argument("--requests", type=int, default=200)
    given.add_argument("--seconds", type=float, default=20)
    given.add_argument("--pygeoapi", help="the Python of an environment that has pygeoapi and uvicorn")
    asked_for = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(Path(folder))
        shown = snapshot(asked_for.villages)
        snapshots.save(workspace.snapshots, shown)
        history.publish(workspace, shown.info, 0)
        pages(workspace.root, asked_for.requests, asked_for.pygeoapi)
        together(workspace.root, asked_for.seconds)


if __name__ == "__main__":
    main()
