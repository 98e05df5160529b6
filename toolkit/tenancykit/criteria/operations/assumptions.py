"""Every assumption that moves a design's operational complexity, and how far."""

from __future__ import annotations

from collections import Counter

from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.workbook import Influence, WorkBook, load_work, with_rate, with_share
from tenancykit.criteria.operations.measure import knowledge_of
from tenancykit.criteria.operations.structure import Structure, measure_structure
from tenancykit.criteria.operations.toil import ToilLine, Workload, workload
from tenancykit.design.components import Closure, closure
from tenancykit.design.model import ResolvedDesign
from tenancykit.distributions import ThreePoint
from tenancykit.scenario.model import Scenario

FIGURE = "operational_complexity"
RATES = ("toil.", "advisories.", "churn.", "upgrades.", "incident.", "kubernetes.", "knowledge.")
"""Prefixes of the rates that hours depend on."""


def assumptions(design: ResolvedDesign, scenario: Scenario, catalogue: Catalogue) -> tuple[Influence, ...]:
    """Return every assumption that moves the design's hours per month (toil and knowledge), largest swing first.

    Each is moved alone from its lowest to its highest value, all others at their means. Sourced numbers are left out.
    """
    book = load_work(catalogue)
    installed = closure(design, scenario, catalogue)
    work = workload(installed, scenario, book)
    structure = measure_structure(installed, book)
    base = work.total.mean + _knowledge_hours(structure, book)
    found = [
        *_of_activities(work, book, base),
        *_of_rates(installed, scenario, book, structure, base),
        *_of_shares(installed, scenario, catalogue, structure, base),
    ]
    return tuple(sorted((i for i in found if i.swing > 0), key=lambda i: (-i.swing, i.id)))


def _knowledge_hours(structure: Structure, book: WorkBook) -> float:
    return sum(part.hours.mean for part in knowledge_of(structure, book))


def _of_activities(work: Workload, book: WorkBook, base: float) -> list[Influence]:
    """Return the assumed durations and frequencies; an activity done for several components is one assumption."""
    owner = {activity.id: toil for toil in book.toil.values() for activity in toil.activities}
    titled = Counter(activity.title for toil in book.toil.values() for activity in toil.activities)
    lines: dict[str, list[ToilLine]] = {}
    for line in work.lines:
        lines.setdefault(line.activity.id, []).append(line)
    found = []
    for identifier, same in lines.items():
        activity = same[0].activity
        if not activity.assumption:
            continue
        mean = sum(line.hours.mean for line in same)
        low, high = (
            (hours / activity.hours.mean) * (often / activity.per_year.mean)
            for hours, often in (
                (activity.hours.low, activity.per_year.low),
                (activity.hours.high, activity.per_year.high),
            )
        )
        toil = owner[identifier]
        place = book.toil.places[toil.id]
        # Several options bring work of the same name, whose hours are assumed apart.
        what = activity.title if titled[activity.title] == 1 else f"{activity.title} ({toil.title})"
        shown = (what, place, activity.hours, "hours", FIGURE)
        found.append(Influence(identifier, "activity", *shown, base, base + mean * (low - 1), base + mean * (high - 1)))
    return found


def _of_rates(
    installed: Closure, scenario: Scenario, book: WorkBook, structure: Structure, base: float
) -> list[Influence]:
    found = []
    for rate in book.rates.values():
        if not rate.assumption or not rate.id.startswith(RATES):
            continue
        values: ThreePoint = rate.value
        low, high = (
            _hours_with(installed, scenario, with_rate(book, rate.id, value), structure)
            for value in (values.low, values.high)
        )
        place = book.rates.places[rate.id]
        found.append(Influence(rate.id, "rate", rate.what, place, values, rate.unit, FIGURE, base, low, high))
    return found


def _of_shares(
    installed: Closure, scenario: Scenario, catalogue: Catalogue, structure: Structure, base: float
) -> list[Influence]:
    """Return the assumed shares of published flaws that call for a reaction."""
    book, evidence = load_work(catalogue), load_isolation(catalogue).evidence.values()
    found = []
    for toil in book.toil.values():
        if toil.advisories is None or not any(t in installed.installations for t in toil.brought_by):
            continue
        share = toil.advisories.share
        low, high = (
            _hours_with(installed, scenario, with_share(book, toil.id, value, evidence), structure)
            for value in (share.low, share.high)
        )
        what, place = f"{toil.title}: share of the records that calls for a reaction", book.toil.places[toil.id]
        found.append(Influence(toil.id, "share", what, place, share, "share", FIGURE, base, low, high))
    return found


def _hours_with(installed: Closure, scenario: Scenario, book: WorkBook, structure: Structure) -> float:
    return workload(installed, scenario, book).total.mean + _knowledge_hours(structure, book)
