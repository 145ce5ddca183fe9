"""The page around the map: our HTML, style and script, Leaflet and jQuery from installed packages.

A content policy inside the page lets exactly these scripts run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from branca.element import Figure
from folium.template import Template
from xstatic.pkg import jquery, leaflet

from coverage.exports.maps_data import script_json

_STATIC = files("coverage.exports").joinpath("static")
_SCRIPTS = ("words.js", "popup.js", "panel.js", "map.js")
_POLICY_MARK = "{content-policy}"


@cache
def _static(name: str) -> str:
    return _STATIC.joinpath(name).read_text(encoding="utf-8")


@cache
def _leaflet_css() -> str:
    """Leaflet's style with its images inlined."""
    folder = Path(leaflet.BASE_DIR)
    style = (folder / "leaflet.css").read_text(encoding="utf-8")
    return re.sub(r"url\((images/[\w-]+\.png)\)", lambda found: f"url({_image(folder / found[1])})", style)


def _image(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


@cache
def _libraries() -> str:
    """Leaflet and jQuery; their pointers to source maps, which are not here, are dropped."""
    paths = Path(leaflet.BASE_DIR) / "leaflet.js", Path(jquery.BASE_DIR) / "jquery.min.js"
    return "\n".join(re.sub(r"//# sourceMappingURL=.*", "", p.read_text(encoding="utf-8")) for p in paths)


class Page(Figure):
    """A folium figure that renders as our page. `data`: what `maps_data.page_data` gives; upload_url as `map_html`."""

    _template = Template(_static("page.html"))

    def __init__(self, data: Mapping[str, Any], upload_url: str | None = None) -> None:
        super().__init__()
        self.data = script_json(data)
        self.upload_url = upload_url
        self.predicted = any(sum(view.values()) for view in data["predicted"])
        self.simulated = bool(data["info"]["simulated"])
        self.colours: Mapping[str, str] = data["colours"]
        self.style = _leaflet_css() + _static("map.css")
        self.libraries = _libraries()
        self.scripts = "\n".join(_static(name) for name in _SCRIPTS)
        self.policy = _POLICY_MARK

    def render_page(self) -> str:
        """The HTML, with the digest of every script of ours in its content policy."""
        html: str = self.render()
        head, mark, rest = html.partition(_POLICY_MARK)
        return head + _policy(rest) + rest if mark else html


def _policy(html: str) -> str:
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )
