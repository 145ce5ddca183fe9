"""What each verdict and status looks like; the one place for the picture, the legend and the popups.

Chosen to stay apart for colour-blind eyes and in grey print: dark crimson, orange, blue, pale grey.
The two statuses that are not findings carry a pattern instead of a colour (see `static/map.css`).
"""

from __future__ import annotations

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


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green, blue 0..255 of a colour written #rrggbb."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
