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
Counts = tuple[tuple[Automation, int], ...]
"""Instances by how repetitions are done."""


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
        self._numbers: dict[Counts, int] = {(): 0}
        self._days: dict[tuple[str, bool, int], float] = {}
        running = frozenset(batch.scenario.team.running)
        self._spared: Mapping[str, tuple[str, ...]] = {
            work.id: tuple(t for t in work.brought_by if _runs(self.catalogue.options.get(t), running))
            for work in self.book.work.values()
        }

    def days(self, batch: Batch) -> Floats:
        """Return [designs] person-days, the value that measuring each design gives."""
        total = np.zeros(len(batch))
        alike: dict[str, Integers] = {}
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
                total += self._looked_up(work, task, self._counted(batch, task, doing, alike), spared, batch)
        return total

    def _spared_where(self, work: Work, batch: Batch) -> Booleans | None:
        """Return in which designs an option brings the work whose components all run already; None where none can."""
        if not self._spared[work.id]:
            return None
        found = np.zeros(len(batch), dtype=bool)
        for facts in batch.classes:
            found |= facts.brought(self._spared[work.id])
        return found

    def _counted(self, batch: Batch, task: Task, doing: Integers, alike: dict[str, Integers]) -> Integers:
        """Return [designs] a number for the instances of a task: the same where as many are done in the same way.

        Args:
            batch: the designs.
            task: the task, of which its scope counts.
            doing: [designs] the classes that need it.
            alike: the numbers found so far, as of :meth:`Batch.numbered`.
        """

        def number(place: int, needing: int) -> int:
            counts: Counts = ()
            if needing:
                counts = tuple(self._planning(batch, place).counts(task, batch.named(needing)).items())
            return self._numbers.setdefault(counts, len(self._numbers))

        return batch.numbered(doing, alike, task.scope, number)

    def _looked_up(self, work: Work, task: Task, counted: Integers, spared: Booleans | None, batch: Batch) -> Floats:
        planning = self._planning(batch, 0)
        case = counted << 1 if spared is None else (counted << 1) | spared
        runs = [planning.runs(task, work, because) for because in ((), self._spared[work.id][:1])]
        used = np.flatnonzero(np.bincount(case)).tolist()
        table = np.zeros(used[-1] + 1)
        listed = list(self._numbers)
        for number in used:
            counts, known = listed[number >> 1], runs[number & 1]
            if counts:
                key = (task.id, known, number >> 1)
                if key not in self._days:
                    taken = planning.estimated(task, dict(counts), known=known)
                    self._days[key] = 0.0 if taken is None else taken[-1].mean
                table[number] = self._days[key]
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


def _runs(option: object, running: frozenset[str]) -> bool:
    components = getattr(option, "components", ())
    return bool(components) and running.issuperset(components)


__all__ = ["EffortSweep"]
