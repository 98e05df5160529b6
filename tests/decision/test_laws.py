"""What holds for every table: dominance is honoured, order of rows and positive rescaling change nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.decision import (
    Preference,
    Ranking,
    free_weights,
    front_of,
    promethee,
    scale,
    scale_by_length,
    smaa,
    topsis,
    vikor,
    weighted_sum,
)
from tenancykit.decision.table import DecisionTable
from tenancykit.decision.weights import Weights
from tests.decision.strategies import POSITIVE_PARTS, TOP, WEIGHT_PARTS, anchored, dominates, tables, weights_of

Method = Callable[[DecisionTable, Weights], Ranking]
SHAPES = [
    Preference(),
    Preference("u-shape", q=2),
    Preference("v-shape", p=3),
    Preference("level", q=1, p=3),
    Preference("linear", q=1, p=4),
    Preference("gaussian", s=2),
]


def outranking(shape: Preference) -> Method:
    return lambda table, weights: promethee(table, weights, dict.fromkeys(table.names, shape))


ANCHORED: dict[str, Method] = {
    "weighted sum": lambda table, weights: weighted_sum(anchored(table), weights),
    "TOPSIS": lambda table, weights: topsis(anchored(table), weights),
    "VIKOR": lambda table, weights: vikor(anchored(table), weights),
}
RELATIVE: dict[str, Method] = {
    "weighted sum, relative": lambda table, weights: weighted_sum(scale(table), weights),
    "TOPSIS, relative": lambda table, weights: topsis(scale(table), weights),
    "TOPSIS, vector": lambda table, weights: topsis(scale_by_length(table), weights),
    "VIKOR, relative": lambda table, weights: vikor(scale(table), weights),
    **{f"PROMETHEE, {shape.shape}": outranking(shape) for shape in SHAPES},
}
EVERY = {**ANCHORED, **RELATIVE}


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=40, deadline=None)
@given(tables(), WEIGHT_PARTS)
def test_a_dominated_design_never_outranks_its_dominator(name: str, table: DecisionTable, parts: list[int]) -> None:
    ranking = EVERY[name](table, weights_of(table.names, parts))
    assert np.isfinite(ranking.scores).all()
    for one in range(len(table)):
        for two in range(len(table)):
            if dominates(table, one, two):
                assert ranking.ranks[one] <= ranking.ranks[two]


@pytest.mark.parametrize("method", [weighted_sum, topsis, vikor])
@settings(max_examples=40, deadline=None)
@given(tables(), WEIGHT_PARTS)
def test_dominance_is_honoured_beyond_the_bounds_too(
    method: Callable[..., Ranking], table: DecisionTable, parts: list[int]
) -> None:
    ranking = method(scale(table, dict.fromkeys(table.names, (2.0, 5.0))), weights_of(table.names, parts))
    for one in range(len(table)):
        for two in range(len(table)):
            if dominates(table, one, two):
                assert ranking.ranks[one] <= ranking.ranks[two]


@settings(max_examples=40, deadline=None)
@given(tables(), POSITIVE_PARTS)
def test_dominance_is_strict_in_a_weighted_sum_with_positive_weights(table: DecisionTable, parts: list[int]) -> None:
    ranking = weighted_sum(anchored(table), weights_of(table.names, parts))
    for one in range(len(table)):
        for two in range(len(table)):
            if dominates(table, one, two):
                assert ranking.ranks[one] < ranking.ranks[two]


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=25, deadline=None)
@given(tables(), WEIGHT_PARTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(name: str, table: DecisionTable, parts: list[int], random: object) -> None:
    rows = list(range(len(table)))
    random.shuffle(rows)  # type: ignore[attr-defined]
    weights = weights_of(table.names, parts)
    straight, shuffled = EVERY[name](table, weights), EVERY[name](table.take(rows), weights)
    assert straight.ordered() == shuffled.ordered()
    assert straight.ranks[rows].tolist() == shuffled.ranks.tolist()


@pytest.mark.parametrize("name", [*[*RELATIVE][:4], "PROMETHEE, usual"])
@settings(max_examples=25, deadline=None)
@given(tables(), WEIGHT_PARTS, st.floats(1e-3, 1e3))
def test_positive_rescaling_changes_no_rank(name: str, table: DecisionTable, parts: list[int], factor: float) -> None:
    weights = weights_of(table.names, parts)
    stretched = DecisionTable.of(table.labels, table.criteria, table.values * factor)
    assert RELATIVE[name](table, weights).ranks.tolist() == RELATIVE[name](stretched, weights).ranks.tolist()


@settings(max_examples=25, deadline=None)
@given(tables(), WEIGHT_PARTS, st.floats(1e-3, 1e3))
def test_rescaling_values_and_bounds_together_changes_no_rank(
    table: DecisionTable, parts: list[int], factor: float
) -> None:
    weights = weights_of(table.names, parts)
    stretched = DecisionTable.of(table.labels, table.criteria, table.values * factor)
    bounds = dict.fromkeys(table.names, (0.0, TOP * factor))
    for method in (weighted_sum, topsis, vikor):
        before, after = method(anchored(table), weights), method(scale(stretched, bounds), weights)
        assert before.ranks.tolist() == after.ranks.tolist()


@pytest.mark.parametrize("name", ANCHORED)
@settings(max_examples=25, deadline=None)
@given(tables(least=2), WEIGHT_PARTS)
def test_with_fixed_bounds_dropping_a_design_changes_no_score(
    name: str, table: DecisionTable, parts: list[int]
) -> None:
    weights = weights_of(table.names, parts)
    full, less = ANCHORED[name](table, weights), ANCHORED[name](table.without(table.labels[0]), weights)
    assert np.allclose(full.scores[1:], less.scores, atol=1e-12)
    assert [label for label in full.ordered() if label != table.labels[0]] == list(less.ordered())


@settings(max_examples=25, deadline=None)
@given(tables(least=2, most=5), WEIGHT_PARTS)
def test_a_certain_dominator_is_never_worse_in_simulation(table: DecisionTable, parts: list[int]) -> None:
    del parts
    result = smaa(anchored(table), free_weights(table.names), samples=200)
    for one in range(len(table)):
        for two in range(len(table)):
            if dominates(table, one, two):
                assert result.pairwise[one, two] >= 0.5
                assert result.expected_rank[one] <= result.expected_rank[two]


@settings(max_examples=40, deadline=None)
@given(tables(), POSITIVE_PARTS)
def test_every_winner_of_a_weighted_sum_is_on_the_front(table: DecisionTable, parts: list[int]) -> None:
    assert set(weighted_sum(anchored(table), weights_of(table.names, parts)).winners) <= set(front_of(table).labels)
