"""The files of docs/deploy and its page: units, container, proxies, alerts, and the restore drill, run as it stands."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY
from keeping import judged
from serving import free_port

from coverage.archive import backups
from coverage.archive.standing import standing
from coverage.archive.workspace import open_workspace
from coverage.service import workers
from coverage.service.metrics import _OURS, _Now
from coverage.settings import Settings

DEPLOY = REPOSITORY / "docs" / "deploy"
PAGE = (REPOSITORY / "docs" / "deploy.md").read_text(encoding="utf-8")
UNITS = sorted(one.name for one in DEPLOY.glob("phusong*.*") if one.suffix in {".service", ".timer"})
PROGRAM = "/opt/phusong/.venv/bin/phusong"


# --- the restore drill


def test_the_restore_drill_passes_as_it_stands(tmp_path: Path) -> None:
    workspace, _ = judged(tmp_path / "w", tmp_path)
    backups.backup(workspace, tmp_path / "backup")
    done = subprocess.run(
        ["bash", "-c", drill(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = re.search(r"The end of it.*?```\n(.*?)```", PAGE, re.DOTALL)
    assert said
    lines = [line for line in done.stdout.splitlines() if line]
    assert said[1].splitlines()[-1] == lines[-1]
    assert said[1].splitlines()[0] in lines
    assert (tmp_path / "drill-gaps.geojson").stat().st_size > 1000
    assert not (tmp_path / "drill").exists()


def test_the_drill_ends_where_the_backup_is_damaged(tmp_path: Path) -> None:
    workspace, _ = judged(tmp_path / "w", tmp_path)
    backups.backup(workspace, tmp_path / "backup")
    next((tmp_path / "backup" / "archive" / "parts").iterdir()).write_bytes(b"damaged")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["bash", "-c", drill(tmp_path)]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "part_changed" in done.stdout
    assert not (tmp_path / "drill").exists()


def drill(folder: Path) -> str:
    """The lines of the page, between folders and at a port of the test's own."""
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for said, instead in (
        ("/srv/backup/phusong", folder / "backup"),
        ("/var/lib/phusong/drill", folder / "drill"),
        ("8099", free_port()),
    ):
        assert script.count(said) == 1
        script = script.replace(said, str(instead))
    return script


# --- units


def unit(name: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(DEPLOY / name)
    return parsed


def test_the_service_runs_as_nobody_special_and_may_write_its_folder_only() -> None:
    service = unit("phusong.service")["Service"]
    assert service["User"] == service["Group"] == "phusong"
    assert (service["ProtectSystem"], service["StateDirectory"], service["UMask"]) == (
        "strict",
        "phusong",
        "0077",
    )
    assert "ReadWritePaths" not in service
    for hardened in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "RestrictSUIDSGID"):
        assert service[hardened] == "yes"
    assert (service["CapabilityBoundingSet"], service["Restart"]) == ("", "on-failure")
    assert service["ExecStart"].split()[:2] == [PROGRAM, "serve"]
    assert service["MemoryMax"]
    assert service["EnvironmentFile"] == "-/etc/phusong/phusong.env"


def test_the_service_is_given_the_time_that_its_end_takes() -> None:
    service = unit("phusong.service")["Service"]
    longest = workers.LAST_ANSWERS_S + 5 + workers._LAST_JOB_S
    assert int(service["TimeoutStopSec"]) > longest + 10
    assert f"{longest:.0f} s at the longest" in PAGE
    assert (service["KillSignal"], service["KillMode"]) == ("SIGTERM", "mixed")


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    for name in UNITS:
        there = (DEPLOY / name).read_text().replace(PROGRAM, sys.executable)
        (tmp_path / name).write_text(there)
    done = subprocess.run(
        [analyze, "verify", *UNITS], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (0, "")
    strict = [analyze, "security", "--offline=yes", "--threshold=20", "./phusong.service"]
    done = subprocess.run(strict, cwd=tmp_path, capture_output=True, text=True, check=False)
    if "Unknown" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip("this systemd does not look at files offline")
    assert done.returncode == 0, done.stdout[-200:]


def test_every_variable_of_the_files_is_a_setting() -> None:
    known = {f"PHUSONG_{name.upper()}" for name in Settings.model_fields}
    for file in DEPLOY.iterdir():
        found = set(re.findall(r"PHUSONG_[A-Z_]+", file.read_text(encoding="utf-8")))
        assert found <= known, file.name


# --- container


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Containerfile and what follows it, lines that go on joined."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n", " ", text)
    lines = [line.strip() for line in joined.splitlines()]
    return [tuple(line.split(None, 1)) for line in lines if line and not line.startswith("#")]  # type: ignore[misc]


