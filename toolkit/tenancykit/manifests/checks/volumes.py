"""Volumes of a pod and PersistentVolumeClaims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tenancykit.manifests.checks import words
from tenancykit.manifests.checks.metadata import selector
from tenancykit.manifests.checks.report import Report, each, items, mapping

_VOLUME_FIELDS: Final = (
    "metadata.name",
    "metadata.namespace",
    "metadata.labels",
    "metadata.annotations",
    "metadata.uid",
)
_HOST_PATHS: Final = (
    "DirectoryOrCreate",
    "Directory",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
)


def volumes(path: str, spec: Mapping[str, Any], report: Report) -> frozenset[str]:
    """Check a pod's volumes; return their names."""
    names: list[str] = []
    for place, volume in each(f"{path}.volumes", spec.get("volumes")):
        if report.required(f"{place}.name", volume.get("name")):
            report.text(f"{place}.name", volume["name"], words.dns_label)
            names.append(volume["name"])
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        if len(sources) > 1:
            report.add(place, "may not have more than one volume type")
        elif sources:  # a volume without a type is an empty directory
            _volume(f"{place}.{sources[0]}", sources[0], mapping(volume[sources[0]]), report)
    report.unique(f"{path}.volumes", names, ".name")
    return frozenset(names)


_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "hostPath": ("path",),
    "secret": ("secretName",),
    "configMap": ("name",),
    "persistentVolumeClaim": ("claimName",),
    "csi": ("driver",),
    "nfs": ("server", "path"),
}


def _volume(path: str, kind: str, value: Mapping[str, Any], report: Report) -> None:
    for field in _NEEDED.get(kind, ()):
        report.required(f"{path}.{field}", value.get(field))
    report.between(f"{path}.defaultMode", value.get("defaultMode"), 0, 0o777)
    check = _VOLUME_CHECKS.get(kind)
    if check is not None:
        check(path, value, report)


def _host_path(path: str, value: Mapping[str, Any], report: Report) -> None:
    report.choice(f"{path}.type", value.get("type"), _HOST_PATHS)
    if ".." in str(value.get("path") or "").split("/"):
        report.add(f"{path}.path", "must not contain '..'")


def _empty_dir(path: str, value: Mapping[str, Any], report: Report) -> None:
    size = words.quantity(value.get("sizeLimit") or 0)
    if size is None or size < 0:
        report.add(f"{path}.sizeLimit", "must be a quantity of at least 0")


def _downward(path: str, value: Mapping[str, Any], report: Report) -> None:
    for place, item in each(f"{path}.items", value.get("items")):
        if not item.get("fieldRef"):
            continue
        text = str(mapping(item["fieldRef"]).get("fieldPath") or "")
        if text not in _VOLUME_FIELDS and not text.startswith(("metadata.labels[", "metadata.annotations[")):
            report.add(f"{place}.fieldRef.fieldPath", f"{text!r} is not a field a volume can hold")


def _azure_disk(path: str, value: Mapping[str, Any], report: Report) -> None:
    start = "/subscriptions/" if value.get("kind") == "Managed" else "https://"
    if not str(value.get("diskURI") or "").startswith(start):
        report.add(f"{path}.diskURI", f"must start with {start}")


def _ephemeral(path: str, value: Mapping[str, Any], report: Report) -> None:
    claim = mapping(mapping(value.get("volumeClaimTemplate")).get("spec"))
    claim_spec(f"{path}.volumeClaimTemplate.spec", claim, report)


def _projections(path: str, value: Mapping[str, Any], report: Report) -> None:
    for place, item in each(f"{path}.items", value.get("items")):
        report.required(f"{place}.key", item.get("key"))
        inner = str(item.get("path") or "")
        if not inner or inner.startswith("/") or ".." in inner.split("/"):
            report.add(f"{place}.path", "must be a relative path without '..'")


_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def claim_spec(path: str, spec: Mapping[str, Any], report: Report) -> None:
    """Check the specification of a PersistentVolumeClaim."""
    modes = items(spec.get("accessModes"))
    if not modes:
        report.add(f"{path}.accessModes", "at least one is required")
    for index, mode in enumerate(modes):
        report.choice(f"{path}.accessModes[{index}]", mode, _MODES, optional=False)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        report.add(f"{path}.accessModes", "ReadWriteOncePod excludes other access modes")
    requests = mapping(mapping(spec.get("resources")).get("requests"))
    if "storage" not in requests:
        report.add(f"{path}.resources.requests[storage]", "is required")
    else:
        size = words.quantity(requests["storage"])
        if size is None or size <= 0:
            report.add(f"{path}.resources.requests[storage]", "must be a quantity above zero")
    report.text(f"{path}.storageClassName", spec.get("storageClassName") or None, words.dns_subdomain)
    report.choice(f"{path}.volumeMode", spec.get("volumeMode"), ("Block", "Filesystem"))
    selector(f"{path}.selector", spec.get("selector"), report)


_VOLUME_CHECKS: Final[Mapping[str, Callable[[str, Mapping[str, Any], Report], None]]] = {
    "azureDisk": _azure_disk,
    "configMap": _projections,
    "downwardAPI": _downward,
    "emptyDir": _empty_dir,
    "ephemeral": _ephemeral,
    "hostPath": _host_path,
    "secret": _projections,
}
