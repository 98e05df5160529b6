"""Who has to leave for a job, without fair sharing: by priority, and by whose quota is in use.

Candidates go in an order until the job fits; then, last first, those are put back that were not needed.

Source: https://kueue.sigs.k8s.io/docs/concepts/preemption/
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heapreplace
from typing import Final

from kubeanswers.queueing.assignment import NOBODY, OTHERS, OWN, Assigner, Freed
from kubeanswers.queueing.flat import FlatCohorts, same_room
from kubeanswers.queueing.leaving import IN_QUEUE, RECLAIM, RECLAIM_BORROWING, Need, Target, allowed
from kubeanswers.queueing.pool import Pool, Ranked
from kubeanswers.queueing.shapes import Job
from kubeanswers.queueing.tree import Node, reach
from kubeanswers.queueing.values import ANY, LOWER_OR_NEWER, NEVER

_ALL: Final = float("inf")
_NONE: Final = float("-inf")


class Preemptor:
    """Finds whom to preempt, on the usage as it stands; whatever it tries it takes back."""

    def __init__(self, pools: Mapping[str, Pool], active: Mapping[Node, Pool]) -> None:
        self.pools = pools
        self.active = active
        self.assigners: dict[str, Assigner] = {}
        self._flat = FlatCohorts(active)

    @property
    def freed(self) -> Freed | None:
        """Tells at most how much of a slot others could free for a job; ``None`` where that cannot be told."""
        return self._flat.freed

    def targets(self, need: Need) -> list[Target]:
        """Return who has to leave; nobody if that would not help."""
        simple = self._flat.targets(need)
        if simple is not None:
            return simple
        if len(need.short) == 1 and need.assigned is None and need.only is None:
            (slot,) = need.short
            simple = self._flat.targets(Need(need.job, need.pool, need.short, {slot: need.amounts[slot]}, only=slot))
            if simple is not None and (not simple or same_room(need, slot)):
                return simple
        own = self._own(need)
        ahead, by_priority = self._others(need)
        if not (own or ahead or by_priority):
            return []
        for borrowing in self._attempts(need, hierarchy=bool(ahead), others=bool(ahead or by_priority)):
            found = self._remove(need, (ahead, by_priority, own), borrowing=borrowing)
            if found:
                return found
        return []

    @staticmethod
    def _attempts(need: Need, *, hierarchy: bool, others: bool) -> tuple[bool, ...]:
        """Return whether to try with the job borrowing, without, or both."""
        forbidden = need.pool.definition.preemption.borrow == NEVER
        if not others or (forbidden and not _below_nominal(need)):
            return (True,)
        return (False, True) if forbidden and not hierarchy else (True, False)

    @staticmethod
    def _own(need: Need) -> list[_Source]:
        policy = need.pool.definition.preemption.within_queue
        if policy == NEVER:
            return []
        source = _Source(need.pool, need, policy, IN_QUEUE, None, _ALL)
        return [source] if source.first >= 0 else []

    def _others(self, need: Need) -> tuple[list[_Source], list[_Source]]:
        """Return queues whose jobs may leave: those whose quota the job's queue has a better claim to, and the rest."""
        preemption = need.pool.definition.preemption
        node = need.pool.node
        ahead: list[_Source] = []
        by_priority: list[_Source] = []
        if node.parent is None or preemption.reclaim == NEVER:
            return ahead, by_priority
        limit: float = _NONE
        if preemption.borrow != NEVER:
            limit = need.job.priority - 1
            if preemption.threshold is not None:
                limit = min(limit, preemption.threshold)
        remaining = dict(need.amounts)
        advantage = _takes(node, remaining)
        before: Node | None = None
        for cohort in node.path():
            into = ahead if advantage else by_priority
            for pool in self._borrowers(cohort, before, need):
                source = _Source(pool, need, preemption.reclaim, RECLAIM, cohort, _ALL if advantage else limit)
                if source.first >= 0:
                    into.append(source)
            fits = _takes(cohort, remaining)
            advantage = advantage or fits
            before = cohort
        return ahead, by_priority

    def _borrowers(self, cohort: Node, skip: Node | None, need: Need) -> list[Pool]:
        """Return the queues below a cohort that use more than their own of a short slot."""
        found: list[Pool] = []
        self._gather(cohort, skip, need.short, found)
        return [pool for pool in found if pool is not need.pool]

    def _gather(self, cohort: Node, skip: Node | None, short: frozenset[int], found: list[Pool]) -> None:
        for child in cohort.children:
            if child is skip:
                continue
            usage, quota = child.usage, child.quota
            for slot in short:
                if usage[slot] > quota[slot]:
                    break
            else:
                continue
            if not child.queue:
                self._gather(child, skip, short, found)
            elif child in self.active:
                found.append(self.active[child])

    def _remove(self, need: Need, crowds: Sequence[Sequence[_Source]], *, borrowing: bool) -> list[Target]:
        """Return the candidates that have to leave; everything is put back."""
        if not borrowing and self._own_too_full(need, crowds[-1]):
            return []
        targets: list[Target] = []
        heaps = [_heap(crowd, borrowing=borrowing) for crowd in crowds]
        for staying in (False, True):
            for heap in heaps:
                for target in _leaving(heap, need, staying=staying, borrowing=borrowing):
                    self._out(target.job, need)
                    targets.append(target)
                    if self.fits(need, borrowing=borrowing):
                        return self.put_back(need, targets, borrowing=borrowing)
        for target in targets:
            self._back(target.job, need)
        return []

    @staticmethod
    def _own_too_full(need: Need, own: Sequence[_Source]) -> bool:
        """Return whether the job's queue would be above its quota even if all of its own that may leave left."""
        node = need.pool.node
        for slot, amount in need.amounts.items():
            over = node.usage[slot] + amount - node.quota[slot]
            if over > 0 and over > sum(job.holds.get(slot, 0) for source in own for job in source.jobs(need)):
                return True
        return False

    def put_back(self, need: Need, targets: list[Target], *, borrowing: bool) -> list[Target]:
        """Return those that really have to leave, after putting back, last first, who need not; restores usage."""
        for position in range(len(targets) - 2, -1, -1):
            job = targets[position].job
            self._back(job, need)
            if self.fits(need, borrowing=borrowing):
                targets[position] = targets[-1]
                targets.pop()
            else:
                self._out(job, need)
        for target in targets:
            self._back(target.job, need)
        return targets

    def fits(self, need: Need, *, borrowing: bool) -> bool:
        """Return whether the job fits now."""
        node = need.pool.node
        for slot, amount in need.amounts.items():
            if not borrowing and node.usage[slot] + amount > node.quota[slot]:
                return False
            if amount > max(0, node.free(slot)):
                return False
        if need.assigned is None:
            return True
        _, misfit = self.assigners[need.pool.name].place(need.job, need.assigned)
        return misfit is None

    def _out(self, job: Job, need: Need) -> None:
        """Take a job's usage away, as far as it matters for a need."""
        if need.assigned is not None:
            self.take_out(job)
            return
        node, holds = self.pools[job.queue].node, job.holds
        for slot in need.amounts:
            if slot in holds:
                node.give(slot, holds[slot])

    def _back(self, job: Job, need: Need) -> None:
        if need.assigned is not None:
            self.bring_back(job)
            return
        node, holds = self.pools[job.queue].node, job.holds
        for slot in need.amounts:
            if slot in holds:
                node.take(slot, holds[slot])

    def take_out(self, job: Job) -> None:
        """Take a job's usage away."""
        pool = self.pools[job.queue]
        node = pool.node
        for slot, amount in job.holds.items():
            node.give(slot, amount)
        for flavor, leaf, requests, count in job.places:
            if flavor in pool.places:
                pool.places[flavor].change(leaf, requests, -count)

    def bring_back(self, job: Job) -> None:
        """Count a job's usage again."""
        pool = self.pools[job.queue]
        node = pool.node
        for slot, amount in job.holds.items():
            node.take(slot, amount)
        for flavor, leaf, requests, count in job.places:
            if flavor in pool.places:
                pool.places[flavor].change(leaf, requests, count)

    def simulate(self, job: Job, slot: int, amount: int) -> tuple[int, int]:
        """Return whom preemption for an amount of one slot would hit, and how far it would borrow after it."""
        pool = self.pools[job.queue]
        if pool.passive:
            return NOBODY, reach(pool.node, slot, amount)[0]
        need = Need(job, pool, frozenset((slot,)), {slot: amount}, only=slot)
        targets = self.targets(need)
        if not targets:
            return NOBODY, reach(pool.node, slot, amount)[0]
        for target in targets:
            self._out(target.job, need)
        borrow, _ = reach(pool.node, slot, amount)
        for target in targets:
            self._back(target.job, need)
        return (OWN if any(target.job.queue == job.queue for target in targets) else OTHERS), borrow


