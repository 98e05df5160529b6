"""The isolation of many designs at once: conditions, chances and diagrams over arrays, one element per design."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Crossing, Plane
from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.conditions import Condition
from tenancykit.criteria.isolation.beliefs import BELIEVED, Beliefs, window_cases
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR, flaws_of, posterior, window_kind
from tenancykit.criteria.isolation.exposure import PERFORMANCE, SPREAD, Key
from tenancykit.criteria.isolation.graph import PROVIDER_FACTS, provider_attacks
from tenancykit.criteria.isolation.levels import guarded
from tenancykit.criteria.isolation.network import AssetNetwork, Passage, Start, contracted, measured_starts
from tenancykit.criteria.isolation.result import DEPTH_WEIGHT, MAX_DEPTH, MAX_NINES
from tenancykit.criteria.isolation.slowdown import lost, shared_resources
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
        opened: per victim class and asset, the chance that a path from the attackers that reach it most is open.
        reaching: per victim class and asset, the same summed over all other tenants.
        others: other tenants that each class was measured against.
        slowed: per victim class and shared resource, the share of a year that neighbours take.
        planes: plane of every asset.
    """

    figure: Floats
    exposure: Floats
    depth: NDArray[np.int64]
    asset: NDArray[np.str_]
    opened: dict[tuple[str, str], Floats]
    reaching: dict[tuple[str, str], Floats]
    others: dict[str, int]
    slowed: dict[tuple[str, str], Floats]
    planes: Mapping[str, Plane]

    @cached_property
    def days(self) -> Mapping[Key, Floats]:
        """Expected open days a year per class of victims and plane, as ``IsolationResult.days`` of one design."""
        found: dict[Key, Floats] = {}
        for (victim, asset), most in self.opened.items():
            mean = self.reaching[victim, asset] / max(1, self.others.get(victim, 0))
            _add(found, (victim, self.planes[asset]), ((1 - SPREAD) * most + SPREAD * mean) * DAYS_PER_YEAR)
        for (victim, _), share in self.slowed.items():
            _add(found, (victim, PERFORMANCE), share * DAYS_PER_YEAR)
        return found


def _add(found: dict[Key, Floats], key: Key, days: Floats) -> None:
    found[key] = found[key] + days if key in found else days


def sweep(
    designs: Sequence[Design],
    scenario: Scenario,
    catalogue: Catalogue,
    *,
    latency_days: float = 0.0,
    proven: bool = False,
) -> Sweep:
    """Return the isolation of many designs of one scenario, the same numbers as measuring them one by one.

    Args:
        designs: designs that choose something for every class of the scenario.
        scenario: the scenario.
        catalogue: the catalogue.
        latency_days: days that operations take from a release to the last machine.
        proven: whether the exported manifests were read back and proven.
    """
    believed = Beliefs.of(scenario, latency=latency_days)
    model = load_isolation(catalogue)
    classes = scenario.tenants.classes
    known = {c.id: _class_arrays(designs, c.id, class_facts(scenario, c), model) for c in classes}
    size = len(designs)
    worst = best_of(
        size, [(c.id, PairArrays(known[c.id], known[c.id], same_class=True, size=size, model=model)) for c in classes]
    )
    for attacker, victim in itertools.product(classes, classes):
        if attacker is victim and victim.count < 2:
            continue
        facts = PairArrays(known[attacker.id], known[victim.id], attacker is victim, size, model, proven=proven)
        count = attacker.count - (attacker is victim)
        take_worse(worst, victim.id, facts, Chances(facts, model, believed), attackers=count)
    everybody = sum(each.count for each in classes)
    for victim in classes:
        from_outside = provider_pair(known[victim.id], size, model)
        if from_outside is not None:
            chances = Chances(from_outside, model, believed)
            take_exposed(worst, victim.id, from_outside, chances, attackers=everybody)
    return worst


class _Variable(NamedTuple):
    """A variable of a network over many designs.

    Attributes:
        chance: chance that it has happened.
        least: lowest chance of all designs.
        most: highest chance of all designs.
    """

    chance: Floats
    least: float
    most: float


