"""Which designs come nearest to being admitted, and what each of them misses, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tenancykit.decision.screen import Screening
from tenancykit.sentences import listed
from tenancykit.study.evaluation import Evaluation


class Distance(NamedTuple):
    """How far a design is from being admitted, what weighs most first.

    Attributes:
        rules: rules it breaks.
        beyond_buying: requirements it misses that no machine more would meet.
        machines: kinds of machines it lacks.
        far: how far it misses what it misses: shares of the limits, and machines.
        cost: of the design.
    """

    rules: int
    beyond_buying: int
    machines: int
    far: float
    cost: float


def distance(evaluation: Evaluation, screening: Screening) -> Distance:
    """Return how far a design is from being admitted."""
    misses = screening.misses(evaluation.id)
    lacks = [miss.gap for miss in misses if miss.requirement.kind == "shortage"]
    others = [miss.relative for miss in misses if miss.requirement.kind != "shortage"]
    cost = evaluation.scores["cost"].value
    return Distance(len(evaluation.resolved.violations), len(others), len(lacks), sum(others) + sum(lacks), cost)


def nearest_of_families(
    evaluations: Sequence[Evaluation], families: Sequence[tuple[str, ...]], screening: Screening
) -> Iterator[tuple[Evaluation, list[str]]]:
    """Yield the nearest design of each family nobody of which is admitted, with what it misses, nearest first."""
    far = {e.id: distance(e, screening) for e in evaluations}
    seen = {family for family in families if any(not any(far[label][:3]) for label in family)}
    for evaluation in sorted(evaluations, key=lambda e: far[e.id]):
        family = next(group for group in families if evaluation.id in group)
        if family not in seen:
            seen.add(family)
            reasons = *evaluation.resolved.violations, *screening.misses(evaluation.id)
            yield evaluation, _together([_reason(str(reason)) for reason in reasons])


def _together(reasons: Sequence[str]) -> list[str]:
    """Return reasons, one thing missed told once: ``misses the fleet by 7 CPU nodes and 6 GPU nodes``."""
    found: dict[str, list[str]] = {}
    for reason in reasons:
        what, by, much = reason.partition(" by ")
        found.setdefault(f"{what}{by}" if what.startswith("misses") else reason, []).append(much)
    return [what + listed(much) if what.endswith(" by ") else what for what, much in found.items()]


def first_of(reasons: Sequence[str], most: int) -> str:
    """Return at most so many of the things a design misses as the end of a sentence, and how many more there are."""
    more = [f"misses {len(reasons) - most} more"] if len(reasons) > most else []
    return listed([*reasons[:most], *more])


def _reason(reason: str) -> str:
    return reason if reason.startswith(("misses", "does not")) else f"is not valid ({reason})"


__all__ = ["distance", "first_of", "nearest_of_families"]
