"""Designs that an estimate alone keeps out: a budget, a date or a team size that they may well meet after all.

A limit is held against the middle of an estimate. Where a design that would be first misses one by less than its own
doubt, who is first hangs on that estimate, and a first place beside it is not clear.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tenancykit.decision.ranking import TIE
from tenancykit.decision.screen import Screening
from tenancykit.decision.verdict import Overturn
from tenancykit.decision.weights import Weights
from tenancykit.study.certainty import kin
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.leaves import leaf_values
from tenancykit.study.scales import ScaleSet

_WORDS = {"cost": "its cost", "go-live": "the time it takes to go live", "engineers": "the number of people it takes"}


def barred(
    evaluations: Sequence[Evaluation], screening: Screening, scales: ScaleSet, weights: Weights, first: Evaluation
) -> Iterator[Overturn]:
    """Yield the designs of other families that would be first, were their estimates nearer their low ends (P10).

    Args:
        evaluations: every design, admitted or not.
        screening: who meets which requirement.
        scales: the value tree.
        weights: weights of the criteria.
        first: the design in first place.
    """
    twins = next(group for group in kin(evaluations) if first.id in group)
    lead = _score(first, scales, weights)
    for one in evaluations:
        misses = screening.misses(one.id)
        if one.id in twins or not misses or not one.resolved.is_valid or _score(one, scales, weights) <= lead + TIE:
            continue
        if all(lowest(one, miss.requirement.measure) <= miss.requirement.limit for miss in misses):
            worst = misses[0]
            yield Overturn(
                _WORDS[worst.requirement.measure], worst.value, worst.requirement.limit, worst.unit or "", one.id
            )


def lowest(evaluation: Evaluation, measure: str) -> float:
    """Return the P10 of what a requirement limits; infinite where it is no estimate."""
    return _end(evaluation, measure, "p10", math.inf)


def highest(evaluation: Evaluation, measure: str) -> float:
    """Return the P90 of what a requirement limits; minus infinity where it is no estimate."""
    return _end(evaluation, measure, "p90", -math.inf)


def _end(evaluation: Evaluation, measure: str, end: str, otherwise: float) -> float:
    """Return an end of an estimate; schedules and staff are taken to move as work and toil do (assumption)."""
    effort, operations = (evaluation.scores[name].figures for name in ("effort", "operations"))
    if measure == "cost":
        return evaluation.scores["cost"].low if end == "p10" else evaluation.scores["cost"].high
    if measure == "go-live":
        days = float(effort["person_days_p50"])
        return float(effort["weeks_p50"]) * (float(effort[f"person_days_{end}"]) / days if days else 1.0)
    if measure == "engineers":
        hours = float(operations["toil_hours_month"])
        share = float(operations[f"toil_hours_month_{end}"]) / hours if hours else 1.0
        return max(float(operations["on_call_minimum"]), math.ceil(float(operations["people_fte"]) * share))
    return otherwise


def _score(evaluation: Evaluation, scales: ScaleSet, weights: Weights) -> float:
    return float(scales.tree.score(leaf_values([evaluation], scales.keys), weights)[0])


__all__ = ["barred", "highest", "lowest"]
