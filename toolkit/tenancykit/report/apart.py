"""Names of designs in a list: short ones, and longer ones where short ones are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tenancykit.sentences import with_and_without
from tenancykit.study.evaluation import Evaluation


def names_apart(evaluations: Iterable[Evaluation]) -> dict[str, str]:
    """Return what each design of a list is called, by id.

    A short name that several have gives way to what is built on top as well; where that is the same too, all but the
    first say what they choose otherwise than it. Names somebody gave stay.
    """
    designs = tuple(evaluations)
    found = {e.id: e.name for e in designs}
    found |= {e.id: e.resolved.long or e.name for e in _alike(designs, found)}
    first: dict[str, Evaluation] = {}
    for evaluation in _alike(designs, found):
        one = first.setdefault(found[evaluation.id], evaluation)
        if one is not evaluation:
            found[evaluation.id] += _unlike(evaluation, one)
    return found


def _alike(evaluations: tuple[Evaluation, ...], found: dict[str, str]) -> list[Evaluation]:
    times = Counter(found.values())
    return [e for e in evaluations if times[found[e.id]] > 1 and not e.resolved.design.named]


def _unlike(evaluation: Evaluation, other: Evaluation) -> str:
    """Return what a design chooses that another of the same name does not, and the other way round, in brackets."""
    mine, theirs = (
        {option.id: option.name for each in e.resolved.classes for option in each.options} for e in (evaluation, other)
    )
    has = [name for key, name in mine.items() if key not in theirs]
    lacks = [name for key, name in theirs.items() if key not in mine]
    told = with_and_without(has, lacks)
    return f" ({', '.join(told)})" if told else ""


__all__ = ["names_apart"]
