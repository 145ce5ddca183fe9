"""A layer of hexes → its legend: the classes that are drawn, how each looks, and how many hexes are of it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from coverage.exports.hex_layers import Layer
from coverage.exports.words import WORDS

_LEVEL = re.compile(r"(ge|below)_(\d+)")
# The two of them look like their neighbours with dots in the colour of the dead, and mean the same.
_COARSE_ONLY = ("some_dead_below_standard", "some_dead_covered")


def classes(layer: Layer) -> list[dict[str, Any]]:
    """The classes in the order of the legend: name, vi, en, colour (#rrggbb), pattern, hexes (how many).

    `layer` is one as fine as judged. Classes without a hex are told too: what is not there is worth knowing.
    """
    inks = layer.kind.inks
    counts = np.bincount(layer.classes, minlength=len(inks) + 1)[1:]
    told = []
    for (name, ink), count in zip(inks.items(), counts.tolist(), strict=True):
        if name not in _COARSE_ONLY:
            vi, en = _words(name)
            told.append(
                {
                    "name": name,
                    "vi": vi,
                    "en": en,
                    "colour": ink.colour,
                    "pattern": ink.pattern,
                    "hexes": count,
                }
            )
    return told


def _words(name: str) -> tuple[str, str]:
    level = _LEVEL.fullmatch(name)
    if level is None:
        return WORDS.get(name, (name, name))
    sign = {"ge": "≥", "below": "<"}[level[1]]
    text = f"{sign} −{level[2]} dBm"
    return text, text
