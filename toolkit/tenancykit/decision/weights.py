"""Weights of criteria: stated directly, from swings, or from pairwise judgements (AHP)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.decision.table import FloatArray, as_floats

RANDOM_INDEX: Final = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
"""Mean consistency index of random judgement matrices of size 1 to 15: T. L. Saaty (1980), The Analytic Hierarchy
Process, McGraw-Hill, chapter 1."""

ACCEPTED_RATIO: Final = 0.10
"""Consistency ratio up to which judgements are accepted: Saaty (1980), as above."""

_SUM_TOLERANCE: Final = 1e-6
_EXACT: Final = 1e-14
"""Rounding that a sum of weights divided by their sum may have."""
_LARGE: Final = 1e300
_RECIPROCAL_TOLERANCE: Final = 0.01
"""Judgements such as 0.33 for one third are accepted as reciprocals within one per cent."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Non-negative weights that add up to one.

    Attributes:
        names: the criteria.
        values: [criteria] weights in the order of the names.
        origin: where they come from, in words, for the record.
    """

    names: tuple[str, ...]
    values: FloatArray
    origin: str = "stated"

    def __post_init__(self) -> None:
        values = as_floats(self.values, "weights") + 0.0  # a copy, and no negative zero
        faults = [*_weight_faults(self.names, values)]
        if faults:
            raise InputError(faults)
        total = float(values.sum())
        if abs(total - 1.0) > _SUM_TOLERANCE:
            cure = "write them so that they add up to 1, or ask for normalisation"
            raise InputError(Fault("weights", f"add up to {total:.6g}", "a sum of 1", cure))
        if abs(total - 1.0) > _EXACT:  # weights that were divided once keep every bit, so that a record works out again
            values /= total
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def __getitem__(self, name: str) -> float:
        return self.as_dict()[name]

    def as_dict(self) -> dict[str, float]:
        """Return the weights by criterion, in order."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    def along(self, names: Sequence[str]) -> FloatArray:
        """Return [criteria] the weights in the order of the given names.

        Raises:
            InputError: the names are not exactly the weighted criteria.
        """
        if tuple(names) == self.names:
            return self.values
        faults = [*_cover_faults(self.names, names)]
        if faults:
            raise InputError(faults)
        own = self.as_dict()
        return np.array([own[name] for name in names])


class JudgementAtOdds(NamedTuple):
    """The pairwise judgement that contradicts the others most.

    Attributes:
        first: the criterion judged.
        second: the criterion it was compared with.
        given: how many times as important the first was said to be.
        implied: what the other judgements together say instead (their geometric mean over all detours).
        ratio_if_changed: consistency ratio if the judgement were the implied one.
    """

    first: str
    second: str
    given: float
    implied: float
    ratio_if_changed: float

    def __str__(self) -> str:
        return (
            f"{self.first} against {self.second} was judged {self.given:.3g}; the other judgements imply "
            f"{self.implied:.3g}, which would bring the consistency ratio to {self.ratio_if_changed:.2f}"
        )


@dataclass(frozen=True, eq=False)
class PairwiseWeights:
    """Weights from pairwise judgements, with how far the judgements agree with each other.

    Attributes:
        weights: the principal eigenvector, adding up to one.
        lambda_max: the principal eigenvalue; equals the number of criteria when perfectly consistent.
        consistency_index: (lambda_max - n) / (n - 1).
        consistency_ratio: index divided by Saaty's random index.
        at_odds: the judgement to look at again, when the ratio is above 0.10; else None.
    """

    weights: Weights
    lambda_max: float
    consistency_index: float
    consistency_ratio: float
    at_odds: JudgementAtOdds | None

    @property
    def consistent(self) -> bool:
        """Whether the ratio is within Saaty's limit of 0.10."""
        return self.consistency_ratio <= ACCEPTED_RATIO

    def accepted(self) -> Weights:
        """Return the weights of judgements that agree well enough to be used.

        Raises:
            InputError: the consistency ratio is above 0.10; names the judgement to look at again.
        """
        if not self.consistent:
            what = f"have a consistency ratio of {self.consistency_ratio:.2f}"
            raise InputError(Fault("judgements", what, f"at most {ACCEPTED_RATIO:.2f}", str(self.at_odds)))
        return self.weights


