"""Hours per month of many designs at once: recurring work and knowledge, added up over arrays.

What an activity takes depends on the classes that need it, the classes its component serves, and how often each of them
counts, which follows from how clusters are divided; each such case is worked out once, by the functions that count a
single design.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass
from tenancykit.catalogue.work import Activity, Toil
from tenancykit.catalogue.workbook import load_work
from tenancykit.criteria.operations.measure import roll_out
from tenancykit.criteria.operations.staffing import DAYS_PER_MONTH, LONGEST_WAIT_DAYS
from tenancykit.criteria.operations.toil import PER_INSTALLED, ToilLine, _Counting
from tenancykit.design.batch import Batch, Booleans, Integers, required_components
from tenancykit.design.components import Closure, Extent, Installation, RolloutGroup

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Swept:
    """Operations of many designs, one element per design.

    Attributes:
        hours: the figure that is ranked, hours per month of toil and knowledge.
        toil: hours per month of toil alone.
        people: whole people needed.
        patch_days: days from an advisory to the last patched cluster.
    """

    hours: Floats
    toil: Floats
    people: Floats
    patch_days: Floats


@dataclass(frozen=True)
class _Amount:
    """What a case of an activity adds up to."""

    hours: float = 0.0
    urgent: float = 0.0
    jobs: float = 0.0
    changes: float = 0.0

    def __add__(self, other: _Amount) -> _Amount:
        return _Amount(
            self.hours + other.hours, self.urgent + other.urgent, self.jobs + other.jobs, self.changes + other.changes
        )


class OperationsSweep:
    """Works out operations of batches of designs; cases met before are not worked out again.

    Args:
        batch: any batch of the scenario and catalogue whose designs are to be measured.
    """

    def __init__(self, batch: Batch) -> None:
        self.scenario = batch.scenario
        self.catalogue = batch.catalogue
        self.book = load_work(batch.catalogue)
        self._closures: dict[int, Closure] = {}
        self._extents: dict[tuple[int, int], tuple[tuple[RolloutGroup, ...], list[Extent]]] = {}
        self._numbers: dict[str, dict[object, int]] = {}
        self._amounts: dict[tuple[str, int, int], _Amount] = {}
        self._alike: dict[str, Integers] = {}

    def sweep(self, batch: Batch) -> Swept:
        """Return the operations of every design, the values that measuring each gives."""
        sums = {name: np.zeros(len(batch)) for name in ("hours", "urgent", "jobs", "changes")}
        late: list[tuple[Activity, Toil, Integers]] = []
        self._alike = {}
        installed = dict(self._installed(batch))
        for toil in self.book.toil.values():
            if toil.activities:
                self._add_toil(batch, toil, installed, sums, late)
        changes = sums["changes"].copy()
        for activity, toil, needing in late:
            self._add(batch, activity, toil, needing, needing, sums, "", scaled=changes)
        knowledge = self._knowledge(batch, installed)
        return self._staffed(batch, sums, knowledge)

    def _add_toil(
        self,
        batch: Batch,
        toil: Toil,
        installed: Mapping[str, Integers],
        sums: dict[str, Floats],
        late: list[tuple[Activity, Toil, Integers]],
    ) -> None:
        needed = batch.needing(toil)
        if not any(each.any() for each in needed):
            return
        component = installed.get(toil.id, np.zeros(len(batch), dtype=np.int64))
        for activity in toil.activities:
            asked = [
                each if activity.when.kind == "always" else each & facts.holds(activity.when)
                for each, facts in zip(needed, batch.classes, strict=True)
            ]
            needing = batch.mask(asked)
            if activity.driver == "change":
                late.append((activity, toil, needing))
            elif activity.per in PER_INSTALLED:
                for name, serving in installed.items():  # the upkeep of every component that some design installs
                    self._add(batch, activity, toil, np.where(needing > 0, serving, 0), serving, sums, name)
            else:
                self._add(batch, activity, toil, needing, component, sums, toil.id)

    def _installed(self, batch: Batch) -> Iterator[tuple[str, Integers]]:
        """Yield the components that some design installs with [designs] the set of classes each serves."""
        for component in self.catalogue.components:
            serving = batch.mask([facts.brought((component,)) for facts in batch.classes])
            if serving.any():
                yield component, serving

    def _add(
        self,
        batch: Batch,
        activity: Activity,
        toil: Toil,
        needing: Integers,
        serving: Integers,
        sums: dict[str, Floats],
        component: str,
        *,
        scaled: Floats | None = None,
    ) -> None:
        """Add what an activity takes to the sums; what follows changes is multiplied by their number."""
        if not needing.any():
            return
        name, scope = f"{activity.id} {component}", self._scope(activity, component)
        needed, served = (self._counted(batch, mask, scope) for mask in (needing, serving))
        size = len(self._numbers[scope])
        case = needed * size + served
        used = np.flatnonzero(np.bincount(case)).tolist()
        tables = {name: np.zeros(used[-1] + 1) for name in sums}
        for number in used:
            key = (name, *divmod(number, size))
            amount = self._amounts.get(key)
            if amount is None:
                row = int(np.argmax(case == number))
                here, there = batch.named(int(needing[row])), batch.named(int(serving[row]))
                closure = self._closure(batch, int(batch.layouts[0][row]))
                lines = self._lines(activity, toil, component, here, there, closure) if here else ()
                amount = self._amounts[key] = sum(map(_amount, lines), _Amount())
            for what, table in tables.items():
                table[number] = getattr(amount, what)
        for what, table in tables.items():
            if table.any():
                sums[what] += table[case] if scaled is None else table[case] * scaled

    def _scope(self, activity: Activity, component: str) -> str:
        """Return what the instances of an activity are counted by."""
        if activity.per == "installation":
            return self.catalogue.components[component].scope
        return "fleet" if activity.per == "component" or activity.driver == "change" else activity.per

    def _counted(self, batch: Batch, mask: Integers, scope: str) -> Integers:
        """Return [designs] a number for the classes of a set and how they count by a scope.

        Two designs share it where the set is the same, is grouped alike and counts the same.
        """
        numbers = self._numbers.setdefault(scope, {})

        def number(place: int, chosen: int) -> int:
            layout = batch.layouts[1][place]
            if (layout, chosen) not in self._extents:
                closure, classes = self._closure(batch, place), batch.named(chosen)
                groups = closure.rollout_groups(classes)
                parts = (*(group.classes for group in groups), classes)
                self._extents[layout, chosen] = groups, [closure.extent(part) for part in parts]
            groups, extents = self._extents[layout, chosen]
            counts = (chosen, groups, *(extent.count(scope) for extent in extents))
            return numbers.setdefault(counts, len(numbers))

        return batch.numbered(mask, self._alike, scope, number)

    def _lines(
        self,
        activity: Activity,
        toil: Toil,
        component: str,
        needing: tuple[str, ...],
        serving: tuple[str, ...],
        closure: Closure,
    ) -> Iterable[ToilLine]:
        """Return the lines of one case, as counting a single design gives them."""
        installed = {}
        if serving and component in self.catalogue.components:
            found = self.catalogue.components[component]
            instances = closure.extent(serving).count(found.scope)
            installed = {component: Installation(found, (), serving, instances)}
        alone = replace(closure, installations=MappingProxyType(installed))
        counting = _Counting(alone, self.scenario, self.book)
        if activity.driver == "change":
            return [counting.follow(activity, toil.id, (), needing, 1.0)]
        if activity.per in PER_INSTALLED:
            return counting.installed(activity, toil)
        return counting.counted(activity, toil.id, (), needing)

    # --- knowledge ----------------------------------------------------------------------------------------------

    def _knowledge(self, batch: Batch, installed: Mapping[str, Integers]) -> Floats:
        """Return [designs] hours per month to keep a design understood."""
        each, crds, pairs, settings, agreements = (
            self.book.rate(f"knowledge.{what}_hours").mean
            for what in ("component", "crd", "dependency", "parameter", "agreement")
        )
        total = np.zeros(len(batch))
        for identifier, serving in installed.items():
            # All that a component requires is installed with it, so the pairs it is part of are its own alone.
            reached = len(required_components((identifier,), self.catalogue)) - 1
            total += (serving > 0) * (each + crds * self.catalogue.components[identifier].crds + pairs * reached)
        agreed: dict[str, Booleans] = {}
        for work in self.book.work.values():
            if not work.parameters and not work.agree:
                continue
            concerned = np.zeros(len(batch), dtype=bool)
            for facts in batch.classes:
                concerned |= facts.holds(work.when) & (True if work.anywhere else facts.brought(work.brought_by))
            total += concerned * (settings * work.parameters)
            for value in work.agree:
                agreed[value] = agreed[value] | concerned if value in agreed else concerned
        for concerned in agreed.values():
            total += concerned * agreements
        return total

    # --- people -------------------------------------------------------------------------------------------------

    def _staffed(self, batch: Batch, sums: dict[str, Floats], knowledge: Floats) -> Swept:
        team, rate = self.scenario.team, self.book.rate
        hours = sums["hours"]
        per_person, share = rate("team.hours_per_month").mean, rate("team.toil_share").mean
        on_call = rate("team.on_call_share").mean if team.on_call else None
        needed = hours / (per_person * share)
        load = needed / team.engineers
        jobs = sums["jobs"]
        service = np.divide(hours, jobs, out=np.zeros_like(hours), where=jobs > 0) / share
        urgent = load * np.divide(sums["urgent"], hours, out=np.zeros_like(hours), where=hours > 0)
        wait = priority_wait(max(1, round(team.engineers)), load, urgent, service) * DAYS_PER_MONTH / per_person
        minimum = float(np.ceil(1 / on_call)) if on_call else 0.0
        people = np.maximum(np.ceil(needed - 1e-9), minimum)
        patch = self._patched(batch, np.minimum(LONGEST_WAIT_DAYS, wait), load)
        return Swept(hours + knowledge, hours, people, patch)

    def _patched(self, batch: Batch, wait: Floats, load: Floats) -> Floats:
        """Return [designs] days from an advisory to the last patched cluster."""
        places, layouts = batch.layouts
        work, pauses = np.zeros(len(layouts)), np.zeros(len(layouts))
        for place in range(len(layouts)):
            found = roll_out(self._closure(batch, place), self.scenario, self.book)
            work[place], pauses[place] = found.work_days, found.pause_days
        stretched = work[places] * np.maximum(1.0, load)
        days: Floats = np.minimum(LONGEST_WAIT_DAYS, wait + stretched + pauses[places])
        return days

    def _closure(self, batch: Batch, place: int) -> Closure:
        """Return a closure whose counts hold for all designs of a layout."""
        layout = batch.layouts[1][place]
        if layout not in self._closures:
            self._closures[layout] = batch.closure_of_layout(place)
        return self._closures[layout]


def _amount(line: ToilLine) -> _Amount:
    if line.by_hand.mean <= 0:
        return _Amount(changes=line.changes_for(line.instances))
    hours = line.hours.mean
    urgent = hours if line.activity.kind == "patch" else 0.0
    return _Amount(hours, urgent, line.per_year.mean * line.instances / 12, line.changes_for(line.instances))


def priority_wait(servers: int, load: Floats, urgent_load: Floats, service: Floats) -> Floats:
    """Return mean waits of urgent jobs over arrays; ``staffing.priority_wait`` says what it means."""
    offered = np.where(load < 1, load, 0.0) * servers
    blocking = np.ones_like(load)
    for count in range(1, servers + 1):
        blocking = offered * blocking / (count + offered * blocking)
    waits = np.where(load < 1, blocking / (1 - (offered / servers) * (1 - blocking)), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(urgent_load >= 1, np.inf, waits * service / (servers * (1 - urgent_load)))
    return found


__all__ = ["OperationsSweep", "Swept"]
