"""Files that the reader has never seen: read rightly, or refused with a reason and a cure; never read wrongly."""

from __future__ import annotations

import pytest
import unseen
from test_logs_read import KEY, NAMES, NOW, ROW, only, read
from unseen_names import INDEPENDENT, held_out

from coverage.errors import FileRefused
from coverage.logs import Context, detect, read_file
from coverage.logs.formats import canonical
from coverage.logs.mappings import parse_mapping
from coverage.names import fold

# Spellings that the program had before the lists of `unseen_names` were written.
KNOWN_BEFORE = {
    "cellid", "clock", "deviceid", "dochinhxacm", "kinhdo", "lat", "lng", "mucthuasu", "networkoperator", "rsrpidx", "rsrqdb",
    "signalasu", "sinrdb", "snrdb", "speedkmh", "timestamp", "vido",
}  # fmt: skip
# Measured on 1,000 to 2,000 files of each mode (`python tests/unseen.py`): A 100 %, B 98 %, C 29 %. The floors stand below.
FLOORS = {"A": 0.95, "B": 0.95, "C": 0.2}


@pytest.mark.parametrize(("mode", "files"), [("A", 100), ("B", 60), ("C", 40), ("D", 40)])
def test_files_never_seen_are_read_rightly_or_refused(mode, files):
    _hold(mode, files, seed=11)


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["A", "B", "C", "D"])
def test_many_files_never_seen(mode):
    _hold(mode, files=5000, seed=12)


def _hold(mode: str, files: int, seed: int) -> None:
    found = unseen.run(mode, files, seed)
    shares = unseen.shares(found)
    print(f"mode {mode}: {shares}")
    assert [one for one in found if one.outcome in ("wrong", "mute")] == []
    assert shares["right"] >= FLOORS.get(mode, 0.0)


def test_held_out_names_stay_out_of_the_program_s_tables():
    for field, names in INDEPENDENT.items():
        assert held_out(field) == names[2::3]
        spelt = {fold(one) for spellings in canonical.FORMAT.columns.values() for one in spellings}
        assert {fold(one) for one in held_out(field)} & spelt <= KNOWN_BEFORE


HEADER = "time,lat,lon,operator,technology,rsrp"


def table(header: str, *rows: str, times: int = 3) -> str:
    """Rows under a header, repeated with other seconds: what stands for {s} differs."""
    made = [row.replace("{s}", f"{10 + index}") for index in range(times) for row in rows]
    return "\n".join([header, *made]) + "\n"


@pytest.mark.parametrize(
    ("header", "rows", "thing"),
    [
        (f"{HEADER},Cell type", (f"{ROW},Serving", f"{ROW},Neighbour"), "Cell type"),
        (f"{HEADER},is_serving", (f"{ROW},1", f"{ROW},0"), "is_serving"),
        (f"{HEADER},GPS latitude", (f"{ROW},11.99",), "GPS latitude"),
        (f"{HEADER},Serving RSRP", (f"{ROW},-80",), "Serving RSRP"),
        (f"{HEADER},Device time", (f"{ROW},2026-10-30 08:10:00",), "Device time"),
        (f"{HEADER},MCC,MNC", (f"{ROW},452,01",), "MCC+MNC"),
        ("Date,UTC Time,lat,lon,operator,technology,rsrp", ("2026-10-30,01:02:{s},11.94,108.43,45204,LTE,-97",), "UTC Time"),
        ("GPS Time,lat,lon,operator,technology,rsrp", ("2026-10-30 08:00:{s},11.94,108.43,45204,LTE,-97",), "GPS Time"),
        ("Khi nào,Lúc,lat,lon,operator,technology,rsrp", ("30/10/2026,8:00,11.94,108.43,45204,LTE,-97",), "Khi nào"),
        ("Ngày,Lúc,lat,lon,operator,technology,rsrp", ("30/10/2026,8:00 CH,11.94,108.43,45204,LTE,-97",), "Lúc"),
        (f"{HEADER},Ghi nhận", (f"{ROW},có sóng", "2026-10-30 08:00:{s},11.94,108.43,45204,,,mất sóng"), "Ghi nhận"),
        (f"{HEADER},Có mạng di động chưa", (f"{ROW},có", "2026-10-30 08:00:{s},11.94,108.43,45204,,,không"), "Có mạng"),
        ("time,lat,lon,operator,technology,rsrp,Received pilot (dBm)", ("2026-10-30 08:00:{s},11.94,108.43,45204,UMTS,,-90",), "pilot"),
        ("time,lat,lon,operator,technology,rsrp,ss_rsrp,RxLev Sub", ("2026-10-30 08:00:{s},11.94,108.43,45204,GSM,,,-90", *(f"2026-10-30 08:0{m}:{{s}},11.94,108.43,45204,NR,,," for m in range(4))), "RxLev Sub"),
    ],
)  # fmt: skip
def test_what_could_be_two_things_is_refused_by_name_and_with_the_cure(tmp_path, header, rows, thing):
    with pytest.raises(FileRefused) as refusal:
        read(tmp_path, table(header, *rows))
    for text in (refusal.value.en, refusal.value.vi):
        assert thing in text
        assert "--format" in text or "phusong mappings" in text


