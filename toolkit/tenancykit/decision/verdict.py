"""How sure the first place is, in one of three words that each mean something, and what would change it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.relevance import Relevance
from tenancykit.decision.smaa import SmaaResult
from tenancykit.decision.table import amount, amounts_apart
from tenancykit.sentences import listed

CLEAR: Final = 0.95
"""Share of samples from which a first place is clear, where nothing plausible overturns it either."""

CLOSE: Final = 0.5
"""Share of samples above which a first place is close rather than contested."""

Word = Literal["clear", "close", "contested"]

_TOLD: Final = 3


@dataclass(frozen=True)
class Overturn:
    """An assumption at a plausible end of which another family of designs comes first.

    Attributes:
        name: the assumption.
        current: the number used.
        at: the end of its plausible range.
        unit: of both.
        new_first: the design that comes first there.
    """

    name: str
    current: float
    at: float
    unit: str
    new_first: str

    @property
    def where(self) -> str:
        """What the assumption is there, as the end of a sentence."""
        if self.unit == "x":
            return f"{self.name} is {amount(self.at, self.unit)}"
        return f"{self.name} is {amounts_apart(self.at, self.current, self.unit, ' instead of ')}"

    def __str__(self) -> str:
        return f"{self.new_first} comes first where {self.where}"


@dataclass(frozen=True)
class Verdict:
    """What may be said about the first place.

    Attributes:
        word: clear: first in at least 95 % of samples, and with any one assumption at either plausible end. Close:
            first in more than half, or in 95 % while an end overturns it. Contested: otherwise.
        leader: the design in first place.
        family: the leader and its near-twins, which count as one.
        share: share of samples in which the family is first, 0..1.
        contenders: the fewest designs that together win 95 % of samples, the strongest first.
        overturning: assumptions at whose end another family is first.
        reasons: why the first place is not clear; empty when it is.
        question: what would settle it; empty when it is clear.
        varied: what was varied between samples, in words.
        samples: number of samples.
        relevance: the uncertainty behind the question; None when the question is about something else.
    """

    word: Word
    leader: str
    family: tuple[str, ...]
    share: float
    contenders: tuple[str, ...]
    overturning: tuple[Overturn, ...]
    reasons: tuple[str, ...]
    question: str
    varied: str
    samples: int
    relevance: Relevance | None = None

    @property
    def clear(self) -> bool:
        """Whether the first place is clear."""
        return self.word == "clear"

    @property
    def winner(self) -> str | None:
        """The leader where its place is clear, else None."""
        return self.leader if self.clear else None

    def __str__(self) -> str:
        twins = len(self.family) - 1
        who = self.leader + (f" or one of {twins} near-twins" if twins > 1 else " or its near-twin" if twins else "")
        told = f"{self.word.capitalize()}: {who} is first in {share_in_words(self.share)} of samples of {self.varied}"
        if self.word == "clear":
            return f"{told}, and with any one assumption at either end of its range."
        parts = [told, *(str(item) for item in self.overturning[:_TOLD])]
        if len(self.overturning) > _TOLD:
            parts.append(f"{len(self.overturning) - _TOLD} more assumptions could overturn it")
        return f"{'; '.join(parts)}. {self.question}".rstrip()


def share_in_words(share: float) -> str:
    """Return a share in per cent that never rounds to none, or to a share on whose other side the word differs.

    All of some samples are more than 99 %: what no sample showed may still be.
    """
    if share >= 0.995:
        return "more than 99 %"
    if 0 < share < 0.005:
        return "less than 1 %"
    if any(share < step - 1e-9 and f"{share:.0%}" == f"{step:.0%}" for step in (CLEAR, CLOSE)):
        return f"just under {share:.0%}".replace("%", " %")
    over = "just over " if share > CLOSE + 1e-9 and f"{share:.0%}" == f"{CLOSE:.0%}" else ""
    return over + f"{share:.0%}".replace("%", " %")


def verdict(
    result: SmaaResult,
    leader: str,
    *,
    family: Sequence[str] = (),
    overturning: Sequence[Overturn] = (),
    varied: str = "",
    question: str = "",
    threshold: float = CLEAR,
) -> Verdict:
    """Return how sure the first place is.

    Args:
        result: acceptability under everything that is not known.
        leader: the design in first place by the method that decides.
        family: its near-twins; it alone unless given. Counting by family, a copy of the winner changes no word.
        overturning: assumptions at a plausible end of which another family comes first.
        varied: what was varied between samples, in words; the statement of the samples unless given.
        question: what to ask, such as at which exchange rate another is first; the decisive uncertainty unless given.
        threshold: share of samples from which a first place may be clear.

    Raises:
        InputError: the threshold is not a share above one half, or the leader or a twin is unknown.
    """
    if not CLOSE < threshold <= 1:
        raise InputError(Fault("verdict", f"threshold is {threshold}", "above 0.5, at most 1"))
    table = result.scaled.table
    twins = tuple(dict.fromkeys((leader, *family)))
    share = float(result.first[[table.row(label) for label in twins]].sum())
    # Sums of shares may miss a threshold by rounding.
    sure = share >= threshold - 1e-9
    word: Word = "contested"
    if sure and not overturning:
        word = "clear"
    elif sure or share > CLOSE + 1e-9:
        word = "close"
    order = result.order
    reached = int(np.searchsorted(np.cumsum(result.first[order]), threshold - 1e-9)) + 1
    contenders = tuple(result.labels[row] for row in order[:reached])
    reasons = [] if sure else [f"{leader} is first in {share_in_words(share)} of samples, less than {threshold:.0%}"]
    reasons += [str(item) for item in overturning]
    asked, relevance = "", None
    if word != "clear":
        rivals = tuple(label for label in contenders if label not in twins) or contenders
        asked, relevance = _question(result, (leader, *rivals), question) if not sure else (_ask(overturning), None)
    return Verdict(
        word,
        leader,
        twins,
        min(1.0, share),
        contenders,
        tuple(overturning),
        tuple(reasons),
        asked,
        varied or result.statement,
        result.samples,
        relevance,
    )


def _ask(overturning: Sequence[Overturn]) -> str:
    first = overturning[0]
    return f"What is it really: {first.name}?"


def _question(result: SmaaResult, contenders: Sequence[str], given: str) -> tuple[str, Relevance | None]:
    """Return the given question, else the one whose answer raises the chance of choosing right most, and its input."""
    if given:
        return given, None
    about = [item for item in result.relevance if not item.label or item.label in contenders]
    about = [item for item in about if item.turns] or about
    if about:
        return about[0].question, about[0]
    return f"What else tells {listed(contenders)} apart? By these criteria they are equal.", None


__all__ = ["CLEAR", "CLOSE", "Overturn", "Verdict", "Word", "share_in_words", "verdict"]
