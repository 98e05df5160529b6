"""How a GPU is cut into partitions: what the bill places and what the export asks for are one geometry."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Final

from kubeanswers.records import dataclass

_MILLI: Final = 1000
_MAX_SLICES: Final = 12


@dataclass(frozen=True, order=True)
class SliceProfile:
    """One size a GPU can be cut to.

    Attributes:
        name: name of the profile, e.g. ``1g.10gb``.
        compute: compute slices it holds.
        size: memory slices it covers, adjacent.
        starts: memory slices it may start at.
        memory_bytes: device memory it offers, bytes.
    """

    name: str
    compute: int
    size: int
    starts: tuple[int, ...]
    memory_bytes: int = 0

    @property
    def masks(self) -> tuple[int, ...]:
        """The slices each permitted position covers, as bit masks."""
        return tuple(((1 << self.size) - 1) << start for start in self.starts)


@dataclass(frozen=True)
class SliceGeometry:
    """The slices of one GPU model and the profiles it can be cut to.

    Attributes:
        model: GPU model.
        compute: compute slices of the whole device (7 for A100 and H100).
        slices: memory slices of the whole device (8 for A100 and H100).
        profiles: permitted profiles.
    """

    model: str
    compute: int
    slices: int
    profiles: tuple[SliceProfile, ...]

    def __post_init__(self) -> None:
        if not 0 < self.slices <= _MAX_SLICES:
            raise ValueError(f"{self.model}: {self.slices} memory slices; allowed: 1 to {_MAX_SLICES}")
        for profile in self.profiles:
            if profile.size < 1 or any(start < 0 or start + profile.size > self.slices for start in profile.starts):
                raise ValueError(f"{self.model}: profile {profile.name} reaches beyond the {self.slices} slices")

    def profile(self, name: str) -> SliceProfile | None:
        """Return the profile of that name, or ``None``."""
        return next((profile for profile in self.profiles if profile.name == name), None)

    def smallest(self, gpu_milli: int, memory_bytes: int) -> SliceProfile | None:
        """Return the smallest profile with at least that share of compute and that memory, or ``None``."""
        fitting = [
            profile
            for profile in self.profiles
            if profile.compute * _MILLI >= gpu_milli * self.compute and profile.memory_bytes >= memory_bytes
        ]
        return min(fitting, key=lambda profile: (profile.size, profile.compute, profile.name), default=None)


def equal_parts(parts: int, gpu_milli: int, device_memory: int, needed_memory: int) -> int:
    """Return how many of a GPU's equal parts cover a share of its compute (thousandths) and of its memory (bytes)."""
    share = gpu_milli
    if device_memory and needed_memory:
        share = max(share, -(-_MILLI * needed_memory // device_memory))
    return -(-share * parts // _MILLI)


MIG_PROFILE: Final = re.compile(r"(?P<compute>[0-9]+)g\.(?P<memory>[0-9]+)gb")
"""Name of a MIG profile, as ``1g.10gb``: compute slices and memory."""


@functools.lru_cache(maxsize=128)
def slice_geometry(model: str, profiles: tuple[tuple[str, int], ...]) -> SliceGeometry | None:
    """Return the partition geometry of a GPU model from how many instances of each profile fit on one GPU.

    The largest profile is the whole device. A device of seven compute slices has eight memory slices, others have as
    many as compute slices. A profile covers its share of the memory, and starts at multiples of its size, as many as
    there may be instances of it. This reproduces the placements of NVIDIA's MIG user guide
    (https://docs.nvidia.com/datacenter/tesla/mig-user-guide/), section "Supported MIG Profiles". The gigabytes in a
    profile's name are decimal: an instance of 1g.10gb has 9.5 GiB, so that 10Gi do not fit.
    """
    parsed = [(name, count, found) for name, count in profiles if (found := MIG_PROFILE.fullmatch(name))]
    if not parsed:
        return None
    compute = max(int(found["compute"]) for _, _, found in parsed)
    whole = max(int(found["memory"]) for _, _, found in parsed)
    slices = 8 if compute == 7 else compute
    result = []
    for name, count, found in parsed:
        size = slices if int(found["compute"]) == compute else max(1, round(int(found["memory"]) * slices / whole))
        starts = tuple(start for start in range(0, slices, size) if start + size <= slices)[:count]
        result.append(SliceProfile(name, int(found["compute"]), size, starts, int(found["memory"]) * 10**9))
    return SliceGeometry(model, compute, slices, tuple(sorted(result)))


def profiles_of(profiles: Mapping[str, Mapping[str, int]], model: str) -> Mapping[str, int]:
    """Return the profiles of a GPU model; a shorter name in the table stands for all cards that begin with it."""
    found = [name for name in profiles if model == name or model.startswith(f"{name}-")]
    return profiles[max(found, key=len)] if found else {}
