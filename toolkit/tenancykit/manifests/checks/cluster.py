"""Cluster-scoped kinds and plain data: priorities, runtimes, storage, devices, ConfigMaps and Secrets."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from tenancykit.manifests.checks import expressions, words
from tenancykit.manifests.checks.metadata import labels
from tenancykit.manifests.checks.placement import node_term, tolerations
from tenancykit.manifests.checks.report import Report, each, items, mapping
from tenancykit.manifests.checks.volumes import claim_spec

_MOST_PRIORITY: Final = 1_000_000_000
_SYSTEM_PRIORITIES: Final = ("system-node-critical", "system-cluster-critical")


def priority_class(obj: Mapping[str, Any], report: Report) -> None:
    """Check a PriorityClass."""
    name, value = str(mapping(obj.get("metadata")).get("name") or ""), obj.get("value") or 0
    if name.startswith("system-"):
        if name not in _SYSTEM_PRIORITIES:
            report.add("metadata.name", "names starting with 'system-' are reserved")
    elif value > _MOST_PRIORITY:
        report.add("value", f"at most {_MOST_PRIORITY} is allowed")
    report.choice("preemptionPolicy", obj.get("preemptionPolicy"), ("PreemptLowerPriority", "Never"))


def runtime_class(obj: Mapping[str, Any], report: Report) -> None:
    """Check a RuntimeClass."""
    if report.required("handler", obj.get("handler")):
        report.text("handler", obj["handler"], words.dns_label)
    for name, amount in mapping(mapping(obj.get("overhead")).get("podFixed")).items():
        path = f"overhead.podFixed[{name}]"
        report.text(path, name, words.container_resource)
        value = words.quantity(amount)
        if value is None or value < 0:
            report.add(path, f"{amount!r} must be a quantity of at least 0")
    scheduling = mapping(obj.get("scheduling"))
    labels("scheduling.nodeSelector", scheduling.get("nodeSelector"), report)
    tolerations("scheduling.tolerations", scheduling.get("tolerations"), report)
    found = [json.dumps(one, sort_keys=True) for one in items(scheduling.get("tolerations"))]
    report.unique("scheduling.tolerations", found)


def storage_class(obj: Mapping[str, Any], report: Report) -> None:
    """Check a StorageClass."""
    if report.required("provisioner", obj.get("provisioner")):
        report.text("provisioner", str(obj["provisioner"]).lower(), words.qualified_name)
    report.choice("reclaimPolicy", obj.get("reclaimPolicy"), ("Delete", "Retain"))
    report.choice("volumeBindingMode", obj.get("volumeBindingMode"), ("Immediate", "WaitForFirstConsumer"))
    parameters = mapping(obj.get("parameters"))
    if len(parameters) > 512:
        report.add("parameters", "at most 512 are allowed")
    if "" in parameters:
        report.add("parameters", "a name must not be empty")
    for place, term in each("allowedTopologies", obj.get("allowedTopologies")):
        for inner, one in each(f"{place}.matchLabelExpressions", term.get("matchLabelExpressions")):
            report.text(f"{inner}.key", one.get("key") or "", words.qualified_name)
            if not items(one.get("values")):
                report.add(f"{inner}.values", "is required")


def volume_claim(obj: Mapping[str, Any], report: Report) -> None:
    """Check a PersistentVolumeClaim."""
    claim_spec("spec", mapping(obj.get("spec")), report)


def config_map(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ConfigMap."""
    plain, binary = mapping(obj.get("data")), mapping(obj.get("binaryData"))
    for field, found in (("data", plain), ("binaryData", binary)):
        for key in found:
            report.text(f"{field}[{key}]", key, words.config_key)
    for key in plain.keys() & binary.keys():
        report.add(f"data[{key}]", "is also in binaryData")
    for key, value in binary.items():
        _base64(f"binaryData[{key}]", value, report)
    _size(plain, binary, report)