class _Source:
    """The jobs of one queue that may leave, in order.

    Attributes:
        first: position of the first of them; below zero if there is none.
        end: position after the last of them; below zero where somebody is on the way out, who comes before all.
        lowest: the lowest cohort both queues are in; ``None`` for the job's own queue.
        limit: highest priority of one that may leave while the job borrows.
    """

    __slots__ = ("end", "first", "limit", "lowest", "node", "policy", "pool", "ranked", "reason")

    def __init__(self, pool: Pool, need: Need, policy: str, reason: str, lowest: Node | None, limit: float) -> None:
        self.pool = pool
        self.node = pool.node
        self.ranked = ranked = pool.candidates(need.short)
        self.policy = policy
        self.reason = reason
        self.lowest = lowest
        self.limit = limit
        if not ranked:
            self.end = 0
        elif not ranked[0][0]:
            self.end = -1
        elif policy == ANY:
            self.end = len(ranked)
        else:
            self.end = bisect_left(ranked, (True, need.job.priority + (policy == LOWER_OR_NEWER)))
        self.first = self.next(0, need)

    def next(self, position: int, need: Need) -> int:
        """Return the position of the next job that may leave, from one on; below zero if there is none."""
        ranked, end, job = self.ranked, self.end, need.job
        if end < 0:
            end = len(ranked)
        elif position >= end:
            return -1
        elif self.policy != LOWER_OR_NEWER or ranked[position][1] < job.priority:
            return position
        for at in range(position, end):
            if allowed(job, ranked[at][4], self.policy):
                return at
        return -1

    def jobs(self, need: Need) -> Iterator[Job]:
        """Yield those that may leave, in order."""
        position = self.first
        while position >= 0:
            yield self.ranked[position][4]
            position = self.next(position + 1, need)

    def alive(self, short: frozenset[int]) -> bool:
        """Return whether the queue, and every cohort below the common one, still uses more than its own."""
        if self.lowest is None:
            return True
        node: Node | None = self.node
        while node is not self.lowest and node is not None:
            usage, quota = node.usage, node.quota
            for slot in short:
                if usage[slot] > quota[slot]:
                    break
            else:
                return False
            node = node.parent
        return True


