"""CEL's static types, and whether one fits where another is wanted.

Follows CEL's rules of unification: ``dyn`` fits anywhere, a type variable stands for the most general type it has met,
null fits where an object may be absent.
Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#gradual-type-checking
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from kubeanswers.records import dataclass


@dataclass(frozen=True, slots=True)
class Type:
    """A type; a name that begins with ``$`` is a type variable, one with a dot an object."""

    name: str
    parameters: tuple[Type, ...] = ()

    def __str__(self) -> str:
        inside = ", ".join(map(str, self.parameters))
        return f"{self.name}({inside})" if inside else self.name

    @property
    def variable(self) -> bool:
        """Whether it is a type variable."""
        return self.name.startswith("$")

    @property
    def nullable(self) -> bool:
        """Whether null fits where this type is wanted."""
        return "." in self.name or self.name in ("optional", "duration", "timestamp")


BOOL: Final = Type("bool")
ANY: Final = Type("any")
"""A value of a message that states no type: it fits wherever dyn does, and nothing ranges over it before ``dyn()``."""
DYN: Final = Type("dyn")
INT: Final = Type("int")
NULL: Final = Type("null")
STRING: Final = Type("string")
TYPE: Final = Type("type")


def list_of(item: Type) -> Type:
    """Return the type of lists of the item."""
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """Return the type of maps."""
    return Type("map", (key, value))


def optional_of(inner: Type) -> Type:
    """Return the type of optional values."""
    return Type("optional", (inner,))


def replaced(kind: Type, names: dict[str, Type]) -> Type:
    """Return the type with variables replaced by name."""
    if kind.name in names:
        return names[kind.name]
    return Type(kind.name, tuple(replaced(item, names) for item in kind.parameters)) if kind.parameters else kind


class Unifier:
    """What type variables stand for, so far.

    Attributes:
        meant: the type each variable stands for.
    """

    def __init__(self) -> None:
        self.meant: dict[str, Type] = {}
        self._made = 0

    def fresh(self) -> Type:
        """Return a variable not used before."""
        self._made += 1
        return Type(f"${self._made}")

    def resolve(self, kind: Type, *, open_to_dyn: bool = False) -> Type:
        """Return the type with every variable replaced that stands for something; others by dyn if asked."""
        if kind.name in self.meant:
            return self.resolve(self.meant[kind.name], open_to_dyn=open_to_dyn)
        if kind.variable:
            return DYN if open_to_dyn else kind
        if not kind.parameters:
            return kind
        return Type(kind.name, tuple(self.resolve(item, open_to_dyn=open_to_dyn) for item in kind.parameters))

    def fits(self, given: Iterable[Type], wanted: Iterable[Type]) -> bool:
        """Return whether every given type fits the wanted one; variables keep what they learnt only if all do."""
        before = dict(self.meant)
        if self._all(tuple(given), tuple(wanted)):
            return True
        self.meant = before
        return False

    def _all(self, given: Sequence[Type], wanted: Sequence[Type]) -> bool:
        return len(given) == len(wanted) and all(self._one(a, b) for a, b in zip(given, wanted, strict=True))

    def _one(self, one: Type, two: Type) -> bool:
        if two.variable:
            fits, had = self._bind(one, two)
            if fits or had:
                return fits
        if one.variable:
            return self._bind(two, one)[0]
        if DYN in (one, two) or ANY in (one, two):
            return True
        if NULL in (one, two):
            other = two if one == NULL else one
            return other == NULL or other.nullable
        if one.name != two.name:
            return False
        return one.name == "type" or self._all(one.parameters, two.parameters)

    def _bind(self, kind: Type, variable: Type) -> tuple[bool, bool]:
        """Return whether the variable can stand for the type, and whether it stood for something before."""
        if kind == variable:
            return True, True
        known = self.meant.get(variable.name)
        if known is None:
            if self._within(variable, kind):
                return False, False
            self.meant[variable.name] = kind
            return True, False
        if kind == known:
            return True, True
        if not self._one(kind, known):
            return False, True
        wider = kind if _less_specific(kind, known) else known
        if not self._within(variable, wider):
            self.meant[variable.name] = wider
        return True, True

    def _within(self, variable: Type, kind: Type) -> bool:
        if kind == variable:
            return True
        if kind.name in self.meant:
            return self._within(variable, self.meant[kind.name])
        return any(self._within(variable, item) for item in kind.parameters)


def most_general(one: Type, two: Type) -> Type:
    """Return the wider of two types that fit each other."""
    return one if _less_specific(one, two) else two


def _less_specific(one: Type, two: Type) -> bool:
    if one == DYN or one.variable:
        return True
    if two == DYN or two.variable or one.name != two.name:
        return False
    return one.name == "type" or all(_less_specific(a, b) for a, b in zip(one.parameters, two.parameters, strict=False))
