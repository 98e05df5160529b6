"""Answers become weights with a meaning in money; answers that cannot both hold are named."""

from __future__ import annotations

import re

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.scenario.worth import parse_rate
from tenancykit.study.exchange_rates import beyond_wages
from tenancykit.study.weighing import parse_swings, parse_trade, questions, weighed_by_swings, weighed_by_trades
from tests import studies


def study() -> tk.Study:
    return studies.study("ml-platform")


def test_everything_that_can_be_traded_is_asked_about() -> None:
    asked = questions(study())
    assert asked[0].startswith("All of these stand at their worse end")
    assert any("one nine more for the 16 research teams" in text for text in asked)
    assert any("a person-day" in text for text in asked)


def test_answers_come_back_as_the_exchange_rates_they_state() -> None:
    answers = ["1 isolation:research = 20000 cost", "2 person_day = 1400 cost", "1 hour = 90 cost"]
    found = weighed_by_trades(study(), [parse_trade(text) for text in answers])
    rates = {rate.what: rate.amount for rate in found.study.exchange_rates}
    assert rates == pytest.approx({"isolation:research": 20_000, "person_day": 700, "hour": 90}, rel=0.01)
    assert found.contradictions == ()


def test_work_that_weights_put_at_many_times_its_wage_is_pointed_out_with_what_to_state_instead() -> None:
    """One engineer's person-day was worth 59,100 USD, and nothing said that this is a hundred times its wage."""
    told = beyond_wages(study().exchange_rates, 600.0, "USD")
    worth = next(rate.amount for rate in study().exchange_rates if rate.what == "person_day")
    assert worth > 6000
    assert f"{worth / 600:,.0f} times its wage (600 USD)" in told
    found = re.search(r"'worth: \{person_day: \"(.*)\"\}'", told)
    assert found
    assert parse_rate(found[1], of="person-day", flows=False).amount == 600
    assert beyond_wages(study().exchange_rates, worth, "USD") == ""


def test_two_answers_that_cannot_both_hold_are_named() -> None:
    answers = ["1 isolation:research = 20000 cost", "1 hour = 90 cost", "1 isolation:research = 2 hour"]
    (first, *_) = weighed_by_trades(study(), [parse_trade(text) for text in answers]).contradictions
    assert "contradict each other" in str(first)


@pytest.mark.parametrize(
    "answers",
    [("1 person_day = 700 cost", "2 person_day = 9000 cost"), ("700 cost = 1 person_day", "9000 cost = 2 person_day")],
)
def test_answers_that_contradict_each_other_are_told_as_they_were_given(answers: tuple[str, str]) -> None:
    """Days are paid once, and told so: '1 of person_day = 19.4444444444 of cost' was nobody's answer."""
    found = weighed_by_trades(study(), [parse_trade(text) for text in answers])
    told = found.text().splitlines()[0]
    assert told.startswith("Contradiction: ")
    for answer in answers:
        assert f"'{answer.replace('9000', '9,000')}'" in told
    assert "4,500" in told or "0.156" in told
    assert "First under what fits these answers best" in found.text()


def test_swings_weigh_in_proportion_and_the_block_is_one_a_scenario_takes() -> None:
    found = weighed_by_swings(study(), parse_swings(["isolation=100,cost=60", "effort=20,operations=20"]))
    assert found.said == "weights: {isolation: 0.5, effort: 0.1, operations: 0.1, cost: 0.3}"
    assert list(found.study.weights.values)[:4] == [0.5, 0.1, 0.1, 0.3]


@pytest.mark.parametrize("text", ["1 isolation = ", "x hour = 1 cost", "1 hour 90 cost", "1..2 hour = 1 cost"])
def test_a_trade_off_of_another_form_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(InputError, match="--trade"):
        parse_trade(text)


@pytest.mark.parametrize("text", ["cost", "cost=much", "cost=1,cost=2", "price=1,cost=1,effort=1,operations=1"])
def test_swing_points_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--swing"):
        weighed_by_swings(study(), parse_swings([text]))
