"""Small charts as inline SVG: static, without scripts, without a request to any host, readable by screen readers."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
GREY: Final = "#999999"
"""Colours of Okabe and Ito's palette, told apart by colour-blind readers (https://jfly.uni-koeln.de/color/)."""

Project = Callable[[float], float]

_FONT: Final = 'font-family="system-ui, sans-serif"'


@dataclass(frozen=True)
class Point:
    """A design in a scatter chart.

    Attributes:
        label: short name beside the mark.
        x: horizontal value.
        y: vertical value.
        emphasis: 2 for the first place, 1 for admitted designs, 0 for the others.
        title: text shown by the browser on hover.
    """

    label: str
    x: float
    y: float
    emphasis: int = 1
    title: str = ""


def scatter(
    points: Sequence[Point], *, title: str, x_axis: str, y_axis: str, width: int = 720, height: int = 400
) -> str:
    """Return a scatter chart with a label at every mark; labels step aside where they would overlap."""
    left, right, top, bottom = 70, 20, 42, 48
    x_low, x_high = _range([p.x for p in points])
    y_low, y_high = _range([p.y for p in points])

    def across(x: float) -> float:
        return left + (x - x_low) / (x_high - x_low) * (width - left - right)

    def up(y: float) -> float:
        return height - bottom - (y - y_low) / (y_high - y_low) * (height - top - bottom)

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'style="max-width:100%;height:auto" role="img" aria-label="{html.escape(title)}">'
        ),
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(left, 22, title, size=14, weight="600"),
        *_axis(left, width - right, height - bottom, x_low, x_high, across),
        *_axis_up(left, y_low, y_high, up, width - right),
        _text((left + width - right) / 2, height - 8, x_axis, anchor="middle"),
        f'<g transform="translate(14 {height / 2}) rotate(-90)">{_text(0, 0, y_axis, anchor="middle")}</g>',
    ]
    taken: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda p: (-p.emphasis, p.label)):
        x, y = across(point.x), up(point.y)
        colour = (GREY, BLUE, ORANGE)[point.emphasis]
        radius = (4, 5, 8)[point.emphasis]
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" stroke="#333" stroke-width="0.5">'
            f"<title>{html.escape(point.title or point.label)}</title></circle>"
        )
        label_x, label_y = _free(x + radius + 3, y + 4, taken)
        taken.append((label_x, label_y))
        parts.append(_text(label_x, label_y, point.label, size=11, weight="600" if point.emphasis == 2 else "400"))
    return "".join([*parts, "</svg>"])


def _free(x: float, y: float, taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    for step in range(12):
        shifted = y + (step + 1) // 2 * 12 * (1 if step % 2 else -1)
        if all(abs(shifted - other_y) > 10 or abs(x - other_x) > 40 for other_x, other_y in taken):
            return x, shifted
    return x, y


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or max(abs(high), 1.0) * 0.08
    return (0.0 if low >= 0 and low < (high - low) else low - room), high + room


def _text(x: float, y: float, text: str, *, size: int = 12, weight: str = "400", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" {_FONT} '
        f'fill="#222">{html.escape(text)}</text>'
    )


def _axis(left: float, right: float, base: float, low: float, high: float, across: Project) -> list[str]:
    parts = [f'<line x1="{left}" y1="{base}" x2="{right}" y2="{base}" stroke="#666"/>']
    ticks = _ticks(low, high)
    return [*parts, *(_text(across(tick), base + 16, _short(tick), size=10, anchor="middle") for tick in ticks)]


def _axis_up(left: float, low: float, high: float, up: Project, right: float) -> list[str]:
    parts = []
    for tick in _ticks(low, high):
        parts.append(f'<line x1="{left}" y1="{up(tick):.1f}" x2="{right}" y2="{up(tick):.1f}" stroke="#e5e5e5"/>')
        parts.append(_text(left - 6, up(tick) + 4, _short(tick), size=10, anchor="end"))
    return parts


def _ticks(low: float, high: float) -> list[float]:
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= 6)
    first = math.ceil(low / step)
    return [round(i * step, 10) for i in range(first, math.floor(high / step) + 1)]


def _short(value: float) -> str:
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"


def bar(share: float, text: str, *, emphasis: bool = False, width: int = 96) -> str:
    """Return a table cell's bar: ``share`` (0-1) of the width filled, with its text on top."""
    filled = max(0.0, min(1.0, share)) * width
    colour = ORANGE if emphasis else "#9ecae1"
    scaling = f"max-width:100%;height:auto;min-width:{width - 8}px"
    return (
        f'<svg viewBox="0 0 {width} 18" width="{width}" height="18" style="{scaling}" role="img" '
        f'aria-label="{html.escape(text)}"><rect width="{width}" height="18" fill="#f0f0f0"/>'
        f'<rect width="{filled:.1f}" height="18" fill="{colour}"/>{_text(4, 13, text, size=11)}</svg>'
    )
