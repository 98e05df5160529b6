"""What moving one belief does to open days, to first order: which beliefs could matter, before any is measured again.

Exposure grows with a barrier's chance of being down by the slope of its reliability polynomial; a belief moves that
chance exactly. The sum over barriers is the first-order effect, which overstates what several barriers in parallel do
together: good enough to find what has to be measured, not to decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.beliefs import Belief, Beliefs
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR, Strength, posterior, window_kind
from tenancykit.criteria.isolation.exposure import IsolationResult, Key, worst_of_each
from tenancykit.criteria.isolation.network import contracted

Effects = Mapping[str, Mapping[Key, tuple[float, float]]]


class Ends:
    """What the ends of each belief make of a barrier's chance of being down; most designs meet the same barriers.

    Args:
        known: the beliefs to move, one at a time.
        believed: what is believed now.
        model: the catalogue.
    """

    def __init__(self, known: Sequence[Belief], believed: Beliefs, model: IsolationCatalogue) -> None:
        self._known, self._believed, self._model = {belief.id: belief for belief in known}, believed, model
        self._found: dict[tuple[Strength, float], Sequence[tuple[str, float, float]]] = {}

    def of(self, strength: Strength, latency: float) -> Sequence[tuple[str, float, float]]:
        """Return the beliefs that touch a barrier, with how much their low and their high end add to its chance."""
        found = self._found.get((strength, latency))
        if found is None:
            found = self._found[strength, latency] = [
                (
                    belief.id,
                    self._chance(strength, belief, belief.low, latency) - strength.chance,
                    self._chance(strength, belief, belief.high, latency) - strength.chance,
                )
                for belief in self._touching(strength)
            ]
        return found

    def _touching(self, strength: Strength) -> Sequence[Belief]:
        barrier = self._model.barriers[strength.barrier]
        names = {f"window:{window_kind(barrier, self._model)}", f"rate:{barrier.kind}"}
        if strength.lapse is not None:
            names |= {f"lapse:{strength.lapse.id}", *(f"upkeep:{each.id}" for each in strength.upkeep)}
        return [belief for name, belief in self._known.items() if name in names]

    def _chance(self, strength: Strength, belief: Belief, end: float, latency: float) -> float:
        """Return the chance that a barrier is down if a belief were at an end of its range."""
        rate, days, wrong = strength.rate, strength.window_days, strength.misconfiguration
        sort = belief.id.partition(":")[0]
        if sort == "window":
            days = max(end, latency)
        elif sort == "rate":
            barrier = self._model.barriers[strength.barrier]
            rate = posterior(barrier, len(strength.flaws), self._model, self._believed.moved(belief.id, end))
        elif belief.value > 0:
            wrong = min(1.0, wrong * end / belief.value)
        return 1 - (1 - rate.chance_within(days / DAYS_PER_YEAR)) * (1 - wrong)


def first_order(result: IsolationResult, ends: Ends, latency: float) -> Effects:
    """Return, per belief that matters, how many open days a year its low and its high end add per class and plane.

    Args:
        result: isolation of a design.
        ends: the beliefs to move.
        latency: days operations take to patch, below which no window falls.
    """
    found: dict[str, dict[Key, tuple[float, float]]] = {}
    for victim, assets in worst_of_each(result).items():
        for asset, pair in assets.values():
            finding = pair.finding
            chance = {name: strength.chance for name, strength in finding.strengths.items()}
            network = contracted(asset.asset, frozenset(finding.graph.starts), result.model)
            for name, slope in network.slopes(finding.graph, chance).items():
                if not slope:
                    continue
                days = slope * DAYS_PER_YEAR
                for belief, low, high in ends.of(finding.strengths[name], latency):
                    mine = found.setdefault(belief, {})
                    before = mine.get((victim, asset.plane), (0.0, 0.0))
                    mine[victim, asset.plane] = before[0] + days * low, before[1] + days * high
    return found


__all__ = ["Effects", "Ends", "first_order"]
