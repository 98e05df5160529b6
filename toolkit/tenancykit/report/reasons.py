"""Why a design is first, how sure that is, and what would change it."""

from __future__ import annotations

from typing import Final, Literal

from tenancykit.criterion_names import TITLES
from tenancykit.decision.explain import Contribution
from tenancykit.decision.sensitivity import WeightInterval
from tenancykit.decision.verdict import share_in_words
from tenancykit.report.figures import numbers_apart
from tenancykit.sentences import listed
from tenancykit.study.certainty import VARIED
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation

_FIRST, _LAST = 0.0, 1.0

_ALL: Final = 0.995
"""Share of samples from which nobody asks about the others."""
_NOISE: Final = 0.01
"""Shares of samples that differ by less are not told apart."""
_TOLD: Final = 3

DOUBT: Final = f"in samples of {VARIED}"
"""What differs from sample to sample."""


def why_first(study: Study) -> str:
    """Return why the first design is first, against the runner-up."""
    ranking = study.ranking
    if ranking is None:
        return study.nobody()
    order = ranking.ordered()
    best = study[order[0]]
    if len(order) == 1:
        return f"{best.id} {best.name} is first: the only design that meets every requirement."
    second = study[order[1]]
    found = study.why(best.id, second.id)
    score = ranking.scores[ranking.labels.index(best.id)]
    text = f"{best.id} {best.name} is first with {score:.3f} of 1, {found.lead:.3f} ahead of {second.id} {second.name}"
    text += f": {_told(found.reasons_for)}" if found.reasons_for else ": equal on every criterion"
    if found.reasons_against:
        text += f"; although {_told(found.reasons_against)}"
    if found.needs:
        text += f". {second.id} draws level if {' or '.join(map(str, found.needs[:2]))}"
    return text + "."


def overruled(study: Study, chosen: Evaluation) -> str:
    """Return that a design was chosen against the ranking, where it stands, and why another is first."""
    rank = study.rank(chosen.id)
    place = f"rank {rank}" if rank else "not admitted: " + "; ".join(study.exclusions(chosen.id))
    return f"{chosen.id} {chosen.name} was chosen by hand ({place}). {why_first(study)}"


def _told(contributions: tuple[Contribution, ...]) -> str:
    return ", ".join(_contribution(one) for one in contributions)


def _contribution(one: Contribution) -> str:
    first, second = numbers_apart(one.first, one.second)
    return f"{TITLES[one.criterion].lower()} {first} against {second} {one.unit}".rstrip() + f" ({one.amount:+.3f})"


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
    for name, view in study.stakeholders.items():
        if view.ranking is not None:
            found = view.ranking.winners
            chosen.setdefault(first if first in found else found[0], []).append(f"stakeholder {name}")
    if list(chosen) == [first]:
        return f"Every method{' and stakeholder' if study.stakeholders else ''} puts {first} first."
    agree = chosen.pop(first, [])
    told = "; ".join(f"{listed(by)} would choose {winner}" for winner, by in chosen.items())
    return f"{first} is the choice of {listed(agree)}, but {told}." if agree else f"But {told}."


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
    """Return the weights at which another design takes the first place."""
    told = [text for interval in study.weight_intervals for text in _edges(interval)]
    return f"Another design is first when {'; '.join(told)}." if told else ""


def weight(value: float) -> str:
    """Return a weight with two decimals, with more where it would read as none or all (``0.004``, ``0.997``)."""
    digits = next((n for n in range(2, 6) if round(value, n) not in (0, 1)), 2)
    return f"{value:.{digits}f}"


def _edges(interval: WeightInterval) -> list[str]:
    name = TITLES[interval.criterion].lower()
    found = []
    if interval.below is not None and interval.low > _FIRST:
        found.append(f"the weight of {name} falls under {weight(interval.low)} ({interval.below})")
    if interval.above is not None and interval.high < _LAST:
        found.append(f"the weight of {name} rises over {weight(interval.high)} ({interval.above})")
    return found
