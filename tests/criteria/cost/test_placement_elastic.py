"""Buying nodes: never below the bound, equal to an exact solver on small inputs, everything placed."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.criteria.cost.placement.bound import dual_feasible, lower_bound
from tenancykit.criteria.cost.placement.devices import FRACTION
from tenancykit.criteria.cost.placement.elastic import buy
from tenancykit.criteria.cost.placement.values import NodeClass, PodClass, merged
from tenancykit.scenario.traces import read_openb_pods

GIB = 1024**3
OPENB = Path(__file__).parents[3].parent / "shared" / "data" / "openb"
TYPES = (
    NodeClass("gpu8", None, 96000, 768 * GIB, 8, "A", gpu_sharing=FRACTION, price=Decimal("30.00")),
    NodeClass("gpu1", None, 8000, 64 * GIB, 1, "A", gpu_sharing=FRACTION, price=Decimal("4.50")),
    NodeClass("cpu", None, 32000, 128 * GIB, price=Decimal("1.20")),
)


def drawn(seed: int, classes: int, most: int) -> list[PodClass]:
    draw = random.Random(seed)  # noqa: S311 - test data
    pods = []
    for i in range(classes):
        gpus = draw.choice([0, 0, 1, 1, 2, 4])
        milli = draw.choice([250, 400, 600, 1000]) if gpus == 1 else 1000
        pods.append(
            PodClass(f"p{i}", draw.randint(1, most), draw.randint(2, 28) * 500, draw.randint(1, 60) * GIB, gpus, milli)
        )
    return pods


def exact_price(  # noqa: C901 - one constraint after the other reads best in one place
    pods: list[PodClass], types: tuple[NodeClass, ...], nodes_each: int
) -> float:
    """Return the least price by assigning every pod to one device of one of a few nodes of each type (milp).

    An independent formulation: binaries pod x node (x device), no patterns.
    """
    from scipy.optimize import LinearConstraint, milp

    items = [p for p in pods for _ in range(p.count)]
    nodes = [t for t in types for _ in range(nodes_each)]
    index: dict[tuple[Any, ...], int] = {}
    for n in range(len(nodes)):
        index["open", n] = len(index)
        for i, pod in enumerate(items):
            index["on", i, n] = len(index)
            if pod.gpu_count:
                for d in range(nodes[n].gpu_count):
                    index["dev", i, n, d] = len(index)
    rows, low, high = [], [], []

    def add(parts: dict[tuple[Any, ...], float], least: float, most: float) -> None:
        row = np.zeros(len(index))
        for key, value in parts.items():
            row[index[key]] = value
        rows.append(row)
        low.append(least)
        high.append(most)

    for i, pod in enumerate(items):
        add({("on", i, n): 1.0 for n in range(len(nodes))}, 1, 1)
        if pod.gpu_count:
            for n, node in enumerate(nodes):
                add({**{("dev", i, n, d): 1.0 for d in range(node.gpu_count)}, ("on", i, n): -pod.gpu_count}, 0, 0)
    for n, node in enumerate(nodes):
        add(
            {**{("on", i, n): p.cpu_milli / 1000 for i, p in enumerate(items)}, ("open", n): -node.cpu_milli / 1000},
            -np.inf,
            0,
        )
        add(
            {
                **{("on", i, n): p.memory_bytes / GIB for i, p in enumerate(items)},
                ("open", n): -node.memory_bytes / GIB,
            },
            -np.inf,
            0,
        )
        for d in range(node.gpu_count):
            add(
                {("dev", i, n, d): p.gpu_milli / 1000 for i, p in enumerate(items) if p.gpu_count}
                | {("open", n): -1.0},
                -np.inf,
                0,
            )
    price = np.zeros(len(index))
    for n, node in enumerate(nodes):
        price[index["open", n]] = float(node.price)
    answer = milp(
        price, constraints=LinearConstraint(np.array(rows), low, high), integrality=np.ones(len(index)), bounds=(0, 1)
    )
    assert answer.status == 0, answer.message
    return float(answer.fun)


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_purchase_costs_what_an_independent_solver_finds(seed: int) -> None:
    pods = drawn(seed, 3, 2)
    types = (
        NodeClass("gpu4", None, 32000, 256 * GIB, 4, "A", gpu_sharing=FRACTION, price=Decimal("15.00")),
        NodeClass("gpu1", None, 16000, 64 * GIB, 1, "A", gpu_sharing=FRACTION, price=Decimal("4.50")),
        NodeClass("cpu", None, 16000, 64 * GIB, price=Decimal("0.80")),
    )
    bought = buy(pods, types, exact=True)
    assert bought.optimal
    assert float(bought.price) == pytest.approx(exact_price(pods, types, 3))


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_a_purchase_places_everything_and_is_never_below_either_bound(seed: int, classes: int, most: int) -> None:
    pods = drawn(seed, classes, most)
    bought = buy(pods, TYPES)
    assert bought.placement.pending == ()
    assert bought.placement.placed == {p.name: p.count for p in pods}
    assert bought.placement.nodes == bought.nodes
    assert bought.price == sum((t.price * bought.nodes.get(t.name, 0) for t in TYPES), Decimal(0))
    volume, columns = lower_bound(pods, TYPES, "volume"), lower_bound(pods, TYPES, "columns")
    assert volume.price <= columns.price + 1e-6
    assert columns.price <= float(bought.price) + 1e-6
    for group in bought.placement.groups:
        assert group.cpu_free_milli >= 0
        assert group.memory_free_bytes >= 0
        assert all(0 <= free <= 1000 for free in group.gpu_free_milli)


@pytest.mark.parametrize("seed", range(8))
def test_the_quick_purchase_stays_within_a_tenth_of_the_exact_one_on_small_inputs(seed: int) -> None:
    pods = drawn(100 + seed, 4, 6)
    quick, exact = buy(pods, TYPES), buy(pods, TYPES, exact=True)
    assert exact.price <= quick.price <= exact.price * Decimal("1.1")


def test_limits_minimums_and_oversized_pods_are_respected() -> None:
    few = (
        NodeClass("own", 2, 8000, 64 * GIB, price=Decimal("0.10")),
        NodeClass("rent", None, 8000, 64 * GIB, price=Decimal(1)),
    )
    bought = buy([PodClass("p", 5, 8000, GIB)], few, minimum={"rent": 4})
    assert bought.nodes == {"own": 2, "rent": 4}
    assert buy([PodClass("p", 5, 8000, GIB)], few).price == Decimal("3.20")
    oversized = buy([PodClass("p", 1, 9000, GIB), PodClass("q", 1, 1000, GIB)], few)
    assert oversized.nodes == {"own": 1}
    assert oversized.placement.pending[0].reason == "0/3 nodes are available: 3 Insufficient cpu."
    assert buy([], few).nodes == {}


def test_types_that_cannot_win_change_nothing_and_equal_pods_of_tenants_are_merged() -> None:
    pods = [
        PodClass("a", 3, 2000, GIB, 1, tenant="x"),
        PodClass("b", 4, 2000, GIB, 1, tenant="y"),
        PodClass("c", 1, 500, GIB),
    ]
    dear = NodeClass("dear", None, 8000, 32 * GIB, 1, "A", gpu_sharing=FRACTION, price=Decimal("9.00"))
    assert buy(pods, (*TYPES, dear)).nodes == buy(pods, TYPES).nodes
    assert [(p.name, p.count) for p in merged(pods)] == [("a", 7), ("c", 1)]
    assert buy(merged(pods), TYPES).nodes == buy(pods, TYPES).nodes


def test_one_gpu_pod_per_node_buys_a_node_per_pod() -> None:
    sandboxed = NodeClass("kata", None, 96000, 768 * GIB, 8, "A", max_gpu_pods=1, price=Decimal(30))
    bought = buy([PodClass("p", 5, 1000, GIB, 1, overhead_cpu_milli=250)], [sandboxed])
    assert bought.nodes == {"kata": 5}
    assert bought.optimal
    assert bought.placement.stranded_gpu_milli == 5 * 7000


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6), st.integers(1, 4))
@settings(max_examples=60)
def test_a_dual_feasible_function_never_exceeds_one_on_items_that_fit_a_bin(shares: list[float], k: int) -> None:
    values = np.array(shares)
    values = values / max(1.0, values.sum())
    assert dual_feasible(values, k).sum() <= 1 + 1e-6


@pytest.mark.skipif(not OPENB.exists(), reason="the openb trace is not beside the repository")
@pytest.mark.parametrize(
    ("node", "gap"),
    [
        (
            NodeClass("G3", None, 128000, 768 * GIB, 8, "G3", gpu_sharing=FRACTION, max_pods=1001, price=Decimal(1)),
            0.05,
        ),
        (NodeClass("T4", None, 96000, 384 * GIB, 4, "T4", gpu_sharing=FRACTION, max_pods=1001, price=Decimal(1)), 0.01),
    ],
)
def test_all_openb_pods_on_one_node_type_are_close_to_the_bound(node: NodeClass, gap: float) -> None:
    counts: dict[tuple[int, int, int, int], int] = {}
    for job in read_openb_pods(OPENB / "openb_pod_list_default.csv").rows:
        shape = (job.cpu_milli, job.memory_bytes, job.gpu_count, job.gpu_milli)
        counts[shape] = counts.get(shape, 0) + 1
    pods = [PodClass(f"p{i}", n, *shape) for i, (shape, n) in enumerate(sorted(counts.items()))]
    fitting = [p for p in pods if p.gpu_count <= node.gpu_count and p.cpu_milli <= node.cpu_milli]
    bought = buy(fitting, [node], bound="columns")
    assert bought.placement.pending == ()
    assert bought.bound is not None
    assert bought.gap is not None
    assert bought.bound.price <= bought.nodes[node.name]
    assert bought.gap <= gap
