"""The cost of many designs: what does not change is read once, and designs that differ only in load share a bound.

What decides a design's machines is how its control plane, nodes, runtime and GPUs are cut; all else adds load and the
machines of control planes. The bill of a design with that core alone is so a bound for every design that shares it, as
long as packing more onto machines does not come out cheaper. The packing is a heuristic, so that this is checked
wherever a design is measured in full, and not proven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from kubeanswers.quantities import GIB, HOURS_PER_MONTH
from tenancykit.catalogue.model import Footprint, Option
from tenancykit.catalogue.reading import Catalogue
from tenancykit.conditions import Condition
from tenancykit.criteria.cost.activity import activity_of
from tenancykit.criteria.cost.charges import Tariff
from tenancykit.criteria.cost.domains import Domain, Layout, Met, layout
from tenancykit.criteria.cost.fleet import shortage
from tenancykit.criteria.cost.housing import Housed, Housing, apart, house
from tenancykit.criteria.cost.machines import committed, machines_of
from tenancykit.criteria.cost.measure import _charges
from tenancykit.criteria.cost.pricing import PriceList
from tenancykit.criteria.cost.wrapping import wrapping_conditions
from tenancykit.design.batch import Batch
from tenancykit.design.model import Choice, ClassDesign, Design, ResolvedDesign
from tenancykit.design.offers import price_book
from tenancykit.design.validity import judge_of
from tenancykit.scenario.model import Scenario, Site

_SHAPING = frozenset({"vm-nodes", "tenant-vpc", "fair-queue", "resource-quota"})
"""Traits the bill itself looks at."""


class CostSweep:
    """Works out what designs of one scenario cost without people.

    Args:
        scenario: the scenario.
        catalogue: the catalogue.
    """

    def __init__(self, scenario: Scenario, catalogue: Catalogue) -> None:
        self.scenario = scenario
        self.catalogue = catalogue
        self.prices = PriceList(price_book(scenario, catalogue), scenario.infrastructure.currency)
        self.machines = machines_of(scenario, self.prices)
        self.activity = activity_of(scenario, scenario.folder)
        self.committed = committed(self.machines)
        fixed = scenario.infrastructure.mode == "fixed"
        self.fleet = {m.name: m.count or 0 for m in self.machines} if fixed else None
        self._cuts: dict[str, str] = {}
        self._bared: dict[tuple[str, int], Option] = {}
        self._is_core: dict[str, bool] = {}
        self._met: Met = {}
        self._tenants: dict[int, tuple[Housed, ...]] = {}
        self._housed: dict[tuple[object, ...], tuple[Housed, ...]] = {}
        self._cores: dict[tuple[str, Choice, bool], ClassDesign] = {}
        self._judges = {c.id: judge_of(c, scenario, catalogue) for c in scenario.tenants.classes}
        self._read = frozenset().union(*(c.atoms() for c in self.conditions()))
        footprints = (f.when for component in catalogue.components.values() for f in component.footprint)
        self._negated = frozenset().union(*(_negated(condition) for condition in footprints))

    def conditions(self) -> Iterable[Condition]:
        """Yield the conditions under which something is paid for, slowed or limited, footprints apart."""
        yield from self.prices.book.conditions()
        yield from wrapping_conditions(self.catalogue)
        yield from (rule.when for rule in self.catalogue.rules.values() if rule.gpu_models or rule.gpu_pods_per_node)

    def infrastructure(self, design: ResolvedDesign) -> Decimal:
        """Return the cost per month without people, as measuring the design gives it."""
        return self._bill(design)[0]

    def besides_machines(self, design: ResolvedDesign) -> Decimal:
        """Return what a design costs per month for control planes, network and storage: all but machines and people."""
        plan = layout(design, self.scenario, self.catalogue, self.machines, self.activity, self._met)
        tariff = Tariff(self.prices, self.machines, plan, self.activity)
        charges = (*tariff.control_planes(), *tariff.network(), *tariff.storage())
        return sum((charge.cost.amount for charge in charges), Decimal(0))

    def without_hosts(self, design: ResolvedDesign) -> Decimal:
        """Return the cost per month without people and without the machines that components take whole."""
        total, hosts = self._bill(design)
        return total - hosts

    def _bill(self, design: ResolvedDesign) -> tuple[Decimal, Decimal]:
        """Return the cost per month without people, and the part of it for machines that components take whole."""
        plan = layout(design, self.scenario, self.catalogue, self.machines, self.activity, self._met)
        tariff = Tariff(self.prices, self.machines, plan, self.activity)
        housing = self._housing(plan.domains, tariff)
        total = sum((charge.cost.amount for charge in _charges(tariff, housing)), Decimal(0))
        if self.fleet is not None:
            return total, Decimal(0)
        return total, plan.host_machines * self._host_month(tariff, plan.clusters[0].site)

    def shortage(self, design: ResolvedDesign) -> dict[str, int]:
        """Return the machines a fixed fleet lacks for a design, as :func:`shortage` counts them."""
        plan = layout(design, self.scenario, self.catalogue, self.machines, self.activity, self._met)
        tariff = Tariff(self.prices, self.machines, plan, self.activity)
        return shortage(self._housing(plan.domains, tariff), self.machines)

    def _housing(self, domains: Sequence[Domain], tariff: Tariff) -> Housing:
        """Return the machines that house the domains; a domain met before is not packed again."""
        if self.fleet is not None:
            return house(
                domains, self.fleet, self.committed, hosts=tariff.layout.host_machines, fit=tariff.host_names()
            )
        return Housing(tuple(one for domain in domains for one in self._housed_alone(domain)), {})

    def _housed_alone(self, domain: Domain) -> tuple[Housed, ...]:
        # Tenants' domains come back as the same objects; what is kept holds them, so that their ids stay theirs.
        if (known := self._tenants.get(id(domain))) is not None:
            return known
        streams = (
            (s.pod, s.wrapped.times(gpu=True), s.steady, None if s.series is None else s.series.tobytes())
            for s in domain.streams
        )
        key = (domain.kind == "shared", domain.fixed, domain.types, domain.minimum, domain.pool, domain.lends, *streams)
        known = self._housed.get(key)
        if known is None:
            known = self._housed[key] = house((domain,), None, self.committed).housed
        parts = (domain,) if len(known) == 1 else apart(domain)
        found = tuple(replace(one, domain=part, copies=part.copies) for one, part in zip(known, parts, strict=True))
        if domain.kind == "tenant":
            self._tenants[id(domain)] = found
        return found

    def _host_month(self, tariff: Tariff, site: Site) -> Decimal:
        host = tariff._host(site)  # noqa: SLF001 - the machine the bill takes for control planes
        return host.hourly.cost.amount * HOURS_PER_MONTH

    def bound(self, design: Design, *, bare: bool = False) -> float:
        """Return what no design with the same core costs less than, without people and without whole machines.

        Args:
            design: any design with the core.
            bare: leave the core's own components out as well: a lower bound for every design whose machines are cut in
                the same way, whatever its control plane is made of.
        """
        classes = self.scenario.tenants.classes
        cores = tuple(self._core(c.id, design.choices[c.id], bare=bare) for c in classes)
        total, hosts = self._bill(ResolvedDesign(design, cores))
        return float(total - hosts)

    def cut(self, option: Option) -> str:
        """Return a name for how an option cuts machines; options with the same name have the same bare bound."""
        found = self._cuts.get(option.id)
        if found is None:
            found = self._cuts[option.id] = self._cut(option)
        return found

    def _cut(self, option: Option) -> str:
        parts = (option.cluster, option.placement, option.sandbox, option.gpu)
        facts = sorted({option.id, *option.provides} & (self._read | self._negated | _SHAPING))
        if option.cluster is None and not any(part is not None for part in parts[1:]) and not facts:
            return ""
        cluster = (
            (option.cluster.per_tenant, option.cluster.control_plane, option.cluster.fee) if option.cluster else ()
        )
        return repr((cluster, *parts[1:], facts))

    def is_core(self, option: Option) -> bool:
        """Return whether an option decides more of the cost than load and machines of control planes."""
        found = self._is_core.get(option.id)
        if found is None:
            found = self._is_core[option.id] = self._shapes_machines(option)
        return found

    def _shapes_machines(self, option: Option) -> bool:
        if option.dimension == "control_plane":
            return True
        if any(part is not None for part in (option.placement, option.sandbox)):
            return True
        if option.gpu is not None and option.gpu.mode != "dra":
            return True
        names = {option.id, *option.provides}
        return bool(names & (self._read | self._negated | _SHAPING))

    def _bare(self, option: Option) -> Option:
        key = (option.id, option.gpu.replicas if option.gpu else 0)  # classes may cut cards more or less finely
        found = self._bared.get(key)
        if found is None:
            found = self._bared[key] = option.model_copy(update={"components": ()})
        return found

    def _core(self, class_id: str, choice: Choice, *, bare: bool) -> ClassDesign:
        """Return a class with nothing but the options that decide its machines; it need not be valid."""
        key = (class_id, choice, bare)
        found = self._cores.get(key)
        if found is None:
            found = self._cores[key] = self._stripped(self._judges[class_id].resolve(choice)[0], bare=bare)
        return found

    def _stripped(self, resolved: ClassDesign, *, bare: bool) -> ClassDesign:
        kept = tuple(option for option in resolved.options if self.is_core(option))
        stays = {name for option in kept for name in (option.id, *option.provides)}
        goes = {n for o in resolved.options if not self.is_core(o) for n in (o.id, *o.provides)} - stays
        if bare:
            kept = tuple(map(self._bare, kept))
        choice = Choice(tuple(option.id for option in kept))
        return ClassDesign(resolved.tenant_class, choice, kept, resolved.facts - goes)

    def hosts(self, batch: Batch) -> NDArray[np.float64]:
        """Return [designs] the cost per month of whole machines that components take; a fixed fleet is paid anyway."""
        if self.fleet is not None:
            return np.zeros(len(batch))
        monthly = float(self._host_month(self._tariff(batch), self.scenario.infrastructure.sites[0]))
        return self._standing(batch, lambda footprint: footprint.hosts * monthly)

    def requests(self, batch: Batch) -> NDArray[np.float64]:
        """Return [designs] what the requests of components cost per month at the price of the cheapest machine.

        A machine's price divides into cores and memory as OpenCost weighs them. Pods that stand on every node are left
        out: how many nodes there are is known once the bill is drawn up.
        """
        plain = [m for m in self.machines if not m.is_gpu] or list(self.machines)
        machine = min(plain, key=lambda m: (m.hourly.cost.amount, m.name))
        core, gib = (float(self.prices.cost_of(self.prices.book[f"opencost_{r}"]).amount) for r in ("cpu", "memory"))
        weight = machine.shape.cpu / 1000 * core + machine.shape.memory / GIB * gib
        rate = float(machine.hourly.cost.amount * HOURS_PER_MONTH) / weight if weight else 0.0

        def price(footprint: Footprint) -> float:
            return rate * (footprint.cpu_milli / 1000 * core + footprint.memory_mib / 1024 * gib)

        return self._standing(batch, price)

    def _tariff(self, batch: Batch) -> Tariff:
        nothing = Layout((), (), (), batch.closure_of_layout(0), {})
        return Tariff(self.prices, self.machines, nothing, self.activity)

    def _standing(self, batch: Batch, price: Callable[[Footprint], float]) -> NDArray[np.float64]:
        """Return [designs] a price per footprint, as often as it stands; nodes and pods are not counted."""
        total = np.zeros(len(batch))
        places, layouts = batch.layouts
        closures = [batch.closure_of_layout(place) for place in range(len(layouts))]
        width = len(batch.classes)
        for identifier, component in self.catalogue.components.items():
            for footprint in component.footprint:
                each = price(footprint) if footprint.scope not in ("node", "gpu_node", "pod") else 0.0
                if not each:
                    continue
                serving = batch.mask([f.brought((identifier,)) & f.holds(footprint.when) for f in batch.classes])
                case = (places << width) | serving
                table = np.zeros(len(layouts) << width)
                for number in np.flatnonzero(np.bincount(case, minlength=len(table))).tolist():
                    named = batch.named(number & ((1 << width) - 1))
                    if named:
                        table[number] = closures[number >> width].extent(named).count(footprint.scope) * each
                total += table[case]
        return total


def _negated(condition: Condition, *, inside: bool = False) -> frozenset[str]:
    """Return the facts a condition reads under an odd number of ``not``."""
    if condition.kind == "atom":
        return frozenset({condition.atom}) if inside else frozenset()
    flipped = not inside if condition.kind == "not" else inside
    return frozenset().union(*(_negated(part, inside=flipped) for part in condition.parts))


__all__ = ["CostSweep"]
