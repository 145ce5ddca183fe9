"""The saved mappings of a workspace: one TOML file each, named after the mapping."""

from __future__ import annotations

from coverage.archive.durable import write_durably
from coverage.archive.workspace import Workspace
from coverage.errors import NotFound
from coverage.logs.mappings import Mapping, parse_mapping


def save_mapping(workspace: Workspace, text: str, origin: str) -> Mapping:
    """The mapping that the text describes, kept for later uploads; one of its name is replaced.

    Raises `MappingRefused`; then nothing was changed.
    """
    mapping = parse_mapping(text, origin)
    workspace.mappings.mkdir(exist_ok=True)
    write_durably(workspace.mappings / f"{mapping.format.name}.toml", text.encode())
    return mapping


def load_mappings(workspace: Workspace) -> tuple[Mapping, ...]:
    """Every saved mapping, by name. Raises `MappingRefused` for a file that was damaged by hand."""
    files = sorted(workspace.mappings.glob("*.toml"))
    return tuple(parse_mapping(file.read_text(encoding="utf-8"), file.name) for file in files)


def remove_mapping(workspace: Workspace, name: str) -> None:
    """Forget a mapping; what was read with it stays. Raises `NotFound`."""
    known = {file.stem: file for file in workspace.mappings.glob("*.toml")}
    if name not in known:
        raise NotFound(f"Không có bảng khai cột {name}.", f"There is no mapping {name}.")
    known[name].unlink()
