"""What the words of a list say of a village's electricity; a wish, a plan or a cut is no supply."""

from __future__ import annotations

import re

from coverage.names import fold, nfc

_UNKNOWN = ("unknown", "khongro", "chuaro", "khongbiet", "chuabiet")
# Where another statement begins: “không có điện lưới, chỉ dùng pin mặt trời”.
_CLAUSES = re.compile(
    r"[,;.:()/+]|\s[-–]\s|\b(?:nhưng|mà|chỉ|phải|only|but)\b|(?=\b(?:dự kiến|kế hoạch|sẽ)\b)"
    r"|(?<!không )(?<!chưa )(?<!được )\b(?:dùng|sử dụng)\b",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[\W_]+")
_PIECES = {
    "no": r"khong|chua|none|no|not|without",
    "own": (
        r"mat troi|solar|may phat|may no|generators?|thuy dien|hydro(?:power)?|tai cho|ac ?quy"
        r"|off ?grid|ngoai luoi|dien gio"
    ),
    "grid": r"luoi|quoc gia|grid|mains|evn",
    "filler": (
        r"da|co|duoc|dung|su dung|cap|noi|hoa|dau|vao|voi|va|bang|tu|dien|nang luong|pin|nho|mini|chay|dau|diesel|xang"
        r"|rieng|gia dinh|[13] pha|ha the|ha ap|trung the|trung ap"
        r"|on|to|the|is|has|national|connected|connection|electricity|electric|power|small|panels?"
    ),
}
_PIECE = re.compile("|".join(f"(?P<{kind}>{words})(?: |$)" for kind, words in _PIECES.items()))
_LATER = re.compile(r"(?:du kien|ke hoach|se)\b.*")
_BARE_YES = {"co", "yes", "x"}


def status_of(words: str) -> str | None:
    """national_grid, off_grid, none or unknown, as `words` say it; None where any of them is not understood.

    Each clause speaks for itself, and the clauses must agree. On the grid is only what names the grid, denies
    nothing and tells of no plan; a plan beside a plain no changes nothing. Power of one's own beside the grid
    leaves the village on the grid.
    """
    if fold(words).startswith(_UNKNOWN):
        return "unknown"
    clauses = [_plain(clause) for clause in _CLAUSES.split(nfc(words))]
    said = [_claims(clause) for clause in clauses if clause]
    if None in said:
        return None
    claims = frozenset().union(*(found for found in said if found is not None))
    if "grid" in claims:
        return "national_grid" if claims <= {"grid", "own", "yes"} else None
    if "yes" in claims and "none" in claims:
        return None
    return "off_grid" if "own" in claims else "none" if "none" in claims else None


def _plain(clause: str) -> str:
    # Without its tone “dừng” (stopped) would be “dùng” (uses).
    words = (word for word in _SPACES.split(clause.casefold()) if word)
    return " ".join(word if word == "dừng" else fold(word) for word in words)


def _claims(clause: str) -> set[str] | None:
    if clause in _BARE_YES:
        return {"yes"}
    if _LATER.fullmatch(clause):
        return {"later"}
    kinds = _kinds(clause)
    if kinds is None:
        return None
    if "no" not in kinds:
        return {"grid"} if "grid" in kinds else set(kinds) & {"own"}
    before, after = kinds[: kinds.index("no")], kinds[kinds.index("no") :]
    denied = {"none"} if "grid" in after or "own" not in after else set()
    return denied | (set(before) & {"grid", "own"})


def _kinds(clause: str) -> list[str] | None:
    kinds, position = [], 0
    while position < len(clause):
        found = _PIECE.match(clause, position)
        if found is None:
            return None
        kinds.append(str(found.lastgroup))
        position = found.end()
    return kinds
