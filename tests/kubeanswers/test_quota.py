"""Quotas and limits: what a namespace takes, fills in and counts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.compute import aggregate, pod_total
from kubeanswers.quota.enforcement import NamespaceAccount


def quota(name: str = "q", **hard: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": hard}}


def pod(
    name: str, requests: dict[str, str] | None = None, limits: dict[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    containers = [{"name": "c", "image": "i", "resources": resources}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def account(*objects: dict[str, Any], cluster: tuple[dict[str, Any], ...] = ()) -> NamespaceAccount:
    made = NamespaceAccount(cluster)
    for item in objects:
        assert made.create(item).code == 201
    return made


def test_a_quota_on_cpu_obliges_every_container_to_state_cpu() -> None:
    answer = account(quota(**{"requests.cpu": "1"})).create(pod("p", {"memory": "1Gi"}))
    assert (answer.code, answer.why) == (403, "failed quota: q: must specify requests.cpu for: c")


def test_a_limit_range_fills_in_what_the_quota_asks_for() -> None:
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}}
    entry = {"type": "Container", "default": {"cpu": "500m"}, "defaultRequest": {"cpu": "100m"}}
    namespace = account(quota(**{"requests.cpu": "1"}), {**limits, "spec": {"limits": [entry]}})
    assert namespace.create(pod("p")).code == 201
    assert namespace.used(quota(**{"requests.cpu": "1"})) == {"requests.cpu": Decimal("0.1")}


def test_deleting_a_pod_frees_its_share_and_a_finished_one_holds_none() -> None:
    namespace = account(quota(pods="1"))
    assert namespace.create(pod("a")).code == 201
    assert namespace.create(pod("b")).code == 403
    assert namespace.set_status({**pod("a"), "status": {"phase": "Succeeded"}}).code == 200
    assert namespace.create(pod("b")).code == 201
    assert namespace.delete(pod("b")).code == 200
    assert namespace.delete(pod("b")).code == 404
    assert namespace.create(pod("c")).code == 201


@pytest.mark.parametrize(
    ("spec", "counted"),
    [
        (
            {"type": "ClusterIP", "ports": [{"port": 80}]},
            {"services": 1, "services.nodeports": 0, "services.loadbalancers": 0},
        ),
        ({"type": "NodePort", "ports": [{"port": 80}, {"port": 81}]}, {"services": 1, "services.nodeports": 2}),
        ({"type": "LoadBalancer", "ports": [{"port": 80}]}, {"services.loadbalancers": 1, "services.nodeports": 1}),
        (
            {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": [{"port": 80}]},
            {"services.loadbalancers": 1, "services.nodeports": 0},
        ),
    ],
)
def test_services_count_by_type(spec: dict[str, Any], counted: dict[str, int]) -> None:
    names = dict.fromkeys(("services", "services.nodeports", "services.loadbalancers"), "9")
    namespace = account(quota(**names))
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec}
    assert namespace.create(service).code == 201
    used = namespace.used(quota(**names))
    assert {name: int(used[name]) for name in counted} == counted


def test_devices_of_a_claim_count_by_their_class() -> None:
    name = "gpu.example.com.deviceclass.resource.k8s.io/devices"
    requests = [
        {"name": "a", "exactly": {"deviceClassName": "gpu.example.com", "count": 2}},
        {"name": "b", "firstAvailable": [{"deviceClassName": "gpu.example.com"}, {"deviceClassName": "other"}]},
    ]
    claim = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": "c"},
        "spec": {"devices": {"requests": requests}},
    }
    namespace = account(quota(**{name: "4"}))
    assert namespace.create(claim).code == 201
    assert namespace.used(quota(**{name: "4"}))[name] == 3


def test_scopes_choose_the_pods_a_quota_counts() -> None:
    terminating = quota(pods="1")
    terminating["spec"]["scopes"] = ["Terminating"]
    namespace = account(terminating)
    assert namespace.create(pod("a")).code == 201
    assert namespace.create(pod("b", activeDeadlineSeconds=60)).code == 201
    assert namespace.create(pod("c", activeDeadlineSeconds=60)).code == 403
    assert namespace.create(pod("d")).code == 201


@pytest.mark.parametrize(
    ("hard", "code"),
    [({"requests.cpu": "banana"}, 400), ({"pods": "1.5"}, 422), ({"nosuch": "1"}, 422), ({"pods": "-1"}, 422)],
)
def test_a_quota_that_is_wrong_is_refused(hard: dict[str, str], code: int) -> None:
    assert NamespaceAccount().create(quota(**hard)).code == code


def test_an_unknown_runtime_class_is_refused_and_a_known_one_adds_its_overhead() -> None:
    sandbox = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "boxed"},
        "handler": "h",
        "overhead": {"podFixed": {"cpu": "250m"}},
    }
    namespace = account(quota(**{"requests.cpu": "1"}), cluster=(sandbox,))
    assert namespace.create(pod("a", {"cpu": "500m"}, runtimeClassName="nosuch")).code == 403
    assert namespace.create(pod("b", {"cpu": "500m"}, runtimeClassName="boxed")).code == 201
    assert namespace.used(quota(**{"requests.cpu": "1"}))["requests.cpu"] == Decimal("0.75")


amounts = st.integers(0, 4000).map(lambda milli: f"{milli}m")
drawn = st.lists(amounts, min_size=1, max_size=4)


@settings(max_examples=60)
@given(drawn, drawn, st.lists(st.booleans(), min_size=4, max_size=4))
def test_a_pod_needs_at_least_what_its_containers_need_and_at_most_everything_at_once(
    apps: list[str], inits: list[str], sidecars: list[bool]
) -> None:
    def container(i: int, cpu: str, *, sidecar: bool = False) -> dict[str, Any]:
        return {
            "name": f"c{i}",
            "resources": {"requests": {"cpu": cpu}},
            **({"restartPolicy": "Always"} if sidecar else {}),
        }

    spec = {
        "containers": [container(i, cpu) for i, cpu in enumerate(apps)],
        "initContainers": [container(i, cpu, sidecar=sidecars[i]) for i, cpu in enumerate(inits)],
    }
    total = pod_total(spec, "requests")["cpu"]
    running = sum((Decimal(cpu[:-1]) for cpu in apps), Decimal(0)) / 1000
    everything = running + sum((Decimal(cpu[:-1]) for cpu in inits), Decimal(0)) / 1000
    assert running <= total <= everything
    assert aggregate(spec, "requests")["cpu"] == total


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1500)), max_size=12))
def test_use_never_exceeds_the_quota_and_equals_the_sum_of_what_is_there(steps: list[tuple[int, int]]) -> None:
    hard = {"requests.cpu": "3", "pods": "4"}
    namespace = account(quota(**hard))
    live: dict[str, int] = {}
    for name, milli in steps:
        key = f"p{name}"
        if key in live:
            assert namespace.delete(pod(key)).code == 200
            del live[key]
        elif namespace.create(pod(key, {"cpu": f"{milli}m"})).code == 201:
            live[key] = milli
    used = namespace.used(quota(**hard))
    assert used["requests.cpu"] == Decimal(sum(live.values())) / 1000 <= 3
    assert used["pods"] == len(live) <= 4


def service(kind: str, ports: int, name: str = "s") -> dict[str, Any]:
    spec = {"type": kind, "ports": [{"port": 80 + i} for i in range(ports)]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def test_what_asks_for_nothing_of_an_overdrawn_resource_is_taken() -> None:
    namespace = account(quota(**{"services.nodeports": "5"}), service("NodePort", 4))
    assert namespace.update(quota(**{"services.nodeports": "1"})).code == 200
    assert namespace.create(service("ClusterIP", 1, "t")).code == 201
    assert namespace.create(service("NodePort", 1, "u")).code == 403
    assert namespace.update(service("NodePort", 3)).code == 200, "an update that asks for less is not an excess"


def claim(name: str, storage: str, **spec: Any) -> dict[str, Any]:
    made = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": made}


def test_a_claim_that_comes_under_a_scope_by_an_update_is_charged_in_full() -> None:
    term = {"scopeName": "VolumeAttributesClass", "operator": "In", "values": ["gold"]}
    limited = quota(**{"requests.storage": "3Gi"})
    limited["spec"]["scopeSelector"] = {"matchExpressions": [term]}
    namespace = account(limited, claim("a", "2Gi", volumeAttributesClassName="gold"), claim("b", "2Gi"))
    bound = {**claim("b", "2Gi"), "status": {"phase": "Bound"}}
    assert namespace.set_status(bound).code == 200
    assert namespace.update(claim("b", "2Gi", volumeAttributesClassName="gold")).code == 403


def test_a_claim_being_moved_to_a_class_counts_in_both() -> None:
    term = {"scopeName": "VolumeAttributesClass", "operator": "In", "values": ["gold"]}
    limited = quota(**{"requests.storage": "3Gi"})
    limited["spec"]["scopeSelector"] = {"matchExpressions": [term]}
    namespace = account(limited, claim("a", "2Gi", volumeAttributesClassName="tin"))
    assert namespace.used(limited) == {"requests.storage": Decimal(0)}
    status = {"modifyVolumeStatus": {"targetVolumeAttributesClassName": "gold"}}
    assert namespace.set_status({**claim("a", "2Gi"), "status": status}).code == 200
    assert namespace.used(limited) == {"requests.storage": Decimal(2 * 2**30)}


def test_storage_is_counted_in_whole_bytes() -> None:
    limited = quota(**{"requests.storage": "10"})
    assert account(limited, claim("a", "1500m")).used(limited) == {"requests.storage": Decimal(2)}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("Deferred", "3"), ("Infeasible", "2")],
)
def test_a_resize_under_way_counts_the_most_of_what_is_wanted_granted_and_in_force(reason: str, expected: str) -> None:
    limited = quota(**{"requests.cpu": "9"})
    namespace = account(limited, pod("a", {"cpu": "3"}))
    report = {"name": "c", "allocatedResources": {"cpu": "1"}, "resources": {"requests": {"cpu": "2"}}}
    condition = {"type": "PodResizePending", "status": "True", "reason": reason}
    status = {"phase": "Running", "containerStatuses": [report], "conditions": [condition]}
    assert namespace.set_status({**pod("a"), "status": status}).code == 200
    assert namespace.used(limited) == {"requests.cpu": Decimal(expected)}


def test_devices_asked_for_by_class_are_counted_as_any_other_resource() -> None:
    name = "deviceclass.resource.kubernetes.io/gpu"
    limited = quota(**{f"requests.{name}": "2"})
    namespace = account(limited)
    assert namespace.create(pod("a", {name: "2"}, {name: "2"})).code == 201
    assert namespace.create(pod("b", {name: "1"}, {name: "1"})).code == 403


@pytest.mark.parametrize(
    ("change", "code"),
    [({"requests": {"cpu": "1"}}, 200), ({"requests": {"cpu": "2"}}, 422), ({}, 422)],
)
def test_a_pod_cannot_change_what_it_asks_for(change: dict[str, Any], code: int) -> None:
    namespace = account(pod("a", {"cpu": "1"}))
    assert namespace.update(pod("a", **change)).code == code


def test_the_scopes_of_a_quota_cannot_change() -> None:
    namespace = account(quota(pods="1"))
    changed = quota(pods="1")
    changed["spec"]["scopes"] = ["BestEffort"]
    assert namespace.update(changed).code == 422


@pytest.mark.parametrize("hard", [{"count/pods": "1500m"}, {"nvidia.com/gpu": "0.5"}, {"a/b/c": "1"}, {"A B/c": "1"}])
def test_a_quota_on_pieces_counts_in_whole_pieces_of_named_things(hard: dict[str, str]) -> None:
    assert NamespaceAccount().create(quota(**hard)).code == 422


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"priorityClassName": "low", "priority": 10}, 201),
        ({"priorityClassName": "low", "priority": 11}, 403),
        ({"priority": 5}, 403),
        ({"priority": 0}, 201),
        ({"priorityClassName": "none"}, 403),
        ({"runtimeClassName": "vm", "overhead": {"cpu": "100m"}}, 201),
        ({"runtimeClassName": "vm", "overhead": {"cpu": "200m"}}, 403),
        ({"overhead": {"cpu": "100m"}}, 403),
    ],
)
def test_what_a_class_decides_a_pod_may_only_repeat(spec: dict[str, Any], code: int) -> None:
    low = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "low"}, "value": 10}
    runtime = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "vm"}, "handler": "h"}
    runtime["overhead"] = {"podFixed": {"cpu": "0.1"}}
    assert account(cluster=(low, runtime)).create(pod("p", **spec)).code == code


def test_a_pods_own_request_it_does_not_state_is_what_its_containers_ask_for() -> None:
    limited = quota(**{"requests.memory": "1Gi"})
    namespace = account(limited)
    made = namespace.create(pod("p", {"memory": "64Mi"}, resources={"limits": {"cpu": "1"}}))
    assert made.stored is not None
    assert made.stored["spec"]["resources"]["requests"] == {"cpu": "1", "memory": str(64 * 2**20)}
    assert namespace.used(limited) == {"requests.memory": Decimal(64 * 2**20)}
