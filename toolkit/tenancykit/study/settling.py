"""The one question that would settle a first place: what something would have to be worth for another to be first.

One worth is moved at a time - a nine of one class, a person-day, an hour of toil - with all others as weighed. Since
the value of a design is a sum over leaves, where another family draws level is worked out, not searched for. Only a
worth that somebody could hold (:mod:`tenancykit.decision.plausible`) makes a question.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.decision.plausible import FAR, most_for_a_nine, most_for_work
from tenancykit.decision.ranking import TIE
from tenancykit.decision.table import FloatArray
from tenancykit.scenario.judgement import Worth
from tenancykit.sentences import three_digits
from tenancykit.study.evaluation import HOURS_PER_DAY
from tenancykit.study.exchange_rates import NINE, ExchangeRate

Part = tuple[ExchangeRate, FloatArray]
"""A worth, and [designs] what of their score is due to it."""

NO_RATE: Final = "No plausible worth of isolation or work, moved alone, brings another design first."
"""What is said where there is no question."""


@dataclass(frozen=True)
class Turn:
    """Where another design draws level when one worth alone moves.

    Attributes:
        rate: the worth as weighed.
        times: by how much it would have to differ, as a factor.
        label: the design that is first from there.
    """

    rate: ExchangeRate
    times: float
    label: str

    @property
    def amount(self) -> float:
        """The worth from which the other design is first."""
        return self.rate.amount * self.times

    @property
    def question(self) -> str:
        """The turn as a question whose answer settles who is first."""
        what, amount = self.rate.words, self.amount
        if self.rate.what.startswith("isolation"):
            what = f"cutting the open days of {what.removeprefix(NINE)} to a tenth"
        way = "more" if self.times > 1 else "less"
        there, now = three_digits(amount), three_digits(self.rate.amount)
        told = f"{there} {self.rate.unit} ({now} as weighed)" if there != now else f"the {now} {self.rate.unit} weighed"
        return f"Is {what} worth {way} than {told}? Then {self.label} is first."


def turns(labels: Sequence[str], family: Sequence[int], parts: Sequence[Part], scores: FloatArray) -> tuple[Turn, ...]:
    """Return where other families draw level, the smallest change of a worth first.

    Args:
        labels: ids of the designs.
        family: rows of the first design and its near-twins.
        parts: per worth, [designs] what of their score is due to it.
        scores: [designs] their scores.
    """
    found = [turn for rate, part in parts if rate.amount for turn in _of_rate(labels, family, rate, part, scores)]
    return tuple(sorted(found, key=lambda turn: (abs(math.log(turn.times)), turn.rate.what, turn.label)))


def _of_rate(
    labels: Sequence[str], family: Sequence[int], rate: ExchangeRate, part: FloatArray, scores: FloatArray
) -> Iterator[Turn]:
    for row, label in enumerate(labels):
        if row in family:
            continue
        low, high = 0.0, math.inf
        for mine in family:
            lead, gain = float(scores[mine] - scores[row]), float(part[row] - part[mine])
            if gain > 0:
                low = max(low, 1 + lead / gain)
            elif gain < 0:
                high = min(high, 1 + lead / gain)
            elif lead >= 0:
                high = -math.inf
        edge = low if low >= 1 else high
        if low < high and edge > 0 and np.isfinite(edge) and not low < 1 < high:
            yield Turn(rate, edge, label)


def most_plausible(rates: Sequence[ExchangeRate], stated: Worth, day_rate: float, bill: float) -> Mapping[str, float]:
    """Return what each worth may plausibly be at most; what the scenario states itself is plausible as it stands.

    Args:
        rates: the worths as weighed.
        stated: what the scenario says something is worth.
        day_rate: wage of a person-day.
        bill: what the first design costs a month.
    """
    found = {}
    for rate in rates:
        kind = rate.what.partition(":")[0]
        wage = {"person_day": day_rate, "hour": day_rate / HOURS_PER_DAY}.get(kind)
        most = most_for_a_nine(day_rate, bill) if wage is None else most_for_work(wage)
        said = getattr(stated, kind, None) is not None
        found[rate.what] = max(most, FAR * rate.amount) if said else most
    return found


def question(found: Sequence[Turn], most: Mapping[str, float], beyond: Sequence[Turn]) -> str:
    """Return what to ask: of the plausible turns the nearest, else of a weight beyond what is plausible; else nothing.

    Args:
        found: where other families draw level, the smallest change first.
        most: what each worth may plausibly be at most.
        beyond: who is first where a worth beyond that is brought back to it.
    """
    likely = [turn for turn in found if turn.amount <= most[turn.rate.what] and 1 / FAR <= turn.times <= FAR]
    return next((turn.question for turn in (*likely, *beyond)), "")


def brought_back(
    labels: Sequence[str],
    family: Sequence[int],
    parts: Sequence[Part],
    scores: FloatArray,
    most: Mapping[str, float],
) -> tuple[Turn, ...]:
    """Return who is first where a worth that is weighed beyond what is plausible stands at its plausible end.

    Args:
        labels: ids of the designs.
        family: rows of the first design and its near-twins.
        parts: per worth, [designs] what of their score is due to it.
        scores: [designs] their scores.
        most: what each worth may plausibly be at most.
    """
    found = []
    for rate, part in parts:
        if rate.amount > most[rate.what]:
            times = most[rate.what] / rate.amount
            there = scores + (times - 1) * part
            best = int(there.argmax())
            if there[best] > max(there[row] for row in family) + TIE:
                found.append(Turn(rate, times, labels[best]))
    return tuple(sorted(found, key=lambda turn: (-turn.times, turn.rate.what)))


__all__ = ["NO_RATE", "Turn", "brought_back", "most_plausible", "question", "turns"]
