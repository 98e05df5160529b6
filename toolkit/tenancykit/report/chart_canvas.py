"""A canvas for charts as inline SVG: no scripts, no requests, readable without sight."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from kubeanswers.records import dataclass
from kubeanswers.terminal import xml_text
from kubeanswers.writing import write_text
from tenancykit.report.chart_colours import FAINT, IN_NOTEBOOKS, INK, MADE_BY, ink_on

WIDTH: Final = 760
"""Width of a chart in pixels: two stand side by side on a 1600-pixel screen, one on a projector."""
_FONT: Final = "system-ui, -apple-system, 'DejaVu Sans', sans-serif"
_LETTER: Final = 0.56
"""Mean width of a letter as a share of its font size (assumption; sans-serif fonts lie between 0.5 and 0.6)."""
_BOLD: Final = 0.63
"""The same for bold titles."""
_TITLE: Final = 15
_THREE_LINES: Final = 34
"""Height in pixels from which a box holds three lines of small letters."""


@dataclass(frozen=True)
class Chart:
    """A picture of a result, with the same data as a table for readers who do not see it.

    Attributes:
        title: the finding in one sentence.
        svg: the picture, self-contained.
        columns: heads of the table.
        rows: the data behind the picture.
    """

    title: str
    svg: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def html(self) -> str:
        """Return the picture with its data folded away below it."""
        head = "".join(f"<th>{_safe(name)}</th>" for name in self.columns)
        body = "".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        return (
            f'<figure style="margin:0 0 8px"><style>{IN_NOTEBOOKS}</style>{self.svg}<figcaption>'
            '<details style="font:12px system-ui,sans-serif"><summary>Figures of this chart</summary>'
            f'<table style="border-collapse:collapse"><tr>{head}</tr>{body}'
            "</table></details></figcaption></figure>"
        )

    def text(self) -> str:
        """Return title and table as plain text."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        table = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines]
        return "\n".join([self.title, *table])

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the picture as an SVG file and return its path.

        Args:
            path: the file.
            force: replace a file that is no chart of ours.

        Raises:
            OutputError: the file is somebody else's, or cannot be written.
        """
        file = Path(path)
        write_text(file, self.svg + "\n", ours=MADE_BY, force=force)
        return file

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - Jupyter's signature
        return {"text/html": self.html(), "text/plain": self.text()}


class Canvas:
    """Collects the marks of one chart; ``top`` is where the drawing starts below the title."""

    def __init__(self, title: str, body: float, width: float = WIDTH, note: str = "") -> None:
        self.title = title
        self.width = width
        self._lines = textwrap.wrap(title, int((width - 24) / (_TITLE * _BOLD)))[:3] or [""]
        self.top = 14 + 20 * len(self._lines)
        self._note = textwrap.wrap(note, int((width - 24) / (11 * 0.54)))
        self.bottom = self.top + body
        self._parts: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: int = 12,
        weight: int = 400,
        anchor: str = "start",
        fill: str = INK,
        room: float | None = None,
        turned: bool = False,
    ) -> None:
        """Write text with its baseline at y; longer than ``room`` it is cut, and shown whole on hover."""
        shown = text if room is None else shortened(text, room, size)
        title = f"<title>{_safe(text)}</title>" if shown != text else ""
        turn = f' transform="rotate(-90 {_n(x)} {_n(y)})"' if turned else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
            f'fill="{fill}"{turn}>{_safe(shown)}{title}</text>'
        )

    def boxed(self, x: float, y: float, width: float, height: float, text: str, fill: str, stroke: str) -> None:
        """Draw a box with text in it, on two lines or three small ones where one is too short; shown whole on hover."""
        self.rect(x, y, width, height, fill, title=text, stroke=stroke)
        size, most, pitch = 11, 2, 13.0
        lines = textwrap.wrap(text, max(4, int((width - 6) / (size * _LETTER)))) or [""]
        if len(lines) > most and height >= _THREE_LINES:
            size, most, pitch = 9, 3, 10.5
            lines = textwrap.wrap(text, max(4, int((width - 6) / (size * _LETTER))))
        if len(lines) > most:
            lines = [*lines[: most - 1], shortened(" ".join(lines[most - 1 :]), width - 6, size)]
        first = y + height / 2 + 0.35 * size - pitch / 2 * (len(lines) - 1)
        for place, line in enumerate(lines):
            self.text(x + width / 2, first + pitch * place, line, size=size, anchor="middle", fill=ink_on(fill))

    def rect(
        self, x: float, y: float, width: float, height: float, fill: str, *, title: str = "", stroke: str = ""
    ) -> None:
        """Draw a rectangle; ``title`` shows on hover."""
        edge = f' stroke="{stroke}" stroke-width="1"' if stroke else ""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" height="{_n(max(height, 0))}" '
            f'fill="{fill}"{edge}>{_hover(title)}</rect>'
        )

    def hatched(self, x: float, y: float, width: float, height: float, stroke: str = INK, *, title: str = "") -> None:
        """Draw a rectangle of slanted lines on white: told apart without colour."""
        self.rect(x, y, width, height, "#ffffff", title=title, stroke=stroke)
        marks = []
        step = 5.0
        for number in range(1, math.ceil((width + height) / step)):
            reach = number * step
            x1, y1 = (x + reach, y) if reach <= width else (x + width, y + reach - width)
            x2, y2 = (x, y + reach) if reach <= height else (x + reach - height, y + height)
            marks.append(f"M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}")
        if marks and width > 0 and height > 0:
            self._parts.append(f'<path d="{"".join(marks)}" stroke="{stroke}" stroke-width="0.8" fill="none"/>')

    def line(
        self, x1: float, y1: float, x2: float, y2: float, stroke: str = INK, *, width: float = 1, dash: str = ""
    ) -> None:
        """Draw a straight line."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" stroke="{stroke}" '
            f'stroke-width="{width:g}"{dashed}/>'
        )

    def curve(self, points: Sequence[tuple[float, float]], stroke: str, *, width: float = 2, dash: str = "") -> None:
        """Draw straight lines through points."""
        path = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{stroke}" stroke-width="{width:g}"{dashed}/>'
        )

    def area(self, points: Sequence[tuple[float, float]], fill: str, *, opacity: float = 1.0) -> None:
        """Fill the polygon of points."""
        path = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        self._parts.append(f'<polygon points="{path}" fill="{fill}" fill-opacity="{opacity:g}"/>')

    def circle(self, x: float, y: float, radius: float, fill: str, *, title: str = "", stroke: str = "#333333") -> None:
        """Draw a disc."""
        self._parts.append(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{fill}" stroke="{stroke}" '
            f'stroke-width="0.7">{_hover(title)}</circle>'
        )

    def mark(
        self, x: float, y: float, radius: float, fill: str, shape: str, *, title: str = "", stroke: str = "#333333"
    ) -> None:
        """Draw a mark told apart by its shape: ``disc``, ``diamond``, ``square``, ``ring`` or ``cross``."""
        if shape in ("disc", "ring"):
            self.circle(x, y, radius, fill, title=title, stroke=stroke)
            if shape == "ring":
                self.circle(x, y, radius * 0.45, "#ffffff", title=title, stroke="none")
            return
        r, k = radius, radius * 0.3
        corners = {
            "diamond": [(0, -r), (r, 0), (0, r), (-r, 0)],
            "square": [(-r, -r), (r, -r), (r, r), (-r, r)],
            "cross": [
                *((0, -k), (r - k, -r), (r, k - r), (k, 0), (r, r - k), (r - k, r)),
                *((0, k), (k - r, r), (-r, r - k), (-k, 0), (-r, k - r), (k - r, -r)),
            ],
        }[shape]
        path = " ".join(f"{_n(x + dx)},{_n(y + dy)}" for dx, dy in corners)
        self._parts.append(
            f'<polygon points="{path}" fill="{fill}" stroke="{stroke}" stroke-width="0.7">{_hover(title)}</polygon>'
        )

    def arrow(self, x1: float, y1: float, x2: float, y2: float, stroke: str = INK) -> None:
        """Draw an arrow."""
        angle = math.atan2(y2 - y1, x2 - x1)
        self.line(x1, y1, x2, y2, stroke, width=1.3)
        tips = [(x2 - 8 * math.cos(angle + t), y2 - 8 * math.sin(angle + t)) for t in (-0.45, 0.45)]
        self.area([(x2, y2), *tips], stroke)

    def legend(self, x: float, y: float, entries: Sequence[tuple[str, ...]], *, room: float) -> float:
        """Write names with their colours, or marks, from left to right in lines; return the height taken.

        Args:
            x: left end.
            y: baseline of the first line.
            entries: (name, colour) or (name, colour, shape of its mark); a colour of ``hatch`` shows the hatching.
            room: width to stay within.
        """
        across, line = x, y
        for name, colour, *shape in entries:
            label = shortened(name, min(room, 220), 11)
            wide = 18 + len(label) * 11 * _LETTER + 14
            if across > x and across + wide > x + room:
                across, line = x, line + 17
            if colour == "hatch":
                self.hatched(across, line - 10, 12, 12)
            elif shape:
                self.mark(across + 6, line - 4, 6, colour, shape[0])
            else:
                self.rect(across, line - 10, 12, 12, colour)
            self.text(across + 17, line, label, size=11)
            across += wide
        return line - y + 17

    def scale_across(self, axis: Axis, base: float, top: float, name: str) -> None:
        """Draw the horizontal axis with grid lines up to ``top``."""
        for tick in axis.ticks():
            self.line(axis(tick), base, axis(tick), top, FAINT)
            self.text(axis(tick), base + 15, short(tick), size=11, anchor="middle")
        self.line(axis.start, base, axis.end, base, "#666666")
        self.text((axis.start + axis.end) / 2, base + 33, name, anchor="middle")

    def scale_up(self, axis: Axis, left: float, right: float, name: str, *, at: float = 14) -> None:
        """Draw the vertical axis with grid lines up to ``right``."""
        for tick in axis.ticks():
            self.line(left, axis(tick), right, axis(tick), FAINT)
            self.text(left - 6, axis(tick) + 4, short(tick), size=11, anchor="end")
        self.text(at, (axis.start + axis.end) / 2, name, anchor="middle", turned=True)

    def chart(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Chart:
        """Return the finished chart with its data."""
        height = self.bottom + 10 + 14 * len(self._note)
        parts = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" {MADE_BY} viewBox="0 0 {_n(self.width)} {_n(height)}" '
                f'width="{_n(self.width)}" height="{_n(height)}" style="max-width:100%;height:auto" role="img" '
                f'aria-label="{_safe(self.title)}" font-family="{_FONT}">'
            ),
            f"<title>{_safe(self.title)}</title>",
            f'<rect width="{_n(self.width)}" height="{_n(height)}" fill="#ffffff"/>',
        ]
        body, self._parts = self._parts, []
        for number, line in enumerate(self._lines):
            self.text(12, 22 + 20 * number, line, size=_TITLE, weight=600)
        for number, line in enumerate(self._note):
            self.text(12, self.bottom + 8 + 14 * number, line, size=11, fill="#555555")
        titles, self._parts = self._parts, body
        svg = "".join([*parts, *titles, *body, "</svg>"])
        return Chart(self.title, svg, tuple(columns), tuple(tuple(row) for row in rows))


