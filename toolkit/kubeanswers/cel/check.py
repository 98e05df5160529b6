"""What can be said of an expression without evaluating it: does it name known things, and what type has it?

Follows the checks the API server makes before it takes a policy: types are unified over the overloads of every function
(objects and parameters are ``dyn``), lists and maps written out hold one type, literal durations, timestamps, patterns
and format strings are well-formed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Final

from kubeanswers.cel.declarations import (
    AUTHORIZER,
    COMPARABLE,
    FUNCTIONS,
    RESOURCE_CHECK,
    STRUCTURES,
    TYPE_NAMES,
)
from kubeanswers.cel.macros import MACROS
from kubeanswers.cel.operators import to_duration, to_timestamp
from kubeanswers.cel.patterns import compiled
from kubeanswers.cel.syntax import (
    Call,
    CelSyntaxError,
    Index,
    ListOf,
    Literal,
    MapOf,
    Name,
    Node,
    Select,
    dotted,
)
from kubeanswers.cel.text import format_clauses
from kubeanswers.cel.types import (
    BOOL,
    DYN,
    INT,
    NULL,
    TYPE,
    Type,
    Unifier,
    list_of,
    map_of,
    most_general,
    optional_of,
    replaced,
)
from kubeanswers.cel.values import CelError, CelUndecidedError, type_name
from kubeanswers.records import dataclass

_NO_FIELDS: Final = frozenset(
    {"bool", "int", "uint", "double", "string", "bytes", "list", "null", "type", "duration", "timestamp"}
)
_CLAUSES: Final[Mapping[str, frozenset[str]]] = {
    "s": _NO_FIELDS | {"map"},
    "d": frozenset({"int", "uint"}),
    "f": frozenset({"double", "string"}),
    "e": frozenset({"double", "string"}),
    "b": frozenset({"int", "uint", "bool"}),
    "x": frozenset({"int", "uint", "string", "bytes"}),
    "X": frozenset({"int", "uint", "string", "bytes"}),
    "o": frozenset({"int", "uint"}),
}
_CHECKS: Final[Mapping[str, Callable[[str], object]]] = {
    "duration": to_duration,
    "timestamp": to_timestamp,
    "matches": compiled,
}


@dataclass
class Checker:
    """The variables in scope, and what has been learnt of the types.

    Attributes:
        known: type of each variable.
        fields: fields of the objects whose fields are known, by the object's type.
    """

    known: Mapping[str, Type]
    fields: Mapping[str, Mapping[str, Type]] = field(default_factory=lambda: STRUCTURES)
    types: Unifier = field(default_factory=Unifier)
    _alike: list[tuple[Type, Type]] = field(default_factory=list)
    _formatting: int = 0

    def of(  # noqa: PLR0911 - one answer per kind of node
        self, node: Node, known: Mapping[str, Type] | None = None
    ) -> Type:
        """Return the type of an expression, type variables that mean nothing yet included.

        Raises:
            CelSyntaxError: it names something that is not declared, or a function gets a type it cannot take.
        """
        known = self.known if known is None else known
        match node:
            case Literal(value=value):
                return NULL if value is None else Type(type_name(value))
            case Name(name=name):
                return _named(name, known)
            case Select():
                return self._select(node, known)
            case Index():
                return self._called("[?]" if node.optional else "[]", (node.operand, node.key), known)
            case ListOf():
                return list_of(self._joined(((item, optional) for item, optional in node.items), known))
            case MapOf():
                keys = self._joined(((key, False) for key, _, _ in node.entries), known)
                return map_of(keys, self._joined(((value, opt) for _, value, opt in node.entries), known))
        return self._call(node, known)

    def _joined(self, items: Iterable[tuple[Node, bool]], known: Mapping[str, Type]) -> Type:
        found: Type | None = None
        for node, optional in items:
            kind = self.types.resolve(self.of(node, known))
            if optional and kind != DYN:
                if kind.name != "optional":
                    raise CelSyntaxError(f"expected type 'optional_type({kind})' but found '{kind}'")
                kind = kind.parameters[0]
            if found is not None:
                self._wants(found, kind)
                if not self._formatting:
                    self._alike.append((found, kind))
            found = kind if found is None else most_general(found, kind)
        return found if found is not None else self.types.fresh()

    def finish(self, kind: Type) -> Type:
        """Return the type with every variable settled.

        Raises:
            CelSyntaxError: a list or map written out turns out to mix types.
        """
        for one, other in self._alike:
            first, second = (self.types.resolve(item, open_to_dyn=True) for item in (one, other))
            if first != second:
                raise CelSyntaxError(f"expected type '{first}' but found '{second}'")
        return self.types.resolve(kind, open_to_dyn=True)

    def _select(self, node: Select, known: Mapping[str, Type]) -> Type:
        full = dotted(node)
        if full in TYPE_NAMES:
            return TYPE
        if full == "authorizer.requestResource" and known.get("authorizer") == AUTHORIZER:
            return RESOURCE_CHECK
        holder = self.types.resolve(self.of(node.operand, known))
        inner = holder.parameters[0] if holder.name == "optional" else holder
        found = self._field(inner, node.field)
        return optional_of(found) if node.optional or holder.name == "optional" else found

    def _field(self, holder: Type, name: str) -> Type:
        if holder.name == "map":
            return holder.parameters[1]
        if holder.name in self.fields:
            if name not in self.fields[holder.name]:
                raise CelSyntaxError(f"undefined field '{name}'")
            return self.fields[holder.name][name]
        if holder.name in _NO_FIELDS or "." in holder.name:
            raise CelSyntaxError(f"type '{holder}' does not support field selection")
        self.types.fits([DYN], [holder])
        return DYN

    def _call(self, node: Call, known: Mapping[str, Type]) -> Type:
        name, arguments = node.function, node.arguments
        if node.target is None:
            return self._function(name, arguments, known)
        if len(arguments) in MACROS.get(name, ()):
            return self._macro(node, node.target, known)
        full = dotted(node.target)
        self._formatting += name == "format"
        if full and f"{full}.{name}" in FUNCTIONS:
            kind = self._called(f"{full}.{name}", arguments, known)
        else:
            kind = self._called(f".{name}", (node.target, *arguments), known)
        self._literals(node, known)
        self._formatting -= name == "format"
        return kind

    def _function(self, name: str, arguments: tuple[Node, ...], known: Mapping[str, Type]) -> Type:
        if name in ("&&", "||"):
            for item in arguments:
                self._wants(BOOL, self.of(item, known))
            return BOOL
        if name == "has":
            if len(arguments) != 1 or not isinstance(arguments[0], Select) or arguments[0].optional:
                raise CelSyntaxError("invalid argument to has() macro")
            self._select(arguments[0], known)
            return BOOL
        kind = self._called(name, arguments, known)
        self._literals(Call(name, None, arguments), known)
        return kind

    def _called(self, name: str, arguments: Iterable[Node], known: Mapping[str, Type]) -> Type:
        given = [self.types.resolve(self.of(item, known)) for item in arguments]
        plain = name.removeprefix(".")
        if name not in FUNCTIONS and plain not in FUNCTIONS and f".{plain}" not in FUNCTIONS:
            raise CelSyntaxError(f"undeclared reference to '{plain}'")
        found: Type | None = None
        for overload in FUNCTIONS.get(name, ()):
            fresh = {f"${letter}": self.types.fresh() for letter in "AB"}
            if self.types.fits(given, [replaced(kind, fresh) for kind in overload.takes]):
                result = self.types.resolve(replaced(overload.returns, fresh))
                found = result if found in (None, result) else DYN
        if found is None:
            shown = ", ".join(str(self.types.resolve(kind, open_to_dyn=True)) for kind in given)
            raise CelSyntaxError(f"found no matching overload for '{plain}' applied to '({shown})'")
        return found

    def _wants(self, wanted: Type, kind: Type) -> None:
        if not self.types.fits([wanted], [kind]):
            raise CelSyntaxError(f"expected type '{wanted}' but found '{self.types.resolve(kind, open_to_dyn=True)}'")

    def _macro(self, node: Call, target: Node, known: Mapping[str, Type]) -> Type:
        name = node.function
        whole = self.types.resolve(self.of(target, known))
        if name in ("optMap", "optFlatMap"):
            return self._opt_map(node, whole, known)
        two = name.startswith("transform") or (name != "map" and len(node.arguments) == 3)
        names = [_variable(item) for item in node.arguments[: 2 if two else 1]]
        if len(set(names)) != len(names):
            raise CelSyntaxError(f"duplicate variable name: {names[0]}")
        inner = {**known, **dict(zip(names, self._ranged(whole, two=two), strict=True))}
        *conditions, last = [self.of(item, inner) for item in node.arguments[len(names) :]]
        if name in ("all", "exists", "exists_one", "existsOne", "filter"):
            conditions.append(last)
        for condition in conditions:
            self._wants(BOOL, condition)
        return self._made(name, whole, inner[names[0]], last)

    def _made(self, name: str, whole: Type, first: Type, last: Type) -> Type:
        match name:
            case "filter":
                return list_of(first)
            case "map" | "transformList":
                return list_of(last)
            case "transformMap":
                return map_of(first, last)
            case "transformMapEntry":
                self._wants(map_of(self.types.fresh(), self.types.fresh()), last)
                return last
            case "sortBy":
                self._wants(list_of(first), whole)
                if last != DYN and not last.variable and last.name not in COMPARABLE:
                    raise CelSyntaxError(f"found no matching overload for 'sortBy' applied to '({whole}, {last})'")
                return whole if whole.name == "list" else list_of(first)
        return BOOL

    def _ranged(self, whole: Type, *, two: bool) -> tuple[Type, ...]:
        """Return the types of the variables that go through a list or map."""
        if whole.name == "list":
            return (INT, whole.parameters[0]) if two else whole.parameters
        if whole.name == "map":
            return whole.parameters if two else whole.parameters[:1]
        if whole != DYN and not whole.variable:
            raise CelSyntaxError(f"expression of type '{whole}' cannot be range of a comprehension")
        self.types.fits([DYN], [whole])
        return (DYN, DYN) if two else (DYN,)

    def _opt_map(self, node: Call, whole: Type, known: Mapping[str, Type]) -> Type:
        held = self.types.fresh()
        self._wants(optional_of(held), whole)
        made = self.of(node.arguments[1], {**known, _variable(node.arguments[0]): self.types.resolve(held)})
        if node.function == "optMap":
            return optional_of(made)
        self._wants(optional_of(self.types.fresh()), made)
        return self.types.resolve(made)

    def _literals(self, node: Call, known: Mapping[str, Type]) -> None:
        """Check what a function is given literally: the API server finds such mistakes before it evaluates."""
        check = _CHECKS.get(node.function)
        last = node.arguments[-1] if node.arguments else None
        try:
            if check and isinstance(last, Literal) and isinstance(last.value, str):
                check(last.value)
            if node.function == "format" and isinstance(node.target, Literal) and isinstance(last, ListOf):
                self._clauses(node.target.value, [item for item, _ in last.items], known)
        except CelError as error:
            raise CelSyntaxError(str(error)) from None
        except CelUndecidedError:
            return  # the pattern may be right; whoever evaluates it is told

    def _clauses(self, pattern: str, items: list[Node], known: Mapping[str, Type]) -> None:
        clauses = format_clauses(pattern)
        if len(clauses) != len(items):
            raise CelSyntaxError(f"string.format expects {len(clauses)} arguments, got {len(items)}")
        for clause, item in zip(clauses, items, strict=True):
            kind = self.types.resolve(self.of(item, known), open_to_dyn=True)
            if kind != DYN and kind.name not in _CLAUSES[clause[-1]]:
                raise CelSyntaxError(f"error during formatting: {clause} does not fit '{kind}'")


def _named(name: str, known: Mapping[str, Type]) -> Type:
    if name in known:
        return known[name]
    if name in TYPE_NAMES:
        return TYPE
    raise CelSyntaxError(f"undeclared reference to '{name}'")


def _variable(node: Node) -> str:
    if not isinstance(node, Name):
        raise CelSyntaxError("argument must be a simple name")
    return node.name


def result_type(node: Node, known: Mapping[str, Type], fields: Mapping[str, Mapping[str, Type]] | None = None) -> Type:
    """Return the expression's type.

    Args:
        node: the expression.
        known: type of each variable.
        fields: fields of object types beyond those Kubernetes declares.

    Raises:
        CelSyntaxError: a variable or field is not declared, or a function gets a type it cannot take.
    """
    checker = Checker(known, {**STRUCTURES, **(fields or {})})
    try:
        return checker.finish(checker.of(node))
    except RecursionError:
        raise CelSyntaxError("the expression is nested too deeply") from None
