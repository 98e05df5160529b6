"""One design through all criteria, the four in the order their results feed each other, then those registered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal
from functools import partial
from math import hypot
from types import MappingProxyType
from typing import Final, TypeVar

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.quantities import cents
from kubeanswers.records import dataclass
from tenancykit.catalogue.prices import PriceBook
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.workbook import load_work
from tenancykit.criteria.added import measure_added
from tenancykit.criteria.cost.measure import measure as measure_cost
from tenancykit.criteria.cost.pricing import day_rate as unit_day_rate
from tenancykit.criteria.effort.calibration import Calibration
from tenancykit.criteria.effort.measure import measure as measure_effort
from tenancykit.criteria.isolation.measure import measure as measure_isolation
from tenancykit.criteria.operations.measure import Operations, operate, score_of
from tenancykit.criteria.operations.structure import Exported
from tenancykit.criteria.score import Evidence, Later, Score
from tenancykit.criterion_names import CRITERIA
from tenancykit.design.model import Design, ResolvedDesign
from tenancykit.design.offers import price_book
from tenancykit.design.validity import resolve
from tenancykit.distributions import Moments
from tenancykit.drawing import Drawable
from tenancykit.manifests.counting import count_objects
from tenancykit.scenario.model import Scenario
from tenancykit.study.beside import shared_out
from tenancykit.study.holding import held_by

Found = TypeVar("Found")

AMORTISATION_MONTHS: Final = 36
"""Months over which the implementation effort is spread in the monthly bill. Assumption: a platform's generation lasts
three years, about as long as GPU servers are commonly written off."""

PAY_SPREAD: Final = 0.15
"""How far the cost of a person-day may lie elsewhere, P10 to P90, as a share. Assumption: regions and seniority."""

HOURS_PER_DAY: Final = 8
"""Working hours of a person-day. Assumption: an eight-hour day, the convention of the effort estimates."""


@dataclass(frozen=True)
class People:
    """What people cost per month for one design.

    Attributes:
        build_days: implementation effort, person-days (P50).
        run_hours_month: toil, person-hours per month (P50).
        day_rate: cost of a person-day.
        day_rate_source: where the day rate comes from.
        build_month: implementation effort spread over :data:`AMORTISATION_MONTHS`.
        run_month: toil per month.
    """

    build_days: float
    run_hours_month: float
    day_rate: Decimal
    day_rate_source: str
    build_month: Decimal
    run_month: Decimal

    @property
    def per_month(self) -> Decimal:
        """Both parts together, in the scenario's currency."""
        return self.build_month + self.run_month


@dataclass(frozen=True)
class Explanation(Drawable):
    """Why a design has its value on a criterion.

    Attributes:
        design: id and title of the design.
        criterion: the criterion.
        score: the value explained; its evidence is the tree that is shown.
        evaluation: the evaluation it belongs to.
    """

    design: str
    criterion: str
    score: Score
    evaluation: Evaluation = field(repr=False)

    @property
    def evidence(self) -> Evidence:
        """The tree of evidence."""
        return self.score.evidence


@dataclass(frozen=True)
class Evaluation(Drawable):
    """One design with its value on every criterion.

    Attributes:
        resolved: the design, looked up, with its violations.
        scores: value per criterion, in the order of :data:`CRITERIA`.
        people: what people cost.
        scenario: what it was evaluated for.
        catalogue: what it was evaluated with.
    """

    resolved: ResolvedDesign
    scores: Mapping[str, Score]
    people: People
    scenario: Scenario
    catalogue: Catalogue

    @property
    def id(self) -> str:
        """Id of the design."""
        return self.resolved.id

    @property
    def name(self) -> str:
        """Title of the design."""
        return self.resolved.name

    def explain(self, criterion: str) -> Explanation:
        """Return why the design has its value on a criterion, down to sources.

        Raises:
            InputError: there is no such criterion.
        """
        if criterion not in self.scores:
            fault = Fault(
                "explain", f"unknown criterion {criterion!r}", ", ".join(CRITERIA), did_you_mean(criterion, CRITERIA)
            )
            raise InputError(fault)
        return Explanation(f"{self.id} {self.name}", criterion, self.scores[criterion], self)


