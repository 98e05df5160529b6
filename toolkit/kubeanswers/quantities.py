"""Quantities of Kubernetes and of money: parse, add exactly, print.

CPU is counted in whole millicores, memory and storage in bytes, GPUs in thousandths of a GPU, money in Decimal.
Grammar of resource quantities: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

_SUFFIX: Final[dict[str, Decimal]] = {
    "n": Decimal(1).scaleb(-9),
    "u": Decimal(1).scaleb(-6),
    "m": Decimal(1).scaleb(-3),
    "": Decimal(1),
    "k": Decimal(1000),
    "M": Decimal(1000) ** 2,
    "G": Decimal(1000) ** 3,
    "T": Decimal(1000) ** 4,
    "P": Decimal(1000) ** 5,
    "E": Decimal(1000) ** 6,
    "Ki": Decimal(1024),
    "Mi": Decimal(1024) ** 2,
    "Gi": Decimal(1024) ** 3,
    "Ti": Decimal(1024) ** 4,
    "Pi": Decimal(1024) ** 5,
    "Ei": Decimal(1024) ** 6,
}
_QUANTITY: Final = re.compile(
    r"(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,3})?",
    re.ASCII,
)
_MAX_LENGTH: Final = 64

MAX_QUANTITY: Final = 2**63 - 1
"""Largest quantity Kubernetes keeps, in whole units; it caps what is larger."""

HOURS_PER_MONTH: Final = 730
"""Hours in a billing month: 8,760 / 12, the convention of the public clouds' price pages."""

GIB: Final = 1024**3
MIB: Final = 1024**2


def parse_quantity(text: str | float) -> Decimal:
    """Return the exact value of a Kubernetes quantity such as ``500m``, ``1.5Gi`` or ``2e3``.

    Raises:
        ValueError: the value is no text or number, is not a quantity, is not finite, or is absurdly long.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return Decimal(text)
    if isinstance(text, float):
        if not math.isfinite(text):
            raise ValueError(f"{text!r} is not a finite quantity")
        return Decimal(repr(text))
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is not a quantity; write a number with an optional suffix such as 500m or 16Gi")  # noqa: TRY004 - one kind of error for the caller
    if len(text) > _MAX_LENGTH:
        raise ValueError(
            f"{text[:20]!r}... ({len(text)} characters) is no quantity; write at most {_MAX_LENGTH} of them"
        )
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a quantity; write a number with one of {_suffixes()}")
    suffix = match["suffix"] or ""
    try:
        if suffix in _SUFFIX:
            return Decimal(match["number"]) * _SUFFIX[suffix]
        return Decimal(match["number"]).scaleb(int(suffix[1:]))
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is out of range for a quantity") from error


def _suffixes() -> str:
    return "n u m k M G T P E Ki Mi Gi Ti Pi Ei, or an exponent"


def millis(text: str | float) -> int:
    """Return a quantity in thousandths, rounded up as Kubernetes does (``0.5`` -> 500)."""
    return int((parse_quantity(text) * 1000).to_integral_value(ROUND_CEILING))


def whole(text: str | float) -> int:
    """Return a quantity in whole units (bytes for memory), rounded up as Kubernetes does."""
    return int(parse_quantity(text).to_integral_value(ROUND_CEILING))


def cpu_text(milli: int) -> str:
    """Return millicores as a canonical Kubernetes CPU quantity (1500 -> ``1500m``, 2000 -> ``2``)."""
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def memory_text(size: int) -> str:
    """Return bytes with the largest binary suffix that keeps the value exact (``16Gi``)."""
    for suffix in ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki"):
        unit = int(_SUFFIX[suffix])
        if size and size % unit == 0:
            return f"{size // unit}{suffix}"
    return str(size)


def cents(amount: Decimal) -> Decimal:
    """Return money rounded to the cent, half to even."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def share_exactly(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Split an amount in cents by weights so that the parts add up to the total to the cent.

    Largest-remainder rounding (Hamilton's method): every part is within one cent of its exact share.

    Raises:
        ValueError: a weight is negative, or all are zero while the total is not.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    total = cents(total)
    scale = sum(weights, Decimal(0))
    if scale == 0:
        if total == 0:
            return [Decimal("0.00") for _ in weights]
        raise ValueError("cannot divide an amount over weights that are all zero")
    unit = Decimal("0.01")
    exact = [total * weight / scale for weight in weights]
    parts = [amount.quantize(unit, "ROUND_FLOOR") for amount in exact]
    missing = int((total - sum(parts, Decimal(0))) / unit)
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[:missing]:
        parts[i] += unit
    return parts