def direct_weights(stated: Mapping[str, float], names: Sequence[str], *, normalise: bool = False) -> Weights:
    """Return stated weights, one per criterion.

    Args:
        stated: weight by criterion.
        names: the criteria that need a weight, in the order wanted.
        normalise: divide by the sum; only when asked, because a wrong sum is often a slip.

    Raises:
        InputError: a criterion is missing or unknown, a weight is negative or not finite, or the sum is not 1.
    """
    faults = [*_cover_faults(stated, names)]
    if faults:
        raise InputError(faults)
    values = as_floats([stated[name] for name in names], "weights")
    if not normalise:
        return Weights(tuple(names), values)
    return _proportional(tuple(names), values, "stated, divided by their sum")


def equal_weights(names: Sequence[str]) -> Weights:
    """Return the same weight for every criterion."""
    return _proportional(tuple(names), np.ones(len(names)), "equal")


def swing_weights(points: Mapping[str, float], names: Sequence[str]) -> Weights:
    """Return weights in proportion to swing points.

    The swing of a criterion is the gain from its worst to its best bound; the most valued swing gets 100 points, the
    others their share of it. Source: D. von Winterfeldt and W. Edwards (1986), Decision Analysis and Behavioral
    Research, Cambridge University Press, chapter 8.

    Raises:
        InputError: a criterion is missing or unknown, or points are negative, not finite or all zero.
    """
    faults = [*_cover_faults(points, names)]
    if faults:
        raise InputError(faults)
    return _proportional(tuple(names), as_floats([points[name] for name in names], "swing points"), "swing points")


def pairwise_weights(names: Sequence[str], judgements: Mapping[tuple[str, str], float]) -> PairwiseWeights:
    """Return AHP weights from one judgement per pair (how many times as important the first is as the second).

    Raises:
        InputError: a pair is missing, unknown, judged twice in contradiction, or not a positive number.
    """
    faults = [*_pair_faults(names, judgements)]
    if faults:
        raise InputError(faults)
    matrix = np.ones((len(names), len(names)))
    for row, column in combinations(range(len(names)), 2):
        first, second = names[row], names[column]
        ratio = judgements[first, second] if (first, second) in judgements else 1.0 / judgements[second, first]
        matrix[row, column], matrix[column, row] = ratio, 1.0 / ratio
    return matrix_weights(names, matrix)


def matrix_weights(names: Sequence[str], matrix: npt.ArrayLike) -> PairwiseWeights:
    """Return AHP weights: the principal eigenvector of a reciprocal judgement matrix, with its consistency ratio.

    Source: T. L. Saaty (1980), The Analytic Hierarchy Process. Up to 15 criteria, the size of his random-index table.

    Raises:
        InputError: the matrix is not square, positive and reciprocal, or has more than 15 rows.
    """
    judged = as_floats(matrix, "judgements")
    faults = [*_matrix_faults(names, judged)]
    if faults:
        raise InputError(faults)
    lambda_max, vector = _principal(judged)
    index = max(0.0, (lambda_max - len(names)) / max(1, len(names) - 1))
    ratio = _ratio(judged)
    at_odds = _most_at_odds(names, judged) if ratio > ACCEPTED_RATIO else None
    weights = Weights(tuple(names), vector, "pairwise judgements (AHP, principal eigenvector)")
    return PairwiseWeights(weights, lambda_max, index, ratio, at_odds)


def _principal(matrix: FloatArray) -> tuple[float, FloatArray]:
    values, vectors = np.linalg.eig(matrix)
    top = int(np.argmax(values.real))
    vector = np.abs(vectors[:, top].real)
    return float(values[top].real), vector / vector.sum()


def _ratio(matrix: FloatArray) -> float:
    size = len(matrix)
    if size < 3:
        return 0.0
    index = (_principal(matrix)[0] - size) / (size - 1)
    return max(0.0, index / RANDOM_INDEX[size - 1])


