"""The tasks a design needs: each once, however many options ask for it, with how often and how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from tenancykit.catalogue.work import SKILLS, Automation, Task, Work, WorkBook, prerequisites
from tenancykit.criteria.effort.calibration import Calibration
from tenancykit.design.components import Closure, Extent
from tenancykit.distributions import Moments, ThreePoint, sum_independent, sum_together
from tenancykit.errors import Fault, InputError, did_you_mean
from tenancykit.scenario.model import Scenario, Team

@dataclass(frozen=True)
class PlannedTask:
    """A task of a design with its number of instances and its person-days.

    Attributes:
        task: the task as the catalogue states it.
        work: id of the work it belongs to.
        because: ids of the chosen options and components that bring it; empty for what every design needs.
        classes: ids of the tenant classes that need it.
        instances: how often it is done; instances that already run are left out.
        first: person-days of one instance, stretched by skill and calibration.
        again: share of the first instance that each further one costs.
        stretch: factor of the team's skill.
        days: person-days of all instances.
        after: ids of the tasks of the design that must be finished before.
        repeats_only: whether the first instance already runs, so that only repetitions are counted.
    """

    task: Task
    work: str
    because: tuple[str, ...]
    classes: tuple[str, ...]
    instances: int
    first: ThreePoint
    again: ThreePoint
    stretch: float
    days: ThreePoint
    after: tuple[str, ...]
    repeats_only: bool = False

    @property
    def moments(self) -> Moments:
        """PERT moments of the person-days."""
        return Moments(self.days.mean, self.days.deviation)


@dataclass(frozen=True)
class Plan:
    """Every task of a design.

    Attributes:
        tasks: by id, in the order of the catalogue.
        work: works that bring them, by id.
    """

    tasks: Mapping[str, PlannedTask]
    work: Mapping[str, Work] = field(repr=False)

    @cached_property
    def total(self) -> Moments:
        """Moments of the person-days of the whole plan.

        Tasks of one work are split from one estimate, so they move together (deviations add); works are taken as
        independent of each other (variances add).
        """
        return sum_independent(sum_together(task.moments for task in group) for group in self.groups().values())

    def groups(self) -> dict[str, list[PlannedTask]]:
        """Return the tasks by the work they belong to."""
        groups: dict[str, list[PlannedTask]] = {}
        for task in self.tasks.values():
            groups.setdefault(task.work, []).append(task)
        return groups

    def days_by(self, what: str) -> dict[str, float]:
        """Return mean person-days by ``kind``, ``skill`` or ``work``, largest first.

        Raises:
            ValueError: the tasks have no such attribute.
        """
        days: dict[str, float] = {}
        for task in self.tasks.values():
            if what not in ("kind", "skill", "work"):
                raise ValueError(f"days are counted by kind, skill or work, not by {what!r}")
            key = task.work if what == "work" else str(getattr(task.task, what))
            days[key] = days.get(key, 0.0) + task.days.mean
        return dict(sorted(days.items(), key=lambda item: (-item[1], item[0])))


def check_team(scenario: Scenario, known: Iterable[str]) -> None:
    """Raise for skills nobody knows and for running options or components the catalogue does not hold.

    Args:
        scenario: the scenario.
        known: ids of options and components.

    Raises:
        InputError: every fault.
    """
    ids = set(known)
    where = f"scenario {scenario.name}: team"
    faults = [
        Fault(f"{where}.skills.{skill}", f"unknown skill {skill!r}", ", ".join(SKILLS), did_you_mean(skill, SKILLS))
        for skill in scenario.team.skills
        if skill not in SKILLS
    ]
    faults += [
        Fault(
            f"{where}.running",
            f"unknown option or component {identifier!r}",
            cure=did_you_mean(identifier, ids) or "see: tenancykit catalogue options",
        )
        for identifier in scenario.team.running
        if identifier not in ids
    ]
    if faults:
        raise InputError(faults)


def plan(closure: Closure, scenario: Scenario, book: WorkBook, calibration: Calibration | None = None) -> Plan:
    """Return every task the design needs.

    Args:
        closure: what the design installs.
        scenario: whose team builds it.
        book: the catalogue's tasks.
        calibration: what measured work says about the estimates.
    """
    chosen: dict[str, Work] = {}
    planned: dict[str, PlannedTask] = {}
    running = frozenset(scenario.team.running)
    for work, because, classes in _works(closure, book):
        counted = [
            (task, found, known)
            for task in work.tasks
            for found, known in [_instances(task, work, classes, closure, running)]
            if found > 0
        ]
        for task, instances, known in counted:
            estimate = calibration.adjust(task.id, task.days) if calibration else task.days
            level = _level(task, classes, closure, scenario)
            stretch = _stretch(task, scenario.team, book)
            first = estimate.scaled(stretch)
            again = _again(task, level, book)
            days = _days(first, again, instances, known)
            planned[task.id] = PlannedTask(
                task, work.id, because, classes, instances, first, again, stretch, days, (), known
            )
        if counted:
            chosen[work.id] = work
    linked = {identifier: _link(task, planned, book) for identifier, task in planned.items()}
    return Plan(linked, chosen)


def _works(closure: Closure, book: WorkBook) -> Iterator[tuple[Work, tuple[str, ...], tuple[str, ...]]]:
    """Yield each work that some class needs, with what brings it and the classes."""
    triggers: dict[str, None] = dict.fromkeys(sorted(set().union(*closure.by_class.values())))
    works: dict[str, Work] = {work.id: work for work in book.work_by_trigger.get("", ())}
    for trigger in triggers:
        works.update((work.id, work) for work in book.work_by_trigger.get(trigger, ()))
    for identifier in book.work:
        work = works.get(identifier)
        if work is None:
            continue
        brought = {} if work.anywhere else dict.fromkeys(t for t in work.brought_by if t in triggers)
        classes = tuple(
            class_id
            for class_id, resolved in closure.classes.items()
            if (work.anywhere or any(t in closure.by_class[class_id] for t in brought)) and work.when.holds(resolved.facts)
        )
        if classes:
            yield work, tuple(brought), classes


def _instances(
    task: Task, work: Work, classes: tuple[str, ...], closure: Closure, running: frozenset[str]
) -> tuple[int, bool]:
    """Return how many instances are to be done and whether the first of all already runs."""
    needing = [c for c in classes if task.when.kind == "always" or task.when.holds(closure.classes[c].facts)]
    extent: Extent = closure.extent(needing)
    total = extent.count(task.scope)
    known = task.scope != "tenant" and not work.anywhere and any(trigger in running for trigger in work.brought_by)
    return (max(0, total - 1), True) if known else (total, False)


def _level(task: Task, classes: tuple[str, ...], closure: Closure, scenario: Scenario) -> Automation:
    """Return how repetitions are done: a fleet layer takes over clusters unless the team works by hand."""
    team = scenario.team.automation
    if team == "manual":
        return team
    clusters = task.scope == "cluster" or (
        task.scope == "tenant" and all(closure.classes[c].cluster.per_tenant for c in classes)
    )
    fleet = all(closure.classes[c].chosen("control_plane", "fleet") is not None for c in classes)
    return "fleet" if clusters and fleet else team


def _stretch(task: Task, team: Team, book: WorkBook) -> float:
    """Return the factor of the team's skill; a skill the scenario does not state is taken as good."""
    skill = team.skills.get(task.skill)
    return book.rate(f"skill.{skill}").mean if skill else 1.0


def _days(first: ThreePoint, again: ThreePoint, instances: int, known: bool) -> ThreePoint:
    """Return the person-days of all instances: the first in full, each further one at its share."""
    whole, repeated = (0, instances) if known else (1, instances - 1)
    return ThreePoint(
        first.low * (whole + repeated * again.low),
        first.likely * (whole + repeated * again.likely),
        first.high * (whole + repeated * again.high),
    )


def _again(task: Task, level: Automation, book: WorkBook) -> ThreePoint:
    if task.factors is not None:
        factor = task.factors.at(level)
        return ThreePoint(factor, factor, factor)
    if task.scope in ("cluster", "tenant"):
        return book.rate(f"again.{task.scope}.{level}")
    return book.rate("again.class") if task.scope == "class" else ThreePoint(0.0, 0.0, 0.0)


def _link(task: PlannedTask, planned: Mapping[str, PlannedTask], book: WorkBook) -> PlannedTask:
    """Return the task waiting for those of its prerequisites that are part of the plan."""
    after = tuple(name for name in prerequisites(task.task, book) if name in planned)
    return replace(task, after=after) if after else task
