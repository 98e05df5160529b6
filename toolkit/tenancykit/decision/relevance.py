"""Which uncertainty matters for the choice: what knowing it would add to the chance of choosing right.

For an input X the relevance is E[max_i P(i is first | X)] - max_i P(i is first): the rise in the probability of picking
the design that turns out first, if X were known before picking. It is the expected value of partial perfect
information (J. C. Felli and G. B. Hazen (1998), Medical Decision Making 18(1), 95-109) for a payoff of one when right.
X is cut into ten quantile classes; the pick per class is made on one half of the samples and judged on the other, so
noise does not look like information.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.decision.sampling import Cells
from tenancykit.decision.table import FloatArray, IntArray, figure

_CLASSES: Final = 10
_VARIES: Final = 1e-12
_MOST_TURNS: Final = 3


@dataclass(frozen=True)
class Relevance:
    """How much knowing one input would help to choose.

    Attributes:
        kind: a weight, a cell of the table, a criterion of all designs at once, or a named assumption.
        name: the criterion or the assumption.
        label: the design of a cell; empty otherwise.
        gain: rise in the probability of choosing the design that turns out first, 0..1.
        favourite: the favourite when the input is at its lowest.
        turns: (input value in its own unit, favourite from there on), ascending; empty when it never changes.
        unit: unit of the input.
    """

    kind: Literal["weight", "cell", "criterion", "assumption"]
    name: str
    label: str
    gain: float
    favourite: str
    turns: tuple[tuple[float, str], ...]
    unit: str = ""

    @property
    def question(self) -> str:
        """The input as the question that would have to be answered."""
        if self.kind == "weight":
            asked = f"How much should {self.name} weigh?"
        elif self.kind == "cell":
            asked = f"What is the {self.name} of {self.label} really?"
        else:
            asked = f"What will {self.name} really be?"
        if not self.turns:
            return asked
        unit = f" {self.unit}" if self.unit else ""
        first, *others = self.turns
        told = f"Below about {figure(first[0])}{unit} {self.favourite} leads, above it {first[1]}"
        more = "".join(f", above {figure(at)}{unit} {label}" for at, label in others[: _MOST_TURNS - 1])
        return f"{asked} {told}{more}."


def relevances(
    cells: Cells,
    strong: IntArray,
    values: FloatArray,
    weights: FloatArray,
    *,
    first: IntArray,
    assumptions: Mapping[str, FloatArray],
) -> tuple[Relevance, ...]:
    """Return the inputs by their relevance, the largest first, ties in the order weights, cells, assumptions.

    Args:
        cells: the uncertain table.
        strong: rows of the contenders whose cells are examined.
        values: [criteria x contenders x samples] their utilities.
        weights: [samples x criteria].
        first: [samples] row of the design that is first.
        assumptions: samples of named inputs; when given, cells are not examined, as they only follow.
    """
    labels = cells.scaled.table.labels
    inputs = [*_weight_inputs(cells, weights)]
    inputs += [*_assumption_inputs(assumptions)] if assumptions else [*_cell_inputs(cells, strong, values)]
    found = []
    for kind, name, label, sample, unit in inputs:
        gain, edges, favourites = _gain(sample, first, len(labels))
        changes = np.flatnonzero(np.diff(favourites))
        turns = tuple((float(edges[place]), labels[int(favourites[place + 1])]) for place in changes)
        found.append(Relevance(kind, name, label, gain, labels[int(favourites[0])], turns, unit))
    return tuple(sorted(found, key=lambda item: -item.gain))


Kind = Literal["weight", "cell", "criterion", "assumption"]
Input = tuple[Kind, str, str, FloatArray, str]


def _weight_inputs(cells: Cells, weights: FloatArray) -> Iterator[Input]:
    for column, name in enumerate(cells.scaled.table.names):
        if np.ptp(weights[:, column]) > _VARIES:
            yield "weight", name, "", weights[:, column], ""


def _assumption_inputs(assumptions: Mapping[str, FloatArray]) -> Iterator[Input]:
    for name, sample in assumptions.items():
        if np.ptp(sample) > _VARIES * max(1.0, float(np.abs(sample).max())):
            yield "assumption", name, "", sample, ""


def _cell_inputs(cells: Cells, strong: IntArray, values: FloatArray) -> Iterator[Input]:
    table, common = cells.scaled.table, cells.uncertainty.dependence == "common" and cells.draws is None
    widths = cells.scaled.straight_width()
    for column, criterion in enumerate(table.criteria):
        for place, row in enumerate(strong):
            utility = values[column, place]
            if np.ptp(utility) <= _VARIES:
                continue
            own = (cells.scaled.origin[column] + widths[column] * utility) * table.signs[column]
            if common:
                yield "criterion", criterion.name, "", own, criterion.unit
                break
            yield "cell", criterion.name, table.labels[row], own, criterion.unit


def _gain(sample: FloatArray, first: IntArray, designs: int) -> tuple[float, FloatArray, IntArray]:
    """Return (gain, [classes - 1] edges between the classes, [classes] row of the favourite in each)."""
    edges = np.quantile(sample, np.arange(1, _CLASSES) / _CLASSES)
    classes = np.searchsorted(edges, sample, side="right")
    pick, judge = (_counts(classes[half::2], first[half::2], designs) for half in (0, 1))
    judged = max(1, int(judge.sum()))
    informed = judge[np.arange(_CLASSES), pick.argmax(axis=1)].sum()
    blind = judge.sum(axis=0)[pick.sum(axis=0).argmax()]
    favourites = (pick + judge).argmax(axis=1)
    return max(0.0, float(informed - blind) / judged), np.asarray(edges), np.asarray(favourites, dtype=np.intp)


def _counts(classes: IntArray, first: IntArray, designs: int) -> IntArray:
    flat = np.bincount(classes * designs + first, minlength=_CLASSES * designs)
    return np.asarray(flat.reshape(_CLASSES, designs), dtype=np.intp)
