"""The exercises: their words from ``exercises.yaml``, each with the check that judges its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import Field

from kubeanswers.errors import Fault, InputError
from kubeanswers.source import read_yaml
from tenancykit.scenario.fields import Model
from tenancykit.studio.workshop import checks, quotas
from tenancykit.studio.workshop.progress import note
from tenancykit.studio.workshop.verdict import Exercise, Verdict
from tenancykit.validation import validate

_WORDS: Final = Path(__file__).with_name("exercises.yaml")
_CHECKS: Final[Mapping[int, Callable[[Any], tuple[bool, str]]]] = MappingProxyType(
    {
        1: checks.ranking,
        2: checks.hardening,
        3: checks.turning_point,
        4: checks.bills,
        5: checks.idle_gpus,
        6: checks.sooner,
        7: quotas.designed,
        8: checks.mixed_design,
        9: checks.exported,
    }
)


class _Words(Model):
    """One exercise as it is written down."""

    number: int = Field(ge=1)
    title: str
    question: str
    hints: tuple[str, ...] = Field(min_length=1)


class _File(Model):
    """The file of exercises."""

    exercises: tuple[_Words, ...]


@cache
def exercises() -> tuple[Exercise, ...]:
    """Return the exercises in order of difficulty."""
    found = validate(_File, read_yaml(_WORDS)).exercises
    return tuple(Exercise(w.number, w.title, w.question, w.hints, _CHECKS[w.number]) for w in found)


def task(number: int) -> Exercise:
    """Return an exercise; it draws its question.

    Raises:
        InputError: there is no such exercise.
    """
    for exercise in exercises():
        if exercise.number == number:
            return exercise
    raise InputError(Fault("exercise", f"unknown exercise {number!r}", f"1 to {len(exercises())}"))


def check(number: int, answer: object) -> Verdict:
    """Return whether an answer is right, or what is wrong with it; never what would be right.

    Raises:
        InputError: there is no such exercise.
    """
    exercise = task(number)
    verdict = _judged(exercise, answer)
    note(verdict)
    return verdict


def _judged(exercise: Exercise, answer: object) -> Verdict:
    number = exercise.number
    if answer is None or answer is ...:
        return Verdict(number, passed=False, message=f"no answer yet; workshop.hint({number}) helps")
    try:
        passed, message = exercise.check(answer)
    except InputError as error:
        passed, message = False, "; ".join(map(str, error.faults))
    return Verdict(number, passed, message)


def hint(number: int, level: int = 1) -> str:
    """Return a hint; a higher level says more.

    Raises:
        InputError: there is no such exercise.
    """
    hints = task(number).hints
    chosen = min(max(level, 1), len(hints))
    return f"{hints[chosen - 1]} (hint {chosen} of {len(hints)})"
