"""Person-days as a function of the number of tenants, and where two designs change places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tenancykit.catalogue.workbook import WorkBook
from tenancykit.criteria.effort.tasks import plan
from tenancykit.design.components import Closure
from tenancykit.design.growth import TENANTS, Crossing, at_tenants
from tenancykit.design.growth import crossings as find_crossings
from tenancykit.distributions import Moments
from tenancykit.scenario.model import Scenario


@dataclass(frozen=True)
class Curve:
    """Person-days of one design for any number of tenants, classes in the proportions of today.

    Attributes:
        closure: what the design installs today.
        scenario: whose team builds it.
        book: the catalogue's tasks.
        name: what the design is called.
    """

    closure: Closure = field(repr=False)
    scenario: Scenario = field(repr=False)
    book: WorkBook = field(repr=False)
    name: str = ""

    @property
    def fewest(self) -> int:
        """Fewest tenants the curve can be read at: one of each class."""
        return len(self.closure.tenants)

    def at(self, tenants: int) -> Moments:
        """Return person-days for a number of tenants, at least one of each class."""
        return plan(at_tenants(self.closure, tenants), self.scenario, self.book).total

    def points(self, tenants: Sequence[int] = TENANTS) -> tuple[tuple[int, Moments], ...]:
        """Return (tenants, person-days) at each of several numbers of tenants that the classes allow."""
        return tuple((count, self.at(count)) for count in tenants if count >= self.fewest)


def crossings(first: Curve, second: Curve, *, most: int = 10_000) -> tuple[Crossing, ...]:
    """Return every number of tenants up to ``most`` from which on the other design takes fewer days, ascending."""
    return find_crossings(
        (first.name, lambda tenants: first.at(tenants).mean),
        (second.name, lambda tenants: second.at(tenants).mean),
        fewest=max(first.fewest, second.fewest),
        most=most,
    )
