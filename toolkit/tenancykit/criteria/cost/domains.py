"""From a design to placement domains: who may share machines, what stands on them, how many there are alike."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Final, Literal, NamedTuple

from kubeanswers.records import dataclass
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.cost.activity import Activity, TenantGroup, is_constant, steady, waits
from tenancykit.criteria.cost.demand import Series
from tenancykit.criteria.cost.machines import Machine, at_site
from tenancykit.criteria.cost.overhead import Burden, burdens_of, merged, off_gpu_nodes, shares_hosts, system_pods
from tenancykit.criteria.cost.placement.values import NodeClass, PodClass
from tenancykit.criteria.cost.shapes import Shapes, gpu_models
from tenancykit.criteria.cost.wrapping import UNWRAPPED, Wrapping, wrapping
from tenancykit.design.components import Closure, closure
from tenancykit.design.model import ClassDesign, ResolvedDesign
from tenancykit.scenario.model import Scenario, Site

MIN_NODES: Final = 2
"""Nodes of a cluster that is to survive the loss of one of them (assumption). Where control planes or machines are a
provider's, those of a tenant's cluster are a pool that carries system pods: AKS demands two such nodes in production
and recommends three (https://learn.microsoft.com/en-us/azure/aks/use-system-pools); that tenants' clusters on other
providers' machines, whose nodes with GPUs are tainted and given back, need as many is an assumption. In a pool that
everybody shares system pods stand where there is room, or on machines without GPUs where that costs less by the
month."""

DomainKind = Literal["shared", "class", "tenant", "system"]
ClusterKind = Literal["shared", "tenant", "hub"]
ControlPlanePay = Literal["fee", "hosts", "pods"]


class _Least(NamedTuple):
    """How many nodes a domain has at least, and whether those are a pool for system pods."""

    nodes: int
    pool: bool


_NONE: Final = _Least(0, pool=False)


@dataclass(frozen=True)
class Stream:
    """Pods of one workload of one group in a domain, and how many are active over time.

    Attributes:
        pod: one of the pods.
        group: id of the tenants' group.
        member: position of the workload in the group.
        tenants: tenants whose pods these are.
        steady: pods at all times, for constant demand.
        series: pods per hour, for changing demand.
        waits: whether these are jobs, which wait where there is no room, rather than services that are called.
        apart: pods if every tenant had room of its own for its greatest demand.
        apart_mean: the same for its mean demand.
        wrapped: what makes the same work take longer; requests for cores hold it, pods on GPUs are as if nothing did.
    """

    pod: PodClass
    group: str
    member: int
    tenants: int
    steady: int = 0
    series: Series | None = field(default=None, repr=False, compare=False)
    waits: bool = False
    apart: int = 0
    apart_mean: int = 0
    wrapped: Wrapping = UNWRAPPED

    @property
    def mean(self) -> float:
        """Mean number of active pods."""
        return float(self.steady) if self.series is None else float(self.series.mean())


@dataclass(frozen=True)
class Domain:
    """Tenants that may share machines, the machines they may get, and what stands there anyway.

    Attributes:
        id: unique name in the layout.
        kind: whom it serves.
        cluster: id of its clusters.
        copies: domains alike.
        streams: tenants' pods of one copy.
        fixed: system pods of one copy.
        types: machines to choose from, with prices.
        minimum: nodes a copy has at least.
        classes: tenant classes served.
        lends: whether a tenant may use what others leave of their quota; without, each needs room for its own peak.
        pool: whether the nodes it has at least carry its system pods, as in tenants' clusters at providers.
    """

    id: str
    kind: DomainKind
    cluster: str
    copies: int
    streams: tuple[Stream, ...]
    fixed: tuple[PodClass, ...]
    types: tuple[NodeClass, ...]
    minimum: int
    classes: tuple[str, ...]
    lends: bool = True
    pool: bool = False

    @property
    def counted(self) -> tuple[NodeClass, ...]:
        """The machines that count among those it has at least."""
        if not self.pool:
            return self.types
        return tuple(node for node in self.types if all(pod.needs <= node.labels for pod in self.fixed))

    @property
    def unrestrained(self) -> Domain:
        """The same where system pods may stand on machines with GPUs too."""
        return replace(self, fixed=tuple(replace(pod, needs=frozenset[str]()) for pod in self.fixed))


@dataclass(frozen=True)
class Clusters:
    """Clusters alike.

    Attributes:
        id: unique name in the layout.
        kind: who is in them.
        site: where they run.
        copies: how many there are.
        classes: tenant classes they serve.
        group: id of the group whose tenants own them, for ``tenant``.
        control_plane: how the API server is paid: a provider's fee, machines of its own, or pods of the hub.
    """

    id: str
    kind: ClusterKind
    site: Site
    copies: int
    classes: frozenset[str]
    group: str
    control_plane: ControlPlanePay


@dataclass(frozen=True)
class Hosts:
    """Whole machines a component takes.

    Attributes:
        component: id of the component.
        number: machines, all together.
        classes: tenant classes they serve.
        note: how the number was derived, as the catalogue says it.
    """

    component: str
    number: int
    classes: frozenset[str]
    note: str


@dataclass(frozen=True)
class Layout:
    """Everything that has to be housed and paid for under a design.

    Attributes:
        clusters: clusters by kind and site.
        domains: placement domains.
        hosts: machines of control planes and the like.
        closure: what is installed.
        sites: sites of each class, by class id.
        notes: where the design could not be taken literally, and what was done instead.
    """

    clusters: tuple[Clusters, ...]
    domains: tuple[Domain, ...]
    hosts: tuple[Hosts, ...]
    closure: Closure = field(repr=False)
    sites: Mapping[str, tuple[Site, ...]]
    notes: tuple[str, ...] = ()

    @property
    def host_machines(self) -> int:
        """Machines that components take whole, all together."""
        return sum(hosts.number for hosts in self.hosts)


Met = dict[tuple[object, ...], tuple[Domain, ...]]
"""Domains of tenants on their own by what they follow from, for whoever lays out many designs of one scenario."""


def layout(
    design: ResolvedDesign,
    scenario: Scenario,
    catalogue: Catalogue,
    machines: Sequence[Machine],
    activity: Activity,
    met: Met | None = None,
) -> Layout:
    """Return the clusters and placement domains of a design.

    Tenants of a class are spread evenly over the sites it may use. System pods stand in the domain that everybody of a
    cluster shares, or on machines of their own where there is none.

    Args:
        design: the design.
        scenario: the scenario.
        catalogue: the catalogue.
        machines: machines to choose from.
        activity: tenants and their demand.
        met: domains of earlier layouts of the same scenario; equal ones are the same objects, and new ones are added.
    """
    return _Builder(design, scenario, catalogue, machines, activity, {} if met is None else met).build()


_LENDING: Final = frozenset({"fair-queue"})
"""Traits by which quota that one tenant leaves idle is lent to another."""
_QUOTA: Final = frozenset({"resource-quota"})
"""Traits by which every tenant has a fixed quota of its own."""
_HOLDS: Final = frozenset({"api-access"})
"""Facts by which tenants hold their quota: who has no API rights submits nothing; the operator fills the machines."""


def _lends(served: Sequence[ClassDesign]) -> bool:
    """Return whether tenants that share machines may use each other's room: a queue lends it, or nobody holds quota."""
    return all(not (_QUOTA & found.facts and _HOLDS & found.facts) or bool(_LENDING & found.facts) for found in served)


class _Builder:
    """One layout under way: the catalogue is read once, clusters and domains are collected."""

    def __init__(
        self,
        design: ResolvedDesign,
        scenario: Scenario,
        catalogue: Catalogue,
        machines: Sequence[Machine],
        activity: Activity,
        met: Met,
    ) -> None:
        self.met = met
        self.machines = machines
        self.activity = activity
        self.infrastructure = scenario.infrastructure
        self.closure = closure(design, scenario, catalogue)
        self.burdens = burdens_of(self.closure)
        self.shapes = Shapes(self.burdens, tuple(catalogue.rules.values()), scenario.infrastructure.on_virtual_machines)
        self.classes = {c.tenant_class.id: c for c in design.classes}
        self.wrapped = {name: wrapping(c, catalogue) for name, c in self.classes.items()}
        every = scenario.infrastructure.sites
        self.sites = {name: tuple(s for s in every if s.id in self.closure.sites[name]) for name in self.classes}
        self.shared = {name: c for name, c in self.classes.items() if not c.cluster.per_tenant}
        self.guests = {n: c for n, c in self.classes.items() if c.cluster.per_tenant and shares_hosts(c)}
        steered = self.closure.hub_classes or self.guests
        homeless = not self.shared and any(b.footprint.scope == "fleet" for b in self.burdens)
        self.hub = bool(steered or homeless)
        self.least = MIN_NODES if self.infrastructure.high_availability else 1
        self.clusters: list[Clusters] = []
        self.domains: list[Domain] = []
        self.notes: dict[str, None] = {}

    def build(self) -> Layout:
        if self.hub:
            self._hubs()
        for site in self.infrastructure.sites:
            here = {name: c for name, c in self.shared.items() if site in self.sites[name]}
            if here:
                self._common_cluster(f"shared@{site.id}", "shared", site, here)
        for name, resolved in self.classes.items():
            if resolved.cluster.per_tenant:
                self._tenant_clusters(name, resolved)
        hosts = tuple(self._hosts())
        notes = tuple(self.notes)
        return Layout(tuple(self.clusters), tuple(self.domains), hosts, self.closure, self.sites, notes)

    def _hubs(self) -> None:
        """Add the hub, and at every further site with virtual nodes a cluster whose hosts carry them."""
        every = self.infrastructure.sites
        sites = [site for site in every if any(site in self.sites[name] for name in self.guests)] or [every[0]]
        for site in sites:
            guests = {name: c for name, c in self.guests.items() if site in self.sites[name]}
            self._common_cluster("hub" if site == sites[0] else f"hub@{site.id}", "hub", site, guests)

    # --- clusters -----------------------------------------------------------------------------------------------

    def _common_cluster(self, identifier: str, kind: ClusterKind, site: Site, here: dict[str, ClassDesign]) -> None:
        machines = at_site(self.machines, site)
        fixed = merged(self._system(kind, site, frozenset(here)))
        fleet = [name for name, c in here.items() if c.placement.domain == "fleet"]
        if fleet:
            streams = [s for name in fleet for s in self._class_streams(name, site, machines)]
            self._add(f"{identifier}/all", "shared", identifier, streams, fixed, fleet, machines, self.least)
        else:
            plain = tuple(m for m in machines if not m.is_gpu) or machines
            self._add(f"{identifier}/system", "system", identifier, [], fixed, list(here), plain, self.least)
        for name, resolved in here.items():
            if resolved.placement.domain == "class":
                streams = list(self._class_streams(name, site, machines))
                self._add(f"{identifier}/class/{name}", "class", identifier, streams, (), [name], machines)
            elif resolved.placement.domain == "tenant":
                for group in self._groups(name):
                    self._tenant_domains(f"{identifier}/tenant", identifier, group, site, ())
        self._cluster(identifier, kind, site, 1, frozenset(here))

    def _tenant_clusters(self, name: str, resolved: ClassDesign) -> None:
        for site in self.sites[name]:
            pool = self._paid("tenant", frozenset({name})) == "fee" or site.provider != "own"
            least = _Least(self.least, pool)
            for group in self._groups(name):
                copies = self._at_site(group.count, name, site)
                if copies:
                    identifier = f"tenant@{site.id}/{group.id}"
                    self._cluster(identifier, "tenant", site, copies, frozenset({name}), group.id)
                    if not shares_hosts(resolved):
                        fixed = merged(self._system("tenant", site, frozenset({name})))
                        self._tenant_domains(identifier, identifier, group, site, fixed, least)

    def _cluster(
        self, identifier: str, kind: ClusterKind, site: Site, copies: int, classes: frozenset[str], group: str = ""
    ) -> None:
        """Add clusters alike; machines of self-managed control planes are counted in :meth:`_hosts`."""
        paid = self._paid(kind, classes)
        self.clusters.append(Clusters(identifier, kind, site, copies, classes, group, paid))

    def _paid(self, kind: ClusterKind, classes: frozenset[str]) -> ControlPlanePay:
        """Return how the API server of clusters of a kind that serve some classes is paid."""
        way = self.classes[min(classes)].cluster.control_plane if kind == "tenant" else ""
        if way == "hosted":
            return "pods"
        return "fee" if way == "managed" or (not way and self.infrastructure.control_plane == "managed") else "hosts"

    def _hosts(self) -> Iterator[Hosts]:
        for burden in self.burdens:
            footprint = burden.footprint
            if footprint.hosts:
                number = self.closure.extent(burden.classes).count(footprint.scope)
                yield Hosts(burden.component, number * footprint.hosts, burden.classes, footprint.note)

    # --- system pods --------------------------------------------------------------------------------------------

    def _system(self, kind: ClusterKind, site: Site, classes: frozenset[str]) -> Iterator[PodClass | None]:
        """Yield the system pods of one cluster."""
        is_first = kind != "tenant" and not self.clusters
        for burden in self.burdens:
            scope = burden.footprint.scope
            if scope == "fleet":
                yield system_pods(burden, 1 if is_first else 0)
            elif scope == "cluster":
                yield system_pods(burden, self._installed(burden, kind, site, classes))
            elif scope in ("tenant", "class"):
                named = burden.classes if kind == "hub" else burden.classes & classes
                yield system_pods(burden, self._instances(burden, kind, site, named))

    def _installed(self, burden: Burden, kind: ClusterKind, site: Site, classes: frozenset[str]) -> int:
        """Return how often what every cluster has stands in one cluster; guests' clusters stand on the hub's hosts."""
        served = burden.classes & classes
        if kind == "hub":
            return sum(self._at_site(self.classes[name].tenant_class.count, name, site) for name in served)
        return 1 if served else 0

    def _instances(self, burden: Burden, kind: ClusterKind, site: Site, classes: frozenset[str]) -> int:
        """Return how many tenants (or classes) have their pods of a footprint in one cluster of a kind."""
        total = 0
        for name in classes:
            resolved = self.classes[name]
            if self._home(resolved, of_control_plane=burden.of_control_plane) != kind:
                continue
            if kind == "tenant" or burden.footprint.scope == "class":
                total += 1 if site in self.sites[name] else 0
            elif kind == "hub" and name not in self.guests:
                total += 0 if self.clusters else resolved.tenant_class.count
            elif site in self.sites[name]:
                total += self._at_site(resolved.tenant_class.count, name, site)
        return total

    def _home(self, resolved: ClassDesign, *, of_control_plane: bool) -> ClusterKind:
        if not resolved.cluster.per_tenant:
            return "shared"
        on_hub = shares_hosts(resolved) or (of_control_plane and resolved.tenant_class.id in self.closure.hub_classes)
        return "hub" if on_hub else "tenant"

    # --- domains ------------------------------------------------------------------------------------------------

    def _add(
        self,
        identifier: str,
        kind: DomainKind,
        cluster: str,
        streams: list[Stream],
        fixed: tuple[PodClass, ...],
        classes: list[str],
        machines: Sequence[Machine],
        minimum: int = 0,
    ) -> None:
        types, lends = self._types(classes, machines)
        self.domains.append(
            Domain(identifier, kind, cluster, 1, tuple(streams), fixed, types, minimum, tuple(classes), lends)
        )

    def _types(self, classes: Sequence[str], machines: Sequence[Machine]) -> tuple[tuple[NodeClass, ...], bool]:
        """Return the machines a domain that serves some classes may get, and whether its tenants lend room."""
        served = [self.classes[name] for name in classes]
        types, notes = self.shapes.types(served, machines)
        self.notes.update(dict.fromkeys(notes))
        return types, _lends(served)

    def _tenant_domains(
        self,
        prefix: str,
        cluster: str,
        group: TenantGroup,
        site: Site,
        fixed: tuple[PodClass, ...],
        least: _Least = _NONE,
    ) -> None:
        name = group.tenant_class.id
        machines, wrapped = at_site(self.machines, site), self.wrapped[name]
        plain = [
            Stream(
                self._pod(group, index, machines),
                group.id,
                index,
                1,
                steady(member) if is_constant(member) else 0,
                waits=not is_constant(member) and waits(member.workload),
                wrapped=wrapped,
            )
            for index, member in enumerate(group.members)
        ]
        every = self.activity.alike(group)
        copies = [self._at_site(alike.number, name, site) for alike in every]
        if not any(copies):
            return
        types, lends = self._types([name], machines)
        fixed, types = off_gpu_nodes(fixed, types)
        wraps = tuple(entry.id for entry in wrapped.entries)
        pods = tuple(stream.pod for stream in plain)
        key = (prefix, cluster, group.id, tuple(copies), pods, wraps, fixed, types, least, lends)
        found = self.met.get(key)
        if found is None:
            found = self.met[key] = tuple(
                Domain(
                    f"{prefix}/{group.id}" + (f"#{position}" if len(every) > 1 else ""),
                    "tenant",
                    cluster,
                    number,
                    tuple(replace(stream, series=own) for stream, own in zip(plain, alike.series, strict=True)),
                    fixed,
                    types,
                    least.nodes,
                    (name,),
                    lends,
                    least.pool,
                )
                for position, (alike, number) in enumerate(zip(every, copies, strict=True), start=1)
                if number
            )
        self.domains.extend(found)

    def _class_streams(self, name: str, site: Site, machines: Sequence[Machine]) -> Iterator[Stream]:
        for group in self._groups(name):
            tenants = self._at_site(group.count, name, site)
            for index, member in enumerate(group.members if tenants else ()):
                pod, wrapped = self._pod(group, index, machines), self.wrapped[name]
                if is_constant(member):
                    number = steady(member) * tenants
                    yield Stream(pod, group.id, index, tenants, number, wrapped=wrapped)
                else:
                    series = self.activity.total(group, index) * (tenants / group.count)
                    yield Stream(
                        pod,
                        group.id,
                        index,
                        tenants,
                        0,
                        series,
                        waits(member.workload),
                        *self._apart(group, index, tenants),
                        wrapped,
                    )

    def _apart(self, group: TenantGroup, index: int, tenants: int) -> tuple[int, int]:
        """Return the pods of so many tenants at each one's own greatest and own mean demand, in whole gangs."""
        most, mean = (math.ceil(amount * tenants / group.count - 1e-9) for amount in self.activity.apart(group, index))
        return most, mean

    def _pod(self, group: TenantGroup, index: int, machines: Sequence[Machine]) -> PodClass:
        workload, resolved = group.members[index].workload, self.classes[group.tenant_class.id]
        if workload.gpu and workload.gpu.count:
            note = gpu_models(workload.gpu.models, resolved, machines)[1]
            if note:
                self.notes[note] = None
        pod = self.shapes.pod(workload, resolved, machines)
        if pod.gpu_count:
            return pod
        slower = self.wrapped[group.tenant_class.id].times(gpu=False) - 1
        return replace(pod, overhead_cpu_milli=pod.overhead_cpu_milli + round(workload.cpu * slower))

    # --- counting -----------------------------------------------------------------------------------------------

    def _groups(self, name: str) -> Iterator[TenantGroup]:
        return (group for group in self.activity.groups if group.tenant_class.id == name)

    def _at_site(self, number: int, name: str, site: Site) -> int:
        """Return how many of a number of tenants are at a site, spread evenly, earlier sites first."""
        sites = self.sites[name]
        return (number + len(sites) - 1 - sites.index(site)) // len(sites)
