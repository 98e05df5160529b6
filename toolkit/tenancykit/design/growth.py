"""Designs at other numbers of tenants: how counts scale, and from where on one design takes less than another."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.design.components import Closure
from tenancykit.distributions import Moments

TENANTS: Final = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)
"""Numbers of tenants at which growth is shown."""


@dataclass(frozen=True)
class Curve:
    """What one design takes for any number of tenants, classes in the proportions of today.

    Attributes:
        closure: what it installs today.
        amount: what it takes for a closure with other numbers of tenants.
        name: what the design is called.
    """

    closure: Closure = field(repr=False)
    amount: Callable[[Closure], Moments] = field(repr=False)
    name: str = ""

    @property
    def fewest(self) -> int:
        """Fewest tenants the curve can be read at: one of each class."""
        return len(self.closure.tenants)

    def at(self, tenants: int) -> Moments:
        """Return what the design takes for a number of tenants, at least one of each class."""
        return self.amount(at_tenants(self.closure, tenants))

    def points(self, tenants: Sequence[int] = TENANTS) -> tuple[tuple[int, Moments], ...]:
        """Return (tenants, amount) at each of several numbers of tenants that the classes allow."""
        return tuple((count, self.at(count)) for count in tenants if count >= self.fewest)


@dataclass(frozen=True)
class Crossing:
    """A number of tenants from which on another design takes less.

    Attributes:
        tenants: fewest tenants at which ``less`` takes less than ``more``.
        less: name of the design that takes less from there on.
        more: name of the other.
        amount: what ``less`` takes there, in the unit of the curves.
    """

    tenants: int
    less: str
    more: str
    amount: float


def scaled_tenants(today: Mapping[str, int], tenants: int) -> dict[str, int]:
    """Return tenants by class for another total, in the proportions of today and at least one of each class.

    Largest-remainder rounding: the counts add up to ``tenants`` wherever that leaves no class empty.
    """
    total = sum(today.values())
    exact = {identifier: tenants * count / total for identifier, count in today.items()}
    counts = {identifier: max(1, math.floor(value)) for identifier, value in exact.items()}
    spare = tenants - sum(counts.values())
    by_remainder = sorted(exact, key=lambda identifier: (counts[identifier] - exact[identifier], identifier))
    for identifier in by_remainder[: max(0, spare)]:
        counts[identifier] += 1
    for identifier in sorted(counts, key=lambda identifier: (-counts[identifier], identifier)):
        surplus = min(counts[identifier] - 1, max(0, sum(counts.values()) - tenants))
        counts[identifier] -= surplus
    return counts


def at_tenants(closure: Closure, tenants: int) -> Closure:
    """Return the same installations for another total of tenants, classes in the proportions of today."""
    return closure.with_tenants(scaled_tenants(closure.tenants, tenants))


def crossings(
    first: tuple[str, Callable[[int], float]],
    second: tuple[str, Callable[[int], float]],
    *,
    fewest: int = 1,
    most: int = 10_000,
) -> tuple[Crossing, ...]:
    """Return every number of tenants from ``fewest`` to ``most`` at which two designs change places, ascending.

    The difference is looked at on a grid of about eight points per factor of ten and narrowed down by bisection; two
    changes within one step of the grid cancel and are not seen.

    Args:
        first: name of a design, and what it takes at a number of tenants.
        second: the same for another.
        fewest: where to start.
        most: where to end.
    """

    def sign(tenants: int) -> int:
        difference = first[1](tenants) - second[1](tenants)
        return (difference > 0) - (difference < 0)

    found: list[Crossing] = []
    grid = _grid(fewest, most)
    before, side = grid[0], sign(grid[0])
    for count in grid[1:]:
        now = sign(count)
        if now and side and now != side:
            tenants = _bisect(sign, before, count, now)
            less, more = (first, second) if now < 0 else (second, first)
            found.append(Crossing(tenants, less[0], more[0], less[1](tenants)))
        if now:
            before, side = count, now
    return tuple(found)


def _bisect(sign: Callable[[int], int], low: int, high: int, wanted: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if sign(middle) == wanted else (middle, high)
    return high


def _grid(fewest: int, most: int) -> list[int]:
    grid = [fewest]
    while grid[-1] < most:
        grid.append(min(most, max(grid[-1] + 1, round(grid[-1] * 10 ** (1 / 8)))))
    return grid
