"""Devices past quota and allocation: DRA claims with admin access, device variables the container runtime obeys.

Sources: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#admin-access,
https://github.com/NVIDIA/k8s-device-plugin/issues/87 and the NVIDIA container toolkit's
``accept-nvidia-visible-devices-envvar-when-unprivileged``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text
from kubeanswers.pods import PodView, pods_of
from tenancykit.auditing.findings import Severity
from tenancykit.auditing.paths.model import GPU, Path, Scene, finding

ADMIN_LABELS: Final = ("resource.kubernetes.io/admin-access", "resource.k8s.io/admin-access")
_VARIABLE: Final = re.compile(r"[A-Z0-9_]+_VISIBLE_DEVICES")
_FURTHER: Final = ("NVIDIA_MIG_CONFIG_DEVICES", "NVIDIA_MIG_MONITOR_DEVICES", "NVIDIA_IMEX_CHANNELS")
_MASKS: Final = ("CUDA_", "HIP_", "ROCR_", "MUSA_", "ASCEND_RT_", "GPU_", "XLA_", "JAX_", "TPU_", "CUPY_")
"""Variables of libraries inside the container, which only narrow what it was given; runtimes do not read them."""
_CDI: Final = "cdi.k8s.io/"
_MOUNT: Final = "/var/run/nvidia-container-devices"
_HARMLESS: Final = ("", "void", "none")
_DRA: Final = "resource.k8s.io"


def device_paths(scene: Scene) -> Iterator[Path]:
    """Yield the devices of others that tenants reach past their quota."""
    yield from _admin(scene)
    for pod in pods_of(scene.objects):
        tenant = scene.tenancy.by_namespace.get(pod.namespace, "")
        if tenant:
            yield from _variables(scene, pod, tenant)


def _admin(scene: Scene) -> Iterator[Path]:
    for name, tenant in sorted(scene.tenancy.by_namespace.items()):
        labels = scene.objects.namespaces[name]
        label = next((key for key in ADMIN_LABELS if labels.get(key) == "true"), "")
        item = scene.objects.get("", "Namespace", "", name)
        if label and item is not None:
            who = scene.hostile.maker(name, _DRA, "resourceclaims")
            what = f"label {label} lets its claims ask for admin access"
            yield _path(scene, item, tenant, f"{what}; {who} may create them" if who else what)
    for item, tenant in scene.of_tenants(_DRA, "ResourceClaim", "ResourceClaimTemplate"):
        spec = mapping(item.spec.get("spec")) if item.kind == "ResourceClaimTemplate" else item.spec
        asked = [request for request in mappings(mapping(spec.get("devices")).get("requests")) if _is_admin(request)]
        if asked:
            yield _path(scene, item, tenant, "asks for admin access to devices, those others use included")


def _is_admin(request: Mapping[str, Any]) -> bool:
    parts = [request, mapping(request.get("exactly")), *mappings(request.get("firstAvailable"))]
    return any(part.get("adminAccess") is True for part in parts)


def _path(scene: Scene, item: ManifestObject, tenant: str, what: str) -> Path:
    return Path(
        finding(
            "device-open",
            Severity.HIGH,
            item,
            what,
            f"{tenant} -> ResourceClaim with adminAccess -> a device another tenant's pod uses",
            "take the label off tenants' namespaces; admin access is for monitoring by the platform",
            GPU,
            [tenant],
        ),
        frozenset({tenant}),
        scene.everybody,
    )


def _asks_for_devices(name: str, value: str) -> bool:
    meant = name in _FURTHER or (_VARIABLE.fullmatch(name) is not None and not name.startswith(_MASKS))
    return meant and value not in _HARMLESS


def _variables(scene: Scene, pod: PodView, tenant: str) -> Iterator[Path]:
    """Yield the ways of a pod to name devices itself: variables, annotations for CDI, mounts the runtime reads."""
    containers = (*mappings(pod.spec.get("initContainers")), *mappings(pod.spec.get("containers")))
    found = [
        f"{key}={value}" for key, value in mapping(pod.metadata.get("annotations")).items() if key.startswith(_CDI)
    ]
    for container in containers:
        environment = _environment(scene, pod.namespace, container)
        found += [f"{name}={value}" for name, value in environment.items() if _asks_for_devices(name, value)]
        mounts = (scalar_text(mount.get("mountPath")) for mount in mappings(container.get("volumeMounts")))
        found += [f"mount {path}" for path in mounts if path.startswith(_MOUNT)]
    for way in dict.fromkeys(found):
        yield Path(
            finding(
                "device-open",
                Severity.HIGH,
                pod.source,
                f"{way} reaches devices of the node past quota and device plugin, where the container runtime obeys it",
                f"{tenant} -> {pod} -> {way.partition('=')[0]} -> every GPU of its node, other tenants' included",
                "have the runtime ignore it (accept-nvidia-visible-devices-envvar-when-unprivileged = false, devices "
                "by the device plugin or DRA only), and refuse it by admission",
                GPU,
                [tenant],
            ),
            frozenset({tenant}),
            scene.everybody,
            sure=False,
        )


def _environment(scene: Scene, namespace: str, container: Mapping[str, Any]) -> Mapping[str, str]:
    """Return a container's variables as far as manifests say them, those of ConfigMaps included."""
    found: dict[str, str] = {}
    for source in mappings(container.get("envFrom")):
        name = scalar_text(mapping(source.get("configMapRef")).get("name"))
        settings = scene.objects.get("", "ConfigMap", namespace, name) if name else None
        prefix = scalar_text(source.get("prefix"))
        for key, text in mapping(settings.data.get("data")).items() if settings else ():
            found[f"{prefix}{key}"] = scalar_text(text)
    for entry in mappings(container.get("env")):
        name, value = scalar_text(entry.get("name")), scalar_text(entry.get("value"))
        wanted = mapping(mapping(entry.get("valueFrom")).get("configMapKeyRef"))
        settings = scene.objects.get("", "ConfigMap", namespace, scalar_text(wanted.get("name"))) if wanted else None
        if settings is not None:
            value = scalar_text(mapping(settings.data.get("data")).get(scalar_text(wanted.get("key"))))
        found[name] = value
    return found
