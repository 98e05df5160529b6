"""Plain YAML words as ``kubectl`` reads them, and which words any reader of YAML takes for something else than text.

``kubectl`` reads YAML with go-yaml 2 and hands it on as JSON: booleans of YAML 1.1, Go's integers (``0b11``, ``0o17``,
``017``, ``0x1f``, ``1_000``), floats with or without a point (``1e3``), no base 60, no dates; a float without a
fraction is a whole number, as JSON writes it. ``tests/kubeanswers/cases/kubectl_words.json`` holds what kubectl 1.32
answered.
"""

from __future__ import annotations

import math
import re
import struct
from typing import Any, Final

_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
NOT_JSON: Final = frozenset(sign + word for word in (".inf", ".Inf", ".INF") for sign in ("", "+", "-")) | frozenset(
    {".nan", ".NaN", ".NAN"}
)
"""Numbers JSON cannot write: ``kubectl`` refuses a file that holds one unquoted."""

_INTEGER: Final = re.compile(
    r"[-+]?(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_POINTED: Final = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_AMBIGUOUS: Final = re.compile(
    r"|~|=|<<|null|true|false|yes|no|on|off|y|n|[-+]?\.(?:inf|nan)|[-+]?[._]*[0-9][-+.0-9a-fox_:tz ]*|[-+._]+",
    re.IGNORECASE,
)
_BASES: Final = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_LEAST, _MOST = -(2**63), 2**63 - 1
_LARGEST: Final = 2**64 - 1
_PLAIN_JSON: Final = 1e21
"""From here on Go writes a float with an exponent, so that it stays one."""
_GO_EXPONENT: Final = 6
"""From this power of ten on Go's shortest text of a number has an exponent (strconv, format ``g``)."""
_LARGEST_SINGLE: Final = 3.4028234663852886e38
_LONGEST: Final = 400
"""No longer text is a finite number other than one of leading or trailing zeros; those are text here (assumption)."""


def resolve(text: str) -> Any:
    """Return what an unquoted word stands for: None, a boolean, a number, or the text itself.

    Words of :data:`NOT_JSON` stay text; whoever reads objects refuses them first.
    """
    first = text[:1]
    if not (first.isascii() and (first.isdigit() or first in "+-.")) and first:
        return _WORDS.get(text, text)
    if text in _WORDS:
        return _WORDS[text]
    if first == ".":
        return _float(text.replace("_", ""), text) if _POINTED.fullmatch(text) else text
    plain = text.replace("_", "")
    found = _INTEGER.fullmatch(plain)
    if found:
        made = _integer(found, plain)
        if made is not None:
            return made
    return _float(plain, text) if _FLOAT.fullmatch(plain) else text


def whole_number(text: str, most: float = math.inf) -> int | None:
    """Return the number that digits alone write; None for anything else, and for what is larger than ``most``.

    Digits are those of ASCII: Python's own tests and conversions also take ``²`` and ``٣`` for digits, ``1_0`` for ten,
    and fail over text of many thousands of digits.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        return None
    value = int(text)
    return value if value <= most else None


def decimal_number(text: str) -> float | None:
    """Return the number that digits of ASCII write, a sign, a point and an exponent allowed; else None."""
    return float(text) if _FLOAT.fullmatch(text) else None


def is_ambiguous(text: str) -> bool:
    """Return whether some reader of YAML 1.1 or 1.2 might take an unquoted word for something else than this text."""
    return _AMBIGUOUS.fullmatch(text) is not None


def key_text(text: str) -> str | None:
    """Return what an unquoted key is called once it is JSON; None for a null, which no key can be."""
    plain = text.replace("_", "")
    number = (text[:1].isascii() and text[:1].isdigit()) or text[:1] in ("+", "-", ".")
    whole = _INTEGER.fullmatch(plain) if number and text[0] != "." else None
    value = resolve(text)
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return str(value) if whole else _go_float(float(plain))


def _go_float(value: float) -> str:
    """Return the shortest text of a number in single precision, as Go writes it: keys of JSON are written so."""
    single = struct.unpack("f", struct.pack("f", value))[0] if abs(value) <= _LARGEST_SINGLE else value
    if abs(single) > _LARGEST_SINGLE:
        return ".inf" if single > 0 else "-.inf"
    digits = next(p for p in range(1, 18) if struct.pack("f", float(f"{single:.{p}g}")) == struct.pack("f", single))
    mantissa, _, exponent = f"{single:.{digits - 1}e}".partition("e")
    if -4 <= int(exponent) < _GO_EXPONENT:
        return f"{float(mantissa + 'e' + exponent):.{max(0, digits - 1 - int(exponent))}f}"
    return f"{mantissa}e{exponent}"


def _integer(found: re.Match[str], plain: str) -> int | float | None:
    """Return the number as JSON hands it on; None where no Go integer holds it."""
    kind = found.lastgroup or "dec"
    if len(found[kind]) > _LONGEST:
        return None
    value = int(found[kind], _BASES[kind])
    value = -value if plain.startswith("-") else value
    if _LEAST <= value <= _MOST:
        return value
    return float(value) if 0 <= value <= _LARGEST and not plain.startswith("+") else None


def _float(plain: str, text: str) -> Any:
    value = float(plain)
    if value in (float("inf"), float("-inf")):
        return text
    if abs(value) < _PLAIN_JSON and value.is_integer() and _LEAST <= value <= _MOST:
        return int(value)
    return value
