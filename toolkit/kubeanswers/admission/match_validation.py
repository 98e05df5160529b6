"""What the API server finds wrong with the rules and selectors that say which requests a policy is about.

Source: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/validating-admission-policy-v1/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.objects import mapping, mappings, scalar_text, texts

_OPERATIONS: Final = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT", "*"})
_SCOPES: Final = frozenset({"Cluster", "Namespaced", "*"})
_PART: Final = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_QUALIFIED: Final = re.compile(rf"((?=[^/]{{1,253}}/){_DOMAIN}/)?{_PART}")


def is_qualified(name: str) -> bool:
    """Return whether a name may be a label's key: a name, perhaps after a domain and a slash."""
    return _QUALIFIED.fullmatch(name) is not None


def unique_faults(place: str, names: list[str]) -> list[str]:
    """Return a fault for every name that is there more than once."""
    return [f"{place}: Duplicate value {name}" for name in sorted(set(names)) if names.count(name) > 1]


def match_faults(place: str, constraints: Mapping[str, Any], *, needs_rules: bool) -> list[str]:
    """Return every fault of a policy's constraints, or of those of a binding, which may leave the rules out."""
    found: list[str] = []
    if needs_rules and not mappings(constraints.get("resourceRules")):
        found.append(f"{place}.resourceRules: required")
    if constraints.get("matchPolicy", "Equivalent") not in ("Equivalent", "Exact"):
        found.append(f"{place}.matchPolicy: supported values: Equivalent, Exact")
    for key in ("namespaceSelector", "objectSelector"):
        found += selector_faults(f"{place}.{key}", constraints.get(key))
    for key in ("resourceRules", "excludeResourceRules"):
        for i, rule in enumerate(mappings(constraints.get(key))):
            found += [f"{place}.{key}[{i}].{text}" for text in _rule_faults(rule)]
    return found


def _rule_faults(rule: Mapping[str, Any]) -> Iterator[str]:
    for key in ("operations", "apiGroups", "apiVersions", "resources"):
        given = texts(rule.get(key))
        if not given or (key in ("apiVersions", "resources") and "" in given):
            yield f"{key}: required"
        if key != "resources" and "*" in given and len(given) > 1:
            yield f"{key}: if '*' is present, must not specify others"
    if not set(texts(rule.get("operations"))) <= _OPERATIONS:
        yield "operations: supported values: *, CONNECT, CREATE, DELETE, UPDATE"
    if scalar_text(rule.get("scope", "*")) not in _SCOPES:
        yield "scope: supported values: *, Cluster, Namespaced"
    yield from _resource_faults(texts(rule.get("resources")))
    names = texts(rule.get("resourceNames"))
    yield from unique_faults("resourceNames", names)
    if any(re.search(r"[/%]", name) or name in ("", ".", "..") for name in names):
        yield "resourceNames: must be names"


def _resource_faults(resources: list[str]) -> Iterator[str]:
    """A wildcard and something it covers may not stand beside each other."""
    split = [tuple(item.partition("/")[::2]) for item in resources]
    if "*/*" in resources and len(resources) > 1:
        yield "resources: if '*/*' is present, must not specify other resources"
    plain = [item for item in resources if item and "/" not in item]
    if "*" in plain and plain[-1] != "*":  # the API server looks at the last one alone
        yield "resources: if '*' is present, must not specify other resources without subresources"
    for i, (name, sub) in enumerate(split):
        before = split[:i]
        if "/" in resources[i] and ((name, "*") in before or ("*", sub) in before):
            yield f"resources[{i}]: {resources[i]} is covered by a wildcard before it"


def selector_faults(place: str, selector: object) -> list[str]:
    """Return every fault of a label selector."""
    data = mapping(selector)
    labels = mapping(data.get("matchLabels"))
    found = [f"{place}.matchLabels: invalid key {key}" for key in labels if not is_qualified(str(key))]
    found += [
        f"{place}.matchLabels: invalid value {value}" for value in labels.values() if not _is_value(scalar_text(value))
    ]
    for i, term in enumerate(mappings(data.get("matchExpressions"))):
        found += [f"{place}.matchExpressions[{i}].{text}" for text in _term_faults(term)]
    return found


def _is_value(text: str) -> bool:
    return text == "" or re.fullmatch(_PART, text) is not None


def _term_faults(term: Mapping[str, Any]) -> Iterator[str]:
    operator, values = term.get("operator"), texts(term.get("values"))
    if not is_qualified(scalar_text(term.get("key"))):
        yield "key: must be a qualified name"
    if operator in ("In", "NotIn"):
        if not values:
            yield "values: must be specified when `operator` is 'In' or 'NotIn'"
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield "values: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
    else:
        yield "operator: not a valid selector operator"
    if not all(map(_is_value, values)):
        yield "values: must be values of labels"
