"""Vietnamese text: one normal form to store, and a key to match names whatever their tones and spelling."""

from __future__ import annotations

import re
import unicodedata


def nfc(text: str) -> str:
    """The text in Unicode NFC, outer and repeated white space folded."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def fold(text: str) -> str:
    """A key that ignores tones, case, spaces and punctuation: 'Mã thôn' and 'ma_thon' both give 'mathon'."""
    plain = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return re.sub(r"[^a-z0-9]", "", plain)
