"""Answers that belong to a snapshot, or to layers as they are: named after it, kept by who asked, packed where they can unpack."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from fastapi import Request, Response

from coverage.service.published import Published, View

_WORTH_PACKING_BYTES = 1000
_LEVEL = 5


@dataclass(frozen=True)
class State:
    """What an answer belongs to that is of no snapshot alone. tag: what tells this state of the layers from every other."""

    tag: str


def of_snapshot(
    request: Request,
    published: Published,
    view: View | State,
    key: tuple[Hashable, ...],
    make: Callable[[], bytes],
    kind: str,
) -> Response:
    """The bytes that `make` gives for that view and key, or 304 to a client that holds them already.

    The ETag is the snapshot's id, or the state's tag: no page of it ever changes.
    """
    packed = "gzip" in request.headers.get("accept-encoding", "").lower()
    headers = headers_of(view, packed=packed)
    if is_held(request, view):
        return Response(status_code=304, headers=headers)
    content = published.page((view, *key), make)
    if packed and len(content) >= _WORTH_PACKING_BYTES:
        headers["Content-Encoding"] = "gzip"
        content = published.page((view, *key, "gzip"), lambda: gzip.compress(content, _LEVEL, mtime=0))
    return Response(content, 200, headers, kind)


def headers_of(view: View | State, *, packed: bool = False) -> dict[str, str]:
    """What tells a client what an answer belongs to, and that it must ask whether it still does."""
    return {
        "ETag": f'"{view.tag}-gzip"' if packed else f'"{view.tag}"',
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Encoding, Authorization, Cookie",
    }


def is_held(request: Request, view: View | State) -> bool:
    """Whether the client says that it holds what belongs to this view of this snapshot, or to this state."""
    held = [
        tag.strip().removeprefix("W/").strip('"')
        for tag in request.headers.get("if-none-match", "").split(",")
    ]
    return bool({view.tag, f"{view.tag}-gzip", "*"} & set(held))
