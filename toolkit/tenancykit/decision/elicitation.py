"""Weights asked for: swings, trade-offs and pairs, one engine for whoever asks; answers that contradict are shown.

A trade-off answer says how much of one good is worth so much of another: with value per unit ``u``, ``a * u_first = b *
u_second``. In logarithms each answer is a linear equation; more answers than needed are fitted by least squares, and
two that cannot both hold are named. Trade-offs are asked beside swings because people state importance without regard
to ranges, which trade-offs between amounts do not allow: G. W. Fischer (1995), Range sensitivity of attribute weights
in multiattribute value models, Organizational Behavior and Human Decision Processes 62(3), 252-266.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.decision.exchange import Price, priced
from tenancykit.decision.table import as_stated, figure
from tenancykit.decision.value_tree import ValueTree
from tenancykit.decision.weights import Weights, pairwise_weights, swing_weights
from tenancykit.sentences import listed

TOLERANCE: Final = 1.5
"""Factor by which two answers may differ before they contradict each other. Assumption: people answer in steps of about
a half."""


@dataclass(frozen=True)
class Good:
    """Something one can have a unit more of.

    Attributes:
        name: unique name, such as ``cost`` or ``isolation:basic``.
        leaves: leaves of the value tree that each gain one unit.
        words: one unit in words, such as ``one nine more for the 60 basic customers``.
        unit: of the amount, such as ``nine`` or ``USD a month``.
    """

    name: str
    leaves: tuple[str, ...]
    words: str
    unit: str


@dataclass(frozen=True)
class TradeOff:
    """An answer: so much of one good is worth so much of another.

    Attributes:
        first: name of a good.
        amount: units of it; positive.
        second: name of another good.
        worth: units of that; positive.
    """

    first: str
    amount: float
    second: str
    worth: float

    def __str__(self) -> str:
        return f"{as_stated(self.amount)} {self.first} = {as_stated(self.worth)} {self.second}"


@dataclass(frozen=True)
class Contradiction:
    """Answers that cannot all hold.

    Attributes:
        first: the answer furthest from what the others say.
        others: the answer without which the rest would agree best; every one of a circle, where none stands out.
        factor: by how much the first differs from what the others imply; above 1.
        implied: what the others imply for the first: units of its second good.
    """

    first: TradeOff
    others: tuple[TradeOff, ...]
    factor: float
    implied: float

    def __str__(self) -> str:
        good = f"{as_stated(self.first.amount)} {self.first.first}"
        implied = f"{good} is worth {figure(self.implied)} {self.first.second}"
        apart = f"by the other answers {implied}, {figure(self.factor)} times apart"
        told = listed([f"'{answer}'" for answer in (self.first, *self.others)])
        return f"{told} contradict each other: {apart}"


@dataclass(frozen=True, eq=False)
class Elicited:
    """What the answers say.

    Attributes:
        tree: the value tree with the shares the answers give its leaves.
        weights: weights of the criteria.
        prices: what one unit of each good answered about is worth in units of money.
        contradictions: answers that cannot all hold, the worst first; empty where all agree.
    """

    tree: ValueTree
    weights: Weights
    prices: Mapping[str, float]
    contradictions: tuple[Contradiction, ...]

    def accepted(self) -> Elicited:
        """Return the result where no answers contradict each other.

        Raises:
            InputError: answers contradict each other; names them.
        """
        if self.contradictions:
            cure = "change one of them"
            raise InputError([Fault("trade-off answers", str(item), cure=cure) for item in self.contradictions])
        return self


def swing_question(tree: ValueTree, names: Mapping[str, str]) -> str:
    """Return the question for swing points, with the ends every criterion swings between.

    Args:
        tree: the value tree.
        names: criterion to its name in words.
    """
    parts = []
    for criterion in tree.criteria:
        leaves = [tree.leaves[column] for column in tree.columns(criterion)]
        if criterion in tree.silent or not leaves:
            continue
        worst, best = leaves[0].function.ends
        unit = f" {leaves[0].unit}" if leaves[0].unit else ""
        several = "what each class must have to what would be plenty"
        span = f"{figure(worst)} to {figure(best)}{unit}" if len(leaves) == 1 else several
        parts.append(f"{names.get(criterion, criterion)} ({span})")
    told = "; ".join(parts)
    return f"All of these stand at their worse end: {told}. Which would you bring to its better end first? Give it 100."


def from_swings(tree: ValueTree, points: Mapping[str, float]) -> Weights:
    """Return weights in proportion to swing points of the criteria that discriminate; the others weigh 0.

    Raises:
        InputError: a criterion is missing or unknown, or points are negative, not finite or all zero.
    """
    asked = [name for name in tree.criteria if name not in tree.silent]
    found = swing_weights(points, asked).as_dict()
    return Weights(tree.criteria, np.array([found.get(name, 0.0) for name in tree.criteria]), "swing points")


def from_pairs(tree: ValueTree, judgements: Mapping[tuple[str, str], float]) -> Weights:
    """Return weights from how many times as much one criterion's swing is worth as another's (AHP).

    Raises:
        InputError: a pair is missing or contradicts itself, or the judgements agree too little to be used.
    """
    asked = [name for name in tree.criteria if name not in tree.silent]
    found = pairwise_weights(asked, judgements).accepted().as_dict()
    return Weights(tree.criteria, np.array([found.get(name, 0.0) for name in tree.criteria]), "pairwise judgements")


def tradeoff_questions(goods: Sequence[Good], money: str) -> tuple[str, ...]:
    """Return one question per good: how much money one unit of it is worth."""
    currency = next((good for good in goods if good.name == money), None)
    if currency is None:
        raise InputError(Fault("trade-off", f"no good {money!r}", ", ".join(good.name for good in goods)))
    return tuple(f"How many {currency.unit} is {good.words} worth?" for good in goods if good.name != money)


def from_tradeoffs(
    tree: ValueTree,
    goods: Sequence[Good],
    answers: Sequence[TradeOff],
    weights: Weights,
    money: str,
    *,
    tolerance: float = TOLERANCE,
) -> Elicited:
    """Return the weights that fit trade-off answers; goods that no answer ties to money keep what the weights say.

    Args:
        tree: the value tree.
        goods: what can be traded; one of them is money.
        answers: what was answered.
        weights: weights for what nobody answered about.
        money: name of the good whose unit is the currency; it has exactly one leaf.
        tolerance: factor from which answers contradict each other.

    Raises:
        InputError: a good is unknown, an amount is not positive, or a good is traded for itself.
    """
    faults = [*_faults(goods, answers, money)]
    if faults:
        raise InputError(faults)
    names = [good.name for good in goods]
    logs = _fitted(names, answers, money)
    found = {name: float(np.exp(value)) for name, value in logs.items() if name != money}
    of = {good.name: good for good in goods}
    stated = [Price(of[name].leaves, amount) for name, amount in found.items()]
    told, out = priced(tree, weights, of[money].leaves[0], stated)
    return Elicited(told, out, found, tuple(_contradictions(names, answers, tolerance)))


def _fitted(names: Sequence[str], answers: Sequence[TradeOff], money: str) -> dict[str, float]:
    """Return the logarithm of each good's price in money, for goods that answers tie to money."""
    tied = _tied(answers, money)
    places = {name: place for place, name in enumerate(n for n in names if n in tied and n != money)}
    if not places:
        return {}
    rows = [answer for answer in answers if answer.first in tied]
    matrix, right = np.zeros((len(rows), len(places))), np.zeros(len(rows))
    for row, answer in enumerate(rows):
        if answer.first != money:
            matrix[row, places[answer.first]] += 1
        if answer.second != money:
            matrix[row, places[answer.second]] -= 1
        right[row] = np.log(answer.worth / answer.amount)
    solved = np.asarray(np.linalg.lstsq(matrix, right, rcond=None)[0], dtype=np.float64)
    return {name: float(solved[place]) for name, place in places.items()}


