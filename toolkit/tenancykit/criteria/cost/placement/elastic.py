"""The nodes to buy: the cheapest mix found that holds the pods, with a lower bound beside it.

Several packings are tried - each pod class on the type where it is cheapest, the types the linear program buys, and
single types - the largest pods first, filling what is open before opening more. Nodes that ended half empty are
exchanged for the cheapest type that still holds what is on them. The cheapest result is returned; where asked, an
exact search over node patterns replaces it if it finds better.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal

import numpy as np

from tenancykit.criteria.cost.placement.bound import Table, lower_bound, table_of
from tenancykit.criteria.cost.placement.checks import check
from tenancykit.criteria.cost.placement.exact import Stack, device_states, exact_mix
from tenancykit.criteria.cost.placement.fixed import GPU_RESOURCE, Run, requests_of
from tenancykit.criteria.cost.placement.result import summarise
from tenancykit.criteria.cost.placement.states import Fleet, FloatArray
from tenancykit.criteria.cost.placement.values import (
    GPU_MILLI,
    Bound,
    NodeClass,
    Pending,
    Placement,
    PodClass,
    Purchase,
    Quota,
)
from tenancykit.criteria.score import Later

_ALONE: Final = 2
"""How many node types are tried alone, the cheapest for the whole demand first."""
_REMEMBERED: Final = 1024
"""Purchases kept: the same tenant demand comes back in every design that dedicates nodes."""
_FIRST: Final = 1.0e6
_PROVEN: Final = 1e-9


def buy(
    pods: Sequence[PodClass],
    types: Sequence[NodeClass],
    *,
    bound: Literal["volume", "columns"] | None = "volume",
    exact: bool = False,
    minimum: Mapping[str, int] | None = None,
    quotas: Sequence[Quota] = (),
    gpu_resource: str = GPU_RESOURCE,
) -> Purchase:
    """Return the cheapest node mix found for the pods, where they go on it, and how far from the best it can be.

    Pods larger than any type are pending in the purchase's placement, with the reason.

    Args:
        pods: pod classes; counts are the demand to house at one time.
        types: node types with prices; ``count`` limits how many there are of one, ``None`` does not.
        bound: lower bound to compute beside it; ``None`` saves its few milliseconds.
        exact: also search node patterns exactly (small inputs; others keep the packing found).
        minimum: nodes of a type to have in any case (high availability), by type.
        quotas: limits per tenant, taken up in the order the pods are placed.
        gpu_resource: name of the GPU resource in reasons.

    Raises:
        InputError: a class is malformed.
    """
    floor = tuple(sorted((minimum or {}).items()))
    return _buy(
        tuple(pods),
        tuple(types),
        bound=bound,
        exact=exact,
        minimum=floor,
        quotas=tuple(quotas),
        gpu_resource=gpu_resource,
    )


@functools.lru_cache(maxsize=_REMEMBERED)
def _buy(
    pods: tuple[PodClass, ...],
    types: tuple[NodeClass, ...],
    *,
    bound: Literal["volume", "columns"] | None,
    exact: bool,
    minimum: tuple[tuple[str, int], ...],
    quotas: tuple[Quota, ...],
    gpu_resource: str,
) -> Purchase:
    check(pods, types, quotas)
    types = _useful(types, dict(minimum))
    requests = requests_of(pods, types)
    table = table_of(pods, types, requests)
    least = None if bound is None else lower_bound(pods, types, bound, table)
    probe = _Probe(Run(pods, types, requests=requests), types)
    stacks, pending = _cheapest_packing(probe, table, least, quotas, gpu_resource)
    optimal = False
    if exact and not pending and stacks:
        found = exact_mix(pods, types)
        if found is not None:
            optimal = True
            stacks = found if _price(found, types) < _price(stacks, types) else stacks
    stacks = [*stacks, *_topped_up(stacks, types, dict(minimum))]
    price = _price(stacks, types)
    if least is not None and not pending and not quotas:
        optimal = optimal or float(price) <= least.price * (1 + _PROVEN)
    placement = Later(functools.partial(_placement, pods, types, tuple(stacks), tuple(pending)))
    placed = {pod.name: sum(s.pods[i] * s.count for s in stacks if s.pods) for i, pod in enumerate(pods)}
    return Purchase(_nodes(stacks, types), price, placement, placed, tuple(pending), least, optimal)


def _useful(types: tuple[NodeClass, ...], minimum: Mapping[str, int]) -> tuple[NodeClass, ...]:
    """Return the types worth looking at: those no other unlimited type equals or betters in everything and price."""
    kept = list(range(len(types)))
    for i, node in enumerate(types):
        better = (j for j in kept if j != i and types[j].count is None and _betters(types[j], node))
        if node.name not in minimum and next(better, None) is not None:
            kept.remove(i)
    return tuple(types[i] for i in kept)


def _betters(node: NodeClass, other: NodeClass) -> bool:
    """Return whether whatever fits on the other fits on this one, for no more money."""
    same_devices = (node.gpu_model, node.gpu_memory_bytes, node.gpu_sharing) == (
        other.gpu_model,
        other.gpu_memory_bytes,
        other.gpu_sharing,
    )
    limits = [n.max_pods if n.max_gpu_pods is None else n.max_gpu_pods for n in (node, other)]
    return (
        node.price <= other.price
        and node.cpu_milli >= other.cpu_milli
        and node.memory_bytes >= other.memory_bytes
        and node.max_pods >= other.max_pods
        and node.labels >= other.labels
        and node.taints <= other.taints
        and (other.gpu_count == 0 or (same_devices and node.gpu_count >= other.gpu_count and limits[0] >= limits[1]))
    )


def _cheapest_packing(
    probe: _Probe, table: Table, least: Bound | None, quotas: Sequence[Quota], gpu_resource: str
) -> tuple[Sequence[Stack], list[Pending]]:
    best: tuple[tuple[int, Decimal, int], list[Stack], list[Pending]] | None = None
    tried: set[bytes] = set()
    pods, types = probe.run.pods, probe.types
    for preference in _preferences(table, pods, types, least):
        # types that never hold a class have no say in where it goes: orders that differ in them only are one
        order = np.argsort(np.where(table.fit > 0, -preference, np.inf), axis=1, kind="stable").tobytes()
        if order in tried:
            continue
        tried.add(order)
        run = Run(pods, types, requests=probe.run.requests)
        pending = run.place_all("largest_first", quotas, gpu_resource, preference)
        stacks = _exchanged(probe, run.fleet)
        rank = (sum(p.count for p in pending), _price(stacks, types), sum(stack.count for stack in stacks))
        if best is None or rank < best[0]:
            best = rank, stacks, pending
        if least is not None and not pending and float(rank[1]) <= least.price * (1 + _PROVEN):
            break
    return ([], []) if best is None else best[1:]


def _preferences(
    table: Table, pods: Sequence[PodClass], types: Sequence[NodeClass], least: Bound | None
) -> Iterator[FloatArray]:
    """Yield orders in which to open node types, per pod class (higher first) [pod class, type]."""
    price = np.array([float(node.price) for node in types])
    share = np.maximum(table.cpu, table.memory)
    gpus = np.array([node.gpu_count for node in types])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.maximum(share, np.where(table.gpus[:, None] > 0, table.gpu / gpus, 0.0))
    by_share = -price * np.where(np.isfinite(share), share, _FIRST)
    yield by_share
    if len(types) == 1:
        return
    yield -price / np.maximum(table.fit, 1e-3)
    if least is not None and least.nodes:
        chosen = np.array([_FIRST if node.name in least.nodes else 0.0 for node in types])
        yield by_share + chosen
    need = np.array([pod.count for pod in pods]) @ share
    total = price * np.where(np.isfinite(need), need, np.inf)
    for kind in np.argsort(total, kind="stable")[:_ALONE].tolist():
        yield by_share + _FIRST * (np.arange(len(types)) == kind)


def _stacks(fleet: Fleet) -> Iterator[Stack]:
    for row in range(fleet.size):
        if fleet.count[row] > 0 and fleet.contents[row].any():
            yield Stack(int(fleet.kind[row]), tuple(fleet.contents[row].tolist()), int(fleet.count[row]))


def _exchanged(probe: _Probe, fleet: Fleet) -> list[Stack]:
    """Return the nodes of a packing, each as the cheapest type that holds what is on it."""
    types = probe.types
    left = [None if node.count is None else node.count for node in types]
    stacks = list(_stacks(fleet))
    for stack in stacks:
        have = left[stack.kind]
        left[stack.kind] = None if have is None else have - stack.count
    cheapest = sorted(range(len(types)), key=lambda t: (types[t].price, t))
    result = []
    for stack in stacks:
        target = next((t for t in cheapest if _can_replace(probe, stack, t, left[t])), stack.kind)
        room = left[target]
        if target != stack.kind and room is not None:
            left[target] = room - stack.count
        result.append(Stack(target, stack.pods, stack.count))
    return result


def _can_replace(probe: _Probe, stack: Stack, kind: int, left: int | None) -> bool:
    node, now = probe.types[kind], probe.types[stack.kind]
    if node.price >= now.price or (left is not None and left < stack.count):
        return False
    return probe.may_hold(stack.pods, node) and probe.bind(Stack(kind, stack.pods, 1))


class _Probe:
    """One node of any type, to see whether it holds some pods."""

    def __init__(self, run: Run, types: Sequence[NodeClass]) -> None:
        self.run, self.types = run, types
        self.fleet = Fleet(types, len(run.pods))
        self.row = len(types)
        parts = ((p.cpu_total_milli, p.memory_total_bytes, p.gpu_count * p.gpu_milli) for p in run.pods)
        self.needs = np.array(list(parts), dtype=np.int64).reshape(-1, 3)
        self.order = sorted(range(len(run.pods)), key=lambda c: (-run.pods[c].gpu_count * run.pods[c].gpu_milli, c))

    def may_hold(self, pods: tuple[int, ...], node: NodeClass) -> bool:
        """Return whether the sums of CPU, memory and GPU do not already forbid it."""
        capacity = (node.cpu_milli, node.memory_bytes, node.gpu_count * GPU_MILLI)
        return bool((np.array(pods) @ self.needs <= capacity).all())

    def bind(self, stack: Stack) -> bool:
        """Bind the stack's pods to an empty node of its type, several GPUs first; returns whether all fit."""
        self.fleet.size = self.row
        self.fleet.split(stack.kind, 1)
        row = np.array([self.row])
        for c in self.order:
            if not stack.pods[c]:
                continue
            request = self.run.requests[c]
            if self.fleet.fit(request)[self.row] < stack.pods[c]:
                return False
            self.fleet.bind(request, row, np.array([stack.pods[c]]))
        return True


