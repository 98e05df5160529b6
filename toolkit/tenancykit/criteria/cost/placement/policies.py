"""Which node next: the order in which a class of equal pods fills the node states, by policy.

Placing equal pods one at a time on the node with the best score is the same as taking the best entries of a table
"score of the j-th pod on this node" in order, where an entry is never valued above the ones before it on its node
(once a node is the best, it stays so until its score falls). So a policy only has to give, per node state, blocks of
pods with falling value; :func:`fill` takes blocks from the top until the pods are placed.
"""

from __future__ import annotations

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.criteria.cost.placement.fragmentation import Fragmentation
from tenancykit.criteria.cost.placement.states import BoolArray, Fleet, FloatArray, IntArray, Request
from tenancykit.criteria.cost.placement.values import GPU_MILLI, NodeClass

_UNOPENED = -1.0e9
"""Lifts every node in use above every node still to be bought; the latter are ordered by preference alone."""


@dataclass(frozen=True)
class Scale:
    """Largest capacity of each resource over the node classes: what scores are measured in.

    Attributes:
        cpu: milli.
        memory: bytes.
        gpu: milli.
    """

    cpu: float
    memory: float
    gpu: float

    @classmethod
    def of(cls, nodes: tuple[NodeClass, ...]) -> Scale:
        """Return the scale of a fleet; a resource nobody has counts as 1 so that nothing is divided by zero."""
        return cls(
            max([node.cpu_milli for node in nodes], default=0) or 1,
            max([node.memory_bytes for node in nodes], default=0) or 1,
            max([node.gpu_count for node in nodes], default=0) * GPU_MILLI or 1,
        )


@dataclass(frozen=True)
class Blocks:
    """Pods that go to a node state together, best first.

    Attributes:
        row: node state of each block.
        start: pods of the class already on the node when the block begins.
        length: pods of the block, per node.
        reshape: device states after each number of pods, where the policy chooses devices itself [level, row, device].
    """

    row: IntArray
    start: IntArray
    length: IntArray
    reshape: IntArray | None = None


def best_fit(fleet: Fleet, scale: Scale) -> FloatArray:
    """Return the negative of what would be left on each node: the least left is the best."""
    rows = slice(0, fleet.size)
    left: FloatArray = (
        fleet.cpu[rows] / scale.cpu + fleet.memory[rows] / scale.memory + fleet.gpu_free[rows] / scale.gpu
    )
    return -left


def dot_product(fleet: Fleet, request: Request, scale: Scale) -> FloatArray:
    """Return the negative of request x free, in units of the largest node (Tetris, SIGCOMM 2014, reversed).

    The FGD paper's simulator takes the *smallest* product, so that a pod goes where what it needs is scarce.
    """
    rows = slice(0, fleet.size)
    gpu = request.milli[fleet.kind[rows]]
    product: FloatArray = (
        fleet.cpu[rows] * (request.cpu / scale.cpu**2)
        + fleet.memory[rows] * (request.memory / scale.memory**2)
        + fleet.gpu_free[rows] * (gpu / scale.gpu**2)
    )
    return -product


def _used_share(fleet: Fleet, request: Request, most: int) -> FloatArray:
    """Return the mean share of each node's resources in use after 1..most pods [row, pods]."""
    rows = slice(0, fleet.size)
    kinds = fleet.kind[rows]
    pods = np.arange(1, most + 1)
    shares: list[FloatArray] = []
    present = np.zeros(fleet.size)
    for free, need, capacity in (
        (fleet.cpu[rows], request.cpu, [node.cpu_milli for node in fleet.nodes]),
        (fleet.memory[rows], request.memory, [node.memory_bytes for node in fleet.nodes]),
        (fleet.gpu_free[rows], request.milli[kinds][:, None], [node.gpu_count * GPU_MILLI for node in fleet.nodes]),
    ):
        full = np.array(capacity, dtype=np.float64)[kinds]
        present += full > 0
        shares.append(1.0 - (free[:, None] - need * pods) / np.maximum(full, 1.0)[:, None])
        shares[-1][full == 0] = 0.0
    return np.asarray(sum(shares) / np.maximum(present, 1)[:, None])


def most_allocated(fleet: Fleet, request: Request) -> FloatArray:
    """Return the mean share in use after one pod: the fullest node is the best."""
    return _used_share(fleet, request, 1)[:, 0]


def least_allocated(fleet: Fleet, request: Request, most: int) -> FloatArray:
    """Return the mean share free after 1..most pods: the emptiest node is the best [row, pods]."""
    return 1.0 - _used_share(fleet, request, most)


def one_block_each(key: FloatArray, fit: IntArray, opened: BoolArray, preference: FloatArray) -> Blocks:
    """Return one block per node state, for scores that rise while a node fills."""
    rows = (fit > 0).nonzero()[0]
    value = np.where(opened[rows], key[rows], _UNOPENED + preference[rows])
    rows = rows[(-value).argsort(kind="stable")]
    return Blocks(rows, np.zeros_like(rows), fit[rows])


