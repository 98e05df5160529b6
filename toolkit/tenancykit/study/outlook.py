"""What a design costs over three years as its tenants grow: built once, then run, each year placed and priced anew."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.criteria.cost.charges import PEOPLE
from tenancykit.criteria.effort.calibration import Calibration
from tenancykit.scenario.fields import MAX_TENANTS
from tenancykit.scenario.model import Scenario, TenantClass
from tenancykit.study.evaluation import AMORTISATION_MONTHS, Evaluation, evaluate

YEARS: Final = AMORTISATION_MONTHS // 12
"""Years a platform's generation is looked at: those its building is spread over in the monthly bill."""

MONTHS: Final = 12


@dataclass(frozen=True)
class Year:
    """One year of running a design.

    Attributes:
        number: 1 for the year that begins when the platform stands.
        tenants: tenants by class in the middle of the year, for which it is placed and priced.
        costs: what the year costs by category, without building, in the scenario's currency.
        short: machines that a fixed fleet lacks by then, by node type.
    """

    number: int
    tenants: Mapping[str, int]
    costs: Mapping[str, Decimal]
    short: Mapping[str, int]

    @property
    def total(self) -> Decimal:
        """What the year costs, without building."""
        return sum(self.costs.values(), Decimal(0))


@dataclass(frozen=True)
class Outlook:
    """What a design costs over :data:`YEARS` years, at today's prices.

    Attributes:
        design: its id.
        currency: of all amounts.
        building: what building it costs, once.
        years: the years of running it; fewer where a class would grow past what can be placed.
        low: total where the monthly bill is at its P10.
        high: total where it is at its P90.
    """

    design: str
    currency: str
    building: Decimal
    years: tuple[Year, ...]
    low: float
    high: float

    @property
    def total(self) -> Decimal:
        """Building and running together."""
        return self.building + sum((year.total for year in self.years), Decimal(0))

    @property
    def whole(self) -> bool:
        """Whether every year could be worked out."""
        return len(self.years) == YEARS


def outlook(evaluation: Evaluation, *, calibration: Calibration | None = None) -> Outlook:
    """Return what a design costs to build and to run for three years.

    Every class grows by its ``growth_per_year``; a year is placed and priced for the tenants in its middle. Prices,
    wages and workloads stay as they are. The interval widens the bill as far as that of today (assumption).

    Args:
        evaluation: the design as it is measured today.
        calibration: what its effort was measured with.
    """
    years: list[Year] = []
    for number in range(1, YEARS + 1):
        grown = grown_scenario(evaluation.scenario, number - 0.5)
        if grown is None:
            break
        same = grown is evaluation.scenario
        years.append(
            _year(
                number,
                evaluation
                if same
                else evaluate(evaluation.resolved.design, grown, evaluation.catalogue, calibration=calibration),
            )
        )
    building = evaluation.people.build_month * AMORTISATION_MONTHS
    cost = evaluation.scores["cost"]
    total = float(building + sum((year.total for year in years), Decimal(0)))
    low, high = (total * end / cost.value if cost.value else total for end in (cost.low, cost.high))
    return Outlook(evaluation.id, evaluation.scenario.infrastructure.currency, building, tuple(years), low, high)


def grown_scenario(scenario: Scenario, years: float) -> Scenario | None:
    """Return a scenario with its classes grown; None where one grows past what a scenario may hold.

    Named tenants stay: a class shrinks to as many as are named, or to one.
    """
    named: dict[str, int] = {}
    for tenant in scenario.tenants.named:
        named[tenant.tenant_class] = named.get(tenant.tenant_class, 0) + 1
    classes = tuple(_grown(c, years, named.get(c.id, 1)) for c in scenario.tenants.classes)
    if any(c.count > MAX_TENANTS for c in classes):
        return None
    if classes == scenario.tenants.classes:
        return scenario
    return scenario.model_copy(update={"tenants": scenario.tenants.model_copy(update={"classes": classes})})


def _grown(tenant_class: TenantClass, years: float, least: int) -> TenantClass:
    count = max(least, round(tenant_class.count * (1 + tenant_class.growth_per_year) ** years))
    return tenant_class if count == tenant_class.count else tenant_class.model_copy(update={"count": count})


def _year(number: int, evaluation: Evaluation) -> Year:
    figures = evaluation.scores["cost"].figures
    costs = {name: Decimal(str(amount)) * MONTHS for name, amount in figures["per_month"].items()}
    costs[PEOPLE] = evaluation.people.run_month * MONTHS
    fleet = figures["fleet"]
    short = dict(fleet["missing"]) if fleet else {}
    if fleet and fleet["missing_control_plane_machines"]:
        short["machines for control planes"] = fleet["missing_control_plane_machines"]
    counts = {c.id: c.count for c in evaluation.scenario.tenants.classes}
    return Year(number, counts, costs, short)
