"""The steps by which a newcomer adds a log format are carried out as they are written."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from conftest import REPOSITORY

GUIDE = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add a log format\n")[2]
SAMPLE = """when;y;x;gen;lte
30/10/2026 08:05;11,94;108,44;4G;-97
30/10/2026 08:06;11,94;108,44;none;
"""


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return textwrap.dedent(found)


def path_named(pattern: str) -> str:
    (found,) = set(re.findall(pattern, GUIDE))
    return found


def follow_the_guide(house: Path) -> None:
    profile = house / path_named(r"`(src/\S+exampleapp\.py)`")
    profile.write_text(block("python"), encoding="utf-8")
    listed = profile.with_name("__init__.py")
    new, before = re.findall(r"put `(\S+)` before `(\S+)`", GUIDE)[0]
    text = listed.read_text(encoding="utf-8").replace("import (", "import (\n    exampleapp,", 1)
    assert text.count(f"    {before},\n") == 1
    listed.write_text(text.replace(f"    {before},\n", f"    {new},\n    {before},\n"), encoding="utf-8")
    sample = house / path_named(r"`(tests/\S+log\.csv)`")
    sample.parent.mkdir()
    sample.write_text(SAMPLE, encoding="utf-8")
    with (house / path_named(r"`(tests/\S+\.toml)`")).open("a", encoding="utf-8") as outcomes:
        outcomes.write("\n" + block("toml"))


def run(house: Path, *arguments: str) -> str:
    path = {"PYTHONPATH": str(house / "src"), "PATH": ""}
    done = subprocess.run(
        [sys.executable, *arguments], check=False, cwd=house, env=path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_newcomer_adds_a_log_format_in_under_thirty_lines(tmp_path: Path) -> None:
    assert len(GUIDE.splitlines()) < 30
    for part in ("src", "tests", "docs", "pyproject.toml", "README.md", "CONTRIBUTING.md"):
        copy = shutil.copytree if (REPOSITORY / part).is_dir() else shutil.copy
        copy(REPOSITORY / part, tmp_path / part)
    follow_the_guide(tmp_path)
    (tmp_path / "docs/formats.md").write_text(run(tmp_path, "docs/make_formats.py"), encoding="utf-8")
    told = run(
        tmp_path,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_logs_samples.py"),
        *("-k", "exampleapp or every_format", "-rA"),
    )
    assert "synthetic_sample_becomes_what_is_told[exampleapp/log.csv]" in told
    assert "2 passed" in told
    assert "## `exampleapp`: nhật ký của ExampleApp" in (tmp_path / "docs/formats.md").read_text("utf-8")
