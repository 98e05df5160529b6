"""What workloads ask for, once per kind: thousands of jobs are often copies of a few.

Two workloads of the same shape get the same answers, so what is worked out for one holds for the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeanswers.queueing.values import Granted, PodSet, Workload


class Shape:
    """The pod sets of a workload.

    Attributes:
        number: tells shapes apart.
        pod_sets: the pod sets.
        totals: what each asks for at full size.
        groups: positions of pod sets that get the same flavors, in order.
        partial: whether some pod set may start smaller.
        explicit: whether some pod set asks for a topology.
    """

    __slots__ = ("explicit", "groups", "number", "partial", "pod_sets", "totals")

    def __init__(self, number: int, pod_sets: tuple[PodSet, ...]) -> None:
        self.number = number
        self.pod_sets = pod_sets
        self.totals = [scaled(part, part.count) for part in pod_sets]
        groups: dict[str, list[int]] = {}
        for position, part in enumerate(pod_sets):
            named = part.topology.group if part.topology else ""
            groups.setdefault(named or f"/{position}", []).append(position)
        self.groups = list(groups.values())
        self.partial = any(part.min_count is not None and part.min_count < part.count for part in pod_sets)
        self.explicit = any(part.topology is not None and part.topology.explicit for part in pod_sets)


def scaled(part: PodSet, count: int) -> dict[str, int]:
    """Return what a number of its pods ask for."""
    return {resource: amount * count for resource, amount in part.requests.items()}


class Shapes:
    """The shapes seen so far."""

    def __init__(self) -> None:
        self._known: dict[object, Shape] = {}

    def of(self, workload: Workload) -> Shape:
        """Return the shape of a workload."""
        key = tuple(map(_key, workload.pod_sets))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Shape(len(self._known), workload.pod_sets)
        return found


def _key(part: PodSet) -> object:
    amounts = tuple(part.requests.items())
    if part.min_count is None and not part.node_selector and not part.tolerations:
        return part.name, part.count, amounts, part.affinity, part.topology
    return (
        part.name,
        part.count,
        amounts,
        part.affinity,
        part.topology,
        part.min_count,
        tuple(part.node_selector.items()),
        part.tolerations,
    )


Tried = tuple[tuple[tuple[str, int], ...], ...]
"""Per pod set the flavor of each resource that was tried last."""


class Job:
    """A workload on its way: waiting or running.

    Attributes:
        tried: per pod set the flavor tried last of each resource; ``None`` unless more are to be tried.
        generation: the queue's state of quotas when that was.
        got: what was granted, while it holds quota: an assignment, or ``Placed``.
        holds: amounts it holds, by slot.
        slots: the slots it uses, those of an amount of zero included.
        places: flavor, leaf, requests of one pod and number of pods, where a topology holds it.
        since: when its quota was reserved.
        evicted: whether it is on its way out.
        held: whether it was drained and waits for its queue to be started again.
        found: what it would get and why not yet, as last looked at; ``None`` where it was not looked at.
    """

    __slots__ = (
        "created",
        "evicted",
        "found",
        "generation",
        "got",
        "held",
        "holds",
        "key",
        "places",
        "priority",
        "queue",
        "shape",
        "since",
        "slots",
        "tried",
        "uid",
        "workload",
    )

    def __init__(self, workload: Workload, shape: Shape, queue: str) -> None:
        self.workload = workload
        self.key = workload.key
        self.shape = shape
        self.queue = queue
        self.priority = workload.priority
        self.created = workload.created
        self.uid = workload.uid or workload.key
        self.tried: Tried | None = None
        self.generation = 0
        self.got: Any = None
        self.holds: Mapping[int, int] = {}
        self.slots: frozenset[int] = frozenset()
        self.places: tuple[tuple[str, tuple[str, ...], dict[str, int], int], ...] = ()
        self.since = 0.0
        self.evicted = False
        self.held = False
        self.found: Any = None

    @property
    def order(self) -> tuple[bool, int, float, str]:
        """Which of two running jobs goes first: leaving ones, low priority, the latest to start."""
        return (not self.evicted, self.priority, -self.since, self.uid)

    def next_flavor(self, part: int, resource: str) -> int:
        """Return the position of the first flavor to try."""
        if self.tried is None or part >= len(self.tried):
            return 0
        return dict(self.tried[part]).get(resource, -1) + 1

    def reset(self) -> None:
        """Forget what it held: it is waiting again."""
        self.tried = None
        self.got, self.holds, self.places, self.slots = None, {}, (), frozenset()
        self.evicted = False


class Placed:
    """What a workload holds that was not admitted here."""

    def __init__(self, granted: tuple[Granted, ...]) -> None:
        self.granted = granted
