"""What each verdict and status looks like; the one place for picture, tiles, legend and popups.

Chosen to stay apart for colour-blind eyes and in grey print: dark crimson, orange, blue, pale grey.
The two statuses that are not findings carry a pattern instead of a colour (see `static/map.css`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

STATUS_COLOURS = {
    "trang_song": "#9d0f38",
    "lom_song": "#f08a24",
    "phu_song": "#2b8cb8",
    "chua_du_bang_chung": "#c3c8cf",
    "chua_co_du_lieu": "#ffffff",
}
VERDICT_COLOURS = {
    "dead_zone": "#560720",
    "below_standard": "#ffc53d",
    "covered": "#126c96",
    "not_enough_evidence": "#a9afb8",
}

# Drawn as stripes only, across those of the unmeasured villages: nothing predicted looks like a finding.
PREDICTED_COLOURS = {
    "predicted_dead": "#b3246b",
    "predicted_open": "#7d5fb2",
    "predicted_served": "#2a9db5",
}


@dataclass(frozen=True)
class Ink:
    """How one class of hexes is drawn on the map's tiles.

    colour: #rrggbb. pattern: plain; hatched = thin lines that rise, see-through between them; striped = broad ones
    that fall; dotted = plain, with dots in the colour of the class named by `dots`. opacity: 0 = see-through … 255.
    """

    colour: str
    pattern: Literal["plain", "hatched", "striped", "dotted"] = "plain"
    dots: str | None = None
    opacity: int = 235


def _plain(colours: Mapping[str, str]) -> dict[str, Ink]:
    return {name: Ink(colour) for name, colour in colours.items()}


def _with_dead(verdict: str) -> Ink:
    return Ink(VERDICT_COLOURS[verdict], "dotted", "dead_zone")


# The two classes with dead hexes in them stand on coarse hexes only, where most of what was decided is not dead.
VERDICT_INKS: Mapping[str, Ink] = {
    **_plain(VERDICT_COLOURS),
    "unmeasured": Ink("#8b9099", "hatched", opacity=170),
    "some_dead_below_standard": _with_dead("below_standard"),
    "some_dead_covered": _with_dead("covered"),
}
NOT_SPOT_INKS: Mapping[str, Ink] = _plain({"total": VERDICT_COLOURS["dead_zone"], "partial": "#d9742b"})
PREDICTED_INKS: Mapping[str, Ink] = {
    name: Ink(colour, "striped", opacity=190) for name, colour in PREDICTED_COLOURS.items()
}
# One hue from dark to pale: to any eye at least 20 CIELAB units from each other and from every verdict.
AGE_INKS: Mapping[str, Ink] = _plain(
    {
        "up_to_6_months": "#414c15",
        "up_to_12_months": "#67813e",
        "up_to_18_months": "#7ac052",
        "older": "#c4f4bc",
    }
)
CHANGE_INKS: Mapping[str, Ink] = _plain(
    {
        "newly_lost": "#e8590c",
        "newly_covered": "#00a878",
        "still_dead": "#3b3b3b",
        "newly_measured": "#9a7fd1",
    }
)
# From the strongest level to the weakest: viridis without its darkest end, and almost black for no service.
_LEVELS = ("#fde725", "#90d743", "#35b779", "#21918c", "#31688e", "#443983")
_NO_SERVICE = "#16130f"


def level_inks(classes: Iterable[str]) -> dict[str, Ink]:
    """The inks of six classes of level, the strongest first, and of `no_service` after them."""
    return _plain({**dict(zip(classes, _LEVELS, strict=True)), "no_service": _NO_SERVICE})


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green, blue 0..255 of a colour written #rrggbb."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
