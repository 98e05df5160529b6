"""The macros that look at every item of a list or map, with one variable or two.

Sources: https://github.com/google/cel-spec/blob/master/doc/langdef.md#macros and
https://pkg.go.dev/github.com/google/cel-go/ext#TwoVarComprehensions
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from kubeanswers.cel.lists import sort
from kubeanswers.cel.operators import order
from kubeanswers.cel.syntax import Call, Name, Node
from kubeanswers.cel.values import CelError, truthy

Run = Callable[[Node, Mapping[str, Any]], Any]
"""Evaluates a node with the given variables."""

MACROS: Final[Mapping[str, tuple[int, ...]]] = {
    **dict.fromkeys(("all", "exists", "exists_one", "existsOne"), (2, 3)),
    "map": (2, 3),
    "filter": (2,),
    "sortBy": (2,),
    "optMap": (2,),
    "optFlatMap": (2,),
    "transformList": (3, 4),
    "transformMap": (3, 4),
    "transformMapEntry": (3, 4),
}
"""How many arguments each macro takes; with any other number it is an ordinary call, of nothing."""


def quantify(run: Run, node: Call, scope: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one answer per macro
    """Return the value of ``range.macro(variables..., expressions...)``."""
    assert node.target is not None  # noqa: S101 - the parser gives every macro its range
    target = run(node.target, scope)
    if node.function == "sortBy" and not isinstance(target, list):
        raise CelError("no such overload")
    two = _takes_two(node)
    names = [simple_name(item) for item in node.arguments[: 2 if two else 1]]
    bodies = node.arguments[len(names) :]
    scopes = [{**scope, **dict(zip(names, values, strict=True))} for values in _rounds(target, two=two)]
    match node.function:
        case "all" | "exists":
            return _any_or_all(run, bodies[0], scopes, decisive=node.function == "exists")
        case "exists_one" | "existsOne":
            return sum(truthy(run(bodies[0], each)) for each in scopes) == 1
        case "filter":
            return [each[names[0]] for each in scopes if truthy(run(bodies[0], each))]
        case "map" | "transformList":
            return [run(bodies[-1], each) for each in _kept(run, bodies, scopes)]
        case "transformMap":
            return {each[names[0]]: run(bodies[-1], each) for each in _kept(run, bodies, scopes)}
        case "transformMapEntry":
            return _entries(run, bodies, scopes)
    return _sorted_by(run, bodies[0], names[0], scopes)


def _takes_two(node: Call) -> bool:
    if node.function.startswith("transform"):
        return True
    return node.function in ("all", "exists", "exists_one", "existsOne") and len(node.arguments) == 3


def _rounds(target: Any, *, two: bool) -> Iterator[tuple[Any, ...]]:
    if isinstance(target, Mapping):
        yield from target.items() if two else ((key,) for key in target)
    elif isinstance(target, list):
        yield from enumerate(target) if two else ((item,) for item in target)
    else:
        raise CelError("no such overload")


def _any_or_all(run: Run, body: Node, scopes: list[dict[str, Any]], *, decisive: bool) -> bool:
    failed: CelError | None = None
    for each in scopes:
        try:
            if truthy(run(body, each)) is decisive:
                return decisive
        except CelError as error:
            failed = failed or error
    if failed:
        raise failed
    return not decisive


def _kept(run: Run, bodies: tuple[Node, ...], scopes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in scopes:
        if len(bodies) == 1 or truthy(run(bodies[0], each)):
            yield each


def _entries(run: Run, bodies: tuple[Node, ...], scopes: list[dict[str, Any]]) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    for each in _kept(run, bodies, scopes):
        entry = run(bodies[-1], each)
        if not isinstance(entry, Mapping):
            raise CelError("no such overload")
        for key, value in entry.items():
            if key in made:
                raise CelError(f"insert failed: key {key} already exists")
            made[key] = value
    return made


def _by_first(left: tuple[Any, Any], right: tuple[Any, Any]) -> int:
    return order(left[0], right[0])


def _sorted_by(run: Run, body: Node, name: str, scopes: list[dict[str, Any]]) -> list[Any]:
    pairs: list[tuple[Any, Any]] = [(run(body, each), each[name]) for each in scopes]
    sort([key for key, _ in pairs])  # raises where the keys cannot be compared
    return [item for _, item in sorted(pairs, key=functools.cmp_to_key(_by_first))]


def simple_name(node: Node) -> str:
    """Return the name a node is; raises :class:`CelError` where it is more."""
    if not isinstance(node, Name):
        raise CelError("argument must be a simple name")
    return node.name
