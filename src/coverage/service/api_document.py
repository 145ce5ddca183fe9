"""The OpenAPI document of the service: what each operation takes and answers, beyond what its code says by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI

from coverage.exports.files import MEDIA_TYPES
from coverage.exports.kpi import schema as kpi_schema
from coverage.exports.lists import LISTS
from coverage.service.access import ANYBODY
from coverage.service.api_words import DELIVERY, FORM, SECURITY, SUMMARIES
from coverage.service.ogc_documents import API_TYPE, GEOJSON, JSON, PARAMETERS, SCHEMA

_PROBLEM = "application/problem+json"
_HTML, _CSV, _TEXT = "text/html", "text/csv", "text/plain"
# Every refusal is a problem document; these can come from any door (400, 401, 403, 404, 429, 503) or any question.
_REFUSALS = (400, 401, 403, 404, 422, 429, 503)
# What may be wrong with what is sent: told twice, too late, too long, of the wrong kind, locked, torn; and a full disk.
_REFUSALS_OF_SENDING = (405, 408, 409, 412, 413, 415, 423, 460, 507)
_WORDS = {
    304: "What the client holds is still so",
    400: "The request cannot be meant so: the message names what of it",
    401: "A key or a login is needed",
    403: "The caller may not do this",
    404: "There is no such thing",
    405: "The address does not take this method",
    408: "The sender fell silent",
    409: "It contradicts what stands",
    412: "The protocol's version is missing",
    413: "Longer than what is taken",
    415: "Not of a kind that is taken",
    416: "The file is shorter than that",
    422: "A value cannot be: the message names the field",
    423: "Another request is at it",
    429: "Too many at once; see Retry-After",
    460: "The bytes are not those that were announced",
    503: "Not now; see Retry-After",
    507: "The disk is too full to take more in",
}
_DELIVERY = "The delivery"
# Operation → status → kinds of the answer; GET without a line answers 200 with JSON.
_SUCCESS: dict[str, dict[int, tuple[str, ...]]] = {
    "GET /": {200: (_HTML,)},
    "GET /metrics": {200: (_TEXT,)},
    "GET /guide/template.csv": {200: (_CSV,)},
    "GET /guide/template.xlsx": {200: (MEDIA_TYPES["xlsx"],)},
    "GET /ogc/api": {200: (API_TYPE,), 304: ()},
    "GET /ogc/collections": {200: (JSON,), 304: ()},
    "GET /ogc/collections/{collection}/queryables": {200: (SCHEMA,)},
    "GET /ogc/collections/{collection}/items": {200: (GEOJSON,), 304: ()},
    "GET /ogc/collections/{collection}/items/{feature_id}": {200: (GEOJSON,)},
    "GET /kpi.json": {200: (JSON,), 304: ()},
    "GET /kpi.schema.json": {200: (SCHEMA,)},
    "GET /v1/hexes": {200: (JSON,), 304: ()},
    "GET /v1/villages/{village_id}/hexes": {200: (JSON,), 304: ()},
    "GET /v1/villages/{village_id}/places": {200: (JSON,), 304: ()},
    "GET /tiles/base/{z}/{x}/{y}.png": {200: ("image/png", "image/jpeg", "image/webp"), 304: ()},
    **{
        f"GET /map/{name}.json": {200: (GEOJSON,), 304: ()}
        for name in ("communes", "villages", "dead", "roads", "sites", "lines")
    },
    "GET /tiles/{layer}/{z}/{x}/{y}.png": {200: ("image/png",), 304: ()},
    "GET /v1/deliveries/{delivery_id}/events": {200: ("text/event-stream",)},
    "GET /v1/uploads/{upload_id}/rejects.csv": {200: (_CSV,)},
    "POST /v1/uploads": {200: (JSON,), 202: (JSON,)},
    "PUT /v1/deliveries/{delivery_id}": {200: (JSON,), 202: (JSON,)},
    "POST /v1/deliveries/{delivery_id}/confirm": {200: (JSON,), 202: (JSON,)},
    "POST /v1/deliveries/{delivery_id}/retry": {202: (JSON,)},
    "DELETE /v1/deliveries/{delivery_id}": {204: ()},
    "OPTIONS /v1/tus": {204: ()},
    "OPTIONS /v1/tus/{_delivery_id}": {204: ()},
    "POST /v1/tus": {200: (), 201: ()},
    "HEAD /v1/tus/{delivery_id}": {200: ()},
    "PATCH /v1/tus/{delivery_id}": {204: ()},
    "DELETE /v1/tus/{delivery_id}": {204: ()},
    "POST /v1/tus/{delivery_id}": {200: (), 204: ()},
    "GET /lists.xlsx": {200: (MEDIA_TYPES["xlsx"],), 206: (MEDIA_TYPES["xlsx"],), 304: (), 416: ()},
    **{
        f"GET /{what}.{{fmt}}": {
            200: tuple(MEDIA_TYPES.values()),
            206: tuple(MEDIA_TYPES.values()),
            304: (),
            416: (),
        }
        for what in LISTS
    },
}
_SENDING = frozenset({"POST /v1/uploads", "PUT /v1/deliveries/{delivery_id}"})
# As the document writes addresses: without the kind of what is left open in them.
_ANYBODY = frozenset(one.replace(":path}", "}") for one in ANYBODY)
_BODIES = {
    "POST /v1/uploads": "multipart/form-data",
    "PUT /v1/deliveries/{delivery_id}": "application/octet-stream",
    "PATCH /v1/tus/{delivery_id}": "application/offset+octet-stream",
}
_DELIVERY_REF = {"$ref": "#/components/schemas/Delivery"}
_OF_A_FORM = {
    "anyOf": [
        _DELIVERY_REF,
        {
            "type": "object",
            "required": ["deliveries"],
            "properties": {"deliveries": {"type": "array", "items": _DELIVERY_REF}},
        },
    ]
}
# Operations whose answer is a delivery: one, or those of a form.
_DELIVERIES = {
    "POST /v1/uploads": _OF_A_FORM,
    **dict.fromkeys(
        (
            "PUT /v1/deliveries/{delivery_id}",
            "GET /v1/deliveries/{delivery_id}",
            "POST /v1/deliveries/{delivery_id}/confirm",
            "POST /v1/deliveries/{delivery_id}/retry",
        ),
        _DELIVERY_REF,
    ),
}
_DONE_WORDS = {
    200: "Xong / done",
    201: "Đã bắt đầu / begun",
    202: "Đã nhận an toàn, sẽ đọc sau: xem url / received and safe, read in after this answer: see its url",
    204: "Xong, không có nội dung / done, nothing to say",
    206: "Một phần của tệp / a part of the file",
}
_SENT_AGAIN = (
    "Tệp này với cùng thông tin đã nhận trước đây / these bytes with these words came before: see same_as"
)
_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "detail_en"],
    "properties": {
        "type": {"type": "string", "description": "urn:phusong:CODE"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable: programs may rely on it"},
        "detail": {"type": "string", "description": "tiếng Việt"},
        "detail_en": {"type": "string", "description": "English"},
    },
}


def completed(app: FastAPI) -> dict[str, Any]:
    """The document that FastAPI makes of the routes, with every answer, refusal and body said; made once per app."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    document = FastAPI.openapi(app)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM_SCHEMA
    schemas["Delivery"] = dict(DELIVERY)
    document["components"]["securitySchemes"] = dict(SECURITY)
    document["security"] = [{name: []} for name in SECURITY]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(f"{method.upper()} {path}", operation)
    items = document["paths"]["/ogc/collections/{collection}/items"]["get"]
    items["parameters"] += [one for name, one in PARAMETERS.items() if name != "snapshot"]
    figures = document["paths"]["/kpi.json"]["get"]["responses"]["200"]
    figures["content"] = {JSON: {"schema": _without_dialect(kpi_schema())}}
    return document


