"""What things are worth in money, as people write it: an amount, its currency, and of what: ``640 USD``."""

from __future__ import annotations

import re
from typing import Final

from kubeanswers.records import dataclass

_SHAPE: Final = re.compile(
    r"(?P<amount>[0-9][0-9,_ ]*(?:\.[0-9]+)?[kM]?)\s*(?P<currency>[A-Za-z]{3})\b\s*(?P<rest>.*)", re.IGNORECASE
)
_PERIODS: Final = {"month": 1.0, "year": 1 / 12}
_SCALE: Final = {"k": 1e3, "M": 1e6}
_FILLING: Final = re.compile(r"\b(?:a|an|per|each|for|one|more)\b|/", re.IGNORECASE)


@dataclass(frozen=True)
class Rate:
    """A stated exchange rate.

    Attributes:
        amount: money; per month where it is a flow.
        currency: three letters, upper case.
        flows: whether it is money per month (or year, brought to a month) rather than once.
        of: what the money is for: ``nine``, ``person-day``, ``hour``, or empty where not said.
    """

    amount: float
    currency: str
    flows: bool
    of: str


def parse_rate(text: object, *, of: str, flows: bool) -> Rate:
    """Return a stated exchange rate.

    Args:
        text: such as ``21000 USD a month per nine`` or ``640 USD``.
        of: what it must be for: ``nine``, ``person-day`` or ``hour``.
        flows: whether it has to be money per month.

    Raises:
        ValueError: the unit is missing or another, with the form that would do.
    """
    form = f"21000 USD/month per {of}" if flows else f"640 USD per {of}"
    if isinstance(text, bool | int | float):
        raise ValueError(f"{text!r} has no unit; write an amount with its currency, such as '{form}'")  # noqa: TRY004
    if re.match(r"\s*[-\u2212]\s*[0-9]", str(text)):
        raise ValueError(f"{text!r} is below zero; write such as '{form}', or leave it out where it is worth nothing")
    found = _SHAPE.fullmatch(str(text).strip())
    if not found:
        raise ValueError(f"{text!r} is no amount with a currency; write such as '{form}'")
    number = found["amount"].replace(",", "").replace("_", "").replace(" ", "")
    factor = _SCALE.get(number[-1], 1.0)
    amount = float(number.rstrip("kM")) * factor
    rest = found["rest"].lower().replace("person day", "person-day").replace("nines", "nine")
    words = _FILLING.sub(" ", rest).split()
    period = next((word for word in words if word in _PERIODS), None)
    said = [word for word in words if word not in _PERIODS]
    if flows and period is None:
        raise ValueError(f"{text!r} does not say per month or per year; write such as '{form}'")
    if not flows and period is not None:
        raise ValueError(
            f"{text!r} is money per {period}; {'an' if of == 'hour' else 'a'} {of} is paid once, write such as '{form}'"
        )
    if said not in ([], [of], [f"person-{of}"]):
        raise ValueError(f"{text!r} is not about {'an' if of == 'hour' else 'a'} {of}; write such as '{form}'")
    return Rate(amount * _PERIODS.get(period or "month", 1.0), found["currency"].upper(), flows, of)


__all__ = ["Rate", "parse_rate"]
