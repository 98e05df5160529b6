"""Which group of pods reaches which: every pair at once, over classes of pods that no policy tells apart.

The answers are those of :class:`kubeanswers.network.connections.Network` (a property test says so); the work is
boolean algebra on blocks of rows, so that 20,000 pods take seconds and memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from kubeanswers.network.connections import Network, Port, port_samples
from kubeanswers.network.rules import EGRESS, INGRESS, Action, Peer, Policy, PolicyRule, PortMatch, Tier
from kubeanswers.pods import PodView
from kubeanswers.records import dataclass
from kubeanswers.selectors import Selector

_BLOCK: Final = 1024
_LEAST_BLOCK: Final = 64
_CELLS: Final = 8 * 1024 * 1024
"""Destinations decided at once, at most and at least, and how many pairs of them with sources."""
_UNDECIDED, _ALLOW, _DENY, _PASSED = 0, 1, 2, 3
_STATE: Final = {Action.ALLOW: _ALLOW, Action.DENY: _DENY, Action.PASS: _PASSED}

Indices = npt.NDArray[np.intp]
Booleans = npt.NDArray[np.bool_]
Ports = tuple[PortMatch, ...] | None
"""Ports of a rule; None for every one."""


@dataclass(frozen=True)
class ReachMatrix:
    """Reachability between groups of pods.

    Attributes:
        groups: group names.
        packed: for each group, as bits over the groups, which of them have a pod that reaches a pod of it on any port.
        classes: how many classes of pods were told apart.
        ports: the ports tried, one of every range the policies tell apart.
    """

    groups: tuple[str, ...]
    packed: npt.NDArray[np.uint8]
    classes: int
    ports: tuple[Port, ...]

    @property
    def open(self) -> Booleans:
        """Whether any pod of the row's group reaches any pod of the column's group."""
        return self.rows(0, len(self.groups))

    def rows(self, low: int, high: int) -> Booleans:
        """Return the rows of :attr:`open` from one number up to another."""
        part = np.unpackbits(self.packed[:, low // 8 : -(-high // 8)], axis=1)
        skipped = low % 8
        return part[:, skipped : skipped + high - low].T.astype(np.bool_, order="C")

    def sources(self, group: int) -> list[int]:
        """Return the numbers of the groups that reach a group."""
        return np.flatnonzero(np.unpackbits(self.packed[group], count=len(self.groups))).tolist()

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield (source, destination) for every open pair of different groups."""
        for row, column in zip(*np.nonzero(self.open), strict=True):
            if row != column:
                yield self.groups[row], self.groups[column]


@dataclass(frozen=True, eq=False)
class _PodClass:
    """Pods of one namespace that no policy of the set can tell apart."""

    group: str
    pod: PodView
    namespace: str


