"""Weights that several people gave back: what they agree on, where they differ, and what they can decide together."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import Fault, InputError, UndecidedError
from kubeanswers.inputs import decoded, read_bytes
from kubeanswers.records import dataclass
from tenancykit.criterion_names import CRITERIA, FOUR
from tenancykit.decision.reigns import Reign
from tenancykit.decision.stakeholders import Consensus, Stakeholder, consensus
from tenancykit.decision.weights import direct_weights
from tenancykit.scenario import model
from tenancykit.study.comparison import Study

SCHEMA: Final = "tenancykit/weights/v1"
_LARGEST: Final = 65_536
_MOST_POINTS: Final = 1_000_000.0
_NAME: Final = 80


@dataclass(frozen=True)
class Answer:
    """One file of weights.

    Attributes:
        who: whose weights they are.
        points: points by criterion, on any scale.
        question: hash of the scales they were asked about.
        file: where they were read.
    """

    who: str
    points: Mapping[str, float]
    question: str
    file: str


@dataclass(frozen=True)
class Collected:
    """What a group says.

    Attributes:
        study: the study, weighed by the group's mean, with each person as a stakeholder.
        consensus: rankings per person, the mean's ranking, regrets.
    """

    study: Study
    consensus: Consensus

    @property
    def reigns(self) -> tuple[Reign, ...]:
        """Who is first over the range of the group's worth of isolation in money, the rest as the mean has it."""
        return self.study.reigns()


def collect(study: Study, given: Iterable[str | os.PathLike[str] | tuple[str, bytes]], *, question: str) -> Collected:
    """Return what files of weights say together.

    The arguments are those of :func:`tenancykit.collect`; ``question`` is the hash of the
    scales the weights were given for.

    Raises:
        InputError: every fault of every file; two people share a name; or there is no file.
        UndecidedError: the study admits no design.
    """
    if study.scaled is None:
        raise UndecidedError(study.nobody())
    answers: list[Answer] = []
    faults: list[Fault] = []
    for one in given:
        try:
            answers.append(answer_in(one[1], one[0]) if isinstance(one, tuple) else read_answer(one))
        except InputError as error:
            faults += error.faults
    faults += _clashes(answers, question)
    if not answers and not faults:
        faults.append(Fault("weights", "no file was given", "files that a shared page made"))
    if faults:
        raise InputError(faults)
    points = {a.who: direct_weights(a.points, CRITERIA, normalise=True) for a in answers}
    heard = [Stakeholder(who, study.scales.tree.heard(weights)) for who, weights in points.items()]
    found = consensus(study.scaled, heard)
    people = {who: model.Weights.by_criterion(weights.as_dict(), normalise=True) for who, weights in points.items()}
    scenario = study.scenario.model_copy(update={"stakeholders": people})
    return Collected(replace(study, scenario=scenario, weights=found.weights), found)


def read_answer(path: str | os.PathLike[str]) -> Answer:
    """Return one person's weights.

    Raises:
        InputError: every fault of the file.
    """
    return answer_in(read_bytes(path, _LARGEST), str(Path(path)))


def answer_in(content: bytes, name: str) -> Answer:
    """Return the weights in what a file holds.

    Args:
        content: what is in the file.
        name: how faults call it.

    Raises:
        InputError: every fault of the file.
    """
    if len(content) > _LARGEST:
        raise InputError(Fault(name, f"holds {len(content):,} bytes", f"at most {_LARGEST:,}", "name the right file"))
    try:
        data = json.loads(decoded(content, name), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        what = f"is no JSON: {error.msg}" if error.doc.strip() else "is empty"
        raise InputError(Fault(f"{name}:{error.lineno}", what, "a file that a shared page made")) from None
    except (ValueError, RecursionError):
        raise InputError(Fault(name, "is no JSON of weights", "a file that a shared page made")) from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        named = data.get("schema") if isinstance(data, dict) else None
        what = "is of another version" if str(named).startswith(SCHEMA.rpartition("/")[0]) else "is no file of weights"
        cure = "download it from a page that this version shared"
        raise InputError(Fault(name, what, f"schema: {SCHEMA}", cure))
    faults = [*_faults(data, name)]
    if faults:
        raise InputError(faults)
    points = {key: float(data["weights"].get(key, 0.0)) for key in CRITERIA}
    return Answer(data["who"].strip(), points, data["question"], name)


def _no_constant(text: str) -> float:
    raise ValueError(text)


def _faults(data: Mapping[str, Any], name: str) -> Iterator[Fault]:
    who, weights = data.get("who"), data.get("weights")
    if not isinstance(who, str) or not who.strip() or len(who) > _NAME or not who.isprintable():
        yield Fault(f"{name}: who", "is no name", f"1 to {_NAME} printable characters")
    if not isinstance(data.get("question"), str):
        yield Fault(f"{name}: question", "is missing", "the number the page wrote")
    if not isinstance(weights, dict) or not set(FOUR) <= set(weights) <= set(CRITERIA):
        yield Fault(f"{name}: weights", "are not those of the criteria", ", ".join(CRITERIA))
        return
    wrong = [key for key in weights if not _is_points(weights[key])]
    for key in wrong:
        yield Fault(f"{name}: weights.{key}", f"is {str(weights[key])[:40]!r}", f"a number from 0 to {_MOST_POINTS:g}")
    if not wrong and not any(weights.values()):
        yield Fault(f"{name}: weights", "are all zero", "at least one above 0")


def _is_points(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= _MOST_POINTS and math.isfinite(value)


def _clashes(answers: Iterable[Answer], question: str) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for answer in answers:
        key = answer.who.casefold()
        if key in seen:
            told = f"{answer.who!r} gave weights in {seen[key]} already"
            yield Fault(f"{answer.file}: who", told, "a name for each", "change one name, or leave the older file out")
        seen.setdefault(key, answer.file)
        if answer.question != question:
            told = "the weights were given for other scales than this scenario has now"
            yield Fault(f"{answer.file}: question", told, question, "share a new page and ask again")


__all__ = ["SCHEMA", "Answer", "Collected", "answer_in", "collect", "read_answer"]
