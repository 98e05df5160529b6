"""Charts of the decision: Pareto scatter, rank acceptability, weights that change first place, designs compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tenancykit.criteria.score import Score
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.decision.sensitivity import WeightInterval
from tenancykit.report.chart_canvas import WIDTH, Axis, Canvas, Chart, spread
from tenancykit.report.chart_colours import BLUE, EMPTY, FAINT, GREEN, GREY, INK, ORANGE, PALETTE, ink_on
from tenancykit.report.figures import number, short_value, short_values, value_text
from tenancykit.report.reasons import DOUBT, of_samples, weight
from tenancykit.sentences import listed
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.exploration import Exploration

_MOST: Final = 16
_NAME_ROOM: Final = 52
"""Pixels that the name of a design and an arrow take."""
_STANDINGS: Final = (
    ("not admitted", FAINT, "cross", 5),
    ("admitted, beaten", "#9ecae1", "ring", 5),
    ("on the Pareto front", BLUE, "disc", 6),
    ("first place", ORANGE, "diamond", 9),
)
"""How designs are marked: name, colour, shape, size; shape and size tell them apart without colour."""
_RANGE: Final = "#9ecae1"
_FADE: Final = ("#2171b5", "#6baed6", "#9ecae1", "#deebf7")
"""Strong to pale blue for ranks 1 to 4 (ColorBrewer's Blues), each seen on white and on a dark page."""


def pareto(study: Study, x: str = "cost", y: str = "isolation") -> Chart:
    """Return every design of a study by two criteria; the front of all four criteria in strong colour.

    Args:
        study: the designs.
        x: criterion from left to right.
        y: criterion from bottom to top.
    """
    points = study.evaluations
    front = set(study.pareto_front.labels) if study.pareto_front is not None else set()
    winner = study.ranking.winner if study.ranking is not None else ""
    scores = points[0].scores
    near = {name: _near(study, name) for name in (x, y)}
    far = [e for e in points if any(e.scores[name].value > max(values) for name, values in near.items())]
    canvas = Canvas(_pareto_title(study, front, x, y), 400, note=_front_note(far, x, y))
    left, right, base = 72, WIDTH - 24, canvas.top + 400 - 44
    used = canvas.legend(left, canvas.top + 8, [kind[:3] for kind in reversed(_STANDINGS)], room=right - left)
    across = spread(near[x], left, right)
    up = spread(near[y], base, canvas.top + used + 6)

    def place_of(evaluation: Evaluation) -> tuple[float, float]:
        """Return where a design is drawn: at the edge where it lies beyond the axes."""
        at_x, at_y = across(evaluation.scores[x].value), up(evaluation.scores[y].value)
        return min(at_x, right - 4), max(at_y, canvas.top + used + 8)

    canvas.scale_across(across, base, canvas.top + used + 6, _axis_title(x, scores[x]))
    canvas.scale_up(up, left, right, _axis_title(y, scores[y]))
    names = _Names(canvas, [place_of(e) for e in points], canvas.top + used + 10, base, right)

    def standing(e: Evaluation) -> int:
        return 3 if e.id == winner else 2 if e.id in front else 1 if study.rank(e.id) is not None else 0

    for evaluation in sorted(points, key=lambda e: (standing(e), e.id)):
        _, fill, shape, size = _STANDINGS[standing(evaluation)]
        told = (
            f"{evaluation.id} {evaluation.name}: {value_text(evaluation.scores[y])}, {value_text(evaluation.scores[x])}"
        )
        canvas.mark(*place_of(evaluation), size, fill, shape, title=told)
    for evaluation in sorted((e for e in points if e not in far), key=lambda e: (-standing(e), e.id)):
        place = standing(evaluation)
        names.write(evaluation.id, *place_of(evaluation), strong=place == 3, faint=place == 0)
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


def explored(found: Exploration, study: Study | None = None, x: str = "cost", y: str = "isolation") -> Chart:
    """Return the front of an exploration by two criteria, with the reference architectures beside it where given.

    Args:
        found: what was explored.
        study: the reference architectures for the same scenario; None for the front alone.
        x: criterion from left to right.
        y: criterion from bottom to top.
    """
    front = found.admitted or found.front
    measured = study.evaluations if study else ()
    references = [e for e in measured if study and study.rank(e.id) is not None] or list(measured)
    proven = "the exact front" if found.exact else "the best found so far, not proven to be the whole front"
    canvas = Canvas(f"{len(front)} designs of the space are beaten by none: {proven}", 400)
    left, right, base = 72, WIDTH - 24, canvas.top + 400 - 44
    legend = [("on the front of the space", GREEN, "disc"), ("reference architectures", BLUE, "square")]
    legend = legend if study else legend[:1]
    used = canvas.legend(left, canvas.top + 8, legend, room=right - left)
    along = [one[x] for one in front] + [e.scores[x].value for e in references]
    high = [one[y] for one in front] + [e.scores[y].value for e in references]
    across, up = spread(along, left, right), spread(high, base, canvas.top + used + 6)
    canvas.scale_across(across, base, canvas.top + used + 6, _unit_title(x, found))
    canvas.scale_up(up, left, right, _unit_title(y, found))
    for one in front:
        told = f"{one.id}: {number(one[y])}, {number(one[x])}"
        canvas.mark(across(one[x]), up(one[y]), 3.5, GREEN, "disc", title=told)
    at = {e.id: (across(e.scores[x].value), up(e.scores[y].value)) for e in references}
    names = _Names(canvas, list(at.values()), canvas.top + used + 10, base, right)
    for e in references:
        canvas.mark(*at[e.id], 5.5, BLUE, "square", title=f"{e.id} {e.name}")
    for e in references:
        names.write(e.id, *at[e.id])
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
        f"Of {len(study.ranking.labels)} admitted designs {len(front)} are beaten by none; first is {best.id} with "
        f"{number(best.scores[y].value)} {best.scores[y].unit} and {number(best.scores[x].value)} {best.scores[x].unit}"
    )


