"""Readers of public cluster traces and of a plain CSV: rows as values, faults with file, row and field.

Every reader checks what it needs and gathers all faults. With ``skip_bad_rows`` bad rows are left out instead, and the
result says how many and why. Formats:

- openb (Alibaba cluster-trace-gpu-v2023): node and pod lists.
- Helios: change files (vc, minute, value) and hourly files derived from its per-VC sequences.
- Philly (Microsoft): ``cluster_job_log``, a JSON list of jobs with attempts.
- plain CSV of jobs: tenant, start, duration, cpu, memory, gpus, gpu model.
- plain CSV of activity: tenant, hour, active (replicas).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tenancykit.errors import Fault, InputError, did_you_mean
from tenancykit.quantities import MIB, millis, whole
from tenancykit.scenario.trace_rows import (
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
    table_rows,
    text_of,
)

_TIME: Final = "%Y-%m-%d %H:%M:%S"


def read_openb_nodes(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceNode]:
    """Return the nodes of an openb node list.

    Raises:
        InputError: columns are missing, or rows are bad and may not be skipped.
    """
    reading: Reading[TraceNode] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    seen: set[str] = set()
    for line, row in table_rows(reading.path, ("sn", "cpu_milli", "memory_mib", "gpu", "model")):
        reading.take(line, lambda row=row: _openb_node(row, seen))  # type: ignore[misc]
    return reading.done()


def _openb_node(row: Mapping[str, str], seen: set[str]) -> TraceNode:
    name = once(text_of(row, "sn"), "sn", seen)
    gpus = count_of(row, "gpu")
    model = (row["model"] or "").strip()
    if gpus and not model:
        raise RowError("model", "is empty on a node with GPUs", cure="name the GPU model")
    return TraceNode(name, count_of(row, "cpu_milli", least=1), count_of(row, "memory_mib", least=1) * MIB, gpus, model)


def read_openb_pods(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return the pods of an openb pod list; ``duration`` runs from creation to deletion.

    Raises:
        InputError: columns are missing, or rows are bad and may not be skipped.
    """
    columns = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec", "creation_time", "deletion_time")
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    seen: set[str] = set()
    for line, row in table_rows(reading.path, columns, ("qos", "pod_phase", "scheduled_time")):
        reading.take(line, lambda row=row: _openb_pod(row, seen))  # type: ignore[misc]
    return reading.done()


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


def read_helios_changes(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TenantChange]:
    """Return the changes of a Helios change file: ``vc``, ``minute`` and one column of GPUs.

    Raises:
        InputError: columns are missing; a VC's minutes do not rise; or rows are bad and may not be skipped.
    """
    reading: Reading[TenantChange] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    last: dict[str, int] = {}
    value: str | None = None
    for line, row in table_rows(reading.path, ("vc", "minute")):
        value = value or next((name for name in row if name.endswith(("gpus", "gpu_num"))), None)
        if value is None:
            raise InputError(Fault(f"{path}:1: columns", "no column of GPUs", "running_gpus or pending_gpus"))
        reading.take(line, lambda row=row, value=value: _helios_change(row, value, last))  # type: ignore[misc]
    return reading.done()


def _helios_change(row: Mapping[str, str], value: str, last: dict[str, int]) -> TenantChange:
    tenant, minute = text_of(row, "vc"), count_of(row, "minute")
    before = last.get(tenant)
    if before is not None and minute == before:
        raise RowError("minute", f"{minute} overlaps the row before it of {tenant}", "each minute once per VC")
    if before is not None and minute < before:
        raise RowError("minute", f"{minute} is before {before} of {tenant}", "rising minutes", "sort each VC")
    if before is None and minute != 0:
        raise RowError("minute", f"{tenant} starts at {minute}: a gap", "a first row at minute 0")
    change = TenantChange(tenant, minute, number_of(row, value))
    last[tenant] = minute
    return change


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
    last: dict[str, int] = {}
    origin: list[datetime] = []
    for line, row in table_rows(reading.path, ("hour", "vc", value)):
        reading.take(line, lambda row=row: _helios_hour(row, value, last, origin))  # type: ignore[misc]
    return reading.done()


def _helios_hour(row: Mapping[str, str], value: str, last: dict[str, int], origin: list[datetime]) -> TenantChange:
    try:
        moment = datetime.strptime(row["hour"].strip(), _TIME)  # noqa: DTZ007 - the trace has no time zone
    except ValueError:
        raise RowError("hour", f"{row['hour']!r} is not a time", "YYYY-MM-DD HH:MM:SS") from None
    if not origin:
        origin.append(moment)
    step = (moment - origin[0]).total_seconds() / 3600
    if step != int(step):
        raise RowError("hour", f"{row['hour']} is not on the hour of the first row", "whole hours")
    tenant, before = text_of(row, "vc"), last.get(text_of(row, "vc"), -1)
    if step <= before:
        raise RowError("hour", f"{row['hour']} of {tenant} overlaps or goes back", "each hour once, rising")
    gap = step != before + 1
    last[tenant] = int(step)
    if gap:
        what = f"{row['hour']} of {tenant}: a gap of {step - before - 1:g} hours before it"
        raise RowError("hour", what, "every hour")
    return TenantChange(tenant, int(step), number_of(row, value))