def _variable(chance: Floats) -> _Variable:
    return _Variable(chance, float(chance.min()), float(chance.max()))


@dataclass(frozen=True)
class _Exposed:
    """One asset of a pair over many designs.

    Attributes:
        asset: its id.
        network: its network.
        root: function of the network's diagram without the variables that are the same for all designs.
        exposure: chance that a path to it is open.
        nines: the same in nines; infinite where the victim has no such asset.
    """

    asset: str
    network: AssetNetwork
    root: int
    exposure: Floats
    nines: Floats


def best_of(size: int, classes: Sequence[tuple[str, PairArrays]]) -> Sweep:
    """Return the isolation of designs of which no pair was looked at.

    Args:
        size: number of designs.
        classes: id of every class, with the facts of two tenants of it.
    """
    assets = {asset.id: asset for _, facts in classes for asset in facts.model.assets.values() if guarded(asset)}
    exposed = [(name, a.id) for name, facts in classes for a in assets.values() if facts.holds(a.when).any()]
    return Sweep(
        np.full(size, MAX_NINES + DEPTH_WEIGHT * MAX_DEPTH),
        np.zeros(size),
        np.full(size, MAX_DEPTH, dtype=np.int64),
        np.full(size, "", dtype="<U40"),
        {key: np.zeros(size) for key in exposed},
        {key: np.zeros(size) for key in exposed},
        {},
        {(name, r): np.zeros(size) for name, facts in classes for r in shared_resources(facts.model)},
        {name: asset.plane for name, asset in assets.items()},
    )


def provider_pair(victim: Mapping[str, Booleans], size: int, model: IsolationCatalogue) -> PairArrays | None:
    """Return the facts of the provider against a class; None where the scenario trusts the provider."""
    if not any(held.any() for name, held in victim.items() if provider_attacks({name})):
        return None
    attacker = dict.fromkeys(PROVIDER_FACTS, np.ones(size, dtype=bool))
    return PairArrays(attacker, victim, same_class=False, size=size, model=model)


def take_exposed(worst: Sweep, victim: str, facts: PairArrays, chances: Chances, *, attackers: int) -> list[_Exposed]:
    """Keep what so many attackers open of their victim's assets, where it is more than before, and return it."""
    found = [
        _exposed(asset.id, facts, chances)
        for asset in facts.model.assets.values()
        if guarded(asset) and facts.holds(asset.when).any()
    ]
    worst.others[victim] = worst.others.get(victim, 0) + attackers
    for each in found:
        so_far = worst.opened.setdefault((victim, each.asset), np.zeros(facts.size))
        np.maximum(so_far, each.exposure, out=so_far)
        reaching = worst.reaching.setdefault((victim, each.asset), np.zeros(facts.size))
        reaching += attackers * each.exposure
    return found


def take_slowed(worst: Sweep, victim: str, facts: PairArrays) -> None:
    """Keep what neighbours of a pair take of their victim's year, where it is more than before."""
    for entry in facts.model.interference.values():
        if entry.kind == "sharing":
            slowed = worst.slowed[victim, entry.resource]
            np.maximum(slowed, facts.holds(entry.when) * lost(entry.mean.likely), out=slowed)


def take_worse(worst: Sweep, victim: str, facts: PairArrays, chances: Chances, *, attackers: int) -> None:
    """Put the worst asset of a pair in the place of the worst so far, where it is worse.

    Depth adds at most :data:`DEPTH_WEIGHT` times :data:`MAX_DEPTH` to a figure, so that it has to be known only of
    designs whose exposure comes that near to the worst.
    """
    take_slowed(worst, victim, facts)
    found = take_exposed(worst, victim, facts, chances, attackers=attackers)
    if not found:
        return
    least = np.minimum.reduce([each.nines for each in found]) + DEPTH_WEIGHT * MAX_DEPTH
    for each in found:
        near = np.flatnonzero((each.nines <= least) & (each.nines < worst.figure))
        if near.size:
            costs = {name: _cost(name, each.network, facts)[near] for name in each.network.diagram.order}
            depth = each.network.diagram.fewest_over(each.root, costs, _UNREACHABLE).astype(np.int64)
            depth = np.where(depth >= _UNREACHABLE, MAX_DEPTH, np.minimum(depth, MAX_DEPTH))
            figure = each.nines[near] + DEPTH_WEIGHT * depth
            worse = figure < worst.figure[near]
            here = near[worse]
            worst.figure[here] = figure[worse]
            worst.exposure[here] = each.exposure[here]
            worst.depth[here] = depth[worse]
            worst.asset[here] = each.asset


