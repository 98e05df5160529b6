"""How isolated a design can become at most, while some of its layers are still undecided.

Every condition is read twice: where it holds for sure whatever the undecided layers become, and where it may hold.
Ways in, flaws and assets count only where they are sure, barriers wherever they may stand. The figure of that most
favourable reading is never below the figure of a design that decides the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from tenancykit.catalogue.attack import Guard
from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.catalogue.reading import Entries
from tenancykit.conditions import Condition
from tenancykit.criteria.isolation.beliefs import BELIEVED, Beliefs, window_cases
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR
from tenancykit.criteria.isolation.graph import PROVIDER_FACTS, provider_attacks
from tenancykit.criteria.isolation.sweep import (
    Booleans,
    Chances,
    Floats,
    PairArrays,
    Sweep,
    best_of,
    take_exposed,
    take_worse,
)
from tenancykit.design.batch import Batch

SURE, MAYBE = "sure!", "maybe!"


@lru_cache(maxsize=8192)
def read_as(condition: Condition, how: str) -> Condition:
    """Return a condition over facts that are sure or possible: where it holds for sure, or where it may hold."""
    if condition.kind == "atom":
        return Condition("atom", atom=how + condition.atom)
    if condition.kind == "not":
        other = MAYBE if how == SURE else SURE
        return Condition("not", parts=(read_as(condition.parts[0], other),))
    return replace(condition, parts=tuple(read_as(part, how) for part in condition.parts))


@lru_cache(maxsize=4)
def relaxed(model: IsolationCatalogue) -> IsolationCatalogue:
    """Return the same catalogue with every condition read in the attacked design's favour."""
    positions = {p.id: p.model_copy(update={"start": read_as(p.start, SURE)}) for p in model.positions.values()}
    assets = {a.id: a.model_copy(update={"when": read_as(a.when, SURE)}) for a in model.assets.values()}
    crossings = {
        c.id: c.model_copy(
            update={
                "when": read_as(c.when, SURE),
                "through": tuple(Guard(barrier=g.barrier, when=read_as(g.when, MAYBE)) for g in c.guards),
            }
        )
        for c in model.crossings.values()
    }
    for crossing in crossings.values():
        crossing.__dict__.pop("guards", None)
    interference = {i.id: i.model_copy(update={"when": read_as(i.when, SURE)}) for i in model.interference.values()}
    return replace(
        model,
        interference=Entries(MappingProxyType(interference)),
        positions=Entries(MappingProxyType(positions)),
        assets=Entries(MappingProxyType(assets)),
        crossings=Entries(MappingProxyType(crossings)),
    )


class _RelaxedPair(PairArrays):
    """Facts of a pair, each sure or possible."""

    def __init__(
        self,
        sure: tuple[Mapping[str, Booleans], Mapping[str, Booleans]],
        maybe: tuple[Mapping[str, Booleans], Mapping[str, Booleans]],
        same_class: bool,
        size: int,
        model: IsolationCatalogue,
    ) -> None:
        super().__init__(*sure, same_class, size, relaxed(model))
        self.real = model
        self._sides = {SURE: sure, MAYBE: maybe}
        self._same = np.full(size, same_class)

    def _compute(self, name: str) -> Booleans:
        how = SURE if name.startswith(SURE) else MAYBE
        inner = name.removeprefix(how)
        if inner == "same-class":
            return self._same
        if inner == "proven-export":
            return np.zeros(self.size, dtype=bool)
        if inner in self.real.derived:
            return self.holds(read_as(self.real.derived[inner].when, how))
        side, _, fact = inner.partition(":")
        nothing = np.zeros(self.size, dtype=bool)
        attacker, victim = (facts.get(fact, nothing) for facts in self._sides[how])
        joined = {"attacker": attacker, "victim": victim, "both": attacker & victim, "either": attacker | victim}
        return joined[side]


