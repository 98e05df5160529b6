from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymcdm.methods import PROMETHEE_II, TOPSIS, VIKOR, WSM
from pymcdm.normalizations import minmax_normalization, vector_normalization

from kubeanswers.errors import InputError
from tenancykit.decision import (
    Preference,
    equal_weights,
    promethee,
    range_preferences,
    rank_scores,
    scale,
    scale_by_length,
    topsis,
    vikor,
    weighted_sum,
)
from tenancykit.decision.table import DecisionTable
from tenancykit.decision.weights import Weights
from tests.decision.strategies import simple


def random_table(seed: int, designs: int = 12) -> tuple[DecisionTable, Weights]:
    rng = np.random.default_rng(seed)
    table = simple(rng.uniform(1, 9, (designs, 4)).tolist(), "hlhl")
    parts = rng.uniform(0.1, 1, 4)
    return table, Weights(table.names, parts / parts.sum())


@pytest.mark.parametrize("seed", range(5))
def test_methods_agree_with_an_independent_library(seed: int) -> None:
    table, weights = random_table(seed)
    problem = (table.values, weights.values, table.signs)
    oracles = [
        (weighted_sum(scale(table), weights), WSM(minmax_normalization)(*problem)),
        (topsis(scale(table), weights), TOPSIS(minmax_normalization)(*problem)),
        (topsis(scale_by_length(table), weights), TOPSIS(vector_normalization)(*problem)),
        (vikor(scale(table), weights), VIKOR()(*problem)),
    ]
    for ours, theirs in oracles:
        assert ours.scores.tolist() == pytest.approx(theirs.tolist()), ours.method


@pytest.mark.parametrize(
    ("name", "preference"),
    [
        ("usual", Preference()),
        ("ushape", Preference("u-shape", q=1.5)),
        ("vshape", Preference("v-shape", p=2.5)),
        ("level", Preference("level", q=1.5, p=2.5)),
        ("vshape_2", Preference("linear", q=1.5, p=2.5)),
    ],
)
def test_promethee_agrees_with_an_independent_library(name: str, preference: Preference) -> None:
    table, weights = random_table(7)
    ours = promethee(table, weights, dict.fromkeys(table.names, preference))
    thresholds = {"p": np.full(4, 2.5), "q": np.full(4, 1.5)}
    theirs = PROMETHEE_II(name, **thresholds)(table.values, weights.values, table.signs)
    assert ours.scores.tolist() == pytest.approx(theirs.tolist())


def brute_flow(values: np.ndarray, preference: Preference) -> np.ndarray:
    def strength(d: float) -> float:
        if d <= 0:
            return 0.0
        table: dict[str, float] = {
            "usual": 1.0,
            "u-shape": float(d > preference.q),
            "v-shape": min(1.0, d / (preference.p or 1)),
            "level": 0.5 * (d > preference.q) + 0.5 * (d > preference.p),
            "linear": min(1.0, max(0.0, (d - preference.q) / ((preference.p - preference.q) or 1))),
            "gaussian": 1 - float(np.exp(-(d**2) / (2 * (preference.s or 1) ** 2))),
        }
        return table[preference.shape]

    count = len(values)
    won = [sum(strength(a - b) for b in values) - sum(strength(b - a) for b in values) for a in values]
    return np.array(won) / (count - 1)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=2, max_size=12),
    st.sampled_from(["usual", "u-shape", "v-shape", "level", "linear", "gaussian"]),
    st.integers(0, 5),
    st.integers(1, 5),
)
def test_flows_by_sorting_equal_flows_by_comparing_all_pairs(cells: list[int], shape: str, q: int, gap: int) -> None:
    preference = Preference(shape, q=q, p=q + gap, s=gap)  # type: ignore[arg-type]
    table = simple([[float(cell)] for cell in cells])
    ours = promethee(table, equal_weights(table.names), {"x": preference})
    assert np.allclose(ours.scores, brute_flow(np.array(cells, dtype=float), preference))


@pytest.mark.parametrize("bad", [{"shape": "v-shape"}, {"shape": "linear", "q": 2, "p": 1}, {"shape": "v"}, {"q": -1}])
def test_preference_functions_without_sensible_thresholds_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Preference(**bad)  # type: ignore[arg-type]


def test_every_criterion_needs_a_preference_function() -> None:
    table = simple([[1, 2], [2, 1]])
    with pytest.raises(InputError, match="'y' has none"):
        promethee(table, equal_weights(table.names), {"x": Preference()})


def test_range_preferences_follow_the_bounds() -> None:
    scaled = scale(simple([[1, 2], [2, 2]]), {"x": (0, 200)})
    found = range_preferences(scaled)
    assert (found["x"].q, found["x"].p) == (10, 60)
    assert found["y"].shape == "usual"


def test_ties_share_a_rank_and_are_listed_by_label() -> None:
    ranks, order = rank_scores(np.array([1.0, 3.0, 1.0, 0.1 + 0.2, 0.3]), np.array([4, 3, 2, 1, 0]))
    assert ranks.tolist() == [2, 1, 2, 4, 4]
    assert order.tolist() == [1, 2, 0, 4, 3]
    ranks, _ = rank_scores(np.array([5.0, 2.0]), np.array([0, 1]), "lower")
    assert ranks.tolist() == [2, 1]


def test_a_single_design_is_first_everywhere_without_nan() -> None:
    table = simple([[3, 4]])
    weights = equal_weights(table.names)
    for ranking in (
        weighted_sum(scale(table), weights),
        topsis(scale(table), weights),
        vikor(scale(table), weights),
        promethee(table, weights, dict.fromkeys(table.names, Preference())),
    ):
        assert np.isfinite(ranking.scores).all(), ranking.method
        assert ranking.winners == ("a",)


def test_equal_designs_and_constant_columns_tie_without_nan() -> None:
    table = simple([[3, 0], [3, 0], [3, 0]])
    weights = equal_weights(table.names)
    for scaled in (scale(table), scale_by_length(table), scale(table, {"x": (0, 5), "y": (0, 5)})):
        for ranking in (weighted_sum(scaled, weights), topsis(scaled, weights), vikor(scaled, weights)):
            assert np.isfinite(ranking.scores).all(), ranking.method
            assert ranking.ranks.tolist() == [1, 1, 1]
            assert ranking.ordered() == ("a", "b", "c")


def test_vikor_names_several_compromises_when_the_lead_is_too_small() -> None:
    # Conditions C1 and C2 of Opricovic and Tzeng (2004): with three designs the lead in Q has to be at least 1/2.
    table = simple([[1.0, 0.0], [0.0, 1.0], [0.3, 0.3]])
    result = vikor(scale(table), equal_weights(table.names))
    assert set(result.compromise) == {"a", "b", "c"}
    clear = vikor(scale(simple([[1.0, 1.0], [0.0, 0.1], [0.1, 0.0]])), equal_weights(("x", "y")))
    assert clear.compromise == ("a",)
    with pytest.raises(InputError, match="majority"):
        vikor(scale(table), equal_weights(table.names), majority=1.5)


def test_an_unknown_design_has_no_rank() -> None:
    ranking = weighted_sum(scale(simple([[1], [2]])), equal_weights(("x",)))
    assert ranking.rank_of("b") == 1
    with pytest.raises(InputError):
        ranking.rank_of("z")
