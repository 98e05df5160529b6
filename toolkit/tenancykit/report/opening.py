"""The first three lines of a comparison, as a board reads them: what and for how much, what it buys, how sure.

Figures have three significant digits. Open days are expected days a year on which what lies most open of one tenant's
stood open to another tenant: some path to it had no barrier left, by unpatched flaws or slips of configuration. Nobody
has to know an id to read these lines: designs are called what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.isolation.exposure import worst_of_each
from tenancykit.criterion_names import TITLES
from tenancykit.decision.verdict import Verdict, share_in_words
from tenancykit.design.needs import asked_needs
from tenancykit.report.completing import goes_without, purchase, swapped
from tenancykit.report.figures import days_text, listed
from tenancykit.study.certainty import kin
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.exchange_rates import three_digits

_YEAR: Final = 365.0
_NEEDS: Final = 6
_SAME: Final = 0.02
"""Costs that differ by less, as a share of the first design's, are not told apart in one line."""
_SAFER: Final = 0.8
"""What another design leaves open at most, as a share of the first design's, to be called safer in one line."""
_WAYS: Final[Mapping[str, str]] = {
    "control": "by way of the API server",
    "compute": "by way of the machines",
    "network": "over the network",
    "storage": "in storage",
    "accelerator": "on the GPU",
}
_TAGGED: Final = re.compile(r" \((?:window|lapse|upkeep|rate|prior)s?:[^)]*\)")
"""An assumption's id behind its words."""


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
    return Opening(recommended(best), _buys(study, best), _sure(study, best))


# --- what, and for how much -----------------------------------------------------------------------------------------


def recommended(best: Evaluation, *, word: str = "Recommended") -> str:
    """Return a design in plain words with its money, weeks and people.

    Args:
        best: the design.
        word: what is said of it.
    """
    money = best.scenario.infrastructure.currency
    cost, effort, operations = (best.scores[name] for name in ("cost", "effort", "operations"))
    weeks = f"{three_digits(effort.figures['weeks_p50'])} weeks ({three_digits(effort.value)} person-days)"
    people, rota = operations.figures["people_needed"], operations.figures["on_call_minimum"]
    least = ", the least for an on-call rota," if people == rota and people > 1 else ""
    said = (
        f"{word}: {best.resolved.long or best.name}, for {three_digits(cost.value)} {money} a month "
        f"({three_digits(cost.low)} to {three_digits(cost.high)}), built in {weeks}, run by "
        f"{'one person' if people == 1 else f'{people} people'}{least} with {three_digits(operations.value)} hours of "
        "work a month."
    )
    told = [said]
    if hired := hires(best):
        told.append(f"That is {hired} than the team has; the cost holds their work, not their waiting on call.")
    if bought := purchase(best, digits=3):
        told.append(f"It {bought}.")
    told += [f"For {text}." for text in goes_without(best)]
    if changed := swapped(best):
        told.append(f"It takes {changed}, which the scenario's machines or trust do not allow for.")
    if needs := provided(best):
        told.append(f"It provides what the scenario needs: {needs}.")
    return " ".join(told)


def hires(best: Evaluation) -> str:
    """Return how many more people a design needs than the team has, as words; empty where the team suffices."""
    people = best.scores["operations"].figures["people_needed"]
    has = best.scenario.team.engineers
    if people <= has:
        return ""
    return "one person more" if people - has == 1 else f"{three_digits(people - has)} people more"


def provided(best: Evaluation) -> str:
    """Return the needs a design provides, those of most classes first; what does not arise under it is left out."""
    counts: dict[str, int] = {}
    for resolved in best.resolved.classes:
        for asked in asked_needs(resolved.tenant_class, best.scenario, best.catalogue):
            if asked.need.applies.holds(resolved.facts) and asked.need.met.holds(resolved.facts):
                counts[asked.need.name] = counts.get(asked.need.name, 0) + 1
    names = sorted(counts, key=lambda name: -counts[name])
    more = [f"{len(names) - _NEEDS} more"] if len(names) > _NEEDS else []
    return listed([*names[:_NEEDS], *more])


# --- what it buys ---------------------------------------------------------------------------------------------------


def _buys(study: Study, best: Evaluation) -> str:
    told = [
        f"Days a year on which something of one tenant's stood open to another: {days_in_words(best)}. {_level(best)}"
    ]
    others = _other_families(study, best)
    cheapest = min(others, key=lambda e: e.scores["cost"].value, default=None)
    safest = min(others, key=_worst, default=None)
    cost = best.scores["cost"].value
    if cheapest is not None and cheapest.scores["cost"].value < cost * (1 - _SAME):
        told.append(
            f"The cheapest that meets every requirement, {_beside(cheapest, best)}, leaves {days_in_words(cheapest)}."
        )
    if safest is not None and safest is not cheapest and _worst(safest) < _SAFER * _worst(best):
        told.append(
            f"The safest, {_beside(safest, best)}, leaves {days_in_words(safest)}; as weighed that is not worth it."
        )
    return " ".join(told)


