"""The arrows of the house: a file imports only from rooms before its own; some libraries live in one room."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "coverage"
# Rooms of one line do not import each other.
ORDER = [
    {"errors"},
    {"names"},
    {"contracts", "cell_lists", "text", "workbooks"},
    {"tables"},
    {"criteria", "settings", "progress", "parts", "callers"},
    {"hexes", "projections"},
    {"logs", "places"},
    {"clusters"},
    {"crosswalk", "engine", "people", "pairs"},
    {"calibration", "questions"},
    {"archive"},
    {"inputs", "moments"},
    {"ground"},
    {"observations"},
    {"traces", "signals"},
    {"hex_sums"},
    {"evidence"},
    {"verdicts"},
    {"what_if"},
    {"reasons", "changes"},
    {"hex_reasons"},
    {"gaps"},
    {"dead_areas"},
    {"claims", "roads", "nearest_sites", "surroundings", "kriging"},
    {"covariates"},
    {"predictions", "surveys"},
    {"judging", "renewal"},
    {"exports"},
    {"features", "reports"},
    {"intake_villages"},
    {"intake", "intake_places", "pipeline", "recalibrate"},
    {"previews", "work", "scattered"},
    {"demo", "service"},
    {"cli"},
    {"__main__"},
]
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
STANDS_APART = {"simulate": {"errors", "names", "tables", "criteria", "hexes"}}
MAY_IMPORT_SIMULATE = {"simulate", "cli", "demo"}
CONFINED = {
    "h3": {"hexes"},
    "h3ronpy": {"hexes"},
    "folium": {"exports"},
    "fastapi": {"service"},
    "starlette": {"service"},
    "sqlalchemy": {"archive"},
    "argon2": {"archive"},
    **{
        name: {"service"} for name in ("authlib", "httpx2", "joserfc", "itsdangerous", "cachetools", "limits")
    },
    "cql2": {"features"},
    "docx": {"reports"},
    "matplotlib": {"reports"},
    "typst": {"reports"},
    "pmtiles": {"exports"},
    "prometheus_client": {"service"},
    "typer": {"cli"},
    "pyspark": {"clusters", "scattered"},
    "ibis": {
        "clusters",
        "engine",
        "questions",
        "moments",
        "observations",
        "traces",
        "signals",
        "hex_sums",
        "evidence",
        "claims",
        "judging",
        "pipeline",
    },
}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "core", "base", "manager", "misc"}
FILES = sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    relative = path.relative_to(SOURCE)
    return relative.parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module)
            if node.module == "coverage":
                found.update(f"coverage.{alias.name}" for alias in node.names)
    return found - {"coverage"}


def rooms_imported(path: Path) -> set[str]:
    ours = {name.split(".")[1] for name in imports_of(path) if name.startswith("coverage.")}
    return ours - {room_of(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_file_imports_only_from_rooms_before_its_own(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        assert not rooms_imported(path)
        return
    for other in rooms_imported(path):
        if room in STANDS_APART:
            assert other in STANDS_APART[room], f"{room} must not import {other}"
        elif other in STANDS_APART:
            assert room in MAY_IMPORT_SIMULATE, f"{room} must not import {other}"
        else:
            assert RANK[other] < RANK[room], f"{room} must not import {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_confined_libraries_stay_in_their_room(path: Path) -> None:
    for name in imports_of(path):
        library = name.split(".")[0]
        assert room_of(path) in CONFINED.get(library, {room_of(path)}), (
            f"{library} must not be used in {path}"
        )


def test_only_settings_reads_the_environment() -> None:
    for path in FILES:
        readers = {"os.environ", "os.getenv"}
        used = {
            ast.unparse(node)
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
        }
        assert room_of(path) == "settings" or not used & readers, path


def test_no_room_has_a_name_that_says_nothing() -> None:
    assert not [path for path in FILES if path.stem in FORBIDDEN_NAMES]


def test_every_room_is_ranked() -> None:
    assert {room_of(path) for path in FILES} - {"__init__"} <= set(RANK) | set(STANDS_APART)


def test_every_public_function_and_class_is_documented() -> None:
    bare = []
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            named = isinstance(node, ast.FunctionDef | ast.ClassDef)
            if named and not node.name.startswith("_") and not ast.get_docstring(node):
                bare.append(f"{path.name}:{node.name}")
    assert not bare