def _exposed(asset: str, facts: PairArrays, chances: Chances) -> _Exposed:
    network = contracted(asset, facts.standing, facts.model)
    values = _variables(network, facts, chances)
    never = {name for name, found in values.items() if found.most <= 0.0}
    always = {name for name, found in values.items() if found.least >= 1.0}
    root = network.diagram.fixed(network.root, never, always)
    exposure = network.diagram.probability_over(root, {name: found.chance for name, found in values.items()})
    with np.errstate(divide="ignore"):
        nines = np.clip(-np.log10(exposure), 0.0, MAX_NINES)
    absent = ~facts.holds(facts.model.assets[asset].when)
    nines[absent] = np.inf
    exposure[absent] = 0.0
    return _Exposed(asset, network, root, exposure, nines)


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
    member.reshape(-1)[picked * len(chosen) + np.repeat(np.arange(len(chosen)), lengths)] = True
    held = dict.fromkeys(base & model.class_facts, np.ones(len(chosen), dtype=bool))
    mattering = model.class_facts - base
    for option in options.values():
        for fact in mattering.intersection((option.id, *option.provides)):
            mine = member[rows[option.id]]
            held[fact] = held[fact] | mine if fact in held else mine
    return held


_Crossed = tuple[str, frozenset[str], tuple[str, ...]]
"""A crossing by id, the shared barriers that may stand on it, and those that do."""


class PairArrays(Mapping[str, Booleans]):
    """Facts of an ordered pair of classes over many designs, computed when first asked for.

    Args:
        attacker: facts of the attacker's class.
        victim: facts of the victim's class.
        same_class: whether the two are tenants of one class.
        size: number of designs.
        model: the catalogue.
        proven: whether the exported manifests were read back and proven.
    """

    def __init__(
        self,
        attacker: Mapping[str, Booleans],
        victim: Mapping[str, Booleans],
        same_class: bool,
        size: int,
        model: IsolationCatalogue,
        *,
        proven: bool = False,
    ) -> None:
        self.size = size
        self.model = model
        self._attacker = attacker
        self._victim = victim
        self._known: dict[str, Booleans] = {
            "same-class": np.full(size, same_class),
            "proven-export": np.full(size, proven),
        }
        self._conditions: dict[int, tuple[Condition, Booleans]] = {}
        self.crossed: dict[_Crossed, Booleans | None] = {}
        self.costs: dict[Hashable, Counts] = {}

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

    @cached_property
    def standing(self) -> frozenset[str]:
        """Positions where the attacker stands from the beginning, whatever the design."""
        positions = self.model.positions
        return frozenset(p for p in measured_starts(self.model) if self.holds(positions[p].start).all())

    def holds(self, condition: Condition) -> Booleans:
        """Return where a condition holds; conditions met before are not computed again."""
        # By identity, which holds while the condition is kept: hashing one takes longer than evaluating it.
        found = self._conditions.get(id(condition))
        if found is None:
            found = self._conditions[id(condition)] = condition, np.asarray(self._evaluate(condition))
        return found[1]

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