def _most_at_odds(names: Sequence[str], matrix: FloatArray) -> JudgementAtOdds:
    """Return the judgement whose replacement by what its detours imply lowers the consistency ratio most."""
    logs = np.log(matrix)
    candidates = []
    for row, column in combinations(range(len(names)), 2):
        detours = [other for other in range(len(names)) if other not in (row, column)]
        implied = math.exp(float(np.mean(logs[row, detours] + logs[detours, column])))
        changed = matrix.copy()
        changed[row, column], changed[column, row] = implied, 1.0 / implied
        given = float(matrix[row, column])
        candidates.append(JudgementAtOdds(names[row], names[column], given, implied, _ratio(changed)))
    return min(candidates, key=lambda judgement: judgement.ratio_if_changed)


def _proportional(names: tuple[str, ...], values: FloatArray, origin: str) -> Weights:
    faults = [*_weight_faults(names, values)]
    if not faults and not values.any():
        faults.append(Fault("weights", "are all zero", "at least one positive number"))
    if faults:
        raise InputError(faults)
    if values.max() > _LARGE:  # so that the sum does not overflow; else dividing twice would only round twice
        values = values / values.max()
    return Weights(names, values / values.sum(), origin)


def _weight_faults(names: Sequence[str], values: FloatArray) -> Iterator[Fault]:
    if values.shape != (len(names),) or not names:
        yield Fault("weights", f"have shape {values.shape}", f"one number per criterion ({len(names)})")
        return
    for name, value in zip(names, values, strict=True):
        if not np.isfinite(value) or value < 0:
            yield Fault(f"weight of {name!r}", f"is {value:g}", "a finite number, zero or more")


def _cover_faults(given: Mapping[str, float] | Sequence[str], names: Sequence[str]) -> Iterator[Fault]:
    for name in given:
        if name not in names:
            yield Fault("weights", f"no criterion {name!r}", ", ".join(names), did_you_mean(name, names))
    for name in names:
        if name not in given:
            yield Fault("weights", f"criterion {name!r} has no weight", cure="write 0 if it is not to count")


def _pair_faults(names: Sequence[str], judgements: Mapping[tuple[str, str], float]) -> Iterator[Fault]:
    for (first, second), ratio in judgements.items():
        where = f"judgement of {first!r} against {second!r}"
        for name in (first, second):
            if name not in names:
                yield Fault(where, f"no criterion {name!r}", ", ".join(names), did_you_mean(name, names))
        if not isinstance(ratio, int | float | np.number) or not (math.isfinite(ratio) and ratio > 0):
            yield Fault(where, f"is {ratio!r}", "a positive number, e.g. 3 or 1/3")
        elif (second, first) in judgements and not math.isclose(
            ratio * judgements[second, first], 1.0, rel_tol=_RECIPROCAL_TOLERANCE
        ):
            yield Fault(where, "contradicts the judgement the other way round", "one of the two, or its reciprocal")
    for first, second in combinations(names, 2):
        if (first, second) not in judgements and (second, first) not in judgements:
            yield Fault("judgements", f"{first!r} and {second!r} were not compared", "one judgement per pair")


def _matrix_faults(names: Sequence[str], matrix: FloatArray) -> Iterator[Fault]:
    size = len(names)
    if matrix.shape != (size, size) or not size:
        yield Fault("judgements", f"have shape {matrix.shape}", f"a square of {size} criteria")
    elif size > len(RANDOM_INDEX):
        yield Fault("judgements", f"compare {size} criteria", f"at most {len(RANDOM_INDEX)}", "group the criteria")
    elif not np.isfinite(matrix).all() or (matrix <= 0).any():
        yield Fault("judgements", "contain a number that is not positive and finite", "numbers such as 3 or 1/3")
    else:
        products = matrix * matrix.T
        wrong = np.argwhere(np.triu(np.abs(products - 1.0) > _RECIPROCAL_TOLERANCE))
        for row, column in wrong:
            where = f"judgement of {names[row]!r} against {names[column]!r}"
            pair = f"{matrix[row, column]:g} and {matrix[column, row]:g} are not reciprocal"
            yield Fault(where, pair, f"{1 / matrix[row, column]:g} the other way round")
