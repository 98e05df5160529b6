"""The cheapest node mix, exactly, for small inputs: every full node pattern, and an integer program over them.

A pattern is what one node of a type holds; only patterns to which nothing can be added are listed, since a node may
hold less. Devices are packed exactly: a pattern keeps every state its GPUs can be in.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.criteria.cost.placement.devices import GpuSharing
from tenancykit.criteria.cost.placement.states import request_of
from tenancykit.criteria.cost.placement.values import NodeClass, PodClass

MAX_PATTERNS: Final = 4000
"""Patterns of all types together up to which the search is made."""
_MAX_STATES: Final = 2000

Devices = tuple[int, ...]


@dataclass(frozen=True)
class Stack:
    """Nodes that hold the same pods.

    Attributes:
        kind: position of the node type.
        pods: pods by class.
        count: nodes.
    """

    kind: int
    pods: tuple[int, ...]
    count: int


class TooManyPatternsError(Exception):
    """The input is too large for the exact search; callers fall back to the packing they have."""


def exact_mix(pods: Sequence[PodClass], types: Sequence[NodeClass]) -> tuple[Stack, ...] | None:
    """Return the cheapest mix, or ``None`` where the input is too large or no mix holds every pod."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - heavy; only for an exact search

    try:
        patterns = list(_all_patterns(pods, types))
    except TooManyPatternsError:
        return None
    if not patterns:
        return None
    holds = np.array([pattern for _, pattern in patterns], dtype=np.float64).T
    wanted = np.array([pod.count for pod in pods], dtype=np.float64)
    price = np.array([float(types[kind].price) for kind, _ in patterns])
    owner = np.array([[float(kind == t) for kind, _ in patterns] for t in range(len(types))])
    limit = np.array([np.inf if node.count is None else node.count for node in types])
    answer = milp(
        price,
        constraints=[LinearConstraint(holds, wanted, np.inf), LinearConstraint(owner, 0, limit)],
        integrality=np.ones(len(price)),
        bounds=Bounds(0, np.inf),
        options={"mip_rel_gap": 0.0},
    )
    if answer.status != 0:
        return None
    return _trimmed(np.rint(answer.x).astype(int).tolist(), patterns, [pod.count for pod in pods])


def _trimmed(copies: list[int], patterns: list[tuple[int, tuple[int, ...]]], wanted: list[int]) -> tuple[Stack, ...]:
    """Return the chosen nodes without the pods nobody asked for."""
    left = list(wanted)
    stacks: Counter[tuple[int, tuple[int, ...]]] = Counter()
    for number, (kind, pattern) in zip(copies, patterns, strict=True):
        for _ in range(number):
            held = tuple(min(have, rest) for have, rest in zip(pattern, left, strict=True))
            left = [rest - have for have, rest in zip(held, left, strict=True)]
            stacks[kind, held] += 1
    return tuple(Stack(kind, held, count) for (kind, held), count in sorted(stacks.items()))


def _all_patterns(pods: Sequence[PodClass], types: Sequence[NodeClass]) -> Iterator[tuple[int, tuple[int, ...]]]:
    budget = MAX_PATTERNS
    for kind in range(len(types)):
        for pattern in _Patterns(pods, types, kind).full():
            budget -= 1
            if budget < 0:
                raise TooManyPatternsError
            yield kind, pattern


class _Patterns:
    """The patterns of one node type."""

    def __init__(self, pods: Sequence[PodClass], types: Sequence[NodeClass], kind: int) -> None:
        self.pods, self.node, self.kind = pods, types[kind], kind
        self.requests = [request_of(pod, index, types) for index, pod in enumerate(pods)]

    def full(self) -> Iterator[tuple[int, ...]]:
        """Yield every pattern nothing can be added to."""
        node = self.node
        free = (node.cpu_milli, node.memory_bytes, node.max_pods, _gpu_pods(node))
        devices = frozenset({(node.gpu_sharing.full,) * node.gpu_count})
        yield from self._from(0, free, devices, ())

    def _from(
        self, index: int, free: tuple[int, int, int, int], devices: frozenset[Devices], chosen: tuple[int, ...]
    ) -> Iterator[tuple[int, ...]]:
        if index == len(self.pods):
            if not any(self._add(c, free, devices) for c in range(index) if chosen[c] < self.pods[c].count):
                yield chosen
            return
        number = 0
        while True:
            yield from self._from(index + 1, free, devices, (*chosen, number))
            step = self._add(index, free, devices) if number < self.pods[index].count else None
            if step is None:
                return
            free, devices = step
            number += 1

    def _add(
        self, index: int, free: tuple[int, int, int, int], devices: frozenset[Devices]
    ) -> tuple[tuple[int, int, int, int], frozenset[Devices]] | None:
        request = self.requests[index]
        needs = (request.cpu, request.memory, 1, int(request.gpus > 0))
        left = tuple(have - need for have, need in zip(free, needs, strict=True))
        if min(left) < 0 or not request.allowed[self.kind]:
            return None
        if request.gpus:
            devices = frozenset(after for state in devices for after in self._taken(index, state))
            if len(devices) > _MAX_STATES:
                raise TooManyPatternsError
        return ((left[0], left[1], left[2], left[3]), devices) if devices else None

    def _taken(self, index: int, state: Devices) -> Iterator[Devices]:
        request, sharing, pod = self.requests[index], self.node.gpu_sharing, self.pods[index]
        options = [_parts(sharing, pod, int(request.units[self.kind]), free) for free in state]
        for chosen in itertools.combinations(range(len(state)), request.gpus):
            for parts in itertools.product(*(options[i] for i in chosen)):
                after = list(state)
                for i, left in zip(chosen, parts, strict=True):
                    after[i] = left
                yield tuple(sorted(after))


def _gpu_pods(node: NodeClass) -> int:
    return node.max_pods if node.max_gpu_pods is None else node.max_gpu_pods


def _parts(sharing: GpuSharing, pod: PodClass, units: int, free: int) -> tuple[int, ...]:
    """Return the states one device can be in after a pod took its part; empty where it does not fit."""
    if sharing.mode != "slices":
        return (free - units,) if free >= units else ()
    profile = sharing.chosen_profile(pod.gpu_milli, pod.gpu_memory_bytes, pod.gpu_profile)
    if profile is None:
        return ()
    return tuple(free ^ mask for mask in profile.masks if free & mask == mask)


def device_states(pods: Sequence[PodClass], types: Sequence[NodeClass], stack: Stack) -> Devices | None:
    """Return a state the GPUs of one node of the stack can be in when it holds its pods; ``None`` if it cannot.

    Classes of larger parts are placed first, so few states have to be kept.
    """
    patterns = _Patterns(pods, types, stack.kind)
    node = types[stack.kind]
    free = (node.cpu_milli, node.memory_bytes, node.max_pods, _gpu_pods(node))
    devices = frozenset({(node.gpu_sharing.full,) * node.gpu_count})
    order = sorted(range(len(pods)), key=lambda c: (-int(patterns.requests[c].units[stack.kind]), c))
    for index in order:
        for _ in range(stack.pods[index]):
            step = patterns._add(index, free, devices)  # noqa: SLF001 - same module
            if step is None:
                return None
            free, devices = step
    return min(devices)
