"""What has to be installed for a design: the dependency closure of its options, and how often each thing occurs.

Conventions of counting (read by effort, operations and manifests):

* Classes whose control plane is shared, virtual or logical stand on shared clusters: one per site the classes may use.
* A class whose control-plane option gives each tenant a cluster has one cluster per tenant.
* A hub (the component ``management-cluster``) is one more cluster for the whole fleet, whoever needs it.
* A component of scope ``cluster`` is installed in every cluster that serves a class whose options ask for it; one of
  scope ``fleet`` once; one of scope ``tenant`` once per tenant.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from types import MappingProxyType
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.model import Component
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.facts import class_sites
from tenancykit.design.model import ClassDesign, ResolvedDesign
from tenancykit.scenario.model import Scenario, TenantClass

HUB: Final = "management-cluster"
"""Component that stands for the cluster others are steered from."""


@dataclass(frozen=True)
class Extent:
    """How often something occurs that some tenant classes of a design need.

    Attributes:
        classes: tenant classes.
        tenants: tenants of those classes.
        shared_clusters: clusters that serve several tenants.
        tenant_clusters: clusters of one tenant each.
        virtual_control_planes: API servers of tenants beside a shared cluster's own.
        hubs: clusters that steer others.
        gpus: cards the tenants' workloads ask for on average, shares of one added up, rounded up.
    """

    classes: int = 0
    tenants: int = 0
    shared_clusters: int = 0
    tenant_clusters: int = 0
    virtual_control_planes: int = 0
    hubs: int = 0
    gpus: int = 0

    @property
    def clusters(self) -> int:
        """Clusters in which tenants' pods run."""
        return self.shared_clusters + self.tenant_clusters

    @property
    def api_servers(self) -> int:
        """API servers that have to be kept alive: of clusters, of tenants beside them, of hubs."""
        return self.clusters + self.virtual_control_planes + self.hubs

    def count(self, scope: str) -> int:
        """Return how often something of a scope occurs.

        Args:
            scope: ``once``, ``fleet``, ``cluster``, ``shared-cluster``, ``tenant-cluster``, ``management-cluster``,
                ``virtual-control-plane``, ``class``, ``tenant`` or ``gpu``.

        Raises:
            ValueError: the scope is none of these (nodes and pods are not counted here).
        """
        some = 1 if self.classes else 0
        counts = {
            "once": some,
            "fleet": some,
            "cluster": self.clusters,
            "shared-cluster": self.shared_clusters,
            "tenant-cluster": self.tenant_clusters,
            "management-cluster": self.hubs,
            "virtual-control-plane": self.virtual_control_planes,
            "class": self.classes,
            "tenant": self.tenants,
            "gpu": self.gpus,
        }
        if scope not in counts:
            raise ValueError(f"{scope!r} is not counted by clusters and tenants; known: {', '.join(counts)}")
        return counts[scope]


@dataclass(frozen=True)
class Installation:
    """A component and where it has to run.

    Attributes:
        component: the component.
        because: ids of the options and components that ask for it.
        classes: ids of the tenant classes it serves.
        instances: how many times it is installed.
    """

    component: Component
    because: tuple[str, ...]
    classes: tuple[str, ...]
    instances: int


@dataclass(frozen=True)
class RolloutGroup:
    """Tenant classes whose clusters get changes in the same way.

    Attributes:
        classes: ids of the classes.
        own_clusters: whether each tenant has a cluster.
        fleet: whether a fleet layer rolls changes out over the clusters.
    """

    classes: tuple[str, ...]
    own_clusters: bool
    fleet: bool


@dataclass(frozen=True)
class Closure:
    """Everything a design needs installed.

    Attributes:
        installations: by component id, requirements before what needs them.
        classes: the design's classes by id.
        sites: sites of the shared clusters, by class id.
        tenants: tenants by class id; the scenario's count unless other counts were asked for.
        hub_classes: classes that need the hub.
        cards: cards that one tenant's workloads ask for on average, by class id.
    """

    installations: Mapping[str, Installation]
    classes: Mapping[str, ClassDesign] = field(repr=False)
    sites: Mapping[str, frozenset[str]] = field(repr=False)
    tenants: Mapping[str, int]
    hub_classes: frozenset[str] = frozenset()
    cards: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def by_class(self) -> Mapping[str, frozenset[str]]:
        """Ids of the options and components that serve each class."""
        found = {identifier: set(resolved.choice.options) for identifier, resolved in self.classes.items()}
        for component, installation in self.installations.items():
            for identifier in installation.classes:
                found[identifier].add(component)
        return MappingProxyType({identifier: frozenset(ids) for identifier, ids in found.items()})

    @cached_property
    def edges(self) -> Mapping[str, tuple[str, ...]]:
        """Components each installed component requires."""
        return MappingProxyType({c: i.component.requires for c, i in self.installations.items()})

    @cached_property
    def whole(self) -> Extent:
        """Extent of the whole design."""
        return self.extent(self.classes)

    def extent(self, class_ids: Iterable[str], tenants: Mapping[str, int] | None = None) -> Extent:
        """Return how often something occurs that these classes need.

        Args:
            class_ids: ids of classes of the design.
            tenants: tenants by class id, in place of the closure's own.
        """
        chosen = [self.classes[identifier] for identifier in class_ids]
        counts = self.tenants if tenants is None else tenants
        return count_extent(chosen, self.sites, counts, self.hub_classes, self.cards)

    def rollout_groups(self, class_ids: Iterable[str]) -> tuple[RolloutGroup, ...]:
        """Return the classes grouped by how changes reach their clusters, in order of their first class.

        Classes on shared clusters form one group: a fleet layer serves it only where every one of them chooses it.
        Classes with a cluster per tenant form up to two, with and without a fleet layer. No cluster is in two groups.
        """
        identifiers = tuple(class_ids)
        layered = {c: self.classes[c].chosen("control_plane", "fleet") is not None for c in identifiers}
        shared = [c for c in identifiers if not self.classes[c].cluster.per_tenant]
        groups: dict[tuple[bool, bool], list[str]] = {}
        for identifier in identifiers:
            own = self.classes[identifier].cluster.per_tenant
            fleet = layered[identifier] if own else all(layered[c] for c in shared)
            groups.setdefault((own, fleet), []).append(identifier)
        return tuple(RolloutGroup(tuple(found), own, fleet) for (own, fleet), found in groups.items())

    def with_tenants(self, tenants: Mapping[str, int]) -> Closure:
        """Return the same installations for other numbers of tenants."""
        recounted = {
            identifier: Installation(
                installation.component,
                installation.because,
                installation.classes,
                self.extent(installation.classes, tenants).count(installation.component.scope),
            )
            for identifier, installation in self.installations.items()
        }
        counts = MappingProxyType(dict(tenants))
        return Closure(MappingProxyType(recounted), self.classes, self.sites, counts, self.hub_classes, self.cards)


