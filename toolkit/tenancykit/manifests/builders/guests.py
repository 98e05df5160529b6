"""Virtual machines on shared hosts (KubeVirt 1.9): a tenant's nodes, or its workloads where it has no cluster."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any, Final

from kubeanswers.quantities import memory_text
from tenancykit.labels import POOL_LABEL, TENANT_LABEL, WORKLOAD_LABEL
from tenancykit.manifests.builders import runtime
from tenancykit.manifests.builders.machines import workers
from tenancykit.manifests.builders.runtime import PASSTHROUGH, VGPU
from tenancykit.manifests.builders.scheduling import pod_placement
from tenancykit.manifests.builds import OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import TenantScope


def virtual_machines(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a tenant's virtual machines; each reads its cloud-init Secret, which is never written here."""
    if scope.cls.found.cluster.per_tenant:
        demand = scope.cls.demand(scope.tenant)
        machine, count = workers(scope)
        devices = ceil(demand.gpus / count) if demand.gpus else 0
        for number in range(count):
            name = f"worker-{number + 1:03d}"
            yield _machine(scope, name, machine.cpu_milli, machine.memory, devices, {})
        return
    for workload, replicas in scope.cls.workloads(scope.tenant):
        devices = ceil(scope.cls.devices.request(workload).milli_gpus / 1000)
        for number in range(replicas):
            labels = {WORKLOAD_LABEL: workload.id}
            yield _machine(scope, f"{workload.id}-{number + 1:03d}", workload.cpu, workload.memory, devices, labels)


def _machine(
    scope: TenantScope, name: str, cpu_milli: int, memory: int, devices: int, labels: dict[str, str]
) -> Manifest:
    labels = {TENANT_LABEL: scope.name, **labels}
    return manifest(
        "rt_kubevirt",
        "isolation.compute",
        "runtime",
        "kubevirt.io/v1",
        "VirtualMachine",
        name,
        namespace=scope.namespace,
        labels=labels,
        spec={
            "runStrategy": "Always",
            "template": {
                "metadata": {"labels": labels},
                "spec": _guest(scope, ceil(cpu_milli / 1000), memory, devices),
            },
        },
    )


def _guest(scope: TenantScope, cores: int, memory: int, devices: int) -> dict[str, Any]:
    disks = [{"name": "root", "disk": {"bus": "virtio"}}, {"name": "join", "disk": {"bus": "virtio"}}]
    hardware: dict[str, Any] = {"disks": disks, "interfaces": [{"name": "default", "bridge": {}}]}
    if devices:
        name = VGPU if "gpu_vgpu" in scope.options else PASSTHROUGH
        hardware["gpus"] = [{"name": f"gpu{number}", "deviceName": name} for number in range(devices)]
    spec: dict[str, Any] = {
        "domain": {
            "cpu": {"cores": cores},
            "memory": {"guest": memory_text(memory)},
            "devices": hardware,
        },
        "networks": [{"name": "default", "pod": {}}],
        "volumes": [
            {"name": "root", "containerDisk": {"image": "quay.io/containerdisks/ubuntu:24.04"}},
            {"name": "join", "cloudInitNoCloud": {"secretRef": {"name": "machine-join"}}},
        ],
    }
    return {**spec, **_placement(scope)}


def _placement(scope: TenantScope) -> dict[str, Any]:
    if scope.cls.found.cluster.per_tenant and scope.cls.found.placement.domain == "class":
        taint = {"key": POOL_LABEL, "operator": "Equal", "value": scope.cls.id, "effect": "NoSchedule"}
        return {"nodeSelector": {POOL_LABEL: scope.cls.id}, "tolerations": [taint]}
    return pod_placement(scope)


BUILDS: Final[dict[str, OptionBuild]] = {
    "rt_kubevirt": OptionBuild(
        (("hosts", runtime.kubevirt),),
        (("hosts", virtual_machines),),
        upstream="KubeVirt 1.9.0 (kubevirt.io/v1)",
    ),
}
"""What is built for each option that only this module serves."""
