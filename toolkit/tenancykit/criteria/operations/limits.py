"""Published limits of scale against what a design needs: which limit, where, and from how many tenants on.

Counted per shared cluster: namespaces, pods, containers, services and nodes of all classes that stand on it; per
cluster of a tenant: those of that tenant. Classes are spread evenly over the clusters of a site (assumption).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tenancykit.catalogue.model import Limit
from tenancykit.catalogue.workbook import WorkBook
from tenancykit.design.components import Closure
from tenancykit.scenario.model import Scenario, TenantClass, WorkloadUse

SYSTEM_NAMESPACES: Final = 12
"""Namespaces of the platform itself in a cluster (assumption: one per add-on)."""
BYTES_PER_OBJECT: Final = 4096
"""Size of an object in etcd with its history between compactions (assumption)."""
OBJECTS_PER_POD: Final = 4
"""Objects a pod brings with it: itself, its events, endpoints and claims (assumption)."""
OBJECTS_PER_NAMESPACE: Final = 10
"""Objects a tenant's namespace brings with it: bindings, quota, policies, secrets (assumption)."""


@dataclass(frozen=True)
class Finding:
    """A limit and what a design needs of it.

    Attributes:
        limit: id of the limit, or of the option that states it.
        metric: what is counted.
        place: where: a shared cluster, a tenant's cluster, a tenant's namespace, the fleet.
        needed: what the design needs there.
        most: the limit.
        tenants: tenants from which on the limit is passed, where it grows with tenants; None where it does not.
        source: where the limit was read.
        assumption: whether the limit is an assumption.
        what: what happens beyond it.
    """

    limit: str
    metric: str
    place: str
    needed: float
    most: float
    tenants: int | None
    source: str
    assumption: bool
    what: str

    @property
    def is_exceeded(self) -> bool:
        """Whether the design needs more than the limit."""
        return self.needed > self.most

    @property
    def use(self) -> float:
        """Share of the limit that is used."""
        return self.needed / self.most


@dataclass(frozen=True)
class _Demand:
    """What one tenant of a class brings into its cluster."""

    namespaces: float
    pods: float
    services: float
    nodes: float


@dataclass(frozen=True)
class _Place:
    """Somewhere limits hold: what it needs whatever the tenants, and what grows with them."""

    name: str
    fixed: Mapping[str, float]
    growing: Mapping[str, float]
    tenants: int

    def need(self, metric: str) -> float:
        if metric == "node:pods_per_node":
            nodes = self.need("cluster:nodes")
            return self.need("cluster:pods") / nodes if nodes else 0.0
        return self.fixed.get(metric, 0.0) + self.growing.get(metric, 0.0)

    def passed_at(self, metric: str, most: float) -> int | None:
        """Return the fewest tenants, in the proportions of today, that need more than ``most``."""
        each = self.growing.get(metric, 0.0) / self.tenants if self.tenants else 0.0
        return max(0, math.floor((most - self.fixed.get(metric, 0.0)) / each)) + 1 if each else None


def check_limits(
    closure: Closure, scenario: Scenario, book: WorkBook, *, nodes: Mapping[str, float] | None = None
) -> tuple[Finding, ...]:
    """Return every limit that applies, most used first.

    Args:
        closure: what the design installs, for how many tenants.
        scenario: tenants and workloads.
        book: Kubernetes' published limits.
        nodes: nodes by tenant class; default: the fleet's count for a fixed fleet, otherwise nodes are not checked.
    """
    demands = {c: _demand(r.tenant_class, scenario, closure.tenants[c], nodes) for c, r in closure.classes.items()}
    findings: list[Finding] = []
    for place in _places(closure, scenario, demands):
        for limit in book.limits.values():
            metric = f"{limit.scope}:{limit.metric}"
            need = place.need(metric)
            if need:
                at = place.passed_at(metric, limit.most)
                shown = (limit.source, limit.assumption, limit.what)
                findings.append(Finding(limit.id, limit.metric, place.name, need, limit.most, at, *shown))
    published = {(limit.metric, limit.most) for limit in book.limits.values()}
    findings.extend(_option_limits(closure, demands, published))
    return tuple(sorted(findings, key=lambda f: (-f.use, f.limit, f.place)))


def _demand(tenant_class: TenantClass, scenario: Scenario, tenants: int, nodes: Mapping[str, float] | None) -> _Demand:
    pods = services = 0.0
    for use in tenant_class.workloads:
        replicas = _replicas(use, scenario)
        pods += replicas
        services += 1 if scenario.workload(use.template).exposure and replicas else 0
    share = (nodes or {}).get(tenant_class.id, 0.0) / tenants if tenants else 0.0
    return _Demand(1.0, pods, services, share)


def _replicas(use: WorkloadUse, scenario: Scenario) -> int:
    return scenario.workload(use.template).replicas if use.replicas is None else use.replicas


