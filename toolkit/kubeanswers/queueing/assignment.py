"""Which flavor every pod set would get, and whether it fits, needs others to leave, or cannot.

Source: https://kueue.sigs.k8s.io/docs/concepts/cluster_queue/#flavorfungibility
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from kubeanswers.queueing.pool import Group, Pool, Reason
from kubeanswers.queueing.shapes import Job, scaled
from kubeanswers.queueing.topology import Misfit, Wanted
from kubeanswers.queueing.tree import reach
from kubeanswers.queueing.values import NEVER, TRY_NEXT, Domain
from kubeanswers.scheduling.values import PODS

NO_FIT: Final = 0
PREEMPT: Final = 1
FIT: Final = 2

_NOTHING: Final = 0
_NOBODY: Final = 1
_OWN: Final = 2
_OTHERS: Final = 3
_ROOM: Final = 4

_WORST: Final = (_NOTHING, -1000000)
_BEST: Final = (_ROOM, 0)
_MODE: Final = (NO_FIT, PREEMPT, PREEMPT, PREEMPT, FIT)

Oracle = Callable[[Job, int, int], tuple[int, int]]
"""Given a job, a slot and an amount: whom preemption would hit (``_NOBODY``, ``_OWN`` or ``_OTHERS``), and how far up
the amount would have to be borrowed afterwards."""

NOBODY: Final = _NOBODY
OWN: Final = _OWN
OTHERS: Final = _OTHERS


class Choice:
    """The flavor of one resource."""

    __slots__ = ("borrow", "flavor", "mode", "slot", "tried")

    def __init__(self, flavor: str, slot: int, mode: int, borrow: int) -> None:
        self.flavor = flavor
        self.slot = slot
        self.mode = mode
        self.borrow = borrow
        self.tried = -1


@dataclass
class PartAssignment:
    """What one pod set would get.

    Attributes:
        choices: the flavor of each resource; none if it cannot be admitted.
        reasons: why not at once; none if it fits.
        places: where its pods go; ``None`` if that was not asked or not found.
        failed: whether the topology cannot be asked at all.
    """

    name: str
    count: int
    choices: dict[str, Choice]
    reasons: list[Reason]
    places: tuple[Domain, ...] | None = None
    failed: bool = False

    @property
    def mode(self) -> int:
        """How well it fits."""
        if not self.reasons and not self.failed:
            return FIT
        if not self.choices:
            return NO_FIT
        return min(choice.mode for choice in self.choices.values())


@dataclass
class Assignment:
    """What a workload would get.

    Attributes:
        parts: per pod set.
        usage: amounts by slot.
        borrowing: how far up the tree it borrows (0 not at all).
        mode: the worst of the parts.
        generation: the queue's state when it was worked out.
    """

    parts: list[PartAssignment] = field(default_factory=list)
    usage: dict[int, int] = field(default_factory=dict)
    borrowing: int = 0
    mode: int = NO_FIT
    generation: int = 0

    @property
    def tried(self) -> list[dict[str, int]]:
        """The flavor tried last, by pod set and resource."""
        return [{resource: choice.tried for resource, choice in part.choices.items()} for part in self.parts]

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it does not fit at once, every reason after its pod set."""
        return tuple((part.name, *reason) for part in self.parts for reason in part.reasons)

    @property
    def short(self) -> frozenset[int]:
        """The slots others would have to leave."""
        return frozenset(
            choice.slot for part in self.parts for choice in part.choices.values() if choice.mode == PREEMPT
        )

    def part(self, name: str) -> PartAssignment:
        """Return the part of a pod set."""
        return next(part for part in self.parts if part.name == name)