def _tied(answers: Sequence[TradeOff], money: str) -> set[str]:
    tied = {money}
    while grown := {n for a in answers for n in (a.first, a.second) if tied & {a.first, a.second}} - tied:
        tied |= grown
    return tied


def _contradictions(names: Sequence[str], answers: Sequence[TradeOff], tolerance: float) -> Iterator[Contradiction]:
    """Yield the answers that the others put elsewhere, each with the one it cannot stand beside."""
    left = list(answers)
    while len(left) > 1:
        checked = [(answer, _implied(names, answer, [o for o in left if o is not answer])) for answer in left]
        off = [(max(i / a.worth, a.worth / i), a, i) for a, i in checked if i is not None]
        worst = max(off, key=lambda item: item[0], default=None)
        if worst is None or worst[0] <= tolerance:
            return
        factor, answer, implied = worst
        others = [other for other in left if other is not answer]
        yield Contradiction(answer, _partners(names, answer, others), factor, implied)
        left.remove(answer)


def _implied(names: Sequence[str], answer: TradeOff, others: Sequence[TradeOff]) -> float | None:
    """Return what other answers say the amount of an answer is worth; None where they say nothing about it."""
    tied = _tied(others, answer.second)
    if answer.first not in tied:
        return None
    logs = {answer.second: 0.0, **_fitted([*names], others, answer.second)}
    return float(answer.amount * np.exp(logs[answer.first]))


def _partners(names: Sequence[str], answer: TradeOff, others: Sequence[TradeOff]) -> tuple[TradeOff, ...]:
    """Return the other answers of which each, taken away, brings what is implied nearest to the answer, or frees it."""

    def gap(dropped: TradeOff) -> float:
        implied = _implied(names, answer, [other for other in others if other is not dropped])
        return 0.0 if implied is None else abs(float(np.log(implied / answer.worth)))

    about = [o for o in others if {o.first, o.second} == {answer.first, answer.second}]
    if about:
        return (min(about, key=gap),)
    gaps = [gap(other) for other in others]
    return tuple(other for other, found in zip(others, gaps, strict=True) if found == min(gaps))


def _faults(goods: Sequence[Good], answers: Sequence[TradeOff], money: str) -> Iterator[Fault]:
    names = [good.name for good in goods]
    for one, other in combinations(goods, 2):
        if one.name == other.name or set(one.leaves) & set(other.leaves):
            yield Fault("trade-off", f"{one.name} and {other.name} are not two goods", "goods without common leaves")
    for name in (money, *(n for answer in answers for n in (answer.first, answer.second))):
        if name not in names:
            yield Fault("trade-off", f"no good {name!r}", ", ".join(names), did_you_mean(name, names))
    for answer in answers:
        if answer.first == answer.second:
            yield Fault(f"trade-off '{answer}'", "trades a good for itself", "two goods")
        if not (np.isfinite([answer.amount, answer.worth]).all() and answer.amount > 0 and answer.worth > 0):
            yield Fault(f"trade-off '{answer}'", "has an amount that is not positive", "positive, finite amounts")


__all__ = [
    "TOLERANCE",
    "Contradiction",
    "Elicited",
    "Good",
    "TradeOff",
    "from_pairs",
    "from_swings",
    "from_tradeoffs",
    "swing_question",
    "tradeoff_questions",
]
