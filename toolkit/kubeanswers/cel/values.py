"""The values of CEL: Python's own where they fit, and the few kinds Python has no word for.

int, float, str, bytes, bool, None, list and dict stand for themselves; ``Unsigned`` is CEL's uint.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from kubeanswers.cel.syntax import Unsigned
from kubeanswers.records import dataclass

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1
UINT_MAX: Final = 2**64 - 1


class CelError(Exception):
    """The expression fails while it is evaluated; ``&&`` and ``||`` may absorb it."""


class CelCostError(Exception):
    """The expression costs more than the API server grants it; nothing in it absorbs that."""


class CelUndecidedError(Exception):
    """The expression uses something this evaluator does not know; its answer is never guessed."""


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value, as ``type(x)`` returns it."""

    name: str

    def cel_text(self) -> str:
        """Return the type's name."""
        return self.name


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time in nanoseconds."""

    ns: int


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A moment, in nanoseconds since 1970-01-01T00:00:00Z.

    Attributes:
        ns: the moment.
        zone: minutes east of Greenwich of the clock it is printed by.
    """

    ns: int
    zone: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be absent."""

    present: bool
    value: Any = None


NONE: Final = Optional(False)  # noqa: FBT003 - the one absent value


def some(value: Any) -> Optional:
    """Return the value as a present optional."""
    return Optional(True, value)  # noqa: FBT003 - reads as what it is


_TYPE_NAMES: Final[Mapping[type, str]] = {
    bool: "bool",
    Unsigned: "uint",
    int: "int",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    type(None): "null_type",
    TypeValue: "type",
    Duration: "google.protobuf.Duration",
    Timestamp: "google.protobuf.Timestamp",
    Optional: "optional_type",
}


def type_name(value: object) -> str:
    """Return the name CEL has for a value's type."""
    found = _TYPE_NAMES.get(type(value))
    if found:
        return found
    return "map" if isinstance(value, Mapping) else str(getattr(value, "type_name", type(value).__name__))


def is_number(value: object) -> bool:
    """Return whether the value is an int, uint or double."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def comparable_numbers(left: Any, right: Any) -> tuple[Any, Any]:
    """Return two values as they are compared: a whole number beside a double is a double, or far beyond its reach."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, float) and is_number(other) and not isinstance(other, float):
            return (float(left), float(right))
    return left, right


def equal(left: object, right: object) -> bool:
    """Return CEL equality: numbers across their types, everything else only within its own."""
    if is_number(left) and is_number(right):
        one, other = comparable_numbers(left, right)
        return bool(one == other)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return len(left) == len(right) and all(
            has_key(right, key) and equal(value, get_key(right, key)) for key, value in left.items()
        )
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(equal(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, Optional) and isinstance(right, Optional):
        return left.present == right.present and (not left.present or equal(left.value, right.value))
    return type(left) is type(right) and left == right


def key_of(value: Any) -> Any:
    """Return the value if a map may have it as a key.

    Raises:
        CelError: it may not.
    """
    if not isinstance(value, bool | int | str):
        raise CelError(f"unsupported key type: {type_name(value)}")
    return value


def has_key(data: Mapping[Any, Any], key: object) -> bool:
    """Return whether a map has the key, not taking true for 1."""
    if isinstance(key, bool):
        return any(item is key for item in data)
    return (
        isinstance(key, int | float | str)
        and key in data
        and not (is_number(key) and any(isinstance(k, bool) and k == key for k in data))
    )


def get_key(data: Mapping[Any, Any], key: Any) -> Any:
    """Return the value of a key.

    Raises:
        CelError: the key is not there.
    """
    if not has_key(data, key):
        raise CelError(f"no such key: {text_of_key(key)}")
    return data[key]


def text_of_key(key: object) -> str:
    """Return a key as the API server prints it in errors."""
    return key if isinstance(key, str) else str(key)


def checked_int(value: int) -> int:
    """Return the value if an int holds it.

    Raises:
        CelError: it overflows.
    """
    if not INT_MIN <= value <= INT_MAX:
        raise CelError("integer overflow")
    return value


def checked_uint(value: int) -> Unsigned:
    """Return the value as uint.

    Raises:
        CelError: it overflows.
    """
    if not 0 <= value <= UINT_MAX:
        raise CelError("unsigned integer overflow")
    return Unsigned(value)


def is_zero(value: object) -> bool:
    """Return whether a value is its type's zero, as ``optional.ofNonZeroValue`` means it."""
    if isinstance(value, Optional):
        return not value.present
    if isinstance(value, Duration | Timestamp):
        return value.ns == 0
    if isinstance(value, float) and math.isnan(value):
        return False
    return not value


def truthy(value: object) -> bool:
    """Return a boolean.

    Raises:
        CelError: the value is none.
    """
    if not isinstance(value, bool):
        raise CelError("no such overload")
    return value
