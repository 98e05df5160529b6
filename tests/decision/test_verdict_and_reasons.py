from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from kubeanswers.errors import InputError
from tenancykit.decision import (
    Criterion,
    DecisionTable,
    HardRequirement,
    Stakeholder,
    consensus,
    equal_weights,
    free_weights,
    frontier,
    last_step,
    neighbours,
    scale,
    scale_by_share,
    smaa,
    verdict,
    weighted_scores,
    why,
)
from tenancykit.decision.table import change_text
from tenancykit.decision.verdict import Overturn
from tenancykit.decision.weights import Weights
from tests.decision.strategies import POSITIVE_PARTS, anchored, simple, tables, weights_of

CRITERIA = [Criterion("isolation"), Criterion("cost", "lower", "EUR")]
TABLE = DecisionTable.of(["shared", "hosted", "dedicated"], CRITERIA, [[0.3, 40], [0.6, 80], [0.9, 160]])
BOUNDS = {"isolation": (0.0, 1.0), "cost": (0.0, 200.0)}
SCALED = scale(TABLE, BOUNDS)


# No clear winner


def test_a_design_that_always_wins_is_a_clear_winner() -> None:
    table = simple([[0.9, 0.9], [0.1, 0.2]])
    result = verdict(smaa(scale(table), free_weights(table.names), samples=500), "a", varied="weights")
    assert result.clear
    assert result.winner == "a"
    assert result.question == ""
    assert str(result).startswith("Clear: a is first in more than 99 % of samples of weights")


def test_an_assumption_whose_end_overturns_a_sure_place_makes_it_close_and_is_named() -> None:
    table = simple([[0.9, 0.9], [0.1, 0.2]])
    result = smaa(scale(table), free_weights(table.names), samples=500)
    found = verdict(result, "a", overturning=[Overturn("the level of prices of GPU nodes", 1.0, 1.3, "x", "b")])
    assert found.word == "close"
    assert "b comes first where the level of prices of GPU nodes is 1.3 times what is assumed" in str(found)


def test_a_copy_of_the_winner_changes_no_word() -> None:
    rows = [[0.6, 0.55], [0.3, 0.4]]
    alone = smaa(scale(simple(rows), {"x": (0, 1), "y": (0, 1)}), free_weights(("x", "y")), samples=500)
    twice = simple([*rows, rows[0]])
    copied = smaa(scale(twice, {"x": (0, 1), "y": (0, 1)}), free_weights(("x", "y")), samples=500)
    assert verdict(alone, "a").word == verdict(copied, "a", family=["c"]).word == "clear"
    assert verdict(copied, "a").word == "contested"  # counted one by one, copies would contest each other


def test_half_of_the_samples_is_close_and_less_is_contested() -> None:
    words = {}
    for lead in (0.0, 0.05, 0.6):
        table = DecisionTable.of(
            ["a", "b"], {"x": "higher"}, [[0.5 + lead], [0.5]], [[0.2 + lead], [0.2]], [[0.8 + lead], [0.8]]
        )
        result = smaa(scale(table, {"x": (0, 1)}), equal_weights(("x",)), samples=4000)
        words[lead] = verdict(result, "a").word
    assert words[0.05] == "close"
    assert words[0.6] == "clear"
    losing = smaa(scale(TABLE, BOUNDS), free_weights(TABLE.names), samples=2000)
    assert verdict(losing, "hosted").word == "contested"


def test_unknown_weights_leave_no_clear_winner_and_ask_for_the_decisive_one() -> None:
    result = verdict(smaa(SCALED, free_weights(TABLE.names), samples=5000), "shared")
    assert not result.clear
    assert result.winner is None
    assert {"shared", "dedicated"} <= set(result.contenders)
    assert result.relevance is not None
    assert result.relevance.kind == "weight"
    # Lines cross at isolation weights of 0.4 and 4/7; the question tells the nearest class edges.
    (first, one), (second, two) = result.relevance.turns
    assert (result.relevance.name, result.relevance.favourite, one, two) == (
        "isolation",
        "shared",
        "hosted",
        "dedicated",
    )
    assert [first, second] == pytest.approx([0.4, 4 / 7], abs=0.06)
    assert result.question.startswith("How much should isolation weigh? Below about 0.4")
    assert str(result).startswith(("Contested: shared", "Close: shared"))


