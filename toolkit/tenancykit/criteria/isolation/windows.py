"""The isolation of batches of designs, each with what its own operations take to patch."""

from __future__ import annotations

import itertools

from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.isolation.beliefs import BELIEVED, Beliefs
from tenancykit.criteria.isolation.sweep import (
    Chances,
    Floats,
    PairArrays,
    Sweep,
    best_of,
    provider_pair,
    take_exposed,
    take_worse,
)
from tenancykit.design.batch import Batch


def sweep_windows(batch: Batch, latencies: Floats, *, believed: Beliefs = BELIEVED) -> Sweep:
    """Return the isolation of every design, the same numbers as measuring them one by one.

    Args:
        batch: the designs.
        latencies: [designs] days that operations take from a release to the last machine; no exposure window is
            shorter.
        believed: windows, lapses, upkeep and rates to use; ``Beliefs.of(scenario)`` for those of a scenario.
    """
    model = load_isolation(batch.catalogue)
    size = len(batch)
    known = {facts.tenant_class.id: facts.stated(model.class_facts) for facts in batch.classes}
    worst = best_of(
        size,
        [(name, PairArrays(held, held, same_class=True, size=size, model=model)) for name, held in known.items()],
    )
    classes = [facts.tenant_class for facts in batch.classes]
    for attacker, victim in itertools.product(classes, classes):
        if attacker is victim and victim.count < 2:
            continue
        facts = PairArrays(known[attacker.id], known[victim.id], attacker is victim, size, model)
        chances = Chances(facts, model, believed, latencies=latencies)
        take_worse(worst, victim.id, facts, chances, attackers=attacker.count - (attacker is victim))
    everybody = sum(each.count for each in classes)
    for victim in classes:
        from_outside = provider_pair(known[victim.id], size, model)
        if from_outside is not None:
            chances = Chances(from_outside, model, believed, latencies=latencies)
            take_exposed(worst, victim.id, from_outside, chances, attackers=everybody)
    return worst


__all__ = ["sweep_windows"]
