"""From a figure to a value: 0 at the worse end of its scale, about 1 at the better, strictly increasing."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.table import FloatArray

PLENTY: Final = 0.95
"""Value of having plenty. Assumption: what lies beyond plenty is worth a twentieth of the whole."""
_TAIL: Final = 0.02
"""Part of the value that is won slowly, so that every further gain still counts by more than rounding. Assumption."""
_STEEPNESS: Final = float(np.log((1 - _TAIL) / (1 - _TAIL / 2 - PLENTY)))


class ValueFunction(Protocol):
    """A strictly monotone map from figures to values, where more value is better."""

    @property
    def ends(self) -> tuple[float, float]:
        """The figures of value 0 and of the better end."""
        ...

    @property
    def rate(self) -> float:
        """Value won per unit of the figure, on average between the ends; positive where more is better."""
        ...

    def value(self, figures: npt.ArrayLike, shift: npt.ArrayLike = (0.0, 0.0)) -> FloatArray:
        """Return the values of figures, with the ends moved by a shift of each, in the figure's unit."""
        ...


@dataclass(frozen=True)
class Straight:
    """A straight line through two ends, going on beyond both: every unit is worth the same.

    Attributes:
        worst: figure of value 0.
        best: figure of value 1.
    """

    worst: float
    best: float

    def __post_init__(self) -> None:
        _checked(self.worst, self.best, "worst", "best")

    @property
    def ends(self) -> tuple[float, float]:
        """The figures of value 0 and 1."""
        return self.worst, self.best

    @property
    def rate(self) -> float:
        """Value won per unit of the figure; negative where less is better."""
        return 1.0 / (self.best - self.worst)

    def value(self, figures: npt.ArrayLike, shift: npt.ArrayLike = (0.0, 0.0)) -> FloatArray:
        """Return (figure - worst) / (best - worst)."""
        by = np.asarray(shift, dtype=np.float64)
        worst, best = self.worst + by[0], self.best + by[1]
        return np.asarray((np.asarray(figures, dtype=np.float64) - worst) / (best - worst), dtype=np.float64)


@dataclass(frozen=True)
class Saturating:
    """Worth ever less: 0 at what is needed, 0.95 at plenty, beyond it towards 1 without reaching it.

    Below what is needed the curve goes on as a straight line with the slope it has there. Above, it is exponential with
    a small slow part, so that the gain from any further unit stays above a floor (:meth:`floor`) and never drowns in
    rounding. The shape - constant relative decline of the marginal value - is the exponential value function of
    R. L. Keeney and H. Raiffa (1976), Decisions with Multiple Objectives, chapter 4.

    Attributes:
        must: figure of value 0: what is needed.
        plenty: figure of value 0.95: more would hardly matter.
    """

    must: float
    plenty: float

    def __post_init__(self) -> None:
        _checked(self.must, self.plenty, "must", "plenty")

    @property
    def ends(self) -> tuple[float, float]:
        """The figures of value 0 and 0.95."""
        return self.must, self.plenty

    @property
    def rate(self) -> float:
        """Value won per unit on average between what is needed and plenty."""
        return PLENTY / (self.plenty - self.must)

    def value(self, figures: npt.ArrayLike, shift: npt.ArrayLike = (0.0, 0.0)) -> FloatArray:
        """Return the values of figures, broadcast against the shifts of the two ends."""
        by = np.asarray(shift, dtype=np.float64)
        must, plenty = self.must + by[0], self.plenty + by[1]
        along = (np.asarray(figures, dtype=np.float64) - must) / (plenty - must)
        above = np.maximum(along, 0.0)
        curve = (1 - _TAIL) * -np.expm1(-_STEEPNESS * above) + _TAIL * above / (1 + above)
        below = np.minimum(along, 0.0) * ((1 - _TAIL) * _STEEPNESS + _TAIL)
        return np.asarray(curve + below, dtype=np.float64)

    def floor(self, most: float) -> float:
        """Return the least value that one more unit wins anywhere up to a figure."""
        along = max(0.0, (most - self.must) / (self.plenty - self.must))
        return _TAIL / (1 + along) ** 2 / abs(self.plenty - self.must)


def _checked(start: float, end: float, first: str, second: str) -> None:
    if not (np.isfinite([start, end]).all() and start != end):
        what = f"{first} is {start:g} and {second} is {end:g}"
        raise InputError(Fault("scale", what, "two different finite numbers", f"move {first} and {second} apart"))


__all__ = ["PLENTY", "Saturating", "Straight", "ValueFunction"]
