"""Caps on what a tenant may ask for, sized from its workloads, and defaults for pods that state nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubeanswers.quantities import GIB, MIB, cpu_text, memory_text
from tenancykit.manifests.builds import KUBERNETES, OptionBuild
from tenancykit.manifests.devices import GUEST_GPU
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import SHARED_CLASSES, TenantScope, priority_class, storage_class
from tenancykit.manifests.sizing import DEFAULT_REQUEST, SCRATCH, Demand, with_headroom

_CPU_STEP: Final = 500
_MEMORY_STEP: Final = GIB

_COUNTS: Final = {"configmaps": 20, "secrets": 20, "replicationcontrollers": 0, "services.nodeports": 0}
"""Assumption: objects a tenant needs beside its workloads; node ports are closed because they open every node."""


def compute_quota(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the cap on compute, memory, accelerators and storage requests of a tenant's namespace."""
    demand = scope.cls.demand(scope.tenant)
    hard = {**_compute(scope, demand), **_accelerators(scope, demand), **_storage(scope, demand)}
    yield _quota("sch_quota", scope, "compute", hard)
    if "sch_priority" in scope.options:
        yield from _priority_quota(scope)


def _quota(because: str, scope: TenantScope, name: str, hard: dict[str, str]) -> Manifest:
    ordered = {key: hard[key] for key in sorted(hard)}
    return manifest(
        because,
        "fair-share",
        "quota",
        "v1",
        "ResourceQuota",
        name,
        namespace=scope.namespace,
        spec={"hard": ordered},
    )


def _compute(scope: TenantScope, demand: Demand) -> dict[str, str]:
    wish = scope.cls.found.tenant_class.quota
    cpu = with_headroom(demand.cpu_milli, _CPU_STEP) if wish.cpu is None else wish.cpu
    memory = with_headroom(demand.memory, _MEMORY_STEP) if wish.memory is None else wish.memory
    return {
        "requests.cpu": cpu_text(cpu),
        "limits.cpu": cpu_text(cpu),
        "requests.memory": memory_text(memory),
        "limits.memory": memory_text(memory),
        **_scratch(demand),
    }


def _scratch(demand: Demand) -> dict[str, str]:
    scratch = memory_text(with_headroom(demand.pods * SCRATCH, GIB))
    return {"requests.ephemeral-storage": scratch, "limits.ephemeral-storage": scratch}


def _accelerators(scope: TenantScope, demand: Demand) -> dict[str, str]:
    wish = scope.cls.found.tenant_class.quota.gpus
    hard = {f"requests.{name}": str(count) for name, count in demand.devices.items()}
    hard |= {f"{name}.deviceclass.resource.k8s.io/devices": str(count) for name, count in demand.claims.items()}
    if wish is not None:
        whole = {f"requests.{name}" for name in (*scope.cls.devices.resources, GUEST_GPU)}
        hard |= dict.fromkeys(whole & set(hard), str(wish))
    for name in scope.cls.devices.resources:
        hard.setdefault(f"requests.{name}", "0" if wish is None or demand.claims else str(wish))
    for found in scope.plan.classes:  # what only other classes ask for is theirs
        for name in scope.cls.promises.devices.get(found.tenant_class.id, ()):
            hard.setdefault(f"requests.{name}", "0")
    return hard


def _storage(scope: TenantScope, demand: Demand) -> dict[str, str]:
    return {"requests.storage": memory_text(_storage_amount(scope, demand))}


def _storage_amount(scope: TenantScope, demand: Demand) -> int:
    wish = scope.cls.found.tenant_class.quota.storage
    return with_headroom(demand.storage, GIB) if wish is None else wish


