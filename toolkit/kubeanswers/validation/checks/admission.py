"""Validating and mutating admission policies and their bindings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.cel import CelSyntaxError, Type
from kubeanswers.cel.declarations import AUTHORIZER, NAMESPACE, REQUEST
from kubeanswers.cel.syntax import RESERVED
from kubeanswers.cel.types import BOOL, DYN, NULL, STRING
from kubeanswers.validation.checks import expressions, words
from kubeanswers.validation.checks.metadata import selector
from kubeanswers.validation.checks.report import Report, each, items, mapping

VARIABLES: Final[Mapping[str, Type]] = {
    "object": DYN,
    "oldObject": DYN,
    "request": REQUEST,
    "namespaceObject": NAMESPACE,
    "authorizer": AUTHORIZER,
}
"""What an expression of an admission policy may name; ``params`` and ``variables`` where they are declared."""
_DECLARED: Final = Type("kubernetes.variables")
_KEPT: Final = frozenset(
    {"bool", "bytes", "double", "duration", "int", "list", "map", "null", "string", "timestamp", "uint"}
)
_MOST_CONDITIONS: Final = 64
_MOST_ANNOTATIONS: Final = 20
_LONGEST_VALUE: Final = 5 * 1024
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
    known = {**VARIABLES, **({"params": DYN} if spec.get("paramKind") else {})}
    match_conditions("spec.matchConditions", spec.get("matchConditions"), known, report)
    known["variables"] = _DECLARED
    fields = _variables(spec.get("variables"), known, report)
    if spec.get("paramKind") is not None:
        _param_kind("spec.paramKind", mapping(spec["paramKind"]), report)
    if obj.get("kind") == "MutatingAdmissionPolicy":
        _mutations(spec, report)
    else:
        _validations(obj, known, {_DECLARED.name: fields}, report)


def _variables(value: Any, known: Mapping[str, Type], report: Report) -> dict[str, Type]:
    """Check variables, each of which may read those before it; return the type of each."""
    fields: dict[str, Type] = {}
    for place, variable in each("spec.variables", value):
        name = str(variable.get("name") or "")
        report.text(f"{place}.name", name, words.c_identifier)
        if name in RESERVED:
            report.add(f"{place}.name", f"{name!r} is a word of the language, no identifier")
        kind = DYN
        try:
            kind = _kept(expressions.compiled(str(variable.get("expression") or ""), known, {_DECLARED.name: fields}))
        except CelSyntaxError as error:
            report.add(f"{place}.expression", f"does not compile: {error}")
        fields[name] = kind
    return fields


def _kept(kind: Type) -> Type:
    """Return the type a variable keeps of its expression's; what is neither plain nor a list or map is decided late."""
    return Type(kind.name, tuple(map(_kept, kind.parameters))) if kind.name in _KEPT else DYN


def match_conditions(path: str, value: Any, known: Mapping[str, Type], report: Report) -> None:
    """Check the conditions a request must meet before anything else is asked."""
    if len(items(value)) > _MOST_CONDITIONS:
        report.add(path, f"at most {_MOST_CONDITIONS} are allowed")
    for place, condition in each(path, value):
        if report.required(f"{place}.name", condition.get("name")):
            report.text(f"{place}.name", condition["name"], words.qualified_name)
        _expression(f"{place}.expression", condition.get("expression"), report, (BOOL,), known)
    report.unique(path, [condition.get("name") for _, condition in each("", value)], ".name")


def _param_kind(path: str, value: Mapping[str, Any], report: Report) -> None:
    for field in ("apiVersion", "kind"):
        report.required(f"{path}.{field}", value.get(field))
    group, _, version = str(value.get("apiVersion") or "v1").rpartition("/")
    report.text(f"{path}.apiVersion", group or None, words.dns_subdomain)
    report.text(f"{path}.apiVersion", version, words.dns_1035_label)
    report.text(f"{path}.kind", str(value.get("kind") or "x").lower(), words.dns_1035_label)


def _validations(obj: Mapping[str, Any], known: Mapping[str, Type], fields: expressions.Fields, report: Report) -> None:
    spec = mapping(obj.get("spec"))
    if not items(spec.get("validations")) and not items(spec.get("auditAnnotations")):
        report.add("spec.validations", "validations or auditAnnotations must hold at least one item")
    for place, one in each("spec.validations", spec.get("validations")):
        _expression(f"{place}.expression", one.get("expression"), report, (BOOL,), known, fields)
        message = str(one.get("message") or "")
        if "\n" in message.strip() or "\r" in message.strip():
            report.add(f"{place}.message", "must not contain line breaks")
        elif message and not message.strip():
            report.add(f"{place}.message", "must be non-empty if given")
        if one.get("messageExpression"):
            seen = {name: kind for name, kind in known.items() if name != "authorizer"}
            _expression(f"{place}.messageExpression", one["messageExpression"], report, (STRING,), seen, fields)
        report.choice(f"{place}.reason", one.get("reason"), ("Forbidden", "Invalid", "RequestEntityTooLarge"))
    _annotations(obj, known, fields, report)


def _annotations(obj: Mapping[str, Any], known: Mapping[str, Type], fields: expressions.Fields, report: Report) -> None:
    path, audits = "spec.auditAnnotations", items(mapping(obj.get("spec")).get("auditAnnotations"))
    if len(audits) > _MOST_ANNOTATIONS:
        report.add(path, f"at most {_MOST_ANNOTATIONS} are allowed")
    name = mapping(obj.get("metadata")).get("name")
    for place, one in each(path, audits):
        if report.required(f"{place}.key", one.get("key")):
            report.text(f"{place}.key", f"{name}/{one['key']}" if name else one["key"], words.qualified_name)
        text = str(one.get("valueExpression") or "")
        if len(text.strip().encode()) > _LONGEST_VALUE:
            report.add(f"{place}.valueExpression", f"must not exceed {_LONGEST_VALUE} bytes in length")
        _expression(f"{place}.valueExpression", text, report, (STRING, NULL), known, fields)
    report.unique(path, [one.get("key") for _, one in each("", audits)], ".key")


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
    wanted: tuple[Type, ...],
    known: Mapping[str, Type],
    fields: expressions.Fields | None = None,
) -> None:
    if value is None or not str(value).strip():
        report.add(path, "is required")
    elif wrong := expressions.fault(str(value), wanted, known, fields):
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
        report.text("spec.paramRef.name", found.get("name") or None, words.path_segment)
        selector("spec.paramRef.selector", found.get("selector"), report)
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