def test_a_stated_format_reads_what_a_guess_would_refuse(tmp_path):
    text = table(f"{HEADER},Ghi nhận", f"{ROW},có sóng")
    with pytest.raises(FileRefused):
        read(tmp_path, text.replace("có sóng", "mất sóng"))
    assert read(tmp_path, text, format="canonical").accepted == 1


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        # Names that an app's files have, in a table of one's own that says more than the app does.
        ("Time,Latitude,Longitude,Serving Cell RSRP (dBm),Operator,Technology", "2026-10-30 08:00:10,11.94,108.43,-97,45204,3G", ("UMTS", "rscp_dbm")),
        ("Timestamp,Latitude,Longitude,RSRP,NetworkMode,Nhà mạng", "2026-10-30 08:00:10,11.94,108.43,-97,4G,45204", ("LTE", "rsrp_dbm")),
        # The date stands twice: the moment says more.
        ("Date,UTC Time,lat,lon,operator,technology,rsrp", "2026-10-30,2026-10-30 01:00:10,11.94,108.43,45204,LTE,-97", ("LTE", "rsrp_dbm")),
        ("#,time,lat,lon,operator,technology,rsrp", "1,2026-10-30 08:00:10,11.94,108.43,45204,LTE,-97", ("LTE", "rsrp_dbm")),
        ("time,lat,lon,operator,technology,LTE RSRP,NR RSRP", "2026-10-30 08:00:10,11.94,108.43,45204,5G,-70,-97", ("NR", "ss_rsrp_dbm")),
        # Bars and percents beside dBm are no second level.
        ("time,lat,lon,operator,technology,dbm,signal", "2026-10-30 08:00:10,11.94,108.43,45204,LTE,-97,3", ("LTE", "rsrp_dbm")),
    ],
)  # fmt: skip
def test_tables_that_look_like_another(tmp_path, header, row, expected):
    found = only(read(tmp_path, f"{header}\n{row}\n"))
    technology, column = expected
    assert (found["technology"], found[column], found["operator"]) == (technology, -97, "45204")
    assert found["time_utc"].isoformat() == "2026-10-30T01:00:10"


def test_the_anchor_s_level_is_not_5g_s(tmp_path):
    row = "2026-10-30 08:00:10,11.94,108.43,45204,5G,-70"
    found = only(read(tmp_path, f"time,lat,lon,operator,technology,LTE RSRP\n{row}\n"))
    assert (found["ss_rsrp_dbm"], found["rsrp_dbm"], found["service_state"]) == (None, None, "in_service")


def test_no_name_of_ours_is_one_of_a_person():
    names = [one for spellings in canonical.FORMAT.columns.values() for one in spellings]
    assert detect.personal(names) == ()


def test_a_saved_mapping_is_taken_at_its_word(tmp_path):
    said = 'name = "doi_1"\ntitle = "Đội 1"\ntechnology = "LTE"\n[columns]\ntime = "time"\nlat = "lat"\nlon = "lon"\nrsrp_dbm = "rsrp"\n'
    path = tmp_path / "log.csv"
    path.write_text(f"{HEADER}\n{ROW}\n", encoding="utf-8")
    own = (parse_mapping(said, "doi_1.toml"),)
    (found,) = read_file(
        path, Context(operator="45204"), device_key=KEY, operator_names=NAMES, now=NOW, mappings=own
    )
    assert found.format == "doi_1"
    assert found.accepted == 1
