"""The only reader of the environment: variables with the prefix PHUSONG_."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the environment may set; the command line overrules it.

    workspace: the folder that holds archive, places, criteria and snapshots.
    engine: what runs the table expressions.
    manifest: SQLAlchemy URL of the manifest's database, postgresql+psycopg://…; None = a SQLite file in the workspace.
    free_disk_floor_mb: below so much free disk nothing is taken in; room for judging what is there already.
    max_upload_mb: the longest file that the service takes, packed as it comes.
    max_open_deliveries: how many files the service receives at one moment; the next client is asked to wait.
    idle_timeout_s: how long a sender may send nothing; then its line is cut, and what came is kept.
    """

    model_config = SettingsConfigDict(env_prefix="PHUSONG_", extra="ignore")

    workspace: Path = Path("workspace")
    engine: Literal["duckdb"] = "duckdb"
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
