"""Why a design is first, how sure that is, and what would change it."""

from __future__ import annotations

from tenancykit.decision.explain import Contribution
from tenancykit.decision.sensitivity import WeightInterval
from tenancykit.report.figures import TITLES, number
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation

_FIRST, _LAST = 0.0, 1.0


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
    return ", ".join(
        f"{TITLES[c.criterion].lower()} {number(c.first)} against {number(c.second)} {c.unit}".rstrip()
        + f" ({c.amount:+.3f})"
        for c in contributions
    )


def contested(study: Study) -> str:
    """Return where methods and stakeholders put another design first, or that they agree."""
    if study.agreement is None:
        return ""
    by_winner: dict[str, list[str]] = {}
    for method, winners in zip(study.agreement.methods, study.agreement.winners, strict=True):
        by_winner.setdefault(winners[0], []).append(method)
    for name, view in study.stakeholders.items():
        if view.ranking is not None:
            by_winner.setdefault(view.ranking.winner, []).append(f"stakeholder {name}")
    if len(by_winner) == 1:
        return f"Every method and stakeholder puts {next(iter(by_winner))} first."
    told = "; ".join(f"{winner} by {', '.join(by)}" for winner, by in by_winner.items())
    return f"First place is contested: {told}."


def how_sure(study: Study) -> str:
    """Return whether the first place is robust against uncertain values and weights, or what would settle it."""
    if study.verdict is None:
        return ""
    text = str(study.verdict)
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def what_would_change_it(study: Study) -> str:
    """Return the weights at which another design takes the first place."""
    told = [text for interval in study.weight_intervals for text in _edges(interval)]
    return f"Another design is first when {'; '.join(told)}." if told else ""


def _edges(interval: WeightInterval) -> list[str]:
    name = TITLES[interval.criterion].lower()
    found = []
    if interval.below is not None and interval.low > _FIRST:
        found.append(f"the weight of {name} falls under {interval.low:.2f} ({interval.below})")
    if interval.above is not None and interval.high < _LAST:
        found.append(f"the weight of {name} rises over {interval.high:.2f} ({interval.above})")
    return found
