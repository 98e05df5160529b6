"""The whole space of valid designs for one scenario: which of them nothing beats, and how far that is proven.

Several processes share the work through any executor of ``concurrent.futures``; several machines through Dask::

    from dask.distributed import Client

    with Client("tcp://scheduler:8786") as client:
        found = explore(scenario, catalogue, executor=client.get_executor(), save="sweep.npz")

Workers need this package in the same version, and the user's catalogue folders under the same paths. Only the scenario
and numbers of designs travel there, and figures back; results are those of one process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

from kubeanswers.errors import Fault, InputError, did_you_mean
from tenancykit.catalogue.model import DIMENSIONS, Dimension
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criterion_names import ADDED
from tenancykit.design.needs import narrowed_needs
from tenancykit.scenario.model import Scenario
from tenancykit.study.comparison import Progress
from tenancykit.study.discovery import Exploration, Found
from tenancykit.study.searching import Search, Stop
from tenancykit.study.sweeping import Question

LIMIT: Final = 20_000
"""Designs that are measured unless another budget is given: about half a minute."""

BILLS: Final = 5_000
"""Designs that are priced in full for the front unless another budget is given: pricing takes longest."""

PER_CLASS_LIMIT: Final = 8_000
"""The same on the command line where classes choose for themselves: what finds the handful in half a minute."""


def explore(
    scenario: Scenario,
    catalogue: Catalogue,
    *,
    allowed: Mapping[str, Sequence[str]] | None = None,
    limit: int = LIMIT,
    per_class: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
    save: Path | str | None = None,
    resume: Path | str | None = None,
    stop: Stop | None = None,
    prove: bool = False,
    bills: int = BILLS,
) -> Exploration:
    """Return the designs that nothing beats, among all valid designs of a scenario.

    The arguments are those of :func:`tenancykit.explore`.

    Raises:
        InputError: an allowed option or dimension is unknown, the limit is not positive, ``resume`` is of another
            version, scenario or catalogue, or a criterion beside the four has a weight.
        UndecidedError: no design is valid; names what refuses most.
    """
    if limit < 1:
        raise InputError(Fault("explore", f"limit is {limit}", "a positive number of designs"))
    if bills < 1:
        raise InputError(Fault("explore", f"bills is {bills}", "a positive number of designs"))
    if weighed := [name for name in ADDED if scenario.weights.added.get(name)]:
        what = f"measures the four criteria over whole spaces, and {', '.join(weighed)} has a weight beside them"
        raise InputError(Fault("explore", what, cure="compare designs instead, or take it out of weights.added"))
    kept = _checked(allowed or {}, catalogue)
    scenario = narrowed_needs(scenario, catalogue, kept)
    question = Question.of(scenario, catalogue, kept, per_class=per_class)
    return Search(
        question, catalogue, limit, executor, progress, _path(save), _path(resume), stop, prove, bills
    ).explore()


def _path(given: Path | str | None) -> Path | None:
    return None if given is None else Path(given)


def _checked(allowed: Mapping[str, Sequence[str]], catalogue: Catalogue) -> dict[Dimension, tuple[str, ...]]:
    faults = []
    kept: dict[Dimension, tuple[str, ...]] = {}
    for name, options in allowed.items():
        dimension = next((known for known in DIMENSIONS if known == name), None)
        if dimension is None:
            cure = did_you_mean(name, DIMENSIONS)
            faults.append(Fault("allowed", f"unknown dimension {name!r}", ", ".join(DIMENSIONS), cure))
            continue
        known = [option.id for option in catalogue.in_dimension(dimension)]
        faults += [
            Fault(f"allowed.{name}", f"unknown option {option!r}", ", ".join(known), did_you_mean(option, known))
            for option in options
            if option not in known
        ]
        kept[dimension] = tuple(options)
    if faults:
        raise InputError(faults)
    return kept


__all__ = ["BILLS", "LIMIT", "Exploration", "Found", "Stop", "explore"]
