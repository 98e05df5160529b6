"""Admission by webhook engines: Kyverno 1.19 (policies.kyverno.io/v1) and Gatekeeper 3.23."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from tenancykit.labels import POOL_LABEL
from tenancykit.manifests.builders.admission import mutation_spec, patches, policy_spec, selector
from tenancykit.manifests.builders.admission_rules import Rule, class_rules
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClassScope, ClusterScope, TenantScope, is_alone, pool_of

KYVERNO: Final = "policies.kyverno.io/v1"
_GENERATED: Final = (
    '{"apiVersion": dyn("networking.k8s.io/v1"), "kind": dyn("NetworkPolicy"), '
    '"metadata": dyn({"name": dyn("default-deny"), "namespace": dyn(object.metadata.name)}), '
    '"spec": dyn({"podSelector": dyn({}), "policyTypes": dyn(["Ingress", "Egress"])})}'
)


def kyverno_policies(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield validating, mutating and generating policies of every class that chose Kyverno."""
    for cls in scope.classes:
        for rule in class_rules(cls, scope.everyone):
            spec = policy_spec(rule)
            if not rule.every_namespace:
                spec["matchConstraints"]["namespaceSelector"] = selector(cls)
            spec["validationActions"] = ["Audit"] if cls.admission_reports else ["Deny"]
            name = f"tenancykit-{cls.id}-{rule.name}"
            because = ("pol_kyverno", *rule.because)
            yield manifest(because, rule.requirement, "admission", KYVERNO, "ValidatingPolicy", name, spec=spec)
        if patches(cls):
            yield manifest(
                "pol_kyverno",
                "placement",
                "admission",
                KYVERNO,
                "MutatingPolicy",
                f"tenancykit-{cls.id}-defaults",
                spec=mutation_spec(cls),
            )
        if "network-policy" in cls.found.facts:
            yield _default_deny_for_new_namespaces(cls)


def _default_deny_for_new_namespaces(cls: ClassScope) -> Manifest:
    """Return a policy that closes the moment between a namespace and its network policies."""
    spec = {
        "matchConstraints": {
            "namespaceSelector": selector(cls),
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["namespaces"]}
            ],
        },
        "variables": [{"name": "policy", "expression": _GENERATED}],
        "generate": [{"expression": "generator.apply(object.metadata.name, [variables.policy])"}],
    }
    name = f"tenancykit-{cls.id}-default-deny"
    return manifest("pol_kyverno", "isolation.network", "admission", KYVERNO, "GeneratingPolicy", name, spec=spec)


