"""Pods that arrive one at a time on single nodes and never leave: the setting of the FGD experiment.

Scores, ties and device choice follow the protocol of Weng et al. (USENIX ATC 2023), read from their public simulator:
integer scores from 0 to 100, ties to the node that comes first in a random order, no second try for a pod that found
no node. A pod's scores are kept per shape and recomputed only for nodes that changed since the shape last arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tenancykit.criteria.cost.placement.fragmentation import Fragmentation, TypicalPod, exclusive
from tenancykit.criteria.cost.placement.values import GPU_MILLI, NodeClass, PodClass

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
ArrivalPolicy = Literal["Random", "DotProd", "BestFit", "FGD"]
ARRIVAL_POLICIES: Final[tuple[ArrivalPolicy, ...]] = ("Random", "DotProd", "BestFit", "FGD")

_MAX_CPU: Final = 128_000.0
_MAX_GPU: Final = 8_000.0
"""What the simulator divides CPU and GPU milli by in BestFit and DotProd: the largest node of the trace."""
_TOP: Final = 100


@dataclass(frozen=True)
class Arrivals:
    """What happened, record by record.

    Attributes:
        node: node each pod went to, as a position in the fleet's own order; -1 where it found none.
        arrived: GPU milli asked for so far.
        allocated: GPU milli allocated so far.
        capacity: GPU milli of the fleet.
        fragmented: share of the GPU milli left at the end that is fragmented (FGD's measure).
    """

    node: IntArray
    arrived: IntArray
    allocated: IntArray
    capacity: int
    fragmented: float

    def allocation_percent(self, arrived_percent: int) -> float:
        """Return the mean allocation in percent over the records at which that percentage has arrived."""
        at = np.rint(100.0 * self.arrived / self.capacity) == arrived_percent
        return float(100.0 * (self.allocated[at] / self.capacity).mean()) if at.any() else float("nan")


def inflate(shapes: Sequence[PodClass], ratio: float, capacity: int, generator: np.random.Generator) -> IntArray:
    """Return a shuffled arrival order of all pods, and draws with replacement up to ``ratio`` of the GPU capacity.

    A draw that would lift the total above the limit ends it; it counts with its share of one GPU, as in the
    simulator's ``tuneUpPods``. A list that asks for more than the limit loses random pods instead.

    Args:
        shapes: pod classes with counts.
        ratio: GPU asked for over GPU there is.
        capacity: GPU milli of the fleet.
        generator: source of the shuffle and the draws.
    """
    original = np.repeat(np.arange(len(shapes)), [pod.count for pod in shapes])
    asked = np.array([pod.gpu_count * pod.gpu_milli for pod in shapes], dtype=np.int64)
    single = np.array([pod.gpu_milli if pod.gpu_count else 0 for pod in shapes], dtype=np.int64)
    order = generator.permutation(original)
    total, limit = int(asked[original].sum()), ratio * capacity
    if total > limit:
        kept = order.tolist()
        while total > limit:
            total -= int(asked[kept.pop(int(generator.integers(len(kept))))])
        return np.array(kept, dtype=np.int64)
    drawn: list[int] = []
    while True:
        shape = int(original[generator.integers(len(original))])
        if total + int(single[shape]) > limit:
            return np.concatenate([order, np.array(drawn, dtype=np.int64)])
        total += int(asked[shape])
        drawn.append(shape)


class _Cluster:
    """Single nodes in tie order, with scores per shape that are brought up to date when asked for."""

    def __init__(
        self, shapes: Sequence[PodClass], nodes: Sequence[NodeClass], mix: Sequence[TypicalPod], seed: int
    ) -> None:
        self.shapes = shapes
        self.generator = np.random.default_rng(seed)
        fleet = [node for node in nodes for _ in range(node.count or 0)]
        self.order = self.generator.permutation(len(fleet))
        fleet = [fleet[i] for i in self.order.tolist()]
        width = max((node.gpu_count for node in fleet), default=0)
        self.cpu: IntArray = np.array([node.cpu_milli for node in fleet], dtype=np.int64)
        self.memory: IntArray = np.array([node.memory_bytes for node in fleet], dtype=np.int64)
        self.pods: IntArray = np.array([node.max_pods for node in fleet], dtype=np.int64)
        self.gpu: IntArray = np.zeros((len(fleet), width), dtype=np.int64)
        for i, node in enumerate(fleet):
            self.gpu[i, : node.gpu_count] = GPU_MILLI
        self.free: IntArray = self.gpu.sum(axis=1)
        self.capacity = int(self.free.sum())
        named = any(pod.gpu_models for pod in mix)
        models: list[str | None] = [*sorted({node.gpu_model for node in fleet})] if named else [None]
        self.fragmentations = [Fragmentation(mix, model) for model in models]
        self.model = np.array([models.index(node.gpu_model) if named else 0 for node in fleet], dtype=np.int64)
        self.barred = [
            np.array([bool(pod.gpu_models) and node.gpu_model not in pod.gpu_models for node in fleet])
            for pod in shapes
        ]
        self.amount: FloatArray = np.zeros(len(fleet))
        for i in range(len(models)):
            rows = self.model == i
            self.amount[rows] = self.fragmentations[i].amount(self.cpu[rows], self.gpu[rows])
        self.scores = np.full((len(shapes), len(fleet)), -2, dtype=np.int16)
        self.seen = np.full(len(shapes), -1)
        self.changed: list[int] = []

    def stale(self, shape: int) -> IntArray:
        """Return the nodes whose score for a shape is out of date, and note that it will be brought up to date."""
        since = int(self.seen[shape])
        self.seen[shape] = len(self.changed)
        if since < 0:
            return np.arange(len(self.cpu))
        rows: IntArray = np.array(sorted(set(self.changed[since:])), dtype=np.int64)
        return rows

    def feasible(self, shape: int, rows: IntArray) -> NDArray[np.bool_]:
        """Return which of the nodes can take the pod."""
        pod = self.shapes[shape]
        fits = (self.cpu[rows] >= pod.cpu_total_milli) & (self.memory[rows] >= pod.memory_total_bytes)
        fits &= self.pods[rows] > 0
        if pod.gpu_models:
            fits &= ~self.barred[shape][rows]
        if pod.gpu_count == 1:
            fits &= self.gpu[rows].max(axis=1) >= pod.gpu_milli
        elif pod.gpu_count:
            fits &= (self.gpu[rows] >= pod.gpu_milli).sum(axis=1) >= pod.gpu_count
        return np.asarray(fits, dtype=np.bool_)

    def update(self, shape: int, policy: ArrivalPolicy) -> NDArray[np.int16]:
        """Return the scores of a shape on every node, -1 where it does not fit."""
        scores = self.scores[shape]
        rows = self.stale(shape)
        if len(rows):
            fits = self.feasible(shape, rows)
            scores[rows] = -1
            rows = rows[fits]
            if len(rows):
                scores[rows] = 0 if policy == "Random" else self._score(shape, rows, policy)
        return np.asarray(scores, dtype=np.int16)

    def _score(self, shape: int, rows: IntArray, policy: ArrivalPolicy) -> NDArray[np.int16]:
        pod = self.shapes[shape]
        need, gpu = float(pod.cpu_total_milli), float(pod.gpu_count * pod.gpu_milli)
        cpu, free = self.cpu[rows], self.free[rows]
        if policy == "BestFit":
            left = (cpu - need) / _MAX_CPU * 0.5 + (free - gpu) / _MAX_GPU * 0.5
            return ((1.0 - left) * _TOP).astype(np.int16)
        if policy == "DotProd":
            product = (cpu / _MAX_CPU) * (need / _MAX_CPU) + (free / _MAX_GPU) * (gpu / _MAX_GPU)
            return (_TOP * (1.0 - product / 2.0)).astype(np.int16)
        return descent(self.falls(pod, rows).max(axis=1))

    def falls(self, pod: PodClass, rows: IntArray) -> FloatArray:
        """Return the fall of fragmentation by device on each of the nodes."""
        state = (self.cpu[rows], self.gpu[rows])
        before = self.amount[rows]
        if len(self.fragmentations) == 1:
            return self.fragmentations[0].falls(before, state, pod.cpu_total_milli, pod.gpu_count, pod.gpu_milli)
        model = self.model[rows]
        width = self.gpu.shape[1] if pod.gpu_count == 1 and pod.gpu_milli < GPU_MILLI else 1
        result = np.empty((len(rows), width))
        for i in np.unique(model).tolist():
            at = model == i
            part = (state[0][at], state[1][at])
            result[at] = self.fragmentations[i].falls(
                before[at], part, pod.cpu_total_milli, pod.gpu_count, pod.gpu_milli
            )
        return result

    def device(self, pod: PodClass, node: int, policy: ArrivalPolicy) -> int:
        """Return the device of the node a share goes to."""
        gpu = self.gpu[node]
        fits = np.flatnonzero(gpu >= pod.gpu_milli)
        if policy == "Random":
            return int(fits[self.generator.integers(len(fits))])
        if policy == "FGD":
            return int(descent(self.falls(pod, np.array([node]))[0]).argmax())
        return int(fits[gpu[fits].argmin()])

    def bind(self, shape: int, node: int, policy: ArrivalPolicy) -> None:
        """Put a pod on a node where it fits."""
        pod = self.shapes[shape]
        if pod.gpu_count == 1 and pod.gpu_milli < GPU_MILLI:
            self.gpu[node, self.device(pod, node, policy)] -= pod.gpu_milli
        elif pod.gpu_count:
            self.gpu[node] = exclusive(self.gpu[node : node + 1], pod.gpu_count, pod.gpu_milli)[0]
        self.cpu[node] -= pod.cpu_total_milli
        self.memory[node] -= pod.memory_total_bytes
        self.pods[node] -= 1
        self.free[node] -= pod.gpu_count * pod.gpu_milli
        self.changed.append(node)
        if policy == "FGD":
            at = slice(node, node + 1)
            self.amount[node] = self.fragmentations[self.model[node]].amount(self.cpu[at], self.gpu[at])[0]


def descent(fall: FloatArray) -> NDArray[np.int16]:
    """Return falls of fragmentation (GPU milli) as the simulator's integer scores: a sigmoid stretched to 0..100.

    Falls are rounded to a millionth of a milli first, so that sums in another order give the same score.
    """
    with np.errstate(over="ignore"):
        score = _TOP / (1.0 + np.exp(np.round(fall, 6) / -1000.0))
    return score.astype(np.int16)


def replay(
    shapes: Sequence[PodClass],
    arrivals: IntArray,
    nodes: Sequence[NodeClass],
    policy: ArrivalPolicy,
    *,
    mix: Sequence[TypicalPod] = (),
    seed: int = 0,
) -> Arrivals:
    """Return what becomes of pods that arrive one at a time and never leave.

    Args:
        shapes: pod classes; their counts are not looked at.
        arrivals: position in ``shapes`` of each pod, in order of arrival.
        nodes: node classes with counts.
        policy: how a node and a device are chosen.
        mix: typical pods of the fragmentation measure (needed for FGD).
        seed: of the tie order of nodes and of Random.
    """
    cluster = _Cluster(shapes, nodes, mix, seed)
    asked = np.array([pod.gpu_count * pod.gpu_milli for pod in shapes], dtype=np.int64)
    chosen = np.full(len(arrivals), -1)
    for record, shape in enumerate(arrivals.tolist()):
        scores = cluster.update(shape, policy)
        if policy == "Random":
            fitting = np.flatnonzero(scores >= 0)
            node = int(fitting[cluster.generator.integers(len(fitting))]) if len(fitting) else -1
        else:
            node = int(scores.argmax()) if len(scores) else -1
        if node >= 0 and scores[node] >= 0:
            cluster.bind(shape, node, policy)
            chosen[record] = node
    bound = np.where(chosen >= 0, asked[arrivals], 0)
    left = int(cluster.free.sum())
    measure = sum(
        float(f.amount(cluster.cpu[cluster.model == i], cluster.gpu[cluster.model == i]).sum())
        for i, f in enumerate(cluster.fragmentations)
    )
    placed = np.where(chosen >= 0, cluster.order[chosen], -1)
    share = measure / left if left else 0.0
    return Arrivals(placed, np.cumsum(asked[arrivals]), np.cumsum(bound), cluster.capacity, share)