def falling_blocks(scores: FloatArray, fit: IntArray, opened: BoolArray, preference: FloatArray) -> Blocks:
    """Return the blocks of a table of scores [row, pods], each worth the least score up to it."""
    most = scores.shape[1]
    value = np.minimum.accumulate(scores, axis=1)
    value[~opened] = (_UNOPENED + preference[~opened])[:, None]
    valid = np.arange(most) < fit[:, None]
    begins = valid.copy()
    begins[:, 1:] &= value[:, 1:] < value[:, :-1]
    row, start = np.nonzero(begins)
    same = np.append(row[1:] == row[:-1], np.zeros(min(1, len(row)), dtype=np.bool_))
    end = np.where(same, np.append(start[1:], 0)[: len(start)], fit[row])
    order = np.lexsort((start, row, -value[row, start]))
    return Blocks(row[order], start[order], (end - start)[order])


def fgd_scores(
    fleet: Fleet, request: Request, fit: IntArray, fragmentation: Fragmentation
) -> tuple[FloatArray, IntArray]:
    """Return the fall of fragmentation by the j-th pod on each node, and the device states after it.

    Returns:
        scores [row, pods] and devices [pods + 1, row, device].
    """
    rows = slice(0, fleet.size)
    most = int(fit.max())
    cpu, gpu = fleet.cpu[rows].copy(), fleet.gpu[rows].copy()
    scores = np.full((fleet.size, most), -np.inf)
    devices = [gpu.copy()]
    units = int(request.units.max()) if request.gpus else 0
    for level in range(most):
        live = np.flatnonzero(fit > level)
        score, after = fragmentation.descend(cpu[live], gpu[live], request.cpu, request.gpus, units)
        scores[live, level] = score
        cpu[live] -= request.cpu
        gpu[live] = after
        devices.append(gpu.copy())
    return scores, np.array(devices)


def fill(fleet: Fleet, request: Request, blocks: Blocks, wanted: int) -> int:
    """Put up to ``wanted`` pods on the fleet, block by block; returns how many found a place."""
    if wanted <= 0 or not len(blocks.row):
        return 0
    reach = (blocks.length * fleet.count[blocks.row]).cumsum()
    whole = int(reach.searchsorted(wanted, side="right"))
    rows: list[int] = []
    numbers: list[int] = []
    if whole:
        level = np.zeros(fleet.size, dtype=np.int64)
        np.maximum.at(level, blocks.row[:whole], (blocks.start + blocks.length)[:whole])
        rows = level.nonzero()[0].tolist()
        numbers = level[rows].tolist()
    placed = int(reach[whole - 1]) if whole else 0
    sources = list(rows)
    if whole < len(reach) and placed < wanted:
        length, row, start = int(blocks.length[whole]), int(blocks.row[whole]), int(blocks.start[whole])
        nodes, rest = divmod(wanted - placed, length)
        placed = wanted
        for number, pods in ((nodes, start + length), (int(rest > 0), start + rest)):
            if number == 0:
                continue
            target = fleet.split(row, number) if number < fleet.count[row] else row
            if target == row and row in rows:
                numbers[rows.index(row)] = pods
            else:
                rows.append(target)
                numbers.append(pods)
                sources.append(row)
    _bind(fleet, request, blocks, (rows, numbers, sources))
    return placed


def _bind(fleet: Fleet, request: Request, blocks: Blocks, where: tuple[list[int], list[int], list[int]]) -> None:
    rows, numbers, sources = where
    if not rows:
        return
    devices = None if blocks.reshape is None else blocks.reshape[numbers, sources]
    bound = np.array(rows)
    fleet.bind(request, bound, np.array(numbers))
    if devices is not None:
        fleet.set_devices(bound, devices)


def scatter(fleet: Fleet, request: Request, fit: IntArray, wanted: int, generator: np.random.Generator) -> int:
    """Put pods on nodes drawn uniformly among those that still have room; returns how many found a place.

    Drawing for all pods at once and drawing again for those that hit a full node gives the same distribution as one
    pod at a time, because equal pods are interchangeable.
    """
    rows = np.flatnonzero((fit > 0) & (fleet.count[: fleet.size] > 0))
    limit = np.repeat(fit[rows], fleet.count[rows])
    owner = np.repeat(rows, fleet.count[rows])
    got = np.zeros(len(limit), dtype=np.int64)
    left = min(wanted, int(limit.sum()))
    placed = left
    while left:
        free = np.flatnonzero(got < limit)
        drawn = np.bincount(generator.integers(0, len(free), left), minlength=len(free))
        taken = np.minimum(drawn, limit[free] - got[free])
        got[free] += taken
        left -= int(taken.sum())
    base = int(got.max(initial=0)) + 1
    levels, nodes = np.unique(owner * base + got, return_counts=True)
    targets, numbers = [], []
    for code, count in zip(levels.tolist(), nodes.tolist(), strict=True):
        row, number = divmod(code, base)
        if number:
            targets.append(fleet.split(row, count) if count < fleet.count[row] else row)
            numbers.append(number)
    if targets:
        fleet.bind(request, np.array(targets, dtype=np.int64), np.array(numbers, dtype=np.int64))
    return placed
