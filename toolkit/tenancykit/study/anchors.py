"""The two designs between which cost is scaled: everything perfectly shared, everything dedicated; never ranked.

Both are worked out from the scenario and the catalogue alone, on machines without limit, so that no candidate and no
fleet moves the scale. They are no proposals: the first is a lower bound no packing reaches, the second is a cluster
with machines of its own for every tenant, whether or not anybody asked for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from kubeanswers.quantities import HOURS_PER_MONTH
from kubeanswers.records import dataclass
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.cost.sweep import CostSweep
from tenancykit.criteria.effort.measure import measure as measure_effort
from tenancykit.criteria.isolation.beliefs import Beliefs
from tenancykit.criteria.isolation.exposure import plane_nines
from tenancykit.criteria.isolation.measure import assess
from tenancykit.criteria.operations.measure import operate
from tenancykit.design.model import Choice, Design, ResolvedDesign
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario
from tenancykit.study.evaluation import people_of
from tenancykit.study.leaves import Key

SHARED: Final = (
    "cp_namespace_rbac",
    "node_shared",
    "rt_runc",
    "net_np_default_deny",
    "st_shared_sc",
    "gpu_exclusive",
    "sch_quota",
    "pol_psa",
    "id_oidc_rbac",
)
"""Options of the shared anchor; its machines are a bound, so that how GPUs are cut does not matter."""

DEDICATED: Final = (
    "node_dedicated_tenant",
    "rt_runc",
    "net_vpc_per_tenant",
    "st_tenant_keys",
    "gpu_exclusive",
    "sch_quota",
    "pol_psa",
    "id_oidc_rbac",
    "fl_gitops_fleet",
    "obs_per_cluster",
    "net_np_default_deny",
)
"""Options of the dedicated anchor besides its control plane."""


@dataclass(frozen=True)
class Anchors:
    """What the two anchor designs take.

    Attributes:
        shared: cost per month of serving the demand on one perfectly shared pool, nobody's work counted.
        dedicated: cost per month of a cluster and machines of its own per tenant, people included.
        dedicated_days: person-days to build that.
        dedicated_hours: hours of toil a month it takes.
        shared_nines: isolation of the shared anchor per class and plane, in nines.
        dedicated_nines: the same of the dedicated anchor.
    """

    shared: float
    dedicated: float
    dedicated_days: float
    dedicated_hours: float
    shared_nines: Mapping[Key, float]
    dedicated_nines: Mapping[Key, float]


def anchors_of(scenario: Scenario, catalogue: Catalogue) -> Anchors:
    """Return what the two anchor designs of a scenario take, on machines without limit.

    Raises:
        InputError: the price book lacks a node type or a rate, or a trace is wrong.
    """
    infrastructure = scenario.infrastructure.model_copy(update={"mode": "elastic"})
    unlimited = scenario.model_copy(update={"infrastructure": infrastructure})
    costs = CostSweep(unlimited, catalogue)
    cluster = "cp_managed_per_tenant" if infrastructure.control_plane == "managed" else "cp_capi_dedicated"
    shared = _anchor("shared", SHARED, unlimited, catalogue)
    dedicated = _anchor("dedicated", (cluster, *DEDICATED), unlimited, catalogue)
    days = measure_effort(dedicated, unlimited, catalogue).value
    running = operate(dedicated, unlimited, catalogue)
    hours = running.workload.total.p50
    people = people_of(days, hours, unlimited, catalogue)
    return Anchors(
        _pool(costs) + float(costs.besides_machines(shared)),
        float(costs.infrastructure(dedicated) + people.per_month),
        days,
        hours,
        _nines(shared, operate(shared, unlimited, catalogue).patch_latency_days, scenario, catalogue),
        _nines(dedicated, running.patch_latency_days, scenario, catalogue),
    )


def _nines(design: ResolvedDesign, latency: float, scenario: Scenario, catalogue: Catalogue) -> Mapping[Key, float]:
    result = assess(design, load_isolation(catalogue), believed=Beliefs.of(scenario, latency=latency))
    return {key: plane_nines(days, key[1], result.model) for key, days in result.days.items()}


def _anchor(name: str, options: Iterable[str], scenario: Scenario, catalogue: Catalogue) -> ResolvedDesign:
    # Looked up without asking whether it is valid: an own catalogue may lack an option, an anchor needs no approval.
    choice = Choice(tuple(option for option in options if option in catalogue.options))
    return resolve(Design(name, name, {c.id: choice for c in scenario.tenants.classes}), scenario, catalogue)


def _pool(costs: CostSweep) -> float:
    """Return what no machines that serve the demand cost less than per month, paid by the hour they are used.

    Hour by hour, for GPUs, CPU and memory apart: what all tenants ask together at the lowest price per unit on offer,
    and what their pods with a GPU ask at the lowest on machines with GPUs, where alone they run. The largest is a bound
    whatever is packed where, since a machine for one brings the others along.
    """
    activity = costs.activity
    asked, with_gpu = np.zeros((3, activity.hours)), np.zeros((3, activity.hours))
    for group in activity.groups:
        for index, member in enumerate(group.members):
            load, gpu = member.workload, member.workload.gpu
            gpus = (gpu.fraction or float(gpu.count)) if gpu else 0.0
            needs = np.outer([gpus, float(load.cpu), float(load.memory)], activity.total(group, index))
            asked += needs
            with_gpu += needs if gpu else 0.0
    hourly = np.zeros(activity.hours)
    for needed, machines in ((asked, costs.machines), (with_gpu, [m for m in costs.machines if m.is_gpu])):
        for need, held in zip(needed, ("gpus", "cpu", "memory"), strict=True):
            sizes = [(float(m.hourly.cost.amount), float(getattr(m.shape, held))) for m in machines]
            rates = [price / size for price, size in sizes if size > 0]
            if rates:
                hourly = np.maximum(hourly, need * min(rates))
    return float(hourly.mean()) * HOURS_PER_MONTH


__all__ = ["Anchors", "anchors_of"]