def reach_matrix(network: Network, group_of: Mapping[str, str], pods: Iterable[PodView] | None = None) -> ReachMatrix:
    """Return which groups reach which; ``group_of`` names each namespace's group, others are left out."""
    members = [pod for pod in (network.pods if pods is None else pods) if pod.namespace in group_of]
    table = _ClassTable(network, _classes(network, members, group_of))
    groups = tuple(sorted({group_of[pod.namespace] for pod in members}))
    samples = tuple(
        Port(protocol, number) for protocol, number in port_samples(network.policies, table.representatives)
    )
    packed = np.zeros((len(groups), -(-len(groups) // 8)), dtype=np.uint8)
    if groups:
        table.add_reach(table.distinct(samples), groups, packed)
    return ReachMatrix(groups, packed, len(table.classes), samples)


def _classes(network: Network, pods: Sequence[PodView], group_of: Mapping[str, str]) -> list[_PodClass]:
    keys = {key for policy in network.policies for key in _pod_keys(policy)}
    names = {(entry.name, entry.protocol) for policy in network.policies for entry in _entries(policy) if entry.name}
    by_address = any(
        peer.addresses is not None for policy in network.policies for rule in policy.rules for peer in rule.peers or ()
    )
    found: dict[tuple[object, ...], _PodClass] = {}
    for pod in pods:
        labels = pod.labels
        told = frozenset((key, labels[key]) for key in keys & labels.keys()) if keys else frozenset()
        ports = (
            frozenset((name, pod.named_ports[name]) for name in names if name in pod.named_ports)
            if names
            else frozenset()
        )
        addresses = pod.addresses if by_address else ()
        key = (pod.namespace, told, ports, pod.host_network, addresses)
        if key not in found:
            found[key] = _PodClass(group_of[pod.namespace], pod, pod.namespace)
    return sorted(found.values(), key=lambda item: item.group)


def _pod_keys(policy: Policy) -> frozenset[str]:
    peers = [peer.pods.keys for rule in policy.rules for peer in rule.peers or ()]
    return policy.pods.keys.union(*peers)


def _entries(policy: Policy) -> Iterator[PortMatch]:
    for rule in policy.rules:
        yield from rule.ports or ()


@dataclass
class _ClassTable:
    """Classes, and for every selector the classes it means; merged once more by what the policies say of them."""

    network: Network
    given: list[_PodClass]
    _cache: dict[tuple[object, ...], Indices] = field(default_factory=dict)
    _named: dict[tuple[str, str], Indices] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.classes = self.given
        self._index()
        self.classes = self._merged()
        self._cache.clear()
        self._index()

    def _index(self) -> None:
        self.by_namespace: dict[str, list[int]] = {}
        self.by_label: dict[tuple[str, str], list[int]] = {}
        keys = {key for policy in self.network.policies for key in _pod_keys(policy)}
        for i, item in enumerate(self.classes):
            self.by_namespace.setdefault(item.namespace, []).append(i)
            for key in keys & item.pod.labels.keys():
                self.by_label.setdefault((key, item.pod.labels[key]), []).append(i)
        self.spaces_by_label: dict[tuple[str, str], list[str]] = {}
        for namespace in self.by_namespace:
            for label in self.network.namespaces.get(namespace, {}).items():
                self.spaces_by_label.setdefault(label, []).append(namespace)

    def _merged(self) -> list[_PodClass]:
        """Keep one class of those in the same group that every selector and port name treats alike."""
        profile: list[list[int]] = [[] for _ in self.classes]
        for number, members in enumerate(self._all_sets()):
            for i in members.tolist():
                profile[i].append(number)
        names = {
            (entry.name, entry.protocol) for policy in self.network.policies for entry in _entries(policy) if entry.name
        }
        kept: dict[tuple[object, ...], _PodClass] = {}
        for item, seen in zip(self.classes, profile, strict=True):
            ports = tuple(item.pod.named_ports.get(name) for name in sorted(names)) if names else ()
            kept.setdefault((item.group, item.pod.host_network, tuple(seen), ports), item)
        return list(kept.values())

    def _all_sets(self) -> Iterator[Indices]:
        for policy in self.network.policies:
            self.subjects(policy)
            for rule in policy.rules:
                for peer in rule.peers or ():
                    self._peer(peer, policy, surely=rule.action is not Action.ALLOW)
        yield from self._cache.values()

    @cached_property
    def resolved(self) -> Mapping[str, list[tuple[Policy, Indices, list[tuple[PolicyRule, Indices]]]]]:
        """Per direction, the policies that apply to somebody, with the classes they and their rules' peers mean."""
        found: dict[str, list[tuple[Policy, Indices, list[tuple[PolicyRule, Indices]]]]] = {INGRESS: [], EGRESS: []}
        for policy in self.network.policies:
            subjects = self.subjects(policy)
            if subjects.size:
                rules = [(rule, self.peers(rule, policy)) for rule in policy.rules]
                found[policy.direction].append((policy, subjects, rules))
        return found

    @cached_property
    def representatives(self) -> list[PodView]:
        return [item.pod for item in self.classes]

    def subjects(self, policy: Policy) -> Indices:
        """Return the classes the policy applies to."""
        return self._pods(policy.namespaces, policy.pods, policy.namespace)

    def peers(self, rule: PolicyRule, policy: Policy) -> Indices:
        """Return the classes a rule's peers mean."""
        if rule.peers is None:
            return np.arange(len(self.classes))
        surely = rule.action is not Action.ALLOW
        sets = [self._peer(peer, policy, surely=surely) for peer in rule.peers]
        if len(sets) == 1:
            return sets[0]
        return np.unique(np.concatenate(sets)) if sets else np.empty(0, dtype=np.intp)

    def _peer(self, peer: Peer, policy: Policy, *, surely: bool) -> Indices:
        if peer.addresses is None and not peer.nodes:
            return self._pods(peer.namespaces, peer.pods, policy.namespace)
        key = (peer, surely)
        if key not in self._cache:
            means = [
                i
                for i, item in enumerate(self.classes)
                if self.network.peer_is(peer, policy.namespace, item.pod, surely=surely)
            ]
            self._cache[key] = np.array(means, dtype=np.intp)
        return self._cache[key]

    def _pods(self, namespaces: Selector | None, pods: Selector, own: str) -> Indices:
        key = (own if namespaces is None else namespaces, pods)
        if key not in self._cache:
            self._cache[key] = np.array(sorted(self._search(namespaces, pods, own)), dtype=np.intp)
        return self._cache[key]

    def _search(self, namespaces: Selector | None, pods: Selector, own: str) -> Iterator[int]:
        spaces = [own] if namespaces is None else self._spaces(namespaces)
        candidates = _narrowest(pods, self.by_label) if len(spaces) != 1 else None
        if candidates is None:
            candidates = [i for space in spaces for i in self.by_namespace.get(space, ())]
        inside = set(spaces)
        for i in candidates:
            pod = self.classes[i].pod
            if not pod.host_network and self.classes[i].namespace in inside and pods.matches(pod.labels):
                yield i

    def _spaces(self, selector: Selector) -> list[str]:
        candidates = _narrowest(selector, self.spaces_by_label)
        labels = self.network.namespaces
        pool = self.by_namespace if candidates is None else candidates
        return [name for name in pool if selector.matches(labels.get(name, {}))]

    def distinct(self, samples: Sequence[Port]) -> list[Port]:
        """Return one port per way the rules treat ports."""
        entries = {entry for policy in self.network.policies for entry in _entries(policy)}
        numbers = (
            {pod.named_ports[key] for pod in self.representatives for key in pod.named_ports}
            if any(entry.name for entry in entries)
            else set()
        )
        kept: dict[tuple[object, ...], Port] = {}
        for port in samples:
            fits = tuple(
                e for e in entries if not e.name and e.protocol == port.protocol and e.first <= port.number <= e.last
            )
            named = port if port.number in numbers else None
            kept.setdefault((frozenset(fits), named), port)
        return list(kept.values())

    def add_reach(self, ports: Sequence[Port], groups: Sequence[str], packed: npt.NDArray[np.uint8]) -> None:
        """Set every pair of groups that is open on one of the ports."""
        numbers = {group: i for i, group in enumerate(groups)}
        group = np.array([numbers[item.group] for item in self.classes])
        ingress, egress = (_Side.of(self, side) for side in (INGRESS, EGRESS))
        for low in range(0, len(self.classes), self.block):
            columns = ingress.sources(low)
            if not columns.size:
                continue
            into, out = ingress.parts(low, columns), egress.parts(low, columns)
            reach = np.zeros((min(self.block, len(self.classes) - low), columns.size), dtype=np.bool_)
            for port in ports:
                reach |= ingress.decide(low, columns, into, port) & egress.decide(low, columns, out, port)
            of_columns = group[columns]
            starts = np.flatnonzero(np.r_[True, of_columns[1:] != of_columns[:-1]])
            by_source = np.logical_or.reduceat(reach, starts, axis=1)  # destinations x source groups
            rows_of = group[low : low + len(reach)]
            first = np.flatnonzero(np.r_[True, rows_of[1:] != rows_of[:-1]])
            wide = np.zeros((first.size, len(groups)), dtype=np.bool_)
            wide[:, of_columns[starts]] = np.logical_or.reduceat(by_source, first, axis=0)
            packed[rows_of[first]] |= np.packbits(wide, axis=1)

    @property
    def block(self) -> int:
        """How many destinations are decided at once: fewer where there are many sources, so that memory is bounded."""
        return max(_LEAST_BLOCK, min(_BLOCK, _CELLS // max(1, len(self.classes))))

    def named(self, name: tuple[str, str], number: int) -> Booleans:
        """Return which classes give a port name a number."""
        known = self._named.get(name)
        if known is None:
            known = self._named[name] = np.array([item.pod.named_ports.get(name, 0) for item in self.classes])
        return np.asarray(known == number, dtype=np.bool_)


Part = tuple[Ports, Booleans]
"""Ports, and which destinations of a block accept which sources on them."""


@dataclass
class _Assignment:
    """One rule on one port: these destinations, these sources, this decision."""

    destinations: Indices
    sources: Indices
    state: int


@dataclass
class _Side:
    """One direction, ready to be decided block by block of destinations.

    Attributes:
        table: the classes.
        direction: ``Ingress`` or ``Egress``.
        isolated: classes whose own namespace's policies select them.
        own: what namespaces' own policies allow: destinations and sources, by ports and block of destinations.
        ranked: the other policies, in the order they are asked.
    """

    table: _ClassTable
    direction: str
    isolated: Booleans
    own: dict[Ports, dict[int, list[tuple[Indices, Indices]]]] = field(default_factory=dict)
    ranked: list[tuple[Policy, Indices, list[tuple[PolicyRule, Indices]]]] = field(default_factory=list)
    _tiers: dict[tuple[Tier, Port], dict[int, list[_Assignment]]] = field(default_factory=dict)

    @classmethod
    def of(cls, table: _ClassTable, direction: str) -> _Side:
        side = cls(table, direction, np.zeros(len(table.classes), np.bool_))
        for policy, subjects, rules in table.resolved[direction]:
            if policy.tier is not Tier.NAMESPACE:
                side.ranked.append((policy, subjects, rules))
                continue
            if policy.isolates:
                side.isolated[subjects] = True
            for rule, peers in rules:
                destinations, sources = (subjects, peers) if direction == INGRESS else (peers, subjects)
                if destinations.size and sources.size:
                    blocks = side.own.setdefault(rule.ports, {})
                    for block in _blocks(destinations, table.block):
                        blocks.setdefault(block, []).append((destinations, sources))
        return side

    def sources(self, low: int) -> Indices:
        """Return the sources that some destination of the block may accept: all, unless every one is isolated."""
        block = self.table.block
        is_asked = any(policy.tier is Tier.ADMIN for policy, _, _ in self.ranked)
        if is_asked or not self.isolated[low : low + block].all():
            return np.arange(self.isolated.size)
        found = [sources for blocks in self.own.values() for _, sources in blocks.get(low // block, ())]
        return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.intp)

    def parts(self, low: int, columns: Indices) -> list[Part]:
        """Return what namespaces' own policies allow in the block of destinations from ``low``, by ports."""
        block = self.table.block
        high = min(low + block, self.isolated.size)
        place = np.full(self.isolated.size, -1)
        place[columns] = np.arange(columns.size)
        found: list[Part] = []
        for ports, blocks in self.own.items():
            if low // block in blocks:
                made = np.zeros((high - low, columns.size), dtype=np.bool_)
                for destinations, sources in blocks[low // block]:
                    inside = place[sources]
                    if inside.min() < 0:
                        inside = inside[inside >= 0]
                    made[_within(destinations, low, high)[:, None], inside] = True
                found.append((ports, made))
        return found

    def decide(self, low: int, columns: Indices, parts: list[Part], port: Port) -> Booleans:
        """Return, for the block of destinations from ``low`` and the given sources, whether this side consents."""
        high = min(low + self.table.block, self.isolated.size)
        own = np.zeros((high - low, columns.size), dtype=np.bool_)
        for ports, made in parts:
            if ports is None or _open_to_all(ports, port):
                own |= made
            else:
                own |= made & self._with_name(ports, port)[low:high, None]
        ingress = self.direction == INGRESS
        isolated = self.isolated[low:high, None] if ingress else self.isolated[None, columns]
        rest = np.where(isolated, own, self._tier(own.shape, (Tier.BASELINE, port), low, columns) != _DENY)
        if not any(policy.tier is Tier.ADMIN for policy, _, _ in self.ranked):
            return rest
        state = self._tier(own.shape, (Tier.ADMIN, port), low, columns)
        return np.asarray((state == _ALLOW) | ((state != _DENY) & rest), dtype=np.bool_)

    def _with_name(self, ports: Sequence[PortMatch], port: Port) -> Booleans:
        """Return the classes that give one of a rule's port names this port's number."""
        made = np.zeros(self.isolated.size, dtype=np.bool_)
        for entry in ports:
            if entry.name and entry.protocol == port.protocol:
                made |= self.table.named((entry.name, entry.protocol), port.number)
        return made

    def _tier(
        self, shape: tuple[int, ...], key: tuple[Tier, Port], low: int, columns: Indices
    ) -> npt.NDArray[np.uint8]:
        state = np.zeros(shape, dtype=np.uint8)
        if not self.ranked:
            return state
        if key not in self._tiers:
            self._tiers[key] = self._assigned(*key)
        for rows, sources, decision in self._placed(self._tiers[key], low, columns):
            place = np.ix_(rows, sources)
            part = state[place]
            state[place] = np.where(part == _UNDECIDED, decision, part)
        return state

    def _assigned(self, tier: Tier, port: Port) -> dict[int, list[_Assignment]]:
        """Return a tier's rules on a port by block of destinations, in the order they are tried."""
        found: dict[int, list[_Assignment]] = {}
        for policy, subjects, rules in self.ranked:
            for rule, peers in rules if policy.tier is tier else ():
                destinations, sources = (subjects, peers) if self.direction == INGRESS else (peers, subjects)
                if rule.ports is not None and not _open_to_all(rule.ports, port):
                    destinations = destinations[self._with_name(rule.ports, port)[destinations]]
                if destinations.size and sources.size:
                    item = _Assignment(destinations, sources, _STATE[rule.action])
                    for block in _blocks(destinations, self.table.block):
                        found.setdefault(block, []).append(item)
        return found

    def _placed(
        self, tier: Mapping[int, list[_Assignment]], low: int, columns: Indices
    ) -> Iterator[tuple[Indices, Indices, int]]:
        """Yield each rule's rows and columns within the block."""
        whole = columns.size == self.isolated.size
        for item in tier.get(low // self.table.block, ()):
            rows = _within(item.destinations, low, low + self.table.block)
            sources = item.sources
            if not whole:
                place = np.searchsorted(columns, sources)
                inside = place < columns.size
                sources = place[inside][columns[place[inside]] == sources[inside]]
            if rows.size and sources.size:
                yield rows, sources, item.state


def _within(destinations: Indices, low: int, high: int) -> Indices:
    """Return the rows of a block that sorted destinations are."""
    if low <= destinations[0] and destinations[-1] < high:
        return destinations - low
    first, last = np.searchsorted(destinations, (low, high))
    return destinations[first:last] - low


def _blocks(destinations: Indices, block: int) -> list[int]:
    """Return the blocks that sorted destinations lie in."""
    first, last = int(destinations[0]) // block, int(destinations[-1]) // block
    return [first] if first == last else np.unique(destinations // block).tolist()


def _open_to_all(ports: Sequence[PortMatch], port: Port) -> bool:
    return any(not e.name and e.protocol == port.protocol and e.first <= port.number <= e.last for e in ports)


T = TypeVar("T")


def _narrowest(selector: Selector, index: Mapping[tuple[str, str], list[T]]) -> list[T] | None:
    """Return the shortest list of candidates one requirement of the selector leaves, or None if none narrows."""
    best: list[list[T]] | None = None
    for requirement in selector.requirements:
        if requirement.operator == "In":
            found = [index.get((requirement.key, value), []) for value in sorted(requirement.values)]
            if best is None or sum(map(len, found)) < sum(map(len, best)):
                best = found
    if best is None or len(best) == 1:
        return best[0] if best else None
    return [item for part in best for item in part]
