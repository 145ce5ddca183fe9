"""Who asks: a team with a key or a person with an account, and what its role allows.

| role | is for |
|---|---|
| viewer | reads lists and maps |
| field_team | also sends measurements, and sees its own deliveries and uploads |
| operator | reads what concerns its own network, and nothing of the others |
| planner | reads everything, the uploads of all teams included |
| province_admin | also withdraws and restores uploads, and reads the audit log |
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from coverage.errors import InputError
from coverage.names import nfc

ROLES = ("viewer", "field_team", "operator", "planner", "province_admin")
_LONGEST_NAME = 100
_PLMN = re.compile(r"[0-9]{5,6}")


@dataclass(frozen=True)
class Caller:
    """A team or a person, as one of `ROLES`. Raises `InputError` where that cannot be.

    operator: MCC+MNC of the network that the role operator belongs to; no other role has one. key_id: of the key that
    was shown; None where somebody is logged in.
    """

    name: str
    role: str
    operator: str | None = None
    key_id: str | None = None

    def __post_init__(self) -> None:
        if self.name != plain_name(self.name):
            raise _unusable(self.name)
        if self.role not in ROLES:
            raise InputError(
                f"Vai trò “{self.role}” không có: hãy chọn {', '.join(ROLES)}.",
                f"There is no role “{self.role}”: choose one of {', '.join(ROLES)}.",
            )
        _require_operator(self.role, self.operator)


def plain_name(text: str) -> str:
    """A name as it is kept: NFC, outer and repeated white space folded. Raises `InputError` where it is none."""
    name = nfc(text)
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise _unusable(text)
    return name


def folded(name: str) -> str:
    """The key under which spellings of one name meet: white space, letter case and how a letter is put together do not count."""
    return nfc(nfc(name).casefold())


def _unusable(name: str) -> InputError:
    return InputError(
        f"Tên {name[:_LONGEST_NAME]!a} không dùng được: cần từ 1 đến {_LONGEST_NAME} ký tự in được.",
        f"The name {name[:_LONGEST_NAME]!a} cannot be used: it needs 1 to {_LONGEST_NAME} printable characters.",
    )


def _require_operator(role: str, operator: str | None) -> None:
    if role == "operator" and not (operator and _PLMN.fullmatch(operator)):
        raise InputError(
            f"Vai trò operator cần mã nhà mạng (MCC+MNC, ví dụ 45204), không phải {operator!a}.",
            f"The role operator needs an operator's code (MCC+MNC, like 45204), not {operator!a}.",
        )
    if role != "operator" and operator is not None:
        raise InputError(
            f"Vai trò {role} không gắn với nhà mạng nào, mà lại có {operator!a}.",
            f"The role {role} belongs to no operator, and {operator!a} was given.",
        )
