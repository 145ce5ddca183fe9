"""Two published snapshots compared: the counts for people, the gaps one by one as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from coverage.archive import history, snapshots
from coverage.archive.durable import write_durably
from coverage.archive.workspace import Workspace
from coverage.errors import InputError
from coverage.exports.files import table_to_csv
from coverage.exports.gap_diff import CHANGES, counts, gap_diff
from coverage.exports.lists import gap_ids
from coverage.exports.succession import succession
from coverage.exports.words import WORDS

_READ = ["village_id", "operator", "list"]
_SHOWN = 20


def diff_of(workspace: Workspace, before: str, after: str, output: Path | None) -> dict[str, Any]:
    """What changed: before, after, counts by change, gaps (one mapping each, as `gap_diff` has them, missing = None).

    The gaps are also written to `output` as CSV.

    Raises `NotFound` for an id that was never published, `InputError` where the output is no CSV.
    """
    if output is not None and output.suffix.lower() != ".csv":
        raise InputError(f"{output}: chỉ ghi được tệp .csv.", f"{output}: only a .csv file can be written.")
    ids = [history.require(workspace, one) for one in (before, after)]
    then, now = (snapshots.load(workspace.snapshots, one) for one in ids)
    found = gap_diff(now, then, _gaps_before(workspace, ids[0]))
    if output is not None:
        write_durably(output, table_to_csv(found.convert_dtypes()))
    rows = found.astype(object).where(found.notna(), None).to_dict(orient="records")
    return {"before": ids[0], "after": ids[1], "counts": counts(found), "gaps": rows}


def _gaps_before(workspace: Workspace, snapshot_id: str) -> set[str]:
    """The ids of all gaps of the snapshots that were published before that one, and those in which they went on."""
    listed = [one["snapshot_id"] for one in history.newest_first(workspace, 10**6)]
    until = listed[listed.index(snapshot_id) :][::-1]
    found, villages = set[tuple[str, str]](), set[str]()
    for place, one in enumerate(until):
        rows = snapshots.read_table(workspace.snapshots, one, "village_verdicts", _READ)
        there = set(rows["village_id"])
        if place and there != villages:
            found |= _carried_on(workspace, found, until[place - 1], one)
        villages = there
        if one != snapshot_id:
            gaps = rows[rows["list"] == "gaps"]
            found |= set(zip(gaps["village_id"], gaps["operator"], strict=True))
    return set(gap_ids(pd.DataFrame(sorted(found), columns=["village_id", "operator"])))


def _carried_on(
    workspace: Workspace, gaps: set[tuple[str, str]], before: str, after: str
) -> set[tuple[str, str]]:
    """Village and operator of the same gaps in the villages that took over theirs."""
    then, now = (snapshots.load(workspace.snapshots, one).villages for one in (before, after))
    kin = succession(then, now)
    heirs = kin.groupby("village_id_before")["village_id"].agg(list).to_dict()
    return {(heir, operator) for village, operator in gaps for heir in heirs.get(village, [])}


def as_text(told: dict[str, Any]) -> str:
    """The counts, how many gaps go on from other ids, and the first gaps of each change but `same`."""
    lines = [f"{told['before']} → {told['after']}", ""]
    for change in [one for one in CHANGES if one in told["counts"]]:
        vi, en = WORDS[f"gap_{change}"]
        lines.append(f"{told['counts'][change]:>6}  {vi} / {en}")
    inherited = [row for row in told["gaps"] if row["came_from"]]
    if inherited:
        vi, en = WORDS["gap_inherited"]
        lines.append(f"{vi} / {en}: {len(inherited)}")
    lines += [_line(row) for row in [one for one in told["gaps"] if one["change"] != "same"][:_SHOWN]]
    return "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    vi, _ = WORDS[f"gap_{row['change']}"]
    place = ", ".join(str(part) for part in (row["village_name"], row["commune_name"]) if part)
    kin = "".join(
        f"; {' / '.join(WORDS[f'gap_{side}'])}: {row[side]}"
        for side in ("came_from", "went_into")
        if row[side]
    )
    return f"  {vi}: {place} – {row['operator_name']} ({row['gap_id']}{kin})"
