from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.criteria.operations.staffing import RollOut, erlang_c, priority_wait, staff, waves_for

TEAM: dict[str, Any] = {
    "hours_per_month": 130.0,
    "toil_share": 0.5,
    "on_call_share": 0.25,
    "job_hours": 2.0,
    "urgent_hours": 10.0,
}


@pytest.mark.parametrize(
    ("servers", "offered", "published", "digits"),
    [
        # textbook question: 120 customers an hour, 3 minutes each, 10 assistants; read off the Erlang C curve
        (10, 6, 0.10, 0.005),
        # closed form of M/M/1: the server is busy
        (1, 0.7, 0.7, 1e-12),
        # two servers: twice the square of the load over one plus the load
        (2, 1.0, 2 * 0.25 / 1.5, 1e-12),
        # three servers offered two Erlang: four in nine wait
        (3, 2, 4 / 9, 1e-12),
    ],
)
def test_erlang_c_equals_published_values(servers: int, offered: float, published: float, digits: float) -> None:
    assert erlang_c(servers, offered) == pytest.approx(published, abs=digits)


@given(st.integers(1, 40), st.floats(0, 0.99))
@settings(max_examples=60)
def test_the_chance_to_wait_is_a_probability_and_falls_with_more_servers(servers: int, load: float) -> None:
    chance = erlang_c(servers, load * servers)
    assert 0 <= chance <= 1
    assert erlang_c(servers + 1, load * servers) <= chance + 1e-12


def test_one_server_without_priorities_waits_as_the_textbook_says() -> None:
    # M/M/1: mean wait = load x service / (1 - load); all jobs are urgent
    assert priority_wait(1, 0.8, 0.8, 3.0) == pytest.approx(0.8 * 3 / 0.2)


@pytest.mark.parametrize(("servers", "offered"), [(0, 0.5), (2, 2), (2, -1)])
def test_impossible_queues_are_refused(servers: int, offered: float) -> None:
    with pytest.raises(ValueError, match="server"):
        erlang_c(servers, offered)


def test_urgent_work_alone_can_overload_a_team() -> None:
    assert math.isinf(priority_wait(2, 1.5, 1.1, 1.0))


@given(st.floats(1, 5_000), st.floats(0.5, 50))
@settings(max_examples=60)
def test_people_needed_cover_the_hours_and_the_rota(hours: float, engineers: float) -> None:
    found = staff(hours, engineers=engineers, **{**TEAM, "urgent_hours": hours / 10})
    assert found.people >= max(4, found.people_fte - 1e-6)
    assert found.people_fte * 130 * 0.5 == pytest.approx(hours)
    assert found.load == pytest.approx(found.people_fte / engineers)


def test_a_platform_without_on_call_needs_no_rota() -> None:
    found = staff(60, engineers=3, **{**TEAM, "on_call_share": None})
    assert (found.people, found.on_call_minimum) == (1, 0)


@given(st.floats(1, 400), st.floats(1, 400))
@settings(max_examples=60)
def test_more_toil_never_shortens_the_wait_for_a_patch(first: float, second: float) -> None:
    low, high = sorted((first, second))
    waits = [staff(h, engineers=2, **{**TEAM, "urgent_hours": h / 10}).wait_days for h in (low, high)]
    assert waits[0] <= waits[1] + 1e-9


def test_an_overloaded_team_takes_longer_to_patch() -> None:
    calm, busy = (RollOut(work_days=3, pause_days=2).latency(wait_days=0.1, load=load) for load in (0.5, 2.0))
    assert calm == pytest.approx(2 + 0.1 + 2 + 1)
    assert busy == pytest.approx(2 * 3 + 0.1 + 2)


def test_a_year_is_the_longest_time_to_patch() -> None:
    assert RollOut(work_days=2, pause_days=0).latency(wait_days=math.inf, load=1) == 365


@pytest.mark.parametrize(("clusters", "waves"), [(0, 1), (1, 1), (2, 2), (11, 2), (12, 3), (111, 3), (10_000, 5)])
def test_waves_grow_tenfold(clusters: int, waves: int) -> None:
    assert waves_for(clusters) == waves
