"""The one question that would settle a first place: what something would have to be worth for another to be first.

One worth is moved at a time - a nine of one class, a person-day, an hour of toil - with all others as weighed. Since
the value of a design is a sum over leaves, where another family draws level is worked out, not searched for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tenancykit.decision.table import FloatArray
from tenancykit.study.evaluation import HOURS_PER_DAY
from tenancykit.study.exchange_rates import FANCIFUL, NINE, ExchangeRate, three_digits

FAR: Final = 10.0
"""Factor from which another exchange rate is no question any more. Assumption: it is known to within that."""


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

    def fanciful(self, day_rate: float) -> bool:
        """Return whether it asks for work at many times its wage, which nobody can answer.

        Args:
            day_rate: wage of a person-day in the scenario's currency.
        """
        wage = {"person_day": day_rate, "hour": day_rate / HOURS_PER_DAY}.get(self.rate.what, math.inf)
        return self.rate.amount * self.times > FANCIFUL * wage

    @property
    def question(self) -> str:
        """The turn as a question whose answer settles who is first."""
        what, amount = self.rate.words, self.rate.amount * self.times
        if self.rate.what.startswith("isolation"):
            what = f"cutting the open days of {what.removeprefix(NINE)} to a tenth"
        way = "more" if self.times > 1 else "less"
        there, now = three_digits(amount), three_digits(self.rate.amount)
        told = f"{there} {self.rate.unit} ({now} as weighed)" if there != now else f"the {now} {self.rate.unit} weighed"
        return f"Is {what} worth {way} than {told}? Then {self.label} is first."


def turns(
    labels: Sequence[str], family: Sequence[int], parts: Sequence[tuple[ExchangeRate, FloatArray]], scores: FloatArray
) -> tuple[Turn, ...]:
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


__all__ = ["FAR", "Turn", "turns"]
