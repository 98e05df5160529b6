"""What a trace says of sharing: each tenant's capacity, that of all together, and the wait where capacity is capped."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from kubeanswers.terminal import cell
from tenancykit.criteria.cost.demand import (
    Jobs,
    Series,
    Waits,
    backlog,
    capacity,
    capacity_over_time,
    concurrent,
    expand_changes,
    queueing_delay,
    summary,
)
from tenancykit.scenario.trace_formats import FORMS, read_trace
from tenancykit.scenario.trace_rows import JobTable, TenantChange, TraceJob

Resource = Literal["gpu", "cpu"]
UNITS: Final[Mapping[Resource, str]] = {"gpu": "GPUs", "cpu": "cores"}
EVERYBODY: Final = "everybody"
"""Tenant of a trace that names none."""
_MILLI: Final = 1000
_SECONDS: Final = 3600
_MOST_HOURS: Final = 10 * 366 * 24
_SHOWN: Final = 8


@dataclass(frozen=True)
class TraceDemand:
    """What tenants of a trace need apart and together.

    Attributes:
        form: the trace's format.
        unit: of every amount.
        hours: length of the trace, hours.
        percentile: share of the time, percent, that a capacity must suffice; 100 is the peak.
        apart: capacity of each tenant on its own.
        together: capacity of all tenants in one pool.
        pools: capacity of each pool asked about.
        cap: capacity of the queue asked about.
        waits: hours of waiting under that cap.
        skipped: how many rows were left out and why; empty for none.
        hourly: greatest demand of each tenant in each hour.
    """

    form: str
    unit: str
    hours: float
    percentile: float
    apart: Mapping[str, float]
    together: float
    pools: Mapping[str, float]
    cap: float | None
    waits: Waits | None
    skipped: str
    hourly: Mapping[str, Series] = field(repr=False, compare=False)

    @property
    def gain(self) -> float:
        """Multiplexing gain: the tenants' own capacities over that of their pool; 1 where sharing saves nothing."""
        return sum(self.apart.values()) / self.together if self.together else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the hours as plain data."""
        data = asdict(replace(self, hourly={}))
        del data["hourly"]
        return {**data, "apart_total": sum(self.apart.values()), "gain": self.gain}

    def activity_csv(self) -> str:
        """Return the hours as the CSV that a scenario's ``demand: {profile: trace}`` reads, a replica for each unit."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("tenant", "hour", "active"))
        for tenant, series in self.hourly.items():
            writer.writerows((cell(tenant), hour, f"{value:.12g}") for hour, value in enumerate(series))
        return text.getvalue()

    def text(self) -> str:
        """Return the same for people."""
        share = "at the peak" if self.percentile == 100 else f"for {self.percentile:g} % of the time"
        rows = [(name, f"{value:g}") for name, value in self.apart.items()]
        rows.append(("each on its own", f"{sum(self.apart.values()):g}"))
        rows.append(("all together", f"{self.together:g}"))
        rows += [(f"pool {name}", f"{value:g}") for name, value in self.pools.items()]
        rows.append(("multiplexing gain", f"{self.gain:.3f}"))
        width = max(len(name) for name, _ in rows)
        lines = [f"{self.unit} needed {share}, {_tenants(len(self.apart))} over {self.hours:g} hours ({self.form})"]
        lines += [f"{name:<{width}}  {value:>10}" for name, value in rows]
        if self.waits is not None:
            w = self.waits
            lines.append(
                f"with {self.cap:g} {self.unit}: {w.waiting:.1%} wait; hours: mean {w.mean:.2f}, median {w.p50:.2f}, "
                f"95 % {w.p95:.2f}, 99 % {w.p99:.2f}, longest {w.longest:.2f}; larger than that: {w.never}"
            )
        return "\n".join([*lines, *filter(None, [self.skipped])]) + "\n"


def _tenants(number: int) -> str:
    return f"{number} tenant" + ("s" if number != 1 else "")


