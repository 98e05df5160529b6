"""A scenario's weights said back in money: what a nine, a person-day and an hour of toil are worth, beyond wages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from kubeanswers.errors import InputError
from kubeanswers.records import dataclass
from tenancykit.criterion_names import CRITERIA
from tenancykit.decision.elicitation import Elicited, Good, TradeOff, from_tradeoffs
from tenancykit.decision.exchange import Price, priced, prices, together
from tenancykit.decision.plausible import most_for_work
from tenancykit.decision.weights import Weights, direct_weights
from tenancykit.scenario import model
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import tenants_of
from tenancykit.scenario.worth import parse_rate
from tenancykit.sentences import three_digits
from tenancykit.study.evaluation import AMORTISATION_MONTHS, HOURS_PER_DAY
from tenancykit.study.leaves import leaf_name
from tenancykit.study.scales import ScaleSet

MONEY = "cost"
"""The leaf whose units prices are in: money per month."""

NINE: Final = "one nine more for "
"""How the worth of a class's isolation is called, before its tenants."""


@dataclass(frozen=True)
class ExchangeRate:
    """What one unit more of something is worth.

    Attributes:
        what: ``isolation:CLASS``, ``person_day`` or ``hour``.
        amount: money, in the scenario's currency.
        unit: of the amount: ``USD a month`` or ``USD``.
        words: the unit that is priced, in words: ``one nine more for the 60 basic customers``.
    """

    what: str
    amount: float
    unit: str
    words: str

    def __str__(self) -> str:
        return f"{self.words} is worth {three_digits(self.amount)} {self.unit}"


def weighed(scenario: Scenario, scales: ScaleSet) -> tuple[ScaleSet, Weights]:
    """Return the scales and weights of a scenario, with what it states as exchange rates taken for its word.

    Raises:
        InputError: exchange rates in money where cost weighs nothing.
    """
    weights = weights_of(scenario.weights)
    stated = [*_stated(scenario, scales)]
    if not stated:
        return scales, weights
    tree, found = priced(scales.tree, weights, MONEY, stated)
    return replace(scales, tree=tree), found


def _stated(scenario: Scenario, scales: ScaleSet) -> list[Price]:
    worth, found = scenario.worth, []
    if worth.person_day is not None:
        once = parse_rate(worth.person_day, of="person-day", flows=False).amount
        found.append(Price(("effort",), once / AMORTISATION_MONTHS))
        if worth.hour is None:
            found.append(Price(("operations",), once / HOURS_PER_DAY))
    if worth.hour is not None:
        found.append(Price(("operations",), parse_rate(worth.hour, of="hour", flows=False).amount))
    groups = _groups(scales)
    if isinstance(worth.isolation, str) and groups:
        every = tuple(name for members in groups.values() for name in members)
        found.append(Price(every, parse_rate(worth.isolation, of="nine", flows=True).amount))
    elif isinstance(worth.isolation, dict):
        for name, text in worth.isolation.items():
            if name in groups:
                found.append(Price(groups[name], parse_rate(text, of="nine", flows=True).amount))
    return found


def exchange_rates(scenario: Scenario, scales: ScaleSet, weights: Weights) -> tuple[ExchangeRate, ...]:
    """Return what weights mean in money; empty where cost weighs nothing.

    The bill holds wages already, so that the rates of a person-day and an hour are what comes on top of them. A nine is
    one more on every plane of the class, on average between what the class must have and what would be plenty.
    """
    currency = scenario.infrastructure.currency
    try:
        per_unit = prices(scales.tree, weights, MONEY)
    except InputError:
        return ()
    names = [leaf.name for leaf in scales.tree.leaves]
    found = [
        ExchangeRate(f"isolation:{name}", amount, f"{currency} a month", f"{NINE}{who(scenario, name)}")
        for name, amount in together(scales.tree, per_unit, _groups(scales)).items()
    ]
    day = float(per_unit[names.index("effort")]) * AMORTISATION_MONTHS
    found.append(ExchangeRate("person_day", day, currency, "a person-day"))
    found.append(ExchangeRate("hour", float(per_unit[names.index("operations")]), currency, "an hour of toil"))
    return tuple(found)


