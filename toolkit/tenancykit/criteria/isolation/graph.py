"""The attack graph of a pair of tenant classes: which crossings exist under the facts of the two."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Asset, Crossing
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.reliability import Link

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
_STEPS: Final[list[Step]] = []
"""Numbers of the steps met so far, and the steps by number; numbers are looked up faster than names."""


def step_of(number: int) -> Step:
    """Return the step a number stands for, in every graph."""
    return _STEPS[number]


def _number_of(step: Step) -> int:
    found = _NUMBERS.setdefault(step, len(_STEPS))
    if found == len(_STEPS):
        _STEPS.append(step)
    return found


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
        numbers: every link as crossing, node it leads to and barriers, by a number that is the same in all graphs
            (:func:`step_of`), in the order of links.
    """

    facts: frozenset[str]
    starts: tuple[str, ...]
    links: tuple[Link, ...]
    crossings: tuple[Crossing, ...]
    assets: tuple[Asset, ...]
    numbers: tuple[int, ...]

    @cached_property
    def barriers(self) -> tuple[str, ...]:
        """Barriers that stand somewhere, in alphabetical order."""
        return tuple(sorted({str(name) for link in self.links for name in link.variables}))

    @cached_property
    def numbered(self) -> frozenset[int]:
        """The numbers as a set."""
        return frozenset(self.numbers)

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
    ways = [way for made in _makings(model) for way in made.ways(facts) if way[0].target in ends]
    onward: dict[Hashable, list[Hashable]] = {}
    for link, _, _ in ways:
        onward.setdefault(link.source, []).append(link.target)
    reached: set[Hashable] = set()
    stack: list[Hashable] = list(starts)
    while stack:
        node = stack.pop()
        if node not in reached:
            reached.add(node)
            stack.extend(onward.get(node, ()))
    kept = [way for way in ways if way[0].source in reached]
    links, numbers, crossings = zip(*kept, strict=True) if kept else ((), (), ())
    return AttackGraph(facts, starts, links, crossings, assets, numbers)


_Way = tuple[Link, int, Crossing]


class _Making:
    """One crossing, with the links that it is under the facts it was asked for; it reads few of them."""

    def __init__(self, crossing: Crossing) -> None:
        self.crossing = crossing
        self.read = crossing.when.atoms().union(*(guard.when.atoms() for guard in crossing.guards))
        self._known: dict[frozenset[str], Sequence[_Way]] = {}

    def ways(self, facts: frozenset[str]) -> Sequence[_Way]:
        """Return the links, one per end, each with its number; none where the crossing does not exist."""
        mine = self.read & facts
        found = self._known.get(mine)
        if found is None:
            found = self._known[mine] = self._made(mine)
        return found

    def _made(self, facts: frozenset[str]) -> Sequence[_Way]:
        crossing = self.crossing
        if not crossing.when.holds(facts):
            return ()
        barriers = tuple(guard.barrier for guard in crossing.guards if guard.when.holds(facts))
        return [
            (Link(crossing.from_, target, barriers), _number_of((crossing.id, target, barriers)), crossing)
            for target in crossing.to
        ]


@lru_cache(maxsize=64)
def _makings(model: IsolationCatalogue) -> Sequence[_Making]:
    return [_Making(crossing) for crossing in model.crossings.values()]


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
