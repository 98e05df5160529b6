"""Critical path and resource-constrained schedule of a task graph. Pure: plain values, no domain words, no I/O.

Conventions: time starts at 0 and is continuous; a job runs without interruption once started and holds ``demand``
units of one renewable resource while it runs; a job starts when every job in ``after`` has finished.

Critical path: forward and backward pass (Kelley and Walker 1959, doi:10.1145/1460299.1460318). Schedule: serial and
parallel schedule generation scheme with the latest-finish-time priority rule; the shorter of the two is kept
(Kolisch 1996, doi:10.1016/0377-2217(95)00357-6). Critical chain: the chain of jobs, linked by precedence or by the
resource, that fills the time from 0 to the end without a gap (Goldratt 1997).
"""

from __future__ import annotations

import bisect
import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

from kubeanswers.records import dataclass

TOLERANCE: Final = 1e-9
"""Two times or amounts closer than this (relative to the larger, or absolute below 1) are equal."""


@dataclass(frozen=True)
class Job:
    """Something that takes time.

    Attributes:
        id: unique id.
        duration: time it runs, zero or more.
        demand: units of the resource it holds, zero or more.
        after: ids of the jobs that must have finished before.
    """

    id: str
    duration: float
    demand: float = 1.0
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class CriticalPath:
    """Earliest and latest times of every job where the resource is unlimited.

    Attributes:
        early_start: earliest start by job id, in topological order.
        late_finish: latest finish by job id that does not delay the end.
        durations: duration by job id.
        length: time from the first start to the last finish.
        jobs: one longest path, first job first.
    """

    early_start: Mapping[str, float]
    late_finish: Mapping[str, float]
    durations: Mapping[str, float]
    length: float
    jobs: tuple[str, ...]

    @cached_property
    def late_start(self) -> Mapping[str, float]:
        """Latest start by job id."""
        return {job: finish - self.durations[job] for job, finish in self.late_finish.items()}

    @cached_property
    def slack(self) -> Mapping[str, float]:
        """Time each job can slip without delaying the end."""
        return {job: self.late_start[job] - start for job, start in self.early_start.items()}


@dataclass(frozen=True)
class Schedule:
    """When every job runs.

    Attributes:
        start: start by job id, in the order of starts.
        finish: finish by job id.
        makespan: time from 0 to the last finish.
        critical_chain: jobs that fill the time from 0 to the end without a gap, first job first.
        path: the critical path of the same jobs, a lower bound of the makespan.
    """

    start: Mapping[str, float]
    finish: Mapping[str, float]
    makespan: float
    critical_chain: tuple[str, ...]
    path: CriticalPath


def critical_path(jobs: Iterable[Job]) -> CriticalPath:
    """Return the earliest and latest times of the jobs under precedence alone.

    Raises:
        ValueError: two jobs share an id, a duration or demand is negative or not finite, a job waits for an unknown
            one, or jobs wait for each other (the cycle is printed).
    """
    known = _checked(jobs)
    order = _topological(known)
    start: dict[str, float] = {}
    finish: dict[str, float] = {}
    for job in order:
        start[job] = max((finish[before] for before in known[job].after), default=0.0)
        finish[job] = start[job] + known[job].duration
    length = max(finish.values(), default=0.0)
    late = dict.fromkeys(order, length)
    for job in reversed(order):
        begin = late[job] - known[job].duration
        for before in known[job].after:
            late[before] = min(late[before], begin)
    path = _longest(known, finish)
    return CriticalPath(start, {job: late[job] for job in order}, {j: known[j].duration for j in order}, length, path)


def schedule(jobs: Iterable[Job], capacity: float) -> Schedule:
    """Return a schedule that never holds more than ``capacity`` of the resource and never beats the critical path.

    Raises:
        ValueError: as :func:`critical_path`; or the capacity is not above zero, or a job demands more than there is.
    """
    known = _checked(jobs)
    if not (math.isfinite(capacity) and capacity > 0):
        raise ValueError(f"a capacity of {capacity} runs nothing; it must be above zero")
    for job in known.values():
        if not _at_most(job.demand, capacity):
            raise ValueError(f"job {job.id!r} demands {job.demand} units; the capacity is {capacity}")
    path = critical_path(known.values())
    starts = min((_parallel(known, capacity, path), _serial(known, capacity, path)), key=lambda s: _end(known, s))
    finish = {job: begin + known[job].duration for job, begin in starts.items()}
    ordered = dict(sorted(starts.items(), key=lambda item: (item[1], finish[item[0]], item[0])))
    chain = _chain(known, ordered, finish)
    return Schedule(ordered, {job: finish[job] for job in ordered}, _end(known, starts), chain, path)


def _checked(jobs: Iterable[Job]) -> dict[str, Job]:
    known: dict[str, Job] = {}
    for job in jobs:
        if job.id in known:
            raise ValueError(f"two jobs are called {job.id!r}")
        for name, amount in (("duration", job.duration), ("demand", job.demand)):
            if not (math.isfinite(amount) and amount >= 0):
                raise ValueError(f"job {job.id!r} has a {name} of {amount}; it must be zero or more")
        known[job.id] = job
    for job in known.values():
        for before in job.after:
            if before not in known:
                raise ValueError(f"job {job.id!r} waits for {before!r}, which is no job")
    return known


def _topological(known: Mapping[str, Job]) -> list[str]:
    """Return the jobs in an order in which each follows those it waits for; ties by order of input."""
    waiting = {job.id: len(set(job.after)) for job in known.values()}
    followers = _followers(known)
    ready = [job for job, count in waiting.items() if count == 0]
    order: list[str] = []
    for job in ready:
        order.append(job)
        for follower in followers[job]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                ready.append(follower)
    if len(order) < len(known):
        raise ValueError("jobs wait for each other: " + " -> ".join(_find_cycle(known, set(known) - set(order))))
    return order


