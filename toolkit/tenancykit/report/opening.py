"""The first three lines of a comparison, as a board reads them: what and for how much, what it buys, how sure.

Each is one line of about :data:`LINE` characters: what has to be said first - money, weeks, people, hires, purchases,
what is gone without, open days, how sure - and then whatever still fits. The rest stands below as details. Figures have
three significant digits. Nobody has to know an id to read these lines: designs are called what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tenancykit.criterion_names import PLAIN, TITLES
from tenancykit.decision.verdict import Verdict, share_in_words
from tenancykit.design.needs import asked_needs
from tenancykit.report.calling import apart, brief, called, clusters, heads, tight
from tenancykit.report.completing import delivered_otherwise, goes_without, lacks, purchase, swapped
from tenancykit.report.figures import counted, days_text
from tenancykit.report.opening_days import days_in_words, levels_in_words, open_days, open_to, worst_days
from tenancykit.report.opening_level import refused, what_stands, what_would_reach
from tenancykit.report.opening_nobody import nearest, nearest_lines, undecided
from tenancykit.report.reasons import hangs_on
from tenancykit.scenario.naming import tenants_of
from tenancykit.sentences import listed
from tenancykit.study.barred import highest
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.exchange_rates import beyond_wages, rates_in_words, three_digits
from tenancykit.study.reaching import out_of_reach
from tenancykit.study.requirements import hard_requirements
from tenancykit.study.settling import NO_RATE

LINE: Final = 240
"""Characters of a line that a board reads: two lines of a terminal 120 wide."""
_SAME: Final = 0.02
"""Costs that differ by less, as a share of the first design's, are not told apart in one line."""
_SAFER: Final = 0.8
"""What another design leaves open at most, as a share of the first design's, to be called safer in one line."""
_OVERTURNS: Final = 3
"""Assumptions per rival that are told to bring it first."""
_SURE: Final = 0.95
"""Share of samples from which a part of the recommendation is beyond doubt."""
_VARIED: Final = "figures, priors, scales, weights varied"
"""What differs from sample to sample, in few words; how far stands in the details."""
_OPEN: Final = "Days a year open to"
_TAGGED: Final = re.compile(r" \((?:window|lapse|upkeep|rate|prior)s?:[^)]*\)")
"""An assumption's id behind its words."""
_NOW: Final = re.compile(r" \([^()]* as weighed\)")
"""What something is worth as weighed, which the details say of everything."""


