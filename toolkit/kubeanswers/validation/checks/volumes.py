"""Volumes of a pod and PersistentVolumeClaims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.metadata import embedded, selector
from kubeanswers.validation.checks.projections import downward, keys_to_paths, projected
from kubeanswers.validation.checks.report import Report, each, items, mapping

_HOST_PATHS: Final = (
    "DirectoryOrCreate",
    "Directory",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
)


def volumes(path: str, spec: Mapping[str, Any], report: Report) -> dict[str, str]:
    """Check a pod's volumes; return the kind of each by name, empty for an empty directory by default."""
    names: list[str] = []
    kinds: dict[str, str] = {}
    for place, volume in each(f"{path}.volumes", spec.get("volumes")):
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        if report.required(f"{place}.name", volume.get("name")):
            report.text(f"{place}.name", volume["name"], words.dns_label)
            names.append(volume["name"])
            kinds[volume["name"]] = sources[0] if sources else ""
        if len(sources) > 1:
            report.add(place, "may not have more than one volume type")
        elif sources:  # a volume without a type is an empty directory
            volume_source(f"{place}.{sources[0]}", sources[0], mapping(volume[sources[0]]), report)
    report.unique(f"{path}.volumes", names, ".name")
    return kinds


_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "awsElasticBlockStore": ("volumeID",),
    "azureDisk": ("diskName", "diskURI"),
    "azureFile": ("secretName", "shareName"),
    "cephfs": ("monitors",),
    "cinder": ("volumeID",),
    "configMap": ("name",),
    "csi": ("driver",),
    "flexVolume": ("driver",),
    "gcePersistentDisk": ("pdName",),
    "gitRepo": ("repository",),
    "glusterfs": ("endpoints", "path"),
    "hostPath": ("path",),
    "image": ("reference",),
    "iscsi": ("targetPortal", "iqn"),
    "local": ("path",),
    "nfs": ("server", "path"),
    "persistentVolumeClaim": ("claimName",),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "quobyte": ("registry", "volume"),
    "rbd": ("monitors", "image"),
    "secret": ("secretName",),
    "vsphereVolume": ("volumePath",),
}


def volume_source(path: str, kind: str, value: Mapping[str, Any], report: Report) -> None:
    """Check one source of a volume of some kind."""
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
    downward(f"{path}.items", value.get("items"), report)


def _nfs(path: str, value: Mapping[str, Any], report: Report) -> None:
    if not str(value.get("path") or "").startswith("/"):
        report.add(f"{path}.path", "must be an absolute path")


def _git(path: str, value: Mapping[str, Any], report: Report) -> None:
    report.text(f"{path}.directory", value.get("directory"), words.descending_path)


def _csi(path: str, value: Mapping[str, Any], report: Report) -> None:
    report.text(f"{path}.driver", value.get("driver") or None, driver_name)
    reference = value.get("nodePublishSecretRef")
    if reference is not None:
        report.required(f"{path}.nodePublishSecretRef.name", mapping(reference).get("name"))


def driver_name(text: str) -> str:
    """Return what is wrong with the name of a CSI driver, or an empty string."""
    return words.dns_subdomain(text.lower()) or ("must be no more than 63 characters" if len(text) > 63 else "")


def _iscsi(path: str, value: Mapping[str, Any], report: Report) -> None:
    report.between(f"{path}.lun", value.get("lun"), 0, 255)
    if not str(value.get("iqn") or "").startswith(("iqn", "eui", "naa")):
        report.add(f"{path}.iqn", "must start with iqn, eui or naa")


def _fibre(path: str, value: Mapping[str, Any], report: Report) -> None:
    targets, ids = items(value.get("targetWWNs")), items(value.get("wwids"))
    if bool(targets) == bool(ids):
        report.add(path, "must have exactly one of targetWWNs and wwids")
    if targets and value.get("lun") is None:
        report.add(f"{path}.lun", "is required beside targetWWNs")
    report.between(f"{path}.lun", value.get("lun"), 0, 255)


def _partition(path: str, value: Mapping[str, Any], report: Report) -> None:
    report.between(f"{path}.partition", value.get("partition"), 0, 255)


