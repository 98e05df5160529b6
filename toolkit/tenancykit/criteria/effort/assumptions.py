"""Every assumption that moves a design's effort, and how far."""

from __future__ import annotations

from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.workbook import Influence, WorkBook, load_work, with_rate
from tenancykit.criteria.effort.calibration import Calibration
from tenancykit.criteria.effort.tasks import Plan, plan
from tenancykit.design.components import Closure, closure
from tenancykit.design.model import ResolvedDesign
from tenancykit.distributions import ThreePoint
from tenancykit.scenario.model import Scenario

FIGURE = "person_days_p50"
RATES = ("again.", "skill.")
"""Prefixes of the rates that person-days depend on."""


def assumptions(
    design: ResolvedDesign, scenario: Scenario, catalogue: Catalogue, *, calibration: Calibration | None = None
) -> tuple[Influence, ...]:
    """Return every assumption that moves the design's person-days (P50), largest swing first.

    Each is moved alone from its lowest to its highest value, all others at their means. Sourced numbers are left out.
    """
    book = load_work(catalogue)
    installed = closure(design, scenario, catalogue)
    base = plan(installed, scenario, book, calibration)
    found = [*_of_work(base, book), *_of_rates(base, installed, scenario, book, calibration)]
    return tuple(sorted((i for i in found if i.swing > 0), key=lambda i: (-i.swing, i.id)))


def _of_work(base: Plan, book: WorkBook) -> list[Influence]:
    total = base.total.mean
    found = []
    for identifier, tasks in base.groups().items():
        work = base.work[identifier]
        if not work.assumption:
            continue
        mean = sum(task.days.mean for task in tasks)
        days = ThreePoint(
            sum(task.days.low for task in tasks),
            sum(task.days.likely for task in tasks),
            sum(task.days.high for task in tasks),
        )
        low, high = total - mean + days.low, total - mean + days.high
        place = book.work.places[identifier]
        found.append(Influence(identifier, "work", work.title, place, days, "person-days", FIGURE, total, low, high))
    return found


def _of_rates(
    base: Plan, installed: Closure, scenario: Scenario, book: WorkBook, calibration: Calibration | None
) -> list[Influence]:
    total = base.total.mean
    found = []
    for rate in book.rates.values():
        if not rate.assumption or not rate.id.startswith(RATES):
            continue
        low, high = (
            plan(installed, scenario, with_rate(book, rate.id, value), calibration).total.mean
            for value in (rate.value.low, rate.value.high)
        )
        place = book.rates.places[rate.id]
        found.append(Influence(rate.id, "rate", rate.what, place, rate.value, rate.unit, FIGURE, total, low, high))
    return found
