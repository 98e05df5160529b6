"""ValidatingAdmissionPolicy, and other engines' CEL policies, decide here as in a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from tenancykit.auditing.admission import AdmissionPolicies, AdmissionRequest
from tenancykit.auditing.admission_validation import binding_faults, policy_faults
from tenancykit.auditing.api_defaults import as_admitted
from tenancykit.auditing.objects import from_dicts
from tenancykit.auditing.policy_engines import engine_rules
from tenancykit.auditing.rbac import AccessRules

PODS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}


def policy(*validations: dict[str, Any], rules: list[dict[str, Any]] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {"matchConstraints": {"resourceRules": rules or [PODS]}, "validations": list(validations), **spec},
    }


def binding(*actions: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "b"},
        "spec": {"policyName": "p", "validationActions": list(actions) or ["Deny"], **spec},
    }


def pod_request(spec: dict[str, Any] | None = None, **fields: Any) -> AdmissionRequest:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x"},
        "spec": {"containers": [{"name": "c", "image": "i"}], **(spec or {})},
    }
    made = {"namespace": "a", "object": as_admitted(pod, "a"), **fields}
    return AdmissionRequest("CREATE", "", "v1", "Pod", "pods", "x", **made)


def review(written: dict[str, Any], bound: dict[str, Any], request: AdmissionRequest, **more: Any) -> Any:
    spaces = {"a": {"metadata": {"name": "a", "labels": {"team": "blue"}}}}
    return AdmissionPolicies([written], [bound], spaces, **more).review(request)


def test_a_failed_validation_denies_with_its_message_and_reason() -> None:
    written = policy({"expression": "has(object.spec.nodeSelector)", "message": "choose nodes", "reason": "Forbidden"})
    answer = review(written, binding(), pod_request())
    assert (answer.denial.code, answer.denial.message) == (403, "choose nodes")
    assert review(written, binding(), pod_request({"nodeSelector": {"x": "y"}})).allowed


@pytest.mark.parametrize(("failure", "allowed"), [("Fail", False), ("Ignore", True)])
def test_an_evaluation_error_follows_the_failure_policy(failure: str, *, allowed: bool) -> None:
    written = policy({"expression": "object.spec.nothing == 1"}, failurePolicy=failure)
    assert review(written, binding(), pod_request()).allowed is allowed


def test_what_cannot_be_evaluated_is_undecided_and_not_allowed() -> None:
    answer = review(
        policy({"expression": "object.spec.x.jsonpatch.escapeKey('a') == ''"}, failurePolicy="Ignore"),
        binding(),
        pod_request({"x": {"jsonpatch": "v"}}),
    )
    assert answer.undecided
    assert not answer.allowed
    assert answer.denial is None


def test_warnings_and_audits_do_not_deny() -> None:
    written = policy({"expression": "false", "message": "careful"})
    answer = review(written, binding("Warn", "Audit"), pod_request())
    assert answer.allowed
    assert answer.warnings == ("careful",)


def test_selectors_and_conditions_choose_the_requests() -> None:
    written = policy(
        {"expression": "false"}, matchConditions=[{"name": "c", "expression": "request.userInfo.username != 'root'"}]
    )
    assert not review(written, binding(), pod_request(user="ana")).allowed
    assert review(written, binding(), pod_request(user="root")).allowed
    other = binding(matchResources={"namespaceSelector": {"matchLabels": {"team": "red"}}})
    assert review(written, other, pod_request(user="ana")).allowed
    services = policy({"expression": "false"}, rules=[{**PODS, "resources": ["services"]}])
    assert review(services, binding(), pod_request()).allowed
    assert not review(
        policy({"expression": "false"}, rules=[{**PODS, "resources": ["*"]}]), binding(), pod_request()
    ).allowed


def test_variables_and_parameters_are_read_lazily() -> None:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    written = policy(
        {"expression": "size(object.spec.containers) <= variables.most || variables.broken"},
        paramKind=kind,
        variables=[
            {"name": "most", "expression": "int(params.data.most)"},
            {"name": "broken", "expression": "params.no == 1"},
        ],
    )
    bound = binding(paramRef={"name": "limits", "parameterNotFoundAction": "Deny"})
    limits = {**kind, "metadata": {"name": "limits", "namespace": "a"}, "data": {"most": "1"}}
    assert review(written, bound, pod_request(), params=[limits]).allowed
    missing = review(written, bound, pod_request())
    assert "no params found" in missing.denial.message
    lenient = binding(paramRef={"name": "limits", "parameterNotFoundAction": "Allow"})
    assert review(written, lenient, pod_request()).allowed


def test_the_authorizer_asks_rbac() -> None:
    api = "rbac.authorization.k8s.io/v1"
    role = {
        "apiVersion": api,
        "kind": "ClusterRole",
        "metadata": {"name": "r"},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}],
    }
    bound = {
        "apiVersion": api,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "r"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
        "subjects": [{"kind": "User", "name": "ana"}],
    }
    access = AccessRules(from_dicts([role, bound]))
    written = policy({"expression": "authorizer.group('').resource('secrets').namespace('a').check('get').allowed()"})
    assert review(written, binding(), pod_request(user="ana"), access=access).allowed
    assert not review(written, binding(), pod_request(user="bob"), access=access).allowed
    assert review(written, binding(), pod_request(user="ana")).undecided


def test_policies_see_the_object_with_its_defaults() -> None:
    seen = as_admitted(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "d", "labels": {}},
            "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "x:latest"}]}}},
        },
        "a",
    )
    assert seen["spec"]["replicas"] == 1
    assert seen["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    assert "labels" not in seen["metadata"]


@pytest.mark.parametrize(
    ("written", "what"),
    [
        (policy({"expression": "object.spec.replicas > 1 && 1 + 1"}), "expected type 'bool'"),
        (policy({"expression": "object.spec.x"}), "must evaluate to bool but got dyn"),
        (policy({"expression": "1 +"}), "compilation failed"),
        (policy({"expression": "true", "message": "a\nb"}), "line breaks"),
        (policy({"expression": "true", "reason": "Whatever"}), "supported values"),
        (policy(), "validations"),
        (policy({"expression": "variables.late"}, variables=[{"name": "1x", "expression": "true"}]), "identifier"),
    ],
)
def test_policies_the_api_server_refuses_are_found(written: dict[str, Any], what: str) -> None:
    assert any(what in fault for fault in policy_faults(written))


def test_a_binding_cannot_deny_and_warn() -> None:
    assert binding_faults(binding("Deny", "Warn"))
    assert not binding_faults(binding("Deny", "Audit"))


def test_kyverno_and_gatekeeper_rules_in_cel_are_evaluated() -> None:
    kyverno = {
        **policy({"expression": "!has(object.spec.nodeName)"}, validationActions=["Deny"]),
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ValidatingPolicy",
    }
    source = {
        "validations": [{"expression": "size(object.spec.containers) <= variables.params.most", "message": "too many"}]
    }
    template = {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "most"},
        "spec": {
            "crd": {"spec": {"names": {"kind": "Most"}}},
            "targets": [
                {"target": "admission.k8s.gatekeeper.sh", "code": [{"engine": "K8sNativeValidation", "source": source}]}
            ],
        },
    }
    match = {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "excludedNamespaces": ["b"]}
    constraint = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "Most",
        "metadata": {"name": "one"},
        "spec": {"match": match, "parameters": {"most": 1}},
    }
    rules = engine_rules(from_dicts([kyverno, template, constraint]))
    policies = AdmissionPolicies(rules.policies, rules.bindings)
    assert rules.opaque == ()
    two = [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]
    assert policies.review(pod_request()).allowed
    assert not policies.review(pod_request({"nodeName": "n"})).allowed
    assert policies.review(pod_request({"containers": two})).denial is not None
    assert policies.review(pod_request({"containers": two}, namespace="b")).allowed


@pytest.mark.parametrize("kind", ["ClusterPolicy", "ValidatingWebhookConfiguration"])
def test_engines_that_are_not_understood_are_named(kind: str) -> None:
    group = "kyverno.io" if kind == "ClusterPolicy" else "admissionregistration.k8s.io"
    rules = engine_rules(
        from_dicts([{"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "x"}, "spec": {}}])
    )
    assert [item.kind for item in rules.opaque] == [kind]
