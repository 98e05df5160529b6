from __future__ import annotations

from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.errors import InputError
from tenancykit.decision import (
    SmaaResult,
    Uncertainty,
    equal_weights,
    free_weights,
    known_weights,
    partial_weights,
    scale,
    scale_by_share,
    smaa,
    weights_near,
)
from tenancykit.decision.table import DecisionTable
from tenancykit.decision.weights import Weights
from tests.decision.strategies import anchored, simple, tables

SAMPLES = 40_000
CLOSE = 0.015  # six standard errors of a share of one half


def run(rows: list[list[float]], **options: object) -> SmaaResult:
    table = simple(rows)
    bounds = dict.fromkeys(table.names, (0.0, 1.0))
    return smaa(scale(table, bounds), free_weights(table.names), samples=SAMPLES, **options)  # type: ignore[arg-type]


# Closed forms for additive utilities and weights uniform on the simplex, in the sense of R. Lahdelma and P. Salminen
# (2001), Operations Research 49(3), 444-454. Each follows from integrating over the weights: e.g. in the second case
# a wins where w > 0.6, so its acceptability is 0.4 and its central weight the middle of 0.6..1.


def test_two_opposite_designs_share_the_first_place() -> None:
    result = run([[1, 0], [0, 1]])
    assert result.first.tolist() == pytest.approx([0.5, 0.5], abs=CLOSE)
    assert result.central_weights[0].tolist() == pytest.approx([0.75, 0.25], abs=CLOSE)
    assert result.confidence.tolist() == [1, 1]


def test_a_compromise_wins_in_the_middle() -> None:
    result = run([[1, 0], [0, 1], [0.6, 0.6]])
    expected = [[0.4, 0.1, 0.5], [0.4, 0.1, 0.5], [0.2, 0.8, 0.0]]
    assert np.allclose(result.rank_acceptability, expected, atol=CLOSE)
    assert result.central_weights[0].tolist() == pytest.approx([0.8, 0.2], abs=CLOSE)
    assert result.pairwise[2, 0] == pytest.approx(0.6, abs=CLOSE)


