"""Where this service is reached from outside: what absolute links begin with."""

from __future__ import annotations

from fastapi import Request


def base_url(request: Request) -> str:
    """The address that clients know the service by, without a slash at its end.

    It is what `PHUSONG_PUBLIC_URL` says where a proxy stands before the service, else the address that was asked:
    headers in which a proxy tells of itself are taken from nobody, since anybody can write them.
    """
    outside: str | None = request.app.state.public_url
    return (outside or str(request.base_url)).rstrip("/")
