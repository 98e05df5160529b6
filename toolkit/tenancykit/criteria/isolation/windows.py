"""The isolation of batches of designs, each with what its own operations take to patch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.isolation.beliefs import BELIEVED, Beliefs
from tenancykit.criteria.isolation.exposure import Key
from tenancykit.criteria.isolation.sweep import (
    Chances,
    Floats,
    PairArrays,
    Sweep,
    best_of,
    provider_pair,
    take_exposed,
    take_slowed,
    take_worse,
)
from tenancykit.design.batch import Batch


class WindowSweep:
    """The designs of a batch, to be measured under several beliefs: what their facts say is looked up once.

    Args:
        batch: the designs.
    """

    def __init__(self, batch: Batch) -> None:
        self.model = model = load_isolation(batch.catalogue)
        self._size = size = len(batch)
        known = {facts.tenant_class.id: facts.stated(model.class_facts) for facts in batch.classes}
        self._alone = [
            (name, PairArrays(held, held, same_class=True, size=size, model=model)) for name, held in known.items()
        ]
        classes = [facts.tenant_class for facts in batch.classes]
        self._pairs = [
            (
                victim.id,
                PairArrays(known[attacker.id], known[victim.id], attacker is victim, size, model),
                attacker.count - (attacker is victim),
            )
            for attacker, victim in itertools.product(classes, classes)
            if attacker is not victim or victim.count > 1
        ]
        everybody = sum(each.count for each in classes)
        outside = [(victim.id, provider_pair(known[victim.id], size, model)) for victim in classes]
        self._provider = [(name, facts, everybody) for name, facts in outside if facts is not None]

    def sweep(self, latencies: Floats, *, believed: Beliefs = BELIEVED) -> Sweep:
        """Return the isolation of every design; arguments as of :func:`sweep_windows`."""
        return self._swept(take_worse, latencies, believed)

    def days(self, latencies: Floats, *, believed: Beliefs = BELIEVED) -> Mapping[Key, Floats]:
        """Return the open days a year of every design, without looking for what lies most open and how deep."""

        def taken(worst: Sweep, victim: str, facts: PairArrays, chances: Chances, *, attackers: int) -> None:
            take_slowed(worst, victim, facts)
            take_exposed(worst, victim, facts, chances, attackers=attackers)

        return self._swept(taken, latencies, believed).days

    def _swept(self, take: Callable[..., None], latencies: Floats, believed: Beliefs) -> Sweep:
        worst = best_of(self._size, self._alone)
        for victim, facts, others in self._pairs:
            chances = Chances(facts, self.model, believed, latencies=latencies)
            take(worst, victim, facts, chances, attackers=others)
        for victim, facts, everybody in self._provider:
            chances = Chances(facts, self.model, believed, latencies=latencies)
            take_exposed(worst, victim, facts, chances, attackers=everybody)
        return worst


def sweep_windows(batch: Batch, latencies: Floats, *, believed: Beliefs = BELIEVED) -> Sweep:
    """Return the isolation of every design, the same numbers as measuring them one by one.

    Args:
        batch: the designs.
        latencies: [designs] days that operations take from a release to the last machine; no exposure window is
            shorter.
        believed: windows, lapses, upkeep and rates to use; ``Beliefs.of(scenario)`` for those of a scenario.
    """
    return WindowSweep(batch).sweep(latencies, believed=believed)


__all__ = ["WindowSweep", "sweep_windows"]
