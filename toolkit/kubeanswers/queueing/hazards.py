"""Designs of queues that will surprise their owners, found before they are applied.

Every hazard comes with a small example. Crashes, owners that block, reclaim, flavors listed first and loops are played
out by the engine: what does not happen is not reported. Missing flavors, held queues and idle weights are not: they
follow from the fields themselves (:data:`STATIC`). Loops are searched for, at random and within bounds (see ``loops``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kubeanswers.queueing.engine import Engine
from kubeanswers.queueing.fairness import SchedulerCrashError
from kubeanswers.queueing.loops import TRIES, find_loop
from kubeanswers.queueing.reasons import text
from kubeanswers.queueing.trials import Trial
from kubeanswers.queueing.values import NEVER, STRICT, ClusterQueue, Design, Limit, Settings
from kubeanswers.records import dataclass

RULES: Final = (
    "queue-eviction-loop",
    "queue-owner-blocks",
    "queue-reclaim-hits-own",
    "queue-weights-idle",
    "queue-borrows-first-flavor",
    "queue-flavor-missing",
    "queue-held-lends",
    "queue-crash",
)
"""What is looked for, by stable id."""


LOOP: Final = "queue-eviction-loop"
STATIC: Final = frozenset({"queue-flavor-missing", "queue-held-lends", "queue-weights-idle"})
"""What follows from the fields alone; the examples of the others are played out."""


@dataclass(frozen=True)
class Hazard:
    """One way in which a design surprises.

    Attributes:
        rule: stable id.
        queue: the cluster queue it is about.
        what: what happens.
        example: a small example, step by step.
        mend: what to change.
    """

    rule: str
    queue: str
    what: str
    example: tuple[str, ...]
    mend: str


@dataclass(frozen=True)
class _Quota:
    """A queue's quota of one resource in one flavor."""

    queue: ClusterQueue
    flavor: str
    resource: str
    limit: Limit

    @property
    def lends(self) -> bool:
        """Whether others may use any of it."""
        return bool(self.queue.cohort) and self.limit.nominal > 0 and self.limit.lending != 0

    @property
    def borrows(self) -> bool:
        """Whether the queue may use more than its own."""
        return bool(self.queue.cohort) and self.limit.borrowing != 0


def hazards(design: Design, settings: Settings, *, loops: bool = True) -> tuple[Hazard, ...]:
    """Return the hazards of a design, by rule and queue; ``loops`` whether to search for eviction loops as well."""
    found = [
        *_missing(design, settings),
        *_held(design),
        *_crashes(design, settings),
        *_owners(design, settings),
        *_reclaims(design, settings),
        *_weights(design, settings),
        *_first_flavors(design, settings),
        *(_loops(design, settings) if loops else ()),
    ]
    return tuple(sorted(found, key=lambda one: (RULES.index(one.rule), one.queue)))


def _quotas(queue: ClusterQueue) -> Iterator[_Quota]:
    for group in queue.groups:
        for quotas in group.flavors:
            for resource, limit in quotas.limits.items():
                yield _Quota(queue, quotas.flavor, resource, limit)


def _trees(design: Design) -> dict[str, list[ClusterQueue]]:
    """Return queues by the cohort at the top of their tree; those in none are left out."""
    parents = {cohort.name: cohort.parent for cohort in design.cohorts}
    trees: dict[str, list[ClusterQueue]] = {}
    for queue in design.cluster_queues:
        top = queue.cohort
        while parents.get(top):
            top = parents[top]
        if top:
            trees.setdefault(top, []).append(queue)
    return trees


def _pairs(design: Design) -> Iterator[tuple[_Quota, _Quota]]:
    """Yield, per queue that lends, one other queue of its tree that may borrow the same."""
    for queues in _trees(design).values():
        active = [queue for queue in queues if queue.stop == "None"]
        borrowers: dict[tuple[str, str], list[_Quota]] = {}
        for queue in active:
            for quota in _quotas(queue):
                if quota.borrows:
                    borrowers.setdefault((quota.flavor, quota.resource), []).append(quota)
        for queue in active:
            for quota in _quotas(queue):
                others = [one for one in borrowers.get((quota.flavor, quota.resource), ()) if one.queue is not queue]
                if quota.lends and others:
                    yield quota, others[0]
                    break


