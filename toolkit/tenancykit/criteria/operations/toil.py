"""Recurring work of a design in hours per month: activities x instances x frequency x duration, by automation.

Frequency: stated, or driven by a release cadence (Kubernetes minors and patches, each component's own minors), by the
rate at which flaws of what is installed were published, by growth and churn of tenants, or by the number of changes
themselves. Instances: the first costs what the team's automation leaves of the work by hand; each further cluster
under a fleet layer costs the share that a roll-out in waves leaves. Work depends on tenant classes, not on tenants.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.work import Activity, Automation, Factors, Toil
from tenancykit.catalogue.workbook import WorkBook
from tenancykit.design.components import Closure, Extent, Installation, RolloutGroup
from tenancykit.distributions import Moments, ThreePoint, product_independent, sum_correlated
from tenancykit.scenario.model import Scenario

MONTHS: Final = 12
CHANGES: Final = frozenset({"upgrade", "patch", "onboard", "offboard"})
"""Kinds of toil that change something and can be followed by an incident."""
SPREAD_OVER_CLUSTERS: Final = frozenset({"cluster", "tenant-cluster", "installation"})
"""What a fleet layer multiplies a change over."""
PER_INSTALLED: Final = frozenset({"component", "installation"})
"""What is done for every installed component: once for all its installations, or for each."""
GENERAL_UPGRADE: Final = "components"
"""Id of the toil that upgrades every component without toil of its own."""


@dataclass(frozen=True)
class ToilLine:
    """One activity of a design.

    Attributes:
        activity: the activity as the catalogue states it.
        subject: id of the option, component or part of the platform it belongs to.
        because: ids of the chosen options and components that bring it; empty for what every design has.
        classes: ids of the tenant classes it serves.
        instances: what one occurrence serves, counted.
        per_year: occurrences per year of one instance.
        by_hand: hours per month of one instance, by hand.
        first: share of the work by hand that the first instance costs.
        again: share that each further instance costs.
        change_share: share of the changes in a further instance that can be followed by an incident of their own;
            None where the activity changes nothing.
    """

    activity: Activity
    subject: str
    because: tuple[str, ...]
    classes: tuple[str, ...]
    instances: int
    per_year: Moments
    by_hand: Moments
    first: ThreePoint
    again: ThreePoint
    change_share: float | None = None

    @cached_property
    def hours(self) -> Moments:
        """Hours per month of all instances."""
        return self.hours_for(self.instances)

    def hours_for(self, instances: int) -> Moments:
        """Return hours per month for another number of instances."""
        if instances <= 0:
            return Moments()
        more = instances - 1
        weights = Moments(self.first.mean + more * self.again.mean, self.first.deviation + more * self.again.deviation)
        return product_independent(self.by_hand, weights)

    def changes_for(self, instances: int) -> float:
        """Return changes per year, of a number of instances, that can be followed by an incident."""
        if self.change_share is None or instances <= 0:
            return 0.0
        return self.per_year.mean * (1 + (instances - 1) * self.change_share)


@dataclass(frozen=True)
class Workload:
    """Everything that recurs.

    Attributes:
        lines: activities in the order of the catalogue.
        correlation: correlation of the hours of two activities.
    """

    lines: tuple[ToilLine, ...]
    correlation: float = 0.0

    @cached_property
    def total(self) -> Moments:
        """Hours per month; instances of one activity move together, activities are correlated by the team's pace."""
        return sum_correlated((line.hours for line in self.lines), self.correlation)

    def total_for(self, closure: Closure) -> Moments:
        """Return hours per month where the same design serves other numbers of tenants.

        Args:
            closure: the design's closure with those numbers (:meth:`Closure.with_tenants`).
        """
        extents: dict[tuple[str, ...], Extent] = {}
        parts: list[Moments] = []
        late: list[ToilLine] = []
        changes = 0.0
        for line in self.lines:
            if line.activity.driver == "change":
                late.append(line)
                continue
            instances = _recount(line, closure, extents)
            parts.append(line.hours_for(instances))
            changes += line.changes_for(instances)
        today = sum(line.changes_for(line.instances) for line in self.lines)
        parts.extend(line.hours.scaled(changes / today) for line in late if today)
        return sum_correlated(parts, self.correlation)

    def hours_by(self, what: str) -> dict[str, float]:
        """Return mean hours per month by ``kind``, ``subject`` or ``skill``, largest first.

        Raises:
            ValueError: the lines have no such attribute.
        """
        if what not in ("kind", "subject", "skill"):
            raise ValueError(f"hours are counted by kind, subject or skill, not by {what!r}")
        hours: dict[str, float] = {}
        for line in self.lines:
            key = line.subject if what == "subject" else str(getattr(line.activity, what))
            hours[key] = hours.get(key, 0.0) + line.hours.mean
        return dict(sorted(hours.items(), key=lambda item: (-item[1], item[0])))


