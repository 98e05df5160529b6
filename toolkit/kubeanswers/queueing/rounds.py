"""One round of the scheduler: the head of every queue is looked at, served in order, or put back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from kubeanswers.queueing.assignment import FIT, NO_FIT, NOTHING, PREEMPT, Assigner, Assignment, Known
from kubeanswers.queueing.fairness import FairPreemptor
from kubeanswers.queueing.leaving import Need, Target
from kubeanswers.queueing.partial import largest
from kubeanswers.queueing.pool import Pool
from kubeanswers.queueing.preemption import Preemptor
from kubeanswers.queueing.shapes import Job
from kubeanswers.queueing.tournament import ordered, served_by
from kubeanswers.queueing.tree import Node, Slots
from kubeanswers.queueing.values import ANY, STRICT, Granted, Settings
from kubeanswers.records import dataclass
from kubeanswers.scheduling.values import holds


@dataclass(slots=True)
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
    found: Assignment
    over: Mapping[int, int]

    @property
    def granted(self) -> tuple[Granted, ...]:
        """What its pod sets got."""
        return self.found.granted


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
        self._places_version = 0
        self._namespaces = namespaces
        active: dict[Node, Pool] = {pool.node: pool for pool in pools.values() if pool.inactive is None}
        self._active = list(active.values())
        self._preemptor: Preemptor = (
            FairPreemptor(pools, active, slots, settings) if settings.fair_sharing else Preemptor(pools, active)
        )
        shared: dict[object, Known] = {}
        self._assigners = {
            pool.name: Assigner(
                pool,
                self._preemptor.simulate,
                shared.setdefault(pool.kind, Known()),
                fair=settings.fair_sharing,
                topology=settings.topology_aware,
            )
            for pool in active.values()
        }
        self._preemptor.assigners = self._assigners

    @property
    def busy(self) -> bool:
        """Whether anybody waits to be looked at."""
        return any(pool.waiting.live for pool in self._active)

    def round(self, now: float) -> Round:
        """Look at every head once.

        Raises:
            SchedulerCrashError: the real scheduler would crash.
        """
        done = Round()
        entries: list[Entry] = []
        hopeless: list[tuple[Pool, Job]] = []
        for pool in [pool for pool in self._active if pool.waiting.live]:
            job = pool.waiting.pop()
            done.looked_at += 1
            if not self.welcome(pool, job):
                job.found = None
                pool.waiting.parked[job.key] = job
                done.moved = True
                continue
            job.found = found = self._glance(pool, job) if job.tried is None else None
            if found is None:
                entries.append(self._look_at(pool, job))
            elif found is NOTHING:
                job.found = None
                hopeless.append((pool, job))
            else:
                job.generation = pool.generation
                entries.append(Entry(job, pool, found))
        last = self._last_served(entries)
        for pool, job in hopeless:
            if pool.root in last and (self._settings.fair_sharing or (0, -job.priority, job.created) < last[pool.root]):
                shadow = self._assigners[pool.name].shadow(job)
                entries.append(self._look_at(pool, job) if shadow is None else Entry(job, pool, shadow))
            else:
                done.moved = self._aside(pool, job) or done.moved
        self._serve([entry for entry in entries if entry.pool.root in last], now, done)
        for entry in entries:
            if not entry.admitted:
                done.moved = self._put_back(entry) or done.moved
        return done

    def _glance(self, pool: Pool, job: Job) -> Assignment | None:
        """Return what a job gets, ``NOTHING`` where it surely does not fit; ``None`` where that takes a search."""
        if self._settings.topology_aware:
            return None
        assigner = self._assigners[pool.name]
        found = assigner.fitting(job)
        if found is not None:
            return found
        freed = None if pool.passive else self._preemptor.freed
        foretold = pool.passive or freed is not None
        return NOTHING if foretold and assigner.hopeless(job, freed) else None

    @staticmethod
    def _last_served(entries: Iterable[Entry]) -> dict[Node, tuple[int, int, float]]:
        """Return, per tree in which somebody might be served, the place in the order of the last of them.

        Whoever does not fit and comes after it changes nothing for anybody.
        """
        last: dict[Node, tuple[int, int, float]] = {}
        for entry in entries:
            if entry.found.mode == FIT or entry.targets:
                place = served_by(entry)
                root = entry.pool.root
                last[root] = max(last.get(root, place), place)
        return last

    def welcome(self, pool: Pool, job: Job) -> bool:
        """Return whether a queue takes a job: it has not been drained, and its namespace is selected."""
        if job.held:
            return False
        selector = pool.definition.namespaces
        return selector == () or holds(selector, self._namespaces.get(job.workload.namespace, {}))

    def _look_at(self, pool: Pool, job: Job) -> Entry:
        """Return what the head of a queue would get; for jobs of the same kind that is worked out once."""
        if job.tried is not None and pool.generation > job.generation:
            job.tried = None
        version = self._places_version if self._settings.topology_aware else pool.root.version
        if pool.answered != version:
            pool.answers, pool.answered = {}, version
        kind: object = job.shape.number, job.tried
        if not pool.passive:
            kind = job.shape.number, job.tried, job.priority, job.created if pool.by_age else 0
        known = pool.answers.get(kind)
        if known is None:
            known = pool.answers[kind] = (*(answer := self._answer(pool, job)), answer[0].tried)
        found, targets, tried = known
        job.found = found
        job.tried, job.generation = tried, pool.generation
        return Entry(job, pool, found, targets)

    def changed(self, pool: Pool) -> None:
        """Note that usage has changed: what was found before may not hold."""
        pool.root.version += 1
        self._places_version += 1

    def explain(self, pool: Pool, job: Job) -> tuple[Assignment, Sequence[Target]]:
        """Return what a job would get, all flavors looked at, and who would have to leave for it."""
        tried, job.tried = job.tried, None
        found = self._answer(pool, job)
        job.tried = tried
        return found

    def _answer(self, pool: Pool, job: Job) -> tuple[Assignment, Sequence[Target]]:
        """Return what a job would get and who would have to leave for it."""
        found = self._assigners[pool.name].assign(job)
        targets: Sequence[Target] = ()
        if found.mode == PREEMPT:
            targets = self._targets(pool, job, found)
        if found.mode != FIT and not targets and job.shape.partial:
            smaller = largest(job.shape, lambda counts: self._try_smaller(pool, job, counts))
            if smaller is not None:
                found, targets = smaller
        if self._settings.topology_aware and found.mode == PREEMPT and (job.shape.explicit or pool.topology_only):
            self._reserve_places(pool, job, found, targets)
        return found, targets

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

    def _reserve_places(self, pool: Pool, job: Job, found: Assignment, targets: Sequence[Target]) -> None:
        """Place the pods where they would go once the others have left; with nobody to leave, in the empty topology."""
        for target in targets:
            self._preemptor.take_out(target.job)
        placed, _ = self._assigners[pool.name].place(job, found, empty=not targets)
        for target in targets:
            self._preemptor.bring_back(target.job)
        for name, domains in placed.items():
            found.part(name).places = domains

    def _serve(self, entries: list[Entry], now: float, done: Round) -> None:
        """Serve the entries in order, each on what the ones before left."""
        leaving: dict[str, Job] = {}
        leaving_from: dict[Node | None, list[Job]] = {}
        touched: set[Node] = set()
        reserved: list[tuple[Entry, Mapping[int, int]]] = []
        for entry in ordered(entries, self.slots, self._settings):
            found, pool = entry.found, entry.pool
            if found.mode == NO_FIT:
                continue
            if found.mode == PREEMPT and not entry.targets:
                if pool.definition.preemption.reclaim != ANY:
                    kept = _to_reserve(entry)
                    self._count(entry, kept, 1)
                    touched.add(pool.root)
                    reserved.append((entry, kept))
                continue
            if (entry.targets and any(target.job.key in leaving for target in entry.targets)) or (
                (pool.root in touched or self._settings.topology_aware)
                and not self._still_fits(entry, leaving_from.get(self._bears_on(pool), []))
            ):
                entry.skipped = True
                continue
            touched.add(pool.root)
            leaving.update((target.job.key, target.job) for target in entry.targets)
            leaving_from.setdefault(self._bears_on(pool), []).extend(target.job for target in entry.targets)
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
        if self._settings.topology_aware:
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

    def _bears_on(self, pool: Pool) -> Node | None:
        """Return the tree whose other jobs matter for a queue's; ``None`` where topologies tie all trees together."""
        return None if self._settings.topology_aware else pool.root

    def _still_fits(self, entry: Entry, leaving: Iterable[Job]) -> bool:
        """Return whether an entry fits after what this round did so far."""
        gone = [*leaving, *[target.job for target in entry.targets]]
        for job in gone:
            self._preemptor.take_out(job)
        node = entry.pool.node
        fits = True
        for slot, amount in entry.found.usage.items():
            if amount > max(0, node.free(slot)):
                fits = False
                break
        if fits and self._settings.topology_aware:
            fits = all(
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
        job.got = found
        job.holds = found.usage
        job.slots = found.slots
        job.places = self._places(entry)
        job.since, job.evicted, job.tried, job.found = now, False, None, None
        pool.waiting.drop(job.key)
        pool.admit(job)
        self.changed(pool)
        node = pool.node
        over = {}
        if node.parent is not None:
            over = {slot: more for slot in found.usage if (more := node.usage[slot] - node.nominal[slot]) > 0}
        done.admitted.append(Admitted(job, pool.name, found, over))

    def _put_back(self, entry: Entry) -> bool:
        """Put a head back into its queue, or aside until something changes; return whether aside."""
        job, pool = entry.job, entry.pool
        if not entry.preempting and not entry.skipped:
            return self._aside(pool, job)
        if entry.preempting and pool.definition.strategy != STRICT:
            pool.waiting.sticky = job.key
        job.tried = None
        pool.waiting.push(job)
        return False

    @staticmethod
    def _aside(pool: Pool, job: Job) -> bool:
        """Put a head aside; back into the queue if that is strict or flavors are left to try."""
        if pool.definition.strategy == STRICT or job.tried is not None:
            pool.waiting.push(job)
            return False
        pool.waiting.parked[job.key] = job
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