def _missing(design: Design, settings: Settings) -> Iterator[Hazard]:
    engine = Engine(design, settings)
    for name, pool in engine.pools.items():
        if pool.inactive is None or pool.inactive[0] == "Stopped":
            continue
        reason, about = pool.inactive
        kind = "flavor" if reason == "FlavorNotFound" else "topology"
        others = len(pool.definition.flavor_names) - 1
        yield Hazard(
            "queue-flavor-missing",
            name,
            f"{kind} {about} does not exist, which stops the whole queue ({reason}) with its {others} other flavors",
            (f"any workload arrives in {name}", "it is never looked at"),
            f"create {kind} {about}, or take it out of the queue",
        )


def _held(design: Design) -> Iterator[Hazard]:
    for queue in design.cluster_queues:
        lent = [quota for quota in _quotas(queue) if quota.lends]
        if queue.stop != "None" and lent:
            quota = lent[0]
            amount = text(quota.resource, quota.limit.nominal)
            back = "" if queue.preemption.reclaim != NEVER else ", and it may not reclaim any"
            yield Hazard(
                "queue-held-lends",
                queue.name,
                f"it is held (stopPolicy {queue.stop}), yet cohort {queue.cohort} goes on using its quota{back}",
                (
                    f"a queue of cohort {queue.cohort} borrows {amount} {quota.resource} of flavor {quota.flavor}",
                    f"{queue.name} is started again and finds its quota in use",
                ),
                "set lendingLimit 0 while it is held, or reclaimWithinCohort so that it gets its quota back",
            )


def _crashes(design: Design, settings: Settings) -> Iterator[Hazard]:
    if not settings.fair_sharing:
        return
    for queue in design.cluster_queues:
        if queue.cohort or queue.preemption.within_queue == NEVER or queue.stop != "None":
            continue
        for quota in _quotas(queue):
            trial = Trial(design, settings, quota.flavor, quota.resource)
            unit = trial.unit
            if quota.limit.nominal < 2 * unit:
                continue
            trial.arrive(queue.name, "big", quota.limit.nominal - unit, priority=10)
            trial.arrive(queue.name, "small", unit, priority=0)
            trial.run()
            trial.arrive(queue.name, "next", 2 * unit, priority=5)
            try:
                trial.run()
            except SchedulerCrashError:
                yield Hazard(
                    "queue-crash",
                    queue.name,
                    "with fair sharing, a queue in no cohort crashes the scheduler when preempting all it may is not "
                    f"enough (mended in Kueue 0.18; these are {settings.version[0]}.{settings.version[1]}'s rules)",
                    trial.story,
                    "put the queue into a cohort of its own, or set withinClusterQueue Never",
                )
            break


def _owners(design: Design, settings: Settings) -> Iterator[Hazard]:
    for owner, other in _pairs(design):
        if owner.queue.preemption.reclaim != NEVER:
            continue
        trial = Trial(design, settings, owner.flavor, owner.resource)
        unit, room = trial.unit, trial.free(other.queue.name)
        if room < 2 * unit or owner.limit.nominal < 2 * unit:
            continue
        trial.arrive(other.queue.name, "borrowing", room - unit)
        trial.run()
        trial.arrive(owner.queue.name, "own", owner.limit.nominal)
        trial.arrive(other.queue.name, "small", unit)
        trial.run()
        if trial.waits("own") and trial.waits("small") and trial.free(other.queue.name) >= unit:
            yield Hazard(
                "queue-owner-blocks",
                owner.queue.name,
                "a waiting workload keeps free quota of its cohort from everybody, as the queue may not reclaim its own"
                + (" and, being strict, asks again every round" if owner.queue.strategy == STRICT else ""),
                trial.story,
                "set reclaimWithinCohort (Any, or LowerPriority), or a lendingLimit",
            )