def _complete(name: str, operation: dict[str, Any]) -> None:
    operation["summary"] = SUMMARIES.get(name) or operation.get("description", name).partition(".")[0]
    if name in _ANYBODY:
        operation["security"] = []
    answers = _SUCCESS.get(name, {200: (JSON,)})
    changing = not name.startswith(("GET ", "OPTIONS "))
    refusals = (*_REFUSALS, *(_REFUSALS_OF_SENDING if changing else ()))
    operation["responses"] = {
        **{
            str(status): _answer(name, status, kinds) | _modelled(status, operation)
            for status, kinds in answers.items()
        },
        **{str(status): _refusal(status) for status in refusals},
    }
    if name in _BODIES:
        kind = _BODIES[name]
        schema = dict(FORM) if kind.startswith("multipart") else {"type": "string", "format": "binary"}
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}


def _modelled(status: int, operation: dict[str, Any]) -> dict[str, Any]:
    """The content of the answer where its route names a model of it."""
    content = operation["responses"].get(str(status), {}).get("content", {})
    return {"content": content} if "$ref" in content.get(JSON, {}).get("schema", {}) else {}


def _answer(name: str, status: int, kinds: Iterable[str]) -> dict[str, Any]:
    told = _DELIVERIES.get(name, {"type": "object"})
    content = {kind: {"schema": told if "json" in kind else {"type": "string"}} for kind in kinds}
    words = _SENT_AGAIN if name in _SENDING and status == 200 else _DONE_WORDS.get(status) or _WORDS[status]
    return {"description": words} | ({"content": content} if content else {})


def _refusal(status: int) -> dict[str, Any]:
    content = {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": _WORDS[status], "content": content}


def _without_dialect(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "$schema"}
