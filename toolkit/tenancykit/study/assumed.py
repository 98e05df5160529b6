"""The assumptions behind a study's figures: what each does to the table, exactly or to first order.

Assumptions are moved one at a time, with everything that follows from them inside the four figures: days and hours
change the cost of people too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Final, cast

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.workbook import Influence
from tenancykit.criteria.cost.charges import PEOPLE
from tenancykit.criteria.cost.spread import DEMAND_SPREAD, to_buy, with_demand
from tenancykit.criteria.effort.assumptions import assumptions as effort_assumptions
from tenancykit.criteria.isolation.beliefs import Belief, Beliefs, beliefs
from tenancykit.criteria.isolation.effects import Ends, first_order
from tenancykit.criteria.isolation.exposure import Key as ExposureKey
from tenancykit.criteria.isolation.exposure import plane_nines
from tenancykit.criteria.isolation.windows import WindowSweep
from tenancykit.criteria.operations.assumptions import assumptions as operations_assumptions
from tenancykit.criterion_names import BUILT_IN, PLAIN
from tenancykit.decision.assumptions import Assumption
from tenancykit.decision.sampling import Cells
from tenancykit.decision.table import DecisionTable, FloatArray
from tenancykit.scenario.model import Scenario
from tenancykit.study.evaluation import AMORTISATION_MONTHS, HOURS_PER_DAY, Evaluation
from tenancykit.study.leaves import batch_of_designs, leaf_values, nines_of
from tenancykit.study.scales import ScaleSet

PRICE_RANGE: Final = (0.7, 1.3)
"""Factor a level of prices or a day rate may move by. Assumption: prices of rented GPUs are taken to
move by up to a third within the life of a decision."""
PATCH_RANGE: Final = (0.25, 4.0)
"""Factor on the time to patch. Assumption: from a team that takes a quarter of the time to one four times as slow."""
MISCONFIGURATION_RANGE: Final = (0.2, 5.0)
"""Factor on the chances of misconfiguration, which are assumptions themselves."""
PLACES: Final = {name.id: place for place, name in enumerate(BUILT_IN)}
"""Column of each criterion."""


@dataclass(frozen=True, eq=False)
class Basis:
    """The designs whose figures assumptions move.

    Attributes:
        table: the designs by criteria.
        evaluations: the same designs, in the same order.
        scales: the value tree.
        scenario: what is asked.
        catalogue: what could be done.
    """

    table: DecisionTable
    evaluations: tuple[Evaluation, ...]
    scales: ScaleSet
    scenario: Scenario
    catalogue: Catalogue
    drawn: dict[tuple[int, int, str], FloatArray] = field(default_factory=dict, init=False, repr=False)
    """What ``certainty.drawn_nodes`` drew, by samples, seed and what was held still: weights do not change it."""
    sampled: dict[tuple[int, int], Cells] = field(default_factory=dict, init=False, repr=False)
    """The same as utilities, by samples and seed."""

    @cached_property
    def prices(self) -> tuple[Assumption, ...]:
        """The level of each kind of price, demand, slowdowns, and the day rate; the cost moves in proportion."""
        return tuple(_price_assumptions(self))

    @cached_property
    def believed(self) -> Mapping[str, Assumption]:
        """What isolation believes - windows, lapses, upkeep, rates - by id, measured again once at every number."""
        believed = Beliefs.of(self.scenario)
        isolated = _isolation(self, believed)
        known = beliefs(load_isolation(self.catalogue), believed)
        return {belief.id: _of_belief(belief, isolated) for belief in known}

    @cached_property
    def exposures(self) -> tuple[Assumption, ...]:
        """The time to patch and the chances of misconfiguration, each of all its sort at once, as factors."""
        return tuple(_exposure_assumptions(self))

    @cached_property
    def effects(self) -> Mapping[str, tuple[FloatArray, FloatArray]]:
        """Per belief that matters, [designs] isolation with it at its low and its high end, to first order."""
        return _belief_effects(self)


# --- prices -------------------------------------------------------------------------------------------------------


def _price_assumptions(basis: Basis) -> Iterator[Assumption]:
    table, evaluations = basis.table, basis.evaluations
    categories: dict[str, None] = {}
    for evaluation in evaluations:
        categories.update(dict.fromkeys(evaluation.scores["cost"].figures["per_month"]))
    moving = np.array([float(with_demand(e.scores["cost"].detail)[1] / DEMAND_SPREAD) for e in evaluations])
    for category in categories:
        amounts = [float(e.scores["cost"].figures["per_month"].get(category, 0.0)) for e in evaluations]
        if category != PEOPLE and any(amounts):
            low, high = _spread_of(category, evaluations)
            slope = _on_cost(table, amounts)
            yield Assumption(f"the level of prices of {category}", 1.0, low, high, slope=slope, unit="x")
    if moving.any():
        spread = float(DEMAND_SPREAD)
        slope = _on_cost(table, moving.tolist())
        yield Assumption("tenants' demand", 1.0, 1 - spread, 1 + spread, slope=slope, unit="x")
    if any(any(to_buy(e.scores["cost"].detail).values()) for e in evaluations):
        yield from _slowed(basis)
    rate = float(evaluations[0].people.day_rate)
    if rate:
        slope = _on_cost(table, [float(e.people.per_month) / rate for e in evaluations])
        low, high = (rate * factor for factor in PRICE_RANGE)
        unit = f"{basis.scenario.infrastructure.currency} a day"
        yield Assumption("the cost of a person-day", rate, low, high, slope=slope, unit=unit)


def _slowed(basis: Basis) -> Iterator[Assumption]:
    """Yield how much slower each sandbox and the like makes the same work; its machines cost in proportion."""
    statements = [evaluation.scores["cost"].detail for evaluation in basis.evaluations]
    known = {name: slowed.times for statement in statements for name, slowed in statement.slowed.items()}
    for name, times in sorted(known.items()):
        costs = [
            float(s.slowed[name].cost) if name in s.slowed and any(to_buy(s).values()) else 0.0 for s in statements
        ]
        slope = _on_cost(basis.table, [cost / times.likely for cost in costs])
        what = f"the time work takes under {name}"
        yield Assumption(what, times.likely, times.low, times.high, slope=slope, unit="times the usual")


def _spread_of(category: str, evaluations: Sequence[Evaluation]) -> tuple[float, float]:
    """Return how far the price book lets a category move, as factors, or :data:`PRICE_RANGE` where that is wider."""
    low = high = amount = 0.0
    for evaluation in evaluations:
        for charge in evaluation.scores["cost"].detail.charges:
            if charge.category == category:
                low += float(charge.cost.low)
                high += float(charge.cost.high)
                amount += float(charge.cost.amount)
    if amount <= 0:
        return PRICE_RANGE
    return min(PRICE_RANGE[0], low / amount), max(PRICE_RANGE[1], high / amount)


def _on_cost(table: DecisionTable, per_unit: Iterable[float]) -> FloatArray:
    slope = np.zeros_like(table.values)
    slope[:, PLACES["cost"]] = list(per_unit)
    return slope


# --- exposure -----------------------------------------------------------------------------------------------------


def _of_belief(belief: Belief, isolated: Callable[[str, float], FloatArray]) -> Assumption:
    def effect(number: float) -> FloatArray:
        return isolated(belief.id, max(0.0, number))

    low, high = min(belief.low, belief.value), max(belief.high, belief.value)
    return Assumption(belief.what, belief.value, low, high, effect=kept(effect), unit=belief.unit, id=belief.id)


def _exposure_assumptions(basis: Basis) -> Iterator[Assumption]:
    isolated = _isolation(basis, Beliefs.of(basis.scenario))

    def patched(factor: float) -> FloatArray:
        return isolated("window:*", max(0.0, factor))

    def wrong(factor: float) -> FloatArray:
        return isolated("lapse:*", max(0.0, factor))

    yield Assumption("the time from a flaw's disclosure to patched", 1.0, *PATCH_RANGE, effect=kept(patched), unit="x")
    yield Assumption("the chance of misconfiguration", 1.0, *MISCONFIGURATION_RANGE, effect=kept(wrong), unit="x")


def _isolation(basis: Basis, believed: Beliefs) -> Callable[[str, float], FloatArray]:
    """Return what moves one belief and gives the table with isolation worked out again."""
    designs = [evaluation.resolved.design for evaluation in basis.evaluations]
    windows = WindowSweep(batch_of_designs(designs, basis.scenario, basis.catalogue))
    latencies = np.array([latency_of(evaluation) for evaluation in basis.evaluations])
    plain = np.zeros((len(designs), len(PLAIN)))

    def isolated(name: str, number: float) -> FloatArray:
        nines = nines_of(windows, latencies, basis.scales.keys, believed.moved(name, number))
        values = np.array(basis.table.values)
        nodes = basis.scales.tree.node_values(np.concatenate([plain, nines], axis=1))
        values[:, PLACES["isolation"]] = nodes[:, PLACES["isolation"]]
        return values

    return isolated


def latency_of(evaluation: Evaluation) -> float:
    """Return the days a design's operations take to patch, below which no exposure window falls."""
    return float(evaluation.scores["operations"].figures["patch_latency_days"])


