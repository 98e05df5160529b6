"""Containers of a pod: resources, ports, environment, mounts, probes, security context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tenancykit.manifests.checks import words
from tenancykit.manifests.checks.report import Report, each, items, mapping

_PULL: Final = ("Always", "IfNotPresent", "Never")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
_MOST_ID: Final = 2**31 - 1
_FIELDS: Final = (
    "metadata.name",
    "metadata.namespace",
    "metadata.labels",
    "metadata.annotations",
    "metadata.uid",
    "spec.nodeName",
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


def container(
    path: str, value: Mapping[str, Any], volumes: frozenset[str], claims: frozenset[str], report: Report
) -> None:
    """Check one container of any kind."""
    if report.required(f"{path}.name", value.get("name")):
        report.text(f"{path}.name", value["name"], words.dns_label)
    image = value.get("image")
    if not image:
        report.add(f"{path}.image", "is required")
    elif image != image.strip():
        report.add(f"{path}.image", "must not have leading or trailing whitespace")
    report.choice(f"{path}.imagePullPolicy", value.get("imagePullPolicy"), _PULL)
    report.choice(
        f"{path}.terminationMessagePolicy", value.get("terminationMessagePolicy"), ("File", "FallbackToLogsOnError")
    )
    resources(f"{path}.resources", value.get("resources"), report, claims)
    _ports(path, value, report)
    _environment(path, value, report)
    _mounts(path, value, volumes, report)
    _lifecycle(path, value, report)
    security_context(f"{path}.securityContext", value.get("securityContext"), report)


def resources(path: str, value: Any, report: Report, claims: frozenset[str] = frozenset()) -> None:
    """Check requests and limits: known names, readable amounts, requests within limits, whole devices."""
    found = mapping(value)
    limits, requests = mapping(found.get("limits")), mapping(found.get("requests"))
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            _amount(f"{path}.{kind}[{name}]", name, amount, report)
    for name, amount in requests.items():
        _within(path, name, amount, limits, report)
    for name in limits:
        if words.is_huge_pages(name) and not ({"cpu", "memory"} & {*limits, *requests}):
            report.add(path, "huge pages need cpu or memory beside them")
    seen: list[tuple[Any, Any]] = []
    for place, claim in each(f"{path}.claims", found.get("claims")):
        if claim.get("name") not in claims:
            report.add(f"{place}.name", f"{claim.get('name')!r} is not among the pod's resourceClaims")
        seen.append((claim.get("name"), claim.get("request")))
    report.unique(f"{path}.claims", seen)


def _amount(path: str, name: str, amount: Any, report: Report) -> None:
    report.text(path, name, words.container_resource)
    value = words.quantity(amount)
    if value is None:
        report.add(path, f"{amount!r} is not a quantity")
        return
    if value < 0:
        report.add(path, f"{amount!r} must be at least 0")
    if (words.is_extended_resource(name) or words.is_huge_pages(name)) and value != int(value):
        report.add(path, f"{amount!r} must be an integer")


def _within(path: str, name: str, amount: Any, limits: Mapping[str, Any], report: Report) -> None:
    value = words.quantity(amount)
    if name not in limits:
        if words.is_extended_resource(name) or words.is_huge_pages(name):
            report.add(f"{path}.limits[{name}]", "must be set: the resource cannot be overcommitted")
        return
    limit = words.quantity(limits[name])
    if value is None or limit is None:
        return
    if (words.is_extended_resource(name) or words.is_huge_pages(name)) and value != limit:
        report.add(f"{path}.requests[{name}]", f"must equal its limit of {limits[name]}")
    elif value > limit:
        report.add(f"{path}.requests[{name}]", f"must be at most its limit of {limits[name]}")


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


def _environment(path: str, value: Mapping[str, Any], report: Report) -> None:
    for place, entry in each(f"{path}.env", value.get("env")):
        if report.required(f"{place}.name", entry.get("name")):
            report.text(f"{place}.name", entry["name"], words.environment_name)
        source = entry.get("valueFrom")
        if source is not None:
            if entry.get("value"):
                report.add(f"{place}.valueFrom", "may not be given beside value")
            _source(f"{place}.valueFrom", mapping(source), report)
    for place, entry in each(f"{path}.envFrom", value.get("envFrom")):
        chosen = [key for key in ("configMapRef", "secretRef") if entry.get(key)]
        if len(chosen) != 1:
            report.add(place, "must have exactly one of configMapRef and secretRef")
        for key in chosen:
            report.required(f"{place}.{key}.name", mapping(entry[key]).get("name"))


def _source(path: str, source: Mapping[str, Any], report: Report) -> None:
    keys = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
    chosen = [key for key in keys if source.get(key)]
    if len(chosen) != 1:
        report.add(path, f"must have exactly one of {', '.join(keys)}")
    field = mapping(source.get("fieldRef"))
    if field:
        field_path(f"{path}.fieldRef.fieldPath", field.get("fieldPath"), report)
    resource = mapping(source.get("resourceFieldRef"))
    if resource and resource.get("resource") not in _RESOURCE_FIELDS:
        name = str(resource.get("resource") or "")
        if not name.partition(".")[2].startswith("hugepages-"):
            report.add(f"{path}.resourceFieldRef.resource", f"{name!r} is not one of {', '.join(_RESOURCE_FIELDS)}")
    for key in ("configMapKeyRef", "secretKeyRef"):
        if source.get(key):
            report.required(f"{path}.{key}.name", mapping(source[key]).get("name"))
            if report.required(f"{path}.{key}.key", mapping(source[key]).get("key")):
                report.text(f"{path}.{key}.key", mapping(source[key])["key"], words.config_key)


def field_path(path: str, value: Any, report: Report) -> None:
    """Check a reference to a field of the pod."""
    text = str(value or "")
    base, bracket, _ = text.partition("[")
    if bracket and base in ("metadata.labels", "metadata.annotations"):
        return
    if text not in _FIELDS or base in ("metadata.labels", "metadata.annotations"):
        report.add(path, f"{text!r} is not a field a pod can read")


def _mounts(path: str, value: Mapping[str, Any], volumes: frozenset[str], report: Report) -> None:
    paths: list[str] = []
    for place, mount in each(f"{path}.volumeMounts", value.get("volumeMounts")):
        if mount.get("name") not in volumes:
            report.add(f"{place}.name", f"{mount.get('name')!r} is not a volume of the pod")
        if report.required(f"{place}.mountPath", mount.get("mountPath")):
            paths.append(mount["mountPath"])
        inner = str(mount.get("subPath") or "")
        if inner.startswith("/") or ".." in inner.split("/"):
            report.add(f"{place}.subPath", "must be a relative path without '..'")
        if inner and mount.get("subPathExpr"):
            report.add(f"{place}.subPathExpr", "may not be given beside subPath")
        report.choice(
            f"{place}.mountPropagation", mount.get("mountPropagation"), ("None", "HostToContainer", "Bidirectional")
        )
        privileged = mapping(value.get("securityContext")).get("privileged")
        if mount.get("mountPropagation") == "Bidirectional" and not privileged:
            report.add(f"{place}.mountPropagation", "Bidirectional needs a privileged container")
    report.unique(f"{path}.volumeMounts", paths, ".mountPath")


def _lifecycle(path: str, value: Mapping[str, Any], report: Report) -> None:
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if value.get(name):
            probe(f"{path}.{name}", mapping(value[name]), report, once=name != "readinessProbe")
    for hook in ("postStart", "preStop"):
        handler = mapping(value.get("lifecycle")).get(hook)
        if handler is not None:
            chosen = [k for k in ("exec", "httpGet", "tcpSocket", "sleep") if mapping(handler).get(k) is not None]
            if len(chosen) != 1:
                report.add(f"{path}.lifecycle.{hook}", "must have exactly one handler")


def probe(path: str, value: Mapping[str, Any], report: Report, *, once: bool) -> None:
    """Check a probe: one handler, sensible numbers."""
    chosen = [key for key in _HANDLERS if value.get(key) is not None]
    if len(chosen) != 1:
        report.add(path, f"must have exactly one of {', '.join(_HANDLERS)}")
    _handlers(path, value, report)
    for field in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        report.at_least(f"{path}.{field}", value.get(field), 0)
    if once and value.get("successThreshold") not in (None, 0, 1):
        report.add(f"{path}.successThreshold", "must be 1")
    grace = value.get("terminationGracePeriodSeconds")
    if grace is not None:
        if not once:
            report.add(f"{path}.terminationGracePeriodSeconds", "may not be set on a readiness probe")
        report.at_least(f"{path}.terminationGracePeriodSeconds", grace, 1)


def _handlers(path: str, value: Mapping[str, Any], report: Report) -> None:
    for key in ("httpGet", "tcpSocket", "grpc"):
        if value.get(key) is not None:
            port = mapping(value[key]).get("port")
            if isinstance(port, str):
                report.text(f"{path}.{key}.port", port, words.port_name)
            else:
                report.between(f"{path}.{key}.port", port or 0, 1, 65535)
    if value.get("httpGet") is not None:
        report.choice(f"{path}.httpGet.scheme", mapping(value["httpGet"]).get("scheme"), ("HTTP", "HTTPS"))
    if value.get("exec") is not None and not items(mapping(value["exec"]).get("command")):
        report.add(f"{path}.exec.command", "is required")


def security_context(path: str, value: Any, report: Report) -> None:
    """Check a security context of a container or pod."""
    found = mapping(value)
    for field in ("runAsUser", "runAsGroup", "fsGroup"):
        report.between(f"{path}.{field}", found.get(field), 0, _MOST_ID)
    for index, group in enumerate(items(found.get("supplementalGroups"))):
        report.between(f"{path}.supplementalGroups[{index}]", group, 0, _MOST_ID)
    report.choice(f"{path}.fsGroupChangePolicy", found.get("fsGroupChangePolicy"), ("OnRootMismatch", "Always"))
    report.choice(f"{path}.seLinuxChangePolicy", found.get("seLinuxChangePolicy"), ("Recursive",))
    report.choice(f"{path}.procMount", found.get("procMount"), ("Default", "Unmasked"))
    escalates = found.get("allowPrivilegeEscalation")
    added = items(mapping(found.get("capabilities")).get("add"))
    if escalates is False and found.get("privileged"):
        report.add(f"{path}.allowPrivilegeEscalation", "cannot be false for a privileged container")
    if escalates is False and ("CAP_SYS_ADMIN" in added):
        report.add(f"{path}.allowPrivilegeEscalation", "cannot be false beside CAP_SYS_ADMIN")
    for name in ("seccompProfile", "appArmorProfile"):
        _profile(f"{path}.{name}", found.get(name), report)


def _profile(path: str, value: Any, report: Report) -> None:
    if value is None:
        return
    profile = mapping(value)
    report.choice(f"{path}.type", profile.get("type"), ("Localhost", "RuntimeDefault", "Unconfined"), optional=False)
    local = profile.get("localhostProfile")
    if profile.get("type") == "Localhost":
        report.required(f"{path}.localhostProfile", local)
        if isinstance(local, str) and (local.startswith("/") or ".." in local.split("/")):
            report.add(f"{path}.localhostProfile", "must be a relative path without '..'")
    elif local:
        report.add(f"{path}.localhostProfile", "may only be set when type is Localhost")
