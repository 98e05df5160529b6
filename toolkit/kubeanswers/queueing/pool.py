"""One cluster queue at work: its definition made ready, who waits in it and who runs."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.queueing.shapes import Job
from kubeanswers.queueing.topology import Places
from kubeanswers.queueing.tree import Node, Slots
from kubeanswers.queueing.values import (
    LOWER_OR_NEWER,
    NEVER,
    ClusterQueue,
    Flavor,
    PodSet,
    ResourceGroup,
    TopologyRequest,
)
from kubeanswers.scheduling.values import NodeTerm, holds

Ranked = tuple[bool, int, float, str, Job]
"""A running job after its rank: leaving ones first, then low priority, the latest to start, and its UID."""

Reason = tuple[object, ...]
"""Why something does not fit: an identifier and what it speaks of."""

_HARD: Final = ("NoSchedule", "NoExecute")


class Waiting:
    """Who waits in one queue: those that will be looked at, in order, and those looked at in vain.

    Attributes:
        live: those that will be looked at, by key.
    """

    __slots__ = ("_count", "_heap", "live", "parked", "sticky")

    def __init__(self) -> None:
        self._heap: list[tuple[bool, int, float, int, Job]] = []
        self.live: dict[str, int] = {}
        self._count = 0
        self.parked: dict[str, Job] = {}
        self.sticky = ""

    def push(self, job: Job) -> None:
        """Put a job into the queue."""
        key = job.key
        if key in self.live:
            return
        self._count += 1
        self.live[key] = self._count
        heapq.heappush(self._heap, (key != self.sticky, -job.priority, job.created, self._count, job))

    def pop(self) -> Job:
        """Take out the first; somebody has to be waiting."""
        live = self.live
        while True:
            *_, number, job = heapq.heappop(self._heap)
            key = job.key
            if live.get(key) == number:
                del live[key]
                return job

    def drop(self, key: str) -> None:
        """Forget a job: it was admitted or is gone."""
        self.live.pop(key, None)
        self.parked.pop(key, None)
        if self.sticky == key:
            self.sticky = ""

    def __bool__(self) -> bool:
        return bool(self.live)

    @property
    def queued(self) -> list[Job]:
        """Those that will be looked at, in order."""
        return [job for *_, number, job in sorted(self._heap) if self.live.get(job.key) == number]


class Group:
    """A resource group made ready: per flavor its slots, and the labels of which a pod's node terms are heeded.

    Those are the labels of all flavors of the group or, with ``own_labels``, of the flavor alone.
    """

    __slots__ = ("flavors", "keys", "resources", "slots")

    def __init__(self, group: ResourceGroup, flavors: Mapping[str, Flavor], slots: Slots, *, own_labels: bool) -> None:
        self.resources = frozenset(group.resources)
        self.flavors = [quotas.flavor for quotas in group.flavors]
        self.slots = [{name: slots.number(flavor, name) for name in group.resources} for flavor in self.flavors]
        own = {name: frozenset(flavors[name].labels) for name in self.flavors if name in flavors}
        every = frozenset[str]().union(*own.values())
        self.keys = own if own_labels else dict.fromkeys(own, every)


class Pool:
    """A cluster queue at work.

    Attributes:
        topology: whether pods are placed in topologies at all.
        drops_zeros: whether nothing asked of a resource it has no quota of is no obstacle.
        definition: what it was made from.
        node: its place in the tree; ``root`` the top of it.
        group_of: the resource group of each resource.
        generation: grows whenever quota may have become free.
        inactive: why it does not admit; empty if it does.
        places: topologies by flavor.
        running: jobs that hold its quota.
        ranked: running jobs by slot, those to preempt first; kept while ``watched``.
        passive: whether it preempts nobody.
        by_age: whether its preemption asks who came first.
        answers: what was found for jobs of the same kind, while the tree's version is ``answered``.
    """

    def __init__(
        self,
        definition: ClusterQueue,
        flavors: Mapping[str, Flavor],
        slots: Slots,
        *,
        topology: bool,
        drops_zeros: bool = False,
        own_labels: bool = False,
    ) -> None:
        self.topology = topology
        self.drops_zeros = drops_zeros
        self.definition = definition
        self.name = definition.name
        self.node = Node(definition.name, definition.weight, queue=True)
        self.flavors = flavors
        self.groups = [Group(group, flavors, slots, own_labels=own_labels) for group in definition.groups]
        self.group_of = {name: group for group in reversed(self.groups) for name in group.resources}
        self.root = self.node
        self.generation = 1
        self.inactive: tuple[str, str] | None = None
        self.places: dict[str, Places] = {}
        self.waiting = Waiting()
        self.running: dict[str, Job] = {}
        self.watched = False
        self.ranked: dict[int, list[Ranked]] = {}
        self.by_age = LOWER_OR_NEWER in (definition.preemption.within_queue, definition.preemption.reclaim)
        self.topology_only = False
        self.answers: dict[object, Any] = {}
        self.answered = -1
        self.passive = not topology and definition.preemption.within_queue == definition.preemption.reclaim == NEVER

    @property
    def kind(self) -> object:
        """What the flavors it offers for a shape depend on."""
        return self.topology_only, tuple((group.resources, *group.flavors) for group in self.groups)

    def admit(self, job: Job) -> None:
        """Count a job as running; its quota has to be taken in the tree besides."""
        self.running[job.key] = job
        if self.watched:
            self._enlist(job)

    def leave(self, job: Job) -> None:
        """Stop counting a job as running."""
        del self.running[job.key]
        if self.watched:
            self._unlist(job)
        self.generation += 1

    def evict(self, job: Job) -> None:
        """Mark a job as on its way out."""
        self._unlist(job)
        job.evicted = True
        self._enlist(job)

    def watch(self) -> None:
        """Keep the running jobs in order from now on: somebody may preempt them."""
        self.watched = True
        for job in self.running.values():
            self._enlist(job)

    def _enlist(self, job: Job) -> None:
        entry = (*job.order, job)
        for slot in job.slots:
            insort(self.ranked.setdefault(slot, []), entry)

    def _unlist(self, job: Job) -> None:
        for slot in job.slots:
            ranked = self.ranked[slot]
            del ranked[bisect_left(ranked, job.order)]

    def candidates(self, slots: frozenset[int]) -> list[Ranked]:
        """Return who uses any of the slots, those to preempt first."""
        if len(slots) == 1:
            return self.ranked.get(next(iter(slots)), [])
        found = {entry[3]: entry for slot in slots for entry in self.ranked.get(slot, ())}
        return sorted(found.values())

    def refusal(self, parts: list[PodSet], name: str, group: Group) -> Reason | None:
        """Return why pod sets may not use a flavor; ``None`` if they may."""
        flavor = self.flavors.get(name)
        if flavor is None:
            return ("FlavorNotFound", name)
        for part in parts:
            found = self._topology_refusal(part, flavor) or _node_refusal(part, flavor, group)
            if found is not None:
                return found
        return None

    def _topology_refusal(self, part: PodSet, flavor: Flavor) -> Reason | None:
        if not self.topology:
            return None
        request = part.topology
        if not self.wants_topology(part):
            return ("TopologyOnly", flavor.name) if flavor.topology else None
        if self.implied(part) or request is None:
            return None
        if not flavor.topology:
            return ("NoTopology", flavor.name)
        return None if self._has_level(flavor, request) else ("NoTopologyLevel", flavor.name)

    def _has_level(self, flavor: Flavor, request: TopologyRequest) -> bool:
        places = self.places.get(flavor.name)
        return places is not None and places.has_level(request)

    def implied(self, part: PodSet) -> bool:
        """Return whether the queue's flavors ask for a topology though the pod set does not."""
        return self.topology_only and not (part.topology and part.topology.explicit)

    def wants_topology(self, part: PodSet) -> bool:
        """Return whether a pod set has to be placed in a topology."""
        return self.topology and (bool(part.topology and part.topology.explicit) or self.topology_only)


def _node_refusal(part: PodSet, flavor: Flavor, group: Group) -> Reason | None:
    """Return why a flavor's machines would not take the pods."""
    tolerations = (*part.tolerations, *flavor.tolerations)
    for taint in flavor.taints:
        if taint.effect in _HARD and not any(toleration.tolerates(taint) for toleration in tolerations):
            return ("UntoleratedTaint", flavor.name, taint)
    keys = group.keys[flavor.name]
    if any(flavor.labels.get(key) != value for key, value in part.node_selector.items() if key in keys):
        return ("NodeAffinity", flavor.name)
    if part.affinity is None or _affine(part.affinity, flavor, keys):
        return None
    return ("NodeAffinity", flavor.name)


def _affine(terms: tuple[NodeTerm, ...], flavor: Flavor, keys: frozenset[str]) -> bool:
    """Return whether node terms hold, as far as they speak of labels that are heeded."""
    kept = [tuple(one for one in term.labels if one.key in keys) for term in terms]
    return not all(kept) or any(holds(selector, flavor.labels) for selector in kept)
