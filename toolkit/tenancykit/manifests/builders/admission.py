"""Admission inside the API server: ValidatingAdmissionPolicy and MutatingAdmissionPolicy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.labels import CLASS_LABEL, POOL_LABEL
from tenancykit.manifests.builders.admission_rules import Rule, class_rules, pool_expression
from tenancykit.manifests.builds import OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClassScope, ClusterScope, is_alone

API: Final = "admissionregistration.k8s.io/v1"


def validating_policies(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield a policy and its binding for every rule of every class that chose ValidatingAdmissionPolicy."""
    for cls in scope.classes:
        for rule in class_rules(cls, scope.everyone):
            name = f"tenancykit-{cls.id}-{rule.name}"
            because = ("pol_vap", *rule.because)
            yield manifest(
                because,
                rule.requirement,
                "admission",
                API,
                "ValidatingAdmissionPolicy",
                name,
                spec=policy_spec(rule),
            )
            yield manifest(
                because,
                rule.requirement,
                "admission",
                API,
                "ValidatingAdmissionPolicyBinding",
                name,
                spec={
                    "policyName": name,
                    "validationActions": ["Warn", "Audit"] if cls.admission_reports else ["Deny", "Audit"],
                    **({} if rule.every_namespace else {"matchResources": {"namespaceSelector": selector(cls)}}),
                },
            )


def selector(cls: ClassScope) -> dict[str, Any]:
    """Return the selector of a class's namespaces."""
    return {"matchLabels": {CLASS_LABEL: cls.id}}


def policy_spec(rule: Rule) -> dict[str, Any]:
    """Return the part of a policy that ValidatingAdmissionPolicy and Kyverno's ValidatingPolicy share."""
    spec: dict[str, Any] = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [resource_rule(rule)]},
    }
    if rule.conditions:
        spec["matchConditions"] = [{"name": name, "expression": text} for name, text in rule.conditions]
    spec["validations"] = [{"expression": text, "message": message} for text, message in rule.validations]
    return spec


def resource_rule(rule: Rule) -> dict[str, Any]:
    """Return the requests a rule looks at."""
    target = rule.target
    return {
        "apiGroups": [target.group],
        "apiVersions": [target.version],
        "operations": list(target.operations),
        "resources": [target.resource],
    }


def patches(cls: ClassScope) -> tuple[str, ...]:
    """Return CEL that yields JSON patches: what a pod of the class gets set at creation.

    Node selectors and tolerations are atomic in the API, so apply configurations cannot set them:
    https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
    """
    found: list[str] = []
    pool = pool_expression(cls)
    if pool != "''" and not is_alone(cls):
        escaped = POOL_LABEL.replace("/", "~1")
        found.append(
            "[has(object.spec.nodeSelector) ? "
            f'JSONPatch{{op: "add", path: "/spec/nodeSelector/{escaped}", value: {pool}}} : '
            f'JSONPatch{{op: "add", path: "/spec/nodeSelector", value: {{"{POOL_LABEL}": {pool}}}}}]'
        )
        toleration = f'{{"key": "{POOL_LABEL}", "operator": "Equal", "value": {pool}, "effect": "NoSchedule"}}'
        found.append(
            "[has(object.spec.tolerations) ? "
            f'JSONPatch{{op: "add", path: "/spec/tolerations/-", value: {toleration}}} : '
            f'JSONPatch{{op: "add", path: "/spec/tolerations", value: [{toleration}]}}]'
        )
    sandbox = cls.found.sandbox
    if sandbox.runtime_class:
        text = f'"{sandbox.runtime_class}"'
        if sandbox.gpu_runtime_class:
            text = f'({_ASKS_FOR_GPU} ? "{sandbox.gpu_runtime_class}" : {text})'
        found.append(f'[JSONPatch{{op: "add", path: "/spec/runtimeClassName", value: {text}}}]')
    if "rt_userns" in cls.options:
        found.append('[JSONPatch{op: "add", path: "/spec/hostUsers", value: false}]')
    return tuple(found)


_ASKS_FOR_GPU: Final = (
    "object.spec.containers.exists(c, has(c.resources) && has(c.resources.limits) && "
    "c.resources.limits.exists(r, r.startsWith('nvidia.com/')))"
)


def mutation_spec(cls: ClassScope) -> dict[str, Any]:
    """Return the part of a policy that MutatingAdmissionPolicy and Kyverno's MutatingPolicy share."""
    return {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "IfNeeded",
        "matchConstraints": {
            "namespaceSelector": selector(cls),
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
            ],
        },
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": text}} for text in patches(cls)],
    }


def mutating_policies(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield a policy and its binding that set pool, runtime and user namespace of a class's pods (GA in 1.36)."""
    for cls in scope.classes:
        if not patches(cls):
            continue
        name = f"tenancykit-{cls.id}-defaults"
        yield manifest(
            "pol_map", "placement", "admission", API, "MutatingAdmissionPolicy", name, spec=mutation_spec(cls)
        )
        yield manifest(
            "pol_map",
            "placement",
            "admission",
            API,
            "MutatingAdmissionPolicyBinding",
            name,
            spec={"policyName": name},
        )


BUILDS: Final[dict[str, OptionBuild]] = {
    "pol_vap": OptionBuild((("pods", validating_policies),), upstream="Kubernetes 1.30"),
    "pol_map": OptionBuild((("pods", mutating_policies),), upstream="Kubernetes 1.36"),
}
"""What is built for each option that only this module serves."""
