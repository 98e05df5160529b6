"""Admission policies of every engine whose rules are CEL, as policies and bindings; the rest is named, not guessed.

Kyverno's ValidatingPolicy has the fields of Kubernetes' own (https://kyverno.io/docs/policy-types/validating-policy/).
A Gatekeeper ConstraintTemplate with the K8sNativeValidation engine holds validations, its constraints say where they
apply (https://open-policy-agent.github.io/gatekeeper/website/docs/validating-admission-policy/).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.admission.guards import Guard, constraint_denies, guards, is_switched_off
from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text, texts
from kubeanswers.records import dataclass
from kubeanswers.validation.checks.admission import admission_binding, admission_policy
from kubeanswers.validation.checks.report import faults

_KUBERNETES: Final = "admissionregistration.k8s.io"
_KYVERNO: Final = "policies.kyverno.io"
_TEMPLATES: Final = "templates.gatekeeper.sh"
_CONSTRAINTS: Final = "constraints.gatekeeper.sh"
_OPAQUE: Final = (
    ("kyverno.io", "ClusterPolicy"),
    ("kyverno.io", "Policy"),
    *(
        (_KYVERNO, f"{scope}{kind}")
        for kind in ("ImageValidatingPolicy", "MutatingPolicy")
        for scope in ("", "Namespaced")
    ),
    (_KYVERNO, "NamespacedValidatingPolicy"),
    *(("mutations.gatekeeper.sh", kind) for kind in ("Assign", "AssignMetadata", "AssignImage", "ModifySet")),
    (_KUBERNETES, "ValidatingWebhookConfiguration"),
    (_KUBERNETES, "MutatingWebhookConfiguration"),
    (_KUBERNETES, "MutatingAdmissionPolicy"),
)
_MATCH: Final = frozenset(
    {"kinds", "namespaceSelector", "namespaces", "excludedNamespaces", "labelSelector", "scope", "source"}
)
_NAME: Final = "kubernetes.io/metadata.name"

Data = Mapping[str, Any]


@dataclass(frozen=True)
class EngineRules:
    """The admission rules of a set.

    Attributes:
        policies: policies to evaluate, in the form of ValidatingAdmissionPolicy.
        bindings: their bindings.
        opaque: objects that may also refuse or change requests and are not evaluated.
        guards: those of them that could refuse a request, each as a policy that refuses whatever it is asked about.
    """

    policies: tuple[Data, ...]
    bindings: tuple[Data, ...]
    opaque: tuple[ManifestObject, ...]
    guards: tuple[Guard, ...] = ()


def engine_rules(objects: ObjectSet) -> EngineRules:
    """Return every admission rule of the set; policies the API server would refuse are not rules."""
    policies, bindings = (
        [item.data for item in objects.of(_KUBERNETES, kind) if not faults(check, item.data)]
        for kind, check in (
            ("ValidatingAdmissionPolicy", admission_policy),
            ("ValidatingAdmissionPolicyBinding", admission_binding),
        )
    )
    opaque = [item for group, kind in _OPAQUE for item in objects.of(group, kind)]
    excepted = set(_excepted(objects))
    foreign: list[tuple[ManifestObject, Pair | tuple[()] | None]] = [
        (item, None if item.name in excepted else _kyverno(item)) for item in objects.of(_KYVERNO, "ValidatingPolicy")
    ]
    templates = {_constraint_kind(item): item for item in objects.of(_TEMPLATES, "ConstraintTemplate")}
    foreign += [(item, _gatekeeper(item, templates.get(item.kind))) for item in objects if item.group == _CONSTRAINTS]
    for item, pair in foreign:
        if pair is None:
            opaque.append(item)
        elif pair:
            policies.append(pair[0])
            bindings.append(pair[1])
    asked = guards(opaque, objects.namespaces, objects.kinds)
    return EngineRules(tuple(policies), tuple(bindings), tuple(opaque), tuple(asked))


def _excepted(objects: ObjectSet) -> Iterator[str]:
    """Yield the names of Kyverno policies with exceptions; what an exception takes out is not evaluated."""
    for item in objects.of(_KYVERNO, "PolicyException"):
        yield from (scalar_text(ref.get("name")) for ref in mappings(item.spec.get("policyRefs")))


Pair = tuple[Data, Data]


def _pair(title: str, spec: Data, actions: list[str]) -> Pair:
    metadata = {"name": title}
    binding = {"metadata": metadata, "spec": {"policyName": title, "validationActions": actions}}
    return {"metadata": metadata, "spec": spec}, binding


def _kyverno(item: ManifestObject) -> Pair | tuple[()] | None:
    """Return the policy, nothing where it is not asked at admission, None where only Kyverno can evaluate it."""
    if faults(admission_policy, item.data):
        return None
    if is_switched_off(item):
        return ()
    return _pair(f"Kyverno {item.name}", item.spec, texts(item.spec.get("validationActions")) or ["Deny"])


def _as_cel(value: object) -> str:
    """Return plain data as an expression; its lists and maps may mix types, those an expression writes out may not."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))}: dyn({_as_cel(item)})" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(f"dyn({_as_cel(item)})" for item in value) + "]"
    return json.dumps(value if isinstance(value, bool | int | float | None) else str(value))