@dataclass(frozen=True)
class Axis:
    """A scale from values to pixels.

    Attributes:
        low: value at ``start``.
        high: value at ``end``.
        start: pixel of the low end.
        end: pixel of the high end.
        logarithmic: whether equal steps are equal factors; both ends are above zero then.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; on a logarithmic scale values below the low end stand at it."""
        low, high = (math.log10(self.low), math.log10(self.high)) if self.logarithmic else (self.low, self.high)
        place = math.log10(max(value, self.low)) if self.logarithmic else value
        return self.start + (place - low) / ((high - low) or 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return round values between the ends, five or six of them; powers of ten on a logarithmic scale."""
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**power for power in range(first, last + 1)]
        wide = (self.high - self.low) or 1.0
        step = 10 ** math.floor(math.log10(wide / 4))
        step *= next(m for m in (1, 2, 5, 10) if wide / (step * m) <= 6)
        first = math.ceil(self.low / step - 1e-9)
        return [round(i * step, 12) for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def spread(values: Sequence[float], start: float, end: float, *, zero: bool = False) -> Axis:
    """Return an axis with a little room around values; from zero where asked or where the values begin near it."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * 0.08 or max(abs(high), 1.0) * 0.08
    near = zero or 0 <= low < (high - low)
    return Axis(min(0.0, low) if near else low - room, high + room, start, end)


def shortened(text: str, room: float, size: int) -> str:
    """Return text that fits into ``room`` pixels, its end replaced by an ellipsis where it does not."""
    most = max(2, int(room / (size * _LETTER)))
    return text if len(text) <= most else text[: most - 1].rstrip() + "\u2026"


def short(value: float) -> str:
    """Return a number as axes show it: ``20k``, ``1.5M``."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"


def _safe(text: str) -> str:
    """Return text that is only text in a picture, in a page and as a file of its own."""
    return html.escape(xml_text(text))


def _hover(title: str) -> str:
    return f"<title>{_safe(title)}</title>" if title else ""


def _n(value: float) -> str:
    return f"{round(value, 1):g}" if abs(value) < 1e5 else f"{value:.0f}"
