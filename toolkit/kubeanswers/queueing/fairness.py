"""Fair sharing: how large a share everybody has, and who has to leave for whom.

A share is what somebody uses above its own quota, of the resource where that weighs most, in thousandths of what the
cohort can lend, divided by its weight.

Source: https://kueue.sigs.k8s.io/docs/concepts/fair_sharing/ and KEP 1714.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from kubeanswers.queueing.leaving import FAIR, IN_QUEUE, RECLAIM, Need, Target
from kubeanswers.queueing.pool import Pool
from kubeanswers.queueing.preemption import Preemptor, preemptable
from kubeanswers.queueing.shapes import Job
from kubeanswers.queueing.tree import Node, Slots
from kubeanswers.queueing.values import INITIAL_SHARE, NEVER, Settings, Version

Share = tuple[bool, float]
"""Whether somebody of weight zero borrows, and the share; the lower is served first, the higher preempted first."""

NONE: Final[Share] = (False, 0.0)
_BELOW: Final[Share] = (False, -1.0)


ENTITLED: Final[Version] = (0, 15)
"""Since then (0.15.6, 0.16.3) a queue within its own quota preempts whatever the shares."""
CRASH_MENDED: Final[Version] = (0, 18)


class SchedulerCrashError(Exception):
    """The real scheduler would crash here; ``queue`` names where."""

    def __init__(self, queue: str) -> None:
        super().__init__(queue)
        self.queue = queue


def share(node: Node, slots: Slots, without: Mapping[int, int] = MappingProxyType({})) -> Share:
    """Return a node's share in its cohort, as if some of its usage, by slot, were not there."""
    parent = node.parent
    if parent is None:
        return NONE
    borrowed: dict[str, int] = {}
    usage, quota, resources = node.usage, node.quota, slots.resources
    for slot in node.slots:
        over = usage[slot] - quota[slot]
        if over > 0 and without:
            over -= without.get(slot, 0)
        if over > 0:
            resource = resources[slot]
            borrowed[resource] = borrowed.get(resource, 0) + over
    if not borrowed:
        return NONE
    most = 0.0
    for resource, amount in borrowed.items():
        lendable = parent.lendable.get(resource, 0)
        if lendable > 0:
            most = max(most, amount * 1000.0 / lendable)
    if most == 0:
        return NONE
    return (True, most) if node.weight == 0 else (False, most / node.weight)


def shown(value: Share) -> float | str:
    """Return a share in thousandths, to six digits; ``max`` for weight zero that borrows."""
    return "max" if value[0] else round(value[1], 6)


class FairPreemptor(Preemptor):
    """Finds whom to preempt by shares."""

    def __init__(
        self, pools: Mapping[str, Pool], active: Mapping[Node, Pool], slots: Slots, settings: Settings
    ) -> None:
        super().__init__(pools, active)
        self._slots = slots
        self._strategies = settings.strategies
        self._entitled = settings.version >= ENTITLED
        self._crashes = settings.version < CRASH_MENDED

    @property
    def freed(self) -> None:
        """Shares decide who leaves; how much that frees is not foretold."""
        return None

    def targets(self, need: Need) -> list[Target]:
        """Return who has to leave; nobody if that would not help.

        Raises:
            SchedulerCrashError: the queue is in no cohort and preempting all it may is not enough.
        """
        candidates = self._candidates(need)
        node = need.pool.node
        if not candidates or (node.parent is not None and _in_vain(need, candidates)):
            return []
        for slot, amount in need.amounts.items():
            node.take(slot, amount)
        try:
            fits, targets, spared = self._first(need, candidates)
            if not fits and len(self._strategies) > 1:
                fits, targets = self._second(need, spared, targets)
        except SchedulerCrashError:
            self._undo(need)
            raise
        self._undo(need)
        if not fits:
            for target in targets:
                self._back(target.job, need)
            return []
        return self.put_back(need, targets, borrowing=True)

    def _out(self, job: Job, need: Need) -> None:
        """Take all of a job's usage away: any of it may count in a share."""
        del need
        self.take_out(job)

    def _back(self, job: Job, need: Need) -> None:
        del need
        self.bring_back(job)

    @staticmethod
    def _undo(need: Need) -> None:
        for slot, amount in need.amounts.items():
            need.pool.node.give(slot, amount)

    def _candidates(self, need: Need) -> list[Job]:
        """Return who may be preempted; each queue's in the order of leaving."""
        preemption, node = need.pool.definition.preemption, need.pool.node
        found: list[Job] = []
        if node.parent is not None and preemption.reclaim != NEVER:
            for queue in _queues(node.root):
                other = self.active.get(queue)
                if other is not None and queue is not node and not queue.within(need.short):
                    found += preemptable(other, need, preemption.reclaim)
        if preemption.within_queue != NEVER:
            found += preemptable(need.pool, need, preemption.within_queue)
        return found

    def _first(self, need: Need, candidates: list[Job]) -> tuple[bool, list[Target], list[Job]]:
        """Go by the first strategy; return whether the job fits, who leaves, and who was spared."""
        by_initial = self._strategies[0] == INITIAL_SHARE
        order = _Order(need.pool, candidates, self.active, self._slots, crashes=self._crashes)
        targets: list[Target] = []
        spared: list[Job] = []
        node = need.pool.node
        entitled = self._entitled and all(node.usage[slot] <= node.nominal[slot] for slot in need.short)
        for pool in order:
            if pool is need.pool:
                job = order.pop(pool)
                self._out(job, need)
                targets.append(Target(job, IN_QUEUE))
                if self._fits_besides(need):
                    return True, targets, []
                continue
            if entitled:
                job = order.pop(pool)
                self._out(job, need)
                targets.append(Target(job, RECLAIM))
                if self._fits_besides(need):
                    return True, targets, []
                continue
            mine, theirs = _branches(node, pool.node)
            new, old = share(mine, self._slots), share(theirs, self._slots)
            while order.has(pool):
                job = order.pop(pool)
                if new < old if by_initial else new <= self._share_without(job, theirs):
                    self._out(job, need)
                    targets.append(Target(job, FAIR))
                    if self._fits_besides(need):
                        return True, targets, []
                    break
                spared.append(job)
        return False, targets, spared

    def _second(self, need: Need, spared: list[Job], targets: list[Target]) -> tuple[bool, list[Target]]:
        """Go by the second strategy: one job of every queue that had a larger share before."""
        order = _Order(need.pool, spared, self.active, self._slots, crashes=self._crashes)
        for pool in order:
            mine, theirs = _branches(need.pool.node, pool.node)
            if share(mine, self._slots) < share(theirs, self._slots):
                job = order.pop(pool)
                self._out(job, need)
                targets.append(Target(job, FAIR))
                if self._fits_besides(need):
                    return True, targets
            order.drop(pool)
        return False, targets

    def _fits_besides(self, need: Need) -> bool:
        """Return whether the job fits, its own usage, counted for its share, left out."""
        node = need.pool.node
        for slot, amount in need.amounts.items():
            node.give(slot, amount)
        fits = self.fits(need, borrowing=True)
        for slot, amount in need.amounts.items():
            node.take(slot, amount)
        return fits

    def _share_without(self, job: Job, branch: Node) -> Share:
        node = self.pools[job.queue].node
        if node is branch:
            return share(branch, self._slots, job.holds)
        for slot, amount in job.holds.items():
            node.give(slot, amount)
        found = share(branch, self._slots)
        for slot, amount in job.holds.items():
            node.take(slot, amount)
        return found


