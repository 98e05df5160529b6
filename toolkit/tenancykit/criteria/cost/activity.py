"""Who is alike, and how many replicas of each workload are active over time."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

import numpy as np

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from kubeanswers.remembering import remember
from tenancykit.criteria.cost.demand import PROFILE_KINDS, ProfileKind, Series, activity, expand_changes, whole
from tenancykit.scenario.model import Demand, Scenario, TenantClass, Workload, WorkloadUse
from tenancykit.scenario.naming import class_tenants
from tenancykit.scenario.traces import read_activity_csv

HOURS: Final = 4 * 168
"""Length of generated demand: four weeks of hours, from Monday 00:00."""
PATTERNS: Final = 16
"""Different series generated per workload (assumption); further tenants get one of them, moved by whole days."""
_DAYS: Final = HOURS // 24
_SHOWN: Final = 8
_GOLDEN: Final = 0.6180339887498949
"""Steps by which patterns start apart: multiples of the golden ratio lie evenly in 0 to 1, however many."""


@dataclass(frozen=True)
class Member:
    """One workload of a group's tenants.

    Attributes:
        workload: the template.
        replicas: pods per tenant.
        demand: how many of them are active over time.
    """

    workload: Workload
    replicas: int
    demand: Demand


@dataclass(frozen=True)
class TenantGroup:
    """Tenants of a class that run the same: computed once, counted often.

    Attributes:
        id: class id, with a number where the class has several groups.
        tenant_class: the class.
        members: what each tenant runs.
        positions: positions of the tenants in their class, as ``naming.class_tenants`` yields them.
        names: names of the tenants, where a trace speaks of them.
        title: how people call them: the tenant's name, or the class with the number of tenants and one of them.
    """

    id: str
    tenant_class: TenantClass
    members: tuple[Member, ...]
    positions: tuple[int, ...]
    names: tuple[str, ...] = ()
    title: str = ""

    @property
    def count(self) -> int:
        """Number of tenants."""
        return len(self.positions)


_KEPT: Final = 64
"""Scenarios, and their demand over time, that are remembered."""
_GROUPS: Final[dict[int, tuple[tuple[TenantGroup, ...], Scenario]]] = {}
_ACTIVITIES: Final[dict[tuple[int, ...], Activity]] = {}


def tenant_groups(scenario: Scenario) -> tuple[TenantGroup, ...]:
    """Return the tenants of a scenario in groups that run the same, in the order of classes; remembered."""
    found = _GROUPS.get(id(scenario))
    if found is None:
        # What an identity stands for is kept beside it, so that it stays its own.
        found = remember(_GROUPS, id(scenario), (tuple(_grouped(scenario)), scenario), _KEPT)
    return found[0]


def _grouped(scenario: Scenario) -> Iterator[TenantGroup]:
    for tenant_class in scenario.tenants.classes:
        named = [t for t in scenario.tenants.named if t.tenant_class == tenant_class.id]
        by_uses: dict[tuple[WorkloadUse, ...], list[int]] = {}
        for position, tenant in enumerate(named):
            uses = tenant_class.workloads if tenant.workloads is None else tenant.workloads
            by_uses.setdefault(uses, []).append(position)
        if len(named) < tenant_class.count:
            by_uses.setdefault(tenant_class.workloads, []).extend(range(len(named), tenant_class.count))
        for number, (uses, positions) in enumerate(by_uses.items()):
            identifier = tenant_class.id if len(by_uses) == 1 else f"{tenant_class.id}/{number + 1}"
            members = _members(scenario, uses)
            names: tuple[str, ...] = ()
            if any(member.demand.profile == "trace" for member in members):
                every = [tenant.name for tenant in class_tenants(scenario, tenant_class)]
                names = tuple(every[position] for position in positions)
            first = next(itertools.islice(class_tenants(scenario, tenant_class), positions[0], None)).name
            title = _title(tenant_class.id, first, len(positions), whole=len(by_uses) == 1)
            yield TenantGroup(identifier, tenant_class, members, tuple(positions), names, title)


def _title(class_id: str, first: str, count: int, *, whole: bool) -> str:
    if count == 1:
        return first
    return f"{count} tenants of {class_id}" + ("" if whole else f" like {first}")


def _members(scenario: Scenario, uses: tuple[WorkloadUse, ...]) -> tuple[Member, ...]:
    members = []
    for use in uses:
        workload = scenario.workload(use.template)
        replicas = workload.replicas if use.replicas is None else use.replicas
        members.append(Member(workload, replicas, use.demand or workload.demand))
    return tuple(member for member in members if member.replicas > 0)


def waits(workload: Workload) -> bool:
    """Return whether a workload is a job that may wait for room; services and notebooks are wanted when called."""
    return workload.kind in ("training", "batch")


def scales_to_zero(member: Member) -> bool:
    """Return whether a service is let go when nobody calls it, so that the next caller waits for a cold start."""
    return not waits(member.workload) and not member.demand.least and not is_constant(member)


def is_constant(member: Member) -> bool:
    """Return whether demand does not change over time."""
    return member.demand.profile == "constant" or (member.demand.mean >= 1 and member.demand.profile != "trace")


def steady(member: Member) -> int:
    """Return the pods of a tenant that are active all the time, for constant demand."""
    return max(math.ceil(member.replicas * min(1.0, member.demand.mean) - 1e-9), member.demand.least)


def kept(wanted: Series, member: Member) -> Series:
    """Return the replicas that run: those wanted, and no fewer than are kept anyway."""
    running: Series = np.maximum(wanted, member.demand.least)
    return running


@dataclass(frozen=True)
class Alike:
    """Tenants of a group whose demand is the same but for its day.

    Attributes:
        number: how many they are.
        series: per workload of the group the active replicas per hour of one of them; None where demand is constant.
    """

    number: int
    series: tuple[Series | None, ...]


@dataclass(frozen=True)
class Activity:
    """How many replicas are active over time, for every group of a scenario.

    Attributes:
        groups: the groups.
        traces: active replicas per hour, by file and tenant.
        hours: length of every series.
    """

    groups: tuple[TenantGroup, ...]
    traces: Mapping[str, Mapping[str, Series]]
    hours: int
    # No design changes what tenants ask, and a sweep asks for thousands of designs.
    _totals: dict[tuple[str, int], Series] = field(default_factory=dict, init=False, repr=False, compare=False)
    _apart: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _alike: dict[str, tuple[Alike, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def alike(self, group: TenantGroup) -> tuple[Alike, ...]:
        """Return the tenants of a group by what they ask over time."""
        found = self._alike.get(group.id)
        if found is None:
            found = self._alike[group.id] = tuple(self._by_demand(group))
        return found

    def _by_demand(self, group: TenantGroup) -> Iterator[Alike]:
        found: dict[tuple[bytes, ...], Alike] = {}
        for tenant, number in distinct_tenants(group).items():
            series = tuple(
                None if is_constant(member) else self.one(group, tenant, index)
                for index, member in enumerate(group.members)
            )
            key = tuple(b"" if one is None else one.tobytes() for one in series)
            known = found.get(key)
            found[key] = Alike(number + (known.number if known else 0), series)
        yield from found.values()

    def apart(self, group: TenantGroup, index: int) -> tuple[int, int]:
        """Return the pods of a workload, all tenants at their own greatest and at their own mean demand, in gangs."""
        key = (group.id, index)
        found = self._apart.get(key)
        if found is None:
            found = self._apart[key] = self._each_apart(group, index)
        return found

    def _each_apart(self, group: TenantGroup, index: int) -> tuple[int, int]:
        gang = group.members[index].workload.gang
        total = [0, 0]
        for tenant, number in distinct_tenants(group).items():
            series = self.one(group, tenant, index)
            for which, amount in enumerate((float(series.max()), float(series.mean()))):
                total[which] += math.ceil(amount / gang - 1e-9) * gang * number
        return total[0], total[1]

    def total(self, group: TenantGroup, index: int) -> Series:
        """Return active replicas per hour of a workload (by position), all tenants of the group together."""
        key = (group.id, index)
        found = self._totals.get(key)
        if found is None:
            found = self._totals[key] = self._total(group, index)
            found.flags.writeable = False
        return found

    def _total(self, group: TenantGroup, index: int) -> Series:
        member = group.members[index]
        if is_constant(member):
            return np.full(self.hours, float(steady(member) * group.count))
        if member.demand.profile == "trace":
            return np.asarray(np.sum([self._traced(member, name) for name in group.names], axis=0), dtype=np.float64)
        shifts = Counter((tenant % PATTERNS, tenant // PATTERNS % _DAYS) for tenant in range(group.count))
        total = np.zeros(HOURS)
        for (pattern, days), number in shifts.items():
            total += number * np.roll(_pattern(member, index, pattern), 24 * days)
        return np.resize(total, self.hours)

    def one(self, group: TenantGroup, tenant: int, index: int) -> Series:
        """Return active replicas per hour of a workload of one tenant (0-based in the group)."""
        member = group.members[index]
        if is_constant(member):
            return np.full(self.hours, float(steady(member)))
        if member.demand.profile == "trace":
            return self._traced(member, group.names[tenant])
        days = tenant // PATTERNS % _DAYS
        return np.resize(np.roll(_pattern(member, index, tenant % PATTERNS), 24 * days), self.hours)

    def mean(self, group: TenantGroup, index: int) -> float:
        """Return the mean number of active replicas of a workload, all tenants of the group together."""
        member = group.members[index]
        return float(steady(member) * group.count) if is_constant(member) else float(self.total(group, index).mean())

    def _traced(self, member: Member, name: str) -> Series:
        series = self.traces[member.demand.file][name]
        wanted: Series = np.concatenate([series, np.zeros(self.hours - len(series))])
        return kept(wanted, member)


def activity_of(scenario: Scenario, folder: Path | None = None) -> Activity:
    """Return the demand over time of a scenario's tenants; traces are read beside the scenario.

    It is remembered while scenario and traces are the same: every design is asked about it.

    Raises:
        InputError: a trace is missing or wrong; names file, row and column.
    """
    groups = tenant_groups(scenario)
    files = sorted({m.demand.file for g in groups for m in g.members if m.demand.profile == "trace"})
    traces: dict[str, Mapping[str, Series]] = {}
    for file in files:
        if folder is None:
            raise InputError(
                Fault(file, "a trace is named, but the scenario has no folder", cure="load it from a file")
            )
        path = folder / file
        wanted = frozenset(n for g in groups for m in g.members if m.demand.file == file for n in g.names)
        traces[file] = _read_trace(path, path.stat().st_mtime_ns if path.exists() else 0, file, wanted)
    longest = max((len(series) for trace in traces.values() for series in trace.values()), default=0)
    key = (id(groups), *map(id, traces.values()))  # kept by the activity itself
    known = _ACTIVITIES.get(key)
    return known or remember(_ACTIVITIES, key, Activity(groups, traces, longest or HOURS), _KEPT)


def distinct_tenants(group: TenantGroup) -> dict[int, int]:
    """Return tenants of the group whose demand differs in more than its day, each with how many are like it."""
    if all(is_constant(member) for member in group.members):
        return {0: group.count}
    if any(member.demand.profile == "trace" for member in group.members):
        return dict.fromkeys(range(group.count), 1)
    number = min(PATTERNS, group.count)
    return {tenant: (group.count - tenant + PATTERNS - 1) // PATTERNS for tenant in range(number)}


@functools.lru_cache(maxsize=32)
def _read_trace(path: Path, _changed: int, name: str, wanted: frozenset[str]) -> Mapping[str, Series]:
    changes: dict[str, list[tuple[int, float]]] = {}
    for row in read_activity_csv(path).rows:
        changes.setdefault(row.tenant, []).append((row.step, row.value))
    missing = sorted(wanted - set(changes))
    if missing:
        known = ", ".join(sorted(changes)[:_SHOWN])
        raise InputError(
            Fault(name, f"tenant {tenant!r} has no row", known, did_you_mean(tenant, changes) or "add its rows")
            for tenant in missing
        )
    length = 1 + max(step for points in changes.values() for step, _ in points)
    return {tenant: expand_changes(changes[tenant], length) for tenant in sorted(wanted)}


def _pattern(member: Member, index: int, pattern: int) -> Series:
    seed = (member.demand.seed, index, pattern)
    kind = next(known for known in PROFILE_KINDS if known == member.demand.profile)
    return kept(_generated(kind, member.demand.mean, member.replicas, seed), member)


@functools.lru_cache(maxsize=4096)
def _generated(kind: ProfileKind, mean: float, replicas: int, seed: tuple[int, int, int]) -> Series:
    number = abs(seed[0]) * 1_000_003 + seed[1] * 1009 + seed[2]
    series = whole(activity(kind, mean, hours=HOURS, seed=number) * replicas, (0.5 + seed[2] * _GOLDEN) % 1)
    series.flags.writeable = False
    return series
