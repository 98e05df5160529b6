"""The small linear program of divisible pods against a general solver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from tenancykit.criteria.cost.placement.divisible import cheapest_nodes


def by_highs(rows: list[NDArray[np.float64]], price: NDArray[np.float64], fits: NDArray[np.bool_]) -> float:
    """Return the least price by HiGHS: variables are nodes by type, then the share of each class on each type."""
    classes, kinds = fits.shape
    upper = []
    for t, measures in enumerate(rows):
        for measure in measures:
            row = np.zeros(kinds + classes * kinds)
            row[t] = -1.0
            row[kinds + np.arange(classes) * kinds + t] = measure
            upper.append(row)
    equal = np.zeros((classes, kinds + classes * kinds))
    for c in range(classes):
        equal[c, kinds + c * kinds : kinds + (c + 1) * kinds] = 1.0
    bounds = [(0, None)] * kinds + [(0, None if fit else 0) for fit in fits.ravel()]
    objective = np.concatenate([price, np.zeros(classes * kinds)])
    found = linprog(
        objective, A_ub=np.array(upper), b_ub=np.zeros(len(upper)), A_eq=equal, b_eq=np.ones(classes), bounds=bounds
    )
    assert found.status == 0
    return float(found.fun)


@settings(max_examples=300, deadline=None)
@given(
    classes=st.integers(1, 8), kinds=st.integers(1, 6), measures=st.integers(1, 6), seed=st.integers(0, 10**6),
    steps=st.sampled_from([0, 4]),
)  # fmt: skip
def test_the_bound_of_divisible_pods_is_that_of_a_general_solver(
    classes: int, kinds: int, measures: int, seed: int, steps: int
) -> None:
    random = np.random.default_rng(seed)
    rows = [random.random((measures, classes)) * 10 ** random.uniform(-3, 3) for _ in range(kinds)]
    if steps:  # many ties, where a careless simplex goes in circles
        rows = [np.ceil(each * steps / each.max()) / steps for each in rows]
    price = random.integers(1, 5, kinds).astype(float)
    fits = random.random((classes, kinds)) < 0.6
    fits[np.arange(classes), random.integers(0, kinds, classes)] = True
    nodes = cheapest_nodes(rows, price, fits)
    assert float(price @ nodes) == pytest.approx(by_highs(rows, price, fits), rel=1e-7, abs=1e-9)


def test_a_pod_alone_goes_where_it_is_cheapest() -> None:
    rows = [np.array([[0.5]]), np.array([[2.0]])]
    nodes = cheapest_nodes(rows, np.array([10.0, 2.0]), np.array([[True, True]]))
    assert nodes.tolist() == [0.0, 2.0]
