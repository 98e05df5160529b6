"""What designs of one's own go without though they stand before a design that has it, and for how much."""

from __future__ import annotations

from collections.abc import Iterator

from tenancykit.report.apart import names_apart
from tenancykit.report.reasons import for_and_against
from tenancykit.sentences import listed
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation


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


def _told(study: Study, evaluation: Evaluation, more: list[str], richer: Evaluation) -> str:
    called, found = names_apart(study.order), study.why(evaluation.id, richer.id)
    name = "It" if evaluation.id == study.best.id else called[evaluation.id]
    text = f"{name} goes without {listed(more)}, which {called[richer.id]} has, and stands {found.lead:.3f} before it"
    return f"{text[0].upper()}{text[1:]}: {for_and_against(study, found)}."


def _few(found: tuple[list[str], Evaluation]) -> tuple[int, str]:
    return len(found[0]), found[1].id


def _more(richer: Evaluation, evaluation: Evaluation) -> list[str]:
    """Return the titles of the options that a design has beyond all those of another; empty where it lacks one."""
    found: dict[str, None] = {}
    for one, other in zip(richer.resolved.classes, evaluation.resolved.classes, strict=True):
        mine, theirs = ({option.id: option.name for option in side.options} for side in (one, other))
        if not theirs.keys() <= mine.keys():
            return []
        found.update((name, None) for key, name in mine.items() if key not in theirs)
    return list(found)


__all__ = ["given_up"]
