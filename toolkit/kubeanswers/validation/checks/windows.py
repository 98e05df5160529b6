"""Rules of pods that run on Windows or as its host processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.validation.checks.report import Report, each, mapping

_POD_FORBIDDEN: Final = (
    "seLinuxOptions",
    "seccompProfile",
    "appArmorProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
)
_CONTAINER_FORBIDDEN: Final = (
    "seLinuxOptions",
    "seccompProfile",
    "appArmorProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)
_HOST_FORBIDDEN: Final = ("hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")


def windows(path: str, spec: Mapping[str, Any], report: Report) -> None:
    """Check host processes, and what a pod for the other operating system must not set."""
    pod = mapping(spec.get("securityContext"))
    containers = list(_containers(path, spec))
    _host_processes(path, spec, pod, containers, report)
    system = mapping(spec.get("os")).get("name")
    if system == "windows":
        _forbidden(path, spec, pod, containers, report)
    elif system == "linux":
        for place, context in [(f"{path}.securityContext", pod), *containers]:
            if context.get("windowsOptions") is not None:
                report.add(f"{place}.windowsOptions", "cannot be set for a linux pod")


def _forbidden(
    path: str,
    spec: Mapping[str, Any],
    pod: Mapping[str, Any],
    containers: list[tuple[str, Mapping[str, Any]]],
    report: Report,
) -> None:
    for field in _POD_FORBIDDEN:
        if pod.get(field) is not None:
            report.add(f"{path}.securityContext.{field}", "cannot be set for a windows pod")
    for field in _HOST_FORBIDDEN:
        if spec.get(field) not in (None, False) or (field == "hostUsers" and spec.get(field) is not None):
            report.add(f"{path}.{field}", "cannot be set for a windows pod")
    for place, context in containers:
        for field in _CONTAINER_FORBIDDEN:
            if context.get(field) is not None:
                report.add(f"{place}.{field}", "cannot be set for a windows pod")


def _containers(path: str, spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for group in ("initContainers", "containers"):
        for place, one in each(f"{path}.{group}", spec.get(group)):
            yield f"{place}.securityContext", mapping(one.get("securityContext"))


def _host_processes(
    path: str,
    spec: Mapping[str, Any],
    pod: Mapping[str, Any],
    containers: list[tuple[str, Mapping[str, Any]]],
    report: Report,
) -> None:
    whole = mapping(pod.get("windowsOptions")).get("hostProcess")
    own = [mapping(context.get("windowsOptions")).get("hostProcess") for _, context in containers]
    if whole is not None:
        for (place, _), value in zip(containers, own, strict=True):
            if value is not None and value != whole:
                report.add(f"{place}.windowsOptions.hostProcess", "must be the same for the pod and its containers")
    flags = [whole if value is None else value for value in own]
    if not any(flags):
        return
    if not all(flags):
        report.add(path, "if one container is a host process, all must be")
    if not spec.get("hostNetwork"):
        report.add(f"{path}.hostNetwork", "must be true for host processes")
