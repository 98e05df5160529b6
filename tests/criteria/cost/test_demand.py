"""Demand over time is reproducible, adds up by domain, and queues where capacity is capped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.criteria.cost.demand import (
    PROFILE_KINDS,
    Job,
    Profile,
    activity,
    backlog,
    capacity,
    concurrent,
    domain_capacity,
    expand_changes,
    generate,
    multiplexing_gain,
    peak_mix,
    queueing_delay,
)
from tenancykit.errors import InputError
from tenancykit.scenario.traces import read_helios_changes

PROFILES = {
    "constant": Profile("constant", base=4),
    "diurnal": Profile("diurnal", base=2, peak=20, noise=0.2, weekend=0.3),
    "bursty": Profile("bursty", base=1, peak=8, per_week=20, hours=4),
    "campaigns": Profile("campaigns", per_week=5, hours=20, size=8, limit=32),
}


@pytest.mark.parametrize("kind", PROFILE_KINDS)
def test_equal_seeds_give_equal_series_and_other_seeds_others(kind: str) -> None:
    profile = PROFILES[kind]
    one, same, other = (generate(profile, steps=1000, seed=seed) for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one >= 0).all()
    assert profile.limit is None or one.max() <= profile.limit
    assert kind == "constant" or (one != other).any()


def test_a_daily_wave_peaks_at_its_hour_and_rests_at_weekends() -> None:
    series = generate(Profile("diurnal", base=10, peak=110, peak_hour=14, weekend=0.5), steps=168)
    assert series[14] == 110
    assert series[2] == 10
    assert series[5 * 24 + 14] == 60


@pytest.mark.parametrize("kind", PROFILE_KINDS)
@pytest.mark.parametrize("mean", [0.1, 0.5, 0.9])
def test_activity_has_the_mean_asked_for_and_stays_between_none_and_all(kind: str, mean: float) -> None:
    series = np.array([activity(kind, mean, hours=24 * 60, seed=seed) for seed in range(40)])  # type: ignore[arg-type]
    assert series.mean() == pytest.approx(mean, abs=0.03)
    assert series.min() >= 0
    assert series.max() <= 1


def test_changes_hold_until_the_next() -> None:
    assert expand_changes([(0, 2), (3, 5)], 5).tolist() == [2, 2, 2, 5, 5]


@given(st.lists(st.lists(st.integers(0, 50), min_size=6, max_size=6), min_size=1, max_size=5))
@settings(max_examples=60)
def test_sharing_never_needs_more_than_the_tenants_apart(rows: list[list[int]]) -> None:
    demand = {str(i): np.array(row, dtype=float) for i, row in enumerate(rows)}
    assert multiplexing_gain(demand) >= 1 - 1e-12
    apart = domain_capacity(demand, {name: [name] for name in demand})
    together = domain_capacity(demand, {"all": list(demand)})
    assert together["all"] <= sum(apart.values())
    assert together["all"] == capacity(demand.values())
    mix = peak_mix(demand, dict.fromkeys(demand, 1.0))
    assert sum(mix.values()) == together["all"]


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
    assert multiplexing_gain(running) == pytest.approx(835 / 764)
    assert multiplexing_gain(demand) == pytest.approx(1526 / 933)
    assert multiplexing_gain(running, 99) == pytest.approx(1.107, abs=5e-4)
    assert multiplexing_gain(demand, 99) == pytest.approx(1.402, abs=5e-4)


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


def test_a_fluid_backlog_follows_lindley() -> None:
    assert backlog(np.array([5.0, 0, 9, 1, 0]), 3).tolist() == [2, 0, 6, 4, 1]


def test_concurrency_is_the_most_in_use_within_each_step() -> None:
    assert concurrent([Job(0, 1.5, 2), Job(1.5, 1, 3), Job(0.2, 0.2, 4)], steps=4).tolist() == [6, 3, 3, 0]


def test_bad_profiles_and_domains_are_named_with_what_is_allowed() -> None:
    with pytest.raises(InputError) as caught:
        generate(Profile("diurnal", base=5, peak=2, weekend=3, hours=0), steps=4, where="tenant a")
    for part in ("tenant a.peak", "tenant a.weekend", "tenant a.hours"):
        assert part in str(caught.value)
    with pytest.raises(InputError, match="constant, diurnal, bursty, campaigns"):
        activity("spiky", 0.5, hours=3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="tenant 'b' has no demand"):
        domain_capacity({"a": np.zeros(2)}, {"d": ["a", "b"]})
