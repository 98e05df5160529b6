"""The interval of a pair's figure, from the posteriors of its barriers' rates."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR, Strength
from tenancykit.criteria.isolation.graph import AttackGraph
from tenancykit.criteria.isolation.reliability import expose
from tenancykit.criteria.isolation.result import figure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DRAWS = 400
"""Draws from every posterior. The P10 and P90 of the figure then move by about 2 % of its spread between seeds."""


def figure_interval(
    graph: AttackGraph, strengths: Mapping[str, Strength], asset: str, depth: int
) -> tuple[float, float]:
    """Return P10 and P90 of the figure of one asset when every barrier's rate is drawn from its posterior."""
    import numpy as np  # noqa: PLC0415 - keeps the package's import light

    diagram, (root,) = expose(graph.links, dict.fromkeys(graph.starts), [asset])
    known = {str(name): strengths[str(name)] for name in diagram.order}
    if not known:
        point = figure(diagram.probability([root], {})[0], depth)
        return point, point
    exposures = diagram.probability_over(root, chance_draws(known))
    low, high = np.quantile(exposures, [0.9, 0.1])
    return figure(float(low), depth), figure(float(high), depth)


def chance_draws(strengths: Mapping[str, Strength], draws: int = DRAWS) -> dict[str, NDArray[np.float64]]:
    """Return [draws] chances that each barrier is down when what is not known of it is drawn.

    Draws are seeded by the barrier's id, so that the same barrier moves alike in every design.
    """
    import numpy as np  # noqa: PLC0415 - as above

    return {
        name: 1 - (1 - strength.misconfiguration) * np.exp(-_rates(strength, draws) * _years(strength))
        for name, strength in strengths.items()
    }


def _years(strength: Strength) -> float:
    return strength.window_days / DAYS_PER_YEAR


def _rates(strength: Strength, draws: int) -> NDArray[np.float64]:
    return _draws(strength.barrier, strength.rate.shape, draws) / strength.rate.years


@lru_cache(maxsize=1024)
def _draws(barrier: str, shape: float, draws: int) -> NDArray[np.float64]:
    import numpy as np  # noqa: PLC0415 - as above

    generator = np.random.Generator(np.random.PCG64(zlib.crc32(barrier.encode())))
    drawn: NDArray[np.float64] = generator.standard_gamma(shape, draws)
    return drawn
