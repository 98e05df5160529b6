"""Names of designs in a list: short ones, and longer ones where short ones are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tenancykit.study.evaluation import Evaluation


def names_apart(evaluations: Iterable[Evaluation]) -> dict[str, str]:
    """Return what each design of a list is called, by id.

    A short name that several have gives way to what is built on top as well, and to who published the pattern where
    that is the same too. Names somebody gave stay.
    """
    listed = tuple(evaluations)
    found = {e.id: e.name for e in listed}
    for longer in (_with_what_is_on_top, _with_its_pattern):
        times = Counter(found.values())
        found |= {e.id: longer(e) for e in listed if times[found[e.id]] > 1 and not e.resolved.design.named}
    return found


def _with_what_is_on_top(evaluation: Evaluation) -> str:
    return evaluation.resolved.long or evaluation.name


def _with_its_pattern(evaluation: Evaluation) -> str:
    pattern, name = evaluation.resolved.published, _with_what_is_on_top(evaluation)
    return f"{name} ({pattern})" if pattern else name


__all__ = ["names_apart"]
