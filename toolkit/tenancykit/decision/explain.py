"""Why one design beats another, what the other would need, and what is near it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.decision.pareto import pareto_front
from tenancykit.decision.ranking import TIE, weighted_scores
from tenancykit.decision.scaling import Scaled
from tenancykit.decision.table import DecisionTable, FloatArray, change_text, figure, figures_apart
from tenancykit.decision.weights import Weights


@dataclass(frozen=True)
class Contribution:
    """What one criterion adds to the lead of one design over another.

    Attributes:
        criterion: which one.
        first: value of the design that is explained.
        second: value of the other.
        weight: weight of the criterion.
        amount: weight times difference in utility; positive speaks for the first. The amounts add up to the lead.
        unit: of the values.
    """

    criterion: str
    first: float
    second: float
    weight: float
    amount: float
    unit: str = ""

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{self.criterion} ({' against '.join(figures_apart(self.first, self.second))}{unit}, {self.amount:+.3f})"
        )


@dataclass(frozen=True)
class Need:
    """What alone would let the second design draw level.

    Attributes:
        criterion: whose value or weight has to change.
        kind: value of the second design, or weight of the criterion (the other weights keep their proportions).
        current: the number now.
        needed: the number at which both score the same.
        unit: of the numbers; empty for weights.
    """

    criterion: str
    kind: str
    current: float
    needed: float
    unit: str = ""

    @property
    def change(self) -> float:
        """Change as a fraction of the current number; infinite when that is zero."""
        return (self.needed - self.current) / abs(self.current) if self.current else float("inf")

    def __str__(self) -> str:
        if self.kind == "weight":
            way = "dropped to" if self.needed < self.current else "rose to"
            needed = f"{self.needed:.2f}" if round(self.needed, 2) else figure(self.needed)
            return f"the weight of {self.criterion} {way} {needed} (now {self.current:.2f})"
        unit = f" {self.unit}" if self.unit else ""
        told = f", {change_text(self.change)}" if self.current else ""
        way = "fell to" if self.needed < self.current else "rose to"
        needed, current = figures_apart(self.needed, self.current)
        return f"its {self.criterion} {way} {needed}{unit} (now {current}{told})"


@dataclass(frozen=True)
class Why:
    """Why the first design stands before (or behind, or level with) the second in the weighted sum.

    Attributes:
        first: the design that is explained.
        second: the other.
        lead: score of the first minus that of the second.
        contributions: per criterion, the largest amount first.
        needs: what alone would make the trailing design draw level, values before weights, the smallest change first.
    """

    first: str
    second: str
    lead: float
    contributions: tuple[Contribution, ...]
    needs: tuple[Need, ...]

    @property
    def reasons_for(self) -> tuple[Contribution, ...]:
        """Criteria that speak for the first design, the strongest first."""
        return tuple(item for item in self.contributions if item.amount > TIE)

    @property
    def reasons_against(self) -> tuple[Contribution, ...]:
        """Criteria that speak for the second design, the strongest first."""
        return tuple(item for item in reversed(self.contributions) if item.amount < -TIE)

    def __str__(self) -> str:
        if abs(self.lead) <= TIE:
            return f"{self.first} and {self.second} are level"
        verb, because, although = "beats", self.reasons_for, self.reasons_against
        if self.lead < 0:
            verb, because, although = "loses to", self.reasons_against, self.reasons_for
        text = f"{self.first} {verb} {self.second} by {abs(self.lead):.3f} because of {_listed(because)}"
        if although:
            text += f", although {_listed(although)} {'speaks' if len(although) == 1 else 'speak'} against it"
        trailing = self.second if self.lead > 0 else self.first
        nearest = [needs[0] for kind in ("value", "weight") if (needs := [n for n in self.needs if n.kind == kind])]
        if nearest:
            text += f"; {trailing} would draw level if {' or '.join(map(str, nearest))}"
        return text


def why(scaled: Scaled, weights: Weights, first: str, second: str) -> Why:
    """Return the signed contributions to the lead of one design over another, and what the trailing one would need.

    Args:
        scaled: the designs; values needed to draw level are told only on a linear scale.
        weights: known weights.
        first: the design to explain.
        second: the design to compare it with.

    Raises:
        InputError: a design is unknown.
    """
    table = scaled.table
    one, two = table.row(first), table.row(second)
    along = weights.along(table.names)
    amounts = along * (scaled.utilities[one] - scaled.utilities[two])
    told = [
        Contribution(
            criterion.name,
            float(table.values[one, column]),
            float(table.values[two, column]),
            float(along[column]),
            float(amounts[column]),
            criterion.unit,
        )
        for column, criterion in enumerate(table.criteria)
    ]
    scores = weighted_scores(scaled, weights)
    lead = float(scores[one] - scores[two])
    ahead, behind = (one, two) if lead >= 0 else (two, one)
    needs: tuple[Need, ...] = ()
    if abs(lead) > TIE:
        found = [*_value_needs(scaled, along, behind, abs(lead)), *_weight_needs(scaled, along, ahead, behind)]
        needs = tuple(sorted(found, key=lambda need: (need.kind, abs(need.change))))
    return Why(first, second, lead, tuple(sorted(told, key=lambda item: -item.amount)), needs)


def _value_needs(scaled: Scaled, weights: FloatArray, behind: int, lead: float) -> Iterator[Need]:
    if scaled.width is None:
        return
    for column, criterion in enumerate(scaled.table.criteria):
        if weights[column] > 0 and scaled.width[column] > 0:
            now = float(scaled.table.values[behind, column])
            change = criterion.sign * lead / float(weights[column]) * float(scaled.width[column])
            if now + change < 0 <= float(scaled.table.values[:, column].min()):
                continue  # what is never below nothing, such as hours, cannot fall there
            yield Need(criterion.name, "value", now, now + change, criterion.unit)


def _weight_needs(scaled: Scaled, weights: FloatArray, ahead: int, behind: int) -> Iterator[Need]:
    differences = scaled.utilities[ahead] - scaled.utilities[behind]
    for column, name in enumerate(scaled.table.names):
        now = float(weights[column])
        if now >= 1:
            continue
        rest = float(weights @ differences - now * differences[column]) / (1.0 - now)
        slope = float(differences[column]) - rest
        needed = -rest / slope if abs(slope) > TIE else -1.0
        if 0 <= needed <= 1:
            yield Need(name, "weight", now, needed)


@dataclass(frozen=True)
class Neighbour:
    """A design that saves something and gives up nothing that has to be kept.

    Attributes:
        label: the design.
        saves: improvement on the criterion that was to be improved, in its unit; positive.
        gives_up: what gets worse elsewhere, (criterion, amount in its unit), in column order.
    """

    label: str
    saves: float
    gives_up: tuple[tuple[str, float], ...]


def neighbours(
    table: DecisionTable, label: str, improve: str, keep: Sequence[str], count: int = 3
) -> tuple[Neighbour, ...]:
    """Return the designs better on one criterion and no worse on those to keep, the smallest improvement first.

    For example the next cheaper design that keeps the isolation. Ties by label.

    Raises:
        InputError: a design or criterion is unknown.
    """
    row, column = table.row(label), table.column(improve)
    kept = [table.column(name) for name in keep]
    better = table.oriented - table.oriented[row]
    rows = np.flatnonzero((better[:, column] > 0) & (better[:, kept] >= 0).all(axis=1))
    nearest = rows[np.lexsort((table.label_rank[rows], better[rows, column]))][:count]
    return tuple(
        Neighbour(
            table.labels[other],
            float(better[other, column]),
            tuple(
                (name, float(-better[other, place]))
                for place, name in enumerate(table.names)
                if better[other, place] < 0
            ),
        )
        for other in nearest
    )


@dataclass(frozen=True)
class Step:
    """One step up the efficient frontier of two criteria: what is spent and what it buys.

    Attributes:
        cheaper: the design one step down.
        dearer: the design one step up.
        spent: what the step costs on the first criterion, in its unit; positive.
        gained: what it improves on the second, in its unit; positive.
        rate: gained per unit spent.
    """

    cheaper: str
    dearer: str
    spent: float
    gained: float
    rate: float


def frontier(table: DecisionTable, spend: str, gain: str) -> tuple[Step, ...]:
    """Return the steps of the efficient frontier between two criteria, from the least spent to the most gained.

    The last euro spent on a design buys the rate of the step that ends at it. Of designs equal on both criteria the
    first by label stands for all.

    Raises:
        InputError: a criterion is unknown.
    """
    columns = [table.column(spend), table.column(gain)]
    values = table.oriented[:, columns]
    members = pareto_front(values).members
    ordered = members[np.lexsort((table.label_rank[members], -values[members, 0]))]
    first = np.concatenate(([True], np.diff(values[ordered, 0]) != 0))
    ladder = ordered[first]
    steps = []
    for low, high in pairwise(ladder):
        spent, gained = float(values[low, 0] - values[high, 0]), float(values[high, 1] - values[low, 1])
        steps.append(Step(table.labels[low], table.labels[high], spent, gained, gained / spent))
    return tuple(steps)


def last_step(table: DecisionTable, label: str, spend: str, gain: str) -> Step | None:
    """Return what the last unit spent on a design buys: the frontier step that ends at it.

    None when the design is the least spent on the frontier, or not on the frontier at all (something else gives as much
    for less). A design equal on both criteria to one on the frontier is on it.
    """
    columns = [table.column(spend), table.column(gain)]
    own = table.values[table.row(label), columns]
    for step in frontier(table, spend, gain):
        if (table.values[table.row(step.dearer), columns] == own).all():
            return step
    return None


def _listed(items: Sequence[Contribution]) -> str:
    return ", ".join(map(str, items))
