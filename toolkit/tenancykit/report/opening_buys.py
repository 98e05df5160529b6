"""The second line: what the first design buys in open days a year, and what others would."""

from __future__ import annotations

from typing import Final

from tenancykit.report.calling import called
from tenancykit.report.figures import days_text
from tenancykit.report.opening_days import days_in_words, levels_in_words, open_days, open_to, worst_days
from tenancykit.report.opening_line import LINE, fitted
from tenancykit.scenario.naming import tenants_of
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.exchange_rates import three_digits

_SAME: Final = 0.02
"""Costs that differ by less, as a share of the first design's, are not told apart in one line."""
_SAFER: Final = 0.8
"""What another design leaves open at most, as a share of the first design's, to be called safer in one line."""
_OPEN: Final = "Days a year open to"


def buys(study: Study, best: Evaluation) -> tuple[str, list[str]]:
    """Return what a design buys as one line, and what did not fit it."""
    levels, meant = levels_in_words(best)
    days = days_in_words(best)
    level = f"; level {levels}" if levels else ""
    head = f"{_OPEN} {open_to(best.scenario)}"
    briefly = [days, days_in_words(best, ways=False), _extremes(best)]
    ways = [f"{head}: {told}{rest}." for told in briefly for rest in (level, "")]
    said = next((way for way in ways if len(way) <= LINE), ways[-1])
    left = [f"{head}, in full: {days}."] if days not in said else []
    left += [f"Level {levels}."] if levels and levels not in said else []
    others = other_families(study, best)
    cheapest = min(others, key=lambda e: e.scores["cost"].value, default=None)
    safest = min(others, key=worst_days, default=None)
    cost, told = best.scores["cost"].value, []
    if cheapest is not None and cheapest.scores["cost"].value < cost * (1 - _SAME):
        told.append(f"The cheapest that meets every requirement, {_beside(cheapest, best)}.")
    if safest is not None and safest is not cheapest and worst_days(safest) < _SAFER * worst_days(best):
        told.append(f"The safest, {_beside(safest, best)}; as weighed that is not worth it.")
    # Whose days they are is told of a class that is alone too, where no sentence has to give way to it.
    classes = best.scenario.tenants.classes
    alone = len(classes) == 1 and classes[0].count > 1 and days in said
    named = said.replace(days, f"{days} for {tenants_of(classes)}", 1) if alone else said
    ways = [way for way in (named, said) if len(way) <= LINE] or [said]
    line, rest = min((fitted(way, told) for way in ways), key=lambda found: len(found[1]))
    rest = [*left, *rest]
    opened = "Open: on some path between two tenants no barrier is left; days are expected values."
    return line, [*rest, *(f"{text}." for text in meant), opened]


def _extremes(best: Evaluation) -> str:
    """Return the most and the least open days, and of whom, where there are too many classes to tell each."""
    found = open_days(best)
    classes = sorted((c for c in best.scenario.tenants.classes if c.id in found), key=lambda c: -found[c.id][0])
    told = [f"{days_text(found[one.id][0])} for {tenants_of([one])}" for one in (classes[0], classes[-1])]
    return f"at most {told[0]}, at least {told[1]}"


def _beside(other: Evaluation, best: Evaluation) -> str:
    more = other.scores["cost"].value - best.scores["cost"].value
    currency = best.scenario.infrastructure.currency
    price = f"{three_digits(abs(more))} {currency} a month {'more' if more > 0 else 'less'}"
    if abs(more) < _SAME * best.scores["cost"].value:
        price = "for about the same money"
    return f"{called(other, best)} ({price}), leaves {days_in_words(other, ways=False)}"


def other_families(study: Study, best: Evaluation) -> list[Evaluation]:
    """Return the admitted designs of other families than the first, by rank."""
    if study.ranking is None:
        return []
    twins = twins_of(study, best)
    return [study[label] for label in study.ranking.ordered() if label not in twins]


def twins_of(study: Study, best: Evaluation) -> tuple[str, ...]:
    """Return the ids of the first design and of its near-twins."""
    return next(group for group in study.families if best.id in group)


__all__ = ["buys", "other_families", "twins_of"]
