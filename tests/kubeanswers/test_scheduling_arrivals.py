"""Pods that are still to be created: quotas, limit ranges, controllers, and the order in which pods are taken."""

from __future__ import annotations

from typing import Any

import pytest

from kubeanswers.errors import InputError
from kubeanswers.scheduling.dump import DumpPlacement, place_dump

Object = dict[str, Any]


def node(name: str = "n", cpu: str = "64", labels: Object | None = None, **more: Any) -> Object:
    have = {"cpu": cpu, "memory": "256Gi", "pods": "110", "nvidia.com/gpu": "8", "hugepages-2Mi": "1Gi"}
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}},
        "spec": more,
        "status": {"allocatable": have},
    }


def resources(requests: Object | None = None, limits: Object | None = None) -> Object:
    return {key: value for key, value in (("requests", requests), ("limits", limits)) if value}


def pod(name: str, requests: Object | None = None, limits: Object | None = None, **more: Any) -> Object:
    meta = {"name": name, "namespace": "d", **more.pop("metadata", {})}
    container = {"name": "c", "image": "i", "resources": resources(requests, limits)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container], **more}}


def quota(hard: Object, name: str = "q", **spec: Any) -> Object:
    meta = {"name": name, "namespace": "d"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard, **spec}}


def limit_range(kind: str = "Container", **entry: Object) -> Object:
    spec = {"limits": [{"type": kind, **entry}]}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l", "namespace": "d"}, "spec": spec}


def controller(kind: str, name: str = "web", cpu: str = "1", **spec: Any) -> Object:
    labels = {"app": name}
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec.pop("pod", {})}}
    selector = labels if kind == "ReplicationController" else {"matchLabels": labels}
    meta = {"name": name, "namespace": "d", **spec.pop("metadata", {})}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": meta,
        "spec": {"selector": selector, "template": template, **spec},
    }


def reasons(found: DumpPlacement) -> dict[str, str]:
    return {one.pod.removeprefix("d/"): one.reason for one in found.pods if one.refused}


@pytest.mark.parametrize(
    ("hard", "asked", "missing"),
    [
        ({"requests.cpu": "4"}, {}, "requests.cpu"),
        ({"cpu": "4"}, {}, "cpu"),
        ({"limits.memory": "4Gi"}, {"requests": {"memory": "1Gi"}}, "limits.memory"),
        ({"requests.memory": "4Gi", "requests.cpu": "4"}, {"requests": {"cpu": "1"}}, "requests.memory"),
    ],
)
def test_a_pod_must_say_what_its_quota_counts(hard: Object, asked: Object, missing: str) -> None:
    found = place_dump([node(), quota(hard), pod("x", **asked)])
    assert reasons(found) == {"x": f"failed quota: q: must specify {missing} for: c"}


@pytest.mark.parametrize("hard", [{"requests.nvidia.com/gpu": "4"}, {"limits.nvidia.com/gpu": "1"}, {"pods": "5"}])
def test_what_a_quota_does_not_count_need_not_be_said(hard: Object) -> None:
    assert place_dump([node(), quota(hard), pod("x", limits={"nvidia.com/gpu": "2"})]).pods[0].node == "n"


def test_extended_resources_are_counted_by_their_requests_alone() -> None:
    found = place_dump([node(), quota({"requests.nvidia.com/gpu": "1"}), pod("x", limits={"nvidia.com/gpu": "2"})])
    assert "requested: requests.nvidia.com/gpu=2, used: requests.nvidia.com/gpu=0" in reasons(found)["x"]


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("hugepages-2Mi", {"limits": {"cpu": "1", "memory": "1Gi", "hugepages-2Mi": "200Mi"}}, "hugepages-2Mi=200Mi"),
        ("requests.hugepages-2Mi", {"limits": {"cpu": "1", "hugepages-2Mi": "200Mi"}}, "requests.hugepages-2Mi=200Mi"),
        ("limits.cpu", {"resources": {"limits": {"cpu": "3"}, "requests": {"cpu": "1"}}}, "limits.cpu=3"),
        ("requests.memory", {"resources": {"requests": {"memory": "300Gi"}}}, "requests.memory=300Gi"),
    ],
)
def test_huge_pages_and_resources_of_the_whole_pod_are_counted(name: str, asked: Object, said: str) -> None:
    found = place_dump([node(), quota({name: "2" if "cpu" in name else "100Mi"}), pod("x", **asked)])
    assert f"exceeded quota: q, requested: {said}" in reasons(found)["x"]