class Chances:
    """Chance of each barrier over many designs, computed when first asked for."""

    def __init__(
        self,
        facts: PairArrays,
        model: IsolationCatalogue,
        believed: Beliefs = BELIEVED,
        *,
        latencies: Floats | None = None,
    ) -> None:
        self.facts = facts
        self.model = model
        self.believed = believed
        self.latencies = latencies
        self.passages: dict[Hashable, _Variable] = {}
        self.opened: dict[_Crossed, Floats | None] = {}
        self._known: dict[str, Floats] = {}
        self._left: dict[tuple[str, ...], Floats | float] = {}
        self._windows: dict[str, Floats | float] = {}

    def of(self, name: str) -> Floats:
        """Return the chance that a barrier is down, per design."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._compute(name)
        return found

    def _compute(self, name: str) -> Floats:
        flaw = self._flaw(name)
        wrong = self._wrong(name)
        return flaw if wrong is None else 1 - (1 - flaw) * (1 - wrong)

    def _flaw(self, name: str) -> Floats:
        groups = flaws_of(self.model).get(name, ())
        counts = np.zeros(self.facts.size, dtype=np.int16)
        for flaws in groups:
            counts += self._counts(flaws.when) * np.int16(len(flaws.entries))
        most = sum(len(flaws.entries) for flaws in groups)
        kind = window_kind(self.model.barriers[name], self.model)
        if kind not in self._windows:
            self._windows[kind] = self._window(kind)
        window = self._windows[kind]
        if isinstance(window, float):
            return _flaw_chances(name, most, window, self.believed, self.model).take(counts)
        shape, years = _posteriors(name, most, self.believed, self.model)
        years = years.take(counts)
        found: Floats = -np.expm1(shape.take(counts) * (np.log(years) - np.log(years + window)))
        return found

    def _counts(self, when: Condition) -> Booleans:
        """Return where flaws count."""
        return self.facts.holds(when)

    def _window(self, kind: str) -> Floats | float:
        """Return the exposure window of a kind of component, years; one number where all designs have the same."""
        name = f"window:{kind}"
        if name in self.believed.values:
            days: Floats | float = self.believed.values[name]
        else:
            cases = window_cases(kind, self.model)
            held = [self.facts.holds(when) for when, _ in cases]
            first = next(i for i, here in enumerate(held) if here.any())
            days = self.believed.value(name, 1.0) * (
                cases[first][1].likely if held[first].all() else np.select(held, [values.likely for _, values in cases])
            )
        if self.latencies is not None:
            return np.maximum(days, self.latencies) / DAYS_PER_YEAR
        longest = np.maximum(days, self.believed.latency) / DAYS_PER_YEAR
        return float(longest) if np.ndim(longest) == 0 else longest

    def _wrong(self, name: str) -> Floats | None:
        """Return the chance that a barrier is configured wrong; None for barriers not made of configuration."""
        cases = self.model.barriers[name].misconfiguration
        if not cases:
            return None
        wrong = np.zeros(self.facts.size)
        for case in reversed(cases):
            lapse = self.model.lapses[case.lapse]
            chance = self.believed.value(f"lapse:{lapse.id}", lapse.chance.likely) * self._upkeep(lapse.upkeep)
            wrong = np.where(self.facts.holds(case.when), np.minimum(chance, 1.0), wrong)
        return wrong

    def _upkeep(self, names: tuple[str, ...]) -> Floats | float:
        """Return the share of lapses that is left under these kinds of upkeep."""
        if names not in self._left:
            left: Floats | float = 1.0
            for name in names:
                factor = self.believed.value(f"upkeep:{name}", self.model.upkeep[name].factor.likely)
                left = left * np.where(self._kept(self.model.upkeep[name].when), factor, 1.0)
            self._left[names] = left
        return self._left[names]

    def _kept(self, when: Condition) -> Booleans:
        """Return where a kind of upkeep is done."""
        return self.facts.holds(when)


@lru_cache(maxsize=4096)
def _posteriors(name: str, most: int, believed: Beliefs, model: IsolationCatalogue) -> tuple[Floats, Floats]:
    """Return shape and years of a barrier's rate of flaws, by how many were published."""
    rates = [posterior(model.barriers[name], n, model, believed) for n in range(most + 1)]
    return np.array([rate.shape for rate in rates]), np.array([rate.years for rate in rates])