def _image(path: str, value: Mapping[str, Any], report: Report) -> None:
    report.choice(f"{path}.pullPolicy", value.get("pullPolicy"), ("Always", "IfNotPresent", "Never"))


def _azure_disk(path: str, value: Mapping[str, Any], report: Report) -> None:
    report.choice(f"{path}.kind", value.get("kind"), ("Shared", "Dedicated", "Managed"))
    report.choice(f"{path}.cachingMode", value.get("cachingMode"), ("None", "ReadOnly", "ReadWrite"))
    start = "/subscriptions/" if value.get("kind") == "Managed" else "https://"
    if not str(value.get("diskURI") or "").startswith(start):
        report.add(f"{path}.diskURI", f"must start with {start}")


def _ephemeral(path: str, value: Mapping[str, Any], report: Report) -> None:
    if value.get("volumeClaimTemplate") is None:
        report.add(f"{path}.volumeClaimTemplate", "is required")
        return
    embedded(f"{path}.volumeClaimTemplate.metadata", mapping(value["volumeClaimTemplate"]).get("metadata"), report)
    claim = mapping(mapping(value["volumeClaimTemplate"]).get("spec"))
    claim_spec(f"{path}.volumeClaimTemplate.spec", claim, report)


def _projections(path: str, value: Mapping[str, Any], report: Report) -> None:
    keys_to_paths(f"{path}.items", value.get("items"), report)


ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def claim_spec(path: str, spec: Mapping[str, Any], report: Report) -> None:
    """Check the specification of a PersistentVolumeClaim."""
    modes = items(spec.get("accessModes"))
    if not modes:
        report.add(f"{path}.accessModes", "at least one is required")
    for index, mode in enumerate(modes):
        report.choice(f"{path}.accessModes[{index}]", mode, ACCESS_MODES, optional=False)
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
    for name, amount in requests.items():
        claimed = words.quantity(amount)
        if name != "storage" and (claimed is None or claimed < 0):
            report.add(f"{path}.resources.requests[{name}]", f"{amount!r} must be a quantity of at least 0")
    for name, amount in mapping(mapping(spec.get("resources")).get("limits")).items():
        if words.quantity(amount) is None:
            report.add(f"{path}.resources.limits[{name}]", f"{amount!r} is not a quantity")
    report.text(f"{path}.volumeAttributesClassName", spec.get("volumeAttributesClassName") or None, words.dns_subdomain)
    _data_sources(path, spec, report)


def _data_sources(path: str, spec: Mapping[str, Any], report: Report) -> None:
    """Check where a claim's data comes from; a ``dataSource`` of another kind is dropped before anything is checked."""
    first, second = mapping(spec.get("dataSource")), mapping(spec.get("dataSourceRef"))
    if (first.get("apiGroup") or "", first.get("kind")) not in _DATA_SOURCES:
        first = {}
    for field, source in (("dataSource", first), ("dataSourceRef", second)):
        if spec.get(field) is None or not source:
            continue
        for key in ("kind", "name"):
            report.required(f"{path}.{field}.{key}", source.get(key))
        if not source.get("apiGroup") and source.get("kind") != "PersistentVolumeClaim":
            report.add(f"{path}.{field}.kind", "must be PersistentVolumeClaim where no apiGroup is given")
    if first and second and any(first.get(key) != second.get(key) for key in ("apiGroup", "kind", "name")):
        report.add(path, "dataSource and dataSourceRef must name the same where both are given")


_DATA_SOURCES: Final = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


_VOLUME_CHECKS: Final[Mapping[str, Callable[[str, Mapping[str, Any], Report], None]]] = {
    "awsElasticBlockStore": _partition,
    "azureDisk": _azure_disk,
    "configMap": _projections,
    "csi": _csi,
    "downwardAPI": _downward,
    "emptyDir": _empty_dir,
    "ephemeral": _ephemeral,
    "fc": _fibre,
    "gcePersistentDisk": _partition,
    "gitRepo": _git,
    "hostPath": _host_path,
    "image": _image,
    "iscsi": _iscsi,
    "nfs": _nfs,
    "projected": projected,
    "secret": _projections,
}
