"""What of their demand tenants are promised by queues: all of it, or their share of a fleet that cannot grow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from fractions import Fraction
from functools import cached_property
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.offers import node_shapes
from tenancykit.manifests.devices import SHARED_GPU, ClassDevices
from tenancykit.manifests.sizing import Demand
from tenancykit.scenario.model import Scenario

CPU: Final = "cpu"
MEMORY: Final = "memory"
_GPUS: Final = ""
"""Stands for all GPUs, however they are cut."""
_MIG: Final = re.compile(r"mig-(?P<profile>[0-9]+g[.-][0-9]+gb)")
Demands = Callable[[], Iterable[Demand]]


@dataclass
class Promises:
    """Nominal quotas that add up to no more than a fixed fleet holds.

    Where tenants ask for more than there is, each is promised the same share of what it asks for, in whole units; what
    rounding leaves is promised to its class, for whoever comes first.

    Attributes:
        fleet: what a fixed fleet holds, by resource; empty where nodes are bought as needed.
        classes: by class id, what each of its tenants asks for, and how its pods ask for GPUs; filled in first.
    """

    fleet: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, tuple[Demands, ClassDevices]] = field(default_factory=dict)

    def tenant(self, demand: Demand) -> dict[str, int]:
        """Return what a tenant is promised, by resource: millicores, bytes, whole devices."""
        return {name: int(amount * self._share(name)) for name, amount in amounts(demand).items()}

    def gpus(self, demand: Demand) -> float:
        """Return the GPUs a tenant is promised, parts of GPUs as parts."""
        asked = demand.milli_gpus if demand.milli_gpus % 1000 else demand.gpus * 1000
        return float(round(asked * self._share(_GPUS) / 1000, 3)) if self.fleet else asked / 1000

    def left_to_class(self, class_id: str) -> dict[str, int]:
        """Return what is promised to a class beyond the promises to its tenants, by resource."""
        if not self.fleet:
            return {}
        total: dict[str, int] = {}
        given: dict[str, int] = {}
        for demand in self.classes[class_id][0]():
            for name, amount in amounts(demand).items():
                total[name] = total.get(name, 0) + amount
            for name, amount in self.tenant(demand).items():
                given[name] = given.get(name, 0) + amount
        rest = {name: int(amount * self._share(name)) - given[name] for name, amount in total.items()}
        return {name: amount for name, amount in rest.items() if amount > 0}

    @cached_property
    def devices(self) -> Mapping[str, frozenset[str]]:
        """Extended resources that tenants of a class ask for, by class id."""
        return {
            name: frozenset(device for demand in demands() for device in demand.devices)
            for name, (demands, _) in self.classes.items()
        }

    def _share(self, resource: str) -> Fraction:
        return self._shares.get(_kind(resource), Fraction(1))

    @cached_property
    def _shares(self) -> Mapping[str, Fraction]:
        """Share of what is asked for that a fixed fleet holds, by kind of resource."""
        if not self.fleet:
            return {}
        asked: dict[str, Fraction] = {}
        for demands, devices in self.classes.values():
            for demand in demands():
                for name, amount in amounts(demand).items():
                    part = _of_a_gpu(devices, name) if _kind(name) == _GPUS else Fraction(1)
                    asked[_kind(name)] = asked.get(_kind(name), Fraction(0)) + amount * part
        return {kind: min(Fraction(1), self.fleet[kind] / amount) for kind, amount in asked.items() if amount}


def fleet_of(scenario: Scenario, catalogue: Catalogue) -> dict[str, int]:
    """Return what a fixed fleet holds: millicores, bytes, GPUs; nothing where nodes are bought as needed."""
    if scenario.infrastructure.mode != "fixed":
        return {}
    shapes, found = node_shapes(scenario, catalogue), dict.fromkeys((CPU, MEMORY, _GPUS), 0)
    for offer in scenario.infrastructure.nodes:
        shape = shapes[offer.type]
        for kind, amount in ((CPU, shape.cpu_milli), (MEMORY, shape.memory_bytes), (_GPUS, shape.gpus)):
            found[kind] += amount * (offer.count or 0)
    return found


def amounts(demand: Demand) -> dict[str, int]:
    """Return what a tenant asks queues for, by resource."""
    return {CPU: demand.cpu_milli, MEMORY: demand.memory, **demand.devices, **demand.claims}


def _kind(resource: str) -> str:
    return resource if resource in (CPU, MEMORY) else _GPUS


def _of_a_gpu(devices: ClassDevices, resource: str) -> Fraction:
    """Return how much of a GPU one unit of a resource takes."""
    if resource == SHARED_GPU:
        return Fraction(1, devices.replicas)
    found = _MIG.search(resource)
    if found:
        profile = found["profile"].replace("-", ".")
        counts = [profiles[profile] for profiles in devices.profiles.values() if profile in profiles]
        return Fraction(1, max(counts, default=1))
    return Fraction(1, devices.parts_per_card(resource))
