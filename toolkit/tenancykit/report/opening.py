"""The first three lines of a comparison, as a board reads them: what and for how much, what it buys, how sure.

Figures have three significant digits. Open days are expected days a year on which something of one tenant's stood open
to another tenant, on the plane where that is most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenancykit.catalogue.barriers import load_isolation
from tenancykit.decision.verdict import share_in_words
from tenancykit.design.needs import asked_needs
from tenancykit.report.completing import purchase
from tenancykit.report.figures import days_text
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.exchange_rates import three_digits

_YEAR = 365.0
_NEEDS = 6


@dataclass(frozen=True)
class Opening:
    """What is said first.

    Attributes:
        recommended: the design in plain words with its money, weeks and people; or that nobody is admitted.
        buys: open days a year per class, beside the cheapest and the safest alternative; or what the nearest miss.
        sure: clear, close or contested, on what that rests, and what would change it.
    """

    recommended: str
    buys: str
    sure: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines there is something to say in."""
        return tuple(filter(None, (self.recommended, self.buys, self.sure)))


def opening(study: Study) -> Opening:
    """Return the first three lines of a study."""
    if study.ranking is None:
        return Opening("No design is recommended: none meets every requirement.", _nearest(study), _undecided(study))
    best = study.best
    return Opening(_recommended(best), _buys(study, best), _sure(study))


def _recommended(best: Evaluation) -> str:
    money = best.scenario.infrastructure.currency
    cost, effort, operations = (best.scores[name] for name in ("cost", "effort", "operations"))
    weeks = f"{three_digits(effort.figures['weeks_p50'])} weeks ({three_digits(effort.value)} person-days)"
    people = operations.figures["people_needed"]
    text = (
        f"Recommended: {best.resolved.long or best.name}, for {three_digits(cost.value)} {money} a month "
        f"({three_digits(cost.low)} to {three_digits(cost.high)}), built in {weeks}, run by {people} people with "
        f"{three_digits(operations.value)} hours a month."
    )
    bought = purchase(best)
    needs = _needs(best)
    told = [text]
    if bought:
        told.append(f"It {bought}.")
    if needs:
        told.append(f"It provides what the scenario needs: {needs}.")
    return " ".join(told)


def _needs(best: Evaluation) -> str:
    """Return the needs a design provides, those of most classes first."""
    counts: dict[str, int] = {}
    for resolved in best.resolved.classes:
        for asked in asked_needs(resolved.tenant_class, best.scenario, best.catalogue):
            if not asked.missed(resolved.facts):
                counts[asked.need.name] = counts.get(asked.need.name, 0) + 1
    names = sorted(counts, key=lambda name: -counts[name])
    more = f" and {len(names) - _NEEDS} more" if len(names) > _NEEDS else ""
    return ", ".join(names[:_NEEDS]) + more


def _buys(study: Study, best: Evaluation) -> str:
    others = [study[label] for label in study.ranking.labels if label != best.id] if study.ranking else []
    told = [f"Days a year on which something of one tenant's stood open to another: {_open(best)}. {_level(best)}"]
    cheapest = min(others, key=lambda e: e.scores["cost"].value, default=None)
    safest = min(others, key=_worst, default=None)
    if cheapest is not None and cheapest.scores["cost"].value < best.scores["cost"].value:
        told.append(f"The cheapest that meets every requirement, {_beside(cheapest, best)}, leaves {_open(cheapest)}.")
    if safest is not None and safest is not cheapest and _worst(safest) < _worst(best):
        told.append(f"The safest, {_beside(safest, best)}, leaves {_open(safest)}; as weighed that is not worth it.")
    return " ".join(told)


def _beside(other: Evaluation, best: Evaluation) -> str:
    more = other.scores["cost"].value - best.scores["cost"].value
    currency = best.scenario.infrastructure.currency
    return f"{other.id} {other.name} ({three_digits(abs(more))} {currency} a month {'more' if more > 0 else 'less'})"


def open_days(evaluation: Evaluation) -> Mapping[str, tuple[float, str]]:
    """Return per class the open days a year on its worst plane, and that plane; slow neighbours open nothing."""
    found: dict[str, tuple[float, str]] = {}
    for (class_id, plane), days in evaluation.scores["isolation"].detail.days.items():
        if plane != "performance" and (class_id not in found or days > found[class_id][0]):
            found[class_id] = (days, plane)
    return found


def _open(evaluation: Evaluation) -> str:
    days = open_days(evaluation)
    told = []
    for tenant_class in evaluation.scenario.tenants.classes:
        if tenant_class.id in days:
            number, plane = days[tenant_class.id]
            often = "every day" if number >= _YEAR else days_text(number)
            told.append(f"{tenant_class.count} {tenant_class.id} {often} ({plane})")
    return ", ".join(told)


def _worst(evaluation: Evaluation) -> float:
    """Return open days over all classes by tenants, for telling which design is safest."""
    days = open_days(evaluation)
    counts = {c.id: c.count for c in evaluation.scenario.tenants.classes}
    return sum(min(number, _YEAR) * counts[name] for name, (number, _) in days.items())


def _level(evaluation: Evaluation) -> str:
    """Return the level the design holds and what it asks for: ``That is L2: every path ... meets one barrier.``."""
    level = str(evaluation.scores["isolation"].figures["level"])
    found = load_isolation(evaluation.catalogue).levels.get(level)
    return f"That is {level}: {found.rules[0].why}." if found and found.rules else f"That is {level}."


def _sure(study: Study) -> str:
    verdict = study.verdict
    if verdict is None:
        return ""
    share = f"first in {share_in_words(verdict.share)} of samples of {verdict.varied}"
    if verdict.word == "clear":
        return f"Clear: {share}, whichever rival is dropped and with any one assumption at either end of its range."
    told = [f"{verdict.word.capitalize()}: {share}"]
    told += [str(one) for one in verdict.overturning[:1]]
    return f"{'; '.join(told)}. {verdict.question}".rstrip()


def _nearest(study: Study) -> str:
    near = sorted(study.evaluations, key=lambda e: (len(study.exclusions(e.id)), e.scores["cost"].value))[:2]
    told = (f"{e.id} {e.name} {'; '.join(study.exclusions(e.id)[:2])}" for e in near)
    return f"Nearest: {' | '.join(told)}."


def _undecided(study: Study) -> str:
    counts: dict[str, int] = {}
    for evaluation in study.evaluations:
        for reason in study.exclusions(evaluation.id):
            what = reason.split(" by ")[0].split(":")[0]
            counts[what] = counts.get(what, 0) + 1
    common = sorted(counts, key=lambda what: -counts[what])[:2]
    told = ", ".join(f"{what} ({counts[what]} of {len(study.evaluations)})" for what in common)
    return f"What stands in the way most often: {told}." if told else ""
