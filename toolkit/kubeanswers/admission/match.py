"""Does a policy's match say this request?  Resource rules, selectors and their exceptions.

Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from kubeanswers.objects import mapping, mappings, text_map, texts
from kubeanswers.selectors import Selector

_EQUIVALENT: Final = ({("autoscaling", "v1"), ("autoscaling", "v2")}, {("", "v1"), ("events.k8s.io", "v1")})
_EXEMPT: Final = frozenset(
    [
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
    ]
)


class Matched(Protocol):
    """What matching looks at in a request."""

    @property
    def operation(self) -> str: ...  # noqa: D102 - fields of AdmissionRequest
    @property
    def group(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def resource(self) -> str: ...  # noqa: D102
    @property
    def subresource(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def namespace(self) -> str: ...  # noqa: D102
    @property
    def object(self) -> Mapping[str, Any] | None: ...  # noqa: D102
    @property
    def old(self) -> Mapping[str, Any] | None: ...  # noqa: D102


def matches_constraints(constraints: Mapping[str, Any], request: Matched, labels: object, *, needs_rules: bool) -> bool:
    """Return whether the constraints mean the request; a binding's may leave the rules out, a policy's may not."""
    if request.group == "admissionregistration.k8s.io" and request.resource in _EXEMPT:
        return False
    rules = mappings(constraints.get("resourceRules"))
    equivalent = constraints.get("matchPolicy", "Equivalent") == "Equivalent"
    if (rules or needs_rules) and not any(_rule(rule, request, equivalent=equivalent) for rule in rules):
        return False
    if any(_rule(rule, request, equivalent=equivalent) for rule in mappings(constraints.get("excludeResourceRules"))):
        return False
    return _namespace(constraints, request, labels) and _object(constraints, request)


def needs_conversion(constraints: Mapping[str, Any], request: Matched) -> bool:
    """Return whether constraints that mean the request do so only as another version of its kind."""
    rules = mappings(constraints.get("resourceRules"))
    return bool(rules) and not any(_rule(rule, request, equivalent=False) for rule in rules)


def _rule(rule: Mapping[str, Any], request: Matched, *, equivalent: bool) -> bool:
    operations = texts(rule.get("operations"))
    if "*" not in operations and request.operation not in operations:
        return False
    names = texts(rule.get("resourceNames"))
    if names and request.name not in names:
        return False
    scope = rule.get("scope") or "*"
    if scope != "*" and (scope == "Namespaced") != bool(request.namespace):
        return False
    return _version(rule, request, equivalent=equivalent) and any(
        _resource(item, request) for item in texts(rule.get("resources"))
    )


def _version(rule: Mapping[str, Any], request: Matched, *, equivalent: bool) -> bool:
    groups, versions = texts(rule.get("apiGroups")), texts(rule.get("apiVersions"))
    served = [{(request.group, request.version)}]
    if equivalent and request.resource in ("horizontalpodautoscalers", "events"):
        served += [group for group in _EQUIVALENT if (request.group, request.version) in group]
    any_version = "*" in versions or (equivalent and _custom(request.group))  # which are served is not known here
    return any(
        ("*" in groups or group in groups) and (any_version or version in versions)
        for pairs in served
        for group, version in pairs
    )


def _custom(group: str) -> bool:
    return "." in group and not group.endswith(".k8s.io")


def _resource(pattern: str, request: Matched) -> bool:
    name, _, sub = pattern.partition("/")
    return name in ("*", request.resource) and (
        sub in ("*", request.subresource) if "/" in pattern else not request.subresource
    )


def _namespace(constraints: Mapping[str, Any], request: Matched, labels: object) -> bool:
    selector = constraints.get("namespaceSelector")
    if not selector:
        return True
    if request.resource == "namespaces" and request.group == "" and not request.namespace:
        shown = request.object if request.object is not None else request.old
        return Selector.of(selector).matches(_labels(shown, request.name))
    if not request.namespace:
        return True  # a cluster-scoped object has no namespace to select by
    own = {**text_map(labels), "kubernetes.io/metadata.name": request.namespace}
    return Selector.of(selector).matches(own)


def _labels(data: Mapping[str, Any] | None, name: str = "") -> Mapping[str, str]:
    found = dict(text_map(mapping(mapping(data).get("metadata")).get("labels")))
    return {**found, "kubernetes.io/metadata.name": name} if name else found


def _object(constraints: Mapping[str, Any], request: Matched) -> bool:
    selector = constraints.get("objectSelector")
    if not selector:
        return True
    chosen = Selector.of(selector)
    return any(chosen.matches(_labels(item)) for item in (request.object, request.old) if item is not None)
