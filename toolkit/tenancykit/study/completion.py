"""Designs completed for what a scenario needs, so that like is compared with like.

A published architecture says nothing of layers its authors had no reason to speak of: no queue, no cost reports, no
fleet automation. Ranked as published, the design with the fewest parts wins. So every candidate gets, in the optional
layers only (and in those of a need's ``swaps``), the options that provide what it lacks: every minimal set of them
that breaks no rule is considered, and the cheapest in money is taken - people (effort and toil), whole machines, and
what its pods request at the price of the cheapest machine; where GPUs can be cut in several ways, the whole bill of
each. A way of cutting that is preferred goes before price only within reason, and gives way to another in a fixed
fleet that it does not fit. Classes that lack the same thing get the same option, since nobody runs two queues because
two classes lacked one. What cannot be completed stays missing, and the design is not admitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Final

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.catalogue.layers import LAYERS
from tenancykit.catalogue.model import DIMENSIONS, Need, Option
from tenancykit.catalogue.reading import Catalogue
from tenancykit.conditions import Condition, parse_condition
from tenancykit.criteria.cost.fleet import GPU_KIND
from tenancykit.criteria.cost.machines import coarse_cuts, sharing_of
from tenancykit.criteria.isolation.measure import class_levels
from tenancykit.design.batch import Codes, batch_of
from tenancykit.design.facts import class_workloads
from tenancykit.design.lean import PLAIN, readings
from tenancykit.design.model import Choice, Design, Supplement, Violation, choose
from tenancykit.design.needs import Asked
from tenancykit.design.space import Candidates, Layer
from tenancykit.design.validity import (
    Judge,
    judge_of,
    need_missed,
    option_missing,
    reference_design,
    resolve,
    rule_broken,
)
from tenancykit.scenario.model import Scenario, TenantClass
from tenancykit.study.beside import shared_out
from tenancykit.study.leaving_out import as_asked
from tenancykit.study.lifting import lifted, unreached, wanted_levels
from tenancykit.study.sweeping import Question, Sweeper, sweeper_of

Way = tuple[Option, ...]
"""Options that complete one class, in the order they were found to be needed."""

WITHIN: Final = 1.1
"""How much dearer a preferred way of sharing cards may be than the cheapest (assumption: a tenth)."""

SHARES: Final = "gpu-fractions"
"""The need for shares of a card."""

MOST_WAYS: Final = 20_000
"""Most combinations priced for one design; a design that lacks so much is completed from the first of them."""


def completed(
    designs: Iterable[Design], scenario: Scenario, catalogue: Catalogue, *, processes: int = 1
) -> tuple[Design, ...]:
    """Return designs with the cheapest options added that provide what the scenario needs and they lack.

    Args:
        designs: references, variants or designs of one's own.
        scenario: whose needs they are completed for.
        catalogue: the options.
        processes: processes that share the work, as of :func:`tenancykit.study.beside.shared_out`.
    """
    completion = _Completion(scenario, catalogue)
    # Whoever asks for nothing wants to see what was published.
    asking = any(judge.asked for judge in completion.judges.values())
    wanted = [as_asked(one, scenario, catalogue) if asking else one for one in designs]
    tasks = [partial(completion.candidates, design) for design in wanted]
    _, offered = shared_out(lambda: completion.ready(wanted), tasks, (), processes=processes)
    found = completion.chosen(list(zip(wanted, offered, strict=True)))
    found = completion.lifted(found)
    fleet = scenario.infrastructure
    return found if fleet.mode != "fixed" or fleet.buying == "allowed" else completion.fitted(found)


@dataclass(frozen=True)
class _Context:
    """One class of one design before completion."""

    judge: Judge
    choice: Choice
    broken: frozenset[Violation]
    asked: tuple[Asked, ...]
    replacing: bool = False
    barred: frozenset[str] = frozenset()


class _Completion:
    """Completes the designs of one scenario.

    Args:
        scenario: the scenario.
        catalogue: the catalogue.
    """

    def __init__(self, scenario: Scenario, catalogue: Catalogue) -> None:
        self.scenario = scenario
        self.catalogue = catalogue
        self.classes = scenario.tenants.classes
        self.judges = {c.id: judge_of(c, scenario, catalogue) for c in self.classes}
        swapped = {layer for need in catalogue.needs.values() for layer in need.swaps}
        self.optional = [
            (option, frozenset({option.id, *option.provides}))
            for option in catalogue.options.values()
            if option.selectable and (not LAYERS[option.dimension][option.layer] or option.layer in swapped)
        ]
        self._ways: dict[tuple[str, tuple[str, ...]], list[Way]] = {}

    @cached_property
    def sweeper(self) -> Sweeper:
        """What prices designs."""
        return sweeper_of(Question.of(self.scenario, self.catalogue))

    def ready(self, designs: Sequence[Design]) -> None:
        """Make what every design is priced and graded with, while another process looks for ways to complete them."""
        _ = self.sweeper
        for one in designs[:1]:
            self._levels(one)

    # --- which options complete a class --------------------------------------------------------------------------

    def candidates(self, design: Design) -> list[Design]:
        """Return the design completed in every minimal way; the design itself where nothing lacks or nothing helps."""
        joined: list[tuple[Mapping[Layer, Option], tuple[Way, ...]]] = [({}, ())]
        for tenant_class in self.classes:
            ways = self._of_class(tenant_class, design.choices[tenant_class.id])
            joined = list(_joined(joined, ways))[:MOST_WAYS]
        found = {self._built(design, ways): None for _, ways in joined}
        return list(found)

    def _of_class(self, tenant_class: TenantClass, choice: Choice) -> list[Way]:
        key = (tenant_class.id, choice.options)
        if key not in self._ways:
            judge = self.judges[tenant_class.id]
            resolved, broken = judge.resolve(choice)
            wanted = (*judge.asked, *self._required(tenant_class), *self._ruled(judge))
            asked = tuple(one for one in wanted if one.missed(resolved.facts))
            context = _Context(judge, choice, frozenset(broken), asked)
            self._ways[key] = self._best_effort(context) if asked else [()]
        return self._ways[key]

    def _required(self, tenant_class: TenantClass) -> Iterator[Asked]:
        """Yield the options the class requires as needs, those in layers that completion may fill."""
        for identifier in tenant_class.requirements.require_options:
            option = self.catalogue.options[identifier]
            if any(option is one for one, _ in self.optional):
                here, layers = parse_condition(identifier), (option.layer,)
                why, name, what = "as the scenario requires", option.name, option.what
                need = Need(
                    id=identifier, name=name, what=what, default=here, why=why, unless=why, met=here, swaps=layers
                )
                yield Asked(need, tenant_class.id, wanted=True, stated=True, why=why)

    def _ruled(self, judge: Judge) -> Iterator[Asked]:
        """Yield what rules demand of such tenants whatever is chosen as needs, where completion may add it."""
        free = [option for option, _ in self.optional if self._may_fill(option, frozenset())]
        for rule in judge.demands:
            if rule.then is not None and any(_brings(option, _plain(rule.then)) for option in free):
                here, why, who = Condition("always"), rule.why, judge.tenant_class.id
                need = Need(id=rule.id, name=rule.id, what=why, default=here, why=why, unless=why, met=rule.then)
                yield Asked(need, who, wanted=True, stated=False, why=why)

    def _best_effort(self, context: _Context) -> list[Way]:
        """Return the ways that meet every need, or all but those that nothing meets."""
        found = self._minimal(context)
        if found or len(context.asked) == 1:
            return found or [()]
        possible = tuple(one for one in context.asked if self._minimal(replace(context, asked=(one,))))
        while possible and not found:
            found = self._minimal(replace(context, asked=possible))
            possible = possible[:-1]
        return found or [()]

    def _minimal(self, context: _Context) -> list[Way]:
        """Return the ways none of which holds another; options are replaced only where nothing can be added."""
        for replacing in (False, True):
            ways = self._grown(replace(context, replacing=replacing), (), set())
            found = {frozenset(option.id for option in way): way for way in ways}
            least = [way for ids, way in found.items() if not any(other < ids for other in found)]
            if least:
                return sorted(least, key=lambda way: [option.id for option in way])
        return []

    def _grown(self, context: _Context, added: Way, seen: set[frozenset[str]]) -> list[Way]:
        """Return the ways that begin with some options; preferred options go before others wherever they lead on."""
        ids = frozenset(option.id for option in added)
        if ids in seen:
            return []
        seen.add(ids)
        resolved, broken = context.judge.resolve(Choice(self._with(context.choice, added)))
        facts = resolved.facts
        owing = next(((n.when, option) for option in added for n in option.needs if not n.when.holds(facts)), None)
        missed = next((one.need for one in context.asked if one.missed(facts)), None)
        if owing is not None:
            lacking, preferred, swaps = owing[0], frozenset[str](), self._swaps_for(owing[1], context)
        else:
            if self._fresh(broken, context) or self._mended(broken, context):
                return []
            if missed is None:
                return [added]
            lacking, preferred, swaps = missed.met, missed.prefer.atoms(), frozenset(missed.swaps)
        providers = [o for o in self._providers(lacking, facts, context, added) if self._may_fill(o, swaps)]
        first = [o for o in providers if _brings(o, preferred)]
        rest = [o for o in providers if not _brings(o, preferred)]
        found: list[Way] = []
        for group in (first, rest):
            found += [way for option in group for way in self._grown(context, (*added, option), seen)]
            if found and not self._depends(first, context.judge):
                break
        return found

    def _swaps_for(self, option: Option, context: _Context) -> frozenset[str]:
        """Return the layers that needs which an added option meets may swap, for what the option itself demands."""
        met = [one.need for one in context.asked if _brings(option, one.need.met.atoms())]
        return frozenset(layer for need in met for layer in need.swaps)

    @staticmethod
    def _may_fill(option: Option, swaps: frozenset[str]) -> bool:
        """Return whether completion may choose an option: in a layer left to it, or one that the need may swap."""
        return not LAYERS[option.dimension][option.layer] or option.layer in swaps

    def _depends(self, preferred: Sequence[Option], judge: Judge) -> bool:
        """Return whether price has a say beside a preference: where cards are on offer that it cannot, or wastes."""
        models = {m.shape.gpu_model for m in self.sweeper.cost.machines if m.is_gpu}
        modes = [option.gpu for option in preferred if option.gpu is not None]
        cut = [{model for model in models if sharing_of(mode, model)} for mode in modes]
        if any(some and some != models for some in cut):
            return True
        # Strangers' cards stay divided in hardware, as the field does it, whatever that takes.
        asked = [w.gpu for w in class_workloads(self.scenario, judge.tenant_class) if w.gpu is not None]
        wasted = (all(next(coarse_cuts(mode, models, [one]), None) for one in asked) for mode in modes)
        return bool(asked) and "untrusted" not in judge.base and any(wasted)

    def _fresh(self, broken: Iterable[Violation], context: _Context) -> bool:
        """Return whether something is broken that was not before, needs apart."""
        return bool(set(broken) - context.broken - self._owed(context))

    def _mended(self, broken: Iterable[Violation], context: _Context) -> bool:
        """Return whether a replacement makes a design fit that does not fit as published: then it would be another."""
        return context.replacing and bool(context.broken - self._owed(context) - set(broken))

    def _owed(self, context: _Context) -> frozenset[Violation]:
        """Return why a design is refused that completing it is there to mend: needs, required options, rules."""
        judge = context.judge
        required = (option_missing(self.catalogue.options[o]) for o in judge.tenant_class.requirements.require_options)
        return frozenset((*map(need_missed, judge.asked), *required, *map(rule_broken, judge.demands)))

    def _providers(self, lacking: Condition, facts: frozenset[str], context: _Context, added: Way) -> list[Option]:
        """Return the options that bring a fact the condition lacks, in layers that are free (or may be replaced)."""
        wanted = _plain(lacking) - facts
        if any(name in facts for name, sign in readings(lacking) if sign != PLAIN):
            wanted = _plain(lacking)
        requirements = context.judge.tenant_class.requirements
        required = set(requirements.require_options)
        taken = {self._layer(option.id) for option in added}
        if not context.replacing:
            taken |= {self._layer(identifier) for identifier in context.choice.options}
        reserved = {self._layer(identifier) for identifier in required}
        return [
            option
            for option, names in self.optional
            if wanted & names
            and (option.dimension, option.layer) not in taken
            and (option.id in required or (option.dimension, option.layer) not in reserved)
            and option.id not in requirements.forbid_options
            and option.id not in context.barred
            and option.id not in context.choice.options
        ]

    def _layer(self, identifier: str) -> Layer:
        option = self.catalogue.options[identifier]
        return (option.dimension, option.layer)

    def _with(self, choice: Choice, added: Way) -> tuple[str, ...]:
        taken = {(option.dimension, option.layer) for option in added}
        kept = [identifier for identifier in choice.options if self._layer(identifier) not in taken]
        return (*kept, *(option.id for option in added))

    def _built(self, design: Design, ways: Sequence[Way]) -> Design:
        """Return the design with one way per class."""
        choices = {
            tenant_class.id: self._supplemented(design.choices[tenant_class.id], way, tenant_class)
            for tenant_class, way in zip(self.classes, ways, strict=True)
        }
        return replace(design, choices=choices) if any(ways) else design

    def _supplemented(self, choice: Choice, way: Way, tenant_class: TenantClass) -> Choice:
        if not way:
            return choice
        chosen = choose(self.catalogue, self._with(choice, way), completion=choice.completion, tier=choice.tier)
        chosen = replace(
            chosen,
            named=tuple(option for option in choice.named if option in chosen.options),
            omissions=tuple(one for one in choice.omissions if one.option not in chosen.options),
        )
        layers = {self._layer(identifier): identifier for identifier in choice.options}
        supplements = tuple(
            Supplement(
                option.id,
                tuple(
                    one.need.id
                    for one in self.judges[tenant_class.id].asked
                    if {option.id, *option.provides} & one.need.met.atoms()
                ),
                layers.get((option.dimension, option.layer), ""),
            )
            for option in way
        )
        return replace(chosen, supplements=supplements)

    # --- which of them is cheapest --------------------------------------------------------------------------------

    def chosen(self, offered: Sequence[tuple[Design, list[Design]]]) -> tuple[Design, ...]:
        """Return, per design, the cheapest of its completions that keeps the isolation the design had."""
        priced = [design for _, found in offered if len(found) > 1 for design in found]
        price = dict(zip(map(id, priced), self._prices(priced), strict=True)) if priced else {}
        return tuple(
            found[0] if len(found) == 1 else self._cheapest(design, [(price[id(one)], one) for one in found])
            for design, found in offered
        )

    def _prices(self, designs: Sequence[Design]) -> list[float]:
        """Return what people, whole machines and requests of components cost per month, all designs in one sweep."""
        sweeper = self.sweeper
        columns: list[Candidates] = []
        for dimension in DIMENSIONS:
            for layer in LAYERS[dimension]:
                options = (o for o in self.catalogue.in_dimension(dimension) if o.layer == layer)
                columns.append((*options, None))
        place = {o.id: (at, code) for at, column in enumerate(columns) for code, o in enumerate(column) if o}
        codes: list[Codes] = []
        for tenant_class in self.classes:
            mine = np.array([[len(column) - 1 for column in columns]] * len(designs), dtype=np.uint8)
            for row, design in enumerate(designs):
                for identifier in design.choices[tenant_class.id].options:
                    at, code = place[identifier]
                    mine[row, at] = code
            codes.append(mine)
        batch = batch_of(self.scenario, self.catalogue, [columns] * len(codes), codes)
        total = sweeper.people(batch) + sweeper.cost.hosts(batch) + sweeper.cost.requests(batch)
        return [float(value) for value in total]

    def _cheapest(self, design: Design, priced: list[tuple[float, Design]]) -> Design:
        """Return the cheapest completion; where GPUs can be cut in several ways, the bill of each way decides."""
        best: dict[tuple[str, ...], tuple[float, Design]] = {}
        for price, candidate in sorted(priced, key=lambda item: item[0]):
            best.setdefault(self._cut(candidate), (price, candidate))
        if len(best) > 1:
            best = {cut: (price + self._bill(one), one) for cut, (price, one) in best.items()}
        if len(best) == 1:
            return next(one for _, one in best.values())
        dear = WITHIN * min(price for price, _ in best.values())
        order = sorted(best.values(), key=lambda item: (item[0] > dear or not self._preferred(item[1]), item[0]))
        ordered = [one for _, one in order]
        return next((one for one in ordered if not self._lowers_isolation(design, one)), ordered[0])

    def _cut(self, design: Design) -> tuple[str, ...]:
        """Return how a design cuts GPUs, class by class."""
        return tuple(option for choice in design.choices.values() for option in choice.options if self._cuts(option))

    def _cuts(self, identifier: str) -> bool:
        return self.catalogue.options[identifier].gpu is not None

    def _preferred(self, design: Design) -> bool:
        """Return whether shares of a card are what their need prefers, in every class that has some added."""
        liked = {name for need in self.catalogue.needs.values() for name in need.prefer.atoms()}
        every = [
            self.catalogue.options[s.option]
            for c in design.choices.values()
            for s in c.supplements
            if self._cuts(s.option)
        ]
        return all(_brings(option, frozenset(liked)) for option in every)

    def _bill(self, design: Design) -> float:
        """Return the bill per month without people and without whole machines of components, which people carry."""
        return float(self.sweeper.cost.without_hosts(resolve(design, self.scenario, self.catalogue)))

    # --- what misses a level that no published design reaches -----------------------------------------------------

    def lifted(self, designs: Sequence[Design]) -> tuple[Design, ...]:
        """Return designs with clusters made another way where no published one reaches the isolation required.

        Whether one does is the same question whatever designs are asked about: a variant alone is told by them all.
        """
        if not wanted_levels(self.scenario):
            return tuple(designs)
        wanted = unreached(list(self._published(designs)), self.scenario, self.catalogue)
        if not wanted:
            return tuple(designs)
        offered = [(one, lifted(one, wanted, self.scenario, self.catalogue) or [one]) for one in designs]
        return self.chosen(offered)

    def _published(self, designs: Sequence[Design]) -> Iterable[Design]:
        """Return the completed references: those among the designs where they are all there, else found again."""
        given = {design.id: design for design in designs if design.origin == "reference"}
        if set(self.catalogue.references) <= set(given):
            return given.values()
        bare = [reference_design(one, self.scenario, self.catalogue) for one in self.catalogue.references.values()]
        wanted = [as_asked(one, self.scenario, self.catalogue) for one in bare]
        return self.chosen([(one, self.candidates(one)) for one in wanted])

    # --- what does not fit a fixed fleet --------------------------------------------------------------------------

    def fitted(self, designs: Sequence[Design]) -> tuple[Design, ...]:
        """Return designs with shares of cards made another way where the fixed fleet lacks GPU nodes for theirs.

        Only what a design's own or added way of cutting lacks and another does not: no other layer changes.
        """
        asked = {c.id for c in self.classes for one in self.judges[c.id].asked if one.need.id == SHARES}
        return tuple(self._fitting(design, asked) for design in designs) if asked else tuple(designs)

    def _fitting(self, design: Design, asked: frozenset[str] | set[str]) -> Design:
        cutting = {c for name in asked for c in design.choices[name].options if self._shares(c)}
        required = {o for c in self.classes for o in c.requirements.require_options}
        required |= {option for choice in design.choices.values() for option in choice.named}
        if not cutting or cutting & required or not self._lacking(design):
            return design
        others = [one for one in self._cut_otherwise(design, frozenset(cutting)) if not self._lacking(one)]
        return self.chosen([(design, others)])[0] if others else design

    def _cut_otherwise(self, design: Design, barred: frozenset[str]) -> list[Design]:
        ways = []
        for tenant_class in self.classes:
            choice, judge = design.choices[tenant_class.id], self.judges[tenant_class.id]
            bare = Choice(tuple(o for o in choice.options if o not in barred), named=choice.named)
            resolved, broken = judge.resolve(bare)
            missed = tuple(one for one in judge.asked if one.missed(resolved.facts))
            context = _Context(judge, bare, frozenset(broken), missed, barred=barred)
            ways.append(self._best_effort(context) if missed else [()])
        joined: list[tuple[Mapping[Layer, Option], tuple[Way, ...]]] = [({}, ())]
        for each in ways:
            joined = list(_joined(joined, each))[:MOST_WAYS]
        found: dict[tuple[str, ...], Design] = {}
        for _, way in joined:
            one = _kept_supplements(design, self._built(design, way))
            if not barred & {option for choice in one.choices.values() for option in choice.options}:
                found.setdefault(self._cut(one), one)
        return list(found.values())

    def _shares(self, identifier: str) -> bool:
        option = self.catalogue.options[identifier]
        return option.gpu is not None and option.gpu.mode != "whole"

    def _lacking(self, design: Design) -> int:
        return self.sweeper.cost.shortage(resolve(design, self.scenario, self.catalogue))[GPU_KIND]

    def _lowers_isolation(self, design: Design, candidate: Design) -> bool:
        """Return whether cutting GPUs takes a class below a level it asks for and the design has without."""
        cut = any(self._cuts(s.option) for choice in candidate.choices.values() for s in choice.supplements)
        wanted = {
            c.id: int(level[1])
            for c in self.classes
            if (level := c.requirements.isolation or c.requirements.data_plane or self.scenario.requirements.isolation)
        }
        if not cut or not wanted:
            return False
        before, after = (self._levels(one) for one in (design, candidate))
        return any(before[name] >= least > after[name] for name, least in wanted.items())

    def _levels(self, design: Design) -> dict[str, int]:
        resolved = resolve(design, self.scenario, self.catalogue)
        levels = class_levels(resolved, self.scenario, self.catalogue)
        return {name: int(str(found["overall"])[1]) for name, found in levels.items()}


def _kept_supplements(before: Design, after: Design) -> Design:
    """Return a design completed once more with what completed it before; what was added and taken back is no swap."""
    choices = {}
    for name, choice in after.choices.items():
        earlier = before.choices[name].supplements
        swapped = {one.option: one.replaces for one in earlier}
        new = [replace(s, replaces=swapped.get(s.replaces, s.replaces)) for s in choice.supplements]
        known = {one.option for one in new}
        kept = [s for s in earlier if s.option in choice.options and s.option not in known]
        choices[name] = replace(choice, supplements=(*kept, *new), omissions=before.choices[name].omissions)
    return replace(after, choices=choices)


def _plain(condition: Condition) -> frozenset[str]:
    """Return the facts that make a condition truer."""
    return frozenset(name for name, sign in readings(condition) if sign == PLAIN)


def _brings(option: Option, facts: frozenset[str]) -> bool:
    return not facts.isdisjoint({option.id, *option.provides})


def _joined(
    partial: Sequence[tuple[Mapping[Layer, Option], tuple[Way, ...]]], ways: Sequence[Way]
) -> Iterator[tuple[Mapping[Layer, Option], tuple[Way, ...]]]:
    """Yield each partial completion with each way that takes the same options in the same layers; any, if none does."""
    for taken, before in partial:
        layered = [({(o.dimension, o.layer): o for o in way}, way) for way in ways]
        alike = [
            (mine, way)
            for mine, way in layered
            if all(taken.get(layer, option) is option for layer, option in mine.items())
        ]
        for mine, way in alike or layered:
            yield {**taken, **mine}, (*before, way)