def gatekeeper_policies(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield a template and a constraint for every rule, and mutators that set pool and runtime of a class's pods."""
    for cls in scope.classes:
        for rule in class_rules(cls, scope.everyone):
            yield from _constraint(cls, rule)
        yield from _assignments(cls)


def _constraint(cls: ClassScope, rule: Rule) -> Iterator[Manifest]:
    kind = _kind(cls.id, rule.name)
    because = ("pol_gatekeeper", *rule.because)
    source: dict[str, Any] = {
        "failurePolicy": "Fail",
        "validations": [{"expression": text, "message": message} for text, message in rule.validations],
    }
    if rule.conditions:
        source["matchConditions"] = [{"name": name, "expression": text} for name, text in rule.conditions]
    yield manifest(
        because,
        rule.requirement,
        "admission",
        "templates.gatekeeper.sh/v1",
        "ConstraintTemplate",
        kind.lower(),
        spec={
            "crd": {"spec": {"names": {"kind": kind}}},
            "targets": [
                {
                    "target": "admission.k8s.gatekeeper.sh",
                    "operations": list(rule.target.operations),
                    "code": [{"engine": "K8sNativeValidation", "source": source}],
                }
            ],
        },
    )
    match: dict[str, Any] = {"kinds": [{"apiGroups": [rule.target.group], "kinds": [rule.target.kind]}]}
    if not rule.every_namespace:
        match["namespaceSelector"] = selector(cls)
    yield manifest(
        because,
        rule.requirement,
        "admission",
        "constraints.gatekeeper.sh/v1beta1",
        kind,
        f"tenancykit-{cls.id}-{rule.name}",
        spec={"enforcementAction": "dryrun" if cls.admission_reports else "deny", "match": match},
    )


def _kind(class_id: str, rule: str) -> str:
    """Return the constraint's kind; a hash keeps classes apart whose names differ in dashes only."""
    words = "".join(part.title() for part in f"{class_id}-{rule}".split("-"))
    mark = hashlib.sha256(class_id.encode()).hexdigest()[:6] if "-" in class_id else ""
    return f"Tenancykit{words}{mark}"


def _assignments(cls: ClassScope) -> Iterator[Manifest]:
    match = {"scope": "Namespaced", "namespaceSelector": selector(cls)}
    if cls.found.placement.domain == "class" and not is_alone(cls):
        yield from _pool(f"tenancykit-{cls.id}", cls.id, match)
    sandbox = cls.found.sandbox
    if sandbox.runtime_class:
        parameters: dict[str, Any] = {"assign": {"value": sandbox.runtime_class}}
        if sandbox.gpu_runtime_class:
            # Gatekeeper cannot look at resources: pods with GPUs name their class themselves and keep it.
            parameters["pathTests"] = [{"subPath": "spec.runtimeClassName", "condition": "MustNotExist"}]
        yield _assign(f"tenancykit-{cls.id}-runtime", "spec.runtimeClassName", parameters, match, "isolation.compute")
    if "rt_userns" in cls.options:
        value = {"assign": {"value": False}}
        yield _assign(f"tenancykit-{cls.id}-host-users", "spec.hostUsers", value, match, "isolation.compute")


def gatekeeper_tenant(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the mutators of a tenant with nodes of its own; Gatekeeper's values cannot read a namespace's labels."""
    if scope.cls.found.placement.domain != "tenant" or is_alone(scope.cls):
        return
    match = {"scope": "Namespaced", "namespaces": [scope.namespace]}
    yield from _pool(f"tenancykit-{scope.namespace}", pool_of(scope.cls, scope.tenant), match)


def _pool(name: str, pool: str, match: dict[str, Any]) -> Iterator[Manifest]:
    location = f'spec.nodeSelector."{POOL_LABEL}"'
    yield _assign(f"{name}-pool", location, {"assign": {"value": pool}}, match, "placement")
    toleration = {"key": POOL_LABEL, "operator": "Equal", "value": pool, "effect": "NoSchedule"}
    spec = {
        "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}],
        "match": match,
        "location": "spec.tolerations",
        "parameters": {"operation": "merge", "values": {"fromList": [toleration]}},
    }
    api = "mutations.gatekeeper.sh/v1"
    yield manifest("pol_gatekeeper", "placement", "admission", api, "ModifySet", f"{name}-toleration", spec=spec)


def _assign(name: str, location: str, parameters: dict[str, Any], match: dict[str, Any], requirement: Any) -> Manifest:
    return manifest(
        "pol_gatekeeper",
        requirement,
        "admission",
        "mutations.gatekeeper.sh/v1",
        "Assign",
        name,
        spec={
            "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}],
            "match": match,
            "location": location,
            "parameters": parameters,
        },
    )


def gatekeeper_config(scope: ClusterScope) -> Iterator[Manifest]:  # noqa: ARG001 - every builder takes its scope
    """Yield the namespaces Gatekeeper leaves alone, so that a broken policy cannot stop the platform itself."""
    yield manifest(
        "pol_gatekeeper",
        "isolation.control-plane",
        "admission",
        "config.gatekeeper.sh/v1alpha1",
        "Config",
        "config",
        namespace="gatekeeper-system",
        spec={
            "match": [
                {
                    "excludedNamespaces": ["gatekeeper-system", "kube-system", "tenancykit-system"],
                    "processes": ["*"],
                }
            ]
        },
    )


BUILDS: Final[dict[str, OptionBuild]] = {
    "pol_kyverno": OptionBuild(
        (("pods", kyverno_policies),),
        charts=(Chart("kyverno", "kyverno"),),
        upstream="Kyverno 1.19 (policies.kyverno.io/v1)",
    ),
    "pol_gatekeeper": OptionBuild(
        (("pods", gatekeeper_config), ("pods", gatekeeper_policies)),
        (("pods", gatekeeper_tenant),),
        (Chart("gatekeeper", "gatekeeper-system"),),
        upstream="Gatekeeper 3.23",
    ),
}
"""What is built for each option that only this module serves."""