def test_the_container_is_of_a_user_without_rights_and_watches_itself() -> None:
    told = instructions()
    (base,) = [rest for name, rest in told if name == "FROM"]
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim-\w+", base)
    (user,) = [rest for name, rest in told if name == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    names = [name for name, _ in told]
    assert names.index("USER") < names.index("ENTRYPOINT") < names.index("CMD")
    assert "RUN" not in names[names.index("USER") :]
    (health,) = [rest for name, rest in told if name == "HEALTHCHECK"]
    assert "/readyz" in health
    code = ast.literal_eval(health[health.index("[") :])
    assert code[:2] == ["python", "-c"]
    compile(code[2], "HEALTHCHECK", "exec")


def test_the_container_is_pinned_and_holds_no_secret() -> None:
    told = instructions()
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert ":latest" not in text
    installs = [rest for name, rest in told if name == "RUN" and "pip install" in rest]
    assert all("--require-hashes -r requirements.lock" in one or "--no-deps" in one for one in installs)
    assert len(installs) == 2
    assert not [name for name, _ in told if name == "ADD"]
    copied = {word for name, rest in told if name == "COPY" for word in rest.split()[:-1]}
    assert copied == {"requirements.lock", "pyproject.toml", "README.md", "LICENSE", "src"}
    assert all((REPOSITORY / one).exists() for one in copied)
    assert not re.search(r"(?i)password|secret|token|api_?key|://[^/\s]+:[^/\s]+@", text)


def test_the_health_check_fails_where_nobody_answers() -> None:
    (health,) = [rest for name, rest in instructions() if name == "HEALTHCHECK"]
    code = ast.literal_eval(health[health.index("[") :])[2].replace("8000", str(free_port()))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode != 0


# --- proxies


def test_the_proxies_let_files_and_events_through() -> None:
    nginx, caddy = ((DEPLOY / name).read_text() for name in ("nginx.conf", "Caddyfile"))
    largest = Settings.model_fields["max_upload_mb"].default
    sizes = re.search(r"client_max_body_size (\d+)m;", nginx), re.search(r"max_size (\d+)MB", caddy)
    assert all(size and int(size[1]) > largest for size in sizes)
    for needed in ("proxy_request_buffering off;", "proxy_buffering off;", "proxy_set_header Host $host;"):
        assert needed in nginx
    assert "flush_interval -1" in caddy
    for proxy in (nginx, caddy):
        assert "X-Request-Id" in proxy
        assert "/metrics" in proxy
    for wait in re.findall(r"(?:read|send|body)_timeout (\d+)s;", nginx):
        assert int(wait) > Settings.model_fields["idle_timeout_s"].default


# --- what is watched


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all metrics, as Prometheus knows them."""
    workspace = open_workspace(tmp_path_factory.mktemp("metrics") / "w")
    found = [*_Now(standing(workspace), workspace, 0).collect(), *_OURS.collect()]
    return {f"{one.name}_total" if one.type == "counter" else one.name for one in found}


def test_every_alert_asks_for_a_metric_that_there_is(families: set[str]) -> None:
    (group,) = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    assert len(group["rules"]) >= 8
    for rule in group["rules"]:
        asked = {name.removesuffix("_bucket") for name in re.findall(r"phusong_\w+", rule["expr"])}
        assert asked <= families, rule["alert"]
        assert asked or rule["alert"] == "PhusongAway"
        assert rule["annotations"]["summary"]


def test_every_metric_stands_on_the_page(families: set[str]) -> None:
    told = set(re.findall(r"^\| .*", PAGE, re.MULTILINE))
    named = {name for line in told for name in re.findall(r"`(phusong_\w+)", line.rpartition(" | ")[0])}
    assert named == families


def test_every_event_of_the_log_stands_on_the_page() -> None:
    source = REPOSITORY / "src" / "coverage"
    rooms = [source / "work.py", *sorted((source / "service").glob("*.py"))]
    said = {event for file in rooms for event in re.findall(r'\blog\.\w+\(\s*"(\w+)"', file.read_text())}
    assert len(said) > 10
    rare = {"crashed", "thread_crashed", "warned", "not_mended", "not_given_back", "tidying"}
    assert not [event for event in said - rare if f"`{event}`" not in PAGE]
