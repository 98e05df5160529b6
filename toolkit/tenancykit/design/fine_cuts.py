"""Cards that are advertised several times (MPS, time-slicing) are cut as finely as the smallest shares ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tenancykit.catalogue.model import Option
from tenancykit.catalogue.price_entries import gpu_memory
from tenancykit.catalogue.reading import Catalogue
from tenancykit.scenario.model import Workload

MOST: Final = 48
"""Clients of one card that MPS serves on cards since Volta (https://docs.nvidia.com/deploy/mps/); kept for time-slicing
too (assumption)."""
_ADVERTISED: Final = ("mps", "time-slicing")


def finer(workloads: Iterable[Workload], offered: Iterable[str], catalogue: Catalogue) -> Mapping[str, Option]:
    """Return the options which advertise a card more often than by default for a class, by id.

    A card is advertised as often as each share that is asked still gets all it asks, memory included, in one piece.

    Args:
        workloads: what tenants of the class run.
        offered: GPU models on offer.
        catalogue: the options and how often they advertise a card by default.
    """
    asked = [w.gpu for w in workloads if w.gpu is not None and w.gpu.fraction is not None and w.gpu.fraction < 1]
    if not asked:
        return {}
    least = min((memory for memory in map(gpu_memory, offered) if memory), default=0)
    largest = max(max(g.fraction or 1.0, (g.memory or 0) / least if least else 0.0) for g in asked)
    often = min(MOST, int(1 / largest + 1e-9))
    return {
        option.id: option.model_copy(update={"gpu": option.gpu.model_copy(update={"replicas": often})})
        for option in catalogue.options.values()
        if option.gpu is not None and option.gpu.mode in _ADVERTISED and option.gpu.replicas < often
    }


__all__ = ["MOST", "finer"]
