"""NetworkPolicy means here what Kubernetes' documentation says it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.network.addresses import AddressSet
from kubeanswers.network.connections import Endpoint, Network, Port, parse_endpoint
from kubeanswers.network.matrix import reach_matrix
from kubeanswers.objects import ObjectSet, from_dicts

TABLE = yaml.safe_load((Path(__file__).parent / "cases" / "network.yaml").read_text(encoding="utf-8"))
_GROUPS = {"NetworkPolicy": "networking.k8s.io/v1"}


def objects_of(setting: Mapping[str, Any], policies: Sequence[Mapping[str, Any]]) -> ObjectSet:
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        for name, labels in setting["namespaces"].items()
    ]
    for place, pod in setting["pods"].items():
        namespace, name = place.split("/")
        ports = [{"name": key, "containerPort": number} for key, number in pod.get("ports", {}).items()]
        spec = {"hostNetwork": pod.get("host", False), "containers": [{"name": "c", "image": "i", "ports": ports}]}
        metadata = {"name": name, "namespace": namespace, "labels": pod.get("labels", {})}
        objects.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    for number, policy in enumerate(policies):
        kind = policy.get("kind", "NetworkPolicy")
        metadata = {"name": policy.get("name", f"policy-{number}")}
        if "namespace" in policy:
            metadata["namespace"] = policy["namespace"]
        api = _GROUPS.get(kind, "policy.networking.k8s.io/v1alpha1")
        objects.append({"apiVersion": api, "kind": kind, "metadata": metadata, "spec": policy["spec"]})
    return from_dicts(objects)


def asks() -> list[tuple[str, list[Mapping[str, Any]], str, str]]:
    found = []
    for group in TABLE["groups"]:
        for ask in group["asks"]:
            ((question, answer),) = ask.items()
            found.append((group["id"], group.get("policies", []), question, answer))
    return found


CASES = asks()


def test_the_table_has_at_least_150_cases() -> None:
    assert len(CASES) >= 150


@pytest.mark.parametrize(
    ("group", "policies", "question", "expected"), CASES, ids=[f"{case[0]}: {case[2]}" for case in CASES]
)
def test_written_case(group: str, policies: list[Mapping[str, Any]], question: str, *, expected: bool) -> None:
    network = Network(objects_of(TABLE["settings"]["usual"], policies))
    source, _, rest = question.partition(" -> ")
    target, port = rest.rsplit(" ", 1)
    ends: list[Endpoint] = [parse_endpoint(network, text) for text in (source, target)]
    answer = network.reach(ends[0], ends[1], Port.parse(port))
    assert answer.allowed is expected, f"{group}: {answer.why}"


def test_the_refusing_policy_is_named() -> None:
    group = next(group for group in TABLE["groups"] if group["id"] == "both-sides-must-consent")
    network = Network(objects_of(TABLE["settings"]["usual"], group["policies"]))
    answer = network.reach(parse_endpoint(network, "a/web"), parse_endpoint(network, "b/web"), Port("TCP", 80))
    assert [str(policy) for policy in answer.ingress.policies] == ["NetworkPolicy b/in"]
    assert "ingress" in answer.why


def test_part_of_a_network_is_reported_as_that_part() -> None:
    group = next(group for group in TABLE["groups"] if group["id"] == "ip-block")
    network = Network(objects_of(TABLE["settings"]["usual"], group["policies"]))
    answer = network.reach(parse_endpoint(network, "a/web"), AddressSet.of(["203.0.113.0/24"]), Port("TCP", 443))
    assert str(answer.egress.addresses) == "203.0.113.0/26, 203.0.113.128/25"


labels = st.dictionaries(st.sampled_from("kl"), st.sampled_from("12"), max_size=2)
selectors = st.one_of(
    st.just({}),
    labels.map(lambda chosen: {"matchLabels": chosen}),
    st.builds(
        lambda key, operator, value: {
            "matchExpressions": [{"key": key, "operator": operator, "values": [value] if "In" in operator else []}]
        },
        st.sampled_from("kl"),
        st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
        st.sampled_from("12"),
    ),
)
peers = st.one_of(
    selectors.map(lambda chosen: {"podSelector": chosen}),
    selectors.map(lambda chosen: {"namespaceSelector": chosen}),
    st.builds(lambda n, p: {"namespaceSelector": n, "podSelector": p}, selectors, selectors),
    st.sampled_from(["10.0.0.0/8", "10.0.0.0/30", "0.0.0.0/0", "192.0.2.0/24"]).map(lambda c: {"ipBlock": {"cidr": c}}),
)
ports = st.sampled_from(
    [
        [],
        [{"port": 80}],
        [{"port": "http"}],
        [{"port": 70, "endPort": 90}],
        [{"protocol": "UDP"}],
        [{"port": 80}, {"port": 9}],
    ]
)


def rules(side: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.builds(lambda p, q: {side: p, "ports": q}, st.lists(peers, max_size=2), ports), max_size=2)


policies = st.builds(
    lambda namespace, selector, types, ingress, egress: {
        "namespace": namespace,
        "spec": {"podSelector": selector, "policyTypes": types, "ingress": ingress, "egress": egress},
    },
    st.sampled_from("xyz"),
    selectors,
    st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
    rules("from"),
    rules("to"),
)
pods = st.dictionaries(
    st.tuples(st.sampled_from("xyz"), st.sampled_from("pqr")).map("/".join),
    st.fixed_dictionaries(
        {
            "labels": labels,
            "host": st.sampled_from([False, False, True]),
            "ports": st.sampled_from([{}, {"http": 80}, {"http": 81}]),
        }
    ),
    min_size=2,
    max_size=6,
)
scenes = st.fixed_dictionaries({"namespaces": st.fixed_dictionaries(dict.fromkeys("xyz", labels)), "pods": pods})


def open_pairs(network: Network, samples: list[Port]) -> set[tuple[str, str, Port]]:
    return {
        (str(a), str(b), port)
        for a in network.pods
        for b in network.pods
        for port in samples
        if network.reach(a, b, port).allowed
    }


SAMPLES = [Port("TCP", 80), Port("TCP", 81), Port("TCP", 9), Port("UDP", 53), Port("TCP", 1000)]


@settings(max_examples=40, deadline=None)
@given(scenes, st.lists(policies, min_size=1, max_size=3), st.sampled_from(["ingress", "egress"]), peers, ports)
def test_adding_an_allow_rule_never_removes_reachability(
    scene: dict[str, Any], given_policies: list[dict[str, Any]], side: str, peer: dict[str, Any], port: list[Any]
) -> None:
    before = Network(objects_of(scene, given_policies))
    first = given_policies[0]
    key = "from" if side == "ingress" else "to"
    spec = {**first["spec"], side: [*first["spec"][side], {key: [peer], "ports": port}]}
    after = Network(objects_of(scene, [{**first, "spec": spec}, *given_policies[1:]]))
    assert open_pairs(before, SAMPLES) <= open_pairs(after, SAMPLES)


@settings(max_examples=30, deadline=None)
@given(scenes, st.lists(policies, max_size=3), policies)
def test_a_further_policy_opens_only_what_it_allows_itself(
    scene: dict[str, Any], given_policies: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    """A policy without rules can only close; where nothing was selected before, it opens nothing new."""
    closed = {**more, "spec": {**more["spec"], "ingress": [], "egress": []}}
    before = Network(objects_of(scene, given_policies))
    after = Network(objects_of(scene, [*given_policies, closed]))
    assert open_pairs(after, SAMPLES) <= open_pairs(before, SAMPLES)


@settings(max_examples=40, deadline=None)
@given(scenes, st.lists(policies, max_size=4))
def test_the_matrix_says_what_the_single_question_says(
    scene: dict[str, Any], given_policies: list[dict[str, Any]]
) -> None:
    network = Network(objects_of(scene, given_policies))
    matrix = reach_matrix(network, {name: name for name in "xyz"})
    samples = [*matrix.ports]
    expected = {
        (a.namespace, b.namespace)
        for a in network.pods
        for b in network.pods
        if a is not b and a.namespace != b.namespace and any(network.reach(a, b, port).allowed for port in samples)
    }
    assert set(matrix.pairs()) == expected


@settings(max_examples=30, deadline=None)
@given(scenes, st.lists(policies, max_size=3))
def test_the_order_of_policies_changes_nothing(scene: dict[str, Any], given_policies: list[dict[str, Any]]) -> None:
    named = [{**policy, "name": f"n{i}"} for i, policy in enumerate(given_policies)]
    forward, backward = Network(objects_of(scene, named)), Network(objects_of(scene, named[::-1]))
    assert open_pairs(forward, SAMPLES) == open_pairs(backward, SAMPLES)


@pytest.mark.parametrize("text", ["0", "65536", "80/icmp"])
def test_a_port_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|protocol"):
        Port.parse(text)
