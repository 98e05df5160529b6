"""Readers of public cluster traces and of a plain CSV: rows as values, faults with file, row and field.

Every reader checks what it needs and gathers all faults. With ``skip_bad_rows`` bad rows are left out instead, and the
result says how many and why. Formats:

- openb (Alibaba cluster-trace-gpu-v2023): node and pod lists.
- Helios: ``cluster_log.csv``; change files (vc, minute, value) and hourly files derived from its per-VC sequences.
- Philly (Microsoft): ``cluster_job_log``, a JSON list of jobs with attempts.
- Slurm, AcmeTrace, Alibaba 2025: :mod:`tenancykit.scenario.trace_clusters`.
- Kueue Workloads, OpenCost, Prometheus, DCGM: :mod:`tenancykit.scenario.trace_monitoring`.
- plain CSV of jobs: tenant, start, duration, cpu, memory, gpus, gpu model.
- plain CSV of activity: tenant, hour, active (replicas).

Columns may be in any order and have others beside them; fields part at comma, semicolon or tab; gzip is unpacked.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.quantities import MIB, millis, whole
from kubeanswers.records import dataclass
from kubeanswers.terminal import of_cell
from tenancykit.scenario.trace_rows import (
    MOST_STEPS,
    Reading,
    RowError,
    TenantChange,
    Trace,
    TraceJob,
    TraceNode,
    count_of,
    number_of,
    once,
    quantity_of,
    text_of,
    trace_text,
)
from tenancykit.scenario.trace_times import Moments


def read_openb_nodes(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceNode]:
    """Return the nodes of an openb node list.

    Raises:
        InputError: columns are missing, or rows are bad and may not be skipped.
    """
    reading: Reading[TraceNode] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    seen: set[str] = set()
    return reading.table(("sn", "cpu_milli", "memory_mib", "gpu", "model"), lambda row: _openb_node(row, seen))


def _openb_node(row: Mapping[str, str], seen: set[str]) -> TraceNode:
    name = once(text_of(row, "sn"), "sn", seen)
    gpus = count_of(row, "gpu")
    model = (row["model"] or "").strip()
    if gpus and not model:
        raise RowError("model", "is empty on a node with GPUs", cure="name the GPU model")
    return TraceNode(name, count_of(row, "cpu_milli", least=1), count_of(row, "memory_mib", least=1) * MIB, gpus, model)


OPENB_PODS: Final = (
    *("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec"),
    *("creation_time", "deletion_time"),
)


def read_openb_pods(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return the pods of an openb pod list; ``duration`` runs from creation to deletion.

    Raises:
        InputError: columns are missing, or rows are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    seen: set[str] = set()
    return reading.table(OPENB_PODS, lambda row: _openb_pod(row, seen), ("qos", "pod_phase", "scheduled_time"))


def _openb_pod(row: Mapping[str, str], seen: set[str]) -> TraceJob:
    start = number_of(row, "creation_time")
    end = number_of(row, "deletion_time", empty=start)
    if end < start:
        raise RowError("deletion_time", f"{end:g} is before creation_time {start:g}", "the same or later")
    gpus, milli = count_of(row, "num_gpu"), count_of(row, "gpu_milli")
    if gpus and not 0 < milli <= 1000:
        raise RowError("gpu_milli", f"is {milli} with {gpus} GPUs", "1 to 1000 per GPU")
    if gpus > 1 and milli < 1000:
        raise RowError("gpu_milli", f"is {milli} with {gpus} GPUs", "1000: only one GPU can be shared")
    models = frozenset(model for model in (row["gpu_spec"] or "").strip().split("|") if model)
    name = once(text_of(row, "name"), "name", seen)
    memory = count_of(row, "memory_mib") * MIB
    cpu, state = count_of(row, "cpu_milli"), row.get("qos") or ""
    return TraceJob(name, "", start, end - start, cpu, memory, gpus, milli if gpus else 1000, models, state)


HELIOS_JOBS: Final = ("job_id", "vc", "gpu_num", "cpu_num", "state", "submit_time", "start_time", "end_time")


def read_helios_jobs(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return the jobs of a Helios ``cluster_log.csv``; ``start`` is the submission, ``duration`` the time it ran.

    Times are seconds since 1970 as the log's local times read. The log has no memory.

    Raises:
        InputError: columns are missing, or rows are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    seen: set[str] = set()
    times = Moments()
    return reading.table(
        HELIOS_JOBS, lambda row: _helios_job(row, seen, times), ("user", "node_num", "duration", "queue")
    )


def _helios_job(row: Mapping[str, str], seen: set[str], times: Moments) -> TraceJob:
    submit, start, end = (times.seconds(row[field], field) for field in ("submit_time", "start_time", "end_time"))
    if start < submit:
        raise RowError("start_time", f"{row['start_time']} is before submit_time", "the same or later")
    if end < start:
        raise RowError("end_time", f"{row['end_time']} is before start_time", "the same or later")
    tenant, cpu, gpus = text_of(row, "vc"), 1000 * count_of(row, "cpu_num"), count_of(row, "gpu_num")
    name = once(text_of(row, "job_id"), "job_id", seen)
    return TraceJob(name, tenant, submit, end - start, cpu, 0, gpus, state=row["state"].strip())


@dataclass(frozen=True)
class _Clock:
    """Holds each tenant's time to rise; one bad row does not make those behind it bad.

    Attributes:
        unit: column of the time, and word for one step.
        gapless: whether every step must be there, not only the first.
        last: last step of each tenant that was in its place.
        ahead: last step of each tenant that came after a gap: what follows it is in its place again.
    """

    unit: str
    gapless: bool
    last: dict[str, int] = field(default_factory=dict)
    ahead: dict[str, int] = field(default_factory=dict)

    def check(self, tenant: str, step: int, shown: str) -> None:
        before = self.last.get(tenant, -1)
        if step == before:
            what = f"{shown} of {tenant} overlaps the row before it"
            raise RowError(self.unit, what, f"each {self.unit} once", reason="that overlap")
        if step < before:
            what = f"{shown} of {tenant} goes back behind {self.unit} {before}"
            raise RowError(self.unit, what, "rising", f"sort by {self.unit}", reason="that go back")
        missing = step - before - 1
        if missing and (self.gapless or before < 0) and self.ahead.get(tenant, -1) != step - 1:
            self.ahead[tenant] = step
            if not self.gapless:
                self.last[tenant] = step
            what = f"{shown} of {tenant}: a gap of {missing} {self.unit}s before it"
            allowed = f"every {self.unit}, from 0" if self.gapless else f"a first row at {self.unit} 0"
            raise RowError(self.unit, what, allowed, "add the missing rows", reason="after a gap")
        self.last[tenant] = step


def read_helios_changes(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TenantChange]:
    """Return the changes of a Helios change file: ``vc``, ``minute`` and one column of GPUs.

    Raises:
        InputError: columns are missing; a VC's minutes do not start at 0 or do not rise; or rows are bad and may not
            be skipped.
    """
    reading: Reading[TenantChange] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    clock = _Clock("minute", gapless=False)
    return reading.table(("vc", "minute"), lambda row: _helios_change(row, clock, str(path)))


def _helios_change(row: Mapping[str, str], clock: _Clock, path: str) -> TenantChange:
    value = next((name for name in row if name.endswith(("gpus", "gpu_num"))), None)
    if value is None:
        known = "running_gpus or pending_gpus"
        raise InputError(Fault(f"{path}:1: columns", "no column of GPUs", known, "name the column"))
    tenant, minute = text_of(row, "vc"), count_of(row, "minute", most=MOST_STEPS)
    clock.check(tenant, minute, str(minute))
    return TenantChange(tenant, minute, number_of(row, value))


def read_helios_hourly(
    path: str | Path, *, value: str = "max_demand", skip_bad_rows: bool = False
) -> Trace[TenantChange]:
    """Return one value per VC and hour of a Helios hourly file; ``step`` counts hours from the file's first.

    Args:
        path: the file.
        value: column to read: ``mean_running``, ``max_running`` or ``max_demand``.
        skip_bad_rows: leave bad rows out and report them.

    Raises:
        InputError: columns are missing; hours have gaps or overlaps; or rows are bad and may not be skipped.
    """
    reading: Reading[TenantChange] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    clock = _Clock("hour", gapless=True)
    origin, times = list[float](), Moments()
    return reading.table(("hour", "vc", value), lambda row: _helios_hour(row, value, clock, origin, times))


def _helios_hour(
    row: Mapping[str, str], value: str, clock: _Clock, origin: list[float], times: Moments
) -> TenantChange:
    moment, shown = times.seconds(row["hour"], "hour"), row["hour"].strip()
    if not origin:
        origin.append(moment)
    step = (moment - origin[0]) / 3600
    if step != int(step):
        raise RowError("hour", f"{shown} is not on the hour of the first row", "whole hours")
    tenant = text_of(row, "vc")
    clock.check(tenant, int(step), shown)
    return TenantChange(tenant, int(step), number_of(row, value))


def read_philly(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return the jobs of a Philly-style job log; ``duration`` adds up the attempts, ``start`` is the submission.

    GPUs are the most any attempt held. An attempt without start or end (the log was cut there, or lost it) adds no
    time. Times are seconds since 1970 as the log's local times read.

    Raises:
        InputError: the file is not such a list, or jobs are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    try:
        jobs = json.loads(trace_text(reading.path))
    except (ValueError, RecursionError) as error:
        what = f"cannot be read as JSON: {error}"
        raise InputError(Fault(str(path), what, "a list of jobs", "correct the JSON")) from None
    if not isinstance(jobs, list):
        form = "[{jobid, vc, submitted_time, attempts}, ...]"
        raise InputError(Fault(str(path), "is not a list of jobs", form, "put the jobs in one list"))
    times = Moments()
    for position, job in enumerate(jobs):
        reading.take(f"job {position}", functools.partial(_philly_job, job, times))
    return reading.done()


def _philly_job(job: Any, times: Moments) -> TraceJob:
    if not isinstance(job, Mapping):
        raise RowError("job", f"is a {type(job).__name__}", "an object")
    for key in ("jobid", "vc", "submitted_time", "attempts"):
        if key not in job:
            raise RowError(key, "is missing", "jobid, vc, submitted_time, attempts", did_you_mean(key, map(str, job)))
    start = times.seconds(job["submitted_time"], "submitted_time")
    duration, gpus, before = 0.0, 0, start
    for number, attempt in enumerate(_list(job["attempts"], "attempts")):
        name = f"attempts[{number}]"
        if not isinstance(attempt, Mapping):
            raise RowError(name, f"is a {type(attempt).__name__}", "an object")
        machines = _list(attempt.get("detail") or [], f"{name}.detail")
        gpus = max(gpus, sum(_philly_gpus(machine, f"{name}.detail[{i}]") for i, machine in enumerate(machines)))
        if attempt.get("start_time") in _NEVER or attempt.get("end_time") in _NEVER:
            continue
        begin = times.seconds(attempt["start_time"], f"{name}.start_time")
        end = times.seconds(attempt["end_time"], f"{name}.end_time")
        if end < begin:
            raise RowError(f"{name}.end_time", "is before start_time", "the same or later", reason=_ATTEMPTS)
        if begin < before:
            what, allowed = "overlaps what came before", "attempts one after the other"
            raise RowError(f"{name}.start_time", what, allowed, reason=_ATTEMPTS)
        duration, before = duration + end - begin, end
    name, tenant, state = (str(job.get(key) or "") for key in ("jobid", "vc", "status"))
    return TraceJob(
        text_of({"jobid": name}, "jobid"), text_of({"vc": tenant}, "vc"), start, duration, 0, 0, gpus, state=state
    )


_NEVER: Final = (None, "", "None")
_ATTEMPTS: Final = "whose attempts overlap or go back"


def _philly_gpus(machine: object, field: str) -> int:
    if not isinstance(machine, Mapping):
        raise RowError(field, f"is a {type(machine).__name__}", "an object with ip and gpus")
    return len(_list(machine.get("gpus") or [], f"{field}.gpus"))


def _list(value: object, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise RowError(field, f"is a {type(value).__name__}", "a list")
    return value


JOB_COLUMNS: Final = ("tenant", "start", "duration", "cpu", "memory", "gpus", "gpu_model")


def read_jobs_csv(
    path: str | Path, *, gpu_models: Sequence[str] | None = None, skip_bad_rows: bool = False
) -> Trace[TraceJob]:
    """Return the jobs of a plain CSV with the columns of :data:`JOB_COLUMNS`, sorted by start.

    ``start`` in seconds or as ISO 8601, ``duration`` in seconds; ``cpu`` and ``memory`` as Kubernetes quantities;
    ``gpus`` may be a fraction below 1; ``gpu_model`` may be empty or several, separated by ``|``.

    Args:
        path: the file.
        gpu_models: known models; any where ``None``.
        skip_bad_rows: leave bad rows out and report them.

    Raises:
        InputError: columns are missing; starts go back; or rows are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    last, times = [-math.inf], Moments()
    return reading.table(JOB_COLUMNS, lambda row: _plain_job(row, last, gpu_models, times))


