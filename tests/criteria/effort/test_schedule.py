from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.criteria.effort.schedule import Job, critical_path, schedule
from tenancykit.distributions import ThreePoint, of_estimate, sum_independent
from tests.criteria.effort.designs import most_held

# https://wizedu.com/questions/717873 (a problem of Heizer and Render, Operations Management), times in days
PERT = {
    "A": ((5, 5, 7), ""),
    "B": ((1, 2, 5), ""),
    "C": ((5, 5, 5), "A"),
    "D": ((4, 8, 13), "A"),
    "E": ((1, 10, 17), "BC"),
    "F": ((1, 5, 7), "D"),
    "G": ((2, 6, 9), "D"),
    "H": ((4, 4, 6), "EF"),
    "I": ((2, 7, 10), "GH"),
    "J": ((2, 4, 7), "I"),
    "K": ((6, 10, 13), "I"),
    "L": ((2, 6, 6), "J"),
    "M": ((2, 2, 3), "K"),
    "N": ((7, 7, 12), "LM"),
}
PUBLISHED = {
    # activity: early start, early finish, late start, late finish, slack
    "A": (0.00, 5.33, 0.00, 5.33, 0.00),
    "B": (0.00, 2.33, 8.00, 10.33, 8.00),
    "C": (5.33, 10.33, 5.33, 10.33, 0.00),
    "D": (5.33, 13.50, 7.17, 15.33, 1.83),
    "E": (10.33, 20.00, 10.33, 20.00, 0.00),
    "F": (13.50, 18.17, 15.33, 20.00, 1.83),
}


def pert_jobs() -> list[Job]:
    return [Job(name, ThreePoint(*points).mean, 1, tuple(after)) for name, (points, after) in PERT.items()]


def test_times_of_a_published_pert_network_are_reproduced() -> None:
    path = critical_path(pert_jobs())
    for activity, (start, finish, late_start, late_finish, slack) in PUBLISHED.items():
        assert path.early_start[activity] == pytest.approx(start, abs=0.006)
        assert path.early_start[activity] + path.durations[activity] == pytest.approx(finish, abs=0.006)
        assert path.late_start[activity] == pytest.approx(late_start, abs=0.006)
        assert path.late_finish[activity] == pytest.approx(late_finish, abs=0.006)
        assert path.slack[activity] == pytest.approx(slack, abs=0.006)
    assert "".join(path.jobs) == "ACEHIKMN"
    assert path.length == pytest.approx(50.83, abs=0.005)


def test_a_second_published_network_has_its_printed_critical_path() -> None:
    # https://ja.scribd.com/presentation/396883604: expected times, critical path C-F-H-J, 17 weeks
    estimates = {
        "A": ((5, 6, 7), ""), "B": ((1, 3, 5), ""), "C": ((1, 4, 7), ""), "D": ((1, 2, 3), "A"), "E": ((1, 2, 9), "B"),
        "F": ((1, 5, 9), "C"), "G": ((2, 2, 8), "C"), "H": ((4, 4, 10), "EF"), "I": ((2, 5, 8), "D"),
        "J": ((2, 2, 8), "HG"),
    }  # fmt: skip
    path = critical_path(Job(n, ThreePoint(*p).mean, 1, tuple(a)) for n, (p, a) in estimates.items())
    assert path.jobs == ("C", "F", "H", "J")
    assert path.length == 17
    spread = sum_independent(of_estimate(ThreePoint(*estimates[n][0])) for n in path.jobs)
    assert spread.deviation**2 == pytest.approx(1.00 + 1.78 + 1.00 + 1.00, abs=0.005)


def test_a_published_cpm_example_with_slack_is_reproduced() -> None:
    # http://ece.nu/tag/project-scheduling/: critical path A-C-D, 27 days, slack of B and E is 2
    jobs = [Job("A", 12), Job("B", 10), Job("C", 10, 1, ("A", "B")), Job("D", 5, 1, ("C",)), Job("E", 3, 1, ("C",))]
    path = critical_path(jobs)
    assert path.jobs == ("A", "C", "D")
    assert path.length == 27
    assert path.slack == {"A": 0, "B": 2, "C": 0, "D": 0, "E": 2}


