"""Sample workloads: what tenants run, with requests, limits, the sandbox and a restricted security context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.quantities import cpu_text, memory_text
from tenancykit.labels import WORKLOAD_LABEL
from tenancykit.manifests.builders.access import WORKLOAD_ACCOUNT
from tenancykit.manifests.builders.exposure import service_name
from tenancykit.manifests.builders.gang import is_gang, pod_fields
from tenancykit.manifests.builders.scheduling import pod_placement
from tenancykit.manifests.builders.slices import slice_selector
from tenancykit.manifests.devices import DeviceRequest
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import TenantScope, priority_class, storage_class
from tenancykit.manifests.sizing import SCRATCH
from tenancykit.scenario.model import Workload

_SILENT_IMAGES: Final = ("registry.k8s.io/pause",)
"""Images that listen on no port: a probe would never succeed."""
_START_MINUTES: Final = 30
"""Minutes until a container must listen (assumption: loading the largest models takes less)."""
_USER: Final = 65532
"""Assumption: the unprivileged user of distroless images."""
_SCHEDULERS: Final = {"sch_volcano": "volcano", "sch_kai": "kai-scheduler", "sch_yunikorn": "yunikorn"}


def sample_workloads(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the workloads of a tenant in the kind that fits them, with their claims for shared volumes."""
    if "vm-nodes" in scope.cls.found.facts and not scope.cls.found.cluster.per_tenant:
        return  # the tenant's workloads are virtual machines, which the runtime builds
    for workload, replicas in scope.cls.workloads(scope.tenant):
        if workload.storage and workload.storage.shared:
            yield _shared_claim(scope, workload)
        yield _workload(scope, workload, replicas)


def _workload(scope: TenantScope, workload: Workload, replicas: int) -> Manifest:
    if workload.kind in ("training", "batch"):
        return _object(scope, workload, "batch/v1", "Job", _job(scope, workload, replicas))
    if workload.kind == "notebook":
        return _object(scope, workload, "apps/v1", "StatefulSet", _stateful_set(scope, workload, replicas))
    return _object(scope, workload, "apps/v1", "Deployment", _deployment(scope, workload, replicas))


def _object(scope: TenantScope, workload: Workload, api: str, kind: str, spec: dict[str, Any]) -> Manifest:
    because = scope.cls.found.choice.options[0]
    labels = {"app.kubernetes.io/name": workload.id, WORKLOAD_LABEL: workload.id}
    if kind == "Job" and _queues_jobs(scope):
        labels |= queue_labels(scope)
    return manifest(
        because, "workload", "workloads", api, kind, workload.id, namespace=scope.namespace, labels=labels, spec=spec
    )


def queue_labels(scope: TenantScope) -> dict[str, str]:
    """Return the labels by which a queueing system finds the tenant's queue."""
    if "sch_kueue" in scope.options:
        return {"kueue.x-k8s.io/queue-name": "tenant"}
    if "sch_kai" in scope.options:
        return {"kai.scheduler/queue": scope.namespace}
    return {}


def _deployment(scope: TenantScope, workload: Workload, replicas: int) -> dict[str, Any]:
    # A surge of one more GPU pod would wait for a GPU the quota does not hold.
    surge = 0 if workload.gpu else "25%"
    return {
        "replicas": replicas,
        "selector": {"matchLabels": {WORKLOAD_LABEL: workload.id}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": 1}},
        "template": _template(scope, workload, replicas),
    }


def _stateful_set(scope: TenantScope, workload: Workload, replicas: int) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "replicas": replicas,
        "serviceName": service_name(workload),
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": {WORKLOAD_LABEL: workload.id}},
        "template": _template(scope, workload, replicas),
    }
    if workload.storage and not workload.storage.shared:
        spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": _claim(scope, workload, shared=False)}]
    return spec


def _job(scope: TenantScope, workload: Workload, replicas: int) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "parallelism": replicas,
        "completions": replicas,
        "completionMode": "Indexed",
        "backoffLimit": 3,
        "ttlSecondsAfterFinished": 86400,
    }
    if "sch_kueue" in scope.options and _queues_jobs(scope):
        spec["suspend"] = True  # stays so until its queue admits it, even while the queue's webhook is down
    spec["template"] = _template(scope, workload, replicas, restart="Never")
    return spec


