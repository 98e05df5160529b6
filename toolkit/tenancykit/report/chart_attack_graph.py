"""The attack graph of a pair of tenant classes as a drawing, its weakest path marked.

Positions stand in columns from left to right by the barriers that must fall before an attacker stands there, what the
victim has to lose stands at the right. A line is a step; its squares name the barriers on it, so that steps which fall
together bear the same number.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.barriers import IsolationCatalogue, load_isolation
from tenancykit.criteria.isolation.graph import AttackGraph
from tenancykit.criteria.isolation.result import AssetFinding, PairFinding
from tenancykit.report.chart_canvas import Canvas, Chart, shortened
from tenancykit.report.chart_colours import EMPTY, INK, ORANGE, VERMILLION
from tenancykit.report.figures import days_text
from tenancykit.study.evaluation import Evaluation

_WIDTH: Final = 1200
_ASSET: Final = 196
_LEFT: Final = 36
_BOX: Final = 34
_PITCH: Final = 52
_BADGE: Final = 15
_LEGEND: Final = 4
"""Columns of the list of barriers."""
_PLANES: Final = ("control", "compute", "network", "storage", "accelerator")

_PALE: Final = "#fbe3b5"
_EDGE: Final = "#b57a00"

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class _Step:
    """All crossings from one node to another.

    Attributes:
        source: node they start at.
        target: node they lead to.
        ways: sets of barriers, each of which opens one of them; the fewest first, just an empty one where one is open.
    """

    source: str
    target: str
    ways: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class _Plan:
    """Where everything stands.

    Attributes:
        steps: the steps.
        columns: positions per column, each with its barriers and the unhindered steps since the last one.
        assets: what can be reached, in the order it stands.
        boxes: centre of every node.
        width: width of a position's box.
        numbers: number of every barrier.
        weakest: node after node of the weakest path.
        weakest_ways: barriers on each of its steps, by the step's ends.
    """

    steps: tuple[_Step, ...]
    columns: Mapping[tuple[int, int], Sequence[str]]
    assets: tuple[AssetFinding, ...]
    boxes: Mapping[str, Point]
    width: float
    numbers: Mapping[str, int]
    weakest: tuple[str, ...]
    weakest_ways: Mapping[tuple[str, str], tuple[str, ...]]

    def edge(self, node: str, side: int) -> Point:
        """Return the middle of a node's left (-1) or right (1) side."""
        x, y = self.boxes[node]
        wide = _ASSET if any(a.asset == node for a in self.assets) else self.width
        return x + side * wide / 2, y

    def marked(self, step: _Step) -> bool:
        """Return whether a step is on the weakest path."""
        return (step.source, step.target) in self.weakest_ways


def draw_attack_graph(evaluation: Evaluation, pair: PairFinding) -> Chart:
    """Return the attack graph of a pair of classes: every step an attacker can take, the weakest path bold."""
    model = load_isolation(evaluation.catalogue)
    plan = _plan(pair, model)
    worst = pair.finding.worst
    whom = "each other" if pair.attacker == pair.victim else f"a tenant of {pair.victim}"
    title = f"{evaluation.id}: the weakest path of tenants of {pair.attacker} against {whom} is {worst.path or 'none'}"
    body = max(y for _, y in plan.boxes.values()) + _BOX
    names = sorted(plan.numbers, key=plan.numbers.__getitem__)
    lines = math.ceil(len(names) / _LEGEND)
    note = (
        "Columns: barriers that must fall before the attacker stands there. Solid lines are open steps; broken ones "
        "pass the numbered barriers, all of a group at once, any one of groups with a stroke between them. The weakest "
        "path is the thick line through the framed, numbered boxes; blue boxes are where the attacker starts."
    )
    canvas = Canvas(title, body + 26 + 16 * lines, width=_WIDTH, note=note)
    _heads(canvas, plan)
    for step in sorted(plan.steps, key=plan.marked):
        _line(canvas, plan, step)
    _nodes(canvas, plan, pair, model)
    _badges(canvas, plan)
    _names(canvas, [model.barriers[name].title for name in names], canvas.top + body + 22, lines)
    return canvas.chart(
        ["from", "to", "barriers", "weakest path"],
        [
            [
                _title(step.source, model),
                _title(step.target, model),
                " or ".join(" + ".join(model.barriers[b].title for b in way) or "open" for way in step.ways),
                f"step {plan.weakest.index(step.target)}" if plan.marked(step) else "",
            ]
            for step in plan.steps
        ],
    )


