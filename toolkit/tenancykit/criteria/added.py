"""A fifth criterion: what it has to say of itself, how it is registered, and how designs are measured by it.

A criterion of ours lives in a folder of its own beside ``isolation``, whose module calls :func:`register`, and has its
line in ``criterion_names.OURS``; anybody else calls :func:`register`. Every table, weight, explanation and record then
shows it after the four. It weighs nothing until a scenario gives it a weight (``weights: {added: {ID: 0.2}}``).
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.score import Better, Score
from tenancykit.criterion_names import ADDED, CRITERIA, CriterionName, add_name, remove_name
from tenancykit.design.model import ResolvedDesign
from tenancykit.scenario.model import Scenario, Weights

Measure = Callable[[ResolvedDesign, Scenario, Catalogue], Score]

_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class AddedCriterion:
    """A criterion beside the four.

    Attributes:
        id: the word it has in scenarios, tables and JSON: lower-case letters, digits and ``_``.
        title: its title for people.
        unit: unit of its figure.
        better: whether a higher or a lower figure is better.
        worst: figure of value 0, where the scenario states no other.
        best: figure of value 1, where the scenario states no other.
        why: where the two ends come from: a source, or the word *assumption*.
        measure: gives a design's score; called once a design, with the design looked up.
        short: title where a table has to be narrow; the title where empty.
    """

    id: str
    title: str
    unit: str
    better: Better
    worst: float
    best: float
    why: str
    measure: Measure
    short: str = ""


_registered: dict[str, AddedCriterion] = {}


def register(criterion: AddedCriterion) -> None:
    """Show and weigh one more criterion everywhere, in this process.

    Raises:
        InputError: everything wrong with what it says of itself, at the file and line of its measure.
    """
    faults = [*_faults(criterion)]
    if faults:
        raise InputError(faults)
    _registered[criterion.id] = criterion
    add_name(CriterionName(criterion.id, criterion.title, criterion.short or criterion.title))


def withdraw(criterion: str) -> None:
    """Forget a registered criterion; nothing happens where there is none of that id."""
    if _registered.pop(criterion, None) is not None:
        remove_name(criterion)


@contextmanager
def registration(criterion: AddedCriterion) -> Iterator[AddedCriterion]:
    """Register a criterion for as long as a ``with`` block lasts.

    Raises:
        InputError: as :func:`register`.
    """
    register(criterion)
    try:
        yield criterion
    finally:
        withdraw(criterion.id)


def registered() -> tuple[AddedCriterion, ...]:
    """Return the criteria beside the four, in the order they are shown."""
    return tuple(_registered[name] for name in ADDED)


def measure_added(resolved: ResolvedDesign, scenario: Scenario, catalogue: Catalogue) -> dict[str, Score]:
    """Return a design's score on every criterion beside the four.

    Raises:
        InputError: a measure gave something that is no score of its criterion.
    """
    scores = {}
    for criterion in registered():
        score = criterion.measure(resolved, scenario, catalogue)
        if (fault := _score_fault(criterion, score, resolved.id)) is not None:
            raise InputError(fault)
        scores[criterion.id] = score
    return scores


def _faults(criterion: AddedCriterion) -> Iterator[Fault]:
    where = _place(criterion)
    taken = {*CRITERIA, *Weights.model_fields}
    if not _ID.fullmatch(criterion.id):
        yield Fault(f"{where}: id", f"{criterion.id!r} is no id", "lower-case letters, digits and '_', a letter first")
    elif criterion.id in taken:
        yield Fault(f"{where}: id", f"{criterion.id!r} is taken", cure="choose another id, or withdraw the other first")
    for field in ("title", "unit", "why"):
        if not str(getattr(criterion, field)).strip():
            yield Fault(f"{where}: {field}", "is empty", cure=f"say what the {field} is")
    if criterion.better not in ("higher", "lower"):
        yield Fault(f"{where}: better", f"is {criterion.better!r}", "higher, lower")
    elif not (math.isfinite(criterion.worst) and math.isfinite(criterion.best)):
        yield Fault(f"{where}: worst, best", f"are {criterion.worst} and {criterion.best}", "two finite numbers")
    elif criterion.worst == criterion.best or (criterion.best > criterion.worst) != (criterion.better == "higher"):
        what = f"worst is {criterion.worst:g} and best {criterion.best:g}, and {criterion.better} is better"
        yield Fault(f"{where}: worst, best", what, cure="exchange the two ends or turn better round")
    if not callable(criterion.measure):
        what = f"is {criterion.measure!r}"
        yield Fault(f"{where}: measure", what, "a function of design, scenario and catalogue that returns a Score")


def _score_fault(criterion: AddedCriterion, score: object, design: str) -> Fault | None:
    """Return what is wrong with what a measure gave, None where nothing is."""
    where = f"{_place(criterion)}: {criterion.id} of {design}"
    if not isinstance(score, Score):
        return Fault(where, f"the measure gave {type(score).__name__}", "a Score", "return a tenancykit Score")
    for field in ("id", "unit", "better"):
        told, own = getattr(score, "criterion" if field == "id" else field), getattr(criterion, field)
        if told != own:
            return Fault(where, f"the score's {field} is {told!r}", repr(own), f"return the criterion's own {field}")
    if not (math.isfinite(score.value) and score.low <= score.value <= score.high):
        what = f"the score is {score.value:g} between {score.low:g} and {score.high:g}"
        return Fault(where, what, "a finite value within its interval", "order low, value and high")
    return None


def _place(criterion: AddedCriterion) -> str:
    """Return file and line of a criterion's measure, or its id where that is no function of a file."""
    code = getattr(inspect.unwrap(criterion.measure), "__code__", None) if callable(criterion.measure) else None
    return f"criterion {criterion.id!r}" if code is None else f"{code.co_filename}:{code.co_firstlineno}"