def _template(scope: TenantScope, workload: Workload, replicas: int, restart: str = "Always") -> dict[str, Any]:
    request = scope.cls.devices.request(workload)
    labels = {
        "app.kubernetes.io/name": workload.id,
        "tenancykit.dev/tenant": scope.name,
        WORKLOAD_LABEL: workload.id,
        **_pod_queue_labels(scope, is_job=restart == "Never"),
        **({"kueue.x-k8s.io/pod-group-name": workload.id} if _is_pod_group(scope, workload) else {}),
    }
    metadata: dict[str, Any] = {"labels": labels}
    annotations = {**request.annotations, **_annotations(scope, workload, replicas)}
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": _pod(scope, workload, request, replicas, restart)}


def _queues_jobs(scope: TenantScope) -> bool:
    """Return whether whole jobs wait in the queue: a virtual cluster shows the queue of its host nothing but pods."""
    return scope.cls.found.cluster.control_plane != "virtual"


def _is_pod_group(scope: TenantScope, workload: Workload) -> bool:
    """Return whether the pods of a gang are named to Kueue as one, since it does not see their job.

    Source: https://kueue.sigs.k8s.io/docs/tasks/run/plain_pods/#running-a-group-of-pods-to-be-admitted-together
    """
    return "sch_kueue" in scope.options and not _queues_jobs(scope) and is_gang(workload)


def _pod_queue_labels(scope: TenantScope, *, is_job: bool) -> dict[str, str]:
    """Return the labels by which pods find their queue; pods of a job that waits itself need none.

    Kueue holds back every pod of the tenant's namespace, those of Deployments included, and admits what names a queue.
    """
    waits_itself = is_job and "sch_kueue" in scope.options and _queues_jobs(scope)
    return {} if waits_itself else queue_labels(scope)


def _annotations(scope: TenantScope, workload: Workload, replicas: int) -> dict[str, str]:
    found: dict[str, str] = {}
    if "sch_volcano" in scope.options:
        found["scheduling.volcano.sh/queue-name"] = scope.namespace
        if is_gang(workload):
            found["scheduling.k8s.io/group-name"] = workload.id
    if _is_pod_group(scope, workload):
        found["kueue.x-k8s.io/pod-group-total-count"] = str(replicas)
    if workload.rdma and "rdma-partition" in scope.cls.found.facts:
        found["k8s.v1.cni.cncf.io/networks"] = "tenant-rdma"
    if workload.kind in ("training", "batch") and "node_karpenter" in scope.options:
        found["karpenter.sh/do-not-disrupt"] = "true"
    return found


def _pod(scope: TenantScope, workload: Workload, request: DeviceRequest, replicas: int, restart: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"restartPolicy": restart, **_scheduling(scope, workload, request)}
    if chosen := slice_selector(scope, workload, replicas):
        spec["nodeSelector"] = {**spec.get("nodeSelector", {}), **chosen}
    spec |= {
        "serviceAccountName": WORKLOAD_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    if "rt_userns" in scope.options:
        spec["hostUsers"] = False
    if replicas > 1 and not is_gang(workload):
        spec["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {WORKLOAD_LABEL: workload.id}},
            }
        ]
    rack = _one_domain(scope, workload, replicas)
    if rack:
        spec["affinity"] = rack
    spec["containers"] = [_container(scope, workload, request)]
    spec["volumes"] = _volumes(scope, workload)
    if request.claim:
        spec["resourceClaims"] = [{"name": "gpu", "resourceClaimTemplateName": request.claim}]
    return spec


