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
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR, flaws_of, posterior
from tenancykit.criteria.isolation.sweep import Booleans, Chances, Floats, PairArrays, Sweep, best_of, take_worse
from tenancykit.design.batch import Batch, ClassFacts

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
    return replace(
        model,
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
        if inner in self.real.derived:
            return self.holds(read_as(self.real.derived[inner].when, how))
        side, _, fact = inner.partition(":")
        nothing = np.zeros(self.size, dtype=bool)
        attacker, victim = (facts.get(fact, nothing) for facts in self._sides[how])
        joined = {"attacker": attacker, "victim": victim, "both": attacker & victim, "either": attacker | victim}
        return joined[side]


class _RelaxedChances(Chances):
    """Chances of barriers in the most favourable reading."""

    def __init__(self, facts: _RelaxedPair, windows: Floats) -> None:
        super().__init__(facts, facts.real, 0.0, proven=False)
        self.windows = windows / DAYS_PER_YEAR

    def _compute(self, name: str) -> Floats:
        barrier = self.model.barriers[name]
        groups = flaws_of(self.model).get(name, ())
        counts = np.zeros(self.facts.size, dtype=np.int64)
        for flaws in groups:
            counts += self.facts.holds(read_as(flaws.when, SURE)) * len(flaws.entries)
        most = sum(len(flaws.entries) for flaws in groups)
        rates = [posterior(barrier, number, self.model) for number in range(most + 1)]
        shape, years = (np.array([getattr(rate, part) for rate in rates])[counts] for part in ("shape", "years"))
        flaw = -np.expm1(shape * (np.log(years) - np.log(years + self.windows)))
        wrong = np.zeros(self.facts.size)
        undecided = np.ones(self.facts.size, dtype=bool)
        for case in barrier.misconfiguration:
            sure = self.facts.holds(read_as(case.when, SURE)) & undecided
            wrong[sure] = case.chance
            # Where a case may hold but need not, the chance is not known: nothing is the most favourable.
            undecided &= ~self.facts.holds(read_as(case.when, MAYBE))
        found: Floats = 1 - (1 - flaw) * (1 - wrong)
        return found


def highest_isolation(batch: Batch, windows: Floats, undecided: frozenset[str]) -> Floats:
    """Return [designs] a figure that no design passes that adds options to these; see :func:`best_isolation`."""
    return best_isolation(batch, windows, undecided).figure


def best_isolation(batch: Batch, windows: Floats, undecided: frozenset[str]) -> Sweep:
    """Return figures and open days a year that no design passes that adds options to these.

    Args:
        batch: designs whose undecided layers are empty.
        windows: [designs] days from disclosure of a flaw to patched; a shorter one would have to be allowed for.
        undecided: options and traits that the undecided layers may still bring.
    """
    model = load_isolation(batch.catalogue)
    size = len(batch)
    sure = {f.tenant_class.id: _sure(f, model.class_facts) for f in batch.classes}
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
        take_worse(worst, victim.id, facts, _RelaxedChances(facts, windows))
    return worst


def _sure(facts: ClassFacts, names: frozenset[str]) -> dict[str, Booleans]:
    found = {name: facts.get(name) for name in sorted(names)}
    return {name: holds for name, holds in found.items() if holds is not None}


__all__ = ["best_isolation", "highest_isolation", "read_as", "relaxed"]