def _plan(pair: PairFinding, model: IsolationCatalogue) -> _Plan:
    graph = pair.finding.graph
    steps = _steps(graph)
    columns = _columns(graph, steps, model)
    reached = {step.target for step in steps}
    assets = tuple(
        sorted(
            (a for a in pair.finding.assets if a.asset in reached),
            key=lambda a: (_PLANES.index(a.plane), not a.guarded, a.asset),
        )
    )
    links = [graph.links[i] for i in pair.finding.worst.links]
    weakest = (str(links[0].source), *(str(link.target) for link in links)) if links else ()
    pitch = (_WIDTH - _LEFT - 12 - _ASSET) / max(1, len(columns))
    width = min(124.0, pitch - 44)
    ordered = _ordered(columns, steps, [a.asset for a in assets])
    tall = max(len(assets) * (_BOX + 8), max(map(len, ordered.values()), default=1) * _PITCH)
    boxes: dict[str, Point] = {}
    for place, nodes in enumerate(ordered.values()):
        for row, node in enumerate(nodes):
            boxes[node] = _LEFT + pitch * place + width / 2, 34 + tall * (row + 0.5) / len(nodes)
    for row, asset in enumerate(assets):
        boxes[asset.asset] = _WIDTH - 12 - _ASSET / 2, 34 + tall * (row + 0.5) / len(assets)
    names = dict.fromkeys(name for step in steps for way in step.ways for name in way)
    numbers = {name: number for number, name in enumerate(names, start=1)}
    own = {(str(link.source), str(link.target)): tuple(map(str, link.variables)) for link in links}
    return _Plan(tuple(steps), ordered, assets, boxes, width, numbers, weakest, own)


def _steps(graph: AttackGraph) -> list[_Step]:
    ways: dict[tuple[str, str], dict[tuple[str, ...], None]] = {}
    for link in graph.links:
        ways.setdefault((str(link.source), str(link.target)), {})[tuple(map(str, link.variables))] = None
    return [
        _Step(source, target, ((),) if () in found else tuple(sorted(found, key=len)))
        for (source, target), found in ways.items()
    ]


def _columns(graph: AttackGraph, steps: Sequence[_Step], model: IsolationCatalogue) -> dict[tuple[int, int], list[str]]:
    """Return the positions by the barriers before them, and by the unhindered steps since the last barrier."""
    leads: dict[str, list[_Step]] = {}
    for step in steps:
        if step.target in model.positions:
            leads.setdefault(step.source, []).append(step)
    found: dict[str, tuple[int, int]] = {}
    queue: list[tuple[int, int, str]] = [(0, 0, start) for start in graph.starts]
    while queue:
        barriers, since, node = heapq.heappop(queue)
        if node in found:
            continue
        found[node] = barriers, since
        for step in leads.get(node, ()):
            more = len(step.ways[0])
            heapq.heappush(queue, (barriers + more, 0 if more else since + 1, step.target))
    columns: dict[tuple[int, int], list[str]] = {}
    for node in model.positions:
        if node in found:
            columns.setdefault(found[node], []).append(node)
    return dict(sorted(columns.items()))


def _ordered(
    columns: Mapping[tuple[int, int], Sequence[str]],
    steps: Sequence[_Step],
    assets: Sequence[str],
) -> dict[tuple[int, int], list[str]]:
    """Return the columns so ordered that few lines cross: every node near the middle of its neighbours."""
    near: dict[str, list[str]] = {}
    for step in steps:
        near.setdefault(step.source, []).append(step.target)
        near.setdefault(step.target, []).append(step.source)
    ordered = {key: list(nodes) for key, nodes in columns.items()}
    height = {node: (row + 0.5) / len(assets) for row, node in enumerate(assets)}
    for nodes in ordered.values():
        height.update({node: (row + 0.5) / len(nodes) for row, node in enumerate(nodes)})
    for _ in range(6):
        for nodes in ordered.values():
            wanted = {n: sum(height[o] for o in near[n] if o in height) / len(near[n]) for n in nodes if near.get(n)}
            nodes.sort(key=lambda node: (wanted.get(node, 0.5), node))
            height.update({node: (row + 0.5) / len(nodes) for row, node in enumerate(nodes)})
    return ordered


