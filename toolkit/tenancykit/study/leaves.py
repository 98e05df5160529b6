"""The figures the value tree is built on: cost, effort, operations, and isolation per tenant class and plane."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.catalogue.layers import LAYERS
from tenancykit.catalogue.model import DIMENSIONS, Option
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.isolation.beliefs import Beliefs
from tenancykit.criteria.isolation.exposure import Key as SweptKey
from tenancykit.criteria.isolation.exposure import plane_nines
from tenancykit.criteria.isolation.result import MAX_NINES
from tenancykit.criteria.isolation.windows import WindowSweep
from tenancykit.criteria.operations.sweep import OperationsSweep
from tenancykit.criterion_names import PLAIN
from tenancykit.decision.table import FloatArray
from tenancykit.design.batch import Batch, batch_of
from tenancykit.design.model import Design
from tenancykit.scenario.model import Scenario
from tenancykit.study.evaluation import Evaluation

Key = tuple[str, str]
"""Tenant class and plane."""


def leaf_name(key: Key) -> str:
    """Return the name of an isolation leaf."""
    return f"isolation/{key[0]}/{key[1]}"


@dataclass(frozen=True, eq=False)
class LeafFigures:
    """Designs by leaves, each figure with its interval (P10 to P90).

    Attributes:
        labels: ids of the designs.
        values: [designs x leaves] most likely figures.
        low: [designs x leaves] lower ends.
        high: [designs x leaves] upper ends.
        assumed: [designs x leaves] share of the figure that rests on assumptions; 0 where it is not told.
    """

    labels: tuple[str, ...]
    values: FloatArray
    low: FloatArray
    high: FloatArray
    assumed: FloatArray

    @property
    def cells(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Values, lower ends, upper ends and assumed shares."""
        return self.values, self.low, self.high, self.assumed


def isolation_keys(evaluations: Sequence[Evaluation]) -> tuple[Key, ...]:
    """Return the classes and planes on which anybody has something to lose, whatever the design."""
    planes = evaluations[0].scores["isolation"].detail.planes
    return tuple((str(class_id), str(plane)) for class_id, mine in planes.items() for plane in mine)


def leaf_values(evaluations: Sequence[Evaluation], keys: Sequence[Key]) -> FloatArray:
    """Return [designs x leaves] most likely figures, isolation in nines; no interval is worked out."""
    found = np.empty((len(evaluations), len(PLAIN) + len(keys)))
    for row, one in enumerate(evaluations):
        result = one.scores["isolation"].detail
        plain = [float(one.scores[name].value) for name in PLAIN]
        nines = [plane_nines(result.days.get(key, 0.0), key[1], result.model) for key in keys]  # type: ignore[arg-type]
        found[row] = [*plain, *nines]
    return found


def leaf_figures(evaluations: Sequence[Evaluation], keys: Sequence[Key]) -> LeafFigures:
    """Return the figures of designs with their intervals; isolation in nines per class and plane."""
    values = leaf_values(evaluations, keys)
    cells = np.stack([values, values, values, np.zeros_like(values)], axis=2)
    for row, one in enumerate(evaluations):
        for column, name in enumerate(PLAIN):
            cells[row, column, 1:3] = float(one.scores[name].low), float(one.scores[name].high)
        exposures = {(e.class_id, str(e.plane)): e for e in one.scores["isolation"].detail.exposure}
        for column, key in enumerate(keys, start=len(PLAIN)):
            found = exposures.get(key)
            if found is not None and found.days > 0:
                worse = math.log10(max(found.high, found.days) / found.days)
                better = math.log10(found.days / max(min(found.low, found.days), _LEAST))
                middle = values[row, column]
                cells[row, column, 1:] = middle - worse, max(middle, middle + better), found.assumption_share
    labels = tuple(one.id for one in evaluations)
    return LeafFigures(labels, cells[..., 0], cells[..., 1], cells[..., 2], cells[..., 3])


def swept_leaves(
    designs: Sequence[Design], plain: FloatArray, scenario: Scenario, catalogue: Catalogue, keys: Sequence[Key]
) -> FloatArray:
    """Return [designs x leaves] the figures of many designs at once, as measuring them one by one gives them.

    Args:
        designs: the designs.
        plain: [designs x criteria that are one figure] their effort, operations, cost and so on, known already.
        scenario: what is asked.
        catalogue: what the designs are made of.
        keys: classes and planes of the isolation leaves.
    """
    batch = batch_of_designs(designs, scenario, catalogue)
    latencies = OperationsSweep(batch).sweep(batch).patch_days
    nines = swept_nines(batch, latencies, keys, Beliefs.of(scenario))
    return np.concatenate([plain, nines], axis=1)


def swept_nines(batch: Batch, latencies: FloatArray, keys: Sequence[Key], believed: Beliefs) -> FloatArray:
    """Return [designs x keys] the nines of a batch, by the days operations take to patch and what is believed."""
    return nines_of(WindowSweep(batch), latencies, keys, believed)


def nines_of(windows: WindowSweep, latencies: FloatArray, keys: Sequence[Key], believed: Beliefs) -> FloatArray:
    """Return the same as :func:`swept_nines`, for who asks it again with other beliefs."""
    return nines_of_days(windows.days(latencies, believed=believed), len(latencies), keys, windows.model)


def nines_of_days(
    days: Mapping[SweptKey, FloatArray], size: int, keys: Sequence[Key], model: IsolationCatalogue
) -> FloatArray:
    """Return [designs x keys] the nines of so many designs by their open days; the most where none is open."""
    found = np.full((size, len(keys)), MAX_NINES)
    for column, key in enumerate(keys):
        if key in days:
            found[:, column] = [plane_nines(float(day), key[1], model) for day in days[key]]  # type: ignore[arg-type, index]
    return found


def batch_of_designs(designs: Sequence[Design], scenario: Scenario, catalogue: Catalogue) -> Batch:
    """Return designs as a batch, whatever options they choose."""
    options = catalogue.options.values()
    columns: list[tuple[Option | None, ...]] = [
        (None, *(o for o in options if (o.dimension, o.layer) == (dimension, layer)))
        for dimension in DIMENSIONS
        for layer in LAYERS[dimension]
    ]
    places = {o.id: (place, code) for place, column in enumerate(columns) for code, o in enumerate(column) if o}
    known: dict[tuple[str, ...], list[int]] = {}

    def coded(chosen: tuple[str, ...]) -> list[int]:
        if chosen not in known:
            row = known[chosen] = [0] * len(columns)
            for place, code in sorted((places[identifier] for identifier in chosen), reverse=True):
                row[place] = code  # of several in a layer the first of the catalogue stays
        return known[chosen]

    codes = [
        np.array([coded(design.choices[tenant_class.id].options) for design in designs], dtype=np.uint8).reshape(
            len(designs), len(columns)
        )
        for tenant_class in scenario.tenants.classes
    ]
    return batch_of(scenario, catalogue, [columns] * len(codes), codes)


_LEAST: Final = 365.0 * 10.0**-MAX_NINES


def class_days(evaluation: Evaluation) -> Mapping[str, float]:
    """Return, per tenant class, the expected days a year something of it stands open, planes added up."""
    totals: dict[str, float] = {}
    for (class_id, _), days in evaluation.scores["isolation"].detail.days.items():
        totals[class_id] = totals.get(class_id, 0.0) + days
    return totals


__all__ = [
    "Key",
    "LeafFigures",
    "batch_of_designs",
    "class_days",
    "isolation_keys",
    "leaf_figures",
    "leaf_name",
    "leaf_values",
    "nines_of",
    "nines_of_days",
    "swept_leaves",
    "swept_nines",
]