def test_an_uncertain_cell_is_the_question_when_it_decides() -> None:
    table = DecisionTable.of(
        ["a", "b"], CRITERIA, [[0.5, 100], [0.5, 100]], [[0.5, 20], [0.5, 99]], [[0.5, 180], [0.5, 101]]
    )
    result = verdict(smaa(scale(table, BOUNDS), equal_weights(table.names), samples=5000), "a")
    assert not result.clear
    assert result.question.startswith("What is the cost of a really? Below about ")
    assert result.question.endswith("a leads, above it b.")


def test_a_given_question_is_asked_instead_of_the_decisive_uncertainty() -> None:
    rng = np.random.default_rng(0)
    names = [Criterion(f"c{number}") for number in range(12)]
    values = np.full((2, 12), 0.5)
    table = DecisionTable.of(["a", "b"], names, values, values - 0.3, values + 0.3)
    weights = equal_weights(table.names)
    scaled = scale(table, dict.fromkeys(table.names, (0.0, 1.0)))
    # With few samples the noise of the estimate exceeds what any one of 24 cells could settle.
    result = verdict(smaa(scaled, weights, samples=120, seed=int(rng.integers(9))), "a", question="Is it worth it?")
    assert result.question == "Is it worth it?"


def test_equal_designs_ask_for_another_criterion() -> None:
    table = simple([[0.5], [0.5]])
    result = verdict(smaa(scale(table), free_weights(("x",)), samples=100), "a")
    assert result.question == "What else tells a and b apart? By these criteria they are equal."
    assert result.contenders == ("a", "b")


def test_a_threshold_under_which_two_could_be_clear_is_refused() -> None:
    with pytest.raises(InputError, match="threshold"):
        verdict(smaa(SCALED, free_weights(TABLE.names), samples=50), "shared", threshold=0.5)


# Reasons


@settings(max_examples=60, deadline=None)
@given(tables(least=2), POSITIVE_PARTS)
def test_contributions_add_up_to_the_lead_and_needs_make_it_level(table: DecisionTable, parts: list[int]) -> None:
    scaled, weights = anchored(table), weights_of(table.names, parts)
    first, second = table.labels[:2]
    told = why(scaled, weights, first, second)
    scores = weighted_scores(scaled, weights)
    assert told.lead == pytest.approx(scores[0] - scores[1])
    assert sum(item.amount for item in told.contributions) == pytest.approx(told.lead)
    behind = 1 if told.lead > 0 else 0
    for need in told.needs:
        column = table.column(need.criterion)
        if need.kind == "value":
            values = table.values.copy()
            values[behind, column] = need.needed
            level = scaled.to_utility(values) @ weights.values
        else:
            others = weights.values * (np.arange(len(weights.names)) != column)
            changed = others / others.sum() * (1 - need.needed)
            changed[column] = need.needed
            level = scaled.utilities @ changed
        assert level[0] == pytest.approx(level[1])


def test_the_explanation_reads_as_a_sentence() -> None:
    weights = Weights(TABLE.names, np.array([0.7, 0.3]))
    told = why(SCALED, weights, "dedicated", "shared")
    assert str(told) == (
        "dedicated beats shared by 0.240 because of isolation (0.9 against 0.3, +0.420), although cost (160 against "
        "40 EUR, -0.180) speaks against it; shared would draw level if its isolation rose to 0.643 (now 0.3, +114%) or "
        "the weight of isolation dropped to 0.50 (now 0.70)"
    )
    back = why(SCALED, weights, "shared", "dedicated")
    assert str(back).startswith("shared loses to dedicated by 0.240 because of isolation")
    assert back.needs == told.needs
    assert [(need.kind, need.criterion) for need in told.needs] == [
        ("value", "isolation"),  # cost alone would have to fall below nothing
        ("weight", "isolation"),
        ("weight", "cost"),
    ]
    assert str(why(SCALED, weights, "shared", "shared")) == "shared and shared are level"


