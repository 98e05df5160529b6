"""RBAC means here what Kubernetes' documentation says; escalation is refused where the API server refuses it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.access.escalation import uncovered, write_answer
from kubeanswers.access.node_authorizer import NodeRules
from kubeanswers.access.rbac import (
    RBAC_GROUP,
    AccessRules,
    Request,
    Rule,
    service_account_groups,
    service_account_user,
)
from kubeanswers.objects import from_dicts

TABLE = yaml.safe_load((Path(__file__).parent / "cases" / "rbac.yaml").read_text(encoding="utf-8"))
API = f"{RBAC_GROUP}/v1"


def subject(text: str) -> dict[str, str]:
    word, _, rest = text.partition(" ")
    if word == "group":
        return {"kind": "Group", "apiGroup": RBAC_GROUP, "name": rest}
    if word == "sa":
        namespace, name = rest.split("/")
        return {"kind": "ServiceAccount", "namespace": namespace, "name": name}
    return {"kind": "User", "apiGroup": RBAC_GROUP, "name": text}


def table_objects() -> list[dict[str, Any]]:
    made = []
    for item in TABLE["objects"]:
        metadata = {key: item[key] for key in ("name", "namespace", "labels") if key in item}
        data = {"apiVersion": API, "kind": item["kind"], "metadata": metadata, "rules": item.get("rules", [])}
        if "aggregate" in item:
            data["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": item["aggregate"]}]}
        made.append(data)
    for i, item in enumerate(TABLE["bindings"]):
        kind, name = item["role"].split("/")
        metadata = {"name": f"b{i}", **({"namespace": item["namespace"]} if "namespace" in item else {})}
        made.append(
            {
                "apiVersion": API,
                "kind": "RoleBinding" if "namespace" in item else "ClusterRoleBinding",
                "metadata": metadata,
                "roleRef": {"apiGroup": RBAC_GROUP, "kind": kind, "name": name},
                "subjects": [subject(text) for text in item["to"]],
            }
        )
    return made


def request_of(text: str) -> Request:
    match = re.fullmatch(r"(group \S+|sa \S+|\S+) (\w+) (\S+?)(?: @(\S+))?", text)
    assert match, text
    who, verb, what, namespace = match.groups()
    user, groups = who, frozenset[str]()
    if who.startswith("group "):
        user, groups = "somebody", frozenset({who[6:]})
    elif who.startswith("sa "):
        place, name = who[3:].split("/")
        user, groups = service_account_user(place, name), service_account_groups(place)
    if what.startswith("/"):
        return Request(user, verb, groups, path=what)
    path, _, name = what.partition(":")
    group, resource, *sub = path.split("/")
    return Request(user, verb, groups, "" if group == "-" else group, resource, "".join(sub), name, namespace or "")


CASES = [next(iter(ask.items())) for ask in TABLE["asks"]]


@pytest.fixture(scope="module")
def rules() -> AccessRules:
    return AccessRules(from_dicts(table_objects()))


@pytest.mark.parametrize(("question", "expected"), CASES, ids=[case[0] for case in CASES])
def test_written_case(rules: AccessRules, question: str, *, expected: bool) -> None:
    answer = rules.can(request_of(question))
    assert answer.allowed is expected, answer.reason


def test_the_allowing_binding_is_named_with_its_place(rules: AccessRules) -> None:
    answer = rules.can(request_of("ana get -/pods @a"))
    assert answer.reason == 'RBAC: allowed by RoleBinding "b0/a" of Role "reader" to User "ana"'
    assert answer.grant is not None
    assert answer.grant.binding.where.index > 0


def test_a_missing_role_is_named(rules: AccessRules) -> None:
    assert 'role.rbac.authorization.k8s.io "missing" not found' in rules.can(request_of("moe get -/pods @a")).reason


def test_a_service_account_subject_without_namespace_belongs_to_the_binding() -> None:
    role = {
        "apiVersion": API,
        "kind": "Role",
        "metadata": {"name": "r", "namespace": "a"},
        "rules": [_rule("get", "pods")],
    }
    binding = {
        "apiVersion": API,
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "a"},
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "Role", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "bot"}],
    }
    rules = AccessRules(from_dicts([role, binding]))
    assert rules.can(request_of("sa a/bot get -/pods @a")).allowed
    assert not rules.can(request_of("sa b/bot get -/pods @a")).allowed


@pytest.mark.parametrize("kind", ["Role", "clusterrole", "Group", ""])
def test_a_cluster_binding_to_what_is_no_cluster_role_grants_nothing(kind: str) -> None:
    role = {"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": [_rule("get", "pods")]}
    bound = {
        "apiVersion": API,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": kind, "name": "r"},
        "subjects": [subject("ann")],
    }
    answer = AccessRules(from_dicts([role, bound])).can(Request("ann", "get", resource="pods", namespace="a"))
    assert not answer.allowed


def _rule(verb: str, resource: str) -> dict[str, list[str]]:
    return {"apiGroups": [""], "resources": [resource], "verbs": [verb]}


def _bound(user: str, rules: list[dict[str, list[str]]]) -> list[dict[str, Any]]:
    return [
        {"apiVersion": API, "kind": "Role", "metadata": {"name": "own", "namespace": "a"}, "rules": rules},
        {
            "apiVersion": API,
            "kind": "RoleBinding",
            "metadata": {"name": "own", "namespace": "a"},
            "roleRef": {"apiGroup": RBAC_GROUP, "kind": "Role", "name": "own"},
            "subjects": [subject(user)],
        },
    ]


MANAGE = {"apiGroups": [RBAC_GROUP], "resources": ["roles", "rolebindings"], "verbs": ["create", "update"]}


def _new(rules: list[dict[str, list[str]]]) -> dict[str, Any]:
    return {"apiVersion": API, "kind": "Role", "metadata": {"name": "new", "namespace": "a"}, "rules": rules}


@pytest.mark.parametrize(
    ("held", "wanted", "code"),
    [
        ([MANAGE, _rule("get", "pods")], [_rule("get", "pods")], 201),
        ([MANAGE, _rule("get", "pods")], [_rule("delete", "pods")], 403),
        ([MANAGE, _rule("*", "pods")], [_rule("delete", "pods")], 201),
        ([MANAGE, _rule("get", "*")], [_rule("get", "pods/log")], 201),
        ([MANAGE, _rule("get", "pods")], [_rule("get", "pods/log")], 403),
        ([_rule("get", "pods")], [_rule("get", "pods")], 403),
        ([MANAGE, {**MANAGE, "verbs": ["escalate"]}], [_rule("*", "*")], 201),
        ([MANAGE, {**_rule("get", "secrets"), "resourceNames": ["one"]}], [_rule("get", "secrets")], 403),
    ],
)
def test_rights_not_held_cannot_be_given(held: list[Any], wanted: list[Any], code: int) -> None:
    rules = AccessRules(from_dicts(_bound("ana", held)))
    role = from_dicts([_new(wanted)]).objects[0]
    assert write_answer(rules, "ana", ["system:authenticated"], "create", role).code == code


def test_binding_needs_bind_or_the_rights_themselves() -> None:
    admin = {
        "apiVersion": API,
        "kind": "RoleBinding",
        "metadata": {"name": "new", "namespace": "a"},
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [subject("zoe")],
    }
    binding = from_dicts([admin]).objects[0]
    plain = AccessRules(from_dicts(_bound("ana", [MANAGE])))
    assert write_answer(plain, "ana", [], "create", binding).code == 403
    binds = {
        "apiGroups": [RBAC_GROUP],
        "resources": ["clusterroles"],
        "resourceNames": ["cluster-admin"],
        "verbs": ["bind"],
    }
    assert (
        write_answer(AccessRules(from_dicts(_bound("ana", [MANAGE, binds]))), "ana", [], "create", binding).code == 201
    )


def test_a_node_reads_only_what_its_pods_use() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "a"},
        "spec": {"nodeName": "n1", "volumes": [{"name": "v", "secret": {"secretName": "mine"}}], "containers": []},
    }
    nodes = NodeRules(from_dicts([pod]))
    group = frozenset({"system:nodes"})

    def ask(node: str, name: str) -> bool:
        answer = nodes.can(Request(f"system:node:{node}", "get", group, "", "secrets", name=name, namespace="a"))
        return answer is not None and answer.allowed

    assert ask("n1", "mine")
    assert not ask("n1", "other")
    assert not ask("n2", "mine")
    assert nodes.can(Request("ana", "get", frozenset(), "", "secrets", name="mine", namespace="a")) is None


words = st.sampled_from(["get", "list", "create", "*"])
resources = st.sampled_from(["pods", "secrets", "pods/exec", "*", "*/scale"])
drawn_rules = st.builds(
    lambda verbs, groups, names, res: Rule(frozenset(verbs), frozenset(groups), frozenset(res), frozenset(names)),
    st.lists(words, min_size=1, max_size=2),
    st.lists(st.sampled_from(["", "apps", "*"]), min_size=1, max_size=2),
    st.lists(st.sampled_from(["one", "two"]), max_size=1),
    st.lists(resources, min_size=1, max_size=2),
)
questions = st.builds(
    lambda verb, group, resource, sub, name: Request("u", verb, frozenset(), group, resource, sub, name, "a"),
    st.sampled_from(["get", "list", "create", "delete"]),
    st.sampled_from(["", "apps", "batch"]),
    st.sampled_from(["pods", "secrets", "deployments"]),
    st.sampled_from(["", "exec", "scale"]),
    st.sampled_from(["", "one", "three"]),
)


@settings(max_examples=100)
@given(st.lists(drawn_rules, max_size=3), drawn_rules, questions)
def test_a_covered_rule_allows_nothing_its_owner_could_not_do(
    held: list[Rule], wanted: Rule, question: Request
) -> None:
    if not uncovered(held, [wanted]) and wanted.allows(question):
        assert any(rule.allows(question) for rule in held)


@settings(max_examples=60)
@given(st.lists(drawn_rules, max_size=3), drawn_rules, questions)
def test_adding_a_rule_never_takes_a_right_away(held: list[Rule], more: Rule, question: Request) -> None:
    before = any(rule.allows(question) for rule in held)
    assert not before or any(rule.allows(question) for rule in [*held, more])
