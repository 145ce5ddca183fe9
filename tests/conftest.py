"""What every test may use, and the guard of the package's name."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from hypothesis import settings
from postgres import manifest_url, postgres_server, postgres_url

__all__ = ["manifest_url", "postgres_server", "postgres_url"]  # fixtures that every test may use
REPOSITORY = Path(__file__).parents[1]
REAL_DATA = REPOSITORY.parent / "shared" / "data"


# How long an example takes says what else the machine is doing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Refuse to run beside the tool that has our package's name: one clear line instead of odd import errors."""
    for name in ("coverage", "pytest-cov", "numba"):
        try:
            distribution(name)
        except PackageNotFoundError:
            continue
        raise pytest.UsageError(
            f"uninstall {name}: our package is named `coverage`, the two cannot live together"
        )
    import coverage  # noqa: PLC0415

    if REPOSITORY / "src" not in Path(str(coverage.__file__)).parents:
        raise pytest.UsageError(
            f"`import coverage` finds {coverage.__file__}, not src/: reinstall with `make test`"
        )


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files beside the repository; skips where it is absent, fails where CI lacks it."""
    if not REAL_DATA.is_dir():
        if os.environ.get("CI"):
            pytest.fail("CI must run with the real data beside the repository")
        pytest.skip("real data folder ../shared/data is absent")
    return REAL_DATA