_SECRET_KEYS: Final = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def secret(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Secret; no value is put into a message."""
    data, text = mapping(obj.get("data")), mapping(obj.get("stringData"))
    for field, found in (("data", data), ("stringData", text)):
        for key in found:
            report.text(f"{field}[{key}]", key, words.config_key)
    for key, value in data.items():
        _base64(f"data[{key}]", value, report)
    kind = str(obj.get("type") or "Opaque")
    for key in _SECRET_KEYS.get(kind, ()):
        if key not in data and key not in text:
            report.add(f"data[{key}]", f"is required for type {kind}")
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & {*data, *text}:
        report.add("data", "username or password is required for type kubernetes.io/basic-auth")
    if kind == "kubernetes.io/dockerconfigjson":
        _docker(".dockerconfigjson", data, text, report)
    if kind == "kubernetes.io/dockercfg":
        _docker(".dockercfg", data, text, report)
    annotations = mapping(mapping(obj.get("metadata")).get("annotations"))
    if kind == "kubernetes.io/service-account-token":
        report.required(
            "metadata.annotations[kubernetes.io/service-account.name]",
            annotations.get("kubernetes.io/service-account.name"),
        )
    _size(data, text, report)


def _docker(key: str, data: Mapping[str, Any], text: Mapping[str, Any], report: Report) -> None:
    raw = text.get(key)
    if raw is None and key in data:
        try:
            raw = base64.b64decode(str(data[key]), validate=True).decode()
        except (binascii.Error, ValueError, UnicodeDecodeError):
            return
    if raw is None:
        return
    try:
        json.loads(raw)
    except ValueError:
        report.add(f"data[{key}]", "is not JSON")


def _base64(path: str, value: Any, report: Report) -> None:
    try:
        base64.b64decode(str(value).replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        report.add(path, "is not base64")


def _size(first: Mapping[str, Any], second: Mapping[str, Any], report: Report) -> None:
    size = sum(len(str(value).encode()) for value in (*first.values(), *second.values()))
    if size > 1024 * 1024:
        report.add("data", f"is {size} bytes; at most {1024 * 1024} are allowed")


def device_class(obj: Mapping[str, Any], report: Report) -> None:
    """Check a DeviceClass."""
    spec = mapping(obj.get("spec"))
    _device_selectors("spec.selectors", spec.get("selectors"), report)
    _device_config("spec.config", spec.get("config"), report)
    name = spec.get("extendedResourceName")
    if name is not None and not words.is_extended_resource(str(name)):
        report.add("spec.extendedResourceName", f"{name!r} must be a valid extended resource name")


def _device_selectors(path: str, value: Any, report: Report) -> None:
    if len(items(value)) > 32:
        report.add(path, "at most 32 are allowed")
    for place, one in each(path, value):
        cel = one.get("cel")
        if cel is None:
            report.add(f"{place}.cel", "is required")
            continue
        text = str(mapping(cel).get("expression") or "")
        if not text.strip():
            report.add(f"{place}.cel.expression", "is required")
        elif wrong := expressions.device_fault(text):
            report.add(f"{place}.cel.expression", wrong)


def _device_config(path: str, value: Any, report: Report) -> None:
    for place, one in each(path, value):
        opaque = one.get("opaque")
        if opaque is None:
            report.add(f"{place}.opaque", "is required")
            continue
        if report.required(f"{place}.opaque.driver", mapping(opaque).get("driver")):
            report.text(f"{place}.opaque.driver", mapping(opaque)["driver"], words.dns_subdomain)
        parameters = mapping(opaque).get("parameters")
        if not isinstance(parameters, Mapping):
            report.add(f"{place}.opaque.parameters", "must be an object")


def claim(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ResourceClaim."""
    _claim_spec("spec", mapping(obj.get("spec")), report)


def claim_template(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ResourceClaimTemplate."""
    outer = mapping(obj.get("spec"))
    labels("spec.metadata.labels", mapping(outer.get("metadata")).get("labels"), report)
    _claim_spec("spec.spec", mapping(outer.get("spec")), report)


def _claim_spec(path: str, spec: Mapping[str, Any], report: Report) -> None:
    devices = mapping(spec.get("devices"))
    names: set[str] = set()
    listed: list[Any] = []
    for place, request in each(f"{path}.devices.requests", devices.get("requests")):
        name = str(request.get("name") or "")
        report.text(f"{place}.name", name, words.dns_label)
        listed.append(name)
        names.add(name)
        names |= {f"{name}/{sub.get('name')}" for _, sub in each("", request.get("firstAvailable"))}
        _device_request(place, request, report)
    report.unique(f"{path}.devices.requests", listed, ".name")
    for place, one in each(f"{path}.devices.constraints", devices.get("constraints")):
        for index, name in enumerate(items(one.get("requests"))):
            if name not in names:
                report.add(f"{place}.requests[{index}]", f"{name!r} is not a request of the claim")
        attribute = one.get("matchAttribute") or one.get("distinctAttribute")
        if attribute is None:
            report.add(place, "matchAttribute or distinctAttribute is required")
        elif "/" not in str(attribute):
            report.add(f"{place}.matchAttribute", "must be a domain and a name separated by a slash")
    for place, one in each(f"{path}.devices.config", devices.get("config")):
        for index, name in enumerate(items(one.get("requests"))):
            if name not in names:
                report.add(f"{place}.requests[{index}]", f"{name!r} is not a request of the claim")
    _device_config(f"{path}.devices.config", devices.get("config"), report)


def _device_request(path: str, request: Mapping[str, Any], report: Report) -> None:
    exactly, first = request.get("exactly"), items(request.get("firstAvailable"))
    if (exactly is not None) == bool(first):
        report.add(path, "exactly one of exactly and firstAvailable is required")
    if exactly is not None:
        _device_need(f"{path}.exactly", mapping(exactly), report)
    subs: list[Any] = []
    for place, sub in each(f"{path}.firstAvailable", first):
        report.text(f"{place}.name", sub.get("name") or "", words.dns_label)
        subs.append(sub.get("name"))
        _device_need(place, sub, report)
    report.unique(f"{path}.firstAvailable", subs, ".name")


def _device_need(path: str, need: Mapping[str, Any], report: Report) -> None:
    if report.required(f"{path}.deviceClassName", need.get("deviceClassName")):
        report.text(f"{path}.deviceClassName", need["deviceClassName"], words.dns_subdomain)
    mode, count = need.get("allocationMode") or "ExactCount", need.get("count")
    report.choice(f"{path}.allocationMode", mode, ("All", "ExactCount"))
    if mode == "All" and count:
        report.add(f"{path}.count", "must not be given when allocationMode is All")
    if mode == "ExactCount" and count is not None and count < 0:
        report.add(f"{path}.count", "must be greater than zero")
    if need.get("adminAccess"):
        report.add(f"{path}.adminAccess", "needs the label resource.kubernetes.io/admin-access on the namespace")
    _device_selectors(f"{path}.selectors", need.get("selectors"), report)
    tolerations(f"{path}.tolerations", need.get("tolerations"), report)


def persistent_volume(obj: Mapping[str, Any], report: Report) -> None:
    """Check what decides where a PersistentVolume may be used."""
    spec = mapping(obj.get("spec"))
    if not items(spec.get("accessModes")):
        report.add("spec.accessModes", "at least one is required")
    if "storage" not in mapping(spec.get("capacity")):
        report.add("spec.capacity[storage]", "is required")
    required = mapping(mapping(spec.get("nodeAffinity")).get("required"))
    for place, term in each("spec.nodeAffinity.required.nodeSelectorTerms", required.get("nodeSelectorTerms")):
        node_term(place, term, report)
