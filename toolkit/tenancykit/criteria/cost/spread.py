"""What makes a bill uncertain: prices, which move together, demand, and how much slower things make the same work."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from kubeanswers.quantities import cents
from tenancykit.criteria.cost.charges import CONTROL_PLANES, CPU_NODES, GPU_NODES, PEOPLE
from tenancykit.criteria.cost.pricing import NOTHING, Cost
from tenancykit.criteria.cost.statement import Statement

DEMAND_SPREAD: Final = Decimal("0.10")
"""Assumption: how far tenants' demand may lie from the scenario's, either way (P10 to P90)."""


def with_doubt(statement: Statement, total: Cost) -> Cost:
    """Return the total with its range of prices widened by the uncertainty of demand and of what wraps workloads."""
    down, up = total.amount - total.low, total.high - total.amount
    elastic = _with_demand(statement)
    slowed = _slowed(statement).values()
    faster, slower = (sum((ends[side] for ends in slowed), Decimal(0)) for side in (0, 1))
    low = total.amount - cents((down * down + elastic * elastic + faster * faster).sqrt())
    high = total.amount + cents((up * up + elastic * elastic + slower * slower).sqrt())
    return Cost(total.amount, max(Decimal(0), low), high)


def doubts(statement: Statement) -> Mapping[str, float]:
    """Return how far each thing that is not known moves the bill, half of what lies between its P10 and P90.

    The things are independent of each other, and bills that name the same thing move with it together.
    """
    price = sum((charge.cost for charge in statement.charges), NOTHING)
    return {
        "prices": float(price.high - price.low) / 2,
        "demand": float(_with_demand(statement)),
        **{name: float(low + high) / 2 for name, (low, high) in _slowed(statement).items()},
    }


def _with_demand(statement: Statement) -> Decimal:
    """Return how far what is bought as needed moves with demand."""
    stands = {PEOPLE, CONTROL_PLANES} | ({GPU_NODES, CPU_NODES} if statement.housing.is_fixed else set())
    return sum((c.cost.amount for c in statement.charges if c.category not in stands), Decimal(0)) * DEMAND_SPREAD


def _slowed(statement: Statement) -> Mapping[str, tuple[Decimal, Decimal]]:
    """Return by how much less and more machines would cost at the ends of each slowdown; nothing in a fixed fleet."""
    if statement.housing.is_fixed:
        return {}
    return {
        name: (
            slowed.cost * Decimal(1 - slowed.times.low / slowed.times.likely),
            slowed.cost * Decimal(slowed.times.high / slowed.times.likely - 1),
        )
        for name, slowed in statement.slowed.items()
    }


__all__ = ["DEMAND_SPREAD", "doubts", "with_doubt"]
