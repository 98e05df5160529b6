"""What an exercise is, and what its check says."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from kubeanswers.records import dataclass
from tenancykit.drawing import Drawable, html_of, text_of


@dataclass(frozen=True)
class Verdict(Drawable):
    """What the check of an answer says: right, or what is wrong without the answer.

    Attributes:
        exercise: number of the exercise.
        passed: whether the answer is right.
        message: why it is, or what to look at again.
    """

    exercise: int
    passed: bool
    message: str


@dataclass(frozen=True)
class Exercise(Drawable):
    """One exercise.

    Attributes:
        number: its number.
        title: what it is about.
        question: what is asked, and the form of the answer.
        hints: the first says where to look, the last nearly how.
        check: returns whether an answer is right and what to say; raises ``InputError`` where its form is wrong.
    """

    number: int
    title: str
    question: str
    hints: tuple[str, ...]
    check: Callable[[Any], tuple[bool, str]]


def verdict_text(verdict: Verdict) -> str:
    """Return a verdict for a terminal."""
    return f"exercise {verdict.exercise}: {'right' if verdict.passed else 'not yet'} - {verdict.message}"


@html_of.register
def verdict_html(verdict: Verdict) -> str:
    """Return a verdict with a sign that is read without colour."""
    sign, back, edge = "\u2717 not yet", "#fdf0dc", "#d55e00"
    if verdict.passed:
        sign, back, edge = "\u2713 right", "#e3f4ee", "#009e73"
    return (
        f'<div role="status" style="background:{back};border-left:5px solid {edge};color:#222;padding:6px 10px;'
        f'font:14px system-ui,sans-serif"><b>{sign}</b> (exercise {verdict.exercise}): '
        f"{html.escape(verdict.message)}</div>"
    )


def exercise_text(exercise: Exercise) -> str:
    """Return an exercise's question for a terminal."""
    return f"{exercise.number}. {exercise.title}\n{exercise.question}"


@html_of.register
def exercise_html(exercise: Exercise) -> str:
    """Return an exercise's question."""
    return (
        f'<div style="font:14px system-ui,sans-serif;color:#222;background:#fff;max-width:860px">'
        f"<h3>{exercise.number}. {html.escape(exercise.title)}</h3><p>{html.escape(exercise.question)}</p></div>"
    )


text_of.register(Verdict, verdict_text)
text_of.register(Exercise, exercise_text)
