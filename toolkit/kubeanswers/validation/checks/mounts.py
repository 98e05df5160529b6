"""Where a container mounts volumes and maps block devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.report import Report, each, mapping

_PROPAGATIONS: Final = ("None", "HostToContainer", "Bidirectional")
_RECURSIVE: Final = ("Disabled", "IfPossible", "Enabled")


def mounts(path: str, value: Mapping[str, Any], volumes: Mapping[str, str], report: Report) -> None:
    """Check a container's mounts and devices against the pod's volumes (their kind by name)."""
    paths: list[str] = []
    devices = [one for _, one in each("", value.get("volumeDevices"))]
    for place, mount in each(f"{path}.volumeMounts", value.get("volumeMounts")):
        if mount.get("name") not in volumes:
            report.add(f"{place}.name", f"{mount.get('name')!r} is not a volume of the pod")
        if report.required(f"{place}.mountPath", mount.get("mountPath")):
            paths.append(mount["mountPath"])
        if any(mount.get("name") == one.get("name") for one in devices):
            report.add(f"{place}.name", "is among volumeDevices too")
        if any(mount.get("mountPath") == one.get("devicePath") for one in devices):
            report.add(f"{place}.mountPath", "is a path of volumeDevices too")
        _inner_paths(place, mount, report)
        _propagation(place, mount, value, report)
    report.unique(f"{path}.volumeMounts", paths, ".mountPath")
    _devices(f"{path}.volumeDevices", value.get("volumeDevices"), volumes, report)


def _inner_paths(place: str, mount: Mapping[str, Any], report: Report) -> None:
    for field in ("subPath", "subPathExpr"):
        report.text(f"{place}.{field}", mount.get(field) or None, words.descending_path)
    if mount.get("subPath") and mount.get("subPathExpr"):
        report.add(f"{place}.subPathExpr", "may not be given beside subPath")


def _propagation(place: str, mount: Mapping[str, Any], container: Mapping[str, Any], report: Report) -> None:
    mode = mount.get("mountPropagation")
    if mode is not None:
        report.choice(f"{place}.mountPropagation", mode, _PROPAGATIONS, optional=False)
    if mode == "Bidirectional" and not mapping(container.get("securityContext")).get("privileged"):
        report.add(f"{place}.mountPropagation", "Bidirectional needs a privileged container")
    recursive = mount.get("recursiveReadOnly")
    if recursive is None:
        return
    report.choice(f"{place}.recursiveReadOnly", recursive, _RECURSIVE, optional=False)
    if recursive in ("IfPossible", "Enabled"):
        if not mount.get("readOnly"):
            report.add(f"{place}.recursiveReadOnly", "may only be given where readOnly is true")
        if mode not in (None, "None"):
            report.add(f"{place}.recursiveReadOnly", "may only be given where mountPropagation is None")


def _devices(path: str, value: Any, volumes: Mapping[str, str], report: Report) -> None:
    names, paths = [], []
    for place, one in each(path, value):
        name, where = str(one.get("name") or ""), str(one.get("devicePath") or "")
        if name not in volumes:
            report.add(f"{place}.name", f"{name!r} is not a volume of the pod")
        elif volumes[name] not in ("persistentVolumeClaim", "ephemeral"):
            report.add(f"{place}.name", "must be a volume of a PersistentVolumeClaim")
        report.required(f"{place}.devicePath", where)
        report.text(f"{place}.devicePath", where, words.no_backsteps)
        names.append(name)
        paths.append(where)
    report.unique(path, names, ".name")
    report.unique(path, paths, ".devicePath")
