"""Rules of the scheduler that are easily got wrong, each with the answer of its own code (Kubernetes 1.36)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kubeanswers.errors import InputError
from kubeanswers.scheduling.cluster import Cluster
from kubeanswers.scheduling.configuration import fit_scoring, profiles
from kubeanswers.scheduling.dump import place_dump
from kubeanswers.scheduling.inventory import take_inventory
from kubeanswers.scheduling.objects import Reader
from kubeanswers.scheduling.scheduling import Scheduler
from kubeanswers.scheduling.values import Pod

Object = dict[str, Any]
HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"


def node(name: str, cpu: str = "4", zone: str = "", taints: list[Object] | None = None, **more: Any) -> Object:
    labels = {HOST: name, **({ZONE: zone} if zone else {}), **more.pop("labels", {})}
    allocatable = {"cpu": cpu, "memory": "8Gi", "pods": "10", **more.pop("devices", {})}
    spec = {"taints": taints or []}
    status = {"allocatable": allocatable, **more}
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}


def pod(name: str, cpu: str = "1", labels: Object | None = None, node: str = "", **more: Any) -> Object:
    requests = {"cpu": cpu, "memory": "1Gi", **more.pop("requests", {})}
    containers = more.pop("containers", [{"name": "c", "image": "a:1", "resources": {"requests": requests}}])
    meta = {"name": name, "namespace": "d", "uid": name, "labels": labels or {}, **more.pop("metadata", {})}
    status = more.pop("status", {})
    return {
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": containers, "nodeName": node, **more},
        "status": status,
    }


def points(plugin: str, *objects: Object) -> dict[str, int]:
    """Return the points of a plugin for the last pod of a dump, by machine."""
    found = take_inventory(objects)
    cluster = Cluster(found.machines, [one for _, one in found.pods if one.node], found.namespaces)
    scheduler = Scheduler(cluster, next(iter(found.profiles.values()), None), found.services)
    scheduler.controllers = found.controllers
    scores = scheduler.decide(found.pods[-1][1]).scores
    assert scores is not None
    return {cluster.machines[i].name: int(v) for i, v in zip(scores.machines, scores.plugins[plugin], strict=True)}


def read(thing: Object) -> Pod:
    return Reader().pod(thing)


def spread(**more: Any) -> list[Object]:
    return [{"topologyKey": HOST, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", **more}]


def test_an_empty_spread_selector_counts_no_pods() -> None:
    running = [pod(f"r{i}", node="n") for i in range(3)]
    wanted = pod("p", topologySpreadConstraints=spread(labelSelector={}))
    assert [one.node for one in place_dump([node("n"), node("m", cpu="500m"), *running, wanted]).pods] == ["n"]


def test_machines_without_a_zone_are_one_more_zone_where_services_spread_by_default() -> None:
    service = {"kind": "Service", "metadata": {"name": "s", "namespace": "d"}, "spec": {"selector": {"app": "x"}}}
    running = [pod("r1", "100m", {"app": "x"}, "a"), pod("r2", "100m", {"app": "x"}, "a")]
    things = [service, node("a", zone="z1"), node("b", zone="z2"), node("c"), *running, pod("p", "1", {"app": "x"})]
    assert points("PodTopologySpread", *things) == {"a": 32, "b": 132, "c": 200}


def test_pods_of_a_replica_set_spread_by_default_without_a_service() -> None:
    owner = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "controller": True}]
    sets = {"kind": "ReplicaSet", "metadata": {"name": "rs", "namespace": "d"}}
    sets["spec"] = {"selector": {"matchLabels": {"app": "x"}}}
    running = pod("r", "100m", {"app": "x"}, "a")
    wanted = pod("p", "100m", {"app": "x"}, metadata={"ownerReferences": owner})
    assert points("PodTopologySpread", sets, node("a"), node("b"), running, wanted) == {"a": 132, "b": 200}
    assert points("PodTopologySpread", node("a"), node("b"), running, wanted) == {"a": 0, "b": 0}


def test_the_first_machine_says_how_large_an_image_is_and_mounted_images_count() -> None:
    def held(size: int) -> list[Object]:
        return [{"names": ["model:1"], "sizeBytes": size << 20}]

    mounted = pod("p", volumes=[{"name": "v", "image": {"reference": "model:1"}}])
    things = [node("a", images=held(1000)), node("b", images=held(30)), node("c")]
    assert points("ImageLocality", *things, mounted) == {"a": 65, "b": 65, "c": 0}


def test_requests_of_the_pod_as_a_whole_replace_its_containers_and_limits_fill_in() -> None:
    containers = [{"name": "c", "resources": {"requests": {"cpu": "300m"}}}, {"name": "d"}]
    whole = read(pod("p", containers=containers, resources={"requests": {"cpu": "2"}, "limits": {"memory": "3Gi"}}))
    assert (whole.requests["cpu"], whole.requests["memory"]) == (2000, 3 << 30)
    summed = read(pod("p", containers=containers, resources={"limits": {"cpu": "4"}}))
    assert summed.requests["cpu"] == summed.nominal_cpu == 300
    assert summed.scored_cpu == 400  # the resource score of 1.36 looks at containers alone
    bare = read(pod("p", containers=containers, resources={"requests": {"memory": "1Gi"}}))
    assert (bare.nominal_cpu, bare.nominal_memory) == (300, 1 << 30)


@pytest.mark.parametrize(("condition", "cpu"), [(None, 3000), ("Deferred", 3000), ("Infeasible", 2000)])
def test_a_resize_in_flight_counts_at_the_larger_amount_unless_it_cannot_be(condition: str | None, cpu: int) -> None:
    granted = {"name": "c", "resources": {"requests": {"cpu": "1"}}, "allocatedResources": {"cpu": "2"}}
    conditions = [{"type": "PodResizePending", "reason": condition}] if condition else []
    status = {"containerStatuses": [granted], "conditions": conditions}
    assert read(pod("p", cpu="3", status=status)).requests["cpu"] == cpu


def test_room_kept_for_a_more_important_pod_is_not_given_away() -> None:
    nominated = pod("high", "3", priority=10, status={"nominatedNodeName": "n"})
    found = place_dump([node("n"), pod("low", "2"), pod("other", "1"), nominated]).pods
    assert [one.pod.removeprefix("d/") for one in found] == ["high", "low", "other"]
    assert [one.node for one in found] == ["n", "", "n"]
    assert found[1].reason.startswith("0/1 nodes are available: 1 Insufficient cpu.")


def test_a_pod_waits_while_room_is_made_for_it() -> None:
    leaving = pod("low", "4", node="n", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    leaving["status"] = {
        "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]
    }
    (found,) = place_dump([node("n"), leaving, pod("p", priority=10, status={"nominatedNodeName": "n"})]).pods
    assert found.reason.endswith("preemption: not eligible due to a terminating pod on the nominated node.")


def test_kubelet_features_a_pod_cannot_do_without_choose_its_machine() -> None:
    able = node("able", declaredFeatures=["UserNamespacesHostNetworkSupport"])
    wanted = pod("p", hostNetwork=True, hostUsers=False)
    assert place_dump([node("n"), able, wanted]).pods[0].node == "able"
    (found,) = place_dump([node("n"), wanted]).pods
    assert found.reason.startswith("0/1 nodes are available: 1 node(s) didn't match Pod's required features.")


def test_names_of_machines_that_contradict_each_other_are_said_up_front() -> None:
    fields = [{"key": "metadata.name", "operator": "In", "values": [name]} for name in ("n", "m")]
    terms = {"nodeSelectorTerms": [{"matchFields": fields}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    (found,) = place_dump([node("n"), node("m"), pod("p", affinity=affinity)]).pods
    assert found.reason.startswith("0/2 nodes are available: pod affinity terms conflict.")


def test_every_namespace_has_its_name_as_a_label() -> None:
    term = {"topologyKey": HOST, "labelSelector": {}, "namespaceSelector": {}}
    term["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": "d"}}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    (found,) = place_dump([node("n"), pod("r", node="n"), pod("p", affinity=affinity)]).pods
    assert "1 node(s) didn't match pod anti-affinity rules" in found.reason


def configured(*plugins: tuple[str, Object], **profile: Any) -> Object:
    config = [{"name": name, "args": args} for name, args in plugins]
    return {"kind": "KubeSchedulerConfiguration", "profiles": [{"pluginConfig": config, **profile}]}


def test_a_configuration_sets_weights_filters_and_arguments() -> None:
    strategy = {"type": "MostAllocated", "resources": [{"name": "ephemeral-storage", "weight": 2}]}
    plugins = {
        "multiPoint": {"disabled": [{"name": "ImageLocality"}], "enabled": [{"name": "TaintToleration", "weight": 9}]},
        "filter": {"disabled": [{"name": "NodePorts"}]},
        "score": {"disabled": [{"name": "NodeAffinity"}]},
        "postFilter": {"disabled": [{"name": "*"}]},
    }
    given = configured(
        ("NodeResourcesFit", {"scoringStrategy": strategy, "ignoredResources": ["example.com/a"]}),
        ("InterPodAffinity", {"hardPodAffinityWeight": 0}),
        ("PodTopologySpread", {"defaultingType": "List", "defaultConstraints": []}),
        plugins=plugins,
    )
    (found,) = profiles([given]).values()
    assert found.weights["TaintToleration"] == 9
    assert not {"ImageLocality", "NodeAffinity"} & set(found.weights)
    assert "NodePorts" not in found.filters
    assert "NodeAffinity" in found.filters
    assert (found.preempts, found.hard_affinity, found.spreads) == (False, 0, ())
    assert found.fit.resources == (("ephemeral-storage", 2),)


def test_ephemeral_storage_counts_in_the_score_even_of_pods_that_ask_for_none() -> None:
    strategy = {"type": "MostAllocated", "resources": [{"name": "ephemeral-storage"}, {"name": "pods"}]}
    config = configured(("NodeResourcesFit", {"scoringStrategy": strategy}))
    machines = [node(name, devices={"ephemeral-storage": "10Gi"}) for name in "ab"]
    running = pod("r", node="a", requests={"ephemeral-storage": "5Gi"})
    assert points("NodeResourcesFit", config, *machines, running, pod("p")) == {"a": 50, "b": 0}


def test_enforced_node_rules_and_ignored_resources_of_a_configuration_hold() -> None:
    added = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "pool", "operator": "Exists"}]}]
        }
    }
    config = configured(
        ("NodeAffinity", {"addedAffinity": added}), ("NodeResourcesFit", {"ignoredResourceGroups": ["x"]})
    )
    wanted = pod("p", requests={"x/device": "1"})
    assert place_dump([config, node("n", labels={"pool": "a"}), wanted]).pods[0].node == "n"
    (found,) = place_dump([config, node("n"), wanted]).pods
    assert "1 node(s) didn't match scheduler-enforced node affinity" in found.reason


def test_a_pods_scheduler_name_chooses_the_profile() -> None:
    most = {"scoringStrategy": {"type": "MostAllocated"}}
    config = configured(("NodeResourcesFit", most), schedulerName="packing")
    config["profiles"].append({"schedulerName": "default-scheduler"})
    things = [config, node("a"), node("b"), pod("r", node="b")]
    found = place_dump([*things, pod("p", "100m"), pod("q", schedulerName="packing")]).pods
    assert [(one.node, one.unchecked) for one in found] == [("a", ()), ("b", ())]


def test_the_balance_of_three_resources_is_their_standard_deviation() -> None:
    resources = [{"name": name} for name in ("cpu", "memory", "ephemeral-storage")]
    config = configured(("NodeResourcesBalancedAllocation", {"resources": resources}))
    machines = [node(name, cpu="4", devices={"ephemeral-storage": "8Gi"}) for name in "ab"]
    running = pod("r", cpu="2", node="a")
    wanted = pod("p", cpu="1", requests={"ephemeral-storage": "1Gi"})
    # a: shares 1/2, 1/8, 0 become 3/4, 1/4, 1/8; b: 0, 0, 0 become 1/4, 1/8, 1/8.
    before, after = (np.std([0.5, 0.125, 0.0]), np.std([0.75, 0.25, 0.125])), np.std([0.25, 0.125, 0.125])
    expected = {
        "a": int((150 + int((1 - before[1]) * 100) - int((1 - before[0]) * 100)) // 2),
        "b": int((150 + int((1 - after) * 100) - 100) // 2),
    }
    assert points("NodeResourcesBalancedAllocation", config, *machines, running, wanted) == expected


@pytest.mark.parametrize(
    ("thing", "part"),
    [
        (7, "object 3: is int, not an object"),
        ({"metadata": {"name": "x"}}, "object 3: has no kind"),
        ({"kind": "Pod", "metadata": "x"}, "metadata is str, not a mapping"),
        ({"kind": "PersistentVolumeClaim", "metadata": {}}, "metadata.name is missing"),
        ({"kind": "List", "items": ["x"]}, "object 3: is str, not an object"),
        (node("x", taints=[{"key": "k", "effect": "Never"}]), "taint effect 'Never' is none of NoSchedule"),
        (node("x", labels={"gen": 3}), "Node x: is malformed: metadata.labels.gen is 3, not text: put it in quotes"),
        (node("x", cpu="4 cores"), "Node x: status.allocatable.cpu"),
        ({"kind": "Node", "metadata": {"name": "x"}, "status": {"allocatable": [1]}}, "is list, not a mapping"),
        (pod("x", topologySpreadConstraints=[{"maxSkew": 1}]), "Pod d/x: lacks the field"),
        (
            pod(
                "x",
                topologySpreadConstraints=spread(labelSelector={"matchExpressions": [{"key": "a", "operator": "Gt"}]}),
            ),
            "operator 'Gt' is none of In, NotIn",
        ),
        (configured(("NodeResourcesFit", {"scoringStrategy": {"type": "Best"}})), "type 'Best' is none of"),
        (
            {"kind": "ResourceSlice", "metadata": {"name": "s"}, "spec": {"driver": "d"}},
            "Slice s: lacks the field 'pool'",
        ),
        (pod("x", containers="web"), "Pod d/x: is malformed: a field holds str where a mapping belongs"),
        ({**node("x"), "metadata": {"name": "x", "labels": ["a"]}}, "a field holds a list where a mapping belongs"),
        ({"kind": "Node", "metadata": {"name": 7}}, "metadata.name is 7, not text: put it in quotes"),
        (
            {"kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": {"minAvailable": "all"}},
            "not a whole number",
        ),
        (
            {"kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": {"capacity": {"storage": "x"}}},
            "spec.capacity",
        ),
        ({"kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "many"}}}, "ResourceQuota q"),
    ],
)
def test_a_faulty_object_is_named_with_what_is_wrong(thing: Any, part: str) -> None:
    with pytest.raises(InputError) as caught:
        place_dump([node("n"), pod("p"), thing])
    assert part in str(caught.value)


def test_a_dump_without_any_object_is_refused_and_an_empty_list_is_not() -> None:
    with pytest.raises(InputError, match="holds no objects"):
        place_dump([None])
    assert place_dump([{"kind": "List", "items": None}]).pods == ()


def test_objects_that_do_not_bear_on_placement_are_counted() -> None:
    things: list[Any] = [{"kind": "Ingress", "metadata": {"name": name}} for name in "ab"]
    found = place_dump([node("n"), *things, {"kind": "ConfigMapList", "items": []}])
    assert (found.pods, found.to_dict()["aside"]) == ((), {"Ingress": 2})


def test_a_shape_needs_points_that_rise() -> None:
    for shape in ([], [{"utilization": 50, "score": 1}, {"utilization": 10, "score": 2}]):
        with pytest.raises(ValueError, match="utilization rising"):
            fit_scoring({"type": "RequestedToCapacityRatio", "requestedToCapacityRatio": {"shape": shape}})