def kept(effect: Callable[[float], FloatArray]) -> Callable[[float], FloatArray]:
    """Return an effect that is not worked out twice for a number."""
    known: dict[float, FloatArray] = {}

    def looked_up(number: float) -> FloatArray:
        if number not in known:
            known[number] = effect(number)
        return known[number]

    return looked_up


def _belief_effects(basis: Basis) -> dict[str, tuple[FloatArray, FloatArray]]:
    believed = Beliefs.of(basis.scenario)
    model = load_isolation(basis.catalogue)
    known = beliefs(model, believed)
    keys, tree = basis.scales.keys, basis.scales.tree
    now = leaf_values(basis.evaluations, keys)
    columns = {cast("ExposureKey", key): column for column, key in enumerate(keys, start=len(PLAIN))}
    moving = Ends(known, believed, model)
    found: dict[str, tuple[FloatArray, FloatArray]] = {}
    for row, evaluation in enumerate(basis.evaluations):
        result = evaluation.scores["isolation"].detail
        for name, moved in first_order(result, moving, latency_of(evaluation)).items():
            ends = found.setdefault(name, (np.array(now), np.array(now)))
            for key, changes in moved.items():
                for end, change in zip(ends, changes, strict=True):
                    if key in columns and change:
                        end[row, columns[key]] = plane_nines(max(0.0, result.days[key] + change), key[1], model)
    place = PLACES["isolation"]
    return {name: (tree.node_values(a)[:, place], tree.node_values(b)[:, place]) for name, (a, b) in found.items()}


