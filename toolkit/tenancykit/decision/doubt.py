"""Samples of what is not known: figures with doubt of their own and in common, and the ends of the scales."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType

import numpy as np

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.table import FloatArray
from tenancykit.decision.value_tree import Leaf, ValueTree

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
    seed: int,
    kin: Sequence[str],
    joint: Mapping[int, FloatArray] | None = None,
    levels: Mapping[int, FloatArray] | None = None,
    only: Collection[int] | None = None,
) -> FloatArray:
    """Return [samples x designs x criteria] values of the criteria under everything that is not known.

    A figure is its value plus a split normal deviate whose P10 and P90 are the interval's ends, part of it common to
    all designs and part of it a design's own. What is a design's own it shares with its kin, and every deviate is drawn
    from a source named after what it belongs to: neither a copy of a design nor any other candidate changes a sample.
    Where draws of a leaf are given, one draw is taken for all designs and all such leaves of a sample, so that what
    designs have in common moves alike.

    Args:
        tree: the value tree.
        figures: [designs x leaves] values, lower ends and upper ends.
        doubt: how they vary together.
        count: number of samples.
        seed: the same seed gives the same samples.
        kin: [designs] name of what each design shares its own doubt with.
        joint: [draws x designs] figures of leaves, by column, drawn together elsewhere.
        levels: [samples x designs] standard normal deviates of what is not a design's own, by column, where designs
            have part of it in common; one for all designs elsewhere.
        only: columns of the leaves that are drawn; all unless given. Values made of others stay 0.
    """
    nodes = np.zeros((count, len(kin), len(tree.criteria)))
    for column, leaf in enumerate(tree.leaves):
        if only is not None and column not in only:
            continue
        if joint is not None and column in joint:
            drawn = joint[column]
            sample = drawn[source_of(seed, "joint").integers(0, len(drawn), count, dtype=np.intp)]
        else:
            common = (levels or {}).get(column)
            if common is None:
                common = source_of(seed, leaf.name).standard_normal((count, 1))
            parts = [part[:, column] for part in figures]
            sample = _deviates(parts, doubt.share(leaf.criterion), common, seed, leaf, kin)
        group = leaf.name.rpartition("/")[0] or leaf.name
        start, end = leaf.function.ends
        shift = source_of(seed, f"ends of {group}").uniform(-doubt.ends, doubt.ends, (2, count, 1)) * abs(end - start)
        nodes[:, :, tree.criteria.index(leaf.criterion)] += leaf.share * leaf.function.value(sample, shift)
    return nodes


def _deviates(
    figures: Sequence[FloatArray], own: float, common: FloatArray, seed: int, leaf: Leaf, kin: Sequence[str]
) -> FloatArray:
    """Return [samples x designs] figures of one leaf."""
    values, low, high = figures
    drawn = {n: source_of(seed, f"{leaf.name} of {n}").standard_normal(len(common)) for n in dict.fromkeys(kin)}
    level = np.sqrt(1 - own) * common + np.sqrt(own) * np.stack([drawn[name] for name in kin], axis=1)
    spread = np.where(level < 0, values - low, high - values) / Z90
    return np.asarray(values + spread * level, dtype=np.float64)


def source_of(seed: int, name: str) -> np.random.Generator:
    """Return where numbers are drawn from for what has a name: whatever else is drawn, the same numbers."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


__all__ = ["Doubt", "sampled_nodes", "source_of"]
