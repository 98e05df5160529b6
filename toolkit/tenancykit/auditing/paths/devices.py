"""Devices past quota and allocation: DRA claims with admin access, device variables the container runtime obeys.

Sources: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#admin-access,
https://github.com/NVIDIA/k8s-device-plugin/issues/87 and the NVIDIA container toolkit's
``accept-nvidia-visible-devices-envvar-when-unprivileged``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text
from kubeanswers.pods import PodView, pods_of
from tenancykit.auditing.findings import Severity
from tenancykit.auditing.paths.model import GPU, Path, Scene, finding

ADMIN_LABELS: Final = ("resource.kubernetes.io/admin-access", "resource.k8s.io/admin-access")
_VARIABLES: Final = (
    "NVIDIA_VISIBLE_DEVICES",
    "AMD_VISIBLE_DEVICES",
    "HABANA_VISIBLE_DEVICES",
    "ASCEND_VISIBLE_DEVICES",
    "INTEL_VISIBLE_DEVICES",
)
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


def _variables(scene: Scene, pod: PodView, tenant: str) -> Iterator[Path]:
    containers = (*mappings(pod.spec.get("initContainers")), *mappings(pod.spec.get("containers")))
    for container in containers:
        for name, value in _environment(scene, pod.namespace, container).items():
            if name in _VARIABLES and value not in _HARMLESS:
                yield Path(
                    finding(
                        "device-open",
                        Severity.HIGH,
                        pod.source,
                        f"{name}={value} reaches devices of the node past quota and device plugin, where the "
                        "container runtime obeys it",
                        f"{tenant} -> {pod} -> {name} -> every GPU of its node, other tenants' included",
                        "have the runtime ignore it (accept-nvidia-visible-devices-envvar-when-unprivileged = "
                        "false, devices as volume mounts or CDI), and refuse it by admission",
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
