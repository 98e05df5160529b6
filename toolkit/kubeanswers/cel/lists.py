"""List and set functions of CEL's extensions and of Kubernetes' library.

Sources: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library and
https://pkg.go.dev/github.com/google/cel-go/ext (Lists, Sets).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any, Final

from kubeanswers.cel.operators import add, order
from kubeanswers.cel.values import NONE, CelError, CelUndecidedError, Duration, Optional, equal, some


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise CelError("no such overload")
    return value


def is_sorted(value: Any) -> bool:
    """Return whether no item is greater than the one after it."""
    items = _items(value)
    return all(order(a, b) <= 0 for a, b in itertools.pairwise(items))


def total(value: Any) -> Any:
    """Return the sum of numbers or durations; an empty list sums to 0."""
    items = _items(value)
    if not items:
        return 0
    if not isinstance(items[0], int | float | Duration) or isinstance(items[0], bool):
        raise CelError("no such overload")
    return functools.reduce(add, items)


def _extreme(name: str, sign: int) -> Callable[[Any], Any]:
    def pick(value: Any) -> Any:
        items = _items(value)
        if not items:
            raise CelError(f"{name} called on empty list")
        best = items[0]
        for item in items[1:]:
            if order(item, best) == sign:
                best = item
        return best

    return pick


def _flatten(value: Any, depth: int = 1) -> list[Any]:
    if depth < 0:
        raise CelError("level must be non-negative")
    made: list[Any] = []
    for item in _items(value):
        if isinstance(item, list) and depth > 0:
            made.extend(_flatten(item, depth - 1))
        else:
            made.append(item)
    return made


def _slice(value: Any, start: int, end: int) -> list[Any]:
    items = _items(value)
    if not 0 <= start <= end <= len(items):
        raise CelError("cannot slice: index out of range")
    return items[start:end]


def sort(value: Any) -> list[Any]:
    """Return the items in ascending order."""
    return sorted(_items(value), key=functools.cmp_to_key(order))


def _distinct(value: Any) -> list[Any]:
    made: list[Any] = []
    for item in _items(value):
        if not any(equal(item, other) for other in made):
            made.append(item)
    return made


def _within(part: Any, whole: Any) -> bool:
    return all(any(equal(item, other) for other in _items(whole)) for item in _items(part))


def _end(place: int) -> Callable[[Any], Optional]:
    return lambda value: some(_items(value)[place]) if _items(value) else NONE


def _range(count: Any) -> list[int]:
    if isinstance(count, bool) or type(count) is not int:
        raise CelError("no such overload")
    if count > _LONGEST:
        raise CelUndecidedError(f"a list of {count} numbers is not made here")
    return list(range(count))


_LONGEST: Final = 1_000_000
LIST_METHODS: Final[Mapping[str, Callable[..., Any]]] = {
    "isSorted": is_sorted,
    "sum": total,
    "min": _extreme("min", -1),
    "max": _extreme("max", 1),
    "flatten": _flatten,
    "slice": _slice,
    "sort": sort,
    "distinct": _distinct,
    "reverse": lambda value: _items(value)[::-1],
    "first": _end(0),
    "last": _end(-1),
}
"""Methods of lists."""

LIST_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "lists.range": _range,
    "sets.contains": lambda whole, part: _within(part, whole),
    "sets.equivalent": lambda left, right: _within(left, right) and _within(right, left),
    "sets.intersects": lambda left, right: any(any(equal(a, b) for b in _items(right)) for a in _items(left)),
}
"""Functions by full name."""
