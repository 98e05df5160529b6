from __future__ import annotations

import copy
from typing import Any

import pytest

from kubeanswers.errors import InputError, MissingExtraError
from kubeanswers.validation import schema
from kubeanswers.validation.definitions import Definitions
from kubeanswers.validation.schema import (
    is_judged,
    validate_object,
    validate_text,
    validate_update,
    versions,
)
from tests.oracle.comparison import RECORDED, load

CONTAINER = {"name": "c", "image": "registry.example.dev/app:1"}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d", "namespace": "n"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [CONTAINER]}},
    },
}


def with_value(path: str, value: Any, start: dict[str, Any] = DEPLOYMENT) -> dict[str, Any]:
    changed = copy.deepcopy(start)
    current: Any = changed
    *parents, last = path.split(".")
    for part in parents:
        current = current[int(part)] if part.isdigit() else current.setdefault(part, {})
    current[int(last) if last.isdigit() else last] = value
    return changed


POD = "spec.template.spec"
BROKEN = [
    ("spec.template.metadata.labels", {"a": "c"}, "selector does not match"),
    ("spec.replicaz", 1, "replicaz"),
    ("spec.replicas", "3", "spec.replicas"),
    ("spec.replicas", 2.0, "spec.replicas"),
    ("spec.replicas", 2**40, "spec.replicas"),
    ("metadata.name", "Bad_Name", "metadata.name"),
    ("metadata.labels", {"a b": "c"}, "metadata.labels"),
    ("metadata.labels", {"a": "-"}, "metadata.labels"),
    (f"{POD}.containers.0.resources", {"limits": {"cpu": "banana"}}, "not a quantity"),
    (f"{POD}.containers.0.resources", {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}, "at most its limit"),
    (f"{POD}.containers.0.resources", {"requests": {"nvidia.com/gpu": "1"}}, "cannot be overcommitted"),
    (f"{POD}.containers.0.resources", {"limits": {"nvidia.com/gpu": "500m"}}, "must be an integer"),
    (f"{POD}.containers.0.image", "", "image: is required"),
    (f"{POD}.containers.0.imagePullPolicy", "Sometimes", "imagePullPolicy"),
    (f"{POD}.containers", [CONTAINER, CONTAINER], "appears twice"),
    (f"{POD}.containers", [], "containers: is required"),
    (f"{POD}.containers.0.ports", [{"name": "a", "containerPort": 1}, {"name": "a", "containerPort": 2}], "twice"),
    (f"{POD}.containers.0.volumeMounts", [{"name": "v", "mountPath": "/v"}], "not a volume"),
    (f"{POD}.tolerations", [{"operator": "Equal"}], "must be Exists"),
    (f"{POD}.hostUsers", False, ""),
    (f"{POD}.nodeSelector", {"a": "b c"}, "nodeSelector"),
    ("spec.strategy", {"type": "Recreate", "rollingUpdate": {}}, "may not be given"),
]


@pytest.mark.parametrize(("path", "value", "message"), BROKEN)
def test_a_broken_deployment_is_refused_with_the_place(path: str, value: Any, message: str) -> None:
    faults = validate_object(with_value(path, value))
    if message:
        assert any(message in fault for fault in faults), faults
    else:
        assert faults == []


def test_all_faults_are_reported_at_once() -> None:
    broken = with_value("metadata.name", "Bad", with_value("spec.template.metadata.labels", {"a": "c"}))
    broken = with_value("spec.minReadySeconds", -1, broken)
    assert len(validate_object(broken)) == 3
    unknown = with_value("spec.foo", 1, with_value("spec.bar", 1, with_value("metadata.baz", 1)))
    assert len(validate_object(unknown)) >= 2


def test_a_version_that_is_not_served_names_the_one_that_is() -> None:
    faults = validate_object({**DEPLOYMENT, "apiVersion": "apps/v1beta1"})
    assert faults == [
        "apiVersion apps/v1beta1, kind Deployment: Kubernetes 1.36 does not serve it; it serves Deployment as v1"
    ]


def test_versions_without_schemas_are_named_with_those_there_are() -> None:
    assert {"1.34", "1.35", "1.36"} <= set(versions())
    with pytest.raises(InputError, match=r"no schemas of version '2\.0'"):
        validate_object(DEPLOYMENT, "2.0")


@pytest.mark.parametrize("value", [None, [], "x", {}, {"kind": "Pod"}, {"apiVersion": 1, "kind": "Pod"}])
def test_what_is_no_object_is_refused(value: Any) -> None:
    assert validate_object(value)


def test_the_kind_of_the_address_stands_in_for_a_missing_one() -> None:
    namespace = {"apiVersion": "v1", "metadata": {"name": "n"}}
    assert validate_object(namespace)
    assert validate_object(namespace, kind_hint="Namespace") == []


@pytest.mark.parametrize(
    ("field", "value"), [("spec.owners.0.knd", "x"), ("spec.ownerz", []), ("spec.owners.0", {"kind": "Group"})]
)
def test_a_custom_resource_is_checked_for_unknown_and_required_fields(field: str, value: Any) -> None:
    tenant = {
        "apiVersion": "capsule.clastix.io/v1beta2",
        "kind": "Tenant",
        "metadata": {"name": "t"},
        "spec": {"owners": [{"kind": "Group", "name": "g"}]},
    }
    assert validate_object(tenant) == []
    assert validate_object(with_value(field, value, tenant))


