"""Network policies of the cluster: AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy.

Source: the CustomResourceDefinitions of https://github.com/kubernetes-sigs/network-policy-api (``config/crd``), their
schemas and ``x-kubernetes-validations``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks.report import Report, each, items, mapping

GROUP: Final = "policy.networking.k8s.io"
_MOST_RULES: Final = 100
_LAST: Final = 1000
"""The priority that is asked last."""
_ACTIONS: Final = {
    "AdminNetworkPolicy": ("Allow", "Deny", "Pass"),
    "BaselineAdminNetworkPolicy": ("Allow", "Deny"),
    "ClusterNetworkPolicy": ("Accept", "Deny", "Pass"),
}


def cluster_policy(obj: Mapping[str, Any], report: Report) -> None:
    """Check a network policy of the cluster: its name, place, subject and rules."""
    kind, spec = str(obj.get("kind")), mapping(obj.get("spec"))
    metadata = mapping(obj.get("metadata"))
    if metadata.get("namespace"):
        report.add("metadata.namespace", f"{kind} is cluster-scoped")
    if kind == "BaselineAdminNetworkPolicy":
        if metadata.get("name") != "default":
            report.add("metadata.name", "a BaselineAdminNetworkPolicy must be named default")
    elif spec.get("priority") is None:
        report.add("spec.priority", "is required")
    else:
        report.between("spec.priority", spec["priority"], 0, _LAST)
    if kind == "ClusterNetworkPolicy":
        report.choice("spec.tier", spec.get("tier"), ("Admin", "Baseline"), optional=False)
    _one_of("spec.subject", spec.get("subject"), report)
    for direction, side in (("ingress", "from"), ("egress", "to")):
        _rules(f"spec.{direction}", items(spec.get(direction)), side, kind, report)


def _rules(path: str, rules: list[Any], side: str, kind: str, report: Report) -> None:
    if len(rules) > _MOST_RULES:
        report.add(path, f"holds {len(rules)} rules; at most {_MOST_RULES} are allowed")
    for place, rule in each(path, rules):
        report.choice(f"{place}.action", rule.get("action"), _ACTIONS[kind], optional=False)
        report.required(f"{place}.{side}", rule.get(side))
        for inner, peer in each(f"{place}.{side}", rule.get(side)):
            if len(peer) != 1:
                report.add(inner, "must name exactly one kind of peer")


def _one_of(place: str, value: Any, report: Report) -> None:
    named = [key for key in ("namespaces", "pods") if mapping(value).get(key) is not None]
    if len(named) != 1:
        report.add(place, "must name exactly one of namespaces, pods")
    elif named == ["pods"]:
        for part in ("namespaceSelector", "podSelector"):
            if mapping(mapping(value)["pods"]).get(part) is None:
                report.add(f"{place}.pods.{part}", "is required")