def _followers(known: Mapping[str, Job]) -> dict[str, list[str]]:
    followers: dict[str, list[str]] = {job: [] for job in known}
    for job in known.values():
        for before in dict.fromkeys(job.after):
            followers[before].append(job.id)
    return followers


def _find_cycle(known: Mapping[str, Job], stuck: set[str]) -> list[str]:
    """Return one cycle among jobs that cannot be ordered; walking backwards from any of them must meet one."""
    trail: list[str] = []
    job = min(stuck)
    while job not in trail:
        trail.append(job)
        job = min(before for before in known[job].after if before in stuck)
    cycle = [*trail[trail.index(job) :], job]
    return cycle[::-1]


def _longest(known: Mapping[str, Job], finish: Mapping[str, float]) -> tuple[str, ...]:
    if not known:
        return ()
    job = max(finish, key=lambda identifier: finish[identifier])
    path = [job]
    while known[job].after:
        job = max(known[job].after, key=lambda before: finish[before])
        path.append(job)
    return tuple(reversed(path))


def _end(known: Mapping[str, Job], starts: Mapping[str, float]) -> float:
    return max((begin + known[job].duration for job, begin in starts.items()), default=0.0)


def _at_most(amount: float, limit: float) -> bool:
    return amount <= limit + TOLERANCE * max(1.0, abs(limit))


def _priority(path: CriticalPath) -> Callable[[str], tuple[float, float, str]]:
    """Latest finish first; then the longer job; then the id, so that the result does not depend on input order."""
    return lambda job: (path.late_finish[job], -path.durations[job], job)


def _parallel(known: Mapping[str, Job], capacity: float, path: CriticalPath) -> dict[str, float]:
    """Parallel scheme: at each time, start what is eligible and fits, in order of priority."""
    priority = _priority(path)
    followers = _followers(known)
    waiting = {job.id: len(set(job.after)) for job in known.values()}
    eligible = sorted((job for job, count in waiting.items() if count == 0), key=priority)
    running: list[tuple[float, str]] = []
    starts: dict[str, float] = {}
    free, now = capacity, 0.0
    while eligible or running:
        kept = []
        for job in eligible:
            if _at_most(known[job].demand, free):
                starts[job] = now
                free -= known[job].demand
                heapq.heappush(running, (now + known[job].duration, job))
            else:
                kept.append(job)
        eligible = kept
        now = running[0][0]
        while running and _at_most(running[0][0], now):
            now, done = heapq.heappop(running)
            free += known[done].demand
            for follower in followers[done]:
                waiting[follower] -= 1
                if waiting[follower] == 0:
                    bisect.insort(eligible, follower, key=priority)
        if not running:
            free = capacity
    return starts


def _serial(known: Mapping[str, Job], capacity: float, path: CriticalPath) -> dict[str, float]:
    """Serial scheme: job by job in order of priority, each at the earliest time it fits."""
    priority = _priority(path)
    followers = _followers(known)
    waiting = {job.id: len(set(job.after)) for job in known.values()}
    ready = [(priority(job), job) for job, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    times, held = [0.0], [0.0]
    starts: dict[str, float] = {}
    while ready:
        _, identifier = heapq.heappop(ready)
        job = known[identifier]
        earliest = max((starts[before] + known[before].duration for before in job.after), default=0.0)
        starts[identifier] = _place(times, held, job, earliest, capacity)
        for follower in followers[identifier]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(ready, (priority(follower), follower))
    return starts


def _place(times: list[float], held: list[float], job: Job, earliest: float, capacity: float) -> float:
    """Book the job at the earliest time from ``earliest`` on at which it fits throughout, and return that time."""
    begin = earliest
    position = bisect.bisect_right(times, begin) - 1
    index = position
    while index < len(times) and (times[index] < begin + job.duration or index == position):
        if not _at_most(held[index] + job.demand, capacity) and job.duration > 0:
            position = index = index + 1
            begin = times[index]
        else:
            index += 1
    _book(times, held, begin, begin + job.duration, job.demand)
    return begin


def _book(times: list[float], held: list[float], begin: float, end: float, demand: float) -> None:
    for moment in (begin, end):
        index = bisect.bisect_left(times, moment)
        if index == len(times) or times[index] != moment:
            times.insert(index, moment)
            held.insert(index, held[index - 1])
    for index in range(bisect.bisect_left(times, begin), bisect.bisect_left(times, end)):
        held[index] += demand


def _chain(known: Mapping[str, Job], starts: Mapping[str, float], finish: Mapping[str, float]) -> tuple[str, ...]:
    if not starts:
        return ()
    job = max(starts, key=lambda identifier: (finish[identifier], -starts[identifier]))
    chain = [job]
    while starts[job] > TOLERANCE:
        job = _blocker(known, job, starts, finish, chain)
        chain.append(job)
    return tuple(reversed(chain))


def _blocker(
    known: Mapping[str, Job],
    job: str,
    starts: Mapping[str, float],
    finish: Mapping[str, float],
    chain: Sequence[str],
) -> str:
    """Return a job whose finish is the reason for another's start: a prerequisite, else one that freed the resource."""
    moment = starts[job]
    scale = TOLERANCE * max(1.0, moment)
    ends = [other for other in finish if abs(finish[other] - moment) <= scale and other not in chain]
    prerequisites = set(known[job].after)
    return min(ends, key=lambda other: (other not in prerequisites, starts[other], other))
