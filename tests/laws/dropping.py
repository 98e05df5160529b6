"""Law 7's clause on rivals: whichever one is left out, a first place that is called clear stays, and stays clear."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tenancykit.criterion_names import FOUR
from tenancykit.scenario.model import Weights
from tenancykit.study.comparison import Study, study_of


def leaning(study: Study, *criteria: str) -> Iterator[Study]:
    """Yield the study as somebody weighs it to whom one of the criteria is nearly everything."""
    for name in criteria or FOUR:
        yield study.with_weights(Weights.by_criterion({**dict.fromkeys(FOUR, 0.05), name: 0.85}))


def rivals_left_out(study: Study) -> int:
    """Leave every rival of a clear first place out in turn, and return how many there were; 0 where it is not clear.

    Raises:
        AssertionError: without one of them another design is first, or the first place is not clear.
    """
    found = study.verdict
    assert found is not None
    if found.word != "clear":
        return 0
    rivals = [e for e in study.evaluations if study.rank(e.id) and e.id not in found.family]
    for rival in rivals:
        rest = [e for e in study.evaluations if e is not rival]
        left = replace(study_of(study.scenario, study.catalogue, rest), weights=study.weights)
        assert left.best.id == study.best.id, f"{rival.id} overturns a first place that is called clear"
        assert left.verdict is not None
        assert left.verdict.word == "clear", f"without {rival.id} the first place is {left.verdict.word}"
    return len(rivals)
