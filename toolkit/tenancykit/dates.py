"""Dates as the catalogue's files state them: a day, a month or a year."""

from __future__ import annotations

from datetime import date, timedelta


def last_day(stated: str) -> date:
    """Return the last day a stated date may mean.

    Raises:
        ValueError: it is no date of ISO 8601, whole or cut short.
    """
    year, month, day = (*map(int, stated.split("-")), 0, 0)[:3]
    if day:
        return date(year, month, day)
    month = month or 12
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
