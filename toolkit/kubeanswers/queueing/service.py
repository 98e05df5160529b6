"""How long jobs wait for GPUs under a quota design: a discrete-event simulation of queues that share one fleet.

Simple semantics, stated: GPUs are whole and alike, nodes are not looked at. Jobs of a queue start in order of
submission, none passes another of its queue. A job that has to leave loses what it did since its last checkpoint (all,
where it keeps none) and waits again in its old place; so does one whose machine is interrupted (:class:`Stops`).

- ``static``: a queue never holds more than its quota.
- ``clusters``: the same, quotas rounded up to whole machines.
- ``borrowing``: a queue may hold more than its quota while GPUs are free, oldest head first. A head within its quota
  that finds no room takes back from queues above theirs: of the one furthest above, its last started job first.
- ``fair``: next is the head of the queue with the smallest share (GPUs held over quota as weight; with one resource
  that is the dominant share). A head takes from the queue with the largest share, last started first, as long as that
  queue afterwards still has no smaller share than its own.

The engine of :mod:`kubeanswers.queueing` decides as Kueue does, for one state of a cluster; this is for months of jobs.
"""

from __future__ import annotations

import heapq
import math
import random
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Final

from kubeanswers.records import dataclass

DESIGNS: Final = ("static", "borrowing", "fair", "clusters")
"""Quota designs, by name."""
Progress = Callable[[float], None]
_EVERY: Final = 1 << 14
_INSTANTS: Final = 240
"""At how many instants, evenly apart, it is noted who holds what."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A job: whose, when it was submitted, how long it runs (seconds) and on how many GPUs."""

    queue: str
    submit: float
    duration: float
    gpus: int


