"""The tables of the manifest: uploads and what happened to them, deliveries, jobs, snapshots."""

from __future__ import annotations

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
)

# Raised with every change of these tables: a manifest of another version is refused, never half understood.
SCHEMA_VERSION = 1
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
    Column("fixes", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("read_with", JSON, nullable=False),
    Column("dropped", JSON, nullable=False),
    Column("confidence", Float, nullable=False),
    # The reading's own part, named after its content: what a snapshot is made of, wherever the rows are kept.
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
    Column("action", String, nullable=False),
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
