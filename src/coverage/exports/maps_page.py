"""The page around the map: our HTML, style and script, Leaflet and jQuery from installed packages.

A content policy inside the page lets exactly these scripts run; the page of one file fetches nothing, that of a service
only from the service, and pictures also from a base map elsewhere that the province has configured.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from branca.element import Figure
from folium.template import Template
from xstatic.pkg import jquery, leaflet

from coverage.exports.maps_data import script_json

if TYPE_CHECKING:
    from coverage.exports.maps_online import Online

_STATIC = files("coverage.exports").joinpath("static")
_SCRIPTS = (
    *("words.js", "source.js", "popup.js", "spot.js", "panel.js", "layers.js", "times.js"),
    *("twin.js", "state.js", "print.js", "map.js"),
)
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
def _leaflet() -> str:
    # Pointers to source maps, which are not here, are dropped.
    return re.sub(
        r"//# sourceMappingURL=.*", "", (Path(leaflet.BASE_DIR) / "leaflet.js").read_text(encoding="utf-8")
    )


@cache
def _libraries() -> str:
    """Leaflet and jQuery."""
    more = (Path(jquery.BASE_DIR) / "jquery.min.js").read_text(encoding="utf-8")
    return "\n".join((_leaflet(), re.sub(r"//# sourceMappingURL=.*", "", more)))


@cache
def page_files() -> Mapping[str, tuple[str, str]]:
    """What the page of a service has beside it: name → content and media type."""
    scripts = "\n".join(_static(name) for name in _SCRIPTS)
    return {
        "map.css": (_leaflet_css() + _static("map.css"), "text/css; charset=utf-8"),
        "leaflet.js": (_leaflet(), "text/javascript; charset=utf-8"),
        "map.js": (scripts, "text/javascript; charset=utf-8"),
    }


@cache
def static_digest() -> str:
    """What changes whenever one of `page_files` does, so that browsers may keep them for good."""
    texts = "".join(content for content, _ in page_files().values())
    return hashlib.sha256(texts.encode()).hexdigest()[:16]


class Page(Figure):
    """A folium figure that renders as our page. `data`: what `maps_data.page_data` gives, or what `online` says."""

    _template = Template(_static("page.html"))

    def __init__(
        self, data: Mapping[str, Any], colours: Mapping[str, str], online: Online | None = None
    ) -> None:
        super().__init__()
        self.data = script_json(data)
        self.online = online
        self.colours = colours
        self.predicted = online is not None or any(sum(view.values()) for view in data["predicted"])
        self.simulated = bool(online.snapshot.simulated if online else data["info"]["simulated"])
        if online is None:
            self.style = _leaflet_css() + _static("map.css")
            self.libraries = _libraries()
            self.scripts = "\n".join(_static(name) for name in _SCRIPTS)
        self.policy = _POLICY_MARK

    def render_page(self) -> str:
        """The HTML, with the digest of every script of ours in its content policy."""
        html: str = self.render()
        head, mark, rest = html.partition(_POLICY_MARK)
        return head + self._policy(rest) + rest if mark else html

    def _policy(self, html: str) -> str:
        scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
        allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
        if self.online is None:
            return (
                f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}; "
                "base-uri 'none'; form-action 'none'"
            )
        elsewhere = f" {self.online.ground.host}" if self.online.ground.host else ""
        return (
            f"default-src 'none'; img-src 'self' data:{elsewhere}; style-src 'self' 'unsafe-inline'; "
            f"script-src 'self' {allowed}; connect-src 'self'; base-uri 'none'; form-action 'self'"
        )
