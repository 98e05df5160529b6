"""Demand over time: generated from a profile, added up by placement domain, and queued where capacity is capped.

A series is an array of demand per step (GPUs, cores, pods - one unit throughout). Capacity is bought for the peak of
each placement domain; the peak of a sum is at most the sum of the peaks, and how much lower is the multiplexing gain.
"""

from __future__ import annotations

import heapq
import math
from array import array
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass

Series = NDArray[np.float64]
ProfileKind = Literal["constant", "diurnal", "bursty", "campaigns"]
PROFILE_KINDS: Final[tuple[ProfileKind, ...]] = ("constant", "diurnal", "bursty", "campaigns")

_HOURS_PER_DAY: Final = 24.0


RUN_HOURS: Final[Mapping[ProfileKind, float]] = {"bursty": 3.0, "campaigns": 48.0}
"""Mean length of a burst of load and of a training campaign, hours: an *assumption*; ``run_hours`` replaces it."""
_PHASE_HOURS: Final = 2.0
"""Spread of the hour of a tenant's daily top around 14:00 (standard deviation, hours): an *assumption*."""


def activity(kind: ProfileKind, mean: float, *, hours: int, seed: int = 0, run_hours: float | None = None) -> Series:
    """Return the share of replicas active in each hour (0 to 1), with that long-run mean, equal for equal seeds.

    ``diurnal`` is a daily cosine of that mean, as deep as 0 to 1 allow, its top near 14:00. ``bursty`` and
    ``campaigns`` are all or nothing: on for an exponential time (:data:`RUN_HOURS` on average), off for as long as the
    mean demands. ``constant`` is the mean.

    Args:
        kind: shape over time.
        mean: mean share of replicas active, 0 to 1.
        hours: length of the series.
        seed: of the generator; give each tenant its own.
        run_hours: mean length of a burst or campaign, hours.

    Raises:
        InputError: the kind is unknown or the mean is outside 0 to 1.
    """
    if kind not in PROFILE_KINDS:
        raise InputError(Fault("demand.profile", f"{kind!r} is unknown", ", ".join(PROFILE_KINDS)))
    if not 0 <= mean <= 1:
        raise InputError(Fault("demand.mean", f"is {mean}", "0 to 1"))
    generator = np.random.default_rng(seed)
    if kind == "constant" or mean in (0, 1):
        return np.full(hours, float(mean))
    if kind == "diurnal":
        phase = 2 * np.pi * (np.arange(hours) - 14.0 - generator.normal(0.0, _PHASE_HOURS)) / _HOURS_PER_DAY
        return np.asarray(mean + min(mean, 1 - mean) * np.cos(phase), dtype=np.float64)
    run = RUN_HOURS[kind] if run_hours is None else run_hours
    return _on_off(mean, run, hours, generator)


def _on_off(mean: float, run: float, hours: int, generator: np.random.Generator) -> Series:
    """Return a two-state renewal process in its stationary state, as the share of each hour spent on."""
    rest = run * (1 - mean) / mean
    pairs = int(2 * hours / (run + rest)) + 16
    first_on = bool(generator.random() < mean)
    lengths = np.empty(2 * pairs)
    lengths[0::2] = generator.exponential(run if first_on else rest, pairs)
    lengths[1::2] = generator.exponential(rest if first_on else run, pairs)
    times = np.concatenate([[0.0], np.cumsum(lengths)])
    on = np.concatenate([[0.0], np.cumsum(lengths * (np.arange(2 * pairs) % 2 != first_on))])
    edges = np.arange(hours + 1, dtype=np.float64)
    return np.asarray(np.clip(np.diff(np.interp(edges, times, on)), 0.0, 1.0), dtype=np.float64)


