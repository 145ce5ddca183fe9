"""Receipt codes: what a crew photographs, reads aloud or texts to say which file it sent."""

from __future__ import annotations

import unicodedata

_CROCKFORD = (
    "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: for reading aloud and copying from a photograph
)
_LETTERS = 10  # 50 bits: among a million files two share a code with a chance of 1 in 2000


def code_of(sha256: str) -> str:
    """PS- and ten letters and digits without look-alikes, from the first 50 bits of the file's sha256."""
    bits = int(sha256[:16], 16) >> (64 - 5 * _LETTERS)
    return _written("".join(_CROCKFORD[bits >> 5 * place & 31] for place in reversed(range(_LETTERS))))


def _written(letters: str) -> str:
    return f"PS-{letters[:5]}-{letters[5:]}"


def normal(text: str) -> str | None:
    """The code that somebody copied, as we write it; letter case, signs, spaces and PS- do not matter.

    O is 0, I and L are 1, full-width letters are plain ones. None where it is no code of ours.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    letters = "".join(filter(str.isalnum, plain)).translate(str.maketrans("OIL", "011"))
    if len(letters) == len("PS") + _LETTERS:
        letters = letters.removeprefix("PS")
    return None if len(letters) != _LETTERS or set(letters) - set(_CROCKFORD) else _written(letters)


def begins(code: str) -> str:
    """The hexadecimal digits with which every sha256 of that code begins: 48 of its 50 bits."""
    bits = 0
    for letter in code[3:].replace("-", ""):
        bits = bits << 5 | _CROCKFORD.index(letter)
    return f"{bits >> 2:012x}"
