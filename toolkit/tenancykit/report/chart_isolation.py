"""Charts of isolation: who reaches what of whom, the attack graph of a pair, and the likeliest path to every asset."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.criteria.isolation.exposure import IsolationResult
from tenancykit.criteria.isolation.result import MAX_DEPTH, AssetFinding, PairFinding
from tenancykit.report.chart_attack_graph import draw_attack_graph
from tenancykit.report.chart_canvas import WIDTH, Canvas, Chart
from tenancykit.report.chart_colours import BLUE, EMPTY, GREY, INK, SHADES, VERMILLION, class_colours, ink_on
from tenancykit.report.figures import days_text
from tenancykit.report.pair_paths import pair_of
from tenancykit.study.evaluation import Evaluation

_PLANES: Final = ("control", "compute", "network", "storage", "accelerator")
_MOST_PAIRS: Final = 16
_STEPS: Final = (0.5, 1.0, 2.0, 3.0, 4.0)
"""Nines at which the shade changes; colours are a help for the eye only, each cell carries its figures."""


def isolation_matrix(evaluation: Evaluation) -> Chart:
    """Return who can reach which asset of whom: days open, and barriers in the smallest set that opens a path."""
    result: IsolationResult = evaluation.scores["isolation"].detail
    pairs = sorted((*result.pairs, *result.provider), key=lambda p: (p.finding.worst.figure, p.attacker, p.victim))
    if not pairs:
        return _alone(evaluation)
    assets = _assets(pairs[0])
    shown = pairs[:_MOST_PAIRS]
    worst = result.worst_pair
    weakest = worst.finding.worst if worst is not None else None
    left, row, head = 165, 32, 176
    wide = (WIDTH - left - 12) / len(assets)
    note = "Upper figure: days a year open; below: barriers to fall; shades by nines (3 = open 0.37 days a year). "
    note += _path_note(weakest)
    if len(pairs) > len(shown):
        note += f" {len(pairs) - len(shown)} better isolated pairs stand in the table only."
    canvas = Canvas(_matrix_title(evaluation, worst), head + row * len(shown) + 24, note=note)
    canvas.bottom += canvas.legend(left, canvas.bottom - 8, _legend(), room=WIDTH - left - 12)
    hues = class_colours([c.id for c in evaluation.scenario.tenants.classes])
    first = canvas.top + head
    for column, asset in enumerate(assets):
        x = left + wide * column
        _turned_title(canvas, asset.title, x + wide / 2 + 4, first - 6, room=head - 26)
    _plane_heads(canvas, assets, left, wide, canvas.top + 4)
    for line, pair in enumerate(shown):
        y = first + row * line
        told = f"{pair.attacker} on {'each other' if pair.attacker == pair.victim else pair.victim}"
        canvas.text(left - 20, y + 20, told, size=11, anchor="end", room=left - 28)
        canvas.rect(left - 15, y + 5, 5, row - 10, hues.get(pair.attacker, GREY), title=pair.attacker)
        canvas.rect(left - 9, y + 5, 5, row - 10, hues.get(pair.victim, GREY), title=pair.victim)
        found = {a.asset: a for a in pair.finding.assets}
        for column, asset in enumerate(assets):
            cell = found.get(asset.asset)
            x = left + wide * column
            if cell is None:
                continue
            _cell(
                canvas, cell, x, y, wide, row, marked=pair is worst and cell.asset == (weakest.asset if weakest else "")
            )
    rows = [
        [
            p.attacker,
            p.victim,
            a.title,
            a.plane,
            f"{a.nines:.2f}",
            _depth(a),
            f"{a.days_per_year:.3g}",
            a.path or "no path",
        ]
        for p in pairs
        for a in p.finding.assets
    ]
    return canvas.chart(
        ["attacker", "victim", "asset", "plane", "nines", "barriers", "days/year open", "likeliest path"], rows
    )


def _legend() -> list[tuple[str, str]]:
    """Return what the shades mean, worst first."""
    names = [f"under {_STEPS[0]:g} nines", *(f"from {step:g}" for step in _STEPS)]
    return list(zip([*names[:-1], f"{names[-1]}, or no path"], SHADES, strict=True))


def _turned_title(canvas: Canvas, text: str, x: float, y: float, *, room: float) -> None:
    """Write a column's title upwards, on two lines where one is too short."""
    lines = textwrap.wrap(text, int(room / 6.2))
    if len(lines) > 1:
        canvas.text(x - 7, y, lines[0], size=11, turned=True, room=room)
    canvas.text(x + (6 if len(lines) > 1 else 0), y, " ".join(lines[1:] or lines), size=11, turned=True, room=room)


def _assets(pair: PairFinding) -> list[AssetFinding]:
    return sorted(pair.finding.assets, key=lambda a: (_PLANES.index(a.plane), not a.guarded, a.asset))


def _matrix_title(evaluation: Evaluation, worst: PairFinding | None) -> str:
    if worst is None:
        return f"{evaluation.id}: nobody else can be reached"
    finding = worst.finding.worst
    whom = "another tenant" if worst.attacker == worst.victim else f"a tenant of {worst.victim}"
    return (
        f"{evaluation.id} is weakest at {finding.title} of {whom}: {_depth(finding)} away for a tenant of "
        f"{worst.attacker}, open {days_text(finding.days_per_year)} days a year"
    )


def _path_note(weakest: AssetFinding | None) -> str:
    return f"Weakest path (framed): {weakest.path}." if weakest is not None and weakest.path else ""


def _depth(finding: AssetFinding) -> str:
    if finding.depth >= MAX_DEPTH:
        return "no path"
    return "open" if finding.depth == 0 else "1 barrier" if finding.depth == 1 else f"{finding.depth} barriers"


