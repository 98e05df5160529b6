"""Published limits of scale against what a design needs: which limit, where, and from how many tenants on.

Counted per shared cluster: namespaces, pods, containers, services, nodes and the bytes of all objects of the classes
that stand on it; per cluster of a tenant: those of that tenant; per hub: its own. Nodes and pods are those of the
placement where the workloads were placed, at the hour that needs most, in the largest cluster of its kind; namespaces,
services and objects those of the exported manifests. Where neither is there, pods are the stated replicas, nodes the
count of a fixed fleet, and the rest follows from tenants and endpoints. Classes are spread evenly over the shared
clusters of their sites (assumption).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from kubeanswers.records import dataclass
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
"""Objects a tenant's namespace brings with it where none were counted: bindings, quota, policies (assumption)."""


SHARED: Final = "shared"
"""Key of the largest shared cluster among what was placed; a tenant's cluster goes by the id of its class."""
HUB: Final = "hub"
"""Key of the largest hub."""


@dataclass(frozen=True)
class Demand:
    """What is asked of one cluster.

    Attributes:
        nodes: nodes.
        pods: pods; in a :class:`Held`, those that run on every node are left out.
        namespaces: namespaces.
        services: services.
        objects: configuration objects; 0 where they were not counted, and are estimated.
    """

    nodes: float = 0.0
    pods: float = 0.0
    namespaces: float = 0.0
    services: float = 0.0
    objects: float = 0.0

    def __add__(self, other: Demand) -> Demand:
        return Demand(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))

    def scaled(self, factor: float) -> Demand:
        """Return everything multiplied by a factor."""
        return Demand(*(factor * amount for amount in vars(self).values()))


@dataclass(frozen=True)
class Held:
    """What one cluster holds: its pods as placed, its objects as exported.

    Attributes:
        fixed: what is there whatever the tenants.
        growing: what is there in proportion to tenants.
    """

    fixed: Demand = Demand()
    growing: Demand = Demand()

    @property
    def all(self) -> Demand:
        """Everything together."""
        return self.fixed + self.growing


Placed = Mapping[str, Held]
"""What clusters hold: under :data:`SHARED`, :data:`HUB` and the ids of classes whose tenants have clusters."""
NOTHING_PLACED: Final[Placed] = {}


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
    closure: Closure, scenario: Scenario, book: WorkBook, placed: Placed = NOTHING_PLACED
) -> tuple[Finding, ...]:
    """Return every limit that applies, most used first.

    Args:
        closure: what the design installs, for how many tenants.
        scenario: tenants and workloads.
        book: Kubernetes' published limits.
        placed: what the clusters hold, from the placement of the workloads and the exported manifests.
    """
    demands = {c: _demand(r.tenant_class, scenario) for c, r in closure.classes.items()}
    findings: list[Finding] = []
    for place in _places(closure, scenario, demands, placed):
        for limit in book.limits.values():
            metric = f"{limit.scope}:{limit.metric}"
            need = place.need(metric)
            if need:
                at = place.passed_at(metric, limit.most)
                shown = (limit.source, limit.assumption, limit.what)
                findings.append(Finding(limit.id, limit.metric, place.name, need, limit.most, at, *shown))
    published = {(limit.metric, limit.most) for limit in book.limits.values()}
    findings.extend(_option_limits(closure, demands, placed, published))
    return tuple(sorted(findings, key=lambda f: (-f.use, f.limit, f.place)))


def _demand(tenant_class: TenantClass, scenario: Scenario) -> Demand:
    pods = services = 0.0
    for use in tenant_class.workloads:
        replicas = _replicas(use, scenario)
        pods += replicas
        services += 1 if scenario.workload(use.template).exposure and replicas else 0
    return Demand(pods=pods, namespaces=1.0, services=services)


def _replicas(use: WorkloadUse, scenario: Scenario) -> int:
    return scenario.workload(use.template).replicas if use.replicas is None else use.replicas


def _places(closure: Closure, scenario: Scenario, demands: Mapping[str, Demand], placed: Placed) -> list[_Place]:
    places: list[_Place] = []
    if HUB in placed:
        hub = _with_node_pods(_grown(placed[HUB], _hosted_pods(closure)), _platform_pods(closure)[2])
        places.append(_Place("the hub", _needs(hub.fixed), _needs(hub.growing), sum(closure.tenants.values())))
    shared = [c for c, resolved in closure.classes.items() if not resolved.cluster.per_tenant]
    if shared:
        places.append(_shared_cluster(shared, closure, scenario, demands, placed.get(SHARED)))
    for class_id, resolved in closure.classes.items():
        demand, known = demands[class_id], placed.get(class_id)
        places.append(_Place(f"a namespace of a tenant of {class_id}", _namespace_needs(demand), {}, 0))
        if resolved.cluster.per_tenant:
            if known is not None:
                demand = _at_least(_with_node_pods(known, 0.0).all, demand)
            places.append(_Place(f"a tenant's cluster of {class_id}", _needs(demand), {}, 0))
    return places


def _grown(held: Held, pods: float) -> Held:
    """Return the same cluster with some of its pods, and their share of its nodes, growing with tenants."""
    share = min(1.0, pods / held.fixed.pods) if held.fixed.pods else 0.0
    moved = Demand(nodes=held.fixed.nodes * share, pods=held.fixed.pods * share)
    return Held(held.fixed + moved.scaled(-1), held.growing + moved)


