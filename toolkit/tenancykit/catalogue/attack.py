"""What an attacker meets: positions, assets, barriers, crossings and published flaws, as the catalogue states them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from tenancykit.catalogue.model import Assumed, Entry, Id, SourceKey, When
from tenancykit.conditions import Condition

Plane = Literal["control", "compute", "network", "storage", "accelerator"]
PLANES: tuple[Plane, ...] = Plane.__args__  # type: ignore[attr-defined]
"""Planes in the order they are shown; all but ``control`` together are the data plane."""

Impact = Literal["confidentiality", "integrity", "availability"]

NEVER = Condition("never")


class Position(Entry):
    """Where an attacker can stand."""

    id: Id
    title: str
    """How a path names it."""
    what: str
    """What standing there means."""
    start: When = NEVER
    """Facts of the pair under which an attacker stands here from the beginning."""
    held_by: Literal["tenant", "provider"] = "tenant"
    """Who stands here from the beginning: tenants, or the provider of the hosts and its other customers."""
    evidence: tuple[str, ...] = ()
    """Attacker positions of published flaws that stand here (``tenant-pod``), special cases after the first."""
    blocked_by: dict[str, str] = Field(default_factory=dict)
    """Published attacker position to the hardening that takes it away (``tenant-image: trusted-images-only``)."""


class Asset(Entry):
    """Something of another tenant that is lost when an attacker reaches it."""

    id: Id
    title: str
    """How a path names it."""
    plane: Plane
    """Plane it belongs to."""
    kinds: tuple[Impact, ...] = Field(min_length=1)
    """What is lost: confidentiality and integrity, or availability."""
    when: When = Condition("always")
    """Facts of the pair under which the victim has it."""


class Derived(Entry):
    """A fact of a pair of tenants that follows from other facts: what they share, what is hardened."""

    id: str
    """Name of the fact, such as ``shares:node`` or ``hardened:seccomp-default``."""
    what: str
    """What it means."""
    when: When
    """Facts it follows from."""
    source: SourceKey = ""
    assumption: Assumed = False


class Prior(Entry):
    """What is believed of a kind of barrier before any flaw is counted: a Gamma distribution of a yearly rate."""

    id: str
    """Kind of barrier."""
    what: str = ""
    """A barrier of the kind in plain words, such as ``a hypervisor``."""
    flaws: float = Field(gt=0, allow_inf_nan=False)
    """Shape of the Gamma prior: flaws imagined seen."""
    years: float = Field(gt=0, allow_inf_nan=False)
    """Rate of the Gamma prior: years they were imagined seen in."""
    hard: bool = False
    """Whether the kind is hardware or a hypervisor (level L4 asks for one on every path)."""
    window: str
    """Exposure window of the kind, where the barrier states no other."""
    why: str
    """Reason; every prior is an assumption."""


class Range(Entry):
    """A number that is not known: the value to expect, and what it is seldom below or above."""

    low: float = Field(ge=0, allow_inf_nan=False)
    """P10."""
    likely: float = Field(ge=0, allow_inf_nan=False)
    """Value to expect."""
    high: float = Field(ge=0, allow_inf_nan=False)
    """P90."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.likely <= self.high:
            raise ValueError(
                f"{self.low:g}, {self.likely:g}, {self.high:g} are out of order; write low <= likely <= high"
            )
        return self


class Lapse(Entry):
    """The chance that something made of configuration is not in force at a random moment, before any upkeep.

    Its distribution is a Beta with this mean and about this P10 and P90.
    """

    id: Id
    what: str
    """What is wrong then."""
    chance: Range
    """Share of time, or of places, where it is wrong (0 to 1)."""
    upkeep: tuple[str, ...] = ()
    """Kinds of upkeep that make it rarer."""
    source: SourceKey = ""
    assumption: bool = True
    """Whether the number is our reading; false where a scan measured just this."""
    why: str
    """How the number follows from the source, or why it is assumed."""

    @field_validator("chance")
    @classmethod
    def _a_chance(cls, chance: Range) -> Range:
        if not 0 < chance.low <= chance.high < 1:
            raise ValueError(f"chances from {chance.low:g} to {chance.high:g}; write numbers between 0 and 1")
        return chance


