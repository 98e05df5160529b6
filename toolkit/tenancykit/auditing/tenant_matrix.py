"""The audit itself: objects to the tenant-to-tenant matrix as configured, with findings and checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Final

from kubeanswers.access.rbac import AccessRules
from kubeanswers.collector import paused_collector
from kubeanswers.network.addresses import PRIVATE, AddressSet
from kubeanswers.objects import ObjectSet
from kubeanswers.reading import Reading
from kubeanswers.records import dataclass
from kubeanswers.validation.schema import DEFAULT_VERSION
from tenancykit.auditing.alike import alike, with_few
from tenancykit.auditing.benchmark import Evidence, benchmark_checks, standard_checks
from tenancykit.auditing.crossings.admission_probe import AdmissionProbe
from tenancykit.auditing.crossings.api_access import CROSSING as API
from tenancykit.auditing.crossings.api_access import ApiReach, api_reach
from tenancykit.auditing.crossings.bounds import CROSSINGS as BOUNDS
from tenancykit.auditing.crossings.bounds import Bounds
from tenancykit.auditing.crossings.delivery import CROSSING as DELIVERY
from tenancykit.auditing.crossings.delivery import Delivery
from tenancykit.auditing.crossings.hostile_pods import CROSSING as NODE
from tenancykit.auditing.crossings.hostile_pods import QUEUE_CROSSING, TRAFFIC_CROSSING, HostilePods
from tenancykit.auditing.crossings.network_reach import CROSSING as NETWORK
from tenancykit.auditing.crossings.network_reach import METADATA_CROSSING, NetworkReach
from tenancykit.auditing.crossings.node_sharing import CROSSING as NEIGHBOURS
from tenancykit.auditing.crossings.node_sharing import NodeSharing, SharedGpu, gpu_sharing
from tenancykit.auditing.crossings.routes import Routes
from tenancykit.auditing.crossings.sandboxes import CROSSING as KERNEL
from tenancykit.auditing.crossings.sandboxes import Sandboxes
from tenancykit.auditing.crossings.volume_claims import CROSSING as CLAIMS
from tenancykit.auditing.crossings.volume_claims import VolumeClaims
from tenancykit.auditing.findings import AuditReport, CrossingState, Finding, Severity, about
from tenancykit.auditing.implied import with_implied, with_spaces
from tenancykit.auditing.paths import all_paths
from tenancykit.auditing.paths.model import Path
from tenancykit.auditing.paths.model import Scene as Ways
from tenancykit.auditing.queues import queue_findings
from tenancykit.auditing.spreading import NotAlikeError, pattern_of, spread
from tenancykit.auditing.standing import INVALID_GUARD, standing
from tenancykit.auditing.telling import told, unowned_findings
from tenancykit.auditing.tenant_signs import find_tenants
from tenancykit.auditing.tenants import PLATFORM_GROUPS, Tenancy
from tenancykit.auditing.totality import unevaluated_lines


@dataclass(frozen=True)
class AuditOptions:
    """What the caller knows better than the manifests.

    Attributes:
        tenants: tenant by namespace, where labels do not say it.
        platform: users and groups of the platform team, although bound in tenants' namespaces.
        pod_cidrs: where pods live; decides whether an ipBlock may mean them.
        tenant_labels: further labels of namespaces that name the tenant.
        kubernetes: minor version whose API server would take the objects.
    """

    tenants: Mapping[str, str] = field(default_factory=dict)
    platform: frozenset[str] = frozenset()
    pod_cidrs: tuple[str, ...] = ()
    tenant_labels: tuple[str, ...] = ()
    kubernetes: str = DEFAULT_VERSION

    @property
    def pod_addresses(self) -> AddressSet:
        """The pods' addresses.

        Raises:
            ValueError: a text is no network.
        """
        return AddressSet.of(self.pod_cidrs) if self.pod_cidrs else PRIVATE


def audit(source: Reading | ObjectSet, options: AuditOptions | None = None) -> AuditReport:
    """Return what the objects mean: who reaches whom over the API, the network, nodes, GPUs and shared capacity."""
    used = options or AuditOptions()
    reading = source if isinstance(source, Reading) else Reading(source)
    with paused_collector():
        return _by_kinds(reading, used) or _audit(reading, used)


def _by_kinds(reading: Reading, used: AuditOptions) -> AuditReport | None:
    """Return the report of a set many of whose tenants differ in their name only; None where it must be asked whole."""
    kinds = alike(reading.objects, (*used.tenants, *used.tenants.values(), *used.platform))
    if not kinds:
        return None
    try:
        few, more = (
            pattern_of(
                _audit(replace(reading, objects=with_few(reading.objects, kinds, further)), used, summed=False),
                {kind: kind.asked(further) for kind in kinds},
            )
            for further in (0, 1)
        )
        if few != more:
            return None
        report = spread(few, _frame(reading, _tenancy(with_spaces(reading.objects), used)))
    except NotAlikeError:
        return None
    if any(finding.rule == INVALID_GUARD for finding in report.findings):
        return None  # a queue that does not count is not to be added up
    added = (*report.findings, *queue_findings(reading.objects))  # queues of all tenants add up
    return replace(report, findings=tuple(sorted(added, key=lambda finding: finding.order)))


def _tenancy(objects: ObjectSet, used: AuditOptions) -> Tenancy:
    platform = PLATFORM_GROUPS | used.platform
    return Tenancy(objects, AccessRules(objects), used.tenants, platform, used.tenant_labels)


def _frame(reading: Reading, tenancy: Tenancy) -> AuditReport:
    """Return a report without answers: what was read, whose it is, and what is not known."""
    return AuditReport(
        dict(tenancy.namespaces),
        (),
        (),
        (),
        reading.faults,
        dict(sorted(Counter(f"{item.group or 'core'}/{item.kind}" for item in reading.objects.unknown_kinds).items())),
        (),
        reading.skipped,
        len(reading.objects),
        reading.unread,
        tuple(told(tenancy)),
    )


def _audit(reading: Reading, used: AuditOptions, *, summed: bool = True) -> AuditReport:
    """Return the report of a set; ``summed`` is whether what adds up over tenants is looked at, too."""
    stands = standing(reading, used.kubernetes)
    scene = _Scene.of(stands.objects, used)
    found = (*scene.findings(summed=summed), *stands.findings())
    findings = sorted({finding.order: finding for finding in found}.values(), key=lambda finding: finding.order)
    evidence = Evidence(scene.tenancy, scene.hostile, scene.bounds, scene.network, tuple(findings))
    return replace(
        _frame(reading, scene.tenancy),
        crossings=tuple(scene.crossings()),
        findings=tuple(findings),
        checks=(*benchmark_checks(evidence), *standard_checks(evidence)),
        not_evaluated=tuple(scene.not_evaluated()),
    )


@dataclass(frozen=True)
class _Scene:
    """One audit's evaluators over one set of objects."""

    objects: ObjectSet
    tenancy: Tenancy
    probe: AdmissionProbe
    hostile: HostilePods
    nodes: NodeSharing
    bounds: Bounds
    network: NetworkReach
    api: ApiReach
    sandboxes: Sandboxes
    claims: VolumeClaims
    delivery: Delivery
    routes: Routes
    paths: tuple[Path, ...] = ()

    @classmethod
    def of(cls, objects: ObjectSet, options: AuditOptions) -> _Scene:
        objects = with_spaces(objects)
        found = find_tenants(objects, options.tenants, options.tenant_labels)
        objects = with_implied(objects, found)
        tenancy = _tenancy(objects, options)
        probe = AdmissionProbe(objects, tenancy)
        hostile = HostilePods(objects, tenancy, probe)
        nodes = NodeSharing(objects, tenancy, probe)
        bounds = Bounds(objects, tenancy, lambda: nodes.victims()[0])
        api = api_reach(tenancy, objects.kinds)
        lifting = frozenset(tenant for tenant, fences in api.lifted.items() if "network-policies" in fences)
        return cls(
            objects,
            tenancy,
            probe,
            hostile,
            nodes,
            bounds,
            NetworkReach(objects, tenancy, options.pod_addresses, lifting),
            api,
            Sandboxes(objects, tenancy, probe),
            VolumeClaims(objects, tenancy, probe, hostile, bounds),
            Delivery(objects, tenancy, hostile),
            Routes(objects, tenancy, probe, hostile),
            tuple(all_paths(Ways(objects, tenancy, probe, hostile))),
        )

    def crossings(self) -> Iterator[CrossingState]:
        """Yield the matrix, crossing by crossing, with what single objects open added."""
        rest = {path.finding.crossing for path in self.paths if path.attackers and path.finding.crossing}
        for state in self._evaluated():
            rest.discard(state.id)
            yield self._with_paths(state)
        for name in sorted(rest):
            title, plane = _TITLES[name]
            yield self._with_paths(CrossingState(name, title, plane, {}))

    def _with_paths(self, state: CrossingState) -> CrossingState:
        found = [path for path in self.paths if path.finding.crossing == state.id]
        for sure in (True, False):
            for path in found:
                if path.sure is sure and path.victims:
                    state = state.with_pairs(dict.fromkeys(path.attackers, path.victims), path.finding.what, sure=sure)
        return state

    def _evaluated(self) -> Iterator[CrossingState]:
        """Yield the crossings that whole evaluations answer."""
        everybody = frozenset(self.tenancy.tenants)
        neighbours, unsure_nodes = self.nodes.victims()
        api = self.api
        title = "objects of other tenants through the API"
        yield CrossingState(API, title, "control", api.victims, api.doubts, api.reasons)
        root, unsure = self.hostile.node_root()
        for tenant, why in self._relabelling():
            root.setdefault(tenant, why)
            unsure.pop(tenant, None)
        reached = {tenant: neighbours.get(tenant, everybody) for tenant in (*root, *unsure)}
        title, whys = "root of a node through a pod spec", {**unsure, **root}
        state = CrossingState.split(NODE, title, "compute", reached, unsure.keys(), whys)
        yield replace(state, held_by=self.hostile.refusers())
        reasons = {tenant: self.nodes.placement(tenant).why for tenant in self.tenancy.tenants}
        yield CrossingState.split(NEIGHBOURS, "pods on the same node", "compute", neighbours, unsure_nodes, reasons)
        yield CrossingState.split(
            KERNEL,
            "the node's kernel, outside any sandbox",
            "compute",
            self.sandboxes.victims(neighbours),
            self.sandboxes.undecided,
            self.sandboxes.reasons,
        )
        yield self._network(everybody)
        metadata = {tenant: answer.egress.why for tenant, answer in self.network.metadata_open.items()}
        yield CrossingState(
            METADATA_CROSSING, "the node's cloud credentials", "network", _all(metadata, everybody), reasons=metadata
        )
        yield _judged(
            TRAFFIC_CROSSING, "traffic through externalIPs", "network", self.hostile.traffic_takers, everybody
        )
        for crossing in sorted({shared.crossing for shared in self.shared_gpus}):
            together = self._gpu_neighbours(crossing, neighbours)
            yield CrossingState.split(crossing, "the same GPU", "accelerator", together, unsure_nodes)
        yield from self._owned()
        yield from self._capacity(everybody, neighbours)

    @cached_property
    def shared_gpus(self) -> tuple[SharedGpu, ...]:
        """What makes several pods share one GPU."""
        return gpu_sharing(self.objects)

    def _gpu_neighbours(self, crossing: str, neighbours: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        """Return who may share a GPU with whom: neighbours whose quotas let them ask for a shared one."""
        names = {shared.resource for shared in self.shared_gpus if shared.crossing == crossing}
        lifting = {tenant for tenant, fences in self.api.lifted.items() if "quotas" in fences}
        takers = frozenset(
            tenant
            for tenant in neighbours
            if "" in names or tenant in lifting or any(not self.bounds.forbids(tenant, name) for name in names)
        )
        return {tenant: found & takers for tenant, found in neighbours.items() if tenant in takers}

    def _relabelling(self) -> Iterator[tuple[str, str]]:
        """Yield the tenants that may take the Pod Security level off a namespace of theirs, each with why."""
        for tenant, fences in self.api.lifted.items():
            if "namespace" in fences and self.hostile.relabels(tenant):
                yield tenant, fences["namespace"]

    def _network(self, everybody: frozenset[str]) -> CrossingState:
        """Return the pod network; where a vendor's policies are not evaluated, nothing about it is decided."""
        title, held = "pods over the pod network", self.network.holders
        state = CrossingState(NETWORK, title, "network", self.network.victims, held_by=held)
        if not self.network.unevaluated:
            return state
        why = f"{self.network.unevaluated} network policies are not evaluated"
        return replace(state, victims={}).doubted(_all(everybody, everybody), why)

    def _owned(self) -> Iterator[CrossingState]:
        """Yield the crossings into what belongs to single tenants: storage classes and delivery projects."""
        if self.claims.classes:
            opened = self.claims.open
            yield CrossingState.split(
                CLAIMS,
                "volumes of another tenant's StorageClass",
                "storage",
                self.claims.victims(),
                frozenset(tenant for tenant, opening in opened.items() if opening.undecided),
                {tenant: opening.why for tenant, opening in opened.items()},
            )
        if self.delivery.projects or self.delivery.openings:
            yield CrossingState(
                DELIVERY,
                "deliveries into another tenant's namespaces",
                "control",
                self.delivery.victims(),
                reasons=self.delivery.reasons(),
            )

    def _capacity(self, everybody: frozenset[str], neighbours: Mapping[str, frozenset[str]]) -> Iterator[CrossingState]:
        compute = self._unbounded("compute")
        shared = {tenant: neighbours.get(tenant, everybody) for tenant in compute}
        yield CrossingState(BOUNDS["compute"], "node capacity without a quota", "compute", shared, reasons=compute)
        titles = {
            "storage": ("storage capacity without a quota", "storage"),
            "objects": ("API capacity without object quotas", "control"),
        }
        for group, (title, plane) in titles.items():
            found = self._unbounded(group)
            yield CrossingState(BOUNDS[group], title, plane, _all(found, everybody), reasons=found)
        gpus = self._unbounded("gpu")
        title, held = "GPUs without a quota", self.bounds.device_holders
        yield CrossingState(BOUNDS["gpu"], title, "accelerator", _all(gpus, everybody), reasons=gpus, held_by=held)
        title = "the scheduler's order through priority classes"
        yield _judged(QUEUE_CROSSING, title, "control", self.hostile.queue_jumpers, everybody)

    def _unbounded(self, group: str) -> dict[str, str]:
        """Return the tenants that quotas do not bound in a group, or that may lift them, each with why."""
        lifting = {tenant: fences["quotas"] for tenant, fences in self.api.lifted.items() if "quotas" in fences}
        return {**(lifting if group != "gpu" or self.bounds.devices else {}), **self.bounds.open_tenants(group)}

    def findings(self, *, summed: bool) -> Iterator[Finding]:
        """Yield every finding, in no particular order; a tenant alone in its cluster has nobody to reach."""
        for finding in (*self._all_findings(), *(queue_findings(self.objects) if summed else ())):
            if len(self.tenancy.tenants) == 1 and finding.crossing and finding.severity > Severity.INFO:
                yield replace(finding, severity=Severity.INFO, what=f"{finding.what} (the only tenant of its cluster)")
            else:
                yield finding

    def _all_findings(self) -> Iterator[Finding]:
        yield from self.api.findings
        yield from self.hostile.findings()
        yield from self.hostile.workload_findings()
        yield from self.hostile.service_findings()
        yield from self.hostile.priority_findings()
        yield from self.network.findings()
        yield from self.network.metadata_findings()
        yield from self.nodes.findings()
        yield from self.bounds.findings()
        yield from self.sandboxes.findings()
        yield from self.claims.findings()
        yield from self.delivery.findings()
        yield from self.routes.findings()
        yield from self._gpu_findings()
        yield from (path.finding for path in self.paths)
        yield from unowned_findings(self.tenancy)
        yield from _object_findings(self.objects)

    def _gpu_findings(self) -> Iterator[Finding]:
        for shared in list(dict.fromkeys((one.crossing, one.item) for one in self.shared_gpus))[:20]:
            crossing, item = shared
            subject, where = about(item)
            how = "one MPS server" if crossing == "gpu-mps" else "time slices"
            yield Finding(
                "gpu-shared",
                Severity.MEDIUM,
                subject,
                where,
                f"pods share a GPU through {how}; only the driver keeps their memory apart",
                "a tenant -> its GPU context -> driver -> another tenant's GPU memory",
                "give each tenant whole GPUs or MIG instances, or keep shared GPUs within one tenant's nodes",
                crossing,
            )

    def not_evaluated(self) -> Iterator[str]:
        """Yield what may change the answer and is not evaluated."""
        yield from unevaluated_lines(
            (item for item in self.objects if item not in self.probe.judged), self.objects.kinds
        )
        if self.probe.engines:
            names = ", ".join(self.probe.engines[:5])
            yield f"{len(self.probe.engines)} objects of admission engines and webhooks: {names}"


_TITLES: Final = {
    "gpu-contexts": ("the same GPU", "accelerator"),
    "claim-of-others": ("volumes of another tenant", "storage"),
    "user-to-delivery-hub": ("deliveries into another tenant's namespaces", "control"),
}


def _all(tenants: Iterable[str], everybody: frozenset[str]) -> dict[str, frozenset[str]]:
    return dict.fromkeys(tenants, everybody)


def _judged(
    crossing: str, title: str, plane: str, found: Mapping[str, tuple[str, str]], everybody: frozenset[str]
) -> CrossingState:
    """Return a crossing open towards everybody for the tenants found, each with verdict and reason."""
    unsure = frozenset(tenant for tenant, (verdict, _) in found.items() if verdict == "undecided")
    reasons = {tenant: why for tenant, (_, why) in found.items()}
    return CrossingState.split(crossing, title, plane, _all(found, everybody), unsure, reasons)


def _object_findings(objects: ObjectSet) -> Iterator[Finding]:
    """What is wrong with the set itself: duplicates, no namespace."""
    for old, new in objects.duplicates:
        subject, where = about(new)
        what = f"defined twice, first at {old.where}; the later one counts"
        severity, fix = Severity.MEDIUM, "keep one of the two"
        if old.where.file.rpartition("/")[0] != new.where.file.rpartition("/")[0]:  # examples: a cluster each
            severity, fix = Severity.LOW, "keep one of the two; audit each folder by itself if they are not one cluster"
        yield Finding("duplicate-object", severity, subject, where, what, "", fix)
    for item in objects:
        if item.namespaced and item.known and not item.metadata.get("namespace"):
            subject, where = about(item)
            what = "names no namespace; it is read as one of namespace default"
            yield Finding("no-namespace", Severity.LOW, subject, where, what, "", "write metadata.namespace")
