"""Who has to leave for a job, without fair sharing: by priority, and by whose quota is in use.

Candidates go in an order until the job fits; then, last first, those are put back that were not needed.

Source: https://kueue.sigs.k8s.io/docs/concepts/preemption/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from kubeanswers.queueing.assignment import NOBODY, OTHERS, OWN, Assigner, Assignment
from kubeanswers.queueing.pool import Pool
from kubeanswers.queueing.shapes import Job
from kubeanswers.queueing.tree import Node, reach
from kubeanswers.queueing.values import ANY, LOWER, LOWER_OR_NEWER, NEVER

IN_QUEUE: Final = "InClusterQueue"
RECLAIM: Final = "InCohortReclamation"
RECLAIM_BORROWING: Final = "InCohortReclaimWhileBorrowing"
FAIR: Final = "InCohortFairSharing"


class Target(NamedTuple):
    """Somebody who has to leave, and why."""

    job: Job
    reason: str


@dataclass(frozen=True)
class Need:
    """What room is looked for.

    Attributes:
        job: for whom.
        pool: its queue.
        short: the slots others would have to leave.
        amounts: what it asks for, by slot.
        assigned: the assignment whose pods have to be placed; ``None`` if that is not asked.
    """

    job: Job
    pool: Pool
    short: frozenset[int]
    amounts: Mapping[int, int]
    assigned: Assignment | None = None


class Preemptor:
    """Finds whom to preempt, on the usage as it stands; whatever it tries it takes back."""

    def __init__(self, pools: Mapping[str, Pool], active: Mapping[Node, Pool]) -> None:
        self.pools = pools
        self.active = active
        self.assigners: dict[str, Assigner] = {}

    def targets(self, need: Need) -> list[Target]:
        """Return who has to leave; nobody if that would not help."""
        own = _own(need)
        ahead, by_priority = self._others(need)
        candidates = [*ahead, *by_priority, *own]
        if not candidates:
            return []
        if any(one.job.evicted for one in candidates):
            candidates.sort(key=_staying)
        forbidden = need.pool.definition.preemption.borrow == NEVER
        for borrowing in self._attempts(need, forbidden, bool(ahead), bool(ahead or by_priority)):
            found = self._remove(need, candidates, borrowing=borrowing)
            if found:
                return found
        return []

    def _attempts(self, need: Need, forbidden: bool, hierarchy: bool, others: bool) -> tuple[bool, ...]:
        """Return whether to try with the job borrowing, without, or both."""
        if not others or (forbidden and not _below_nominal(need)):
            return (True,)
        return (False, True) if forbidden and not hierarchy else (True, False)

    def _others(self, need: Need) -> tuple[list[_Candidate], list[_Candidate]]:
        """Return candidates of other queues: those whose quota the job's queue has a better claim to, and the rest."""
        preemption = need.pool.definition.preemption
        node = need.pool.node
        ahead: list[_Candidate] = []
        by_priority: list[_Candidate] = []
        if node.parent is None or preemption.reclaim == NEVER:
            return ahead, by_priority
        remaining = dict(need.amounts)
        advantage = _takes(node, remaining)
        before: Node | None = None
        for cohort in node.path():
            into = ahead if advantage else by_priority
            for pool in self._borrowers(cohort, before, need):
                into += _of(pool, need, cohort, advantage=advantage)
            fits = _takes(cohort, remaining)
            advantage = advantage or fits
            before = cohort
        ahead.sort(key=_by_order)
        by_priority.sort(key=_by_order)
        return ahead, by_priority

    def _borrowers(self, cohort: Node, skip: Node | None, need: Need) -> Iterator[Pool]:
        """Yield the queues below a cohort that use more than their own of a short slot."""
        for child in cohort.children:
            if child.queue:
                pool = self.active.get(child)
                if pool is not None and pool is not need.pool and not child.within(need.short):
                    yield pool
            elif child is not skip and not child.within(need.short):
                yield from self._borrowers(child, skip, need)

    def _remove(self, need: Need, candidates: Sequence[_Candidate], *, borrowing: bool) -> list[Target]:
        """Return the candidates that have to leave; everything is put back."""
        targets: list[Target] = []
        for candidate in candidates:
            if not self._valid(candidate, need, borrowing=borrowing):
                continue
            self.take_out(candidate.job)
            targets.append(Target(candidate.job, candidate.reason))
            if self.fits(need, borrowing=borrowing):
                return self.put_back(need, targets, borrowing=borrowing)
        for target in targets:
            self.bring_back(target.job)
        return []

    def put_back(self, need: Need, targets: list[Target], *, borrowing: bool) -> list[Target]:
        """Return those that really have to leave, after putting back, last first, who need not; restores usage."""
        for position in range(len(targets) - 2, -1, -1):
            job = targets[position].job
            self.bring_back(job)
            if self.fits(need, borrowing=borrowing):
                targets[position] = targets[-1]
                targets.pop()
            else:
                self.take_out(job)
        for target in targets:
            self.bring_back(target.job)
        return targets

    def _valid(self, candidate: _Candidate, need: Need, *, borrowing: bool) -> bool:
        """Return whether somebody still is a candidate after others have left."""
        if candidate.lowest is None:
            return True
        if borrowing and not candidate.borrowing:
            return False
        node = self.pools[candidate.job.queue].node
        if node.within(need.short):
            return False
        for cohort in node.path():
            if cohort is candidate.lowest:
                return True
            if cohort.within(need.short):
                return False
        return True

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

    def take_out(self, job: Job) -> None:
        """Take a job's usage away."""
        pool = self.pools[job.queue]
        node = pool.node
        for slot, amount in job.holds:
            node.give(slot, amount)
        for flavor, leaf, requests, count in job.places:
            if flavor in pool.places:
                pool.places[flavor].change(leaf, requests, -count)

    def bring_back(self, job: Job) -> None:
        """Count a job's usage again."""
        pool = self.pools[job.queue]
        node = pool.node
        for slot, amount in job.holds:
            node.take(slot, amount)
        for flavor, leaf, requests, count in job.places:
            if flavor in pool.places:
                pool.places[flavor].change(leaf, requests, count)

    def simulate(self, job: Job, slot: int, amount: int) -> tuple[int, int]:
        """Return whom preemption for an amount of one slot would hit, and how far it would borrow after it."""
        pool = self.pools[job.queue]
        if pool.passive:
            return NOBODY, reach(pool.node, slot, amount)[0]
        targets = self.targets(Need(job, pool, frozenset((slot,)), {slot: amount}))
        if not targets:
            return NOBODY, reach(pool.node, slot, amount)[0]
        for target in targets:
            self.take_out(target.job)
        borrow, _ = reach(pool.node, slot, amount)
        for target in targets:
            self.bring_back(target.job)
        return (OWN if any(target.job.queue == job.queue for target in targets) else OTHERS), borrow


