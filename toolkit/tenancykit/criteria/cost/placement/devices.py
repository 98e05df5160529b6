"""How one GPU is cut, and what is left of it after a pod took its part.

A GPU's state is one whole number. For whole, fractional and replicated GPUs it counts free units; for partitioned GPUs
(MIG) it is a bit mask of free memory slices, because what fits depends on *where* the free slices are: a profile may
start only at the positions its model allows (https://docs.nvidia.com/datacenter/tesla/mig-user-guide/).
"""

from __future__ import annotations

import functools
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass
from tenancykit.partitions import SliceGeometry, SliceProfile, equal_parts

IntArray = NDArray[np.int64]
SharingMode = Literal["whole", "fraction", "replicas", "slices"]
_MILLI: Final = 1000


@dataclass(frozen=True)
class GpuSharing:
    """How the GPUs of a node are handed out.

    Attributes:
        mode: ``whole`` devices; any ``fraction`` in thousandths; ``replicas`` (time-slicing or MPS: the device is
            advertised that many times, its memory shared); ``slices`` (MIG).
        replicas: replicas per GPU, for ``replicas``.
        geometry: profiles of the model, for ``slices``.
    """

    mode: SharingMode = "whole"
    replicas: int = 1
    geometry: SliceGeometry | None = None

    def __post_init__(self) -> None:
        if self.mode == "slices" and self.geometry is None:
            raise ValueError("sharing by slices needs the geometry of the GPU model")
        if self.replicas < 1:
            raise ValueError(f"{self.replicas} replicas per GPU; allowed: 1 or more")

    @property
    def full(self) -> int:
        """State of an idle GPU."""
        if self.mode == "slices":
            return (1 << self._geometry.slices) - 1
        return {"whole": 1, "fraction": _MILLI, "replicas": self.replicas}[self.mode]

    @property
    def _geometry(self) -> SliceGeometry:
        if self.geometry is None:  # pragma: no cover - refused on construction
            raise ValueError("no geometry")
        return self.geometry

    def free_milli(self) -> IntArray:
        """Return the free thousandths of a GPU by state, as a table over all states."""
        states = np.arange(self.full + 1, dtype=np.int64)
        if self.mode == "slices":
            return np.bitwise_count(states).astype(np.int64) * _MILLI // self._geometry.slices
        return states * _MILLI // self.full

    def units(self, gpu_milli: int, device_memory: int, needed_memory: int) -> int | None:
        """Return the units one pod takes of one GPU, or ``None`` where it can never fit.

        Device memory stays shared between replicas, so a pod that needs more than one replica's part of it takes
        as many replicas as cover its memory.
        """
        if device_memory and needed_memory > device_memory:
            return None
        if self.mode == "whole":
            return 1
        return equal_parts(self.full, gpu_milli, device_memory, needed_memory)

    def chosen_profile(self, gpu_milli: int, needed_memory: int, name: str | None) -> SliceProfile | None:
        """Return the profile a pod gets: the one it names, or the smallest that covers it; ``None`` if none does."""
        return self._geometry.profile(name) if name else self._geometry.smallest(gpu_milli, needed_memory)


WHOLE: Final = GpuSharing()
FRACTION: Final = GpuSharing("fraction")


@dataclass(frozen=True)
class SliceTables:
    """What fits into a partitioned GPU, looked up by its mask of free slices.

    Attributes:
        capacity: instances of the profile that fit beside what is there, by mask.
        after: mask left after k instances, indexed [k, mask]; unchanged where k do not fit.
    """

    capacity: IntArray
    after: IntArray


@functools.lru_cache(maxsize=256)
def slice_tables(geometry: SliceGeometry, profile: SliceProfile) -> SliceTables:
    """Return the exact capacity of every mask for one profile, and the masks that keep most room for others.

    Among the positions that still allow the greatest number of equal instances, the one is taken that leaves the
    most placements of all profiles open.
    """
    size = 1 << geometry.slices
    every = [mask for other in geometry.profiles for mask in other.masks]
    room = np.zeros(size, dtype=np.int64)
    states = np.arange(size, dtype=np.int64)
    for mask in every:
        room += (states & mask) == mask
    capacity = [0] * size
    step = list(range(size))
    for free in range(size):  # masks only shrink, so smaller numbers are already known
        best = max(
            (
                (1 + capacity[free ^ mask], int(room[free ^ mask]), -mask)
                for mask in profile.masks
                if free & mask == mask
            ),
            default=None,
        )
        if best is not None:
            capacity[free], step[free] = best[0], free ^ -best[2]
    after = [list(range(size))]
    for _ in range(max(capacity)):
        after.append([step[mask] for mask in after[-1]])
    return SliceTables(np.array(capacity, dtype=np.int64), np.array(after, dtype=np.int64))