class Upkeep(Entry):
    """Something a platform does that makes lapses rarer."""

    id: Id
    what: str
    """What is done."""
    when: When
    """Facts of the pair under which it is done."""
    factor: Range
    """Share of the lapses that is left (0 to 1)."""
    source: SourceKey = ""
    assumption: bool = True
    """Whether the number is our reading; false where a study measured just this."""
    why: str
    """How the number follows from the source, or why it is assumed."""

    @field_validator("factor")
    @classmethod
    def _a_share(cls, factor: Range) -> Range:
        if factor.high > 1:
            raise ValueError(f"a factor of {factor.high:g} would make lapses more frequent; write at most 1")
        return factor


class WindowCase(Entry):
    """An exposure window under some facts."""

    when: When
    """Facts of the pair; the first case that holds is taken."""
    days: Range
    """Days from disclosure to patched."""
    source: SourceKey
    why: str
    """How the number follows from the source."""


class PatchWindow(Entry):
    """How long flaws of a kind of component stay open after they are disclosed."""

    id: str
    """Name in a scenario's ``patch_days``."""
    what: str
    """Which components."""
    days: Range
    """Days from disclosure to patched, where no case holds."""
    cases: tuple[WindowCase, ...] = ()
    """Other windows under some facts."""
    source: SourceKey = ""
    assumption: bool = True
    """Whether no study says it of just these components."""
    why: str
    """How the number follows from the source, or why it is assumed."""

    @model_validator(mode="after")
    def _takes_time(self) -> Self:
        if not all(days.likely > 0 for days in (self.days, *(case.days for case in self.cases))):
            raise ValueError("days: likely is 0, and nothing is patched the moment it is disclosed; write 0.1 or more")
        return self


class Interference(Entry):
    """How much slower a tenant is beside a neighbour, or in what wraps it; 1 is as if alone on bare machines."""

    id: Id
    name: str = ""
    """What wraps, as sentences call it; the id where not stated."""
    resource: str
    """What is shared, or what wraps."""
    kind: Literal["sharing", "overhead"] = "sharing"
    """``sharing``: a neighbour slows it; ``overhead``: it is slower alone as well."""
    when: When
    """Facts of the pair under which it applies; the tenant is the victim."""
    mean: Range
    """Times as long for the same work."""
    on_gpu: Range | None = None
    """The same for work whose time passes on a GPU, where that differs."""
    tail: Range
    """Times as long at p99."""
    source: SourceKey = ""
    assumption: Assumed = True
    why: str
    """What was measured, or why it is assumed."""

    @field_validator("mean", "on_gpu", "tail")
    @classmethod
    def _slower(cls, values: Range | None) -> Range | None:
        if values is not None and values.low < 1:
            raise ValueError(f"a slowdown of {values.low:g} would be faster than alone; write 1 or more")
        return values


class Misconfiguration(Entry):
    """How a barrier made of configuration can be wrong."""

    when: When = Condition("always")
    """Facts of the pair under which this applies; the first that holds is taken."""
    lapse: str
    """Id of the lapse that gives the chance."""


class Barrier(Entry):
    """One component that has to fail."""

    id: Id
    title: str
    """How a path names it."""
    what: str
    """What it does."""
    kind: str
    """Kind, naming its prior."""
    window: str = ""
    """Exposure window, where it is not that of its kind."""
    since: float = Field(default=2017, ge=1990, le=2100)
    """Year from which its flaws are counted."""
    observed: bool = True
    """Whether somebody publishes its failures; if not, the absence of records earns no credit and the prior stands."""
    misconfiguration: tuple[Misconfiguration, ...] = ()
    """How it can be configured wrong."""


class Guard(Entry):
    """A barrier on a crossing, where it stands only under some facts."""

    barrier: str
    """Id of the barrier."""
    when: When = Condition("always")
    """Facts of the pair under which it stands."""


