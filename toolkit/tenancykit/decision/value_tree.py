"""The value tree: leaves with scales of their own below each criterion, combined by shares, whoever the candidates are.

An additive multi-attribute value model (R. L. Keeney and H. Raiffa (1976), Decisions with Multiple Objectives, chapter
3). Nothing in it depends on the candidates, so that adding or removing one changes no value of another: global scaling
in the sense of J. P. Monat (2009), The benefits of global scaling in multi-criteria decision analysis, Judgment and
Decision Making 4(6), 492-508. Weights are swings over the leaves' ends, since a weight means nothing without its range:
G. W. Fischer (1995), Range sensitivity of attribute weights in multiattribute value models, Organizational Behavior and
Human Decision Processes 62(3), 252-266.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.decision.table import FloatArray
from tenancykit.decision.value_functions import ValueFunction
from tenancykit.decision.weights import Weights
from tenancykit.sentences import three_digits

_SHARES: Final = 1e-9


@dataclass(frozen=True)
class Leaf:
    """One figure that is valued.

    Attributes:
        name: unique name, such as ``cost`` or ``isolation/basic/network``.
        criterion: the criterion it is part of.
        share: its share of the criterion; the shares of a criterion add up to 1.
        function: from the figure to its value.
        unit: unit of the figure.
    """

    name: str
    criterion: str
    share: float
    function: ValueFunction
    unit: str = ""


@dataclass(frozen=True)
class ValueTree:
    """Criteria with leaves below them.

    Attributes:
        criteria: the criteria, in the order of their weights.
        leaves: the leaves, in the order of the figures' columns.
        silent: criteria that do not discriminate and weigh nothing, with the reason in words.
    """

    criteria: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    silent: Mapping[str, str]

    def __post_init__(self) -> None:
        faults = [*self._faults()]
        if faults:
            raise InputError(faults)

    def _faults(self) -> Iterator[Fault]:
        names = [leaf.name for leaf in self.leaves]
        if len(set(names)) != len(names):
            yield Fault("value tree", "two leaves share a name", "distinct names")
        for leaf in self.leaves:
            if leaf.criterion not in self.criteria:
                cure = did_you_mean(leaf.criterion, self.criteria)
                yield Fault(f"leaf {leaf.name!r}", f"no criterion {leaf.criterion!r}", ", ".join(self.criteria), cure)
        for criterion in self.criteria:
            shares = [leaf.share for leaf in self.leaves if leaf.criterion == criterion]
            if not shares and criterion in self.silent:
                continue
            if min(shares, default=-1.0) < 0 or abs(sum(shares) - 1) > _SHARES:
                yield Fault(f"shares of {criterion!r}", f"add up to {sum(shares):.6g}", "zero or more, a sum of 1")

    @cached_property
    def shares(self) -> FloatArray:
        """[leaves x criteria] share of each leaf in its criterion."""
        found = np.zeros((len(self.leaves), len(self.criteria)))
        for row, leaf in enumerate(self.leaves):
            found[row, self.criteria.index(leaf.criterion)] = leaf.share
        return found

    def columns(self, criterion: str) -> list[int]:
        """Return the columns of a criterion's leaves."""
        return [column for column, leaf in enumerate(self.leaves) if leaf.criterion == criterion]

    def leaf_values(self, figures: FloatArray) -> FloatArray:
        """Return [... x leaves] the value of each figure."""
        values = np.empty(figures.shape)
        for column, leaf in enumerate(self.leaves):
            values[..., column] = leaf.function.value(figures[..., column])
        return values

    def node_values(self, figures: FloatArray) -> FloatArray:
        """Return [... x criteria] the value of each criterion, added leaf by leaf so that row order changes no bit."""
        values = self.leaf_values(figures)
        found = np.zeros((*figures.shape[:-1], len(self.criteria)))
        for column, leaf in enumerate(self.leaves):
            found[..., self.criteria.index(leaf.criterion)] += leaf.share * values[..., column]
        return found

    def heard(self, weights: Weights) -> Weights:
        """Return the weights with those of silent criteria at 0 and the others in proportion.

        Where nothing but silent criteria weighs anything, the weights stay as they are: every design is level.
        """
        values = np.array([0.0 if name in self.silent else weights[name] for name in self.criteria])
        if not self.silent or not values.any():
            return weights
        return Weights(self.criteria, values / values.sum(), weights.origin)

    def leaf_weights(self, weights: Weights) -> FloatArray:
        """Return [leaves] the weight of each leaf: the criterion's by the leaf's share."""
        return np.asarray(self.shares @ self.heard(weights).along(self.criteria), dtype=np.float64)

    def score(self, figures: FloatArray, weights: Weights) -> FloatArray:
        """Return [...] the value of designs by their figures [... x leaves]."""
        along = self.heard(weights).along(self.criteria)
        nodes = self.node_values(figures)
        total = np.zeros(figures.shape[:-1])
        for column, weight in enumerate(along):
            if weight:
                total += weight * nodes[..., column]
        return total

    def beyond(self, figures: FloatArray, labels: Sequence[str]) -> Iterator[str]:
        """Yield in words which figures [designs x leaves] lie beyond an end, where they are extrapolated."""
        for column, leaf in enumerate(self.leaves):
            worst, best = leaf.function.ends
            sign = 1.0 if best > worst else -1.0
            short = np.flatnonzero(sign * figures[:, column] < sign * worst)
            if len(short):
                told = ", ".join(labels[row] for row in short[:3]) + (" and others" if len(short) > 3 else "")
                yield f"{leaf.name}: {told} below the end of {three_digits(worst)} {leaf.unit}, extrapolated".rstrip()


__all__ = ["Leaf", "ValueTree"]
