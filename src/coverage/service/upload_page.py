"""The page on which a field team sends its files: HTML in the reader's language, style and script beside it.

Style and scripts have the digest of all of them in their address, so a browser keeps them for good and asks
again only after they changed: on a bad link every question counts.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import orjson
from fastapi import APIRouter, Request, Response

from coverage.errors import NotFound
from coverage.service.admission import Asking
from coverage.service.desk import AtDesk
from coverage.service.greeting import greeting
from coverage.service.languages import Lang, in_language

_STATIC = files("coverage.service").joinpath("static")
_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
_WORKER = "worker.js"  # its scope is the page's folder, so its address is not one of a digest
_FOR_GOOD = "public, max-age=31536000, immutable"
# Texts of files and of people reach the page as text; should one ever run, it could load and send nothing.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# What a worker may fetch is said by the answer that brought it, not by the page.
_WORKER_POLICY = "default-src 'none'; connect-src 'self'"

router = APIRouter()


@router.get("/upload", include_in_schema=False)
def upload_page(desk: AtDesk, request: Request, caller: Asking, lang: Lang | None = None) -> Response:
    """The page, in the language that is asked for or was the last time."""
    operators = desk.workspace.criteria.operators.names

    def page(chosen: Lang) -> str:
        return page_html(chosen, operators, greeting(request, caller, chosen))

    return in_language(request, lang, page, {"Content-Security-Policy": _POLICY})


@router.get("/static-upload/{digest}/{name}", include_in_schema=False)
def upload_file(digest: str, name: str) -> Response:
    """A style or script of the page, to be kept for good under this address."""
    if digest != static_digest() or name not in _static():
        raise NotFound(f"Không có {name}: hãy tải lại trang.", f"There is no {name}: reload the page.")
    headers = {"Cache-Control": _FOR_GOOD, "X-Content-Type-Options": "nosniff"}
    return Response(_static()[name], media_type=_TYPES[name.rsplit(".", 1)[1]], headers=headers)


@router.get("/upload-worker.js", include_in_schema=False)
def upload_worker() -> Response:
    """The script with which the page opens without a link."""
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": _WORKER_POLICY}
    return Response(_worker(), media_type=_TYPES["js"], headers=headers)


def page_html(lang: Lang, operators: Mapping[str, str], who: str = "") -> str:
    """The page in one language; operators: MCC+MNC digits → name, for the choice in the form; who: see `greeting`."""
    at = static_address()
    options = "".join(
        f'<option value="{html.escape(code)}">{html.escape(name)}</option>'
        for code, name in operators.items()
    )
    scripts = [name for name in _static() if name.endswith(".js") and name not in {"vi.js", "en.js"}]
    preloads = "\n".join(
        f'<link rel="modulepreload" href="{at}/{name}">' for name in [*scripts, f"{lang}.js"]
    )
    other: Lang = "vi" if lang == "en" else "en"
    texts = {name: html.escape(text) for name, text in words(lang).items()}
    parts = {
        "lang": lang,
        "other_lang": other,
        "static": at,
        "operators": options,
        "preloads": preloads,
        "logo": static_text("logo.svg"),
        "greeting": who,
    }
    page = static_text("upload.html")
    return page.format_map({**texts, **parts})


@cache
def words(lang: Lang) -> dict[str, str]:
    """Every text of the page in a language, by key: the scripts and the HTML read the same file."""
    script = static_text(f"{lang}.js")
    found: dict[str, str] = orjson.loads(script.removeprefix("export default").strip().rstrip(";"))
    return found


@cache
def static_digest() -> str:
    """Sixteen hexadecimal digits of the sha256 of all styles and scripts of the page."""
    digest = hashlib.sha256()
    for name, content in _static().items():
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:16]


@cache
def _static() -> dict[str, bytes]:
    kept = (one for one in _STATIC.iterdir() if one.name.rsplit(".", 1)[-1] in _TYPES)
    return {
        one.name: one.read_bytes() for one in sorted(kept, key=lambda one: one.name) if one.name != _WORKER
    }


def static_address() -> str:
    """Where the styles and scripts of the service's own pages lie."""
    return f"/static-upload/{static_digest()}"


def static_text(name: str) -> str:
    """One of the service's own files."""
    return _STATIC.joinpath(name).read_text(encoding="utf-8")


def _worker() -> str:
    """The script that lets the page open without a link, with the addresses of all files that it keeps."""
    script = static_text(_WORKER)
    addresses = orjson.dumps([f"{static_address()}/{name}" for name in _static()]).decode()
    return script.replace("DIGEST", static_digest(), 1).replace("['FILES']", addresses, 1)
