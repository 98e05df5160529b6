"""All crossings of the catalogue in one network, compiled once per asset, on which every design is a set of numbers.

Parallel crossings between two positions whose barriers guard nothing else melt into one variable; a barrier that
guards several crossings stays a variable of its own, because those crossings fall together. A design then gives each
variable a chance (0 where its crossings do not exist, 1 where one is open) and the diagram gives the exposure exactly.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from kubeanswers.records import dataclass
from kubeanswers.remembering import remember
from tenancykit.catalogue.attack import Crossing
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.diagram import FALSE, TRUE, Diagram
from tenancykit.criteria.isolation.graph import AttackGraph, step_of
from tenancykit.criteria.isolation.reliability import Link, expose
from tenancykit.criteria.isolation.result import MAX_DEPTH

if TYPE_CHECKING:
    import numpy as np


_T = TypeVar("_T")

_GRAPHS: Final = 256
"""Sets of steps whose passages a network remembers."""

_SOLVED: Final = 1024
"""Exposures a network remembers, by what it reads of a pair."""

_EXPOSED: Final = 64
"""Exposures over draws a network remembers; each takes some 13 KB."""


class Passage(NamedTuple):
    """A melted variable: every crossing from one node to another that passes the same shared barriers.

    Attributes:
        source: position it starts at.
        target: position or asset it leads to.
        shared: barriers on it that guard other crossings too.
    """

    source: str
    target: str
    shared: tuple[str, ...]


class Start(NamedTuple):
    """The variable that says whether the attacker stands at a position from the beginning."""

    position: str


@dataclass(frozen=True, eq=False)
class _Passing:
    """What a network reads of an attack graph.

    Attributes:
        ways: per place of a passage that exists, the barriers of its own on each crossing melted into it.
        read: barriers whose chances count.
    """

    ways: Mapping[int, Sequence[tuple[str, ...]]]
    read: tuple[str, ...]


_Work = Callable[[_Passing, tuple[int, ...], Mapping[str, float]], _T]


@dataclass(frozen=True)
class AssetNetwork:
    """The network of one asset, on which a design is a chance for every variable.

    Attributes:
        diagram: diagram over passages, starts and shared barriers.
        root: the function that says when the asset is exposed.
        shared: barriers that guard several of its crossings.
        places: place of each variable in the diagram's order.
        crossings: the crossings behind each pair of ends of a passage, each with the shared barriers that may stand
            on it.
        ends: ends of the passage behind each crossing and node it leads to.
    """

    diagram: Diagram
    root: int
    shared: frozenset[str]
    places: Mapping[object, int]
    crossings: Mapping[tuple[str, str], Sequence[tuple[Crossing, frozenset[str]]]]
    ends: Mapping[tuple[str, str], tuple[str, str]]
    _slots: dict[int, tuple[int, tuple[str, ...], tuple[str, int]]] = field(default_factory=dict)
    _met: set[int] = field(default_factory=set)
    _here: set[int] = field(default_factory=set)
    _recent: dict[frozenset[int], _Passing] = field(default_factory=dict)
    _solved: dict[Hashable, tuple[float, int]] = field(default_factory=dict)
    _sloping: dict[Hashable, Mapping[str, float]] = field(default_factory=dict)
    _exposed: dict[Hashable, tuple[np.ndarray, object]] = field(default_factory=dict)

    @cached_property
    def melted(self) -> Mapping[Passage, tuple[Hashable, Sequence[tuple[Crossing, frozenset[str]]]]]:
        """Per passage, the crossings melted into it, and what tells it from others, in whatever network it stands."""
        found: dict[Passage, tuple[Hashable, Sequence[tuple[Crossing, frozenset[str]]]]] = {}
        for name in self.diagram.order:
            if isinstance(name, Passage):
                every = self.crossings[name.source, name.target]
                mine = [(crossing, met) for crossing, met in every if met.issuperset(name.shared)]
                found[name] = (name.shared, tuple((crossing.id, met) for crossing, met in mine)), mine
        return found

    def solve(self, graph: AttackGraph, chance: Mapping[str, float]) -> tuple[float, int]:
        """Return the exposure and the depth of the asset.

        Exposure is the chance that a path to the asset is open, given the chance that each barrier is down; depth is
        the size of the smallest set of barriers whose fall opens a path, :data:`MAX_DEPTH` where there is none.
        """
        return self._remembered(self._solved, graph, chance, self._solve)

    def _remembered(
        self, memory: dict[Hashable, _T], graph: AttackGraph, chance: Mapping[str, float], work: _Work[_T]
    ) -> _T:
        """Return what follows from a pair: most pairs of classes and most designs are alike in what one asset reads."""
        passing, standing = self._passing(graph), self._standing(graph)
        key = passing, standing, tuple(map(chance.get, passing.read))
        found = memory.get(key)
        return remember(memory, key, work(passing, standing, chance), _SOLVED) if found is None else found

    def _solve(self, passing: _Passing, standing: tuple[int, ...], chance: Mapping[str, float]) -> tuple[float, int]:
        costs = [math.inf] * len(self.diagram.order)
        for index, ways in passing.ways.items():
            costs[index] = float(min(map(len, ways)))
        for name in self.shared:
            if name in chance:
                costs[self.places[name]] = 1.0
        for index in standing:
            costs[index] = 0.0
        exposure, least = self.diagram.solve_at(self.root, self._chances(passing, standing, chance), costs)
        return exposure, MAX_DEPTH if math.isinf(least) else int(least)

    def passages(self, graph: AttackGraph) -> Mapping[int, Sequence[tuple[str, ...]]]:
        """Return, per place of a passage that exists, the barriers of its own on each crossing melted into it."""
        return self._passing(graph).ways

    def _passing(self, graph: AttackGraph) -> _Passing:
        if not graph.numbered <= self._met:
            for number in graph.numbered - self._met:
                slot = self._placed(*step_of(number))
                if slot is not None:
                    self._slots[number] = slot
            self._met.update(graph.numbered)
            self._here.update(self._slots)
        # Graphs name steps in the catalogue's order: those with the same steps here have the same passages.
        mine = graph.numbered & self._here
        found = self._recent.get(mine)
        if found is None:
            ways = self._melted(filter(mine.__contains__, graph.numbers))
            own = {name for each in ways.values() for names in each for name in names}
            found = remember(self._recent, mine, _Passing(ways, (*sorted(self.shared), *sorted(own))), _GRAPHS)
        return found

    def _melted(self, numbers: Iterable[int]) -> Mapping[int, Sequence[tuple[str, ...]]]:
        found: dict[int, list[tuple[str, ...]]] = {}
        met: set[tuple[str, int]] = set()
        for number in numbers:
            place, own, melted = self._slots[number]
            if melted not in met:
                met.add(melted)
                found.setdefault(place, []).append(own)
        return found

    def _chances(self, passing: _Passing, standing: tuple[int, ...], chance: Mapping[str, float]) -> list[float]:
        """Return the chance of every variable, in the diagram's order."""
        found = [0.0] * len(self.diagram.order)
        for index, ways in passing.ways.items():
            shut = 1.0
            for names in ways:
                passes = 1.0
                for name in names:
                    passes *= chance[name]
                shut *= 1.0 - passes
            found[index] = 1.0 - shut
        for index in standing:
            found[index] = 1.0
        for name in self.shared:
            found[self.places[name]] = chance.get(name, 0.0)
        return found

    def _standing(self, graph: AttackGraph) -> tuple[int, ...]:
        return tuple([self._starts[position] for position in graph.starts if position in self._starts])

    @cached_property
    def _starts(self) -> Mapping[str, int]:
        """Place of the variable of each position where an attacker may stand."""
        return {name.position: place for name, place in self.places.items() if isinstance(name, Start)}

    def exposure_over(self, graph: AttackGraph, chance: Mapping[str, np.ndarray], size: int) -> np.ndarray:
        """Return the exposure of the asset for every draw of the barriers' chances; it cannot be written to.

        Args:
            graph: attack graph of the pair.
            chance: [draws] chance of every barrier of the graph; arrays that nobody writes to.
            size: number of draws.
        """
        passing, standing = self._passing(graph), self._standing(graph)
        drawn = tuple(map(chance.get, passing.read))
        key = passing, standing, size, tuple(map(id, drawn))
        found = self._exposed.get(key)
        if found is None:
            exposure = self._exposure_over(passing, frozenset(standing), chance, size)
            exposure.flags.writeable = False
            # What was drawn is kept beside it, so that ids stay theirs.
            found = remember(self._exposed, key, (exposure, drawn), _EXPOSED)
        return found[0]

    def _exposure_over(
        self, passing: _Passing, standing: AbstractSet[int], chance: Mapping[str, np.ndarray], size: int
    ) -> np.ndarray:
        import numpy as np  # noqa: PLC0415 - single designs need no arrays

        order = self.diagram.order
        passages = passing.ways
        values: dict[object, np.ndarray] = {}
        never: set[Hashable] = set()
        always: set[Hashable] = {order[index] for index in standing}
        for index, name in enumerate(order):
            if index in standing:
                continue
            if name in self.shared and str(name) in chance:
                values[name] = chance[str(name)]
            elif index not in passages:
                never.add(name)
            elif () in passages[index]:
                always.add(name)
            else:
                shut = np.ones(size)
                for names in passages[index]:
                    passes = chance[names[0]]
                    for each in names[1:]:
                        passes = passes * chance[each]
                    shut *= 1.0 - passes
                values[name] = 1.0 - shut
        root = self.diagram.fixed(self.root, never, always)
        if root in (FALSE, TRUE):
            return np.full(size, float(root == TRUE))
        return self.diagram.probability_over(root, values)

    def slopes(self, graph: AttackGraph, chance: Mapping[str, float]) -> Mapping[str, float]:
        """Return how much the exposure grows per unit of each barrier's chance of being down."""
        return self._remembered(self._sloping, graph, chance, self._slopes)

    def _slopes(self, passing: _Passing, standing: tuple[int, ...], chance: Mapping[str, float]) -> dict[str, float]:
        by_variable = self.diagram.slopes_at(self.root, self._chances(passing, standing, chance))
        found = {name: by_variable[self.places[name]] for name in self.shared if name in chance}
        for index, ways in passing.ways.items():
            if not by_variable[index]:
                continue
            for way in ways:
                rest = by_variable[index]
                for other in ways:
                    if other is not way:
                        rest *= 1.0 - math.prod(chance[name] for name in other)
                for name in way:
                    others = math.prod(chance[other] for other in way if other != name)
                    found[name] = found.get(name, 0.0) + rest * others
        return found

    def _placed(
        self, crossing: str, target: str, barriers: tuple[str, ...]
    ) -> tuple[int, tuple[str, ...], tuple[str, int]] | None:
        """Return the place of a step's passage in the order, its own barriers, and what counts once; None elsewhere."""
        ends = self.ends.get((crossing, target))
        if ends is None:
            return None
        index = self.places.get(Passage(*ends, tuple(sorted(name for name in barriers if name in self.shared))))
        if index is None:
            return None
        return index, tuple(name for name in barriers if name not in self.shared), (crossing, index)


