from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.errors import InputError
from tenancykit.decision import (
    Weights,
    direct_weights,
    equal_weights,
    matrix_weights,
    pairwise_weights,
    swing_weights,
)

NAMES = ("isolation", "effort", "operations", "cost")


def test_stated_weights_are_kept_in_the_order_of_the_criteria() -> None:
    weights = direct_weights({"cost": 0.1, "isolation": 0.5, "effort": 0.2, "operations": 0.2}, NAMES)
    assert weights.values.tolist() == pytest.approx([0.5, 0.2, 0.2, 0.1])
    assert weights["cost"] == pytest.approx(0.1)
    assert weights.along(("cost", "isolation", "effort", "operations"))[0] == pytest.approx(0.1)


def test_weights_that_do_not_add_up_are_refused_and_normalised_only_when_asked() -> None:
    stated = {"isolation": 2.0, "effort": 1.0, "operations": 1.0, "cost": 1.0}
    with pytest.raises(InputError, match="add up to 5") as caught:
        direct_weights(stated, NAMES)
    assert "ask for normalisation" in str(caught.value)
    asked = direct_weights(stated, NAMES, normalise=True)
    assert asked["isolation"] == pytest.approx(0.4)
    assert "divided by their sum" in asked.origin


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_negative_or_endless_weights_are_refused_even_when_normalising(bad: float) -> None:
    with pytest.raises(InputError, match="cost"):
        direct_weights({"isolation": 0.4, "effort": 0.4, "operations": 0.3, "cost": bad}, NAMES, normalise=True)


def test_missing_and_unknown_criteria_are_named_together() -> None:
    with pytest.raises(InputError) as caught:
        direct_weights({"isolatio": 1.0}, NAMES)
    text = str(caught.value)
    assert "did you mean isolation" in text
    assert text.count("has no weight") == 4


def test_all_zero_weights_are_refused() -> None:
    with pytest.raises(InputError, match="all zero"):
        direct_weights(dict.fromkeys(NAMES, 0.0), NAMES, normalise=True)


def test_swing_points_give_proportional_weights() -> None:
    weights = swing_weights({"isolation": 100, "effort": 50, "operations": 30, "cost": 20}, NAMES)
    assert weights.values.tolist() == pytest.approx([0.5, 0.25, 0.15, 0.1])


def test_weights_of_other_criteria_do_not_fit() -> None:
    with pytest.raises(InputError, match="has no weight"):
        equal_weights(("a", "b")).along(("a", "c"))
    with pytest.raises(InputError):
        Weights((), np.array([]))


def test_saaty_drinks_example_is_reproduced() -> None:
    # T. L. Saaty, Relative consumption of drinks in the US; matrix and weights as published in the AHPy package
    # (github.com/PhilipGriffith/AHPy), which quotes Saaty (2008), Int. J. Services Sciences 1(1), 83-98.
    names = ("coffee", "wine", "tea", "beer", "soda", "milk", "water")
    text = """1 9 5 2 1 1 1/2
              1/9 1 1/3 1/9 1/9 1/9 1/9
              1/5 3 1 1/3 1/4 1/3 1/9
              1/2 9 3 1 1/2 1 1/3
              1 9 4 2 1 2 1/2
              1 9 3 1 1/2 1 1/3
              2 9 9 3 2 3 1"""
    matrix = [[float(Fraction(cell)) for cell in line.split()] for line in text.splitlines()]
    result = matrix_weights(names, matrix)
    assert result.weights.values.tolist() == pytest.approx([0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327], abs=1e-3)
    assert result.lambda_max == pytest.approx(7.1766, abs=1e-4)
    assert result.consistency_index == pytest.approx(0.0294, abs=1e-4)
    assert result.consistency_ratio == pytest.approx(0.0223, abs=1e-4)
    assert result.consistent
    assert result.at_odds is None


def test_the_judgement_that_contradicts_the_others_is_found() -> None:
    true = dict(zip(NAMES, (8.0, 4.0, 2.0, 1.0), strict=True))
    judgements = {(a, b): true[a] / true[b] for i, a in enumerate(NAMES) for b in NAMES[i + 1 :]}
    assert pairwise_weights(NAMES, judgements).consistency_ratio == pytest.approx(0, abs=1e-9)
    judgements["effort", "cost"] = 1 / 6
    result = pairwise_weights(NAMES, judgements)
    assert result.consistency_ratio > 0.10
    assert result.at_odds is not None
    assert (result.at_odds.first, result.at_odds.second) == ("effort", "cost")
    assert result.at_odds.implied == pytest.approx(4)
    assert result.at_odds.ratio_if_changed == pytest.approx(0, abs=1e-9)
    assert "effort against cost" in str(result.at_odds)


def test_two_criteria_are_always_consistent() -> None:
    result = pairwise_weights(("a", "b"), {("b", "a"): 3.0})
    assert result.weights.values.tolist() == pytest.approx([0.25, 0.75])
    assert result.consistency_ratio == 0
    assert matrix_weights(("a",), [[1.0]]).weights.values.tolist() == [1.0]


def test_missing_contradicting_and_impossible_judgements_are_refused() -> None:
    with pytest.raises(InputError, match="'b' and 'c' were not compared"):
        pairwise_weights(("a", "b", "c"), {("a", "b"): 1.0, ("a", "c"): 1.0})
    with pytest.raises(InputError, match="contradicts"):
        pairwise_weights(("a", "b"), {("a", "b"): 3.0, ("b", "a"): 3.0})
    with pytest.raises(InputError, match="positive number"):
        pairwise_weights(("a", "b"), {("a", "b"): 0.0})
    with pytest.raises(InputError, match="reciprocal"):
        matrix_weights(("a", "b"), [[1, 2], [2, 1]])
    with pytest.raises(InputError, match="square"):
        matrix_weights(("a", "b"), [[1, 2]])
    with pytest.raises(InputError, match="at most 15"):
        matrix_weights([f"c{i}" for i in range(16)], np.ones((16, 16)))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.05, 20), min_size=2, max_size=7))
def test_consistent_judgements_give_back_the_weights_they_came_from(parts: list[float]) -> None:
    names = [f"c{i}" for i in range(len(parts))]
    truth = np.array(parts) / sum(parts)
    result = matrix_weights(names, np.array([[a / b for b in parts] for a in parts]))
    assert np.allclose(result.weights.values, truth)
    assert result.consistency_ratio < 1e-6
    order = np.argsort(-truth)
    assert all(result.weights.values[a] >= result.weights.values[b] - 1e-12 for a, b in pairwise(order))


def test_huge_and_tiny_weights_are_normalised_without_overflow() -> None:
    for size in (1e308, 1e-320):
        assert direct_weights({"x": size, "y": size}, ("x", "y"), normalise=True).values.tolist() == [0.5, 0.5]
    with pytest.raises(InputError, match="is 'a'; allowed: a positive number"):
        pairwise_weights(("x", "y"), {("x", "y"): "a"})  # type: ignore[dict-item]
