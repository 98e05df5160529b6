"""``can-i`` and ``reach`` answer offline, and say who or what decides."""

from __future__ import annotations

import pytest

import kubeanswers as ka
from kubeanswers.errors import InputError
from tenancykit.auditing import can_i, from_dicts, reach
from tests.audit.tenancy import cluster, named

OBJECTS = from_dicts(
    [
        *cluster("blue", "red"),
        named(
            "apps/v1",
            "Deployment",
            "web",
            "t-blue",
            spec={
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": "i"}]},
                }
            },
        ),
        named("v1", "Pod", "job", "t-red", spec={"containers": [{"name": "c", "image": "i"}]}),
    ]
)


@pytest.mark.parametrize(
    ("verb", "resource", "namespace", "allowed"),
    [
        ("create", "pods", "t-blue", True),
        ("create", "po", "t-blue", True),
        ("create", "deploy", "t-blue", True),
        ("create", "deployments.apps", "t-blue", True),
        ("create", "pods/exec", "t-blue", False),
        ("create", "pods", "t-red", False),
        ("list", "nodes", "", False),
        ("get", "/version", "", True),
        ("get", "/metrics", "", False),
        ("create", "selfsubjectaccessreviews.authorization.k8s.io", "", True),
    ],
)
def test_can_i_answers_as_kubectl_would(verb: str, resource: str, namespace: str, *, allowed: bool) -> None:
    answer = can_i(OBJECTS, verb, resource, namespace=namespace, user="ana", groups=["team-blue"])
    assert answer.allowed is allowed, answer.reason


def test_can_i_names_the_binding_with_file_and_line() -> None:
    answer = can_i(OBJECTS, "create", "pods", namespace="t-blue", groups=["team-blue"])
    assert 'RoleBinding "members/t-blue" of ClusterRole "member" to Group "team-blue"' in answer.reason
    assert answer.grant is not None
    assert answer.grant.binding.where.file == "<objects>"


def test_can_i_gives_a_service_account_its_groups_unless_told_not_to() -> None:
    user = "system:serviceaccount:t-blue:default"
    assert can_i(OBJECTS, "get", "/openid/v1/jwks", user=user).allowed
    assert not can_i(OBJECTS, "get", "/openid/v1/jwks", user=user, exact_groups=True).allowed


def test_can_i_for_nobody_is_refused() -> None:
    with pytest.raises(InputError, match="names nobody"):
        can_i(OBJECTS, "get", "pods")


def test_reach_finds_workloads_by_name_and_names_the_policy() -> None:
    answer = reach(OBJECTS, "t-red/job", "t-blue/web", "443/tcp")
    assert not answer.allowed
    assert {str(policy) for policy in answer.answer.egress.policies} == {
        "NetworkPolicy t-red/deny",
        "NetworkPolicy t-red/dns",
        "NetworkPolicy t-red/same",
    }


def test_reach_without_a_port_lists_what_is_open() -> None:
    assert reach(OBJECTS, "t-blue/web", "t-blue/web").allowed
    assert reach(OBJECTS, "t-red/job", "t-blue/web").open_ports == ()


def test_reach_to_addresses() -> None:
    assert not reach(OBJECTS, "t-red/job", "203.0.113.0/24", "443").allowed
    assert not reach(OBJECTS, "203.0.113.9", "t-red/job", "443").allowed


@pytest.mark.parametrize(
    ("source", "target", "port", "what"),
    [
        ("t-red/jop", "t-blue/web", "80", "did you mean job"),
        ("nosuch/pod", "t-blue/web", "80", "no pod or workload"),
        ("t-red/job", "t-blue/web", "99999", "is not a port"),
        ("t-red/job", "t-blue/web", "80/icmp", "is not a protocol"),
    ],
)
def test_reach_refuses_what_does_not_exist_with_a_cure(source: str, target: str, port: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        reach(OBJECTS, source, target, port)


def role(**rule: list[str]) -> dict[str, object]:
    return named("rbac.authorization.k8s.io/v1", "Role", "own", "t-blue", rules=[{"apiGroups": [""], **rule}])


def test_nobody_may_write_a_role_with_rights_he_does_not_hold() -> None:
    admin = from_dicts(
        [
            named(
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                "admins",
                "t-blue",
                roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
                subjects=[{"kind": "User", "name": "ana", "apiGroup": "rbac.authorization.k8s.io"}],
            )
        ]
    )
    assert ka.may_write(admin, "create", role(resources=["pods"], verbs=["get"]), user="ana").code == 201
    refused = ka.may_write(admin, "create", role(resources=["nodes"], verbs=["get"]), user="ana")
    assert refused.code == 403
    assert [sorted(rule.resources) for rule in refused.missing] == [["nodes"]]
    assert ka.may_write(admin, "create", role(resources=["pods"], verbs=["get"]), user="eve").code == 403


def test_may_write_says_which_kinds_hand_out_rights() -> None:
    with pytest.raises(InputError, match="ClusterRoleBinding"):
        ka.may_write(OBJECTS, "create", named("v1", "Pod", "p", "t-blue"), user="ana")
    with pytest.raises(InputError, match="names nobody"):
        ka.may_write(OBJECTS, "create", role(resources=["pods"], verbs=["get"]))


@pytest.mark.parametrize(
    ("verb", "resource", "note"),
    [
        ("frobnicate", "pods", "no verb 'frobnicate' is known here"),
        ("get", "users", "no resource type 'users' is known here"),
        ("impersonate", "users", ""),
        ("approve", "signers", ""),
        ("*", "*", ""),
        ("impersonate:user-info", "users.authentication.k8s.io", ""),
    ],
)
def test_can_i_notes_what_it_does_not_know_and_only_that(verb: str, resource: str, note: str) -> None:
    notes = [text for text in can_i(OBJECTS, verb, resource, user="x").notes if text.startswith("no ")]
    assert [text[: len(note)] for text in notes] == ([note] if note else [])
