"""Every notebook runs as it stands in a fresh clone, shows its pictures, claims what is so, and is kept without outputs."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import REPOSITORY
from nbclient import NotebookClient
from PIL import Image

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
# The cells that must show a picture, by their id.
PICTURES = {
    "01_from_log_to_gap.ipynb": ("picture-points", "picture-evidence", "picture-map"),
    "02_how_sure.ipynb": (
        "picture-reliability",
        "picture-verdicts",
        "picture-thinning",
        "picture-unmeasured",
    ),
    "03_before_and_after.ipynb": ("picture-maps", "picture-kinds"),
    "04_planning_a_survey.ipynb": ("picture-unknown", "picture-priorities", "picture-curve"),
}
# What the text of a notebook says, asked of its own variables after its last cell.
CLAIMS = {
    "02_how_sure.ipynb": """
# Nobody is accused where there is signal, nobody is forgotten where there is none; what is wrong is weak at worst.
assert table.loc[accused, "phu_song"].sum() == table.loc["phu_song", accused].sum().sum() == 0
assert said_gap.sum() >= 40 and (said_gap & true_gap).sum() / said_gap.sum() > 0.95
assert table.loc["chua_du_bang_chung", accused].sum() > 0  # the price of that care
# A stated 0.95 holds for village centres; in the middle hexes are too bold when they say dead.
for column in PANELS:
    surest = tables[column, "trung tâm thôn · village centres"].iloc[-1]
    assert surest.so > 0.95 and surest.high > surest.said
hexes_said_dead = tables["p_dead", "ô lục giác · hexes"].iloc[3:-1]
assert (hexes_said_dead.so < hexes_said_dead.said).all() and (hexes_said_dead.places > 50).all()
# One or two tests accuse nobody and one clears nobody; our rule hardly ever errs, the hasty one always does.
assert set(again[again.kept == 1].verdict) == {"not_enough_evidence"}
assert "dead_zone" not in set(again[again.kept <= 2].verdict)
assert accused_wrongly.ours.max() < 1 < 3 < accused_wrongly.hasty.min()
assert again[again.truly.eq("dead") & again.verdict.eq("covered")].groupby("kept").size().div(DRAWS).lt(1).all()
assert dead_now["dead_zone"].is_monotonic_increasing and (dead_hasty["covered"] > 5).all()
# Unmeasured hexes are neither dead nor served: both happen, most are served.
assert unmeasured.sum() > 300 and 0.05 < unmeasured.dead / unmeasured.sum() < 0.3 < 0.6 < unmeasured.served / unmeasured.sum()
assert len(no_tests) and set(no_tests.list) == {"need_measurement"}
assert lists.select(snapshot, "gaps").tests.min() >= 4
""",
    "03_before_and_after.ipynb": """
told = {**counts(changes), "reopened": counts(since_sites)["reopened"]}
assert all(told[kind] for kind in ("new", "reopened", "worse", "same", "better", "closed", "weak", "unproven")), told
# Sites close nothing before somebody measures, and every gap beside one is no longer proven.
beside = gap_diff(halfway, first)
assert counts(beside)["closed"] == counts(beside)["new"] == 0
beside = beside.set_index(["village_id", "operator"]).change
assert {beside[village, OPERATOR] for village in chosen.village_id} == {"unproven"}
# Only the new measurements count in the last assessment.
assert second.village_verdicts.first_test_utc.min().date() >= date(2026, 10, 1)
# Closed is served, what is still listed is dead; most of the new ones were unknown before.
assert changes[changes.change == "closed"].truly_dead.sum() == 0
assert changes[changes.list == "gaps"].truly_dead.all() and len(changes[changes.list == "gaps"]) > 10
new = changes[changes.change == "new"]
assert new.status_before.str.startswith("chua_").mean() > 0.5
weak = second.village_verdicts.merge(changes[changes.change == "weak"][["village_id", "operator"]])
assert weak.sub_reason.eq("weak_service").all()
assert set(now.change.dropna()) <= set(CHANGE_COLOURS) and "reopened" in set(now.change)
""",
    "04_planning_a_survey.ipynb": """
