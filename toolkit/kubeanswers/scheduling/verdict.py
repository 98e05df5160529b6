"""What filters say about every machine, and how the scheduler words it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kubeanswers.scheduling.cluster import BoolArray


@dataclass(frozen=True)
class Verdict:
    """What the filters say about every machine.

    Attributes:
        feasible: which machines can take the pod.
        reasons: why not, per machine; empty where feasible.
        hopeless: where removing other pods would not help.
        upfront: why no machine was looked at; empty where they were.
    """

    feasible: BoolArray
    reasons: tuple[tuple[str, ...], ...]
    hopeless: BoolArray
    upfront: str = ""

    def overruled(self, at: int, other: Verdict) -> Verdict:
        """Return the verdict with what another says about one machine."""
        feasible, hopeless = self.feasible.copy(), self.hopeless.copy()
        feasible[at], hopeless[at] = other.feasible[at], other.hopeless[at]
        reasons = (*self.reasons[:at], other.reasons[at], *self.reasons[at + 1 :])
        return Verdict(feasible, reasons, hopeless, self.upfront)

    def event(self) -> str:
        """Return the reasons as the scheduler's event words them."""
        if self.upfront and self.reasons:
            return f"0/{len(self.reasons)} nodes are available: {self.upfront}."
        return wording(Counter(reason for reasons in self.reasons for reason in reasons), len(self.reasons))


def wording(counts: Counter[str], machines: int) -> str:
    """Return counted reasons, sorted as text, after the number of machines."""
    if machines == 0:
        return "no nodes available to schedule pods"
    listed = ", ".join(sorted(f"{number} {reason}" for reason, number in counts.items()))
    return f"0/{machines} nodes are available: {listed}."


class Sieve:
    """Filters applied one after the other to the machines still standing."""

    def __init__(self, size: int) -> None:
        self.standing = np.ones(size, dtype=np.bool_)
        self.hopeless = np.zeros(size, dtype=np.bool_)
        self.reasons: list[tuple[str, ...]] = [()] * size

    def refuse(self, where: BoolArray, reason: str, *, hopeless: bool) -> None:
        """Refuse the machines still standing where something holds; ``hopeless`` where room would not help."""
        hit = self.standing & where
        for i in np.flatnonzero(hit).tolist():
            self.reasons[i] = (reason,)
        self.standing &= ~hit
        if hopeless:
            self.hopeless |= hit

    def refuse_each(self, short: Sequence[tuple[str, BoolArray]], *, hopeless: BoolArray) -> None:
        """Refuse where anything is short, with every reason that holds there."""
        hit = self.standing & np.any([lacks for _, lacks in short], axis=0)
        for i in np.flatnonzero(hit).tolist():
            self.reasons[i] = tuple(reason for reason, lacks in short if lacks[i])
        self.standing &= ~hit
        self.hopeless |= hit & hopeless
