"""Who is first from which exchange rate to which: the exact ranges of one swing within which each design stands."""

from __future__ import annotations

import numpy as np

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.ranking import TIE
from tenancykit.decision.scaling import Scaled
from tenancykit.decision.weights import Weights


@dataclass(frozen=True)
class Reign:
    """A range of one criterion's swing within which a design is first.

    Attributes:
        low: where it begins, as a multiple of the swing as weighed.
        high: where it ends.
        label: the design that is first.
    """

    low: float
    high: float
    label: str


def reigns(scaled: Scaled, weights: Weights, criterion: str, low: float, high: float) -> tuple[Reign, ...]:
    """Return who is first as the worth of one criterion goes from one multiple to another, the others' worth fixed.

    With the others fixed every design's score is a straight line in that worth; the first place is their upper
    envelope. Where stakeholders' exchange rates differ, ask for the range between the lowest and the highest.

    Args:
        scaled: the designs.
        weights: weights whose swings are multiplied.
        criterion: whose worth moves.
        low: smallest multiple.
        high: largest multiple.

    Raises:
        InputError: the criterion is unknown or weighs nothing, or the range is empty.
    """
    column = scaled.table.column(criterion)
    along = weights.along(scaled.table.names)
    if along[column] <= 0:
        raise InputError(Fault(f"worth of {criterion!r}", "is nothing, so it has no multiple", "a weight above 0"))
    if not 0 <= low <= high < np.inf:
        raise InputError(Fault(f"worth of {criterion!r}", f"goes from {low:g} to {high:g}", "0 <= low <= high"))
    slope = along[column] * scaled.utilities[:, column]
    base = scaled.utilities @ along - slope
    rank = scaled.table.label_rank
    at, found = low, []
    while True:
        scores = base + at * slope
        level = np.flatnonzero(scores >= scores.max() - TIE)
        # Of those level here, the one that rises fastest is first from here on.
        first = int(level[np.lexsort((rank[level], -slope[level]))[0]])
        gaining = np.flatnonzero(slope > slope[first] + TIE)
        meets = (base[first] - base[gaining]) / (slope[gaining] - slope[first])
        after = meets[meets > at + TIE]
        end = min(high, float(after.min())) if after.size else high
        found.append(Reign(at, end, scaled.table.labels[first]))
        if end >= high:
            return tuple(found)
        at = end


__all__ = ["Reign", "reigns"]
