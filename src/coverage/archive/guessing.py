"""The brake against guessing passwords: failed logins are counted by name in the manifest, for all processes together."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from coverage.archive.manifest import now_utc, transaction
from coverage.archive.schema import FAILED_LOGINS
from coverage.archive.workspace import Workspace
from coverage.errors import TooMany

TRIES = 5
WINDOW = timedelta(minutes=15)


def count_try(workspace: Workspace, name: str) -> None:
    """Count a login of that folded name as failed until `clear` says otherwise: so many at once are no way around.

    After `TRIES` within `WINDOW` raises `TooMany` for as long again, whether the name exists or not.
    """
    whose, now = _digest(name), now_utc()
    with transaction(workspace.manifest) as connection:
        until = _refused_until(connection, whose)
        if until is not None and now < until:
            raise _too_many(until, now)
        connection.execute(delete(FAILED_LOGINS).where(FAILED_LOGINS.c.at_utc < now - 2 * WINDOW))
        connection.execute(insert(FAILED_LOGINS).values(name_sha256=whose, at_utc=now))


def _refused_until(connection: Connection, whose: str) -> datetime | None:
    """When the refusal that the last tries brought about ends; None where they brought none."""
    newest = select(FAILED_LOGINS.c.at_utc).where(FAILED_LOGINS.c.name_sha256 == whose)
    newest = newest.order_by(FAILED_LOGINS.c.at_utc.desc()).limit(TRIES)
    times: list[datetime] = list(connection.execute(newest).scalars())
    if len(times) < TRIES or times[0] - times[-1] >= WINDOW:
        return None
    return times[0] + WINDOW


def _too_many(until: datetime, now: datetime) -> TooMany:
    wait_s = math.ceil((until - now).total_seconds())
    minutes = math.ceil(wait_s / 60)
    return TooMany(
        f"Tên này đã đăng nhập sai {TRIES} lần: hãy thử lại sau {minutes} phút.",
        f"Logging in under this name failed {TRIES} times: try again in {minutes} minutes.",
        wait_s=wait_s,
        code="too_many_logins",
    )


def clear(connection: Connection, name: str) -> None:
    """Forget the failed logins of that folded name."""
    connection.execute(delete(FAILED_LOGINS).where(FAILED_LOGINS.c.name_sha256 == _digest(name)))


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
