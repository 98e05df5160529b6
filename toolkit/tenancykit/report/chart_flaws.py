"""The timeline of published flaws: what became of each under a design."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tenancykit.report.chart_canvas import WIDTH, Canvas, Chart
from tenancykit.report.chart_colours import BLUE, GREY, INK, VERMILLION
from tenancykit.study.comparison import Study

_OUTCOMES: Final = (("contained", BLUE), ("undetermined", GREY), ("crossed", VERMILLION))
_SIZE: Final = 9.0
_GAP: Final = 2.0


def flaws(study: Study, design_id: str) -> Chart:
    """Return every published flaw by year as a square: contained by the design, crossed into another tenant, or open.

    Raises:
        InputError: the study holds no such design.
    """
    evaluation = study[design_id]
    entries = _entries(study)
    found = sorted(study.replay(design_id), key=lambda r: (_rank(r.outcome), r.asset, r.entry))
    by_year: dict[int, list[int]] = {}
    for index, row in enumerate(found):
        by_year.setdefault(entries[row.entry][0], []).append(index)
    counts = Counter(row.outcome for row in found)
    years = sorted(by_year)
    wide = (WIDTH - 60) / len(years)
    columns = max(1, int((wide - 8) // (_SIZE + _GAP)))
    tallest = max(-(-len(indices) // columns) for indices in by_year.values())
    title = (
        f"{evaluation.id} contains {counts['contained']} of {len(found)} published flaws; "
        f"{counts['crossed']} would have reached another tenant"
    )
    note = "One square per flaw, by year of publication; those that crossed are struck through. What becomes of a flaw "
    note += "follows from the attack graph of the design."
    canvas = Canvas(title, tallest * (_SIZE + _GAP) + 60, note=note)
    top = canvas.top + 8 + canvas.legend(30, canvas.top + 8, list(_OUTCOMES), room=WIDTH - 60)
    base = top + tallest * (_SIZE + _GAP) + 4
    for number, year in enumerate(years):
        x = 30 + wide * number
        for place, index in enumerate(by_year[year]):
            row = found[index]
            told = f"{row.entry} {entries[row.entry][1]}: {row.outcome}" + (f", {row.path}" if row.path else "")
            left = x + place % columns * (_SIZE + _GAP)
            high = base - (place // columns + 1) * (_SIZE + _GAP)
            canvas.rect(left, high, _SIZE, _SIZE, dict(_OUTCOMES)[row.outcome], title=told)
            if row.outcome == "crossed":
                canvas.line(left, high + _SIZE, left + _SIZE, high, "#ffffff", width=1.5)
        canvas.text(x + columns * (_SIZE + _GAP) / 2, base + 14, str(year), size=11, anchor="middle")
    canvas.line(26, base, WIDTH - 24, base, INK)
    canvas.bottom = base + 22
    rows = [
        [r.entry, str(entries[r.entry][0]), entries[r.entry][1], r.outcome, r.asset, r.path, r.source] for r in found
    ]
    return canvas.chart(["flaw", "year", "title", "outcome", "asset", "path", "source"], rows)


def _rank(outcome: str) -> int:
    return [name for name, _ in _OUTCOMES].index(outcome)


def _entries(study: Study) -> dict[str, tuple[int, str]]:
    return {identifier: (entry.year, entry.title) for identifier, entry in study.evidence.items()}
