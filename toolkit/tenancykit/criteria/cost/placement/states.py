"""A fleet as a table of node states: nodes that are in the same state are one row with a count.

Placing a class of equal pods touches each row at most once and adds at most two rows, so the table stays as small as
the number of classes allows, however many pods and nodes there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass
from tenancykit.criteria.cost.placement.devices import SliceTables, slice_tables
from tenancykit.criteria.cost.placement.values import GPU_MILLI, NodeClass, PodClass

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

UNLIMITED: Final = 1 << 40
"""Count of a node class that can be bought as needed; products with pods per node stay within 64 bits."""
_NEVER: Final = 1 << 30
"""Units no GPU has: the pod can never take a part of such a device."""
_COLUMNS: Final = (
    "kind",
    "count",
    "cpu",
    "memory",
    "pods",
    "gpu_pods",
    "gpu",
    "gpu_free",
    "opened",
    "contents",
)


@dataclass(frozen=True)
class Request:
    """One pod class seen from a fleet, per node class.

    Attributes:
        index: column of the class in the fleet's contents.
        cpu: CPU of one pod, overhead included, milli.
        memory: memory of one pod, overhead included, bytes.
        gpus: GPUs of one pod.
        allowed: which node classes admit the pod at all (model, labels, taints, kind of sharing).
        untolerated: which node classes carry a taint the pod does not tolerate.
        units: units it takes of one GPU, per node class.
        milli: GPU milli it takes of a node, all its GPUs together, per node class.
        tables: slice tables per node class, where GPUs are partitioned.
    """

    index: int
    cpu: int
    memory: int
    gpus: int
    allowed: BoolArray
    untolerated: BoolArray
    units: IntArray
    milli: IntArray
    tables: tuple[SliceTables | None, ...]


def request_of(pod: PodClass, index: int, nodes: Sequence[NodeClass]) -> Request:
    """Return what one pod of a class asks of each node class."""
    allowed = np.ones(len(nodes), dtype=np.bool_)
    untolerated = np.zeros(len(nodes), dtype=np.bool_)
    units = np.ones(len(nodes), dtype=np.int64)
    milli = np.zeros(len(nodes), dtype=np.int64)
    tables: list[SliceTables | None] = [None] * len(nodes)
    for position, node in enumerate(nodes):
        untolerated[position] = not node.taints <= pod.tolerates
        allowed[position] = not untolerated[position] and pod.needs <= node.labels
        if pod.gpu_count:
            if pod.gpu_models and node.gpu_model not in pod.gpu_models:
                allowed[position] = False
            units[position], milli[position], tables[position] = _device_need(pod, node)
    cpu, memory = pod.cpu_total_milli, pod.memory_total_bytes
    return Request(index, cpu, memory, pod.gpu_count, allowed, untolerated, units, milli * pod.gpu_count, tuple(tables))


def _device_need(pod: PodClass, node: NodeClass) -> tuple[int, int, SliceTables | None]:
    """Return what a pod takes of one device: units, milli, and the slice tables where devices are partitioned."""
    sharing = node.gpu_sharing
    if sharing.mode != "slices":
        units = sharing.units(pod.gpu_milli, node.gpu_memory_bytes, pod.gpu_memory_bytes)
        if pod.gpu_profile or units is None:
            return _NEVER, GPU_MILLI, None
        return units, units * GPU_MILLI // sharing.full, None
    if sharing.geometry is None:
        return _NEVER, GPU_MILLI, None
    if pod.gpu_milli >= GPU_MILLI and not pod.gpu_profile and pod.gpu_memory_bytes <= node.gpu_memory_bytes:
        # A whole card is one that is not cut: all its slices, and the memory that a partition of them all would lose.
        every = max(sharing.geometry.profiles, key=lambda each: each.size)
        return 1, GPU_MILLI, slice_tables(sharing.geometry, every)
    profile = sharing.chosen_profile(pod.gpu_milli, pod.gpu_memory_bytes, pod.gpu_profile)
    if profile is None:
        return _NEVER, GPU_MILLI, None
    milli = profile.size * GPU_MILLI // sharing.geometry.slices
    return 1, milli, slice_tables(sharing.geometry, profile)


class Fleet:
    """Node states with counts; changed in place while pods are bound.

    Attributes:
        size: rows in use.
        kind: node class of each row.
        count: nodes of each row.
        cpu: CPU left on each node of a row, milli.
        memory: memory left, bytes.
        pods: pods that still fit by number.
        gpu_pods: pods with GPUs that still fit by number.
        gpu: state of each GPU [row, device].
        gpu_free: thousandths of GPU left, all devices together.
        opened: whether the nodes hold a pod or stand there anyway.
        contents: pods by class on each node of a row [row, pod class].
    """

    def __init__(self, nodes: Sequence[NodeClass], classes: int) -> None:
        self.nodes = tuple(nodes)
        rows = len(nodes) + 2 * classes + 2
        devices = max((node.gpu_count for node in nodes), default=0)
        self.size = len(nodes)
        self.kind = np.zeros(rows, dtype=np.int64)
        self.count = np.zeros(rows, dtype=np.int64)
        self.cpu = np.zeros(rows, dtype=np.int64)
        self.memory = np.zeros(rows, dtype=np.int64)
        self.pods = np.zeros(rows, dtype=np.int64)
        self.gpu_pods = np.zeros(rows, dtype=np.int64)
        self.gpu = np.zeros((rows, devices), dtype=np.int64)
        self.gpu_free = np.zeros(rows, dtype=np.int64)
        self.opened = np.zeros(rows, dtype=np.bool_)
        self.contents = np.zeros((rows, classes), dtype=np.int32)
        full = max((node.gpu_sharing.full for node in nodes), default=0)
        self.free_table = np.zeros((len(nodes), full + 1), dtype=np.int64)
        for row, node in enumerate(nodes):
            self._fill_row(row, node)

    def _fill_row(self, row: int, node: NodeClass) -> None:
        self.kind[row] = row
        self.count[row] = UNLIMITED if node.count is None else node.count
        self.cpu[row], self.memory[row], self.pods[row] = node.cpu_milli, node.memory_bytes, node.max_pods
        self.gpu_pods[row] = node.max_pods if node.max_gpu_pods is None else node.max_gpu_pods
        sharing = node.gpu_sharing
        self.free_table[row, : sharing.full + 1] = sharing.free_milli()
        if node.gpu_count:
            self.gpu[row, self.gpu.shape[1] - node.gpu_count :] = sharing.full
            self.gpu_free[row] = node.gpu_count * GPU_MILLI
        self.opened[row] = node.count is not None

    def per_device(self, request: Request, rows: IntArray | slice) -> IntArray:
        """Return how many parts of that size each GPU of the rows still gives [row, device]."""
        kinds = self.kind[rows]
        gpu = self.gpu[rows]
        parts: IntArray = gpu // request.units[kinds][:, None]
        for position, table in enumerate(request.tables):
            if table is not None and (hit := kinds == position).any():
                parts[hit] = table.capacity[gpu[hit]]
        return parts

    def fit(self, request: Request) -> IntArray:
        """Return how many pods of the class each node still takes, by row."""
        rows = slice(0, self.size)
        most = np.where(request.allowed[self.kind[rows]], self.pods[rows], 0)
        if request.cpu:
            most = np.minimum(most, self.cpu[rows] // request.cpu)
        if request.memory:
            most = np.minimum(most, self.memory[rows] // request.memory)
        if request.gpus:
            most = np.minimum(most, self.gpu_pods[rows])
            if self.gpu.shape[1] == 0:
                return np.zeros_like(most)
            most = np.minimum(most, whole_sets(self.per_device(request, rows), request.gpus))
        result: IntArray = np.maximum(most, 0)
        return result

    def bind(self, request: Request, rows: IntArray, number: IntArray) -> None:
        """Put ``number`` pods of the class on every node of each row; they are known to fit."""
        self.cpu[rows] -= number * request.cpu
        self.memory[rows] -= number * request.memory
        self.pods[rows] -= number
        self.opened[rows] = True
        self.contents[rows, request.index] += number.astype(np.int32)
        if request.gpus:
            self.gpu_pods[rows] -= number
            self._take_devices(request, rows, number)

    def _take_devices(self, request: Request, rows: IntArray, number: IntArray) -> None:
        """Take parts from the fullest devices first, each pod from as many different devices as it asks for."""
        kinds, gpu = self.kind[rows], self.gpu[rows]
        parts = np.minimum(self.per_device(request, rows), number[:, None])
        before = np.cumsum(parts, axis=1) - parts
        taken = np.clip((number * request.gpus)[:, None] - before, 0, parts)
        left = gpu - taken * request.units[kinds][:, None]
        for position, table in enumerate(request.tables):
            if table is not None and (hit := kinds == position).any():
                left[hit] = table.after[taken[hit], gpu[hit]]
        self.set_devices(rows, left)

    def set_devices(self, rows: IntArray, gpu: IntArray) -> None:
        """Store device states with the fullest device first, and what is free of them."""
        free = self.free_table[self.kind[rows][:, None], gpu]
        order = np.argsort(free, axis=1, kind="stable")
        self.gpu[rows] = np.take_along_axis(gpu, order, axis=1)
        self.gpu_free[rows] = free.sum(axis=1)

    def split(self, row: int, number: int) -> int:
        """Move ``number`` nodes of a row to a new row in the same state; returns the new row."""
        if self.size == len(self.kind):
            self._grow()
        new = self.size
        for name in _COLUMNS:
            column = getattr(self, name)
            column[new] = column[row]
        self.count[new] = number
        self.count[row] -= number
        self.size += 1
        return new

    def _grow(self) -> None:
        for name in _COLUMNS:
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))


def whole_sets(parts: IntArray, devices: int) -> IntArray:
    """Return the greatest k such that k pods can each take parts of ``devices`` different GPUs, by row.

    k pods fit exactly when the parts, at most k of them from any one GPU, number at least ``k * devices``.
    """
    if devices == 1:
        result: IntArray = parts.sum(axis=1)
        return result
    most: IntArray = parts.sum(axis=1) // devices
    while True:
        fewer = np.minimum(parts, most[:, None]).sum(axis=1) // devices
        if (fewer >= most).all():
            return most
        most = np.minimum(fewer, most)
