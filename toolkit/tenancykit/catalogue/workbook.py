"""Tasks, toil, rates and limits of a catalogue, read once and checked against each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Protocol, TypeVar

from kubeanswers.errors import CatalogueError, Fault, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.catalogue.advisories import Reactions, advisory_faults, advisory_rates
from tenancykit.catalogue.attack import Evidence
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import Catalogue, Entries, Sections
from tenancykit.catalogue.work import Prior, Rate, ScaleLimit, Task, Toil, Work
from tenancykit.conditions import Condition
from tenancykit.distributions import ThreePoint


class _Brought(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def anywhere(self) -> bool: ...
    @property
    def when(self) -> Condition: ...
    @property
    def brought_by(self) -> tuple[str, ...]: ...


B = TypeVar("B", bound=_Brought)


@dataclass(frozen=True)
class WorkBook:
    """Tasks, toil, rates and limits of the catalogue, checked against each other.

    Attributes:
        work: work by id.
        toil: toil by id.
        rates: numbers used everywhere, by id.
        priors: priors by id.
        limits: published limits of scale by id.
        advisories: published flaws to react to per year, by the toil that states them and the components that bring it.
    """

    work: Entries[Work]
    toil: Entries[Toil]
    rates: Entries[Rate]
    priors: Entries[Prior]
    limits: Entries[ScaleLimit]
    advisories: Mapping[str, Reactions]

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        """Every task by id."""
        return MappingProxyType({task.id: task for work in self.work.values() for task in work.tasks})

    @cached_property
    def milestones(self) -> Mapping[str, tuple[str, ...]]:
        """Ids of the tasks that provide each milestone."""
        found: dict[str, list[str]] = {}
        for task in self.tasks.values():
            for milestone in task.provides:
                found.setdefault(milestone, []).append(task.id)
        return MappingProxyType({name: tuple(ids) for name, ids in sorted(found.items())})

    @cached_property
    def work_by_trigger(self) -> Mapping[str, tuple[Work, ...]]:
        """Work by the option or component that brings it; under the empty id what every design needs."""
        return _by_trigger(self.work.values())

    @cached_property
    def toil_by_trigger(self) -> Mapping[str, tuple[Toil, ...]]:
        """Toil by the option or component that brings it; under the empty id what every design has."""
        return _by_trigger(self.toil.values())

    def rate(self, identifier: str) -> ThreePoint:
        """Return a rate's value.

        Raises:
            CatalogueError: the catalogue has no such rate.
        """
        found = self.rates.get(identifier)
        if found is None:
            cure = did_you_mean(identifier, self.rates) or "add it to tasks/rates or toil/rates"
            raise CatalogueError(Fault("catalogue", f"rate {identifier!r} is missing", cure=cure))
        return found.value


@dataclass(frozen=True)
class Influence:
    """An assumption of the catalogue and what a figure of a design becomes at its lowest and highest value.

    Attributes:
        id: id of the work, activity or rate.
        kind: ``work``, ``activity``, ``rate`` or ``share``.
        what: what is assumed.
        place: ``file:line`` of the catalogue.
        assumed: low, likely and high value.
        unit: unit of the assumed value.
        figure: which figure it moves.
        base: the figure as it is.
        low: the figure where the assumption takes its lowest value.
        high: the figure where it takes its highest.
    """

    id: str
    kind: str
    what: str
    place: str
    assumed: ThreePoint
    unit: str
    figure: str
    base: float
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """What is assumed as the subject of a sentence; works by their titles, which begin with a capital anywhere."""
        if self.kind == "work":
            return f"the work for '{self.what}'"
        told = self.what[:1].lower() + self.what[1:]
        return f"the time it takes to {told}" if self.kind == "activity" else told

    @property
    def swing(self) -> float:
        """Distance between the figure's two values, in the figure's unit."""
        return abs(self.high - self.low)


def with_rate(book: WorkBook, identifier: str, value: float) -> WorkBook:
    """Return the same book with one rate fixed at a value."""
    rates = dict(book.rates.items_by_id)
    rates[identifier] = rates[identifier].model_copy(update={"value": ThreePoint(value, value, value)})
    return replace(book, rates=Entries(MappingProxyType(rates), book.rates.places, book.rates.replaced))


def with_share(book: WorkBook, identifier: str, value: float, evidence: Iterable[Evidence]) -> WorkBook:
    """Return the same book with one toil's share of published flaws fixed at a value.

    Args:
        book: the book.
        identifier: id of toil that states advisories.
        value: the share.
        evidence: the records the rates are counted from.

    Raises:
        ValueError: the toil states no advisories.
    """
    stated = book.toil[identifier].advisories
    if stated is None:
        raise ValueError(f"{identifier!r} states no advisories")
    fixed = stated.model_copy(update={"share": ThreePoint(value, value, value)})
    toil = {**book.toil.items_by_id, identifier: book.toil[identifier].model_copy(update={"advisories": fixed})}
    return replace(book, advisories=advisory_rates(toil.values(), evidence))


def _by_trigger(entries: Iterable[B]) -> Mapping[str, tuple[B, ...]]:
    found: dict[str, list[B]] = {}
    for entry in entries:
        for trigger in ("",) if entry.anywhere else entry.brought_by:
            found.setdefault(trigger, []).append(entry)
    return MappingProxyType({trigger: tuple(list_) for trigger, list_ in found.items()})


@cache
def load_work(catalogue: Catalogue) -> WorkBook:
    """Return tasks, toil, rates and limits of a catalogue.

    Raises:
        CatalogueError: every fault of every file: unknown keys and skills, estimates out of order, unknown options,
            prerequisites and priors, tasks that wait for each other (the cycle is printed).
    """
    sections = Sections(catalogue.roots)
    book = WorkBook(
        work=sections.read("tasks/work", Work),
        toil=sections.read("toil/activities", Toil),
        rates=_merged(sections.read("tasks/rates", Rate), sections.read("toil/rates", Rate)),
        priors=sections.read("tasks/priors", Prior),
        limits=sections.read("toil/limits", ScaleLimit),
        advisories={},
    )
    sections.check()
    evidence = load_isolation(catalogue).evidence.values()
    wrong = advisory_faults(book.toil, evidence)
    if not wrong:
        book = replace(book, advisories=advisory_rates(book.toil.values(), evidence))
    checks = (_check_triggers(book, catalogue), _check_work(book), _check_toil(book), _check_provenance(book))
    faults = [*wrong, *(fault for found in checks for fault in found)]
    if not faults:
        faults = _check_cycles(book)
    if faults:
        raise CatalogueError(sorted(set(faults)))
    return book


def _merged(first: Entries[Rate], second: Entries[Rate]) -> Entries[Rate]:
    return Entries(
        MappingProxyType({**first.items_by_id, **second.items_by_id}),
        MappingProxyType({**first.places, **second.places}),
        MappingProxyType({**first.replaced, **second.replaced}),
    )


def _check_triggers(book: WorkBook, catalogue: Catalogue) -> list[Fault]:
    known = {*catalogue.options, *catalogue.components}
    faults: list[Fault] = []
    for entries in (book.work, book.toil):
        for entry in entries.values():
            if entry.anywhere:
                continue
            faults.extend(
                Fault(
                    entries.places[entry.id],
                    f"{entry.id!r} applies to {trigger!r}, which is no option or component",
                    cure=did_you_mean(trigger, known) or "name an option or component, or set 'anywhere: true'",
                )
                for trigger in entry.brought_by
                if trigger not in known
            )
    return faults


def _check_work(book: WorkBook) -> list[Fault]:
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    known = {*book.tasks, *book.milestones}
    for work in book.work.values():
        place = book.work.places[work.id]
        if work.prior and work.prior not in book.priors:
            faults.append(Fault(place, f"unknown prior {work.prior!r}", cure=did_you_mean(work.prior, book.priors)))
        for task in work.tasks:
            if task.id in seen:
                faults.append(Fault(place, f"task {task.id!r} is already at {seen[task.id]}", cure="rename one"))
            seen[task.id] = place
            faults.extend(
                Fault(place, f"task {task.id!r} waits for unknown {name!r}", cure=did_you_mean(name, known))
                for name in task.after
                if name not in known
            )
    return faults


def _check_toil(book: WorkBook) -> list[Fault]:
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    for toil in book.toil.values():
        place = book.toil.places[toil.id]
        if not (toil.activities or toil.none_because or toil.upgraded_with or toil.advisories):
            faults.append(Fault(place, f"{toil.id!r} has no activity and no reason", cure="write none_because: ..."))
        for activity in toil.activities:
            if activity.id in seen:
                cure = "rename one"
                faults.append(Fault(place, f"activity {activity.id!r} is already at {seen[activity.id]}", cure=cure))
            seen[activity.id] = place
    return faults


def _check_provenance(book: WorkBook) -> list[Fault]:
    """Every number names a source or calls itself an assumption."""
    stated: list[tuple[str, str, str, bool]] = [
        *((book.work.places[w.id], f"work {w.id!r}", w.source, w.assumption) for w in book.work.values() if w.tasks),
        *((book.rates.places[r.id], f"rate {r.id!r}", r.source, r.assumption) for r in book.rates.values()),
        *((book.priors.places[p.id], f"prior {p.id!r}", p.source, p.assumption) for p in book.priors.values()),
        *(
            (book.toil.places[t.id], f"activity {a.id!r}", a.source, a.assumption)
            for t in book.toil.values()
            for a in t.activities
        ),
    ]
    return [
        Fault(place, f"{what} has neither a source nor 'assumption: true'", cure="add one of the two")
        for place, what, source, assumption in stated
        if not source and not assumption
    ]


def _check_cycles(book: WorkBook) -> list[Fault]:
    edges = {task.id: prerequisites(task, book) for task in book.tasks.values()}
    cycle = find_cycle(edges)
    if not cycle:
        return []
    owner = next(work for work in book.work.values() if any(task.id == cycle[0] for task in work.tasks))
    text = "tasks wait for each other: " + " -> ".join(cycle)
    return [Fault(book.work.places[owner.id], text, cure="remove one of these prerequisites")]


def prerequisites(task: Task, book: WorkBook) -> tuple[str, ...]:
    """Return the ids of the tasks a task waits for, milestones replaced by the tasks that provide them."""
    found: dict[str, None] = {}
    for name in task.after:
        for identifier in book.milestones.get(name, (name,)):
            if identifier != task.id:
                found[identifier] = None
    return tuple(found)


def find_cycle(edges: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return a cycle of a directed graph as ``[a, b, ..., a]``, or an empty list."""
    state: dict[str, int] = {}
    for start in edges:
        trail: list[str] = []
        stack = [(start, iter(edges[start]))] if start not in state else []
        if stack:
            state[start] = 1
            trail.append(start)
        while stack:
            node, following = stack[-1]
            step = next((other for other in following if other in edges and state.get(other) != 2), None)
            if step is None:
                stack.pop()
                trail.pop()
                state[node] = 2
            elif state.get(step) == 1:
                return [*trail[trail.index(step) :], step]
            else:
                state[step] = 1
                trail.append(step)
                stack.append((step, iter(edges[step])))
    return []
