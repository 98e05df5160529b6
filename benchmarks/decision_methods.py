"""How fast the decision room ranks, simulates and finds fronts at the sizes the studio and the sweep need."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from harness import line, measure, report
from tenancykit.decision import (
    Criterion,
    DecisionTable,
    Part,
    Scaled,
    Weights,
    combine_fronts,
    free_weights,
    pareto_front,
    scale,
    smaa,
    weighted_sum,
)
from tenancykit.decision.combining import Combination

DESIGNS = 100_000
SMAA_SAMPLES, SMAA_DESIGNS = 100_000, 50
LOOP_SAMPLES = 300
LOOP_DESIGNS = 2_000


def random_table(designs: int, seed: int = 0) -> DecisionTable:
    """Return designs with four criteria, intervals of a tenth either way."""
    rng = np.random.default_rng(seed)
    values = rng.random((designs, 4))
    criteria = [Criterion("isolation"), *(Criterion(name, "lower") for name in ("effort", "operations", "cost"))]
    labels = [f"design {number:06}" for number in range(designs)]
    return DecisionTable.of(labels, criteria, values, values - 0.1, values + 0.1)


def fixed_scale(table: DecisionTable) -> Scaled:
    """Return the table on fixed bounds that hold every interval."""
    return scale(table, dict.fromkeys(table.names, (-0.2, 1.2)))


def reranking() -> list[dict[str, object]]:
    """Changed weights over 100,000 designs, against the same in pandas."""
    scaled = fixed_scale(random_table(DESIGNS))
    weights = Weights(scaled.table.names, np.array([0.4, 0.3, 0.2, 0.1]))
    assert weighted_sum(scaled, weights).ranks.min() == 1
    ours = measure(lambda: weighted_sum(scaled, weights), 15)
    frame = pd.DataFrame(scaled.utilities, columns=list(scaled.table.names), index=list(scaled.table.labels))
    factors = weights.values  # noqa: PD011 - ours, not a DataFrame's
    theirs = measure(lambda: (frame * factors).sum(axis=1).rank(ascending=False, method="min").sort_values(), 5)
    return [
        line(
            "re-rank 100,000 designs on changed weights",
            ours.seconds * 1000,
            "ms",
            n=DESIGNS,
            ratio_to={"pandas rank and sort_values": round(ours.seconds / theirs.seconds, 4)},
            peak_memory_mib=round(ours.peak_memory_mib, 2),
            target="< 20 ms",
        )
    ]


def simulation() -> list[dict[str, object]]:
    """SMAA-2 with triangular values and free weights, against a plain loop over samples in pandas."""
    scaled = fixed_scale(random_table(SMAA_DESIGNS, seed=1))
    free = free_weights(scaled.table.names)
    ours = measure(lambda: smaa(scaled, free, samples=SMAA_SAMPLES), 5)
    acceptability, loop = pandas_loop(scaled, LOOP_SAMPLES)
    # Both estimate the same shares; a wrong competitor would make the ratio worthless.
    assert abs(acceptability - smaa(scaled, free, samples=SMAA_SAMPLES).rank_acceptability).max() < 0.15
    scaled_up = loop / LOOP_SAMPLES * SMAA_SAMPLES
    return [
        line(
            "SMAA-2, 100,000 samples x 50 designs",
            ours.seconds,
            "s",
            n=SMAA_SAMPLES,
            ratio_to={"plain pandas loop": round(ours.seconds / scaled_up, 6)},
            peak_memory_mib=round(ours.peak_memory_mib, 1),
            target="< 1 s",
            baseline=f"loop measured on {LOOP_SAMPLES} samples ({loop:.3f} s) and scaled up linearly",
        )
    ]


def pandas_loop(scaled: Scaled, samples: int) -> tuple[np.ndarray, float]:
    """Return ([designs x ranks] acceptability, seconds) of the plain way to do it."""
    table, rng = scaled.table, np.random.default_rng(0)
    counts = np.zeros((len(table), len(table)))
    start = time.perf_counter()
    for _ in range(samples):
        weights = rng.dirichlet(np.ones(len(table.names)))
        drawn = rng.triangular(table.low, table.values, table.high)
        frame = pd.DataFrame(scaled.to_utility(drawn), columns=list(table.names), index=list(table.labels))
        ranks = (frame * weights).sum(axis=1).rank(ascending=False, method="first").astype(int)
        counts[np.arange(len(table)), ranks.to_numpy() - 1] += 1
    return counts / samples, time.perf_counter() - start


def fronts() -> list[dict[str, object]]:
    """Exact fronts: independent criteria, and the worst case in which nothing is dominated."""
    rng = np.random.default_rng(0)
    independent = rng.random((DESIGNS, 4))
    shares = rng.exponential(size=(DESIGNS, 4))
    shares /= shares.sum(axis=1, keepdims=True)
    million = rng.random((1_000_000, 6))
    quadratic = seconds_of_loop(independent[:LOOP_DESIGNS])
    results = []
    for name, values, runs in (
        ("Pareto front of 100,000 x 4, independent", independent, 9),
        ("Pareto front of 100,000 x 4, nothing dominated", shares, 5),
        ("Pareto front of 1,000,000 x 6, independent", million, 3),
    ):
        ours = measure(lambda values=values: pareto_front(values), runs)  # type: ignore[misc]
        small = measure(lambda values=values: pareto_front(values[:LOOP_DESIGNS]), 5)  # type: ignore[misc]
        ratio = {} if values is not independent else {f"all pairs, {LOOP_DESIGNS} rows": small.seconds / quadratic}
        results.append(
            line(
                name,
                ours.seconds,
                "s",
                n=len(values),
                ratio_to={key: round(value, 4) for key, value in ratio.items()},
                peak_memory_mib=round(ours.peak_memory_mib, 1),
                members=len(pareto_front(values)),
            )
        )
    return results


def seconds_of_loop(values: np.ndarray) -> float:
    """Return the time of comparing every row with all others, after checking that it finds the same front."""
    start = time.perf_counter()
    kept = [row for row, own in enumerate(values) if not ((values >= own).all(1) & (values > own).any(1)).any()]
    seconds = time.perf_counter() - start
    assert kept == pareto_front(values).members.tolist()
    return seconds


def products() -> list[dict[str, object]]:
    """The front over pairs of 40,000 designs per class: 1.6 thousand million combinations, with and without sharing."""
    rng = np.random.default_rng(2)
    parts = [Part(rng.random((40_000, 4)), rng.integers(0, 64, 40_000)) for _ in range(2)]
    saved = rng.random((64, 64, 4)) * 0.2
    how: tuple[Combination, ...] = ("min", "sum", "sum", "sum")

    def shared(groups: tuple[int, ...]) -> np.ndarray:
        return np.asarray(saved[groups[0], groups[1]])

    results = []
    for name, correction in (("nothing shared", None), ("64 x 64 kinds of sharing", shared)):
        ours = measure(lambda correction=correction: combine_fronts(parts, how, correction), 3)  # type: ignore[misc]
        found = combine_fronts(parts, how, correction)
        results.append(
            line(
                f"front over all pairs of two classes, {name}",
                ours.seconds,
                "s",
                n=found.considered,
                peak_memory_mib=round(ours.peak_memory_mib, 1),
                members=len(found.values),
                target="< 30 s",
            )
        )
    return results


if __name__ == "__main__":
    report(__doc__ or "", [reranking, simulation, fronts, products])
