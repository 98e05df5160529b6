"""Chart of what a design costs over three years: building once, then each year by category."""

from __future__ import annotations

from typing import Final

from tenancykit.report.chart_canvas import WIDTH, Axis, Canvas, Chart
from tenancykit.report.chart_colours import GREY, INK
from tenancykit.report.chart_cost import CATEGORY_HUES
from tenancykit.sentences import three_digits
from tenancykit.study.outlook import YEARS, Outlook

_BUILDING: Final = "building"


def three_years(found: Outlook) -> Chart:
    """Return what a design costs over three years, a bar for building and one a year."""
    rows = [("Building, once", {_BUILDING: float(found.building)})]
    for year in found.years:
        count = f"{sum(year.tenants.values()):,} tenants"
        rows.append((f"Year {year.number}, {count}", {name: float(cost) for name, cost in year.costs.items() if cost}))
    hues = {name: hue for name, hue in CATEGORY_HUES.items() if any(name in costs for _, costs in rows)}
    hues[_BUILDING] = INK
    title = f"{found.design} costs {three_digits(float(found.total))} {found.currency} over {len(found.years)} years"
    note = "Prices, wages and workloads of today; each year is placed and priced for the tenants in its middle."
    if len(found.years) < YEARS:
        note += " Later years are left out: a class would grow past what a scenario may hold."
    left, right, row = 190, WIDTH - 76, 26
    canvas = Canvas(title, 10, note=note)
    first = canvas.top + canvas.legend(12, canvas.top + 8, list(hues.items()), room=WIDTH - 30)
    base = first + row * len(rows) + 6
    canvas.bottom = base + 44
    axis = Axis(0, max(sum(costs.values()) for _, costs in rows) * 1.02 or 1.0, left, right)
    canvas.scale_across(axis, base, first, found.currency)
    for place, (name, costs) in enumerate(rows):
        y, along = first + row * place, 0.0
        canvas.text(left - 8, y + 17, name, size=11, anchor="end", room=left - 16)
        for category, amount in costs.items():
            fill = hues.get(category, GREY)
            told = f"{category}: {amount:,.0f} {found.currency}"
            canvas.rect(axis(along), y + 4, axis(along + amount) - axis(along), row - 8, fill, title=told)
            along += amount
        canvas.text(axis(along) + 5, y + 17, three_digits(along), size=11)
    data = [
        [name, *(f"{costs.get(category, 0.0):,.0f}" for category in hues), f"{sum(costs.values()):,.0f}"]
        for name, costs in rows
    ]
    return canvas.chart(["when", *hues, "total"], data)
