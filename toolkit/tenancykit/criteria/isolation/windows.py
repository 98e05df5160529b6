"""The isolation of batches of designs, each with an exposure window of its own."""

from __future__ import annotations

import itertools

import numpy as np

from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR, flaws_of, posterior
from tenancykit.criteria.isolation.sweep import Booleans, Chances, Floats, PairArrays, Sweep, best_of, take_worse
from tenancykit.design.batch import Batch, ClassFacts


class _Windowed(Chances):
    """Chances of barriers where every design has its own window."""

    def __init__(self, facts: PairArrays, windows: Floats, wrong: float) -> None:
        super().__init__(facts, facts.model, 0.0, proven=False)
        self.windows = windows / DAYS_PER_YEAR
        self.wrong = wrong

    def _compute(self, name: str) -> Floats:
        # With a window of zero only misconfiguration is left.
        wrong = np.minimum(1.0, super()._compute(name) * self.wrong)
        barrier = self.model.barriers[name]
        counts = np.zeros(self.facts.size, dtype=np.int64)
        groups = flaws_of(self.model).get(name, ())
        for flaws in groups:
            counts += self.facts.holds(flaws.when) * len(flaws.entries)
        most = sum(len(flaws.entries) for flaws in groups)
        rates = [posterior(barrier, number, self.model) for number in range(most + 1)]
        shape, years = (np.array([getattr(rate, part) for rate in rates])[counts] for part in ("shape", "years"))
        flaw = -np.expm1(shape * (np.log(years) - np.log(years + self.windows)))
        found: Floats = 1 - (1 - flaw) * (1 - wrong)
        return found


def sweep_windows(batch: Batch, windows: Floats, *, misconfiguration: float = 1.0) -> Sweep:
    """Return the isolation of every design, the same numbers as measuring them one by one.

    Args:
        batch: the designs.
        windows: [designs] days from disclosure of a flaw to patched.
        misconfiguration: factor on the chance that a barrier is configured wrong.
    """
    model = load_isolation(batch.catalogue)
    size = len(batch)
    known = {facts.tenant_class.id: _facts(facts, model.class_facts) for facts in batch.classes}
    worst = best_of(
        size, [(name, PairArrays(held, held, same_class=True, size=size, model=model)) for name, held in known.items()]
    )
    classes = [facts.tenant_class for facts in batch.classes]
    for attacker, victim in itertools.product(classes, classes):
        if attacker is victim and victim.count < 2:
            continue
        facts = PairArrays(known[attacker.id], known[victim.id], attacker is victim, size, model)
        take_worse(worst, victim.id, facts, _Windowed(facts, windows, misconfiguration))
    return worst


def _facts(facts: ClassFacts, names: frozenset[str]) -> dict[str, Booleans]:
    found = {name: facts.get(name) for name in sorted(names)}
    return {name: holds for name, holds in found.items() if holds is not None}


__all__ = ["sweep_windows"]