def _other_families(study: Study, best: Evaluation) -> list[Evaluation]:
    """Return the admitted designs of other families than the first, by rank."""
    if study.ranking is None:
        return []
    twins = _twins(study, best)
    return [study[label] for label in study.ranking.ordered() if label not in twins]


def _twins(study: Study, best: Evaluation) -> tuple[str, ...]:
    return next(group for group in kin(study.evaluations) if best.id in group)


def _beside(other: Evaluation, best: Evaluation) -> str:
    more = other.scores["cost"].value - best.scores["cost"].value
    currency = best.scenario.infrastructure.currency
    return f"{other.name} ({three_digits(abs(more))} {currency} a month {'more' if more > 0 else 'less'})"


def open_days(evaluation: Evaluation) -> Mapping[str, tuple[float, str]]:
    """Return per class the open days a year of what lies most open, at most the whole year, and on which plane."""
    found: dict[str, tuple[float, str]] = {}
    for class_id, assets in worst_of_each(evaluation.scores["isolation"].detail).items():
        for asset, _ in assets.values():
            if class_id not in found or asset.days_per_year > found[class_id][0]:
                found[class_id] = (min(asset.days_per_year, _YEAR), asset.plane)
    return found


def days_in_words(evaluation: Evaluation) -> str:
    """Return the open days a year of what lies most open, per class of tenants, in words."""
    days = open_days(evaluation)
    alike: dict[str, list[str]] = {}
    for tenant_class in evaluation.scenario.tenants.classes:
        if tenant_class.id in days:
            number, plane = days[tenant_class.id]
            often = "all year" if round(number) >= _YEAR else days_text(number)
            way = f" ({_WAYS.get(plane, plane)})" if number else ""
            alike.setdefault(f"{often}{way}", []).append(who(evaluation, tenant_class.id))
    told = [text if len(days) == 1 else f"{text} for {listed(whom)}" for text, whom in alike.items()]
    return listed(told) or "none, there is no other tenant"


def who(evaluation: Evaluation, class_id: str) -> str:
    """Return the tenants of a class in words: ``the 4 regulated``."""
    return f"the {evaluation.scenario.tenant_class(class_id).count:,} {class_id}"


def _worst(evaluation: Evaluation) -> float:
    """Return open days over all classes by tenants, for telling which design is safest."""
    days = open_days(evaluation)
    counts = {c.id: c.count for c in evaluation.scenario.tenants.classes}
    return sum(number * counts[name] for name, (number, _) in days.items())


def _level(evaluation: Evaluation) -> str:
    """Return the level every class has: ``That is level L2: every path ... meets at least one barrier.``."""
    classes = evaluation.scores["isolation"].figures["classes"]
    levels: dict[str, list[str]] = {}
    for class_id, found in classes.items():
        levels.setdefault(str(found["overall"]), []).append(class_id)
    known = load_isolation(evaluation.catalogue).levels
    told = []
    for level, ids in levels.items():
        why = "; ".join(rule.why for rule in known[level].rules) if level in known else ""
        whom = f" for {listed(ids)}" if len(levels) > 1 else ""
        told.append(f"level {level}{whom} ({why})" if why else f"level {level}{whom}")
    return f"That is {listed(told)}." if told else ""


# --- how sure -------------------------------------------------------------------------------------------------------


def _sure(study: Study, best: Evaluation) -> str:
    verdict = study.verdict
    if verdict is None:
        return ""
    others = _other_families(study, best)
    word = verdict.word.capitalize()
    if not others:
        return f"{word}: nothing that differs in more than add-ons meets every requirement. {_nearest(study)}".rstrip()
    share = f"first in {share_in_words(verdict.share)} of samples of {verdict.varied}"
    if verdict.word == "clear":
        return f"{word}: {share}, whichever rival is dropped and with any one assumption at either end of its range."
    told = [f"{word}: {share}", *_rivals(study, verdict, best), *map(str, verdict.overturning[:1])]
    return _plain(study, best, f"{'; '.join(told)}. {_settling(study, verdict, best, others)}".rstrip())


def what_would_settle_it(study: Study) -> str:
    """Return the question whose answer would change the first place, designs by name; empty where there is none."""
    if study.verdict is None or not (others := _other_families(study, study.best)):
        return ""
    return _plain(study, study.best, _settling(study, study.verdict, study.best, others))


