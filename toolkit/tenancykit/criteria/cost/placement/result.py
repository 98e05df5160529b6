"""From the final states of a fleet to what people ask: groups of nodes, allocation, stranded GPU, reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tenancykit.criteria.cost.placement.states import UNLIMITED, BoolArray, Fleet, IntArray, Request, whole_sets
from tenancykit.criteria.cost.placement.values import GPU_MILLI, Allocation, NodeGroup, Pending, Placement, PodClass


def events(counts: Mapping[str, int], nodes: int) -> str:
    """Return reasons with the number of nodes each holds for, worded and ordered like the scheduler's event."""
    if nodes == 0:
        return "no nodes available to schedule pods"
    reasons = ", ".join(sorted(f"{number} {reason}" for reason, number in counts.items() if number))
    return f"0/{nodes} nodes are available: {reasons}."


def refusal(fleet: Fleet, pod: PodClass, request: Request, gpu_resource: str) -> str:
    """Return why no (further) node takes a pod, counted over the nodes of the fleet.

    Where a node class can be bought without limit, one node of it stands for the class.
    """
    rows = slice(0, fleet.size)
    count = np.where(fleet.count[rows] >= UNLIMITED // 2, 1, fleet.count[rows])
    reasons: Counter[str] = Counter()
    kinds = fleet.kind[rows]
    untolerated = request.untolerated[kinds]
    barred = ~request.allowed[kinds] & ~untolerated
    reasons["node(s) had untolerated taint(s)"] = int(count[untolerated].sum())
    reasons["node(s) didn't match Pod's node affinity/selector"] = int(count[barred].sum())
    open_rows = ~untolerated & ~barred
    shortages = {
        "Too many pods": fleet.pods[rows] < 1,
        "Insufficient cpu": fleet.cpu[rows] < request.cpu,
        "Insufficient memory": fleet.memory[rows] < request.memory,
    }
    if request.gpus:
        name = f"{gpu_resource.split('/', maxsplit=1)[0]}/mig-{pod.gpu_profile}" if pod.gpu_profile else gpu_resource
        shortages[f"Insufficient {name}"] = _without_gpu(fleet, request)
        shortages["Too many GPU pods"] = fleet.gpu_pods[rows] < 1
    for reason, holds in shortages.items():
        reasons[reason] = int(count[open_rows & holds].sum())
    return events(reasons, int(count.sum()))


def _without_gpu(fleet: Fleet, request: Request) -> BoolArray:
    if fleet.gpu.shape[1] == 0:
        return np.ones(fleet.size, dtype=np.bool_)
    result: BoolArray = whole_sets(fleet.per_device(request, slice(0, fleet.size)), request.gpus) < 1
    return result


def stranded(fleet: Fleet, requests: Sequence[Request]) -> IntArray:
    """Return the GPU milli left on each node (row) that no pod class could use there.

    A device is of use where one pod class still fits the node and its part still fits the device.
    """
    rows = slice(0, fleet.size)
    usable = np.zeros(fleet.gpu[rows].shape, dtype=np.bool_)
    for request in requests:
        if request.gpus and usable.size:
            fits = fleet.fit(request) > 0
            usable |= fits[:, None] & (fleet.per_device(request, rows) > 0)
    free = fleet.free_table[fleet.kind[rows][:, None], fleet.gpu[rows]]
    result: IntArray = np.where(usable, 0, free).sum(axis=1)
    return result


def summarise(
    fleet: Fleet, pods: Sequence[PodClass], requests: Sequence[Request], pending: Sequence[Pending]
) -> Placement:
    """Return the placement a fleet ended in; node classes without limit count with the nodes in use only."""
    keep = np.flatnonzero((fleet.count[: fleet.size] > 0) & fleet.opened[: fleet.size])
    keep = keep[np.argsort(fleet.kind[keep], kind="stable")]
    lost = stranded(fleet, requests)[keep]
    groups = tuple(_group(fleet, pods, int(row), int(gone)) for row, gone in zip(keep, lost, strict=True))
    count = fleet.count[keep]
    totals = count @ fleet.contents[keep].astype(np.int64)
    placed = {pod.name: int(number) for pod, number in zip(pods, totals, strict=True)}
    return Placement(groups, placed, tuple(pending), _allocation(fleet, pods, keep, totals), int((count * lost).sum()))


def _group(fleet: Fleet, pods: Sequence[PodClass], row: int, lost: int) -> NodeGroup:
    kind = int(fleet.kind[row])
    node = fleet.nodes[kind]
    devices = fleet.gpu[row, fleet.gpu.shape[1] - node.gpu_count :] if node.gpu_count else fleet.gpu[row, :0]
    held = np.flatnonzero(fleet.contents[row])
    return NodeGroup(
        node.name,
        int(fleet.count[row]),
        tuple((pods[i].name, int(fleet.contents[row, i])) for i in held.tolist()),
        int(fleet.cpu[row]),
        int(fleet.memory[row]),
        tuple(sorted(fleet.free_table[kind][devices].tolist())),
        lost,
    )


def _allocation(fleet: Fleet, pods: Sequence[PodClass], keep: IntArray, totals: IntArray) -> dict[str, Allocation]:
    count = fleet.count[keep].tolist()
    nodes = [fleet.nodes[kind] for kind in fleet.kind[keep].tolist()]
    cpu = sum(n * node.cpu_milli for n, node in zip(count, nodes, strict=True))
    memory = sum(n * node.memory_bytes for n, node in zip(count, nodes, strict=True))
    gpu = sum(n * node.gpu_count * GPU_MILLI for n, node in zip(count, nodes, strict=True))
    asked = sum(int(n) * pod.gpu_count * pod.gpu_milli for n, pod in zip(totals, pods, strict=True))
    left = {
        "cpu": sum(n * int(free) for n, free in zip(count, fleet.cpu[keep], strict=True)),
        "memory": sum(n * int(free) for n, free in zip(count, fleet.memory[keep], strict=True)),
        "gpu": sum(n * int(free) for n, free in zip(count, fleet.gpu_free[keep], strict=True)),
    }
    return {
        "cpu": Allocation(cpu - left["cpu"], cpu),
        "memory": Allocation(memory - left["memory"], memory),
        "gpu": Allocation(gpu - left["gpu"], gpu),
        "gpu_requested": Allocation(asked, gpu),
    }
