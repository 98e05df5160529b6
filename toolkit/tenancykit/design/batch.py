"""Many designs at once: which options, components and facts each has, as arrays over the designs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass
from tenancykit.catalogue.model import Option
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.work import Toil, Work
from tenancykit.conditions import Condition
from tenancykit.design.components import HUB, Closure, closure
from tenancykit.design.facts import class_facts
from tenancykit.design.model import Choice, Design, ResolvedDesign
from tenancykit.design.space import Candidates
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario, TenantClass

Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]
Codes = NDArray[np.uint8]
_LAYOUT_BITS = 4


class Chosen:
    """Options chosen in many designs, and what they bring.

    Args:
        columns: per layer, the options a code stands for.
        codes: [designs x layers] the options chosen.
        catalogue: where components are looked up.
    """

    def __init__(self, columns: Sequence[Candidates], codes: Codes, catalogue: Catalogue) -> None:
        self.columns = tuple(columns)
        self.codes = codes
        self._catalogue = catalogue
        self._known: dict[tuple[bool, str], Booleans] = {}

    # A component and a trait may have the same name: "management-cluster" is both. Neither is looked up where a batch
    # only tells what designs choose.

    @cached_property
    def _facts(self) -> Mapping[str, Sequence[tuple[int, int]]]:
        return self._bringing(lambda option: option.provides)

    @cached_property
    def _triggers(self) -> Mapping[str, Sequence[tuple[int, int]]]:
        return self._bringing(lambda option: required_components(option.components, self._catalogue))

    def _bringing(self, besides: Callable[[Option], Iterable[str]]) -> Mapping[str, Sequence[tuple[int, int]]]:
        """Return, per id of an option and what comes with it, the layers and codes that bring it."""
        found: dict[str, list[tuple[int, int]]] = {}
        for layer, column in enumerate(self.columns):
            for code, option in enumerate(column):
                if option is not None:
                    for name in {option.id, *besides(option)}:
                        found.setdefault(name, []).append((layer, code))
        return found

    def __len__(self) -> int:
        return len(self.codes)

    def fact(self, name: str) -> Booleans | None:
        """Return in which designs an option or a trait is there; None where nothing on offer brings it."""
        return self._where(name, self._facts, trigger=False)

    def trigger(self, name: str) -> Booleans | None:
        """Return in which designs an option or a component is there; None where nothing on offer brings it."""
        return self._where(name, self._triggers, trigger=True)

    def _where(self, name: str, brings: Mapping[str, Sequence[tuple[int, int]]], *, trigger: bool) -> Booleans | None:
        places = brings.get(name)
        if places is None:
            return None
        found = self._known.get((trigger, name))
        if found is None:
            found = np.zeros(len(self), dtype=bool)
            for layer, code in places:
                found |= self.codes[:, layer] == code
            self._known[trigger, name] = found
        return found

    def choice(self, row: int) -> Choice:
        """Return what one design chooses."""
        options = (column[code] for column, code in zip(self.columns, self.codes[row], strict=True))
        return Choice(tuple(option.id for option in options if option is not None))


@dataclass(frozen=True, eq=False)
class ClassFacts(Mapping[str, Booleans]):
    """Facts of one tenant class over many designs; a missing fact holds nowhere.

    Attributes:
        tenant_class: the class.
        base: facts that hold whatever is chosen.
        chosen: what is chosen for the class.
    """

    tenant_class: TenantClass
    base: frozenset[str]
    chosen: Chosen
    _conditions: dict[Condition, Booleans] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> Booleans:
        if name in self.base:
            return np.ones(len(self.chosen), dtype=bool)
        found = self.chosen.fact(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.base)

    def __len__(self) -> int:
        return len(self.base)

    def holds(self, condition: Condition) -> Booleans:
        """Return in which designs a condition holds for the class."""
        found = self._conditions.get(condition)
        if found is None:
            found = self._conditions[condition] = condition.holds_over(self, len(self.chosen))
        return found

    def stated(self, names: Iterable[str]) -> dict[str, Booleans]:
        """Return those of some facts that are known of the class, by name."""
        found = {name: self.get(name) for name in sorted(names)}
        return {name: holds for name, holds in found.items() if holds is not None}

    def brought(self, triggers: Iterable[str]) -> Booleans:
        """Return in which designs any of some options and components serves the class."""
        found = np.zeros(len(self.chosen), dtype=bool)
        for trigger in triggers:
            there = self.chosen.trigger(trigger)
            if there is not None:
                found |= there
        return found

    @cached_property
    def layout(self) -> Integers:
        """[designs] how the class's clusters are divided: all that counts of instances depend on."""
        chosen = self.chosen
        own, virtual, fleet = (np.zeros(len(chosen), dtype=bool) for _ in range(3))
        for layer, column in enumerate(chosen.columns):
            for code, option in enumerate(column):
                if option is None or option.dimension != "control_plane":
                    continue
                here = chosen.codes[:, layer] == code
                if option.layer == "fleet":
                    fleet |= here
                elif option.cluster is not None:
                    own |= here & option.cluster.per_tenant
                    virtual |= here & (option.cluster.control_plane in ("virtual", "logical"))
        hub = chosen.trigger(HUB)
        bits = (own, virtual & ~own, fleet, np.zeros(len(chosen), dtype=bool) if hub is None else hub)
        found: Integers = sum(
            (bit.astype(np.int64) << place for place, bit in enumerate(bits)), np.zeros(len(chosen), np.int64)
        )
        return found


