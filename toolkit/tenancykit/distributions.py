"""Uncertain numbers: three-point estimates and the sums that are built from them.

Three-point (PERT) estimate: mean (o + 4m + p) / 6, standard deviation (p - o) / 6, as Malcolm, Roseboom, Clark and
Fazar give them (Operations Research 7(5), 1959, doi:10.1287/opre.7.5.646). Its distribution is the beta with
alpha = 1 + 4 (m - o) / (p - o) and beta = 1 + 4 (p - m) / (p - o), stretched over [o, p].
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from kubeanswers.records import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

_NORMAL: Final = NormalDist()

Z90: Final = _NORMAL.inv_cdf(0.9)
"""Standard normal quantile of 0.9 (1.2816): P10 and P90 of a normal lie this many standard deviations from its mean."""


@dataclass(frozen=True, order=True)
class ThreePoint:
    """A three-point estimate: lowest, likeliest and highest value, ``low <= likely <= high``.

    Raises:
        ValueError: the points are not finite or not in order.
    """

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(point) for point in (self.low, self.likely, self.high)):
            raise ValueError(f"({self.low}, {self.likely}, {self.high}) holds a point that is not a finite number")
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"({self.low}, {self.likely}, {self.high}) is out of order; write low <= likely <= high")

    @property
    def mean(self) -> float:
        """PERT mean, (low + 4 likely + high) / 6."""
        return (self.low + 4 * self.likely + self.high) / 6

    @property
    def deviation(self) -> float:
        """PERT standard deviation, (high - low) / 6."""
        return (self.high - self.low) / 6

    def scaled(self, factor: float) -> ThreePoint:
        """Return the estimate with every point multiplied by a factor of zero or more."""
        return ThreePoint(self.low * factor, self.likely * factor, self.high * factor)

    def quantile(self, probability: ArrayLike) -> NDArray[np.float64]:
        """Return quantiles of the beta-PERT distribution, in the estimate's unit, shaped as ``probability``."""
        import numpy as np  # noqa: PLC0415 - keeps the package's import light
        from scipy.special import betaincinv  # noqa: PLC0415 - as above

        share = np.asarray(probability, dtype=float)
        if self.high == self.low:
            return np.full_like(share, self.low)
        width = self.high - self.low
        alpha = 1 + 4 * (self.likely - self.low) / width
        beta = 1 + 4 * (self.high - self.likely) / width
        quantiles: NDArray[np.float64] = self.low + width * betaincinv(alpha, beta, share)
        return quantiles


