"""Hard requirements: who passes, who is excluded, why, and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final, Literal, NamedTuple

import numpy as np

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.decision.table import BoolArray, DecisionTable, FloatArray, as_stated, figure, figures_apart

Comparison = Literal["<=", ">=", "=="]
Reading = Literal["value", "low", "high"]
Kind = Literal["amount", "level", "flag", "shortage", "people"]

_SLACK: Final = 1e-12
"""Relative room for rounding, so that 0.1 + 0.2 still meets a limit of 0.3."""

_WORDS: Final[dict[str, str]] = {"<=": "at most", ">=": "at least", "==": "exactly"}


@dataclass(frozen=True)
class HardRequirement:
    """A limit a design must keep to be considered at all.

    Attributes:
        name: what people call it, e.g. ``budget``; used in the reason.
        measure: name of a criterion of the table or of an extra measure.
        comparison: ``<=``, ``>=`` or ``==`` between the measure and the limit.
        limit: the limit, in the measure's unit.
        reading: which number of a cell has to keep it: the value, or the low or high end of its interval.
        kind: how a miss is told: an amount in per cent, a level in steps, a flag as present or missing,
            a shortage as what is lacking, in the measure's unit (a plural), people as how many too many.
    """

    name: str
    measure: str
    comparison: Comparison
    limit: float
    reading: Reading = "value"
    kind: Kind = "amount"


@dataclass(frozen=True, eq=False)
class Measure:
    """A number per design that is screened on but not a criterion, e.g. the week of going live.

    Attributes:
        name: what requirements call it.
        values: [designs] the numbers, in the order of the table.
        unit: for texts only.
    """

    name: str
    values: FloatArray
    unit: str = ""


@dataclass(frozen=True)
class Miss:
    """One requirement one design does not meet.

    Attributes:
        label: the design.
        requirement: what it misses.
        value: what the design has, in the measure's unit.
        gap: distance to the limit, in the measure's unit; positive.
        relative: distance as a fraction of the limit, or of the candidates' spread where the limit is zero.
        unit: of value and gap.
    """

    label: str
    requirement: HardRequirement
    value: float
    gap: float
    relative: float
    unit: str = ""

    def __str__(self) -> str:
        need = self.requirement
        if need.kind == "flag":
            return f"does not meet {need.name}"
        if need.kind == "shortage":
            return f"misses {need.name} by {self.gap:g} {self.unit[:-1] if self.gap == 1 else self.unit}"
        if need.kind == "level":
            steps = f"{self.gap:g} level{'' if self.gap == 1 else 's'}"
            return (
                f"misses {need.name} by {steps} (level {self.value:g}, needs {_WORDS[need.comparison]} {need.limit:g})"
            )
        numbers = f"{_told(self.value, need.limit)} against {_WORDS[need.comparison]} {as_stated(need.limit)}"
        if need.kind == "people":
            return (
                f"misses {need.name} by {'one person' if self.gap == 1 else f'{figure(self.gap)} people'} ({numbers})"
            )
        unit = f" {self.unit}" if self.unit else ""
        told = f"{_percent(self.relative)} %" if need.limit else f"{figure(self.gap)}{unit}"
        return f"misses {need.name} by {told} ({numbers}{unit})"


class Near(NamedTuple):
    """An excluded design with everything it misses, for when nobody meets the requirements."""

    label: str
    misses: tuple[Miss, ...]


@dataclass(frozen=True, eq=False)
class Screening:
    """Which designs meet all hard requirements, and what the others miss.

    Attributes:
        table: the designs that were screened.
        requirements: the limits, in the order given.
        readings: [designs x requirements] the numbers that were compared.
        gaps: [designs x requirements] distance to the limit in the measure's unit; zero where met.
        relative: [designs x requirements] distance as a fraction; zero where met.
        units: unit per requirement.
    """

    table: DecisionTable
    requirements: tuple[HardRequirement, ...]
    readings: FloatArray
    gaps: FloatArray
    relative: FloatArray
    units: tuple[str, ...]

    @cached_property
    def mask(self) -> BoolArray:
        """[designs] True where every requirement is met."""
        return np.asarray((self.gaps == 0).all(axis=1), dtype=np.bool_)

    @cached_property
    def passed(self) -> tuple[str, ...]:
        """Labels of the designs that meet every requirement, in table order."""
        return tuple(self.table.labels[row] for row in np.flatnonzero(self.mask))

    @cached_property
    def excluded(self) -> tuple[str, ...]:
        """Labels of the designs that miss at least one requirement, in table order."""
        return tuple(self.table.labels[row] for row in np.flatnonzero(~self.mask))

    def misses(self, label: str) -> tuple[Miss, ...]:
        """Return everything a design misses, the largest relative distance first; empty when it passed."""
        row = self.table.row(label)
        columns = sorted(np.flatnonzero(self.gaps[row] > 0), key=lambda c: (-self.relative[row, c], c))
        return tuple(self._miss(row, int(column)) for column in columns)

    def nearest(self, count: int = 3) -> tuple[Near, ...]:
        """Return the excluded designs closest to passing, each with what it misses.

        Closest means the smallest largest relative miss, then the smallest sum of misses, then the label.
        """
        rows = np.flatnonzero(~self.mask)
        keys = (self.table.label_rank[rows], self.relative[rows].sum(axis=1), self.relative[rows].max(axis=1))
        chosen = rows[np.lexsort(keys)[:count]] if rows.size else rows
        return tuple(Near(self.table.labels[row], self.misses(self.table.labels[row])) for row in chosen)

    def counts(self) -> dict[str, int]:
        """Return how many designs each requirement excludes (a design may be counted under several)."""
        return {need.name: int((self.gaps[:, column] > 0).sum()) for column, need in enumerate(self.requirements)}

    def _miss(self, row: int, column: int) -> Miss:
        return Miss(
            self.table.labels[row],
            self.requirements[column],
            float(self.readings[row, column]),
            float(self.gaps[row, column]),
            float(self.relative[row, column]),
            self.units[column],
        )


def screen(
    table: DecisionTable, requirements: Sequence[HardRequirement], measures: Sequence[Measure] = ()
) -> Screening:
    """Return which designs meet every hard requirement, with the distance of those that do not.

    Args:
        table: the designs.
        requirements: the limits; none means everybody passes.
        measures: numbers per design beyond the criteria that a requirement may refer to.

    Raises:
        InputError: a requirement names no known measure, or a limit or measure is not a finite number.
    """
    extra = {measure.name: measure for measure in measures}
    faults = [*_measure_faults(table, measures), *_requirement_faults(table, requirements, extra)]
    if faults:
        raise InputError(faults)
    shape = (len(table), len(requirements))
    readings, gaps, relative = (np.zeros(shape) for _ in range(3))
    for column, need in enumerate(requirements):
        readings[:, column] = _reading(table, need, extra)
        gaps[:, column] = _gap(readings[:, column], need)
        spread = float(np.ptp(readings[:, column]))
        relative[:, column] = gaps[:, column] / (abs(need.limit) or spread or 1.0)
    units = tuple(_unit(table, need, extra) for need in requirements)
    return Screening(table, tuple(requirements), readings, gaps, relative, units)


def _gap(values: FloatArray, need: HardRequirement) -> FloatArray:
    room = _SLACK * max(abs(need.limit), 1.0)
    over = values - need.limit
    distance = {"<=": over, ">=": -over, "==": np.abs(over)}[need.comparison]
    return np.where(distance > room, distance, 0.0)


def _reading(table: DecisionTable, need: HardRequirement, extra: dict[str, Measure]) -> FloatArray:
    if need.measure in extra:
        return np.asarray(extra[need.measure].values, dtype=np.float64)
    cells = {"value": table.values, "low": table.low, "high": table.high}[need.reading]
    return np.asarray(cells[:, table.column(need.measure)], dtype=np.float64)


def _unit(table: DecisionTable, need: HardRequirement, extra: dict[str, Measure]) -> str:
    return extra[need.measure].unit if need.measure in extra else table.criteria[table.column(need.measure)].unit


def _measure_faults(table: DecisionTable, measures: Sequence[Measure]) -> Iterator[Fault]:
    for measure in measures:
        where = f"measure {measure.name!r}"
        values = np.asarray(measure.values, dtype=np.float64)
        if values.shape != (len(table),):
            yield Fault(where, f"has shape {values.shape}", f"one number per design ({len(table)})")
        elif not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            yield Fault(where, f"is {values[row]} for {table.labels[row]!r}", "finite numbers")


def _requirement_faults(
    table: DecisionTable, requirements: Sequence[HardRequirement], extra: dict[str, Measure]
) -> Iterator[Fault]:
    known = [*table.names, *extra]
    for need in requirements:
        where = f"requirement {need.name!r}"
        if need.measure not in known:
            yield Fault(where, f"no measure {need.measure!r}", ", ".join(known), did_you_mean(need.measure, known))
        if need.comparison not in _WORDS:
            yield Fault(where, f"comparison {need.comparison!r}", ", ".join(_WORDS))
        if not np.isfinite(need.limit):
            yield Fault(where, f"limit is {need.limit}", "a finite number")
        if need.reading not in ("value", "low", "high"):
            yield Fault(where, f"reading {need.reading!r}", "value, low, high")


def _told(value: float, limit: float) -> str:
    """Return an estimate in three digits, in more where they would read as the limit it misses."""
    return figures_apart(value, limit)[0]


def _percent(fraction: float) -> str:
    share = float(f"{100 * fraction:.3g}")
    return f"{share:,.0f}" if share >= 1 else f"{share:.2g}"