def workload(closure: Closure, scenario: Scenario, book: WorkBook) -> Workload:
    """Return the recurring work of what a design installs.

    Args:
        closure: what the design installs, for how many tenants.
        scenario: growth of the classes and automation of the team.
        book: the catalogue's toil.
    """
    counting = _Counting(closure, scenario, book)
    lines: list[ToilLine] = []
    late: list[tuple[Toil, Activity, tuple[str, ...], tuple[str, ...]]] = []
    for toil, because, classes in relevant_toil(closure, book):
        for activity in toil.activities:
            needing = _needing(activity, classes, closure)
            if not needing:
                continue
            if activity.driver == "change":
                late.append((toil, activity, because, needing))
            elif activity.per in PER_INSTALLED:
                lines.extend(counting.installed(activity, toil))
            else:
                lines.extend(counting.counted(activity, toil.id, because, needing))
    changes = sum(line.changes_for(line.instances) for line in lines)
    lines.extend(
        counting.follow(activity, toil.id, because, needing, changes) for toil, activity, because, needing in late
    )
    kept = tuple(line for line in lines if line.by_hand.mean > 0)
    return Workload(kept, book.rate("estimates.common").mean)


def relevant_toil(closure: Closure, book: WorkBook) -> list[tuple[Toil, tuple[str, ...], tuple[str, ...]]]:
    """Return each toil that some class has, with what brings it and the classes, in the order of the catalogue."""
    triggers = set().union(*closure.by_class.values()) if closure.by_class else set()
    found = {toil.id for toil in book.toil_by_trigger.get("", ())}
    for trigger in triggers:
        found.update(toil.id for toil in book.toil_by_trigger.get(trigger, ()))
    relevant = []
    for identifier in sorted(found):
        toil = book.toil[identifier]
        because = () if toil.anywhere else tuple(t for t in toil.brought_by if t in triggers)
        classes = tuple(
            class_id
            for class_id, resolved in closure.classes.items()
            if (toil.anywhere or any(t in closure.by_class[class_id] for t in because))
            and toil.when.holds(resolved.facts)
        )
        if classes:
            relevant.append((toil, because, classes))
    return relevant


def _needing(activity: Activity, classes: tuple[str, ...], closure: Closure) -> tuple[str, ...]:
    if activity.when.kind == "always":
        return classes
    return tuple(c for c in classes if activity.when.holds(closure.classes[c].facts))


