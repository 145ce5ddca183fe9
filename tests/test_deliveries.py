"""Deliveries: bytes that were acknowledged stay, are read once, and their state tells the truth."""

from __future__ import annotations

import hashlib
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

from coverage import intake, work
from coverage.archive import deciding, deliveries, jobs, receipts, receiving, uploads
from coverage.archive.deliveries import Delivery
from coverage.archive.manifest import now_utc, transaction
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import Conflict, DiskFull, InputError, NotFound
from coverage.logs.context import Context

HEADER = "time,lat,lon,operator,technology,rsrp_dbm,device"
LINES = [f"2026-05-01 08:00:{second:02},11.94,108.44,45204,LTE,-95,phone" for second in range(20)]
NO_OPERATOR = (
    b"time,lat,lon,operator,technology,rsrp_dbm\n"
    b"2026-05-01 08:00:00,11.94,108.44,,LTE,-95\n2026-05-01 08:00:05,11.94,108.44,,LTE,-96\n"
)
CONTENT = ("\n".join([HEADER, *LINES]) + "\n").encode()


@pytest.fixture
def workspace(tmp_path: Path, manifest_url: str | None) -> Workspace:
    return open_workspace(tmp_path / "workspace", manifest_url=manifest_url)


def send(workspace: Workspace, content: bytes = CONTENT, file: str = "a.csv", **said: object) -> Delivery:
    context = said.pop("context", Context())
    begun = receiving.begin(workspace, file, context, **said)  # type: ignore[arg-type]
    deliveries.part(workspace, begun.delivery_id).write_bytes(content)
    return receiving.complete(workspace, begun.delivery_id)


def read_all(workspace: Workspace) -> int:
    return work.run_due(workspace, lambda: date(2026, 6, 1))


def test_a_delivery_is_received_read_and_forgotten(workspace: Workspace) -> None:
    sent = send(workspace)
    assert (sent.state, sent.length) == ("received", len(CONTENT))
    assert sent.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert deliveries.received_file(workspace, sent).read_bytes() == CONTENT
    read_all(workspace)
    done = deliveries.show(workspace, sent.delivery_id)
    assert done.state == "done"
    (receipt,) = done.result["files"]
    assert (receipt["accepted"], receipt["effect"], receipt["added_rows"]) == (20, "added", 20)
    assert list(workspace.incoming.iterdir()) == []  # phones' names stand in the raw bytes


def test_the_offset_is_what_lies_on_disk(workspace: Workspace) -> None:
    begun = receiving.begin(workspace, "a.csv", Context(), length=len(CONTENT))
    part = deliveries.part(workspace, begun.delivery_id)
    part.write_bytes(CONTENT[:100])
    assert receiving.offset(workspace, begun.delivery_id) == 100
    with pytest.raises(InputError, match="100") as fault:
        receiving.complete(workspace, begun.delivery_id)
    assert fault.value.code == "incomplete"
    with part.open("ab") as stream:
        stream.write(CONTENT[100:])
    assert receiving.complete(workspace, begun.delivery_id).state == "received"
    assert receiving.offset(workspace, begun.delivery_id) == len(CONTENT)


def test_bytes_that_are_not_those_that_were_announced_are_refused(workspace: Workspace) -> None:
    told = hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(InputError) as fault:
        send(workspace, CONTENT[:-1] + b"x", told_sha256=told)
    assert fault.value.code == "checksum_mismatch"
    assert send(workspace, told_sha256=told).state == "received"


def test_completing_twice_is_completing_once(workspace: Workspace) -> None:
    sent = send(workspace)
    assert receiving.complete(workspace, sent.delivery_id) == sent
    assert read_all(workspace) >= 1
    assert receiving.complete(workspace, sent.delivery_id).state == "done"


def test_a_crash_between_the_renaming_and_the_manifest_is_mended_by_completing_again(
    workspace: Workspace,
) -> None:
    begun = receiving.begin(workspace, "a.csv", Context())
    deliveries.part(workspace, begun.delivery_id).write_bytes(CONTENT)
    deliveries.part(workspace, begun.delivery_id).rename(deliveries.received_file(workspace, begun))
    assert receiving.complete(workspace, begun.delivery_id).state == "received"


def test_the_same_bytes_with_the_same_context_stand_for_each_other(workspace: Workspace) -> None:
    first, second = send(workspace), send(workspace, file="other-name.csv")
    assert (second.same_as, second.receipt) == (first.delivery_id, first.receipt)
    assert not deliveries.part(workspace, second.delivery_id).parent.exists()
    other = send(workspace, context=Context(team="Đội 2"))
    assert other.same_as is None
    with pytest.raises(Conflict):  # the second counts on these bytes
        deciding.cancel(workspace, first.delivery_id)
    read_all(workspace)
    assert len(uploads.list_uploads(workspace)) == 1


def cli_says(workspace: Workspace, folder: Path, operator: str) -> None:
    path = folder / "noop.csv"
    path.write_bytes(NO_OPERATOR)
    list(intake.ingest(workspace, path, Context(operator=operator)))


