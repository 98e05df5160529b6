"""Ranking methods against numbers printed elsewhere."""

from __future__ import annotations

import doctest
from statistics import NormalDist

import numpy as np
import pytest

from kubeanswers.errors import InputError
from tenancykit import decision
from tenancykit.decision import (
    Criterion,
    DecisionTable,
    Preference,
    Uncertainty,
    equal_weights,
    free_weights,
    known_weights,
    matrix_weights,
    promethee,
    rank_reversal,
    scale,
    scale_by_length,
    scale_by_share,
    smaa,
    topsis,
    vikor,
    weighted_sum,
)
from tenancykit.decision.weights import Weights, direct_weights
from tests.decision.strategies import simple


def test_topsis_example_of_tzeng_and_huang() -> None:
    # G.-H. Tzeng and J.-J. Huang (2011), Multiple Attribute Decision Making, CRC Press; as stated in the tests of
    # scikit-criteria (tests/agg/test_topsis.py).
    table = simple([[5, 8, 4], [7, 6, 8], [8, 8, 6], [7, 4, 6]])
    weights = direct_weights({"x": 0.3, "y": 0.4, "z": 0.3}, table.names)
    result = topsis(scale_by_length(table), weights)
    assert result.scores.tolist() == pytest.approx([0.5037, 0.6581, 0.7482, 0.3340], abs=5e-5)
    assert result.ranks.tolist() == [3, 2, 1, 4]


def test_weighted_sum_example_of_kracka() -> None:
    # M. Kracka, W. K. M. Brauers, E. K. Zavadskas (2010), Inzinerine Ekonomika 21(4), 352-359; as stated in the tests
    # of scikit-criteria (tests/agg/test_simple.py).
    rows = [
        [33.95, 23.78, 11.45, 39.97, 29.44, 167.10, 3.852],
        [38.9, 4.17, 6.32, 0.01, 4.29, 132.52, 25.184],
        [37.59, 9.36, 8.23, 4.35, 10.22, 136.71, 10.845],
        [30.44, 37.59, 13.91, 74.08, 45.10, 198.34, 2.186],
        [36.21, 14.79, 9.17, 17.77, 17.06, 148.3, 6.610],
        [37.8, 8.55, 7.97, 2.35, 9.25, 134.83, 11.935],
    ]
    criteria = [Criterion(f"c{i}", "higher" if i in (4, 6) else "lower") for i in range(7)]
    table = DecisionTable.of(list("abcdef"), criteria, rows)
    result = weighted_sum(scale_by_share(table), equal_weights(table.names))
    expected = [0.12040426, 0.3458235, 0.13838192, 0.12841246, 0.12346084, 0.14351701]
    assert result.scores.tolist() == pytest.approx(expected, abs=1e-7)
    assert result.ranks.tolist() == [6, 1, 3, 4, 5, 2]


@pytest.mark.parametrize("factor", [1.0, 0.001, 7.3])
def test_vikor_example_of_opricovic_and_tzeng(factor: float) -> None:
    # S. Opricovic and G.-H. Tzeng (2004), EJOR 156(2), 445-455; as stated in the tests of scikit-criteria
    # (tests/agg/test_vikor.py). Scaling a criterion must not change anything.
    table = simple([[1, 3000 * factor], [2, 3750 * factor], [5, 4500 * factor]], "lh")
    result = vikor(scale(table), equal_weights(table.names))
    assert result.details["S"].tolist() == pytest.approx([0.5, 0.375, 0.5])
    assert result.details["R"].tolist() == pytest.approx([0.5, 0.25, 0.5])
    assert result.scores.tolist() == pytest.approx([1, 0, 1])
    assert result.ranks.tolist() == [2, 1, 2]
    assert result.compromise == ("b",)


PROJECTS = DecisionTable.of(
    [f"x{number}" for number in range(1, 7)],
    [
        Criterion("manpower", "lower"),
        Criterion("power", "higher"),
        Criterion("construction", "lower"),
        Criterion("maintenance", "lower"),
        Criterion("villages", "lower"),
        Criterion("security", "higher"),
    ],
    [
        [80.0, 90, 6, 5.4, 8, 5],
        [65.0, 58, 2, 9.7, 1, 1],
        [83.0, 60, 4, 7.2, 4, 7],
        [40.0, 80, 10, 7.5, 7, 10],
        [52.0, 72, 6, 2, 3, 8],
        [94.0, 96, 7, 3.6, 5, 6],
    ],
)
PROJECT_PREFERENCES = {
    "manpower": Preference("u-shape", q=10),
    "power": Preference("v-shape", p=30),
    "construction": Preference("linear", q=0.5, p=5),
    "maintenance": Preference("level", q=1, p=6),
    "villages": Preference("usual"),
    "security": Preference("gaussian", s=5),
}


