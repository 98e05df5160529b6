"""Exploring the design space: every design of a narrowed space, the whole space, hybrids, and ranking again.

The naive way evaluates one design after the other; it is timed on a few designs in the same run and multiplied.
"""

from __future__ import annotations

import itertools
import time
import tracemalloc
from functools import cache

import numpy as np

from harness import MIB, line, measure, report
from tenancykit import Scenario, example, load_catalogue, load_scenario
from tenancykit.criterion_names import CRITERIA
from tenancykit.decision.ranking import weighted_scores
from tenancykit.decision.scaling import scale
from tenancykit.decision.table import Criterion, DecisionTable
from tenancykit.decision.weights import direct_weights
from tenancykit.study.evaluation import evaluate
from tenancykit.study.exploration import explore
from tenancykit.study.hybrids import combined_front
from tenancykit.study.sweeping import Columns, Question, sweep_numbers, sweeper_of

OPTIONS = {
    "control_plane": ["cp_kamaji", "cp_hypershift", "cp_vcluster_private", "cp_vcluster_standalone", "fl_ocm"],
    "node_isolation": ["node_dedicated_tenant", "node_karpenter", "node_baremetal_tenant"],
    "runtime": ["rt_runc", "rt_userns", "rt_kata"],
    "network": ["net_np_default_deny", "net_cilium", "net_kube_ovn", "net_mesh_linkerd", "net_rdma_pkey"],
    "storage": ["st_sc_quota", "st_dedicated", "st_tenant_keys"],
    "gpu_sharing": ["gpu_exclusive", "gpu_mig"],
    "scheduling_quota": ["sch_kueue", "sch_quota", "sch_kai"],
    "policy_admission": ["pol_psa", "pol_vap", "pol_kyverno", "pol_gatekeeper"],
    "identity_gitops": ["id_oidc_rbac"],
    "observability_chargeback": ["obs_per_cluster", "obs_opencost"],
}
"""Options of all ten dimensions: about 100,000 valid designs of the example."""
PER_CLASS = 32_000
"""Designs swept per class for hybrids: 1.02e9 combinations of two classes."""
NAIVE = 12


@cache
def scenario() -> Scenario:
    """Return the scenario that is explored."""
    return load_scenario(example("gpu-cloud"))


def whole_space() -> list[dict[str, object]]:
    """Every valid design of the narrowed space measured, and the exact front."""
    catalogue = load_catalogue()
    sweeper = sweeper_of(Question.of(scenario(), catalogue, OPTIONS))  # type: ignore[arg-type]
    batch = sweeper.batch(sweeper.codes(np.linspace(0, sweeper.count - 1, NAIVE).astype(np.int64)))
    start = time.perf_counter()
    for row in range(NAIVE):
        evaluate(batch.design(row), scenario(), catalogue)
    naive = (time.perf_counter() - start) / NAIVE * sweeper.count
    start = time.perf_counter()
    found = explore(scenario(), catalogue, allowed=OPTIONS, limit=10**6, bills=10**6)
    seconds = time.perf_counter() - start
    tracemalloc.start()
    explore(scenario(), catalogue, allowed=OPTIONS, limit=10**6, bills=10**6)
    peak = tracemalloc.get_traced_memory()[1] / MIB
    tracemalloc.stop()
    more = {"front": len(found.front), "billed": found.billed, "exact": found.exact, "valid": found.space}
    return [
        line(
            "explore every design of a space",
            seconds,
            "s",
            n=found.evaluated,
            ratio_to={"evaluate one by one (extrapolated)": round(naive / seconds, 1)},
            peak_memory_mib=round(peak, 1),
            **more,
        )
    ]


def proof() -> list[dict[str, object]]:
    """The front of the narrowed space, proven by branch and bound after a search in a third of it."""
    start = time.perf_counter()
    found = explore(scenario(), load_catalogue(), allowed=OPTIONS, limit=30_000, prove=True, bills=10**6)
    seconds = time.perf_counter() - start
    more: dict[str, object] = {"front": len(found.front), "billed": found.billed, "within_nines": found.within}
    return [line("front of a space, proven", seconds, "s", n=found.space) | more]


def hybrids() -> list[dict[str, object]]:
    """The front over all pairs of 32,000 designs per class."""
    question = Question.of(scenario(), load_catalogue(), per_class=True)
    start = time.perf_counter()
    found = combined_front(question, PER_CLASS)
    seconds = time.perf_counter() - start
    tracemalloc.start()
    combined_front(question, PER_CLASS)
    peak = tracemalloc.get_traced_memory()[1] / MIB
    tracemalloc.stop()
    few = 300
    sides = [np.random.default_rng(place).normal(size=(few, 4)) for place in (0, 1)]
    begun = time.perf_counter()
    _front_pair_by_pair(*sides)
    naive = (time.perf_counter() - begun) / few**2 * found.considered
    return [
        line(
            "front of two-class hybrids",
            seconds,
            "s",
            n=found.considered,
            ratio_to={"pair by pair (extrapolated)": round(naive / seconds, 1)},
            peak_memory_mib=round(peak, 1),
            front=len(found.codes),
        )
    ]


def _front_pair_by_pair(one: np.ndarray, two: np.ndarray) -> list[tuple[float, ...]]:
    front: list[tuple[float, ...]] = []
    for left, right in itertools.product(one.tolist(), two.tolist()):
        joined = (min(left[0], right[0]), *(a + b for a, b in zip(left[1:], right[1:], strict=True)))
        if not any(all(x >= y for x, y in zip(kept, joined, strict=True)) for kept in front):
            front = [k for k in front if not all(y >= x for x, y in zip(k, joined, strict=True))] + [joined]
    return front


def ranking_again() -> list[dict[str, object]]:
    """100,000 swept designs ranked on other weights, against a loop over designs."""
    question = Question.of(scenario(), load_catalogue())
    numbers = np.linspace(0, sweeper_of(question).count - 1, 100_000).astype(np.int64)
    columns = Columns.joined(sweep_numbers(question, lot) for lot in np.array_split(numbers, 5))
    values = np.stack([columns.isolation, columns.effort, columns.operations, columns.people + columns.hosts], axis=1)
    criteria = [Criterion(name, "higher" if name == "isolation" else "lower") for name in CRITERIA]
    scaled = scale(DecisionTable.of([str(number) for number in numbers], criteria, values))
    weights = direct_weights({"isolation": 0.4, "effort": 0.1, "operations": 0.2, "cost": 0.3}, CRITERIA)

    def again() -> object:
        return np.argsort(-weighted_scores(scaled, weights), kind="stable")

    def loop() -> object:
        along = weights.along(CRITERIA).tolist()
        scores = [sum(w * u for w, u in zip(along, row, strict=True)) for row in scaled.utilities.tolist()]
        return sorted(range(len(scores)), key=lambda row: -scores[row])

    fast, slow = measure(again), measure(loop, runs=3)
    return [
        line(
            "rank 100,000 designs again",
            fast.seconds * 1000,
            "ms",
            n=len(columns),
            ratio_to={"a loop over designs": round(slow.seconds / fast.seconds, 1)},
            peak_memory_mib=round(fast.peak_memory_mib, 1),
        )
    ]


if __name__ == "__main__":
    report(__doc__ or "", [whole_space, hybrids, ranking_again, proof])
