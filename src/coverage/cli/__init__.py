"""The command line: `phusong`. Results go to stdout, progress and messages to stderr.

Exit codes: 0 ok, 1 failed, 2 usage or bad input, 3 done but some rows were rejected or quarantined.
Heavy libraries are imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import sys

import typer

from coverage.cli import (
    access,
    deliveries,
    erasing,
    files,
    guide,
    judging,
    keeping,
    places,
    running,
    snapshots,
    uploads,
)
from coverage.cli.options import BAD_INPUT, FAILED, tell
from coverage.errors import InputError, NotFound, PhusongError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Phủ Sóng: thôn, bản đã có điện lưới mà chưa có sóng. Villages with grid power and no usable signal.",
)
for commands in (
    places.app,
    guide.app,
    files.app,
    judging.app,
    snapshots.app,
    running.app,
    keeping.app,
    erasing.app,
):
    app.add_typer(commands)
app.add_typer(places.places_app, name="places")
app.add_typer(files.mappings_app, name="mappings")
app.add_typer(uploads.uploads_app, name="uploads")
app.add_typer(deliveries.deliveries_app, name="deliveries")
app.add_typer(access.keys_app, name="keys")
app.add_typer(access.accounts_app, name="accounts")
app.add_typer(access.audit_app, name="audit")


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        app()
    except (InputError, NotFound) as fault:
        tell(fault)
        sys.exit(BAD_INPUT)
    except PhusongError as fault:
        tell(fault)
        sys.exit(FAILED)
    except OSError as fault:
        what = f"{fault.strerror or fault}: {fault.filename or ''}"
        tell(PhusongError(f"không đọc hoặc ghi được ({what}).", f"cannot read or write ({what})."))
        sys.exit(FAILED)
