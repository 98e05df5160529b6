"""The course as printed: the handout has two pages, no slide runs over, both say what the repository says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import tenancykit as tk
from tenancykit.catalogue.barriers import load_isolation

if TYPE_CHECKING:
    from tests.browser.conftest import Watched

PAGE = 1010
"""Height that A4 holds within the handout's margins, in CSS pixels."""


@pytest.fixture(scope="module")
def course() -> ModuleType:
    spec = importlib.util.spec_from_file_location("course", Path(__file__).parents[2] / "docs" / "course.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_handout_has_criteria_and_levels_on_one_page_and_the_words_on_another(
    course: ModuleType, watched: Watched, tmp_path: Path
) -> None:
    (tmp_path / "handout.html").write_text(course.handout())
    watched.page.set_viewport_size({"width": 680, "height": PAGE})
    watched.page.emulate_media(media="print")
    watched.page.goto((tmp_path / "handout.html").as_uri())
    words = watched.page.locator(".words").bounding_box()
    assert words is not None
    assert words["y"] <= PAGE
    assert words["height"] <= PAGE
    text = watched.page.inner_text("body")
    for level in load_isolation(tk.load_catalogue()).levels.values():
        assert all(rule.why in text for rule in level.rules)
    assert {"admission", "tenant", "trait"} <= {word for word, _ in course.glossary()}
    watched.shot("handout")


def test_every_exercise_has_a_slide_and_no_slide_runs_over(
    course: ModuleType, watched: Watched, tmp_path: Path
) -> None:
    (tmp_path / "slides.html").write_text(course.slides())
    watched.page.goto((tmp_path / "slides.html").as_uri())
    text = watched.page.inner_text("body")
    assert all(f"Exercise {number}. {title}" in text for number, (title, _) in course.exercises().items())
    over = "[...document.querySelectorAll('section')].filter(s => s.scrollHeight > s.clientHeight + 1).length"
    assert watched.page.evaluate(over) == 0
    watched.shot("slides")
