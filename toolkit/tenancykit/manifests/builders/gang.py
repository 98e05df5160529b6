"""Gang scheduling built into Kubernetes: Workload and PodGroup objects in the version the chosen minor serves.

Read off the published schemas: 1.35 serves ``v1alpha1`` Workload and the pod's ``workloadRef``, 1.36 ``v1alpha2``
Workload and PodGroup and the pod's ``schedulingGroup``, 1.37 the same as ``v1beta1`` (KEP-4671).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import TenantScope
from tenancykit.scenario.model import Workload

_GROUP: Final = "replicas"
_FIRST_MINOR: Final = 35
_ALPHA2_MINOR: Final = 36
_BETA_MINOR: Final = 37


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _api(version: str) -> str:
    minor = _minor(version)
    name = "v1beta1" if minor >= _BETA_MINOR else "v1alpha2" if minor >= _ALPHA2_MINOR else "v1alpha1"
    return f"scheduling.k8s.io/{name}"


def is_gang(workload: Workload) -> bool:
    """Return whether a workload starts all or nothing."""
    return workload.gang > 1 and workload.kind in ("training", "batch")


def gangs(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the Workload, and from 1.36 the PodGroup, of each template that starts all or nothing."""
    version = scope.scenario.kubernetes
    for workload, replicas in scope.cls.workloads(scope.tenant):
        if not is_gang(workload):
            continue
        policy = {"gang": {"minCount": min(workload.gang, replicas)}}
        for kind, spec in _objects(version, workload, policy):
            yield manifest(
                "sch_native_gang",
                "workload",
                "scheduling",
                _api(version),
                kind,
                workload.id,
                namespace=scope.namespace,
                spec=spec,
            )


def _objects(version: str, workload: Workload, policy: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    owner = {"apiGroup": "batch", "kind": "Job", "name": workload.id}
    if _minor(version) < _ALPHA2_MINOR:
        yield "Workload", {"controllerRef": owner, "podGroups": [{"name": _GROUP, "policy": policy}]}
        return
    yield "Workload", {"controllerRef": owner, "podGroupTemplates": [{"name": _GROUP, "schedulingPolicy": policy}]}
    if _minor(version) >= _BETA_MINOR:
        reference: dict[str, Any] = {"workloadRef": {"workloadName": workload.id, "templateName": _GROUP}}
    else:
        template = {"workloadName": workload.id, "podGroupTemplateName": _GROUP}
        reference = {"podGroupTemplateRef": {"workload": template}}
    yield "PodGroup", {**reference, "schedulingPolicy": policy}


def pod_fields(version: str, workload: Workload) -> dict[str, Any]:
    """Return the field of a pod that joins it to its gang."""
    if _minor(version) < _ALPHA2_MINOR:
        return {"workloadRef": {"name": workload.id, "podGroup": _GROUP}}
    return {"schedulingGroup": {"podGroupName": workload.id}}
