"""Words of preemption: who needs room, who leaves and why, and whom a policy lets a job preempt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from kubeanswers.queueing.pool import Pool
from kubeanswers.queueing.shapes import Job
from kubeanswers.queueing.values import ANY, LOWER, LOWER_OR_NEWER
from kubeanswers.records import dataclass

if TYPE_CHECKING:
    from kubeanswers.queueing.assignment import Assignment

IN_QUEUE: Final = "InClusterQueue"
RECLAIM: Final = "InCohortReclamation"
RECLAIM_BORROWING: Final = "InCohortReclaimWhileBorrowing"
FAIR: Final = "InCohortFairSharing"


class Target(NamedTuple):
    """Somebody who has to leave, and why."""

    job: Job
    reason: str


@dataclass(slots=True)
class Need:
    """What room is looked for.

    Attributes:
        job: for whom.
        pool: its queue.
        short: the slots others would have to leave.
        amounts: what it asks for, by slot.
        assigned: the assignment whose pods have to be placed; ``None`` if that is not asked.
        only: the slot, where nothing else is asked for.
    """

    job: Job
    pool: Pool
    short: frozenset[int]
    amounts: Mapping[int, int]
    assigned: Assignment | None = None
    only: int | None = None


def allowed(job: Job, other: Job, policy: str) -> bool:
    """Return whether a policy lets a job preempt another."""
    if policy == ANY:
        return True
    if other.priority != job.priority or policy == LOWER:
        return policy in (LOWER, LOWER_OR_NEWER) and other.priority < job.priority
    return policy == LOWER_OR_NEWER and job.created < other.created
