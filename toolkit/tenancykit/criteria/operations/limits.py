"""Published limits of scale against what a design needs: which limit, where, and from how many tenants on.

Counted per shared cluster: namespaces, pods, containers, services and nodes of all classes that stand on it; per
cluster of a tenant: those of that tenant. Classes are spread evenly over the clusters of a site (assumption).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tenancykit.catalogue.model import Limit
from tenancykit.catalogue.work import WorkBook
from tenancykit.design.components import Closure
from tenancykit.scenario.model import Scenario, TenantClass, WorkloadUse

SYSTEM_NAMESPACES: Final = 12
"""Namespaces of the platform itself in a cluster (assumption: one per add-on)."""
BYTES_PER_OBJECT: Final = 4096
"""Size of an object in etcd with its history between compactions (assumption)."""
OBJECTS_PER_POD: Final = 4
"""Objects a pod brings with it: itself, its events, endpoints and claims (assumption)."""


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
    total = sum(closure.tenants.values())
    demands = {c: _demand(r.tenant_class, scenario, closure.tenants[c], nodes) for c, r in closure.classes.items()}
    findings: list[Finding] = []
    for place, needs, grows in _places(closure, scenario, demands):
        for limit in book.limits.values():
            need = needs.get(f"{limit.scope}:{limit.metric}")
            if need:
                grown = grows and limit.scope == "cluster" and limit.metric != "nodes" or bool(nodes and grows)
                at = _passed_at(need, limit.most, total) if grown else None
                findings.append(
                    Finding(limit.id, limit.metric, place, need, limit.most, at, limit.source, limit.assumption, limit.what)
                )
    findings.extend(_option_limits(closure, demands, total))
    return tuple(sorted(findings, key=lambda f: (-f.use, f.limit, f.place)))


def _demand(
    tenant_class: TenantClass, scenario: Scenario, tenants: int, nodes: Mapping[str, float] | None
) -> _Demand:
    pods = services = 0.0
    for use in tenant_class.workloads:
        replicas = _replicas(use, scenario)
        pods += replicas
        services += 1 if scenario.workload(use.template).exposure and replicas else 0
    share = (nodes or {}).get(tenant_class.id, 0.0) / tenants if tenants else 0.0
    return _Demand(1.0, pods, services, share)


def _replicas(use: WorkloadUse, scenario: Scenario) -> int:
    return scenario.workload(use.template).replicas if use.replicas is None else use.replicas


def _places(
    closure: Closure, scenario: Scenario, demands: Mapping[str, _Demand]
) -> list[tuple[str, dict[str, float], bool]]:
    """Return (place, needs by ``scope:metric``, whether the needs grow with tenants)."""
    places: list[tuple[str, dict[str, float], bool]] = []
    shared = [c for c, resolved in closure.classes.items() if not resolved.cluster.per_tenant]
    clusters = closure.extent(shared).shared_clusters
    if shared:
        summed = _summed([(demands[c], closure.tenants[c] / clusters) for c in shared])
        if summed.nodes == 0 and scenario.infrastructure.mode == "fixed":
            summed = _Demand(summed.namespaces, summed.pods, summed.services, _fleet(scenario) / clusters)
        pods, node_pods = _platform_pods(closure)
        summed = _Demand(
            summed.namespaces + SYSTEM_NAMESPACES,
            summed.pods + pods / clusters + node_pods * summed.nodes,
            summed.services,
            summed.nodes,
        )
        places.append((_name("shared cluster", clusters), _needs(summed), True))
    for class_id, resolved in closure.classes.items():
        demand = demands[class_id]
        places.append((f"a namespace of a tenant of {class_id}", _namespace_needs(demand), False))
        if resolved.cluster.per_tenant:
            places.append((f"a tenant's cluster of {class_id}", _needs(demand), False))
    return places


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


def _platform_pods(closure: Closure) -> tuple[float, float]:
    """Return pods of per-tenant control planes on shared clusters, and platform pods on every node."""
    pods = node_pods = 0.0
    for installation in closure.installations.values():
        for footprint in installation.component.footprint:
            classes = [
                c
                for c in installation.classes
                if not closure.classes[c].cluster.per_tenant and footprint.when.holds(closure.classes[c].facts)
            ]
            if not classes:
                continue
            if footprint.scope in ("tenant", "cluster"):
                pods += footprint.pods * closure.extent(classes).count(footprint.scope)
            elif footprint.scope == "node":
                node_pods += footprint.pods
    return pods, node_pods


def _needs(demand: _Demand) -> dict[str, float]:
    objects = demand.pods * OBJECTS_PER_POD + demand.services + demand.namespaces * 10
    return {
        "cluster:namespaces": demand.namespaces,
        "cluster:pods": demand.pods,
        "cluster:containers": demand.pods,
        "cluster:services": demand.services,
        "cluster:nodes": demand.nodes,
        "cluster:etcd_bytes": objects * BYTES_PER_OBJECT,
        "node:pods_per_node": demand.pods / demand.nodes if demand.nodes else 0.0,
    }


def _namespace_needs(demand: _Demand) -> dict[str, float]:
    return {"namespace:pods": demand.pods, "namespace:services": demand.services}


def _passed_at(need: float, most: float, tenants: int) -> int:
    """Return the number of tenants at which a need that grows in proportion to them passes the limit."""
    return int(most * tenants / need) + 1


def _option_limits(closure: Closure, demands: Mapping[str, _Demand], total: int) -> list[Finding]:
    findings: list[Finding] = []
    seen: set[tuple[str, str]] = set()
    for resolved in closure.classes.values():
        for option in resolved.options:
            classes = [c for c, r in closure.classes.items() if option in r.options]
            for limit in option.limits:
                if (option.id, limit.metric) in seen:
                    continue
                seen.add((option.id, limit.metric))
                need = _option_need(limit, closure, classes, demands)
                if need is None:
                    continue
                at = _passed_at(need, limit.most, total) if need else None
                text = limit.note or f"stated for {option.name}"
                findings.append(
                    Finding(
                        option.id, limit.metric, option.name, need, limit.most, at, limit.source, limit.assumption, text
                    )
                )
    return findings


def _option_need(
    limit: Limit, closure: Closure, classes: list[str], demands: Mapping[str, _Demand]
) -> float | None:
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
