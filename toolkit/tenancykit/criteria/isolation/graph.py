"""The attack graph of a pair of tenant classes: which crossings exist under the facts of the two."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from tenancykit.catalogue.attack import Asset, Crossing
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.reliability import Link, reachable

if TYPE_CHECKING:
    import networkx as nx


def pair_facts(
    attacker: AbstractSet[str], victim: AbstractSet[str], *, same_class: bool, model: IsolationCatalogue
) -> frozenset[str]:
    """Return the facts of an ordered pair of tenants.

    Every fact ``f`` of a class becomes ``attacker:f`` or ``victim:f``, ``both:f`` where both have it and ``either:f``
    where one has it; ``same-class`` holds for two tenants of one class. On top come the derived facts of the
    catalogue (``shares:node``, ``hardened:seccomp-default``), which say what the two share and what is hardened.
    """
    return _pair_facts(
        frozenset(attacker & model.class_facts), frozenset(victim & model.class_facts), same_class, model
    )


@lru_cache(maxsize=16384)
def _pair_facts(
    attacker: frozenset[str], victim: frozenset[str], same_class: bool, model: IsolationCatalogue
) -> frozenset[str]:
    facts = {f"attacker:{name}" for name in attacker} | {f"victim:{name}" for name in victim}
    facts |= {f"both:{name}" for name in attacker & victim} | {f"either:{name}" for name in attacker | victim}
    if same_class:
        facts.add("same-class")
    for fact in model.derived.values():
        if fact.when.holds(facts):
            facts.add(fact.id)
    return frozenset(facts)


PROVIDER: Final = "the provider"
"""Attacker that is no class of tenants: who runs the hosts, and the provider's other customers."""

PROVIDER_FACTS: Final = frozenset({"provider-staff", "provider-customer"})
"""Facts of the provider as an attacker."""


def provider_attacks(victim: AbstractSet[str]) -> bool:
    """Return whether the scenario behind a class's facts has the provider of the hosts among the attackers."""
    return "provider-trust:contractual" in victim or "provider-trust:distrusted" in victim


Step = tuple[str, str, tuple[str, ...]]
"""A crossing, the node it leads to and the barriers that stand on it."""

_NUMBERS: Final[dict[Step, int]] = {}
"""Numbers of the steps met so far; numbers are looked up faster than names, once per asset and design."""


@dataclass(frozen=True)
class AttackGraph:
    """What an attacker of one class can do towards a victim of another.

    Attributes:
        facts: facts of the pair.
        starts: positions where the attacker stands from the beginning.
        links: one per crossing and position or asset it leads to, its variables being the ids of the barriers that
            stand there, over positions the attacker may ever reach.
        crossings: the crossing behind each link.
        assets: what the victim has to lose.
    """

    facts: frozenset[str]
    starts: tuple[str, ...]
    links: tuple[Link, ...]
    crossings: tuple[Crossing, ...]
    assets: tuple[Asset, ...]

    @cached_property
    def barriers(self) -> tuple[str, ...]:
        """Barriers that stand somewhere, in alphabetical order."""
        return tuple(sorted({str(name) for link in self.links for name in link.variables}))

    @cached_property
    def steps(self) -> Mapping[int, Step]:
        """Every link as crossing, node it leads to and barriers, by a number that is the same in all graphs."""
        found: dict[int, Step] = {}
        for link, crossing in zip(self.links, self.crossings, strict=True):
            step: Any = (crossing.id, link.target, link.variables)
            found[_NUMBERS.setdefault(step, len(_NUMBERS))] = step
        return found

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """Return the graph for analyses of your own: edges carry ``crossing``, ``barriers`` and ``why``."""
        import networkx as nx  # noqa: PLC0415 - slow to import, and no figure needs it

        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        for start in self.starts:
            graph.add_node(start, start=True)
        for asset in self.assets:
            graph.add_node(asset.id, asset=True, plane=asset.plane)
        for link, crossing in zip(self.links, self.crossings, strict=True):
            graph.add_edge(
                str(link.source), str(link.target), crossing=crossing.id, barriers=link.variables, why=crossing.why
            )
        return graph


def attack_graph(facts: frozenset[str], model: IsolationCatalogue) -> AttackGraph:
    """Return the attack graph of a pair with these facts."""
    return build(facts, tuple(p.id for p in model.positions.values() if p.start.holds(facts)), model)


def build(facts: frozenset[str], starts: tuple[str, ...], model: IsolationCatalogue) -> AttackGraph:
    """Return the attack graph of a pair for an attacker who starts at the given positions."""
    assets = tuple(asset for asset in model.assets.values() if asset.when.holds(facts))
    ends = {*model.positions, *(asset.id for asset in assets)}
    links: list[Link] = []
    crossings: list[Crossing] = []
    for crossing in model.crossings.values():
        if not crossing.when.holds(facts):
            continue
        barriers = tuple(guard.barrier for guard in crossing.guards if guard.when.holds(facts))
        for target in crossing.to:
            if target in ends:
                links.append(Link(crossing.from_, target, barriers))
                crossings.append(crossing)
    reached = reachable(links, starts, lambda _: True)
    kept = [i for i, link in enumerate(links) if link.source in reached]
    return AttackGraph(facts, starts, tuple(links[i] for i in kept), tuple(crossings[i] for i in kept), assets)


def words(graph: AttackGraph, route: tuple[int, ...], model: IsolationCatalogue) -> str:
    """Return a path as people say it: ``pod -> (Linux kernel) -> node root -> process memory and files``."""
    if not route:
        return model.positions[graph.starts[0]].title if graph.starts else ""
    parts = [_title(str(graph.links[route[0]].source), model)]
    for index in route:
        link = graph.links[index]
        if link.variables:
            parts.append("(" + " + ".join(model.barriers[str(name)].title for name in link.variables) + ")")
        parts.append(_title(str(link.target), model))
    return " -> ".join(parts)


def _title(node: str, model: IsolationCatalogue) -> str:
    titles: Mapping[str, object] = model.positions if node in model.positions else model.assets
    return str(titles[node].title)  # type: ignore[attr-defined]