def operator_of(workspace: Workspace) -> str:
    (row,) = uploads.list_uploads(workspace)
    return row["operator"]


def test_what_was_said_last_counts_wherever_it_was_said(workspace: Workspace, tmp_path: Path) -> None:
    viettel, mobifone = Context(operator="Viettel"), Context(operator="MobiFone")
    send(workspace, NO_OPERATOR, context=viettel)
    read_all(workspace)
    assert send(workspace, NO_OPERATOR, context=viettel).same_as is not None
    cli_says(workspace, tmp_path, "MobiFone")
    assert operator_of(workspace) == "45201"
    again = send(workspace, NO_OPERATOR, context=viettel)
    assert again.same_as is None
    read_all(workspace)
    assert operator_of(workspace) == "45204"
    held = send(workspace, NO_OPERATOR, held=True)
    send(workspace, NO_OPERATOR, context=mobifone)
    read_all(workspace)
    deciding.confirm(workspace, held.delivery_id, viettel)
    last = send(workspace, NO_OPERATOR, context=mobifone)
    assert last.same_as is None  # another word of the same bytes still waits
    read_all(workspace)
    assert operator_of(workspace) == "45201"


def test_a_withdrawn_file_that_comes_again_is_said_to_be_withdrawn(workspace: Workspace) -> None:
    sent = send(workspace)
    read_all(workspace)
    (row,) = uploads.list_uploads(workspace)
    uploads.withdraw(workspace, row["upload_id"], "sai máy")
    again = send(workspace)
    assert again.same_as is None
    read_all(workspace)
    (receipt,) = deliveries.show(workspace, again.delivery_id).result["files"]
    assert (receipt["state"], receipt["effect"], receipt["added_rows"]) == (
        "withdrawn",
        "already_received",
        0,
    )
    assert sent.receipt == again.receipt


def test_rows_that_were_set_aside_are_read_anew_when_their_file_comes_again(workspace: Workspace) -> None:
    send(workspace, NO_OPERATOR)
    read_all(workspace)
    assert send(workspace, NO_OPERATOR).same_as is None


def test_words_that_come_after_the_hour_are_used_all_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "LOOK", timedelta(0))
    held = send(workspace, NO_OPERATOR, held=True)
    read_all(workspace)
    alone = deliveries.show(workspace, held.delivery_id)
    assert (alone.state, alone.held, alone.result["files"][0]["quarantined"]) == ("done", True, 2)
    deciding.confirm(workspace, held.delivery_id, Context(operator="Viettel"))
    read_all(workspace)
    told = deliveries.show(workspace, held.delivery_id)
    assert (told.state, told.held, told.result["files"][0]["accepted"]) == ("done", False, 2)
    assert list(workspace.incoming.iterdir()) == []
    with pytest.raises(Conflict):
        deciding.confirm(workspace, held.delivery_id, Context(operator="Viettel"))


def test_of_two_equal_files_in_a_zip_one_is_added(workspace: Workspace) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as box:
        box.writestr("one.csv", CONTENT)
        box.writestr("two.csv", CONTENT)
        box.writestr("list.txt", "a shopping list\n")
    sent = send(workspace, packed.getvalue(), "box.zip")
    read_all(workspace)
    done = deliveries.show(workspace, sent.delivery_id)
    assert [(one["effect"], one["added_rows"]) for one in done.result["files"]] == [
        ("added", 20),
        ("already_received", 0),
    ]
    assert deciding.retry(workspace, sent.delivery_id).state == "received"  # for the sake of the refused one


def test_a_phone_is_kept_as_its_hash_once_its_file_is_read(workspace: Workspace) -> None:
    said = Context(device="Samsung của anh Bảo")
    sent = send(workspace, context=said)
    read_all(workspace)
    kept = deliveries.show(workspace, sent.delivery_id).context.device
    assert kept not in {None, said.device}
    assert send(workspace, context=said).same_as == sent.delivery_id


def test_ten_senders_of_one_file_at_once(workspace: Workspace) -> None:
    with ThreadPoolExecutor(10) as pool:
        sent = list(pool.map(lambda _: send(workspace), range(10)))
    assert len([one for one in sent if one.same_as is None]) == 1
    assert len({one.receipt for one in sent}) == 1
    read_all(workspace)
    (row,) = uploads.list_uploads(workspace)
    assert row["accepted"] == 20


def test_a_held_delivery_waits_for_its_sender(workspace: Workspace) -> None:
    held = send(workspace, held=True)
    assert read_all(workspace) == 0
    confirmed = deciding.confirm(workspace, held.delivery_id, Context(team="Đội 1", campaign="hè 2026"))
    assert not confirmed.held
    read_all(workspace)
    (row,) = uploads.list_uploads(workspace)
    assert (row["context"]["team"], row["context"]["campaign"]) == ("Đội 1", "hè 2026")
    with pytest.raises(Conflict):
        deciding.confirm(workspace, held.delivery_id, Context())


