"""What would close most of what stands open in a design, and what that costs: options tried one at a time."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.model import Dimension
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.isolation.explanation import evidence_tree
from tenancykit.criteria.isolation.exposure import PERFORMANCE
from tenancykit.criteria.isolation.sweep import sweep
from tenancykit.criteria.score import Evidence
from tenancykit.design.model import Choice, Design, ResolvedDesign, choose
from tenancykit.design.needs import asked_needs
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario
from tenancykit.study.evaluation import Evaluation, Explanation, evaluate

GUARDING: Final[tuple[Dimension, ...]] = (
    "control_plane", "node_isolation", "runtime", "network", "storage", "gpu_sharing", "policy_admission",
    "identity_gitops",
)  # fmt: skip
"""Dimensions whose options are tried."""


@dataclass(frozen=True)
class Closing:
    """An option in place of what stood in its layer, for every class.

    Attributes:
        option: its id.
        title: how people call it.
        days: expected open days a year it leaves fewer, all classes and planes added up, neighbours left out.
        cost: what it costs more per month, people's part included.
        effort: person-days it takes more.
        hours: hours a month it takes more.
    """

    option: str
    title: str
    days: float
    cost: float
    effort: float
    hours: float


def closing_options(evaluation: Evaluation, *, most: int = 3) -> tuple[Closing, ...]:
    """Return the single options that leave fewest days open, best first, with what they cost.

    Options that break a rule, or leave a need unmet that was met, are not told. The design is measured again with each
    of the best.
    """
    scenario, catalogue = evaluation.scenario, evaluation.catalogue
    before = _days(evaluation)
    lacking = _lacking(evaluation.resolved, scenario, catalogue)
    designs = []
    for option in catalogue.options.values():
        if option.dimension in GUARDING and option.selectable:
            design = Design(option.id, option.name, _with(evaluation.resolved, option.id, catalogue))
            found = resolve(design, scenario, catalogue)
            if found.is_valid and _lacking(found, scenario, catalogue) <= lacking:
                designs.append(design)
    if not designs:
        return ()
    swept = sweep(designs, scenario, catalogue).days
    left = [
        math.fsum(float(days[i]) for (_, plane), days in swept.items() if plane != PERFORMANCE)
        for i in range(len(designs))
    ]
    best = sorted(range(len(designs)), key=lambda i: (left[i], designs[i].id))[:most]
    told = (_closing(evaluation, evaluate(designs[i], scenario, catalogue), before) for i in best)
    return tuple(each for each in told if each.days > 0)


def opened(explanation: Explanation, *, page: bool = False) -> Explanation:
    """Return the explanation of isolation with ranges, shares by assumption, and options that would close most.

    Args:
        explanation: the explanation of a design's isolation.
        page: whether to keep to a page, with a line per barrier.
    """
    result = explanation.score.detail
    evidence = evidence_tree(result, result.model, ranges=True, page=page)
    currency = explanation.evaluation.scenario.infrastructure.currency
    lines = tuple(_line(each, currency) for each in closing_options(explanation.evaluation))
    if lines:
        evidence = replace(
            evidence, children=(*evidence.children, Evidence("options that would close most", children=lines))
        )
    return replace(explanation, score=replace(explanation.score, evidence=evidence))


def _line(closing: Closing, currency: str) -> Evidence:
    cost, hours, days = (round(figure) for figure in (closing.cost, closing.hours, closing.effort))
    note = f"{cost:+,} {currency} and {hours:+} hours a month, {days:+} person-days"
    return Evidence(f"{closing.title} ({closing.option})", -closing.days, "days a year", note=note)


def _closing(before: Evaluation, after: Evaluation, days: float) -> Closing:
    cost, effort, hours = (
        float(after.scores[name].value) - float(before.scores[name].value) for name in ("cost", "effort", "operations")
    )
    title = after.catalogue.options[after.id].name
    return Closing(after.id, title, days - _days(after), cost, effort, hours)


def _days(evaluation: Evaluation) -> float:
    days = evaluation.scores["isolation"].detail.days
    return math.fsum(value for (_, plane), value in days.items() if plane != PERFORMANCE)


def _with(design: ResolvedDesign, option_id: str, catalogue: Catalogue) -> dict[str, Choice]:
    known = catalogue.options
    layer = known[option_id].dimension, known[option_id].layer
    return {
        one.tenant_class.id: choose(
            catalogue,
            [
                *(o for o in one.choice.options if (known[o].dimension, known[o].layer) != layer),
                option_id,
            ],
        )
        for one in design.classes
    }


def _lacking(design: ResolvedDesign, scenario: Scenario, catalogue: Catalogue) -> set[tuple[str, str]]:
    return {
        (one.tenant_class.id, asked.need.id)
        for one in design.classes
        for asked in asked_needs(one.tenant_class, scenario, catalogue)
        if asked.missed(one.facts)
    }


__all__ = ["Closing", "closing_options", "opened"]
