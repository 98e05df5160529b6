"""The search behind an exploration: what is measured, in which order, and what is kept.

A space that fits the budget is measured design by design. A larger one is first freed of options that can only be a
burden; what is left is measured in even steps, with what a comparison ranks beside it. It is then searched around the
best: what differs by one option from a design that leads (:mod:`tenancykit.study.leading`), or by two where one needs
the other, step by step; from the best with each kind of control plane as well, since more than two lie between them.
Then every design that differs from one on the front by one option, or two, until nothing new comes up. Where classes
choose for themselves, what they would all have alike comes first, and what is composed of the best of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from itertools import combinations, islice, pairwise, product
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kubeanswers.errors import UndecidedError
from kubeanswers.writing import checked
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.isolation.reads import isolation_readings
from tenancykit.criterion_names import FOUR
from tenancykit.design.batch import Codes
from tenancykit.design.lean import LeftOut, burdens, work_readings
from tenancykit.design.model import Choice, Design
from tenancykit.design.numbering import Numbered, numbered
from tenancykit.design.space import common_space, space
from tenancykit.sentences import number_of
from tenancykit.study.admission import Admission
from tenancykit.study.branching import Branched, Branching
from tenancykit.study.coding import codes_of, narrowed, option_id, recoded, spread
from tenancykit.study.comparison import Progress, Study, compare
from tenancykit.study.discovery import Exploration, Found
from tenancykit.study.hybrids import combined_front
from tenancykit.study.leading import Leading
from tenancykit.study.refining import Costs, Refiner, Rows
from tenancykit.study.saved import SAVED, SavedSweep, load_sweep, save_sweep
from tenancykit.study.sweeping import Columns, Question, sweep_codes, sweep_numbers, sweeper_of

_LOT: Final = 20_000
_PAIRS_FROM: Final = 24
"""Designs of the front around which pairs of options are changed, those spread most evenly over it."""
_FOR_THE_FRONT: Final = 4
"""One part in so many of the budget left is kept for the front when leading designs are looked for."""
_TOGETHER: Final = 32
"""Kinds of control planes from which a search goes on at once: all there are."""
_ALIKE: Final = 4
"""One part in so many of a budget per class is for designs in which all classes choose the same: they come first."""
_COMPOSED: Final = 8
"""One part in so many of the rest is for what is composed of those that lead, class by class."""
_PARTIAL: Final = 2_000_000
"""Most partial designs a proof keeps at once."""


class Stop(Protocol):
    """What tells a sweep to stop, such as :class:`threading.Event`."""

    def is_set(self) -> bool:
        """Return whether to stop."""
        ...


class Search:
    """One exploration under way.

    Args:
        question: what is explored.
        catalogue: the catalogue it is explored with.
        limit: most designs to measure.
        executor: where designs are measured.
        progress: told after each lot.
        save: file to keep what was measured in.
        resume: file to go on from.
        stop: ends the search early when set.
        prove: whether a space too large to be measured is searched to the end by branch and bound.
        bills: most designs to price in full for the fronts.
    """

    def __init__(
        self,
        question: Question,
        catalogue: Catalogue,
        limit: int,
        executor: Executor | None,
        progress: Progress | None,
        save: Path | None,
        resume: Path | None,
        stop: Stop | None,
        prove: bool = False,
        bills: int | None = None,
    ) -> None:
        self.question, self.catalogue, self.limit = question, catalogue, limit
        self.executor, self.progress, self.save = executor, progress, save
        self.stop = stop
        self.interrupted = False
        self.sweeper = sweeper_of(question)
        self.refiner = Refiner(question, executor, self._stopped, self._priced, bills)
        self.admission = Admission(self.sweeper)
        self.started = time.monotonic()
        self.lots: list[Columns] = []
        self.seen: set[bytes] = set()
        self.left_out: tuple[LeftOut, ...] = ()
        self.searched = False
        self.prove = prove
        self.unpriced = 0
        self.branched: Branched | None = None
        self.considered = 0
        self.before = 0
        """Designs measured in which all classes choose the same, before those in which each chooses for itself."""
        self.compared: Study | None = None
        self.leading: Leading | None = None
        self.around: set[bytes] = set()
        """Leading designs all of whose neighbours by one option are measured."""
        if save is not None:
            checked(save, ours=SAVED)  # before hours of measuring, not after them
        if resume is not None:
            saved = load_sweep(resume, question)
            self.refiner.bills.update(saved.bills)
            self._keep(saved.columns)

    def _stopped(self) -> bool:
        return self.interrupted or (self.stop is not None and self.stop.is_set())

    def explore(self) -> Exploration:
        """Return what was found."""
        try:
            front, admitted, costs = self._fronts_of_all()
        except KeyboardInterrupt:
            # Bills under way are given up; those drawn up already say what is known so far.
            self.interrupted = True
            front, admitted, costs = self._fronts()
        self._written()
        return self._result(front, admitted, costs)

    def _fronts_of_all(self) -> tuple[Rows, Rows, Costs]:
        self.compared = compare(self.question.scenario, self.catalogue)
        if self._measured(self.compared):
            return self._fronts()
        front, admitted, costs = self._search()
        if self.prove and not self.question.per_class and not self._stopped():
            return self._proven(front, admitted, costs)
        return front, admitted, costs

    def _measured(self, compared: Study) -> bool:
        """Measure the whole space where it fits the budget, else up to what leads; return whether it was the whole."""
        self.compared = compared
        self.leading = Leading(self.refiner, self.admission, compared.scales, compared.weights)
        if self.sweeper.count <= self.limit:
            self._sweep(self._every(self.sweeper.count))
            return True
        self._sweep_lean()
        self._climb(self.leading)
        return False

    def _proven(self, front: Rows, admitted: Rows, costs: Costs) -> tuple[Rows, Rows, Costs]:
        """Measure whatever else in the whole space may be on a front; then the fronts are those of the space."""
        known = costs.table()[admitted if len(admitted) else front]
        self.branched = Branching(self.sweeper, self.refiner, known, _PARTIAL, self._stopped).run()
        rest = self._unseen(self.branched.codes)
        self._gather([(sweep_codes, rest[at : at + _LOT]) for at in range(0, len(rest), _LOT)])
        return self._fronts()

    # --- measuring ----------------------------------------------------------------------------------------------

    def _every(self, count: int) -> Iterator[NDArray[np.int64]]:
        lot = _LOT if self.executor is None else max(500, min(_LOT, count // 16 + 1))
        for start in range(0, count, lot):
            yield np.arange(start, min(count, start + lot), dtype=np.int64)

    def _sweep(self, lots: Iterator[NDArray[np.int64]]) -> None:
        """Measure designs by number; those a resumed sweep has measured are left out."""
        if not self.seen and self.executor is not None:
            self._gather([(sweep_numbers, numbers) for numbers in lots])
        else:
            codes = (self._unseen(self.sweeper.codes(numbers)) for numbers in lots)
            self._gather([(sweep_codes, code) for code in codes if len(code)])

    def _gather(self, tasks: Sequence[tuple[Callable[..., Columns], NDArray[np.generic]]]) -> None:
        total = sum(len(rows) for _, rows in tasks) + len(self.seen)
        start, before = time.monotonic(), len(self.seen)
        waiting: list[Future[Columns]] = []
        if self.executor is not None:
            waiting = [self.executor.submit(work, self.question, rows) for work, rows in tasks]
        try:
            for place, (work, rows) in enumerate(tasks):
                if self._stopped():
                    break
                self._keep(waiting[place].result() if waiting else work(self.question, rows))
                self._written()
                self._told(total, start, before)
        finally:
            for future in waiting:
                future.cancel()

    def _told(self, total: int, start: float, before: int) -> None:
        if self.progress is not None:
            done = len(self.seen)
            left = (time.monotonic() - start) / max(1, done - before) * (total - done)
            self.progress(done, total, f"designs measured, about {left:.0f} s left")

    def _priced(self, done: int, total: int) -> None:
        if self.progress is not None and not self._stopped():
            self.progress(done, total, f"designs of this round priced, {len(self.seen):,} measured")

    def _keep(self, columns: Columns) -> None:
        self.lots.append(columns)
        self.seen.update(row.tobytes() for row in columns.codes)

    def _unseen(self, codes: Codes) -> Codes:
        if not self.seen or not len(codes):
            return codes
        return codes[[row.tobytes() not in self.seen for row in codes]]

    def _written(self) -> None:
        if self.save is not None and self.lots:
            save_sweep(self.save, self.question, SavedSweep(self._all(), self.refiner.bills))

    def _all(self) -> Columns:
        if len(self.lots) > 1:
            self.lots = [Columns.joined(self.lots)]
        return self.lots[0]

    # --- a space too large to be measured -----------------------------------------------------------------------

    def _sweep_lean(self) -> None:
        """Measure the leaner space, in even steps where it is too large; and the reference architectures."""
        lean = self._lean()
        count = math.prod(map(len, lean))
        budget = self.limit if count <= self.limit else self.limit // (32 if self.question.per_class else 2)
        lots = []
        for place, (part, thin) in enumerate(zip(self.sweeper.parts, lean, strict=True)):
            rest = math.prod(map(len, lean[place + 1 :]))
            if count <= budget:
                here = np.arange(count, dtype=np.int64) // rest % len(thin)
            else:
                # Even steps through each part, in an order of its own, so that parts do not move in step.
                here = np.linspace(0, len(thin) - 1, budget).round().astype(np.int64)
                here = here if place == 0 else np.random.default_rng(place).permutation(here)
            lots.append(recoded(thin.codes(here), thin.columns, part.columns))
        codes = np.concatenate([self._known(), *self._starts(lean), np.concatenate(lots, axis=1)])
        codes = np.unique(codes, axis=0)
        codes = self._unseen(codes[self.sweeper.valid(codes)])
        lot = _LOT if self.executor is None else max(500, min(_LOT, len(codes) // 16 + 1))
        self._gather([(sweep_codes, codes[at : at + lot]) for at in range(0, len(codes), lot)])

    def _starts(self, lean: Sequence[Numbered]) -> Iterator[Codes]:
        """Yield where a search ends that gives all classes the same, and what is composed of it class by class.

        So a search per class does not end below that one; and what is composed of designs that lead is worth more than
        what is composed of any.
        """
        if not self.question.per_class or len(self.sweeper.parts) == 1 or self.compared is None:
            return
        common = replace(self.question, per_class=False)
        inner = Search(
            common, self.catalogue, self.limit // _ALIKE, self.executor, self.progress, None, None, self.stop
        )
        try:
            inner._measured(self.compared)
        except UndecidedError:
            return  # classes that cannot all have the same
        ends = inner._ends()
        self.limit -= len(inner.seen)
        self.before += len(inner.seen)
        each = [[codes_of(part.columns, choice) for choice in ends] for part in self.sweeper.parts]
        most = max(1, int((self.limit // _COMPOSED) ** (1 / len(each))))
        rows = [*zip(*each, strict=True), *product(*(codes[:most] for codes in each))]
        codes = [[place for code in row if code is not None for place in code] for row in rows if None not in row]
        yield np.array(codes, dtype=np.uint8).reshape(-1, len(self.sweeper.columns))
        found = combined_front(self.question, self.limit // _COMPOSED, self.executor, lean)
        self.considered = found.considered
        yield found.codes

    def _ends(self) -> list[Choice]:
        """Return the designs that lead, and the best by weights with each kind of control plane."""
        if self.leading is None or not self.lots:
            return []
        costs = self.refiner.costs(self._all())
        rows = dict.fromkeys([*self.leading.each(costs), *self._of_kinds(costs)])
        return [next(iter(self.sweeper.choices(costs.columns.codes[row]).values())) for row in rows]

    def _lean(self) -> list[Numbered]:
        """Return each part without the options that can only be a burden."""
        work = work_readings(self.catalogue, self.sweeper.conditions())
        isolation = isolation_readings(self.catalogue)
        found = [burdens(part.space, self.catalogue, work, isolation) for part in self.sweeper.parts]
        self.left_out = tuple(sorted(set().union(*found), key=lambda item: item.option))
        scenario = self.question.scenario
        lean = []
        for place, (part, gone) in enumerate(zip(self.sweeper.parts, found, strict=True)):
            allowed = narrowed(part.space, gone)
            if self.question.per_class:
                thin = space(scenario.tenants.classes[place], scenario, self.catalogue, allowed=allowed)
            else:
                thin = common_space(scenario, self.catalogue, allowed=allowed)
            lean.append(numbered(thin))
        return lean

    def _known(self) -> Codes:
        """Return the codes of the designs a comparison holds - completed references, compositions - in the space."""
        rows = []
        for one in self.compared.evaluations if self.compared else ():
            design = one.resolved.design
            if not self.question.per_class and design.is_hybrid:
                continue
            parts = zip(self.sweeper.parts, design.choices.values(), strict=False)
            codes = [codes_of(part.columns, choice) for part, choice in parts]
            if all(code is not None for code in codes):
                rows.append([place for code in codes if code is not None for place in code])
        return np.array(rows, dtype=np.uint8).reshape(-1, len(self.sweeper.columns))

    def _climb(self, leading: Leading) -> None:
        """Measure what differs by one option from what leads, until nothing new does or most of the budget is spent.

        From one kind of control plane to another more than one option changes, so that the best by weights with each is
        gone on from as well, with half of what is left. What leads then leads all of them.
        """
        most = self.limit - (self.limit - len(self.seen)) // _FOR_THE_FRONT
        self._ascend(leading.each, most)
        if not self.question.per_class:
            self._ascend(self._of_kinds, (len(self.seen) + most) // 2, at_once=_TOGETHER)
            self._ascend(leading.each, most)

    def _of_kinds(self, costs: Costs) -> Iterable[int]:
        layers = [layer for part in self.sweeper.parts for _, layer in part.layers]
        kinds = costs.columns.codes[:, layers.index("tenancy")].astype(np.intp)
        return self.leading.of_kinds(costs, kinds).tolist() if self.leading else []

    def _ascend(self, leads: Callable[[Costs], Iterable[int]], most: int, at_once: int = 1) -> None:
        """Measure what differs by one option from some designs, and from those that come up, until nothing new does.

        An option is changed for one class, for all that may have it at once, and with another that it cannot be changed
        without. The design that leads by weights comes before the others, since it moves them too.
        """
        while not self._stopped() and self.lots:
            costs = self.refiner.costs(self._all())
            rows = (costs.columns.codes[row] for row in leads(costs))
            fresh = list(islice((row for row in rows if row.tobytes() not in self.around), at_once))
            room = most - len(self.seen)
            if not fresh or room <= 0:
                break
            codes = np.array(fresh, dtype=np.uint8)
            around = [self._neighbours(codes, 1), self._alike(codes), *map(self._mended, codes)]
            near = self._unseen(np.unique(np.concatenate(around), axis=0))
            if len(near) <= room:
                self.around.update(row.tobytes() for row in codes)
            if len(near):
                self._gather([(sweep_codes, near[:room])])

    def _alike(self, codes: Codes) -> Codes:
        """Return the valid designs that differ from some by one option, the same for every class that may have it."""
        columns = self.sweeper.columns
        layers = [layer for part in self.sweeper.parts for layer in part.layers]
        lots = [codes[:0]]
        for layer in dict.fromkeys(layers):
            mine = [place for place, other in enumerate(layers) if other == layer]
            for option in dict.fromkeys(option_id(option) for place in mine for option in columns[place]):
                near = codes.copy()
                for place in mine:
                    names = [option_id(one) for one in columns[place]]
                    if option in names:
                        near[:, place] = names.index(option)
                lots.append(near)
        every = np.concatenate(lots)
        return every[self.sweeper.valid(every)]

    def _mended(self, code: Codes) -> Codes:
        """Return the valid designs that differ from one by two options of which one cannot be changed alone."""
        # Each class is valid by itself, so that what a change needs is in the columns of its class.
        ends = np.cumsum([0, *(len(part.columns) for part in self.sweeper.parts)]).tolist()
        two = np.concatenate([self._neighbours(code[None, :], 2, range(*each)) for each in pairwise(ends)])
        changed, at = two != code, np.arange(len(two))
        alone = []
        for layers in (changed.argmax(axis=1), changed.shape[1] - 1 - changed[:, ::-1].argmax(axis=1)):
            one = two.copy()
            one[at, layers] = code[layers]
            alone.append(self.sweeper.valid(one))
        return two[~(alone[0] & alone[1])]

    def _search(self) -> tuple[Rows, Rows, Costs]:
        """Measure what differs from the fronts by one option, then by two, until nothing new is on them."""
        expanded: set[tuple[bytes, int]] = set()
        front, admitted, costs = self._fronts()
        while not self._stopped():
            members = np.unique(np.concatenate([front, admitted]))
            codes = costs.columns.codes[members]
            fresh = [row for row in codes if (row.tobytes(), 1) not in expanded]
            changes = 1
            if not fresh:
                changes = 2
                fresh = [row for row in spread(codes, _PAIRS_FROM) if (row.tobytes(), 2) not in expanded]
            room = self.limit - len(self.seen)
            if not fresh or room <= 0:
                self.searched = not fresh and not self.unpriced
                break
            expanded.update((row.tobytes(), changes) for row in fresh)
            near = self._unseen(self._neighbours(np.array(fresh, dtype=np.uint8), changes))[:room]
            if len(near):
                self._gather([(sweep_codes, near[at : at + _LOT]) for at in range(0, len(near), _LOT)])
                front, admitted, costs = self._fronts()
        return front, admitted, costs

    def _neighbours(self, codes: Codes, changes: int, within: range | None = None) -> Codes:
        """Return the valid designs that differ from some by exactly so many options, each once; in some columns."""
        widths = [len(column) for column in self.sweeper.columns]
        lots = []
        for layers in combinations([layer for layer in within or range(len(widths)) if widths[layer] > 1], changes):
            shifts = np.stack(np.meshgrid(*(np.arange(1, widths[layer]) for layer in layers)), axis=-1)
            steps = shifts.reshape(-1, changes)
            near = np.repeat(codes, len(steps), axis=0)
            for place, layer in enumerate(layers):
                near[:, layer] = (near[:, layer] + np.tile(steps[:, place], len(codes))) % widths[layer]
            lots.append(near)
        every = np.unique(np.concatenate(lots), axis=0) if lots else codes[:0]
        return every[self.sweeper.valid(every)]

    # --- the result ---------------------------------------------------------------------------------------------

    def _fronts(self) -> tuple[Rows, Rows, Costs]:
        if not self.lots:
            raise UndecidedError("the exploration was stopped before any design was measured")
        costs = self.refiner.costs(self._all())
        front = self.refiner.front(costs)
        self.unpriced = self.refiner.unpriced
        admitted = self.admission.front(self.refiner, costs)
        self.unpriced = max(self.unpriced, self.refiner.unpriced)
        return front, admitted, costs

    def _result(self, front: Rows, admitted: Rows, costs: Costs) -> Exploration:
        meets = set(admitted.tolist())
        shown = [self._found(row, costs, row in meets) for row in front.tolist()]
        allowed = [self._found(row, costs, admitted=True) for row in admitted.tolist()]
        whole = len(self.seen) == self.sweeper.count and not self._stopped()
        leads = self._leads(costs)
        return Exploration(
            scenario=self.question.scenario,
            catalogue=self.catalogue,
            allowed=MappingProxyType(dict(self.question.allowed)),
            combinations=math.prod(part.space.combinations for part in self.sweeper.parts),
            space=self.sweeper.count,
            evaluated=len(self.seen) + self.before,
            billed=len(self.refiner.bills),
            left_out=self.left_out,
            front=_ordered(shown),
            admitted=_ordered(allowed),
            leading=tuple(self._found(row, costs, admitted=True) for row in leads.tolist()),
            known=tuple(self._compared()),
            settled=whole or {costs.columns.codes[row].tobytes() for row in leads[:1]} <= self.around,
            per_class=self.question.per_class,
            exact=whole and not self.refiner.refuted and not self.unpriced,
            within=self._within(whole),
            caveats=tuple(self._caveats(whole, costs)),
            stopped=self._stopped(),
            seconds=time.monotonic() - self.started,
            refusals=tuple(reason for part in self.sweeper.parts for reason in part.space.reasons()),
        )

    def _leads(self, costs: Costs) -> Rows:
        """Return the rows that lead; none where the search was stopped, since that may need bills nobody waits for."""
        if self.leading is None or self._stopped():
            return np.zeros(0, dtype=np.intp)
        return self.leading.rows(costs)

    def _compared(self) -> Iterator[Found]:
        """Yield the designs a comparison ranks, the first first, of options that are allowed."""
        study = self.compared
        if study is None or study.ranking is None:
            return
        allowed = {dimension: frozenset(options) for dimension, options in self.question.allowed}
        options = self.catalogue.options
        for one in map(study.__getitem__, study.ranking.ordered()):
            chosen = {name for choice in one.resolved.design.choices.values() for name in choice.options}
            if all(name in allowed.get(options[name].dimension, chosen) for name in chosen):
                values = tuple(float(one.scores[name].value) for name in FOUR)
                yield Found(_id(one.resolved.design), one.resolved.design.choices, values, admitted=True, ranked=one.id)

    def _way(self) -> Iterator[str]:
        """Yield how a space too large to be measured was searched, in words."""
        kinds = "" if self.question.per_class else "from the best with each kind of control plane, "
        searched = (
            "all that differs from the front by one option, and from a spread of it by two, until nothing new came up"
            if self.searched
            else "what differs from the front by one option or two, until the budget ended"
        )
        yield (
            f"{len(self.seen) + self.before:,} of {number_of(self.sweeper.count)} valid designs were measured: the "
            "space in even steps, what differs by one option (or two, where one needs the other) from the best by "
            f"weights, {kinds}the cheapest, the safest within budget and the least to run, then {searched}. Better "
            "designs may exist"
        )
        if self.before:
            yield (
                f"{self.before:,} of them, measured first, have the same for all classes; the search started from what "
                "leads these, and from what is composed of it class by class"
            )
        if self.considered:
            yield (
                f"it started as well from the front of {self.considered:,.0f} combinations of designs of the classes, "
                "each measured by itself, with what their groups share paid once"
            )

    def _within(self, whole: bool) -> float | None:
        if self.unpriced:
            return None
        if whole:
            return 0.0
        return None if self.branched is None or self._stopped() else self.branched.within

    def _found(self, row: int, costs: Costs, admitted: bool) -> Found:
        columns = costs.columns
        choices = self.sweeper.choices(columns.codes[row])
        values = (columns.isolation[row], columns.effort[row], columns.operations[row], costs.least[row])
        identifier = _id(Design("", "", choices))
        return Found(identifier, MappingProxyType(choices), tuple(map(float, values)), admitted)

    def _caveats(self, whole: bool, costs: Costs) -> Iterator[str]:
        if self._stopped():
            yield "stopped early: the front is that of the designs measured so far whose bill was drawn up"
        if not whole and self._within(whole) is None and not self._stopped():
            yield from self._way()
        if self.unpriced and not self._stopped():
            yield (
                f"{self.unpriced:,} more of the measured designs may be on the front, for all that is known of their "
                f"cost: the most to price for it were {self.refiner.most:,} (--bills)"
            )
        if self.branched is not None and not self._stopped():
            done = self.branched
            if done.within is None:
                yield f"branch and bound did not come to its end: {done.looked_at:,} partial designs were looked at"
            else:
                yield (
                    f"proven by branch and bound over all {self.sweeper.count:,} valid designs ({done.looked_at:,} "
                    f"partial designs): none is better by more than {done.within:.0e} nines of isolation, by which "
                    "adding options may shorten the time to patch"
                )
        if self.prove and self.question.per_class and not whole:
            yield "hybrids are searched only; branch and bound proves designs that choose the same for every class"
        if self.left_out and self._within(whole) is None:
            names = ", ".join(item.option for item in self.left_out)
            yield (
                f"left out of the even steps, as they can only be a burden: {names} (the time to patch apart: a few "
                "short jobs can shorten the mean wait)"
            )
        bounded = len(costs.columns) - int(costs.measured.sum())
        refuted = self.refiner.refuted
        if refuted:
            worst = max(item.bound - item.cost for item in refuted)
            yield (
                f"{len(refuted):,} designs cost less than the bound of their core, by {worst:,.0f} at most: bounds "
                "were lowered, but others may be too high still"
            )
        elif bounded:
            yield (
                f"{bounded:,} designs were dropped on a lower bound of their cost, which holds where packing more onto "
                f"machines never costs less; none of the {int(costs.measured.sum()):,} bills drawn up refutes it"
            )


def _id(design: Design) -> str:
    return f"X{design.fingerprint()[:8]}"


def _ordered(found: Sequence[Found]) -> tuple[Found, ...]:
    return tuple(sorted(found, key=lambda one: (-one.values[0], *one.values[1:], one.id)))


__all__ = ["Search", "Stop"]
