"""Where a pod may run: tolerations, affinity and topology spread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.metadata import selector
from kubeanswers.validation.checks.report import Report, each, items, mapping

_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_NODE_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_WHEN: Final = ("DoNotSchedule", "ScheduleAnyway")


def tolerations(path: str, value: Any, report: Report) -> None:
    """Check a list of tolerations."""
    for place, one in each(path, value):
        key, operator, effect = one.get("key") or "", one.get("operator") or "", one.get("effect") or ""
        if key:
            report.text(f"{place}.key", key, words.qualified_name)
        elif operator != "Exists":
            report.add(f"{place}.operator", "must be Exists when key is empty")
        report.choice(f"{place}.operator", operator, ("Equal", "Exists", "Lt", "Gt"))
        if operator == "Exists" and one.get("value"):
            report.add(f"{place}.value", "must be empty when operator is Exists")
        elif operator in ("", "Equal"):
            report.text(f"{place}.value", one.get("value") or "", words.label_value)
        report.choice(f"{place}.effect", effect, _EFFECTS)
        if one.get("tolerationSeconds") is not None and effect != "NoExecute":
            report.add(f"{place}.effect", "must be NoExecute when tolerationSeconds is set")


def affinity(path: str, value: Mapping[str, Any], report: Report) -> None:
    """Check node and pod affinity."""
    node = mapping(value.get("nodeAffinity"))
    required = node.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is not None:
        terms = items(mapping(required).get("nodeSelectorTerms"))
        place = f"{path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
        if not terms:
            report.add(place, "must have at least one term")
        for index, term in enumerate(terms):
            node_term(f"{place}[{index}]", mapping(term), report, labelled=True)
    key = "preferredDuringSchedulingIgnoredDuringExecution"
    for place, term in each(f"{path}.nodeAffinity.{key}", node.get(key)):
        report.between(f"{place}.weight", term.get("weight") or 0, 1, 100)
        node_term(f"{place}.preference", mapping(term.get("preference")), report)
    for kind in ("podAffinity", "podAntiAffinity"):
        for place, term in _pod_terms(f"{path}.{kind}", mapping(value.get(kind)), report):
            if report.required(f"{place}.topologyKey", term.get("topologyKey")):
                report.text(f"{place}.topologyKey", term["topologyKey"], words.qualified_name)
            _pod_term(place, term, report)


def _pod_term(place: str, term: Mapping[str, Any], report: Report) -> None:
    for field in ("labelSelector", "namespaceSelector"):
        selector(f"{place}.{field}", term.get(field), report)
    for index, name in enumerate(items(term.get("namespaces"))):
        report.text(f"{place}.namespaces[{index}]", name, words.dns_label)
    match, mismatch = items(term.get("matchLabelKeys")), items(term.get("mismatchLabelKeys"))
    for field, keys in (("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)):
        if keys and term.get("labelSelector") is None:
            report.add(f"{place}.{field}", "may not be given without labelSelector")
        for index, key in enumerate(keys):
            report.text(f"{place}.{field}[{index}]", key, words.qualified_name)
    for key in set(match) & set(mismatch):
        report.add(f"{place}.matchLabelKeys", f"{key!r} is among mismatchLabelKeys too")


def _pod_terms(path: str, value: Mapping[str, Any], report: Report) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from each(
        f"{path}.requiredDuringSchedulingIgnoredDuringExecution",
        value.get("requiredDuringSchedulingIgnoredDuringExecution"),
    )
    key = "preferredDuringSchedulingIgnoredDuringExecution"
    for place, weighted in each(f"{path}.{key}", value.get(key)):
        report.between(f"{place}.weight", weighted.get("weight") or 0, 1, 100)
        yield f"{place}.podAffinityTerm", mapping(weighted.get("podAffinityTerm"))


def node_term(path: str, value: Mapping[str, Any], report: Report, *, labelled: bool = False) -> None:
    """Check a term of a node selector; where it decides, its values must be values of labels."""
    for place, one in each(f"{path}.matchExpressions", value.get("matchExpressions")):
        operator, values = one.get("operator"), items(one.get("values"))
        report.text(f"{place}.key", one.get("key") or "", words.qualified_name)
        report.choice(f"{place}.operator", operator, _NODE_OPERATORS, optional=False)
        if operator in ("In", "NotIn"):
            if not values:
                report.add(f"{place}.values", "is required when operator is In or NotIn")
            for index, text in enumerate(values if labelled else []):
                report.text(f"{place}.values[{index}]", text, words.label_value)
        if operator in ("Exists", "DoesNotExist") and values:
            report.add(f"{place}.values", "may not be given when operator is Exists or DoesNotExist")
        if operator in ("Gt", "Lt") and len(values) != 1:
            report.add(f"{place}.values", "must be a single value when operator is Gt or Lt")
    for place, one in each(f"{path}.matchFields", value.get("matchFields")):
        report.choice(f"{place}.key", one.get("key"), ("metadata.name",), optional=False)
        report.choice(f"{place}.operator", one.get("operator"), ("In", "NotIn"), optional=False)
        if len(items(one.get("values"))) != 1:
            report.add(f"{place}.values", "must have one element")
        for index, name in enumerate(items(one.get("values"))):
            report.text(f"{place}.values[{index}]", name, words.dns_subdomain)


def spread(path: str, value: Any, report: Report) -> None:
    """Check topology spread constraints."""
    pairs: list[tuple[Any, Any]] = []
    for place, one in each(path, value):
        report.at_least(f"{place}.maxSkew", one.get("maxSkew") or 0, 1)
        report.required(f"{place}.topologyKey", one.get("topologyKey"))
        when = one.get("whenUnsatisfiable")
        report.choice(f"{place}.whenUnsatisfiable", when, _WHEN, optional=False)
        if one.get("minDomains") is not None:
            report.at_least(f"{place}.minDomains", one["minDomains"], 1)
            if when != "DoNotSchedule":
                report.add(f"{place}.minDomains", "can only be used with DoNotSchedule")
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if one.get(field) is not None:
                report.choice(f"{place}.{field}", one[field], ("Ignore", "Honor"), optional=False)
        selector(f"{place}.labelSelector", one.get("labelSelector"), report)
        keys = items(one.get("matchLabelKeys"))
        if keys and one.get("labelSelector") is None:
            report.add(f"{place}.matchLabelKeys", "may not be given without labelSelector")
        chosen = mapping(one.get("labelSelector"))
        taken = {
            *mapping(chosen.get("matchLabels")),
            *(e.get("key") for _, e in each("", chosen.get("matchExpressions"))),
        }
        for index, key in enumerate(keys):
            report.text(f"{place}.matchLabelKeys[{index}]", key, words.qualified_name)
            if key in taken:
                report.add(f"{place}.matchLabelKeys[{index}]", f"{key!r} is in labelSelector too")
        pairs.append((one.get("topologyKey"), when))
    report.unique(path, pairs)
