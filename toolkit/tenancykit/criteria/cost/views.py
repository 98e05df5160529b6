"""What pictures of a statement need: who stands where, demand over time, and the way from one cost to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from tenancykit.criteria.cost.charges import CATEGORIES
from tenancykit.criteria.cost.demand import Series
from tenancykit.criteria.cost.domains import Domain, Stream
from tenancykit.criteria.cost.housing import Housed
from tenancykit.criteria.cost.placement.elastic import buy
from tenancykit.criteria.cost.placement.values import GPU_MILLI, Placement, PodClass
from tenancykit.criteria.cost.statement import Statement


@dataclass(frozen=True)
class OverTime:
    """GPUs (or cores) a domain's tenants ask for over time, beside what its machines hold.

    Attributes:
        domain: id of the domain.
        copies: domains alike; the series is of one.
        resource: ``GPUs``, or ``cores`` where the domain asks for none.
        demand: amount per hour; one value for demand that does not change.
        capacity: amount on the machines of one copy.
    """

    domain: str
    copies: int
    resource: str
    demand: Series = field(repr=False)
    capacity: float

    @property
    def mean_utilisation(self) -> float:
        """Mean demand over capacity; 0 without capacity."""
        return float(self.demand.mean()) / self.capacity if self.capacity else 0.0


def over_time(statement: Statement) -> tuple[OverTime, ...]:
    """Return demand over time and capacity of every domain with tenants, in the layout's order."""
    return tuple(_over_time(statement, one) for one in statement.housing.housed if one.domain.streams)


def _over_time(statement: Statement, one: Housed) -> OverTime:
    streams = one.domain.streams
    gpu = any(stream.pod.gpu_count for stream in streams)
    hours = max((len(stream.series) for stream in streams if stream.series is not None), default=1)
    demand = np.zeros(hours)
    for stream in streams:
        each = stream.pod.gpu_count * stream.pod.gpu_milli if gpu else stream.pod.cpu_total_milli
        active = np.full(hours, float(stream.steady)) if stream.series is None else stream.series
        demand = demand + active * each / GPU_MILLI
    capacity = 0.0
    for counts in (one.nodes, one.extra):
        for name, number in counts.items():
            shape = statement.machines[name].shape
            capacity += number * (shape.gpus if gpu else shape.cpu / 1000)
    return OverTime(one.domain.id, one.copies, "GPUs" if gpu else "cores", demand, capacity)


def placement_by_tenants(domain: Domain) -> Placement:
    """Return where each group's pods stand in a domain at the hour that needs most GPUs (or CPU).

    Pods are named ``<group>: <workload>``, system pods keep their names; nodes are bought for that hour. The cost is
    computed with pods of different groups counted together, so the number of nodes may differ slightly.
    """
    hour = _busiest_hour(domain.streams)
    pods: list[PodClass] = []
    for stream in domain.streams:
        active = float(stream.steady if stream.series is None else stream.series[hour])
        number = -(-int(np.ceil(active - 1e-6)) // stream.pod.gang) * stream.pod.gang
        if number:
            workload = stream.pod.name.split("/", 1)[-1]
            pods.append(replace(stream.pod, name=f"{stream.group}: {workload}", count=number, tenant=stream.group))
    return buy([*pods, *domain.fixed], domain.types, bound=None).placement


def _busiest_hour(streams: tuple[Stream, ...]) -> int:
    moving = [(s, s.series) for s in streams if s.series is not None]
    if not moving:
        return 0
    by_gpu = sum(series * s.pod.gpu_count * s.pod.gpu_milli for s, series in moving)
    by_cpu = sum(series * s.pod.cpu_total_milli for s, series in moving)
    chosen = by_gpu if np.any(by_gpu) else by_cpu
    return int(np.argmax(chosen))


@dataclass(frozen=True)
class Step:
    """One step on the way from one design's cost to another's.

    Attributes:
        category: what changes.
        change: by how much per month; negative where the second design is cheaper.
        level: cost after the step.
    """

    category: str
    change: Decimal
    level: Decimal


def waterfall(first: Statement, second: Statement) -> tuple[Step, ...]:
    """Return the steps by category from the first design's cost to the second's; the last level is its total.

    Raises:
        ValueError: the two are in different currencies.
    """
    if first.currency != second.currency:
        raise ValueError(f"costs in {first.currency} and {second.currency} cannot be compared")
    before, after = _by_category(first), _by_category(second)
    level = first.total
    steps = []
    for category in CATEGORIES:
        change = after[category] - before[category]
        level += change
        if change:
            steps.append(Step(category, change, level))
    return tuple(steps)


def _by_category(statement: Statement) -> Mapping[str, Decimal]:
    totals = dict.fromkeys(CATEGORIES, Decimal(0))
    for charge in statement.charges:
        totals[charge.category] += charge.cost.amount
    return totals
