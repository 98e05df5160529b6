"""Quotas, limits and RBAC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.compute import is_extended, is_huge_page, is_native
from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.metadata import selector
from kubeanswers.validation.checks.report import Check, Report, each, items, mapping

_SCOPES: Final = (
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
)
_COMPUTE: Final = frozenset({"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory", "pods"})


_ALLOWED: Final = {
    "BestEffort": frozenset({"pods"}),
    "VolumeAttributesClass": frozenset({"persistentvolumeclaims", "requests.storage"}),
}


def resource_quota(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ResourceQuota."""
    spec = mapping(obj.get("spec"))
    hard = mapping(spec.get("hard"))
    for name, amount in hard.items():
        path = f"spec.hard[{name}]"
        report.text(path, name, words.quota_resource)
        value = words.quantity(amount)
        if value is None:
            report.add(path, f"{amount!r} is not a quantity")
        elif value < 0:
            report.add(path, f"{amount!r} must be at least 0")
        elif value != int(value) and (name in words.COUNTED_RESOURCES or is_extended(name)):
            report.add(path, f"{amount!r} must be an integer")
    scopes = items(spec.get("scopes"))
    for index, scope in enumerate(scopes):
        report.choice(f"spec.scopes[{index}]", scope, _SCOPES, optional=False)
    if {"Terminating", "NotTerminating"} <= set(scopes) or {"BestEffort", "NotBestEffort"} <= set(scopes):
        report.add("spec.scopes", "hold two that exclude each other")
    _allowed("spec.scopes", scopes, hard, report)
    _scope_selector(spec, hard, report)


def _allowed(path: str, scopes: list[Any], hard: Mapping[str, Any], report: Report) -> None:
    for scope in scopes:
        allowed = _ALLOWED.get(str(scope), _COMPUTE)
        bad = [name for name in hard if words.is_quota_resource(name) and name not in allowed]
        if bad:
            report.add(path, f"scope {scope} cannot be applied to {bad[0]}")


def _scope_selector(spec: Mapping[str, Any], hard: Mapping[str, Any], report: Report) -> None:
    terms = mapping(spec.get("scopeSelector")).get("matchExpressions")
    for place, term in each("spec.scopeSelector.matchExpressions", terms):
        name, operator, values = term.get("scopeName"), term.get("operator"), items(term.get("values"))
        report.choice(f"{place}.scopeName", name, _SCOPES, optional=False)
        if operator in ("In", "NotIn") and not values:
            report.add(f"{place}.values", "at least one is required when operator is In or NotIn")
        if operator in ("Exists", "DoesNotExist") and values:
            report.add(f"{place}.values", "must be empty when operator is Exists or DoesNotExist")
        if operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            report.add(f"{place}.operator", f"{operator!r} is not a valid operator")
        exact = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity")
        if name in exact and operator != "Exists":
            report.add(f"{place}.operator", f"must be Exists for scope {name}")
        _allowed("spec.scopeSelector", [name], hard, report)


def limit_range(obj: Mapping[str, Any], report: Report) -> None:
    """Check a LimitRange."""
    kinds = ("Container", "PersistentVolumeClaim", "Pod")
    seen: list[Any] = []
    for place, limit in each("spec.limits", mapping(obj.get("spec")).get("limits")):
        kind = limit.get("type")
        seen.append(kind)
        report.text(f"{place}.type", kind, words.qualified_name)
        if kind not in kinds and "/" not in str(kind or ""):
            report.add(f"{place}.type", f"{kind!r} must be one of {', '.join(kinds)}")
        check = words.container_resource if kind in ("Container", "Pod") else words.resource_name
        amounts = {field: _amounts(place, field, limit, check, report) for field in _FIELDS}
        if kind == "Container":
            _complete(amounts)
        _not_overcommitted(place, amounts, report)
        if kind == "Pod":
            for field in ("default", "defaultRequest"):
                if amounts[field]:
                    report.add(f"{place}.{field}", "may not be given when type is Pod")
        if kind == "PersistentVolumeClaim" and not {"storage"} & {*amounts["min"], *amounts["max"]}:
            report.add(place, "min or max storage is required")
        _order(place, amounts, report)
    report.unique("spec.limits", seen, ".type")


_FIELDS: Final = ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")


def _complete(amounts: dict[str, dict[str, Any]]) -> None:
    """Fill in what the API server does: a limit is the maximum, a request is the limit or the minimum."""
    amounts["default"] = {**amounts["max"], **amounts["default"]}
    amounts["defaultRequest"] = {**amounts["min"], **amounts["default"], **amounts["defaultRequest"]}


