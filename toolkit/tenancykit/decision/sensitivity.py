"""How much a weight or a value may change before another design wins the weighted sum; exact, not sampled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.decision.ranking import TIE, weighted_scores, weighted_sum
from tenancykit.decision.scaling import Scaled
from tenancykit.decision.table import FloatArray, IntArray
from tenancykit.decision.weights import Weights


@dataclass(frozen=True)
class WeightInterval:
    """The weights of one criterion for which the winner stays first, the others keeping their proportions.

    Attributes:
        criterion: whose weight is moved.
        winner: who stays first.
        current: the weight now.
        low: lowest weight that keeps the winner; 0 when nothing takes over.
        high: highest weight that keeps the winner; 1 when nothing takes over.
        below: who takes over below ``low``; None when nobody does.
        above: who takes over above ``high``; None when nobody does.
    """

    criterion: str
    winner: str
    current: float
    low: float
    high: float
    below: str | None
    above: str | None


@dataclass(frozen=True)
class ValueTip:
    """The change of one cell from which another design is level with the winner, all else equal.

    Attributes:
        label: whose value changes.
        criterion: which value.
        current: the value now, in the criterion's unit.
        tips_at: the value at which the first place is shared.
        change: tips_at - current, in the criterion's unit.
        relative: change as a fraction of the current value; None when that is zero.
        new_winner: who takes over beyond that value.
        within_interval: whether the table's own interval of the cell reaches that value.
        unit: of the values.
    """

    label: str
    criterion: str
    current: float
    tips_at: float
    change: float
    relative: float | None
    new_winner: str
    within_interval: bool
    unit: str = ""


def weight_intervals(scaled: Scaled, weights: Weights) -> tuple[WeightInterval, ...]:
    """Return per criterion the exact interval of its weight within which the winner of the weighted sum stays first.

    When a weight moves to t, the others are multiplied by (1 - t) / (1 - current); if it is 1 now, the others share the
    rest equally. Every score is then a straight line in t, so the interval is where the winner's line is the highest.
    At the ends of the interval the winner shares the first place.
    """
    current = weights.along(scaled.table.names)
    winner = int(weighted_sum(scaled, weights).order[0])
    return tuple(_interval(scaled, current, winner, column) for column in range(len(current)))


def _interval(scaled: Scaled, weights: FloatArray, winner: int, column: int) -> WeightInterval:
    at_one = scaled.utilities[:, column]
    at_zero = scaled.utilities @ _without(weights, column)
    # Lead of the winner over each design at weight 0 and 1; in between it is a straight line.
    lead_zero, lead_one = at_zero[winner] - at_zero, at_one[winner] - at_one
    slope = lead_one - lead_zero
    safe = np.where(np.abs(slope) > TIE, slope, 1.0)
    crossing = np.where(np.abs(slope) > TIE, -lead_zero / safe, np.nan)
    now = float(weights[column])
    rising = (slope > TIE) & (crossing <= now + TIE) & (crossing >= 0)
    falling = (slope < -TIE) & (crossing >= now - TIE) & (crossing <= 1)
    names = scaled.table.labels
    low, high, below, above = 0.0, 1.0, None, None
    if rising.any():
        low, below = _edge(scaled, crossing, rising, highest=True)
    if falling.any():
        high, above = _edge(scaled, crossing, falling, highest=False)
    criterion = scaled.table.names[column]
    # A lead that is only crossed at weight 0 or 1 itself is never lost within the possible weights.
    low, below = (0.0, None) if low <= TIE else (min(low, now), below)
    high, above = (1.0, None) if high >= 1 - TIE else (max(high, now), above)
    return WeightInterval(criterion, names[winner], now, low, high, below, above)


def _edge(scaled: Scaled, crossing: FloatArray, rows: np.ndarray, *, highest: bool) -> tuple[float, str]:
    """Return the crossing nearest to the current weight and who crosses there, the first by label among several."""
    candidates = np.flatnonzero(rows)
    places = crossing[candidates]
    place = float(places.max() if highest else places.min())
    level = candidates[np.abs(places - place) <= TIE]
    first = level[np.argmin(scaled.table.label_rank[level])]
    return place, scaled.table.labels[first]


def _without(weights: FloatArray, column: int) -> FloatArray:
    others = weights.copy()
    others[column] = 0.0
    total = others.sum()
    if total > 0:
        return np.asarray(others / total, dtype=np.float64)
    equal = np.ones_like(weights)
    equal[column] = 0.0
    return np.asarray(equal / max(1.0, equal.sum()), dtype=np.float64)


def value_tips(scaled: Scaled, weights: Weights, limit: int = 100) -> tuple[ValueTip, ...]:
    """Return the single-cell changes that would overturn the winner of the weighted sum, the smallest first.

    For the winner the change for the worse that lets the best rival catch up; for every other design the change for the
    better that lets it catch up. Criteria of weight zero and criteria without width change nothing and are left out.
    The scale is held as it is. Changes are compared in units of utility.

    Args:
        scaled: the designs on a linear scale.
        weights: known weights.
        limit: at most this many rows.

    Raises:
        InputError: the scale is not linear.
    """
    current = weights.along(scaled.table.names)
    order = weighted_sum(scaled, weights).order
    if len(order) == 1:
        return ()
    scores = weighted_scores(scaled, weights)
    gaps = scores[order[0]] - scores
    gaps[gaps <= TIE] = 0.0
    gaps[order[0]] = gaps[order[1]]
    width = scaled.straight_width()
    movable = np.flatnonzero((current > 0) & (width > 0))
    steps = gaps[:, None] / np.where(current[movable] > 0, current[movable], 1.0)
    return tuple(_tips(scaled, order, steps, movable, limit))


def _tips(scaled: Scaled, order: IntArray, steps: FloatArray, movable: IntArray, limit: int) -> Iterator[ValueTip]:
    table, width = scaled.table, scaled.straight_width()
    rows, columns = np.unravel_index(np.arange(steps.size), steps.shape)
    ranked = np.lexsort((columns, table.label_rank[rows], steps.ravel()))[:limit]
    for row, place in zip(rows[ranked], columns[ranked], strict=True):
        column, criterion = int(movable[place]), table.criteria[movable[place]]
        worse = row == order[0]
        now = float(table.values[row, column])
        change = float((-1.0 if worse else 1.0) * criterion.sign * steps[row, place] * width[column])
        tips_at = now + change
        inside = bool(table.low[row, column] <= tips_at <= table.high[row, column])
        relative = change / abs(now) if now else None
        new = table.labels[order[1]] if worse else table.labels[row]
        label = table.labels[row]
        yield ValueTip(label, criterion.name, now, tips_at, change, relative, new, inside, criterion.unit)
