"""The command line as a person meets it: exit codes, JSON on stdout, words on stderr."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from coverage.archive.durable import write_durably
from coverage.cli import main
from coverage.demo import run_demo

PHUSONG = [sys.executable, "-m", "coverage"]
ROW = "2026-05-01 08:00:00,11.94,108.44,45204,LTE,-90"
HEADER = "time,lat,lon,operator,technology,rsrp_dbm"


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """What the command line does and prints, without the seconds that a new process takes to import everything."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(SystemExit) as ended,
    ):
        patch.setattr(sys, "argv", ["phusong", *map(str, arguments)])
        main()
    code = 0 if ended.value.code is None else ended.value.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def run_apart(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own."""
    return subprocess.run(
        [*PHUSONG, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )


def log(folder: Path, *lines: str, name: str = "log.csv") -> Path:
    (folder / name).write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return folder / name


def test_help_answers_without_the_heavy_libraries(tmp_path: Path) -> None:
    code = "import sys; sys.argv = ['phusong', '--help']\nfrom coverage.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    code += "print([m for m in ('folium', 'geopandas', 'fastapi', 'duckdb', 'ibis') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("[]")
    for command in (
        "init",
        "places",
        "ingest",
        "inspect",
        "mappings",
        "uploads",
        "assess",
        "export",
        "map",
        "simulate",
        "serve",
        "demo",
        "keys",
        "accounts",
        "audit",
    ):
        assert command in done.stdout


def test_ingest_prints_the_promised_counts(tmp_path: Path) -> None:
    done = run_apart("ingest", log(tmp_path, ROW, ROW, ROW.replace("11.94", "91")), "--json", cwd=tmp_path)
    assert done.returncode == 3
    (entry,) = json.loads(done.stdout)
    promised = {"file", "upload_id", "format", "operator", "rows", "accepted", "duplicates", "rejected",
                "quarantined", "no_service", "unknown_level"}  # fmt: skip
    assert promised <= set(entry)
    assert (entry["rows"], entry["accepted"], entry["duplicates"], entry["rejected"]) == (3, 1, 1, 1)
    assert entry["operator"] == "45204"
    assert (tmp_path / "workspace" / "archive" / "manifest.sqlite").exists()


def test_a_source_that_never_writes_no_service_can_be_told_and_taken_back(tmp_path: Path) -> None:
    name, told = log(tmp_path, ROW), []
    for option in ([], ["--positive-only"], [], ["--records-no-service"]):
        (entry,) = json.loads(run("ingest", name, *option, "--json", cwd=tmp_path).stdout)
        shown = json.loads(run("uploads", "show", entry["upload_id"], "--json", cwd=tmp_path).stdout)
        told.append(shown["context"]["positive_only"])
    assert told == [None, True, True, False]


MENDED = """Thời gian;Vĩ độ;Kinh độ;Nhà mạng;Công nghệ;Mức thu;IMEI
30/10/2025 8:05;11,94;108,44;Viettel;4G;−97;356938035643809
"""


def test_the_answer_tells_what_was_mended_and_what_was_never_read(tmp_path: Path) -> None:
    (tmp_path / "do.csv").write_text(MENDED, encoding="utf-8")
    done = run("ingest", "do.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "không đọc, không lưu / never read nor kept: IMEI" in done.stdout
    assert "356938035643809" not in done.stdout + done.stderr
    assert "1 dòng/rows: dấu phẩy thập phân" in done.stdout
    assert "dòng/line 2 (Vĩ độ = 11,94)" in done.stdout
    assert "dấu trừ kiểu chữ in" in done.stdout
    (told,) = json.loads(run("ingest", "do.csv", "--json", cwd=tmp_path).stdout)
    assert (told["fixed"], told["dropped"], told["format"]) == (1, ["IMEI"], "canonical")
    assert 0 < told["confidence"] <= 1


def test_the_answer_counts_refused_rows_by_reason_and_shows_the_first(tmp_path: Path) -> None:
    good = [ROW.replace(":00,", f":{at:02},") for at in range(4)]
    wrong = [row.replace("11.94", "x").replace("108.44", "y") for row in good[:3]]
    done = run("ingest", log(tmp_path, *good, *wrong, good[0]), cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "  3 loại/rejected, dòng/line 6: Toạ độ thiếu hoặc không phải số (lat = x)" in done.stdout
    assert "  1 trùng/duplicate, dòng/line 9: Trùng hoàn toàn với dòng 2" in done.stdout


def test_inspect_shows_the_guess_and_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "do.csv").write_text(MENDED, encoding="utf-8")
    done = run("inspect", "do.csv", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)
    assert (told["format"], told["columns"]["lat"], told["dropped"]) == ("canonical", "Vĩ độ", ["IMEI"])
    assert json.loads(run("uploads", "list", "--json", cwd=tmp_path).stdout) == []
    refused = run("inspect", "do.csv", "--format", "gnettrack_text", cwd=tmp_path)
    assert refused.returncode == 2
    assert "gnettrack_text" in refused.stderr


def test_inspect_tells_what_would_be_set_aside(tmp_path: Path) -> None:
    text = "time,lat,lon,technology,rsrp_dbm\n2026-10-30T08:00:00Z,11.94,108.44,LTE,-97\n"
    (tmp_path / "do.csv").write_text(text, encoding="utf-8")
    done = run("inspect", "do.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "missing (--operator): Không rõ nhà mạng: 1 dòng sẽ bị để riêng" in done.stdout
    assert "missing (--device)" in done.stdout
    (told,) = json.loads(run("inspect", "do.csv", "--json", cwd=tmp_path).stdout)
    assert [(one["field"], one["rows"]) for one in told["missing"]] == [("operator", 1), ("device", 0)]
    (tmp_path / "drive_test__may1__Viettel__2026-10-30.csv").write_text(text, encoding="utf-8")
    named = run("inspect", "drive_test__may1__Viettel__2026-10-30.csv", cwd=tmp_path)
    assert "missing" not in named.stdout


def test_a_saved_mapping_reads_a_team_s_own_table(tmp_path: Path) -> None:
    (tmp_path / "do.csv").write_text("Y84;X84;Chính\n11,94;108,44;-97\n", encoding="utf-8")
    said = ("--operator", "Viettel", "--technology", "4G", "--date", "2025-10-30")
    refused = run("ingest", "do.csv", *said, cwd=tmp_path)
    assert refused.returncode == 2
    assert "phusong mappings add" in refused.stderr
    mapping = 'name = "doi_1"\ntitle = "Đội 1"\n[columns]\nlat = "Y84"\nlon = "X84"\nrsrp_dbm = "Chính"\n'
    (tmp_path / "doi_1.toml").write_text(mapping, encoding="utf-8")
    assert run("mappings", "add", "doi_1.toml", cwd=tmp_path).returncode == 0
    (listed,) = json.loads(run("mappings", "list", "--json", cwd=tmp_path).stdout)
    assert listed == {"name": "doi_1", "title": "Đội 1", "team": None}
    (told,) = json.loads(run("ingest", "do.csv", *said, "--json", cwd=tmp_path).stdout)
    assert (told["format"], told["accepted"]) == ("doi_1", 1)
    assert run("mappings", "remove", "doi_1", cwd=tmp_path).returncode == 0
    gone = run("mappings", "remove", "doi_1", cwd=tmp_path)
    assert (gone.returncode, "doi_1" in gone.stderr) == (2, True)
    assert run("mappings", "add", "absent.toml", cwd=tmp_path).returncode == 2


def test_a_clean_file_ends_with_zero_and_again_adds_nothing(tmp_path: Path) -> None:
    path = log(tmp_path, ROW)
    assert run("ingest", path, "--workspace", "w", cwd=tmp_path).returncode == 0
    again = run("ingest", path, "--workspace", "w", "--json", cwd=tmp_path)
    assert (again.returncode, json.loads(again.stdout)[0]["added_rows"]) == (0, 0)
    listed = json.loads(run("uploads", "list", "--workspace", "w", "--json", cwd=tmp_path).stdout)
    assert [(one["state"], one["accepted"]) for one in listed] == [("committed", 1)]


def test_the_refused_rows_come_back_with_line_reason_and_cure(tmp_path: Path) -> None:
    (entry,) = json.loads(
        run("ingest", log(tmp_path, ROW, ROW.replace("11.94", "91")), "--json", cwd=tmp_path).stdout
    )
    assert run("uploads", "rejects", entry["upload_id"], "-o", "r.csv", cwd=tmp_path).returncode == 0
    text = (tmp_path / "r.csv").read_text(encoding="utf-8-sig").splitlines()
    assert text[0] == "line,outcome,code,column,value,ly_do,reason"
    assert text[1].startswith("3,rejected,coordinate_out_of_range,lat,91,")
    shown = json.loads(run("uploads", "show", entry["upload_id"], "--json", cwd=tmp_path).stdout)
    assert shown["reasons"][0]["code"] == "coordinate_out_of_range"


def test_withdraw_and_restore(tmp_path: Path) -> None:
    (entry,) = json.loads(run("ingest", log(tmp_path, ROW), "--json", cwd=tmp_path).stdout)
    withdrawn = run("uploads", "withdraw", entry["upload_id"], "--reason", "thử", "--json", cwd=tmp_path)
    assert json.loads(withdrawn.stdout)["state"] == "withdrawn"
    restored = run("uploads", "restore", entry["upload_id"], "--json", cwd=tmp_path)
    assert json.loads(restored.stdout)["state"] == "committed"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ingest", "absent.csv"), "absent.csv"),
        (("ingest", "rubbish.bin"), "rubbish.bin"),
        (("places", "add", "villages", "absent.geojson"), "absent.geojson"),
        (("assess",), "places add villages"),
        (("assess", "--as-of", "31/10/2026"), "31/10/2026"),
        (("export", "gaps", "-o", "g.geojson"), "phusong assess"),
        (("uploads", "show", "0000"), "0000"),
        (("serve", "--host", "192.0.2.1"), "192.0.2.1"),
        (("init", "--criteria", "rubbish.bin"), "rubbish.bin"),
    ],
)
def test_bad_input_ends_with_two_says_what_and_shows_no_traceback(
    tmp_path: Path, arguments: tuple, says: str
) -> None:
    (tmp_path / "rubbish.bin").write_bytes(bytes(range(256)) * 8)
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_usage_errors_end_with_two(tmp_path: Path) -> None:
    assert run("export", "everything", "-o", "x", cwd=tmp_path).returncode == 2
    assert run("ingest", cwd=tmp_path).returncode == 2


def test_one_bad_file_does_not_stop_the_good_ones(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_bytes(b"")
    done = run_apart("ingest", "bad.csv", log(tmp_path, ROW), "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert [entry["accepted"] for entry in json.loads(done.stdout)] == [1]
    assert "bad.csv" in done.stderr


def test_inspect_tells_of_the_good_files_beside_a_bad_one(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_bytes(b"")
    done = run("inspect", "bad.csv", log(tmp_path, ROW), "absent.csv", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert [Path(entry["file"]).name for entry in json.loads(done.stdout)] == ["log.csv"]
    assert done.stderr.count("Lỗi: ") == done.stderr.count("Error: ") == 2
    assert "bad.csv" in done.stderr
    assert "absent.csv" in done.stderr


def test_measurements_can_be_taken_out_again(tmp_path: Path) -> None:
    run("ingest", log(tmp_path, ROW, ROW.replace("45204", "45201")), cwd=tmp_path)
    done = run("export", "measurements", "-o", "m.csv", "--operator", "45201", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["features"] == 1
    assert len((tmp_path / "m.csv").read_text().splitlines()) == 2


def test_the_demo_leaves_its_promised_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coverage.demo.VILLAGES", 8)
    monkeypatch.setattr("coverage.demo.MEASUREMENTS", 4_000)
    result = run_demo(tmp_path / "demo")
    for name in ("gaps.geojson", "villages.geojson", "map.html"):
        assert (tmp_path / "demo" / name).stat().st_size > 0
    assert "Trắng sóng" in result.text
    assert json.loads((tmp_path / "demo" / "villages.geojson").read_text())["features"]
    again = run_demo(tmp_path / "demo")
    assert again.text == result.text


@pytest.mark.parametrize(("target", "code"), [("missing/folder/out.csv", 2), (".", 1)])
def test_a_file_that_cannot_be_written_is_told_in_words(tmp_path: Path, target: str, code: int) -> None:
    run("ingest", log(tmp_path, ROW), cwd=tmp_path)
    done = run("export", "measurements", "--format", "csv", "-o", target, cwd=tmp_path)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Lỗi" in done.stderr


def test_links_are_followed_and_pipes_written_to_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    write_durably(tmp_path / "link.txt", b"new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
    write_durably(Path("/dev/null"), b"gone")
    assert Path("/dev/null").is_char_device()
