"""The machines a scenario may use, and how their GPUs are cut under a design."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kubeanswers.quantities import GIB
from tenancykit.catalogue.model import GpuMode
from tenancykit.catalogue.prices import NodeShape, Price, Term, gpu_memory
from tenancykit.criteria.cost.placement.devices import (
    FRACTION,
    WHOLE,
    GpuSharing,
    SliceGeometry,
    SliceProfile,
)
from tenancykit.criteria.cost.pricing import PriceList, UnitPrice, exactly
from tenancykit.criteria.score import Evidence
from tenancykit.scenario.model import NodeOffer, Scenario, Site


@dataclass(frozen=True)
class Machine:
    """A node type of the scenario with its price.

    Attributes:
        name: id in the price book, or the scenario's own name.
        shape: what it holds.
        hourly: price per hour in the scenario's currency.
        count: machines there are; None where they can be bought as needed.
        provider: who offers it; empty for the scenario's own.
    """

    name: str
    shape: NodeShape
    hourly: UnitPrice
    count: int | None = None
    provider: str = ""

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


def machine_of(price: Price, prices: PriceList, term: Term = "on-demand", count: int | None = None) -> Machine:
    """Return a machine of the price book."""
    if price.node is None:
        raise LookupError(f"price {price.id!r} is no machine")
    return Machine(price.id, price.node, prices.machine(price, term), count, price.provider)


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


_PROFILE: Final = re.compile(r"(?P<compute>\d+)g\.(?P<memory>\d+)gb")


@functools.lru_cache(maxsize=128)
def slice_geometry(model: str, profiles: tuple[tuple[str, int], ...]) -> SliceGeometry | None:
    """Return the partition geometry of a GPU model from how many instances of each profile fit on one GPU.

    The largest profile is the whole device. A device of seven compute slices has eight memory slices, others have as
    many as compute slices. A profile covers its share of the memory, and starts at multiples of its size, as many as
    there may be instances of it. This reproduces the placements of NVIDIA's MIG user guide
    (https://docs.nvidia.com/datacenter/tesla/mig-user-guide/), section "Supported MIG Profiles".
    """
    parsed = [(name, count, found) for name, count in profiles if (found := _PROFILE.fullmatch(name))]
    if not parsed:
        return None
    compute = max(int(found["compute"]) for _, _, found in parsed)
    whole = max(int(found["memory"]) for _, _, found in parsed)
    slices = 8 if compute == 7 else compute
    result = []
    for name, count, found in parsed:
        size = slices if int(found["compute"]) == compute else max(1, round(int(found["memory"]) * slices / whole))
        starts = tuple(start for start in range(0, slices, size) if start + size <= slices)[:count]
        result.append(SliceProfile(name, int(found["compute"]), size, starts, int(found["memory"]) * GIB))
    return SliceGeometry(model, compute, slices, tuple(sorted(result)))


def sharing_of(mode: GpuMode | None, model: str) -> GpuSharing | None:
    """Return how a GPU of that model is cut under a fractional mode, or None where the mode cannot cut it."""
    if mode is None or mode.mode == "whole":
        return WHOLE
    if mode.mode in ("time-slicing", "mps"):
        return GpuSharing("replicas", max(mode.replicas, 1))
    if mode.mode in ("software", "bookkeeping"):
        return FRACTION
    profiles = profiles_of(mode.profiles, model)
    geometry = slice_geometry(model, tuple(profiles.items())) if profiles else None
    if geometry is not None:
        return GpuSharing("slices", geometry=geometry)
    if mode.mode == "vgpu":
        return GpuSharing("replicas", mode.replicas) if mode.replicas > 1 else FRACTION
    return None


def profiles_of(profiles: Mapping[str, Mapping[str, int]], model: str) -> Mapping[str, int]:
    """Return the profiles of a GPU model; a shorter name in the table stands for all cards that begin with it."""
    found = [name for name in profiles if model == name or model.startswith(f"{name}-")]
    return profiles[max(found, key=len)] if found else {}


def taken_milli(sharing: GpuSharing, model: str, gpu_milli: int, needed_memory: int) -> int:
    """Return the thousandths of one GPU a pod keeps from others, by how the GPU is cut."""
    if sharing.mode == "slices" and sharing.geometry is not None:
        profile = sharing.geometry.smallest(gpu_milli, needed_memory)
        return 1000 if profile is None else profile.size * 1000 // sharing.geometry.slices
    units = sharing.units(gpu_milli, gpu_memory(model), needed_memory)
    return 1000 if units is None else min(1000, units * 1000 // sharing.full)
