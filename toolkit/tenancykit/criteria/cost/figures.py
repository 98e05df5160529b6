"""Named figures beside the cost: machines, GPUs, what stays pending, how near the bound, what sharing gains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np

from kubeanswers.quantities import HOURS_PER_MONTH, cents
from tenancykit.criteria.cost.activity import Activity, Member, distinct_tenants
from tenancykit.criteria.cost.charges import PEOPLE
from tenancykit.criteria.cost.domains import Domain
from tenancykit.criteria.cost.fleet import CPU_KIND, GPU_KIND, shortage
from tenancykit.criteria.cost.housing import Housing, keeps_quotas_apart, peaks, quotas_apart
from tenancykit.criteria.cost.machines import Machine, committed
from tenancykit.criteria.cost.placement.values import PodClass
from tenancykit.criteria.cost.pricing import Cost
from tenancykit.criteria.cost.statement import Statement
from tenancykit.criteria.score import Figures, Later


def figures_of(
    statement: Statement, activity: Activity, by_category: Mapping[str, Cost], total: Cost
) -> Mapping[str, Any]:
    """Return the figures of a statement as plain data, ready for JSON."""
    tenants = sum(group.count for group in statement.groups)
    used = gpus_used(activity)
    hours = Decimal(repr(used)) * HOURS_PER_MONTH
    bound = _bound(statement.housing)
    figures = {
        "currency": statement.currency,
        "per_month": {category: float(cost.amount) for category, cost in by_category.items()},
        "infrastructure_per_month": float(total.amount - by_category[PEOPLE].amount),
        "tenants": tenants,
        "per_tenant": float(cents(total.amount / tenants)),
        "per_tenant_by_class": Later(partial(_by_class, statement)),
        "per_used_gpu_hour": float(cents(total.amount / hours)) if hours else None,
        "used_gpu_hours": float(round(hours, 1)),
        "nodes": dict(sorted(statement.housing.totals().items())),
        "spare_nodes": dict(sorted(statement.housing.spare.items())),
        "control_plane_nodes": _control_plane_nodes(statement),
        "nodes_to_buy_for_pending": dict(sorted(statement.housing.totals(extra=True).items())),
        "fleet": _fleet(statement),
        "gpus": Later(partial(_cards, statement, used)),
        "pending": _pending(statement.housing),
        "clusters": _clusters(statement),
        "lower_bound_of_nodes": None if bound is None else float(cents(bound)),
        "gap_to_lower_bound": _gap(statement, bound),
        "multiplexing": Later(partial(multiplexing, statement, activity)),
        "quotas": Later(partial(quotas, statement)),
        "notes": list(statement.layout.notes),
    }
    return Figures(figures)


def _control_plane_nodes(statement: Statement) -> dict[str, int]:
    """Return the machines that control planes take whole, of a fixed fleet or as they are charged, by type."""
    found = Counter(statement.housing.hosts)
    for name, number in filter(None, (charge.taken for charge in statement.charges)):
        found[name] += number
    return dict(sorted(found.items()))


def _fleet(statement: Statement) -> dict[str, Any] | None:
    """Return what a fixed fleet lacks for the design and what buying it costs; None where everything is bought."""
    if not statement.housing.is_fixed:
        return None
    missing = shortage(statement.housing, tuple(statement.machines.values()))
    bought = [c.cost.amount for c in statement.charges if "to buy" in c.label]
    return {
        "missing": dict(sorted(statement.housing.totals(extra=True).items())),
        "missing_control_plane_machines": statement.housing.missing_hosts,
        "missing_gpu_nodes": missing[GPU_KIND],
        "missing_cpu_nodes": missing[CPU_KIND],
        "purchase_per_month": float(sum(bought, Decimal(0))),
    }


def _by_class(statement: Statement) -> dict[str, float]:
    """Return the mean bill of a tenant, by class."""
    bill = statement.bill()
    owed: dict[str, Decimal] = {}
    tenants: dict[str, int] = {}
    for group in statement.groups:
        name = group.tenant_class.id
        owed[name] = owed.get(name, Decimal(0)) + bill.of_party(group.id)
        tenants[name] = tenants.get(name, 0) + group.count
    return {name: float(cents(amount / tenants[name])) for name, amount in owed.items()}


def gpus_used(activity: Activity) -> float:
    """Return the GPUs that tenants' workloads ask for on average over time, shares counted as shares."""
    total = 0.0
    for group in activity.groups:
        for index, member in enumerate(group.members):
            gpu = member.workload.gpu
            if gpu and gpu.count:
                total += activity.mean(group, index) * gpu.count * (gpu.fraction or 1.0)
    return total


def _cards(statement: Statement, used: float) -> dict[str, float]:
    """Return the GPUs there are, taken and left at the peak, and used on average."""
    housing = statement.housing
    held = (housing.totals(), housing.spare, housing.hosts, housing.totals(extra=True))
    return {
        "bought": sum(_gpus(counts, statement.machines) for counts in held),
        "taken_at_peak": _allocated(housing),
        "used_on_average": round(used, 3),
        "stranded_at_peak": _stranded(housing),
    }


def _gpus(counts: Mapping[str, int], machines: Mapping[str, Machine]) -> int:
    return sum(machines[name].shape.gpus * number for name, number in counts.items())


def _allocated(housing: Housing) -> float:
    taken = sum(h.purchase.placement.allocation["gpu"].used * h.copies for h in housing.housed)
    return taken / 1000


