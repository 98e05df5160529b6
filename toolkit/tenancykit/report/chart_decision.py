"""Charts of the decision: Pareto scatter, rank acceptability, weights that change first place, designs compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tenancykit.criteria.score import Score
from tenancykit.report.chart_canvas import (
    BLUE,
    EMPTY,
    FAINT,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALETTE,
    WIDTH,
    Axis,
    Canvas,
    Chart,
    ink_on,
    spread,
)
from tenancykit.report.figures import TITLES, number, short_value, value_text
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import CRITERIA, Evaluation
from tenancykit.study.exploration import Exploration

_MOST: Final = 16
_FADE: Final = ("#08306b", "#2171b5", "#6baed6", "#c6dbef")
"""Dark to light blue for ranks 1 to 4 (ColorBrewer's Blues)."""


def pareto(study: Study, x: str = "cost", y: str = "isolation") -> Chart:
    """Return every design of a study by two criteria; the front of all four criteria in strong colour.

    Args:
        study: the designs.
        x: criterion from left to right.
        y: criterion from bottom to top.
    """
    points = study.evaluations
    front = set(study.front.labels) if study.front is not None else set()
    winner = study.ranking.winner if study.ranking is not None else ""
    scores = points[0].scores
    canvas = Canvas(_pareto_title(study, front, x, y), 400)
    left, right, base = 72, WIDTH - 24, canvas.top + 400 - 44
    used = canvas.legend(
        left,
        canvas.top + 8,
        [
            ("first place", ORANGE),
            ("on the Pareto front", BLUE),
            ("admitted, beaten", "#9ecae1"),
            ("not admitted", FAINT),
        ],
        room=right - left,
    )
    across = spread(_near(study, x), left, right)
    up = spread(_near(study, y), base, canvas.top + used + 6)

    def place_of(evaluation: Evaluation) -> tuple[float, float, str]:
        """Return where a design is drawn, and its value where it lies beyond the frame."""
        at_x, at_y = across(evaluation.scores[x].value), up(evaluation.scores[y].value)
        beyond = "" if at_x <= right else f" {number(evaluation.scores[x].value)} \u203a"
        beyond += "" if at_y >= canvas.top + used else f" {number(evaluation.scores[y].value)}"
        return min(at_x, right - 4), max(at_y, canvas.top + used + 8), beyond

    canvas.scale_across(across, base, canvas.top + used + 6, _axis_title(x, scores[x]))
    canvas.scale_up(up, left, right, _axis_title(y, scores[y]))
    taken = [(at_x - 4, at_x + 4, at_y + 4) for at_x, at_y, _ in map(place_of, points)]

    def standing(e: Evaluation) -> int:
        return 3 if e.id == winner else 2 if e.id in front else 1 if study.rank(e.id) is not None else 0

    for evaluation in sorted(points, key=lambda e: (standing(e), e.id)):
        place = standing(evaluation)
        told = (
            f"{evaluation.id} {evaluation.name}: {value_text(evaluation.scores[y])}, {value_text(evaluation.scores[x])}"
        )
        at_x, at_y, _ = place_of(evaluation)
        canvas.circle(
            at_x,
            at_y,
            (4, 5, 6, 8)[place],
            (FAINT, "#9ecae1", BLUE, ORANGE)[place],
            title=told,
        )
    for evaluation in sorted(points, key=lambda e: (-standing(e), e.id)):
        place = standing(evaluation)
        at_x, at_y, beyond = place_of(evaluation)
        _label(canvas, evaluation.id + beyond, at_x, at_y, taken, strong=place == 3, faint=place == 0, right=right)
    data = [
        [
            f"{e.id} {e.name}",
            short_value(e.scores[y]),
            short_value(e.scores[x]),
            ("not admitted", "beaten", "on the front", "first place")[standing(e)],
        ]
        for e in study.order
    ]
    return canvas.chart(["design", TITLES[y], TITLES[x], "standing"], data)


def explored(found: Exploration, study: Study, x: str = "cost", y: str = "isolation") -> Chart:
    """Return the front of an exploration by two criteria, with the reference architectures beside it.

    Args:
        found: what was explored.
        study: the reference architectures for the same scenario.
        x: criterion from left to right.
        y: criterion from bottom to top.
    """
    front = found.admitted or found.front
    references = [e for e in study.evaluations if study.rank(e.id) is not None] or list(study.evaluations)
    scores = study.evaluations[0].scores
    proven = "the exact front" if found.exact else "the best found so far, not proven to be the whole front"
    canvas = Canvas(f"{len(front)} designs of the space are beaten by none: {proven}", 400)
    left, right, base = 72, WIDTH - 24, canvas.top + 400 - 44
    legend = [("on the front of the space", GREEN), ("reference architectures", BLUE)]
    used = canvas.legend(left, canvas.top + 8, legend, room=right - left)
    along = [one[x] for one in front] + [e.scores[x].value for e in references]
    high = [one[y] for one in front] + [e.scores[y].value for e in references]
    across, up = spread(along, left, right), spread(high, base, canvas.top + used + 6)
    canvas.scale_across(across, base, canvas.top + used + 6, _axis_title(x, scores[x]))
    canvas.scale_up(up, left, right, _axis_title(y, scores[y]))
    for one in front:
        canvas.circle(across(one[x]), up(one[y]), 3.5, GREEN, title=f"{one.id}: {number(one[y])}, {number(one[x])}")
    taken = [
        (across(e.scores[x].value) - 4, across(e.scores[x].value) + 4, up(e.scores[y].value) + 4) for e in references
    ]
    for e in references:
        canvas.circle(across(e.scores[x].value), up(e.scores[y].value), 6, BLUE, title=f"{e.id} {e.name}")
    for e in references:
        at = (across(e.scores[x].value), up(e.scores[y].value))
        _label(canvas, e.id, *at, taken, strong=False, faint=False, right=right)
    rows = [[one.id, number(one[y]), number(one[x])] for one in front]
    rows += [[e.id, number(e.scores[y].value), number(e.scores[x].value)] for e in references]
    return canvas.chart(["design", TITLES[y], TITLES[x]], rows)


def _near(study: Study, name: str) -> list[float]:
    """Return the values that set the scale: of admitted designs, and of others not far beyond them."""
    admitted = [e.scores[name].value for e in study.evaluations if study.rank(e.id) is not None]
    values = [e.scores[name].value for e in study.evaluations]
    if not admitted:
        return values
    reach = max(admitted) + max(max(admitted) - min(admitted), 0.25 * abs(max(admitted)))
    return [value for value in values if value <= reach]


def _pareto_title(study: Study, front: set[str], x: str, y: str) -> str:
    if study.ranking is None:
        return "No design meets every requirement"
    best = study.best
    return (
        f"{len(front)} of {len(study.evaluations)} designs are beaten by none; first is {best.id} with "
        f"{number(best.scores[y].value)} {best.scores[y].unit} and {number(best.scores[x].value)} {best.scores[x].unit}"
    )


def _axis_title(name: str, score: Score) -> str:
    return f"{TITLES[name]}, {score.unit} ({'more' if score.better == 'higher' else 'less'} is better)"


def _label(
    canvas: Canvas,
    text: str,
    x: float,
    y: float,
    known: list[tuple[float, float, float]],
    *,
    strong: bool,
    faint: bool,
    right: float,
) -> None:
    """Write a name beside a mark where no other name stands, with a thin line back to the mark where it moved away."""
    wide = len(text) * 6.6 + 4
    side = x + 9 if x + 9 + wide < right else x - 9 - wide
    taken = [t for t in known if t != (x - 4, x + 4, y + 4)]
    for step in range(17):
        place = y + 4 + (step + 1) // 2 * 12 * (1 if step % 2 else -1)
        if all(abs(place - other_y) > 11 or side + wide < lo or side > hi for lo, hi, other_y in taken):
            break
    known.append((side, side + wide, place))
    if abs(place - y - 4) > 13:
        canvas.line(x, y, side if side > x else side + wide, place - 4, GREY, width=0.7)
    canvas.text(side, place, text, size=11, weight=700 if strong else 400, fill="#777777" if faint else INK)


def acceptability(study: Study) -> Chart:
    """Return how often each admitted design takes each rank when values and weights are uncertain (SMAA-2)."""
    found = study.acceptability
    if found is None:
        return _nobody(study)
    order = [int(row) for row in found.order][:_MOST]
    shares = found.rank_acceptability
    first = found.labels[order[0]]
    ranks = min(shares.shape[1], len(_FADE))
    title = f"{first} is first in {found.first[order[0]]:.0%} of {found.samples:,} samples of values and weights"
    if len(order) > 1 and found.first[order[1]] >= 0.005:
        title += f", {found.labels[order[1]]} in {found.first[order[1]]:.0%}"
    left, right, row = 96, WIDTH - 30, 22
    canvas = Canvas(title, 10, note=found.statement)
    names = ["first", "second", "third", "fourth"][:ranks]
    legend = [(name, _FADE[i]) for i, name in enumerate(names)] + (
        [("later", EMPTY)] if shares.shape[1] > ranks else []
    )
    top = canvas.top + 8 + canvas.legend(left, canvas.top + 8, legend, room=500) - 4
    base = top + row * len(order) + 4
    canvas.bottom = base + 44
    axis = Axis(0, 100, left, right)
    canvas.scale_across(axis, base, top, "Share of samples, %")
    for place, index in enumerate(order):
        y, along = top + row * place, 0.0
        canvas.text(left - 8, y + 15, found.labels[index], anchor="end", room=left - 14)
        canvas.rect(left, y + 3, right - left, row - 6, EMPTY)
        for rank in range(ranks):
            share = float(shares[index, rank])
            x, wide = axis(along * 100), axis(share * 100) - axis(0)
            canvas.rect(x, y + 3, wide, row - 6, _FADE[rank], title=f"rank {rank + 1}: {share:.1%}")
            if wide > 30:
                canvas.text(x + wide / 2, y + 15, f"{share:.0%}", size=11, anchor="middle", fill=ink_on(_FADE[rank]))
            along += share
    data = [
        [found.labels[i], *(f"{float(shares[i, r]):.1%}" for r in range(ranks)), f"{float(found.expected_rank[i]):.2f}"]
        for i in order
    ]
    return canvas.chart(["design", *names, "expected rank"], data)


def weight_ranges(study: Study) -> Chart:
    """Return per criterion the weights for which first place stays, and who comes first beyond them (a tornado)."""
    intervals = study.weight_intervals
    if not intervals:
        return _nobody(study)
    winner = intervals[0].winner
    tight = min(intervals, key=lambda i: (i.high - i.low, i.criterion))
    free = all(i.below is None and i.above is None for i in intervals)
    title = f"{winner} stays first whatever a single weight is"
    if not free:
        title = (
            f"{winner} stays first while the weight of {TITLES[tight.criterion].lower()} lies between "
            f"{tight.low:.2f} and {tight.high:.2f} (now {tight.current:.2f})"
        )
    left, right, row = 178, WIDTH - 40, 34
    canvas = Canvas(
        title,
        10,
        note="One weight moves, the others keep their proportions. Dot: weight now. At the ends: who is first beyond.",
    )
    top = canvas.top + 6
    base = top + row * len(intervals) + 4
    canvas.bottom = base + 44
    axis = Axis(0, 1, left, right)
    canvas.scale_across(axis, base, top, "Weight of the criterion (0 to 1)")
    for place, found in enumerate(sorted(intervals, key=lambda i: (i.high - i.low, i.criterion))):
        y = top + row * place
        canvas.text(left - 8, y + 21, TITLES[found.criterion], anchor="end")
        canvas.rect(left, y + 8, right - left, row - 16, EMPTY)
        low, high = axis(found.low), axis(found.high)
        canvas.rect(low, y + 8, high - low, row - 16, "#9ecae1", title=f"{winner} is first", stroke=BLUE)
        canvas.circle(axis(found.current), y + row / 2, 5, ORANGE, title=f"now {found.current:.2f}")
        if found.below is not None:
            canvas.text(low + 6, y + 21, f"\u2039 {found.below}", size=11, weight=600)
        if found.above is not None:
            canvas.text(high - 6, y + 21, f"{found.above} \u203a", size=11, anchor="end", weight=600)
    data = [
        [TITLES[i.criterion], f"{i.current:.2f}", f"{i.low:.2f}", i.below or "-", f"{i.high:.2f}", i.above or "-"]
        for i in intervals
    ]
    return canvas.chart(["criterion", "weight now", "from", "first below", "to", "first above"], data)


def side_by_side(study: Study, first: str, second: str) -> Chart:
    """Return two designs on the four criteria, each scaled from the worst to the best reference architecture.

    Raises:
        InputError: the study holds no such design.
    """
    pair = (study[first], study[second])
    ahead = [n for n in CRITERIA if _share(study, pair[0], n) > _share(study, pair[1], n) + 1e-9]
    behind = [n for n in CRITERIA if _share(study, pair[0], n) < _share(study, pair[1], n) - 1e-9]
    title = f"{pair[0].id} is better on {_listed(ahead)}; {pair[1].id} on {_listed(behind)}"
    if not ahead or not behind:
        better, where = (pair[0].id, ahead) if ahead else (pair[1].id, behind)
        title = f"{better} is better on {_listed(where)} and nowhere worse" if where else "The two are equal"
    left, right, row = 178, WIDTH - 130, 46
    canvas = Canvas(title, 10, note="0: worst, 1: best valid reference architecture for this scenario.")
    top = (
        canvas.top + 8 + canvas.legend(left, canvas.top + 8, [(e.id, PALETTE[i]) for i, e in enumerate(pair)], room=500)
    )
    base = top + row * len(CRITERIA)
    canvas.bottom = base + 44
    axis = Axis(0, 1, left, right)
    canvas.scale_across(axis, base, top, "Utility (longer is better)")
    data = []
    for place, name in enumerate(CRITERIA):
        y = top + row * place
        canvas.text(left - 8, y + 26, TITLES[name], anchor="end")
        for index, evaluation in enumerate(pair):
            share = _share(study, evaluation, name)
            at = y + 4 + index * 19
            canvas.rect(left, at, right - left, 16, EMPTY)
            canvas.rect(left, at, axis(share) - left, 16, PALETTE[index], title=f"{share:.3f} of 1")
            canvas.text(right + 6, at + 12, short_value(evaluation.scores[name]), size=11, room=124)
        unit = pair[0].scores[name].unit
        data.append([f"{TITLES[name]}, {unit}", *(short_value(e.scores[name]) for e in pair)])
    return canvas.chart(["criterion", pair[0].id, pair[1].id], data)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(TITLES[n].lower() for n in names) or "nothing"


def _share(study: Study, evaluation: Evaluation, name: str) -> float:
    score = evaluation.scores[name]
    low, high = study.bounds.get(name, (score.value, score.value))
    if high <= low:
        return 1.0
    share = (score.value - low) / (high - low)
    return min(1.0, max(0.0, share if score.better == "higher" else 1 - share))


def group_scatter(points: Mapping[str, tuple[float, float]], *, x: str, y: str, title: str, best: str = "") -> Chart:
    """Return named points on two axes, one of them marked; for designs of several people on one chart.

    Args:
        points: name to (x, y).
        x: title of the horizontal axis, with its unit.
        y: title of the vertical axis, with its unit.
        title: the finding.
        best: name of the point that is marked.
    """
    canvas = Canvas(title, 380)
    left, right, base = 72, WIDTH - 24, canvas.top + 380 - 46
    across = spread([p[0] for p in points.values()], left, right)
    up = spread([p[1] for p in points.values()], base, canvas.top + 6)
    canvas.scale_across(across, base, canvas.top + 6, x)
    canvas.scale_up(up, left, right, y)
    taken = [(across(px) - 4, across(px) + 4, up(py) + 4) for px, py in points.values()]
    for name, (at_x, at_y) in sorted(points.items(), key=lambda item: item[0] == best):
        fill = ORANGE if name == best else BLUE
        canvas.circle(across(at_x), up(at_y), 8 if name == best else 6, fill, title=name)
    for name, (at_x, at_y) in sorted(points.items(), key=lambda item: (item[0] != best, item[0])):
        _label(canvas, name, across(at_x), up(at_y), taken, strong=name == best, faint=False, right=right)
    return canvas.chart(["name", x, y], [[name, number(px), number(py)] for name, (px, py) in sorted(points.items())])


def _nobody(study: Study) -> Chart:
    canvas = Canvas("No design meets every requirement", 40)
    canvas.text(12, canvas.top + 20, study.nobody(), room=WIDTH - 24)
    rows = [[e.id, "; ".join(study.exclusions(e.id))] for e in study.order]
    return canvas.chart(["design", "not admitted because"], rows)
