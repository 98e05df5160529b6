"""The designs that lead among many measured ones, each by one of the questions a handful answers.

The front of a space takes isolation as one figure, that of the class most open; weights value what every class and
plane is given. What leads by weights need not be on that front, so it is looked for by itself: as in branch and bound,
designs are looked at in the order of the best they can be, until the first of them has its bill and meets every
requirement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tenancykit.criterion_names import ADDED
from tenancykit.decision.weights import Weights
from tenancykit.study.admission import Admission
from tenancykit.study.refining import Costs, Refiner, Rows
from tenancykit.study.scales import ScaleSet
from tenancykit.study.sweeping import Floats

BUDGET_SHARE = 1.25
"""What may be spent on isolation, where no budget is stated, as a share of the first design's cost. Assumption: a board
that is shown a design for 100 would hear of a safer one for 125."""

_TIE = 1e-6
"""How much the value by weights counts where another figure decides: it parts equals."""


class Leading:
    """Finds the leading designs of one question.

    Args:
        refiner: draws up bounds and bills.
        admission: tells who meets every requirement.
        scales: the value tree of the scenario.
        weights: weights of its criteria.
    """

    def __init__(self, refiner: Refiner, admission: Admission, scales: ScaleSet, weights: Weights) -> None:
        self.refiner, self.admission = refiner, admission
        self.scales, self.weights = scales, weights
        self.budget = admission.scenario.requirements.budget_per_month

    def rows(self, costs: Costs) -> Rows:
        """Return the rows that lead, each once, the first by weights first; none where nobody meets every requirement.

        Those are the best by weights, the cheapest, and within the budget the safest and the least to run.
        """
        return np.array(list(dict.fromkeys(self.each(costs))), dtype=np.intp)

    def each(self, costs: Costs) -> Iterator[int]:
        """Yield the rows that lead, one after the other as they are found: the next may need bounds and bills."""
        merit, safe = self._worth(costs)
        first = self._best(costs, merit)
        if not len(first):
            return
        yield int(first[0])
        operations = costs.columns.operations
        most = float(self.budget) if self.budget is not None else BUDGET_SHARE * float(costs.least[first[0]])
        others: list[Callable[[Floats], Floats]] = [
            lambda least: -least,
            lambda least: np.where(least <= most, safe, -np.inf),
            lambda least: np.where(least <= most, -operations, -np.inf),
        ]
        for worth in others:
            yield from self._best(costs, partial(_parted, worth, merit)).tolist()

    def of_kinds(self, costs: Costs, kinds: Rows) -> Rows:
        """Return the row that is best by weights of each kind of design, the best kind first.

        Args:
            costs: the designs.
            kinds: [designs] of which kind each is.
        """
        merit, _ = self._worth(costs)
        found = [self._best(costs, partial(_only, kinds == kind, merit)) for kind in np.unique(kinds)]
        rows = np.concatenate([np.zeros(0, dtype=np.intp), *found])
        best: Rows = rows[np.argsort(-merit(costs.least)[rows], kind="stable")]
        return best

    def _worth(self, costs: Costs) -> tuple[Callable[[Floats], Floats], Floats]:
        """Return what gives designs' value by weights from their cost, and how safe they are."""
        columns, tree = costs.columns, self.scales.tree
        added = np.array([self.scales[name].best for name in ADDED])
        plain = np.stack([columns.effort, columns.operations, np.zeros(len(columns))], axis=1)
        figures = np.concatenate([plain, np.tile(added, (len(columns), 1)), columns.nines], axis=1)
        paid = [leaf.name for leaf in tree.leaves].index("cost")
        shares = tree.leaf_weights(self.weights)
        values = tree.leaf_values(figures)
        unpaid = np.delete(values, paid, axis=1) @ np.delete(shares, paid)
        of_cost = tree.leaves[paid].function
        safe = values @ tree.shares[:, tree.criteria.index("isolation")]

        def merit(least: Floats) -> Floats:
            return np.asarray(unpaid + shares[paid] * of_cost.value(least), dtype=np.float64)

        return merit, safe

    def _best(self, costs: Costs, worth: Callable[[Floats], Floats]) -> Rows:
        return self.admission.best(self.refiner, costs, worth)


def _only(mine: NDArray[np.bool_], merit: Callable[[Floats], Floats], least: Floats) -> Floats:
    """Return what designs of one kind are worth by weights; the others are not to be had."""
    return np.where(mine, merit(least), -np.inf)


def _parted(worth: Callable[[Floats], Floats], merit: Callable[[Floats], Floats], least: Floats) -> Floats:
    """Return what designs are worth, equals parted by their value under the weights."""
    return np.asarray(worth(least) + _TIE * merit(least), dtype=np.float64)


__all__ = ["BUDGET_SHARE", "Leading"]