assert need.survey_rank.is_monotonic_increasing and need.survey_rank.is_unique and len(need) > 30
with_centre = snapshot.place_verdicts.query("kind == 'centre'").village_id
untested = need.centre_verdict.eq("no_data").where(need.village_id.isin(with_centre), need.status.eq("chua_co_du_lieu"))
come_first = need.electrified.eq(True) & untested
assert come_first.any() and come_first.sum() == come_first.to_numpy().argmin()
assert need.predicted_p_below.isna().any() and need.predicted_p_below.notna().mean() > 0.5
# A prediction is never evidence, and what was not tested is on no other list.
assert set(snapshot.predictions.evidence_grade) == {"E"} and lists.select(snapshot, "gaps").tests.min() >= 4
assert set(villages[villages.status == "chua_co_du_lieu"].list) == {"need_measurement"}
assert {path.name for path in bag.iterdir()} == {"can-do.kml", "can-do.xlsx", "huong-dan.html", "mau-do.xlsx"}
# The order tells sooner: of the dead far sooner than any but the luckiest of random orders.
for ranked, chance in curves.values():
    assert ranked[third] > 1.2 * chance.mean(axis=0)[third]
    assert (ranked[1:-1] >= chance.mean(axis=0)[1:-1]).all()
assert curves["dead"][0][third] > np.percentile(curves["dead"][1], 95, axis=0)[third]
assert found.status.eq("chua_du_bang_chung").any()  # the least plan does not settle every place
from coverage.simulate import truth
from coverage.simulate.network import OPERATORS
own = OPERATORS.index(OPERATOR)
p_fail = truth.fail_shares(made.radio, made.networks[own], made.places, truth.limits(made.criteria), quick=False)
worst = pd.Series(p_fail).groupby(owners).max()
assert (worst[need.village_id[found.dead.gt(0).to_numpy()]] > truth.DEAD_ABOVE).all()
""",
}
LONGEST_CELL_S = 300
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, with nothing of the person's own settings or kernels in reach."""
    for name in ("JUPYTER_PATH", "MPLBACKEND", "PYTHONSTARTUP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")  # python3 is the kernel of this environment
    for name, folder in {"JUPYTER_DATA_DIR": "j", "IPYTHONDIR": "i", "TMPDIR": "t"}.items():
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(name, str(tmp_path / folder))
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def pictures_of(cell: Any) -> list[Image.Image]:
    data = [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
    return [Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB") for png in data]


@each_notebook
def test_it_runs_and_shows_its_pictures(path: Path, work: Path) -> None:
    notebook = read(path)
    shown = {cell.id for cell in code_cells(notebook)}
    notebook.cells.append(nbformat.v4.new_code_cell(CLAIMS.get(path.name, "")))
    settings = {"metadata": {"path": str(work)}}
    NotebookClient(notebook, timeout=LONGEST_CELL_S, kernel_name="python3", resources=settings).execute()
    cells = {cell.id: cell for cell in code_cells(notebook) if cell.id in shown}
    for name, cell in cells.items():
        assert cell.execution_count, f"{name} did not run"
        for output in cell.outputs:
            assert output.output_type != "error", name
            assert output.get("name") != "stderr", f"{name} warns: {output.text}"
            assert "text/html" not in output.get("data", {}), f"{name}: names must never be read as HTML"
    for name in PICTURES[path.name]:
        (picture,) = pictures_of(cells[name])
        assert min(picture.size) > 400, name
        assert len(picture.getcolors(picture.width * picture.height)) > 50, f"{name} is blank"
    assert not list(work.iterdir()), "a notebook writes into its own temporary folder only"


@each_notebook
def test_it_is_kept_without_outputs(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert not cell.metadata, f"{cell.id}: metadata"
    for cell in code_cells(notebook):
        assert cell.outputs == [], f"{cell.id}: outputs"
        assert cell.execution_count is None, f"{cell.id}: execution count"


def test_there_are_notebooks() -> None:
    assert {path.name for path in NOTEBOOKS} == set(PICTURES)