def _constraint_kind(template: ManifestObject) -> str:
    return scalar_text(mapping(mapping(mapping(template.spec.get("crd")).get("spec")).get("names")).get("kind"))


def _gatekeeper(constraint: ManifestObject, template: ManifestObject | None) -> Pair | tuple[()] | None:
    """Return the constraint as a policy, nothing where it refuses nothing, None where it is not CEL."""
    target = next(iter(mappings(template.spec.get("targets"))), {}) if template else {}
    source = next(
        (mapping(c.get("source")) for c in mappings(target.get("code")) if c.get("engine") == "K8sNativeValidation"),
        None,
    )
    match = mapping(constraint.spec.get("match"))
    if source is None or not match.keys() <= _MATCH:
        return None
    if not constraint_denies(constraint):
        return ()
    parameters = _as_cel(constraint.spec.get("parameters") or {})
    variables = [
        {"name": "params", "expression": parameters},
        {"name": "anyObject", "expression": "object != null ? object : oldObject"},
        *mappings(source.get("variables")),
    ]
    spec = {
        "failurePolicy": source.get("failurePolicy", "Fail"),
        "matchConstraints": _match(match, texts(target.get("operations")) or ["CREATE", "UPDATE"]),
        "matchConditions": mappings(source.get("matchCondition")),
        "variables": variables,
        "validations": mappings(source.get("validations")),
    }
    title = f"Gatekeeper {constraint.kind}/{constraint.name}"
    return None if faults(admission_policy, {"spec": spec}) else _pair(title, spec, ["Deny"])


_PLURALS: Final = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses", "StorageClass": "storageclasses"}


def _match(match: Data, operations: list[str]) -> Data:
    rules = list(_rules(match, operations)) or [_rule(["*"], ["*"], operations)]
    made: dict[str, Any] = {"resourceRules": rules}
    terms = list(mappings(mapping(match.get("namespaceSelector")).get("matchExpressions")))
    for key, operator in (("namespaces", "In"), ("excludedNamespaces", "NotIn")):
        if texts(match.get(key)):
            terms.append({"key": _NAME, "operator": operator, "values": texts(match.get(key))})
    labels = mapping(mapping(match.get("namespaceSelector")).get("matchLabels"))
    if terms or labels:
        made["namespaceSelector"] = {"matchLabels": labels, "matchExpressions": terms}
    if match.get("labelSelector"):
        made["objectSelector"] = match["labelSelector"]
    return made


def _rules(match: Data, operations: list[str]) -> Iterator[Data]:
    for entry in mappings(match.get("kinds")):
        resources = [
            _PLURALS.get(kind, "*" if kind == "*" else f"{kind.lower()}s") for kind in texts(entry.get("kinds"))
        ]
        yield _rule(texts(entry.get("apiGroups")) or ["*"], resources or ["*"], operations)


def _rule(groups: list[str], resources: list[str], operations: list[str]) -> Data:
    return {"apiGroups": groups, "apiVersions": ["*"], "resources": resources, "operations": operations}