def test_a_held_delivery_that_nobody_confirms_is_taken_in_all_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "LOOK", timedelta(0))
    send(workspace, held=True)
    read_all(workspace)
    assert len(uploads.list_uploads(workspace)) == 1


def test_a_refused_file_keeps_its_bytes_and_may_be_tried_again(workspace: Workspace) -> None:
    sent = send(workspace, b"a shopping list\nmilk\n", "list.txt")
    read_all(workspace)
    refused = deliveries.show(workspace, sent.delivery_id)
    assert refused.state == "refused"
    assert refused.result["refused"][0]["vi"]
    assert deliveries.received_file(workspace, refused).exists()
    assert deciding.retry(workspace, sent.delivery_id).state == "received"
    read_all(workspace)
    assert deliveries.show(workspace, sent.delivery_id).state == "refused"
    assert uploads.list_uploads(workspace) == []


def test_an_id_and_a_key_are_used_once(workspace: Workspace) -> None:
    begun = receiving.begin(workspace, "a.csv", Context(), delivery_id="one", idempotency_key="key")
    for again in ({"delivery_id": "one"}, {"idempotency_key": "key"}):
        with pytest.raises(Conflict):
            receiving.begin(workspace, "b.csv", Context(), **again)
    assert deliveries.by_key(workspace, "key") == begun
    assert deliveries.by_key(workspace, "another") is None


def test_a_cancelled_delivery_is_gone_and_a_read_one_is_not_cancelled(workspace: Workspace) -> None:
    begun = receiving.begin(workspace, "a.csv", Context())
    deciding.cancel(workspace, begun.delivery_id)
    with pytest.raises(Conflict):
        receiving.complete(workspace, begun.delivery_id)
    held = send(workspace, held=True)
    deciding.cancel(workspace, held.delivery_id)
    assert read_all(workspace) == 0
    sent = send(workspace)
    read_all(workspace)
    with pytest.raises(Conflict):
        deciding.cancel(workspace, sent.delivery_id)


def test_only_what_nobody_comes_back_to_expires(workspace: Workspace) -> None:
    unfinished = receiving.begin(workspace, "a.csv", Context()).delivery_id
    send(workspace, held=True)
    failed = send(workspace, CONTENT + LINES[0].encode())
    with transaction(workspace.manifest) as connection:
        deliveries.change(connection, failed.delivery_id, state="failed")
    just_before, just_after = (now_utc() + deciding.KEPT + timedelta(seconds=one) for one in (-60, 60))
    assert deliveries.expired(workspace, just_before) == []
    assert [one.delivery_id for one in deliveries.expired(workspace, just_after)] == [unfinished]


def test_below_the_floor_nothing_is_begun(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHUSONG_FREE_DISK_FLOOR_MB", "1000000000")
    with pytest.raises(DiskFull):
        receiving.begin(workspace, "a.csv", Context())
    assert deliveries.list_deliveries(workspace) == []


@pytest.mark.parametrize(
    ("file", "safe"),
    [
        ("drive_test__may-b__Viettel__2026-10-31 (1).csv", "drive_test__may-b__Viettel__2026-10-31 (1).csv"),
        (
            "drive_test__ma\u0301y To\u0302\u0301 1__Viettel__2026-10-31.csv",
            "drive_test__máy Tố 1__Viettel__2026-10-31.csv",
        ),
        ("../../etc/passwd", "passwd"),
        ("C:\\logs\\đo lường.csv", "đo lường.csv"),
        (".hidden", "hidden"),
        ("a\x00b\n.csv", "a_b_.csv"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
        ("ố" * 90 + ".csv", "ố" * 65 + ".csv"),
        ("a." + "x" * 300, "a." + "x" * 198),
        ("<img src=x>.csv", "_img src=x_.csv"),
    ],
)
def test_names_are_of_our_making(file: str, safe: str) -> None:
    assert deliveries.safe_name(file) == safe


@pytest.mark.parametrize("file", ["", "...", "/", "a/.."])
def test_a_file_without_a_name_is_refused(workspace: Workspace, file: str) -> None:
    with pytest.raises(InputError):
        receiving.begin(workspace, file, Context())


def test_what_is_not_there_is_named(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        deliveries.show(workspace, "nowhere")


def test_receipt_codes_read_well_and_differ() -> None:
    codes = {receipts.code_of(hashlib.sha256(str(one).encode()).hexdigest()) for one in range(2000)}
    assert len(codes) == 2000
    assert all(
        len(code) == 14 and code.startswith("PS-") and not set(code[3:]) & set("ILOU") for code in codes
    )
    assert receipts.code_of("0" * 64) == "PS-00000-00000"
    assert receipts.code_of("f" * 64) == "PS-ZZZZZ-ZZZZZ"


def test_a_job_belongs_to_its_delivery(workspace: Workspace) -> None:
    sent = send(workspace)
    job = jobs.of_delivery(workspace, sent.delivery_id)
    assert job is not None
    assert (job["state"], job["kind"]) == ("queued", "ingest")
    assert jobs.of_delivery(workspace, "none") is None
