"""Small platforms and designs that differ in one thing, for comparing effort and operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.catalogue.workbook import WorkBook, load_work
from tenancykit.criteria.effort.schedule import Job
from tenancykit.design.components import Closure, closure
from tenancykit.design.model import Design, ResolvedDesign, choose
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario

COMMON = [
    "rt_runc",
    "net_np_default_deny",
    "st_shared_sc",
    "gpu_exclusive",
    "sch_quota",
    "sch_kueue",
    "pol_psa",
    "pol_vap",
    "id_oidc_rbac",
    "obs_opencost",
]
NAMESPACES = ("cp_namespace_rbac", "node_shared", "obs_prom_shared", *COMMON)
VIRTUAL = ("cp_vcluster_shared", "node_shared", "obs_prom_shared", *COMMON)
CLUSTERS = ("cp_capi_dedicated", "node_dedicated_tenant", "obs_per_cluster", *COMMON)
FLEET_OF_CLUSTERS = ("fl_ocm", *CLUSTERS)
HOSTED = ("cp_kamaji", "node_dedicated_tenant", "obs_per_cluster", *COMMON)


def tenant_class(**changes: Any) -> dict[str, Any]:
    """A class of ten teams that train on whole GPUs, unless changed."""
    return {"id": "teams", "kind": "team", "count": 10, "workloads": [{"template": "training"}], **changes}


def platform(*classes: dict[str, Any], team: dict[str, Any] | None = None, **changes: Any) -> Scenario:
    """A scenario of one class, run by four engineers with GitOps, unless changed."""
    gpu_node = {"cpu": "96", "memory": "1Ti", "gpus": 8, "gpu_model": "H100-80GB", "price_per_hour": 30}
    return Scenario.model_validate(
        {
            "schema": "tenancykit/scenario/v1",
            "name": "case",
            "tenants": {"classes": list(classes) or [tenant_class()]},
            "workloads": [{"id": "training", "kind": "training", "replicas": 2, "gpu": {"count": 1}}],
            "infrastructure": {
                "sites": [{"id": "site", "provider": "own"}],
                "nodes": [{"type": "gpu-node", "spec": gpu_node}],
                "control_plane": "self-managed",
            },
            "team": {"engineers": 4, "automation": "gitops", **(team or {})},
            **changes,
        }
    )


def catalogue() -> Catalogue:
    """The catalogue that ships with the package."""
    return load_catalogue()


def book() -> WorkBook:
    """Tasks and toil of that catalogue."""
    return load_work(catalogue())


def designed(scenario: Scenario, *options: str, name: str = "design", **by_class: tuple[str, ...]) -> ResolvedDesign:
    """The same options for every class, or others for those named."""
    choices = {c.id: choose(catalogue(), by_class.get(c.id, options)) for c in scenario.tenants.classes}
    return resolve(Design(name, name, choices), scenario, catalogue())


def installed(scenario: Scenario, *options: str) -> Closure:
    """What a design of these options installs."""
    return closure(designed(scenario, *options), scenario, catalogue())


def most_held(jobs: Iterable[Job], start: Mapping[str, float]) -> float:
    """Return the most units that jobs hold at one time."""
    timed = [(start[job.id], start[job.id] + job.duration, job.demand) for job in jobs if job.duration > 0]
    return max((sum(units for begin, end, units in timed if begin <= now < end) for now, _, _ in timed), default=0.0)
