"""The performance plane: how much slower a tenant is for what it shares and for what wraps it.

Convention. A slowdown of 1.2 means a fifth more time for the same work than alone on bare machines. What a class shares
with the neighbours it shares most with slows it by its tightest resource, so the greatest counts and not the product;
what wraps a workload (sandbox, confidential guest, mesh) multiplies. ``mean`` speaks of throughput, ``tail`` of p99.
Figures are ranges measured between pairs or fours of tenants; how many neighbours there are is not in them.

As a plane beside the others, performance counts what neighbours take and not what wraps a workload by its own design's
choice: the days a year that each shared resource costs, ``(1 - 1 / mean) * 365.25``, added up over resources.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import field
from functools import lru_cache

from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Interference, Range
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR

ALONE = Range(low=1.0, likely=1.0, high=1.0)


@dataclass(frozen=True)
class Slowdown:
    """How much slower tenants of a class are.

    Attributes:
        class_id: the class.
        mean: throughput: how many times as long the same work takes.
        tail: p99 latency: how many times as long.
        resource: what slows most; empty where nothing does.
        shared: per shared resource, the neighbour's part that slows most.
        causes: everything that applies, the greatest first.
    """

    class_id: str
    mean: Range
    tail: Range
    resource: str
    shared: Mapping[str, Interference]
    causes: tuple[Interference, ...] = field(repr=False)

    @property
    def lost_days(self) -> float:
        """Days a year that neighbours take, added up over shared resources."""
        return math.fsum(lost(entry.mean.likely) for entry in self.shared.values()) * DAYS_PER_YEAR

    @property
    def assumption(self) -> bool:
        """Whether what slows most was not measured."""
        return bool(self.causes) and self.causes[0].assumption


def lost(times: float) -> float:
    """Return the share of a year that a slowdown takes."""
    return 1.0 - 1.0 / times


@lru_cache(maxsize=64)
def shared_resources(model: IsolationCatalogue) -> tuple[str, ...]:
    """Return the resources on which neighbours slow each other."""
    return tuple(dict.fromkeys(e.resource for e in model.interference.values() if e.kind == "sharing"))


def slowdown(class_id: str, pairs: Iterable[frozenset[str]], model: IsolationCatalogue) -> Slowdown:
    """Return how much slower a class is.

    Args:
        class_id: its id.
        pairs: facts of it as the victim of every class with other tenants; of itself alone where there are none.
        model: the catalogue.
    """
    found: dict[str, Interference] = {}
    for facts in pairs:
        found.update((entry.id, entry) for entry in _applying(facts, model))
    causes = tuple(sorted(found.values(), key=lambda entry: (-entry.mean.likely, entry.id)))
    mean, tail = (_joined(causes, which) for which in ("mean", "tail"))
    shared: dict[str, Interference] = {}
    for entry in causes:
        if entry.kind == "sharing":
            shared.setdefault(entry.resource, entry)
    return Slowdown(class_id, mean, tail, causes[0].resource if causes else "", shared, causes)


@lru_cache(maxsize=4096)
def _applying(facts: frozenset[str], model: IsolationCatalogue) -> tuple[Interference, ...]:
    return tuple(entry for entry in model.interference.values() if entry.when.holds(facts))


def _joined(causes: Iterable[Interference], which: str) -> Range:
    """Return the slowdown of the tightest shared resource times all overheads, end by end."""
    shared, wrapped = ALONE, ALONE
    for entry in causes:
        values: Range = getattr(entry, which)
        if entry.kind == "sharing":
            shared = _combined(shared, values, max)
        else:
            wrapped = _combined(wrapped, values, lambda a, b: a * b)
    return _combined(shared, wrapped, lambda a, b: a * b)


def _combined(first: Range, second: Range, how: Callable[[float, float], float]) -> Range:
    return Range(
        low=how(first.low, second.low), likely=how(first.likely, second.likely), high=how(first.high, second.high)
    )


def alone(facts: AbstractSet[str]) -> frozenset[str]:
    """Return the facts of a class that has no neighbours, for what wraps it all the same."""
    return frozenset(f"victim:{name}" for name in facts)
