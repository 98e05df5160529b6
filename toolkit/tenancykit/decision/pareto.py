"""The exact Pareto front, with one dominator on the front named for every design that is not on it.

Values are replaced by their ranks within each column, so nothing but the order of values counts and positive rescaling
cannot change the result. The rest is divide and conquer after H. T. Kung, F. Luccio, F. P. Preparata (1975), Journal of
the ACM 22(4), 469-476: the front of the better half by the first criterion filters the worse half on the remaining
criteria; small cases are compared all against all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.table import BoolArray, DecisionTable, FloatArray, IntArray, as_floats

_LEAF: Final = 192
_PAIRS_AT_ONCE: Final = 1 << 18
_CHAMPIONS: Final = 32

Levels = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Front:
    """Which rows no other row dominates, and who dominates the rest.

    A row dominates another when it is no worse in every column and better in at least one. Equal rows do not dominate
    each other: all of them are on the front or none.

    Attributes:
        members: rows on the front, ascending.
        dominator: [rows] a row on the front that dominates this one; -1 for members.
    """

    members: IntArray
    dominator: IntArray

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def mask(self) -> BoolArray:
        """[rows] True for members."""
        return self.dominator < 0


@dataclass(frozen=True, eq=False)
class TableFront:
    """The front of a decision table, by label.

    Attributes:
        table: the designs.
        criteria: the criteria that were compared.
        front: the same in row numbers.
    """

    table: DecisionTable
    criteria: tuple[str, ...]
    front: Front

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Designs nobody dominates, in table order."""
        return tuple(self.table.labels[row] for row in self.front.members)


def front_of(table: DecisionTable, criteria: Sequence[str] | None = None) -> TableFront:
    """Return the exact front of a table on all or some criteria; the named dominators do not depend on row order."""
    names = tuple(criteria or table.names)
    columns = [table.column(name) for name in names]
    by_label = np.argsort(table.label_rank)
    front = pareto_front(table.oriented[by_label][:, columns])
    dominator = np.full(len(table), -1, dtype=np.intp)
    dominator[by_label] = np.where(front.mask, -1, by_label[front.dominator])
    return TableFront(table, names, Front(np.sort(by_label[front.members]), dominator))


def pareto_front(values: npt.ArrayLike) -> Front:
    """Return the exact front of rows where higher is better in every column.

    Time is n log^(k-1) n for n rows and k columns at worst; memory a few integers per row and column.

    Args:
        values: [rows x columns] finite numbers.

    Raises:
        InputError: not a finite two-dimensional table.
    """
    matrix = as_floats(values, "front")
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise InputError(Fault("front", f"has shape {matrix.shape}", "a table of finite numbers"))
    levels = _levels(matrix)
    dominator = np.full(matrix.shape[0], -1, dtype=np.intp)
    if levels.shape[0]:
        alive = _beat_by_champions(levels, dominator)
        unique, copies = _distinct(levels, alive)
        found = _Search(np.ascontiguousarray(levels[:, unique])).run()
        beaten = found >= 0
        winners = np.where(beaten, unique[found], -1)
        dominator[alive] = winners[copies]
    return Front(np.flatnonzero(dominator < 0), dominator)


def _levels(matrix: FloatArray) -> Levels:
    """Return [columns x rows] the dense rank of each value in its column, columns without differences left out."""
    columns = [np.unique(matrix[:, column], return_inverse=True) for column in range(matrix.shape[1])]
    kept = [inverse.astype(np.int32) for distinct, inverse in columns if len(distinct) > 1]
    return np.stack(kept) if kept else np.empty((0, matrix.shape[0]), dtype=np.int32)


def _beat_by_champions(levels: Levels, dominator: IntArray) -> IntArray:
    """Mark what the rows with the highest rank sums dominate; return the rows left, ascending."""
    total = levels.sum(axis=0, dtype=np.int64)
    rows = levels.shape[1]
    best = np.arange(rows)
    if rows > _CHAMPIONS:
        cut = np.partition(total, rows - _CHAMPIONS)[rows - _CHAMPIONS]
        best = np.flatnonzero(total >= cut)
    champions = best[np.lexsort((*levels[:, best], total[best]))][::-1][:_CHAMPIONS]
    alive = np.arange(rows)
    mine, sums = levels, total
    for champion in champions:
        beaten = sums < total[champion]
        for column, level in zip(mine, levels[:, champion], strict=True):
            beaten &= column <= level
        if beaten.any():
            dominator[alive[beaten]] = champion
            alive, mine, sums = alive[~beaten], mine[:, ~beaten], sums[~beaten]
    return alive


