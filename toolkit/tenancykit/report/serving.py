"""What a simulation of quota designs says on a terminal, and its picture: waiting time by tenant."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from typing import Final

from tenancykit.study.serving import QueueAnswer

_NAMES: Final = {
    "static": "static quotas",
    "borrowing": "borrowing with reclaim",
    "fair": "fair sharing",
    "clusters": "one cluster each",
}
_INK: Final = {"static": "#b45309", "borrowing": "#1d4ed8", "fair": "#047857", "clusters": "#6b7280"}


def queue_lines(found: QueueAnswer) -> Iterator[str]:
    """Yield the lines that tell how tenants are served."""
    yield f"{found.jobs} jobs; on time is a wait of at most {duration(found.target)}"
    for one in found.services:
        lost = sum(queue.lost for queue in one.queues) / 3600
        yield ""
        yield (
            f"{_NAMES[one.design]}: {one.gpus} GPUs, {one.utilisation:.1%} used, {one.idle:.1f} idle on average, "
            f"{one.stranded:.1f} of them while jobs wait; Jain's index {one.jain:.3f}; "
            f"{sum(queue.preemptions for queue in one.queues)} preemptions, {lost:.1f} GPU hours lost"
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
        yield from (f"  {_NAMES[design]:<24}{gpus:>7} GPUs" for design, gpus in found.fleets.items())
    yield from (f"Note: {note}." for note in found.notes)
    yield (
        "GPUs are counted whole and alike, nodes are not looked at; jobs of a tenant start in order of submission; "
        "who has to leave starts again from nothing."
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


def waits_svg(found: QueueAnswer) -> str:
    """Return a picture of the 95th percentile of the wait by tenant and design; lengths are logarithms of seconds."""
    left, wide, step = 180, 420, 12
    finite = [w for one in found.services for q in one.queues if not math.isinf(w := q.wait(95))]
    longest = max([found.target, 60.0, *finite])

    def across(wait: float) -> float:
        return wide if math.isinf(wait) else wide * math.log1p(wait) / math.log1p(longest)

    tenants = [queue.queue for queue in found.services[0].queues]
    block = step * len(found.services) + 10
    height = 60 + block * len(tenants)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" font-family="sans-serif" font-size="11">',
        "<title>Waiting time by tenant (95th percentile)</title>",
        '<text x="10" y="18" font-size="14">Waiting time by tenant, 95th percentile (logarithmic)</text>',
    ]
    for at, one in enumerate(found.services):
        parts.append(f'<rect x="{10 + 170 * at}" y="28" width="10" height="10" fill="{_INK[one.design]}"/>')
        parts.append(f'<text x="{24 + 170 * at}" y="37">{_NAMES[one.design]}</text>')
    for row, tenant in enumerate(tenants):
        top = 50 + row * block
        parts.append(f'<text x="10" y="{top + block // 2}">{html.escape(tenant[:24])}</text>')
        for at, one in enumerate(found.services):
            wait, y = one.queues[row].wait(95), top + at * step
            length = max(1.0, across(wait))
            parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="9" fill="{_INK[one.design]}"/>')
            parts.append(f'<text x="{left + length + 4:.1f}" y="{y + 9}">{duration(wait)}</text>')
    goal = left + across(found.target)
    parts.append(f'<path d="M{goal:.1f} 46V{height - 8}" stroke="#111" stroke-dasharray="3 3"/></svg>')
    return "\n".join(parts) + "\n"