def test_nothing_is_said_to_draw_level_at_less_than_no_hours() -> None:
    table = DecisionTable.of(["a", "b"], [Criterion("cost", "lower"), Criterion("hours", "lower")], [[0, 1], [100, 2]])
    needs = why(anchored(table), Weights(table.names, np.array([0.9, 0.1])), "a", "b").needs
    values = {need.criterion: need.needed for need in needs if need.kind == "value"}
    assert set(values) <= {"cost"}, "hours alone would have to fall below nothing"
    assert all(needed >= 0 for needed in values.values())


def test_needs_in_values_are_left_out_where_a_value_has_no_single_price() -> None:
    table = simple([[1.0, 2.0], [2.0, 2.0]], "lh")
    told = why(scale_by_share(table), equal_weights(table.names), "a", "b")
    assert {need.kind for need in told.needs} <= {"weight"}


def test_the_nearest_cheaper_design_that_keeps_the_isolation_is_found() -> None:
    table = DecisionTable.of(
        ["now", "cheap and worse", "a bit cheaper", "much cheaper"],
        [*CRITERIA, Criterion("effort", "lower", "days")],
        [[0.6, 80, 10], [0.3, 10, 5], [0.6, 70, 30], [0.7, 40, 40]],
    )
    found = neighbours(table, "now", "cost", ["isolation"])
    assert [item.label for item in found] == ["a bit cheaper", "much cheaper"]
    assert found[0].saves == 10
    assert found[0].gives_up == (("effort", 20.0),)
    assert neighbours(table, "cheap and worse", "cost", ["isolation"]) == ()


def test_the_last_euro_is_priced_along_the_efficient_frontier() -> None:
    table = DecisionTable.of(
        ["shared", "hosted", "waste", "dedicated", "twin"],
        CRITERIA,
        [[0.3, 40], [0.6, 80], [0.5, 90], [0.9, 160], [0.6, 80]],
    )
    steps = frontier(table, "cost", "isolation")
    assert [(step.cheaper, step.dearer) for step in steps] == [("shared", "hosted"), ("hosted", "dedicated")]
    assert steps[0].rate == pytest.approx(0.3 / 40)
    last = last_step(table, "dedicated", "cost", "isolation")
    assert last is not None
    assert [last.spent, last.gained] == pytest.approx([80, 0.3])
    assert last_step(table, "twin", "cost", "isolation") == steps[0]
    assert last_step(table, "waste", "cost", "isolation") is None
    assert last_step(table, "shared", "cost", "isolation") is None


# Several people


SECURITY = Stakeholder(
    "security",
    Weights(TABLE.names, np.array([0.9, 0.1])),
    (HardRequirement("least isolation", "isolation", ">=", 0.5),),
)
FINANCE = Stakeholder(
    "finance", Weights(TABLE.names, np.array([0.2, 0.8])), (HardRequirement("the budget", "cost", "<=", 100),)
)


def test_stakeholders_meet_where_nobody_vetoes() -> None:
    found = consensus(SCALED, [SECURITY, FINANCE])
    assert [ranking.winner for ranking in found.rankings] == ["dedicated", "shared"]
    assert found.weights.values.tolist() == pytest.approx([0.55, 0.45])
    assert [(veto.stakeholder, veto.label) for veto in found.vetoes] == [
        ("security", "shared"),
        ("finance", "dedicated"),
    ]
    assert "misses the budget by 60 %" in found.vetoes[1].reason
    assert found.acceptable == ("hosted",)
    assert found.choice == "hosted"
    assert found.agreement.methods == ("security", "finance")
    assert found.agreement.tau[0, 1] == -1
    assert found.least_regret == "hosted"
    assert found.regrets.min() == 0


def test_disappointment_can_be_a_veto_and_can_leave_nothing() -> None:
    found = consensus(SCALED, [SECURITY, FINANCE], veto_regret=0.1)
    assert found.choice is None
    assert any("behind their favourite" in veto.reason for veto in found.vetoes)


def test_stakeholders_need_names_of_their_own() -> None:
    with pytest.raises(InputError):
        consensus(SCALED, [SECURITY, SECURITY])
    with pytest.raises(InputError):
        consensus(SCALED, [])


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.104, "+10%"), (-0.006, "-1%"), (-0.00046, "-0.05%"), (0.002, "+0.20%"), (-2e-6, "under 0.01%"), (0.0, "+0%")],
)  # fmt: skip
def test_a_small_change_is_not_told_as_none(share: float, said: str) -> None:
    assert change_text(share) == said
