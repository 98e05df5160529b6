from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from kubeanswers.errors import InputError
from tenancykit.decision import (
    Assumption,
    Criterion,
    DecisionTable,
    equal_weights,
    scale,
    scale_by_share,
    tipping_points,
    tornado,
    value_tips,
    weight_intervals,
    weighted_scores,
    weighted_sum,
)
from tenancykit.decision.weights import Weights
from tests.decision.strategies import POSITIVE_PARTS, WEIGHT_PARTS, anchored, simple, tables, weights_of


def moved(weights: np.ndarray, column: int, to: float) -> np.ndarray:
    others = weights.copy()
    others[column] = 0
    others = others / others.sum() if others.sum() else (np.arange(len(weights)) != column) / max(1, len(weights) - 1)
    changed = others * (1 - to)
    changed[column] = to
    return np.asarray(changed)


def is_best(utilities: np.ndarray, weights: np.ndarray, row: int) -> bool:
    scores = utilities @ weights
    return bool(scores[row] >= scores.max() - 1e-9)


def test_a_weight_interval_ends_where_two_lines_cross() -> None:
    # a leads b by 2w - 1 + 0.2 (1 - w) ... utilities (1, 0.2) and (0, 1): w = 0.8 (1 - w), so w = 4/9.
    scaled = scale(simple([[1, 0.2], [0, 1]]), {"x": (0, 1), "y": (0, 1)})
    weights = Weights(("x", "y"), np.array([0.6, 0.4]))
    first, second = weight_intervals(scaled, weights)
    assert (first.winner, first.above) == ("a", None)
    assert [first.current, first.high] == pytest.approx([0.6, 1.0])
    assert first.low == pytest.approx(4 / 9)
    assert first.below == "b"
    assert [second.low, second.high] == pytest.approx([0.0, 5 / 9])
    assert second.above == "b"


@settings(max_examples=80, deadline=None)
@given(tables(), WEIGHT_PARTS)
def test_the_winner_stays_inside_its_interval_and_falls_just_outside(table: DecisionTable, parts: list[int]) -> None:
    scaled, weights = anchored(table), weights_of(table.names, parts)
    for column, interval in enumerate(weight_intervals(scaled, weights)):
        row = table.row(interval.winner)
        assert interval.low <= interval.current + 1e-9
        assert interval.high >= interval.current - 1e-9
        for share in (0.0, 0.5, 1.0):
            inside = interval.low + share * (interval.high - interval.low)
            assert is_best(scaled.utilities, moved(weights.values, column, inside), row)
        if interval.below is not None:
            outside = moved(weights.values, column, interval.low * 0.99 - 1e-6 if interval.low > 2e-6 else 0.0)
            assert not is_best(scaled.utilities, np.maximum(outside, 0), row)
        if interval.above is not None:
            outside = moved(weights.values, column, interval.high + 0.01 * (1 - interval.high))
            assert not is_best(scaled.utilities, outside, row)


@settings(max_examples=60, deadline=None)
@given(tables(least=2), POSITIVE_PARTS)
def test_a_changed_value_makes_the_first_place_shared_exactly_there(table: DecisionTable, parts: list[int]) -> None:
    scaled, weights = anchored(table), weights_of(table.names, parts)
    winner = weighted_sum(scaled, weights).winner
    for tip in value_tips(scaled, weights, limit=6):
        row, column = table.row(tip.label), table.column(tip.criterion)

        def scores(step: float, row: int = row, column: int = column, tip: object = tip) -> np.ndarray:
            values = table.values.copy()
            values[row, column] += step * tip.change  # type: ignore[attr-defined]
            return np.asarray(scaled.to_utility(values) @ weights.values)

        at = scores(1.0)
        assert at[table.row(tip.new_winner)] == pytest.approx(at.max())
        assert at[table.row(winner)] == pytest.approx(at.max())
        beyond = scores(1.01)
        if tip.change:
            assert beyond[table.row(winner)] < beyond.max()
        assert tip.tips_at == pytest.approx(tip.current + tip.change)


def test_a_tip_says_whether_the_interval_reaches_it() -> None:
    table = simple([[0.8], [0.6]], low=[[0.5], [0.55]], high=[[0.9], [0.7]])
    worse, better = sorted(value_tips(scale(table, {"x": (0, 1)}), equal_weights(("x",))), key=lambda tip: tip.label)
    assert (worse.label, worse.new_winner, worse.within_interval) == ("a", "b", True)
    assert [worse.tips_at, better.tips_at] == pytest.approx([0.6, 0.8])
    assert (better.label, better.within_interval) == ("b", False)
    assert better.relative == pytest.approx(1 / 3)
    assert value_tips(scale(simple([[1.0]])), equal_weights(("x",))) == ()
    with pytest.raises(InputError, match="not linear"):
        value_tips(scale_by_share(simple([[1.0], [2.0]], "l")), equal_weights(("x",)))