def demand(
    *paths: str | os.PathLike[str],
    form: str = "",
    resource: Resource = "gpu",
    percentile: float = 100.0,
    cap: float | None = None,
    backfill: bool = False,
    pools: Mapping[str, Sequence[str]] | None = None,
    skip_bad_rows: bool = False,
) -> TraceDemand:
    """Return what a trace's tenants need apart and together, and how long they wait where capacity is capped.

    Jobs count from the moment they ask, for as long as they ran. Series of hourly maxima overstate a pool, whose
    tenants need not reach theirs in the same minute. Under a cap, jobs queue first come, first served; series are
    served as a fluid, in which the wait is the backlog over the cap.

    Args:
        paths: traces of one format, added up; packed by gzip or not.
        form: name of the format (:data:`FORMS`); by default the one whose columns the file has.
        resource: ``gpu`` or ``cpu``, for traces of jobs.
        percentile: share of the time, percent, that a capacity must suffice; 100 is the peak.
        cap: capacity under which to queue; None for no queue.
        backfill: let jobs that fit start before those that wait for more.
        pools: tenants who share a pool, by its name.
        skip_bad_rows: leave bad rows out and report how many and why.

    Raises:
        InputError: a trace is wrong, formats differ, a pool names a tenant the trace does not know, or a figure is
            out of range.
    """
    if resource not in UNITS:
        raise InputError(Fault("resource", f"{resource!r} is unknown", ", ".join(UNITS), did_you_mean(resource, UNITS)))
    if cap is not None and not (math.isfinite(cap) and cap > 0):
        raise InputError(Fault("cap", f"is {cap}", "a number above 0", "leave it out for no cap"))
    read = [read_trace(path, form=form, skip_bad_rows=skip_bad_rows) for path in map(Path, paths)]
    names = sorted({name for name, _ in read})
    if len(names) != 1:
        cure = "give traces of one format at a time"
        raise InputError(Fault("traces", f"have {len(names)} formats: {', '.join(names)}", "one", cure))
    skipped = "; ".join(filter(None, (trace.report() for _, trace in read)))
    jobs = [trace.rows for _, trace in read if isinstance(trace.rows, JobTable)] or [
        _table(trace.rows) for _, trace in read if isinstance(trace.rows[0], TraceJob)
    ]
    found: _Jobs | _Series
    if jobs:
        found = _Jobs(jobs, resource)
    else:
        series = [[row for row in trace.rows if isinstance(row, TenantChange)] for _, trace in read]
        found = _Series(series, FORMS[names[0]].step)
    asked = {name: _known(name, members, found.tenants) for name, members in (pools or {}).items()}
    alone = {tenant: found.pooled([tenant]) for tenant in found.tenants}
    return TraceDemand(
        names[0],
        UNITS[resource] if jobs or names[0].startswith("helios") else "replicas",
        found.hours,
        percentile,
        {tenant: found.capacity([tenant], percentile) for tenant in found.tenants},
        found.capacity(found.tenants, percentile),
        {name: found.capacity(members, percentile) for name, members in asked.items()},
        cap,
        None if cap is None else found.waits(cap, backfill=backfill),
        skipped,
        {tenant: hourly(series, found.step) for tenant, series in alone.items()},
    )


def hourly(series: Series, step: float) -> Series:
    """Return the greatest value within each hour of a series whose steps last so many hours, at most one."""
    inside = round(1 / step)
    padded = np.concatenate([series, np.zeros(-len(series) % inside)])
    return np.asarray(padded.reshape(-1, inside).max(axis=1), dtype=np.float64)


def _known(pool: str, members: Iterable[str], tenants: Sequence[str]) -> list[str]:
    chosen = list(dict.fromkeys(members))
    faults = [
        Fault(f"pool {pool!r}", f"tenant {member!r} is not in the trace", ", ".join(tenants[:_SHOWN]), cure)
        for member in chosen
        if member not in tenants
        for cure in (did_you_mean(member, tenants) or "name a tenant of the trace",)
    ]
    if faults:
        raise InputError(faults)
    return chosen


