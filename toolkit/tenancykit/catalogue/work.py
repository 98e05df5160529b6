"""What has to be done: tasks to build a design and toil to live with it, as the catalogue's files state them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import BeforeValidator, Field, PlainSerializer

from tenancykit.catalogue.model import Entry, When
from tenancykit.catalogue.reading import Catalogue, Entries, read_entries
from tenancykit.conditions import Condition
from tenancykit.distributions import ThreePoint
from tenancykit.errors import CatalogueError, Fault, did_you_mean

Kind = Literal["design", "install", "integrate", "secure", "test", "document", "migrate", "train"]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
"""Kinds of tasks in the order work usually goes through them."""

Skill = Literal["kubernetes", "networking", "gpu", "security", "storage", "virtualisation", "gitops"]
SKILLS: tuple[Skill, ...] = Skill.__args__  # type: ignore[attr-defined]
"""Skills a scenario's team may state and a task may ask for."""

Scope = Literal["once", "fleet", "cluster", "class", "tenant"]
Automation = Literal["manual", "scripts", "gitops", "fleet"]
Per = Literal[
    "fleet", "cluster", "shared-cluster", "tenant-cluster", "management-cluster", "virtual-control-plane", "class",
    "tenant", "installation",
]  # fmt: skip
Driver = Literal[
    "stated", "kubernetes-minor", "kubernetes-patch", "component-minor", "advisory", "onboard", "offboard", "change",
]  # fmt: skip
ToilKind = Literal[
    "upgrade", "patch", "rotate", "onboard", "offboard", "request", "restore", "capacity", "incident", "review",
]  # fmt: skip
TOIL_KINDS: tuple[ToilKind, ...] = ToilKind.__args__  # type: ignore[attr-defined]
"""Kinds of toil in the order they are always shown."""


def _three_points(value: Any) -> ThreePoint:
    if isinstance(value, ThreePoint):
        return value
    numbers = isinstance(value, list | tuple) and all(
        isinstance(point, int | float) and not isinstance(point, bool) for point in value
    )
    if not numbers or len(value) != 3:
        raise ValueError(f"{value!r} is not a three-point estimate; write [low, likely, high]")
    if value[0] < 0:
        raise ValueError(f"{value!r} holds a negative estimate; write numbers of zero or more")
    return ThreePoint(*map(float, value))


def _as_list(value: ThreePoint) -> list[float]:
    return [value.low, value.likely, value.high]


Points = Annotated[
    ThreePoint,
    BeforeValidator(_three_points, json_schema_input_type=Annotated[list[float], Field(min_length=3, max_length=3)]),
    PlainSerializer(_as_list, return_type=list[float]),
]
"""A three-point estimate, written ``[low, likely, high]``."""


class Factors(Entry):
    """What a repeated instance costs, as a share of doing it by hand, by how changes reach clusters."""

    manual: float = Field(default=1.0, ge=0)
    """By hand."""
    scripts: float = Field(default=0.6, ge=0)
    """With scripts."""
    gitops: float = Field(default=0.3, ge=0)
    """With GitOps and templates."""
    fleet: float = Field(default=0.03, ge=0)
    """With a fleet layer that rolls a change out over many clusters."""

    def at(self, level: Automation) -> float:
        """Return the factor of an automation level."""
        return float(getattr(self, level))


class Rate(Entry):
    """A number the models of effort and operations use everywhere, with where it comes from."""

    id: str
    """Unique id."""
    value: Points
    """Low, likely and high value."""
    unit: str
    """Its unit."""
    what: str
    """What it is."""
    source: str = ""
    """Address or key of the source; empty only for assumptions."""
    assumption: bool = False
    """Whether it is our assumption."""
    note: str = ""
    """How it was derived."""


class Prior(Entry):
    """Person-days a whole piece of work takes a team with prior Kubernetes experience."""

    id: str
    """Unique id."""
    days: Points
    """Person-days for the first instance."""
    what: str
    """What the days cover."""
    source: str = ""
    """Address or key of the source; empty only for assumptions."""
    assumption: bool = False
    """Whether it is our assumption."""
    note: str = ""
    """How it was derived."""


class Task(Entry):
    """One thing to do, small enough to argue about."""

    id: str
    """Unique id, ``<work id>.<word>``."""
    kind: Kind
    """Kind of work."""
    title: str
    """What is done."""
    days: Points
    """Person-days for one instance, done by a team that knows the skill well."""
    skill: Skill
    """Skill it asks for."""
    scope: Scope = "once"
    """How often it is done: once, per cluster, per tenant class or per tenant."""
    after: tuple[str, ...] = ()
    """Tasks or milestones that must be finished before; those not part of a design are no hindrance."""
    provides: tuple[str, ...] = ()
    """Milestones it contributes to; a milestone is reached when every task of the design that provides it is done."""
    when: When = Condition("always")
    """Facts of a tenant class under which it is needed."""
    factors: Factors | None = None
    """What a repeated instance costs; default: the rates ``repeat.<level>``."""


