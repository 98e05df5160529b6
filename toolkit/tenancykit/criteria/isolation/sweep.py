"""The isolation of many designs at once: conditions, chances and diagrams over arrays, one element per design."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenancykit.catalogue.attack import Crossing
from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.conditions import Condition
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR, WINDOW_DAYS, flaws_of, posterior
from tenancykit.criteria.isolation.levels import guarded
from tenancykit.criteria.isolation.network import AssetNetwork, Passage, Start, superset
from tenancykit.criteria.isolation.result import DEPTH_WEIGHT, MAX_DEPTH, MAX_NINES
from tenancykit.design.facts import class_facts
from tenancykit.design.model import Design
from tenancykit.scenario.model import Scenario

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]
Counts = NDArray[np.int8]

_UNREACHABLE = 50
"""Depth of what cannot be reached while depths are added up in eight-bit integers."""


@dataclass(frozen=True)
class Sweep:
    """The isolation of many designs, one element per design.

    Attributes:
        figure: the figure that is ranked, as :func:`measure` gives it.
        exposure: chance that a path to the worst asset of the worst pair is open.
        depth: barriers of the worst asset.
        asset: id of the worst asset.
    """

    figure: Floats
    exposure: Floats
    depth: NDArray[np.int64]
    asset: NDArray[np.str_]


def sweep(
    designs: Sequence[Design],
    scenario: Scenario,
    catalogue: Catalogue,
    *,
    window_days: float = WINDOW_DAYS,
    proven: bool = False,
) -> Sweep:
    """Return the isolation of many designs of one scenario, the same numbers as measuring them one by one.

    Args:
        designs: designs that choose something for every class of the scenario.
        scenario: the scenario.
        catalogue: the catalogue.
        window_days: days from disclosure of a flaw to patched.
        proven: whether the exported manifests were read back and proven.
    """
    model = load_isolation(catalogue)
    classes = scenario.tenants.classes
    known = {c.id: _class_arrays(designs, c.id, class_facts(scenario, c), model) for c in classes}
    size = len(designs)
    best = Sweep(
        np.full(size, MAX_NINES + DEPTH_WEIGHT * MAX_DEPTH),
        np.zeros(size),
        np.full(size, MAX_DEPTH, dtype=np.int64),
        np.full(size, "", dtype="<U40"),
    )
    for attacker, victim in itertools.product(classes, classes):
        if attacker is victim and victim.count < 2:
            continue
        facts = PairArrays(known[attacker.id], known[victim.id], attacker is victim, size, model)
        chances = _Chances(facts, model, window_days, proven)
        for asset in model.assets.values():
            if guarded(asset):
                _take_worse(best, asset.id, facts, chances)
    return best


def _take_worse(best: Sweep, asset: str, facts: PairArrays, chances: _Chances) -> None:
    """Put an asset in the place of the worst so far, where it is worse.

    Depth adds less than :data:`DEPTH_WEIGHT` times :data:`MAX_DEPTH` to a figure, so that it has to be known only of
    designs whose exposure comes near the worst.
    """
    applies = facts.holds(facts.model.assets[asset].when)
    if not applies.any():
        return
    network = superset(facts.model, together=False).network(asset)
    values = _variables(network, facts, chances)
    chance = {name: values[name][0] for name in network.diagram.order}
    never = {name for name, p in chance.items() if not p.any()}
    always = {name for name, p in chance.items() if p.min() >= 1.0}
    root = network.diagram.fixed(network.root, never, always)
    exposure = network.diagram.probability_over(root, chance)
    with np.errstate(divide="ignore"):
        nines = np.clip(-np.log10(exposure), 0.0, MAX_NINES)
    near = np.flatnonzero((nines < best.figure) & applies)
    if not near.size:
        return
    depth = network.diagram.fewest_over(
        root, {name: values[name][1][near] for name in network.diagram.order}, _UNREACHABLE
    ).astype(np.int64)
    depth = np.where(depth >= _UNREACHABLE, MAX_DEPTH, np.minimum(depth, MAX_DEPTH))
    figure = nines[near] + DEPTH_WEIGHT * depth
    worse = figure < best.figure[near]
    here = near[worse]
    best.figure[here] = figure[worse]
    best.exposure[here] = exposure[here]
    best.depth[here] = depth[worse]
    best.asset[here] = asset


def _class_arrays(
    designs: Sequence[Design], class_id: str, base: frozenset[str], model: IsolationCatalogue
) -> Mapping[str, Booleans]:
    """Return, for each fact that matters, in which designs it holds for the class."""
    options = model.catalogue.options
    rows = {option: i for i, option in enumerate(options)}
    chosen = [design.choices[class_id].options for design in designs]
    lengths = np.fromiter(map(len, chosen), dtype=np.int64, count=len(chosen))
    picked = np.fromiter(map(rows.__getitem__, itertools.chain.from_iterable(chosen)), np.int64, int(lengths.sum()))
    member = np.zeros((len(rows), len(chosen)), dtype=bool)
    member[picked, np.repeat(np.arange(len(chosen)), lengths)] = True
    held = {name: np.ones(len(chosen), dtype=bool) for name in base & model.class_facts}
    for option in options.values():
        for fact in {option.id, *option.provides} & model.class_facts - base:
            mine = member[rows[option.id]]
            held[fact] = held[fact] | mine if fact in held else mine
    return held


class PairArrays(Mapping[str, Booleans]):
    """Facts of an ordered pair of classes over many designs, computed when first asked for.

    Args:
        attacker: facts of the attacker's class.
        victim: facts of the victim's class.
        same_class: whether the two are tenants of one class.
        size: number of designs.
        model: the catalogue.
    """

    def __init__(
        self,
        attacker: Mapping[str, Booleans],
        victim: Mapping[str, Booleans],
        same_class: bool,
        size: int,
        model: IsolationCatalogue,
    ) -> None:
        self.size = size
        self.model = model
        self._attacker = attacker
        self._victim = victim
        self._known: dict[str, Booleans] = {"same-class": np.full(size, same_class)}
        self._conditions: dict[Condition, Booleans] = {}
        self._ends: dict[tuple[str, str], list[Crossing]] = {}
        for crossing in model.crossings.values():
            for target in crossing.to:
                self._ends.setdefault((crossing.from_, target), []).append(crossing)

    def __getitem__(self, name: str) -> Booleans:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._compute(name)
        return found

    def __iter__(self) -> Any:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def _compute(self, name: str) -> Booleans:
        derived = self.model.derived.get(name)
        if derived is not None:
            return self.holds(derived.when)
        side, _, fact = name.partition(":")
        nothing = np.zeros(self.size, dtype=bool)
        mine, theirs = self._attacker.get(fact, nothing), self._victim.get(fact, nothing)
        if side == "attacker" or (mine is theirs and side in ("victim", "both", "either")):
            return mine
        if side == "victim":
            return theirs
        if side == "both":
            return mine & theirs
        if side == "either":
            return mine | theirs
        raise KeyError(name)

    def between(self, source: str, target: str) -> list[Crossing]:
        """Return the crossings from one node to another."""
        return self._ends.get((source, target), [])

    def holds(self, condition: Condition) -> Booleans:
        """Return where a condition holds; conditions met before are not computed again."""
        found = self._conditions.get(condition)
        if found is None:
            found = self._conditions[condition] = np.asarray(self._evaluate(condition))
        return found

    def _evaluate(self, condition: Condition) -> Booleans:
        if condition.kind == "atom":
            return self[condition.atom]
        if condition.kind == "not":
            return ~self.holds(condition.parts[0])
        if condition.kind in ("and", "or"):
            join = np.logical_and if condition.kind == "and" else np.logical_or
            result: Booleans = self.holds(condition.parts[0])
            for part in condition.parts[1:]:
                result = join(result, self.holds(part))
            return result
        return np.full(self.size, condition.kind == "always")


class _Chances:
    """Chance of each barrier over many designs, computed when first asked for."""

    def __init__(self, facts: PairArrays, model: IsolationCatalogue, window_days: float, proven: bool) -> None:
        self.facts = facts
        self.model = model
        self.window = window_days / DAYS_PER_YEAR
        self.proven = proven
        self.passages: dict[tuple[Passage, frozenset[str]], tuple[Floats, Counts]] = {}
        self._known: dict[str, Floats] = {}

    def of(self, name: str) -> Floats:
        """Return the chance that a barrier is down, per design."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._compute(name)
        return found

    def _compute(self, name: str) -> Floats:
        barrier = self.model.barriers[name]
        groups = flaws_of(self.model).get(name, ())
        counts = np.zeros(self.facts.size, dtype=np.int64)
        for flaws in groups:
            counts += self.facts.holds(flaws.when) * len(flaws.entries)
        most = sum(len(flaws.entries) for flaws in groups)
        table = np.array([posterior(barrier, n, self.model).chance_within(self.window) for n in range(most + 1)])
        chance: Floats = table[counts]
        if barrier.misconfiguration:
            wrong = np.zeros(self.facts.size)
            undecided = np.ones(self.facts.size, dtype=bool)
            for case in barrier.misconfiguration:
                here = self.facts.holds(case.when) & undecided
                wrong[here] = case.proven if self.proven else case.chance
                undecided &= ~here
            chance = 1 - (1 - chance) * (1 - wrong)
        return chance


