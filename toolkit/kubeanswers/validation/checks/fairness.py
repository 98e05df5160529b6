"""API priority and fairness: FlowSchema and PriorityLevelConfiguration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.report import Report, each, items, mapping

_MOST_BITS: Final = 60
"""Bits of the hash a request's queues are dealt from."""


def flow_schema(obj: Mapping[str, Any], report: Report) -> None:
    """Check a FlowSchema."""
    spec = mapping(obj.get("spec"))
    level = mapping(spec.get("priorityLevelConfiguration")).get("name")
    if report.required("spec.priorityLevelConfiguration.name", level):
        report.text("spec.priorityLevelConfiguration.name", level, words.dns_subdomain)
    if spec.get("matchingPrecedence") == 1 and mapping(obj.get("metadata")).get("name") != "exempt":
        report.add("spec.matchingPrecedence", "1 is reserved for the schema named exempt")
    if spec.get("matchingPrecedence"):
        report.between("spec.matchingPrecedence", spec["matchingPrecedence"], 1, 10000)
    distinguisher = spec.get("distinguisherMethod")
    if distinguisher is not None:
        kind = mapping(distinguisher).get("type")
        report.choice("spec.distinguisherMethod.type", kind, ("ByNamespace", "ByUser"), optional=False)
    for place, rule in each("spec.rules", spec.get("rules")):
        _flow_rule(place, rule, report)


def _flow_rule(place: str, rule: Mapping[str, Any], report: Report) -> None:
    if not items(rule.get("subjects")):
        report.add(f"{place}.subjects", "at least one is required")
    if not items(rule.get("resourceRules")) and not items(rule.get("nonResourceRules")):
        report.add(place, "at least one of resourceRules and nonResourceRules is required")
    for inner, subject in each(f"{place}.subjects", rule.get("subjects")):
        _flow_subject(inner, subject, report)
    for inner, one in each(f"{place}.resourceRules", rule.get("resourceRules")):
        _flow_resource(inner, one, report)
    for inner, one in each(f"{place}.nonResourceRules", rule.get("nonResourceRules")):
        _flow_verbs(inner, one, report)
        _words(inner, "nonResourceURLs", one, report)
        for index, url in enumerate(items(one.get("nonResourceURLs"))):
            bad = url != "*" and (not str(url).startswith("/") or "*" in str(url)[:-1] or "//" in str(url))
            if bad:
                report.add(f"{inner}.nonResourceURLs[{index}]", f"{url!r} must be '*' or an absolute path")


def _flow_subject(path: str, subject: Mapping[str, Any], report: Report) -> None:
    fields = {"User": "user", "Group": "group", "ServiceAccount": "serviceAccount"}
    kind = str(subject.get("kind") or "")
    report.choice(f"{path}.kind", kind, fields, optional=False)
    for name, field in fields.items():
        if name == kind and subject.get(field) is None:
            report.add(f"{path}.{field}", f"is required when kind is {kind}")
        if name != kind and subject.get(field) is not None:
            report.add(f"{path}.{field}", f"is forbidden when kind is not {name}")
    named = mapping(subject.get(fields.get(kind, "")))
    if named and not named.get("name"):
        report.add(f"{path}.{fields[kind]}.name", "is required")
    account = mapping(subject.get("serviceAccount"))
    if kind == "ServiceAccount" and account:
        for field in ("namespace", "name"):
            report.required(f"{path}.serviceAccount.{field}", account.get(field))
        report.text(f"{path}.serviceAccount.namespace", account.get("namespace") or None, words.dns_label)
        own = account.get("name")
        report.text(f"{path}.serviceAccount.name", own if own not in ("", "*") else None, words.dns_subdomain)