class Assigner:
    """Finds flavors for the workloads of one queue."""

    def __init__(self, pool: Pool, oracle: Oracle, *, fair: bool, topology: bool) -> None:
        self.pool = pool
        self._oracle = oracle
        self._topology = topology
        preemption = pool.definition.preemption
        self._preempts_borrowing = preemption.borrow != NEVER or (fair and preemption.reclaim != NEVER)
        self._next_if_preempting = pool.definition.when_can_preempt == TRY_NEXT
        self._next_if_borrowing = pool.definition.when_can_borrow == TRY_NEXT

    def assign(self, job: Job, counts: list[int] | None = None) -> Assignment:
        """Return what a job would get, at full size or with the counts given."""
        pool, shape = self.pool, job.shape
        found = Assignment(generation=pool.generation)
        counted = PODS in pool.group_of
        sizes = counts or [part.count for part in shape.pod_sets]
        asked = shape.totals if counts is None else [scaled(*each) for each in zip(shape.pod_sets, counts, strict=True)]
        if counted:
            asked = [{**each, PODS: size} for each, size in zip(asked, sizes, strict=True)]
        for members in shape.groups:
            if not self._assign_group(job, members, asked, sizes, found):
                return found
        found.mode = min((part.mode for part in found.parts), default=NO_FIT)
        if found.mode != NO_FIT and self._topology:
            self._place(job, found)
        return found

    def _assign_group(
        self, job: Job, members: list[int], asked: list[dict[str, int]], sizes: list[int], found: Assignment
    ) -> bool:
        """Give the pod sets of one group flavors; return whether all of them got some."""
        requests = asked[members[0]]
        if len(members) > 1:
            requests = {}
            for member in members:
                for resource, amount in asked[member].items():
                    requests[resource] = requests.get(resource, 0) + amount
        choices: dict[str, Choice] = {}
        reasons: list[Reason] = []
        for resource in requests:
            if resource in choices:
                continue
            best, why = self._flavor(job, members, requests, resource, found.usage)
            if not best:
                choices, reasons = {}, why
                break
            choices.update(best)
            reasons += why
        served = True
        for member in members:
            wants = asked[member]
            part = PartAssignment(
                job.shape.pod_sets[member].name,
                sizes[member],
                {resource: choice for resource, choice in choices.items() if resource in wants},
                list(reasons),
            )
            found.parts.append(part)
            for resource, choice in part.choices.items():
                found.borrowing = max(found.borrowing, choice.borrow)
                found.usage[choice.slot] = found.usage.get(choice.slot, 0) + wants[resource]
            served = served and (bool(part.choices) or not wants)
        return served

    def _flavor(
        self, job: Job, members: list[int], requests: dict[str, int], resource: str, used: dict[int, int]
    ) -> tuple[dict[str, Choice], list[Reason]]:
        """Return the best flavor for the resources of one group, and what speaks against fitting at once."""
        group = self.pool.group_of.get(resource)
        if group is None:
            return {}, [("ResourceUnavailable", resource)]
        wanted = [(name, amount) for name, amount in requests.items() if name in group.resources]
        reasons: list[Reason] = []
        best: dict[str, Choice] = {}
        best_mode = _WORST
        refusals = self.pool.eligible(job.shape, members, group)
        attempted = -1
        for position in range(job.next_flavor(members[0], resource), len(group.flavors)):
            attempted = position
            refusal = refusals[position]
            if refusal is not None:
                reasons.append(refusal)
                continue
            choices, mode = self._try(job, group, position, wanted, used, reasons)
            if not self._tries_next(mode):
                best, best_mode = choices, mode
                break
            if mode[0] > _NOTHING and mode > best_mode:
                best, best_mode = choices, mode
        tried = -1 if attempted == len(group.flavors) - 1 else attempted
        for choice in best.values():
            choice.tried = tried
        return best, [] if best_mode[0] == _ROOM else reasons

    def _try(
        self,
        job: Job,
        group: Group,
        position: int,
        wanted: list[tuple[str, int]],
        used: dict[int, int],
        reasons: list[Reason],
    ) -> tuple[dict[str, Choice], tuple[int, int]]:
        slots, flavor = group.slots[position], group.flavors[position]
        worst = _BEST
        choices: dict[str, Choice] = {}
        for resource, amount in wanted:
            slot = slots[resource]
            possible, borrow = self._fits(job, slot, used.get(slot, 0), amount, reasons)
            worst = min(worst, (possible, -borrow))
            if possible == _NOTHING:
                break
            choices[resource] = Choice(flavor, slot, _MODE[possible], borrow)
        return choices, worst

    def _fits(self, job: Job, slot: int, before: int, amount: int, reasons: list[Reason]) -> tuple[int, int]:
        """Return how an amount fits, after what pod sets before took, and how far up it borrows."""
        node = self.pool.node
        total = before + amount
        most = node.potential[slot]
        if total > most:
            reasons.append(("OverCapacity", slot, before, amount, most))
            return _NOTHING, 0
        free = max(0, node.free(slot))
        borrow, more_above = reach(node, slot, total)
        if total <= free:
            return _ROOM, borrow
        reasons.append(("QuotaInUse", slot, total - free))
        if total <= node.nominal[slot] or more_above or self._preempts_borrowing:
            return self._oracle(job, slot, total)
        return _NOTHING, borrow

    def _tries_next(self, mode: tuple[int, int]) -> bool:
        possible, borrow = mode
        if possible <= _NOBODY:
            return True
        if possible < _ROOM and self._next_if_preempting:
            return True
        return borrow < 0 and self._next_if_borrowing

    def requests(self, job: Job, found: Assignment) -> Iterator[tuple[str, Wanted]]:
        """Yield the pod sets that have to be placed, with their flavors."""
        for part, assigned in zip(job.shape.pod_sets, found.parts, strict=False):
            if not self.pool.wants_topology(part) or assigned.failed or assigned.places is not None:
                continue
            flavors = {choice.flavor for choice in assigned.choices.values()}
            flavor = flavors.pop() if len(flavors) == 1 else ""
            if flavor not in self.pool.places:
                assigned.failed = True
                assigned.reasons.append(("NoSingleTopology", part.name))
                continue
            yield flavor, Wanted(part, assigned.count, self.pool.implied(part))

    def place(
        self, job: Job, found: Assignment, *, empty: bool = False
    ) -> tuple[dict[str, tuple[Domain, ...]], Misfit | None]:
        """Return where the pods go."""
        by_flavor: dict[str, list[Wanted]] = {}
        for flavor, wanted in self.requests(job, found):
            by_flavor.setdefault(flavor, []).append(wanted)
        placed: dict[str, tuple[Domain, ...]] = {}
        for flavor, parts in by_flavor.items():
            places, misfit = self.pool.places[flavor].place(parts, empty=empty)
            placed.update(places)
            if misfit is not None:
                return placed, misfit
        return placed, None

    def _place(self, job: Job, found: Assignment) -> None:
        """Look for places; without, others would have to leave, or nothing helps."""
        if found.mode == FIT:
            placed, misfit = self.place(job, found)
            if misfit is None:
                for name, domains in placed.items():
                    found.part(name).places = domains
            else:
                part = found.part(misfit.part)
                part.reasons.append(("Topology", misfit))
                _downgrade(part, PREEMPT)
                found.mode = PREEMPT
        if found.mode == PREEMPT:
            _, misfit = self.place(job, found, empty=True)
            if misfit is not None:
                _downgrade(found.part(misfit.part), NO_FIT)
                found.mode = NO_FIT


def _downgrade(part: PartAssignment, mode: int) -> None:
    for choice in part.choices.values():
        choice.mode = mode
