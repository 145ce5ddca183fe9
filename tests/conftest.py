"""What every test may use, and the guard of the package's name."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from postgres import manifest_url, postgres_server, postgres_url

__all__ = ["manifest_url", "postgres_server", "postgres_url"]  # fixtures that every test may use
REPOSITORY = Path(__file__).parents[1]
REAL_DATA = REPOSITORY.parent / "shared" / "data"


# How long an example takes says what else the machine is doing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def examples(few: int, many: int, *strategies: Any, **named: Any) -> Callable[[Callable[..., None]], Any]:
    """In place of `given`: what must hold is tried on few examples, and by `make soak` on many."""

    def decorate(holds: Callable[..., None]) -> Any:
        @pytest.mark.parametrize("count", [few, pytest.param(many, marks=pytest.mark.soak)])
        def test(count: int) -> None:
            calm = settings(max_examples=count, suppress_health_check=list(HealthCheck))
            calm(given(*strategies, **named)(holds))()

        test.__doc__ = holds.__doc__
        return test

    return decorate


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: the collector of garbage need not look through them time and again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


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
