"""The question that settles a first place asks only what somebody could answer."""

from __future__ import annotations

import numpy as np
import pytest

from tenancykit.decision.plausible import FAR, WAGES, most_for_a_nine
from tenancykit.scenario.judgement import Worth
from tenancykit.study.evaluation import HOURS_PER_DAY
from tenancykit.study.exchange_rates import ExchangeRate
from tenancykit.study.settling import brought_back, most_plausible, question, turns

WAGE, BILL = 800.0, 50_000.0
DAY = ExchangeRate("person_day", 1_000.0, "USD", "a person-day")
HOUR = ExchangeRate("hour", 100.0, "USD", "an hour of toil")
OTHER = ExchangeRate("isolation:rest", 0.0, "USD a month", "one nine more for the rest")
NINE = ExchangeRate("isolation:labs", 9_000.0, "USD a month", "one nine more for the 3 labs")


def asked(*parts: tuple[ExchangeRate, list[float]], stated: Worth | None = None) -> str:
    """Return the question about two designs, A first, of whose scores the parts are all there is."""
    worths = [(rate, np.array(values)) for rate, values in parts]
    scores = np.sum([part for _, part in worths], axis=0)
    most = most_plausible([rate for rate, _ in parts], stated or Worth(), WAGE, BILL)
    found = turns(["A", "B"], [0], worths, scores)
    return question(found, most, brought_back(["A", "B"], [0], worths, scores, most))


def test_a_worth_within_reach_is_asked_about() -> None:
    # B is ahead by 0.1 in days and behind by 0.3 in isolation: level once a day is worth three times as much.
    told = asked((DAY, [0.1, 0.2]), (OTHER, [0.6, 0.3]))
    assert told == "Is a person-day worth more than 3,000 USD (1,000 as weighed)? Then B is first."


def test_work_at_many_times_its_wage_is_no_question() -> None:
    """A board was asked whether a person-day is worth more than 163,000 USD."""
    assert WAGES * WAGE < 9 * DAY.amount < FAR * DAY.amount
    assert asked((DAY, [0.1, 0.2]), (NINE, [2.0, 1.2])).startswith("Is cutting the open days of the 3 labs to a tenth")
    assert asked((DAY, [0.1, 0.2]), (HOUR, [2.0, 1.2]), (NINE, [0.0, 0.0])).startswith("Is an hour of toil worth less")
    assert asked((DAY, [0.1, 0.2]), (HOUR, [0.0, 0.0]), (NINE, [0.0, 0.0]), (OTHER, [2.0, 1.2])) == ""


def test_a_worth_that_the_scenario_states_is_asked_about_beyond_what_others_would_pay() -> None:
    parts = (DAY, [0.1, 0.2]), (OTHER, [2.0, 1.2])
    assert asked(*parts) == ""
    assert asked(*parts, stated=Worth(person_day="1000 USD")).startswith("Is a person-day worth more than 8,000 USD")


def test_a_weight_beyond_what_is_plausible_is_asked_about_at_the_plausible_end() -> None:
    """Weighed at 50 times its wage, a day makes A first; at any plausible worth B is."""
    fancied = ExchangeRate("person_day", 50 * WAGE, "USD", "a person-day")
    told = asked((fancied, [5.0, 4.0]), (OTHER, [0.0, 0.5]))
    assert told == "Is a person-day worth less than 4,000 USD (40,000 as weighed)? Then B is first."


@pytest.mark.parametrize("bill", [1_000.0, 5e6])
def test_isolation_is_worth_a_breach_a_year_or_as_much_again_as_the_platform(bill: float) -> None:
    # 4.44 million USD a year at 1,018 USD a day.
    assert most_for_a_nine(1_018, bill) == pytest.approx(max(bill, 4.44e6 / 12), rel=1e-3)
    assert most_plausible([HOUR], Worth(), WAGE, bill)["hour"] == WAGES * WAGE / HOURS_PER_DAY
