"""ValidatingAdmissionPolicy, and other engines' CEL policies, decide here as in a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from kubeanswers.access.rbac import AccessRules
from kubeanswers.admission.api_defaults import as_admitted
from kubeanswers.admission.engines import engine_rules
from kubeanswers.admission.evaluation import AdmissionPolicies
from kubeanswers.admission.request import AdmissionRequest
from kubeanswers.objects import from_dicts
from kubeanswers.validation.checks.admission import admission_binding, admission_policy
from kubeanswers.validation.checks.report import faults

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


@pytest.mark.parametrize(
    ("written", "what"),
    [
        (policy({"expression": "object.spec.replicas > 1 && 1 + 1"}), "expected type 'bool'"),
        (policy({"expression": "object.spec.x"}), "must evaluate to bool, not dyn"),
        (policy({"expression": "1 +"}), "does not compile"),
        (policy({"expression": "true", "message": "a\nb"}), "line breaks"),
        (policy({"expression": "true", "reason": "Whatever"}), "is not one of"),
        (policy(), "validations"),
        (
            policy({"expression": "variables.late"}, variables=[{"name": "1x", "expression": "true"}]),
            "not starting with a digit",
        ),
    ],
)
def test_policies_the_api_server_refuses_are_found(written: dict[str, Any], what: str) -> None:
    assert any(what in fault for fault in faults(admission_policy, written))


def test_a_binding_cannot_deny_and_warn() -> None:
    assert faults(admission_binding, binding("Deny", "Warn"))
    assert not faults(admission_binding, binding("Deny", "Audit"))


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


PARAM = {"apiVersion": "v1", "kind": "ConfigMap"}


@pytest.mark.parametrize("actions", [["Deny"], ["Warn"], ["Audit"]])
def test_missing_parameters_deny_whatever_the_binding_does_about_failed_validations(actions: list[str]) -> None:
    written = policy({"expression": "params.data.x == 'y'"}, paramKind=PARAM)
    missing = binding(*actions, paramRef={"name": "none", "parameterNotFoundAction": "Deny"})
    answer = review(written, missing, pod_request())
    assert "no params found" in answer.denial.message
    ignoring = {**written, "spec": {**written["spec"], "failurePolicy": "Ignore"}}
    assert review(ignoring, missing, pod_request()).allowed


def cluster_request(**fields: Any) -> AdmissionRequest:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "x"}, "rules": []}
    made = {"object": role, **fields}
    return AdmissionRequest("CREATE", "rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", "x", **made)


def test_namespaced_parameters_of_a_cluster_scoped_request_need_a_namespace() -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["*"]}
    written = policy({"expression": "params.data.x == 'y'"}, rules=[everything], paramKind=PARAM)
    param = {**PARAM, "metadata": {"name": "c", "namespace": "a"}, "data": {"x": "y"}}
    without = binding(paramRef={"name": "c", "parameterNotFoundAction": "Allow"})
    named = binding(paramRef={"name": "c", "namespace": "a", "parameterNotFoundAction": "Allow"})
    denial = review(written, without, cluster_request(), params=[param]).denial
    assert "cluster-scoped" in denial.message
    assert review(written, named, cluster_request(), params=[param]).allowed


@pytest.mark.parametrize("action", ["Allow", "Deny"])
def test_parameters_of_a_kind_nobody_defines_here_leave_the_policy_undecided(action: str) -> None:
    kind = {"apiVersion": "rules.example.com/v1", "kind": "Most"}
    written = policy({"expression": "params.spec.most > 1"}, paramKind=kind)
    bound = binding(paramRef={"name": "x", "namespace": "a", "parameterNotFoundAction": action})
    assert review(written, bound, pod_request()).undecided
    there = {**kind, "metadata": {"name": "x", "namespace": "a"}, "spec": {"most": 2}}
    assert review(written, bound, pod_request(), params=[there]).allowed


def test_match_conditions_are_not_told_of_the_namespace() -> None:
    condition = {"name": "c", "expression": "namespaceObject.metadata.name == 'a'"}
    written = policy({"expression": "false"}, matchConditions=[condition])
    assert "resulted in error" in review(written, binding(), pod_request()).denial.message
    blind = policy({"expression": "false"}, matchConditions=[{"name": "c", "expression": "namespaceObject == null"}])
    assert review(blind, binding(), pod_request()).denial.message == "failed expression: false"


@pytest.mark.parametrize(
    ("text", "failure", "allowed"),
    [
        ("'fine'", "Fail", True),
        ("null", "Fail", True),
        ("object.nothing", "Fail", False),
        ("object.nothing", "Ignore", True),
        ("authorizer.path('/x').check('get').reason()", "Fail", False),
    ],
)
def test_an_audit_annotation_that_cannot_be_made_follows_the_failure_policy(
    text: str, failure: str, *, allowed: bool
) -> None:
    written = policy(auditAnnotations=[{"key": "k", "valueExpression": text}], failurePolicy=failure)
    assert review(written, binding("Audit"), pod_request()).allowed is allowed


def test_doubt_about_a_policy_that_only_warns_lets_the_request_through() -> None:
    written = policy({"expression": "'x'.matches('\\\\pL')"})
    assert review(written, binding("Warn"), pod_request()).allowed
    assert review(written, binding("Deny"), pod_request()).undecided


def test_a_policy_for_another_version_of_the_kind_is_undecided() -> None:
    rule = {
        "apiGroups": ["autoscaling"],
        "apiVersions": ["v1"],
        "resources": ["horizontalpodautoscalers"],
        "operations": ["*"],
    }
    data = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": {}}
    request = AdmissionRequest(
        "CREATE", "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "h", "a", object=data
    )
    assert review(policy({"expression": "true"}, rules=[rule]), binding(), request).undecided
    exact = policy({"expression": "false"}, matchConstraints={"matchPolicy": "Exact", "resourceRules": [rule]})
    assert review(exact, binding(), request).allowed


def test_a_request_for_a_namespace_is_said_to_be_in_it() -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["namespaces"], "operations": ["*"]}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    request = AdmissionRequest("CREATE", "", "v1", "Namespace", "namespaces", "n", object=space)
    written = policy({"expression": "request.namespace == 'n' && namespaceObject == null"}, rules=[rule])
    assert review(written, binding(), request).allowed


def test_selectors_of_a_check_change_nothing_that_rbac_says() -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "r"},
        "rules": [{"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}],
    }
    bound = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "r"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
        "subjects": [{"kind": "User", "name": "u"}],
    }
    access = AccessRules(from_dicts([role, bound]))
    check = "authorizer.group('').resource('pods').labelSelector('a=b').fieldSelector('x=y').check('list').allowed()"
    written = policy({"expression": check})
    assert review(written, binding(), pod_request(user="u"), access=access).allowed
    assert not review(written, binding(), pod_request(user="v"), access=access).allowed


def test_a_service_account_that_is_only_asked_about_has_not_logged_in() -> None:
    """What is granted to everybody authenticated, such as /version, is not granted to it."""
    check = "authorizer.serviceAccount('a', 'b').path('/version').check('get').allowed()"
    access = AccessRules(from_dicts([]))
    groups = frozenset({"system:authenticated"})
    assert not review(policy({"expression": check}), binding(), pod_request(), access=access).allowed
    asked = "authorizer.path('/version').check('get').allowed()"
    assert review(policy({"expression": asked}), binding(), pod_request(user="u", groups=groups), access=access).allowed


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"matchConstraints": {"resourceRules": [{**PODS, "operations": ["*", "CREATE"]}]}}, "operations"),
        ({"matchConstraints": {"resourceRules": [{**PODS, "resources": ["*/*", "pods"]}]}}, "resources"),
        (
            {"matchConstraints": {"resourceRules": [{**PODS, "resources": ["pods/*", "pods/exec"]}]}},
            "covered by another",
        ),
        ({"matchConstraints": {"resourceRules": [{**PODS, "scope": "All"}]}}, "scope"),
        ({"matchConstraints": {"resourceRules": [PODS], "matchPolicy": "Fuzzy"}}, "matchPolicy"),
        (
            {
                "matchConstraints": {
                    "resourceRules": [PODS],
                    "objectSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]},
                }
            },
            "values",
        ),
        ({"paramKind": {"apiVersion": "a/b/c", "kind": "X"}}, "paramKind"),
        ({"matchConditions": [{"name": "a b", "expression": "true"}]}, "name part"),
        ({"matchConditions": [{"name": "a", "expression": "variables.x"}]}, "undeclared"),
        ({"matchConditions": [{"name": "a", "expression": "params.x"}]}, "params"),
        ({"variables": [{"name": "in", "expression": "1"}]}, "identifier"),
        ({"auditAnnotations": [{"key": "a b", "valueExpression": "'x'"}]}, "name part"),
        ({"auditAnnotations": [{"key": "a", "valueExpression": "1"}]}, "must evaluate to string"),
        (
            {
                "validations": [
                    {"expression": "true", "messageExpression": "authorizer.path('/').check('get').reason()"}
                ]
            },
            "",
        ),
        ({"validations": [{"expression": "true", "messageExpression": " "}]}, "required"),
        ({"validations": [{"expression": "true", "reason": "Unauthorized"}]}, "reason"),
    ],
)
def test_every_part_of_a_policy_is_checked_before_it_counts(change: dict[str, Any], what: str) -> None:
    written = policy({"expression": "true"})
    found = faults(admission_policy, {**written, "spec": {**written["spec"], **change}})
    assert any(what in fault for fault in found), found


@pytest.mark.parametrize(
    "change",
    [
        {"policyName": "Not A Name"},
        {"paramRef": {}},
        {"paramRef": {"name": "a", "selector": {}, "parameterNotFoundAction": "Deny"}},
        {"paramRef": {"name": "a/b", "parameterNotFoundAction": "Deny"}},
        {"matchResources": {"namespaceSelector": {"matchLabels": {"a b": "c"}}}},
    ],
)
def test_every_part_of_a_binding_is_checked_before_it_counts(change: dict[str, Any]) -> None:
    assert faults(admission_binding, {**binding(), "spec": {**binding()["spec"], **change}})


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("policies.kyverno.io", "ImageValidatingPolicy"),
        ("mutations.gatekeeper.sh", "Assign"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ],
)
def test_whatever_else_may_refuse_or_change_pods_is_named(group: str, kind: str) -> None:
    written = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "x"}, "spec": {}}
    assert [item.kind for item in engine_rules(from_dicts([written])).opaque] == [kind]


def test_a_policy_with_exceptions_is_not_taken_to_refuse_what_it_says() -> None:
    kyverno = {
        **policy({"expression": "false"}, validationActions=["Deny"]),
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ValidatingPolicy",
    }
    exception = {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "PolicyException",
        "metadata": {"name": "e", "namespace": "a"},
        "spec": {"policyRefs": [{"name": "p", "kind": "ValidatingPolicy"}]},
    }
    rules = engine_rules(from_dicts([kyverno, exception]))
    assert rules.policies == ()
    assert [item.name for item in rules.opaque] == ["p"]


def test_parameters_of_a_constraint_may_mix_types() -> None:
    source = {"validations": [{"expression": "object.metadata.name in variables.params.names"}]}
    template = {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "named"},
        "spec": {
            "crd": {"spec": {"names": {"kind": "Named"}}},
            "targets": [{"code": [{"engine": "K8sNativeValidation", "source": source}]}],
        },
    }
    constraint = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "Named",
        "metadata": {"name": "one"},
        "spec": {"match": {}, "parameters": {"names": ["x", 1, None], "most": 2, "deep": {"a": [True]}}},
    }
    rules = engine_rules(from_dicts([template, constraint]))
    assert rules.opaque == ()
    assert AdmissionPolicies(rules.policies, rules.bindings).review(pod_request()).allowed
