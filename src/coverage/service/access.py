"""Who may do what: one table of every operation and the roles that have it. What does not stand here nobody may do."""

from __future__ import annotations

from collections.abc import Mapping

from coverage.exports.lists import LISTS

_READERS = frozenset({"viewer", "field_team", "operator", "planner", "province_admin"})
_SENDERS = frozenset({"field_team", "planner", "province_admin"})
_WATCHERS = frozenset({"planner", "province_admin"})
_ADMINS = frozenset({"province_admin"})

# Pages and answers that say nothing of any measurement, and by which one comes in.
ANYBODY = frozenset(
    {
        *("GET /healthz", "GET /readyz", "GET /version"),
        *("GET /login", "POST /login", "GET /logout", "POST /logout"),
        *("GET /login/oidc", "GET /login/oidc/callback"),
        *("GET /static-docs", "GET /static-upload/{digest}/{name}", "GET /upload-worker.js"),
        "GET /static-map/{digest}/{name}",
        *("OPTIONS /v1/tus", "OPTIONS /v1/tus/{_delivery_id}"),
    }
)
_LISTS = ("GET /lists.xlsx", *(f"GET /{what}.{{fmt}}" for what in LISTS))
_OGC = tuple(
    f"GET /ogc{path}"
    for path in (
        *("", "/", "/conformance", "/api", "/collections", "/collections/{collection}"),
        *("/collections/{collection}/queryables", "/collections/{collection}/items"),
        "/collections/{collection}/items/{feature_id:path}",
    )
)
_TILES = "GET /tiles/{layer:path}/{z}/{x}/{y}.png"
_MAP = (
    "GET /tiles/base/{z}/{x}/{y}.png",
    *(f"GET /map/{name}.json" for name in ("communes", "villages", "dead", "roads", "sites", "lines")),
    *(f"GET /map/{name}.json" for name in ("data", "snapshots", "changes", "classes")),
)
_SPOTS = ("GET /v1/hexes", *(f"GET /v1/villages/{{village_id:path}}/{what}" for what in ("hexes", "places")))
_READING = ("GET /", *_LISTS, *_OGC, _TILES, *_MAP, *_SPOTS, "GET /kpi.json", "GET /kpi.schema.json")
_HELP = (
    "GET /guide",
    "GET /guide/template.csv",
    "GET /guide/template.xlsx",
    "GET /docs",
    "GET /docs/oauth2-redirect",
    "GET /openapi.json",
)
_SENDING = (
    *("GET /upload", "POST /v1/uploads", "PUT /v1/deliveries/{delivery_id}"),
    *("POST /v1/tus", "HEAD /v1/tus/{delivery_id}", "PATCH /v1/tus/{delivery_id}"),
    *("POST /v1/tus/{delivery_id}", "DELETE /v1/tus/{delivery_id}"),
    *("GET /v1/deliveries", "GET /v1/deliveries/{delivery_id}", "GET /v1/deliveries/{delivery_id}/events"),
    *("GET /v1/deliveries/{delivery_id}/preview", "POST /v1/deliveries/{delivery_id}/confirm"),
    *(
        "POST /v1/deliveries/{delivery_id}/retry",
        "DELETE /v1/deliveries/{delivery_id}",
        "GET /v1/receipts/{code}",
    ),
    *("GET /v1/uploads", "GET /v1/uploads/{upload_id}", "GET /v1/uploads/{upload_id}/rejects.csv"),
)
_DECIDING = ("DELETE /v1/uploads/{upload_id}", "POST /v1/uploads/{upload_id}/restore")

MAY: Mapping[str, frozenset[str]] = {
    **dict.fromkeys((*_READING, *_HELP), _READERS),
    **dict.fromkeys(_SENDING, _SENDERS),
    "GET /metrics": _WATCHERS,
    **dict.fromkeys(_DECIDING, _ADMINS),
}
# What anybody may read where the province has switched that on: aggregates that are nobody's trace.
PUBLIC = frozenset((*_READING, "GET /docs", "GET /openapi.json"))
# Who reads what, from where it can be carried away; and every change. Watching a delivery's progress is neither.
AUDITED: Mapping[str, str] = {
    **dict.fromkeys((*_LISTS, "GET /ogc/collections/{collection}/items"), "download"),
    "GET /v1/uploads/{upload_id}/rejects.csv": "download",
    **dict.fromkeys(("POST /v1/uploads", "PUT /v1/deliveries/{delivery_id}", "POST /v1/tus"), "send"),
    "POST /v1/deliveries/{delivery_id}/confirm": "confirm",
    "POST /v1/deliveries/{delivery_id}/retry": "retry",
    **dict.fromkeys(("DELETE /v1/deliveries/{delivery_id}", "DELETE /v1/tus/{delivery_id}"), "cancel"),
    "DELETE /v1/uploads/{upload_id}": "withdraw",
    "POST /v1/uploads/{upload_id}/restore": "restore",
}


def may(role: str, operation: str) -> bool:
    """Whether a role has an operation (method and route, like `GET /kpi.json`)."""
    return role in MAY.get(operation, frozenset())
