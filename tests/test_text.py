"""Bytes → text: encodings, line ends, and files that are no text."""

from __future__ import annotations

import pytest

from coverage.errors import FileRefused
from coverage.text import blocks, recognise


def readable(data, file):
    return b"".join(blocks([data], recognise([data], file)))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\r\nb", b"a\nb\n"),
        (b"a\rb\r", b"a\nb\n"),
        (b"\xef\xbb\xbfa\n", b"a\n"),
        ("đo\n".encode("utf-16"), "đo\n".encode()),
        ("time,lat\n".encode("utf-16-le"), b"time,lat\n"),
        ("time,lat\n".encode("utf-16-be"), b"time,lat\n"),
        ("Lâm Ðôǹg\n".encode(), "Lâm Ðôǹg\n".encode()),
        ("vi\u0303 đô\u0323\n".encode(), "vĩ độ\n".encode()),
        (b"k\xeenh \xf0\xf4\xf2\n", "kînh độ\n".encode()),
    ],
)
def test_text_is_utf8_nfc_with_newlines(data, text):
    assert readable(data, "x.csv") == text


def test_one_torn_letter_does_not_garble_the_others():
    assert "Thời gian".encode() in readable("Thời gian, vĩ độ\n".encode() + b"\xe1\n", "x.csv")


@pytest.mark.parametrize("data", [b"", b"\n\r\n", b"\xef\xbb\xbf", b"\x00\x00", b"  \t\n"])
def test_empty_files_are_refused(data):
    with pytest.raises(FileRefused, match="empty"):
        readable(data, "x.csv")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x1f\x8b\x08\x00rest", "gzip"),
        (b"PK\x03\x04rest", "zip"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n", "picture"),
        (bytes(range(256)) * 4, "binary"),
    ],
)
def test_files_that_are_no_text_are_refused_by_what_they_are(data, what):
    with pytest.raises(FileRefused, match=what):
        readable(data, "x.csv")
