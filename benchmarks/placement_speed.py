"""Speed of placement, beside a plain loop over pods with numpy arrays over nodes, measured in the same run.

The loop is timed on the whole of the small case and on the first pods of the others, and scaled up (``baseline_pods``
says how many were timed; early pods are no slower than late ones, every pod looks at every node).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import openb
from numpy.typing import NDArray

from fgd_arrivals import inflate, replay
from harness import line, measure, report
from tenancykit.criteria.cost.placement.fixed import place
from tenancykit.criteria.cost.placement.fragmentation import TypicalPod, typical_pods
from tenancykit.criteria.cost.placement.values import GPU_MILLI, NodeClass

IntArray = NDArray[np.int64]
Score = Callable[["Loop", openb.Shape], NDArray[np.float64]]


class Loop:
    """Nodes as arrays; pods are placed one by one, each looking at every node."""

    def __init__(self, nodes: list[NodeClass]) -> None:
        fleet = [node for node in nodes for _ in range(node.count or 0)]
        self.cpu: IntArray = np.array([node.cpu_milli for node in fleet])
        self.memory: IntArray = np.array([node.memory_bytes for node in fleet])
        self.gpu: IntArray = np.zeros((len(fleet), 8), dtype=np.int64)
        for i, node in enumerate(fleet):
            self.gpu[i, : node.gpu_count] = GPU_MILLI

    def run(self, pods: list[openb.Shape], score: Score) -> float:
        """Place pods and return the seconds it took."""
        start = time.perf_counter()
        for pod in pods:
            cpu, memory, gpus, milli = pod
            fits = (self.cpu >= cpu) & (self.memory >= memory)
            if gpus:
                fits &= (self.gpu >= milli).sum(axis=1) >= gpus
            value = np.where(fits, score(self, pod), -np.inf)
            node = int(value.argmax())
            if not fits[node]:
                continue
            self.cpu[node] -= cpu
            self.memory[node] -= memory
            devices = np.flatnonzero(self.gpu[node] >= milli)
            self.gpu[node, devices[np.argsort(self.gpu[node, devices], kind="stable")][:gpus]] -= milli
        return time.perf_counter() - start


def best_fit(loop: Loop, _pod: openb.Shape) -> NDArray[np.float64]:
    """Return the negative of what is left of CPU, memory and GPU on each node."""
    left = loop.cpu / 128_000 + loop.memory / (1 << 40) + loop.gpu.sum(axis=1) / 8000
    return np.asarray(-left)


def fragmentation_descent(mix: tuple[TypicalPod, ...]) -> Score:
    """Return a score that computes the fragmentation of every node before and after the pod, pod by pod of the mix."""

    def amount(cpu: IntArray, gpu: IntArray) -> NDArray[np.float64]:
        total, lost = gpu.sum(axis=1), np.zeros(len(cpu))
        for pod in mix:
            runs = (cpu >= pod.cpu_milli) & ((gpu >= pod.gpu_milli).sum(axis=1) >= pod.gpu_count) & (pod.gpu_count > 0)
            small = np.where(gpu < pod.gpu_milli, gpu, 0).sum(axis=1)
            lost += pod.weight * np.where(runs, small, total)
        return lost

    def score(loop: Loop, pod: openb.Shape) -> NDArray[np.float64]:
        cpu, _, gpus, milli = pod
        before = amount(loop.cpu, loop.gpu)
        if gpus != 1 or milli == GPU_MILLI:
            fits = loop.gpu >= milli
            after = loop.gpu - (fits & (np.cumsum(fits, axis=1) <= gpus)) * milli
            return before - amount(loop.cpu - cpu, after)
        best = np.full(len(before), -np.inf)
        for device in range(loop.gpu.shape[1]):
            after = loop.gpu.copy()
            after[:, device] -= milli
            fall = before - amount(loop.cpu - cpu, np.maximum(after, 0))
            best = np.maximum(best, np.where(after[:, device] >= 0, fall, -np.inf))
        return best

    return score


def _lines(
    name: str, pods: int, work: Callable[[], object], baseline: tuple[float, int], runs: int
) -> list[dict[str, object]]:
    taken = measure(work, runs)
    seconds, timed = baseline
    loop = seconds * pods / timed
    more = {"peak_memory_mib": round(taken.peak_memory_mib, 1), "pods": pods, "baseline_pods": timed}
    ratio = {"per_pod_numpy_loop": round(loop / taken.seconds, 1)}
    return [
        line(f"{name} time", taken.seconds, "s", n=taken.runs, ratio_to=ratio, **more),
        line(f"{name} speed", pods / taken.seconds, "pods/s", n=taken.runs, ratio_to=ratio, **more),
    ]


def openb_best_fit() -> list[dict[str, object]]:
    """8,152 pods on 1,213 nodes, from rows of the trace to nodes; grouping included."""
    openb.needed()
    rows, nodes = openb.pod_rows(), openb.node_classes()
    baseline = (Loop(nodes).run(rows, best_fit), len(rows))
    return _lines("openb best fit", len(rows), lambda: place(openb.pod_classes(rows), nodes), baseline, 7)


def openb_fgd() -> list[dict[str, object]]:
    """The FGD policy's whole run to 130 % of the GPUs, pods one at a time."""
    openb.needed()
    nodes, shapes = openb.node_classes(), openb.pod_classes(openb.pod_rows())
    capacity = sum((node.count or 0) * node.gpu_count for node in nodes) * GPU_MILLI
    mix = typical_pods(((p.cpu_milli, p.gpu_count, p.gpu_milli, ()), p.count) for p in shapes)
    arrivals = inflate(shapes, 1.3, capacity, np.random.default_rng(42))
    rows = [
        (s.cpu_milli, s.memory_bytes, s.gpu_count, s.gpu_milli) for s in (shapes[i] for i in arrivals[:200].tolist())
    ]
    baseline = (Loop(nodes).run(rows, fragmentation_descent(mix)), len(rows))
    work = lambda: replay(shapes, arrivals, nodes, "FGD", mix=mix, seed=42)  # noqa: E731 - one call, measured
    return _lines("openb FGD to 130 %", len(arrivals), work, baseline, 3)


def many(pods: int, nodes: int, runs: int) -> Callable[[], list[dict[str, object]]]:
    """Return a benchmark of pods drawn from the trace's 151 shapes on its node mix, grouping included."""

    def benchmark() -> list[dict[str, object]]:
        openb.needed()
        known = openb.pod_rows()
        drawn = np.random.default_rng(7).integers(0, len(known), pods)
        rows = [known[i] for i in drawn.tolist()]
        fleet = openb.node_classes(nodes)
        baseline = (Loop(fleet).run(rows[:100], best_fit), 100)
        name = f"{pods:,} pods on {nodes:,} nodes"
        return _lines(name, pods, lambda: place(openb.pod_classes(rows), fleet), baseline, runs)

    return benchmark


if __name__ == "__main__":
    report(__doc__ or "", [openb_best_fit, openb_fgd, many(100_000, 10_000, 7), many(1_000_000, 100_000, 5)])
