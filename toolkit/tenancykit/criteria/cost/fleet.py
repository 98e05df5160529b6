"""A fixed fleet held against what a design needs, and against what the tenants ask whatever the design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from kubeanswers.quantities import GIB
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.cost.activity import Activity, activity_of, waits
from tenancykit.criteria.cost.housing import Housing
from tenancykit.criteria.cost.machines import Machine, machines_of
from tenancykit.criteria.cost.pricing import PriceList
from tenancykit.design.offers import price_book
from tenancykit.scenario.model import Scenario, Workload
from tenancykit.sentences import three_digits

GPU_KIND: Final = "GPU nodes"
CPU_KIND: Final = "CPU nodes"
KINDS: Final = (GPU_KIND, CPU_KIND)
"""Kinds of machines a fleet may lack, as sentences name them."""


def shortage(housing: Housing, machines: Sequence[Machine]) -> dict[str, int]:
    """Return how many machines of each kind a fixed fleet lacks: for pods, for clusters' least, for control planes."""
    with_gpus = {machine.name for machine in machines if machine.is_gpu}
    lacking = {GPU_KIND: 0, CPU_KIND: housing.missing_hosts}
    for name, number in housing.totals(extra=True).items():
        lacking[GPU_KIND if name in with_gpus else CPU_KIND] += number
    return lacking


def demand_beyond_fleet(scenario: Scenario, catalogue: Catalogue) -> tuple[str, ...]:
    """Return a sentence per resource of which tenants ask more at some hour than a fixed fleet holds.

    Jobs count at their mean, since they can wait. Nothing of the platform is counted, so every design lacks at least
    this.
    """
    if scenario.infrastructure.mode != "fixed":
        return ()
    machines = machines_of(scenario, PriceList(price_book(scenario, catalogue), scenario.infrastructure.currency))
    activity = activity_of(scenario, scenario.folder)
    told = []
    for resource, unit in (("GPUs", ""), ("CPU", " cores"), ("memory", " GiB")):
        there = sum(_holds(machine, resource) * (machine.count or 0) for machine in machines)
        asked = float(_asked(activity, resource).max())
        if asked > there + 1e-6:
            peak = f"at their peak{'' if not unit else ' of ' + resource}"
            held = f"and the fleet holds {three_digits(there)}"
            told.append(f"tenants ask for {three_digits(asked)}{unit or ' GPUs'} {peak}, {held}")
    return tuple(told)


def _asked(activity: Activity, resource: str) -> np.ndarray:
    total = np.zeros(activity.hours)
    for group in activity.groups:
        for index, member in enumerate(group.members):
            active = activity.total(group, index)
            total = total + (active.mean() if waits(member.workload) else active) * _takes(member.workload, resource)
    return total


def _takes(workload: Workload, resource: str) -> float:
    if resource == "CPU":
        return workload.cpu / 1000
    if resource == "memory":
        return workload.memory / GIB
    return workload.gpu.count * (workload.gpu.fraction or 1.0) if workload.gpu else 0.0


def _holds(machine: Machine, resource: str) -> float:
    shape = machine.shape
    return {"CPU": shape.cpu / 1000, "memory": shape.memory / GIB}.get(resource, float(shape.gpus))
