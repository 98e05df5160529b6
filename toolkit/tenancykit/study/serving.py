"""What a trace's tenants would have waited under each quota design, and the fleet each needs for the same service."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.queueing.service import CALM, DESIGNS, Asked, Service, Stops, simulate, smallest_fleet
from kubeanswers.records import dataclass
from tenancykit.drawing import Drawable
from tenancykit.scenario.trace_formats import FORMS, read_trace
from tenancykit.scenario.trace_rows import RowError, TraceJob, count_of, table_rows

_SHOWN: Final = 20
_LONGEST: Final = 31_536_000
MONTH: Final = 730 * 3600.0
"""Seconds of a month, as the bill counts them."""
_HOPELESS: Final = 3.0
"""Interruptions to expect between two saves of a job beyond which it is refused: one try in twenty gets through."""


@dataclass(frozen=True)
class QueueAnswer(Drawable):
    """How tenants are served under each quota design.

    Attributes:
        services: what each design gives, on the same fleet.
        fleets: smallest fleet found per design under which every tenant's 95th percentile of the wait keeps the target.
        target: longest wait that counts as on time, seconds.
        jobs: jobs simulated.
        notes: what was left out or changed.
        stops: interruptions of machines and checkpoints simulated.
    """

    services: tuple[Service, ...]
    fleets: Mapping[str, int]
    target: float
    jobs: int
    notes: tuple[str, ...] = ()
    stops: Stops = CALM

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; a wait that never ends is ``null``."""
        return {
            "schema": "tenancykit/queue/v1",
            "target_seconds": self.target,
            "jobs": self.jobs,
            "interruptions_per_machine_month": self.stops.rate * MONTH,
            "checkpoint_seconds": None if math.isinf(self.stops.checkpoint) else self.stops.checkpoint,
            "designs": [_service(one) for one in self.services],
            "smallest_fleet": dict(self.fleets),
            "notes": list(self.notes),
        }


def _service(found: Service) -> dict[str, Any]:
    tenants = [
        {
            "tenant": one.queue,
            "quota": one.quota,
            "jobs": len(one.waits) + one.never,
            "never": one.never,
            **{f"wait_p{p}": None if math.isinf(one.wait(p)) else one.wait(p) for p in (50, 95, 99)},
            "on_time": one.on_time,
            "preemptions": one.preemptions,
            "interruptions": one.interruptions,
            "lost_gpu_hours": one.lost / 3600,
        }
        for one in found.queues
    ]
    names = ("design", "gpus", "utilisation", "stranded", "idle", "jain")
    return {**{name: getattr(found, name) for name in names}, "tenants": tenants}


