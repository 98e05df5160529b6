"""Which tenants' pods can run on the same nodes, or share a GPU.

A tenant's nodes are the pools its namespaces' admission lets its pods choose: a plain pod, a pod for its own pool, a
pod for somebody else's, and one that tolerates everything are put to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Final

import yaml

from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text
from kubeanswers.pods import pods_of
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.admission_probe import AdmissionProbe, Taken
from tenancykit.auditing.crossings.probe_pods import Change, Pool, pinned
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenants import Tenancy
from tenancykit.labels import POOL_LABEL

CROSSING: Final = "node-root-to-neighbours"
_PLACED: Final = ("nodeSelector", "tolerations", "affinity", "nodeName")
_ANYWHERE: Final = Change(spec={"tolerations": [{"operator": "Exists"}]}, drop=_PLACED)
_PLAIN: Final = Change(drop=_PLACED)
_NAMED: Final = Change(spec={"nodeName": "some-node"})
_WELL_KNOWN: Final = (
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "nvidia.com/",
    "topology.kubernetes.io/",
    "node.kubernetes.io/",
)


@dataclass(frozen=True)
class Placement:
    """Where a tenant's pods can run.

    Attributes:
        pools: the pools they can reach, by label key and value; ``("", "")`` for nodes anybody may use.
        undecided: whether an admission engine that is not evaluated may confine them further.
        why: what confines them, or that nothing does.
    """

    pools: frozenset[Pool]
    undecided: bool
    why: str


@dataclass(frozen=True)
class NodeSharing:
    """The placement of every tenant.

    Attributes:
        objects: the manifests.
        tenancy: whose namespaces these are.
        probe: their admission.
    """

    objects: ObjectSet
    tenancy: Tenancy
    probe: AdmissionProbe
    _placements: dict[str, Placement] = field(default_factory=dict, repr=False)

    @cached_property
    def written(self) -> Mapping[str, frozenset[Pool]]:
        """Pools that each tenant's own workloads select."""
        found: dict[str, set[Pool]] = {}
        for pod in pods_of(self.objects):
            tenant = self.tenancy.by_namespace.get(pod.namespace)
            if tenant:
                for key, value in mapping(pod.spec.get("nodeSelector")).items():
                    if not str(key).startswith(_WELL_KNOWN):
                        found.setdefault(tenant, set()).add((str(key), scalar_text(value)))
        return {tenant: frozenset(pools) for tenant, pools in found.items()}

    @cached_property
    def shared_pools(self) -> tuple[Pool, ...]:
        """Pools nodes carry or several tenants select: at most fifty, the most used first."""
        counts: dict[Pool, int] = {}
        for pools in self.written.values():
            for pool in pools:
                counts[pool] = counts.get(pool, 0) + 1
        for node in self.objects.of("", "Node"):
            for taint in mappings(node.spec.get("taints")):
                pool = (scalar_text(taint.get("key")), scalar_text(taint.get("value")))
                if node.labels.get(pool[0]) == pool[1] and not pool[0].startswith(_WELL_KNOWN):
                    counts[pool] = counts.get(pool, 0) + 2
        common = [pool for pool, count in counts.items() if count > 1]
        return tuple(sorted(common, key=lambda pool: (-counts[pool], pool))[:50])

    def placement(self, tenant: str) -> Placement:
        """Return where the tenant's pods can run."""
        if tenant not in self._placements:
            self._placements[tenant] = self._placement(tenant)
        return self._placements[tenant]

    def _placement(self, tenant: str) -> Placement:
        namespaces = self.tenancy.namespaces[tenant]
        pools: set[Pool] = set()
        undecided, why = False, ""
        for namespace in namespaces:
            anywhere = self._asked(namespace, _ANYWHERE)
            plain = self._asked(namespace, _PLAIN)
            named = self._asked(namespace, _NAMED)
            if plain.verdict != "no" or anywhere.verdict != "no":
                pools.add(("", ""))
            if anywhere.verdict != "no" or named.verdict != "no":
                pools.add(("*", "*"))
            undecided = undecided or "undecided" in (plain.verdict, anywhere.verdict, named.verdict)
            why = why or next((taken.by for taken in (plain, anywhere, named) if taken.verdict == "no"), "")
            pools |= {pool for pool in self._candidates(tenant, namespace) if self._admitted(namespace, pool, tenant)}
        return Placement(frozenset(pools), undecided, why or "no admission policy confines its pods to nodes")

    def _asked(self, namespace: str, change: Change) -> Taken:
        return self.probe.takes_changed(namespace, change)

    def _candidates(self, tenant: str, namespace: str) -> Iterable[Pool]:
        return {*self.written.get(tenant, ()), *self.probe.pools(namespace), *self.shared_pools}

    def _admitted(self, namespace: str, pool: Pool, tenant: str) -> bool:
        plain = self._asked(namespace, _PLAIN)
        if (
            plain.verdict != "no"
            and pool not in self.written.get(tenant, frozenset())
            and pool not in self.shared_pools
        ):
            return False  # a pool nobody has heard of says nothing about a tenant that is not confined
        return self._asked(namespace, Change(spec=pinned(pool), drop=_PLACED)).verdict != "no"

    def victims(self) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
        """Return, for each tenant, those whose pods may share a node with its own; and the undecided tenants."""
        placements = {tenant: self.placement(tenant) for tenant in self.tenancy.tenants}
        by_pool: dict[Pool, set[str]] = {}
        for tenant, place in placements.items():
            for pool in place.pools:
                by_pool.setdefault(pool, set()).add(tenant)
        everybody = frozenset(placements)
        sets = {pool: frozenset(found) for pool, found in by_pool.items()}
        unions: dict[frozenset[Pool], frozenset[str]] = {}
        victims: dict[str, frozenset[str]] = {}
        for tenant, place in placements.items():
            if ("*", "*") in place.pools:
                victims[tenant] = everybody
                continue
            if place.pools not in unions:
                parts = [sets[pool] for pool in place.pools] + [sets.get(("*", "*"), frozenset())]
                unions[place.pools] = frozenset().union(*parts)
            victims[tenant] = unions[place.pools]
        return victims, frozenset(tenant for tenant, place in placements.items() if place.undecided)

    @cached_property
    def _set_aside(self) -> frozenset[str]:
        """Keys of labels that set nodes aside: ours, and those Nodes of the set are tainted with."""
        taints = (mappings(node.spec.get("taints")) for node in self.objects.of("", "Node"))
        return frozenset({POOL_LABEL, *(scalar_text(taint.get("key")) for found in taints for taint in found)})

    def findings(self) -> Iterator[Finding]:
        """Yield tenants that reach nodes set aside for others, or leave their own; sharing nodes alone is no fault."""
        confined = {
            t for t in self.tenancy.tenants if ("", "") not in self.placement(t).pools and self.placement(t).pools
        }
        for tenant in self.tenancy.tenants:
            place = self.placement(tenant)
            others = confined - {tenant}
            own = any(key in self._set_aside for key, _ in self.written.get(tenant, ()))
            if ("*", "*") not in place.pools:
                continue
            if not others and own and len(self.tenancy.tenants) > 1:
                yield self._leaving(tenant, place)
            if others:
                namespace = self.tenancy.namespaces[tenant][0]
                item = self.objects.get("", "Namespace", "", namespace)
                subject, where = about(item) if item else (f"Namespace {namespace}", self.objects.objects[0].where)
                yield Finding(
                    "node-pool-open",
                    Severity.LOW if place.undecided else Severity.HIGH,
                    subject,
                    where,
                    f"pods of {tenant} may tolerate any taint; {len(others)} tenants have their own nodes"
                    + (f"; {place.why} may refuse them" if place.undecided else ""),
                    f"{tenant} -> pod that tolerates everything -> node of {min(others)} -> {min(others)}'s pods",
                    "refuse foreign tolerations, selectors and nodeName by admission policy in tenants' namespaces",
                    CROSSING,
                    (),
                    (tenant,),
                )

    def _leaving(self, tenant: str, place: Placement) -> Finding:
        """Return the finding that a tenant with nodes of its own need not stay on them."""
        namespace = self.tenancy.namespaces[tenant][0]
        item = self.objects.get("", "Namespace", "", namespace)
        subject, where = about(item) if item else (f"Namespace {namespace}", self.objects.objects[0].where)
        other = next(t for t in self.tenancy.tenants if t != tenant)
        return Finding(
            "node-pool-open",
            Severity.LOW if place.undecided else Severity.MEDIUM,
            subject,
            where,
            f"workloads of {tenant} select a node pool, but nothing keeps its pods there",
            f"{tenant} -> pod that tolerates everything -> any node -> pods of {other}",
            "refuse foreign tolerations, selectors and nodeName by admission policy in tenants' namespaces",
            CROSSING,
            (),
            (tenant,),
        )


