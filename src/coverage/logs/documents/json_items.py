"""JSON → its list of items. Numbers stay as they were written: nothing is rounded on the way to a cell."""

from __future__ import annotations

import json

from coverage.errors import FileRefused

MIB = 1024 * 1024
MAX_JSON_BYTES = 64 * MIB  # JSON is read whole, and takes ten times its size while it is


def items(data: bytes, key: str, file: str) -> list[object]:
    """The list under `key`, or the document itself where it is a bare list.

    Raises `FileRefused` for JSON that is too big, damaged or nested too deep, and where there is no such list.
    """
    document = _document(data, file)
    found = document.get(key) if isinstance(document, dict) else document
    if not isinstance(found, list):
        raise FileRefused(
            f"{file}: tệp JSON không có danh sách {key!r}. Hãy xuất lại tệp từ ứng dụng.",
            f"{file}: the JSON has no list {key!r}. Export it from the app again.",
        )
    return found


def _document(data: bytes, file: str) -> object:
    if len(data) > MAX_JSON_BYTES:
        raise FileRefused(
            f"{file}: tệp JSON lớn hơn {MAX_JSON_BYTES // MIB} MiB. Hãy chia nhỏ rồi gửi lại.",
            f"{file}: the JSON is larger than {MAX_JSON_BYTES // MIB} MiB. Split it and send the parts.",
        )
    try:
        # NaN and Infinity are no JSON but scripts write them: such a value is missing, the file is sound.
        return json.loads(
            data.decode("utf-8", "replace"), parse_int=str, parse_float=str, parse_constant=_missing
        )
    except (ValueError, RecursionError) as fault:
        raise FileRefused(
            f"{file}: tệp JSON hỏng hoặc bị cắt giữa chừng ({fault}). Hãy xuất lại tệp.",
            f"{file}: the JSON is damaged or was cut off ({fault}). Export it again.",
        ) from fault


def _missing(_name: str) -> None:
    return None