def queue(
    *paths: str | os.PathLike[str],
    quotas: Mapping[str, int] | str | os.PathLike[str],
    form: str = "",
    designs: Sequence[str] = DESIGNS,
    target: float = 3600.0,
    machine: int = 8,
    fleets: bool = True,
    interruptions: float = 0.0,
    checkpoint: float | None = None,
    skip_bad_rows: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> QueueAnswer:
    """Return how long the tenants of job traces wait under each quota design, and the smallest fleet for a service.

    Args:
        paths: traces of jobs, put together.
        quotas: GPUs per tenant, or a CSV file of tenant and GPUs; their sum is the fleet.
        form: format of the traces; by default the one whose columns they have.
        designs: quota designs to play: ``static``, ``borrowing``, ``fair``, ``clusters``.
        target: longest wait that counts as on time, seconds.
        machine: GPUs of a machine, to which one cluster each is rounded.
        fleets: whether to search for the smallest fleet (some dozen simulations more).
        interruptions: of a machine a month, by reclaimed spot capacity or faults; a job whose machine stops runs again.
        checkpoint: seconds of work after which a job saves it; never unless given.
        skip_bad_rows: leave bad rows and jobs out, and say how many.
        progress: told what is simulated and the share done.

    Raises:
        InputError: what is wrong with traces, quotas or figures, by file, row and field.
    """
    _figures(designs, target, machine, interruptions, checkpoint)
    stops = Stops(interruptions / MONTH, machine, math.inf if checkpoint is None else checkpoint)
    given = read_quotas(quotas) if not isinstance(quotas, Mapping) else dict(quotas)
    notes: list[str] = []
    jobs = _jobs(paths, form, given, skip_bad_rows, notes, stops)
    services, needed = [], {}
    for design in designs:
        told = None if progress is None else functools.partial(progress, design)
        services.append(simulate(jobs, given, design, machine=machine, target=target, stops=stops, progress=told))
        if fleets:
            if progress is not None:
                progress(f"fleet under {design}", 0.0)
            needed[design] = smallest_fleet(jobs, given, design, machine=machine, target=target, stops=stops)
    return QueueAnswer(tuple(services), needed, target, len(jobs), tuple(notes), stops)


def _figures(
    designs: Iterable[str], target: float, machine: int, interruptions: float, checkpoint: float | None
) -> None:
    for design in designs:
        if design not in DESIGNS:
            what = f"{design!r} is no quota design"
            raise InputError(Fault("designs", what, ", ".join(DESIGNS), did_you_mean(design, DESIGNS)))
    if not 0 <= target < math.inf:
        raise InputError(Fault("target", f"is {target:g}", "seconds, zero or more"))
    if machine < 1:
        raise InputError(Fault("machine", f"is {machine}", "one GPU or more"))
    if not 0 <= interruptions < math.inf:
        raise InputError(Fault("interruptions", f"is {interruptions:g}", "of a machine a month, zero or more"))
    if checkpoint is not None and not 0 < checkpoint <= _LONGEST:
        raise InputError(Fault("checkpoint", f"is {checkpoint:g}", f"seconds above zero, at most {_LONGEST:,}"))


def read_quotas(path: str | os.PathLike[str]) -> dict[str, int]:
    """Return GPUs per tenant from a CSV with a column ``tenant`` or ``vc`` and a column ``gpus`` or ``quota_gpus``.

    Raises:
        InputError: columns are missing, a tenant is named twice, or GPUs are no whole number.
    """
    found: dict[str, int] = {}
    faults: list[Fault] = []
    for line, row in table_rows(Path(path), (), ("tenant", "vc", "gpus", "quota_gpus")):
        name = (row.get("tenant") or row.get("vc") or "").strip()
        field = "gpus" if "gpus" in row else "quota_gpus"
        if not name or name in found:
            what = f"{name!r} is named twice" if name else "is empty"
            faults.append(Fault(f"{path}:{line}: tenant", what, "each tenant once"))
            continue
        try:
            found[name] = count_of({field: row.get(field) or ""}, field)
        except RowError as error:
            faults.append(Fault(f"{path}:{line}: {error.field}", error.what, error.allowed, error.cure))
    if faults:
        raise InputError(faults[:_SHOWN])
    if not sum(found.values()):
        raise InputError(Fault(str(path), "has no quota above zero", "columns tenant, gpus"))
    return found


def _jobs(
    paths: Iterable[str | os.PathLike[str]],
    form: str,
    quotas: Mapping[str, int],
    skip: bool,
    notes: list[str],
    stops: Stops,
) -> list[Asked]:
    found: list[Asked] = []
    faults: list[Fault] = []
    back: list[str] = []
    without, rounded = 0, 0
    fleet = sum(quotas.values())
    for path in paths:
        name, trace = read_trace(Path(path), form=form, skip_bad_rows=skip)
        if trace.report():
            notes.append(f"{path}: {trace.report()}")
        before = -math.inf
        for row, job in enumerate(trace.rows):
            if not isinstance(job, TraceJob):
                allowed = ", ".join(each for each, one in FORMS.items() if not one.step)
                raise InputError(
                    Fault(str(path), f"is a series ({name}): it has no jobs", f"a list of jobs: {allowed}")
                )
            if not job.gpu_count:
                without += 1
                continue
            wrong = list(_wrong(job, quotas, fleet, stops))
            faults += [Fault(f"{path}:{trace.place(row)}: {field}", *rest) for field, *rest in wrong]
            if wrong:
                continue
            if job.start < before:
                back.append(f"{path}:{trace.place(row)}")
            before = job.start
            gpus = -(-job.gpu_count * job.gpu_milli // 1000)
            rounded += gpus * 1000 != job.gpu_count * job.gpu_milli
            found.append(Asked(job.tenant, job.start, job.duration, gpus))
    if faults and not skip:
        more = [Fault("traces", f"{len(faults) - _SHOWN} more bad jobs")] if len(faults) > _SHOWN else []
        raise InputError([*faults[:_SHOWN], *more])
    if not found:
        raise InputError(Fault("traces", "hold no job with GPUs", "at least one"))
    counted = (
        (len(faults), f"jobs left out as bad; the first: {faults[0].where}: {faults[0].what}" if faults else ""),
        (without, "jobs without GPUs left out"),
        (rounded, "jobs with parts of a GPU counted as whole GPUs"),
        (len(back), f"jobs out of order in the trace, sorted by submission; the first: {back[0]}" if back else ""),
    )
    notes += [f"{number} {what}" for number, what in counted if number]
    return sorted(found, key=lambda job: job.submit)


def _wrong(job: TraceJob, quotas: Mapping[str, int], fleet: int, stops: Stops) -> Iterator[tuple[str, str, str, str]]:
    at_a_time = min(job.duration, stops.checkpoint)
    if stops.rate * -(-job.gpu_count // stops.machine) * at_a_time > _HOPELESS:
        what = f"{at_a_time:g} s on {job.gpu_count} GPUs are interrupted more than {_HOPELESS:g} times on average"
        yield "duration", what, "work that gets from one checkpoint to the next", "shorter checkpoints"
    if not job.duration > 0:
        yield "duration", f"is {job.duration:g}: it never ran", "seconds above zero", "skip bad rows, or correct it"
    if job.gpu_count > fleet:
        yield "gpus", f"asks for {job.gpu_count} GPUs", f"at most the fleet of {fleet}", "skip bad rows, or correct it"
    if job.tenant not in quotas:
        what = f"{job.tenant!r} has no quota"
        cure = did_you_mean(job.tenant, quotas) or "add it to the quotas"
        yield "tenant", what, ", ".join(sorted(quotas)[:_SHOWN]), cure
