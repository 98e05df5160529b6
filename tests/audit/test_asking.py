"""can-i and reach answer as kubectl and the documentation do, and say what they do not know."""

from __future__ import annotations

from typing import Any

import pytest

from kubeanswers.errors import InputError
from kubeanswers.objects import from_dicts
from kubeanswers.questions import can_i, held_rules, reach
from tests.audit.situations import tenants


@pytest.mark.parametrize(
    ("verb", "resource", "subresource", "allowed"),
    [
        ("get", "jobs.batch/bar", "", True),
        ("get", "jobs.v1.batch/bar", "", True),
        ("get", "pods/web", "", True),
        ("create", "pods/exec", "", True),
        ("create", "pods/web", "exec", True),
        ("update", "deployments/web", "scale", True),
        ("get", "nodes/n1", "", False),
    ],
)
def test_what_follows_a_slash_is_a_name_unless_it_is_a_subresource(
    verb: str, resource: str, subresource: str, *, allowed: bool
) -> None:
    answer = can_i(
        from_dicts(tenants()), verb, resource, namespace="team-a", groups=["a-devs"], subresource=subresource
    )
    assert answer.allowed is allowed


def test_two_names_are_refused() -> None:
    with pytest.raises(InputError, match="both named"):
        can_i(from_dicts(tenants()), "get", "pods/web", "other", namespace="team-a", groups=["a-devs"])


def test_a_resource_nobody_knows_is_said_to_be_so() -> None:
    answer = can_i(from_dicts(tenants()), "get", "jbos", namespace="team-a", groups=["a-devs"])
    assert "no resource type 'jbos'" in answer.notes[0]


def test_an_allowed_power_is_told_by_the_one_table() -> None:
    answer = can_i(from_dicts(tenants()), "create", "pods/exec", namespace="team-a", groups=["a-devs"])
    assert any("exec: steps into running containers" in note for note in answer.notes)


def test_what_is_held_is_listed_with_the_binding_that_gives_it() -> None:
    found = held_rules(from_dicts(tenants()), namespace="team-a", groups=["a-devs"])
    assert any("pods" in held.rule.resources and held.grant.binding.name == "a-edit" for held in found)
    assert not any(held.grant.binding.name == "b-edit" for held in found)


def pod(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    containers = [{"name": "c", "image": "i"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **spec}}


@pytest.mark.parametrize(
    ("source", "target", "verdict"),
    [
        ({"hostNetwork": True}, {}, "undecided"),
        ({"hostNetwork": True, "nodeName": "n"}, {"nodeName": "n"}, "allowed"),
        ({"hostNetwork": True, "nodeName": "n"}, {"nodeName": "m"}, "denied"),
        ({}, {}, "denied"),
    ],
)
def test_a_pod_on_its_nodes_network_reaches_the_pods_of_that_node(
    source: dict[str, Any], target: dict[str, Any], verdict: str
) -> None:
    objects = from_dicts([*tenants(), pod("hn", "team-a", **source), pod("web", "team-b", **target)])
    assert reach(objects, "team-a/hn", "team-b/web", "80").verdict == verdict
