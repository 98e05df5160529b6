"""Which of the known formats a trace has, by its columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.scenario import trace_clusters, trace_monitoring, traces
from tenancykit.scenario.trace_rows import TenantChange, Trace, TraceJob, column_names, trace_head

Jobs = Trace[TraceJob]
Changes = Trace[TenantChange]


@dataclass(frozen=True)
class Form:
    """A format of traces that say who asked for what when.

    Attributes:
        columns: columns it must have; empty where something else tells it.
        read: its reader.
        step: hours that one step of a series lasts; 0 for lists of jobs.
    """

    columns: tuple[str, ...]
    read: Callable[..., Jobs | Changes]
    step: float = 0.0


FORMS: Final[Mapping[str, Form]] = {
    "philly": Form((), traces.read_philly),
    "openb-pods": Form(traces.OPENB_PODS, traces.read_openb_pods),
    "sacct": Form(trace_clusters.SACCT, trace_clusters.read_sacct),
    "acme": Form(trace_clusters.ACME, trace_clusters.read_acme),
    "gpu-v2025": Form(trace_clusters.DLRM, trace_clusters.read_gpu_v2025),
    "kueue": Form((), trace_monitoring.read_workloads),
    "opencost": Form((), trace_monitoring.read_opencost),
    "prometheus": Form(trace_monitoring.SAMPLES, trace_monitoring.read_prometheus),
    "prometheus-wide": Form((), trace_monitoring.read_wide_samples),
    "helios-jobs": Form(traces.HELIOS_JOBS, traces.read_helios_jobs),
    "helios-hourly": Form(("hour", "vc", "max_demand"), traces.read_helios_hourly, 1.0),
    "helios-changes": Form(("vc", "minute"), traces.read_helios_changes, 1 / 60),
    "jobs": Form(traces.JOB_COLUMNS, traces.read_jobs_csv),
    "activity": Form(("tenant", "hour", "active"), traces.read_activity_csv, 1.0),
}
"""Formats by name."""


_HEAD: Final = 4096
_MARKS: Final = {
    "kueue": re.compile(r'"(apiVersion|items)"\s*:'),
    "prometheus": re.compile(r'"resultType"\s*:'),
    "opencost": re.compile(r'"(code|data)"\s*:'),
}
"""What the beginning of a JSON object says of its format, looked at in this order."""
_OBJECTS: Final = re.compile(r"(---\s*\n)?(#.*\n)*(apiVersion|kind|items):")


def form_of(path: str | Path) -> str:
    """Return the name of a trace's format: by what JSON or YAML holds, else the one most of whose columns it has.

    Raises:
        InputError: the file cannot be read, or has half of no format's columns.
    """
    text = trace_head(Path(path)).lstrip()
    if text.startswith("["):
        return "philly"
    if text.startswith("{"):
        head = text[:_HEAD]
        return next((name for name, mark in _MARKS.items() if mark.search(head)), "philly")
    if _OBJECTS.match(text):
        return "kueue"
    if not text:
        raise InputError(Fault(str(path), "is empty", ", ".join(FORMS), "check that it is the right file"))
    names = set(column_names(text.split("\n", 1)[0]))
    shares = {name: len(names & set(form.columns)) / len(form.columns) for name, form in FORMS.items() if form.columns}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] >= 1 / 2:
        return best
    if column_names(text.split("\n", 1)[0])[0].lower() in ("time", "timestamp"):
        return "prometheus-wide"
    forms = "; ".join(f"{name}: {', '.join(form.columns)}" for name, form in FORMS.items() if form.columns)
    raise InputError(Fault(f"{path}:1: columns", "are those of no known trace", forms, "rename the columns"))


def read_trace(path: str | Path, *, form: str = "", skip_bad_rows: bool = False) -> tuple[str, Jobs | Changes]:
    """Return a trace's format and rows; without a format's name it is found by :func:`form_of`.

    Raises:
        InputError: the format is unknown, the file cannot be read, or rows are bad and may not be skipped.
    """
    if form and form not in FORMS:
        raise InputError(Fault("format", f"{form!r} is unknown", ", ".join(FORMS), did_you_mean(form, FORMS)))
    name = form or form_of(path)
    return name, FORMS[name].read(path, skip_bad_rows=skip_bad_rows)
