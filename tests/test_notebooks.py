"""Every notebook runs as it stands in a fresh clone, shows its pictures, and is kept without outputs."""

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
PICTURES = {"01_from_log_to_gap.ipynb": ("picture-points", "picture-evidence", "picture-map")}
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
    settings = {"metadata": {"path": str(work)}}
    NotebookClient(notebook, timeout=LONGEST_CELL_S, kernel_name="python3", resources=settings).execute()
    cells = {cell.id: cell for cell in code_cells(notebook)}
    for name, cell in cells.items():
        assert cell.execution_count, f"{name} did not run"
        for output in cell.outputs:
            assert output.output_type != "error", name
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