@dataclass(frozen=True)
class Stops:
    """Interruptions of machines, by reclaimed spot capacity or by faults, and what a job keeps of its work.

    Each machine is interrupted by chance, at the same rate at any time and apart from others; a job stands on as many
    whole machines as its GPUs fill, and stops when one of them does. A machine is replaced at once. What is drawn
    depends on the job and on how often it ran, not on the design, so that designs meet the same luck.

    Attributes:
        rate: interruptions of a machine per second.
        machine: GPUs of a machine.
        checkpoint: seconds of work after which a job saves it; infinite: never.
        seed: of the draws.
    """

    rate: float = 0.0
    machine: int = 8
    checkpoint: float = math.inf
    seed: int = 1

    def after(self, job: int, run: int, gpus: int) -> float:
        """Return seconds until a run of a job is interrupted; infinite where it never is."""
        if not self.rate:
            return math.inf
        drawn = random.Random(f"{self.seed}/{job}/{run}").random()  # noqa: S311
        return -math.log1p(-drawn) / (self.rate * -(-gpus // self.machine))

    def kept(self, ran: float) -> float:
        """Return the seconds of a run that count after it was cut short."""
        return 0.0 if math.isinf(self.checkpoint) else ran // self.checkpoint * self.checkpoint


CALM: Final = Stops()
"""No machine is ever interrupted."""


@dataclass(frozen=True)
class Served:
    """What one queue got.

    Attributes:
        queue: its name.
        quota: its GPUs.
        waits: seconds every job waited, from submission to the start of the run that finished; in order of submission.
        never: jobs that can never start under the design.
        on_time: share of the GPU time asked for by jobs that waited no longer than the target.
        preemptions: times one of its jobs had to leave.
        lost: GPU seconds that were run in vain.
        interruptions: times a machine of one of its jobs was interrupted.
    """

    queue: str
    quota: int
    waits: Sequence[float]
    never: int
    on_time: float
    preemptions: int
    lost: float
    interruptions: int = 0

    def wait(self, percent: float) -> float:
        """Return a percentile of the wait in s (nearest rank); infinite where that job never starts; 0 without jobs."""
        count = len(self.waits) + self.never
        if not count:
            return 0.0
        rank = max(0, math.ceil(count * percent / 100) - 1)
        return math.inf if rank >= len(self.waits) else sorted(self.waits)[rank]


@dataclass(frozen=True)
class Service:
    """What a design gave all queues.

    Attributes:
        design: one of :data:`DESIGNS`.
        gpus: the fleet.
        queues: what each queue got, by name.
        utilisation: GPU time in use over GPU time there was, from the first submission to the last.
        stranded: GPUs on average idle while jobs wait that ask for as many.
        idle: GPUs on average idle.
        peak: most GPUs in use at a time.
        left: GPUs still held when all has finished: 0.
        instants: seconds at which it was noted who holds what, evenly apart from the first submission to the last.
        held: GPUs every queue held at each of them, in the order of ``queues``.
        forced: how often a job of one queue (first name) made one of another (second name) leave.
    """

    design: str
    gpus: int
    queues: tuple[Served, ...]
    utilisation: float
    stranded: float
    idle: float
    peak: int
    left: int
    instants: tuple[float, ...] = ()
    held: tuple[tuple[int, ...], ...] = ()
    forced: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def borrowed(self) -> dict[tuple[str, str], float]:
        """Return the GPUs one queue (first name) on average had from another's quota, over the instants noted.

        GPUs are alike, so whose idle quota a borrowed one is cannot be told: each lender is counted in proportion to
        what it leaves idle.
        """
        found: dict[tuple[str, str], float] = {}
        for held in self.held:
            over = [(one.queue, used - one.quota) for one, used in zip(self.queues, held, strict=True)]
            idle = -sum(more for _, more in over if more < 0)
            for borrower, more in over:
                if more > 0:
                    for lender, less in over:
                        if less < 0:
                            pair = borrower, lender
                            found[pair] = found.get(pair, 0.0) - more * less / idle / len(self.held)
        return found

    @property
    def jain(self) -> float:
        """Jain's index of the queues' shares served on time: 1 where all are served alike."""
        shares = [one.on_time for one in self.queues]
        squares = sum(share * share for share in shares)
        return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0

    def within(self, target: float, percent: float) -> bool:
        """Return whether every queue's percentile of the wait keeps the target."""
        return all(one.wait(percent) <= target for one in self.queues)


def simulate(
    jobs: Sequence[Asked],
    quotas: Mapping[str, int],
    design: str,
    *,
    machine: int = 8,
    target: float = 3600.0,
    stops: Stops | None = None,
    progress: Progress | None = None,
) -> Service:
    """Return how jobs are served under a design; the fleet is the sum of the quotas.

    Args:
        jobs: in order of submission.
        quotas: GPUs of every queue.
        design: one of :data:`DESIGNS`.
        machine: GPUs of a machine, to which ``clusters`` rounds.
        target: longest wait that counts as on time, seconds.
        stops: interruptions of machines, and checkpoints; none unless given.
        progress: told the share done, from time to time.
    """
    return _Run(jobs, quotas, design, machine, stops).run(target, progress)


class _TooManyLateError(Exception):
    """A queue's percentile of the wait cannot keep the target any more."""


class _Run:
    """The state of one simulation."""

    def __init__(
        self,
        jobs: Sequence[Asked],
        quotas: Mapping[str, int],
        design: str,
        machine: int,
        stops: Stops | None = None,
    ) -> None:
        self.design = design
        self.stops = stops or CALM
        self.names = sorted(quotas)
        number = {name: at for at, name in enumerate(self.names)}
        self.quota = [quotas[name] for name in self.names]
        if design == "clusters":
            self.quota = [-(-quota // machine) * machine for quota in self.quota]
        self.total = sum(self.quota)
        self.shared = design in ("borrowing", "fair")
        self.owner = array("l", (number[job.queue] for job in jobs))
        self.gpus = array("l", (job.gpus for job in jobs))
        self.duration = array("d", (job.duration for job in jobs))
        self.submit = array("d", (job.submit for job in jobs))
        count = len(self.names)
        self.used = [0] * count
        self.waiting: list[list[int]] = [[] for _ in range(count)]
        self.heads: set[int] = set()
        self.holding: list[dict[int, None]] = [{} for _ in range(count)]
        self.started = array("d", bytes(8 * len(jobs)))
        self.begun = array("l", [0]) * len(jobs)
        self.ends: list[tuple[float, int, int]] = []
        self.in_use = self.asked = self.peak = 0
        self.lost, self.gone, self.never = [0.0] * count, [0] * count, [0] * count
        self.left, self.stopping, self.stopped = array("d", self.duration), set[int](), [0] * count
        self.busy = self.strand = 0.0
        self.instants: list[float] = []
        self.held: list[tuple[int, ...]] = []
        self.forced: dict[tuple[int, int], int] = {}
        self.target = math.inf
        self.late = bytearray(len(jobs))
        self.may_be_late = [len(jobs)] * count

    def keeps(self, target: float, percent: float) -> bool:
        """Return whether every queue's percentile of the wait keeps a target; stops as soon as one cannot any more."""
        self.target = target
        counts = [0] * len(self.names)
        for owner in self.owner:
            counts[owner] += 1
        self.may_be_late = [count - math.ceil(count * percent / 100) for count in counts]
        self._play(None)
        return min(self.may_be_late) >= 0

    def _is_late(self, job: int, owner: int) -> None:
        if not self.late[job]:
            self.late[job] = True
            self.may_be_late[owner] -= 1
            if self.may_be_late[owner] < 0:
                raise _TooManyLateError

    def run(self, target: float, progress: Progress | None) -> Service:
        self._play(progress)
        return self._told(target, self.submit[-1] - self.submit[0] if len(self.submit) else 0.0)

    def _play(self, progress: Progress | None) -> None:
        try:
            self._events(progress)
        except _TooManyLateError:
            return

    def _events(self, progress: Progress | None) -> None:
        jobs, ends = len(self.submit), self.ends
        last = self.submit[-1] if jobs else 0.0
        now = self.submit[0] if jobs else 0.0
        first, span, at = now, last - now, 0
        noted = now if span else math.inf
        while at < jobs or ends:
            then = min(ends[0][0] if ends else math.inf, self.submit[at] if at < jobs else math.inf)
            if now < last:
                passed = min(then, last) - now
                self.busy += passed * self.in_use
                self.strand += passed * min(self.total - self.in_use, self.asked)
            while noted < then:
                self.instants.append(noted)
                self.held.append(tuple(self.used))
                count = len(self.instants)
                noted = first + span * count / _INSTANTS if count < _INSTANTS else math.inf
            now = then
            touched = set[int]()
            while ends and ends[0][0] == now:
                touched |= self._finish(*heapq.heappop(ends))
            while at < jobs and self.submit[at] == now:
                touched |= self._arrive(at)
                at += 1
                if progress is not None and at % _EVERY == 0:
                    progress(at / jobs)
            if touched:
                self._start_all(now, touched)

    def _finish(self, now: float, job: int, run: int) -> set[int]:
        if self.begun[job] != run:
            return set()  # it had to leave before
        owner = self.owner[job]
        if job in self.stopping:
            self.stopped[owner] += 1
            self._leave(job, owner, now)
            return {owner}
        self._release(job, owner)
        self.begun[job] = -run
        return {owner}

    def _release(self, job: int, owner: int) -> None:
        del self.holding[owner][job]
        self.used[owner] -= self.gpus[job]
        self.in_use -= self.gpus[job]

    def _arrive(self, job: int) -> set[int]:
        owner = self.owner[job]
        if self.gpus[job] > (self.total if self.shared else self.quota[owner]):
            self.never[owner] += 1
            if self.target < math.inf:
                self._is_late(job, owner)
            return set()
        self._queue(job, owner)
        return {owner}

    def _queue(self, job: int, owner: int) -> None:
        heapq.heappush(self.waiting[owner], job)
        self.heads.add(owner)
        self.asked += self.gpus[job]

    def _start(self, owner: int, now: float) -> None:
        job = heapq.heappop(self.waiting[owner])
        if not self.waiting[owner]:
            self.heads.discard(owner)
        gpus = self.gpus[job]
        self.asked -= gpus
        self.used[owner] += gpus
        self.in_use += gpus
        self.peak = max(self.peak, self.in_use)
        self.holding[owner][job] = None
        self.started[job] = now
        if now - self.submit[job] > self.target:
            self._is_late(job, owner)
        self.begun[job] += 1
        lasts = self.left[job]
        if self.stops.rate and (stop := self.stops.after(job, self.begun[job], gpus)) < lasts:
            self.stopping.add(job)
            lasts = stop
        heapq.heappush(self.ends, (now + lasts, job, self.begun[job]))

    def _start_all(self, now: float, touched: set[int]) -> None:
        if not self.shared:
            for owner in sorted(touched & self.heads):
                self._start_own(owner, now)
            return
        while self.heads:
            for owner in sorted(self.heads, key=self._turn):
                gpus = self.gpus[self.waiting[owner][0]]
                short = gpus - (self.total - self.in_use)
                if short > 0:
                    victims = self._victims(owner, gpus, short)
                    if not victims:
                        continue
                    for job in victims:
                        pair = owner, self.owner[job]
                        self.forced[pair] = self.forced.get(pair, 0) + 1
                        self._evict(job, now)
                self._start(owner, now)
                break
            else:
                return

    def _start_own(self, owner: int, now: float) -> None:
        queue, quota = self.waiting[owner], self.quota[owner]
        while queue and self.used[owner] + self.gpus[queue[0]] <= quota:
            self._start(owner, now)

    def _turn(self, owner: int) -> tuple[float, int]:
        head = self.waiting[owner][0]
        return (self._share(owner, self.used[owner]), head) if self.design == "fair" else (0.0, head)

    def _share(self, owner: int, used: int) -> float:
        return used / self.quota[owner] if self.quota[owner] else math.inf if used else 0.0

    def _above(self, owner: int, used: int) -> float:
        """Return how much there is to take from a queue: its share, or GPUs above its quota."""
        return self._share(owner, used) if self.design == "fair" else used - self.quota[owner]

    def _victims(self, owner: int, gpus: int, short: int) -> list[int]:
        """Return jobs that have to leave for a head, or none if not enough may."""
        fair, mine = self.design == "fair", self.used[owner] + gpus
        floor = self._share(owner, mine) if fair else 0.0
        if math.isinf(floor) or (not fair and mine > self.quota[owner]):
            return []
        used = {
            one: held for one, held in enumerate(self.used) if one != owner and held and self._above(one, held) > floor
        }
        left = {one: reversed(self.holding[one]) for one in used}
        found: list[int] = []
        while short > 0 and used:
            victim = max(used, key=lambda one: (self._above(one, used[one]), -one))
            job = next(left[victim], None)
            after = used[victim] - (self.gpus[job] if job is not None else 0)
            if job is None or (self._share(victim, after) < floor if fair else used[victim] <= self.quota[victim]):
                del used[victim]
                continue
            used[victim] = after
            short -= self.gpus[job]
            found.append(job)
        return found if short <= 0 else []

    def _evict(self, job: int, now: float) -> None:
        owner = self.owner[job]
        self.gone[owner] += 1
        self._leave(job, owner, now)

    def _leave(self, job: int, owner: int, now: float) -> None:
        """Put a job that was cut short back into its queue, with what it still has to do."""
        self._release(job, owner)
        self.stopping.discard(job)
        ran = now - self.started[job]
        kept = self.stops.kept(ran)
        self.left[job] -= kept
        self.lost[owner] += (ran - kept) * self.gpus[job]
        self.begun[job] += 1  # the end of this run no longer counts
        self._queue(job, owner)

    def _told(self, target: float, span: float) -> Service:
        count = len(self.names)
        waits = [array("d") for _ in range(count)]
        asked, on_time = [0.0] * count, [0.0] * count
        for job, owner in enumerate(self.owner):
            work = self.gpus[job] * self.duration[job]
            asked[owner] += work
            if self.begun[job]:
                wait = self.started[job] - self.submit[job]
                waits[owner].append(wait)
                on_time[owner] += work if wait <= target else 0.0
        whole = self.total * span
        return Service(
            self.design,
            self.total,
            tuple(
                Served(
                    name,
                    self.quota[at],
                    waits[at],
                    self.never[at],
                    on_time[at] / asked[at] if asked[at] else 1.0,
                    self.gone[at],
                    self.lost[at],
                    self.stopped[at],
                )
                for at, name in enumerate(self.names)
            ),
            self.busy / whole if whole else 0.0,
            self.strand / span if span else 0.0,
            self.total - self.busy / span if span else 0.0,
            self.peak,
            self.in_use,
            tuple(self.instants),
            tuple(self.held),
            {(self.names[by], self.names[gone]): times for (by, gone), times in sorted(self.forced.items())},
        )


def scaled(quotas: Mapping[str, int], gpus: int) -> dict[str, int]:
    """Return quotas in the same proportions that add up to a fleet (largest remainders)."""
    total = sum(quotas.values())
    exact = {name: gpus * quota / total for name, quota in quotas.items()}
    found = {name: math.floor(share) for name, share in exact.items()}
    rest = gpus - sum(found.values())
    for name in sorted(exact, key=lambda one: (found[one] - exact[one], one))[:rest]:
        found[name] += 1
    return found


def smallest_fleet(
    jobs: Sequence[Asked],
    quotas: Mapping[str, int],
    design: str,
    *,
    machine: int = 8,
    target: float = 3600.0,
    percent: float = 95.0,
    stops: Stops | None = None,
) -> int:
    """Return the smallest fleet found by bisection under which every queue's percentile of the wait keeps a target.

    Without sharing every queue is sized alone and the results are added up; with sharing, quotas keep the proportions
    given. A wait need not fall with every GPU more, so a smaller fleet that happens to keep it may be missed.
    """
    if design in ("static", "clusters"):
        total = 0
        for name in quotas:
            own = [job for job in jobs if job.queue == name]
            if own:
                need = _least(own, {name: 1}, "static", target, percent, stops)
                total += -(-need // machine) * machine if design == "clusters" else need
        return total
    return _least(jobs, quotas, design, target, percent, stops)


def _least(
    jobs: Sequence[Asked],
    quotas: Mapping[str, int],
    design: str,
    target: float,
    percent: float,
    stops: Stops | None,
) -> int:
    def keeps(gpus: int) -> bool:
        return _Run(jobs, scaled(quotas, gpus), design, 1, stops).keeps(target, percent)

    low, high = max(job.gpus for job in jobs), _peak(jobs)
    while not keeps(high):
        low, high = high + 1, high * 2
    while low < high:
        middle = (low + high) // 2
        if keeps(middle):
            high = middle
        else:
            low = middle + 1
    return high


def _peak(jobs: Sequence[Asked]) -> int:
    """Return the most GPUs in use if nobody ever waits."""
    changes = sorted(
        [(job.submit + job.duration, -job.gpus) for job in jobs] + [(job.submit, job.gpus) for job in jobs]
    )
    held = most = 0
    for _, gpus in changes:
        held += gpus
        most = max(most, held)
    return most