class _RelaxedChances(Chances):
    """Chances of barriers in the most favourable reading."""

    def __init__(self, facts: _RelaxedPair, believed: Beliefs, latencies: Floats) -> None:
        super().__init__(facts, facts.real, believed, latencies=latencies)

    def _counts(self, when: Condition) -> Booleans:
        return self.facts.holds(read_as(when, SURE))

    def _kept(self, when: Condition) -> Booleans:
        return self.facts.holds(read_as(when, MAYBE))

    def _window(self, kind: str) -> Floats | float:
        if f"window:{kind}" in self.believed.values:
            return super()._window(kind)
        shortest = np.full(self.facts.size, np.inf)
        decided = np.zeros(self.facts.size, dtype=bool)
        for when, days in window_cases(kind, self.model):
            maybe = self.facts.holds(read_as(when, MAYBE)) & ~decided
            shortest[maybe] = np.minimum(shortest[maybe], days.likely)
            decided |= self.facts.holds(read_as(when, SURE))
        assert self.latencies is not None  # noqa: S101 - the constructor sets them
        shortest *= self.believed.value(f"window:{kind}", 1.0)
        found: Floats = np.maximum(shortest, self.latencies) / DAYS_PER_YEAR
        return found

    def _wrong(self, name: str) -> Floats | None:
        cases = self.model.barriers[name].misconfiguration
        if not cases:
            return None
        wrong = np.zeros(self.facts.size)
        undecided = np.ones(self.facts.size, dtype=bool)
        for case in cases:
            lapse = self.model.lapses[case.lapse]
            chance = self.believed.value(f"lapse:{lapse.id}", lapse.chance.likely) * self._upkeep(lapse.upkeep)
            sure = self.facts.holds(read_as(case.when, SURE)) & undecided
            wrong = np.where(sure, np.minimum(chance, 1.0), wrong)
            # Where a case may hold but need not, the chance is not known: nothing is the most favourable.
            undecided &= ~self.facts.holds(read_as(case.when, MAYBE))
        return wrong


def highest_isolation(
    batch: Batch, latencies: Floats, undecided: frozenset[str], *, believed: Beliefs = BELIEVED
) -> Floats:
    """Return [designs] a figure that no design passes that adds options to these; see :func:`best_isolation`."""
    return best_isolation(batch, latencies, undecided, believed=believed).figure


def best_isolation(
    batch: Batch, latencies: Floats, undecided: frozenset[str], *, believed: Beliefs = BELIEVED
) -> Sweep:
    """Return figures and open days a year that no design passes that adds options to these.

    Args:
        batch: designs whose undecided layers are empty.
        latencies: [designs] days that operations take to patch; a shorter one would have to be allowed for.
        undecided: options and traits that the undecided layers may still bring.
        believed: windows, lapses, upkeep and rates to use.
    """
    model = load_isolation(batch.catalogue)
    size = len(batch)
    sure = {f.tenant_class.id: f.stated(model.class_facts) for f in batch.classes}
    everywhere = np.ones(size, dtype=bool)
    maybe = {key: {**facts, **dict.fromkeys(undecided, everywhere)} for key, facts in sure.items()}
    alike = [
        (name, _RelaxedPair((held, held), (maybe[name], maybe[name]), same_class=True, size=size, model=model))
        for name, held in sure.items()
    ]
    worst = best_of(size, alike)
    classes = [facts.tenant_class for facts in batch.classes]
    for attacker, victim in itertools.product(classes, classes):
        if attacker is victim and victim.count < 2:
            continue
        facts = _RelaxedPair(
            (sure[attacker.id], sure[victim.id]),
            (maybe[attacker.id], maybe[victim.id]),
            attacker is victim,
            size,
            model,
        )
        count = attacker.count - (attacker is victim)
        take_worse(worst, victim.id, facts, _RelaxedChances(facts, believed, latencies), attackers=count)
    everybody = sum(each.count for each in classes)
    outside = dict.fromkeys(PROVIDER_FACTS, everywhere)
    for name, facts_of in sure.items():
        if any(provider_attacks({fact}) for fact in facts_of):
            pair = _RelaxedPair((outside, facts_of), (outside, maybe[name]), same_class=False, size=size, model=model)
            take_exposed(worst, name, pair, _RelaxedChances(pair, believed, latencies), attackers=everybody)
    return worst


__all__ = ["best_isolation", "highest_isolation", "read_as", "relaxed"]
