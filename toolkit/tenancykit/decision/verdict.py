"""Is there a clear winner, and if not, which question would settle it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kubeanswers.errors import Fault, InputError
from tenancykit.decision.ranking import Ranking
from tenancykit.decision.relevance import Relevance
from tenancykit.decision.smaa import SmaaResult

CLEAR: Final = 0.80
"""First-rank acceptability from which a winner counts as clear; an assumption, to be set by whoever decides."""

_TOLD: Final = 3


@dataclass(frozen=True)
class Verdict:
    """What may be said about the first place.

    Attributes:
        clear: whether one design is robustly first.
        winner: that design; None when there is no clear winner.
        leader: the design most often first, clear or not.
        acceptability: its share of samples won, 0..1.
        contenders: the fewest designs that together win the threshold's share of samples, the strongest first.
        reasons: why there is no clear winner; empty when there is one.
        question: what would settle it; empty when there is a clear winner.
        relevance: the uncertainty behind the question; None when the question is about something else.
    """

    clear: bool
    winner: str | None
    leader: str
    acceptability: float
    contenders: tuple[str, ...]
    reasons: tuple[str, ...]
    question: str
    relevance: Relevance | None = None

    def __str__(self) -> str:
        if self.clear:
            return f"{self.winner} is first in {self.acceptability:.0%} of all samples"
        return f"no clear winner: {'; '.join(self.reasons)}. {self.question}"


def verdict(result: SmaaResult, rankings: Sequence[Ranking] = (), threshold: float = CLEAR) -> Verdict:
    """Return whether the design most often first is robustly first.

    It is when it wins at least the threshold's share of samples and every given ranking puts it first. Otherwise the
    question is the uncertainty whose resolution raises the chance of choosing right most.

    Args:
        result: acceptability under the uncertainty that is left.
        rankings: rankings by different methods that have to agree; none unless given.
        threshold: share of samples a clear winner wins.

    Raises:
        InputError: the threshold is not a share above one half, so two winners could be clear.
    """
    if not 0.5 < threshold <= 1:
        raise InputError(Fault("verdict", f"threshold is {threshold}", "above 0.5, at most 1"))
    labels, order = result.labels, result.order
    leader, share = labels[order[0]], float(result.first[order[0]])
    # Sums of shares may miss the threshold by rounding.
    reached = int(np.searchsorted(np.cumsum(result.first[order]), threshold - 1e-9)) + 1
    contenders = tuple(labels[row] for row in order[:reached])
    dissent = [ranking for ranking in rankings if leader not in ranking.winners]
    reasons: list[str] = []
    question, relevance = "", None
    if share < threshold - 1e-9:
        reasons.append(f"{leader} is first in {share:.0%} of all samples, less than {threshold:.0%}")
        question, relevance = _question(result, contenders)
    if dissent:
        told = ", ".join(f"{ranking.method} puts {ranking.winner} first" for ranking in dissent)
        reasons.append(f"the methods disagree ({told})")
        question = question or _method_question(leader, dissent)
    return Verdict(
        clear=not reasons,
        winner=None if reasons else leader,
        leader=leader,
        acceptability=share,
        contenders=contenders,
        reasons=tuple(reasons),
        question=question,
        relevance=relevance,
    )


def _question(result: SmaaResult, contenders: Sequence[str]) -> tuple[str, Relevance | None]:
    decisive = [item for item in result.relevance if item.gain > 2 * result.error]
    if decisive:
        return decisive[0].question, decisive[0]
    if result.relevance:
        several = (item.question for item in result.relevance[:_TOLD])
        return f"No single answer settles it; these together would narrow it down: {' '.join(several)}", None
    return f"What else tells {_listed(contenders)} apart? By these criteria they are equal.", None


def _method_question(leader: str, dissent: Sequence[Ranking]) -> str:
    others = _listed(sorted({ranking.winner for ranking in dissent}))
    return (
        f"May a strength on one criterion make up for a weakness on another? The methods answer this differently, "
        f"and so choose between {leader} and {others}."
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
