"""pygeoapi over the features of a GeoJSON file, kept in memory: the fastest provider that it can have.

    PYTHON-WITH-PYGEOAPI benchmarks/peer_pygeoapi.py FEATURES.geojson PORT

A program of its own, since pygeoapi reads its settings from the environment when it is imported. It pages through one
collection, `villages`; nothing is filtered, sorted or looked up, so that only its own work is measured.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from pygeoapi.provider.base import BaseProvider

FEATURES: list[dict] = []


class InMemory(BaseProvider):
    def __init__(self, definition: dict) -> None:
        super().__init__(definition)
        if not FEATURES:
            FEATURES.extend(json.loads(Path(definition["data"]).read_bytes())["features"])
        self.get_fields()

    def get_fields(self) -> dict:
        self._fields = {name: {"type": "string"} for name in FEATURES[0]["properties"]}
        return self._fields

    def query(self, offset: int = 0, limit: int = 10, **_more: object) -> dict:
        page = FEATURES[offset : offset + limit]
        return {
            "type": "FeatureCollection",
            "features": page,
            "numberMatched": len(FEATURES),
            "numberReturned": len(page),
        }


def settings(data: str, port: int) -> dict:
    text = {"en": "villages"}
    contact = dict.fromkeys(
        ("name", "position", "address", "city", "stateorprovince", "postalcode", "country", "phone", "fax"),
        "-",
    ) | {"email": "a@b.vn", "url": "http://127.0.0.1", "hours": "-", "instructions": "-", "role": "-"}
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": f"http://127.0.0.1:{port}",
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "gzip": False,
            "languages": ["en-US"],
            "pretty_print": False,
            "limits": {"default_items": 10, "max_items": 5000},
            "map": {"url": "http://127.0.0.1/{z}/{x}/{y}.png", "attribution": "-"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": text,
                "description": text,
                "keywords": {"en": ["villages"]},
                "keywords_type": "theme",
                "terms_of_service": "-",
                "url": "http://127.0.0.1",
            },
            "license": {"name": "-", "url": "http://127.0.0.1"},
            "provider": {"name": "-", "url": "http://127.0.0.1"},
            "contact": contact,
        },
        "resources": {
            "villages": {
                "type": "collection",
                "title": text,
                "description": text,
                "keywords": {"en": ["villages"]},
                "links": [],
                "extents": {
                    "spatial": {
                        "bbox": [107, 10, 110, 13],
                        "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
                    }
                },
                "providers": [
                    {"type": "feature", "name": "__main__.InMemory", "data": data, "id_field": "id"},
                ],
            }
        },
    }


def main() -> None:
    data, port = sys.argv[1], int(sys.argv[2])
    folder = Path(tempfile.mkdtemp())
    # JSON is YAML.
    (folder / "settings.yml").write_text(json.dumps(settings(data, port)))
    os.environ |= {
        "PYGEOAPI_CONFIG": str(folder / "settings.yml"),
        "PYGEOAPI_OPENAPI": str(folder / "openapi.yml"),
    }
    from pygeoapi.openapi import get_oas

    (folder / "openapi.yml").write_text(json.dumps(get_oas(settings(data, port))))
    import uvicorn
    from pygeoapi.starlette_app import APP

    uvicorn.run(APP, host="127.0.0.1", port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    sys.modules.setdefault("__main__", sys.modules[__name__])
    main()