class _Counting:
    """Counts lines for one design; holds what every line needs."""

    def __init__(self, closure: Closure, scenario: Scenario, book: WorkBook) -> None:
        self.closure = closure
        self.scenario = scenario
        self.book = book
        self.team: Automation = scenario.team.automation
        self.extents: dict[tuple[str, ...], Extent] = {}

    def extent(self, classes: tuple[str, ...]) -> Extent:
        if classes not in self.extents:
            self.extents[classes] = self.closure.extent(classes)
        return self.extents[classes]

    def groups(self, activity: Activity, classes: tuple[str, ...]) -> tuple[RolloutGroup, ...]:
        """Return the classes grouped by how the activity's repetitions are done; one group where they do not differ."""
        spread = activity.per in SPREAD_OVER_CLUSTERS
        if self.team == "manual" or not (spread or (activity.per == "tenant" and activity.factors is not None)):
            return (RolloutGroup(classes, own_clusters=False, fleet=False),)
        groups = self.closure.rollout_groups(classes)
        if spread:
            return groups
        return tuple(replace(group, fleet=group.fleet and group.own_clusters) for group in groups)

    def counted(
        self, activity: Activity, subject: str, because: tuple[str, ...], classes: tuple[str, ...]
    ) -> list[ToilLine]:
        """Return one line per group of classes."""
        frequency = self._frequency(activity, classes)
        return [
            self._line(activity, subject, because, group, self.extent(group.classes).count(activity.per), frequency)
            for group in self.groups(activity, classes)
        ]

    def installed(self, activity: Activity, toil: Toil) -> list[ToilLine]:
        """Return the lines of every installed component that has no upgrade, or no flaws, of its own."""
        lines = []
        for identifier, installation in self.closure.installations.items():
            frequency = self._of_installed(activity, toil, installation)
            if frequency is None:
                continue
            scope = "fleet" if activity.per == "component" else installation.component.scope
            whole = (RolloutGroup(installation.classes, own_clusters=False, fleet=False),)
            for group in whole if scope == "fleet" else self.groups(activity, installation.classes):
                instances = self.extent(group.classes).count(scope)
                lines.append(self._line(activity, identifier, (identifier,), group, instances, frequency))
        return lines

    def _of_installed(self, activity: Activity, toil: Toil, installation: Installation) -> Moments | None:
        """Return occurrences per year for an installed component; None where another component's cover it."""
        component = installation.component.id
        own = self.book.toil.get(component)
        covered = own is not None and bool(own.upgraded_with)
        if activity.driver == "advisory":
            recorded = self.book.advisories.get(component)
            if recorded is not None:
                return product_independent(recorded.rate, _moments(activity.per_year))
            return None if covered else _scale(self.book.rate("advisories.unrecorded_per_year"), activity.per_year)
        if toil.id == GENERAL_UPGRADE and covered:
            return None
        return _scale(self.upgrades(installation), activity.per_year)

    def follow(
        self,
        activity: Activity,
        subject: str,
        because: tuple[str, ...],
        classes: tuple[str, ...],
        changes: float,
    ) -> ToilLine:
        frequency = _scale(ThreePoint(changes, changes, changes), activity.per_year)
        group = RolloutGroup(classes, own_clusters=False, fleet=False)
        return self._line(activity, subject, because, group, 1, frequency)

    def upgrades(self, installation: Installation) -> ThreePoint:
        """Return upgrades per year: the component's minors, skipped down to what is usual or its support demands."""
        lifecycle = installation.component.lifecycle
        most = self.book.rate("upgrades.most_per_year")
        if not lifecycle.minor_releases_12m:
            return ThreePoint(0.0, 0.0, 0.0)
        needed = MONTHS / lifecycle.support_months if lifecycle.support_months else 0.0
        minors = lifecycle.minor_releases_12m
        low, likely, high = (min(minors, max(point, needed)) for point in (most.low, most.likely, most.high))
        return ThreePoint(low, likely, high)

    def _frequency(self, activity: Activity, classes: tuple[str, ...]) -> Moments:
        rates = {
            "kubernetes-minor": "kubernetes.minors_per_year",
            "kubernetes-patch": "kubernetes.patches_per_year",
        }
        if activity.driver == "stated":
            return _moments(activity.per_year)
        if activity.driver in rates:
            return _scale(self.book.rate(rates[activity.driver]), activity.per_year)
        if activity.driver == "advisory":
            return product_independent(self.book.advisories[_owner(activity)].rate, _moments(activity.per_year))
        if activity.driver in ("onboard", "offboard"):
            return _scale(self._turnover(activity.driver, classes), activity.per_year)
        return _scale(self._tenant_component(activity, classes), activity.per_year)

    def _turnover(self, driver: str, classes: tuple[str, ...]) -> ThreePoint:
        """Return tenants that come or go per tenant and year: replacements of churn, plus growth or decline."""
        tenants = sum(self.closure.tenants[c] for c in classes)
        points = [0.0, 0.0, 0.0]
        for class_id in classes:
            tenant_class = self.closure.classes[class_id].tenant_class
            churn = self.book.rate(f"churn.{tenant_class.kind}")
            change = tenant_class.growth_per_year if driver == "onboard" else -tenant_class.growth_per_year
            share = self.closure.tenants[class_id] / tenants if tenants else 0.0
            for index, point in enumerate((churn.low, churn.likely, churn.high)):
                points[index] += share * (point + max(0.0, change))
        return ThreePoint(*points)

    def _tenant_component(self, activity: Activity, classes: tuple[str, ...]) -> ThreePoint:
        """Return upgrades per year of the component whose toil the activity belongs to."""
        found = self.closure.installations.get(_owner(activity))
        return self.upgrades(found) if found and set(classes) & set(found.classes) else ThreePoint(0.0, 0.0, 0.0)

    def _line(
        self,
        activity: Activity,
        subject: str,
        because: tuple[str, ...],
        group: RolloutGroup,
        instances: int,
        per_year: Moments,
    ) -> ToilLine:
        first, again = self._shares(activity.factors, fleet=group.fleet)
        by_hand = product_independent(per_year, _moments(activity.hours)).scaled(1 / MONTHS)
        share = None
        if activity.kind in CHANGES:
            share = self.book.rate("incident.fleet_share").mean if group.fleet else 1.0
        return ToilLine(activity, subject, because, group.classes, instances, per_year, by_hand, first, again, share)

    def _shares(self, factors: Factors | None, *, fleet: bool) -> tuple[ThreePoint, ThreePoint]:
        """Return what the first instance and each further one cost of the work by hand."""
        if factors is not None:
            one, more = factors.at(self.team), factors.at("fleet" if fleet else self.team)
            return ThreePoint(one, one, one), ThreePoint(more, more, more)
        own = self.book.rate(f"toil.{self.team}")
        return own, self.book.rate("toil.fleet") if fleet else own


def _owner(activity: Activity) -> str:
    """Return the id of the toil an activity belongs to."""
    return activity.id.rsplit(".", 1)[0]


def _moments(estimate: ThreePoint) -> Moments:
    return Moments(estimate.mean, estimate.deviation)


def _scale(rate: ThreePoint, factor: ThreePoint) -> Moments:
    return product_independent(_moments(rate), _moments(factor))


def _recount(line: ToilLine, closure: Closure, extents: dict[tuple[str, ...], Extent]) -> int:
    per = line.activity.per
    scope = closure.installations[line.subject].component.scope if per == "installation" else per
    scope = "fleet" if scope == "component" else scope
    if line.classes not in extents:
        extents[line.classes] = closure.extent(line.classes)
    return extents[line.classes].count(scope)
