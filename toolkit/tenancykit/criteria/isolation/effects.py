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


def first_order(result: IsolationResult, known: Sequence[Belief], believed: Beliefs, latency: float) -> Effects:
    """Return, per belief that matters, how many open days a year its low and its high end add per class and plane.

    Args:
        result: isolation of a design.
        known: the beliefs to move, one at a time.
        believed: what is believed now.
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
                strength = finding.strengths[name]
                for belief in _touching(strength, known, result.model):
                    ends = (_chance(strength, belief, e, believed, latency, result) for e in (belief.low, belief.high))
                    low, high = (slope * DAYS_PER_YEAR * (end - chance[name]) for end in ends)
                    mine = found.setdefault(belief.id, {})
                    before = mine.get((victim, asset.plane), (0.0, 0.0))
                    mine[victim, asset.plane] = before[0] + low, before[1] + high
    return found


def _touching(strength: Strength, known: Sequence[Belief], model: IsolationCatalogue) -> Sequence[Belief]:
    barrier = model.barriers[strength.barrier]
    names = {f"window:{window_kind(barrier, model)}", f"rate:{barrier.kind}"}
    if strength.lapse is not None:
        names |= {f"lapse:{strength.lapse.id}", *(f"upkeep:{each.id}" for each in strength.upkeep)}
    return [belief for belief in known if belief.id in names]


def _chance(
    strength: Strength, belief: Belief, end: float, believed: Beliefs, latency: float, result: IsolationResult
) -> float:
    """Return the chance that a barrier is down if a belief were at an end of its range."""
    rate, days, wrong = strength.rate, strength.window_days, strength.misconfiguration
    sort = belief.id.partition(":")[0]
    if sort == "window":
        days = max(end, latency)
    elif sort == "rate":
        barrier = result.model.barriers[strength.barrier]
        rate = posterior(barrier, len(strength.flaws), result.model, believed.moved(belief.id, end))
    elif belief.value > 0:
        wrong = min(1.0, wrong * end / belief.value)
    return 1 - (1 - rate.chance_within(days / DAYS_PER_YEAR)) * (1 - wrong)


__all__ = ["Effects", "first_order"]
