"""GPU sharing: configuration of the device plugin and MIG manager, device classes and claim templates.

Follows GPU operator v26.7.0, k8s-device-plugin's sharing configuration, mig-parted's configuration format, HAMi 2.10,
the NVIDIA DRA driver 0.4.1 and ``resource.k8s.io/v1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from kubeanswers.source import dump_yaml
from tenancykit.design.facts import class_workloads
from tenancykit.design.offers import node_shapes
from tenancykit.manifests.builders import instinct
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.devices import GPU
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClassScope, ClusterScope, TenantScope
from tenancykit.manifests.sizing import device_class

NAMESPACE: Final = "gpu-operator"
RESOURCE: Final = "resource.k8s.io/v1"
MIG_CONFIG: Final = "tenancykit-mig-config"
SHARING_CONFIG: Final = "tenancykit-sharing-config"
_SHARED: Final = {"time-slicing": "gpu_timeslice", "mps": "gpu_mps"}
"""Modes in which the device plugin advertises a GPU several times, with the options that bring them."""


def mig_layout(cls: ClassScope) -> dict[str, dict[str, int]]:
    """Return MIG configurations by name: each profile the class's workloads need, as often as it fits on one GPU."""
    layouts: dict[str, dict[str, int]] = {}
    for workload in class_workloads(cls.scenario, cls.found.tenant_class):
        request = cls.devices.request(workload)
        if not request.profile:
            continue
        model = cls.devices.model(workload)
        known = next((p for name, p in cls.devices.profiles.items() if model.startswith(name)), {})
        layouts[f"tenancykit-{request.profile}"] = {request.profile: known.get(request.profile, 1)}
    return layouts


