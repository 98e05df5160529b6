"""Branch and bound over the whole space: what may still be on the front when only some layers are decided.

Layers are decided one after the other. A design that leaves the rest empty needs no more days, hours, people or
machines than any that decides it, and the most favourable reading of its attack graph says how isolated it can become
at most. Where even that is dominated by a design already measured, nothing that starts this way is looked at. What
remains at the end is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass
from tenancykit.criteria.isolation.beliefs import Beliefs
from tenancykit.criteria.isolation.relaxed import highest_isolation
from tenancykit.design.batch import Batch, Codes, batch_of
from tenancykit.design.numbering import Numbered, numbered
from tenancykit.design.space import common_space
from tenancykit.study.refining import Refiner
from tenancykit.study.sweeping import Floats, Sweeper

ORDER: Final = (
    *("tenancy", "nodes", "runtime", "fleet", "whole", "fraction"),
    *("pod_network", "perimeter", "class", "identity", "encryption", "pod_security", "fabric"),
    *("validation", "mesh", "metrics", "delivery", "queue", "mutation", "logs"),
)
"""Layers decided first: those that cut machines and clusters, those every design must decide, then what isolates."""
_FROM: Final = 6
"""Layers decided before the first bounds: all that machines are cut by."""
_LOT: Final = 50_000
_CENTS: Final = 0.05


@dataclass(frozen=True, eq=False)
class Branched:
    """What may still be on the front.

    Attributes:
        codes: designs, in the codes of the question's space.
        looked_at: partial designs whose bounds were worked out.
        shortened: greatest share by which adding an option shortened the time to patch.
        complete: whether the search came to its end within its budget.
        layers: number of layers decided.
    """

    codes: Codes
    looked_at: int
    shortened: float
    complete: bool
    layers: int

    @property
    def within(self) -> float | None:
        """Nines of isolation by which a design outside may be better, as far as bounds of costs hold; None: unproven.

        A few short jobs shorten the mean job, and with it the wait for somebody who is free, so that an option may
        shorten the time to patch a little: by no more than seen so far in each layer.
        """
        if not self.complete or self.shortened * self.layers >= 1:
            return None
        return math.log10(1 / (1 - self.shortened * self.layers))


class Branching:
    """One branch and bound over the designs that choose the same for every class.

    Args:
        sweeper: measures designs.
        refiner: knows bounds of costs.
        front: [designs x criteria] measured designs with more always better.
        budget: most partial designs to keep at once.
        stopped: asked before each layer.
    """

    def __init__(
        self, sweeper: Sweeper, refiner: Refiner, front: Floats, budget: int, stopped: Callable[[], bool]
    ) -> None:
        self.sweeper, self.refiner, self.front = sweeper, refiner, front
        self.budget, self.stopped = budget, stopped
        space = common_space(sweeper.scenario, sweeper.catalogue, allowed=sweeper.allowed, first=ORDER)
        self.ordered: Numbered = numbered(space)
        self.looked_at, self.shortened = 0, 0.0
        names = [layer for _, layer in sweeper.parts[0].layers]
        self.place = [names.index(layer) for _, layer in self.ordered.layers]
        self.columns = [column if None in column else (*column, None) for column in sweeper.columns]
        self.empty = np.array([column.index(None) for column in self.columns], dtype=np.uint8)

    def run(self) -> Branched:
        """Return the designs that may still be on the front."""
        codes = self.empty[None, :].copy()
        state = np.zeros(1, dtype=np.int64)
        patched = np.zeros(1)
        for depth in range(len(self.place)):
            codes, state, parent, added = self._expanded(depth, codes, state)
            patched = patched[parent]
            if self.stopped() or len(codes) > self.budget:
                return Branched(codes[:0], self.looked_at, self.shortened, complete=False, layers=len(self.place))
            if depth + 1 >= _FROM:
                kept, patched = self._kept(codes, depth, patched, added)
                codes, state = codes[kept], state[kept]
        return Branched(codes, self.looked_at, self.shortened, complete=True, layers=len(self.place))

    def _expanded(
        self, depth: int, codes: Codes, state: NDArray[np.int64]
    ) -> tuple[Codes, NDArray[np.int64], NDArray[np.intp], NDArray[np.bool_]]:
        """Return every way to decide the next layer."""
        following = self.ordered.following[depth][state]
        parent, edge = np.nonzero(following >= 0)
        column, target = self.ordered.columns[depth], self.columns[self.place[depth]]
        recoded = np.array([target.index(option) for option in column], dtype=np.uint8)
        found = codes[parent]
        found[:, self.place[depth]] = recoded[edge]
        added = np.array([option is not None for option in column])[edge]
        return found, following[parent, edge], parent, added

    def _kept(
        self, codes: Codes, depth: int, before: Floats, added: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], Floats]:
        """Return the partial designs that may lead to the front, and their times to patch."""
        undecided = frozenset(
            name
            for place in self.place[depth + 1 :]
            for option in self.columns[place]
            if option is not None
            for name in (option.id, *option.provides)
        )
        rows, patched = [], []
        for start in range(0, len(codes), _LOT):
            lot = slice(start, start + _LOT)
            table, days = self._bounds(codes[lot], undecided)
            known = added[lot] & (before[lot] > 0)
            if known.any():
                share = 1 - days[known] / before[lot][known]
                self.shortened = max(self.shortened, float(share.max()))
            open_ = ~self._beaten(table)
            if open_.any():
                table[open_, 3] = np.minimum(table[open_, 3], self._closer(codes[lot][open_]))
                open_[open_] = ~self._beaten(table[open_])
            rows.append(np.flatnonzero(open_) + start)
            patched.append(days[open_])
        self.looked_at += len(codes)
        return np.concatenate(rows), np.concatenate(patched)

    def _batch(self, codes: Codes) -> Batch:
        return batch_of(self.sweeper.scenario, self.sweeper.catalogue, [self.columns], [codes])

    def _bounds(self, codes: Codes, undecided: frozenset[str]) -> tuple[Floats, Floats]:
        """Return [designs x criteria] the best that may come of each, more always better, and the times to patch."""
        believed = Beliefs.of(self.sweeper.scenario)
        columns = self.sweeper.measure_batch(
            self._batch(codes),
            codes,
            isolation=lambda batch, days: highest_isolation(batch, days, undecided, believed=believed),
        )
        least = columns.people + columns.hosts - _CENTS
        least = least + np.maximum(0.0, self._known(codes, 0))
        return np.stack([columns.isolation, -columns.effort, -columns.operations, -least], axis=1), columns.patch_days

    def _known(self, codes: Codes, kind: int) -> Floats:
        """Return [designs] the bound of each core, worked out where it is not known yet."""
        shown = codes.copy()
        for place, column in enumerate(self.sweeper.columns):
            if None not in column:
                shown[:, place] = np.where(shown[:, place] == len(column), 0, shown[:, place])
        keys, member = self.refiner.groups(shown, kind)
        first = np.unique(member, return_index=True)[1]
        batch: Batch | None = None
        values = np.zeros(len(keys))
        for group, key in enumerate(keys):
            known = self.refiner.bounds.get((kind, key.tobytes()))
            if known is None:
                batch = batch or self._batch(codes[first])
                known = self.sweeper.cost.bound(batch.design(group), bare=kind == 0)
                self.refiner.bounds[kind, key.tobytes()] = known
            values[group] = known
        return values[member]

    def _closer(self, codes: Codes) -> Floats:
        """Return the cost from below by the core as decided so far, negated as in the table."""
        batch = self._batch(codes)
        found: Floats = -(self.sweeper.people(batch) + self.sweeper.cost.hosts(batch) - _CENTS + self._known(codes, 1))
        return found

    def _beaten(self, table: Floats) -> NDArray[np.bool_]:
        """Return [designs] whether a measured design is at least as good in everything and better in something."""
        beaten = np.zeros(len(table), dtype=bool)
        for member in self.front:
            beaten |= (member >= table).all(axis=1) & (member > table).any(axis=1)
        return beaten