def _hosted_pods(closure: Closure) -> float:
    """Return the pods of tenants' control planes that run in the hub."""
    pods = 0.0
    for installation in closure.installations.values():
        for footprint in installation.component.footprint:
            if footprint.scope == "tenant":
                held = [c for c in installation.classes if footprint.when.holds(closure.classes[c].facts)]
                held = [c for c in held if closure.classes[c].cluster.control_plane == "hosted"]
                pods += footprint.pods * sum(closure.tenants[c] for c in held)
    return pods


def _with_node_pods(held: Held, per_node: float) -> Held:
    """Return the same cluster with the pods that run on every node, and the platform's namespaces."""
    fixed, growing = (replace(d, pods=d.pods + per_node * d.nodes) for d in (held.fixed, held.growing))
    return Held(replace(fixed, namespaces=max(fixed.namespaces, SYSTEM_NAMESPACES)), growing)


def _at_least(held: Demand, stated: Demand) -> Demand:
    """Return what is held, with no fewer namespaces and services than stated: a virtual control plane's are copied."""
    namespaces, services = max(held.namespaces, stated.namespaces), max(held.services, stated.services)
    return replace(held, namespaces=namespaces, services=services)


def _shared_cluster(
    shared: list[str], closure: Closure, scenario: Scenario, demands: Mapping[str, Demand], held: Held | None
) -> _Place:
    """Return what each shared cluster needs: the platform's own part, and the part that grows with tenants."""
    extent = closure.extent(shared)
    clusters = extent.shared_clusters
    stated = sum((demands[c].scaled(closure.tenants[c] / clusters) for c in shared), Demand())
    per_cluster, per_tenant, per_node = _platform_pods(closure)
    if held is None:
        fleet = _fleet(scenario) / clusters if scenario.infrastructure.mode == "fixed" else 0.0
        held = Held(Demand(nodes=fleet, pods=per_cluster), replace(stated, pods=stated.pods + per_tenant / clusters))
    else:
        held = Held(held.fixed, _at_least(held.growing, stated))
    held = _with_node_pods(held, per_node)
    tenants = sum(closure.tenants.values())
    return _Place(_name("shared cluster", clusters), _needs(held.fixed), _needs(held.growing), tenants)


def _name(what: str, count: int) -> str:
    return f"the {what}" if count == 1 else f"each of {count} {what}s"


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


def _needs(demand: Demand) -> dict[str, float]:
    stated = demand.objects or demand.services + demand.namespaces * OBJECTS_PER_NAMESPACE
    objects = demand.pods * OBJECTS_PER_POD + stated
    return {
        "cluster:namespaces": demand.namespaces,
        "cluster:pods": demand.pods,
        "cluster:containers": demand.pods,
        "cluster:services": demand.services,
        "cluster:nodes": demand.nodes,
        "cluster:etcd_bytes": objects * BYTES_PER_OBJECT,
    }


def _namespace_needs(demand: Demand) -> dict[str, float]:
    return {"namespace:pods": demand.pods, "namespace:services": demand.services}


def _option_limits(
    closure: Closure, demands: Mapping[str, Demand], placed: Placed, published: set[tuple[str, float]]
) -> list[Finding]:
    """Return the options' own limits; those that repeat Kubernetes' published ones are left to these."""
    options = {option.id: option for resolved in closure.classes.values() for option in resolved.options}
    findings: list[Finding] = []
    for option in options.values():
        classes = [c for c, resolved in closure.classes.items() if option.id in resolved.choice.options]
        for limit in option.limits:
            if (limit.metric, limit.most) in published:
                continue
            need = _option_need(limit, closure, classes, demands, placed)
            if not need:
                continue
            at = int(limit.most * sum(closure.tenants.values()) / need) + 1
            text = limit.note or f"stated for {option.name}"
            shown = (limit.source, limit.assumption, text)
            findings.append(Finding(option.id, limit.metric, option.name, need, limit.most, at, *shown))
    return findings


def _option_need(
    limit: Limit, closure: Closure, classes: list[str], demands: Mapping[str, Demand], placed: Placed
) -> float | None:
    """Return what the classes need of an option's metric; None where it cannot be counted here."""
    extent = closure.extent(classes)
    clusters = max(1, extent.clusters)
    tenants = float(extent.tenants)
    held = [placed.get(c if closure.classes[c].cluster.per_tenant else SHARED, Held()) for c in classes]
    stated = sum(demands[c].pods * closure.tenants[c] for c in classes) / clusters
    counts = {
        "tenants": tenants,
        "control_planes": float(extent.tenant_clusters + extent.virtual_control_planes),
        "tenants_per_host_cluster": tenants / max(1, extent.shared_clusters or extent.hubs),
        "clusters": float(extent.clusters),
        "namespaces": sum(demands[c].namespaces * closure.tenants[c] for c in classes) / clusters,
        "pods": max(one.all.pods for one in held) or stated,
        "services": sum(demands[c].services * closure.tenants[c] for c in classes) / clusters,
        "nodes": max(one.all.nodes for one in held) or None,
    }
    return counts.get(limit.metric)
