"""Quotas, limits, RBAC, API fairness and admission policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tenancykit.manifests.checks import expressions, words
from tenancykit.manifests.checks.metadata import selector
from tenancykit.manifests.checks.report import Report, each, items, mapping

_SCOPES: Final = (
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
)
_COMPUTE: Final = frozenset(
    {"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory", "pods"}
)


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
    scopes = items(spec.get("scopes"))
    for index, scope in enumerate(scopes):
        report.choice(f"spec.scopes[{index}]", scope, _SCOPES, optional=False)
    if {"Terminating", "NotTerminating"} <= set(scopes) or {"BestEffort", "NotBestEffort"} <= set(scopes):
        report.add("spec.scopes", "hold two that exclude each other")
    _allowed("spec.scopes", scopes, hard, report)
    _scope_selector(spec, hard, report)


def _allowed(path: str, scopes: list[Any], hard: Mapping[str, Any], report: Report) -> None:
    for scope in scopes:
        if scope == "VolumeAttributesClass":
            continue
        allowed = {"pods"} if scope == "BestEffort" else _COMPUTE
        bad = [name for name in hard if name not in allowed and "/" not in name and "ephemeral" not in name]
        if scope == "BestEffort":
            bad = [name for name in hard if name != "pods"]
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
        if kind not in kinds and "/" not in str(kind or ""):
            report.add(f"{place}.type", f"{kind!r} must be one of {', '.join(kinds)}")
        amounts = {field: _amounts(place, field, limit, report) for field in _FIELDS}
        if kind == "Pod":
            for field in ("default", "defaultRequest"):
                if amounts[field]:
                    report.add(f"{place}.{field}", "may not be given when type is Pod")
        if kind == "PersistentVolumeClaim" and not {"storage"} & {*amounts["min"], *amounts["max"]}:
            report.add(place, "min or max storage is required")
        _order(place, amounts, report)
    report.unique("spec.limits", seen, ".type")


_FIELDS: Final = ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")


def _amounts(path: str, field: str, limit: Mapping[str, Any], report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, amount in mapping(limit.get(field)).items():
        report.text(f"{path}.{field}[{name}]", name, words.qualified_name)
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
    aggregation = obj.get("aggregationRule")
    if cluster and aggregation is not None:
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
            if obj.get("kind") == "ClusterRoleBinding" or subject.get("namespace") == "":
                report.required(f"{place}.namespace", subject.get("namespace"))
        elif subject.get("apiGroup") not in (None, "", group):
            report.add(f"{place}.apiGroup", f"{subject.get('apiGroup')!r} is not {group}")


def flow_schema(obj: Mapping[str, Any], report: Report) -> None:
    """Check a FlowSchema."""
    spec = mapping(obj.get("spec"))
    level = mapping(spec.get("priorityLevelConfiguration")).get("name")
    if report.required("spec.priorityLevelConfiguration.name", level):
        report.text("spec.priorityLevelConfiguration.name", level, words.dns_subdomain)
    if spec.get("matchingPrecedence"):
        report.between("spec.matchingPrecedence", spec["matchingPrecedence"], 1, 10000)
    distinguisher = spec.get("distinguisherMethod")
    if distinguisher is not None:
        kind = mapping(distinguisher).get("type")
        report.choice("spec.distinguisherMethod.type", kind, ("ByNamespace", "ByUser"), optional=False)
    for place, rule in each("spec.rules", spec.get("rules")):
        if not items(rule.get("subjects")):
            report.add(f"{place}.subjects", "at least one is required")
        if not items(rule.get("resourceRules")) and not items(rule.get("nonResourceRules")):
            report.add(place, "at least one of resourceRules and nonResourceRules is required")
        for inner, subject in each(f"{place}.subjects", rule.get("subjects")):
            _flow_subject(inner, subject, report)
        for inner, one in each(f"{place}.resourceRules", rule.get("resourceRules")):
            _flow_resource(inner, one, report)
        for inner, one in each(f"{place}.nonResourceRules", rule.get("nonResourceRules")):
            _words(inner, "verbs", one, report)
            _words(inner, "nonResourceURLs", one, report)


def _flow_subject(path: str, subject: Mapping[str, Any], report: Report) -> None:
    fields = {"User": "user", "Group": "group", "ServiceAccount": "serviceAccount"}
    kind = str(subject.get("kind") or "")
    report.choice(f"{path}.kind", kind, fields, optional=False)
    for name, field in fields.items():
        if name == kind and subject.get(field) is None:
            report.add(f"{path}.{field}", f"is required when kind is {kind}")
        if name != kind and subject.get(field) is not None:
            report.add(f"{path}.{field}", f"is forbidden when kind is not {name}")
    account = mapping(subject.get("serviceAccount"))
    if kind == "ServiceAccount" and account:
        for field in ("namespace", "name"):
            report.required(f"{path}.serviceAccount.{field}", account.get(field))


def _flow_resource(path: str, rule: Mapping[str, Any], report: Report) -> None:
    for field in ("verbs", "apiGroups", "resources"):
        _words(path, field, rule, report)
    namespaces = items(rule.get("namespaces"))
    if not namespaces and not rule.get("clusterScope"):
        report.add(f"{path}.namespaces", "at least one is required for rules that are not cluster scoped")
    if "*" in namespaces and len(namespaces) > 1:
        report.add(f"{path}.namespaces", "'*' stands alone")


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
    limited = spec.get("limited")
    if kind == "Limited" and limited is None:
        report.add("spec.limited", "is required when type is Limited")
    if kind == "Exempt" and limited is not None:
        report.add("spec.limited", "must be absent when type is Exempt")
    if kind == "Limited" and spec.get("exempt") is not None:
        report.add("spec.exempt", "must be absent when type is Limited")
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
    queues, hand = found.get("queues", 64), found.get("handSize", 8)
    report.at_least(f"{path}.queuing.queueLengthLimit", found.get("queueLengthLimit"), 1)
    report.between(f"{path}.queuing.queues", queues, 1, 10_000_000)
    report.at_least(f"{path}.queuing.handSize", hand, 1)
    if hand > queues:
        report.add(f"{path}.queuing.handSize", f"should not be greater than queues ({queues})")


_OPERATIONS: Final = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")


def admission_policy(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ValidatingAdmissionPolicy or MutatingAdmissionPolicy."""
    spec = mapping(obj.get("spec"))
    report.choice("spec.failurePolicy", spec.get("failurePolicy"), ("Fail", "Ignore"))
    constraints = spec.get("matchConstraints")
    if constraints is None:
        report.add("spec.matchConstraints", "is required")
    else:
        match_resources("spec.matchConstraints", mapping(constraints), report)
        if not items(mapping(constraints).get("resourceRules")):
            report.add("spec.matchConstraints.resourceRules", "is required")
    names: list[Any] = []
    for place, condition in each("spec.matchConditions", spec.get("matchConditions")):
        if report.required(f"{place}.name", condition.get("name")):
            report.text(f"{place}.name", condition["name"], words.qualified_name)
        names.append(condition.get("name"))
        _expression(f"{place}.expression", condition.get("expression"), report, (bool,))
    report.unique("spec.matchConditions", names, ".name")
    for place, variable in each("spec.variables", spec.get("variables")):
        report.text(f"{place}.name", variable.get("name") or "", words.c_identifier)
        _expression(f"{place}.expression", variable.get("expression"), report, ())
    kind = spec.get("paramKind")
    if kind is not None:
        for field in ("apiVersion", "kind"):
            report.required(f"spec.paramKind.{field}", mapping(kind).get(field))
    if obj.get("kind") == "MutatingAdmissionPolicy":
        _mutations(spec, report)
    else:
        _validations(spec, report)


