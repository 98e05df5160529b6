"""Which flavor every pod set would get, and whether it fits, needs others to leave, or cannot.

Source: https://kueue.sigs.k8s.io/docs/concepts/cluster_queue/#flavorfungibility
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Final

from kubeanswers.queueing.asks import Ask, Asks, Together, asks_of
from kubeanswers.queueing.pool import Pool, Reason
from kubeanswers.queueing.shapes import Job, Shape, Tried
from kubeanswers.queueing.topology import Misfit, Wanted
from kubeanswers.queueing.tree import reach
from kubeanswers.queueing.values import NEVER, TRY_NEXT, Domain, Granted
from kubeanswers.records import dataclass

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

Freed = Callable[[Pool, Job, int, int], float]
"""Given a queue, a job, a slot and an amount: at most how much of the slot others could free for it."""

NOBODY: Final = _NOBODY
OWN: Final = _OWN
OTHERS: Final = _OTHERS


class Choice:
    """The flavor of one resource."""

    __slots__ = ("borrow", "flavor", "mode", "slot", "tried")

    def __init__(self, flavor: str, slot: int, mode: int, borrow: int, tried: int) -> None:
        self.flavor = flavor
        self.slot = slot
        self.mode = mode
        self.borrow = borrow
        self.tried = tried


@dataclass(slots=True)
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


@dataclass(slots=True)
class Assignment:
    """What a workload would get.

    Attributes:
        parts: per pod set.
        usage: amounts by slot.
        borrowing: how far up the tree it borrows (0 not at all).
        mode: the worst of the parts.
    """

    parts: list[PartAssignment] = field(default_factory=list)
    usage: dict[int, int] = field(default_factory=dict)
    borrowing: int = 0
    mode: int = NO_FIT

    @property
    def tried(self) -> Tried | None:
        """The flavor tried last, by pod set and resource; ``None`` if none is left to try."""
        for part in self.parts:
            for choice in part.choices.values():
                if choice.tried != -1:
                    return tuple([tuple([(name, one.tried) for name, one in p.choices.items()]) for p in self.parts])
        return None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it does not fit at once, every reason after its pod set."""
        return tuple((part.name, *reason) for part in self.parts for reason in part.reasons)

    @property
    def granted(self) -> tuple[Granted, ...]:
        """What the pod sets get, once it is admitted."""
        return tuple(
            Granted(
                part.name,
                part.count,
                {resource: choice.flavor for resource, choice in sorted(part.choices.items())},
                part.places or (),
            )
            for part in self.parts
        )

    @property
    def slots(self) -> frozenset[int]:
        """The slots it uses, those of an amount of zero included."""
        return frozenset([choice.slot for part in self.parts for choice in part.choices.values()])

    @property
    def short(self) -> frozenset[int]:
        """The slots others would have to leave."""
        return frozenset(
            choice.slot for part in self.parts for choice in part.choices.values() if choice.mode == PREEMPT
        )

    def part(self, name: str) -> PartAssignment:
        """Return the part of a pod set."""
        return next(part for part in self.parts if part.name == name)


NOTHING: Final = Assignment()
"""No quota at all."""


@dataclass(slots=True)
class Known:
    """What queues of the same flavors share: what shapes ask for, and what those get that fit without a choice.

    The latter by the number of the shape and how far up each of its amounts is borrowed.
    """

    asks: dict[int, Asks] = field(default_factory=dict)
    fits: dict[tuple[int, ...], Assignment] = field(default_factory=dict)


