"""What an autoscaler would add for pending pods: figures worked by hand from Cluster Autoscaler's rules."""

from __future__ import annotations

from typing import Any

import pytest

from kubeanswers.scheduling.dump import DumpPlacement, place_dump

Object = dict[str, Any]


def node(name: str, pool: str, cpu: str, memory: str = "16Gi", **more: Any) -> Object:
    labels = {"eks.amazonaws.com/nodegroup": pool, "kubernetes.io/hostname": name, **more.pop("labels", {})}
    amounts = {"cpu": cpu, "memory": memory, "pods": "20", **more.pop("devices", {})}
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": more,
        "status": {"allocatable": amounts},
    }


def pod(name: str, cpu: str, memory: str = "1Gi", **spec: Any) -> Object:
    asked = {"cpu": cpu, "memory": memory, **spec.pop("devices", {})}
    meta = {"name": name, "namespace": "t", "labels": {"app": "x"}, **spec.pop("metadata", {})}
    container = {"name": "c", "image": "a:1", "resources": {"requests": asked, "limits": asked}}
    return {"kind": "Pod", "metadata": meta, "spec": {"containers": [container], **spec}}


def daemon(cpu: str) -> Object:
    template = pod("d", cpu, tolerations=[{"operator": "Exists"}])
    spec = {"selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {}, "spec": template["spec"]}}
    return {"kind": "DaemonSet", "metadata": {"name": "d", "namespace": "sys"}, "spec": spec}


def grown(found: DumpPlacement) -> list[tuple[str, int]]:
    assert found.growth is not None
    return [(one.group, one.nodes) for one in found.growth]


def test_daemons_take_their_share_of_every_new_node() -> None:
    things = [node("n", "p", "4"), pod("run", "4", nodeName="n"), *(pod(f"w{i}", "2") for i in range(4))]
    alone = place_dump(things, offers=())
    assert grown(alone) == [("p", 2)]
    assert alone.growth is not None
    assert (alone.growth[0].wasted_cpu, alone.growth[0].wasted_memory) == (0.0, 0.875)
    beside = place_dump([*things, daemon("1")], offers=())
    assert grown(beside) == [("p", 4)]  # 3 of 4 CPU are left: one pod of 2 each
    assert beside.growth is not None
    assert (beside.growth[0].daemons, beside.growth[0].daemon_cpu) == (1, 1000)


def test_the_group_that_wastes_least_grows_and_no_group_grows_for_what_fits_nowhere() -> None:
    full = [pod("a", "4", nodeName="s"), pod("b", "16", nodeName="l")]
    things = [node("s", "small", "4"), node("l", "large", "16", "64Gi"), *full]
    # small: 1 - 3/4 of CPU, 1 - 4/16 of memory; large: 1 - 3/16 and 1 - 4/64
    assert grown(place_dump([*things, pod("w", "3", "4Gi"), pod("huge", "17")], offers=())) == [("small", 1)]
    found = place_dump([*things, pod("w", "5", "4Gi"), pod("huge", "17")], offers=())
    assert (grown(found), found.unhelped, found.waits) == ([("large", 1)], ("t/huge",), True)


def test_what_one_group_cannot_take_another_does_in_the_next_round() -> None:
    gpus = {"nvidia.com/gpu": "1"}
    taint = [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]
    things = [node("c", "cpu", "4"), node("g", "gpu", "4", devices=gpus, taints=taint), pod("a", "4", nodeName="c")]
    busy = pod("b", "1", devices=gpus, nodeName="g")
    train = [pod(f"t{i}", "1", devices=gpus, tolerations=[{"operator": "Exists"}]) for i in range(2)]
    found = place_dump([*things, busy, *train, pod("w", "2")], offers=())
    assert sorted(grown(found)) == [("cpu", 1), ("gpu", 2)]
    assert not found.waits


def test_like_nodes_of_another_zone_are_said_to_be_as_good() -> None:
    zones = [node(f"n{z}", "p", "4", labels={"topology.kubernetes.io/zone": z}) for z in ("a", "b")]
    found = place_dump([*zones, *(pod(f"r{z}", "4", nodeName=f"n{z}") for z in ("a", "b")), pod("w", "1")], offers=())
    assert found.growth is not None
    assert (found.growth[0].group, found.growth[0].equals) == ("p a", ("p b",))


def test_pods_that_shun_each_other_get_a_node_each_and_spread_ones_open_nodes_one_by_one() -> None:
    same = {"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "kubernetes.io/hostname"}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [same]}}
    full = [node("n", "p", "4"), pod("r", "4", nodeName="n")]
    assert grown(place_dump([*full, *(pod(f"w{i}", "1", affinity=apart) for i in range(3))], offers=())) == [("p", 3)]
    rule = {"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", **same}
    spread = [pod(f"w{i}", "1", topologySpreadConstraints=[rule]) for i in range(3)]
    assert grown(place_dump([*full, *spread], offers=())) == [("p", 2)]  # r is one on n: two are the most on another


@pytest.mark.parametrize("off", [{"schedulingGates": [{"name": "g"}]}, {"priority": -11}])
def test_gated_and_expendable_pods_make_nothing_grow(off: Object) -> None:
    found = place_dump([node("n", "p", "4"), pod("r", "4", nodeName="n"), pod("w", "1", **off)], offers=())
    assert (found.growth, found.unhelped) == ((), ("t/w",))


def test_an_offered_node_helps_where_the_dump_has_none_like_it() -> None:
    things = [node("n", "p", "4"), pod("w", "8")]
    assert grown(place_dump(things, offers=())) == []
    assert grown(place_dump(things, offers=[node("big", "new", "16")])) == [("new", 1)]


def test_control_planes_are_no_group_and_passing_taints_do_not_stay() -> None:
    control = node("cp", "", "64", labels={"node-role.kubernetes.io/control-plane": ""}, taints=[])
    sick = node("n", "p", "4", taints=[{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}])
    busy = pod("r", "64", nodeName="cp")
    assert grown(place_dump([control, sick, busy, pod("w", "2")], offers=())) == [("p", 1)]


def test_who_is_removed_and_comes_back_is_counted() -> None:
    owner = [{"kind": "ReplicaSet", "name": "rs", "controller": True}]
    low = pod("low", "4", nodeName="n", metadata={"uid": "1", "ownerReferences": owner})
    found = place_dump([node("n", "p", "4"), low, pod("high", "4", priority=5, metadata={"uid": "2"})], offers=())
    assert found.pods[0].preempted == ("t/low",)
    assert found.growth is not None
    assert found.growth[0].pods == (("t/low", 0),)
