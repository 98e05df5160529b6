"""The colours of charts: a palette for every eye, one colour per tenant class, and what a dark page paints anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#999999"
PALETTE: Final = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW, GREY)
"""Okabe and Ito's palette, told apart by colour-blind readers (https://jfly.uni-koeln.de/color/)."""
SHADES: Final = ("#b2182b", "#ef8a62", "#fddbc7", "#d1e5f0", "#67a9cf", "#2166ac")
"""Red to blue in six steps for L0 to L5, from ColorBrewer's RdBu, marked there as safe for colour-blind readers
(https://colorbrewer2.org/); every cell carries its figure as well."""
INK: Final = "#222222"
FAINT: Final = "#e5e5e5"
EMPTY: Final = "#f3f3f3"

MADE_BY: Final = 'data-made-by="tenancykit"'
"""Attribute by which a chart of ours is known before another is written over it."""
_PALE: Final = 0.5
"""Luminance from which a grey is a ground that text stands on."""
_GROUND: Final = "#1c1c1c"
_IN_DARK: Final = {
    "fill": {
        "#ffffff": _GROUND, EMPTY: "#2c2c2c", "#f7f7f7": "#2c2c2c", "#fafafa": "#2c2c2c", FAINT: "#3a3a3a",
        "#dddddd": "#454545", INK: "#e8e8e8", "#444444": "#dddddd", "#555555": "#aaaaaa", "#bbbbbb": "#666666",
    },
    "stroke": {
        "#ffffff": _GROUND, FAINT: "#3a3a3a", "#dddddd": "#555555", "#cccccc": "#555555", "#bdbdbd": "#707070",
        "#666666": "#aaaaaa", "#555555": "#b5b5b5", "#444444": "#bbbbbb", "#333333": "#cccccc", INK: "#e8e8e8",
    },
}  # fmt: skip
"""What a dark page paints grounds, greys and lines with; colours that mean something stay, with what is written on
them."""
_TEXT_IN_DARK: Final = {INK: "#e8e8e8", "#555555": "#b5b5b5", "#666666": "#b5b5b5"}
"""The same for text: that which stands on a ground. On colours text is black or white, and stays."""

BARS_IN_DARK: Final = {"ground": "#333333", "bar": "#2b6a90", "first": "#855c00"}
"""What a dark page paints the bars of a table with, whose text stands on bar and ground alike."""


def in_dark(colour: str, attribute: str, element: str) -> str:
    """Return what a dark page paints an attribute, ``fill`` or ``stroke``, of a chart's element with."""
    if element == "text" and attribute == "fill":
        return _TEXT_IN_DARK.get(colour, colour)
    return _IN_DARK[attribute].get(colour, colour)


def dark_rules(where: str = "") -> str:
    """Return the rules by which a page with a dark theme paints its charts; files of their own stay as they are drawn.

    Args:
        where: selector of what is dark, followed by a space; the whole page without it.
    """
    chart = f"{where}svg[{MADE_BY}]"
    rules = [f"{chart}>title+rect{{fill:none}}"]
    for element, attribute, table in (
        (":not(text)", "fill", _IN_DARK["fill"]),
        ("text", "fill", _TEXT_IN_DARK),
        ("", "stroke", _IN_DARK["stroke"]),
    ):
        painted: dict[str, list[str]] = {}
        for light, dark in table.items():
            painted.setdefault(dark, []).append(f'[{attribute}="{light}"]')
        for dark, lights in painted.items():
            rules.append(f"{chart} {element}:where({','.join(lights)}){{{attribute}:{dark}}}")
    bar = f"{where}svg.tk-bar"
    rules += [f"{bar} {element}{{fill:{dark}}}" for element, dark in (
        ("text", _TEXT_IN_DARK[INK]), ("rect", BARS_IN_DARK["ground"]), ("rect+rect", BARS_IN_DARK["bar"]),
        ("rect+.first", BARS_IN_DARK["first"]),
    )]  # fmt: skip
    return "".join(rules)


IN_DARK: Final = dark_rules()
"""For a page whose media query knows the theme."""
IN_NOTEBOOKS: Final = dark_rules("body[data-jp-theme-light=false] ")
"""For pages where JupyterLab's theme decides, and the studio's own, which says it in the same way."""


def ink_on(fill: str) -> str:
    """Return black or white, whichever is read better on a colour; ink on grounds, which a dark page paints anew.

    By the relative luminance of WCAG 2.2.
    """
    parts = [int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    if luminance > _PALE and fill in _IN_DARK["fill"]:
        return INK
    return "#ffffff" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "#000000"


def colours(names: Sequence[str], most: int = len(PALETTE)) -> dict[str, str]:
    """Return a colour for each name; beyond the palette all names share grey."""
    kept = min(most, len(PALETTE))
    return {name: PALETTE[i] if i < kept else GREY for i, name in enumerate(names)}


def class_colours(names: Sequence[str]) -> dict[str, str]:
    """Return the colour of each tenant class, the same in every chart of a scenario: by its place in the scenario."""
    return {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(names)}
