"""How sure a study's first place is: samples of everything not known, and every assumption at its plausible ends.

The samples draw figures within their intervals - isolation barrier by barrier, effort and toil work by work, so that
what designs share moves alike - with doubt of each design's own, the ends of the scales, and the weights. Assumptions
are then moved one at a time. A comparison looks for those that could overturn it by first-order effects and measures
only them again; ``robust`` measures all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.criteria.isolation.exposure import plane_nines
from tenancykit.criteria.isolation.result import MAX_NINES
from tenancykit.criterion_names import ADDED, PLAIN
from tenancykit.decision.assumptions import Assumption
from tenancykit.decision.doubt import Doubt, sampled_nodes
from tenancykit.decision.ranking import TIE
from tenancykit.decision.sampling import Cells, Uncertainty
from tenancykit.decision.scaling import Scaled
from tenancykit.decision.smaa import SmaaResult, smaa
from tenancykit.decision.table import FloatArray
from tenancykit.decision.verdict import Overturn
from tenancykit.decision.weight_space import weights_near
from tenancykit.decision.weights import Weights
from tenancykit.design.families import recommendation_of
from tenancykit.study.assumed import (
    PLACES,
    Basis,
    work_assumptions,
)
from tenancykit.study.estimates import shared_levels
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.leaves import Key, LeafFigures

WEIGHT_DOUBT: Final = 0.2
"""How far each weight may be off, as a share of itself, when robustness is judged. Assumption: people state weights in
steps of about a fifth of their size."""

DOUBT: Final = Doubt(MappingProxyType({"cost": 0.005, "effort": 0.1, "operations": 0.1}))
"""How figures vary together. Isolation is drawn barrier by barrier, effort and toil work by work, cost by what moves a
bill. What is left is each design's own: assumption, a tenth of the variance of effort and toil (what no list of works
holds) and a two-hundredth of that of cost (about half a per cent of a bill: how machines fill). Ends of scales may lie
15 % of their distance elsewhere."""

SAMPLES: Final = 4_000
"""Samples of weights and values behind a verdict: a share is known to within 0.016 (95 %, worst case p = 0.5)."""

VARIED: Final = (
    "figures within their intervals, isolation's priors and windows, "
    f"ends of scales by {DOUBT.ends * 100:.0f} % and weights by {WEIGHT_DOUBT * 100:.0f} %"
)
"""What differs from sample to sample, in words."""

SLACK: Final = 0.3
"""Share of a lead that has to be left by a first-order effect for an assumption not to be measured again. Assumption:
what barriers in parallel do together differs from their sum by less."""

NAMED: Final = 3
"""Beliefs that are measured again to name what would change a first place that is not sure anyway."""

LARGEST: Final = 10
"""Assumptions of effort and of operations that are looked at, those that move a design most."""


def acceptability(
    scaled: Scaled, basis: Basis, figures: LeafFigures, weights: Weights, *, samples: int = SAMPLES, seed: int = 0
) -> SmaaResult:
    """Return how often each design takes each rank when everything not known is drawn (SMAA-2).

    Args:
        scaled: the designs on the scenario's scales.
        basis: the same designs.
        figures: their leaves with intervals.
        weights: the weights around which weights are drawn.
        samples: number of samples.
        seed: the same seed gives the same result.
    """
    key = samples, seed
    cells = basis.sampled.get(key)
    if cells is None or cells.scaled is not scaled:
        nodes = drawn_nodes(basis, figures, samples=samples, seed=seed)
        draws = (nodes * scaled.straight_width() + scaled.origin) * scaled.table.signs
        cells = basis.sampled[key] = Cells.of(scaled, Uncertainty(), draws)
    space = weights_near(weights, WEIGHT_DOUBT)
    return smaa(scaled, space, samples=samples, seed=seed, draws=cells, alike=kin(basis.evaluations))


def drawn_nodes(
    basis: Basis, figures: LeafFigures, *, samples: int = SAMPLES, seed: int = 0, held: str = ""
) -> FloatArray:
    """Return [samples x designs x criteria] values of the criteria, everything not known drawn; drawn once a basis.

    Args:
        basis: the designs.
        figures: their leaves with intervals.
        samples: number of samples.
        seed: the same seed gives the same samples.
        held: a criterion whose figures stay as they are, or ``ends``: those of the scales.
    """
    drawn, tree = basis.drawn, basis.scales.tree
    if still := tree.columns(held):
        # A criterion's values are made of its own leaves alone, so that the others' are those drawn before.
        place = tree.criteria.index(held)
        nodes = np.array(drawn_nodes(basis, figures, samples=samples, seed=seed))
        key = samples, seed, held
        if key not in drawn:
            sampled = sampled_nodes(tree, [figures.values] * 3, DOUBT, samples, seed, _named(basis), only=still)
            drawn[key] = sampled[:, :, place].copy()
        nodes[:, :, place] = drawn[key]
        return nodes
    key = samples, seed, "ends" if held == "ends" else ""
    if key not in drawn:
        joint = _joint(basis.evaluations, basis.scales.keys)
        levels = _levels(basis, samples, seed)
        parts = [figures.values, figures.low, figures.high]
        doubt = replace(DOUBT, ends=0.0) if held == "ends" else DOUBT
        drawn[key] = sampled_nodes(tree, parts, doubt, samples, seed, _named(basis), joint, levels)
        drawn[key].flags.writeable = False
    return drawn[key]


def _levels(basis: Basis, samples: int, seed: int) -> Mapping[int, FloatArray]:
    """Return the deviates that designs share, by column of their leaf: the same whatever is held still."""
    keys = {name: (samples, seed, f"level of {name}") for name in PLAIN if name not in ADDED}
    if not basis.drawn.keys() >= set(keys.values()):
        basis.drawn.update({keys[name]: each for name, each in shared_levels(basis.evaluations, samples, seed).items()})
    return {PLAIN.index(name): basis.drawn[key] for name, key in keys.items()}


def _named(basis: Basis) -> list[str]:
    """Return what each design shares its own doubt with, by name."""
    return [repr(recommended(evaluation)) for evaluation in basis.evaluations]


def _joint(evaluations: Sequence[Evaluation], keys: Sequence[Key]) -> Mapping[int, FloatArray]:
    """Return [draws x designs] nines per isolation leaf, drawn barrier by barrier."""
    drawn = [e.scores["isolation"].detail.drawn for e in evaluations]
    found: dict[int, FloatArray] = {}
    for column, key in enumerate(keys, start=len(PLAIN)):
        model = evaluations[0].scores["isolation"].detail.model
        one_day = plane_nines(1.0, key[1], model)  # type: ignore[arg-type]
        days = np.stack([each[key] for each in drawn], axis=1)
        with np.errstate(divide="ignore"):
            found[column] = np.clip(one_day - np.log10(days), 0.0, MAX_NINES)
    return found


def kin(evaluations: Sequence[Evaluation]) -> tuple[tuple[str, ...], ...]:
    """Return the ids of designs by recommendation (:func:`recommendation_of`), in the order given."""
    groups: dict[Hashable, list[str]] = {}
    for one in evaluations:
        groups.setdefault(recommendation_of(one.resolved), []).append(one.id)
    return tuple(tuple(members) for members in groups.values())


def recommended(evaluation: Evaluation) -> Hashable:
    """Return what designs that are one recommendation have in common."""
    return recommendation_of(evaluation.resolved)


@dataclass(frozen=True, eq=False)
class Standing:
    """Who is first, and by how much, however an assumption moves the table.

    Attributes:
        scaled: the designs on the scenario's scales.
        weights: the weights that count.
        family: rows of the first design and its near-twins.
    """

    scaled: Scaled
    weights: Weights
    family: frozenset[int]

    def first(self, values: FloatArray) -> int:
        """Return the row that is first under values [designs x criteria] of the table."""
        scores = self.scaled.to_utility(values) @ self.weights.along(self.scaled.table.names)
        mine = max(self.family, key=lambda row: (scores[row], -row))
        best = int(np.argmax(scores))
        return mine if scores[best] <= scores[mine] + TIE else best

    def lead(self, values: FloatArray) -> float:
        """Return by how much the family is ahead of every other design; negative where it is not."""
        scores = self.scaled.to_utility(values) @ self.weights.along(self.scaled.table.names)
        others = [row for row in range(len(scores)) if row not in self.family]
        best = max(scores[row] for row in self.family)
        return float(best - scores[others].max()) if others else float("inf")

    def pair_lead(self, values: FloatArray, row: int) -> float:
        """Return by how much the family is ahead of one design; negative where it is not."""
        scores = self.scaled.to_utility(values) @ self.weights.along(self.scaled.table.names)
        return float(max(scores[own] for own in self.family) - scores[row])


def overturned(standing: Standing, assumptions: Iterable[Assumption]) -> Iterator[Overturn]:
    """Yield the assumptions at a plausible end of which another family comes first."""
    table = standing.scaled.table
    for assumption in assumptions:
        for end in dict.fromkeys((assumption.low, assumption.high)):
            if end == assumption.current:
                continue
            first = standing.first(assumption.values(table, end))
            if first not in standing.family:
                label = table.labels[first]
                yield Overturn(assumption.name, assumption.current, end, assumption.unit, label)


def plausible(basis: Basis, standing: Standing, *, sure: bool) -> tuple[Overturn, ...]:
    """Return the assumptions that overturn the first place, those that cannot left out by first-order effects.

    Args:
        basis: the admitted designs.
        standing: the first place.
        sure: whether the word depends on it. Where it does not, only prices and the beliefs that take most of the lead
            are looked at, to name what would change the first place.
    """
    values = basis.table.values
    lead = standing.lead(values)
    if not np.isfinite(lead):
        return ()
    found = [*overturned(standing, basis.prices)]
    left: dict[str, float] = {}
    for name, ends in basis.effects.items():
        for isolation in ends:
            moved = np.array(values)
            moved[:, PLACES["isolation"]] = isolation
            left[name] = min(left.get(name, lead), standing.lead(moved))
    suspects = sorted((name for name, share in left.items() if share < SLACK * lead), key=lambda name: left[name])
    if suspects:
        wanted = set(suspects if sure else suspects[:NAMED])
        found += overturned(standing, [one for name, one in basis.believed.items() if name in wanted])
    if sure:
        found += overturned(standing, basis.exposures)
    if sure and (rivals := _work_rivals(basis, standing)):
        found += _by_work(basis, standing, rivals)
    return tuple(found)


def _work_rivals(basis: Basis, standing: Standing) -> list[int]:
    """Return the rows that a single assumption of effort or toil could bring first.

    What one assumption moves stays within the whole interval: the first family's figures at their upper ends, the
    rival's at its lower end.
    """
    table, rivals = basis.table, []
    family = sorted(standing.family)
    for row in range(len(table)):
        if row in standing.family:
            continue
        for name in ("effort", "operations"):
            column = PLACES[name]
            moved = np.array(table.values)
            moved[family, column] = table.high[family, column]
            moved[row, column] = table.low[row, column]
            if standing.pair_lead(moved, row) < 0:
                rivals.append(row)
                break
    return rivals


def _by_work(basis: Basis, standing: Standing, rivals: Sequence[int]) -> Iterator[Overturn]:
    """Yield the assumptions of effort and toil that bring one of some rivals first; nobody else is measured."""
    rows = [*sorted(standing.family), *rivals]
    part = replace(basis, table=basis.table.take(rows), evaluations=tuple(basis.evaluations[row] for row in rows))
    scaled = replace(standing.scaled, table=part.table)
    here = Standing(scaled, standing.weights, frozenset(range(len(standing.family))))
    yield from overturned(here, work_assumptions(part, LARGEST))


__all__ = [
    "DOUBT",
    "LARGEST",
    "SAMPLES",
    "VARIED",
    "WEIGHT_DOUBT",
    "Standing",
    "acceptability",
    "drawn_nodes",
    "kin",
    "overturned",
    "plausible",
]
