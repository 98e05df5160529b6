"""A design of queues at work: workloads arrive, finish and are evicted, rounds are run.

After every event rounds follow until nothing changes any more, or so many have passed that nothing will.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from kubeanswers.collector import paused_collector
from kubeanswers.queueing.assignment import Assignment
from kubeanswers.queueing.fairness import NONE, share, shown
from kubeanswers.queueing.forest import Forest, Plan
from kubeanswers.queueing.leaving import Target
from kubeanswers.queueing.pool import Pool
from kubeanswers.queueing.rounds import Admitted, Preempted, Round, Scheduler
from kubeanswers.queueing.shapes import Job, Placed, Shapes
from kubeanswers.queueing.tree import Node, Slots
from kubeanswers.queueing.values import Design, Reserved, Settings, Workload
from kubeanswers.records import dataclass


@dataclass(frozen=True)
class Step:
    """A round in which something happened."""

    cycle: int
    admitted: tuple[Admitted, ...]
    preempted: tuple[Preempted, ...]


@dataclass
class Course:
    """What followed an event.

    Attributes:
        cycles: rounds run, idle ones included.
        settled: whether it came to rest.
        looked_at: workloads looked at.
    """

    cycles: int = 0
    settled: bool = True
    looked_at: int = 0
    steps: list[Step] = field(default_factory=list)


class Engine:
    """A design at work."""

    START = 1_000_000.0
    """Seconds at which the first round takes place; every round takes one."""

    def __init__(self, design: Design, settings: Settings) -> None:
        self.settings = settings
        self.slots = Slots()
        self._shapes = Shapes()
        self._plan = Plan(design, topology=settings.topology_aware, version=settings.version)
        self._local_queues = design.local_queues
        self._namespaces = design.namespaces
        self.forest = Forest({}, {})
        self.jobs: dict[str, Job] = {}
        self.cycle = 0
        self._leaving: list[tuple[int, str, Job]] = []
        self._rebuild()

    def _rebuild(self) -> None:
        """Make the tree anew from the definitions; who waits and who runs stays."""
        self.forest = self._plan.forest(self.slots, self.forest)
        self.pools, self.nodes = self.forest.pools, self.forest.nodes
        self._scheduler = Scheduler(self.pools, self.slots, self.settings, self._namespaces)

    # What happens to it

    def finish(self, keys: Iterable[str]) -> None:
        """End workloads: running ones give back their quota, waiting ones are withdrawn."""
        for key in keys:
            job = self.jobs.pop(key, None)
            if job is None:
                continue
            pool = self.pools.get(job.queue)
            if pool is None:
                continue
            if key in pool.running:
                self._release(job)
                self._wake(pool.root)
            pool.waiting.drop(key)

    def place(self, reserved: Reserved) -> None:
        """Put in a workload that already runs."""
        workload = reserved.workload
        job = Job(workload, self._shapes.of(workload), reserved.cluster_queue)
        pool = self.pools[reserved.cluster_queue]
        holds: dict[int, int] = {}
        slots = set()
        places = []
        for part, got in zip(workload.pod_sets, reserved.pod_sets, strict=True):
            for resource, flavor in got.flavors.items():
                slot = self.slots.number(flavor, resource)
                slots.add(slot)
                amount = got.count if resource == "pods" else part.requests.get(resource, 0) * got.count
                holds[slot] = holds.get(slot, 0) + amount
            places += [
                (flavor, domain.values, dict(part.requests), domain.count)
                for domain in got.topology
                for flavor in set(got.flavors.values())
            ]
        if any(slot >= len(pool.node.usage) for slot in slots):
            self._rebuild()
            pool = self.pools[reserved.cluster_queue]
        job.got, job.holds, job.slots = Placed(reserved.pod_sets), holds, frozenset(slots)
        job.places, job.since, job.evicted = tuple(places), reserved.at, reserved.evicted
        self.jobs[workload.key] = job
        pool.admit(job)
        self._hold(job, pool)
        if reserved.evicted:
            self._leaving.append((self.cycle + 1, "", job))

    def arrive(self, workloads: Iterable[Workload]) -> list[Workload]:
        """Put workloads into their queues; return those whose queue does not exist."""
        with paused_collector():
            return self._arrive(workloads)

    def _arrive(self, workloads: Iterable[Workload]) -> list[Workload]:
        lost = []
        for workload in workloads:
            name = self._local_queues.get(f"{workload.namespace}/{workload.local_queue}", "")
            pool = self.pools.get(name)
            if pool is None:
                lost.append(workload)
                continue
            job = Job(workload, self._shapes.of(workload), name)
            self.jobs[workload.key] = job
            pool.waiting.push(job)
        return lost

    def run(self, most: int | None = None) -> Course:
        """Run rounds until nothing changes, at most so many."""
        with paused_collector():
            return self._run(most)

    def _run(self, most: int | None) -> Course:
        course = Course()
        patience = 2 * max((len(g.flavors) for pool in self.pools.values() for g in pool.groups), default=1) + 3
        idle = 0
        while True:
            if not self._scheduler.busy or idle >= patience:
                if not self._leaving:
                    return course
                self._let_go(everybody=True)
                idle = 0
                continue
            if most is not None and course.cycles >= most:
                course.settled = False
                return course
            self.cycle += 1
            course.cycles += 1
            done = self._scheduler.round(self.START + self.cycle)
            course.looked_at += done.looked_at
            if done.admitted or done.preempted:
                course.steps.append(Step(self.cycle, tuple(done.admitted), tuple(done.preempted)))
            self._after(done)
            released = self._let_go()
            idle = 0 if done.admitted or done.preempted or done.moved or released else idle + 1

    def _after(self, done: Round) -> None:
        for admitted in done.admitted:
            self.pools[admitted.queue].generation += 1
        for gone in sorted(done.preempted, key=lambda one: (one.by, one.job.workload.name)):
            self._leaving.append((self.cycle + self.settings.eviction_delay, gone.by, gone.job))
            if self.settings.eviction_delay:
                self.pools[gone.queue].evict(gone.job)
                self._scheduler.changed(self.pools[gone.queue])
                self.pools[gone.queue].generation += 1

    def _let_go(self, *, everybody: bool = False) -> bool:
        """Return quota of preempted workloads and put them back into their queues."""
        due = [one for one in self._leaving if everybody or one[0] <= self.cycle]
        self._leaving = [one for one in self._leaving if one not in due]
        for _, _, job in due:
            if job.key not in self.jobs:
                continue
            pool = self.pools[job.queue]
            self._release(job)
            pool.waiting.push(job)
            self._wake(pool.root)
        return bool(due)

    def _hold(self, job: Job, pool: Pool) -> None:
        self._scheduler.changed(pool)
        for slot, amount in job.holds.items():
            pool.node.take(slot, amount)
        for flavor, leaf, requests, count in job.places:
            if flavor in self._plan.places:
                self._plan.places[flavor].change(leaf, requests, count)

    def _release(self, job: Job) -> None:
        pool = self.pools[job.queue]
        pool.leave(job)
        self._scheduler.changed(pool)
        for slot, amount in job.holds.items():
            pool.node.give(slot, amount)
        for flavor, leaf, requests, count in job.places:
            if flavor in self._plan.places:
                self._plan.places[flavor].change(leaf, requests, -count)
        job.reset()

    def _wake(self, root: Node) -> None:
        """Put everybody aside in a tree back into the queues."""
        for pool in self._pools_of(root):
            parked = pool.waiting.parked
            if not parked:
                continue
            kept = {}
            for key, job in parked.items():
                if self._scheduler.welcome(pool, job):
                    pool.waiting.push(job)
                else:
                    kept[key] = job
            pool.waiting.parked = kept

    def _pools_of(self, root: Node) -> list[Pool]:
        if root.queue:
            return [self.pools[root.name]]
        found: list[Pool] = []
        for child in root.children:
            found += self._pools_of(child)
        return found

    # What it shows

    def welcome(self, pool: Pool, job: Job) -> bool:
        """Return whether a queue takes a job: its namespace is selected, and it was not drained."""
        return self._scheduler.welcome(pool, job)

    def explain(self, pool: Pool, job: Job) -> tuple[Assignment, Sequence[Target]]:
        """Return what a waiting job would get now, and who would have to leave for it."""
        return self._scheduler.explain(pool, job)

    def running(self) -> dict[str, Job]:
        """Return who holds quota, by namespace and name."""
        return {key: job for pool in self.pools.values() for key, job in pool.running.items()}

    def named(self, amounts: Mapping[int, int]) -> dict[str, int]:
        """Return amounts by ``flavor|resource``, zeros left out."""
        return {"|".join(self.slots.names[slot]): amount for slot, amount in amounts.items() if amount}

    def usage(self, node: Node) -> dict[str, int]:
        """Return what counts against a queue or a cohort."""
        return self.named(dict(enumerate(node.usage)))

    def quota(self, node: Node) -> dict[str, int]:
        """Return a node's quota, what members lend included."""
        return self.named(dict(enumerate(node.quota)))

    def free(self, pool: Pool) -> dict[str, int]:
        """Return what a queue could still take, borrowing included, for every slot it has quota of."""
        return {"|".join(self.slots.names[slot]): max(0, pool.node.free(slot)) for slot in pool.node.slots}

    def shares(self) -> dict[str, float | str]:
        """Return the shares above zero, of queues by name and of cohorts as ``cohort:NAME``."""
        active = [pool.node for pool in self.pools.values() if pool.inactive is None]
        nodes = [*active, *self.nodes.values()]
        values = {node.key: share(node, self.slots) for node in nodes}
        return {key: shown(value) for key, value in values.items() if value != NONE}