def whole(series: Series, start: float = 0.5) -> Series:
    """Return whole numbers beside a series whose running total stays within one of its own: the mean is kept.

    Each is the series' value rounded down or up, so that a few replicas are not counted as more than they are.

    Args:
        series: the series.
        start: what the first step has in hand, 0 to 1 (within a half of the running total at 0.5). Tenants that are
            alike and start alike would all round up in the same hour, which no crowd does.
    """
    rounded = np.diff(np.floor(np.cumsum(series) + start), prepend=0.0)
    return np.asarray(np.clip(rounded, np.floor(series), np.ceil(series)), dtype=np.float64)


def expand_changes(changes: Iterable[tuple[int, float]], steps: int) -> Series:
    """Return a series from (step, value) changes, each holding until the next; 0 before the first."""
    series = np.zeros(steps)
    points = list(changes)
    ends = [step for step, _ in points[1:]] + [steps]
    for (step, value), end in zip(points, ends, strict=True):
        series[step:end] = value
    return series


def capacity(series: Iterable[Series], percentile: float = 100.0) -> float:
    """Return the least capacity that covers the sum of the series in that percentage of the steps; 100 is the peak.

    Raises:
        InputError: the percentage is not above 0 and at most 100.
    """
    if not 0 < percentile <= 100:
        raise InputError(Fault("percentile", f"is {percentile}", "above 0, up to 100", "100 is the peak"))
    total = sum(series, np.zeros(1))
    return float(np.percentile(total, percentile, method="inverted_cdf")) if np.size(total) else 0.0


def capacity_over_time(jobs: Iterable[Job] | Jobs, percentile: float, hours: float) -> float:
    """Return the least capacity that covers what jobs hold together for that percentage of the time; 100 is the peak.

    Args:
        jobs: what is held, from when and for how long.
        percentile: percentage of the time.
        hours: length of the time looked at, from 0.

    Raises:
        InputError: the percentage is not above 0 and at most 100.
    """
    if not 0 < percentile <= 100:
        raise InputError(Fault("percentile", f"is {percentile}", "above 0, up to 100", "100 is the peak"))
    found = Jobs.of(jobs)
    found = found.take(found.duration > 0)
    if not len(found.start):
        return 0.0
    ends = found.start + found.duration
    moments = np.concatenate([found.start, ends, [0.0, max(hours, float(ends.max()))]])
    change = np.concatenate([found.amount, -found.amount, [0.0, 0.0]])
    order = np.argsort(moments, kind="stable")
    levels, lengths = np.cumsum(change[order])[:-1], np.diff(moments[order])
    levels, lengths = levels[lengths > 0], lengths[lengths > 0]
    by_level = np.argsort(levels, kind="stable")
    covered = np.cumsum(lengths[by_level])
    wanted = covered[-1] * percentile / 100
    at = int(np.searchsorted(covered, wanted * (1 - _ROUNDING)))
    return float(levels[by_level][min(at, len(covered) - 1)])


_ROUNDING: Final = 1e-12
"""What sums of times may be off by, as a share."""


@dataclass(frozen=True)
class Job:
    """Something that asks for an amount at a time and holds it for a while.

    Attributes:
        start: when it asks, any unit of time.
        duration: how long it runs, same unit.
        amount: what it holds meanwhile.
    """

    start: float
    duration: float
    amount: float


@dataclass(frozen=True, eq=False)
class Jobs:
    """Jobs as columns: what a million of them are counted by.

    Attributes:
        start: when each asks, any unit of time.
        duration: how long each runs, same unit.
        amount: what each holds meanwhile.
    """

    start: Series
    duration: Series
    amount: Series

    @classmethod
    def of(cls, jobs: Iterable[Job] | Jobs) -> Jobs:
        """Return jobs as columns."""
        if isinstance(jobs, Jobs):
            return jobs
        table = np.array([(job.start, job.duration, job.amount) for job in jobs], dtype=np.float64).reshape(-1, 3)
        return cls(table[:, 0], table[:, 1], table[:, 2])

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Jobs:
        """Return some of them."""
        return Jobs(self.start[rows], self.duration[rows], self.amount[rows])


