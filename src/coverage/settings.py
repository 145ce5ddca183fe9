"""The only reader of the environment: variables with the prefix PHUSONG_."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator
from pydantic_settings import BaseSettings, SettingsConfigDict

from coverage.errors import InputError

DUCKDB = "duckdb"
_CLUSTER = re.compile(r"spark://[^\s/,]+:\d+(,[^\s/,]+:\d+)*")


def _known_engine(url: str) -> str:
    if url != DUCKDB and not _CLUSTER.fullmatch(url):
        raise InputError(
            f"PHUSONG_ENGINE = “{url}”: phải là duckdb, hoặc spark://MÁY:CỔNG của một cụm Spark.",
            f"PHUSONG_ENGINE = “{url}”: it must be duckdb, or spark://HOST:PORT of a Spark cluster.",
        )
    return url


class Settings(BaseSettings):
    """What the environment may set; the command line overrules it.

    workspace: the folder that holds archive, places, criteria and snapshots.
    engine: what runs the table expressions: `duckdb` in this process, or `spark://HOST:PORT`, the master of a cluster
      (several with commas between, as Spark writes them).
    manifest: SQLAlchemy URL of the manifest's database, postgresql+psycopg://…; None = a SQLite file in the workspace.
    free_disk_floor_mb: below so much free disk nothing is taken in; room for judging what is there already.
    max_upload_mb: the longest file that the service takes, packed as it comes.
    max_open_deliveries: how many files the service receives at one moment; the next client is asked to wait.
    idle_timeout_s: how long a sender may send nothing; then its line is cut, and what came is kept.
    """

    model_config = SettingsConfigDict(env_prefix="PHUSONG_", extra="ignore")

    workspace: Path = Path("workspace")
    engine: Annotated[str, AfterValidator(_known_engine)] = DUCKDB
    manifest: str | None = None
    free_disk_floor_mb: int = 1000
    max_upload_mb: int = 500
    max_open_deliveries: int = 200
    idle_timeout_s: float = 30.0


def get_settings() -> Settings:
    """The settings as the environment stands now."""
    return Settings()


def environment_with(**said: str) -> dict[str, str]:
    """The environment of this process, for a child of it, with these variables said anew."""
    return os.environ | said
