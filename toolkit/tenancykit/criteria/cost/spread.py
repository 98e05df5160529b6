"""What makes a bill uncertain: prices, which move together, demand, and how much slower things make the same work."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from kubeanswers.quantities import cents
from tenancykit.criteria.cost.charges import CONTROL_PLANES, CPU_NODES, GPU_NODES, PEOPLE, TO_BUY
from tenancykit.criteria.cost.pricing import NOTHING, Cost
from tenancykit.criteria.cost.statement import ON_GPUS, Statement

DEMAND_SPREAD: Final = Decimal("0.10")
"""Assumption: how far tenants' demand may lie from the scenario's, either way (P10 to P90)."""

_MACHINES: Final = (GPU_NODES, CPU_NODES)
_STAND: Final = (PEOPLE, CONTROL_PLANES)
"""What does not move with demand."""


def with_doubt(statement: Statement, total: Cost) -> Cost:
    """Return the total with its range of prices widened by the uncertainty of demand and of what wraps workloads."""
    down, up = total.amount - total.low, total.high - total.amount
    less, more = with_demand(statement)
    slowed = _slowed(statement).values()
    faster, slower = (sum((ends[side] for ends in slowed), Decimal(0)) for side in (0, 1))
    low = total.amount - cents((down * down + less * less + faster * faster).sqrt())
    high = total.amount + cents((up * up + more * more + slower * slower).sqrt())
    return Cost(total.amount, max(Decimal(0), low), high)


def doubts(statement: Statement) -> Mapping[str, float]:
    """Return how far each thing that is not known moves the bill, half of what lies between its P10 and P90.

    The things are independent of each other, and bills that name the same thing move with it together.
    """
    price = sum((charge.cost for charge in statement.charges), NOTHING)
    return {
        "prices": float(price.high - price.low) / 2,
        "demand": float(sum(with_demand(statement))) / 2,
        **{name: float(low + high) / 2 for name, (low, high) in _slowed(statement).items()},
    }


def with_demand(statement: Statement) -> tuple[Decimal, Decimal]:
    """Return by how much less and more a month costs at the ends of demand.

    Machines of a fixed fleet stand whatever is asked of them; where some are to be bought, as many fewer or more are as
    the whole need moves, and never fewer than none.
    """
    less = more = Decimal(0)
    bought = to_buy(statement)
    for category in dict.fromkeys(c.category for c in statement.charges if c.category not in _STAND):
        moved = sum((c.cost.amount for c in statement.charges if c.category == category), Decimal(0)) * DEMAND_SPREAD
        if statement.housing.is_fixed and category in _MACHINES:
            less += min(moved, bought[category])
            more += moved if bought[category] else Decimal(0)
        else:
            less, more = less + moved, more + moved
    return less, more


def to_buy(statement: Statement) -> Mapping[str, Decimal]:
    """Return what machines cost a month that a fixed fleet lacks, by category; the machines needed where it is none."""
    fixed = statement.housing.is_fixed
    return {
        category: sum(
            (c.cost.amount for c in statement.charges if c.category == category and (TO_BUY in c.label or not fixed)),
            Decimal(0),
        )
        for category in _MACHINES
    }


def _slowed(statement: Statement) -> Mapping[str, tuple[Decimal, Decimal]]:
    """Return by how much less and more machines would cost at the ends of each slowdown.

    A fleet that stands costs the same; where some machines are to be bought, no fewer than none are.
    """
    found, bought = {}, to_buy(statement)
    for name, slowed in statement.slowed.items():
        room = bought[GPU_NODES if name.endswith(ON_GPUS) else CPU_NODES]
        faster = slowed.cost * Decimal(1 - slowed.times.low / slowed.times.likely)
        slower = slowed.cost * Decimal(slowed.times.high / slowed.times.likely - 1)
        if room:
            found[name] = (min(faster, room), slower)
    return found


__all__ = ["DEMAND_SPREAD", "doubts", "to_buy", "with_demand", "with_doubt"]
