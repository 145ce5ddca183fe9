"""Words: operators, technologies, and what file names say."""

from __future__ import annotations

import datetime

import pytest

from coverage.logs import filename, operators, quantities
from coverage.logs.filename import GNETTRACK, NameSays

NAMES = {"45202": "VinaPhone", "45204": "Viettel"}


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("45204", "45204"), ("452-04", "45204"), ("452 04", "45204"), ("45204.0", "45204"), ("310260", "310260"),
        ("Viettel", "45204"), (" VIET tel ", "45204"), ("vina phone", "45202"), ("B", "B"), ("Yas", "Yas"),
        ("", None), ("-", None), ("0", None), ("null", None), (None, None), ("4520", "4520"),
    ],
)  # fmt: skip
def test_operators(text, operator):
    assert operators.resolve(text, NAMES) == operator


@pytest.mark.parametrize(
    ("text", "technology"),
    [
        ("4G", "LTE"), ("lte", "LTE"), ("LTE-A", "LTE"), ("4G+", "LTE"), ("5G NSA", "NR"), ("NR_SA", "NR"), ("5g", "NR"),
        ("HSPA+", "UMTS"), ("hsdpa", "UMTS"), ("3G", "UMTS"), ("WCDMA", "UMTS"), ("EDGE", "GSM"), ("2G", "GSM"),
        ("CDMA", None), ("WiFi", None), ("--", None), ("", None), ("6G", None),
    ],
)  # fmt: skip
def test_technologies(text, technology):
    assert quantities.technology(text) == technology


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("drive_test__s1__45204__2026-10-01.csv", ("drive_test", "s1", "45204", datetime.date(2026, 10, 1))),
        (
            "Crowdsourced__p.1__Viettel__2026-10-01.v2.txt",
            ("crowdsourced", "p.1", "Viettel", datetime.date(2026, 10, 1)),
        ),
        (
            "crowdsourced____45204__2026-10-01_b.csv",
            ("crowdsourced", None, "45204", datetime.date(2026, 10, 1)),
        ),
        ("crowdsourced__p__45204__someday.csv", ("crowdsourced", "p", "45204", None)),
        ("drive_test__p____2026-02-30.csv", ("drive_test", "p", None, None)),
        ("walk__p__45204__2026-10-01.csv", (None, None, None, None)),
        ("drive_test__45204.csv", (None, None, None, None)),
        ("log", (None, None, None, None)),
        ("B_2019.12.03_13.58.03.csv", (None, None, "B", datetime.date(2019, 12, 3))),
    ],
)
def test_file_names(name, says):
    assert filename.read(name, GNETTRACK) == NameSays(*says)
    if "__" not in name:
        assert filename.read(name) == NameSays()
