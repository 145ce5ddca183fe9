"""The workspace's criteria, with the spreads and rho that its own archive shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import tomlkit
from tomlkit.items import InlineTable

from coverage import criteria as rules
from coverage import engine, observations
from coverage.archive.committed import committed
from coverage.archive.durable import write_durably
from coverage.archive.workspace import Workspace
from coverage.calibration import NEEDED, Fit, fit

_NAMES = {
    "levels.test_db": "giữa các lần thử / between tests",
    "levels.occasion_db": "giữa các dịp đo / between occasions",
    "levels.device_db": "giữa các máy / between devices",
    "levels.hex_db": "giữa hai ô kề nhau / between hexes that touch",
    "evidence.rho": "tương quan trong một máy / correlation within a device",
}
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
    measurements = engine.read_measurements(engine.connect(), committed(workspace).parts)
    tests = observations.observe(measurements, former, as_of)
    fits = fit(tests.select(*NEEDED).execute(), former)
    # Read again: somebody may have edited the file in the meantime.
    old = workspace.criteria_file.read_bytes().decode()
    before = rules.parse(old, str(workspace.criteria_file))
    new = with_fits(old, fits, as_of)
    after = rules.parse(new, str(workspace.criteria_file))
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
        trivia = table[key].trivia
        said = trivia.comment.removeprefix("#").split(_SINCE)[0].strip()
        table[key] = one.after
        if isinstance(table, InlineTable):
            continue  # no place for a comment
        table[key].comment(f"{said}{_SINCE}{as_of}: {one.low:.2f}-{one.high:.2f}, {one.hexes} hexes")
        table[key].trivia.comment_ws = trivia.comment_ws or " "
    return tomlkit.dumps(document)


def _keep(workspace: Workspace, digest: str, text: str) -> Path:
    # Two texts with one hash differ in comments only; neither may be lost.
    path = workspace.root / f"criteria-{digest}.toml"
    if path.exists() and path.read_bytes() != text.encode():
        path = path.with_stem(f"{path.stem}-{hashlib.sha256(text.encode()).hexdigest()[:8]}")
    write_durably(path, text.encode())
    return path


def as_text(calibration: Calibration) -> str:
    """The table for a terminal, in Vietnamese and English: each number before and after, and what it rests on."""
    table = pd.DataFrame([_line(one) for one in calibration.fits]).to_string(index=False)
    kept = [
        f"{one.quantity}: giữ nguyên, {one.kept_because[0]} / kept, {one.kept_because[1]}"
        for one in calibration.fits
        if one.kept_because
    ]
    if len(kept) == len(calibration.fits):
        kept.append("Chưa đủ số đo để tính lại số nào / too few measurements to fit any number")
    changed = f"{calibration.before} → {calibration.after}"
    if calibration.kept:
        changed += f"\nTiêu chí cũ / former criteria: {calibration.kept}"
    elif calibration.before == calibration.after:
        changed = f"Tiêu chí không đổi / criteria unchanged: {calibration.before}"
    else:
        changed += "\nChỉ xem, chưa ghi / dry run, nothing written"
    return "\n\n".join(part for part in (table, "\n".join(kept), changed) if part)


def _line(one: Fit) -> dict[str, str]:
    digits = 2 if one.quantity == "evidence.rho" else 1
    known = one.low == one.low  # NaN where the evidence is under a floor
    return {
        "đại lượng / quantity": f"{one.quantity}, {_NAMES[one.quantity]}",
        "trước / before": f"{one.before:.{digits}f}",
        "sau / after": f"{one.after:.{digits}f}",
        "khoảng 95 % / interval": f"{one.low:.{digits}f}–{one.high:.{digits}f}" if known else "–",
        "ô / hexes": str(one.hexes),
        "cặp / pairs": str(one.pairs),
        "máy / devices": str(one.devices),
    }