def _not_overcommitted(path: str, amounts: Mapping[str, Mapping[str, Any]], report: Report) -> None:
    default, request = amounts["default"], amounts["defaultRequest"]
    for name in default.keys() & request.keys():
        counted = is_huge_page(name) or not is_native(name)
        if counted and default.get(name) != request.get(name):
            report.add(f"{path}.defaultRequest[{name}]", "must equal default: the resource cannot be overcommitted")


def _amounts(path: str, field: str, limit: Mapping[str, Any], check: Check, report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, amount in mapping(limit.get(field)).items():
        report.text(f"{path}.{field}[{name}]", name, check)
        value = words.quantity(amount)
        if value is None:
            report.add(f"{path}.{field}[{name}]", f"{amount!r} is not a quantity")
        else:
            found[name] = value
    return found


def _order(path: str, amounts: Mapping[str, Mapping[str, Any]], report: Report) -> None:
    pairs = (
        ("min", "max"),
        ("min", "defaultRequest"),
        ("min", "default"),
        ("defaultRequest", "default"),
        ("defaultRequest", "max"),
        ("default", "max"),
    )
    for low, high in pairs:
        for name in amounts[low].keys() & amounts[high].keys():
            if amounts[low][name] > amounts[high][name]:
                report.add(f"{path}.{low}[{name}]", f"is greater than {high}")
    for name, ratio in amounts["maxLimitRequestRatio"].items():
        if ratio < 1:
            report.add(f"{path}.maxLimitRequestRatio[{name}]", "is less than 1")
        least, most = amounts["min"].get(name), amounts["max"].get(name)
        if least and most and ratio > most / least:
            report.add(f"{path}.maxLimitRequestRatio[{name}]", "is greater than max divided by min")


def role(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Role or ClusterRole."""
    cluster = obj.get("kind") == "ClusterRole"
    for place, rule in each("rules", obj.get("rules")):
        paths = items(rule.get("nonResourceURLs"))
        if not items(rule.get("verbs")):
            report.add(f"{place}.verbs", "must hold at least one value")
        if paths and not cluster:
            report.add(f"{place}.nonResourceURLs", "namespaced rules cannot apply to non-resource URLs")
        if paths:
            if any(items(rule.get(f)) for f in ("apiGroups", "resources", "resourceNames")):
                report.add(f"{place}.nonResourceURLs", "rules cannot apply to both resources and non-resource URLs")
            continue
        if not items(rule.get("apiGroups")):
            report.add(f"{place}.apiGroups", "resource rules must supply at least one api group")
        if not items(rule.get("resources")):
            report.add(f"{place}.resources", "resource rules must supply at least one resource")
    if cluster and obj.get("aggregationRule") is not None:
        _aggregation(obj["aggregationRule"], report)


def _aggregation(aggregation: Any, report: Report) -> None:
    chosen = items(mapping(aggregation).get("clusterRoleSelectors"))
    if not chosen:
        report.add("aggregationRule.clusterRoleSelectors", "at least one is required")
    for index, one in enumerate(chosen):
        selector(f"aggregationRule.clusterRoleSelectors[{index}]", one, report)


def role_binding(obj: Mapping[str, Any], report: Report) -> None:
    """Check a RoleBinding or ClusterRoleBinding."""
    group = "rbac.authorization.k8s.io"
    reference = mapping(obj.get("roleRef"))
    if reference.get("apiGroup") not in (None, "", group):
        report.add("roleRef.apiGroup", f"{reference.get('apiGroup')!r} is not {group}")
    kinds = ("ClusterRole",) if obj.get("kind") == "ClusterRoleBinding" else ("ClusterRole", "Role")
    report.choice("roleRef.kind", reference.get("kind"), kinds, optional=False)
    if report.required("roleRef.name", reference.get("name")):
        report.text("roleRef.name", reference["name"], words.path_segment)
    for place, subject in each("subjects", obj.get("subjects")):
        kind = subject.get("kind")
        report.required(f"{place}.name", subject.get("name"))
        report.choice(f"{place}.kind", kind, ("ServiceAccount", "User", "Group"), optional=False)
        if kind == "ServiceAccount":
            report.text(f"{place}.name", subject.get("name") or None, words.dns_subdomain)
            if subject.get("apiGroup"):
                report.add(f"{place}.apiGroup", "must be empty for a ServiceAccount")
            if obj.get("kind") == "ClusterRoleBinding":
                report.required(f"{place}.namespace", subject.get("namespace"))
        elif subject.get("apiGroup") not in (None, "", group):
            report.add(f"{place}.apiGroup", f"{subject.get('apiGroup')!r} is not {group}")
