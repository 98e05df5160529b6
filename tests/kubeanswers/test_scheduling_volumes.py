"""Volumes keep a pod where they can be reached, and say in the scheduler's words why it cannot go elsewhere.

Expectations were compared with the scheduler's own code (Kubernetes 1.36) on the same objects.
"""

from __future__ import annotations

from typing import Any

import pytest

from kubeanswers.scheduling.dump import place_dump

Object = dict[str, Any]
ZONE = "topology.kubernetes.io/zone"


def node(name: str, zone: str = "z1") -> Object:
    allocatable = {"cpu": "8", "memory": "16Gi", "pods": "10"}
    labels = {"kubernetes.io/hostname": name, ZONE: zone}
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}, "status": {"allocatable": allocatable}}


def pod(name: str, *claims: str, node: str = "", volumes: list[Object] | None = None, **spec: Any) -> Object:
    mounted = [{"name": one, "persistentVolumeClaim": {"claimName": one}} for one in claims]
    containers = [{"name": "c", "image": "a:1", "resources": {"requests": {"cpu": "1"}}}]
    body = {"containers": containers, "volumes": [*mounted, *(volumes or ())], "nodeName": node, **spec}
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "team", "uid": name}, "spec": body}


def claim(name: str, volume: str = "", storage_class: str = "wait", size: str = "1Gi", **more: Any) -> Object:
    notes = {"pv.kubernetes.io/bind-completed": "yes"} if volume else {}
    spec: Object = {
        "volumeName": volume,
        "storageClassName": storage_class,
        "accessModes": [more.pop("mode", "ReadWriteOnce")],
    }
    spec["resources"] = {"requests": {"storage": size}}
    meta = {"name": name, "namespace": "team", "annotations": {**notes, **more.pop("annotations", {})}, **more}
    return {"kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def volume(
    name: str, hosts: list[str] | None = None, size: str = "1Gi", storage_class: str = "local", **more: Any
) -> Object:
    spec: Object = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": storage_class}
    if hosts is not None:
        terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": hosts}]}]
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    meta = {"name": name, "labels": more.pop("labels", {})}
    return {"kind": "PersistentVolume", "metadata": meta, "spec": {**spec, **more}, "status": {"phase": "Available"}}


def storage_class(name: str = "wait", provisioner: str = "csi.example", waits: bool = True, **more: Any) -> Object:
    mode = "WaitForFirstConsumer" if waits else "Immediate"
    return {
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": provisioner,
        "volumeBindingMode": mode,
        **more,
    }


def placed(*objects: Object) -> list[tuple[str, str]]:
    return [(one.node, one.reason.split(" preemption: ")[0]) for one in place_dump(objects).pods]


def test_a_bound_volume_pins_its_pod_to_the_machines_that_reach_it() -> None:
    things = [node("n"), node("m"), storage_class(), volume("v", ["m"]), claim("a", "v")]
    assert placed(*things, pod("p", "a"))[0][0] == "m"
    things[3] = volume("v", ["gone"])
    reason = "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity."
    assert placed(*things, pod("p", "a")) == [("", reason)]


def test_a_volumes_zone_labels_keep_pods_in_its_zones() -> None:
    both = volume("v", labels={ZONE: "z2__z3"})
    things = [node("n"), node("m", "z3"), storage_class(), both, claim("a", "v")]
    assert placed(*things, pod("p", "a"))[0][0] == "m"
    reason = "0/1 nodes are available: 1 node(s) had no available volume zone."
    assert placed(node("n"), *things[2:], pod("p", "a")) == [("", reason)]


@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ([claim("b")], 'persistentvolumeclaim "a" not found'),
        ([claim("a", storage_class="now")], "pod has unbound immediate PersistentVolumeClaims"),
        ([claim("a", deletionTimestamp="2026-01-01T00:00:00Z")], 'persistentvolumeclaim "a" is being deleted'),
        ([claim("a", "gone")], 'persistentvolume "gone" not found'),
    ],
)
def test_a_claim_that_cannot_be_used_yet_is_named_before_any_machine(objects: list[Object], why: str) -> None:
    shared = [node("n"), storage_class(), storage_class("now", waits=False), volume("v")]
    assert placed(*shared, *objects, pod("p", "a")) == [("", f"0/1 nodes are available: {why}.")]


def test_generic_ephemeral_volumes_wait_for_their_claim() -> None:
    volumes = [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]
    ((_, reason),) = placed(node("n"), storage_class(), claim("other"), pod("p", volumes=volumes))
    assert 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch"' in reason
    assert placed(node("n"), storage_class(), claim("p-scratch"), pod("p", volumes=volumes))[0][0] == "n"