def _one_domain(scope: TenantScope, workload: Workload, replicas: int) -> dict[str, Any]:
    """Return the affinity that keeps a gang inside one fabric domain larger than a machine, where it fits into one.

    Machines of an NVL72 rack carry the label of their NVLink clique (NVIDIA DRA driver and GPU feature discovery).
    """
    card = scope.cls.devices.card(workload) if workload.gpu else None
    cards = replicas * max(1, workload.gpu.count) if workload.gpu else 0
    if card is None or card.fabric is None or not card.fabric.label or not is_gang(workload):
        return {}
    if card.vendor != "nvidia" or cards > card.fabric.cards:  # a pool of TPUs is one slice already
        return {}
    term = {"topologyKey": card.fabric.label, "labelSelector": {"matchLabels": {WORKLOAD_LABEL: workload.id}}}
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _scheduling(scope: TenantScope, workload: Workload, request: DeviceRequest) -> dict[str, Any]:
    found: dict[str, Any] = dict(pod_placement(scope))
    sandbox = scope.cls.found.sandbox
    name = sandbox.gpu_runtime_class if request.has_gpu and sandbox.gpu_runtime_class else sandbox.runtime_class
    if name:
        found["runtimeClassName"] = name
    if "sch_priority" in scope.options:
        found["priorityClassName"] = priority_class(workload)
    for option, scheduler in _SCHEDULERS.items():
        if option in scope.options:
            found["schedulerName"] = scheduler
    if "sch_native_gang" in scope.options and is_gang(workload):
        found |= pod_fields(workload)
    return found


def _container(scope: TenantScope, workload: Workload, request: DeviceRequest) -> dict[str, Any]:
    amounts = {
        "cpu": cpu_text(workload.cpu),
        "memory": memory_text(workload.memory),
        "ephemeral-storage": memory_text(SCRATCH),
    }
    devices = {name: str(count) for name, count in request.limits.items()}
    if workload.rdma and "rdma-partition" in scope.cls.found.facts:
        devices[RDMA_DEVICE] = "1"
    resources: dict[str, Any] = {"requests": amounts, "limits": {**amounts, **devices}}
    if request.claim:
        resources["claims"] = [{"name": "gpu"}]
    container: dict[str, Any] = {
        "name": workload.kind,
        "image": workload.image,
        "imagePullPolicy": "Always",
        "resources": resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    if workload.exposure:
        container["ports"] = [{"name": "http", "containerPort": workload.exposure.port, "protocol": "TCP"}]
        if not workload.image.startswith(_SILENT_IMAGES):
            probe = {"tcpSocket": {"port": "http"}}
            container["startupProbe"] = {**probe, "periodSeconds": 10, "failureThreshold": _START_MINUTES * 6}
            container["readinessProbe"] = {**probe, "periodSeconds": 10}
            container["livenessProbe"] = {**probe, "periodSeconds": 20}
    container["volumeMounts"] = [{"name": "scratch", "mountPath": "/tmp"}, *_data_mount(workload)]  # noqa: S108 - the pod's own scratch volume
    return container


RDMA_DEVICE: Final = "nvidia.com/tenantrdma"
"""Resource name of the tenant's virtual functions (network.py's fabric sibling configures it)."""


def _data_mount(workload: Workload) -> list[dict[str, Any]]:
    return [{"name": "data", "mountPath": "/data"}] if workload.storage else []


def _volumes(scope: TenantScope, workload: Workload) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [{"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}]
    if workload.storage is None:
        return volumes
    if workload.storage.shared:
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": f"{workload.id}-data"}})
    elif workload.kind != "notebook":
        template = {"spec": _claim(scope, workload, shared=False)}
        volumes.append({"name": "data", "ephemeral": {"volumeClaimTemplate": template}})
    return volumes


def _claim(scope: TenantScope, workload: Workload, *, shared: bool) -> dict[str, Any]:
    size = workload.storage.size if workload.storage else 0
    return {
        "accessModes": ["ReadWriteMany" if shared else "ReadWriteOnce"],
        "storageClassName": storage_class(scope.cls, scope.tenant, shared=shared),
        "resources": {"requests": {"storage": memory_text(size)}},
    }


def _shared_claim(scope: TenantScope, workload: Workload) -> Manifest:
    return manifest(
        scope.cls.found.chosen("storage").id,  # type: ignore[union-attr]
        "persistence",
        "workloads",
        "v1",
        "PersistentVolumeClaim",
        f"{workload.id}-data",
        namespace=scope.namespace,
        labels={WORKLOAD_LABEL: workload.id},
        spec=_claim(scope, workload, shared=True),
    )