@lru_cache(maxsize=256)
def contracted(asset: str, standing: frozenset[str], model: IsolationCatalogue) -> AssetNetwork:
    """Return the network of an asset, compiled once.

    The positions where every attacker stands and those reached from there unhindered are one node here; so are the
    asset and the positions from which it lies open. Crossings between the two then melt into one variable.

    Args:
        asset: its id.
        standing: positions where the attacker stands whatever the design.
        model: the catalogue.
    """
    holders = _holders(standing, model)
    steps = steps_to(asset, model, holders)
    unhindered = [(c.from_, t) for c, t in steps if c.when.kind == "always" and not c.guards]
    sure = _closure(standing, unhindered) - {asset}
    won = _closure([asset], [(target, source) for source, target in unhindered])
    first = min(sure, default="")
    ends: dict[tuple[str, str], tuple[str, str]] = {}
    melted: dict[tuple[str, str, str], Crossing] = {}
    for crossing, target in steps:
        source, end = first if crossing.from_ in sure else crossing.from_, asset if target in won else target
        if end not in sure and (source == first or source not in won):
            ends[crossing.id, target] = source, end
            melted[crossing.id, source, end] = crossing
    starts: dict[Hashable, Hashable | None] = {p: Start(p) for p in measured_starts(model, holders) if p not in sure}
    if sure:
        starts[first] = None
    return _compile(asset, [(c, source, end) for (_, source, end), c in melted.items()], starts, ends)