def test_waiting_claims_take_the_smallest_volume_that_does_and_it_is_then_gone() -> None:
    local = storage_class("local", "kubernetes.io/no-provisioner")
    volumes = [volume("big", ["n"], "9Gi"), volume("small", ["m"], "2Gi"), volume("tiny", ["n"], "1Gi")]
    claims = [claim(name, storage_class="local", size="2Gi") for name in "abc"]
    found = placed(node("n"), node("m"), local, *volumes, *claims, *(pod(f"p{c}", c) for c in "abc"))
    assert sorted(name for name, _ in found) == ["", "m", "n"]
    assert found[2][1] == "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind."


def test_provisioning_keeps_to_the_classs_topologies_and_to_the_machine_selected() -> None:
    near = [{"matchLabelExpressions": [{"key": ZONE, "values": ["z2"]}]}]
    things = [node("n"), node("m", "z2"), storage_class(allowedTopologies=near), claim("a")]
    assert placed(*things, pod("p", "a"))[0][0] == "m"
    selected = claim("a", annotations={"volume.kubernetes.io/selected-node": "n"})
    assert placed(node("n"), node("m"), storage_class(), selected, pod("p", "a"))[0][0] == "n"


def test_provisioning_needs_free_storage_where_the_driver_tracks_it() -> None:
    driver = {"kind": "CSIDriver", "metadata": {"name": "csi.example"}, "spec": {"storageCapacity": True}}
    room = {"kind": "CSIStorageCapacity", "metadata": {"name": "r", "namespace": "x"}, "storageClassName": "wait"}
    room |= {"nodeTopology": {"matchLabels": {ZONE: "z2"}}, "capacity": "5Gi"}
    things = [node("n"), node("m", "z2"), storage_class(), driver, room]
    assert placed(*things, claim("a", size="4Gi"), pod("p", "a"))[0][0] == "m"
    reason = "0/2 nodes are available: 2 node(s) did not have enough free storage."
    assert placed(*things, claim("a", size="6Gi"), pod("p", "a")) == [("", reason)]


def test_a_machine_attaches_no_more_volumes_of_a_driver_than_it_says() -> None:
    limit = {"kind": "CSINode", "metadata": {"name": "n"}}
    limit["spec"] = {"drivers": [{"name": "csi.example", "allocatable": {"count": 1}}]}
    disks = [volume(f"v{c}", csi={"driver": "csi.example", "volumeHandle": c}) for c in "ab"]
    things = [node("n"), storage_class(), limit, *disks, claim("a", "va"), claim("b", "vb")]
    found = placed(*things, pod("r", "a", node="n"), pod("same", "a"), pod("more", "b"))
    assert found == [("n", ""), ("", "0/1 nodes are available: 1 node(s) exceed max volume count.")]


def test_a_claim_for_one_pod_only_is_given_up_only_to_a_more_important_one() -> None:
    things = [
        node("n"),
        storage_class(),
        volume("v"),
        claim("a", "v", mode="ReadWriteOncePod"),
        pod("r", "a", node="n"),
    ]
    ((where, reason),) = placed(*things, pod("p", "a"))
    assert where == ""
    assert "ReadWriteOncePod access mode already in-use by another pod" in reason
    (found,) = place_dump([*things, pod("p", "a", priority=10)]).pods
    assert (found.node, found.preempted) == ("n", ("team/r",))


@pytest.mark.parametrize(
    ("held", "wanted", "fits"),
    [
        (
            {"gcePersistentDisk": {"pdName": "d", "readOnly": True}},
            {"gcePersistentDisk": {"pdName": "d", "readOnly": True}},
            True,
        ),
        ({"gcePersistentDisk": {"pdName": "d"}}, {"gcePersistentDisk": {"pdName": "d", "readOnly": True}}, False),
        ({"awsElasticBlockStore": {"volumeID": "e"}}, {"awsElasticBlockStore": {"volumeID": "e"}}, False),
        ({"rbd": {"monitors": ["a", "b"], "image": "i"}}, {"rbd": {"monitors": ["b"], "image": "i"}}, False),
        ({"rbd": {"monitors": ["a"], "image": "i"}}, {"rbd": {"monitors": ["b"], "image": "i"}}, True),
        ({"iscsi": {"iqn": "q"}}, {"iscsi": {"iqn": "other"}}, True),
    ],
)
def test_disks_named_in_pods_clash_unless_both_only_read(held: Object, wanted: Object, fits: bool) -> None:
    running = pod("r", node="n", volumes=[{"name": "v", **held}])
    ((where, reason),) = placed(node("n"), running, pod("p", volumes=[{"name": "v", **wanted}]))
    assert bool(where) is fits
    assert fits or reason == "0/1 nodes are available: 1 node(s) had no available disk."


def test_without_the_objects_that_decide_volumes_are_said_to_be_unchecked() -> None:
    for objects in ([], [claim("a", "v")], [claim("a")]):
        (found,) = place_dump([node("n"), *objects, pod("p", "a")]).pods
        assert (found.node, found.unchecked) == ("n", ("volumes",))
