"""Placement keeps every capacity, follows its policy pod by pod, and says why a pod is pending."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.errors import InputError
from tenancykit.criteria.cost.placement.devices import (
    FRACTION,
    WHOLE,
    GpuSharing,
    slice_tables,
)
from tenancykit.criteria.cost.placement.exact import Stack, device_states
from tenancykit.criteria.cost.placement.fixed import place
from tenancykit.criteria.cost.placement.values import POLICIES, NodeClass, NodeGroup, Placement, PodClass, Quota
from tenancykit.partitions import SliceGeometry, SliceProfile

GIB = 1024**3
# NVIDIA MIG User Guide, "A100 MIG profiles": https://docs.nvidia.com/datacenter/tesla/mig-user-guide/
A100 = SliceGeometry(
    "A100",
    compute=7,
    slices=8,
    profiles=(
        SliceProfile("1g.5gb", 1, 1, (0, 1, 2, 3, 4, 5, 6), 5 * 10**9),
        SliceProfile("1g.10gb", 1, 2, (0, 2, 4, 6), 10 * 10**9),
        SliceProfile("2g.10gb", 2, 2, (0, 2, 4), 10 * 10**9),
        SliceProfile("3g.20gb", 3, 4, (0, 4), 20 * 10**9),
        SliceProfile("4g.20gb", 4, 4, (0,), 20 * 10**9),
        SliceProfile("7g.40gb", 7, 8, (0,), 40 * 10**9),
    ),
)
SHARING = {
    "whole": WHOLE,
    "fraction": FRACTION,
    "replicas": GpuSharing("replicas", 4),
    "slices": GpuSharing("slices", geometry=A100),
}


@st.composite
def fleets(draw: st.DrawFn) -> tuple[list[PodClass], list[NodeClass]]:
    mode = draw(st.sampled_from(sorted(SHARING)))
    nodes = [
        NodeClass(
            f"n{i}",
            draw(st.integers(0, 4)),
            draw(st.integers(1, 16)) * 1000,
            draw(st.integers(1, 64)) * GIB,
            draw(st.integers(0, 4)),
            "A100",
            gpu_sharing=SHARING[mode],
            max_pods=draw(st.integers(1, 12)),
            max_gpu_pods=draw(st.sampled_from([None, None, 1, 2])),
            labels=draw(st.sampled_from([frozenset(), frozenset({"blue"})])),
            taints=draw(st.sampled_from([frozenset(), frozenset({"gpu-only"})])),
        )
        for i in range(draw(st.integers(1, 4)))
    ]
    pods = []
    for i in range(draw(st.integers(1, 6))):
        gpus = draw(st.integers(0, 3)) if any(n.gpu_count for n in nodes) else 0
        gang = draw(st.sampled_from([1, 1, 2, 3]))
        pods.append(
            PodClass(
                f"p{i}",
                draw(st.integers(0, 6)) * gang,
                draw(st.integers(0, 40)) * 100,
                draw(st.integers(0, 16)) * GIB,
                gpus,
                draw(st.sampled_from([100, 250, 330, 500, 700, 1000])) if gpus == 1 else 1000,
                needs=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"blue"})])),
                tolerates=draw(st.sampled_from([frozenset(), frozenset({"gpu-only"})])),
                gang=gang,
                priority=draw(st.integers(0, 1)),
                tenant=draw(st.sampled_from(["a", "b"])),
                overhead_cpu_milli=draw(st.sampled_from([0, 250])),
            )
        )
    return pods, nodes


def fits_devices(parts: list[tuple[int, int]], free: list[int]) -> bool:
    """Return whether pods of (GPUs, units each) can be packed on devices, by trying every choice."""
    if not parts:
        return True
    (gpus, units), rest = parts[0], parts[1:]
    options = [i for i, left in enumerate(free) if left >= units]
    seen = set()
    for chosen in itertools.combinations(options, gpus):
        after = [left - units if i in chosen else left for i, left in enumerate(free)]
        if tuple(sorted(after)) not in seen:
            seen.add(tuple(sorted(after)))
            if fits_devices(rest, after):
                return True
    return False


def assert_within_capacity(group: NodeGroup, node: NodeClass, pods: dict[str, PodClass]) -> None:
    held = [(pods[name], number) for name, number in group.pods]
    cpu = sum((p.cpu_milli + p.overhead_cpu_milli) * n for p, n in held)
    memory = sum(p.memory_bytes * n for p, n in held)
    assert cpu + group.cpu_free_milli == node.cpu_milli
    assert memory + group.memory_free_bytes == node.memory_bytes
    assert group.cpu_free_milli >= 0
    assert group.memory_free_bytes >= 0
    assert sum(n for _, n in held) <= node.max_pods
    gpu_pods = sum(n for p, n in held if p.gpu_count)
    assert gpu_pods <= (node.max_pods if node.max_gpu_pods is None else node.max_gpu_pods)
    assert len(group.gpu_free_milli) == node.gpu_count
    for pod, _ in held:
        assert node.taints <= pod.tolerates
        assert pod.needs <= node.labels
    sharing = node.gpu_sharing
    if sharing.mode != "slices":
        per_gpu = {"whole": 1, "fraction": 1000, "replicas": sharing.replicas}[sharing.mode]
        parts = []
        for pod, n in held:
            unit = {"whole": 1, "fraction": pod.gpu_milli, "replicas": -(-pod.gpu_milli * sharing.replicas // 1000)}
            parts += [(pod.gpu_count, unit[sharing.mode])] * n if pod.gpu_count else []
        assert fits_devices(sorted(parts, key=lambda part: -part[1]), [per_gpu] * node.gpu_count)
    elif node.gpu_count and gpu_pods:
        classes = [pod for pod, _ in held]
        stack = Stack(0, tuple(number for _, number in held), 1)
        assert device_states(classes, [node], stack) is not None  # every position tried


def assert_sound(result: Placement, pods: list[PodClass], nodes: list[NodeClass]) -> None:
    by_name, kinds = {p.name: p for p in pods}, {n.name: n for n in nodes}
    counts: dict[str, int] = {}
    placed = dict.fromkeys(by_name, 0)
    for group in result.groups:
        assert_within_capacity(group, kinds[group.node_class], by_name)
        counts[group.node_class] = counts.get(group.node_class, 0) + group.count
        for name, number in group.pods:
            placed[name] += number * group.count
    for node in nodes:
        if node.count is not None:
            assert counts.get(node.name, 0) == node.count
    assert placed == dict(result.placed)
    for pod in pods:
        pending = sum(p.count for p in result.pending if p.pod_class == pod.name)
        assert placed[pod.name] + pending == pod.count
        assert placed[pod.name] % pod.gang == 0
    assert 0 <= result.stranded_gpu_milli <= result.allocation["gpu"].capacity - result.allocation["gpu"].used


@given(fleets(), st.sampled_from(POLICIES), st.sampled_from(["given", "largest_first"]))
@settings(max_examples=120, deadline=None)
def test_no_node_is_ever_over_capacity_in_any_resource_or_slice(fleet: Any, policy: Any, order: Any) -> None:
    pods, nodes = fleet
    if policy == "fgd" and any(n.gpu_count and n.gpu_sharing.mode != "fraction" for n in nodes):
        with pytest.raises(InputError):
            place(pods, nodes, policy)
        return
    assert_sound(place(pods, nodes, policy, seed=3, order=order), pods, nodes)


@given(fleets())
@settings(max_examples=40, deadline=None)
def test_a_pending_pod_fits_no_node_and_equal_input_gives_equal_output(fleet: Any) -> None:
    pods, nodes = fleet
    pods = [PodClass(**{**vars(p), "gang": 1}) for p in pods]
    result = place(pods, nodes)
    assert result == place(pods, nodes)
    assert all(p.reason.startswith(("0/", "no nodes")) for p in result.pending)


class OneByOne:
    """A placement of pods one at a time on a list of nodes: what the grouped placement has to equal."""

    def __init__(self, nodes: list[NodeClass]) -> None:
        self.kind = [n for n in nodes for _ in range(n.count or 0)]
        self.cpu = [n.cpu_milli for n in self.kind]
        self.memory = [n.memory_bytes for n in self.kind]
        self.gpu = [[1000] * n.gpu_count for n in self.kind]

    def fits(self, i: int, pod: PodClass) -> bool:
        enough = sum(left >= pod.gpu_milli for left in self.gpu[i]) >= pod.gpu_count
        return self.cpu[i] >= pod.cpu_milli and self.memory[i] >= pod.memory_bytes and enough

    def bind(self, i: int, pod: PodClass) -> None:
        self.cpu[i] -= pod.cpu_milli
        self.memory[i] -= pod.memory_bytes
        order = sorted(range(len(self.gpu[i])), key=lambda d: self.gpu[i][d])
        for device in [d for d in order if self.gpu[i][d] >= pod.gpu_milli][: pod.gpu_count]:
            self.gpu[i][device] -= pod.gpu_milli

    def best(self, pod: PodClass, policy: str) -> int | None:
        nodes = [i for i in range(len(self.kind)) if self.fits(i, pod)]
        return max(nodes, key=lambda i: (self.score(i, pod, policy), -i), default=None)

    def score(self, i: int, pod: PodClass, policy: str) -> float:
        node, asked = self.kind[i], pod.gpu_count * pod.gpu_milli
        top = (
            max(n.cpu_milli for n in self.kind),
            max(n.memory_bytes for n in self.kind),
            max(len(g) for g in self.gpu) * 1000,
        )
        left = (self.cpu[i] - pod.cpu_milli, self.memory[i] - pod.memory_bytes, sum(self.gpu[i]) - asked)
        if policy == "best_fit":
            return -sum(have / most for have, most in zip(left, top, strict=True))
        if policy == "dot_product":
            need = (pod.cpu_milli, pod.memory_bytes, asked)
            free = (self.cpu[i], self.memory[i], sum(self.gpu[i]))
            return -sum(n / most * f / most for n, f, most in zip(need, free, top, strict=True))
        full = (node.cpu_milli, node.memory_bytes, node.gpu_count * 1000)
        shares = [have / most for have, most in zip(left, full, strict=True) if most]
        return sum(shares) / len(shares) * (1 if policy == "least_allocated" else -1)

    def states(self) -> list[tuple[Any, ...]]:
        return sorted(
            (n.name, c, m, tuple(sorted(g)))
            for n, c, m, g in zip(self.kind, self.cpu, self.memory, self.gpu, strict=True)
        )


@pytest.mark.parametrize("policy", ["best_fit", "dot_product", "most_allocated", "least_allocated"])
@pytest.mark.parametrize("seed", range(6))
def test_placing_a_class_at_once_equals_placing_its_pods_one_at_a_time(policy: Any, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - test data
    nodes = [
        NodeClass(
            f"n{i}",
            draw.randint(1, 4),
            draw.randint(8000, 64000),
            draw.randint(16 * GIB, 256 * GIB),
            draw.randint(0, 8),
            "G",
            gpu_sharing=FRACTION,
        )
        for i in range(4)
    ]
    pods = []
    for i in range(10):
        gpus = draw.choice([0, 1, 1, 2]) if any(n.gpu_count for n in nodes) else 0
        milli = draw.choice([130, 470, 1000]) if gpus == 1 else 1000
        pods.append(
            PodClass(
                f"p{i}", draw.randint(1, 9), draw.randint(300, 6000), draw.randint(GIB // 2, 20 * GIB), gpus, milli
            )
        )
    naive = OneByOne(nodes)
    placed = dict.fromkeys((p.name for p in pods), 0)
    for pod in pods:
        for _ in range(pod.count):
            node = naive.best(pod, policy)
            if node is not None:
                naive.bind(node, pod)
                placed[pod.name] += 1
    result = place(pods, nodes, policy)
    ours = sorted(
        (g.node_class, g.cpu_free_milli, g.memory_free_bytes, g.gpu_free_milli)
        for g in result.groups
        for _ in range(g.count)
    )
    assert dict(result.placed) == placed
    assert ours == naive.states()


def test_random_placement_spreads_pods_uniformly_over_the_nodes_that_fit() -> None:
    nodes = [NodeClass("n", 4, 10**6, GIB * 1000, max_pods=10**6)]
    counts = np.zeros(4)
    for seed in range(30):
        result = place([PodClass("p", 400, 1, 1)], nodes, "random", seed=seed)
        per_node = [g.pods[0][1] for g in result.groups for _ in range(g.count)]
        counts += np.sort(per_node)
    assert counts.sum() == 12000
    assert 60 < counts[0] / 30 < 100 < counts[3] / 30 < 140  # a binomial (400, 1/4) has standard deviation 8.7


def test_pending_pods_carry_the_reasons_a_scheduler_would_write() -> None:
    nodes = [NodeClass("cpu", 4, 8000, 32 * GIB), NodeClass("small-gpu", 8, 2000, 32 * GIB, 8, "A100")]
    result = place([PodClass("p", 1, 4000, GIB, 1)], nodes)
    assert result.pending[0].reason == "0/12 nodes are available: 4 Insufficient nvidia.com/gpu, 8 Insufficient cpu."
    barred = [NodeClass("t", 2, 8000, GIB, taints=frozenset({"x"})), NodeClass("u", 1, 8000, GIB)]
    result = place([PodClass("p", 1, 1, 1, needs=frozenset({"y"}))], barred)
    assert result.pending[0].reason == (
        "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
        "2 node(s) had untolerated taint(s)."
    )
    assert place([PodClass("p")], []).pending[0].reason == "no nodes available to schedule pods"


def test_a_gang_starts_whole_or_not_at_all() -> None:
    nodes = [NodeClass("g", 3, 64000, 512 * GIB, 8, "A100")]
    result = place([PodClass("train", 8, 1000, GIB, 8, gang=4)], nodes)
    assert result.placed == {"train": 0}
    assert result.pending[0].kind == "gang"
    assert "A gang of 4 starts together; 3 would fit." in result.pending[0].reason


def test_higher_priority_is_placed_first_and_quota_stops_only_its_tenant() -> None:
    nodes = [NodeClass("g", 1, 64000, 512 * GIB, 8, "A100")]
    low, high = PodClass("low", 8, 1000, GIB, 1, tenant="a"), PodClass("high", 6, 1000, GIB, 1, priority=5, tenant="b")
    assert place([low, high], nodes).placed == {"low": 2, "high": 6}
    result = place([low, high], nodes, quotas=[Quota("b", gpu_milli=3000)])
    assert result.placed == {"low": 5, "high": 3}
    quota = next(p for p in result.pending if p.kind == "quota")
    assert quota.reason == "exceeded quota: b, requested: gpu_milli=1000, used: gpu_milli=3000, limited: gpu_milli=3000"


def test_gpu_free_beside_exhausted_cpu_is_stranded() -> None:
    nodes = [NodeClass("g", 2, 8000, 64 * GIB, 4, "A100")]
    result = place([PodClass("p", 2, 8000, GIB, 1)], nodes)
    assert result.stranded_gpu_milli == 6000
    assert place([PodClass("p", 1, 8000, GIB, 1)], nodes).stranded_gpu_milli == 3000


@pytest.mark.parametrize(("mode", "expected"), [("whole", 2), ("fraction", 6), ("replicas", 4), ("slices", 4)])
def test_the_same_share_of_a_gpu_is_met_by_how_the_node_cuts_it(mode: str, expected: int) -> None:
    node = NodeClass("g", 1, 64000, 512 * GIB, 2, "A100", gpu_sharing=SHARING[mode])
    # 0.3 GPU: a device; three per device; two of four replicas; a 3g.20gb slice, two per device
    assert place([PodClass("p", 9, 1, 1, 1, 300)], [node]).placed == {"p": expected}


def test_replicas_share_device_memory() -> None:
    node = NodeClass(
        "g", 1, 64000, 512 * GIB, 1, "T4", gpu_memory_bytes=16 * GIB, gpu_sharing=GpuSharing("replicas", 8)
    )
    assert place([PodClass("p", 9, 1, 1, 1, 100, gpu_memory_bytes=4 * GIB)], [node]).placed == {"p": 4}
    assert place([PodClass("p", 9, 1, 1, 1, 100, gpu_memory_bytes=17 * GIB)], [node]).placed == {"p": 0}


@pytest.mark.parametrize(
    ("profile", "most"), [("1g.5gb", 7), ("1g.10gb", 4), ("2g.10gb", 3), ("3g.20gb", 2), ("4g.20gb", 1), ("7g.40gb", 1)]
)
def test_a_partitioned_a100_holds_what_its_user_guide_says(profile: str, most: int) -> None:
    chosen = A100.profile(profile)
    assert chosen is not None
    assert slice_tables(A100, chosen).capacity[255] == most
    node = NodeClass("g", 1, 64000, 512 * GIB, 1, "A100", gpu_sharing=SHARING["slices"])
    assert place([PodClass("p", 9, 1, 1, 1, gpu_profile=profile)], [node]).placed == {"p": most}


def brute_force(geometry: SliceGeometry, free: int, wanted: tuple[str, ...]) -> bool:
    if not wanted:
        return True
    profile = geometry.profile(wanted[0])
    assert profile is not None
    return any(free & m == m and brute_force(geometry, free ^ m, wanted[1:]) for m in profile.masks)


def test_slice_tables_are_exact_for_every_state_of_a_device() -> None:
    for profile in A100.profiles:
        tables = slice_tables(A100, profile)
        for free in range(256):
            most = int(tables.capacity[free])
            assert brute_force(A100, free, (profile.name,) * most)
            assert not brute_force(A100, free, (profile.name,) * (most + 1))
            for k in range(most + 1):
                after = int(tables.after[k, free])
                assert after & ~free == 0
                assert int(tables.capacity[after]) == most - k


def test_every_fault_of_an_input_is_named_with_its_place_and_cure() -> None:
    pods = [
        PodClass("p", 3, 1, 1, 1, gpu_models=frozenset({"A10O"}), gang=2, where="jobs.csv:7"),
        PodClass("p", -1, gpu_profile="1g.5gb"),
        PodClass("q", 1, 1, 1, 1, 1500),
    ]
    nodes = [NodeClass("n", 1, 0, 1, 1, "A100"), NodeClass("m", 1, 1, 1, 2, price=Decimal(-1))]
    with pytest.raises(InputError) as caught:
        place(pods, nodes)
    text = str(caught.value)
    for part in (
        "cpu_milli is 0",
        "no gpu_model",
        "price is -1",
        "given 2 times",
        "jobs.csv:7",
        "did you mean A100?",
        "whole gangs",
        "count is -1",
        "profile '1g.5gb'",
        "gpu_milli is 1500",
    ):
        assert part in text
    with pytest.raises(InputError, match="best_fit"):
        place([], [], "tightest")  # type: ignore[arg-type]