def test_a_project_of_a_textbook_has_its_published_length_and_critical_activities() -> None:
    # Vanhoucke, Integrated Project Management and Control (Springer 2014), p. 9, "Patient Transport System"; length and
    # critical activities as in https://rdrr.io/cran/criticalpath/src/tests/testthat/test-cpt-change_durations.R
    durations = (1, 1, 3, 2, 2, 2, 2, 1, 4, 5, 3, 3, 4, 5, 1, 5, 2)
    before = {
        2: (1,), 3: (2,), 4: (3,), 5: (4,), 6: (3,), 7: (6,), 8: (5, 7), 9: (8,), 10: (8,), 11: (8,), 12: (8,),
        13: (8,), 14: (9, 10, 11, 12, 13), 15: (13,), 16: (14, 15), 17: (14, 15),
    }  # fmt: skip
    jobs = [Job(str(n), d, 1, tuple(map(str, before.get(n, ())))) for n, d in enumerate(durations, start=1)]
    path = critical_path(jobs)
    assert path.length == 25
    assert {int(job) for job, slack in path.slack.items() if slack == 0} == {1, 2, 3, 4, 5, 6, 7, 8, 10, 14, 16}


@pytest.mark.parametrize(
    ("shorter", "before", "team", "by_list", "best"),
    [
        (0, {9: (1,), 5: (4,), 6: (4,), 7: (4,), 8: (4,)}, 3, 12, 12),
        (0, {9: (1,), 5: (4,), 6: (4,), 7: (4,), 8: (4,)}, 4, 15, 12),
        (1, {9: (1,), 5: (4,), 6: (4,), 7: (4,), 8: (4,)}, 3, 13, 10),
        (0, {9: (1,), 7: (4,), 8: (4,)}, 3, 16, 12),
    ],
)
def test_more_people_shorter_jobs_or_fewer_prerequisites_do_not_delay_grahams_project(
    shorter: int, before: dict[int, tuple[int, ...]], team: int, by_list: int, best: int
) -> None:
    # Graham 1969, Bounds on multiprocessing timing anomalies (doi:10.1137/0117039): served in the order of the list,
    # nine jobs take longer with a fourth processor, with shorter times, and with fewer prerequisites
    times = (3, 2, 2, 2, 4, 4, 4, 4, 9)
    jobs = [Job(str(n), time - shorter, 1, tuple(map(str, before.get(n, ())))) for n, time in enumerate(times, start=1)]
    assert schedule(jobs, team).makespan == best <= by_list


def test_jobs_of_unequal_demand_reach_the_published_optimum() -> None:
    # (duration, demand) under a capacity of 4, optimum 160: a test case of the OscaR solver, TestRCPSP (oscar.cp)
    jobs = ((50, 1), (30, 1), (90, 3), (10, 2), (20, 2), (80, 1), (30, 2), (20, 2), (20, 1), (10, 1), (10, 2))
    found = schedule([Job(f"j{n:02}", time, demand) for n, (time, demand) in enumerate(jobs)], 4)
    assert found.makespan == 160


@st.composite
def projects(draw: st.DrawFn, largest: int = 9, unit: bool = False) -> tuple[list[Job], float]:
    size = draw(st.integers(1, largest))
    capacity = draw(st.integers(1, 4))
    jobs = []
    for index in range(size):
        after = draw(st.sets(st.integers(0, index - 1), max_size=2)) if index else set()
        demand = 1 if unit else draw(st.integers(0, capacity))
        duration = draw(st.sampled_from([0.0, 0.3, 1.0, 1.7, 2.0, 5.0]))
        jobs.append(Job(f"j{index}", duration, demand, tuple(f"j{i}" for i in sorted(after))))
    return jobs, float(capacity)


@given(projects(largest=25))
@settings(max_examples=150, deadline=None)
def test_a_schedule_never_holds_more_than_the_team_and_never_beats_the_critical_path(
    project: tuple[list[Job], float],
) -> None:
    jobs, capacity = project
    found = schedule(jobs, capacity)
    assert most_held(jobs, found.start) <= capacity + 1e-6
    assert found.makespan >= found.path.length - 1e-9
    work = sum(job.duration * job.demand for job in jobs)
    assert found.makespan >= work / capacity - 1e-6
    for job in jobs:
        assert all(found.start[job.id] >= found.finish[before] - 1e-9 for before in job.after)


