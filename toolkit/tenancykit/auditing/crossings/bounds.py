"""Is every tenant bounded on everything it can ask for?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from kubeanswers.compute import is_extended, resource_list
from kubeanswers.objects import ManifestObject, ObjectSet, Where, mapping, mappings
from kubeanswers.pods import pods_of
from kubeanswers.records import dataclass
from kubeanswers.selectors import Selector
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenants import Tenancy

COMPUTE: Final[Mapping[str, tuple[str, ...]]] = {
    "cpu": ("requests.cpu", "cpu", "limits.cpu"),
    "memory": ("requests.memory", "memory", "limits.memory"),
    "ephemeral-storage": ("requests.ephemeral-storage", "ephemeral-storage", "limits.ephemeral-storage"),
}
STORAGE: Final[Mapping[str, tuple[str, ...]]] = {
    "storage": ("requests.storage",),
    "persistent volume claims": ("persistentvolumeclaims", "count/persistentvolumeclaims"),
}
OBJECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "pods": ("pods", "count/pods"),
    "services": ("services", "count/services"),
    "load balancers": ("services.loadbalancers", "services", "count/services"),
    "node ports": ("services.nodeports", "services", "count/services"),
    "secrets": ("secrets", "count/secrets"),
    "config maps": ("configmaps", "count/configmaps"),
}
"""What must be bounded, and the quota resources any one of which bounds it."""

CROSSINGS: Final = {
    "compute": "pod-cpu-noise",
    "storage": "storage-noise",
    "objects": "api-user-capacity",
    "gpu": "gpu-queue",
}


@dataclass(frozen=True)
class Unbounded:
    """What a namespace leaves unbounded, by group."""

    compute: tuple[str, ...]
    storage: tuple[str, ...]
    objects: tuple[str, ...]
    gpu: tuple[str, ...]


@dataclass(frozen=True)
class Bounds:
    """The quotas of every tenant.

    Attributes:
        objects: the manifests.
        tenancy: whose namespaces these are.
        neighbours: the tenants each tenant may share nodes with; None where nobody has looked.
    """

    objects: ObjectSet
    tenancy: Tenancy
    neighbours: Callable[[], Mapping[str, frozenset[str]]] | None = None

    @cached_property
    def hard(self) -> Mapping[str, Mapping[str, Decimal]]:
        """What each namespace's quotas limit; scoped quotas bound only some pods and do not count.

        A Capsule Tenant's quotas count for every namespace of the tenant; a Kueue ClusterQueue's for the namespaces
        that Kueue manages and that queue there.
        """
        found: dict[str, dict[str, Decimal]] = {}
        for item in self.objects.of("", "ResourceQuota"):
            if not item.spec.get("scopes") and not item.spec.get("scopeSelector"):
                _tighten(found.setdefault(item.namespace, {}), item.spec.get("hard"))
        for namespace, tenant in self.tenancy.by_namespace.items():
            owner = self.objects.get("capsule.clastix.io", "Tenant", "", tenant)
            if owner is not None:
                for entry in mappings(mapping(owner.spec.get("resourceQuotas")).get("items")):
                    _tighten(found.setdefault(namespace, {}), entry.get("hard"))
        for namespace in self.tenancy.by_namespace:
            if self.objects.namespaces[namespace].get(_MANAGED) == "true":
                for item in self._queues.get(namespace, ()):
                    _tighten(found.setdefault(namespace, {}), _nominal(item))
        return found

    @cached_property
    def _queues(self) -> Mapping[str, list[ManifestObject]]:
        """The ClusterQueues each namespace queues in."""
        found: dict[str, list[ManifestObject]] = {}
        for item in self.objects.of(_KUEUE, "LocalQueue"):
            queue = self.objects.get(_KUEUE, "ClusterQueue", "", str(item.spec.get("clusterQueue") or ""))
            if queue is not None and self._takes(queue, item.namespace):
                found.setdefault(item.namespace, []).append(queue)
        return found

    def _takes(self, queue: ManifestObject, namespace: str) -> bool:
        """Return whether a ClusterQueue takes workloads of a namespace; without a selector it takes none."""
        chosen = queue.spec.get("namespaceSelector")
        return isinstance(chosen, Mapping) and Selector.of(chosen).matches(self.objects.namespaces[namespace])

    @cached_property
    def devices(self) -> tuple[str, ...]:
        """Device resources the cluster is seen to have: on nodes, in quotas, or asked for by workloads."""
        names: set[str] = {*self._on_nodes, *self._asked_for}
        for hard in self.hard.values():
            names |= {name.removeprefix("requests.") for name in hard if is_extended(name.removeprefix("requests."))}
        return tuple(
            sorted(
                name
                for name in names
                if "storageclass" not in name and not name.startswith("count/") and "deviceclass" not in name
            )
        )

    @cached_property
    def _on_nodes(self) -> frozenset[str]:
        """Device resources that nodes of the set offer."""
        nodes = (mapping(mapping(item.data.get("status")).get("allocatable")) for item in self.objects.of("", "Node"))
        return frozenset(str(name) for offered in nodes for name in offered if is_extended(str(name)))

    @cached_property
    def _asked_for(self) -> frozenset[str]:
        """Device resources that workloads of tenants ask for."""
        asking = (pod for pod in pods_of(self.objects) if pod.namespace in self.tenancy.by_namespace)
        containers = (c for pod in asking for c in mappings(pod.spec.get("containers")))
        limits = (mapping(mapping(container.get("resources")).get("limits")) for container in containers)
        return frozenset(str(name) for limit in limits for name in limit if is_extended(str(name)))

    @cached_property
    def _owners(self) -> Mapping[str, frozenset[str]]:
        """Tenants that may use each device, by their quotas."""
        found: dict[str, set[str]] = {}
        for namespace, tenant in self.tenancy.by_namespace.items():
            for name, amount in self.hard.get(namespace, {}).items():
                if amount > 0:
                    found.setdefault(name.removeprefix("requests."), set()).add(tenant)
        return {name: frozenset(tenants) for name, tenants in found.items()}

    @cached_property
    def _sharing(self) -> Mapping[str, frozenset[str]] | None:
        return self.neighbours() if self.neighbours is not None else None

    def _in_reach(self, tenant: str, device: str) -> bool:
        """Return whether nodes with the device may be among those the tenant's pods can run on.

        Where no Node says so, a device is taken to be on the nodes of the tenants whose quota grants it.
        """
        owners = self._owners.get(device)
        if self._sharing is None or device in self._on_nodes or not owners:
            return True
        return not owners.isdisjoint(self._sharing.get(tenant, frozenset()))

    def forbids(self, tenant: str, resource: str) -> bool:
        """Return whether quotas give a tenant none of a resource, in any of its namespaces."""
        asked = f"requests.{resource}"
        spaces = self.tenancy.namespaces.get(tenant, ())
        return bool(spaces) and all(self.hard.get(name, {}).get(asked) == 0 for name in spaces)

    def unbounded(self, namespace: str) -> Unbounded:
        """Return what the namespace leaves unbounded.

        Kueue admits no workload that asks for a resource its queue does not cover, so a queue bounds every device in
        a namespace that Kueue manages (https://kueue.sigs.k8s.io/docs/concepts/cluster_queue/).
        """
        hard = self.hard.get(namespace, {})
        held = self.objects.namespaces[namespace].get(_MANAGED) == "true" and namespace in self._queues
        tenant = self.tenancy.by_namespace.get(namespace, "")
        gpu = (
            ()
            if held
            else tuple(name for name in self.devices if f"requests.{name}" not in hard and self._in_reach(tenant, name))
        )
        return Unbounded(_missing(hard, COMPUTE), _missing(hard, STORAGE), _missing(hard, OBJECTS), gpu)

    @property
    def device_holders(self) -> frozenset[str]:
        """The barriers that bound devices somewhere, by id: quotas that name one, queues that hold."""
        asked = {f"requests.{name}" for name in self.devices}
        quotas = self.objects.of("", "ResourceQuota")
        found = {"object-quota" for item in quotas if asked & mapping(item.spec.get("hard")).keys()}
        found |= {"queue-fairness" for name in self._queues if self.objects.namespaces[name].get(_MANAGED) == "true"}
        return frozenset(found)

    def open_tenants(self, group: str) -> dict[str, str]:
        """Return the tenants unbounded in a group (compute, storage, objects or gpu), with what is missing."""
        found: dict[str, str] = {}
        for tenant, namespaces in self.tenancy.namespaces.items():
            for namespace in namespaces:
                missing = getattr(self.unbounded(namespace), group)
                if missing:
                    found.setdefault(tenant, f"namespace {namespace} has no quota on {', '.join(missing)}")
        return found

    def findings(self) -> Iterator[Finding]:
        """Yield one finding per namespace with anything unbounded."""
        for namespace, tenant in sorted(self.tenancy.by_namespace.items()):
            missing = self.unbounded(namespace)
            names = [*missing.compute, *missing.gpu, *missing.storage, *missing.objects]
            if not names:
                continue
            subject, where = _place(self.objects, namespace)
            severity = (
                Severity.HIGH
                if set(missing.compute) - {"ephemeral-storage"} or missing.gpu
                else Severity.MEDIUM
                if missing.storage or missing.compute
                else Severity.LOW
            )
            group = (
                "compute" if missing.compute else "gpu" if missing.gpu else "storage" if missing.storage else "objects"
            )
            checks = ["MTB-PL1-CC-FNS-1"] * bool(missing.compute or missing.storage) + ["MTB-PL1-CC-FNS-2"] * bool(
                missing.objects
            )
            yield Finding(
                "quota-unbounded",
                severity,
                subject,
                where,
                f"namespace {namespace} of tenant {tenant} has no quota on {', '.join(names)}",
                f"{tenant} -> many pods or objects in {namespace} -> capacity of every other tenant",
                f"add a ResourceQuota with {', '.join(names)} to {namespace}",
                CROSSINGS[group],
                tuple(checks),
                (tenant,),
            )


_KUEUE: Final = "kueue.x-k8s.io"
_MANAGED: Final = "kueue.x-k8s.io/managed-namespace"
"""Label our exports put on namespaces whose pods Kueue holds back until it admits them."""


def _nominal(queue: ManifestObject) -> dict[str, str]:
    """Return what a ClusterQueue grants at most, over its flavors, as quota resources."""
    totals: dict[str, Decimal] = {}
    for group in mappings(queue.spec.get("resourceGroups")):
        for flavor in mappings(group.get("flavors")):
            for entry in mappings(flavor.get("resources")):
                amounts = resource_list(
                    {key: entry[key] for key in ("nominalQuota", "borrowingLimit") if entry.get(key) is not None}
                )
                name = f"requests.{entry.get('name')}"
                totals[name] = totals.get(name, Decimal(0)) + sum(amounts.values(), Decimal(0))
    return {name: str(value) for name, value in totals.items()}


def _tighten(found: dict[str, Decimal], hard: object) -> None:
    try:
        amounts = resource_list(hard)
    except ValueError:
        return
    for name, value in amounts.items():
        found[name] = min(found.get(name, value), value)


def _missing(hard: Mapping[str, Any], wanted: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(title for title, names in wanted.items() if not any(name in hard for name in names))


def _place(objects: ObjectSet, namespace: str) -> tuple[str, Where]:
    item: ManifestObject | None = objects.get("", "Namespace", "", namespace)
    if item is not None:
        return about(item)
    first = next((other for other in objects if other.namespace == namespace), None)
    return f"Namespace {namespace}", first.where if first else Where("<input>")
