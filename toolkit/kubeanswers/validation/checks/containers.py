"""Containers of a pod: image, ports and environment; the rest stands in modules of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.mounts import mounts
from kubeanswers.validation.checks.report import Report, each, mapping
from kubeanswers.validation.checks.resources import resources
from kubeanswers.validation.checks.security import security_context

_PULL: Final = ("Always", "IfNotPresent", "Never")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_FIELDS: Final = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.host",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_RESOURCE_FIELDS: Final = (
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
)
_SUBSCRIPT: Final = re.compile(r"(.+?)\['(.*)'\]", re.DOTALL)
_CPU_DIVISORS: Final = (Decimal("0.001"), Decimal(1))
_BYTE_DIVISORS: Final = (
    *(Decimal(1000) ** power for power in range(7)),
    *(Decimal(1024) ** power for power in range(1, 7)),
)


def container(
    path: str, value: Mapping[str, Any], volumes: Mapping[str, str], claims: frozenset[str], report: Report
) -> None:
    """Check one container of any kind against the pod's volumes (their kind by name) and device claims."""
    if report.required(f"{path}.name", value.get("name")):
        report.text(f"{path}.name", value["name"], words.dns_label)
    report.required(f"{path}.image", value.get("image"))
    report.choice(f"{path}.imagePullPolicy", value.get("imagePullPolicy"), _PULL)
    report.choice(
        f"{path}.terminationMessagePolicy", value.get("terminationMessagePolicy"), ("File", "FallbackToLogsOnError")
    )
    resources(f"{path}.resources", value.get("resources"), report, claims)
    _ports(path, value, report)
    _environment(path, value, volumes, report)
    mounts(path, value, volumes, report)
    security_context(f"{path}.securityContext", value.get("securityContext"), report)


def _ports(path: str, value: Mapping[str, Any], report: Report) -> None:
    names: list[str] = []
    for place, port in each(f"{path}.ports", value.get("ports")):
        if port.get("name"):
            report.text(f"{place}.name", port["name"], words.port_name)
            names.append(port["name"])
        number = port.get("containerPort")
        if not number:
            report.add(f"{place}.containerPort", "is required")
        report.between(f"{place}.containerPort", number, 1, 65535)
        if port.get("hostPort"):
            report.between(f"{place}.hostPort", port["hostPort"], 1, 65535)
        report.choice(f"{place}.protocol", port.get("protocol"), _PROTOCOLS)
    report.unique(f"{path}.ports", names, ".name")


def _environment(path: str, value: Mapping[str, Any], volumes: Mapping[str, str], report: Report) -> None:
    for place, entry in each(f"{path}.env", value.get("env")):
        if report.required(f"{place}.name", entry.get("name")):
            report.text(f"{place}.name", entry["name"], words.environment_name)
        source = entry.get("valueFrom")
        if source is not None:
            if entry.get("value"):
                report.add(f"{place}.valueFrom", "may not be given beside value")
            _source(f"{place}.valueFrom", mapping(source), volumes, report)
    for place, entry in each(f"{path}.envFrom", value.get("envFrom")):
        report.text(f"{place}.prefix", entry.get("prefix") or None, words.environment_name)
        chosen = [key for key in ("configMapRef", "secretRef") if entry.get(key) is not None]
        if len(chosen) != 1:
            report.add(place, "must have exactly one of configMapRef and secretRef")
        for key in chosen:
            if report.required(f"{place}.{key}.name", mapping(entry[key]).get("name")):
                report.text(f"{place}.{key}.name", mapping(entry[key])["name"], words.dns_subdomain)


def _source(path: str, source: Mapping[str, Any], volumes: Mapping[str, str], report: Report) -> None:
    keys = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
    chosen = [key for key in keys if source.get(key) is not None]
    if len(chosen) != 1:
        report.add(path, f"must have exactly one of {', '.join(keys)}")
    if source.get("fieldRef") is not None:
        field_path(f"{path}.fieldRef", mapping(source["fieldRef"]), _FIELDS, report)
    if source.get("resourceFieldRef") is not None:
        resource_field(f"{path}.resourceFieldRef", mapping(source["resourceFieldRef"]), report)
    for key in ("configMapKeyRef", "secretKeyRef"):
        if source.get(key) is not None:
            found = mapping(source[key])
            report.text(f"{path}.{key}.name", found.get("name") or "", words.dns_subdomain)
            if report.required(f"{path}.{key}.key", found.get("key")):
                report.text(f"{path}.{key}.key", found["key"], words.config_key)
    if source.get("fileKeyRef") is not None:
        _file_key(f"{path}.fileKeyRef", mapping(source["fileKeyRef"]), volumes, report)


def _file_key(path: str, value: Mapping[str, Any], volumes: Mapping[str, str], report: Report) -> None:
    if report.required(f"{path}.key", value.get("key")):
        report.text(f"{path}.key", value["key"], words.environment_name)
    if report.required(f"{path}.path", value.get("path")):
        report.text(f"{path}.path", value["path"], words.projected_path)
    kind = volumes.get(str(value.get("volumeName")))
    if kind not in ("emptyDir", ""):
        report.add(f"{path}.volumeName", f"{value.get('volumeName')!r} is not an emptyDir volume of the pod")


def field_path(path: str, value: Mapping[str, Any], allowed: tuple[str, ...], report: Report) -> None:
    """Check a reference to a field of the pod."""
    if value.get("apiVersion") not in (None, "", "v1"):
        report.add(f"{path}.apiVersion", "must be v1")
    text = str(value.get("fieldPath") or "")
    subscripted = _SUBSCRIPT.fullmatch(text)
    if subscripted is None:
        if text not in allowed:
            report.add(f"{path}.fieldPath", f"{text!r} is not a field that can be read here")
    elif subscripted[1] == "metadata.labels":
        report.text(f"{path}.fieldPath", subscripted[2], words.qualified_name)
    elif subscripted[1] == "metadata.annotations":
        report.text(f"{path}.fieldPath", subscripted[2], words.caseless_name)
    else:
        report.add(f"{path}.fieldPath", f"{subscripted[1]!r} takes no key")


def resource_field(path: str, value: Mapping[str, Any], report: Report, *, named: bool = False) -> None:
    """Check a reference to a container's request or limit; in a volume the container is named."""
    if named:
        report.required(f"{path}.containerName", value.get("containerName"))
    name = str(value.get("resource") or "")
    if name not in _RESOURCE_FIELDS and not name.startswith(("limits.hugepages-", "requests.hugepages-")):
        report.add(f"{path}.resource", f"{name!r} is not one of {', '.join(_RESOURCE_FIELDS)}")
    divisor = words.quantity(value.get("divisor"))
    if divisor is None:
        report.add(f"{path}.divisor", f"{value.get('divisor')!r} is not a quantity")
    elif divisor and divisor not in (_CPU_DIVISORS if name.endswith(".cpu") else _BYTE_DIVISORS):
        report.add(f"{path}.divisor", f"{value.get('divisor')!r} cannot divide {name}")
