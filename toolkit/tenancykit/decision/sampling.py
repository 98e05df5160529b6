"""Samples of uncertain cells, as utilities on the table's scale."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.decision.scaling import Scaled
from tenancykit.decision.table import FloatArray

Distribution = Literal["triangular", "uniform", "normal", "certain"]
Dependence = Literal["independent", "common"]
_KNOWN = ("triangular", "uniform", "normal", "certain")


@dataclass(frozen=True)
class Uncertainty:
    """How cells vary within their intervals.

    Attributes:
        distribution: triangular between low and high with its peak at the value; uniform between low and high; normal
            around the value; or certain, which takes the value and ignores the interval.
        dependence: whether every cell varies on its own, or all designs move together within a criterion.
        coverage: share of a normal distribution that lies between low and high.
    """

    distribution: Distribution = "triangular"
    dependence: Dependence = "independent"
    coverage: float = 0.90

    def __post_init__(self) -> None:
        if self.distribution not in _KNOWN:
            cure = did_you_mean(str(self.distribution), _KNOWN)
            raise InputError(Fault("uncertainty", f"distribution {self.distribution!r}", ", ".join(_KNOWN), cure))
        if self.dependence not in ("independent", "common"):
            raise InputError(Fault("uncertainty", f"dependence {self.dependence!r}", "independent, common"))
        if not 0 < self.coverage < 1:
            raise InputError(Fault("uncertainty", f"coverage is {self.coverage}", "a share between 0 and 1"))


@dataclass(frozen=True, eq=False)
class Cells:
    """The uncertain cells of a table in units of utility, ready to be sampled.

    Attributes:
        scaled: the table and its scale.
        uncertainty: how cells vary.
        low: [criteria x designs] utility at the worse end of the interval.
        peak: [criteria x designs] utility at the value.
        high: [criteria x designs] utility at the better end.
        draws: [criteria x designs x samples] utilities that replace the sampling, or None.
    """

    scaled: Scaled
    uncertainty: Uncertainty
    low: FloatArray
    peak: FloatArray
    high: FloatArray
    draws: FloatArray | None = None

    @classmethod
    def of(cls, scaled: Scaled, uncertainty: Uncertainty, draws: FloatArray | None = None) -> Cells:
        """Return the cells of a scaled table.

        Raises:
            InputError: the scale is not linear, or draws have the wrong shape or are not finite.
        """
        table = scaled.table
        ends = np.stack([scaled.to_utility(table.low), scaled.to_utility(table.high)])
        peak = scaled.to_utility(table.values)
        low, high = (peak, peak) if uncertainty.distribution == "certain" else (ends.min(axis=0), ends.max(axis=0))
        utilities = None
        if draws is not None:
            given = np.asarray(draws, dtype=np.float64)
            if given.ndim != 3 or given.shape[1:] != table.values.shape or not np.isfinite(given).all():
                allowed = f"finite numbers, [samples x {len(table)} designs x {len(table.names)} criteria]"
                raise InputError(Fault("draws", f"have shape {given.shape}", allowed))
            utilities = np.ascontiguousarray(scaled.to_utility(given).transpose(2, 1, 0))
        return cls(scaled, uncertainty, low.T.copy(), peak.T.copy(), high.T.copy(), utilities)

    @property
    def statement(self) -> str:
        """The distributions in words."""
        if self.draws is not None:
            return "values from given samples"
        if self.uncertainty.distribution == "certain":
            return "values taken as certain"
        shape = self.uncertainty.distribution
        within = f" ({self.uncertainty.coverage:.0%} within the interval)" if shape == "normal" else ""
        return f"values {shape}{within}, {self.uncertainty.dependence} across designs"

    def columns(self, rng: np.random.Generator, start: int, count: int) -> list[FloatArray]:
        """Return per criterion [designs x samples] utilities; [designs x 1] where every cell is certain.

        Args:
            rng: source of randomness; not used where draws are given.
            start: first sample, which picks the given draws.
            count: number of samples.
        """
        if self.draws is not None:
            return [np.ascontiguousarray(column[:, start : start + count]) for column in self.draws]
        return [self._column(rng, column, count) for column in range(len(self.peak))]

    def utilities(self, rng: np.random.Generator, start: int, weights: FloatArray) -> FloatArray:
        """Return [designs x samples] weighted utilities, one sample per row of weights."""
        return self.total(self.columns(rng, start, len(weights)), weights)

    @staticmethod
    def total(columns: Sequence[FloatArray], weights: FloatArray) -> FloatArray:
        """Return [designs x samples] the sum of columns weighted by [samples x criteria] weights."""
        total = columns[0] * weights[:, 0]
        for column, weight in zip(columns[1:], weights.T[1:], strict=True):
            total = total + column * weight
        return np.asarray(total, dtype=np.float64)

    def _column(self, rng: np.random.Generator, column: int, count: int) -> FloatArray:
        low, peak, high = (part[column][:, None] for part in (self.low, self.peak, self.high))
        if (high <= low).all():
            return np.asarray(peak, dtype=np.float64)
        rows = len(peak) if self.uncertainty.dependence == "independent" else 1
        if self.uncertainty.distribution == "normal":
            deviation = (high - low) / (2 * NormalDist().inv_cdf(0.5 + self.uncertainty.coverage / 2))
            return np.asarray(peak + deviation * rng.standard_normal((rows, count)), dtype=np.float64)
        level = rng.random((rows, count))
        if self.uncertainty.distribution == "uniform":
            return np.asarray(low + (high - low) * level, dtype=np.float64)
        return _triangular(level, low, peak, high)


def _triangular(level: FloatArray, low: FloatArray, peak: FloatArray, high: FloatArray) -> FloatArray:
    """Return the triangular quantiles at the levels (inverse of the distribution function).

    The rising branch is cut off at the peak and the falling one begins there, so their sum needs no case distinction;
    one design at a time stays in the processor's cache.
    """
    quantiles = np.empty((len(peak), level.shape[1]))
    for row, (left, right) in enumerate(zip((peak - low)[:, 0], (high - peak)[:, 0], strict=True)):
        width, own, out = left + right, level[row if len(level) > 1 else 0], quantiles[row]
        rising = np.sqrt(own * (width * left))
        rising -= left
        np.subtract(1.0, own, out=out)
        out *= width * right
        np.sqrt(out, out=out)
        np.subtract(right, out, out=out)
        np.maximum(out, 0.0, out=out)
        out += np.minimum(rising, 0.0, out=rising)
        out += peak[row, 0]
    return quantiles