def _topped_up(stacks: Sequence[Stack], types: Sequence[NodeClass], minimum: Mapping[str, int]) -> Iterator[Stack]:
    """Yield the empty nodes that bring each type to its minimum."""
    have = _nodes(stacks, types)
    for kind, node in enumerate(types):
        missing = minimum.get(node.name, 0) - have.get(node.name, 0)
        if missing > 0:
            yield Stack(kind, (), missing)


def _price(stacks: Sequence[Stack], types: Sequence[NodeClass]) -> Decimal:
    return sum((types[stack.kind].price * stack.count for stack in stacks), Decimal(0))


def _nodes(stacks: Sequence[Stack], types: Sequence[NodeClass]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for stack in stacks:
        name = types[stack.kind].name
        counts[name] = counts.get(name, 0) + stack.count
    return dict(sorted(counts.items()))


def _placement(
    pods: Sequence[PodClass], types: Sequence[NodeClass], stacks: Sequence[Stack], pending: Sequence[Pending]
) -> Placement:
    """Return the placement on exactly the nodes bought."""
    probe = _Probe(Run(pods, types), types)
    run, fleet = probe.run, probe.run.fleet
    for stack in stacks:
        row = fleet.split(stack.kind, stack.count)
        fleet.opened[row] = True
        if any(stack.pods):
            _copy_stack(probe, stack, row)
    fleet.opened[: len(types)] = False
    return summarise(fleet, run.pods, run.requests, pending)


def _copy_stack(probe: _Probe, stack: Stack, row: int) -> None:
    """Put the stack's pods on a row; where taking the fullest device first fails, with the devices packed exactly."""
    run, fleet = probe.run, probe.run.fleet
    packed = probe.bind(stack)
    held = np.array(stack.pods, dtype=np.int64)
    needs = np.array([(r.cpu, r.memory, 1, int(r.gpus > 0)) for r in run.requests], dtype=np.int64)
    cpu, memory, pods, gpu_pods = (held @ needs).tolist()
    fleet.cpu[row] -= cpu
    fleet.memory[row] -= memory
    fleet.pods[row] -= pods
    fleet.gpu_pods[row] -= gpu_pods
    fleet.contents[row] = held
    state = np.zeros((1, fleet.gpu.shape[1]), dtype=np.int64)
    if packed:
        state[0] = probe.fleet.gpu[probe.row]
    elif devices := device_states(run.pods, probe.types, stack):
        state[0, fleet.gpu.shape[1] - len(devices) :] = devices
    fleet.set_devices(np.array([row]), state)
