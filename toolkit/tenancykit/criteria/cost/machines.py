"""The machines a scenario may use, and how their GPUs are cut under a design."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.model import GpuMode
from tenancykit.catalogue.price_entries import NodeShape, Price, Term, gpu_memory
from tenancykit.criteria.cost.placement.devices import (
    FRACTION,
    WHOLE,
    GpuSharing,
)
from tenancykit.criteria.cost.pricing import PriceList, UnitPrice, exactly
from tenancykit.criteria.score import Evidence
from tenancykit.design.boards import cuts
from tenancykit.partitions import profiles_of, slice_geometry
from tenancykit.scenario.model import GpuRequest, NodeOffer, Scenario, Site

_ANY_SHARE: Final = GpuMode(mode="software")
"""A way of cutting cards that gives each pod the share it asks for."""


@dataclass(frozen=True)
class Machine:
    """A node type of the scenario with its price.

    Attributes:
        name: id in the price book, or the scenario's own name.
        shape: what it holds.
        hourly: price per hour in the scenario's currency.
        count: machines there are; None where they can be bought as needed.
        provider: who offers it; empty for the scenario's own.
        by_the_hour: whether it is given back when idle: bought as needed, on demand or as spot. A commitment and
            hardware of one's own are paid around the clock.
    """

    name: str
    shape: NodeShape
    hourly: UnitPrice
    count: int | None = None
    provider: str = ""
    by_the_hour: bool = False

    @property
    def is_gpu(self) -> bool:
        """Whether it holds GPUs."""
        return self.shape.gpus > 0


def machines_of(scenario: Scenario, prices: PriceList) -> tuple[Machine, ...]:
    """Return the node types of a scenario with shapes and prices.

    Raises:
        InputError: the price book does not know a node type, or has no rate for a currency.
    """
    fixed = scenario.infrastructure.mode == "fixed"
    result = []
    for index, offer in enumerate(scenario.infrastructure.nodes):
        where = f"infrastructure.nodes[{index}].type"
        count = offer.count if fixed else None
        if offer.spec is not None:
            whole = scenario.infrastructure.is_whole_host(offer.spec)
            result.append(_own_spec(offer, prices.currency, count, whole))
        else:
            price = prices.node(offer.type, where)
            result.append(machine_of(price, prices, offer.term, count))
    return tuple(result)


def committed(machines: Sequence[Machine]) -> frozenset[str]:
    """Return the names of the machines that are paid around the clock, needed or not."""
    return frozenset(machine.name for machine in machines if not machine.by_the_hour)


def machine_of(price: Price, prices: PriceList, term: Term = "on-demand", count: int | None = None) -> Machine:
    """Return a machine of the price book."""
    if price.node is None:
        raise LookupError(f"price {price.id!r} is no machine")
    by_the_hour = count is None and term != "reserved" and price.own is None
    return Machine(price.id, price.node, prices.machine(price, term), count, price.provider, by_the_hour)


def _own_spec(offer: NodeOffer, currency: str, count: int | None, whole_host: bool) -> Machine:
    spec = offer.spec
    if spec is None:
        raise LookupError(f"node type {offer.type!r} has no spec")
    shape = NodeShape(
        cpu=f"{spec.cpu}m", memory=spec.memory, gpus=spec.gpus, gpu_model=spec.gpu_model, bare_metal=whole_host
    )
    note = "price stated by the scenario"
    line = Evidence(offer.type, float(spec.price_per_hour), f"{currency} per hour", "scenario", note=note)
    return Machine(offer.type, shape, UnitPrice(exactly(spec.price_per_hour), "hour", line), count)


def at_site(machines: Sequence[Machine], site: Site) -> tuple[Machine, ...]:
    """Return the machines a site can get: its provider's and the scenario's own; all where that leaves none."""
    found = tuple(m for m in machines if m.provider in ("", site.provider))
    return found or tuple(machines)


def on_whole_hosts(machines: Sequence[Machine]) -> tuple[tuple[Machine, ...], bool]:
    """Return the machines that are whole hosts, and whether there were none (then all are taken as hosts).

    GPU machines and CPU machines are looked at apart, so that a host for GPUs does not rule out other CPU hosts.
    """
    chosen: list[Machine] = []
    relaxed = False
    for kind in (True, False):
        group = [m for m in machines if m.is_gpu is kind]
        hosts = [m for m in group if m.shape.bare_metal]
        relaxed |= bool(group) and not hosts
        chosen.extend(hosts or group)
    return tuple(m for m in machines if m in chosen), relaxed


def sharing_of(mode: GpuMode | None, model: str) -> GpuSharing | None:
    """Return how a GPU of that model is cut under a fractional mode, or None where the mode cannot cut it."""
    if mode is None or mode.mode == "whole":
        return WHOLE
    if not cuts(mode, model):
        return None
    if mode.mode in ("software", "bookkeeping"):
        return FRACTION
    profiles = profiles_of(mode.profiles, model)
    if mode.mode == "partition":
        return GpuSharing("replicas", max(profiles.values()))
    geometry = slice_geometry(model, tuple(profiles.items())) if profiles else None
    if geometry is not None:
        return GpuSharing("slices", geometry=geometry)
    return _replicas(mode)


def _replicas(mode: GpuMode) -> GpuSharing | None:
    """Return how GPUs are cut that are offered several times; of vGPU without a number of them, any share."""
    if mode.mode == "vgpu" and mode.replicas == 1:
        return FRACTION
    return GpuSharing("replicas", mode.replicas) if mode.mode in ("time-slicing", "mps", "vgpu") else None


def taken_milli(sharing: GpuSharing, model: str, gpu_milli: int, needed_memory: int) -> int:
    """Return the thousandths of one GPU a pod keeps from others, by how the GPU is cut."""
    if sharing.mode == "slices" and sharing.geometry is not None:
        profile = sharing.geometry.smallest(gpu_milli, needed_memory)
        return 1000 if profile is None else profile.size * 1000 // sharing.geometry.slices
    units = sharing.units(gpu_milli, gpu_memory(model), needed_memory)
    return 1000 if units is None else min(1000, units * 1000 // sharing.full)


def shares_held(sharing: GpuSharing | None, model: str, asked: GpuRequest) -> int:
    """Return how many such shares one GPU of a model holds, cut for nothing else; none where not one fits.

    Args:
        sharing: how the GPU is cut; None where it cannot be.
        model: the GPU model.
        asked: the share and the memory one pod asks for.
    """
    milli, memory = max(1, round((asked.fraction or 1.0) * 1000)), asked.memory or 0
    if sharing is None:
        return 0
    if sharing.geometry is not None:
        profile = sharing.geometry.smallest(milli, memory)
        return 0 if profile is None else len(profile.starts)
    units = sharing.units(milli, gpu_memory(model), memory)
    return sharing.full // units if units else 0


def coarse_cuts(
    mode: GpuMode, models: Iterable[str], asked: Iterable[GpuRequest]
) -> Iterator[tuple[str, float, int, int]]:
    """Yield where a card holds at most half as many of the shares asked for as it has room for.

    Args:
        mode: how cards are cut.
        models: GPU models on offer.
        asked: what pods ask for; whole cards are passed over.

    Yields:
        the model, the share, how many of them it holds, and how many it has room for.
    """
    offered = set(models)
    for gpu in (one for one in asked if one.fraction is not None):
        for model in sorted(set(gpu.models) & offered or offered):
            held, room = (shares_held(sharing_of(way, model), model, gpu) for way in (mode, _ANY_SHARE))
            if 0 < 2 * held <= room:
                yield model, gpu.fraction or 1.0, held, room
