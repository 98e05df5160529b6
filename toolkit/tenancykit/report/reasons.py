"""Why a design is first, how sure that is, and what would change it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from tenancykit.criterion_names import TITLES
from tenancykit.decision.explain import Contribution, Why
from tenancykit.decision.table import figures_apart
from tenancykit.decision.verdict import share_in_words
from tenancykit.report.calling import names_beside, recommended_in_full
from tenancykit.report.opening_buys import other_families
from tenancykit.report.opening_days import days_in_words, open_days
from tenancykit.sentences import listed
from tenancykit.study.certainty import VARIED
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation

_FIRST, _LAST = 0.0, 1.0

_ALL: Final = 0.995
"""Share of samples from which nobody asks about the others."""
_TOLD_FROM: Final = 0.0005
"""Share of the score from which a criterion is given as a reason."""
_NOISE: Final = 0.01
"""Shares of samples that differ by less are not told apart."""
_TOLD: Final = 3
"""A name beside the first design, which a sentence behind one about another design would give to that."""

DOUBT: Final = f"in samples of {VARIED}"
"""What differs from sample to sample."""


def why_first(study: Study) -> str:
    """Return why the first design is first, against the next that is no near-twin of it, designs told in words."""
    ranking = study.ranking
    if ranking is None:
        return f"N{study.nobody().removeprefix('n')}."
    order = ranking.ordered()
    if len(order) == 1:
        return "It is the only design that meets every requirement."
    best = study[order[0]]
    second = next(iter(other_families(study, best)), study[order[1]])
    found = study.why(best.id, second.id)
    score = ranking.scores[ranking.labels.index(best.id)]
    lead = f"{found.lead:.3f}" if found.lead >= 0.001 else "less than 0.001"
    text = f"It scores {score:.3f} of 1, {lead} more than {names_beside(study, [second.id])[second.id]}"
    text += f": {for_and_against(study, found)}"
    of_figures = [need for need in found.needs if need.kind == "value" and need.criterion != "isolation"]
    needs = of_figures or [need for need in found.needs if need.kind == "weight"]
    return f"{text}." + (f" That one would draw level if {' or '.join(map(str, needs[:2]))}." if needs else "")


def for_and_against(study: Study, found: Why) -> str:
    """Return what speaks for the first of two designs, and what against it."""
    favour, against = _told(study, found, found.reasons_for), _told(study, found, found.reasons_against)
    return f"{favour or 'next to equal on every criterion'}{f'; although {against}' if against else ''}"


def overruled(study: Study, chosen: Evaluation) -> str:
    """Return that a design was chosen against the ranking, where it stands, and why another is first."""
    rank = study.rank(chosen.id)
    place = f"rank {rank}" if rank else "not admitted: " + "; ".join(study.exclusions(chosen.id))
    first = f" First is {study.best.name}." if study.ranking else ""
    return f"{chosen.name} was chosen by hand ({place}).{first} {why_first(study)}"


def _told(study: Study, found: Why, contributions: tuple[Contribution, ...]) -> str:
    best, second = study[found.first], study[found.second]
    return ", ".join(contribution(best, second, one) for one in worth_telling(contributions))


def worth_telling(contributions: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Return the reasons that three decimals of the score tell from none."""
    return tuple(one for one in contributions if abs(one.amount) >= _TOLD_FROM)


def contribution(best: Evaluation, second: Evaluation, one: Contribution) -> str:
    """Return what one criterion adds to the lead of one design over another, with both figures."""
    name, told = TITLES[one.criterion].lower(), " against ".join(figures_apart(one.first, one.second))
    if one.criterion == "isolation":
        first, other = (days_in_words(evaluation, what=False) for evaluation in (best, second))
        if first != other and not _gainsaid(best, second, one):
            return f"open days a year {first} against {other} ({one.amount:+.3f})"
    return f"{name} {told} {one.unit}".rstrip() + f" ({one.amount:+.3f})"


def _gainsaid(best: Evaluation, second: Evaluation, one: Contribution) -> bool:
    """Return whether open days read the other way: no class has fewer where isolation speaks for the first, or more.

    Days are those of what lies most open; values count every plane of a class.
    """
    mine, theirs = open_days(best), open_days(second)
    gains = [theirs[name][0] - days for name, (days, _) in mine.items() if name in theirs]
    return bool(gains) and (max(gains) <= 0 if one.amount > 0 else min(gains) >= 0)