@given(projects(largest=25, unit=True))
@settings(max_examples=100, deadline=None)
def test_a_schedule_of_one_person_jobs_keeps_grahams_bound(project: tuple[list[Job], float]) -> None:
    # Graham 1966 (doi:10.1002/j.1538-7305.1966.tb01709.x): list schedules take at most W/m + (1 - 1/m) CP
    jobs, capacity = project
    work = sum(job.duration for job in jobs)
    found = schedule(jobs, capacity)
    assert found.makespan <= work / capacity + (1 - 1 / capacity) * found.path.length + 1e-6


@given(projects(largest=25))
@settings(max_examples=100, deadline=None)
def test_the_critical_chain_fills_the_time_without_a_gap(project: tuple[list[Job], float]) -> None:
    jobs, capacity = project
    found = schedule(jobs, capacity)
    chain = found.critical_chain
    assert found.start[chain[0]] == pytest.approx(0)
    assert found.finish[chain[-1]] == pytest.approx(found.makespan)
    for before, job in itertools.pairwise(chain):
        assert found.start[job] == pytest.approx(found.finish[before])


@given(projects(largest=12), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_in_which_jobs_are_given_changes_nothing(project: tuple[list[Job], float], random: object) -> None:
    jobs, capacity = project
    shuffled = list(jobs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = schedule(jobs, capacity), schedule(shuffled, capacity)
    assert first.makespan == pytest.approx(second.makespan)
    assert dict(first.start) == pytest.approx(dict(second.start))


def best_makespan(jobs: list[Job], capacity: float) -> float:
    """The optimum by trying every order of starts: some active schedule is optimal (Sprecher, Kolisch, Drexl 1995)."""
    best = math.inf
    known = {job.id: job for job in jobs}

    def extend(starts: dict[str, float]) -> None:
        nonlocal best
        if len(starts) == len(jobs):
            best = min(best, max(starts[j] + known[j].duration for j in starts))
            return
        for job in jobs:
            if job.id in starts or any(before not in starts for before in job.after):
                continue
            extend({**starts, job.id: earliest(job, starts)})

    def earliest(job: Job, starts: dict[str, float]) -> float:
        ready = max((starts[b] + known[b].duration for b in job.after), default=0.0)
        times = sorted(
            {ready, *(starts[o] + known[o].duration for o in starts if starts[o] + known[o].duration > ready)}
        )
        for time in times:
            changes = {time, *(s for s in starts.values() if time < s < time + job.duration)}
            if all(
                job.demand + sum(known[o].demand for o in starts if starts[o] <= t < starts[o] + known[o].duration)
                <= capacity + 1e-9
                for t in changes
            ):
                return time
        raise AssertionError("the last finish always fits")

    extend({})
    return best


@given(projects(largest=6))
@settings(max_examples=40, deadline=None)
def test_a_schedule_never_beats_the_optimum_and_stays_near_it(project: tuple[list[Job], float]) -> None:
    jobs, capacity = project
    best = best_makespan(jobs, capacity)
    found = schedule(jobs, capacity).makespan
    assert best - 1e-9 <= found <= 1.7 * best + 1e-9


def test_a_team_of_one_does_one_job_after_the_other() -> None:
    jobs = [Job("a", 2), Job("b", 3), Job("c", 4)]
    assert schedule(jobs, 1).makespan == 9
    assert schedule(jobs, 3).makespan == 4


def test_jobs_that_wait_for_each_other_are_refused_with_the_cycle() -> None:
    jobs = [Job("a", 1, 1, ("c",)), Job("b", 1, 1, ("a",)), Job("c", 1, 1, ("b",))]
    with pytest.raises(ValueError, match=r"a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c"):
        critical_path(jobs)


@pytest.mark.parametrize(
    ("jobs", "capacity", "told"),
    [
        ([Job("a", 1)], 0, "above zero"),
        ([Job("a", 1)], math.nan, "above zero"),
        ([Job("a", 1, 2)], 1, "demands 2"),
        ([Job("a", -1)], 1, "duration"),
        ([Job("a", 1), Job("a", 2)], 1, "two jobs"),
        ([Job("a", 1, 1, ("ghost",))], 1, "ghost"),
    ],
)
def test_impossible_projects_are_refused(jobs: list[Job], capacity: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        schedule(jobs, capacity)


def test_no_jobs_take_no_time() -> None:
    assert schedule([], 1).makespan == 0
