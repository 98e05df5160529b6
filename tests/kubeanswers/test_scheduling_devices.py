"""Claims to devices let a pod go where the scheduler's search finds all it asks for, and say what is missing elsewhere.

Expectations were compared with the scheduler's own code (Kubernetes 1.36) on the same objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kubeanswers.quantities import parse_quantity
from kubeanswers.scheduling.claims import Capacity
from kubeanswers.scheduling.dump import DumpPlacement, place_dump

Object = dict[str, Any]


def by_model(expression: str, device: Mapping[str, Any]) -> bool:
    """Stand in for a CEL evaluator: the expression is the model wanted."""
    if expression == "broken":
        raise ValueError("CEL runtime error: no such key: broken")
    return bool(device["attributes"].get("gpu.example", {}).get("model", {}).get("string") == expression)


def place(*objects: Object) -> DumpPlacement:
    return place_dump(objects, device_test=by_model)


def node(name: str, **allocatable: str) -> Object:
    given = {"cpu": "8", "memory": "16Gi", "pods": "10", **allocatable}
    return {"kind": "Node", "metadata": {"name": name, "labels": {}}, "status": {"allocatable": given}}


def device(name: str, model: str = "A", numa: int = 0, **more: Any) -> Object:
    return {"name": name, "attributes": {"model": {"string": model}, "numa": {"int": numa}}, **more}


def offered(where: str, *devices: Object, name: str = "s", number: int = 1, **more: Any) -> Object:
    pool = {"name": where, "generation": 1, "resourceSliceCount": number}
    spec = {"driver": "gpu.example", "pool": pool, "nodeName": where, "devices": list(devices), **more}
    return {"kind": "ResourceSlice", "metadata": {"name": f"{where}-{name}"}, "spec": spec}


def device_class(*selectors: str, name: str = "gpu", **spec: Any) -> Object:
    chosen = [{"cel": {"expression": one}} for one in selectors]
    return {"kind": "DeviceClass", "metadata": {"name": name}, "spec": {"selectors": chosen, **spec}}


def exactly(name: str = "r", count: int = 1, **more: Any) -> Object:
    return {"name": name, "exactly": {"deviceClassName": "gpu", "count": count, **more}}


def claim(name: str, *requests: Object, status: Object | None = None, **devices: Any) -> Object:
    meta = {"name": name, "namespace": "team"}
    spec = {"devices": {"requests": list(requests or (exactly(),)), **devices}}
    return {"kind": "ResourceClaim", "metadata": meta, "spec": spec, "status": status or {}}


def pod(name: str, *claims: str, template: str = "", **requests: str) -> Object:
    asked = [{"name": one, "resourceClaimName": one} for one in claims]
    asked += [{"name": "t", "resourceClaimTemplateName": template}] if template else []
    containers = [{"name": "c", "image": "a:1", "resources": {"requests": {"cpu": "1", **requests}}}]
    spec = {"containers": containers, "resourceClaims": asked}
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "team", "uid": name}, "spec": spec}


def nodes_of(placed: DumpPlacement) -> list[str]:
    return [one.node for one in placed.pods]


def test_a_device_goes_to_one_claim_and_the_next_pod_is_told_that_none_is_left() -> None:
    things = [node("n"), node("bare"), device_class(), offered("n", device("d")), claim("a"), claim("b")]
    placed = place(*things, pod("p", "a"), pod("q", "b"))
    assert nodes_of(placed) == ["n", ""]
    assert placed.pods[1].reason.startswith("0/2 nodes are available: 2 cannot allocate all claims. ")
    assert placed.pods[1].unchecked == ()


def test_pods_share_a_claim_where_its_devices_are() -> None:
    things = [node("n"), node("m"), device_class(), offered("n", device("d")), offered("m", device("d")), claim("a")]
    placed = place(*things, pod("p", "a"), pod("q", "a"))
    assert len(set(nodes_of(placed))) == 1


def test_selectors_of_class_and_request_both_have_to_mean_the_device() -> None:
    wanted = exactly(selectors=[{"cel": {"expression": "B"}}])
    slices = [offered("n", device("x", "A")), offered("m", device("y", "B"))]
    assert nodes_of(place(node("n"), node("m"), device_class(), *slices, claim("a", wanted), pod("p", "a"))) == ["m"]
    assert nodes_of(place(node("m"), device_class("A"), slices[1], claim("a", wanted), pod("p", "a"))) == [""]


def test_a_selector_that_fails_stops_the_pod_with_the_evaluators_words() -> None:
    placed = place(node("n"), device_class("broken"), offered("n", device("d")), claim("a"), pod("p", "a"))
    assert placed.pods[0].reason == (
        'running "DynamicResources" filter plugin: class gpu: selector #0: CEL runtime error: no such key: broken'
    )


def test_without_an_evaluator_or_without_the_kinds_claims_are_said_to_be_unchecked() -> None:
    things = [node("n"), device_class("A"), offered("n", device("d", "B")), claim("a"), pod("p", "a")]
    (found,) = place_dump(things).pods
    assert (found.node, found.unchecked) == ("n", ("resourceClaims",))
    (found,) = place_dump([node("n"), pod("p", "a")]).pods
    assert (found.node, found.unchecked) == ("n", ("resourceClaims",))


@pytest.mark.parametrize(
    ("objects", "reason"),
    [
        ([claim("b"), pod("p", "a")], 'could not find ResourceClaim "team/a"'),
        ([claim("a", exactly(deviceClassName="none")), pod("p", "a")], "request r: device class none does not exist"),
    ],
)
def test_a_claim_or_class_that_is_missing_is_named_before_any_machine(objects: list[Object], reason: str) -> None:
    placed = place(node("n"), device_class(), offered("n", device("d")), *objects)
    assert placed.pods[0].reason.startswith(f"0/1 nodes are available: {reason}.")


def test_a_claim_is_made_from_its_template_for_every_pod() -> None:
    template = {"kind": "ResourceClaimTemplate", "metadata": {"name": "t", "namespace": "team"}}
    template["spec"] = {"spec": claim("x")["spec"]}
    things = [node("n"), device_class(), offered("n", device("d"), device("e")), template]
    assert nodes_of(place(*things, *(pod(f"p{i}", template="t") for i in range(3)))) == ["n", "n", ""]


def test_the_first_alternative_that_can_be_had_is_taken_and_early_ones_score() -> None:
    choice = {"name": "r", "firstAvailable": [{"name": s, "deviceClassName": s} for s in ("big", "small")]}
    classes = [device_class("A", name="big"), device_class("B", name="small")]
    slices = [offered("n", device("d", "B")), offered("m", device("d", "A"))]
    placed = place(
        node("n"), node("m"), *classes, *slices, claim("a", choice), claim("b", choice), pod("p", "a"), pod("q", "b")
    )
    assert nodes_of(placed) == ["m", "n"]


def test_all_devices_means_every_one_and_at_least_one() -> None:
    every = exactly(allocationMode="All")
    things = [
        node("n"),
        node("m"),
        device_class(),
        offered("n", device("d"), device("e")),
        claim("one"),
        claim("all", every),
    ]
    assert nodes_of(place(*things, pod("p", "one"), pod("q", "all"))) == ["n", ""]
    assert nodes_of(place(*things, pod("q", "all"), pod("p", "one"))) == ["n", ""]


def test_administration_needs_no_free_device_and_takes_none() -> None:
    admin = claim("look", exactly(adminAccess=True))
    things = [node("n"), device_class(), offered("n", device("d")), claim("a"), claim("b"), admin]
    assert nodes_of(place(*things, pod("p", "a"), pod("q", "look"), pod("r", "b"))) == ["n", "n", ""]


@pytest.mark.parametrize(
    ("rule", "numas", "fits"), [("matchAttribute", (0, 1), False), ("distinctAttribute", (0, 1), True)]
)
def test_constraints_hold_between_the_devices_of_a_claim(rule: str, numas: tuple[int, int], fits: bool) -> None:
    pair = claim("a", exactly("r0"), exactly("r1"), constraints=[{rule: "gpu.example/numa"}])
    devices = [device(f"d{i}", numa=numa) for i, numa in enumerate(numas)]
    assert bool(place(node("n"), device_class(), offered("n", *devices), pair, pod("p", "a")).pods[0].node) is fits


def test_a_tainted_device_is_for_those_who_tolerate_it() -> None:
    broken = device("d", taints=[{"key": "broken", "value": "", "effect": "NoSchedule"}])
    things = [node("n"), device_class(), offered("n", broken)]
    tolerant = claim("b", exactly(tolerations=[{"key": "broken", "operator": "Exists"}]))
    assert nodes_of(place(*things, claim("a"), tolerant, pod("p", "a"), pod("q", "b"))) == ["", "n"]


def test_partitions_of_one_gpu_share_its_counters() -> None:
    def slice_of(name: str, size: str) -> Object:
        return device(name, consumesCounters=[{"counterSet": "gpu", "counters": {"memory": {"value": size}}}])

    counters = offered(
        "n", name="counters", number=2, sharedCounters=[{"name": "gpu", "counters": {"memory": {"value": "40Gi"}}}]
    )
    parts = offered("n", slice_of("half", "20Gi"), slice_of("other", "20Gi"), slice_of("whole", "40Gi"), number=2)
    things = [node("n"), device_class(), counters, parts, *(claim(c) for c in "abc")]
    assert nodes_of(place(*things, pod("p", "a"), pod("q", "b"), pod("r", "c"))) == ["n", "n", ""]


def test_a_shared_device_gives_out_its_capacity_in_portions() -> None:
    shared = device("d", allowMultipleAllocations=True, capacity={"memory": {"value": "10Gi"}})
    asked = [claim(c, exactly(capacity={"requests": {"memory": "4Gi"}})) for c in "abc"]
    things = [node("n"), device_class(), offered("n", shared), *asked]
    assert nodes_of(place(*things, pod("p", "a"), pod("q", "b"), pod("r", "c"))) == ["n", "n", ""]


@pytest.mark.parametrize(
    ("policy", "asked", "portion"),
    [
        ({}, "3", "3"),
        ({}, None, "10"),
        ({"default": "2"}, None, "2"),
        ({"least": "2", "step": "2", "most": "8"}, "1", "2"),
        ({"least": "2", "step": "2", "most": "8"}, "5", "6"),
        ({"least": "2", "most": "8"}, "9", None),
        ({"portions": ("1", "4")}, "3", "4"),
        ({"portions": ("1", "4")}, "5", None),
    ],
)
def test_portions_are_rounded_up_to_what_the_device_allows(
    policy: dict[str, Any], asked: str | None, portion: str | None
) -> None:
    def read(value: Any) -> Any:
        return tuple(map(parse_quantity, value)) if isinstance(value, tuple) else parse_quantity(value)

    found = Capacity(parse_quantity("10"), **{key: read(value) for key, value in policy.items()})
    taken = found.portion(None if asked is None else parse_quantity(asked))
    assert taken == (None if portion is None else parse_quantity(portion))


def test_devices_stand_in_for_an_extended_resource_where_a_machine_has_none_of_it() -> None:
    mapped = device_class(extendedResourceName="example.com/gpu")
    things = [node("n"), node("plugin", **{"example.com/gpu": "1"}), mapped, offered("n", device("d"))]
    placed = place(*things, *(pod(f"p{i}", **{"example.com/gpu": "1"}) for i in range(3)))
    assert sorted(nodes_of(placed)) == ["", "n", "plugin"]
    assert "Insufficient example.com/gpu" in placed.pods[2].reason


def test_a_claim_nobody_uses_lets_go_of_a_device_that_keeps_its_pod_away() -> None:
    results = [{"request": "r", "driver": "gpu.example", "pool": "gone", "device": "d"}]
    terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["gone"]}]}]
    allocation = {"devices": {"results": results}, "nodeSelector": {"nodeSelectorTerms": terms}}
    things = [node("n"), device_class(), offered("n", device("d"))]
    assert nodes_of(place(*things, claim("a", status={"allocation": allocation}), pod("p", "a"))) == ["n"]
    used = {"allocation": allocation, "reservedFor": [{"resource": "pods", "name": "other", "uid": "1"}]}
    placed = place(*things, claim("a", status=used), pod("p", "a"))
    assert "1 resourceclaim not available on the node" in placed.pods[0].reason


def test_an_incomplete_pool_gives_out_nothing_and_an_invalid_one_says_so() -> None:
    half = offered("n", device("d"), number=2)
    assert nodes_of(place(node("n"), device_class(), half, claim("a"), pod("p", "a"))) == [""]
    twice = offered("n", device("d"), device("d"))
    placed = place(node("n"), device_class(), twice, claim("a"), pod("p", "a"))
    assert "invalid resource pools were encountered" in placed.pods[0].reason
