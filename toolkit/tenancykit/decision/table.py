"""The decision table: designs by criteria, each cell a value with an interval, checked once and then frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, Literal, cast

import numpy as np
import numpy.typing as npt

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]
Better = Literal["higher", "lower"]

_MOST_FAULTS: Final = 20
_LARGEST: Final = 1e150
_FINITE: Final = f"a finite number, at most {_LARGEST:g}"
"""Squares of larger numbers overflow."""


@dataclass(frozen=True)
class Criterion:
    """One thing designs are judged by.

    Attributes:
        name: what it is called everywhere, e.g. in weights and bounds.
        better: whether a higher or a lower value is preferred.
        unit: unit of the values, for texts only; empty for a plain number.
    """

    name: str
    better: Better = "higher"
    unit: str = ""

    def __post_init__(self) -> None:
        if self.better not in ("higher", "lower"):
            cure = did_you_mean(str(self.better), ("higher", "lower"))
            raise InputError(Fault(f"criterion {self.name!r}", f"better is {self.better!r}", "higher, lower", cure))

    @property
    def sign(self) -> float:
        """+1 when higher is better, -1 when lower is better: the factor of the direction inversion."""
        return 1.0 if self.better == "higher" else -1.0


@dataclass(frozen=True, eq=False)
class DecisionTable:
    """Designs by criteria; finite, complete, with low <= value <= high in every cell.

    Attributes:
        labels: one distinct name per design (row).
        criteria: what the columns are, with direction and unit.
        values: [designs x criteria] most likely values, in the criteria's units.
        low: [designs x criteria] lower ends of the intervals.
        high: [designs x criteria] upper ends of the intervals.
    """

    labels: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    values: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(
        cls,
        labels: Iterable[str],
        criteria: Iterable[Criterion] | Mapping[str, str],
        values: npt.ArrayLike,
        low: npt.ArrayLike | None = None,
        high: npt.ArrayLike | None = None,
    ) -> DecisionTable:
        """Return the checked table; a missing interval end is the value itself (a certain cell).

        Args:
            labels: names of the designs (rows).
            criteria: what the columns are; ``{"price": "lower", "range": "higher"}`` will do where no unit is needed.
            values: [designs x criteria] most likely values.
            low: [designs x criteria] lower ends of the intervals.
            high: [designs x criteria] upper ends of the intervals.

        Raises:
            InputError: shapes do not fit, a cell is not a finite number, an interval excludes its value,
                or a name is missing or used twice.
        """
        matrix = as_floats(values, "decision table")
        ends = [
            matrix if end is None else as_floats(end, f"decision table, {name}")
            for name, end in (("low", low), ("high", high))
        ]
        if isinstance(criteria, Mapping):
            criteria = [Criterion(name, cast("Better", better)) for name, better in criteria.items()]
        return cls(tuple(labels), tuple(criteria), matrix, *ends)

    def __post_init__(self) -> None:
        faults = [*_name_faults(self.labels, "design"), *_name_faults([c.name for c in self.criteria], "criterion")]
        faults = faults or _shape_faults(self) or [*_finite_faults(self)] or [*_interval_faults(self)]
        if faults:
            raise InputError(faults[:_MOST_FAULTS])
        for name in ("values", "low", "high"):
            frozen = np.array(getattr(self, name), dtype=np.float64)
            frozen.setflags(write=False)
            object.__setattr__(self, name, frozen)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def oriented(self) -> FloatArray:
        """[designs x criteria] values with the lower-is-better columns negated: more is always better."""
        return self.values * self.signs

    @cached_property
    def signs(self) -> FloatArray:
        """[criteria] +1 where higher is better, -1 where lower is better."""
        return np.array([criterion.sign for criterion in self.criteria])

    @cached_property
    def label_rank(self) -> IntArray:
        """[designs] place of each label in alphabetical order; decides the order among ties."""
        ranks = np.empty(len(self), dtype=np.intp)
        ranks[sorted(range(len(self)), key=self.labels.__getitem__)] = np.arange(len(self))
        return ranks

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the criteria, in column order."""
        return tuple(criterion.name for criterion in self.criteria)

    def row(self, label: str) -> int:
        """Return the row of a design.

        Raises:
            InputError: no design has this label.
        """
        return _position(label, self.labels, "design")

    def column(self, name: str) -> int:
        """Return the column of a criterion.

        Raises:
            InputError: no criterion has this name.
        """
        return _position(name, self.names, "criterion")

    def take(self, rows: Sequence[int] | IntArray | BoolArray) -> DecisionTable:
        """Return the table of the given rows (positions or a mask), in the given order."""
        chosen = np.arange(len(self))[np.asarray(rows)]
        labels = tuple(self.labels[row] for row in chosen)
        return DecisionTable(labels, self.criteria, self.values[chosen], self.low[chosen], self.high[chosen])

    def without(self, label: str) -> DecisionTable:
        """Return the table without one design."""
        return self.take(np.arange(len(self)) != self.row(label))


