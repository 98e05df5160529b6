"""The string and regular-expression functions of CEL and of Kubernetes' extension library.

Sources: https://pkg.go.dev/github.com/google/cel-go/ext#Strings and
https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from kubeanswers.cel.operators import print_double, to_string
from kubeanswers.cel.patterns import compiled
from kubeanswers.cel.values import CelError, CelUndecidedError, Duration, Timestamp, TypeValue, equal, type_name


def _needs_text(*values: Any) -> None:
    if not all(isinstance(value, str) for value in values):
        raise CelError("no such overload")


def matches(text: Any, pattern: Any) -> bool:
    """Return whether the pattern occurs in the text."""
    _needs_text(text, pattern)
    return compiled(pattern).search(text) is not None


def find(text: Any, pattern: Any) -> str:
    """Return the first match, or an empty string."""
    _needs_text(text, pattern)
    match = compiled(pattern).search(text)
    return match[0] if match else ""


def find_all(text: Any, pattern: Any, limit: int = -1) -> list[str]:
    """Return every match, up to ``limit`` of them."""
    _needs_text(text, pattern)
    found = [match[0] for match in compiled(pattern).finditer(text)]
    return found if limit < 0 else found[:limit]


def _index_of(text: Any, part: Any, start: int = 0) -> int:
    if isinstance(text, list):
        return _index_in(text, part)
    _needs_text(text, part)
    if start < 0 or (start >= len(text) and start != 0 and text):
        raise CelError(f"index out of range: {start}")
    return int(text.find(part, start))


def _last_index_of(text: Any, part: Any, start: int | None = None) -> int:
    if isinstance(text, list):
        found = _index_in(text[::-1], part)
        return len(text) - 1 - found if found >= 0 else -1
    _needs_text(text, part)
    if start is not None and not 0 <= start < max(len(text), 1):
        raise CelError(f"index out of range: {start}")
    return int(text.rfind(part) if start is None else text.rfind(part, 0, start + len(part)))


def _index_in(items: list[Any], wanted: Any) -> int:
    return next((i for i, item in enumerate(items) if equal(item, wanted)), -1)


def _char_at(text: Any, place: int) -> str:
    _needs_text(text)
    if not 0 <= place <= len(text):
        raise CelError(f"index out of range: {place}")
    return str(text[place : place + 1])


def _substring(text: Any, start: int, end: int | None = None) -> str:
    _needs_text(text)
    stop = len(text) if end is None else end
    if not 0 <= start <= len(text) or not start <= stop <= len(text):
        raise CelError(f"index out of range: {start if not 0 <= start <= len(text) else stop}")
    return str(text[start:stop])


def _split(text: Any, separator: Any, limit: int = -1) -> list[str]:
    _needs_text(text, separator)
    if limit == 0:
        return []
    if separator == "":
        parts = list(text)
        return parts if limit < 0 or len(parts) <= limit else [*parts[: limit - 1], "".join(parts[limit - 1 :])]
    return list(text.split(separator) if limit < 0 else text.split(separator, limit - 1))


def _replace(text: Any, old: Any, new: Any, limit: int = -1) -> str:
    _needs_text(text, old, new)
    return str(text.replace(old, new, limit))


def _join(items: Any, separator: Any = "") -> str:
    if not isinstance(items, list):
        raise CelError("no such overload")
    _needs_text(separator, *items)
    return str(separator.join(items))


def _upper(text: Any) -> str:
    _needs_text(text)
    return "".join(c.upper() if c.isascii() else c for c in text)


def _lower(text: Any) -> str:
    _needs_text(text)
    return "".join(c.lower() if c.isascii() else c for c in text)


def quote(text: Any) -> str:
    """Return the text in double quotes with its control characters escaped."""
    _needs_text(text)
    table = {
        "\\": "\\\\",
        '"': '\\"',
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
    }
    return '"' + "".join(table.get(c, c) for c in text) + '"'


def format_clauses(pattern: str) -> list[str]:
    """Return what a format string asks for, clause by clause: a letter, with its precision before it.

    Raises:
        CelError: a clause is not one.
    """
    return [part for part in _parts(pattern) if part.startswith("%")]


_LONGEST_CLAUSE: Final = 6
_CLAUSE: Final = re.compile(r"%(?:(?P<percent>%)|(?P<digits>(?:\.[0-9]+)?)(?P<verb>[sdfebxXo]))")


def _parts(pattern: str) -> list[str]:
    """Return the text and the clauses of a format string in turn."""
    parts: list[str] = []
    place = 0
    while place < len(pattern):
        match = _CLAUSE.match(pattern, place)
        if match is None and pattern[place] == "%":
            raise CelError(f"could not parse formatting clause: {pattern[place : place + 8]}")
        if match is None:
            end = pattern.find("%", place)
            parts.append(pattern[place : end if end >= 0 else len(pattern)])
            place += len(parts[-1])
        else:
            parts.append(match[0] if match["percent"] is None else "\0")
            place = match.end()
    return parts


def _format(pattern: Any, arguments: Any) -> str:
    if not isinstance(pattern, str) or not isinstance(arguments, list):
        raise CelError("no such overload")
    made, values = [], iter(arguments)
    for part in _parts(pattern):
        if len(part) > _LONGEST_CLAUSE and part.startswith("%"):
            raise CelUndecidedError(f"a number of {part[2:-1]} digits is not printed here")
        if not part.startswith("%"):
            made.append("%" if part == "\0" else part)
            continue
        try:
            made.append(_printed(next(values), part[-1], int(part[2:-1] or 6)))
        except StopIteration:
            raise CelError("index out of range in format arguments") from None
    return "".join(made)


def _printed(value: Any, verb: str, digits: int) -> str:
    whole = isinstance(value, int) and not isinstance(value, bool)
    match verb:
        case "s":
            return _shown(value)
        case "b" if isinstance(value, bool):
            return str(int(value))
        case "d" | "b" | "o" | "x" | "X" if whole:
            return format(int(value), verb)
        case "x" | "X" if isinstance(value, str | bytes):
            text = (value.encode() if isinstance(value, str) else value).hex()
            return text.upper() if verb == "X" else text
        case "f" | "e" if isinstance(value, float) or value in ("NaN", "Infinity", "-Infinity"):
            return _number(float(value), verb, digits)
    raise CelError(f"error during formatting: {verb} does not fit a {type_name(value)}")


def _number(value: float, verb: str, digits: int) -> str:
    """Return a double as Go's printer for English has it: thousands in groups, powers of ten written out."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if verb == "f":
        return format(value, f",.{digits}f")
    mantissa, _, power = format(value, f".{digits}e").partition("e")
    raised = power.removeprefix("+").translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}\u202f\u00d7\u202f10{raised}"


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, TypeValue):
        return value.name
    if isinstance(value, list):
        return "[" + ", ".join(map(_nested, value)) + "]"
    if isinstance(value, Mapping):
        if any(isinstance(key, float) for key in value):
            raise CelError("error during formatting: no formatting function for a double as map key")
        pairs = sorted((_nested(key), _nested(item)) for key, item in value.items())
        return "{" + ", ".join(f"{key}:{item}" for key, item in pairs) + "}"
    if not isinstance(value, bool | int | float | str | bytes | Duration | Timestamp):
        raise CelError(f"error during formatting: s does not fit a {type_name(value)}")
    return to_string(value)


