"""Vietnamese text: one normal form to store, and a key to match names whatever their tones and spelling."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection
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


def meant(name: str, known: Collection[str]) -> tuple[str, str]:
    """What somebody may have meant who wrote a name that is not known, in Vietnamese and English; empty where nothing is near."""
    near = difflib.get_close_matches(name.casefold(), known, 1, cutoff=0.6)
    return (f"; có phải là {near[0]}?", f"; did you mean {near[0]}?") if near else ("", "")


# Kinds of places that stand before a name, without tones and spaces, longest first where one begins another.
_KINDS = tuple(
    tuple(kind.split())
    for kind in (
        *(
            "to dan pho",
            "khu dan cu",
            "cum dan cu",
            "tieu khu",
            "khu pho",
            "thi tran",
            "dak khu",
            "thanh pho",
            "thi xa",
        ),
        *("phuong", "huyen", "thon", "buon", "bon", "ban", "lang", "ap", "xom", "khom", "xa"),
        *("tdp", "kdc", "kp", "tt", "tp", "tx", "p", "x"),
    )
)
_SHORT = {
    "dakkhu": "dackhu",
    "tdp": "todanpho",
    "kdc": "khudancu",
    "kp": "khupho",
    "tt": "thitran",
    "p": "phuong",
    "x": "xa",
}
_APOSTROPHES = re.compile(r"['’‘ʼʹ`´′]")
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_LONE_Y = re.compile(r"([^aeiouy]+|qu)y")
_ROMAN = {"I": "1", "II": "2", "III": "3", "IV": "4", "VI": "6", "VII": "7", "VIII": "8", "IX": "9"}
_STROKES = str.maketrans("đĐðÐƀɃ", "dDdDbB")


@lru_cache(maxsize=100_000)
def place_key(name: str) -> str:
    """A key under which spellings of one place meet: 'Buôn Đắk Mỹ' and 'đăk mĩ', 'Xã Đưng K'Nớ' and 'Đưng KNớ'.

    Left aside are tones, case, spaces, signs, y for i at the end of a syllable, zeros before a number, Roman
    numbers up to IX at the end (V stays a letter), and the kind of place before the name (thôn, buôn, xã, P.…).
    The kind stays where a number or a letter alone follows: 'Thôn 1' is not 'Tổ dân phố 1'.
    Two places may share a key: who matches by it must not choose between them.
    """
    words = _place_words(name)
    while kind := _kind_of(words):
        rest = words[len(kind) :]
        if rest and not all(word.isdigit() or len(word) == 1 for word in rest):
            words = rest
            continue
        whole = "".join(kind)
        words = [_SHORT.get(whole, whole), *rest]
        break
    return "".join(words)


def _kind_of(words: list[str]) -> tuple[str, ...] | None:
    return next((kind for kind in _KINDS if tuple(words[: len(kind)]) == kind), None)


def _place_words(name: str) -> list[str]:
    bare = unicodedata.normalize("NFD", _APOSTROPHES.sub("", name).translate(_STROKES))
    words = _WORDS.findall("".join(sign for sign in bare if not unicodedata.combining(sign)))
    if len(words) > 1:
        words[-1] = _ROMAN.get(words[-1], words[-1])
    plain = [_plain_word(word.casefold()) for word in words]
    return [
        word
        for word, after in zip(plain, [*plain[1:], ""], strict=False)
        if word != "so" or not after.isdigit()
    ]


def _plain_word(word: str) -> str:
    if word.isdigit():
        return word.lstrip("0") or "0"
    if word == "dac":
        return "dak"  # Đắc, Đăc, Đắk, Đăk, Dak: water, in the languages of the highlands
    return _LONE_Y.sub(r"\1i", word) if _LONE_Y.fullmatch(word) else word