COSTS = DecisionTable.of(
    ["many GPUs", "few GPUs"],
    [Criterion("cost", "lower", "EUR"), Criterion("isolation")],
    [[100.0, 0.9], [60.0, 0.3]],
)
SCALED = scale(COSTS, {"cost": (0.0, 200.0), "isolation": (0.0, 1.0)})
EVEN = equal_weights(COSTS.names)
PER_EURO = np.array([[40.0, 0.0], [10.0, 0.0]])
"""Cost of each design per euro of GPU price (hand-made)."""


def test_a_linear_assumption_tips_where_the_algebra_says() -> None:
    # Lead of the first: 0.5 * 0.6 - 0.5 * 40 / 200 = 0.2; each euro of price takes 0.5 * 30 / 200 = 0.075.
    price = Assumption("GPU price", 2.0, 1.0, 5.0, slope=PER_EURO, unit="EUR/h")
    (tip,) = tipping_points(SCALED, EVEN, [price])
    assert tip.tips_at == pytest.approx(2 + 0.2 / 0.075)
    assert tip.relative == pytest.approx(0.2 / 0.075 / 2)
    assert (tip.new_winner, tip.plausible, tip.exact) == ("few GPUs", True, True)
    assert "GPU price: at 4.67 EUR/h (+133%) few GPUs draws level; plausible" in str(tip)


def test_a_scanned_assumption_finds_the_same_tip() -> None:
    price = Assumption(
        "GPU price", 2.0, 1.0, 5.0, effect=lambda number: COSTS.values + (number - 2.0) * PER_EURO, unit="EUR/h"
    )
    (tip,) = tipping_points(SCALED, EVEN, [price])
    assert tip.tips_at == pytest.approx(2 + 0.2 / 0.075, abs=1e-6)
    assert not tip.exact
    assert tip.new_winner == "few GPUs"


def test_an_assumption_that_changes_nothing_says_so_and_comes_last() -> None:
    idle = Assumption("colour", 1.0, 0.0, 2.0, slope=np.zeros((2, 2)))
    price = Assumption("GPU price", 2.0, 1.0, 5.0, slope=PER_EURO)
    tips = tipping_points(SCALED, EVEN, [idle, price])
    assert [tip.name for tip in tips] == ["GPU price", "colour"]
    assert tips[1].tips_at is None
    assert "nothing from -2 to 4 overturns" in str(tips[1])
    scanned = Assumption("colour", 1.0, 0.0, 2.0, effect=lambda _: COSTS.values)
    assert tipping_points(SCALED, EVEN, [scanned])[0].tips_at is None


def test_the_tornado_is_sorted_by_swing_and_shows_who_wins_at_the_ends() -> None:
    price = Assumption("GPU price", 2.0, 1.0, 5.0, slope=PER_EURO, unit="EUR/h")
    salary = Assumption("salary", 1.0, 0.9, 1.1, slope=PER_EURO)
    rows = tornado(SCALED, EVEN, [salary, price])
    assert [row.name for row in rows] == ["GPU price", "salary"]
    top = rows[0]
    assert top.lead == pytest.approx(0.2)
    assert [top.lead_at_low, top.lead_at_high] == pytest.approx([0.275, -0.025])
    assert (top.winner_at_low, top.winner_at_high) == ("many GPUs", "few GPUs")
    assert top.swing == pytest.approx(0.3)


def test_assumptions_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="ascending"):
        Assumption("p", 9.0, 1.0, 5.0, slope=PER_EURO)
    with pytest.raises(InputError, match="exactly one"):
        Assumption("p", 2.0, 1.0, 5.0)
    with pytest.raises(InputError, match="slope"):
        tornado(SCALED, EVEN, [Assumption("p", 2.0, 1.0, 5.0, slope=np.zeros((1, 2)))])
    broken = Assumption("p", 2.0, 1.0, 5.0, effect=lambda _: np.full((2, 2), np.nan))
    with pytest.raises(InputError, match="not finite"):
        tornado(SCALED, EVEN, [broken])
    single = scale(simple([[1.0]]))
    with pytest.raises(InputError, match="rival"):
        tornado(single, equal_weights(("x",)), [])


def test_scores_are_the_sum_everything_else_rests_on() -> None:
    assert weighted_scores(SCALED, EVEN).tolist() == pytest.approx([0.7, 0.5])
