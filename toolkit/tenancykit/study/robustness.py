"""How robust the first place of a study is: what would overturn it, what moves it most, who agrees, what is near.

Assumptions are moved one at a time, with everything that follows from them inside the four figures: days and hours
change the cost of people too. What they do to the time to patch, and so to isolation, is an assumption of its own here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kubeanswers.errors import Fault, InputError, UndecidedError
from tenancykit.catalogue.workbook import Influence
from tenancykit.criteria.cost.charges import PEOPLE
from tenancykit.criteria.effort.assumptions import assumptions as effort_assumptions
from tenancykit.criteria.isolation.beliefs import Beliefs
from tenancykit.criteria.operations.assumptions import assumptions as operations_assumptions
from tenancykit.decision.assumptions import Assumption, TippingPoint, TornadoRow, tipping_points, tornado
from tenancykit.decision.explain import Neighbour, Step, last_step, neighbours
from tenancykit.decision.scaling import Scaled
from tenancykit.decision.stakeholders import Consensus, Stakeholder, consensus
from tenancykit.decision.table import DecisionTable
from tenancykit.drawing import Drawable
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import AMORTISATION_MONTHS, CRITERIA, HOURS_PER_DAY, Evaluation
from tenancykit.study.exchange_rates import weights_of
from tenancykit.study.leaves import PLAIN, batch_of_designs, swept_nines

Floats = NDArray[np.float64]

PRICE_RANGE: Final = (0.7, 1.3)
"""Factor a level of prices or a day rate may move by. Assumption: prices of rented GPUs are taken to
move by up to a third within the life of a decision."""
PATCH_RANGE: Final = (0.25, 4.0)
"""Factor on the time to patch. Assumption: from a team that takes a quarter of the time to one four times as slow."""
MISCONFIGURATION_RANGE: Final = (0.2, 5.0)
"""Factor on the chances of misconfiguration, which are assumptions themselves."""
VETO_REGRET: Final = 0.2
"""Utility behind their own favourite from which a stakeholder would veto a design. Assumption: a fifth of the scale."""
LARGEST: Final = 10
"""Assumptions of effort and of operations that are looked at, those that move a design most."""
_GRID: Final = 12
_PLACES: Final = {name: place for place, name in enumerate(CRITERIA)}


@dataclass(frozen=True, eq=False)
class Robustness(Drawable):
    """What would change the decision of a study.

    Attributes:
        study: the study.
        most: assumptions of effort and of operations that are looked at, those that move a design most.
    """

    study: Study
    most: int = LARGEST

    @cached_property
    def _admitted(self) -> tuple[DecisionTable, Scaled, tuple[Evaluation, ...]]:
        table, scaled = self.study.admitted, self.study.scaled
        if table is None or scaled is None:
            raise UndecidedError(self.study.nobody())
        return table, scaled, tuple(self.study[label] for label in table.labels)

    @cached_property
    def assumptions(self) -> tuple[Assumption, ...]:
        """Every assumption whose effect on the four figures is known, by criterion.

        Raises:
            UndecidedError: no design is admitted.
        """
        table, _, evaluations = self._admitted
        return (
            *_prices(table, evaluations),
            *_exposure(table, evaluations, self.study),
            *_work(table, evaluations, self.study, self.most),
        )

    @cached_property
    def tipping_points(self) -> tuple[TippingPoint, ...]:
        """Per assumption, the nearest value that overturns the first place; the smallest change first."""
        _, scaled, evaluations = self._admitted
        if len(evaluations) < 2:
            return ()
        return tipping_points(scaled, self.study.heard, self.assumptions, search=0.5, grid=_GRID)

    @cached_property
    def tornado(self) -> tuple[TornadoRow, ...]:
        """Per assumption, the lead of the first place at both ends of its range; the largest swing first."""
        _, scaled, evaluations = self._admitted
        return tornado(scaled, self.study.heard, self.assumptions) if len(evaluations) > 1 else ()

    @cached_property
    def consensus(self) -> Consensus | None:
        """What the scenario's stakeholders can agree on; None where it names none."""
        return self.agreed(VETO_REGRET)

    def agreed(self, veto_regret: float | None) -> Consensus | None:
        """Return what the stakeholders can agree on.

        Args:
            veto_regret: utility behind their own favourite from which a stakeholder vetoes; None: nobody vetoes.
        """
        voices = [Stakeholder(name, weights_of(w)) for name, w in self.study.scenario.stakeholders.items()]
        return consensus(self._admitted[1], voices, veto_regret) if voices else None

    def cheaper(self, design_id: str | None = None, count: int = 3) -> tuple[Neighbour, ...]:
        """Return the nearest cheaper designs that keep the isolation of a design, the smallest saving first.

        Args:
            design_id: the design; the one in first place unless given.
            count: how many.
        """
        table = self._admitted[0]
        return neighbours(table, self._id(design_id), "cost", ["isolation"], count)

    def last_euro(self, design_id: str | None = None) -> Step | None:
        """Return what the last money spent on a design buys in isolation; None where it buys none."""
        table = self._admitted[0]
        return last_step(table, self._id(design_id), "cost", "isolation")

    def _id(self, design_id: str | None) -> str:
        label = self.study.best.id if design_id is None else self.study[design_id].id
        if label not in self._admitted[0].labels:
            known = ", ".join(self._admitted[0].labels)
            raise InputError(Fault("design", f"{label} is not admitted", known))
        return label


