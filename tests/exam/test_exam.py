"""An exam written by an expert before the product was asked: first places, first lines, figures and certainty."""

from __future__ import annotations

import pytest

from tests.exam.marking import FIRST, POINTS, mark, score

BAR = 9.0
"""Points of ten that each scenario has to reach."""


@pytest.mark.parametrize("name", FIRST)
def test_an_expert_accepts_the_answer(name: str) -> None:
    _, marks = mark(name)
    assert {one.question for one in marks} | {"changes"} == set(POINTS)
    wrong = [f"{one.question}: {one.wrong}" for one in marks if one.wrong]
    assert score(marks) >= BAR, wrong
    assert all(one.share == 1 for one in marks if one.question in ("never", "steady")), wrong
