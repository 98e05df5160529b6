"""Runtime classes of sandboxes, and the custom resources that turn virtualisation on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.quantities import MIB, cpu_text, memory_text
from tenancykit.catalogue.model import Sandbox
from tenancykit.labels import POOL_LABEL
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClusterScope

NODE_API: Final = "node.k8s.io/v1"
VGPU: Final = "nvidia.com/vgpu"
PASSTHROUGH: Final = "nvidia.com/passthrough"


def runtime_classes(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the RuntimeClass of each sandbox, with the overhead the scheduler and quotas must count.

    Handlers and overheads: gVisor's user guide, and Kata 4.1's ``runtimeclasses.yaml`` (catalogue source kata_rc).
    """
    for cls in scope.classes:
        option = next(o for o in cls.found.options if o.sandbox is not None)
        sandbox = cls.found.sandbox
        if sandbox.runtime_class:
            yield _runtime_class(option.id, sandbox.runtime_class, sandbox.handler, _fixed(sandbox, gpu=False))
        if sandbox.gpu_runtime_class:
            yield _runtime_class(
                option.id, sandbox.gpu_runtime_class, sandbox.gpu_runtime_class, _fixed(sandbox, gpu=True)
            )


def _fixed(sandbox: Sandbox, *, gpu: bool) -> dict[str, str]:
    cpu, memory = sandbox.cpu_milli, sandbox.memory_mib
    if gpu:
        cpu = cpu if sandbox.gpu_cpu_milli is None else sandbox.gpu_cpu_milli
        memory = memory if sandbox.gpu_memory_mib is None else sandbox.gpu_memory_mib
    fixed: dict[str, str] = {}
    if cpu:
        fixed["cpu"] = cpu_text(cpu)
    if memory:
        fixed["memory"] = memory_text(memory * MIB)
    return fixed


def _runtime_class(option: str, name: str, handler: str, fixed: dict[str, str]) -> Manifest:
    fields: dict[str, Any] = {"handler": handler or name}
    if fixed:
        fields["overhead"] = {"podFixed": fixed}
    return manifest(option, "isolation.compute", "runtime", NODE_API, "RuntimeClass", name, **fields)


def kubevirt(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the KubeVirt installation's settings (kubevirt.io/v1, KubeVirt 1.9)."""
    devices = _host_devices(scope)
    profile = {"customProfile": {"runtimeDefaultProfile": True}}
    configuration: dict[str, Any] = {"seccompConfiguration": {"virtualMachineInstanceProfile": profile}}
    if devices:
        configuration["developerConfiguration"] = {"featureGates": ["HostDevices"]}
        configuration["permittedHostDevices"] = devices
    spec: dict[str, Any] = {"configuration": configuration, "imagePullPolicy": "IfNotPresent"}
    pools = sorted({cls.id for cls in scope.classes if cls.found.placement.domain == "class"})
    if pools:
        taints = [{"key": POOL_LABEL, "operator": "Equal", "value": pool, "effect": "NoSchedule"} for pool in pools]
        spec["workloads"] = {"nodePlacement": {"tolerations": taints}}
    yield manifest(
        "rt_kubevirt",
        "isolation.compute",
        "runtime",
        "kubevirt.io/v1",
        "KubeVirt",
        "kubevirt",
        namespace="kubevirt",
        spec=spec,
    )


def _host_devices(scope: ClusterScope) -> dict[str, Any]:
    """Return which host devices guests may be given; device ids in angle brackets are the operator's to read off."""
    if not any("gpu" in cls.found.facts for cls in scope.classes):
        return {}
    if "gpu_vgpu" in scope.options:
        profile = {"mdevNameSelector": "<vgpu-profile>", "resourceName": VGPU, "externalResourceProvider": True}
        return {"mediatedDevices": [profile]}
    card = {"pciVendorSelector": "10DE:<device-id>", "resourceName": PASSTHROUGH, "externalResourceProvider": True}
    return {"pciHostDevices": [card]}


BUILDS: Final[dict[str, OptionBuild]] = {
    "rt_gvisor": OptionBuild((("pods", runtime_classes),), upstream="gVisor release-20260817"),
    "rt_kata": OptionBuild(
        (("pods", runtime_classes),),
        charts=(Chart("kata-deploy", "kata-system", requirement="isolation.compute"),),
        upstream="Kata Containers 4.1.0",
    ),
    "rt_kata_single_gpu": OptionBuild(
        (("pods", runtime_classes),),
        charts=(Chart("kata-deploy", "kata-system", requirement="isolation.compute"),),
        upstream="Kata Containers 4.2.0",
    ),
    "rt_coco": OptionBuild(
        (("pods", runtime_classes),),
        charts=(Chart("kata-deploy", "kata-system", requirement="isolation.compute"),),
        upstream="Kata Containers 4.1.0, Confidential Containers 0.21",
    ),
    "rt_coco_single_gpu": OptionBuild(
        (("pods", runtime_classes),),
        charts=(Chart("kata-deploy", "kata-system", requirement="isolation.compute"),),
        upstream="Kata Containers 4.2.0, Confidential Containers 0.21",
    ),
}
"""What is built for each option that only this module serves."""
