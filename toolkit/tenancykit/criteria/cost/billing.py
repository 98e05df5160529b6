"""Divides a platform's cost among its tenants as the OpenCost specification defines, exact to the cent.

Terms and formulas: https://github.com/opencost/opencost/blob/develop/spec/opencost-specv01.md. A machine's price is
split into CPU, memory and GPU cost; a workload costs ``max(request, usage)`` of each; what no workload holds is idle;
idle, system workloads and overhead are shared, in proportion to consumption (of the pool, for its idle and system
cost) or per tenant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from typing import Final, Literal

from kubeanswers.quantities import cents, share_exactly
from kubeanswers.records import dataclass

SYSTEM: Final = ""
"""Party of system workloads, whose cost everybody of the pool shares."""
COMPUTE: Final = "compute"
IDLE: Final = "idle"
SYSTEM_LINE: Final = "system"

IdlePolicy = Literal["distributed", "apart"]
SharePolicy = Literal["proportional", "uniform"]
Amounts = Mapping[str, Decimal]


@dataclass(frozen=True)
class Pool:
    """Machines whose cost the parties on them divide.

    Attributes:
        id: unique name.
        cost: what they cost in the period.
        capacity: amount of each resource they hold, on average over the period.
        weights: relative price of one unit of each resource; only ratios matter.
    """

    id: str
    cost: Decimal
    capacity: Amounts
    weights: Amounts

    def rates(self) -> dict[str, Decimal]:
        """Return the cost of one unit of each resource, such that the capacity costs what the pool costs."""
        scale = sum((self.weights[r] * amount for r, amount in self.capacity.items()), Decimal(0))
        return {r: self.cost * self.weights[r] / scale if scale else Decimal(0) for r in self.capacity}

    def idle(self, uses: Sequence[Use]) -> dict[str, Decimal]:
        """Return the cost of what nobody holds, by resource."""
        rates = self.rates()
        return {
            resource: rates[resource] * max(Decimal(0), amount - sum((u.held(resource) for u in uses), Decimal(0)))
            for resource, amount in self.capacity.items()
        }


@dataclass(frozen=True)
class Use:
    """What one party holds of a pool, on average over the period.

    Attributes:
        party: who; ``SYSTEM`` for what serves everybody.
        pool: id of the pool.
        request: amount requested of each resource.
        usage: amount used of each resource, where measured.
    """

    party: str
    pool: str
    request: Amounts
    usage: Amounts = field(default_factory=dict)

    def held(self, resource: str) -> Decimal:
        """Return the amount charged: the greater of request and usage."""
        zero = Decimal(0)
        return max(self.request.get(resource, zero), self.usage.get(resource, zero))


@dataclass(frozen=True)
class Item:
    """A cost that is no machine: overhead, storage, traffic, licences, people.

    Attributes:
        category: line of the bill.
        cost: amount in the period.
        parties: who bears it; several share it.
    """

    category: str
    cost: Decimal
    parties: tuple[str, ...]


@dataclass(frozen=True)
class Bill:
    """What every party pays, in cents that add up to the total.

    Attributes:
        lines: amount by party and category.
        tenants: number of tenants that make up each party.
        apart: idle cost that was not distributed.
        total: all lines and what stands apart, together.
    """

    lines: Mapping[str, Mapping[str, Decimal]]
    tenants: Mapping[str, int]
    apart: Decimal
    total: Decimal

    def of_party(self, party: str) -> Decimal:
        """Return what a party pays."""
        return sum(self.lines[party].values(), Decimal(0))

    def of_tenant(self, party: str, position: int) -> dict[str, Decimal]:
        """Return the lines of one tenant of a party (0-based); tenants of a party differ by at most a cent a line."""
        number = self.tenants[party]
        if not 0 <= position < number:
            raise IndexError(f"{party!r} has {number} tenants")
        result = {}
        for category, amount in self.lines[party].items():
            whole = int(amount * 100)
            each, left = divmod(whole, number)
            result[category] = Decimal(each + (1 if position < left else 0)).scaleb(-2)
        return result


def divide(
    pools: Sequence[Pool],
    uses: Sequence[Use],
    items: Sequence[Item],
    tenants: Mapping[str, int],
    *,
    idle: IdlePolicy = "distributed",
    shared: SharePolicy = "proportional",
) -> Bill:
    """Return the bill of every party.

    Args:
        pools: machines.
        uses: what the parties hold of them.
        items: other costs.
        tenants: parties with the number of tenants in each (at least one each).
        idle: whether idle cost is distributed among the parties on the pool, or shown apart.
        shared: how shared costs are divided: in proportion to what a party's workloads cost, or per tenant.

    Raises:
        ValueError: a pool is used beyond its capacity, or a party is unknown or has no tenant.
    """
    unknown = {u.party for u in uses if u.party != SYSTEM} | {p for i in items for p in i.parties}
    if unknown - set(tenants):
        raise ValueError(f"unknown parties: {', '.join(sorted(unknown - set(tenants)))}")
    if any(number < 1 for number in tenants.values()):
        raise ValueError("a party has at least one tenant")
    ledger = _Ledger(tenants, shared)
    for pool in pools:
        ledger.take_pool(pool, [u for u in uses if u.pool == pool.id], idle)
    for item in items:
        ledger.owe(item.category, cents(item.cost), item.parties or tuple(tenants))
    return ledger.bill()


class _Ledger:
    """Amounts by party and category while a bill is made."""

    def __init__(self, tenants: Mapping[str, int], shared: SharePolicy) -> None:
        self.tenants = tenants
        self.shared = shared
        self.consumed = dict.fromkeys(tenants, Decimal(0))
        self.lines: dict[str, dict[str, Decimal]] = {party: {} for party in tenants}
        self.later: list[tuple[str, Decimal, dict[str, Decimal] | None, tuple[str, ...]]] = []
        self.apart = Decimal("0.00")

    def take_pool(self, pool: Pool, uses: Sequence[Use], idle: IdlePolicy) -> None:
        rates = pool.rates()
        for resource, capacity in pool.capacity.items():
            if sum((u.held(resource) for u in uses), Decimal(0)) > capacity:
                raise ValueError(f"pool {pool.id!r}: more {resource} is held than there is")
        costs: dict[str, Decimal] = {}
        for use in uses:
            amount = sum((rates[r] * use.held(r) for r in pool.capacity), Decimal(0))
            costs[use.party] = costs.get(use.party, Decimal(0)) + amount
        spare = max(Decimal(0), pool.cost - sum(costs.values(), Decimal(0)))
        names = list(costs)
        weights = [*costs.values(), spare]
        total = cents(pool.cost)
        parts = share_exactly(total, weights if any(weights) else [*[Decimal(0)] * len(names), Decimal(1)])
        on_it = {party: cost for party, cost in costs.items() if party != SYSTEM}
        parties = tuple(on_it) or tuple(self.tenants)
        own = on_it if on_it and self.shared == "proportional" else None
        for party, amount in zip(names, parts[:-1], strict=True):
            if party == SYSTEM:
                self.later.append((SYSTEM_LINE, amount, own, parties))
            else:
                self._add(party, COMPUTE, amount)
                self.consumed[party] += costs[party]
        if idle == "apart":
            self.apart += parts[-1]
        else:
            self.later.append((IDLE, parts[-1], own, parties))

    def owe(self, category: str, amount: Decimal, parties: tuple[str, ...]) -> None:
        self.later.append((category, amount, None, parties))

    def bill(self) -> Bill:
        for category, amount, own, parties in self.later:
            weights = [self._weight(party) if own is None else own[party] for party in parties]
            if not any(weights):
                weights = [Decimal(self.tenants[party]) for party in parties]
            for party, part in zip(parties, share_exactly(amount, weights), strict=True):
                self._add(party, category, part)
        total = sum((sum(line.values(), Decimal(0)) for line in self.lines.values()), self.apart)
        return Bill(self.lines, dict(self.tenants), self.apart, total)

    def _weight(self, party: str) -> Decimal:
        return self.consumed[party] if self.shared == "proportional" else Decimal(self.tenants[party])

    def _add(self, party: str, category: str, amount: Decimal) -> None:
        line = self.lines[party]
        line[category] = line.get(category, Decimal("0.00")) + amount
