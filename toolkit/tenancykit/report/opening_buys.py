"""The second line: what the first design buys in open days a year, and what others would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tenancykit.report.calling import apart, called
from tenancykit.report.figures import days_text
from tenancykit.report.opening_days import days_in_words, levels_in_words, open_days, open_to, worst_days
from tenancykit.report.opening_line import LINE, fitted
from tenancykit.scenario.naming import tenants_of
from tenancykit.sentences import three_digits
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation

_SAME: Final = 0.02
"""A design that is cheaper by less, as a share of the first design's cost, is not offered as the cheapest."""
_SAFER: Final = 0.8
"""What another design leaves open at most, as a share of the first design's, to be called safer in one line."""
_OFFERED: Final = 2
"""Times the first design's cost up to which a safer one is offered in one line; beyond it stands in the details."""
_DEARER: Final = 0.25
"""What the first design costs more than the cheapest, as a share of that, to be said beside its price. Assumption."""
_OPEN: Final = "Days a year open to"
_LEAVES: Final = ", leaves "
CHEAPEST: Final = "The cheapest admitted"
"""How the sentence about it begins."""


def buys(study: Study, best: Evaluation, *, beside: str = "", rival: Evaluation | None = None) -> tuple[str, list[str]]:
    """Return what a design buys as one line, and what did not fit it.

    Args:
        study: the study.
        best: the design.
        beside: the line that is read with this one, whose short names stand for no other design here.
        rival: the design that line speaks of.
    """
    if not open_days(best):
        return f"{_OPEN} {open_to(best.scenario)}: {days_in_words(best)}.", []
    said, left = _own(best)
    line, rest = _with_others(said, study, best, lambda other, name: other is rival or name not in beside)
    # A sentence by itself has no head that says what its numbers are.
    rest = [text.replace(_LEAVES, f"{_LEAVES}open, in days a year, ", 1) for text in rest]
    opened = "Open: on some path between two tenants no barrier is left; days are expected values."
    return line, [*left, *rest, *(f"{text}." for text in levels_in_words(best)[1]), opened]


def _own(best: Evaluation) -> tuple[str, list[str]]:
    """Return a design's open days and levels as one line, and what did not fit it.

    Who the tenants are comes before what of theirs lies most open.
    """
    head = f"{_OPEN} {open_to(best.scenario)}"
    levels = levels_in_words(best)[0]
    named, named_briefly = (days_in_words(best, what=what, by_name=True) for what in (True, False))
    briefly = (named, named_briefly, days_in_words(best), days_in_words(best, what=False))
    endings = (f"; level {levels}", "") if levels else ("",)
    ways = [f"{head}: {told}{rest}." for rest in endings for told in briefly]
    ways += [f"{head}: {_extremes(best)}{rest}." for rest in endings]
    said = next((way for way in ways if len(way) <= LINE), ways[-1])
    left = [] if named in said else [f"{head}, in full: {named}."]
    return said, left + ([f"Level {levels}."] if levels and levels not in said else [])


def _with_others(
    said: str, study: Study, best: Evaluation, free: Callable[[Evaluation, str], bool]
) -> tuple[str, list[str]]:
    """Return a line with what the cheapest and the safest of the others would cost and leave open, and the rest.

    Args:
        said: the line so far.
        study: the study.
        best: the first design.
        free: whether a short name may stand for a design, as it stands for no other nearby.
    """
    others = other_families(study, best)
    cheapest = _cheapest(others)
    safest = _safest(others)
    cost, offers, rest = best.scores["cost"].value, list[str](), list[str]()
    if cheapest is not None and cheapest.scores["cost"].value < cost * (1 - _SAME):
        offers.append(f"{CHEAPEST}, {in_short(cheapest, best)}.")
    if safest is None or safest is cheapest or worst_days(safest) >= _SAFER * worst_days(best):
        return fitted(said, offers)
    told = f"The safest, {in_short(safest, best)}; as weighed that is not worth it."
    if safest.scores["cost"].value > _OFFERED * cost:
        line, rest = fitted(said, offers)
        return line, [*rest, told]
    line, rest = fitted(said, [*offers, told])
    if line == said:
        names = [name for name in apart(safest, best) if free(safest, name)]
        ways = (f"The safest, {in_short(safest, best, name)}." for name in names)
        line = next((longer for way in ways if (longer := fitted(said, [way])[0]) != said), said)
    return line, rest


def dearer(study: Study, best: Evaluation) -> str:
    """Return how much more a design costs than the cheapest of the others, where that is much of it, as words."""
    cheapest = _cheapest(other_families(study, best))
    if cheapest is None or best.scores["cost"].value < cheapest.scores["cost"].value * (1 + _DEARER):
        return ""
    more = three_digits(best.scores["cost"].value - cheapest.scores["cost"].value)
    return f"{more} more than the cheapest admitted"


def _cheapest(designs: list[Evaluation]) -> Evaluation | None:
    return min(designs, key=lambda e: e.scores["cost"].value, default=None)


def _safest(designs: list[Evaluation]) -> Evaluation | None:
    """Return the design that leaves the fewest open days; the cheapest of those of which the same days are told."""
    least = min(designs, key=worst_days, default=None)
    days = least and days_in_words(least, what=False)
    alike = [one for one in designs if days_in_words(one, what=False) == days]
    return min(alike, key=lambda one: one.scores["cost"].value, default=None)


def _extremes(best: Evaluation) -> str:
    """Return the most and the least open days, and of whom, where there are too many classes to tell each."""
    found = open_days(best)
    classes = sorted((c for c in best.scenario.tenants.classes if c.id in found), key=lambda c: -found[c.id][0])
    told = [f"{days_text(found[one.id][0])} for {tenants_of([one])}" for one in (classes[0], classes[-1])]
    return f"at most {told[0]}, at least {told[1]}"


def in_short(other: Evaluation, best: Evaluation, name: str = "") -> str:
    """Return a design with what it costs more or less than the first and what it leaves open, as the end of a sentence.

    Args:
        other: the design.
        best: the first design.
        name: what it is called; what :func:`called` calls it where this is empty.
    """
    more = other.scores["cost"].value - best.scores["cost"].value
    currency = best.scenario.infrastructure.currency
    price = f"{three_digits(abs(more))} {currency} a month {'more' if more > 0 else 'less'}"
    if three_digits(other.scores["cost"].value) == three_digits(best.scores["cost"].value):
        price = "for about the same money"
    return f"{name or called(other, best)} ({price}){_LEAVES}{days_in_words(other, what=False)}"


def other_families(study: Study, best: Evaluation) -> list[Evaluation]:
    """Return the admitted designs of other families than the first, by rank."""
    if study.ranking is None:
        return []
    twins = twins_of(study, best)
    return [study[label] for label in study.ranking.ordered() if label not in twins]


def twins_of(study: Study, best: Evaluation) -> tuple[str, ...]:
    """Return the ids of the first design and of its near-twins."""
    return next(group for group in study.families if best.id in group)


__all__ = ["CHEAPEST", "buys", "dearer", "in_short", "other_families", "twins_of"]
