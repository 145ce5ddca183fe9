"""The only reader of the environment: variables with the prefix PHUSONG_."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the environment may set; the command line overrules it.

    workspace: the folder that holds archive, places, criteria and snapshots.
    engine: what runs the table expressions.
    """

    model_config = SettingsConfigDict(env_prefix="PHUSONG_", extra="ignore")

    workspace: Path = Path("workspace")
    engine: Literal["duckdb"] = "duckdb"


def get_settings() -> Settings:
    """The settings as the environment stands now."""
    return Settings()