class _Jobs:
    """Jobs in hours from the first one's start, and thousandths of a unit so that sums stay exact."""

    step = 1.0

    def __init__(self, tables: Sequence[JobTable], resource: Resource) -> None:
        begin = min(float(table.numbers("start").min()) for table in tables)
        amounts = [_amounts(table, resource) for table in tables]
        asking = [amount > 0 for amount in amounts]
        if not any(chosen.any() for chosen in asking):
            raise InputError(Fault("resource", f"no job asks for {UNITS[resource]}", cure="ask about the other"))
        parts = list(zip(tables, amounts, asking, strict=True))
        self.jobs = Jobs(
            np.concatenate([(t.numbers("start")[chosen] - begin) / _SECONDS for t, _, chosen in parts]),
            np.concatenate([t.numbers("duration")[chosen] / _SECONDS for t, _, chosen in parts]),
            np.concatenate([amount[chosen].astype(np.float64) for _, amount, chosen in parts]),
        )
        names = [[word or EVERYBODY for word in table.words("tenant")] for table in tables]
        places = {name: place for place, name in enumerate(dict.fromkeys(n for listed in names for n in listed))}
        self._codes = np.concatenate(
            [
                np.array([places[name] for name in listed])[table.codes("tenant")[chosen]]
                for (table, _, chosen), listed in zip(parts, names, strict=True)
            ]
        )
        present = set(np.unique(self._codes).tolist())
        self._places = {name: place for name, place in places.items() if place in present}
        self.tenants = sorted(self._places)
        self.hours = float((self.jobs.start + self.jobs.duration).max())
        if self.hours > _MOST_HOURS:
            what = f"the trace spans {self.hours:.0f} hours"
            raise InputError(Fault("duration", what, f"at most {_MOST_HOURS}", "correct the longest or latest job"))

    def pooled(self, tenants: Sequence[str]) -> Series:
        return concurrent(self._of(tenants), steps=max(1, math.ceil(self.hours))) / _MILLI

    def capacity(self, tenants: Sequence[str], percentile: float) -> float:
        return capacity_over_time(self._of(tenants), percentile, self.hours) / _MILLI

    def waits(self, cap: float, *, backfill: bool) -> Waits:
        return queueing_delay(self.jobs, cap * _MILLI, backfill=backfill)

    def _of(self, tenants: Sequence[str]) -> Jobs:
        if len(tenants) == len(self.tenants):
            return self.jobs
        return self.jobs.take(np.isin(self._codes, [self._places[tenant] for tenant in tenants]))


def _amounts(table: JobTable, resource: Resource) -> Any:
    return table.numbers("gpu_count") * table.numbers("gpu_milli") if resource == "gpu" else table.numbers("cpu_milli")


def _table(rows: Iterable[Any]) -> JobTable:
    """Return jobs a reader has changed since they were read as a table again."""
    made = JobTable()
    for row in rows:
        made.append(row)
    return made


class _Series:
    """Demand per step of every tenant, the files' added up."""

    def __init__(self, files: Sequence[Sequence[TenantChange]], step: float) -> None:
        self.step = step
        steps = 1 + max(row.step for rows in files for row in rows)
        self.hours = steps * step
        self.by_tenant: dict[str, Series] = {}
        for rows in files:
            changes: dict[str, list[tuple[int, float]]] = {}
            for row in rows:
                changes.setdefault(row.tenant, []).append((row.step, row.value))
            for tenant, points in changes.items():
                held = self.by_tenant.get(tenant, np.zeros(1))
                self.by_tenant[tenant] = held + expand_changes(points, steps)
        self.tenants = sorted(self.by_tenant)

    def pooled(self, tenants: Sequence[str]) -> Series:
        return np.asarray(sum((self.by_tenant[tenant] for tenant in tenants), np.zeros(1)), dtype=np.float64)

    def capacity(self, tenants: Sequence[str], percentile: float) -> float:
        return capacity([self.pooled(tenants)], percentile)

    def waits(self, cap: float, *, backfill: bool) -> Waits:  # noqa: ARG002 - a fluid has no order to change
        delays = backlog(self.pooled(self.tenants), cap) / cap * self.step
        return summary(delays, 0)
