"""Quantities as the API server prints them: policies see ``1Gi`` where ``1024Mi`` was written.

Canonical form: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from kubeanswers.objects import scalar_text
from kubeanswers.quantities import parse_quantity

_LISTS: Final = frozenset(
    ["limits", "requests", "overhead", "hard", "capacity", "max", "min", "default", "defaultRequest"]
)
_SINGLE: Final = frozenset({"sizeLimit"})
_FREE: Final = frozenset({"metadata", "data", "stringData", "binaryData", "annotations", "labels"})
_BINARY: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL: Final = {18: "E", 15: "P", 12: "T", 9: "G", 6: "M", 3: "k", 0: "", -3: "m", -6: "u", -9: "n"}


def printed(value: Any) -> Any:
    """Return a quantity in canonical form; what is none is returned as it is."""
    text = scalar_text(value)
    try:
        amount = parse_quantity(text).quantize(Decimal("1e-9"), ROUND_CEILING)
    except (ValueError, ArithmeticError):
        return value
    whole = amount == amount.to_integral_value()
    if text.strip().endswith("i") and whole and abs(amount) >= 1024:
        number, power = int(amount), 0
        while number % 1024 == 0 and power < len(_BINARY) - 1:
            number, power = number // 1024, power + 1
        return f"{number}{_BINARY[power]}"
    if amount == 0:
        return "0"
    digits = next(exponent for exponent in _DECIMAL if amount.scaleb(-exponent) % 1 == 0)
    suffix = f"e{digits}" if re.search(r"[eE][+-]?[0-9]", text) and digits else _DECIMAL[digits]
    return f"{int(amount.scaleb(-digits))}{suffix}"


def with_printed(value: Any, key: str = "") -> Any:
    """Return a built-in object, or a part of one, with every quantity in canonical form."""
    if isinstance(value, list):
        return [with_printed(item) for item in value]
    if not isinstance(value, Mapping) or key in _FREE:
        return printed(value) if key in _SINGLE else value
    if key in _LISTS:
        return {
            name: with_printed(item, name) if isinstance(item, Mapping | list) else printed(item)
            for name, item in value.items()
        }
    return {name: with_printed(item, name) for name, item in value.items()}
