"""Where the pods of a workload go in a topology of racks and machines.

From the leaves up, every domain counts how many pods (and whole slices) it could hold; at the level asked for, the
domain that fits with the least to spare is taken, else as few as possible; from there down to the leaves likewise.

Source: https://kueue.sigs.k8s.io/docs/concepts/topology_aware_scheduling/ and KEP 2724.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Final

from kubeanswers.queueing.values import Domain, PodSet, TopologyRequest
from kubeanswers.records import dataclass
from kubeanswers.scheduling.values import (
    HOSTNAME,
    PODS,
    Machine,
    Toleration,
    term_holds,
)

_HARD: Final = ("NoSchedule", "NoExecute")
_MOST: Final = 2**31 - 1


@dataclass
class _Domain:
    """A domain of the topology, with what the search at hand found for it.

    ``pods`` and ``slices`` are what fits; the ``led`` ones what fits beside a leader; ``leaders`` 1 if one fits.
    """

    values: tuple[str, ...]
    parent: _Domain | None
    children: list[_Domain]
    level: int
    machine: Machine | None = None
    pods: int = 0
    slices: int = 0
    led_pods: int = 0
    led_slices: int = 0
    leaders: int = 0


@dataclass(frozen=True)
class Wanted:
    """A pod set to place.

    Attributes:
        part: the pod set.
        count: how many of its pods.
        implied: whether the queue asks for a topology though the pod set does not.
    """

    part: PodSet
    count: int
    implied: bool


@dataclass(frozen=True)
class Misfit:
    """Why pods could not be placed: ``fits`` of ``wanted``, in ``unit`` (pods or slices)."""

    part: str
    topology: str
    fits: int
    wanted: int
    unit: str
    problem: str = ""


@dataclass(frozen=True)
class _Search:
    """The question put to the tree."""

    size: int
    slice_level: int
    loose: bool
    leaders: int


class Places:
    """The machines of one flavor, as a tree of domains, and what topology-placed pods use there."""

    def __init__(
        self, topology: str, levels: tuple[str, ...], machines: Iterable[Machine], tolerations: tuple[Toleration, ...]
    ) -> None:
        self.topology = topology
        self.levels = levels
        self.by_host = levels[-1] == HOSTNAME
        self._tolerations = tolerations
        self._levels: list[dict[tuple[str, ...], _Domain]] = [{} for _ in levels]
        self.leaves: dict[tuple[str, ...], _Domain] = {}
        self.capacity: dict[tuple[str, ...], dict[str, int]] = {}
        self.used: dict[tuple[str, ...], dict[str, int]] = {}
        for machine in machines:
            self._add(machine)

    def _add(self, machine: Machine) -> None:
        values = tuple(machine.labels[level] for level in self.levels)
        leaf = self._domain(values)
        key = self.key(values)
        if key not in self.leaves:
            self.leaves[key] = leaf
            leaf.machine = machine if self.by_host else None
        room = self.capacity.setdefault(key, {})
        for resource, amount in machine.allocatable.items():
            room[resource] = room.get(resource, 0) + amount
        self.used.setdefault(key, {})

    def _domain(self, values: tuple[str, ...]) -> _Domain:
        level = len(values) - 1
        found = self._levels[level].get(values)
        if found is None:
            parent = self._domain(values[:-1]) if level else None
            found = self._levels[level][values] = _Domain(values, parent, [], level)
            if parent is not None:
                parent.children.append(found)
        return found

    def key(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """Return how a leaf is called: by its host name alone if it is one."""
        return values[-1:] if self.by_host else values

    def has_level(self, request: TopologyRequest) -> bool:
        """Return whether the levels asked for exist."""
        level = self._level(request)
        return level in self.levels and (request.slice_level or self.levels[-1]) in self.levels

    def _level(self, request: TopologyRequest | None) -> str:
        if request is None:
            return ""
        if request.required or request.preferred:
            return request.required or request.preferred
        if request.slice_level:
            return self.levels[0]
        return self.levels[-1] if request.unconstrained else ""

    def change(self, leaf: tuple[str, ...], requests: Mapping[str, int], count: int) -> None:
        """Add pods to a leaf (take them away, if the count is negative); leaves that are gone count nothing."""
        used = self.used.get(leaf)
        if used is None:
            return
        for resource, amount in requests.items():
            used[resource] = used.get(resource, 0) + amount * count
        used[PODS] = used.get(PODS, 0) + count

    def fits(self, leaf: tuple[str, ...], requests: Mapping[str, int], count: int) -> bool:
        """Return whether pods still fit into a leaf."""
        return leaf in self.capacity and _times(requests, self.room(leaf)) >= count

    def room(self, leaf: tuple[str, ...]) -> dict[str, int]:
        """Return what is free in a leaf."""
        used = self.used[leaf]
        return {resource: amount - used.get(resource, 0) for resource, amount in self.capacity[leaf].items()}

    def place(
        self, wanted: Sequence[Wanted], *, empty: bool = False
    ) -> tuple[dict[str, tuple[Domain, ...]], Misfit | None]:
        """Return where pod sets go, or the first that does not fit; ``empty`` as if no such pod were there."""
        groups: dict[str, list[Wanted]] = {}
        for position, item in enumerate(wanted):
            named = item.part.topology.group if item.part.topology else ""
            groups.setdefault(named or f"/{position}", []).append(item)
        found: dict[str, tuple[Domain, ...]] = {}
        taken: dict[tuple[str, ...], dict[str, int]] = {}
        for members in groups.values():
            workers, leader = members[0], members[1] if len(members) > 1 else None
            if leader is not None and leader.count > workers.count:
                workers, leader = leader, workers
            placed, misfit = self._place(workers, leader, taken, empty=empty)
            if misfit is not None:
                return found, misfit
            found.update(placed)
            for item in members:
                for domain in placed[item.part.name]:
                    used = taken.setdefault(domain.values, {})
                    for resource, amount in item.part.requests.items():
                        used[resource] = used.get(resource, 0) + amount * domain.count
        return found, None

    def _place(
        self,
        workers: Wanted,
        leader: Wanted | None,
        taken: Mapping[tuple[str, ...], Mapping[str, int]],
        *,
        empty: bool,
    ) -> tuple[dict[str, tuple[Domain, ...]], Misfit | None]:
        request = workers.part.topology
        level = self._level(request) or (self.levels[-1] if workers.implied else "")
        slice_level = (request.slice_level if request else "") or self.levels[-1]
        problem = self._problem(request, level, slice_level)
        if problem:
            return {}, Misfit(workers.part.name, self.topology, 0, workers.count, "pods", problem)
        size = request.slice_size or 1 if request and request.slice_level else 1
        sliced_only = bool(request and request.slice_level and not request.required and not request.preferred)
        loose = workers.implied or sliced_only or bool(request and request.unconstrained)
        search = _Search(size, self.levels.index(slice_level), loose, 1 if leader else 0)
        self._count(workers.part, leader.part if leader else None, taken, search, empty=empty)
        required = bool(request and request.required)
        at, domains, fits = self._level_that_fits(self.levels.index(level), workers.count, search, required=required)
        if not domains:
            unit = "pods" if size == 1 else "slices"
            return {}, Misfit(workers.part.name, self.topology, fits, workers.count // size, unit)
        leaves = self._down(at, domains, workers.count, search)
        placed = {workers.part.name: self._domains([(d, d.pods) for d in leaves if d.pods > 0 or leader is None])}
        if leader is not None:
            placed[leader.part.name] = self._domains([(d, d.leaders) for d in leaves if d.leaders > 0])
        return placed, None

    def _problem(self, request: TopologyRequest | None, level: str, slice_level: str) -> str:
        if request and request.slice_level and request.slice_size is None:
            return "slices without a size"
        if not level:
            return "no topology level named"
        for name in (level, slice_level):
            if name not in self.levels:
                return f"no level {name}"
        if self.levels.index(level) > self.levels.index(slice_level):
            return f"slice level {slice_level} is above level {level}"
        return "" if self._levels[self.levels.index(level)] else f"no domains at level {level}"

    def _domains(self, leaves: Iterable[tuple[_Domain, int]]) -> tuple[Domain, ...]:
        ordered = sorted(leaves, key=lambda pair: pair[0].values)
        return tuple(Domain(self.key(leaf.values), count) for leaf, count in ordered if count)

    def _admits(self, part: PodSet, machine: Machine) -> bool:
        tolerations = (*part.tolerations, *self._tolerations)
        if any(t.effect in _HARD and not any(o.tolerates(t) for o in tolerations) for t in machine.taints):
            return False
        if any(machine.labels.get(key) != value for key, value in part.node_selector.items()):
            return False
        return part.affinity is None or any(term_holds(term, machine) for term in part.affinity)

    def _count(
        self,
        part: PodSet,
        leader: PodSet | None,
        taken: Mapping[tuple[str, ...], Mapping[str, int]],
        search: _Search,
        *,
        empty: bool,
    ) -> None:
        """Count what fits into every domain."""
        one = _one_pod(part)
        lead = _one_pod(leader) if leader else None
        for level in self._levels:
            for domain in level.values():
                domain.pods = domain.slices = domain.led_pods = domain.led_slices = domain.leaders = 0
        for key, leaf in self.leaves.items():
            if leaf.machine is not None and not self._admits(part, leaf.machine):
                continue
            room = dict(self.capacity[key]) if empty else self.room(key)
            for resource, amount in taken.get(key, {}).items():
                room[resource] = room.get(resource, 0) - amount
            leaf.pods = _times(one, room)
            if lead is not None and _times(lead, room) > 0:
                leaf.leaders = 1
                for resource, amount in lead.items():
                    room[resource] = room.get(resource, 0) - amount
            leaf.led_pods = _times(one, room)
        for domain in self._levels[0].values():
            _gather(domain, search)

    def _level_that_fits(
        self, level: int, count: int, search: _Search, *, required: bool
    ) -> tuple[int, list[_Domain], int]:
        """Return the level and the domains that hold the pods; without domains, how much the best would hold."""
        ordered = sorted(self._levels[level].values(), key=_led_order)
        top, slices = ordered[0], count // search.size
        if top.led_slices >= slices and top.leaders >= search.leaders:
            top = _tightest(ordered, slices, _SLICES[search.leaders > 0])
            if top.leaders >= search.leaders:
                return level, [top], slices
        if required:
            return level, [], top.slices
        if level > 0 and not search.loose:
            return self._level_that_fits(level - 1, count, search, required=required)
        return (level, *_several(ordered, slices, search))

    def _down(self, level: int, domains: list[_Domain], count: int, search: _Search) -> list[_Domain]:
        """Return the leaves below, each told how many pods it gets."""
        chosen = _share_slices(domains, count, search)
        for below in range(level, len(self.levels) - 1):
            if below < search.slice_level:
                lower = sorted((child for domain in chosen for child in domain.children), key=_order)
                chosen = _share_slices(lower, count, search)
            else:
                chosen = [
                    leaf
                    for domain in chosen
                    for leaf in _share_pods(sorted(domain.children, key=_order), domain.pods, domain.leaders)
                ]
        return chosen


def _one_pod(part: PodSet) -> dict[str, int]:
    return {**part.requests, PODS: part.requests.get(PODS, 0) + 1}


def _times(requests: Mapping[str, int], room: Mapping[str, int]) -> int:
    """Return how many times requests fit into a room; below zero where more is used than there is."""
    fits = None
    for resource, amount in requests.items():
        if amount == 0:
            times = _MOST
        elif resource not in room:
            return 0
        else:
            free = room[resource]
            times = free // amount if free >= 0 else -(-free // amount)
        if fits is None or times < fits:
            fits = times
    return fits or 0


def _order(domain: _Domain) -> tuple[int, int, tuple[str, ...]]:
    return -domain.slices, domain.pods, domain.values


def _led_order(domain: _Domain) -> tuple[int, int, int, tuple[str, ...]]:
    return -domain.leaders, -domain.led_slices, domain.led_pods, domain.values


def _gather(domain: _Domain, search: _Search) -> None:
    """Add up what fits below a domain."""
    if domain.children:
        for child in domain.children:
            _gather(child, search)
        children = domain.children
        domain.pods = sum(child.pods for child in children)
        domain.led_pods = domain.pods - min(child.pods - child.led_pods for child in children)
        domain.leaders = max(child.leaders for child in children)
        domain.slices = sum(child.slices for child in children)
        domain.led_slices = domain.slices - min(child.slices - child.led_slices for child in children)
    if domain.level == search.slice_level:
        domain.slices = _part(domain.pods, search.size)
        domain.led_slices = _part(domain.led_pods, search.size)


_SLICES: Final = {False: attrgetter("slices"), True: attrgetter("led_slices")}
_PODS: Final = {False: attrgetter("pods"), True: attrgetter("led_pods")}
"""Room of a domain, without and with the leader."""


def _part(count: int, size: int) -> int:
    return count // size if count >= 0 else -(-count // size)


def _tightest(domains: Sequence[_Domain], wanted: int, room: Callable[[_Domain], int]) -> _Domain:
    """Return the first domain with the least room that suffices; the first of all if that does not suffice."""
    most = room(domains[0])
    return min((domain for domain in domains if wanted <= room(domain) <= most), key=room, default=domains[0])


def _several(ordered: list[_Domain], slices: int, search: _Search) -> tuple[list[_Domain], int]:
    """Return domains that together hold the slices, the leader's first; none, and what they would hold."""
    chosen: list[_Domain] = []
    left, leaders, position = slices, search.leaders, 0
    while leaders > 0 and position < len(ordered) and ordered[position].leaders > 0:
        domain = ordered[position]
        if domain.led_slices >= left:
            domain = _tightest(ordered[position:], left, _SLICES[True])
        chosen.append(domain)
        leaders -= domain.leaders
        left -= domain.led_slices
        position += 1
    if leaders > 0:
        return [], search.leaders - leaders
    rest = sorted(ordered[position:], key=_order)
    for position, domain in enumerate(rest):
        if left <= 0 or domain.slices <= 0:
            break
        found = _tightest(rest[position:], left, _SLICES[False]) if domain.slices >= left else domain
        chosen.append(found)
        left -= found.slices
    return ([], slices - left) if left > 0 else (chosen, slices)


