"""Horizontal pod autoscalers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.metadata import selector
from kubeanswers.validation.checks.report import Report, each, items, mapping

_METRICS: Final = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}


def autoscaler(obj: Mapping[str, Any], report: Report) -> None:
    """Check a HorizontalPodAutoscaler."""
    spec = mapping(obj.get("spec"))
    most, least = spec.get("maxReplicas") or 0, spec.get("minReplicas", 1)
    if most < 1:
        report.add("spec.maxReplicas", "must be greater than 0")
    if least is not None:
        report.at_least("spec.minReplicas", least, 1)
        if most < least:
            report.add("spec.maxReplicas", "must be greater than or equal to minReplicas")
    target = mapping(spec.get("scaleTargetRef"))
    _reference("spec.scaleTargetRef", target, report)
    version, controller = str(target.get("apiVersion") or ""), target.get("kind") == "ReplicationController"
    if "/" not in version and not (version == "v1" and controller):
        report.add("spec.scaleTargetRef.apiVersion", "must specify an API group")
    for place, metric in each("spec.metrics", spec.get("metrics")):
        kind = metric.get("type")
        report.choice(f"{place}.type", kind, _METRICS, optional=False)
        for name, field in _METRICS.items():
            value = metric.get(field)
            if name == kind and value is None:
                report.add(f"{place}.{field}", "is required for this type")
            elif name == kind:
                _metric_source(f"{place}.{field}", field, mapping(value), report)
            elif value is not None:
                report.add(f"{place}.{field}", "may not be given for another type")
    _scaling(mapping(spec.get("behavior")), report)


def _reference(path: str, value: Mapping[str, Any], report: Report) -> None:
    for field in ("kind", "name"):
        if report.required(f"{path}.{field}", value.get(field)):
            report.text(f"{path}.{field}", value[field], words.path_segment)


_TARGETS: Final[Mapping[str, tuple[str, ...]]] = {
    "containerResource": ("averageUtilization", "averageValue"),
    "external": ("averageValue", "value"),
    "object": ("averageValue", "value"),
    "pods": ("averageValue",),
    "resource": ("averageUtilization", "averageValue"),
}
"""Which amounts aim at a metric of a kind; at least one is needed."""
_EXCLUSIVE: Final = ("containerResource", "external", "resource")


def _metric_source(path: str, name: str, value: Mapping[str, Any], report: Report) -> None:
    target = mapping(value.get("target"))
    _metric_target(f"{path}.target", target, report)
    given = [field for field in _TARGETS[name] if target.get(field) is not None]
    if not given or (len(given) > 1 and name in _EXCLUSIVE):
        report.add(f"{path}.target", f"must have one of {' and '.join(_TARGETS[name])}")
    if name in ("resource", "containerResource"):
        report.required(f"{path}.name", value.get("name"))
    else:
        metric = mapping(value.get("metric"))
        if report.required(f"{path}.metric.name", metric.get("name")):
            report.text(f"{path}.metric.name", metric["name"], words.path_segment)
        selector(f"{path}.metric.selector", metric.get("selector"), report)
    if name == "containerResource":
        report.text(f"{path}.name", value.get("name") or None, words.container_resource)
        report.text(f"{path}.container", value.get("container") or "", words.dns_label)
    if name == "object":
        _reference(f"{path}.describedObject", mapping(value.get("describedObject")), report)


def _scaling(behavior: Mapping[str, Any], report: Report) -> None:
    for direction in ("scaleUp", "scaleDown"):
        path, rules = f"spec.behavior.{direction}", mapping(behavior.get(direction))
        window, tolerance = rules.get("stabilizationWindowSeconds"), words.quantity(rules.get("tolerance"))
        report.between(f"{path}.stabilizationWindowSeconds", window, 0, 3600)
        if tolerance is None or tolerance < 0:
            report.add(f"{path}.tolerance", "must be a quantity of at least 0")
        if rules.get("selectPolicy") is not None:
            report.choice(f"{path}.selectPolicy", rules["selectPolicy"], ("Disabled", "Max", "Min"), optional=False)
        if rules.get("policies") == []:
            report.add(f"{path}.policies", "at least one is required")
        for place, policy in each(f"{path}.policies", items(rules.get("policies"))):
            report.choice(f"{place}.type", policy.get("type"), ("Pods", "Percent"), optional=False)
            report.at_least(f"{place}.value", policy.get("value") or 0, 1)
            report.between(f"{place}.periodSeconds", policy.get("periodSeconds") or 0, 1, 1800)


def _metric_target(path: str, value: Mapping[str, Any], report: Report) -> None:
    report.choice(f"{path}.type", value.get("type"), ("Utilization", "Value", "AverageValue"), optional=False)
    report.at_least(f"{path}.averageUtilization", value.get("averageUtilization"), 1)
    for field in ("value", "averageValue"):
        amount = words.quantity(value.get(field))
        if value.get(field) is not None and (amount is None or amount <= 0):
            report.add(f"{path}.{field}", f"{value[field]!r} must be a quantity above zero")
