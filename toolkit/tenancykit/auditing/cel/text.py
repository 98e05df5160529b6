"""The string and regular-expression functions of CEL and of Kubernetes' extension library.

Sources: https://pkg.go.dev/github.com/google/cel-go/ext#Strings and
https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tenancykit.auditing.cel.operators import to_string
from tenancykit.auditing.cel.values import CelError, CelUndecidedError, Duration, Timestamp, equal, type_name


def _needs_text(*values: Any) -> None:
    if not all(isinstance(value, str) for value in values):
        raise CelError("no such overload")


_CLASSES: Final = {
    "[:alpha:]": "a-zA-Z",
    "[:digit:]": "0-9",
    "[:alnum:]": "a-zA-Z0-9",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
}


@functools.lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return an RE2 pattern as a Python one.

    Raises:
        CelError: the pattern is wrong.
        CelUndecidedError: it uses something that means something else in Python.
    """
    made, inside, place = [], False, 0
    for name, members in _CLASSES.items():
        pattern = pattern.replace(name, members)
    while place < len(pattern):
        sign = pattern[place]
        if sign == "\\":
            following = pattern[place + 1 : place + 2]
            if following in ("p", "P", "Q", "C"):
                raise CelUndecidedError(f"the regular expression uses \\{following}, which Python reads differently")
            made.append("\\Z" if following == "z" else sign + following)
            place += 2
            continue
        if sign == "[" and not inside:
            inside = True
        elif sign == "]" and inside:
            inside = False
        made.append("\\Z" if sign == "$" and not inside and "(?m" not in pattern else sign)
        place += 1
    try:
        return re.compile("".join(made), re.ASCII)
    except re.error as error:
        raise CelError(f"error parsing regexp: {error}") from None


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


def _reverse(value: Any) -> Any:
    if isinstance(value, list | str):
        return value[::-1]
    raise CelError("no such overload")


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


_CLAUSE: Final = re.compile(r"%(?:\.(\d+))?([sdfeboxX%])")


def _format(pattern: Any, arguments: Any) -> str:
    if not isinstance(pattern, str) or not isinstance(arguments, list):
        raise CelError("no such overload")
    values = iter(arguments)

    def clause(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        try:
            return _printed(next(values), match[2], int(match[1]) if match[1] else 6)
        except StopIteration:
            raise CelError("index out of range in format arguments") from None

    return _CLAUSE.sub(clause, pattern)


def _printed(value: Any, verb: str, digits: int) -> str:
    if verb == "s":
        return _shown(value)
    if isinstance(value, bool) and verb == "b":
        return str(int(value))
    if verb in "xX" and isinstance(value, str | bytes):
        text = (value.encode() if isinstance(value, str) else value).hex()
        return text.upper() if verb == "X" else text
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CelError(f"error during formatting: {verb} does not fit a {type_name(value)}")
    if verb in "fe":
        return format(float(value), f".{digits}{verb}")
    if isinstance(value, float):
        raise CelError("error during formatting: an integer is expected")
    return format(int(value), verb)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_shown(key)}: {_shown(value[key])}" for key in sorted(value, key=str)) + "}"
    if isinstance(value, str | Duration | Timestamp):
        return to_string(value)
    return to_string(value)


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
    "reverse": _reverse,
    "format": _format,
}
"""The methods of strings, and of lists of strings."""
