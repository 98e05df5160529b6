"""A dump of a live cluster is placed pod by pod, quotas and preemption included, and its faults are named."""

from __future__ import annotations

from typing import Any

import pytest

from kubeanswers.errors import InputError
from kubeanswers.scheduling.dump import place_dump

Object = dict[str, Any]


def node(name: str, cpu: str = "4", gpus: int = 0) -> Object:
    allocatable = {"cpu": cpu, "memory": "16Gi", "pods": "10", **({"nvidia.com/gpu": str(gpus)} if gpus else {})}
    return {"kind": "Node", "metadata": {"name": name, "labels": {}}, "status": {"allocatable": allocatable}}


def pod(name: str, cpu: str = "1", gpus: int = 0, **more: Any) -> Object:
    requests = {"cpu": cpu, "memory": "1Gi", **({"nvidia.com/gpu": gpus} if gpus else {})}
    meta = {"name": name, "namespace": "team", **more.pop("metadata", {})}
    status = more.pop("status", {})
    containers = [{"name": "c", "image": "a:1", "resources": {"requests": requests, "limits": requests}}]
    return {"kind": "Pod", "metadata": meta, "spec": {"containers": containers, **more}, "status": status}


def quota(**hard: str) -> Object:
    return {"kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "team"}, "spec": {"hard": hard}}


def test_pending_pods_are_placed_in_order_and_the_rest_say_why() -> None:
    listed = {"kind": "List", "items": [node("n1"), node("n2", gpus=1), pod("run", cpu="3", nodeName="n1")]}
    done = pod("done", cpu="4", nodeName="n2", status={"phase": "Succeeded"})
    result = place_dump([listed, None, done, pod("a", gpus=1), pod("b", cpu="3"), pod("c", cpu="2")])
    assert [(p.pod, p.node) for p in result.pods] == [("team/a", "n2"), ("team/b", "n2"), ("team/c", "")]
    assert result.pending[0].reason.startswith("0/2 nodes are available: 2 Insufficient cpu.")
    assert result.to_dict()["pods"][0]["node"] == "n2"


def test_a_pod_not_created_yet_has_to_pass_its_quota_and_one_that_exists_is_counted() -> None:
    things = [node("n", cpu="64"), quota(**{"requests.cpu": "3", "pods": "9"}), pod("run", cpu="1500m", nodeName="n")]
    result = place_dump([*things, pod("a", cpu="1"), pod("b", cpu="1"), pod("c", cpu="500m")])
    assert [bool(p.node) for p in result.pods] == [True, False, True]
    assert result.pods[1].reason == (
        "exceeded quota: q, requested: requests.cpu=1, used: requests.cpu=2500m, limited: requests.cpu=3"
    )
    existing = place_dump([*things, pod("a", cpu="9", metadata={"uid": "1"})])
    assert existing.pods[0].node == "n"


def test_quota_scopes_choose_the_pods_they_mean() -> None:
    scoped = quota(pods="0")
    scoped["spec"]["scopeSelector"] = {
        "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["hi"]}]
    }
    classes = [{"kind": "PriorityClass", "metadata": {"name": "hi"}, "value": 10}]
    result = place_dump([node("n"), scoped, *classes, pod("a", priorityClassName="hi"), pod("b")])
    assert [bool(p.node) for p in result.pods] == [False, True]
    assert "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0" in result.pods[0].reason


def test_priority_preempts_and_the_victims_are_named() -> None:
    classes = [{"kind": "PriorityClass", "metadata": {"name": "hi"}, "value": 10}]
    result = place_dump([node("n"), *classes, pod("low", cpu="4", nodeName="n"), pod("high", priorityClassName="hi")])
    assert (result.pods[0].node, result.pods[0].preempted) == ("n", ("team/low",))


def test_runtime_classes_add_overhead_and_node_rules() -> None:
    kata = {
        "kind": "RuntimeClass",
        "metadata": {"name": "kata"},
        "overhead": {"podFixed": {"cpu": "500m"}},
        "scheduling": {"nodeSelector": {"kata": "yes"}},
    }
    able = node("able", cpu="1")
    able["metadata"]["labels"] = {"kata": "yes"}
    result = place_dump(
        [
            node("n"),
            able,
            kata,
            pod("a", cpu="600m", runtimeClassName="kata"),
            pod("b", cpu="500m", runtimeClassName="kata"),
        ]
    )
    assert [p.node for p in result.pods] == ["", "able"]


def test_a_scheduler_configuration_in_the_dump_is_used() -> None:
    strategy = {"type": "MostAllocated", "resources": [{"name": "cpu", "weight": 1}]}
    config = {
        "kind": "KubeSchedulerConfiguration",
        "profiles": [{"pluginConfig": [{"name": "NodeResourcesFit", "args": {"scoringStrategy": strategy}}]}],
    }
    running = pod("run", cpu="2", nodeName="n2")
    assert place_dump([node("n1"), node("n2"), running, pod("a")]).pods[0].node == "n1"
    assert place_dump([config, node("n1"), node("n2"), running, pod("a")]).pods[0].node == "n2"


def test_what_is_not_looked_at_is_said() -> None:
    asks = pod(
        "a",
        resourceClaims=[{"name": "gpu"}],
        volumes=[{"persistentVolumeClaim": {"claimName": "x"}}],
        schedulingGroup={"podGroupName": "gang"},
        schedulerName="kueue",
    )
    unchecked = ("resourceClaims", "volumes", "schedulingGroup", "schedulerName kueue")
    assert place_dump([node("n"), asks]).pods[0].unchecked == unchecked


def test_gated_pods_wait_and_terminating_ones_are_left_out() -> None:
    gated = pod("g", schedulingGates=[{"name": "kueue.x-k8s.io/admission"}])
    leaving = pod("t", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    result = place_dump([node("n"), gated, leaving])
    assert [(p.pod, p.reason) for p in result.pods] == [
        ("team/g", "Scheduling is blocked due to non-empty scheduling gates")
    ]


def test_every_fault_of_a_dump_comes_at_once() -> None:
    bad_node = {"kind": "Node", "metadata": {"name": "x"}}
    with pytest.raises(InputError) as caught:
        place_dump([
            bad_node,
            node("n"),
            node("n"),
            pod("a", cpu="lots"),
            pod("b", cpu="-1"),
            pod("c", priorityClassName="hi"),
            pod("d", runtimeClassName="kata"),
            {"kind": "Pod", "metadata": {}},
            pod("e", tolerations=7),
        ])  # fmt: skip
    text = str(caught.value)
    for part in (
        "Node x: status.allocatable",
        "n: is given twice",
        "Pod team/a",
        "'-1' is negative",
        "'hi' is unknown",
        "'kata' is unknown",
        "metadata.name is missing",
        "Pod team/e: is malformed",
    ):
        assert part in text