def evaluate(
    design: Design, scenario: Scenario, catalogue: Catalogue, *, calibration: Calibration | None = None
) -> Evaluation:
    """Return a design's value on the four criteria and on those registered.

    Operations come first: their patch latency is the exposure window of isolation, and their hours, with the days of
    the effort, are the people's cost of the bill. The nodes and pods the bill houses are then held against the limits
    of scale. A design that breaks a rule is measured all the same, as if the rule
    did not hold; its violations stand beside the figures.
    """
    return evaluate_resolved(resolve(design, scenario, catalogue), scenario, catalogue, calibration=calibration)


def evaluate_resolved(
    resolved: ResolvedDesign, scenario: Scenario, catalogue: Catalogue, *, calibration: Calibration | None = None
) -> Evaluation:
    """Return the value of a design that is already looked up, as :func:`evaluate`."""
    work = _worked(resolved, scenario, catalogue, calibration)
    isolation = _isolated(resolved, scenario, catalogue, work)
    scores = {"isolation": isolation, "effort": work.effort, **_paid(resolved, scenario, catalogue, work)}
    return Evaluation(resolved, MappingProxyType(scores), work.people, scenario, catalogue)


def evaluate_all(
    designs: Sequence[Design],
    scenario: Scenario,
    catalogue: Catalogue,
    then: Callable[[Sequence[Evaluation]], Found],
    *,
    calibration: Calibration | None = None,
    processes: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Evaluation], Found]:
    """Return the values of designs, as :func:`evaluate` gives them, and what follows from them before costs are known.

    Where a second process helps, this one begins with isolation and people and goes on with what follows from them;
    then both share what is to be run and paid.

    Args:
        designs: the designs.
        scenario: what they are evaluated for.
        catalogue: what they are made of.
        then: called once with all designs; it may look at their isolation, effort and people alone.
        calibration: measured days of tasks already done.
        processes: 2 copies this process, which must have no other threads; the values are the same.
        progress: told the name of each design after it (after its isolation, where work is shared).
    """
    every = [resolve(design, scenario, catalogue) for design in designs]
    if processes < 2:
        found = []
        for one in every:
            found.append(evaluate_resolved(one, scenario, catalogue, calibration=calibration))
            progress(one.name)
        return found, then(found)
    works: dict[int, _Work] = {}

    def first() -> tuple[list[Evaluation], Found]:
        judged = []
        for number, one in enumerate(every):
            work = works[number] = _worked(one, scenario, catalogue, calibration)
            isolation = _isolated(one, scenario, catalogue, work)
            if one.is_valid:
                _ = isolation.detail.exposure  # whoever is admitted is asked for it, and the other process is not done
            scores = MappingProxyType({"isolation": isolation, "effort": work.effort})
            judged.append(Evaluation(one, scores, work.people, scenario, catalogue))
            progress(one.name)
        return judged, then(judged)

    def rest(number: int) -> dict[str, Score]:
        one = every[number]
        work = works.get(number) or _worked(one, scenario, catalogue, calibration)
        return _paid(one, scenario, catalogue, work)

    tasks = [partial(rest, number) for number in range(len(every))]
    known = [scenario, catalogue, load_work(catalogue), *every]
    (judged, followed), paid = shared_out(first, tasks, known)
    return [
        replace(one, scores=MappingProxyType({**one.scores, **scores}))
        for one, scores in zip(judged, paid, strict=True)
    ], followed


@dataclass(frozen=True)
class _Work:
    """What people have to do for a design."""

    running: Operations
    effort: Score
    people: People


def _worked(
    resolved: ResolvedDesign, scenario: Scenario, catalogue: Catalogue, calibration: Calibration | None
) -> _Work:
    running = operate(resolved, scenario, catalogue)
    effort = measure_effort(resolved, scenario, catalogue, calibration=calibration)
    people = people_of(effort.value, running.workload.total.p50, scenario, catalogue)
    return _Work(running, effort, people)


