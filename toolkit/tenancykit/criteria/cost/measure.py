"""Measures the service cost of a design: what it costs per month to run the scenario's tenants on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

from kubeanswers.terminal import counted
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.cost.activity import Activity, activity_of
from tenancykit.criteria.cost.charges import (
    CATEGORIES,
    PEOPLE,
    TO_BUY,
    Charge,
    Tariff,
    rounded,
)
from tenancykit.criteria.cost.domains import layout
from tenancykit.criteria.cost.figures import figures_of, quota_words
from tenancykit.criteria.cost.housing import Housed, Housing, house
from tenancykit.criteria.cost.machines import committed, machines_of
from tenancykit.criteria.cost.pricing import NOTHING, Cost, PriceList, UnitPrice, exactly
from tenancykit.criteria.cost.spread import with_doubt
from tenancykit.criteria.cost.statement import CPU, GPU, MEMORY, Statement
from tenancykit.criteria.score import Evidence, Later, Score
from tenancykit.design.model import ResolvedDesign
from tenancykit.design.offers import price_book
from tenancykit.scenario.model import Scenario

_WEIGHTS: Final = {CPU: "opencost_cpu", MEMORY: "opencost_memory", GPU: "opencost_gpu"}
_INTERVAL: Final = (
    "Interval: every unit price moves to the end of its range at once (full dependence); where the price book states "
    "no range, by its confidence: A 5 %, B 15 %, C 30 % either way (assumption). What is bought as needed, machines "
    "that a fixed fleet lacks included, moves with demand, 10 % either way (assumption), and with how much slower "
    "sandboxes and the like make the same work, each independently of prices: they add as the root of the sum of "
    "squares."
)


def measure(
    design: ResolvedDesign,
    scenario: Scenario,
    catalogue: Catalogue,
    *,
    people_per_month: Decimal = Decimal(0),
    scenario_folder: Path | None = None,
) -> Score:
    """Return the cost per month of running the scenario's tenants on a design; lower is better.

    The machines follow from placing the pods (``domains``, ``housing``), their prices from the price book. A fixed
    fleet costs what it costs, and what it would take to house what stays pending comes on top.

    Args:
        design: the design, looked up; it need not be valid.
        scenario: what is asked.
        catalogue: components, rules and prices.
        people_per_month: what people cost per month, in the scenario's currency.
        scenario_folder: folder of traces, where the scenario does not know its own.

    Raises:
        InputError: the price book lacks a node type or a rate, or a trace is wrong.
    """
    infrastructure = scenario.infrastructure
    prices = PriceList(price_book(scenario, catalogue), infrastructure.currency)
    machines = machines_of(scenario, prices)
    activity = activity_of(scenario, scenario_folder or scenario.folder)
    plan = layout(design, scenario, catalogue, machines, activity)
    plan = replace(plan, notes=(*plan.notes, *_unpriced_licences(design, prices)))
    fleet = {m.name: m.count or 0 for m in machines} if infrastructure.mode == "fixed" else None
    tariff = Tariff(prices, machines, plan, activity)
    housing = house(plan.domains, fleet, committed(machines), hosts=plan.host_machines, fit=tariff.host_names())
    charges = [*_charges(tariff, housing), _people(people_per_month, prices)]
    statement = Statement(
        infrastructure.currency,
        plan,
        housing,
        tuple(c for c in charges if c.cost != NOTHING),
        activity.groups,
        {machine.name: machine for machine in machines},
        {resource: _unit_weight(prices, name) for resource, name in _WEIGHTS.items()},
    )
    return _score(statement, activity)


def _unit_weight(prices: PriceList, identifier: str) -> Decimal:
    return prices.cost_of(prices.book[identifier]).amount


def _charges(tariff: Tariff, housing: Housing) -> Iterable[Charge]:
    if housing.is_fixed:
        used = housing.totals()
        everything = {
            m.name: used.get(m.name, 0) + housing.spare.get(m.name, 0) + housing.hosts.get(m.name, 0)
            for m in tariff.machines
        }
        yield from tariff.machine_hours(everything, label="the fleet")
        yield from tariff.machine_hours(housing.totals(extra=True), label=TO_BUY)
    else:
        yield from tariff.machine_hours(housing.totals(), running=housing.on_average())
    yield from tariff.control_planes(housing.missing_hosts if housing.is_fixed else None)
    yield from tariff.network()
    yield from tariff.storage()
    yield from tariff.licences(housing)


def _unpriced_licences(design: ResolvedDesign, prices: PriceList) -> dict[str, None]:
    """Return a note per option that may have to be paid for and of which the price book knows no price."""
    known = prices.book.conditions()
    notes: dict[str, None] = {}
    for resolved in design.classes:
        for option in resolved.options:
            is_paid = any(word in option.licence.lower() for word in ("commercial", "paid"))
            has_fee = option.cluster is not None and bool(option.cluster.fee)
            names = {option.id, *option.provides}
            if is_paid and not has_fee and not any(w.holds(resolved.facts) and names & w.atoms() for w in known):
                notes[f"{option.name} ({option.licence}): the price book has no price of it; none is counted"] = None
    return notes


def _people(per_month: Decimal, prices: PriceList) -> Charge:
    cost = rounded(exactly(per_month))
    note = "effort amortised and toil, passed in from the other criteria"
    line = Evidence("people", float(per_month), f"{prices.currency} per month", note=note)
    return Charge(PEOPLE, "people who build and run it", Decimal(1), cost, (), UnitPrice(cost, "month", line))


# --- the score ----------------------------------------------------------------------------------------------------


def _score(statement: Statement, activity: Activity) -> Score:
    by_category = {category: _sum(statement.charges, category) for category in CATEGORIES}
    total = with_doubt(statement, sum((cost for cost in by_category.values()), NOTHING))
    unit = f"{statement.currency} per month"
    figures = figures_of(statement, activity, by_category, total)
    return Score(
        criterion="cost",
        value=float(total.amount),
        unit=unit,
        better="lower",
        low=float(total.low),
        high=float(total.high),
        summary=Later(partial(_summary, statement, by_category, total, figures)),
        evidence=Later(partial(_evidence, statement, by_category, total)),
        figures=figures,
        detail=statement,
    )


def _evidence(statement: Statement, by_category: Mapping[str, Cost], total: Cost) -> Evidence:
    return Evidence(
        "service cost",
        float(total.amount),
        f"{statement.currency} per month",
        note=" ".join([_INTERVAL, *statement.layout.notes]),
        children=(*_categories(statement, by_category), _placement(statement)),
    )


def _categories(statement: Statement, by_category: Mapping[str, Cost]) -> Iterable[Evidence]:
    for category, cost in by_category.items():
        if cost != NOTHING:
            lines = tuple(c.evidence(statement.currency) for c in statement.charges if c.category == category)
            yield Evidence(category, float(cost.amount), f"{statement.currency} per month", children=lines)


def _sum(charges: Iterable[Charge], category: str) -> Cost:
    return sum((c.cost for c in charges if c.category == category), NOTHING)


def _summary(statement: Statement, by_category: Mapping[str, Cost], total: Cost, figures: Mapping[str, Any]) -> str:
    quota = quota_words(figures["quotas"], statement)
    tenants = sum(group.count for group in statement.groups)
    largest = max(by_category, key=lambda category: by_category[category].amount)
    share = by_category[largest].amount / total.amount if total.amount else Decimal(0)
    machines = sum(sum(figures[kind].values()) for kind in ("nodes", "spare_nodes", "control_plane_nodes"))
    lacks = figures["fleet"]
    missing = sum(lacks["missing"].values()) + lacks["missing_control_plane_machines"] if lacks else 0
    bought = f" and {missing} to buy" if missing else ""
    homeless = sum(p.count * one.copies for one in statement.housing.housed for p in one.pending)
    what = "priced on machines to buy" if statement.housing.is_fixed else "too large for any machine and not priced"
    pending = f" {homeless} pods stay pending, {what}." if homeless else ""
    return (
        f"{total.amount:,.0f} {statement.currency} per month for {counted(tenants, 'tenant')} on "
        f"{counted(machines, 'machine')}{bought}; "
        f"{share * 100:.0f} % of it {largest}.{pending}{quota}"
    )


def _placement(statement: Statement) -> Evidence:
    """Return what stands where: the machines of every placement domain and what stays pending."""
    return Evidence(
        "placement",
        float(sum(statement.housing.totals().values())),
        "machines",
        note="pods placed by domain at the hours that need most of GPUs, CPU and memory",
        children=tuple(_housed(one) for one in statement.housing.housed),
    )


def _housed(one: Housed) -> Evidence:
    pods = sum(one.purchase.placed.values())
    machines = ", ".join(f"{number} x {name}" for name, number in sorted(one.nodes.items())) or "none"
    copies = f"{one.copies} alike, each " if one.copies > 1 else ""
    return Evidence(
        f"{one.domain.kind} domain {one.domain.id}",
        float(one.machines),
        "machines",
        note=f"{copies}{machines} for {pods} pods",
        children=tuple(Evidence(f"pending: {p.count} x {p.pod_class}", note=p.reason) for p in one.pending),
    )
