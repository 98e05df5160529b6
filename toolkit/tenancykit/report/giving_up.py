"""What designs of one's own go without though they stand before a design that has it, and what they add in vain."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from tenancykit.report.apart import names_apart
from tenancykit.report.reasons import for_and_against
from tenancykit.sentences import listed, three_digits
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation

_SLIGHT: Final = 1.005
"""Times as long from which three digits tell the difference."""


def given_up(study: Study) -> Iterator[str]:
    """Yield per design of one's own what it lacks of a design behind it that has all it has and more, best first."""
    if study.ranking is None:
        return
    order = [study[label] for label in study.ranking.ordered()]
    for place, evaluation in enumerate(order):
        richer = [one for one in order[place + 1 :] if evaluation.resolved.design.origin == "own"]
        found = min(((more, one) for one in richer if (more := _more(one, evaluation))), key=_few, default=None)
        if found is not None:
            yield _told(study, evaluation, *found)


def opened_up(study: Study) -> Iterator[str]:
    """Yield per design of one's own what it adds to the design it is nearest to, and lies open longer for it."""
    for evaluation in study.evaluations:
        others = [one for one in study.evaluations if one is not evaluation]
        if evaluation.resolved.design.origin != "own" or not others:
            continue
        near = min(others, key=lambda one: (len(_beyond(evaluation, one)) + len(_beyond(one, evaluation)), one.id))
        safety = [study.value_of(one.id, "isolation") for one in (evaluation, near)]
        if (more := _beyond(evaluation, near)) and safety[0] < safety[1]:
            yield _opened(study, evaluation, near, more)


def _opened(study: Study, evaluation: Evaluation, near: Evaluation, more: list[str]) -> str:
    days, before = (one.scores["isolation"].detail.days for one in (evaluation, near))
    worst = max(days, key=lambda key: days[key] - before.get(key, 0.0))
    longer = days[worst] / before[worst] if before.get(worst) else math.inf
    told = f"{three_digits(longer)} times as long" if _SLIGHT <= longer < math.inf else "where it was next to never"
    told = told if longer >= _SLIGHT else "a little longer"
    less = _beyond(near, evaluation)
    swap = f" in place of {listed(less)}" if less else ""
    why = "" if less else "; what is added is shared by tenants or acts on what they write"
    name = names_apart(study.evaluations)[near.id]
    return f"With {listed(more)}{swap}, {name} lies open longer: {worst[1]} plane of {worst[0]} {told}{why}."


def _told(study: Study, evaluation: Evaluation, more: list[str], richer: Evaluation) -> str:
    called, found = names_apart(study.order), study.why(evaluation.id, richer.id)
    name = "It" if evaluation.id == study.best.id else called[evaluation.id]
    text = f"{name} goes without {listed(more)}, which {called[richer.id]} has, and stands {found.lead:.3f} before it"
    return f"{text[0].upper()}{text[1:]}: {for_and_against(study, found)}."


def _few(found: tuple[list[str], Evaluation]) -> tuple[int, str]:
    return len(found[0]), found[1].id


def _beyond(one: Evaluation, other: Evaluation) -> list[str]:
    """Return the titles of the options that a design has for some class and another has not."""
    found: dict[str, None] = {}
    for mine, theirs in zip(one.resolved.classes, other.resolved.classes, strict=True):
        has = {option.id for option in theirs.options}
        found.update((option.name, None) for option in mine.options if option.id not in has)
    return list(found)


def _more(richer: Evaluation, evaluation: Evaluation) -> list[str]:
    """Return the titles of the options that a design has beyond all those of another; empty where it lacks one."""
    return [] if _beyond(evaluation, richer) else _beyond(richer, evaluation)


__all__ = ["given_up", "opened_up"]
