"""What a unit may plausibly be worth: beyond these ends a rate comes of arithmetic, and is no question to a board."""

from __future__ import annotations

from typing import Final

FAR: Final = 10.0
"""Factor from which another exchange rate is no question any more. Assumption: it is known to within that."""

WAGES: Final = 5.0
"""Times its wage up to which work is plausibly worth saving, beyond the wage itself. Assumption: whoever cannot wait
buys it in at two to three times the wage, and what it delays may be worth as much again."""

BREACH_DAYS: Final = 4_360.0
"""Wages of a day that one breach costs: 4.44 million USD on average of 600 organisations (IBM and Ponemon Institute,
Cost of a Data Breach Report 2025), at the 1,018 USD a day of the price book. In wages, so that no currency is asked."""


def most_for_work(wage: float) -> float:
    """Return what a person-day or an hour of work may plausibly be worth at most beyond its wage.

    Args:
        wage: what it costs.
    """
    return WAGES * wage


def most_for_a_nine(day_rate: float, bill: float) -> float:
    """Return what cutting a class's open days to a tenth may plausibly be worth a month at most.

    Assumption: it averts no more than one breach a year of average cost; who has a larger bill may pay as much again.

    Args:
        day_rate: wage of a person-day.
        bill: what the design costs a month.
    """
    return max(BREACH_DAYS * day_rate / 12, bill)


__all__ = ["FAR", "WAGES", "most_for_a_nine", "most_for_work"]
