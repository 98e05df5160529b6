"""All crossings of the catalogue in one network, compiled once per asset, on which every design is a set of numbers.

Parallel crossings between two positions whose barriers guard nothing else melt into one variable; a barrier that
guards several crossings stays a variable of its own, because those crossings fall together. A design then gives each
variable a chance (0 where its crossings do not exist, 1 where one is open) and the diagram gives the exposure exactly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache

from tenancykit.catalogue.attack import Crossing
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.diagram import Diagram
from tenancykit.criteria.isolation.graph import AttackGraph
from tenancykit.criteria.isolation.levels import guarded
from tenancykit.criteria.isolation.reliability import Link, expose
from tenancykit.criteria.isolation.result import MAX_DEPTH


@dataclass(frozen=True, order=True)
class Passage:
    """A melted variable: every crossing from one node to another that passes the same shared barriers.

    Attributes:
        source: position it starts at.
        target: position or asset it leads to.
        shared: barriers on it that guard other crossings too.
    """

    source: str
    target: str
    shared: tuple[str, ...]


@dataclass(frozen=True, order=True)
class Start:
    """The variable that says whether the attacker stands at a position from the beginning."""

    position: str


@dataclass(frozen=True)
class AssetNetwork:
    """The network of one asset.

    Attributes:
        diagram: diagram over passages, starts and shared barriers.
        root: the function that says when the asset is exposed.
        shared: barriers that guard several of its crossings.
        places: place of each variable in the diagram's order.
    """

    diagram: Diagram
    root: int
    shared: frozenset[str]
    places: Mapping[object, int]
    _slots: dict[tuple[str, str, tuple[object, ...]], tuple[int, tuple[str, ...]] | None] = field(default_factory=dict)

    def slot(self, crossing: str, link: Link) -> tuple[int, tuple[str, ...]] | None:
        """Return the place of a link's passage in the order and its own barriers; None where it leads elsewhere."""
        key = (crossing, str(link.target), link.variables)
        if key not in self._slots:
            names = tuple(map(str, link.variables))
            passage = Passage(str(link.source), str(link.target), tuple(sorted(n for n in names if n in self.shared)))
            index = self.places.get(passage)
            own = tuple(name for name in names if name not in self.shared)
            self._slots[key] = None if index is None else (index, own)
        return self._slots[key]


class Superset:
    """The catalogue's crossings compiled for its assets.

    Args:
        model: the catalogue.
        together: whether assets of one kind are compiled in one go, which is quickest to have; alone, the diagram of
            each is smaller and quicker to run over many designs.
    """

    def __init__(self, model: IsolationCatalogue, *, together: bool) -> None:
        self.model = model
        self.together = together
        self._networks: dict[str, AssetNetwork] = {}

    def network(self, asset: str) -> AssetNetwork:
        """Return the network of an asset, compiled on first use."""
        if asset not in self._networks:
            kind = guarded(self.model.assets[asset])
            group = [a.id for a in self.model.assets.values() if guarded(a) == kind] if self.together else [asset]
            self._networks.update(_compile(group, self.model))
        return self._networks[asset]

    def solve(self, asset: str, graph: AttackGraph, chance: Mapping[str, float]) -> tuple[float, int]:
        """Return the exposure and the depth of an asset.

        Exposure is the chance that a path to the asset is open, given the chance that each barrier is down; depth is
        the size of the smallest set of barriers whose fall opens a path, :data:`MAX_DEPTH` where there is none.
        """
        network = self.network(asset)
        order = network.diagram.order
        shut = [1.0] * len(order)
        costs = [math.inf] * len(order)
        for link, crossing in zip(graph.links, graph.crossings, strict=True):
            slot = network.slot(crossing.id, link)
            if slot is None:
                continue
            index, own = slot
            passes = 1.0
            for name in own:
                passes *= chance[name]
            shut[index] *= 1.0 - passes
            if len(own) < costs[index]:
                costs[index] = float(len(own))
        for position in graph.starts:
            index = network.places.get(Start(position), -1)
            if index >= 0:
                shut[index], costs[index] = 0.0, 0.0
        for name in network.shared:
            index = network.places[name]
            shut[index], costs[index] = 1.0 - chance.get(name, 0.0), 1.0
        exposure = network.diagram.probability_at(network.root, [1.0 - value for value in shut])
        least = network.diagram.cheapest_at(network.root, costs)
        return exposure, MAX_DEPTH if math.isinf(least) else int(least)


@lru_cache(maxsize=16)
def superset(model: IsolationCatalogue, *, together: bool = True) -> Superset:
    """Return the compiled crossings of a catalogue, remembered."""
    return Superset(model, together=together)


def measured_starts(model: IsolationCatalogue) -> tuple[str, ...]:
    """Return the positions where an attacker may stand from the beginning."""
    return tuple(position.id for position in model.positions.values() if str(position.start) != "never")


def steps_to(asset: str, model: IsolationCatalogue) -> list[tuple[Crossing, str]]:
    """Return the crossings, each with one end, that lie on ways from a start to the asset."""
    steps = [(c, t) for c in model.crossings.values() for t in c.to if t == asset or t in model.positions]
    ahead = {asset}
    behind = set(measured_starts(model))
    while True:
        size = len(ahead) + len(behind)
        ahead |= {crossing.from_ for crossing, target in steps if target in ahead}
        behind |= {target for crossing, target in steps if crossing.from_ in behind}
        if size == len(ahead) + len(behind):
            return [(c, t) for c, t in steps if c.from_ in behind and t in ahead]


def _compile(assets: Sequence[str], model: IsolationCatalogue) -> dict[str, AssetNetwork]:
    shared: set[str] = set()
    steps: dict[tuple[str, str], Crossing] = {}
    for asset in assets:
        guarding: dict[str, int] = {}
        for crossing, target in steps_to(asset, model):
            steps[crossing.id, target] = crossing
            for guard in crossing.guards:
                guarding[guard.barrier] = guarding.get(guard.barrier, 0) + 1
        shared.update(name for name, crossings in guarding.items() if crossings > 1)
    links = {
        Link(crossing.from_, target, (Passage(crossing.from_, target, names), *names)): None
        for (_, target), crossing in steps.items()
        for names in _variants(crossing, shared)
    }
    starts: dict[Hashable, Hashable | None] = {position: Start(position) for position in measured_starts(model)}
    diagram, roots = expose(list(links), starts, assets)
    places: dict[object, int] = {name: place for place, name in enumerate(diagram.order)}
    known = frozenset(name for name in shared if name in places)
    return {asset: AssetNetwork(diagram, root, known, places) for asset, root in zip(assets, roots, strict=True)}


def _variants(crossing: Crossing, shared: AbstractSet[str]) -> list[tuple[str, ...]]:
    """Return every set of shared barriers that may stand on a crossing, depending on facts."""
    fixed = [g.barrier for g in crossing.guards if g.barrier in shared and g.when.kind == "always"]
    open_ = [g.barrier for g in crossing.guards if g.barrier in shared and g.when.kind != "always"]
    return [
        tuple(sorted((*fixed, *itertools.compress(open_, bits))))
        for bits in itertools.product((0, 1), repeat=len(open_))
    ]