def _validations(spec: Mapping[str, Any], report: Report) -> None:
    validations, audits = items(spec.get("validations")), items(spec.get("auditAnnotations"))
    if not validations and not audits:
        report.add("spec.validations", "validations or auditAnnotations must hold at least one item")
    reasons = ("Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge")
    for place, one in each("spec.validations", validations):
        _expression(f"{place}.expression", one.get("expression"), report, (bool,))
        if "\n" in str(one.get("message") or ""):
            report.add(f"{place}.message", "must not contain line breaks")
        elif one.get("message") is not None and not str(one["message"]).strip():
            report.add(f"{place}.message", "must be non-empty if given")
        if "\n" in str(one.get("expression") or "") and one.get("message") in (None, ""):
            report.add(f"{place}.message", "is required when the expression has line breaks")
        if one.get("messageExpression"):
            _expression(f"{place}.messageExpression", one["messageExpression"], report, (str,))
        report.choice(f"{place}.reason", one.get("reason"), reasons)
    keys: list[Any] = []
    for place, one in each("spec.auditAnnotations", audits):
        if report.required(f"{place}.key", one.get("key")):
            report.text(f"{place}.key", one["key"], words.qualified_name)
        keys.append(one.get("key"))
        _expression(f"{place}.valueExpression", one.get("valueExpression"), report, (str, type(None)))
    report.unique("spec.auditAnnotations", keys, ".key")


