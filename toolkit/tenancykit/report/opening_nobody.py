"""What is said first where no design is admitted: the nearest ones, what stands in the way, what buying would take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tenancykit.sentences import listed, three_digits
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.nearest import distance, first_of, nearest_of_families

_WHY: Final = re.compile(r", asked because [^()]*")
"""Why a need is asked."""


def nearest(study: Study) -> tuple[str, ...]:
    """Return the nearest designs of different families that are not admitted, with what each misses."""
    return tuple(ways[0] for ways in _near(study))


def nearest_lines(study: Study, room: int) -> tuple[str, ...]:
    """Return the same with short names, without why it is asked, and fewer reasons, as a line of ``room`` takes it."""
    return tuple(next((way for way in ways if len(way) <= room), ways[-1]) for ways in _near(study))


def _near(study: Study) -> Iterator[tuple[str, ...]]:
    for evaluation, reasons in nearest_of_families(study.evaluations, study.families, study.screening):
        name = evaluation.resolved.tight or evaluation.name
        briefly = [_WHY.sub("", reason) for reason in reasons]
        yield (
            f"{evaluation.name}, which {first_of(reasons, 3)}",
            *(f"{name}, which {first_of(briefly, most)}" for most in (3, 2, 1)),
        )


def undecided(study: Study) -> str:
    """Return what most designs miss, and what buying would take where a fixed fleet is too small."""
    counts: dict[str, int] = {}
    for evaluation in study.evaluations:
        for what in dict.fromkeys(_what(reason) for reason in study.exclusions(evaluation.id)):
            counts[what] = counts.get(what, 0) + 1
    common = [what for what in sorted(counts, key=lambda what: -counts[what]) if what.startswith("misses ")][:2]
    if not common:
        return ""
    told = [f"What stands in the way most often: {listed([_of(study, what, counts[what]) for what in common])}."]
    if (near := _fleet_alone(study)) is not None:
        money, lacks = near.scenario.infrastructure.currency, near.scores["cost"].figures["fleet"]
        told.append(
            f"Buying what {near.resolved.tight or near.name} lacks would take "
            f"{three_digits(lacks['purchase_per_month'])} {money} a month (infrastructure.buying: allowed)."
        )
    return " ".join(told)


def _what(reason: str) -> str:
    return reason.split(" by ", maxsplit=1)[0].split(":", maxsplit=1)[0].split(", asked ", maxsplit=1)[0]


def _fleet_alone(study: Study) -> Evaluation | None:
    """Return the nearest design that would be admitted if the machines it lacks were bought."""
    found = [
        e for e in study.evaluations if {_what(reason) for reason in study.exclusions(e.id)} == {"misses the fleet"}
    ]
    return min(found, key=lambda e: distance(e, study.screening), default=None)


def _of(study: Study, what: str, count: int) -> str:
    return f"{what.removeprefix('misses ')} ({count} of {len(study.evaluations)} designs)"


__all__ = ["nearest", "nearest_lines", "undecided"]
