"""Do the methods agree, where do they not, and does a ranking survive the loss of a candidate?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.ranking import Ranking
from tenancykit.decision.table import DecisionTable, FloatArray, IntArray

_MOST_PAIRS: Final = 100


@dataclass(frozen=True)
class Disagreement:
    """One design the methods place differently.

    Attributes:
        label: the design.
        ranks: its rank per method, in the order of the rankings.
        spread: difference between its worst and best rank.
    """

    label: str
    ranks: tuple[int, ...]
    spread: int


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far several rankings of the same designs agree.

    Attributes:
        methods: names of the rankings.
        tau: [methods x methods] Kendall's tau-b, 1 for the same order, -1 for the opposite.
        winners: the designs each method puts first (several where tied).
        disagreements: designs placed differently, largest spread first, then label.
    """

    methods: tuple[str, ...]
    tau: FloatArray
    winners: tuple[tuple[str, ...], ...]
    disagreements: tuple[Disagreement, ...]

    @property
    def weakest(self) -> tuple[str, str, float]:
        """The two methods that agree least, with their tau."""
        rows, columns = np.triu_indices(len(self.methods), 1)
        if not rows.size:
            return self.methods[0], self.methods[0], 1.0
        pair = int(np.argmin(self.tau[rows, columns]))
        row, column = int(rows[pair]), int(columns[pair])
        return self.methods[row], self.methods[column], float(self.tau[row, column])


def agreement(rankings: Sequence[Ranking], names: Sequence[str] | None = None) -> Agreement:
    """Return pairwise agreement and the designs placed differently.

    Args:
        rankings: rankings of the same designs in the same row order.
        names: what to call them; the methods' names unless given (e.g. stakeholders).

    Raises:
        InputError: there is no ranking, or they rank different designs.
    """
    if not rankings or any(ranking.labels != rankings[0].labels for ranking in rankings):
        raise InputError(Fault("agreement", "rankings are missing or rank different designs", "the same designs"))
    called = tuple(names or (ranking.method for ranking in rankings))
    tau = np.eye(len(rankings))
    for row in range(len(rankings)):
        for column in range(row):
            tau[row, column] = tau[column, row] = kendall_tau(rankings[row].ranks, rankings[column].ranks)
    ranks = np.stack([ranking.ranks for ranking in rankings])
    spread = ranks.max(axis=0) - ranks.min(axis=0)
    labels = rankings[0].labels
    differing = sorted(np.flatnonzero(spread), key=lambda row: (-spread[row], labels[row]))
    told = (Disagreement(labels[row], tuple(ranks[:, row].tolist()), int(spread[row])) for row in differing)
    return Agreement(called, tau, tuple(ranking.winners for ranking in rankings), tuple(told))


def kendall_tau(first: IntArray, second: IntArray) -> float:
    """Return Kendall's tau-b between two rankings, in n log^2 n time.

    Ties are corrected for (M. G. Kendall (1945), Biometrika 33(3), 239-251). Two rankings that tie everything agree
    (1); one that ties everything says nothing about another (0).
    """
    count = len(first)
    order = np.lexsort((second, first))
    one, two = np.asarray(first)[order], np.unique(np.asarray(second)[order], return_inverse=True)[1]
    pairs = count * (count - 1) // 2
    tied_one, tied_two = _tied_pairs(one), _tied_pairs(np.sort(two))
    tied_both = _tied_pairs(one * (count + 1) + two)
    if pairs in (tied_one, tied_two):
        return 1.0 if tied_one == tied_two else 0.0
    discordant = _inversions(two)
    concordant = pairs - tied_one - tied_two + tied_both - discordant
    scale = math.sqrt((pairs - tied_one) * (pairs - tied_two))
    return max(-1.0, min(1.0, (concordant - discordant) / scale))


def _tied_pairs(ordered: IntArray) -> int:
    """Return the number of equal pairs in an array whose equal members stand together."""
    edges = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1], [True])))
    sizes = np.diff(edges)
    return int((sizes * (sizes - 1) // 2).sum())


def _inversions(values: IntArray) -> int:
    """Return the number of pairs i < j with values[i] > values[j], merging sorted blocks of doubling width."""
    count, width, found = len(values), 1, 0
    ceiling = int(values.max(initial=0)) + 1
    positions = np.arange(count)
    current = values.astype(np.int64)
    while width < count:
        block = positions // (2 * width)
        keys = block * ceiling + current
        is_left = (positions // width) % 2 == 0
        left, right, right_block = keys[is_left], keys[~is_left], block[~is_left]
        # Left members of a block that are greater than a right member: those up to the block's end minus those <= it.
        ends = np.searchsorted(left, (right_block + 1) * ceiling, side="left")
        found += int((ends - np.searchsorted(left, right, side="right")).sum())
        current = np.sort(keys) - block * ceiling
        width *= 2
    return found


@dataclass(frozen=True)
class Reversal:
    """What dropping one design does to the order of the others.

    Attributes:
        dropped: the design taken out.
        winner_before: first among the others before.
        winner_after: first among the others after.
        flipped: pairs (was above, is now below) among the others, at most 100 of them.
        flips: how many pairs changed places.
    """

    dropped: str
    winner_before: str
    winner_after: str
    flipped: tuple[tuple[str, str], ...]
    flips: int


@dataclass(frozen=True)
class ReversalReport:
    """Whether a method's order depends on designs that are not chosen.

    Attributes:
        method: the method examined.
        dropped: how many designs were dropped, one at a time.
        reversals: the drops that changed the order of the others.
    """

    method: str
    dropped: int
    reversals: tuple[Reversal, ...]

    @property
    def stable(self) -> bool:
        """Whether no drop changed the order of the others."""
        return not self.reversals


def rank_reversal(
    table: DecisionTable, method: Callable[[DecisionTable], Ranking], drop: Sequence[str] | None = None
) -> ReversalReport:
    """Return which designs change the order of the others when they are taken out.

    Args:
        table: the designs; time grows with the cube of their number when all are dropped in turn.
        method: table -> ranking, e.g. ``lambda t: topsis(scale(t, bounds), weights)``.
        drop: the designs to take out one at a time; all unless given.
    """
    full = method(table)
    dropped = tuple(table.labels if drop is None else drop)
    found = []
    for label in dropped if len(table) > 2 else ():
        keep = np.flatnonzero(np.arange(len(table)) != table.row(label))
        after = method(table.take(keep))
        if item := _reversal(label, full, keep, after):
            found.append(item)
    return ReversalReport(full.method, len(dropped), tuple(found))


def _reversal(label: str, full: Ranking, keep: IntArray, after: Ranking) -> Reversal | None:
    before = full.ranks[keep]
    was_above = before[:, None] < before[None, :]
    now_below = after.ranks[:, None] > after.ranks[None, :]
    pairs = np.argwhere(was_above & now_below)
    if not len(pairs):
        return None
    first = next(row for row in full.order if full.labels[row] != label)
    flipped = tuple((after.labels[high], after.labels[low]) for high, low in pairs[:_MOST_PAIRS])
    return Reversal(label, full.labels[first], after.winner, flipped, len(pairs))