_GROWING: Final[tuple[tuple[Literal["toil", "effort"], str], ...]] = (
    ("toil", "fewer hours of toil a month"),
    ("effort", "fewer person-days to build"),
)


def changes_of_order(study: Study, first: str, second: str) -> str:
    """Return from how many tenants on which of two designs takes less to run or to build; nothing where none does.

    Raises:
        InputError: the study holds no such design.
    """
    told = [
        f"from {crossing.tenants:,} tenants on {crossing.less} takes {what} than {crossing.more}"
        for key, what in _GROWING
        for crossing in study.crossing_points(first, second, what=key)
    ]
    return f"The order changes with the number of tenants: {'; '.join(told)}." if told else ""


def contested(study: Study) -> str:
    """Return whether other methods and the stakeholders choose the first design too, and who would choose which."""
    if study.agreement is None or study.ranking is None:
        return ""
    first = study.ranking.winner
    chosen: dict[str, list[str]] = {}
    for method, winners in zip(study.agreement.methods, study.agreement.winners, strict=True):
        chosen.setdefault(first if first in winners else winners[0], []).append(method)
    for name, label in chosen_otherwise(study):
        chosen.setdefault(label, []).append(f"stakeholder {name}")
    if list(chosen) == [first]:
        return f"Every method{' and stakeholder' if study.stakeholders else ''} puts it first."
    agree, names = chosen.pop(first, []), names_beside(study, chosen)
    told = "; ".join(f"{listed(by)} would choose {names[winner]}" for winner, by in chosen.items())
    return f"It is the choice of {listed(agree)}, but {told}." if agree else f"But {told}."


def chosen_otherwise(study: Study) -> Iterator[tuple[str, str]]:
    """Yield every stakeholder with the design first by its weights; the study's first where that is among them."""
    for name, view in study.stakeholders.items():
        if view.ranking is not None:
            winners = view.ranking.winners
            yield name, study.best.id if study.best.id in winners else winners[0]


def how_sure(study: Study) -> str:
    """Return whether the first place is robust against uncertain values and weights, or what would settle it."""
    return "" if study.verdict is None else str(study.verdict)


def hangs_on(study: Study) -> str:
    """Return what the samples hang on in which another design is first; empty where there are next to none."""
    verdict = study.verdict
    if verdict is None or verdict.share >= _ALL or len(study.basis.table) == 1:
        return ""
    rest, most = 1 - verdict.share, study.hinges[0]
    told = f"The other {share_in_words(rest)} of samples hang"
    if most.share - verdict.share >= rest / 2:
        return f"{told} on {most.words}: with those as they are, it is first in {share_in_words(most.share)}."
    others = [
        f"{share_in_words(h.share)} with {h.words}" for h in study.hinges[:_TOLD] if h.share > verdict.share + _NOISE
    ]
    return f"{told} on several things together; it is first in {listed(others)} as they are." if others else ""


def of_samples(share: float, samples: int) -> str:
    """Return a share of samples as people say it: ``3,880 of 4,000 samples``, ``all 4,000 samples``."""
    count = round(share * samples)
    return f"all {samples:,} samples" if count == samples else f"{count:,} of {samples:,} samples"


def what_would_change_it(study: Study) -> str:
    """Return at which weights which other design takes the first place, design by design; by rank."""
    edges: dict[str, list[str]] = {}
    for found in study.weight_intervals:
        name = TITLES[found.criterion].lower()
        if found.below is not None and found.low > _FIRST:
            edges.setdefault(found.below, []).append(f"{name} weighs less than {weight(found.low)}")
        if found.above is not None and found.high < _LAST:
            edges.setdefault(found.above, []).append(f"{name} weighs more than {weight(found.high)}")
    names = names_beside(study, edges)
    told = [
        f"{recommended_in_full(names[label])} is first where {', or '.join(reasons)}."
        for label, reasons in sorted(edges.items(), key=lambda item: study.rank(item[0]) or 0)
    ]
    return " ".join(f"{text[0].upper()}{text[1:]}" for text in told)


def weight(value: float) -> str:
    """Return a weight with two decimals, with more where it would read as none or all (``0.004``, ``0.997``)."""
    digits = next((n for n in range(2, 6) if round(value, n) not in (0, 1)), 2)
    return f"{value:.{digits}f}"
