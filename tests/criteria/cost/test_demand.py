"""Demand over time is reproducible, adds up by domain, and queues where capacity is capped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.errors import InputError
from tenancykit.criteria.cost.demand import (
    PROFILE_KINDS,
    Job,
    ProfileKind,
    activity,
    backlog,
    capacity,
    concurrent,
    expand_changes,
    queueing_delay,
    whole,
)
from tenancykit.scenario.traces import read_helios_changes


@pytest.mark.parametrize("kind", PROFILE_KINDS)
def test_equal_seeds_give_equal_series_and_other_seeds_others(kind: ProfileKind) -> None:
    one, same, other = (activity(kind, 0.4, hours=1000, seed=seed) for seed in (1, 1, 2))
    assert (one == same).all()
    assert kind == "constant" or (one != other).any()


def test_a_daily_wave_repeats_each_day_with_exactly_the_mean_asked_for() -> None:
    series = activity("diurnal", 0.3, hours=672, seed=5)
    assert series.mean() == pytest.approx(0.3, abs=1e-12)
    assert series.max() <= 0.6 + 1e-12
    assert np.allclose(series[:24], series[24:48])


@pytest.mark.parametrize("kind", PROFILE_KINDS)
@pytest.mark.parametrize("mean", [0.1, 0.5, 0.9])
def test_activity_has_the_mean_asked_for_and_stays_between_none_and_all(kind: ProfileKind, mean: float) -> None:
    series = np.array([activity(kind, mean, hours=24 * 60, seed=seed) for seed in range(40)])
    assert series.mean() == pytest.approx(mean, abs=0.03)
    assert series.min() >= 0
    assert series.max() <= 1


@given(st.lists(st.floats(0, 8, allow_subnormal=False), min_size=1, max_size=60))
@settings(max_examples=80)
def test_whole_replicas_keep_the_mean_and_stay_beside_what_they_stand_for(values: list[float]) -> None:
    series = np.array(values)
    found = whole(series)
    assert (found == np.rint(found)).all()
    assert ((np.floor(series) <= found) & (found <= np.ceil(series))).all()
    assert abs(found.sum() - series.sum()) <= 0.5 + 1e-9
    assert whole(np.rint(series)).tolist() == np.rint(series).tolist()


def test_changes_hold_until_the_next() -> None:
    assert expand_changes([(0, 2), (3, 5)], 5).tolist() == [2, 2, 2, 5, 5]


@given(st.lists(st.lists(st.integers(0, 50), min_size=6, max_size=6), min_size=1, max_size=5))
@settings(max_examples=60)
def test_sharing_never_needs_more_than_the_tenants_apart(rows: list[list[int]]) -> None:
    demand = [np.array(row, dtype=float) for row in rows]
    assert capacity(demand) <= sum(capacity([one]) for one in demand)
    assert gain({"0": demand[0]}) == 1


def gain(demand: dict[str, Any], percentile: float = 100.0) -> float:
    together = capacity(demand.values(), percentile)
    return sum(capacity([one], percentile) for one in demand.values()) / together if together else 1.0


def test_the_helios_tenants_gain_what_their_files_say(shared: Path) -> None:
    folder = shared / "data" / "helios_earth_vc"
    series: list[dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]] = []
    for name in ("running_gpus_changes.csv", "pending_gpus_changes.csv"):
        changes: dict[str, list[tuple[int, float]]] = {}
        for row in read_helios_changes(folder / name).rows:
            changes.setdefault(row.tenant, []).append((row.step, row.value))
        series.append({tenant: expand_changes(points, 44_640) for tenant, points in changes.items()})
    running, pending = series
    demand = {tenant: used + pending.get(tenant, 0.0) for tenant, used in running.items()}
    # figures of the data's own SOURCE.md
    assert gain(running) == pytest.approx(835 / 764)
    assert gain(demand) == pytest.approx(1526 / 933)
    assert gain(running, 99) == pytest.approx(1.107, abs=5e-4)
    assert gain(demand, 99) == pytest.approx(1.402, abs=5e-4)


def test_a_queue_is_first_come_first_served_unless_it_may_be_backfilled() -> None:
    jobs = [Job(0, 10, 6), Job(1, 10, 8), Job(2, 3, 2), Job(3, 1, 99)]
    strict = queueing_delay(jobs, 8)
    assert (strict.longest, strict.never) == (18, 1)  # the third waits behind the second: until 20
    assert strict.mean == pytest.approx((0 + 9 + 18) / 3)
    loose = queueing_delay(jobs, 8, backfill=True)
    assert loose.mean == pytest.approx((0 + 9 + 0) / 3)
    assert queueing_delay([], 8).mean == 0


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20), st.integers(1, 8)), min_size=1, max_size=15),
    st.booleans(),
)
@settings(max_examples=60)
def test_more_capacity_than_the_peak_means_no_waiting(rows: list[tuple[int, int, int]], backfill: bool) -> None:
    jobs = [Job(*row) for row in rows]
    peak = concurrent(jobs, steps=80).max()
    assert queueing_delay(jobs, peak, backfill=backfill).longest == 0


def test_a_simulated_queue_waits_as_long_as_erlang_says() -> None:
    """Eye clinic of Gross, Harris, Fundamentals of Queueing Theory: M/M/3, 6 an hour, 20 minutes each: 4/27 hours."""
    generator = np.random.default_rng(3)
    arrivals = np.cumsum(generator.exponential(1 / 6, 60_000))
    jobs = [Job(at, length, 1) for at, length in zip(arrivals, generator.exponential(1 / 3, 60_000), strict=True)]
    waits = queueing_delay(jobs, 3)
    assert waits.mean == pytest.approx(4 / 27, rel=0.05)
    assert waits.waiting == pytest.approx(4 / 9, rel=0.03)
    # given that one waits, the wait is exponential at rate 9 - 6: P(W > t) = 4/9 exp(-3 t)
    assert waits.p95 == pytest.approx(np.log((4 / 9) / 0.05) / 3, rel=0.05)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30))
@settings(max_examples=40)
def test_one_server_waits_as_lindley_computes_by_hand(gaps: list[tuple[int, int]]) -> None:
    now, wait, jobs, waits = 0, 0, [], []
    for gap, length in gaps:
        now += gap
        wait = max(0, wait - gap)
        waits.append(wait)
        jobs.append(Job(now, length, 1))
        wait += length
    found = queueing_delay(jobs, 1)
    assert found.mean == pytest.approx(float(np.mean(waits)))
    assert found.longest == max(waits)


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=30), st.floats(0.5, 100, exclude_min=True, allow_subnormal=False)
)
@settings(max_examples=60)
def test_a_percentile_of_capacity_is_the_least_that_covers_that_share_of_the_time(
    values: list[int], percentile: float
) -> None:
    series = np.array(values, dtype=float)
    enough = capacity([series], percentile)
    assert (series <= enough).mean() * 100 >= percentile - 1e-9
    assert enough in values
    assert (series < enough).mean() * 100 < percentile + 1e-9


@pytest.mark.parametrize("percentile", [0, -5, 100.1, float("nan")])
def test_a_percentile_out_of_range_is_named(percentile: float) -> None:
    with pytest.raises(InputError, match="percentile: is"):
        capacity([np.ones(3)], percentile)


def test_a_fluid_backlog_follows_lindley() -> None:
    assert backlog(np.array([5.0, 0, 9, 1, 0]), 3).tolist() == [2, 0, 6, 4, 1]


def test_concurrency_is_the_most_in_use_within_each_step() -> None:
    assert concurrent([Job(0, 1.5, 2), Job(1.5, 1, 3), Job(0.2, 0.2, 4)], steps=4).tolist() == [6, 3, 3, 0]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8), st.integers(1, 5)), max_size=12), st.integers(1, 4))
@settings(max_examples=80)
def test_concurrency_equals_a_count_at_every_moment(rows: list[tuple[int, int, int]], step: int) -> None:
    at = [sum(amount for start, length, amount in rows if start <= now < start + length) for now in range(32)]
    found = concurrent([Job(*row) for row in rows], steps=32 // step, step=step)
    assert found.tolist() == [max(at[i * step : (i + 1) * step]) for i in range(32 // step)]


def test_bad_profiles_are_named_with_what_is_allowed() -> None:
    with pytest.raises(InputError, match="constant, diurnal, bursty, campaigns"):
        activity("spiky", 0.5, hours=3)  # type: ignore[arg-type]
