"""Job lists that clusters and published traces give: Slurm's accounting, AcmeTrace, Alibaba's trace of 2025.

Sources of the columns: the manual page of sacct; https://github.com/InternLM/AcmeTrace (README);
https://github.com/alibaba/clusterdata/tree/master/cluster-trace-gpu-v2025 (README).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from kubeanswers.quantities import GIB
from kubeanswers.scalars import whole_number
from tenancykit.scenario.trace_rows import (
    Reading,
    RowError,
    Trace,
    TraceJob,
    count_of,
    number_of,
    once,
    text_of,
)
from tenancykit.scenario.trace_times import NEVER, Moments, duration_of

SACCT: Final = ("JobID", "Account", "Submit", "Start", "End")
_SACCT_MORE: Final = ("User", "State", "Elapsed", "ElapsedRaw", "AllocTRES", "ReqTRES", "AllocCPUS", "NCPUS", "ReqMem")
_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGTP]?)[nc]?", re.IGNORECASE)
_POWERS: Final = {"": 2, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
"""Powers of 1024; Slurm's own unit is the megabyte."""


def read_sacct(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return the jobs of ``sacct -P`` (parsable, with a header); the tenant is the account.

    Steps (``123.batch``) are part of their job. What was allocated counts, or else what was asked for; a job that
    never started held nothing. A job that still runs counts with the time it has run so far.

    Raises:
        InputError: columns are missing, or rows are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    times, seen = Moments(), set[str]()
    found = reading.table(SACCT, lambda row: _sacct_job(row, times, seen), _SACCT_MORE)
    return replace(found, rows=tuple(row for row in found.rows if row.name))


_STEP: Final = TraceJob("", "", 0.0, 0.0, 0, 0, 0)
"""Stands for a row that is part of a job."""


def _sacct_job(row: Mapping[str, str], times: Moments, seen: set[str]) -> TraceJob:
    name = text_of(row, "JobID")
    if "." in name:
        return _STEP
    tenant = (row["Account"] or "").strip() or (row.get("User") or "").strip()
    if not tenant:
        raise RowError("Account", "is empty", "an account or a user", "add User to --format")
    submit, start, end = (times.maybe(row[field], field) for field in ("Submit", "Start", "End"))
    if submit is None:
        raise RowError("Submit", f"is {row['Submit']}", "a time")
    tres = _tres(row.get("AllocTRES") or "") or _tres(row.get("ReqTRES") or "")
    cpus = tres.get("cpu") or (row.get("AllocCPUS") or row.get("NCPUS") or "0").strip() or "0"
    memory = tres.get("mem") or (row.get("ReqMem") or "").strip()
    models = frozenset(key.split(":", 1)[1] for key in tres if key.startswith("gres/gpu:"))
    gpus = tres.get("gres/gpu") or str(sum(int(n) for key, n in tres.items() if key.startswith("gres/gpu:")))
    return TraceJob(
        once(name, "JobID", seen),
        tenant,
        submit,
        _held(row, start, end),
        round(1000 * number_of({"AllocTRES": cpus}, "AllocTRES")),
        _size(memory),
        count_of({"AllocTRES": gpus}, "AllocTRES"),
        gpu_models=models,
        state=(row.get("State") or "").strip(),
    )


def _held(row: Mapping[str, str], start: float | None, end: float | None) -> float:
    """Return the seconds a job held what it was given."""
    if start is None:
        return 0.0
    if end is not None:
        if end < start:
            raise RowError("End", f"{row['End']} is before Start", "the same or later")
        return end - start
    raw, elapsed = (row.get("ElapsedRaw") or "").strip(), (row.get("Elapsed") or "").strip()
    if raw:
        return number_of(row, "ElapsedRaw")
    if not elapsed:
        raise RowError("End", f"is {row['End']}, and nothing says for how long it has run", "", "add ElapsedRaw")
    return duration_of(elapsed, "Elapsed")


def _tres(text: str) -> dict[str, str]:
    """Return trackable resources (``cpu=8,gres/gpu:a100=2``) by name."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = part.partition("=")
        if not sign or not value:
            raise RowError("AllocTRES", f"{part!r} names no resource with an amount", "name=amount,...")
        if name.startswith("gres/gpu") and whole_number(value) is None:
            raise RowError("AllocTRES", f"{part!r} is no number of GPUs", "a whole number")
        found[name] = value
    return found


def _size(text: str) -> int:
    if not text:
        return 0
    found = _SIZE.fullmatch(text)
    if found is None:
        raise RowError("AllocTRES", f"memory {text!r} is not a size", "a number with K, M, G or T")
    return int(float(found[1]) * math.pow(1024, _POWERS[found[2].upper()]))


ACME: Final = ("job_id", "user", "node_num", "gpu_num", "cpu_num", "type", "submit_time", "start_time", "end_time")


def read_acme(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return the jobs of an AcmeTrace list (Seren or Kalos); the tenant is the user.

    A job holds its GPUs from start to end: the column ``duration`` of Kalos has the wait in it.

    Raises:
        InputError: columns are missing, or rows are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    times, seen = Moments(), set[str]()
    return reading.table(ACME, lambda row: _acme_job(row, times, seen), ("state", "mem_per_pod_GB"))


def _acme_job(row: Mapping[str, str], times: Moments, seen: set[str]) -> TraceJob:
    submit = times.seconds(row["submit_time"], "submit_time")
    start, end = (times.maybe(row[field], field) for field in ("start_time", "end_time"))
    held = 0.0 if start is None or end is None else end - start
    if held < 0:
        raise RowError("end_time", f"{row['end_time']} is before start_time", "the same or later")
    if start is not None and start < submit:
        raise RowError("start_time", f"{row['start_time']} is before submit_time", "the same or later")
    memory = number_of(row, "mem_per_pod_GB", empty=0.0) if "mem_per_pod_GB" in row else 0.0
    return TraceJob(
        once(text_of(row, "job_id"), "job_id", seen),
        text_of(row, "user"),
        submit,
        held,
        round(1000 * number_of(row, "cpu_num")),
        round(memory * GIB) * max(1, count_of(row, "node_num")),
        count_of(row, "gpu_num"),
        state=(row.get("state") or "").strip(),
    )


DLRM: Final = (
    *("instance_sn", "role", "app_name", "cpu_request", "gpu_request", "memory_request"),
    *("creation_time", "deletion_time"),
)


def read_gpu_v2025(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return the instances of Alibaba's trace of 2025 (disaggregated serving); the tenant is the application.

    An instance without creation time was there when the trace began, one without deletion time when it ended: at the
    latest time it names.

    Raises:
        InputError: columns are missing, or rows are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    seen = set[str]()
    found = reading.table(DLRM, lambda row: _instance(row, seen))
    last = max(row.start + (0.0 if math.isnan(row.duration) else row.duration) for row in found.rows)
    ended = (replace(row, duration=last - row.start) if math.isnan(row.duration) else row for row in found.rows)
    return replace(found, rows=tuple(ended))


def _instance(row: Mapping[str, str], seen: set[str]) -> TraceJob:
    start, end = (
        None if (row[field] or "").strip().lower() in NEVER else number_of(row, field)
        for field in ("creation_time", "deletion_time")
    )
    begin = start or 0.0
    if end is not None and end < begin:
        raise RowError("deletion_time", f"{end:g} is before creation_time {begin:g}", "the same or later")
    return TraceJob(
        once(text_of(row, "instance_sn"), "instance_sn", seen),
        text_of(row, "app_name"),
        begin,
        math.nan if end is None else end - begin,
        round(1000 * number_of(row, "cpu_request")),
        round(number_of(row, "memory_request") * GIB),
        count_of(row, "gpu_request"),
        state=(row["role"] or "").strip(),
    )
