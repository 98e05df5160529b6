"""What the API server finds wrong with a ValidatingAdmissionPolicy or its binding.

Source: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/validating-admission-policy-v1/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.admission.match_validation import (
    is_qualified,
    match_faults,
    selector_faults,
    unique_faults,
)
from kubeanswers.cel import CelSyntaxError, Type, parse, result_type
from kubeanswers.cel.declarations import AUTHORIZER, NAMESPACE, REQUEST
from kubeanswers.cel.syntax import RESERVED
from kubeanswers.cel.types import BOOL, DYN, NULL, STRING
from kubeanswers.objects import mapping, mappings, scalar_text, texts

_REASONS: Final = frozenset({"Forbidden", "Invalid", "RequestEntityTooLarge"})
_MOST_CONDITIONS: Final = 64
_MOST_ANNOTATIONS: Final = 20
_LONGEST_VALUE: Final = 5 * 1024
_LABEL: Final = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_DOMAIN: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_IDENTIFIER: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_VARIABLES: Final = Type("kubernetes.variables")
_KNOWN: Final[Mapping[str, Type]] = {
    "object": DYN,
    "oldObject": DYN,
    "request": REQUEST,
    "namespaceObject": NAMESPACE,
    "authorizer": AUTHORIZER,
    "variables": _VARIABLES,
}
_Fields = Mapping[str, Mapping[str, Type]]


def policy_faults(policy: Mapping[str, Any]) -> list[str]:
    """Return every fault for which a policy would be refused."""
    spec = mapping(policy.get("spec"))
    known = {**_KNOWN, "params": DYN} if spec.get("paramKind") else dict(_KNOWN)
    found = match_faults("spec.matchConstraints", mapping(spec.get("matchConstraints")), needs_rules=True)
    if spec.get("failurePolicy", "Fail") not in ("Fail", "Ignore"):
        found.append("spec.failurePolicy: supported values: Fail, Ignore")
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        found.append("spec.validations: validations or auditAnnotations must be there")
    found += _param_kind_faults(mapping(spec.get("paramKind")))
    fields, faults = _variable_faults(mappings(spec.get("variables")), known)
    declared = {_VARIABLES.name: fields}
    found += faults + _condition_faults(mappings(spec.get("matchConditions")), known, declared)
    for i, item in enumerate(mappings(spec.get("validations"))):
        found += _validation_faults(f"spec.validations[{i}]", item, known, declared)
    return found + _annotation_faults(policy, known, declared)


def _condition_faults(conditions: list[Mapping[str, Any]], known: Mapping[str, Type], declared: _Fields) -> list[str]:
    found = [] if len(conditions) <= _MOST_CONDITIONS else [f"spec.matchConditions: at most {_MOST_CONDITIONS}"]
    without = {key: kind for key, kind in known.items() if key != "variables"}
    for i, item in enumerate(conditions):
        place = f"spec.matchConditions[{i}]"
        found += _expression_faults(f"{place}.expression", item.get("expression"), (BOOL,), without, declared)
        if not is_qualified(scalar_text(item.get("name"))):
            found.append(f"{place}.name: must be a qualified name")
    return found + unique_faults("spec.matchConditions", [scalar_text(item.get("name")) for item in conditions])


def _annotation_faults(policy: Mapping[str, Any], known: Mapping[str, Type], declared: _Fields) -> list[str]:
    annotations = mappings(mapping(policy.get("spec")).get("auditAnnotations"))
    name = scalar_text(mapping(policy.get("metadata")).get("name")) or "policy"
    found = [] if len(annotations) <= _MOST_ANNOTATIONS else [f"spec.auditAnnotations: at most {_MOST_ANNOTATIONS}"]
    for i, item in enumerate(annotations):
        place, text = f"spec.auditAnnotations[{i}]", scalar_text(item.get("valueExpression"))
        if not is_qualified(f"{name}/{scalar_text(item.get('key'))}"):
            found.append(f"{place}.key: must be a qualified name after the policy's")
        if len(text.strip().encode()) > _LONGEST_VALUE:
            found.append(f"{place}.valueExpression: must not exceed {_LONGEST_VALUE} bytes in length")
        found += _expression_faults(f"{place}.valueExpression", text, (STRING, NULL), known, declared)
    return found + unique_faults("spec.auditAnnotations", [scalar_text(item.get("key")) for item in annotations])


def _param_kind_faults(kind: Mapping[str, Any]) -> list[str]:
    if not kind:
        return []
    found: list[str] = []
    version = scalar_text(kind.get("apiVersion"))
    group, _, plain = version.rpartition("/")
    if (group and not _DOMAIN.fullmatch(group)) or not _LABEL.fullmatch(plain):
        found.append(f"spec.paramKind.apiVersion: {version!r} is no group and version")
    if not _LABEL.fullmatch(scalar_text(kind.get("kind")).lower()):
        found.append("spec.paramKind.kind: must be a kind")
    return found


def _variable_faults(given: list[Mapping[str, Any]], known: Mapping[str, Type]) -> tuple[dict[str, Type], list[str]]:
    fields: dict[str, Type] = {}
    found: list[str] = []
    for i, item in enumerate(given):
        place, name = f"spec.variables[{i}]", scalar_text(item.get("name"))
        if not _IDENTIFIER.fullmatch(name) or name in RESERVED:
            found.append(f"{place}.name: is not a valid CEL identifier")
        kind = DYN
        try:
            kind = _stored(result_type(parse(scalar_text(item.get("expression"))), known, {_VARIABLES.name: fields}))
        except CelSyntaxError as error:
            found.append(f"{place}.expression: compilation failed: {error}")
        fields[name] = kind
    return fields, found


_KEPT: Final = frozenset(
    {"bool", "bytes", "double", "duration", "int", "list", "map", "null", "string", "timestamp", "uint"}
)


def _stored(kind: Type) -> Type:
    """Return the type a variable keeps of its expression's; what is neither plain nor a list or map is decided late."""
    return Type(kind.name, tuple(map(_stored, kind.parameters))) if kind.name in _KEPT else DYN