def _reclaims(design: Design, settings: Settings) -> Iterator[Hazard]:
    seen = set()
    for owner, other in _pairs(design):
        victim = other.queue
        if owner.queue.preemption.reclaim == NEVER or victim.preemption.within_queue != NEVER or victim.name in seen:
            continue
        trial = Trial(design, settings, owner.flavor, owner.resource)
        unit, own = trial.unit, other.limit.nominal
        lent = trial.free(victim.name) - own
        if own < unit or lent < unit:
            continue
        trial.arrive(victim.name, "inside", own, priority=0)
        trial.run()
        trial.arrive(victim.name, "borrowed", lent, priority=10)
        trial.run()
        trial.arrive(owner.queue.name, "owner", min(owner.limit.nominal, own, lent), priority=20)
        gone = {one.job.workload.name for step in trial.run().steps for one in step.preempted}
        if gone == {"inside"}:
            seen.add(victim.name)
            yield Hazard(
                "queue-reclaim-hits-own",
                victim.name,
                "when quota it borrows is reclaimed, its lowest priority has to leave, even what started inside its "
                "own quota; what borrows stays, although the queue itself never preempts (withinClusterQueue Never)",
                trial.story,
                "set withinClusterQueue LowerPriority, so that priorities mean the same inside, or a borrowingLimit 0",
            )


def _weights(design: Design, settings: Settings) -> Iterator[Hazard]:
    for queues in _trees(design).values():
        weights = {queue.weight for queue in queues}
        if len(weights) < 2:
            continue
        reclaiming = any(queue.preemption.reclaim != NEVER for queue in queues)
        if settings.fair_sharing and reclaiming:
            continue
        heavy = max(queues, key=lambda queue: queue.weight)
        light = min(queues, key=lambda queue: queue.weight)
        why = (
            "no queue of its cohort may reclaim, so weights only order the heads of one round"
            if settings.fair_sharing
            else "fair sharing is off, so weights are not looked at"
        )
        yield Hazard(
            "queue-weights-idle",
            heavy.name,
            f"its weight of {heavy.weight:g} beside {light.name}'s {light.weight:g} changes nothing while there is "
            f"room: {why}",
            (
                f"{heavy.name} and {light.name} send in a hundred small jobs each",
                "one of each starts per round until the cohort is full: half for each",
            ),
            "turn fair sharing on and set reclaimWithinCohort, or give the larger share as nominal quota",
        )


def _first_flavors(design: Design, settings: Settings) -> Iterator[Hazard]:
    for queue in design.cluster_queues:
        if queue.stop != "None" or not queue.cohort or queue.when_can_borrow == "TryNextFlavor":
            continue
        for group in queue.groups:
            resource = next((name for name in group.resources if name not in ("cpu", "memory")), group.resources[0])
            first, *later = group.flavors
            own = first.limits.get(resource, Limit()).nominal
            better = next((one for one in later if one.limits.get(resource, Limit()).nominal > own), None)
            if better is None:
                continue
            trial = Trial(design, settings, "", resource)
            trial.arrive(queue.name, "job", own + trial.unit)
            trial.run()
            if trial.flavor_of("job") == first.flavor:
                yield Hazard(
                    "queue-borrows-first-flavor",
                    queue.name,
                    f"it borrows flavor {first.flavor}, listed first, while its own quota of {better.flavor} is free",
                    trial.story,
                    "set flavorFungibility.whenCanBorrow TryNextFlavor, or list first the flavor it has most of",
                )
                break


def _loops(design: Design, settings: Settings) -> Iterator[Hazard]:
    for queues in _trees(design).values():
        if all(queue.preemption.within_queue == queue.preemption.reclaim == NEVER for queue in queues):
            continue
        part = replace(design, cluster_queues=tuple(queues))
        found = find_loop(part, settings)
        if found is not None:
            yield Hazard(
                LOOP,
                found.queue,
                f"can loop: an example of {found.jobs} jobs that evict each other for ever was found within "
                f"{TRIES} random sets of jobs; what is sent in decides whether it happens",
                found.story,
                "give the cohort's queues the same preemption policies, reclaim by priority (LowerPriority), or list "
                "one flavor per queue, and look again",
            )