def rates_in_words(rates: tuple[ExchangeRate, ...]) -> str:
    """Return exchange rates as one sentence; empty where there are none."""
    if not rates:
        return ""
    nines = [str(rate) for rate in rates if rate.what.startswith("isolation")]
    nines[:1] = [text.replace("one nine more", "one nine more (open days cut to a tenth)") for text in nines[:1]]
    work = " and ".join(f"{r.words} {three_digits(r.amount)} {r.unit}" for r in rates[len(nines) :])
    return f"As weighed, {', '.join([*nines, work])} beyond the wages already counted."


def beyond_wages(rates: tuple[ExchangeRate, ...], day_rate: float, currency: str) -> str:
    """Return that weights put work at many times its wage, with what to state instead; empty where they do not.

    Args:
        rates: exchange rates as weighed.
        day_rate: wage of a person-day.
        currency: of both.
    """
    for rate in rates:
        wage = {"person_day": day_rate, "hour": day_rate / HOURS_PER_DAY}.get(rate.what, 0.0)
        if wage and rate.amount > most_for_work(wage):
            return (
                f"So weighed, {rate.words} is worth {rate.amount / wage:,.0f} times its wage "
                f"({three_digits(wage)} {currency}): where that is not meant, state "
                f"'worth: {{{rate.what}: \"{three_digits(wage).replace(',', '')} {currency}\"}}' or what it is worth."
            )
    return ""


def goods(scenario: Scenario, scales: ScaleSet) -> tuple[Good, ...]:
    """Return what a scenario's people can trade against each other: money, nines per class, person-days, hours of toil.

    Money is per month. A person-day is paid once: an answer about it is in money per month once divided by
    :data:`AMORTISATION_MONTHS`, as :func:`monthly` does.
    """
    currency = scenario.infrastructure.currency
    per_class = [
        Good(f"isolation:{name}", leaves, f"{NINE}{who(scenario, name)}", "nine")
        for name, leaves in _groups(scales).items()
    ]
    return (
        Good(MONEY, (MONEY,), f"one {currency} a month", f"{currency} a month"),
        *per_class,
        Good("person_day", ("effort",), "a person-day of implementation saved", "person-day"),
        Good("hour", ("operations",), "an hour of toil a month saved", "hour a month"),
    )


def monthly(once: float) -> float:
    """Return money paid once as money per month, over the months implementation is spread."""
    return once / AMORTISATION_MONTHS


def elicited(scenario: Scenario, scales: ScaleSet, weights: Weights, answers: Sequence[TradeOff]) -> Elicited:
    """Return the weights that fit trade-off answers about a scenario's goods; contradicting answers are named.

    Args:
        scenario: what is asked.
        scales: its scales.
        weights: weights for what nobody answered about.
        answers: amounts of :func:`goods` that are worth the same; money is per month.

    Raises:
        InputError: a good is unknown or an amount is not positive.
    """
    return from_tradeoffs(scales.tree, goods(scenario, scales), answers, weights, MONEY)


def who(scenario: Scenario, class_id: str) -> str:
    """Return the tenants of a class in words: ``the 60 basic customers``."""
    return tenants_of([scenario.tenant_class(class_id)])


def weights_of(weights: model.Weights) -> Weights:
    """Return a scenario's weights as the decision room takes them."""
    stated: Mapping[str, float] = weights.of_criteria()
    return direct_weights(stated, CRITERIA, normalise=weights.normalise)


def leaves_of_rates(scales: ScaleSet) -> dict[str, tuple[str, ...]]:
    """Return the leaves behind each exchange rate, by what it prices."""
    per_class = {f"isolation:{name}": leaves for name, leaves in _groups(scales).items()}
    return {**per_class, "person_day": ("effort",), "hour": ("operations",)}


def _groups(scales: ScaleSet) -> dict[str, tuple[str, ...]]:
    """Return the leaves of isolation by tenant class."""
    found: dict[str, tuple[str, ...]] = {}
    for key in scales.keys:
        found[key[0]] = (*found.get(key[0], ()), leaf_name(key))
    return found


__all__ = [
    "MONEY",
    "NINE",
    "ExchangeRate",
    "beyond_wages",
    "elicited",
    "exchange_rates",
    "goods",
    "leaves_of_rates",
    "monthly",
    "rates_in_words",
    "weighed",
    "weights_of",
    "who",
]
