"""Charts of use and dependence: demand over time beside capacity, and who depends on whom among components."""

from __future__ import annotations

from typing import Final

from tenancykit.criteria.cost.statement import Statement
from tenancykit.criteria.cost.views import over_time
from tenancykit.criteria.operations.measure import Operations
from tenancykit.criteria.operations.structure import design_structure_matrix
from tenancykit.report.chart_canvas import WIDTH, Axis, Canvas, Chart, spread
from tenancykit.report.chart_colours import BLUE, FAINT, ORANGE, VERMILLION
from tenancykit.report.figures import number
from tenancykit.study.evaluation import Evaluation

_PANEL: Final = 96
_MOST_DOMAINS: Final = 6
_CELL: Final = 13.0
_DIRECT: Final = 2
"""How the matrix says that a component itself requires another."""


def utilisation(evaluation: Evaluation) -> Chart:
    """Return what tenants ask for over time beside what the machines hold, for the largest placement domains."""
    statement: Statement = evaluation.scores["cost"].detail
    every = over_time(statement)
    shown = sorted(every, key=lambda d: (-d.capacity * d.copies, d.domain))[:_MOST_DOMAINS]
    used = sum(float(d.demand.mean()) * d.copies for d in every if d.resource == every[0].resource)
    held = sum(d.capacity * d.copies for d in every if d.resource == every[0].resource)
    title = (
        f"{evaluation.id}: tenants use {used / held:.0%} of the {number(held)} {every[0].resource} on average"
        if held
        else f"{evaluation.id}: tenants use nothing"
    )
    note = "Each panel: machines that may serve the same tenants."
    if len(every) > len(shown):
        note += f" The largest {len(shown)} of {len(every)} such groups are drawn."
    if any(domain.copies > 1 for domain in shown):
        note += " Of groups that are alike, one is drawn."
    canvas = Canvas(title, 30 + _PANEL * len(shown) + 40, note=note)
    legend = [("asked for by tenants (line)", BLUE), ("on the machines (dashed)", VERMILLION)]
    top = canvas.top + 8 + canvas.legend(60, canvas.top + 8, legend, room=WIDTH - 80)
    left, right = 70.0, WIDTH - 20.0
    rows = []
    for place, domain in enumerate(shown):
        low = top + _PANEL * (place + 1) - 22
        hours = len(domain.demand)
        across = Axis(0, max(hours - 1, 1), left, right)
        up = spread([0.0, domain.capacity, float(domain.demand.max())], low, top + _PANEL * place + 16, zero=True)
        for tick in up.ticks()[::2]:
            canvas.line(left, up(tick), right, up(tick), FAINT)
            canvas.text(left - 6, up(tick) + 4, number(tick), size=10, anchor="end")
        values = domain.demand if hours > 1 else [domain.demand[0]] * 2
        canvas.curve([(across(hour), up(float(v))) for hour, v in enumerate(values)], BLUE)
        canvas.line(left, up(domain.capacity), right, up(domain.capacity), VERMILLION, width=2, dash="5 3")
        copies = f", {domain.copies} alike" if domain.copies > 1 else ""
        canvas.text(left, top + _PANEL * place + 12, f"{domain.domain}{copies}: {domain.resource}", size=11, weight=600)
        share = float(domain.demand.mean()) / domain.capacity if domain.capacity else 0.0
        peak = float(domain.demand.max())
        rows.append(
            [domain.domain, str(domain.copies), domain.resource, number(peak), number(domain.capacity), f"{share:.0%}"]
        )
    canvas.bottom = top + _PANEL * len(shown) + 6
    canvas.text((left + right) / 2, canvas.bottom, "Hours of the demand series", anchor="middle")
    canvas.bottom += 10
    return canvas.chart(["domain", "copies", "resource", "peak asked", "held", "mean use"], rows)


def dependencies(evaluation: Evaluation) -> Chart:
    """Return the design structure matrix: which component requires which, itself or through others."""
    detail: Operations = evaluation.scores["operations"].detail
    names, matrix = design_structure_matrix(detail.closure.edges)
    share = detail.structure.propagation_cost
    title = f"{evaluation.id}: a change to one of its {len(names)} components reaches {share:.0%} of them on average"
    note = (
        "Row depends on column. Large blue square: directly; small orange one: through others. The share counts the "
        "changed component itself (propagation cost, MacCormack et al. 2006)."
    )
    left = 190.0
    canvas = Canvas(title, 20 + _CELL * len(names) + 170, note=note)
    top = canvas.top + 160
    for place, name in enumerate(names):
        canvas.text(left - 6, top + _CELL * place + 10, name, size=10, anchor="end", room=left - 16)
        canvas.text(left + _CELL * place + 10, top - 6, name, size=10, turned=True, room=150)
    for row, cells in enumerate(matrix):
        for column, cell in enumerate(cells):
            fill = "#dddddd" if row == column else BLUE if cell == _DIRECT else FAINT
            told = f"{names[row]} requires {names[column]}" if cell else ""
            x, y = left + _CELL * column, top + _CELL * row
            canvas.rect(x, y, _CELL - 1, _CELL - 1, fill, title=told)
            if cell and cell != _DIRECT and row != column:
                canvas.rect(x + 3, y + 3, _CELL - 7, _CELL - 7, ORANGE, title=told)
    canvas.bottom = top + _CELL * len(names) + 10
    rows = [
        [names[r], names[c], "directly" if cell == _DIRECT else "through others"]
        for r, cells in enumerate(matrix)
        for c, cell in enumerate(cells)
        if cell
    ]
    return canvas.chart(["component", "depends on", "how"], rows)
