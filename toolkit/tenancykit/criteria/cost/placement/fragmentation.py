"""GPU fragmentation of a node for a mix of pods, and the fall of it a placement brings (FGD).

The measure of Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient
Descent", USENIX ATC 2023: the GPU left on a node that a pod drawn from the typical mix could not use. Where a typical
pod cannot run on the node, or asks for no GPU, all that is left is lost to it; otherwise what is left on devices with
less than it asks.

For pods that ask for one GPU the measure is a sum over devices, so it is looked up in a table by free milli and CPU
step; pods of several GPUs add a correction, because they need several devices at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
_MILLI: Final = 1000


@dataclass(frozen=True, order=True)
class TypicalPod:
    """A kind of pod of the mix.

    Attributes:
        cpu_milli: CPU request, thousandths of a core.
        gpu_count: GPUs.
        gpu_milli: share of each, thousandths.
        weight: popularity; normalised over the mix.
        gpu_models: models it may use; empty for any.
    """

    cpu_milli: int
    gpu_count: int
    gpu_milli: int
    weight: float
    gpu_models: tuple[str, ...] = ()


Kind = tuple[int, int, int, tuple[str, ...]]


def typical_pods(pods: Iterable[tuple[Kind, int]], coverage: float = 0.95) -> tuple[TypicalPod, ...]:
    """Return the most frequent kinds that cover a share of all pods, with popularity normalised to 1.

    Args:
        pods: ((cpu milli, GPUs, milli per GPU, models), number of pods); equal kinds are added up.
        coverage: share of the pods the kinds have to cover.
    """
    counts: dict[Kind, int] = {}
    for (cpu, gpus, milli, models), number in pods:
        kind = (cpu, gpus, milli if gpus else 0, models)
        counts[kind] = counts.get(kind, 0) + number
    total, covered = sum(counts.values()), 0
    chosen: list[tuple[Kind, int]] = []
    for kind, number in sorted(counts.items(), key=lambda item: (-item[1], -item[0][0], -item[0][1], -item[0][2])):
        if covered >= coverage * total:
            break
        chosen.append((kind, number))
        covered += number
    return tuple(TypicalPod(*kind[:3], number / covered, kind[3]) for kind, number in chosen)


class Fragmentation:
    """The fragmentation measure for one mix on nodes of one GPU model (``None``: models are not looked at), as tables.

    Attributes:
        steps: CPU requests of the mix, ascending: between two of them the measure does not change with CPU.
        table: what one device with v milli left adds, single-GPU pods only [CPU step, v].
        groups: pods of several GPUs: (GPUs, milli each, popularity that can run by CPU step).
    """

    def __init__(self, mix: Sequence[TypicalPod], model: str | None = None) -> None:
        weight = sum(pod.weight for pod in mix) or 1.0
        self.steps: IntArray = np.array(sorted({pod.cpu_milli for pod in mix}), dtype=np.int64)
        left = np.arange(_MILLI + 1)
        self.table: FloatArray = np.tile(left.astype(np.float64), (len(self.steps) + 1, 1))
        several: dict[tuple[int, int], FloatArray] = {}
        for pod in mix:
            if pod.gpu_count == 0 or (pod.gpu_models and model is not None and model not in pod.gpu_models):
                continue
            first = int(np.searchsorted(self.steps, pod.cpu_milli)) + 1
            usable = np.where(left >= pod.gpu_milli, left, 0) * (pod.weight / weight)
            if pod.gpu_count == 1:
                self.table[first:] -= usable
            else:
                runs = several.setdefault((pod.gpu_count, pod.gpu_milli), np.zeros(len(self.steps) + 1))
                runs[first:] += pod.weight / weight
        self.groups: tuple[tuple[int, int, FloatArray], ...] = tuple((n, m, runs) for (n, m), runs in several.items())

    def step(self, cpu: IntArray) -> IntArray:
        """Return the CPU step of each node: how many of the mix's CPU requests it could still meet."""
        return np.searchsorted(self.steps, cpu, side="right").astype(np.int64)

    def amount(self, cpu: IntArray, gpu: IntArray) -> FloatArray:
        """Return the fragmentation of nodes, GPU milli.

        Args:
            cpu: CPU left on each node, milli [node].
            gpu: milli left on each device [node, device]; absent devices are 0.
        """
        step = self.step(cpu)
        total: FloatArray = self.table.take(step[:, None] * (_MILLI + 1) + gpu).sum(axis=1)
        for devices, milli, runs in self.groups:
            enough = gpu >= milli
            usable = np.where(enough, gpu, 0).sum(axis=1)
            total -= runs[step] * np.where(enough.sum(axis=1) >= devices, usable, 0)
        return total

    def falls(
        self, before: FloatArray, state: tuple[IntArray, IntArray], need: int, gpus: int, milli: int
    ) -> FloatArray:
        """Return how much one pod lowers each node's fragmentation, by the device it takes [node, device].

        A pod of several GPUs, of a whole one or of none has no choice that matters: one column. Devices a share does
        not fit are minus infinity; nodes it does not fit otherwise are not looked at.

        Args:
            before: fragmentation of each node as it is.
            state: CPU left [node] and milli left on each device [node, device].
            need: CPU of the pod, milli.
            gpus: GPUs of the pod.
            milli: share of each, thousandths.
        """
        cpu, gpu = state
        left = cpu - need
        if self.groups or (gpus > 1 and milli < _MILLI):
            return self._falls_of_several(before, (left, gpu), gpus, milli)
        row = self.step(left)[:, None] * (_MILLI + 1)
        lost = self.table.take(row + gpu)
        stays = before - lost.sum(axis=1)
        if gpus == 0:
            return np.asarray(stays[:, None])
        if milli == _MILLI:
            result: FloatArray = stays[:, None] + gpus * self.table.take(row + _MILLI)
            return result
        after = gpu - milli
        fall = stays[:, None] + lost - self.table.take(row + np.maximum(after, 0))
        fall[after < 0] = -np.inf
        return np.asarray(fall)

    def _falls_of_several(
        self, before: FloatArray, state: tuple[IntArray, IntArray], gpus: int, milli: int
    ) -> FloatArray:
        cpu, gpu = state
        nodes, devices = gpu.shape
        if gpus != 1 or milli == _MILLI:
            return (before - self.amount(cpu, exclusive(gpu, gpus, milli)))[:, None]
        options = np.repeat(gpu[:, None, :], devices, axis=1)
        each = np.arange(devices)
        options[:, each, each] -= milli
        amount = self.amount(np.repeat(cpu, devices), np.maximum(options, 0).reshape(-1, devices))
        fall: FloatArray = np.where(gpu >= milli, before[:, None] - amount.reshape(nodes, devices), -np.inf)
        return fall

    def descend(self, cpu: IntArray, gpu: IntArray, need: int, gpus: int, milli: int) -> tuple[FloatArray, IntArray]:
        """Return how much one pod lowers each node's fragmentation at best, and the devices after it, fullest first.

        Args:
            cpu: CPU left, milli [node].
            gpu: milli left, fullest device first [node, device].
            need: CPU of the pod, milli.
            gpus: GPUs of the pod.
            milli: share of each, thousandths.
        """
        fall = self.falls(self.amount(cpu, gpu), (cpu, gpu), need, gpus, milli)
        if fall.shape[1] == 1 and (gpus != 1 or milli == _MILLI):
            return fall[:, 0], np.sort(exclusive(gpu, gpus, milli), axis=1)
        best, pick = fall.argmax(axis=1), np.arange(len(gpu))
        after = gpu.copy()
        after[pick, best] -= milli
        return fall[pick, best], np.sort(after, axis=1)


def exclusive(gpu: IntArray, gpus: int, milli: int) -> IntArray:
    """Return the devices after a pod took its share of the first ``gpus`` that have enough left."""
    fits = gpu >= milli
    result: IntArray = gpu - (fits & (np.cumsum(fits, axis=1) <= gpus)) * milli
    return result