@dataclass(frozen=True)
class Opening:
    """What is said first.

    Attributes:
        recommended: the design in plain words with its money, weeks and people; or that nobody is admitted.
        buys: open days a year per class; or the nearest miss.
        sure: clear, close or contested, and what would change it.
        details: what belongs to the three and did not fit, sentence by sentence.
    """

    recommended: str
    buys: str
    sure: str
    details: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines there is something to say in."""
        return tuple(filter(None, (self.recommended, self.buys, self.sure)))


def opening(study: Study) -> Opening:
    """Return the first three lines of a study, and what belongs to them."""
    if study.ranking is None:
        return _nobody(study)
    best = study.best
    first, more = _recommended(best)
    buys, also = _buys(study, best)
    sure, besides = _sure(study, best)
    return Opening(first, buys, sure, (*more, *also, *besides))


def _nobody(study: Study) -> Opening:
    """Return what is said where no design is admitted; a level that nothing valid reaches before anything else."""
    near, near_lines = nearest(study), nearest_lines(study, LINE - len("Nearest: ."))
    line, rest = fitted(f"Nearest: {near_lines[0]}." if near else "", [f"Next: {text}." for text in near[1:2]])
    rest = [f"Nearest: {text}." for text in near[:1] if text not in line] + rest
    short = next(out_of_reach(study.evaluations), None)
    if short is not None:
        reach, more = fitted("", what_would_reach(short))
        return Opening(refused(short, LINE), what_stands(short), reach.strip(), (*more, line, *rest, undecided(study)))
    return Opening("No design is recommended: none meets every requirement.", line, undecided(study), tuple(rest))


def fitted(said: str, more: Iterable[str]) -> tuple[str, list[str]]:
    """Return a line with as many further sentences as fit it, in order, and the others."""
    rest = []
    for text in filter(None, more):
        if len(said) + 1 + len(text) <= LINE:
            said = f"{said} {text}"
        else:
            rest.append(text)
    return said, rest


# --- what, and for how much -----------------------------------------------------------------------------------------


def recommended(best: Evaluation, *, word: str = "Recommended") -> str:
    """Return a design in plain words with its money, weeks, people, hires, purchases and what it goes without.

    Args:
        best: the design.
        word: what is said of it.
    """
    return _recommended(best, word)[0]


def _recommended(best: Evaluation, word: str = "Recommended") -> tuple[str, list[str]]:
    money = best.scenario.infrastructure.currency
    cost, effort, operations = (best.scores[name] for name in ("cost", "effort", "operations"))
    people, rota = operations.figures["people_needed"], operations.figures["on_call_minimum"]
    by = f"run by {'one person' if people == 1 else f'{people} people'}"
    hired = f", {hires(best)} than the team has" if hires(best) else ""
    price = (
        f"for {three_digits(cost.value)} {money} a month ({three_digits(cost.low)} to {three_digits(cost.high)}), "
        f"built in {_weeks(effort.figures['weeks_p50'])}, {by}{hired}."
    )
    full, lacking = best.resolved.long or best.name, goes_without(best)
    musts = [*(f"It {text}." for text in [purchase(best, digits=3)] if text), *(f"For {text}." for text in lacking)]
    short = [f"It {text}." for text in [purchase(best, digits=3, brief=True)] if text]
    short += [f"No {need} for {listed(ids)}." for need, ids in lacks(best).items()]
    names = [full, best.name, brief(best), tight(best)]
    name, said = _fitting(word, [*names, heads(best)], price, musts, short)
    more = [f"In full: {full}."] if name != full else []
    more += [text for text in musts if text not in said]
    if changed := swapped(best):
        more.append(f"It takes {changed}, which the scenario's machines, trust or required isolation do not allow for.")
    if left := delivered_otherwise(best):
        more.append(f"It {left}.")
    if needs := provided(best):
        more.append(f"It provides what the scenario needs: {needs}.")
    rest = ", the least for an on-call rota" if people == rota and people > 1 else ""
    waiting = "; the cost holds the work of those to hire, not their waiting on call" if hires(best) else ""
    more.append(
        f"Work: {three_digits(effort.value)} person-days to build, {three_digits(operations.value)} hours a month; {by}"
        f"{rest}{waiting}."
    )
    return said, more


def _tight_limits(best: Evaluation) -> Iterator[str]:
    """Yield which limits a design that keeps them may still pass, by its own doubt."""
    for need in hard_requirements(best.scenario):
        if (most := highest(best, need.measure)) > need.limit:
            unit = {"go-live": "weeks", "engineers": "people"}.get(need.measure, best.scores["cost"].unit)
            told = f"{three_digits(most)} against at most {three_digits(need.limit)} {_each(unit)} at P90"
            yield f"It may still miss {need.name}: {told}."


def _fitting(word: str, names: list[str], price: str, musts: list[str], short: list[str]) -> tuple[str, str]:
    """Return the longest name with which everything that must be said fits one line, and the line.

    What must be said gives way to its short form before the name is cut to whose clusters there are.
    """
    ways = [(name, told) for told in (musts, short) for name in names[:3]]
    ways += [(name, told) for name in names[3:] for told in (musts, short)]
    for name, told in ways:
        said = " ".join([f"{word}: {name}, {price}", *told])
        if len(said) <= LINE:
            break
    return name, said


def _weeks(weeks: float) -> str:
    """Return a schedule's median in words: whole weeks, since nobody plans tenths of one."""
    return counted(round(weeks), "week") if weeks >= 1 else counted(max(1, round(7 * weeks)), "day")


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
    return listed(names)


# --- what it buys ---------------------------------------------------------------------------------------------------


def _buys(study: Study, best: Evaluation) -> tuple[str, list[str]]:
    levels, meant = levels_in_words(best)
    days = days_in_words(best)
    level = f"; level {levels}" if levels else ""
    head = f"{_OPEN} {open_to(best.scenario)}"
    briefly = [days, days_in_words(best, ways=False), _extremes(best)]
    ways = [f"{head}: {told}{rest}." for told in briefly for rest in (level, "")]
    said = next((way for way in ways if len(way) <= LINE), ways[-1])
    left = [f"{head}, in full: {days}."] if days not in said else []
    left += [f"Level {levels}."] if levels and levels not in said else []
    others = _other_families(study, best)
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


