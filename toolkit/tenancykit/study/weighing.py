"""Weights asked for instead of stated: swing points or trade-offs answered for a scenario, and what follows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from kubeanswers.scalars import decimal_number
from tenancykit.criterion_names import ADDED, CRITERIA, TITLES
from tenancykit.decision.elicitation import (
    Contradiction,
    TradeOff,
    from_swings,
    swing_question,
    tradeoff_questions,
)
from tenancykit.scenario.judgement import Worth
from tenancykit.scenario.model import Weights
from tenancykit.sentences import three_digits
from tenancykit.study.comparison import Study, study_of
from tenancykit.study.evaluation import AMORTISATION_MONTHS
from tenancykit.study.exchange_rates import MONEY, elicited, goods, rates_in_words

_TRADE: Final = re.compile(r"\s*([0-9][0-9._]*)\s+(\S+)\s*=\s*([0-9][0-9._]*)\s+(\S+)\s*")


@dataclass(frozen=True)
class Weighing:
    """What somebody's answers say.

    Attributes:
        study: the designs ranked as answered.
        said: the answers as YAML for the scenario: a ``weights:`` or a ``worth:`` block.
        contradictions: answers that cannot all hold; the ranking then rests on the nearest fit.
    """

    study: Study
    said: str
    contradictions: tuple[Contradiction, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """What the answers mean, in exchange rates and in the first place, a sentence each; contradictions before."""
        lines = [f"Contradiction: {item}. Change one of them." for item in self.contradictions]
        lines.append(rates_in_words(self.study.exchange_rates))
        if self.study.ranking is not None:
            answers = "what fits these answers best" if self.contradictions else "these answers"
            lines.append(f"First under {answers}: {self.study.best.name}.")
        return tuple(lines)

    def text(self) -> str:
        """Return what the answers mean, in exchange rates, in the first place, and as YAML."""
        return "\n".join([*self.words, "", "For the scenario:", "", self.said])


def questions(study: Study) -> tuple[str, ...]:
    """Return the questions somebody would be asked: one about swings, then how much money each good is worth."""
    found = goods(study.scenario, study.scales)
    titles = {name: title.lower() for name, title in TITLES.items()}
    asked = []
    for good, text in zip((g for g in found if g.name != MONEY), tradeoff_questions(found, MONEY), strict=True):
        once = f"How many {study.scenario.infrastructure.currency}, paid once, is {good.words} worth?"
        asked.append(once if good.name == "person_day" else text)
    return (swing_question(study.scales.tree, titles), *asked)


def weighed_by_swings(study: Study, points: Mapping[str, float]) -> Weighing:
    """Return the study as swing points weigh it: 100 for the swing wanted most, the others in proportion.

    Raises:
        InputError: a criterion is missing or unknown, or points are negative, not finite or all zero.
    """
    unknown = [name for name in points if name not in CRITERIA]
    if unknown:
        cure = did_you_mean(unknown[0], CRITERIA)
        raise InputError(Fault("--swing", f"unknown criterion {unknown[0]!r}", ", ".join(CRITERIA), cure))
    found = from_swings(study.scales.tree, {**dict.fromkeys(ADDED, 0.0), **points}).as_dict()
    rounded = {name: round(found.get(name, 0.0), 4) for name in CRITERIA}
    rounded[max(rounded, key=lambda name: rounded[name])] += round(1 - sum(rounded.values()), 4)
    weights = Weights.by_criterion(rounded)
    scenario = study.scenario.model_copy(update={"weights": weights, "worth": Worth()})
    told = [f"{name}: {value:g}" for name, value in rounded.items() if name not in ADDED]
    more = ", ".join(f"{name}: {rounded[name]:g}" for name in ADDED if rounded[name])
    said = ", ".join([*told, *([f"added: {{{more}}}"] if more else [])])
    return Weighing(study_of(scenario, study.catalogue, study.evaluations), f"weights: {{{said}}}")


def weighed_by_trades(study: Study, answers: Sequence[TradeOff]) -> Weighing:
    """Return the study as trade-off answers weigh it; what nobody answered about keeps its weight.

    An answer about a person-day is money once; answers about nines and hours are money a month.

    Raises:
        InputError: there is no answer, a good is unknown or an amount is not positive.
    """
    if not answers:
        raise InputError(Fault("--trade", "nothing was answered", cure="as in --trade '1 person_day = 700 cost'"))
    per_month = [_per_month(answer) for answer in answers]
    found = elicited(study.scenario, study.scales, study.weights, per_month)
    currency = study.scenario.infrastructure.currency
    nines = {
        name.partition(":")[2]: f"{three_digits(price)} {currency} a month per nine"
        for name, price in found.prices.items()
        if name.startswith("isolation:")
    }
    parts: dict[str, object] = {"isolation": nines} if nines else {}
    if "person_day" in found.prices:
        parts["person_day"] = f"{three_digits(found.prices['person_day'] * AMORTISATION_MONTHS)} {currency}"
    if "hour" in found.prices:
        parts["hour"] = f"{three_digits(found.prices['hour'])} {currency}"
    scenario = study.scenario.model_copy(update={"worth": Worth.model_validate(parts)})
    lines = ["worth:"]
    if nines:
        lines += ["  isolation:", *(f'    {name}: "{text}"' for name, text in nines.items())]
    lines += [f'  {name}: "{text}"' for name, text in parts.items() if name != "isolation"]
    again = study_of(scenario, study.catalogue, study.evaluations)
    return Weighing(again, "\n".join(lines), tuple(_as_answered(item) for item in found.contradictions))


def _per_month(answer: TradeOff) -> TradeOff:
    """Return an answer with money paid once for person-days as money a month."""
    if answer.first == "person_day" and answer.second == MONEY:
        return TradeOff(answer.first, answer.amount, answer.second, answer.worth / AMORTISATION_MONTHS)
    if answer.second == "person_day" and answer.first == MONEY:
        return TradeOff(answer.first, answer.amount / AMORTISATION_MONTHS, answer.second, answer.worth)
    return answer


def _as_answered(found: Contradiction) -> Contradiction:
    """Return a contradiction in the words of its answers: money paid once for person-days."""
    first, *others = (_once(answer) for answer in (found.first, *found.others))
    return replace(found, first=first, others=tuple(others), implied=found.implied * first.worth / found.first.worth)


def _once(answer: TradeOff) -> TradeOff:
    """Return an answer with money a month for person-days as money paid once, as people say it."""
    if answer.first == "person_day" and answer.second == MONEY:
        return replace(answer, worth=answer.worth * AMORTISATION_MONTHS)
    if answer.second == "person_day" and answer.first == MONEY:
        return replace(answer, amount=answer.amount * AMORTISATION_MONTHS)
    return answer


def parse_trade(text: str) -> TradeOff:
    """Return a trade-off from its text: ``1 isolation:basic = 20000 cost``.

    Raises:
        InputError: it has another form.
    """
    found = _TRADE.fullmatch(text)
    if found is None:
        form = "AMOUNT GOOD = AMOUNT GOOD"
        raise InputError(Fault("--trade", f"cannot read {text!r}", form, "as in --trade '1 person_day = 700 cost'"))
    return TradeOff(found[2], _amount(found[1], text), found[4], _amount(found[3], text))


def _amount(digits: str, text: str) -> float:
    amount = decimal_number(digits.replace("_", ""))
    if amount is None:
        raise InputError(Fault("--trade", f"{digits!r} in {text!r} is not a number", "digits"))
    return amount


def parse_swings(texts: Sequence[str]) -> dict[str, float]:
    """Return swing points by criterion from ``CRITERION=POINTS`` texts.

    Raises:
        InputError: a text has another form, or a criterion is given twice.
    """
    found: dict[str, float] = {}
    for text in (part for given in texts for part in given.split(",") if part.strip()):
        name, sign, points = (part.strip() for part in text.partition("="))
        value = decimal_number(points)
        if not sign or value is None:
            raise InputError(Fault("--swing", f"cannot read {text!r}", "CRITERION=POINTS", "as in --swing cost=60"))
        if name in found:
            raise InputError(Fault("--swing", f"{name!r} is given twice", "each criterion once"))
        found[name] = value
    return found
