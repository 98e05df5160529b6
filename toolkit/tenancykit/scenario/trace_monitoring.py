"""Demand from what already watches a cluster: Kueue's Workloads, OpenCost's allocations, Prometheus and DCGM samples.

Sources of the fields: https://kueue.sigs.k8s.io/docs/reference/; https://opencost.io/docs/integrations/api/;
https://prometheus.io/docs/prometheus/latest/querying/api/; the dcgm-exporter's labels.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import Fault, InputError
from kubeanswers.quantities import millis, whole
from kubeanswers.source import parse_all
from tenancykit.scenario.trace_rows import (
    Reading,
    RowError,
    Trace,
    TraceJob,
    number_of,
    table_rows,
    text_of,
    trace_text,
)
from tenancykit.scenario.trace_times import Moments

_NOBODY: Final = ("__idle__", "__unmounted__", "__unallocated__")
"""Rows of an allocation that belong to no tenant."""


def read_workloads(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return Kueue's Workloads as ``kubectl get workloads -A -o yaml`` (or json) prints them; tenants are namespaces.

    A Workload asks from its creation and holds its quota from its admission to its end; one that still runs, to the
    latest time in the file. One that was not admitted holds nothing.

    Raises:
        InputError: there is no Workload, or one is bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    things = [thing for document in parse_all(trace_text(reading.path), str(path)) for thing in _items(document.data)]
    times = Moments()
    for number, thing in enumerate(things):
        if isinstance(thing, Mapping) and thing.get("kind", "Workload") == "Workload":
            reading.take(f"item {number}", functools.partial(_workload, thing, times))
    found = reading.done()
    last = max(row.start + (0.0 if math.isnan(row.duration) else row.duration) for row in found.rows)
    rows = (replace(r, duration=max(0.0, last - r.start)) if math.isnan(r.duration) else r for r in found.rows)
    return replace(found, rows=tuple(rows))


def _items(data: Any) -> Iterator[Any]:
    if isinstance(data, Mapping) and isinstance(data.get("items"), list):
        yield from data["items"]
    elif isinstance(data, list):
        yield from data
    elif data is not None:
        yield data


def _part(value: Any, field: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RowError(field, f"is a {type(value).__name__}", "a mapping")
    return value


def _parts(value: Any, field: str) -> list[Mapping[str, Any]]:
    if value is not None and not isinstance(value, list):
        raise RowError(field, f"is a {type(value).__name__}", "a list")
    return [_part(one, f"{field}[{i}]") for i, one in enumerate(value or ())]


def _workload(thing: Mapping[str, Any], times: Moments) -> TraceJob:
    meta, spec, status = (_part(thing.get(name), name) for name in ("metadata", "spec", "status"))
    created = times.seconds(meta.get("creationTimestamp"), "metadata.creationTimestamp")
    since = {
        str(one.get("type")): times.seconds(one.get("lastTransitionTime"), "status.conditions.lastTransitionTime")
        for one in _parts(status.get("conditions"), "status.conditions")
        if one.get("status") == "True"
    }
    began = since.get("Admitted", since.get("QuotaReserved"))
    total: dict[str, int] = {}
    for i, pods in enumerate(_parts(spec.get("podSets"), "spec.podSets")):
        for name, amount in _pod_set(pods, f"spec.podSets[{i}]").items():
            total[name] = total.get(name, 0) + amount
    ended = since.get("Finished", math.nan)
    held = 0.0 if began is None else ended - began if math.isnan(ended) else max(0.0, ended - began)
    gpus = sum(amount for name, amount in total.items() if name.endswith("/gpu"))
    return TraceJob(
        f"{meta.get('namespace')}/{meta.get('name')}",
        text_of({"metadata.namespace": str(meta.get("namespace") or "")}, "metadata.namespace"),
        created,
        held,
        total.get("cpu", 0),
        total.get("memory", 0),
        gpus,
        state=next((name for name in ("Finished", "Admitted", "QuotaReserved") if name in since), "Pending"),
    )


def _pod_set(pods: Mapping[str, Any], field: str) -> dict[str, int]:
    count = pods.get("count", 1)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise RowError(f"{field}.count", f"is {count!r}", "a whole number, zero or more")
    template = _part(_part(pods.get("template"), f"{field}.template").get("spec"), f"{field}.template.spec")
    found: dict[str, int] = {}
    for container in _parts(template.get("containers"), f"{field}.containers"):
        resources = _part(container.get("resources"), f"{field}.resources")
        asked = {**_part(resources.get("limits"), "limits"), **_part(resources.get("requests"), "requests")}
        for name, value in asked.items():
            try:
                amount = millis(value) if name == "cpu" else whole(value)
            except (TypeError, ValueError) as error:
                raise RowError(f"{field}.{name}", str(error), "a quantity") from None
            found[name] = found.get(name, 0) + count * amount
    return found


def read_opencost(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return OpenCost's allocations (``/allocation?aggregate=namespace&step=1h``), one entry a tenant and window.

    Amounts are averages over the time a tenant ran in the window (GPU-hours over its hours). What is idle or not
    mounted belongs to nobody and is left out.

    Raises:
        InputError: the file is no such answer, or entries are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    data = _json(reading.path)
    windows = data.get("data") if isinstance(data, Mapping) else None
    if isinstance(windows, Mapping) and "sets" in windows:
        windows = [one.get("allocations") for one in windows["sets"] if isinstance(one, Mapping)]
    if not isinstance(windows, list):
        form = '{"code": 200, "data": [{"namespace": {"start": ..., "cpuCores": ...}}]}'
        raise InputError(Fault(str(path), "is no answer of OpenCost's allocation API", form, "save the answer whole"))
    times = Moments()
    for number, window in enumerate(windows):
        for name, entry in _part(window, f"data[{number}]").items():
            if name not in _NOBODY:
                reading.take(f"data[{number}].{name}", functools.partial(_allocation, name, entry, times))
    return reading.done()


def _allocation(name: str, entry: Any, times: Moments) -> TraceJob:
    found = _part(entry, "entry")
    begin, end = (times.seconds(found.get(field), field) for field in ("start", "end"))
    if end < begin:
        raise RowError("end", f"{found['end']} is before start", "the same or later")
    amounts = {field: number_of({field: str(found.get(field, 0) or 0)}, field) for field in ("cpuCores", "ramBytes")}
    hours = (end - begin) / 3600
    gpus = number_of({"gpuHours": str(found.get("gpuHours", 0) or 0)}, "gpuHours") / hours if hours else 0.0
    count = math.ceil(round(gpus, 6))
    return TraceJob(
        "",
        name,
        begin,
        end - begin,
        round(1000 * amounts["cpuCores"]),
        round(amounts["ramBytes"]),
        count,
        round(1000 * gpus / count) if count else 1000,
    )


def _json(path: Path) -> Any:
    try:
        return json.loads(trace_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(Fault(str(path), f"cannot be read as JSON: {error}", cure="save the answer whole")) from None


SAMPLES: Final = ("timestamp", "namespace", "value")
_DEVICES: Final = ("UUID", "gpu", "modelName", "Hostname", "pod")
_TIME: Final = ("timestamp", "time")


def read_prometheus(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return samples of GPUs by namespace: CSV with ``timestamp,namespace,value``, or a range query's JSON.

    Without a column that names a device, a value is a number of GPUs. With one (``UUID`` or ``gpu``, as the
    dcgm-exporter labels them), each device with a sample is one GPU its namespace holds, whatever its utilisation. A
    sample stands until the next: the shortest time between two in the file.

    Raises:
        InputError: columns are missing, or rows are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    times = Moments()
    if trace_text(reading.path).lstrip().startswith("{"):
        for number, (labels, moment, value) in enumerate(_matrix(reading.path)):
            row = {**labels, "timestamp": str(moment), "value": str(value)}
            reading.take(f"sample {number}", functools.partial(_sample, row, times))
        return _standing(reading.done())
    return _standing(reading.table(SAMPLES, lambda row: _sample(row, times), _DEVICES))


def _matrix(path: Path) -> Iterator[tuple[dict[str, str], Any, Any]]:
    data = _json(path)
    series = _part(data.get("data"), "data").get("result") if isinstance(data, Mapping) else None
    if not isinstance(series, list):
        form = '{"data": {"resultType": "matrix", "result": [{"metric": {...}, "values": [...]}]}}'
        raise InputError(Fault(str(path), "is no answer to a range query", form, "save the answer whole"))
    for one in series:
        labels = {str(name): str(value) for name, value in _part(_part(one, "result").get("metric"), "metric").items()}
        for pair in one.get("values") or ():
            if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
                raise InputError(Fault(str(path), f"{pair!r} is no sample", "[time, value]", "save the answer whole"))
            yield labels, pair[0], pair[1]


def _sample(row: Mapping[str, str], times: Moments) -> TraceJob:
    tenant = (row.get("exported_namespace") or row.get("namespace") or "").strip()
    if not tenant:
        raise RowError("namespace", "is empty", "a namespace", "leave out devices nobody holds")
    device = (row.get("UUID") or row.get("gpu") or "").strip()
    value = number_of(row, "value")
    gpus = 1.0 if device else value
    count = math.ceil(gpus)
    return TraceJob(
        device,
        tenant,
        times.seconds(row["timestamp"], "timestamp", numbers=True),
        math.nan,
        0,
        0,
        count,
        round(1000 * gpus / count) if count else 1000,
    )


def read_wide_samples(path: str | Path, *, skip_bad_rows: bool = False) -> Trace[TraceJob]:
    """Return samples of GPUs in a table with a column a tenant, as dashboards export them; the time comes first.

    Raises:
        InputError: there is no time or no tenant, or rows are bad and may not be skipped.
    """
    reading: Reading[TraceJob] = Reading(Path(path), skip_bad_rows=skip_bad_rows)
    times = Moments()
    for line, row in table_rows(reading.path, ()):
        names = [name for name in row if isinstance(name, str)]
        first = names[0] if names else ""
        if first.lower() not in _TIME or len(names) < 2:
            raise InputError(Fault(f"{path}:1: columns", "no time before the tenants", "Time,tenant,...", "rename it"))
        for tenant in names[1:]:
            if (row[tenant] or "").strip():
                sample = {"timestamp": row[first] or "", "namespace": tenant, "value": row[tenant]}
                reading.take(line, functools.partial(_sample, sample, times))
    return _standing(reading.done())


def _standing(found: Trace[TraceJob]) -> Trace[TraceJob]:
    """Return the samples with the time each stands."""
    moments = sorted({row.start for row in found.rows})
    step = min((b - a for a, b in itertools.pairwise(moments)), default=0.0)
    if not step:
        raise InputError(Fault("samples", "are all of one moment", "two or more times", "export a range"))
    return replace(found, rows=tuple(replace(row, duration=step) for row in found.rows))