SHARING_KEYS: Final = {"timeSlicing": "gpu-contexts", "mps": "gpu-mps"}


@dataclass(frozen=True)
class SharedGpu:
    """An object that makes several pods share one GPU.

    Attributes:
        crossing: what it opens.
        item: the object.
        resource: what a pod asks for to get a shared GPU; empty where the object does not say.
    """

    crossing: str
    item: ManifestObject
    resource: str = ""


def gpu_sharing(objects: ObjectSet) -> tuple[SharedGpu, ...]:
    """Return the objects that make several pods share one GPU.

    Read from the NVIDIA device plugin's configuration wherever a ConfigMap carries it, and from node labels
    (https://github.com/NVIDIA/k8s-device-plugin#shared-access-to-gpus).
    """
    found: list[SharedGpu] = []
    for item in objects.of("", "ConfigMap"):
        for text in mapping(item.data.get("data")).values():
            found += (SharedGpu(crossing, item, resource) for crossing, resource in _sharing_in(text))
    for node in objects.of("", "Node"):
        strategy = node.labels.get("nvidia.com/gpu.sharing-strategy", "none")
        if strategy in ("time-slicing", "mps"):
            found.append(SharedGpu("gpu-mps" if strategy == "mps" else "gpu-contexts", node))
    return tuple(found)


def _sharing_in(text: object) -> Iterator[tuple[str, str]]:
    """Yield what a device plugin's configuration opens, and the resource that shared GPUs are advertised as."""
    if not isinstance(text, str) or "sharing" not in text:
        return
    try:
        loaded = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe loader, in C
    except yaml.YAMLError:
        return
    sharing = mapping(mapping(loaded).get("sharing"))
    for key, crossing in SHARING_KEYS.items():
        stated = mapping(sharing.get(key))
        for item in mappings(stated.get("resources")):
            if isinstance(item.get("replicas"), int) and item["replicas"] > 1:
                name = scalar_text(item.get("name"))
                renamed = f"{name}.shared" if stated.get("renameByDefault") is True and name else name
                yield crossing, scalar_text(item.get("rename")) or renamed