# --- prices -------------------------------------------------------------------------------------------------------


def _prices(table: DecisionTable, evaluations: Sequence[Evaluation]) -> Iterator[Assumption]:
    """Yield the level of each kind of price, as a factor, and the day rate; the cost moves in proportion."""
    categories: dict[str, None] = {}
    for evaluation in evaluations:
        categories.update(dict.fromkeys(evaluation.scores["cost"].figures["per_month"]))
    for category in categories:
        if category == PEOPLE:
            continue
        amounts = [float(e.scores["cost"].figures["per_month"].get(category, 0.0)) for e in evaluations]
        if any(amounts):
            slope = _on_cost(table, amounts)
            low, high = _spread_of(category, evaluations)
            yield Assumption(f"level of prices: {category}", 1.0, low, high, slope=slope, unit="x")
    rate = float(evaluations[0].people.day_rate)
    if rate:
        slope = _on_cost(table, [float(e.people.per_month) / rate for e in evaluations])
        low, high = (rate * factor for factor in PRICE_RANGE)
        yield Assumption("cost of a person-day", rate, low, high, slope=slope, unit="per day")


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


def _on_cost(table: DecisionTable, per_unit: Iterable[float]) -> Floats:
    slope = np.zeros_like(table.values)
    slope[:, _PLACES["cost"]] = list(per_unit)
    return slope


# --- exposure -----------------------------------------------------------------------------------------------------


def _exposure(table: DecisionTable, evaluations: Sequence[Evaluation], study: Study) -> Iterator[Assumption]:
    """Yield the time to patch and the chances of misconfiguration, as factors; isolation is worked out again."""
    batch = batch_of_designs([e.resolved.design for e in evaluations], study.scenario, study.catalogue)
    windows = np.array([float(e.scores["operations"].figures["patch_latency_days"]) for e in evaluations])
    plain = np.zeros((len(evaluations), len(PLAIN)))

    believed = Beliefs.of(study.scenario)

    def isolated(name: str, number: float) -> Floats:
        nines = swept_nines(batch, windows, study.scales.keys, believed.moved(name, number))
        values = np.array(table.values)
        nodes = study.scales.tree.node_values(np.concatenate([plain, nines], axis=1))
        values[:, _PLACES["isolation"]] = nodes[:, _PLACES["isolation"]]
        return values

    def patched(factor: float) -> Floats:
        return isolated("window:*", factor)

    def wrong(factor: float) -> Floats:
        return isolated("lapse:*", factor)

    # Beyond its range a factor could turn negative, which means nothing.
    yield Assumption("time from a flaw's disclosure to patched", 1.0, *PATCH_RANGE, effect=_kept(patched), unit="x")
    yield Assumption("chance of misconfiguration (priors)", 1.0, *MISCONFIGURATION_RANGE, effect=_kept(wrong), unit="x")