def count_extent(
    classes: Iterable[ClassDesign],
    sites: Mapping[str, frozenset[str]],
    tenants: Mapping[str, int],
    hub_classes: frozenset[str],
    cards: Mapping[str, float],
) -> Extent:
    """Return how often something occurs that these classes need, by the conventions of this module."""
    number = total = own = virtual = hubs = 0
    gpus = 0.0
    shared_sites: set[str] = set()
    for resolved in classes:
        identifier = resolved.tenant_class.id
        count = tenants[identifier]
        number += 1
        total += count
        gpus += count * cards.get(identifier, 0.0)
        if resolved.cluster.per_tenant:
            own += count
        else:
            shared_sites |= sites[identifier]
            if resolved.cluster.control_plane in ("virtual", "logical"):
                virtual += count
        if identifier in hub_classes:
            hubs = 1
    return Extent(number, total, len(shared_sites), own, virtual, hubs, math.ceil(gpus - 1e-9))


def _cards(scenario: Scenario, tenant_class: TenantClass) -> float:
    """Return the cards one tenant's workloads ask for on average; all of them where demand is a trace."""
    asked = 0.0
    for member in tenant_class.workloads:
        workload = scenario.workload(member.template)
        if workload.gpu is not None:
            demand = member.demand or workload.demand
            mean = 1.0 if demand.profile == "trace" else demand.mean
            replicas = workload.replicas if member.replicas is None else member.replicas
            asked += mean * replicas * (workload.gpu.fraction or workload.gpu.count)
    return asked


def closure(design: ResolvedDesign, scenario: Scenario, catalogue: Catalogue) -> Closure:
    """Return everything the design needs installed, with counts for the scenario's tenants."""
    classes = {resolved.tenant_class.id: resolved for resolved in design.classes}
    sites = {id_: frozenset(class_sites(scenario, resolved.tenant_class)) for id_, resolved in classes.items()}
    tenants = {identifier: resolved.tenant_class.count for identifier, resolved in classes.items()}
    cards = {identifier: _cards(scenario, resolved.tenant_class) for identifier, resolved in classes.items()}
    because: dict[str, dict[str, None]] = {}
    serves: dict[str, dict[str, None]] = {}
    for identifier, resolved in classes.items():
        for option in resolved.options:
            for component, reason in _required(option.id, option.components, catalogue.components):
                because.setdefault(component, {})[reason] = None
                serves.setdefault(component, {})[identifier] = None
    hub_classes = frozenset(serves.get(HUB, ()))
    installations = {}
    for component in _ordered(because, catalogue.components):
        found = catalogue.components[component]
        extent = count_extent((classes[c] for c in serves[component]), sites, tenants, hub_classes, cards)
        installations[component] = Installation(
            found, tuple(because[component]), tuple(serves[component]), extent.count(found.scope)
        )
    return Closure(
        MappingProxyType(installations),
        MappingProxyType(classes),
        MappingProxyType(sites),
        MappingProxyType(tenants),
        hub_classes,
        MappingProxyType(cards),
    )


def _required(option: str, components: Sequence[str], known: Mapping[str, Component]) -> Iterator[tuple[str, str]]:
    """Yield each component an option needs, directly or not, with what asks for it."""
    pending = [(component, option) for component in reversed(components)]
    visited: set[str] = set()
    while pending:
        component, reason = pending.pop()
        yield component, reason
        if component not in visited:
            visited.add(component)
            pending.extend((needed, component) for needed in reversed(known[component].requires))


def _ordered(components: Iterable[str], known: Mapping[str, Component]) -> list[str]:
    """Return the components in order of id, but each after those it requires."""
    done: dict[str, None] = {}

    def visit(component: str) -> None:
        if component not in done:
            for needed in sorted(known[component].requires):
                visit(needed)
            done[component] = None

    for component in sorted(components):
        visit(component)
    return list(done)