def _share_slices(domains: Sequence[_Domain], count: int, search: _Search) -> list[_Domain]:
    """Give out slices to domains in order, the last to the one that fits best; what it gets stands in the domain."""
    chosen: list[_Domain] = []
    left, leaders = count // search.size, search.leaders
    for position, first in enumerate(domains):
        domain = first
        led = leaders > 0
        if (domain.led_slices if led else domain.slices) >= left and (not led or domain.leaders >= leaders):
            domain = _tightest(domains[position:], left, _SLICES[led])
            domain.leaders = leaders if led else 0
            domain.pods, domain.slices = left * search.size, left
            return [*chosen, domain]
        gets = min(domain.led_slices, left) if led else domain.slices
        domain.leaders = min(domain.leaders, leaders) if led else 0
        domain.led_slices = gets if led else domain.led_slices
        domain.pods = gets * search.size
        leaders -= domain.leaders
        left -= gets
        chosen.append(domain)
    return []


def _share_pods(domains: Sequence[_Domain], count: int, leaders: int) -> list[_Domain]:
    """Give out pods below the level of slices."""
    chosen: list[_Domain] = []
    left = count
    for position, first in enumerate(domains):
        domain = first
        led = leaders > 0
        if (domain.led_pods if led else domain.pods) >= left and (not led or domain.leaders >= leaders):
            domain = _tightest(domains[position:], left, _PODS[led])
            domain.pods, domain.leaders = left, leaders if led else 0
            return [*chosen, domain]
        left -= domain.led_pods if led else domain.pods
        leaders -= domain.leaders if led else 0
        if not led:
            domain.leaders = 0
        chosen.append(domain)
    return []
