"""What a simulation of quota designs says on a terminal and in a notebook."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from tenancykit.study.serving import MONTH, QueueAnswer

NAMES: Final = {
    "static": "static quotas",
    "borrowing": "borrowing with reclaim",
    "fair": "fair sharing",
    "clusters": "one cluster each",
}
"""Quota designs in words."""


def queue_lines(found: QueueAnswer) -> Iterator[str]:
    """Yield the lines that tell how tenants are served."""
    yield f"{found.jobs} jobs; on time is a wait of at most {duration(found.target)}"
    for one in found.services:
        lost = sum(queue.lost for queue in one.queues) / 3600
        yield ""
        yield (
            f"{NAMES[one.design]}: {one.gpus} GPUs, {one.utilisation:.1%} used, {one.idle:.1f} idle on average, "
            f"{one.stranded:.1f} of them while jobs wait; Jain's index {one.jain:.3f}; "
            f"{sum(queue.preemptions for queue in one.queues)} preemptions, "
            + (f"{sum(queue.interruptions for queue in one.queues)} interruptions, " if found.stops.rate else "")
            + f"{lost:.1f} GPU hours lost"
        )
        head = ("tenant", "quota", "jobs", "p50", "p95", "p99", "on time", "never", "preempted", "lost GPU h")
        yield _row(*head)
        for queue in one.queues:
            waits = [duration(queue.wait(percent)) for percent in (50, 95, 99)]
            counts = str(queue.quota), str(len(queue.waits) + queue.never)
            rest = f"{queue.on_time:.1%}", str(queue.never), str(queue.preemptions), f"{queue.lost / 3600:.1f}"
            yield _row(queue.queue, *counts, *waits, *rest)
    if found.fleets:
        yield ""
        yield f"Smallest fleet found at which every tenant's p95 wait is at most {duration(found.target)}:"
        yield from (f"  {NAMES[design]:<24}{gpus:>7} GPUs" for design, gpus in found.fleets.items())
    yield from (f"Note: {note}." for note in found.notes)
    again = f"from its last checkpoint ({duration(found.stops.checkpoint)} of work)"
    yield (
        "GPUs are counted whole and alike, nodes are not looked at; jobs of a tenant start in order of submission; "
        f"who has to leave starts again {'from nothing' if math.isinf(found.stops.checkpoint) else again}."
    )
    if found.stops.rate:
        yield (
            f"Each machine is interrupted {found.stops.rate * MONTH:g} times a month, apart from others, and is "
            "replaced at once; a job stops when one of its machines does. Faults of several machines at a time are not "
            "looked at."
        )


def _row(first: str, *others: str) -> str:
    return f"  {first[:20]:<20}" + "".join(f"{text:>11}" for text in others)


def duration(seconds: float) -> str:
    """Return a wait in words."""
    if math.isinf(seconds):
        return "never"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