def _plain_job(row: Mapping[str, str], last: list[float], known: Sequence[str] | None, times: Moments) -> TraceJob:
    start = times.seconds(row["start"] or "", "start", numbers=True)
    if start < last[0]:
        what = f"{start:g} is before {last[0]:g} of the row above"
        raise RowError("start", what, "rising starts", "sort by start", reason="that go back")
    last[0] = start
    duration = number_of(row, "duration")
    gpus = number_of(row, "gpus", empty=0.0)
    if gpus > 1 and gpus != int(gpus):
        raise RowError("gpus", f"is {gpus:g}", "a whole number, or a fraction below 1")
    models = frozenset(model.strip() for model in (row["gpu_model"] or "").split("|") if model.strip())
    for model in sorted(models):
        if known is not None and model not in known:
            raise RowError("gpu_model", f"{model!r} is unknown", ", ".join(known), did_you_mean(model, known))
    count = math.ceil(gpus)
    milli = 1000 if gpus >= 1 or not count else max(1, round(gpus * 1000))
    cpu, memory = quantity_of(row, "cpu", millis), quantity_of(row, "memory", whole)
    return TraceJob("", text_of(row, "tenant"), start, duration, cpu, memory, count, milli, models)


def read_activity_csv(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TenantChange]:
    """Return the replicas active by tenant and hour of a CSV with the columns ``tenant``, ``hour`` and ``active``.

    Hours count from 0 without gaps, per tenant; tenants may be mixed in any order.

    Raises:
        InputError: columns are missing; a tenant's hours have gaps, overlaps or go back; or rows are bad and may not
            be skipped.
    """
    reading: Reading[TenantChange] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    clock = _Clock("hour", gapless=True)
    return reading.table(("tenant", "hour", "active"), lambda row: _active_hour(row, clock))


def _active_hour(row: Mapping[str, str], clock: _Clock) -> TenantChange:
    tenant, hour = of_cell(text_of(row, "tenant")), count_of(row, "hour", most=MOST_STEPS)
    clock.check(tenant, hour, str(hour))
    return TenantChange(tenant, hour, number_of(row, "active"))
