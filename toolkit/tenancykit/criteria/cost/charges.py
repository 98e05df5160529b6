"""Everything a design pays for per month besides people: machines, control planes, network, storage, licences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from kubeanswers.quantities import GIB, HOURS_PER_MONTH, cents
from kubeanswers.records import dataclass
from tenancykit.catalogue.price_entries import Kind, Price
from tenancykit.conditions import ALWAYS
from tenancykit.criteria.cost.activity import Activity, TenantGroup
from tenancykit.criteria.cost.domains import Clusters, Layout
from tenancykit.criteria.cost.housing import Housing
from tenancykit.criteria.cost.machines import Machine, machine_of
from tenancykit.criteria.cost.pricing import MONTHS_PER_YEAR, Cost, PriceList, UnitPrice
from tenancykit.criteria.score import Evidence
from tenancykit.scenario.model import Site

GPU_NODES: Final = "GPU nodes"
CPU_NODES: Final = "CPU nodes"
CONTROL_PLANES: Final = "control planes"
NETWORK: Final = "network"
STORAGE: Final = "storage"
LICENCES: Final = "licences"
PEOPLE: Final = "people"
CATEGORIES: Final = (GPU_NODES, CPU_NODES, CONTROL_PLANES, NETWORK, STORAGE, LICENCES, PEOPLE)
"""Categories of the bill in the order they are always shown."""

TO_BUY: Final = "to buy: the fleet does not hold them"
"""Label of machines that a fixed fleet lacks."""

HOST_CPU: Final = 2000
HOST_MEMORY: Final = 8 * GIB
"""Smallest machine taken for a control plane: two cores and 8 GiB, the least etcd's hardware guide gives for small
clusters (https://etcd.io/docs/current/op-guide/hardware)."""


@dataclass(frozen=True)
class Charge:
    """One line of the monthly cost.

    Attributes:
        category: one of :data:`CATEGORIES`.
        label: what it is.
        quantity: how many units.
        cost: per month, rounded to the cent.
        parties: ids of the groups of tenants it is for; empty for everybody.
        price: unit price and where it comes from.
        note: how the quantity was counted.
        taken: type and number of the machines that a control plane takes whole; None where it takes none.
    """

    category: str
    label: str
    quantity: Decimal
    cost: Cost
    parties: tuple[str, ...]
    price: UnitPrice
    note: str = ""
    taken: tuple[str, int] | None = None

    def evidence(self, currency: str) -> Evidence:
        """Return the line of the explanation, opened to the price."""
        return Evidence(
            self.label,
            float(self.cost.amount),
            f"{currency} per month",
            note=f"{self.quantity.normalize():f} x {self.price.unit}" + (f"; {self.note}" if self.note else ""),
            children=(self.price.evidence,),
        )


def rounded(cost: Cost) -> Cost:
    """Return a cost rounded to the cent."""
    return Cost(cents(cost.amount), cents(cost.low), cents(cost.high))


@dataclass(frozen=True)
class Tariff:
    """Turns what a layout contains into charges.

    Attributes:
        prices: the price list.
        machines: the scenario's machines.
        layout: clusters and domains.
        activity: tenants and their demand.
    """

    prices: PriceList
    machines: Sequence[Machine]
    layout: Layout
    activity: Activity

    def machine_hours(
        self,
        counts: Mapping[str, int],
        parties: tuple[str, ...] = (),
        label: str = "",
        running: Mapping[str, Decimal] | None = None,
    ) -> Iterator[Charge]:
        """Yield a charge per machine type for a month of so many machines.

        Args:
            counts: machines by name.
            parties: who bears it.
            label: what to say of them.
            running: machines that run on average, for those given back when they are not needed.
        """
        by_name = {machine.name: machine for machine in self.machines}
        for name, number in counts.items():
            if number:
                machine = by_name[name]
                category = GPU_NODES if machine.is_gpu else CPU_NODES
                text = f"{number} x {name}" + (f" ({label})" if label else "")
                average = (running or {}).get(name, Decimal(number))
                note = (
                    "" if average == number else f"{average:.3g} of {number} run on average; idle ones are given back"
                )
                yield self._monthly(category, text, average, machine.hourly, parties, note)

    def _monthly(
        self,
        category: str,
        label: str,
        number: Decimal | int,
        hourly: UnitPrice,
        parties: tuple[str, ...],
        note: str = "",
    ) -> Charge:
        hours = Decimal(number) * HOURS_PER_MONTH
        return Charge(category, label, hours, rounded(hourly.cost.times(hours)), parties, hourly, note)

    def control_planes(self, missing: int | None = None) -> Iterator[Charge]:
        """Yield providers' fees and the machines of control planes.

        Args:
            missing: such machines that a fixed fleet lacks; the fleet is charged as a whole. None: all are bought.
        """
        for clusters in self.layout.clusters:
            if clusters.control_plane == "fee":
                fee = self._fee(clusters)
                if fee is not None:
                    label = f"{clusters.copies} x control plane of {clusters.id}"
                    parties = self._parties(clusters.classes, clusters.group)
                    yield self._monthly(CONTROL_PLANES, label, clusters.copies, fee, parties)
                yield from self._surcharges(clusters)
        if missing:
            machine = self._host(self.layout.clusters[0].site)
            parties = self._parties(frozenset().union(*(hosts.classes for hosts in self.layout.hosts)))
            label = f"{missing} x {machine.name} for control planes (to buy: the fleet does not hold them)"
            yield self._monthly(CONTROL_PLANES, label, missing, machine.hourly, parties)
        for hosts in self.layout.hosts if missing is None else ():
            machine = self._host(self.layout.clusters[0].site)
            label = f"{hosts.number} x {machine.name} for {hosts.component}"
            parties = self._parties(hosts.classes)
            charge = self._monthly(CONTROL_PLANES, label, hosts.number, machine.hourly, parties, hosts.note)
            yield replace(charge, taken=(machine.name, hosts.number))

    def _surcharges(self, clusters: Clusters) -> Iterator[Charge]:
        """Yield what a provider takes on top of the cluster's fee where a condition of the price holds (a tier)."""
        classes = self.layout.closure.classes
        for price in self.prices.book.of_kind("control-plane"):
            if price.when != ALWAYS and any(price.when.holds(classes[name].facts) for name in clusters.classes):
                label = f"{clusters.copies} x {price.name or price.id} of {clusters.id}"
                parties = self._parties(clusters.classes, clusters.group)
                yield self._monthly(CONTROL_PLANES, label, clusters.copies, self.prices.of(price), parties)

    def _fee(self, clusters: Clusters) -> UnitPrice | None:
        for name in sorted(clusters.classes):
            section = self.layout.closure.classes[name].cluster
            if section.fee and section.fee in self.prices.book and clusters.kind == "tenant":
                return self.prices.of(self.prices.book[section.fee])
        return self.prices.unit("control-plane", clusters.site.provider)

    def _host(self, site: Site) -> Machine:
        """Return the cheapest machine fit for a control plane: of the scenario, else of the site's provider."""
        offered = [m for m in self.machines if not m.is_gpu and _is_host(m)]
        if not offered:
            nodes = [p for p in self.prices.book.of_kind("node") if p.provider == site.provider and not _has_gpu(p)]
            offered = [m for m in (machine_of(p, self.prices) for p in nodes) if _is_host(m)]
        return min(offered or self.machines, key=lambda m: (m.hourly.cost.amount, m.name))

    def host_names(self) -> tuple[str, ...]:
        """Return the scenario's machines that may be a control plane's, those without GPUs first, then the cheapest."""
        fit = [m for m in self.machines if _is_host(m)]
        return tuple(m.name for m in sorted(fit, key=lambda m: (m.is_gpu, m.hourly.cost.amount, m.name)))

    def network(self) -> Iterator[Charge]:
        """Yield load balancers, gateways and traffic; to the internet it is translated where nothing is exposed."""
        for group, site, tenants in self._located():
            exposed = sum(1 for m in group.members if m.workload.exposure and m.workload.exposure.load_balanced)
            price = self.prices.unit("load-balancer", site.provider)
            if exposed and price is not None:
                number = exposed * tenants
                label = f"{number} x load balancer of {group.title}"
                yield self._monthly(NETWORK, label, number, price, (group.id,), "one per exposed service and tenant")
            yield from self._traffic(group, site, tenants, exposed=exposed > 0)
        yield from self._gateways()

    def _traffic(self, group: TenantGroup, site: Site, tenants: int, *, exposed: bool) -> Iterator[Charge]:
        out, across = group.tenant_class.egress_gib_month, group.tenant_class.cross_zone_gib_month
        translated = "all its traffic to the internet (assumption: it has no load balancer to answer through)"
        kinds: tuple[tuple[Kind, str, float, str], ...] = (
            ("egress", "traffic", out, ""),
            ("nat-traffic", "translated traffic", 0.0 if exposed else out, translated),
            ("cross-zone", "traffic between zones", across, "as the scenario states it; nothing is inferred"),
        )
        for kind, label, each, note in kinds:
            price, volume = self.prices.unit(kind, site.provider), Decimal(str(each)) * tenants
            if volume and price is not None:
                cost = rounded(price.cost.times(volume))
                yield Charge(NETWORK, f"{label} of {group.title}", volume, cost, (group.id,), price, note)

    def _gateways(self) -> Iterator[Charge]:
        for clusters in self.layout.clusters:
            price = self.prices.unit("nat-gateway", clusters.site.provider)
            if price is None or price.cost.high == 0:
                continue
            parties = self._parties(clusters.classes, clusters.group)
            note = "one per virtual network (assumption: one zone)"
            label = f"{clusters.copies} x NAT gateway of {clusters.id}"
            yield self._monthly(NETWORK, label, clusters.copies, price, parties, note)
        for group, site, tenants in self._located():
            resolved = self.layout.closure.classes[group.tenant_class.id]
            price = self.prices.unit("nat-gateway", site.provider)
            own = "tenant-vpc" in resolved.facts and not resolved.cluster.per_tenant
            if own and price is not None and price.cost.high:
                label = f"{tenants} x NAT gateway of {group.title}"
                yield self._monthly(NETWORK, label, tenants, price, (group.id,), "one per tenant's virtual network")

    def storage(self) -> Iterator[Charge]:
        """Yield the volumes of all replicas, active or not."""
        for group, site, tenants in self._located():
            size = 0
            for member in group.members:
                volume = member.workload.storage
                if volume is not None:
                    size += volume.size * (1 if volume.shared else member.replicas)
            price = self.prices.unit("storage", site.provider)
            if size and price is not None:
                amount = Decimal(size * tenants) / GIB
                cost = rounded(price.cost.times(amount))
                yield Charge(STORAGE, f"volumes of {group.title}", amount, cost, (group.id,), price)

    def licences(self, housing: Housing) -> Iterator[Charge]:
        """Yield licences by GPU of the domains whose classes owe them."""
        gpus = {machine.name: machine.shape.gpus for machine in self.machines}
        for price in self.prices.book.of_kind("licence"):
            owing = {n for n, c in self.layout.closure.classes.items() if price.when.holds(c.facts)}
            number = sum(
                gpus[name] * count * one.copies
                for one in housing.housed
                if owing & set(one.domain.classes)
                for counts in (one.nodes, one.extra)
                for name, count in counts.items()
            )
            if number:
                unit = self.prices.of(price)
                periods = Decimal(number) / MONTHS_PER_YEAR if price.per == "gpu-year" else Decimal(number)
                periods = periods * HOURS_PER_MONTH if price.per == "gpu-hour" else periods
                parties = self._parties(frozenset(owing))
                cost = rounded(unit.cost.times(periods))
                yield Charge(LICENCES, f"{price.name or price.id} for {number} GPUs", periods, cost, parties, unit)

    def _located(self) -> Iterator[tuple[TenantGroup, Site, int]]:
        """Yield each group with its sites and how many of its tenants are there."""
        for group in self.activity.groups:
            sites = self.layout.sites[group.tenant_class.id]
            for position, site in enumerate(sites):
                tenants = (group.count + len(sites) - 1 - position) // len(sites)
                if tenants:
                    yield group, site, tenants

    def _parties(self, classes: frozenset[str], group: str = "") -> tuple[str, ...]:
        if group:
            return (group,)
        return tuple(g.id for g in self.activity.groups if g.tenant_class.id in classes)


def _is_host(machine: Machine) -> bool:
    return machine.shape.cpu >= HOST_CPU and machine.shape.memory >= HOST_MEMORY


def _has_gpu(price: Price) -> bool:
    return price.node is not None and price.node.gpus > 0