def mig_config(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the MIG manager's configuration; nodes choose one by the label ``nvidia.com/mig.config``.

    Where whole cards are asked as well, a node may cut its first cards only and hand out the others whole.
    """
    layouts: dict[str, dict[str, int]] = {}
    for cls in scope.classes:
        layouts |= mig_layout(cls)
    cards = _most_cards(scope) if _some_whole(scope) else 0
    plain = tuple((name, tuple(layouts[name].items())) for name in sorted(layouts))
    yield _config("gpu_mig", MIG_CONFIG, {"config.yaml": _mig_text(plain, cards)})


@cache
def _mig_text(layouts: tuple[tuple[str, tuple[tuple[str, int], ...]], ...], cards: int) -> str:
    """Return the MIG manager's file; clusters by the hundred hold the same, and writing YAML is slow."""
    configs: dict[str, Any] = {"all-disabled": [{"devices": "all", "mig-enabled": False}]}
    for name, profiles in layouts:
        cut = {"mig-enabled": True, "mig-devices": dict(profiles)}
        configs[name] = [{"devices": "all", **cut}]
        for number in range(1, cards):
            left = {"devices": [*range(number, cards)], "mig-enabled": False}
            configs[f"{name}-on-{number}"] = [{"devices": [*range(number)], **cut}, left]
    return dump_yaml({"version": "v1", "mig-configs": configs})


def _some_whole(scope: ClusterScope) -> bool:
    """Return whether some tenant of the cluster asks for whole cards."""
    asked = ((w, cls) for cls in scope.everyone for w in class_workloads(cls.scenario, cls.found.tenant_class))
    return any(w.gpu is not None and not cls.devices.request(w).profile for w, cls in asked)


def _most_cards(scope: ClusterScope) -> int:
    shapes = node_shapes(scope.scenario, scope.catalogue)
    return max(shapes[offer.type].gpus for offer in scope.scenario.infrastructure.nodes)


def _config(option: str, name: str, data: dict[str, str]) -> Manifest:
    return manifest(option, "isolation.accelerator", "gpu", "v1", "ConfigMap", name, namespace=NAMESPACE, data=data)


def sharing_config(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the device plugin's sharing configuration: how many pods a GPU is advertised for, under another name.

    The new name (``nvidia.com/gpu.shared``) keeps a pod that asks for a whole GPU off a shared one.
    """
    entries: dict[str, str] = {"whole": dump_yaml({"version": "v1"})}
    chosen = {cls.devices.fractional for cls in scope.classes}
    because = next((option for mode, option in _SHARED.items() if mode in chosen), "")
    for cls in scope.everyone:  # one ConfigMap per cluster, whichever of its options asks for it first
        mode = cls.devices.fractional
        if mode not in _SHARED:
            continue
        resources = [{"name": GPU, "replicas": cls.devices.replicas}]
        sharing = {"renameByDefault": True, "resources": resources}
        if mode == "time-slicing":
            sharing["failRequestsGreaterThanOne"] = True
        key = "mps" if mode == "mps" else "timeSlicing"
        entries[cls.id] = dump_yaml({"version": "v1", "sharing": {key: sharing}})
    if because:
        yield _config(because, SHARING_CONFIG, entries)


def namespaces(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the namespace of the GPU operator, which drives devices and so runs privileged."""
    if "nvidia" not in scope.makers:
        return
    labels = {"pod-security.kubernetes.io/enforce": "privileged", "tenancykit.dev/system": "true"}
    driven = ("gpu_exclusive", "gpu_mig", "gpu_timeslice", "gpu_mps", "gpu_vgpu")
    option = tuple(name for name in driven if any(name in cls.options for cls in scope.classes))
    yield manifest(option, "isolation.accelerator", "namespaces", "v1", "Namespace", NAMESPACE, labels=labels)


def device_classes(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield a DeviceClass per kind of device a class may claim, chosen by attributes of the NVIDIA driver."""
    found: dict[str, str] = {}
    for cls in scope.classes:
        for workload in class_workloads(cls.scenario, cls.found.tenant_class):
            request = cls.devices.request(workload)
            if not request.claim:
                continue
            kind = "mig" if request.profile else "gpu"
            text = f"device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type == '{kind}'"
            if request.profile:
                text += f" && device.attributes['gpu.nvidia.com'].profile == '{request.profile}'"
            found[device_class(cls.id, request)] = text
    for name in sorted(found):
        selectors = [{"cel": {"expression": found[name]}}]
        yield manifest(
            "gpu_dra",
            "isolation.accelerator",
            "gpu",
            RESOURCE,
            "DeviceClass",
            name,
            spec={"selectors": selectors},
        )


def claim_templates(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a ResourceClaimTemplate per workload that claims devices."""
    for workload, _ in scope.cls.workloads(scope.tenant):
        request = scope.cls.devices.request(workload)
        if not request.claim:
            continue
        count = 1 if request.profile else max(1, request.milli_gpus // 1000)
        exactly = {
            "deviceClassName": device_class(scope.cls.id, request),
            "allocationMode": "ExactCount",
            "count": count,
        }
        yield manifest(
            "gpu_dra",
            "isolation.accelerator",
            "gpu",
            RESOURCE,
            "ResourceClaimTemplate",
            request.claim,
            namespace=scope.namespace,
            spec={"spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}},
        )


def operator_values(scope: ClusterScope) -> dict[str, Any]:
    """Return the GPU operator's Helm values for what the classes of a cluster chose."""
    # Without the kind ServiceMonitor the operator starts nothing, so it is asked for only where Prometheus runs.
    monitored = "prometheus-stack" in scope.components
    values: dict[str, Any] = {
        "dcgmExporter": {"serviceMonitor": {"enabled": monitored}},
        "cdi": {"enabled": True},
    }
    if "gpu_mig" in scope.options:
        values["mig"] = {"strategy": "mixed"}
        values["migManager"] = {"enabled": True, "config": {"name": MIG_CONFIG, "default": "all-disabled"}}
    if {"gpu_timeslice", "gpu_mps"} & scope.options:
        values["devicePlugin"] = {"config": {"name": SHARING_CONFIG, "default": "whole"}}
    if "gpu_hami" in scope.options:
        values["devicePlugin"] = {"enabled": False}
    facts = {fact for cls in scope.classes for fact in cls.found.facts}
    if "guest-kernel" in facts:
        workload = "vm-vgpu" if "gpu_vgpu" in scope.options else "vm-passthrough"
        values["sandboxWorkloads"] = {"enabled": True, "defaultWorkload": workload}
    if any(cls.found.sandbox.gpu_runtime_class for cls in scope.classes):
        values["sandboxWorkloads"]["mode"] = "kata"
    if "confidential-guest" in facts:
        values["ccManager"] = {"enabled": True, "defaultMode": "on"}
    if "gpu_vgpu" in scope.options:
        values["vgpuManager"] = {"enabled": True, "repository": "<private-registry>", "image": "vgpu-manager"}
    return values


_GPU_OPERATOR: Final = Chart("gpu-operator", NAMESPACE, "hosts", operator_values, "isolation.accelerator")
BUILDS: Final[dict[str, OptionBuild]] = {
    "gpu_mig": OptionBuild(
        (("hosts", namespaces), ("hosts", mig_config)),
        charts=(_GPU_OPERATOR,),
        upstream="GPU operator v26.7.0 (mig-parted v1)",
    ),
    "gpu_timeslice": OptionBuild(
        (("hosts", namespaces), ("hosts", sharing_config)),
        charts=(_GPU_OPERATOR,),
        upstream="GPU operator v26.7.0",
    ),
    "gpu_mps": OptionBuild(
        (("hosts", namespaces), ("hosts", sharing_config)),
        charts=(_GPU_OPERATOR,),
        upstream="GPU operator v26.7.0",
    ),
    "gpu_vgpu": OptionBuild((("hosts", namespaces),), charts=(_GPU_OPERATOR,), upstream="GPU operator v26.7.0"),
    "gpu_dra": OptionBuild(
        (("pods", device_classes),),
        (("run", claim_templates),),
        (Chart("dra-driver-gpu", "nvidia-dra-driver-gpu", requirement="isolation.accelerator"),),
        upstream="NVIDIA DRA driver 0.4.1, resource.k8s.io/v1",
    ),
    "gpu_exclusive": OptionBuild(
        (("hosts", namespaces), ("hosts", instinct.devices)),
        charts=(_GPU_OPERATOR,),
        upstream="GPU operator v26.7.0; AMD GPU operator 1.5.1 where the cards are AMD's",
    ),
    "gpu_hami": OptionBuild(
        charts=(Chart("hami", "hami-system", requirement="isolation.accelerator"),), upstream="HAMi 2.10.0"
    ),
}
"""What is built for each option that only this module serves."""