def _validation_faults(place: str, item: Mapping[str, Any], known: Mapping[str, Type], fields: _Fields) -> list[str]:
    found = _expression_faults(f"{place}.expression", item.get("expression"), (BOOL,), known, fields)
    message = scalar_text(item.get("message"))
    if re.search(r"[\r\n]", message.strip()) or (message and not message.strip()):
        found.append(f"{place}.message: must not contain line breaks, nor be blank")
    if item.get("messageExpression"):
        without = {key: kind for key, kind in known.items() if key != "authorizer"}
        found += _expression_faults(f"{place}.messageExpression", item["messageExpression"], (STRING,), without, fields)
    if item.get("reason") is not None and scalar_text(item["reason"]) not in _REASONS:
        found.append(f"{place}.reason: supported values: {', '.join(sorted(_REASONS))}")
    return found


def _expression_faults(
    place: str, text: object, wanted: tuple[Type, ...], known: Mapping[str, Type], fields: _Fields
) -> list[str]:
    if not scalar_text(text).strip():
        return [f"{place}: required"]
    try:
        kind = result_type(parse(scalar_text(text)), known, fields)
    except CelSyntaxError as error:
        return [f"{place}: compilation failed: {error}"]
    return [] if kind in wanted else [f"{place}: must evaluate to {' or '.join(map(str, wanted))} but got {kind}"]


def binding_faults(binding: Mapping[str, Any]) -> list[str]:
    """Return every fault for which a binding would be refused."""
    spec = mapping(binding.get("spec"))
    actions = texts(spec.get("validationActions"))
    found: list[str] = []
    if not _DOMAIN.fullmatch(scalar_text(spec.get("policyName"))):
        found.append("spec.policyName: required, a name of a policy")
    if spec.get("matchResources"):
        found += match_faults("spec.matchResources", mapping(spec["matchResources"]), needs_rules=False)
    if not actions:
        found.append("spec.validationActions: required")
    if not set(actions) <= {"Deny", "Warn", "Audit"}:
        found.append("spec.validationActions: supported values: Audit, Deny, Warn")
    if {"Deny", "Warn"} <= set(actions):
        found.append("spec.validationActions: must not contain both Deny and Warn")
    found += unique_faults("spec.validationActions", actions)
    return found + (_param_ref_faults(mapping(spec["paramRef"])) if spec.get("paramRef") is not None else [])


def _param_ref_faults(ref: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    name = scalar_text(ref.get("name"))
    if re.search(r"[/%]", name) or name in (".", ".."):
        found.append("spec.paramRef.name: must be a name")
    if ref.get("selector") is not None:
        found += selector_faults("spec.paramRef.selector", ref["selector"])
    if bool(name) == (ref.get("selector") is not None):
        found.append("spec.paramRef: one of name and selector must be set")
    if ref.get("parameterNotFoundAction") not in ("Allow", "Deny"):
        found.append("spec.paramRef.parameterNotFoundAction: supported values: Allow, Deny")
    return found