def _mutations(spec: Mapping[str, Any], report: Report) -> None:
    if not items(spec.get("mutations")):
        report.add("spec.mutations", "at least one is required")
    report.choice("spec.reinvocationPolicy", spec.get("reinvocationPolicy"), ("Never", "IfNeeded"), optional=False)
    for place, one in each("spec.mutations", spec.get("mutations")):
        kinds = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
        kind = str(one.get("patchType") or "")
        report.choice(f"{place}.patchType", kind, kinds, optional=False)
        field = kinds.get(kind)
        if field and one.get(field) is None:
            report.add(f"{place}.{field}", f"is required when patchType is {kind}")
        elif field:
            report.required(f"{place}.{field}.expression", mapping(one[field]).get("expression"))


def _expression(path: str, value: Any, report: Report, types: tuple[type, ...]) -> None:
    if value is None or not str(value).strip():
        report.add(path, "is required")
        return
    if wrong := expressions.fault(str(value), types):
        report.add(path, wrong)


def match_resources(path: str, value: Mapping[str, Any], report: Report) -> None:
    """Check which requests an admission policy or binding looks at."""
    report.choice(f"{path}.matchPolicy", value.get("matchPolicy"), ("Equivalent", "Exact"))
    for field in ("namespaceSelector", "objectSelector"):
        selector(f"{path}.{field}", value.get(field), report)
    for group in ("resourceRules", "excludeResourceRules"):
        for place, rule in each(f"{path}.{group}", value.get(group)):
            for field in ("apiGroups", "apiVersions", "resources", "operations"):
                _words_of_rule(place, field, rule, report)
            report.choice(f"{place}.scope", rule.get("scope"), ("*", "Cluster", "Namespaced"))


def _words_of_rule(path: str, field: str, rule: Mapping[str, Any], report: Report) -> None:
    values = items(rule.get(field))
    if not values:
        report.add(f"{path}.{field}", "is required")
    if field == "operations":
        for index, one in enumerate(values):
            report.choice(f"{path}.operations[{index}]", one, _OPERATIONS, optional=False)
    if field != "resources" and "*" in values and len(values) > 1:
        report.add(f"{path}.{field}", "if '*' is present, nothing else may be")


def admission_binding(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ValidatingAdmissionPolicyBinding or MutatingAdmissionPolicyBinding."""
    spec = mapping(obj.get("spec"))
    report.required("spec.policyName", spec.get("policyName"))
    if obj.get("kind") == "ValidatingAdmissionPolicyBinding":
        actions = items(spec.get("validationActions"))
        if not actions:
            report.add("spec.validationActions", "at least one is required")
        for index, action in enumerate(actions):
            report.choice(f"spec.validationActions[{index}]", action, ("Audit", "Deny", "Warn"), optional=False)
        if {"Deny", "Warn"} <= set(actions):
            report.add("spec.validationActions", "Deny and Warn exclude each other")
        report.unique("spec.validationActions", actions)
    reference = spec.get("paramRef")
    if reference is not None:
        found = mapping(reference)
        chosen = [key for key in ("name", "selector") if found.get(key)]
        if len(chosen) != 1:
            report.add("spec.paramRef", "must have exactly one of name and selector")
        report.choice(
            "spec.paramRef.parameterNotFoundAction",
            found.get("parameterNotFoundAction"),
            ("Allow", "Deny"),
            optional=False,
        )
    if spec.get("matchResources") is not None:
        match_resources("spec.matchResources", mapping(spec["matchResources"]), report)
