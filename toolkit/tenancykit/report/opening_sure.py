"""The third line: how sure the first place is, and what would change it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubeanswers.terminal import counted
from tenancykit.criterion_names import PLAIN, TITLES
from tenancykit.decision.table import figures_apart
from tenancykit.decision.verdict import Verdict, share_in_words
from tenancykit.report.calling import apart, brief, called, clusters, tight
from tenancykit.report.opening_buys import other_families, twins_of
from tenancykit.report.opening_line import LINE, fitted
from tenancykit.report.opening_nobody import nearest_lines
from tenancykit.report.reasons import hangs_on
from tenancykit.sentences import three_digits
from tenancykit.study.barred import highest
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.study.exchange_rates import beyond_wages, rates_in_words
from tenancykit.study.requirements import hard_requirements
from tenancykit.study.settling import NO_RATE

_OVERTURNS: Final = 3
"""Assumptions per rival that are told to bring it first."""
_SURE: Final = 0.95
"""Share of samples from which a part of the recommendation is beyond doubt."""
_VARIED: Final = "figures, priors, scales, weights varied"
"""What differs from sample to sample, in few words; how far stands in the details."""
_BELIEFS: Final = (
    "Priors are how often a barrier of a kind is believed to fall before its flaws are counted, windows the days until "
    "a flaw is patched."
)
"""What is believed of isolation, for who meets the words there first."""
_NOW: Final = re.compile(r" \([^()]* as weighed\)")
"""What something is worth as weighed, which the details say of everything."""


def how_sure_line(study: Study, best: Evaluation) -> tuple[str, list[str]]:
    """Return how sure the first place is and what would change it as one line, and what did not fit it."""
    verdict = study.verdict
    if verdict is None:
        return "", []
    others, limits = other_families(study, best), [*_tight_limits(best)]
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
    varied = f"Samples vary {verdict.varied}. {_BELIEFS}"
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
    first, likewise = overturns[:1], overturns[1:]
    if first and first[0] not in rest:
        whom = called(study[verdict.overturning[0].new_first], best)
        likewise = [text.replace("Likewise where", f"Likewise {whom}, where") for text in likewise]
    rest, late = ([text for text in rest if (text in often) == last] for last in (False, True))
    doubts = [*late, *limits, hangs_on(study), *_beyond(study, best), varied, *_rates(study, best)]
    return line, [*filter(None, [*named, *missed, *rest, *likewise, *doubts])]


def _beyond(study: Study, best: Evaluation) -> Iterator[str]:
    """Yield which figures of the first design lie beyond an end of their scale, where values are extrapolated."""
    scales = study.scales
    for leaf in (leaf for leaf in scales.tree.leaves if leaf.name in PLAIN):
        low, high = sorted(leaf.function.ends)
        score = best.scores[leaf.name]
        if not low <= score.value <= high:
            end = "worse" if (score.value > high) == (leaf.function.ends[0] == high) else "better"
            own, passed = figures_apart(score.value, high if score.value > high else low)
            ends = (three_digits(low), passed) if score.value > high else (passed, three_digits(high))
            yield (
                f"Its {TITLES[leaf.name].lower()} of {own} {_each(score.unit)} lies beyond the {end} end of the scale "
                f"({' to '.join(ends)}), where values are extrapolated."
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
        found.setdefault(one.new_first, []).append(one.where)
    for label, where in found.items():
        told = _plain(study, best, f"{label} comes first where {where[0]}.")
        yield told[0].upper() + told[1:]
    for label, where in found.items():
        if more := where[1:_OVERTURNS]:
            others = len(where) - 1 - len(more)
            rest = f"; {counted(others, 'more assumption')}: tenancykit robust" if others > 0 else ""
            who = f" {label}," if len(found) > 1 else ""
            yield _plain(study, best, f"Likewise{who} where {', or where '.join(more)}{rest}.")


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
    return _plain(study, study.best, _asked(study))


def would_be_first(study: Study) -> Evaluation | None:
    """Return the design of which the third line says what would bring it first; nothing where it names none."""
    found = _ids(study).search(_asked(study))
    return study[found[0]] if found else None


def _asked(study: Study) -> str:
    if study.verdict is None or not (others := other_families(study, study.best)):
        return ""
    return _settling(study, study.verdict, study.best, others)


def _rivals(study: Study, verdict: Verdict, best: Evaluation) -> Iterator[str]:
    """Yield who is first in most of the other samples."""
    twins = twins_of(study, best)
    rivals = [label for label in verdict.contenders if label not in twins]
    if rivals:
        yield f"First most often in the other samples: {called(study[rivals[0]], best)}."


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
    """Return a sentence with designs by name instead of id, once each."""
    twins, told = twins_of(study, best), set[str]()

    def named(found: re.Match[str]) -> str:
        if found[0] in told:
            return "that design"
        told.add(found[0])
        name = called(study[found[0]], best)
        return f"a variant of the first ({name})" if found[0] in twins else name

    return _ids(study).sub(named, text)


def _ids(study: Study) -> re.Pattern[str]:
    """Return what finds ids of designs in a text."""
    ids = "|".join(re.escape(e.id) for e in sorted(study.evaluations, key=lambda e: -len(e.id)))
    return re.compile(rf"(?<![\w+-])(?:{ids})(?![\w+-])")


def _tight_limits(best: Evaluation) -> Iterator[str]:
    """Yield which limits a design that keeps them may still pass, by its own doubt."""
    for need in hard_requirements(best.scenario):
        if (most := highest(best, need.measure)) > need.limit:
            unit = {"go-live": "weeks", "engineers": "people"}.get(need.measure, best.scores["cost"].unit)
            told = f"{three_digits(most)} against at most {three_digits(need.limit)} {_each(unit)} at P90"
            yield f"It may still miss {need.name}: {told}."


__all__ = ["how_sure_line", "what_would_settle_it", "would_be_first"]
