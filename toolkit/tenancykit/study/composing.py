"""The best composition per class: for each tenant class what some reference chooses for it, found exactly.

A pool for these, a silo for those: nobody has to give sixty customers clusters of their own because four need them.
Every combination of the completed references' choices is valued as the study values designs - components that classes
share are built, run and paid once - and the best that meets every requirement and keeps tenants apart in a way no
reference does is compared beside the references. A second stands beside it where the comparison would otherwise lack a
rival: the best that costs clearly less and is worth more than every reference at such a price, so that no first place
hides the bill it could be had for; or, where the best is a near-twin of a reference, the best that is another
recommendation and that the first does not beat on every criterion. Both are composed of catalogue references, never of
variants, so that a variant changes nobody else.

The search is exact under two simplifications. Of near-twins - what differs for a class only in what is built on top -
the one that takes people least stands for all that leave the class open about as long. And what a combination costs is
the bill of its core (how machines are cut) plus, at the price of the cheapest machine, what all its components request.
Combinations are looked at in the order of the best they can be, so that few bills are drawn up; the one found is
measured in full like any design.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cached_property
from typing import Final

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.added import measure_added
from tenancykit.criteria.effort.calibration import Calibration
from tenancykit.criteria.isolation.beliefs import Beliefs
from tenancykit.criterion_names import ADDED, PLAIN
from tenancykit.decision.screen import screen
from tenancykit.decision.weights import Weights
from tenancykit.design.families import family_of, family_of_class, recommendation_of
from tenancykit.design.model import Choice, ClassDesign, Design, ResolvedDesign
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario
from tenancykit.study.evaluation import Evaluation, evaluate
from tenancykit.study.hybrids import only_class
from tenancykit.study.leaves import batch_of_designs, class_days, leaf_values, swept_nines
from tenancykit.study.requirements import class_level, figures_table, hard_requirements, measures
from tenancykit.study.scales import ScaleSet
from tenancykit.study.sweeping import Floats, Question, Sweeper, sweeper_of

COMPOSED: Final = "HY1"
"""Id of the best composition."""
RIVAL: Final = "HY2"
"""Id of the composition that stands beside it."""
LESS: Final = 0.9
"""Share of the best composition's bill up to which another costs clearly less (assumption: about what is not known of
a bill before it is paid)."""
COST: Final = 2
"""Column of the cost among the leaves; criteria registered beside the four follow it, then isolation."""
MOST: Final = 20_000
"""Most combinations looked at; with more, what takes people most is left out (assumption: it is not the best)."""
TRIES: Final = 12
"""Combinations measured in full until one meets every requirement, those apart that a fixed fleet has no cards for."""
TOO_LARGE: Final = 60
"""Most combinations measured that a fixed fleet has no cards for: the search by price does not know the fleet."""

SAFER: Final = 0.8
"""Share of the days a near-twin that takes people less leaves a class open, below which both are tried (assumption)."""


@dataclass(frozen=True)
class Part:
    """What one reference chooses for one class.

    Attributes:
        source: id of the reference.
        resolved: the class with the options chosen.
    """

    source: str
    resolved: ClassDesign

    @property
    def choice(self) -> Choice:
        """The options chosen."""
        return self.resolved.choice


def best_composition(
    references: Sequence[Evaluation],
    scenario: Scenario,
    catalogue: Catalogue,
    scales: ScaleSet,
    weights: Weights,
    *,
    calibration: Calibration | None = None,
) -> Composed | None:
    """Return the best composition per class, measured; None with one class, or where none is valid and new.

    Where none of the best meets every requirement, it is the one a fixed fleet lacks least for, the best of those
    alike; it then says what it misses.

    Args:
        references: the completed references, measured for the scenario; what they cost need not be known.
        scenario: what is asked.
        catalogue: what designs are made of.
        scales: the value tree.
        weights: weights of the criteria.
        calibration: measured tasks the effort is estimated with.
    """
    if len(scenario.tenants.classes) < 2 or not references:
        return None
    search = _Search(references, scenario, catalogue, scales, weights, calibration)
    best: Evaluation | None = None
    tries = 0
    for core, design in search.best_first():
        found = search.measured(design)
        if search.admits(found):
            return Composed(found, search)
        valid = found.resolved.is_valid
        if valid and (best is None or _purchase(found) < _purchase(best)):
            best = found
        if valid and _lacks_cards(found):
            search.too_large.add(core)
        else:
            tries += 1
        if tries == TRIES or len(search.too_large) == TOO_LARGE:
            break
    return None if best is None else Composed(best, search)


@dataclass(frozen=True, eq=False)
class Composed:
    """The best composition, and the search that found it.

    Attributes:
        best: the composition, measured.
        search: combinations in the order of what they are worth.
    """

    best: Evaluation
    search: _Search

    def with_rival(self, references: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
        """Return the composition, and a second one where the comparison would otherwise lack a rival.

        Args:
            references: the completed references, measured, with what they cost.
        """
        search, best = self.search, self.best
        if not search.admits(best):
            return (best,)
        admitted = [one for one in references if search.admits(one)]
        leader = max((best, *admitted), key=search.worth)
        taken = {recommendation_of(one.resolved) for one in admitted}
        most, floor = math.inf, -math.inf
        if recommendation_of(best.resolved) not in taken:
            most = LESS * float(best.scores["cost"].value)
            floor = max(map(search.worth, (one for one in admitted if one.scores["cost"].value <= most)), default=floor)
        taken.add(recommendation_of(best.resolved))
        for _, design in itertools.islice(search.best_first(most=most, floor=floor, taken=taken), TRIES):
            found = search.measured(replace(design, id=RIVAL))
            affordable = found.scores["cost"].value <= most and search.worth(found) > floor
            if affordable and search.admits(found) and search.is_better_somewhere(found, leader):
                return best, found
        return (best,)


def _purchase(found: Evaluation) -> float:
    """Return what the machines that a fixed fleet lacks for a design cost per month; nothing where all are bought."""
    fleet = found.scores["cost"].figures["fleet"]
    return float(fleet["purchase_per_month"]) if fleet else 0.0


def _lacks_cards(found: Evaluation) -> bool:
    """Return whether a fixed fleet that nothing is bought for holds too few machines with GPUs for a design."""
    fleet = found.scores["cost"].figures["fleet"]
    return bool(fleet) and fleet["missing_gpu_nodes"] > 0 and found.scenario.infrastructure.buying != "allowed"


class _Search:
    """Combinations of the references' choices, in the order of what they are worth."""

    def __init__(
        self,
        references: Sequence[Evaluation],
        scenario: Scenario,
        catalogue: Catalogue,
        scales: ScaleSet,
        weights: Weights,
        calibration: Calibration | None,
    ) -> None:
        self.scenario, self.catalogue, self.calibration = scenario, catalogue, calibration
        self.scales, self.weights = scales, weights
        self.sweeper: Sweeper = sweeper_of(Question.of(scenario, catalogue))
        self.taken = {family_of(one.resolved) for one in references}
        self.parts = _fewer([list(_parts(references, c.id, scenario)) for c in scenario.tenants.classes])
        self._cores: dict[tuple[str, ...], float] = {}
        self.too_large: set[tuple[str, ...]] = set()
        """Cores found to lack machines with GPUs: whatever is built on top, combinations with them do not fit."""

    def measured(self, design: Design) -> Evaluation:
        """Return a design measured in full."""
        return evaluate(design, self.scenario, self.catalogue, calibration=self.calibration)

    def admits(self, one: Evaluation) -> bool:
        """Return whether a design is valid and meets every requirement."""
        requirements = hard_requirements(self.scenario)
        return one.resolved.is_valid and bool(screen(figures_table([one]), requirements, measures([one])).passed)

    def worth(self, one: Evaluation) -> float:
        """Return the value of a measured design, 0..1 and beyond."""
        return float(self.scales.tree.score(leaf_values([one], self.scales.keys), self.weights)[0])

    def is_better_somewhere(self, one: Evaluation, other: Evaluation) -> bool:
        """Return whether a measured design is better than another on some criterion."""
        mine, theirs = self.scales.tree.node_values(leaf_values([one, other], self.scales.keys))
        return bool(np.any(mine > theirs))

    def best_first(
        self, *, most: float = math.inf, floor: float = -math.inf, taken: AbstractSet[Hashable] = frozenset()
    ) -> Iterator[tuple[tuple[str, ...], Design]]:
        """Yield combinations with their cores from the best on, each once; costs are worked out as far as needed.

        Args:
            most: what a combination may cost.
            floor: value below which nobody asks.
            taken: recommendations that are left out.
        """
        new, cores = self._new
        if not new:
            return
        figures, known = self._figures
        values = self.scales.tree.score(figures, self.weights)
        heap = [(-value, row, False) for row, value in enumerate(values.tolist()) if figures[row, COST] <= most]
        heapq.heapify(heap)
        while heap:
            negated, row, settled = heapq.heappop(heap)
            if math.isinf(negated) or -negated <= floor:
                return
            if cores[row] in self.too_large:
                continue
            if settled:
                yield cores[row], new[row].design
                continue
            if taken and recommendation_of(new[row]) in taken:
                continue
            exact = figures[row].copy()
            exact[COST] = known[row] + self._core(cores[row], new[row].design)
            if exact[COST] > most:
                continue
            exact[COST + 1 : len(PLAIN)] = self._added(new[row].design)
            value = float(self.scales.tree.score(exact, self.weights))
            heapq.heappush(heap, (-value, row, True))

    @cached_property
    def _new(self) -> tuple[list[ResolvedDesign], list[tuple[str, ...]]]:
        """Combinations that keep tenants apart in a way no reference does, and their cores."""
        every = (ResolvedDesign(self._design(c), tuple(p.resolved for p in c)) for c in itertools.product(*self.parts))
        new = [one for one in every if family_of(one) not in self.taken]
        return new, [tuple(self._cut(resolved) for resolved in one.classes) for one in new]

    def _design(self, combination: Sequence[Part]) -> Design:
        """Return the design of a combination, with where each class's part comes from."""
        classes: dict[str, list[str]] = {}
        for part in combination:
            classes.setdefault(part.source, []).append(part.resolved.tenant_class.id)
        told = ", ".join(f"{source} for {' and '.join(ids)}" for source, ids in classes.items())
        choices = {part.resolved.tenant_class.id: part.choice for part in combination}
        return Design(COMPOSED, told, choices, "composed")

    @cached_property
    def _figures(self) -> tuple[Floats, Floats]:
        """[designs x leaves] figures of combinations, the cost at its least; and [designs] what is known of the cost.

        Designs that need more people than there may be are worth nothing.
        """
        new, cores = self._new
        batch = batch_of_designs([one.design for one in new], self.scenario, self.catalogue)
        codes = batch.classes[0].chosen.codes
        columns = self.sweeper.measure_batch(batch, codes, isolation=lambda _, days: np.zeros(len(days)))
        nines = swept_nines(batch, columns.patch_days, self.scales.keys, Beliefs.of(self.scenario))
        known = columns.people + columns.hosts + self.sweeper.cost.requests(batch)
        # Of criteria registered beside the four nothing is known until a design is measured: the best that can be.
        added = [np.full(len(known), self.scales[name].best) for name in ADDED]
        plain = np.stack([columns.effort, columns.operations, known, *added], axis=1)
        limit = self.scenario.requirements.platform_engineers
        if limit is not None:
            known = np.where(columns.engineers > limit, np.inf, known)
        plain[:, COST] = known + np.array([self._least(core) for core in cores])
        return np.concatenate([plain, nines], axis=1), known

    def _added(self, design: Design) -> list[float]:
        """Return the figures of the criteria registered beside the four."""
        if not ADDED:
            return []
        resolved = resolve(design, self.scenario, self.catalogue)
        return [score.value for score in measure_added(resolved, self.scenario, self.catalogue).values()]

    # --- costs ----------------------------------------------------------------------------------------------------

    def _cut(self, resolved: ClassDesign) -> str:
        """Return a name for how machines are cut for a class."""
        return "|".join(filter(None, (self.sweeper.cost.cut(option) for option in resolved.options)))

    def _core(self, core: tuple[str, ...], design: Design) -> float:
        """Return the bill of a combination's core: machines, fees, network, storage."""
        if core not in self._cores:
            self._cores[core] = self.sweeper.cost.bound(design, bare=True)
        return self._cores[core]

    def _least(self, core: tuple[str, ...]) -> float:
        """Return what a core costs at least: silos add up, and pools cost no less than the dearest alone."""
        alone = [self._alone[place, cut] for place, cut in enumerate(core)]
        silos = sum(cost for cost, pooled in alone if not pooled)
        return silos + max((cost for cost, pooled in alone if pooled), default=0.0)

    @cached_property
    def _alone(self) -> Mapping[tuple[int, str], tuple[float, bool]]:
        """What the core of each class costs alone, and whether it may share machines with other classes."""
        found: dict[tuple[int, str], tuple[float, bool]] = {}
        for place, parts in enumerate(self.parts):
            sweeper = Sweeper(Question.of(only_class(self.scenario, place), self.catalogue))
            for part in parts:
                key = (place, self._cut(part.resolved))
                if key not in found:
                    class_id = part.resolved.tenant_class.id
                    alone = Design("", "", {class_id: part.choice})
                    pooled = not part.resolved.cluster.per_tenant
                    found[key] = (sweeper.cost.bound(alone, bare=True), pooled)
        return found


def _parts(references: Sequence[Evaluation], class_id: str, scenario: Scenario) -> Iterator[Part]:
    """Yield what references choose for a class: valid choices that give it its levels.

    Of near-twins the leanest, and whatever takes people more and leaves the class open fewer days.
    """
    tenant_class = scenario.tenant_class(class_id)
    wishes = tenant_class.requirements
    wanted = {
        "overall": wishes.isolation or scenario.requirements.isolation,
        "control": wishes.control_plane,
        "data": wishes.data_plane,
    }
    safest: dict[Hashable, float] = {}
    for one in sorted(references, key=lambda e: (e.people.per_month, e.id)):
        resolved = one.resolved.of_class(class_id)
        family = family_of_class(resolved)
        met = all(level is None or class_level(one, class_id, plane) >= level for plane, level in wanted.items())
        days = class_days(one)[class_id]
        if met and days < SAFER * safest.get(family, math.inf) and one.resolved.valid_for(class_id):
            safest[family] = days
            yield Part(one.id, resolved)


def _fewer(parts: list[list[Part]]) -> list[list[Part]]:
    """Return the parts, the least lean of a class left out until there are few enough combinations."""
    while math.prod(map(len, parts)) > MOST:
        max(parts, key=len).pop()
    return parts
