"""The shim before the file system: compiled here, armed from inside the process that was started with it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("inject.c")


class Kind(IntFlag):
    """Calls that change files; the numbers are those of inject.c."""

    OPEN = 1
    WRITE = 2
    SYNC = 4
    RENAME = 8
    TRUNCATE = 16
    LINK = 32
    UNLINK = 64
    MKDIR = 128


EVERY_KIND = Kind(255)


class What(IntEnum):
    """What happens at the n-th call: an error once, the end of the process, or a disk that stays full."""

    NOTHING = 0
    IO_ERROR = 1
    NO_SPACE = 2
    STOP_BEFORE = 3
    STOP_AFTER = 4
    TEAR = 5
    STAY_FULL = 6


STOPS = (What.STOP_BEFORE, What.STOP_AFTER, What.TEAR)


@dataclass(frozen=True)
class Call:
    """One call that was done. turn: its number since the shim was armed; 0 where its kind was not counted."""

    turn: int
    kind: str
    path: Path
    other: str


def compile_shim(folder: Path) -> Path:
    """The shim as a library; skips where there is no C compiler, fails where CI has none."""
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have a C compiler (cc) for the fault shim")
        pytest.skip("no C compiler (cc) for the fault shim")
    library = folder / "inject.so"
    flags = ("-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
    subprocess.run([compiler, *flags, "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library


def calls(path: Path) -> list[Call]:
    """The calls that the shim wrote down, in order."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        turn, kind, where, other = line.split("\t")
        found.append(Call(int(turn), kind, Path(where), other))
    return found


def arm(kinds: Kind, n: int, what: What) -> None:
    """From now on let `what` happen at the n-th call of those kinds."""
    ctypes.CDLL(None).fault_arm(int(kinds), n, int(what))


def disarm() -> None:
    """Let every call through again."""
    ctypes.CDLL(None).fault_disarm()


def count() -> int:
    """The calls since the shim was armed."""
    return int(ctypes.CDLL(None).fault_count())


def write_down(path: Path) -> None:
    """Append every call that is done to that file."""
    ctypes.CDLL(None).fault_log(os.fsencode(path))
