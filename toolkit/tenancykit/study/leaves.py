"""The figures the value tree is built on: cost, effort, operations, and isolation per tenant class and plane."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tenancykit.criteria.isolation.result import MAX_NINES, nines
from tenancykit.decision.table import FloatArray
from tenancykit.study.evaluation import Evaluation

PLAIN: Final = ("effort", "operations", "cost")
"""Criteria that are a leaf themselves, in the order of their columns; isolation's leaves follow."""

Key = tuple[str, str]
"""Tenant class and plane."""


def leaf_name(key: Key) -> str:
    """Return the name of an isolation leaf."""
    return f"isolation/{key[0]}/{key[1]}"


@dataclass(frozen=True, eq=False)
class LeafFigures:
    """Designs by leaves, each figure with its interval, so that low is the worse end of isolation and the better of others.

    Attributes:
        labels: ids of the designs.
        values: [designs x leaves] most likely figures.
        low: [designs x leaves] lower ends (P10).
        high: [designs x leaves] upper ends (P90).
        assumed: [designs x leaves] share of the figure that rests on assumptions; 0 where it is not told.
    """

    labels: tuple[str, ...]
    values: FloatArray
    low: FloatArray
    high: FloatArray
    assumed: FloatArray

    def take(self, rows: Sequence[int]) -> LeafFigures:
        """Return the figures of the given rows."""
        at = list(rows)
        labels = tuple(self.labels[row] for row in at)
        return LeafFigures(labels, self.values[at], self.low[at], self.high[at], self.assumed[at])


def isolation_keys(evaluations: Sequence[Evaluation]) -> tuple[Key, ...]:
    """Return the classes and planes on which anybody has something to lose, whatever the design."""
    planes = evaluations[0].scores["isolation"].detail.planes
    return tuple((class_id, plane) for class_id, mine in planes.items() for plane in mine)


def leaf_figures(evaluations: Sequence[Evaluation], keys: Sequence[Key]) -> LeafFigures:
    """Return the figures of designs, isolation in nines per class and plane."""
    rows = [[*_plain(one), *_exposures(one, keys)] for one in evaluations]
    cells = np.array(rows, dtype=np.float64).reshape(len(rows), len(PLAIN) + len(keys), 4)
    labels = tuple(one.id for one in evaluations)
    return LeafFigures(labels, cells[..., 0], cells[..., 1], cells[..., 2], cells[..., 3])


def _plain(evaluation: Evaluation) -> Iterator[tuple[float, float, float, float]]:
    for name in PLAIN:
        score = evaluation.scores[name]
        yield float(score.value), float(score.low), float(score.high), 0.0


def _exposures(evaluation: Evaluation, keys: Sequence[Key]) -> Iterator[tuple[float, float, float, float]]:
    found = {(one.class_id, str(one.plane)): one for one in evaluation.scores["isolation"].detail.exposure}
    for key in keys:
        one = found.get(key)
        if one is None or one.days <= 0:
            yield MAX_NINES, MAX_NINES, MAX_NINES, 0.0
            continue
        middle = one.nines
        worse = middle - math.log10(max(one.high, one.days) / one.days)
        better = middle + math.log10(one.days / min(max(one.low, _LEAST), one.days))
        yield middle, worse, better, one.assumption_share


_LEAST: Final = 365.0 * 10.0**-MAX_NINES


def nines_of_days(days: float) -> float:
    """Return the nines of something that is open so many days a year."""
    return nines(days / 365.0)


def class_days(evaluation: Evaluation) -> Mapping[str, float]:
    """Return, per tenant class, the expected days a year something of it stands open, planes added up."""
    totals: dict[str, float] = {}
    for one in evaluation.scores["isolation"].detail.exposure:
        totals[one.class_id] = totals.get(one.class_id, 0.0) + one.days
    return totals


__all__ = ["PLAIN", "Key", "LeafFigures", "class_days", "isolation_keys", "leaf_figures", "leaf_name", "nines_of_days"]
