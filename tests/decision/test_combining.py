from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.errors import InputError
from tenancykit.decision import Part, combine_fronts, combining, pareto_front
from tenancykit.decision.combining import Combination

JOIN = {"sum": np.add, "min": np.minimum, "max": np.maximum}


def joined(parts: list[np.ndarray], rows: tuple[int, ...], how: list[Combination]) -> np.ndarray:
    total = parts[0][rows[0]]
    for part, row in zip(parts[1:], rows[1:], strict=True):
        total = np.array([JOIN[way](total[column], part[row][column]) for column, way in enumerate(how)])
    return np.asarray(total)


def gain(groups: tuple[int, ...]) -> np.ndarray:
    """What is shared is given back: once for each part beyond the first in a group."""
    return np.array([2.0 * (len(groups) - len(set(groups))), 0.0, 0.5 * (groups[0] == groups[-1])])


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[np.ndarray], list[np.ndarray], list[Combination]]:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))
    values = [rng.integers(-6, 6, (size, 3)).astype(np.float64) for size in sizes]
    groups = [rng.integers(0, 3, size) for size in sizes]
    return values, groups, draw(st.lists(st.sampled_from(["sum", "min", "max"]), min_size=3, max_size=3))


@settings(max_examples=80, deadline=None)
@given(problems(), st.booleans())
def test_the_front_over_a_product_equals_brute_force(
    problem: tuple[list[np.ndarray], list[np.ndarray], list[Combination]], shared: bool
) -> None:
    values, groups, how = problem
    everything = []
    for rows in product(*(range(len(part)) for part in values)):
        value = joined(values, rows, how)
        if shared:
            value = value + gain(tuple(int(group[row]) for group, row in zip(groups, rows, strict=True)))
        everything.append(value)
    stacked = np.array(everything)
    expected = {tuple(row) for row in stacked[pareto_front(stacked).members].tolist()}

    parts = [Part(value, group) for value, group in zip(values, groups, strict=True)]
    found = combine_fronts(parts, how, gain if shared else None)
    assert {tuple(row) for row in found.values.tolist()} == expected
    assert found.considered == len(everything)
    for value, rows in zip(found.values, found.choices, strict=True):
        again = joined(values, tuple(rows), how)
        if shared:
            again = again + gain(tuple(int(group[row]) for group, row in zip(groups, rows, strict=True)))
        assert value.tolist() == again.tolist()


def test_bounds_that_bite_early_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # Comparing after every few combinations gives the bounds something to prune with, even on small problems.
    monkeypatch.setattr(combining, "_LOT", 1)
    for seed in range(25):
        rng = np.random.default_rng(seed)
        parts = [Part(rng.integers(-9, 9, (25, 3)).astype(np.float64), rng.integers(0, 4, 25)) for _ in range(2)]
        how: list[Combination] = ["sum", "min", "sum"]
        everything = [
            joined([part.values for part in parts], rows, how)
            + gain((int(parts[0].groups[rows[0]]), int(parts[1].groups[rows[1]])))
            for rows in product(range(25), range(25))
        ]
        stacked = np.array(everything)
        found = combine_fronts(parts, how, gain)
        assert {tuple(row) for row in found.values} == {tuple(row) for row in stacked[pareto_front(stacked).members]}


def test_blocks_of_a_large_product_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    parts = [rng.random((60, 3)), rng.random((50, 3)), rng.random((4, 3))]
    whole = combine_fronts(parts, ["sum", "min", "sum"])
    monkeypatch.setattr(combining, "_ROWS_AT_ONCE", 64)
    blocked = combine_fronts(parts, ["sum", "min", "sum"])
    assert whole.values.tolist() == blocked.values.tolist()
    assert whole.considered == 12_000


def test_what_is_shared_can_make_a_part_worth_it_that_loses_alone() -> None:
    # Alone, row 1 of each part (group 7) is dominated; together their shared component is paid once.
    one = Part(np.array([[-5.0], [-6.0]]), np.array([0, 7]))
    two = Part(np.array([[-5.0], [-6.0]]), np.array([1, 7]))
    assert combine_fronts([one, two], ["sum"]).choices.tolist() == [[0, 0]]
    found = combine_fronts([one, two], ["sum"], lambda groups: np.array([4.0 if groups == (7, 7) else 0.0]))
    assert found.choices.tolist() == [[1, 1]]
    assert found.values.tolist() == [[-8.0]]


@pytest.mark.parametrize(
    ("parts", "how"),
    [
        ([], ["sum"]),
        ([np.ones((2, 2))], ["sum"]),
        ([np.ones((0, 1))], ["sum"]),
        ([np.array([[np.nan]])], ["sum"]),
        ([np.ones((1, 1))], ["product"]),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts: list[np.ndarray], how: list[Combination]) -> None:
    with pytest.raises(InputError):
        combine_fronts(parts, how)


def test_a_correction_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="correction"):
        combine_fronts([np.ones((1, 1))], ["sum"], lambda _: np.ones(2))
