"""The interval of a pair's figure, from the posteriors of its barriers' rates."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from tenancykit.catalogue.attack import Interference, Range
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR, Strength
from tenancykit.criteria.isolation.graph import AttackGraph
from tenancykit.criteria.isolation.network import contracted
from tenancykit.criteria.isolation.result import figure
from tenancykit.distributions import Z90, BetaShare, gamma_quantile, quantiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DRAWS = 1600
"""Draws from every posterior. Each quantity's own draws are even in probability, in an order of their own (a Latin
hypercube: McKay, Beckman and Conover 1979, doi:10.1080/00401706.1979.10489755), so that so few of them hold as many of
the draws of a simulation as intervals promise."""


PAIR_DRAWS = 400
"""Draws for the figure of the worst pair, which every measured design asks for."""


def figure_interval(
    graph: AttackGraph, strengths: Mapping[str, Strength], asset: str, depth: int, model: IsolationCatalogue
) -> tuple[float, float]:
    """Return P10 and P90 of the figure of one asset when everything not known of the barriers is drawn."""
    network = contracted(asset, frozenset(graph.starts), model)
    used = {name for ways in network.passages(graph).values() for way in ways for name in way} | network.shared
    chances = chance_draws({name: strengths[name] for name in sorted(used & strengths.keys())}, PAIR_DRAWS)
    low, high = quantiles(network.exposure_over(graph, chances, PAIR_DRAWS), 0.9, 0.1)
    return figure(low, depth), figure(high, depth)


def chance_draws(strengths: Mapping[str, Strength], draws: int = DRAWS) -> dict[str, NDArray[np.float64]]:
    """Return [draws] chances that each barrier is down when what is not known of it is drawn.

    Rates of flaws come from their posteriors. Lapses, factors of upkeep and windows come from their ranges; half of the
    doubt about each is common to all of its sort, half its own. Draws are seeded by names, so that the same barrier
    moves alike in every design.
    """
    return {name: _drawn(strength, draws) for name, strength in strengths.items()}


@lru_cache(maxsize=1024)
def _drawn(strength: Strength, draws: int) -> NDArray[np.float64]:
    import numpy as np  # noqa: PLC0415 - as above

    down: NDArray[np.float64] = 1 - (1 - _wrong(strength, draws)) * np.exp(
        -_rates(strength, draws) * _years(strength, draws)
    )
    down.flags.writeable = False
    return down


def _years(strength: Strength, draws: int) -> NDArray[np.float64] | float:
    if strength.window is None or strength.window.likely < strength.window_days:
        # The scenario states it, or operations take longer than anybody needs at least.
        return strength.window_days / DAYS_PER_YEAR
    return window_draws(strength.window, draws) / DAYS_PER_YEAR


def _wrong(strength: Strength, draws: int) -> NDArray[np.float64] | float:
    if strength.lapse is None:
        return 0.0
    wrong = _chances("lapse", strength.lapse.id, strength.lapse.chance, draws)
    for each in strength.upkeep:
        wrong = wrong * _chances("upkeep", each.id, each.factor, draws)
    return wrong


def _rates(strength: Strength, draws: int) -> NDArray[np.float64]:
    return _gamma(strength.barrier, strength.rate.shape, draws) / strength.rate.years


@lru_cache(maxsize=1024)
def _gamma(barrier: str, shape: float, draws: int) -> NDArray[np.float64]:
    return gamma_quantile(shape, (_strata(barrier, draws) + 0.5) / draws)


_COMMON: Final = ("lapse", "upkeep", "window", "interference")
"""Sorts of quantities whose doubt is half in common."""


@lru_cache(maxsize=1024)
def _strata(name: str, draws: int) -> NDArray[np.intp]:
    """Return the numbers of so many equal parts of probability, in an order that the name decides.

    The order does not go with that of the doubts in common: chance likeness to them would widen or narrow every sum.
    """
    import numpy as np  # noqa: PLC0415 - as above

    noise = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode()))).standard_normal(draws)
    before = _COMMON[: _COMMON.index(name)] if name in _COMMON else _COMMON
    for sort in before:
        common = _normal(sort, draws)
        noise = noise - (noise @ common) / (common @ common) * common
    places: NDArray[np.intp] = np.argsort(np.argsort(noise))
    return places


def _normal(name: str, draws: int) -> NDArray[np.float64]:
    """Return standard normal draws, even in probability, in an order that the name decides."""
    return _scores(draws)[_strata(name, draws)]


@lru_cache(maxsize=4)
def _scores(draws: int) -> NDArray[np.float64]:
    """Return the standard normal quantiles at the middles of so many equal parts of probability, in order."""
    import numpy as np  # noqa: PLC0415 - as above

    return np.array([NormalDist().inv_cdf((place + 0.5) / draws) for place in range(draws)])


@lru_cache(maxsize=256)
def _doubt(sort: str, name: str, draws: int) -> NDArray[np.float64]:
    """Return standard normal draws that have half of their variance in common with all of their sort."""
    drawn: NDArray[np.float64] = math.sqrt(0.5) * (_normal(sort, draws) + _normal(f"{sort}:{name}", draws))
    return drawn


@lru_cache(maxsize=256)
def _chances(sort: str, name: str, values: Range, draws: int) -> NDArray[np.float64]:
    """Return draws from the Beta distribution with this mean and spread."""
    import numpy as np  # noqa: PLC0415 - as above

    # Ranks of correlated normals are uniform and keep how they hang together (a Gaussian copula).
    ranks = np.argsort(np.argsort(_doubt(sort, name, draws)))
    drawn: NDArray[np.float64] = BetaShare.about(values.low, values.likely, values.high).quantile((ranks + 0.5) / draws)
    return drawn


@lru_cache(maxsize=64)
def slowdown_draws(entry: Interference, draws: int) -> NDArray[np.float64]:
    """Return draws of how many times as long work takes, from a lognormal on either side of the likeliest value."""
    import numpy as np  # noqa: PLC0415 - as above

    doubt = _doubt("interference", entry.id, draws) / Z90
    mean = entry.mean
    end = np.where(doubt > 0, mean.high, mean.low) / mean.likely
    drawn: NDArray[np.float64] = np.maximum(1.0, mean.likely * end ** np.abs(doubt))
    return drawn


@lru_cache(maxsize=64)
def window_draws(window: Range, draws: int) -> NDArray[np.float64]:
    """Return draws from the lognormal distribution with this mean and about this P10 and P90, days."""
    import numpy as np  # noqa: PLC0415 - as above

    name = f"{window.low:g}-{window.likely:g}-{window.high:g}"
    if window.likely <= 0 or window.low <= 0:
        return np.full(draws, window.likely)
    spread = math.log(window.high / window.low) / (2 * Z90)
    drawn: NDArray[np.float64] = window.likely * np.exp(spread * _doubt("window", name, draws) - spread**2 / 2)
    return drawn
