"""What has to be done: tasks to build a design and toil to live with it, as the catalogue's files state them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from tenancykit.catalogue.model import Assumed, Entry, Id, Note, SourceKey, When
from tenancykit.conditions import Condition
from tenancykit.distributions import ThreePoint

Kind = Literal["design", "install", "integrate", "secure", "test", "document", "migrate", "train"]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
"""Kinds of tasks in the order work usually goes through them."""

Skill = Literal["kubernetes", "networking", "gpu", "security", "storage", "virtualisation", "gitops"]

Scope = Literal["once", "fleet", "cluster", "class", "tenant"]
Automation = Literal["manual", "scripts", "gitops", "fleet"]
Per = Literal[
    "fleet", "cluster", "shared-cluster", "tenant-cluster", "management-cluster", "virtual-control-plane", "class",
    "tenant", "gpu", "component", "installation",
]  # fmt: skip
Driver = Literal[
    "stated", "kubernetes-minor", "kubernetes-patch", "component-minor", "advisory", "onboard", "offboard", "change",
]  # fmt: skip
ToilKind = Literal[
    "upgrade", "patch", "rotate", "onboard", "offboard", "request", "restore", "capacity", "incident", "review",
]  # fmt: skip


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

    id: Id
    value: Points
    """Low, likely and high value."""
    unit: str
    """Its unit."""
    what: str
    """What it is."""
    source: SourceKey = ""
    assumption: Assumed = False
    note: Note = ""


class Prior(Entry):
    """Person-days a whole piece of work takes a team with prior Kubernetes experience."""

    id: Id
    days: Points
    """Person-days for the first instance."""
    what: str
    """What the days cover."""
    source: SourceKey = ""
    assumption: Assumed = False
    note: Note = ""


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
    """What a repeated instance costs; default: the rates ``again.<scope>.<level>``."""


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
    source: SourceKey = ""
    assumption: Assumed = False
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
    """What sets the frequency: a stated one, a release cadence, published flaws, growth, churn, or changes."""
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
    source: SourceKey = ""
    assumption: Assumed = False
    note: Note = ""


class Advisories(Entry):
    """Published flaws that have to be reacted to."""

    components: tuple[str, ...] = Field(min_length=1)
    """Components at fault, as the records of the evidence name them."""
    since: float = Field(default=2017, ge=1990, le=2100)
    """Year from which the records are counted."""
    share: Points = ThreePoint(1.0, 1.0, 1.0)
    """Share of the records that calls for a reaction here: the evidence names kinds of products, one of which runs."""
    why: str = ""
    """Reason for the share; an assumption."""


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
    advisories: Advisories | None = None
    """Flaws that set the rate of the driver ``advisory``: of the activities below where every design has them, of the
    general reactions to the components that bring this otherwise."""
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

    id: Id
    metric: str
    """What is counted: nodes, namespaces, pods, containers, services, pods_per_node, etcd_bytes."""
    scope: Literal["cluster", "namespace", "node"] = "cluster"
    """What the limit holds for."""
    most: float = Field(gt=0)
    """Largest supported value."""
    what: str
    """What happens beyond it."""
    source: SourceKey
    assumption: Assumed = False
    note: Note = ""
