"""A service that is asked to end: senders are told, nobody waits at a door, a job is finished or given back."""

from __future__ import annotations

import os
import signal
import socket
import uuid
from pathlib import Path

import pytest
from listening import Heard, heard
from serving import get, settled
from test_deliveries import send as deliver
from test_service_faults import file_of
from test_service_processes import answering, children
from test_service_tus import VERSION, create
from test_service_uploads import all_of, cut_after, eventually, send, workers_of
from test_service_uploads import log as made_log

from coverage.archive import deliveries, jobs
from coverage.archive.manifest import reading
from coverage.archive.schema import JOBS
from coverage.archive.workspace import Workspace, open_workspace
from coverage.service import workers

FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="form.csv"\r\n\r\ntime,lat,'
MEMORY = Path("/dev/shm")  # noqa: S108


def refused(service: Heard) -> bool:
    """Whether nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", service.port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


def came(service: Heard, url: str) -> int | None:
    return get(service.address + url).json().get("offset")


@pytest.mark.parametrize("processes", [1, 2])
def test_senders_are_told_and_nobody_waits_at_the_door(tmp_path: Path, processes: int) -> None:
    content = made_log(1, 60)
    with heard(tmp_path, processes=processes) as service:
        (worker,) = workers_of(service)
        put_url = f"/v1/deliveries/{uuid.uuid4().hex}"
        tus_url = create(service.address, len(content)).headers["location"]
        tus_head = (f"Tus-Resumable: {VERSION['Tus-Resumable']}", "Upload-Offset: 0")
        piece = "Content-Type: application/offset+octet-stream"
        lines = [
            cut_after(service.address, f"PUT {put_url}?name=a.csv HTTP/1.1", 3000, content[:700]),
            cut_after(service.address, f"PATCH {tus_url} HTTP/1.1", 3000, content[:600], *tus_head, piece),
            cut_after(
                service.address,
                "POST /v1/uploads HTTP/1.1",
                3000,
                FORM,
                "Content-Type: multipart/form-data; boundary=x",
            ),
        ]
        tus_shown = tus_url.replace("/v1/tus/", "/v1/deliveries/")
        assert eventually(lambda: (came(service, put_url), came(service, tus_shown)) == (700, 600))
        os.kill(worker, signal.SIGSTOP)  # as if its job took long: the service waits for it
        service.process.terminate()
        for line in lines:
            answer = all_of(line)
            assert answer.startswith(b"HTTP/1.1 503 "), answer
            assert b'"closing"' in answer
            assert b"retry-after: " in answer.lower()
        assert eventually(lambda: refused(service), 5)
        assert service.process.poll() is None
        os.kill(worker, signal.SIGCONT)
        assert service.process.wait(20) == 0
        assert not list(children(service))
        service.start()
        assert (came(service, put_url), came(service, tus_shown)) == (700, 600)
        kept = get(f"{service.address}/v1/deliveries").json()["deliveries"]
        assert [one["state"] for one in kept if one["file"] == "form.csv"] in ([], ["cancelled"])


def test_processes_that_count_together_leave_nothing_behind(tmp_path: Path) -> None:
    """Neither asked to end, twice over, nor killed."""

    def folders() -> set[Path]:
        return set(MEMORY.glob("phusong-metrics-*"))

    before = folders()
    with heard(tmp_path, 0, processes=2) as service:
        assert eventually(lambda: len(answering(service)) == 2 and len(folders() - before) == 1)
        service.process.terminate()
        service.process.terminate()
        assert service.process.wait(30) == 0
        assert not list(children(service))
        assert folders() <= before
        assert {one["exit"] for one in service.lines("process_ended")} == {0}
        service.start()
        assert eventually(lambda: len(answering(service)) == 2)
        service.kill()
        assert eventually(lambda: folders() <= before)
        assert not service.lines("crashed")
        assert "Traceback" not in service.text()


def test_a_running_job_is_finished_before_the_end(tmp_path: Path) -> None:
    file = file_of(1, 50_000)
    with heard(tmp_path) as service:
        told = send(service.address, ("long.csv", file.content)).json()
        assert eventually(lambda: service.lines("job_taken"))
        service.stop()
        told_in_order = [one["event"] for one in service.lines()]
        assert told_in_order.index("stopping") < told_in_order.index("job_ended")
        assert service.lines("job_ended")[0]["outcome"] == "done", service.lines("job_fault")
        service.start()
        done = settled(service.address, told["delivery_id"])
        assert (done["state"], done["attempts"], done["files"][0]["accepted"]) == ("done", 1, 50_000)


def test_a_job_that_takes_too_long_is_given_back_and_no_attempt_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_LAST_JOB_S", 0.5)
    monkeypatch.setenv("PHUSONG_LOG", "off")
    workspace = open_workspace(tmp_path / "workspace")
    sent = deliver(workspace, file_of(2, 50_000).content)
    for _ in range(jobs.ATTEMPTS + 1):  # more restarts than attempts
        with workers.workers(workspace, 1):
            assert eventually(lambda: job_of(workspace, sent.delivery_id)["state"] == "running")
            (worker,) = processes_of(workspace)
            os.kill(worker, signal.SIGSTOP)
        job = job_of(workspace, sent.delivery_id)
        assert (job["state"], job["attempts"], job["lease_until_utc"]) == ("queued", 0, None)
    assert deliveries.show(workspace, sent.delivery_id).state == "received"
    assert jobs.claim(workspace, "next") is not None


def job_of(workspace: Workspace, delivery_id: str) -> dict:
    found = jobs.of_delivery(workspace, delivery_id)
    assert found is not None
    return found


def processes_of(workspace: Workspace) -> list[int]:
    with reading(workspace.manifest) as connection:
        running = connection.execute(JOBS.select().where(JOBS.c.state == "running")).all()
    return [int(row.worker.split(":")[-2]) for row in running]


def test_only_what_a_process_was_at_is_given_back(tmp_path: Path, manifest_url: str | None) -> None:
    workspace = open_workspace(tmp_path / "workspace", manifest_url=manifest_url)
    for number in range(3):
        deliver(workspace, file_of(number, 2).content)
    node = os.uname().nodename
    mine, other, elsewhere = (
        jobs.claim(workspace, name) for name in (f"{node}:77:1", f"{node}:78:1", "elsewhere:77:1")
    )
    assert jobs.give_back(workspace, 77) == 1
    again = jobs.claim(workspace, "next")
    assert again is not None
    assert mine is not None
    assert (again.job_id, again.attempts) == (mine.job_id, 1)
    for held in (other, elsewhere):
        assert held is not None
        jobs.heartbeat(workspace, held)
    assert jobs.give_back(workspace, 77) == 0