class Assigner:
    """Finds flavors for the workloads of one queue."""

    def __init__(self, pool: Pool, oracle: Oracle, known: Known, *, fair: bool, topology: bool) -> None:
        self.pool = pool
        self._oracle = oracle
        self._topology = topology
        self._known = known
        preemption = pool.definition.preemption
        self._preempts_borrowing = preemption.borrow != NEVER or (fair and preemption.reclaim != NEVER)
        self._next_if_preempting = pool.definition.when_can_preempt == TRY_NEXT
        self._stays_home = pool.definition.preference == "PreemptionOverBorrowing"
        self._next_if_borrowing = pool.definition.when_can_borrow == TRY_NEXT

    def asks(self, shape: Shape) -> Asks:
        """Return what a shape asks of the queue at full size; queues of the same flavors share it."""
        asks = self._known.asks.get(shape.number)
        if asks is None:
            asks = self._known.asks[shape.number] = asks_of(self.pool, shape)
        return asks

    def fitting(self, job: Job) -> Assignment | None:
        """Return what a job gets that fits and has no choice of flavors; ``None`` where that takes more to tell.

        Those that fit the same way get the very same assignment.
        """
        single = self.asks(job.shape).single
        if single is None:
            return None
        node = self.pool.node
        usage, quota, far = node.usage, node.quota, [job.shape.number]
        for slot, amount in single:
            if amount and amount > node.free(slot):
                return None
            far.append(reach(node, slot, amount)[0] if usage[slot] + amount > quota[slot] else 0)
        return self._known.fits.get(tuple(far)) or self._known.fits.setdefault(tuple(far), self.assign(job))

    def hopeless(self, job: Job, freed: Freed | None) -> bool:
        """Return whether a job surely does not fit now, whoever leaves; ``False`` where that takes more to tell.

        Args:
            job: the job.
            freed: tells at most how much of a slot others could free for a job; ``None`` where nobody may leave.
        """
        asks = self.asks(job.shape)
        if not asks.simple or (freed is not None and len(asks.offers) > 1):
            return False
        for offers in asks.offers:
            for pairs in offers:
                if not self._no_room(job, pairs, freed):
                    break
            else:
                return True
        return False

    def _no_room(self, job: Job, pairs: tuple[tuple[int, int, str], ...], freed: Freed | None) -> bool:
        """Return whether one flavor has no room; where two resources are short, preemption is not foretold."""
        node, short, asked, left = self.pool.node, -1, 0, 0
        for slot, amount, _ in pairs:
            free = node.free(slot)
            if amount and amount > free:
                if freed is None or amount > node.potential[slot] or not self._may_preempt(slot, amount):
                    return True
                if short >= 0:
                    return False
                short, asked, left = slot, amount, max(0, free)
        if short < 0 or freed is None:
            return False
        return asked - left > freed(self.pool, job, short, asked)

    def _may_preempt(self, slot: int, amount: int) -> bool:
        """Return whether others may be made to leave for an amount that has no room."""
        node = self.pool.node
        return self._preempts_borrowing or amount <= node.nominal[slot] or reach(node, slot, amount)[1]

    def shadow(self, job: Job) -> Assignment | None:
        """Return what is kept in this round for a hopeless job, reasons left out; ``None`` where that takes more."""
        asks = self.asks(job.shape)
        if not asks.single:
            return None
        node = self.pool.node
        found = Assignment()
        for slot, amount in asks.single:
            if amount > node.potential[slot]:
                return NOTHING
            borrow, _ = reach(node, slot, amount)
            if amount > max(0, node.free(slot)) and not self._may_preempt(slot, amount):
                return NOTHING
            found.borrowing = max(found.borrowing, borrow)
            found.usage[slot] = amount
        found.mode = PREEMPT
        return found

    def assign(self, job: Job, counts: list[int] | None = None) -> Assignment:
        """Return what a job would get, at full size or with the counts given."""
        asks = self.asks(job.shape) if counts is None else asks_of(self.pool, job.shape, counts)
        found = Assignment()
        for together in asks.together:
            if not self._assign(job, together, found):
                return found
        found.mode = min([part.mode for part in found.parts], default=NO_FIT)
        if found.mode != NO_FIT and self._topology:
            self._place(job, found)
        return found

    def _assign(self, job: Job, together: Together, found: Assignment) -> bool:
        """Give pod sets that go together their flavors; return whether all of them got some."""
        members = together.members
        choices: dict[str, Choice] = {}
        reasons: list[Reason] = []
        if together.problem is not None:
            reasons.append(together.problem)
        for ask in together.asks:
            why: list[Reason] = []
            start = 0 if job.tried is None else job.next_flavor(members[0].position, ask.first)
            room = self._choose(job, ask, start, found.usage, choices, why)
            if room == _NOTHING:
                choices, reasons = {}, why
                break
            if room != _ROOM:
                reasons += why
        served = True
        for member in members:
            part = PartAssignment(member.name, member.count, {}, reasons if len(members) == 1 else list(reasons))
            found.parts.append(part)
            for resource, amount in member.wants.items():
                choice = choices.get(resource)
                if choice is not None:
                    part.choices[resource] = choice
                    found.borrowing = max(found.borrowing, choice.borrow)
                    found.usage[choice.slot] = found.usage.get(choice.slot, 0) + amount
            served = served and (bool(part.choices) or not member.wants)
        return served

    def _choose(
        self, job: Job, ask: Ask, start: int, used: dict[int, int], choices: dict[str, Choice], reasons: list[Reason]
    ) -> int:
        """Choose the best flavor for the resources of one group; return how well it fits (0 not at all)."""
        best: list[tuple[int, str, int, int]] = []
        best_mode = _WORST
        flavor, tried = "", -1
        for position in range(start, len(ask.offers)):
            tried = position
            offer = ask.offers[position]
            if offer.refusal is not None:
                reasons.append(offer.refusal)
                continue
            got: list[tuple[int, str, int, int]] = []
            worst = _BEST
            for slot, amount, resource in offer.pairs:
                mode = self._fits(job, slot, used.get(slot, 0), amount, reasons)
                if mode is not _BEST and self._worse(mode, worst):
                    worst = mode
                if mode[0] == _NOTHING:
                    break
                got.append((slot, resource, *mode))
            if not self._tries_next(worst):
                best, best_mode, flavor = got, worst, offer.flavor
                break
            if worst[0] > _NOTHING and self._worse(best_mode, worst):
                best, best_mode, flavor = got, worst, offer.flavor
        if tried == len(ask.offers) - 1:
            tried = -1
        for slot, resource, possible, borrow in best:
            choices[resource] = Choice(flavor, slot, _MODE[possible], -borrow, tried)
        return best_mode[0]

    def _fits(self, job: Job, slot: int, before: int, amount: int, reasons: list[Reason]) -> tuple[int, int]:
        """Return how an amount fits, after what pod sets before took, and (negative) how far up it borrows."""
        node = self.pool.node
        total = before + amount
        most = node.potential[slot]
        if total > most:
            reasons.append(("OverCapacity", slot, before, amount, most))
            return _WORST
        free = node.free(slot)
        if total <= free or total == 0:
            if node.parent is None or node.usage[slot] + total <= node.quota[slot]:
                return _BEST
            return _ROOM, -reach(node, slot, total)[0]
        reasons.append(("QuotaInUse", slot, total - max(0, free)))
        borrow, more_above = reach(node, slot, total)
        if total <= node.nominal[slot] or more_above or self._preempts_borrowing:
            possible, borrow = self._oracle(job, slot, total)
            return possible, -borrow
        return _NOTHING, -borrow

    def _worse(self, mode: tuple[int, int], other: tuple[int, int]) -> bool:
        """Return whether a fit is worse than another; whether it borrows counts first where the queue prefers that."""
        if not self._stays_home:
            return mode < other
        return (min(mode[0], _OWN), mode[1], mode[0]) < (min(other[0], _OWN), other[1], other[0])

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
