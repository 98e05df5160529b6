"""What wraps a workload by its design's own choice makes the same work take longer, so that it needs more machines.

Sandboxes, confidential guests and meshes slow a tenant whether or not it has neighbours; at equal service that is
capacity to pay for. Work of the CPU asks for so many more cores; work on a GPU holds its card for so much longer, so
that more pods of it are active at a time. What neighbours take is left to isolation, where it is counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Interference, Range
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.conditions import Condition
from tenancykit.design.model import ClassDesign

_VICTIM = "victim:"


@dataclass(frozen=True)
class Wrapping:
    """What wraps the workloads of a class.

    Attributes:
        entries: each thing that does, in the catalogue's order.
    """

    entries: tuple[Interference, ...] = ()

    def times(self, *, gpu: bool) -> float:
        """Return how many times as long work takes: on a GPU, or on the CPU alone."""
        return math.prod(times_of(entry, gpu=gpu).likely for entry in self.entries)


UNWRAPPED: Final = Wrapping()


def wrapping(resolved: ClassDesign, catalogue: Catalogue) -> Wrapping:
    """Return what wraps the workloads of a class under a design."""
    facts = frozenset(_VICTIM + name for name in resolved.facts)
    return Wrapping(tuple(entry for entry in _wraps(catalogue) if entry.when.holds(facts)))


def times_of(entry: Interference, *, gpu: bool) -> Range:
    """Return how many times as long work takes in one thing that wraps it."""
    return entry.on_gpu if gpu and entry.on_gpu is not None else entry.mean


def slowed(pods: float, times: float) -> float:
    """Return active pods where the same work takes so many times as long: a pod more for every whole pod lost."""
    return pods + math.floor(pods * (times - 1) + 1e-9)


def wrapping_conditions(catalogue: Catalogue) -> Iterator[Condition]:
    """Yield a condition per fact of a design that decides what wraps its workloads."""
    atoms = frozenset().union(*(entry.when.atoms() for entry in _wraps(catalogue)))
    return (Condition("atom", name.removeprefix(_VICTIM)) for name in sorted(atoms))


def _wraps(catalogue: Catalogue) -> Iterator[Interference]:
    return (entry for entry in load_isolation(catalogue).interference.values() if entry.kind == "overhead")
