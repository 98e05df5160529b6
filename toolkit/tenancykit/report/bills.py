"""The tenants' bills of one design, with the choices the OpenCost specification leaves open, and faults to expect."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from kubeanswers.quantities import HOURS_PER_MONTH
from tenancykit.catalogue.price_entries import Price
from tenancykit.criteria.cost.activity import activity_of, distinct_tenants, scales_to_zero
from tenancykit.criteria.cost.billing import IdlePolicy, SharePolicy
from tenancykit.criteria.cost.statement import Statement
from tenancykit.design.offers import price_book
from tenancykit.study.evaluation import Evaluation

_DAYS: Final = Decimal(HOURS_PER_MONTH) / 24
_PER: Final = 1000
"""The catalogue states faults in so many days."""


def bill_data(evaluation: Evaluation, *, idle: IdlePolicy, shared: SharePolicy) -> dict[str, Any]:
    """Return the bills as plain data: per tenant and line, idle cost per resource, and faults to expect.

    Args:
        evaluation: the design.
        idle: whether idle cost is distributed among the tenants of its machines, or shown apart.
        shared: whether shared cost is divided in proportion to consumption, or evenly among tenants.
    """
    statement: Statement = evaluation.scores["cost"].detail
    bill = statement.bill(idle=idle, shared=shared)
    tenants = statement.tenant_bills(evaluation.scenario, idle=idle, shared=shared)
    return {
        "schema": "tenancykit/bill/v1",
        "design": evaluation.id,
        "currency": statement.currency,
        "idle": idle,
        "shared": shared,
        "tenants": {name: {line: str(amount) for line, amount in lines.items()} for name, lines in tenants.items()},
        "idle_apart": str(bill.apart),
        "idle_by_resource": {name: str(amount) for name, amount in statement.idle_by_resource().items()},
        "total": str(bill.total),
        "faults": faults(evaluation),
        "spot": spot(evaluation),
        "committed_beyond_what_is_idle": {name: str(gpus) for name, gpus in statement.uncovered().items()},
        "scaled_to_zero": scaled_to_zero(evaluation),
    }


def faults(evaluation: Evaluation) -> dict[str, Any]:
    """Return the faults of GPU machines to expect in a month, by the size of the fleet; low, middle and high.

    Published rates of large clusters; they are not in the cost, and a fleet of another make may do better or worse.
    """
    statement: Statement = evaluation.scores["cost"].detail
    counts = statement.housing.totals()
    machines = {name: number for name, number in counts.items() if statement.machines[name].shape.gpus}
    gpus = sum(statement.machines[name].shape.gpus * number for name, number in machines.items())
    book = price_book(evaluation.scenario, evaluation.catalogue)
    total = sum(machines.values())
    return {
        "gpu_machines": total,
        "gpus": gpus,
        "machine_failures_per_month": _range(book["fault_gpu_machine"], total * _DAYS / _PER),
        "interruptions_per_month_of_a_job_on_all": _range(book["fault_gpu_job"], gpus * _DAYS / _PER),
        "spare_machines": [math.ceil(value) for value in _range(book["fault_spare"], Decimal(total))],
        "sources": sorted(book[name].source for name in ("fault_gpu_machine", "fault_gpu_job", "fault_spare")),
    }


def spot(evaluation: Evaluation) -> dict[str, Any] | None:
    """Return the interruptions of spot machines to expect in a month and the hours each loses; None without any.

    What they lose is in the price of the machines.
    """
    statement: Statement = evaluation.scores["cost"].detail
    running = statement.housing.on_average()
    terms = {offer.type: offer.term for offer in evaluation.scenario.infrastructure.nodes}
    total = sum((number for name, number in running.items() if terms.get(name) == "spot"), Decimal(0))
    if not total:
        return None
    book = price_book(evaluation.scenario, evaluation.catalogue)
    return {
        "machines_on_average": float(round(total, 2)),
        "interruptions_per_month": _range(book["spot_interruptions"], total),
        "machine_hours_lost_by_each": _range(book["spot_lost_hours"], Decimal(1)),
    }


def scaled_to_zero(evaluation: Evaluation) -> dict[str, float]:
    """Return the share of hours in which a tenant has none of a service that is let go when nobody calls it."""
    activity = activity_of(evaluation.scenario, evaluation.scenario.folder)
    found: dict[str, float] = {}
    for group in activity.groups:
        for index, member in enumerate(group.members):
            if scales_to_zero(member):
                series = [activity.one(group, tenant, index) for tenant in distinct_tenants(group)]
                gone = sum(float((each == 0).mean()) for each in series) / len(series)
                if gone:
                    found[f"{member.workload.id} of {group.title}"] = round(gone, 4)
    return found


def _range(price: Price, times: Decimal) -> list[float]:
    if price.amount is None:
        raise LookupError(f"{price.id} has no amount; it is a rate of the price book")
    low, high = price.low or price.amount, price.high or price.amount
    return [round(float(value * times), 2) for value in (low, price.amount, high)]


def bill_lines(data: dict[str, Any]) -> Iterator[str]:
    """Yield the bills as a terminal shows them."""
    names = list(dict.fromkeys(line for lines in data["tenants"].values() for line in lines))
    width = max([12, *map(len, data["tenants"])])
    yield f"{data['design']}: {data['currency']} per month; idle {data['idle']}, shared {data['shared']}"
    yield "tenant".ljust(width) + "".join(f"{name[:13]:>14}" for name in [*names, "total"])
    for tenant, lines in data["tenants"].items():
        cells = [lines.get(name, "0.00") for name in names]
        yield tenant.ljust(width) + "".join(f"{cell:>14}" for cell in [*cells, str(sum(map(Decimal, cells)))])
    apart = f", {data['idle_apart']} of it idle and charged to nobody" if data["idle"] == "apart" else ""
    yield f"All together {data['total']}{apart}."
    idle = ", ".join(f"{name} {amount}" for name, amount in data["idle_by_resource"].items())
    yield f"Idle on machines tenants may use: {idle}."
    yield from _elastic(data)
    found = data["faults"]
    if found["gpu_machines"]:
        fail, stop, spare = (
            found["machine_failures_per_month"],
            found["interruptions_per_month_of_a_job_on_all"],
            found["spare_machines"],
        )
        yield (
            f"Faults to expect in a month on {found['gpu_machines']} GPU machines ({found['gpus']} GPUs), by published "
            f"rates, not in the cost: {fail[0]:g} to {fail[2]:g} failing machines; a job on all GPUs would be stopped "
            f"{stop[0]:g} to {stop[2]:g} times; {spare[0]} to {spare[2]} spare machines would hide them."
        )


def _elastic(data: dict[str, Any]) -> Iterator[str]:
    """Yield what spot machines, commitments and scaling to zero mean for those who are billed."""
    if data["spot"]:
        low, middle, high = data["spot"]["interruptions_per_month"]
        lost, number = data["spot"]["machine_hours_lost_by_each"][1], data["spot"]["machines_on_average"]
        yield (
            f"Spot: {number:g} machines on average, {low:g} to {high:g} interruptions a month "
            f"(assumption; {middle:g} counted), {lost:g} machine hours of work lost to each: in the price."
        )
    for group, gpus in data["committed_beyond_what_is_idle"].items():
        yield f"Committed by {group}, and neither held nor idle on its machines: {gpus} GPUs, not billed."
    gone = ", ".join(f"{name} in {share:.0%}" for name, share in data["scaled_to_zero"].items())
    if gone:
        yield (
            f"Scaled to zero (share of hours, on average): {gone}. Who calls then waits for a cold start, minutes "
            "where weights are loaded; demand.least keeps replicas."
        )