class Crossing(Entry):
    """A step from one position to another, or to an asset, and the barriers in series that guard it."""

    id: Id
    from_: str = Field(alias="from")
    """Position it starts at."""
    to: tuple[str, ...] = Field(min_length=1)
    """Positions or assets it leads to."""
    when: When = Condition("always")
    """Facts of the pair under which it exists."""
    through: tuple[str | Guard, ...] = ()
    """Barriers that must all be down; none: the crossing is open."""
    why: str
    """Why it exists, in words."""
    source: SourceKey = ""
    assumption: Assumed = False

    @cached_property
    def guards(self) -> tuple[Guard, ...]:
        """The barriers, each with the facts under which it stands."""
        return tuple(g if isinstance(g, Guard) else Guard(barrier=g) for g in self.through)


class Breach(Entry):
    """Which barriers a published flaw of a boundary brings down; the first that matches is taken."""

    effects: tuple[str, ...] = ()
    """Effects it applies to; empty: any."""
    positions: tuple[str, ...] = ()
    """Published attacker positions it applies to; empty: any."""
    components: tuple[str, ...] = ()
    """Components at fault it applies to; empty: any."""
    shared: tuple[str, ...] = ()
    """Shared components one of which the flaw must name; empty: any."""
    barriers: tuple[str, ...] = Field(min_length=1)
    """Barriers that are down."""
    needs: tuple[str, ...] = ()
    """Components one of which must be shared, where they differ from the boundary's."""


class Boundary(Entry):
    """A border that published flaws cross, in the vocabulary of the evidence."""

    id: str
    """Unique id (``container/host-kernel``)."""
    from_: str = Field(alias="from")
    """Near side."""
    to: str
    """Far side."""
    premise: tuple[str, ...] = ()
    """Facts of both tenants without which a flaw here could not exist (the component is in use)."""
    replaces: tuple[str, ...] = ()
    """Facts of both tenants that the premise rules out."""
    starts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Published attacker position to the position it means here, where it differs from the usual one."""
    shares: tuple[str, ...] = Field(min_length=1)
    """Components a flaw here may need shared (``shares:<component>``): those its record names, else the first."""
    breaches: tuple[Breach, ...] = Field(min_length=1)
    """What a flaw here brings down."""
    withheld: tuple[str, ...] = ()
    """Published attacker positions whose way across begins with an object that is no workload of the tenant's own."""


EFFECTS: Final = (
    "all-secrets-read",
    "bmc-control",
    "cloud-credentials",
    "cluster-admin",
    "cluster-wide-node-root",
    "confidential-guest-compromise",
    "control-plane-access",
    "device-firmware-exec",
    "dos-control-plane",
    "dos-gpu",
    "dos-node",
    "dos-shared-service",
    "escape-precursor",
    "gpu-side-channel",
    "hypervisor-host",
    "model-tamper",
    "node-file-write",
    "node-loopback-access",
    "node-root",
    "other-namespace-read",
    "other-namespace-write",
    "other-pod-memory",
    "other-tenant-data",
    "other-tenant-devices",
    "policy-bypass",
    "read-host-files",
    "storage-cross-volume",
    "tenant-boundary-metadata-leak",
    "traffic-intercept",
    "workload-steering",
)
"""What an attacker gains by a flaw of the catalogue: the words of ``effect``, which boundaries read (``breaches``)."""


class Evidence(Entry):
    """A published flaw or incident that crossed a tenant boundary."""

    id: str
    """CVE id or name of the incident."""
    title: str
    """What happened, in our words."""
    year: int = Field(ge=1990, le=2100)
    """Year of the CVE id, or of disclosure."""
    component: str
    """Component at fault."""
    boundary: str
    """Boundary it crosses."""
    attacker_position: str
    """Where the attacker stood."""
    effect: str = ""
    """What the attacker gained."""
    impact: tuple[Impact, ...] = ()
    """What is lost; empty: unknown."""
    shared_component: tuple[str, ...] = ()
    """Components one of which must be shared for another tenant to be reached."""
    removed_by: tuple[str, ...] = ()
    """Hardening that makes it unreachable or useless for a tenant."""
    preconditions: tuple[str, ...] = ()
    """Facts that must hold (``not <hardening>`` where something must be absent)."""
    verbs: tuple[str, ...] | None = None
    """What the attacker must be allowed at the API server beyond workloads of its own (``create secretstores``).

    Empty: nothing; None: the record does not say, and the boundary does.
    """
    contained_by: tuple[str, ...] = ()
    """Choices that contain it, as the evidence's author reads it; read by tests only."""
    not_contained_by: tuple[str, ...] = ()
    """Choices that do not contain it; read by tests only."""
    undetermined: tuple[str, ...] = ()
    """Choices for which the author leaves it open; read by tests only."""
    stated_by_source: tuple[str, ...] = ()
    """Items of the columns above that the record itself states."""
    confidence: Literal["high", "medium", "low"] = "medium"
    """How surely position and effect were read."""
    source_url: str = Field(min_length=1)
    """Address of the record."""

    @model_validator(mode="after")
    def _read_once(self) -> Self:
        if twice := read_twice(self.contained_by, self.not_contained_by, self.undetermined):
            raise ValueError(twice)
        return self


