from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.errors import InputError
from tenancykit.decision import Criterion, DecisionTable, HardRequirement, Measure, screen
from tests.decision.strategies import tables

COST = DecisionTable.of(
    ["cheap", "fair", "dear"],
    [Criterion("cost", "lower", "EUR/month"), Criterion("isolation")],
    [[80, 0.2], [112, 0.6], [150, 0.9]],
    [[70, 0.1], [95, 0.5], [140, 0.8]],
    [[90, 0.3], [130, 0.7], [160, 0.9]],
)
BUDGET = HardRequirement("the budget", "cost", "<=", 100)


def test_an_exclusion_names_the_requirement_and_the_distance() -> None:
    result = screen(COST, [BUDGET])
    assert result.passed == ("cheap",)
    (miss,) = result.misses("fair")
    assert str(miss) == "misses the budget by 12 % (112 against at most 100 EUR/month)"
    assert result.misses("cheap") == ()
    (far,) = screen(COST, [HardRequirement("the budget", "cost", "<=", 0.06)]).misses("fair")
    assert "by 187,000 %" in str(far), "three significant digits"
    assert result.counts() == {"the budget": 2}


def test_the_nearest_designs_are_named_when_nobody_passes() -> None:
    strict = [BUDGET, HardRequirement("isolation floor", "isolation", ">=", 0.95)]
    result = screen(COST, strict)
    assert result.passed == ()
    assert [near.label for near in result.nearest(2)] == ["fair", "dear"]
    assert [miss.requirement.name for miss in result.nearest(1)[0].misses] == ["isolation floor", "the budget"]


def test_a_requirement_can_be_put_to_the_pessimistic_end_of_the_interval() -> None:
    surely = HardRequirement("the budget for sure", "cost", "<=", 89, reading="high")
    assert screen(COST, [surely]).passed == ()
    assert screen(COST, [HardRequirement("maybe", "cost", "<=", 95, reading="low")]).passed == ("cheap", "fair")


def test_extra_measures_levels_and_flags_have_their_own_wording() -> None:
    level = Measure("network level", np.array([1.0, 2.0, 3.0]))
    resident = Measure("resident", np.array([1.0, 0.0, 1.0]))
    result = screen(
        COST,
        [
            HardRequirement("network isolation", "network level", ">=", 3, kind="level"),
            HardRequirement("data residency", "resident", ">=", 1, kind="flag"),
        ],
        [level, resident],
    )
    needed = Measure("engineers", np.array([4.0, 2.0, 1.0]), "people")
    staffed = screen(COST, [HardRequirement("the team size", "engineers", "<=", 1, kind="people")], [needed])
    assert [str(staffed.misses(label)[0]) for label in ("cheap", "fair")] == [
        "misses the team size by 3 people (4 against at most 1)",
        "misses the team size by one person (2 against at most 1)",
    ]
    assert result.passed == ("dear",)
    assert str(result.misses("cheap")[0]) == "misses network isolation by 2 levels (level 1, needs at least 3)"
    assert sorted(map(str, result.misses("fair"))) == [
        "does not meet data residency",
        "misses network isolation by 1 level (level 2, needs at least 3)",
    ]


def test_a_limit_of_zero_is_told_in_units_not_per_cent() -> None:
    result = screen(COST, [HardRequirement("free of charge", "cost", "<=", 0)])
    assert "misses free of charge by 80 EUR/month" in str(result.misses("cheap")[0])
    # Relative to the candidates' spread of 70 EUR, as there is no limit to be relative to.
    assert result.misses("cheap")[0].relative == pytest.approx(80 / 70)


def test_rounding_does_not_exclude_and_equality_is_understood() -> None:
    table = DecisionTable.of(["a", "b"], [Criterion("x")], [[0.1 + 0.2], [0.4]])
    assert screen(table, [HardRequirement("limit", "x", "<=", 0.3)]).passed == ("a",)
    assert screen(table, [HardRequirement("exact", "x", "==", 0.3)]).passed == ("a",)


def test_without_requirements_everybody_passes() -> None:
    assert screen(COST, []).passed == COST.labels


def test_bad_requirements_are_reported_together() -> None:
    with pytest.raises(InputError) as caught:
        screen(
            COST,
            [
                HardRequirement("typo", "costs", "<=", 1),
                HardRequirement("nan", "cost", "<=", float("nan")),
                HardRequirement("sign", "cost", "<", 1),  # type: ignore[arg-type]
            ],
            [Measure("short", np.ones(2))],
        )
    assert len(caught.value.faults) == 4
    assert any("did you mean cost" in str(fault) for fault in caught.value.faults)


@settings(max_examples=50, deadline=None)
@given(tables(), st.integers(0, 8))
def test_tightening_a_limit_never_lets_more_designs_pass(table: DecisionTable, limit: int) -> None:
    loose, tight = (screen(table, [HardRequirement("r", "c0", "<=", limit - step)]) for step in (0, 1))
    assert set(tight.passed) <= set(loose.passed)
    assert (tight.gaps >= loose.gaps).all()