def quantiles(values: NDArray[np.float64], *shares: float) -> tuple[float, ...]:
    """Return quantiles of a sample, interpolated linearly as ``numpy.quantile`` does, in a tenth of its time."""
    ordered = values.copy()
    ordered.sort()
    found = []
    for share in shares:
        place = (len(ordered) - 1) * share
        below = min(int(place), len(ordered) - 1)
        low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
        part = place - below
        found.append(low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part))
    return tuple(found)


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of an uncertain amount that is never negative.

    Attributes:
        mean: mean.
        deviation: standard deviation.
    """

    mean: float = 0.0
    deviation: float = 0.0

    @property
    def p10(self) -> float:
        """Value that is exceeded with a probability of 90 %, by the normal approximation, not below zero."""
        return max(0.0, self.mean - Z90 * self.deviation)

    @property
    def p50(self) -> float:
        """Median, by the normal approximation the mean."""
        return self.mean

    @property
    def p90(self) -> float:
        """Value that is exceeded with a probability of 10 %, by the normal approximation."""
        return self.mean + Z90 * self.deviation

    def scaled(self, factor: float) -> Moments:
        """Return the moments of the amount multiplied by a constant of zero or more."""
        return Moments(self.mean * factor, self.deviation * factor)


def of_estimate(estimate: ThreePoint) -> Moments:
    """Return the PERT moments of one estimate."""
    return Moments(estimate.mean, estimate.deviation)


def sum_independent(parts: Iterable[Moments]) -> Moments:
    """Return the moments of a sum of independent amounts: means add, variances add."""
    mean = variance = 0.0
    for part in parts:
        mean += part.mean
        variance += part.deviation**2
    return Moments(mean, math.sqrt(variance))


def sum_together(parts: Iterable[Moments]) -> Moments:
    """Return the moments of a sum of amounts that move together: means add, standard deviations add."""
    mean = deviation = 0.0
    for part in parts:
        mean += part.mean
        deviation += part.deviation
    return Moments(mean, deviation)


def sum_correlated(parts: Iterable[Moments], correlation: float) -> Moments:
    """Return the moments of a sum of amounts of which every two have the same correlation (0 to 1).

    Variance: (1 - r) (sum of variances) + r (sum of deviations)^2; 0 is :func:`sum_independent`, 1 is
    :func:`sum_together`.

    Raises:
        ValueError: the correlation is not between 0 and 1.
    """
    if not 0 <= correlation <= 1:
        raise ValueError(f"a correlation of {correlation} is not between 0 and 1")
    mean = deviation = variance = 0.0
    for part in parts:
        mean += part.mean
        deviation += part.deviation
        variance += part.deviation**2
    return Moments(mean, math.sqrt((1 - correlation) * variance + correlation * deviation**2))


def product_independent(first: Moments, second: Moments) -> Moments:
    """Return the moments of a product of two independent amounts (Goodman 1960, doi:10.1080/01621459.1960.10483369)."""
    mean = first.mean * second.mean
    variance = (
        first.mean**2 * second.deviation**2
        + second.mean**2 * first.deviation**2
        + first.deviation**2 * second.deviation**2
    )
    return Moments(mean, math.sqrt(variance))


@dataclass(frozen=True)
class GammaRate:
    """An uncertain yearly rate of Poisson events with a Gamma distribution (shape, years).

    The Gamma is the conjugate prior of a Poisson rate: after ``events`` in ``years`` the posterior is
    Gamma(shape + events, years of the prior + years) (Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.6).

    Attributes:
        shape: shape of the Gamma; events seen or imagined.
        years: inverse scale of the Gamma; years they were seen in.
    """

    shape: float
    years: float

    def after(self, events: float, years: float) -> GammaRate:
        """Return the posterior after ``events`` were seen in ``years`` of observation."""
        return GammaRate(self.shape + events, self.years + years)

    @property
    def mean(self) -> float:
        """Mean events per year."""
        return self.shape / self.years

    @property
    def deviation(self) -> float:
        """Standard deviation of the events per year."""
        return math.sqrt(self.shape) / self.years

    def chance_within(self, window: float) -> float:
        """Return the posterior predictive chance of at least one event within a window, in years.

        The mean of ``1 - exp(-rate * window)`` over the Gamma: ``1 - (years / (years + window)) ** shape``.
        """
        return -math.expm1(self.shape * (math.log(self.years) - math.log(self.years + window)))


@dataclass(frozen=True)
class BetaShare:
    """An uncertain share with a Beta distribution.

    Attributes:
        alpha, beta: its parameters.
    """

    alpha: float
    beta: float

    @classmethod
    def about(cls, low: float, mean: float, high: float) -> BetaShare:
        """Return the Beta with this mean whose standard deviation is (high - low) / 2.563, as between P10 and P90.

        A deviation that no Beta with one mode can have (``alpha`` and ``beta`` both below 1) is taken back to the
        greatest one with ``alpha + beta = 2``, or with a density that falls from 0.

        Raises:
            ValueError: not ``0 < low <= mean <= high < 1``.
        """
        if not 0 < low <= mean <= high < 1:
            raise ValueError(f"({low}, {mean}, {high}) are no shares in order; write 0 < low <= mean <= high < 1")
        deviation = max((high - low) / (2 * Z90), 1e-6)
        total = max(mean * (1 - mean) / deviation**2 - 1, 2.0)
        return cls(mean * total, (1 - mean) * total)

    @property
    def mean(self) -> float:
        """Mean share."""
        return self.alpha / (self.alpha + self.beta)

    def quantile(self, probability: ArrayLike) -> NDArray[np.float64]:
        """Return quantiles, shaped as ``probability``, from the distribution function added up over a grid.

        The grid is even in the logarithm of the odds, where the density has no poles; to about 1e-4 of the spread.
        """
        import numpy as np  # noqa: PLC0415 - keeps the package's import light

        odds = np.linspace(-60.0, 60.0, 6001)
        share = 1 / (1 + np.exp(-odds))
        density = np.exp(-self.alpha * np.logaddexp(0, -odds) - self.beta * np.logaddexp(0, odds))
        below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
        quantiles: NDArray[np.float64] = np.interp(np.asarray(probability, dtype=float), below / below[-1], share)
        return quantiles


def gamma_quantile(shape: float, probability: ArrayLike) -> NDArray[np.float64]:
    """Return quantiles of the Gamma distribution of scale 1, shaped as ``probability``, added up over a grid.

    The grid is even in the logarithm of the amount, where the density has no pole; to about 1e-4 of the spread.
    """
    import numpy as np  # noqa: PLC0415 - keeps the package's import light

    centre, width = math.log(shape), 8 / math.sqrt(shape) + 4
    logs = np.linspace(centre - width - 8 / shape, centre + width, 4001)
    density = np.exp(shape * (logs - centre) - (np.exp(logs) - shape))
    below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    quantiles: NDArray[np.float64] = np.exp(np.interp(np.asarray(probability, dtype=float), below / below[-1], logs))
    return quantiles
