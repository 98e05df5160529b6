"""Gang scheduling built into Kubernetes: Workload and PodGroup objects, and the gates that have them served.

Read off the published schemas of Kubernetes 1.37, the first that serves them as beta (KEP-4671). The alphas before are
other objects, which the next minor version no longer serves; the catalogue's rule refuses them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.source import dump_yaml
from tenancykit.manifests.builds import OptionBuild
from tenancykit.manifests.model import Manifest, PlainFile, manifest
from tenancykit.manifests.scope import TenantScope
from tenancykit.scenario.model import Workload

_GROUP: Final = "replicas"
_FEATURE: Final = "gang_scheduling"


def is_gang(workload: Workload) -> bool:
    """Return whether a workload starts all or nothing."""
    return workload.gang > 1 and workload.kind in ("training", "batch")


def gangs(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the Workload and the PodGroup of each template that starts all or nothing."""
    api = scope.cls.catalogue.features[_FEATURE].api_version(scope.scenario.kubernetes)
    for workload, replicas in scope.cls.workloads(scope.tenant):
        if not is_gang(workload):
            continue
        for kind, spec in _objects(workload, {"gang": {"minCount": min(workload.gang, replicas)}}):
            yield manifest(
                "sch_native_gang",
                "workload",
                "scheduling",
                api,
                kind,
                workload.id,
                namespace=scope.namespace,
                spec=spec,
            )


def _objects(workload: Workload, policy: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    owner = {"apiGroup": "batch", "kind": "Job", "name": workload.id}
    yield "Workload", {"controllerRef": owner, "podGroupTemplates": [{"name": _GROUP, "schedulingPolicy": policy}]}
    reference = {"workloadName": workload.id, "templateName": _GROUP}
    yield "PodGroup", {"workloadRef": reference, "schedulingPolicy": policy}


def pod_fields(workload: Workload) -> dict[str, Any]:
    """Return the field of a pod that joins it to its gang."""
    return {"schedulingGroup": {"podGroupName": workload.id}}


def gates_file(because: str) -> PlainFile:
    """Return the kubeadm settings without which Workload and PodGroup are not served: gate and API are off by default.

    A provider that runs the control plane has to offer the gate; where it does not, the option cannot be used there.
    """
    gate = {"name": "feature-gates", "value": "GenericWorkload=true"}
    configuration = {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        "apiServer": {"extraArgs": [gate, {"name": "runtime-config", "value": "scheduling.k8s.io/v1beta1=true"}]},
        "controllerManager": {"extraArgs": [gate]},
        "scheduler": {"extraArgs": [gate]},
    }
    return PlainFile(
        "api-server/gang-scheduling-gates.yaml",
        dump_yaml(configuration),
        "kubeadm init --config, or the same flags wherever the control plane is run: gang scheduling is beta and off",
        (because,),
    )


BUILDS: Final[dict[str, OptionBuild]] = {
    "sch_native_gang": OptionBuild(
        tenant=(("run", gangs),), files=("api", gates_file), upstream="Kubernetes 1.37 (KEP-4671)"
    ),
}
"""What is built for each option that only this module serves."""