@dataclass(frozen=True, eq=False)
class Batch:
    """Many designs of one scenario.

    Attributes:
        scenario: the scenario.
        catalogue: the catalogue.
        classes: facts per class, in the scenario's order.
    """

    scenario: Scenario
    catalogue: Catalogue
    classes: tuple[ClassFacts, ...]
    _closures: dict[int, Closure] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.classes[0].chosen)

    @cached_property
    def layouts(self) -> tuple[Integers, tuple[int, ...]]:
        """[designs] place of each design's layout in the list beside it; layouts are the classes' side by side."""
        code = np.zeros(len(self), dtype=np.int64)
        for place, facts in enumerate(self.classes):
            code |= facts.layout << (_LAYOUT_BITS * place)
        distinct, places = np.unique(code, return_inverse=True)
        return places.astype(np.int64), tuple(distinct.tolist())

    def needing(self, brought: Work | Toil) -> list[Booleans]:
        """Return, per class, the designs in which the class has something that brings the work or toil."""
        return [
            facts.holds(brought.when) & (True if brought.anywhere else facts.brought(brought.brought_by))
            for facts in self.classes
        ]

    def mask(self, per_class: Sequence[Booleans]) -> Integers:
        """Return [designs] the set of classes for which something holds, as a number with one bit per class."""
        found = per_class[0].astype(np.int64)
        for place, holds in enumerate(per_class[1:], start=1):
            found += holds.astype(np.int64) << place
        return found

    def numbered(
        self, mask: Integers, known: dict[str, Integers], scope: str, number: Callable[[int, int], int]
    ) -> Integers:
        """Return [designs] a number for each layout and set of classes.

        Args:
            mask: [designs] a set of classes, as of :meth:`mask`.
            known: per scope, the numbers of this batch's cases found so far, -1 elsewhere; changed in place.
            scope: what the numbers are for.
            number: asked once for each case, a place in :attr:`layouts` and a set.
        """
        places, layouts = self.layouts
        width = len(self.classes)
        if scope not in known:
            known[scope] = np.full(len(layouts) << width, -1)
        numbers, case = known[scope], (places << width) | mask
        used = np.flatnonzero(np.bincount(case))
        for each in used[numbers[used] < 0].tolist():
            numbers[each] = number(*divmod(each, 1 << width))
        found: Integers = numbers[case]
        return found

    def named(self, mask: int) -> tuple[str, ...]:
        """Return the ids of the classes of a set."""
        return tuple(f.tenant_class.id for place, f in enumerate(self.classes) if mask >> place & 1)

    def design(self, row: int, identifier: str = "", name: str = "") -> Design:
        """Return one of the designs."""
        choices = {facts.tenant_class.id: facts.chosen.choice(row) for facts in self.classes}
        return Design(identifier or str(row), name or identifier or str(row), choices, "explored")

    def resolved(self, row: int) -> ResolvedDesign:
        """Return one of the designs, looked up."""
        return resolve(self.design(row), self.scenario, self.catalogue)

    def closure_of_layout(self, place: int) -> Closure:
        """Return the closure of the first design with a layout; counts of its extents hold for all that share it."""
        found = self._closures.get(place)
        if found is None:
            row = int(np.argmax(self.layouts[0] == place))
            found = self._closures[place] = closure(self.resolved(row), self.scenario, self.catalogue)
        return found


def batch_of(
    scenario: Scenario, catalogue: Catalogue, columns: Sequence[Sequence[Candidates]], codes: Sequence[Codes]
) -> Batch:
    """Return designs given by codes.

    Args:
        scenario: the scenario.
        catalogue: the catalogue.
        columns: per class and layer, the options a code stands for; once where all classes choose the same.
        codes: per class [designs x layers]; once where all classes choose the same.
    """
    chosen = [Chosen(column, code, catalogue) for column, code in zip(columns, codes, strict=True)]
    classes = scenario.tenants.classes
    each = chosen * len(classes) if len(chosen) == 1 else chosen
    facts = [ClassFacts(c, class_facts(scenario, c), found) for c, found in zip(classes, each, strict=True)]
    return Batch(scenario, catalogue, tuple(facts))


def required_components(components: Iterable[str], catalogue: Catalogue) -> frozenset[str]:
    """Return components with everything they require, directly or not."""
    pending, found = list(components), set()
    while pending:
        component = pending.pop()
        if component not in found:
            found.add(component)
            pending.extend(catalogue.components[component].requires)
    return frozenset(found)