def read_philly(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return the jobs of a Philly-style job log; ``duration`` adds up the attempts, ``start`` is the submission.

    GPUs are the most any attempt held. Times are seconds since 1970 as the log's local times read.

    Raises:
        InputError: the file is not such a list, or jobs are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    try:
        jobs = json.loads(reading.path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(Fault(str(path), f"cannot be read as JSON: {error}")) from error
    if not isinstance(jobs, list):
        raise InputError(Fault(str(path), "is not a list of jobs", "[{jobid, vc, submitted_time, attempts}, ...]"))
    for position, job in enumerate(jobs):
        reading.take(f"job {position}", lambda job=job: _philly_job(job))  # type: ignore[misc]
    return reading.done()


def _philly_job(job: Any) -> TraceJob:
    if not isinstance(job, Mapping):
        raise RowError("job", f"is a {type(job).__name__}", "an object")
    for key in ("jobid", "vc", "submitted_time", "attempts"):
        if key not in job:
            raise RowError(key, "is missing", "jobid, vc, submitted_time, attempts", did_you_mean(key, map(str, job)))
    start = _philly_time(job["submitted_time"], "submitted_time")
    duration, gpus, before = 0.0, 0, start
    if not isinstance(job["attempts"], list):
        raise RowError("attempts", "is not a list", "a list of attempts")
    for number, attempt in enumerate(job["attempts"]):
        field = f"attempts[{number}]"
        if not isinstance(attempt, Mapping) or not attempt.get("start_time") or not attempt.get("end_time"):
            continue  # an attempt that never ran
        begin = _philly_time(attempt["start_time"], f"{field}.start_time")
        end = _philly_time(attempt["end_time"], f"{field}.end_time")
        if end < begin:
            raise RowError(f"{field}.end_time", "is before start_time", "the same or later")
        if begin < before:
            raise RowError(f"{field}.start_time", "overlaps what came before", "attempts one after the other")
        held = attempt.get("detail") or []
        gpus = max(gpus, sum(len(machine.get("gpus") or []) for machine in held if isinstance(machine, Mapping)))
        duration, before = duration + end - begin, end
    return TraceJob(str(job["jobid"]), str(job["vc"]), start, duration, 0, 0, gpus, state=str(job.get("status") or ""))


def _philly_time(text: object, field: str) -> float:
    try:
        moment = datetime.strptime(str(text), _TIME)  # noqa: DTZ007 - the log has local times without zone
    except ValueError:
        raise RowError(field, f"{text!r} is not a time", "YYYY-MM-DD HH:MM:SS") from None
    return (moment - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - as above


JOB_COLUMNS: Final = ("tenant", "start", "duration", "cpu", "memory", "gpus", "gpu_model")


def read_jobs_csv(
    path: str | Path, *, gpu_models: Sequence[str] | None = None, skip_bad_rows: bool = False
) -> Trace[TraceJob]:
    """Return the jobs of a plain CSV with the columns of :data:`JOB_COLUMNS`, sorted by start.

    ``start`` and ``duration`` in seconds; ``cpu`` and ``memory`` as Kubernetes quantities; ``gpus`` may be a fraction
    below 1; ``gpu_model`` may be empty or several, separated by ``|``.

    Args:
        path: the file.
        gpu_models: known models; any where ``None``.
        skip_bad_rows: leave bad rows out and report them.

    Raises:
        InputError: columns are missing; starts go back; or rows are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    last = [-math.inf]
    for line, row in table_rows(reading.path, JOB_COLUMNS):
        reading.take(line, lambda row=row: _plain_job(row, last, gpu_models))  # type: ignore[misc]
    return reading.done()


def _plain_job(row: Mapping[str, str], last: list[float], known: Sequence[str] | None) -> TraceJob:
    start = number_of(row, "start")
    if start < last[0]:
        raise RowError("start", f"{start:g} is before {last[0]:g} of the row above", "rising starts", "sort by start")
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
    job = TraceJob("", text_of(row, "tenant"), start, duration, cpu, memory, count, milli, models)
    last[0] = start
    return job


def read_activity_csv(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TenantChange]:
    """Return the replicas active by tenant and hour of a CSV with the columns ``tenant``, ``hour`` and ``active``.

    Hours count from 0 without gaps, per tenant; tenants may be mixed in any order.

    Raises:
        InputError: columns are missing; a tenant's hours have gaps, overlaps or go back; or rows are bad and may not
            be skipped.
    """
    reading: Reading[TenantChange] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    last: dict[str, int] = {}
    for line, row in table_rows(reading.path, ("tenant", "hour", "active")):
        reading.take(line, lambda row=row: _active_hour(row, last))  # type: ignore[misc]
    return reading.done()


def _active_hour(row: Mapping[str, str], last: dict[str, int]) -> TenantChange:
    tenant, hour, active = text_of(row, "tenant"), count_of(row, "hour"), number_of(row, "active")
    before = last.get(tenant, -1)
    if hour <= before:
        word = "overlaps" if hour == before else "goes back behind"
        raise RowError("hour", f"{hour} of {tenant} {word} hour {before}", "each hour once, rising")
    last[tenant] = hour
    if hour != before + 1:
        raise RowError("hour", f"{hour} of {tenant}: a gap of {hour - before - 1} hours before it", "every hour")
    return TenantChange(tenant, hour, active)