_Heap = list[tuple[Ranked, int, _Source]]


def _heap(crowd: Sequence[_Source], *, borrowing: bool) -> _Heap:
    heap = [(one.ranked[one.first], one.first, one) for one in crowd if not borrowing or one.limit != _NONE]
    heapify(heap)
    return heap


def _leaving(heap: _Heap, need: Need, *, staying: bool, borrowing: bool) -> Iterator[Target]:
    """Yield who goes next; a queue that no longer uses more than its own is left alone from then on."""
    while heap and heap[0][0][0] == staying:
        (_, priority, _, _, job), position, source = heap[0]
        if not source.alive(need.short):
            heappop(heap)
            continue
        following = source.next(position + 1, need)
        if following < 0:
            heappop(heap)
        else:
            heapreplace(heap, (source.ranked[following], following, source))
        if priority <= source.limit:
            yield Target(job, source.reason if source.limit == _ALL else RECLAIM_BORROWING)
        elif not borrowing:
            yield Target(job, source.reason)


def _takes(node: Node, remaining: dict[int, int]) -> bool:
    """Return whether amounts fit a node's quota; leaves in them what has to come from above."""
    fits = True
    for slot, amount in remaining.items():
        if node.usage[slot] + amount > node.quota[slot]:
            fits = False
        remaining[slot] = max(0, amount - node.spare(slot))
    return fits


def _below_nominal(need: Need) -> bool:
    node = need.pool.node
    return all(node.usage[slot] < node.nominal[slot] for slot in need.short)


def preemptable(pool: Pool, need: Need, policy: str) -> Iterator[Job]:
    """Yield the jobs of a queue a policy lets a job preempt for what is short, in order."""
    return _Source(pool, need, policy, IN_QUEUE, None, _ALL).jobs(need)