def _kept(effect: Callable[[float], Floats]) -> Callable[[float], Floats]:
    """Return an effect that is not worked out twice for a number, and takes a negative factor as none at all."""
    known: dict[float, Floats] = {}

    def looked_up(number: float) -> Floats:
        factor = max(0.0, number)
        if factor not in known:
            known[factor] = effect(factor)
        return known[factor]

    return looked_up


# --- work and toil ------------------------------------------------------------------------------------------------


def _work(table: DecisionTable, evaluations: Sequence[Evaluation], study: Study, most: int) -> Iterator[Assumption]:
    """Yield the assumed days, hours and rates that move effort and operations most, with what they do to the cost."""
    measures: tuple[tuple[str, Callable[[Evaluation], Sequence[Influence]], float], ...] = (
        (
            "effort",
            lambda e: effort_assumptions(e.resolved, study.scenario, study.catalogue),
            1 / AMORTISATION_MONTHS,
        ),
        (
            "operations",
            lambda e: operations_assumptions(e.resolved, study.scenario, study.catalogue),
            1 / HOURS_PER_DAY,
        ),
    )
    for criterion, influences, days in measures:
        per_design = [{i.id: i for i in influences(evaluation)} for evaluation in evaluations]
        every: dict[str, Influence] = {}
        for found in per_design:
            for influence in found.values():
                known = every.get(influence.id)
                every[influence.id] = influence if known is None or influence.swing > known.swing else known
        chief = sorted(every.values(), key=lambda i: (-i.swing, i.id))[:most]
        for influence in chief:
            yield _moved(influence, criterion, days, table, evaluations, per_design)


def _moved(
    influence: Influence,
    criterion: str,
    days: float,
    table: DecisionTable,
    evaluations: Sequence[Evaluation],
    per_design: Sequence[Mapping[str, Influence]],
) -> Assumption:
    """Return an assumption whose effect is drawn straight from its value now to each end of its range."""
    mean = influence.assumed.mean
    rates = np.array([float(e.people.day_rate) for e in evaluations])
    downs, ups = np.zeros(len(evaluations)), np.zeros(len(evaluations))
    for row, found in enumerate(per_design):
        mine = found.get(influence.id)
        if mine is not None:
            downs[row], ups[row] = mine.low - mine.base, mine.high - mine.base
    # Knowledge is no toil: it is not on the payroll, so that its rates leave the cost alone.
    paid = 0.0 if influence.id.startswith("knowledge.") else days

    def effect(number: float) -> Floats:
        end, change = (influence.assumed.low, downs) if number < mean else (influence.assumed.high, ups)
        share = (number - mean) / (end - mean) if end != mean else 0.0
        values = np.array(table.values)
        values[:, _PLACES[criterion]] += share * change
        values[:, _PLACES["cost"]] += share * change * rates * paid
        return values

    low, high = influence.assumed.low, influence.assumed.high
    name = f"{criterion}: {influence.what} ({influence.id})"
    return Assumption(name, mean, min(low, mean), max(high, mean), effect=effect, unit=influence.unit)


def robustness(study: Study, *, most: int = LARGEST) -> Robustness:
    """Return what would change the decision of a study; each part is worked out when it is first asked for.

    Args:
        study: the study.
        most: assumptions of effort and of operations that are looked at, those that move a design most.
    """
    return Robustness(study, most)