def _flow_resource(path: str, rule: Mapping[str, Any], report: Report) -> None:
    _flow_verbs(path, rule, report)
    for field in ("apiGroups", "resources"):
        _words(path, field, rule, report)
    namespaces = items(rule.get("namespaces"))
    if not namespaces and not rule.get("clusterScope"):
        report.add(f"{path}.namespaces", "at least one is required for rules that are not cluster scoped")
    if "*" in namespaces and len(namespaces) > 1:
        report.add(f"{path}.namespaces", "'*' stands alone")
    for index, name in enumerate(namespaces):
        report.text(f"{path}.namespaces[{index}]", name if name != "*" else None, words.dns_label)


_FLOW_VERBS: Final = ("get", "list", "create", "update", "delete", "deletecollection", "patch", "watch", "proxy", "*")


def _flow_verbs(path: str, rule: Mapping[str, Any], report: Report) -> None:
    _words(path, "verbs", rule, report)
    for index, verb in enumerate(items(rule.get("verbs"))):
        report.choice(f"{path}.verbs[{index}]", verb, _FLOW_VERBS, optional=False)


def _words(path: str, field: str, rule: Mapping[str, Any], report: Report) -> None:
    values = items(rule.get(field))
    if not values:
        report.add(f"{path}.{field}", "at least one is required")
    if "*" in values and len(values) > 1:
        report.add(f"{path}.{field}", "if '*' is present, nothing else may be")


def priority_level(obj: Mapping[str, Any], report: Report) -> None:
    """Check a PriorityLevelConfiguration."""
    spec = mapping(obj.get("spec"))
    kind = spec.get("type")
    report.choice("spec.type", kind, ("Exempt", "Limited"), optional=False)
    if (kind == "Exempt") != (mapping(obj.get("metadata")).get("name") == "exempt"):
        report.add("spec.type", "must be Exempt if and only if the name is exempt")
    limited = spec.get("limited")
    if kind == "Limited" and limited is None:
        report.add("spec.limited", "is required when type is Limited")
    if kind == "Exempt" and limited is not None:
        report.add("spec.limited", "must be absent when type is Exempt")
    if kind == "Limited" and spec.get("exempt") is not None:
        report.add("spec.exempt", "must be absent when type is Limited")
    exempt = mapping(spec.get("exempt"))
    report.at_least("spec.exempt.nominalConcurrencyShares", exempt.get("nominalConcurrencyShares"), 0)
    report.between("spec.exempt.lendablePercent", exempt.get("lendablePercent"), 0, 100)
    found = mapping(limited)
    report.at_least("spec.limited.nominalConcurrencyShares", found.get("nominalConcurrencyShares"), 0)
    report.between("spec.limited.lendablePercent", found.get("lendablePercent"), 0, 100)
    report.at_least("spec.limited.borrowingLimitPercent", found.get("borrowingLimitPercent"), 0)
    if limited is not None:
        _limit_response(mapping(found.get("limitResponse")), report)


def _limit_response(response: Mapping[str, Any], report: Report) -> None:
    path = "spec.limited.limitResponse"
    report.choice(f"{path}.type", response.get("type"), ("Queue", "Reject"), optional=False)
    queuing = response.get("queuing")
    if response.get("type") == "Reject" and queuing is not None:
        report.add(f"{path}.queuing", "must be absent when type is Reject")
    if response.get("type") != "Queue":
        return
    if queuing is None:
        report.add(f"{path}.queuing", "is required when type is Queue")
        return
    found = mapping(queuing)
    queues, hand = found.get("queues") or 64, found.get("handSize") or 8
    report.at_least(f"{path}.queuing.queueLengthLimit", found.get("queueLengthLimit") or 50, 1)
    report.between(f"{path}.queuing.queues", queues, 1, 10_000_000)
    report.at_least(f"{path}.queuing.handSize", hand, 1)
    if hand > queues:
        report.add(f"{path}.queuing.handSize", f"should not be greater than queues ({queues})")
    elif queues > 0 and hand > 0 and math.ceil(math.log2(queues) * hand) > _MOST_BITS:
        report.add(f"{path}.queuing.handSize", f"dealing {hand} of {queues} queues takes more than {_MOST_BITS} bits")