def test_three_specialists_have_a_central_weight_of_eleven_eighteenths() -> None:
    # The mean of the largest of three uniform spacings: (1 + 1/2 + 1/3) / 3.
    result = run([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert result.first.tolist() == pytest.approx([1 / 3] * 3, abs=CLOSE)
    assert result.central_weights[0].tolist() == pytest.approx([11 / 18, 7 / 36, 7 / 36], abs=CLOSE)


def test_uniform_values_win_as_often_as_the_integral_says() -> None:
    # a ~ U(0.5, 1.5), b ~ U(0, 1): P(a > b) = 1 - 1/8.
    table = simple([[1.0], [0.5]], low=[[0.5], [0.0]], high=[[1.5], [1.0]])
    result = smaa(scale(table, {"x": (0, 2)}), free_weights(("x",)), Uncertainty("uniform"), samples=SAMPLES)
    assert result.first.tolist() == pytest.approx([0.875, 0.125], abs=CLOSE)


def test_triangular_values_win_as_often_as_the_integral_says() -> None:
    # a ~ Tri(0, 1, 1) has distribution function x^2; b = 0.6 is certain: P(a > b) = 1 - 0.36.
    table = simple([[1.0], [0.6]], low=[[0.0], [0.6]], high=[[1.0], [0.6]])
    result = smaa(scale(table, {"x": (0, 1)}), free_weights(("x",)), samples=SAMPLES)
    assert result.first[0] == pytest.approx(0.64, abs=CLOSE)
    middle = simple([[0.25], [0.5]], low=[[0.0], [0.5]], high=[[1.0], [0.5]])
    found = smaa(scale(middle, {"x": (0, 1)}), free_weights(("x",)), samples=SAMPLES)
    assert found.first[0] == pytest.approx(0.25 / 0.75, abs=CLOSE)  # (1 - x)^2 / (1 - c) at x = 1/2, c = 1/4


def test_normal_values_win_as_often_as_the_normal_table_says() -> None:
    # Intervals hold 90 %, so a standard deviation is width / (2 * 1.645).
    table = simple([[0.6], [0.5]], low=[[0.4], [0.4]], high=[[0.8], [0.6]])
    deviations = [0.2 / NormalDist().inv_cdf(0.95), 0.1 / NormalDist().inv_cdf(0.95)]
    expected = NormalDist().cdf(0.1 / float(np.hypot(deviations[0], deviations[1])))
    result = smaa(scale(table, {"x": (0, 1)}), free_weights(("x",)), Uncertainty("normal"), samples=SAMPLES)
    assert result.first[0] == pytest.approx(expected, abs=CLOSE)


def test_a_common_cause_cancels_out() -> None:
    table = simple([[0.55], [0.5]], low=[[0.35], [0.3]], high=[[0.75], [0.7]])
    scaled = scale(table, {"x": (0, 1)})
    together = smaa(scaled, free_weights(("x",)), Uncertainty(dependence="common"), samples=2000)
    apart = smaa(scaled, free_weights(("x",)), samples=2000)
    assert together.first[0] == 1
    assert 0.5 < apart.first[0] < 0.9


def test_given_samples_replace_the_intervals() -> None:
    table = simple([[0.5], [0.5]], "l")
    draws = np.array([[[1.0], [2.0]], [[2.0], [1.0]], [[3.0], [1.0]], [[4.0], [0.0]]])
    result = smaa(scale(table, {"x": (0, 10)}), free_weights(("x",)), draws=draws)
    assert result.first.tolist() == [0.25, 0.75]
    assert result.samples == 4
    assert "given samples" in result.statement


def test_the_relevant_assumption_behind_given_samples_is_found() -> None:
    rng = np.random.default_rng(0)
    price, noise = rng.random(4000), rng.random(4000)
    draws = np.stack([price, np.full(4000, 0.5) + 0.001 * noise], axis=1)[:, :, None]
    table = simple([[0.5], [0.5]], "l")
    result = smaa(
        scale(table, {"x": (0, 1)}), free_weights(("x",)), draws=draws, assumptions={"price": price, "noise": noise}
    )
    best = result.relevance[0]
    assert (best.kind, best.name, best.favourite) == ("assumption", "price", "a")
    assert best.gain == pytest.approx(0.5, abs=0.05)
    assert [label for _, label in best.turns] == ["b"]
    assert best.turns[0][0] == pytest.approx(0.5, abs=0.06)
    assert result.relevance[-1].gain < 0.05


def test_identical_designs_share_ranks_evenly() -> None:
    result = run([[1, 0], [1, 0], [0, 1]])
    assert np.allclose(result.rank_acceptability, [[0.25, 0.5, 0.25], [0.25, 0.5, 0.25], [0.5, 0, 0.5]], atol=CLOSE)
    assert result.pairwise[0, 1] == 0.5
    assert result.confidence.tolist() == [0.5, 0.5, 1.0]


def test_a_design_that_never_wins_has_no_central_weights_and_no_nan() -> None:
    result = run([[1, 1], [0, 0]])
    assert result.central("b") is None
    assert result.confidence[1] == 0
    assert np.isfinite(result.central_weights).all()
    typical = result.central("a")
    assert typical is not None
    assert typical.values.tolist() == pytest.approx([0.5, 0.5], abs=CLOSE)


def test_known_weights_and_certain_values_leave_no_doubt() -> None:
    table = simple([[0.9, 0.2], [0.1, 0.8]], low=[[0, 0], [0, 0]], high=[[1, 1], [1, 1]])
    weights = Weights(table.names, np.array([0.7, 0.3]))
    result = smaa(scale(table, dict.fromkeys(table.names, (0.0, 1.0))), weights, Uncertainty("certain"), samples=100)
    assert result.rank_acceptability.tolist() == [[1, 0], [0, 1]]
    assert result.relevance == ()


@settings(max_examples=25, deadline=None)
@given(tables(most=6), st.integers(0, 99))
def test_acceptabilities_are_doubly_stochastic_and_repeatable(table: DecisionTable, seed: int) -> None:
    result = smaa(anchored(table), free_weights(table.names), samples=300, seed=seed)
    assert np.allclose(result.rank_acceptability.sum(axis=0), 1)
    assert np.allclose(result.rank_acceptability.sum(axis=1), 1)
    assert np.allclose(result.pairwise + result.pairwise.T, 1)
    assert (np.diff(result.first[result.order]) <= 0).all()
    again = smaa(anchored(table), free_weights(table.names), samples=300, seed=seed)
    assert again.rank_acceptability.tobytes() == result.rank_acceptability.tobytes()
    assert again.relevance == result.relevance


def test_the_size_of_a_chunk_bounds_memory_but_not_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    from tenancykit.decision import smaa as function

    module = __import__("sys").modules[function.__module__]
    monkeypatch.setattr(module, "_CHUNK", 64)
    monkeypatch.setattr(module, "_CELLS_AT_ONCE", 128)
    assert run([[1, 0], [0, 1], [0.6, 0.6]]).first.tolist() == pytest.approx([0.4, 0.4, 0.2], abs=CLOSE)


def test_inputs_that_do_not_fit_are_refused() -> None:
    table = simple([[1.0, 2.0], [2.0, 1.0]])
    scaled, free = scale(table), free_weights(table.names)
    with pytest.raises(InputError, match="samples"):
        smaa(scaled, free, samples=0)
    with pytest.raises(InputError, match="weights"):
        smaa(scaled, free_weights(("p", "q")))
    with pytest.raises(InputError, match="draws"):
        smaa(scaled, free, draws=np.ones((3, 2, 1)))
    with pytest.raises(InputError, match="samples of 'price'"):
        smaa(scaled, free, samples=10, assumptions={"price": np.ones(3)})
    with pytest.raises(InputError, match="not linear"):
        smaa(scale_by_share(table), free)
    with pytest.raises(InputError, match="did you mean"):
        Uncertainty("triangle")  # type: ignore[arg-type]
    with pytest.raises(InputError):
        Uncertainty(coverage=1.0)
    with pytest.raises(InputError):
        Uncertainty(dependence="none")  # type: ignore[arg-type]


# Weights


def sample(space: object, count: int = 20_000) -> np.ndarray:
    drawn = space.draw(np.random.default_rng(5), count)  # type: ignore[attr-defined]
    assert np.allclose(drawn.sum(axis=1), 1)
    assert (drawn >= -1e-9).all()
    return np.asarray(drawn)


def test_free_weights_are_uniform_on_the_simplex() -> None:
    drawn = sample(free_weights(("x", "y", "z")))
    assert drawn.mean(axis=0).tolist() == pytest.approx([1 / 3] * 3, abs=0.01)
    assert (drawn[:, 0] > 0.5).mean() == pytest.approx(0.25, abs=0.015)  # (1 - t)^2


def test_an_order_of_importance_has_the_rank_order_centroid_as_its_mean() -> None:
    # F. H. Barron and B. E. Barrett (1996), Management Science 42(11), 1515-1523: (1/n) * sum of 1/j for j >= i.
    drawn = sample(partial_weights(("x", "y", "z"), order=("z", "x", "y")))
    assert (drawn[:, 2] >= drawn[:, 0]).all()
    assert (drawn[:, 0] >= drawn[:, 1]).all()
    assert drawn.mean(axis=0).tolist() == pytest.approx([5 / 18, 2 / 18, 11 / 18], abs=0.01)


def test_equally_placed_criteria_share_their_part() -> None:
    drawn = sample(partial_weights(("x", "y", "z"), order=("y", ("x", "z"))))
    assert (drawn[:, 1] >= drawn[:, [0, 2]].max(axis=1)).all()
    assert drawn.mean(axis=0).tolist() == pytest.approx([7 / 36, 11 / 18, 7 / 36], abs=0.01)


def test_intervals_and_known_weights_are_kept() -> None:
    space = partial_weights(("x", "y", "z"), {"x": (0.5, 0.5), "y": (0.1, 0.3)})
    drawn = sample(space)
    assert (drawn[:, 0] == 0.5).all()
    assert drawn[:, 1].min() >= 0.1
    assert drawn[:, 1].max() <= 0.3
    assert drawn[:, 1].mean() == pytest.approx(0.2, abs=0.005)
    assert "x 0.5" in space.statement
    assert "y 0.1 to 0.3" in space.statement


def test_weights_near_stated_ones_stay_near() -> None:
    stated = Weights(("x", "y", "z"), np.array([0.7, 0.2, 0.1]))
    drawn = sample(weights_near(stated, 0.2))
    assert (np.abs(drawn / stated.values - 1) <= 0.2 + 1e-9).all()
    assert sample(known_weights(stated), 3).tolist() == [pytest.approx([0.7, 0.2, 0.1])] * 3
    with pytest.raises(InputError):
        weights_near(stated, 2)


def test_very_narrow_weights_are_walked_and_match_rejection() -> None:
    names = tuple("abcdef")
    between = dict.fromkeys(names, (0.14, 0.19))
    space = partial_weights(names, between, order=names)
    drawn = sample(space, 6000)
    assert (drawn >= 0.14 - 1e-9).all()
    assert (drawn <= 0.19 + 1e-9).all()
    assert all((drawn[:, one] >= drawn[:, two] - 1e-9).all() for one, two in pairwise(range(6)))
    # By symmetry the ordered space is the sorted unordered one, which can be drawn by rejection.
    unordered = np.sort(sample(partial_weights(names, between), 20_000), axis=1)[:, ::-1]
    assert np.allclose(drawn.mean(axis=0), unordered.mean(axis=0), atol=0.001)
    assert np.allclose(drawn.std(axis=0), unordered.std(axis=0), atol=0.001)


def test_weights_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InputError, match="add up"):
        partial_weights(("x", "y"), {"x": (0.6, 1.0), "y": (0.6, 1.0)})
    with pytest.raises(InputError, match="0 <= low <= high"):
        partial_weights(("x", "y"), {"x": (0.6, 0.5)})
    with pytest.raises(InputError, match="no criterion"):
        partial_weights(("x", "y"), order=("x", "q"))
    with pytest.raises(InputError, match="twice"):
        partial_weights(("x", "y"), order=("x", "x"))
    impossible = partial_weights(("x", "y", "z"), {"x": (0.0, 0.2), "y": (0.3, 0.5)}, order=("x", "y"))
    with pytest.raises(InputError, match="leave no room"):
        smaa(scale(simple([[1, 2, 3], [3, 2, 1]])), impossible)


def test_equal_weights_are_the_middle_of_free_ones() -> None:
    names = ("x", "y", "z", "u")
    assert np.allclose(sample(free_weights(names)).mean(axis=0), equal_weights(names).values, atol=0.01)