def test_another_version_of_a_known_custom_kind_is_not_judged_by_the_fields_of_this_one() -> None:
    queue = {"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "Cohort", "metadata": {"name": "c"}, "spec": {"old": 1}}
    assert validate_object(queue) == []
    assert not is_judged(queue, Definitions())
    assert is_judged({**queue, "apiVersion": "kueue.x-k8s.io/v1beta2"}, Definitions())


def test_a_custom_resource_without_a_namespace_is_put_into_one_by_whoever_applies_it() -> None:
    queue = {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "LocalQueue",
        "metadata": {"name": "q"},
        "spec": {"clusterQueue": "c"},
    }
    assert validate_object(queue) == []


def test_what_a_definition_fills_in_is_not_called_missing() -> None:
    resource = {
        "apiVersion": "capsule.clastix.io/v1beta2",
        "kind": "GlobalTenantResource",
        "metadata": {"name": "r"},
        "spec": {"resources": [{"rawItems": []}]},
    }
    assert validate_object(resource) == []


def test_a_custom_resource_nobody_knows_is_checked_for_its_metadata_only() -> None:
    strange = {"apiVersion": "example.dev/v1", "kind": "Strange", "metadata": {"name": "s"}, "anything": 1}
    assert validate_object(strange) == []
    assert validate_object({**strange, "metadata": {"name": "S_"}})


def test_a_doubled_key_in_text_is_a_fault() -> None:
    text = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1", "a": "2"}}'
    assert any("twice" in fault for fault in validate_text(text))
    assert validate_text(text.replace(', "a": "2"', "")) == []
    for broken in ("", "[]", '{"a": 1} x', "a: [1"):
        assert validate_text(broken)


def test_a_text_that_starts_with_a_brace_is_read_as_strictly_as_json() -> None:
    text = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}'
    assert validate_text(text) == []
    assert validate_text(f"  {text}\n") == []
    for broken in (
        text.replace('"', "'"),
        text.replace('"c"}', '"c"},'),
        f"{text} # a comment",
        text.replace('"c"', "c"),
        text.replace('"c"', '"c", "generation": NaN'),
        text.replace('"c"', '"c", "generation": 1e2'),
        text.replace('"c"', '"c\t"'),
        text.replace('"c"', '"c", "name": "c"'),
        f"\ufeff{text}x",
        '{"a":' * 100_000,
    ):
        assert validate_text(broken), broken
    assert validate_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n") == []


@pytest.mark.parametrize("data", [{"data": {"k": "hunter2!"}}, {"stringData": {"k": ["hunter2!"]}}, {"data": {"k": 5}}])
def test_no_fault_of_a_secret_shows_its_value(data: dict[str, Any]) -> None:
    faults = validate_object({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **data})
    assert len(faults) == 1
    assert "hunter2" not in faults[0]
    assert "5" not in faults[0]


UPDATES = [
    ("spec.selector", {"matchLabels": {"a": "b", "c": "d"}}, True),
    ("spec.replicas", 3, False),
]


@pytest.mark.parametrize(("path", "value", "refused"), UPDATES)
def test_an_update_may_not_change_what_was_set_for_good(path: str, value: Any, refused: bool) -> None:
    new = with_value(path, value)
    new["spec"]["template"]["metadata"]["labels"] = {"a": "b", "c": "d"}
    assert bool(validate_update(new, DEPLOYMENT)) is refused


def test_a_role_binding_keeps_its_role() -> None:
    group = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "n"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "x"},
    }
    assert validate_update({**binding, "roleRef": {**binding["roleRef"], "name": "y"}}, binding)  # type: ignore[dict-item]
    assert validate_update({**binding, "roleRef": {"kind": "Role", "name": "x"}}, binding) == []


CEL = [
    ("true", True),
    ("object.spec.replicas <= 3", True),
    ("object.spec.containers.all(c, c.image != '')", True),
    ("object.metadata.labels.exists(k, v, k == v)", True),
    ("object.?spec.orValue(1) == 1", True),
    ("object.spec.replicas >", False),
    ("1 + 1", False),
    ("object.spec.replicas > 1 && 1 + 1", False),
    ("variables.later == 1", False),
    ("foo.bar == 1", False),
    ("params.x == 1", False),
]


@pytest.mark.parametrize(("expression", "accepted"), CEL)
def test_an_expression_must_compile(expression: str, accepted: bool) -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": expression}],
        },
    }
    assert (validate_object(policy) == []) is accepted


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "_PACKAGE", "no_such_package")
    schema._schemas.cache_clear()
    schema._folder.cache_clear()
    schema._validator.cache_clear()
    try:
        with pytest.raises(MissingExtraError, match=r"pip install 'tenancykit\[validate\]'"):
            validate_object(DEPLOYMENT)
    finally:
        monkeypatch.undo()
        for cached in (schema._schemas, schema._folder, schema._validator):
            cached.cache_clear()


NEEDS_THE_CLUSTER = {"svc/clusterip-out": "the range of Service addresses is the cluster's own setting"}


def test_recorded_answers_of_a_real_api_server_agree() -> None:
    cases = load(RECORDED / "strict-validation.json.xz")["cases"]
    differ = []
    for case in cases:
        if "raw" in case:
            faults = validate_text(case["raw"])
        elif case["op"] == "update":
            faults = validate_update(case["object"], case["old"])
        else:
            hint = "Namespace" if case["id"].startswith("namespace/") else ""
            faults = validate_object(case["object"], kind_hint=hint)
        if (case["code"] in (200, 201)) != (faults == []):
            differ.append(case["id"])
    assert set(differ) <= set(NEEDS_THE_CLUSTER)
    assert 1 - len(differ) / len(cases) >= 0.98


def test_pods_the_real_api_server_called_invalid_are_invalid_here() -> None:
    cases = load(RECORDED / "pod-security.json.xz")["cases"]
    checked = [case for case in cases if not case.get("ephemeralContainers")]
    differ = [c["id"] for c in checked if (c["privileged"]["code"] == 201) != (validate_object(c["pod"]) == [])]
    assert differ == []