def test_promethee_example_of_brans_vincke_and_mareschal() -> None:
    # J. P. Brans, P. Vincke, B. Mareschal (1986), EJOR 24(2), 228-238: six hydroelectric projects, one preference
    # function of each kind. The printed flows are rounded early and differ from exact ones by up to 0.002; the order is
    # the printed one.
    result = promethee(PROJECTS, equal_weights(PROJECTS.names), PROJECT_PREFERENCES)
    positive, negative = result.details["positive flow"], result.details["negative flow"]
    assert positive.tolist() == pytest.approx([0.2199, 0.3963, 0.2466, 0.3293, 0.4547, 0.3001], abs=5e-5)
    assert negative.tolist() == pytest.approx([0.3655, 0.3791, 0.3362, 0.3493, 0.1618, 0.3549], abs=5e-5)
    assert result.ordered() == ("x5", "x2", "x4", "x6", "x3", "x1")


HOUSE: list[list[float]] = [
    [1, 5, 3, 7, 6, 6, 1 / 3, 1 / 4],
    [1 / 5, 1, 1 / 3, 5, 3, 3, 1 / 5, 1 / 7],
    [1 / 3, 3, 1, 6, 3, 4, 6, 1 / 5],
    [1 / 7, 1 / 5, 1 / 6, 1, 1 / 3, 1 / 4, 1 / 7, 1 / 8],
    [1 / 6, 1 / 3, 1 / 3, 3, 1, 1 / 2, 1 / 5, 1 / 6],
    [1 / 6, 1 / 3, 1 / 4, 4, 2, 1, 1 / 5, 1 / 6],
    [3, 5, 1 / 6, 7, 5, 5, 1, 1 / 2],
    [4, 7, 5, 8, 6, 6, 2, 1],
]
HOUSE_NAMES = ("size", "transport", "neighbourhood", "age", "yard", "facilities", "condition", "financing")


def test_ahp_example_of_saatys_house_is_reproduced_and_refused_as_inconsistent() -> None:
    # T. L. Saaty (1990), How to make a decision: the analytic hierarchy process, EJOR 48(1), 9-26, table of the eight
    # criteria for buying a house: lambda_max 9.669, C.I. 0.238, C.R. 0.169.
    found = matrix_weights(HOUSE_NAMES, HOUSE)
    expected = [0.173, 0.054, 0.188, 0.018, 0.031, 0.036, 0.167, 0.333]
    assert found.weights.values.tolist() == pytest.approx(expected, abs=5e-4)
    assert found.lambda_max == pytest.approx(9.669, abs=5e-4)
    assert found.consistency_index == pytest.approx(0.238, abs=5e-4)
    assert found.consistency_ratio == pytest.approx(0.169, abs=5e-4)
    with pytest.raises(InputError, match=r"consistency ratio of 0\.17; allowed: at most 0\.10; neighbourhood against"):
        found.accepted()