def _heads(canvas: Canvas, plan: _Plan) -> None:
    for barriers, group in itertools.groupby(plan.columns, key=lambda key: key[0]):
        keys = list(group)
        first, last = plan.columns[keys[0]][0], plan.columns[keys[-1]][0]
        left, right = plan.edge(first, -1)[0], plan.edge(last, 1)[0]
        told = "1 barrier" if barriers == 1 else f"{barriers} barriers"
        canvas.line(left, canvas.top + 22, right, canvas.top + 22, "#666666", width=2)
        canvas.text((left + right) / 2, canvas.top + 15, told, size=12, weight=600, anchor="middle")
    left = _WIDTH - 12 - _ASSET
    canvas.line(left, canvas.top + 22, left + _ASSET, canvas.top + 22, "#666666", width=2)
    canvas.text(left + _ASSET / 2, canvas.top + 15, "lost, days open a year", size=12, weight=600, anchor="middle")


def _line(canvas: Canvas, plan: _Plan, step: _Step) -> None:
    points = [(x, y + canvas.top) for x, y in _course(plan, step)]
    guarded = bool(step.ways[0])
    if plan.marked(step):
        canvas.curve(points, VERMILLION, width=5)
        return
    inner = not any(a.asset == step.target for a in plan.assets)
    canvas.curve(points, "#555555" if guarded or inner else "#bdbdbd", width=1.2, dash="5 3" if guarded else "")


def _course(plan: _Plan, step: _Step) -> list[Point]:
    """Return points of a smooth line from a node's right side to another's left, past the boxes between them."""
    x1, x2 = plan.boxes[step.source][0], plan.boxes[step.target][0]
    if x2 <= x1:
        return _back(plan, step)
    end = plan.edge(step.target, -1)
    points = [plan.edge(step.source, 1)]
    for column in plan.columns.values():
        across = plan.boxes[column[0]][0]
        if x1 < across < x2:
            last = points[-1]
            y = last[1] + (end[1] - last[1]) * (across - last[0]) / (end[0] - last[0])
            y = _clear(y, sorted(plan.boxes[node][1] for node in column))
            points += [(across - plan.width / 2 - 4, y), (across + plan.width / 2 + 4, y)]
    points.append(end)
    return [place for first, then in itertools.pairwise(points) for place in _bend(first, then)]


def _clear(y: float, boxes: Sequence[float]) -> float:
    """Return the height nearest to y at which a line passes between the boxes of a column."""
    free = _BOX / 2 + 8
    spots = [y, *(box + side * free for box in boxes for side in (-1, 1))]
    return min((s for s in spots if all(abs(s - box) >= free - 0.01 for box in boxes)), key=lambda s: abs(s - y))


def _back(plan: _Plan, step: _Step) -> list[Point]:
    """Return a line that leaves at the left: to the same column around its boxes, or to one before."""
    first = plan.edge(step.source, -1)
    if plan.boxes[step.source][0] == plan.boxes[step.target][0]:
        then = plan.edge(step.target, -1)
        return _cubic(first, (first[0] - 28, first[1]), (then[0] - 28, then[1]), then)
    then = plan.edge(step.target, 1)
    return _cubic(first, (first[0] - 30, first[1]), (then[0] + 30, then[1]), then)


def _bend(first: Point, then: Point) -> list[Point]:
    if first[1] == then[1]:
        return [(first[0] + (then[0] - first[0]) * number / 4, first[1]) for number in range(5)]
    half = (then[0] - first[0]) / 2
    return _cubic(first, (first[0] + half, first[1]), (then[0] - half, then[1]), then)


def _cubic(*points: Point) -> list[Point]:
    """Return points of a Bezier curve."""
    found = []
    for number in range(13):
        t = number / 12
        shares = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        found.append(tuple(sum(s * p[axis] for s, p in zip(shares, points, strict=True)) for axis in (0, 1)))
    return found  # type: ignore[return-value]


