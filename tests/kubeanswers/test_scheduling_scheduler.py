"""The scheduler's rules, one by one, and its recorded choices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.scheduling.cluster import Cluster, zone_order
from kubeanswers.scheduling.configuration import Profile, fit_scoring
from kubeanswers.scheduling.objects import Reader, machine
from kubeanswers.scheduling.scheduling import Scheduler, heap_top
from kubeanswers.scheduling.scores import broken_line
from kubeanswers.scheduling.values import (
    Budget,
    FitScoring,
    Machine,
    Pod,
    Port,
    Requirement,
    Selector,
    Taint,
    Toleration,
)
from tests.oracle.comparison import RECORDED, load
from tests.oracle.scheduler import compare, oracle_scheduler

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
Object = dict[str, Any]


def node(name: str, cpu: str = "8", **more: Any) -> Machine:
    labels = {HOST: name, ZONE: more.pop("zone", "z0"), **more.pop("labels", {})}
    allocatable = {"cpu": cpu, "memory": "32Gi", "pods": "110", **more.pop("devices", {})}
    spec = {"taints": more.pop("taints", None), "unschedulable": more.pop("cordoned", False)}
    status = {"allocatable": allocatable, "images": more.pop("images", [])}
    assert not more
    return machine({"kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": spec, "status": status})


def pod(name: str, cpu: str = "1", labels: dict[str, str] | None = None, **spec: Any) -> Pod:
    containers = spec.pop(
        "containers", [{"name": "c", "image": "a:1", "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}]
    )
    thing = {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "d", "labels": labels or {}},
        "spec": {"containers": containers, **spec},
    }
    return Reader().pod(thing)


def scheduler(machines: list[Machine], pods: list[Pod] | None = None, **more: Any) -> Scheduler:
    return Scheduler(Cluster(machines, pods or []), **more)


def feasible(chosen: Scheduler, wanted: Pod) -> set[str]:
    verdict = chosen.decide(wanted).verdict
    assert verdict is not None
    return {chosen.cluster.machines[i].name for i in np.flatnonzero(verdict.feasible)}


def test_recorded_choices_agree_pod_by_pod() -> None:
    agreement, differences = oracle_scheduler(RECORDED / "scheduler.json.xz")
    assert agreement.pods > 1000
    assert agreement.share >= 0.98, "\n".join(differences[:20])
    for aspect in ("feasible", "scores", "choice", "reason", "victims", "preemption"):
        right, seen = agreement.by_aspect[aspect]
        assert right / seen >= 0.98, aspect


def test_a_changed_recording_is_noticed() -> None:
    data = load(RECORDED / "scheduler.json.xz")
    case = next(case for case in data["cases"] if any("scores" in r for r in case["result"]))
    result = next(r for r in case["result"] if "scores" in r)
    result["scores"] = {name: points + 1 for name, points in result["scores"].items()}
    comparison = compare({**data, "cases": [case]}, RECORDED)
    assert comparison.total - comparison.agree == 1


def test_recorded_histograms_of_large_runs_are_met() -> None:
    data = load(RECORDED / "scheduler-large.json.xz")
    comparison = compare({**data, "cases": data["cases"][:2]}, RECORDED)
    assert comparison.differences == []


def test_taints_cordons_and_node_rules_say_why() -> None:
    machines = [
        node("a", taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}]),
        node("b", cordoned=True),
        node("c"),
        node("d", cpu="500m"),
        node("e", labels={"disk": "ssd"}),
    ]
    chosen = scheduler(machines)
    rule = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]
            }
        }
    }
    assert feasible(chosen, pod("p", affinity=rule)) == {"e"}
    event = chosen.decide(pod("q", nodeSelector={"disk": "hdd"})).event
    assert event.startswith(
        "0/5 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, "
        "3 node(s) didn't match Pod's node affinity/selector."
    )
    tolerant = pod("r", cpu="1", tolerations=[{"key": "k", "operator": "Exists"}])
    assert feasible(chosen, tolerant) == {"a", "c", "e"}
    by_name = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["d"]}]}]
            }
        }
    }
    assert "4 node(s) didn't satisfy plugin(s) [NodeAffinity]" in chosen.decide(pod("s", affinity=by_name)).event


@pytest.mark.parametrize(
    ("toleration", "taint", "expected"),
    [
        (Toleration(operator="Exists"), Taint("k", "v", "NoSchedule"), True),
        (Toleration("k", "Equal", "v", "NoSchedule"), Taint("k", "v", "NoExecute"), False),
        (Toleration("k", "Equal", "w"), Taint("k", "v", "NoSchedule"), False),
        (Toleration("k", "Exists"), Taint("k", "v", "NoExecute"), True),
        (Toleration("k", "Gt", "1"), Taint("k", "1", "NoExecute"), False),
    ],
)
def test_a_toleration_matches_key_value_and_effect(toleration: Toleration, taint: Taint, expected: bool) -> None:
    assert toleration.tolerates(taint) is expected


@pytest.mark.parametrize(
    ("requirement", "labels", "expected"),
    [
        (Requirement("a", "NotIn", ("1",)), {}, True),
        (Requirement("a", "In", ("1",)), {}, False),
        (Requirement("a", "DoesNotExist"), {"a": ""}, False),
        (Requirement("a", "Gt", ("3",)), {"a": "4"}, True),
        (Requirement("a", "Lt", ("3",)), {"a": "x"}, False),
        (Requirement("a", "Gt", ("3",)), {}, False),
    ],
)
def test_a_label_condition_means_what_the_api_says(
    requirement: Requirement, labels: dict[str, str], expected: bool
) -> None:
    assert requirement.holds(labels) is expected


def test_host_ports_clash_by_address_protocol_and_number() -> None:
    everywhere = Port("0.0.0.0", "TCP", 80)  # noqa: S104 - the wildcard address is what is tested
    assert everywhere.clashes(Port("10.0.0.1", "TCP", 80))
    assert not everywhere.clashes(Port("10.0.0.1", "UDP", 80))
    assert not Port("10.0.0.1", "TCP", 80).clashes(Port("10.0.0.2", "TCP", 80))


def test_a_spread_constraint_keeps_the_skew_and_needs_its_label() -> None:
    machines = [
        node("a", zone="z0"),
        node("b", zone="z1"),
        node("c", zone="z2"),
        Machine("x", {}, {"cpu": 8000, "memory": 1 << 35, "pods": 9}),
    ]
    rule = [
        {
            "topologyKey": ZONE,
            "maxSkew": 1,
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "w"}},
        }
    ]
    placed = [Pod("d", f"p{i}", {"app": "w"}, node=name) for i, name in enumerate(("a", "a", "b"))]
    chosen = scheduler(machines, placed)
    wanted = pod("p", labels={"app": "w"}, topologySpreadConstraints=rule)
    assert feasible(chosen, wanted) == {"c"}
    few = [{**rule[0], "minDomains": 4}]
    placed.append(Pod("d", "p3", {"app": "w"}, node="c"))
    assert feasible(scheduler(machines, placed), pod("q", labels={"app": "w"}, topologySpreadConstraints=few)) == set()
    event = scheduler(machines, placed).decide(pod("q", labels={"app": "w"}, topologySpreadConstraints=few)).event
    assert "1 node(s) didn't match pod topology spread constraints (missing required label)" in event


def _term(app: str, key: str) -> Object:
    return {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key}


def test_affinity_to_pods_draws_near_and_keeps_away_in_both_directions() -> None:
    machines = [node("a", zone="z0"), node("b", zone="z0"), node("c", zone="z1")]
    near = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [_term("db", ZONE)]}}
    away = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [_term("db", HOST)]}}
    database = Pod("d", "db", {"app": "db"}, node="a")
    assert feasible(scheduler(machines, [database]), pod("p", affinity=near)) == {"a", "b"}
    assert feasible(scheduler(machines, [database]), pod("p", affinity=away)) == {"b", "c"}
    lonely = pod("p", affinity=away).__class__(**{**vars(pod("p", affinity=away)), "node": "c"})
    assert feasible(scheduler(machines, [lonely]), pod("q", labels={"app": "db"})) == {"a", "b"}
    first_of_its_kind = pod("r", labels={"app": "db"}, affinity=near)
    assert feasible(scheduler(machines), first_of_its_kind) == {"a", "b", "c"}
    assert feasible(scheduler(machines), pod("s", affinity=near)) == set()


def test_requests_count_containers_init_containers_sidecars_and_overhead() -> None:
    def container(cpu: str, **more: Any) -> Object:
        return {"name": "c", "resources": {"requests": {"cpu": cpu}}, **more}

    wanted = pod(
        "p",
        containers=[container("1"), {"name": "d", "resources": {"limits": {"cpu": "500m"}}}],
        initContainers=[container("2"), container("250m", restartPolicy="Always"), container("1600m")],
        overhead={"cpu": "100m"},
    )
    assert wanted.requests["cpu"] == 2100  # max(1 + 0.5 + 0.25, 2, 0.25 + 1.6) + 0.1
    empty = pod("q", containers=[{"name": "c"}])
    assert (empty.requests, empty.nominal_cpu, empty.nominal_memory) == ({}, 100, 200 << 20)


def test_what_exceeds_a_whole_machine_is_not_helped_by_preemption() -> None:
    decision = scheduler([node("a"), node("b", cpu="2")]).decide(pod("p", cpu="9"))
    assert decision.event == (
        "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: "
        "2 Preemption is not helpful for scheduling."
    )


def _running(name: str, at: str, priority: int, started: str, cpu: int = 4000, app: str = "x") -> Pod:
    return Pod("d", name, {"app": app}, {"cpu": cpu}, cpu, 0, priority=priority, started=started, node=at)


def test_preemption_takes_the_cheapest_victims_and_spares_budgets() -> None:
    machines = [node("a"), node("b")]
    low = [
        _running("a1", "a", 10, "2026-01-01"),
        _running("a2", "a", 10, "2026-01-02"),
        _running("b1", "b", 5, "2026-01-03"),
        _running("b2", "b", 20, "2026-01-04"),
    ]
    wanted = Pod("d", "p", requests={"cpu": 4000}, nominal_cpu=4000, priority=100)
    decision = scheduler(machines, low).decide(wanted)
    assert (decision.nominated, [v.name for v in decision.victims]) == ("b", ["b1"])
    chosen: Selector = (Requirement("app", "In", ("x",)),)
    guarded = [low[0], low[1], _running("b1", "b", 5, "2026-01-03", app="y"), low[3]]
    decision = scheduler(machines, guarded, budgets=[Budget("d", chosen, 0)]).decide(wanted)
    assert decision.victims[0].name == "b1"
    never = Pod("d", "p", requests={"cpu": 4000}, nominal_cpu=4000, priority=100, preempts=False)
    assert scheduler(machines, low).decide(never).event.endswith("not eligible due to preemptionPolicy=Never.")
    too_large = Pod("d", "p", requests={"cpu": 8000}, nominal_cpu=8000, priority=15)
    guarded_by_rank = [_running("a1", "a", 30, "2026-01-01"), *low[1:]]
    event = scheduler(machines, guarded_by_rank).decide(too_large).event
    assert event.endswith(" preemption: 0/2 nodes are available: 2 Insufficient cpu.")
    before = [dict(on) for on in scheduler(machines, low).cluster.pods_on]
    state = scheduler(machines, low)
    state.decide(wanted)
    assert [dict(on) for on in state.cluster.pods_on] == before


@pytest.mark.parametrize("kind", ["LeastAllocated", "MostAllocated"])
def test_resource_scores_follow_the_documented_formula(kind: Any) -> None:
    # https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/
    chosen = scheduler([node("a", cpu="4"), node("b", cpu="8")], profile=Profile(fit=FitScoring(kind, (("cpu", 1),))))
    scores = chosen.decide(pod("p", cpu="3")).scores
    assert scores is not None
    expected = {"LeastAllocated": [25, 62], "MostAllocated": [75, 37]}[kind]
    assert scores.plugins["NodeResourcesFit"].tolist() == expected


def test_requested_to_capacity_ratio_follows_the_documented_example() -> None:
    # https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/ (weights GPU 5, memory 1, CPU 3):
    # the page gets 5 and 7 of 10, cutting off within each resource; the scheduler counts to 100 and rounds once
    shape = {
        "type": "RequestedToCapacityRatio",
        "resources": [{"name": "gpu", "weight": 5}, {"name": "memory", "weight": 1}, {"name": "cpu", "weight": 3}],
        "requestedToCapacityRatio": {"shape": [{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}]},
    }
    machines = [
        Machine("one", {}, {"gpu": 4, "memory": 1 << 30, "cpu": 8000, "pods": 10}),
        Machine("two", {}, {"gpu": 8, "memory": 1 << 30, "cpu": 8000, "pods": 10}),
    ]
    used = [
        Pod("d", "u", {}, {"gpu": 1, "memory": 256 << 20, "cpu": 1000}, 1000, 256 << 20, node="one"),
        Pod("d", "v", {}, {"gpu": 2, "memory": 512 << 20, "cpu": 6000}, 6000, 512 << 20, node="two"),
    ]
    wanted = Pod("d", "p", {}, {"gpu": 2, "memory": 256 << 20, "cpu": 2000}, 2000, 256 << 20)
    scores = scheduler(machines, used, profile=Profile(fit=fit_scoring(shape))).decide(wanted).scores
    assert scores is not None
    # gpu 75 %, memory 50 %, cpu 37 % -> (75 * 5 + 50 + 37 * 3) / 9; gpu 50 %, memory 75 %, cpu 100 %
    assert scores.plugins["NodeResourcesFit"].tolist() == [60, 69]
    assert broken_line(np.array([0, 50, 100]), ((0, 10), (100, 0))).tolist() == [100, 50, 0]


def test_soft_taints_wishes_and_images_move_the_score() -> None:
    soft = [{"key": "k", "effect": "PreferNoSchedule"}]
    held = [{"names": ["a:1"], "sizeBytes": 1000 * 1024 * 1024}]
    machines = [node("a", taints=soft), node("b", images=held), node("c", labels={"gen": "2"})]
    wish = {
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 7, "preference": {"matchExpressions": [{"key": "gen", "operator": "Gt", "values": ["1"]}]}}
            ]
        }
    }
    scores = scheduler(machines).decide(pod("p", affinity=wish)).scores
    assert scores is not None
    assert scores.plugins["TaintToleration"].tolist() == [0, 300, 300]
    assert scores.plugins["NodeAffinity"].tolist() == [0, 0, 200]
    assert scores.plugins["ImageLocality"].tolist() == [0, 31, 0]  # a third of 1000 MB, between 23 and 1000 MB


def heap(scores: list[int]) -> int:
    """Return the top of a binary heap made of (score, position) in place, by sifting down, as a check."""
    items = list(enumerate(scores))
    for start in range(len(items) // 2 - 1, -1, -1):
        at = start
        while 2 * at + 1 < len(items):
            child = 2 * at + 1
            if child + 1 < len(items) and items[child + 1][1] > items[child][1]:
                child += 1
            if items[child][1] <= items[at][1]:
                break
            items[at], items[child] = items[child], items[at]
            at = child
    return items[0][0]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
@settings(max_examples=100)
def test_ties_go_to_the_top_of_a_heap_of_all_scores(scores: list[int]) -> None:
    values = np.array(scores)
    assert heap_top(np.flatnonzero(values == values.max())) == heap(scores)


def test_machines_are_listed_one_of_each_zone_in_turn() -> None:
    machines = [node("a", zone="x"), node("b", zone="x"), node("c", zone="y"), node("d", zone="x")]
    assert [m.name for m in zone_order(machines)] == ["a", "c", "b", "d"]