def _in_vain(need: Need, candidates: Sequence[Job]) -> bool:
    """Return whether there is no room even if all candidates left; nobody's leaving frees more than it holds."""
    free = need.pool.node.free
    return any(
        amount > max(0, free(slot)) + sum([job.holds.get(slot, 0) for job in candidates])
        for slot, amount in need.amounts.items()
    )


def _queues(cohort: Node) -> Iterator[Node]:
    for child in cohort.children:
        if child.queue:
            yield child
        else:
            yield from _queues(child)


def _branches(one: Node, other: Node) -> tuple[Node, Node]:
    """Return the nodes below the lowest cohort two queues share, on the way to each."""
    above = {cohort: below for below, cohort in zip([one, *one.path()], one.path(), strict=False)}
    below = other
    for cohort in other.path():
        if cohort in above:
            return above[cohort], below
        below = cohort
    raise ValueError(f"{one.name} and {other.name} share no cohort")


class _Order:
    """Whose jobs go next: from the root down, the branch with the largest share."""

    def __init__(
        self, pool: Pool, candidates: Sequence[Job], active: Mapping[Node, Pool], slots: Slots, *, crashes: bool
    ) -> None:
        self._pool = pool
        self._crashes = crashes
        self._active = active
        self._slots = slots
        self._mine = set(pool.node.path())
        self._left: dict[str, list[Job]] = {}
        for job in candidates:
            self._left.setdefault(job.queue, []).append(job)
        for jobs in self._left.values():
            jobs.reverse()
        self._pruned: set[Node] = set()

    def has(self, pool: Pool) -> bool:
        """Return whether a queue has candidates left."""
        return bool(self._left.get(pool.name))

    def pop(self, pool: Pool) -> Job:
        """Return a queue's next candidate."""
        return self._left[pool.name].pop()

    def drop(self, pool: Pool) -> None:
        """Leave a queue out from now on."""
        self._pruned.add(pool.node)

    def __iter__(self) -> Iterator[Pool]:
        node = self._pool.node
        if node.parent is None:
            while self.has(self._pool):
                yield self._pool
            if self._crashes:
                raise SchedulerCrashError(self._pool.name)
            return
        root = node.root
        while root not in self._pruned:
            found = self._next(root)
            if found is not None:
                yield found

    def _next(self, cohort: Node) -> Pool | None:
        """Return the queue to take from; ``None`` if this step only ruled branches out."""
        queue, queue_share = self._largest_queue(cohort)
        branch, branch_share = self._largest_branch(cohort)
        if queue is None and branch is None:
            self._pruned.add(cohort)
            return None
        if branch is not None and branch_share >= queue_share:
            return self._next(branch)
        return queue

    def _largest_queue(self, cohort: Node) -> tuple[Pool | None, Share]:
        best: Pool | None = None
        best_share = _BELOW
        for child in cohort.children:
            if not child.queue or child in self._pruned:
                continue
            pool = self._active.get(child)
            value = share(child, self._slots)
            if pool is None or (value == NONE and pool is not self._pool) or not self.has(pool):
                self._pruned.add(child)
            elif value > best_share or (best is not None and value == best_share and self._before(pool, best)):
                best, best_share = pool, value
        return best, best_share

    def _largest_branch(self, cohort: Node) -> tuple[Node | None, Share]:
        best: Node | None = None
        best_share = _BELOW
        for child in cohort.children:
            if child.queue or child in self._pruned:
                continue
            value = share(child, self._slots)
            if value == NONE and child not in self._mine:
                self._pruned.add(child)
            elif value >= best_share:
                best, best_share = child, value
        return best, best_share

    def _before(self, one: Pool, other: Pool) -> bool:
        first, second = self._left[one.name][-1], self._left[other.name][-1]
        return (not first.evicted, one is self._pool, first.order) < (
            not second.evicted,
            other is self._pool,
            second.order,
        )
