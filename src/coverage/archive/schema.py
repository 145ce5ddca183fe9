"""The tables of the manifest: uploads and what happened to them, deliveries, jobs, snapshots; who may ask, and who did what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

# Raised with every change of these tables: a manifest of a version that is not readable is refused, never half
# understood. One of version 1 only lacks tables (`SINCE_2`) and columns (`ADDED_IN_2`), and gets them when its
# workspace is opened.
SCHEMA_VERSION = 2
READABLE_VERSIONS = ("1", "2")
METADATA = MetaData()

# key: schema, workspace (the id by which folder and manifest know each other), revision (how often the set of
# uploads that count has changed).
ABOUT = Table(
    "about", METADATA, Column("key", String, primary_key=True), Column("value", String, nullable=False)
)

UPLOADS = Table(
    "uploads",
    METADATA,
    Column("upload_id", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("file", String, nullable=False),
    Column("format", String, nullable=False),
    Column("context", JSON, nullable=False),
    Column("operator", String),
    Column("simulated", Boolean, nullable=False),
    Column("state", String, nullable=False),  # committed, withdrawn
    *(
        Column(name, Integer, nullable=False)
        for name in (
            "rows",
            "accepted",
            "duplicates",
            "rejected",
            "quarantined",
            "no_service",
            "unknown_level",
            "fixed",
        )
    ),
    # Of the accepted rows those that were erased since: the reading holds accepted − erased rows.
    Column("erased", Integer, nullable=False, default=0, server_default="0"),
    Column("fixes", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("read_with", JSON, nullable=False),
    Column("dropped", JSON, nullable=False),
    Column("confidence", Float, nullable=False),
    # The reading's own part, named after its content: what a snapshot is made of, wherever the rows are kept. Once rows
    # of it were erased out of a compacted part it is a name that no file has.
    Column("measurements_part", String, nullable=False),
    Column("outcomes_part", String, nullable=False),
    Column("stored_in", String),  # the compacted part that holds its measurements now; missing = its own part
    Column("delivery_id", String),  # the sending that brought this reading; missing = the command line
    Column("received_utc", DateTime, nullable=False),
)

# Every upload whose rows a compacted part holds, also those that were withdrawn or read anew since.
COMPACTED = Table(
    "compacted",
    METADATA,
    Column("part", String, primary_key=True),
    Column("upload_id", String, primary_key=True),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("event_id", Integer, primary_key=True),
    Column("upload_id", String, nullable=False),
    Column("action", String, nullable=False),  # received, replaced, withdrawn, restored, erased
    Column("reason", String),
    Column("by", String),  # who did it, as they call themselves; missing = nobody said
    Column("at_utc", DateTime, nullable=False),
)

# One sending of one file by a client, from its first byte to what became of it.
DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("delivery_id", String, primary_key=True),
    Column("file", String, nullable=False),  # as the client calls it
    # receiving, received (its bytes are safe, its job is queued or running), done, refused, failed, cancelled
    Column("state", String, nullable=False),
    Column("length", BigInteger),  # bytes that the client announced; missing = not announced
    Column("sha256", String),  # of its bytes; missing until all are there
    Column("told_sha256", String),  # what the client says it must be; missing = nothing said
    Column("context", JSON, nullable=False),
    Column("alike", String),  # equal for equal bytes and context; missing until both are settled
    Column("by", String),
    Column("held", Boolean, nullable=False),  # waits for its sender to look at the preview
    Column("idempotency_key", String, unique=True),
    Column("same_as", String),  # an earlier delivery of the same bytes and context, which stands for this one
    Column("result", JSON),  # what became of each file inside; missing until read
    Column("created_utc", DateTime, nullable=False),
    Column("received_utc", DateTime),
    Column("expires_utc", DateTime, nullable=False),
    Index("deliveries_alike", "alike"),
)

# Work for a worker process. A job is running while its lease lasts; then anybody may take it again.
JOBS = Table(
    "jobs",
    METADATA,
    Column("job_id", Integer, primary_key=True),
    Column("kind", String, nullable=False),  # ingest, assess
    Column("delivery_id", String),
    Column("state", String, nullable=False),  # queued, running, done, failed, cancelled
    Column("not_before_utc", DateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("worker", String),
    Column("lease_until_utc", DateTime),
    Column("stage", String),
    Column("share", Float, nullable=False),
    Column("fault", JSON),
    Column("created_utc", DateTime, nullable=False),
    Column("ended_utc", DateTime),
    Index("jobs_by_state", "state", "not_before_utc"),
    Index("jobs_by_delivery", "delivery_id"),
)

SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("sequence", Integer, primary_key=True),
    Column("snapshot_id", String, nullable=False),
    Column("as_of", String, nullable=False),
    Column("criteria", String, nullable=False),
    Column("revision", Integer, nullable=False),  # of the uploads that it judged
    Column("created_utc", DateTime, nullable=False),
)

# What a team shows in place of a name and a password. Of its secret only the digest is kept.
KEYS = Table(
    "keys",
    METADATA,
    Column("key_id", String, primary_key=True),
    Column("secret_sha256", String, nullable=False),
    Column("name", String, nullable=False),  # of the team; several keys may carry it
    Column("role", String, nullable=False),
    Column("operator", String),
    Column("created_utc", DateTime, nullable=False),
    Column("expires_utc", DateTime, nullable=False),
    Column("revoked_utc", DateTime),
    Column("last_used_utc", DateTime),  # to the hour, so that asking seldom writes
)

# People who come with a browser: by a password of ours, or by what another service says of them.
ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("account", String, primary_key=True),  # the name as it is matched
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("operator", String),
    Column("password", String),  # as Argon2 writes it, salt and all; missing = `subject` instead
    Column("issuer", String),
    Column("subject", String),
    Column("created_utc", DateTime, nullable=False),
    Column("disabled_utc", DateTime),
    UniqueConstraint("issuer", "subject"),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("token_sha256", String, primary_key=True),
    Column("account", String, nullable=False),
    Column("begun_utc", DateTime, nullable=False),
    Column("seen_utc", DateTime, nullable=False),  # to the minute
    Index("sessions_by_account", "account"),
)

# Kept for minutes, of names that exist and of names that do not: a digest, for people type passwords there as well.
FAILED_LOGINS = Table(
    "failed_logins",
    METADATA,
    Column("login_id", Integer, primary_key=True),
    Column("name_sha256", String, nullable=False),
    Column("at_utc", DateTime, nullable=False),
    Index("failed_logins_by_name", "name_sha256", "at_utc"),
)

# Who did what. All text: a time or a JSON that a database writes in its own way could not be hashed again.
AUDIT = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 … without a gap
    Column("at_utc", String, nullable=False),
    Column("caller", String, nullable=False),
    Column("role", String),
    Column("key_id", String),
    Column("action", String, nullable=False),
    Column("about", String, nullable=False),
    Column("address", String),
    Column("request_id", String),
    Column("previous", String, nullable=False),  # the sha256 of the row before
    Column("sha256", String, nullable=False),  # of that and of this row
)

SINCE_2 = (KEYS, ACCOUNTS, SESSIONS, FAILED_LOGINS, AUDIT)
ADDED_IN_2: tuple[Column[Any], ...] = (UPLOADS.c.erased,)  # where it is missing its value is 0


def tables_at(version: str | None) -> set[str]:
    """The names of the tables that a manifest of that version has; of an unknown one all of today."""
    return set(METADATA.tables) - ({one.name for one in SINCE_2} if version == "1" else set())
