"""Charts of building and running a design: Gantt with critical chain, toil by kind, toil over the number of tenants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tenancykit.criteria.effort.measure import Effort, task_table
from tenancykit.criteria.operations.measure import Operations
from tenancykit.design.growth import Crossing
from tenancykit.report.chart_canvas import WIDTH, Axis, Canvas, Chart
from tenancykit.report.chart_colours import BLUE, INK, PALETTE, VERMILLION, colours, ink_on
from tenancykit.report.figures import number
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.growing import crossing_points

_ROW: Final = 15
_NAMES: Final = 300
_TURNS: Final = 3
_OTHER: Final = "other"
_TITLES: Final = {
    "request": "requests",
    "incident": "incidents",
    "upgrade": "upgrades",
    "review": "reviews",
    "patch": "patching",
    "onboard": "onboarding",
    "offboard": "offboarding",
    "restore": "restores",
    "rotate": "rotating keys",
}
"""How kinds of toil are called in charts; the others are called as they are."""


def gantt(evaluation: Evaluation, *, every_task: bool = False) -> Chart:
    """Return when each work of a design is done, the critical chain marked; one bar per task where asked.

    Args:
        evaluation: the design.
        every_task: one row per task instead of one per work (an option or component) with its tasks side by side.
    """
    effort: Effort = evaluation.scores["effort"].detail
    lines = task_table(effort)
    rows = _by_task(lines) if every_task else _by_work(effort, lines)
    chain = [line["title"] for line in lines if line["critical"]]
    title = (
        f"{evaluation.id} stands after {effort.weeks:.0f} weeks and {number(evaluation.scores['effort'].value)} "
        f"person-days; {len(chain)} of {len(lines)} tasks decide the date"
    )
    left, right = 12 + _NAMES, WIDTH - 20
    canvas = Canvas(title, 24 + _ROW * len(rows) + 46, note=_chain_note(chain))
    canvas.legend(left, canvas.top + 8, [("critical chain (framed)", VERMILLION), ("other tasks", BLUE)], room=300)
    first = canvas.top + 22
    base = first + _ROW * len(rows) + 4
    axis = Axis(0, max(effort.weeks, 1e-9), left, right)
    canvas.scale_across(axis, base, first, "Weeks from the start (P50)")
    for place, (name, tasks) in enumerate(rows):
        y = first + _ROW * place
        canvas.text(left - 8, y + 11, name, size=11, anchor="end", room=_NAMES - 10)
        for task in sorted(tasks, key=lambda t: bool(t["critical"])):
            start, end = axis(task["start_week"]), axis(task["finish_week"])
            told = f"{task['title']}: week {task['start_week']:.1f} to {task['finish_week']:.1f}, "
            told += f"{task['days_mean']:.1f} person-days"
            fill = VERMILLION if task["critical"] else BLUE
            edge = INK if task["critical"] else "#ffffff"
            canvas.rect(start, y + 2, max(1.5, end - start), _ROW - 4, fill, title=told, stroke=edge)
    data = [
        [
            line["title"],
            line["skill"],
            f"{line['days_mean']:.1f}",
            f"{line['start_week']:.1f}",
            f"{line['finish_week']:.1f}",
            "yes" if line["critical"] else "",
        ]
        for line in lines
    ]
    return canvas.chart(["task", "skill", "person-days", "start week", "finish week", "critical"], data)


def _chain_note(chain: Sequence[str]) -> str:
    """Return what the critical chain is, and its first and last task; the others stand in the table."""
    told = "The critical chain: tasks a delay of which delays the end"
    if len(chain) > 1:
        told += f'. It starts with "{chain[0]}" and ends with "{chain[-1]}"; all of it stands in the figures'
    return told + "."


def _by_task(lines: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(str(line["title"]), [line]) for line in lines]


def _by_work(effort: Effort, lines: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    works: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        works.setdefault(str(line["work"]), []).append(line)
    return [(effort.plan.work[work].title, tasks) for work, tasks in works.items()]


def toil(evaluations: Sequence[Evaluation]) -> Chart:
    """Return the hours per month that running takes, stacked by kind of work, one bar per design.

    Args:
        evaluations: at least one design.
    """
    kinds = _kinds(evaluations)
    hues = colours(kinds)
    least = min(evaluations, key=lambda e: e.scores["operations"].value)
    unit = least.scores["operations"].unit
    finding = f"{least.id} takes the fewest hours to run: {number(least.scores['operations'].value)} {unit}"
    if len(evaluations) == 1:
        largest = max(kinds, key=lambda kind: _hours(least).get(kind, 0.0))
        finding = f"Running {least.id} takes {number(least.scores['operations'].value)} {unit}, the largest part "
        finding += f"of it {largest}"
    left, right, row = 96, WIDTH - 90, 24
    canvas = Canvas(finding, 44 + row * len(evaluations) + 46, note="Bars are means; the ranked figure is the P50.")
    used = canvas.legend(12, canvas.top + 8, list(hues.items()), room=WIDTH - 30)
    first = canvas.top + used
    canvas.bottom = first + row * len(evaluations) + 50
    base = first + row * len(evaluations) + 6
    most = max(sum(_hours(e).values()) for e in evaluations)
    axis = Axis(0, most * 1.02 or 1.0, left, right)
    canvas.scale_across(axis, base, first, "Hours per month (mean)")
    data = []
    for place, evaluation in enumerate(evaluations):
        y, along = first + row * place, 0.0
        canvas.text(left - 8, y + 16, evaluation.id, anchor="end", weight=600, room=left - 16)
        for kind in kinds:
            hours = _shares(evaluation, kinds)[kind]
            x, wide = axis(along), axis(along + hours) - axis(along)
            canvas.rect(x, y + 3, wide, row - 6, hues[kind], title=f"{kind}: {hours:.1f} h/month", stroke="#ffffff")
            if wide > 34:
                canvas.text(x + wide / 2, y + 16, f"{hours:.0f}", size=11, anchor="middle", fill=ink_on(hues[kind]))
            along += hours
        canvas.text(axis(along) + 6, y + 16, f"{along:.0f}", size=11)
        data.append([evaluation.id, *(f"{hours:.1f}" for hours in _shares(evaluation, kinds).values()), f"{along:.1f}"])
    return canvas.chart(["design", *kinds, "total"], data)


def _hours(evaluation: Evaluation) -> dict[str, float]:
    operations: Operations = evaluation.scores["operations"].detail
    found = {_TITLES.get(kind, kind): hours for kind, hours in operations.workload.hours_by("kind").items()}
    found["knowledge"] = operations.upkeep.mean
    return {kind: hours for kind, hours in found.items() if hours}


def _shares(evaluation: Evaluation, kinds: Sequence[str]) -> dict[str, float]:
    """Return hours per kind; those of kinds that have no colour of their own as ``other``."""
    found = _hours(evaluation)
    rest = sum(hours for kind, hours in found.items() if kind not in kinds)
    return {kind: found.get(kind, 0.0) + (rest if kind == _OTHER else 0.0) for kind in kinds}


def _kinds(evaluations: Sequence[Evaluation]) -> list[str]:
    totals: dict[str, float] = {}
    for evaluation in evaluations:
        for kind, hours in _hours(evaluation).items():
            totals[kind] = totals.get(kind, 0.0) + hours
    ordered = sorted(totals, key=lambda kind: (-totals[kind], kind))
    return ordered if len(ordered) <= len(PALETTE) else [*ordered[: len(PALETTE) - 1], _OTHER]


def growth(evaluations: Sequence[Evaluation]) -> Chart:
    """Return hours of toil per month over the number of tenants, with P10 to P90; says where designs change places.

    Args:
        evaluations: one to eight designs.
    """
    shown = evaluations[: len(PALETTE)]
    series = {e.id: e.scores["operations"].figures["growth"] for e in shown}
    counts = [p["tenants"] for points in series.values() for p in points]
    hours = [max(p["low"], 1.0) for ps in series.values() for p in ps] + [
        p["high"] for ps in series.values() for p in ps
    ]
    last = {name: points[-1] for name, points in series.items()}
    lean, heavy = (pick(last, key=lambda name: last[name]["hours_month"]) for pick in (min, max))
    at = last[lean]["tenants"]
    title = f"At {at:,} tenants {lean} takes {number(last[lean]['hours_month'])} hours of toil per month"
    if heavy != lean:
        title += f", {heavy} {number(last[heavy]['hours_month'])}"
    left, right, height = 72, WIDTH - 70, 320
    note = " ".join(["Classes keep today's proportions. Bands: P10 to P90.", *_turns(crossing_points(shown))])
    canvas = Canvas(title, height, note=note)
    base = canvas.top + height - 46
    across = Axis(min(counts), max(counts), left, right, logarithmic=True)
    up = Axis(min(hours), max(hours), base, canvas.top + 8, logarithmic=True)
    canvas.scale_across(across, base, canvas.top + 8, "Tenants")
    canvas.scale_up(up, left, right, "Toil, hours per month")
    data, ends = [], []
    for place, (name, points) in enumerate(series.items()):
        hue = PALETTE[place]
        low = [(across(p["tenants"]), up(max(p["low"], 1.0))) for p in points]
        high = [(across(p["tenants"]), up(p["high"])) for p in points]
        canvas.area([*low, *reversed(high)], hue, opacity=0.12)
        middle = [(across(p["tenants"]), up(p["hours_month"])) for p in points]
        canvas.curve(middle, hue, dash=("", "6 3", "2 3", "8 3 2 3")[place % 4])
        ends.append((middle[-1][1], name, hue))
        data += [
            [name, f"{p['tenants']:,}", number(p["hours_month"]), number(p["low"]), number(p["high"])] for p in points
        ]
    _name_ends(canvas, ends, right + 6)
    return canvas.chart(["design", "tenants", "hours/month", "P10", "P90"], data)


def _turns(found: Sequence[Crossing]) -> list[str]:
    """Return the first few numbers of tenants from which on one design takes less than another, in words."""
    told = [f"From {c.tenants:,} tenants on {c.less} takes less than {c.more}." for c in found[:_TURNS]]
    return told if len(found) <= _TURNS else [*told, f"Further changes of order: {len(found) - _TURNS:,}."]


def _name_ends(canvas: Canvas, ends: list[tuple[float, str, str]], x: float) -> None:
    """Write names at the ends of curves, moved apart where they would overlap."""
    floor = float("-inf")
    for y, name, hue in sorted(ends):
        place = max(y, floor + 13)
        canvas.rect(x, place - 4, 8, 8, hue)
        canvas.text(x + 11, place + 4, name, size=11, weight=600, room=WIDTH - x - 12)
        floor = place