def test_overhead_of_a_runtime_counts_against_the_quota() -> None:
    kata = {"kind": "RuntimeClass", "metadata": {"name": "kata"}, "overhead": {"podFixed": {"cpu": "500m"}}}
    things = [node(), kata, quota({"requests.cpu": "1"}), pod("x", {"cpu": "800m"}, runtimeClassName="kata")]
    assert "requested: requests.cpu=1300m" in reasons(place_dump(things))["x"]


def test_best_effort_looks_at_cpu_and_memory_alone() -> None:
    scoped = quota({"pods": "1"}, scopes=["BestEffort"])
    found = place_dump([node(), scoped, pod("a"), pod("b", limits={"nvidia.com/gpu": "1"}), pod("c", {"cpu": "1"})])
    assert [bool(one.node) for one in found.pods] == [True, False, True]


def test_the_scope_of_affinity_across_namespaces_means_only_pods_with_such_terms() -> None:
    across = {"scopeName": "CrossNamespacePodAffinity", "operator": "Exists"}
    scoped = quota({"pods": "0"}, scopeSelector={"matchExpressions": [across]})

    def near(**term: Any) -> Object:
        rule = {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "kubernetes.io/hostname", **term}
        return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}}

    pods = [
        pod("a", affinity=near(namespaceSelector={})),
        pod("b", affinity=near()),
        pod("c", affinity=near(namespaces=["e"])),
    ]
    assert set(reasons(place_dump([node(), scoped, *pods]))) == {"a", "c"}


def test_a_finished_pod_and_one_that_exists_take_what_they_hold() -> None:
    done = pod("done", {"cpu": "3"}, metadata={"uid": "1"}) | {"status": {"phase": "Succeeded"}}
    waits = pod("waits", {"cpu": "1"}, metadata={"uid": "2"})
    found = place_dump(
        [node(), quota({"requests.cpu": "2"}), done, waits, pod("x", {"cpu": "1"}), pod("y", {"cpu": "1"})]
    )
    assert [bool(one.node) for one in found.pods] == [True, True, False]


def test_what_the_quota_controller_recorded_counts_for_objects_the_dump_leaves_out() -> None:
    full = quota({"requests.cpu": "4"}) | {"status": {"used": {"requests.cpu": "3500m"}}}
    found = place_dump([node(), full, pod("x", {"cpu": "500m"}), pod("y", {"cpu": "1m"})])
    assert [bool(one.node) for one in found.pods] == [True, False]


def test_a_limit_range_fills_in_what_a_pod_leaves_open() -> None:
    filled = limit_range(defaultRequest={"cpu": "600m"}, default={"cpu": "1"})
    found = place_dump([node(cpu="1"), filled, pod("a"), pod("b")])
    assert [one.node for one in found.pods] == ["n", ""]
    assert "1 Insufficient cpu" in found.pods[1].reason


@pytest.mark.parametrize(
    ("limit", "asked", "reason"),
    [
        ({"max": {"cpu": "1"}}, {"cpu": "2"}, "maximum cpu usage per Container is 1, but limit is 2"),
        (
            {"min": {"memory": "1Gi"}},
            {"memory": "1Mi"},
            "minimum memory usage per Container is 1Gi, but request is 1Mi",
        ),
        ({"kind": "Pod", "max": {"cpu": "1"}}, {"cpu": "2"}, "maximum cpu usage per Pod is 1, but limit is 2"),
    ],
)
def test_a_limit_range_refuses_what_is_out_of_its_bounds(limit: Object, asked: Object, reason: str) -> None:
    found = place_dump([node(), limit_range(**limit), pod("a", asked, asked)])
    assert reason in reasons(found)["a"]