def _other_families(study: Study, best: Evaluation) -> list[Evaluation]:
    """Return the admitted designs of other families than the first, by rank."""
    if study.ranking is None:
        return []
    twins = _twins(study, best)
    return [study[label] for label in study.ranking.ordered() if label not in twins]


def _twins(study: Study, best: Evaluation) -> tuple[str, ...]:
    return next(group for group in study.families if best.id in group)


# --- how sure -------------------------------------------------------------------------------------------------------


def _sure(study: Study, best: Evaluation) -> tuple[str, list[str]]:
    verdict = study.verdict
    if verdict is None:
        return "", []
    others, limits = _other_families(study, best), [*_tight_limits(best)]
    word = verdict.word.capitalize()
    if not others:
        said = f"{word}: nothing that differs in more than add-ons meets every requirement."
        if verdict.overturning:
            text = f"{str(verdict.overturning[0])[:1].upper()}{str(verdict.overturning[0])[1:]}."
            rival = study[verdict.overturning[0].new_first]
            names = [called(rival, best), brief(rival), tight(rival), clusters(rival)]
            ways = [text.replace(rival.id, name) for name in names]
            turned = next((way for way in ways if len(said) + 1 + len(way) <= LINE), ways[0])
            return fitted(said, [f"{turned[:1].upper()}{turned[1:]}", *limits])
        near = nearest_lines(study, LINE - len(said) - len(" Nearest: ."))
        return fitted(said, [*limits, f"Nearest: {near[0]}." if near else ""])
    share = f"{word}: first in {share_in_words(verdict.share)} of samples ({_VARIED})"
    varied = f"Samples vary {verdict.varied}."
    if verdict.word == "clear":
        said = f"{share}, whichever rival is dropped and with any one assumption at either end of its range."
        line, rest = fitted(said, limits)
        return line, [*rest, *_beyond(study, best), varied, *_rates(study, best)]
    overturns = [*_overturns(study, verdict, best)]
    settling = _settling(study, verdict, best, others)
    told = [*overturns[:1], settling] if verdict.share >= _SURE else [settling, *overturns[:1]]
    kept = _kept(study, best)
    said, named = _briefly(study, best, share, kept, told[0])
    often = [text for text in _rivals(study, verdict, best) if text.split(": ", 1)[1] not in " ".join(named)]
    line, rest = fitted(said, [*(_plain(study, best, text) for text in told[1:]), *often])
    missed = (
        [f"{kept[2:3].upper()}{kept[3:].replace(' keep ', ' of samples keep ')}."] if kept and kept not in line else []
    )
    doubts = [*limits, hangs_on(study), *_beyond(study, best), varied, *_rates(study, best)]
    return line, [*filter(None, [*named, *missed, *rest, *overturns[1:], *doubts])]


def _beyond(study: Study, best: Evaluation) -> Iterator[str]:
    """Yield which figures of the first design lie beyond an end of their scale, where values are extrapolated."""
    scales = study.scales
    for leaf in (leaf for leaf in scales.tree.leaves if leaf.name in PLAIN):
        low, high = sorted(leaf.function.ends)
        score = best.scores[leaf.name]
        if not low <= score.value <= high:
            end = "worse" if (score.value > high) == (leaf.function.ends[0] == high) else "better"
            yield (
                f"Its {TITLES[leaf.name].lower()} of {three_digits(score.value)} {_each(score.unit)} lies beyond the "
                f"{end} end of the scale ({three_digits(low)} to {three_digits(high)}), where values are extrapolated."
            )


def _rates(study: Study, best: Evaluation) -> Iterator[str]:
    """Yield what the weights mean in money, and that work is weighed at many times its wage where it is."""
    rates, currency = study.exchange_rates, study.scenario.infrastructure.currency
    yield from filter(None, [rates_in_words(rates), beyond_wages(rates, float(best.people.day_rate), currency)])


def _briefly(study: Study, best: Evaluation, share: str, kept: str, settling: str) -> tuple[str, list[str]]:
    """Return how sure and what would change it as one line, and what a design is that is told in short there."""
    plain = _plain(study, best, settling)
    found = _ids(study).search(settling)
    ways = [f"{share}{more}. {plain}".rstrip() for more in dict.fromkeys((kept, ""))]
    if found is None:
        said = next((way for way in ways if len(way) <= LINE), f"{share}{kept}.")
        return said, [] if plain in said else [plain]
    rival = study[found[0]]
    told = [_ids(study).sub(name, settling) for name in (brief(rival), *apart(rival, best))]
    ways += [f"{share}{more}. {text}" for text in told for more in dict.fromkeys((kept, ""))]
    ways += [_NOW.sub("", f"{share}. {text}") for text in told]
    ways.append(f"{share}. {_NOW.sub('', _ids(study).sub(f'the design ranked {study.rank(rival.id)}', settling))}")
    said = next((way for way in ways if len(way) <= LINE), ways[-1])
    if plain in said:
        return said, []
    return said, [plain if len(said) > LINE else f"What would be first instead: {called(rival, best)}."]


