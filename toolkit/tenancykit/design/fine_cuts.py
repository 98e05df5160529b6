"""Cards without partitions that are advertised several times (MPS, time-slicing): cut as finely as shares ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from tenancykit.catalogue.model import Option
from tenancykit.catalogue.price_entries import gpu_memory
from tenancykit.catalogue.reading import Catalogue
from tenancykit.scenario.model import Workload

MOST: Final = 48
"""Clients of one card that MPS serves on cards since Volta (https://docs.nvidia.com/deploy/mps/); kept for time-slicing
too (assumption)."""
_ADVERTISED: Final = ("mps", "time-slicing")


def finer(workloads: Iterable[Workload], offered: Collection[str], catalogue: Catalogue) -> Mapping[str, Option]:
    """Return the options which advertise a card more often than by default for a class, by id.

    A card is advertised as often as each share that is asked still gets all it asks, memory included, in one piece.
    Where a model on offer has partitions, which isolate as well, the default stays (assumption): more clients of one
    card means that a fault of one hits more, and no figure of isolation counts them.

    Args:
        workloads: what tenants of the class run.
        offered: GPU models on offer.
        catalogue: the options and how often they advertise a card by default.
    """
    asked = [w.gpu for w in workloads if w.gpu is not None and w.gpu.fraction is not None and w.gpu.fraction < 1]
    advertised = {o.id: o.gpu for o in catalogue.options.values() if o.gpu is not None and o.gpu.mode in _ADVERTISED}
    partitions = [o.gpu for o in catalogue.options.values() if o.gpu is not None and o.gpu.mode == "mig"]
    if not asked or any(mode.cuts(model) for mode in partitions for model in offered):
        return {}
    least = min((memory for memory in map(gpu_memory, offered) if memory), default=0)
    largest = max(max(g.fraction or 1.0, (g.memory or 0) / least if least else 0.0) for g in asked)
    often = min(MOST, int(1 / largest + 1e-9))
    return {
        name: catalogue.options[name].model_copy(update={"gpu": gpu.model_copy(update={"replicas": often})})
        for name, gpu in advertised.items()
        if gpu.replicas < often
    }


__all__ = ["MOST", "finer"]
