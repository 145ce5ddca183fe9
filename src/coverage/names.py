"""Vietnamese text: one normal form to store, and a key to match names whatever their tones and spelling."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_NOT_WORD = re.compile(r"[\W_]+")


def nfc(text: str) -> str:
    """The text in Unicode NFC, outer and repeated white space folded."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


@lru_cache(maxsize=20_000)  # the names of known columns are asked for again with every file
def fold(text: str) -> str:
    """A key that ignores tones, case, spaces and signs: 'Mã thôn', 'ma_thon' → 'mathon'; 'Vĩ độ (°)' → 'vido'."""
    if not text.isascii():
        plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
        text = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _NOT_WORD.sub("", text.casefold())
