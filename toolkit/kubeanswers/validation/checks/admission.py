"""Validating and mutating admission policies and their bindings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import expressions, words
from kubeanswers.validation.checks.metadata import selector
from kubeanswers.validation.checks.report import Report, each, items, mapping

_RESERVED: Final = frozenset(
    {"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import"}
    | {"in", "let", "loop", "null", "package", "namespace", "return", "true", "var", "void", "while"}
)
"""Words an identifier must not be."""
VARIABLES: Final = frozenset({"object", "oldObject", "request", "namespaceObject", "authorizer"})
"""What an expression of an admission policy may name; ``params`` and ``variables`` where they are declared."""
Scope = tuple[tuple[str, str], ...]
_DYNAMIC: Final[Scope] = (("object", "dyn"), ("oldObject", "dyn"), ("params", "dyn"))
"""Types of what an expression names, where the compiler knows no more than data will tell."""
_MOST_CONDITIONS: Final = 64
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
    known = VARIABLES | ({"params"} if spec.get("paramKind") is not None else set())
    match_conditions("spec.matchConditions", spec.get("matchConditions"), known, report)
    declared: set[str] = set()
    scope = _DYNAMIC
    for place, variable in each("spec.variables", spec.get("variables")):
        _declared(f"{place}.expression", variable.get("expression"), declared, report)
        declared.add(str(variable.get("name")))
        report.text(f"{place}.name", variable.get("name") or "", words.c_identifier)
        if variable.get("name") in _RESERVED:
            report.add(f"{place}.name", f"{variable['name']!r} is a word of the language")
        _expression(f"{place}.expression", variable.get("expression"), report, (), known | {"variables"}, scope)
        found = expressions.static_type(str(variable.get("expression") or ""), scope)
        scope += ((f"variables.{variable.get('name')}", found),) if found else ()
    if spec.get("paramKind") is not None:
        _param_kind("spec.paramKind", mapping(spec["paramKind"]), report)
    if obj.get("kind") == "MutatingAdmissionPolicy":
        _mutations(spec, report)
    else:
        _validations(obj, known | {"variables"}, scope, report)
        for place, one in each("spec.validations", spec.get("validations")):
            _declared(f"{place}.expression", one.get("expression"), declared, report)


def match_conditions(path: str, value: Any, known: frozenset[str], report: Report) -> None:
    """Check the conditions a request must meet before anything else is asked."""
    if len(items(value)) > _MOST_CONDITIONS:
        report.add(path, f"at most {_MOST_CONDITIONS} are allowed")
    for place, condition in each(path, value):
        if report.required(f"{place}.name", condition.get("name")):
            report.text(f"{place}.name", condition["name"], words.qualified_name)
        _expression(f"{place}.expression", condition.get("expression"), report, (bool,), known)
    report.unique(path, [condition.get("name") for _, condition in each("", value)], ".name")


def _param_kind(path: str, value: Mapping[str, Any], report: Report) -> None:
    for field in ("apiVersion", "kind"):
        report.required(f"{path}.{field}", value.get(field))
    group, _, version = str(value.get("apiVersion") or "v1").rpartition("/")
    report.text(f"{path}.apiVersion", group or None, words.dns_subdomain)
    report.text(f"{path}.apiVersion", version, words.dns_1035_label)
    report.text(f"{path}.kind", str(value.get("kind") or "x").lower(), words.dns_1035_label)


def _declared(path: str, value: Any, declared: set[str], report: Report) -> None:
    """Note variables that are not declared before their use."""
    for name in expressions.fields_of("variables", str(value or "")):
        if name not in declared:
            report.add(path, f"does not compile: undefined field {name!r} of variables")


def _validations(obj: Mapping[str, Any], known: frozenset[str], scope: Scope, report: Report) -> None:
    spec = mapping(obj.get("spec"))
    validations, audits = items(spec.get("validations")), items(spec.get("auditAnnotations"))
    if not validations and not audits:
        report.add("spec.validations", "validations or auditAnnotations must hold at least one item")
    reasons = ("Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge")
    for place, one in each("spec.validations", validations):
        _expression(f"{place}.expression", one.get("expression"), report, (bool,), known, scope)
        if "\n" in str(one.get("message") or ""):
            report.add(f"{place}.message", "must not contain line breaks")
        elif one.get("message") is not None and not str(one["message"]).strip():
            report.add(f"{place}.message", "must be non-empty if given")
        if one.get("messageExpression"):
            _expression(f"{place}.messageExpression", one["messageExpression"], report, (str,), known, scope)
        report.choice(f"{place}.reason", one.get("reason"), reasons)
    keys: list[Any] = []
    for place, one in each("spec.auditAnnotations", audits):
        if report.required(f"{place}.key", one.get("key")):
            name = mapping(obj.get("metadata")).get("name")
            report.text(f"{place}.key", f"{name}/{one['key']}" if name else one["key"], words.qualified_name)
        keys.append(one.get("key"))
        _expression(f"{place}.valueExpression", one.get("valueExpression"), report, (str, type(None)), known, scope)
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


def _expression(
    path: str,
    value: Any,
    report: Report,
    types: tuple[type, ...],
    known: frozenset[str],
    scope: Scope = _DYNAMIC,
) -> None:
    if value is None or not str(value).strip():
        report.add(path, "is required")
        return
    if wrong := expressions.fault(str(value), types, known, scope):
        report.add(path, wrong)


def match_resources(path: str, value: Mapping[str, Any], report: Report) -> None:
    """Check which requests an admission policy or binding looks at."""
    report.choice(f"{path}.matchPolicy", value.get("matchPolicy"), ("Equivalent", "Exact"))
    for field in ("namespaceSelector", "objectSelector"):
        selector(f"{path}.{field}", value.get(field), report)
    for group in ("resourceRules", "excludeResourceRules"):
        rules(f"{path}.{group}", value.get(group), report)


def rules(path: str, value: Any, report: Report) -> None:
    """Check which operations on which resources are looked at."""
    for place, rule in each(path, value):
        for field in ("apiGroups", "apiVersions", "operations"):
            _words_of_rule(place, field, rule, report)
        _resources(f"{place}.resources", items(rule.get("resources")), report)
        report.unique(f"{place}.resourceNames", items(rule.get("resourceNames")))
        if rule.get("scope") is not None:
            report.choice(f"{place}.scope", rule["scope"], ("*", "Cluster", "Namespaced"), optional=False)


def _words_of_rule(path: str, field: str, rule: Mapping[str, Any], report: Report) -> None:
    values = items(rule.get(field))
    if not values:
        report.add(f"{path}.{field}", "is required")
    if field == "operations":
        for index, one in enumerate(values):
            report.choice(f"{path}.operations[{index}]", one, _OPERATIONS, optional=False)
    if field == "apiVersions" and not all(values):
        report.add(f"{path}.apiVersions", "a version must not be empty")
    if "*" in values and len(values) > 1:
        report.add(f"{path}.{field}", "if '*' is present, nothing else may be")


def _resources(path: str, values: list[Any], report: Report) -> None:
    """Check the resources of a rule: no empty one, and none that another covers already."""
    if not values:
        report.add(path, "is required")
    subs = [str(one) for one in values]
    for index, text in enumerate(subs):
        resource, slash, sub = text.partition("/")
        if not text or (slash and not (resource and sub)):
            report.add(f"{path}[{index}]", f"{text!r} must be a resource or a resource and a subresource")
        covered = (slash and sub != "*" and f"{resource}/*" in subs) or (
            slash and resource != "*" and f"*/{sub}" in subs
        )
        if covered:
            report.add(f"{path}[{index}]", f"{text!r} is covered by another")
    if "*/*" in subs and len(subs) > 1:
        report.add(path, "if '*/*' is present, nothing else may be")
    if "*" in subs and any("/" not in text for text in subs if text != "*"):
        report.add(path, "if '*' is present, no other resource without subresource may be")


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
    report.text("spec.policyName", spec.get("policyName") or None, words.dns_subdomain)
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