@lru_cache(maxsize=4096)
def _flaw_chances(name: str, most: int, window: float, believed: Beliefs, model: IsolationCatalogue) -> Floats:
    """Return the chance that a flaw of a barrier is open, by how many were published."""
    barrier = model.barriers[name]
    return np.array([posterior(barrier, n, model, believed).chance_within(window) for n in range(most + 1)])


def _variables(network: AssetNetwork, facts: PairArrays, chances: Chances) -> dict[Any, _Variable]:
    """Return every variable of an asset's network."""
    found: dict[Any, _Variable] = {}
    for name in network.diagram.order:
        if isinstance(name, Start):
            found[name] = _variable(facts.holds(facts.model.positions[name.position].start).astype(float))
        elif isinstance(name, Passage):
            found[name] = _passage(name, network, facts, chances)
        else:
            found[name] = _variable(chances.of(str(name)))
    return found


def _passage(passage: Passage, network: AssetNetwork, facts: PairArrays, chances: Chances) -> _Variable:
    """Return the variable of a passage; remembered for whatever asset it leads to."""
    key, crossings = network.melted[passage]
    known = chances.passages.get(key)
    if known is None:
        shut = np.ones(facts.size)
        for crossing, met in crossings:
            opened = _opened(crossing, met, passage.shared, facts, chances)
            if opened is not None:
                shut *= 1 - opened
        known = chances.passages[key] = _variable(1 - shut)
    return known


def _opened(
    crossing: Crossing, met: frozenset[str], standing: tuple[str, ...], facts: PairArrays, chances: Chances
) -> Floats | None:
    """Return the chance that a crossing is open past its own barriers, where it counts; remembered."""
    key = (crossing.id, met, standing)
    if key not in chances.opened:
        opened = None
        present = _present(crossing, met, standing, facts)
        if present is not None:
            opened = present.astype(float)
            for guard in crossing.guards:
                if guard.barrier not in met:
                    chance = chances.of(guard.barrier)
                    opened *= chance if guard.when.kind == "always" else np.maximum(chance, ~facts.holds(guard.when))
        chances.opened[key] = opened
    return chances.opened[key]


def _present(crossing: Crossing, met: frozenset[str], standing: tuple[str, ...], facts: PairArrays) -> Booleans | None:
    """Return where a crossing counts: where, of the shared barriers it meets, exactly the standing ones stand.

    None where that is nowhere; remembered, whatever is believed of the barriers.
    """
    key = (crossing.id, met, standing)
    if key not in facts.crossed:
        present = facts.holds(crossing.when)
        for guard in crossing.guards:
            if guard.barrier in met:
                stands = facts.holds(guard.when)
                present = present & (stands if guard.barrier in standing else ~stands)
        facts.crossed[key] = present if present.any() else None
    return facts.crossed[key]


def _cost(name: Hashable, network: AssetNetwork, facts: PairArrays) -> Counts:
    """Return how many barriers a variable of a network stands for; :data:`_UNREACHABLE` where it cannot happen."""
    if isinstance(name, Start):
        return _nowhere(~facts.holds(facts.model.positions[name.position].start))
    if not isinstance(name, Passage):
        return np.ones(facts.size, dtype=np.int8)
    key, crossings = network.melted[name]
    if key not in facts.costs:
        cost = np.full(facts.size, _UNREACHABLE, dtype=np.int8)
        for crossing, met in crossings:
            present = _present(crossing, met, name.shared, facts)
            if present is not None:
                np.minimum(cost, _barriers(crossing, met, present, facts), out=cost)
        facts.costs[key] = cost
    return facts.costs[key]


def _nowhere(where: Booleans) -> Counts:
    found: Counts = where.astype(np.int8) * np.int8(_UNREACHABLE)
    return found


def _barriers(crossing: Crossing, met: frozenset[str], present: Booleans, facts: PairArrays) -> Counts:
    """Return how many barriers of its own a crossing passes."""
    count = _nowhere(~present)
    for guard in crossing.guards:
        if guard.barrier not in met:
            count += np.int8(1) if guard.when.kind == "always" else facts.holds(guard.when)
    return np.minimum(count, np.int8(_UNREACHABLE))
