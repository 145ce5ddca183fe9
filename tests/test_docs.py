"""The pages of docs/ say what the program does: links, commands, numbers, tables and examples are checked."""

from __future__ import annotations

import inspect
import pkgutil
import re
import runpy
import shlex
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import orjson
import pytest
import typer
from conftest import REPOSITORY

from coverage import intake, intake_places, logs, pipeline, places, tables
from coverage.archive import history
from coverage.archive.workspace import open_workspace
from coverage.cli import app
from coverage.criteria import default_text
from coverage.exports import lists
from coverage.logs import judge
from coverage.logs.context import Context
from coverage.logs.formats import FORMATS
from coverage.service import answers
from coverage.verdicts import share_above

DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.glob("*.md"))]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLI: Any = typer.main.get_command(app)


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def rows_of(text: str, columns: int) -> Iterator[list[str]]:
    """The cells of every table row with that many columns, rulers left out."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == columns and not set("".join(cells)) <= {"-", ":"}:
            yield cells


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert REPOSITORY in found.parents, f"{target} leaves the repository"
        assert not anchor or anchor in headings(found), target


def headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_every_page_opens_in_vietnamese_and_names_no_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    opening = re.match(r"# [^\n]+\n\n\*([^*]*[ạ-ỹ][^*]*)\*\n\n", text)
    assert opening, "a page opens with its title and two or three Vietnamese sentences"
    assert len(re.findall(r"[.…](?:\s|$)", opening[1])) in {2, 3}
    assert not re.search(r"(?:^|[\s`(\"])(?:/(?:work|home|root|usr|tmp)/|~/)", text)


def commands_of(text: str) -> Iterator[list[str]]:
    """The arguments of every `phusong …` that stands in a code block or between back-ticks."""
    fenced = "\n".join(block for _, block in FENCE.findall(text))
    indented = "\n".join(re.findall(r"^ {4}\S.*$", text, re.MULTILINE))
    spans = "\n".join(re.findall(r"`([^`\n]+)`", FENCE.sub("", text)))
    for line in "\n".join((fenced, indented, spans)).splitlines():
        words = shlex.split(line, comments=True) if "phusong" in line and "'" not in line else []
        if words and words[0].rsplit("/", 1)[-1] == "phusong":
            yield words[1:]


def test_every_quoted_command_is_understood_by_the_command_line() -> None:
    quoted = [(page.name, words) for page in PAGES for words in commands_of(page.read_text(encoding="utf-8"))]
    assert len(quoted) > 25
    for page, words in quoted:
        where, (command, arguments) = f"{page}: phusong {' '.join(words)}", resolved(words)
        if arguments in ([], ["…"]):
            continue
        assert not hasattr(command, "commands"), f"{where}: no such command"
        try:
            command.make_context("phusong", list(arguments))
        except Exception as fault:
            pytest.fail(f"{where}: {fault}")


def resolved(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and what is left for it."""
    command, at = CLI, 0
    while at < len(words) and words[at] in getattr(command, "commands", {}):
        command, at = command.commands[words[at]], at + 1
    return command, words[at:]


def test_every_command_stands_on_the_page_about_running() -> None:
    quoted = [words[:2] for words in commands_of(text_of("running.md"))]
    for name, command in CLI.commands.items():
        for inner in getattr(command, "commands", [None]):
            assert [name, inner] in quoted if inner else name in [words[0] for words in quoted], (name, inner)


