"""How figures are written for people: few digits, units, money, intervals."""

from __future__ import annotations

import math

from tenancykit.criteria.score import Score

NINES = "nines: how rarely what lies most open stands open to another tenant; 1 nine is 36.5 days a year, 2 are 3.65"
"""What the figure of isolation in tables means (but for a hundredth that it adds per barrier)."""
_DECIMALS = 9
_FEW_DAYS = 0.001


def number(value: float) -> str:
    """Return a number for people: ``1,230``, ``66.6``, ``0.42``, ``0.00035``; whole ones without decimals (``4``)."""
    size = abs(value)
    if size < 1000 and value == round(value):
        return f"{value:.0f}"
    if 0 < size < 0.1:
        return f"{value:.{min(_DECIMALS, 1 - math.floor(math.log10(size)))}f}"
    if size >= 1_000_000:
        return f"{value / 1_000_000:,.{2 if size < 10_000_000 else 1 if size < 100_000_000 else 0}f}M"
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def estimate(value: float) -> str:
    """Return an estimate for people: as :func:`number`, but never more than three significant digits."""
    return number(float(f"{value:.3g}"))


def numbers_apart(first: float, second: float) -> tuple[str, str]:
    """Return two numbers, with as many digits as it takes to tell them apart (``1.709M`` and ``1.710M``)."""
    told = estimate(first), estimate(second)
    if told[0] != told[1] or first == second:
        return told
    scale, unit = (1_000_000, "M") if abs(first) >= 1_000_000 else (1, "")
    for digits in range(1, _DECIMALS):
        told = f"{first / scale:,.{digits}f}{unit}", f"{second / scale:,.{digits}f}{unit}"
        if told[0] != told[1]:
            break
    return told


def days_text(days: float) -> str:
    """Return days a year in at most two digits; ``<0.001`` below a minute and a half."""
    if 0 < days < _FEW_DAYS:
        return f"<{_FEW_DAYS:g}"
    return f"{days:.0f}" if days >= 10 else f"{days:.2g}"


def value_text(score: Score) -> str:
    """Return a score's value with its unit."""
    return f"{estimate(score.value)} {score.unit}".strip()


def interval_text(score: Score) -> str:
    """Return a score's interval, P10 to P90."""
    return f"{estimate(score.low)} - {estimate(score.high)}"


def level_text(score: Score) -> str:
    """Return a score's value with its unit; isolation carries its level."""
    level = score.figures.get("level")
    return f"{value_text(score)} ({level})" if level else value_text(score)


def short_values(first: Score, second: Score) -> tuple[str, str]:
    """Return two scores' values for table cells, told apart where they differ."""
    shown = numbers_apart(first.value, second.value)
    one, two = (f" ({score.figures['level']})" if score.figures.get("level") else "" for score in (first, second))
    return shown[0] + one, shown[1] + two


def short_value(score: Score) -> str:
    """Return a score's value for a table cell; isolation carries its level."""
    level = score.figures.get("level")
    return f"{estimate(score.value)} ({level})" if level else estimate(score.value)