def storage_quota(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the cap on storage in the tenant's own classes, and none in the classes others share."""
    demand = scope.cls.demand(scope.tenant)
    amount = memory_text(_storage_amount(scope, demand))
    hard = {"requests.storage": amount}
    for shared in (False, True):
        name = storage_class(scope.cls, scope.tenant, shared=shared)
        hard[f"{name}.storageclass.storage.k8s.io/requests.storage"] = amount
    for name in SHARED_CLASSES:
        hard[f"{name}.storageclass.storage.k8s.io/requests.storage"] = "0"
    option = next(o for o in scope.cls.found.choice.options if o in ("st_sc_quota", "st_dedicated"))
    yield _quota(option, scope, "storage", hard)


def _priority_quota(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a pod count per priority class the tenant's workloads use; other classes are refused by admission."""
    pods: dict[str, int] = {}
    for workload, replicas in scope.cls.workloads(scope.tenant):
        name = priority_class(workload)
        pods[name] = pods.get(name, 0) + replicas
    for name in sorted(pods):
        quota = _quota("sch_priority", scope, f"priority-{name.removeprefix('tenancykit-')}", {})
        quota.data["spec"] = {
            "hard": {"pods": str(with_headroom(pods[name]))},
            "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": [name]}]},
        }
        yield quota


def object_quota(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the cap on the number of objects in a tenant's namespace, which protects the shared API server."""
    demand = scope.cls.demand(scope.tenant)
    templates = len(scope.cls.workloads(scope.tenant))
    virtual = 10 if scope.cls.found.cluster.control_plane == "virtual" else 0
    hard = {name: str(count + virtual if count else 0) for name, count in _COUNTS.items()}
    hard |= {
        "pods": str(with_headroom(demand.pods)),
        "persistentvolumeclaims": str(with_headroom(demand.volumes)),
        "services": str(templates + 5 + virtual),
        "services.loadbalancers": str(demand.exposed if virtual else 0),
        "count/deployments.apps": str(templates + 5),
        "count/statefulsets.apps": str(templates + 5),
        "count/jobs.batch": str(templates * 10 + 10),
        "count/cronjobs.batch": "10",
    }
    if "sch_quota" not in scope.options:  # queues bound what jobs ask for, but not the disk of the node
        hard |= _scratch(demand)
    yield _quota(scope.cls.found.choice.options[0], scope, "objects", hard)


def limit_range(scope: TenantScope) -> Iterator[Manifest]:
    """Yield defaults for containers that state nothing, and the largest one a tenant may ask for.

    Defaults are an assumption: a tenth of a CPU and 128 MiB, limited to half a CPU and 512 MiB.
    """
    demand = scope.cls.demand(scope.tenant)
    wish = scope.cls.found.tenant_class.quota
    cpu = max(_CPU_STEP, with_headroom(demand.largest_cpu, _CPU_STEP))
    memory = max(GIB, with_headroom(demand.largest_memory, GIB))
    if wish.cpu:
        cpu = min(cpu, max(wish.cpu, _CPU_STEP))
    if wish.memory:
        memory = min(memory, max(wish.memory, 512 * MIB))
    container = {
        "type": "Container",
        "defaultRequest": dict(DEFAULT_REQUEST),
        "default": {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "1Gi"},
        "max": {"cpu": cpu_text(cpu), "memory": memory_text(memory)},
        "min": {"cpu": "1m", "memory": "1Mi"},
    }
    limits = [container]
    if demand.storage:
        largest = max(w.storage.size for w, _ in scope.cls.workloads(scope.tenant) if w.storage)
        limits.append(
            {
                "type": "PersistentVolumeClaim",
                "max": {"storage": memory_text(with_headroom(largest, GIB))},
                "min": {"storage": "1Mi"},
            }
        )
    because = "sch_quota" if "sch_quota" in scope.options else scope.cls.found.choice.options[0]
    yield manifest(
        because,
        "fair-share",
        "quota",
        "v1",
        "LimitRange",
        "defaults",
        namespace=scope.namespace,
        spec={"limits": limits},
    )


BUILDS: Final[dict[str, OptionBuild]] = {
    "sch_quota": OptionBuild(tenant=(("pods", compute_quota),), upstream=KUBERNETES),
}
"""What is built for each option that only this module serves."""
