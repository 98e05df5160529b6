"""Where designs change places as tenants come: who takes fewer hours, or days, from how many tenants on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from itertools import combinations
from typing import Literal

from tenancykit.catalogue.workbook import load_work
from tenancykit.criteria.effort.measure import effort_curve
from tenancykit.criteria.operations.measure import Operations
from tenancykit.design.growth import Crossing, Curve, crossings
from tenancykit.study.evaluation import Evaluation

MOST_TENANTS = 10_000
"""Tenants up to which crossings are looked for."""


def crossing_points(
    evaluations: Sequence[Evaluation], what: Literal["toil", "effort"] = "toil", *, most: int = MOST_TENANTS
) -> tuple[Crossing, ...]:
    """Return every number of tenants from which on one design takes less than another, for all pairs, ascending.

    Classes keep today's proportions. Two changes of a pair within a step of about a third are not seen.

    Args:
        evaluations: the designs.
        what: hours of toil per month, or person-days of implementation (without a calibration).
        most: tenants to look up to.
    """
    curves = {e.id: _curve(e, what) for e in evaluations}
    fewest = max((curve.fewest for curve in curves.values()), default=1)
    read = cache(lambda name, tenants: curves[name].at(tenants).mean)
    found = [
        crossing
        for first, second in combinations(curves, 2)
        for crossing in crossings(
            (first, partial(read, first)), (second, partial(read, second)), fewest=fewest, most=most
        )
    ]
    return tuple(sorted(found, key=lambda crossing: (crossing.tenants, crossing.less, crossing.more)))


def _curve(evaluation: Evaluation, what: Literal["toil", "effort"]) -> Curve:
    operations: Operations = evaluation.scores["operations"].detail
    if what == "toil":
        return operations.curve
    return effort_curve(operations.closure, evaluation.scenario, load_work(evaluation.catalogue), evaluation.id)
