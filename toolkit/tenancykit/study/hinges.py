"""What the samples hang on in which another design is first: each source of doubt held still in turn.

Assumptions moved one at a time may all leave a first place standing while samples, in which everything moves at once,
do not. Held still, a source shows how much of that is its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.decision.table import FloatArray
from tenancykit.decision.weight_space import known_weights
from tenancykit.decision.weights import Weights
from tenancykit.study.assumed import Basis
from tenancykit.study.certainty import SAMPLES, Standing, drawn_nodes
from tenancykit.study.leaves import LeafFigures

SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "isolation": "isolation's priors and windows",
        "effort": "estimates of work",
        "operations": "estimates of toil",
        "cost": "prices and demand",
        "ends": "the ends of the scales",
        "weights": "the weights",
    }
)
"""What varies from sample to sample, in words."""


@dataclass(frozen=True)
class Hinge:
    """A source of doubt, and how often the first family is first where it alone is held still.

    Attributes:
        source: one of :data:`SOURCES`.
        share: share of samples, 0..1.
    """

    source: str
    share: float

    @property
    def words(self) -> str:
        """The source in words."""
        return SOURCES[self.source]


def hinge(
    source: str, basis: Basis, figures: LeafFigures, standing: Standing, weights: Weights, *, drawn: FloatArray
) -> Hinge:
    """Return a source of doubt with the share of samples in which the first is first without it.

    Args:
        source: one of :data:`SOURCES`.
        basis: the admitted designs.
        figures: their leaves with intervals.
        standing: the first place and its near-twins.
        weights: the weights as they are.
        drawn: [samples x criteria] weights around them, those of the samples.
    """
    nodes = drawn_nodes(basis, figures, held=source)
    if source == "weights":
        drawn = known_weights(weights).draw(np.random.default_rng(0), SAMPLES)  # the same every time: nothing is drawn
    first = np.einsum("sdc,sc->sd", nodes, drawn).argmax(axis=1)
    return Hinge(source, float(np.isin(first, sorted(standing.family)).mean()))


__all__ = ["SOURCES", "Hinge", "hinge"]
