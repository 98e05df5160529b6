"""The result of a cost measurement: what was placed where, what is paid for it, and how it divides among tenants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal
from functools import cached_property
from typing import Final

from kubeanswers.quantities import GIB, HOURS_PER_MONTH, cents, share_exactly
from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Range
from tenancykit.criteria.cost.activity import TenantGroup
from tenancykit.criteria.cost.billing import SYSTEM, Bill, IdlePolicy, Item, Pool, SharePolicy, Use, divide
from tenancykit.criteria.cost.charges import CPU_NODES, GPU_NODES, Charge
from tenancykit.criteria.cost.domains import Layout, Stream
from tenancykit.criteria.cost.housing import Housed, Housing, gpu_share
from tenancykit.criteria.cost.machines import Machine
from tenancykit.criteria.cost.placement.values import PodClass
from tenancykit.criteria.cost.wrapping import times_of
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import class_tenants

CPU: Final = "cpu"
MEMORY: Final = "memory"
GPU: Final = "gpu"
ON_GPUS: Final = " on GPUs"
"""End of what slows work on machines with GPUs."""


@dataclass(frozen=True)
class Slowed:
    """Work that something slows by its design's own choice.

    Attributes:
        times: how many times as long it takes.
        cost: what its machines cost per month, that included.
    """

    times: Range
    cost: Decimal


@dataclass(frozen=True)
class Statement:
    """Everything behind the cost of one design.

    Attributes:
        currency: currency of all amounts.
        layout: clusters and placement domains.
        housing: machines and placements.
        charges: what is paid per month, line by line; they add up to the total.
        groups: tenants that are alike.
        machines: node types by name.
        weights: relative price of a core, a GiB and a GPU, for dividing a machine's price.
    """

    currency: str
    layout: Layout
    housing: Housing
    charges: tuple[Charge, ...]
    groups: tuple[TenantGroup, ...]
    machines: dict[str, Machine] = field(repr=False)
    weights: dict[str, Decimal] = field(repr=False)

    @property
    def total(self) -> Decimal:
        """Cost per month, exact to the cent."""
        return sum((charge.cost.amount for charge in self.charges), Decimal(0))

    @cached_property
    def slowed(self) -> Mapping[str, Slowed]:
        """What machines cost a month for work that something slows, by what slows it and where the work is done.

        A machine's cost divides by the GPUs (CPU machines: cores) that workloads ask for on average.
        """
        found: dict[str, Slowed] = {}
        for category, gpu in ((GPU_NODES, True), (CPU_NODES, False)):
            cost = sum((c.cost.amount for c in self.charges if c.category == category), Decimal(0))
            weights = [(s.wrapped, _asked(s, gpu=gpu) * d.copies) for d in self.layout.domains for s in d.streams]
            total = sum(weight for _, weight in weights)
            for wrapped, weight in weights:
                for entry in wrapped.entries if total and cost else ():
                    name = f"{entry.name or entry.id}{ON_GPUS if gpu else ' on CPUs'}"
                    known = found[name].cost if name in found else Decimal(0)
                    found[name] = Slowed(times_of(entry, gpu=gpu), known + cost * Decimal(weight / total))
        return found

    def bill(self, *, idle: IdlePolicy = "distributed", shared: SharePolicy = "proportional") -> Bill:
        """Return what each group of tenants pays; the amounts add up to the total.

        Args:
            idle: distribute idle capacity among the tenants of its machines, or show it apart.
            shared: divide shared costs in proportion to consumption, or per tenant.
        """
        pools, uses = self._held()
        items = [Item(c.category, c.cost.amount, c.parties) for c in self.charges if not _is_node(c)]
        tenants = {group.id: group.count for group in self.groups}
        return divide(pools, uses, items, tenants, idle=idle, shared=shared)

    def idle_by_resource(self) -> dict[str, Decimal]:
        """Return what machines cost a month for the CPU, memory and GPUs that nobody asks for on average, to the cent.

        A machine's price is split among its resources as the OpenCost specification does. Machines that no tenant's
        pods may use (spare ones, those of control planes) are not in it.
        """
        pools, uses = self._held()
        found = dict.fromkeys((CPU, MEMORY, GPU), Decimal(0))
        for pool in pools[: len(self.housing.housed)]:
            for resource, cost in pool.idle([use for use in uses if use.pool == pool.id]).items():
                found[resource] += cost
        return {resource: cents(cost) for resource, cost in found.items()}

    def _held(self) -> tuple[list[Pool], list[Use]]:
        """Return the machines whose cost is divided, and who holds what of them."""
        pools = [self._pool(one, index) for index, one in enumerate(self.housing.housed)]
        uses = [use for index, one in enumerate(self.housing.housed) for use in self._uses(one, index)]
        uses += self._committed(pools, uses)
        for name, counts in (("spare", self.housing.spare), ("control planes", self.housing.hosts)):
            if counts:
                pools.append(Pool(name, self._machines(counts), {CPU: Decimal(1)}, {CPU: Decimal(1)}))
        return self._to_the_cent(pools), uses

    def _committed(self, pools: Sequence[Pool], uses: Sequence[Use]) -> Iterator[Use]:
        """Yield the GPUs that groups have committed themselves to beyond what they hold, out of what is idle.

        Groups whose commitments ask for more than is idle get equal shares of what they lack; the rest is told by
        :meth:`uncovered`.
        """
        with_gpus = [pool for pool in pools if pool.capacity[GPU]]
        held = {p.id: sum((u.held(GPU) for u in uses if u.pool == p.id), Decimal(0)) for p in with_gpus}
        idle = {p.id: p.capacity[GPU] - held[p.id] for p in with_gpus}
        lacks = self._lacks(uses)
        mine = {group: [p for p in idle if any((u.party, u.pool) == (group, p) for u in uses)] for group in lacks}
        for pool, free in idle.items():
            asked = {group: lack / len(mine[group]) for group, lack in lacks.items() if pool in mine[group]}
            total = sum(asked.values(), Decimal(0))
            for group, lack in asked.items() if total and free > 0 else ():
                yield Use(group, pool, {GPU: lack * min(Decimal(1), free / total)})

    def _lacks(self, uses: Sequence[Use]) -> dict[str, Decimal]:
        """Return the GPUs by which what a group holds on average stays below its commitment."""
        found = {}
        for group in self.groups:
            held = sum((u.held(GPU) for u in uses if u.party == group.id), Decimal(0))
            lack = Decimal(repr(group.tenant_class.committed_gpus)) * group.count - held
            if group.tenant_class.committed_gpus and lack > 0:
                found[group.id] = lack
        return found

    def uncovered(self) -> dict[str, Decimal]:
        """Return the committed GPUs of each group that neither it holds nor stand idle on its machines, where any."""
        lacks = self._lacks(self._held()[1])
        return {group: lack.quantize(Decimal("0.001")) for group, lack in lacks.items() if lack >= Decimal("0.001")}

    def tenant_bills(
        self, scenario: Scenario, *, idle: IdlePolicy = "distributed", shared: SharePolicy = "proportional"
    ) -> dict[str, dict[str, Decimal]]:
        """Return the lines of every tenant's bill by its name, to the cent."""
        bill = self.bill(idle=idle, shared=shared)
        names = {
            tenant_class.id: [tenant.name for tenant in class_tenants(scenario, tenant_class)]
            for tenant_class in scenario.tenants.classes
        }
        return {
            names[group.tenant_class.id][position]: bill.of_tenant(group.id, index)
            for group in self.groups
            for index, position in enumerate(group.positions)
        }

    def _to_the_cent(self, pools: list[Pool]) -> list[Pool]:
        """Return the pools with costs that add up to the charges for machines, which are rounded per machine type."""
        charged = sum((c.cost.amount for c in self.charges if _is_node(c)), Decimal(0))
        parts = share_exactly(charged, [pool.cost for pool in pools])
        return [replace(pool, cost=part) for pool, part in zip(pools, parts, strict=True)]

    def _machines(self, counts: Mapping[str, int]) -> Decimal:
        hourly = (self.machines[name].hourly.cost.amount * number for name, number in counts.items())
        return sum(hourly, Decimal(0)) * HOURS_PER_MONTH

    def _pool(self, one: Housed, index: int) -> Pool:
        capacity = {CPU: Decimal(0), MEMORY: Decimal(0), GPU: Decimal(0)}
        cost = Decimal(0)
        for counts, running in ((one.nodes, one.running), (one.extra, {})):
            for name, number in counts.items():
                machine = self.machines[name]
                everywhere = Decimal(number * one.copies) * running.get(name, Decimal(1))
                capacity[CPU] += everywhere * machine.shape.cpu / 1000
                capacity[MEMORY] += everywhere * machine.shape.memory / GIB
                capacity[GPU] += everywhere * machine.shape.gpus
                cost += everywhere * machine.hourly.cost.amount * HOURS_PER_MONTH
        return Pool(f"{index}:{one.domain.id}", cost, capacity, self.weights)

    def _uses(self, one: Housed, index: int) -> list[Use]:
        pool = f"{index}:{one.domain.id}"
        lost = one.unhoused
        uses = [
            Use(s.group, pool, self._request(one, s.pod, _mean(s) * (1 - lost.get(s.pod.name, Decimal(0)))))
            for s in one.domain.streams
        ]
        uses += [
            Use(SYSTEM, pool, self._request(one, p, p.count * (1 - lost.get(p.name, Decimal(0)))))
            for p in one.domain.fixed
        ]
        return uses

    def _request(self, one: Housed, pod: PodClass, each: Decimal) -> dict[str, Decimal]:
        number = each * one.copies
        return {
            CPU: number * pod.cpu_total_milli / 1000,
            MEMORY: number * pod.memory_total_bytes / GIB,
            GPU: number * pod.gpu_count * gpu_share(one.domain.types, pod) / 1000,
        }


def _mean(stream: Stream) -> Decimal:
    return Decimal(stream.steady) if stream.series is None else Decimal(repr(stream.mean))


def _is_node(charge: Charge) -> bool:
    return charge.category in (GPU_NODES, CPU_NODES)


def _asked(stream: Stream, *, gpu: bool) -> float:
    pod = stream.pod
    if gpu:
        return stream.mean * pod.gpu_count * pod.gpu_milli
    return 0.0 if pod.gpu_count else stream.mean * pod.cpu_total_milli
