"""How effort, toil and cost vary together: work by work and cause by cause, so that what designs share moves alike.

The intervals of effort and toil follow from a sum of works (or activities) of which every two have the same
correlation. Here the same model is drawn: one deviate for the pace that all works share, one per work. Two designs that
install the same queue err alike about the queue, and only what they do not share can tell them apart. Bills move with
prices and demand, the same for all designs, and with how slow each sandbox is, the same for all that take it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tenancykit.criteria.cost.spread import doubts
from tenancykit.criteria.operations.measure import Operations
from tenancykit.decision.doubt import source_of
from tenancykit.decision.table import FloatArray
from tenancykit.study.evaluation import Evaluation


def shared_levels(evaluations: Sequence[Evaluation], samples: int, seed: int) -> Mapping[str, FloatArray]:
    """Return per criterion [samples x designs] standard normal deviates of the designs' effort, toil and cost.

    Args:
        evaluations: the designs.
        samples: number of samples.
        seed: the same seed gives the same deviates, whichever other designs there are.
    """
    plans = [e.scores["effort"].detail.plan for e in evaluations]
    works = [{work: one.deviation for work, one in plan.moments_of_works.items()} for plan in plans]
    toils = [e.scores["operations"].detail for e in evaluations]
    bills = [doubts(e.scores["cost"].detail) for e in evaluations]
    return {
        "effort": _levels("effort", works, [plan.correlation for plan in plans], samples, seed),
        "operations": _levels(
            "operations", [_hours(toil) for toil in toils], [t.workload.correlation for t in toils], samples, seed
        ),
        "cost": _levels("cost", bills, [0.0] * len(bills), samples, seed),
    }


def _hours(operations: Operations) -> Mapping[str, float]:
    """Return the deviation of each activity's hours, and of the hours it takes to keep a design understood."""
    found = {f"{x.activity.id} {x.subject} {x.classes}": x.hours.deviation for x in operations.workload.lines}
    return {**found, "understanding": operations.upkeep.deviation}


def _levels(
    criterion: str,
    deviations: Sequence[Mapping[str, float]],
    correlations: Sequence[float],
    samples: int,
    seed: int,
) -> FloatArray:
    names = {name: place for place, name in enumerate(dict.fromkeys(name for one in deviations for name in one))}
    spread = np.zeros((len(deviations), len(names))).T
    for design, one in enumerate(deviations):
        spread[[names[name] for name in one], design] = list(one.values())
    drawn = np.array([source_of(seed, f"{criterion} {name}").standard_normal(samples) for name in names]).T
    pace = source_of(seed, criterion).standard_normal((samples, 1))
    share = np.array(correlations)
    whole = spread.sum(axis=0)
    level = np.sqrt(share) * pace * whole + np.sqrt(1 - share) * (drawn @ spread)
    size = np.sqrt(share * whole**2 + (1 - share) * (spread**2).sum(axis=0))
    return np.asarray(level / np.where(size > 0, size, 1.0), dtype=np.float64)


__all__ = ["shared_levels"]
