"""Fragmentation is what its definition says, and pods that arrive one by one follow the published experiment."""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgd_arrivals import ArrivalPolicy, descent, inflate, replay
from tenancykit.criteria.cost.placement.devices import FRACTION
from tenancykit.criteria.cost.placement.fragmentation import Fragmentation, TypicalPod, typical_pods
from tenancykit.criteria.cost.placement.values import NodeClass, PodClass
from tenancykit.scenario.traces import read_openb_nodes, read_openb_pods

GIB = 1024**3


def by_definition(cpu: int, gpu: list[int], mix: list[TypicalPod], model: str | None = None) -> float:
    """Return the fragmentation of one node straight from the paper: pod by pod of the mix."""
    total = 0.0
    weights = sum(pod.weight for pod in mix)
    for pod in mix:
        allowed = not pod.gpu_models or model is None or model in pod.gpu_models
        runs = allowed and cpu >= pod.cpu_milli and sum(left >= pod.gpu_milli for left in gpu) >= pod.gpu_count
        lost = sum(left for left in gpu if left < pod.gpu_milli) if runs and pod.gpu_count else sum(gpu)
        total += pod.weight / weights * lost
    return total


mixes = st.lists(
    st.builds(
        TypicalPod,
        st.integers(0, 16).map(lambda n: n * 1000),
        st.sampled_from([0, 1, 1, 1, 2, 4]),
        st.just(1000),
        st.floats(0.01, 1.0),
        st.sampled_from([(), (), ("A",), ("B",)]),
    ).map(
        lambda pod: pod if pod.gpu_count != 1 else TypicalPod(pod.cpu_milli, 1, 100 + pod.cpu_milli // 20, pod.weight)
    ),
    min_size=1,
    max_size=6,
)


@given(mixes, st.integers(0, 20_000), st.lists(st.integers(0, 1000), min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_fragmentation_is_the_papers_sum_over_typical_pods(mix: list[TypicalPod], cpu: int, gpu: list[int]) -> None:
    for model in (None, "A"):
        amount = Fragmentation(mix, model).amount(np.array([cpu]), np.array([gpu]))[0]
        assert amount == pytest.approx(by_definition(cpu, gpu, mix, model))


@given(
    mixes,
    st.integers(4000, 20_000),
    st.lists(st.integers(0, 1000), min_size=2, max_size=4),
    st.sampled_from([100, 333, 1000]),
)
@settings(max_examples=80, deadline=None)
def test_the_fall_by_a_share_is_measured_for_every_device_it_fits(
    mix: list[TypicalPod], cpu: int, gpu: list[int], milli: int
) -> None:
    measure = Fragmentation(mix)
    state = (np.array([cpu]), np.array([gpu]))
    fall = measure.falls(measure.amount(*state), state, 4000, 1, milli)
    before = by_definition(cpu, gpu, mix)
    for device, left in enumerate(gpu):
        if milli == 1000 and left != 1000:
            continue
        after = [have - milli * (i == device) for i, have in enumerate(gpu)]
        expected = before - by_definition(cpu - 4000, after, mix) if left >= milli else -np.inf
        ours = fall[0, 0] if milli == 1000 else fall[0, device]
        assert ours == pytest.approx(expected)


def test_typical_pods_cover_the_share_asked_for_and_no_more() -> None:
    kinds = typical_pods([((1000, 1, 500, ()), 60), ((2000, 0, 1000, ()), 30), ((3000, 1, 1000, ()), 10)], 0.9)
    assert [(k.cpu_milli, k.gpu_milli, round(k.weight, 3)) for k in kinds] == [(1000, 500, 0.667), (2000, 0, 0.333)]


def test_scores_are_the_sigmoid_in_whole_points() -> None:
    assert descent(np.array([0.0, 1000.0, -1000.0, -1e9, 1e9])).tolist() == [50, 73, 26, 0, 100]


def test_inflation_stops_before_the_limit_and_deflation_below_it() -> None:
    shapes = [PodClass("a", 50, 1, 1, 1, 500), PodClass("b", 50, 1, 1), PodClass("c", 5, 1, 1, 4)]
    up = inflate(shapes, 1.5, 100_000, np.random.default_rng(1))
    asked = np.array([500, 0, 4000])[up].sum()
    assert Counter(up[:105].tolist()) == {0: 50, 1: 50, 2: 5}
    assert 150_000 - 4000 <= asked <= 150_000 + 3000
    down = inflate(shapes, 0.2, 100_000, np.random.default_rng(1))
    assert np.array([500, 0, 4000])[down].sum() <= 20_000


@pytest.mark.parametrize("policy", ["Random", "DotProd", "BestFit", "FGD"])
def test_arrivals_never_overfill_and_count_what_was_dropped(policy: ArrivalPolicy) -> None:
    nodes = [NodeClass("n", 3, 8000, 64 * GIB, 2, "A", gpu_sharing=FRACTION), NodeClass("m", 2, 4000, 8 * GIB)]
    shapes = [PodClass("a", 9, 1000, GIB, 1, 300), PodClass("b", 4, 2000, GIB, 2), PodClass("c", 9, 1500, 4 * GIB)]
    mix = typical_pods(((p.cpu_milli, p.gpu_count, p.gpu_milli, ()), p.count) for p in shapes)
    arrivals = inflate(shapes, 2.0, 6000, np.random.default_rng(5))
    result = replay(shapes, arrivals, nodes, policy, mix=mix, seed=5)
    cpu, gpu = [8000] * 3 + [4000] * 2, [2000] * 3 + [0] * 2
    for shape, node in zip(arrivals.tolist(), result.node.tolist(), strict=True):
        if node >= 0:
            cpu[node] -= shapes[shape].cpu_milli
            gpu[node] -= shapes[shape].gpu_count * shapes[shape].gpu_milli
    assert min(cpu) >= 0
    assert min(gpu) >= 0
    assert result.allocated[-1] == 6000 - sum(gpu)
    assert result.arrived[-1] >= result.allocated[-1]
    again = replay(shapes, arrivals, nodes, policy, mix=mix, seed=5)
    assert (again.node == result.node).all()


PUBLISHED = {"Random": 86.30, "DotProd": 90.62, "BestFit": 92.86, "FGD": 95.23}
"""Means over ten seeds at 100 % arrived, from the authors' repository hkust-adsl/kubernetes-scheduler-simulator,
experiments/analysis/expected_results/analysis_allo_discrete.csv; their standard deviations are 0.11 to 0.33."""


@pytest.mark.parametrize("policy", ["Random", "DotProd", "BestFit", "FGD"])
def test_the_published_allocation_at_full_arrival_is_met_within_its_spread(shared: Path, policy: ArrivalPolicy) -> None:
    folder = shared / "data" / "openb"
    nodes_read = read_openb_nodes(folder / "openb_node_list_gpu_node.csv").rows
    pods_read = read_openb_pods(folder / "openb_pod_list_default.csv").rows
    kinds = Counter((n.cpu_milli, n.memory_bytes, n.gpu_count, n.gpu_model) for n in nodes_read)
    nodes = [
        NodeClass(f"n{i}", c, *k, gpu_sharing=FRACTION, max_pods=1001) for i, (k, c) in enumerate(sorted(kinds.items()))
    ]
    counts = Counter((p.cpu_milli, p.memory_bytes, p.gpu_count, p.gpu_milli) for p in pods_read)
    shapes = [PodClass(f"p{i}", c, *k) for i, (k, c) in enumerate(sorted(counts.items()))]
    mix = typical_pods(((p.cpu_milli, p.gpu_count, p.gpu_milli, ()), p.count) for p in shapes)
    assert len(mix) == 35
    values = []
    for seed in (42, 43, 44):
        arrivals = inflate(shapes, 1.02, 6_212_000, np.random.default_rng(seed))
        values.append(replay(shapes, arrivals, nodes, policy, mix=mix, seed=seed).allocation_percent(100))
    assert statistics.mean(values) == pytest.approx(PUBLISHED[policy], abs=0.7)
