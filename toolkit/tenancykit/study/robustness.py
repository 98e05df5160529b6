"""How robust the first place of a study is: what would overturn it, what moves it most, who agrees, what is near.

Assumptions are moved one at a time, with everything that follows from them inside the four figures: days and hours
change the cost of people too. What they do to the time to patch, and so to isolation, is an assumption of its own here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from functools import cached_property
from typing import Final

from kubeanswers.errors import Fault, InputError, UndecidedError
from kubeanswers.records import dataclass
from tenancykit.decision.assumptions import Assumption, TippingPoint, TornadoRow, tipping_points, tornado
from tenancykit.decision.explain import Neighbour, Step, last_step, neighbours
from tenancykit.decision.promethee import promethee, range_preferences
from tenancykit.decision.ranking import Ranking, weighted_sum
from tenancykit.decision.scaling import Scaled, scale
from tenancykit.decision.stakeholders import Consensus, Stakeholder, consensus
from tenancykit.decision.table import DecisionTable
from tenancykit.decision.verdict import Overturn, Verdict
from tenancykit.drawing import Drawable
from tenancykit.study.assumed import (
    work_assumptions,
)
from tenancykit.study.certainty import LARGEST
from tenancykit.study.comparison import Study, bounds_of
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.exchange_rates import weights_of

VETO_REGRET: Final = 0.2
"""Utility behind their own favourite from which a stakeholder would veto a design. Assumption: a fifth of the scale."""
_GRID: Final = 12


@dataclass(frozen=True)
class Survival:
    """Whether the first place survives an assumption at either end of its plausible range.

    Attributes:
        name: the assumption.
        current: the number used.
        low: lowest plausible number.
        high: highest plausible number.
        unit: of the numbers.
        first_at_low: the design in first place at the lowest.
        first_at_high: the design in first place at the highest.
        survives: whether the first design or one of its near-twins is first at both.
        id: what data knows the assumption by; empty where nothing but its name does.
        family: ids of the first design and its near-twins.
    """

    name: str
    current: float
    low: float
    high: float
    unit: str
    first_at_low: str
    first_at_high: str
    survives: bool
    id: str
    family: frozenset[str] = field(repr=False)

    def overturns(self) -> Iterator[Overturn]:
        """Yield the ends at which another family is first."""
        for end, first in ((self.low, self.first_at_low), (self.high, self.first_at_high)):
            if end != self.current and first not in self.family:
                yield Overturn(self.name, self.current, end, self.unit, first)


@dataclass(frozen=True)
class Dropped:
    """Who is first where one candidate is not there.

    Attributes:
        label: the candidate left out.
        first: who is first by the method that decides.
        first_in_pairs: who is first by PROMETHEE II, which compares in pairs and so may differ by nature.
    """

    label: str
    first: str
    first_in_pairs: str


@dataclass(frozen=True, eq=False)
class Robustness(Drawable):
    """What would change the decision of a study.

    Attributes:
        study: the study.
        most: assumptions of effort and of operations that are looked at, those that move a design most.
    """

    study: Study
    most: int = LARGEST

    @cached_property
    def _admitted(self) -> tuple[DecisionTable, Scaled, tuple[Evaluation, ...]]:
        table, scaled = self.study.admitted, self.study.scaled
        if table is None or scaled is None:
            raise UndecidedError(self.study.nobody())
        return table, scaled, tuple(self.study[label] for label in table.labels)

    @cached_property
    def assumptions(self) -> tuple[Assumption, ...]:
        """Every assumption whose effect on the four figures is known, by criterion.

        Raises:
            UndecidedError: no design is admitted.
        """
        basis = self.study.basis
        return (
            *basis.prices,
            *basis.exposures,
            *work_assumptions(basis, self.most),
        )

    @cached_property
    def beliefs(self) -> tuple[Assumption, ...]:
        """What isolation believes that moves any admitted design: exposure windows, lapses, upkeep, rates of flaws.

        Raises:
            UndecidedError: no design is admitted.
        """
        basis = self.study.basis
        return tuple(one for name, one in basis.believed.items() if name in basis.effects)

    @cached_property
    def survival(self) -> tuple[Survival, ...]:
        """Per assumption, all measured, who is first at both ends of its plausible range; what overturns first.

        Raises:
            UndecidedError: no design is admitted.
        """
        standing, table = self.study.standing, self.study.basis.table
        family = frozenset(table.labels[row] for row in standing.family)
        found = []
        for item in (*self.assumptions, *self.beliefs):
            firsts = [standing.first(item.values(table, end)) for end in (item.low, item.high)]
            stays = all(row in standing.family for row in firsts)
            low, high = (table.labels[row] for row in firsts)
            numbers = item.current, item.low, item.high
            found.append(Survival(item.name, *numbers, item.unit, low, high, stays, item.id, family))
        return tuple(sorted(found, key=lambda item: item.survives))

    @cached_property
    def verdict(self) -> Verdict | None:
        """How sure the first place is, with every assumption measured at both ends of its range."""
        if self.study.ranking is None:
            return None
        return self.study.judged(tuple(one for item in self.survival for one in item.overturns()))

    @cached_property
    def dropped(self) -> tuple[Dropped, ...]:
        """Per admitted design, who is first without it, by the method that decides and in pairs.

        Raises:
            UndecidedError: no design is admitted.
        """
        table = self._admitted[0]
        if len(table) < 2:
            return ()
        return tuple(self._without(label) for label in self._ranking.ordered())

    @property
    def _ranking(self) -> Ranking:
        ranking = self.study.ranking
        if ranking is None:
            raise UndecidedError(self.study.nobody())
        return ranking

    def _without(self, label: str) -> Dropped:
        table, scaled, _ = self._admitted
        left = scale(table.without(label), bounds_of(self.study.scales))
        heard = self.study.heard
        pairs = promethee(left.table, heard, range_preferences(scaled)).winner
        return Dropped(label, weighted_sum(left, heard).winner, pairs)

    @cached_property
    def tipping_points(self) -> tuple[TippingPoint, ...]:
        """Per assumption, the nearest value that overturns the first place; the smallest change first."""
        _, scaled, evaluations = self._admitted
        if len(evaluations) < 2:
            return ()
        return tipping_points(scaled, self.study.heard, self.assumptions, search=0.5, grid=_GRID)

    @cached_property
    def tornado(self) -> tuple[TornadoRow, ...]:
        """Per assumption, the lead of the first place at both ends of its range; the largest swing first."""
        _, scaled, evaluations = self._admitted
        return tornado(scaled, self.study.heard, self.assumptions) if len(evaluations) > 1 else ()

    @cached_property
    def consensus(self) -> Consensus | None:
        """What the scenario's stakeholders can agree on; None where it names none."""
        return self.agreed(VETO_REGRET)

    def agreed(self, veto_regret: float | None) -> Consensus | None:
        """Return what the stakeholders can agree on.

        Args:
            veto_regret: utility behind their own favourite from which a stakeholder vetoes; None: nobody vetoes.
        """
        voices = [Stakeholder(name, weights_of(w)) for name, w in self.study.scenario.stakeholders.items()]
        return consensus(self._admitted[1], voices, veto_regret) if voices else None

    def cheaper(self, design_id: str | None = None, count: int = 3) -> tuple[Neighbour, ...]:
        """Return the nearest cheaper designs that keep the isolation of a design, the smallest saving first.

        Args:
            design_id: the design; the one in first place unless given.
            count: how many.
        """
        table = self._admitted[0]
        return neighbours(table, self._id(design_id), "cost", ["isolation"], count)

    def last_euro(self, design_id: str | None = None) -> Step | None:
        """Return what the last money spent on a design buys in isolation; None where it buys none."""
        table = self._admitted[0]
        return last_step(table, self._id(design_id), "cost", "isolation")

    def _id(self, design_id: str | None) -> str:
        label = self.study.best.id if design_id is None else self.study[design_id].id
        if label not in self._admitted[0].labels:
            known = ", ".join(self._admitted[0].labels)
            raise InputError(Fault("design", f"{label} is not admitted", known))
        return label


def robustness(study: Study, *, most: int = LARGEST) -> Robustness:
    """Return what would change the decision of a study; each part is worked out when it is first asked for.

    Args:
        study: the study.
        most: assumptions of effort and of operations that are looked at, those that move a design most.
    """
    return Robustness(study, most)
