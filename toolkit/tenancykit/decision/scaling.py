"""From raw values to comparable ones: invert the direction, then scale; weighting comes last, elsewhere.

The order is part of the convention: direction inversion, normalisation, weighting. A scale says in words what it did
and whether it depends on the set of candidates, because a scale that does can reverse ranks when a design is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.decision.table import DecisionTable, FloatArray

Bounds = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Scaled:
    """A table on a common scale where more is better in every column.

    Attributes:
        table: the table that was scaled.
        utilities: [designs x criteria] scaled values, column-contiguous.
        ideal: [criteria] utility of the best the scale knows.
        anti_ideal: [criteria] utility of the worst the scale knows.
        origin: [criteria] oriented value that has utility zero.
        width: [criteria] oriented units in one unit of utility, or None where the scale is not a straight line.
        anchored: [criteria] whether the column's scale is independent of the candidates.
        statement: the normalisation in words, for the record.
        outside: values beyond the fixed bounds, in words (at most one line per criterion).
    """

    table: DecisionTable
    utilities: FloatArray
    ideal: FloatArray
    anti_ideal: FloatArray
    origin: FloatArray
    width: FloatArray | None
    anchored: tuple[bool, ...]
    statement: str
    outside: tuple[str, ...] = ()

    @property
    def depends_on_candidates(self) -> bool:
        """Whether adding or removing a design may change the utilities of the others."""
        return not all(self.anchored)

    def straight_width(self) -> FloatArray:
        """Return [criteria] oriented units per unit of utility.

        Raises:
            InputError: the scale is not a straight line, so a change of value has no single price in utility.
        """
        if self.width is None:
            where = f"scale {self.statement!r}"
            raise InputError(Fault(where, "is not linear in the values", cure="use scale(table, bounds)"))
        return self.width

    def to_utility(self, values: FloatArray) -> FloatArray:
        """Return raw values [... x criteria] on this scale, extrapolated beyond its ends; needs a linear scale."""
        width = self.straight_width()
        safe = np.where(width > 0, width, 1.0)
        utility = (values * self.table.signs - self.origin) / safe
        return np.where(width > 0, utility, 1.0)


def scale(table: DecisionTable, bounds: Bounds | None = None) -> Scaled:
    """Return utilities that are 0 at the worse bound and 1 at the better one, straight in between and beyond.

    With bounds for every criterion, nothing depends on the candidates: adding or removing designs changes no utility.
    A criterion without bounds falls back to the minimum and maximum of the candidates, and the statement says so. Where
    all candidates are equal the fallback takes the ends of their intervals, and where these are equal too, utility 1.

    Args:
        table: the designs.
        bounds: lowest and highest value of the scale per criterion, in the criterion's unit.

    Raises:
        InputError: bounds name an unknown criterion, are not finite, or are empty (low >= high).
    """
    bounds = dict(bounds or {})
    faults = [*_bound_faults(table, bounds)]
    if faults:
        raise InputError(faults)
    ends = np.array([bounds.get(name) or _observed(table, column) for column, name in enumerate(table.names)])
    oriented = np.sort(ends * table.signs[:, None], axis=1)
    origin, width = oriented[:, 0], oriented[:, 1] - oriented[:, 0]
    count = len(table.names)
    draft = Scaled(
        table,
        table.values,
        np.ones(count),
        np.zeros(count),
        origin,
        width,
        tuple(name in bounds for name in table.names),
        _bounds_statement(table, bounds),
        tuple(_outside(table, bounds)),
    )
    return _with_utilities(draft, draft.to_utility(table.values))


def scale_by_length(table: DecisionTable) -> Scaled:
    """Return utilities divided by each column's Euclidean length (vector normalisation).

    Depends on the candidates. Lower-is-better columns are negated first. Source: C.-L. Hwang and K. Yoon (1981),
    Multiple Attribute Decision Making, Springer, chapter III (TOPSIS).
    """
    largest = np.abs(table.values).max(axis=0)  # taken out first, so that squares of tiny numbers do not vanish
    width = np.where(largest > 0, largest, 1.0)
    width *= np.where(largest > 0, np.sqrt(((table.values / width) ** 2).sum(axis=0)), 1.0)
    return _relative(table, table.oriented / width, width, "each column divided by its Euclidean length")


def scale_by_share(table: DecisionTable) -> Scaled:
    """Return utilities that add up to one in each column, lower-is-better columns turned into reciprocals first.

    Depends on the candidates; not linear in lower-is-better columns. This is the normalisation of the weighted sum in
    M. Kracka, W. K. M. Brauers, E. K. Zavadskas (2010), Inzinerine Ekonomika 21(4), 352-359.

    Raises:
        InputError: a value is negative, a lower-is-better one is zero, or a whole column is zero.
    """
    costs, sums = table.signs < 0, table.values.sum(axis=0)
    wrong = (table.values < 0) | (costs & (table.values == 0)) | (sums == 0)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        what = f"{table.names[column]!r} is {table.values[row, column]:g}"
        allowed = "positive values for reciprocals" if costs[column] else "a column of shares, none negative"
        raise InputError(Fault(f"design {table.labels[row]!r}", what, allowed, "use scale(table, bounds)"))
    benefit = np.where(costs, 1.0 / np.where(costs, table.values, 1.0), table.values)
    statement = "lower-is-better columns inverted (1/x), then each column divided by its sum"
    return _relative(table, benefit / benefit.sum(axis=0), None, statement)


def _relative(table: DecisionTable, utilities: FloatArray, width: FloatArray | None, how: str) -> Scaled:
    count = len(table.names)
    draft = Scaled(
        table,
        utilities,
        utilities.max(axis=0),
        utilities.min(axis=0),
        np.zeros(count),
        width,
        (False,) * count,
        f"{how} (depends on the candidates)",
    )
    return _with_utilities(draft, utilities)


def _with_utilities(draft: Scaled, utilities: FloatArray) -> Scaled:
    columns = np.asfortranarray(utilities)
    columns.setflags(write=False)
    object.__setattr__(draft, "utilities", columns)
    return draft


def _observed(table: DecisionTable, column: int) -> tuple[float, float]:
    low, high = float(table.values[:, column].min()), float(table.values[:, column].max())
    if low == high:
        return float(table.low[:, column].min()), float(table.high[:, column].max())
    return low, high


def _bound_faults(table: DecisionTable, bounds: Bounds) -> Iterator[Fault]:
    for name, (low, high) in bounds.items():
        if name not in table.names:
            yield Fault("bounds", f"no criterion {name!r}", ", ".join(table.names), did_you_mean(name, table.names))
        elif not (np.isfinite(low) and np.isfinite(high) and low < high):
            yield Fault(f"bounds of {name!r}", f"{low} to {high}", "two finite numbers, the lower first")


def _bounds_statement(table: DecisionTable, bounds: Bounds) -> str:
    fixed = [name for name in table.names if name in bounds]
    free = [name for name in table.names if name not in bounds]
    parts = []
    if fixed:
        spans = (f"{name} {bounds[name][0]:g} to {bounds[name][1]:g}" for name in fixed)
        parts.append(f"linear between fixed bounds ({', '.join(spans)})")
    if free:
        parts.append(f"minimum to maximum of the candidates for {', '.join(free)} (depends on the candidates)")
    return "; ".join(parts)


def _outside(table: DecisionTable, bounds: Bounds) -> Iterator[str]:
    for name, (low, high) in bounds.items():
        column = table.values[:, table.column(name)]
        beyond = int(np.count_nonzero((column < low) | (column > high)))
        if beyond:
            yield f"{name}: {beyond} of {len(table)} designs lie outside the bounds {low:g} to {high:g}"
