"""The workspace's criteria, with the spreads and rho that its own archive shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import tomlkit

from coverage import criteria as rules
from coverage import engine, evidence
from coverage.archive import uploads
from coverage.archive.durable import write_durably
from coverage.archive.workspace import Workspace
from coverage.calibration import NEEDED, Fit, fit

_SINCE = " | phusong calibrate "  # what stands in a comment from here on is ours


@dataclass(frozen=True)
class Calibration:
    """What was fitted, the labels of the criteria before and after, and where the former ones are kept.

    kept: None where nothing was written, because nothing changed or nothing was to be written.
    """

    fits: tuple[Fit, ...]
    before: str
    after: str
    kept: Path | None


def calibrate(workspace: Workspace, as_of: date, *, dry_run: bool = False) -> Calibration:
    """The spreads and rho fitted to the archive's tests that count on that date, put in force unless `dry_run`.

    The file of criteria keeps its layout and comments; behind the comment of a number that changed stands what it
    rests on. The former file stays beside it under its hash. Known outages are not set aside, for they need the
    villages; what fails in one counts in rho. Raises `CriteriaRefused` and `ArchiveDamaged`; then nothing changed.
    """
    former = workspace.criteria
    tests = evidence.observations(
        engine.read_measurements(engine.connect(), uploads.committed_parts(workspace)), former, as_of
    )
    fits = fit(tests.select(*NEEDED).execute(), former)
    # Read again: somebody may have edited the file in the meantime.
    old = workspace.criteria_file.read_text(encoding="utf-8")
    new = with_fits(old, fits, as_of)
    before, after = (rules.parse(text, str(workspace.criteria_file)) for text in (old, new))
    kept = None
    if not dry_run and after.hash != before.hash:
        kept = _keep(workspace, before.hash, old)
        write_durably(workspace.criteria_file, new.encode())
    return Calibration(fits, before.label, after.label, kept)


def with_fits(text: str, fits: Iterable[Fit], as_of: date) -> str:
    """The text of a criteria file with the fitted numbers in it; the rest of it stays as it is, byte for byte."""
    document = tomlkit.parse(text)
    for one in fits:
        section, key = one.quantity.split(".")
        table = document[section]
        if one.kept_because or table[key] == one.after:
            continue
        said = table[key].trivia.comment.removeprefix("#").split(_SINCE)[0].strip()
        table[key] = one.after
        table[key].comment(f"{said}{_SINCE}{as_of}: {one.low:.2f}-{one.high:.2f}, {one.hexes} hexes")
    return tomlkit.dumps(document)


def _keep(workspace: Workspace, digest: str, text: str) -> Path:
    # Two texts with one hash differ in comments only; neither may be lost.
    path = workspace.root / f"criteria-{digest}.toml"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        path = path.with_stem(f"{path.stem}-{hashlib.sha256(text.encode()).hexdigest()[:8]}")
    write_durably(path, text.encode())
    return path
