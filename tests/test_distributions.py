from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.distributions import (
    Z90,
    BetaShare,
    Moments,
    ThreePoint,
    gamma_quantile,
    of_estimate,
    product_independent,
    quantiles,
    sum_correlated,
    sum_independent,
    sum_together,
)

points = st.lists(st.floats(0, 1e6), min_size=3, max_size=3).map(sorted).map(lambda p: ThreePoint(*p))
moments = st.builds(Moments, st.floats(0, 1e3), st.floats(0, 1e3))


def test_mean_and_deviation_equal_the_published_example() -> None:
    # https://en.wikipedia.org/wiki/Three-point_estimation with o=2, m=4, p=9
    estimate = ThreePoint(2, 4, 9)
    assert estimate.mean == 4.5
    assert estimate.deviation == pytest.approx(1.1666667, abs=1e-7)


@pytest.mark.parametrize(
    ("estimate", "mean", "variance"),
    [
        # Stevenson, Operations Management: advertising-firm project, activities B, C, E and H
        ((8, 8, 11), 8.5, 0.250),
        ((6, 8, 11), 8.17, 0.694),
        ((5, 6, 9), 6.33, 0.444),
        ((4, 4, 5), 4.17, 0.028),
    ],
)
def test_activities_of_a_textbook_have_their_printed_mean_and_variance(
    estimate: tuple[float, float, float], mean: float, variance: float
) -> None:
    moments_ = of_estimate(ThreePoint(*estimate))
    assert moments_.mean == pytest.approx(mean, abs=0.005)
    assert moments_.deviation**2 == pytest.approx(variance, abs=0.0005)


def test_a_textbook_project_ends_in_time_with_the_printed_probability() -> None:
    # Taylor, Introduction to Management Science: critical path 1-3-5-7, 24 days, P(28 days) = 0.9633 from a table
    # with z rounded to 1.79
    path = sum_independent(of_estimate(ThreePoint(*e)) for e in ((5, 8, 17), (3, 5, 7), (4, 6, 8), (3, 4, 5)))
    assert path.mean == pytest.approx(24)
    assert NormalDist(path.mean, path.deviation).cdf(28) == pytest.approx(0.9633, abs=0.0005)


@pytest.mark.parametrize("wrong", [(3, 2, 4), (1, 5, 4), (math.nan, 1, 2), (0, 1, math.inf)])
def test_points_out_of_order_or_not_finite_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"order|finite"):
        ThreePoint(*wrong)


@given(points)
@settings(max_examples=30)
def test_quantiles_rise_from_the_lowest_to_the_highest_point(estimate: ThreePoint) -> None:
    quantiles = estimate.quantile(np.linspace(0, 1, 11))
    assert np.all(np.diff(quantiles) >= -1e-9 * max(1.0, estimate.high))
    assert quantiles[0] == pytest.approx(estimate.low)
    assert quantiles[-1] == pytest.approx(estimate.high)


@given(points)
@settings(max_examples=20, deadline=None)
def test_the_distribution_has_the_pert_mean(estimate: ThreePoint) -> None:
    levels = (np.arange(4000) + 0.5) / 4000
    assert float(estimate.quantile(levels).mean()) == pytest.approx(estimate.mean, rel=2e-3, abs=1e-9)


@given(st.lists(moments, max_size=8), st.floats(0, 1))
@settings(max_examples=40)
def test_correlation_moves_a_sum_between_independent_and_together(parts: list[Moments], correlation: float) -> None:
    least, most = sum_independent(parts), sum_together(parts)
    found = sum_correlated(parts, correlation)
    assert found.mean == pytest.approx(least.mean)
    assert least.deviation - 1e-6 <= found.deviation <= most.deviation + 1e-6
    assert sum_correlated(parts, 0).deviation == pytest.approx(least.deviation)
    assert sum_correlated(parts, 1).deviation == pytest.approx(most.deviation)


def test_a_correlation_outside_zero_and_one_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        sum_correlated([], 1.5)


def test_the_product_of_independent_amounts_has_the_simulated_moments() -> None:
    random = np.random.default_rng(1)
    first, second = ThreePoint(1, 2, 6), ThreePoint(0.5, 3, 4)
    sample = first.quantile(random.random(200_000)) * second.quantile(random.random(200_000))
    found = product_independent(
        Moments(first.mean, float(first.quantile(random.random(200_000)).std())),
        Moments(second.mean, float(second.quantile(random.random(200_000)).std())),
    )
    assert found.mean == pytest.approx(float(sample.mean()), rel=0.01)
    assert found.deviation == pytest.approx(float(sample.std()), rel=0.02)


def test_p10_is_never_negative() -> None:
    assert Moments(1, 5).p10 == 0
    assert Moments(10, 2).p10 < Moments(10, 2).p50 < Moments(10, 2).p90


@settings(max_examples=20, deadline=None)
@given(st.floats(0.02, 0.9), st.floats(0.1, 0.9), st.floats(0.1, 0.9))
def test_a_share_about_three_points_has_their_mean_and_a_spread_no_wider(mean: float, down: float, up: float) -> None:
    low, high = mean * (1 - down), mean + (1 - mean) * up * 0.99
    share = BetaShare.about(low, mean, high)
    assert share.mean == pytest.approx(mean)
    quantiles = share.quantile(np.linspace(0.0005, 0.9995, 1000))
    assert quantiles.mean() == pytest.approx(mean, abs=0.01)
    assert (np.diff(quantiles) >= 0).all()
    assert quantiles.std() <= (high - low) / (2 * Z90) + 0.01


def test_quantiles_of_a_share_are_those_of_the_beta_distribution() -> None:
    from scipy.stats import beta

    for a, b in ((0.4, 6.0), (1.4, 9.5), (3.0, 3.0), (20.0, 2.0)):
        share = BetaShare(a, b)
        at = np.array([0.05, 0.1, 0.5, 0.9, 0.99])
        np.testing.assert_allclose(share.quantile(at), beta(a, b).ppf(at), rtol=2e-3, atol=1e-4)


def test_quantiles_of_a_rate_are_those_of_the_gamma_distribution() -> None:
    from scipy.stats import gamma

    at = np.array([0.05, 0.1, 0.5, 0.9, 0.99])
    for shape in (0.1, 0.5, 1.0, 4.0, 60.0):
        np.testing.assert_allclose(gamma_quantile(shape, at), gamma(shape).ppf(at), rtol=5e-3, atol=1e-9)


def test_shares_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="write 0 < low"):
        BetaShare.about(0.2, 0.1, 0.3)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60), st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_quantiles_of_a_sample_are_those_of_numpy(values: list[float], shares: list[float]) -> None:
    assert list(quantiles(np.array(values), *shares)) == np.quantile(values, shares).tolist()
