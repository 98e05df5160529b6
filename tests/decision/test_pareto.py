from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.errors import InputError
from tenancykit.decision import Criterion, DecisionTable, front_of, pareto, pareto_front
from tenancykit.decision.pareto import TableFront
from tests.decision.strategies import tables


def brute_force(values: np.ndarray) -> list[int]:
    return [
        row for row, own in enumerate(values) if not ((values >= own).all(axis=1) & (values > own).any(axis=1)).any()
    ]


def check(values: np.ndarray) -> None:
    front = pareto_front(values)
    assert front.members.tolist() == brute_force(values)
    beaten = np.flatnonzero(front.dominator >= 0)
    winners = front.dominator[beaten]
    assert front.mask[winners].all()
    assert (values[winners] >= values[beaten]).all()
    assert (values[winners] > values[beaten]).any(axis=1).all()
    assert len(front) == front.mask.sum()


@st.composite
def clouds(draw: st.DrawFn) -> np.ndarray:
    """Few or many distinct values, few or many rows, sometimes with a front as large as the cloud."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    rows, columns, distinct = draw(st.integers(1, 150)), draw(st.integers(1, 6)), draw(st.integers(1, 40))
    values = rng.integers(0, distinct, (rows, columns)).astype(np.float64)
    if draw(st.booleans()) and columns > 1:
        values[:, -1] = -values[:, :-1].sum(axis=1)
    return values


@settings(max_examples=100, deadline=None)
@given(clouds())
def test_the_front_equals_brute_force_and_names_a_dominator_on_it(values: np.ndarray) -> None:
    check(values)


@pytest.mark.parametrize("columns", [2, 3, 4, 5, 6])
def test_every_way_of_dividing_is_exact(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tiny limits force every recursion that large inputs take.
    for limit, value in (("_LEAF", 3), ("_PAIRS_AT_ONCE", 6), ("_CHAMPIONS", 2)):
        monkeypatch.setattr(pareto, limit, value)
    rng = np.random.default_rng(columns)
    for number in range(30):
        values = rng.integers(0, 3 + 3 * number, (1 + 12 * number, columns)).astype(np.float64)
        if number % 3 == 0:
            values[:, -1] = -values[:, :-1].sum(axis=1)
        check(values)


def test_a_larger_cloud_with_a_front_of_thousands_is_exact() -> None:
    shares = np.random.default_rng(3).exponential(size=(3000, 4))
    shares /= shares.sum(axis=1, keepdims=True)
    check(np.concatenate((np.round(shares, 2), shares * 0.9)))


def test_equal_designs_are_all_kept() -> None:
    front = pareto_front([[1, 2], [1, 2], [0, 2], [2, 1], [0, 0]])
    assert front.members.tolist() == [0, 1, 3]
    assert front.dominator[2] in (0, 1)


def test_columns_without_differences_keep_everybody() -> None:
    assert len(pareto_front(np.ones((5, 3)))) == 5
    assert len(pareto_front(np.empty((0, 3)))) == 0
    assert pareto_front([[0.0], [-0.0]]).members.tolist() == [0, 1]


@pytest.mark.parametrize("bad", [[1, 2], [[1, float("nan")]], [[float("inf"), 1]]])
def test_what_is_not_a_finite_table_is_refused(bad: object) -> None:
    with pytest.raises(InputError):
        pareto_front(bad)  # type: ignore[arg-type]


def dominator(front: TableFront, label: str) -> str | None:
    row = int(front.front.dominator[front.table.row(label)])
    return None if row < 0 else front.table.labels[row]


def test_a_dominated_design_says_by_whom() -> None:
    table = DecisionTable.of(
        ["dear", "cheap", "safe"], [Criterion("cost", "lower"), Criterion("isolation")], [[9, 1], [3, 1], [5, 2]]
    )
    front = front_of(table)
    assert front.labels == ("cheap", "safe")
    assert dominator(front, "dear") in ("cheap", "safe")
    assert dominator(front, "safe") is None
    assert front_of(table, ["isolation"]).labels == ("safe",)


@settings(max_examples=50, deadline=None)
@given(tables(most=12), st.randoms(use_true_random=False), st.floats(1e-3, 1e3))
def test_row_order_and_positive_rescaling_change_neither_front_nor_dominators(
    table: DecisionTable, random: object, factor: float
) -> None:
    rows = list(range(len(table)))
    random.shuffle(rows)  # type: ignore[attr-defined]
    other = DecisionTable.of(table.labels, table.criteria, table.values * factor).take(rows)
    one, two = front_of(table), front_of(other)
    assert set(one.labels) == set(two.labels)
    assert all(dominator(one, label) == dominator(two, label) for label in table.labels)
