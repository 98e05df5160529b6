"""Who has to leave for an amount of one slot, where a cohort has no cohorts below: the common case, in plain numbers.

It answers as ``Preemptor.targets`` does, without touching anybody's usage.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import field
from itertools import accumulate, islice
from typing import Final

from kubeanswers.queueing.leaving import IN_QUEUE, RECLAIM, RECLAIM_BORROWING, Need, Target, allowed
from kubeanswers.queueing.pool import Pool, Ranked
from kubeanswers.queueing.shapes import Job
from kubeanswers.queueing.tree import Node
from kubeanswers.queueing.values import ANY, LOWER, LOWER_OR_NEWER, NEVER, Preemption
from kubeanswers.records import dataclass

_NONE: Final = float("-inf")
_ALL: Final = float("inf")


@dataclass
class _Crowd:
    """Who may have to leave, those to preempt first.

    Attributes:
        members: the jobs with their queues.
        levels: their priorities.
        freed: what the first so many of them hold together, from none on.
    """

    members: list[tuple[Ranked, Pool]] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    freed: list[int] = field(default_factory=lambda: [0])


class FlatCohorts:
    """The jobs of queues that borrow, by cohort and slot, those to preempt first; kept while nothing changes."""

    def __init__(self, active: Mapping[Node, Pool]) -> None:
        self._active = active
        self._crowds: dict[tuple[Node, int, bool], tuple[int, _Crowd]] = {}
        self._asked: tuple[Job, int, int, int] | None = None
        self._answer: list[Target] = []

    def targets(self, need: Need) -> list[Target] | None:
        """Return who has to leave; ``None`` where this case is not the simple one."""
        slot, pool = need.only, need.pool
        cohort = pool.node.parent
        if slot is None or cohort is None or not cohort.flat:
            return None
        asked = need.job, slot, need.amounts[slot], cohort.version
        if asked == self._asked:
            return self._answer
        preemption = pool.definition.preemption
        crowd = _NOBODY
        if preemption.reclaim != NEVER:
            crowd = self._crowd(cohort, slot, by_age=preemption.reclaim == LOWER_OR_NEWER)
        own = [] if preemption.within_queue == NEVER else pool.ranked.get(slot, [])
        if (crowd.members and not crowd.members[0][0][0]) or (own and not own[0][0]):
            return None
        self._answer, self._asked = _Search(need, slot, cohort, crowd, own).targets(), asked
        return self._answer

    def freed(self, pool: Pool, job: Job, slot: int, amount: int) -> float:
        """Return at most how much of a slot others could free for an amount, were it the only slot that is short."""
        node, preemption = pool.node, pool.definition.preemption
        cohort, most = node.parent, 0
        if preemption.within_queue != NEVER and (own := pool.ranked.get(slot)):
            if not own[0][0]:
                return _ALL
            newer = preemption.within_queue == LOWER_OR_NEWER
            end = len(own) if preemption.within_queue == ANY else bisect_left(own, (True, job.priority + newer))
            most += sum([ranked[4].holds.get(slot, 0) for ranked in islice(own, end)])
        if preemption.reclaim != NEVER and cohort is not None:
            if not cohort.flat:
                return _ALL
            limit = _ALL
            if node.usage[slot] + amount - most > node.quota[slot]:
                limit = _limit(preemption, job)
                if limit == _NONE:
                    return most
            crowd = self._crowd(cohort, slot, by_age=preemption.reclaim == LOWER_OR_NEWER)
            if crowd.members and not crowd.members[0][0][0]:
                return _ALL
            last = _last(crowd, job, preemption.reclaim)
            if limit != _ALL:
                last = min(last, bisect_right(crowd.levels, limit))
            most += crowd.freed[last]
        return most

    def _crowd(self, cohort: Node, slot: int, *, by_age: bool) -> _Crowd:
        """Return who may have to leave; of every queue no more than it takes until it borrows no longer.

        Where age decides as well, some of them may be passed over, so that all have to be known.
        """
        key = cohort, slot, by_age
        known = self._crowds.get(key)
        if known is None or known[0] != cohort.version:
            found: list[tuple[Ranked, Pool]] = []
            for child in cohort.children:
                over = child.usage[slot] - child.quota[slot]
                pool = self._active.get(child)
                if over <= 0 or pool is None:
                    continue
                for ranked in pool.ranked.get(slot, ()):
                    if over <= 0 and not by_age:
                        break
                    found.append((ranked, pool))
                    over -= ranked[4].holds.get(slot, 0)
            found.sort()
            crowd = _Crowd(
                found,
                [ranked[1] for ranked, _ in found],
                list(accumulate((ranked[4].holds.get(slot, 0) for ranked, _ in found), initial=0)),
            )
            known = self._crowds[key] = cohort.version, crowd
        return known[1]


_NOBODY: Final = _Crowd()


class _Search:
    """One question, with usage counted beside the real one."""

    __slots__ = ("_above", "_advantage", "_amount", "_cohort", "_crowd", "_limit", "_need", "_own", "_slot", "_usage")

    def __init__(self, need: Need, slot: int, cohort: Node, crowd: _Crowd, own: list[Ranked]) -> None:
        node, preemption = need.pool.node, need.pool.definition.preemption
        self._need = need
        self._slot = slot
        self._cohort = cohort
        self._crowd = crowd
        self._own = _allowed(own, need.job, preemption.within_queue)
        self._amount = need.amounts[slot]
        self._advantage = node.usage[slot] + self._amount <= node.quota[slot]
        self._usage: dict[Pool, int] = {}
        self._above = 0
        self._limit = _NONE if self._advantage else _limit(preemption, need.job)

    def targets(self) -> list[Target]:
        """Return who has to leave.

        Nobody's leaving frees more than it holds, which tells most questions asked in vain.
        """
        need, node, slot = self._need, self._need.pool.node, self._slot
        own = sum([ranked[4].holds.get(slot, 0) for ranked in self._own])
        last = self._last(borrowing=False)
        short = self._amount - max(0, node.free(slot)) - own
        if short > self._crowd.freed[last]:
            return []
        forbidden = need.pool.definition.preemption.borrow == NEVER
        others = self._any_other(last)
        if not others and not self._own:
            return []
        attempts: tuple[bool, ...] = (True, False)
        if not others or (forbidden and node.usage[slot] >= node.nominal[slot]):
            attempts = (True,)
        elif forbidden and not self._advantage:
            attempts = (False, True)
        for borrowing in attempts:
            if borrowing:
                in_vain = short > self._crowd.freed[self._last(borrowing=True)]
            else:
                in_vain = node.usage[slot] + self._amount - own > node.quota[slot]
            found = [] if in_vain else self._remove(borrowing=borrowing)
            if found:
                return found
        return []

    def _any_other(self, last: int) -> bool:
        """Return whether somebody of another queue may be preempted."""
        need, members = self._need, self._crowd.members
        if need.pool.definition.preemption.reclaim != LOWER_OR_NEWER:
            return any(members[position][1] is not need.pool for position in range(last))
        return any(
            pool is not need.pool and allowed(need.job, ranked[4], LOWER_OR_NEWER)
            for ranked, pool in islice(members, last)
        )

    def _remove(self, *, borrowing: bool) -> list[Target]:
        self._usage = {}
        self._above = self._cohort.usage[self._slot]
        targets: list[tuple[Target, Pool]] = []
        if self._remove_others(targets, borrowing=borrowing) or self._remove_own(targets, borrowing=borrowing):
            return self._put_back(targets, borrowing=borrowing)
        return []

    def _last(self, *, borrowing: bool) -> int:
        """Return how many of the crowd, from the first on, a job may preempt at most."""
        last = _last(self._crowd, self._need.job, self._need.pool.definition.preemption.reclaim)
        if borrowing and not self._advantage:
            last = min(last, bisect_right(self._crowd.levels, self._limit))
        return last

    def _remove_others(self, targets: list[tuple[Target, Pool]], *, borrowing: bool) -> bool:
        """Let others leave, in order; return whether that makes room."""
        need, slot, job = self._need, self._slot, self._need.job
        policy, priority = need.pool.definition.preemption.reclaim, job.priority
        usage, limit, most = self._usage, self._limit, self._most_above(borrowing=borrowing)
        newer = policy == LOWER_OR_NEWER
        for ranked, pool in islice(self._crowd.members, self._last(borrowing=borrowing)):
            level, other = ranked[1], ranked[4]
            if pool is need.pool or (newer and level == priority and not job.created < other.created):
                continue
            node = pool.node
            used = usage.get(pool)
            if used is None:
                used = node.usage[slot]
            if used <= node.quota[slot]:
                continue
            amount = other.holds.get(slot, 0)
            lent = used - node.kept[slot]
            if lent > 0:
                self._above -= min(amount, lent)
            usage[pool] = used - amount
            targets.append((Target(other, RECLAIM_BORROWING if level <= limit else RECLAIM), pool))
            if self._above <= most:
                return True
        return False

    def _most_above(self, *, borrowing: bool) -> float:
        """Return how much of the cohort's quota may be in use so that the job fits, its queue's own usage as it is."""
        node, slot = self._need.pool.node, self._slot
        used, kept, limit = node.usage[slot], node.kept[slot], node.limit[slot]
        if not borrowing and used + self._amount > node.quota[slot]:
            return _NONE
        if self._amount == 0:
            return _ALL
        above = self._amount - max(0, kept - used)
        if limit is not None and above > node.quota[slot] - kept + limit + min(0, kept - used):
            return _NONE
        return self._cohort.quota[slot] - above

    def _remove_own(self, targets: list[tuple[Target, Pool]], *, borrowing: bool) -> bool:
        for ranked in self._own:
            self._take(self._need.pool, -ranked[4].holds.get(self._slot, 0))
            targets.append((Target(ranked[4], IN_QUEUE), self._need.pool))
            if self._fits(borrowing=borrowing):
                return True
        return False

    def _put_back(self, targets: list[tuple[Target, Pool]], *, borrowing: bool) -> list[Target]:
        for position in range(len(targets) - 2, -1, -1):
            target, pool = targets[position]
            amount = target.job.holds.get(self._slot, 0)
            self._take(pool, amount)
            if self._fits(borrowing=borrowing):
                targets[position] = targets[-1]
                targets.pop()
            else:
                self._take(pool, -amount)
        return [target for target, _ in targets]

    def _take(self, pool: Pool, amount: int) -> None:
        """Count more usage of a queue (less, if the amount is negative), and what of it counts above."""
        node, slot = pool.node, self._slot
        kept = node.kept[slot]
        before = self._usage.get(pool, node.usage[slot])
        after = before + amount
        self._usage[pool] = after
        self._above += max(0, after - kept) - max(0, before - kept)

    def _fits(self, *, borrowing: bool) -> bool:
        node, slot = self._need.pool.node, self._slot
        used = self._usage.get(self._need.pool, node.usage[slot])
        if not borrowing and used + self._amount > node.quota[slot]:
            return False
        free = self._cohort.quota[slot] - self._above
        kept, limit = node.kept[slot], node.limit[slot]
        own = kept - used
        if limit is not None:
            free = min(free, node.quota[slot] - kept + limit + (min(0, own)))
        if own > 0:
            free += own
        return self._amount <= free or self._amount == 0


def _last(crowd: _Crowd, job: Job, policy: str) -> int:
    """Return how many of a crowd, from the first on, a policy lets a job preempt at most."""
    if policy == ANY:
        return len(crowd.levels)
    return (bisect_left if policy == LOWER else bisect_right)(crowd.levels, job.priority)


def _limit(preemption: Preemption, job: Job) -> float:
    """Return the highest priority of those who may leave for a job that borrows itself."""
    if preemption.borrow == NEVER:
        return _NONE
    below = job.priority - 1
    return below if preemption.threshold is None else min(below, preemption.threshold)


def _allowed(ranked: list[Ranked], job: Job, policy: str) -> list[Ranked]:
    """Return those of its own queue a job may preempt; ``ranked`` has nobody on the way out."""
    if not ranked or policy == ANY:
        return ranked
    lower = bisect_left(ranked, (True, job.priority))
    if policy == LOWER:
        return ranked[:lower]
    equal = bisect_left(ranked, (True, job.priority + 1))
    return ranked[:lower] + [one for one in islice(ranked, lower, equal) if job.created < one[4].created]


def same_room(need: Need, slot: int) -> bool:
    """Return whether everything but one slot has room whoever leaves, so that the slot alone decides."""
    for other, amount in need.amounts.items():
        node: Node | None = need.pool.node
        if other == slot:
            continue
        if amount > need.pool.node.free(other):
            return False
        while node is not None:
            if node.usage[other] + amount > node.quota[other]:
                return False
            amount = max(0, amount - node.spare(other))  # noqa: PLW2901 - what is left to come from above
            node = node.parent
    return True
