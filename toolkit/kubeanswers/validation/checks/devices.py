"""Dynamic resource allocation: device classes, claims and their templates, resource slices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.compute import is_extended
from kubeanswers.validation.checks import expressions, words
from kubeanswers.validation.checks.metadata import embedded
from kubeanswers.validation.checks.report import Report, each, items, mapping

_MOST: Final = 32
_MOST_SUBREQUESTS: Final = 8
_LONGEST_EXPRESSION: Final = 10 * 1024
_LARGEST_PARAMETERS: Final = 10 * 1024
_LONGEST_DRIVER: Final = 63
_LONGEST_DOMAIN: Final = 63
_LONGEST_IDENTIFIER: Final = 32
_EFFECTS: Final = ("NoSchedule", "NoExecute", "None")


def device_class(obj: Mapping[str, Any], report: Report) -> None:
    """Check a DeviceClass."""
    spec = mapping(obj.get("spec"))
    _device_selectors("spec.selectors", spec.get("selectors"), report)
    _device_config("spec.config", spec.get("config"), report)
    name = spec.get("extendedResourceName")
    if name is not None and not is_extended(str(name)):
        report.add("spec.extendedResourceName", f"{name!r} must be a valid extended resource name")


def _device_selectors(path: str, value: Any, report: Report) -> None:
    if len(items(value)) > _MOST:
        report.add(path, f"at most {_MOST} are allowed")
    for place, one in each(path, value):
        cel = one.get("cel")
        if cel is None:
            report.add(f"{place}.cel", "is required")
            continue
        text = str(mapping(cel).get("expression") or "")
        if not text.strip():
            report.add(f"{place}.cel.expression", "is required")
        elif len(text) > _LONGEST_EXPRESSION:
            report.add(f"{place}.cel.expression", f"at most {_LONGEST_EXPRESSION} characters are allowed")
        elif wrong := expressions.device_fault(text):
            report.add(f"{place}.cel.expression", wrong)


def _device_config(path: str, value: Any, report: Report) -> None:
    if len(items(value)) > _MOST:
        report.add(path, f"at most {_MOST} are allowed")
    for place, one in each(path, value):
        opaque = one.get("opaque")
        if opaque is None:
            report.add(f"{place}.opaque", "is required")
            continue
        if report.required(f"{place}.opaque.driver", mapping(opaque).get("driver")):
            report.text(f"{place}.opaque.driver", mapping(opaque)["driver"], _driver)
        parameters = mapping(opaque).get("parameters")
        if not isinstance(parameters, Mapping):
            report.add(f"{place}.opaque.parameters", "must be an object")
        elif len(json.dumps(parameters, separators=(",", ":"))) > _LARGEST_PARAMETERS:
            report.add(f"{place}.opaque.parameters", f"at most {_LARGEST_PARAMETERS} bytes are allowed")


def claim(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ResourceClaim."""
    _claim_spec("spec", mapping(obj.get("spec")), report, flat=_is_flat(obj))


def _is_flat(obj: Mapping[str, Any]) -> bool:
    """Return whether a request of the object's version names its class itself instead of under ``exactly``."""
    return str(obj.get("apiVersion")).endswith("/v1beta1")


