"""The exact front where one figure is dear to compute: bounds first, the full figure only where it can matter.

A design whose cost is known only from below is looked at as if it cost that little. Those that still stand on the
front get a closer bound, or their bill; when everybody on the front has a bill, nobody who has none can be on it: even
the too favourable figure is dominated. As in branch and bound, the result does not depend on the order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass
from tenancykit.decision.pareto import pareto_front
from tenancykit.design.batch import Batch, Codes
from tenancykit.study.coding import spread
from tenancykit.study.sweeping import Columns, Floats, Question, Sweeper, sweeper_of

Rows = NDArray[np.intp]
Keys = NDArray[np.void]

_CENTS = 0.05
"""What the cost of people of a sweep may be off, by rounding."""
_AT_LEAST = 5
"""Bills drawn up for whoever stops before there is any."""
_AHEAD = 16
"""Designs whose bounds are drawn up at once when the best of many is looked for."""
_LOT = 64
"""Designs priced between two tellings of how far it is."""
_TOLERANCE = 0.5
"""Difference between a bill and a bound, in units of currency, above which the bound counts as refuted."""


@dataclass(frozen=True)
class Refutation:
    """A design that costs less than the bound of those that share its core.

    Attributes:
        bound: what it was thought to cost at least.
        cost: what it costs.
    """

    bound: float
    cost: float


@dataclass
class Costs:
    """What is known of the cost of many designs.

    Attributes:
        columns: the designs.
        least: [designs] cost where measured, else a lower bound.
        measured: [designs] whether the bill was drawn up.
    """

    columns: Columns
    least: Floats
    measured: NDArray[np.bool_]

    def table(self) -> Floats:
        """Return [designs x criteria] with more always better, the cost as favourable as it can be."""
        columns = self.columns
        return np.stack([columns.isolation, -columns.effort, -columns.operations, -self.least], axis=1)


class Refiner:
    """Finds exact fronts over designs of one question; bounds and bills are kept from one call to the next.

    Args:
        question: what is swept.
        executor: where bills are drawn up; in this process where None.
        stopped: asked before each round; the front is then left as it is.
        told: told during a round how many of how many designs are priced.
        most: most designs whose bills are drawn up for fronts; what leads is priced beyond them.
    """

    def __init__(
        self,
        question: Question,
        executor: Executor | None = None,
        stopped: Callable[[], bool] | None = None,
        told: Callable[[int, int], None] | None = None,
        most: int | None = None,
    ) -> None:
        self.question = question
        self.sweeper: Sweeper = sweeper_of(question)
        self.executor = executor
        self.stopped = stopped or (lambda: False)
        self.told = told or (lambda _done, _total: None)
        self.bounds: dict[tuple[int, bytes], float] = {}
        self.bills: dict[bytes, float] = {}
        self.refuted: list[Refutation] = []
        self.most = most
        self.unpriced = 0
        """Designs that may be on the front asked for last, for all that is known, and have no bill."""
        self._looked: tuple[Costs, list[tuple[Keys, Rows]], list[NDArray[np.bool_]]] | None = None
        """Of the costs last asked for the best: designs by core, and whose bounds are drawn up."""
        names = [[("" if o is None else self.sweeper.cost.cut(o)) for o in column] for column in self.sweeper.columns]
        cores = [
            ["" if o is None or not self.sweeper.cost.is_core(o) else o.id for o in column]
            for column in self.sweeper.columns
        ]
        self._merged = tuple([_numbering(column) for column in kind] for kind in (names, cores))

    def costs(self, columns: Columns) -> Costs:
        """Return what is known of the cost of designs before anything is measured."""
        known = np.array([self.bills.get(row.tobytes(), np.nan) for row in columns.codes])
        measured = ~np.isnan(known)
        return Costs(columns, np.where(measured, known, columns.people - _CENTS), measured)

    def bounded(self, columns: Columns) -> Costs:
        """Return what designs cost at least, by the way their machines are cut; nothing is measured in full."""
        costs = self.costs(columns)
        rows = np.arange(len(columns))
        keys, member = self.groups(columns.codes, 0)
        self._raise(costs, rows, keys, member, np.arange(len(keys)), 0)
        return costs

    def front(self, costs: Costs, among: NDArray[np.bool_] | None = None) -> Rows:
        """Return the rows on the exact front, drawing up the bills that decide it.

        Where those are more than there may be, one front draws up half of those left, evenly spread over it, and is
        that of the designs with a bill; :attr:`unpriced` says how many without one may be on it.

        Args:
            costs: the designs; what is learned is kept in them.
            among: designs to look at; all unless given.
        """
        rows = np.arange(len(costs.columns)) if among is None else np.flatnonzero(among)
        groups = [self.groups(costs.columns.codes[rows], kind) for kind in (0, 1)]
        done = [self._raise_known(costs, rows, keys, member, kind) for kind, (keys, member) in enumerate(groups)]
        room = None if self.most is None else max(0, self.most - len(self.bills) + 1) // 2
        self.unpriced = 0
        while len(rows):
            local = pareto_front(costs.table()[rows]).members
            front: Rows = rows[local]
            if self.stopped():
                return self._best_known(costs, front, front)
            for kind, (keys, member) in enumerate(groups):
                # The bare bound first: it costs less and settles more.
                open_ = np.unique(member[local][~done[kind][member[local]] & ~costs.measured[front]])
                if len(open_):
                    self._raise(costs, rows, keys, member, open_, kind)
                    done[kind][open_] = True
                    break
            else:
                unknown = front[~costs.measured[front]]
                if not len(unknown):
                    return front
                if room is not None and room < len(unknown):
                    if room:
                        self._draw_up(costs, spread(unknown, room))
                    self.unpriced = len(unknown) - room
                    return self._best_known(costs, front, rows)
                before = len(self.refuted)
                self._draw_up(costs, unknown)
                room = None if room is None else room - len(unknown)
                if len(self.refuted) > before:
                    costs.least[~costs.measured] = (costs.columns.people - _CENTS)[~costs.measured]
                    done = [self._raise_known(costs, rows, *group, kind) for kind, group in enumerate(groups)]
        return rows

    def best(
        self,
        costs: Costs,
        worth: Callable[[Floats], Floats],
        among: NDArray[np.bool_],
        held: Callable[[int], bool] = lambda _: True,
    ) -> Rows:
        """Return the row that is worth most, drawing up the bills that decide it; none where none is worth anything.

        Args:
            costs: the designs; what is learned is kept in them.
            worth: from [designs] costs to [designs] what they are worth; less for a higher cost, ``-inf`` for no design
                to be had.
            among: designs to look at.
            held: asked before the bill of a design is drawn up; where it says no, it has taken it out of ``among``.
        """
        rows = np.arange(len(costs.columns))
        if self._looked is None or self._looked[0] is not costs:
            groups = [self.groups(costs.columns.codes, kind) for kind in (0, 1)]
            self._looked = costs, groups, [self._raise_known(costs, rows, *g, kind) for kind, g in enumerate(groups)]
        _, groups, done = self._looked
        while not self.stopped():
            values = np.where(among, worth(costs.least), -np.inf)
            ahead = np.argpartition(-values, min(_AHEAD, len(rows) - 1))[:_AHEAD]
            top = int(np.argmax(values))
            if np.isneginf(values[top]):
                break
            if costs.measured[top]:
                return rows[[top]]
            ahead = ahead[~costs.measured[ahead] & ~np.isneginf(values[ahead])]
            for kind, (keys, member) in enumerate(groups):
                if not done[kind][member[top]]:
                    open_ = np.unique(member[ahead][~done[kind][member[ahead]]])
                    self._raise(costs, rows, keys, member, np.union1d(open_, member[[top]]), kind)
                    done[kind][open_] = done[kind][member[top]] = True
                    break
            else:
                if not held(top):
                    continue
                before = len(self.refuted)
                self._draw_up(costs, rows[[top]])
                if len(self.refuted) > before:
                    costs.least[~costs.measured] = (costs.columns.people - _CENTS)[~costs.measured]
                    done[:] = [self._raise_known(costs, rows, *group, kind) for kind, group in enumerate(groups)]
        return rows[:0]

    def _best_known(self, costs: Costs, front: Rows, among: Rows) -> Rows:
        """Return the front of some designs whose bills are drawn up; who stops before any is still told of a few."""
        if not costs.measured[among].any():
            self._draw_up(costs, front[:_AT_LEAST])
        known: Rows = among[costs.measured[among]]
        return known[pareto_front(costs.table()[known]).members]

    def groups(self, codes: Codes, kind: int) -> tuple[Keys, Rows]:
        """Return the distinct cores of designs, and which each has."""
        merged = np.stack([m[codes[:, layer]] for layer, m in enumerate(self._merged[kind])], axis=1)
        packed = np.ascontiguousarray(merged).view(np.dtype((np.void, merged.shape[1]))).ravel()
        keys, member = np.unique(packed, return_inverse=True)
        return keys, member

    def _raise_known(self, costs: Costs, rows: Rows, keys: Keys, member: Rows, kind: int) -> NDArray[np.bool_]:
        """Raise the lower bounds of designs whose core was met before; return which cores were."""
        known = np.array([self.bounds.get((kind, key.tobytes()), -np.inf) for key in keys])
        columns = costs.columns
        bound = known[member] + columns.people[rows] + columns.hosts[rows] - _CENTS
        costs.least[rows] = np.where(costs.measured[rows], costs.least[rows], np.maximum(costs.least[rows], bound))
        return known > -np.inf

    def _raise(self, costs: Costs, rows: Rows, keys: Keys, member: Rows, open_: Rows, kind: int) -> None:
        """Raise the lower bounds of the designs of some cores."""
        order = np.argsort(member, kind="stable")
        first = np.searchsorted(member[order], open_)
        wanted = [(kind, keys[group].tobytes()) for group in open_]
        missing = [place for place, key in enumerate(wanted) if key not in self.bounds]
        examples = costs.columns.codes[rows[order[first[missing]]]]
        for place, value in zip(missing, self._spread(bounds_of, examples, kind == 0), strict=True):
            self.bounds[wanted[place]] = value
        columns = costs.columns
        for group, key in zip(open_, wanted, strict=True):
            mine = rows[order[slice(*np.searchsorted(member[order], [group, group + 1]))]]
            mine = mine[~costs.measured[mine]]
            bound = self.bounds[key] + columns.people[mine] + columns.hosts[mine] - _CENTS
            costs.least[mine] = np.maximum(costs.least[mine], bound)

    def _draw_up(self, costs: Costs, rows: Rows) -> None:
        """Draw up the bills of designs."""
        codes = costs.columns.codes[rows]
        for row, code, value in zip(rows.tolist(), codes, self._spread(bills_of, codes, None), strict=True):
            bill = round(value + float(costs.columns.people[row]), 2)
            self.bills[code.tobytes()] = bill
            if bill < costs.least[row] - _TOLERANCE:
                self._refute(costs, row, code, bill)
            costs.least[row] = bill
            costs.measured[row] = True

    def _refute(self, costs: Costs, row: int, code: Codes, bill: float) -> None:
        """Lower the bounds of the cores of a design that came out cheaper than they said."""
        self.refuted.append(Refutation(float(costs.least[row]), bill))
        reached = bill - float(costs.columns.people[row]) - float(costs.columns.hosts[row])
        for kind in (0, 1):
            key = (kind, self.groups(code[None, :], kind)[0][0].tobytes())
            self.bounds[key] = min(self.bounds.get(key, reached), reached)

    def _spread(self, work: Callable[..., list[float]], codes: Codes, bare: bool | None) -> Iterable[float]:
        more = () if bare is None else (bare,)
        lots = [lot for lot in np.array_split(codes, max(min(len(codes), 16), len(codes) // _LOT)) if len(lot)]
        if self.executor is None or len(codes) < 4:
            done: Iterable[list[float]] = (work(self.question, lot, *more) for lot in lots)
        else:
            waiting = [self.executor.submit(work, self.question, lot, *more) for lot in lots]
            done = (one.result() for one in waiting)
        values: list[float] = []
        for found in done:
            values += found
            self.told(len(values), len(codes))
        return values


def _numbering(names: Sequence[str]) -> NDArray[np.uint8]:
    """Return [codes] a number for each name; equal names have equal numbers."""
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return np.array([places[name] for name in names], dtype=np.uint8)


def bounds_of(question: Question, codes: Codes, bare: bool) -> list[float]:
    """Return what no design with the core of each of these costs less than, without people and whole machines."""
    sweeper = sweeper_of(question)
    batch: Batch = sweeper.batch(codes)
    return [sweeper.cost.bound(batch.design(row), bare=bare) for row in range(len(codes))]


def bills_of(question: Question, codes: Codes) -> list[float]:
    """Return the cost per month of designs without people."""
    sweeper = sweeper_of(question)
    batch: Batch = sweeper.batch(codes)
    return [float(sweeper.cost.infrastructure(batch.resolved(row))) for row in range(len(codes))]
