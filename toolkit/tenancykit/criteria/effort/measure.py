"""Implementation effort of a design: person-days with interval, and the calendar time of the team."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.workbook import WorkBook, load_work
from tenancykit.criteria.effort.calibration import Calibration
from tenancykit.criteria.effort.schedule import Job, Schedule, schedule
from tenancykit.criteria.effort.tasks import Plan, PlannedTask, check_team, plan
from tenancykit.criteria.score import Evidence, Later, Score
from tenancykit.design.components import Closure, closure
from tenancykit.design.growth import Curve
from tenancykit.design.model import ResolvedDesign
from tenancykit.scenario.model import Scenario

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DAYS_PER_WEEK: Final = 5
"""Working days of a week."""


@dataclass(frozen=True)
class Effort:
    """What it takes to build a design.

    Attributes:
        plan: its tasks.
        schedule: when they run, in working days of the project.
        weeks: calendar weeks until the last task is done, at mean durations.
        project_share: share of an engineer's time the project gets.
    """

    plan: Plan
    schedule: Schedule
    weeks: float
    project_share: float

    def week_of(self, task: str) -> tuple[float, float]:
        """Return first and last week of a task, counted from the start of the project."""
        factor = 1 / (DAYS_PER_WEEK * self.project_share)
        return self.schedule.start[task] * factor, self.schedule.finish[task] * factor


def measure(
    design: ResolvedDesign, scenario: Scenario, catalogue: Catalogue, *, calibration: Calibration | None = None
) -> Score:
    """Return the implementation effort of a design; the ranked value is the P50 of person-days.

    P10, P50 and P90 follow from PERT moments: tasks split from one estimate move together, works are correlated by the
    pace of the organisation.
    ``detail`` is an :class:`Effort`.

    Args:
        design: the design.
        scenario: tenants and team.
        catalogue: where the tasks are stated.
        calibration: measured tasks of the organisation.

    Raises:
        InputError: the scenario's team names an unknown skill, option or component.
        CatalogueError: the catalogue's tasks are wrong.
    """
    check_team(scenario, [*catalogue.options, *catalogue.components])
    book = load_work(catalogue)
    planned = plan(closure(design, scenario, catalogue), scenario, book, calibration)
    effort = _effort(planned, scenario, book)
    total = planned.total
    return Score(
        criterion="effort",
        value=total.p50,
        unit="person-days",
        better="lower",
        low=total.p10,
        high=total.p90,
        summary=_summary(effort),
        evidence=Later(partial(_evidence, effort, scenario)),
        figures=MappingProxyType(_figures(effort)),
        detail=effort,
    )


def effort_curve(today: Closure, scenario: Scenario, book: WorkBook, name: str = "") -> Curve:
    """Return person-days of a design as a function of the number of tenants.

    Args:
        today: what the design installs today.
        scenario: whose team builds it.
        book: the catalogue's tasks.
        name: what the design is called.
    """
    return Curve(today, lambda grown: plan(grown, scenario, book).total, name)


def simulate(planned: Plan, *, samples: int = 10_000, seed: int = 0) -> NDArray[np.float64]:
    """Return sampled totals of person-days, shape ``(samples,)``, to confirm the moments.

    Each task follows its beta-PERT distribution; tasks of one work share one random level, and the levels of two works
    are joined by a Gaussian copula with the plan's correlation. The same seed gives the same numbers.
    """
    import numpy as np  # noqa: PLC0415 - keeps the criterion light for callers that never simulate

    total: NDArray[np.float64] = np.zeros(samples)
    for _, days in _sampled(planned, samples, seed):
        total += days
    return total


def _sampled(planned: Plan, samples: int, seed: int) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield each task's id with sampled person-days."""
    import numpy as np  # noqa: PLC0415 - as above
    from scipy.special import ndtr  # noqa: PLC0415 - as above

    random = np.random.default_rng(seed)
    common = random.standard_normal(samples)
    for group in planned.groups().values():
        own = random.standard_normal(samples)
        level = ndtr(planned.correlation**0.5 * common + (1 - planned.correlation) ** 0.5 * own)
        for task in group:
            yield task.task.id, task.days.quantile(level)


