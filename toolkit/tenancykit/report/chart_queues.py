"""Charts of a simulation of queues: who waits how long, who holds what, who borrows from whom, who makes whom leave."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.queueing.service import Service
from tenancykit.report.chart_canvas import WIDTH, Axis, Canvas, Chart, short
from tenancykit.report.chart_colours import BLUE, GREEN, GREY, INK, ORANGE, colours, ink_on
from tenancykit.report.figures import number
from tenancykit.report.serving import NAMES, duration
from tenancykit.study.serving import QueueAnswer

_INK: Final = {"static": ORANGE, "borrowing": BLUE, "fair": GREEN, "clusters": GREY}
_BAR: Final = 12.0
_LEFT: Final = 150.0
_MOST: Final = 7
"""Tenants with a colour of their own; the others are drawn as one."""
_PALE: Final = ("#ffffff", "#deebf7", "#9ecae1", "#4292c6", "#08519c")


def waiting_times(found: QueueAnswer) -> Chart:
    """Return the 95th percentile of the wait by tenant and design, on a logarithmic scale."""
    worst = {one.design: max(queue.wait(95) for queue in one.queues) for one in found.services}
    best = min(worst, key=lambda design: worst[design])
    title = f"Longest p95 wait of a tenant: {duration(worst[best])} under {NAMES[best]}"
    title += "".join(f", {duration(wait)} under {NAMES[design]}" for design, wait in worst.items() if design != best)
    tenants = [queue.queue for queue in found.services[0].queues]
    block = _BAR * len(found.services) + 8
    note = f"Logarithmic from one second. The dashed line is the wait that is on time, {duration(found.target)}."
    canvas = Canvas(title, 60 + block * len(tenants) + 40, note=note)
    first = canvas.top + 8
    top = first + canvas.legend(
        _LEFT, first, [(NAMES[one.design], _INK[one.design]) for one in found.services], room=590
    )
    finite = [wait for one in found.services for queue in one.queues if not math.isinf(wait := queue.wait(95))]
    across = Axis(1.0, max(found.target, 60.0, *finite, 60.0), _LEFT, WIDTH - 70.0, logarithmic=True)
    rows = []
    for row, tenant in enumerate(tenants):
        high = top + row * block
        canvas.text(_LEFT - 8, high + block / 2, tenant, size=11, anchor="end", room=_LEFT - 20)
        for at, one in enumerate(found.services):
            queue, y = one.queues[row], high + at * _BAR
            wait = queue.wait(95)
            end = across.end if math.isinf(wait) else across(wait)
            told = f"{tenant}, {NAMES[one.design]}: {duration(wait)}"
            canvas.rect(_LEFT, y, max(1.0, end - _LEFT), _BAR - 2, _INK[one.design], title=told)
            canvas.text(end + 4, y + _BAR - 3, duration(wait), size=9)
            rows.append([tenant, NAMES[one.design], *(duration(queue.wait(percent)) for percent in (50, 95, 99))])
    canvas.bottom = top + block * len(tenants)
    goal = across(max(found.target, 1.0))
    canvas.line(goal, top - 6, goal, canvas.bottom, INK, dash="4 3")
    return canvas.chart(["tenant", "design", "p50", "p95", "p99"], rows)


def gpu_shares(found: QueueAnswer, design: str) -> Chart:
    """Return who held how many GPUs over time under a design.

    Raises:
        InputError: the design was not simulated.
    """
    one = _service(found, design)
    sums = {queue.queue: sum(held[at] for held in one.held) for at, queue in enumerate(one.queues)}
    shown = sorted(sums, key=lambda name: (-sums[name], name))[:_MOST]
    title = f"{NAMES[design].capitalize()}: {one.utilisation:.0%} of {one.gpus} GPUs in use, {one.idle:.1f} idle"
    title += f", {one.stranded:.1f} of them while jobs wait"
    canvas = Canvas(title, 330, note=f"Noted at {len(one.held)} instants evenly apart. The dashed line is the fleet.")
    ink = colours(shown, _MOST)
    others = len(one.queues) > len(shown)
    entries = [*ink.items(), *([(f"{len(one.queues) - len(shown)} others", GREY)] if others else ())]
    top = canvas.top + 8 + canvas.legend(60, canvas.top + 8, entries, room=WIDTH - 80)
    base = canvas.bottom - 50
    up = Axis(0, one.gpus * 1.04 or 1.0, base, top)
    hours = [(instant - one.instants[0]) / 3600 for instant in one.instants] or [0.0]
    across = Axis(0, hours[-1] or 1.0, 60.0, WIDTH - 20.0)
    canvas.scale_up(up, 60, WIDTH - 20.0, "GPUs held")
    names = [queue.queue for queue in one.queues]
    order = [*shown, *(name for name in names if name not in shown)]
    below = [0.0] * len(one.held)
    for name in order:
        at = names.index(name)
        above = [low + held[at] for low, held in zip(below, one.held, strict=True)]
        edge = [(across(hour), up(value)) for hour, value in zip(hours, above, strict=False)]
        floor = [(across(hour), up(value)) for hour, value in zip(hours, below, strict=False)]
        canvas.area([*edge, *reversed(floor)], ink.get(name, GREY), opacity=0.85)
        below = above
    canvas.line(60, up(one.gpus), WIDTH - 20, up(one.gpus), INK, dash="4 3")
    canvas.scale_across(across, base, base, "hours since the first submission")
    rows = [
        [queue.queue, str(queue.quota), f"{sums[queue.queue] / len(one.held):.1f}" if one.held else "0"]
        for queue in one.queues
    ]
    return canvas.chart(["tenant", "quota", "GPUs held on average"], rows)


def borrowed_gpus(found: QueueAnswer, design: str) -> Chart:
    """Return who borrowed how many GPUs from whose idle quota, on average, under a design.

    Raises:
        InputError: the design was not simulated.
    """
    one = _service(found, design)
    cells = one.borrowed()
    total = sum(cells.values())
    title = f"{NAMES[design].capitalize()}: {total:.1f} of {one.gpus} GPUs are borrowed on average"
    note = "GPUs are alike: each lender is counted in proportion to what it leaves idle at the instants noted."
    return _matrix(one, cells, title, note, ("borrower", "lender", "GPUs on average"))


def preemptions(found: QueueAnswer, design: str) -> Chart:
    """Return whose jobs made whose leave, and how often, under a design.

    Raises:
        InputError: the design was not simulated.
    """
    one = _service(found, design)
    lost = sum(queue.lost for queue in one.queues) / 3600
    total = sum(one.forced.values())
    title = f"{NAMES[design].capitalize()}: {total} jobs had to leave, {number(lost)} GPU hours were run in vain"
    note = "Who has to leave starts again from nothing; a job that leaves twice counts twice."
    return _matrix(one, one.forced, title, note, ("for whom", "who left", "times"))


def _matrix(
    one: Service, cells: Mapping[tuple[str, str], float], title: str, note: str, heads: tuple[str, str, str]
) -> Chart:
    """Return a table of pairs of tenants, darker where there is more."""
    rows_of = [name for name in (queue.queue for queue in one.queues) if any(pair[0] == name for pair in cells)]
    columns_of = [name for name in (queue.queue for queue in one.queues) if any(pair[1] == name for pair in cells)]
    wide = min(64.0, (WIDTH - _LEFT - 20) / max(1, len(columns_of)))
    canvas = Canvas(title, 100 + 24.0 * len(rows_of), note=note)
    top = canvas.top + 90
    canvas.text(_LEFT - 8, top - 8, f"{heads[0]} \u2193   {heads[1]} \u2192", size=11, anchor="end")
    most = max(cells.values(), default=0.0)
    for column, name in enumerate(columns_of):
        canvas.text(_LEFT + wide * (column + 0.5) + 4, top - 6, name, size=11, turned=True, room=80)
    for row, name in enumerate(rows_of):
        canvas.text(_LEFT - 8, top + 24 * row + 16, name, size=11, anchor="end", room=_LEFT - 20)
        for column, other in enumerate(columns_of):
            value = cells.get((name, other), 0.0)
            fill = _PALE[math.ceil(value / most * (len(_PALE) - 1)) if most else 0]
            x, y = _LEFT + wide * column, top + 24 * row
            canvas.rect(x, y, wide - 1, 23, fill, title=f"{name}, {other}: {_told(value)}", stroke="#dddddd")
            if value:
                canvas.text(x + wide / 2, y + 15, _told(value), size=10, anchor="middle", fill=ink_on(fill))
    canvas.bottom = top + 24 * len(rows_of) + 8
    rows = [[pair[0], pair[1], _told(value)] for pair, value in sorted(cells.items())]
    return canvas.chart(heads, rows or [["nobody", "nobody", "0"]])


def _told(value: float) -> str:
    return short(value) if isinstance(value, int) else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _service(found: QueueAnswer, design: str) -> Service:
    known = {one.design: one for one in found.services}
    if design not in known:
        what = f"{design!r} was not simulated"
        raise InputError(Fault("design", what, ", ".join(known), did_you_mean(design, known)))
    return known[design]
