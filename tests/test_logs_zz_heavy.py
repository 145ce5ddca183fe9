"""Whatever bytes come in: only `FileRefused` comes out, and every row is accounted for."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_logs_read import HEADER, KEY, NAMES, NOW

from coverage.errors import FileRefused
from coverage.logs import Context, Reading, Refused, read_file

CELL = st.sampled_from(
    [
        "", "-", "--", "0", "NO_COVERAGE", "4G", "LTE", "5G", "-97", "-24", "-164", "1e99", "-97,5", "nan", "inf", "11.94",
        "108.43", "91", "2026-10-30T08:00:00", "2026.10.30_08.00.00", "30/10/2026 8:00", "45204", "Viettel", '"', '"a',
        'b"', '""', "\x00", "\r", "đo", "\ufffd", "không có sóng", "=1+1", "9" * 400,
    ]
) | st.text(max_size=8)  # fmt: skip
NAMES_OF_COLUMNS = st.sampled_from(
    ["time", "lat", "lon", "operator", "technology", "rsrp", "level", "service_state", "device", "accuracy", "Timestamp",
     "Longitude", "Latitude", "Operatorname", "NetworkTech", "Level", "NetworkMode", "RSRP", "Speed", "x", ""]
)  # fmt: skip
SIGN = st.sampled_from([",", ";", "\t", "|"])
QUICK = settings(max_examples=2500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def tables(draw) -> bytes:
    """A table that is nearly readable: known names, odd cells, ragged rows, any encoding."""
    sign = draw(SIGN)
    named = draw(
        st.sampled_from(
            [HEADER.strip().split(","), ["Timestamp", "Longitude", "Latitude", "Level", "NetworkTech"]]
        )
    )
    names = draw(st.permutations(named)) + draw(st.lists(NAMES_OF_COLUMNS, max_size=3))
    widths = st.sampled_from([len(names)] * 4 + [len(names) - 1, len(names) + 1, 0])
    rows = [sign.join(draw(CELL) for _ in range(draw(widths))) for _ in range(draw(st.integers(0, 6)))]
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join([sign.join(names), *rows])
    return text.encode(draw(st.sampled_from(["utf-8", "utf-16", "utf-8-sig"])), "replace")


def account(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        found = list(
            read_file(path, Context(operator="45204"), device_key=KEY, operator_names=NAMES, now=NOW)
        )
    except FileRefused as refusal:
        assert refusal.vi
        assert refusal.en
        return
    for one in found:
        if isinstance(one, Refused):
            continue
        assert isinstance(one, Reading)
        assert one.rows == one.accepted + one.duplicates + one.rejected + one.quarantined
        assert one.measurements.num_rows == one.accepted
        lines = set(one.outcomes["line"].to_pylist())
        kept = set(one.measurements["line"].to_pylist())
        assert not lines & kept
        assert len(lines) + len(kept) == one.rows


@QUICK
@given(data=st.binary(max_size=400))
def test_any_bytes(tmp_path, data):
    account(tmp_path / "x.csv", data)


@QUICK
@given(data=tables())
def test_any_table(tmp_path, data):
    account(tmp_path / "x.csv", data)


@QUICK
@given(data=tables(), tail=st.binary(max_size=60))
def test_any_table_with_a_torn_end(tmp_path, data, tail):
    account(tmp_path / "x.csv", data + tail)


@QUICK
@given(data=st.binary(max_size=200), place=st.integers(0, 400))
def test_any_damage_to_a_zip(tmp_path, data, place):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr("a.csv", HEADER * 20)
        box.writestr("b.csv", data)
    whole = packed.getvalue()
    account(tmp_path / "x.zip", whole[:place] + data[:5] + whole[place + 5 :])
