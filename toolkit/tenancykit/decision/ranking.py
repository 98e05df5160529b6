"""Ranking methods over a scaled table: weighted sum, TOPSIS and VIKOR (PROMETHEE II has a module of its own).

All of them honour dominance: a design that is no better anywhere never gets a better rank. Ties share a rank
(1, 2, 2, 4) and are listed by label, so the order of rows never matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Final

import numpy as np

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.scaling import Scaled
from tenancykit.decision.table import Better, FloatArray, IntArray
from tenancykit.decision.weights import Weights

TIE: Final = 1e-12
"""Scores closer than this (relative to the largest score, if above 1) are a tie: rounding never decides a rank."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Designs from best to worst by one method.

    Attributes:
        method: name of the method.
        labels: the designs, in table order.
        scores: [designs] the method's score as published.
        better: whether a higher or lower score is better.
        ranks: [designs] 1 for the best; ties share a rank.
        order: [designs] rows from best to worst, ties by label.
        statement: normalisation and parameters in words.
        details: the method's intermediate numbers by their published names, [designs] each.
        compromise: VIKOR's set of compromise solutions, best first; empty for other methods.
    """

    method: str
    labels: tuple[str, ...]
    scores: FloatArray
    better: Better
    ranks: IntArray
    order: IntArray
    statement: str
    details: Mapping[str, FloatArray] = field(default_factory=dict)
    compromise: tuple[str, ...] = ()

    @property
    def winner(self) -> str:
        """Label of the first design; among ties the first by label."""
        return self.labels[int(self.order[0])]

    @cached_property
    def winners(self) -> tuple[str, ...]:
        """Labels of all designs that share the first rank, by label."""
        return tuple(self.labels[row] for row in self.order[: int((self.ranks == 1).sum())])

    def ordered(self, count: int | None = None) -> tuple[str, ...]:
        """Return the labels from best to worst, at most ``count`` of them."""
        return tuple(self.labels[row] for row in self.order[:count])

    def rank_of(self, label: str) -> int:
        """Return the rank of a design.

        Raises:
            InputError: no design has this label.
        """
        if label not in self.labels:
            raise InputError(Fault(f"ranking by {self.method}", f"no design {label!r}"))
        return int(self.ranks[self.labels.index(label)])


def rank_scores(scores: FloatArray, label_rank: IntArray, better: Better = "higher") -> tuple[IntArray, IntArray]:
    """Return ([designs] ranks with ties sharing the lower number, [designs] rows from best to worst).

    Args:
        scores: [designs] finite scores.
        label_rank: [designs] alphabetical place of each label, which orders the ties.
        better: whether a higher or a lower score is better.
    """
    key = -scores if better == "higher" else scores
    order = np.argsort(key)
    ascending = key[order]
    tolerance = TIE * max(1.0, abs(float(ascending[0])), abs(float(ascending[-1])))
    starts = np.ones(len(key), dtype=np.bool_)
    starts[1:] = np.diff(ascending) > tolerance
    if not starts.all():
        tied = np.flatnonzero(~starts | np.append(~starts[1:], False))
        order[tied] = order[tied[np.lexsort((label_rank[order[tied]], np.cumsum(starts)[tied]))]]
    first = np.flatnonzero(starts)
    ranks = np.empty(len(key), dtype=np.intp)
    ranks[order] = np.repeat(first + 1, np.diff(np.append(first, len(key))))
    return ranks, order


def weighted_scores(scaled: Scaled, weights: Weights) -> FloatArray:
    """Return [designs] the weighted sum of utilities, added column by column so that row order cannot change a bit."""
    total = np.zeros(len(scaled.table))
    for column, weight in enumerate(weights.along(scaled.table.names)):
        if weight:
            total += weight * scaled.utilities[:, column]
    return total


def weighted_sum(scaled: Scaled, weights: Weights) -> Ranking:
    """Return the ranking by weighted sum of utilities; higher is better.

    On a scale with fixed bounds, adding or removing designs changes no score and no order.
    """
    scores = weighted_scores(scaled, weights)
    ranks, order = rank_scores(scores, scaled.table.label_rank)
    return Ranking("weighted sum", scaled.table.labels, scores, "higher", ranks, order, scaled.statement)


def topsis(scaled: Scaled, weights: Weights) -> Ranking:
    """Return the ranking by closeness to the ideal and distance from the anti-ideal; closeness in 0..1.

    With fixed bounds, ideal and anti-ideal are the bounds themselves and values beyond them count as on them, which
    removes TOPSIS's rank reversal (M. S. Garcia-Cascales and M. T. Lamata (2012), Mathematical and Computer Modelling
    56(5-6), 123-132). With a relative scale they are the best and worst of the candidates, as in C.-L. Hwang and
    K. Yoon (1981), Multiple Attribute Decision Making. Where every design is equal the closeness is 0.5.
    """
    values = weights.along(scaled.table.names)
    kept = np.clip(scaled.utilities, scaled.anti_ideal, scaled.ideal)
    to_ideal = np.sqrt((((scaled.ideal - kept) * values) ** 2).sum(axis=1))
    to_worst = np.sqrt((((kept - scaled.anti_ideal) * values) ** 2).sum(axis=1))
    both = to_ideal + to_worst
    closeness = np.where(both > 0, to_worst / np.where(both > 0, both, 1.0), 0.5)
    ranks, order = rank_scores(closeness, scaled.table.label_rank)
    details = {"distance to ideal": to_ideal, "distance to anti-ideal": to_worst}
    statement = f"{scaled.statement}; values clipped to the ideal and anti-ideal"
    return Ranking("TOPSIS", scaled.table.labels, closeness, "higher", ranks, order, statement, details)


def vikor(scaled: Scaled, weights: Weights, majority: float = 0.5) -> Ranking:
    """Return the ranking by VIKOR's Q (lower is better) with S, R and the compromise set.

    S is the weighted regret over all criteria, R the largest single one, Q their mean with weight ``majority`` on S.
    On a relative scale S and R are stretched over the candidates, as in S. Opricovic and G.-H. Tzeng (2004), EJOR
    156(2), 445-455. On a scale with fixed bounds they are stretched over their possible range (S 0..1, R 0..largest
    weight) instead, so that adding or removing designs changes nothing.

    Raises:
        InputError: ``majority`` is not within 0..1.
    """
    if not 0 <= majority <= 1:
        raise InputError(Fault("VIKOR", f"majority weight is {majority}", "a number from 0 to 1"))
    values = weights.along(scaled.table.names)
    span = scaled.ideal - scaled.anti_ideal
    regrets = values * np.where(span > 0, (scaled.ideal - scaled.utilities) / np.where(span > 0, span, 1.0), 0.0)
    group, single = regrets.sum(axis=1), regrets.max(axis=1)
    relative = scaled.depends_on_candidates
    spread_group = _stretch(group, None if relative else (0.0, 1.0))
    spread_single = _stretch(single, None if relative else (0.0, float(values.max())))
    scores = majority * spread_group + (1 - majority) * spread_single
    ranks, order = rank_scores(scores, scaled.table.label_rank, "lower")
    anchor = "S and R stretched over the candidates" if relative else "S and R stretched over their possible range"
    statement = f"{scaled.statement}; {anchor}; majority weight {majority:g}"
    compromise = _compromise(scaled.table.labels, order, scores, group, single)
    details = {"S": group, "R": single}
    labels = scaled.table.labels
    return Ranking("VIKOR", labels, scores, "lower", ranks, order, statement, details, compromise)


def _stretch(values: FloatArray, ends: tuple[float, float] | None) -> FloatArray:
    low, high = ends or (float(values.min()), float(values.max()))
    # Regrets that differ by rounding only must not be stretched into a difference.
    return (values - low) / (high - low) if high - low > TIE else np.zeros_like(values)


def _compromise(
    labels: tuple[str, ...], order: IntArray, scores: FloatArray, group: FloatArray, single: FloatArray
) -> tuple[str, ...]:
    """Return the compromise set of Opricovic and Tzeng (2004): conditions C1 (advantage) and C2 (stability)."""
    if len(order) == 1:
        return (labels[order[0]],)
    first, second = order[0], order[1]
    needed = 1.0 / (len(order) - 1)
    if scores[second] - scores[first] < needed - TIE:
        close = order[scores[order] - scores[first] < needed - TIE]
        return tuple(labels[row] for row in close)
    stable = group[first] <= group.min() + TIE or single[first] <= single.min() + TIE
    return (labels[first],) if stable else (labels[first], labels[second])
