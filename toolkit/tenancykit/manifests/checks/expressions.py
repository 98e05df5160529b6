"""CEL expressions of policies and device selectors: does the text parse, and is a constant of the right type.

The parser is cel-python; where it is not installed expressions are not checked. Only expressions without variables can
be evaluated here, so a type is judged for those alone; everything else is left to whoever evaluates with data.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

_OPTIONAL: Final = re.compile(r"\?\.|\[\?|\.\?|\?[A-Za-z_]+\s*:")
_DEVICE_FIELDS: Final = ("driver", "attributes", "capacity", "allowMultipleAllocations")
_DEVICE: Final = re.compile(r"(?<![\w.'\"\]])device\.(\w+)")
_STRINGS: Final = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")


@lru_cache(maxsize=4096)
def fault(text: str, types: tuple[type, ...]) -> str:
    """Return what is wrong with an expression, or an empty string where nothing is known to be.

    Args:
        text: the expression.
        types: Python types its value may have; empty for any.
    """
    try:
        import celpy  # noqa: PLC0415 - only where an expression is checked
    except ImportError:
        return ""
    if _OPTIONAL.search(_STRINGS.sub("''", text)):
        return ""  # optional selection, which the API server's CEL has and cel-python does not
    environment = celpy.Environment()
    try:
        tree = environment.compile(text)
    except celpy.CELParseError as error:
        return f"does not compile: {str(error).splitlines()[0][:120]}"
    if not types:
        return ""
    try:
        value: Any = environment.program(tree).evaluate({})
    except Exception:  # noqa: BLE001 - cel-python raises many kinds; an expression with variables has no value here
        return ""
    kind = _python_type(value)
    if kind in types:
        return ""
    names = " or ".join(t.__name__ for t in types)
    return f"must evaluate to {names}, not {kind.__name__}"


def _python_type(value: Any) -> type:
    if value is None:
        return type(None)
    name = type(value).__name__
    known = {"BoolType": bool, "StringType": str, "IntType": int, "UintType": int, "DoubleType": float}
    return known.get(name, type(value))


def device_fault(text: str) -> str:
    """Return what is wrong with a selector of devices, or an empty string."""
    for match in _DEVICE.finditer(_STRINGS.sub("''", text)):
        if match[1] not in _DEVICE_FIELDS:
            return f"does not compile: undefined field {match[1]!r} of device"
    return fault(text, (bool,))