def _cell(canvas: Canvas, cell: AssetFinding, x: float, y: float, wide: float, row: float, *, marked: bool) -> None:
    shade = SHADES[sum(cell.nines >= step for step in _STEPS)] if cell.path else SHADES[-1]
    told = f"{cell.title}: {cell.nines:.2f} nines, {_depth(cell)}, "
    told += f"open {days_text(cell.days_per_year)} days a year. {cell.path}"
    canvas.rect(x + 1, y + 1, wide - 2, row - 2, shade, title=told, stroke=INK if marked else "")
    if marked:
        canvas.rect(x + 2, y + 2, wide - 4, row - 4, shade, title=told, stroke=INK)
    ink = ink_on(shade)
    none = cell.depth >= MAX_DEPTH
    canvas.text(
        x + wide / 2,
        y + 15,
        "\u2013" if none else days_text(cell.days_per_year),
        size=12,
        weight=600,
        anchor="middle",
        fill=ink,
    )
    canvas.text(x + wide / 2, y + 27, "none" if none else str(cell.depth), size=10, anchor="middle", fill=ink)


def _plane_heads(canvas: Canvas, assets: Sequence[AssetFinding], left: float, wide: float, y: float) -> None:
    start = 0
    for index in range(1, len(assets) + 1):
        if index == len(assets) or assets[index].plane != assets[start].plane:
            x1, x2 = left + wide * start + 2, left + wide * index - 2
            canvas.line(x1, y + 14, x2, y + 14, GREY, width=2)
            canvas.text(
                (x1 + x2) / 2, y + 9, assets[start].plane, size=11, weight=600, anchor="middle", room=x2 - x1 + 14
            )
            start = index


def attack_graph(evaluation: Evaluation, attacker: str = "", victim: str = "") -> Chart:
    """Return every step a tenant can take towards another, barriers on them, the weakest path bold.

    Args:
        evaluation: the design.
        attacker: class of the attacker, or ``the provider``; the worst pair's unless given.
        victim: class of the victim; the worst pair's unless given.

    Raises:
        InputError: the scenario has no such pair of classes.
    """
    result: IsolationResult = evaluation.scores["isolation"].detail
    pair = pair_of(result, "attack_graph", attacker, victim)
    return _alone(evaluation) if pair is None else draw_attack_graph(evaluation, pair)


def attack_paths(evaluation: Evaluation, attacker: str = "", victim: str = "") -> Chart:
    """Return the likeliest path to every asset of a victim, most exposed first: positions as boxes, barriers as walls.

    Args:
        evaluation: the design.
        attacker: class of the attacker; the worst pair's unless given.
        victim: class of the victim; the worst pair's unless given.

    Raises:
        InputError: the scenario has no such pair of classes.
    """
    result: IsolationResult = evaluation.scores["isolation"].detail
    pair = pair_of(result, "attack_paths", attacker, victim)
    if pair is None:
        return _alone(evaluation)
    model = load_isolation(evaluation.catalogue)
    found = sorted(pair.finding.assets, key=lambda a: (a.figure, a.asset))
    reached = [a for a in found if a.path]
    guarded = [a for a in reached if a.guarded]
    whom = "each other" if pair.attacker == pair.victim else f"a tenant of {pair.victim}"
    title = f"{evaluation.id}: tenants of {pair.attacker} can harm {whom} in {len(reached)} ways; "
    chief = f"the likeliest against confidentiality or integrity leads to {guarded[0].title}" if guarded else ""
    title += chief or "none is known against confidentiality or integrity"
    row = 46
    note = "Barriers (orange walls) must all be down at once. Grey figures: days a year on which the path stands open."
    canvas = Canvas(title, row * len(reached) + 8, width=1080, note=note)
    for place, asset in enumerate(reached):
        _lane(canvas, asset, pair, model, canvas.top + row * place, strong=bool(guarded) and asset is guarded[0])
    rows = [[a.title, ", ".join(a.kinds), _depth(a), f"{a.days_per_year:.3g}", a.path or "no path"] for a in found]
    return canvas.chart(["asset", "at stake", "barriers", "days/year open", "likeliest path"], rows)


def _lane(
    canvas: Canvas, asset: AssetFinding, pair: PairFinding, model: IsolationCatalogue, y: float, *, strong: bool
) -> None:
    graph = pair.finding.graph
    links = [graph.links[i] for i in asset.links]
    names = [str(links[0].source)] if links else [str(graph.starts[0])]
    names += [str(link.target) for link in links]
    guards = [[model.barriers[str(v)].title for v in link.variables] for link in links]
    canvas.text(90, y + 23, f"{days_text(asset.days_per_year)} d/year", size=11, anchor="end", fill="#555555")
    walls = sum(len(g) for g in guards)
    room = (canvas.width - 98 - 12 - 16 * len(links)) / (len(names) + 0.9 * walls)
    box, wall = min(150.0, room), min(135.0, room * 0.9)
    x = 98.0
    for index, name in enumerate(names):
        last = index == len(names) - 1
        title = model.assets[name].title if name in model.assets else model.positions[name].title
        fill = (VERMILLION if strong else BLUE) if last and links else EMPTY
        canvas.boxed(x, y + 3, box, 34, title, fill, "#666666")
        x += box
        if last:
            break
        canvas.line(x, y + 20, x + 8, y + 20, INK)
        x += 8
        for guard in guards[index]:
            canvas.boxed(x, y, wall, 40, guard, "#fbe3b5", "#b57a00")
            x += wall
        canvas.arrow(x, y + 20, x + 8, y + 20)
        x += 8


def _alone(evaluation: Evaluation) -> Chart:
    canvas = Canvas(f"{evaluation.id}: there is only one tenant; nobody else can be reached", 10)
    return canvas.chart(["attacker", "victim"], [])
