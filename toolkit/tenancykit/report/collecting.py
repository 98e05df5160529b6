"""What a group's weights say, in words and as data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from tenancykit.criterion_names import CRITERIA, SHORT
from tenancykit.report.apart import names_apart
from tenancykit.report.text import columns, wrapped
from tenancykit.sentences import listed
from tenancykit.study.collecting import Collected

COLLECTED: Final = "tenancykit/collected/v1"


def collected_text(found: Collected, before: Collected | None = None) -> str:
    """Return who weighs how, where they agree, where they differ, and what they can decide together.

    Args:
        found: what the group says.
        before: what it said before it talked.
    """
    people = found.consensus.stakeholders
    rows = [["", *(SHORT[name] for name in CRITERIA), "puts first"]]
    for person, ranking in zip(people, found.consensus.rankings, strict=True):
        rows.append([person.name, *(f"{w:.2f}" for w in person.weights.values), " or ".join(ranking.winners)])
    mean = found.consensus.ranking
    rows.append(["together", *(f"{w:.2f}" for w in found.consensus.weights.values), " or ".join(mean.winners)])
    told = [_agreement(found), *_conflict(found), *_decision(found), *([_talk(before, found)] if before else [])]
    lines = [*columns(rows, left={0, 5}), "", *(line for text in told for line in wrapped(text))]
    named = [line for text in _names(found, told) for line in wrapped(text, "  ", "    ")]
    return "\n".join([*lines, *(["", "The designs:", *named] if named else [])])


def _names(found: Collected, told: Sequence[str]) -> Iterator[str]:
    """Yield the names of the designs of which what is told says the id alone."""
    said = " ".join(told)
    names = names_apart(found.study.evaluations)
    for one in found.study.order:
        alone = re.search(rf"(?<![\w+-]){re.escape(one.id)}(?![\w+-])", said)
        if alone and f"{one.id} {one.name}" not in said:
            yield f"{one.id} is {names[one.id]}"


def _agreement(found: Collected) -> str:
    firsts = {ranking.winner for ranking in found.consensus.rankings}
    people = len(found.consensus.stakeholders)
    if people == 1:
        return f"One person was heard; they put {found.consensus.rankings[0].winner} first."
    if len(firsts) == 1:
        return f"Agreement: all {people} put {firsts.pop()} first, whatever their weights."
    by = {
        first: [
            p.name
            for p, r in zip(found.consensus.stakeholders, found.consensus.rankings, strict=True)
            if r.winner == first
        ]
        for first in sorted(firsts)
    }
    return "Conflict: " + "; ".join(f"{listed(who)} would choose {first}" for first, who in by.items()) + "."


def _conflict(found: Collected) -> list[str]:
    people = found.consensus.stakeholders
    if len(people) == 1:
        return []
    table = np.array([person.weights.values for person in people])
    spans = table.max(axis=0) - table.min(axis=0)
    column = int(spans.argmax())
    low, high = int(table[:, column].argmin()), int(table[:, column].argmax())
    told = []
    if spans[column] > 0:
        name = SHORT[CRITERIA[column]].lower()
        told.append(
            f"They differ most about {name}: {people[low].name} gives it {table[low, column]:.2f}, "
            f"{people[high].name} {table[high, column]:.2f}."
        )
    reigns = found.reigns
    if len(reigns) == 1:
        told.append(
            f"What isolation is worth in money need not be settled: {reigns[0].label} is first over their range."
        )
    elif reigns:
        parts = "; ".join(f"{reign.label} from {reign.low:.2f} to {reign.high:.2f} times" for reign in reigns)
        told.append(f"It turns on what isolation is worth in money, as a multiple of the mean's: {parts}.")
    return told


def _decision(found: Collected) -> list[str]:
    consensus = found.consensus
    joint, least = consensus.choice or consensus.ranking.winner, consensus.least_regret
    told = [f"Joint decision by the mean of the weights: {joint} {found.study[joint].name}. {_regret(found, joint)}"]
    if least != joint:
        told.append(
            f"{least} {found.study[least].name} disappoints the most disappointed least. {_regret(found, least)}"
        )
    return told


def moves(before: Collected, after: Collected) -> dict[str, dict[str, tuple[float, float]]]:
    """Return the weights of each person heard both times that differ, before and after."""
    earlier = {person.name.casefold(): person.weights.as_dict() for person in before.consensus.stakeholders}
    found = {}
    for person in after.consensus.stakeholders:
        then = earlier.get(person.name.casefold())
        if then is not None:
            now = person.weights.as_dict()
            found[person.name] = {n: (then[n], now[n]) for n in CRITERIA if abs(now[n] - then[n]) > _MOVED}
    return found


_MOVED: Final = 0.005
"""Difference of two weights below which they are shown alike."""


def _talk(before: Collected, after: Collected) -> str:
    """Return what talking changed: the joint decision, how far people are apart, and who moved."""
    then, now = (c.consensus.choice or c.consensus.ranking.winner for c in (before, after))
    told = [f"Before you talked: {_agreement(before)} The joint decision was {then}"]
    told.append(" and still is." if then == now else f" and is {now} now.")
    apart = [_apart(c) for c in (before, after)]
    told.append(f" Weights lay up to {apart[0]:.2f} apart, now {apart[1]:.2f}.")
    for name, changed in moves(before, after).items():
        if changed:
            parts = [f"{SHORT[n].lower()} from {a:.2f} to {b:.2f}" for n, (a, b) in changed.items()]
            told.append(f" {name} moved {listed(parts)}.")
    return "".join(told)


def _apart(found: Collected) -> float:
    table = np.array([person.weights.values for person in found.consensus.stakeholders])
    return float((table.max(axis=0) - table.min(axis=0)).max())


def _regret(found: Collected, label: str) -> str:
    consensus = found.consensus
    regrets = consensus.regrets[:, consensus.ranking.labels.index(label)]
    row = int(regrets.argmax())
    if regrets[row] <= 0:
        return "Nobody gives anything up."
    name = consensus.stakeholders[row].name
    return f"{name} gives up most: {regrets[row]:.3f} of 1 against {consensus.rankings[row].winner}."


def collected_data(found: Collected, before: Collected | None = None) -> dict[str, Any]:
    """Return the same as plain data."""
    consensus = found.consensus
    return {
        **({"before": collected_data(before), "apart": [_apart(before), _apart(found)]} if before else {}),
        "schema": COLLECTED,
        "people": [
            {"who": person.name, "weights": person.weights.as_dict(), "order": list(ranking.ordered())}
            for person, ranking in zip(consensus.stakeholders, consensus.rankings, strict=True)
        ],
        "weights": consensus.weights.as_dict(),
        "order": list(consensus.ranking.ordered()),
        "joint": consensus.choice,
        "least_regret": consensus.least_regret,
        "reigns": [{"design": r.label, "from": r.low, "to": r.high} for r in found.reigns],
    }


__all__ = ["COLLECTED", "collected_data", "collected_text"]