def _stranded(housing: Housing) -> float:
    return sum(h.purchase.placement.stranded_gpu_milli * h.copies for h in housing.housed) / 1000


def _pending(housing: Housing) -> list[dict[str, Any]]:
    return [
        {"domain": one.domain.id, "pods": p.count * one.copies, "workload": p.pod_class, "reason": p.reason}
        for one in housing.housed
        for p in one.pending
    ]


def _clusters(statement: Statement) -> dict[str, int]:
    counts: dict[str, int] = {}
    for clusters in statement.layout.clusters:
        counts[clusters.kind] = counts.get(clusters.kind, 0) + clusters.copies
    return dict(sorted(counts.items()))


def _bound(housing: Housing) -> Decimal | None:
    """Return what machines cost per month at least, by the bounds of all domains; None for a fixed fleet."""
    if housing.is_fixed:
        return None
    return sum((h.least * h.copies for h in housing.housed), Decimal(0)) * HOURS_PER_MONTH


def _gap(statement: Statement, bound: Decimal | None) -> float | None:
    if not bound:
        return None
    bought = sum(
        (statement.machines[n].hourly.cost.amount * k for n, k in statement.housing.totals().items()), Decimal(0)
    )
    return round(float(bought * HOURS_PER_MONTH / bound) - 1, 4)


def quotas(statement: Statement) -> dict[str, Any]:
    """Return the GPUs tenants need at once on machines they share, where idle quota is lent and where it is not.

    The service is the same: everybody's greatest demand is met. Lent, it is that of all together; apart, each tenant's.
    """
    lent = apart = 0.0
    shared = [domain for domain in statement.layout.domains if sum(stream.tenants for stream in domain.streams) > 1]
    for domain in shared:
        together = max((_gpus_of(pods) for pods in peaks(replace(domain, lends=True))), default=0.0)
        lent += together * domain.copies
        apart += max(together, _gpus_of(quotas_apart(domain))) * domain.copies
    return {
        "lent": all(domain.lends for domain in shared),
        "gpus_if_lent": round(lent / 1000, 3),
        "gpus_if_apart": round(apart / 1000, 3),
    }


def quota_words(found: Mapping[str, Any], statement: Statement) -> str:
    """Return what lending idle quota earns, or what not lending takes, in GPUs and words; empty where it is nothing."""
    lent, apart = found["gpus_if_lent"], found["gpus_if_apart"]
    if apart - lent < 1:
        return ""
    more = f"{apart - lent:,.0f} more"
    paid = any(_would_pay(one.domain, statement) for one in statement.housing.housed)
    free = "" if paid else ", not in the bill: what is bought by the hour is given back when idle"
    if found["lent"]:
        told = f"Idle quota is lent: {lent:,.0f} GPUs serve everybody's peak; unlent quotas take"
        return f" {told} {apart:,.0f} ({more}{free})."
    told = f"Quotas are not lent: they take {apart:,.0f} GPUs for everybody's peak, {more} than lent ones"
    return f" {told} ({lent:,.0f}){free}."


def _would_pay(domain: Domain, statement: Statement) -> bool:
    """Return whether quotas that nobody lends would show in the bill of a domain."""
    always = None if statement.housing.is_fixed else committed(tuple(statement.machines.values()))
    return keeps_quotas_apart(replace(domain, lends=False), always)


def _gpus_of(pods: Iterable[PodClass]) -> float:
    return float(sum(pod.count * pod.gpu_count * pod.gpu_milli for pod in pods))


def multiplexing(statement: Statement, activity: Activity) -> dict[str, Any]:
    """Return the sum of the tenants' own peaks, the capacity the domains are bought for, and their ratio.

    In GPUs (shares as shares), or in cores where nobody asks for GPUs.
    """
    gpu = any(m.workload.gpu and m.workload.gpu.count for g in activity.groups for m in g.members)
    apart = 0.0
    wrapped = {s.group: s.wrapped.times(gpu=True) for d in statement.layout.domains for s in d.streams} if gpu else {}
    for group in activity.groups:
        for tenant, number in distinct_tenants(group).items():
            series = np.zeros(activity.hours)
            for index, member in enumerate(group.members):
                slower = wrapped.get(group.id, 1.0) if member.workload.gpu else 1.0
                gangs = np.ceil(activity.one(group, tenant, index) * slower / member.workload.gang - 1e-6)
                series += gangs * member.workload.gang * _size(member, gpu=gpu)
            apart += float(series.max()) * number
    together = 0.0
    for domain in statement.layout.domains:
        vectors = [pods[: len(pods) - len(domain.fixed)] for pods in peaks(domain)]
        sizes = [sum(p.count * (p.gpu_count * p.gpu_milli if gpu else p.cpu_milli) for p in pods) for pods in vectors]
        together += max(sizes) * domain.copies
    bought_for = together / 1000
    return {
        "resource": "GPUs" if gpu else "cores",
        "sum_of_tenant_peaks": round(apart, 3),
        "sum_of_domain_peaks": round(bought_for, 3),
        "gain": round(apart / bought_for, 4) if bought_for else 1.0,
    }


def _size(member: Member, *, gpu: bool) -> float:
    workload = member.workload
    if not gpu:
        return float(workload.cpu) / 1000
    return float(workload.gpu.count * (workload.gpu.fraction or 1.0)) if workload.gpu else 0.0
