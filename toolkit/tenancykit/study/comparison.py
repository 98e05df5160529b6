"""The reference architectures (or any designs) compared for one scenario: screened, ranked, with reasons."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from kubeanswers.errors import Fault, InputError, UndecidedError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Evidence
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.effort.calibration import Calibration
from tenancykit.criteria.isolation.replay import Replayed, replay_result
from tenancykit.criterion_names import CRITERIA, PLAIN
from tenancykit.decision.agreement import Agreement, agreement
from tenancykit.decision.explain import Why, why
from tenancykit.decision.pareto import TableFront, front_of
from tenancykit.decision.promethee import promethee, range_preferences
from tenancykit.decision.ranking import Ranking, topsis, vikor, weighted_sum
from tenancykit.decision.reigns import Reign, reigns
from tenancykit.decision.scaling import Scaled, scale
from tenancykit.decision.screen import Screening, screen
from tenancykit.decision.sensitivity import WeightInterval, weight_intervals
from tenancykit.decision.smaa import SmaaResult
from tenancykit.decision.table import Criterion, DecisionTable, FloatArray
from tenancykit.decision.verdict import CLEAR, Overturn, Verdict, verdict
from tenancykit.decision.weights import Weights
from tenancykit.design.growth import Crossing
from tenancykit.design.model import Design
from tenancykit.design.validity import reference_design
from tenancykit.drawing import Drawable
from tenancykit.scenario import model
from tenancykit.scenario.model import Scenario
from tenancykit.study.assumed import Basis
from tenancykit.study.barred import barred
from tenancykit.study.beside import shared_out
from tenancykit.study.certainty import VARIED, Standing, acceptability, kin, plausible
from tenancykit.study.completion import completed
from tenancykit.study.composing import Composed, best_composition
from tenancykit.study.evaluation import Evaluation, evaluate_all
from tenancykit.study.exchange_rates import ExchangeRate, exchange_rates, leaves_of_rates, weighed, weights_of
from tenancykit.study.growing import crossing_points
from tenancykit.study.hinges import SOURCES, Hinge, hinge
from tenancykit.study.leaves import LeafFigures, isolation_keys, leaf_figures, leaf_values
from tenancykit.study.nearest import first_of, nearest_of_families
from tenancykit.study.requirements import figures_table, hard_requirements, measures
from tenancykit.study.scales import ScaleSet, scales_of
from tenancykit.study.settling import Part, Turn, brought_back, most_plausible, question, turns

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int, str], None]
"""Called with (done, total, name) after each design."""


@dataclass(frozen=True)
class Study(Drawable):
    """Designs compared for a scenario.

    Attributes:
        scenario: what was asked.
        catalogue: what could be done.
        evaluations: every design with its figures, in the order given.
        scales: the value tree and the ends of its leaves, from the scenario and the catalogue alone, so that adding or
            removing a candidate changes nobody's value.
        weights: weights of the criteria, as swings over those ends.
        screening: who meets the hard requirements.
        calibration: measured tasks the effort was estimated with; None where there were none.
    """

    scenario: Scenario
    catalogue: Catalogue
    evaluations: tuple[Evaluation, ...]
    scales: ScaleSet
    weights: Weights
    screening: Screening
    calibration: Calibration | None = None

    @cached_property
    def figures(self) -> LeafFigures:
        """Every design by the leaves of the value tree, with intervals; drawn when first asked for."""
        return leaf_figures(self.evaluations, self.scales.keys)

    @cached_property
    def criteria_table(self) -> DecisionTable:
        """Every design by criteria: effort, operations and cost as measured, isolation as its node of the value tree.

        Intervals are those of the figures; that of isolation holds all of its planes at their worse or better end.
        """
        return decision_table(self.evaluations, self.scales)

    @cached_property
    def _measured(self) -> DecisionTable:
        """Every design by criteria as in the table above, without intervals, which take longer than all the rest."""
        return values_table(self.evaluations, self.scales)

    @cached_property
    def admitted(self) -> DecisionTable | None:
        """The designs that are valid and meet every requirement; None when there is none."""
        passed = set(self.screening.passed)
        found = [one for one in self.evaluations if one.resolved.is_valid and one.id in passed]
        return decision_table(found, self.scales) if found else None

    @cached_property
    def scaled(self) -> Scaled | None:
        """The admitted designs on the scenario's scales: 0 at the worse end, about 1 at the better one."""
        return None if self.admitted is None else scale(self.admitted, bounds_of(self.scales))

    @property
    def heard(self) -> Weights:
        """The weights that count: those of criteria that do not discriminate are 0, the others in proportion."""
        return self.scales.tree.heard(self.weights)

    @cached_property
    def exchange_rates(self) -> tuple[ExchangeRate, ...]:
        """What the weights mean in money; empty where cost weighs nothing."""
        return exchange_rates(self.scenario, self.scales, self.weights)

    @cached_property
    def beyond(self) -> tuple[str, ...]:
        """Which figures of admitted designs lie beyond an end of their scale and are extrapolated, in words."""
        admitted = [e for e in self.evaluations if self.rank(e.id)]
        if not admitted:
            return ()
        return tuple(self.scales.tree.beyond(leaf_values(admitted, self.scales.keys), [e.id for e in admitted]))

    @cached_property
    def rankings(self) -> Mapping[str, Ranking]:
        """The admitted designs ranked by each method, weighted sum first; empty when nobody is admitted."""
        if self.scaled is None or self.admitted is None:
            return {}
        found = [
            weighted_sum(self.scaled, self.heard),
            topsis(self.scaled, self.heard),
            vikor(self.scaled, self.heard),
            promethee(self.admitted, self.heard, range_preferences(self.scaled)),
        ]
        return MappingProxyType({ranking.method: ranking for ranking in found})

    def value_of(self, design_id: str, criterion: str) -> float:
        """Return how good a design is on a criterion, admitted or not: 0 at the worse end, about 1 at the better one.

        Raises:
            InputError: the study holds no such design, or there is no such criterion.
        """
        table, row = self._measured, self._measured.row(self[design_id].id)
        column = table.column(criterion)
        low, high = bounds_of(self.scales)[criterion]
        share = (float(table.values[row, column]) - low) / (high - low)
        return share if table.criteria[column].better == "higher" else 1 - share

    @cached_property
    def ranking(self) -> Ranking | None:
        """The ranking that is shown first: the weighted sum."""
        return next(iter(self.rankings.values()), None)

    @cached_property
    def agreement(self) -> Agreement | None:
        """How far the methods agree."""
        return agreement(list(self.rankings.values())) if self.rankings else None

    def why(self, first: str, second: str) -> Why:
        """Return why one admitted design stands before another, and what the trailing one would need.

        Raises:
            InputError: a design is unknown or not admitted.
            UndecidedError: no design is admitted.
        """
        if self.scaled is None:
            raise UndecidedError(self.nobody())
        return why(self.scaled, self.heard, self[first].id, self[second].id)

    @cached_property
    def weight_intervals(self) -> tuple[WeightInterval, ...]:
        """Per criterion, the weights for which the first place stays (the others keeping their proportions)."""
        return () if self.scaled is None else weight_intervals(self.scaled, self.heard)

    @cached_property
    def acceptability(self) -> SmaaResult | None:
        """How often each admitted design takes each rank under everything that is not known (SMAA-2)."""
        if self.scaled is None:
            return None
        return acceptability(self.scaled, self.basis, self._admitted_figures, self.heard)

    @cached_property
    def _admitted_figures(self) -> LeafFigures:
        return leaf_figures(self.basis.evaluations, self.scales.keys)

    @cached_property
    def basis(self) -> Basis:
        """The admitted designs as assumptions move them.

        Raises:
            UndecidedError: no design is admitted.
        """
        if self.admitted is None:
            raise UndecidedError(self.nobody())
        evaluations = tuple(self[label] for label in self.admitted.labels)
        return Basis(self.admitted, evaluations, self.scales, self.scenario, self.catalogue)

    @cached_property
    def families(self) -> tuple[tuple[str, ...], ...]:
        """The ids of designs by recommendation, near-twins together (:func:`tenancykit.study.certainty.kin`)."""
        return kin(self.evaluations)

    @cached_property
    def standing(self) -> Standing:
        """The first place with its near-twins, to be held against assumptions.

        Raises:
            UndecidedError: no design is admitted.
        """
        scaled, ranking = self.scaled, self.ranking
        if scaled is None or ranking is None:
            raise UndecidedError(self.nobody())
        twins = next(group for group in kin(self.basis.evaluations) if ranking.winner in group)
        return Standing(scaled, self.heard, frozenset(scaled.table.row(label) for label in twins))

    @cached_property
    def verdict(self) -> Verdict | None:
        """How sure the first place is - clear, close or contested - and what would change it; None where there is none.

        Assumptions that cannot overturn it are left out by first-order effects; ``robustness`` measures every one.
        """
        return self.judged(None)

    def judged(self, overturning: Sequence[Overturn] | None) -> Verdict | None:
        """Return how sure the first place is, given the assumptions that overturn it; found quickly where None."""
        if self.acceptability is None or self.ranking is None:
            return None
        twins = [self.basis.table.labels[row] for row in sorted(self.standing.family)]
        found = overturning
        if found is None:
            first = self.acceptability.first[[self.basis.table.row(label) for label in twins]].sum()
            found = plausible(self.basis, self.standing, sure=first >= CLEAR - 1e-9)
        return verdict(
            self.acceptability,
            self.ranking.winner,
            family=twins,
            overturning=(*found, *barred(self.evaluations, self.screening, self.scales, self.heard, self.best)),
            varied=VARIED,
            question=self._trade_question(),
        )

    @cached_property
    def hinges(self) -> tuple[Hinge, ...]:
        """How often the first family is first with one source of doubt held still, most first; empty where none is."""
        return _most_first(task() for task in self._hinge_tasks())

    def _hinge_tasks(self) -> list[Callable[[], Hinge]]:
        if self.acceptability is None:
            return []
        known = (self.basis, self._admitted_figures, self.standing, self.heard)
        return [partial(hinge, source, *known, drawn=self.acceptability.weights) for source in SOURCES]

    def settle(self, processes: int) -> None:
        """Work out the verdict and what it hangs on, by two processes at once where there may be two."""
        _, found = shared_out(lambda: self.verdict, self._hinge_tasks(), (), processes=processes)
        vars(self)["hinges"] = _most_first(found)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """What a nine of one class, a person-day or an hour would have to be worth for another family to be first.

        One at a time, the others as weighed; the smallest change first. Empty where cost weighs nothing.
        """
        if self.ranking is None or not self.exchange_rates:
            return ()
        return turns(self.basis.table.labels, sorted(self.standing.family), *self._worths)

    @cached_property
    def _worths(self) -> tuple[list[Part], FloatArray]:
        """Per exchange rate, [designs] what of their score is due to it; and [designs] their scores."""
        tree, basis = self.scales.tree, self.basis
        value = tree.leaf_values(leaf_values(basis.evaluations, self.scales.keys)) * tree.leaf_weights(self.heard)
        names, leaves = [leaf.name for leaf in tree.leaves], leaves_of_rates(self.scales)
        parts = [(r, value[:, [names.index(name) for name in leaves[r.what]]].sum(axis=1)) for r in self.exchange_rates]
        return parts, value.sum(axis=1)

    def _trade_question(self) -> str:
        """Return what would have to be worth how much for another family; empty where no plausible worth would do."""
        if self.ranking is None or not self.exchange_rates:
            return ""
        wage, bill = float(self.best.people.day_rate), self.best.scores["cost"].value
        most = most_plausible(self.exchange_rates, self.scenario.worth, wage, bill)
        rows = sorted(self.standing.family)
        return question(self.turns, most, brought_back(self.basis.table.labels, rows, *self._worths, most))

    @cached_property
    def pareto_front(self) -> TableFront | None:
        """The admitted designs that no other admitted design beats on every criterion."""
        return None if self.admitted is None else front_of(self.admitted)

    @property
    def best(self) -> Evaluation:
        """The design in first place.

        Raises:
            UndecidedError: no design is valid and meets every requirement; names the nearest and what each misses.
        """
        ranking = self.ranking
        if ranking is None:
            raise UndecidedError(self.nobody())
        return self[ranking.winner]

    def nobody(self) -> str:
        """Return that no design is admitted, and what the nearest one misses."""
        near, reasons = next(nearest_of_families(self.evaluations, self.families, self.screening))
        return f"no design meets every requirement; nearest: {near.name}, which {first_of(reasons, 3)}"

    def __getitem__(self, design_id: str) -> Evaluation:
        """Return a design's evaluation by id.

        Raises:
            InputError: the study holds no such design.
        """
        found = self._by_id.get(design_id.lower())
        if found is not None:
            return found
        known = [e.id for e in self.evaluations]
        raise InputError(
            Fault("design", f"unknown design {design_id!r}", ", ".join(known), did_you_mean(design_id, known))
        )

    @cached_property
    def _by_id(self) -> Mapping[str, Evaluation]:
        return {evaluation.id.lower(): evaluation for evaluation in reversed(self.evaluations)}

    def exclusions(self, design_id: str) -> tuple[str, ...]:
        """Return why a design is not admitted: rules it breaks, then requirements it misses and by how much."""
        evaluation = self[design_id]
        return tuple(map(str, (*evaluation.resolved.violations, *self.screening.misses(evaluation.id))))

    def replay(self, design_id: str) -> tuple[Replayed, ...]:
        """Return what becomes of every published flaw under a design: contained, crossed, or undetermined, and where.

        Raises:
            InputError: the study holds no such design.
        """
        return replay_result(self[design_id].scores["isolation"].detail, load_isolation(self.catalogue))

    @property
    def evidence(self) -> Mapping[str, Evidence]:
        """The published flaws of the catalogue, by id."""
        return load_isolation(self.catalogue).evidence

    def crossing_points(self, *design_ids: str, what: Literal["toil", "effort"] = "toil") -> tuple[Crossing, ...]:
        """Return from how many tenants on one design takes less than another, classes in today's proportions.

        Args:
            design_ids: designs to look at; the admitted ones by default.
            what: hours of toil per month, or person-days of implementation.

        Raises:
            InputError: the study holds no such design.
        """
        named = design_ids or (self.ranking.ordered() if self.ranking else ())
        return crossing_points([self[design_id] for design_id in named], what)

    def rank(self, design_id: str) -> int | None:
        """Return a design's rank by weighted sum, or None where it is not admitted."""
        ranking = self.ranking
        return ranking.rank_of(design_id) if ranking and design_id in ranking.labels else None

    @cached_property
    def order(self) -> tuple[Evaluation, ...]:
        """Every design: the admitted by rank, then the others by the number of reasons against them, then by id."""
        ranked = [self[label] for label in self.ranking.ordered()] if self.ranking else []
        others = [e for e in self.evaluations if e not in ranked]
        return (*ranked, *sorted(others, key=lambda e: (len(self.exclusions(e.id)), e.id)))

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every design with rank, value and figures (:func:`tenancykit.study.tables.designs`)."""
        from tenancykit.study import tables  # noqa: PLC0415 - pandas is slow to import, and no command needs it

        ranking, front = self.ranking, self.pareto_front
        scores = {} if ranking is None else dict(zip(ranking.labels, ranking.scores, strict=True))
        standing = {label: (self.rank(label) or 0, float(score)) for label, score in scores.items()}
        values = {(e.id, name): self.value_of(e.id, name) for e in self.order for name in CRITERIA}
        return tables.designs(self.order, standing, values, set() if front is None else set(front.labels))

    @property
    def front(self) -> pd.DataFrame:
        """The rows of :attr:`table` that no other admitted design beats on every criterion."""
        return self.table[self.table["on_front"]]

    @cached_property
    def bill(self) -> pd.DataFrame:
        """Cost by category (:func:`tenancykit.study.tables.bill`)."""
        from tenancykit.study import tables  # noqa: PLC0415 - as above

        return tables.bill(self.order)

    @cached_property
    def toil(self) -> pd.DataFrame:
        """Hours per month by kind of toil (:func:`tenancykit.study.tables.toil`)."""
        from tenancykit.study import tables  # noqa: PLC0415 - as above

        return tables.toil(self.order)

    @cached_property
    def exposure(self) -> pd.DataFrame:
        """Open days a year by class and plane (:func:`tenancykit.study.tables.exposure`)."""
        from tenancykit.study import tables  # noqa: PLC0415 - as above

        return tables.exposure(self.order)

    def with_weights(self, weights: model.Weights) -> Study:
        """Return the same designs ranked by other weights; nothing is measured again, nor drawn."""
        other = replace(self, weights=weights_of(weights))
        shared = ("admitted", "scaled", "families", *(["basis", "_admitted_figures"] if self.admitted else []))
        for name in shared:
            vars(other)[name] = getattr(self, name)
        return other

    def reigns(self, criterion: str = "isolation") -> tuple[Reign, ...]:
        """Return who is first over the range of the stakeholders' worth of a criterion in money, others as weighed.

        The range runs from the lowest to the highest worth any stakeholder or the scenario gives it, as multiples of
        what it is as weighed; one reign means that they may differ and still agree. Empty where nobody is admitted, or
        where money or the criterion weighs nothing.

        Args:
            criterion: isolation, effort or operations.
        """
        mine = self.heard.as_dict()
        if self.scaled is None or not mine[criterion] or not mine["cost"]:
            return ()
        worth = mine[criterion] / mine["cost"]
        told = [view.heard.as_dict() for view in self.stakeholders.values()]
        shares = [1.0, *(each[criterion] / each["cost"] / worth for each in told if each["cost"])]
        return reigns(self.scaled, self.heard, criterion, min(shares), max(shares))

    @cached_property
    def stakeholders(self) -> Mapping[str, Study]:
        """The study as each stakeholder of the scenario weighs it."""
        return MappingProxyType({name: self.with_weights(w) for name, w in self.scenario.stakeholders.items()})


def compare(
    scenario: Scenario,
    catalogue: Catalogue,
    designs: Iterable[Design] = (),
    *,
    calibration: Calibration | None = None,
    progress: Progress | None = None,
    processes: int = 1,
) -> Study:
    """Return the reference architectures of the catalogue compared for a scenario, and further designs beside them.

    Args:
        scenario: what is asked.
        catalogue: options, components, prices, evidence and reference architectures.
        designs: further designs to compare; ids must differ from the references'.
        calibration: measured days of tasks already done, which shift the effort estimates.
        progress: told after each design.
        processes: processes that share the work, as of :func:`evaluate_all`.
    """
    references = [reference_design(reference, scenario, catalogue) for reference in catalogue.references.values()]
    given = list(designs)
    found = [design for design in given if design.stands]  # as it stands, not as it should be
    others = [design for design in given if not design.stands]
    candidates = (*completed([*references, *others], scenario, catalogue, processes=processes), *found)
    number = itertools.count(1)

    def told(name: str) -> None:
        if progress:
            progress(next(number), len(candidates), name)

    def composed(known: Sequence[Evaluation]) -> tuple[ScaleSet, Weights, Composed | None]:
        scales, weights = weighed(scenario, scales_of(scenario, catalogue, isolation_keys(known)))
        published = known[: len(references)]
        best = best_composition(published, scenario, catalogue, scales, weights, calibration=calibration)
        return scales, weights, best

    evaluations, (scales, weights, hybrid) = evaluate_all(
        candidates, scenario, catalogue, composed, calibration=calibration, processes=processes, progress=told
    )
    if hybrid is not None:
        published = len(references)
        evaluations[published:published] = hybrid.with_rival(evaluations[:published])
    return study_of(scenario, catalogue, evaluations, scaled=(scales, weights), calibration=calibration)


def study_of(
    scenario: Scenario,
    catalogue: Catalogue,
    evaluations: Sequence[Evaluation],
    *,
    scaled: tuple[ScaleSet, Weights] | None = None,
    calibration: Calibration | None = None,
) -> Study:
    """Return a study of designs that are already evaluated.

    Args:
        scenario: what is asked.
        catalogue: what the designs were evaluated with.
        evaluations: the designs to compare.
        scaled: the scenario's scales and weights, where they are worked out already.
        calibration: what they were evaluated with, for the record.

    Raises:
        InputError: two designs share an id.
    """
    scales, weights = scaled or weighed(scenario, scales_of(scenario, catalogue, isolation_keys(evaluations)))
    screening = screen(figures_table(evaluations), hard_requirements(scenario), measures(evaluations))
    return Study(scenario, catalogue, tuple(evaluations), scales, weights, screening, calibration)


def decision_table(evaluations: Sequence[Evaluation], scales: ScaleSet) -> DecisionTable:
    """Return the designs by criteria, isolation as its node of the value tree."""
    figures = leaf_figures(evaluations, scales.keys)
    parts = [_with_node(leaves, scales) for leaves in (figures.values, figures.low, figures.high)]
    return DecisionTable.of(figures.labels, _criteria(evaluations), *parts)


def values_table(evaluations: Sequence[Evaluation], scales: ScaleSet) -> DecisionTable:
    """Return the same as :func:`decision_table` without intervals."""
    values = _with_node(leaf_values(evaluations, scales.keys), scales)
    return DecisionTable.of([one.id for one in evaluations], _criteria(evaluations), values)


def _criteria(evaluations: Sequence[Evaluation]) -> list[Criterion]:
    scores = evaluations[0].scores
    return [Criterion("isolation", "higher", "of 1"), *(Criterion(n, scores[n].better, scores[n].unit) for n in PLAIN)]


def _with_node(leaves: FloatArray, scales: ScaleSet) -> FloatArray:
    return np.concatenate([scales.tree.node_values(leaves)[:, :1], leaves[:, : len(PLAIN)]], axis=1)


def _most_first(found: Iterable[Hinge]) -> tuple[Hinge, ...]:
    return tuple(sorted(found, key=lambda each: -each.share))


def bounds_of(scales: ScaleSet) -> dict[str, tuple[float, float]]:
    """Return the ends of each criterion's scale in the units of the study's table; isolation is valued already."""
    ends = {leaf.name: leaf.function.ends for leaf in scales.tree.leaves if leaf.name == leaf.criterion}
    return {"isolation": (0.0, 1.0), **{name: (min(pair), max(pair)) for name, pair in ends.items()}}
