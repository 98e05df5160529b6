"""Evaluation of a CEL syntax tree.

``&&``, ``||`` and the quantifiers absorb errors the way the specification says; everything else is strict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from kubeanswers.cel.declarations import FUNCTIONS as DECLARED
from kubeanswers.cel.declarations import TYPE_NAMES
from kubeanswers.cel.kubernetes import KUBERNETES_FUNCTIONS, KUBERNETES_METHODS
from kubeanswers.cel.lists import LIST_FUNCTIONS, LIST_METHODS
from kubeanswers.cel.macros import MACROS, quantify, simple_name
from kubeanswers.cel.operators import BINARY, CONVERSIONS, index, negate, size
from kubeanswers.cel.syntax import Call, Index, ListOf, Literal, MapOf, Name, Node, Select, Unsigned, dotted
from kubeanswers.cel.text import TEXT_METHODS, matches, quote
from kubeanswers.cel.times import TIME_METHODS
from kubeanswers.cel.values import (
    NONE,
    CelCostError,
    CelError,
    CelUndecidedError,
    Duration,
    Optional,
    Timestamp,
    TypeValue,
    checked_int,
    get_key,
    has_key,
    is_zero,
    key_of,
    some,
    truthy,
    type_name,
)

Scope = Mapping[str, Any]
"""Variables by name; a callable value is computed when it is first used."""

_OPTIONALS: Final[Mapping[str, Callable[..., Any]]] = {
    "optional.of": some,
    "optional.none": lambda: NONE,
    "optional.ofNonZeroValue": lambda value: NONE if is_zero(value) else some(value),
    "optional.unwrap": lambda items: [item.value for item in items if item.present],
}
FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    **CONVERSIONS,
    **KUBERNETES_FUNCTIONS,
    **LIST_FUNCTIONS,
    **_OPTIONALS,
    "matches": matches,
    "strings.quote": quote,
}
"""Every function by full name."""

_MAX_COST: Final = 1_000_000
"""What one expression may cost (https://kubernetes.io/docs/reference/using-api/cel/#runtime-cost-budget)."""

_MAX_STEPS: Final = 5_000_000


_COSTS: Final = frozenset({Name, Select, Index})


class Interpreter:
    """Evaluates trees with a budget, so that no expression runs forever.

    Attributes:
        steps: how many nodes have been evaluated.
        cost: the least the API server would reckon it has cost so far: names and selections, 1 each.
    """

    def __init__(self) -> None:
        self.steps = self.cost = 0

    def run(self, node: Node, scope: Scope) -> Any:  # noqa: PLR0911 - one answer per kind of node
        """Return the value of a node.

        Raises:
            CelError: the evaluation fails.
            CelCostError: it costs more than the API server grants.
            CelUndecidedError: something in it is not known here.
        """
        self.steps += 1
        self.cost += type(node) in _COSTS
        if self.cost > _MAX_COST:
            raise CelCostError("operation cancelled: actual cost limit exceeded")
        if self.steps > _MAX_STEPS:
            raise CelUndecidedError(f"the expression takes more than {_MAX_STEPS} steps")
        match node:
            case Literal(value=value):
                return checked_int(value) if type(value) is int else value
            case Name(name=name):
                return self._name(name, scope)
            case Select():
                return self._select(node, scope)
            case Index():
                return self._index(node, scope)
            case ListOf():
                return list(self._listed(node, scope))
            case MapOf():
                return self._mapped(node, scope)
        return self._call(node, scope)

    def _name(self, name: str, scope: Scope) -> Any:
        if name in scope:
            value = scope[name]
            return value() if callable(value) else value
        if name in TYPE_NAMES:
            return TypeValue(name)
        raise CelError(f"undeclared reference to '{name}'")

    def _select(self, node: Select, scope: Scope) -> Any:
        full = dotted(node)
        if full in TYPE_NAMES and full.partition(".")[0] not in scope:
            return TypeValue(full)
        holder = self.run(node.operand, scope)
        if isinstance(holder, Optional):
            return self._field(holder.value, node.field) if holder.present else NONE
        if node.optional:
            return self._field(holder, node.field)
        value = self._plain_field(holder, node.field)
        return value() if callable(value) else value

    @staticmethod
    def _plain_field(holder: Any, field: str) -> Any:
        if isinstance(holder, Mapping):
            return get_key(holder, field)
        getter = getattr(holder, "cel_field", None)
        if getter is not None:
            return getter(field)
        raise CelError("no such overload")

    def _field(self, holder: Any, field: str) -> Optional:
        if isinstance(holder, Mapping):
            return some(holder[field]) if has_key(holder, field) else NONE
        raise CelError("no such overload")

    def _index(self, node: Index, scope: Scope) -> Any:
        holder, key = self.run(node.operand, scope), self.run(node.key, scope)
        if isinstance(holder, Optional) or node.optional:
            inner = holder if isinstance(holder, Optional) else some(holder)
            if not inner.present:
                return NONE
            if isinstance(inner.value, Mapping):
                return some(get_key(inner.value, key)) if has_key(inner.value, key) else NONE
            try:
                return some(index(inner.value, key))
            except CelError as error:
                if "out of bounds" in str(error):
                    return NONE
                raise
        return index(holder, key)

    def _listed(self, node: ListOf, scope: Scope) -> Iterator[Any]:
        for item, optional in node.items:
            value = self.run(item, scope)
            if not optional:
                yield value
            elif isinstance(value, Optional):
                if value.present:
                    yield value.value
            else:
                raise CelError("no such overload")

    def _mapped(self, node: MapOf, scope: Scope) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key_node, value_node, optional in node.entries:
            key, value = self.run(key_node, scope), self.run(value_node, scope)
            if optional:
                if not isinstance(value, Optional):
                    raise CelError("no such overload")
                if not value.present:
                    continue
                value = value.value
            if has_key(made, key_of(key)):
                raise CelError(f"insert failed: key {key} already exists")
            made[key] = value
        return made

    def _call(self, node: Call, scope: Scope) -> Any:
        if node.target is None:
            return self._operator(node, scope)
        name = node.function
        special = self._special(name, len(node.arguments))
        if special is not None:
            return special(node, scope)
        full = f"{dotted(node.target)}.{name}"
        if full in FUNCTIONS:
            return self._apply(full, [self.run(item, scope) for item in node.arguments])
        target = self.run(node.target, scope)
        return self._method(name, target, [self.run(item, scope) for item in node.arguments])

    def _special(self, name: str, count: int) -> Callable[[Call, Scope], Any] | None:
        """Return how a macro is evaluated; None for an ordinary method."""
        if count in MACROS.get(name, ()):
            return self._opt_map if name.startswith("opt") else self._quantifier
        return self._or if name in ("or", "orValue") and count == 1 else None

    def _operator(self, node: Call, scope: Scope) -> Any:  # noqa: PLR0911 - one answer per operator
        name, arguments = node.function, node.arguments
        if name in BINARY:
            return BINARY[name](self.run(arguments[0], scope), self.run(arguments[1], scope))
        match name:
            case "&&" | "||":
                return self._logical(node, scope)
            case "?:":
                return self.run(arguments[1 if truthy(self.run(arguments[0], scope)) else 2], scope)
            case "!":
                return not truthy(self.run(arguments[0], scope))
            case "-_":
                return negate(self.run(arguments[0], scope))
            case "has":
                return self._has(arguments, scope)
        return self._apply(name, [self.run(item, scope) for item in arguments])

    def _logical(self, node: Call, scope: Scope) -> bool:
        decisive = node.function == "||"
        failed: CelError | None = None
        for item in node.arguments:
            try:
                if truthy(self.run(item, scope)) is decisive:
                    return decisive
            except CelError as error:
                failed = failed or error
        if failed:
            raise failed
        return not decisive

    def _has(self, arguments: tuple[Node, ...], scope: Scope) -> bool:
        if len(arguments) != 1 or not isinstance(arguments[0], Select):
            raise CelError("invalid argument to has() macro")
        chosen = arguments[0]
        holder = self.run(chosen.operand, scope)
        if isinstance(holder, Optional) or chosen.optional:
            inner = holder if isinstance(holder, Optional) else some(holder)
            return inner.present and self._field(inner.value, chosen.field).present
        if isinstance(holder, Mapping):
            return has_key(holder, chosen.field)
        raise CelError("no such overload")

    def _apply(self, name: str, arguments: list[Any]) -> Any:
        function = FUNCTIONS.get(name)
        if function is None:
            raise CelUndecidedError(f"the function {name} is not known here")
        return _called(function, arguments)

    def _method(self, name: str, target: Any, arguments: list[Any]) -> Any:
        own = _method_of(target, name)
        if own is not None:
            if isinstance(target, str) and any(isinstance(item, bool | Unsigned) for item in arguments):
                raise CelError("no such overload")  # to Python they are whole numbers too
            return _called(own, [target, *arguments])
        caller = getattr(target, "cel_call", None)
        if caller is not None:
            return caller(name, arguments)
        if isinstance(target, Optional):
            return _of_optional(name, target)
        if name in DECLARED or f".{name}" in DECLARED or name in MACROS:
            raise CelError("no such overload")
        raise CelUndecidedError(f"the function {name} of {type_name(target)} is not known here")

    def _or(self, node: Call, scope: Scope) -> Any:
        target = self.run(node.target, scope) if node.target else None
        if not isinstance(target, Optional):
            raise CelError("no such overload")
        if target.present:
            return target if node.function == "or" else target.value
        return self.run(node.arguments[0], scope)

    def _opt_map(self, node: Call, scope: Scope) -> Any:
        target = self.run(node.target, scope) if node.target else None
        if not isinstance(target, Optional):
            raise CelError("no such overload")
        if not target.present:
            return NONE
        made = self.run(node.arguments[1], {**scope, simple_name(node.arguments[0]): target.value})
        return made if node.function == "optFlatMap" else some(made)

    def _quantifier(self, node: Call, scope: Scope) -> Any:
        return quantify(self.run, node, scope)


def _method_of(target: Any, name: str) -> Callable[..., Any] | None:
    """Return the library's function for a method of a value; None where the value answers itself, or nobody does."""
    own = KUBERNETES_METHODS.get(type(target), {}).get(name)
    if own is not None or hasattr(target, "cel_call") or isinstance(target, Optional):
        return own
    if name == "size":
        return size
    if isinstance(target, Duration | Timestamp):
        return TIME_METHODS.get(name)
    return LIST_METHODS.get(name, TEXT_METHODS.get(name)) if isinstance(target, list) else TEXT_METHODS.get(name)


def _called(function: Callable[..., Any], arguments: list[Any]) -> Any:
    """Call a library function; wrong number or kind of arguments is CEL's "no such overload"."""
    try:
        return function(*arguments)
    except (TypeError, AttributeError):
        raise CelError("no such overload") from None


def _of_optional(name: str, target: Optional) -> Any:
    if name == "hasValue":
        return target.present
    if name == "value":
        if not target.present:
            raise CelError("optional.none() dereference")
        return target.value
    raise CelError("no such overload")
