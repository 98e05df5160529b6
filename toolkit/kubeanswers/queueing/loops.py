"""Workloads that evict each other for ever: looked for with small random sets of jobs, and made as small as can be.

That a search finds nothing proves nothing; what it finds is real, for the engine plays it out.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kubeanswers.queueing.engine import Course, Engine
from kubeanswers.queueing.fairness import SchedulerCrashError
from kubeanswers.queueing.reasons import text
from kubeanswers.queueing.values import ClusterQueue, Design, PodSet, Settings, Workload
from kubeanswers.records import dataclass
from kubeanswers.scheduling.values import Toleration

TRIES: Final = 150
"""Random sets of jobs tried per cohort tree."""
MOST_QUEUES: Final = 60
"""Trees of more queues are sampled: so many of them send jobs in."""
ROUNDS: Final = 120
"""Rounds after which a dozen jobs count as going on for ever; a set that settles takes a few rounds per job."""
MOST_JOBS: Final = 5
"""Jobs a loop may take to count as a hazard of the design. Assumption: nearly every design that both preempts in its
queues and reclaims can be made to loop by some set of six or more jobs; what few do, happens."""
_PRIORITIES: Final = (-5, 0, 0, 5, 10)
_TWO_PARTS: Final = 0.25
UNITS: Final = {"cpu": 1000, "memory": 2**30, "ephemeral-storage": 2**30}
"""Amounts worth asking for, by resource; one of anything else."""
_EVERYTHING: Final = (Toleration(operator="Exists"),)


@dataclass(frozen=True)
class Loop:
    """Jobs that never come to rest, and what they do; ``queue`` is one that is preempted."""

    queue: str
    story: tuple[str, ...]
    jobs: int


def find_loop(design: Design, settings: Settings, tries: int = TRIES) -> Loop | None:
    """Return jobs under which a cohort tree never comes to rest; ``None`` if none were found."""
    draw = random.Random(16)  # noqa: S311 - a fixed draw, so that two runs say the same
    plain = replace(
        design,
        cluster_queues=tuple(replace(queue, namespaces=()) for queue in design.cluster_queues),
        local_queues={f"trial/{queue.name}": queue.name for queue in design.cluster_queues},
        flavors=tuple(replace(one, topology="") for one in design.flavors),
    )
    settings = replace(settings, topology_aware=False)
    queues = list(plain.cluster_queues)
    if len(queues) > MOST_QUEUES:
        queues = draw.sample(queues, MOST_QUEUES)
    for _ in range(tries):
        waves = _waves(queues, draw)
        if not _settles(plain, settings, waves):
            waves = _shrunk(plain, settings, waves)
            if sum(map(len, waves)) <= MOST_JOBS:
                return _told(plain, settings, waves)
    return None


Waves = list[list[Workload]]


def _waves(queues: Sequence[ClusterQueue], draw: random.Random) -> Waves:
    """Return a few waves of jobs whose sizes are parts of the quotas, enough of them to fill the cohort."""
    some = draw.sample(list(queues), min(len(queues), draw.randint(2, 6)))
    sizes = [draw.randint(1, 4) for _ in range(draw.randint(2, 8))]
    numbers = iter(range(1, sum(sizes) + 1))
    return [[_job(draw.choice(some), next(numbers), draw) for _ in range(size)] for size in sizes]


def _job(queue: ClusterQueue, number: int, draw: random.Random) -> Workload:
    names = ("main", "workers") if draw.random() < _TWO_PARTS else ("main",)
    parts = tuple(_part(queue, name, len(names), draw) for name in names)
    created = draw.randint(1, 100) * 100 + number
    return Workload(f"job-{number:02}", queue.name, parts, draw.choice(_PRIORITIES), created, "trial")


def _part(queue: ClusterQueue, name: str, parts: int, draw: random.Random) -> PodSet:
    """Return a pod set; all of a job's together ask for no more than the queue's own quota in some flavor."""
    requests: dict[str, int] = {}
    for group in queue.groups:
        for resource in group.resources:
            limits = [quotas.limits[resource].nominal for quotas in group.flavors if resource in quotas.limits]
            most = max(limits, default=0) or draw.choice(limits or [0]) or 4 * UNITS.get(resource, 1)
            if draw.random() < (0.5 if resource in ("cpu", "memory") else 1.0):
                requests[resource] = max(1, most * draw.choice((1, 2, 4, 6, 8)) // (8 * parts))
    return PodSet(name, 1, requests, tolerations=_EVERYTHING)


def _play(design: Design, settings: Settings, waves: Waves) -> tuple[Engine, list[Course]]:
    engine = Engine(design, settings)
    courses = []
    for wave in waves:
        engine.arrive(wave)
        courses.append(engine.run(ROUNDS))
        if not courses[-1].settled:
            break
    return engine, courses


def _settles(design: Design, settings: Settings, waves: Waves) -> bool:
    try:
        _, courses = _play(design, settings, waves)
    except SchedulerCrashError:
        return True
    return all(course.settled for course in courses)


def _shrunk(design: Design, settings: Settings, waves: Waves) -> Waves:
    """Return the waves without the jobs the loop does not need."""
    for job in [job for wave in waves for job in wave]:
        fewer = [kept for wave in waves if (kept := [one for one in wave if one is not job])]
        if not _settles(design, settings, fewer):
            waves = fewer
    return waves


def _told(design: Design, settings: Settings, waves: Waves) -> Loop:
    _, courses = _play(design, settings, waves)
    story = []
    for wave in waves:
        for job in wave:
            wants = " and ".join(
                ", ".join(f"{text(name, amount)} {name}" for name, amount in part.requests.items())
                for part in job.pod_sets
            )
            story.append(f"{job.name} of priority {job.priority} asks {job.local_queue} for {wants}")
    last = courses[-1].steps[-6:]
    victim = ""
    for step in last:
        story += [f"round {step.cycle}: {one.job.workload.name} starts" for one in step.admitted]
        for gone in step.preempted:
            victim = gone.queue
            story.append(f"round {step.cycle}: {gone.job.workload.name} has to leave for {gone.by} ({gone.reason})")
    return Loop(victim, (*story, "and so on"), sum(map(len, waves)))
