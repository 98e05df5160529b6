"""Toil as a function of the number of tenants, and where two designs change places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tenancykit.criteria.operations.toil import Workload
from tenancykit.design.components import Closure
from tenancykit.design.growth import TENANTS, Crossing, at_tenants
from tenancykit.design.growth import crossings as find_crossings
from tenancykit.distributions import Moments


@dataclass(frozen=True)
class Curve:
    """Hours of toil per month of one design for any number of tenants, classes in the proportions of today.

    Attributes:
        workload: the design's recurring work today.
        closure: what it installs today.
        name: what the design is called.
    """

    workload: Workload = field(repr=False)
    closure: Closure = field(repr=False)
    name: str = ""

    @property
    def fewest(self) -> int:
        """Fewest tenants the curve can be read at: one of each class."""
        return len(self.closure.tenants)

    def at(self, tenants: int) -> Moments:
        """Return hours per month for a number of tenants, at least one of each class."""
        return self.workload.total_for(at_tenants(self.closure, tenants))

    def points(self, tenants: Sequence[int] = TENANTS) -> tuple[tuple[int, Moments], ...]:
        """Return (tenants, hours per month) at each of several numbers of tenants that the classes allow."""
        return tuple((count, self.at(count)) for count in tenants if count >= self.fewest)


def crossings(first: Curve, second: Curve, *, most: int = 10_000) -> tuple[Crossing, ...]:
    """Return every number of tenants up to ``most`` from which on the other design takes fewer hours, ascending."""
    return find_crossings(
        (first.name, lambda tenants: first.at(tenants).mean),
        (second.name, lambda tenants: second.at(tenants).mean),
        fewest=max(first.fewest, second.fewest),
        most=most,
    )
