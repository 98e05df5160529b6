"""The risks of a decision: each with the figure it stands on, what treats it, and who owns it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.records import dataclass
from tenancykit.criteria.effort.measure import task_table
from tenancykit.report.completing import goes_without
from tenancykit.report.opening_days import days_in_words
from tenancykit.report.opening_sure import what_would_settle_it
from tenancykit.report.paper import RiskKind
from tenancykit.sentences import listed, three_digits
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.outlook import Outlook

_SLOW: Final = 1.1
"""Mean slowdown from which neighbours and sandboxes are a risk of their own. Assumption: a tenth is noticed."""
_TIGHT: Final = 0.8
"""Share of a limit from which it is a risk. Assumption: a fifth is what a platform keeps in hand."""
_TOLD: Final = 2


@dataclass(frozen=True)
class Risk:
    """One risk.

    Attributes:
        kind: what it is about; decides who owns it.
        what: what may happen.
        size: the figure it stands on.
        treatment: what is done about it.
    """

    kind: RiskKind
    what: str
    size: str
    treatment: str


def risks(study: Study, chosen: Evaluation, found: Outlook) -> tuple[Risk, ...]:
    """Return the risks of a decision, as far as the comparison measured them.

    Args:
        study: the comparison.
        chosen: the design decided for.
        found: its three years.
    """
    return (
        *_security(chosen),
        *_needs(chosen),
        *_slow(chosen),
        _late(chosen),
        _dear(chosen),
        *_growth(chosen, found),
        *_crew(chosen),
        *_limits(chosen),
        *_decision(study, chosen),
        _drift(),
    )


def _security(chosen: Evaluation) -> Iterator[Risk]:
    if not chosen.scores["isolation"].detail.pairs:
        return
    shares = [
        x.assumption_share for x in chosen.scores["isolation"].detail.exposure if x.plane != "performance" and x.days
    ]
    rests = f"; on assumptions rests {min(shares):.0%} to {max(shares):.0%} of it, by plane" if shares else ""
    told = [f"{cure[:1].upper()}{cure[1:]}: at most {share:.0%}" for cure, share in _cures(chosen)[:_TOLD]]
    yield Risk(
        "security",
        "A tenant reaches what belongs to another through a flaw or a slip of configuration",
        f"Expected days a year on which some way stood open: {days_in_words(chosen)}{rests}".replace("%", " %"),
        f"{'; '.join(told)} of the open days of all classes and planes.".replace("%", " %") if told else _AS_PLANNED,
    )


_AS_PLANNED: Final = "Patch as fast as the plan says, and verify."
_CLOSING: Final = "what would close most of it"


def _cures(chosen: Evaluation) -> list[tuple[str, float]]:
    """Return what would make the barriers that stand open most fall less often, and which share of open days goes."""
    isolation = chosen.scores["isolation"]
    every = sum(x.days for x in isolation.detail.exposure if x.plane != "performance")
    closing = next((c for c in isolation.evidence.children if c.label == _CLOSING), None)
    found: dict[str, float] = {}
    for line in closing.children if closing and every else ():
        if line.value:
            cure = line.note.partition(";")[0]
            found[cure] = min(1.0, found.get(cure, 0.0) - line.value / every)
    return list(found.items())


def _needs(chosen: Evaluation) -> Iterator[Risk]:
    for text in goes_without(chosen):
        yield Risk("decision", "A need is not provided", text, "Accept it in writing, or choose an option that does.")


def _slow(chosen: Evaluation) -> Iterator[Risk]:
    slowed = {
        name: found for name, found in chosen.scores["isolation"].figures["slowdowns"].items() if found["mean"] >= _SLOW
    }
    if slowed:
        told = [
            f"{name}: {f['mean']:.3g} times as long on average ({f['low']:.3g} to {f['high']:.3g}"
            f"{', assumption' if f['assumption'] else ''})"
            for name, f in slowed.items()
        ]
        yield Risk(
            "operations",
            "Sandboxes and neighbours slow work down",
            "; ".join(told),
            "Measure it on your own workloads first; max_slowdown in the scenario makes it a requirement.",
        )


def _late(chosen: Evaluation) -> Risk:
    effort = chosen.scores["effort"]
    figures: Any = effort.figures
    tasks = task_table(effort.detail)
    chain = [line for line in tasks if line["critical"]]
    weeks, wanted = figures["weeks_p50"], chosen.scenario.requirements.go_live_weeks
    size = (
        f"{three_digits(effort.low)} to {three_digits(effort.high)} person-days (P10 to P90); "
        f"{three_digits(weeks)} weeks at mean durations"
    )
    if wanted is not None:
        size += f", {three_digits(abs(wanted - weeks))} weeks {'before' if weeks <= wanted else 'after'} go-live is due"
    first = f'Start with "{chain[0]["title"]}"; ' if chain else ""
    treatment = (
        f"{first}{len(chain)} of {len(tasks)} tasks decide the date. Hold "
        f"{three_digits(effort.high - effort.value)} person-days in reserve."
    )
    return Risk("schedule", "Building it takes longer", size, treatment)


def _dear(chosen: Evaluation) -> Risk:
    cost = chosen.scores["cost"]
    currency = chosen.scenario.infrastructure.currency
    category, amount = max(cost.figures["per_month"].items(), key=lambda item: item[1])
    size = f"{three_digits(cost.high)} {currency} a month at P90, {three_digits(cost.high - cost.value)} above the plan"
    budget = chosen.scenario.requirements.budget_per_month
    if budget is not None:
        size += f"; the budget is {three_digits(float(budget))}"
    share = f"{category} are {amount / cost.value:.0%} of the bill: ".replace("%", " %") if cost.value else ""
    return Risk("budget", "It costs more a month", size, f"{share}settle their price first; reserve the difference.")


def _growth(chosen: Evaluation, found: Outlook) -> Iterator[Risk]:
    if not found.years:
        return
    last = found.years[-1]
    today = {c.id: c.count for c in chosen.scenario.tenants.classes}
    grown = [f"{n:,} instead of {today[name]:,} {name}" for name, n in last.tenants.items() if n != today[name]]
    if not grown:
        return
    monthly = float(last.total) / 12
    size = f"{listed(grown)} in the middle of year {last.number}: {three_digits(monthly)} {found.currency} a month"
    if last.short:
        size += f"; the fleet then lacks {listed([f'{n} x {name}' for name, n in last.short.items()])}"
    yield Risk(
        "budget", "Tenants come faster, or slower, than planned", size, "Review the plan against tenants yearly."
    )


def _crew(chosen: Evaluation) -> Iterator[Risk]:
    figures: Any = chosen.scores["operations"].figures
    people, team = figures["people_needed"], chosen.scenario.team.engineers
    size = (
        f"{people} people needed, {team:g} in the team; {figures['structure']['components']} components to understand"
    )
    yield Risk(
        "operations",
        "Too few people to run it and to be on call",
        size,
        f"Hire {people - team:g} before go-live." if people > team else "Keep the rota staffed when somebody leaves.",
    )


def _limits(chosen: Evaluation) -> Iterator[Risk]:
    for limit in chosen.scores["operations"].figures["nearest_limits"]:
        if limit["needed"] >= _TIGHT * limit["most"]:
            size = f"{three_digits(limit['needed'])} of {three_digits(limit['most'])} ({limit['place']})"
            yield Risk(
                "operations",
                f"A limit of scale is near: {limit['metric'].replace('_', ' ')}",
                size,
                "Split the cluster, or move tenants, before it is reached.",
            )


def _decision(study: Study, chosen: Evaluation) -> Iterator[Risk]:
    if study.rank(chosen.id) != 1:
        size = "; ".join(study.exclusions(chosen.id)) or f"rank {study.rank(chosen.id)}"
        yield Risk("decision", "It was chosen against the ranking", size, "Write down why, beside the signature.")
        return
    verdict = study.verdict
    if verdict is not None and not verdict.clear:
        yield Risk(
            "decision",
            "Another design would have been the better choice",
            f"{verdict.word}: in {1 - verdict.share:.0%} of samples another kind is first".replace("%", " %"),
            f"Answer before committing: {what_would_settle_it(study)}",
        )


def _drift() -> Risk:
    return Risk(
        "security",
        "What runs is not what was decided",
        "Not measured here",
        "Run tenancykit prove on the exported manifests, and tenancykit verify on the running clusters.",
    )
