"""What is said first where no design is admitted: the nearest ones, what stands in the way, what buying would take."""

from __future__ import annotations

import re

from tenancykit.report.figures import listed
from tenancykit.study.certainty import kin
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.exchange_rates import three_digits


def nearest(study: Study) -> tuple[str, ...]:
    """Return the nearest designs of different families that are not admitted, with what each misses."""
    families = kin(study.evaluations)
    told: dict[tuple[str, ...], str] = {}
    for evaluation in sorted(study.evaluations, key=lambda e: _distance(study, e)):
        if (reasons := study.exclusions(evaluation.id)) and not _admitted_twin(study, evaluation):
            family = next(group for group in families if evaluation.id in group)
            more = [f"{len(reasons) - 3} more"] if len(reasons) > 3 else []
            told.setdefault(family, f"{evaluation.name}, which {listed([*map(_reason, reasons[:3]), *more])}")
    return tuple(told.values())


def _admitted_twin(study: Study, evaluation: Evaluation) -> bool:
    twins = next(group for group in kin(study.evaluations) if evaluation.id in group)
    return any(study.rank(label) is not None for label in twins)


def _distance(study: Study, evaluation: Evaluation) -> tuple[int, int, float, float]:
    """Return how far a design is from being admitted: rules broken, requirements missed, by how much, its cost."""
    misses = study.screening.misses(evaluation.id)
    far = sum(miss.gap if miss.requirement.kind == "shortage" else miss.relative for miss in misses)
    return len(evaluation.resolved.violations), len(misses), far, evaluation.scores["cost"].value


def _reason(reason: str) -> str:
    """Return an exclusion as the end of a sentence, without the rule's id and its condition."""
    text = re.sub(r" \((?:rule [^)]*|needs [^()]*(?:\([^()]*\))?[^()]*)\)", "", reason)
    return text if text.startswith(("misses", "does not")) else f"is not valid ({text})"


def undecided(study: Study) -> str:
    """Return what most designs miss, and what buying would take where a fixed fleet is too small."""
    counts: dict[str, int] = {}
    for evaluation in study.evaluations:
        for what in dict.fromkeys(r.split(" by ")[0].split(":")[0] for r in study.exclusions(evaluation.id)):
            counts[what] = counts.get(what, 0) + 1
    common = [what for what in sorted(counts, key=lambda what: -counts[what]) if what.startswith("misses ")][:2]
    told = [f"What stands in the way most often: {listed([_of(study, what, counts[what]) for what in common])}."]
    near = min(study.evaluations, key=lambda e: _distance(study, e))
    fleet = near.scores["cost"].figures["fleet"]
    if fleet and any("misses the fleet" in reason for reason in study.exclusions(near.id)):
        money = near.scenario.infrastructure.currency
        told.append(
            f"Buying what {near.name} lacks would take {three_digits(fleet['purchase_per_month'])} {money} a month "
            f"(infrastructure.buying: allowed)."
        )
    return " ".join(told) if common else ""


def _of(study: Study, what: str, count: int) -> str:
    return f"{what.removeprefix('misses ')} ({count} of {len(study.evaluations)} designs)"


__all__ = ["nearest", "undecided"]