def _rivals(study: Study, verdict: Verdict, best: Evaluation) -> Iterator[str]:
    """Yield who is first in most of the other samples."""
    twins = _twins(study, best)
    rivals = [label for label in verdict.contenders if label not in twins]
    if rivals and verdict.word == "contested":
        yield f"most often otherwise is {rivals[0]}"


def _settling(study: Study, verdict: Verdict, best: Evaluation, others: list[Evaluation]) -> str:
    """Return what would change the first place: a worth in money, or what the nearest rival would have to be."""
    if verdict.question.startswith("Is "):
        return verdict.question
    rival = others[0]
    needs = [n for n in study.why(best.id, rival.id).needs if n.kind != "weight"]
    need = next((n for n in needs if n.criterion != "isolation"), None)
    if need is None:
        return f"What would change it: another view of what isolation is worth; next is {rival.id}." if needs else ""
    way = "fell" if need.needed < need.current else "rose"
    return (
        f"What would change it: {rival.id} draws level if its {TITLES[need.criterion].lower()} {way} to "
        f"{three_digits(need.needed)} {need.unit} (now {three_digits(need.current)})."
    )


def _plain(study: Study, best: Evaluation, text: str) -> str:
    """Return a sentence with designs by name instead of id, once each, and assumptions without theirs."""
    twins, told = _twins(study, best), set[str]()

    def named(found: re.Match[str]) -> str:
        if found[0] in told:
            return "that design"
        told.add(found[0])
        name = study[found[0]].name
        return f"a variant of the first ({name})" if found[0] in twins else name

    ids = "|".join(re.escape(e.id) for e in sorted(study.evaluations, key=lambda e: -len(e.id)))
    return _TAGGED.sub("", re.sub(rf"(?<![\w+-])(?:{ids})(?![\w+-])", named, text))


# --- nobody is admitted ---------------------------------------------------------------------------------------------


def _nearest(study: Study) -> str:
    """Return the two nearest designs of different families that are not admitted, with what each misses."""
    families = kin(study.evaluations)
    told: dict[tuple[str, ...], str] = {}
    for evaluation in sorted(study.evaluations, key=lambda e: _distance(study, e)):
        if (reasons := study.exclusions(evaluation.id)) and not _admitted_twin(study, evaluation):
            family = next(group for group in families if evaluation.id in group)
            more = [f"{len(reasons) - 3} more"] if len(reasons) > 3 else []
            told.setdefault(family, f"{evaluation.name}, which {listed([*map(_reason, reasons[:3]), *more])}")
    return f"Nearest: {'; or '.join([*told.values()][:2])}." if told else ""


def _admitted_twin(study: Study, evaluation: Evaluation) -> bool:
    return any(study.rank(label) is not None for label in _twins(study, evaluation))


def _distance(study: Study, evaluation: Evaluation) -> tuple[int, int, float, float]:
    """Return how far a design is from being admitted: rules broken, requirements missed, by how much, its cost."""
    misses = study.screening.misses(evaluation.id)
    far = sum(miss.gap if miss.requirement.kind == "shortage" else miss.relative for miss in misses)
    return len(evaluation.resolved.violations), len(misses), far, evaluation.scores["cost"].value


def _reason(reason: str) -> str:
    """Return an exclusion as the end of a sentence, without the rule's id and its condition."""
    text = re.sub(r" \((?:rule [^)]*|needs [^()]*(?:\([^()]*\))?[^()]*)\)", "", reason)
    return text if text.startswith(("misses", "does not")) else f"is not valid ({text})"


def _undecided(study: Study) -> str:
    """Return what most designs miss, and what buying would take where a fixed fleet is too small."""
    counts: dict[str, int] = {}
    for evaluation in study.evaluations:
        for what in dict.fromkeys(r.split(" by ")[0].split(":")[0] for r in study.exclusions(evaluation.id)):
            counts[what] = counts.get(what, 0) + 1
    common = [what for what in sorted(counts, key=lambda what: -counts[what]) if what.startswith("misses ")][:2]
    told = [f"What stands in the way most often: {listed([_of(study, what, counts[what]) for what in common])}."]
    near = min(study.evaluations, key=lambda e: _distance(study, e))
    fleet = near.scores["cost"].figures["fleet"]
    if fleet and any("misses the fleet" in reason for reason in study.exclusions(near.id)):
        money = near.scenario.infrastructure.currency
        told.append(
            f"Buying what {near.name} lacks would take {three_digits(fleet['purchase_per_month'])} {money} a month "
            f"(infrastructure.buying: allowed)."
        )
    return " ".join(told) if common else ""


def _of(study: Study, what: str, count: int) -> str:
    return f"{what.removeprefix('misses ')} ({count} of {len(study.evaluations)} designs)"
