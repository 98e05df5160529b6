"""Helios Earth, 16 tenants in May 2020: who waits how long, and the fleet for a p95 wait of an hour, by quota design.

The public data beside the checkout (``shared/data/helios_earth_vc``) has no jobs, only GPUs by tenant and time. Jobs
are drawn so that, if nobody ever waits, every tenant uses exactly its recorded hourly demand (running and queued, the
hour's maximum). A tenant's jobs follow each other: where GPUs come free before the hour's demand is met, the next job
is submitted; where demand falls, the jobs with the least left to run end. Durations are lognormal with the median of
206 s and the mean of 6,652 s that the paper gives for GPU jobs (SC '21, from memory); sizes are an assumption. One
fixed seed. Since queued GPUs are a backlog and count as demand here, demand is an upper reading.
"""

from __future__ import annotations

import csv
import functools
import heapq
import math
import random
import sys
import time
from collections import defaultdict
from pathlib import Path

from harness import line, report
from kubeanswers.queueing.service import DESIGNS, Asked, simulate, smallest_fleet

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "helios_earth_vc"
SEED, HOUR = 20, 3600.0
MEDIAN, MEAN = 206.0, 6652.0
SPREAD = math.sqrt(2 * math.log(MEAN / MEDIAN))
SIZES, SHARES = (1, 2, 4, 8, 16, 32), (60, 10, 12, 13, 3, 2)
"""GPUs of a job and their weights: assumption (the paper says that most jobs take one GPU, 3.7 on average)."""


def demands() -> dict[str, list[int]]:
    """Return every tenant's GPUs by hour."""
    found: dict[str, list[int]] = defaultdict(list)
    with (FOLDER / "hourly.csv").open(encoding="utf-8") as file:
        for row in sorted(csv.DictReader(file), key=lambda row: row["hour"]):
            found[row["vc"]].append(int(row["max_demand"]))
    return dict(found)


def quotas() -> dict[str, int]:
    """Return every tenant's GPUs."""
    with (FOLDER / "vc_quota.csv").open(encoding="utf-8") as file:
        return {row["vc"]: int(row["quota_gpus"]) for row in csv.DictReader(file)}


def jobs_of(tenant: str, hourly: list[int], most: int, draw: random.Random) -> list[Asked]:
    """Return jobs that use exactly the GPUs asked for in every hour, none larger than ``most``."""
    found: list[Asked] = []
    running: list[tuple[float, int, float]] = []  # end, GPUs, submission
    active = 0

    def ended(at: float) -> None:
        nonlocal active
        _, gpus, submit = heapq.heappop(running)
        active -= gpus
        found.append(Asked(tenant, submit, at - submit, gpus))

    for hour, wanted in enumerate(hourly):
        now, close = hour * HOUR, (hour + 1) * HOUR
        while active > wanted:
            ended(now)
        while True:
            while active < wanted:
                size = draw.choices(SIZES, SHARES)[0]
                gpus = min(size, wanted - active, most)
                heapq.heappush(running, (now + max(1.0, draw.lognormvariate(math.log(MEDIAN), SPREAD)), gpus, now))
                active += gpus
            if not running or running[0][0] >= close:
                break
            now = running[0][0]
            ended(now)
    while running:
        ended(max(running[0][0], len(hourly) * HOUR))
    return [job for job in found if job.duration > 0]


def drawn() -> tuple[list[Asked], dict[str, int]]:
    """Return the month's jobs in order of submission, and the quotas."""
    draw, quota = random.Random(SEED), quotas()  # noqa: S311 - a reproducible trace, nothing secret
    found = [job for name, hourly in demands().items() for job in jobs_of(name, hourly, quota[name], draw)]
    return sorted(found, key=lambda job: (job.submit, job.queue)), quota


def differing_hours(jobs: list[Asked]) -> int:
    """Return in how many hours of how many tenants the jobs, never waiting, do not use what was recorded at its end."""
    wrong = 0
    for name, hourly in demands().items():
        used = [0] * (len(hourly) + 1)
        for job in jobs:
            if job.queue == name:
                for hour in range(math.ceil(job.submit / HOUR - 0.5), len(hourly)):
                    if (hour + 0.5) * HOUR >= job.submit + job.duration:
                        break
                    used[hour] += job.gpus if (hour + 0.5) * HOUR >= job.submit else 0
        wrong += sum(have != want for have, want in zip(used, hourly, strict=False))
    return wrong


@functools.cache
def drawn_once() -> tuple[list[Asked], dict[str, int]] | None:
    """Return the drawn jobs; none where the data is absent."""
    return drawn() if FOLDER.is_dir() else None


def trace() -> list[dict[str, object]]:
    """Return whether the drawn jobs add up to the record."""
    found = drawn_once()
    if found is None:
        print(f"skipped: {FOLDER} is absent", file=sys.stderr)
        return []
    return [
        line("hours in which the drawn jobs differ from the record", differing_hours(found[0]), "", n=len(found[0]))
    ]


def served(design: str) -> list[dict[str, object]]:
    """Return the time of a simulated month, and who waits how long."""
    given = drawn_once()
    if given is None:
        return []
    jobs, quota = given
    before = time.perf_counter(), time.process_time()
    found = simulate(jobs, quota, design)
    wall, cpu = time.perf_counter() - before[0], time.process_time() - before[1]
    return [
        line(
            f"{design}: a month simulated",
            cpu,
            "s CPU",
            n=len(jobs),
            seconds=round(wall, 2),
            gpus=found.gpus,
            utilisation=round(found.utilisation, 3),
            stranded=round(found.stranded, 1),
            preemptions=sum(one.preemptions for one in found.queues),
            lost_gpu_hours=round(sum(one.lost for one in found.queues) / HOUR),
            waits_p50_p95_minutes={
                one.queue: [round(one.wait(percent) / 60, 1) for percent in (50, 95)] for one in found.queues
            },
        )
    ]


def fleet(design: str) -> list[dict[str, object]]:
    """Return the smallest fleet found for a p95 wait of an hour."""
    given = drawn_once()
    if given is None:
        return []
    return [line(f"{design}: fleet at p95 of an hour", smallest_fleet(*given, design), "GPUs", n=len(given[1]))]


if __name__ == "__main__":
    each = [functools.partial(work, design) for design in DESIGNS for work in (served, fleet)]
    report(__doc__ or "", [trace, *each])
