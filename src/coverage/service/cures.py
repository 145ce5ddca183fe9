"""What can be done about a refusal, for who sends over HTTP: fields in the place of the command line's options.

A cure is written once, in the words of the command line, and stands so in the manifest. Whoever tells it says it in
the words of the door at which it is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields

from coverage.logs.context import Context

_OPTIONS = "|".join(one.name.replace("_", "-") for one in fields(Context))
# An option with its value, or alone before a sign; between quotes it is what somebody wrote.
_OPTION = re.compile(rf"(?<![\w'\"“-])--({_OPTIONS})(?![\w-])(?: ([^\s,;.()]+))?")
_FIELD = ("trường {}", "the field {}")
# What only who sits at the service's own machine can do: Vietnamese and English.
_COMMANDS: tuple[Mapping[str, str], Mapping[str, str]] = (
    {
        "lưu một bảng khai cột (phusong mappings add)": "nhờ người quản trị lưu một bảng khai cột",
        "Hãy thêm bằng lệnh: phusong places add sites TỆP;": "Người quản trị thêm tệp này vào lớp trạm;",
        "phusong guide -o mau-do.csv": "/guide/template.csv",
    },
    {
        "save a mapping (phusong mappings add)": "ask the administrator to save a mapping",
        "Add it with: phusong places add sites FILE;": "The administrator adds such a file to the layer of sites;",
        "phusong guide -o mau-do.csv": "/guide/template.csv",
    },
)


def over_http(vi: str, en: str) -> tuple[str, str]:
    """The Vietnamese and the English sentence as who sends over HTTP can follow them."""
    told_vi, told_en = (
        _told(text, commands, field)
        for text, commands, field in zip((vi, en), _COMMANDS, _FIELD, strict=True)
    )
    return told_vi, told_en


def _told(text: str, commands: Mapping[str, str], field: str) -> str:
    for command, otherwise in commands.items():
        text = text.replace(command, otherwise)

    def said(option: re.Match[str]) -> str:
        name = option[1].replace("-", "_")
        return field.format(name) if option[2] is None else f"{name}={option[2]}"

    return _OPTION.sub(said, text)
