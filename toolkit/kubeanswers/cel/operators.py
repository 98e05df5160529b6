"""CEL's operators and conversions, with its overflow, cross-type comparison and rounding rules.

Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from kubeanswers.cel.syntax import Unsigned
from kubeanswers.cel.times import moment, parse_duration, parse_timestamp, print_duration, print_timestamp
from kubeanswers.cel.values import (
    INT_MAX,
    INT_MIN,
    UINT_MAX,
    CelError,
    CelUndecidedError,
    Duration,
    Timestamp,
    TypeValue,
    checked_int,
    checked_uint,
    comparable_numbers,
    equal,
    get_key,
    has_key,
    is_number,
    type_name,
)
from kubeanswers.scalars import whole_number

_Time = TypeVar("_Time", Duration, Timestamp)
_OVERLOAD: Final = "no such overload"
_LONGEST: Final = 1_000_000


def _whole(value: int, like: object) -> int:
    return checked_uint(value) if isinstance(like, Unsigned) else checked_int(value)


def add(left: Any, right: Any) -> Any:
    """Return the sum, the joined text, bytes or list, or the moved moment."""
    if type(left) is type(right):
        if isinstance(left, int) and not isinstance(left, bool):
            return _whole(int(left) + int(right), left)
        if isinstance(left, float):
            return left + right
        if isinstance(left, str | bytes | list):
            if len(left) + len(right) > _LONGEST:
                raise CelUndecidedError("the expression makes a value of more than a million parts")
            return left + right
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(checked_int(left.ns + right.ns))
    if isinstance(left, Timestamp) and isinstance(right, Duration):
        return moment(left.ns + right.ns, left.zone)
    if isinstance(left, Duration) and isinstance(right, Timestamp):
        return moment(left.ns + right.ns, right.zone)
    raise CelError(_OVERLOAD)


def subtract(left: Any, right: Any) -> Any:
    """Return the difference."""
    if type(left) is type(right):
        if isinstance(left, int) and not isinstance(left, bool):
            return _whole(int(left) - int(right), left)
        if isinstance(left, float):
            return left - right
        if isinstance(left, Duration | Timestamp):
            return Duration(checked_int(left.ns - right.ns))
    if isinstance(left, Timestamp) and isinstance(right, Duration):
        return moment(left.ns - right.ns, left.zone)
    raise CelError(_OVERLOAD)


def multiply(left: Any, right: Any) -> Any:
    """Return the product."""
    if type(left) is type(right) and is_number(left):
        return left * right if isinstance(left, float) else _whole(int(left) * int(right), left)
    raise CelError(_OVERLOAD)


def divide(left: Any, right: Any) -> Any:
    """Return the quotient; whole numbers are cut towards zero."""
    if type(left) is not type(right) or not is_number(left):
        raise CelError(_OVERLOAD)
    if isinstance(left, float):
        if right == 0.0:
            return (
                math.nan if left == 0.0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
            )
        return left / right
    if right == 0:
        raise CelError("division by zero")
    quotient = abs(int(left)) // abs(int(right))
    return _whole(quotient if (left < 0) == (right < 0) else -quotient, left)


def modulo(left: Any, right: Any) -> Any:
    """Return the remainder, with the sign of the dividend."""
    if type(left) is not type(right) or not isinstance(left, int) or isinstance(left, bool):
        raise CelError(_OVERLOAD)
    if right == 0:
        raise CelError("modulus by zero")
    remainder = abs(int(left)) % abs(int(right))
    return _whole(-remainder if left < 0 else remainder, left)


def negate(value: Any) -> Any:
    """Return the negative of a number or duration."""
    if isinstance(value, float):
        return -value
    if isinstance(value, int) and not isinstance(value, bool | Unsigned):
        return checked_int(-value)
    if isinstance(value, Duration):
        return Duration(checked_int(-value.ns))
    raise CelError(_OVERLOAD)


def order(left: Any, right: Any) -> int:
    """Return -1, 0 or 1; 2 where one side is not a number at all.

    Raises:
        CelError: the two cannot be compared.
    """
    comparable = (is_number(left) and is_number(right)) or (
        type(left) is type(right) and isinstance(left, bool | str | bytes | Duration | Timestamp)
    )
    if not comparable:
        raise CelError(_OVERLOAD)
    left, right = comparable_numbers(left, right)
    if left != left or right != right:  # noqa: PLR0124 - not a number is the one value unequal to itself
        return 2
    return int(left > right) - int(left < right)


def contains(item: Any, container: Any) -> bool:
    """Return whether a list holds the item or a map the key."""
    if isinstance(container, list):
        return any(equal(item, other) for other in container)
    if isinstance(container, Mapping):
        return has_key(container, item)
    raise CelError(_OVERLOAD)


def index(container: Any, key: Any) -> Any:
    """Return the item of a list or map."""
    if isinstance(container, Mapping):
        return get_key(container, key)
    if isinstance(container, list):
        if isinstance(key, float) and key.is_integer():
            key = int(key)
        if not isinstance(key, int) or isinstance(key, bool):
            raise CelError(_OVERLOAD)
        if not 0 <= key < len(container):
            raise CelError(f"index out of bounds: {key}")
        return container[key]
    raise CelError(_OVERLOAD)


def size(value: Any) -> int:
    """Return the number of characters, bytes, items or entries."""
    if isinstance(value, str | bytes | list | Mapping):
        return len(value)
    raise CelError(_OVERLOAD)


def _bad(value: Any, wanted: str) -> CelError:
    return CelError(f"type conversion error from '{type_name(value)}' to '{wanted}'")


def to_int(value: Any) -> int:
    """Return the value as int."""
    if isinstance(value, bool):
        raise CelError(_OVERLOAD)
    if isinstance(value, int):
        return checked_int(int(value))
    if isinstance(value, float):
        if math.isnan(value) or not INT_MIN < value < INT_MAX:
            raise CelError("integer overflow")
        return int(value)
    if isinstance(value, Timestamp):
        return value.ns // 10**9
    if isinstance(value, Duration):
        return value.ns
    if isinstance(value, str):
        size = whole_number(value[1:] if value.startswith(("+", "-")) else value)
        number = size if size is None or not value.startswith("-") else -size
        if number is None or not INT_MIN <= number <= INT_MAX:
            raise _bad(value, "int")
        return number
    raise CelError(_OVERLOAD)


def to_uint(value: Any) -> Unsigned:
    """Return the value as uint."""
    if isinstance(value, bool):
        raise CelError(_OVERLOAD)
    if isinstance(value, int):
        return checked_uint(int(value))
    if isinstance(value, float):
        if math.isnan(value) or not 0 <= value < UINT_MAX:
            raise CelError("unsigned integer overflow")
        return Unsigned(int(value))
    if isinstance(value, str):
        number = whole_number(value, most=UINT_MAX)
        if number is None:
            raise _bad(value, "uint")
        return Unsigned(number)
    raise CelError(_OVERLOAD)


def to_double(value: Any) -> float:
    """Return the value as double."""
    if is_number(value):
        return float(value)
    if isinstance(value, str):
        plain = value.isascii() and "_" not in value and value == value.strip()
        try:
            return float(value) if plain else _raise(_bad(value, "double"))
        except ValueError:
            raise _bad(value, "double") from None
    raise CelError(_OVERLOAD)


def _raise(error: CelError) -> float:
    raise error


def to_string(value: Any) -> str:  # noqa: PLR0911 - one answer per type
    """Return the value as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return print_double(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None
    if isinstance(value, Duration):
        return print_duration(value)
    if isinstance(value, Timestamp):
        return print_timestamp(value)
    text = getattr(value, "cel_text", None)
    if text is not None:
        return str(text())
    raise CelError(_OVERLOAD)


def print_double(value: float) -> str:
    """Return a double the way Go's shortest %g prints it."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    sign, figures, power = Decimal(repr(value)).normalize().as_tuple()
    exponent = len(figures) + int(power) - 1 if value else 0
    if -5 < exponent < 6:
        return f"{'-' if sign else ''}{abs(Decimal(repr(value)).normalize()):f}"
    digits = "".join(map(str, figures))
    mantissa = f"{digits[0]}.{digits[1:]}".rstrip(".")
    return f"{'-' if sign else ''}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def to_bytes(value: Any) -> bytes:
    """Return text as bytes."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    raise CelError(_OVERLOAD)


_BOOLS: Final = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


def to_bool(value: Any) -> bool:
    """Return the value as bool."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value not in _BOOLS:
            raise _bad(value, "bool")
        return _BOOLS[value]
    raise CelError(_OVERLOAD)


def to_duration(value: Any) -> Duration:
    """Return the value as duration."""
    return _of_time(value, Duration, parse_duration, Duration)


def to_timestamp(value: Any) -> Timestamp:
    """Return the value as timestamp."""
    return _of_time(value, Timestamp, parse_timestamp, lambda seconds: moment(seconds * 10**9))


def _of_time(
    value: Any, kind: type[_Time], parse: Callable[[str], _Time | None], of_number: Callable[[int], _Time]
) -> _Time:
    """Return text, a number or a value of time as a kind of time."""
    if isinstance(value, kind):
        return value
    if isinstance(value, str):
        found = parse(value)
        if found is None:
            raise _bad(value, f"google.protobuf.{kind.__name__}")
        return found
    if isinstance(value, int) and not isinstance(value, bool):
        return of_number(int(value))
    raise CelError(_OVERLOAD)


def to_type(value: Any) -> TypeValue:
    """Return the value's type."""
    return TypeValue(type_name(value))


CONVERSIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "int": to_int,
    "uint": to_uint,
    "double": to_double,
    "string": to_string,
    "bytes": to_bytes,
    "bool": to_bool,
    "duration": to_duration,
    "timestamp": to_timestamp,
    "dyn": lambda value: value,
    "type": to_type,
    "size": size,
}
"""Functions of one argument that every environment has."""

BINARY: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "in": contains,
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": lambda left, right: order(left, right) == -1,
    "<=": lambda left, right: order(left, right) in (-1, 0),
    ">": lambda left, right: order(left, right) == 1,
    ">=": lambda left, right: order(left, right) in (0, 1),
}
"""The strict binary operators."""