def _closure(nodes: Iterable[str], steps: Sequence[tuple[str, str]]) -> set[str]:
    found = set(nodes)
    while more := {target for source, target in steps if source in found} - found:
        found |= more
    return found


def measured_starts(model: IsolationCatalogue, holders: Iterable[str] = ("tenant", "provider")) -> tuple[str, ...]:
    """Return the positions where attackers of some kinds may stand from the beginning."""
    return tuple(p.id for p in model.positions.values() if p.held_by in holders and str(p.start) != "never")


def _holders(standing: AbstractSet[str], model: IsolationCatalogue) -> tuple[str, ...]:
    """Return what kind of attacker stands at some positions; a tenant where they say nothing."""
    return tuple(sorted({model.positions[position].held_by for position in standing})) or ("tenant",)


def steps_to(
    asset: str, model: IsolationCatalogue, holders: Iterable[str] = ("tenant", "provider")
) -> list[tuple[Crossing, str]]:
    """Return the crossings, each with one end, that lie on ways from a start of some attackers to the asset."""
    steps = [(c, t) for c in model.crossings.values() for t in c.to if t == asset or t in model.positions]
    ahead = {asset}
    behind = set(measured_starts(model, holders))
    while True:
        size = len(ahead) + len(behind)
        ahead |= {crossing.from_ for crossing, target in steps if target in ahead}
        behind |= {target for crossing, target in steps if crossing.from_ in behind}
        if size == len(ahead) + len(behind):
            return [(c, t) for c, t in steps if c.from_ in behind and t in ahead]