def _overturns(study: Study, verdict: Verdict, best: Evaluation) -> Iterator[str]:
    """Yield who comes first at the ends of which assumptions; the nearest assumption first, then by who comes first."""
    found: dict[str, list[str]] = {}
    for one in verdict.overturning:
        found.setdefault(one.new_first, []).append(str(one).partition(" comes first where ")[2])
    for label, where in found.items():
        told = _plain(study, best, f"{label} comes first where {where[0]}.")
        yield told[0].upper() + told[1:]
    for label, where in found.items():
        if more := where[1:_OVERTURNS]:
            others = len(where) - 1 - len(more)
            rest = f"; {counted(others, 'more assumption')}: tenancykit robust" if others > 0 else ""
            yield _plain(study, best, f"Likewise {label}, where {', or where '.join(more)}{rest}.")


def _kept(study: Study, best: Evaluation) -> str:
    """Return what is beyond doubt though the first place is not: whose cluster tenants share."""
    shares = study.acceptability
    admitted = [e for e in study.evaluations if study.rank(e.id)]
    if shares is None or len({clusters(e) for e in admitted}) == 1:
        return ""
    kept = [study.basis.table.row(e.id) for e in admitted if clusters(e) == clusters(best)]
    share = float(shares.first[kept].sum())
    return f"; {share_in_words(min(1.0, share))} keep {clusters(best)}" if share >= _SURE else ""


def what_would_settle_it(study: Study) -> str:
    """Return the question whose answer would change the first place, designs by name; empty where there is none."""
    if study.verdict is None or not (others := _other_families(study, study.best)):
        return ""
    return _plain(study, study.best, _settling(study, study.verdict, study.best, others))


def _rivals(study: Study, verdict: Verdict, best: Evaluation) -> Iterator[str]:
    """Yield who is first in most of the other samples."""
    twins = _twins(study, best)
    rivals = [label for label in verdict.contenders if label not in twins]
    if rivals:
        yield f"First most often otherwise: {called(study[rivals[0]], best)}."


def _settling(study: Study, verdict: Verdict, best: Evaluation, others: list[Evaluation]) -> str:
    """Return what would change the first place: a plausible worth in money, or figure of the nearest rival."""
    if verdict.question.startswith("Is "):
        return verdict.question
    rival = others[0]
    for need in study.why(best.id, rival.id).needs:
        if need.kind == "weight" or need.criterion == "isolation":
            continue
        score = rival.scores[need.criterion]
        if score.low <= need.needed <= score.high:
            way = "fell" if need.needed < need.current else "rose"
            return (
                f"What would change it: {rival.id} would draw level if its {TITLES[need.criterion].lower()} {way} to "
                f"{three_digits(need.needed)} {_each(need.unit)} (now {three_digits(need.current)})."
            )
    return NO_RATE


def _each(unit: str) -> str:
    return unit.replace("hours/month", "hours a month").replace("per month", "a month")


def _plain(study: Study, best: Evaluation, text: str) -> str:
    """Return a sentence with designs by name instead of id, once each, and assumptions without theirs."""
    twins, told = _twins(study, best), set[str]()

    def named(found: re.Match[str]) -> str:
        if found[0] in told:
            return "that design"
        told.add(found[0])
        name = called(study[found[0]], best)
        return f"a variant of the first ({name})" if found[0] in twins else name

    return _TAGGED.sub("", _ids(study).sub(named, text))


def _ids(study: Study) -> re.Pattern[str]:
    """Return what finds ids of designs in a text."""
    ids = "|".join(re.escape(e.id) for e in sorted(study.evaluations, key=lambda e: -len(e.id)))
    return re.compile(rf"(?<![\w+-])(?:{ids})(?![\w+-])")


__all__ = [
    "LINE",
    "Opening",
    "called",
    "days_in_words",
    "fitted",
    "hires",
    "open_days",
    "opening",
    "provided",
    "recommended",
    "what_would_settle_it",
]
