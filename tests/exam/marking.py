"""An exam of fresh scenarios: what an expert wrote down before the product was asked, and how an answer is marked.

Each file of ``cases`` holds a scenario and, above it, which first places an expert would accept and which never
(conditions over a class's facts), what the first lines have to say and must not, hand-calculated figures, and how sure
one may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

import tenancykit as tk
from tenancykit.conditions import parse_condition
from tenancykit.report.opening import opening
from tenancykit.scenario.model import Weights
from tenancykit.study.certainty import recommended

CASES: Final = {path.stem: path for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))}
"""The scenarios with what is expected, by name."""

POINTS: Final = {
    "acceptable": 2.0,
    "never": 1.0,
    "says": 2.0,
    "silent": 1.0,
    "figures": 2.0,
    "word": 1.0,
    "steady": 1.0,
}
"""Points of each question of one scenario; ten in all."""


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
    study = tk.compare(tk.parse_scenario(yaml.safe_dump(asked["scenario"], sort_keys=False)))
    return study, tuple(_marks(study, asked))


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


def _first(study: tk.Study, asked: Mapping[str, Any]) -> Iterator[Mark]:
    if study.ranking is None or study.verdict is None:
        yield Mark("acceptable", 0.0, study.nobody())
        return
    facts = {c.tenant_class.id: c.facts for c in study.best.resolved.classes}
    name = study.best.resolved.long
    right = all(parse_condition(text).holds(facts[which]) for which, text in asked["acceptable"].items())
    yield Mark("acceptable", float(right), "" if right else f"first is {name}")
    absurd = any(parse_condition(text).holds(facts[which]) for which, text in asked["never"].items())
    yield Mark("never", float(not absurd), f"first is {name}" if absurd else "")
    cost = study.best.scores["cost"].figures
    machines = cost["per_month"].get("GPU nodes", 0.0) + cost["per_month"]["CPU nodes"]
    figures = {"gpus": cost["gpus"]["bought"], "machines": machines}
    off = [f"{k} {v:,.0f}, not {asked[k]}" for k, v in figures.items() if not asked[k][0] <= v <= asked[k][1]]
    yield Mark("figures", 1 - len(off) / 2, "; ".join(off))
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
    return sum(POINTS[one.question] * one.share for one in marks)