def jobs_of(planned: Plan, engineers: float) -> tuple[Job, ...]:
    """Return the tasks as jobs for a team: one person each, more where a task has many instances to share.

    Durations are working days at mean person-days; a team of less than one person stretches them.
    """
    return tuple(_job(task, engineers) for task in planned.tasks.values())


def _job(task: PlannedTask, engineers: float) -> Job:
    people = min(1.0, engineers) if engineers < 2 else float(max(1, min(int(engineers), task.instances)))
    return Job(task.task.id, task.days.mean / people, people, task.after)


def _effort(planned: Plan, scenario: Scenario, book: WorkBook) -> Effort:
    engineers = scenario.team.engineers
    timetable = schedule(jobs_of(planned, engineers), engineers)
    share = book.rate("project.share").mean
    return Effort(planned, timetable, timetable.makespan / (DAYS_PER_WEEK * share), share)


def _summary(effort: Effort) -> str:
    total = effort.plan.total
    largest = ", ".join(effort.plan.work[work].title for work in list(effort.plan.days_by("work"))[:3])
    return (
        f"{total.p50:.0f} person-days (P10 {total.p10:.0f}, P90 {total.p90:.0f}) in {effort.weeks:.0f} weeks; "
        f"most for {largest}"
    )


def _figures(effort: Effort) -> Mapping[str, Any]:
    total = effort.plan.total
    return {
        "person_days_p10": total.p10,
        "person_days_p50": total.p50,
        "person_days_p90": total.p90,
        "weeks_p50": effort.weeks,
        "days_by_kind": effort.plan.days_by("kind"),
        "days_by_skill": effort.plan.days_by("skill"),
        "days_by_option": effort.plan.days_by("work"),
        "critical_chain": list(effort.schedule.critical_chain),
        "tasks": len(effort.plan.tasks),
    }


def task_table(effort: Effort) -> list[dict[str, Any]]:
    """Return one line per task in the order of starts: days, weeks, skill, what brings it; plain data."""
    chain = frozenset(effort.schedule.critical_chain)
    lines = []
    for identifier in effort.schedule.start:
        task = effort.plan.tasks[identifier]
        first, last = effort.week_of(identifier)
        lines.append(
            {
                "task": identifier,
                "title": task.task.title,
                "work": task.work,
                "kind": task.task.kind,
                "skill": task.task.skill,
                "scope": task.task.scope,
                "instances": task.instances,
                "days_low": task.days.low,
                "days_likely": task.days.likely,
                "days_high": task.days.high,
                "days_mean": task.days.mean,
                "start_week": first,
                "finish_week": last,
                "critical": identifier in chain,
                "after": list(task.after),
                "because": list(task.because),
            }
        )
    return lines


def _evidence(effort: Effort, scenario: Scenario) -> Evidence:
    total = effort.plan.total
    groups = effort.plan.groups()
    children = tuple(
        _work_evidence(effort, work, groups[work], days) for work, days in effort.plan.days_by("work").items()
    )
    team = f"{scenario.team.engineers:g} engineers, {effort.project_share:.0%} of their time (assumption)"
    calendar = Evidence(
        "calendar time at mean durations",
        effort.weeks,
        "weeks",
        note=f"resource-constrained schedule for {team}",
        children=tuple(
            Evidence(
                effort.plan.tasks[t].task.title, effort.week_of(t)[1], "weeks", note="on the critical chain; finish"
            )
            for t in effort.schedule.critical_chain
        ),
    )
    note = f"PERT: tasks of one work move together, works are correlated by {effort.plan.correlation:.2g} (assumption)"
    return Evidence("implementation effort", total.p50, "person-days", note=note, children=(*children, calendar))


def _work_evidence(effort: Effort, work: str, tasks: list[PlannedTask], days: float) -> Evidence:
    stated = effort.plan.work[work]
    return Evidence(
        stated.title,
        days,
        "person-days",
        source=stated.source or f"catalogue:{work}",
        assumption=stated.assumption,
        note=stated.basis,
        children=tuple(
            Evidence(
                task.task.title,
                task.days.mean,
                "person-days",
                source=task.task.id,
                assumption=stated.assumption,
                note=f"{task.task.kind}, {task.instances} x ({task.first.low:g}, {task.first.likely:g}, "
                f"{task.first.high:g}), {task.task.skill}",
            )
            for task in tasks
        ),
    )