def claim_template(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ResourceClaimTemplate."""
    outer = mapping(obj.get("spec"))
    embedded("spec.metadata", outer.get("metadata"), report)
    _claim_spec("spec.spec", mapping(outer.get("spec")), report, flat=_is_flat(obj))


def _claim_spec(path: str, spec: Mapping[str, Any], report: Report, *, flat: bool) -> None:
    devices = mapping(spec.get("devices"))
    names: set[str] = set()
    listed: list[Any] = []
    for field in ("requests", "constraints", "config"):
        if len(items(devices.get(field))) > _MOST:
            report.add(f"{path}.devices.{field}", f"at most {_MOST} are allowed")
    for place, request in each(f"{path}.devices.requests", devices.get("requests")):
        name = str(request.get("name") or "")
        report.text(f"{place}.name", name, words.dns_label)
        listed.append(name)
        names.add(name)
        names |= {f"{name}/{sub.get('name')}" for _, sub in each("", request.get("firstAvailable"))}
        _device_request(place, request, report, flat=flat)
    report.unique(f"{path}.devices.requests", listed, ".name")
    for place, one in each(f"{path}.devices.constraints", devices.get("constraints")):
        _requests(place, one, names, report)
        given = [field for field in ("matchAttribute", "distinctAttribute") if one.get(field) is not None]
        if len(given) != 1:
            report.add(place, "exactly one of matchAttribute and distinctAttribute is required")
        for field in given:
            report.text(f"{place}.{field}", one[field], _full_attribute)
    for place, one in each(f"{path}.devices.config", devices.get("config")):
        _requests(place, one, names, report)
    _device_config(f"{path}.devices.config", devices.get("config"), report)


def _requests(path: str, value: Mapping[str, Any], names: set[str], report: Report) -> None:
    for index, name in enumerate(items(value.get("requests"))):
        if name not in names:
            report.add(f"{path}.requests[{index}]", f"{name!r} is not a request of the claim")
    report.unique(f"{path}.requests", items(value.get("requests")))


def _full_attribute(text: str) -> str:
    domain, slash, name = text.partition("/")
    if not slash:
        return "must be a domain and a name separated by a slash"
    return _attribute(text) if domain and name else "must have both a domain and a name"


def _attribute(text: str) -> str:
    domain, slash, name = text.rpartition("/")
    if slash and (words.dns_subdomain(domain) or len(domain) > _LONGEST_DOMAIN):
        return f"must have a domain of at most {_LONGEST_DOMAIN} characters before the slash"
    return words.c_identifier(name) or ("" if len(name) <= _LONGEST_IDENTIFIER else "has a name that is too long")


def _device_request(path: str, request: Mapping[str, Any], report: Report, *, flat: bool) -> None:
    exactly, first = request.get("exactly"), items(request.get("firstAvailable"))
    if flat:
        exactly = request if request.get("deviceClassName") else None
    if (exactly is not None) == bool(first):
        report.add(path, "exactly one kind of request and firstAvailable is required")
    if exactly is not None:
        _device_need(path if flat else f"{path}.exactly", mapping(exactly), report)
    if len(first) > _MOST_SUBREQUESTS:
        report.add(f"{path}.firstAvailable", f"at most {_MOST_SUBREQUESTS} are allowed")
    for place, sub in each(f"{path}.firstAvailable", first):
        report.text(f"{place}.name", sub.get("name") or "", words.dns_label)
        _device_need(place, sub, report)
    report.unique(f"{path}.firstAvailable", [sub.get("name") for _, sub in each("", first)], ".name")


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
    _device_tolerations(f"{path}.tolerations", need.get("tolerations"), report)
    for name, amount in mapping(mapping(need.get("capacity")).get("requests")).items():
        size = words.quantity(amount)
        if size is None or size < 0:
            report.add(f"{path}.capacity.requests[{name}]", f"{amount!r} must be a quantity of at least 0")


def _device_tolerations(path: str, value: Any, report: Report) -> None:
    for place, one in each(path, value):
        operator = one.get("operator") or "Equal"
        report.choice(f"{place}.operator", operator, ("Equal", "Exists"))
        report.text(f"{place}.key", one.get("key") or None, words.qualified_name)
        if not one.get("key") and operator != "Exists":
            report.add(f"{place}.operator", "must be Exists when key is empty")
        if operator == "Exists" and one.get("value"):
            report.add(f"{place}.value", "must be empty when operator is Exists")
        report.text(f"{place}.value", one.get("value") or None, words.label_value)
        report.choice(f"{place}.effect", one.get("effect"), _EFFECTS)


def resource_slice(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ResourceSlice: its driver, pool, place and devices."""
    spec = mapping(obj.get("spec"))
    if report.required("spec.driver", spec.get("driver")):
        report.text("spec.driver", spec["driver"], _driver)
    pool = mapping(spec.get("pool"))
    if report.required("spec.pool.name", pool.get("name")):
        for part in str(pool["name"]).split("/"):
            report.text("spec.pool.name", part, words.dns_subdomain)
    report.at_least("spec.pool.resourceSliceCount", pool.get("resourceSliceCount") or 0, 1)
    report.at_least("spec.pool.generation", pool.get("generation"), 0)
    fields = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
    if len([field for field in fields if spec.get(field)]) != 1:
        report.add("spec", f"exactly one of {', '.join(fields)} is required")
    names = []
    for place, one in each("spec.devices", spec.get("devices")):
        report.text(f"{place}.name", one.get("name") or "", words.dns_label)
        names.append(one.get("name"))
        for name, value in mapping(one.get("attributes")).items():
            report.text(f"{place}.attributes[{name}]", name, _attribute)
            if len([inner for inner in mapping(value).values() if inner is not None]) != 1:
                report.add(f"{place}.attributes[{name}]", "must have exactly one value")
    report.unique("spec.devices", names, ".name")


def _driver(text: str) -> str:
    return words.dns_subdomain(text.lower()) or (
        "must be no more than 63 characters" if len(text) > _LONGEST_DRIVER else ""
    )