def _isolated(resolved: ResolvedDesign, scenario: Scenario, catalogue: Catalogue, work: _Work) -> Score:
    return measure_isolation(resolved, scenario, catalogue, latency_days=work.running.patch_latency_days)


def _paid(resolved: ResolvedDesign, scenario: Scenario, catalogue: Catalogue, work: _Work) -> dict[str, Score]:
    """Return the value of a design on every criterion but isolation and effort."""
    counted = count_objects(resolved, scenario, catalogue)
    running = work.running.counted(Exported(counted.kinds, counted.fields, counted.parameters))
    cost = measure_cost(resolved, scenario, catalogue, people_per_month=work.people.per_month)
    cost = _with_doubt(cost, work.people, work.effort, running.workload.total)
    told = partial(_with_people, cost, work.people, scenario.infrastructure.currency)
    cost = cost.but(evidence=Later(told))
    operations = score_of(running, scenario, catalogue, placed=held_by(cost.detail, counted))
    return {"operations": operations, "cost": cost} | measure_added(resolved, scenario, catalogue)


def people_of(days: float, hours: float, scenario: Scenario, catalogue: Catalogue) -> People:
    """Return what so many person-days to build and hours of toil a month cost."""
    rate, source = day_rate(scenario, price_book(scenario, catalogue))
    build = Decimal(repr(days)) * rate / AMORTISATION_MONTHS
    run = Decimal(repr(hours)) * rate / HOURS_PER_DAY
    return People(days, hours, rate, source, cents(build), cents(run))


def _with_doubt(cost: Score, people: People, effort: Score, toil: Moments) -> Score:
    """Return the cost with its interval widened by what is not known of people's days and hours, and of their pay.

    Days, hours and the day rate are taken to be independent of prices, and of each other: spreads add as the root of
    the sum of squares. The day rate is known to within :data:`PAY_SPREAD` either way.
    """
    rate = float(people.day_rate)
    pay = PAY_SPREAD * float(people.per_month)
    downs = [
        float(cost.value) - float(cost.low),
        (effort.value - effort.low) * rate / AMORTISATION_MONTHS,
        (toil.p50 - toil.p10) * rate / HOURS_PER_DAY,
        pay,
    ]
    ups = [
        float(cost.high) - float(cost.value),
        (effort.high - effort.value) * rate / AMORTISATION_MONTHS,
        (toil.p90 - toil.p50) * rate / HOURS_PER_DAY,
        pay,
    ]
    return cost.but(low=max(0.0, cost.value - hypot(*downs)), high=cost.value + hypot(*ups))


def _with_people(cost: Score, people: People, currency: str) -> Evidence:
    """Return the bill's evidence with the people's line opened down to days, hours and the day rate."""
    unit = f"{currency} per month"
    rate = Evidence("day rate", float(people.day_rate), f"{currency} per person-day", note=people.day_rate_source)
    months = f"spread over {AMORTISATION_MONTHS} months"
    lines = (
        Evidence(
            "implementation effort",
            float(people.build_month),
            unit,
            assumption=True,
            note=f"{people.build_days:.1f} person-days {months} (assumption)",
            children=(rate,),
        ),
        Evidence(
            "toil",
            float(people.run_month),
            unit,
            note=f"{people.run_hours_month:.1f} hours per month, {HOURS_PER_DAY} hours a day",
            children=(rate,),
        ),
    )
    evidence = cost.evidence
    children = tuple(replace(c, children=lines) if c.label == "people" else c for c in evidence.children)
    return replace(evidence, children=children)


def day_rate(scenario: Scenario, book: PriceBook) -> tuple[Decimal, str]:
    """Return the cost of a person-day and where it comes from: the scenario, or the price book by labour region."""
    if scenario.team.day_rate is not None:
        return scenario.team.day_rate, "scenario: team.day_rate"
    rate = unit_day_rate(book, scenario.team.labour_region, scenario.infrastructure.currency)
    return rate.cost.amount, f"{rate.evidence.label}: {rate.evidence.source or 'assumption'}"
