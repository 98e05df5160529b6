"""Several people with weights and reservations of their own: where they agree, and who would veto what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.agreement import Agreement, agreement
from tenancykit.decision.ranking import TIE, Ranking, weighted_scores, weighted_sum
from tenancykit.decision.scaling import Scaled
from tenancykit.decision.screen import HardRequirement, screen
from tenancykit.decision.table import FloatArray
from tenancykit.decision.weights import Weights


@dataclass(frozen=True)
class Stakeholder:
    """Somebody whose view counts.

    Attributes:
        name: who.
        weights: what the criteria are worth to them.
        reservations: limits they would veto a design for, each a hard requirement of theirs alone.
    """

    name: str
    weights: Weights
    reservations: tuple[HardRequirement, ...] = ()


@dataclass(frozen=True)
class Veto:
    """One design one stakeholder would not accept.

    Attributes:
        stakeholder: who.
        label: which design.
        reason: what it misses and by how much, or how far it falls behind their favourite.
    """

    stakeholder: str
    label: str
    reason: str


@dataclass(frozen=True, eq=False)
class Consensus:
    """What several stakeholders can agree on.

    Attributes:
        stakeholders: who was heard.
        weights: the mean of their weights.
        ranking: weighted sum with the mean weights.
        rankings: weighted sum per stakeholder.
        agreement: how far their rankings agree.
        regrets: [stakeholders x designs] how far a design falls behind a stakeholder's own favourite, in utility.
        vetoes: who would veto what, by stakeholder and design in the order given.
    """

    stakeholders: tuple[Stakeholder, ...]
    weights: Weights
    ranking: Ranking
    rankings: tuple[Ranking, ...]
    agreement: Agreement
    regrets: FloatArray
    vetoes: tuple[Veto, ...]

    @cached_property
    def acceptable(self) -> tuple[str, ...]:
        """Designs nobody vetoes, best by the consensus ranking first."""
        vetoed = {veto.label for veto in self.vetoes}
        return tuple(label for label in self.ranking.ordered() if label not in vetoed)

    @property
    def choice(self) -> str | None:
        """The best design nobody vetoes, or None when every design is vetoed."""
        return self.acceptable[0] if self.acceptable else None

    @cached_property
    def least_regret(self) -> str:
        """The design whose most disappointed stakeholder is the least disappointed (minimax regret)."""
        worst = self.regrets.max(axis=0)
        level = np.flatnonzero(worst <= worst.min() + TIE)
        return min(self.ranking.labels[int(row)] for row in level)


def consensus(scaled: Scaled, stakeholders: Sequence[Stakeholder], veto_regret: float | None = None) -> Consensus:
    """Return rankings per stakeholder, the ranking by mean weights, regrets and vetoes.

    Args:
        scaled: the designs.
        stakeholders: who is heard; all count the same.
        veto_regret: utility behind their own favourite from which a stakeholder vetoes a design; without it only stated
            reservations veto.

    Raises:
        InputError: there is no stakeholder, two share a name, or weights or reservations do not fit the table.
    """
    names = [stakeholder.name for stakeholder in stakeholders]
    if not names or len(set(names)) != len(names):
        raise InputError(Fault("stakeholders", f"are {names}", "at least one, with distinct names"))
    criteria = scaled.table.names
    mean = np.mean([stakeholder.weights.along(criteria) for stakeholder in stakeholders], axis=0)
    weights = Weights(criteria, mean, f"mean of the weights of {', '.join(names)}")
    rankings = tuple(weighted_sum(scaled, stakeholder.weights) for stakeholder in stakeholders)
    scores = np.stack([weighted_scores(scaled, stakeholder.weights) for stakeholder in stakeholders])
    regrets = scores.max(axis=1, keepdims=True) - scores
    vetoes = tuple(_vetoes(scaled, stakeholders, regrets, veto_regret))
    overall = weighted_sum(scaled, weights)
    return Consensus(tuple(stakeholders), weights, overall, rankings, agreement(rankings, names), regrets, vetoes)


def _vetoes(
    scaled: Scaled, stakeholders: Sequence[Stakeholder], regrets: FloatArray, limit: float | None
) -> Iterator[Veto]:
    for stakeholder, regret in zip(stakeholders, regrets, strict=True):
        screening = screen(scaled.table, stakeholder.reservations)
        for row, label in enumerate(scaled.table.labels):
            misses = screening.misses(label)
            if misses:
                yield Veto(stakeholder.name, label, "; ".join(map(str, misses)))
            elif limit is not None and regret[row] > limit:
                reason = f"falls {regret[row]:.3g} of utility behind their favourite (limit {limit:g})"
                yield Veto(stakeholder.name, label, reason)
