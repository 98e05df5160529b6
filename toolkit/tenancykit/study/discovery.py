"""What exploring a design space found: the designs on the front, and what the front rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property

import numpy as np

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.catalogue.model import Dimension
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criterion_names import ADDED, CRITERIA, FOUR
from tenancykit.decision.table import FloatArray
from tenancykit.decision.value_tree import ValueTree
from tenancykit.decision.weights import Weights, direct_weights
from tenancykit.design.lean import LeftOut
from tenancykit.design.model import Choice, Design
from tenancykit.drawing import Drawable
from tenancykit.scenario.model import Scenario
from tenancykit.study.comparison import Study, compare
from tenancykit.study.evaluation import Evaluation, evaluate
from tenancykit.study.exchange_rates import weighed
from tenancykit.study.leaves import isolation_keys, swept_leaves
from tenancykit.study.scales import scales_of


@dataclass(frozen=True)
class Found:
    """A design of the space that is on a front.

    Attributes:
        id: ``X`` and a hash of its options; the same in every run.
        choices: options per class.
        values: figure per criterion, in the order of the criteria.
        admitted: whether it meets every hard requirement.
        ranked: id under which a comparison ranks it; empty where it was found by the search.
    """

    id: str
    choices: Mapping[str, Choice]
    values: tuple[float, ...]
    admitted: bool
    ranked: str = ""

    @property
    def design(self) -> Design:
        """The design, to evaluate, compare or export."""
        return Design(self.id, _title(self.choices), self.choices, "explored")

    def __getitem__(self, criterion: str) -> float:
        return self.values[FOUR.index(criterion)]


@dataclass(frozen=True, eq=False)
class Exploration(Drawable):
    """What was found in the space of valid designs.

    Attributes:
        scenario: what was asked.
        catalogue: what could be done.
        allowed: options that were allowed, by dimension that was narrowed.
        combinations: combinations of options before any rule.
        space: valid designs, exactly.
        evaluated: designs whose isolation, effort and operations were worked out.
        billed: those whose cost was worked out in full; the others cost too much already by their bound.
        left_out: options that can only be a burden and were not tried.
        front: valid designs that no measured design beats on every criterion, most isolated first.
        admitted: the same among the designs that meet every hard requirement.
        leading: of the measured designs that meet every requirement the best by weights, the cheapest, the safest
            within budget and the least to run, on the front or not: the front takes isolation as one figure, that of
            the class most open, and weights value what every class is given.
        known: the designs that a comparison ranks - completed references and the best of them per class - of options
            that are allowed, whether or not the space holds them.
        settled: whether everything that differs by one option from the first of ``leading`` was measured.
        per_class: whether classes could choose for themselves.
        exact: whether ``front`` and ``admitted`` are the fronts of the whole space, every design of it measured.
        within: nines of isolation by which a valid design outside may be better than those on the fronts: 0 where the
            space was measured, next to nothing where branch and bound proved it, None where nothing is proven.
        caveats: what the result rests on, in words.
        stopped: whether it was stopped before its end.
        seconds: how long it took.
    """

    scenario: Scenario
    catalogue: Catalogue
    allowed: Mapping[Dimension, tuple[str, ...]]
    combinations: int
    space: int
    evaluated: int
    billed: int
    left_out: tuple[LeftOut, ...]
    front: tuple[Found, ...]
    admitted: tuple[Found, ...]
    leading: tuple[Found, ...]
    known: tuple[Found, ...]
    settled: bool
    per_class: bool
    exact: bool
    within: float | None
    caveats: tuple[str, ...]
    stopped: bool
    seconds: float
    refusals: tuple[tuple[str, int], ...] = field(default=(), repr=False)

    @cached_property
    def members(self) -> tuple[Found, ...]:
        """The designs that meet every requirement and are worth choosing from: the front's, what leads, the known."""
        return _once((*self.known, *self.admitted, *self.leading))

    @cached_property
    def every(self) -> tuple[Found, ...]:
        """Every design told of, each once."""
        return _once((*self.members, *self.front))

    def __getitem__(self, identifier: str) -> Found:
        """Return a design by id.

        Raises:
            InputError: no such design was found.
        """
        for found in self.every:
            if found.id.lower() == identifier.lower():
                return found
        known = [found.id for found in self.every]
        fault = Fault("design", f"unknown design {identifier!r}", ", ".join(known), did_you_mean(identifier, known))
        raise InputError(fault)

    def evaluate(self, identifier: str) -> Evaluation:
        """Return a design of a front evaluated in full, with evidence."""
        return evaluate(self[identifier].design, self.scenario, self.catalogue)

    @cached_property
    def study(self) -> Study:
        """What a comparison holds, with the best designs found beside it; evaluated on first use."""
        return self.compared(12)

    def compared(self, count: int = 12) -> Study:
        """Return what a comparison holds - completed references, the best per class - with designs found beside it.

        Args:
            count: how many of the designs found, the best by the scenario's weights first.
        """
        return compare(self.scenario, self.catalogue, [found.design for found in self.ranked()[:count]])

    @cached_property
    def _merits(self) -> dict[str, float]:
        """Value of every design of the fronts on the scenario's scales, under its weights; nothing is billed again."""
        return self.merits_if({})

    def merits_if(self, factors: Mapping[str, float]) -> dict[str, float]:
        """Return the value of every design of the fronts, by id, with weights of criteria multiplied by factors."""
        if self._scored is None:
            return {}
        names, tree, leaves, weights = self._scored
        moved = {name: float(w) * factors.get(name, 1.0) for name, w in zip(CRITERIA, weights.values, strict=True)}
        values = tree.score(leaves, direct_weights(moved, CRITERIA, normalise=True))
        return {name: float(value) for name, value in zip(names, values, strict=True)}

    @cached_property
    def _scored(self) -> tuple[tuple[str, ...], ValueTree, FloatArray, Weights] | None:
        """The fronts' designs on the scenario's scales: ids, value tree, leaf figures, weights."""
        members = self.every
        if not members:
            return None
        first = evaluate(members[0].design, self.scenario, self.catalogue)
        keys = isolation_keys([first])
        scales, weights = weighed(self.scenario, scales_of(self.scenario, self.catalogue, keys))
        # Criteria beside the four are not measured over spaces, and weigh nothing here: any figure does.
        unweighed = [scales[name].best for name in ADDED]
        plain = np.array([[*(found[name] for name in FOUR[1:]), *unweighed] for found in members])
        leaves = swept_leaves([found.design for found in members], plain, self.scenario, self.catalogue, keys)
        return tuple(found.id for found in members), scales.tree, leaves, weights

    def ranked(self) -> tuple[Found, ...]:
        """Return the designs that meet every requirement (the front where none does), best by weights first."""
        members = self.members or self.front
        return tuple(sorted(members, key=lambda found: -self._merits[found.id]))

    @property
    def best(self) -> Evaluation:
        """The best admitted design, references included, by the scenario's weights.

        Raises:
            UndecidedError: nobody meets every requirement.
        """
        return self.study.best


def _once(found: Iterable[Found]) -> tuple[Found, ...]:
    return tuple({one.id: one for one in reversed([*found])}.values())[::-1]


def _title(choices: Mapping[str, Choice]) -> str:
    """Return a title from the options that shape a design most."""
    parts = []
    for choice in dict.fromkeys(c.options for c in choices.values()):
        telling = [o for o in choice if o.startswith(("cp_", "node_", "rt_", "net_", "gpu_"))]
        parts.append(" + ".join(telling))
    return " | ".join(parts)


__all__ = ["Exploration", "Found"]
