"""Who has to leave for an amount of one slot, where a cohort has no cohorts below: the common case, in plain numbers.

It answers as ``Preemptor.targets`` does, without touching anybody's usage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kubeanswers.queueing.leaving import IN_QUEUE, RECLAIM, RECLAIM_BORROWING, Need, Target, allowed
from kubeanswers.queueing.pool import Pool, Ranked
from kubeanswers.queueing.tree import Node
from kubeanswers.queueing.values import ANY, LOWER, LOWER_OR_NEWER, NEVER

_NONE: Final = float("-inf")
_Crowd = list[tuple[Ranked, Pool]]


class FlatCohorts:
    """The jobs of queues that borrow, by cohort and slot, those to preempt first; kept while nothing changes."""

    def __init__(self, active: Mapping[Node, Pool]) -> None:
        self._active = active
        self._crowds: dict[tuple[Node, int, bool], tuple[int, _Crowd]] = {}

    def targets(self, need: Need) -> list[Target] | None:
        """Return who has to leave; ``None`` where this case is not the simple one."""
        slot, pool = need.only, need.pool
        cohort = pool.node.parent
        if slot is None or cohort is None or not cohort.flat:
            return None
        preemption = pool.definition.preemption
        crowd: _Crowd = []
        if preemption.reclaim != NEVER:
            crowd = self._crowd(cohort, slot, by_age=preemption.reclaim == LOWER_OR_NEWER)
        own = [] if preemption.within_queue == NEVER else pool.ranked.get(slot, [])
        if (crowd and not crowd[0][0][0]) or (own and not own[0][0]):
            return None
        return _Search(need, slot, cohort, crowd, own).targets()

    def _crowd(self, cohort: Node, slot: int, *, by_age: bool) -> _Crowd:
        """Return who may have to leave; of every queue no more than it takes until it borrows no longer.

        Where age decides as well, some of them may be passed over, so that all have to be known.
        """
        key = cohort, slot, by_age
        known = self._crowds.get(key)
        if known is None or known[0] != cohort.version:
            found: _Crowd = []
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
            known = self._crowds[key] = cohort.version, sorted(found)
        return known[1]


class _Search:
    """One question, with usage counted beside the real one."""

    def __init__(self, need: Need, slot: int, cohort: Node, crowd: _Crowd, own: list[Ranked]) -> None:
        node = need.pool.node
        self._need = need
        self._slot = slot
        self._cohort = cohort
        self._crowd = crowd
        self._own = own
        self._amount = need.amounts[slot]
        self._advantage = node.usage[slot] + self._amount <= node.quota[slot]
        self._usage: dict[Pool, int] = {}
        self._above = 0

    def targets(self) -> list[Target]:
        need, node = self._need, self._need.pool.node
        forbidden = need.pool.definition.preemption.borrow == NEVER
        others = self._any_other()
        if not others and not self._any_own():
            return []
        attempts: tuple[bool, ...] = (True, False)
        if not others or (forbidden and node.usage[self._slot] >= node.nominal[self._slot]):
            attempts = (True,)
        elif forbidden and not self._advantage:
            attempts = (False, True)
        for borrowing in attempts:
            found = self._remove(borrowing=borrowing)
            if found:
                return found
        return []

    def _any_other(self) -> bool:
        policy, job, mine = self._need.pool.definition.preemption.reclaim, self._need.job, self._need.pool
        for ranked, pool in self._crowd:
            if pool is not mine and allowed(job, ranked[4], policy):
                return True
            if policy != ANY and ranked[1] > job.priority:
                return False
        return False

    def _any_own(self) -> bool:
        policy = self._need.pool.definition.preemption.within_queue
        return any(allowed(self._need.job, ranked[4], policy) for ranked in self._own)

    def _remove(self, *, borrowing: bool) -> list[Target]:
        self._usage = {}
        self._above = self._cohort.usage[self._slot]
        targets: list[tuple[Target, Pool]] = []
        if self._remove_others(targets, borrowing=borrowing) or self._remove_own(targets, borrowing=borrowing):
            return self._put_back(targets, borrowing=borrowing)
        return []

    def _remove_others(self, targets: list[tuple[Target, Pool]], *, borrowing: bool) -> bool:
        """Let others leave, in order; return whether that makes room."""
        need, slot, job = self._need, self._slot, self._need.job
        preemption, usage = need.pool.definition.preemption, self._usage
        policy, priority = preemption.reclaim, job.priority
        limit: float = _NONE
        if preemption.borrow != NEVER and not self._advantage:
            limit = priority - 1 if preemption.threshold is None else min(priority - 1, preemption.threshold)
        always = self._advantage or not borrowing
        for ranked, pool in self._crowd:
            level, other = ranked[1], ranked[4]
            if policy != ANY and level >= priority:
                if level > priority or policy == LOWER:
                    return False
                if not job.created < other.created:
                    continue
            if pool is need.pool or (not always and level > limit):
                continue
            node = pool.node
            used = usage.get(pool, node.usage[slot])
            if used <= node.quota[slot]:
                continue
            amount = other.holds.get(slot, 0)
            lent = used - node.kept[slot]
            if lent > 0:
                self._above -= min(amount, lent)
            usage[pool] = used - amount
            targets.append((Target(other, RECLAIM_BORROWING if level <= limit else RECLAIM), pool))
            if self._fits(borrowing=borrowing):
                return True
        return False

    def _remove_own(self, targets: list[tuple[Target, Pool]], *, borrowing: bool) -> bool:
        pool, job = self._need.pool, self._need.job
        policy = pool.definition.preemption.within_queue
        for ranked in self._own:
            other = ranked[4]
            if allowed(job, other, policy):
                self._take(pool, -other.holds.get(self._slot, 0))
                targets.append((Target(other, IN_QUEUE), pool))
                if self._fits(borrowing=borrowing):
                    return True
            elif ranked[1] > job.priority:
                return False
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