# --- work and toil ------------------------------------------------------------------------------------------------


def work_assumptions(basis: Basis, most: int) -> Iterator[Assumption]:
    """Yield the assumed days, hours and rates that move effort and operations most, with what they do to the cost."""
    scenario, catalogue = basis.scenario, basis.catalogue
    measures: tuple[tuple[str, Callable[[Evaluation], Sequence[Influence]], float], ...] = (
        ("effort", lambda e: effort_assumptions(e.resolved, scenario, catalogue), 1 / AMORTISATION_MONTHS),
        ("operations", lambda e: operations_assumptions(e.resolved, scenario, catalogue), 1 / HOURS_PER_DAY),
    )
    for criterion, influences, days in measures:
        per_design = [{i.id: i for i in influences(evaluation)} for evaluation in basis.evaluations]
        every: dict[str, Influence] = {}
        for found in per_design:
            for influence in found.values():
                known = every.get(influence.id)
                every[influence.id] = influence if known is None or influence.swing > known.swing else known
        chief = sorted(every.values(), key=lambda i: (-i.swing, i.id))[:most]
        for influence in chief:
            yield _moved(influence, criterion, days, basis, per_design)


def _moved(
    influence: Influence, criterion: str, days: float, basis: Basis, per_design: Sequence[Mapping[str, Influence]]
) -> Assumption:
    """Return an assumption whose effect is drawn straight from its value now to each end of its range."""
    mean, evaluations = influence.assumed.mean, basis.evaluations
    rates = np.array([float(e.people.day_rate) for e in evaluations])
    downs, ups = np.zeros(len(evaluations)), np.zeros(len(evaluations))
    for row, found in enumerate(per_design):
        mine = found.get(influence.id)
        if mine is not None:
            downs[row], ups[row] = mine.low - mine.base, mine.high - mine.base
    # Knowledge is no toil: it is not on the payroll, so that its rates leave the cost alone.
    paid = 0.0 if influence.id.startswith("knowledge.") else days

    def effect(number: float) -> FloatArray:
        end, change = (influence.assumed.low, downs) if number < mean else (influence.assumed.high, ups)
        share = (number - mean) / (end - mean) if end != mean else 0.0
        values = np.array(basis.table.values)
        values[:, PLACES[criterion]] += share * change
        values[:, PLACES["cost"]] += share * change * rates * paid
        return values

    low, high = influence.assumed.low, influence.assumed.high
    low, high = min(low, mean), max(high, mean)
    return Assumption(influence.sentence, mean, low, high, effect=effect, unit=influence.unit, id=influence.id)


__all__ = [
    "PLACES",
    "PRICE_RANGE",
    "Basis",
    "work_assumptions",
]
