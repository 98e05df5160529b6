"""Weights asked for by trade-offs, swings and pairs; contradictions are shown; who is first over a range of worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.errors import InputError
from tenancykit.decision.elicitation import Good, TradeOff, from_pairs, from_swings, from_tradeoffs, swing_question
from tenancykit.decision.exchange import prices
from tenancykit.decision.ranking import weighted_sum
from tenancykit.decision.reigns import reigns
from tenancykit.decision.scaling import scale
from tenancykit.decision.table import DecisionTable
from tenancykit.decision.weights import Weights, equal_weights
from tests.decision.test_value_tree import WEIGHTS, tree

GOODS = (
    Good("cost", ("cost",), "one USD a month", "USD a month"),
    Good("nine", ("isolation/a/network", "isolation/b/network"), "one nine more", "nine"),
    Good("day", ("effort",), "a person-day saved", "person-day"),
)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.1, 1000), st.floats(0.1, 1000))
def test_answers_in_money_come_back_as_the_prices(nine: float, day: float) -> None:
    answers = [TradeOff("nine", 1, "cost", nine), TradeOff("day", 1, "cost", day)]
    found = from_tradeoffs(tree(), GOODS, answers, WEIGHTS, "cost").accepted()
    assert dict(found.prices) == pytest.approx({"nine": nine, "day": day})
    per_unit = dict(zip([x.name for x in found.tree.leaves], prices(found.tree, found.weights, "cost"), strict=True))
    assert per_unit["effort"] == pytest.approx(day)
    assert per_unit["isolation/a/network"] + per_unit["isolation/b/network"] == pytest.approx(nine)


def test_an_answer_by_way_of_another_good_counts_too() -> None:
    answers = [TradeOff("day", 1, "cost", 2.0), TradeOff("nine", 2, "day", 30)]
    found = from_tradeoffs(tree(), GOODS, answers, WEIGHTS, "cost").accepted()
    assert found.prices["nine"] == pytest.approx(30.0)


def test_the_answers_that_contradict_each_other_are_shown() -> None:
    answers = [
        TradeOff("nine", 1, "cost", 100),
        TradeOff("day", 1, "cost", 2),
        TradeOff("nine", 1, "day", 500),  # by the other two: 50
    ]
    found = from_tradeoffs(tree(), GOODS, answers, WEIGHTS, "cost")
    assert found.contradictions[0].factor == pytest.approx(10)
    with pytest.raises(InputError, match="contradict each other") as told:
        found.accepted()
    assert all(f"'{answer}'" in str(told.value) for answer in answers)  # a circle: none of the three stands out
    twice = [TradeOff("nine", 1, "cost", 100), TradeOff("nine", 1, "cost", 300)]
    (both,) = from_tradeoffs(tree(), GOODS, twice, WEIGHTS, "cost").contradictions
    assert {both.first.worth, *(other.worth for other in both.others)} == {100, 300}


def test_answers_that_differ_by_little_are_fitted_between_them() -> None:
    twice = [TradeOff("nine", 1, "cost", 100), TradeOff("nine", 1, "cost", 121)]
    assert from_tradeoffs(tree(), GOODS, twice, WEIGHTS, "cost").accepted().prices["nine"] == pytest.approx(110)


@pytest.mark.parametrize(
    "answer", [TradeOff("nin", 1, "cost", 2), TradeOff("nine", 0, "cost", 2), TradeOff("day", 1, "day", 2)]
)
def test_answers_about_nothing_are_refused(answer: TradeOff) -> None:
    with pytest.raises(InputError):
        from_tradeoffs(tree(), GOODS, [answer], WEIGHTS, "cost")


def test_swings_and_pairs_give_the_same_weights_where_they_say_the_same() -> None:
    swings = from_swings(tree(), {"isolation": 100, "effort": 50, "cost": 50})
    pairs = from_pairs(tree(), {("isolation", "effort"): 2, ("isolation", "cost"): 2, ("effort", "cost"): 1})
    assert swings.values.tolist() == pytest.approx(pairs.values.tolist())
    assert "effort (200 to 0 person-days)" in swing_question(tree(), {})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=8), st.floats(0.0, 4.0))
def test_whoever_is_said_to_reign_is_first_there(rows: list[tuple[float, float]], at: float) -> None:
    labels = [f"d{i}" for i in range(len(rows))]
    table = DecisionTable.of(labels, {"x": "higher", "y": "higher"}, rows)
    scaled = scale(table, {"x": (0, 1), "y": (0, 1)})
    found = reigns(scaled, equal_weights(("x", "y")), "x", 0.0, 4.0)
    assert found[0].low == 0.0
    assert found[-1].high == 4.0
    reign = next(r for r in found if r.low <= at <= r.high)
    moved = Weights(("x", "y"), np.array([at, 1.0]) / (1 + at))
    scores = weighted_sum(scaled, moved).scores
    assert scores[table.row(reign.label)] >= scores.max() - 1e-6
