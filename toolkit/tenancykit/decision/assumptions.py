"""Assumptions behind the table: the smallest change of each that overturns the decision, and the tornado."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.ranking import TIE, weighted_scores, weighted_sum
from tenancykit.decision.scaling import Scaled
from tenancykit.decision.table import DecisionTable, FloatArray, amount, as_floats, change_text, reach
from tenancykit.decision.weights import Weights

_STEPS: Final = 60
_PRECISE: Final = 1e-9
"""What is left of the lead, or of the bracket, when a tipping point is near enough."""


@dataclass(frozen=True, eq=False)
class Assumption:
    """A number behind the table that might be different.

    Attributes:
        name: what it is.
        current: the number used.
        low: lowest plausible number.
        high: highest plausible number.
        slope: [designs x criteria] change of the table per unit of the number, when the effect is linear.
        effect: number -> [designs x criteria] values, when it is not; exactly one of slope and effect is given.
        unit: of the number, for texts only.
        id: what data knows it by; empty where nothing but its name does.
    """

    name: str
    current: float
    low: float
    high: float
    slope: FloatArray | None = None
    effect: Callable[[float], FloatArray] | None = None
    unit: str = ""
    id: str = ""

    def __post_init__(self) -> None:
        where = f"assumption {self.name!r}"
        numbers = (self.low, self.current, self.high)
        if not (np.isfinite(numbers).all() and self.low <= self.current <= self.high):
            what = f"low, current and high are {self.low:g}, {self.current:g}, {self.high:g}"
            raise InputError(Fault(where, what, "finite numbers in ascending order"))
        if (self.slope is None) == (self.effect is None):
            raise InputError(Fault(where, "has both or neither of slope and effect", "exactly one of them"))

    def values(self, table: DecisionTable, number: float) -> FloatArray:
        """Return [designs x criteria] the table's values if the number were this one.

        Raises:
            InputError: the result has the wrong shape or is not finite.
        """
        if self.effect is not None:
            found = as_floats(self.effect(number), f"assumption {self.name!r}")
        else:
            slope = as_floats(self.slope if self.slope is not None else (), f"assumption {self.name!r}")
            if slope.shape != table.values.shape:
                what = f"slope has shape {slope.shape}"
                raise InputError(Fault(f"assumption {self.name!r}", what, str(table.values.shape)))
            found = table.values + (number - self.current) * slope
        if found.shape != table.values.shape or not np.isfinite(found).all():
            what = f"gives a table of shape {found.shape} or a value that is not finite at {number:g}"
            raise InputError(Fault(f"assumption {self.name!r}", what, f"finite numbers, {table.values.shape}"))
        return found


@dataclass(frozen=True)
class Standing:
    """Who is first under some inputs, and how clearly.

    Attributes:
        winner: the first design.
        lead: the original winner's score minus that of its best rival; negative once it has been overtaken.
    """

    winner: str
    lead: float


@dataclass(frozen=True)
class TippingPoint:
    """The smallest change of an assumption that overturns the decision.

    Attributes:
        name: the assumption.
        current: the number used.
        tips_at: the nearest number at which the first place is shared; None when there is none in the range searched.
        change: tips_at - current.
        relative: change as a fraction of the current number; None when that is zero.
        new_winner: who takes over beyond it.
        plausible: whether it lies between the assumption's low and high.
        exact: True for a linear effect; False when found by scanning, which can miss a change between two grid points.
        searched: the range of numbers searched.
        unit: of the number.
        id: what data knows the assumption by.
    """

    name: str
    current: float
    tips_at: float | None
    change: float | None
    relative: float | None
    new_winner: str | None
    plausible: bool
    exact: bool
    searched: tuple[float, float]
    unit: str = ""
    id: str = ""

    def __str__(self) -> str:
        if self.tips_at is None:
            low, high = self.searched
            return f"{self.name}: nothing from {reach(low, high, self.unit)} overturns the decision"
        told = "" if self.relative is None else f" ({change_text(self.relative)})"
        plausible = "plausible" if self.plausible else "beyond the plausible range"
        return f"{self.name}: at {amount(self.tips_at, self.unit)}{told} {self.new_winner} draws level; {plausible}"


@dataclass(frozen=True)
class TornadoRow:
    """What the plausible range of one assumption does to the winner's lead.

    Attributes:
        name: the assumption.
        low_input: its lowest plausible number.
        high_input: its highest plausible number.
        lead_at_low: lead of the present winner at the lowest number.
        lead_at_high: lead of the present winner at the highest number.
        lead: the lead now.
        swing: distance between the two leads.
        winner_at_low: who is first at the lowest number.
        winner_at_high: who is first at the highest number.
        unit: of the number.
        id: what data knows the assumption by.
    """

    name: str
    low_input: float
    high_input: float
    lead_at_low: float
    lead_at_high: float
    lead: float
    swing: float
    winner_at_low: str
    winner_at_high: str
    unit: str = ""
    id: str = ""


def standing(scaled: Scaled, weights: Weights, values: FloatArray, winner: int) -> Standing:
    """Return who wins the weighted sum with other values on the same scale, and the lead of the given row."""
    scores = scaled.to_utility(values) @ weights.along(scaled.table.names)
    rivals = np.delete(scores, winner)
    lead = float(scores[winner] - rivals.max()) if rivals.size else float("inf")
    top = np.flatnonzero(scores >= scores.max() - TIE)
    first = winner if winner in top else int(top[np.argmin(scaled.table.label_rank[top])])
    return Standing(scaled.table.labels[first], lead)


def tornado(scaled: Scaled, weights: Weights, assumptions: Sequence[Assumption]) -> tuple[TornadoRow, ...]:
    """Return the winner's lead at both ends of every assumption, the largest swing first, ties by name.

    The scale is held as it is; needs at least two designs for a lead.

    Raises:
        InputError: an assumption does not fit the table, or there is a single design.
    """
    winner = _winner(scaled, weights)
    now = standing(scaled, weights, scaled.table.values, winner).lead
    rows = []
    for assumption in assumptions:
        ends = [assumption.values(scaled.table, number) for number in (assumption.low, assumption.high)]
        low, high = (standing(scaled, weights, values, winner) for values in ends)
        rows.append(
            TornadoRow(
                assumption.name,
                assumption.low,
                assumption.high,
                low.lead,
                high.lead,
                now,
                abs(high.lead - low.lead),
                low.winner,
                high.winner,
                assumption.unit,
                assumption.id,
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.swing, row.name)))


def tipping_points(
    scaled: Scaled,
    weights: Weights,
    assumptions: Sequence[Assumption],
    *,
    search: float = 1.0,
    grid: int = 64,
) -> tuple[TippingPoint, ...]:
    """Return for every assumption the nearest number that overturns the decision, the smallest change first.

    Linear effects are solved exactly. Other effects are scanned on a grid to both sides and then refined. The range
    searched reaches from low to high, widened on both sides by ``search`` times that width. Assumptions that overturn
    nothing come last; the order of the others is by change as a share of the plausible width.

    Args:
        scaled: the designs on a linear scale, which is held as it is.
        weights: known weights.
        assumptions: what might be different.
        search: how far beyond the plausible range to look, as a multiple of its width.
        grid: number of steps to each side for effects that are not linear.

    Raises:
        InputError: an assumption does not fit the table, or there is a single design.
    """
    winner = _winner(scaled, weights)
    found = [_tipping_point(scaled, weights, item, winner, search=search, grid=grid) for item in assumptions]
    widths = {item.name: (item.high - item.low) or abs(item.current) or 1.0 for item in assumptions}
    never = float("inf")
    return tuple(
        sorted(found, key=lambda tip: (never if tip.change is None else abs(tip.change) / widths[tip.name], tip.name))
    )


def _winner(scaled: Scaled, weights: Weights) -> int:
    if len(scaled.table) < 2:
        raise InputError(Fault("sensitivity", "needs a rival", "at least two designs"))
    return int(weighted_sum(scaled, weights).order[0])


def _tipping_point(
    scaled: Scaled, weights: Weights, assumption: Assumption, winner: int, *, search: float, grid: int
) -> TippingPoint:
    margin = search * (assumption.high - assumption.low)
    searched = (assumption.low - margin, assumption.high + margin)
    exact = assumption.slope is not None
    if exact:
        options = _linear(scaled, weights, assumption, winner, searched)
    else:
        options = [*_scan(scaled, weights, assumption, winner, searched=searched, grid=grid)]
    best = min(options, key=lambda item: (abs(item[0] - assumption.current), item[0]), default=None)
    at, new = best or (None, None)
    change = None if at is None else at - assumption.current
    return TippingPoint(
        name=assumption.name,
        current=assumption.current,
        tips_at=at,
        change=change,
        relative=change / abs(assumption.current) if change is not None and assumption.current else None,
        new_winner=new,
        plausible=at is not None and assumption.low <= at <= assumption.high,
        exact=exact,
        searched=searched,
        unit=assumption.unit,
        id=assumption.id,
    )


def _linear(
    scaled: Scaled, weights: Weights, assumption: Assumption, winner: int, searched: tuple[float, float]
) -> list[tuple[float, str]]:
    """Return (number, rival) where a straight lead reaches zero, nearest on each side."""
    stepped = assumption.values(scaled.table, assumption.current + 1.0)
    along = weights.along(scaled.table.names)
    gain = (scaled.to_utility(stepped) - scaled.utilities) @ along
    scores = weighted_scores(scaled, weights)
    lead, drift = scores[winner] - scores, gain - gain[winner]
    movers = np.flatnonzero(np.abs(drift) > TIE)
    steps = np.maximum(lead[movers], 0.0) / drift[movers]
    numbers = assumption.current + steps
    kept = (numbers >= searched[0]) & (numbers <= searched[1]) & (movers != winner)
    rank = scaled.table.label_rank
    ordered = sorted(zip(numbers[kept], movers[kept], strict=True), key=lambda item: (item[0], rank[item[1]]))
    return [(float(number), scaled.table.labels[row]) for number, row in ordered]


def _scan(
    scaled: Scaled, weights: Weights, assumption: Assumption, winner: int, *, searched: tuple[float, float], grid: int
) -> Iterator[tuple[float, str]]:
    """Yield (number, rival) of the first change of winner to each side, refined to where the lead is lost."""
    original = scaled.table.labels[winner]

    def look(number: float) -> Standing:
        return standing(scaled, weights, assumption.values(scaled.table, number), winner)

    for end in searched:
        inside = (assumption.current, look(assumption.current))
        for number in np.linspace(assumption.current, end, grid + 1)[1:].tolist():
            outside = (number, look(number))
            if outside[1].winner != original:
                yield _edge(look, original, inside, outside)
                break
            inside = outside


def _edge(
    look: Callable[[float], Standing], original: str, inside: tuple[float, Standing], outside: tuple[float, Standing]
) -> tuple[float, str]:
    """Return (number, rival) where the lead is lost, between a number that keeps it and one that does not.

    False position by the lead (Illinois), with a bisection every third step; an effect may take a fifth of a second to
    work out, and half as many steps as digits are enough where the lead runs smoothly.
    """
    kept, lost = inside[1].lead, outside[1].lead
    least = abs(outside[0] - inside[0]) * _PRECISE
    for step in range(_STEPS):
        if abs(outside[0] - inside[0]) <= least or abs(outside[1].lead) <= _PRECISE:
            break
        share = 0.5 if step % 3 == 2 or kept <= lost else kept / (kept - lost)
        number = inside[0] + min(max(share, _PRECISE), 1 - _PRECISE) * (outside[0] - inside[0])
        found = look(number)
        if found.winner == original:
            inside, kept, lost = (number, found), found.lead, lost / 2
        else:
            outside, lost, kept = (number, found), found.lead, kept / 2
    return outside[0], outside[1].winner
