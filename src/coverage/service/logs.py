"""The log of a service and its workers on stderr: a JSON object a line, or a short line for a person who watches.

What a file, a query or a field holds never gets into it: no message of an error, only its class, the code of our own,
and where it was raised; of other people's libraries only where they speak.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import orjson

from coverage.errors import PhusongError
from coverage.settings import get_settings

OURS = "coverage"
# Of the request that is being answered, for whatever is logged meanwhile.
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
_MOST_FRAMES = 20
_MOST_SIGNS = 200
_OF_EVERY_RECORD = frozenset({*vars(logging.makeLogRecord({})), "taskName", "message", "asctime"})
_SHOWN_APART = frozenset({"time", "level", "event", "process"})

log = logging.getLogger(__name__)


def kind() -> str:
    """How to log: json, text or off, as the settings say, else by whether a person watches."""
    return get_settings().log or ("text" if sys.stderr.isatty() else "json")


@contextmanager
def logging_as(kind: str) -> Iterator[None]:
    """Let this process log in that way while the block runs, also its warnings and what ends it or a thread of it.

    Errors of ours and of the system leave the block: the command line says them in words.
    """
    before = threading.excepthook, warnings.showwarning
    threading.excepthook, warnings.showwarning = _thread_crashed, _warned
    try:
        with _handled(kind):
            yield
    finally:
        threading.excepthook, warnings.showwarning = before


@contextmanager
def _handled(kind: str) -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    before = root.handlers[:], root.level, ours.level
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if kind == "json" else _Text())
    root.handlers[:] = [handler]
    root.setLevel(logging.CRITICAL if kind == "off" else logging.WARNING)
    ours.setLevel(logging.CRITICAL if kind == "off" else logging.INFO)
    try:
        yield
    except (PhusongError, OSError):
        raise
    except Exception as fault:
        log.critical("crashed", exc_info=True)
        raise SystemExit(1) from fault
    finally:
        root.handlers[:], level, our_level = before
        root.setLevel(level)
        ours.setLevel(our_level)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One JSON object."""
        return orjson.dumps(_facts(record), default=str).decode()


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """A short line, and the frames of an error below it."""
        facts = _facts(record)
        frames: list[str] = facts.pop("frames", [])
        told = [
            f"{name}={_word(value)}"
            for name, value in facts.items()
            if name not in _SHOWN_APART and value is not None
        ]
        level = [] if record.levelno == logging.INFO else [record.levelname.lower()]
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        return "\n    ".join([" ".join([at, *level, str(facts["event"]), *told]), *frames])


def _word(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text else json.dumps(text, ensure_ascii=False)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    about = {"time": at.replace("+00:00", "Z"), "level": record.levelname.lower(), "process": os.getpid()}
    said = _ours(record) if record.name.partition(".")[0] == OURS else _theirs(record)
    return about | {"request_id": REQUEST_ID.get()} | said | _fault(record)


def _ours(record: logging.LogRecord) -> dict[str, Any]:
    """The name of the event, which is the message, and what is said beside it."""
    said = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
    return {"event": record.msg} | said


def _theirs(record: logging.LogRecord) -> dict[str, Any]:
    """Where it was said: the words may hold anything. Uvicorn's are told, before anything is filled in."""
    told = {"message": str(record.msg).strip()[:_MOST_SIGNS]} if record.name.startswith("uvicorn") else {}
    return {"event": record.name, "where": f"{record.pathname}:{record.lineno}"} | told


def _fault(record: logging.LogRecord) -> dict[str, Any]:
    fault = record.exc_info[1] if record.exc_info else None
    if fault is None:
        return {}
    cause = fault.__cause__ or fault.__context__
    about = {"error": type(fault).__name__, "caused_by": type(cause).__name__ if cause else None}
    code = {"code": fault.code} if isinstance(fault, PhusongError) else {}
    return about | code | {"frames": _frames(fault.__traceback__)}


def _frames(trace: TracebackType | None) -> list[str]:
    """Where an error came from, innermost last: file, line and function, never a value or a line of the source."""
    found = traceback.walk_tb(trace)
    return [f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in found][
        -_MOST_FRAMES:
    ]


def _thread_crashed(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        log.critical("thread_crashed", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))


def _warned(
    message: Warning | str,  # never told: it may hold what a file holds
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    log.warning("warned", extra={"warning": category.__name__, "where": f"{filename}:{lineno}"})
