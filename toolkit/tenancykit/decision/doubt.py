"""Samples of what is not known: figures with doubt of their own and in common, and the ends of the scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from kubeanswers.errors import Fault, InputError
from tenancykit.decision.table import FloatArray, IntArray
from tenancykit.decision.value_tree import ValueTree

Z90 = 1.2815515655446004
"""Standard normal quantile of 90 %: intervals run from P10 to P90."""


@dataclass(frozen=True)
class Doubt:
    """How figures and ends vary together.

    Attributes:
        own: per criterion, the share of the variance that is each design's own; the rest moves all designs alike.
        ends: how far either end of a scale may lie elsewhere, as a share of the distance between the two, either way.
        own_default: share of criteria that are not named.
    """

    own: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    ends: float = 0.15
    own_default: float = 0.5

    def __post_init__(self) -> None:
        for name, share in {**self.own, "": self.own_default}.items():
            if not 0 <= share <= 1:
                raise InputError(Fault(f"own doubt of {name or 'criteria'!r}", f"is {share}", "a share from 0 to 1"))
        if not 0 <= self.ends < 0.5:
            raise InputError(Fault("doubt about ends", f"is {self.ends}", "a share from 0 to below 0.5"))

    def share(self, criterion: str) -> float:
        """Return the share of a criterion's variance that is each design's own."""
        return self.own.get(criterion, self.own_default)


def sampled_nodes(
    tree: ValueTree,
    figures: Sequence[FloatArray],
    doubt: Doubt,
    count: int,
    rng: np.random.Generator,
    joint: Mapping[int, FloatArray] | None = None,
) -> FloatArray:
    """Return [samples x designs x criteria] values of the criteria under everything that is not known.

    A figure is its value plus a split normal deviate whose P10 and P90 are the interval's ends, part of it common to
    all designs. Where draws of a leaf are given, one draw is taken for all designs and all such leaves of a sample, so
    that what designs have in common moves alike.

    Args:
        tree: the value tree.
        figures: [designs x leaves] values, lower ends and upper ends.
        doubt: how they vary together.
        count: number of samples.
        rng: source of randomness.
        joint: [draws x designs] figures of leaves, by column, drawn together elsewhere.
    """
    values, low, high = figures
    designs = len(values)
    nodes = np.zeros((count, designs, len(tree.criteria)))
    picked: IntArray | None = None
    shifts: dict[str, FloatArray] = {}
    for column, leaf in enumerate(tree.leaves):
        if joint is not None and column in joint:
            drawn = joint[column]
            if picked is None:
                picked = rng.integers(0, len(drawn), count, dtype=np.intp)
            sample = drawn[picked]
        else:
            own = doubt.share(leaf.criterion)
            level = np.sqrt(1 - own) * rng.standard_normal((count, 1)) + np.sqrt(own) * rng.standard_normal(
                (count, designs)
            )
            down, up = (values[:, column] - low[:, column]) / Z90, (high[:, column] - values[:, column]) / Z90
            sample = values[:, column] + np.where(level < 0, down, up) * level
        group = leaf.name.rpartition("/")[0] or leaf.name
        if group not in shifts:
            shifts[group] = rng.uniform(-doubt.ends, doubt.ends, (2, count, 1))
        start, end = leaf.function.ends
        shift = shifts[group] * abs(end - start)
        nodes[:, :, tree.criteria.index(leaf.criterion)] += leaf.share * leaf.function.value(sample, shift)
    return nodes


__all__ = ["Doubt", "sampled_nodes"]
