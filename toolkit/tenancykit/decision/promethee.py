"""PROMETHEE II: net outranking flows from pairwise preferences, for large tables in n log n time.

Sources: J. P. Brans, P. Vincke, B. Mareschal (1986), EJOR 24(2), 228-238 (method and preference functions);
T. Calders and D. Van Assche (2018), Omega 76, 63-69 (flows by sorting instead of comparing all pairs).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.decision.ranking import Ranking, rank_scores
from tenancykit.decision.scaling import Scaled
from tenancykit.decision.table import DecisionTable, FloatArray
from tenancykit.decision.weights import Weights

Shape = Literal["usual", "u-shape", "v-shape", "level", "linear", "gaussian"]

_SLACK: Final = 1e-12
"""Share of the largest value by which a difference may exceed a threshold through rounding and still be on it."""
_PAIRS_AT_ONCE: Final = 1 << 20
_NEEDS: Final[dict[str, str]] = {
    "usual": "",
    "u-shape": "q",
    "v-shape": "p",
    "level": "qp",
    "linear": "qp",
    "gaussian": "s",
}


@dataclass(frozen=True)
class Preference:
    """How strongly a difference on one criterion speaks for the better design, from 0 to 1.

    Attributes:
        shape: one of the six functions of Brans, Vincke and Mareschal (1986), types I to VI.
        q: indifference threshold: differences up to it do not count (u-shape, level, linear).
        p: preference threshold: differences beyond it count fully (v-shape, level, linear).
        s: inflection point (gaussian).
    """

    shape: Shape = "usual"
    q: float = 0.0
    p: float = 0.0
    s: float = 0.0

    def __post_init__(self) -> None:
        where = f"preference function {self.shape!r}"
        if self.shape not in _NEEDS:
            cure = did_you_mean(str(self.shape), _NEEDS)
            raise InputError(Fault(where, "is unknown", ", ".join(_NEEDS), cure))
        needs = _NEEDS[self.shape]
        if not all(np.isfinite(number) and number >= 0 for number in (self.q, self.p, self.s)):
            raise InputError(Fault(where, f"q={self.q}, p={self.p}, s={self.s}", "finite numbers, zero or more"))
        for name in set(needs) - {"q"}:
            if getattr(self, name) <= 0:
                raise InputError(Fault(where, f"{name} is {getattr(self, name)}", f"a positive {name}"))
        if "q" in needs and "p" in needs and self.q >= self.p:
            raise InputError(Fault(where, f"q={self.q} is not below p={self.p}", "q < p"))

    def __str__(self) -> str:
        numbers = ", ".join(f"{name}={getattr(self, name):g}" for name in _NEEDS[self.shape])
        return f"{self.shape} ({numbers})" if numbers else self.shape


def range_preferences(scaled: Scaled, indifference: float = 0.05, full: float = 0.30) -> dict[str, Preference]:
    """Return a linear preference per criterion with thresholds as shares of the scale's width.

    The default shares (5 % is no difference, 30 % is a full one) are an assumption; state your own where you know them.
    A criterion without width gets the usual function.

    Raises:
        InputError: the shares do not satisfy 0 <= indifference < full, or the scale is not linear.
    """
    widths = scaled.straight_width()
    return {
        name: Preference("linear", indifference * float(width), full * float(width)) if width > 0 else Preference()
        for name, width in zip(scaled.table.names, widths, strict=True)
    }


def promethee(table: DecisionTable, weights: Weights, preferences: Mapping[str, Preference]) -> Ranking:
    """Return the PROMETHEE II ranking by net flow (higher is better), with the positive and negative flows.

    Thresholds are in the criteria's units, so no normalisation is needed. Flows compare each design with all others and
    so depend on the candidates; see the rank-reversal report. All shapes but the gaussian take n log n time.

    Raises:
        InputError: a criterion has no preference function, or a function names no criterion.
    """
    faults = [Fault("preferences", f"criterion {name!r} has none") for name in table.names if name not in preferences]
    faults += [
        Fault("preferences", f"no criterion {name!r}", ", ".join(table.names), did_you_mean(name, table.names))
        for name in preferences
        if name not in table.names
    ]
    if faults:
        raise InputError(faults)
    leaving, entering = np.zeros(len(table)), np.zeros(len(table))
    for column, weight in enumerate(weights.along(table.names)):
        if weight and len(table) > 1:
            won, lost = _flows(table.oriented[:, column], preferences[table.names[column]])
            leaving += weight * won
            entering += weight * lost
    net = leaving - entering
    ranks, order = rank_scores(net, table.label_rank)
    told = ", ".join(f"{name}: {preferences[name]}" for name in table.names)
    statement = f"preference functions {told} (flows depend on the candidates)"
    details = {"positive flow": leaving, "negative flow": entering}
    return Ranking("PROMETHEE II", table.labels, net, "higher", ranks, order, statement, details)


def _flows(values: FloatArray, preference: Preference) -> tuple[FloatArray, FloatArray]:
    """Return one criterion's ([designs] mean preference over the others, [designs] mean preference of the others)."""
    others = len(values) - 1
    centred = values - values.mean()
    slack = _SLACK * float(np.abs(values).max(initial=0.0))
    total = _gaussian_total if preference.shape == "gaussian" else _sorted_total
    won, lost = total(centred, preference, slack), total(-centred, preference, slack)
    return _rising(won, centred) / others, _rising(lost, -centred) / others


def _rising(total: FloatArray, values: FloatArray) -> FloatArray:
    """Return totals that never fall as the value rises: true by definition, and kept so in spite of rounding."""
    order = np.argsort(values, kind="stable")
    risen = np.empty_like(total)
    risen[order] = np.maximum.accumulate(total[order])
    return risen


def _sorted_total(values: FloatArray, preference: Preference, slack: float) -> FloatArray:
    """Return [designs] the sum of preferences over all others, from sorted values and their running sums."""
    ordered = np.sort(values)
    sums = np.concatenate(([0.0], np.cumsum(ordered)))

    def below(threshold: float) -> tuple[FloatArray, FloatArray]:
        """Count and sum the values that lie more than the threshold below each value."""
        count = np.searchsorted(ordered, values - (threshold + slack), side="left")
        return count.astype(np.float64), sums[count]

    if preference.shape == "usual":
        return below(0.0)[0]
    if preference.shape == "u-shape":
        return below(preference.q)[0]
    if preference.shape == "level":
        return 0.5 * (below(preference.q)[0] + below(preference.p)[0])
    # v-shape and linear: (d - q) / (p - q) between the thresholds, 1 beyond.
    start = preference.q if preference.shape == "linear" else 0.0
    some, some_sum = below(start)
    full, full_sum = below(preference.p)
    ramp = (some - full) * (values - start) - (some_sum - full_sum)
    return full + ramp / (preference.p - start)


def _gaussian_total(values: FloatArray, preference: Preference, slack: float) -> FloatArray:
    """Return [designs] the sum of 1 - exp(-d^2 / 2 s^2) over all worse designs, all pairs in blocks."""
    del slack  # the function is continuous, so rounding has no threshold to jump over
    total = np.empty(len(values))
    step = max(1, _PAIRS_AT_ONCE // len(values))
    for start in range(0, len(values), step):
        differences = np.maximum(values[start : start + step, None] - values[None, :], 0.0)
        total[start : start + step] = (-np.expm1(-(differences**2) / (2 * preference.s**2))).sum(axis=1)
    return total