def _places(closure: Closure, scenario: Scenario, demands: Mapping[str, _Demand]) -> list[_Place]:
    places: list[_Place] = []
    shared = [c for c, resolved in closure.classes.items() if not resolved.cluster.per_tenant]
    if shared:
        places.append(_shared_cluster(shared, closure, scenario, demands))
    for class_id, resolved in closure.classes.items():
        demand = demands[class_id]
        places.append(_Place(f"a namespace of a tenant of {class_id}", _namespace_needs(demand), {}, 0))
        if resolved.cluster.per_tenant:
            places.append(_Place(f"a tenant's cluster of {class_id}", _needs(demand), {}, 0))
    return places


def _shared_cluster(shared: list[str], closure: Closure, scenario: Scenario, demands: Mapping[str, _Demand]) -> _Place:
    """Return what each shared cluster needs: the platform's own part, and the part that grows with tenants."""
    extent = closure.extent(shared)
    clusters = extent.shared_clusters
    grown = _summed([(demands[c], closure.tenants[c] / clusters) for c in shared])
    known = grown.nodes > 0
    fleet = 0.0 if known or scenario.infrastructure.mode != "fixed" else _fleet(scenario) / clusters
    per_cluster, per_tenant, per_node = _platform_pods(closure)
    own = _Demand(SYSTEM_NAMESPACES, per_cluster + per_node * fleet, 0.0, fleet)
    more = per_tenant / clusters + per_node * grown.nodes
    grown = _Demand(grown.namespaces, grown.pods + more, grown.services, grown.nodes)
    return _Place(_name("shared cluster", clusters), _needs(own), _needs(grown), sum(closure.tenants.values()))


def _name(what: str, count: int) -> str:
    return f"the {what}" if count == 1 else f"each of {count} {what}s"


def _summed(parts: list[tuple[_Demand, float]]) -> _Demand:
    return _Demand(
        sum(d.namespaces * n for d, n in parts),
        sum(d.pods * n for d, n in parts),
        sum(d.services * n for d, n in parts),
        sum(d.nodes * n for d, n in parts),
    )


def _fleet(scenario: Scenario) -> float:
    return float(sum(offer.count or 0 for offer in scenario.infrastructure.nodes))


def _platform_pods(closure: Closure) -> tuple[float, float, float]:
    """Return platform pods of one shared cluster, of all its tenants' control planes, and of every node."""
    pods = {"cluster": 0.0, "tenant": 0.0, "node": 0.0}
    for installation in closure.installations.values():
        for footprint in installation.component.footprint:
            classes = [
                c
                for c in installation.classes
                if not closure.classes[c].cluster.per_tenant and footprint.when.holds(closure.classes[c].facts)
            ]
            if classes and footprint.scope in pods:
                times = closure.extent(classes).tenants if footprint.scope == "tenant" else 1
                pods[footprint.scope] += footprint.pods * times
    return pods["cluster"], pods["tenant"], pods["node"]


def _needs(demand: _Demand) -> dict[str, float]:
    objects = demand.pods * OBJECTS_PER_POD + demand.services + demand.namespaces * OBJECTS_PER_NAMESPACE
    return {
        "cluster:namespaces": demand.namespaces,
        "cluster:pods": demand.pods,
        "cluster:containers": demand.pods,
        "cluster:services": demand.services,
        "cluster:nodes": demand.nodes,
        "cluster:etcd_bytes": objects * BYTES_PER_OBJECT,
    }


def _namespace_needs(demand: _Demand) -> dict[str, float]:
    return {"namespace:pods": demand.pods, "namespace:services": demand.services}


def _option_limits(
    closure: Closure, demands: Mapping[str, _Demand], published: set[tuple[str, float]]
) -> list[Finding]:
    """Return the options' own limits; those that repeat Kubernetes' published ones are left to these."""
    options = {option.id: option for resolved in closure.classes.values() for option in resolved.options}
    findings: list[Finding] = []
    for option in options.values():
        classes = [c for c, resolved in closure.classes.items() if option.id in resolved.choice.options]
        for limit in option.limits:
            need = None if (limit.metric, limit.most) in published else _option_need(limit, closure, classes, demands)
            if not need:
                continue
            at = int(limit.most * sum(closure.tenants.values()) / need) + 1
            text = limit.note or f"stated for {option.name}"
            shown = (limit.source, limit.assumption, text)
            findings.append(Finding(option.id, limit.metric, option.name, need, limit.most, at, *shown))
    return findings


def _option_need(limit: Limit, closure: Closure, classes: list[str], demands: Mapping[str, _Demand]) -> float | None:
    """Return what the classes need of an option's metric; None where it cannot be counted here."""
    extent = closure.extent(classes)
    clusters = max(1, extent.clusters)
    tenants = float(extent.tenants)
    counts = {
        "tenants": tenants,
        "control_planes": float(extent.tenant_clusters + extent.virtual_control_planes),
        "tenants_per_host_cluster": tenants / max(1, extent.shared_clusters or extent.hubs),
        "clusters": float(extent.clusters),
        "namespaces": sum(demands[c].namespaces * closure.tenants[c] for c in classes) / clusters,
        "pods": sum(demands[c].pods * closure.tenants[c] for c in classes) / clusters,
        "services": sum(demands[c].services * closure.tenants[c] for c in classes) / clusters,
        "nodes": sum(demands[c].nodes * closure.tenants[c] for c in classes) / clusters or None,
    }
    return counts.get(limit.metric)
