"""Demand over time: generated from a profile, added up by placement domain, and queued where capacity is capped.

A series is an array of demand per step (GPUs, cores, pods - one unit throughout). Capacity is bought for the peak of
each placement domain; the peak of a sum is at most the sum of the peaks, and how much lower is the multiplexing gain.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tenancykit.errors import Fault, InputError

Series = NDArray[np.float64]
ProfileKind = Literal["constant", "diurnal", "bursty", "campaigns"]
PROFILE_KINDS: Final[tuple[ProfileKind, ...]] = ("constant", "diurnal", "bursty", "campaigns")

_HOURS_PER_DAY: Final = 24.0
_HOURS_PER_WEEK: Final = 168.0
_WEEKEND: Final = 5  # the first day of the weekend when a week starts on Monday


@dataclass(frozen=True)
class Profile:
    """How a tenant's demand runs over the week.

    Attributes:
        kind: ``constant``: always ``base``. ``diurnal``: a daily wave from ``base`` to ``peak``. ``bursty``: ``base``,
            and ``peak`` during bursts that come at random. ``campaigns``: training jobs of ``size`` that arrive at
            random on top of ``base``.
        base: lowest or usual demand.
        peak: top of the wave or of a burst.
        peak_hour: hour of the day of the wave's top, 0 to 24.
        weekend: factor on the wave at weekends, 0 to 1.
        noise: coefficient of variation of a lognormal factor on every step of the wave.
        per_week: bursts or campaigns a week, on average (Poisson).
        hours: mean length of a burst; median length of a campaign.
        spread: sigma of the lognormal length of a campaign.
        size: demand of one campaign.
        limit: most the tenant can ask for at a time (its quota); ``None`` for no limit.
    """

    kind: ProfileKind
    base: float = 0.0
    peak: float = 0.0
    peak_hour: float = 14.0
    weekend: float = 1.0
    noise: float = 0.0
    per_week: float = 0.0
    hours: float = 1.0
    spread: float = 1.0
    size: float = 1.0
    limit: float | None = None


def check_profile(profile: Profile, where: str) -> None:
    """Raise where a profile cannot be generated.

    Raises:
        InputError: with every fault found.
    """
    faults = []
    if profile.kind not in PROFILE_KINDS:
        faults.append(Fault(f"{where}.kind", f"{profile.kind!r} is unknown", ", ".join(PROFILE_KINDS)))
    for name in ("base", "peak", "noise", "per_week", "spread", "size"):
        value = getattr(profile, name)
        if not (math.isfinite(value) and value >= 0):
            faults.append(Fault(f"{where}.{name}", f"is {value}", "a finite number, zero or more"))
    if profile.kind in ("diurnal", "bursty") and profile.peak < profile.base:
        faults.append(Fault(f"{where}.peak", f"{profile.peak} is below base {profile.base}", "base or more"))
    if not profile.hours > 0:
        faults.append(Fault(f"{where}.hours", f"is {profile.hours}", "above zero"))
    if not 0 <= profile.weekend <= 1:
        faults.append(Fault(f"{where}.weekend", f"is {profile.weekend}", "0 to 1"))
    if profile.limit is not None and profile.limit < 0:
        faults.append(Fault(f"{where}.limit", f"is {profile.limit}", "zero or more"))
    if faults:
        raise InputError(faults)


def generate(profile: Profile, *, steps: int, step_hours: float = 1.0, seed: int = 0, where: str = "profile") -> Series:
    """Return demand per step from Monday 00:00, in whole units, equal for equal seeds.

    Raises:
        InputError: the profile is malformed.
    """
    check_profile(profile, where)
    generator = np.random.default_rng(seed)
    hours: Series = np.arange(steps, dtype=np.float64) * step_hours
    match profile.kind:
        case "constant":
            series = np.full(steps, profile.base)
        case "diurnal":
            series = _wave(profile, hours, generator)
        case "bursty":
            series = _bursts(profile, hours, generator)
        case _:
            series = _campaigns(profile, hours, step_hours, generator)
    limit = np.inf if profile.limit is None else profile.limit
    return np.asarray(np.minimum(np.rint(series), limit), dtype=np.float64)


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


def _wave(profile: Profile, hours: Series, generator: np.random.Generator) -> Series:
    phase = 2 * np.pi * (hours - profile.peak_hour) / _HOURS_PER_DAY
    lift = 0.5 + 0.5 * np.cos(phase)
    weekend = (hours % _HOURS_PER_WEEK) // _HOURS_PER_DAY >= _WEEKEND
    series = profile.base + (profile.peak - profile.base) * np.where(weekend, profile.weekend, 1.0) * lift
    if profile.noise:
        sigma = math.sqrt(math.log1p(profile.noise**2))
        series = series * generator.lognormal(-(sigma**2) / 2, sigma, len(hours))
    return np.asarray(series, dtype=np.float64)


def _bursts(profile: Profile, hours: Series, generator: np.random.Generator) -> Series:
    span = float(hours[-1]) if len(hours) else 0.0
    number = int(generator.poisson(profile.per_week * span / _HOURS_PER_WEEK))
    start = generator.uniform(0, span, number)
    end = start + generator.exponential(profile.hours, number)
    running = np.searchsorted(np.sort(start), hours, "right") - np.searchsorted(np.sort(end), hours, "right")
    return np.where(running > 0, profile.peak, profile.base)


def _campaigns(profile: Profile, hours: Series, step_hours: float, generator: np.random.Generator) -> Series:
    """Return base plus the jobs running; a warm-up of four median lengths lets earlier jobs run into the first step."""
    span = float(hours[-1]) + step_hours if len(hours) else 0.0
    warm = 4 * profile.hours
    number = int(generator.poisson(profile.per_week * (span + warm) / _HOURS_PER_WEEK))
    start = generator.uniform(-warm, span, number)
    end = start + profile.hours * generator.lognormal(0.0, profile.spread, number)
    running = np.searchsorted(np.sort(start), hours, "right") - np.searchsorted(np.sort(end), hours, "right")
    return np.asarray(profile.base + profile.size * running, dtype=np.float64)


def expand_changes(changes: Iterable[tuple[int, float]], steps: int) -> Series:
    """Return a series from (step, value) changes, each holding until the next; 0 before the first."""
    series = np.zeros(steps)
    points = list(changes)
    ends = [step for step, _ in points[1:]] + [steps]
    for (step, value), end in zip(points, ends, strict=True):
        series[step:end] = value
    return series


def capacity(series: Iterable[Series], percentile: float = 100.0) -> float:
    """Return the capacity that covers the sum of the series in that percentage of the steps; 100 is the peak."""
    total = sum(series, np.zeros(1))
    return float(np.percentile(total, percentile)) if np.size(total) else 0.0


def domain_capacity(
    demand: Mapping[str, Series], domains: Mapping[str, Sequence[str]], percentile: float = 100.0
) -> dict[str, float]:
    """Return the capacity of each placement domain, which is bought for its members' demand together.

    Raises:
        InputError: a domain names a tenant without demand.
    """
    faults = [
        Fault(f"domain {domain!r}", f"tenant {tenant!r} has no demand", ", ".join(sorted(demand)))
        for domain, tenants in domains.items()
        for tenant in tenants
        if tenant not in demand
    ]
    if faults:
        raise InputError(faults)
    return {domain: capacity((demand[t] for t in tenants), percentile) for domain, tenants in domains.items()}


def multiplexing_gain(demand: Mapping[str, Series], percentile: float = 100.0) -> float:
    """Return the sum of the tenants' own capacities over the capacity of their sum; 1 means sharing saves nothing.

    With percentile 100 it is never below 1.
    """
    together = capacity(demand.values(), percentile)
    apart = sum(capacity([series], percentile) for series in demand.values())
    return apart / together if together else 1.0


def peak_mix(demand: Mapping[str, Series], weights: Mapping[str, float], percentile: float = 100.0) -> dict[str, float]:
    """Return each series' value at the step where the weighted sum reaches its percentile: what to house together.

    Ties go to the earliest step. Weights are what one unit of a series takes (GPUs of a pod class, for example).
    """
    if not demand:
        return {}
    total = sum((weights[name] * series for name, series in demand.items()), np.zeros(1))
    order = np.argsort(total, kind="stable")
    value = total[order[min(len(order) - 1, math.ceil(percentile / 100 * len(order)) - 1)]]
    step = int(np.flatnonzero(total == value)[0])
    return {name: float(series[step]) for name, series in demand.items()}


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


def queueing_delay(jobs: Iterable[Job], cap: float, *, backfill: bool = False) -> Waits:
    """Return how long jobs wait when at most ``cap`` is in use at a time.

    First come, first served: a job that does not fit holds up those behind it; with ``backfill`` whatever fits starts,
    in order of arrival (so large jobs may wait long).
    """
    queue: deque[Job] = deque()
    running: list[tuple[float, float]] = []
    free = float(cap)
    waits: list[float] = []
    never = 0

    def begin(now: float) -> None:
        nonlocal free
        blocked: deque[Job] = deque()
        while queue and (free > 0 or not blocked):
            job = queue.popleft()
            if job.amount > free:
                blocked.append(job)
                if not backfill:
                    break
                continue
            free -= job.amount
            waits.append(now - job.start)
            heapq.heappush(running, (now + job.duration, job.amount))
        queue.extendleft(reversed(blocked))

    def release(until: float) -> None:
        nonlocal free
        while running and running[0][0] <= until:
            now = running[0][0]
            while running and running[0][0] == now:
                free += heapq.heappop(running)[1]
            begin(now)

    for job in sorted(jobs, key=lambda job: job.start):
        if job.amount > cap:
            never += 1
            continue
        release(job.start)
        queue.append(job)
        begin(job.start)
    release(math.inf)
    return _summary(waits, never)


def _summary(waits: list[float], never: int) -> Waits:
    if not waits:
        return Waits(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, never)
    values = np.array(waits)
    p50, p95, p99 = (float(v) for v in np.percentile(values, [50, 95, 99]))
    return Waits(float(values.mean()), p50, p95, p99, float(values.max()), float((values > 0).mean()), never)


def backlog(series: Series, cap: float) -> Series:
    """Return the demand carried over at the end of each step when at most ``cap`` is served per step (fluid queue).

    ``q[t] = max(0, q[t-1] + demand[t] - cap)``, Lindley's recursion; in demand x steps.
    """
    walk = np.concatenate([[0.0], np.cumsum(series - cap)])
    result: Series = (walk - np.minimum.accumulate(walk))[1:]
    return result


def concurrent(jobs: Iterable[Job], *, steps: int, step: float = 1.0) -> Series:
    """Return the greatest amount in use within each step, if every job starts when it asks."""
    changes: list[tuple[float, float]] = []
    for job in jobs:
        if job.duration > 0:
            changes += [(job.start, job.amount), (job.start + job.duration, -job.amount)]
    changes.sort()
    series = np.zeros(steps)
    level, position = 0.0, 0
    for i in range(steps):
        top = level
        while position < len(changes) and changes[position][0] < (i + 1) * step:
            level += changes[position][1]
            at_start = changes[position][0] <= i * step
            position += 1
            top = level if at_start else max(top, level)
        series[i] = max(top, 0.0)
    return series
