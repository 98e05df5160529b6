"""What the API server finds wrong with a ValidatingAdmissionPolicy or its binding.

Source: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/validating-admission-policy-v1/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tenancykit.auditing.cel import DYN, CelSyntaxError, parse, result_type
from tenancykit.auditing.cel.check import ANY
from tenancykit.auditing.objects import mapping, mappings, scalar_text, texts

_REASONS: Final = frozenset({"Forbidden", "Invalid", "RequestEntityTooLarge"})
_OPERATIONS: Final = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT", "*"})
_IDENTIFIER: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_KNOWN: Final[Mapping[str, str]] = {
    "object": DYN,
    "oldObject": DYN,
    "request": DYN,
    "namespaceObject": DYN,
    "authorizer": ANY,
    "variables": DYN,
}


def policy_faults(policy: Mapping[str, Any]) -> list[str]:
    """Return every fault for which a policy would be refused."""
    spec = mapping(policy.get("spec"))
    known = {**_KNOWN, "params": DYN} if spec.get("paramKind") else dict(_KNOWN)
    found = [*_match_faults(mapping(spec.get("matchConstraints")))]
    if spec.get("failurePolicy", "Fail") not in ("Fail", "Ignore"):
        found.append("spec.failurePolicy: supported values: Fail, Ignore")
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        found.append("spec.validations: validations or auditAnnotations must be there")
    fields, faults = _variable_faults(mappings(spec.get("variables")), known)
    found += faults
    declared = {"variables": fields}
    for i, item in enumerate(mappings(spec.get("matchConditions"))):
        place = f"spec.matchConditions[{i}]"
        without = {key: kind for key, kind in known.items() if key != "variables"}
        found += _expression_faults(f"{place}.expression", item.get("expression"), "bool", without, declared)
        if not re.fullmatch(
            r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?",
            scalar_text(item.get("name")),
        ):
            found.append(f"{place}.name: must be a qualified name")
    found += _unique(
        "spec.matchConditions", [scalar_text(item.get("name")) for item in mappings(spec.get("matchConditions"))]
    )
    for i, item in enumerate(mappings(spec.get("validations"))):
        found += _validation_faults(f"spec.validations[{i}]", item, known, declared)
    for i, item in enumerate(mappings(spec.get("auditAnnotations"))):
        place = f"spec.auditAnnotations[{i}].valueExpression"
        found += _expression_faults(place, item.get("valueExpression"), "string", known, declared)
    return found


def _match_faults(constraints: Mapping[str, Any]) -> Iterable[str]:
    rules = mappings(constraints.get("resourceRules"))
    if not rules:
        yield "spec.matchConstraints.resourceRules: required"
    for rule in rules:
        for key in ("operations", "apiGroups", "apiVersions", "resources"):
            if not texts(rule.get(key)):
                yield f"spec.matchConstraints.resourceRules.{key}: required"
        if not set(texts(rule.get("operations"))) <= _OPERATIONS:
            yield "spec.matchConstraints.resourceRules.operations: unsupported value"


def _variable_faults(given: list[Mapping[str, Any]], known: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    fields: dict[str, str] = {}
    found: list[str] = []
    for i, item in enumerate(given):
        place, name = f"spec.variables[{i}]", scalar_text(item.get("name"))
        if not _IDENTIFIER.fullmatch(name):
            found.append(f"{place}.name: is not a valid CEL identifier")
        if name in fields:
            found.append(f"{place}.name: Duplicate value")
        kind = ANY
        try:
            kind = result_type(parse(scalar_text(item.get("expression"))), known, {"variables": dict(fields)})
        except CelSyntaxError as error:
            found.append(f"{place}.expression: compilation failed: {error}")
        fields[name] = kind
    return fields, found


def _validation_faults(
    place: str, item: Mapping[str, Any], known: Mapping[str, str], fields: Mapping[str, Mapping[str, str]]
) -> list[str]:
    found = _expression_faults(f"{place}.expression", item.get("expression"), "bool", known, fields)
    message = scalar_text(item.get("message"))
    if "\n" in message.strip() or (message and not message.strip()):
        found.append(f"{place}.message: must not contain line breaks, nor be blank")
    if item.get("messageExpression"):
        without = {key: kind for key, kind in known.items() if key != "authorizer"}
        found += _expression_faults(f"{place}.messageExpression", item["messageExpression"], "string", without, fields)
    if item.get("reason") is not None and item["reason"] not in _REASONS:
        found.append(f"{place}.reason: supported values: {', '.join(sorted(_REASONS))}")
    return found


def _expression_faults(
    place: str, text: object, wanted: str, known: Mapping[str, str], fields: Mapping[str, Mapping[str, str]]
) -> list[str]:
    if not scalar_text(text).strip():
        return [f"{place}: required"]
    try:
        kind = result_type(parse(scalar_text(text)), known, fields)
    except CelSyntaxError as error:
        return [f"{place}: compilation failed: {error}"]
    return [] if kind in (wanted, ANY) else [f"{place}: must evaluate to {wanted} but got {kind}"]


def _unique(place: str, names: list[str]) -> list[str]:
    return [f"{place}: Duplicate value {name}" for name in sorted(set(names)) if names.count(name) > 1]


def binding_faults(binding: Mapping[str, Any]) -> list[str]:
    """Return every fault for which a binding would be refused."""
    spec = mapping(binding.get("spec"))
    actions = texts(spec.get("validationActions"))
    found: list[str] = []
    if not scalar_text(spec.get("policyName")):
        found.append("spec.policyName: required")
    if not actions:
        found.append("spec.validationActions: required")
    if not set(actions) <= {"Deny", "Warn", "Audit"}:
        found.append("spec.validationActions: supported values: Audit, Deny, Warn")
    if {"Deny", "Warn"} <= set(actions):
        found.append("spec.validationActions: must not contain both Deny and Warn")
    found += _unique("spec.validationActions", actions)
    ref = mapping(spec.get("paramRef"))
    if ref:
        if bool(ref.get("name")) == (ref.get("selector") is not None):
            found.append("spec.paramRef: one of name and selector must be set")
        if ref.get("parameterNotFoundAction") not in ("Allow", "Deny"):
            found.append("spec.paramRef.parameterNotFoundAction: supported values: Allow, Deny")
    return found
