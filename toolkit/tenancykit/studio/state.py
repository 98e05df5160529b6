"""One moment of a studio's session, as frozen values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from kubeanswers.source import parse_yaml, read_text
from tenancykit.criterion_names import CRITERIA
from tenancykit.design.model import Design
from tenancykit.scenario.model import Scenario, Weights
from tenancykit.scenario.reading import scenario_of
from tenancykit.studio.edits import scenario_text

_UNMEASURED: Final = ("weights", "stakeholders", "title", "description", "credit")
"""Parts of a scenario that no criterion reads."""


@dataclass(frozen=True)
class Question:
    """A scenario with the text it was read from.

    Attributes:
        text: its YAML.
        scenario: what the text says.
        key: hash of everything the criteria read; equal keys have equal figures.
    """

    text: str
    scenario: Scenario
    key: str


@dataclass(frozen=True)
class State:
    """One moment of a session.

    Attributes:
        question: the last scenario without faults; the figures are about it.
        draft: the text as it is being edited, where it holds faults; else empty.
        faults: the faults of the draft.
        weights: importance of each criterion, any scale.
        candidates: designs that are compared; None for all.
        variants: further designs as text.
        own: further designs that are neither references nor variants: made by hand or found by exploring.
        opened: design that is open; empty for the first in rank.
        beside: design compared with it; empty for the runner-up.
        criterion: criterion that is open.
    """

    question: Question
    weights: Mapping[str, float]
    draft: str = ""
    faults: tuple[Fault, ...] = ()
    candidates: tuple[str, ...] | None = None
    variants: tuple[str, ...] = ()
    own: tuple[Design, ...] = ()
    opened: str = ""
    beside: str = ""
    criterion: str = CRITERIA[0]

    @property
    def text(self) -> str:
        """The scenario's text as the editor shows it."""
        return self.draft or self.question.text


def question_of(text: str, scenario: Scenario) -> Question:
    """Return a scenario with its text and the hash of what the criteria read."""
    data = scenario.model_dump(mode="json", by_alias=True, exclude=set(_UNMEASURED))
    told = json.dumps([data, str(scenario.folder or "")], sort_keys=True)
    return Question(text, scenario, hashlib.sha256(told.encode()).hexdigest())


def importance(weights: Weights) -> Mapping[str, float]:
    """Return weights by criterion."""
    return MappingProxyType(weights.of_criteria())


def text_of(scenario: Scenario) -> str:
    """Return the text a scenario was read from where that still says the same, else YAML made of it."""
    folder: Path | None = scenario.folder
    file = folder / "scenario.yaml" if folder is not None else None
    if file is not None and file.is_file():
        try:
            text = read_text(file)
            if scenario_of(parse_yaml(text, str(file)), folder=folder) == scenario:
                return text
        except InputError:
            pass
    return scenario_text(scenario)