def _variables(network: AssetNetwork, facts: PairArrays, chances: _Chances) -> dict[Any, tuple[Floats, Counts]]:
    """Return the chance and the cost in barriers of every variable of an asset's network."""
    model, size = facts.model, facts.size
    found: dict[Any, tuple[Floats, Counts]] = {}
    for name in network.diagram.order:
        if isinstance(name, Start):
            here = facts.holds(model.positions[name.position].start)
            found[name] = here.astype(float), np.where(here, 0, _UNREACHABLE).astype(np.int8)
        elif isinstance(name, Passage):
            found[name] = _passage(name, network.shared, facts, chances)
        else:
            found[name] = chances.of(str(name)), np.ones(size, dtype=np.int8)
    return found


def _passage(passage: Passage, shared: frozenset[str], facts: PairArrays, chances: _Chances) -> tuple[Floats, Counts]:
    """Return the chance that a passage is open and its cost; remembered where the same barriers are shared."""
    crossings = facts.between(passage.source, passage.target)
    involved = shared & {guard.barrier for crossing in crossings for guard in crossing.guards}
    key = (passage, frozenset(involved))
    known = chances.passages.get(key)
    if known is None:
        shut = np.ones(facts.size)
        cost = np.full(facts.size, _UNREACHABLE, dtype=np.int8)
        for crossing in crossings:
            case = _case(crossing, passage, shared, facts)
            if case is not None:
                opened, barriers = _own(crossing, case, shared, facts, chances)
                shut *= 1 - opened
                np.minimum(cost, barriers, out=cost)
        known = chances.passages[key] = (1 - shut, cost)
    return known


def _case(crossing: Crossing, passage: Passage, shared: frozenset[str], facts: PairArrays) -> Booleans | None:
    """Return where a crossing exists with exactly the passage's shared barriers standing; None where it never does."""
    present = facts.holds(crossing.when)
    for guard in crossing.guards:
        if guard.barrier in shared:
            stands = facts.holds(guard.when)
            present = present & (stands if guard.barrier in passage.shared else ~stands)
    return present if present.any() and set(passage.shared) <= {g.barrier for g in crossing.guards} else None


def _own(
    crossing: Crossing, present: Booleans, shared: frozenset[str], facts: PairArrays, chances: _Chances
) -> tuple[Floats, Counts]:
    opened = present.astype(float)
    count = np.where(present, np.int8(0), np.int8(_UNREACHABLE))
    for guard in crossing.guards:
        if guard.barrier in shared:
            continue
        chance, stands = chances.of(guard.barrier), facts.holds(guard.when)
        if guard.when.kind == "always":
            opened *= chance
            count += 1
        else:
            opened *= np.where(stands, chance, 1.0)
            count += stands
    return opened, np.minimum(count, np.int8(_UNREACHABLE))