def read_twice(*columns: Iterable[str]) -> str:
    """Return which choice stands in two of a flaw's columns on containment; empty where none does."""
    counts = Counter(name for column in columns for name in set(column))
    twice = ", ".join(sorted(name for name, times in counts.items() if times > 1))
    return f"{twice} stands in two of contained_by, not_contained_by and undetermined; keep one" if twice else ""


class DesignChoice(Entry):
    """A choice of the evidence's vocabulary as facts that hold for both tenants."""

    id: str
    """Unique id (``dedicated-node``)."""
    what: str
    """What it is."""
    provides: tuple[str, ...] = ()
    """Facts it adds to both tenants."""
    replaces: tuple[str, ...] = ()
    """Facts it takes away from both tenants."""
    unsure: tuple[str, ...] = ()
    """Derived facts that depend on how it is set up."""
    expressible: bool = True
    """Whether it is a property of a design at all."""
    assumption: Assumed = False


class LevelRule(Entry):
    """One demand of a level."""

    planes: tuple[Plane, ...] = PLANES
    """Planes it speaks of."""
    depth: int | None = Field(default=None, ge=0)
    """Least barriers on every path to a confidentiality or integrity asset of those planes."""
    hard: bool = False
    """Whether every such path must pass a hardware or hypervisor barrier."""
    except_through: tuple[str, ...] = ()
    """Positions whose paths the demand for a hardware or hypervisor barrier leaves out."""
    when: When = Condition("always")
    """Facts of the pair that must hold."""
    why: str
    """What the demand means, for the person whose design misses it."""


class Level(Entry):
    """A named level of isolation, defined by rules that must all hold; each level includes the ones below."""

    id: Literal["L0", "L1", "L2", "L3", "L4", "L5"]
    """Name."""
    title: str
    """Meaning in a word or two."""
    rules: tuple[LevelRule, ...] = ()
    """Demands."""


class ExpectedEffect(Entry):
    """What an option should do to the open days of one plane."""

    plane: Plane
    """The plane."""
    days: Literal["fewer", "more", "same"]
    """Direction."""
    least: float = Field(default=0.0, ge=0, le=1)
    """Least change, as a share of the larger of the two."""
    most: float = Field(default=1.0, ge=0, le=1)
    """Greatest change, as a share of the larger of the two."""


class Expectation(Entry):
    """What the field expects of an option: which planes it moves, in which direction and about how far.

    It is tested: the option is added to a hardened shared cluster, in place of what that chooses in the same layer, in
    every example, and the open days of every class to which the expectation applies must move as it says.
    """

    id: Id
    option: str
    """Option that is added, or ``team.admission: audit``, which is no option."""
    on: tuple[str, ...] = ()
    """Options that stand there before, in place of the usual ones of their layers."""
    without: tuple[str, ...] = ()
    """Options that are taken away with the change."""
    lacking: tuple[str, ...] = ()
    """Usual options that are absent before."""
    when: When = Condition("always")
    """Facts of the class without which nothing is expected."""
    effects: tuple[ExpectedEffect, ...] = Field(min_length=1)
    """What is expected; planes that are not named may do what they will."""
    source: SourceKey = ""
    why: str
    """The expectation in words."""