def as_floats(raw: npt.ArrayLike, where: str) -> FloatArray:
    """Return the input as an array of floats.

    Raises:
        InputError: the rows are ragged or an entry is not a number.
    """
    try:
        return np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(Fault(where, f"is not a table of numbers ({error})", "rows of equal length")) from error


def figure(value: float, digits: int = 3) -> str:
    """Return an estimate for a sentence: few significant digits, thousands separated, no exponent up to 10^15."""
    if 1000 <= abs(float(f"{value:.{digits}g}")) < 1e15:
        return f"{float(f'{value:.{digits}g}'):,.0f}"
    return f"{value:.{digits}g}"


def figures_apart(first: float, second: float) -> tuple[str, str]:
    """Return two estimates for a sentence, in as many digits as it takes to tell them apart."""
    told = [(figure(first, digits), figure(second, digits)) for digits in range(3, 9)]
    return next((pair for pair in told if pair[0] != pair[1]), told[0])


_SAID: Final = {"x": (1, "times what is assumed"), **dict.fromkeys(("chance", "share", "share left"), (100, "%"))}
"""Units that a sentence gives otherwise than data does: the factor between the two, and its words."""


def amount(value: float, unit: str) -> str:
    """Return an estimate with its unit for a sentence: shares in per cent, factors in times what is assumed."""
    factor, words = _SAID.get(unit, (1, unit))
    return f"{figure(factor * value)} {words}".rstrip()


def reach(low: float, high: float, unit: str) -> str:
    """Return a range with its unit for a sentence, such as ``43 to 300 days``."""
    return f"{figure(_SAID.get(unit, (1, unit))[0] * low)} to {amount(high, unit)}"


def amounts_apart(first: float, second: float, unit: str, between: str) -> str:
    """Return two estimates with their unit and a word between them, in as many digits as tell them apart."""
    factor, words = _SAID.get(unit, (1, unit))
    return f"{between.join(figures_apart(factor * first, factor * second))} {words}".rstrip()


def as_stated(value: float) -> str:
    """Return a number that somebody stated, digit by digit, thousands separated."""
    return f"{value:,.12g}"


def change_text(share: float) -> str:
    """Return a change for a sentence, in percent of what changes: whole ones, hundredths below half a percent."""
    told = (f"{share:+.0%}", f"{share:+.2%}")
    return next((text for text in told if share == 0 or float(text[:-1])), "under 0.01%")


def _position(name: str, known: tuple[str, ...], kind: str) -> int:
    try:
        return known.index(name)
    except ValueError:
        shown = ", ".join(known[:_MOST_FAULTS])
        raise InputError(Fault("decision table", f"no {kind} {name!r}", shown, did_you_mean(name, known))) from None


def _name_faults(names: Sequence[str], kind: str) -> list[Fault]:
    if not names:
        return [Fault("decision table", f"has no {kind}", f"at least one {kind}")]
    seen: set[str] = set()
    faults = []
    for name in names:
        if not isinstance(name, str) or not name:
            faults.append(Fault("decision table", f"{kind} name {name!r} is empty or not a text"))
        elif name in seen:
            faults.append(Fault("decision table", f"{kind} {name!r} appears twice", "distinct names"))
        else:
            seen.add(name)
    return faults


def _shape_faults(table: DecisionTable) -> list[Fault]:
    expected = (len(table.labels), len(table.criteria))
    return [
        Fault("decision table", f"{name} have shape {getattr(table, name).shape}", f"{expected} (designs, criteria)")
        for name in ("values", "low", "high")
        if getattr(table, name).shape != expected
    ]


def _finite_faults(table: DecisionTable) -> Iterator[Fault]:
    for name in ("values", "low", "high"):
        matrix = getattr(table, name)
        for row, column in np.argwhere(~(np.abs(matrix) <= _LARGEST))[:_MOST_FAULTS]:
            what = f"{name} of {table.names[column]!r} is {matrix[row, column]}"
            yield Fault(f"design {table.labels[row]!r}", what, _FINITE, "screen the design out instead")


def _interval_faults(table: DecisionTable) -> Iterator[Fault]:
    wrong = (table.low > table.values) | (table.values > table.high)
    for row, column in np.argwhere(wrong)[:_MOST_FAULTS]:
        low, value, high = (float(part[row, column]) for part in (table.low, table.values, table.high))
        what = f"{table.names[column]!r} is {value:g}, outside its interval {low:g} to {high:g}"
        yield Fault(f"design {table.labels[row]!r}", what, "low <= value <= high")