def _compile(
    asset: str,
    steps: Sequence[tuple[Crossing, str, str]],
    starts: Mapping[Hashable, Hashable | None],
    ends: Mapping[tuple[str, str], tuple[str, str]],
) -> AssetNetwork:
    guarding = Counter(guard.barrier for crossing, _, _ in steps for guard in crossing.guards)
    shared = {name for name, crossings in guarding.items() if crossings > 1}
    links: dict[Link, None] = {}
    between: dict[tuple[str, str], list[tuple[Crossing, frozenset[str]]]] = {}
    for crossing, source, target in steps:
        met = frozenset(guard.barrier for guard in crossing.guards) & shared
        between.setdefault((source, target), []).append((crossing, met))
        for names in _variants(crossing, shared):
            links[Link(source, target, (Passage(source, target, names), *names))] = None
    diagram, (root,) = expose(list(links), starts, [asset])
    places: dict[object, int] = {name: place for place, name in enumerate(diagram.order)}
    known = frozenset(name for name in shared if name in places)
    return AssetNetwork(diagram, root, known, places, between, ends)


def _variants(crossing: Crossing, shared: AbstractSet[str]) -> list[tuple[str, ...]]:
    """Return every set of shared barriers that may stand on a crossing, depending on facts."""
    fixed = [g.barrier for g in crossing.guards if g.barrier in shared and g.when.kind == "always"]
    open_ = [g.barrier for g in crossing.guards if g.barrier in shared and g.when.kind != "always"]
    return [
        tuple(sorted((*fixed, *itertools.compress(open_, bits))))
        for bits in itertools.product((0, 1), repeat=len(open_))
    ]