def _nodes(canvas: Canvas, plan: _Plan, pair: PairFinding, model: IsolationCatalogue) -> None:
    found = {a.asset: a for a in plan.assets}
    for node, (x, y) in plan.boxes.items():
        wide = _ASSET if node in found else plan.width
        left, top = x - wide / 2, y + canvas.top - _BOX / 2
        if node in plan.weakest:
            canvas.rect(left - 4, top - 4, wide + 8, _BOX + 8, "#ffffff", stroke=INK)
        fill = "#d6e8f5" if node in pair.finding.graph.starts else EMPTY
        if node == pair.finding.worst.asset:
            fill = "#f9d8c4"
        title = _title(node, model)
        if node in found:
            title += f", {days_text(found[node].days_per_year)}\u00a0d"
        canvas.boxed(left, top, wide, _BOX, title, fill, "#444444")
    for number, node in enumerate(plan.weakest, start=1):
        x, y = plan.edge(node, -1)
        top = y + canvas.top - _BOX / 2
        canvas.circle(x - 2, top - 2, 9, "#000000", title=f"place {number} of the weakest path")
        canvas.text(x - 2, top + 2, str(number), size=11, weight=600, anchor="middle", fill="#ffffff")


def _badges(canvas: Canvas, plan: _Plan) -> None:
    """Put the numbers of a step's barriers on its line, where nothing else stands."""
    taken: list[Box] = []
    for node, (x, y) in plan.boxes.items():
        wide = _ASSET if any(a.asset == node for a in plan.assets) else plan.width
        taken.append((x - wide / 2, y - _BOX / 2, x + wide / 2, y + _BOX / 2))
    for step in sorted(plan.steps, key=lambda s: (not plan.marked(s), s.source, s.target)):
        own = plan.weakest_ways.get((step.source, step.target))
        others = [way for way in step.ways if way and way != own]
        for ways, marked in (([own] if own else [], True), (others, False)):
            if ways:
                _badge(canvas, _label(ways, plan.numbers), _course(plan, step), taken, marked=marked)


def _badge(canvas: Canvas, text: str, course: Sequence[Point], taken: list[Box], *, marked: bool) -> None:
    wide = max(float(_BADGE), 6.2 * len(text) + 6)
    places = sorted(range(1, len(course) - 1), key=lambda i: abs(i - 0.4 * len(course)))
    spots = [(course[i][0] - wide / 2, course[i][1] - _BADGE / 2) for i in places]
    x, y = next((spot for spot in spots if _free(spot, wide, taken)), spots[0])
    taken.append((x, y, x + wide, y + _BADGE))
    canvas.rect(x, y + canvas.top, wide, _BADGE, ORANGE if marked else _PALE, stroke=INK if marked else _EDGE)
    canvas.text(x + wide / 2, y + canvas.top + 11.5, text, size=10, weight=600, anchor="middle", fill="#000000")


def _label(ways: Sequence[tuple[str, ...]], numbers: Mapping[str, int]) -> str:
    """Return the numbers of barriers: ``3+7`` all at once, ``12-15`` any one of them."""
    single = sorted(numbers[way[0]] for way in ways if len(way) == 1)
    runs: list[list[int]] = []
    for number in single:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [str(run[0]) if len(run) == 1 else f"{run[0]}{'|' if len(run) == 2 else '-'}{run[-1]}" for run in runs]
    return "|".join([*parts, *("+".join(str(numbers[name]) for name in way) for way in ways if len(way) > 1)])


def _free(spot: Point, wide: float, taken: Sequence[Box]) -> bool:
    x, y = spot
    return not any(x < right and left < x + wide and y < low and top < y + _BADGE for left, top, right, low in taken)


def _names(canvas: Canvas, names: Sequence[str], y: float, lines: int) -> None:
    room = (_WIDTH - 24) / _LEGEND
    for place, name in enumerate(names):
        x, line = 12 + room * (place // lines), y + 16 * (place % lines)
        canvas.rect(x, line - 11, 22, 14, _PALE, stroke=_EDGE)
        canvas.text(x + 11, line, str(place + 1), size=10, weight=600, anchor="middle", fill="#000000")
        canvas.text(x + 28, line, shortened(name, room - 34, 11), size=11)


def _title(node: str, model: IsolationCatalogue) -> str:
    return model.positions[node].title if node in model.positions else model.assets[node].title
