"""Validating and mutating admission policies and their bindings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tenancykit.manifests.checks import expressions, words
from tenancykit.manifests.checks.metadata import selector
from tenancykit.manifests.checks.report import Report, each, items, mapping

_VARIABLES: Final = frozenset({"object", "oldObject", "request", "namespaceObject", "authorizer"})
"""What an expression of an admission policy may name; ``params`` and ``variables`` where they are declared."""
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
    known = _VARIABLES | ({"params"} if spec.get("paramKind") is not None else set())
    for place, condition in each("spec.matchConditions", spec.get("matchConditions")):
        if report.required(f"{place}.name", condition.get("name")):
            report.text(f"{place}.name", condition["name"], words.qualified_name)
        names.append(condition.get("name"))
        _expression(f"{place}.expression", condition.get("expression"), report, (bool,), known)
    report.unique("spec.matchConditions", names, ".name")
    declared: set[str] = set()
    for place, variable in each("spec.variables", spec.get("variables")):
        _declared(f"{place}.expression", variable.get("expression"), declared, report)
        declared.add(str(variable.get("name")))
        report.text(f"{place}.name", variable.get("name") or "", words.c_identifier)
        _expression(f"{place}.expression", variable.get("expression"), report, (), known | {"variables"})
    kind = spec.get("paramKind")
    if kind is not None:
        for field in ("apiVersion", "kind"):
            report.required(f"spec.paramKind.{field}", mapping(kind).get(field))
    if obj.get("kind") == "MutatingAdmissionPolicy":
        _mutations(spec, report)
    else:
        _validations(spec, known | {"variables"}, report)
        for place, one in each("spec.validations", spec.get("validations")):
            _declared(f"{place}.expression", one.get("expression"), declared, report)


def _declared(path: str, value: Any, declared: set[str], report: Report) -> None:
    """Note variables that are not declared before their use."""
    for name in expressions.fields_of("variables", str(value or "")):
        if name not in declared:
            report.add(path, f"does not compile: undefined field {name!r} of variables")


def _validations(spec: Mapping[str, Any], known: frozenset[str], report: Report) -> None:
    validations, audits = items(spec.get("validations")), items(spec.get("auditAnnotations"))
    if not validations and not audits:
        report.add("spec.validations", "validations or auditAnnotations must hold at least one item")
    reasons = ("Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge")
    for place, one in each("spec.validations", validations):
        _expression(f"{place}.expression", one.get("expression"), report, (bool,), known)
        if "\n" in str(one.get("message") or ""):
            report.add(f"{place}.message", "must not contain line breaks")
        elif one.get("message") is not None and not str(one["message"]).strip():
            report.add(f"{place}.message", "must be non-empty if given")
        if one.get("messageExpression"):
            _expression(f"{place}.messageExpression", one["messageExpression"], report, (str,), known)
        report.choice(f"{place}.reason", one.get("reason"), reasons)
    keys: list[Any] = []
    for place, one in each("spec.auditAnnotations", audits):
        if report.required(f"{place}.key", one.get("key")):
            report.text(f"{place}.key", one["key"], words.qualified_name)
        keys.append(one.get("key"))
        _expression(f"{place}.valueExpression", one.get("valueExpression"), report, (str, type(None)), known)
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


def _expression(path: str, value: Any, report: Report, types: tuple[type, ...], known: frozenset[str]) -> None:
    if value is None or not str(value).strip():
        report.add(path, "is required")
        return
    if wrong := expressions.fault(str(value), types, known):
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
        chosen = [key for key in ("name", "selector") if found.get(key) not in (None, "")]
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
