"""An exam of fresh scenarios: what an expert wrote down before the product was asked, and how an answer is marked.

Each file of ``cases`` holds a scenario and, above it, which first places an expert would accept and which never
(conditions over a class's facts), what the first lines have to say and must not, hand-calculated figures, how sure one
may be, and changes of the scenario after which the first place must hold or move.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

import tenancykit as tk
from tenancykit.conditions import parse_condition
from tenancykit.report.opening import opening
from tenancykit.scenario.model import Weights
from tenancykit.study.certainty import recommended


def _cases(folder: str) -> dict[str, Path]:
    return {path.stem: path for path in sorted((Path(__file__).parent / folder).glob("*.yaml"))}


FIRST: Final = _cases("cases")
SECOND: Final = _cases("second")
THIRD: Final = _cases("third")
FOURTH: Final = _cases("fourth")
FIFTH: Final = _cases("fifth")
SIXTH: Final = _cases("sixth")
SEVENTH: Final = _cases("seventh")
EIGHTH: Final = _cases("eighth")
NINTH: Final = _cases("ninth")
TENTH: Final = _cases("tenth")
CASES: Final = {**FIRST, **SECOND, **THIRD, **FOURTH, **FIFTH, **SIXTH, **SEVENTH, **EIGHTH, **NINTH, **TENTH}
"""The scenarios with what is expected, by name: those of all exams."""

POINTS: Final = {
    "acceptable": 2.0,
    "never": 1.0,
    "says": 2.0,
    "silent": 1.0,
    "figures": 2.0,
    "word": 1.0,
    "steady": 1.0,
    "changes": 2.0,
}
"""Points of each question of one scenario. Those asked count as ten in all: not every scenario has changes."""

HAND_CALCULATED: Final = ("gpus", "machines", "total", "days")
"""Figures an expert may state: cards, machines' price a month, the whole bill a month, person-days to get there."""


@dataclass(frozen=True)
class Mark:
    """The answer to one question.

    Attributes:
        question: which of :data:`POINTS`.
        share: how much of it is right, 0..1.
        wrong: what is wrong, in words.
    """

    question: str
    share: float
    wrong: str = ""


def mark(name: str) -> tuple[tk.Study, tuple[Mark, ...]]:
    """Return a scenario's comparison and its marks."""
    asked = yaml.safe_load(CASES[name].read_text())
    study = _compared(asked["scenario"])
    return study, tuple(_marks(study, asked))


def _compared(scenario: Mapping[str, Any]) -> tk.Study:
    return tk.compare(tk.parse_scenario(yaml.safe_dump(scenario, sort_keys=False)))


def _marks(study: tk.Study, asked: Mapping[str, Any]) -> Iterator[Mark]:
    told = " ".join(opening(study).lines)
    if asked.get("nobody"):
        admitted = study.ranking is not None
        for question in ("acceptable", "never", "figures", "word", "steady"):
            yield Mark(question, float(not admitted), "somebody is admitted" if admitted else "")
    else:
        yield from _first(study, asked)
    missing = [said for said in asked["says"] if not re.search(said, told)]
    yield Mark("says", 1 - len(missing) / len(asked["says"]), f"does not say {missing}" if missing else "")
    extra = [found[0] for text in asked["silent"] if (found := re.search(text, told))]
    yield Mark("silent", float(not extra), f"says {extra}" if extra else "")
    if changes := asked.get("changes"):
        missed = [words for change in changes for words in [_missed(asked["scenario"], change)] if words]
        yield Mark("changes", 1 - len(missed) / len(changes), "; ".join(missed))


def _missed(scenario: Mapping[str, Any], change: Mapping[str, Any]) -> str:
    """Return what is wrong with the first place once the scenario is changed; empty where nothing is."""
    study = _compared(changed(scenario, change["set"]))
    said = f"after {change['set']}"
    if change.get("nobody") or study.ranking is None:
        wrong = (study.ranking is None) != bool(change.get("nobody"))
        return f"{said}: {study.nobody() if study.ranking is None else 'somebody is admitted'}" if wrong else ""
    holds = _hold(study, change["then"])
    return "" if all(holds) else f"{said}: first is {study.best.resolved.long}"


def changed(scenario: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario with values set at dotted paths; numbers are places in lists."""
    copy: Any = deepcopy(dict(scenario))
    for path, value in values.items():
        *before, last = (int(step) if step.isdecimal() else step for step in path.split("."))
        at = copy
        for step in before:
            at = at.setdefault(step, {}) if isinstance(at, dict) else at[step]
        at[last] = value
    return dict(copy)


def _hold(study: tk.Study, conditions: Mapping[str, str]) -> list[bool]:
    facts = {c.tenant_class.id: c.facts for c in study.best.resolved.classes}
    return [parse_condition(text).holds(facts[which]) for which, text in conditions.items()]


def _first(study: tk.Study, asked: Mapping[str, Any]) -> Iterator[Mark]:
    if study.ranking is None or study.verdict is None:
        yield Mark("acceptable", 0.0, study.nobody())
        return
    name = study.best.resolved.long
    right = all(_hold(study, asked["acceptable"]))
    yield Mark("acceptable", float(right), "" if right else f"first is {name}")
    absurd = any(_hold(study, asked["never"]))
    yield Mark("never", float(not absurd), f"first is {name}" if absurd else "")
    cost = study.best.scores["cost"].figures
    machines = cost["per_month"].get("GPU nodes", 0.0) + cost["per_month"]["CPU nodes"]
    total, days = (study.best.scores[name].value for name in ("cost", "effort"))
    figures = dict(zip(HAND_CALCULATED, (cost["gpus"]["bought"], machines, total, days), strict=True))
    stated = {k: v for k, v in figures.items() if k in asked}
    off = [f"{k} {v:,.0f}, not {asked[k]}" for k, v in stated.items() if not asked[k][0] <= v <= asked[k][1]]
    yield Mark("figures", 1 - len(off) / len(stated), "; ".join(off))
    sure = study.verdict.word in asked["word"]
    yield Mark("word", float(sure), "" if sure else f"{study.verdict.word} {study.verdict.share:.0%}")
    moved = [*unsteady(study)]
    yield Mark("steady", float(not moved), "; ".join(moved))


def unsteady(study: tk.Study) -> Iterator[str]:
    """Yield what overturns a first place that is called clear: another weight by a twentieth, or a rival left out."""
    if study.verdict is None or study.verdict.word != "clear":
        return
    first = recommended(study.best)
    weights = study.weights.as_dict()
    for name in weights:
        for factor in (0.95, 1.05):
            moved = {k: w * factor if k == name else w for k, w in weights.items()}
            again = study.with_weights(Weights.by_criterion(moved, normalise=True))
            if recommended(again.best) != first:
                yield f"{name} x {factor}: {again.best.id}"


def score(marks: tuple[Mark, ...]) -> float:
    """Return a scenario's points of ten."""
    return 10 * sum(POINTS[one.question] * one.share for one in marks) / sum(POINTS[one.question] for one in marks)
