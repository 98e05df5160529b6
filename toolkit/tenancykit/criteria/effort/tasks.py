"""The tasks a design needs: each once, however many options ask for it, with how often and how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.catalogue.work import Automation, Task, Work
from tenancykit.catalogue.workbook import WorkBook, prerequisites
from tenancykit.criteria.effort.calibration import Calibration
from tenancykit.design.components import Closure
from tenancykit.distributions import Moments, ThreePoint, sum_correlated, sum_together
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
        days: person-days of all instances.
        after: ids of the tasks of the design that must be finished before.
    """

    task: Task
    work: str
    because: tuple[str, ...]
    classes: tuple[str, ...]
    instances: int
    first: ThreePoint
    again: ThreePoint
    days: ThreePoint
    after: tuple[str, ...]

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
        correlation: correlation of the estimates of two works.
    """

    tasks: Mapping[str, PlannedTask]
    work: Mapping[str, Work] = field(repr=False)
    correlation: float = 0.0

    @cached_property
    def total(self) -> Moments:
        """Moments of the person-days of the whole plan.

        Tasks of one work are split from one estimate, so they move together (deviations add). Works share the pace of
        the organisation and are correlated by it.
        """
        return sum_correlated(self.moments_of_works.values(), self.correlation)

    @cached_property
    def moments_of_works(self) -> Mapping[str, Moments]:
        """Moments of the person-days of each work."""
        return {work: sum_together(task.moments for task in group) for work, group in self.groups().items()}

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
    """Raise for running options or components the catalogue does not hold.

    Args:
        scenario: the scenario.
        known: ids of options and components.

    Raises:
        InputError: every fault.
    """
    ids = set(known)
    faults = [
        Fault(
            f"scenario {scenario.name}: team.running",
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
    planning = _Planning(closure, scenario, book, calibration)
    planned: dict[str, PlannedTask] = {}
    chosen: dict[str, Work] = {}
    for work, because, classes in _works(closure, book):
        for task in work.tasks:
            found = planning.planned(task, work, because, classes)
            if found is not None:
                planned[task.id] = found
                chosen[work.id] = work
    linked = {identifier: _link(task, planned, book) for identifier, task in planned.items()}
    correlation = calibration.correlation if calibration else book.rate("estimates.common").mean
    return Plan(linked, chosen, correlation)


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
            if (work.anywhere or any(t in closure.by_class[class_id] for t in brought))
            and work.when.holds(resolved.facts)
        )
        if classes:
            yield work, tuple(brought), classes


class _Planning:
    """Counts tasks for one design; holds what every task needs."""

    def __init__(self, closure: Closure, scenario: Scenario, book: WorkBook, calibration: Calibration | None) -> None:
        self.closure = closure
        self.book = book
        self.calibration = calibration
        self.team: Team = scenario.team
        self.running = frozenset(scenario.team.running)
        self.components = {o.id: o.components for r in closure.classes.values() for o in r.options}

    def planned(self, task: Task, work: Work, because: tuple[str, ...], classes: tuple[str, ...]) -> PlannedTask | None:
        """Return the task with its days; None where nothing of it is left to do."""
        always = task.when.kind == "always"
        needing = tuple(c for c in classes if always or task.when.holds(self.closure.classes[c].facts))
        found = self.estimated(task, self.counts(task, needing), known=self.runs(task, work, because))
        return None if found is None else PlannedTask(task, work.id, because, needing, *found, ())

    def estimated(
        self, task: Task, counts: Mapping[Automation, int], *, known: bool
    ) -> tuple[int, ThreePoint, ThreePoint, ThreePoint] | None:
        """Return instances, days of the first, share of each further one, and days of all; None where nothing is left.

        Args:
            task: the task.
            counts: instances by how repetitions are done.
            known: whether the first instance is there already.
        """
        repeated = sum(counts.values()) - 1
        instances = repeated + (0 if known else 1)
        if instances <= 0:
            return None
        estimate = self.calibration.adjust(task.id, task.days) if self.calibration else task.days
        first = estimate.scaled(self._stretch(task))
        again = self._again(task, counts)
        return instances, first, again, _days(first, again, 0 if known else 1, repeated)

    def counts(self, task: Task, classes: tuple[str, ...]) -> dict[Automation, int]:
        """Return instances by how repetitions are done: a fleet layer takes over clusters unless all is by hand.

        They depend on the task's scope alone.
        """
        team: Automation = self.team.automation
        if team == "manual" or task.scope not in ("cluster", "tenant"):
            return {team: self.closure.extent(classes).count(task.scope)}
        found: dict[Automation, int] = {}
        for group in self.closure.rollout_groups(classes):
            level: Automation = "fleet" if group.fleet and (group.own_clusters or task.scope == "cluster") else team
            found[level] = found.get(level, 0) + self.closure.extent(group.classes).count(task.scope)
        return found

    def runs(self, task: Task, work: Work, because: tuple[str, ...]) -> bool:
        """Return whether the first instance is there already.

        An option or component that runs spares every task but those per tenant; components that run spare the
        installation of the options that need nothing else.
        """
        if task.scope == "tenant" or work.anywhere:
            return False
        if any(trigger in self.running for trigger in work.brought_by):
            return True
        installed = (self.components.get(trigger, ()) for trigger in because)
        return task.kind == "install" and any(needed and self.running.issuperset(needed) for needed in installed)

    def _stretch(self, task: Task) -> float:
        """Return the factor of the team's skill; a skill the scenario does not state is taken as good."""
        skill = self.team.skills.get(task.skill)
        return self.book.rate(f"skill.{skill}").mean if skill else 1.0

    def _again(self, task: Task, counts: Mapping[Automation, int]) -> ThreePoint:
        """Return the share of the first instance that a further one costs, weighted over how they are done.

        The first instance is one of those whose repetition would cost most.
        """
        shares = {level: self._share(task, level) for level in counts}
        dearest = max(shares, key=lambda level: shares[level].likely)
        left = {level: count - (level == dearest) for level, count in counts.items()}
        total = sum(left.values())
        if total <= 0:
            return shares[dearest]
        return ThreePoint(
            sum(shares[level].low * count for level, count in left.items()) / total,
            sum(shares[level].likely * count for level, count in left.items()) / total,
            sum(shares[level].high * count for level, count in left.items()) / total,
        )

    def _share(self, task: Task, level: Automation) -> ThreePoint:
        if task.factors is not None:
            factor = task.factors.at(level)
            return ThreePoint(factor, factor, factor)
        if task.scope in ("cluster", "tenant"):
            return self.book.rate(f"again.{task.scope}.{level}")
        return self.book.rate("again.class") if task.scope == "class" else ThreePoint(0.0, 0.0, 0.0)


def _days(first: ThreePoint, again: ThreePoint, whole: int, repeated: int) -> ThreePoint:
    """Return the person-days of all instances: those in full, and each repeated one at its share."""
    return ThreePoint(
        first.low * (whole + repeated * again.low),
        first.likely * (whole + repeated * again.likely),
        first.high * (whole + repeated * again.high),
    )


def _link(task: PlannedTask, planned: Mapping[str, PlannedTask], book: WorkBook) -> PlannedTask:
    """Return the task waiting for those of its prerequisites that are part of the plan."""
    after = tuple(name for name in prerequisites(task.task, book) if name in planned)
    return replace(task, after=after) if after else task
