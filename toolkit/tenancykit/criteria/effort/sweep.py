"""Person-days of many designs at once: the tasks they need, each with its days, added up over arrays.

What a task takes depends on how often it is done - which follows from the classes that need it and from how clusters
are divided - and on whether what brings it runs already; each such case is worked out once, by the code that plans a
single design.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tenancykit.catalogue.work import Automation, Task, Work
from tenancykit.catalogue.workbook import load_work
from tenancykit.criteria.effort.tasks import _Planning
from tenancykit.design.batch import Batch, Booleans, Integers

Floats = NDArray[np.float64]


class EffortSweep:
    """Works out person-days (P50) of batches of designs; cases met before are not worked out again.

    Args:
        batch: any batch of the scenario and catalogue whose designs are to be measured.
    """

    def __init__(self, batch: Batch) -> None:
        self.scenario = batch.scenario
        self.catalogue = batch.catalogue
        self.book = load_work(batch.catalogue)
        self._plannings: dict[int, _Planning] = {}
        self._counts: dict[tuple[str, int, int], tuple[tuple[Automation, int], ...]] = {}
        self._days: dict[tuple[str, bool, tuple[tuple[Automation, int], ...]], float] = {}
        running = frozenset(batch.scenario.team.running)
        self._spared: Mapping[str, tuple[str, ...]] = {
            work.id: tuple(t for t in work.brought_by if _runs(self.catalogue.options.get(t), running))
            for work in self.book.work.values()
        }

    def days(self, batch: Batch) -> Floats:
        """Return [designs] person-days, the value that measuring each design gives."""
        total = np.zeros(len(batch))
        for work in self.book.work.values():
            needed = batch.needing(work)
            if not work.tasks or not any(each.any() for each in needed):
                continue
            spared = self._spared_where(work, batch)
            whole = batch.mask(needed)
            for task in work.tasks:
                doing = whole
                if task.when.kind != "always":
                    doing = batch.mask([n & f.holds(task.when) for n, f in zip(needed, batch.classes, strict=True)])
                total += self._looked_up(batch, work, task, doing, spared)
        return total

    def _spared_where(self, work: Work, batch: Batch) -> Booleans | None:
        """Return in which designs an option brings the work whose components all run already; None where none can."""
        if not self._spared[work.id]:
            return None
        found = np.zeros(len(batch), dtype=bool)
        for facts in batch.classes:
            found |= facts.brought(self._spared[work.id])
        return found

    def _looked_up(self, batch: Batch, work: Work, task: Task, doing: Integers, spared: Booleans | None) -> Floats:
        places, layouts = batch.layouts
        width = len(batch.classes)
        case = (places << width) | doing
        if spared is not None:
            case = (case << 1) | spared
        shift = 0 if spared is None else 1
        table = np.zeros(len(layouts) << (width + shift))
        few = (1 << width) - 1
        running = [self._planning(batch, 0).runs(task, work, because) for because in ((), self._spared[work.id][:1])]
        for number in np.flatnonzero(np.bincount(case, minlength=len(table))).tolist():
            needing, place = number >> shift & few, number >> (width + shift)
            if needing:
                table[number] = self._case(batch, task, place, needing, runs=running[shift and number & 1])
        found: Floats = table[case]
        return found

    def _planning(self, batch: Batch, place: int) -> _Planning:
        layout = batch.layouts[1][place]
        planning = self._plannings.get(layout)
        if planning is None:
            planning = _Planning(batch.closure_of_layout(place), self.scenario, self.book, None)
            planning.components = {option.id: option.components for option in self.catalogue.options.values()}
            self._plannings[layout] = planning
        return planning

    def _case(self, batch: Batch, task: Task, place: int, needing: int, *, runs: bool) -> float:
        planning, counted = self._planning(batch, place), (task.scope, batch.layouts[1][place], needing)
        counts = self._counts.get(counted)
        if counts is None:
            counts = self._counts[counted] = tuple(planning.counts(task, batch.named(needing)).items())
        key = (task.id, runs, counts)
        known = self._days.get(key)
        if known is None:
            found = planning.estimated(task, dict(counts), known=runs)
            known = self._days[key] = 0.0 if found is None else found[-1].mean
        return known


def _runs(option: object, running: frozenset[str]) -> bool:
    components = getattr(option, "components", ())
    return bool(components) and running.issuperset(components)


__all__ = ["EffortSweep"]