class Work(Entry):
    """Everything to be done for one option, component or integration."""

    id: str
    """The option's or component's id, or a name for an integration."""
    title: str
    """Title."""
    applies_to: tuple[str, ...] = ()
    """Options or components, any of which brings the work; default: the one with this id."""
    anywhere: bool = False
    """Whether every design needs it, subject to ``when``; for integrations and the foundation."""
    when: When = Condition("always")
    """Facts of a tenant class under which it is needed."""
    prior: str = ""
    """Id of the prior that the days of its tasks (per tenant ones apart) are split from."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the prior."""
    basis: str
    """Where the days come from, in words."""
    source: str = ""
    """Address or key of the source; empty only for assumptions."""
    assumption: bool = False
    """Whether the days are our assumption."""
    parameters: int = Field(default=0, ge=0)
    """Non-default settings the architect decides (assumption: counted in the charts' usual set-up)."""
    agree: tuple[str, ...] = ()
    """Values that must be the same in two or more places (names of classes, address ranges, groups)."""
    tasks: tuple[Task, ...] = ()
    """What is done; empty where the option is Kubernetes' default, with the reason in ``basis``."""

    @property
    def brought_by(self) -> tuple[str, ...]:
        """Options or components, any of which brings the work."""
        return self.applies_to or (self.id,)


class Activity(Entry):
    """Something that has to be done again and again."""

    id: str
    """Unique id, ``<toil id>.<word>``."""
    kind: ToilKind
    """Kind of toil."""
    title: str
    """What is done."""
    per: Per
    """What one occurrence serves."""
    driver: Driver = "stated"
    """What sets the frequency: a stated one, a release cadence, the advisories' rate, growth, churn, or changes."""
    per_year: Points = ThreePoint(1.0, 1.0, 1.0)
    """Occurrences per year and instance; for the other drivers a multiplier of the driver's rate."""
    hours: Points
    """Working hours per occurrence, by hand."""
    skill: Skill
    """Skill it asks for."""
    when: When = Condition("always")
    """Facts of a tenant class under which it is needed."""
    factors: Factors | None = None
    """What an occurrence costs with automation; default: the rates ``toil.<level>``."""
    source: str = ""
    """Address or key of the source; empty only for assumptions."""
    assumption: bool = False
    """Whether frequency or duration is our assumption."""
    note: str = ""
    """How it was derived."""


class Toil(Entry):
    """The recurring activities that one option, component or the platform itself brings."""

    id: str
    """The option's or component's id, or a name for activities of the platform."""
    title: str
    """Title."""
    applies_to: tuple[str, ...] = ()
    """Options or components, any of which brings the activities; default: the one with this id."""
    anywhere: bool = False
    """Whether every design has them, subject to ``when``."""
    when: When = Condition("always")
    """Facts of a tenant class under which they occur."""
    upgraded_with: str = ""
    """For a component: what it is upgraded together with (``itself`` where an activity below upgrades it); the general
    upgrade of an installation then does not apply."""
    none_because: str = ""
    """Why there is no activity beyond those of its components; required where the list is empty."""
    activities: tuple[Activity, ...] = ()
    """What recurs."""

    @property
    def brought_by(self) -> tuple[str, ...]:
        """Options or components, any of which brings the activities."""
        return self.applies_to or (self.id,)


class ScaleLimit(Entry):
    """A published limit of scale of Kubernetes itself."""

    id: str
    """Unique id."""
    metric: str
    """What is counted: nodes, namespaces, pods, containers, services, pods_per_node, etcd_bytes."""
    scope: Literal["cluster", "namespace", "node"] = "cluster"
    """What the limit holds for."""
    most: float = Field(gt=0)
    """Largest supported value."""
    what: str
    """What happens beyond it."""
    source: str
    """Address or key of the source."""
    assumption: bool = False
    """Whether the limit rests on an assumption."""
    note: str = ""
    """How it was derived."""


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
    """

    work: Entries[Work]
    toil: Entries[Toil]
    rates: Entries[Rate]
    priors: Entries[Prior]
    limits: Entries[ScaleLimit]

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
    roots = catalogue.roots
    book = WorkBook(
        work=read_entries(roots, "tasks/work", Work),
        toil=read_entries(roots, "toil/activities", Toil),
        rates=_merged(read_entries(roots, "tasks/rates", Rate), read_entries(roots, "toil/rates", Rate)),
        priors=read_entries(roots, "tasks/priors", Prior),
        limits=read_entries(roots, "toil/limits", ScaleLimit),
    )
    faults = [*_check_triggers(book, catalogue), *_check_work(book), *_check_toil(book), *_check_provenance(book)]
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
    faults = []
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
        if not toil.activities and not toil.none_because and not toil.upgraded_with:
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