def test_ahp_example_of_saatys_schools_goes_from_judgements_to_a_choice() -> None:
    # T. L. Saaty (1980), The Analytic Hierarchy Process, chapter 1, school selection: weights and local priorities to
    # two decimals; the composite priorities are 0.37, 0.38 and 0.25.
    names = ("learning", "friends", "school life", "vocational", "college", "music")
    judged: list[list[float]] = [
        [1, 4, 3, 1, 3, 4],
        [1 / 4, 1, 7, 3, 1 / 5, 1],
        [1 / 3, 1 / 7, 1, 1 / 5, 1 / 5, 1 / 6],
        [1, 1 / 3, 5, 1, 1, 1 / 3],
        [1 / 3, 5, 5, 1, 1, 3],
        [1 / 4, 1, 6, 3, 1 / 3, 1],
    ]
    schools: dict[str, list[list[float]]] = {
        "learning": [[1, 1 / 3, 1 / 2], [3, 1, 3], [2, 1 / 3, 1]],
        "friends": [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
        "school life": [[1, 5, 1], [1 / 5, 1, 1 / 5], [1, 5, 1]],
        "vocational": [[1, 9, 7], [1 / 9, 1, 1 / 5], [1 / 7, 5, 1]],
        "college": [[1, 1 / 2, 1], [2, 1, 2], [1, 1 / 2, 1]],
        "music": [[1, 6, 4], [1 / 6, 1, 1 / 3], [1 / 4, 3, 1]],
    }
    weights = matrix_weights(names, judged).weights
    assert weights.values.tolist() == pytest.approx([0.32, 0.14, 0.03, 0.13, 0.24, 0.14], abs=6e-3)
    local = [matrix_weights("ABC", schools[name]).weights.values for name in names]
    assert local[0].tolist() == pytest.approx([0.16, 0.59, 0.25], abs=6e-3)
    assert local[3].tolist() == pytest.approx([0.77, 0.05, 0.17], abs=6e-3)
    table = DecisionTable.of("ABC", dict.fromkeys(names, "higher"), np.array(local).T)
    result = weighted_sum(scale_by_share(table), weights)  # priorities add up to one already: nothing is rescaled
    assert result.scores.tolist() == pytest.approx([0.37, 0.38, 0.25], abs=6e-3)
    assert result.ordered() == ("B", "A", "C")


def test_topsis_example_of_hwang_and_yoon() -> None:
    # C.-L. Hwang and K. Yoon (1981), Multiple Attribute Decision Making, Springer: four fighter aircraft, vector
    # normalisation; relative closeness 0.643, 0.268, 0.613, 0.312.
    table = DecisionTable.of(
        ["A1", "A2", "A3", "A4"],
        {
            "speed": "higher",
            "range": "higher",
            "payload": "higher",
            "cost": "lower",
            "reliability": "higher",
            "manoeuvre": "higher",
        },
        [
            [2.0, 1500, 20000, 5.5, 5, 9],
            [2.5, 2700, 18000, 6.5, 3, 5],
            [1.8, 2000, 21000, 4.5, 7, 7],
            [2.2, 1800, 20000, 5.0, 5, 5],
        ],
    )
    stated = dict(zip(table.names, [2, 1, 1, 1, 2, 3], strict=True))
    result = topsis(scale_by_length(table), direct_weights(stated, table.names, normalise=True))
    assert result.scores.tolist() == pytest.approx([0.643, 0.268, 0.613, 0.312], abs=1e-3)
    assert result.ordered() == ("A1", "A3", "A4", "A2")


def test_smaa_example_of_van_valkenhoefs_thrombolytics() -> None:
    # The example of the R package smaa (github.com/gertvv/rsmaa): heparin and enoxaparin on three criteria. Its 10,000
    # samples are summarised here as normal distributions of the same means and deviations, which moves a share by
    # 0.02 at most. Published: acceptability 0.35 and 0.65, these central weights, and 0.872 at weights 0.5, 0.2, 0.3.
    mean = np.array([[0.412, 0.425, 0.926], [0.751, 0.608, 0.615]])
    deviation = np.array([[0.122, 0.156, 0.073], [0.084, 0.152, 0.166]])
    reach = deviation * NormalDist().inv_cdf(0.95)  # intervals hold 90 %
    names = ("proximal", "distal", "bleeding")
    drugs = ["heparin", "enoxaparin"]
    table = DecisionTable.of(drugs, dict.fromkeys(names, "higher"), mean, mean - reach, mean + reach)
    scaled, normal = scale(table, dict.fromkeys(names, (0.0, 1.0))), Uncertainty("normal")
    found = smaa(scaled, free_weights(names), normal, samples=40_000)
    assert found.first.tolist() == pytest.approx([0.3504, 0.6496], abs=0.02)
    assert found.central_weights[0].tolist() == pytest.approx([0.187, 0.277, 0.536], abs=0.02)
    assert found.central_weights[1].tolist() == pytest.approx([0.407, 0.364, 0.229], abs=0.02)
    assert found.confidence.tolist() == pytest.approx([0.668, 0.896], abs=0.02)
    fixed = direct_weights({"proximal": 0.5, "distal": 0.2, "bleeding": 0.3}, names)
    assert smaa(scaled, known_weights(fixed), normal, samples=40_000).first[1] == pytest.approx(0.8721, abs=0.02)


def test_the_examples_of_the_rooms_own_page_hold() -> None:
    assert doctest.testmod(decision, optionflags=doctest.ELLIPSIS).failed == 0


def test_belton_and_gear_kind_of_reversal_is_reported_for_relative_scales_only() -> None:
    # V. Belton and T. Gear (1983), Omega 11(3), 228-230: a copy of an alternative reverses ranks under normalisation by
    # sums. Three alternatives on three criteria, then a copy of the second.
    rows = [[1.0, 9.0, 8.0], [9.0, 1.0, 9.0], [1.0, 1.0, 1.0], [9.0, 1.0, 9.0]]
    table = simple(rows)
    weights: Weights = equal_weights(table.names)
    relative = rank_reversal(table, lambda part: weighted_sum(scale_by_share(part), weights))
    (copy,) = [item for item in relative.reversals if item.dropped == "d"]
    assert (copy.winner_before, copy.winner_after) == ("a", "b")
    assert copy.flipped == (("a", "b"),)
    assert not relative.stable
    bounds = dict.fromkeys(table.names, (0.0, 10.0))
    fixed = rank_reversal(table, lambda part: weighted_sum(scale(part, bounds), weights))
    assert fixed.stable
    assert fixed.dropped == 4
