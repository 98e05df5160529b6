"""What every criterion returns: a value with unit, direction and interval, and the tree of evidence below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Any, Generic, Literal, Self, TypeVar, overload

from kubeanswers.records import dataclass

T = TypeVar("T")

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Evidence:
    """One line of an explanation, with the lines it rests on.

    Attributes:
        label: what the number is, in the field's words.
        value: the number, or None where the line is a statement.
        unit: unit of the value.
        source: address or catalogue id it comes from; empty where it follows from its children.
        assumption: whether it is an assumption.
        note: how it was derived.
        children: what it rests on.
    """

    label: str
    value: float | None = None
    unit: str = ""
    source: str = ""
    assumption: bool = False
    note: str = ""
    children: tuple[Evidence, ...] = ()

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Evidence]]:
        """Yield this line and all below it, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


@dataclass(frozen=True, eq=False)
class Later(Generic[T]):
    """What is worked out when first asked for: a comparison asks for little of what it could say of every design.

    Attributes:
        work: gives the value; a call of a named function, so that processes can hand it on.
    """

    work: Callable[[], T]


class Figures(dict[str, Any]):
    """Figures by name in the order given, each as it is or to be worked out :class:`Later`."""

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        if isinstance(found, Later):
            found = self[name] = found.work()
        return found

    def __iter__(self) -> Iterator[str]:  # of our own, so that copies ask for every figure as well
        return super().__iter__()

    get, items, values = Mapping.get, Mapping.items, Mapping.values  # type: ignore[assignment]
    __eq__ = Mapping.__eq__
    __hash__ = None

    def __repr__(self) -> str:
        return repr({**self})

    def __reduce__(self) -> tuple[type[Figures], tuple[dict[str, Any]]]:
        """Hand on what is to be worked out later as such."""
        return Figures, ({name: super(Figures, self).__getitem__(name) for name in self},)


class Told(Generic[T]):
    """A field of a dataclass that may be given as :class:`Later`."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> T | Self:
        if instance is None:
            raise AttributeError(self._name)  # so that the field has no default
        found: T | Later[T] = vars(instance)[self._name]
        if isinstance(found, Later):
            found = vars(instance)[self._name] = found.work()
        return found

    def __set__(self, instance: object, value: T | Later[T]) -> None:
        vars(instance)[self._name] = value


@dataclass(frozen=True)
class Score:
    """How good one design is on one criterion.

    Attributes:
        criterion: ``isolation``, ``effort``, ``operations`` or ``cost``.
        value: the figure that is ranked.
        unit: its unit.
        better: whether a higher or a lower value is better.
        low: lower end of the interval (P10); may be given as :class:`Later`.
        high: upper end of the interval (P90); may be given as :class:`Later`.
        summary: one sentence that says the finding; may be given as :class:`Later`.
        evidence: where the value comes from; may be given as :class:`Later`.
        figures: further named numbers and texts beside the ranked one (plain data, JSON-ready).
        detail: the criterion's own result object, for pictures and drill-down.
    """

    criterion: str
    value: float
    unit: str
    better: Better
    low: Told[float] = Told()
    high: Told[float] = Told()
    summary: Told[str] = Told()
    evidence: Told[Evidence] = Told()
    figures: Mapping[str, Any] = field(default_factory=dict)
    detail: Any = field(default=None, repr=False, compare=False)

    def but(self, **changed: Any) -> Score:
        """Return the score with some fields changed; what is to be worked out later in the others stays so."""
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        for name, value in changed.items():
            object.__setattr__(other, name, value)
        return other
