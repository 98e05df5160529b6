"""One round of the scheduler: the head of every queue is looked at, served in order, or put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubeanswers.queueing.assignment import FIT, NO_FIT, PREEMPT, Assigner, Assignment
from kubeanswers.queueing.fairness import FairPreemptor
from kubeanswers.queueing.partial import largest
from kubeanswers.queueing.pool import Pool
from kubeanswers.queueing.preemption import Need, Preemptor, Target
from kubeanswers.queueing.shapes import Job
from kubeanswers.queueing.tournament import ordered
from kubeanswers.queueing.tree import Node, Slots
from kubeanswers.queueing.values import ANY, STRICT, Granted, Settings
from kubeanswers.scheduling.values import holds


@dataclass
class Entry:
    """The head of a queue with what it would get.

    Attributes:
        skipped: whether it would have been served, but another was served first.
        preempting: whether others leave for it.
    """

    job: Job
    pool: Pool
    found: Assignment
    targets: Sequence[Target] = ()
    skipped: bool = False
    preempting: bool = False
    admitted: bool = False


@dataclass(frozen=True)
class Admitted:
    """A workload that got quota.

    Attributes:
        over: how far its queue is above its own quota after it, by slot.
    """

    job: Job
    queue: str
    granted: tuple[Granted, ...]
    over: Mapping[int, int]


@dataclass(frozen=True)
class Preempted:
    """A workload that has to leave, for whom and why."""

    job: Job
    queue: str
    by: str
    reason: str


@dataclass
class Round:
    """What one round did; ``looked_at`` counts the heads."""

    admitted: list[Admitted] = field(default_factory=list)
    preempted: list[Preempted] = field(default_factory=list)
    looked_at: int = 0
    moved: bool = False


class Scheduler:
    """Runs rounds over the queues of one design."""

    def __init__(
        self,
        pools: Mapping[str, Pool],
        slots: Slots,
        settings: Settings,
        namespaces: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.pools = pools
        self.slots = slots
        self._settings = settings
        self._namespaces = namespaces
        active: dict[Node, Pool] = {pool.node: pool for pool in pools.values() if pool.inactive is None}
        self._active = list(active.values())
        self._preemptor: Preemptor = (
            FairPreemptor(pools, active, slots, settings.strategies)
            if settings.fair_sharing
            else Preemptor(pools, active)
        )
        self._assigners = {
            pool.name: Assigner(
                pool, self._preemptor.simulate, fair=settings.fair_sharing, topology=settings.topology_aware
            )
            for pool in active.values()
        }
        self._preemptor.assigners = self._assigners

    @property
    def busy(self) -> bool:
        """Whether anybody waits to be looked at."""
        return any(pool.waiting for pool in self._active)

    def round(self, now: float) -> Round:
        """Look at every head once.

        Raises:
            SchedulerCrashError: the real scheduler would crash.
        """
        done = Round()
        heads = [(pool, job) for pool in self._active if (job := pool.waiting.pop()) is not None]
        done.looked_at = len(heads)
        entries: list[Entry] = []
        for pool, job in heads:
            if not self.welcome(pool, job):
                job.reasons = (("", "NamespaceMismatch"),)
                pool.waiting.parked[job.workload.key] = job
                done.moved = True
                continue
            entries.append(self._look_at(pool, job))
        self._serve(entries, now, done)
        for entry in entries:
            if not entry.admitted:
                done.moved = self._put_back(entry) or done.moved
        return done

    def welcome(self, pool: Pool, job: Job) -> bool:
        """Return whether a queue takes a job: it has not been drained, and its namespace is selected."""
        return not job.held and holds(pool.definition.namespaces, self._namespaces.get(job.workload.namespace, {}))

    def _look_at(self, pool: Pool, job: Job) -> Entry:
        if job.tried is not None and pool.generation > job.generation:
            job.tried = None
        assigner = self._assigners[pool.name]
        found = assigner.assign(job)
        targets: Sequence[Target] = ()
        if found.mode == PREEMPT:
            targets = self._targets(pool, job, found)
        if found.mode != FIT and not targets and job.shape.partial:
            smaller = largest(job.shape, lambda counts: self._try_smaller(pool, job, counts))
            if smaller is not None:
                found, targets = smaller
        entry = Entry(job, pool, found, targets)
        if self._settings.topology_aware and found.mode == PREEMPT and (job.shape.explicit or pool.topology_only):
            self._reserve_places(entry)
        job.reasons = found.reasons
        job.tried, job.generation = found.tried, found.generation
        return entry

    def _targets(self, pool: Pool, job: Job, found: Assignment) -> list[Target]:
        placing = found if self._settings.topology_aware else None
        return self._preemptor.targets(Need(job, pool, found.short, found.usage, placing))

    def _try_smaller(self, pool: Pool, job: Job, counts: list[int]) -> tuple[Assignment, Sequence[Target]] | None:
        found = self._assigners[pool.name].assign(job, counts)
        if found.mode == FIT:
            return found, ()
        if found.mode == PREEMPT:
            targets = self._targets(pool, job, found)
            if targets:
                return found, targets
        return None

    def _reserve_places(self, entry: Entry) -> None:
        """Place the pods where they would go once the others have left; with nobody to leave, in the empty topology."""
        assigner = self._assigners[entry.pool.name]
        for target in entry.targets:
            self._preemptor.take_out(target.job)
        placed, _ = assigner.place(entry.job, entry.found, empty=not entry.targets)
        for target in entry.targets:
            self._preemptor.bring_back(target.job)
        for name, domains in placed.items():
            entry.found.part(name).places = domains

    def _serve(self, entries: list[Entry], now: float, done: Round) -> None:
        """Serve the entries in order, each on what the ones before left."""
        leaving: dict[str, Job] = {}
        reserved: list[tuple[Entry, Mapping[int, int]]] = []
        for entry in ordered(entries, self.slots, fair=self._settings.fair_sharing):
            found, pool = entry.found, entry.pool
            if found.mode == NO_FIT:
                continue
            if found.mode == PREEMPT and not entry.targets:
                if pool.definition.preemption.reclaim != ANY:
                    kept = _to_reserve(entry)
                    self._count(entry, kept, 1)
                    reserved.append((entry, kept))
                continue
            if any(target.job.workload.key in leaving for target in entry.targets) or not self._still_fits(
                entry, leaving
            ):
                entry.skipped = True
                continue
            leaving.update((target.job.workload.key, target.job) for target in entry.targets)
            self._count(entry, found.usage, 1)
            if found.mode == PREEMPT:
                reserved.append((entry, found.usage))
                entry.preempting = True
                self._preempt(entry, done)
            else:
                self._admit(entry, now, done)
        for entry, amounts in reserved:
            self._count(entry, amounts, -1)

    def _count(self, entry: Entry, amounts: Mapping[int, int], sign: int) -> None:
        """Count usage of an entry for the rest of the round, or stop counting it."""
        node = entry.pool.node
        for slot, amount in amounts.items():
            if amount < 0:
                node.usage[slot] += sign * amount
            elif sign > 0:
                node.take(slot, amount)
            else:
                node.give(slot, amount)
        for flavor, leaf, requests, count in self._places(entry):
            entry.pool.places[flavor].change(leaf, requests, sign * count)

    def _places(self, entry: Entry) -> tuple[tuple[str, tuple[str, ...], dict[str, int], int], ...]:
        if not self._settings.topology_aware:
            return ()
        return tuple(
            (flavor, domain.values, dict(part.requests), domain.count)
            for part, assigned in zip(entry.job.shape.pod_sets, entry.found.parts, strict=False)
            if assigned.places
            for flavor in {choice.flavor for choice in assigned.choices.values()}
            for domain in assigned.places
        )

    def _still_fits(self, entry: Entry, leaving: Mapping[str, Job]) -> bool:
        """Return whether an entry fits after what this round did so far."""
        gone = [*leaving.values(), *(target.job for target in entry.targets)]
        for job in gone:
            self._preemptor.take_out(job)
        node = entry.pool.node
        fits = all(max(0, node.free(slot)) >= amount for slot, amount in entry.found.usage.items()) and all(
            entry.pool.places[flavor].fits(leaf, requests, count)
            for flavor, leaf, requests, count in self._places(entry)
        )
        for job in gone:
            self._preemptor.bring_back(job)
        return fits

    def _preempt(self, entry: Entry, done: Round) -> None:
        by = entry.job.workload.name
        for target in entry.targets:
            if not target.job.evicted:
                done.preempted.append(Preempted(target.job, target.job.queue, by, target.reason))

    def _admit(self, entry: Entry, now: float, done: Round) -> None:
        job, pool, found = entry.job, entry.pool, entry.found
        entry.admitted = True
        job.granted = tuple(
            Granted(
                part.name,
                part.count,
                {resource: choice.flavor for resource, choice in sorted(part.choices.items())},
                part.places or (),
            )
            for part in found.parts
        )
        job.holds = tuple(found.usage.items())
        job.slots = frozenset(choice.slot for part in found.parts for choice in part.choices.values())
        job.places = self._places(entry)
        job.since, job.evicted, job.tried, job.reasons = now, False, None, ()
        pool.waiting.drop(job.workload.key)
        pool.admit(job)
        node = pool.node
        over = {}
        if node.parent is not None:
            over = {slot: more for slot in found.usage if (more := node.usage[slot] - node.nominal[slot]) > 0}
        done.admitted.append(Admitted(job, pool.name, job.granted, over))

    def _put_back(self, entry: Entry) -> bool:
        """Put a head back into its queue, or aside until something changes; return whether aside."""
        job, waiting = entry.job, entry.pool.waiting
        strict = entry.pool.definition.strategy == STRICT
        if entry.preempting and not strict:
            waiting.sticky = job.workload.key
        if entry.preempting or entry.skipped:
            job.tried = None
            waiting.push(job)
            return False
        if strict or job.more_to_try:
            waiting.push(job)
            return False
        waiting.parked[job.workload.key] = job
        return True


def _to_reserve(entry: Entry) -> dict[int, int]:
    """Return what is kept for an entry that has to wait for others to leave by themselves."""
    node, found = entry.pool.node, entry.found
    kept: dict[int, int] = {}
    for slot, amount in found.usage.items():
        left = node.nominal[slot] - node.usage[slot]
        limit = node.limit[slot]
        if found.borrowing == 0:
            kept[slot] = max(0, min(amount, left))
        else:
            kept[slot] = amount if limit is None else min(amount, left + limit)
    return kept
