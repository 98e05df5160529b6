"""Which designs are the same for isolation: the facts that can move the ranked figure, and the figure they give.

Designs whose classes agree on these facts differ in the figure only through the exposure window, and a longer window
never raises it. A sweep so computes the figure of each distinct set of facts, not of each design.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.isolation.chances import flaws_of, strengths
from tenancykit.criteria.isolation.graph import AttackGraph, attack_graph, pair_facts
from tenancykit.criteria.isolation.levels import VIEWS, guarded, level_of
from tenancykit.criteria.isolation.measure import load_isolation
from tenancykit.criteria.isolation.network import measured_starts, steps_to, superset
from tenancykit.criteria.isolation.result import MAX_DEPTH, MAX_NINES, figure
from tenancykit.conditions import Condition
from tenancykit.scenario.model import Scenario

HIGHEST = figure(10.0**-MAX_NINES, MAX_DEPTH)
"""The figure of a design in which nobody can be reached."""


class IsolationSignatures:
    """Works out figures and levels from the facts of the classes; pairs met before are not worked out again.

    Args:
        scenario: the scenario; decides which classes hold another tenant.
        catalogue: the catalogue.
    """

    def __init__(self, scenario: Scenario, catalogue: Catalogue) -> None:
        self.model = load_isolation(catalogue)
        self.classes = scenario.tenants.classes
        self.assets = [asset for asset in self.model.assets.values() if guarded(asset)]
        self.reads = frozenset(_class_facts(self._conditions(), {d.id: d.when for d in self.model.derived.values()}))
        self._graphs: dict[frozenset[str], AttackGraph] = {}
        self._figures: dict[tuple[frozenset[str], float], float] = {}

    def _conditions(self) -> Iterable[Condition]:
        """Yield every condition that decides the chance or the depth of an asset that is ranked."""
        model = self.model
        barriers: set[str] = set()
        for start in measured_starts(model):
            yield model.positions[start].start
        for asset in self.assets:
            yield asset.when
            for crossing, _ in steps_to(asset.id, model):
                yield crossing.when
                for guard in crossing.guards:
                    barriers.add(guard.barrier)
                    yield guard.when
        for name in barriers:
            yield from (flaws.when for flaws in flaws_of(model).get(name, ()))
            yield from (wrong.when for wrong in model.barriers[name].misconfiguration)

    def figure(self, facts: Sequence[frozenset[str]], window_days: float) -> float:
        """Return the ranked figure, as measuring a design gives it.

        Args:
            facts: facts of each class, in the scenario's order; those beyond :attr:`reads` do not matter.
            window_days: days from disclosure of a flaw to patched.
        """
        return min((self._pair(pair, window_days) for _, _, pair in self._pairs(facts)), default=HIGHEST)

    def levels(self, facts: Sequence[frozenset[str]], view: str) -> dict[str, int]:
        """Return the level (0 to 5) of every class as the victim: ``overall``, ``control`` or ``data`` plane.

        Args:
            facts: all facts of each class, in the scenario's order.
            view: which planes.
        """
        found = {tenant_class.id: 5 for tenant_class in self.classes}
        for _, victim, pair in self._pairs(facts):
            graph = self._graph(pair)
            network = superset(self.model)
            depths = {asset.id: network.solve(asset.id, graph, dict.fromkeys(graph.barriers, 0.5))[1] for asset in graph.assets}
            level, _ = level_of(graph, depths, VIEWS[view], self.model)
            found[victim] = min(found[victim], int(level[1:]))
        return found

    def _pairs(self, facts: Sequence[frozenset[str]]) -> Iterable[tuple[str, str, frozenset[str]]]:
        for (attacker, mine), (victim, theirs) in itertools.product(zip(self.classes, facts, strict=True), repeat=2):
            same = attacker is victim
            if not same or victim.count > 1:
                yield attacker.id, victim.id, pair_facts(mine, theirs, same_class=same, model=self.model)

    def _graph(self, pair: frozenset[str]) -> AttackGraph:
        graph = self._graphs.get(pair)
        if graph is None:
            graph = self._graphs[pair] = attack_graph(pair, self.model)
        return graph

    def _pair(self, pair: frozenset[str], window_days: float) -> float:
        known = self._figures.get((pair, window_days))
        if known is None:
            graph = self._graph(pair)
            believed = strengths(graph.barriers, pair, self.model, window_days=window_days)
            chance = {name: strength.chance for name, strength in believed.items()}
            network = superset(self.model)
            ids = {asset.id for asset in graph.assets}
            known = min(
                (figure(*network.solve(asset.id, graph, chance)) for asset in self.assets if asset.id in ids),
                default=HIGHEST,
            )
            self._figures[pair, window_days] = known
        return known


def _class_facts(conditions: Iterable[Condition], derived: dict[str, Condition]) -> Iterable[str]:
    """Yield the facts of a single class that conditions read, through derived facts."""
    pending = [atom for condition in conditions for atom in condition.atoms()]
    seen: set[str] = set()
    while pending:
        atom = pending.pop()
        if atom in seen:
            continue
        seen.add(atom)
        if atom in derived:
            pending.extend(derived[atom].atoms())
        elif atom.startswith(("attacker:", "victim:", "both:", "either:")):
            yield atom.split(":", 1)[1]