@dataclass(frozen=True)
class Waits:
    """Queueing delay of jobs under a cap, in the jobs' unit of time.

    Attributes:
        mean: over all jobs that could start.
        p50, p95, p99, longest: quantiles of the same.
        waiting: share of those jobs that waited at all.
        never: jobs larger than the cap.
    """

    mean: float
    p50: float
    p95: float
    p99: float
    longest: float
    waiting: float
    never: int


def queueing_delay(jobs: Iterable[Job] | Jobs, cap: float, *, backfill: bool = False) -> Waits:
    """Return how long jobs wait when at most ``cap`` is in use at a time.

    First come, first served: a job that does not fit holds up those behind it; with ``backfill`` whatever fits starts,
    in order of arrival (so large jobs may wait long).
    """
    every = Jobs.of(jobs)
    every = every.take(np.argsort(every.start, kind="stable"))
    start, duration, amount = every.start, every.duration, every.amount
    queue: deque[int] = deque()  # places, not objects: a queue may hold a million
    running: list[tuple[float, float]] = []
    free = float(cap)
    waits = array("d")
    never = 0

    def begin(now: float) -> None:
        nonlocal free
        blocked: deque[int] = deque()
        while queue and (free > 0 or not blocked):
            job = queue.popleft()
            asked = float(amount[job])
            if asked > free:
                blocked.append(job)
                if not backfill:
                    break
                continue
            free -= asked
            waits.append(now - float(start[job]))
            heapq.heappush(running, (now + float(duration[job]), asked))
        queue.extendleft(reversed(blocked))

    def release(until: float) -> None:
        nonlocal free
        while running and running[0][0] <= until:
            now = running[0][0]
            while running and running[0][0] == now:
                free += heapq.heappop(running)[1]
            begin(now)

    for job in range(len(start)):
        if amount[job] > cap:
            never += 1
            continue
        now = float(start[job])
        release(now)
        queue.append(job)
        begin(now)
    release(math.inf)
    return summary(waits, never)


def summary(waits: Sequence[float] | array[float] | Series, never: int) -> Waits:
    """Return the mean and the quantiles of waits."""
    if not len(waits):
        return Waits(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, never)
    values = np.asarray(waits)
    p50, p95, p99 = (float(v) for v in np.percentile(values, [50, 95, 99]))
    return Waits(float(values.mean()), p50, p95, p99, float(values.max()), float((values > 0).mean()), never)


def backlog(series: Series, cap: float) -> Series:
    """Return the demand carried over at the end of each step when at most ``cap`` is served per step (fluid queue).

    ``q[t] = max(0, q[t-1] + demand[t] - cap)``, Lindley's recursion; in demand x steps.
    """
    walk = np.concatenate([[0.0], np.cumsum(series - cap)])
    result: Series = (walk - np.minimum.accumulate(walk))[1:]
    return result


def concurrent(jobs: Iterable[Job] | Jobs, *, steps: int, step: float = 1.0) -> Series:
    """Return the greatest amount in use within each step, if every job starts when it asks."""
    found = Jobs.of(jobs)
    found = found.take(found.duration > 0)
    times = np.concatenate([found.start, found.start + found.duration])
    amounts = np.concatenate([found.amount, -found.amount])
    order = np.lexsort((amounts, times))  # at one moment, what ends makes room before what starts
    times = times[order]
    levels = np.concatenate([[0.0], np.cumsum(amounts[order]), [0.0]])
    edges = np.arange(steps + 1) * step
    first = np.searchsorted(times, edges[:-1], "right")
    behind = np.searchsorted(times, edges[1:], "left") + 1
    pairs = np.column_stack([first, np.maximum(behind, first + 1)]).ravel()
    top: Series = np.maximum.reduceat(levels, pairs)[::2] if steps else np.zeros(0)
    return np.maximum(top, 0.0)
