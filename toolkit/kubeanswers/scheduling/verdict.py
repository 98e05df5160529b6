"""What filters say about every machine, and how the scheduler words it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

import numpy as np

from kubeanswers.records import dataclass
from kubeanswers.scheduling.cluster import BoolArray


@dataclass(frozen=True)
class Refusal:
    """One filter's no.

    Attributes:
        where: machines it refused.
        short: reasons, each with the machines it holds for; one reason without machines holds for all refused.
    """

    where: BoolArray
    short: tuple[tuple[str, BoolArray | None], ...]

    def at(self, machine: int) -> tuple[str, ...]:
        """Return the reasons for one machine; none where it was not refused."""
        if not self.where[machine]:
            return ()
        return tuple(reason for reason, holds in self.short if holds is None or holds[machine])

    def counts(self) -> Iterator[tuple[str, int]]:
        """Yield every reason with the number of machines."""
        for reason, holds in self.short:
            yield reason, int((self.where if holds is None else self.where & holds).sum())


@dataclass(frozen=True)
class Verdict:
    """What the filters say about every machine.

    Attributes:
        feasible: which machines can take the pod.
        refusals: what each filter refused; no machine is refused twice.
        hopeless: where removing other pods would not help.
        upfront: why no machine was looked at; empty where they were.
        instead: reasons for single machines that stand for those of the filters.
    """

    feasible: BoolArray
    refusals: tuple[Refusal, ...]
    hopeless: BoolArray
    upfront: str = ""
    instead: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def reasons(self, at: int) -> tuple[str, ...]:
        """Return why a machine cannot take the pod; nothing where it can."""
        if at in self.instead:
            return self.instead[at]
        return next((found for refusal in self.refusals if (found := refusal.at(at))), ())

    def overruled(self, at: int, other: Verdict) -> Verdict:
        """Return the verdict with what another says about one machine."""
        feasible, hopeless = self.feasible.copy(), self.hopeless.copy()
        feasible[at], hopeless[at] = other.feasible[at], other.hopeless[at]
        instead = {**self.instead, at: other.reasons(at)}
        return Verdict(feasible, self.refusals, hopeless, self.upfront, instead)

    def event(self) -> str:
        """Return the reasons as the scheduler's event words them."""
        size = len(self.feasible)
        if self.upfront and size:
            return f"0/{size} nodes are available: {self.upfront}."
        counts: Counter[str] = Counter()
        for refusal in self.refusals:
            counts.update(dict(refusal.counts()))
        for at, reasons in self.instead.items():
            counts.subtract(reason for refusal in self.refusals for reason in refusal.at(at))
            counts.update(reasons)
        return wording(+counts, size)


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
        self.refusals: list[Refusal] = []

    def refuse(self, where: BoolArray, reason: str, *, hopeless: bool) -> None:
        """Refuse the machines still standing where something holds; ``hopeless`` where room would not help."""
        hit = self.standing & where
        if hit.any():
            self.refusals.append(Refusal(hit, ((reason, None),)))
            self.standing &= ~hit
            if hopeless:
                self.hopeless |= hit

    def refuse_each(self, short: Sequence[tuple[str, BoolArray]], *, hopeless: BoolArray) -> None:
        """Refuse where anything is short, with every reason that holds there."""
        hit = np.zeros_like(self.standing)
        for _, lacks in short:
            hit |= lacks
        hit &= self.standing
        if hit.any():
            self.refusals.append(Refusal(hit, tuple((reason, lacks.copy()) for reason, lacks in short)))
            self.standing &= ~hit
            self.hopeless |= hit & hopeless

    def verdict(self) -> Verdict:
        """Return what was found."""
        return Verdict(self.standing, tuple(self.refusals), self.hopeless)
