from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from kubeanswers.errors import InputError
from tenancykit.decision import (
    agreement,
    equal_weights,
    kendall_tau,
    rank_reversal,
    scale,
    topsis,
    vikor,
    weighted_sum,
)
from tenancykit.decision.weights import direct_weights
from tests.decision.strategies import simple


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=2, max_size=40))
def test_tau_agrees_with_scipy(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(column, dtype=np.intp) for column in zip(*pairs, strict=True))
    ours = kendall_tau(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert ours == float(len(set(first)) == len(set(second)) == 1)
    else:
        assert ours == pytest.approx(float(kendalltau(first, second).statistic))


def test_tau_of_a_large_ranking_with_its_reverse_is_minus_one() -> None:
    ranks = np.arange(50_001)
    assert kendall_tau(ranks, ranks[::-1]) == pytest.approx(-1)
    assert kendall_tau(ranks, ranks) == pytest.approx(1)


def test_a_single_design_agrees_with_itself() -> None:
    assert kendall_tau(np.array([1]), np.array([1])) == 1


def test_the_place_where_methods_disagree_is_named() -> None:
    # Extreme b wins the sum; balanced c wins where the largest single regret counts.
    table = simple([[0.0, 0.0], [1.0, 0.10], [0.5, 0.5]])
    scaled, weights = scale(table, {"x": (0, 1), "y": (0, 1)}), equal_weights(table.names)
    found = agreement([weighted_sum(scaled, weights), vikor(scaled, weights, majority=0.0)])
    assert found.winners == (("b",), ("c",))
    assert [(item.label, item.ranks, item.spread) for item in found.disagreements] == [
        ("b", (1, 2), 1),
        ("c", (2, 1), 1),
    ]
    assert found.weakest[:2] == ("weighted sum", "VIKOR")
    assert found.weakest[2] == pytest.approx(1 / 3)
    assert found.tau[0, 0] == 1


def test_unanimous_methods_have_no_disagreement() -> None:
    table = simple([[1.0, 1.0], [0.0, 0.0]])
    scaled, weights = scale(table), equal_weights(table.names)
    found = agreement([weighted_sum(scaled, weights), topsis(scaled, weights)])
    assert found.winners == (("a",), ("a",))
    assert found.disagreements == ()
    assert agreement([weighted_sum(scaled, weights)]).weakest[2] == 1


def test_rankings_of_different_designs_cannot_be_compared() -> None:
    one, two = simple([[1.0], [2.0]]), simple([[1.0]])
    weights = equal_weights(("x",))
    with pytest.raises(InputError):
        agreement([weighted_sum(scale(one), weights), weighted_sum(scale(two), weights)])
    with pytest.raises(InputError):
        agreement([])


def test_topsis_reverses_ranks_on_a_relative_scale_and_not_on_a_fixed_one() -> None:
    # d stretches the scale of y, on which a and b differ most; without it their order turns.
    table = simple([[10.0, 0.0], [6.0, 3.0], [0.0, 1.0], [1.0, 10.0]])
    weights = direct_weights({"x": 0.5, "y": 0.5}, table.names)
    relative = rank_reversal(table, lambda part: topsis(scale(part), weights), drop=["d"])
    assert [
        (item.winner_before, item.winner_after)
        for item in relative.reversals
        if item.winner_before != item.winner_after
    ] == [("a", "b")]
    assert ("a", "b") in relative.reversals[0].flipped
    assert relative.reversals[0].flips == len(relative.reversals[0].flipped)
    bounds = {"x": (0.0, 10.0), "y": (0.0, 10.0)}
    assert rank_reversal(table, lambda part: topsis(scale(part, bounds), weights)).stable


def test_two_designs_cannot_reverse() -> None:
    weights = equal_weights(("x",))
    report = rank_reversal(simple([[1.0], [2.0]]), lambda part: weighted_sum(scale(part), weights))
    assert report.stable