def _axis_title(name: str, score: Score) -> str:
    return f"{TITLES[name]}, {score.unit} ({'more' if score.better == 'higher' else 'less'} is better)"


def _unit_title(name: str, found: Exploration) -> str:
    unit = {
        "isolation": "nines (more is better)",
        "effort": "person-days (less is better)",
        "operations": "hours/month (less is better)",
        "cost": f"{found.scenario.infrastructure.currency} per month (less is better)",
    }[name]
    return f"{TITLES[name]}, {unit}"


def _front_note(far: Sequence[Evaluation], x: str, y: str) -> str:
    """Return what the front is, and which designs lie beyond the axes, with their figures."""
    note = "On the Pareto front: no admitted design is at least as good on all four criteria and better on one."
    if not far:
        return note
    units = " and ".join(dict.fromkeys(far[0].scores[name].unit for name in (x, y)))
    told = listed([f"{e.id} ({number(e.scores[x].value)}, {number(e.scores[y].value)})" for e in far])
    return f"{note} At the edge, as beyond the axes ({units}): {told}."


class _Names:
    """Names beside marks, each where no other name or mark stands."""

    def __init__(
        self, canvas: Canvas, marks: Sequence[tuple[float, float]], top: float, base: float, right: float
    ) -> None:
        self._canvas = canvas
        self._top, self._base, self._right = top, base, right
        self._taken = [(x - 4, x + 4, y + 4) for x, y in marks]

    def write(self, text: str, x: float, y: float, *, strong: bool = False, faint: bool = False) -> None:
        """Write the name of the mark at (x, y), with a thin line back to it where it had to move away."""
        wide = len(text) * (7.6 if strong else 6.6) + 4
        side = x + 11 if x + 11 + wide < self._right else x - 11 - wide
        others = [t for t in self._taken if t != (x - 4, x + 4, y + 4)]
        steps = [(step + 1) // 2 * 12 * (1 if step % 2 else -1) for step in range(33)]
        places = [y + 4 + step for step in steps if self._top <= y + 4 + step <= self._base - 2] or [y + 4]
        free = (p for p in places if all(abs(p - o) > 11 or side + wide < lo or side > hi for lo, hi, o in others))
        place = next(free, places[0])
        self._taken.append((side, side + wide, place))
        if abs(place - y - 4) > 13:
            self._canvas.line(x, y, side if side > x else side + wide, place - 4, GREY, width=0.7)
        self._canvas.text(side, place, text, size=11, weight=700 if strong else 400, fill="#666666" if faint else INK)


def acceptability(study: Study) -> Chart:
    """Return how often each admitted design takes each rank when values and weights are uncertain (SMAA-2)."""
    found = study.acceptability
    if found is None:
        return _nobody(study)
    order = [int(row) for row in found.order][:_MOST]
    shares = found.rank_acceptability
    first = found.labels[order[0]]
    ranks = min(shares.shape[1], len(_FADE))
    title = f"{first} is first in {of_samples(float(found.first[order[0]]), found.samples)} of values and weights"
    if len(order) > 1 and found.first[order[1]] >= 0.005:
        title += f", {found.labels[order[1]]} in {round(found.first[order[1]] * found.samples):,}"
    left, right, row = 96, WIDTH - 30, 22
    canvas = Canvas(title, 10, note=_sample_note(study))
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


def _sample_note(study: Study) -> str:
    """Return what varies between samples, and between which values a criterion counts as worst and best."""
    spans = [
        f"{TITLES[end.leaf].lower()} {number(end.best)} to {number(end.worst)} {end.unit}"
        for end in study.scales.ends
        if end.leaf in TITLES
    ]
    scale = f" Criteria are valued between {', '.join(spans)}, isolation per class and plane." if spans else ""
    return f"Samples: designs ranked {DOUBT}.{scale}"


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
            f"{winner} stays first while the weight of {TITLES[tight.criterion].lower()} is {_between(tight)} "
            f"(now {tight.current:.2f})"
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
        canvas.rect(low, y + 8, high - low, row - 16, _RANGE, title=f"{winner} is first", stroke=BLUE)
        canvas.circle(axis(found.current), y + row / 2, 5, ORANGE, title=f"now {found.current:.2f}")
        if found.below is not None:
            outside = low - left > _NAME_ROOM
            at, anchor = (low - 6, "end") if outside else (low + 6, "start")
            ink = INK if outside else ink_on(_RANGE)
            canvas.text(at, y + 21, f"\u2039 {found.below}", size=11, anchor=anchor, weight=600, fill=ink)
        if found.above is not None:
            outside = right - high > _NAME_ROOM
            at, anchor = (high + 6, "start") if outside else (high - 6, "end")
            ink = INK if outside else ink_on(_RANGE)
            canvas.text(at, y + 21, f"{found.above} \u203a", size=11, anchor=anchor, weight=600, fill=ink)
    data = [
        [TITLES[i.criterion], f"{i.current:.2f}", weight(i.low), i.below or "-", weight(i.high), i.above or "-"]
        for i in intervals
    ]
    return canvas.chart(["criterion", "weight now", "from", "first below", "to", "first above"], data)


def _between(found: WeightInterval) -> str:
    if found.below is None:
        return f"at most {weight(found.high)}"
    return f"at least {weight(found.low)}" if found.above is None else f"{weight(found.low)} to {weight(found.high)}"


_ENDS: Final = "0 and 1: the ends of a criterion's scale, which follow from the scenario and the catalogue alone."


def side_by_side(study: Study, first: str, second: str) -> Chart:
    """Return two designs on the four criteria, each by its value between the ends of the scale.

    Raises:
        InputError: the study holds no such design.
    """
    pair = (study[first], study[second])
    ahead = [n for n in CRITERIA if shown_value(study, pair[0], n) > shown_value(study, pair[1], n) + 1e-9]
    behind = [n for n in CRITERIA if shown_value(study, pair[0], n) < shown_value(study, pair[1], n) - 1e-9]
    title = f"{pair[0].id} is better on {_listed(ahead)}; {pair[1].id} on {_listed(behind)}"
    if not ahead or not behind:
        better, where = (pair[0].id, ahead) if ahead else (pair[1].id, behind)
        title = f"{better} is better on {_listed(where)} and nowhere worse" if where else "The two are equal"
    left, right, row = 178, WIDTH - 130, 46
    canvas = Canvas(title, 10, note=_ENDS)
    top = (
        canvas.top + 8 + canvas.legend(left, canvas.top + 8, [(e.id, PALETTE[i]) for i, e in enumerate(pair)], room=500)
    )
    base = top + row * len(CRITERIA)
    canvas.bottom = base + 44
    axis = Axis(0, 1, left, right)
    canvas.scale_across(axis, base, top, "Value (longer is better)")
    data = []
    for place, name in enumerate(CRITERIA):
        y = top + row * place
        canvas.text(left - 8, y + 26, TITLES[name], anchor="end")
        told = short_values(pair[0].scores[name], pair[1].scores[name])
        for index, evaluation in enumerate(pair):
            share = shown_value(study, evaluation, name)
            at = y + 4 + index * 19
            canvas.rect(left, at, right - left, 16, EMPTY)
            canvas.rect(left, at, axis(share) - left, 16, PALETTE[index], title=f"{share:.3f} of 1")
            canvas.text(right + 6, at + 12, told[index], size=11, room=124)
        data.append([f"{TITLES[name]}, {pair[0].scores[name].unit}", *told])
    return canvas.chart(["criterion", pair[0].id, pair[1].id], data)


def _listed(names: Sequence[str]) -> str:
    return listed([TITLES[n].lower() for n in names]) or "nothing"


def shown_value(study: Study, evaluation: Evaluation, name: str) -> float:
    """Return a design's value on a criterion, 0 to 1, for a drawing that has no room beyond."""
    return min(1.0, max(0.0, study.value_of(evaluation.id, name)))


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
    names = _Names(canvas, [(across(px), up(py)) for px, py in points.values()], canvas.top + 10, base, right)
    for name, (at_x, at_y) in sorted(points.items(), key=lambda item: item[0] == best):
        _, fill, shape, size = _STANDINGS[3 if name == best else 2]
        canvas.mark(across(at_x), up(at_y), size, fill, shape, title=name)
    for name, (at_x, at_y) in sorted(points.items(), key=lambda item: (item[0] != best, item[0])):
        names.write(name, across(at_x), up(at_y), strong=name == best)
    return canvas.chart(["name", x, y], [[name, number(px), number(py)] for name, (px, py) in sorted(points.items())])


def _nobody(study: Study) -> Chart:
    canvas = Canvas("No design meets every requirement", 40)
    canvas.text(12, canvas.top + 20, study.nobody(), room=WIDTH - 24)
    rows = [[e.id, "; ".join(study.exclusions(e.id))] for e in study.order]
    return canvas.chart(["design", "not admitted because"], rows)