def _distinct(levels: Levels, alive: IntArray) -> tuple[IntArray, IntArray]:
    """Return (first row of each distinct row, best first by the columns in turn; its index for every row alive)."""
    mine = levels[:, alive]
    order = np.lexsort(mine[::-1])[::-1]
    ordered = mine[:, order]
    starts = np.ones(len(alive), dtype=np.bool_)
    starts[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    group = np.cumsum(starts) - 1
    copies = np.empty(len(alive), dtype=np.intp)
    copies[order] = group
    first = np.full(int(group[-1]) + 1, levels.shape[1], dtype=np.intp)
    np.minimum.at(first, copies, alive)
    return first, copies


class _Search:
    """One run of divide and conquer over distinct rows, best first by the columns in turn.

    Only an earlier row can dominate a later one, and rows are filtered by everything before them before they are looked
    at. So a row that was kept is on the front for good, and every dominator named is one of these.

    Attributes:
        levels: [columns x rows] ranks.
        dominator: [rows] a row that dominates this one, or -1; filled as the search goes.
    """

    def __init__(self, levels: Levels) -> None:
        self.levels = levels
        self.dominator = np.full(levels.shape[1], -1, dtype=np.intp)

    def run(self) -> IntArray:
        self._front(np.arange(self.levels.shape[1]))
        return self.dominator

    def _front(self, rows: IntArray) -> IntArray:
        """Mark the dominated among ascending rows; return the front of these rows."""
        if not len(rows):
            return rows
        if len(rows) <= _LEAF:
            return self._all_against_all(rows)
        half = len(rows) // 2
        top = self._front(rows[:half])
        self._filter(rows[half:], top, self.levels.shape[0] - 1)
        rest = rows[half:]
        bottom = self._front(rest[self.dominator[rest] < 0])
        return np.concatenate((top, bottom))

    def _all_against_all(self, rows: IntArray) -> IntArray:
        """Compare earlier rows with later ones; only an earlier row can dominate, as rows are distinct and sorted."""
        mine = self.levels[1:, rows]
        beats = np.tri(len(rows), k=-1, dtype=np.bool_)
        for column in mine:
            beats &= column[None, :] >= column[:, None]
        beaten = beats.any(axis=1)
        self.dominator[rows[beaten]] = rows[beats[beaten].argmax(axis=1)]
        return rows[~beaten]

    def _filter(self, weak: IntArray, strong: IntArray, last: int) -> None:
        """Mark the weak rows that a strong one dominates; columns 0 and beyond ``last`` are known to favour strong."""
        weak = weak[self.dominator[weak] < 0]
        if not (len(weak) and len(strong)):
            return
        if last <= 2:
            self._sweep(weak, strong, last)
            return
        # A strong row worse than every weak one somewhere can beat none of them, and the other way round.
        for column in self.levels[1 : last + 1]:
            strong = strong[column[strong] >= column[weak].min()]
            if not len(strong):
                return
            weak = weak[column[weak] <= column[strong].max()]
            if not len(weak):
                return
        if len(weak) * len(strong) <= _PAIRS_AT_ONCE:
            self._compare(weak, strong, last)
        else:
            self._split(weak, strong, last)

    def _split(self, weak: IntArray, strong: IntArray, last: int) -> None:
        """Divide both sides at the median of the last column; across the cut that column is settled."""
        column = self.levels[last]
        weak_level, strong_level = column[weak], column[strong]
        both = np.concatenate((weak_level, strong_level))
        cut = np.partition(both, len(both) // 2)[len(both) // 2]
        self._filter(weak[weak_level <= cut], strong[strong_level >= cut], last - 1)
        self._filter(weak[weak_level > cut], strong[strong_level > cut], last)
        self._filter(weak[weak_level < cut], strong[strong_level < cut], last)

    def _compare(self, weak: IntArray, strong: IntArray, last: int) -> None:
        beats = np.ones((len(weak), len(strong)), dtype=np.bool_)
        for column in self.levels[1 : last + 1]:
            beats &= column[strong][None, :] >= column[weak][:, None]
        beaten = beats.any(axis=1)
        self.dominator[weak[beaten]] = strong[beats[beaten].argmax(axis=1)]

    def _sweep(self, weak: IntArray, strong: IntArray, last: int) -> None:
        """Settle up to two open columns: among the strong no worse on the first, look at the best on the second."""
        if last == 0:
            self.dominator[weak] = strong[0]
            return
        first, second = self.levels[1], self.levels[last]
        order = strong[np.argsort(-first[strong], kind="stable")]
        reach = np.searchsorted(-first[order], -first[weak], side="right")
        running = np.maximum.accumulate(second[order])
        leader = np.maximum.accumulate(np.where(np.diff(running, prepend=-1) > 0, np.arange(len(order)), 0))
        hit = reach > 0
        weak, seen = weak[hit], leader[reach[hit] - 1]
        beaten = second[order[seen]] >= second[weak]
        self.dominator[weak[beaten]] = order[seen[beaten]]
