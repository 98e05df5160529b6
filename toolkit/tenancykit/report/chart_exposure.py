"""The chart of what stands open: days a year per class and plane, with their range and what rests on assumptions."""

from __future__ import annotations

from typing import Final

from tenancykit.criteria.isolation.exposure import PERFORMANCE, IsolationResult, PlaneExposure
from tenancykit.report.chart_canvas import WIDTH, Canvas, Chart, spread
from tenancykit.report.chart_colours import INK, class_colours
from tenancykit.report.figures import days_text
from tenancykit.study.evaluation import Evaluation

_ROW: Final = 22
_LEFT: Final = 190
_TOLD: Final = 170
"""Room for a bar's figures at its right."""
_NEIGHBOURS: Final = "neighbours"
"""How people call the plane of performance: days a year that they take."""


def open_days(evaluation: Evaluation) -> Chart:
    """Return how many days a year something of each class stands open on each plane, as the ranking reads it.

    Bars are expected days, lines their range (P10 to P90), the hatched part of a bar what no published flaw and no
    measurement stands behind. The row of neighbours shows days a year that they take.
    """
    result: IsolationResult = evaluation.scores["isolation"].detail
    model = result.model
    found = result.exposure
    highest = max((each.high for each in found), default=1.0) or 1.0
    gaps = 12 * len(result.planes)
    note = (
        "Expected days a year on which something stood open to another tenant, added up over the assets of a plane, so "
        "that a plane with several can exceed a year; neighbours: days a year they take. Lines: P10 to P90 over flaw "
        "rates, lapses, upkeep and windows. Hatched: the share that rests on assumptions."
    )
    canvas = Canvas(_title(evaluation, found), _ROW * len(found) + gaps + 64, note=note)
    across = spread([0.0, highest], _LEFT, WIDTH - _TOLD, zero=True)
    base = canvas.bottom - 46
    canvas.scale_across(across, base, canvas.top, "days a year")
    hues = class_colours([c.id for c in evaluation.scenario.tenants.classes])
    y = float(canvas.top)
    for class_id in result.planes:
        for place, each in enumerate(one for one in found if one.class_id == class_id):
            middle = y + _ROW / 2
            if not place:
                canvas.text(12, middle + 4, class_id, size=12, weight=600, room=92)
            canvas.text(_LEFT - 8, middle + 4, _plane(each), size=11, anchor="end")
            told = f"{class_id}, {_plane(each)}: {_figures(each)}, {each.assumption_share:.0%} assumed"
            length = across(each.days) - _LEFT
            canvas.rect(_LEFT, y + 3, length, _ROW - 7, hues[class_id], title=told)
            canvas.hatched(_LEFT, y + 3, length * each.assumption_share, _ROW - 7, title=told)
            canvas.line(across(each.low), middle, across(each.high), middle, INK, width=2)
            for end in (each.low, each.high):
                canvas.line(across(end), middle - 4, across(end), middle + 4, INK, width=2)
            canvas.text(WIDTH - _TOLD + 12, middle + 4, _figures(each), size=11, room=_TOLD - 20)
            y += _ROW
        y += 12
    titles = {asset.id: asset.title for asset in model.assets.values()}
    rows = [
        [
            each.class_id,
            _plane(each),
            f"{each.days:.3g}",
            f"{each.low:.3g}",
            f"{each.high:.3g}",
            f"{each.nines:.2f}",
            f"{each.assumption_share:.0%}",
            titles.get(each.asset, each.asset) or "nothing",
            each.attacker,
        ]
        for each in found
    ]
    columns = ["class", "plane", "days a year", "P10", "P90", "nines", "assumed", "most by", "for tenants of"]
    return canvas.chart(columns, rows)


def _plane(each: PlaneExposure) -> str:
    return _NEIGHBOURS if each.plane == PERFORMANCE else each.plane


def _figures(each: PlaneExposure) -> str:
    if not each.high:
        return "none known"
    return f"{days_text(each.days)} ({days_text(each.low)} to {days_text(each.high)})"


def _title(evaluation: Evaluation, found: tuple[PlaneExposure, ...]) -> str:
    most = max((e for e in found if e.plane != PERFORMANCE), key=lambda e: e.days, default=None)
    if most is None or not most.days:
        return f"{evaluation.id}: nothing of any class is known to stand open"
    return (
        f"{evaluation.id} stands open most on the {most.plane} plane of {most.class_id}: {_figures(most)} days a year, "
        f"{most.assumption_share:.0%} of it assumed"
    )


__all__ = ["open_days"]