def _nested(value: Any) -> str:
    """Return a value inside a list or map, as an expression would write it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bytes):
        return f"b{json.dumps(to_string(value), ensure_ascii=False)}"
    if isinstance(value, float):
        return format(value, ".6f") if math.isfinite(value) else f'"{print_double(value)}"'
    if isinstance(value, Duration):
        return f'duration("{to_string(value)}")'
    if isinstance(value, Timestamp):
        return f'timestamp("{to_string(value)}")'
    return _shown(value)


def _string_method(name: str) -> Callable[[Any, Any], bool]:
    def method(text: Any, part: Any) -> bool:
        _needs_text(text, part)
        return bool(
            {"contains": text.__contains__, "startsWith": text.startswith, "endsWith": text.endswith}[name](part)
        )

    return method


def _trim(text: Any) -> str:
    _needs_text(text)
    return str(text.strip())


TEXT_METHODS: Final[Mapping[str, Callable[..., Any]]] = {
    "contains": _string_method("contains"),
    "startsWith": _string_method("startsWith"),
    "endsWith": _string_method("endsWith"),
    "matches": matches,
    "find": find,
    "findAll": find_all,
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "charAt": _char_at,
    "substring": _substring,
    "split": _split,
    "replace": _replace,
    "join": _join,
    "trim": _trim,
    "lowerAscii": _lower,
    "upperAscii": _upper,
    "format": _format,
}
"""The methods of strings, and of lists of strings."""
