"""Which designs come nearest to being admitted, and what each of them misses, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tenancykit.sentences import listed
from tenancykit.study.evaluation import Evaluation

if TYPE_CHECKING:
    from tenancykit.study.comparison import Study

_ID: Final = re.compile(r" \((?:rule [^)]*|needs? [^()]*(?:\([^()]*\))?[^()]*)\)")
"""The rule or need behind a reason, with its condition."""


def nearest_of_families(study: Study) -> Iterator[tuple[Evaluation, list[str]]]:
    """Yield the nearest design of each family nobody of which is admitted, with what it misses, nearest first."""
    seen = set[tuple[str, ...]]()
    for evaluation in sorted(study.evaluations, key=lambda e: distance(study, e)):
        family = next(group for group in study.families if evaluation.id in group)
        if family not in seen and not any(study.rank(label) for label in family):
            seen.add(family)
            yield evaluation, [_reason(reason) for reason in study.exclusions(evaluation.id)]


def distance(study: Study, evaluation: Evaluation) -> tuple[int, int, float, float]:
    """Return how far a design is from being admitted: rules broken, requirements missed, by how much, its cost."""
    misses = study.screening.misses(evaluation.id)
    far = sum(miss.gap if miss.requirement.kind == "shortage" else miss.relative for miss in misses)
    return len(evaluation.resolved.violations), len(misses), far, evaluation.scores["cost"].value


def without_ids(reason: str) -> str:
    """Return why a design is not admitted without the rule or need behind it."""
    return _ID.sub("", reason)


def first_of(reasons: list[str], most: int) -> str:
    """Return at most so many of the things a design misses as the end of a sentence, and how many more there are."""
    more = [f"misses {len(reasons) - most} more"] if len(reasons) > most else []
    return listed([*reasons[:most], *more])


def _reason(reason: str) -> str:
    text = without_ids(reason)
    return text if text.startswith(("misses", "does not")) else f"is not valid ({text})"


__all__ = ["distance", "first_of", "nearest_of_families", "without_ids"]
