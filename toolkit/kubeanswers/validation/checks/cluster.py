"""Priorities and runtimes; ConfigMaps and Secrets."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.metadata import labels
from kubeanswers.validation.checks.placement import tolerations
from kubeanswers.validation.checks.report import Report, items, mapping
from kubeanswers.validation.decoding import is_base64

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
    if obj.get("preemptionPolicy") is not None:
        report.choice("preemptionPolicy", obj["preemptionPolicy"], ("PreemptLowerPriority", "Never"), optional=False)


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
    _typed(obj, data, text, report)
    _size(text, {key: value for key, value in data.items() if key not in text}, report)


def _typed(obj: Mapping[str, Any], data: Mapping[str, Any], text: Mapping[str, Any], report: Report) -> None:
    """Check what the type of a Secret asks for."""
    kind = str(obj.get("type") or "Opaque")
    for key in _SECRET_KEYS.get(kind, ()):
        if key not in data and key not in text:
            report.add(f"data[{key}]", f"is required for type {kind}")
        elif kind == "kubernetes.io/ssh-auth" and not text.get(key, data.get(key)):
            report.add(f"data[{key}]", f"must not be empty for type {kind}")
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
        is_object = isinstance(json.loads(raw), (dict, type(None)))
    except ValueError:
        is_object = False
    if not is_object:
        report.add(f"data[{key}]", "is not a JSON object")


def _base64(path: str, value: Any, report: Report) -> None:
    if not is_base64(value):
        report.add(path, "is not base64")


def _size(text: Mapping[str, Any], binary: Mapping[str, Any], report: Report) -> None:
    size = sum(len(str(value or "").encode()) for value in text.values())
    size += sum(len("".join(str(value or "").split()).rstrip("=")) * 3 // 4 for value in binary.values())
    if size > 1024 * 1024:
        report.add("data", f"is {size} bytes; at most {1024 * 1024} are allowed")
