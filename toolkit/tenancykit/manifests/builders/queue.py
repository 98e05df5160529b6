"""Queues that share accelerators fairly between tenants: Kueue, Volcano, KAI and YuniKorn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.quantities import cpu_text, memory_text
from kubeanswers.source import dump_yaml
from tenancykit.design.facts import class_workloads
from tenancykit.labels import POOL_LABEL, TENANT_LABEL
from tenancykit.manifests.builders import topology
from tenancykit.manifests.builders.gang import is_gang
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.promises import CPU, MEMORY
from tenancykit.manifests.scope import ClassScope, ClusterScope, TenantScope, is_alone, priority_class
from tenancykit.manifests.sizing import device_class

KUEUE: Final = "kueue.x-k8s.io/v1beta2"
_ROOT: Final = "tenancykit"


def _kueue(kind: str, name: str, namespace: str = "", **fields: Any) -> Manifest:
    return manifest("sch_kueue", "fair-share", "queue", KUEUE, kind, name, namespace=namespace, **fields)


def flavor(cls: ClassScope) -> str:
    """Return the name of the ResourceFlavor of a class's nodes."""
    return f"tenancykit-{cls.id}"


def kueue_base(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield flavors, cohorts and priorities (Kueue 0.19): classes below one root, so that idle GPUs can be lent."""
    yield _kueue("Cohort", _ROOT, spec={})
    priorities: dict[str, int] = {}
    for cls in scope.classes:
        spec: dict[str, Any] = {}
        if cls.found.placement.domain == "class" and not is_alone(cls):
            taint = {"key": POOL_LABEL, "value": cls.id, "effect": "NoSchedule"}
            spec = {"nodeLabels": {POOL_LABEL: cls.id}, "nodeTaints": [taint]}
        if "topology-placement" in cls.found.facts:
            spec["topologyName"] = topology.NAME
        yield _kueue("ResourceFlavor", flavor(cls), spec=spec)
        left = {} if scope.plan.tenant else cls.promises.left_to_class(cls.id)
        groups = {"resourceGroups": [_group(cls, left)]} if left else {}
        yield _kueue("Cohort", f"{_ROOT}-{cls.id}", spec={"parentName": _ROOT, **groups})
        for workload in class_workloads(cls.scenario, cls.found.tenant_class):
            priorities[priority_class(workload)] = workload.priority
    for name in sorted(priorities):
        yield _kueue("WorkloadPriorityClass", name, value=priorities[name], description=f"Priority {priorities[name]}.")


def kueue_tenant(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the tenant's ClusterQueue with its nominal share, and the LocalQueue its jobs name."""
    spec = {
        "cohortName": f"{_ROOT}-{scope.cls.id}",
        "namespaceSelector": {"matchLabels": {TENANT_LABEL: scope.name}},
        "queueingStrategy": "BestEffortFIFO",
        "resourceGroups": [tenant_group(scope)],
        "preemption": {
            "reclaimWithinCohort": "Any",
            "borrowWithinCohort": {"policy": "LowerPriority"},
            "withinClusterQueue": "LowerPriority",
        },
        "fairSharing": {"weight": "1"},
    }
    yield _kueue("ClusterQueue", scope.namespace, spec=spec)
    yield _kueue("LocalQueue", "tenant", scope.namespace, spec={"clusterQueue": scope.namespace})


def tenant_group(scope: TenantScope) -> dict[str, Any]:
    """Return the resources a tenant's queue covers, with what it is promised of each."""
    return _group(scope.cls, _promised(scope))


def _promised(scope: TenantScope) -> dict[str, int]:
    return scope.cls.promises.tenant(scope.cls.demand(scope.tenant))


def _group(cls: ClassScope, promised: dict[str, int]) -> dict[str, Any]:
    """Return the resources a queue or cohort covers in the nodes of a class, with what it is promised of each."""
    written = _written(promised)
    resources = [{"name": name, "nominalQuota": amount} for name, amount in written.items()]
    return {"coveredResources": list(written), "flavors": [{"name": flavor(cls), "resources": resources}]}


def _written(promised: dict[str, int]) -> dict[str, str]:
    names = [*(name for name in (CPU, MEMORY) if name in promised), *sorted(promised.keys() - {CPU, MEMORY})]
    texts = {CPU: cpu_text, MEMORY: memory_text}
    return {name: texts.get(name, str)(promised[name]) for name in names}


def kueue_values(scope: ClusterScope) -> dict[str, Any]:
    """Return Kueue's Helm values: fair sharing on, every job in a tenant's namespace waits, asked or not."""
    selector = {"matchLabels": {"kueue.x-k8s.io/managed-namespace": "true"}}
    configuration: dict[str, Any] = {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "manageJobsWithoutQueueName": True,
        "managedJobsNamespaceSelector": selector,
        "fairSharing": {"preemptionStrategies": ["LessThanOrEqualToFinalShare", "LessThanInitialShare"]},
        "integrations": {"frameworks": ["batch/job", *_followed(scope), "pod"]},
    }
    # Jobs ask for scratch space, which no queue covers: Kueue would never admit what asks for more than it covers.
    resources: dict[str, Any] = {"excludeResourcePrefixes": ["ephemeral-storage"]}
    classes = {name for cls in scope.classes for name in _claimed(cls)}
    if classes:
        resources["deviceClassMappings"] = [{"name": name, "deviceClassNames": [name]} for name in sorted(classes)]
    configuration["resources"] = resources
    return {"managerConfig": {"controllerManagerConfigYaml": dump_yaml(configuration)}}


def _followed(scope: ClusterScope) -> list[str]:
    """Return the kinds the queue has to follow beside Jobs and pods, or groups of theirs would pass it by."""
    chosen = {option.id: option for cls in scope.everyone for option in cls.found.options}
    return sorted({kind for option in chosen.values() for kind in option.queued_kinds})


def _claimed(cls: ClassScope) -> set[str]:
    requests = [cls.devices.request(w) for w in class_workloads(cls.scenario, cls.found.tenant_class)]
    return {device_class(cls.id, request) for request in requests if request.claim}


def volcano_tenant(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the tenant's Queue and a PodGroup per gang (``scheduling.volcano.sh/v1beta1``, Volcano 1.15)."""
    demand = scope.cls.demand(scope.tenant)
    api = "scheduling.volcano.sh/v1beta1"
    amounts = _written({k: v for k, v in _promised(scope).items() if k not in demand.claims})
    spec = {"weight": 1, "reclaimable": True, "deserved": amounts}
    yield manifest("sch_volcano", "fair-share", "queue", api, "Queue", scope.namespace, spec=spec)
    for workload, replicas in scope.cls.workloads(scope.tenant):
        if is_gang(workload):
            yield manifest(
                "sch_volcano",
                "workload",
                "queue",
                api,
                "PodGroup",
                workload.id,
                namespace=scope.namespace,
                spec={"minMember": min(workload.gang, replicas), "queue": scope.namespace},
            )


_KAI: Final = "scheduling.run.ai/v2"


def kai_base(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the scheduler's shard and a department per class (KAI Scheduler 0.17)."""
    placement = {"gpu": "binpack", "cpu": "binpack"}
    spec: dict[str, Any] = {"placementStrategy": placement}
    yield manifest("sch_kai", "fair-share", "queue", "kai.scheduler/v1", "SchedulingShard", "default", spec=spec)
    for cls in scope.classes:
        unlimited = {"quota": -1, "limit": -1, "overQuotaWeight": 1}
        resources = {"cpu": unlimited, "memory": unlimited, "gpu": unlimited}
        name = f"tenancykit-{cls.id}"
        yield manifest("sch_kai", "fair-share", "queue", _KAI, "Queue", name, spec={"resources": resources})


def kai_tenant(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the tenant's queue: CPU in millicores, memory in megabytes, GPUs in GPUs, as KAI counts them."""
    demand, promised = scope.cls.demand(scope.tenant), _promised(scope)

    def share(amount: float) -> dict[str, float]:
        return {"quota": amount, "limit": -1, "overQuotaWeight": 1}

    resources = {
        "cpu": share(promised[CPU]),
        "memory": share(-(-promised[MEMORY] // 10**6)),
        "gpu": share(scope.cls.promises.gpus(demand)),
    }
    spec = {"parentQueue": f"tenancykit-{scope.cls.id}", "resources": resources}
    yield manifest("sch_kai", "fair-share", "queue", _KAI, "Queue", scope.namespace, spec=spec)


def kai_values(scope: ClusterScope) -> dict[str, Any]:
    """Return KAI's Helm values; GPU sharing only where fractions were chosen."""
    return {"global": {"gpuSharing": "gpu_kai_fraction" in scope.options}}


def yunikorn_config(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield YuniKorn's queues: a parent per class, below it one per namespace whose quota stands on the namespace."""
    # The only rule is the namespace's: a queue a pod asks for itself would be another tenant's for the asking.
    rules: list[dict[str, Any]] = [{"name": "tag", "value": "namespace", "create": True}]
    parents = [{"name": cls.id, "parent": True, "submitacl": "*"} for cls in scope.classes]
    queues = {
        "partitions": [{"name": "default", "placementrules": rules, "queues": [{"name": "root", "queues": parents}]}]
    }
    yield manifest(
        "sch_yunikorn",
        "fair-share",
        "queue",
        "v1",
        "ConfigMap",
        "yunikorn-configs",
        namespace="yunikorn",
        data={"queues.yaml": dump_yaml(queues)},
    )


BUILDS: Final[dict[str, OptionBuild]] = {
    "sch_kueue": OptionBuild(
        (("pods", kueue_base),),
        (("pods", kueue_tenant),),
        (Chart("kueue", "kueue-system", values=kueue_values, requirement="fair-share"),),
        upstream="Kueue 0.19.2 (v1beta2)",
    ),
    "sch_volcano": OptionBuild(
        tenant=(("pods", volcano_tenant),),
        charts=(Chart("volcano", "volcano-system", requirement="fair-share"),),
        upstream="Volcano 1.15.1",
    ),
    "sch_kai": OptionBuild(
        (("pods", kai_base),),
        (("pods", kai_tenant),),
        (Chart("kai-scheduler", "kai-scheduler", values=kai_values, requirement="fair-share"),),
        upstream="KAI Scheduler 0.17.0",
    ),
    "sch_yunikorn": OptionBuild(
        (("pods", yunikorn_config),),
        charts=(Chart("yunikorn", "yunikorn", requirement="fair-share"),),
        upstream="YuniKorn 1.9.0",
    ),
}
"""What is built for each option that only this module serves."""