def test_a_class_that_is_not_there_and_a_request_without_the_limit_it_needs_are_refused() -> None:
    found = place_dump([node(), pod("gpu", {"nvidia.com/gpu": "1"}), pod("told", priority=5)])
    assert "must be set: the resource cannot be overcommitted" in reasons(found)["gpu"]
    assert "priority must not be provided in pod spec" in reasons(found)["told"]


def test_the_more_important_pod_is_taken_first_and_of_equals_the_older() -> None:
    def waiting(name: str, priority: int, since: str) -> Object:
        return pod(name, {"cpu": "1"}, priority=priority, metadata={"uid": name, "creationTimestamp": since})

    pods = [
        waiting("low", 0, "2026-01-01T00:00:00Z"),
        waiting("new", 9, "2026-02-02T00:00:00Z"),
        waiting("old", 9, "2026-02-01T00:00:00Z"),
    ]
    found = place_dump([node(cpu="1"), *pods])
    assert [(one.pod, one.node) for one in found.pods] == [("d/old", "n"), ("d/new", ""), ("d/low", "")]
    assert found.pods[0].preempted == ()


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"])
def test_controllers_are_asked_for_the_replicas_they_lack(kind: str) -> None:
    running = pod("r", {"cpu": "1"}, metadata={"labels": {"app": "web"}, "uid": "r"}, nodeName="n")
    found = place_dump([node(cpu="2"), controller(kind, replicas=3), running])
    assert [bool(one.node) for one in found.pods] == [True, False]
    assert all(one.pod.startswith("d/web-") for one in found.pods)


def test_a_deployment_speaks_through_its_replica_sets() -> None:
    owner = {"kind": "Deployment", "name": "web", "controller": True}
    inner = controller("ReplicaSet", "web-5f", replicas=2, metadata={"ownerReferences": [owner]})
    assert len(place_dump([node(), controller("Deployment", replicas=2), inner]).pods) == 2


def test_a_job_keeps_as_many_pods_as_it_has_left_and_a_suspended_one_is_said() -> None:
    job = controller("Job", "train", parallelism=4, completions=3) | {"status": {"succeeded": 1}}
    held = controller("Job", "held", suspend=True)
    found = place_dump([node(), job, held])
    assert len(found.pods) == 2
    assert found.notes == ("Job d/held: suspended, so its pods are not created (a queue such as Kueue may resume it)",)


def test_a_daemon_set_runs_on_every_node_its_rules_let_it_on() -> None:
    taint = {"key": "gpu", "value": "", "effect": "NoSchedule"}
    machines = [node("a"), node("b", unschedulable=True), node("c", taints=[taint]), node("d", labels={"os": "x"})]
    found = place_dump([*machines, controller("DaemonSet", "agent")])
    assert sorted(one.node for one in found.pods) == ["a", "b", "d"]
    chosen = controller("DaemonSet", "agent", pod={"nodeSelector": {"os": "x"}})
    assert [one.node for one in place_dump([*machines, chosen]).pods] == ["d"]


def test_a_controllers_pods_pass_quota_and_limit_range_as_any_other() -> None:
    found = place_dump([node(), quota({"pods": "2"}), controller("Deployment", replicas=3)])
    assert [one.refused for one in found.pods] == [False, False, True]


@pytest.mark.parametrize("spec", [{"replicas": "three"}, {"replicas": -1}, {"replicas": True}])
def test_a_count_that_is_none_is_a_fault(spec: Object) -> None:
    with pytest.raises(InputError, match="replicas"):
        place_dump([node(), controller("Deployment", **spec)])
