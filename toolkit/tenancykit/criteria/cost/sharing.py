"""The cost of isolation: what machines cost when tenants share them, and when each has its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from tenancykit.criteria.cost.placement.elastic import buy
from tenancykit.criteria.cost.placement.values import NodeClass, PodClass

TENANTS: Final = (1, 10, 50, 100, 200, 500)
"""Numbers of tenants the cost of isolation is shown for."""


@dataclass(frozen=True)
class CostOfIsolation:
    """Machines for a number of equal tenants, shared and dedicated.

    Attributes:
        tenants: number of tenants.
        shared: machines when all share.
        dedicated: machines when none shares.
        shared_price: price of the shared machines per hour.
        dedicated_price: price of the dedicated machines per hour.
    """

    tenants: int
    shared: int
    dedicated: int
    shared_price: Decimal
    dedicated_price: Decimal

    @property
    def extra_nodes(self) -> int:
        """Machines that isolation adds."""
        return self.dedicated - self.shared

    @property
    def price_ratio(self) -> float:
        """Price dedicated over price shared; 1 where nothing is bought."""
        return float(self.dedicated_price / self.shared_price) if self.shared_price else 1.0


def cost_of_isolation(
    pods: Sequence[PodClass], types: Sequence[NodeClass], tenants: Iterable[int] = TENANTS
) -> tuple[CostOfIsolation, ...]:
    """Return what isolation on machines of their own costs equal tenants, beside sharing.

    The purchase for a tenant alone is also a way to house a tenant among others; where packing all tenants together
    comes out dearer than that (packing is not exact), the tenants' own machines are taken as the shared ones.

    Args:
        pods: what one tenant runs.
        types: machines to choose from.
        tenants: numbers of tenants.
    """
    alone = buy(pods, types, bound=None)
    machines = sum(alone.nodes.values())
    rows = []
    for number in tenants:
        together = buy([replace(pod, count=pod.count * number) for pod in pods], types, bound=None)
        shared, price = sum(together.nodes.values()), together.price
        if price > alone.price * number:
            shared, price = machines * number, alone.price * number
        rows.append(CostOfIsolation(number, shared, machines * number, price, alone.price * number))
    return tuple(rows)
