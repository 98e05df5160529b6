"""Weights that are free or only partly known, and uniform samples of them.

All samples lie on the simplex (non-negative, adding up to one) within the stated intervals and order of importance, and
are uniform there: directly where symmetry allows, else by rejection, else by hit-and-run walks (R. L. Smith (1984),
Operations Research 32(6), 1296-1308) when fewer than one in a hundred proposals would be accepted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.decision.table import BoolArray, FloatArray
from tenancykit.decision.weights import Weights

_FIXED: Final = 1e-12
_LEAST_ACCEPTED: Final = 0.01
_TRIAL: Final = 4096
_CHAINS: Final = 2048
_BURN_IN: Final = 300
_THINNING: Final = 20


@dataclass(frozen=True, eq=False)
class WeightSpace:
    """The weights that are possible.

    Attributes:
        names: the criteria.
        lower: [criteria] smallest possible weights.
        upper: [criteria] largest possible weights.
        order: groups of criteria from most to least important; each member of a group weighs at least as much as every
            member of the next. Criteria in no group are not ordered.
    """

    names: tuple[str, ...]
    lower: FloatArray
    upper: FloatArray
    order: tuple[tuple[str, ...], ...] = ()

    @property
    def fixed(self) -> BoolArray:
        """[criteria] True where the weight is known exactly."""
        return self.upper - self.lower <= _FIXED

    @property
    def statement(self) -> str:
        """The space in words, for the record."""
        parts = []
        for name, low, high, fixed in zip(self.names, self.lower, self.upper, self.fixed, strict=True):
            if fixed:
                parts.append(f"{name} {low:.3g}")
            elif low > 0 or high < 1:
                parts.append(f"{name} {low:.3g} to {high:.3g}")
        if self.order:
            parts.append(" >= ".join(" and ".join(group) for group in self.order))
        return "weights " + ("; ".join(parts) if parts else "unknown (uniform over all)")

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Return [count x criteria] uniform samples.

        Raises:
            InputError: intervals and order contradict each other, so no weights are possible.
        """
        if self.fixed.all():
            return np.tile(self.lower / self.lower.sum(), (count, 1))
        trial = self._propose(rng, _TRIAL)
        accepted = self._possible(trial)
        rate = float(accepted.mean())
        if rate == 1.0:
            return self._propose(rng, count)
        if rate >= _LEAST_ACCEPTED:
            return self._reject(rng, count, rate)
        return self._walk(rng, count)

    def _propose(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Return uniform samples of a simple set around the space."""
        free = ~self.fixed
        known = float(self.lower[~free].sum())
        floor = np.zeros(len(self.names)) if self.order else self.lower
        gaps = rng.standard_exponential((count, int(free.sum())))
        shares = gaps / gaps.sum(axis=1, keepdims=True)
        weights = np.tile(self.lower, (count, 1))
        weights[:, free] = floor[free] + (1.0 - known - float(floor[free].sum())) * shares
        return self._sorted(rng, weights) if self.order and free.all() else weights

    def _sorted(self, rng: np.random.Generator, weights: FloatArray) -> FloatArray:
        """Hand the ordered criteria their own values again, largest first, at random within a group."""
        columns = [self.names.index(name) for group in self.order for name in group]
        values = -np.sort(-weights[:, columns], axis=1)
        start = 0
        for group in self.order:
            stop = start + len(group)
            if len(group) > 1:
                values[:, start:stop] = rng.permuted(values[:, start:stop], axis=1)
            start = stop
        weights[:, columns] = values
        return weights

    def _possible(self, weights: FloatArray) -> BoolArray:
        inside = ((weights >= self.lower - _FIXED) & (weights <= self.upper + _FIXED)).all(axis=1)
        for more, less in self._ordered_pairs():
            inside &= weights[:, more] >= weights[:, less] - _FIXED
        return np.asarray(inside, dtype=np.bool_)

    def _ordered_pairs(self) -> Iterator[tuple[int, int]]:
        for more, less in pairwise(self.order):
            for first in more:
                for second in less:
                    yield self.names.index(first), self.names.index(second)

    def _reject(self, rng: np.random.Generator, count: int, rate: float) -> FloatArray:
        kept: list[FloatArray] = []
        missing = count
        while missing > 0:
            proposed = self._propose(rng, int(1.2 * missing / rate) + 64)
            good = proposed[self._possible(proposed)][:missing]
            kept.append(good)
            missing -= len(good)
        return np.concatenate(kept)

    def _walk(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Return samples of many random walks that started from the middle of the space."""
        chains = min(count, _CHAINS)
        faces, limits = self._faces()
        here = np.tile(self._middle(faces, limits), (chains, 1))
        kept = []
        for step in range(_BURN_IN + _THINNING * (-(-count // chains) - 1) + 1):
            here = self._step(rng, here, faces, limits)
            if step >= _BURN_IN and (step - _BURN_IN) % _THINNING == 0:
                kept.append(here)
        return np.concatenate(kept)[:count]

    def _step(self, rng: np.random.Generator, here: FloatArray, faces: FloatArray, limits: FloatArray) -> FloatArray:
        """Move every chain to a uniform place on a random line through it, within the space."""
        free = ~self.fixed
        direction = np.zeros_like(here)
        direction[:, free] = rng.standard_normal((len(here), int(free.sum())))
        direction[:, free] -= direction[:, free].mean(axis=1, keepdims=True)
        room, speed = limits - here @ faces.T, direction @ faces.T
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.maximum(room, 0.0) / speed
        ahead = np.where(speed > _FIXED, reach, np.inf).min(axis=1)
        behind = np.where(speed < -_FIXED, reach, -np.inf).max(axis=1)
        stride = rng.uniform(behind, ahead)
        return np.asarray(here + stride[:, None] * direction, dtype=np.float64)

    def _faces(self) -> tuple[FloatArray, FloatArray]:
        """Return (faces, limits) of the space's free criteria and order: faces @ weights <= limits."""
        unit = np.eye(len(self.names))
        free = ~self.fixed
        rows = [*(-unit[free]), *unit[free], *(unit[less] - unit[more] for more, less in self._ordered_pairs())]
        limits = [*(-self.lower[free]), *self.upper[free]]
        return np.array(rows), np.array(limits + [0.0] * (len(rows) - len(limits)))

    def _middle(self, faces: FloatArray, limits: FloatArray) -> FloatArray:
        """Return the weights that stay farthest from all limits (centre of the largest ball)."""
        from scipy.optimize import linprog  # noqa: PLC0415 - heavy, and only for very narrow weights

        size = len(self.names)
        sides = np.column_stack((faces, np.linalg.norm(faces, axis=1)))
        total = np.append(np.ones(size), 0.0)[None, :]
        bounds = [(low, low) if fixed else (0.0, 1.0) for low, fixed in zip(self.lower, self.fixed, strict=True)]
        found = linprog(-np.append(np.zeros(size), 1.0), sides, limits, total, [1.0], [*bounds, (0.0, 1.0)])
        if not found.success or found.x[-1] <= _FIXED:
            cure = "widen an interval or drop part of the order"
            raise InputError(Fault("weights", f"leave no room: {self.statement}", "at least a small range", cure))
        return np.asarray(found.x[:size], dtype=np.float64)


def free_weights(names: Sequence[str]) -> WeightSpace:
    """Return the space of all weights: nothing is known about them."""
    return partial_weights(names)


def known_weights(weights: Weights) -> WeightSpace:
    """Return the space that holds these weights only."""
    return WeightSpace(weights.names, weights.values, weights.values)


def partial_weights(
    names: Sequence[str],
    between: Mapping[str, tuple[float, float]] | None = None,
    order: Sequence[str | Sequence[str]] = (),
) -> WeightSpace:
    """Return the space of weights within intervals and in an order of importance.

    Args:
        names: the criteria.
        between: lowest and highest weight per criterion; 0 to 1 where not given; equal ends fix the weight.
        order: criteria, or groups of equally placed criteria, from most to least important.

    Raises:
        InputError: an unknown criterion, an empty interval, or intervals that cannot add up to 1.
    """
    ranges = dict(between or {})
    groups = tuple((item,) if isinstance(item, str) else tuple(item) for item in order)
    faults = [*_space_faults(names, ranges, groups)]
    if faults:
        raise InputError(faults)
    ends = np.array([ranges.get(name, (0.0, 1.0)) for name in names], dtype=np.float64)
    lower, upper = ends[:, 0], ends[:, 1]
    if lower.sum() > 1 + _FIXED or upper.sum() < 1 - _FIXED:
        what = f"intervals add up to {lower.sum():.3g} at least and {upper.sum():.3g} at most"
        raise InputError(Fault("weights", what, "a range that includes 1"))
    return WeightSpace(tuple(names), lower, upper, groups)


def weights_near(weights: Weights, share: float) -> WeightSpace:
    """Return the space of weights that each differ from the given ones by at most a share (0.2: 20 % either way)."""
    if not 0 <= share <= 1:
        raise InputError(Fault("weights", f"may differ by {share}", "a share from 0 to 1"))
    upper = np.minimum(1.0, weights.values * (1 + share))
    return WeightSpace(weights.names, weights.values * (1 - share), upper)


def _space_faults(
    names: Sequence[str], ranges: Mapping[str, tuple[float, float]], groups: Sequence[Sequence[str]]
) -> Iterator[Fault]:
    ordered = [name for group in groups for name in group]
    for name in [*ranges, *ordered]:
        if name not in names:
            yield Fault("weights", f"no criterion {name!r}", ", ".join(names), did_you_mean(name, names))
    if len(set(ordered)) != len(ordered):
        yield Fault("weights", "order of importance names a criterion twice")
    for name, (low, high) in ranges.items():
        if not 0 <= low <= high <= 1:
            yield Fault(f"weight of {name!r}", f"is between {low} and {high}", "0 <= low <= high <= 1")
