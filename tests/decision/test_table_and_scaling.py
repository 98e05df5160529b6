from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from kubeanswers.errors import InputError
from tenancykit.decision import Criterion, DecisionTable, scale, scale_by_length, scale_by_share
from tenancykit.decision.table import as_stated, figure, figures_apart
from tests.decision.strategies import anchored, simple, tables


def test_a_table_cannot_be_changed_after_it_was_checked() -> None:
    source = np.array([[1.0, 2.0]])
    table = DecisionTable.of(["a"], [Criterion("x"), Criterion("y")], source)
    source[0, 0] = 9
    assert table.values[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        table.values[0, 0] = 9


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused_with_its_place(bad: float) -> None:
    with pytest.raises(InputError) as caught:
        simple([[1, 2], [3, bad]])
    assert "'b'" in caught.value.faults[0].where
    assert "'y'" in caught.value.faults[0].what


def test_all_wrong_cells_are_reported_at_once() -> None:
    with pytest.raises(InputError) as caught:
        simple([[float("nan"), 2], [3, float("nan")]], low=[[0, 0], [0, 0]], high=[[9, 9], [9, 9]])
    assert len(caught.value.faults) == 2


def test_an_interval_must_contain_its_value() -> None:
    with pytest.raises(InputError, match="outside its interval 2 to 3"):
        simple([[1]], low=[[2]], high=[[3]])


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        ([], []),
        (["a", "a"], [[1], [2]]),
        (["a"], [[1, 2]]),
        (["a"], [[1], [2]]),
        (["a", "b"], [[1], [2, 3]]),
        ([""], [[1]]),
    ],
)
def test_shapes_and_names_that_do_not_fit_are_refused(labels: list[str], rows: list[list[float]]) -> None:
    with pytest.raises(InputError):
        DecisionTable.of(labels, [Criterion("x")], rows)


def test_an_unknown_name_gets_a_suggestion() -> None:
    table = DecisionTable.of(["a"], [Criterion("isolation")], [[1]])
    with pytest.raises(InputError, match="did you mean isolation"):
        table.column("isolatoin")
    with pytest.raises(InputError, match="no design 'q'"):
        table.row("q")
    with pytest.raises(InputError, match="did you mean higher"):
        Criterion("x", "highest")  # type: ignore[arg-type]


def test_directions_are_inverted_before_scaling() -> None:
    scaled = scale(simple([[0, 0], [10, 10]], "hl"), {"x": (0, 10), "y": (0, 20)})
    assert scaled.utilities.tolist() == [[0.0, 1.0], [1.0, 0.5]]


def test_fixed_bounds_extrapolate_and_say_so() -> None:
    scaled = scale(simple([[15], [5]]), {"x": (0, 10)})
    assert scaled.utilities.tolist() == [[1.5], [0.5]]
    assert scaled.outside == ("x: 1 of 2 designs lie outside the bounds 0 to 10",)


def test_the_fallback_to_the_candidates_is_stated() -> None:
    scaled = scale(simple([[1, 5], [3, 9]]), {"x": (0, 10)})
    assert scaled.depends_on_candidates
    assert "depends on the candidates" in scaled.statement
    assert scaled.anchored == (True, False)
    assert not scale(simple([[1]]), {"x": (0, 10)}).depends_on_candidates


@pytest.mark.parametrize("bounds", [{"x": (1, 1)}, {"x": (2, 1)}, {"x": (0, float("nan"))}, {"q": (0, 1)}])
def test_empty_or_unknown_bounds_are_refused(bounds: dict[str, tuple[float, float]]) -> None:
    with pytest.raises(InputError):
        scale(simple([[1]]), bounds)


def test_a_criterion_on_which_all_are_equal_yields_no_nan_in_any_scale() -> None:
    table = simple([[0, 1], [0, 2]])
    for scaled in (scale(table), scale_by_length(table)):
        assert np.isfinite(scaled.utilities).all()
    wide = simple([[5], [5]], low=[[0], [5]], high=[[10], [5]])
    assert scale(wide).utilities.tolist() == [[0.5], [0.5]]


def test_shares_need_a_reciprocal_where_lower_is_better_and_no_negative_number_anywhere() -> None:
    assert scale_by_share(simple([[0, 1], [1, 1]])).utilities[:, 0].tolist() == [0, 1]
    with pytest.raises(InputError, match="'x' is 0; allowed: positive values for reciprocals"):
        scale_by_share(simple([[0, 1], [1, 1]], "lh"))
    with pytest.raises(InputError, match="'x' is -1; allowed: a column of shares"):
        scale_by_share(simple([[-1, 1], [1, 1]]))


def test_criteria_may_be_given_as_names_with_directions() -> None:
    table = DecisionTable.of("ab", {"price": "lower", "range": "higher"}, [[5, 8], [7, 9]])
    assert [(c.name, c.better) for c in table.criteria] == [("price", "lower"), ("range", "higher")]
    with pytest.raises(InputError, match="better is 'max'; allowed: higher, lower"):
        DecisionTable.of("a", {"price": "max"}, [[1]])


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e149])
def test_vector_normalisation_bears_numbers_of_any_size_that_is_allowed(size: float) -> None:
    utilities = scale_by_length(simple([[3 * size], [4 * size]])).utilities
    assert utilities[:, 0].tolist() == pytest.approx([0.6, 0.8])
    with pytest.raises(InputError, match="at most 1e\\+150"):
        simple([[1e151]])


@settings(max_examples=50, deadline=None)
@given(tables())
def test_values_survive_the_way_to_utility_and_back(table: DecisionTable) -> None:
    scaled = anchored(table)
    back = (scaled.origin + scaled.straight_width() * scaled.utilities) * table.signs
    assert np.allclose(back, table.values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (14_000.4, "14,000"),
        (-1234.0, "-1,230"),
        (0.123456, "0.123"),
        (999.9, "1,000"),
        (155_632.0, "156,000"),
        (0.0, "0"),
        (1e18, "1e+18"),
    ],
)
def test_numbers_in_sentences_have_three_digits_and_no_needless_exponent(value: float, text: str) -> None:
    assert figure(value) == text


def test_numbers_in_sentences_that_differ_read_apart_and_what_was_stated_is_told_as_stated() -> None:
    assert figures_apart(60.88, 52) == ("60.9", "52")
    assert figures_apart(105_490.0, 105_410.0) == ("105,500", "105,400")
    assert figures_apart(7.0, 7.0) == ("7", "7")
    assert as_stated(12_345.0) == "12,345"