def leaves(rules: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in rules.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.")
        else:
            yield above + key, ", ".join(value) if isinstance(value, list) else str(value)


def test_every_number_of_the_rules_stands_in_the_table_with_its_value() -> None:
    rules = {key: value for key, value in leaves(tomllib.loads(default_text())) if key != "name"}
    table = {cells[0].strip("`"): cells for cells in rows_of(text_of("decision-rule.md"), 6)}
    told = {key: cells for key, cells in table.items() if "." in key or key in rules}
    assert set(rules) <= set(told), "numbers without a row"
    assert {key for key in told if re.fullmatch(r"[\w.]+", key) and "_" in key} <= set(rules), "rows too many"
    for key, value in rules.items():
        written = told[key][1].replace("−", "-")
        assert written == value or float(written) == float(value), key
        assert told[key][4] in {"law", "regulator", "second-hand", "recalled", "computed", "judgement"}, key
        assert told[key][5], key


def test_the_table_of_tests_and_fails_is_what_the_rule_computes() -> None:
    rows = [cells for cells in rows_of(text_of("decision-rule.md"), 6) if re.fullmatch(r"\d+", cells[0])]
    assert len(rows) >= 12
    for n, k, *shares, verdict in rows:
        tests, fails = np.array([float(n)]), np.array([float(k)])
        dead, poor = (float(share_above(fails, tests, share)[0]) for share in (0.5, 0.1))
        fine = 1 - float(share_above(fails, tests, 0.2)[0])
        assert shares == [f"{share:.3f}" for share in (dead, poor, fine)], (n, k)
        named = "dead_zone" if dead >= 0.95 else "below_standard" if poor >= 0.95 and float(k) >= 3 else None
        assert verdict.split()[0] == (named or ("covered" if fine >= 0.95 else "not_enough_evidence")), (n, k)


def test_the_page_of_tables_is_the_one_that_the_contracts_make() -> None:
    made = runpy.run_path(str(DOCS / "make_tables.py"))["page"]()
    assert text_of("tables.md") == made, "run `make docs`"
    for name in lists.PROPERTIES:
        assert f"| `{name}` |" in made


def test_the_page_of_formats_is_the_one_that_the_profiles_make() -> None:
    made = runpy.run_path(str(DOCS / "make_formats.py"))["page"]()
    assert text_of("formats.md") == made, "run `make docs`"


def test_every_value_of_a_list_of_words_is_explained() -> None:
    rule = text_of("decision-rule.md")
    for word in (*tables.STATUSES, *tables.VERDICTS, *tables.SUB_REASONS, *tables.NOT_SPOTS, *tables.LISTS):
        assert word in rule, word


def test_every_outcome_code_is_told_with_what_becomes_of_the_row() -> None:
    known = dict(re.findall(r'Fault\("(\w+)", "(\w+)"', inspect.getsource(judge)))
    known |= {other.code: "rejected" for fmt in FORMATS for other in (*fmt.other_rows, *fmt.only_rows)}
    known |= {"wrong_field_count": "rejected", "bad_quotes": "rejected", "duplicate_row": "duplicate"}
    known["line_too_long"] = "rejected"
    assert set(known) == set(logs.CODES)
    fixes = {cells[0].strip("`") for cells in rows_of(text_of("files.md"), 2)} & set(logs.FIXES)
    assert fixes == set(logs.FIXES)
    told = {
        cells[0].strip("`"): cells[1]
        for cells in rows_of(text_of("files.md"), 4)
        if cells[0].strip("`") in known
    }
    assert told == known


def place_readers() -> list[ModuleType]:
    names = [found.name for found in pkgutil.walk_packages(places.__path__, f"{places.__name__}.")]
    return [module for module in map(import_module, names) if hasattr(module, "_SYNONYMS")]


def test_every_header_that_is_read_is_told() -> None:
    text = text_of("files.md") + text_of("places.md") + text_of("formats.md")
    formats = [("log", one.columns) for one in FORMATS]
    layers = [(module.__name__, module._SYNONYMS) for module in place_readers()]
    for where, columns in (*formats, *layers):
        for field, spellings in columns.items():
            missing = [one for one in spellings if f"`{one}`" not in text]
            assert not missing, (where, field, missing)


def examples() -> list[tuple[str, str]]:
    """The examples of the pages about files: name and content of each block that names its file."""
    text = text_of("places.md") + text_of("files.md")
    return [(info.split()[1], body) for info, body in FENCE.findall(text) if " " in info]


def test_the_example_files_can_be_read_to_the_last_row(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "workspace")
    rasters = {"population", "nightlights", "dem"}
    kinds = dict.fromkeys(set(intake_places.PLACES_KINDS) - rasters, 0)
    logs_read = set()
    for name, body in examples():
        (tmp_path / name).write_text(body, encoding="utf-8")
        kind = name.partition(".")[0]
        if kind in kinds:
            report = intake_places.add_places(workspace, kind, tmp_path / name)
            kinds[kind] += report.rows
            assert not report.notes, report.notes
            continue
        for receipt in intake.ingest(workspace, tmp_path / name, Context()):
            assert receipt.rows == receipt.accepted > 0, name
            logs_read.add(receipt.format)
    assert logs_read == {"gnettrack_text", "gnettrack_csv", "canonical", "towercollector"}
    assert all(kinds.values()), kinds


def test_the_plainest_log_of_the_first_page_is_read_whole(tmp_path: Path) -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (log,) = [body for info, body in FENCE.findall(text) if info == "csv"]
    (tmp_path / "log.csv").write_text(log, encoding="utf-8")
    (receipt,) = intake.ingest(open_workspace(tmp_path / "workspace"), tmp_path / "log.csv", Context())
    assert receipt.rows == receipt.accepted == 2


def test_the_sample_of_an_answer_has_members_that_answers_have() -> None:
    (sample,) = [body for info, body in FENCE.findall(text_of("sending.md")) if info == "json"]
    given = inspect.getsource(answers)
    assert all(f'"{name}": ' in given for name in orjson.loads(sample))


def test_the_worked_example_comes_out_as_told(tmp_path: Path) -> None:
    workspace, folder = open_workspace(tmp_path / "workspace"), DOCS / "example"
    intake_places.add_places(workspace, "villages", folder / "villages.geojson")
    intake_places.add_places(workspace, "clusters", folder / "clusters.csv")
    intake_places.add_places(workspace, "power", folder / "power.csv")
    (receipt,) = intake.ingest(workspace, folder / "log.csv", Context())
    assert receipt.rows == receipt.accepted
    pipeline.assess(workspace, date(2026, 11, 1))
    snapshot = history.latest(workspace)
    (gap,) = lists.select(snapshot, "gaps").to_dict("records")
    assert (gap["status"], gap["list"], gap["who_must_act"]) == ("lom_song", "gaps", "operator")
    assert (gap["not_spot"], gap["status_all_operators"]) == ("undetermined", "chua_du_bang_chung")
    assert (gap["status_at_105"], gap["status_at_121"]) == ("lom_song", "chua_du_bang_chung")
    assert (gap["dead_share"], gap["population_affected"], gap["simulated"]) == (0.375, 127.5, True)
    judged = snapshot.place_verdicts.query("operator == '45204'").set_index("place_id")
    dead, centre = judged.loc["VD-01/c/B"], judged.loc["VD-01/centre"]
    counts = ["tests", "fails", "fail_devices", "fail_dates", "fail_hexes"]
    assert dead[counts].tolist() == [9, 8, 2, 2, 3]
    assert centre[["tests", "fails", "verdict"]].tolist() == [12, 0, "covered"]
    told = text_of("decision-rule.md")
    for number in (dead["effective_tests"], dead["effective_fails"], centre["effective_tests"]):
        assert f"= {number:.2f}" in told
    assert f"P(p > 0.5) = {dead['p_dead']:.3f}" in told
