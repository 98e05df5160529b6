"""What pictures of a statement need: demand over time beside the machines bought for it."""

from __future__ import annotations

from dataclasses import field

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.criteria.cost.demand import Series
from tenancykit.criteria.cost.housing import Housed
from tenancykit.criteria.cost.placement.values import GPU_MILLI
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
