"""Passwords: which are taken, and the slow hash by which one is known again."""

from __future__ import annotations

import secrets
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from coverage.callers import folded
from coverage.errors import InputError

SHORTEST, LONGEST = 12, 1000  # signs
_LONGEST_TYPED = 4 * LONGEST  # a letter and its marks apart
# Argon2id with 64 MiB and three rounds, the second choice of RFC 9106: a login takes a quarter of a second of a core.
HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)


def hashed(name: str, password: str) -> str:
    """What is kept of a new password of that account. Raises `InputError` where it is too easy to guess."""
    plain = _plain(password)
    if not SHORTEST <= len(plain) <= LONGEST or not plain.isprintable():
        raise InputError(
            f"Mật khẩu phải có từ {SHORTEST} đến {LONGEST} ký tự in được.",
            f"A password has {SHORTEST} to {LONGEST} printable characters.",
        )
    if folded(plain) == folded(name) or len(set(plain)) == 1:
        raise InputError(
            "Mật khẩu không được trùng với tên hay chỉ lặp lại một ký tự.",
            "A password must not be the name, nor one character again and again.",
        )
    return HASHER.hash(plain)


def fits(kept: str | None, password: str) -> bool:
    """Whether it is the password of which that is kept; about the same work where nothing is kept."""
    nobody = _of_nobody(HASHER)
    try:
        HASHER.verify(kept or nobody, _plain(password).encode(errors="surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def renewed(kept: str, password: str) -> str | None:
    """What is to be kept from now on of a password that fits; None where that is what is kept."""
    return HASHER.hash(_plain(password)) if HASHER.check_needs_rehash(kept) else None


@lru_cache(maxsize=1)
def _of_nobody(hasher: PasswordHasher) -> str:
    return hasher.hash(secrets.token_urlsafe(32))


def _plain(password: str) -> str:
    # Keyboards write one Vietnamese letter as one sign or as several (NIST SP 800-63B asks for this form as well).
    # What is far too long is none: it costs no more than another wrong one.
    return unicodedata.normalize("NFKC", password) if len(password) <= _LONGEST_TYPED else ""
