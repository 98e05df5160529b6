"""How figures are written for people: few digits, units, money, intervals."""

from __future__ import annotations

import math

from tenancykit.criteria.score import Score

TITLES = {
    "isolation": "Isolation",
    "effort": "Implementation effort",
    "operations": "Operational complexity",
    "cost": "Service cost",
}
"""Titles of the criteria, in the order they are shown."""
SHORT = {"isolation": "Isolation", "effort": "Effort", "operations": "Operations", "cost": "Cost"}
"""The same where a table has to be narrow."""

_DECIMALS = 9


def number(value: float) -> str:
    """Return a number with three significant digits, thousands separated (``1,230``, ``0.42``, ``0.00035``)."""
    size = abs(value)
    if 0 < size < 0.1:
        return f"{value:.{min(_DECIMALS, 1 - math.floor(math.log10(size)))}f}"
    if size >= 1_000_000:
        return f"{value / 1_000_000:,.2f}M"
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if size >= 10 else f"{value:.2f}"


def value_text(score: Score) -> str:
    """Return a score's value with its unit."""
    return f"{number(score.value)} {score.unit}".strip()


def interval_text(score: Score) -> str:
    """Return a score's interval, P10 to P90."""
    return f"{number(score.low)} - {number(score.high)}"


def level_text(score: Score) -> str:
    """Return a score's value with its unit; isolation carries its level."""
    level = score.figures.get("level")
    return f"{value_text(score)} ({level})" if level else value_text(score)


def short_value(score: Score) -> str:
    """Return a score's value for a table cell; isolation carries its level."""
    level = score.figures.get("level")
    return f"{number(score.value)} ({level})" if level else number(score.value)