class _Candidate(NamedTuple):
    """Somebody who might leave.

    Attributes:
        lowest: the lowest cohort both queues are in; ``None`` in the job's own queue.
        borrowing: whether the job may borrow if this one leaves.
    """

    job: Job
    reason: str
    lowest: Node | None
    borrowing: bool = True


def _by_order(candidate: _Candidate) -> tuple[bool, int, float, str]:
    return candidate.job.order


def _staying(candidate: _Candidate) -> bool:
    return not candidate.job.evicted


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


def allowed(job: Job, other: Job, policy: str) -> bool:
    """Return whether a policy lets a job preempt another."""
    if policy == ANY:
        return True
    if other.priority != job.priority or policy == LOWER:
        return policy in (LOWER, LOWER_OR_NEWER) and other.priority < job.priority
    return policy == LOWER_OR_NEWER and job.created < other.created


def preemptable(pool: Pool, need: Need, policy: str) -> Iterator[Job]:
    """Yield the jobs of a queue a policy lets a job preempt for what is short, in order."""
    priority = need.job.priority
    for staying, level, _, _, other in pool.candidates(need.short):
        if staying and level >= priority and policy != ANY and (level > priority or policy == LOWER):
            return
        if allowed(need.job, other, policy):
            yield other


def _own(need: Need) -> list[_Candidate]:
    policy = need.pool.definition.preemption.within_queue
    if policy == NEVER:
        return []
    return [_Candidate(other, IN_QUEUE, None) for other in preemptable(need.pool, need, policy)]


def _of(pool: Pool, need: Need, lowest: Node, *, advantage: bool) -> Iterator[_Candidate]:
    preemption = need.pool.definition.preemption
    for other in preemptable(pool, need, preemption.reclaim):
        if advantage:
            yield _Candidate(other, RECLAIM, lowest)
        elif (
            preemption.borrow == NEVER
            or other.priority >= need.job.priority
            or (preemption.threshold is not None and other.priority > preemption.threshold)
        ):
            yield _Candidate(other, RECLAIM, lowest, borrowing=False)
        else:
            yield _Candidate(other, RECLAIM_BORROWING, lowest)
